"""Losses against Torch and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import assert_slope, each_device, each_library, function_parity, zeros

from course_lib import numpy_kernels, torch_kernels

size = st.integers(1, 6)
dtypes = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def draw(seed: int, n: int, d: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(n, d)).astype(dtype)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=size, d=size, dtype=dtypes, seed=st.integers(0, 99))
def test_mse_loss_is_d_times_torch_default(n, d, dtype, seed):
    """Summed over outputs and averaged over the batch: D times `torch.nn.MSELoss()`, and its gradient likewise."""
    y_hat, y = draw(seed, n, d, dtype)
    leaf = torch.from_numpy(y_hat.copy()).requires_grad_()
    wanted = d * torch.nn.MSELoss()(leaf, torch.from_numpy(y))
    wanted.backward()
    loss, gradient = numpy_kernels.mse_loss(y_hat, y), numpy_kernels.mse_loss_backward(y_hat, y)
    assert np.ndim(loss) == 0 and loss.dtype == dtype and gradient.dtype == dtype
    np.testing.assert_allclose(loss, wanted.item(), rtol=TOLERANCE[dtype])
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_mse_loss_backward_is_the_slope_of_mse_loss():
    """Central differences along a random direction agree with the gradient."""
    y_hat, y = draw(1, 4, 3)
    direction, step = draw(2, 4, 3)[0], 1e-5
    rise = numpy_kernels.mse_loss(y_hat + step * direction, y) - numpy_kernels.mse_loss(y_hat - step * direction, y)
    slope = np.sum(numpy_kernels.mse_loss_backward(y_hat, y) * direction)
    np.testing.assert_allclose(slope, rise / (2 * step), rtol=1e-8)


def test_torch_losses_agree_and_lie_in_a_graph():
    """The Torch counterparts give the same numbers; the loss can be differentiated."""
    y_hat, y = draw(3, 5, 2)
    leaf, target = torch.from_numpy(y_hat).requires_grad_(), torch.from_numpy(y)
    loss = torch_kernels.mse_loss(leaf, target)
    loss.backward()
    np.testing.assert_allclose(loss.item(), numpy_kernels.mse_loss(y_hat, y), rtol=1e-12)
    with torch.no_grad():
        gradient = torch_kernels.mse_loss_backward(leaf, target)
    np.testing.assert_allclose(gradient.numpy(), leaf.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["mse_loss", "mse_loss_backward"])
def test_losses_name_what_does_not_fit(name):
    """A target of another shape is refused instead of being broadcast."""
    with pytest.raises(ValueError, match=r"y has shape \(4, 1\); expected \(N, D\) with D = 3 as in y_hat"):
        getattr(numpy_kernels, name)(np.zeros((4, 3)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"y_hat has shape \(4,\); expected \(N, D\)"):
        getattr(torch_kernels, name)(torch.zeros(4), torch.zeros(4))
    with pytest.raises(TypeError, match="y has dtype int64; expected float32 or float64"):
        getattr(numpy_kernels, name)(np.zeros((2, 1)), np.zeros((2, 1), dtype=int))


@each_device
@settings(max_examples=25)
@given(n=size, d=size, dtype=dtypes, seed=st.integers(0, 99))
def test_l1_loss_equals_torch(n, d, dtype, seed, device):
    """Both kernels agree; the loss is D times `torch.nn.L1Loss()`, and its gradient is 0 where nothing is wrong."""
    y_hat, y = draw(seed, n, d, dtype)
    y[0] = y_hat[0]
    loss = function_parity("l1_loss", y_hat, y, device=device)
    gradient = function_parity("l1_loss_backward", y_hat, y, device=device)
    wanted = d * torch.nn.L1Loss()(torch.from_numpy(y_hat), torch.from_numpy(y))
    assert loss.dtype == dtype and gradient[0].tolist() == [0.0] * d
    np.testing.assert_allclose(loss, wanted.item(), rtol=TOLERANCE[dtype])


def test_l1_loss_backward_is_the_slope_of_l1_loss():
    """Central differences agree with the gradient, away from equal entries."""
    y_hat, y = draw(1, 4, 3)
    gradient = numpy_kernels.l1_loss_backward(y_hat, y)
    assert_slope(lambda there: numpy_kernels.l1_loss(there, y), [y_hat], gradient)


@each_device
@settings(max_examples=15)
@given(k=size, dtype=dtypes, seed=st.integers(0, 99))
def test_combined_loss_weighs_without_normalising(k, dtype, seed, device):
    """It is the sum of the products, and doubles when every weight doubles."""
    losses, weights = (row[0] for row in draw(seed, 1, k, dtype))
    once = function_parity("combined_loss", losses, weights, device=device)
    assert once == pytest.approx(sum(w * x for w, x in zip(weights, losses, strict=True)), rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(numpy_kernels.combined_loss(losses, 2 * weights), 2 * once)


@each_library
def test_further_losses_name_what_does_not_fit(kernels):
    """Targets or weights of another size are refused by name."""
    for name in ("l1_loss", "l1_loss_backward"):
        with pytest.raises(ValueError, match=r"y has shape \(4, 1\); expected \(N, D\) with D = 3 as in y_hat"):
            getattr(kernels, name)(zeros(kernels, 4, 3), zeros(kernels, 4, 1))
    with pytest.raises(ValueError, match=r"weights has shape \(3,\); expected \(K,\) with K = 2 as in losses"):
        kernels.combined_loss(zeros(kernels, 2), zeros(kernels, 3))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_losses_pass_on_nan_and_infinity(name):
    """A NaN or infinity among the predictions shows in the loss."""
    y_hat, y = draw(0, 3, 2)
    for bad in (np.nan, np.inf):
        y_hat[1, 1] = bad
        np.testing.assert_equal(float(getattr(numpy_kernels, name)(y_hat, y)), bad)
