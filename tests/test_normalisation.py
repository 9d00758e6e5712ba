"""Normalisation within each example against Torch, autograd and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    assert_close,
    assert_slope,
    dtypes,
    each_device,
    each_library,
    layer_parity,
    normal,
    seeds,
    size,
    zeros,
)

from course_lib import numpy_kernels

epsilons = st.sampled_from([1e-5, 1e-2, 1.0])


@each_device
@settings(max_examples=30)
@given(shape=st.lists(size, min_size=1, max_size=4).map(tuple), dtype=dtypes, seed=seeds, eps=epsilons)
def test_layernorm_equals_torch(shape, dtype, seed, eps, device):
    """Output and the three gradients are Torch's for any number of leading axes and a single feature."""
    given_ = normal(seed, shape, shape[-1:], shape[-1:], dtype=dtype)
    out, *_ = layer_parity("layernorm", *given_, eps, device=device, factor=20)
    x, gamma, beta = map(torch.from_numpy, given_)
    assert_close(out, torch.nn.functional.layer_norm(x, shape[-1:], gamma, beta, eps), factor=20)


@each_device
@settings(max_examples=30)
@given(shape=st.tuples(size, size, size, size), groups=size, dtype=dtypes, seed=seeds, eps=epsilons)
def test_groupnorm_equals_torch(shape, groups, dtype, seed, eps, device):
    """Output and the three gradients are Torch's for any sizes and numbers of groups, also groups of one value."""
    n, c, h, w = shape
    given_ = normal(seed, (n, c * groups, h, w), *[(c * groups,)] * 2, dtype=dtype)
    layer_parity("groupnorm", *given_, groups, eps, device=device, factor=20)


@pytest.mark.parametrize("layer", ["layernorm", "groupnorm"])
def test_backward_is_the_slope_of_forward(layer):
    """Central differences along random directions agree with the gradients by x, gamma and beta."""
    given_ = normal(1, (2, 4, 3, 4), (4,), (4,), (2, 4, 3, 4))
    *arrays, dout = given_
    more = () if layer == "layernorm" else (2,)
    forward = getattr(numpy_kernels, f"{layer}_forward")
    gradients = getattr(numpy_kernels, f"{layer}_backward")(dout, forward(*arrays, *more)[1])
    assert_slope(lambda *there: forward(*there, *more)[0], arrays, gradients, dout)


def test_examples_do_not_touch_each_other():
    """The first example alone gives what it gives in the batch, unlike with batch normalisation."""
    x, gamma, beta = normal(2, (3, 4, 2, 2), (4,), (4,))
    for forward, given_ in (
        (numpy_kernels.groupnorm_forward, (gamma, beta, 2)),
        (numpy_kernels.layernorm_forward, (gamma[:2], beta[:2])),
    ):
        np.testing.assert_allclose(forward(x, *given_)[0][:1], forward(x[:1], *given_)[0], rtol=1e-12)


def test_one_group_normalises_whole_images():
    """With one group every image has mean 0 and variance 1; with C groups every channel."""
    (x,) = normal(3, (2, 4, 3, 3))
    for groups, axes in ((1, (1, 2, 3)), (4, (2, 3))):
        out, _ = numpy_kernels.groupnorm_forward(x, np.ones(4), np.zeros(4), groups, 1e-12)
        np.testing.assert_allclose(out.mean(axis=axes), 0, atol=1e-12)
        np.testing.assert_allclose(out.var(axis=axes), 1)


@pytest.mark.parametrize("layer", ["layernorm", "groupnorm"])
def test_large_means_in_float32_do_no_harm(layer):
    """With a mean of 1,000 and a spread of 1, float32 stays within its rounding of the input of float64."""
    x, gamma, beta = normal(4, (4, 8, 8, 8), (8,), (8,))
    more = () if layer == "layernorm" else (2,)
    forward, far = getattr(numpy_kernels, f"{layer}_forward"), (x + 1000).astype("float32")
    out = forward(far, gamma.astype("float32"), beta.astype("float32"), *more)[0]
    wanted = forward(far.astype(float), gamma, beta, *more)[0]
    np.testing.assert_allclose(out, wanted, atol=2e-3)


def test_nan_stays_in_its_row():
    """One NaN spoils its own row and no other."""
    x, gamma, beta = normal(5, (3, 4), (4,), (4,))
    x[1, 2] = np.nan
    out, _ = numpy_kernels.layernorm_forward(x, gamma, beta)
    assert np.isnan(out[1]).all() and np.isfinite(out[[0, 2]]).all()


@each_library
def test_normalisation_names_what_does_not_fit(kernels):
    """Shapes, groups, eps and caches of a wrong kind are refused by name."""
    x, v = zeros(kernels, 2, 4, 3, 3), zeros(kernels, 4)
    with pytest.raises(ValueError, match="groups is 3; expected a divisor of the 4 channels of x"):
        kernels.groupnorm_forward(x, v, v, 3)
    with pytest.raises(TypeError, match="groups is of type float; expected an integer"):
        kernels.groupnorm_forward(x, v, v, 2.0)
    with pytest.raises(ValueError, match=r"x has shape \(4,\); expected \(N, C, H, W\)"):
        kernels.groupnorm_forward(v, v, v, 1)
    with pytest.raises(ValueError, match=r"gamma has shape \(4,\); expected \(D,\) with D = 3 as in x"):
        kernels.layernorm_forward(x, v, v)
    with pytest.raises(ValueError, match=r"x has shape \(\); expected \(\.\.\., D\)"):
        kernels.layernorm_forward(zeros(kernels), v, v)
    with pytest.raises(ValueError, match="eps is 0.0; expected a positive number"):
        kernels.layernorm_forward(v, v, v, eps=0)
    for layer, more in (("layernorm", ()), ("groupnorm", (2,))):
        backward = getattr(kernels, f"{layer}_backward")
        with pytest.raises(TypeError, match=f"cache is of type tuple; expected the second thing {layer}_forward"):
            backward(x, ())
        given_ = (x, v, v) if more else (v, v, v)
        with pytest.raises(ValueError, match=r"dout has shape \(1,\); expected .*, the shape of out"):
            backward(zeros(kernels, 1), getattr(kernels, f"{layer}_forward")(*given_, *more)[1])
