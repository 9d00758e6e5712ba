"""First weights: their spread decides whether signals grow or fade on their way through the layers."""

from __future__ import annotations

import math

import numpy as np

from course_lib.validate import check_arrays, check_choice
from course_lib.validate_draws import check_generator, check_shape

_DTYPES = ("float32", "float64")


def kaiming_uniform(
    shape: tuple[int, ...],
    rng: np.random.Generator | None = None,
    u: tuple[np.ndarray, np.ndarray] | None = None,
    dtype: str = "float64",
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of a layer that a ReLU follows.

    ``w = sqrt(6 / n_in) * U(-1, 1)``, so that ``var(w) = 2 / n_in``, and ``b = U(-1, 1) / sqrt(n_in)``, with
    ``n_in`` the inputs of one output: D of a dense layer, ``C * kh * kw`` of a convolution.

    Args:
        shape: of the weights: (outputs, inputs), (K, C, kh, kw) or (K, D, width).
        rng: draws the numbers.
        u: in place of `rng`, numbers from -1 to 1 for w and for b, a pair of arrays of their shapes.
        dtype: ``"float32"`` or ``"float64"``; with `u`, its dtype counts.

    Returns:
        ``w`` of the shape, and ``b``, (outputs,).

    Raises:
        TypeError: `shape` holds no integers, or there is neither a generator nor `u`.
        ValueError: a shape does not fit, or there is no such dtype.

    Source: He, Zhang, Ren and Sun (2015) for w; for b the default of `torch.nn.Linear`.

    >>> kaiming_uniform((1, 6), u=(np.full((1, 6), 0.5), np.ones(1)))[0]
    array([[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]])
    """
    sizes = check_shape("shape", shape)
    n_in = math.prod(sizes[1:])
    u_w, u_b = (_uniform(sizes, rng, dtype), _uniform(sizes[:1], rng, dtype)) if u is None else u
    _check_draws(sizes, u_w)
    check_arrays(np.ndarray, u_w=(u_w, None), u_b=(u_b, str(sizes[0])))
    return math.sqrt(6 / n_in) * u_w, u_b / math.sqrt(n_in)


def glorot_uniform(
    shape: tuple[int, ...],
    rng: np.random.Generator | None = None,
    u: np.ndarray | None = None,
    dtype: str = "float64",
) -> np.ndarray:
    """Weights of a layer that tanh or sigmoid follows; biases start at 0.

    ``w = sqrt(6 / (n_in + n_out)) * U(-1, 1)``, where a convolution has ``n_in = C * kh * kw`` and
    ``n_out = K * kh * kw``.

    Args:
        shape: of the weights: (outputs, inputs), (K, C, kh, kw) or (K, D, width).
        rng: draws the numbers.
        u: in place of `rng`, numbers from -1 to 1 of that shape.
        dtype: ``"float32"`` or ``"float64"``; with `u`, its dtype counts.

    Returns:
        ``w`` of the shape.

    Raises:
        TypeError: `shape` holds no integers, or there is neither a generator nor `u`.
        ValueError: a shape does not fit, or there is no such dtype.

    Source: Glorot and Bengio (2010).

    >>> glorot_uniform((2, 4), u=np.full((2, 4), 0.5))[0]
    array([0.5, 0.5, 0.5, 0.5])
    """
    sizes = check_shape("shape", shape)
    window = math.prod(sizes[2:])
    draws = _uniform(sizes, rng, dtype) if u is None else u
    _check_draws(sizes, draws)
    return math.sqrt(6 / ((sizes[0] + sizes[1]) * window)) * draws


def _uniform(shape: tuple[int, ...], rng: np.random.Generator | None, dtype: str) -> np.ndarray:
    check_generator("rng", rng, np.random.Generator, "u")
    check_choice("dtype", dtype, _DTYPES)
    return 2 * rng.random(shape, dtype=dtype) - 1


def _check_draws(shape: tuple[int, ...], u: np.ndarray) -> None:
    check_arrays(np.ndarray, u=(u, " ".join(map(str, shape))))


def activation_stats(h: np.ndarray) -> tuple[np.floating, np.floating, np.floating, np.floating]:
    """How a layer is doing: mean and spread of its activations, and what in it is silent.

    Args:
        h: activations, (N, D), float32 or float64.

    Returns:
        Mean and standard deviation (dividing by N * D) over everything, the share of zeros, and the share of
        dead units: zero for every example. Numbers without axes, of the same dtype.

    Raises:
        TypeError: `h` is no array of floating numbers.
        ValueError: its shape does not fit.

    Source: the diagnostics of Glorot and Bengio (2010), with dead units as in Maas, Hannun and Ng (2013).

    >>> [float(number) for number in activation_stats(np.array([[0.0, 2.0], [0.0, 0.0]]))[2:]]
    [0.75, 0.5]
    """
    check_arrays(np.ndarray, h=(h, "N D"))
    silent = h == 0
    return h.mean(), h.std(), silent.mean(dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)
