"""Exercises on softmax and its logarithm, a bug hunt (topic `activations`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Kind, call_case
from course_lib.tree import Tree

_ROWS_APART = (
    "Your answer breaks when one row of scores lies far below another. Rows have nothing to do with each other: "
    "subtract the largest score of each row, not of the whole array."
)


def _scores(rng: np.random.Generator, public: bool) -> dict[str, dict[str, Tree]]:
    """Case id to scores of ordinary size, and the axis where it is given."""
    ties = draw(rng, 3, 4)
    ties[:, 1] = ties[:, 2]
    ties[0] = ties[0, 0]
    inputs: dict[str, dict[str, Tree]] = {
        "three rows": {"x": draw(rng, 3, 4)},
        "one row": {"x": draw(rng, 5)},
        "down the columns": {"x": draw(rng, 4, 3), "axis": 0},
        "as many rows as classes": {"x": draw(rng, 3, 3)},
        "one class": {"x": draw(rng, 3, 1)},
        "ties": {"x": ties},
        "float32": {"x": draw(rng, 2, 3, dtype="float32")},
    }
    if not public:
        inputs |= {
            "batch of one": {"x": draw(rng, 1, 4)},
            "three axes, the middle one": {"x": draw(rng, 2, 3, 4), "axis": 1},
            "three axes, the last one": {"x": draw(rng, 2, 1, 3)},
        }
    return inputs


def _cases_of(function: str, rng: np.random.Generator, public: bool, apart: Kind) -> tuple[Case, ...]:
    calls = [call_case(name, function, inputs) for name, inputs in _scores(rng, public).items()]
    large = {"x": draw(rng, 2, 3) + 1000.0}
    in_a_row = {"x": draw(rng, 2, 3) + np.array([0.0, -900.0, 30.0])}
    rows = {"x": draw(rng, 3, 4) + np.array([[0.0], [-1000.0], [1000.0]])}
    return (
        *calls,
        call_case("large scores", function, large, kind="stability"),
        call_case("scores far apart in a row", function, in_a_row, kind=apart),
        call_case("rows far apart", function, rows, kind=apart, says=_ROWS_APART),
    )


def _softmax_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _cases_of("softmax", rng, public, "stability")


def _softmax__overflow(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x)
        return e / e.sum(axis=axis, keepdims=True)


def _softmax__plain_formula(x, axis=-1):
    with np.errstate(all="ignore"):
        return np.exp(x) / np.exp(x).sum()


def _softmax__max_of_everything(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max())
        return e / e.sum(axis=axis, keepdims=True)


def _softmax__over_everything(x, axis=-1):
    e = np.exp(x - x.max())
    return e / e.sum()


def _softmax__always_last_axis(x, axis=-1):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax__always_first_axis(x, axis=-1):
    e = np.exp(x - x.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def _softmax__no_keepdims(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=axis))
        return e / e.sum(axis=axis)


def _softmax__no_exp(x, axis=-1):
    with np.errstate(all="ignore"):
        return x / x.sum(axis=axis, keepdims=True)


def _softmax__not_divided(x, axis=-1):
    return np.exp(x - x.max(axis=axis, keepdims=True))


def _softmax__changes_input(x, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def _softmax__row_by_row(x, axis=-1):
    def one_row(row):
        e = np.exp(row - max(row))
        return e / sum(e)

    return np.apply_along_axis(one_row, axis, x)


def _softmax__logarithm_first(x, axis=-1):
    return np.exp(x - np.logaddexp.reduce(x, axis=axis, keepdims=True))


def _softmax__differences(x, axis=-1):
    turned = np.moveaxis(x, axis, -1)
    with np.errstate(over="ignore"):
        out = 1 / np.exp(turned[..., None, :] - turned[..., :, None]).sum(axis=-1)
    return np.moveaxis(out, -1, axis)


SOFTMAX = Exercise(
    id="softmax",
    topic="activations",
    points=2,
    cases=_softmax_cases,
    mistakes=(
        Mistake(
            "overflow",
            "exp overflows for large scores, and infinity divided by infinity is not a number. Subtract the largest "
            "score along axis first: it changes nothing else.",
            _softmax__overflow,
        ),
        Mistake(
            "plain_formula",
            "You divide by one sum over the whole array, and exp overflows for large scores. Work along axis: subtract "
            "the largest score of each row, take exp, divide by the sum of each row.",
            _softmax__plain_formula,
        ),
        Mistake(
            "max_of_everything",
            "You subtract the largest score of the whole array. In a row far below it every exp is 0, and 0 / 0 is not "
            "a number: use x.max(axis=axis, keepdims=True).",
            _softmax__max_of_everything,
        ),
        Mistake(
            "over_everything",
            "You divide by the sum over the whole array. Each row has to add up to 1 by itself: "
            "e.sum(axis=axis, keepdims=True).",
            _softmax__over_everything,
        ),
        Mistake(
            "always_last_axis",
            "You always use the last axis. That is only the default: use the argument axis.",
            _softmax__always_last_axis,
        ),
        Mistake(
            "always_first_axis",
            "You always normalise along axis 0, so the columns add up to 1. Use the argument axis; by default it is "
            "the last one.",
            _softmax__always_first_axis,
        ),
        Mistake(
            "no_keepdims",
            "Maximum and sum lose their axis, so they meet the wrong entries. Add keepdims=True to both.",
            _softmax__no_keepdims,
        ),
        Mistake(
            "no_exp",
            "You divide the scores themselves by their sum. Take exp first: scores may be negative, probabilities not.",
            _softmax__no_exp,
        ),
        Mistake(
            "not_divided",
            "Your numbers do not add up to 1. Divide by their sum along axis.",
            _softmax__not_divided,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed. Write x - x.max(...) instead of x -= x.max(...).",
            _softmax__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("row_by_row", _softmax__row_by_row),
        OtherWay("logarithm_first", _softmax__logarithm_first),
        OtherWay("differences", _softmax__differences),
    ),
)


def _log_softmax_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    # Both bugs of the hunt show only here. As matters of stability they would leave most points to whoever finds none.
    return _cases_of("log_softmax", rng, public, "core")


def _log_softmax__both_bugs_untouched(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max())
        return np.log(e / e.sum(axis=axis, keepdims=True))


def _log_softmax__logarithm_untouched(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return np.log(e / e.sum(axis=axis, keepdims=True))


def _log_softmax__maximum_untouched(x, axis=-1):
    with np.errstate(all="ignore"):
        shifted = x - x.max()
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _log_softmax__tiny_number_added(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.log(e / e.sum(axis=axis, keepdims=True) + 1e-12)


def _log_softmax__no_shift(x, axis=-1):
    with np.errstate(all="ignore"):
        return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _log_softmax__shifted_once(x, axis=-1):
    return x - np.log(np.exp(x - x.max(axis=axis, keepdims=True)).sum(axis=axis, keepdims=True))


def _log_softmax__over_everything(x, axis=-1):
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum())


def _log_softmax__always_last_axis(x, axis=-1):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _log_softmax__negated(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=axis, keepdims=True)) - shifted


def _log_softmax__changes_input(x, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _log_softmax__pairs(x, axis=-1):
    return x - np.logaddexp.reduce(x, axis=axis, keepdims=True)


def _log_softmax__differences(x, axis=-1):
    turned = np.moveaxis(x, axis, -1)
    gaps = turned[..., None, :] - turned[..., :, None]
    return np.moveaxis(-np.logaddexp.reduce(gaps, axis=-1), -1, axis)


def _log_softmax__row_by_row(x, axis=-1):
    import math

    def one_row(row):
        top = max(row)
        rest = math.log(math.fsum(math.exp(score - top) for score in row))
        return np.array([score - top - rest for score in row], dtype=x.dtype)

    return np.apply_along_axis(one_row, axis, x)


LOG_SOFTMAX = Exercise(
    id="log_softmax",
    topic="activations",
    points=3,
    cases=_log_softmax_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. One shows when a score lies far below the best one of its row; the other only "
            "when whole rows lie far apart.",
            _log_softmax__both_bugs_untouched,
        ),
        Mistake(
            "logarithm_untouched",
            "One bug is still there: a small probability is rounded to 0, and its logarithm is minus infinity. "
            "Simplify log(exp(s) / total) on paper before you compute anything.",
            _log_softmax__logarithm_untouched,
        ),
        Mistake(
            "maximum_untouched",
            "The logarithm is right now. But you subtract the largest score of the whole array: in a row far below it "
            "every exp is 0. Subtract the largest score along axis.",
            _log_softmax__maximum_untouched,
        ),
        Mistake(
            "tiny_number_added",
            "Adding a tiny number hides the infinity behind a wrong value. Simplify log(exp(s) / total) on paper: then "
            "there is no logarithm of 0.",
            _log_softmax__tiny_number_added,
        ),
        Mistake(
            "no_shift",
            "The shift is gone, and exp overflows for large scores. Subtract the largest score along axis first.",
            _log_softmax__no_shift,
        ),
        Mistake(
            "shifted_once",
            "You subtract the largest score inside exp only, so your answers are too large by it. Use the shifted "
            "scores in both places.",
            _log_softmax__shifted_once,
        ),
        Mistake(
            "over_everything",
            "You sum over the whole array. Each row is a distribution of its own: sum with axis=axis, keepdims=True.",
            _log_softmax__over_everything,
        ),
        Mistake(
            "always_last_axis",
            "You always use the last axis. That is only the default: use the argument axis.",
            _log_softmax__always_last_axis,
        ),
        Mistake(
            "negated",
            "The sign is wrong. Probabilities are at most 1, so their logarithms are at most 0.",
            _log_softmax__negated,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed. Write x - x.max(...) instead of x -= x.max(...).",
            _log_softmax__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("pairs", _log_softmax__pairs),
        OtherWay("differences", _log_softmax__differences),
        OtherWay("row_by_row", _log_softmax__row_by_row),
    ),
)

EXERCISES = (SOFTMAX, LOG_SOFTMAX)
