"""Exercise on batch normalisation of images in training mode (topic `batchnorm`)."""

# ruff: noqa: PLR0913 - scales, shifts and two running estimates come with every input.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import SQUARES, refusing_case, training_case, training_inputs
from course_lib.cases import Case

_ALONE = (
    "One image of one pixel gives each channel a single value, and that has no spread. Raise ValueError when "
    "N * H * W < 2, as Torch does."
)
# Case id to (N, C, H, W).
_PUBLIC = {
    "two images": (2, 3, 2, 4),
    "one image": (1, 2, 3, 3),
    "channels as many as columns": (2, 3, 2, 3),
    "all sizes equal": (2, 2, 2, 2),
    "small spread": (2, 2, 3, 1),
    "float32": (3, 2, 2, 3),
}
_SECRET = {
    "three images": (3, 2, 4, 3),
    "one image": (1, 3, 2, 4),
    "one pixel": (4, 3, 1, 1),
    "one channel": (2, 1, 3, 2),
    "channels as many as columns": (3, 4, 2, 4),
    "all sizes equal": (3, 3, 3, 3),
    "small spread": (2, 3, 1, 2),
    "float32": (2, 3, 2, 5),
}


def _batchnorm2d_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    name = "batchnorm2d_forward"
    table = _PUBLIC if public else _SECRET
    cases = [training_case(name, case_id, training_inputs(rng, case_id, *sizes)) for case_id, sizes in table.items()]
    far = training_inputs(rng, "far from zero", 2, 3, 2, 2)
    alone = training_inputs(rng, "one value per channel", 1, 3, 1, 1)
    return (
        *cases,
        training_case(name, "far from zero", far, kind="stability", says=SQUARES),
        refusing_case(name, "one value per channel", alone, _ALONE),
    )


def _batchnorm2d_forward__each_image_alone(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    own = (x - x.mean(axis=(2, 3), keepdims=True)) / np.sqrt(x.var(axis=(2, 3), keepdims=True) + eps)
    running_mean = (1 - momentum) * running_mean + momentum * x.mean(axis=(0, 2, 3))
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * x.var(axis=(0, 2, 3))
    return gamma[:, None, None] * own + beta[:, None, None], (own, gamma), running_mean, running_var


def _batchnorm2d_forward__each_pixel_alone(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    own = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    running_mean = (1 - momentum) * running_mean + momentum * x.mean(axis=(0, 2, 3))
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * x.var(axis=(0, 2, 3))
    return gamma[:, None, None] * own + beta[:, None, None], (own, gamma), running_mean, running_var


def _batchnorm2d_forward__channels_together(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(), x.var()
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__columns_as_channels(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    x_hat = (x - mean) / np.sqrt(var + eps)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma * x_hat + beta, (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__gamma_along_columns(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    x_hat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma * x_hat + beta, (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__counts_images(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if x.size // x.shape[1] < 2:
        raise ValueError("one value per channel")
    n = max(len(x), 2)
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    x_hat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__refuses_one_image(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = len(x)
    if n < 2:
        raise ValueError("one image")
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    x_hat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__sum_over_images(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if x.size // x.shape[1] < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    centred = x - mean[:, None, None]
    x_hat = centred / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    unbiased = (centred**2).sum(axis=(0, 2, 3)) / max(len(x) - 1, 1)
    running_var = (1 - momentum) * running_var + momentum * unbiased
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__biased_estimate(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    if x.size // x.shape[1] < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    x_hat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__variance_of_means(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(2, 3)).mean(axis=0)
    x_hat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__eps_outside(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    if n < 2:
        raise ValueError("one value per channel")
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    x_hat = (x - mean[:, None, None]) / (np.sqrt(var) + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / (n - 1) * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__one_value_accepted(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    n = x.size // x.shape[1]
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    x_hat = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None]
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * n / max(n - 1, 1) * var
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma), running_mean, running_var


def _batchnorm2d_forward__rows_of_pixels(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    # Channels last and flat: then it is batch normalisation of features, with one example per pixel.
    n, c, h, w = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, c)
    count = len(flat)
    if count < 2:
        raise ValueError("one value per channel")
    mean, var = flat.mean(axis=0), flat.var(axis=0)
    out = (flat - mean) * (gamma / np.sqrt(var + eps)) + beta
    new_mean = running_mean - momentum * (running_mean - mean)
    new_var = running_var - momentum * (running_var - var * count / (count - 1))
    return out.reshape(n, h, w, c).transpose(0, 3, 1, 2), (flat, gamma), new_mean, new_var


def _batchnorm2d_forward__channel_by_channel(x, gamma, beta, running_mean, running_var, momentum=0.1, eps=1e-5):
    out, new_mean, new_var = np.empty_like(x), np.empty_like(running_mean), np.empty_like(running_var)
    if x[:, 0].size < 2:
        raise ValueError("one value per channel")
    for c in range(x.shape[1]):
        centred = x[:, c] - np.average(x[:, c])
        squares = np.vdot(centred, centred)
        std = (squares / centred.size + eps) ** 0.5
        out[:, c] = centred * gamma[c] / std + beta[c]
        new_mean[c] = momentum * np.average(x[:, c]) + (1 - momentum) * running_mean[c]
        new_var[c] = momentum * squares / (centred.size - 1) + (1 - momentum) * running_var[c]
    return out, (x, gamma), new_mean, new_var


BATCHNORM2D_FORWARD = Exercise(
    id="batchnorm2d_forward",
    topic="batchnorm",
    points=3,
    cases=_batchnorm2d_forward_cases,
    mistakes=(
        Mistake(
            "each_image_alone",
            "You normalise each image on its own. Batch normalisation takes mean and variance over the images too: "
            "axis=(0, 2, 3).",
            _batchnorm2d_forward__each_image_alone,
        ),
        Mistake(
            "each_pixel_alone",
            "You normalise each pixel on its own, over the images only. A channel has the same filter everywhere: take "
            "mean and variance over axis=(0, 2, 3).",
            _batchnorm2d_forward__each_pixel_alone,
        ),
        Mistake(
            "channels_together",
            "You use one mean and one variance for everything. Each channel has its own: axis=(0, 2, 3).",
            _batchnorm2d_forward__channels_together,
        ),
        Mistake(
            "columns_as_channels",
            "You take the last axis for the channels. Images are (N, C, H, W): take mean and variance over "
            "axis=(0, 2, 3).",
            _batchnorm2d_forward__columns_as_channels,
        ),
        Mistake(
            "gamma_along_columns",
            "gamma and beta are applied along the last axis, the columns. Each belongs to a channel: give them the "
            "shape (C, 1, 1) first, with gamma[:, None, None].",
            _batchnorm2d_forward__gamma_along_columns,
        ),
        Mistake(
            "counts_images",
            "The new running variance counts images. A channel has n = N * H * W values: correct with n / (n - 1).",
            _batchnorm2d_forward__counts_images,
        ),
        Mistake(
            "refuses_one_image",
            "You count images: a batch of one image is refused, and the running variance is corrected with the wrong "
            "number. A channel has n = N * H * W values; only n < 2 is refused.",
            _batchnorm2d_forward__refuses_one_image,
        ),
        Mistake(
            "sum_over_images",
            "The new running variance divides the sum of squares by N - 1. A channel has N * H * W values: divide by "
            "N * H * W - 1.",
            _batchnorm2d_forward__sum_over_images,
        ),
        Mistake(
            "biased_estimate",
            "out is right, the new running variance is too small. With n = N * H * W values per channel multiply the "
            "variance of the batch by n / (n - 1) there.",
            _batchnorm2d_forward__biased_estimate,
        ),
        Mistake(
            "variance_of_means",
            "You average the variances of the images. That forgets how far their means lie apart: take the variance "
            "over axis=(0, 2, 3) at once.",
            _batchnorm2d_forward__variance_of_means,
        ),
        Mistake(
            "eps_outside",
            "You add eps to the standard deviation. It stands under the root, beside the variance: sqrt(var + eps).",
            _batchnorm2d_forward__eps_outside,
        ),
        Mistake(
            "one_value_accepted",
            "One image of one pixel is accepted, and its output is beta whatever x is. Raise ValueError when "
            "N * H * W < 2.",
            _batchnorm2d_forward__one_value_accepted,
        ),
    ),
    other_ways=(
        OtherWay("rows_of_pixels", _batchnorm2d_forward__rows_of_pixels),
        OtherWay("channel_by_channel", _batchnorm2d_forward__channel_by_channel),
    ),
)

EXERCISES = (BATCHNORM2D_FORWARD,)
