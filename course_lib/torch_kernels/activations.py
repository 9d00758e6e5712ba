"""Activation functions on Torch tensors; names and errors as in `course_lib.numpy_kernels.activations`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validate import check_arrays


def sigmoid(x: Tensor) -> Tensor:
    """The logistic function, element by element: `torch.sigmoid`.

    Args:
        x: any shape, floating.

    Returns:
        Numbers between 0 and 1, same shape, dtype and device as `x`.

    >>> sigmoid(torch.tensor([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    check_arrays(Tensor, x=(x, None))
    return torch.sigmoid(x)
