"""Exercise on the backward pass of the maximum over a text (topic `embedding`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case

_TIE = "Of equal answers the first place gets the whole gradient; the others get 0."
# Case id to (places that count in each text, L, M).
_PUBLIC: dict[str, tuple[tuple[int, ...], int, int]] = {
    "no padding": ((4, 4), 4, 3),
    "padding at the end": ((3, 5, 2), 6, 4),
    "one text": ((4,), 6, 2),
    "the padding equals the maximum": ((3, 2), 5, 3),
    "float32": ((4, 2), 5, 3),
}
_SECRET = _PUBLIC | {
    "padding at the end": ((5, 1, 4), 7, 3),
    "one place": ((1, 1), 1, 3),
    "one filter": ((3, 4), 5, 1),
}


def _max_over_time_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (lengths, places, filters) in (_PUBLIC if public else _SECRET).items():
        # No two answers of a filter are equal, and the largest are at the last words.
        x = np.stack([[rng.permutation(places) for _ in range(filters)] for _ in lengths]).swapaxes(1, 2) * 0.37 - 1
        mask = np.arange(places) < np.array(lengths)[:, None]
        last = np.array(lengths)[:, None] - 1 - np.arange(filters) % 2
        rows, columns = np.indices(last.shape)
        x[rows, np.maximum(last, 0), columns] = 4.0 + 0.25 * columns
        if name == "the padding equals the maximum":
            x[~mask] = 4.0 + 0.25 * np.arange(filters)
        cases.append(_one_case(rng, name, x, mask))
    tied, mask = np.round(draw(rng, 2, 6, 3) * 0.1, 2), np.arange(6) < np.array([[6], [4]])
    tied[:, [1, 3]] = 2.0
    tied[0, 4:] = 2.0
    return (
        *cases,
        _one_case(rng, "equal answers", tied, mask, tie=True),
        _one_case(rng, "called twice", draw(rng, 2, 5, 3), np.ones((2, 5), dtype=bool), twice=True),
    )


def _one_case(
    rng: np.random.Generator, name: str, x: np.ndarray, mask: np.ndarray, *, tie: bool = False, twice: bool = False
) -> Case:
    dtype = "float32" if name == "float32" else "float64"
    inputs = {"x": x.astype(dtype), "mask": mask, "dout": draw(rng, len(x), x.shape[2], dtype=dtype)}
    kind, says = ("convention", _TIE) if tie else ("core", "")
    return forward_then_backward(name, "max_over_time", inputs, twice=twice, kind=kind, says=says)


def _max_over_time_backward__all_equals(dout, cache):
    x, which, mask = cache
    largest = np.take_along_axis(x, which, axis=1)
    return np.where((x == largest) & mask[:, :, None], dout[:, None], 0).astype(x.dtype)


def _max_over_time_backward__shared(dout, cache):
    x, which, mask = cache
    equal = ((x == np.take_along_axis(x, which, axis=1)) & mask[:, :, None]).astype(x.dtype)
    return equal / equal.sum(axis=1, keepdims=True) * dout[:, None]


def _max_over_time_backward__last_of_equals(dout, cache):
    x, which, mask = cache
    equal = (x == np.take_along_axis(x, which, axis=1)) & mask[:, :, None]
    last = x.shape[1] - 1 - equal[:, ::-1].argmax(axis=1)
    dx = np.zeros_like(x)
    np.put_along_axis(dx, last[:, None], dout[:, None], axis=1)
    return dx


def _max_over_time_backward__padding_too(dout, cache):
    x, which, _ = cache
    return np.where(x == np.take_along_axis(x, which, axis=1), dout[:, None], 0).astype(x.dtype)


def _max_over_time_backward__everywhere(dout, cache):
    x, _, mask = cache
    return np.where(mask[:, :, None], dout[:, None], 0).astype(x.dtype)


def _max_over_time_backward__like_a_mean(dout, cache):
    x, _, mask = cache
    share = mask[:, :, None].astype(x.dtype) / mask.sum(axis=1).astype(x.dtype)[:, None, None]
    return share * dout[:, None]


def _max_over_time_backward__ones(dout, cache):
    x, which, _ = cache
    dx = np.zeros_like(x)
    np.put_along_axis(dx, which, 1.0, axis=1)
    return dx


def _max_over_time_backward__times_the_answer(dout, cache):
    x, which, _ = cache
    dx = np.zeros_like(x)
    np.put_along_axis(dx, which, dout[:, None] * np.take_along_axis(x, which, axis=1), axis=1)
    return dx


def _max_over_time_backward__number_by_number(dout, cache):
    x, which, _ = cache
    dx = np.zeros_like(x)
    for text, m in np.ndindex(dout.shape):
        dx[text, which[text, 0, m], m] = dout[text, m]
    return dx


def _max_over_time_backward__one_hot(dout, cache):
    x, which, _ = cache
    chosen = np.arange(x.shape[1])[None, :, None] == which
    return chosen.astype(x.dtype) * dout[:, None]


MAX_OVER_TIME_BACKWARD = Exercise(
    id="max_over_time_backward",
    topic="embedding",
    points=2,
    cases=_max_over_time_backward_cases,
    mistakes=(
        Mistake("all_equals", _TIE + " Keep the place from argmax in the cache.", _max_over_time_backward__all_equals),
        Mistake("shared", _TIE + " Do not divide it among them.", _max_over_time_backward__shared),
        Mistake("last_of_equals", _TIE + " Yours goes to the last.", _max_over_time_backward__last_of_equals),
        Mistake(
            "padding_too",
            "Where the padding happens to equal the maximum, it gets a gradient in yours. Send the gradient only to "
            "the place that argmax found under the mask.",
            _max_over_time_backward__padding_too,
        ),
        Mistake(
            "everywhere",
            "Every place gets the gradient. Only the place of the maximum was used: all others get 0.",
            _max_over_time_backward__everywhere,
        ),
        Mistake(
            "like_a_mean",
            "You spread the gradient over all words, as a mean would. It belongs to the place of the maximum alone.",
            _max_over_time_backward__like_a_mean,
        ),
        Mistake(
            "ones",
            "You put a 1 where the maximum is. Put the number of dout there: the chain rule multiplies by it.",
            _max_over_time_backward__ones,
        ),
        Mistake(
            "times_the_answer",
            "You multiply the gradient by the answer. The maximum passes its input on as it is, so its slope is 1.",
            _max_over_time_backward__times_the_answer,
        ),
    ),
    other_ways=(
        OtherWay("number_by_number", _max_over_time_backward__number_by_number),
        OtherWay("one_hot", _max_over_time_backward__one_hot),
    ),
    uses=("max_over_time_forward",),
)

EXERCISES = (MAX_OVER_TIME_BACKWARD,)
