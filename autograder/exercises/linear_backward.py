"""Exercise on the backward pass of the dense layer (topic `linear`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step
from course_lib.tree import Handle

_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."
# Case id to (N, D, M).
_PUBLIC = {"four examples": (4, 3, 2), "batch of one": (1, 3, 4), "all sizes equal": (3, 3, 3), "float32": (3, 4, 2)}
_SECRET = {
    "five examples": (5, 3, 4),
    "batch of one": (1, 2, 3),
    "one output": (4, 3, 1),
    "one input": (3, 1, 4),
    "all sizes equal": (3, 3, 3),
    "all sizes one": (1, 1, 1),
    "float32": (2, 5, 3),
}


def _affine_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, name, sizes) for name, sizes in (_PUBLIC if public else _SECRET).items()]
    return (*cases, _one_case(rng, "called twice", (3, 2, 4), twice=True))


def _one_case(rng: np.random.Generator, name: str, sizes: tuple[int, int, int], *, twice: bool = False) -> Case:
    n, d, m = sizes
    dtype = "float32" if name == "float32" else "float64"
    cache = tuple(draw(rng, *shape, dtype=dtype) for shape in ((n, d), (m, d), (m,)))
    inputs = {"dout": draw(rng, n, m, dtype=dtype), "cache": cache}
    call = Step("call", "result", "affine_backward", (Handle("dout"), Handle("cache")))
    steps = [call, Step("read", "result", "", (Handle("result"),))]
    if twice:
        steps += [call, Step("read", "result of the second call", "", (Handle("result"),), kind="convention")]
    steps += [Step("read", f"{key} afterwards", "", (Handle(key),), kind="convention") for key in inputs]
    return Case(name, inputs, tuple(steps), _TWICE if twice else "")


def _affine_backward__turned_weights(dout, cache):
    x, w, b = cache
    return dout @ w, x.T @ dout, dout.sum(axis=0)


def _affine_backward__turned_inputs(dout, cache):
    x, w, b = cache
    return dout @ w.T, dout.T @ x, dout.sum(axis=0)


def _affine_backward__bias_not_summed(dout, cache):
    x, w, b = cache
    return dout @ w, dout.T @ x, dout


def _affine_backward__bias_keeps_its_axis(dout, cache):
    x, w, b = cache
    return dout @ w, dout.T @ x, dout.sum(axis=0, keepdims=True)


def _affine_backward__bias_summed_to_one(dout, cache):
    x, w, b = cache
    return dout @ w, dout.T @ x, dout.sum()


def _affine_backward__mean_over_batch(dout, cache):
    x, w, b = cache
    return dout @ w, dout.T @ x / len(x), dout.mean(axis=0)


def _affine_backward__mean_of_bias(dout, cache):
    x, w, b = cache
    return dout @ w, dout.T @ x, dout.mean(axis=0)


def _affine_backward__weights_first(dout, cache):
    x, w, b = cache
    return dout.T @ x, dout.sum(axis=0), dout @ w


def _affine_backward__too_late(dout, cache):
    x, w, b = cache
    dout = dout @ w
    return dout, dout.T @ x, dout.sum(axis=0)


def _affine_backward__example_by_example(dout, cache):
    x, w, b = cache
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for n in range(len(x)):
        dx[n] = w.T @ dout[n]
        dw += np.outer(dout[n], x[n])
        db += dout[n]
    return dx, dw, db


def _affine_backward__einsum(dout, cache):
    x, w, b = cache
    return np.einsum("nm,md->nd", dout, w), np.einsum("nm,nd->md", dout, x), np.einsum("nm->m", dout)


def _affine_backward__bias_as_weight(dout, cache):
    x, w, b = cache
    wide = np.hstack([x, np.ones((len(x), 1), dtype=x.dtype)])
    both = dout.T @ wide
    return (w.T @ dout.T).T, both[:, :-1], both[:, -1]


AFFINE_BACKWARD = Exercise(
    id="affine_backward",
    topic="linear",
    points=2,
    cases=_affine_backward_cases,
    mistakes=(
        Mistake(
            "turned_weights",
            "dw is turned. It has the shape of w, one row per output: use dout.T @ x.",
            _affine_backward__turned_weights,
        ),
        Mistake(
            "turned_inputs",
            "You multiply by w.T on the way back. Forward is x @ w.T, so backward is dout @ w.",
            _affine_backward__turned_inputs,
        ),
        Mistake(
            "bias_not_summed",
            "db still has one row per example. All examples share the bias: sum dout over the batch, axis 0.",
            _affine_backward__bias_not_summed,
        ),
        Mistake(
            "bias_keeps_its_axis",
            "The numbers of db are right, but it has an axis too many. b has shape (M,): sum without keepdims.",
            _affine_backward__bias_keeps_its_axis,
        ),
        Mistake(
            "bias_summed_to_one",
            "You add up all of dout. Each output has its own bias: sum over the examples only, with axis=0.",
            _affine_backward__bias_summed_to_one,
        ),
        Mistake(
            "mean_over_batch",
            "You divide dw and db by the batch size. The mean is in the loss, and so in dout already: only sum here.",
            _affine_backward__mean_over_batch,
        ),
        Mistake(
            "mean_of_bias",
            "You average dout for db. The mean is in the loss, and so in dout already: sum over the batch.",
            _affine_backward__mean_of_bias,
        ),
        Mistake(
            "weights_first",
            "The order of what you return is wrong. Return dx, dw, db, in the order of the arguments x, w, b.",
            _affine_backward__weights_first,
        ),
        Mistake(
            "too_late",
            "You replace dout before dw and db are computed from it. Give dx a name of its own.",
            _affine_backward__too_late,
        ),
    ),
    other_ways=(
        OtherWay("example_by_example", _affine_backward__example_by_example),
        OtherWay("einsum", _affine_backward__einsum),
        OtherWay("bias_as_weight", _affine_backward__bias_as_weight),
    ),
)

EXERCISES = (AFFINE_BACKWARD,)
