"""Batch normalisation against Torch's modules, autograd and finite differences.

Gamma is never 1, beta never 0, and the upstream gradient is random: with plain ones half of the mistakes hide.
"""

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
    layer_parity,
    normal,
    seeds,
    size,
    zeros,
)
from torch.nn import functional

from course_lib import numpy_kernels

LAYERS = {"batchnorm": (5, 3), "batchnorm2d": (2, 3, 4, 5)}
BACKWARD = ["batchnorm_backward", "batchnorm_backward_compact"]
each_layer = pytest.mark.parametrize("layer", LAYERS)
momenta = st.sampled_from([0.0, 0.1, 0.7, 1.0])
epsilons = st.sampled_from([1e-5, 1e-2, 1.0])


def draw(seed, shape, dtype="float64"):
    """x, gamma, beta, running mean and variance."""
    x, gamma, beta, mean, var = normal(seed, shape, *[shape[1:2]] * 4, dtype=dtype)
    return [x, gamma, beta, mean, np.abs(var) + np.asarray(0.1, dtype)]


@st.composite
def arguments(draw_from, layer):
    """Arguments of a forward pass in training mode, with momentum and eps."""
    shape = draw_from(st.tuples(*[size] * len(LAYERS[layer])).filter(lambda s: np.prod(s) // s[1] > 1))
    return *draw(draw_from(seeds), shape, draw_from(dtypes)), draw_from(momenta), draw_from(epsilons)


@each_device
@pytest.mark.parametrize("backward", BACKWARD)
@settings(max_examples=30)
@given(given_=arguments("batchnorm"))
def test_batchnorm_equals_torch(backward, device, given_):
    """Output, new estimates and the three gradients of both backward passes are Torch's, inputs unchanged."""
    layer_parity("batchnorm", *given_, backward=backward, device=device, factor=20)


@each_device
@settings(max_examples=30)
@given(given_=arguments("batchnorm2d"))
def test_batchnorm2d_equals_torch(device, given_):
    """Output, new estimates and the three gradients are Torch's, for any sizes, not square and single pixels."""
    layer_parity("batchnorm2d", *given_, device=device, factor=20)


@each_layer
@pytest.mark.parametrize("momentum", [0.1, 0.6])
def test_estimates_are_those_of_a_torch_module(layer, momentum):
    """After three batches the running mean and variance are those of `torch.nn.BatchNorm`, and so is evaluation."""
    kind = torch.nn.BatchNorm1d if layer == "batchnorm" else torch.nn.BatchNorm2d
    module = kind(3, momentum=momentum, dtype=torch.float64)
    mean, var = np.zeros(3), np.ones(3)
    for seed in range(3):
        x, gamma, beta, *_ = draw(seed, LAYERS[layer])
        _, _, mean, var = getattr(numpy_kernels, f"{layer}_forward")(x, gamma, beta, mean, var, momentum)
        module(torch.from_numpy(x))
    assert_close((mean, var), (module.running_mean, module.running_var))
    out = getattr(numpy_kernels, f"{layer}_eval")(x, np.ones(3), np.zeros(3), mean, var)
    assert_close(out, module.eval()(torch.from_numpy(x)))


@each_device
@each_layer
@settings(max_examples=15)
@given(shape=st.tuples(size, size, size, size), dtype=dtypes, seed=seeds, eps=epsilons)
def test_evaluation_equals_torch(layer, shape, dtype, seed, eps, device):
    """With given estimates, also for a single value, both kernels agree."""
    given_ = draw(seed, shape[: len(LAYERS[layer])], dtype)
    function_parity(f"{layer}_eval", *given_, eps, device=device, factor=5)


@each_layer
def test_backward_is_the_slope_of_forward(layer):
    """Central differences along random directions agree with the gradients by x, gamma and beta."""
    x, gamma, beta, mean, var = draw(3, LAYERS[layer])
    (dout,) = normal(4, LAYERS[layer])
    forward = getattr(numpy_kernels, f"{layer}_forward")
    cache = forward(x, gamma, beta, mean, var, eps=0.1)[1]
    for name in BACKWARD if layer == "batchnorm" else ["batchnorm2d_backward"]:
        gradients = getattr(numpy_kernels, name)(dout, cache)
        assert_slope(lambda *there: forward(*there, mean, var, eps=0.1)[0], [x, gamma, beta], gradients, dout)


def test_images_are_normalised_as_their_pixels_in_rows():
    """`batchnorm2d` is `batchnorm` on pixels as examples."""
    x, *rest = draw(6, (2, 3, 4, 5))
    rows = x.transpose(0, 2, 3, 1).reshape(-1, 3)
    out, _, *estimates = numpy_kernels.batchnorm2d_forward(x, *rest)
    same, _, *as_well = numpy_kernels.batchnorm_forward(rows, *rest)
    np.testing.assert_allclose(out.transpose(0, 2, 3, 1).reshape(-1, 3), same)
    np.testing.assert_allclose(estimates, as_well)


@each_layer
def test_variance_normalises_with_n_and_is_remembered_with_n_minus_one(layer):
    """The output has variance 1, the estimate is N / (N - 1) times the batch's variance."""
    x, gamma, *_ = draw(7, LAYERS[layer])
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    forward = getattr(numpy_kernels, f"{layer}_forward")
    out, _, _, var = forward(x, np.ones_like(gamma), np.zeros(3), np.zeros(3), np.ones(3), 1.0, 1e-12)
    np.testing.assert_allclose(out.var(axis=axes), 1)
    np.testing.assert_allclose(var, x.var(axis=axes, ddof=1))


@each_layer
def test_large_means_in_float32_do_no_harm(layer):
    """With a mean of 1,000 and a spread of 1, float32 stays within its rounding of the input of float64."""
    x, *rest = draw(8, (200, 3) if layer == "batchnorm" else (8, 3, 16, 16))
    forward = getattr(numpy_kernels, f"{layer}_forward")
    far = (x + 1000).astype("float32")
    out = forward(far, *(number.astype("float32") for number in rest))[0]
    np.testing.assert_allclose(out, forward(far.astype(float), *rest)[0], atol=2e-3)


@each_layer
def test_constant_features_give_beta(layer):
    """A feature that never changes comes out as beta, finite and quiet, in both dtypes."""
    for dtype in ("float32", "float64"):
        _, gamma, beta, mean, var = draw(9, LAYERS[layer], dtype)
        x = np.full(LAYERS[layer], 3.0, dtype)
        out = np.moveaxis(getattr(numpy_kernels, f"{layer}_forward")(x, gamma, beta, mean, var)[0], 1, -1)
        np.testing.assert_allclose(out, np.broadcast_to(beta, out.shape), atol=1e-6)


@each_layer
def test_nan_stays_in_its_channel(layer):
    """One NaN spoils its own channel and no other."""
    x, *rest = draw(10, LAYERS[layer])
    x[(0, 1, *[0] * (x.ndim - 2))] = np.nan
    out = np.moveaxis(getattr(numpy_kernels, f"{layer}_forward")(x, *rest)[0], 1, 0)
    assert np.isnan(out[1]).all() and np.isfinite(out[[0, 2]]).all()


@each_device
@settings(max_examples=15)
@given(shape=st.tuples(size, size, size, size), dtype=dtypes, seed=seeds, eps=epsilons)
def test_folded_convolution_does_the_same(shape, dtype, seed, eps, device):
    """Both kernels fold alike, and Torch's convolution with the folded filters is convolution, then evaluation."""
    w, b, *rest = normal(seed, (shape[1], shape[0], *shape[2:]), *[shape[1:2]] * 5, dtype=dtype)
    rest[-1] = np.abs(rest[-1]) + np.asarray(0.1, dtype)
    folded = function_parity("fold_batchnorm_into_conv", w, b, *rest, eps, device=device)
    x = torch.from_numpy(normal(seed + 2, (2, shape[0], 7, 7), dtype=dtype)[0])
    plain = functional.conv2d(x, torch.from_numpy(w), torch.from_numpy(b)).numpy()
    once = functional.conv2d(x, *map(torch.from_numpy, folded)).numpy()
    assert_close(once, numpy_kernels.batchnorm2d_eval(plain, *rest, eps), factor=20)


@each_device
@settings(max_examples=15)
@given(
    sizes=st.lists(st.integers(2, 5), min_size=1, max_size=4), images=st.booleans(), c=size, dtype=dtypes, seed=seeds
)
def test_recalibrated_estimates_are_those_of_torch_without_momentum(sizes, images, c, dtype, seed, device):
    """Batches of different sizes count alike, with variances that divide by N - 1."""
    batches = normal(seed, *[(n, c, 2, 3) if images else (n, c) for n in sizes], dtype=dtype)
    mean, var = function_parity("recalibrate_statistics", batches, device=device, factor=5)
    axes = (0, 2, 3) if images else 0
    np.testing.assert_allclose(mean, np.mean([b.mean(axis=axes) for b in batches], axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(var, np.mean([b.var(axis=axes, ddof=1) for b in batches], axis=0), rtol=1e-4, atol=1e-6)


@each_library
@each_layer
def test_one_value_per_channel_cannot_train(kernels, layer):
    """A batch of one, or one pixel, is refused in training and fine in evaluation."""
    x = zeros(kernels, 1, 3, *[1] * (len(LAYERS[layer]) - 2))
    rest = [array(kernels, [1.0, 2.0, 3.0]) for _ in range(4)]
    with pytest.raises(ValueError, match=r"x has shape \(1, 3.*\); expected more than one value per channel"):
        getattr(kernels, f"{layer}_forward")(x, *rest)
    assert getattr(kernels, f"{layer}_eval")(x, *rest).shape == x.shape


@each_library
def test_batchnorm_names_what_does_not_fit(kernels):
    """Shapes, dtypes, momentum, eps, caches and batches of a wrong kind are refused by name."""
    for layer, shape in LAYERS.items():
        x, v = zeros(kernels, *shape), zeros(kernels, 3)
        forward = getattr(kernels, f"{layer}_forward")
        with pytest.raises(ValueError, match=r"beta has shape \(2,\); expected \([DC],\) with [DC] = 3 as in x"):
            forward(x, v, zeros(kernels, 2), v, v)
        with pytest.raises(ValueError, match=r"x has shape \(3,\); expected \(N, "):
            forward(v, v, v, v, v)
        with pytest.raises(TypeError, match="gamma has dtype float32; expected float64, the dtype of x"):
            getattr(kernels, f"{layer}_eval")(x, zeros(kernels, 3, dtype="float32"), v, v, v)
        with pytest.raises(ValueError, match="momentum is 1.5; expected a number from 0 to 1"):
            forward(x, v, v, v, v, 1.5)
        with pytest.raises(ValueError, match="eps is 0.0; expected a positive number"):
            forward(x, v, v, v, v, eps=0)
        with pytest.raises(ValueError, match="eps is -1.0; expected a positive number"):
            getattr(kernels, f"{layer}_eval")(x, v, v, v, v, eps=-1)
        backward = getattr(kernels, f"{layer}_backward")
        with pytest.raises(TypeError, match=f"cache is of type NoneType; expected the second thing {layer}_forward"):
            backward(x, None)
        with pytest.raises(ValueError, match=r"dout has shape \(3,\); expected .*, the shape of out"):
            backward(v, forward(x, v, v, v, v)[1])
    with pytest.raises(ValueError, match=r"b has shape \(2,\); expected \(K,\) with K = 4 as in w"):
        kernels.fold_batchnorm_into_conv(zeros(kernels, 4, 2, 1, 1), *[zeros(kernels, 2)] * 5)
    with pytest.raises(ValueError, match="batches is empty"):
        kernels.recalibrate_statistics([])
    with pytest.raises(TypeError, match="batches is of type (ndarray|Tensor)"):
        kernels.recalibrate_statistics(zeros(kernels, 3, 2))
    with pytest.raises(ValueError, match=r"batches\[1\] has 3 channels of .*; expected 2 channels of"):
        kernels.recalibrate_statistics([zeros(kernels, 3, 2), zeros(kernels, 3, 3)])
    with pytest.raises(ValueError, match=r"batches\[0\] has shape \(3,\); expected \(N, D\)"):
        kernels.recalibrate_statistics([zeros(kernels, 3)])
