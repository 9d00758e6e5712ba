"""Exercise on the backward pass of batch normalisation, through its graph (topic `batchnorm`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import backward_case, training_inputs
from autograder.exercises._draw import draw
from course_lib.cases import Case

# Case id to (N, D).
PUBLIC = {"four examples": (4, 3), "all sizes equal": (3, 3), "small spread": (5, 2), "float32": (5, 3)}
SECRET = {
    "six examples": (6, 4),
    "all sizes equal": (4, 4),
    "one feature": (5, 1),
    "small spread": (5, 3),
    "two examples": (2, 3),
    "float32": (6, 2),
}


def passes(function: str, rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    """Forward and back through the layer, with an upstream gradient that is drawn."""
    table = (PUBLIC if public else SECRET) | {"called twice": (4, 2)}
    cases = []
    for case_id, sizes in table.items():
        inputs = training_inputs(rng, case_id, *sizes)
        inputs["dout"] = draw(rng, *sizes, dtype=inputs["x"].dtype.name)
        cases.append(backward_case(function, case_id, inputs, twice=case_id == "called twice"))
    return tuple(cases)


def _batchnorm_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return passes("batchnorm_backward", rng, public)


def _batchnorm_backward__statistics_constant(dout, cache):
    x_hat, inv_std, gamma = cache
    return dout * gamma * inv_std, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__variance_constant(dout, cache):
    x_hat, inv_std, gamma = cache
    dcentred = dout * gamma * inv_std
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__mean_constant(dout, cache):
    x_hat, inv_std, gamma = cache
    g = dout * gamma
    dinv_std = (g * x_hat / inv_std).sum(axis=0)
    dvar = -0.5 * inv_std**3 * dinv_std
    dx = g * inv_std + 2 / len(dout) * dvar * x_hat / inv_std
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__variance_sign(dout, cache):
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = 0.5 * inv_std**3 * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 / len(dout) * dvar * centred
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__variance_power(dout, cache):
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = -0.5 * inv_std**2 * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 / len(dout) * dvar * centred
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__variance_no_power(dout, cache):
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = -0.5 * inv_std * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 / len(dout) * dvar * centred
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__cache_of_centred(dout, cache):
    # What a right backward pass makes of a cache that begins with the centred values.
    x_hat, inv_std, gamma = cache
    x_hat, g = x_hat / inv_std, dout * gamma
    centred = x_hat / inv_std
    dvar = -0.5 * inv_std**3 * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 / len(dout) * dvar * centred
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__variance_not_averaged(dout, cache):
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = -0.5 * inv_std**3 * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 * dvar * centred
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__n_minus_one(dout, cache):
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = -0.5 * inv_std**3 * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 / (len(dout) - 1) * dvar * centred
    return dcentred - dcentred.mean(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__mean_not_averaged(dout, cache):
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = -0.5 * inv_std**3 * (g * centred).sum(axis=0)
    dcentred = g * inv_std + 2 / len(dout) * dvar * centred
    return dcentred - dcentred.sum(axis=0), (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__no_gamma(dout, cache):
    x_hat, inv_std, gamma = cache
    dx = inv_std * (dout - dout.mean(axis=0) - x_hat * (dout * x_hat).mean(axis=0))
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__scale_like_shift(dout, cache):
    x_hat, inv_std, gamma = cache
    dx = gamma * inv_std * (dout - dout.mean(axis=0) - x_hat * (dout * x_hat).mean(axis=0))
    return dx, dout.sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__scale_with_gamma(dout, cache):
    x_hat, inv_std, gamma = cache
    dx = gamma * inv_std * (dout - dout.mean(axis=0) - x_hat * (dout * x_hat).mean(axis=0))
    return dx, (gamma * dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward__parameters_averaged(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).mean(axis=0), dout.mean(axis=0)
    return gamma * inv_std * (dout - dbeta - x_hat * dgamma), dgamma, dbeta


def _batchnorm_backward__changes_dout(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    dout -= dbeta / len(dout) + x_hat * (dgamma / len(dout))
    dout *= gamma * inv_std
    return dout, dgamma, dbeta


def _batchnorm_backward__jacobian(dout, cache):
    # d out[i] / d x[j] of one feature, as a matrix over the batch.
    x_hat, inv_std, gamma = cache
    n, dx = len(dout), np.empty_like(dout)
    for k in range(dout.shape[1]):
        column = x_hat[:, k]
        slopes = np.eye(n, dtype=dout.dtype) - 1 / n - np.outer(column, column) / n
        dx[:, k] = gamma[k] * inv_std[k] * (slopes.T @ dout[:, k])
    return dx, np.einsum("nd,nd->d", dout, x_hat), np.einsum("nd->d", dout)


def _batchnorm_backward__two_paths_of_the_mean(dout, cache):
    # The graph of the paper: x reaches out directly, through the variance and through the mean.
    x_hat, inv_std, gamma = cache
    g, centred = dout * gamma, x_hat / inv_std
    dvar = (g * centred).sum(axis=0) * (-inv_std * inv_std * inv_std / 2)
    dmean = -(g * inv_std).sum(axis=0) - 2 * dvar * centred.mean(axis=0)
    dx = g * inv_std + (dvar * 2 * centred + dmean) / len(dout)
    return dx, (x_hat * dout).sum(axis=0), np.ones(len(dout), dout.dtype) @ dout


BATCHNORM_BACKWARD = Exercise(
    id="batchnorm_backward",
    topic="batchnorm",
    points=4,
    cases=_batchnorm_backward_cases,
    uses=("batchnorm_forward",),
    mistakes=(
        Mistake(
            "statistics_constant",
            "You treat mean and variance as constants. Both are computed from x: the gradient flows through them too, "
            "so each x has an influence on every output of its feature.",
            _batchnorm_backward__statistics_constant,
        ),
        Mistake(
            "variance_constant",
            "The path through the mean is there, the one through the variance is missing. Compute dvar and add "
            "2 / N * centred * dvar.",
            _batchnorm_backward__variance_constant,
        ),
        Mistake(
            "mean_constant",
            "The path through the variance is there, the one through the mean is missing. centred = x - mean(x): "
            "subtract the mean of dcentred over the batch.",
            _batchnorm_backward__mean_constant,
        ),
        Mistake(
            "variance_sign",
            "The sign of dvar is wrong. inv_std = (var + eps)**-0.5 falls when var grows: its slope is "
            "-0.5 * inv_std**3.",
            _batchnorm_backward__variance_sign,
        ),
        Mistake(
            "variance_power",
            "The power in dvar is wrong. The slope of (var + eps)**-0.5 is -0.5 * (var + eps)**-1.5, which is "
            "-0.5 * inv_std**3.",
            _batchnorm_backward__variance_power,
        ),
        Mistake(
            "variance_no_power",
            "The slope in dvar has inv_std where its third power belongs: the slope of (var + eps)**-0.5 is "
            "-0.5 * (var + eps)**-1.5, which is -0.5 * inv_std**3.",
            _batchnorm_backward__variance_no_power,
        ),
        Mistake(
            "cache_of_centred",
            "Your backward pass seems to get centred values where it expects x_hat. Look at the cache of "
            "batchnorm_forward: it is (x_hat, inv_std, gamma), and x_hat is already divided by the root.",
            _batchnorm_backward__cache_of_centred,
        ),
        Mistake(
            "variance_not_averaged",
            "The variance is a mean of squares: its slope for one centred value is 2 / N * centred. Your N is missing.",
            _batchnorm_backward__variance_not_averaged,
        ),
        Mistake(
            "n_minus_one",
            "You divide the path through the variance by N - 1. The batch was normalised with the variance that "
            "divides by N.",
            _batchnorm_backward__n_minus_one,
        ),
        Mistake(
            "mean_not_averaged",
            "You subtract the sum of dcentred. The mean divides by N, so its gradient does too: subtract the mean of "
            "dcentred over the batch.",
            _batchnorm_backward__mean_not_averaged,
        ),
        Mistake(
            "no_gamma",
            "gamma is missing in dx. The last step of the forward pass multiplied by it: begin with dout * gamma.",
            _batchnorm_backward__no_gamma,
        ),
        Mistake(
            "scale_like_shift",
            "dgamma is computed like dbeta. gamma multiplies x_hat, so dgamma is the sum of dout * x_hat.",
            _batchnorm_backward__scale_like_shift,
        ),
        Mistake(
            "scale_with_gamma",
            "gamma is in your dgamma. out = gamma * x_hat + beta has the slope x_hat by gamma: sum dout * x_hat, with "
            "dout as it arrives.",
            _batchnorm_backward__scale_with_gamma,
        ),
        Mistake(
            "parameters_averaged",
            "You average dgamma and dbeta over the batch. The mean is in the loss, and so in dout already: sum.",
            _batchnorm_backward__parameters_averaged,
        ),
        Mistake(
            "changes_dout",
            "Your values are right the first time, but dout is changed in place. Write dout = dout - ... instead of "
            "dout -= ....",
            _batchnorm_backward__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("jacobian", _batchnorm_backward__jacobian),
        OtherWay("two_paths_of_the_mean", _batchnorm_backward__two_paths_of_the_mean),
    ),
)

EXERCISES = (BATCHNORM_BACKWARD,)
