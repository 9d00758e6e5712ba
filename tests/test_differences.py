"""Numerical gradients against autograd, and how errors are measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import array, dtypes, each_device, each_library, function_parity, normal, seeds, size, zeros

from course_lib import numpy_kernels, torch_kernels


def smooth(x):
    """A smooth function of arrays and tensors of any shape."""
    return (x**3 - 2 * x).sum() + (x * x).sum() ** 2 / 4


@each_device
@settings(max_examples=20)
@given(shape=st.lists(st.integers(0, 4), max_size=3), dtype=dtypes, seed=seeds)
def test_numerical_gradient_equals_autograd(shape, dtype, seed, device):
    """Any shape, also none and empty, is differentiated to many digits and keeps its dtype."""
    x = normal(seed, tuple(shape), dtype=dtype)[0]
    ours = function_parity("numerical_gradient", smooth, x, device=device, factor=1e4 if dtype == "float64" else 1)
    leaf = torch.from_numpy(x).double().requires_grad_()
    (wanted,) = torch.autograd.grad(smooth(leaf), leaf)
    np.testing.assert_allclose(ours, wanted.numpy(), rtol=1e-6, atol=1e-7)


def test_differences_are_central():
    """For a cubic the error is exactly h squared; a one-sided quotient would be wrong by 3 h."""
    for kernels in (numpy_kernels, torch_kernels):
        slope = kernels.numerical_gradient(lambda x: x[0] ** 3, array(kernels, [1.0]), h=0.125)
        assert float(slope[0]) == pytest.approx(3 + 0.125**2, rel=1e-12)


@each_library
def test_function_is_called_with_float64(kernels):
    """A float32 point is moved in float64, where a step of 1e-5 is not lost; the function may spoil its argument."""
    seen = set()

    def f(x):
        seen.add(str(x.dtype).removeprefix("torch."))
        x *= 2
        return x.sum()

    x = array(kernels, [1.0, 2.0], "float32")
    assert kernels.numerical_gradient(f, x).tolist() == pytest.approx([2.0, 2.0])
    assert seen == {"float64"} and x.tolist() == [1.0, 2.0]


@each_library
def test_nan_comes_through(kernels):
    """Where the function is not a number, neither is its gradient."""
    gradient = kernels.numerical_gradient(
        lambda x: x[0] + (float("nan") if x[1] > 0 else 0), array(kernels, [1.0, 1.0])
    )
    assert np.isnan(np.asarray(gradient)).all()


@each_device
@settings(max_examples=20)
@given(n=size, d=size, dtype=dtypes, seed=seeds)
def test_relative_error_is_that_of_the_worst_entry(n, d, dtype, seed, device):
    """It is 0 for equal arrays, 1 for opposite ones, and otherwise the largest of the entries' errors."""
    a, b = normal(seed, (n, d), (n, d), dtype=dtype)
    error = function_parity("relative_error", a, b, device=device)
    assert error.dtype == dtype and np.ndim(error) == 0
    assert error == pytest.approx(
        max(abs(x - y) / (abs(x) + abs(y)) for x, y in zip(a.flat, b.flat, strict=True)), rel=1e-4
    )
    assert numpy_kernels.relative_error(a, a) == 0
    assert numpy_kernels.relative_error(a, -a) == pytest.approx(1)


@each_library
def test_relative_error_near_zero_and_nan(kernels):
    """Two zeros agree, a tiny number is near zero, and a NaN is never hidden."""
    zero = zeros(kernels, 2)
    assert float(kernels.relative_error(zero, zero)) == 0
    assert float(kernels.relative_error(zero, zero + 1e-12)) == pytest.approx(1e-4)
    assert np.isnan(float(kernels.relative_error(zero, array(kernels, [0.0, np.nan]))))


@each_library
def test_differences_name_what_does_not_fit(kernels):
    """Functions, steps and shapes that do not fit are refused by name."""
    with pytest.raises(TypeError, match=r"f\(x\) is of type .*; expected a number"):
        kernels.numerical_gradient(lambda x: x, zeros(kernels, 2))
    with pytest.raises(ValueError, match="h is 0.0; expected a positive number"):
        kernels.numerical_gradient(lambda x: x.sum(), zeros(kernels, 2), h=0.0)
    with pytest.raises(TypeError, match="x is of type list"):
        kernels.numerical_gradient(sum, [1.0])
    with pytest.raises(ValueError, match=r"b has shape \(3,\); expected \(2,\), the shape of a"):
        kernels.relative_error(zeros(kernels, 2), zeros(kernels, 3))
    with pytest.raises(ValueError, match=r"a has shape \(0,\); expected at least one entry"):
        kernels.relative_error(zeros(kernels, 0), zeros(kernels, 0))
