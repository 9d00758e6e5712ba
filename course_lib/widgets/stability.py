"""Scale of the first weights against the learning rate, with and without batch normalisation: what still learns.

The default map is computed in the browser from small real trainings on digits; another one can come from Python.
Source: Bjorck, Gomes, Selman and Weinberger, "Understanding batch normalization" (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import isfinite, log
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle

TRAINING = 256
SCALES = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
GUESSING = log(10)
CONVERGED = 0.5
MARKS = {"converged": "o", "slow": "-", "diverged": "x"}

# Seed 0 as a page trains it, smallest scale first; a browser test trains it again.
RECORDED = {
    "plain": ("-------x", "-------x", "-------x", "-------x", "---o--xx", "---xxxxx", "--xxxxxx", "xxxxxxxx"),
    "normalised": ("--oooo-x", "--oooo-x", "--oooo-x", "---ooo-x", "---ooo-x", "---oooox", "----oo-x", "-------x"),
}

_LEVELS = "0123456789abcdefg"
_EMPTY_STILL = (
    "Two empty maps of {cells} settings each: scale of the first weights upwards, learning rate to the right. "
    "The page fills them by training a small network {runs} times; this needs a page where scripts run."
)
_FULL_STILL = (
    "Two maps, scale of the first weights upwards, learning rate to the right. Without batch normalisation "
    "{plain} of {cells} settings converge (dark squares), with it {normalised}; crosses diverge, dashes are slow."
)


class StabilityMap(Look):
    """Trains a deep network at every scale of the first weights and every rate, with and without batch normalisation.

    A 64-32-32-32-32-10 ReLU network learns 256 real digits with plain mini-batch SGD, 15 passes of 8 batches. Scale 1
    is Kaiming's rule. The figure of a cell is the mean loss of the last pass. Converged: at most 0.5. Diverged: no
    number, above both guessing and its own start, or still at guessing after an explosion to twice both. Else slow,
    stuck at guessing included.
    `StabilityMap.measured` shows a map that was computed in Python.

    Args:
        seed: start of weights and order, 0 to 19.

    Raises:
        ValueError: ``seed`` outside its range.

    Example:
        >>> len(StabilityMap(seed=3).rates)
        8
    """

    _esm = bundle("stability_map.js")
    _module = "stability_map.js"
    _page_state = (
        "digits", "scales", "rates", "seed", "guessing", "given", "network", "plain", "normalised",
        "prediction", "goal_reached", "second_reached",
    )  # fmt: skip

    digits = traitlets.Dict(help="pixels and labels, one character each; empty for a given map").tag(sync=True)
    scales = traitlets.List(traitlets.Float(), help="factors of Kaiming's rule, increasing").tag(sync=True)
    rates = traitlets.List(traitlets.Float(), help="learning rates, increasing").tag(sync=True)
    seed = traitlets.Int(0, help="start of weights and order").tag(sync=True)
    guessing = traitlets.Float(GUESSING, help="loss of a network that guesses").tag(sync=True)
    given = traitlets.Bool(False, help="whether the map came from Python").tag(sync=True)
    network = traitlets.Unicode("", help="what was trained, for a given map").tag(sync=True)
    plain = traitlets.List(help="final losses without, one row per scale; None is no number").tag(sync=True)
    normalised = traitlets.List(help="the same with batch normalisation").tag(sync=True)
    states = traitlets.Dict(help="both maps once finished, in MARKS, a text per scale").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"fewer", "more" or "twice"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="a setting only batch normalisation survives").tag(sync=True)
    second_reached = traitlets.Bool(False, help="a rate at which the scale hardly matters").tag(sync=True)

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        if not 0 <= seed <= 19:
            raise ValueError(f"StabilityMap needs seed between 0 and 19; it got {seed!r}.")
        filled = {"digits": _digits(), "scales": list(SCALES), "rates": list(RATES), **kwargs}
        super().__init__(seed=int(seed), **filled)

    @classmethod
    def measured(
        cls,
        scales: Sequence[float],
        rates: Sequence[float],
        plain: Sequence[Sequence[float]],
        normalised: Sequence[Sequence[float]],
        network: str = "",
        guessing: float = GUESSING,
        **kwargs: Any,
    ) -> StabilityMap:
        """Show final losses that were measured elsewhere.

        Args:
            scales: S factors of the first weights, increasing, 2 to 12.
            rates: R learning rates, increasing, 2 to 12.
            plain: final losses without batch normalisation, (S, R); NaN and infinity are divergence.
            normalised: the same with batch normalisation.
            network: what was trained, a few words; shown under the maps.
            guessing: loss of a network that guesses; a larger final loss counts as divergence.
            **kwargs: further traits, such as ``prediction``.

        Returns:
            The widget; nothing is trained in the page.

        Raises:
            ValueError: a list is too short, too long or not increasing, or a shape does not fit.
        """
        axes = {"scales": [float(v) for v in scales], "rates": [float(v) for v in rates]}
        for name, axis in axes.items():
            if not 2 <= len(axis) <= 12 or axis[0] <= 0 or any(a >= b for a, b in zip(axis, axis[1:], strict=False)):
                raise ValueError(f"StabilityMap.measured needs {name}: 2 to 12 positive numbers, increasing.")
        shape = len(axes["scales"]), len(axes["rates"])
        maps = {"plain": _losses("plain", plain, shape), "normalised": _losses("normalised", normalised, shape)}
        settings = {"given": True, "network": network, "guessing": float(guessing), "digits": {}}
        return cls(**axes, **maps, **settings, **kwargs)

    def state_of(self, loss: float | None) -> str:
        """Return the word for a final loss: ``"converged"``, ``"slow"`` or ``"diverged"``.

        A page that trains also knows where a run started: one that fell from far above guessing is slow, not diverged.
        """
        if loss is None or loss > self.guessing + 0.1:
            return "diverged"
        return "converged" if loss <= CONVERGED else "slow"

    def description(self) -> str:
        """Return what the still picture shows, as a sentence or two."""
        cells = len(self.scales) * len(self.rates)
        counts = {name: self._states(name).count("converged") for name in ("plain", "normalised")}
        if not self._states("plain"):
            return _EMPTY_STILL.format(cells=cells, runs=2 * cells)
        return _FULL_STILL.format(cells=cells, **counts)

    def still(self) -> str:
        """Return both maps, empty where nothing was measured, as SVG text."""
        parts = ['<rect width="460" height="260" fill="#fff"/>']
        side = 200 / max(len(self.rates), len(self.scales))
        for left, name in ((20, "plain"), (240, "normalised")):
            parts.append(f'<text x="{left}" y="24" font-size="15">{"without" if left < 99 else "with"}</text>')
            states = self._states(name)
            for k in range(len(self.scales) * len(self.rates)):
                row, column = divmod(k, len(self.rates))
                x, y = left + side * column, 240 - side * (row + 1)
                parts.append(_cell(x, y, side, states[k] if states else ""))
        head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 260" font-family="sans-serif">'
        return "".join([head, *parts, "</svg>"])

    def _states(self, name: str) -> list[str]:
        if self.given:
            return [self.state_of(loss) for row in getattr(self, name) for loss in row]
        words = {sign: word for word, sign in MARKS.items()}
        rows = self.states.get(name) or (RECORDED[name] if self.seed == 0 else ())
        return [words[sign] for row in rows for sign in row]


def _cell(x: float, y: float, side: float, state: str) -> str:
    """A square; dark, with a dash or with a cross."""
    fill = {"converged": "#0b4f8a", "slow": "#fdf1df"}.get(state, "#fff")
    box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" fill="{fill}" stroke="#8d96a3"/>'
    a, b, c, d = x + 0.3 * side, x + 0.7 * side, y + 0.3 * side, y + 0.7 * side
    mark = {
        "slow": f"M{a:.1f} {y + side / 2:.1f}H{b:.1f}",
        "diverged": f"M{a:.1f} {c:.1f}L{b:.1f} {d:.1f}M{b:.1f} {c:.1f}L{a:.1f} {d:.1f}",
    }.get(state)
    return box + (f'<path d="{mark}" stroke="#1b1f24" stroke-width="2"/>' if mark else "")


def _losses(name: str, rows: Sequence[Sequence[float]], shape: tuple[int, int]) -> list[list[float | None]]:
    """Rows of losses; what is not finite becomes None, because JSON has no word for it."""
    if len(rows) != shape[0] or any(len(row) != shape[1] for row in rows):
        raise ValueError(f"StabilityMap.measured needs {name} of shape {shape}: a row per scale, a column per rate.")
    return [[float(loss) if isfinite(loss) else None for loss in row] for row in rows]


@cache
def _digits() -> dict[str, str]:
    """The first 256 training digits: 17 levels of ink fit into one character."""
    from course_lib.data import load_digits  # takes a second: only whoever needs it pays

    data = load_digits()
    ink = data.x_train[:TRAINING].ravel().tolist()
    labels = data.y_train[:TRAINING].tolist()
    return {"pixels": "".join(_LEVELS[round(16 * value)] for value in ink), "labels": "".join(map(str, labels))}
