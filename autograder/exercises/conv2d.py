"""Exercises on where windows lie: output size, padding, and windows as columns (topic `conv2d`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case


def _conv_output_size_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def size() -> int:
        return int(rng.integers(15, 40))

    kernel, padding = int(rng.integers(2, 6)), int(rng.integers(2, 4))
    stride = int(rng.integers(2, 5))
    rows = {
        "stride 1": {"size": size(), "kernel": kernel, "stride": 1, "padding": 0, "dilation": 1},
        "padding": {"size": size(), "kernel": kernel, "stride": 1, "padding": padding, "dilation": 1},
        # One entry is left over behind the last window.
        "a rest at the end": {"size": kernel + 7 * stride + 1, "kernel": kernel, "stride": stride},
        "dilation": {"size": size(), "kernel": kernel, "stride": 1, "padding": 0, "dilation": int(rng.integers(2, 4))},
        "everything at once": {"size": size(), "kernel": 3, "stride": 3, "padding": padding, "dilation": 2},
        "one window": {"size": kernel, "kernel": kernel},
        "a kernel of one": {"size": size(), "kernel": 1, "stride": 2},
    }
    if not public:
        rows["a long stride"] = {"size": 40 + kernel, "kernel": kernel, "stride": 11, "padding": padding}
        rows["dilation and a stride"] = {"size": size(), "kernel": 4, "stride": 2, "padding": 1, "dilation": 3}
    return tuple(call_case(name, "conv_output_size", inputs) for name, inputs in rows.items())


def _conv_output_size__rounds_up(size, kernel, stride=1, padding=0, dilation=1):
    return -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1


def _conv_output_size__not_rounded(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1


def _conv_output_size__padding_once(size, kernel, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


def _conv_output_size__no_padding(size, kernel, stride=1, padding=0, dilation=1):
    return (size - dilation * (kernel - 1) - 1) // stride + 1


def _conv_output_size__no_first_window(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride


def _conv_output_size__no_dilation(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - kernel) // stride + 1


def _conv_output_size__gap_too_many(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * kernel) // stride + 1


def _conv_output_size__starts_counted(size, kernel, stride=1, padding=0, dilation=1):
    last = size + 2 * padding - dilation * (kernel - 1) - 1
    return len(range(0, last + 1, stride))


def _conv_output_size__window_walks(size, kernel, stride=1, padding=0, dilation=1):
    start, windows = -padding, 0
    while start + dilation * (kernel - 1) < size + padding:
        windows, start = windows + 1, start + stride
    return windows


CONV_OUTPUT_SIZE = Exercise(
    id="conv_output_size",
    topic="conv2d",
    points=1,
    cases=_conv_output_size_cases,
    mistakes=(
        Mistake(
            "rounds_up",
            "You round up. A window that does not fit completely is left out: round down with //.",
            _conv_output_size__rounds_up,
        ),
        Mistake(
            "not_rounded",
            "There are no half windows. Divide with //, which rounds down, instead of /.",
            _conv_output_size__not_rounded,
        ),
        Mistake(
            "padding_once",
            "You add the padding on one side only. It lies on both sides: size + 2 * padding.",
            _conv_output_size__padding_once,
        ),
        Mistake(
            "no_padding",
            "The padding is missing. The windows slide over size + 2 * padding entries.",
            _conv_output_size__no_padding,
        ),
        Mistake(
            "no_first_window",
            "You count the steps between the windows. There is one window more than there are steps: add 1 at the end.",
            _conv_output_size__no_first_window,
        ),
        Mistake(
            "no_dilation",
            "The dilation is missing. A window reaches over dilation * (kernel - 1) + 1 entries.",
            _conv_output_size__no_dilation,
        ),
        Mistake(
            "gap_too_many",
            "Your dilated window is too wide. Between kernel entries there are only kernel - 1 gaps: it reaches over "
            "dilation * (kernel - 1) + 1 entries.",
            _conv_output_size__gap_too_many,
        ),
    ),
    other_ways=(
        OtherWay("starts_counted", _conv_output_size__starts_counted),
        OtherWay("window_walks", _conv_output_size__window_walks),
    ),
)

# Case id to (shape of x, padding, is a value given?).
_PUBLIC_BORDERS = {
    "non-square images": ((2, 3, 4, 3), 1, False),
    "padding 2, another value": ((1, 2, 2, 3), 2, True),
    "no padding": ((2, 1, 3, 2), 0, False),
    "float32": ((1, 2, 3, 2), 2, True),
}
_SECRET_BORDERS = {
    "non-square images": ((3, 2, 2, 5), 2, False),
    "padding 1, another value": ((2, 3, 3, 4), 1, True),
    "padding 3, one pixel": ((2, 2, 1, 1), 3, True),
    "no padding": ((1, 2, 3, 4), 0, True),
    "all sizes equal": ((3, 3, 3, 3), 2, False),
    "float32": ((2, 2, 2, 3), 1, True),
}


def _pad2d_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, padding, given) in (_PUBLIC_BORDERS if public else _SECRET_BORDERS).items():
        inputs = {"x": draw(rng, *shape, dtype="float32" if name == "float32" else "float64"), "padding": padding}
        if given:
            inputs["value"] = draw_number(rng, -9.0, -5.0)
        cases.append(call_case(name, "pad2d", inputs))
    return tuple(cases)


def _pad2d__every_axis(x, padding, value=0.0):
    return np.pad(x, padding, constant_values=value)


def _pad2d__one_side(x, padding, value=0.0):
    return np.pad(x, ((0, 0), (0, 0), (0, padding), (0, padding)), constant_values=value)


def _pad2d__one_corner(x, padding, value=0.0):
    n, c, h, w = x.shape
    out = np.full((n, c, h + 2 * padding, w + 2 * padding), value, dtype=x.dtype)
    out[:, :, :h, :w] = x
    return out


def _pad2d__always_zero(x, padding, value=0.0):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _pad2d__columns_only(x, padding, value=0.0):
    return np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding)), constant_values=value)


def _pad2d__channels_last(x, padding, value=0.0):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=value)


def _pad2d__edge_repeated(x, padding, value=0.0):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")


def _pad2d__numpy_pad(x, padding, value=0.0):
    around = (padding, padding)
    return np.pad(x, ((0, 0), (0, 0), around, around), mode="constant", constant_values=value)


def _pad2d__strips_joined(x, padding, value=0.0):
    side = np.full((*x.shape[:3], padding), value, dtype=x.dtype)
    wide = np.concatenate([side, x, side], axis=3)
    strip = np.full((*x.shape[:2], padding, wide.shape[3]), value, dtype=x.dtype)
    return np.concatenate([strip, wide, strip], axis=2)


def _pad2d__pixel_by_pixel(x, padding, value=0.0):
    n, c, h, w = x.shape
    out = np.empty((n, c, h + 2 * padding, w + 2 * padding), dtype=x.dtype)
    for image, channel, i, j in np.ndindex(out.shape):
        row, column = i - padding, j - padding
        inside = 0 <= row < h and 0 <= column < w
        out[image, channel, i, j] = x[image, channel, row, column] if inside else value
    return out


PAD2D = Exercise(
    id="pad2d",
    topic="conv2d",
    points=1,
    cases=_pad2d_cases,
    mistakes=(
        Mistake(
            "every_axis",
            "You pad the batch and the channels too. Only the last two axes, height and width, get a border.",
            _pad2d__every_axis,
        ),
        Mistake(
            "one_side",
            "You pad below and on the right only. The border goes all around: padding rows and columns on each side.",
            _pad2d__one_side,
        ),
        Mistake(
            "one_corner",
            "The size is right, but your image lies in the upper left corner. It starts at row and column padding.",
            _pad2d__one_corner,
        ),
        Mistake(
            "always_zero",
            "Your border is always 0. Fill it with the argument value.",
            _pad2d__always_zero,
        ),
        Mistake(
            "columns_only",
            "You pad the columns only. The rows, axis 2, get the same border.",
            _pad2d__columns_only,
        ),
        Mistake(
            "channels_last",
            "You pad axes 1 and 2. Images are (N, C, H, W) here: height and width are axes 2 and 3.",
            _pad2d__channels_last,
        ),
        Mistake(
            "edge_repeated",
            "You repeat the pixels of the edge. The border is constant: fill it with the argument value.",
            _pad2d__edge_repeated,
        ),
    ),
    other_ways=(
        OtherWay("numpy_pad", _pad2d__numpy_pad),
        OtherWay("strips_joined", _pad2d__strips_joined),
        OtherWay("pixel_by_pixel", _pad2d__pixel_by_pixel),
    ),
)

EXERCISES = (CONV_OUTPUT_SIZE, PAD2D)
