"""Activation functions against Torch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
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


LAYERS = ["tanh", "relu"]
# Function and backward pass of (dout, x, ...), with its options.
FUNCTIONS = [
    ("sigmoid", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"slope": 0.3}),
    ("leaky_relu", {"slope": 1.5}),
    ("gelu", {}),
    ("gelu", {"form": "tanh"}),
    ("softmax", {}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {}),
    ("log_softmax", {"axis": 1}),
]
each_function = pytest.mark.parametrize(("name", "options"), FUNCTIONS, ids=str)


@each_device
@pytest.mark.parametrize("layer", LAYERS)
@settings(max_examples=25)
@given(x=inputs)
def test_layers_equal_torch(layer, device, x):
    """Any shape and both dtypes, also 0-d, empty and far out: values and gradients of Torch, also on a second call."""
    layer_parity(layer, x, device=device, factor=0.1)


@each_device
@each_function
@settings(max_examples=15)
@given(shape=st.tuples(size, size, size), dtype=dtypes, seed=seeds, scale=st.sampled_from([1.0, 30.0]))
def test_functions_equal_torch(name, options, device, shape, dtype, seed, scale):
    """Values and gradients of Torch for any sizes, both dtypes, near 0 and far out."""
    x, dout = normal(seed, shape, shape, dtype=dtype)
    x *= np.asarray(scale, dtype)
    function_parity(name, x, device=device, **options)
    function_parity(f"{name}_backward", dout, x, device=device, **options)


@each_function
def test_backward_is_the_slope_of_the_function(name, options):
    """Central differences along a random direction agree with the gradient."""
    x, dout = normal(3, (4, 5), (4, 5))
    function, backward = getattr(numpy_kernels, name), getattr(numpy_kernels, f"{name}_backward")
    assert_slope(lambda x: function(x, **options), [x], backward(dout, x, **options), dout)


@each_library
def test_rectifiers_have_slope_zero_or_leak_at_zero(kernels):
    """At exactly 0, of either sign, ReLU passes nothing back and leaky ReLU its small slope."""
    x, dout = array(kernels, [-0.0, 0.0]), array(kernels, [3.0, 3.0])
    assert kernels.leaky_relu_backward(dout, x, 0.5).tolist() == [1.5, 1.5]
    assert kernels.relu_backward(dout, kernels.relu_forward(x)[1]).tolist() == [0.0, 0.0]


def test_gelu_forms_differ_by_up_to_half_a_thousandth():
    """The two forms are different functions, and nowhere far apart."""
    x = np.linspace(-6, 6, 4801)
    gap = np.abs(numpy_kernels.gelu(x) - numpy_kernels.gelu(x, form="tanh")).max()
    assert 4.5e-4 < gap < 4.8e-4


def test_softmax_does_not_mind_a_shift_or_huge_scores():
    """Adding 10,000 to every score changes nothing, quietly; probabilities sum to 1."""
    (x,) = normal(4, (3, 5))
    with np.errstate(all="raise", under="ignore"):
        far = numpy_kernels.softmax(x + 1e4)
        log = numpy_kernels.log_softmax(np.array([1e30, 0.0, -1e30], dtype=np.float32))
    np.testing.assert_allclose(far, numpy_kernels.softmax(x), rtol=1e-10)
    np.testing.assert_allclose(far.sum(axis=-1), 1.0)
    np.testing.assert_array_equal(log, np.array([0.0, -1e30, -2e30], dtype=np.float32))


@each_device
@settings(max_examples=15)
@given(shape=st.lists(size, min_size=1, max_size=3), dtype=dtypes, seed=seeds)
def test_softmax_jacobian_holds_every_derivative(device, shape, dtype, seed):
    """It is what autograd collects entry by entry, and the backward pass is its product with the upstream gradient."""
    x, dout = normal(seed, tuple(shape), tuple(shape), dtype=dtype)
    jacobian = function_parity("softmax_jacobian", x, device=device)
    product = np.einsum("...ij,...i->...j", jacobian, dout)
    assert_close(product, numpy_kernels.softmax_backward(dout, x))


@pytest.mark.parametrize("name", ["gelu", "leaky_relu", "softmax", "log_softmax", "relu_forward", "tanh_forward"])
def test_activations_pass_on_nan(name):
    """One NaN comes out as NaN where Torch has it, in both references."""
    x = np.array([[np.nan, 1.0], [0.5, -1.0]])
    ours, theirs = getattr(numpy_kernels, name)(x), getattr(torch_kernels, name)(torch.from_numpy(x))
    if isinstance(ours, tuple):
        ours, theirs = ours[0], theirs[0]
    np.testing.assert_array_equal(np.isnan(ours), torch.isnan(theirs).numpy())
    assert np.isnan(ours[0, 0])


@each_library
def test_activations_name_what_does_not_fit(kernels):
    """Wrong options, axes, caches and upstream gradients are refused by name."""
    x = zeros(kernels, 3, 2)
    with pytest.raises(ValueError, match="form is 'exact'; expected 'erf' or 'tanh'"):
        kernels.gelu(x, form="exact")
    with pytest.raises(TypeError, match="slope is of type str; expected a number"):
        kernels.leaky_relu(x, slope="steep")
    with pytest.raises(ValueError, match=r"axis is 2, and x has shape \(3, 2\); expected an axis of x with entries"):
        kernels.softmax(x, axis=2)
    with pytest.raises(ValueError, match="axis is -3; expected an integer of at least -2"):
        kernels.log_softmax(x, axis=-3)
    with pytest.raises(ValueError, match=r"axis is -1, and x has shape \(3, 0\)"):
        kernels.softmax_jacobian(zeros(kernels, 3, 0))
    with pytest.raises(ValueError, match=r"dout has shape \(2, 3\); expected \(3, 2\), the shape of (x|out)"):
        kernels.gelu_backward(zeros(kernels, 2, 3), x)
    with pytest.raises(TypeError, match="x is of type list"):
        kernels.softmax_backward(x, [[0.0]])
    for layer in LAYERS:
        forward, backward = getattr(kernels, f"{layer}_forward"), getattr(kernels, f"{layer}_backward")
        expected = f"cache is of type (ndarray|Tensor); expected the second thing {layer}_forward"
        with pytest.raises(TypeError, match=expected):
            backward(x, x)
        with pytest.raises(TypeError, match="dout has dtype float32; expected float64, the dtype of out"):
            backward(zeros(kernels, 3, 2, dtype="float32"), forward(x)[1])


def test_torch_layers_stay_in_the_callers_graph():
    """A layer called on a tensor that wants a gradient hands it on, and its own backward pass still works."""
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    out, cache = torch_kernels.relu_forward(x)
    out.sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    assert torch_kernels.relu_backward(torch.ones(2), torch_kernels.relu_forward(x)[1]).tolist() == [0.0, 1.0]
    assert not torch_kernels.relu_forward(x.detach())[0].requires_grad
