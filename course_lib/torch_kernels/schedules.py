"""Learning-rate schedules as `torch.optim.lr_scheduler` has them.

Names, arguments and errors as in `course_lib.numpy_kernels.schedules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor
from torch.optim import lr_scheduler

from course_lib.torch_kernels._rates import rate_at, scheduled
from course_lib.validate import check_arrays, check_choice, check_count, check_number, check_share


def constant_lr(t: int, lr: float) -> float:
    """The same rate at every step.

    Args:
        t: step, 0 or more.
        lr: the rate, positive.

    Returns:
        The learning rate at step t.

    >>> constant_lr(1000, 0.1)
    0.1
    """
    lr = check_number("lr", lr, positive=True)
    return rate_at(check_count("t", t, least=0), lr_scheduler.ConstantLR, lr, factor=1.0)


def step_lr(t: int, lr: float, every: int, gamma: float = 0.1) -> float:
    """`StepLR`: the rate falls by a factor from time to time.

    Args:
        t: step, 0 or more.
        lr: first rate, positive.
        every: steps between two falls, at least 1.
        gamma: the factor, from 0 to 1.

    Returns:
        The learning rate at step t.

    >>> [step_lr(t, 1.0, every=2, gamma=0.5) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    lr, gamma = check_number("lr", lr, positive=True), check_share("gamma", gamma, one=True)
    t, every = check_count("t", t, least=0), check_count("every", every, least=1)
    return rate_at(t, lr_scheduler.StepLR, lr, step_size=every, gamma=gamma)


def exponential_lr(t: int, lr: float, gamma: float) -> float:
    """`ExponentialLR`: the rate falls by the same factor at every step.

    Args:
        t: step, 0 or more.
        lr: first rate, positive.
        gamma: the factor, from 0 to 1.

    Returns:
        The learning rate at step t.

    >>> [exponential_lr(t, 1.0, gamma=0.5) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    lr, gamma = check_number("lr", lr, positive=True), check_share("gamma", gamma, one=True)
    return rate_at(check_count("t", t, least=0), lr_scheduler.ExponentialLR, lr, gamma=gamma)


def cosine_lr(t: int, lr: float, period: int, lr_min: float = 0.0) -> float:
    """`CosineAnnealingLR`: half a cosine from `lr` down to `lr_min`, and up again.

    Args:
        t: step, 0 or more.
        lr: first and highest rate, positive.
        period: steps from top to bottom, at least 1.
        lr_min: lowest rate, from 0 to `lr`.

    Returns:
        The learning rate at step t.

    >>> [round(cosine_lr(t, 1.0, period=4), 3) for t in (0, 2, 4)]
    [1.0, 0.5, 0.0]
    """
    lr, lr_min = _check_range(lr_min, lr, "lr_min", "lr")
    t, period = check_count("t", t, least=0), check_count("period", period, least=1)
    return rate_at(t, lr_scheduler.CosineAnnealingLR, lr, T_max=period, eta_min=lr_min)


def cosine_warm_restarts(t: int, lr: float, period: int, factor: int = 1, lr_min: float = 0.0) -> float:
    """`CosineAnnealingWarmRestarts`: half a cosine, again and again, each time `factor` times as long.

    Args:
        t: step, 0 or more.
        lr: rate at every restart, positive.
        period: steps of the first half cosine, at least 1.
        factor: how many times longer each one is than the one before, a whole number of at least 1.
        lr_min: rate towards which it falls, from 0 to `lr`.

    Returns:
        The learning rate at step t.

    >>> [round(cosine_warm_restarts(t, 1.0, period=2, factor=2), 3) for t in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """
    lr, lr_min = _check_range(lr_min, lr, "lr_min", "lr")
    t, period = check_count("t", t, least=0), check_count("period", period, least=1)
    options = {"T_0": period, "T_mult": check_count("factor", factor, least=1), "eta_min": lr_min}
    return rate_at(t, lr_scheduler.CosineAnnealingWarmRestarts, lr, **options)


def cyclic_lr(
    t: int, lr_min: float, lr_max: float, up: int = 2000, down: int | None = None, mode: str = "triangular"
) -> float:
    """`CyclicLR`: up and down in straight lines between two rates.

    Args:
        t: step, 0 or more.
        lr_min: rate at the start of each cycle, positive.
        lr_max: rate at the top, at least `lr_min`.
        up: steps up, at least 1.
        down: steps down, at least 1; None for as many as up.
        mode: "triangular", or "triangular2" whose height halves from cycle to cycle.

    Returns:
        The learning rate at step t.

    >>> [round(cyclic_lr(t, 1.0, 5.0, up=2, down=1), 6) for t in range(5)]
    [1.0, 3.0, 5.0, 1.0, 3.0]
    """
    lr_max, lr_min = _check_range(lr_min, lr_max, "lr_min", "lr_max")
    check_number("lr_min", lr_min, positive=True)
    check_choice("mode", mode, ("triangular", "triangular2"))
    up = check_count("up", up, least=1)
    down = up if down is None else check_count("down", down, least=1)
    options = {"step_size_up": up, "step_size_down": down, "mode": mode, "cycle_momentum": False}
    t = check_count("t", t, least=0)
    return rate_at(t, lr_scheduler.CyclicLR, lr_min, base_lr=lr_min, max_lr=lr_max, **options)


def warm_up_lr(t: int, lr: float, steps: int, start: float = 1 / 3) -> float:
    """`LinearLR`: a straight line from ``start * lr`` to `lr` in `steps` steps, then `lr`.

    Args:
        t: step, 0 or more.
        lr: rate after the warm-up, positive.
        steps: length of the warm-up, at least 1.
        start: share of `lr` at step 0, above 0 and up to 1.

    Returns:
        The learning rate at step t.

    >>> [warm_up_lr(t, 1.0, steps=2, start=0.5) for t in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """
    lr, start = check_number("lr", lr, positive=True), check_number("start", start, positive=True)
    check_share("start", start, one=True)
    t, steps = check_count("t", t, least=0), check_count("steps", steps, least=1)
    return rate_at(t, lr_scheduler.LinearLR, lr, start_factor=start, end_factor=1.0, total_iters=steps)


def reduce_on_plateau(
    losses: Tensor,
    lr: float,
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    lr_min: float = 0.0,
) -> Tensor:
    """`ReduceLROnPlateau`: shrink the rate when the loss has stopped falling.

    Args:
        losses: the losses so far, (T,).
        lr: first rate, positive.
        factor: what is left of the rate, from 0 to below 1.
        patience: how many losses without improvement are forgiven, 0 or more.
        threshold: share by which a loss must fall to count, from 0 to below 1.
        lr_min: the rate never falls below, 0 or more.

    Returns:
        The rate after each loss, (T,).

    >>> reduce_on_plateau(torch.tensor([1.0, 0.5, 0.5, 0.6, 0.4]), 1.0, factor=0.5, patience=1).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """
    check_arrays(Tensor, losses=(losses, "T"))
    lr, lr_min = _check_range(lr_min, lr, "lr_min", "lr")
    options = {"factor": check_share("factor", factor), "threshold": check_share("threshold", threshold)}
    options |= {"patience": check_count("patience", patience, least=0), "min_lr": lr_min}
    optimiser, scheduler = scheduled(lr_scheduler.ReduceLROnPlateau, lr, **options)
    rates = []
    for loss in losses.tolist():
        scheduler.step(loss)
        rates.append(optimiser.param_groups[0]["lr"])
    return losses.new_tensor(rates)


def lr_range_test(
    probe: Callable[[float], float], lr_min: float, lr_max: float, steps: int, stop: float = 4.0
) -> tuple[Tensor, Tensor, float]:
    """Try rates from small to large (`torch.logspace`), and find where the loss falls fastest.

    Args:
        probe: makes one training step with a given rate and returns the loss after it; the loss is positive.
        lr_min: first rate, positive.
        lr_max: last rate, above `lr_min`.
        steps: how many rates, at least 2.
        stop: how many times the lowest loss is too much, above 1.

    Returns:
        The rates tried and their losses, both (T,) float64 with ``T <= steps``, and the rate before the
        largest fall between neighbours (the first rate, when the loss never falls).

    >>> round(lr_range_test(lambda lr: 1 + (lr - 1) ** 2, 0.01, 10.0, 4)[2], 6)
    0.1
    """
    lr_max, lr_min = _check_range(lr_min, lr_max, "lr_min", "lr_max")
    check_number("lr_min", lr_min, positive=True)
    if (stop := check_number("stop", stop)) <= 1:
        raise ValueError(f"stop is {stop}; expected a number above 1.")
    ends = (math.log10(lr_min), math.log10(lr_max))
    rates = torch.logspace(*ends, check_count("steps", steps, least=2), dtype=torch.float64)
    losses = rates.new_full((0,), 0.0)
    for rate in rates.tolist():
        losses = torch.cat([losses, losses.new_tensor([_loss(probe(rate))])])
        if not losses[-1].isfinite() or losses[-1] > stop * losses.amin():
            break
    falls = -losses.diff().nan_to_num(0.0, 0.0, 0.0)
    best = int(falls.argmax()) if len(falls) and falls.amax() > 0 else 0
    return rates[: len(losses)], losses, rates[best].item()


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
