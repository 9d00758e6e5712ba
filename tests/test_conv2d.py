"""Convolution over images against Torch, its own loops and finite differences."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from course_lib import numpy_kernels, torch_kernels
from course_lib.numpy_kernels import conv2d
from tests.parity import (
    assert_close,
    assert_slope,
    dtypes,
    each_device,
    each_library,
    function_parity,
    layer_parity,
    normal,
    on_device,
    seeds,
    zeros,
)

small = st.integers(1, 3)
pairs = st.one_of(small, st.tuples(small, small))
borders = st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3)))


@st.composite
def problems(draw):
    """Shapes of x, w, b and the options of a convolution that fits; also sizes of one and windows that leave a rest."""
    options = {name: draw(pairs) for name in ("stride", "dilation")} | {"padding": draw(borders), "groups": draw(small)}
    kernel = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    size = []
    for axis in range(2):
        dilation, padding = (v if isinstance(v, int) else v[axis] for v in (options["dilation"], options["padding"]))
        least = max(1, dilation * (kernel[axis] - 1) + 1 - 2 * padding)
        size.append(draw(st.integers(least, least + 5)))
    groups = options["groups"]
    n, channels, kernels = draw(small), draw(small), groups * draw(small)
    shapes = [(n, groups * channels, *size), (kernels, channels, *kernel), (kernels,)]
    return shapes[: 2 + draw(st.booleans())], options


@settings(max_examples=120, deadline=None)
@given(problem=problems(), dtype=dtypes, seed=seeds)
def test_forward_and_backward_equal_torch(problem, dtype, seed):
    """Any shape, stride, padding, dilation and groups, with and without a bias, give Torch's output and gradients."""
    shapes, options = problem
    arrays = normal(seed, *shapes, dtype=dtype)
    _, gradients, _ = layer_parity("conv2d", *arrays, factor=20, **options)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]


@settings(max_examples=60, deadline=None)
@given(problem=problems(), dtype=dtypes, seed=seeds)
def test_loops_are_the_definition(problem, dtype, seed):
    """The loops, Torch and the matrix products give the same numbers."""
    shapes, options = problem
    arrays = normal(seed, *shapes, dtype=dtype)
    out = function_parity("conv2d_loops", *arrays, factor=20, **options)
    assert_close(numpy_kernels.conv2d_forward(*arrays, **options)[0], out, 20)


@settings(max_examples=60, deadline=None)
@given(problem=problems(), dtype=dtypes, seed=seeds)
def test_im2col_equals_unfold(problem, dtype, seed):
    """The columns are Torch's, in a new array, and their number is the product of the output sizes."""
    ((n, c, *size), (_, _, *kernel), *_), options = problem
    del options["groups"]
    (x,) = normal(seed, (n, c, *size), dtype=dtype)
    columns = function_parity("im2col", x, tuple(kernel), **options)
    assert not np.shares_memory(columns, x) and columns.flags.writeable
    per_axis = [[v if isinstance(v, int) else v[axis] for v in options.values()] for axis in range(2)]
    names = list(options)
    sizes = [
        numpy_kernels.conv_output_size(size[a], kernel[a], **dict(zip(names, per_axis[a], strict=True))) for a in (0, 1)
    ]
    assert columns.shape == (n, c * kernel[0] * kernel[1], sizes[0] * sizes[1])


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 2}, {"dilation": (1, 2), "padding": 1, "groups": 2}])
def test_backward_is_the_slope_of_forward(options):
    """Central differences agree with the three gradients."""
    groups = options.get("groups", 1)
    arrays = normal(3, (2, 4, 6, 7), (6, 4 // groups, 3, 2), (6,))
    out, cache = numpy_kernels.conv2d_forward(*arrays, **options)
    (dout,) = normal(4, out.shape)
    gradients = numpy_kernels.conv2d_backward(dout, cache)
    assert_slope(lambda *a: numpy_kernels.conv2d_forward(*a, **options)[0], arrays, gradients, dout)


@each_device
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kernels", "stride"), [(12, 1), (24, 1), (24, 2)])
def test_parity_on_a_real_layer(device, dtype, kernels, stride):
    """A layer of a real size, cut into several blocks of images, gives Torch's numbers on every device."""
    arrays = normal(5, (9, 16, 32, 30), (kernels, 16, 3, 3), (kernels,), dtype=dtype)
    assert len(list(conv2d.blocks(conv2d._windows(arrays[0], conv2d.check_windows((32, 30), 3, stride, 1, 1))))) > 1
    layer_parity("conv2d", *arrays, device=device, factor=300, stride=stride, padding=1)


@each_library
@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradient_of_the_input_can_be_left_out(kernels, stride):
    """Without dx the other gradients are the same, in both kernels."""
    arrays = normal(9, (2, 3, 6, 6), (2, 3, 3, 3), (2,))
    out, cache = kernels.conv2d_forward(*(arrays if kernels is numpy_kernels else on_device(arrays, "cpu")), stride)
    _, *wanted = kernels.conv2d_backward(out, cache)
    dx, *others = kernels.conv2d_backward(out, cache, input_gradient=False)
    assert dx is None
    assert_close(others, wanted)
    with pytest.raises(TypeError, match="cache is of type NoneType; .* conv2d_forward returns"):
        kernels.conv2d_backward(out, None, input_gradient=False)


@each_device
def test_depthwise_parity(device):
    """With as many groups as channels every channel has its own kernels."""
    layer_parity("conv2d", *normal(6, (2, 5, 8, 9), (10, 1, 3, 3), (10,)), device=device, factor=20, groups=5)


def test_forward_accepts_views():
    """Arrays that are not contiguous, as a transposed image is, give the same numbers."""
    x, w = normal(7, (2, 6, 7, 3), (3, 2, 3, 4))
    x, w = x.transpose(0, 3, 1, 2), w.transpose(3, 0, 1, 2)
    out, cache = numpy_kernels.conv2d_forward(x, w)
    same, same_cache = numpy_kernels.conv2d_forward(x.copy(order="C"), w.copy(order="C"))
    assert_close(out, same)
    dout = np.ones(out.shape[::-1]).T
    assert_close(numpy_kernels.conv2d_backward(dout, cache), numpy_kernels.conv2d_backward(dout.copy(), same_cache))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_not_finite_stays_in_its_windows(number, place):
    """A NaN or an infinity reaches the outputs and gradients whose windows hold it, and no others."""
    x, w = normal(8, (2, 1, 5, 5), (2, 1, 3, 3))
    dout = np.ones((2, 2, 3, 3))
    (x, dout)[place][1, 0, 0, 0] = number
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        out, cache = numpy_kernels.conv2d_forward(x, w)
        dx, _ = numpy_kernels.conv2d_backward(dout, cache)
    hit, dhit = ~np.isfinite(out), ~np.isfinite(dx)
    assert np.argwhere(hit).tolist() == ([[1, 0, 0, 0], [1, 1, 0, 0]] if place == 0 else [])
    assert np.argwhere(dhit).tolist() == ([] if place == 0 else [[1, 0, i, j] for i in range(3) for j in range(3)])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 3))
def test_output_size_is_counted_by_torch(size, kernel, stride, padding, dilation):
    """The formula gives what Torch makes, and refuses what Torch refuses."""
    arguments = size, kernel, stride, padding, dilation
    if dilation * (kernel - 1) + 1 > size + 2 * padding:
        for kernels in (numpy_kernels, torch_kernels):
            with pytest.raises(ValueError, match="the window covers .* entries; expected at most"):
                kernels.conv_output_size(*arguments)
        return
    made = functional.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), None, stride, padding, dilation)
    assert numpy_kernels.conv_output_size(*arguments) == made.shape[2] == torch_kernels.conv_output_size(*arguments)


@settings(max_examples=40, deadline=None)
@given(st.tuples(small, small, small, small), borders, st.sampled_from([0, 1.5, -np.inf]), dtypes, seeds)
def test_pad2d_equals_torch(shape, padding, value, dtype, seed):
    """Any border and filling, in a new array of the same dtype."""
    (x,) = normal(seed, shape, dtype=dtype)
    out = function_parity("pad2d", x, padding, value)
    assert not np.shares_memory(out, x)


def wrong_calls(kernels):
    """Calls that must be refused, and what the sentence says."""
    x, w, b = zeros(kernels, 2, 4, 5, 6), zeros(kernels, 6, 4, 3, 3), zeros(kernels, 6)
    forward = kernels.conv2d_forward
    cache = forward(x, w, b)[1]
    return [
        (forward, (x[0], w), {}, ValueError, r"x has shape \(4, 5, 6\); expected \(N, C, H, W\)"),
        (
            forward,
            (x, w[:, :3]),
            {},
            ValueError,
            r"w has shape \(6, 3, 3, 3\); expected .* with D = 4, the channels of x",
        ),
        (forward, (x, w, b[:5]), {}, ValueError, r"b has shape \(5,\); expected \(K,\) with K = 6 as in w"),
        (forward, (x, zeros(kernels, 6, 4, 6, 3)), {}, ValueError, "covers 6 rows; expected at most 5, the rows"),
        (forward, (x, w), {"dilation": (1, 3)}, ValueError, "covers 7 columns; expected at most 6"),
        (forward, (x, w), {"groups": 3}, ValueError, "groups is 3; expected a divisor of 4, the channels of x"),
        (forward, (x, w[:5, :2]), {"groups": 2}, ValueError, "groups is 2; expected a divisor of 5, the outputs of w"),
        (forward, (x, w), {"stride": 0}, ValueError, "stride is 0; expected an integer of at least 1"),
        (forward, (x, w), {"padding": (0, -1)}, ValueError, r"padding\[1\] is -1; expected an integer of at least 0"),
        (forward, (x, w), {"padding": (1, 1, 1)}, ValueError, "padding has 3 entries; expected an integer or a pair"),
        (forward, (x, w), {"stride": 1.0}, TypeError, "stride is of type float; expected an integer"),
        (
            forward,
            (x, zeros(kernels, 6, 4, 3, 3, dtype="float32")),
            {},
            TypeError,
            "w has dtype float32; expected float64",
        ),
        (forward, ([[1.0]], w), {}, TypeError, "x is of type list"),
        (kernels.conv2d_loops, (x, w[:, :3]), {}, ValueError, "w has shape"),
        (
            kernels.conv2d_backward,
            (zeros(kernels, 2, 6, 3, 3), cache),
            {},
            ValueError,
            r"dout has shape \(2, 6, 3, 3\)",
        ),
        (
            kernels.conv2d_backward,
            (zeros(kernels, 2, 6, 3, 4, dtype="float32"), cache),
            {},
            TypeError,
            "dout has dtype",
        ),
        (kernels.conv2d_backward, (x, None), {}, TypeError, "cache is of type NoneType; .* conv2d_forward returns"),
        (kernels.im2col, (x, 7), {}, ValueError, "covers 7 rows; expected at most 5"),
        (kernels.pad2d, (x, -1), {}, ValueError, "padding is -1; expected"),
        (kernels.pad2d, (x, 1, "0"), {}, TypeError, "value is of type str; expected a number"),
        (kernels.conv_output_size, (0, 1), {}, ValueError, "size is 0; expected"),
        (kernels.conv_output_size, (5, 2.0), {}, TypeError, "kernel is of type float"),
    ]


@each_library
@pytest.mark.parametrize("number", range(22))
def test_errors_name_what_does_not_fit(kernels, number):
    """Wrong shapes, dtypes and numbers are refused with the argument, what came and what was expected."""
    calls = wrong_calls(kernels)
    assert len(calls) == 22
    function, arguments, options, error, sentence = calls[number]
    with pytest.raises(error, match=sentence):
        function(*arguments, **options)
