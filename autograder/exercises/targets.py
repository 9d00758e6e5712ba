"""Exercises on targets that are made: smoothed labels, and labels from a model's own answers."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case

# Case id to (examples, classes).
_PUBLIC = {"four examples": (4, 3), "one example": (1, 5), "two classes": (3, 2), "float32": (2, 4)}
_SECRET = {
    "five examples": (5, 4),
    "one example": (1, 3),
    "two classes": (4, 2),
    "as many classes as examples": (3, 3),
    "float32": (3, 5),
}
_SOFT = (
    "A row of y may already be a mixture of classes, as mixup makes it. Compute with its numbers instead of asking "
    "where it is 1."
)
_OTHERS = "You spread eps over the wrong classes only. Here every class gets eps / C, the right one included."


def _one_hot(rng: np.random.Generator, n: int, c: int) -> np.ndarray:
    return np.eye(c)[rng.integers(0, c, n)]


def _label_smoothing_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, c) in (_PUBLIC if public else _SECRET).items():
        y = _one_hot(rng, n, c).astype("float32" if name == "float32" else "float64")
        cases.append(call_case(name, "label_smoothing", {"y": y, "eps": draw_number(rng, 0.05, 0.4)}))
    for name, eps in (("no smoothing", 0.0), ("nothing but smoothing", 1.0)):
        cases.append(call_case(name, "label_smoothing", {"y": _one_hot(rng, 2, 4), "eps": eps}))
    share, order = draw_number(rng, 0.6, 0.9), rng.permutation(4)
    mixed = share * np.eye(4)[order[:2]] + (1 - share) * np.eye(4)[order[2:]]
    inputs = {"y": mixed, "eps": draw_number(rng, 0.05, 0.4)}
    return (*cases, call_case("mixed targets", "label_smoothing", inputs, kind="convention", says=_SOFT))


def _label_smoothing__others_share(y, eps=0.1):
    return (1 - eps) * y + eps / (y.shape[1] - 1) * (1 - y)


def _label_smoothing__others_share_where(y, eps=0.1):
    return np.where(y > 0, 1 - eps, eps / (y.shape[1] - 1)).astype(y.dtype)


def _label_smoothing__others_share_at_one(y, eps=0.1):
    return np.where(y == 1, 1 - eps, eps / (y.shape[1] - 1)).astype(y.dtype)


def _label_smoothing__divided_by_others(y, eps=0.1):
    return (1 - eps) * y + eps / (y.shape[1] - 1)


def _label_smoothing__right_one_left_out(y, eps=0.1):
    return (1 - eps) * y + eps / y.shape[1] * (1 - y)


def _label_smoothing__not_taken_away(y, eps=0.1):
    return y + eps / y.shape[1]


def _label_smoothing__not_divided(y, eps=0.1):
    return (1 - eps) * y + eps


def _label_smoothing__divided_by_examples(y, eps=0.1):
    return (1 - eps) * y + eps / len(y)


def _label_smoothing__swapped(y, eps=0.1):
    return eps * y + (1 - eps) / y.shape[1]


def _label_smoothing__only_one_hot(y, eps=0.1):
    return np.where(y == 1, 1 - eps + eps / y.shape[1], eps / y.shape[1]).astype(y.dtype)


def _label_smoothing__changes_input(y, eps=0.1):
    y *= 1 - eps
    y += eps / y.shape[1]
    return y


def _label_smoothing__towards_the_mean(y, eps=0.1):
    return y + eps * (y.dtype.type(1) / y.shape[1] - y)


def _label_smoothing__matrix(y, eps=0.1):
    c = y.shape[1]
    table = ((1 - eps) * np.eye(c) + eps / c).astype(y.dtype)
    # Each row of the table is a smoothed class; a mixture mixes the rows. Only rows with the sum 1 come in.
    return y @ table


def _label_smoothing__number_by_number(y, eps=0.1):
    rows = [[(1 - eps) * float(value) + eps / len(row) for value in row] for row in y]
    return np.array(rows, dtype=y.dtype)


LABEL_SMOOTHING = Exercise(
    id="label_smoothing",
    topic="targets",
    points=1,
    cases=_label_smoothing_cases,
    mistakes=(
        Mistake("others_share", _OTHERS, _label_smoothing__others_share),
        Mistake("others_share_where", _OTHERS, _label_smoothing__others_share_where),
        Mistake("others_share_at_one", _OTHERS, _label_smoothing__others_share_at_one),
        Mistake(
            "divided_by_others",
            "You divide eps by C - 1, so the rows have a sum above 1. It is spread over all C classes, the right one "
            "included: divide by y.shape[1].",
            _label_smoothing__divided_by_others,
        ),
        Mistake(
            "right_one_left_out",
            "The right class does not get its eps / C, so the rows have a sum below 1. Add eps / C everywhere.",
            _label_smoothing__right_one_left_out,
        ),
        Mistake(
            "not_taken_away",
            "You add eps / C and take nothing away, so the rows have a sum above 1. Multiply y by 1 - eps first.",
            _label_smoothing__not_taken_away,
        ),
        Mistake(
            "not_divided",
            "Every class gets all of eps. Divide eps by the number of classes.",
            _label_smoothing__not_divided,
        ),
        Mistake(
            "divided_by_examples",
            "You divide eps by the number of examples. Divide by the number of classes, y.shape[1].",
            _label_smoothing__divided_by_examples,
        ),
        Mistake(
            "swapped",
            "The shares are the wrong way round: y keeps 1 - eps, and eps is spread over the classes.",
            _label_smoothing__swapped,
        ),
        Mistake("only_one_hot", _SOFT, _label_smoothing__only_one_hot),
        Mistake(
            "changes_input",
            "Your values are right, but y itself is changed. Write (1 - eps) * y + ..., which makes a new array.",
            _label_smoothing__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("towards_the_mean", _label_smoothing__towards_the_mean),
        OtherWay("matrix", _label_smoothing__matrix),
        OtherWay("number_by_number", _label_smoothing__number_by_number),
    ),
)

_AT_LEAST = "An answer that is exactly as probable as the threshold counts as sure: compare with >=."
_FIRST = "When two classes are equally probable, the first of them is the label; np.argmax does that."
_CLOSE = 0.02


def _pseudo_labels_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, c) in (_PUBLIC if public else _SECRET).items():
        p, threshold = _probabilities(rng, n, c)
        p = p.astype("float32" if name == "float32" else "float64")
        cases.append(call_case(name, "pseudo_labels", {"probabilities": p, "threshold": threshold}))
    for name, threshold in (("nobody is sure", 1.0), ("everybody is sure", 0.0)):
        inputs = {"probabilities": _probabilities(rng, 3, 4)[0], "threshold": threshold}
        cases.append(call_case(name, "pseudo_labels", inputs))
    exact = np.array([[0.75, 0.125, 0.125], [0.5, 0.375, 0.125], [0.0625, 0.0625, 0.875]])[:, rng.permutation(3)]
    inputs = {"probabilities": exact[rng.permutation(3)], "threshold": 0.75}
    cases.append(call_case("exactly at the threshold", "pseudo_labels", inputs, kind="convention", says=_AT_LEAST))
    tie = np.array([[0.125, 0.4375, 0.4375], [0.4375, 0.4375, 0.125]])[rng.permutation(2)]
    inputs = {"probabilities": tie, "threshold": draw_number(rng, 0.1, 0.4)}
    return (*cases, call_case("two classes alike", "pseudo_labels", inputs, kind="convention", says=_FIRST))


def _probabilities(rng: np.random.Generator, n: int, c: int) -> tuple[np.ndarray, float]:
    """Rows of probabilities, and a threshold between the surest answer and the least sure one, away from all."""
    while True:
        p = np.exp(draw(rng, n, c, scale=1.5))
        p /= p.sum(axis=1, keepdims=True)
        order, best = np.sort(p, axis=1), np.sort(p.max(axis=1))
        if (order[:, -1] - order[:, -2]).min() < _CLOSE or (n > 1 and np.diff(best).max() < 2 * _CLOSE):
            continue
        place = int(np.argmax(np.diff(best))) if n > 1 else 0
        low, high = (best[place], best[place + 1]) if n > 1 else (best[0] - 2 * _CLOSE, best[0])
        if len(set(p.argmax(axis=1))) > 1 or n == 1:
            return p, float((low + high) / 2)


def _pseudo_labels__strictly_above(probabilities, threshold=0.95):
    return probabilities.argmax(axis=1), probabilities.max(axis=1) > threshold


def _pseudo_labels__over_examples(probabilities, threshold=0.95):
    return probabilities.argmax(axis=0), probabilities.max(axis=0) >= threshold


def _pseudo_labels__only_sure_ones(probabilities, threshold=0.95):
    sure = probabilities.max(axis=1) >= threshold
    return probabilities.argmax(axis=1)[sure], sure


def _pseudo_labels__minus_one(probabilities, threshold=0.95):
    sure = probabilities.max(axis=1) >= threshold
    return np.where(sure, probabilities.argmax(axis=1), -1), sure


def _pseudo_labels__first_above(probabilities, threshold=0.95):
    above = probabilities >= threshold
    return above.argmax(axis=1), above.any(axis=1)


def _pseudo_labels__unsure_ones(probabilities, threshold=0.95):
    return probabilities.argmax(axis=1), probabilities.max(axis=1) < threshold


def _pseudo_labels__values(probabilities, threshold=0.95):
    return probabilities.max(axis=1), probabilities.max(axis=1) >= threshold


def _pseudo_labels__one_hot(probabilities, threshold=0.95):
    labels = probabilities.argmax(axis=1)
    return np.eye(probabilities.shape[1], dtype=int)[labels], probabilities.max(axis=1) >= threshold


def _pseudo_labels__last_of_equals(probabilities, threshold=0.95):
    return probabilities.argsort(axis=1, kind="stable")[:, -1], probabilities.max(axis=1) >= threshold


def _pseudo_labels__row_by_row(probabilities, threshold=0.95):
    labels, sure = [], []
    for row in probabilities.tolist():
        labels.append(row.index(max(row)))
        sure.append(max(row) >= threshold)
    return np.array(labels), np.array(sure)


def _pseudo_labels__any_class(probabilities, threshold=0.95):
    return np.argsort(-probabilities, axis=1, kind="stable")[:, 0], (probabilities >= threshold).any(axis=1)


def _pseudo_labels__take(probabilities, threshold=0.95):
    labels = np.argmax(probabilities, axis=1)
    return labels, np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0] >= threshold


PSEUDO_LABELS = Exercise(
    id="pseudo_labels",
    topic="targets",
    points=1,
    cases=_pseudo_labels_cases,
    mistakes=(
        Mistake("strictly_above", _AT_LEAST, _pseudo_labels__strictly_above),
        Mistake(
            "over_examples",
            "You compare examples with each other. Compare the classes of one example: axis=1.",
            _pseudo_labels__over_examples,
        ),
        Mistake(
            "only_sure_ones",
            "You leave the labels of unsure examples out. Return a label for every example; sure says which to use.",
            _pseudo_labels__only_sure_ones,
        ),
        Mistake(
            "minus_one",
            "You overwrite the labels of unsure examples. Return the most probable class of every example; sure says "
            "which labels to use.",
            _pseudo_labels__minus_one,
        ),
        Mistake(
            "first_above",
            "You look for the first class above the threshold. Take the most probable class, whether it reaches the "
            "threshold or not.",
            _pseudo_labels__first_above,
        ),
        Mistake(
            "unsure_ones",
            "Your second array is True for the unsure examples. It should be True where the model is sure.",
            _pseudo_labels__unsure_ones,
        ),
        Mistake(
            "values",
            "Your labels are probabilities. Return the number of the class: argmax instead of max.",
            _pseudo_labels__values,
        ),
        Mistake(
            "one_hot",
            "Your labels are one-hot rows. Return the number of the class, one integer per example.",
            _pseudo_labels__one_hot,
        ),
        Mistake("last_of_equals", _FIRST, _pseudo_labels__last_of_equals),
    ),
    other_ways=(
        OtherWay("row_by_row", _pseudo_labels__row_by_row),
        OtherWay("any_class", _pseudo_labels__any_class),
        OtherWay("take", _pseudo_labels__take),
    ),
)

EXERCISES = (LABEL_SMOOTHING, PSEUDO_LABELS)
