"""Exercises on words as vectors: the look-up, and its backward pass."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case, call_case

# Case id to (word numbers, V, D).
_PUBLIC: dict[str, tuple[list, int, int]] = {
    "two texts": ([[2, 4, 1], [3, 0, 5]], 6, 4),
    "one text": ([[1, 3, 2, 0]], 5, 3),
    "repeated words": ([[3, 1, 3, 3], [1, 2, 3, 0]], 7, 2),
    "without a batch axis": ([4, 1, 1, 2, 0], 6, 3),
    "float32": ([[1, 2, 1], [0, 2, 2]], 4, 3),
}
_SECRET = _PUBLIC | {
    "two texts": ([[5, 4, 1, 1], [3, 0, 5, 1]], 8, 3),
    "one number per word": ([[2, 1, 2], [1, 0, 2]], 4, 1),
    "one word": ([[2]], 4, 3),
    "same word everywhere": ([[1, 1, 1], [1, 1, 1]], 3, 2),
    "three texts of two words": ([[1, 2], [0, 3], [2, 2]], 5, 5),
}


def _embedding_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (ids, words, depth) in (_PUBLIC if public else _SECRET).items():
        w = draw(rng, words, depth, dtype="float32" if name == "float32" else "float64")
        inputs = {"ids": np.array(ids), "w": w}
        cases.append(call_case(name, "embedding_forward", inputs, item=0))
    return tuple(cases)


def _embedding_forward__columns(ids, w):
    return np.moveaxis(w[:, ids % w.shape[1]], 0, -1), (ids, w)


def _embedding_forward__counted_from_one(ids, w):
    return w[ids - 1], (ids, w)


def _embedding_forward__padding_is_zero(ids, w):
    return w[ids] * (ids != 0)[..., None].astype(w.dtype), (ids, w)


def _embedding_forward__mean_over_words(ids, w):
    return w[ids].mean(axis=-2), (ids, w)


def _embedding_forward__texts_joined(ids, w):
    return w[ids.ravel()], (ids, w)


def _embedding_forward__words_last(ids, w):
    return w[ids].swapaxes(-1, -2), (ids, w)


def _embedding_forward__one_hot(ids, w):
    onehot = (ids[..., None] == np.arange(len(w))).astype(w.dtype)
    return onehot @ w, (ids, w)


def _embedding_forward__word_by_word(ids, w):
    out = np.empty((*ids.shape, w.shape[1]), dtype=w.dtype)
    for place in np.ndindex(ids.shape):
        out[place] = w[ids[place]]
    return out, (ids, w)


def _embedding_forward__take(ids, w):
    return np.take(w, ids, axis=0), (ids, w)


EMBEDDING_FORWARD = Exercise(
    id="embedding_forward",
    topic="embedding",
    points=1,
    cases=_embedding_forward_cases,
    mistakes=(
        Mistake(
            "columns",
            "You look words up in the columns of w. Each row of w is the vector of one word: w[ids].",
            _embedding_forward__columns,
        ),
        Mistake(
            "counted_from_one",
            "Your rows are one off. Word number 0 has row 0: use ids as they are.",
            _embedding_forward__counted_from_one,
        ),
        Mistake(
            "padding_is_zero",
            "You set the vectors of word 0 to zero. Here the padding has a vector like any word; the mask keeps it out "
            "later.",
            _embedding_forward__padding_is_zero,
        ),
        Mistake(
            "mean_over_words",
            "You average the vectors of a text. Keep one vector per word: the convolution needs their order.",
            _embedding_forward__mean_over_words,
        ),
        Mistake(
            "texts_joined",
            "You made one long list of words. Keep the shape of ids and add one axis at the end.",
            _embedding_forward__texts_joined,
        ),
        Mistake(
            "words_last",
            "Your axes are (N, D, L). In this course a text is (N, L, D): words first, then the numbers of each.",
            _embedding_forward__words_last,
        ),
    ),
    other_ways=(
        OtherWay("one_hot", _embedding_forward__one_hot),
        OtherWay("word_by_word", _embedding_forward__word_by_word),
        OtherWay("take", _embedding_forward__take),
    ),
)


def _embedding_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (numbers, words, depth) in (_PUBLIC if public else _SECRET).items():
        dtype, ids = "float32" if name == "float32" else "float64", np.array(numbers)
        inputs = {"ids": ids, "w": draw(rng, words, depth, dtype=dtype), "dout": draw(rng, *ids.shape, depth)}
        inputs["dout"] = inputs["dout"].astype(dtype)
        cases.append(forward_then_backward(name, "embedding", inputs))
    ids, w, dout = np.array([[1, 2, 1]]), draw(rng, 4, 2), draw(rng, 1, 3, 2)
    return (*cases, forward_then_backward("called twice", "embedding", {"ids": ids, "w": w, "dout": dout}, twice=True))


def _embedding_backward__last_one_counts(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    dw[ids] += dout
    return dw


def _embedding_backward__text_by_text(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    for row, gradient in zip(np.atleast_2d(ids), dout.reshape(-1, ids.shape[-1], w.shape[1]), strict=True):
        dw[row] += gradient
    return dw


def _embedding_backward__mean_of_repeated(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    np.add.at(dw, ids, dout)
    counts = np.bincount(ids.ravel(), minlength=len(w))
    return dw / np.maximum(counts, 1)[:, None].astype(w.dtype)


def _embedding_backward__added_to_the_vectors(dout, cache):
    ids, w = cache
    dw = w.copy()
    np.add.at(dw, ids, dout)
    return dw


def _embedding_backward__no_padding(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    np.add.at(dw, ids, dout)
    dw[0] = 0
    return dw


def _embedding_backward__only_words_that_came(dout, cache):
    ids, w = cache
    words, places = np.unique(ids, return_inverse=True)
    dw = np.zeros((len(words), w.shape[1]), dtype=w.dtype)
    np.add.at(dw, places.reshape(ids.shape), dout)
    return dw


def _embedding_backward__not_collected(dout, cache):
    return dout.copy()


def _embedding_backward__one_hot(dout, cache):
    ids, w = cache
    onehot = (ids.ravel()[:, None] == np.arange(len(w))).astype(w.dtype)
    return onehot.T @ dout.reshape(-1, w.shape[1])


def _embedding_backward__word_by_word(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    for place in np.ndindex(ids.shape):
        dw[ids[place]] += dout[place]
    return dw


def _embedding_backward__row_by_row(dout, cache):
    ids, w = cache
    return np.stack([dout[ids == word].sum(axis=0) for word in range(len(w))])


EMBEDDING_BACKWARD = Exercise(
    id="embedding_backward",
    topic="embedding",
    points=3,
    cases=_embedding_backward_cases,
    mistakes=(
        Mistake(
            "last_one_counts",
            "Of a word that comes several times only the last gradient counts: dw[ids] = dout and dw[ids] += dout both "
            "write each row once. Add all of them, for example with np.add.at(dw, ids, dout).",
            _embedding_backward__last_one_counts,
        ),
        Mistake(
            "text_by_text",
            "A word that comes twice in the same text is counted once. dw[row] += ... writes each row once: use "
            "np.add.at, or go word by word.",
            _embedding_backward__text_by_text,
        ),
        Mistake(
            "mean_of_repeated",
            "You average the gradients of a repeated word. They add up: the same vector was used several times.",
            _embedding_backward__mean_of_repeated,
        ),
        Mistake(
            "added_to_the_vectors",
            "Your gradient starts from w itself. Start from zeros of the shape of w.",
            _embedding_backward__added_to_the_vectors,
        ),
        Mistake(
            "no_padding",
            "You set row 0 to zero. Here the padding is a row like any other, and gets the gradient that reaches it.",
            _embedding_backward__no_padding,
        ),
        Mistake(
            "only_words_that_came",
            "Your dw has rows only for the words that came. It has the shape of w, with zeros for all other words.",
            _embedding_backward__only_words_that_came,
        ),
        Mistake(
            "not_collected",
            "You return dout, one gradient per place in the text. Add up the gradients of each word: dw has the shape "
            "of w.",
            _embedding_backward__not_collected,
        ),
    ),
    other_ways=(
        OtherWay("one_hot", _embedding_backward__one_hot),
        OtherWay("word_by_word", _embedding_backward__word_by_word),
        OtherWay("row_by_row", _embedding_backward__row_by_row),
    ),
    uses=("embedding_forward",),
)

EXERCISES = (EMBEDDING_FORWARD, EMBEDDING_BACKWARD)
