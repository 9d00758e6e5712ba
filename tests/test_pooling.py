"""Pooling and upsampling against Torch, against loops and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import numpy_kernels, torch_kernels
from tests.parity import (
    assert_slope,
    dtypes,
    each_device,
    each_library,
    layer_parity,
    normal,
    on_device,
    seeds,
    zeros,
)

small = st.integers(1, 3)
each_pool = pytest.mark.parametrize("layer", ["maxpool2d", "avgpool2d"])


@st.composite
def problems(draw):
    """The shape of x and the options of a pooling that fits: windows that overlap, touch or leave gaps."""
    kernel = draw(st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4))))
    both = (kernel, kernel) if isinstance(kernel, int) else kernel
    options = {"kernel": kernel, "stride": draw(st.one_of(st.none(), small, st.tuples(small, small)))}
    options["padding"] = padding = tuple(draw(st.integers(0, k // 2)) for k in both)
    least = [max(1, k - 2 * p) for k, p in zip(both, padding, strict=True)]
    return (draw(small), draw(small), *(draw(st.integers(m, m + 6)) for m in least)), options


@each_pool
@settings(max_examples=100, deadline=None)
@given(problem=problems(), dtype=dtypes, seed=seeds)
def test_pooling_equals_torch(layer, problem, dtype, seed):
    """Any shape, window, stride and border give Torch's output and gradient."""
    shape, options = problem
    (x,) = normal(seed, shape, dtype=dtype)
    _, dx, _ = layer_parity(layer, x, **options)
    assert dx.shape == shape and not np.shares_memory(dx, x)


@settings(max_examples=60, deadline=None)
@given(problem=problems(), dtype=dtypes, seed=seeds)
def test_ties_go_where_torch_sends_them(problem, dtype, seed):
    """Of equal maxima the first in reading order gets the whole gradient, windows overlapping or not."""
    shape, options = problem
    x = np.random.default_rng(seed).integers(0, 3, shape).astype(dtype)
    layer_parity("maxpool2d", x, **options)


@each_device
@each_pool
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_parity_on_a_real_map(device, layer, kernel, stride, padding):
    """The windows of real networks in float32, on every device."""
    (x,) = normal(1, (4, 8, 32, 30), dtype="float32")
    layer_parity(layer, x, device=device, kernel=kernel, stride=stride, padding=padding)


@each_device
def test_global_average_and_upsampling_parity(device):
    """Both, on every device, with factors that differ by axis."""
    (x,) = normal(1, (3, 5, 7, 4), dtype="float32")
    layer_parity("global_avgpool2d", x, device=device)
    layer_parity("upsample_nearest", x, device=device)
    layer_parity("upsample_nearest", x, (3, 1), device=device)


@settings(max_examples=40, deadline=None)
@given(shape=st.tuples(small, small, small, small), dtype=dtypes, seed=seeds)
def test_global_average_is_the_mean_of_each_channel(shape, dtype, seed):
    """Any shape, both dtypes, forward and backward."""
    (x,) = normal(seed, shape, dtype=dtype)
    out, dx, _ = layer_parity("global_avgpool2d", x)
    np.testing.assert_allclose(out, x.reshape(*shape[:2], -1).sum(2) / (shape[2] * shape[3]), rtol=1e-4, atol=1e-6)
    assert dx.dtype == dtype


@settings(max_examples=60, deadline=None)
@given(shape=st.tuples(small, small, small, small), factor=st.tuples(small, small), dtype=dtypes, seed=seeds)
def test_upsampling_equals_torch(shape, factor, dtype, seed):
    """Any shape and factor give Torch's nearest neighbours and their gradient."""
    (x,) = normal(seed, shape, dtype=dtype)
    out, _, _ = layer_parity("upsample_nearest", x, factor)
    size = tuple(f * s for f, s in zip(factor, shape[2:], strict=True))
    wanted = torch.nn.functional.interpolate(torch.from_numpy(x), size=size, mode="nearest")
    np.testing.assert_array_equal(out, wanted)


@each_library
def test_upsampling_by_41_takes_the_right_neighbour(kernels):
    """Where Torch's own interpolation rounds to a wrong neighbour, both kernels stay exact."""
    x = zeros(kernels, 1, 1, 1, 3) + 1
    x[..., 1] = 2
    out = np.asarray(kernels.upsample_nearest_forward(x, (1, 41))[0])
    np.testing.assert_array_equal(out.ravel(), np.repeat([1.0, 2.0, 1.0], 41))


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        ("maxpool2d", {"kernel": 3, "stride": 2, "padding": 1}),
        ("avgpool2d", {"kernel": (2, 3), "stride": 1, "padding": (1, 0)}),
        ("global_avgpool2d", {}),
        ("upsample_nearest", {"factor": (2, 3)}),
    ],
)
def test_backward_is_the_slope_of_forward(layer, options):
    """Central differences agree with the gradient."""
    arrays = normal(3, (2, 2, 5, 6))
    forward, backward = (getattr(numpy_kernels, f"{layer}_{way}") for way in ("forward", "backward"))
    out, cache = forward(*arrays, **options)
    (dout,) = normal(4, out.shape)
    assert_slope(lambda x: forward(x, **options)[0], arrays, backward(dout, cache), dout)


def test_maximum_of_negative_numbers_ignores_the_border():
    """The border of max pooling is minus infinity, not zero."""
    out, _ = numpy_kernels.maxpool2d_forward(np.full((1, 1, 4, 4), -5.0), 3, 2, 1)
    np.testing.assert_array_equal(out, np.full((1, 1, 2, 2), -5.0))


def test_average_counts_the_border():
    """The zeros of the border are in the mean: a corner of ones averages four ninths."""
    out, _ = numpy_kernels.avgpool2d_forward(np.ones((1, 1, 4, 4)), 3, 2, 1)
    assert out[0, 0, 0, 0] == pytest.approx(4 / 9)


@each_pool
def test_what_is_not_a_number_is_passed_on(layer):
    """A NaN in a window makes its output NaN, in both kernels, and no other."""
    (x,) = normal(5, (1, 1, 4, 4))
    x[0, 0, 1, 1] = np.nan
    for kernels, array in ((numpy_kernels, x), (torch_kernels, on_device(x, "cpu"))):
        out = np.asarray(getattr(kernels, f"{layer}_forward")(array, 2)[0])
        assert np.argwhere(np.isnan(out)).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_an_infinite_gradient_reaches_the_maximum_only(number):
    """What is not finite in dout goes to one entry; the others of the window keep an exact zero."""
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    dout = np.zeros((1, 1, 2, 2))
    dout[0, 0, 0, 1] = number
    dx = numpy_kernels.maxpool2d_backward(dout, numpy_kernels.maxpool2d_forward(x, 2)[1])
    assert np.argwhere(dx != 0).tolist() == [[0, 0, 1, 3]]


def test_windows_of_more_than_256_entries_are_told_apart():
    """The place of the maximum is kept whatever the size of the window."""
    x = np.zeros((1, 1, 2, 300))
    x[0, 0, 1, 290] = 1
    dx = numpy_kernels.maxpool2d_backward(np.ones((1, 1, 1, 1)), numpy_kernels.maxpool2d_forward(x, (2, 300))[1])
    assert np.argwhere(dx).tolist() == [[0, 0, 1, 290]]


def wrong_calls(kernels):
    """Calls that must be refused, and what the sentence says."""
    x = zeros(kernels, 2, 3, 5, 6)
    single = zeros(kernels, 2, 3, 2, 3, dtype="float32")
    calls = []
    for layer in ("maxpool2d", "avgpool2d"):
        forward, backward = getattr(kernels, f"{layer}_forward"), getattr(kernels, f"{layer}_backward")
        cache = forward(x, 2)[1]
        calls += [
            (forward, (x[0], 2), ValueError, r"x has shape \(3, 5, 6\); expected \(N, C, H, W\)"),
            (forward, (x, 6), ValueError, "covers 6 rows; expected at most 5"),
            (forward, (x, 0), ValueError, "kernel is 0; expected an integer of at least 1"),
            (forward, (x, 2, 0), ValueError, "stride is 0; expected"),
            (forward, (x, (3, 2), 1, (1, 2)), ValueError, r"padding is \(1, 2\); expected at most half the kernel"),
            (forward, (x, 2.0), TypeError, "kernel is of type float; expected an integer"),
            (backward, (x, cache), ValueError, r"dout has shape \(2, 3, 5, 6\); expected \(2, 3, 2, 3\)"),
            (backward, (single, cache), TypeError, "dout has dtype float32; expected float64"),
            (backward, (x, x), TypeError, f"expected the second thing {layer}_forward returns"),
        ]
    average, nearest = kernels.global_avgpool2d_backward, kernels.upsample_nearest_backward
    return [
        *calls,
        (kernels.global_avgpool2d_forward, (x[0],), ValueError, r"x has shape \(3, 5, 6\)"),
        (average, (x, kernels.global_avgpool2d_forward(x)[1]), ValueError, r"dout has shape .* expected \(2, 3\)"),
        (average, (x, None), TypeError, "global_avgpool2d_forward returns"),
        (kernels.upsample_nearest_forward, (x, 0), ValueError, "factor is 0; expected an integer of at least 1"),
        (kernels.upsample_nearest_forward, ("x",), TypeError, "x is of type str"),
        (nearest, (x, kernels.upsample_nearest_forward(x)[1]), ValueError, r"expected \(2, 3, 10, 12\)"),
        (nearest, (x, None), TypeError, "upsample_nearest_forward returns"),
    ]


@each_library
@pytest.mark.parametrize("number", range(25))
def test_errors_name_what_does_not_fit(kernels, number):
    """Wrong shapes, dtypes and numbers are refused with the argument, what came and what was expected."""
    calls = wrong_calls(kernels)
    assert len(calls) == 25
    function, arguments, error, sentence = calls[number]
    with pytest.raises(error, match=sentence):
        function(*arguments)
