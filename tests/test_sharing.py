"""Multi-task losses and tied parameters against autograd and loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    array,
    assert_slope,
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


def tasks(seed, n, t, dtype="float64"):
    """Predictions, targets, which are known, weights."""
    rng = np.random.default_rng(seed)
    y_hat, y, weights = normal(seed, (n, t), (n, t), (t,), dtype=dtype)
    return y_hat, y, rng.random((n, t)) < 0.6, weights


@each_device
@settings(max_examples=25)
@given(n=size, t=size, dtype=dtypes, seed=seeds)
def test_multitask_loss_equals_a_loop_over_tasks(n, t, dtype, seed, device):
    """Each task's mean over its known targets, also none, weighted and summed; the gradient is autograd's."""
    y_hat, y, known, weights = tasks(seed, n, t, dtype)
    loss = function_parity("multitask_loss", y_hat, y, known, weights, device=device)
    gradient = function_parity("multitask_loss_backward", y_hat, y, known, weights, device=device)
    total = 0.0
    for k in range(t):
        errors = [float(y_hat[i, k] - y[i, k]) for i in range(n) if known[i, k]]
        total += weights[k] * sum(e * e for e in errors) / max(len(errors), 1)
    assert loss == pytest.approx(total, rel=1e-4, abs=1e-5)
    assert not gradient[~known].any()


def test_multitask_gradient_is_the_slope():
    """Central differences along a random direction agree with the gradient."""
    y_hat, *rest = tasks(1, 5, 3)
    gradient = numpy_kernels.multitask_loss_backward(y_hat, *rest)
    assert_slope(lambda there: numpy_kernels.multitask_loss(there, *rest), [y_hat], gradient)


def test_unknown_targets_do_not_matter():
    """NaN where a target is not known changes neither loss nor gradient."""
    y_hat, y, known, weights = tasks(2, 4, 3)
    holes = np.where(known, y, np.nan)
    for name in ("multitask_loss", "multitask_loss_backward"):
        np.testing.assert_array_equal(
            function_parity(name, y_hat, holes, known, weights), getattr(numpy_kernels, name)(y_hat, y, known, weights)
        )


@each_device
@settings(max_examples=25)
@given(shape=st.lists(st.integers(0, 5), max_size=3).map(tuple), count=size, dtype=dtypes, seed=seeds)
def test_tied_gradient_sums_over_the_places(shape, count, dtype, seed, device):
    """Any shape, with parameters used often, once or never: each gets the sum over its places."""
    dw = np.asarray(normal(seed, shape, dtype=dtype)[0], dtype)
    groups = np.asarray(np.random.default_rng(seed).integers(0, count, shape))
    out = function_parity("tied_gradient", dw, groups, count, device=device)
    wanted = [sum(float(g) for g, k in zip(dw.ravel(), groups.ravel(), strict=True) if k == i) for i in range(count)]
    np.testing.assert_allclose(out, wanted, rtol=1e-4, atol=1e-5)


@each_library
def test_sharing_names_what_does_not_fit(kernels):
    """Masks, weights, groups and counts of a wrong kind are refused by name."""
    y, known = zeros(kernels, 2, 3), array(kernels, np.ones((2, 3)), "bool")
    for name in ("multitask_loss", "multitask_loss_backward"):
        with pytest.raises(ValueError, match=r"weights has shape \(2,\); expected \(T,\) with T = 3 as in y_hat"):
            getattr(kernels, name)(y, y, known, zeros(kernels, 2))
        with pytest.raises(TypeError, match="known has dtype float64; expected bools"):
            getattr(kernels, name)(y, y, y, zeros(kernels, 3))
    groups = array(kernels, np.zeros((2, 3)), "int64")
    with pytest.raises(ValueError, match="groups goes from 0 to 0; expected integers from 0 to -1|count is 0"):
        kernels.tied_gradient(y, groups, 0)
    with pytest.raises(ValueError, match="groups goes from 1 to 1; expected integers from 0 to 0"):
        kernels.tied_gradient(y, groups + 1, 1)
    with pytest.raises(ValueError, match=r"groups has shape \(2, 3\); expected \(3,\)"):
        kernels.tied_gradient(zeros(kernels, 3), groups, 2)
    with pytest.raises(TypeError, match="groups has dtype float64; expected integers"):
        kernels.tied_gradient(y, y, 2)
