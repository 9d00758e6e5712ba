"""What a scheduler of `torch.optim.lr_scheduler` says at a step, by stepping it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LRScheduler


def scheduled(make: Callable[..., Any], lr: float, **options: Any) -> tuple[SGD, Any]:
    """An optimiser with nothing to optimise, and a scheduler of its rate."""
    optimiser = SGD([nn.Parameter()], lr=lr)
    return optimiser, make(optimiser, **options)


def rate_at(t: int, make: type[LRScheduler], lr: float, **options: Any) -> float:
    """The rate at step t.

    >>> from torch.optim.lr_scheduler import ExponentialLR
    >>> rate_at(2, ExponentialLR, 1.0, gamma=0.5)
    0.25
    """
    optimiser, scheduler = scheduled(make, lr, **options)
    for _ in range(t):
        optimiser.step()
        scheduler.step()
    return float(optimiser.param_groups[0]["lr"])
