"""The dense layer on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.linear`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph, gradients
from course_lib.validate import check_arrays, check_cache


def affine_forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Graph]:
    """Weighted sums plus a bias: `torch.nn.functional.linear`.

    Args:
        x: inputs, (N, D).
        w: weights, (M, D), same dtype and device.
        b: biases, (M,), same dtype and device.

    Returns:
        ``out``, (N, M), and the cache.

    >>> import torch
    >>> affine_forward(torch.ones(1, 2), torch.ones(3, 2), torch.zeros(3))[0].tolist()
    [[2.0, 2.0, 2.0]]
    """
    check_arrays(Tensor, x=(x, "N D"), w=(w, "M D"), b=(b, "M"))
    return forward_graph(functional.linear, x, w, b)


def affine_backward(dout: Tensor, cache: Graph | tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Backward pass of `affine_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, M).
        cache: what `affine_forward` returned second; or ``(x, w, b)``, and the forward pass is run again.

    Returns:
        ``dx`` (N, D), ``dw`` (M, D) and ``db`` (M,).

    >>> import torch
    >>> x, w, b = torch.ones(1, 2), torch.ones(1, 2), torch.ones(1)
    >>> [gradient.tolist() for gradient in affine_backward(torch.ones(1, 1), (x, w, b))]
    [[[1.0, 1.0]], [[1.0, 1.0]], [1.0]]
    """
    if isinstance(cache, tuple) and len(cache) == 2:
        return backward_graph(dout, cache, "affine_forward")
    x, w, b = check_cache(cache, 3, "affine_forward")
    check_arrays(Tensor, x=(x, "N D"), w=(w, "M D"), b=(b, "M"), dout=(dout, "N M"))
    return gradients(functional.linear, x, w, b, dout=dout)
