"""The text CNN against Torch, its padding, and the windows that a filter answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import assert_close, dtypes, each_device, each_library, function_parity, normal, on_device, seeds, size

from course_lib import numpy_kernels, torch_kernels


def network(seed, depth, groups, classes, words=9, dtype="float64"):
    """Vectors, filters, biases and the dense layer of a network."""
    total = sum(m for m, _ in groups)
    filters = normal(seed, *((m, depth, width) for m, width in groups), dtype=dtype)
    biases = normal(seed + 1, *((m,) for m, _ in groups), dtype=dtype)
    embedding, w, b = normal(seed + 2, (words, depth), (classes, total), (classes,), dtype=dtype)
    return embedding, filters, biases, w, b


def padded(seed, lengths, places, words=9):
    """Word numbers with zeros after the words of each text."""
    ids = np.random.default_rng(seed).integers(1, words, (len(lengths), places))
    return ids * (np.arange(places) < np.array(lengths)[:, None])


@settings(max_examples=80, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 7), min_size=1, max_size=4),
    groups=st.lists(st.tuples(size, st.integers(1, 5)), min_size=1, max_size=3),
    depth=size,
    classes=size,
    dtype=dtypes,
    seed=seeds,
)
def test_network_equals_torch(lengths, groups, depth, classes, dtype, seed):
    """Any lengths, also none, and any widths give Torch's scores in the dtype of the vectors."""
    arguments = network(seed, depth, groups, classes, dtype=dtype)
    scores = function_parity("text_cnn_forward", padded(seed, lengths, 7), *arguments, factor=20)
    assert scores.shape == (len(lengths), classes) and scores.dtype == dtype


@each_device
def test_network_parity_on_a_real_size(device):
    """The widths 3, 4 and 5 with 50 filters each in float32, on every device."""
    arguments = network(1, 64, [(50, 3), (50, 4), (50, 5)], 5, words=500, dtype="float32")
    ids = padded(2, np.random.default_rng(3).integers(1, 41, 16), 40, words=500)
    function_parity("text_cnn_forward", ids, *arguments, device=device, factor=300)


@each_library
def test_more_padding_changes_nothing(kernels):
    """The scores of a text do not depend on how far it is padded, even when it is shorter than a filter."""
    arguments = network(4, 3, [(4, 2), (3, 4)], 3)
    scores = [
        kernels.text_cnn_forward(*(t if kernels is numpy_kernels else on_device(t, "cpu") for t in (ids, *arguments)))
        for ids in (padded(5, [4, 2, 1], 4), np.pad(padded(5, [4, 2, 1], 4), ((0, 0), (0, 6))))
    ]
    assert_close(*scores, factor=10)


def test_one_filter_by_hand():
    """The filter adds two neighbours; the padding's window of 1 + 50 does not count."""
    ids, vectors = np.array([[1, 2, 1, 0, 0]]), np.array([[50.0], [1.0], [3.0]])
    filters, biases = [np.ones((1, 1, 2))], [np.array([-1.0])]
    scores = numpy_kernels.text_cnn_forward(ids, vectors, filters, biases, np.array([[2.0]]), np.array([0.5]))
    assert scores.tolist() == [[2 * (1 + 3 - 1) + 0.5]]


@each_library
def test_the_network_names_what_does_not_fit(kernels):
    """Wide filters, a missing bias, wrong sizes and unknown words are refused."""
    embedding, filters, biases, w, b = network(6, 2, [(3, 2), (2, 3)], 2)
    ids = padded(7, [4], 4)
    calls = [
        (
            (ids[:, :2], embedding, filters, biases, w, b),
            ValueError,
            r"filters\[1\] covers 3 words; expected at most 2",
        ),
        ((ids, embedding, filters, biases[:1], w, b), ValueError, "filters has 2 entries and biases 1"),
        ((ids, embedding, filters[0], biases, w, b), TypeError, "filters is of type .*; expected a list"),
        ((ids, embedding, filters, biases, w[:, :4], b), ValueError, r"w has shape \(2, 4\); expected \(C, 5\)"),
        ((ids, embedding, filters, biases, w, b[:1]), ValueError, r"b has shape \(1,\)"),
        ((ids + 9, embedding, filters, biases, w, b), ValueError, "ids go from .*; expected numbers from 0 to 8"),
        ((ids, embedding[:, :1], filters, biases, w, b), ValueError, r"filters\[0\] has shape \(3, 2, 2\)"),
    ]
    for arguments, error, sentence in calls:
        given_ones = arguments if kernels is numpy_kernels else on_device(arguments, "cpu")
        with pytest.raises(error, match=sentence):
            kernels.text_cnn_forward(*given_ones)


@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from(["no", "not", "good"]), max_size=5), min_size=1, max_size=4),
    width=st.integers(1, 3),
    k=st.integers(1, 6),
    seed=seeds,
)
def test_both_references_list_the_same_windows(texts, width, k, seed):
    """Any texts, with repetitions and ties, give the same list: each window once, fired, the strongest first."""
    answers = np.random.default_rng(seed).integers(-2, 4, (len(texts), 5)).astype(float)
    found = numpy_kernels.top_ngrams(texts, answers, width, k)
    assert torch_kernels.top_ngrams(texts, on_device(answers, "cpu"), width, k) == found
    strengths = [answer for _, answer in found]
    assert strengths == sorted(strengths, reverse=True) and all(answer > 0 for answer in strengths)
    assert len({ngram for ngram, _ in found}) == len(found) <= k
    assert all(len(ngram.split()) == width for ngram, _ in found)


@each_library
def test_of_equal_answers_the_earlier_text_comes_first(kernels):
    """A window counts where its largest answer is, not where its words were seen first."""
    texts = [["a", "x"], ["b"], ["a"]]
    answers = np.array([[1.0, 0.0], [5.0, 9.0], [5.0, 9.0]])
    array = answers if kernels is numpy_kernels else on_device(answers, "cpu")
    assert kernels.top_ngrams(texts, array, 1, 9) == [("b", 5.0), ("a", 5.0)]


@each_library
@pytest.mark.parametrize(
    ("texts", "width", "k", "error", "sentence"),
    [
        ([["a"]], 1, 1, ValueError, r"answers has shape \(2, 3\); expected \(1, L\)"),
        (["ab", "c"], 1, 1, TypeError, r"texts\[0\] is of type str"),
        ([["a"], ["b"]], 0, 1, ValueError, "width is 0; expected an integer of at least 1"),
        ([["a"], ["b"]], 1, 0, ValueError, "k is 0; expected an integer of at least 1"),
    ],
)
def test_the_list_of_windows_names_what_does_not_fit(kernels, texts, width, k, error, sentence):
    """Texts, width and number of a wrong kind are refused by name."""
    answers = np.ones((2, 3)) if kernels is numpy_kernels else on_device(np.ones((2, 3)), "cpu")
    with pytest.raises(error, match=sentence):
        kernels.top_ngrams(texts, answers, width, k)
