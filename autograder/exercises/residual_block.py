"""Exercise on the pre-activation block (topic `residual`)."""

# ruff: noqa: PLR0913 - the parameters of two layers are seven arguments with the images.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_both_signs
from course_lib.cases import Case, call_case
from course_lib.tree import Tree

# Case id to (N, C, M, H, W).
_PUBLIC = {
    "two images": (2, 2, 3, 3, 4),
    "one image": (1, 2, 3, 4, 3),
    "as many channels inside as outside": (2, 3, 3, 2, 3),
    "all sizes equal": (2, 2, 2, 2, 2),
    "images of five by five": (2, 2, 2, 5, 5),
    "small spread": (2, 2, 2, 3, 2),
    "a silent second convolution": (2, 2, 3, 2, 3),
    "float32": (2, 2, 3, 3, 3),
}
_SECRET = {
    "three images": (3, 2, 4, 2, 3),
    "one image": (1, 3, 2, 3, 4),
    "one channel": (2, 1, 2, 3, 2),
    "one pixel": (4, 2, 3, 1, 1),
    "as many channels inside as outside": (2, 2, 2, 4, 3),
    "all sizes equal": (3, 3, 3, 3, 3),
    "images of five by five": (1, 2, 2, 5, 5),
    "small spread": (2, 2, 2, 2, 3),
    "a silent second convolution": (2, 3, 2, 3, 2),
    "float32": (2, 3, 3, 2, 4),
}


def _preactivation_block_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = _PUBLIC if public else _SECRET
    return tuple(
        call_case(case_id, "preactivation_block", _inputs(rng, case_id, *sizes), item=0)
        for case_id, sizes in table.items()
    )


def _inputs(rng: np.random.Generator, case_id: str, n: int, c: int, m: int, h: int, w: int) -> dict[str, Tree]:
    """Scales away from 1 and 0, shifts of both signs, so that each of them shows."""
    dtype = "float32" if case_id == "float32" else "float64"
    inputs: dict[str, Tree] = {"x": draw_both_signs(rng, n, c, h, w, dtype=dtype)}
    if case_id == "small spread":
        inputs["x"] = inputs["x"] / 256
    for place, (before, after) in enumerate(((c, m), (m, c)), start=1):
        inputs[f"gamma{place}"] = (np.round(rng.uniform(0.3, 0.8, before), 2) + place).astype(dtype)
        inputs[f"beta{place}"] = draw_both_signs(rng, before, scale=0.5, dtype=dtype)
        inputs[f"w{place}"] = draw(rng, after, before, 3, 3, scale=0.4, dtype=dtype)
    if case_id == "a silent second convolution":
        inputs["w2"] = np.zeros_like(inputs["w2"])
    return inputs


def _preactivation_block__no_skip(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(np.maximum(normal, 0), w, padding=1)[0]
    return h, ()


def _preactivation_block__skip_too_late(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    first = batchnorm2d_forward(x, gamma1, beta1, np.zeros_like(beta1), np.ones_like(beta1))[0]
    active = np.maximum(first, 0)
    h = conv2d_forward(active, w1, padding=1)[0]
    second = batchnorm2d_forward(h, gamma2, beta2, np.zeros_like(beta2), np.ones_like(beta2))[0]
    return active + conv2d_forward(np.maximum(second, 0), w2, padding=1)[0], ()


def _preactivation_block__rectified_sum(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(np.maximum(normal, 0), w, padding=1)[0]
    return np.maximum(x + h, 0), ()


def _preactivation_block__convolution_first(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        h = conv2d_forward(h, w, padding=1)[0]
        h = np.maximum(batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0], 0)
    return x + h, ()


def _preactivation_block__original_block(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = conv2d_forward(x, w1, padding=1)[0]
    h = np.maximum(batchnorm2d_forward(h, gamma1, beta1, np.zeros_like(beta1), np.ones_like(beta1))[0], 0)
    h = conv2d_forward(h, w2, padding=1)[0]
    h = batchnorm2d_forward(h, gamma2, beta2, np.zeros_like(beta2), np.ones_like(beta2))[0]
    return np.maximum(x + h, 0), ()


def _preactivation_block__rectified_first(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        active = np.maximum(h, 0)
        normal = batchnorm2d_forward(active, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(normal, w, padding=1)[0]
    return x + h, ()


def _preactivation_block__no_relu(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(normal, w, padding=1)[0]
    return x + h, ()


def _preactivation_block__one_relu(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    first = batchnorm2d_forward(x, gamma1, beta1, np.zeros_like(beta1), np.ones_like(beta1))[0]
    h = conv2d_forward(np.maximum(first, 0), w1, padding=1)[0]
    second = batchnorm2d_forward(h, gamma2, beta2, np.zeros_like(beta2), np.ones_like(beta2))[0]
    return x + conv2d_forward(second, w2, padding=1)[0], ()


def _preactivation_block__no_first_half(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = conv2d_forward(x, w1, padding=1)[0]
    normal = batchnorm2d_forward(h, gamma2, beta2, np.zeros_like(beta2), np.ones_like(beta2))[0]
    return x + conv2d_forward(np.maximum(normal, 0), w2, padding=1)[0], ()


def _preactivation_block__one_normalisation(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for w in (w1, w2):
        normal = batchnorm2d_forward(h, gamma1, beta1, np.zeros_like(beta1), np.ones_like(beta1))[0]
        h = conv2d_forward(np.maximum(normal, 0), w, padding=1)[0]
    return x + h, ()


def _preactivation_block__no_padding(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(np.maximum(normal, 0), w)[0]
    return x + h, ()


def _preactivation_block__evaluation_mode(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_eval, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_eval(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))
        h = conv2d_forward(np.maximum(normal, 0), w, padding=1)[0]
    return x + h, ()


def _preactivation_block__changes_input(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(np.maximum(normal, 0), w, padding=1)[0]
    x += h
    return x, ()


def _preactivation_block__no_cache(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward

    h = x
    for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
        normal = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))[0]
        h = conv2d_forward(np.maximum(normal, 0), w, padding=1)[0]
    return x + h


def _preactivation_block__by_hand(x, gamma1, beta1, w1, gamma2, beta2, w2):
    # Nothing imported: centred, scaled, and the nine places of the filters added up on a frame of zeros.
    def half(h, gamma, beta, w):
        centred = h - h.mean(axis=(0, 2, 3), keepdims=True)
        std = np.sqrt((centred**2).mean(axis=(0, 2, 3), keepdims=True) + 1e-5)
        active = np.clip(centred / std * gamma[:, None, None] + beta[:, None, None], 0, None)
        framed = np.pad(active, ((0, 0), (0, 0), (1, 1), (1, 1)))
        rows, columns = h.shape[2:]
        places = [(i, j) for i in range(3) for j in range(3)]
        cut = (framed[:, :, i : i + rows, j : j + columns] for i, j in places)
        return sum(np.einsum("kc,nchw->nkhw", w[:, :, i, j], part) for (i, j), part in zip(places, cut, strict=True))

    return x + half(half(x, gamma1, beta1, w1), gamma2, beta2, w2), ()


def _preactivation_block__residual_of_two_halves(x, gamma1, beta1, w1, gamma2, beta2, w2):
    from course_lib.numpy_kernels import batchnorm2d_forward, conv2d_forward, pad2d, relu_forward

    def branch(h):
        caches = []
        for gamma, beta, w in ((gamma1, beta1, w1), (gamma2, beta2, w2)):
            normal, bn, _, _ = batchnorm2d_forward(h, gamma, beta, np.zeros_like(beta), np.ones_like(beta))
            active, relu = relu_forward(normal)
            h, conv = conv2d_forward(pad2d(active, 1), w)
            caches.append((bn, relu, conv))
        return h, tuple(caches)

    f, cache = branch(x)
    return f + x, cache


PREACTIVATION_BLOCK = Exercise(
    id="preactivation_block",
    topic="residual",
    points=3,
    cases=_preactivation_block_cases,
    mistakes=(
        Mistake(
            "no_skip",
            "The block ends with the second convolution, and x is lost. Add it: out = x + f.",
            _preactivation_block__no_skip,
        ),
        Mistake(
            "skip_too_late",
            "You add the normalised and rectified input. What goes past the branch is x as it came in: keep it under "
            "its own name.",
            _preactivation_block__skip_too_late,
        ),
        Mistake(
            "rectified_sum",
            "You rectify the sum. In this block nothing comes after the addition, so that x passes unharmed.",
            _preactivation_block__rectified_sum,
        ),
        Mistake(
            "convolution_first",
            "You convolve first. Here the order of each half is normalise, rectify, convolve.",
            _preactivation_block__convolution_first,
        ),
        Mistake(
            "original_block",
            "This is the block of 2015: convolve, normalise, and rectify after the sum. The pre-activation block "
            "normalises and rectifies before each convolution, and nothing comes after the sum.",
            _preactivation_block__original_block,
        ),
        Mistake(
            "rectified_first",
            "You rectify before you normalise. The order of each half is normalise, rectify, convolve.",
            _preactivation_block__rectified_first,
        ),
        Mistake(
            "no_relu",
            "Nothing is rectified. Both halves have a ReLU between normalisation and convolution.",
            _preactivation_block__no_relu,
        ),
        Mistake(
            "one_relu",
            "The ReLU of the second half is missing. Both halves rectify between normalisation and convolution.",
            _preactivation_block__one_relu,
        ),
        Mistake(
            "no_first_half",
            "The first convolution gets x itself. Normalise with gamma1 and beta1 and rectify first.",
            _preactivation_block__no_first_half,
        ),
        Mistake(
            "one_normalisation",
            "The second half normalises with gamma1 and beta1. It has its own: gamma2 and beta2.",
            _preactivation_block__one_normalisation,
        ),
        Mistake(
            "no_padding",
            "Your convolutions shrink the images, so that f does not fit to x any more. Give both padding=1.",
            _preactivation_block__no_padding,
        ),
        Mistake(
            "evaluation_mode",
            "You normalise with running estimates. In training mode mean and variance come from the batch: use "
            "batchnorm2d_forward.",
            _preactivation_block__evaluation_mode,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but x is changed. Return x + f, which makes a new array, instead of x += f.",
            _preactivation_block__changes_input,
        ),
        Mistake(
            "no_cache",
            "You return out alone. A layer returns two things, and the second is the cache: return x + f, cache.",
            _preactivation_block__no_cache,
        ),
    ),
    other_ways=(
        OtherWay("by_hand", _preactivation_block__by_hand),
        OtherWay("residual_of_two_halves", _preactivation_block__residual_of_two_halves),
    ),
)

EXERCISES = (PREACTIVATION_BLOCK,)
