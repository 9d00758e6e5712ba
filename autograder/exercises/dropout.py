"""Inverted dropout: the forward pass of today."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._dropout_cases import dropout_cases
from course_lib.cases import Case
from course_lib.properties.dropout import dropout_words


def _dropout_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return dropout_cases("dropout_forward", rng, public)


def _dropout_forward__swapped(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = (rng.random(x.shape) < p) / (1 - p)
    return x * factor, (factor,)


def _dropout_forward__p_is_kept(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    with np.errstate(all="ignore"):
        factor = (rng.random(x.shape) < p) / np.float64(p)
        return x * factor, (factor,)


def _dropout_forward__no_scale(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = (rng.random(x.shape) >= p).astype(x.dtype)
    return x * factor, (factor,)


def _dropout_forward__scaled_down(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = (rng.random(x.shape) >= p) * (1 - p)
    return x * factor, (factor,)


def _dropout_forward__divided_by_p(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    with np.errstate(all="ignore"):
        factor = (rng.random(x.shape) >= p) / np.float64(p)
        return x * factor, (factor,)


def _dropout_forward__divided_by_what_was_kept(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    mask = rng.random(x.shape) >= p
    factor = mask / mask.mean()
    return x * factor, (factor,)


def _dropout_forward__evaluation_scaled(x, p=0.5, train=True, rng=None):
    if not train:
        return x * (1 - p), (np.full_like(x, 1 - p),)
    factor = (rng.random(x.shape) >= p) / (1 - p)
    return x * factor, (factor,)


def _dropout_forward__evaluation_drops(x, p=0.5, train=True, rng=None):
    factor = (rng.random(x.shape) >= p) / (1 - p)
    return x * factor, (factor,)


def _dropout_forward__train_swapped(x, p=0.5, train=True, rng=None):
    if train:
        return x.copy(), (np.ones_like(x),)
    factor = (rng.random(x.shape) >= p) / (1 - p)
    return x * factor, (factor,)


def _dropout_forward__one_mask_for_all(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = np.broadcast_to((rng.random(x.shape[1:]) >= p) / (1 - p), x.shape)
    return x * factor, (factor,)


def _dropout_forward__whole_examples(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    draws = rng.random(len(x)).reshape(-1, *[1] * (x.ndim - 1))
    factor = np.broadcast_to((draws >= p) / (1 - p), x.shape)
    return x * factor, (factor,)


def _dropout_forward__own_generator(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = (np.random.default_rng().random(x.shape) >= p) / (1 - p)
    return x * factor, (factor,)


def _dropout_forward__fixed_seed(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    factor = (np.random.default_rng(0).random(x.shape) >= p) / (1 - p)
    return x * factor, (factor,)


def _dropout_forward__shortened(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy(), (np.ones_like(x),)
    mask = rng.random(x.shape) >= p
    return x[mask] / (1 - p), (mask / (1 - p),)


def _dropout_forward__changes_input(x, p=0.5, train=True, rng=None):
    if not train:
        return x, (np.ones_like(x),)
    factor = ((rng.random(x.shape) >= p) / (1 - p)).astype(x.dtype)
    x *= factor
    return x, (factor,)


def _dropout_forward__no_cache(x, p=0.5, train=True, rng=None):
    if not train:
        return x.copy()
    return x * (rng.random(x.shape) >= p) / (1 - p)


def _dropout_forward__coin_by_coin(x, p=0.5, train=True, rng=None):
    if not train:
        return x, (np.ones_like(x),)
    factor = np.zeros(x.size, dtype=x.dtype)
    for i in range(x.size):
        if rng.random() < 1 - p:
            factor[i] = 1 / (1 - p)
    factor = factor.reshape(x.shape)
    return x * factor, (factor,)


def _dropout_forward__binomial(x, p=0.5, train=True, rng=None):
    keep = 1.0 - p if train else 1.0
    drawn = rng.binomial(1, keep, size=x.shape) if train else np.ones(x.shape)
    factor = (drawn / keep).astype(x.dtype)
    return x * factor, (factor,)


def _dropout_forward__zeros_by_place(x, p=0.5, train=True, rng=None):
    factor = np.ones_like(x)
    if train:
        factor /= 1 - p
        factor[np.nonzero(rng.uniform(size=x.shape) < p)] = 0
    return np.multiply(x, factor), (factor,)


DROPOUT_FORWARD = Exercise(
    id="dropout_forward",
    topic="dropout",
    points=3,
    cases=_dropout_forward_cases,
    prepare=dropout_words,
    mistakes=(
        Mistake(
            "swapped",
            "You keep what should be dropped. p is the probability to drop: an entry stays where rng.random(x.shape) "
            ">= p.",
            _dropout_forward__swapped,
        ),
        Mistake(
            "p_is_kept",
            "You read p as the probability to keep. Here it is the probability to drop: keep where rng.random(x.shape) "
            ">= p, and divide by 1 - p.",
            _dropout_forward__p_is_kept,
        ),
        Mistake(
            "no_scale",
            "Entries are dropped, but those that stay are not scaled. Divide them by 1 - p, so that the mean stays the "
            "same.",
            _dropout_forward__no_scale,
        ),
        Mistake(
            "scaled_down",
            "You multiply by 1 - p where you should divide by it. Entries that stay must grow, to make up for the "
            "dropped ones.",
            _dropout_forward__scaled_down,
        ),
        Mistake(
            "divided_by_p",
            "You divide by p. The share that stays is 1 - p: divide by that.",
            _dropout_forward__divided_by_p,
        ),
        Mistake(
            "divided_by_what_was_kept",
            "You divide by the share that this mask happens to keep. Divide by 1 - p, the same for every mask.",
            _dropout_forward__divided_by_what_was_kept,
        ),
        Mistake(
            "evaluation_scaled",
            "In evaluation you multiply by 1 - p. That belongs to classic dropout; here the scaling is done in "
            "training, so evaluation returns the values of x.",
            _dropout_forward__evaluation_scaled,
        ),
        Mistake(
            "evaluation_drops",
            "You drop in evaluation too. Look at train: when it is False, the values of x come out as they are.",
            _dropout_forward__evaluation_drops,
        ),
        Mistake(
            "train_swapped",
            "Training and evaluation are the wrong way round. Drop when train is True; otherwise the values of x come "
            "out as they are.",
            _dropout_forward__train_swapped,
        ),
        Mistake(
            "one_mask_for_all",
            "All examples share one mask. Draw a number for every entry: rng.random(x.shape).",
            _dropout_forward__one_mask_for_all,
        ),
        Mistake(
            "whole_examples",
            "You drop whole examples. Draw a number for every entry: rng.random(x.shape).",
            _dropout_forward__whole_examples,
        ),
        Mistake(
            "own_generator",
            "You draw from a generator of your own. Use the one that is passed in, rng.random(x.shape), so that a run "
            "can be repeated.",
            _dropout_forward__own_generator,
        ),
        Mistake(
            "fixed_seed",
            "Every call drops the same entries, because you make a generator with a fixed seed. Use the one that is "
            "passed in: rng.random(x.shape).",
            _dropout_forward__fixed_seed,
        ),
        Mistake(
            "shortened",
            "You cut the dropped entries out. They become 0 and keep their place: out has the shape of x. Multiply by "
            "the mask instead of indexing with it.",
            _dropout_forward__shortened,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x itself is changed. Write x * factor, which makes a new array, instead of "
            "x *= factor.",
            _dropout_forward__changes_input,
        ),
        Mistake(
            "no_cache",
            "You return out alone. The backward pass needs the factors as well: return x * factor, (factor,).",
            _dropout_forward__no_cache,
        ),
    ),
    other_ways=(
        OtherWay("coin_by_coin", _dropout_forward__coin_by_coin),
        OtherWay("binomial", _dropout_forward__binomial),
        OtherWay("zeros_by_place", _dropout_forward__zeros_by_place),
    ),
)

EXERCISES = (DROPOUT_FORWARD,)
