"""Stochastic depth in words: right answers are never refused, whatever they draw; near misses are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from course_lib import messages
from course_lib.cases import Case
from course_lib.numpy_kernels import stochastic_depth
from course_lib.properties.find import find_property
from course_lib.properties.stochastic_depth import stochastic_depth_words

SEEDS = range(500)
SHAPE = (1500, 2)
# The ends of what cases draw.
PROBABILITIES = (0.35, 0.42, 0.6, 0.75)
RNG = np.random.default_rng(0)
X, F = RNG.normal(size=SHAPE), RNG.uniform(0.5, 2.0, SHAPE)


def words(out: Any, p: float, x: np.ndarray = X, f: np.ndarray = F, **others: Any) -> Any:
    """What the property says about a training pass."""
    case = Case("", {"x": x, "f": f, "p": p, "train": True, "rng": (1,)}, ())
    return stochastic_depth_words({"out": out, **others}, case, {})["out"]


def drawn(seed: int, p: float, x: np.ndarray = X, f: np.ndarray = F) -> np.ndarray:
    """A right answer."""
    return stochastic_depth(x, f, p, rng=np.random.default_rng(seed))[0]


@pytest.mark.parametrize("p", PROBABILITIES)
def test_no_seed_refuses_the_reference(p):
    """Over 500 seeds the reference always gets the same words: those that are right."""
    for seed in SEEDS:
        found = words(drawn(seed, p), p)
        assert found[messages.DEPTH_EXAMPLES] == "x or x + f / (1 - p), each as a whole"
        assert found[messages.DEPTH_DROPPED] == "p"


@pytest.mark.parametrize("p", PROBABILITIES)
def test_another_probability_is_seen(p):
    """Dropping 0.15 more or less, or with 1 - p, gets another word at any seed."""
    for seed in range(50):
        rng = np.random.default_rng(seed)
        for share, word in ((p - 0.15, "less than p"), (p + 0.15, "more than p"), (1 - p, "1 - p")):
            keep = rng.random(SHAPE[0]) >= share
            found = words(X + F * (keep / (1 - p))[:, None], p)
            assert found[messages.DEPTH_DROPPED] in (word, "1 - p")


def test_values_are_compared_example_by_example():
    """A branch that is not scaled, a sum that is dropped whole, and draws for each entry are told from a right one."""
    keep = np.random.default_rng(1).random(SHAPE[0])[:, None] >= 0.4
    entries = np.random.default_rng(1).random(SHAPE) >= 0.4
    for out in (X + F * keep, (X + F) * keep / 0.6, X + F * entries / 0.6, X + F / 0.6 + 1e-6):
        assert words(out, 0.4)[messages.DEPTH_EXAMPLES] == "something else, or only in part"


def test_one_fate_for_all_has_one_word():
    """Whether all branches are kept or none is chance when one number is drawn; the words do not depend on it."""
    found = [words(X + factor * F, 0.4, **{"out of the second call": X}) for factor in (0.0, 1 / 0.6)]
    assert found[0] == found[1]
    assert found[0][messages.DEPTH_DROPPED] == "all examples have the same fate"


def test_repeated_calls_are_told_apart():
    """The same generator goes on, another one of the same seed repeats."""
    out, other = drawn(1, 0.4), drawn(2, 0.4)
    found = words(out, 0.4, **{"out of the second call": other, "out with the same seed": out})
    assert found["out of the second call, dropped branches"] == "other examples"
    assert found["out with the same seed, dropped branches"] == "the same examples"


def test_shape_dtype_and_inputs_are_watched():
    """Another shape gets a word, float32 keeps its dtype, and an input that was changed is called so."""
    assert words(X[:3], 0.4) == {messages.DEPTH_SHAPE: "another one"}
    x, f = X.astype(np.float32), F.astype(np.float32)
    assert words(drawn(1, 0.4, x, f), 0.4, x, f)[messages.DEPTH_DTYPE].dtype == np.float32
    case = Case("", {"x": X, "f": F, "p": 0.4, "train": True, "rng": (1,)}, ())
    seen = {"out": drawn(1, 0.4), "x afterwards": X + 1, "f afterwards": F}
    found = stochastic_depth_words(seen, case, {})
    assert (found["x afterwards"], found["f afterwards"]) == messages.DROPOUT_LEFT[::-1]
    with pytest.raises(ValueError, match="out"):
        words([1.0], 0.4)


def test_all_else_is_compared_by_value():
    """Evaluation, given draws, and a probability of 0 pass unchanged."""
    for more in ({"train": False}, {"rng": None}, {"p": 0.0}):
        case = Case("", {"x": X, "f": F, "p": 0.4, "train": True, "rng": (1,), **more}, ())
        assert stochastic_depth_words({"out": X}, case, {}) == {"out": X}
    assert find_property("stochastic_depth_words") == (stochastic_depth_words, {})
