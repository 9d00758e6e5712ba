"""From a text to numbers: words, a vocabulary, rows of equal length."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.validate import check_count
from course_lib.words import check_text, check_tokens, check_vocab

_TOKEN = re.compile(r"[\w']+|[^\w\s']")


def tokenize(text: str) -> list[str]:
    """The words and signs of a text, in lower case.

    A word is a run of letters, digits, underscores and apostrophes. White space separates; every other sign is a token
    of its own.

    Args:
        text: any text, also an empty one.

    Returns:
        The tokens in the order of the text.

    Raises:
        TypeError: `text` is no string.

    Source: as in Kim (2014), who also splits signs from words.

    >>> tokenize("Don't use np.sum (here)!")
    ["don't", 'use', 'np', '.', 'sum', '(', 'here', ')', '!']
    """
    return _TOKEN.findall(check_text(text).lower())


def build_vocab(texts: Sequence[Sequence[str]], min_count: int, max_size: int) -> dict[str, int]:
    """A number for every word that is frequent enough.

    0 is ``<pad>``, the padding; 1 is ``<unk>``, any word that is not in the vocabulary. From 2 on come the words,
    the most frequent first, equally frequent ones in the order of the alphabet (of Python's string comparison).

    Args:
        texts: token lists, such as `tokenize` returns.
        min_count: how often a word must occur in all texts together, at least 1.
        max_size: how many entries there may be, the two special ones included; at least 2.

    Returns:
        Word to number.

    Raises:
        TypeError: `texts` is no list of lists of strings, or another argument no integer.
        ValueError: a number is too small.

    Source: usual practice; the special entries as in Collobert et al. (2011).

    >>> build_vocab([["to", "be", "or", "not", "to", "be"], ["be"]], min_count=2, max_size=10)
    {'<pad>': 0, '<unk>': 1, 'be': 2, 'to': 3}
    """
    least, most = check_count("min_count", min_count, least=1), check_count("max_size", max_size, least=2)
    counts = Counter(token for tokens in check_tokens("texts", texts, depth=2) for token in tokens)
    frequent = sorted((word for word in counts if counts[word] >= least), key=lambda word: (-counts[word], word))
    return {word: number for number, word in enumerate(["<pad>", "<unk>", *frequent[: most - 2]])}


def encode_and_pad(tokens: Sequence[str], vocab: Mapping[str, int], length: int) -> np.ndarray:
    """The numbers of a text's tokens, cut or filled up to a fixed length.

    A token that is not in the vocabulary becomes 1. What is too long is cut at the end; what is too short is filled
    with 0 at the end.

    Args:
        tokens: the tokens of one text, also none.
        vocab: word to number, as `build_vocab` returns.
        length: how many numbers there shall be, at least 1.

    Returns:
        The numbers, (length,), int64.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: `length` is below 1.

    Source: usual practice.

    >>> encode_and_pad(["to", "be", "sure"], {"<pad>": 0, "<unk>": 1, "be": 2, "to": 3}, 5)
    array([3, 2, 1, 0, 0])
    """
    words, numbers = check_tokens("tokens", tokens), check_vocab(vocab)
    ids = np.zeros(check_count("length", length, least=1), dtype=np.int64)
    known = [numbers.get(word, 1) for word in words[: len(ids)]]
    ids[: len(known)] = known
    return ids
