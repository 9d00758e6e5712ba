"""The error function, element by element, with NumPy alone.

SciPy has one, but inside the grading walls there is no SciPy. This one is within four units in the last place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import chebyshev

from course_lib.validate import check_arrays

# Below 1: erf(x) = x * S(x**2), with S the Maclaurin series.
_SERIES = [2 / math.sqrt(math.pi) * (-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(18)]
# From 1 to 6: erf(x) = 1 - exp(-x**2) * T(u), with T a polynomial in u = 1 / (x + 2), scaled to [-1, 1].
_LOW, _HIGH = 1 / 8, 1 / 3


def _scaled_erfc(x: np.ndarray) -> np.ndarray:
    """``exp(x**2) * erfc(x)`` for x >= 1, by Laplace's continued fraction."""
    tail = x
    for k in range(400, 0, -1):
        tail = x + 0.5 * k / tail
    return 1 / (math.sqrt(math.pi) * tail)


def _fit(degree: int) -> list[float]:
    def at(u: np.ndarray) -> np.ndarray:
        return _scaled_erfc(2 / ((_HIGH - _LOW) * u + _HIGH + _LOW) - 2)

    return chebyshev.cheb2poly(chebyshev.chebinterpolate(at, degree)).tolist()


# As many coefficients as the dtype can tell apart.
_COEFFICIENTS = {4: (_SERIES[:11], _fit(8)), 8: (_SERIES, _fit(18))}


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, ``2 / sqrt(pi) * integral of exp(-t**2) from 0 to x``.

    A power series below 1, a polynomial fitted to the continued fraction of Laplace above, 1 beyond 6.

    Args:
        x: any shape, also without axes; float32 or float64.

    Returns:
        Numbers from -1 to 1, same shape and dtype as `x`.

    Raises:
        TypeError: `x` is no array of floating numbers.

    Source: Abramowitz and Stegun (1964), 7.1.5 and 7.1.14.

    >>> erf(np.array([-np.inf, 0.0, 0.5])).round(6)
    array([-1.    ,  0.    ,  0.5205])
    """
    check_arrays((np.ndarray, np.generic), x=(x, None))
    series, tail = _COEFFICIENTS[x.dtype.itemsize]
    size = np.abs(x)
    out = np.ones_like(size)
    near = size < 1
    part = size[near]
    out[near] = part * _polynomial(series, part * part)
    # Written so that NaN is computed with, and comes out.
    middle = ~(near | (size >= 6))
    part = size[middle]
    u = (2 / (part + 2) - (_HIGH + _LOW)) / (_HIGH - _LOW)
    out[middle] = 1 - np.exp(-part * part) * _polynomial(tail, u)
    return np.copysign(out, x)


def _polynomial(coefficients: list[float], t: np.ndarray) -> np.ndarray:
    """Horner's rule, lowest coefficient first."""
    out = np.full_like(t, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        out *= t
        out += coefficient
    return out
