"""Exercise on clipping gradients (topic `optimisers`), the lesson's bug hunt."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle

_SMALL_TERM = "The factor is max_norm / (norm + 1e-6), as in Torch; where the norm is small, the 1e-6 shows."
_ZERO = "Gradients that are all zero must stay zero: dividing by norm + 1e-6 instead of norm avoids 0 / 0."
_KEPT = "The gradients that came in are changed. Return new arrays, g * factor, instead of g *= factor."
_BIAS_SHAPES = ((3, 2), (3,))
_DEEP_SHAPES = ((2, 3), (2,), (1, 2), (1,))
# The 1e-6 of the factor is far below the tolerance for gradients of this size.
_EXPLODED = 1e5


def _clip_grad_norm_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def case(name: str, shapes: tuple, share: float, scale: float = _EXPLODED, **options: str) -> Case:
        dtype = options.pop("dtype", "float64")
        grads = [draw(rng, *shape, scale=scale, dtype=dtype) for shape in shapes]
        norm = float(np.sqrt(sum((g.astype(float) ** 2).sum() for g in grads)))
        return _one_call(name, grads, norm * share, **options)

    less, more = draw_number(rng, 0.2, 0.45), draw_number(rng, 1.5, 3.0)
    cases = (
        case("too long, weights and biases", _BIAS_SHAPES, less),
        case("too long, one array", ((4,),), less),
        case("short enough", _BIAS_SHAPES, more),
        # Each array alone is short enough.
        _one_call("too long only together", _equally_long(rng), 1.4 * _EXPLODED),
        case("a small norm", ((2,), (3,)), less, scale=0.5, kind="convention", says=_SMALL_TERM),
        case("float32", _BIAS_SHAPES, less, scale=2.0, dtype="float32"),
    )
    if public:
        return cases
    zeros = [np.zeros((2, 2)), np.zeros(2)]
    return (
        *cases,
        case("two layers", _DEEP_SHAPES, less),
        case("two layers, short enough", _DEEP_SHAPES, more),
        case("one number", ((1,),), less),
        _one_call("all zero", zeros, draw_number(rng, 0.5, 2.0), kind="stability", says=_ZERO),
    )


def _equally_long(rng: np.random.Generator) -> list[np.ndarray]:
    """Three gradients of length about 1e5 each, so of 1.7e5 together."""
    grads = [draw(rng, *shape) for shape in ((2, 2), (3,), (1, 4))]
    return [np.round(g * _EXPLODED / np.linalg.norm(g)) for g in grads]


def _one_call(name: str, grads: list[np.ndarray], max_norm: float, kind: Kind = "core", says: str = "") -> Case:
    call = Step("call", "result", "clip_grad_norm", (Handle("grads"), Handle("max_norm")))
    reads = (
        Step("read", "clipped gradients", "", (Handle("result", 0),), kind=kind),
        Step("read", "norm before", "", (Handle("result", 1),)),
        Step("read", "grads afterwards", "", (Handle("grads"),), kind="convention"),
    )
    return Case(name, {"grads": grads, "max_norm": float(f"{max_norm:.3g}")}, (call, *reads), says)


def _clip_grad_norm__both_bugs_untouched(grads, max_norm):
    clipped, total = [], 0.0
    for g in grads:
        norm = np.sqrt((g * g).sum())
        clipped.append(g * (max_norm / (norm + 1e-6)))
        total = total + norm * norm
    return tuple(clipped), np.sqrt(total)


def _clip_grad_norm__each_array_alone(grads, max_norm):
    norms = [np.sqrt((g * g).sum()) for g in grads]
    clipped = [g * np.minimum(1, max_norm / (norm + 1e-6)) for g, norm in zip(grads, norms, strict=True)]
    return tuple(clipped), np.sqrt(sum(norm * norm for norm in norms))


def _clip_grad_norm__always_scaled(grads, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    return tuple(g * (max_norm / (norm + 1e-6)) for g in grads), norm


def _clip_grad_norm__by_value(grads, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    return tuple(np.clip(g, -max_norm, max_norm) for g in grads), norm


def _clip_grad_norm__norms_added(grads, max_norm):
    norm = sum(np.sqrt((g * g).sum()) for g in grads)
    return tuple(g * np.minimum(1, max_norm / (norm + 1e-6)) for g in grads), norm


def _clip_grad_norm__no_root(grads, max_norm):
    norm = sum((g * g).sum() for g in grads)
    return tuple(g * np.minimum(1, max_norm / (norm + 1e-6)) for g in grads), norm


def _clip_grad_norm__norm_afterwards(grads, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    clipped = tuple(g * np.minimum(1, max_norm / (norm + 1e-6)) for g in grads)
    return clipped, np.sqrt(sum((g * g).sum() for g in clipped))


def _clip_grad_norm__only_longer(grads, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    return tuple(g * np.maximum(1, max_norm / (norm + 1e-6)) for g in grads), norm


def _clip_grad_norm__no_small_term(grads, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    factor = max_norm / norm if norm > max_norm else 1
    return tuple(g * factor for g in grads), norm


def _clip_grad_norm__changes_gradients(grads, max_norm):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    for g in grads:
        g *= np.minimum(1, max_norm / (norm + 1e-6))
    return tuple(grads), norm


def _clip_grad_norm__one_long_vector(grads, max_norm):
    together = np.concatenate([g.ravel() for g in grads])
    norm = np.linalg.norm(together)
    if norm + 1e-6 > max_norm:
        together = together * (max_norm / (norm + 1e-6))
    ends = np.cumsum([g.size for g in grads])
    return [part.reshape(g.shape) for part, g in zip(np.split(together, ends[:-1]), grads, strict=True)], norm


def _clip_grad_norm__divided(grads, max_norm):
    norm = grads[0].dtype.type(0)
    for g in grads:
        for value in g.flat:
            norm = np.hypot(norm, value)
    too_long = np.maximum((norm + 1e-6) / max_norm, 1)
    return [g / too_long for g in grads], norm


CLIP_GRAD_NORM = Exercise(
    id="clip_grad_norm",
    topic="optimisers",
    points=2,
    cases=_clip_grad_norm_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. One shows when you measure the norm of all gradients together afterwards, the "
            "other when the gradients are short already.",
            _clip_grad_norm__both_bugs_untouched,
        ),
        Mistake(
            "each_array_alone",
            "One bug is still there: each array has a factor of its own, which turns the direction of the step. Find "
            "one norm over all arrays first.",
            _clip_grad_norm__each_array_alone,
        ),
        Mistake(
            "always_scaled",
            "One bug is still there: short gradients are made longer. The factor is at most 1: "
            "min(1, max_norm / (norm + 1e-6)).",
            _clip_grad_norm__always_scaled,
        ),
        Mistake(
            "by_value",
            "You cut off each number at max_norm, which turns the direction. Multiply all gradients by one factor.",
            _clip_grad_norm__by_value,
        ),
        Mistake(
            "norms_added",
            "You add the norms of the arrays. The norm of all together is the root of the sum of all squares.",
            _clip_grad_norm__norms_added,
        ),
        Mistake(
            "no_root",
            "Your norm is the sum of squares. The length is its root.",
            _clip_grad_norm__no_root,
        ),
        Mistake(
            "norm_afterwards",
            "The gradients are right, but you return the norm after clipping. Return the norm before: it tells that "
            "something exploded.",
            _clip_grad_norm__norm_afterwards,
        ),
        Mistake(
            "only_longer",
            "Your factor is at least 1, so it makes gradients longer only. It should be at most 1: min, not max.",
            _clip_grad_norm__only_longer,
        ),
        Mistake("no_small_term", _SMALL_TERM, _clip_grad_norm__no_small_term),
        Mistake("changes_gradients", _KEPT, _clip_grad_norm__changes_gradients),
    ),
    other_ways=(
        OtherWay("one_long_vector", _clip_grad_norm__one_long_vector),
        OtherWay("divided", _clip_grad_norm__divided),
    ),
)

EXERCISES = (CLIP_GRAD_NORM,)
