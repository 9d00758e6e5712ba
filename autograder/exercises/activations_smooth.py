"""Exercises on tanh (topic `activations`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case, call_case

_FAR = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])


def _tanh_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    values = {
        "a row of numbers": draw(rng, 5),
        "a matrix": draw(rng, 2, 3),
        "a single number": np.array(draw(rng, 1)[0]),
        "float32": draw(rng, 4, dtype="float32"),
    }
    far = _FAR
    if not public:
        values |= {"three axes": draw(rng, 2, 1, 3), "one element": draw(rng, 1), "small": draw(rng, 4, scale=0.05)}
        far = np.append(_FAR, draw(rng, 3, scale=900.0))
    calls = [call_case(name, "tanh_forward", {"x": x}, item=0) for name, x in values.items()]
    return (*calls, call_case("very large and very small", "tanh_forward", {"x": far}, item=0, kind="stability"))


def _tanh_forward__overflow(x):
    with np.errstate(all="ignore"):
        out = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
    return out, (out,)


def _tanh_forward__overflow_above(x):
    with np.errstate(all="ignore"):
        out = (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)
    return out, (out,)


def _tanh_forward__overflow_below(x):
    with np.errstate(all="ignore"):
        out = (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))
    return out, (out,)


def _tanh_forward__sigmoid(x):
    out = 0.5 * (1 + np.tanh(0.5 * x))
    return out, (out,)


def _tanh_forward__half_argument(x):
    out = np.tanh(0.5 * x)
    return out, (out,)


def _tanh_forward__tangent(x):
    out = np.tan(x)
    return out, (out,)


def _tanh_forward__slope(x):
    out = 1 - np.tanh(x) ** 2
    return out, (out,)


def _tanh_forward__no_cache(x):
    return np.tanh(x)


def _tanh_forward__changes_input(x):
    np.tanh(x, out=x)
    return x, (x,)


def _tanh_forward__sigmoid_of_twice(x):
    with np.errstate(over="ignore"):
        out = 2 / (1 + np.exp(-2 * x)) - 1
    return out, (out,)


def _tanh_forward__mirrored(x):
    e = np.exp(-2 * np.abs(x))
    return np.copysign((1 - e) / (1 + e), x), (x,)


def _tanh_forward__number_by_number(x):
    import math

    out = np.array([math.tanh(value) for value in x.ravel()], dtype=x.dtype).reshape(x.shape)
    return out, (out,)


TANH_FORWARD = Exercise(
    id="tanh_forward",
    topic="activations",
    points=1,
    cases=_tanh_forward_cases,
    mistakes=(
        Mistake(
            "overflow",
            "exp overflows at both ends, and infinity divided by infinity is not a number. Use np.tanh, or only take "
            "exp of numbers at or below 0.",
            _tanh_forward__overflow,
        ),
        Mistake(
            "overflow_above",
            "exp(2 * x) overflows for large x, and infinity divided by infinity is not a number. Use np.tanh, or only "
            "take exp of numbers at or below 0.",
            _tanh_forward__overflow_above,
        ),
        Mistake(
            "overflow_below",
            "exp(-2 * x) overflows far below 0, and infinity divided by infinity is not a number. Use np.tanh, or only "
            "take exp of numbers at or below 0.",
            _tanh_forward__overflow_below,
        ),
        Mistake(
            "sigmoid",
            "This is the sigmoid, which runs from 0 to 1. tanh runs from -1 to 1 and is 0 at 0.",
            _tanh_forward__sigmoid,
        ),
        Mistake(
            "half_argument",
            "Your curve is half as steep: this is tanh(x / 2). In 2 * sigmoid(2 * x) - 1 the inner factor 2 counts.",
            _tanh_forward__half_argument,
        ),
        Mistake(
            "tangent",
            "This is the tangent, np.tan. The hyperbolic tangent stays between -1 and 1: np.tanh.",
            _tanh_forward__tangent,
        ),
        Mistake(
            "slope",
            "This is the slope 1 - tanh(x)**2. Return tanh(x) itself; the slope belongs into tanh_backward.",
            _tanh_forward__slope,
        ),
        Mistake(
            "no_cache",
            "You return out alone. Return two things, out and the cache: return out, (out,).",
            _tanh_forward__no_cache,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed. Make a new array: np.tanh(x) without out=x.",
            _tanh_forward__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("sigmoid_of_twice", _tanh_forward__sigmoid_of_twice),
        OtherWay("mirrored", _tanh_forward__mirrored),
        OtherWay("number_by_number", _tanh_forward__number_by_number),
    ),
)

# Case id to the shape of x.
_PASSES = {"a row of numbers": (5,), "a matrix": (3, 4), "batch of one": (1, 3), "float32": (2, 3)}
_SECRET_PASSES = _PASSES | {"one element": (1, 1), "three axes": (2, 1, 3)}


def _tanh_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, shape in (_PASSES if public else _SECRET_PASSES).items():
        dtype = "float32" if name == "float32" else "float64"
        inputs = {"x": draw(rng, *shape, dtype=dtype), "dout": draw(rng, *shape, dtype=dtype)}
        cases.append(forward_then_backward(name, "tanh", inputs))
    at_zero = {"x": draw(rng, 2, 3), "dout": draw(rng, 2, 3)}
    at_zero["x"][0] = 0.0
    again = {"x": draw(rng, 2, 3), "dout": draw(rng, 2, 3)}
    return (
        *cases,
        forward_then_backward("x is 0 in places", "tanh", at_zero),
        forward_then_backward("called twice", "tanh", again, twice=True),
    )


def _tanh_backward__slope_of_activated(dout, cache):
    (out,) = cache
    return dout * (1 - np.tanh(out) ** 2)


def _tanh_backward__slope_of_input(dout, cache):
    # The reference keeps out; a learner who keeps x writes 1 - x**2.
    (out,) = cache
    return dout * (1 - np.arctanh(out) ** 2)


def _tanh_backward__no_square(dout, cache):
    (out,) = cache
    return dout * (1 - out)


def _tanh_backward__sigmoid_slope(dout, cache):
    (out,) = cache
    return dout * out * (1 - out)


def _tanh_backward__plus(dout, cache):
    (out,) = cache
    return dout * (1 + out**2)


def _tanh_backward__slope_only(dout, cache):
    (out,) = cache
    return 1 - out**2


def _tanh_backward__square_of_all(dout, cache):
    (out,) = cache
    return dout * (1 - out) ** 2


def _tanh_backward__changes_dout(dout, cache):
    (out,) = cache
    dout *= 1 - out**2
    return dout


def _tanh_backward__two_factors(dout, cache):
    (out,) = cache
    return dout * (1 - out) * (1 + out)


def _tanh_backward__cosh(dout, cache):
    (out,) = cache
    return dout / np.square(np.cosh(np.arctanh(out)))


def _tanh_backward__diagonal_jacobian(dout, cache):
    (out,) = cache
    flat = out.ravel()
    return (dout.ravel() @ (np.eye(flat.size, dtype=flat.dtype) - np.diag(flat) @ np.diag(flat))).reshape(out.shape)


TANH_BACKWARD = Exercise(
    id="tanh_backward",
    topic="activations",
    points=2,
    cases=_tanh_backward_cases,
    uses=("tanh_forward",),
    mistakes=(
        Mistake(
            "slope_of_activated",
            "You apply tanh twice in the slope. out is already tanh(x): its slope is 1 - out**2.",
            _tanh_backward__slope_of_activated,
        ),
        Mistake(
            "slope_of_input",
            "You write 1 - x**2 with the input. The slope is one minus the square of the output: 1 - out**2.",
            _tanh_backward__slope_of_input,
        ),
        Mistake("no_square", "The square is missing: the slope is 1 - out**2, not 1 - out.", _tanh_backward__no_square),
        Mistake(
            "sigmoid_slope",
            "out * (1 - out) is the slope of the sigmoid. That of tanh is 1 - out**2.",
            _tanh_backward__sigmoid_slope,
        ),
        Mistake(
            "plus",
            "The sign is wrong: 1 + out**2 grows where tanh gets flat. The slope is 1 - out**2.",
            _tanh_backward__plus,
        ),
        Mistake(
            "slope_only",
            "You return the slope but leave dout out. Multiply dout by it: that is the chain rule.",
            _tanh_backward__slope_only,
        ),
        Mistake(
            "square_of_all",
            "You square 1 - out as a whole. Only out is squared: 1 - out**2.",
            _tanh_backward__square_of_all,
        ),
        Mistake(
            "changes_dout",
            "Your values are right the first time, but dout is changed in place. Write dout * ... instead of "
            "dout *= ...",
            _tanh_backward__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("two_factors", _tanh_backward__two_factors),
        OtherWay("cosh", _tanh_backward__cosh),
        OtherWay("diagonal_jacobian", _tanh_backward__diagonal_jacobian),
    ),
)

EXERCISES = (TANH_FORWARD, TANH_BACKWARD)
