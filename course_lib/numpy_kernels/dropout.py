"""Dropout: entries are silenced at random while training; `p` is the probability to drop."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_cache, check_same, check_share
from course_lib.validate_draws import check_flag, check_generator, check_mask

Dropout = tuple[np.ndarray, tuple[np.ndarray]]


def dropout_forward(
    x: np.ndarray,
    p: float = 0.5,
    train: bool = True,
    rng: np.random.Generator | None = None,
    mask: np.ndarray | None = None,
) -> Dropout:
    """Inverted dropout: ``x * mask / (1 - p)`` in training, ``x`` in evaluation, so that the mean stays the same.

    Args:
        x: activations, any shape; float32 or float64.
        p: probability to drop an entry, at least 0 and below 1.
        train: drop, or only do what evaluation does?
        rng: draws the mask when training; not needed otherwise.
        mask: in place of `rng`, which entries are kept: bools of the shape of `x`.

    Returns:
        ``out``, same shape and dtype, always a new array, and the cache: the factor of every entry.

    Raises:
        TypeError: an argument has a wrong type, or there is neither a generator nor a mask to train with.
        ValueError: `p` is not in range, or the mask has another shape.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), scaled while training.

    >>> dropout_forward(np.array([1.0, 2.0, 3.0]), p=0.25, mask=np.array([True, False, True]))[0]
    array([1.33333333, 0.        , 4.        ])
    """
    kept = _kept(x, p, train, rng, mask)
    return _scaled(x, kept / (1 - float(p)) if train else kept)


def dropout_classic(
    x: np.ndarray,
    p: float = 0.5,
    train: bool = True,
    rng: np.random.Generator | None = None,
    mask: np.ndarray | None = None,
) -> Dropout:
    """Dropout as first published: ``x * mask`` in training, ``x * (1 - p)`` in evaluation.

    Args:
        x: activations, any shape; float32 or float64.
        p: probability to drop an entry, at least 0 and below 1.
        train: drop, or only do what evaluation does?
        rng: draws the mask when training; not needed otherwise.
        mask: in place of `rng`, which entries are kept: bools of the shape of `x`.

    Returns:
        ``out``, same shape and dtype, always a new array, and the cache for `dropout_backward`.

    Raises:
        TypeError: an argument has a wrong type, or there is neither a generator nor a mask to train with.
        ValueError: `p` is not in range, or the mask has another shape.

    Source: Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov (2012).

    >>> dropout_classic(np.array([1.0, 2.0]), p=0.25, train=False)[0]
    array([0.75, 1.5 ])
    """
    kept = _kept(x, p, train, rng, mask)
    return _scaled(x, kept if train else kept * (1 - float(p)))


def dropout_backward(dout: np.ndarray, cache: tuple[np.ndarray]) -> np.ndarray:
    """Gradient of either dropout: the upstream gradient times the same factors.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        cache: what `dropout_forward` or `dropout_classic` returned second.

    Returns:
        The gradient with respect to the input, same shape and dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014).

    >>> dropout_backward(np.ones(2), dropout_forward(np.zeros(2), mask=np.array([True, False]))[1])
    array([2., 0.])
    """
    (factor,) = check_cache(cache, 1, "dropout_forward")
    check_same(np.ndarray, dout=dout, out=factor)
    return dout * factor


def _kept(x: np.ndarray, p: float, train: bool, rng: np.random.Generator | None, mask: np.ndarray | None) -> np.ndarray:
    """1 for what is kept and 0 for what is dropped, in the shape and dtype of x; all 1 in evaluation."""
    check_arrays(np.ndarray, x=(x, None))
    drop = check_share("p", p)
    if not check_flag("train", train):
        return np.broadcast_to(np.ones((), x.dtype), x.shape)
    if mask is None:
        check_generator("rng", rng, np.random.Generator, "mask")
        mask = rng.random(x.shape, dtype=x.dtype) >= drop
    check_mask("mask", mask, np.ndarray, x.shape)
    return mask.astype(x.dtype)


def _scaled(x: np.ndarray, factor: np.ndarray) -> Dropout:
    return x * factor, (factor,)
