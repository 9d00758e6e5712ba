"""The backward pass of dropout (topic `dropout`), with the mask of the very forward pass it belongs to."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._dropout_cases import away_from_zero, draw_p, dtype_of, generator
from course_lib.cases import Case, Step
from course_lib.properties.dropout import GRADIENTS, dropout_gradient_words
from course_lib.tree import Handle

_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."
# Case id to (shape, lowest p, highest p).
_PUBLIC = {
    "a matrix": ((20, 30), 0.35, 0.42),
    "another forward pass in between": ((20, 30), 0.35, 0.42),
    "nothing is dropped": ((3, 4), 0.0, 0.0),
    "float32": ((30, 20), 0.35, 0.42),
    "called twice": ((20, 25), 0.6, 0.75),
}
_SECRET = _PUBLIC | {
    "three axes": ((10, 5, 8), 0.6, 0.75),
    "a vector": ((400,), 0.35, 0.42),
    "nearly all dropped": ((25, 40), 0.95, 0.95),
}


def _dropout_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_training(rng, name, *row) for name, row in (_PUBLIC if public else _SECRET).items()]
    return (*cases, _evaluation(rng, "evaluation", (3, 4)), _evaluation(rng, "evaluation of float32", (2, 3)))


def _training(rng: np.random.Generator, case_id: str, shape: tuple[int, ...], low: float, high: float) -> Case:
    dtype = dtype_of(case_id)
    inputs = {
        "x": away_from_zero(rng, *shape, dtype=dtype),
        "p": draw_p(rng, low, high),
        "train": True,
        "rng": (generator(rng),),
        "dout": away_from_zero(rng, *shape, dtype=dtype),
    }
    forward = [_forward("forward", Handle("rng", 0)), Step("read", "out", "", (Handle("forward", 0),))]
    if case_id == "another forward pass in between":
        forward.append(_forward("another", Handle("rng", 0)))
    return Case(case_id, inputs, (*forward, *_backward(twice=case_id == "called twice")), _TWICE)


def _evaluation(rng: np.random.Generator, case_id: str, shape: tuple[int, ...]) -> Case:
    dtype = dtype_of(case_id)
    inputs = {"x": draw(rng, *shape, dtype=dtype), "p": draw_p(rng, 0.6, 0.75), "train": False}
    inputs["dout"] = draw(rng, *shape, dtype=dtype)
    return Case(case_id, inputs, (_forward("forward"), *_backward(twice=False)))


def _forward(name: str, *source: Handle) -> Step:
    return Step("call", name, "dropout_forward", (Handle("x"), Handle("p"), Handle("train"), *source))


def _backward(*, twice: bool) -> list[Step]:
    once, again = GRADIENTS
    call = Step("call", "result", "dropout_backward", (Handle("dout"), Handle("forward", 1)))
    steps = [call, Step("read", once, "", (Handle("result"),))]
    if twice:
        steps += [call, Step("read", again, "", (Handle("result"),), kind="convention")]
    return [
        *steps,
        *(Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in ("x", "dout")),
    ]


def _dropout_backward__new_mask(dout, cache):
    (factor,) = cache
    share = (factor > 0).mean()
    return dout * factor.max() * (np.random.default_rng().random(dout.shape) < share)


def _dropout_backward__no_mask(dout, cache):
    return dout.copy()


def _dropout_backward__no_scale(dout, cache):
    (factor,) = cache
    return dout * (factor > 0)


def _dropout_backward__no_zeros(dout, cache):
    (factor,) = cache
    return dout * factor.max()


def _dropout_backward__scaled_twice(dout, cache):
    (factor,) = cache
    return dout * factor * factor


def _dropout_backward__scale_undone(dout, cache):
    (factor,) = cache
    with np.errstate(all="ignore"):
        return np.where(factor > 0, dout / factor, 0)


def _dropout_backward__wrong_half(dout, cache):
    (factor,) = cache
    return np.where(factor > 0, 0, dout)


def _dropout_backward__no_dout(dout, cache):
    (factor,) = cache
    return factor.copy()


def _dropout_backward__shortened(dout, cache):
    (factor,) = cache
    return dout[factor > 0] * factor.max()


def _dropout_backward__changes_dout(dout, cache):
    (factor,) = cache
    dout *= factor
    return dout


def _dropout_backward__entry_by_entry(dout, cache):
    (factor,) = cache
    flat = [upstream * own for upstream, own in zip(dout.flat, factor.flat, strict=True)]
    return np.array(flat, dtype=dout.dtype).reshape(dout.shape)


def _dropout_backward__jacobian(dout, cache):
    # The Jacobian is diagonal: einsum picks the diagonal without building the matrix.
    (factor,) = cache
    return np.einsum("i,i->i", dout.ravel(), factor.ravel()).reshape(dout.shape)


def _dropout_backward__kept_places(dout, cache):
    (factor,) = cache
    places, dx = np.nonzero(factor), np.zeros_like(dout)
    dx[places] = dout[places] * factor[places]
    return dx


DROPOUT_BACKWARD = Exercise(
    id="dropout_backward",
    topic="dropout",
    points=2,
    cases=_dropout_backward_cases,
    uses=("dropout_forward",),
    prepare=dropout_gradient_words,
    mistakes=(
        Mistake(
            "new_mask",
            "The gradient is zero in other places than out. Do not draw again: the forward pass put its factors into "
            "the cache.",
            _dropout_backward__new_mask,
        ),
        Mistake(
            "no_mask",
            "You pass dout on as it is. An entry that was dropped had no influence, so its gradient is 0; the others "
            "were scaled. Multiply by the factor in the cache.",
            _dropout_backward__no_mask,
        ),
        Mistake(
            "no_scale",
            "The zeros are right, the scale is missing. Either you do not multiply by the factor in the cache, or your "
            "dropout_forward keeps the mask there in place of the factor, which is the mask divided by 1 - p.",
            _dropout_backward__no_scale,
        ),
        Mistake(
            "no_zeros",
            "The scale is right, the zeros are missing: an entry that was dropped has the gradient 0. Multiply by the "
            "whole factor in the cache.",
            _dropout_backward__no_zeros,
        ),
        Mistake(
            "scaled_twice",
            "You multiply by the factor twice. The forward pass is x times the factor, so its derivative is the factor "
            "once.",
            _dropout_backward__scaled_twice,
        ),
        Mistake(
            "scale_undone",
            "You divide by the factor. A backward pass does not undo the forward pass: it multiplies by the same "
            "factor.",
            _dropout_backward__scale_undone,
        ),
        Mistake(
            "wrong_half",
            "You pass the gradient on where entries were dropped, and nowhere else. It is the other way round: "
            "multiply by the factor in the cache.",
            _dropout_backward__wrong_half,
        ),
        Mistake(
            "no_dout",
            "You return the factor itself. Multiply the upstream gradient dout by it.",
            _dropout_backward__no_dout,
        ),
        Mistake(
            "shortened",
            "You cut the dropped entries out. dx has the shape of dout, with 0 where an entry was dropped: multiply by "
            "the factor.",
            _dropout_backward__shortened,
        ),
        Mistake(
            "changes_dout",
            "Your values are right the first time, but dout is changed in place. Write dout * factor instead of "
            "dout *= factor.",
            _dropout_backward__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("entry_by_entry", _dropout_backward__entry_by_entry),
        OtherWay("jacobian", _dropout_backward__jacobian),
        OtherWay("kept_places", _dropout_backward__kept_places),
    ),
)

EXERCISES = (DROPOUT_BACKWARD,)
