"""Convolution along a text on Torch tensors; names and errors as in `course_lib.numpy_kernels.conv1d`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.windows import check_conv1d


def conv1d_forward(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> tuple[Tensor, Graph]:
    """Windows of consecutive words: `torch.nn.functional.conv1d`, which wants words last.

    Args:
        x: texts, (N, L, D).
        w: filters, (M, D, width), same dtype and device.
        b: biases, (M,), same dtype and device, or None.
        stride: step from window to window.
        padding: zero vectors before the first and after the last word.
        dilation: step between the words of a window.

    Returns:
        ``out``, (N, L', M), and the cache.

    >>> import torch
    >>> conv1d_forward(torch.arange(4.0).reshape(1, 4, 1), torch.ones(1, 1, 3))[0].ravel().tolist()
    [3.0, 6.0]
    """
    stride, padding, dilation = check_conv1d(Tensor, (x, w, b), stride, padding, dilation)

    def convolve(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
        return functional.conv1d(x.transpose(1, 2), w, b, stride, padding, dilation).transpose(1, 2)

    return forward_graph(convolve, x, w, *([] if b is None else [b]))


def conv1d_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, ...]:
    """Backward pass of `conv1d_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, L', M).
        cache: what `conv1d_forward` returned second.

    Returns:
        ``dx``, ``dw`` and, if there was a bias, ``db``.

    >>> import torch
    >>> conv1d_backward(torch.ones(1, 1, 1), conv1d_forward(torch.ones(1, 2, 1), torch.ones(1, 1, 2))[1])[1].tolist()
    [[[1.0, 1.0]]]
    """
    return backward_graph(dout, cache, "conv1d_forward")
