"""The dense layer: arrays in, array and cache out."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_cache

Affine = tuple[np.ndarray, tuple[np.ndarray, ...]]


def affine_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> Affine:
    """Weighted sums of the inputs plus a bias, for a whole batch.

    ``out[n, m] = sum_d x[n, d] * w[m, d] + b[m]``, that is ``x @ w.T + b``.

    Args:
        x: inputs, (N, D), float32 or float64.
        w: weights, (M, D), one row per output, same dtype.
        b: biases, (M,), same dtype.

    Returns:
        ``out``, (N, M), and the cache ``(x, w, b)`` for a backward pass.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: the layer of Rosenblatt (1958); weights stored (out, in) as in `torch.nn.Linear`.

    >>> affine_forward(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([0.5, -1.0]))[0]
    array([[11.5,  1. ]])
    """
    check_arrays(np.ndarray, x=(x, "N D"), w=(w, "M D"), b=(b, "M"))
    return x @ w.T + b, (x, w, b)


def affine_backward(dout: np.ndarray, cache: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Backward pass of `affine_forward`: the gradients of its three arguments.

    ``dx = dout @ w``, ``dw = dout.T @ x``, ``db = sum_n dout[n]``.

    Args:
        dout: gradient of the loss with respect to the output, (N, M), float32 or float64.
        cache: what `affine_forward` returned second.

    Returns:
        ``dx`` (N, D), ``dw`` (M, D) and ``db`` (M,), same dtype.

    Raises:
        TypeError: an argument is no array or no cache, or a dtype does not fit.
        ValueError: a shape does not fit.

    Source: Rumelhart, Hinton and Williams (1986).

    >>> x, w, b = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.zeros(1)
    >>> affine_backward(np.array([[10.0]]), affine_forward(x, w, b)[1])
    (array([[30., 40.]]), array([[10., 20.]]), array([10.]))
    """
    x, w, _ = check_cache(cache, 3, "affine_forward")
    check_arrays(np.ndarray, x=(x, "N D"), w=(w, "M D"), dout=(dout, "N M"))
    return dout @ w, dout.T @ x, dout.sum(axis=0)
