"""Words, vocabularies and rows of numbers, by both references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import each_library, function_parity

from course_lib import numpy_kernels, torch_kernels
from course_lib.corpus import harvest

texts = st.lists(st.lists(st.sampled_from("to be or not that is the".split()), max_size=8), max_size=5)


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet="aZß é9_'.,!?-(\n\t\u00a0中", max_size=30))
def test_both_references_cut_alike(text):
    """Any text gives the same tokens; joined they are the text in lower case without white space."""
    tokens = numpy_kernels.tokenize(text)
    assert torch_kernels.tokenize(text) == tokens
    assert "".join(tokens) == "".join(text.lower().split())
    assert all(len(token) == 1 or token.replace("'", "a").replace("_", "a").isalnum() for token in tokens)


@each_library
def test_known_texts(kernels):
    """Apostrophes, underscores and digits stay in their word; every other sign stands alone."""
    assert kernels.tokenize("It isn't np_array[0]...") == ["it", "isn't", "np_array", "[", "0", "]", ".", ".", "."]
    assert kernels.tokenize(" \n") == []


@settings(max_examples=100, deadline=None)
@given(texts=texts, min_count=st.integers(1, 3), max_size=st.integers(2, 8))
def test_both_references_number_alike(texts, min_count, max_size):
    """Any texts give the same vocabulary: gapless numbers, frequent words first, ties by the alphabet."""
    vocab = numpy_kernels.build_vocab(texts, min_count, max_size)
    assert list(torch_kernels.build_vocab(texts, min_count, max_size).items()) == list(vocab.items())
    running = [token for tokens in texts for token in tokens]
    keys = [(-running.count(word), word) for word in list(vocab)[2:]]
    assert list(vocab)[:2] == ["<pad>", "<unk>"] and list(vocab.values()) == list(range(len(vocab)))
    assert keys == sorted(keys) and all(-count >= min_count for count, _ in keys)
    assert len(vocab) == min(max_size, 2 + sum(running.count(word) >= min_count for word in set(running)))


@settings(max_examples=100, deadline=None)
@given(tokens=st.lists(st.sampled_from("abcdef"), max_size=9), length=st.integers(1, 7))
def test_both_references_fill_alike(tokens, length):
    """Any tokens give int64 numbers of the asked length: the first words, then zeros."""
    ids = function_parity("encode_and_pad", tokens, {"<pad>": 0, "<unk>": 1, "a": 2, "b": 3, "c": 4}, length)
    wanted = [{"a": 2, "b": 3, "c": 4}.get(token, 1) for token in tokens][:length]
    assert ids.dtype == np.int64
    assert ids.tolist() == wanted + [0] * (length - len(wanted))


def test_real_sentences_survive(tmp_path):
    """With a vocabulary of everything, the numbers of real sentences lead back to their tokens."""
    sentences = [sentence for group in harvest(["numpy", "scipy"], 20, tmp_path) for sentence in group]
    tokens = [numpy_kernels.tokenize(sentence) for sentence in sentences]
    vocab = numpy_kernels.build_vocab(tokens, 1, 10_000)
    words = {number: word for word, number in vocab.items()}
    for row in tokens:
        ids = numpy_kernels.encode_and_pad(row, vocab, 60)
        assert [words[number] for number in ids.tolist() if number] == row[:60]


WRONG = [
    ("tokenize", (["a"],), TypeError, "text is of type list; expected a string"),
    ("build_vocab", ("ab", 1, 9), TypeError, "texts is of type str; expected a list of token lists"),
    ("build_vocab", (["ab"], 1, 9), TypeError, r"texts\[0\] is of type str; expected a list of tokens"),
    ("build_vocab", ([[1]], 1, 9), TypeError, r"texts\[0\] holds something of type int; expected strings"),
    ("build_vocab", ([["a"]], 0, 9), ValueError, "min_count is 0; expected an integer of at least 1"),
    ("build_vocab", ([["a"]], 1, 1), ValueError, "max_size is 1; expected an integer of at least 2"),
    ("encode_and_pad", ("ab", {}, 3), TypeError, "tokens is of type str; expected a list of tokens"),
    ("encode_and_pad", (["a"], ["a"], 3), TypeError, "vocab is of type list; expected a dict"),
    ("encode_and_pad", (["a"], {}, 0), ValueError, "length is 0; expected an integer of at least 1"),
]


@each_library
@pytest.mark.parametrize(("name", "arguments", "error", "sentence"), WRONG)
def test_errors_name_what_does_not_fit(kernels, name, arguments, error, sentence):
    """Wrong kinds and numbers are refused with the argument, what came and what was expected."""
    with pytest.raises(error, match=sentence):
        getattr(kernels, name)(*arguments)
