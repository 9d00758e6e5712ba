"""Exercise on the whole text CNN: from word numbers to scores."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step
from course_lib.numpy_kernels import conv1d_forward, embedding_forward, max_over_time_forward
from course_lib.tree import Handle

_WORDS, _DEPTH = 9, 3
# Case id to (words in each text, L, (filters, width) of each group, classes).
_PUBLIC: dict[str, tuple[tuple[int, ...], int, tuple[tuple[int, int], ...], int]] = {
    "two widths": ((7, 4), 7, ((3, 2), (2, 3)), 2),
    "one width, no padding": ((6, 6), 6, ((4, 3),), 3),
    "much padding": ((3, 4, 5), 9, ((3, 2), (3, 3)), 2),
    "shorter than a filter": ((2, 1), 6, ((2, 2), (3, 4)), 2),
    "float32": ((5, 3), 6, ((2, 1), (3, 2)), 3),
}
_SECRET = _PUBLIC | {
    "three widths": ((6, 3, 8), 8, ((2, 1), (3, 2), (4, 4)), 3),
    "one text": ((4,), 7, ((3, 3), (2, 2)), 2),
    "a text without words": ((0, 5), 6, ((3, 2), (2, 3)), 2),
    "one of everything": ((2,), 3, ((1, 2),), 1),
}


def _text_cnn_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return tuple(_one_case(rng, name, *row) for name, row in (_PUBLIC if public else _SECRET).items())


def _one_case(
    rng: np.random.Generator, name: str, lengths: tuple[int, ...], places: int, groups: tuple, classes: int
) -> Case:
    dtype = "float32" if name == "float32" else "float64"
    ids = rng.integers(1, _WORDS, (len(lengths), places)) * (np.arange(places) < np.array(lengths)[:, None])
    embedding, total = draw(rng, _WORDS, _DEPTH, dtype=dtype), sum(m for m, _ in groups)
    # Its vector is far from zero: a padding that is let in shows.
    embedding[0] *= 4
    biases = [draw(rng, m, dtype=dtype) for m, _ in groups]
    # One filter never fires, so that the ReLU decides.
    biases[0][-1] = -20
    inputs = {
        "ids": ids,
        "embedding": embedding,
        "filters": [draw(rng, m, _DEPTH, width, dtype=dtype) for m, width in groups],
        "biases": biases,
        "w": draw(rng, classes, total, dtype=dtype),
        "b": draw(rng, classes, dtype=dtype),
    }
    call = Step("call", "result", "text_cnn_forward", tuple(Handle(key) for key in inputs))
    untouched = [Step("read", f"{key} afterwards", "", (Handle(key),), kind="convention") for key in inputs]
    return Case(name, inputs, (call, Step("read", "result", "", (Handle("result"),)), *untouched))


def _text_cnn_forward__no_mask(ids, embedding, filters, biases, w, b):
    x = embedding_forward(ids, embedding)[0]
    answers = [np.maximum(conv1d_forward(x, f, c)[0], 0) for f, c in zip(filters, biases, strict=True)]
    return np.concatenate([a.max(axis=1) for a in answers], axis=1) @ w.T + b


def _text_cnn_forward__mask_of_first_words(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, : answers.shape[1]] != 0
        mask[:, 0] = True
        features.append(max_over_time_forward(answers, mask)[0])
    return np.concatenate(features, axis=1) @ w.T + b


def _text_cnn_forward__short_texts_are_zero(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, f.shape[2] - 1 :] != 0
        features.append((answers * mask[:, :, None]).max(axis=1))
    return np.concatenate(features, axis=1) @ w.T + b


def _text_cnn_forward__no_first_window(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, f.shape[2] - 1 :] != 0
        features.append(np.where(mask[:, :, None], answers, -np.inf).max(axis=1))
    with np.errstate(invalid="ignore"):
        return (np.concatenate(features, axis=1) @ w.T + b).astype(embedding.dtype)


def _text_cnn_forward__padding_is_zero(ids, embedding, filters, biases, w, b):
    x = embedding_forward(ids, embedding)[0] * (ids != 0)[:, :, None]
    answers = [np.maximum(conv1d_forward(x, f, c)[0], 0) for f, c in zip(filters, biases, strict=True)]
    return np.concatenate([a.max(axis=1) for a in answers], axis=1) @ w.T + b


def _text_cnn_forward__no_relu(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = conv1d_forward(x, f, c)[0]
        mask = ids[:, f.shape[2] - 1 :] != 0
        mask[:, 0] = True
        features.append(max_over_time_forward(answers, mask)[0])
    return np.concatenate(features, axis=1) @ w.T + b


def _text_cnn_forward__mean_over_time(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, f.shape[2] - 1 :] != 0
        mask[:, 0] = True
        features.append((answers * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None])
    return np.concatenate(features, axis=1) @ w.T + b


def _text_cnn_forward__scores_through_relu(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, f.shape[2] - 1 :] != 0
        mask[:, 0] = True
        features.append(max_over_time_forward(answers, mask)[0])
    return np.maximum(np.concatenate(features, axis=1) @ w.T + b, 0)


def _text_cnn_forward__probabilities(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, f.shape[2] - 1 :] != 0
        mask[:, 0] = True
        features.append(max_over_time_forward(answers, mask)[0])
    scores = np.concatenate(features, axis=1) @ w.T + b
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _text_cnn_forward__widths_swapped(ids, embedding, filters, biases, w, b):
    x, features = embedding_forward(ids, embedding)[0], []
    for f, c in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(x, f, c)[0], 0)
        mask = ids[:, f.shape[2] - 1 :] != 0
        mask[:, 0] = True
        features.append(max_over_time_forward(answers, mask)[0])
    return np.concatenate(features[::-1], axis=1) @ w.T + b


def _text_cnn_forward__text_by_text(ids, embedding, filters, biases, w, b):
    rows = []
    for text in ids:
        words, features = int(np.count_nonzero(text)), []
        for f, c in zip(filters, biases, strict=True):
            # Only the words, and as much padding as the widest filter of this group needs.
            vectors = embedding[text[: max(words, f.shape[2])]]
            features.append(np.maximum(conv1d_forward(vectors[None], f, c)[0][0].max(axis=0), 0))
        rows.append(w @ np.concatenate(features) + b)
    return np.stack(rows)


def _text_cnn_forward__hidden_as_zero(ids, embedding, filters, biases, w, b):
    scores = np.tile(b, (len(ids), 1))
    first = 0
    for f, c in zip(filters, biases, strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(embedding[ids], f.shape[2], axis=1)
        answers = np.maximum(np.einsum("nldj,mdj->nlm", windows, f) + c, 0)
        counts = ids[:, f.shape[2] - 1 :] > 0
        # After the ReLU a zero cannot win against an answer that fired.
        answers[:, 1:][~counts[:, 1:]] = 0
        scores += answers.max(axis=1) @ w[:, first : first + len(f)].T
        first += len(f)
    return scores


TEXT_CNN_FORWARD = Exercise(
    id="text_cnn_forward",
    topic="textcnn",
    points=4,
    cases=_text_cnn_forward_cases,
    mistakes=(
        Mistake(
            "no_mask",
            "Windows in the padding take part in your maximum. Hand max_over_time_forward a mask: the windows whose "
            "last word is no padding, and the first one.",
            _text_cnn_forward__no_mask,
        ),
        Mistake(
            "mask_of_first_words",
            "Your mask lets in windows that begin with a word and end in the padding. Look at the last word of each "
            "window: ids[:, width - 1:] != 0.",
            _text_cnn_forward__mask_of_first_words,
        ),
        Mistake(
            "short_texts_are_zero",
            "A text that is shorter than the filter has no window in your network. Its first window counts always: "
            "mask[:, 0] = True.",
            _text_cnn_forward__short_texts_are_zero,
        ),
        Mistake(
            "no_first_window",
            "In a text that is shorter than a filter no window counts. The maximum of nothing is minus "
            "infinity, and the scores are no numbers any more. The first window counts always: mask[:, 0] = True.",
            _text_cnn_forward__no_first_window,
        ),
        Mistake(
            "padding_is_zero",
            "You set the vectors of the padding to zero. Windows with padding still answer, with the bias at least: "
            "keep them out with a mask instead.",
            _text_cnn_forward__padding_is_zero,
        ),
        Mistake(
            "no_relu",
            "The ReLU is missing. Apply np.maximum(..., 0) to the answers of the filters.",
            _text_cnn_forward__no_relu,
        ),
        Mistake(
            "mean_over_time",
            "You average over the windows. Take the maximum over time, one number per filter.",
            _text_cnn_forward__mean_over_time,
        ),
        Mistake(
            "scores_through_relu",
            "You apply a ReLU to the scores too. The last layer returns x @ w.T + b as it is.",
            _text_cnn_forward__scores_through_relu,
        ),
        Mistake(
            "probabilities",
            "You return probabilities. Return the scores: the softmax belongs to the loss.",
            _text_cnn_forward__probabilities,
        ),
        Mistake(
            "widths_swapped",
            "You join the features of the widths in another order. Keep the order of the list filters: the columns of "
            "w belong to it.",
            _text_cnn_forward__widths_swapped,
        ),
    ),
    other_ways=(
        OtherWay("text_by_text", _text_cnn_forward__text_by_text),
        OtherWay("hidden_as_zero", _text_cnn_forward__hidden_as_zero),
    ),
)

EXERCISES = (TEXT_CNN_FORWARD,)
