"""Curvature: how fast the gradient changes, and how long a step may be because of it."""

from __future__ import annotations

import numpy as np

from course_lib.numpy_kernels.differences import Scalar, _value_near
from course_lib.validate import check_arrays, check_number


def laplacian(f: Scalar, x: np.ndarray, h: float = 1e-4) -> np.floating:
    """The sum of the second derivatives along all axes, by differences.

    ``sum_i (f(x + h * e_i) - 2 * f(x) + f(x - h * e_i)) / h**2``: the trace of the Hessian without the Hessian.

    Args:
        f: takes an array like `x` in float64, whatever the dtype of `x`, and gives a number.
        x: where, any shape, float32 or float64.
        h: the step, positive.

    Returns:
        The Laplacian, a number without axes, dtype of `x`.

    Raises:
        TypeError: an argument is of the wrong type or dtype, or `f` gives no number.
        ValueError: `h` is not positive.

    Source: Laplace (1782); the difference quotient of second order.

    >>> round(float(laplacian(lambda x: x[0] ** 2 + 3 * x[1] ** 2, np.array([5.0, 1.0]))), 4)
    8.0
    """
    check_arrays(np.ndarray, x=(x, None))
    h = check_number("h", h, positive=True)
    middle = _value_near(f, x)
    sides = (_value_near(f, x, (i, h)) - 2 * middle + _value_near(f, x, (i, -h)) for i in np.ndindex(x.shape))
    return x.dtype.type(sum(sides) / h**2)


def numerical_hessian(f: Scalar, x: np.ndarray, h: float = 1e-4) -> np.ndarray:
    """The matrix of second derivatives by central differences.

    ``(f(+h, +h) - f(+h, -h) - f(-h, +h) + f(-h, -h)) / (4 * h**2)`` for each pair of entries moved.

    Args:
        f: takes an array like `x` in float64, whatever the dtype of `x`, and gives a number.
        x: where, (D,), float32 or float64.
        h: the step, positive.

    Returns:
        The Hessian, (D, D), dtype of `x`, exactly symmetric.

    Raises:
        TypeError: an argument is of the wrong type or dtype, or `f` gives no number.
        ValueError: a shape does not fit, or `h` is not positive.

    Source: Hesse (1857); the four-point difference quotient.

    >>> numerical_hessian(lambda x: x[0] ** 2 + 3 * x[0] * x[1], np.array([1.0, 2.0])).round(4) + 0
    array([[2., 3.],
           [3., 0.]])
    """
    check_arrays(np.ndarray, x=(x, "D"))
    h = check_number("h", h, positive=True)
    hessian = np.empty((x.size, x.size))
    for i in range(x.size):
        for k in range(i + 1):
            corners = [s * r * _value_near(f, x, ((i,), s * h), ((k,), r * h)) for s in (1, -1) for r in (1, -1)]
            hessian[i, k] = hessian[k, i] = sum(corners) / (4 * h**2)
    return hessian.astype(x.dtype)


def sharpness(hessian: np.ndarray) -> np.floating:
    """The largest curvature in any direction: the largest absolute eigenvalue of the Hessian.

    Args:
        hessian: second derivatives, (D, D), symmetric, float32 or float64.

    Returns:
        A number without axes, same dtype; NaN when an entry is not finite.

    Raises:
        TypeError: `hessian` is of the wrong type or dtype.
        ValueError: it is not square or not symmetric.

    Source: Hochreiter and Schmidhuber (1997) on flat minima; Keskar et al. (2017).

    >>> float(sharpness(np.array([[2.0, 0.0], [0.0, -5.0]])))
    5.0
    """
    check_arrays(np.ndarray, hessian=(hessian, "D D"))
    if not np.isfinite(hessian).all():
        return hessian.dtype.type(np.nan)
    if not np.allclose(hessian, hessian.T, rtol=1e-4, atol=1e-6 * np.abs(hessian).max()):
        raise ValueError("hessian is not symmetric; expected hessian[i, k] == hessian[k, i].")
    return np.abs(np.linalg.eigvalsh(hessian)).max()


def max_stable_step(hessian: np.ndarray) -> np.floating:
    """The step length below which a step of gradient descent makes the loss fall: ``2 / L``.

    Descent lemma: when no curvature between here and there is above L, then
    ``f(w - h * g) <= f(w) - h * (1 - h * L / 2) * |g|**2``, which is below ``f(w)`` for ``0 < h < 2 / L``.
    L is the `sharpness`; on a quadratic loss it is the same everywhere.

    Args:
        hessian: second derivatives, (D, D), symmetric, float32 or float64.

    Returns:
        A number without axes, same dtype; infinity where there is no curvature.

    Raises:
        TypeError: `hessian` is of the wrong type or dtype.
        ValueError: it is not square or not symmetric.

    Source: Nesterov (2004), theorem 2.1.14 and lemma 1.2.3.

    >>> float(max_stable_step(np.array([[2.0, 0.0], [0.0, 8.0]])))
    0.25
    """
    bound = sharpness(hessian)
    return bound.dtype.type(np.inf) if bound == 0 else bound.dtype.type(2) / bound
