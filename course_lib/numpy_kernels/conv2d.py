"""Convolution over images in NCHW: from four loops to matrix products, and back.

"Convolution" is cross-correlation, as everywhere in deep learning: the kernel is not flipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_lib.validate import check_arrays, check_cache, check_count
from course_lib.windows import Pair, Windows, check_conv2d, check_fits, check_pair, check_windows

Cache = tuple[np.ndarray, np.ndarray, np.ndarray | None, Windows, int]
# Columns of about one megabyte stay in the processor's second-level cache until the product has read them.
_BLOCK_BYTES = 1 << 20


def conv_output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many windows fit along one axis.

    ``floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1``.

    Args:
        size: of the input along the axis.
        kernel: entries of the window.
        stride: step from window to window.
        padding: added on each side.
        dilation: step between the entries of a window.

    Returns:
        The size of the output, at least 1.

    Raises:
        TypeError: an argument is no integer.
        ValueError: an argument is too small, or no window fits.

    Source: Dumoulin and Visin (2016), a guide to convolution arithmetic.

    >>> conv_output_size(227, kernel=11, stride=4), conv_output_size(28, kernel=5, padding=2)
    (55, 28)
    """
    size, kernel = check_count("size", size, least=1), check_count("kernel", kernel, least=1)
    stride, dilation = check_count("stride", stride, least=1), check_count("dilation", dilation, least=1)
    check_fits("entries", size, kernel, check_count("padding", padding, least=0), dilation)
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def pad2d(x: np.ndarray, padding: int | Pair, value: float = 0.0) -> np.ndarray:
    """A border around every image.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        padding: rows above and below, columns left and right: an integer, or a pair (height, width).
        value: what the border is filled with.

    Returns:
        A new array, (N, C, H + 2 * padding, W + 2 * padding), same dtype.

    Raises:
        TypeError: `x` is no array of floating numbers, or another argument is no number.
        ValueError: the shape does not fit, or `padding` is negative.

    Source: LeCun et al. (1989), where the border is a constant.

    >>> pad2d(np.ones((1, 1, 1, 1)), (0, 1))
    array([[[[0., 1., 0.]]]])
    """
    check_arrays(np.ndarray, x=(x, "N C H W"))
    top, left = check_pair("padding", padding, least=0)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"value is of type {type(value).__name__}; expected a number.")
    n, c, h, w = x.shape
    out = np.full((n, c, h + 2 * top, w + 2 * left), value, dtype=x.dtype)
    out[:, :, top : top + h, left : left + w] = x
    return out


def conv2d_loops(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """The definition, one output number at a time: slow, and easy to believe.

    ``out[n, k, i, j] = b[k] + sum over c, u, v of padded[n, c, i * s + u * d, j * s + v * d] * w[k, c, u, v]``.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        w: kernels, (K, C / groups, kh, kw), same dtype.
        b: biases, (K,), same dtype, or None.
        stride: step from window to window, an integer or a pair (height, width).
        padding: zeros on each side, an integer or a pair.
        dilation: step between the entries of a window, an integer or a pair.
        groups: the channels are cut into so many groups, each with its own share of the kernels.

    Returns:
        ``out``, (N, K, H', W') with the sizes of `conv_output_size`, same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or a number does not fit.

    Source: Fukushima (1980); LeCun et al. (1989).

    >>> conv2d_loops(np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2)))
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    windows, groups = check_conv2d(np.ndarray, (x, w, b), stride, padding, dilation, groups)
    views = _windows(x, windows)
    n, _, _, _, *size = views.shape
    out = np.empty((n, len(w), *size), dtype=x.dtype)
    channels, kernels = w.shape[1], len(w) // groups
    for image, k, i, j in np.ndindex(out.shape):
        first = k // kernels * channels
        window = views[image, first : first + channels, :, :, i, j]
        out[image, k, i, j] = np.sum(window * w[k]) + (0 if b is None else b[k])
    return out


def im2col(
    x: np.ndarray,
    kernel: int | Pair,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
) -> np.ndarray:
    """Every window of every image as a column.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        kernel: size of the window, an integer or a pair (height, width).
        stride: step from window to window, an integer or a pair.
        padding: zeros on each side, an integer or a pair.
        dilation: step between the entries of a window, an integer or a pair.

    Returns:
        A new array, (N, C * kh * kw, H' * W'), same dtype: rows in the order of ``w.reshape(K, -1)``.

    Raises:
        TypeError: `x` is no array of floating numbers, or another argument is no integer.
        ValueError: a shape or a number does not fit.

    Source: Chellapilla, Puri and Simard (2006).

    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)
    array([[[0., 1., 3., 4.],
            [1., 2., 4., 5.],
            [3., 4., 6., 7.],
            [4., 5., 7., 8.]]])
    """
    check_arrays(np.ndarray, x=(x, "N C H W"))
    views = _windows(x, check_windows(x.shape, kernel, stride, padding, dilation))
    return np.array(_columns(views, 1)[:, 0], order="C")


def conv2d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> tuple[np.ndarray, Cache]:
    """The convolution of `conv2d_loops` as one matrix product per image.

    ``out[n] = w.reshape(K, -1) @ im2col(x)[n] + b``.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        w: kernels, (K, C / groups, kh, kw), same dtype.
        b: biases, (K,), same dtype, or None.
        stride: step from window to window, an integer or a pair (height, width).
        padding: zeros on each side, an integer or a pair.
        dilation: step between the entries of a window, an integer or a pair.
        groups: the channels are cut into so many groups, each with its own share of the kernels.

    Returns:
        ``out``, (N, K, H', W') with the sizes of `conv_output_size`, same dtype, and the cache.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or a number does not fit.

    Source: LeCun et al. (1989); as a matrix product Chellapilla, Puri and Simard (2006).

    >>> conv2d_forward(np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2)), np.array([0.5]))[0]
    array([[[[ 8.5, 12.5],
             [20.5, 24.5]]]])
    """
    windows, groups = check_conv2d(np.ndarray, (x, w, b), stride, padding, dilation, groups)
    views = _windows(x, windows)
    n, _, _, _, *size = views.shape
    kernels = _kernels(w, groups)
    out = np.empty((n, *kernels.shape[:2], size[0] * size[1]), dtype=x.dtype)
    bias = None if b is None else b.reshape(groups, -1, 1)
    for block in _blocks(views):
        np.matmul(kernels, _columns(views[block], groups), out=out[block])
        if bias is not None:
            out[block] += bias
    return out.reshape(n, len(w), *size), (x, w, b, windows, groups)


def conv2d_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, ...]:
    """Backward pass of `conv2d_forward`.

    With ``cols = im2col(x)``: ``dw = sum over n of dout[n] @ cols[n].T``, ``db`` is dout summed over images and
    places, and ``w.T @ dout[n]`` is the gradient of the columns, added up where the windows overlap.

    Args:
        dout: gradient of the loss with respect to the output, (N, K, H', W'), same dtype as x.
        cache: what `conv2d_forward` returned second.

    Returns:
        ``dx``, ``dw`` and, if there was a bias, ``db``, in the shapes of x, w and b.

    Raises:
        TypeError: an argument is no array or no cache, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: LeCun et al. (1989).

    >>> conv2d_backward(np.ones((1, 1, 2, 2)), conv2d_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))[1])[0]
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    x, w, b, windows, groups = check_cache(cache, 5, "conv2d_forward")
    views = _windows(x, windows)
    n, _, _, _, *size = views.shape
    check_arrays(np.ndarray, x=(x, None), dout=(dout, f"{n} {len(w)} {size[0]} {size[1]}"))
    products = dout.reshape(n, groups, len(w) // groups, -1)
    dx, dw = np.empty_like(x, order="C"), np.zeros_like(_kernels(w, groups).swapaxes(1, 2), order="C")
    for block in _blocks(views):
        # Columns first: OpenBLAS is up to twice as fast this way round as with dout first.
        dw += np.matmul(_columns(views[block], groups), products[block].swapaxes(2, 3)).sum(axis=0)
        dx[block] = _input_gradient(dout[block], w, windows, groups, x.shape[2:])
    dw = dw.swapaxes(1, 2).reshape(w.shape)
    return (dx, dw) if b is None else (dx, dw, products.sum(axis=3).sum(axis=0).reshape(b.shape))


def _windows(x: np.ndarray, windows: Windows) -> np.ndarray:
    """Every window of the padded images as a view (N, C, kh, kw, H', W'): nothing is copied but the border."""
    (kh, kw), (sh, sw), padding, (dh, dw) = windows
    padded = pad2d(x, padding) if any(padding) else x
    view = sliding_window_view(padded, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), axis=(2, 3))
    return view[:, :, ::sh, ::sw, ::dh, ::dw].transpose(0, 1, 4, 5, 2, 3)


def _columns(views: np.ndarray, groups: int) -> np.ndarray:
    """The windows as columns, (N, groups, C / groups * kh * kw, H' * W'): the one copy of a convolution."""
    n, c, kh, kw, ho, wo = views.shape
    return views.reshape(n, groups, c // groups * kh * kw, ho * wo)


def _kernels(w: np.ndarray, groups: int) -> np.ndarray:
    """Each kernel as a row, (groups, K / groups, C / groups * kh * kw)."""
    return w.reshape(groups, len(w) // groups, -1)


def _blocks(views: np.ndarray) -> Iterator[slice]:
    """Slices of as many images as make about one megabyte of columns."""
    step = max(1, _BLOCK_BYTES // views[0].nbytes)
    return (slice(i, i + step) for i in range(0, len(views), step))


def _input_gradient(dout: np.ndarray, w: np.ndarray, windows: Windows, groups: int, size: Pair) -> np.ndarray:
    """The gradient with respect to images of the given size: the gradients of their columns, added up (col2im)."""
    (kh, kw), (sh, sw), (top, left), (dh, dw) = windows
    height, width = size[0] + 2 * top, size[1] + 2 * left
    in_one = sh == sw == 1
    if in_one:
        # Zeros make the rows as long as the image's. Then any shift in the image is one shift in memory, and each
        # sum below runs through the whole image at once instead of row by row.
        dout = np.pad(dout, ((0, 0), (0, 0), (0, 0), (0, width - dout.shape[3])))
    n, k, ho, wo = dout.shape
    columns = np.matmul(_kernels(w, groups).swapaxes(1, 2), dout.reshape(n, groups, k // groups, ho * wo))
    columns = columns.reshape(n, -1, kh, kw, ho, wo)
    memory = np.zeros((n, columns.shape[1], height * width + (kw - 1) * dw), dtype=dout.dtype)
    image = memory[:, :, : height * width].reshape(n, -1, height, width)
    for u, v in np.ndindex(kh, kw):
        i, j = u * dh, v * dw
        if in_one:
            memory[:, :, i * width + j :][:, :, : ho * wo] += columns[:, :, u, v].reshape(n, -1, ho * wo)
        else:
            image[:, :, i : i + sh * (ho - 1) + 1 : sh, j : j + sw * (wo - 1) + 1 : sw] += columns[:, :, u, v]
    return image[:, :, top : top + size[0], left : left + size[1]]
