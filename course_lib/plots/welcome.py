"""The picture of the welcome notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from course_lib.plots.style import Picture, canvas, draw_classes, draw_side, label

_BOX = (0.0, 20.0, 0.0, 20.0)


def drawn_by(admit: Callable[..., np.ndarray], pupils: Sequence[Sequence[float]], line: object) -> Picture:
    """What a function answers for 40,000 pupils that do not exist, and twelve that do.

    Args:
        admit: ``admit(maths, physics, w1, w2, b)``, one answer per pupil.
        pupils: rows of maths, physics, and 1 for admitted.
        line: has the weights `w` and the bias `b`, such as the look `DecisionBoundary`.
    """
    known = np.array(pupils, dtype=float)
    settings = (*map(float, line.w), float(line.b))
    figure, (ax,) = canvas(height=4.2)
    draw_side(ax, lambda marks: np.where(admit(*marks.T, *settings), 1.0, -1.0), _BOX)
    draw_classes(ax, known[:, :2], known[:, 2], ("refused", "admitted"))
    ax.fill_between([], [], [], facecolor="#E3EEF6", edgecolor="#A9C7DD", hatch="//", label="your function says yes")
    right = int((np.asarray(admit(*known[:, :2].T, *settings), dtype=bool) == (known[:, 2] > 0.5)).sum())
    title = f"Drawn by your function: {right} of {len(known)} pupils right"
    label(ax, title, "maths mark (out of 20)", "physics mark (out of 20)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    alt = (f"All pairs of marks in maths and physics. Hatched is where your function says yes, and a straight line is "
           f"where it stops. {right} of {len(known)} pupils are answered rightly.")  # fmt: skip
    return Picture(figure, alt)
