"""Losses for classes against Torch, autograd and finite differences."""

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

from course_lib import numpy_kernels, torch_kernels

scales = st.sampled_from([0.1, 1.0, 100.0])
LABEL_LOSSES = ["cross_entropy", "hinge_loss"]


def draw(seed: int, n: int, c: int, dtype: str = "float64", scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels."""
    labels = np.random.default_rng(seed + 1).integers(0, c, n)
    return normal(seed, (n, c), dtype=dtype)[0] * np.asarray(scale, dtype), labels


@each_device
@settings(max_examples=25)
@given(n=size, c=size, dtype=dtypes, seed=seeds, scale=scales, weighted=st.booleans())
def test_cross_entropy_equals_torch(n, c, dtype, seed, scale, weighted, device):
    """Values and gradients of `torch.nn.functional.cross_entropy`, also with class weights and one class."""
    logits, labels = draw(seed, n, c, dtype, scale)
    weights = np.abs(normal(seed + 2, (c,), dtype=dtype)[0]) + np.asarray(0.1, dtype) if weighted else None
    loss = function_parity("cross_entropy", logits, labels, weights, device=device)
    function_parity("cross_entropy_backward", logits, labels, weights, device=device)
    torch_weights = torch.from_numpy(weights) if weighted else None
    assert_close(loss, functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), torch_weights))


@each_device
@settings(max_examples=25)
@given(n=size, c=size, dtype=dtypes, seed=seeds, scale=scales)
def test_softmax_cross_entropy_equals_torch(n, c, dtype, seed, scale, device):
    """The fused layer gives Torch's loss and gradient for a random upstream number, twice the same."""
    logits, labels = draw(seed, n, c, dtype, scale)
    loss, gradient, dout = layer_parity("softmax_cross_entropy", logits, labels, device=device)
    leaf = torch.from_numpy(logits).requires_grad_()
    wanted = functional.cross_entropy(leaf, torch.from_numpy(labels))
    wanted.backward(torch.from_numpy(dout))
    assert_close(loss, wanted)
    assert_close(gradient, leaf.grad)


@pytest.mark.parametrize("integers", ["int8", "int32", "uint8", "int64"])
def test_labels_may_be_integers_of_any_kind(integers):
    """Narrow and unsigned labels give what 64 bits give."""
    logits, labels = draw(3, 5, 4)
    wanted = numpy_kernels.cross_entropy(logits, labels)
    assert function_parity("cross_entropy", logits, labels.astype(integers)) == wanted
    assert layer_parity("softmax_cross_entropy", logits, labels.astype(integers))[0] == pytest.approx(wanted)


@each_device
@settings(max_examples=20)
@given(n=size, c=size, dtype=dtypes, seed=seeds)
def test_soft_cross_entropy_equals_torch(n, c, dtype, seed, device):
    """Any targets, also rows that do not sum to 1, give Torch's value and gradient."""
    logits, targets = normal(seed, (n, c), (n, c), dtype=dtype)
    loss = function_parity("soft_cross_entropy", logits, targets, device=device)
    function_parity("soft_cross_entropy_backward", logits, targets, device=device)
    assert_close(loss, functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(targets)))


@each_device
@settings(max_examples=20)
@given(n=size, d=size, dtype=dtypes, seed=seeds, scale=scales)
def test_bce_with_logits_is_d_times_torch(n, d, dtype, seed, scale, device):
    """Hard and soft targets, near 0 and far out, give D times Torch's default."""
    logits = draw(seed, n, d, dtype, scale)[0]
    y = np.random.default_rng(seed).random((n, d)).round(seed % 2).astype(dtype)
    loss = function_parity("bce_with_logits", logits, y, device=device, factor=3)
    function_parity("bce_with_logits_backward", logits, y, device=device)
    wanted = functional.binary_cross_entropy_with_logits(torch.from_numpy(logits), torch.from_numpy(y))
    assert_close(loss, d * wanted, factor=3)


@each_device
@settings(max_examples=20)
@given(n=size, c=size, dtype=dtypes, seed=seeds, margin=st.sampled_from([0.5, 1.0, 3.0]))
def test_hinge_loss_is_c_times_torch(n, c, dtype, seed, margin, device):
    """Any margin gives C times `torch.nn.functional.multi_margin_loss`, and its gradient."""
    scores, labels = draw(seed, n, c, dtype)
    loss = function_parity("hinge_loss", scores, labels, margin, device=device)
    function_parity("hinge_loss_backward", scores, labels, margin, device=device)
    wanted = functional.multi_margin_loss(torch.from_numpy(scores), torch.from_numpy(labels), margin=margin)
    assert_close(loss, c * wanted)


@each_library
def test_hinge_loss_has_slope_zero_on_the_margin(kernels):
    """A class that is exactly the margin behind pushes nothing; whole numbers make the tie exact."""
    scores, labels = array(kernels, [[3.0, 2.0, 2.5]]), array(kernels, [0], "int64")
    assert kernels.hinge_loss_backward(scores, labels).tolist() == [[-1.0, 0.0, 1.0]]


@pytest.mark.parametrize("name", LABEL_LOSSES)
def test_label_losses_have_the_right_slope(name):
    """Central differences along a random direction agree with the gradient."""
    scores, labels = draw(11, 5, 4)
    gradient = getattr(numpy_kernels, f"{name}_backward")(scores, labels)
    assert_slope(lambda there: getattr(numpy_kernels, name)(there, labels), [scores], gradient)


@pytest.mark.parametrize("name", ["soft_cross_entropy", "bce_with_logits"])
def test_target_losses_have_the_right_slope(name):
    """Central differences along a random direction agree with the gradient."""
    logits, targets = normal(12, (4, 3), (4, 3))
    gradient = getattr(numpy_kernels, f"{name}_backward")(logits, targets)
    assert_slope(lambda there: getattr(numpy_kernels, name)(there, targets), [logits], gradient)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_scores_stay_quiet_and_exact(dtype):
    """Scores of 10,000 give losses of 10,000 in place of infinities, without a warning."""
    logits, labels = np.array([[1e4, 0.0], [0.0, -1e4]], dtype), np.array([1, 0])
    with np.errstate(all="raise", under="ignore"):
        assert numpy_kernels.cross_entropy(logits, labels) == 5000
        assert numpy_kernels.softmax_cross_entropy_forward(logits, labels)[0] == 5000
        assert numpy_kernels.soft_cross_entropy(logits, np.eye(2, dtype=dtype)[labels]) == 5000
        assert numpy_kernels.bce_with_logits(logits, np.zeros((2, 2), dtype)) == pytest.approx(5000, abs=1)


def test_fused_and_plain_cross_entropy_agree():
    """One formula, two ways to compute it."""
    logits, labels = draw(8, 6, 5)
    loss, cache = numpy_kernels.softmax_cross_entropy_forward(logits, labels)
    np.testing.assert_allclose(loss, numpy_kernels.cross_entropy(logits, labels))
    gradient = numpy_kernels.softmax_cross_entropy_backward(1.0, cache)
    np.testing.assert_allclose(gradient, numpy_kernels.cross_entropy_backward(logits, labels), atol=1e-15)


@pytest.mark.parametrize("name", [*LABEL_LOSSES, "softmax_cross_entropy_forward"])
def test_nan_among_the_scores_shows_in_the_loss(name):
    """One NaN makes the loss NaN."""
    scores, labels = draw(2, 3, 4)
    scores[1, 2] = np.nan
    loss = getattr(numpy_kernels, name)(scores, labels)
    assert np.isnan(loss[0] if isinstance(loss, tuple) else loss)


@each_library
@pytest.mark.parametrize("name", [*LABEL_LOSSES, "softmax_cross_entropy_forward", "hinge_loss_backward"])
def test_label_losses_name_what_does_not_fit(kernels, name):
    """Labels of a wrong kind, number or range, and scores of a wrong shape, are refused by name."""
    loss, scores = getattr(kernels, name), zeros(kernels, 3, 2)
    with pytest.raises(ValueError, match="labels go from 0 to 2; expected classes from 0 to 1"):
        loss(scores, array(kernels, [0, 1, 2], "int64"))
    with pytest.raises(ValueError, match="labels go from -1 to 1; expected classes from 0 to 1"):
        loss(scores, array(kernels, [0, 1, -1], "int64"))
    with pytest.raises(ValueError, match=r"labels has shape \(3, 1\); expected \(3,\), one class per row"):
        loss(scores, array(kernels, [[0], [1], [0]], "int64"))
    with pytest.raises(TypeError, match="labels has dtype float64; expected integers"):
        loss(scores, zeros(kernels, 3))
    with pytest.raises(TypeError, match="labels is of type list; expected a (ndarray|Tensor) of integers"):
        loss(scores, [0, 1, 0])
    with pytest.raises(ValueError, match=r"(scores|logits) has shape \(3,\); expected \(N, C\)"):
        loss(zeros(kernels, 3), array(kernels, [0, 1, 0], "int64"))
    with pytest.raises(TypeError, match="(scores|logits) is of type list"):
        loss([[0.0]], array(kernels, [0], "int64"))


@each_library
def test_other_arguments_are_named_too(kernels):
    """Margins, weights, targets, upstream numbers and caches."""
    scores, labels = zeros(kernels, 3, 2), array(kernels, [0, 1, 0], "int64")
    with pytest.raises(ValueError, match="margin is 0.0; expected a positive number"):
        kernels.hinge_loss(scores, labels, margin=0.0)
    with pytest.raises(ValueError, match=r"weights has shape \(3,\); expected \(C,\) with C = 2 as in logits"):
        kernels.cross_entropy(scores, labels, zeros(kernels, 3))
    with pytest.raises(TypeError, match="weights has dtype float32; expected float64, the dtype of logits"):
        kernels.cross_entropy_backward(scores, labels, zeros(kernels, 2, dtype="float32"))
    for name in ("soft_cross_entropy", "bce_with_logits", "bce_with_logits_backward", "soft_cross_entropy_backward"):
        with pytest.raises(ValueError, match=r"(targets|y) has shape \(3, 1\); expected \(N, [CD]\)"):
            getattr(kernels, name)(scores, zeros(kernels, 3, 1))
    with pytest.raises(TypeError, match="cache is of type Tensor|cache is of type ndarray"):
        kernels.softmax_cross_entropy_backward(1.0, scores)
    cache = kernels.softmax_cross_entropy_forward(scores, labels)[1]
    with pytest.raises(TypeError, match="dout is of type str; expected a number"):
        kernels.softmax_cross_entropy_backward("1", cache)


def test_torch_losses_stay_in_the_callers_graph():
    """The fused Torch layer can end a network that is trained by autograd."""
    logits = torch.zeros(2, 2, requires_grad=True)
    loss, _ = torch_kernels.softmax_cross_entropy_forward(logits, torch.tensor([0, 1]))
    loss.backward()
    assert logits.grad.tolist() == [[-0.25, 0.25], [0.25, -0.25]]
