"""Schedules against `torch.optim.lr_scheduler`, and the learning-rate range test."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import array, assert_close, dtypes, each_device, each_library, function_parity, zeros
from torch.optim import lr_scheduler

from course_lib import numpy_kernels, torch_kernels

STEPS = 45
rates = st.floats(1e-4, 1.0)
share = st.floats(0.05, 1.0)
period = st.integers(1, 12)


def torch_rates(make, lr, steps=STEPS, **options):
    """The first rates of a scheduler of Torch."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(optimiser, **options)
    found = []
    for _ in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return np.array(found)


def our_rates(name, *arguments, steps=STEPS, **options):
    """The first rates of our schedule; the twin agrees at the last of them and at one in between."""
    found = [getattr(numpy_kernels, name)(t, *arguments, **options) for t in range(steps)]
    for t in (steps // 2, steps - 1):
        twin = getattr(torch_kernels, name)(t, *arguments, **options)
        assert type(twin) is type(found[t]) is float
        assert twin == pytest.approx(found[t], rel=1e-9, abs=1e-12)
    return np.array(found)


def assert_rates(ours, wanted):
    """Equal but for rounding."""
    np.testing.assert_allclose(ours, wanted, rtol=1e-9, atol=1e-12)


@settings(max_examples=15)
@given(lr=rates, every=period, gamma=share)
def test_falling_rates_equal_torch(lr, every, gamma):
    """Constant, step and exponential schedules are those of Torch at every step."""
    assert_rates(our_rates("constant_lr", lr), torch_rates(lr_scheduler.ConstantLR, lr, factor=1.0))
    assert_rates(
        our_rates("step_lr", lr, every, gamma), torch_rates(lr_scheduler.StepLR, lr, step_size=every, gamma=gamma)
    )
    assert_rates(our_rates("exponential_lr", lr, gamma), torch_rates(lr_scheduler.ExponentialLR, lr, gamma=gamma))


@settings(max_examples=15)
@given(lr=rates, period=period, factor=st.integers(1, 3), low=st.floats(0, 1))
def test_cosines_equal_torch(lr, period, factor, low):
    """The cosine, past its end too, and its warm restarts with longer and longer periods are those of Torch."""
    lr_min = low * lr
    wanted = torch_rates(lr_scheduler.CosineAnnealingLR, lr, T_max=period, eta_min=lr_min)
    # Torch's recursion loses digits at the bottom, where it divides by 1 + cos.
    np.testing.assert_allclose(our_rates("cosine_lr", lr, period, lr_min), wanted, rtol=1e-6, atol=1e-9)
    options = {"T_0": period, "T_mult": factor, "eta_min": lr_min}
    wanted = torch_rates(lr_scheduler.CosineAnnealingWarmRestarts, lr, **options)
    assert_rates(our_rates("cosine_warm_restarts", lr, period, factor, lr_min), wanted)


@settings(max_examples=15)
@given(low=rates, more=rates, up=period, down=st.none() | period, mode=st.sampled_from(["triangular", "triangular2"]))
def test_cycles_equal_torch(low, more, up, down, mode):
    """Cycles of any two slopes, of constant and of halving height."""
    options = {"step_size_up": up, "step_size_down": down, "mode": mode, "cycle_momentum": False}
    wanted = torch_rates(lr_scheduler.CyclicLR, low, base_lr=low, max_lr=low + more, **options)
    assert_rates(our_rates("cyclic_lr", low, low + more, up, down, mode), wanted)


@settings(max_examples=15)
@given(lr=rates, steps=period, start=share)
def test_warm_up_equals_torch(lr, steps, start):
    """From a share of the rate to all of it in a straight line, then level."""
    wanted = torch_rates(lr_scheduler.LinearLR, lr, start_factor=start, total_iters=steps)
    ours = our_rates("warm_up_lr", lr, steps, start)
    assert_rates(ours, wanted)
    assert ours[0] == pytest.approx(start * lr) and ours[-1] == pytest.approx(lr)


@each_device
@settings(max_examples=25)
@given(
    losses=st.lists(st.sampled_from([3.0, 2.0, 1.9999, 1.0, 0.5, -1.0, -1.1, math.nan]), min_size=1, max_size=30),
    patience=st.integers(0, 4),
    factor=st.floats(0.0, 0.9),
    threshold=st.sampled_from([0.0, 1e-4, 0.3]),
    lr_min=st.sampled_from([0.0, 0.05, 0.5]),
    dtype=dtypes,
)
def test_plateaus_equal_torch(losses, patience, factor, threshold, lr_min, dtype, device):
    """Losses that fall, stall, change sign or are NaN: the rate after each is the one of Torch."""
    options = {"factor": factor, "patience": patience, "threshold": threshold}
    ours = function_parity("reduce_on_plateau", np.array(losses, dtype), 0.5, *options.values(), lr_min, device=device)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimiser, **options, min_lr=lr_min)
    for loss, rate in zip(np.array(losses, dtype), ours, strict=True):
        scheduler.step(float(loss))
        assert rate == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-6)


def test_a_restart_comes_one_step_before_the_bottom():
    """At step `period` the rate is high again; only the plain cosine touches the lowest rate."""
    assert numpy_kernels.cosine_lr(10, 1.0, 10) == 0.0
    assert numpy_kernels.cosine_warm_restarts(10, 1.0, 10) == 1.0
    assert numpy_kernels.cosine_warm_restarts(9, 1.0, 10) > 0


@each_library
def test_an_equal_loss_is_no_better_loss(kernels):
    """With a threshold of 0 a loss must still fall to count."""
    rates = kernels.reduce_on_plateau(array(kernels, [3.0, 3.0, 2.0]), 1.0, 0.5, 0, 0.0)
    assert rates.tolist() == [1.0, 0.5, 0.5]


def test_small_changes_of_the_rate_are_not_made():
    """As in Torch, a plateau leaves a rate alone that would change by less than 1e-8."""
    stuck = numpy_kernels.reduce_on_plateau(np.ones(9), 1.5e-8, factor=0.5, patience=0)
    np.testing.assert_array_equal(stuck, 1.5e-8)


def test_range_test_probes_in_order_and_stops_when_the_loss_explodes():
    """Rates rise by a constant factor; after a loss above four times the lowest no rate is tried."""
    for kernels in (numpy_kernels, torch_kernels):
        tried = []

        def probe(lr, tried=tried):
            tried.append(lr)
            return 2.0 - 1.9 * min(lr, 0.1) / 0.1 if lr < 0.9 else 50.0

        found, losses, best = kernels.lr_range_test(probe, 1e-4, 100.0, 7)
        np.testing.assert_allclose(found, [1e-4, 1e-3, 1e-2, 0.1, 1.0])
        assert tried == pytest.approx(found.tolist()) and len(losses) == 5
        assert best == pytest.approx(0.01)


@each_library
def test_range_test_survives_bad_losses(kernels):
    """A NaN ends the test and is kept; a loss that only rises suggests the first rate."""
    found, losses, best = kernels.lr_range_test(lambda lr: math.nan if lr > 0.5 else 1.0 / (1 + lr), 0.1, 10.0, 5)
    assert len(found) == 3 and math.isnan(losses[-1]) and best == pytest.approx(0.1)
    assert kernels.lr_range_test(lambda lr: 1 + lr, 0.1, 0.2, 3)[2] == pytest.approx(0.1)
    assert kernels.lr_range_test(lambda lr: math.inf, 0.1, 0.2, 3)[0].tolist() == pytest.approx([0.1])


def test_range_tests_of_both_references_agree():
    """Rates, losses and suggestion are the same numbers."""
    arguments = (lambda lr: (math.log10(lr) + 1) ** 2 + 0.1, 1e-5, 1.0, 40)
    assert_close(torch_kernels.lr_range_test(*arguments), numpy_kernels.lr_range_test(*arguments), 10)


@each_library
def test_schedules_name_what_does_not_fit(kernels):
    """Steps, rates, periods and modes out of range are refused by name."""
    for name, arguments, message in (
        ("constant_lr", (-1, 0.1), "t is -1; expected an integer of at least 0"),
        ("step_lr", (0, 0.1, 0), "every is 0; expected an integer of at least 1"),
        ("exponential_lr", (0, 0.1, 1.5), "gamma is 1.5; expected a number from 0 to 1"),
        ("cosine_lr", (0, 0.1, 5, 0.2), "lr_min is 0.2; expected a number from 0 to 0.1, which is lr"),
        ("cosine_warm_restarts", (0, 0.1, 5, 0), "factor is 0; expected an integer of at least 1"),
        ("cyclic_lr", (0, 0.2, 0.1), "lr_min is 0.2; expected a number from 0 to 0.1, which is lr_max"),
        ("cyclic_lr", (0, 0.1, 0.2, 1, 1, "exp"), "mode is 'exp'; expected 'triangular' or 'triangular2'"),
        ("warm_up_lr", (0, 0.1, 5, 0.0), "start is 0.0; expected a positive number"),
        ("lr_range_test", (float, 0.1, 1.0, 1), "steps is 1; expected an integer of at least 2"),
        ("lr_range_test", (float, 0.1, 1.0, 3, 1.0), "stop is 1.0; expected a number above 1"),
    ):
        with pytest.raises(ValueError, match=message):
            getattr(kernels, name)(*arguments)
    with pytest.raises(TypeError, match="t is of type float; expected an integer"):
        kernels.cosine_lr(0.5, 0.1, 5)
    with pytest.raises(TypeError, match=r"probe\(lr\) is of type NoneType; expected a number"):
        kernels.lr_range_test(lambda lr: None, 0.1, 1.0, 3)


@each_library
def test_plateau_names_what_does_not_fit(kernels):
    """Losses that are no row of numbers, and numbers out of range."""
    with pytest.raises(ValueError, match=r"losses has shape \(2, 1\); expected \(T,\)"):
        kernels.reduce_on_plateau(zeros(kernels, 2, 1), 0.1)
    with pytest.raises(TypeError, match="losses is of type list"):
        kernels.reduce_on_plateau([1.0], 0.1)
    with pytest.raises(ValueError, match="factor is 1.0; expected a number of at least 0 and below 1"):
        kernels.reduce_on_plateau(array(kernels, [1.0]), 0.1, factor=1.0)
    with pytest.raises(ValueError, match="patience is -1; expected an integer of at least 0"):
        kernels.reduce_on_plateau(array(kernels, [1.0]), 0.1, patience=-1)
