"""The step of a difference quotient and its two errors: the bend of the function, and rounding.

It computes in the browser, in float64 or, operation by operation, in float32. Source: Press, Teukolsky, Vetterling and
Flannery, "Numerical Recipes" (1992), section 5.7, for the U-shaped error.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, log10
from typing import Any

import numpy as np
import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane

POINTS = (0.5, 2.5)
STEPS = (1e-16, 1.0)
# Each function with its slope; the names are those of static/difference_quotients.js.
CURVES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "cubic": (lambda x: x * x * x, lambda x: 3 * x * x),
}
_STILL = (
    "Errors of the central (solid) and the one-sided difference (dashes) of {function} at x = {x:g} in {precision}, "
    "for steps from 1e-16 to 1 on log axes. At h = {h:.3g} they are {central:.2g} and {one_sided:.2g}."
)


class StepSize(Look):
    """A log slider for the step ``h``; two U-shaped curves show the error of both differences.

    Goals: a central error below 1e-10 in float64, and below 1e-4 in float32, with both neighbours on the slider.

    Args:
        function: ``"sin"``, ``"exp"`` or ``"cubic"`` (``x**3``).
        x: the point, 0.5 to 2.5.
        h: the step, 1e-16 to 1.
        precision: ``"float64"`` or ``"float32"``.

    Raises:
        ValueError: unknown ``function`` or ``precision``, or a number outside its range.

    Example:
        >>> one_sided, central = difference_errors("cubic", 1.0, 0.125, "float64")
        >>> one_sided, central
        (0.390625, 0.015625)
    """

    _esm = bundle("step_size.js")
    _module = "step_size.js"
    _page_state = ("function", "x", "h", "precision", "prediction", "goal_reached", "single_reached")

    function = traitlets.Unicode("sin", help="name of the function").tag(sync=True)
    x = traitlets.Float(1.0, help="the point").tag(sync=True)
    h = traitlets.Float(0.1, help="the step").tag(sync=True)
    precision = traitlets.Unicode("float64", help="what every operation is rounded to").tag(sync=True)
    central_error = traitlets.Float(None, allow_none=True, help="error of the central difference").tag(sync=True)
    one_sided_error = traitlets.Float(None, allow_none=True, help="error of the one-sided difference").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"1e-16", "1e-10", "1e-5" or "1e-1"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="float64: central error below 1e-10").tag(sync=True)
    single_reached = traitlets.Bool(False, help="float32: central error below 1e-4").tag(sync=True)

    def __init__(
        self, function: str = "sin", x: float = 1.0, h: float = 0.1, precision: str = "float64", **kwargs: Any
    ) -> None:
        if function not in CURVES:
            raise ValueError(f"StepSize has no function {function!r}. Use one of: {', '.join(CURVES)}.")
        if precision not in ("float64", "float32"):
            raise ValueError(f'StepSize has no precision {precision!r}. Use "float64" or "float32".')
        _in_range("x", x, *POINTS)
        _in_range("h", h, *STEPS)
        super().__init__(function=function, x=float(x), h=float(h), precision=precision, **kwargs)

    def description(self) -> str:
        """Return the settings and both errors, as a sentence."""
        one_sided, central = difference_errors(self.function, self.x, self.h, self.precision)
        facts = {"function": self.function, "x": self.x, "h": self.h, "precision": self.precision}
        return _STILL.format(**facts, central=central, one_sided=one_sided)

    def still(self) -> str:
        """Return both error curves and the present step, as SVG text."""
        plane = Plane(-16, 2, ("step h: 1e-16 to 1e2, log", "error: 1e-16 to 1e2, log"))
        exponents = [k / 10 for k in range(-160, 1)]
        errors = [difference_errors(self.function, self.x, 10**e, self.precision) for e in exponents]
        looks = ('stroke="#8a4300" stroke-width="2.5" stroke-dasharray="7 4"', 'stroke="#0b4f8a" stroke-width="3"')
        for tick in range(-12, 1, 4):
            plane.path([(-16, tick), (2, tick)], 'stroke="#e1e5ea"')
            plane.path([(tick, -16), (tick, 2)], 'stroke="#e1e5ea"')
        for which, look in enumerate(looks):
            plane.path([(e, _power(pair[which])) for e, pair in zip(exponents, errors, strict=True)], look)
        x, y = plane.at((log10(self.h), _power(difference_errors(self.function, self.x, self.h, self.precision)[1])))
        plane.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="#0b4f8a"/>')
        return plane.svg()


def difference_errors(function: str, x: float, h: float, precision: str) -> tuple[float, float]:
    """Return the errors of the one-sided and the central difference, every operation rounded as asked."""
    dtype = np.dtype(precision).type
    value, slope = CURVES[function]
    # The functions themselves in float64, rounded once: NumPy's own float32 sine is not the same on all machines.
    at = value if function == "cubic" else lambda point: dtype(value(np.float64(point)))
    here, step = dtype(x), dtype(h)
    ahead, behind = at(here + step), at(here - step)
    right = float(slope(np.float64(here)))
    one_sided, central = (ahead - at(here)) / step, (ahead - behind) / (dtype(2) * step)
    return abs(float(one_sided) - right), abs(float(central) - right)


def _power(error: float) -> float:
    return log10(max(error, 1e-16))


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise ValueError(f"StepSize needs {name} between {low:g} and {high:g}; it got {value!r}.")
