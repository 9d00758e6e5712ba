"""The exercise on the leaky rectifier (topic `activations`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw_both_signs, draw_number, draw_with_zeros
from course_lib.cases import Case, call_case

_ANY_SLOPE = (
    "The slope may be any number, also above 1. Then max(x, slope * x) picks the wrong side: go by the sign of x."
)


def _leaky_relu_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    slope = draw_number(rng, 0.1, 0.4)
    inputs = {
        "slope not given": {"x": draw_both_signs(rng, 2, 3, scale=10.0)},
        "another slope": {"x": draw_both_signs(rng, 5), "slope": slope},
        "with zeros": {"x": draw_with_zeros(rng, 2, 4), "slope": slope},
        "a single number": {"x": np.array(-draw_number(rng, 0.5, 2.0)), "slope": slope},
        "float32": {"x": draw_both_signs(rng, 3, 2, dtype="float32"), "slope": slope},
    }
    if not public:
        inputs |= {
            "slope 0": {"x": draw_both_signs(rng, 4), "slope": 0.0},
            "slope 1": {"x": draw_both_signs(rng, 4), "slope": 1.0},
            "three axes": {"x": draw_both_signs(rng, 2, 1, 3), "slope": draw_number(rng, 0.5, 0.9)},
            "large numbers": {"x": draw_both_signs(rng, 4, scale=1e6), "slope": slope},
        }
    steep = {"x": draw_both_signs(rng, 6), "slope": draw_number(rng, 1.5, 3.0)}
    calls = [call_case(name, "leaky_relu", values) for name, values in inputs.items()]
    return (*calls, call_case("slope above 1", "leaky_relu", steep, kind="convention", says=_ANY_SLOPE))


def _leaky_relu__wrong_side(x, slope=0.01):
    return np.where(x > 0, slope * x, x)


def _leaky_relu__fixed_slope(x, slope=0.01):
    return np.where(x > 0, x, 0.01 * x)


def _leaky_relu__no_leak(x, slope=0.01):
    return np.maximum(x, 0)


def _leaky_relu__slope_as_value(x, slope=0.01):
    return np.where(x > 0, x, np.full_like(x, slope))


def _leaky_relu__both_sides(x, slope=0.01):
    return np.maximum(x, 0) + slope * x


def _leaky_relu__turned_up(x, slope=0.01):
    return np.maximum(x, 0) + slope * np.abs(np.minimum(x, 0))


def _leaky_relu__larger_of_both(x, slope=0.01):
    return np.maximum(x, slope * x)


def _leaky_relu__changes_input(x, slope=0.01):
    x[x < 0] *= slope
    return x


def _leaky_relu__choose(x, slope=0.01):
    return np.where(x > 0, x, slope * x)


def _leaky_relu__line_and_fold(x, slope=0.01):
    return 0.5 * (1 + slope) * x + 0.5 * (1 - slope) * np.abs(x)


def _leaky_relu__slopes(x, slope=0.01):
    slopes = np.ones_like(x)
    slopes[x < 0] = slope
    return slopes * x


LEAKY_RELU = Exercise(
    id="leaky_relu",
    topic="activations",
    points=1,
    cases=_leaky_relu_cases,
    mistakes=(
        Mistake(
            "wrong_side",
            "The slope is on the wrong side. Numbers above 0 stay as they are; those below are multiplied by slope.",
            _leaky_relu__wrong_side,
        ),
        Mistake(
            "fixed_slope",
            "You always use 0.01. That is only the default: use the argument slope.",
            _leaky_relu__fixed_slope,
        ),
        Mistake(
            "no_leak",
            "This is plain ReLU. Below 0 it has to leak: return slope * x there instead of 0.",
            _leaky_relu__no_leak,
        ),
        Mistake(
            "slope_as_value",
            "Below 0 you return slope itself. It is a slope, so multiply: slope * x.",
            _leaky_relu__slope_as_value,
        ),
        Mistake(
            "both_sides",
            "You add slope * x on both sides. Above 0 the answer is x alone: take slope * np.minimum(x, 0).",
            _leaky_relu__both_sides,
        ),
        Mistake(
            "turned_up",
            "Below 0 your answers are positive. A negative number stays negative, only smaller: slope * x.",
            _leaky_relu__turned_up,
        ),
        Mistake(
            "larger_of_both",
            "max(x, slope * x) is right only for slopes up to 1; above 1 it picks the wrong side. Go by the sign of x: "
            "np.where(x > 0, x, slope * x).",
            _leaky_relu__larger_of_both,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed. Make a new array: np.where(x > 0, x, slope * x).",
            _leaky_relu__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("choose", _leaky_relu__choose),
        OtherWay("line_and_fold", _leaky_relu__line_and_fold),
        OtherWay("slopes", _leaky_relu__slopes),
    ),
)

EXERCISES = (LEAKY_RELU,)
