"""Multi-task losses and tied parameters on Torch tensors; as in `course_lib.numpy_kernels.sharing`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.torch_kernels._graph import gradients
from course_lib.validate import check_arrays, check_count
from course_lib.validate_draws import check_integers, check_mask


def multitask_loss(y_hat: Tensor, y: Tensor, known: Tensor, weights: Tensor) -> Tensor:
    """Squared errors of several tasks, each averaged over what is known, weighted and summed.

    Args:
        y_hat: predictions, one column per task, (N, T).
        y: targets, (N, T), same dtype and device.
        known: which targets are known, (N, T), bools; what stands in `y` elsewhere does not matter.
        weights: one per task, (T,), same dtype and device.

    Returns:
        The loss, a tensor without axes.

    >>> multitask_loss(torch.full((2, 1), 3.0), torch.zeros(2, 1), torch.ones(2, 1).bool(), torch.ones(1)).item()
    9.0
    """
    check_arrays(Tensor, y_hat=(y_hat, "N T"), y=(y, "N T"), weights=(weights, "T"))
    check_mask("known", known, Tensor, y.shape)
    squares = torch.where(known, y_hat - torch.where(known, y, y_hat.detach()), 0).square()
    return torch.dot(weights, squares.sum(dim=0) / known.sum(dim=0).clamp(min=1))


def multitask_loss_backward(y_hat: Tensor, y: Tensor, known: Tensor, weights: Tensor) -> Tensor:
    """Gradient of `multitask_loss` with respect to the predictions, by autograd.

    Args:
        y_hat: predictions, one column per task, (N, T).
        y: targets, (N, T), same dtype and device.
        known: which targets are known, (N, T), bools; what stands in `y` elsewhere does not matter.
        weights: one per task, (T,), same dtype and device.

    Returns:
        The gradient, (N, T).

    >>> multitask_loss_backward(torch.ones(1, 1), torch.zeros(1, 1), torch.ones(1, 1).bool(), torch.ones(1)).tolist()
    [[2.0]]
    """
    check_arrays(Tensor, y_hat=(y_hat, "N T"), y=(y, "N T"), weights=(weights, "T"))
    return gradients(lambda leaf: multitask_loss(leaf, y, known, weights), y_hat)[0]


def tied_gradient(dw: Tensor, groups: Tensor, count: int) -> Tensor:
    """Gradient of parameters that are used in several places, by autograd through the look-up.

    Args:
        dw: gradient as if every place had a parameter of its own, any shape.
        groups: which parameter each place uses, same shape, integers from 0 to count - 1.
        count: how many parameters there are.

    Returns:
        The gradient, (count,).

    >>> tied_gradient(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 1, 0]), 2).tolist()
    [4.0, 2.0]
    """
    check_arrays(Tensor, dw=(dw, None))
    number = check_count("count", count, least=1)
    check_integers("groups", groups, Tensor, tuple(dw.shape), 0, number - 1)
    return gradients(lambda parameters: parameters[groups.long()], dw.new_zeros(number), dout=dw.detach())[0]
