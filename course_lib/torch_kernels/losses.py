"""Losses on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.losses`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import gradients
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


def l1_loss(y_hat: Tensor, y: Tensor) -> Tensor:
    """Absolute error, summed over the outputs and averaged over the batch.

    Args:
        y_hat: predictions, (N, D).
        y: targets, (N, D), same dtype and device.

    Returns:
        The loss, a tensor without axes.

    >>> l1_loss(torch.ones(2, 3), torch.zeros(2, 3)).item()
    3.0
    """
    check_arrays(Tensor, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return functional.l1_loss(y_hat, y, reduction="sum") / len(y)


def l1_loss_backward(y_hat: Tensor, y: Tensor) -> Tensor:
    """Gradient of `l1_loss` with respect to the predictions, by autograd.

    Args:
        y_hat: predictions, (N, D).
        y: targets, (N, D), same dtype and device.

    Returns:
        The gradient, (N, D).

    >>> l1_loss_backward(torch.ones(2, 1), torch.zeros(2, 1)).tolist()
    [[0.5], [0.5]]
    """
    check_arrays(Tensor, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return gradients(lambda leaf: l1_loss(leaf, y), y_hat)[0]


def combined_loss(losses: Tensor, weights: Tensor) -> Tensor:
    """Several losses as one: `torch.dot` of losses and weights.

    Args:
        losses: one number per loss, (K,).
        weights: one weight per loss, (K,), same dtype and device.

    Returns:
        The weighted sum, a tensor without axes.

    >>> combined_loss(torch.tensor([2.0, 10.0]), torch.tensor([1.0, 0.5])).item()
    7.0
    """
    check_arrays(Tensor, losses=(losses, "K"), weights=(weights, "K"))
    return torch.dot(losses, weights)
