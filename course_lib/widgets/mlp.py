"""The hidden space of two units, and a network that learns XOR in the page.

Both compute in the browser, in float64, with the course's conventions: ``mse_loss`` sums over outputs and averages
over the batch, gradient descent is plain and uses all four corners. Source: Rumelhart, Hinton and Williams,
"Learning representations by back-propagating errors" (1986).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import tanh
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane, Point
from course_lib.widgets.neuron import XOR

MAX_HIDDEN = 16
MAX_SEED = 99
LR_RANGE = (0.01, 31.7)

# The two directions and thresholds of each preset; the same table stands in static/hidden_fold.js.
PRESETS = {
    "apart": (((1, 0), (0, 1)), (0.5, 0.5)),
    "sum": (((1, 1), (1, 1)), (1.0, 1.0)),
    "difference": (((1, -0.5), (-0.5, 1)), (0.0, 0.0)),
}
_FOLD_STILL = (
    "The input plane as a grid, carried to the hidden space of two sigmoid units ({preset}), with the four XOR corners."
)
_TRAINER_STILL = (
    "The four XOR corners and the band that two hidden units can cut out of the plane. "
    "The trainer itself (2-{hidden}-1 network, learning rate {lr:g}, seed {seed}) needs a page where scripts run."
)

Weights = tuple[Sequence[Sequence[float]], Sequence[float], Sequence[Sequence[float]], Sequence[float]]


class HiddenFold(Look):
    """The plane of inputs, its grid and the four corners, morphed into the hidden space of two sigmoid units.

    ``h_i = sigmoid(gain * (w_i . x - threshold_i))``. The goal is to make the corners separable by one line.

    Args:
        preset: what the two units look at: ``"apart"``, ``"sum"`` or ``"difference"``.
        gain: steepness of both units, 0.5 to 12.
        t: 0 shows the input plane, 1 the hidden space.

    Raises:
        ValueError: unknown ``preset``, or a number outside its range.
    """

    _esm = bundle("hidden_fold.js")
    _module = "hidden_fold.js"
    _page_state = ("preset", "gain", "thresholds", "t", "prediction", "goal_reached", "best_gap")

    preset = traitlets.Unicode("apart", help="what the two units look at").tag(sync=True)
    gain = traitlets.Float(3.0, help="steepness of both units").tag(sync=True)
    thresholds = traitlets.List(traitlets.Float(), help="thresholds of the two units").tag(sync=True)
    t = traitlets.Float(0.0, help="0 is the input plane, 1 the hidden space").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"always", "some" or "never"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="whether one line separated the corners in the hidden space").tag(
        sync=True
    )
    best_gap = traitlets.Float(0.0, help="the widest gap between the classes so far").tag(sync=True)

    def __init__(self, preset: str = "apart", gain: float = 3.0, t: float = 0.0, **kwargs: Any) -> None:
        if preset not in PRESETS:
            raise ValueError(f"HiddenFold has no preset {preset!r}. Use one of: {', '.join(PRESETS)}.")
        _in_range("HiddenFold", "gain", gain, 0.5, 12)
        _in_range("HiddenFold", "t", t, 0, 1)
        super().__init__(preset=preset, gain=float(gain), t=float(t), thresholds=list(PRESETS[preset][1]), **kwargs)

    def description(self) -> str:
        """Return what the still picture shows, as a sentence."""
        return _FOLD_STILL.format(preset=self.preset)

    def still(self) -> str:
        """Return the grid and the corners in the hidden space, as SVG text."""
        plane = Plane(-0.15, 1.15, ("h1", "h2"))
        ticks = [k / 10 for k in range(-5, 16)]
        for fixed in ticks[::2]:
            plane.path((self._carry((fixed, moving)) for moving in ticks), 'stroke="#a3abb6"')
            plane.path((self._carry((moving, fixed)) for moving in ticks), 'stroke="#a3abb6"')
        for x1, x2, label in XOR:
            plane.marker(self._carry((x1, x2)), label)
        return plane.svg()

    def _carry(self, x: Point) -> Point:
        units = zip(PRESETS[self.preset][0], self.thresholds, strict=True)
        h1, h2 = (0.5 + 0.5 * tanh(self.gain * (w[0] * x[0] + w[1] * x[1] - at) / 2) for w, at in units)
        return h1, h2


class XorTrainer(Look):
    """Trains a 2-H-1 sigmoid network on the four corners in the page: play, pause, step, reset, 20 seeds at once.

    Python hears of the run when the hand rests (pause, step, goal): `steps`, `loss`, `correct`, `weights`.

    Args:
        hidden: number of hidden units, 1 to 16.
        lr: learning rate, 0.01 to 31.6.
        seed: start of the random weights, 0 to 99.
        weights: optional ``(w1, b1, w2, b2)`` to start from, with shapes (H, 2), (H,), (1, H), (1,);
            H becomes ``hidden``.

    Raises:
        ValueError: a number outside its range, or weights of the wrong shape.
    """

    _esm = bundle("xor_trainer.js")
    _module = "xor_trainer.js"
    _page_state = ("hidden", "lr", "seed", "initial", "prediction", "goal_reached", "stuck_found")

    hidden = traitlets.Int(2, help="number of hidden units").tag(sync=True)
    lr = traitlets.Float(1.0, help="learning rate").tag(sync=True)
    seed = traitlets.Int(0, help="start of the random weights").tag(sync=True)
    initial = traitlets.Dict(help="given start weights, or empty").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help="how many units the learner thought enough").tag(
        sync=True
    )
    steps = traitlets.Int(0, help="steps made so far").tag(sync=True)
    loss = traitlets.Float(None, allow_none=True, help="mse_loss of the present weights").tag(sync=True)
    correct = traitlets.Int(0, help="corners right, 0 to 4").tag(sync=True)
    weights = traitlets.Dict(help="present weights: w1, b1, w2, b2 as nested lists").tag(sync=True)
    goal_reached = traitlets.Bool(False, help="4 of 4 with 2 units within 2,000 steps").tag(sync=True)
    stuck_found = traitlets.Bool(False, help="a seed with 2 units still wrong after 2,000 steps").tag(sync=True)

    def __init__(
        self, hidden: int = 2, lr: float = 1.0, seed: int = 0, weights: Weights | None = None, **kwargs: Any
    ) -> None:
        initial = {} if weights is None else _as_lists(weights)
        hidden = len(initial["b1"]) if initial else hidden
        _in_range("XorTrainer", "hidden", hidden, 1, MAX_HIDDEN)
        _in_range("XorTrainer", "lr", lr, *LR_RANGE)
        _in_range("XorTrainer", "seed", seed, 0, MAX_SEED)
        super().__init__(hidden=int(hidden), lr=float(lr), seed=int(seed), initial=initial, **kwargs)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        return _TRAINER_STILL.format(hidden=self.hidden, lr=self.lr, seed=self.seed)

    def still(self) -> str:
        """Return the corners and the band between two parallel lines, as SVG text."""
        plane = Plane(-0.5, 1.5, ("x1", "x2"))
        plane.area([(-0.5, 1.0), (-0.5, 1.5), (0.0, 1.5), (1.5, 0.0), (1.5, -0.5), (1.0, -0.5)])
        for level in (0.5, 1.5):
            plane.path([(-0.5, level + 0.5), (level + 0.5, -0.5)], 'stroke="#1b1f24" stroke-width="3"')
        for x1, x2, label in XOR:
            plane.marker((x1, x2), label)
        return plane.svg()


def initial_weights(hidden: int, seed: int) -> dict[str, list[Any]]:
    """Return the start weights the trainer draws for a seed, bit for bit.

    Marsaglia's xorshift32 (2003), uniform in (-2, 2), in the order w1 (H, 2), b1 (H,), w2 (1, H), b2 (1,).

    Example:
        >>> [len(part) for part in initial_weights(3, seed=0).values()]
        [3, 3, 1, 1]
    """
    state = (seed + 1) * 0x9E3779B1 & 0xFFFFFFFF or 1
    drawn: list[float] = []
    for _ in range(3 + 4 * hidden + 1):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        drawn.append(4 * (state / 4294967296) - 2)
    numbers = iter(drawn[3:])
    w1 = [[next(numbers), next(numbers)] for _ in range(hidden)]
    b1, w2 = ([next(numbers) for _ in range(hidden)] for _ in range(2))
    return {"w1": w1, "b1": b1, "w2": [w2], "b2": [next(numbers)]}


def _in_range(widget: str, name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")


def _as_lists(weights: Weights) -> dict[str, list[Any]]:
    """Turn four arrays or nested sequences into lists of floats and check their shapes."""
    try:
        w1, b1, w2, b2 = weights
        lists = {
            "w1": [[float(v) for v in row] for row in w1],
            "b1": [float(v) for v in b1],
            "w2": [[float(v) for v in row] for row in w2],
            "b2": [float(v) for v in b2],
        }
    except (TypeError, ValueError) as reason:
        raise ValueError("XorTrainer needs weights=(w1, b1, w2, b2): four arrays of numbers.") from reason
    units = len(lists["b1"])
    fits = [len(row) for row in lists["w1"]] == [2] * units and [len(row) for row in lists["w2"]] == [units]
    if not (fits and len(lists["b2"]) == 1):
        raise ValueError("XorTrainer needs w1 (H, 2), b1 (H,), w2 (1, H), b2 (1,) with one H for all four.")
    return lists
