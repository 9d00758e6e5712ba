"""The exercise on ensembles."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to (models, examples, classes).
_PUBLIC = {"three models": (3, 4, 5), "one model": (1, 3, 4), "one example": (4, 1, 3), "float32": (2, 3, 4)}
_SECRET = {
    "four models": (4, 3, 5),
    "one model": (1, 2, 3),
    "one example": (3, 1, 4),
    "two classes": (3, 5, 2),
    "all sizes equal": (3, 3, 3),
    "float32": (3, 2, 5),
}
_LARGE = "Large scores overflow in exp. Subtract the largest score of each row first; the probabilities stay the same."


def _ensemble_predict_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, shape in (_PUBLIC if public else _SECRET).items():
        logits = draw(rng, *shape, scale=2.0, dtype="float32" if name == "float32" else "float64")
        cases.append(call_case(name, "ensemble_predict", {"logits": logits}))
    for name, sure in (("one sure model", 0.9), ("one very sure model", 0.999)):
        cases.append(call_case(name, "ensemble_predict", {"logits": _one_against_two(rng, sure)}))
    large = {"logits": draw(rng, 2, 3, 4) + 1000.0 * rng.choice([-1.0, 1.0], (2, 3, 1))}
    return (*cases, call_case("large scores", "ensemble_predict", large, kind="stability", says=_LARGE))


def _one_against_two(rng: np.random.Generator, sure: float) -> np.ndarray:
    """Scores of three models for one class against another: one model is sure, the other two lean the other way.

    At 0.9 against 0.4 the mean probability follows the sure model, and votes do not. At 0.999 against 0.2 the mean
    probability follows the two, and mean scores do not.
    """
    two = 0.4 if sure < 0.95 else 0.2
    p = np.array([[sure, 1 - sure], [two, 1 - two], [two, 1 - two]])[rng.permutation(3)]
    return np.round(np.log(p), 2)[:, None, :: int(rng.choice([-1, 1]))] + draw(rng, 3, 1, 1)


def _ensemble_predict__mean_scores(logits):
    z = logits.mean(axis=0)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p.argmax(axis=1), p


def _ensemble_predict__votes(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (e / e.sum(axis=-1, keepdims=True)).mean(axis=0)
    votes = logits.argmax(axis=-1)
    labels = np.array([np.bincount(column, minlength=p.shape[1]).argmax() for column in votes.T])
    return labels, p


def _ensemble_predict__labels_of_scores(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (e / e.sum(axis=-1, keepdims=True)).mean(axis=0)
    return logits.mean(axis=0).argmax(axis=1), p


def _ensemble_predict__no_softmax(logits):
    p = logits.mean(axis=0)
    return p.argmax(axis=1), p


def _ensemble_predict__sum(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (e / e.sum(axis=-1, keepdims=True)).sum(axis=0)
    return p.argmax(axis=1), p


def _ensemble_predict__over_examples(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (e / e.sum(axis=-1, keepdims=True)).mean(axis=1)
    return p.argmax(axis=1), p


def _ensemble_predict__softmax_over_models(logits):
    e = np.exp(logits - logits.max(axis=0, keepdims=True))
    p = (e / e.sum(axis=0, keepdims=True)).mean(axis=0)
    return p.argmax(axis=1), p


def _ensemble_predict__softmax_over_examples(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = (e / e.sum(axis=1, keepdims=True)).mean(axis=0)
    return p.argmax(axis=1), p


def _ensemble_predict__surest_model(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (e / e.sum(axis=-1, keepdims=True)).max(axis=0)
    return p.argmax(axis=1), p


def _ensemble_predict__overflow(logits):
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        p = (e / e.sum(axis=-1, keepdims=True)).mean(axis=0)
    return p.argmax(axis=1), p


def _ensemble_predict__only_labels(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True)).mean(axis=0).argmax(axis=1)


def _ensemble_predict__model_by_model(logits):
    total = np.zeros_like(logits[0])
    for scores in logits:
        for n, row in enumerate(scores):
            e = np.exp(row - row.max())
            total[n] += e / e.sum()
    p = total / len(logits)
    return p.argmax(axis=-1), p


def _ensemble_predict__log_space(logits):
    logp = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    p = np.exp(np.logaddexp.reduce(logp, axis=0)) / logits.dtype.type(len(logits))
    return np.argmax(p, axis=1), p


def _ensemble_predict__pairs_of_classes(logits):
    # p_c = 1 / sum_k exp(z_k - z_c): no maximum is needed, as infinity in the denominator is a probability of 0.
    with np.errstate(over="ignore"):
        p = 1 / np.exp(logits[..., None, :] - logits[..., :, None]).sum(axis=-1)
    p = np.einsum("mnc->nc", p) / logits.dtype.type(len(logits))
    return p.argmax(axis=1), p


ENSEMBLE_PREDICT = Exercise(
    id="ensemble_predict",
    topic="ensembles",
    points=2,
    cases=_ensemble_predict_cases,
    mistakes=(
        Mistake(
            "mean_scores",
            "You average the scores and take the softmax after. Here each model turns its scores into probabilities "
            "first; those are averaged.",
            _ensemble_predict__mean_scores,
        ),
        Mistake(
            "votes",
            "Your probabilities are right, but your labels count votes. Take the most probable class of the averaged "
            "probabilities, so that a sure model counts more.",
            _ensemble_predict__votes,
        ),
        Mistake(
            "labels_of_scores",
            "Your probabilities are right, but your labels come from averaged scores. Take argmax of the averaged "
            "probabilities.",
            _ensemble_predict__labels_of_scores,
        ),
        Mistake(
            "no_softmax",
            "You average scores and return them. Turn the scores of each model into probabilities with softmax first.",
            _ensemble_predict__no_softmax,
        ),
        Mistake(
            "sum",
            "You add the probabilities up without dividing by the number of models: each row should have the sum 1.",
            _ensemble_predict__sum,
        ),
        Mistake(
            "over_examples",
            "You average over the examples. The models are the first axis: use mean(axis=0).",
            _ensemble_predict__over_examples,
        ),
        Mistake(
            "softmax_over_models",
            "Your softmax runs over the models. It belongs along the last axis, over the classes of one model.",
            _ensemble_predict__softmax_over_models,
        ),
        Mistake(
            "softmax_over_examples",
            "Your softmax runs over the examples. logits has three axes: the classes are the last one, axis=-1 or "
            "axis=2.",
            _ensemble_predict__softmax_over_examples,
        ),
        Mistake(
            "surest_model",
            "You take the largest probability that any model gives. Average over the models instead.",
            _ensemble_predict__surest_model,
        ),
        Mistake("overflow", _LARGE, _ensemble_predict__overflow),
        Mistake(
            "only_labels",
            "You return the labels alone. Return both: labels, and the averaged probabilities.",
            _ensemble_predict__only_labels,
        ),
    ),
    other_ways=(
        OtherWay("model_by_model", _ensemble_predict__model_by_model),
        OtherWay("log_space", _ensemble_predict__log_space),
        OtherWay("pairs_of_classes", _ensemble_predict__pairs_of_classes),
    ),
)

EXERCISES = (ENSEMBLE_PREDICT,)
