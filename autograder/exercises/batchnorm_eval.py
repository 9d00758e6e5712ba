"""Exercise on batch normalisation of features in evaluation mode (topic `batchnorm`)."""

# ruff: noqa: PLR0913 - scales, shifts and two running estimates come with every input.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import affine, eps_of, estimates, values
from course_lib.cases import Case, call_case

# Case id to (N, D).
_PUBLIC = {
    "four examples": (4, 3),
    "batch of one": (1, 3),
    "all sizes equal": (3, 3),
    "small spread": (3, 2),
    "float32": (4, 2),
}
_SECRET = {
    "five examples": (5, 4),
    "batch of one": (1, 4),
    "one feature": (4, 1),
    "all sizes one": (1, 1),
    "all sizes equal": (4, 4),
    "small spread": (4, 3),
    "float32": (3, 5),
}


def _batchnorm_eval_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for case_id, (n, d) in (_PUBLIC if public else _SECRET).items():
        inputs = {"x": values(rng, case_id, n, d), **affine(rng, case_id, d), **estimates(rng, case_id, d)}
        if case_id == "small spread":
            inputs["running_var"] = inputs["running_var"] / 1000
        cases.append(call_case(case_id, "batchnorm_eval", {**inputs, "eps": eps_of(case_id)}))
    inputs = {"x": values(rng, "defaults", 3, 4), **affine(rng, "defaults", 4), **estimates(rng, "defaults", 4)}
    return (*cases, call_case("eps by default", "batchnorm_eval", inputs))


def _batchnorm_eval__batch_statistics(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


def _batchnorm_eval__batch_mean(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * (x - x.mean(axis=0)) / np.sqrt(running_var + eps) + beta


def _batchnorm_eval__no_mean(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * x / np.sqrt(running_var + eps) + beta


def _batchnorm_eval__no_root(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * (x - running_mean) / (running_var + eps) + beta


def _batchnorm_eval__eps_outside(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * (x - running_mean) / (np.sqrt(running_var) + eps) + beta


def _batchnorm_eval__no_eps(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * (x - running_mean) / np.sqrt(running_var) + beta


def _batchnorm_eval__no_gamma_beta(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return (x - running_mean) / np.sqrt(running_var + eps)


def _batchnorm_eval__shift_scaled(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * ((x - running_mean) / np.sqrt(running_var + eps) + beta)


def _batchnorm_eval__example_by_example(x, gamma, beta, running_mean, running_var, eps=1e-5):
    rows = []
    for row in x:
        columns = zip(row, gamma, beta, running_mean, running_var, strict=True)
        rows.append([g * (value - mean) * (var + eps) ** -0.5 + b for value, g, b, mean, var in columns])
    return np.array(rows, dtype=x.dtype)


def _batchnorm_eval__one_affine_layer(x, gamma, beta, running_mean, running_var, eps=1e-5):
    # In evaluation mode the layer is a fixed affine map: a diagonal matrix and a bias.
    w = np.diag(gamma / np.sqrt(running_var + eps))
    return x @ w.T + (beta - w @ running_mean)


BATCHNORM_EVAL = Exercise(
    id="batchnorm_eval",
    topic="batchnorm",
    points=1,
    cases=_batchnorm_eval_cases,
    mistakes=(
        Mistake(
            "batch_statistics",
            "You normalise with the mean and variance of the batch. In evaluation mode use running_mean and "
            "running_var, so that an answer does not depend on who else is in the batch.",
            _batchnorm_eval__batch_statistics,
        ),
        Mistake(
            "batch_mean",
            "The variance is right, but you subtract the mean of the batch. Subtract running_mean.",
            _batchnorm_eval__batch_mean,
        ),
        Mistake(
            "no_mean",
            "running_mean is never subtracted. Centre first: x - running_mean.",
            _batchnorm_eval__no_mean,
        ),
        Mistake(
            "no_root",
            "You divide by the variance. Divide by its root: sqrt(running_var + eps).",
            _batchnorm_eval__no_root,
        ),
        Mistake(
            "eps_outside",
            "You add eps to the standard deviation. It stands under the root: sqrt(running_var + eps).",
            _batchnorm_eval__eps_outside,
        ),
        Mistake(
            "no_eps",
            "eps is missing. Training adds it to the variance, so evaluation must as well: sqrt(running_var + eps).",
            _batchnorm_eval__no_eps,
        ),
        Mistake(
            "no_gamma_beta",
            "You return the normalised values. Scale and shift them: gamma * x_hat + beta.",
            _batchnorm_eval__no_gamma_beta,
        ),
        Mistake(
            "shift_scaled",
            "gamma multiplies beta too. Only the normalised values are scaled: gamma * x_hat + beta.",
            _batchnorm_eval__shift_scaled,
        ),
    ),
    other_ways=(
        OtherWay("example_by_example", _batchnorm_eval__example_by_example),
        OtherWay("one_affine_layer", _batchnorm_eval__one_affine_layer),
    ),
)

EXERCISES = (BATCHNORM_EVAL,)
