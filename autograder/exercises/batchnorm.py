"""Exercise on batch normalisation of features in training mode (topic `batchnorm`)."""

# ruff: noqa: PLR0913 - scales, shifts and two running estimates come with every input.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import (
    SQUARES,
    read_training,
    refusing_case,
    training_case,
    training_inputs,
    untouched,
    values,
)
from course_lib.cases import Case, Step
from course_lib.tree import Handle

_ALONE = (
    "A batch of one example has no spread: x - mean is 0, and N - 1 divides by 0. Raise ValueError in training mode "
    "when len(x) < 2, as Torch does."
)
# Case id to (N, D).
_PUBLIC = {"four examples": (4, 3), "all sizes equal": (3, 3), "small spread": (4, 2), "float32": (5, 3)}
_SECRET = {
    "six examples": (6, 4),
    "all sizes equal": (4, 4),
    "two examples": (2, 3),
    "one feature": (5, 1),
    "one feature is constant": (4, 3),
    "small spread": (5, 3),
    "float32": (6, 2),
}


def _batchnorm_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = _PUBLIC if public else _SECRET
    name = "batchnorm_forward"
    cases = [training_case(name, case_id, training_inputs(rng, case_id, *sizes)) for case_id, sizes in table.items()]
    far = training_inputs(rng, "far from zero", 6, 4)
    alone = training_inputs(rng, "a batch of one", 1, 3)
    return (
        *cases,
        _two_batches(rng),
        training_case(name, "far from zero", far, kind="stability", says=SQUARES),
        refusing_case(name, "a batch of one", alone, _ALONE),
    )


def _two_batches(rng: np.random.Generator) -> Case:
    """The second batch starts from the estimates of the first; momentum and eps are left to their defaults."""
    inputs = training_inputs(rng, "two batches", 4, 3)
    del inputs["momentum"], inputs["eps"]
    inputs = {"first": inputs.pop("x"), "second": values(rng, "two batches", 5, 3), **inputs}
    learned = (Handle("gamma"), Handle("beta"))
    given = (Handle("first"), *learned, Handle("running_mean"), Handle("running_var"))
    first = Step("call", "one", "batchnorm_forward", given)
    second = Step("call", "two", "batchnorm_forward", (Handle("second"), *learned, Handle("one", 2), Handle("one", 3)))
    return Case("two batches", inputs, (first, second, *read_training("two"), *untouched(inputs)))


def _batchnorm_forward__unbiased_normalises(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__biased_estimate(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__momentum_reversed(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = momentum * running_mean + (1 - momentum) * mean
    running_var = momentum * running_var + (1 - momentum) * x.var(axis=0, ddof=1)
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__momentum_reversed_and_biased(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = momentum * running_mean + (1 - momentum) * mean
    running_var = momentum * running_var + (1 - momentum) * var
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__eps_outside(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    inv_std = 1 / (np.sqrt(var) + eps)
    x_hat = (x - mean) * inv_std
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
    return gamma * x_hat + beta, (x_hat, inv_std, gamma), running_mean, running_var


def _batchnorm_forward__no_root(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / (var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
    return gamma * x_hat + beta, (x_hat, 1 / (var + eps), gamma), running_mean, running_var


def _batchnorm_forward__over_features(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(x)
    if n < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=1), x.var(axis=1)
    x_hat = (x - mean[:, None]) / np.sqrt(var + eps)[:, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__all_features_together(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(), x.var()
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * x.var(ddof=1)
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__no_gamma_beta(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
    return x_hat, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__running_normalises(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var
    inv_std = 1 / np.sqrt(running_var + eps)
    x_hat = (x - running_mean) * inv_std
    return gamma * x_hat + beta, (x_hat, inv_std, gamma), running_mean, running_var


def _batchnorm_forward__squares_minus_square(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(x)
    if n < 2:
        raise ValueError("one example")
    mean = x.mean(axis=0)
    # Rounding may leave it below 0; the larger of both keeps the root quiet.
    var = np.maximum((x**2).mean(axis=0) - mean**2, 0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__estimates_in_place(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if len(x) < 2:
        raise ValueError("one example")
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean *= 1 - momentum
    running_mean += momentum * mean
    running_var *= 1 - momentum
    running_var += momentum * x.var(axis=0, ddof=1)
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__one_example_accepted(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(x)
    mean, var = x.mean(axis=0), x.var(axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / max(n - 1, 1) * var
    return gamma * x_hat + beta, (x_hat, 1 / np.sqrt(var + eps), gamma), running_mean, running_var


def _batchnorm_forward__feature_by_feature(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(x)
    if n < 2:
        raise ValueError("one example")
    x_hat, inv_std = np.empty_like(x), np.empty_like(gamma)
    new_mean, new_var = np.empty_like(gamma), np.empty_like(gamma)
    for j in range(x.shape[1]):
        mean = sum(x[:, j]) / n
        squares = sum((value - mean) ** 2 for value in x[:, j])
        inv_std[j] = (squares / n + eps) ** -0.5
        x_hat[:, j] = (x[:, j] - mean) * inv_std[j]
        new_mean[j] = running_mean[j] + momentum * (mean - running_mean[j])
        new_var[j] = running_var[j] + momentum * (squares / (n - 1) - running_var[j])
    return x_hat * gamma + beta, (x_hat, inv_std, gamma), new_mean, new_var


def _batchnorm_forward__pairs(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    # Half the mean square of all differences between two examples is the variance.
    n = len(x)
    if n < 2:
        raise ValueError("one example")
    differences = x[:, None] - x[None]
    squares = np.einsum("abd,abd->d", differences, differences) / (2 * n)
    inv_std = np.sqrt(n / (squares + n * eps))
    x_hat = differences.mean(axis=1) * inv_std
    new_mean = np.stack([running_mean, x.mean(axis=0)]).T @ np.array([1 - momentum, momentum], x.dtype)
    new_var = np.stack([running_var, squares / (n - 1)]).T @ np.array([1 - momentum, momentum], x.dtype)
    return np.einsum("nd,d->nd", x_hat, gamma) + beta, (x_hat, inv_std, gamma), new_mean, new_var


BATCHNORM_FORWARD = Exercise(
    id="batchnorm_forward",
    topic="batchnorm",
    points=3,
    cases=_batchnorm_forward_cases,
    mistakes=(
        Mistake(
            "unbiased_normalises",
            "You normalise with the variance that divides by N - 1. Inside the batch divide by N; N - 1 is only for "
            "the running estimate.",
            _batchnorm_forward__unbiased_normalises,
        ),
        Mistake(
            "biased_estimate",
            "out is right, the new running variance is too small. What enters the estimate divides by N - 1: multiply "
            "the variance of the batch by N / (N - 1) there.",
            _batchnorm_forward__biased_estimate,
        ),
        Mistake(
            "momentum_reversed",
            "momentum is on the wrong side. As in Torch it is the weight of the new batch: "
            "(1 - momentum) * running + momentum * batch.",
            _batchnorm_forward__momentum_reversed,
        ),
        Mistake(
            "momentum_reversed_and_biased",
            "Both estimates are off. momentum is the weight of the new batch: (1 - momentum) * running + momentum * "
            "batch. And the variance that enters divides by N - 1.",
            _batchnorm_forward__momentum_reversed_and_biased,
        ),
        Mistake(
            "eps_outside",
            "You add eps to the standard deviation. It stands under the root, beside the variance: sqrt(var + eps).",
            _batchnorm_forward__eps_outside,
        ),
        Mistake(
            "no_root",
            "You divide by the variance. Divide by its root, the standard deviation: sqrt(var + eps).",
            _batchnorm_forward__no_root,
        ),
        Mistake(
            "over_features",
            "You take mean and variance over the features of each example. Batch normalisation takes them over the "
            "examples, for each feature: axis=0.",
            _batchnorm_forward__over_features,
        ),
        Mistake(
            "all_features_together",
            "You use one mean and one variance for everything. Each feature has its own: use axis=0.",
            _batchnorm_forward__all_features_together,
        ),
        Mistake(
            "no_gamma_beta",
            "You return the normalised values. The layer then scales and shifts each feature: gamma * x_hat + beta.",
            _batchnorm_forward__no_gamma_beta,
        ),
        Mistake(
            "running_normalises",
            "You normalise with the running estimates. In training mode the mean and variance of this batch do that; "
            "the estimates are only kept up to date.",
            _batchnorm_forward__running_normalises,
        ),
        Mistake(
            "squares_minus_square",
            "mean(x**2) - mean(x)**2 subtracts two nearly equal numbers when x is far from zero, and the digits are "
            "lost. Subtract the mean first, then average the squares.",
            _batchnorm_forward__squares_minus_square,
        ),
        Mistake(
            "estimates_in_place",
            "Your values are right, but the old running estimates are changed in place. Make new arrays: "
            "(1 - momentum) * running_mean + momentum * mean.",
            _batchnorm_forward__estimates_in_place,
        ),
        Mistake(
            "one_example_accepted",
            "A batch of one example is accepted, and its output is beta whatever x is. Raise ValueError when "
            "len(x) < 2.",
            _batchnorm_forward__one_example_accepted,
        ),
    ),
    other_ways=(
        OtherWay("feature_by_feature", _batchnorm_forward__feature_by_feature),
        OtherWay("pairs", _batchnorm_forward__pairs),
    ),
)

EXERCISES = (BATCHNORM_FORWARD,)
