"""Simulated annealing: which moves are accepted, and where a walk ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import array, dtypes, each_device, each_library, function_parity, normal, seeds, zeros

from course_lib import numpy_kernels


@each_device
@settings(max_examples=30)
@given(shape=st.lists(st.integers(0, 5), max_size=2), temperature=st.floats(0.01, 100), dtype=dtypes, seed=seeds)
def test_metropolis_accepts_by_its_formula(shape, temperature, dtype, seed, device):
    """Downhill always, uphill when u is below the exponential, for every shape."""
    delta = normal(seed, tuple(shape), dtype=dtype)[0]
    u = np.asarray(np.random.default_rng(seed).random(tuple(shape)), dtype)
    accepted = function_parity("metropolis_accept", delta, temperature, u, device=device)
    assert accepted.dtype == bool and accepted.shape == tuple(shape)
    for one, draw, answer in zip(delta.ravel(), u.ravel(), accepted.ravel(), strict=True):
        chance = np.exp(-float(one) / temperature)
        assert answer == (one <= 0 or draw < chance) or abs(draw - chance) < 1e-5


@each_library
def test_metropolis_at_its_edges(kernels):
    """No change is accepted, u equal to the probability is not; infinities and NaN need no warning."""
    delta = array(kernels, [0.0, 0.0, np.inf, -np.inf, np.nan, 1e300])
    u = array(kernels, [0.999, 0.0, 0.0, 0.999, 0.0, 0.0])
    assert kernels.metropolis_accept(delta, 1e-300, u).tolist() == [True, True, False, True, False, False]
    half = array(kernels, [np.exp(-1.0)])
    assert not kernels.metropolis_accept(array(kernels, [1.0]), 1.0, half).any()


def test_metropolis_reaches_boltzmann_ratios():
    """Between two levels one apart, a long walk spends exp(-1 / T) times as long on the higher one."""
    rng = np.random.default_rng(0)
    u, level, visits = rng.random(40_000), 0, [0, 0]
    for draw in u:
        delta = np.array(1.0 if level == 0 else -1.0)
        level = 1 - level if numpy_kernels.metropolis_accept(delta, 0.8, np.asarray(draw)) else level
        visits[level] += 1
    assert visits[1] / visits[0] == pytest.approx(np.exp(-1 / 0.8), rel=0.05)


@pytest.mark.parametrize("t", [0, 1, 7, 30])
def test_cooling_equals_torch(t):
    """The temperature is a schedule of Torch."""
    assert function_parity("geometric_cooling", t, 5.0, 0.9) == pytest.approx(5.0 * 0.9**t)


def rugged(x):
    """A bowl with ripples, for arrays and tensors."""
    return (x**2 - ((3 * x) ** 2 - 1) ** 2 / (1 + (3 * x) ** 4)).sum()


@each_device
@settings(max_examples=10)
@given(steps=st.integers(1, 12), d=st.integers(1, 4), dtype=dtypes, seed=seeds)
def test_walks_agree_and_report_their_energies(steps, d, dtype, seed, device):
    """Both references take the same way; every point is the one before or one move further."""
    x, moves = normal(seed, (d,), (steps, d), dtype=dtype)
    u, temperatures = np.random.default_rng(seed).uniform(0.05, 1, (2, steps)).astype(dtype)
    walk = function_parity("simulated_annealing", rugged, x, moves, u, temperatures, device=device, factor=10)
    points, energies = walk
    assert points.shape == (steps + 1, d) and energies.shape == (steps + 1,)
    for t in range(steps):
        stays, moved = (np.array_equal(points[t + 1], there) for there in (points[t], points[t] + moves[t]))
        assert stays or moved
    np.testing.assert_allclose(energies, [rugged(point) for point in points], rtol=1e-4, atol=1e-5)


def test_annealing_leaves_a_local_minimum_that_descent_keeps():
    """Cooled slowly the walk crosses the ridge; at temperature zero, or nearly, it never does."""

    def double_well(x):
        return float((x[0] ** 2 - 1) ** 2 + 0.3 * x[0])

    rng = np.random.default_rng(3)
    moves, u = rng.normal(scale=0.4, size=(400, 1)), rng.random(400)
    warm = np.array([numpy_kernels.geometric_cooling(t, 1.0, 0.985) for t in range(400)])
    points, energies = numpy_kernels.simulated_annealing(double_well, np.array([0.9]), moves, u, warm)
    assert points[-1, 0] == pytest.approx(-1.03, abs=0.15) and energies[-1] < -0.25
    small, cold = 0.1 * moves, np.full(400, 1e-6)
    assert numpy_kernels.simulated_annealing(double_well, np.array([0.9]), small, u, cold)[0][-1, 0] > 0.5


@each_library
def test_annealing_names_what_does_not_fit(kernels):
    """Shapes, temperatures and energies that do not fit are refused by name."""
    with pytest.raises(ValueError, match=r"u has shape \(2,\); expected \(3,\), the shape of delta"):
        kernels.metropolis_accept(zeros(kernels, 3), 1.0, zeros(kernels, 2))
    with pytest.raises(ValueError, match="temperature is 0.0; expected a positive number"):
        kernels.metropolis_accept(zeros(kernels, 3), 0.0, zeros(kernels, 3))
    with pytest.raises(ValueError, match="factor is 0.0; expected a positive number"):
        kernels.geometric_cooling(1, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"moves has shape \(4, 2\); expected \(T, D\) with D = 3 as in x"):
        kernels.simulated_annealing(rugged, *(zeros(kernels, *shape) for shape in ((3,), (4, 2), (4,), (4,))))
    walk = [zeros(kernels, *shape) for shape in ((3,), (4, 3), (4,), (4,))]
    with pytest.raises(TypeError, match=r"energy\(x\) is of type .* expected a number"):
        kernels.simulated_annealing(lambda x: x, *walk)
