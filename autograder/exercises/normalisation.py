"""Exercise on layer normalisation (topic `normalisation`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import affine, eps_of, values
from course_lib.cases import Case, Kind, call_case

# Case id to the shape of x; the last axis holds the features.
_PUBLIC = {
    "four examples": (4, 3),
    "one example": (1, 4),
    "words of a text": (2, 3, 4),
    "all sizes equal": (3, 3),
    "small spread": (3, 4),
    "float32": (3, 5),
}
_SECRET = {
    "five examples": (5, 4),
    "one example": (1, 5),
    "words of a text": (3, 2, 5),
    "a single vector": (6,),
    "one feature": (4, 1),
    "all sizes equal": (4, 4),
    "small spread": (4, 3),
    "float32": (2, 3, 4),
}


def _layernorm_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, case_id, shape) for case_id, shape in (_PUBLIC if public else _SECRET).items()]
    return (*cases, _one_case(rng, "far from zero", (4, 6), kind="stability"))


def _one_case(rng: np.random.Generator, case_id: str, shape: tuple[int, ...], kind: Kind = "core") -> Case:
    inputs = {"x": values(rng, case_id, *shape), **affine(rng, case_id, shape[-1]), "eps": eps_of(case_id)}
    return call_case(case_id, "layernorm_forward", inputs, item=0, kind=kind)


def _layernorm_forward__over_the_batch(x, gamma, beta, eps=1e-5):
    x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__everything_together(x, gamma, beta, eps=1e-5):
    x_hat = (x - x.mean()) / np.sqrt(x.var() + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__second_axis(x, gamma, beta, eps=1e-5):
    axis = min(1, x.ndim - 1)
    x_hat = (x - x.mean(axis=axis, keepdims=True)) / np.sqrt(x.var(axis=axis, keepdims=True) + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__whole_text(x, gamma, beta, eps=1e-5):
    axes = tuple(range(1, x.ndim)) or None
    x_hat = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__unbiased(x, gamma, beta, eps=1e-5):
    centred, d = x - x.mean(axis=-1, keepdims=True), x.shape[-1]
    var = (centred**2).sum(axis=-1, keepdims=True) / max(d - 1, 1)
    x_hat = centred / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__eps_outside(x, gamma, beta, eps=1e-5):
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__no_eps(x, gamma, beta, eps=1e-5):
    with np.errstate(invalid="ignore"):  # one feature: 0 / 0
        x_hat = (x - x.mean(axis=-1, keepdims=True)) / x.std(axis=-1, keepdims=True)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__no_root(x, gamma, beta, eps=1e-5):
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / (x.var(axis=-1, keepdims=True) + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__gamma_per_example(x, gamma, beta, eps=1e-5):
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return gamma[:, None] * x_hat + beta[:, None], (x_hat, gamma)


def _layernorm_forward__no_gamma_beta(x, gamma, beta, eps=1e-5):
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return x_hat, (x_hat, gamma)


def _layernorm_forward__mean_left(x, gamma, beta, eps=1e-5):
    x_hat = x / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__squares_minus_square(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=-1, keepdims=True)
    var = np.maximum((x**2).mean(axis=-1, keepdims=True) - mean**2, 0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, gamma)


def _layernorm_forward__row_by_row(x, gamma, beta, eps=1e-5):
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        centred = row - sum(row) / len(row)
        rows.append(gamma * centred * (centred @ centred / len(row) + eps) ** -0.5 + beta)
    return np.array(rows, dtype=x.dtype).reshape(x.shape), (x, gamma)


def _layernorm_forward__centring_matrix(x, gamma, beta, eps=1e-5):
    # Subtracting the mean is a projection; the variance is the squared length of what is left, over D.
    d = x.shape[-1]
    centred = x - x @ np.full((d, d), 1 / d, x.dtype)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return centred * gamma / np.sqrt(length**2 / d + eps) + beta, (centred, gamma)


def _layernorm_forward__features_first(x, gamma, beta, eps=1e-5):
    # Turned round, it is the arithmetic of batch normalisation: statistics down the first axis.
    columns = np.moveaxis(x, -1, 0)
    columns = (columns - columns.mean(axis=0)) / np.sqrt(columns.var(axis=0) + eps)
    return np.moveaxis(columns, 0, -1) * gamma + beta, (columns, gamma)


LAYERNORM_FORWARD = Exercise(
    id="layernorm_forward",
    topic="normalisation",
    points=2,
    cases=_layernorm_forward_cases,
    mistakes=(
        Mistake(
            "over_the_batch",
            "You take mean and variance over the batch, as batch normalisation does. Layer normalisation takes them "
            "over the features of each example: axis=-1.",
            _layernorm_forward__over_the_batch,
        ),
        Mistake(
            "everything_together",
            "You use one mean and one variance for everything. Each row has its own: axis=-1, keepdims=True.",
            _layernorm_forward__everything_together,
        ),
        Mistake(
            "second_axis",
            "You normalise along axis 1. That holds the features only when x has two axes: use the last axis, axis=-1.",
            _layernorm_forward__second_axis,
        ),
        Mistake(
            "whole_text",
            "With three axes you normalise all words of a text together. Each word has its own mean and variance: use "
            "the last axis only, axis=-1.",
            _layernorm_forward__whole_text,
        ),
        Mistake(
            "unbiased",
            "Your variance divides by D - 1. Inside a normalisation divide by D.",
            _layernorm_forward__unbiased,
        ),
        Mistake(
            "eps_outside",
            "You add eps to the standard deviation. It stands under the root, beside the variance: sqrt(var + eps).",
            _layernorm_forward__eps_outside,
        ),
        Mistake(
            "no_eps",
            "eps is missing. It stands under the root, beside the variance: sqrt(var + eps); without it equal features "
            "divide 0 by 0.",
            _layernorm_forward__no_eps,
        ),
        Mistake(
            "no_root",
            "You divide by the variance. Divide by its root, the standard deviation: sqrt(var + eps).",
            _layernorm_forward__no_root,
        ),
        Mistake(
            "gamma_per_example",
            "gamma and beta are applied along the wrong axis. Each belongs to a feature, the last axis: gamma * x_hat "
            "does it without reshaping.",
            _layernorm_forward__gamma_per_example,
        ),
        Mistake(
            "no_gamma_beta",
            "You return the normalised values. The layer then scales and shifts each feature: gamma * x_hat + beta.",
            _layernorm_forward__no_gamma_beta,
        ),
        Mistake(
            "mean_left",
            "The mean is never subtracted. Centre each row before you divide: x - mean.",
            _layernorm_forward__mean_left,
        ),
        Mistake(
            "squares_minus_square",
            "mean(x**2) - mean(x)**2 loses its digits when x is far from zero. Subtract the mean first, then average "
            "the squares.",
            _layernorm_forward__squares_minus_square,
        ),
    ),
    other_ways=(
        OtherWay("row_by_row", _layernorm_forward__row_by_row),
        OtherWay("centring_matrix", _layernorm_forward__centring_matrix),
        OtherWay("features_first", _layernorm_forward__features_first),
    ),
)

EXERCISES = (LAYERNORM_FORWARD,)
