"""Exercise on the maximum over a text, the bug hunt of lesson 09 (topic `embedding`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle

_WHICH = (
    "The cache is (x, which, mask), and which has the shape (N, 1, M): for each text and filter the place of the "
    "maximum, counted from 0. The way back needs it."
)
# Case id to (places that count in each text, L, M, how high the answers lie).
_PUBLIC: dict[str, tuple[tuple[int, ...], int, int, float]] = {
    "no padding": ((4, 4), 4, 3, 0.0),
    "padding at the end": ((3, 5, 2), 6, 4, 0.0),
    "only negative answers": ((4, 2), 6, 3, -4.0),
    "large answers in the padding": ((2, 3), 5, 2, 0.0),
    "one text": ((3,), 5, 4, -1.0),
    "float32": ((4, 2), 5, 3, -1.0),
}
_SECRET = _PUBLIC | {
    "padding at the end": ((5, 1, 3), 7, 5, 0.0),
    "one place": ((1, 1), 1, 3, 0.0),
    "one filter": ((3, 4), 5, 1, -2.0),
    "gaps in the mask": ((4, 3), 6, 3, -1.0),
}


def _max_over_time_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, name, *row) for name, row in (_PUBLIC if public else _SECRET).items()]
    x = draw(rng, 2, 4, 3) - 1e12
    mask = np.arange(4) < np.array([[3], [2]])
    return (
        *cases,
        call_case("huge numbers", "max_over_time_forward", {"x": x, "mask": mask}, item=0, kind="stability"),
        _places(rng),
    )


def _places(rng: np.random.Generator) -> Case:
    """The cache: where each maximum was."""
    inputs = {"x": draw(rng, 2, 5, 3), "mask": np.arange(5) < np.array([[5], [3]])}
    steps = (
        Step("call", "result", "max_over_time_forward", (Handle("x"), Handle("mask"))),
        Step("take", "cache", "", (Handle("result", 1), 3)),
        Step("read", "which", "", (Handle("cache", 1),), kind="convention"),
        *(Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in inputs),
    )
    return Case("the places in the cache", inputs, steps, _WHICH)


def _one_case(
    rng: np.random.Generator, name: str, lengths: tuple[int, ...], places: int, filters: int, level: float
) -> Case:
    x = draw(rng, len(lengths), places, filters) + level
    # The filters have their maxima at different places, whatever is drawn.
    x[:, 0, 0] = np.abs(x[:, 0, 0]) + level + 3
    if filters > 1:
        x[:, min(1, lengths[0] - 1), 1] = level + 2.5
    mask = np.arange(places) < np.array(lengths)[:, None]
    if name == "large answers in the padding":
        x[~mask] += 6
    if name == "gaps in the mask":
        mask = mask[:, ::-1].copy()
        mask[:, -2] = False
    inputs = {"x": x.astype("float32" if name == "float32" else "float64"), "mask": mask}
    return call_case(name, "max_over_time_forward", inputs, item=0)


def _max_over_time_forward__both_bugs_untouched(x, mask):
    seen = x * mask[:, :, None]
    which = seen.max(axis=2).argmax(axis=1)
    out = seen[np.arange(len(x)), which]
    return out, (x, which, mask)


def _max_over_time_forward__padding_is_zero(x, mask):
    seen = x * mask[:, :, None]
    which = seen.argmax(axis=1)[:, None]
    return np.take_along_axis(seen, which, axis=1)[:, 0], (x, which, mask)


def _max_over_time_forward__one_place_for_all(x, mask):
    seen = np.where(mask[:, :, None], x, -np.inf)
    which = seen.max(axis=2).argmax(axis=1)
    return seen[np.arange(len(x)), which], (x, which, mask)


def _max_over_time_forward__no_mask(x, mask):
    which = x.argmax(axis=1)[:, None]
    return x.max(axis=1), (x, which, mask)


def _max_over_time_forward__mask_turned_round(x, mask):
    seen = np.where(mask[:, :, None], -1e6, x)
    return seen.max(axis=1), (x, seen.argmax(axis=1)[:, None], mask)


def _max_over_time_forward__mean(x, mask):
    weights = mask[:, :, None].astype(x.dtype)
    return (x * weights).sum(axis=1) / weights.sum(axis=1), (x, None, mask)


def _max_over_time_forward__over_filters(x, mask):
    seen = np.where(mask[:, :, None], x, -np.inf)
    return seen.max(axis=2), (x, seen.argmax(axis=2), mask)


def _max_over_time_forward__filler_too_large(x, mask):
    seen = np.where(mask[:, :, None], x, -1e9)
    which = seen.argmax(axis=1)[:, None]
    return np.take_along_axis(seen, which, axis=1)[:, 0], (x, which, mask)


def _max_over_time_forward__which_without_axis(x, mask):
    seen = np.where(mask[:, :, None], x, -np.inf)
    return seen.max(axis=1), (x, seen.argmax(axis=1), mask)


def _max_over_time_forward__text_by_text(x, mask):
    out = np.stack([text[counts].max(axis=0) for text, counts in zip(x, mask, strict=True)])
    places = [np.flatnonzero(counts)[text[counts].argmax(axis=0)] for text, counts in zip(x, mask, strict=True)]
    return out, (x, np.stack(places)[:, None], mask)


def _max_over_time_forward__running_maximum(x, mask):
    out = np.full((x.shape[0], x.shape[2]), -np.inf, dtype=x.dtype)
    which = np.zeros(out.shape, dtype=np.int64)
    for place in range(x.shape[1]):
        better = mask[:, place, None] & (x[:, place] > out)
        out, which = np.where(better, x[:, place], out), np.where(better, place, which)
    return out, (x, which[:, None], mask)


def _max_over_time_forward__reduce(x, mask):
    where = np.broadcast_to(mask[:, :, None], x.shape)
    out = np.max(x, axis=1, where=where, initial=-np.inf)
    return out, (x, (where & (x == out[:, None])).argmax(axis=1)[:, None], mask)


MAX_OVER_TIME_FORWARD = Exercise(
    id="max_over_time_forward",
    topic="embedding",
    points=2,
    cases=_max_over_time_forward_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. Look at a text whose answers are all negative, and at two filters that are "
            "strongest at different places.",
            _max_over_time_forward__both_bugs_untouched,
        ),
        Mistake(
            "padding_is_zero",
            "The padding became 0, which is more than a negative answer and then wins. Fill it with -np.inf.",
            _max_over_time_forward__padding_is_zero,
        ),
        Mistake(
            "one_place_for_all",
            "You take the answers of all filters from one place. Every filter has a maximum of its own: use max or "
            "argmax over axis 1.",
            _max_over_time_forward__one_place_for_all,
        ),
        Mistake(
            "no_mask",
            "You do not use the mask, so an answer in the padding can win. Hide it with np.where(mask[:, :, None], x, "
            "-np.inf).",
            _max_over_time_forward__no_mask,
        ),
        Mistake(
            "mask_turned_round",
            "You keep the padding and hide the words. The mask is true where a place counts.",
            _max_over_time_forward__mask_turned_round,
        ),
        Mistake(
            "mean",
            "You average over the places. Take the largest answer: one strong window is enough.",
            _max_over_time_forward__mean,
        ),
        Mistake(
            "over_filters",
            "You take the maximum over the filters. Take it over the places, axis 1: the result is (N, M).",
            _max_over_time_forward__over_filters,
        ),
        Mistake(
            "filler_too_large",
            "Your filler for the padding is a large negative number, and an answer can be smaller still. Use -np.inf.",
            _max_over_time_forward__filler_too_large,
        ),
        Mistake(
            "which_without_axis",
            "The maxima are right; the places in your cache have the shape (N, M). The way back needs (N, 1, M): write "
            "which[:, None].",
            _max_over_time_forward__which_without_axis,
        ),
    ),
    other_ways=(
        OtherWay("text_by_text", _max_over_time_forward__text_by_text),
        OtherWay("running_maximum", _max_over_time_forward__running_maximum),
        OtherWay("reduce", _max_over_time_forward__reduce),
    ),
)

EXERCISES = (MAX_OVER_TIME_FORWARD,)
