"""Residual networks against Torch's modules, autograd and finite differences."""

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
    assert_unchanged,
    dtypes,
    each_device,
    each_library,
    function_parity,
    layer_parity,
    normal,
    on_device,
    seeds,
    size,
    zeros,
)

from course_lib import numpy_kernels, torch_kernels

drops = st.sampled_from([0.0, 0.3, 0.9])


def block(seed, n, c, m, h, w, dtype="float64"):
    """The seven arguments of a pre-activation block."""
    return normal(seed, (n, c, h, w), (c,), (c,), (m, c, 3, 3), (m,), (m,), (c, m, 3, 3), dtype=dtype)


@each_device
@settings(max_examples=20)
@given(n=size, d=size, dtype=dtypes, seed=seeds)
def test_residual_adds_any_branch(n, d, dtype, seed, device):
    """With dropout as the branch, output and gradient are those of autograd; with a layer norm, its parameters too."""
    x, dout, gamma, beta = normal(seed, (n, d), (n, d), (d,), (d,), dtype=dtype)
    results = []
    for kernels, numbers in (
        (numpy_kernels, (x, dout, gamma, beta)),
        (torch_kernels, on_device((x, dout, gamma, beta), device)),
    ):
        x_, dout_, *parameters = numbers
        out, cache = kernels.residual_forward(x_, lambda x, k=kernels, p=parameters: k.layernorm_forward(x, *p, 0.1))
        results.append((out, *kernels.residual_backward(dout_, cache, kernels.layernorm_backward)))
    assert_close(*results, factor=5)
    leaves = [torch.from_numpy(number).requires_grad_() for number in (x, gamma, beta)]
    wanted = leaves[0] + torch.nn.functional.layer_norm(leaves[0], (d,), *leaves[1:], 0.1)
    assert_close(results[0], (wanted, *torch.autograd.grad(wanted, leaves, torch.from_numpy(dout))), factor=5)


@each_library
def test_branches_may_return_one_array(kernels):
    """A branch whose backward pass gives one array, like ReLU, gives a tuple of one; x + relu(x) has slopes 1 and 2."""
    x = array(kernels, [1.0, -2.0])
    out, cache = kernels.residual_forward(x, kernels.relu_forward)
    (dx,) = kernels.residual_backward(array(kernels, [1.0, 10.0]), cache, kernels.relu_backward)
    assert (out.tolist(), dx.tolist()) == ([2.0, -2.0], [2.0, 10.0])


@each_device
@settings(max_examples=30)
@given(shape=st.tuples(size, size, size, size), k=size, stride=st.integers(1, 4), dtype=dtypes, seed=seeds)
def test_projection_shortcut_is_a_strided_convolution(shape, k, stride, dtype, seed, device):
    """Values and gradients of Torch's 1 x 1 convolution for any sizes, not square, and strides up to 4."""
    x, w = normal(seed, shape, (k, shape[1], 1, 1), dtype=dtype)
    out = function_parity("projection_shortcut", x, w, stride, device=device, factor=5)
    (dout,) = normal(seed + 1, out.shape, dtype=dtype)
    function_parity("projection_shortcut_backward", dout, x, w, stride, device=device, factor=5)
    wanted, _ = numpy_kernels.conv2d_forward(x, w, stride=stride)
    assert_close(out, wanted, factor=5)


@each_device
@settings(max_examples=12)
@given(shape=st.tuples(st.integers(1, 3), size, size, st.integers(2, 5), size), dtype=dtypes, seed=seeds)
def test_preactivation_block_equals_torch(shape, dtype, seed, device):
    """Output and all seven gradients are Torch's for any sizes, also when the branch is narrower or wider."""
    # Two values per channel that nearly agree are divided by almost nothing: rounding grows.
    factor = 1e3 if shape[0] * shape[3] * shape[4] > 4 else 1e5
    layer_parity(
        "preactivation_block",
        *block(seed, *shape),
        backward="preactivation_block_backward",
        device=device,
        factor=factor,
    )
    narrow = block(seed, *shape, dtype)
    out, cache = numpy_kernels.preactivation_block(*narrow)
    gradients = numpy_kernels.preactivation_block_backward(np.ones_like(out), cache)
    assert all(g.dtype == dtype and g.shape == a.shape for g, a in zip(gradients, narrow, strict=True))


def test_preactivation_block_backward_is_the_slope():
    """Central differences along random directions agree with the seven gradients."""
    arguments = block(2, 3, 2, 4, 4, 3)
    (dout,) = normal(9, arguments[0].shape)
    gradients = numpy_kernels.preactivation_block_backward(dout, numpy_kernels.preactivation_block(*arguments)[1])
    assert_slope(lambda *there: numpy_kernels.preactivation_block(*there)[0], arguments, gradients, dout, rel=1e-5)


@each_library
def test_a_block_with_a_silent_branch_is_the_identity(kernels):
    """With gamma 0 and beta 0 in the last normalisation, as `zero_init_gamma` makes it, the input comes out."""
    x, gamma1, beta1, w1, gamma2, _, w2 = block(3, 2, 3, 2, 4, 4)
    (gammas,) = numpy_kernels.zero_init_gamma([[gamma1, gamma2]])
    arguments = [array(kernels, a) for a in (x, gammas[0], beta1, w1, gammas[1], np.zeros(2), w2)]
    out, cache = kernels.preactivation_block(*arguments)
    np.testing.assert_array_equal(np.asarray(out), x)
    dout = array(kernels, normal(4, x.shape)[0])
    np.testing.assert_array_equal(np.asarray(kernels.preactivation_block_backward(dout, cache)[0]), np.asarray(dout))


@each_device
@settings(max_examples=25)
@given(shape=st.lists(size, min_size=1, max_size=4).map(tuple), p=drops, train=st.booleans(), dtype=dtypes, seed=seeds)
def test_stochastic_depth_agrees_for_given_draws(shape, p, train, dtype, seed, device):
    """Each example keeps or loses its whole branch; values and both gradients agree in training and evaluation."""
    x, f = normal(seed, shape, shape, dtype=dtype)
    keep = np.random.default_rng(seed).random(shape[0]) >= p
    out, gradients, dout = layer_parity(
        "stochastic_depth", x, f, p, train, keep=keep, backward="stochastic_depth_backward", device=device
    )
    for i, kept in enumerate(keep):
        factor = kept / (1 - p) if train else 1
        np.testing.assert_allclose(out[i], x[i] + factor * f[i], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(gradients[1][i], factor * dout[i], rtol=1e-4, atol=1e-5)
    assert_close(gradients[0], dout)


@each_library
def test_stochastic_depth_drops_a_share_p(kernels):
    """Of 4,000 branches a share p is dropped, and the mean of the sum stays, within six sigma."""
    n, p = 4000, 0.3
    rng = np.random.default_rng(0) if kernels is numpy_kernels else torch.Generator().manual_seed(0)
    x, f = zeros(kernels, n, 2), array(kernels, np.ones((n, 2)))
    out = np.asarray(kernels.stochastic_depth(x, f, p, rng=rng)[0])
    sigma = np.sqrt(p * (1 - p) / n)
    assert (out[:, 0] == out[:, 1]).all()
    assert abs((out[:, 0] == 0).mean() - p) < 6 * sigma
    assert abs(out[:, 0].mean() - 1) < 6 * sigma / (1 - p)


@each_device
@settings(max_examples=20)
@given(n=size, d=size, k=size, residual=st.booleans(), dtype=dtypes, seed=seeds)
def test_gradient_norms_agree_with_autograd(n, d, k, residual, dtype, seed, device):
    """Both kernels give the same norm for every layer, plain and residual."""
    x, dout, *weights = normal(seed, (n, d), (n, d), *[(d, d)] * k, dtype=dtype)
    norms = function_parity("gradient_norm_by_depth", x, weights, dout, residual, device=device, factor=50)
    assert norms.shape == (k,)


def test_the_way_past_keeps_the_gradient():
    """With small weights, thirty plain layers get almost no gradient, and thirty residual ones all get plenty."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(32, 32)) * 0.1 for _ in range(30)]
    x, dout = rng.normal(size=(2, 16, 32))
    plain, past = (numpy_kernels.gradient_norm_by_depth(x, weights, dout, residual) for residual in (False, True))
    assert plain.max() < 1e-6 * past.min()
    assert past[0] > 0.1 * past[-1]


@each_device
def test_zero_init_gamma_silences_the_last_of_each_block(device):
    """The last scales of each block are 0, the others as they were, and everything is new."""
    gammas = [normal(1, (2,), (3,)), normal(2, (4,))]
    blocks = function_parity("zero_init_gamma", gammas, device=device)
    assert_unchanged(blocks, [[gammas[0][0], np.zeros(3)], [np.zeros(4)]])
    assert not np.shares_memory(blocks[0][0], gammas[0][0])


@each_library
@pytest.mark.parametrize(
    ("arguments", "cost"),
    [((256, 64, 56, 56), (69_632, 218_365_952)), ((3, 2, 5, 7), (48, 1680)), ((1,) * 4, (11, 11))],
)
def test_bottleneck_cost_counts_real_layers(kernels, arguments, cost):
    """The formula and Torch's counter on real layers agree with numbers worked out by hand."""
    assert kernels.bottleneck_cost(*arguments) == cost


@each_library
def test_residual_names_what_does_not_fit(kernels):
    """Branches, filters and shortcuts of a wrong kind are refused by name."""
    x, v = zeros(kernels, 2, 3, 4, 4), zeros(kernels, 3)
    with pytest.raises(ValueError, match=r"f has shape \(3,\); expected \(2, 3, 4, 4\), the shape of x"):
        kernels.residual_forward(x, lambda _: (v, None))
    with pytest.raises(TypeError, match="cache is of type NoneType; expected the second thing residual_forward"):
        kernels.residual_backward(x, None, lambda dout, _: dout)
    with pytest.raises(ValueError, match=r"w has shape \(2, 3, 3, 3\); expected \(K, C, 1, 1\)"):
        kernels.projection_shortcut(x, zeros(kernels, 2, 3, 3, 3))
    with pytest.raises(ValueError, match="stride is 0; expected an integer of at least 1"):
        kernels.projection_shortcut(x, zeros(kernels, 2, 3, 1, 1), 0)
    with pytest.raises(ValueError, match=r"dout has shape \(3,\); expected"):
        kernels.projection_shortcut_backward(v, x, zeros(kernels, 2, 3, 1, 1))
    w = zeros(kernels, 3, 3, 3, 3)
    with pytest.raises(ValueError, match=r"w2 has shape \(2, 3, 3, 3\); expected \(C, M, 3, 3\)|w2 has shape"):
        kernels.preactivation_block(x, v, v, w, v, v, zeros(kernels, 2, 2, 3, 3))
    with pytest.raises(ValueError, match="expected more than one value per channel"):
        kernels.preactivation_block(x[:1, :, :1, :1], v, v, w, v, v, w)


@each_library
def test_further_residual_kernels_name_what_does_not_fit(kernels):
    """Shares, masks, lists and sizes of a wrong kind are refused by name."""
    x, v, w = zeros(kernels, 2, 3, 4, 4), zeros(kernels, 3), zeros(kernels, 3, 3)
    with pytest.raises(ValueError, match="p is 1.0; expected a number of at least 0 and below 1"):
        kernels.stochastic_depth(x, x, 1.0)
    with pytest.raises(TypeError, match="rng is of type NoneType; expected a Generator, or draws of your own as keep"):
        kernels.stochastic_depth(x, x)
    with pytest.raises(ValueError, match=r"keep has shape \(3,\); expected \(2,\)"):
        kernels.stochastic_depth(x, x, keep=array(kernels, [True] * 3, "bool"))
    with pytest.raises(ValueError, match=r"gammas\[0\] is empty"):
        kernels.zero_init_gamma([[]])
    with pytest.raises(TypeError, match=r"gammas\[0\] is of type (ndarray|Tensor); expected a list"):
        kernels.zero_init_gamma([v])
    with pytest.raises(ValueError, match=r"weights\[1\] has shape \(2, 3\)"):
        kernels.gradient_norm_by_depth(w, [w, zeros(kernels, 2, 3)], w)
    with pytest.raises(TypeError, match="residual is of type int"):
        kernels.gradient_norm_by_depth(w, [w], w, 1)
    with pytest.raises(TypeError, match="reduced is of type float; expected an integer"):
        kernels.bottleneck_cost(4, 2.0, 8, 8)
