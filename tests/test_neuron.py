"""One neuron against autograd, finite differences and the textbook."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import numpy_kernels, torch_kernels

dtypes = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}


def pupils(seed: int, n: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Marks, admissions, weights and a bias."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(n, 2)).astype(dtype), rng.normal(size=2).astype(dtype)
    return x, rng.integers(0, 2, n).astype(dtype), w, float(rng.normal())


def error(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> float:
    """The squared error, summed over the pupils, by its definition."""
    return float(np.sum((y - 1 / (1 + np.exp(-(x @ w + b)))) ** 2))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(n=st.integers(1, 8), dtype=dtypes, seed=st.integers(0, 99))
def test_neuron_gradient_equals_autograd(n, dtype, seed):
    """Both kernels give autograd's gradient of the summed squared error, in the dtype of the marks."""
    x, y, w, b = pupils(seed, n, dtype)
    leaf, bias = torch.from_numpy(w.copy()).requires_grad_(), torch.tensor(b, dtype=getattr(torch, dtype))
    bias.requires_grad_()
    s = 1 / (1 + torch.exp(-(torch.from_numpy(x) @ leaf + bias)))
    ((torch.from_numpy(y) - s) ** 2).sum().backward()
    dw, db = numpy_kernels.neuron_gradient(x, y, w, b)
    theirs = torch_kernels.neuron_gradient(*map(torch.from_numpy, (x, y, w)), b)
    assert dw.shape == (2,) and np.ndim(db) == 0 and dw.dtype == db.dtype == dtype
    for found_dw, found_db in ((dw, db), theirs):
        np.testing.assert_allclose(found_dw, leaf.grad, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
        np.testing.assert_allclose(found_db, bias.grad, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_neuron_gradient_is_the_slope_of_the_error():
    """Central differences in each weight and in the bias agree with the gradient."""
    x, y, w, b = pupils(5, 6)
    dw, db = numpy_kernels.neuron_gradient(x, y, w, b)
    h = 1e-5
    slopes = [(error(x, y, w + h * unit, b) - error(x, y, w - h * unit, b)) / (2 * h) for unit in np.eye(2)]
    np.testing.assert_allclose(dw, slopes, rtol=1e-7)
    np.testing.assert_allclose(db, (error(x, y, w, b + h) - error(x, y, w, b - h)) / (2 * h), rtol=1e-7)


def test_neuron_gradient_sums_over_pupils():
    """Twice the same class gives twice the gradient."""
    x, y, w, b = pupils(7, 3)
    once, twice = (numpy_kernels.neuron_gradient(np.tile(x, (k, 1)), np.tile(y, k), w, b) for k in (1, 2))
    np.testing.assert_allclose(twice[0], 2 * once[0])
    np.testing.assert_allclose(twice[1], 2 * once[1])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(d=st.integers(1, 6), y=st.integers(0, 1), dtype=dtypes, seed=st.integers(0, 99))
def test_perceptron_update_moves_only_after_a_mistake(d, y, dtype, seed):
    """A right answer changes nothing; a wrong one moves by lr times the input, towards the label, in both kernels."""
    rng = np.random.default_rng(seed)
    x, w, b, lr = rng.normal(size=d).astype(dtype), rng.normal(size=d).astype(dtype), float(rng.normal()), 0.25
    answer = int(float(w.astype(float) @ x.astype(float)) + b > 0)
    new_w, new_b = numpy_kernels.perceptron_update(x, y, w, b, lr)
    their_w, their_b = torch_kernels.perceptron_update(torch.from_numpy(x), y, torch.from_numpy(w), b, lr)
    assert new_w.dtype == dtype and new_w is not w and type(new_b) is type(their_b) is float
    np.testing.assert_allclose(new_w, w + lr * (y - answer) * x, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    np.testing.assert_allclose(their_w.numpy(), new_w, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert new_b == pytest.approx(b + lr * (y - answer)) == pytest.approx(their_b)


@pytest.mark.parametrize("kernels", ["numpy", "torch"])
def test_perceptron_tie_counts_as_zero(kernels):
    """With w @ x + b exactly 0 the answer is 0: label 0 leaves everything, label 1 moves it."""
    make, update = (
        (np.array, numpy_kernels.perceptron_update)
        if kernels == "numpy"
        else (torch.tensor, torch_kernels.perceptron_update)
    )
    x, w = make([1.0, 2.0]), make([2.0, -1.0])
    assert update(x, 0, w, 0.0, 0.5)[0].tolist() == [2.0, -1.0]
    assert update(x, 1, w, 0.0, 0.5)[0].tolist() == [2.5, 0.0]


def test_perceptron_learns_what_one_line_can_do():
    """AND is learned in a few rounds; XOR never is."""
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    for labels, reachable in (([0, 0, 0, 1], True), ([0, 1, 1, 0], False)):
        w, b = np.zeros(2), 0.0
        for _ in range(30):
            for x, y in zip(corners, labels, strict=True):
                w, b = numpy_kernels.perceptron_update(x, y, w, b, 1.0)
        assert ((corners @ w + b > 0).astype(int).tolist() == labels) is reachable


@pytest.mark.parametrize("kernels", [numpy_kernels, torch_kernels], ids=["numpy", "torch"])
def test_neuron_kernels_name_what_does_not_fit(kernels):
    """Wrong shapes, labels, rates and types are refused by name."""
    zeros = np.zeros if kernels is numpy_kernels else torch.zeros
    with pytest.raises(ValueError, match=r"x has shape \(4, 3\); expected \(N, 2\)"):
        kernels.neuron_gradient(zeros((4, 3)), zeros(4), zeros(2), 0.0)
    with pytest.raises(ValueError, match=r"y has shape \(3,\); expected \(N,\) with N = 4 as in x"):
        kernels.neuron_gradient(zeros((4, 2)), zeros(3), zeros(2), 0.0)
    with pytest.raises(TypeError, match="b is of type (ndarray|Tensor) of shape .* expected a number"):
        kernels.neuron_gradient(zeros((4, 2)), zeros(4), zeros(2), zeros(1))
    with pytest.raises(ValueError, match="b is nan; expected a finite number"):
        kernels.neuron_gradient(zeros((4, 2)), zeros(4), zeros(2), float("nan"))
    with pytest.raises(ValueError, match="y is 2; expected 0 or 1"):
        kernels.perceptron_update(zeros(2), 2, zeros(2), 0.0, 0.1)
    with pytest.raises(ValueError, match="lr is -0.1; expected a positive number"):
        kernels.perceptron_update(zeros(2), 1, zeros(2), 0.0, -0.1)
    with pytest.raises(TypeError, match="lr is of type str; expected a number"):
        kernels.perceptron_update(zeros(2), 1, zeros(2), 0.0, "fast")
