"""The pictures of lesson 07, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from course_lib.plots.charts import bars, curves, lab_curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "bars", "batch_steps", "by_batch_size", "by_rate", "companions", "curves", "drift", "eval_gap", "lab_curves",
    "places", "shared_statistics", "smoothness", "stability_maps", "way_back",
]  # fmt: skip

SCORE = "validation images right (%)"


def drift(runs: Mapping[str, np.ndarray]) -> Picture:
    """What one unit gets after each step: 5th, 50th and 95th percentile over all images, `(steps, 3)` per run."""
    figure, axes = canvas(len(runs), height=3.1)
    low, high = min(run.min() for run in runs.values()), max(run.max() for run in runs.values())
    told = []
    for ax, (name, run) in zip(axes, runs.items(), strict=True):
        steps = np.arange(len(run))
        ax.fill_between(steps, run[:, 0], run[:, 2], facecolor="#CFE3F1", edgecolor=BLUE, label="nine of ten images")
        ax.plot(steps, run[:, 1], color="black", linewidth=2, linestyle="--", label="median")
        ax.set_ylim(low - 0.1, high + 0.1)
        label(ax, name, "step of training", "score of one unit" if ax is axes[0] else " ")
        first, last = np.ptp(run[0]), np.ptp(run[-1])
        told.append(f"{name}, from {first:.1f} wide at the start to {last:.1f} wide at the end")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return Picture(figure, f"The range of scores that one unit gives to nine of ten images, step by step: "
                   f"{'; '.join(told)}. The ranges share one scale.")  # fmt: skip


def batch_steps(rows: Mapping[str, Sequence[float]]) -> Picture:
    """The same batch after each step of the algorithm: one number line below the other, examples joined."""
    figure, (ax,) = canvas(height=2.9)
    values = np.array(list(rows.values()), dtype=float)
    heights = -np.arange(len(values))
    for column in values.T:
        ax.plot(column, heights, color=GREY, linewidth=1, linestyle=":", zorder=1)
    for height, row in zip(heights, values, strict=True):
        ax.plot(row, np.full(len(row), height), "o", color="white", markeredgecolor=BLUE, markersize=9, zorder=3)
        ax.plot(row.mean(), height, marker="|", color=ORANGE, markersize=22, markeredgewidth=3, zorder=2)
    ax.set_yticks(heights, list(rows))
    ax.set_ylim(heights[-1] - 0.5, 0.5)
    label(ax, "One feature, four examples; the bar is the mean", "value (no unit)", "after this step")
    told = "; ".join(f"{name}: {', '.join(f'{value:.2f}' for value in row)}" for name, row in rows.items())
    return Picture(figure, f"Number lines with one batch after each step of batch normalisation. {told}.")


def companions(together: Sequence[float], alone: float) -> Picture:
    """The scores that one example gets in many batches, against the one it gets in evaluation mode."""
    figure, (ax,) = canvas(height=2.9)
    ax.hist(together, bins=24, facecolor="#CFE3F1", edgecolor=BLUE, hatch="//", label="training mode, other companions")
    ax.axvline(alone, color="black", linewidth=2.5, linestyle="--", label="evaluation mode")
    label(ax, "One image, one network, many answers", "score of the right class (no unit)", "batches")
    ax.legend(frameon=False)
    return Picture(figure, f"Histogram of the score that one image gets in {len(together)} batches in training mode: "
                   f"from {min(together):.2f} to {max(together):.2f}. In evaluation mode it is always "
                   f"{alone:.2f}.")  # fmt: skip


def way_back() -> Picture:
    """The graph of batch normalisation: x reaches the output on three ways."""
    figure, (ax,) = canvas(height=2.3)
    ax.set_axis_off()
    nodes = {
        "x": (0, 1), "mean": (1.1, 0), "centred": (2.2, 1), "var": (3.3, 0), "inv_std": (4.4, 0),
        "x_hat": (5.5, 1), "out": (6.6, 1), "gamma, beta": (6.6, 0),
    }  # fmt: skip
    edges = (("x", "mean"), ("x", "centred"), ("mean", "centred"), ("centred", "var"), ("var", "inv_std"),
             ("inv_std", "x_hat"), ("centred", "x_hat"), ("x_hat", "out"), ("gamma, beta", "out"))  # fmt: skip
    boxes = {}
    for name, place in nodes.items():
        statistic = name in ("mean", "var", "inv_std")
        look = {"facecolor": "#E8E8E8" if statistic else "#E3EEF6", "linestyle": "--" if statistic else "-"}
        boxes[name] = _box(
            ax, place, name, look if name != "gamma, beta" else {"facecolor": "white", "edgecolor": "none"}
        )
    for start, end in edges:
        _arrow(ax, boxes[start], boxes[end])
    ax.set(xlim=(-0.5, 7.3), ylim=(-0.3, 1.3))
    return Picture(figure, "Graph of batch normalisation. From x an arrow to mean and one to centred; from mean to "
                   "centred; from centred to var, from there to inv_std; x_hat is centred times inv_std, out is x_hat "
                   "times gamma plus beta. Dashed boxes hold one number per feature, the others one per example. So "
                   "x reaches out directly, through the mean and through the variance.")  # fmt: skip


def shared_statistics(groups: int = 2, examples: int = 4, channels: int = 4) -> Picture:
    """Tables of examples and channels: which cells, pixels included, share the mean of the marked cell."""
    tables = _shared(groups, examples, channels)
    figure, axes = canvas(len(tables), height=2.6)
    for ax, (name, shared) in zip(axes, tables.items(), strict=True):
        ax.grid(False)
        ax.imshow(np.where(shared, 0.42, 0.0), cmap="Greys", vmin=0, vmax=1)
        for line in range(1, examples):
            ax.axhline(line - 0.5, color="black", linewidth=0.8)
        for line in range(1, channels):
            ax.axvline(line - 0.5, color="black", linewidth=0.8)
        ax.spines[["top", "right"]].set_visible(True)
        ax.plot(1, 1, "k*", markersize=12)
        ax.set(xticks=range(channels), yticks=range(examples))
        label(ax, name, "channel", "example" if ax is axes[0] else " ")
    told = "; ".join(f"{name}: {int(shared.sum())} of {shared.size} cells" for name, shared in tables.items())
    return Picture(figure, "Tables with a row for each example and a column for each channel; every cell stands for "
                   "all pixels of that channel. Dark cells share mean and variance with the cell of the star. "
                   f"{told}. Batch: a column; layer: a row; group: part of a row.")  # fmt: skip


def _shared(groups: int, examples: int, channels: int) -> dict[str, np.ndarray]:
    """For the cell of example 1 and channel 1: True where mean and variance are its own."""
    example, channel = np.meshgrid(np.arange(examples), np.arange(channels), indexing="ij")
    part = channel // (channels // groups)
    return {"batch": channel == 1, "layer": example == 1, "group": (example == 1) & (part == part[0, 1])}


def places() -> Picture:
    """Where the layer stands: three orders of the same boxes."""
    rows = {
        "as in the paper": ("convolution\n(no bias)", "batch norm", "ReLU"),
        "also works": ("convolution", "ReLU", "batch norm"),
        "not at the end": ("dense", "batch norm", "softmax"),
    }
    figure, (ax,) = canvas(height=2.9)
    ax.set_axis_off()
    for height, (name, boxes) in zip((2, 1, 0), rows.items(), strict=True):
        ax.text(-1.75, height, name, ha="left", va="center", fontsize=10)
        drawn = []
        for place, text in enumerate(boxes):
            norm = text == "batch norm"
            look = {"facecolor": "#CFE3F1" if norm else "white", "linewidth": 2.2 if norm else 1}
            drawn.append(_box(ax, (1.6 * place, height), text, look))
        _arrow(ax, *drawn[:2])
        _arrow(ax, *drawn[1:])
        if name.startswith("not"):
            ax.plot(1.6, height, "x", color=ORANGE, markersize=38, markeredgewidth=4, zorder=5)
    ax.set(xlim=(-1.8, 3.9), ylim=(-0.6, 2.6))
    return Picture(figure, "Three orders of layers. As in the paper: convolution without bias, batch norm, ReLU. Also "
                   "works: convolution, ReLU, batch norm. Crossed out: dense layer, batch norm, softmax at the end "
                   "of the network.")  # fmt: skip


def _box(ax: Axes, place: tuple[float, float], text: str, look: Mapping[str, object]) -> Text:
    box = {"boxstyle": "round,pad=0.4", "edgecolor": "black", **look}
    return ax.text(*place, text, ha="center", va="center", bbox=box, fontsize=10.5)


def _arrow(ax: Axes, start: Text, end: Text) -> None:
    """From the border of one box to that of another."""
    look = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.4, "shrinkA": 3, "shrinkB": 3}
    look |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch()}
    ax.annotate("", end.get_position(), start.get_position(), arrowprops=look)


def stability_maps(maps: Mapping[str, np.ndarray], scales: Sequence[float], rates: Sequence[float]) -> Picture:
    """Percentages right by scale of the first weights (rows) and learning rate (columns), a table per network."""
    figure, axes = canvas(len(maps), height=3.6)
    told = []
    for ax, (name, table) in zip(axes, maps.items(), strict=True):
        ax.grid(False)
        ax.imshow(table, cmap="Greys", vmin=0, vmax=130, aspect="auto", origin="lower")
        for (row, column), value in np.ndenumerate(table):
            ax.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=9,
                    color="white" if value > 75 else "black", weight="bold" if value >= 80 else "normal")  # fmt: skip
        ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        ax.set_yticks(range(len(scales)), [f"{scale:g}" for scale in scales])
        label(ax, name, "learning rate", "scale of the first weights" if ax is axes[0] else " ")
        told.append(f"{name}: {int((table >= 80).sum())} of {table.size} settings reach 80 %")
    return Picture(figure, f"Tables of the percentage of validation images right. {'; '.join(told)}.")


def smoothness(runs: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]]) -> Picture:
    """The loss at each step (`now`), and the lowest and highest loss when going further along the same gradient."""
    figure, axes = canvas(len(runs), height=3.2)
    lowest, highest = min(min(run[1]) for run in runs.values()), max(max(run[2]) for run in runs.values())
    told = []
    for ax, (name, (now, low, high)) in zip(axes, runs.items(), strict=True):
        steps = np.arange(len(now))
        ax.fill_between(steps, low, high, facecolor="#CFE3F1", edgecolor=BLUE, hatch="//", linewidth=0.5,
                        label="losses along the gradient")  # fmt: skip
        ax.plot(steps, now, color="black", linewidth=2, label="loss of the batch")
        ax.set_yscale("log")
        ax.set_ylim(0.9 * lowest, 1.1 * highest)
        label(ax, name, "step of training", "loss (log scale)" if ax is axes[0] else " ")
        told.append(f"{name}: the highest is {max(high):.1f}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return Picture(figure, "Loss of each batch, and the band of losses met when one goes on along its gradient with "
                   f"larger and smaller steps. {'; '.join(told)}.")  # fmt: skip


def by_batch_size(right: Mapping[str, Sequence[float]], sizes: Sequence[int]) -> Picture:
    """Percentage right against the batch size, a curve per kind of normalisation."""
    told = "; ".join(f"{name} {values[0]:.0f} % with batches of {sizes[0]} and {values[-1]:.0f} % with {sizes[-1]}"
                     for name, values in right.items())  # fmt: skip
    picture = curves(right, "Small batches hurt whoever averages over them", ("batch size (log scale)", SCORE),
                     f"Validation images read right by batch size: {told}.", sizes)  # fmt: skip
    _powers(picture.figure.axes[0], sizes)
    return picture


def by_rate(right: Mapping[str, Sequence[float]], rates: Sequence[float]) -> Picture:
    """Percentage right against the learning rate, with and without normalisation."""
    told = "; ".join(f"{name} best at rate {rates[int(np.argmax(values))]:g} with {max(values):.0f} %, at rate "
                     f"{rates[-1]:g} {values[-1]:.0f} %" for name, values in right.items())  # fmt: skip
    picture = curves(right, "Which steps are too large?", ("learning rate (log scale)", SCORE),
                     f"Validation images read right by learning rate: {told}.", rates)  # fmt: skip
    _powers(picture.figure.axes[0], rates)
    return picture


def eval_gap(modes: Mapping[str, Sequence[float]], mended: float | None = None) -> Picture:
    """Percentage right by epoch for several modes of the same network; `mended` is marked at the end."""
    told = "; ".join(f"{name} {values[-1]:.1f} %" for name, values in modes.items())
    figure, (ax,) = canvas()
    for (name, values), ink, dash, width in zip(modes.items(), INKS, DASHES, (4, 2, 2, 2), strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, color=ink, linestyle=dash, linewidth=width, label=name)
    after = ""
    if mended is not None:
        ax.plot(len(next(iter(modes.values()))), mended, "k*", markersize=14, linestyle="none", label="recalibrated")
        after = f" A star marks {mended:.1f} % after recalibration."
    ax.xaxis.get_major_locator().set_params(integer=True)
    label(ax, "Same weights, two modes", "epoch (passes over the training images)", SCORE)
    ax.legend(frameon=False)
    return Picture(figure, f"Validation images read right by epoch; at the end {told}.{after}")


def _powers(ax: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis that names exactly the values that were tried."""
    ax.set_xscale("log")
    ax.set_xticks(list(values), [f"{value:g}" for value in values])
    ax.minorticks_off()
