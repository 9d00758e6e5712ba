"""A convolutional network that reads a text, and the words that it looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.numpy_kernels.conv1d import conv1d_forward
from course_lib.numpy_kernels.embedding import embedding_forward, max_over_time_forward
from course_lib.validate import check_arrays, check_count
from course_lib.words import check_filters, check_tokens


def text_cnn_forward(
    ids: np.ndarray,
    embedding: np.ndarray,
    filters: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    w: np.ndarray,
    b: np.ndarray,
) -> np.ndarray:
    """Scores of the classes: embedding, filters of several widths, ReLU, maximum over time, one dense layer.

    Padding is 0 and stands at the end. A window counts when its last word is no padding; the first window of a text
    counts always, so that a text shorter than a filter has one. More padding therefore changes nothing.

    Args:
        ids: word numbers, (N, L), integers from 0 to V - 1.
        embedding: one vector per word, (V, D), float32 or float64.
        filters: for each width an array (M, D, width), same dtype; M and width may differ.
        biases: for each width an array (M,), same dtype.
        w: weights of the dense layer, (C, sum of all M), same dtype.
        b: biases of the dense layer, (C,), same dtype.

    Returns:
        The scores, (N, C), same dtype; no softmax.

    Raises:
        TypeError: an argument is no array or list of arrays, or its dtype does not fit.
        ValueError: a shape does not fit, a filter is wider than the texts, or a word has no vector.

    Source: Kim (2014).

    >>> one = np.ones((1, 1))
    >>> text_cnn_forward(np.array([[1, 2]]), np.arange(3.0)[:, None], [one[None]], [np.zeros(1)], one, np.zeros(1))
    array([[2.]])
    """
    x, _ = embedding_forward(ids, embedding)
    total = check_filters(np.ndarray, x, filters, biases)
    check_arrays(np.ndarray, x=(x, None), w=(w, f"C {total}"), b=(b, "C"))
    features = []
    for windows, bias in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, windows, bias)[0], 0)
        mask = ids[:, windows.shape[2] - 1 :] != 0
        mask[:, 0] = True
        features.append(max_over_time_forward(answers, mask)[0])
    return np.concatenate(features, axis=1) @ w.T + b


def top_ngrams(texts: Sequence[Sequence[str]], answers: np.ndarray, width: int, k: int) -> list[tuple[str, float]]:
    """The windows of words that a filter answered most strongly.

    A filter fires where its answer is above 0. Windows that reach into the padding do not count. The same words are
    listed once, with their largest answer. Of equal answers the earlier text comes first, then the earlier place.

    Args:
        texts: the tokens of each text, without padding.
        answers: of one filter at each place of each padded text, (N, L'), float32 or float64.
        width: how many words the filter covers, at least 1.
        k: how many windows at most, at least 1.

    Returns:
        Up to k pairs of words, joined by blanks, and answer as a Python float; the largest answer first.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: a number is too small, or there are not as many texts as rows of `answers`.

    Source: as in the tables of Kalchbrenner, Grefenstette and Blunsom (2014).

    >>> top_ngrams([["not", "so", "good"]], np.array([[1.0, 4.0, 9.0]]), width=2, k=5)
    [('so good', 4.0), ('not so', 1.0)]
    """
    check_arrays(np.ndarray, answers=(answers, f"{len(texts)} L"))
    size, most = check_count("width", width, least=1), check_count("k", k, least=1)
    fired = [
        (" ".join(words[place : place + size]), answer)
        for words, row in zip(check_tokens("texts", texts, depth=2), answers.tolist(), strict=True)
        for place, answer in enumerate(row[: max(len(words) - size + 1, 0)])
        if answer > 0
    ]
    best: dict[str, float] = {}
    # Sorting keeps the order of equals.
    for ngram, answer in sorted(fired, key=lambda pair: -pair[1]):
        best.setdefault(ngram, answer)
    return list(best.items())[:most]
