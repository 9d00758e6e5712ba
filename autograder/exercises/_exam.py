"""What the exam corners share: drawing numbers, and keeping questions clear.

Numbers are drawn so that every named wrong formula gives another answer after rounding, and so that no
answer lies near a tie of the rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Numbers = dict[str, int | float]
Formulas = Mapping[str, tuple[str, Callable[..., float]]]


def ask_torch(kernel: str, *arguments: Any) -> Any:
    """One call of a Torch counterpart on arrays and numbers.

    Args:
        kernel: name of the counterpart.
        *arguments: what it is given; arrays become tensors.

    Returns:
        What it returns, with arrays for tensors.
    """
    # Imported late: only the judge's side has Torch.
    from course_lib import torch_kernels
    from course_lib.torch_kernels._arrays import on_arrays

    return on_arrays(getattr(torch_kernels, kernel))(*arguments)


def is_clear(numbers: Numbers, answer: Callable[..., float], mistakes: Formulas, decimals: int) -> bool:
    """Is the answer away from a rounding tie, and does every wrong formula give another one?

    Args:
        numbers: one draw.
        answer: the right formula.
        mistakes: the named wrong ones.
        decimals: how the question rounds.

    >>> is_clear({"x": 2}, lambda x: x + 2, {"product": ("...", lambda x: 2 * x)}, 0)
    False
    """
    values = [answer(**numbers), *(formula(**numbers) for _, formula in mistakes.values())]
    scaled = values[0] * 10**decimals
    safe = abs(scaled - math.floor(scaled) - 0.5) > 0.1
    return safe and len({round(value, decimals) for value in values}) == len(values)


def one_of(rng: np.random.Generator, *values: float) -> float:
    """One of the values."""
    return values[int(rng.integers(len(values)))]


def tenths(rng: np.random.Generator, low: int, high: int) -> float:
    """A multiple of 0.1 between low / 10 and high / 10, never zero."""
    drawn = 0
    while drawn == 0:
        drawn = int(rng.integers(low, high + 1))
    return drawn / 10
