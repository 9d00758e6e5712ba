"""Convolution along a text against Torch, against images and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import numpy_kernels
from course_lib.numpy_kernels import conv1d
from tests.parity import (
    assert_close,
    assert_slope,
    dtypes,
    each_device,
    each_library,
    layer_parity,
    normal,
    seeds,
    size,
    zeros,
)

small = st.integers(1, 3)


@st.composite
def problems(draw):
    """Shapes of x, w, b and the options of a convolution that fits."""
    options = {"stride": draw(small), "padding": draw(st.integers(0, 3)), "dilation": draw(small)}
    width = draw(st.integers(1, 5))
    least = max(1, options["dilation"] * (width - 1) + 1 - 2 * options["padding"])
    length, depth, filters = draw(st.integers(least, least + 6)), draw(size), draw(size)
    shapes = [(draw(small), length, depth), (filters, depth, width), (filters,)]
    return shapes[: 2 + draw(st.booleans())], options


@settings(max_examples=120, deadline=None)
@given(problem=problems(), dtype=dtypes, seed=seeds)
def test_forward_and_backward_equal_torch(problem, dtype, seed):
    """Any shape, stride, padding and dilation, with and without a bias, give Torch's output and gradients."""
    shapes, options = problem
    arrays = normal(seed, *shapes, dtype=dtype)
    _, gradients, _ = layer_parity("conv1d", *arrays, factor=10, **options)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]
    assert not any(np.shares_memory(g, a) for g in gradients for a in arrays)


@each_device
@pytest.mark.parametrize("width", [3, 4, 5])
def test_parity_on_a_real_text(device, width):
    """The widths of a text classifier in float32, on texts that are cut into several blocks, on every device."""
    arrays = normal(width, (16, 60, 128), (50, 128, width), (50,), dtype="float32")
    assert len(list(conv1d.blocks(conv1d._windows(arrays[0], width, 1, 0, 1)))) > 1
    layer_parity("conv1d", *arrays, device=device, factor=300)


def test_a_text_is_an_image_of_height_one():
    """`conv2d_forward` on the transposed text gives the same numbers."""
    x, w, b = normal(2, (3, 9, 4), (5, 4, 3), (5,))
    out, _ = numpy_kernels.conv1d_forward(x, w, b, 2, 1, 2)
    image, _ = numpy_kernels.conv2d_forward(x.transpose(0, 2, 1)[:, :, None], w[:, :, None], b, (1, 2), (0, 1), (1, 2))
    assert_close(out, image[:, :, 0].transpose(0, 2, 1))


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1, "dilation": 2}])
def test_backward_is_the_slope_of_forward(options):
    """Central differences agree with the three gradients."""
    arrays = normal(3, (2, 8, 3), (4, 3, 3), (4,))
    out, cache = numpy_kernels.conv1d_forward(*arrays, **options)
    (dout,) = normal(4, out.shape)
    gradients = numpy_kernels.conv1d_backward(dout, cache)
    assert_slope(lambda *a: numpy_kernels.conv1d_forward(*a, **options)[0], arrays, gradients, dout)


def test_what_is_not_a_number_stays_in_its_windows():
    """A NaN in word 0 reaches the first window of its text only."""
    x, w = normal(5, (2, 6, 3), (2, 3, 3))
    x[1, 0, 0] = np.nan
    out, _ = numpy_kernels.conv1d_forward(x, w)
    assert np.argwhere(np.isnan(out)).tolist() == [[1, 0, 0], [1, 0, 1]]


def wrong_calls(kernels):
    """Calls that must be refused, and what the sentence says."""
    x, w, b = zeros(kernels, 2, 7, 3), zeros(kernels, 4, 3, 5), zeros(kernels, 4)
    forward, backward = kernels.conv1d_forward, kernels.conv1d_backward
    cache = forward(x, w, b)[1]
    return [
        (forward, (x[0], w), {}, ValueError, r"x has shape \(7, 3\); expected \(N, L, D\)"),
        (forward, (x, w[:, :2]), {}, ValueError, r"w has shape \(4, 2, 5\); expected .* with D = 3 as in x"),
        (forward, (x, w, b[:3]), {}, ValueError, r"b has shape \(3,\); expected \(M,\) with M = 4 as in w"),
        (forward, (x[:, :4], w), {}, ValueError, "covers 5 words; expected at most 4"),
        (forward, (x, w), {"dilation": 2}, ValueError, "covers 9 words; expected at most 7"),
        (forward, (x, w), {"stride": (1, 1)}, TypeError, "stride is of type tuple; expected an integer"),
        (forward, (x, w), {"padding": -1}, ValueError, "padding is -1; expected an integer of at least 0"),
        (
            forward,
            (x, zeros(kernels, 4, 3, 5, dtype="float32")),
            {},
            TypeError,
            "w has dtype float32; expected float64",
        ),
        (
            backward,
            (zeros(kernels, 2, 4, 4), cache),
            {},
            ValueError,
            r"dout has shape \(2, 4, 4\); expected \(2, 3, 4\)",
        ),
        (backward, (zeros(kernels, 2, 3, 4, dtype="float32"), cache), {}, TypeError, "dout has dtype float32"),
        (backward, (x, ()), {}, TypeError, "cache is of type tuple; expected the second thing conv1d_forward returns"),
    ]


@each_library
@pytest.mark.parametrize("number", range(11))
def test_errors_name_what_does_not_fit(kernels, number):
    """Wrong shapes, dtypes and numbers are refused with the argument, what came and what was expected."""
    calls = wrong_calls(kernels)
    assert len(calls) == 11
    function, arguments, options, error, sentence = calls[number]
    with pytest.raises(error, match=sentence):
        function(*arguments, **options)
