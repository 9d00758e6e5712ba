"""The dense layer against Torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import assert_close, assert_unchanged, each_library, normal, on_device, zeros

from course_lib import numpy_kernels, torch_kernels

size = st.integers(1, 6)
dtypes = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=size, d=size, m=size, dtype=dtypes, seed=st.integers(0, 99))
def test_affine_forward_equals_torch_linear(n, d, m, dtype, seed):
    """Any sizes and both dtypes give what `torch.nn.Linear` gives, in the same dtype."""
    rng = np.random.default_rng(seed)
    x, w, b = (rng.normal(size=shape).astype(dtype) for shape in ((n, d), (m, d), (m,)))
    layer = torch.nn.Linear(d, m, dtype=getattr(torch, dtype))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(w))
        layer.bias.copy_(torch.from_numpy(b))
        wanted = layer(torch.from_numpy(x)).numpy()
    out, cache = numpy_kernels.affine_forward(x, w, b)
    assert out.dtype == dtype and out.shape == (n, m)
    np.testing.assert_allclose(out, wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert all(kept is given_ for kept, given_ in zip(cache, (x, w, b), strict=True))


def test_torch_affine_forward_lets_gradients_through():
    """The Torch counterpart stays part of a graph."""
    w = torch.ones(3, 2, requires_grad=True)
    torch_kernels.affine_forward(torch.ones(4, 2), w, torch.zeros(3))[0].sum().backward()
    assert w.grad.tolist() == [[4.0, 4.0]] * 3


@pytest.mark.parametrize("kernels", [numpy_kernels, torch_kernels], ids=["numpy", "torch"])
def test_affine_forward_names_what_does_not_fit(kernels):
    """Wrong shapes, dtypes and types are refused with the argument, what came and what was expected."""
    zeros = np.zeros if kernels is numpy_kernels else torch.zeros
    narrow = np.float32 if kernels is numpy_kernels else torch.float16
    x, w, b = zeros((4, 3)), zeros((2, 3)), zeros(2)
    with pytest.raises(ValueError, match=r"w has shape \(3, 2\); expected \(M, D\) with D = 3 as in x"):
        kernels.affine_forward(x, zeros((3, 2)), b)
    with pytest.raises(ValueError, match=r"b has shape \(2, 1\); expected \(M,\)"):
        kernels.affine_forward(x, w, zeros((2, 1)))
    with pytest.raises(ValueError, match=r"x has shape \(0, 3\); expected \(N, D\) with no size of zero"):
        kernels.affine_forward(zeros((0, 3)), w, b)
    with pytest.raises(TypeError, match="w has dtype float(32|16); expected float(64|32), the dtype of x"):
        kernels.affine_forward(x, zeros((2, 3), dtype=narrow), b)
    with pytest.raises(TypeError, match="x is of type list; expected a (ndarray|Tensor)"):
        kernels.affine_forward([[1.0]], w, b)


def test_kernels_refuse_each_others_arrays():
    """A tensor is no array and an array is no tensor."""
    with pytest.raises(TypeError, match="x is of type Tensor"):
        numpy_kernels.affine_forward(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1))
    with pytest.raises(TypeError, match="x is of type ndarray"):
        torch_kernels.affine_forward(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=size, d=size, m=size, dtype=dtypes, seed=st.integers(0, 99))
def test_affine_backward_equals_autograd(n, d, m, dtype, seed):
    """Any sizes and both dtypes give the gradients that autograd gives, for a random upstream gradient."""
    x, w, b, dout = normal(seed, (n, d), (m, d), (m,), (n, m), dtype=dtype)
    before = [array.copy() for array in (x, w, b, dout)]
    ours = numpy_kernels.affine_backward(dout, numpy_kernels.affine_forward(x, w, b)[1])
    theirs = torch_kernels.affine_backward(*on_device((dout, (x, w, b)), "cpu"))
    assert_close(ours, theirs)
    arrays, upstream = on_device((x, w, b), "cpu"), on_device(dout, "cpu")
    assert_close(ours, torch_kernels.affine_backward(upstream, torch_kernels.affine_forward(*arrays)[1]))
    assert_unchanged([x, w, b, dout], before)


@each_library
def test_affine_backward_names_what_does_not_fit(kernels):
    """A cache that is none, and an upstream gradient of another shape, are refused in a sentence."""
    cache = (zeros(kernels, 4, 3), zeros(kernels, 2, 3), zeros(kernels, 2))
    with pytest.raises(ValueError, match=r"dout has shape \(4, 3\); expected \(N, M\)"):
        kernels.affine_backward(zeros(kernels, 4, 3), cache)
    with pytest.raises(TypeError, match="affine_forward"):
        kernels.affine_backward(zeros(kernels, 4, 2), cache[0])
