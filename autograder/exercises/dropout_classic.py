"""Dropout as first published (topic `dropout`): drop in training, scale in evaluation."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._dropout_cases import dropout_cases
from course_lib.cases import Case
from course_lib.properties.dropout import dropout_words


def _dropout_classic_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return dropout_cases("dropout_classic", rng, public)


def _dropout_classic__inverted(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p) / (1 - p) if train else np.ones_like(x)
    return x * factor, (factor,)


def _dropout_classic__scaled_twice(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p) / (1 - p) if train else np.full_like(x, 1 - p)
    return x * factor, (factor,)


def _dropout_classic__scaled_nowhere(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p).astype(x.dtype) if train else np.ones_like(x)
    return x * factor, (factor,)


def _dropout_classic__evaluation_by_p(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p).astype(x.dtype) if train else np.full_like(x, p)
    return x * factor, (factor,)


def _dropout_classic__evaluation_divided(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p).astype(x.dtype) if train else np.full_like(x, 1 / (1 - p))
    return x * factor, (factor,)


def _dropout_classic__p_is_kept(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) < p).astype(x.dtype) if train else np.full_like(x, p)
    return x * factor, (factor,)


def _dropout_classic__swapped(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) < p).astype(x.dtype) if train else np.full_like(x, 1 - p)
    return x * factor, (factor,)


def _dropout_classic__evaluation_drops(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p).astype(x.dtype)
    return x * factor, (factor,)


def _dropout_classic__own_generator(x, p=0.5, train=True, rng=None):
    drawn = np.random.default_rng().random(x.shape) >= p
    factor = drawn.astype(x.dtype) if train else np.full_like(x, 1 - p)
    return x * factor, (factor,)


def _dropout_classic__one_mask_for_all(x, p=0.5, train=True, rng=None):
    drawn = np.broadcast_to(rng.random(x.shape[1:]) >= p, x.shape) if train else None
    factor = drawn.astype(x.dtype) if train else np.full_like(x, 1 - p)
    return x * factor, (factor,)


def _dropout_classic__no_cache(x, p=0.5, train=True, rng=None):
    return x * (rng.random(x.shape) >= p) if train else x * (1 - p)


def _dropout_classic__coin_by_coin(x, p=0.5, train=True, rng=None):
    if not train:
        return x - p * x, (np.full_like(x, 1 - p),)
    factor = np.array([0.0 if rng.uniform() < p else 1.0 for _ in range(x.size)], dtype=x.dtype).reshape(x.shape)
    return np.where(factor == 1, x, 0), (factor,)


def _dropout_classic__binomial(x, p=0.5, train=True, rng=None):
    # The expectation of the mask in place of the mask.
    factor = rng.binomial(1, 1 - p, x.shape) if train else np.full(x.shape, 1 - p)
    factor = factor.astype(x.dtype)
    return x * factor, (factor,)


def _dropout_classic__zeros_by_place(x, p=0.5, train=True, rng=None):
    factor = np.ones_like(x)
    if train:
        factor[rng.random(x.shape, dtype=x.dtype) < p] = 0
    else:
        factor -= x.dtype.type(p)
    return x * factor, (factor,)


DROPOUT_CLASSIC = Exercise(
    id="dropout_classic",
    topic="dropout",
    points=2,
    cases=_dropout_classic_cases,
    prepare=dropout_words,
    mistakes=(
        Mistake(
            "inverted",
            "This is inverted dropout, which divides in training. The classic form drops in training and does nothing "
            "else there; in evaluation it multiplies by 1 - p.",
            _dropout_classic__inverted,
        ),
        Mistake(
            "scaled_twice",
            "You scale in training and in evaluation. Classic dropout scales in evaluation alone: in training leave "
            "the entries that stay as they are.",
            _dropout_classic__scaled_twice,
        ),
        Mistake(
            "scaled_nowhere",
            "You scale nowhere. In evaluation nothing is dropped, so the next layer gets more than it is used to: "
            "multiply by 1 - p there.",
            _dropout_classic__scaled_nowhere,
        ),
        Mistake(
            "evaluation_by_p",
            "In evaluation you multiply by p. The share that stays in training is 1 - p: multiply by that.",
            _dropout_classic__evaluation_by_p,
        ),
        Mistake(
            "evaluation_divided",
            "In evaluation you divide by 1 - p. In training a share p was missing on average, so in evaluation make x "
            "smaller: multiply by 1 - p.",
            _dropout_classic__evaluation_divided,
        ),
        Mistake(
            "p_is_kept",
            "You read p as the probability to keep, as the first paper does. In this course it is the probability to "
            "drop: use 1 - p for what stays.",
            _dropout_classic__p_is_kept,
        ),
        Mistake(
            "swapped",
            "In training you keep what should be dropped. p is the probability to drop: an entry stays where "
            "rng.random(x.shape) >= p.",
            _dropout_classic__swapped,
        ),
        Mistake(
            "evaluation_drops",
            "You drop in evaluation too. When train is False nothing is drawn: return x * (1 - p).",
            _dropout_classic__evaluation_drops,
        ),
        Mistake(
            "own_generator",
            "You draw from a generator of your own. Use the one that is passed in, rng.random(x.shape), so that a run "
            "can be repeated.",
            _dropout_classic__own_generator,
        ),
        Mistake(
            "one_mask_for_all",
            "All examples share one mask. Draw a number for every entry: rng.random(x.shape).",
            _dropout_classic__one_mask_for_all,
        ),
        Mistake(
            "no_cache",
            "You return out alone. The backward pass needs the factors as well: return x * factor, (factor,).",
            _dropout_classic__no_cache,
        ),
    ),
    other_ways=(
        OtherWay("coin_by_coin", _dropout_classic__coin_by_coin),
        OtherWay("binomial", _dropout_classic__binomial),
        OtherWay("zeros_by_place", _dropout_classic__zeros_by_place),
    ),
)

EXERCISES = (DROPOUT_CLASSIC,)
