"""How good a classifier is when the classes differ in size."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_count
from course_lib.words import check_classes


def macro_f1(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> float:
    """The mean over the classes of ``F1 = 2 TP / (2 TP + FP + FN)``: a small class counts as much as a large one.

    A class that occurs neither among the labels nor among the answers has an F1 of 0 and is counted.

    Args:
        y_true: the labels, (N,), integers from 0 to classes - 1.
        y_pred: the classifier's answers, (N,), integers.
        classes: how many classes there are, at least 1.

    Returns:
        The mean, from 0 to 1, as a Python float.

    Raises:
        TypeError: an argument is no array of integers or no integer.
        ValueError: a shape does not fit, or a class does not exist.

    Source: van Rijsbergen (1979) for F1; the mean over classes as in Yang and Liu (1999).

    >>> macro_f1(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), classes=2)
    0.7333333333333334
    """
    number = check_count("classes", classes, least=1)
    check_classes(np.ndarray, number, y_true=y_true, y_pred=y_pred)
    every = np.arange(number)[:, None]
    labelled, answered = y_true == every, y_pred == every
    found = (labelled & answered).sum(axis=1)
    both = labelled.sum(axis=1) + answered.sum(axis=1)
    return float(np.mean(2 * found / np.maximum(both, 1)))
