"""Optimisers as functions: weights, gradient and state in; new weights and new state out.

All share one form, ``step(w, g, state, lr, ...) -> (w, state)``. The state of the first step is None.
"""

# ruff: noqa: PLR0913 - the numbers of Adam's paper are six before weight decay is said.
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

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

Moments = tuple[np.ndarray, np.ndarray, int]

_BLOCK = 65_536  # numbers; the arrays of one block stay in the cache from one operation to the next


def minibatches(
    x: np.ndarray, y: np.ndarray, batch_size: int, perm: np.ndarray, drop_last: bool = False
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut one epoch into batches, in a given order.

    Batch k holds the examples ``perm[k * batch_size : (k + 1) * batch_size]``; the last one may be shorter.

    Args:
        x: inputs, (N, ...), any dtype.
        y: targets, (N, ...), any dtype.
        batch_size: examples per batch, at least 1.
        perm: the order, (N,), integers: every example exactly once.
        drop_last: leave out a last batch that is shorter?

    Returns:
        The pairs ``(x, y)`` of all batches, copies of the examples.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: `x` and `y` differ in length, `perm` is no permutation, or `batch_size` is too small.

    Source: Robbins and Monro (1951) for one example at a time; one pass over a shuffled set is an epoch.

    >>> [y.tolist() for _, y in minibatches(np.zeros((3, 2)), np.array([0, 1, 2]), 2, np.array([2, 0, 1]))]
    [[2, 0], [1]]
    """
    n = check_rows(np.ndarray, x=x, y=y)
    check_permutation("perm", perm, n, np.ndarray)
    size = check_count("batch_size", batch_size, least=1)
    end = n - n % size if check_flag("drop_last", drop_last) else n
    rows = [perm[start : start + size] for start in range(0, end, size)]
    return [(x[row], y[row]) for row in rows]


def sgd_step(w: np.ndarray, g: np.ndarray, state: None, lr: float) -> tuple[np.ndarray, None]:
    """One step of (stochastic) gradient descent: ``w - lr * g``.

    Args:
        w: weights, any shape, float32 or float64.
        g: gradient of the loss, same shape and dtype.
        state: None; there is nothing to remember.
        lr: learning rate, positive.

    Returns:
        The new weights, and None.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape or a number does not fit.

    Source: Cauchy (1847); Robbins and Monro (1951).

    >>> sgd_step(np.array([1.0, 2.0]), np.array([10.0, 0.0]), None, 0.1)
    (array([0., 2.]), None)
    """
    check_arrays(np.ndarray, w=(w, None), g=(g, None))
    check_same(np.ndarray, g=g, w=w)
    if state is not None:
        raise TypeError(f"state is of type {type(state).__name__}; expected None.")
    return np.asarray(w - check_number("lr", lr, positive=True) * g), None


def momentum_step(
    w: np.ndarray,
    g: np.ndarray,
    state: np.ndarray | None,
    lr: float,
    mu: float = 0.9,
    form: str = "sum",
    nesterov: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """One step of gradient descent with momentum.

    ``v = mu * v + g`` (form "sum", Torch's) or ``v = mu * v + (1 - mu) * g`` (form "average"), then
    ``w - lr * v``; with Nesterov ``w - lr * (g + mu * v)``. The first step is undamped: ``v = g`` in both.

    Args:
        w: weights, any shape, float32 or float64.
        g: gradient of the loss, same shape and dtype.
        state: the velocity v, shape and dtype of `w`; None at the first step.
        lr: learning rate, positive.
        mu: what is kept of the velocity, from 0 to below 1.
        form: "sum" adds gradients up, so steps grow to ``1 / (1 - mu)`` times a gradient; "average" averages.
        nesterov: look ahead? Only with form "sum".

    Returns:
        The new weights and the new velocity.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape, a number or a form does not fit.

    Source: Polyak (1964); Nesterov (1983) as written by Sutskever et al. (2013).

    >>> momentum_step(np.array([1.0]), np.array([1.0]), np.array([2.0]), 0.1, mu=0.5)
    (array([0.8]), array([2.]))
    """
    _check_step(w, g, state)
    mu, lr = check_share("mu", mu), check_number("lr", lr, positive=True)
    check_choice("form", form, ("sum", "average"))
    if check_flag("nesterov", nesterov) and form != "sum":
        raise ValueError("nesterov is True; expected False with form 'average'.")
    v = g.copy() if state is None else np.asarray(mu * state + (g if form == "sum" else (1 - mu) * g))
    return np.asarray(w - lr * (g + mu * v if nesterov else v)), v


def adagrad_step(
    w: np.ndarray, g: np.ndarray, state: np.ndarray | None, lr: float = 0.01, eps: float = 1e-10
) -> tuple[np.ndarray, np.ndarray]:
    """One step of Adagrad: the more a weight has moved, the smaller its steps.

    ``s = s + g**2``, then ``w - lr * g / (sqrt(s) + eps)``.

    Args:
        w: weights, any shape, float32 or float64.
        g: gradient of the loss, same shape and dtype.
        state: the sum s of squared gradients, shape and dtype of `w`; None at the first step.
        lr: learning rate, positive.
        eps: keeps the division finite; it stands outside the root.

    Returns:
        The new weights and the new sum.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape or a number does not fit.

    Source: Duchi, Hazan and Singer (2011).

    >>> adagrad_step(np.array([1.0]), np.array([3.0]), np.array([16.0]), lr=0.5)
    (array([0.7]), array([25.]))
    """
    _check_step(w, g, state)
    lr, eps = check_number("lr", lr, positive=True), check_number("eps", eps, positive=True)
    s = np.asarray(g * g if state is None else state + g * g)
    return np.asarray(w - lr * g / (np.sqrt(s) + eps)), s


def rmsprop_step(
    w: np.ndarray, g: np.ndarray, state: np.ndarray | None, lr: float = 0.01, beta: float = 0.99, eps: float = 1e-8
) -> tuple[np.ndarray, np.ndarray]:
    """One step of RMSProp: Adagrad with a memory that fades.

    ``s = beta * s + (1 - beta) * g**2`` from ``s = 0``, then ``w - lr * g / (sqrt(s) + eps)``.

    Args:
        w: weights, any shape, float32 or float64.
        g: gradient of the loss, same shape and dtype.
        state: the average s of *squared* gradients, shape and dtype of `w`; None at the first step.
        lr: learning rate, positive.
        beta: what is kept of the average, from 0 to below 1.
        eps: keeps the division finite; it stands outside the root.

    Returns:
        The new weights and the new average.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape or a number does not fit.

    Source: Tieleman and Hinton (2012), lecture 6.5.

    >>> rmsprop_step(np.array([1.0]), np.array([3.0]), np.array([23.0]), lr=0.5, beta=0.5)
    (array([0.625]), array([16.]))
    """
    _check_step(w, g, state)
    lr, eps = check_number("lr", lr, positive=True), check_number("eps", eps, positive=True)
    beta = check_share("beta", beta)
    s = (1 - beta) * g * g
    s = np.asarray(s if state is None else beta * state + s)
    return np.asarray(w - lr * g / (np.sqrt(s) + eps)), s


def adam_step(
    w: np.ndarray,
    g: np.ndarray,
    state: Moments | None,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    in_place: bool = False,
) -> tuple[np.ndarray, Moments]:
    """One step of Adam.

    ``k = k + 1``, ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g**2`` from zeros, then
    ``w - lr * m_hat / (sqrt(v_hat) + eps)`` with ``m_hat = m / (1 - beta1**k)``, ``v_hat = v / (1 - beta2**k)``.
    The state keeps m and v *without* that correction.

    Args:
        w: weights, any shape, float32 or float64.
        g: gradient of the loss, same shape and dtype.
        state: ``(m, v, k)``, two arrays like `w` and the number of steps taken; None at the first step.
        lr: learning rate, positive.
        betas: what is kept of m and of v, each from 0 to below 1.
        eps: keeps the division finite; it stands outside the root, after the correction.
        in_place: write into `w`, m and v instead of new arrays? Faster on large arrays.

    Returns:
        The new weights and the new ``(m, v, k)``.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape or a number does not fit, or an array for `in_place` is not contiguous.

    Source: Kingma and Ba (2015), algorithm 1; the corrections are folded into the step as in their section 2.

    >>> adam_step(np.array([1.0]), np.array([9.0]), None, lr=0.25)[0]
    array([0.75])
    """
    m, v, k = _check_adam(w, g, state, in_place)
    lr, eps = check_number("lr", lr, positive=True), check_number("eps", eps, positive=True)
    beta1, beta2 = _check_betas(betas)
    root = (1 - beta2 ** (k + 1)) ** 0.5
    new = (w, m, v) if in_place else tuple(np.empty(w.shape, w.dtype) for _ in range(3))
    spare = np.empty(min(w.size, _BLOCK), w.dtype)
    for w_old, grad, m_old, v_old, w_new, m_new, v_new in _blocks(w, g, m, v, *new):
        part = spare[: grad.size]
        np.multiply(m_old, beta1, out=m_new)
        m_new += np.multiply(grad, 1 - beta1, out=part)
        np.multiply(grad, grad, out=part)
        part *= 1 - beta2
        np.multiply(v_old, beta2, out=v_new)
        v_new += part
        # m_hat / (sqrt(v_hat) + eps), numerator and denominator both times the root of v's correction.
        np.sqrt(v_new, out=part)
        part += eps * root
        np.divide(m_new, part, out=part)
        part *= lr * root / (1 - beta1 ** (k + 1))
        np.subtract(w_old, part, out=w_new)
    return new[0], (new[1], new[2], k + 1)


def adamw_step(
    w: np.ndarray,
    g: np.ndarray,
    state: Moments | None,
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    in_place: bool = False,
) -> tuple[np.ndarray, Moments]:
    """One step of Adam with decoupled weight decay: ``w`` times ``1 - lr * weight_decay`` first, then `adam_step`.

    Args:
        w: weights, any shape, float32 or float64.
        g: gradient of the loss *without* penalty, same shape and dtype.
        state: ``(m, v, k)`` as for `adam_step`; None at the first step.
        lr: learning rate, positive.
        betas: what is kept of m and of v, each from 0 to below 1.
        eps: keeps the division finite; it stands outside the root, after the correction.
        weight_decay: share of the weights lost per unit of learning rate, 0 or more.
        in_place: write into `w`, m and v instead of new arrays?

    Returns:
        The new weights and the new ``(m, v, k)``.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape or a number does not fit, or an array for `in_place` is not contiguous.

    Source: Loshchilov and Hutter (2019), algorithm 2 as in Torch (the decay scales with `lr`).

    >>> adamw_step(np.array([1.0]), np.array([0.0]), None, lr=0.5, weight_decay=0.25)[0]
    array([0.875])
    """
    _check_adam(w, g, state, in_place)
    decay = check_number("weight_decay", weight_decay)
    if decay < 0:
        raise ValueError(f"weight_decay is {decay}; expected 0 or more.")
    kept = 1 - check_number("lr", lr, positive=True) * decay
    shrunk = np.multiply(w, kept, out=w if in_place else np.empty(w.shape, w.dtype))
    return adam_step(shrunk, g, state, lr, betas, eps, in_place)


def clip_grad_norm(grads: Sequence[np.ndarray], max_norm: float) -> tuple[tuple[np.ndarray, ...], np.floating]:
    """Shorten gradients that are too long together, keeping their direction.

    ``g * min(1, max_norm / (norm + 1e-6))`` with ``norm = sqrt(sum of all g**2)`` over all arrays.

    Args:
        grads: gradients of all parameters, any shapes, float32 or float64, all of one dtype.
        max_norm: longest norm allowed, positive.

    Returns:
        The new gradients, and the norm before.

    Raises:
        TypeError: `grads` is no list or tuple, or an array is of the wrong type or dtype.
        ValueError: `grads` is empty, or `max_norm` is not positive.

    Source: Pascanu, Mikolov and Bengio (2013); the 1e-6 is Torch's.

    >>> clip_grad_norm([np.array([3.0]), np.array([4.0])], 10.0)
    ((array([3.]), array([4.])), np.float64(5.0))
    """
    if not isinstance(grads, (list, tuple)):
        raise TypeError(f"grads is of type {type(grads).__name__}; expected a list of arrays.")
    if not grads:
        raise ValueError("grads is empty; expected at least one gradient.")
    check_arrays(np.ndarray, **{f"grads[{i}]": (g, None) for i, g in enumerate(grads)})
    max_norm = check_number("max_norm", max_norm, positive=True)
    norm = np.sqrt(sum(np.vecdot(g.reshape(-1), g.reshape(-1)) for g in grads))
    # A NaN must come through: np.minimum passes it on, min() may not.
    factor = np.minimum(max_norm / (norm + norm.dtype.type(1e-6)), norm.dtype.type(1))
    with np.errstate(invalid="ignore"):  # an infinite norm makes 0 * inf
        return tuple(np.asarray(g * factor) for g in grads), norm


def _check_step(w: np.ndarray, g: np.ndarray, state: np.ndarray | None) -> None:
    check_arrays(np.ndarray, w=(w, None))
    check_same(np.ndarray, g=g, w=w)
    if state is not None:
        check_same(np.ndarray, state=state, w=w)


def _check_adam(w: np.ndarray, g: np.ndarray, state: Moments | None, in_place: bool) -> Moments:
    _check_step(w, g, None)
    if state is None:
        m, v, k = np.zeros(w.shape, w.dtype), np.zeros(w.shape, w.dtype), 0
    elif isinstance(state, tuple) and len(state) == 3:
        m, v, k = state[0], state[1], check_count("state[2]", state[2], least=0)
        for name, moment in (("state[0]", m), ("state[1]", v)):
            check_same(np.ndarray, **{name: moment, "w": w})
    else:
        raise TypeError(f"state is of type {type(state).__name__}; expected None or what adam_step returned second.")
    if check_flag("in_place", in_place) and not all(array.flags.c_contiguous for array in (w, m, v)):
        raise ValueError("in_place is True, and w, m or v is not contiguous; expected contiguous arrays.")
    return m, v, k


def _blocks(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """The same piece of every array, as flat views, one after the other."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, _BLOCK):
        yield tuple(array[start : start + _BLOCK] for array in flat)


def _check_betas(betas: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas is {betas!r}; expected two numbers.")
    return check_share("betas[0]", betas[0]), check_share("betas[1]", betas[1])
