"""Convolution over images on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.conv2d`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.validate import check_arrays, check_cache, check_count, check_flag
from course_lib.windows import Pair, check_conv2d, check_fits, check_pair, check_windows


def conv_output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many windows fit along one axis, as Torch says of a convolution without memory.

    Args:
        size: of the input along the axis.
        kernel: entries of the window.
        stride: step from window to window.
        padding: added on each side.
        dilation: step between the entries of a window.

    Returns:
        The size of the output, at least 1.

    >>> conv_output_size(227, kernel=11, stride=4)
    55
    """
    size, kernel = check_count("size", size, least=1), check_count("kernel", kernel, least=1)
    stride, dilation = check_count("stride", stride, least=1), check_count("dilation", dilation, least=1)
    check_fits("entries", size, kernel, check_count("padding", padding, least=0), dilation)
    x, w = (torch.empty(1, 1, entries, device="meta") for entries in (size, kernel))
    return functional.conv1d(x, w, None, stride, padding, dilation).shape[2]


def pad2d(x: Tensor, padding: int | Pair, value: float = 0.0) -> Tensor:
    """A border around every image: `torch.nn.functional.pad`.

    Args:
        x: images, (N, C, H, W).
        padding: an integer, or a pair (height, width).
        value: what the border is filled with.

    Returns:
        A new tensor, (N, C, H + 2 * padding, W + 2 * padding).

    >>> pad2d(torch.ones(1, 1, 1, 1), (0, 1)).tolist()
    [[[[0.0, 1.0, 0.0]]]]
    """
    check_arrays(Tensor, x=(x, "N C H W"))
    top, left = check_pair("padding", padding, least=0)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"value is of type {type(value).__name__}; expected a number.")
    return functional.pad(x, (left, left, top, top), value=value)


def conv2d_loops(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution alone, without a cache; Torch has its loops inside.

    Args:
        x: images, (N, C, H, W).
        w: kernels, (K, C / groups, kh, kw), same dtype and device.
        b: biases, (K,), same dtype and device, or None.
        stride: an integer or a pair (height, width).
        padding: an integer or a pair.
        dilation: an integer or a pair.
        groups: the channels are cut into so many groups.

    Returns:
        ``out``, (N, K, H', W').

    >>> conv2d_loops(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2)).item()
    4.0
    """
    windows, groups = check_conv2d(Tensor, (x, w, b), stride, padding, dilation, groups)
    return functional.conv2d(x, w, b, *windows[1:], groups)


def im2col(
    x: Tensor,
    kernel: int | Pair,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
) -> Tensor:
    """Every window of every image as a column: `torch.nn.functional.unfold`.

    Args:
        x: images, (N, C, H, W).
        kernel: an integer or a pair (height, width).
        stride: an integer or a pair.
        padding: an integer or a pair.
        dilation: an integer or a pair.

    Returns:
        A tensor, (N, C * kh * kw, H' * W').

    >>> im2col(torch.arange(3.0).reshape(1, 1, 1, 3), (1, 2)).tolist()
    [[[0.0, 1.0], [1.0, 2.0]]]
    """
    check_arrays(Tensor, x=(x, "N C H W"))
    windows = check_windows(x.shape, kernel, stride, padding, dilation)
    return functional.unfold(x, windows.kernel, windows.dilation, windows.padding, windows.stride)


def conv2d_forward(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> tuple[Tensor, Graph]:
    """The convolution: `torch.nn.functional.conv2d`.

    Args:
        x: images, (N, C, H, W).
        w: kernels, (K, C / groups, kh, kw), same dtype and device.
        b: biases, (K,), same dtype and device, or None.
        stride: an integer or a pair (height, width).
        padding: an integer or a pair.
        dilation: an integer or a pair.
        groups: the channels are cut into so many groups.

    Returns:
        ``out``, (N, K, H', W'), and the cache.

    >>> conv2d_forward(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.ones(1))[0].item()
    5.0
    """
    windows, groups = check_conv2d(Tensor, (x, w, b), stride, padding, dilation, groups)

    def convolve(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
        return functional.conv2d(x, w, b, *windows[1:], groups)

    return forward_graph(convolve, x, w, *([] if b is None else [b]))


def conv2d_backward(dout: Tensor, cache: Graph, input_gradient: bool = True) -> tuple[Tensor | None, ...]:
    """Backward pass of `conv2d_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, K, H', W').
        cache: what `conv2d_forward` returned second.
        input_gradient: is dx wanted?

    Returns:
        ``dx`` (or None), ``dw`` and, if there was a bias, ``db``.

    >>> conv2d_backward(torch.ones(1, 1, 1, 1), conv2d_forward(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))[1])[1]
    tensor([[[[1., 1.]]]])
    """
    if check_flag("input_gradient", input_gradient):
        return backward_graph(dout, cache, "conv2d_forward")
    out, (_, *others) = check_cache(cache, 2, "conv2d_forward")
    return None, *backward_graph(dout, (out, tuple(others)), "conv2d_forward")
