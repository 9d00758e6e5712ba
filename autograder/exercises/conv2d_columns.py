"""Exercise on windows as columns of a matrix (topic `conv2d`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._images import layer_inputs, rows
from course_lib.cases import Case, call_case


def _im2col_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, sizes in rows(public).items():
        if name != "as many filters as columns":
            drawn = layer_inputs(rng, name, sizes)
            inputs = {"x": drawn["x"], "kernel": (sizes.kh, sizes.kw)}
            cases.append(call_case(name, "im2col", inputs | {"stride": sizes.stride, "padding": sizes.padding}))
    return tuple(cases)


def _im2col__places_in_rows(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return views.transpose(0, 2, 3, 1, 4, 5).reshape(len(x), -1, x.shape[1] * kernel[0] * kernel[1])


def _im2col__channels_last(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return views.transpose(0, 4, 5, 1, 2, 3).reshape(len(x), x.shape[1] * kernel[0] * kernel[1], -1)


def _im2col__columns_of_the_window_first(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return views.transpose(0, 1, 5, 4, 2, 3).reshape(len(x), x.shape[1] * kernel[0] * kernel[1], -1)


def _im2col__places_down_the_columns(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return views.transpose(0, 1, 4, 5, 3, 2).reshape(len(x), x.shape[1] * kernel[0] * kernel[1], -1)


def _im2col__not_transposed(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return views.reshape(len(x), x.shape[1] * kernel[0] * kernel[1], -1)


def _im2col__batch_joined(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return views.transpose(1, 4, 5, 0, 2, 3).reshape(x.shape[1] * kernel[0] * kernel[1], -1)


def _im2col__places_without_stride(x, kernel, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))
    ho, wo = (-(-size // stride) for size in views.shape[2:4])
    views = views[:, :, :ho, :wo].transpose(0, 1, 4, 5, 2, 3)
    return views.reshape(len(x), x.shape[1] * kernel[0] * kernel[1], ho * wo)


def _im2col__window_by_window(x, kernel, stride=1, padding=0):
    kh, kw = kernel
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    columns = []
    for i in range(0, x.shape[2] - kh + 1, stride):
        for j in range(0, x.shape[3] - kw + 1, stride):
            columns.append(x[:, :, i : i + kh, j : j + kw].reshape(len(x), -1))
    return np.stack(columns, axis=2)


def _im2col__row_by_row(x, kernel, stride=1, padding=0):
    (n, c, h, w), (kh, kw) = x.shape, kernel
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding), dtype=x.dtype)
    padded[:, :, padding : padding + h, padding : padding + w] = x
    ho, wo = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    out = np.empty((n, c, kh, kw, ho, wo), dtype=x.dtype)
    for u, v in np.ndindex(kh, kw):
        out[:, :, u, v] = padded[:, :, u : u + stride * (ho - 1) + 1 : stride, v : v + stride * (wo - 1) + 1 : stride]
    return out.reshape(n, c * kh * kw, ho * wo)


def _im2col__index_arrays(x, kernel, stride=1, padding=0):
    kh, kw = kernel
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    n, c, h, w = x.shape
    channel, u, v = (axis.reshape(-1, 1) for axis in np.indices((c, kh, kw)))
    i, j = np.meshgrid(np.arange(0, h - kh + 1, stride), np.arange(0, w - kw + 1, stride), indexing="ij")
    return x[:, channel, u + i.ravel(), v + j.ravel()]


IM2COL = Exercise(
    id="im2col",
    topic="conv2d",
    points=2,
    cases=_im2col_cases,
    mistakes=(
        Mistake(
            "places_in_rows",
            "Your matrices are turned. Every window is a column: the shape is (N, C * kh * kw, places).",
            _im2col__places_in_rows,
        ),
        Mistake(
            "channels_last",
            "The rows are in another order than w.reshape(K, -1). Channel first, then the window's row, then its "
            "column.",
            _im2col__channels_last,
        ),
        Mistake(
            "columns_of_the_window_first",
            "You read the windows column by column. Read them row by row: in w.reshape(K, -1) the column of the kernel "
            "changes fastest.",
            _im2col__columns_of_the_window_first,
        ),
        Mistake(
            "places_down_the_columns",
            "The windows come in another order. Walk through the image row by row: first all windows of the top row.",
            _im2col__places_down_the_columns,
        ),
        Mistake(
            "not_transposed",
            "The shape is right, but reshape does not reorder. Transpose first, so that channel, window row and window "
            "column lie before the places.",
            _im2col__not_transposed,
        ),
        Mistake(
            "batch_joined",
            "You put the windows of all images into one matrix. Keep the batch as the first axis: one matrix per "
            "image.",
            _im2col__batch_joined,
        ),
        Mistake(
            "places_without_stride",
            "The size is right, but your windows move by 1. They start at every stride-th row and column.",
            _im2col__places_without_stride,
        ),
    ),
    other_ways=(
        OtherWay("window_by_window", _im2col__window_by_window),
        OtherWay("row_by_row", _im2col__row_by_row),
        OtherWay("index_arrays", _im2col__index_arrays),
    ),
)

EXERCISES = (IM2COL,)
