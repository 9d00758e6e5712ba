"""Losses for classes on Torch tensors; names and errors as in `course_lib.numpy_kernels.classification`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import gradients
from course_lib.validate import check_arrays, check_cache, check_labels, check_number

Cache = tuple[Tensor, Tensor, Tensor]


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy with class labels: `torch.nn.functional.cross_entropy`.

    Args:
        logits: scores before the softmax, (N, C).
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        weights: one weight per class, (C,); None means 1 each.

    Returns:
        The loss, a tensor without axes.

    >>> round(cross_entropy(torch.zeros(2, 4), torch.tensor([0, 3])).item(), 4)
    1.3863
    """
    check_arrays(Tensor, logits=(logits, "N C"), **({} if weights is None else {"weights": (weights, "C")}))
    check_labels("labels", labels, logits, Tensor)
    return functional.cross_entropy(logits, labels.long(), weight=weights)


def cross_entropy_backward(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Gradient of `cross_entropy` with respect to the logits, by autograd.

    Args:
        logits: scores before the softmax, (N, C).
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        weights: one weight per class, (C,); None means 1 each.

    Returns:
        The gradient, (N, C).

    >>> cross_entropy_backward(torch.zeros(1, 2), torch.tensor([1])).tolist()
    [[0.5, -0.5]]
    """
    check_arrays(Tensor, logits=(logits, "N C"))
    return gradients(lambda leaf: cross_entropy(leaf, labels, weights), logits)[0]


def softmax_cross_entropy_forward(logits: Tensor, labels: Tensor) -> tuple[Tensor, Cache]:
    """Softmax and cross-entropy as one step: `torch.nn.functional.cross_entropy`.

    Args:
        logits: scores before the softmax, (N, C).
        labels: the right class of each row, (N,), integers from 0 to C - 1.

    Returns:
        The loss, a tensor without axes, and the cache: exponentials of the shifted scores, their row sums, labels.

    >>> softmax_cross_entropy_forward(torch.tensor([[1000.0, 0.0]]), torch.tensor([1]))[0].item()
    1000.0
    """
    check_arrays(Tensor, logits=(logits, "N C"))
    check_labels("labels", labels, logits, Tensor)
    e = torch.exp(logits - logits.amax(1, keepdim=True))
    return functional.cross_entropy(logits, labels.long()), (e, e.sum(1), labels)


def softmax_cross_entropy_backward(dout: float | Tensor, cache: Cache) -> Tensor:
    """Gradient of `softmax_cross_entropy_forward`, by autograd.

    Args:
        dout: gradient of whatever follows with respect to the loss, a number or a tensor without axes.
        cache: what `softmax_cross_entropy_forward` returned second.

    Returns:
        The gradient with respect to the logits, (N, C).

    >>> softmax_cross_entropy_backward(
    ...     2.0, softmax_cross_entropy_forward(torch.zeros(1, 2), torch.tensor([1]))[1]
    ... ).tolist()
    [[1.0, -1.0]]
    """
    e, total, labels = check_cache(cache, 3, "softmax_cross_entropy_forward")
    upstream = dout if isinstance(dout, Tensor) else check_number("dout", dout)
    right = torch.arange(len(labels), device=e.device), labels.long()

    def scaled_loss(move: Tensor) -> Tensor:
        # The loss up to a constant when the scores move away from where the cache was made; log(e) would be -inf.
        return upstream * (torch.log((e * torch.exp(move)).sum(1) / total) - move[right]).mean()

    return gradients(scaled_loss, torch.zeros_like(e))[0]


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy with distributions as targets: `torch.nn.functional.cross_entropy`.

    Args:
        logits: scores before the softmax, (N, C).
        targets: what each class should get, (N, C), same dtype and device.

    Returns:
        The loss, a tensor without axes.

    >>> round(soft_cross_entropy(torch.zeros(1, 2), torch.tensor([[0.9, 0.1]])).item(), 4)
    0.6931
    """
    check_arrays(Tensor, logits=(logits, "N C"), targets=(targets, "N C"))
    return functional.cross_entropy(logits, targets)


def soft_cross_entropy_backward(logits: Tensor, targets: Tensor) -> Tensor:
    """Gradient of `soft_cross_entropy` with respect to the logits, by autograd.

    Args:
        logits: scores before the softmax, (N, C).
        targets: what each class should get, (N, C), same dtype and device.

    Returns:
        The gradient, (N, C).

    >>> soft_cross_entropy_backward(torch.zeros(1, 2), torch.tensor([[0.75, 0.25]])).tolist()
    [[-0.25, 0.25]]
    """
    check_arrays(Tensor, logits=(logits, "N C"), targets=(targets, "N C"))
    return gradients(lambda leaf: soft_cross_entropy(leaf, targets), logits)[0]


def bce_with_logits(logits: Tensor, y: Tensor) -> Tensor:
    """Binary cross-entropy of sigmoids, summed over the outputs and averaged over the batch.

    Args:
        logits: scores before the sigmoid, (N, D).
        y: targets from 0 to 1, (N, D), same dtype and device.

    Returns:
        The loss, a tensor without axes.

    >>> bce_with_logits(torch.tensor([[-1000.0]]), torch.ones(1, 1)).item()
    1000.0
    """
    check_arrays(Tensor, logits=(logits, "N D"), y=(y, "N D"))
    return functional.binary_cross_entropy_with_logits(logits, y, reduction="sum") / len(y)


def bce_with_logits_backward(logits: Tensor, y: Tensor) -> Tensor:
    """Gradient of `bce_with_logits` with respect to the logits, by autograd.

    Args:
        logits: scores before the sigmoid, (N, D).
        y: targets from 0 to 1, (N, D), same dtype and device.

    Returns:
        The gradient, (N, D).

    >>> bce_with_logits_backward(torch.zeros(1, 1), torch.ones(1, 1)).tolist()
    [[-0.5]]
    """
    check_arrays(Tensor, logits=(logits, "N D"), y=(y, "N D"))
    return gradients(lambda leaf: bce_with_logits(leaf, y), logits)[0]


def hinge_loss(scores: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Multi-class hinge loss: `torch.nn.functional.multi_margin_loss` times the number of classes.

    Args:
        scores: one per class, (N, C).
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        margin: by how much the right class must win, positive.

    Returns:
        The loss, a tensor without axes.

    >>> hinge_loss(torch.tensor([[3.0, 2.5, 0.0]]), torch.tensor([0])).item()
    0.5
    """
    check_arrays(Tensor, scores=(scores, "N C"))
    check_labels("labels", labels, scores, Tensor)
    wanted = check_number("margin", margin, positive=True)
    return functional.multi_margin_loss(scores, labels.long(), margin=wanted) * scores.shape[1]


def hinge_loss_backward(scores: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Gradient of `hinge_loss`, by autograd.

    Args:
        scores: one per class, (N, C).
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        margin: by how much the right class must win, positive.

    Returns:
        The gradient, (N, C).

    >>> hinge_loss_backward(torch.tensor([[3.0, 2.5]]), torch.tensor([0])).tolist()
    [[-1.0, 1.0]]
    """
    check_arrays(Tensor, scores=(scores, "N C"))
    return gradients(lambda leaf: hinge_loss(leaf, labels, margin), scores)[0]
