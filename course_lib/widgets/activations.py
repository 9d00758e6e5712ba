"""Activation functions with their slopes, and softmax under a temperature; both compute in the browser.

Sources: Hendrycks and Gimpel, "Gaussian error linear units" (2016), for both forms of GELU; Maas, Hannun and Ng (2013)
for the leak; Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015), for the temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf, exp, isfinite, log, pi, sqrt, tanh
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane

REACH = 8
MAX_LEAK = 0.5
MAX_SCORE = 5
TEMPERATURES = (0.01, 100)
_STILL = "{name} (thick line) and its slope (dashes) for scores from -8 to 8. At z = {z:g} the slope is {slope:.4f}."
_BARS = "Softmax of the scores {scores} at temperature {t:g}: {shares}."


def _squash(z: float) -> float:
    return 0.5 + 0.5 * tanh(z / 2)


def _gelu_tanh(z: float) -> float:
    return 0.5 * z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3)))


# The names are those of static/functions.js; the leak is the second argument.
FUNCTIONS: dict[str, Callable[[float, float], float]] = {
    "sigmoid": lambda z, leak: _squash(z),
    "tanh": lambda z, leak: tanh(z),
    "relu": lambda z, leak: max(z, 0.0),
    "leaky_relu": lambda z, leak: z if z > 0 else leak * z,
    "gelu": lambda z, leak: 0.5 * z * (1 + erf(z / sqrt(2))),
    "gelu_tanh": lambda z, leak: _gelu_tanh(z),
}


class ActivationExplorer(Look):
    """One activation function above its slope, with a tangent that follows the score.

    The goals: the nearest score at which the sigmoid's slope is below 0.01, and a function with a negative slope.

    Args:
        function: ``"sigmoid"``, ``"tanh"``, ``"relu"``, ``"leaky_relu"``, ``"gelu"`` or ``"gelu_tanh"``.
        z: the score, -8 to 8.
        leak: slope of leaky ReLU at and below 0, 0 to 0.5.

    Raises:
        ValueError: unknown ``function``, or a number outside its range.

    Example:
        >>> ActivationExplorer("gelu", z=-1.0).function
        'gelu'
    """

    _esm = bundle("activation_explorer.js")
    _module = "activation_explorer.js"
    _page_state = ("function", "z", "leak", "prediction", "goal_reached", "falling_found")

    function = traitlets.Unicode("sigmoid", help="name of the function").tag(sync=True)
    z = traitlets.Float(1.0, help="the score").tag(sync=True)
    leak = traitlets.Float(0.01, help="slope of leaky ReLU at and below 0").tag(sync=True)
    value = traitlets.Float(None, allow_none=True, help="value at the score").tag(sync=True)
    slope = traitlets.Float(None, allow_none=True, help="slope at the score").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help="how far out the learner thought").tag(sync=True)
    goal_reached = traitlets.Bool(False, help="the sigmoid's nearest score with a slope below 0.01").tag(sync=True)
    falling_found = traitlets.Bool(False, help="a negative slope was found").tag(sync=True)

    def __init__(self, function: str = "sigmoid", z: float = 1.0, leak: float = 0.01, **kwargs: Any) -> None:
        if function not in FUNCTIONS:
            raise ValueError(f"ActivationExplorer has no function {function!r}. Use one of: {', '.join(FUNCTIONS)}.")
        _in_range("ActivationExplorer", "z", z, -REACH, REACH)
        _in_range("ActivationExplorer", "leak", leak, 0, MAX_LEAK)
        super().__init__(function=function, z=float(z), leak=float(leak), **kwargs)

    def description(self) -> str:
        """Return the function, the score and the slope there, as a sentence."""
        return _STILL.format(name=self.function, z=self.z, slope=self._slope(self.z))

    def still(self) -> str:
        """Return the function and its slope, as SVG text."""
        plane = Plane(-REACH, REACH, ("score z, from -8 to 8", "value and slope, from -2 to 2"))
        scores = [k / 10 for k in range(-10 * REACH, 10 * REACH + 1)]
        height = REACH / 2
        for at in (-1, 0, 1):
            plane.path([(-REACH, at * height), (REACH, at * height)], 'stroke="#c9ced6"')
        plane.path(((z, height * self._value(z)) for z in scores), 'stroke="#0b4f8a" stroke-width="3.5"')
        slopes = ((z, height * self._slope(z)) for z in scores)
        plane.path(slopes, 'stroke="#8a4300" stroke-width="3" stroke-dasharray="9 5"')
        return plane.svg()

    def _value(self, z: float) -> float:
        return FUNCTIONS[self.function](z, self.leak)

    def _slope(self, z: float) -> float:
        if self.function.endswith("relu"):
            low = self.leak if self.function == "leaky_relu" else 0.0
            return 1.0 if z > 0 else low
        return (self._value(z + 1e-5) - self._value(z - 1e-5)) / 2e-5


class SoftmaxTemperature(Look):
    """Three to five scores, divided by a temperature, as bars of probabilities.

    The goals: the winner just below 50 % by the temperature alone, and two classes that share in the cold.

    Args:
        scores: three to five numbers from -5 to 5.
        temperature: 0.01 to 100.

    Raises:
        ValueError: too few or too many scores, or a number outside its range.

    Example:
        >>> [round(p, 3) for p in SoftmaxTemperature((1.0, 1.0, 1.0, 1.0)).probabilities]
        [0.25, 0.25, 0.25, 0.25]
    """

    _esm = bundle("softmax_temperature.js")
    _module = "softmax_temperature.js"
    _page_state = ("scores", "start", "temperature", "prediction", "goal_reached", "tie_found")

    scores = traitlets.List(traitlets.Float(), help="the scores").tag(sync=True)
    start = traitlets.List(traitlets.Float(), help="the scores of the first goal").tag(sync=True)
    temperature = traitlets.Float(1.0, help="what the scores are divided by").tag(sync=True)
    probabilities = traitlets.List(traitlets.Float(), help="softmax of scores / temperature").tag(sync=True)
    entropy = traitlets.Float(0.0, help="entropy of the probabilities, natural logarithm").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"cold_sure", "cold_equal" or "same"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="winner from 48 % to 50 %, scores untouched").tag(sync=True)
    tie_found = traitlets.Bool(False, help="two classes share at the lowest temperature").tag(sync=True)

    def __init__(
        self, scores: Sequence[float] = (2.0, 1.0, 0.0, -1.0), temperature: float = 1.0, **kwargs: Any
    ) -> None:
        if not 3 <= len(scores) <= 5:
            raise ValueError(f"SoftmaxTemperature needs three to five scores; it got {len(scores)}.")
        for score in scores:
            _in_range("SoftmaxTemperature", "scores", score, -MAX_SCORE, MAX_SCORE)
        _in_range("SoftmaxTemperature", "temperature", temperature, *TEMPERATURES)
        numbers = [float(score) for score in scores]
        p = _softmax(numbers, temperature)
        entropy = -sum(share * log(share) for share in p if share > 0)
        facts = {"scores": numbers, "start": numbers, "probabilities": p, "entropy": entropy}
        super().__init__(temperature=float(temperature), **facts, **kwargs)

    def description(self) -> str:
        """Return scores, temperature and probabilities, as a sentence."""
        p = _softmax(self.scores, self.temperature)
        scores = ", ".join(f"{score:g}" for score in self.scores)
        return _BARS.format(scores=scores, t=self.temperature, shares=", ".join(f"{100 * share:.1f} %" for share in p))

    def still(self) -> str:
        """Return the bars, the largest filled, as SVG text."""
        plane = Plane(0, 1, ("probability, from 0 to 1", "classes, the first on top"))
        p = _softmax(self.scores, self.temperature)
        pitch = 1 / len(p)
        for k, share in enumerate(p):
            low, high = 1 - (k + 0.8) * pitch, 1 - (k + 0.2) * pitch
            fill = "#0b4f8a" if share == max(p) else "#dbe9f5"
            corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(plane.at, _corners(share, low, high)))
            plane.parts.append(f'<polygon points="{corners}" fill="{fill}" stroke="#0b4f8a" stroke-width="1.5"/>')
        plane.path([(0.5, 0), (0.5, 1)], 'stroke="#1b1f24" stroke-dasharray="5 4"')
        return plane.svg()


def _corners(share: float, low: float, high: float) -> list[tuple[float, float]]:
    return [(0, low), (share, low), (share, high), (0, high)]


def _softmax(scores: Sequence[float], temperature: float) -> list[float]:
    top = max(scores)
    parts = [exp((score - top) / temperature) for score in scores]
    return [part / sum(parts) for part in parts]


def _in_range(widget: str, name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
