"""First weights: exact values for given draws, statistics for drawn ones, and the diagnostics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    dtypes,
    each_device,
    each_library,
    function_parity,
    normal,
    seeds,
    size,
    zeros,
)

from course_lib import numpy_kernels

shapes = st.lists(size, min_size=2, max_size=4).map(tuple)
KINDS = ["kaiming_uniform", "glorot_uniform"]


def generator(kernels, seed=0):
    """A random generator of the library."""
    return np.random.default_rng(seed) if kernels is numpy_kernels else torch.Generator().manual_seed(seed)


def first(result):
    """The weights of either initialisation, as an array."""
    return np.asarray(result[0] if isinstance(result, tuple) else result)


@each_device
@settings(max_examples=25)
@given(shape=shapes, dtype=dtypes, seed=seeds)
def test_given_draws_are_scaled_alike(shape, dtype, seed, device):
    """Both kernels scale the same draws to the same weights and biases, for layers and convolutions."""
    u_w, u_b = normal(seed, shape, shape[:1], dtype=dtype)
    w, b = function_parity("kaiming_uniform", shape, u=(u_w, u_b), device=device)
    n_in = np.prod(shape[1:])
    np.testing.assert_allclose(w, np.sqrt(6 / n_in) * u_w, rtol=1e-6)
    np.testing.assert_allclose(b, u_b / np.sqrt(n_in), rtol=1e-6)
    function_parity("glorot_uniform", shape, u=u_w, device=device)


@pytest.mark.parametrize("shape", [(40, 30), (8, 3, 5, 4), (16, 10, 3)])
@each_library
def test_bounds_are_those_of_torch_init(kernels, shape):
    """The largest of many draws comes close to the bound that `torch.nn.init` computes, and none beyond."""
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    for name, bound in zip(KINDS, [np.sqrt(6 / fan_in), np.sqrt(6 / (fan_in + fan_out))], strict=True):
        drawn = [first(getattr(kernels, name)(shape, generator(kernels, seed))) for seed in range(20)]
        assert 0.98 * bound < np.abs(drawn).max() <= bound


@each_library
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_are_uniform_around_zero(kernels, dtype):
    """Mean, variance and share below half the bound of 40,000 draws are those of U(-1, 1), within six sigma."""
    w, b = kernels.kaiming_uniform((400, 100), generator(kernels), dtype=dtype)
    u = np.asarray(w, float).ravel() / np.sqrt(6 / 100)
    assert str(np.asarray(w).dtype) == dtype == str(np.asarray(b).dtype)
    n = u.size
    assert abs(u.mean()) < 6 * np.sqrt(1 / 3 / n)
    assert abs((u**2).mean() - 1 / 3) < 6 * np.sqrt(4 / 45 / n)
    assert abs((u < -0.5).mean() - 0.25) < 6 * np.sqrt(0.1875 / n)
    assert np.abs(np.asarray(b)).max() <= 1 / np.sqrt(100)
    assert abs((np.asarray(b, float) ** 2).mean() * 100 - 1 / 3) < 6 * np.sqrt(4 / 45 / 400)


@each_library
@pytest.mark.parametrize("name", KINDS)
def test_seed_decides(kernels, name):
    """The same seed gives the same weights, another seed others."""
    draw = getattr(kernels, name)
    one, same, other = (first(draw((3, 4), generator(kernels, seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.any(one == other)


def test_kaiming_keeps_the_spread_through_relu_layers():
    """Through 20 wide ReLU layers the mean square stays within a factor of two; with Glorot's it fades."""
    rng = np.random.default_rng(0)
    spread = {}
    for name in KINDS:
        h = rng.normal(size=(64, 300))
        for _ in range(20):
            h = np.maximum(h @ first(getattr(numpy_kernels, name)((300, 300), rng)).T, 0)
        spread[name] = np.square(h).mean()
    assert 0.5 < spread["kaiming_uniform"] < 2
    assert spread["glorot_uniform"] < 1e-4


@each_device
@settings(max_examples=20)
@given(n=size, d=size, dtype=dtypes, seed=seeds)
def test_activation_stats_agree(n, d, dtype, seed, device):
    """Mean, spread and silence of both kernels agree with counting."""
    h = np.maximum(normal(seed, (n, d), dtype=dtype)[0], 0)
    _, std, silent, dead = function_parity("activation_stats", h, device=device)
    assert silent == pytest.approx(sum(not number for number in h.ravel()) / h.size)
    assert dead == pytest.approx(sum(not column.any() for column in h.T) / d)
    assert std == pytest.approx(np.sqrt(np.mean((h - h.mean()) ** 2)), rel=1e-5, abs=1e-6)


@each_library
def test_initialisation_names_what_does_not_fit(kernels):
    """Shapes, generators, draws and dtypes of a wrong kind are refused by name."""
    rng, u = generator(kernels), zeros(kernels, 2, 3)
    other = torch.Generator() if kernels is numpy_kernels else np.random.default_rng(0)
    for name in KINDS:
        draw = getattr(kernels, name)
        with pytest.raises(ValueError, match=r"shape has 1 entries; expected at least \(outputs, inputs\)"):
            draw((3,), rng)
        with pytest.raises(TypeError, match=r"shape\[1\] is of type float; expected an integer"):
            draw((3, 2.0), rng)
        with pytest.raises(ValueError, match=r"shape\[0\] is 0; expected an integer of at least 1"):
            draw((0, 2), rng)
        with pytest.raises(TypeError, match="shape is of type int"):
            draw(3, rng)
        for wrong in (None, other):
            with pytest.raises(TypeError, match="rng is of type .*; expected a Generator, or draws of your own as u"):
                draw((3, 2), wrong)
        with pytest.raises(ValueError, match="dtype is 'int8'; expected 'float32' or 'float64'"):
            draw((3, 2), rng, dtype="int8")
        with pytest.raises(ValueError, match=r"u has shape \(2, 3\); expected \(3, 2\)"):
            draw((3, 2), u=u if name == "glorot_uniform" else (u, zeros(kernels, 3)))
    with pytest.raises(ValueError, match=r"u_b has shape \(4,\); expected \(2,\)"):
        kernels.kaiming_uniform((2, 3), u=(u, zeros(kernels, 4)))
    with pytest.raises(ValueError, match=r"h has shape \(3,\); expected \(N, D\)"):
        kernels.activation_stats(zeros(kernels, 3))
