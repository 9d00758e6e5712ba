"""The dense layer on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.linear`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from course_lib.validate import check_arrays

Affine = tuple[Tensor, tuple[Tensor, ...]]


def affine_forward(x: Tensor, w: Tensor, b: Tensor) -> Affine:
    """Weighted sums plus a bias: `torch.nn.functional.linear`.

    Args:
        x: inputs, (N, D).
        w: weights, (M, D), same dtype and device.
        b: biases, (M,), same dtype and device.

    Returns:
        ``out``, (N, M), and the cache ``(x, w, b)``.

    >>> import torch
    >>> affine_forward(torch.ones(1, 2), torch.ones(3, 2), torch.zeros(3))[0].tolist()
    [[2.0, 2.0, 2.0]]
    """
    check_arrays(Tensor, x=(x, "N D"), w=(w, "M D"), b=(b, "M"))
    return functional.linear(x, w, b), (x, w, b)
