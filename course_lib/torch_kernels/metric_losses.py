"""Losses on distances between embeddings, on Torch tensors; as in `course_lib.numpy_kernels.metric_losses`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import gradients
from course_lib.validate import check_arrays, check_number


def contrastive_loss(x1: Tensor, x2: Tensor, same: Tensor, margin: float = 1.0) -> Tensor:
    """Pairs: half the squared distance where they belong together, half the squared lack of distance where not.

    Args:
        x1: first embeddings, (N, D).
        x2: second embeddings, (N, D), same dtype and device.
        same: 1 where a pair belongs together, 0 where not, (N,), same dtype and device.
        margin: the distance that pairs apart should have, positive.

    Returns:
        The loss, a tensor without axes.

    >>> contrastive_loss(torch.tensor([[3.0], [0.5]]), torch.zeros(2, 1), torch.tensor([1.0, 0.0])).item()
    2.3125
    """
    check_arrays(Tensor, x1=(x1, "N D"), x2=(x2, "N D"), same=(same, "N"))
    distance = torch.linalg.vector_norm(x1 - x2, dim=1)
    lack = functional.relu(check_number("margin", margin, positive=True) - distance)
    return 0.5 * torch.lerp(lack.square(), distance.square(), same).mean()


def contrastive_loss_backward(x1: Tensor, x2: Tensor, same: Tensor, margin: float = 1.0) -> tuple[Tensor, Tensor]:
    """Gradients of `contrastive_loss` with respect to both embeddings, by autograd.

    Args:
        x1: first embeddings, (N, D).
        x2: second embeddings, (N, D), same dtype and device.
        same: 1 where a pair belongs together, 0 where not, (N,), same dtype and device.
        margin: the distance that pairs apart should have, positive.

    Returns:
        ``dx1`` and ``dx2``, (N, D).

    >>> contrastive_loss_backward(torch.tensor([[3.0]]), torch.zeros(1, 1), torch.ones(1))[1].tolist()
    [[-3.0]]
    """
    check_arrays(Tensor, x1=(x1, "N D"), x2=(x2, "N D"), same=(same, "N"))
    return gradients(lambda one, other: contrastive_loss(one, other, same, margin), x1, x2)


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0) -> Tensor:
    """Triplets: `torch.nn.functional.triplet_margin_loss`.

    Args:
        anchor: embeddings, (N, D).
        positive: what belongs to them, (N, D), same dtype and device.
        negative: what does not, (N, D), same dtype and device.
        margin: by how much, positive.

    Returns:
        The loss, a tensor without axes.

    >>> round(triplet_loss(torch.zeros(1, 1), torch.tensor([[2.0]]), torch.tensor([[2.5]])).item(), 4)
    0.5
    """
    check_arrays(Tensor, anchor=(anchor, "N D"), positive=(positive, "N D"), negative=(negative, "N D"))
    wanted = check_number("margin", margin, positive=True)
    return functional.triplet_margin_loss(anchor, positive, negative, margin=wanted)


def triplet_loss_backward(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `triplet_loss` with respect to anchor, positive and negative, by autograd.

    Args:
        anchor: embeddings, (N, D).
        positive: what belongs to them, (N, D), same dtype and device.
        negative: what does not, (N, D), same dtype and device.
        margin: by how much, positive.

    Returns:
        Three gradients, (N, D).

    >>> triplet_loss_backward(torch.zeros(1, 1), torch.tensor([[2.0]]), torch.tensor([[2.5]]))[2].tolist()
    [[-1.0]]
    """
    check_arrays(Tensor, anchor=(anchor, "N D"), positive=(positive, "N D"), negative=(negative, "N D"))
    return gradients(lambda a, p, n: triplet_loss(a, p, n, margin), anchor, positive, negative)
