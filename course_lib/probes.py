"""Functions that cases hand to an answer: known shape, secret coefficients.

Each entry of `PROBES` makes a function from its coefficients. Operators and `.sum()` only, so that the same function
takes a NumPy array or a Torch tensor. Most give one number; `BRANCHES` are the passes of what lies inside a layer.
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


def bend(a: Any, c: Any) -> Callable[[Any], Any]:
    """The branch ``f = a * x**2 + c`` of a residual layer, which remembers its input: x to (f, cache)."""
    return lambda x: (a * x * x + c, (x,))


def bend_backward(a: Any, c: Any) -> Callable[[Any, Any], Any]:
    """Backward pass of `bend`, (dout, cache) to (dx, da, dc)."""
    return lambda dout, cache: (2 * a * cache[0] * dout, cache[0] * cache[0] * dout, 1 * dout)


def blend(a: Any, c: Any) -> Callable[[Any], Any]:
    """The branch ``f = a * (sum c * x)``: every entry depends on all of x."""
    return lambda x: (a * (c * x).sum(), ())


def blend_backward(a: Any, c: Any) -> Callable[[Any, Any], Any]:
    """Backward pass of `blend`, (dout, cache) to dx alone: an array, not a tuple."""
    return lambda dout, cache: c * (a * dout).sum()


def shift(c: Any) -> Callable[[Any], Any]:
    """The branch ``f = x + c``."""
    return lambda x: (x + c, ())


def shift_backward(c: Any) -> Callable[[Any, Any], Any]:
    """Backward pass of `shift`, (dout, cache) to (dout,): the very array that came in."""
    return lambda dout, cache: (dout,)


def drift(a: Any) -> Callable[[Any], Any]:
    """A branch with a memory: each call adds ``a * x`` to what it keeps and hands that out.

    A call too many shows in the next one, and so does a change of the array that it handed out.
    """
    kept = [0 * a]

    def branch(x: Any) -> Any:
        kept[0] = kept[0] + a * x
        return kept[0], ()

    return branch


BRANCHES: Mapping[str, Maker] = {
    "bend": bend, "bend_backward": bend_backward, "blend": blend, "blend_backward": blend_backward,
    "shift": shift, "shift_backward": shift_backward, "drift": drift,
}  # fmt: skip
PROBES: Mapping[str, Maker] = {
    "quadratic": quadratic,
    "cubic": cubic,
    "coupled": coupled,
    "descent": descent,
    **BRANCHES,
}
