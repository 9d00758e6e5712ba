"""The pictures of lesson 08, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from course_lib.plots.charts import bars, curves, lab_curves
from course_lib.plots.style import BLUE, DASHES, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "architecture_map", "architecture_years", "bars", "block", "blocks_a_and_b", "by_depth", "curves", "lab_curves",
    "losses", "norms_by_depth", "spread_by_block", "stage_bars",
]  # fmt: skip

MARKS = ("o", "s", "^", "D")
PALE = "#CFE3F1"


# Where the name stands beside its circle: steps right and up, in points.
_BESIDE = {"AlexNet": (-28, -26), "VGG-16": (-26, -30), "GoogLeNet": (-16, -17), "ResNet-18": (12, -3),
           "ResNet-34": (10, -10), "ResNet-50": (-88, 5), "ResNet-101": (-24, -21), "ResNet-152": (15, 3),
           "SqueezeNet 1.0": (8, 2), "DenseNet-121": (-100, -3), "MobileNetV2": (9, -5),
           "EfficientNet-B0": (9, 3)}  # fmt: skip
# Steps up of names beside other names, in points, in the picture by year.
_LIFTED = {"ResNet-152": 1, "ResNet-101": -5, "ResNet-50": -8}


def losses(runs: Mapping[str, Sequence[float]], title: str) -> Picture:
    """Training loss after each epoch, on a logarithmic scale, a curve per network."""
    figure, (ax,) = canvas()
    for (name, values), ink, dash, mark in zip(runs.items(), INKS, DASHES, MARKS, strict=False):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, color=ink, linestyle=dash, marker=mark, markersize=5, linewidth=2, label=name)
    ax.set_yscale("log")
    ax.xaxis.get_major_locator().set_params(integer=True)
    label(ax, title, "epoch (passes over the training images)", "training loss (log scale)")
    ax.legend(frameon=False)
    told = "; ".join(f"{name} ends at {values[-1]:.2f}" for name, values in runs.items())
    return Picture(figure, f"Training loss by epoch: {told}.")


def by_depth(runs: Mapping[str, Sequence[float]], depths: Sequence[int]) -> Picture:
    """The lowest training loss that any of the rates reaches, against the number of layers."""
    figure, (ax,) = canvas(height=3.1)
    _by_depth(ax, runs, depths)
    label(ax, "The best of three rates, by depth", "layers (log scale)", "training loss (log scale)")
    ax.legend(frameon=False)
    told = "; ".join(f"{name} {values[0]:.2g} with {depths[0]} layers and {values[-1]:.2g} with {depths[-1]}"
                     for name, values in runs.items())  # fmt: skip
    return Picture(figure, f"Training loss by number of layers: {told}.")


def norms_by_depth(runs: Mapping[str, Sequence[float]], depths: Sequence[int]) -> Picture:
    """Gradient norm of the first layer against the number of layers, a curve per kind of network."""
    figure, (ax,) = canvas(height=3.4)
    _by_depth(ax, runs, depths)
    label(ax, "How much gradient reaches the first layer", "layers (log scale)", "gradient norm (log scale)")
    ax.legend(frameon=False)
    told = "; ".join(f"{name} from {values[0]:.0e} with {depths[0]} layers to {values[-1]:.0e} with {depths[-1]}"
                     for name, values in runs.items())  # fmt: skip
    return Picture(figure, f"Norm of the gradient by the first weights, by number of layers: {told}.")


def _by_depth(ax: Axes, runs: Mapping[str, Sequence[float]], depths: Sequence[int]) -> None:
    for (name, values), ink, dash, mark in zip(runs.items(), INKS, DASHES, MARKS, strict=False):
        ax.plot(depths, values, color=ink, linestyle=dash, marker=mark, markersize=6, linewidth=2, label=name)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks(list(depths), [str(depth) for depth in depths])
    ax.minorticks_off()


def spread_by_block(runs: Mapping[str, Sequence[float]], theory: Mapping[str, Sequence[float]]) -> Picture:
    """Variance behind each block, measured (marks) and by the formula (lines), per branch scale."""
    figure, (ax,) = canvas(height=3.2)
    for (name, values), ink, dash, mark in zip(runs.items(), INKS, DASHES, MARKS, strict=False):
        ax.plot(theory[name], color=ink, linestyle=dash, linewidth=2)
        ax.plot(values, mark, color="white", markeredgecolor=ink, markersize=6, label=name)
    ax.set_yscale("log")
    label(ax, "Marks: measured. Lines: the formula", "block", "variance (log scale)")
    ax.legend(frameon=False)
    told = "; ".join(f"{name} ends at {values[-1]:.3g}, by the formula {theory[name][-1]:.3g}"
                     for name, values in runs.items())  # fmt: skip
    return Picture(figure, f"Variance behind each block: {told}.")


def block() -> Picture:
    """The residual connection: x goes through the branch and past it, and both are added."""
    figure, (ax,) = canvas(height=1.9)
    ax.set_axis_off()
    places = {"x": (0, 0), "branch F": (2.2, 0), "+": (4.2, 0), "x + F(x)": (5.9, 0)}
    boxes = {name: _box(ax, place, name, _look(name)) for name, place in places.items()}
    for start, end in (("x", "branch F"), ("branch F", "+"), ("+", "x + F(x)")):
        _arrow(ax, boxes[start], boxes[end])
    _past(ax, boxes["x"], boxes["+"], -0.32)
    ax.text(2.1, 1.0, "the way past: nothing happens here", ha="center", va="center", fontsize=10)
    ax.set(xlim=(-0.5, 6.8), ylim=(-0.5, 1.2))
    return Picture(figure, "A residual connection. An arrow leads from x into a box, the branch F, and on to a plus "
                   "sign; a second arrow leads from x past the box to the plus sign. Out comes x + F(x).")  # fmt: skip


def blocks_a_and_b() -> Picture:
    """Block A keeps shape and adds x; block B halves the size, and its shortcut is a 1 x 1 convolution."""
    rows = {
        "A": (("x\n16 x 8 x 8", "3x3\nBN, ReLU", "3x3\nBN", "+", "ReLU\n16 x 8 x 8"), None),
        "B": (("x\n16 x 8 x 8", "3x3, stride 2\nBN, ReLU", "3x3\nBN", "+", "ReLU\n32 x 4 x 4"),
              "1x1, stride 2\nBN"),
    }  # fmt: skip
    figure, (ax,) = canvas(height=4.2)
    ax.set_axis_off()
    for height, (name, (texts, shortcut)) in zip((2.6, 0), rows.items(), strict=True):
        ax.text(-1.0, height, name, ha="center", va="center", fontsize=14, weight="bold")
        drawn = [_box(ax, (1.75 * place, height), text, _look(text)) for place, text in enumerate(texts)]
        for start, end in zip(drawn, drawn[1:], strict=False):
            _arrow(ax, start, end)
        if shortcut is None:
            _past(ax, drawn[0], drawn[3], -0.25)
            continue
        middle = _box(ax, (2.6, height + 1.15), shortcut, {"facecolor": "#E8E8E8", "linestyle": "--"})
        _arrow(ax, drawn[0], middle)
        _arrow(ax, middle, drawn[3])
    ax.set(xlim=(-1.2, 7.7), ylim=(-0.6, 4.0))
    return Picture(figure, "Two blocks. A: x goes through a 3x3 convolution, batch normalisation, ReLU, a second 3x3 "
                   "convolution and batch normalisation; x itself is added; a ReLU follows; the shape stays 16 x 8 x "
                   "8. B: the first convolution has stride 2 and twice the filters; the shortcut is a 1x1 convolution "
                   "with stride 2 and batch normalisation; out comes 32 x 4 x 4.")  # fmt: skip


def _look(text: str) -> dict[str, object]:
    """Layers are shaded, the plus sign is a circle, what goes in and out has no box of its own."""
    if text == "+":
        return {"boxstyle": "circle,pad=0.25", "facecolor": "white", "linewidth": 2.2}
    layer = text.startswith(("branch", "3x3"))
    return {"facecolor": PALE if layer else "white", "linewidth": 1.6 if layer else 1}


def _box(ax: Axes, place: tuple[float, float], text: str, look: Mapping[str, object]) -> Text:
    box = {"boxstyle": "round,pad=0.4", "edgecolor": "black", **look}
    return ax.text(*place, text, ha="center", va="center", bbox=box, fontsize=10)


def _arrow(ax: Axes, start: Text, end: Text, bend: str = "arc3") -> None:
    """From the border of one box to that of another."""
    look = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.4, "shrinkA": 3, "shrinkB": 3}
    look |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch(), "connectionstyle": bend}
    ax.annotate("", end.get_position(), start.get_position(), arrowprops=look)


def _past(ax: Axes, start: Text, end: Text, bend: float) -> None:
    _arrow(ax, start, end, f"arc3,rad={bend}")


def stage_bars(rows: Sequence[tuple[str, tuple[int, ...], int]]) -> Picture:
    """Parameters of each row of a network's table, with the shape that comes out."""
    names, numbers = [row[0] for row in rows], [row[2] for row in rows]
    figure, (ax,) = canvas(height=3.8)
    drawn = ax.barh(names, np.array(numbers) / 1e6, color=PALE, edgecolor=BLUE, hatch="//", height=0.65)
    ax.bar_label(drawn, labels=[" x ".join(map(str, row[1])) for row in rows], padding=4, fontsize=9)
    ax.invert_yaxis()
    ax.margins(x=0.18)
    label(ax, f"{sum(numbers):,} parameters", "parameters (millions); behind each bar the output shape", "row")
    most = names[int(np.argmax(numbers))]
    return Picture(figure, f"Bars of the parameters of {len(names)} rows, {sum(numbers):,} in all; "
                   f"most are in {most} ({max(numbers):,}).")  # fmt: skip


def architecture_map(rows: Sequence[Mapping[str, Any]]) -> Picture:
    """Accuracy against multiply-adds; the area of a circle is the number of parameters.

    Args:
        rows: of `course_lib.widgets.architectures.ARCHITECTURES`.
    """
    figure, (ax,) = canvas(height=4.6)
    for row in rows:
        ours, place = row["name"].startswith("ResNet"), (row["operations"] / 1e9, row["accuracy"])
        ax.scatter(*place, s=row["parameters"] / 1e5, facecolor=PALE if ours else "white", linewidth=1.8,
                   edgecolor=BLUE if ours else ORANGE, linestyle="-" if ours else "--", zorder=2)  # fmt: skip
        ax.annotate(f"{row['name']} ({row['parameters'] / 1e6:.0f} M)", place, fontsize=9, zorder=3,
                    xytext=_BESIDE.get(row["name"], (8, 4)), textcoords="offset points")  # fmt: skip
    ax.set_xscale("log")
    ticks = (0.3, 1, 3, 10)
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set(xlim=(0.2, 50), ylim=(53, 81))
    label(ax, "Area of a circle: parameters. Full circles: residual networks",
          "multiply-adds for one image (billions, log scale)", "ImageNet, top 1 (%)")  # fmt: skip
    told = "; ".join(f"{row['name']} {row['accuracy']:.1f} %, {row['parameters'] / 1e6:.1f} million parameters, "
                     f"{row['operations'] / 1e9:.2g} billion" for row in rows)  # fmt: skip
    return Picture(figure, f"Map of networks: accuracy, parameters and multiply-adds. {told}.")


def architecture_years(rows: Sequence[Mapping[str, Any]]) -> Picture:
    """Accuracy of the same networks by year of the paper; `rows` as for `architecture_map`."""
    figure, (ax,) = canvas(height=4.0)
    for row in rows:
        ours = row["name"].startswith("ResNet")
        ax.plot(row["year"], row["accuracy"], "s" if ours else "o", color=BLUE if ours else "white", markersize=8,
                markeredgecolor=BLUE if ours else ORANGE, markeredgewidth=1.8)  # fmt: skip
        # Names of the last years would leave the picture on the right, those of 2014 would meet ResNet's.
        side, step = ("right", -8) if row["year"] >= 2018 or row["year"] == 2014 else ("left", 8)
        ax.annotate(row["name"], (row["year"], row["accuracy"]), fontsize=9, ha=side, textcoords="offset points",
                    xytext=(step, _LIFTED.get(row["name"], -3)))  # fmt: skip
    ax.set(xlim=(2011.5, 2019.8), ylim=(53, 81))
    label(ax, "Squares: residual networks", "year of the paper", "ImageNet, top 1 (%)")
    first, best = min(rows, key=lambda row: row["year"]), max(rows, key=lambda row: row["accuracy"])
    told = (f"from {first['name']} in {first['year']} with {first['accuracy']:.1f} % to {best['name']} in "
            f"{best['year']} with {best['accuracy']:.1f} %")  # fmt: skip
    return Picture(figure, f"Accuracy of {len(rows)} networks by year of the paper, {told}.")
