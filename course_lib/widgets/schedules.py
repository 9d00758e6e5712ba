"""A designer of learning-rate schedules, and the learning-rate range test on a small network.

Both compute in the browser, in float64; schedules follow `torch.optim.lr_scheduler`, steps count from 0. Sources:
Loshchilov and Hutter (2017) for warm restarts, Smith (2017) for cycles and the range test, Goyal et al. (2017) for
the warm-up.
"""

from __future__ import annotations

from math import cos, exp, pi
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane
from course_lib.widgets.optimisers import _in_ranges

KINDS = ("constant", "step", "exponential", "cosine", "restarts", "cyclic")

_DESIGNER_STILL = (
    "Three schedules over 1,000 steps, all from the same rate: in steps (full line), exponential (dashed) and "
    "cosine (dotted). The designer itself, now set to {kind}, needs a page where scripts run."
)
_RANGE_STILL = (
    "Sketch of a learning-rate range test: against the logarithm of the rate the loss stays flat, falls, and shoots "
    "up. The test itself (seed {seed}, your rate {lr:g}) needs a page where scripts run."
)
_LINE = 'stroke="#0b4f8a" stroke-width="3"'


class ScheduleDesigner(Look):
    """Choose a schedule, tune it, read the rate at any step, the formula and the line that makes it in Torch.

    A warm-up is a straight line from a third of the rate; the schedule then counts from its own step 0.

    Args:
        kind: ``"constant"``, ``"step"``, ``"exponential"``, ``"cosine"``, ``"restarts"`` or ``"cyclic"``.
        lr: base rate, 0.0001 to 1.
        period: steps between two falls, of half a cosine, or up (cyclic); 10 to 1200.
        gamma: factor of a fall in steps, 0.05 to 1.
        decay: factor of every step of the exponential, 0.9 to 0.9999.
        factor: how many times longer each cycle of the restarts is than the one before, 1 to 4.
        low: lowest rate as a share of the base rate, 0 to 0.5.
        warm: steps of warm-up, 0 to 300; a cyclic schedule has none.
        at: step at which the rate is read, 0 to 1200.
        log_axis: draw the rate on a log axis?

    Raises:
        ValueError: unknown ``kind``, or a number outside its range.

    Example:
        >>> ScheduleDesigner("cosine", period=500).kind
        'cosine'
    """

    _esm = bundle("schedule_designer.js")
    _module = "schedule_designer.js"
    _page_state = (
        *("kind", "lr", "period", "gamma", "decay", "factor", "low", "warm", "at", "log_axis"),
        *("prediction", "goal_reached", "second_reached"),
    )

    kind = traitlets.Unicode("constant", help="name of the schedule").tag(sync=True)
    lr = traitlets.Float(0.1, help="base rate").tag(sync=True)
    period = traitlets.Int(300, help="steps between falls, of half a cosine, or up").tag(sync=True)
    gamma = traitlets.Float(0.5, help="factor of a fall in steps").tag(sync=True)
    decay = traitlets.Float(0.995, help="factor of every step of the exponential").tag(sync=True)
    factor = traitlets.Int(1, help="how many times longer each cycle is").tag(sync=True)
    low = traitlets.Float(0.0, help="lowest rate as a share of the base rate").tag(sync=True)
    warm = traitlets.Int(0, help="steps of warm-up").tag(sync=True)
    at = traitlets.Int(1000, help="step at which the rate is read").tag(sync=True)
    log_axis = traitlets.Bool(False, help="whether the axis of the rate is logarithmic").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"bottom", "half" or "top"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="warmed up, then at a tenth at step 1000").tag(sync=True)
    second_reached = traitlets.Bool(False, help="second restart at step 600").tag(sync=True)

    def __init__(self, kind: str = "constant", **kwargs: Any) -> None:
        if kind not in KINDS:
            raise ValueError(f"ScheduleDesigner has no schedule {kind!r}. Use one of: {', '.join(KINDS)}.")
        ranges = {
            "lr": (1e-4, 1),
            "period": (10, 1200),
            "gamma": (0.05, 1),
            "decay": (0.9, 0.9999),
            "factor": (1, 4),
            "low": (0, 0.5),
            "warm": (0, 300),
            "at": (0, 1200),
        }
        _in_ranges("ScheduleDesigner", kwargs, **ranges)
        super().__init__(kind=kind, **kwargs)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        return _DESIGNER_STILL.format(kind=self.kind)

    def still(self) -> str:
        """Return three schedules from one rate, as SVG text."""
        plane = Plane(0, 1.05, ("step 0 to 1,000", "learning rate"))
        steps = [k / 200 for k in range(201)]
        plane.path([(t, 0.5 ** int(4 * t)) for t in steps], 'stroke="#1b1f24" stroke-width="3"')
        plane.path([(t, exp(-4 * t)) for t in steps], 'stroke="#8a4300" stroke-width="3" stroke-dasharray="9 5"')
        plane.path([(t, (1 + cos(pi * t)) / 2) for t in steps], f'{_LINE} stroke-dasharray="2 5"')
        return plane.svg()


class RangeTest(Look):
    """The range test of a small network; the learner sets a rate on its curve and sees the training that follows.

    The network has one input, 12 tanh units and one output and learns a noisy sine from batches of 8, with plain
    SGD. The test makes one step with each of 61 rates; the training makes 150 steps with one.

    Args:
        lr: the rate for the training, 0.0001 to 3.16.
        seed: data, start weights and batches, 0 to 9.

    Raises:
        ValueError: a number outside its range.
    """

    _esm = bundle("range_test.js")
    _module = "range_test.js"
    _page_state = ("lr", "seed", "prediction", "goal_reached", "second_reached")

    lr = traitlets.Float(0.001, help="rate of the training").tag(sync=True)
    seed = traitlets.Int(0, help="data, start weights and batches").tag(sync=True)
    loss = traitlets.Float(None, allow_none=True, help="loss after the training; None when it flew out").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"left", "fall" or "rise"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="loss below 0.08 after 150 steps").tag(sync=True)
    second_reached = traitlets.Bool(False, help="the same with one rate for three seeds").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        _in_ranges("RangeTest", kwargs, lr=(1e-4, 3.17), seed=(0, 9))
        super().__init__(**kwargs)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        return _RANGE_STILL.format(seed=self.seed, lr=self.lr)

    def still(self) -> str:
        """Return the typical shape of a range test, as SVG text."""
        plane = Plane(0, 1, ("learning rate (log)", "loss"))
        across = [k / 200 for k in range(201)]
        heights = [0.65 - 0.5 / (1 + exp(-22 * (x - 0.55))) + exp(40 * (x - 0.85)) / 12 for x in across]
        plane.path([(x, min(y, 1.2)) for x, y in zip(across, heights, strict=True)], _LINE)
        plane.path([(0.55, 0), (0.55, 1)], 'stroke="#565d66" stroke-width="2" stroke-dasharray="3 5"')
        return plane.svg()
