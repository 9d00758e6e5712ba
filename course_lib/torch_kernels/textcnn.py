"""A text CNN on Torch tensors; names and errors as in `course_lib.numpy_kernels.textcnn`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels.embedding import embedding_forward
from course_lib.validate import check_arrays, check_count
from course_lib.words import check_filters, check_tokens


def text_cnn_forward(
    ids: Tensor, embedding: Tensor, filters: Sequence[Tensor], biases: Sequence[Tensor], w: Tensor, b: Tensor
) -> Tensor:
    """Scores of the classes, by Torch's convolution and linear layer.

    Args:
        ids: word numbers, (N, L), integers; padding is 0 and stands at the end.
        embedding: one vector per word, (V, D).
        filters: for each width an array (M, D, width).
        biases: for each width an array (M,).
        w: weights of the dense layer, (C, sum of all M).
        b: biases of the dense layer, (C,).

    Returns:
        The scores, (N, C).

    >>> one = torch.ones(1, 1)
    >>> ids, vectors = torch.tensor([[1, 2]]), torch.arange(3.0)[:, None]
    >>> text_cnn_forward(ids, vectors, [one[None]], [torch.zeros(1)], one, torch.zeros(1)).tolist()
    [[2.0]]
    """
    x, _ = embedding_forward(ids, embedding)
    total = check_filters(Tensor, x, filters, biases)
    check_arrays(Tensor, x=(x, None), w=(w, f"C {total}"), b=(b, "C"))
    lengths = (ids != 0).sum(dim=1, keepdim=True)
    features = []
    for windows, bias in zip(filters, biases, strict=True):
        answers = functional.conv1d(x.transpose(1, 2), windows, bias)
        ends = torch.arange(answers.shape[2], device=ids.device) + windows.shape[2]
        hidden = ends > lengths.clamp(min=windows.shape[2])
        features.append(answers.masked_fill(hidden[:, None], -torch.inf).amax(dim=2))
    # The order does not matter: the ReLU keeps the order of the answers.
    return functional.linear(torch.cat(features, dim=1).relu(), w, b)


def top_ngrams(texts: Sequence[Sequence[str]], answers: Tensor, width: int, k: int) -> list[tuple[str, float]]:
    """The windows of words that a filter answered most strongly, in the order of one stable sort of all places.

    Args:
        texts: the tokens of each text, without padding.
        answers: of one filter at each place of each padded text, (N, L').
        width: how many words the filter covers, at least 1.
        k: how many windows at most, at least 1.

    Returns:
        Up to k pairs of words and answer; the largest answer first.

    >>> top_ngrams([["not", "so", "good"]], torch.tensor([[1.0, 4.0, 9.0]]), width=2, k=5)
    [('so good', 4.0), ('not so', 1.0)]
    """
    check_arrays(Tensor, answers=(answers, f"{len(texts)} L"))
    size, most = check_count("width", width, least=1), check_count("k", k, least=1)
    words, places = check_tokens("texts", texts, depth=2), answers.shape[1]
    found: list[tuple[str, float]] = []
    for flat in answers.reshape(-1).argsort(descending=True, stable=True).tolist():
        text, place = divmod(flat, places)
        window, answer = words[text][place : place + size], answers[text, place].item()
        ngram = " ".join(window)
        if len(window) == size and answer > 0 and ngram not in (known for known, _ in found):
            found.append((ngram, answer))
    return found[:most]
