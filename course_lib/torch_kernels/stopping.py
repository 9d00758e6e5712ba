"""When to stop training, from a Torch tensor of losses; as in `course_lib.numpy_kernels.stopping`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

from course_lib.validate import check_arrays, check_count, check_number


def early_stopping(losses: Tensor, patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """Where training stops, and which epoch's weights are kept: Torch's plateau detector, with stopping as the cut.

    Args:
        losses: validation loss after each epoch, (E,).
        patience: how many epochs without progress are allowed, at least 1.
        min_delta: what counts as progress, 0 or more.

    Returns:
        The last epoch that is trained, and the best one, counted from 0.

    >>> early_stopping(torch.tensor([3.0, 1.0, 2.0, 1.5, 0.0]), patience=2)
    (3, 1)
    """
    check_arrays(Tensor, losses=(losses, "E"))
    most, delta = check_count("patience", patience, least=1), check_number("min_delta", min_delta)
    if delta < 0:
        raise ValueError(f"min_delta is {delta}; expected 0 or more.")
    watch = SGD([torch.zeros(1)], lr=1.0)
    # It cuts the rate when more than `patience` epochs were bad; we stop when `patience` were.
    plateau = ReduceLROnPlateau(watch, factor=0.5, patience=most - 1, threshold=delta, threshold_mode="abs")
    best = 0
    for epoch, loss in enumerate(losses.tolist()):
        plateau.step(loss)
        if plateau.get_last_lr()[0] < 1.0:
            return epoch, best
        best = best if plateau.num_bad_epochs else epoch
    return len(losses) - 1, best
