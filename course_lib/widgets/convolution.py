"""A kernel over an image, a window that walks over cells, and the cells one output cell can see.

All three compute in the browser. "Convolution" is cross-correlation, as everywhere in the course: the kernel is not
flipped. Sources: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016); Luo et al.,
"Understanding the effective receptive field in deep convolutional neural networks" (2016).
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from course_lib.widgets._base import Look, bundle

IMAGE_SIDES = (5, 96)
ENTRY_RANGE = (-9.0, 9.0)
WINDOW_RANGES = {"size": (3, 12), "kernel": (1, 5), "padding": (0, 4), "stride": (1, 4), "dilation": (1, 3)}
FIELD_RANGES = {"size": (16, 48), "kernel": (1, 7), "stride": (1, 4)}
MOST_LAYERS = 6
COPY = ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0))

_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
_EDITOR_STILL = (
    "An image of {height} x {width} pixels on the left, and on the right what the kernel with the rows {kernel} makes "
    "of it: {rows} x {columns} pixels, from {low:.4g} (black) to {high:.4g} (white)."
)
_WINDOW_STILL = (
    "An input of {size} x {size} cells with padding {padding} on each side. A window of {kernel} x {kernel} "
    "cells with dilation {dilation} lies in its top left corner. How the window walks needs a page where scripts run."
)
_FIELD_STILL = (
    "Rows of cells, the input of {size} cells at the bottom and one row for each of {count} layers above it. "
    "One cell of the top row is dark, and below it are all cells that it sees."
)


class KernelEditor(Look):
    """A 3 x 3 kernel to edit, and the image it filters: no padding, so two rows and two columns are lost.

    The goals: a kernel that moves the picture by one pixel, and one that finds upright edges and nothing else.

    Args:
        image: grey values, (H, W), both sides 5 to 96; five digits of each value are kept.
        kernel: 3 x 3 entries from -9 to 9; by default the kernel that copies.
        row, column: place of the chosen output pixel, from 0; by default in the middle.

    Raises:
        ValueError: another shape, a value that is not finite, or an entry outside its range.

    Example:
        >>> KernelEditor(np.eye(8), kernel=np.full((3, 3), 1 / 9)).kernel[0][0]
        0.1111111111111111
    """

    _esm = bundle("kernel_editor.js")
    _module = "kernel_editor.js"
    _page_state = ("image", "kernel", "row", "column", "prediction", "goal_reached", "second_reached")

    image = traitlets.List(traitlets.List(traitlets.Float()), help="grey values, row by row").tag(sync=True)
    kernel = traitlets.List(traitlets.List(traitlets.Float()), help="the nine entries, row by row").tag(sync=True)
    row = traitlets.Int(0, help="row of the chosen output pixel, from 0").tag(sync=True)
    column = traitlets.Int(0, help="column of the chosen output pixel, from 0").tag(sync=True)
    value = traitlets.Float(None, allow_none=True, help="the output at the chosen pixel").tag(sync=True)
    low = traitlets.Float(None, allow_none=True, help="lowest value of the output").tag(sync=True)
    high = traitlets.Float(None, allow_none=True, help="highest value of the output").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"zero", "same" or "grey"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="the picture moved by one pixel").tag(sync=True)
    second_reached = traitlets.Bool(False, help="upright edges and nothing else").tag(sync=True)

    def __init__(self, image: Any, kernel: Any = None, **kwargs: Any) -> None:
        pixels = _as_image(image)
        entries = np.array(COPY if kernel is None else kernel, dtype=float)
        low, high = ENTRY_RANGE
        if entries.shape != (3, 3) or not ((entries >= low) & (entries <= high)).all():
            raise ValueError(f"KernelEditor needs a kernel of 3 x 3 entries from {low:g} to {high:g}.")
        middle = {"row": (pixels.shape[0] - 3) // 2, "column": (pixels.shape[1] - 3) // 2}
        for name, last in (("row", pixels.shape[0] - 3), ("column", pixels.shape[1] - 3)):
            if not 0 <= kwargs.get(name, 0) <= last:
                raise ValueError(f"KernelEditor needs {name} between 0 and {last}; it got {kwargs[name]!r}.")
        super().__init__(image=pixels.tolist(), kernel=entries.tolist(), **{**middle, **kwargs})

    def description(self) -> str:
        """Return the sizes, the kernel and the range of the output, as a sentence."""
        out = self._filtered()
        rows = "; ".join(" ".join(f"{entry:g}" for entry in row) for row in self.kernel)
        height, width = len(self.image), len(self.image[0])
        sizes = {"height": height, "width": width, "rows": height - 2, "columns": width - 2}
        return _EDITOR_STILL.format(**sizes, kernel=rows, low=out.min(), high=out.max())

    def still(self) -> str:
        """Return the image and its filtered form side by side, as SVG text."""
        pictures = (np.array(self.image), self._filtered())
        parts = [_HEAD.format(width=420, height=220), '<rect width="420" height="220" fill="#fff"/>']
        for k, (picture, name) in enumerate(zip(pictures, ("image", "output"), strict=True)):
            left, side = 10 + 210 * k, 190
            frame = f'x="{left}" y="20" width="{side}" height="{side}"'
            parts.append(f'<text x="{left}" y="14" font-size="14">{name}</text>')
            parts.append(
                f'<image {frame} preserveAspectRatio="none" style="image-rendering: pixelated" href="{_png(picture)}"/>'
            )
            parts.append(f'<rect {frame} fill="none" stroke="#565d66"/>')
        return "".join([*parts, "</svg>"])

    def _filtered(self) -> np.ndarray:
        x = np.array(self.image)
        height, width = x.shape[0] - 2, x.shape[1] - 2
        parts = ((i, j, self.kernel[i][j]) for i in range(3) for j in range(3))
        return sum(entry * x[i : i + height, j : j + width] for i, j, entry in parts)


class SlidingWindow(Look):
    """A window walks over a padded input, and the output grows cell by cell; its size is guessed before each walk.

    The goals: three right guesses in a row with a stride of 2 or more, and an output as large as the input although the
    window has gaps.

    Args:
        size: cells of the input along one side, 3 to 12.
        kernel: entries of the window along one side, 1 to 5, at most `size`.
        padding: cells added on each side, 0 to 4.
        stride: step from window to window, 1 to 4.
        dilation: step between the entries of the window, 1 to 3.

    Raises:
        ValueError: a number outside its range.

    Example:
        >>> SlidingWindow(size=6, kernel=2).kernel
        2
    """

    _esm = bundle("sliding_window.js")
    _module = "sliding_window.js"
    _page_state = (
        *("size", "kernel", "padding", "stride", "dilation", "prediction", "right_in_a_row"),
        *("goal_reached", "second_reached"),
    )

    size = traitlets.Int(7, help="cells of the input along one side").tag(sync=True)
    kernel = traitlets.Int(3, help="entries of the window along one side").tag(sync=True)
    padding = traitlets.Int(0, help="cells added on each side").tag(sync=True)
    stride = traitlets.Int(1, help="step from window to window").tag(sync=True)
    dilation = traitlets.Int(1, help="step between the entries of the window").tag(sync=True)
    guess = traitlets.Int(None, allow_none=True, help="output size that was guessed").tag(sync=True)
    output_size = traitlets.Int(None, allow_none=True, help="output size, once the window has walked").tag(sync=True)
    right_in_a_row = traitlets.Int(0, help="right guesses with stride 2 or more, in a row").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help="the output size chosen first").tag(sync=True)
    goal_reached = traitlets.Bool(False, help="three right guesses in a row").tag(sync=True)
    second_reached = traitlets.Bool(False, help="output as large as the input, with dilation").tag(sync=True)

    def __init__(self, size: int = 7, kernel: int = 3, **kwargs: Any) -> None:
        given = {"size": size, "kernel": kernel, **kwargs}
        _in_ranges("SlidingWindow", WINDOW_RANGES, **{name: given[name] for name in WINDOW_RANGES if name in given})
        if kernel > size:
            raise ValueError(f"SlidingWindow needs a kernel of at most {size} entries, the size; it got {kernel}.")
        super().__init__(**given)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        names = ("size", "kernel", "padding", "dilation")
        return _WINDOW_STILL.format(**{name: getattr(self, name) for name in names})

    def still(self) -> str:
        """Return the padded input with the first window, as SVG text."""
        cells, side = self.size + 2 * self.padding, 28
        reach = {self.dilation * k for k in range(self.kernel)}
        parts = []
        for i, j in np.ndindex(cells, cells):
            inside = all(self.padding <= k < self.padding + self.size for k in (i, j))
            look = (
                'fill="#e1e5ea" stroke="#565d66"' if inside else 'fill="#fff" stroke="#565d66" stroke-dasharray="3 3"'
            )
            if i in reach and j in reach:
                look = 'fill="#0b4f8a" stroke="#1b1f24" stroke-width="2"'
            place = f'x="{4 + side * j}" y="{4 + side * i}"'
            parts.append(f'<rect {place} width="{side - 3}" height="{side - 3}" {look}/>')
        full = 5 + side * cells
        return "".join([_HEAD.format(width=full, height=full), *parts, "</svg>"])


class ReceptiveField(Look):
    """Layers of windows over a row of cells: choose one output cell, and see which input cells it sees, and how often.

    The goals: a field of exactly 7 from kernels of 3 with stride 1, and a field of 15 from three layers.

    Args:
        layers: (kernel, stride) from the input on, 0 to 6 of them; kernel 1 to 7, stride 1 to 4, no padding.
        size: cells of the input, 16 to 48.
        cell: the chosen cell of the last row that fits, from 0; by default one in the middle.

    Raises:
        ValueError: a number outside its range, too many layers, or a layer that is no pair.

    Example:
        >>> ReceptiveField([(5, 1), (2, 2)]).layers
        [[5, 1], [2, 2]]
    """

    _esm = bundle("receptive_field.js")
    _module = "receptive_field.js"
    _page_state = ("size", "layers", "cell", "prediction", "goal_reached", "second_reached")

    size = traitlets.Int(32, help="cells of the input").tag(sync=True)
    layers = traitlets.List(traitlets.List(traitlets.Int()), help="kernel and stride of each layer").tag(sync=True)
    cell = traitlets.Int(0, help="the chosen output cell, from 0").tag(sync=True)
    first = traitlets.Int(None, allow_none=True, help="first input cell that it sees").tag(sync=True)
    last = traitlets.Int(None, allow_none=True, help="last input cell that it sees").tag(sync=True)
    seen = traitlets.Int(None, allow_none=True, help="how many input cells it sees").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"3", "5", "6" or "9"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="7 cells from kernels of 3 with stride 1").tag(sync=True)
    second_reached = traitlets.Bool(False, help="15 cells from three layers").tag(sync=True)

    def __init__(
        self, layers: Sequence[tuple[int, int]] = ((3, 1), (3, 1), (2, 2)), size: int = 32, **kwargs: Any
    ) -> None:
        rows = [[int(number) for number in layer] for layer in layers]
        if len(rows) > MOST_LAYERS or any(len(row) != 2 for row in rows):
            raise ValueError(f"ReceptiveField needs at most {MOST_LAYERS} layers, each a pair (kernel, stride).")
        _in_ranges("ReceptiveField", FIELD_RANGES, size=size)
        for kernel, stride in rows:
            _in_ranges("ReceptiveField", FIELD_RANGES, kernel=kernel, stride=stride)
        top = len(_rows(size, rows)[-1])
        if not 0 <= kwargs.get("cell", 0) < top:
            raise ValueError(f"ReceptiveField needs cell between 0 and {top - 1}; it got {kwargs['cell']!r}.")
        super().__init__(layers=rows, size=int(size), **{"cell": (top - 1) // 2, **kwargs})

    def description(self) -> str:
        """Return what the still picture shows, as a sentence."""
        return _FIELD_STILL.format(size=self.size, count=len(_rows(self.size, self.layers)) - 1)

    def still(self) -> str:
        """Return the rows of cells and what one top cell sees, as SVG text."""
        rows, side = _rows(self.size, self.layers), 12
        seen, parts = {self.cell}, []
        for level in range(len(rows) - 1, -1, -1):
            top = 8 + 40 * (len(rows) - 1 - level)
            for k, middle in enumerate(rows[level]):
                fill = "#0b4f8a" if k in seen else "#fff"
                place = f'x="{4 + side * middle:g}" y="{top}" width="{side - 3}" height="20"'
                parts.append(f'<rect {place} fill="{fill}" stroke="#565d66"/>')
            if level:
                kernel, stride = self.layers[level - 1]
                seen = {k * stride + entry for k in seen for entry in range(kernel)}
        head = _HEAD.format(width=8 + side * self.size, height=40 * len(rows))
        return "".join([head, *parts, "</svg>"])


def _rows(size: int, layers: Sequence[Sequence[int]]) -> list[list[float]]:
    """The middles of all cells of each row, in cells of the input, as long as a window fits."""
    rows = [[float(k) for k in range(size)]]
    for kernel, stride in layers:
        below = rows[-1]
        if len(below) < kernel:
            break
        starts = range(0, len(below) - kernel + 1, stride)
        rows.append([(below[start] + below[start + kernel - 1]) / 2 for start in starts])
    return rows


def _as_image(image: Any) -> np.ndarray:
    pixels = np.array(image, dtype=float)
    low, high = IMAGE_SIDES
    if pixels.ndim != 2 or not all(low <= side <= high for side in pixels.shape):
        raise ValueError(f"KernelEditor needs an image (H, W) with sides from {low} to {high}; it got {pixels.shape}.")
    if not np.isfinite(pixels).all():
        raise ValueError("KernelEditor needs finite grey values; look for NaN and infinity in the image.")
    return np.array([float(f"{value:.5g}") for value in pixels.ravel()]).reshape(pixels.shape)


def _png(picture: np.ndarray) -> str:
    """A grey PNG as a data address, the lowest value black and the highest white."""
    low, high = picture.min(), picture.max()
    grey = np.rint(255 * (picture - low) / ((high - low) or 1)).astype(np.uint8)
    lines = b"".join(b"\0" + line.tobytes() for line in grey)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def _in_ranges(widget: str, ranges: dict[str, tuple[int, int]], **given: int) -> None:
    """Refuse the first number outside its range."""
    for name, value in given.items():
        low, high = ranges[name]
        if not low <= value <= high:
            raise ValueError(f"{widget} needs {name} between {low} and {high}; it got {value!r}.")
