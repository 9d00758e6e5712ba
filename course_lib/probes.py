"""Functions that cases hand to an answer: known shape, secret coefficients.

Each entry of `PROBES` makes a function from its coefficients. Operators and `.sum()` only, so that the same function
takes a NumPy array or a Torch tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Maker = Callable[..., Callable[..., Any]]


def quadratic(a: Any, c: Any) -> Callable[[Any], Any]:
    """``sum a * (x - c)**2``: central differences are exact, one-sided ones are not."""
    return lambda x: (a * (x - c) * (x - c)).sum()


def cubic(a: Any, c: Any) -> Callable[[Any], Any]:
    """``sum a * x**3 + c * x``: central differences are wrong by ``a * h**2``."""
    return lambda x: (a * x * x * x + c * x).sum()


def coupled(a: Any, c: Any) -> Callable[[Any], Any]:
    """``(sum a * x)**2 + sum c * x**2``: every entry of the gradient depends on all of x."""
    return lambda x: (a * x).sum() ** 2 + (c * x * x).sum()


def descent(w: Any, k: Any, ends: Any) -> Callable[[Any], Any]:
    """A training to be probed with one rate after the other, as `lr_range_test` does.

    Each call makes one step of gradient descent on ``ends[0] + sum k * w**2 / 2`` and gives the loss after it, NaN
    above ``ends[1]``. The weights stay where the step left them: a call too many shows.
    """
    weights = [w]

    def step(lr: Any) -> Any:
        weights[0] = weights[0] - lr * k * weights[0]
        loss = (k * weights[0] * weights[0]).sum() / 2 + ends[0]
        return loss if loss <= ends[1] else loss * float("nan")

    return step


PROBES: Mapping[str, Maker] = {"quadratic": quadratic, "cubic": cubic, "coupled": coupled, "descent": descent}
