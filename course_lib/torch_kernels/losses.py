"""Losses on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.losses`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.validate import check_arrays


def mse_loss(y_hat: Tensor, y: Tensor) -> Tensor:
    """Squared error, summed over the outputs and averaged over the batch.

    Args:
        y_hat: predictions, (N, D).
        y: targets, (N, D), same dtype and device.

    Returns:
        The loss, a tensor without axes.

    >>> mse_loss(torch.ones(2, 3), torch.zeros(2, 3)).item()
    3.0
    """
    check_arrays(Tensor, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return functional.mse_loss(y_hat, y, reduction="sum") / len(y)


@torch.enable_grad()
def mse_loss_backward(y_hat: Tensor, y: Tensor) -> Tensor:
    """Gradient of `mse_loss` with respect to the predictions, by autograd.

    Args:
        y_hat: predictions, (N, D).
        y: targets, (N, D), same dtype and device.

    Returns:
        The gradient, (N, D).

    >>> mse_loss_backward(torch.ones(2, 1), torch.zeros(2, 1)).tolist()
    [[1.0], [1.0]]
    """
    check_arrays(Tensor, y_hat=(y_hat, "N D"), y=(y, "N D"))
    leaf = y_hat.detach().clone().requires_grad_()
    return torch.autograd.grad(mse_loss(leaf, y), leaf)[0]
