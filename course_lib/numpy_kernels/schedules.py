"""Learning-rate schedules: the rate to use at step t, and how to find a first one.

Steps count from 0. Every schedule is a function of the step alone, so it can be drawn before it is used;
`reduce_on_plateau` looks at the losses so far instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real

import numpy as np

from course_lib.validate import check_arrays, check_choice, check_count, check_number, check_share

_LEAST_CHANGE = 1e-8  # Torch's `eps` of the plateau: smaller changes of the rate are not made


def constant_lr(t: int, lr: float) -> float:
    """The same rate at every step.

    Args:
        t: step, 0 or more.
        lr: the rate, positive.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: Robbins and Monro (1951) show that it stops short of the minimum when gradients are noisy.

    >>> constant_lr(1000, 0.1)
    0.1
    """
    check_count("t", t, least=0)
    return check_number("lr", lr, positive=True)


def step_lr(t: int, lr: float, every: int, gamma: float = 0.1) -> float:
    """The rate falls by a factor from time to time: ``lr * gamma ** (t // every)``.

    Args:
        t: step, 0 or more.
        lr: first rate, positive.
        every: steps between two falls, at least 1.
        gamma: the factor, from 0 to 1.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: as in Krizhevsky, Sutskever and Hinton (2012), who divided by 10 by hand.

    >>> [step_lr(t, 1.0, every=2, gamma=0.5) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    lr, gamma = check_number("lr", lr, positive=True), check_share("gamma", gamma, one=True)
    return lr * gamma ** (check_count("t", t, least=0) // check_count("every", every, least=1))


def exponential_lr(t: int, lr: float, gamma: float) -> float:
    """The rate falls by the same factor at every step: ``lr * gamma ** t``.

    Args:
        t: step, 0 or more.
        lr: first rate, positive.
        gamma: the factor, from 0 to 1.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: exponential decay; `torch.optim.lr_scheduler.ExponentialLR`.

    >>> [exponential_lr(t, 1.0, gamma=0.5) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    lr, gamma = check_number("lr", lr, positive=True), check_share("gamma", gamma, one=True)
    return lr * gamma ** check_count("t", t, least=0)


def cosine_lr(t: int, lr: float, period: int, lr_min: float = 0.0) -> float:
    """Half a cosine from `lr` down to `lr_min`: ``lr_min + (lr - lr_min) * (1 + cos(pi * t / period)) / 2``.

    After `period` steps the cosine goes up again, as in Torch.

    Args:
        t: step, 0 or more.
        lr: first and highest rate, positive.
        period: steps from top to bottom, at least 1.
        lr_min: lowest rate, from 0 to `lr`.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: Loshchilov and Hutter (2017), equation 5 without restarts.

    >>> [round(cosine_lr(t, 1.0, period=4), 3) for t in (0, 2, 4)]
    [1.0, 0.5, 0.0]
    """
    lr, lr_min = _check_range(lr_min, lr, "lr_min", "lr")
    angle = math.pi * check_count("t", t, least=0) / check_count("period", period, least=1)
    return lr_min + (lr - lr_min) * (1 + math.cos(angle)) / 2


def cosine_warm_restarts(t: int, lr: float, period: int, factor: int = 1, lr_min: float = 0.0) -> float:
    """SGDR: half a cosine, again and again, each time `factor` times as long.

    Args:
        t: step, 0 or more.
        lr: rate at every restart, positive.
        period: steps of the first half cosine, at least 1. At step `period` the rate is `lr` again.
        factor: how many times longer each one is than the one before, a whole number of at least 1.
        lr_min: rate towards which it falls, from 0 to `lr`; it restarts one step before reaching it.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: Loshchilov and Hutter (2017), "SGDR", equation 5.

    >>> [round(cosine_warm_restarts(t, 1.0, period=2, factor=2), 3) for t in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    t, period = check_count("t", t, least=0), check_count("period", period, least=1)
    factor = check_count("factor", factor, least=1)
    if factor == 1:
        t %= period
    while t >= period:
        t, period = t - period, period * factor
    return cosine_lr(t, lr, period, lr_min)


def cyclic_lr(
    t: int, lr_min: float, lr_max: float, up: int = 2000, down: int | None = None, mode: str = "triangular"
) -> float:
    """Up and down in straight lines between two rates.

    Args:
        t: step, 0 or more.
        lr_min: rate at the start of each cycle, positive.
        lr_max: rate at the top, at least `lr_min`.
        up: steps up, at least 1.
        down: steps down, at least 1; None for as many as up.
        mode: "triangular", or "triangular2" whose height halves from cycle to cycle.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number or the mode is out of range.

    Source: Smith (2017), "Cyclical learning rates for training neural networks".

    >>> [cyclic_lr(t, 1.0, 5.0, up=2, down=1) for t in range(5)]
    [1.0, 3.0, 5.0, 1.0, 3.0]
    """
    lr_max, lr_min = _check_range(lr_min, lr_max, "lr_min", "lr_max")
    check_number("lr_min", lr_min, positive=True)
    check_choice("mode", mode, ("triangular", "triangular2"))
    up = check_count("up", up, least=1)
    down = up if down is None else check_count("down", down, least=1)
    cycle, place = divmod(check_count("t", t, least=0), up + down)
    height = place / up if place <= up else (up + down - place) / down
    return lr_min + (lr_max - lr_min) * height * (0.5**cycle if mode == "triangular2" else 1.0)


def warm_up_lr(t: int, lr: float, steps: int, start: float = 1 / 3) -> float:
    """A straight line from ``start * lr`` to `lr` in `steps` steps, then `lr`.

    Args:
        t: step, 0 or more.
        lr: rate after the warm-up, positive.
        steps: length of the warm-up, at least 1.
        start: share of `lr` at step 0, above 0 and up to 1.

    Returns:
        The learning rate at step t.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: Goyal et al. (2017); `torch.optim.lr_scheduler.LinearLR`.

    >>> [warm_up_lr(t, 1.0, steps=2, start=0.5) for t in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """
    lr, start = check_number("lr", lr, positive=True), check_number("start", start, positive=True)
    check_share("start", start, one=True)
    steps = check_count("steps", steps, least=1)
    done = min(check_count("t", t, least=0), steps) / steps
    return lr * (start + (1 - start) * done)


def reduce_on_plateau(
    losses: np.ndarray,
    lr: float,
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    lr_min: float = 0.0,
) -> np.ndarray:
    """Shrink the rate when the loss has stopped falling.

    A loss is better when it is below ``(1 - threshold) * best``. After more than `patience` losses in a row
    that are not, the rate becomes ``max(factor * rate, lr_min)`` and the count starts again.

    Args:
        losses: the losses so far, (T,), float32 or float64; a NaN is no better loss.
        lr: first rate, positive.
        factor: what is left of the rate, from 0 to below 1.
        patience: how many losses without improvement are forgiven, 0 or more.
        threshold: share by which a loss must fall to count, from 0 to below 1.
        lr_min: the rate never falls below, 0 or more. Changes below 1e-8 are not made.

    Returns:
        The rate after each loss, (T,), same dtype; the last one is the rate to go on with.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape or a number does not fit.

    Source: `torch.optim.lr_scheduler.ReduceLROnPlateau`, mode "min", threshold mode "rel".

    >>> reduce_on_plateau(np.array([1.0, 0.5, 0.5, 0.6, 0.4]), 1.0, factor=0.5, patience=1)
    array([1. , 1. , 1. , 0.5, 0.5])
    """
    check_arrays(np.ndarray, losses=(losses, "T"))
    lr, lr_min = _check_range(lr_min, lr, "lr_min", "lr")
    factor, kept = check_share("factor", factor), 1 - check_share("threshold", threshold)
    patience = check_count("patience", patience, least=0)
    best, bad, rates = math.inf, 0, []
    for loss in losses.tolist():
        best, bad = (loss, 0) if loss < kept * best else (best, bad + 1)
        if bad > patience:
            lower, bad = max(factor * lr, lr_min), 0
            lr = lower if lr - lower > _LEAST_CHANGE else lr
        rates.append(lr)
    return np.array(rates, losses.dtype)


def lr_range_test(
    probe: Callable[[float], float], lr_min: float, lr_max: float, steps: int, stop: float = 4.0
) -> tuple[np.ndarray, np.ndarray, float]:
    """Try rates from small to large, and find where the loss falls fastest.

    The rates ``lr_min * (lr_max / lr_min) ** (i / (steps - 1))`` are probed in order. The test ends early
    after a loss that is not finite or above `stop` times the lowest so far.

    Args:
        probe: makes one training step with a given rate and returns the loss after it; the loss is positive.
        lr_min: first rate, positive.
        lr_max: last rate, above `lr_min`.
        steps: how many rates, at least 2.
        stop: how many times the lowest loss is too much, above 1.

    Returns:
        The rates tried and their losses, both (T,) float64 with ``T <= steps``, and the rate before the
        largest fall between neighbours (the first rate, when the loss never falls).

    Raises:
        TypeError: an argument, or what `probe` returns, is no number.
        ValueError: a number is out of range.

    Source: Smith (2017), section 3.3; the steepest fall as in many libraries since.

    >>> round(lr_range_test(lambda lr: 1 + (lr - 1) ** 2, 0.01, 10.0, 4)[2], 6)
    0.1
    """
    lr_max, lr_min = _check_range(lr_min, lr_max, "lr_min", "lr_max")
    check_number("lr_min", lr_min, positive=True)
    last = check_count("steps", steps, least=2) - 1
    if (stop := check_number("stop", stop)) <= 1:
        raise ValueError(f"stop is {stop}; expected a number above 1.")
    rates, losses = [], []
    for i in range(last + 1):
        rates.append(lr_min * (lr_max / lr_min) ** (i / last))
        losses.append(_loss(probe(rates[-1])))
        if not math.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    falls = [before - after if after < before else 0.0 for before, after in zip(losses, losses[1:], strict=False)]
    best = rates[falls.index(max(falls))] if falls else rates[0]
    return np.array(rates), np.array(losses), best


def _check_range(low: float, high: float, low_name: str, high_name: str) -> tuple[float, float]:
    """The larger rate first, both as Python floats."""
    high, low = check_number(high_name, high, positive=True), check_number(low_name, low)
    if not 0 <= low <= high:
        raise ValueError(f"{low_name} is {low}; expected a number from 0 to {high}, which is {high_name}.")
    return high, low


def _loss(value: float) -> float:
    """The value as a Python float, which may be NaN or infinite."""
    if isinstance(value, bool) or not (isinstance(value, Real) or getattr(value, "ndim", None) == 0):
        raise TypeError(f"probe(lr) is of type {type(value).__name__}; expected a number.")
    return float(value)
