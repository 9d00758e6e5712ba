"""Exercise on the backward pass of batch normalisation in one formula (topic `batchnorm`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises.batchnorm_backward import passes
from course_lib.cases import Case


def _batchnorm_backward_compact_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return passes("batchnorm_backward_compact", rng, public)


def _batchnorm_backward_compact__dout_alone(dout, cache):
    x_hat, inv_std, gamma = cache
    return gamma * inv_std * dout, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward_compact__mean_left(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * inv_std * (dout - x_hat * dgamma / len(dout)), dgamma, dbeta


def _batchnorm_backward_compact__part_along_x_hat_left(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * inv_std * (dout - dbeta / len(dout)), dgamma, dbeta


def _batchnorm_backward_compact__sums_not_means(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * inv_std * (dout - dbeta - x_hat * dgamma), dgamma, dbeta


def _batchnorm_backward_compact__no_x_hat(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * inv_std * (dout - dbeta / len(dout) - dgamma / len(dout)), dgamma, dbeta


def _batchnorm_backward_compact__no_gamma(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return inv_std * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout)), dgamma, dbeta


def _batchnorm_backward_compact__no_std(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout)), dgamma, dbeta


def _batchnorm_backward_compact__gamma_twice(dout, cache):
    x_hat, inv_std, gamma = cache
    g = dout * gamma
    dx = gamma * inv_std * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward_compact__scale_like_shift(dout, cache):
    x_hat, inv_std, gamma = cache
    dx = gamma * inv_std * (dout - dout.mean(axis=0) - x_hat * (dout * x_hat).mean(axis=0))
    return dx, dout.sum(axis=0), dout.sum(axis=0)


def _batchnorm_backward_compact__parameters_with_gamma(dout, cache):
    x_hat, inv_std, gamma = cache
    g = dout * gamma
    dx = inv_std * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
    return dx, (g * x_hat).sum(axis=0), g.sum(axis=0)


def _batchnorm_backward_compact__shift_first(dout, cache):
    x_hat, inv_std, gamma = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * inv_std * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout)), dbeta, dgamma


def _batchnorm_backward_compact__cache_of_centred(dout, cache):
    # What a right backward pass makes of a cache that begins with the centred values.
    x_hat, inv_std, gamma = cache
    x_hat = x_hat / inv_std
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma * inv_std * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout)), dgamma, dbeta


def _batchnorm_backward_compact__over_one_n(dout, cache):
    # The form that many texts print: N dout - sum(dout) - x_hat sum(dout x_hat), all over N.
    x_hat, inv_std, gamma = cache
    n, dbeta, dgamma = len(dout), np.einsum("nd->d", dout), np.einsum("nd,nd->d", dout, x_hat)
    return gamma * inv_std / n * (n * dout - dbeta - x_hat * dgamma), dgamma, dbeta


def _batchnorm_backward_compact__feature_by_feature(dout, cache):
    x_hat, inv_std, gamma = cache
    dx, dgamma, dbeta = np.empty_like(dout), np.empty_like(gamma), np.empty_like(gamma)
    for j in range(dout.shape[1]):
        g, h = dout[:, j], x_hat[:, j]
        dbeta[j], dgamma[j] = sum(g), h @ g
        # Take the two directions away one after the other: they are at right angles.
        rest = g - dbeta[j] / len(g)
        dx[:, j] = (rest - h * ((h @ rest) / len(g))) * (gamma[j] * inv_std[j])
    return dx, dgamma, dbeta


BATCHNORM_BACKWARD_COMPACT = Exercise(
    id="batchnorm_backward_compact",
    topic="batchnorm",
    points=3,
    cases=_batchnorm_backward_compact_cases,
    uses=("batchnorm_forward",),
    mistakes=(
        Mistake(
            "dout_alone",
            "dx = gamma / std * dout would be right if mean and variance did not depend on x. They do: take the mean "
            "of dout and its part along x_hat away first.",
            _batchnorm_backward_compact__dout_alone,
        ),
        Mistake(
            "mean_left",
            "The mean of dout is still in dx. Adding the same number to all of x changes nothing, so dx sums to 0 over "
            "the batch: subtract mean(dout).",
            _batchnorm_backward_compact__mean_left,
        ),
        Mistake(
            "part_along_x_hat_left",
            "The part of dout along x_hat is still in dx. It belongs to the variance: subtract "
            "x_hat * mean(dout * x_hat).",
            _batchnorm_backward_compact__part_along_x_hat_left,
        ),
        Mistake(
            "sums_not_means",
            "You subtract sums over the batch where means belong. Divide dbeta and dgamma by N inside dx.",
            _batchnorm_backward_compact__sums_not_means,
        ),
        Mistake(
            "no_x_hat",
            "The last term is the same for every example. It is x_hat times mean(dout * x_hat).",
            _batchnorm_backward_compact__no_x_hat,
        ),
        Mistake(
            "no_gamma",
            "gamma is missing in dx. The whole bracket is multiplied by gamma * inv_std.",
            _batchnorm_backward_compact__no_gamma,
        ),
        Mistake(
            "no_std",
            "dx is not divided by the standard deviation. The whole bracket is multiplied by gamma * inv_std.",
            _batchnorm_backward_compact__no_std,
        ),
        Mistake(
            "gamma_twice",
            "gamma comes in twice. Either begin with dout * gamma or multiply by gamma at the end.",
            _batchnorm_backward_compact__gamma_twice,
        ),
        Mistake(
            "scale_like_shift",
            "dgamma is computed like dbeta. gamma multiplies x_hat, so dgamma is the sum of dout * x_hat.",
            _batchnorm_backward_compact__scale_like_shift,
        ),
        Mistake(
            "parameters_with_gamma",
            "dx is right, but dgamma and dbeta contain gamma. out = gamma * x_hat + beta: sum dout * x_hat and dout.",
            _batchnorm_backward_compact__parameters_with_gamma,
        ),
        Mistake(
            "shift_first",
            "dgamma and dbeta have changed places. Return dx, dgamma, dbeta, in the order of x, gamma, beta.",
            _batchnorm_backward_compact__shift_first,
        ),
        Mistake(
            "cache_of_centred",
            "Your backward pass seems to get centred values where it expects x_hat. Look at the cache of "
            "batchnorm_forward: it is (x_hat, inv_std, gamma), and x_hat is already divided by the root.",
            _batchnorm_backward_compact__cache_of_centred,
        ),
    ),
    other_ways=(
        OtherWay("over_one_n", _batchnorm_backward_compact__over_one_n),
        OtherWay("feature_by_feature", _batchnorm_backward_compact__feature_by_feature),
    ),
)

EXERCISES = (BATCHNORM_BACKWARD_COMPACT,)
