"""Targets that are made, on Torch tensors; names and errors as in `course_lib.numpy_kernels.targets`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validate import check_arrays, check_share


def label_smoothing(y: Tensor, eps: float = 0.1) -> Tensor:
    """Targets that leave a little for every class.

    Args:
        y: one-hot targets or distributions, (N, C).
        eps: the share that is spread over all classes, from 0 to 1.

    Returns:
        The smoothed targets, (N, C).

    >>> label_smoothing(torch.tensor([[1.0, 0.0]]), eps=0.5).tolist()
    [[0.75, 0.25]]
    """
    check_arrays(Tensor, y=(y, "N C"))
    return torch.lerp(y, torch.full_like(y, 1 / y.shape[1]), check_share("eps", eps, one=True))


def pseudo_labels(probabilities: Tensor, threshold: float = 0.95) -> tuple[Tensor, Tensor]:
    """The most probable class of each example, and where it reaches the threshold.

    Args:
        probabilities: a model's answers, (N, C).
        threshold: how probable the class must be, from 0 to 1.

    Returns:
        ``labels``, (N,), int64, and ``sure``, (N,), bool.

    >>> [tensor.tolist() for tensor in pseudo_labels(torch.tensor([[0.5, 0.5], [0.25, 0.75]]), threshold=0.75)]
    [[0, 1], [False, True]]
    """
    check_arrays(Tensor, probabilities=(probabilities, "N C"))
    least = check_share("threshold", threshold, one=True)
    return probabilities.argmax(dim=1), probabilities.amax(dim=1).ge(probabilities.new_tensor(least))
