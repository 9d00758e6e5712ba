"""Convolution along a text: windows of consecutive words, each word a vector."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_lib.numpy_kernels._blocks import blocks
from course_lib.validate import check_arrays, check_cache
from course_lib.windows import check_conv1d

Cache = tuple[np.ndarray, np.ndarray, np.ndarray | None, int, int, int]


def conv1d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> tuple[np.ndarray, Cache]:
    """Every window as a row, times every filter as a column.

    ``out[n, l, m] = b[m] + sum over d, j of padded[n, l * stride + j * dilation, d] * w[m, d, j]``.

    Args:
        x: texts, (N, L, D): L words, each a vector of D numbers; float32 or float64.
        w: filters, (M, D, width), same dtype.
        b: biases, (M,), same dtype, or None.
        stride: step from window to window.
        padding: zero vectors before the first and after the last word.
        dilation: step between the words of a window.

    Returns:
        ``out``, (N, L', M) with L' as `conv_output_size` has it, same dtype, and the cache.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or a number does not fit.

    Source: Waibel et al. (1989) along time; Kim (2014) over words.

    >>> conv1d_forward(np.arange(7.0).reshape(1, 7, 1), np.ones((1, 1, 3)))[0].ravel()
    array([ 3.,  6.,  9., 12., 15.])
    """
    stride, padding, dilation = check_conv1d(np.ndarray, (x, w, b), stride, padding, dilation)
    views, filters = _windows(x, w.shape[2], stride, padding, dilation), _filters(w)
    out = np.empty((*views.shape[:2], len(w)), dtype=x.dtype)
    for block in blocks(views):
        np.matmul(_rows(views[block]), filters, out=out[block].reshape(-1, len(w)))
        if b is not None:
            out[block] += b
    return out, (x, w, b, stride, padding, dilation)


def conv1d_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, ...]:
    """Backward pass of `conv1d_forward`.

    With the windows as rows: ``dw = rows.T @ dout``, ``db`` is dout summed over texts and places, and
    ``dout @ w`` is the gradient of the windows, added up where they overlap.

    Args:
        dout: gradient of the loss with respect to the output, (N, L', M), same dtype as x.
        cache: what `conv1d_forward` returned second.

    Returns:
        ``dx``, ``dw`` and, if there was a bias, ``db``, in the shapes of x, w and b.

    Raises:
        TypeError: an argument is no array or no cache, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Waibel et al. (1989).

    >>> conv1d_backward(np.ones((1, 2, 1)), conv1d_forward(np.ones((1, 3, 1)), np.ones((1, 1, 2)))[1])[0].ravel()
    array([1., 2., 1.])
    """
    x, w, b, stride, padding, dilation = check_cache(cache, 6, "conv1d_forward")
    (_, depth, width), filters = w.shape, _filters(w)
    views = _windows(x, width, stride, padding, dilation)
    n, places = views.shape[:2]
    check_arrays(np.ndarray, x=(x, None), dout=(dout, f"{n} {places} {len(w)}"))
    dfilters = np.zeros_like(filters)
    padded = np.zeros((n, x.shape[1] + 2 * padding, depth), dtype=x.dtype)
    for block in blocks(views):
        drows = dout[block].reshape(-1, len(w))
        dfilters += _rows(views[block]).T @ drows
        dviews = (drows @ filters.T).reshape(-1, places, width, depth)
        for j in range(width):
            first = j * dilation
            padded[block, first : first + stride * (places - 1) + 1 : stride] += dviews[:, :, j]
    dx = padded[:, padding : padding + x.shape[1]]
    dw = dfilters.reshape(width, depth, -1).transpose(2, 1, 0).copy()
    return (dx, dw) if b is None else (dx, dw, dout.sum(axis=(0, 1)))


def _windows(x: np.ndarray, width: int, stride: int, padding: int, dilation: int) -> np.ndarray:
    """Every window of every text as a view, (N, L', width, D)."""
    padded = np.pad(x, ((0, 0), (padding, padding), (0, 0))) if padding else x
    views = sliding_window_view(padded, dilation * (width - 1) + 1, axis=1)
    return views[:, ::stride, :, ::dilation].swapaxes(2, 3)


def _rows(views: np.ndarray) -> np.ndarray:
    """The windows as rows, (N * L', width * D)."""
    return views.reshape(-1, views.shape[2] * views.shape[3])


def _filters(w: np.ndarray) -> np.ndarray:
    """Each filter as a column, (width * D, M): word after word, as the rows have them."""
    return w.transpose(2, 1, 0).reshape(-1, len(w))
