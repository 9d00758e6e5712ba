"""Activation functions: an array in, an array of the same shape and dtype out."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function, element by element.

    ``1 / (1 + exp(-x))``, written so that `exp` only ever sees numbers at or below zero.

    Args:
        x: any shape, also without axes; float32 or float64.

    Returns:
        Numbers between 0 and 1, same shape and dtype as `x`.

    Raises:
        TypeError: `x` is no array of floating numbers.

    Source: Verhulst (1845); as a unit of a network Rumelhart, Hinton and Williams (1986).

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    check_arrays((np.ndarray, np.generic), x=(x, None))
    # exp(-|x|) cannot overflow; exp(x) at 1000 would be inf, and inf / inf is NaN.
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.ones_like(small)) / (1 + small)
