"""Convolution over images in NCHW: from four loops to matrix products, and back.

"Convolution" is cross-correlation, as everywhere in deep learning: the kernel is not flipped.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_lib.numpy_kernels._blocks import blocks
from course_lib.validate import check_arrays, check_cache, check_count, check_flag
from course_lib.windows import Pair, Windows, check_conv2d, check_fits, check_pair, check_windows

Cache = tuple[np.ndarray, np.ndarray, np.ndarray | None, Windows, int, tuple[int, ...]]


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
    for block in blocks(views):
        np.matmul(kernels, _columns(views[block], groups), out=out[block])
        if bias is not None:
            out[block] += bias
    out = out.reshape(n, len(w), *size)
    return out, (x, w, b, windows, groups, out.shape)


def conv2d_backward(dout: np.ndarray, cache: Cache, input_gradient: bool = True) -> tuple[np.ndarray | None, ...]:
    """Backward pass of `conv2d_forward`.

    With ``cols = im2col(x)``: ``dw = sum over n of dout[n] @ cols[n].T``, ``db`` is dout summed over images and
    places, and ``w.T @ dout[n]`` is the gradient of the columns, added up where the windows overlap (col2im).
    With a stride of 1 dx is also a convolution of dout, by the flipped kernels; this is done where it costs less.

    Args:
        dout: gradient of the loss with respect to the output, (N, K, H', W'), same dtype as x.
        cache: what `conv2d_forward` returned second.
        input_gradient: is dx wanted? Before the first layer of a network there is nobody to use it.

    Returns:
        ``dx`` (or None), ``dw`` and, if there was a bias, ``db``, in the shapes of x, w and b.

    Raises:
        TypeError: an argument is no array or no cache, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: LeCun et al. (1989).

    >>> conv2d_backward(np.ones((1, 1, 2, 2)), conv2d_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))[1])[0]
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    x, w, b, windows, groups, shape = check_cache(cache, 6, "conv2d_forward")
    check_arrays(np.ndarray, x=(x, None), dout=(dout, " ".join(map(str, shape))))
    around = _mirrored(windows)
    # The columns of dout serve both gradients, but have K * kh * kw rows where those of x have C * kh * kw.
    by_dout = windows.stride == (1, 1) and min(around.padding) >= 0 and len(w) <= x.shape[1]
    if check_flag("input_gradient", input_gradient) and by_dout:
        grads = _from_dout(dout, x, w, around, groups)
    else:
        grads = _from_x(dout, x, w, windows, groups, input_gradient)
    return grads if b is None else (*grads, dout.reshape(*shape[:2], -1).sum(axis=2).sum(axis=0))


def _from_x(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, windows: Windows, groups: int, input_gradient: bool
) -> tuple[np.ndarray | None, np.ndarray]:
    """dx, if it is wanted, and dw with the columns of x."""
    views, (top, left), (h, width) = _windows(x, windows), windows.padding, x.shape[2:]
    products, kernels = _pixels(dout, groups), _kernels(w, groups).swapaxes(1, 2)
    dkernels = np.zeros(kernels.shape, dtype=w.dtype)
    padded = np.zeros((*x.shape[:2], h + 2 * top, width + 2 * left), dtype=x.dtype)
    for block in blocks(views):
        # Columns first: OpenBLAS is up to twice as fast this way round as with dout first.
        dkernels += np.matmul(_columns(views[block], groups), products[block].swapaxes(2, 3)).sum(axis=0)
        if input_gradient:
            _add_back(padded[block], kernels, dout[block], windows)
    dx = np.ascontiguousarray(padded[:, :, top : top + h, left : left + width]) if input_gradient else None
    return dx, dkernels.swapaxes(1, 2).reshape(w.shape)


def _from_dout(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, around: Windows, groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """dx and dw with the columns of dout: dx by the flipped kernels, dw as what they would have got."""
    views, pixels = _windows(dout, around), _pixels(x, groups)
    _, k, kh, kw, _, _ = views.shape
    split = groups, k // groups, -1, kh, kw
    flipped = w.reshape(split)[..., ::-1, ::-1].swapaxes(1, 2).reshape(groups, pixels.shape[2], -1)
    dflipped = np.zeros((groups, flipped.shape[2], flipped.shape[1]), dtype=w.dtype)
    dx = np.empty(pixels.shape, dtype=x.dtype)
    for block in blocks(views):
        columns = _columns(views[block], groups)
        np.matmul(flipped, columns, out=dx[block])
        dflipped += np.matmul(columns, pixels[block].swapaxes(2, 3)).sum(axis=0)
    dw = dflipped.reshape(groups, k // groups, kh, kw, -1)[:, :, ::-1, ::-1].transpose(0, 1, 4, 2, 3)
    return dx.reshape(x.shape), dw.reshape(w.shape)


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


def _pixels(images: np.ndarray, groups: int) -> np.ndarray:
    """Images with their places in a row, (N, groups, channels / groups, H * W)."""
    n, c, h, w = images.shape
    return images.reshape(n, groups, c // groups, h * w)


def _mirrored(windows: Windows) -> Windows:
    """The windows over dout in which each pixel of x finds every output that it went into, at a stride of 1."""
    spans = (d * (k - 1) for k, d in zip(windows.kernel, windows.dilation, strict=True))
    top, left = (span - p for span, p in zip(spans, windows.padding, strict=True))
    return windows._replace(padding=(top, left))


def _add_back(padded: np.ndarray, kernels: np.ndarray, dout: np.ndarray, windows: Windows) -> None:
    """Add ``w.T @ dout``, the gradient of every window, to the places of the images where the window lay (col2im)."""
    (kh, kw), (sh, sw), _, (dh, dw) = windows
    n, c, _, width = padded.shape
    in_one_row = sh == sw == 1
    if in_one_row:
        # An image is one long row: with dout's rows as long as the image's, every shift is a shift along that row,
        # and each sum below runs through the whole image at once, several times faster than row by row.
        dout, padded = _lengthened(dout, width), padded.reshape(n, c, 1, -1)
    columns = np.matmul(kernels, _pixels(dout, len(kernels)))
    ho, wo = (1, dout.shape[2] * width) if in_one_row else dout.shape[2:]
    columns = columns.reshape(n, c, kh, kw, ho, wo)
    for u, v in np.ndindex(kh, kw):
        i, j = (0, u * dh * width + v * dw) if in_one_row else (u * dh, v * dw)
        place = padded[:, :, i : i + sh * (ho - 1) + 1 : sh, j : j + sw * (wo - 1) + 1 : sw]
        # What would lie behind the end of the long row is only what the lengthening added.
        place += columns[:, :, u, v, :, : place.shape[3]]


def _lengthened(images: np.ndarray, width: int) -> np.ndarray:
    """The images with zeros on the right, up to a width."""
    out = np.zeros((*images.shape[:3], width), dtype=images.dtype)
    out[..., : images.shape[3]] = images
    return out
