"""Penalties against Torch's autograd, weight decay and renorm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    assert_slope,
    assert_unchanged,
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

PAIRS = [("l2_penalty", "l2_gradient"), ("l1_penalty", "l1_subgradient"), ("elastic_penalty", "elastic_subgradient")]
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)


@each_device
@pytest.mark.parametrize(("penalty", "gradient"), PAIRS)
@settings(max_examples=20)
@given(shape=shapes, dtype=dtypes, seed=seeds, strength=st.sampled_from([0.0, 0.01, 2.0]))
def test_penalties_agree_with_autograd(penalty, gradient, shape, dtype, seed, strength, device):
    """Values and gradients of any shape agree, with zeros among the weights."""
    w = np.asarray(normal(seed, shape, dtype=dtype)[0], dtype)
    w = np.asarray(w * (np.abs(w) > 0.3), dtype)
    function_parity(penalty, w, strength, device=device)
    function_parity(gradient, w, strength, device=device)


@pytest.mark.parametrize(("penalty", "gradient"), PAIRS)
def test_gradients_are_the_slopes(penalty, gradient):
    """Central differences along a random direction agree with the gradient."""
    (w,) = normal(2, (3, 4))
    function = getattr(numpy_kernels, penalty)
    assert_slope(lambda there: function(there, 0.7), [w], getattr(numpy_kernels, gradient)(w, 0.7))


def test_l2_gradient_is_the_weight_decay_of_sgd():
    """One step of `torch.optim.SGD` with weight decay and no other gradient moves by lr times the gradient."""
    (w,) = normal(3, (3, 4))
    leaf = torch.from_numpy(w.copy()).requires_grad_()
    leaf.grad = torch.zeros_like(leaf)
    torch.optim.SGD([leaf], lr=0.1, weight_decay=0.3).step()
    np.testing.assert_allclose(w - 0.1 * numpy_kernels.l2_gradient(w, 0.3), leaf.detach())


@pytest.mark.parametrize(("ratio", "like"), [(0.0, "l2"), (1.0, "l1")])
def test_elastic_reaches_both_ends(ratio, like):
    """With ratio 0 it is the L2 penalty, with ratio 1 the L1 penalty."""
    (w,) = normal(4, (5,))
    subgradient = {"l2": numpy_kernels.l2_gradient, "l1": numpy_kernels.l1_subgradient}[like]
    ends = function_parity("elastic_penalty", w, 0.3, ratio), function_parity("elastic_subgradient", w, 0.3, ratio)
    np.testing.assert_allclose(ends[0], getattr(numpy_kernels, f"{like}_penalty")(w, 0.3))
    np.testing.assert_allclose(ends[1], subgradient(w, 0.3))


@each_device
@settings(max_examples=20)
@given(m=size, d=size, dtype=dtypes, seed=seeds, limit=st.sampled_from([0.5, 2.0, 100.0]))
def test_max_norm_equals_torch_renorm(m, d, dtype, seed, limit, device):
    """Rows above the limit come down to it as in `torch.renorm`, the others stay to the last bit."""
    (w,) = normal(seed, (m, d), dtype=dtype)
    out = function_parity("max_norm", w, limit, device=device)
    np.testing.assert_allclose(out, torch.renorm(torch.from_numpy(w), 2, 0, limit).numpy(), rtol=1e-5, atol=1e-6)
    short = np.linalg.norm(w, axis=1) < 0.999 * limit
    assert_unchanged(out[short], w[short])


def test_max_norm_leaves_rows_of_zeros():
    """A unit without weights stays, quietly."""
    assert not numpy_kernels.max_norm(np.zeros((2, 3)), 1.0).any()


@each_library
def test_penalties_name_what_does_not_fit(kernels):
    """Strengths, ratios, limits and weights of a wrong kind are refused by name."""
    w = zeros(kernels, 2, 3)
    for name in (name for pair in PAIRS for name in pair):
        with pytest.raises(ValueError, match="strength is -1.0; expected 0 or more"):
            getattr(kernels, name)(w, -1.0)
        with pytest.raises(TypeError, match="w is of type list"):
            getattr(kernels, name)([1.0], 1.0)
        with pytest.raises(TypeError, match="strength is of type NoneType; expected a number"):
            getattr(kernels, name)(w, None)
    for name in PAIRS[2]:
        with pytest.raises(ValueError, match="ratio is 1.5; expected a number from 0 to 1"):
            getattr(kernels, name)(w, 1.0, 1.5)
    with pytest.raises(ValueError, match="limit is 0.0; expected a positive number"):
        kernels.max_norm(w, 0)
    with pytest.raises(ValueError, match=r"w has shape \(3,\); expected \(M, D\)"):
        kernels.max_norm(zeros(kernels, 3), 1.0)
