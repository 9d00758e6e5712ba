"""Batch normalisation by hand: one sample moves all, small batches are noisy, and evaluation is not training.

All compute in the browser, in float64, with the course's conventions: the variance that normalises divides by n, the
one that enters the running estimate by n - 1, and momentum is the weight of the new batch. Source: Ioffe and Szegedy,
"Batch normalization: accelerating deep network training by reducing internal covariate shift" (2015).
`StabilityMap` lies in `course_lib.widgets.stability`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import isfinite, sqrt
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import EDGE, SIZE, Plane
from course_lib.widgets.stability import StabilityMap

__all__ = ["BatchDrag", "BatchNoise", "StabilityMap", "TrainEvalGap"]

EPS = 1e-5
SAMPLES = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0)
REACH = 12.0
DATA_NAME = "ink of 1,197 digits"
RANGES = {"batch_size": (1, 256), "momentum": (0.01, 1), "seed": (0, 99)}

_DRAG_STILL = (
    "A batch of {count} numbers above (mean {mean:.3g}, standard deviation {std:.3g}) and the same after batch "
    "normalisation below, joined by lines: mean 0, standard deviation 1."
)
_NOISE_STILL = (
    "The spread of a batch's mean against the batch size, on log scales: {one:.3g} for batches of one, "
    "{now:.3g} for batches of {size}. Four times as many examples halve it."
)
_GAP_STILL = (
    "How much of the first estimate is left in the running statistics after each of 200 batches, with momentum "
    "{momentum:g}: {ten:.2g} after ten. The gap itself needs a page where scripts run."
)


class BatchDrag(Look):
    """Drag one sample of a batch and see every output move, in training mode; in evaluation mode only its own.

    Evaluation uses the statistics of the batch with which the picture started. The goals: push another sample through
    zero, and find the mode in which an output gets beyond the square root of n - 1.

    Args:
        values: 3 to 16 numbers from -12 to 12, not all alike and not so spread that evaluation mode could never get
            beyond the bound; by default eight.
        training: start in training mode?
        sample: which one is held first, counted from 0; by default the last.

    Raises:
        ValueError: too few, too many, alike, too spread, or outside the picture; or no such sample.

    Example:
        >>> BatchDrag([1, 2, 4]).sample
        2
    """

    _esm = bundle("batch_drag.js")
    _module = "batch_drag.js"
    _page_state = ("values", "start", "training", "sample", "prediction", "goal_reached", "second_reached")

    values = traitlets.List(traitlets.Float(), help="the batch, one feature").tag(sync=True)
    start = traitlets.List(traitlets.Float(), help="the batch that gave evaluation its statistics").tag(sync=True)
    training = traitlets.Bool(True, help="training or evaluation").tag(sync=True)
    sample = traitlets.Int(0, help="the sample that is held, counted from 0").tag(sync=True)
    outputs = traitlets.List(traitlets.Float(), help="the normalised batch").tag(sync=True)
    moved = traitlets.Int(0, help="outputs that left their place since the last start").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"stay", "alike" or "each"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="another sample pushed through zero").tag(sync=True)
    second_reached = traitlets.Bool(False, help="an output beyond the bound of training mode").tag(sync=True)

    def __init__(
        self, values: Sequence[float] | None = None, training: bool = True, sample: int | None = None, **kwargs: Any
    ) -> None:
        batch = [float(value) for value in (SAMPLES if values is None else values)]
        if not 3 <= len(batch) <= 16 or not all(abs(value) <= REACH for value in batch) or len(set(batch)) < 2:
            raise ValueError(f"BatchDrag needs values: 3 to 16 numbers from -{REACH:g} to {REACH:g}, not all alike.")
        mean, var = _statistics(batch)
        if (REACH + abs(mean)) / sqrt(var) <= sqrt(len(batch) - 1):
            raise ValueError("BatchDrag needs values that lie closer together: halve them.")
        held = len(batch) - 1 if sample is None else sample
        if held not in range(len(batch)):
            raise ValueError(f"BatchDrag needs a sample between 0 and {len(batch) - 1}; it got {sample!r}.")
        super().__init__(values=batch, start=batch, training=training, sample=held, **kwargs)

    def description(self) -> str:
        """Return the size and the statistics of the batch, as a sentence."""
        mean, var = _statistics(self.values)
        return _DRAG_STILL.format(count=len(self.values), mean=mean, std=sqrt(var))

    def still(self) -> str:
        """Return both rows of dots and the lines between them, as SVG text."""
        mean, var = _statistics(self.values)
        parts = [f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>']
        for y, name in ((120, "x"), (300, "normalised x")):
            parts.append(f'<path d="M{EDGE} {y}H{SIZE - EDGE}" stroke="#565d66"/>')
            parts.append(f'<text x="{EDGE}" y="{y - 40 if y < 200 else y + 50}" font-size="18">{name}</text>')
        scale = (SIZE / 2 - EDGE) / REACH
        for value in self.values:
            left, right = SIZE / 2 + scale * value, SIZE / 2 + 4 * scale * (value - mean) / sqrt(var + EPS)
            parts.append(f'<path d="M{left:.1f} 120L{right:.1f} 300" stroke="#8d96a3"/>')
            parts.append(f'<circle cx="{left:.1f}" cy="120" r="7" fill="#fff" stroke="#1b1f24" stroke-width="2.5"/>')
            parts.append(f'<rect x="{right - 6:.1f}" y="294" width="12" height="12" fill="#0b4f8a"/>')
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif">'
        return "".join([head, *parts, "</svg>"])


class BatchNoise(Look):
    """A slider for the batch size; the picture shows means and variances of 1,000 batches of real numbers.

    Batches are drawn with replacement, so that the spread of their means is sigma / sqrt(n) exactly. The goals: the
    smallest size whose means spread less than a tenth of sigma, and the size at which variances are half of sigma^2.

    Args:
        values: 20 to 5,000 numbers, not all alike; by default the ink of each training digit, 0 to 64.
        name: what they are; shown in the picture.
        batch_size: 1 to 256; moves to the nearest power of two.
        seed: which draw, 0 to 99.

    Raises:
        ValueError: too few or too many numbers, alike, or a setting outside its range.

    Example:
        >>> BatchNoise(list(range(20)), name="ranks", batch_size=16).name
        'ranks'
    """

    _esm = bundle("batch_noise.js")
    _module = "batch_noise.js"
    _page_state = ("values", "name", "batch_size", "seed", "prediction", "goal_reached", "second_reached")

    values = traitlets.List(traitlets.Float(), help="the numbers to draw from").tag(sync=True)
    name = traitlets.Unicode("", help="what the numbers are").tag(sync=True)
    batch_size = traitlets.Int(4, help="examples per batch").tag(sync=True)
    seed = traitlets.Int(0, help="which draw").tag(sync=True)
    mean_spread = traitlets.Float(None, allow_none=True, help="spread of the batch means").tag(sync=True)
    expected_spread = traitlets.Float(None, allow_none=True, help="sigma / sqrt(n)").tag(sync=True)
    mean_variance = traitlets.Float(None, allow_none=True, help="average of the batch variances").tag(sync=True)
    variance_spread = traitlets.Float(None, allow_none=True, help="spread of the batch variances").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"same", "half" or "quarter"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="smallest size below a tenth of sigma").tag(sync=True)
    second_reached = traitlets.Bool(False, help="variances half as large as sigma^2").tag(sync=True)

    def __init__(
        self,
        values: Sequence[float] | None = None,
        name: str | None = None,
        batch_size: int = 4,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        numbers, title = _numbers("BatchNoise", values, name)
        _in_ranges("BatchNoise", batch_size=batch_size, seed=seed)
        super().__init__(values=numbers, name=title, batch_size=int(batch_size), seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return the spread of the mean for batches of one and of the present size, as a sentence."""
        sigma = sqrt(_statistics(self.values)[1])
        return _NOISE_STILL.format(one=sigma, now=sigma / sqrt(self.batch_size), size=self.batch_size)

    def still(self) -> str:
        """Return sigma / sqrt(n) on log scales, relative to sigma, as SVG text."""
        plane = Plane(0, 8, ("batch size, 1 to 256 (log)", "spread of the mean (log)"))
        plane.path([(0, 8), (8, 4)], 'stroke="#0b4f8a" stroke-width="3"')
        for k in range(9):
            x, y = plane.at((k, 8 - k / 2))
            plane.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="#fff" stroke="#0b4f8a"/>')
        return plane.svg()


class TrainEvalGap(Look):
    """Sliders for batch size and momentum; running statistics are gathered over 200 batches, and the gap is drawn.

    The gap of a batch is the root mean square of (output in training mode minus output in evaluation mode), right
    after the batch has entered the running statistics. These start at mean 0 and variance 1, as in Torch. The second
    curve, the distance, compares evaluation with running statistics and with those of all numbers. The goals: gap and
    distance small together, and a small distance with batches of 8.

    Args:
        values: 20 to 5,000 numbers, not all alike; by default the ink of each training digit, 0 to 64.
        name: what they are; shown in the picture.
        batch_size: 2 to 256; moves to the nearest power of two.
        momentum: weight of the new batch, 0.01 to 1.
        seed: which draw, 0 to 99.

    Raises:
        ValueError: too few or too many numbers, alike, or a setting outside its range.

    Example:
        >>> TrainEvalGap(list(range(20)), momentum=0.5).momentum
        0.5
    """

    _esm = bundle("train_eval_gap.js")
    _module = "train_eval_gap.js"
    _page_state = ("values", "name", "batch_size", "momentum", "seed", "prediction", "goal_reached", "second_reached")

    values = traitlets.List(traitlets.Float(), help="the numbers to draw from").tag(sync=True)
    name = traitlets.Unicode("", help="what the numbers are").tag(sync=True)
    batch_size = traitlets.Int(8, help="examples per batch").tag(sync=True)
    momentum = traitlets.Float(0.1, help="weight of the new batch").tag(sync=True)
    seed = traitlets.Int(0, help="which draw").tag(sync=True)
    running_mean = traitlets.Float(None, allow_none=True, help="running mean after 200 batches").tag(sync=True)
    running_var = traitlets.Float(None, allow_none=True, help="running variance after 200 batches").tag(sync=True)
    late_gap = traitlets.Float(None, allow_none=True, help="average gap of the last 100 batches").tag(sync=True)
    late_error = traitlets.Float(None, allow_none=True, help="average distance of the last 100 batches").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"small", "large" or "alike"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="gap below 0.1 and distance below 0.05").tag(sync=True)
    second_reached = traitlets.Bool(False, help="distance below 0.065 with batches of 8").tag(sync=True)

    def __init__(
        self,
        values: Sequence[float] | None = None,
        name: str | None = None,
        batch_size: int = 8,
        momentum: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        numbers, title = _numbers("TrainEvalGap", values, name)
        _in_ranges("TrainEvalGap", batch_size=batch_size, momentum=momentum, seed=seed)
        if batch_size < 2:
            raise ValueError("TrainEvalGap needs batches of 2 or more: one number has no variance.")
        settings = {"batch_size": int(batch_size), "momentum": float(momentum), "seed": int(seed)}
        super().__init__(values=numbers, name=title, **settings, **kwargs)

    def description(self) -> str:
        """Return how fast the start is forgotten, as a sentence."""
        return _GAP_STILL.format(momentum=self.momentum, ten=(1 - self.momentum) ** 10)

    def still(self) -> str:
        """Return the share of the start in the running statistics over 200 batches, as SVG text."""
        plane = Plane(0, 1, ("batches, 0 to 200", "share of the start that is left"))
        points = [(k / 200, (1 - self.momentum) ** k) for k in range(201)]
        plane.path(points, 'stroke="#0b4f8a" stroke-width="3"')
        plane.path([(0, 0.05), (1, 0.05)], 'stroke="#565d66" stroke-dasharray="6 4"')
        return plane.svg()


@cache
def _ink() -> tuple[float, ...]:
    """Total ink of every training digit: 8x8 pixels between 0 and 1."""
    from course_lib.data import load_digits  # takes a second: only whoever needs it pays

    return tuple(load_digits().x_train.sum(axis=1).tolist())


def _numbers(widget: str, values: Sequence[float] | None, name: str | None) -> tuple[list[float], str]:
    numbers = list(_ink()) if values is None else [float(value) for value in values]
    if not 20 <= len(numbers) <= 5000 or not all(map(isfinite, numbers)) or len(set(numbers)) < 2:
        raise ValueError(f"{widget} needs values: 20 to 5,000 finite numbers, not all alike.")
    return numbers, name or (DATA_NAME if values is None else f"{len(numbers):,} numbers of yours")


def _statistics(values: Sequence[float]) -> tuple[float, float]:
    """Mean and variance, divided by n."""
    mean = sum(values) / len(values)
    return mean, sum((value - mean) ** 2 for value in values) / len(values)


def _in_ranges(widget: str, **given: float) -> None:
    """Refuse the first number outside its range."""
    for name, value in given.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
