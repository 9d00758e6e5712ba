"""Several models, one answer, on Torch tensors; names and errors as in `course_lib.numpy_kernels.ensembles`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validate import check_arrays


def ensemble_predict(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The answer of an ensemble: the mean of the probabilities, and the most probable class.

    Args:
        logits: scores of M models, (M, N, C).

    Returns:
        ``labels``, (N,), int64, and the probabilities, (N, C).

    >>> ensemble_predict(torch.tensor([[[0.9, 0.1]], [[0.4, 0.6]], [[0.4, 0.6]]]).log())[0].tolist()
    [0]
    """
    check_arrays(Tensor, logits=(logits, "M N C"))
    probabilities = torch.softmax(logits, dim=-1).mean(dim=0)
    return probabilities.argmax(dim=1), probabilities
