"""Exercises on the dense layer."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to (N, D, M).
# Sizes that are all equal let a wrong product run to its end: then a mistake shows in values.
_PUBLIC = {
    "four examples": (4, 3, 2),
    "batch of one": (1, 3, 4),
    "one output": (5, 2, 1),
    "all sizes equal": (3, 3, 3),
    "float32": (3, 4, 2),
}
_SECRET = {
    "five examples": (5, 3, 4),
    "batch of one": (1, 4, 3),
    "one output": (4, 3, 1),
    "one input": (3, 1, 4),
    "all sizes equal": (3, 3, 3),
    "large numbers": (6, 2, 5),
    "float32": (2, 5, 3),
}


def _affine_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, d, m) in (_PUBLIC if public else _SECRET).items():
        dtype = "float32" if name == "float32" else "float64"
        scale = 1000.0 if name == "large numbers" else 1.0
        inputs = {
            "x": draw(rng, n, d, scale=scale, dtype=dtype),
            "w": draw(rng, m, d, dtype=dtype),
            "b": draw(rng, m, dtype=dtype),
        }
        cases.append(call_case(name, "affine_forward", inputs, item=0))
    return tuple(cases)


def _affine_forward__no_transpose(x, w, b):
    return x @ w + b, (x, w, b)


def _affine_forward__no_bias(x, w, b):
    return x @ w.T, (x, w, b)


def _affine_forward__bias_per_example(x, w, b):
    return x @ w.T + b[:, None], (x, w, b)


def _affine_forward__turned(x, w, b):
    return w @ x.T + b[:, None], (x, w, b)


def _affine_forward__no_cache(x, w, b):
    return x @ w.T + b


def _affine_forward__loops(x, w, b):
    out = np.zeros((x.shape[0], w.shape[0]), dtype=x.dtype)
    for n in range(x.shape[0]):
        for m in range(w.shape[0]):
            out[n, m] = b[m]
            for d in range(x.shape[1]):
                out[n, m] += x[n, d] * w[m, d]
    return out, (x, w, b)


def _affine_forward__einsum(x, w, b):
    return np.einsum("nd,md->nm", x, w) + b, None


def _affine_forward__bias_as_weight(x, w, b):
    ones = np.ones((len(x), 1), dtype=x.dtype)
    wide, weights = np.hstack([x, ones]), np.hstack([w, b[:, None]])
    return wide @ weights.T, (wide, weights)


AFFINE_FORWARD = Exercise(
    id="affine_forward",
    topic="linear",
    points=2,
    cases=_affine_forward_cases,
    mistakes=(
        Mistake(
            "no_transpose",
            "You multiply by w as it is stored. w has one row per output, (M, D): multiply by w.T.",
            _affine_forward__no_transpose,
        ),
        Mistake("no_bias", "The bias b is missing. Add it to every row: x @ w.T + b.", _affine_forward__no_bias),
        Mistake(
            "bias_per_example",
            "You add one bias to each row of the batch. b has one number per output: add it along the columns, as in "
            "x @ w.T + b without reshaping b.",
            _affine_forward__bias_per_example,
        ),
        Mistake(
            "turned",
            "Your result is turned: it has one row per output. The batch comes first, so out is (N, M). Use x @ w.T.",
            _affine_forward__turned,
        ),
        Mistake(
            "no_cache",
            "You return out alone. Return two things, out and a cache: return out, (x, w, b).",
            _affine_forward__no_cache,
        ),
    ),
    other_ways=(
        OtherWay("loops", _affine_forward__loops),
        OtherWay("einsum", _affine_forward__einsum),
        OtherWay("bias_as_weight", _affine_forward__bias_as_weight),
    ),
)

EXERCISES = (AFFINE_FORWARD,)
