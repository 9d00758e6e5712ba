"""How a class did, in one picture: points of the class, and how each exercise ended. Readable in black and white.

What enters: `autograder.stats.Statistics`. What leaves: an SVG or PNG file. Matplotlib is imported only here.
"""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from autograder.files import write_atomically
from autograder.folders import CourseError
from autograder.stats import ItemStats, Points, Statistics
from course_lib.plots.style import DOTS_PER_INCH, Picture, label

SUFFIXES = (".svg", ".png")
# Grey tells the shares apart on paper, hatches on any screen.
_SHARES = (
    ("all points", {"facecolor": "#4D4D4D"}),
    ("some points", {"facecolor": "#BFBFBF", "hatch": "///"}),
    ("tried, no points", {"facecolor": "white", "hatch": "..."}),
    ("not begun", {"facecolor": "white"}),
)
_BINS = 12


def write(statistics: Statistics, path: Path) -> None:
    """Write the picture.

    Args:
        statistics: what to draw.
        path: ends in .svg or .png.

    Raises:
        CourseError: it ends in something else.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CourseError(f"{path}: choose a name that ends in .svg or .png.")
    picture = draw(statistics)
    buffer = io.BytesIO()
    # No date and no random ids: the same class gives the same file.
    facts = {"Description": picture.alt} | ({"Date": None} if suffix == ".svg" else {"Software": None})
    with matplotlib.rc_context({"svg.hashsalt": statistics.lesson, "svg.fonttype": "none"}):
        picture.figure.savefig(buffer, format=suffix[1:], dpi=DOTS_PER_INCH, metadata=facts)
    write_atomically(path, buffer.getvalue())


def draw(statistics: Statistics) -> Picture:
    """The picture and the sentences for those who cannot see it."""
    items = statistics.items
    figure = Figure(figsize=(7.5, 3.4 + 0.3 * len(items)), layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, height_ratios=(2.2, 1.0 + 0.3 * len(items)))
    for ax in (top, bottom):
        ax.spines[["top", "right"]].set_visible(False)
    _draw_points(top, statistics)
    _draw_items(bottom, items)
    return Picture(figure, _alt(statistics))


def _draw_points(ax: Axes, statistics: Statistics) -> None:
    points = statistics.points
    if points is None:
        ax.set_axis_off()
        ax.set_title(f"{statistics.title}: no sum of points is known yet", fontsize=11, loc="left")
        return
    title = f"{statistics.title}: {points.count} learners, {statistics.pass_rate:.0%} passed"
    bins = np.linspace(0.0, points.max_points, _BINS + 1)
    ax.hist(points.values, bins=bins, facecolor="#D9D9D9", edgecolor="black", hatch="//")
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_xlim(0.0, points.max_points)
    lines = (("lower quartile", 1, ":"), ("median", 2, "-"), ("upper quartile", 3, "--"))
    for name, place, style in lines:
        value = points.quartiles[place]
        ax.axvline(value, color="black", linestyle=style, linewidth=2, label=f"{name}: {value:.4g}", clip_on=False)
    label(ax, title, f"points of {points.max_points:g}", "learners")
    ax.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _draw_items(ax: Axes, items: tuple[ItemStats, ...]) -> None:
    rows = np.arange(len(items))
    counts = np.array([_counts(item) for item in items], dtype=float).reshape(len(items), len(_SHARES))
    widths = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    left = np.zeros(len(items))
    for (name, look), width in zip(_SHARES, widths.T, strict=True):
        ax.barh(rows, width, left=left, height=0.7, edgecolor="black", linewidth=0.8, label=name, **look)
        left = left + width
    for row, item in zip(rows, items, strict=True):
        ax.text(1.02, row, _tells(item), va="center", fontsize=8, transform=ax.get_yaxis_transform())
    ax.text(1.02, -0.8, "discrimination", va="center", fontsize=8, transform=ax.get_yaxis_transform())
    ax.set_yticks(rows, [item.exercise for item in items], fontsize=8)
    ax.set_ylim(len(items) - 0.5, -0.5)
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("share of the learners")
    ax.set_title("How each exercise ended\n", fontsize=11, loc="left")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(_SHARES), frameon=False, fontsize=8)


def _counts(item: ItemStats) -> tuple[int, ...]:
    some = item.passed - item.full
    return item.full, some, item.judged - item.passed - item.not_begun, item.not_begun


def _tells(item: ItemStats) -> str:
    return "none" if item.discrimination is None else f"{item.discrimination:+.2f}"


def _alt(statistics: Statistics) -> str:
    shares = [f"{item.exercise} {item.passed / item.judged:.0%}" for item in statistics.items if item.judged]
    return f"{_alt_points(statistics.points)} Passed, by exercise: {', '.join(shares) or 'nothing was judged'}."


def _alt_points(points: Points | None) -> str:
    if points is None:
        return "No sum of points is known yet."
    _, lower, median, upper, _ = points.quartiles
    most = f"{points.max_points:g}"
    return f"Points of {points.count} learners: median {median:.4g} of {most}, quartiles {lower:.4g} and {upper:.4g}."
