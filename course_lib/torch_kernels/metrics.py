"""How good a classifier is, on Torch tensors; names and errors as in `course_lib.numpy_kernels.metrics`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validate import check_count
from course_lib.words import check_classes


def macro_f1(y_true: Tensor, y_pred: Tensor, classes: int) -> float:
    """The mean of F1 over the classes, from a table of confusions.

    Args:
        y_true: the labels, (N,), integers from 0 to classes - 1.
        y_pred: the classifier's answers, (N,), integers.
        classes: how many classes there are, at least 1.

    Returns:
        The mean, from 0 to 1, as a Python float.

    >>> round(macro_f1(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 1, 1]), classes=2), 4)
    0.7333
    """
    number = check_count("classes", classes, least=1)
    check_classes(Tensor, number, y_true=y_true, y_pred=y_pred)
    pairs = torch.bincount(y_true.long() * number + y_pred.long(), minlength=number * number)
    table = pairs.reshape(number, number).double()
    precision = (table.diagonal() / table.sum(dim=0)).nan_to_num()
    recall = (table.diagonal() / table.sum(dim=1)).nan_to_num()
    return (2 * precision * recall / (precision + recall)).nan_to_num().mean().item()
