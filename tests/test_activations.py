"""Activation functions against Torch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_lib import numpy_kernels, torch_kernels

floats = st.sampled_from([np.float32, np.float64])
inputs = floats.flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements=st.floats(-2000, 2000, width=8 * np.dtype(dtype).itemsize),
    )
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(inputs)
def test_sigmoid_equals_torch_without_warnings(x):
    """Any shape, both dtypes and inputs up to 2000 give Torch's values, quietly, and leave x alone."""
    before = x.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = numpy_kernels.sigmoid(x)
    assert out.dtype == x.dtype and out.shape == x.shape
    wanted = torch.sigmoid(torch.from_numpy(x.copy())).numpy()
    np.testing.assert_allclose(out, wanted, rtol=0, atol=4 * np.finfo(x.dtype).eps)
    np.testing.assert_array_equal(x, before)


def test_sigmoid_keeps_small_numbers():
    """Far left the result is exp(x) to full precision, not a rounded zero."""
    x = np.array([-700.0, -100.0, -40.0])
    np.testing.assert_allclose(numpy_kernels.sigmoid(x), np.exp(x), rtol=1e-14)


def test_sigmoid_passes_on_what_is_not_a_number():
    """NaN stays NaN and infinities become 0 and 1."""
    out = numpy_kernels.sigmoid(np.array([np.nan, -np.inf, np.inf]))
    assert np.isnan(out[0]) and out[1:].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("x", [[0.0], 0.5, np.array([1, 2]), np.array(["a"]), np.array([1j])], ids=repr)
def test_sigmoid_refuses_what_is_no_floating_array(x):
    """Lists, Python numbers, integers, text and complex numbers are refused by name."""
    with pytest.raises(TypeError, match="^x (is of type|has dtype)"):
        numpy_kernels.sigmoid(x)
    with pytest.raises(TypeError, match="^x "):
        torch_kernels.sigmoid(torch.tensor([1, 2]))
