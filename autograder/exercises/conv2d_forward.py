"""Exercises on the convolution as loops, as columns and as a matrix product (topic `conv2d`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._images import layer_inputs, rows
from course_lib.cases import Case, call_case


def _conv2d_loops_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    named = rows(public).items()
    return tuple(call_case(name, "conv2d_loops", layer_inputs(rng, name, sizes)) for name, sizes in named)


def _conv2d_loops__flipped(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, (h - kh) // stride + 1, (width - kw) // stride + 1), dtype=x.dtype)
    for m, f, i, j in np.ndindex(out.shape):
        window = x[m, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
        out[m, f, i, j] = (window * w[f, :, ::-1, ::-1]).sum() + b[f]
    return out


def _conv2d_loops__no_bias(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, (h - kh) // stride + 1, (width - kw) // stride + 1), dtype=x.dtype)
    for m, f, i, j in np.ndindex(out.shape):
        out[m, f, i, j] = (x[m, :, i * stride : i * stride + kh, j * stride : j * stride + kw] * w[f]).sum()
    return out


def _conv2d_loops__bias_per_channel(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, c, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, (h - kh) // stride + 1, (width - kw) // stride + 1), dtype=x.dtype)
    for m, f, i, j in np.ndindex(out.shape):
        for channel in range(c):
            window = x[m, channel, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[m, f, i, j] += (window * w[f, channel]).sum() + b[f]
    return out


def _conv2d_loops__one_channel(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, c, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, (h - kh) // stride + 1, (width - kw) // stride + 1), dtype=x.dtype)
    for m, f, i, j in np.ndindex(out.shape):
        for channel in range(c):
            window = x[m, channel, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[m, f, i, j] = (window * w[f, channel]).sum() + b[f]
    return out


def _conv2d_loops__places_without_stride(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, (h - kh) // stride + 1, (width - kw) // stride + 1), dtype=x.dtype)
    for m, f, i, j in np.ndindex(out.shape):
        out[m, f, i, j] = (x[m, :, i : i + kh, j : j + kw] * w[f]).sum() + b[f]
    return out


def _conv2d_loops__last_windows_missing(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, (h - kh) // stride + 1, (width - kw) // stride + 1), dtype=x.dtype)
    for i in range(0, h - kh, stride):
        for j in range(0, width - kw, stride):
            windows = x[:, None, :, i : i + kh, j : j + kw]
            out[:, :, i // stride, j // stride] = (windows * w).sum(axis=(2, 3, 4)) + b
    return out


def _conv2d_loops__no_padding(x, w, b, stride=1, padding=0):
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, k, max(h - kh, 0) // stride + 1, max(width - kw, 0) // stride + 1), dtype=x.dtype)
    for m, f, i, j in np.ndindex(out.shape):
        window = x[m, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
        out[m, f, i, j] = (window * w[f, :, : window.shape[1], : window.shape[2]]).sum() + b[f]
    return out


def _conv2d_loops__shift_and_add(x, w, b, stride=1, padding=0):
    around = (padding, padding)
    x = np.pad(x, ((0, 0), (0, 0), around, around))
    ho, wo = ((size - kernel) // stride + 1 for size, kernel in zip(x.shape[2:], w.shape[2:], strict=True))
    out = np.zeros((len(x), len(w), ho, wo), dtype=x.dtype) + b[:, None, None]
    for u, v in np.ndindex(w.shape[2:]):
        part = x[:, :, u : u + stride * ho : stride, v : v + stride * wo : stride][:, :, :ho, :wo]
        out += np.einsum("ncij,kc->nkij", part, w[:, :, u, v])
    return out


def _conv2d_loops__border_skipped(x, w, b, stride=1, padding=0):
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    ho, wo = (h + 2 * padding - kh) // stride + 1, (width + 2 * padding - kw) // stride + 1
    out = np.zeros((n, k, ho, wo), dtype=x.dtype)
    for i, j, u, v in np.ndindex(ho, wo, kh, kw):
        row, column = i * stride + u - padding, j * stride + v - padding
        if 0 <= row < h and 0 <= column < width:
            out[:, :, i, j] += x[:, :, row, column] @ w[:, :, u, v].T
    return out + b.reshape(1, k, 1, 1)


CONV2D_LOOPS = Exercise(
    id="conv2d_loops",
    topic="conv2d",
    points=3,
    cases=_conv2d_loops_cases,
    mistakes=(
        Mistake(
            "flipped",
            "You flip the kernel. Deep learning multiplies window and kernel as they lie: leave out [::-1].",
            _conv2d_loops__flipped,
        ),
        Mistake("no_bias", "The bias is missing. Add b[k] to every number of channel k.", _conv2d_loops__no_bias),
        Mistake(
            "bias_per_channel",
            "You add the bias once for every input channel. Add b[k] once, after the sum over the channels.",
            _conv2d_loops__bias_per_channel,
        ),
        Mistake(
            "one_channel",
            "Each input channel overwrites what the one before gave. Add the channels up: +=, and the bias once.",
            _conv2d_loops__one_channel,
        ),
        Mistake(
            "places_without_stride",
            "The size is right, but your windows move by 1. The window of output (i, j) starts at row i * stride and "
            "column j * stride.",
            _conv2d_loops__places_without_stride,
        ),
        Mistake(
            "last_windows_missing",
            "The last row and column of windows stay empty. A window may start at H - kh too: range(0, H - kh + 1).",
            _conv2d_loops__last_windows_missing,
        ),
        Mistake(
            "no_padding",
            "The border is missing. Pad the images first, with pad2d, and slide over the padded ones.",
            _conv2d_loops__no_padding,
        ),
    ),
    other_ways=(
        OtherWay("shift_and_add", _conv2d_loops__shift_and_add),
        OtherWay("border_skipped", _conv2d_loops__border_skipped),
    ),
)


def _conv2d_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    named = rows(public).items()
    return tuple(call_case(name, "conv2d_forward", layer_inputs(rng, name, sizes), item=0) for name, sizes in named)


def _conv2d_forward__flipped(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("ncijuv,kcuv->nkij", views, w[:, :, ::-1, ::-1]) + b[:, None, None]
    return out, (x, w, b, stride, padding)


def _conv2d_forward__no_bias(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncijuv,kcuv->nkij", views, w), (x, w, b, stride, padding)


def _conv2d_forward__bias_along_columns(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncijuv,kcuv->nkij", views, w) + b, (x, w, b, stride, padding)


def _conv2d_forward__images_mixed(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    columns = views.transpose(1, 4, 5, 0, 2, 3).reshape(w[0].size, -1)
    out = w.reshape(len(w), -1) @ columns + b[:, None]
    return out.reshape(len(x), len(w), *views.shape[2:4]), (x, w, b, stride, padding)


def _conv2d_forward__kernels_turned(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    n, ho, wo = len(x), *views.shape[2:4]
    columns = views.transpose(0, 1, 4, 5, 2, 3).reshape(n, w[0].size, ho * wo)
    out = w.reshape(-1, len(w)).T @ columns + b[:, None]
    return out.reshape(n, len(w), ho, wo), (x, w, b, stride, padding)


def _conv2d_forward__channels_in_the_middle(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    n, ho, wo = len(x), *views.shape[2:4]
    columns = views.transpose(0, 4, 5, 1, 2, 3).reshape(n, w[0].size, ho * wo)
    out = w.reshape(len(w), -1) @ columns + b[:, None]
    return out.reshape(n, len(w), ho, wo), (x, w, b, stride, padding)


def _conv2d_forward__only_out(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncijuv,kcuv->nkij", views, w) + b[:, None, None]


def _conv2d_forward__places_without_stride(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))
    ho, wo = (-(-size // stride) for size in views.shape[2:4])
    out = np.einsum("ncijuv,kcuv->nkij", views[:, :, :ho, :wo], w) + b[:, None, None]
    return out, (x, w, b, stride, padding)


def _conv2d_forward__einsum_on_a_view(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("kcuv,ncijuv->nkij", w, views) + b.reshape(1, -1, 1, 1), (x, w, b, stride, padding)


def _conv2d_forward__one_big_product(x, w, b, stride=1, padding=0):
    (n, c, h, width), (k, _, kh, kw) = x.shape, w.shape
    padded = np.zeros((n, c, h + 2 * padding, width + 2 * padding), dtype=x.dtype)
    padded[:, :, padding : padding + h, padding : padding + width] = x
    ho, wo = (h + 2 * padding - kh) // stride + 1, (width + 2 * padding - kw) // stride + 1
    starts = [(i * stride, j * stride) for i in range(ho) for j in range(wo)]
    lines = np.stack([padded[:, :, i : i + kh, j : j + kw].reshape(n, -1) for i, j in starts], axis=1)
    out = lines.reshape(n * ho * wo, -1) @ w.reshape(k, -1).T + b
    return out.reshape(n, ho, wo, k).transpose(0, 3, 1, 2), (x, w, b, stride, padding)


CONV2D_FORWARD = Exercise(
    id="conv2d_forward",
    topic="conv2d",
    points=3,
    cases=_conv2d_forward_cases,
    mistakes=(
        Mistake(
            "flipped",
            "You flip the kernels. Deep learning multiplies window and kernel as they lie: leave out [::-1].",
            _conv2d_forward__flipped,
        ),
        Mistake("no_bias", "The bias is missing. Add b[k] to every number of channel k.", _conv2d_forward__no_bias),
        Mistake(
            "bias_along_columns",
            "You add b along the last axis, the columns. It belongs to the filters, axis 1: give it the shape "
            "(K, 1, 1), or (K, 1) before you reshape.",
            _conv2d_forward__bias_along_columns,
        ),
        Mistake(
            "images_mixed",
            "Your product has the axes (K, N, places), and reshape does not reorder: it deals numbers of one image to "
            "others. Multiply image by image, or transpose before you reshape.",
            _conv2d_forward__images_mixed,
        ),
        Mistake(
            "kernels_turned",
            "You cut the filters apart: w.reshape(-1, K) puts numbers of several filters in one column. One filter per "
            "row is w.reshape(K, -1).",
            _conv2d_forward__kernels_turned,
        ),
        Mistake(
            "channels_in_the_middle",
            "The rows of your columns are in another order than w.reshape(K, -1). Channel first, then the kernel's "
            "row, then its column.",
            _conv2d_forward__channels_in_the_middle,
        ),
        Mistake(
            "only_out",
            "Your numbers are right, but the cache is missing. Return two things: out and the cache.",
            _conv2d_forward__only_out,
        ),
        Mistake(
            "places_without_stride",
            "The size is right, but your windows move by 1. The window of output (i, j) starts at row i * stride and "
            "column j * stride.",
            _conv2d_forward__places_without_stride,
        ),
    ),
    other_ways=(
        OtherWay("einsum_on_a_view", _conv2d_forward__einsum_on_a_view),
        OtherWay("one_big_product", _conv2d_forward__one_big_product),
    ),
)

EXERCISES = (CONV2D_LOOPS, CONV2D_FORWARD)
