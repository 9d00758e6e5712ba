"""Exercises on the forward passes of pooling and upsampling (topic `pooling`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to (shape of x, kernel, stride).
_PUBLIC = {
    "windows side by side": ((1, 1, 4, 4), 2, 2),
    "windows overlap": ((2, 2, 4, 5), 3, 1),
    "a rest at the end": ((2, 1, 5, 6), 2, 3),
    "all numbers negative": ((1, 2, 4, 3), 2, 1),
    "float32": ((2, 2, 4, 4), 2, 2),
}
_SECRET = {
    "windows side by side": ((2, 3, 6, 4), 2, 2),
    "windows overlap": ((3, 2, 5, 5), 3, 2),
    "a rest at the end": ((2, 2, 6, 5), 2, 3),
    "all numbers negative": ((2, 1, 4, 5), 3, 1),
    "one window": ((1, 3, 3, 3), 3, 1),
    "windows of one": ((2, 1, 3, 5), 1, 2),
    "float32": ((1, 2, 5, 4), 2, 1),
}


def _pooling_cases(layer: str, rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, kernel, stride) in (_PUBLIC if public else _SECRET).items():
        x = draw(rng, *shape, dtype="float32" if name == "float32" else "float64")
        if name == "all numbers negative":
            x = -np.abs(x)
        cases.append(call_case(name, layer, {"x": x, "kernel": kernel, "stride": stride}, item=0))
    return tuple(cases)


def _maxpool2d_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _pooling_cases("maxpool2d_forward", rng, public)


def _maxpool2d_forward__starts_at_zero(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.maximum(views.max(axis=(4, 5)), 0), (x, kernel, stride)


def _maxpool2d_forward__largest_in_size(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.abs(views).max(axis=(4, 5)), (x, kernel, stride)


def _maxpool2d_forward__mean(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return views.mean(axis=(4, 5)), (x, kernel, stride)


def _maxpool2d_forward__over_channels(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    largest = views.max(axis=(1, 4, 5), keepdims=True)[..., 0, 0]
    return np.repeat(largest, x.shape[1], axis=1), (x, kernel, stride)


def _maxpool2d_forward__stride_is_kernel(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::kernel, ::kernel]
    return views.max(axis=(4, 5)), (x, kernel, stride)


def _maxpool2d_forward__last_windows_missing(x, kernel, stride):
    (n, c, h, w), last = x.shape, kernel
    out = np.zeros((n, c, (h - kernel) // stride + 1, (w - kernel) // stride + 1), dtype=x.dtype)
    for i in range(0, h - last, stride):
        for j in range(0, w - last, stride):
            out[:, :, i // stride, j // stride] = x[:, :, i : i + kernel, j : j + kernel].max(axis=(2, 3))
    return out, (x, kernel, stride)


def _maxpool2d_forward__size_over_stride(x, kernel, stride):
    n, c, h, w = x.shape
    out = np.zeros((n, c, h // stride, w // stride), dtype=x.dtype)
    for i, j in np.ndindex(out.shape[2:]):
        top, left = i * stride, j * stride
        out[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].max(axis=(2, 3))
    return out, (x, kernel, stride)


def _maxpool2d_forward__window_by_window(x, kernel, stride):
    n, c, h, w = x.shape
    out = np.empty((n, c, (h - kernel) // stride + 1, (w - kernel) // stride + 1), dtype=x.dtype)
    for i, j in np.ndindex(out.shape[2:]):
        top, left = i * stride, j * stride
        out[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].max(axis=(2, 3))
    return out, (x, kernel, stride)


def _maxpool2d_forward__columns_then_rows(x, kernel, stride):
    last = x.shape[3] - kernel + 1
    wide = np.maximum.reduce([x[..., v : v + last : stride] for v in range(kernel)])
    last = x.shape[2] - kernel + 1
    out = np.maximum.reduce([wide[:, :, u : u + last : stride] for u in range(kernel)])
    return out, (x, kernel, stride)


_STRIDE_IS_KERNEL = "Your windows move by kernel. They move by stride: they may overlap, or leave pixels out."
_LAST_MISSING = (
    "The last row and column of windows stay empty. A window may start at H - kernel too: range(0, H - kernel + 1)."
)
_OVER_CHANNELS = "You mix the channels. Every channel is pooled by itself: reduce over the two window axes only."

MAXPOOL2D_FORWARD = Exercise(
    id="maxpool2d_forward",
    topic="pooling",
    points=2,
    cases=_maxpool2d_forward_cases,
    mistakes=(
        Mistake(
            "starts_at_zero",
            "Your search starts at 0, so a window of negative numbers gives 0. Start at -np.inf, or use max.",
            _maxpool2d_forward__starts_at_zero,
        ),
        Mistake(
            "largest_in_size",
            "You take absolute values. The largest number of a window may be a small or a negative one: use max alone.",
            _maxpool2d_forward__largest_in_size,
        ),
        Mistake("mean", "This is the mean of every window. Take its largest number.", _maxpool2d_forward__mean),
        Mistake("over_channels", _OVER_CHANNELS, _maxpool2d_forward__over_channels),
        Mistake("stride_is_kernel", _STRIDE_IS_KERNEL, _maxpool2d_forward__stride_is_kernel),
        Mistake("last_windows_missing", _LAST_MISSING, _maxpool2d_forward__last_windows_missing),
        Mistake(
            "size_over_stride",
            "Your output has H // stride rows. That fits only where windows lie side by side: use conv_output_size, "
            "(H - kernel) // stride + 1.",
            _maxpool2d_forward__size_over_stride,
        ),
    ),
    other_ways=(
        OtherWay("window_by_window", _maxpool2d_forward__window_by_window),
        OtherWay("columns_then_rows", _maxpool2d_forward__columns_then_rows),
    ),
)


def _avgpool2d_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _pooling_cases("avgpool2d_forward", rng, public)


def _avgpool2d_forward__sum(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return views.sum(axis=(4, 5)), (x, kernel, stride)


def _avgpool2d_forward__divided_by_kernel(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return views.sum(axis=(4, 5)) / kernel, (x, kernel, stride)


def _avgpool2d_forward__divided_by_stride(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return views.sum(axis=(4, 5)) / stride**2, (x, kernel, stride)


def _avgpool2d_forward__maximum(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return views.max(axis=(4, 5)), (x, kernel, stride)


def _avgpool2d_forward__over_channels(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    mean = views.mean(axis=(1, 4, 5), keepdims=True)[..., 0, 0]
    return np.repeat(mean, x.shape[1], axis=1), (x, kernel, stride)


def _avgpool2d_forward__stride_is_kernel(x, kernel, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::kernel, ::kernel]
    return views.mean(axis=(4, 5)), (x, kernel, stride)


def _avgpool2d_forward__window_by_window(x, kernel, stride):
    n, c, h, w = x.shape
    out = np.empty((n, c, (h - kernel) // stride + 1, (w - kernel) // stride + 1), dtype=x.dtype)
    for i, j in np.ndindex(out.shape[2:]):
        top, left = i * stride, j * stride
        out[:, :, i, j] = x[:, :, top : top + kernel, left : left + kernel].mean(axis=(2, 3))
    return out, (x, kernel, stride)


def _avgpool2d_forward__shift_and_add(x, kernel, stride):
    rows, columns = x.shape[2] - kernel + 1, x.shape[3] - kernel + 1
    shifts = [x[:, :, u : u + rows : stride, v : v + columns : stride] for u, v in np.ndindex(kernel, kernel)]
    return sum(shifts) / kernel**2, (x, kernel, stride)


AVGPOOL2D_FORWARD = Exercise(
    id="avgpool2d_forward",
    topic="pooling",
    points=1,
    cases=_avgpool2d_forward_cases,
    mistakes=(
        Mistake(
            "sum",
            "You add each window up. Divide by the kernel * kernel numbers of a window.",
            _avgpool2d_forward__sum,
        ),
        Mistake(
            "divided_by_kernel",
            "You divide by kernel. A window holds kernel * kernel numbers.",
            _avgpool2d_forward__divided_by_kernel,
        ),
        Mistake(
            "divided_by_stride",
            "You divide by stride * stride. A mean is divided by how many numbers it has: kernel * kernel.",
            _avgpool2d_forward__divided_by_stride,
        ),
        Mistake("maximum", "This is the largest number of every window. Take its mean.", _avgpool2d_forward__maximum),
        Mistake("over_channels", _OVER_CHANNELS, _avgpool2d_forward__over_channels),
        Mistake("stride_is_kernel", _STRIDE_IS_KERNEL, _avgpool2d_forward__stride_is_kernel),
    ),
    other_ways=(
        OtherWay("window_by_window", _avgpool2d_forward__window_by_window),
        OtherWay("shift_and_add", _avgpool2d_forward__shift_and_add),
    ),
)

# Case id to (shape of x, factor).
_PUBLIC_FACTORS = {
    "twice as large": ((1, 1, 2, 3), 2),
    "three times": ((2, 2, 3, 2), 3),
    "factor 1": ((1, 2, 2, 2), 1),
    "float32": ((1, 2, 2, 3), 2),
}
_SECRET_FACTORS = {
    "twice as large": ((2, 3, 3, 2), 2),
    "four times": ((1, 2, 2, 3), 4),
    "one pixel": ((2, 2, 1, 1), 3),
    "factor 1": ((2, 1, 3, 2), 1),
    "all sizes equal": ((2, 2, 2, 2), 2),
    "float32": ((2, 1, 2, 4), 3),
}


def _upsample_nearest_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, factor) in (_PUBLIC_FACTORS if public else _SECRET_FACTORS).items():
        inputs = {"x": draw(rng, *shape, dtype="float32" if name == "float32" else "float64"), "factor": factor}
        cases.append(call_case(name, "upsample_nearest_forward", inputs, item=0))
    return tuple(cases)


def _upsample_nearest_forward__tiled(x, factor=2):
    return np.tile(x, (1, 1, factor, factor)), (x, factor)


def _upsample_nearest_forward__columns_only(x, factor=2):
    return x.repeat(factor, axis=3), (x, factor)


def _upsample_nearest_forward__zeros_between(x, factor=2):
    n, c, h, w = x.shape
    out = np.zeros((n, c, factor * h, factor * w), dtype=x.dtype)
    out[:, :, ::factor, ::factor] = x
    return out, (x, factor)


def _upsample_nearest_forward__channels_too(x, factor=2):
    return x.repeat(factor, axis=1).repeat(factor, axis=2).repeat(factor, axis=3), (x, factor)


def _upsample_nearest_forward__always_two(x, factor=2):
    return x.repeat(2, axis=2).repeat(2, axis=3), (x, factor)


def _upsample_nearest_forward__mass_kept(x, factor=2):
    return x.repeat(factor, axis=2).repeat(factor, axis=3) / factor**2, (x, factor)


def _upsample_nearest_forward__index(x, factor=2):
    rows, columns = (np.arange(factor * size) // factor for size in x.shape[2:])
    return x[:, :, rows[:, None], columns], (x, factor)


def _upsample_nearest_forward__kronecker(x, factor=2):
    return np.kron(x, np.ones((1, 1, factor, factor), dtype=x.dtype)), (x, factor)


UPSAMPLE_NEAREST_FORWARD = Exercise(
    id="upsample_nearest_forward",
    topic="pooling",
    points=1,
    cases=_upsample_nearest_forward_cases,
    mistakes=(
        Mistake(
            "tiled",
            "You repeat the whole image. Repeat every pixel instead: np.repeat, not np.tile.",
            _upsample_nearest_forward__tiled,
        ),
        Mistake(
            "columns_only",
            "You repeat the columns only. Repeat the rows, axis 2, as well.",
            _upsample_nearest_forward__columns_only,
        ),
        Mistake(
            "zeros_between",
            "Between your pixels there are zeros. Fill every block with its pixel.",
            _upsample_nearest_forward__zeros_between,
        ),
        Mistake(
            "channels_too",
            "You repeat the channels too. Only height and width, axes 2 and 3, grow.",
            _upsample_nearest_forward__channels_too,
        ),
        Mistake(
            "always_two",
            "Your images always become twice as large. Use the argument factor.",
            _upsample_nearest_forward__always_two,
        ),
        Mistake(
            "mass_kept",
            "You share each pixel out over its block. Copy it: every number of the block equals the pixel.",
            _upsample_nearest_forward__mass_kept,
        ),
    ),
    other_ways=(
        OtherWay("index", _upsample_nearest_forward__index),
        OtherWay("kronecker", _upsample_nearest_forward__kronecker),
    ),
)

EXERCISES = (MAXPOOL2D_FORWARD, AVGPOOL2D_FORWARD, UPSAMPLE_NEAREST_FORWARD)
