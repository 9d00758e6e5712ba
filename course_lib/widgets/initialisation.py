"""The spread over thirty layers of random weights, and ReLU units that die of a large learning rate.

Both compute in the browser, in float64. Sources: Glorot and Bengio (2010) and He, Zhang, Ren and Sun (2015) for the
spread; Maas, Hannun and Ng (2013) for dead units.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import log10, sqrt
from typing import Any

import numpy as np
import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane

LAYERS = 30
BATCH = 64
WIDTHS = (16, 32, 64)
GAIN_RANGE = (0.316, 3.163)
ACTIVATIONS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "linear": lambda z: z}
UNITS = 16
STEPS = 200
LR_RANGE = (0.01, 100)
MAX_SEED = 19
_SPREAD_STILL = (
    "Spread of the activations over 30 layers ({activation}, {width} units, gain {gain:.3g}), on a log scale: "
    "between {low:.2g} and {high:.2g}, {last:.2g} at the last layer."
)
_DEAD_STILL = (
    "Bars: for how many of 60 points each of 16 ReLU units fires after 200 steps at rate {lr:g}. "
    "{dead} of 16 units are dead; the loss is {loss:.3g}."
)


class SpreadOverLayers(Look):
    """A slider for the gain of the first weights; the picture shows the spread after each of 30 layers.

    Weights are ``gain * sqrt(3 / n) * U(-1, 1)``, so that gain 1 has ``var(w) = 1 / n`` and the square root of 2 is
    Kaiming's rule. Inputs have spread 1; the batch holds 64 examples.

    Args:
        activation: ``"relu"``, ``"tanh"`` or ``"linear"``.
        gain: 0.316 to 3.163.
        width: 16, 32 or 64 units in every layer.
        seed: which random draw, 0 to 19.

    Raises:
        ValueError: unknown ``activation`` or ``width``, or a number outside its range.

    Example:
        >>> SpreadOverLayers("relu", gain=2**0.5).width
        64
    """

    _esm = bundle("spread_over_layers.js")
    _module = "spread_over_layers.js"
    _page_state = ("activation", "gain", "width", "seed", "prediction", "goal_reached", "tanh_reached")

    activation = traitlets.Unicode("linear", help="what bends the scores of each layer").tag(sync=True)
    gain = traitlets.Float(1.0, help="factor of the weights").tag(sync=True)
    width = traitlets.Int(64, help="units in every layer").tag(sync=True)
    seed = traitlets.Int(0, help="which random draw").tag(sync=True)
    spreads = traitlets.List(traitlets.Float(), help="standard deviation after each layer").tag(sync=True)
    silent = traitlets.Float(0.0, help="share of zeros (ReLU) or of saturated outputs (tanh)").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"same", "tenth", "tiny" or "more"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="ReLU: every layer between 0.5 and 2").tag(sync=True)
    tanh_reached = traitlets.Bool(False, help="tanh: every layer above 0.5, few outputs saturated").tag(sync=True)

    def __init__(
        self, activation: str = "linear", gain: float = 1.0, width: int = 64, seed: int = 0, **kwargs: Any
    ) -> None:
        if activation not in ACTIVATIONS:
            names = ", ".join(ACTIVATIONS)
            raise ValueError(f"SpreadOverLayers has no activation {activation!r}. Use one of: {names}.")
        if width not in WIDTHS:
            raise ValueError(f"SpreadOverLayers needs a width of 16, 32 or 64; it got {width!r}.")
        _in_range("SpreadOverLayers", "gain", gain, *GAIN_RANGE)
        _in_range("SpreadOverLayers", "seed", seed, 0, MAX_SEED)
        super().__init__(activation=activation, gain=float(gain), width=int(width), seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return the settings and the spreads, as a sentence."""
        spreads = layer_spreads(self.activation, self.gain, self.width, self.seed)
        facts = {"low": min(spreads), "high": max(spreads), "last": spreads[-1]}
        return _SPREAD_STILL.format(activation=self.activation, width=self.width, gain=self.gain, **facts)

    def still(self) -> str:
        """Return the spread of every layer on a log scale, as SVG text."""
        plane = Plane(0, 1, ("layer, from 1 to 30", "spread, from 1e-7 to 1e7"))
        spreads = layer_spreads(self.activation, self.gain, self.width, self.seed)
        heights = [(log10(max(spread, 1e-9)) + 7) / 14 for spread in spreads]
        low, high = ((log10(edge) + 7) / 14 for edge in (0.5, 2))
        plane.area([(0, low), (1, low), (1, high), (0, high)])
        points = [((k + 1) / (LAYERS + 1), height) for k, height in enumerate(heights)]
        plane.path(points, 'stroke="#0b4f8a" stroke-width="3"')
        return plane.svg()


class DeadReluMeter(Look):
    """Trains a 2-16-1 ReLU network in the page at every move of the rate, and counts the units that fire for no point.

    Plain gradient descent on all 60 points, 200 steps, mean of ``bce_with_logits``; start weights after Kaiming.

    Args:
        lr: learning rate, 0.01 to 100.
        seed: start of the random weights, 0 to 19.

    Raises:
        ValueError: a number outside its range.

    Example:
        >>> "16 of 16 units are dead" in DeadReluMeter(lr=30).description()
        True
    """

    _esm = bundle("dead_relu_meter.js")
    _module = "dead_relu_meter.js"
    _page_state = ("lr", "seed", "prediction", "goal_reached", "waste_found")

    lr = traitlets.Float(0.03, help="learning rate").tag(sync=True)
    seed = traitlets.Int(0, help="start of the random weights").tag(sync=True)
    loss = traitlets.Float(None, allow_none=True, help="loss after training").tag(sync=True)
    dead = traitlets.Int(0, help="units that fire for no point").tag(sync=True)
    fires = traitlets.List(traitlets.Int(), help="for how many points each unit fires").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"fire", "back" or "dead"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="loss below 0.02 without a dead unit").tag(sync=True)
    waste_found = traitlets.Bool(False, help="loss below 0.02 with at least 8 dead units").tag(sync=True)

    def __init__(self, lr: float = 0.03, seed: int = 0, **kwargs: Any) -> None:
        _in_range("DeadReluMeter", "lr", lr, *LR_RANGE)
        _in_range("DeadReluMeter", "seed", seed, 0, MAX_SEED)
        super().__init__(lr=float(lr), seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return the rate, the dead units and the loss, as a sentence."""
        fires, loss = trained(self.lr, self.seed)
        return _DEAD_STILL.format(lr=self.lr, dead=int((fires == 0).sum()), loss=loss)

    def still(self) -> str:
        """Return a bar for every unit, as SVG text."""
        plane = Plane(0, 1, ("unit, from 1 to 16", "share of the points it fires for"))
        fires, _ = trained(self.lr, self.seed)
        for k, share in enumerate(fires / len(toy_points())):
            left, right = (k + 0.2) / UNITS, (k + 0.8) / UNITS
            plane.area([(left, 0), (right, 0), (right, share), (left, share)])
            plane.path([(left, 0), (left, share), (right, share), (right, 0)], 'stroke="#0b4f8a" stroke-width="2"')
        return plane.svg()


def _uniforms(seed: int) -> Iterator[float]:
    """Yield the numbers of static/network.js `randomStream`, bit for bit (Marsaglia's xorshift32, 2003)."""
    state = (seed + 1) * 0x9E3779B1 & 0xFFFFFFFF or 1
    for count in range(1 << 31):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        if count >= 3:
            yield state / 4294967296


def _block(numbers: Iterator[float], shape: tuple[int, ...], scale: float) -> np.ndarray:
    size = int(np.prod(shape))
    return scale * (2 * np.fromiter(islice(numbers, size), float, size) - 1).reshape(shape)


def layer_spreads(activation: str, gain: float, width: int, seed: int) -> list[float]:
    """Return the standard deviation after each of the 30 layers, as the widget computes it."""
    numbers = _uniforms(seed)
    h = _block(numbers, (BATCH, width), sqrt(3))
    spreads = []
    for _ in range(LAYERS):
        w = gain * _block(numbers, (width, width), sqrt(3 / width))
        h = ACTIVATIONS[activation](h @ w.T)
        spreads.append(float(h.std()))
    return spreads


def toy_points() -> np.ndarray:
    """Return the 60 points of the meter, (60, 3): two inputs and a class; the 30 of class 0 stand first."""
    numbers, kept = _uniforms(0), ([], [])
    while min(len(part) for part in kept) < 30:
        x1, x2 = 2 * next(numbers) - 1, 2 * next(numbers) - 1
        square = x1 * x1 + x2 * x2
        y = int(square < 0.25)
        if (y or 0.49 < square < 1) and len(kept[y]) < 30:
            kept[y].append((x1, x2, y))
    return np.array([*kept[0], *kept[1]])


def start_weights(seed: int) -> dict[str, np.ndarray]:
    """Return the start of the meter's network: w1 (16, 2), b1 (16,), w2 (1, 16), b2 (1,)."""
    numbers = _uniforms(seed)
    return {
        "w1": _block(numbers, (UNITS, 2), sqrt(3)),
        "b1": _block(numbers, (UNITS,), 1 / sqrt(2)),
        "w2": _block(numbers, (1, UNITS), sqrt(6 / UNITS)),
        "b2": _block(numbers, (1,), 1 / sqrt(UNITS)),
    }


def trained(lr: float, seed: int, steps: int = STEPS) -> tuple[np.ndarray, float]:
    """Train the meter's network; return for how many points each unit fires, and the loss."""
    x, y = np.split(toy_points(), [2], axis=1)
    w1, b1, w2, b2 = start_weights(seed).values()
    for _ in range(steps):
        h = np.maximum(x @ w1.T + b1, 0)
        dscore = (0.5 + 0.5 * np.tanh((h @ w2.T + b2) / 2) - y) / len(x)
        dz = dscore @ w2 * (h > 0)
        w2, b2 = w2 - lr * dscore.T @ h, b2 - lr * dscore.sum(axis=0)
        w1, b1 = w1 - lr * dz.T @ x, b1 - lr * dz.sum(axis=0)
    h = np.maximum(x @ w1.T + b1, 0)
    score = h @ w2.T + b2
    loss = np.mean(np.maximum(score, 0) - score * y + np.log1p(np.exp(-np.abs(score))))
    return (h > 0).sum(axis=0), float(loss)


def _in_range(widget: str, name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
