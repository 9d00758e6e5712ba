"""Optimisers on Torch tensors: the operators inside `torch.optim`, with the state outside.

Shapes, names and errors as in `course_lib.numpy_kernels.optimisers`.
"""

# ruff: noqa: PLR0913 - the numbers of Adam's paper are six before weight decay is said.
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from course_lib.validate import (
    check_arrays,
    check_choice,
    check_count,
    check_flag,
    check_number,
    check_permutation,
    check_rows,
    check_same,
    check_share,
)

Moments = tuple[Tensor, Tensor, int]


def minibatches(
    x: Tensor, y: Tensor, batch_size: int, perm: Tensor, drop_last: bool = False
) -> list[tuple[Tensor, Tensor]]:
    """Cut one epoch into batches, in a given order, with `torch.split`.

    Args:
        x: inputs, (N, ...), any dtype.
        y: targets, (N, ...), any dtype, same device.
        batch_size: examples per batch, at least 1.
        perm: the order, (N,), integers: every example exactly once.
        drop_last: leave out a last batch that is shorter?

    Returns:
        The pairs ``(x, y)`` of all batches.

    >>> [y.tolist() for _, y in minibatches(torch.zeros(3, 2), torch.tensor([0, 1, 2]), 2, torch.tensor([2, 0, 1]))]
    [[2, 0], [1]]
    """
    n = check_rows(Tensor, x=x, y=y)
    check_permutation("perm", perm, n, Tensor)
    size = check_count("batch_size", batch_size, least=1)
    order = perm.long()
    pairs = zip(x[order].split(size), y[order].split(size), strict=True)
    drop = check_flag("drop_last", drop_last)
    return [(batch, targets) for batch, targets in pairs if len(batch) == size or not drop]


@torch.no_grad()
def sgd_step(w: Tensor, g: Tensor, state: None, lr: float) -> tuple[Tensor, None]:
    """One step of `torch.optim.SGD`.

    Args:
        w: weights, any shape.
        g: gradient of the loss, same shape, dtype and device.
        state: None; there is nothing to remember.
        lr: learning rate, positive.

    Returns:
        The new weights, and None.

    >>> sgd_step(torch.tensor([1.0, 2.0]), torch.tensor([10.0, 0.0]), None, 0.5)
    (tensor([-4.,  2.]), None)
    """
    if state is not None:
        raise TypeError(f"state is of type {type(state).__name__}; expected None.")
    return _sgd(w, g, None, check_number("lr", lr, positive=True), momentum=0.0)[0], None


@torch.no_grad()
def momentum_step(
    w: Tensor,
    g: Tensor,
    state: Tensor | None,
    lr: float,
    mu: float = 0.9,
    form: str = "sum",
    nesterov: bool = False,
) -> tuple[Tensor, Tensor]:
    """One step of `torch.optim.SGD` with momentum; form "average" is its dampening of ``mu``.

    Args:
        w: weights, any shape.
        g: gradient of the loss, same shape, dtype and device.
        state: the velocity; None at the first step.
        lr: learning rate, positive.
        mu: what is kept of the velocity, from 0 to below 1.
        form: "sum" or "average".
        nesterov: look ahead? Only with form "sum".

    Returns:
        The new weights and the new velocity.

    >>> momentum_step(torch.tensor([1.0]), torch.tensor([1.0]), torch.tensor([2.0]), 0.25, mu=0.5)
    (tensor([0.5000]), tensor([2.]))
    """
    mu, lr = check_share("mu", mu), check_number("lr", lr, positive=True)
    check_choice("form", form, ("sum", "average"))
    if check_flag("nesterov", nesterov) and form != "sum":
        raise ValueError("nesterov is True; expected False with form 'average'.")
    return _sgd(w, g, state, lr, momentum=mu, dampening=0.0 if form == "sum" else mu, nesterov=nesterov)


@torch.no_grad()
def adagrad_step(
    w: Tensor, g: Tensor, state: Tensor | None, lr: float = 0.01, eps: float = 1e-10
) -> tuple[Tensor, Tensor]:
    """One step of `torch.optim.Adagrad`.

    Args:
        w: weights, any shape.
        g: gradient of the loss, same shape, dtype and device.
        state: the sum of squared gradients; None at the first step.
        lr: learning rate, positive.
        eps: keeps the division finite; it stands outside the root.

    Returns:
        The new weights and the new sum.

    >>> adagrad_step(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([16.0]), lr=1.25)
    (tensor([0.2500]), tensor([25.]))
    """
    new, s = _start(w, g, state)
    lr, eps = check_number("lr", lr, positive=True), check_number("eps", eps, positive=True)
    adagrad([new], [g], [s], [torch.zeros(())], lr=lr, weight_decay=0.0, lr_decay=0.0, eps=eps, maximize=False)
    return new, s


@torch.no_grad()
def rmsprop_step(
    w: Tensor, g: Tensor, state: Tensor | None, lr: float = 0.01, beta: float = 0.99, eps: float = 1e-8
) -> tuple[Tensor, Tensor]:
    """One step of `torch.optim.RMSprop`.

    Args:
        w: weights, any shape.
        g: gradient of the loss, same shape, dtype and device.
        state: the average of squared gradients; None at the first step.
        lr: learning rate, positive.
        beta: what is kept of the average, from 0 to below 1.
        eps: keeps the division finite; it stands outside the root.

    Returns:
        The new weights and the new average.

    >>> rmsprop_step(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([23.0]), lr=0.5, beta=0.5)
    (tensor([0.6250]), tensor([16.]))
    """
    new, s = _start(w, g, state)
    lr, eps = check_number("lr", lr, positive=True), check_number("eps", eps, positive=True)
    alpha = check_share("beta", beta)
    options = {"weight_decay": 0.0, "momentum": 0.0, "centered": False}
    rmsprop([new], [g], [s], [], [], [torch.zeros(())], lr=lr, alpha=alpha, eps=eps, **options)
    return new, s


@torch.no_grad()
def adam_step(
    w: Tensor,
    g: Tensor,
    state: Moments | None,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    in_place: bool = False,
) -> tuple[Tensor, Moments]:
    """One step of `torch.optim.Adam`.

    Args:
        w: weights, any shape.
        g: gradient of the loss, same shape, dtype and device.
        state: ``(m, v, k)``; None at the first step.
        lr: learning rate, positive.
        betas: what is kept of m and of v, each from 0 to below 1.
        eps: keeps the division finite; it stands outside the root, after the correction.
        in_place: write into `w`, m and v instead of new tensors?

    Returns:
        The new weights and the new ``(m, v, k)``.

    >>> adam_step(torch.tensor([1.0]), torch.tensor([9.0]), None, lr=0.25)[0]
    tensor([0.7500])
    """
    return _adam(w, g, state, lr, betas, eps, in_place=in_place)


@torch.no_grad()
def adamw_step(
    w: Tensor,
    g: Tensor,
    state: Moments | None,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    in_place: bool = False,
) -> tuple[Tensor, Moments]:
    """One step of `torch.optim.AdamW`.

    Args:
        w: weights, any shape.
        g: gradient of the loss *without* penalty, same shape, dtype and device.
        state: ``(m, v, k)``; None at the first step.
        lr: learning rate, positive.
        betas: what is kept of m and of v, each from 0 to below 1.
        eps: keeps the division finite; it stands outside the root, after the correction.
        weight_decay: share of the weights lost per unit of learning rate, 0 or more.
        in_place: write into `w`, m and v instead of new tensors?

    Returns:
        The new weights and the new ``(m, v, k)``.

    >>> adamw_step(torch.tensor([1.0]), torch.tensor([0.0]), None, lr=0.5, weight_decay=0.25)[0]
    tensor([0.8750])
    """
    decay = check_number("weight_decay", weight_decay)
    if decay < 0:
        raise ValueError(f"weight_decay is {decay}; expected 0 or more.")
    return _adam(w, g, state, lr, betas, eps, in_place=in_place, weight_decay=decay, decoupled_weight_decay=True)


@torch.no_grad()
def clip_grad_norm(grads: Sequence[Tensor], max_norm: float) -> tuple[tuple[Tensor, ...], Tensor]:
    """Shorten gradients that are too long together, with `torch.nn.utils`.

    Args:
        grads: gradients of all parameters, any shapes, all of one dtype and device.
        max_norm: longest norm allowed, positive.

    Returns:
        The new gradients, and the norm before.

    >>> clip_grad_norm([torch.tensor([3.0]), torch.tensor([4.0])], 10.0)
    ((tensor([3.]), tensor([4.])), tensor(5.))
    """
    if not isinstance(grads, (list, tuple)):
        raise TypeError(f"grads is of type {type(grads).__name__}; expected a list of tensors.")
    if not grads:
        raise ValueError("grads is empty; expected at least one gradient.")
    check_arrays(Tensor, **{f"grads[{i}]": (g, None) for i, g in enumerate(grads)})
    holders = [torch.empty_like(g) for g in grads]
    for holder, g in zip(holders, grads, strict=True):
        holder.grad = g.detach().clone()
    norm = torch.nn.utils.clip_grad_norm_(holders, check_number("max_norm", max_norm, positive=True))
    return tuple(holder.grad for holder in holders), norm


def _sgd(
    w: Tensor, g: Tensor, velocity: Tensor | None, lr: float, momentum: float, dampening: float = 0.0, **options: bool
) -> tuple[Tensor, Tensor]:
    check_arrays(Tensor, w=(w, None))
    check_same(Tensor, g=g, w=w)
    if velocity is not None:
        check_same(Tensor, state=velocity, w=w)
        velocity = velocity.detach().clone()
    new, velocities = w.detach().clone(), [velocity]
    options = {"nesterov": False, "maximize": False, **options}
    sgd([new], [g], velocities, weight_decay=0.0, momentum=momentum, lr=lr, dampening=dampening, **options)
    if velocities[0] is None:  # without momentum Torch keeps no velocity
        velocities[0] = g.detach().clone()
    return new, velocities[0]


def _adam(
    w: Tensor,
    g: Tensor,
    state: Moments | None,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    in_place: bool,
    **decay: float,
) -> tuple[Tensor, Moments]:
    check_arrays(Tensor, w=(w, None))
    check_same(Tensor, g=g, w=w)
    old, k = _moments(w, state)
    beta1, beta2 = _check_betas(betas)
    lr, eps = check_number("lr", lr, positive=True), check_number("eps", eps, positive=True)
    if check_flag("in_place", in_place) and not all(t.is_contiguous() for t in (w, *old)):
        raise ValueError("in_place is True, and w, m or v is not contiguous; expected contiguous arrays.")
    new, m, v = (t.detach() if in_place else t.detach().clone() for t in (w, *old))
    options = {"amsgrad": False, "maximize": False, "weight_decay": 0.0, **decay}
    adam([new], [g], [m], [v], [], [torch.tensor(float(k))], beta1=beta1, beta2=beta2, lr=lr, eps=eps, **options)
    return new, (m, v, k + 1)


def _moments(w: Tensor, state: Moments | None) -> tuple[tuple[Tensor, Tensor], int]:
    if state is None:
        return (torch.zeros_like(w), torch.zeros_like(w)), 0
    if not isinstance(state, tuple) or len(state) != 3:
        raise TypeError(f"state is of type {type(state).__name__}; expected None or what adam_step returned second.")
    for name, moment in (("state[0]", state[0]), ("state[1]", state[1])):
        check_same(Tensor, **{name: moment, "w": w})
    return state[:2], check_count("state[2]", state[2], least=0)


def _start(w: Tensor, g: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    check_arrays(Tensor, w=(w, None))
    check_same(Tensor, g=g, w=w)
    if state is not None:
        check_same(Tensor, state=state, w=w)
    return w.detach().clone(), torch.zeros_like(w) if state is None else state.detach().clone()


def _check_betas(betas: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas is {betas!r}; expected two numbers.")
    return check_share("betas[0]", betas[0]), check_share("betas[1]", betas[1])
