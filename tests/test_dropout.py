"""Dropout: by value for a given mask, by statistics for a drawn one."""

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
    layer_parity,
    normal,
    seeds,
    zeros,
)

from course_lib import numpy_kernels

KINDS = ["dropout_forward", "dropout_classic"]
drops = st.sampled_from([0.0, 0.2, 0.5, 0.9])
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def generator(kernels, seed=0):
    """A random generator of the library."""
    return np.random.default_rng(seed) if kernels is numpy_kernels else torch.Generator().manual_seed(seed)


@each_device
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(shape=shapes, p=drops, dtype=dtypes, seed=seeds, train=st.booleans())
def test_both_references_agree_for_a_given_mask(kind, shape, p, dtype, seed, train, device):
    """Values and gradients agree for any shape, in training and in evaluation; the gradient has the same factors."""
    (x,) = normal(seed, shape, dtype=dtype)
    x = np.asarray(x, dtype)
    mask = np.asarray(np.random.default_rng(seed).random(shape) >= p)
    out, gradient, dout = layer_parity(kind, x, p, train, mask=mask, backward="dropout_backward", device=device)
    factor = {"dropout_forward": (mask / (1 - p), 1.0), "dropout_classic": (mask * 1.0, 1 - p)}[kind][not train]
    assert_close(out, np.asarray(x * factor, dtype))
    assert_close(gradient, np.asarray(dout * factor, dtype))
    assert not np.shares_memory(out, x)


@each_library
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_p_is_the_share_that_is_dropped(kernels, p):
    """Of 40,000 ones a share p is 0, the others 1 / (1 - p), and the mean stays 1, within six sigma."""
    x = array(kernels, np.ones((200, 200)))
    out = np.asarray(kernels.dropout_forward(x, p, rng=generator(kernels))[0])
    sigma = np.sqrt(p * (1 - p) / out.size)
    assert abs((out == 0).mean() - p) < 6 * sigma
    assert abs(out.mean() - 1) < 6 * sigma / (1 - p)
    np.testing.assert_allclose(out[out > 0], 1 / (1 - p))
    classic = np.asarray(kernels.dropout_classic(x, p, rng=generator(kernels))[0])
    np.testing.assert_allclose(classic, out * (1 - p))


@each_library
def test_each_call_draws_a_new_mask(kernels):
    """The same generator gives another mask the second time; the same seed the same one."""
    rng, x = generator(kernels), array(kernels, np.ones(100))
    first, second = (np.asarray(kernels.dropout_forward(x, rng=rng)[0]) for _ in range(2))
    again = np.asarray(kernels.dropout_forward(x, rng=generator(kernels))[0])
    assert (first != second).any() and (first == again).all()


@each_library
def test_float32_draws_stay_float32(kernels):
    """Neither the mask nor the scale makes float64 of float32."""
    x = zeros(kernels, 4, 4, dtype="float32")
    for kind in KINDS:
        for train in (True, False):
            out, cache = getattr(kernels, kind)(x, 0.3, train, generator(kernels))
            assert out.dtype == x.dtype == kernels.dropout_backward(x, cache).dtype


@pytest.mark.parametrize("kind", KINDS)
def test_backward_is_the_slope_of_forward(kind):
    """Central differences along a random direction agree with the gradient."""
    x, dout = normal(1, (4, 3), (4, 3))
    mask = np.random.default_rng(0).random((4, 3)) > 0.5
    forward = getattr(numpy_kernels, kind)
    gradient = numpy_kernels.dropout_backward(dout, forward(x, 0.3, mask=mask)[1])
    assert_slope(lambda there: forward(there, 0.3, mask=mask)[0], [x], gradient, dout)


@each_library
@pytest.mark.parametrize("kind", KINDS)
def test_dropout_names_what_does_not_fit(kernels, kind):
    """Probabilities, masks, generators and caches of a wrong kind are refused by name."""
    dropout, x = getattr(kernels, kind), zeros(kernels, 2, 3)
    for p in (1.0, -0.1):
        with pytest.raises(ValueError, match=f"p is {p}; expected a number of at least 0 and below 1"):
            dropout(x, p)
    with pytest.raises(TypeError, match="train is of type int; expected True or False"):
        dropout(x, 0.5, 1)
    with pytest.raises(TypeError, match="rng is of type NoneType; expected a Generator, or draws of your own as mask"):
        dropout(x)
    with pytest.raises(ValueError, match=r"mask has shape \(3, 2\); expected \(2, 3\)"):
        dropout(x, mask=array(kernels, np.ones((3, 2)), "bool"))
    with pytest.raises(TypeError, match="mask has dtype float64; expected bools"):
        dropout(x, mask=x)
    with pytest.raises(TypeError, match="x has dtype int64"):
        dropout(array(kernels, [1], "int64"), train=False)
    with pytest.raises(TypeError, match="cache is of type NoneType; expected the second thing dropout_forward returns"):
        kernels.dropout_backward(x, None)
    with pytest.raises(ValueError, match=r"dout has shape \(3,\); expected \(2, 3\), the shape of out"):
        kernels.dropout_backward(zeros(kernels, 3), dropout(x, train=False)[1])
