"""Patience on a noisy validation curve: where early stopping stops, and which epoch it keeps.

It computes in the browser. Sources: Morgan and Bourlard (1990); Prechelt, "Early stopping, but when?" (1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan, log
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane, Point

PATIENCE_RANGE = (1, 30)
DELTA_RANGE = (0, 0.1)

# Recorded: 64-64-10 ReLU network, dropout 0.5, 150 digits, SGD at rate 0.3 with batches of 8, 60 epochs, seed 3.
# tests/test_widgets_regularisation.py trains it again.
RECORDED_TRAIN = (
    *(1.4931, 0.98, 0.6259, 0.4196, 0.4507, 0.5032, 0.186, 0.1587, 0.1812, 0.1074, 0.0876, 0.139),
    *(0.1003, 0.0706, 0.0395, 0.1122, 0.0848, 0.0347, 0.0744, 0.0328, 0.0456, 0.0311, 0.0253, 0.0238),
    *(0.0487, 0.0501, 0.0208, 0.0202, 0.0159, 0.0209, 0.0133, 0.0139, 0.0113, 0.0165, 0.0094, 0.0283),
    *(0.0094, 0.0155, 0.0165, 0.0093, 0.0179, 0.0171, 0.018, 0.0059, 0.0087, 0.0181, 0.0037, 0.0047),
    *(0.0497, 0.0064, 0.0196, 0.0081, 0.0066, 0.0064, 0.0064, 0.0041, 0.003, 0.0048, 0.004, 0.005),
)
RECORDED = (
    *(1.5818, 1.1505, 0.7902, 0.6126, 0.6266, 0.7605, 0.3549, 0.3362, 0.3798, 0.3011, 0.3073, 0.3423),
    *(0.2912, 0.2951, 0.2448, 0.3196, 0.3069, 0.2282, 0.2683, 0.2099, 0.282, 0.2409, 0.2201, 0.2076),
    *(0.2708, 0.3126, 0.2306, 0.2383, 0.2304, 0.2415, 0.2341, 0.2103, 0.2434, 0.2307, 0.2049, 0.2189),
    *(0.1982, 0.2332, 0.2412, 0.1646, 0.1984, 0.1988, 0.2399, 0.2063, 0.2139, 0.2232, 0.187, 0.203),
    *(0.2943, 0.2162, 0.2958, 0.2815, 0.23, 0.2225, 0.2408, 0.2524, 0.2572, 0.2157, 0.2169, 0.2167),
)
_STILL = (
    "Validation loss (full line) and training loss (dashed) over {count} epochs, on a log scale. The validation loss "
    "is lowest, {low:.4g}, at epoch {lowest}, where the picture has a marker."
)


class PatiencePlot(Look):
    """Shows where early stopping stops on a validation curve, what it keeps, and what it never sees.

    An epoch is better when its loss is below the best so far minus ``min_delta``; training stops after ``patience``
    epochs in a row that were not better. Epochs count from 0. The goals: the smallest patience that keeps the lowest
    loss, and a ``min_delta`` that stops earlier.

    Args:
        losses: validation loss after each epoch, 2 or more; NaN is allowed. By default a recorded training.
        train_losses: training loss after each epoch, as many; empty for none.
        patience: epochs without progress that are allowed, 1 to 30.
        min_delta: what counts as progress, 0 to 0.1.

    Raises:
        ValueError: a number outside its range, too few losses, or an infinite one.

    Example:
        >>> PatiencePlot([3.0, 1.0, 2.0, 1.5], patience=2).patience
        2
    """

    _esm = bundle("patience_plot.js")
    _module = "patience_plot.js"
    _page_state = ("losses", "train_losses", "patience", "min_delta", "prediction", "goal_reached", "second_reached")

    losses = traitlets.List(traitlets.Float(allow_none=True), help="validation loss per epoch").tag(sync=True)
    train_losses = traitlets.List(traitlets.Float(allow_none=True), help="training loss per epoch").tag(sync=True)
    patience = traitlets.Int(5, help="epochs without progress that are allowed").tag(sync=True)
    min_delta = traitlets.Float(0.0, help="what counts as progress").tag(sync=True)
    last_epoch = traitlets.Int(None, allow_none=True, help="last epoch that is trained").tag(sync=True)
    best_epoch = traitlets.Int(None, allow_none=True, help="epoch that is kept").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"last", "seen" or "whole"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="smallest patience that keeps the lowest loss").tag(sync=True)
    second_reached = traitlets.Bool(False, help="stopped earlier by min_delta").tag(sync=True)

    def __init__(
        self,
        losses: Sequence[float] | None = None,
        train_losses: Sequence[float] | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        for name, value, (low, high) in (
            ("patience", patience, PATIENCE_RANGE),
            ("min_delta", min_delta, DELTA_RANGE),
        ):
            if not low <= value <= high:
                raise ValueError(f"PatiencePlot needs {name} between {low:g} and {high:g}; it got {value!r}.")
        own = RECORDED_TRAIN if losses is None and train_losses is None else train_losses
        validation, training = _as_trait(RECORDED if losses is None else losses), _as_trait(() if own is None else own)
        if len(validation) < 2 or (training and len(training) != len(validation)):
            raise ValueError("PatiencePlot needs two losses or more, and as many train_losses or none.")
        settings = {"patience": int(patience), "min_delta": float(min_delta)}
        super().__init__(losses=validation, train_losses=training, **settings, **kwargs)

    def description(self) -> str:
        """Return how many epochs there are and where the loss is lowest, as a sentence."""
        low, lowest = self._lowest()
        return _STILL.format(count=len(self.losses), low=low, lowest=lowest)

    def still(self) -> str:
        """Return both curves on a log scale with a marker at the lowest loss, as SVG text."""
        known = [loss for loss in (*self.losses, *self.train_losses) if loss is not None and loss > 0] or [1.0]
        bottom, top = log(min(known)) - 0.2, log(max(known)) + 0.2
        plane = Plane(0, 1, (f"epoch, 0 to {len(self.losses) - 1}", "loss (log)"))

        def places(losses: list[float | None]) -> list[Point]:
            pairs = ((k, loss) for k, loss in enumerate(losses) if loss is not None and loss > 0)
            return [(k / (len(self.losses) - 1), (log(loss) - bottom) / (top - bottom)) for k, loss in pairs]

        plane.path(places(self.train_losses), 'stroke="#8a4300" stroke-width="2" stroke-dasharray="7 4"')
        plane.path(places(self.losses), 'stroke="#0b4f8a" stroke-width="3"')
        low, lowest = self._lowest()
        if low > 0:
            left, height = plane.at((lowest / (len(self.losses) - 1), (log(low) - bottom) / (top - bottom)))
            plane.parts.append(f'<circle cx="{left:.1f}" cy="{height:.1f}" r="7" fill="#0b4f8a"/>')
        return plane.svg()

    def _lowest(self) -> tuple[float, int]:
        known = [(loss, k) for k, loss in enumerate(self.losses) if loss is not None]
        return min(known) if known else (float("nan"), 0)


def _as_trait(losses: Sequence[float]) -> list[float | None]:
    """Turn losses into what JSON can carry: NaN becomes None."""
    values = [float(loss) for loss in losses]
    if not all(isfinite(loss) or isnan(loss) for loss in values):
        raise ValueError("PatiencePlot needs losses that are finite or NaN. Leave out what came after the overflow.")
    return [None if isnan(loss) else loss for loss in values]
