"""Derivatives without calculus: how a function changes when one number of its input moves a little."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real

import numpy as np

from course_lib.validate import check_arrays, check_number, check_same

Scalar = Callable[[np.ndarray], float]


def numerical_gradient(f: Scalar, x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """The gradient by central differences, one entry after the other.

    ``(f(x + h * e_i) - f(x - h * e_i)) / (2 * h)``: wrong by about ``h**2 / 6`` times the third derivative,
    and by rounding, which grows as h shrinks.

    Args:
        f: takes an array like `x` in float64, whatever the dtype of `x`, and gives a number.
        x: where, any shape, float32 or float64.
        h: the step, positive.

    Returns:
        The gradient, shape and dtype of `x`.

    Raises:
        TypeError: an argument is of the wrong type or dtype, or `f` gives no number.
        ValueError: `h` is not positive.

    Source: Newton's difference quotients; the central one is of second order.

    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    check_arrays(np.ndarray, x=(x, None))
    h = check_number("h", h, positive=True)
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        gradient[i] = (_value_near(f, x, (i, h)) - _value_near(f, x, (i, -h))) / (2 * h)
    return gradient.astype(x.dtype)


def relative_error(a: np.ndarray, b: np.ndarray, floor: float = 1e-8) -> np.floating:
    """How far two arrays are apart, at the worst entry: ``max |a - b| / max(|a| + |b|, floor)``.

    Args:
        a: any shape with entries, float32 or float64.
        b: same shape and dtype.
        floor: smallest denominator, positive: where both are about 0, they agree.

    Returns:
        A number without axes from 0 (equal) to 1 (opposite signs), same dtype; a NaN anywhere gives NaN.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: the shapes differ or are empty, or `floor` is not positive.

    Source: the usual measure of gradient checks; below 1e-7 in float64 is good, above 1e-2 is a bug.

    >>> float(relative_error(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    0.5
    """
    check_arrays(np.ndarray, a=(a, None))
    check_same(np.ndarray, b=b, a=a)
    if not a.size:
        raise ValueError(f"a has shape {a.shape}; expected at least one entry.")
    floor = check_number("floor", floor, positive=True)
    return np.max(np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), a.dtype.type(floor)))


def _value_near(f: Scalar, x: np.ndarray, *steps: tuple[tuple[int, ...], float]) -> float:
    """The value of f in float64, some entries of x moved by a step each."""
    there = x.astype(np.float64)
    for i, step in steps:
        there[i] += step
    value = f(there)
    if isinstance(value, bool) or not (isinstance(value, Real) or getattr(value, "ndim", None) == 0):
        raise TypeError(f"f(x) is of type {type(value).__name__}; expected a number.")
    return float(value)
