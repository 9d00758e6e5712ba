"""Exercises on the rectifier (topic `activations`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_both_signs, draw_number, draw_with_zeros
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case, call_case

_AT_ZERO = "Where x is exactly 0 this course takes the slope 0, as Torch does: compare with > 0, not with >= 0."


def _relu_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    values = {
        "a row of numbers": draw_both_signs(rng, 5),
        "a matrix": draw_both_signs(rng, 2, 3, scale=2.0),
        "with zeros": draw_with_zeros(rng, 3, 4),
        "a single number": np.array(-draw_number(rng, 0.5, 2.0)),
        "float32": draw_both_signs(rng, 4, dtype="float32"),
    }
    if not public:
        values |= {
            "no number above 0": -np.abs(draw(rng, 2, 2)),
            "one element": np.abs(draw(rng, 1, 1)),
            "three axes": draw_both_signs(rng, 2, 1, 3),
            "large numbers": draw_both_signs(rng, 4, scale=1e6),
        }
    return tuple(call_case(name, "relu_forward", {"x": x}, item=0) for name, x in values.items())


def _relu_forward__absolute(x):
    out = np.abs(x)
    return out, (out,)


def _relu_forward__wrong_side(x):
    out = np.minimum(x, 0)
    return out, (out,)


def _relu_forward__one_maximum(x):
    out = np.max(x, 0)
    return out, (out,)


def _relu_forward__step(x):
    out = (x > 0).astype(x.dtype)
    return out, (out,)


def _relu_forward__drops_entries(x):
    out = x[x > 0]
    return out, (out,)


def _relu_forward__capped(x):
    out = np.clip(x, 0, 1)
    return out, (out,)


def _relu_forward__no_cache(x):
    return np.maximum(x, 0)


def _relu_forward__changes_input(x):
    x[x < 0] = 0
    return x, (x,)


def _relu_forward__mask(x):
    mask = x > 0
    return x * mask, (mask.astype(x.dtype),)


def _relu_forward__mean_of_two(x):
    return (x + np.abs(x)) / 2, (x,)


def _relu_forward__number_by_number(x):
    out = x.copy().reshape(-1)
    for i in range(out.size):
        if out[i] < 0:
            out[i] = 0
    out = out.reshape(x.shape)
    return out, (out,)


RELU_FORWARD = Exercise(
    id="relu_forward",
    topic="activations",
    points=1,
    cases=_relu_forward_cases,
    mistakes=(
        Mistake(
            "absolute",
            "You take the absolute value, which folds negative numbers up. ReLU makes them 0: np.maximum(x, 0).",
            _relu_forward__absolute,
        ),
        Mistake(
            "wrong_side",
            "You keep the negative side. ReLU keeps the positive one: the larger of x and 0, not the smaller.",
            _relu_forward__wrong_side,
        ),
        Mistake(
            "one_maximum",
            "np.max(x, 0) looks for the largest number along axis 0. Compare each number with 0: np.maximum(x, 0).",
            _relu_forward__one_maximum,
        ),
        Mistake(
            "step",
            "You return 1 where x is above 0: that is the slope of ReLU. Return x itself there.",
            _relu_forward__step,
        ),
        Mistake(
            "drops_entries",
            "x[x > 0] drops the negative entries, so the shape is lost. Keep them, as zeros: np.maximum(x, 0).",
            _relu_forward__drops_entries,
        ),
        Mistake(
            "capped",
            "You also cut at 1. ReLU has no upper end: above 0 it returns x as it is.",
            _relu_forward__capped,
        ),
        Mistake(
            "no_cache",
            "You return out alone. Return two things, out and the cache: return out, (out,).",
            _relu_forward__no_cache,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed. Make a new array, np.maximum(x, 0), instead of "
            "writing into x.",
            _relu_forward__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("mask", _relu_forward__mask),
        OtherWay("mean_of_two", _relu_forward__mean_of_two),
        OtherWay("number_by_number", _relu_forward__number_by_number),
    ),
)

# Case id to the shape of x.
_PASSES = {"a row of numbers": (6,), "a matrix": (3, 4), "batch of one": (1, 4), "float32": (2, 3)}
_SECRET_PASSES = _PASSES | {"one element": (1, 1), "three axes": (2, 1, 3), "no number above 0": (2, 2)}


def _relu_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, shape in (_PASSES if public else _SECRET_PASSES).items():
        dtype = "float32" if name == "float32" else "float64"
        x = draw_both_signs(rng, *shape, dtype=dtype)
        if name == "no number above 0":
            x = -np.abs(x)
        cases.append(forward_then_backward(name, "relu", {"x": x, "dout": draw(rng, *shape, dtype=dtype)}))
    zeros = {"x": draw_with_zeros(rng, 3, 3), "dout": draw(rng, 3, 3)}
    again = {"x": draw_both_signs(rng, 2, 3), "dout": draw(rng, 2, 3)}
    return (
        *cases,
        forward_then_backward("x is 0 in places", "relu", zeros, kind="convention", says=_AT_ZERO),
        forward_then_backward("called twice", "relu", again, twice=True),
    )


def _relu_backward__no_mask(dout, cache):
    return dout.copy()


def _relu_backward__mask_of_dout(dout, cache):
    return dout * (dout > 0)


def _relu_backward__mask_only(dout, cache):
    (out,) = cache
    return (out > 0).astype(out.dtype)


def _relu_backward__times_out(dout, cache):
    (out,) = cache
    return dout * out


def _relu_backward__wrong_side(dout, cache):
    (out,) = cache
    return dout * (out <= 0)


def _relu_backward__drops_entries(dout, cache):
    (out,) = cache
    return dout[out > 0]


def _relu_backward__both_masks(dout, cache):
    (out,) = cache
    return np.maximum(dout * (out > 0), 0)


def _relu_backward__changes_dout(dout, cache):
    (out,) = cache
    dout[out <= 0] = 0
    return dout


def _relu_backward__where(dout, cache):
    (out,) = cache
    return np.where(out > 0, dout, 0)


def _relu_backward__sign(dout, cache):
    (out,) = cache
    return np.sign(out) * dout


def _relu_backward__number_by_number(dout, cache):
    (out,) = cache
    dx = np.zeros_like(dout)
    for place in np.ndindex(out.shape):
        if out[place] > 0:
            dx[place] = dout[place]
    return dx


RELU_BACKWARD = Exercise(
    id="relu_backward",
    topic="activations",
    points=2,
    cases=_relu_backward_cases,
    uses=("relu_forward",),
    mistakes=(
        Mistake(
            "no_mask",
            "dout goes through everywhere. Where ReLU answered 0 nothing goes through: multiply by (out > 0). "
            "With >= 0 the mask would be true everywhere, because out is never below 0.",
            _relu_backward__no_mask,
        ),
        Mistake(
            "mask_of_dout",
            "You mask by the sign of dout. What counts is where the input was above 0, and that is in the cache.",
            _relu_backward__mask_of_dout,
        ),
        Mistake(
            "mask_only",
            "You return the slope, 0 or 1, but leave dout out. Multiply dout by it: that is the chain rule.",
            _relu_backward__mask_only,
        ),
        Mistake(
            "times_out",
            "You multiply dout by the output itself. The slope of ReLU is 1 where out > 0, whatever its size.",
            _relu_backward__times_out,
        ),
        Mistake(
            "wrong_side",
            "Your mask is upside down: dout goes through where ReLU answered 0. Let it through where out > 0.",
            _relu_backward__wrong_side,
        ),
        Mistake(
            "drops_entries",
            "dout[out > 0] drops entries, so the shape is lost. The gradient has the shape of x: put zeros "
            "there instead.",
            _relu_backward__drops_entries,
        ),
        Mistake(
            "both_masks",
            "You also remove negative gradients. Only the input decides: where it was above 0, dout goes through with "
            "its sign.",
            _relu_backward__both_masks,
        ),
        Mistake(
            "changes_dout",
            "Your values are right, but dout is changed in place. Write dout * (out > 0), which makes a new array.",
            _relu_backward__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("where", _relu_backward__where),
        OtherWay("sign", _relu_backward__sign),
        OtherWay("number_by_number", _relu_backward__number_by_number),
    ),
)

EXERCISES = (RELU_FORWARD, RELU_BACKWARD)
