"""Losses on distances against Torch, autograd and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    array,
    assert_close,
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

margins = st.sampled_from([0.3, 1.0, 4.0])


@each_device
@settings(max_examples=25)
@given(n=size, d=size, dtype=dtypes, seed=seeds, margin=margins)
def test_triplet_loss_equals_torch(n, d, dtype, seed, margin, device):
    """Any sizes and margins give the value of `torch.nn.TripletMarginLoss`; the three gradients sum to 0."""
    triplet = normal(seed, (n, d), (n, d), (n, d), dtype=dtype)
    loss = function_parity("triplet_loss", *triplet, margin, device=device)
    gradients = function_parity("triplet_loss_backward", *triplet, margin, device=device)
    assert_close(loss, torch.nn.TripletMarginLoss(margin)(*map(torch.from_numpy, triplet)))
    np.testing.assert_allclose(sum(gradients), np.zeros((n, d)), atol=1e-6)


@each_device
@settings(max_examples=25)
@given(n=size, d=size, dtype=dtypes, seed=seeds, margin=margins)
def test_contrastive_loss_equals_its_definition(n, d, dtype, seed, margin, device):
    """Both kernels agree with each other and with a loop over the pairs."""
    x1, x2 = normal(seed, (n, d), (n, d), dtype=dtype)
    same = np.random.default_rng(seed).integers(0, 2, n).astype(dtype)
    loss = function_parity("contrastive_loss", x1, x2, same, margin, device=device)
    gradients = function_parity("contrastive_loss_backward", x1, x2, same, margin, device=device)
    total = 0.0
    for one, other, together in zip(x1, x2, same, strict=True):
        distance = float(np.linalg.norm((one - other).astype(float)))
        total += distance**2 / 2 if together else max(0.0, margin - distance) ** 2 / 2
    assert loss == pytest.approx(total / n, rel=1e-5, abs=1e-6)
    np.testing.assert_array_equal(gradients[0], -gradients[1])


def test_gradients_are_the_slopes():
    """Central differences along random directions agree with the gradients of both losses."""
    triplet = normal(4, (6, 3), (6, 3), (6, 3))
    assert_slope(numpy_kernels.triplet_loss, triplet, numpy_kernels.triplet_loss_backward(*triplet))
    same = np.array([1.0, 0, 0, 1, 0, 0])
    gradients = numpy_kernels.contrastive_loss_backward(*triplet[:2], same, 3.0)
    assert_slope(lambda a, b: numpy_kernels.contrastive_loss(a, b, same, 3.0), triplet[:2], gradients)


@pytest.mark.parametrize("together", [0.0, 1.0])
def test_points_that_meet_get_no_gradient(together):
    """Where both embeddings are equal there is no direction: the gradients are 0, not NaN, as in Torch."""
    x = np.ones((2, 3))
    same = np.full(2, together)
    for gradient in function_parity("contrastive_loss_backward", x, x.copy(), same):
        assert not gradient.any()


def test_triplets_that_meet_agree_with_torch():
    """With all three points equal the 1e-6 of Torch decides, in value and gradient."""
    x = np.ones((2, 3))
    function_parity("triplet_loss", x, x.copy(), x.copy())
    function_parity("triplet_loss_backward", x, x.copy(), x.copy())


@each_library
def test_triplet_slope_on_the_margin_is_one(kernels):
    """A triplet whose loss is exactly 0 at the kink still pulls, because Torch clamps."""
    anchor, positive, negative = (array(kernels, [[x]]) for x in (0.0, 1.0, -3.0))
    to_positive, to_negative = 1.0 - 1e-6, 3.0 + 1e-6
    gradients = kernels.triplet_loss_backward(anchor, positive, negative, margin=to_negative - to_positive)
    assert [round(gradient.item(), 6) for gradient in gradients] == [-2.0, 1.0, 1.0]


@each_library
def test_metric_losses_name_what_does_not_fit(kernels):
    """Embeddings of different sizes, a wrong margin and wrong labels are refused by name."""
    x, same = zeros(kernels, 3, 2), zeros(kernels, 3)
    for name in ("triplet_loss", "triplet_loss_backward"):
        with pytest.raises(ValueError, match=r"negative has shape \(3, 1\); expected \(N, D\) with D = 2 as in anchor"):
            getattr(kernels, name)(x, x, zeros(kernels, 3, 1))
        with pytest.raises(ValueError, match="margin is -1.0; expected a positive number"):
            getattr(kernels, name)(x, x, x, margin=-1.0)
    for name in ("contrastive_loss", "contrastive_loss_backward"):
        with pytest.raises(ValueError, match=r"same has shape \(3, 1\); expected \(N,\)"):
            getattr(kernels, name)(x, x, zeros(kernels, 3, 1))
        with pytest.raises(TypeError, match="x2 has dtype float32; expected float64, the dtype of x1"):
            getattr(kernels, name)(x, zeros(kernels, 3, 2, dtype="float32"), same)
        with pytest.raises(TypeError, match="margin is of type str"):
            getattr(kernels, name)(x, x, same, margin="1")
