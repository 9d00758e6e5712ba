"""Words as vectors, and the maximum over a text, against Torch and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import numpy_kernels, torch_kernels
from tests.parity import (
    assert_close,
    assert_slope,
    dtypes,
    each_device,
    each_library,
    layer_parity,
    normal,
    on_device,
    seeds,
    size,
    zeros,
)

shapes = st.lists(size, min_size=0, max_size=3).map(tuple)
integers = st.sampled_from(["int64", "int32", "uint8"])


def numbers(kernels, *values, dtype="int64"):
    """Integers for NumPy or Torch kernels."""
    array = np.array(values, dtype)
    return array if kernels is numpy_kernels else torch.from_numpy(array)


@settings(max_examples=80, deadline=None)
@given(shape=shapes, words=size, depth=size, dtype=dtypes, kind=integers, seed=seeds)
def test_embedding_equals_torch(shape, words, depth, dtype, kind, seed):
    """Any shape and kind of word numbers, with repetitions, give Torch's vectors and summed gradients."""
    (w,) = normal(seed, (words, depth), dtype=dtype)
    ids = np.random.default_rng(seed).integers(0, words, shape).astype(kind)
    out, dw, _ = layer_parity("embedding", np.asarray(ids), w)
    assert out.shape == (*shape, depth) and dw.shape == w.shape
    assert not np.shares_memory(out, w)


@each_device
def test_embedding_parity_on_real_texts(device):
    """Texts of frequent and rare words in float32, on every device."""
    (w,) = normal(1, (500, 32), dtype="float32")
    ids = np.minimum(np.random.default_rng(2).zipf(1.4, (32, 50)), 499)
    layer_parity("embedding", ids, w, device=device, factor=100)


def test_repeated_words_accumulate():
    """The gradient of a word that came often is the sum, and zero for one that did not come."""
    (dout,) = normal(3, (2, 3, 4))
    ids = np.array([[1, 1, 3], [3, 1, 0]])
    dw = numpy_kernels.embedding_backward(dout, numpy_kernels.embedding_forward(ids, np.zeros((5, 4)))[1])
    for word in range(5):
        assert_close(dw[word], dout[ids == word].sum(axis=0))


def test_embedding_backward_is_the_slope_of_forward():
    """Central differences agree with the gradient of the vectors."""
    arrays, ids = normal(4, (5, 3)), np.array([[0, 4, 4], [2, 4, 0]])
    out, cache = numpy_kernels.embedding_forward(ids, *arrays)
    (dout,) = normal(5, out.shape)
    dw = numpy_kernels.embedding_backward(dout, cache)
    assert_slope(lambda w: numpy_kernels.embedding_forward(ids, w)[0], arrays, dw, dout)


def test_what_is_not_finite_stays_with_its_word():
    """A NaN or an infinity in dout reaches its own word's vector only."""
    dout = np.array([[1.0, np.nan], [np.inf, 2.0]])
    dw = numpy_kernels.embedding_backward(dout, numpy_kernels.embedding_forward(np.array([2, 0]), np.zeros((3, 2)))[1])
    np.testing.assert_array_equal(dw, [[np.inf, 2.0], [0.0, 0.0], [1.0, np.nan]])


@settings(max_examples=80, deadline=None)
@given(shape=st.tuples(size, size, size), masked=st.booleans(), dtype=dtypes, seed=seeds)
def test_max_over_time_equals_torch(shape, masked, dtype, seed):
    """Any shape, with ties and with a mask, gives Torch's maxima and gradient, none of it in the padding."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, shape).astype(dtype)
    mask = rng.random(shape[:2]) < 0.5 if masked else None
    if masked:
        mask[:, rng.integers(shape[1])] = True
    out, dx, dout = layer_parity("max_over_time", x, mask)
    seen = x if mask is None else np.where(mask[..., None], x, -99)
    np.testing.assert_array_equal(out, seen.max(axis=1))
    assert_close(dx.sum(axis=1), dout)
    assert not masked or not dx[~mask].any()


@each_device
def test_max_over_time_parity_on_every_device(device):
    """Many ties and a padding mask in float32."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 4, (16, 40, 30)).astype("float32")
    layer_parity("max_over_time", x, np.arange(40) < rng.integers(1, 41, (16, 1)), device=device)


def test_of_equal_maxima_the_first_gets_the_gradient():
    """Later ones, and those the mask hides, get nothing."""
    x = np.array([[[3.0], [1.0], [3.0]], [[3.0], [2.0], [2.0]]])
    mask = np.array([[True, True, True], [False, True, True]])
    dx = numpy_kernels.max_over_time_backward(np.ones((2, 1)), numpy_kernels.max_over_time_forward(x, mask)[1])
    assert dx[..., 0].tolist() == [[1, 0, 0], [0, 1, 0]]


def test_max_over_time_backward_is_the_slope_of_forward():
    """Central differences agree with the gradient."""
    arrays, mask = normal(6, (3, 5, 4)), np.arange(5) < np.array([[5], [3], [1]])
    out, cache = numpy_kernels.max_over_time_forward(*arrays, mask)
    (dout,) = normal(7, out.shape)
    dx = numpy_kernels.max_over_time_backward(dout, cache)
    assert_slope(lambda x: numpy_kernels.max_over_time_forward(x, mask)[0], arrays, dx, dout)


def test_padding_that_is_not_a_number_does_not_count():
    """A NaN under the mask is not seen; one that counts is, in both kernels."""
    x = np.array([[[1.0, 5.0], [np.nan, 2.0]]])
    for kernels, array in ((numpy_kernels, x), (torch_kernels, on_device(x, "cpu"))):
        assert np.asarray(kernels.max_over_time_forward(array, _mask(kernels, True, False))[0]).tolist() == [[1, 5]]
        np.testing.assert_array_equal(kernels.max_over_time_forward(array)[0], [[np.nan, 5]])


def test_a_text_of_minus_infinities_sends_nothing_to_the_padding():
    """Even when all that counts is minus infinity, the value is right and the padding gets no gradient."""
    x = np.array([[[7.0], [-np.inf]]])
    for kernels in (numpy_kernels, torch_kernels):
        array = x if kernels is numpy_kernels else torch.from_numpy(x)
        out, cache = kernels.max_over_time_forward(array, _mask(kernels, False, True))
        assert out.tolist() == [[-np.inf]]
        assert kernels.max_over_time_backward(zeros(kernels, 1, 1) + 1, cache)[0, 0, 0] == 0


def _mask(kernels, *row):
    return np.array([row]) if kernels is numpy_kernels else torch.tensor([row])


def wrong_calls(kernels):
    """Calls that must be refused, and what the sentence says."""
    w, x = zeros(kernels, 5, 3), zeros(kernels, 2, 4, 3)
    forward, backward = kernels.embedding_forward, kernels.embedding_backward
    longest, shortest = kernels.max_over_time_forward, kernels.max_over_time_backward
    cache, max_cache = forward(numbers(kernels, 1, 4), w)[1], longest(x)[1]
    mask = x[:, :, 0] == 0
    return [
        (forward, (numbers(kernels, 1, 5), w), ValueError, "ids go from 1 to 5; expected numbers from 0 to 4"),
        (forward, (numbers(kernels, -1), w), ValueError, "ids go from -1 to -1; expected"),
        (forward, (numbers(kernels), w), ValueError, r"ids has shape \(0,\)"),
        (forward, (x, w), TypeError, "ids has dtype float64; expected integers"),
        (forward, ([1], w), TypeError, "ids is of type list"),
        (forward, (numbers(kernels, 1), x), ValueError, r"w has shape \(2, 4, 3\); expected \(V, D\)"),
        (backward, (w, cache), ValueError, r"dout has shape \(5, 3\); expected \(2, 3\)"),
        (
            backward,
            (zeros(kernels, 2, 3, dtype="float32"), cache),
            TypeError,
            "dout has dtype float32; expected float64",
        ),
        (backward, (w, None), TypeError, "embedding_forward returns"),
        (longest, (w,), ValueError, r"x has shape \(5, 3\); expected \(N, L, M\)"),
        (longest, (x, x), TypeError, "mask has dtype float64; expected bool"),
        (longest, (x, [True]), TypeError, "mask is of type list"),
        (longest, (x, mask[:, :3]), ValueError, r"mask has shape \(2, 3\); expected \(2, 4\)"),
        (longest, (x, ~mask), ValueError, "mask has no True in row 0"),
        (shortest, (x, max_cache), ValueError, r"dout has shape \(2, 4, 3\); expected \(2, 3\)"),
        (shortest, (x, ()), TypeError, "max_over_time_forward returns"),
    ]


@each_library
@pytest.mark.parametrize("number", range(16))
def test_errors_name_what_does_not_fit(kernels, number):
    """Wrong shapes, dtypes and numbers are refused with the argument, what came and what was expected."""
    calls = wrong_calls(kernels)
    assert len(calls) == 16
    function, arguments, error, sentence = calls[number]
    with pytest.raises(error, match=sentence):
        function(*arguments)
