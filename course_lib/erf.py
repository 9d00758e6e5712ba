"""The error function, element by element, with NumPy alone.

SciPy has one, but inside the grading walls there is no SciPy. This one is within four units in the last place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Polynomial, chebyshev

from course_lib.validate import check_arrays

# Below 1: erf(x) = x * S(x**2), with S the Maclaurin series.
_SERIES = Polynomial([2 / math.sqrt(math.pi) * (-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(18)])
# From 1 to 6: erf(x) = 1 - exp(-x**2) * T(u), with T a polynomial in u = 1 / (x + 2), scaled to [-1, 1].
_LOW, _HIGH = 1 / 8, 1 / 3


def _scaled_erfc(x: np.ndarray) -> np.ndarray:
    """``exp(x**2) * erfc(x)`` for x >= 1, by Laplace's continued fraction."""
    tail = x
    for k in range(400, 0, -1):
        tail = x + 0.5 * k / tail
    return 1 / (math.sqrt(math.pi) * tail)


def _fit(degree: int) -> Polynomial:
    def at(u: np.ndarray) -> np.ndarray:
        return _scaled_erfc(2 / ((_HIGH - _LOW) * u + _HIGH + _LOW) - 2)

    return Polynomial(chebyshev.cheb2poly(chebyshev.chebinterpolate(at, degree)))


_TAIL = _fit(18)


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
    size = np.abs(x, dtype=np.float64)
    # Each formula only sees numbers it is made for; minimum and maximum pass NaN on.
    near, far = np.minimum(size, 1.0), np.clip(size, 1.0, 6.0)
    u = (2 / (far + 2) - _HIGH - _LOW) / (_HIGH - _LOW)
    above = 1 - np.exp(-far * far) * _TAIL(u)
    out = np.where(size < 1, near * _SERIES(near * near), above)
    return np.copysign(out, x).astype(x.dtype)
