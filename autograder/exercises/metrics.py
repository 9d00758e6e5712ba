"""Exercise on a measure for classes that differ in size."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Kind, call_case

_EMPTY = "A class without labels and without answers has an F1 of 0, and is counted in the mean."
_ROW = tuple[tuple[int, ...], ...]
# Case id to the table of how often label r was answered with class c, before its classes are moved round.
_PUBLIC: dict[str, _ROW] = {
    "two classes": ((7, 2), (1, 4)),
    "three classes": ((6, 1, 2), (2, 4, 0), (1, 0, 3)),
    "a rare class is missed": ((9, 1, 0), (2, 5, 0), (1, 1, 0)),
    "a class is never the label": ((5, 1, 2), (2, 6, 0), (0, 0, 0)),
    "nothing right": ((0, 3), (5, 0)),
    "all right": ((4, 0, 0), (0, 3, 0), (0, 0, 2)),
}
_SECRET = _PUBLIC | {
    "three classes": ((8, 2, 1), (0, 3, 2), (1, 1, 5)),
    "four classes": ((5, 1, 0, 2), (2, 6, 1, 0), (0, 3, 2, 1), (1, 0, 0, 3)),
    "one example": ((0, 1), (0, 0)),
    "only one class is answered": ((6, 0), (3, 0)),
}
_NOBODY: dict[str, _ROW] = {"an empty class": ((5, 2, 0), (1, 3, 0), (0, 0, 0))}


def _macro_f1_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, name, table) for name, table in (_PUBLIC if public else _SECRET).items()]
    empty = [_one_case(rng, name, table, kind="convention", says=_EMPTY) for name, table in _NOBODY.items()]
    return (*cases, *empty)


def _one_case(rng: np.random.Generator, name: str, table: _ROW, *, kind: Kind = "core", says: str = "") -> Case:
    classes = len(table)
    # Other classes and another order at each draw; where a cell holds examples, a few more.
    counts = np.array(table)
    counts = counts + (counts > 1) * rng.integers(0, 2, counts.shape)
    labels, answers = (np.repeat(side.ravel(), counts.ravel()) for side in np.indices(counts.shape))
    names, order = rng.permutation(classes), rng.permutation(len(labels))
    inputs = {"y_true": names[labels][order], "y_pred": names[answers][order], "classes": classes}
    return call_case(name, "macro_f1", inputs, kind=kind, says=says)


def _macro_f1__accuracy(y_true, y_pred, classes):
    return float(np.mean(y_true == y_pred))


def _macro_f1__weighted_by_size(y_true, y_pred, classes):
    total = 0.0
    for c in range(classes):
        both = np.sum(y_true == c) + np.sum(y_pred == c)
        found = np.sum((y_true == c) & (y_pred == c))
        total += 2 * found / max(both, 1) * np.mean(y_true == c)
    return float(total)


def _macro_f1__precision_only(y_true, y_pred, classes):
    found = [np.sum((y_true == c) & (y_pred == c)) / max(np.sum(y_pred == c), 1) for c in range(classes)]
    return float(np.mean(found))


def _macro_f1__recall_only(y_true, y_pred, classes):
    found = [np.sum((y_true == c) & (y_pred == c)) / max(np.sum(y_true == c), 1) for c in range(classes)]
    return float(np.mean(found))


def _macro_f1__of_the_means(y_true, y_pred, classes):
    hits = [np.sum((y_true == c) & (y_pred == c)) for c in range(classes)]
    precision = np.mean([hits[c] / max(np.sum(y_pred == c), 1) for c in range(classes)])
    recall = np.mean([hits[c] / max(np.sum(y_true == c), 1) for c in range(classes)])
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _macro_f1__plain_mean(y_true, y_pred, classes):
    total = 0.0
    for c in range(classes):
        found = np.sum((y_true == c) & (y_pred == c))
        total += found / max(np.sum(y_true == c), 1) + found / max(np.sum(y_pred == c), 1)
    return float(total / (2 * classes))


def _macro_f1__divides_by_zero(y_true, y_pred, classes):
    found = np.array([np.sum((y_true == c) & (y_pred == c)) for c in range(classes)])
    both = np.array([np.sum(y_true == c) + np.sum(y_pred == c) for c in range(classes)])
    with np.errstate(all="ignore"):
        return float(np.mean(2 * found / both))


def _macro_f1__only_labels_that_occur(y_true, y_pred, classes):
    scores = []
    for c in np.unique(y_true):
        found = np.sum((y_true == c) & (y_pred == c))
        scores.append(2 * found / (np.sum(y_true == c) + np.sum(y_pred == c)))
    return float(np.mean(scores))


def _macro_f1__empty_is_perfect(y_true, y_pred, classes):
    scores = []
    for c in range(classes):
        both = np.sum(y_true == c) + np.sum(y_pred == c)
        scores.append(2 * np.sum((y_true == c) & (y_pred == c)) / both if both else 1.0)
    return float(np.mean(scores))


def _macro_f1__by_table(y_true, y_pred, classes):
    table = np.zeros((classes, classes))
    np.add.at(table, (y_true, y_pred), 1)
    both = table.sum(axis=0) + table.sum(axis=1)
    return float((2 * np.diag(table) / np.where(both == 0, 1, both)).sum() / classes)


def _macro_f1__harmonic_mean(y_true, y_pred, classes):
    total = 0.0
    for c in range(classes):
        hits = sum(int(t == c and p == c) for t, p in zip(y_true, y_pred, strict=True))
        if hits:
            precision, recall = hits / int(np.sum(y_pred == c)), hits / int(np.sum(y_true == c))
            total += 2 / (1 / precision + 1 / recall)
    return total / classes


MACRO_F1 = Exercise(
    id="macro_f1",
    topic="metrics",
    points=2,
    cases=_macro_f1_cases,
    mistakes=(
        Mistake(
            "accuracy",
            "This is the accuracy, which is also the micro F1: large classes decide it. Compute an F1 for each class "
            "and take the plain mean.",
            _macro_f1__accuracy,
        ),
        Mistake(
            "weighted_by_size",
            "You weight each class by its size. In the macro F1 every class counts the same: divide by classes.",
            _macro_f1__weighted_by_size,
        ),
        Mistake(
            "precision_only",
            "You divide by the number of answers only: this is precision. F1 is 2 TP / (2 TP + FP + FN).",
            _macro_f1__precision_only,
        ),
        Mistake(
            "recall_only",
            "You divide by the number of labels only: this is recall. F1 is 2 TP / (2 TP + FP + FN).",
            _macro_f1__recall_only,
        ),
        Mistake(
            "of_the_means",
            "You average precision and recall first. Compute the F1 of each class, then take the mean of these.",
            _macro_f1__of_the_means,
        ),
        Mistake(
            "plain_mean",
            "You take the plain mean of precision and recall. F1 is their harmonic mean, 2 P R / (P + R).",
            _macro_f1__plain_mean,
        ),
        Mistake("divides_by_zero", _EMPTY + " Do not divide by zero there.", _macro_f1__divides_by_zero),
        Mistake(
            "only_labels_that_occur",
            "You average over the classes that occur among the labels only. All classes count, from 0 to classes - 1.",
            _macro_f1__only_labels_that_occur,
        ),
        Mistake("empty_is_perfect", _EMPTY + " Yours gets a 1.", _macro_f1__empty_is_perfect),
    ),
    other_ways=(
        OtherWay("by_table", _macro_f1__by_table),
        OtherWay("harmonic_mean", _macro_f1__harmonic_mean),
    ),
)

EXERCISES = (MACRO_F1,)
