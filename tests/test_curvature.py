"""Curvature against autograd, and the step it allows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import array, dtypes, each_device, each_library, function_parity, normal, seeds, size, zeros

from course_lib import numpy_kernels, torch_kernels


def smooth(x):
    """A smooth function of arrays and tensors with mixed second derivatives."""
    return (x**3).sum() / 3 + x.sum() ** 2 / 2 - (x[:-1] * x[1:]).sum()


def symmetric(seed, d, dtype="float64"):
    """A random symmetric matrix."""
    matrix = normal(seed, (d, d))[0]
    return (matrix + matrix.T).astype(dtype)


@each_device
@settings(max_examples=20)
@given(d=size, dtype=dtypes, seed=seeds)
def test_second_derivatives_equal_autograd(d, dtype, seed, device):
    """The Hessian is that of autograd, and the Laplacian its trace."""
    x = normal(seed, (d,), dtype=dtype)[0]
    wanted = torch.autograd.functional.hessian(smooth, torch.from_numpy(x).double()).numpy()
    factor = 1e5 if dtype == "float64" else 1
    hessian = function_parity("numerical_hessian", smooth, x, device=device, factor=factor)
    np.testing.assert_allclose(hessian, wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(hessian, hessian.T)
    laplacian = function_parity("laplacian", smooth, x, device=device, factor=factor)
    assert laplacian.dtype == dtype and np.ndim(laplacian) == 0
    assert laplacian == pytest.approx(np.trace(wanted), rel=1e-5, abs=1e-5)


@settings(max_examples=10)
@given(shape=st.lists(st.integers(1, 3), max_size=3), seed=seeds)
def test_laplacian_takes_any_shape(shape, seed):
    """Matrices of weights and single numbers have one too."""
    x = normal(seed, tuple(shape))[0]
    assert function_parity("laplacian", lambda x: (2 * x**2).sum(), x, factor=1e5) == pytest.approx(
        4 * x.size, abs=1e-5
    )


def test_laplacian_is_a_sum_over_axes():
    """At a saddle the curvatures cancel: zero does not mean flat."""
    for kernels in (numpy_kernels, torch_kernels):
        assert float(kernels.laplacian(lambda x: x[0] ** 2 - x[1] ** 2, zeros(kernels, 2))) == pytest.approx(
            0, abs=1e-6
        )


@each_device
@settings(max_examples=20)
@given(d=size, dtype=dtypes, seed=seeds)
def test_sharpness_is_the_largest_curvature(d, dtype, seed, device):
    """No direction is curved more, and one is curved as much; the sign does not matter."""
    hessian = symmetric(seed, d, dtype)
    value = function_parity("sharpness", hessian, device=device, factor=10)
    assert value == pytest.approx(np.abs(np.linalg.eigvals(hessian.astype(float))).max(), rel=1e-4)
    assert numpy_kernels.sharpness(-hessian) == pytest.approx(value, rel=1e-4)
    function_parity("max_stable_step", hessian, device=device, factor=10)


@settings(max_examples=20)
@given(d=size, seed=seeds, share=st.floats(0.05, 0.99))
def test_loss_falls_below_the_stable_step_and_rises_above(d, seed, share):
    """On a quadratic every shorter step lowers the loss; a longer one along the sharpest axis raises it."""
    root = normal(seed, (d, d))[0]
    hessian = root @ root.T + 0.1 * np.eye(d)
    w = normal(seed + 1, (d,))[0]
    limit = numpy_kernels.max_stable_step(hessian)

    def loss(w):
        return w @ hessian @ w / 2

    assert loss(w - share * limit * hessian @ w) < loss(w)
    sharpest = np.linalg.eigh(hessian)[1][:, -1]
    assert loss(sharpest - 1.01 * limit * hessian @ sharpest) > loss(sharpest)


@each_library
def test_flat_and_broken_landscapes(kernels):
    """Where nothing is curved every step is stable; where the curvature is unknown, so is the step."""
    assert float(kernels.max_stable_step(zeros(kernels, 2, 2))) == np.inf
    broken = array(kernels, [[1.0, np.nan], [np.nan, 1.0]])
    assert np.isnan(float(kernels.sharpness(broken))) and np.isnan(float(kernels.max_stable_step(broken)))
    assert np.isnan(float(kernels.laplacian(lambda x: x.sum() * float("nan"), zeros(kernels, 2))))


@each_library
def test_curvature_names_what_does_not_fit(kernels):
    """Matrices that are no Hessian, steps and functions that do not fit are refused by name."""
    with pytest.raises(ValueError, match=r"hessian has shape \(2, 3\); expected \(D, D\)"):
        kernels.sharpness(zeros(kernels, 2, 3))
    with pytest.raises(ValueError, match="hessian is not symmetric"):
        kernels.max_stable_step(array(kernels, [[1.0, 2.0], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="h is -1.0; expected a positive number"):
        kernels.laplacian(smooth, zeros(kernels, 2), h=-1.0)
    with pytest.raises(ValueError, match=r"x has shape \(2, 2\); expected \(D,\)"):
        kernels.numerical_hessian(smooth, zeros(kernels, 2, 2))
    with pytest.raises(TypeError, match=r"f\(x\) is of type .*; expected a number"):
        kernels.laplacian(lambda x: x, zeros(kernels, 2))
