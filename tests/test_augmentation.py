"""Shifted, mirrored and mixed examples against Torch and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    array,
    dtypes,
    each_device,
    each_library,
    function_parity,
    normal,
    seeds,
    size,
    zeros,
)


def by_loops(x, shifts, flips):
    """Pixel by pixel, as the formula says."""
    out = np.zeros_like(x)
    n, _, height, width = x.shape
    for k in range(n):
        image = x[k, :, :, ::-1] if flips[k] else x[k]
        for i in range(height):
            for j in range(width):
                a, b = i - shifts[k, 0], j - shifts[k, 1]
                if 0 <= a < height and 0 <= b < width:
                    out[k, :, i, j] = image[:, a, b]
    return out


@each_device
@settings(max_examples=25)
@given(shape=st.tuples(size, size, size, size), dtype=dtypes, seed=seeds)
def test_augment_shift_flip_follows_its_formula(shape, dtype, seed, device):
    """Any sizes, also one pixel and not square, and any shifts: both kernels give what loops give."""
    (x,) = normal(seed, shape, dtype=dtype)
    rng, far = np.random.default_rng(seed), max(shape[2:]) - 1
    shifts, flips = rng.integers(-far, far + 1, (shape[0], 2)), rng.random(shape[0]) < 0.5
    out = function_parity("augment_shift_flip", x, shifts, flips, device=device)
    np.testing.assert_array_equal(out, by_loops(x, shifts, flips))


def test_a_nan_outside_the_shifted_image_does_not_leak():
    """What was moved out of sight leaves zeros behind, whatever it was."""
    x = np.array([[[[np.nan, 2.0]]]])
    out = function_parity("augment_shift_flip", x, np.array([[0, -1]]), np.array([False]))
    assert out.tolist() == [[[[2.0, 0.0]]]]


@each_device
@settings(max_examples=20)
@given(n=size, d=size, dtype=dtypes, seed=seeds, lam=st.sampled_from([0.0, 0.3, 1.0]))
def test_mixup_mixes_inputs_and_targets_alike(n, d, dtype, seed, lam, device):
    """Both kernels agree for images and one-hot targets; each target keeps its sum."""
    (x,) = normal(seed, (n, 2, d), dtype=dtype)
    rng = np.random.default_rng(seed)
    y, perm = np.eye(d, dtype=dtype)[rng.integers(0, d, n)], rng.permutation(n)
    mixed, targets = function_parity("mixup", x, y, lam, perm, device=device)
    for k in range(n):
        np.testing.assert_allclose(mixed[k], lam * x[k] + (1 - lam) * x[perm[k]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert not np.shares_memory(mixed, x)


@each_library
def test_augmentation_names_what_does_not_fit(kernels):
    """Shifts, flips, shares and partners of a wrong kind are refused by name."""
    x, y = zeros(kernels, 2, 1, 3, 4), zeros(kernels, 2, 3)
    still, ahead = array(kernels, np.zeros((2, 2)), "int64"), array(kernels, [False, True], "bool")
    with pytest.raises(ValueError, match="shifts goes from 0 to 4; expected integers from -3 to 3"):
        kernels.augment_shift_flip(x, array(kernels, [[0, 0], [0, 4]], "int64"), ahead)
    with pytest.raises(TypeError, match="shifts has dtype float64; expected integers"):
        kernels.augment_shift_flip(x, zeros(kernels, 2, 2), ahead)
    with pytest.raises(ValueError, match=r"flips has shape \(3,\); expected \(2,\)"):
        kernels.augment_shift_flip(x, still, array(kernels, [True] * 3, "bool"))
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\); expected \(N, C, H, W\)"):
        kernels.augment_shift_flip(y, still, ahead)
    perm = array(kernels, [1, 0], "int64")
    with pytest.raises(ValueError, match="lam is 2.0; expected a number from 0 to 1"):
        kernels.mixup(y, y, 2.0, perm)
    with pytest.raises(ValueError, match="perm goes from 0 to 2; expected integers from 0 to 1"):
        kernels.mixup(y, y, 0.5, array(kernels, [2, 0], "int64"))
    with pytest.raises(ValueError, match=r"x has shape \(2, 1, 3, 4\); expected \(N, \.\.\.\) with N = 3 as in y"):
        kernels.mixup(x, zeros(kernels, 3, 3), 0.5, perm)
