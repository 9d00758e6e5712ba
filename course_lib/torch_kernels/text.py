"""From a text to numbers, by other algorithms; names and errors as in `course_lib.numpy_kernels.text`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.validate import check_count
from course_lib.words import check_text, check_tokens, check_vocab


def tokenize(text: str) -> list[str]:
    """The words and signs of a text, in lower case, sign by sign.

    Args:
        text: any text, also an empty one.

    Returns:
        The tokens in the order of the text.

    >>> tokenize("Don't stop.")
    ["don't", 'stop', '.']
    """
    tokens: list[str] = []
    for in_word, signs in groupby(check_text(text).lower(), key=lambda sign: sign.isalnum() or sign in "_'"):
        run = "".join(signs)
        tokens += [run] if in_word else [sign for sign in run if not sign.isspace()]
    return tokens


def build_vocab(texts: Sequence[Sequence[str]], min_count: int, max_size: int) -> dict[str, int]:
    """A number for every word that is frequent enough: counted and sorted by Torch.

    Args:
        texts: token lists.
        min_count: how often a word must occur, at least 1.
        max_size: how many entries there may be, the two special ones included; at least 2.

    Returns:
        Word to number.

    >>> build_vocab([["to", "be", "or", "not", "to", "be"], ["be"]], min_count=2, max_size=10)
    {'<pad>': 0, '<unk>': 1, 'be': 2, 'to': 3}
    """
    least, most = check_count("min_count", min_count, least=1), check_count("max_size", max_size, least=2)
    running = [token for tokens in check_tokens("texts", texts, depth=2) for token in tokens]
    alphabet = sorted(set(running))
    place = {word: i for i, word in enumerate(alphabet)}
    counts = torch.bincount(torch.tensor([place[word] for word in running], dtype=torch.int64))
    # A stable sort leaves equally frequent words in the order of the alphabet.
    order = counts.argsort(descending=True, stable=True)
    kept = [alphabet[i] for i in order.tolist() if counts[i] >= least][: most - 2]
    return dict(zip(["<pad>", "<unk>", *kept], range(most), strict=False))


def encode_and_pad(tokens: Sequence[str], vocab: Mapping[str, int], length: int) -> Tensor:
    """The numbers of a text's tokens, cut or filled up by `torch.nn.functional.pad`.

    Args:
        tokens: the tokens of one text, also none.
        vocab: word to number.
        length: how many numbers there shall be, at least 1.

    Returns:
        The numbers, (length,), int64.

    >>> encode_and_pad(["to", "sure"], {"<pad>": 0, "<unk>": 1, "to": 2}, 3).tolist()
    [2, 1, 0]
    """
    words, numbers = check_tokens("tokens", tokens), check_vocab(vocab)
    size = check_count("length", length, least=1)
    ids = torch.tensor([numbers.get(word, 1) for word in words], dtype=torch.int64)
    # A negative padding cuts.
    return functional.pad(ids, (0, size - len(ids)))
