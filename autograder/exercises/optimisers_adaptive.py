"""Exercises on a rate for each weight (topic `optimisers`): Adagrad and RMSProp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from autograder.exercises._trajectory import trajectory
from course_lib.cases import Case

_OUTSIDE = "eps stands outside the root: sqrt(s) + eps. With sqrt(s + eps) small gradients get other steps."
_KEPT = "The second step changes the state that came in. Make a new array: s = state + ..., not state += ..."
# So small that it does not matter here where it stands.
_TINY = 1e-14


def _cases_of(function: str, keeps: bool, says: str) -> Callable[[np.random.Generator, bool], tuple[Case, ...]]:
    """Cases for an optimiser that remembers squared gradients, and what its state is in words."""

    def make(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
        def case(name: str, count: int, *shape: int, eps: float = _TINY, **options: Any) -> Case:
            dtype = options.pop("dtype", "float64")
            inputs = {"w": draw(rng, *shape, dtype=dtype), "g": draw(rng, count, *shape, dtype=dtype)}
            if name == "a gradient of zero":
                inputs["g"][:, 1] = 0
            if name == "under way":
                inputs["state"] = np.abs(draw(rng, *shape)) + 0.2
            inputs |= {"lr": draw_number(rng, 0.05, 0.4)} | ({"beta": draw_number(rng, 0.6, 0.9)} if keeps else {})
            return trajectory(name, function, inputs | {"eps": eps}, **options)

        cases = (
            case("ten steps", 10, 2, 3),
            case("a gradient of zero", 3, 3),
            case("under way", 2, 3),
            case("an eps that matters", 3, 3, eps=0.25, kind="convention", says=_OUTSIDE),
            case("the state itself", 2, 2, state="last", says=says),
            case("the state is kept", 2, 3, state="first again", says=_KEPT),
            case("float32", 2, 3, dtype="float32"),
        )
        return cases if public else (*cases, case("one weight", 10, 1), case("one column", 3, 3, 1))

    return make


def _adagrad_step__no_root(w, g, state, lr=0.01, eps=1e-10):
    s = g * g if state is None else state + g * g
    return w - lr * g / (s + eps), s


def _adagrad_step__larger_where_steep(w, g, state, lr=0.01, eps=1e-10):
    s = g * g if state is None else state + g * g
    return w - lr * g * (np.sqrt(s) + eps), s


def _adagrad_step__no_memory(w, g, state, lr=0.01, eps=1e-10):
    s = g * g
    return w - lr * g / (np.sqrt(s) + eps), s


def _adagrad_step__not_squared(w, g, state, lr=0.01, eps=1e-10):
    s = np.abs(g) if state is None else state + np.abs(g)
    return w - lr * g / (np.sqrt(s) + eps), s


def _adagrad_step__root_as_state(w, g, state, lr=0.01, eps=1e-10):
    s = np.sqrt(g * g if state is None else state + g * g)
    return w - lr * g / (s + eps), s


def _adagrad_step__one_rate_for_all(w, g, state, lr=0.01, eps=1e-10):
    s = (g * g).sum() + (0 if state is None else state)
    return w - lr * g / (np.sqrt(s) + eps), s + np.zeros_like(w)


def _adagrad_step__sum_under_way(w, g, state, lr=0.01, eps=1e-10):
    s = g * g if state is None else state + (g * g).sum()
    return w - lr * g / (np.sqrt(s) + eps), s


def _adagrad_step__no_eps(w, g, state, lr=0.01, eps=1e-10):
    s = g * g if state is None else state + g * g
    with np.errstate(all="ignore"):
        return w - lr * g / np.sqrt(s), s


def _adagrad_step__eps_inside(w, g, state, lr=0.01, eps=1e-10):
    s = g * g if state is None else state + g * g
    return w - lr * g / np.sqrt(s + eps), s


def _adagrad_step__changes_state(w, g, state, lr=0.01, eps=1e-10):
    s = np.zeros_like(w) if state is None else state
    s += g * g
    return w - lr * g / (np.sqrt(s) + eps), s


def _adagrad_step__length_of_a_vector(w, g, state, lr=0.01, eps=1e-10):
    # The root of the sum is the length of a vector that grows by one entry per step.
    length = np.hypot(np.zeros_like(w) if state is None else np.sqrt(state), g)
    return w - lr * g / (length + eps), length * length


def _adagrad_step__entry_by_entry(w, g, state, lr=0.01, eps=1e-10):
    new, s = np.empty_like(w), np.empty_like(w)
    for i in np.ndindex(w.shape):
        s[i] = g[i] ** 2 + (0 if state is None else state[i])
        new[i] = w[i] - lr / (s[i] ** 0.5 + eps) * g[i]
    return new, s


ADAGRAD_STEP = Exercise(
    id="adagrad_step",
    topic="optimisers",
    points=1,
    cases=_cases_of(
        "adagrad_step",
        keeps=False,
        says="The weights are right, but the state is not the sum of squared gradients. Return s itself.",
    ),
    mistakes=(
        Mistake(
            "no_root",
            "The root is missing: divide by sqrt(s) + eps. Without it, gradients ten times as large make steps ten "
            "times as small.",
            _adagrad_step__no_root,
        ),
        Mistake(
            "larger_where_steep",
            "Your steps grow where gradients were large. Adagrad makes them smaller there: divide by sqrt(s) + eps.",
            _adagrad_step__larger_where_steep,
        ),
        Mistake(
            "no_memory",
            "Your sum forgets the steps before. Add to the state when there is one: s = state + g**2.",
            _adagrad_step__no_memory,
        ),
        Mistake(
            "not_squared",
            "You add up absolute gradients. Square them: s = s + g**2.",
            _adagrad_step__not_squared,
        ),
        Mistake(
            "root_as_state",
            "You hand on the root of the sum, so the next step adds a square to a root. Return s itself as the state.",
            _adagrad_step__root_as_state,
        ),
        Mistake(
            "one_rate_for_all",
            "You add the squares of all weights together. Each weight has a sum of its own: g * g without .sum().",
            _adagrad_step__one_rate_for_all,
        ),
        Mistake(
            "sum_under_way",
            "From the second step on you add the squares of all weights to every sum. Each weight adds its own: "
            "state + g * g without .sum().",
            _adagrad_step__sum_under_way,
        ),
        Mistake(
            "no_eps",
            "eps is missing: a weight whose gradient was always 0 gets 0 / 0. Divide by sqrt(s) + eps.",
            _adagrad_step__no_eps,
        ),
        Mistake("eps_inside", _OUTSIDE, _adagrad_step__eps_inside),
        Mistake("changes_state", _KEPT, _adagrad_step__changes_state),
    ),
    other_ways=(
        OtherWay("length_of_a_vector", _adagrad_step__length_of_a_vector),
        OtherWay("entry_by_entry", _adagrad_step__entry_by_entry),
    ),
)


def _rmsprop_step__averages_gradients(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = (1 - beta) * g + (0 if state is None else beta * state)
    return w - lr * g / (np.sqrt(np.abs(s)) + eps), s


def _rmsprop_step__never_fades(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = g * g if state is None else state + g * g
    return w - lr * g / (np.sqrt(s) + eps), s


def _rmsprop_step__not_an_average(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = g * g if state is None else beta * state + g * g
    return w - lr * g / (np.sqrt(s) + eps), s


def _rmsprop_step__swapped_weights(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = beta * g * g + (0 if state is None else (1 - beta) * state)
    return w - lr * g / (np.sqrt(s) + eps), s


def _rmsprop_step__first_undamped(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = g * g if state is None else beta * state + (1 - beta) * g * g
    return w - lr * g / (np.sqrt(s) + eps), s


def _rmsprop_step__no_root(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = (1 - beta) * g * g + (0 if state is None else beta * state)
    return w - lr * g / (s + eps), s


def _rmsprop_step__square_of_the_average(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = ((1 - beta) * g) ** 2 + (0 if state is None else beta * state)
    return w - lr * g / (np.sqrt(s) + eps), s


def _rmsprop_step__no_eps(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = (1 - beta) * g * g + (0 if state is None else beta * state)
    with np.errstate(all="ignore"):
        return w - lr * g / np.sqrt(s), s


def _rmsprop_step__eps_inside(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = (1 - beta) * g * g + (0 if state is None else beta * state)
    return w - lr * g / np.sqrt(s + eps), s


def _rmsprop_step__changes_state(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = np.zeros_like(w) if state is None else state
    s *= beta
    s += (1 - beta) * g * g
    return w - lr * g / (np.sqrt(s) + eps), s


def _rmsprop_step__moves_towards_the_square(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    s = np.zeros_like(w) if state is None else state
    s = s + (1 - beta) * (g**2 - s)
    return w - lr * np.divide(g, eps + s**0.5), s


def _rmsprop_step__length_of_a_vector(w, g, state, lr=0.01, beta=0.99, eps=1e-8):
    before = np.zeros_like(w) if state is None else np.sqrt(beta * state)
    length = np.hypot(before, (1 - beta) ** 0.5 * g)
    return w - lr * g / (length + eps), length**2


RMSPROP_STEP = Exercise(
    id="rmsprop_step",
    topic="optimisers",
    points=1,
    cases=_cases_of(
        "rmsprop_step",
        keeps=True,
        says="The weights are right, but the state is not the average of squared gradients. Return s itself.",
    ),
    mistakes=(
        Mistake(
            "averages_gradients",
            "You average the gradients. RMSProp averages their squares: gradients of changing sign would cancel.",
            _rmsprop_step__averages_gradients,
        ),
        Mistake(
            "never_fades",
            "This is Adagrad: your sum never fades. Keep the share beta of the old s and give g**2 the weight "
            "1 - beta.",
            _rmsprop_step__never_fades,
        ),
        Mistake(
            "not_an_average",
            "The weights of your average do not add up to 1. The new square has the weight 1 - beta.",
            _rmsprop_step__not_an_average,
        ),
        Mistake(
            "swapped_weights",
            "beta and 1 - beta are swapped. beta is what is kept of the old average.",
            _rmsprop_step__swapped_weights,
        ),
        Mistake(
            "first_undamped",
            "Your average starts at the first square. RMSProp starts at s = 0: also the first square has the weight "
            "1 - beta.",
            _rmsprop_step__first_undamped,
        ),
        Mistake(
            "no_root",
            "The root is missing: divide by sqrt(s) + eps.",
            _rmsprop_step__no_root,
        ),
        Mistake(
            "square_of_the_average",
            "You square 1 - beta too. Square the gradient first: (1 - beta) * g**2.",
            _rmsprop_step__square_of_the_average,
        ),
        Mistake(
            "no_eps",
            "eps is missing: a weight whose gradient was always 0 gets 0 / 0. Divide by sqrt(s) + eps.",
            _rmsprop_step__no_eps,
        ),
        Mistake("eps_inside", _OUTSIDE, _rmsprop_step__eps_inside),
        Mistake("changes_state", _KEPT, _rmsprop_step__changes_state),
    ),
    other_ways=(
        OtherWay("moves_towards_the_square", _rmsprop_step__moves_towards_the_square),
        OtherWay("length_of_a_vector", _rmsprop_step__length_of_a_vector),
    ),
)

EXERCISES = (ADAGRAD_STEP, RMSPROP_STEP)
