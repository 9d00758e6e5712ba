"""Exercise on group normalisation (topic `normalisation`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import affine, eps_of, values
from course_lib.cases import Case, Kind, call_case

# Case id to (N, C, H, W, groups).
_PUBLIC = {
    "two groups of three": (2, 6, 2, 3, 2),
    "three groups of two": (1, 6, 3, 2, 3),
    "channels as many as columns": (2, 4, 2, 4, 2),
    "one group": (2, 4, 3, 2, 1),
    "a group for each channel": (2, 3, 2, 3, 3),
    "small spread": (2, 6, 1, 2, 3),
    "float32": (2, 6, 2, 2, 2),
}
_SECRET = {
    "two groups of four": (2, 8, 1, 3, 2),
    "four groups of two": (1, 8, 2, 2, 4),
    "three groups of two": (3, 6, 2, 1, 3),
    "channels as many as columns": (2, 6, 1, 6, 2),
    "one group": (3, 4, 2, 3, 1),
    "a group for each channel": (2, 4, 3, 2, 4),
    "one pixel": (3, 6, 1, 1, 2),
    "small spread": (2, 6, 2, 1, 2),
    "float32": (2, 6, 3, 2, 3),
}


def _groupnorm_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, case_id, *sizes) for case_id, sizes in (_PUBLIC if public else _SECRET).items()]
    return (*cases, _one_case(rng, "far from zero", 2, 6, 2, 2, 3, kind="stability"))


def _one_case(rng: np.random.Generator, case_id: str, *sizes: int, kind: Kind = "core") -> Case:
    *shape, groups = sizes
    inputs = {"x": values(rng, case_id, *shape), **affine(rng, case_id, shape[1])}
    inputs |= {"groups": groups, "eps": eps_of(case_id)}
    return call_case(case_id, "groupnorm_forward", inputs, item=0, kind=kind)


def _groupnorm_forward__channels_per_group(x, gamma, beta, groups, eps=1e-5):
    n, c, h, w = x.shape
    parts = x.reshape(n, c // groups, groups, h, w)
    parts = (parts - parts.mean(axis=(2, 3, 4), keepdims=True)) / np.sqrt(
        parts.var(axis=(2, 3, 4), keepdims=True) + eps
    )
    x_hat = parts.reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__interleaved(x, gamma, beta, groups, eps=1e-5):
    n, c, h, w = x.shape
    parts = x.reshape(n, c // groups, groups, h, w)
    parts = (parts - parts.mean(axis=(1, 3, 4), keepdims=True)) / np.sqrt(
        parts.var(axis=(1, 3, 4), keepdims=True) + eps
    )
    x_hat = parts.reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__whole_image(x, gamma, beta, groups, eps=1e-5):
    x_hat = (x - x.mean(axis=(1, 2, 3), keepdims=True)) / np.sqrt(x.var(axis=(1, 2, 3), keepdims=True) + eps)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__each_channel_alone(x, gamma, beta, groups, eps=1e-5):
    x_hat = (x - x.mean(axis=(2, 3), keepdims=True)) / np.sqrt(x.var(axis=(2, 3), keepdims=True) + eps)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__over_the_batch(x, gamma, beta, groups, eps=1e-5):
    n, c, h, w = x.shape
    parts = x.reshape(n, groups, c // groups, h, w)
    mean, var = parts.mean(axis=(0, 2, 3, 4), keepdims=True), parts.var(axis=(0, 2, 3, 4), keepdims=True)
    x_hat = ((parts - mean) / np.sqrt(var + eps)).reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__each_pixel_alone(x, gamma, beta, groups, eps=1e-5):
    n, c, h, w = x.shape
    parts = x.reshape(n, groups, c // groups, h, w)
    x_hat = ((parts - parts.mean(axis=2, keepdims=True)) / np.sqrt(parts.var(axis=2, keepdims=True) + eps)).reshape(
        x.shape
    )
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__unbiased(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    var = parts.var(axis=-1, ddof=1, keepdims=True)
    x_hat = ((parts - parts.mean(axis=-1, keepdims=True)) / np.sqrt(var + eps)).reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__eps_outside(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    std = parts.std(axis=-1, keepdims=True) + eps
    x_hat = ((parts - parts.mean(axis=-1, keepdims=True)) / std).reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__gamma_along_columns(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    std = np.sqrt(parts.var(axis=-1, keepdims=True) + eps)
    x_hat = ((parts - parts.mean(axis=-1, keepdims=True)) / std).reshape(x.shape)
    return gamma * x_hat + beta, (x_hat, gamma)


def _groupnorm_forward__gamma_per_group(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    std = np.sqrt(parts.var(axis=-1, keepdims=True) + eps)
    x_hat = (parts - parts.mean(axis=-1, keepdims=True)) / std
    return (gamma[:groups, None] * x_hat + beta[:groups, None]).reshape(x.shape), (x_hat, gamma)


def _groupnorm_forward__no_gamma_beta(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    std = np.sqrt(parts.var(axis=-1, keepdims=True) + eps)
    x_hat = ((parts - parts.mean(axis=-1, keepdims=True)) / std).reshape(x.shape)
    return x_hat, (x_hat, gamma)


def _groupnorm_forward__squares_minus_square(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    mean = parts.mean(axis=-1, keepdims=True)
    var = np.maximum((parts**2).mean(axis=-1, keepdims=True) - mean**2, 0)
    x_hat = ((parts - mean) / np.sqrt(var + eps)).reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma)


def _groupnorm_forward__group_by_group(x, gamma, beta, groups, eps=1e-5):
    out, size = np.empty_like(x), x.shape[1] // groups
    for image in range(len(x)):
        for first in range(0, x.shape[1], size):
            own = slice(first, first + size)
            block = x[image, own]
            centred = block - np.average(block)
            std = (np.vdot(centred, centred) / centred.size + eps) ** 0.5
            out[image, own] = centred / std * gamma[own, None, None] + beta[own, None, None]
    return out, (x, gamma)


def _groupnorm_forward__membership_matrix(x, gamma, beta, groups, eps=1e-5):
    # Averages over channels of the same group, by a matrix that holds who shares a group with whom.
    c = x.shape[1]
    of = np.arange(c) * groups // c
    share = (of[:, None] == of[None]).astype(x.dtype) * (groups / c)
    mean = x.mean(axis=(2, 3)) @ share
    centred = x - mean[:, :, None, None]
    var = np.square(centred).mean(axis=(2, 3)) @ share
    scale = gamma / np.sqrt(var + eps)
    return np.einsum("nchw,nc->nchw", centred, scale) + beta[:, None, None], (centred, gamma)


GROUPNORM_FORWARD = Exercise(
    id="groupnorm_forward",
    topic="normalisation",
    points=3,
    cases=_groupnorm_forward_cases,
    mistakes=(
        Mistake(
            "channels_per_group",
            "groups says how many groups there are, not how many channels each has. A group has C // groups channels: "
            "x.reshape(N, groups, C // groups, H, W).",
            _groupnorm_forward__channels_per_group,
        ),
        Mistake(
            "interleaved",
            "Your groups take every groups-th channel. A group holds neighbouring channels: "
            "x.reshape(N, groups, C // groups, H, W), and statistics over the last three axes.",
            _groupnorm_forward__interleaved,
        ),
        Mistake(
            "whole_image",
            "groups is not used: you normalise each image as a whole. Each group of channels has its own mean and "
            "variance.",
            _groupnorm_forward__whole_image,
        ),
        Mistake(
            "each_channel_alone",
            "groups is not used: you normalise each channel on its own. The C / groups channels of a group share one "
            "mean and one variance.",
            _groupnorm_forward__each_channel_alone,
        ),
        Mistake(
            "over_the_batch",
            "You take mean and variance over the images too. Group normalisation looks at each image on its own: leave "
            "axis 0 out.",
            _groupnorm_forward__over_the_batch,
        ),
        Mistake(
            "each_pixel_alone",
            "You normalise each pixel on its own, over the channels of a group. All pixels of the group belong "
            "together: take the statistics over H and W too.",
            _groupnorm_forward__each_pixel_alone,
        ),
        Mistake(
            "unbiased",
            "Your variance divides by the number of values minus one. Inside a normalisation divide by the number of "
            "values.",
            _groupnorm_forward__unbiased,
        ),
        Mistake(
            "eps_outside",
            "You add eps to the standard deviation. It stands under the root, beside the variance: sqrt(var + eps).",
            _groupnorm_forward__eps_outside,
        ),
        Mistake(
            "gamma_along_columns",
            "gamma and beta are applied along the last axis, the columns. Each belongs to a channel: use "
            "gamma[:, None, None].",
            _groupnorm_forward__gamma_along_columns,
        ),
        Mistake(
            "gamma_per_group",
            "You use one gamma and one beta for a whole group. Only the statistics are shared; each channel keeps its "
            "own gamma and beta.",
            _groupnorm_forward__gamma_per_group,
        ),
        Mistake(
            "no_gamma_beta",
            "You return the normalised values. The layer then scales and shifts each channel: gamma * x_hat + beta.",
            _groupnorm_forward__no_gamma_beta,
        ),
        Mistake(
            "squares_minus_square",
            "mean(x**2) - mean(x)**2 loses its digits when x is far from zero. Subtract the mean first, then average "
            "the squares.",
            _groupnorm_forward__squares_minus_square,
        ),
    ),
    other_ways=(
        OtherWay("group_by_group", _groupnorm_forward__group_by_group),
        OtherWay("membership_matrix", _groupnorm_forward__membership_matrix),
    ),
)

EXERCISES = (GROUPNORM_FORWARD,)
