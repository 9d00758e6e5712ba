"""The decision boundary of one neuron, moved by three sliders.

Source: Rosenblatt, "The perceptron" (1958); Minsky and Papert, "Perceptrons" (1969), for what one line cannot do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane, half_plane

XOR = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
# Marks out of 20 in maths and physics, and whether the school admits: 2 * maths + physics of at least 33.
PUPILS = [
    [4, 8, 0],
    [6, 15, 0],
    [8, 12, 0],
    [9, 17, 1],
    [11, 9, 0],
    [12, 13, 1],
    [10, 11, 0],
    [14, 7, 1],
    [15, 12, 1],
    [17, 4, 1],
    [5, 19, 0],
    [13, 16, 1],
]
_DATA = {
    "xor": {"points": XOR, "best": 3, "b": 0.5, "range": (-0.6, 1.6), "names": ("x1", "x2"), "marker": 14.0},
    "admission": {
        "points": PUPILS,
        "best": 12,
        "b": -14.0,
        "range": (0, 20),
        "names": ("maths", "physics"),
        "marker": 8.0,
    },
}
_STILL = "One neuron with weights {w1:g} and {w2:g} and bias {b:g} on the {n} points of {data}: {k} of {n} right."


class DecisionBoundary(Look):
    """Sliders for ``w1``, ``w2`` and ``b``; the picture shows the line, both half planes and what is right.

    The widget asks for a prediction before its sliders wake up, then sets a goal.

    Args:
        data: ``"xor"`` (four corners, best possible 3) or ``"admission"`` (12 pupils, best possible 12).
        w: the two weights at the start.
        b: the bias at the start; by default a line that leaves something to do.

    Raises:
        ValueError: unknown ``data``, or weights that are not two numbers.

    Example:
        >>> DecisionBoundary("xor", w=(1.0, 1.0), b=-0.5).correct
        3
    """

    _esm = bundle("neuron.js")
    _module = "neuron.js"
    _page_state = ("data", "points", "best", "w", "b", "prediction", "correct", "goal_reached")

    data = traitlets.Unicode("xor", help="name of the data").tag(sync=True)
    points = traitlets.List(help="rows of two inputs and a target").tag(sync=True)
    best = traitlets.Int(3, help="the most points one line can get right").tag(sync=True)
    w = traitlets.List(traitlets.Float(), help="the two weights").tag(sync=True)
    b = traitlets.Float(0.0, help="the bias").tag(sync=True)
    prediction = traitlets.Int(None, allow_none=True, help="what the learner guessed first").tag(sync=True)
    correct = traitlets.Int(0, help="how many points are right").tag(sync=True)
    goal_reached = traitlets.Bool(False, help="whether the goal was reached by moving a slider").tag(sync=True)

    def __init__(
        self, data: str = "xor", w: Sequence[float] = (1.0, 1.0), b: float | None = None, **kwargs: Any
    ) -> None:
        if data not in _DATA:
            raise ValueError(f'DecisionBoundary has no data named {data!r}. Use "xor" or "admission".')
        if len(w) != 2:
            raise ValueError(f"DecisionBoundary needs two weights, w=(w1, w2); it got {len(w)}.")
        facts = _DATA[data]
        bias = facts["b"] if b is None else float(b)
        weights = [float(w[0]), float(w[1])]
        right = sum(_answer(weights, bias, point) == point[2] for point in facts["points"])
        super().__init__(
            data=data, points=facts["points"], best=facts["best"], w=weights, b=bias, correct=right, **kwargs
        )

    def description(self) -> str:
        """Return the weights, the bias and how many points are right, as a sentence."""
        values = {
            "w1": self.w[0],
            "w2": self.w[1],
            "b": self.b,
            "n": len(self.points),
            "data": self.data,
            "k": self.correct,
        }
        return _STILL.format(**values)

    def still(self) -> str:
        """Return the picture at the present weights, as SVG text."""
        facts = _DATA[self.data]
        low, high = facts["range"]
        plane = Plane(low, high, facts["names"])
        region = half_plane((self.w[0], self.w[1]), self.b, low, high)
        plane.area(region)
        ends = [(x, y) for x, y in region if x not in (low, high) or y not in (low, high)]
        plane.path(ends, 'stroke="#1b1f24" stroke-width="3"')
        for x, y, label in self.points:
            plane.marker((x, y), label, facts["marker"])
        return plane.svg()


def _answer(w: Sequence[float], b: float, point: Sequence[float]) -> int:
    return int(w[0] * point[0] + w[1] * point[1] + b > 0)
