"""Exercises on softmax and cross-entropy as one layer, forward and backward (topic `classification`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Tree

_CACHE = (
    "The cache is (e, total, labels): exp of the scores minus the largest of their row, shape (N, C); the row sums as "
    "a plain row, shape (N,), without keepdims; and the labels. The backward pass relies on that."
)
_FAR = "exp overflows for large scores, or turns to 0 in a whole row. Subtract from each row its own largest score."
# Case id to (N, C).
_PUBLIC = {"four examples": (4, 3), "batch of one": (1, 4), "all sizes equal": (3, 3), "float32": (3, 2)}
_SECRET = {
    "five examples": (5, 3),
    "batch of one": (1, 3),
    "two classes": (4, 2),
    "all sizes equal": (4, 4),
    "more classes than examples": (2, 6),
    "float32": (3, 5),
}


def _scores(rng: np.random.Generator, name: str, n: int, classes: int) -> dict[str, Tree]:
    dtype = "float32" if name == "float32" else "float64"
    labels = rng.integers(0, classes, n)
    # Two examples of the same class: a mistake that mixes rows up must show.
    labels[: min(2, n)] = labels[0]
    return {"logits": draw(rng, n, classes, scale=2.0, dtype=dtype), "labels": labels}


def _far_rows(rng: np.random.Generator) -> dict[str, Tree]:
    """Rows around +1000 and -1000, with labels that are not the largest."""
    logits = draw(rng, 3, 3, scale=2.0) + np.array([[1000.0], [-1000.0], [0.0]])
    return {"logits": logits, "labels": logits.argmin(axis=1)}


def _softmax_cross_entropy_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    function = "softmax_cross_entropy_forward"
    cases = [
        call_case(name, function, _scores(rng, name, *sizes), item=0)
        for name, sizes in (_PUBLIC if public else _SECRET).items()
    ]
    kept = _scores(rng, "the cache", 4 if public else 5, 3)
    call = Step("call", "result", function, (Handle("logits"), Handle("labels")))
    reads = (
        Step("read", "loss", "", (Handle("result", 0),)),
        Step("read", "cache", "", (Handle("result", 1),), kind="convention"),
        *(Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in kept),
    )
    cases.append(Case("the cache", kept, (call, *reads), _CACHE))
    return (*cases, call_case("rows far apart", function, _far_rows(rng), item=0, kind="stability", says=_FAR))


def _softmax_cross_entropy_forward__no_shift(logits, labels):
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        total = e.sum(axis=1)
        loss = np.mean(np.log(total) - logits[np.arange(len(labels)), labels])
    return loss, (e, total, labels)


def _softmax_cross_entropy_forward__one_shift_for_all(logits, labels):
    with np.errstate(all="ignore"):
        z = logits - logits.max()
        e = np.exp(z)
        total = e.sum(axis=1)
        loss = np.mean(np.log(total) - z[np.arange(len(labels)), labels])
    return loss, (e, total, labels)


def _softmax_cross_entropy_forward__sum(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1)
    return np.sum(np.log(total) - z[np.arange(len(labels)), labels]), (e, total, labels)


def _softmax_cross_entropy_forward__mean_of_all(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1)
    return np.sum(np.log(total) - z[np.arange(len(labels)), labels]) / logits.size, (e, total, labels)


def _softmax_cross_entropy_forward__wrong_sign(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1)
    return np.mean(z[np.arange(len(labels)), labels] - np.log(total)), (e, total, labels)


def _softmax_cross_entropy_forward__all_classes(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1)
    return np.sum(np.log(total)[:, None] - z) / len(logits), (e, total, labels)


def _softmax_cross_entropy_forward__columns(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1)
    return np.mean(np.log(total)[:, None] - z[:, labels]), (e, total, labels)


def _softmax_cross_entropy_forward__across_the_batch(logits, labels):
    z = logits - logits.max(axis=0)
    e = np.exp(z)
    total = e.sum(axis=0)
    right = np.arange(len(labels)), labels
    return np.mean(np.log(total)[labels] - z[right]), (e, total, labels)


def _softmax_cross_entropy_forward__total_keeps_its_axis(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=1, keepdims=True)
    return np.mean(np.log(total) - z[np.arange(len(labels)), labels]), (e, total, labels)


def _softmax_cross_entropy_forward__log_of_softmax(logits, labels):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean(), (np.exp(z), np.exp(z).sum(axis=1), labels)


def _softmax_cross_entropy_forward__logaddexp(logits, labels):
    loss = logits.dtype.type(0)
    for row, label in zip(logits, labels, strict=True):
        loss += (np.logaddexp.reduce(row) - row[label]) / logits.dtype.type(len(logits))
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return loss, (e, e.sum(axis=1), labels)


def _softmax_cross_entropy_forward__one_hot(logits, labels):
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    z = logits - (logits * one_hot).sum(axis=1, keepdims=True)
    top = z.max(axis=1)
    loss = (top + np.log(np.exp(z - top[:, None]).sum(axis=1))).sum() / len(logits)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return loss, (e, e.sum(axis=1), labels)


SOFTMAX_CROSS_ENTROPY_FORWARD = Exercise(
    id="softmax_cross_entropy_forward",
    topic="classification",
    points=1,
    cases=_softmax_cross_entropy_forward_cases,
    mistakes=(
        Mistake("no_shift", _FAR, _softmax_cross_entropy_forward__no_shift),
        Mistake(
            "one_shift_for_all",
            "You subtract the largest score of the whole batch, and exp turns rows far below it to 0. Subtract from "
            "each row its own largest score: axis=1, keepdims=True.",
            _softmax_cross_entropy_forward__one_shift_for_all,
        ),
        Mistake(
            "sum",
            "You add the losses of the examples up. Losses are means here: divide by the number of examples.",
            _softmax_cross_entropy_forward__sum,
        ),
        Mistake(
            "mean_of_all",
            "You divide by the number of examples times classes. Divide by the number of examples.",
            _softmax_cross_entropy_forward__mean_of_all,
        ),
        Mistake(
            "wrong_sign",
            "Your loss is below 0. It is minus the log of the right class's probability: log(total) - z of the label.",
            _softmax_cross_entropy_forward__wrong_sign,
        ),
        Mistake(
            "all_classes",
            "You add up the losses of all classes. Only the class of the label counts: pick one entry per row.",
            _softmax_cross_entropy_forward__all_classes,
        ),
        Mistake(
            "columns",
            "z[:, labels] picks whole columns. To pick one entry per row, write z[np.arange(len(labels)), labels].",
            _softmax_cross_entropy_forward__columns,
        ),
        Mistake(
            "across_the_batch",
            "Your softmax runs over the examples. It runs over the classes of each example: axis=1.",
            _softmax_cross_entropy_forward__across_the_batch,
        ),
        Mistake(
            "total_keeps_its_axis",
            "Your loss is right by luck: total has shape (N, 1), and minus a row it grows to (N, N), whose mean is the "
            "same. In the cache total has shape (N,): e.sum(axis=1), without keepdims.",
            _softmax_cross_entropy_forward__total_keeps_its_axis,
        ),
    ),
    other_ways=(
        OtherWay("log_of_softmax", _softmax_cross_entropy_forward__log_of_softmax),
        OtherWay("logaddexp", _softmax_cross_entropy_forward__logaddexp),
        OtherWay("one_hot", _softmax_cross_entropy_forward__one_hot),
    ),
)


def _softmax_cross_entropy_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    layer, cases = "softmax_cross_entropy", []
    for name, sizes in (_PUBLIC if public else _SECRET).items():
        inputs = _scores(rng, name, *sizes) | {"dout": draw_number(rng, 1.5, 4.0)}
        cases.append(forward_then_backward(name, layer, inputs))
    twice = _scores(rng, "called twice", 3, 4) | {"dout": -draw_number(rng, 1.5, 4.0)}
    far = _far_rows(rng) | {"dout": draw_number(rng, 1.5, 4.0)}
    return (
        *cases,
        forward_then_backward("called twice", layer, twice, twice=True),
        forward_then_backward("rows far apart", layer, far, kind="stability"),
    )


def _softmax_cross_entropy_backward__no_average(dout, cache):
    e, total, labels = cache
    dz = e / total[:, None]
    dz[np.arange(len(labels)), labels] -= 1
    return dout * dz


def _softmax_cross_entropy_backward__no_upstream(dout, cache):
    e, total, labels = cache
    dz = e / total[:, None]
    dz[np.arange(len(labels)), labels] -= 1
    return dz / len(labels)


def _softmax_cross_entropy_backward__wrong_sign(dout, cache):
    e, total, labels = cache
    dz = -e / total[:, None]
    dz[np.arange(len(labels)), labels] += 1
    return dout * dz / len(labels)


def _softmax_cross_entropy_backward__no_label(dout, cache):
    e, total, labels = cache
    return dout * (e / total[:, None]) / len(labels)


def _softmax_cross_entropy_backward__columns(dout, cache):
    e, total, labels = cache
    dz = e / total[:, None]
    dz[:, labels] -= 1
    return dout * dz / len(labels)


def _softmax_cross_entropy_backward__mean_of_all(dout, cache):
    e, total, labels = cache
    dz = e / total[:, None]
    dz[np.arange(len(labels)), labels] -= 1
    return dout * dz / dz.size


def _softmax_cross_entropy_backward__not_divided(dout, cache):
    e, total, labels = cache
    dz = e.copy()
    dz[np.arange(len(labels)), labels] -= 1
    return dout * dz / len(labels)


def _softmax_cross_entropy_backward__label_only(dout, cache):
    e, total, labels = cache
    right = np.arange(len(labels)), labels
    dz = np.zeros_like(e)
    dz[right] = e[right] / total - 1
    return dout * dz / len(labels)


def _softmax_cross_entropy_backward__no_axis(dout, cache):
    e, total, labels = cache
    dz = e / total
    dz[np.arange(len(labels)), labels] -= 1
    return dout * dz / len(labels)


def _softmax_cross_entropy_backward__mean_of_classes(dout, cache):
    e, total, labels = cache
    dz = e / total[:, None]
    dz[np.arange(len(labels)), labels] -= 1
    return dout * dz / e.shape[1]


def _softmax_cross_entropy_backward__changes_the_cache(dout, cache):
    e, total, labels = cache
    e /= total[:, None]
    e[np.arange(len(labels)), labels] -= 1
    return dout * e / len(labels)


def _softmax_cross_entropy_backward__one_hot(dout, cache):
    e, total, labels = cache
    one_hot = np.eye(e.shape[1], dtype=e.dtype)[labels]
    return (e / total[:, None] - one_hot) * (dout / len(labels))


def _softmax_cross_entropy_backward__by_jacobian(dout, cache):
    e, total, labels = cache
    out = np.empty_like(e)
    for n, label in enumerate(labels):
        p = e[n] / total[n]
        # d log p[label] / dz is a row of the Jacobian of log softmax: one-hot minus p.
        rows = np.eye(len(p), dtype=e.dtype) - p
        out[n] = -rows[label] * dout / len(labels)
    return out


def _softmax_cross_entropy_backward__entry_by_entry(dout, cache):
    e, total, labels = cache
    out = np.empty_like(e)
    for n in range(e.shape[0]):
        for j in range(e.shape[1]):
            out[n, j] = dout * (e[n, j] / total[n] - (1 if labels[n] == j else 0)) / e.shape[0]
    return out


SOFTMAX_CROSS_ENTROPY_BACKWARD = Exercise(
    id="softmax_cross_entropy_backward",
    topic="classification",
    points=2,
    cases=_softmax_cross_entropy_backward_cases,
    uses=("softmax_cross_entropy_forward",),
    mistakes=(
        Mistake(
            "no_average",
            "Your gradient is N times too large. The loss is a mean over the batch: divide by the number of examples.",
            _softmax_cross_entropy_backward__no_average,
        ),
        Mistake(
            "no_upstream",
            "dout is not used. Whatever follows the loss may scale it: multiply by dout.",
            _softmax_cross_entropy_backward__no_upstream,
        ),
        Mistake(
            "wrong_sign",
            "Your gradient points downhill. It is softmax minus one-hot, not the other way round.",
            _softmax_cross_entropy_backward__wrong_sign,
        ),
        Mistake(
            "no_label",
            "You return the probabilities alone. Subtract 1 at the label of each row.",
            _softmax_cross_entropy_backward__no_label,
        ),
        Mistake(
            "columns",
            "[:, labels] picks whole columns, so every row loses the 1 of every label. Pick one entry per row: "
            "[np.arange(len(labels)), labels].",
            _softmax_cross_entropy_backward__columns,
        ),
        Mistake(
            "mean_of_all",
            "You divide by the number of examples times classes. The loss divides by the number of examples only.",
            _softmax_cross_entropy_backward__mean_of_all,
        ),
        Mistake(
            "not_divided",
            "You subtract 1 from exp of the scores. Divide each row by its total first: that is the softmax.",
            _softmax_cross_entropy_backward__not_divided,
        ),
        Mistake(
            "label_only",
            "Only the entries of the labels have a gradient in yours. The other classes get their probability.",
            _softmax_cross_entropy_backward__label_only,
        ),
        Mistake(
            "no_axis",
            "e / total lines total up with the columns. Each row has its own total: e / total[:, None].",
            _softmax_cross_entropy_backward__no_axis,
        ),
        Mistake(
            "mean_of_classes",
            "You divide by the number of classes. The loss is a mean over the examples: divide by their number.",
            _softmax_cross_entropy_backward__mean_of_classes,
        ),
        Mistake(
            "changes_the_cache",
            "Your values are right the first time, but the cache is changed in place: /= and -= work inside it. Make "
            "a new array first.",
            _softmax_cross_entropy_backward__changes_the_cache,
        ),
    ),
    other_ways=(
        OtherWay("one_hot", _softmax_cross_entropy_backward__one_hot),
        OtherWay("by_jacobian", _softmax_cross_entropy_backward__by_jacobian),
        OtherWay("entry_by_entry", _softmax_cross_entropy_backward__entry_by_entry),
    ),
)

EXERCISES = (SOFTMAX_CROSS_ENTROPY_FORWARD, SOFTMAX_CROSS_ENTROPY_BACKWARD)
