"""The pictures of lesson 06, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.plots.charts import confusion, curves, lab_curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "as_columns", "confusion", "cost_bars", "field_cone", "filter_sheet", "filtered", "lab_curves", "number_tables",
    "scores", "sheet", "spreads", "training_curves", "weights_by_side", "window_rows",
]  # fmt: skip

EPOCH = "epoch"
_MARKERS = ("o", "s", "^", "D")


def weights_by_side(sides: Sequence[int], dense: Sequence[float], shared: float) -> Picture:
    """Weights of a dense layer that keeps the size of a colour image, and of a convolution, by the image's side."""
    names = {"dense layer": dense, "convolution": [shared] * len(sides)}
    alt = (f"Numbers of weights against the side of a colour image, both axes logarithmic. A dense layer that keeps "
           f"the size grows from {dense[0]:.2g} at {sides[0]} pixels to {dense[-1]:.2g} at {sides[-1]}. A convolution "
           f"stays at {shared:.0f}.")  # fmt: skip
    axes = ("side of the image (pixels, log scale)", "weights (log scale)")
    picture = curves(names, "A dense layer grows with the fourth power of the side", axes, alt, sides)
    (ax,) = picture.figure.axes
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(sides, [str(side) for side in sides])
    ax.minorticks_off()
    return picture


def window_rows(settings: Sequence[Mapping[str, int]]) -> Picture:
    """Every window over a line of cells; each setting has size, kernel, stride, padding and dilation."""
    figure, axes = canvas(len(settings), height=3.0)
    told = []
    for ax, chosen in zip(axes, settings, strict=True):
        starts = _line_of_windows(ax, **chosen)
        told.append(f"{len(starts)} windows with {', '.join(f'{name} {number}' for name, number in chosen.items())}")
    axes[0].set_ylabel("window (number)")
    return Picture(figure, f"A line of cells and all windows over it, one below the other: {'; '.join(told)}. Cells of "
                   "the border are dashed. Cells that no window reaches at the end are left out.")  # fmt: skip


def _line_of_windows(ax: Axes, size: int, kernel: int, stride: int, padding: int, dilation: int) -> range:
    """Cells on top, windows below."""
    reach = dilation * (kernel - 1) + 1
    starts = range(-padding, size + padding - reach + 1, stride)
    for cell in range(-padding, size + padding):
        inside = 0 <= cell < size
        ax.add_patch(Rectangle((cell, -0.4), 0.9, 0.8, facecolor="#E1E5EA" if inside else "white", edgecolor=GREY,
                               linestyle="-" if inside else "--"))  # fmt: skip
    for row, start in enumerate(starts, start=1):
        for entry in range(kernel):
            place = (start + entry * dilation, row - 0.3)
            ax.add_patch(Rectangle(place, 0.9, 0.6, facecolor="#CFE3F1", edgecolor=BLUE, hatch="//"))
    ax.grid(False)
    ax.set(xlim=(-padding - 0.4, size + padding + 0.3), ylim=(max(len(starts), 5) + 0.8, -0.8))
    ax.set_yticks(range(1, len(starts) + 1))
    ax.set_xticks([])
    names = [f"k = {kernel}", *(f"{name} = {number}" for name, number, usual in
             (("p", padding, 0), ("s", stride, 1), ("d", dilation, 1)) if number != usual)]  # fmt: skip
    label(ax, ", ".join(names), f"{size} cells, {len(starts)} windows", " ")
    return starts


def number_tables(tables: Mapping[str, np.ndarray], blocks: Mapping[str, int] | None = None) -> Picture:
    """Tables of numbers side by side, large numbers on darker cells; thick lines around blocks of so many cells."""
    rows = max(len(table) for table in tables.values())
    figure, axes = canvas(len(tables), height=0.9 + 0.42 * rows, widths=[t.shape[1] + 0.6 for t in tables.values()])
    told = []
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        _numbers(ax, np.asarray(table, dtype=float))
        for at in range(0, len(table) + 1, (blocks or {}).get(name, len(table) + 1)):
            if blocks and name in blocks:
                ax.axhline(at - 0.5, color="black", linewidth=2, clip_on=False)
                ax.axvline(at - 0.5, color="black", linewidth=2, clip_on=False)
        ax.set_title(name, fontsize=11, loc="left")
        told.append(f"{name}: " + "; ".join(" ".join(f"{number:.4g}" for number in row) for row in table))
    return Picture(figure, f"Tables of numbers, row by row. {'. '.join(told)}.")


def _numbers(ax: Axes, table: np.ndarray) -> None:
    span = max(float(np.abs(table).max()), 1e-9)
    ax.grid(False)
    ax.imshow(table, cmap="Greys", vmin=-2.2 * span if table.min() < 0 else 0, vmax=2.2 * span)
    ax.set(xticks=[], yticks=[])
    ax.spines[["top", "right"]].set_visible(True)
    for (i, j), number in np.ndenumerate(table):
        ax.text(j, i, f"{number:.4g}", ha="center", va="center", fontsize=9)


def filtered(image: np.ndarray, kernels: Mapping[str, np.ndarray], maps: Mapping[str, np.ndarray]) -> Picture:
    """An image, and below each kernel what it makes of the image: 0 is grey, positive darker, negative lighter."""
    figure = Figure(figsize=(7.0, 3.3), layout="constrained")
    axes = figure.subplots(2, len(kernels) + 1, height_ratios=(1, 1.7))
    axes[0, 0].set_axis_off()
    _grey(axes[1, 0], image, "image", signed=False)
    for (top, below), (name, kernel) in zip(axes[:, 1:].T, kernels.items(), strict=True):
        _numbers(top, np.asarray(kernel, dtype=float))
        top.set_title(name, fontsize=10, loc="left")
        _grey(below, maps[name], "", signed=True)
    told = "; ".join(f"{name} from {maps[name].min():.2g} to {maps[name].max():.2g}" for name in kernels)
    return Picture(figure, f"A grey image, {len(kernels)} kernels of numbers, and below each kernel the map that it "
                   f"makes, with 0 in middle grey. Values: {told}.")  # fmt: skip


def sheet(images: Mapping[str, np.ndarray], signed: bool = False) -> Picture:
    """Images or maps (H, W) in one row under their names, dark is much; signed ones have 0 in middle grey."""
    figure, axes = canvas(len(images), height=1.9 if len(images) > 4 else 2.3)
    for ax, (name, image) in zip(axes, images.items(), strict=True):
        _grey(ax, image, name, signed)
    return Picture(figure, f"{len(images)} grey images in a row: {', '.join(images)}.".replace("\n", " "))


def _grey(ax: Axes, image: np.ndarray, name: str, signed: bool) -> None:
    most = max(float(np.abs(image).max()), 1e-9)
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    ax.spines[["top", "right"]].set_visible(True)
    ax.imshow(image, cmap="Greys", vmin=-most if signed else 0, vmax=most, interpolation="nearest")
    ax.set_title(name, fontsize=9)


def as_columns(image: np.ndarray, columns: np.ndarray, kernel: int, chosen: int) -> Picture:
    """An image (H, W) with one window framed, and the matrix of all windows (stride 1) with that column framed."""
    figure, axes = canvas(2, height=2.9, widths=(1, 1.9))
    for ax, table, name in ((axes[0], image, "one image"), (axes[1], columns, "its columns")):
        _numbers(ax, np.asarray(table, dtype=float))
        ax.set_title(name, fontsize=11, loc="left")
    i, j = divmod(chosen, image.shape[1] - kernel + 1)
    frame = {"fill": False, "edgecolor": ORANGE, "linewidth": 3, "clip_on": False}
    axes[0].add_patch(Rectangle((j - 0.5, i - 0.5), kernel, kernel, **frame))
    axes[1].add_patch(Rectangle((chosen - 0.5, -0.5), 1, len(columns), **frame))
    axes[1].set_xlabel(f"window (number); the framed one is {chosen}")
    axes[1].set_ylabel("place in the window")
    held = " ".join(f"{number:g}" for number in columns[:, chosen])
    return Picture(figure, f"An image of {image.shape[0]} x {image.shape[1]} numbers with the window at row {i}, column"
                   f" {j} framed, and a matrix of {columns.shape[0]} rows and {columns.shape[1]} columns, in which "
                   f"column {chosen} is framed: {held}.")  # fmt: skip


def field_cone(layers: Sequence[tuple[int, int]], size: int) -> Picture:
    """Rows of cells, the input at the bottom; what one cell of the last of (kernel, stride) layers sees is filled."""
    rows, jumps = [size], [1]
    for kernel, stride in layers:
        rows.append((rows[-1] - kernel) // stride + 1)
        jumps.append(jumps[-1] * stride)
    seen = {(rows[-1] - 1) // 2}
    figure, (ax,) = canvas(height=0.9 + 0.5 * len(rows))
    for level in range(len(layers), -1, -1):
        for cell in range(rows[level]):
            look = {"facecolor": "#7FB2D6", "hatch": "//"} if cell in seen else {"facecolor": "white"}
            ax.add_patch(Rectangle((cell * jumps[level], level - 0.3), 0.85, 0.6, edgecolor=GREY, **look))
        if level:
            kernel, stride = layers[level - 1]
            seen = {cell * stride + entry for cell in seen for entry in range(kernel)}
    ax.grid(False)
    ax.set(xlim=(-0.5, size + 0.4), ylim=(-0.6, len(layers) + 0.6))
    ax.set_yticks(range(len(rows)), ["input", *(f"{kernel} wide, stride {stride}" for kernel, stride in layers)])
    label(ax, f"One cell of the top row sees {len(seen)} cells of the input", "place in the input (pixels)", " ")
    return Picture(figure, f"Rows of cells, {size} of the input at the bottom and one row above for each of "
                   f"{len(layers)} layers. One cell of the top row and all cells that it sees are filled: {len(seen)} "
                   "cells of the input.")  # fmt: skip


def cost_bars(panels: Mapping[str, Mapping[str, float]]) -> Picture:
    """Lying bars, one panel per kind of cost and one bar per name, each with its number and its share."""
    most = max(len(values) for values in panels.values())
    figure, axes = canvas(len(panels), height=1.1 + 0.27 * most)
    told = []
    for ax, (name, values) in zip(axes, panels.items(), strict=True):
        whole = sum(values.values())
        drawn = ax.barh(list(values), list(values.values()), color="#CFE3F1", edgecolor=BLUE, hatch="//", height=0.7)
        shares = [100 * number / whole for number in values.values()]
        texts = [f"{number / 1e6:.1f} ({share:.1f} %)" for number, share in zip(values.values(), shares, strict=True)]
        ax.bar_label(drawn, labels=texts, padding=2, fontsize=8)
        ax.invert_yaxis()
        ax.grid(False)
        ax.set_xticks([])
        ax.margins(x=0.45)
        label(ax, f"{name}: {whole:,.0f}", "millions", "layer" if ax is axes[0] else " ")
        told.append(f"{name}, {whole:,.0f} in all: " + ", ".join(f"{key} {share:.1f} %" for key, share in
                    zip(values, shares, strict=True)))  # fmt: skip
    return Picture(figure, f"Bars of cost by layer. {'. '.join(told)}.")


def filter_sheet(before: np.ndarray, after: np.ndarray) -> Picture:
    """Filters (K, kh, kw) before and after training in two rows: 0 is middle grey, positive dark, negative light."""
    figure = Figure(figsize=(7.0, 2.3), layout="constrained")
    axes = figure.subplots(2, len(before), squeeze=False)
    for row, bank, name in ((axes[0], before, "before"), (axes[1], after, "after")):
        for k, (ax, kernel) in enumerate(zip(row, bank, strict=True)):
            _grey(ax, kernel, f"filter {k}" if name == "before" else "", signed=True)
        row[0].set_ylabel(name)
    turned = [_angle(old, new) for old, new in zip(before, after, strict=True)]
    return Picture(figure, f"{len(before)} filters as small grey images, the upper row before training, the lower row "
                   f"after it. They turned by {min(turned):.0f} to {max(turned):.0f} degrees.")  # fmt: skip


def _angle(old: np.ndarray, new: np.ndarray) -> float:
    cosine = np.sum(old * new) / max(float(np.linalg.norm(old) * np.linalg.norm(new)), 1e-12)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def scores(x: Sequence[float], right: Mapping[str, Sequence[float]], title: str, axis: str) -> Picture:
    """Percentage of images read right against something, one curve with its own marker and line style per name."""
    figure, (ax,) = canvas(height=3.2)
    for k, (name, values) in enumerate(right.items()):
        ink, dash, marker = (kinds[k % 4] for kinds in (INKS, DASHES, _MARKERS))
        ax.plot(x, values, color=ink, linestyle=dash, marker=marker, markerfacecolor="white", linewidth=2, label=name)
    ax.set_ylim(0, 104)
    ax.set_xticks(list(x))
    label(ax, title, axis, "images right (%)")
    ax.legend(frameon=False, fontsize=9)
    told = "; ".join(f"{name}: {', '.join(f'{value:.0f}' for value in values)}" for name, values in right.items())
    return Picture(figure, f"Percentage of images read right for {', '.join(f'{place:g}' for place in x)}. {told}.")


def spreads(values: Mapping[str, Sequence[float]]) -> Picture:
    """Size (root mean square) of the maps after each layer, on a logarithmic scale."""
    told = "; ".join(f"{name} ends at {series[-1]:.2g}" for name, series in values.items())
    axes = ("layer (number; 0 is the input)", "root mean square (log scale)")
    picture = curves(values, "Count every input of a filter", axes, f"Size of the maps by layer: {told}.")
    picture.figure.axes[0].set_yscale("log")
    return picture


def training_curves(histories: Mapping[str, Any]) -> Picture:
    """Loss and share of right answers per epoch of several trainings; training solid, validation dashed."""
    figure, axes = canvas(2, height=3.2)
    told = []
    for (name, past), ink, marker in zip(histories.items(), INKS[1:], _MARKERS, strict=False):
        rows = ((past.train_loss, past.validation_loss), (past.train_accuracy, past.validation_accuracy))
        for ax, pair, scale in zip(axes, rows, (1, 100), strict=True):
            for part, values, dash in zip(("training", "validation"), pair, ("-", "--"), strict=True):
                ax.plot(scale * np.array(values), color=ink, linestyle=dash, marker=marker, markevery=3, linewidth=1.6,
                        markerfacecolor="white", label=f"{name}, {part}")  # fmt: skip
        told.append(f"{name} ends with loss {past.train_loss[-1]:.3f} in training and {past.validation_loss[-1]:.3f} "
                    f"in validation, {100 * past.validation_accuracy[-1]:.1f} % right there")  # fmt: skip
    axes[0].set_yscale("log")
    label(axes[0], "Loss", EPOCH, "cross-entropy (log scale)")
    label(axes[1], "Images right", EPOCH, "images right (%)")
    axes[1].legend(frameon=False, fontsize=8)
    return Picture(figure, f"Training curves. {'; '.join(told)}.")
