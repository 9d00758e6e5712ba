"""Exercises on activation functions."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

_FAR = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])


def _sigmoid_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    values = {
        "a row of numbers": draw(rng, 5),
        "a matrix": draw(rng, 2, 3),
        "a single number": np.array(draw(rng, 1, scale=2.0)[0]),
        "float32": draw(rng, 4, dtype="float32"),
    }
    far = {"very large and very small": _FAR}
    if not public:
        far = {
            "very large and very small": np.append(_FAR, draw(rng, 3, scale=900.0)),
            "far out in float32": np.array([-200.0, 150.0, 0.25], dtype="float32") + draw(rng, 3, dtype="float32"),
        }
        # Between 15 and 30 a clipped input already shows in float64.
        steep = np.round(rng.uniform(15.0, 30.0, 6), 2) * np.array([1, -1, 1, -1, 1, -1])
        values |= {"three axes": draw(rng, 2, 1, 3), "one element": draw(rng, 1), "steep": steep}
    calls = [call_case(name, "sigmoid", {"x": x}) for name, x in values.items()]
    return (*calls, *(call_case(name, "sigmoid", {"x": x}, kind="stability") for name, x in far.items()))


def _sigmoid__wrong_sign(x):
    with np.errstate(all="ignore"):
        return 1 / (1 + np.exp(x))


def _sigmoid__overflow(x):
    with np.errstate(all="ignore"):
        return np.exp(x) / (1 + np.exp(x))


def _sigmoid__tanh(x):
    return np.tanh(x)


def _sigmoid__slope(x):
    s = 0.5 * (1 + np.tanh(0.5 * x))
    return s * (1 - s)


def _sigmoid__clipped(x):
    return 1 / (1 + np.exp(-np.clip(x, -10, 10)))


def _sigmoid__changes_input(x):
    x *= -1
    np.clip(x, -80, 80, out=x)
    return 1 / (1 + np.exp(x))


def _sigmoid__half_angle(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _sigmoid__two_branches(x):
    out = np.empty_like(x)
    out[x >= 0] = 1 / (1 + np.exp(-x[x >= 0]))
    out[x < 0] = np.exp(x[x < 0]) / (1 + np.exp(x[x < 0]))
    return out


def _sigmoid__logaddexp(x):
    return np.exp(-np.logaddexp(0, -x))


def _sigmoid__number_by_number(x):
    import math

    out = np.empty(x.size, dtype=x.dtype)
    for i, value in enumerate(x.ravel()):
        e = math.exp(-abs(value))
        out[i] = 1 / (1 + e) if value >= 0 else e / (1 + e)
    return out.reshape(x.shape)


SIGMOID = Exercise(
    id="sigmoid",
    topic="activations",
    points=2,
    cases=_sigmoid_cases,
    mistakes=(
        Mistake(
            "wrong_sign",
            "Your curve falls where it should rise: the exponent has the wrong sign. Use exp(-x) in 1 / (1 + exp(-x)).",
            _sigmoid__wrong_sign,
        ),
        Mistake(
            "overflow",
            "exp(x) overflows for large x, and infinity divided by infinity is not a number. Only take exp of numbers "
            "at or below zero: exp(x) where x < 0, exp(-x) elsewhere.",
            _sigmoid__overflow,
        ),
        Mistake(
            "tanh",
            "This is tanh, which runs from -1 to 1. The sigmoid runs from 0 to 1: 1 / (1 + exp(-x)).",
            _sigmoid__tanh,
        ),
        Mistake(
            "slope",
            "This is the slope s * (1 - s) of the sigmoid. Return s itself; the slope comes later.",
            _sigmoid__slope,
        ),
        Mistake(
            "clipped",
            "You cut x off before taking exp, and too early: the numbers beyond the cut are all the same. Choose the "
            "form of the formula by the sign of x instead of clipping.",
            _sigmoid__clipped,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed on the way. Work on a new array: avoid x *= -1 and out=x.",
            _sigmoid__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("half_angle", _sigmoid__half_angle),
        OtherWay("two_branches", _sigmoid__two_branches),
        OtherWay("logaddexp", _sigmoid__logaddexp),
        OtherWay("number_by_number", _sigmoid__number_by_number),
    ),
)

EXERCISES = (SIGMOID,)
