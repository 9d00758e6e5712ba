"""Points around a point, and a function's values there: what numerical derivatives are made of."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor


def units(x: Tensor) -> Tensor:
    """One unit step along each entry of x, stacked, (size of x, *shape of x), float64.

    >>> units(torch.zeros(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return torch.eye(x.numel(), dtype=torch.float64, device=x.device).reshape(x.numel(), *x.shape)


def values(f: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """The values of f at points stacked along the first axis, float64.

    >>> values(torch.sum, torch.ones(3, 2, dtype=torch.float64)).tolist()
    [2.0, 2.0, 2.0]
    """
    found = []
    for point in points:
        value = f(point.clone())
        if isinstance(value, bool) or not (isinstance(value, Real) or getattr(value, "ndim", None) == 0):
            raise TypeError(f"f(x) is of type {type(value).__name__}; expected a number.")
        found.append(torch.as_tensor(value, dtype=torch.float64, device=points.device))
    return torch.stack(found) if found else points.new_zeros(0)
