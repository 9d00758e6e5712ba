"""The data of the lessons: small real sets that are there offline, and points made from a generator.

What enters: a seeded generator, where chance is involved. What leaves: float64 inputs with one example
per row, and labels. Nothing is downloaded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])

_SPLIT_SEED = 0
_TRAIN, _VALIDATION = 1197, 300
_FULL_INK = 16.0

_MARKS = (
    (4, 9), (6, 5), (8, 7), (7, 12), (9, 10), (11, 6), (12, 8), (5, 14), (13, 4), (10, 9),
    (10, 13), (12, 11), (13, 10), (9, 16), (15, 8), (14, 13), (16, 11), (11, 15), (17, 15), (8, 17),
)  # fmt: skip


class Digits(NamedTuple):
    """Handwritten digits in three parts.

    Every `x_...` is `(N, 64)` float64: the ink of 8x8 pixels, from 0 (paper) to 1 (full), row by row.
    Every `y_...` is `(N,)` int64: the digit, 0 to 9.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_digits(mixed: bool = True) -> Digits:
    """The 1,797 real digits that come with scikit-learn, always cut the same way: 1,197, 300 and 300.

    Args:
        mixed: shuffle before cutting, so that every writer is in every part. False keeps the order of
            the file, in which the test part comes from the last writers.

    >>> load_digits().x_test.shape
    (300, 64)
    """
    from sklearn.datasets import load_digits as load  # takes a second: only whoever needs it pays

    data = load()
    count = len(data.target)
    order = np.random.default_rng(_SPLIT_SEED).permutation(count) if mixed else np.arange(count)
    x, y = data.data[order] / _FULL_INK, data.target[order].astype(np.int64)
    end = _TRAIN + _VALIDATION
    return Digits(x[:_TRAIN], y[:_TRAIN], x[_TRAIN:end], y[_TRAIN:end], x[end:], y[end:])


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """One row per label: a single 1, in the column of the class.

    Args:
        labels: `(N,)` integers from 0 to `classes` - 1.
        classes: how many columns.

    Returns:
        `(N, classes)` float64.

    Raises:
        ValueError: a label is not one of the classes.

    >>> one_hot(np.array([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    labels = np.asarray(labels)
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        found = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"Labels go from {found}; with {classes} classes they must go from 0 to {classes - 1}.")
    return np.eye(classes)[labels]


def pupils() -> tuple[np.ndarray, np.ndarray]:
    """Twenty invented pupils, admitted when their two marks add up to 22 or more.

    Returns:
        Marks in maths and physics, out of 20, `(20, 2)`, and 1 for admitted, else 0, `(20,)`.
    """
    marks = np.array(_MARKS, dtype=float)
    return marks, (marks.sum(axis=1) >= 22).astype(float)


def xor_points(
    copies: int = 1, spread: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The four corners of XOR, or clouds of points around them.

    Args:
        copies: points per corner.
        spread: each coordinate moves by a uniform draw from [-spread, spread].
        rng: where the draws come from; needed when `spread` is not 0.

    Returns:
        Points `(4 * copies, 2)` and labels `(4 * copies, 1)`, 1 where exactly one input is 1.

    Raises:
        ValueError: a spread without a generator.
    """
    x, y = np.tile(CORNERS, (copies, 1)), np.tile(XOR, (copies, 1))
    if spread == 0:
        return x, y
    if rng is None:
        raise ValueError("xor_points needs rng= (a NumPy generator) when spread is not 0.")
    return x + rng.uniform(-spread, spread, x.shape), y
