"""Cases of several steps with an optimiser: what goes from one step to the next, and what is read."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.exercises._trajectory import trajectory
from course_lib.cases import run
from course_lib.probes import PROBES

W, G = np.array([1.0, 2.0]), np.array([[1.0, 0.0], [10.0, 0.0], [100.0, 0.0], [1000.0, 0.0]])


def summing(w: np.ndarray, g: np.ndarray, state: Any, lr: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights minus the rate times all gradients so far."""
    total = g.copy() if state is None else state + g
    return w - lr * total, total


def summing_in_place(w: np.ndarray, g: np.ndarray, state: Any, lr: float) -> tuple[np.ndarray, np.ndarray]:
    """The same, but the state that came in is changed."""
    total = np.zeros_like(w) if state is None else state
    total += g
    return w - lr * total, total


def played(step: Any, inputs: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What a trajectory shows."""
    return run(trajectory("name", "step", inputs, **options), {"step": step})


def test_weights_and_state_go_on() -> None:
    """Every step gets its own gradient, and weights and state of the step before."""
    seen = played(summing, {"w": W, "g": G, "lr": 1.0}, state="last")
    np.testing.assert_array_equal(seen["weights after step 2"], [1 - 1 - 11, 2])
    np.testing.assert_array_equal(seen["weights after step 4"], [1 - 1 - 11 - 111 - 1111, 2])
    np.testing.assert_array_equal(seen["last state"], [1111, 0])


def test_the_second_half_may_have_another_rate() -> None:
    """`later_lr` replaces `lr` from the middle on and is no argument of its own."""
    seen = played(summing, {"w": W, "g": G, "lr": 0.0, "later_lr": 1.0})
    np.testing.assert_array_equal(seen["weights after step 2"], W)
    np.testing.assert_array_equal(seen["weights after step 3"], [1 - 111, 2])


def test_a_given_state_is_used_and_read_again() -> None:
    """A state among the inputs is that of the first step, and is read at the end like every array."""
    inputs = {"w": W, "g": G[:1], "state": np.array([5.0, 0.0]), "lr": 1.0}
    seen = played(summing, inputs)
    np.testing.assert_array_equal(seen["weights after step 1"], [1 - 6, 2])
    assert {"w afterwards", "g afterwards", "state afterwards"} <= set(seen)
    assert (played(summing_in_place, inputs)["state afterwards"] != inputs["state"]).any()


def test_a_state_that_is_changed_is_seen() -> None:
    """The first state is read again after the second step, so working in place shows, although weights are right."""
    inputs = {"w": W, "g": G[:2], "lr": 1.0}
    good, bad = (played(step, inputs, state="first again") for step in (summing, summing_in_place))
    np.testing.assert_array_equal(good["weights after step 2"], bad["weights after step 2"])
    np.testing.assert_array_equal(good["first again state"], [1, 0])
    np.testing.assert_array_equal(bad["first again state"], [11, 0])


def test_a_probed_training_goes_on_with_every_call() -> None:
    """The probe of the range test remembers its weights until it is made anew, and ends with NaN beyond its limit."""
    coefficients = (np.array([2.0]), np.array([1.0]), np.array([0.5, 50.0]))
    probe = PROBES["descent"](*coefficients)
    assert [float(probe(0.5)), float(probe(0.5))] == [0.5 + 0.5, 0.5 + 0.125]
    assert float(PROBES["descent"](*coefficients)(0.5)) == 1.0
    assert np.isnan(probe(100.0))
