"""Pooling and upsampling on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.pooling`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.validate import check_arrays
from course_lib.windows import Pair, check_pair, check_pool2d


def maxpool2d_forward(
    x: Tensor, kernel: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
) -> tuple[Tensor, Graph]:
    """The largest number of every window: `torch.nn.functional.max_pool2d`.

    Args:
        x: images, (N, C, H, W).
        kernel: an integer or a pair (height, width).
        stride: an integer or a pair; None means `kernel`.
        padding: an integer or a pair, at most half the kernel.

    Returns:
        ``out``, (N, C, H', W'), and the cache.

    >>> maxpool2d_forward(torch.arange(4.0).reshape(1, 1, 2, 2), 2)[0].item()
    3.0
    """
    windows = check_pool2d(Tensor, x, kernel, stride, padding)
    return forward_graph(lambda x: functional.max_pool2d(x, *windows[:3]), x)


def maxpool2d_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Backward pass of `maxpool2d_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H', W').
        cache: what `maxpool2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    >>> maxpool2d_backward(torch.ones(1, 1, 1, 1), maxpool2d_forward(torch.zeros(1, 1, 2, 2), 2)[1]).ravel().tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return backward_graph(dout, cache, "maxpool2d_forward")[0]


def avgpool2d_forward(
    x: Tensor, kernel: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
) -> tuple[Tensor, Graph]:
    """The mean of every window: `torch.nn.functional.avg_pool2d`.

    Args:
        x: images, (N, C, H, W).
        kernel: an integer or a pair (height, width).
        stride: an integer or a pair; None means `kernel`.
        padding: an integer or a pair, at most half the kernel.

    Returns:
        ``out``, (N, C, H', W'), and the cache.

    >>> avgpool2d_forward(torch.arange(4.0).reshape(1, 1, 2, 2), 2)[0].item()
    1.5
    """
    windows = check_pool2d(Tensor, x, kernel, stride, padding)
    return forward_graph(lambda x: functional.avg_pool2d(x, *windows[:3]), x)


def avgpool2d_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Backward pass of `avgpool2d_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H', W').
        cache: what `avgpool2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    >>> avgpool2d_backward(torch.ones(1, 1, 1, 1), avgpool2d_forward(torch.zeros(1, 1, 2, 2), 2)[1]).ravel().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return backward_graph(dout, cache, "avgpool2d_forward")[0]


def global_avgpool2d_forward(x: Tensor) -> tuple[Tensor, Graph]:
    """The mean of every channel.

    Args:
        x: images, (N, C, H, W).

    Returns:
        ``out``, (N, C), and the cache.

    >>> global_avgpool2d_forward(torch.arange(4.0).reshape(1, 1, 2, 2))[0].tolist()
    [[1.5]]
    """
    check_arrays(Tensor, x=(x, "N C H W"))
    return forward_graph(lambda x: x.mean(dim=(2, 3)), x)


def global_avgpool2d_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Backward pass of `global_avgpool2d_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C).
        cache: what `global_avgpool2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    >>> global_avgpool2d_backward(torch.ones(1, 1), global_avgpool2d_forward(torch.zeros(1, 1, 1, 2))[1]).tolist()
    [[[[0.5, 0.5]]]]
    """
    return backward_graph(dout, cache, "global_avgpool2d_forward")[0]


def upsample_nearest_forward(x: Tensor, factor: int | Pair = 2) -> tuple[Tensor, Graph]:
    """Every number becomes a block of equal numbers.

    Args:
        x: images, (N, C, H, W).
        factor: how many times larger, an integer or a pair (height, width).

    Returns:
        ``out``, (N, C, factor * H, factor * W), and the cache.

    >>> upsample_nearest_forward(torch.tensor([[[[1.0, 2.0]]]]), (1, 2))[0].tolist()
    [[[[1.0, 1.0, 2.0, 2.0]]]]
    """
    check_arrays(Tensor, x=(x, "N C H W"))
    rows, columns = check_pair("factor", factor, least=1)
    # functional.interpolate divides in float32 to find its source, and takes a wrong one at a factor of 41.
    return forward_graph(lambda x: torch.kron(x, x.new_ones(rows, columns)), x)


def upsample_nearest_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Backward pass of `upsample_nearest_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, factor * H, factor * W).
        cache: what `upsample_nearest_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W).

    >>> upsample_nearest_backward(torch.ones(1, 1, 2, 2), upsample_nearest_forward(torch.zeros(1, 1, 1, 1))[1]).item()
    4.0
    """
    return backward_graph(dout, cache, "upsample_nearest_forward")[0]
