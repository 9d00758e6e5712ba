"""Six update rules on one loss surface, and the first steps of Adam with and without bias correction.

Both compute in the browser, in float64, as `torch.optim` does: momentum adds gradients up, and every eps stands
outside its root. Sources: Polyak (1964), Nesterov (1983), Duchi et al. (2011), Tieleman and Hinton (2012),
Kingma and Ba (2015); the bent valley is Rosenbrock's (1960).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin, sqrt
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane, Point

SURFACES = ("bowl", "ravine", "valleys")
RUNNERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
DRAWN = ("sgd", "momentum", "adam")
LAST_STEP = 300
LR_RANGE = (0.001, 3.17)
CONDITIONING_RANGE = (1, 100)
BETA2_RANGE = (0.5, 0.9999)

_RACE_STILL = (
    "Contour lines of a bowl that is {kappa:g} times steeper across than along, with the zigzag path of plain SGD at "
    "nine tenths of its largest stable rate. The race itself needs a page where scripts run."
)
_ADAM_STILL = (
    "Sizes of Adam's first 50 steps for a constant gradient, in learning rates: with bias correction always 1; "
    "without it, with beta1 = {beta1:g} and beta2 = {beta2:g}, the first is {first:.2f} and the longest {most:.2f}."
)
_ADAM_STEPS = 50


class ContourRace(Look):
    """Six update rules run from one start point; sliders for rate, momentum, conditioning and gradient noise.

    The start point moves by a click in the picture or by two sliders. Python hears of the race when the hand rests.

    Args:
        surface: ``"bowl"``, ``"ravine"`` (a bent valley) or ``"valleys"`` (two minima).
        lr: learning rate of all runners, 0.001 to 3.16.
        mu: momentum of "momentum" and "Nesterov", 0 to 0.99.
        conditioning: how much steeper the surface is across than along, 1 to 100.
        noise: standard deviation of what is added to every gradient, 0 to 5; the same for all runners.
        seed: which draw of the noise, 0 to 99.
        start: the two weights at the start; by default a point that suits the surface.
        runners: who is drawn, out of sgd, momentum, nesterov, adagrad, rmsprop, adam;
            all of them run, and the page can draw the others.

    Raises:
        ValueError: an unknown name, a number outside its range, or a start that is not two numbers.

    Example:
        >>> ContourRace("ravine", lr=0.003).surface
        'ravine'
    """

    _esm = bundle("contour_race.js")
    _module = "contour_race.js"
    _page_state = (
        *("surface", "lr", "mu", "conditioning", "noise", "seed", "start", "step", "runners"),
        *("prediction", "goal_reached", "second_reached", "third_reached"),
    )

    surface = traitlets.Unicode("bowl", help="name of the loss surface").tag(sync=True)
    lr = traitlets.Float(0.01, help="learning rate of all runners").tag(sync=True)
    mu = traitlets.Float(0.9, help="momentum").tag(sync=True)
    conditioning = traitlets.Int(10, help="steepness across over steepness along").tag(sync=True)
    noise = traitlets.Float(0.0, help="standard deviation of the gradient noise").tag(sync=True)
    seed = traitlets.Int(0, help="which draw of the noise").tag(sync=True)
    start = traitlets.List(traitlets.Float(), help="start point, or empty for that of the surface").tag(sync=True)
    step = traitlets.Int(0, help="step that is shown").tag(sync=True)
    runners = traitlets.List(traitlets.Unicode(), help="names of the runners that are drawn").tag(sync=True)
    losses = traitlets.Dict(help="loss of every runner at that step; None once it has flown out").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"steep", "flat" or "both"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="momentum below 0.01 within 60 steps at conditioning 50").tag(sync=True)
    second_reached = traitlets.Bool(False, help="momentum in the deep valley, SGD in the shallow one").tag(sync=True)
    third_reached = traitlets.Bool(False, help="noise of 2, SGD's mean loss of 100 steps below 0.035").tag(sync=True)

    def __init__(
        self,
        surface: str = "bowl",
        start: Sequence[float] | None = None,
        runners: Sequence[str] = DRAWN,
        **kwargs: Any,
    ) -> None:
        if surface not in SURFACES:
            raise ValueError(f"ContourRace has no surface {surface!r}. Use one of: {', '.join(SURFACES)}.")
        unknown = [name for name in runners if name not in RUNNERS]
        if unknown:
            raise ValueError(f"ContourRace has no runner {unknown[0]!r}. Use some of: {', '.join(RUNNERS)}.")
        if start is not None and len(start) != 2:
            raise ValueError(f"ContourRace needs two weights, start=(w1, w2); it got {len(start)}.")
        _in_ranges(
            "ContourRace",
            kwargs,
            lr=LR_RANGE,
            mu=(0, 0.99),
            conditioning=CONDITIONING_RANGE,
            noise=(0, 5),
            seed=(0, 99),
            step=(0, LAST_STEP),
        )
        place = [] if start is None else [float(start[0]), float(start[1])]
        super().__init__(surface=surface, start=place, runners=list(runners), **kwargs)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        return _RACE_STILL.format(kappa=self.conditioning)

    def still(self) -> str:
        """Return contour lines of the bowl and the path of plain SGD, as SVG text."""
        plane = Plane(-2.5, 2.5, ("w1", "w2"))
        for level in (0.03, 0.3, 1, 3, 10, 30, 100, 300):
            plane.path(_ellipse(level, self.conditioning), 'stroke="#97a1ad"')
        path = _sgd_path((-2.0, 1.5), 1.8 / self.conditioning, self.conditioning, steps=60)
        plane.path(path, 'stroke="#1b1f24" stroke-width="2.5"')
        for place, fill in ((path[0], "#fff"), (path[-1], "#1b1f24")):
            x, y = plane.at(place)
            plane.parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{fill}" stroke="#1b1f24" stroke-width="2.5"/>'
            )
        return plane.svg()


class AdamBias(Look):
    """The first 50 step sizes of Adam with and without bias correction, for a constant or noisy gradient.

    Args:
        beta1: what is kept of the mean gradient, 0 to 0.99.
        beta2: what is kept of the mean square, 0.5 to 0.9999.
        noise: standard deviation around the mean gradient of 1, 0 to 2.

    Raises:
        ValueError: a number outside its range.
    """

    _esm = bundle("adam_bias.js")
    _module = "adam_bias.js"
    _page_state = ("beta1", "beta2", "noise", "prediction", "goal_reached", "second_reached")

    beta1 = traitlets.Float(0.9, help="memory of the mean").tag(sync=True)
    beta2 = traitlets.Float(0.999, help="memory of the mean square").tag(sync=True)
    noise = traitlets.Float(0.0, help="standard deviation of the gradient").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"small", "right" or "large"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="first uncorrected step below half the rate").tag(sync=True)
    second_reached = traitlets.Bool(False, help="first uncorrected step right by itself").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        _in_ranges("AdamBias", kwargs, beta1=(0, 0.99), beta2=BETA2_RANGE, noise=(0, 2))
        super().__init__(**kwargs)

    def description(self) -> str:
        """Return the betas and the first and longest uncorrected step, as a sentence."""
        sizes = self._uncorrected()
        return _ADAM_STILL.format(beta1=self.beta1, beta2=self.beta2, first=sizes[0], most=max(sizes))

    def still(self) -> str:
        """Return both rows of steps for a constant gradient, as SVG text."""
        sizes = self._uncorrected()
        top = 1.15 * max(1.0, *sizes)
        plane = Plane(0, 1, ("step 1 to 50", f"step size, 0 to {top:.2g} learning rates"))
        across = [k / (_ADAM_STEPS + 1) for k in range(1, _ADAM_STEPS + 1)]
        plane.path(
            list(zip(across, (size / top for size in sizes), strict=True)),
            'stroke="#8a4300" stroke-width="3" stroke-dasharray="7 5"',
        )
        plane.path([(x, 1 / top) for x in across], 'stroke="#0b4f8a" stroke-width="3"')
        for text, height, shift in (("without correction", sizes[-1] / top, 22), ("with correction", 1 / top, -9)):
            x, y = plane.at((0.98, height))
            plane.parts.append(f'<text x="{x:.1f}" y="{y + shift:.1f}" text-anchor="end" font-size="14">{text}</text>')
        return plane.svg()

    def _uncorrected(self) -> list[float]:
        """Step sizes for a gradient of 1; the sums of geometric series are the moments."""
        counts = range(1, _ADAM_STEPS + 1)
        return [(1 - self.beta1**k) / sqrt(1 - self.beta2**k) for k in counts]


def _ellipse(level: float, kappa: float) -> list[Point]:
    across, along = sqrt(2 * level), sqrt(2 * level / kappa)
    return [(across * cos(pi * k / 45), along * sin(pi * k / 45)) for k in range(91)]


def _sgd_path(start: Point, lr: float, kappa: float, steps: int) -> list[Point]:
    """On a bowl every step shrinks each weight by its own factor."""
    return [(start[0] * (1 - lr) ** k, start[1] * (1 - lr * kappa) ** k) for k in range(steps + 1)]


def _in_ranges(widget: str, given: dict[str, Any], **ranges: tuple[float, float]) -> None:
    """Refuse the first number outside its range; names that are not given keep their default."""
    for name, (low, high) in ranges.items():
        if name in given and not low <= given[name] <= high:
            raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {given[name]!r}.")
