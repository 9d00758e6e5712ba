"""Exercise on folding batch normalisation into a convolution (topic `batchnorm`), the bug hunt of its lesson."""

# ruff: noqa: PLR0913 - scales, shifts and two running estimates come with the filters.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import affine, eps_of, estimates, shifts, values
from course_lib.cases import Case, call_case

# Case id to (K, C, kh, kw).
_PUBLIC = {
    "three filters": (3, 2, 2, 3),
    "filters as many as channels": (2, 2, 3, 1),
    "one channel": (3, 1, 2, 2),
    "all sizes equal": (2, 2, 2, 2),
    "small spread": (2, 3, 1, 2),
    "float32": (4, 2, 3, 3),
}
_SECRET = {
    "four filters": (4, 3, 2, 1),
    "filters as many as channels": (3, 3, 1, 2),
    "one filter": (1, 3, 2, 2),
    "one channel": (4, 1, 3, 2),
    "one by one": (3, 2, 1, 1),
    "all sizes equal": (3, 3, 3, 3),
    "small spread": (3, 2, 2, 1),
    "float32": (2, 4, 3, 2),
}


def _fold_batchnorm_into_conv_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for case_id, sizes in (_PUBLIC if public else _SECRET).items():
        w = values(rng, case_id, *sizes)
        inputs = {"w": w, "b": shifts(rng, sizes[0], w.dtype.name)}
        inputs |= {**affine(rng, case_id, sizes[0]), **estimates(rng, case_id, sizes[0])}
        if case_id == "small spread":
            inputs["running_var"] = inputs["running_var"] / 1000
        cases.append(call_case(case_id, "fold_batchnorm_into_conv", {**inputs, "eps": eps_of(case_id)}))
    return tuple(cases)


def _fold_batchnorm_into_conv__both_bugs_untouched(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None], b - running_mean * scale + beta


def _fold_batchnorm_into_conv__bias_untouched(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None, None], b - running_mean * scale + beta


def _fold_batchnorm_into_conv__axis_untouched(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None], (b - running_mean) * scale + beta


def _fold_batchnorm_into_conv__no_bias(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None, None], beta - running_mean * scale


def _fold_batchnorm_into_conv__no_mean(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None, None], b * scale + beta


def _fold_batchnorm_into_conv__mean_not_scaled(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None, None], b * scale - running_mean + beta


def _fold_batchnorm_into_conv__shift_scaled(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    return w * scale[:, None, None, None], (b - running_mean + beta) * scale


def _fold_batchnorm_into_conv__no_root(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / (running_var + eps)
    return w * scale[:, None, None, None], (b - running_mean) * scale + beta


def _fold_batchnorm_into_conv__eps_outside(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / (np.sqrt(running_var) + eps)
    return w * scale[:, None, None, None], (b - running_mean) * scale + beta


def _fold_batchnorm_into_conv__no_eps(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var)
    return w * scale[:, None, None, None], (b - running_mean) * scale + beta


def _fold_batchnorm_into_conv__no_gamma(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = 1 / np.sqrt(running_var + eps)
    return w * scale[:, None, None, None], (b - running_mean) * scale + beta


def _fold_batchnorm_into_conv__in_place(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    w *= scale[:, None, None, None]
    return w, (b - running_mean) * scale + beta


def _fold_batchnorm_into_conv__filter_by_filter(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    new_w, new_b = np.empty_like(w), np.empty_like(b)
    for k in range(len(w)):
        std = (running_var[k] + eps) ** 0.5
        new_w[k] = w[k] * gamma[k] / std
        new_b[k] = (b[k] - running_mean[k]) * gamma[k] / std + beta[k]
    return new_w, new_b


def _fold_batchnorm_into_conv__diagonal_matrix(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    # Two affine maps in a row: (D, shift) after (w, b) is (D w, D b + shift).
    diagonal = np.diag(gamma / np.sqrt(running_var + eps))
    shift = beta - diagonal @ running_mean
    return (diagonal @ w.reshape(len(w), -1)).reshape(w.shape), diagonal @ b + shift


def _fold_batchnorm_into_conv__asked_with_inputs(w, b, gamma, beta, running_mean, running_var, eps=1e-5):
    # What normalisation makes of 0 is its shift, and of 1 beyond that its scale.
    def normalise(z):
        return (z - running_mean) / np.sqrt(running_var + eps) * gamma + beta

    scale = normalise(np.ones_like(b)) - normalise(np.zeros_like(b))
    return np.einsum("kcij,k->kcij", w, scale), normalise(b)


FOLD_BATCHNORM_INTO_CONV = Exercise(
    id="fold_batchnorm_into_conv",
    topic="batchnorm",
    points=3,
    cases=_fold_batchnorm_into_conv_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still in. Fold a layer with as many filters as channels, with scales that differ and a bias "
            "that is not 0, and compare with convolution and normalisation one after the other.",
            _fold_batchnorm_into_conv__both_bugs_untouched,
        ),
        Mistake(
            "bias_untouched",
            "w is right now; the new bias is still wrong. The old bias goes through the normalisation too, so it is "
            "scaled: (b - running_mean) * scale + beta.",
            _fold_batchnorm_into_conv__bias_untouched,
        ),
        Mistake(
            "axis_untouched",
            "The bias is right now; the scale still runs along the input channels of w. w is (K, C, kh, kw) and each "
            "filter has its own scale: scale[:, None, None, None].",
            _fold_batchnorm_into_conv__axis_untouched,
        ),
        Mistake(
            "no_bias",
            "The old bias is lost. It goes through the normalisation like every output: "
            "(b - running_mean) * scale + beta.",
            _fold_batchnorm_into_conv__no_bias,
        ),
        Mistake(
            "no_mean",
            "running_mean is missing in the new bias. Normalisation subtracts it before it scales: "
            "(b - running_mean) * scale + beta.",
            _fold_batchnorm_into_conv__no_mean,
        ),
        Mistake(
            "mean_not_scaled",
            "running_mean is subtracted after scaling. Normalisation subtracts it first: "
            "(b - running_mean) * scale + beta.",
            _fold_batchnorm_into_conv__mean_not_scaled,
        ),
        Mistake(
            "shift_scaled",
            "beta is scaled too. Normalisation adds it last: (b - running_mean) * scale + beta.",
            _fold_batchnorm_into_conv__shift_scaled,
        ),
        Mistake(
            "no_root",
            "You divide by the variance. Divide by its root: gamma / sqrt(running_var + eps).",
            _fold_batchnorm_into_conv__no_root,
        ),
        Mistake(
            "eps_outside",
            "You add eps to the standard deviation. It stands under the root: sqrt(running_var + eps).",
            _fold_batchnorm_into_conv__eps_outside,
        ),
        Mistake(
            "no_eps",
            "eps is missing. The layer that you fold adds it to the variance: sqrt(running_var + eps).",
            _fold_batchnorm_into_conv__no_eps,
        ),
        Mistake(
            "no_gamma",
            "gamma is missing in the scale. Use gamma / sqrt(running_var + eps).",
            _fold_batchnorm_into_conv__no_gamma,
        ),
        Mistake(
            "in_place",
            "Your values are right, but the old filters are changed in place. Write w * scale[...] instead of "
            "w *= scale[...].",
            _fold_batchnorm_into_conv__in_place,
        ),
    ),
    other_ways=(
        OtherWay("filter_by_filter", _fold_batchnorm_into_conv__filter_by_filter),
        OtherWay("diagonal_matrix", _fold_batchnorm_into_conv__diagonal_matrix),
        OtherWay("asked_with_inputs", _fold_batchnorm_into_conv__asked_with_inputs),
    ),
)

EXERCISES = (FOLD_BATCHNORM_INTO_CONV,)
