"""Numbers for cases: few decimals, so that a learner can follow a case by hand."""

from __future__ import annotations

import numpy as np


def draw(rng: np.random.Generator, *shape: int, scale: float = 1.0, dtype: str = "float64") -> np.ndarray:
    """Normal numbers with two decimals, none of them zero.

    Args:
        rng: where the numbers come from.
        *shape: shape of the array.
        scale: standard deviation.
        dtype: float32 or float64.

    >>> draw(np.random.default_rng(0), 2)
    array([ 0.13, -0.13])
    """
    values = np.round(rng.normal(0.0, scale, shape), 2)
    # A zero would hide a forgotten factor.
    return np.where(values == 0, 0.5 * scale, values).astype(dtype)


def draw_number(rng: np.random.Generator, low: float, high: float) -> float:
    """One number with two decimals as a Python float, which leaves float32 arrays float32.

    >>> 1.0 <= draw_number(np.random.default_rng(0), 1.0, 2.0) <= 2.0
    True
    """
    return round(float(rng.uniform(low, high)), 2)


def draw_both_signs(rng: np.random.Generator, *shape: int, scale: float = 1.0, dtype: str = "float64") -> np.ndarray:
    """As `draw`, but in turn above and below 0: a side that never occurs would hide mistakes.

    >>> draw_both_signs(np.random.default_rng(0), 3) > 0
    array([False,  True, False])
    """
    size = np.abs(draw(rng, *shape, scale=scale, dtype=dtype))
    signs = (-1.0) ** np.arange(size.size) * rng.choice([-1.0, 1.0])
    return size * signs.reshape(shape).astype(dtype)


def draw_with_zeros(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """As `draw_both_signs`, with zeros at one place of the last axis.

    >>> draw_with_zeros(np.random.default_rng(0), 2, 3) == 0
    array([[False,  True, False],
           [False,  True, False]])
    """
    x = draw_both_signs(rng, *shape)
    x[..., rng.integers(shape[-1])] = 0.0
    return x
