"""One style for every picture, readable in grey and by colour-blind eyes.

What enters: arrays. What leaves: a `Picture`, which a notebook shows at full width with its alt text and
a terminal prints as that text. Classes differ by marker, curves by line style, areas by hatch; colour
only helps. Figures are built without pyplot, so nothing global changes.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6E6E6E"
# Light and wide first, dark and thin on top: curves that lie on each other stay apart, in grey too.
INKS = ("#3E95D6", "#8A3800", "black", "#CC79A7")
DASHES = ("-", "--", ":", "-.")
DOTS_PER_INCH = 110


@dataclass(frozen=True)
class Picture:
    """A figure and the sentence for those who cannot see it.

    Args:
        figure: what is drawn.
        alt: what the picture shows, in one to three sentences.
    """

    figure: Figure
    alt: str

    def png(self) -> bytes:
        """The picture as a PNG file."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        """The alt text: what terminals and screen readers get."""
        return self.alt

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        # Jupyter drops the alt text of bare images, so the figure element is written here.
        source = base64.b64encode(self.png()).decode()
        style = "max-width:100%;height:auto"
        image = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{source}" style="{style}">'
        return {"text/html": f'<figure style="margin:0">{image}</figure>', "text/plain": self.alt}


def canvas(columns: int = 1, height: float = 3.4, widths: Sequence[float] | None = None) -> tuple[Figure, list[Axes]]:
    """An empty figure as wide as a text column, and its axes from left to right.

    Args:
        columns: how many axes.
        height: in inches; the width is always 7.
        widths: relative widths of the columns.
    """
    figure = Figure(figsize=(7.0, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False, width_ratios=widths)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(True, color="#DDDDDD", linewidth=0.6)
        ax.set_axisbelow(True)
    return figure, list(axes)


def label(ax: Axes, title: str, x: str, y: str) -> None:
    """Write the title and the names of both axes, units included."""
    ax.set_title(title, fontsize=11, loc="left")
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def draw_classes(ax: Axes, x: np.ndarray, y: np.ndarray, names: tuple[str, str]) -> None:
    """Points `(N, 2)` of class 0 as hollow circles and of class 1 as full squares."""
    y = np.ravel(y)
    hollow = {"marker": "o", "facecolor": "white", "edgecolor": ORANGE, "linewidth": 1.8}
    ax.scatter(*x[y == 0].T, s=60, label=names[0], zorder=3, **hollow)
    ax.scatter(*x[y == 1].T, s=55, marker="s", color=BLUE, edgecolor="white", label=names[1], zorder=3)


def draw_side(ax: Axes, score: Callable[[np.ndarray], np.ndarray], box: tuple[float, float, float, float]) -> None:
    """Hatch where `score` of points `(N, 2)` is above 0 and draw the border as a thick line."""
    left, right, low, high = box
    across, up = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
    values = np.reshape(score(np.stack([across.ravel(), up.ravel()], axis=1)), across.shape)
    if values.max() > 0:
        area = ax.contourf(across, up, values, levels=[0, max(values.max(), 1e-9)], colors=["#E3EEF6"], hatches=["//"])
        area.set_edgecolor("#A9C7DD")
        area.set_linewidth(0)
    if values.min() < 0 < values.max():
        ax.contour(across, up, values, levels=[0], colors="black", linewidths=2)
    ax.set(xlim=(left, right), ylim=(low, high))
