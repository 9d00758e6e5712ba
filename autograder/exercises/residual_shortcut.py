"""Exercise on the shortcut where a residual block changes size (topic `residual`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_both_signs
from course_lib.cases import Case, call_case

# Case id to (N, C, H, W, K, stride); None leaves the stride away.
_PUBLIC = {
    "all sizes differ": (2, 3, 4, 6, 5, 2),
    "odd sizes": (2, 2, 3, 5, 4, 2),
    "no stride given": (1, 2, 4, 3, 3, None),
    "stride 1": (2, 3, 2, 4, 2, 1),
    "stride 3": (1, 2, 7, 6, 3, 3),
    "channels as many as filters": (2, 3, 4, 4, 3, 2),
    "float32": (2, 2, 5, 4, 3, 2),
}
_SECRET = {
    "all sizes differ": (3, 2, 6, 4, 4, 2),
    "odd sizes": (2, 3, 5, 7, 2, 2),
    "no stride given": (2, 3, 3, 4, 2, None),
    "stride 1": (1, 2, 3, 5, 4, 1),
    "stride 3": (2, 2, 8, 5, 3, 3),
    "a stride larger than the image": (2, 3, 2, 3, 4, 4),
    "one pixel": (3, 2, 1, 1, 4, 2),
    "one channel, one filter": (2, 1, 4, 5, 1, 2),
    "channels as many as filters": (1, 4, 4, 4, 4, 2),
    "float32": (2, 3, 4, 5, 4, 2),
}


def _projection_shortcut_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for case_id, (n, c, h, w, k, stride) in (_PUBLIC if public else _SECRET).items():
        dtype = "float32" if case_id == "float32" else "float64"
        inputs = {"x": draw_both_signs(rng, n, c, h, w, dtype=dtype), "w": draw(rng, k, c, 1, 1, dtype=dtype)}
        if stride is not None:
            inputs["stride"] = stride
        cases.append(call_case(case_id, "projection_shortcut", inputs))
    return tuple(cases)


def _projection_shortcut__no_stride(x, w, stride=2):
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x)


def _projection_shortcut__always_two(x, w, stride=2):
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, ::2, ::2])


def _projection_shortcut__rows_only(x, w, stride=2):
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, ::stride])


def _projection_shortcut__channels_stepped(x, w, stride=2):
    return np.einsum("kc,nchw->nkhw", w[:, ::stride, 0, 0], x[:, ::stride])


def _projection_shortcut__starts_late(x, w, stride=2):
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, stride - 1 :: stride, stride - 1 :: stride])


def _projection_shortcut__rounds_down(x, w, stride=2):
    h, ww = x.shape[2] // stride, x.shape[3] // stride
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, ::stride, ::stride][:, :, :h, :ww])


def _projection_shortcut__first_pixels(x, w, stride=2):
    h, ww = -(-x.shape[2] // stride), -(-x.shape[3] // stride)
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, :h, :ww])


def _projection_shortcut__averaged(x, w, stride=2):
    n, c, h, ww = x.shape
    rows, columns = range(0, h, stride), range(0, ww, stride)
    pooled = np.empty((n, c, len(rows), len(columns)), x.dtype)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            pooled[:, :, i, j] = x[:, :, row : row + stride, column : column + stride].mean(axis=(2, 3))
    return np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], pooled)


def _projection_shortcut__filters_transposed(x, w, stride=2):
    picked = x[:, :, ::stride, ::stride]
    n, c, h, ww = picked.shape
    return (w.reshape(c, -1).T @ picked.reshape(n, c, -1)).reshape(n, -1, h, ww)


def _projection_shortcut__padded(x, w, stride=2):
    # No channels are mixed: the picture is thinned out and zeros fill up the new channels.
    picked = x[:, :, ::stride, ::stride]
    out = np.zeros((len(x), len(w), *picked.shape[2:]), x.dtype)
    shared = min(x.shape[1], len(w))
    out[:, :shared] = picked[:, :shared]
    return out


def _projection_shortcut__rectified(x, w, stride=2):
    return np.maximum(np.einsum("kc,nchw->nkhw", w[:, :, 0, 0], x[:, :, ::stride, ::stride]), 0)


def _projection_shortcut__pixel_by_pixel(x, w, stride=2):
    n, _, h, ww = x.shape
    out = np.zeros((n, len(w), -(-h // stride), -(-ww // stride)), dtype=x.dtype)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, i * stride, j * stride] @ w[:, :, 0, 0].T
    return out


def _projection_shortcut__thinned_afterwards(x, w, stride=2):
    # The convolution at every pixel, then every stride-th result.
    everywhere = np.tensordot(x, w[:, :, 0, 0], axes=(1, 1))
    return everywhere[:, ::stride, ::stride].transpose(0, 3, 1, 2)


def _projection_shortcut__library_convolution(x, w, stride=2):
    from course_lib.numpy_kernels import conv2d_forward

    return conv2d_forward(x, w, stride=stride)[0]


PROJECTION_SHORTCUT = Exercise(
    id="projection_shortcut",
    topic="residual",
    points=2,
    cases=_projection_shortcut_cases,
    mistakes=(
        Mistake(
            "no_stride",
            "You use every pixel. The shortcut must shrink like the branch: take every stride-th row and column, "
            "x[:, :, ::stride, ::stride].",
            _projection_shortcut__no_stride,
        ),
        Mistake(
            "always_two",
            "You step by 2 whatever stride is. Use the argument: x[:, :, ::stride, ::stride].",
            _projection_shortcut__always_two,
        ),
        Mistake(
            "rows_only",
            "You step over rows but not over columns. Both axes need the stride: x[:, :, ::stride, ::stride].",
            _projection_shortcut__rows_only,
        ),
        Mistake(
            "channels_stepped",
            "You step over channels. Images are (N, C, H, W): the stride belongs to the last two axes.",
            _projection_shortcut__channels_stepped,
        ),
        Mistake(
            "starts_late",
            "You take the last pixel of each step. Begin with pixel 0, as a convolution does: x[:, :, ::stride, "
            "::stride].",
            _projection_shortcut__starts_late,
        ),
        Mistake(
            "rounds_down",
            "You drop a last pixel that begins a step. With 5 rows and stride 2 rows 0, 2 and 4 count: the size is "
            "rounded up.",
            _projection_shortcut__rounds_down,
        ),
        Mistake(
            "first_pixels",
            "The size is right, but you cut out the first corner of the image. Take every stride-th row and column "
            "instead.",
            _projection_shortcut__first_pixels,
        ),
        Mistake(
            "averaged",
            "You average the pixels of each step. A 1 x 1 convolution with a stride looks at one of them, the first.",
            _projection_shortcut__averaged,
        ),
        Mistake(
            "filters_transposed",
            "You read the filters with channels first. w is (K, C, 1, 1): row k of w[:, :, 0, 0] holds the weights of "
            "filter k.",
            _projection_shortcut__filters_transposed,
        ),
        Mistake(
            "padded",
            "You copy channels and fill up with zeros, the shortcut without parameters. Here each output channel is a "
            "weighted sum of all input channels: w[:, :, 0, 0] @ pixel.",
            _projection_shortcut__padded,
        ),
        Mistake(
            "rectified",
            "You rectify the result. A shortcut is linear: return the weighted sums as they are.",
            _projection_shortcut__rectified,
        ),
    ),
    other_ways=(
        OtherWay("pixel_by_pixel", _projection_shortcut__pixel_by_pixel),
        OtherWay("thinned_afterwards", _projection_shortcut__thinned_afterwards),
        OtherWay("library_convolution", _projection_shortcut__library_convolution),
    ),
)

EXERCISES = (PROJECTION_SHORTCUT,)
