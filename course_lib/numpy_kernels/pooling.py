"""Pooling and upsampling over images in NCHW: maxima, means, and the way back.

A window of a maximum or a mean can be taken along the columns first and along the rows after: k + k steps
instead of k * k, and the ties still go to the first entry in reading order.
"""

from __future__ import annotations

import numpy as np

from course_lib.numpy_kernels.conv2d import pad2d
from course_lib.validate import check_arrays, check_cache
from course_lib.windows import Pair, Windows, check_pair, check_pool2d

MaxCache = tuple[np.ndarray, Windows, np.ndarray, np.ndarray]
AverageCache = tuple[np.ndarray, Windows, tuple[int, ...]]
_ROWS, _COLUMNS = 2, 3


def maxpool2d_forward(
    x: np.ndarray, kernel: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
) -> tuple[np.ndarray, MaxCache]:
    """The largest number of every window; windows may overlap.

    ``out[n, c, i, j] = max over u, v of padded[n, c, i * stride + u, j * stride + v]``; the border is minus infinity.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        kernel: size of the window, an integer or a pair (height, width).
        stride: step from window to window, an integer or a pair; None means `kernel`.
        padding: width of the border, an integer or a pair, at most half the kernel.

    Returns:
        ``out``, (N, C, H', W') with the sizes of `conv_output_size`, same dtype, and the cache.

    Raises:
        TypeError: `x` is no array of floating numbers, or another argument is no integer.
        ValueError: a shape or a number does not fit.

    Source: Ranzato, Huang, Boureau and LeCun (2007); overlapping in Krizhevsky, Sutskever and Hinton (2012).

    >>> maxpool2d_forward(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0]
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    windows = check_pool2d(np.ndarray, x, kernel, stride, padding)
    padded = pad2d(x, windows.padding, -np.inf) if any(windows.padding) else x
    largest, columns = _largest(padded, _COLUMNS, windows)
    out, rows = _largest(largest, _ROWS, windows)
    return out, (x, windows, rows, columns)


def maxpool2d_backward(dout: np.ndarray, cache: MaxCache) -> np.ndarray:
    """Backward pass of `maxpool2d_forward`: each gradient goes to the largest entry of its window.

    Of equal entries the first one in reading order gets it all, as in Torch.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H', W'), same dtype as x.
        cache: what `maxpool2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    Raises:
        TypeError: `dout` is no array of floating numbers, or `cache` is no cache.
        ValueError: the shape does not fit.

    Source: derivative of the definition.

    >>> maxpool2d_backward(np.ones((1, 1, 1, 1)), maxpool2d_forward(np.zeros((1, 1, 2, 2)), 2)[1])
    array([[[[1., 0.],
             [0., 0.]]]])
    """
    x, windows, rows, columns = check_cache(cache, 4, "maxpool2d_forward")
    check_arrays(np.ndarray, x=(x, None), dout=(dout, " ".join(map(str, rows.shape))))
    between = _spread(dout, _ROWS, windows, x, rows)
    return _crop(_spread(between, _COLUMNS, windows, x, columns), x, windows)


def avgpool2d_forward(
    x: np.ndarray, kernel: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
) -> tuple[np.ndarray, AverageCache]:
    """The mean of every window; the zeros of the border count.

    ``out[n, c, i, j] = sum over u, v of padded[n, c, i * stride + u, j * stride + v] / (kh * kw)``.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        kernel: size of the window, an integer or a pair (height, width).
        stride: step from window to window, an integer or a pair; None means `kernel`.
        padding: width of the border, an integer or a pair, at most half the kernel.

    Returns:
        ``out``, (N, C, H', W') with the sizes of `conv_output_size`, same dtype, and the cache.

    Raises:
        TypeError: `x` is no array of floating numbers, or another argument is no integer.
        ValueError: a shape or a number does not fit.

    Source: LeCun et al. (1989), there with a weight per map.

    >>> avgpool2d_forward(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0]
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    windows = check_pool2d(np.ndarray, x, kernel, stride, padding)
    padded = pad2d(x, windows.padding) if any(windows.padding) else x
    out = _sums(_sums(padded, _COLUMNS, windows), _ROWS, windows)
    out /= windows.kernel[0] * windows.kernel[1]
    return out, (x, windows, out.shape)


def avgpool2d_backward(dout: np.ndarray, cache: AverageCache) -> np.ndarray:
    """Backward pass of `avgpool2d_forward`: each entry of a window gets the same share.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H', W'), same dtype as x.
        cache: what `avgpool2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    Raises:
        TypeError: `dout` is no array of floating numbers, or `cache` is no cache.
        ValueError: the shape does not fit.

    Source: derivative of the definition.

    >>> avgpool2d_backward(np.ones((1, 1, 1, 1)), avgpool2d_forward(np.zeros((1, 1, 2, 2)), 2)[1])
    array([[[[0.25, 0.25],
             [0.25, 0.25]]]])
    """
    x, windows, out_shape = check_cache(cache, 3, "avgpool2d_forward")
    check_arrays(np.ndarray, x=(x, None), dout=(dout, " ".join(map(str, out_shape))))
    between = _spread(dout / (windows.kernel[0] * windows.kernel[1]), _ROWS, windows, x)
    return _crop(_spread(between, _COLUMNS, windows, x), x, windows)


def global_avgpool2d_forward(x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray]]:
    """The mean of every channel: ``out[n, c] = mean over i, j of x[n, c, i, j]``.

    Args:
        x: images, (N, C, H, W), float32 or float64.

    Returns:
        ``out``, (N, C), same dtype, and the cache.

    Raises:
        TypeError: `x` is no array of floating numbers.
        ValueError: the shape does not fit.

    Source: Lin, Chen and Yan (2014), network in network.

    >>> global_avgpool2d_forward(np.arange(4.0).reshape(1, 1, 2, 2))[0]
    array([[1.5]])
    """
    check_arrays(np.ndarray, x=(x, "N C H W"))
    return x.mean(axis=(2, 3)), (x,)


def global_avgpool2d_backward(dout: np.ndarray, cache: tuple[np.ndarray]) -> np.ndarray:
    """Backward pass of `global_avgpool2d_forward`: ``dx[n, c, i, j] = dout[n, c] / (H * W)``.

    Args:
        dout: gradient of the loss with respect to the output, (N, C), same dtype as x.
        cache: what `global_avgpool2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    Raises:
        TypeError: `dout` is no array of floating numbers, or `cache` is no cache.
        ValueError: the shape does not fit.

    Source: derivative of the definition.

    >>> global_avgpool2d_backward(np.ones((1, 1)), global_avgpool2d_forward(np.zeros((1, 1, 1, 2)))[1])
    array([[[[0.5, 0.5]]]])
    """
    (x,) = check_cache(cache, 1, "global_avgpool2d_forward")
    n, c, h, w = x.shape
    check_arrays(np.ndarray, x=(x, None), dout=(dout, f"{n} {c}"))
    return (dout / (h * w)).repeat(h * w).reshape(x.shape)


def upsample_nearest_forward(x: np.ndarray, factor: int | Pair = 2) -> tuple[np.ndarray, tuple[np.ndarray, Pair]]:
    """Every number becomes a block of equal numbers: ``out[n, c, i, j] = x[n, c, i // factor, j // factor]``.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        factor: how many times larger, an integer or a pair (height, width).

    Returns:
        ``out``, (N, C, factor * H, factor * W), same dtype, and the cache.

    Raises:
        TypeError: `x` is no array of floating numbers, or `factor` is no integer.
        ValueError: the shape does not fit, or `factor` is below 1.

    Source: the definition of nearest-neighbour interpolation; Odena, Dumoulin and Olah (2016) on why it is used.

    >>> upsample_nearest_forward(np.array([[[[1.0, 2.0]]]]))[0]
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """
    check_arrays(np.ndarray, x=(x, "N C H W"))
    rows, columns = factors = check_pair("factor", factor, least=1)
    return x.repeat(columns, axis=_COLUMNS).repeat(rows, axis=_ROWS), (x, factors)


def upsample_nearest_backward(dout: np.ndarray, cache: tuple[np.ndarray, Pair]) -> np.ndarray:
    """Backward pass of `upsample_nearest_forward`: the sum over every block.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, factor * H, factor * W), same dtype as x.
        cache: what `upsample_nearest_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    Raises:
        TypeError: `dout` is no array of floating numbers, or `cache` is no cache.
        ValueError: the shape does not fit.

    Source: derivative of the definition.

    >>> upsample_nearest_backward(np.ones((1, 1, 2, 4)), upsample_nearest_forward(np.zeros((1, 1, 1, 2)))[1])
    array([[[[4., 4.]]]])
    """
    x, factors = check_cache(cache, 2, "upsample_nearest_forward")
    n, c, h, w = x.shape
    check_arrays(np.ndarray, x=(x, None), dout=(dout, f"{n} {c} {h * factors[0]} {w * factors[1]}"))
    blocks = Windows(factors, factors, (0, 0), (1, 1))
    return _sums(_sums(dout, _COLUMNS, blocks), _ROWS, blocks)


def _entries(x: np.ndarray, axis: int, windows: Windows) -> list[np.ndarray]:
    """The first, second, ... entry of every window along one axis, as views."""
    size, stride = windows.kernel[axis - 2], windows.stride[axis - 2]
    last = x.shape[axis] - size
    before = (slice(None),) * axis
    return [x[(*before, slice(j, j + last + 1, stride))] for j in range(size)]


def _largest(x: np.ndarray, axis: int, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """The largest entry of every window along one axis, and which one it is."""
    first, *others = _entries(x, axis, windows)
    best, which = first.copy(), np.zeros(first.shape, dtype=np.min_scalar_type(len(others)))
    for j, entry in enumerate(others, start=1):
        # j grows, so the maximum is the last j that was really larger; with where() this is many times slower.
        np.maximum(which, (entry > best) * which.dtype.type(j), out=which)
        np.maximum(best, entry, out=best)
    return best, which


def _sums(x: np.ndarray, axis: int, windows: Windows) -> np.ndarray:
    """The sum of every window along one axis."""
    first, *others = _entries(x, axis, windows)
    total = first.copy()
    for entry in others:
        total += entry
    return total


def _spread(
    dout: np.ndarray, axis: int, windows: Windows, x: np.ndarray, which: np.ndarray | None = None
) -> np.ndarray:
    """Hand every window's gradient to all its entries along one axis, or only to the one that `which` names."""
    size = x.shape[axis] + 2 * windows.padding[axis - 2]
    dx = np.zeros((*dout.shape[:axis], size, *dout.shape[axis + 1 :]), dtype=dout.dtype)
    for j, entry in enumerate(_entries(dx, axis, windows)):
        entry += dout if which is None else _only(dout, which == j)
    return dx


def _only(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The values where the mask is true, 0 elsewhere, done on the bits: 0 * inf is NaN, and where() is slow."""
    bits = mask.astype(f"i{values.itemsize}")
    np.negative(bits, out=bits)
    bits &= values.view(bits.dtype)
    return bits.view(values.dtype)


def _crop(padded: np.ndarray, x: np.ndarray, windows: Windows) -> np.ndarray:
    """The part of the padded images that x fills."""
    top, left = windows.padding
    return padded[:, :, top : top + x.shape[2], left : left + x.shape[3]]
