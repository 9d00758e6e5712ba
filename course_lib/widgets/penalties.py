"""The degree of a polynomial against the strength of an L2 penalty, on twenty noisy points.

The fit is computed in the browser in closed form, with the course's conventions: mean squared error plus
``strength / 2`` times the sum of squared weights; the constant has no penalty. Source: Hoerl and Kennard, "Ridge
regression: biased estimation for nonorthogonal problems" (1970).
"""

from __future__ import annotations

from math import sin
from random import Random
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane

TRAINING, VALIDATION = 20, 60
MAX_DEGREE = 15
STRENGTHS = (1e-6, 100)
_STILL = (
    "Twenty training points (dark squares), sixty validation points (rings) and the curve they were drawn around. "
    "The fit, now of degree {degree} with strength {strength:g}, needs a page where scripts run."
)


class PenaltyCurve(Look):
    """Fits polynomials with an L2 penalty and draws both errors against its strength.

    The polynomials are Legendre's, so that every degree counts alike. The goals: a strength that makes degree 12
    better than degree 3, and one that makes degree 15 too simple.

    Args:
        degree: of the polynomial, 1 to 15.
        strength: of the penalty, 0.000001 to 100.

    Raises:
        ValueError: a number outside its range.

    Example:
        >>> PenaltyCurve(degree=12, strength=0.01).degree
        12
    """

    _esm = bundle("penalty_curve.js")
    _module = "penalty_curve.js"
    _page_state = ("points", "degree", "strength", "prediction", "goal_reached", "second_reached")

    points = traitlets.Dict(help="train and validation, each with x and y").tag(sync=True)
    degree = traitlets.Int(3, help="degree of the polynomial").tag(sync=True)
    strength = traitlets.Float(1e-6, help="strength of the penalty").tag(sync=True)
    train_error = traitlets.Float(None, allow_none=True, help="mean squared error on training").tag(sync=True)
    validation_error = traitlets.Float(None, allow_none=True, help="mean squared error on validation").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"falls", "rises" or "valley"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="degree 12 below degree 3").tag(sync=True)
    second_reached = traitlets.Bool(False, help="degree 15 too simple").tag(sync=True)

    def __init__(self, degree: int = 3, strength: float = 1e-6, **kwargs: Any) -> None:
        for name, value, (low, high) in (("degree", degree, (1, MAX_DEGREE)), ("strength", strength, STRENGTHS)):
            if not low <= value <= high:
                raise ValueError(f"PenaltyCurve needs {name} between {low:g} and {high:g}; it got {value!r}.")
        super().__init__(points=_points(), degree=int(degree), strength=float(strength), **kwargs)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        return _STILL.format(degree=self.degree, strength=self.strength)

    def still(self) -> str:
        """Return both sets of points and the curve behind them, as SVG text."""
        plane = Plane(-2, 2, ("x, from -1 to 1", "y, from -2 to 2"))
        plane.path([(2 * k / 50, _truth(k / 50)) for k in range(-50, 51)], 'stroke="#0b4f8a" stroke-width="2.5"')
        for name, size in (("validation", 4), ("train", 5)):
            for x, y in zip(*self.points[name].values(), strict=True):
                left, top = plane.at((2 * x, y))
                ring = f'<circle cx="{left:.1f}" cy="{top:.1f}" r="{size}" fill="none" stroke="#565d66"/>'
                square = f'<rect x="{left - size:.1f}" y="{top - size:.1f}" width="{2 * size}" height="{2 * size}"/>'
                plane.parts.append(square if name == "train" else ring)
        return plane.svg()


def _truth(x: float) -> float:
    return sin(3.5 * x) + 0.5 * x


def _points() -> dict[str, dict[str, list[float]]]:
    """Points around the curve with normal noise of 0.25: always the same."""
    draw = Random(1)
    points = {}
    for name, count in (("train", TRAINING), ("validation", VALIDATION)):
        x = sorted(round(draw.uniform(-1, 1), 3) for _ in range(count))
        points[name] = {"x": x, "y": [round(_truth(value) + draw.gauss(0, 0.25), 3) for value in x]}
    return points
