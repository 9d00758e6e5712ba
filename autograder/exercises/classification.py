"""Exercises on losses for classes: cross-entropy and the hinge."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case
from course_lib.numpy_kernels import log_softmax, softmax

# Case id to (N, C).
_PUBLIC = {"four examples": (4, 3), "batch of one": (1, 4), "more classes than examples": (2, 5), "float32": (3, 4)}
_SECRET = {
    "six examples": (6, 3),
    "batch of one": (1, 3),
    "more classes than examples": (3, 7),
    "as many classes as examples": (4, 4),
    "two classes": (5, 2),
    "one class": (3, 1),
    "float32": (5, 3),
}


def _scores(rng: np.random.Generator, n: int, c: int, scale: float, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores of n examples, and labels that name at least two classes where there are two examples and classes."""
    labels = rng.integers(0, c, n)
    if n > 1 and c > 1 and (labels == labels[0]).all():
        labels[0] = (labels[0] + 1) % c
    return draw(rng, n, c, scale=scale, dtype=dtype), labels


def _cross_entropy_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, c) in (_PUBLIC if public else _SECRET).items():
        logits, labels = _scores(rng, n, c, 2.0, "float32" if name == "float32" else "float64")
        cases.append(call_case(name, "cross_entropy", {"logits": logits, "labels": labels}))
    # The right class is far ahead, then far behind; then all scores are large, and close to each other.
    ahead = np.array([[1000.0, -1000.0, 0.0], [0.0, 900.0, -900.0]]) + draw(rng, 2, 3)
    far = {"far ahead and far behind": (ahead, np.array([0, 2])), "all very large": (1000 + ahead / 500, [1, 0])}
    if not public:
        tiny = ahead.astype("float32") / 5
        far |= {"all far below zero": (ahead / 500 - 1000, [2, 1]), "far apart in float32": (tiny, [2, 1])}
    for name, (logits, labels) in far.items():
        inputs = {"logits": logits, "labels": np.asarray(labels)}
        cases.append(call_case(name, "cross_entropy", inputs, kind="stability"))
    return tuple(cases)


def _cross_entropy__sum(logits, labels):
    return -log_softmax(logits)[np.arange(len(labels)), labels].sum()


def _cross_entropy__mean_over_classes(logits, labels):
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    return -np.mean(one_hot * log_softmax(logits))


def _cross_entropy__no_minus(logits, labels):
    return log_softmax(logits)[np.arange(len(labels)), labels].mean()


def _cross_entropy__no_softmax(logits, labels):
    return -logits[np.arange(len(labels)), labels].mean()


def _cross_entropy__no_logarithm(logits, labels):
    return -softmax(logits)[np.arange(len(labels)), labels].mean()


def _cross_entropy__softmax_twice(logits, labels):
    return -log_softmax(softmax(logits))[np.arange(len(labels)), labels].mean()


def _cross_entropy__columns(logits, labels):
    return -log_softmax(logits)[:, labels].mean()


def _cross_entropy__over_the_batch(logits, labels):
    return -log_softmax(logits.T).T[np.arange(len(labels)), labels].mean()


def _cross_entropy__overflow(logits, labels):
    with np.errstate(all="ignore"):
        powers = np.exp(logits)
        p = powers / powers.sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(labels)), labels]).mean()


def _cross_entropy__logarithm_of_zero(logits, labels):
    with np.errstate(all="ignore"):
        return -np.log(softmax(logits)[np.arange(len(labels)), labels]).mean()


def _cross_entropy__one_hot_gap(logits, labels):
    largest = logits.max(axis=1)
    total = np.einsum("nc->n", np.exp(logits - largest[:, None]))
    one_hot = (labels[:, None] == np.arange(logits.shape[1])).astype(logits.dtype)
    return np.mean(np.log(total) + np.einsum("nc,nc->n", one_hot, largest[:, None] - logits))


def _cross_entropy__logaddexp(logits, labels):
    normaliser = np.logaddexp.reduce(logits, axis=1)
    return np.mean(normaliser - np.take_along_axis(logits, labels[:, None], axis=1)[:, 0])


def _cross_entropy__row_by_row(logits, labels):
    import math

    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        gaps = [float(score) - float(row[label]) for score in row]
        highest = max(gaps)
        total += highest + math.log(sum(math.exp(gap - highest) for gap in gaps))
    return logits.dtype.type(total / len(labels))


CROSS_ENTROPY = Exercise(
    id="cross_entropy",
    topic="classification",
    points=2,
    cases=_cross_entropy_cases,
    mistakes=(
        Mistake(
            "sum",
            "You add up the examples. The loss is a mean over the batch: divide by their number.",
            _cross_entropy__sum,
        ),
        Mistake(
            "mean_over_classes",
            "You average over examples and classes. Each example counts once: divide by their number N, not by N * C.",
            _cross_entropy__mean_over_classes,
        ),
        Mistake(
            "no_minus",
            "The minus is missing. Logarithms of probabilities are negative, and a loss must fall when things get "
            "better.",
            _cross_entropy__no_minus,
        ),
        Mistake(
            "no_softmax",
            "You pick the scores themselves. Take log_softmax of the logits first, then pick the right class.",
            _cross_entropy__no_softmax,
        ),
        Mistake(
            "no_logarithm",
            "You pick probabilities. Cross-entropy takes their logarithm: use log_softmax instead of softmax.",
            _cross_entropy__no_logarithm,
        ),
        Mistake(
            "softmax_twice",
            "The softmax is applied twice. log_softmax takes the logits themselves, not probabilities.",
            _cross_entropy__softmax_twice,
        ),
        Mistake(
            "columns",
            "[:, labels] picks whole columns, N of them for every row. One number per row needs row numbers too: "
            "[np.arange(N), labels].",
            _cross_entropy__columns,
        ),
        Mistake(
            "over_the_batch",
            "Your softmax runs down the batch. Probabilities sum to 1 along the classes of one example: axis 1.",
            _cross_entropy__over_the_batch,
        ),
        Mistake(
            "overflow",
            "exp of a large score is infinite. Subtract the largest score of each row before exp, or use log_softmax.",
            _cross_entropy__overflow,
        ),
        Mistake(
            "logarithm_of_zero",
            "A probability that is rounded to 0 has no logarithm. Do not take the logarithm after the softmax: "
            "log_softmax does both in one step.",
            _cross_entropy__logarithm_of_zero,
        ),
    ),
    other_ways=(
        OtherWay("one_hot_gap", _cross_entropy__one_hot_gap),
        OtherWay("logaddexp", _cross_entropy__logaddexp),
        OtherWay("row_by_row", _cross_entropy__row_by_row),
    ),
)


def _hinge_loss_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, c) in (_PUBLIC if public else _SECRET).items():
        scores, labels = _scores(rng, n, c, 1.0, "float32" if name == "float32" else "float64")
        # A margin so wide that at least two other classes are inside it in some row.
        inputs = {"scores": scores, "labels": labels, "margin": draw_number(rng, 1.2, 2.6)}
        cases.append(call_case(name, "hinge_loss", inputs))
    scores, labels = _scores(rng, 3, 4, 1.0, "float64")
    cases.append(call_case("margin not given", "hinge_loss", {"scores": scores, "labels": labels}))
    # The right class wins by 10 everywhere: nothing is left to lose.
    won = scores + 10 * np.eye(4)[labels]
    cases.append(call_case("all far ahead", "hinge_loss", {"scores": won, "labels": labels, "margin": 0.5}))
    if not public:
        tied = np.repeat(draw(rng, 3, 1), 3, axis=1)
        inputs = {"scores": tied, "labels": np.array([2, 0, 1]), "margin": draw_number(rng, 0.3, 0.8)}
        cases.append(call_case("all classes tied", "hinge_loss", inputs))
    return tuple(cases)


def _hinge_loss__right_class_counted(scores, labels, margin=1.0):
    right = scores[np.arange(len(labels)), labels][:, None]
    return np.maximum(0, scores - right + margin).sum() / len(labels)


def _hinge_loss__mean_over_classes(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = np.maximum(0, scores - scores[rows, labels][:, None] + margin)
    gaps[rows, labels] = 0
    return gaps.mean()


def _hinge_loss__sum(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = np.maximum(0, scores - scores[rows, labels][:, None] + margin)
    gaps[rows, labels] = 0
    return gaps.sum()


def _hinge_loss__no_margin(scores, labels, margin=1.0):
    return np.maximum(0, scores - scores[np.arange(len(labels)), labels][:, None]).sum() / len(labels)


def _hinge_loss__margin_always_one(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = np.maximum(0, scores - scores[rows, labels][:, None] + 1)
    gaps[rows, labels] = 0
    return gaps.sum() / len(labels)


def _hinge_loss__turned(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = np.maximum(0, scores[rows, labels][:, None] - scores + margin)
    gaps[rows, labels] = 0
    return gaps.sum() / len(labels)


def _hinge_loss__not_cut(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = scores - scores[rows, labels][:, None] + margin
    gaps[rows, labels] = 0
    return gaps.sum() / len(labels)


def _hinge_loss__only_the_worst(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = np.maximum(0, scores - scores[rows, labels][:, None] + margin)
    gaps[rows, labels] = 0
    return gaps.max(axis=1).mean()


def _hinge_loss__squared(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    gaps = np.maximum(0, scores - scores[rows, labels][:, None] + margin)
    gaps[rows, labels] = 0
    return (gaps**2).sum() / len(labels)


def _hinge_loss__changes_scores(scores, labels, margin=1.0):
    rows = np.arange(len(labels))
    scores -= scores[rows, labels][:, None] - margin
    scores[rows, labels] = 0
    return np.maximum(0, scores).sum() / len(labels)


def _hinge_loss__row_by_row(scores, labels, margin=1.0):
    total = 0.0
    for row, label in zip(scores, labels, strict=True):
        others = [float(score) for j, score in enumerate(row) if j != label]
        total += sum(max(0.0, score - float(row[label]) + margin) for score in others)
    return scores.dtype.type(total / len(labels))


def _hinge_loss__others_only(scores, labels, margin=1.0):
    n, c = scores.shape
    other = np.arange(c) != labels[:, None]
    gaps = scores[other].reshape(n, c - 1) - np.take_along_axis(scores, labels[:, None], axis=1) + margin
    return ((gaps + np.abs(gaps)) / 2).sum(axis=1).mean()


def _hinge_loss__margin_taken_off(scores, labels, margin=1.0):
    right = np.einsum("nc,nc->n", scores, np.eye(scores.shape[1], dtype=scores.dtype)[labels])
    inside = scores + margin > right[:, None]
    # The right class is inside its own margin, by exactly the margin.
    return np.mean((inside * (scores + margin - right[:, None])).sum(axis=1) - margin)


HINGE_LOSS = Exercise(
    id="hinge_loss",
    topic="classification",
    points=2,
    cases=_hinge_loss_cases,
    mistakes=(
        Mistake(
            "right_class_counted",
            "The right class counts too: it is exactly the margin too close to itself, in every row. Leave it out, or "
            "set its entry to 0 before you add up.",
            _hinge_loss__right_class_counted,
        ),
        Mistake(
            "mean_over_classes",
            "You average over examples and classes. This loss adds up the classes and averages over the examples only.",
            _hinge_loss__mean_over_classes,
        ),
        Mistake(
            "sum",
            "You add up the examples. The loss is a mean over the batch: divide by their number.",
            _hinge_loss__sum,
        ),
        Mistake(
            "no_margin",
            "The margin is missing. A class also costs when it comes closer to the right one than the margin: add it "
            "inside the maximum.",
            _hinge_loss__no_margin,
        ),
        Mistake(
            "margin_always_one",
            "Your margin is always 1. Use the argument margin.",
            _hinge_loss__margin_always_one,
        ),
        Mistake(
            "turned",
            "The difference is the wrong way round. A high score of another class must cost: other minus right.",
            _hinge_loss__turned,
        ),
        Mistake(
            "not_cut",
            "Differences below zero pull your loss down. A class outside the margin costs nothing: take "
            "np.maximum(0, ...) of each difference.",
            _hinge_loss__not_cut,
        ),
        Mistake(
            "only_the_worst",
            "You count only the class that comes closest. Add up all other classes that are within the margin.",
            _hinge_loss__only_the_worst,
        ),
        Mistake(
            "squared",
            "You square the differences. This hinge grows in a straight line: add them up as they are.",
            _hinge_loss__squared,
        ),
        Mistake(
            "changes_scores",
            "Your value is right, but the array scores is changed. Write gaps = scores - ..., which makes a new array.",
            _hinge_loss__changes_scores,
        ),
    ),
    other_ways=(
        OtherWay("row_by_row", _hinge_loss__row_by_row),
        OtherWay("others_only", _hinge_loss__others_only),
        OtherWay("margin_taken_off", _hinge_loss__margin_taken_off),
    ),
)

EXERCISES = (CROSS_ENTROPY, HINGE_LOSS)
