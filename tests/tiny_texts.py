"""A text CNN small enough to follow by hand, and one with random weights: what both files of lesson 09's looks use."""

from __future__ import annotations

import numpy as np

from course_lib.widgets.text_cnn import TextModel

WORDS = ("<pad>", "<unk>", "the", "film", "was", "not", "good", "bad", "very", ".", "it's")
VOCAB = {word: number for number, word in enumerate(WORDS)}
CLASSES = ("positive", "negative")
SENTENCE = "The film was good."
RUNS = {
    ((1,), 0.0): {"validation": [0.5, 0.7, 0.6], "train": [0.6, 0.8, 0.9]},
    ((1,), 0.5): {"validation": [0.5, 0.6, 0.65], "train": [0.6, 0.7, 0.75]},
    ((2, 3), 0.0): {"validation": [0.6, 0.695, 0.69], "train": [0.7, 0.9, 1.0]},
    ((2, 3), 0.5): {"validation": [0.55, 0.66, 0.705], "train": [0.6, 0.8, 0.85]},
}


def review_model() -> TextModel:
    """Reviews in eleven words: "good" and "bad", "not good" and "very good", and a filter that padding pleases."""
    embedding = np.zeros((len(WORDS), 5))
    for dimension, word in enumerate(("not", "good", "bad", "very")):
        embedding[VOCAB[word], dimension] = 1
    embedding[[VOCAB[word] for word in ("the", "film", "was", ".", "it's")], 4] = 1
    embedding[1, 4] = 0.5
    single, double = np.zeros((2, 5, 1)), np.zeros((3, 5, 2))
    single[0, 1, 0] = single[1, 2, 0] = 1
    double[0, 0, 0] = double[0, 1, 1] = 1
    double[1, 3, 0] = double[1, 1, 1] = 1
    double[2, 4] = -1
    w = [[4, -4, -16, 2, -2], [-3, 3, 10, -2, 2]]
    biases = [np.array([-0.25, -0.25]), np.array([-1.5, -1.5, 0.3])]
    return TextModel(VOCAB, CLASSES, embedding, [single, double], biases, np.array(w), np.array([-0.1, 0.1]))


def random_model(
    seed: int, words: int = 40, sizes: tuple[tuple[int, int], ...] = ((3, 2), (4, 1), (2, 4))
) -> TextModel:
    """Normal weights in float32; `sizes` holds filters and width of each group; three classes."""
    rng = np.random.default_rng(seed)
    vocab = {"<pad>": 0, "<unk>": 1, **{f"w{k}": k for k in range(2, words)}}
    filters = [rng.normal(size=(m, 6, width)).astype(np.float32) for m, width in sizes]
    biases = [rng.normal(size=m).astype(np.float32) for m, _ in sizes]
    w, b = rng.normal(size=(3, sum(m for m, _ in sizes))), rng.normal(size=3)
    return TextModel(vocab, ("a", "b", "c"), rng.normal(size=(words, 6)), filters, biases, w, b)
