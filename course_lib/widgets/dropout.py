"""Dropout on forty activations: what a mask keeps, and what it does to the mean.

It computes in the browser, in float64. ``p`` is the probability to drop, as everywhere in the course. Sources: Hinton
et al. (2012) for classic dropout; Srivastava et al., "Dropout: a simple way to prevent neural networks from
overfitting" (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import SIZE

FORMS = ("inverted", "classic")
ACTIVATIONS = 40
RANGES = {"p": (0, 0.9), "seed": (0, 99)}

_SLIDER_STILL = (
    "Forty activations above, the same after inverted dropout with p = {p:g} below: {kept} are kept and stand "
    "{times:.2f} times as tall, the others are zero."
)


class DropoutSlider(Look):
    """Forty activations under a mask: what is kept, and the mean over masks against the mean of ``x``.

    The goals: an average over masks that is right although single masks are not, and how wrong classic dropout
    gets when evaluation forgets to scale.

    Args:
        p: probability to drop, 0 to 0.9.
        training: draw masks, or evaluate?
        form: ``"inverted"`` scales in training, ``"classic"`` in evaluation.
        x: the 40 activations, 0 to 2.6; by default drawn once for all.
        seed: start of the masks, 0 to 99.

    Raises:
        ValueError: unknown ``form``, a number outside its range, or not 40 activations.

    Example:
        >>> DropoutSlider(0.3, form="classic").form
        'classic'
    """

    _esm = bundle("dropout_slider.js")
    _module = "dropout_slider.js"
    _page_state = ("x", "p", "training", "form", "forgets", "seed", "prediction", "goal_reached", "second_reached")

    x = traitlets.List(traitlets.Float(), help="the activations").tag(sync=True)
    p = traitlets.Float(0.5, help="probability to drop").tag(sync=True)
    training = traitlets.Bool(True, help="training or evaluation").tag(sync=True)
    form = traitlets.Unicode("inverted", help='"inverted" or "classic"').tag(sync=True)
    forgets = traitlets.Bool(False, help="whether classic evaluation leaves its scaling out").tag(sync=True)
    seed = traitlets.Int(0, help="start of the masks").tag(sync=True)
    kept = traitlets.Float(None, allow_none=True, help="share that is kept now").tag(sync=True)
    masks = traitlets.Int(0, help="masks drawn with these settings").tag(sync=True)
    mean = traitlets.Float(None, allow_none=True, help="average of mean(y) over the masks").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"half", "same" or "twice"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="average within 1 % after 100 masks").tag(sync=True)
    second_reached = traitlets.Bool(False, help="forgetful evaluation four times too large").tag(sync=True)

    def __init__(
        self,
        p: float = 0.5,
        training: bool = True,
        form: str = "inverted",
        x: Sequence[float] | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if form not in FORMS:
            raise ValueError(f"DropoutSlider has no form {form!r}. Use one of: {', '.join(FORMS)}.")
        _in_ranges("DropoutSlider", p=p, seed=seed)
        activations = _activations() if x is None else [float(value) for value in x]
        if len(activations) != ACTIVATIONS or not all(0 <= value <= 2.6 for value in activations):
            raise ValueError(f"DropoutSlider needs x: {ACTIVATIONS} numbers from 0 to 2.6.")
        super().__init__(p=float(p), training=training, form=form, x=activations, seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return how many activations the still picture keeps, and how tall they stand."""
        return _SLIDER_STILL.format(p=self.p, kept=sum(self._still_mask()), times=1 / (1 - self.p))

    def still(self) -> str:
        """Return the bars before and after one mask, as SVG text."""
        top = 2.6 / (1 - self.p)
        rows = ((170, 130 / 2.6, "x", self.x), (400, 200 / top, "y", [v / (1 - self.p) for v in self.x]))
        parts = [f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>']
        for base, scale, name, values in rows:
            parts.append(f'<text x="12" y="{base - 6}" font-size="18" font-weight="700">{name}</text>')
            for k, (value, kept) in enumerate(zip(values, self._still_mask(), strict=True)):
                height = max(scale * value, 1) if kept or name == "x" else 1
                look = 'fill="#0b4f8a"' if kept else 'fill="#fff" stroke="#565d66" stroke-dasharray="2 2"'
                parts.append(
                    f'<rect x="{30 + 9.5 * k:.1f}" y="{base - height:.1f}" width="7" height="{height:.1f}" {look}/>'
                )
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif">'
        return "".join([head, *parts, "</svg>"])

    def _still_mask(self) -> list[bool]:
        draw = Random(self.seed)
        return [draw.random() >= self.p for _ in self.x]


def _activations() -> list[float]:
    """Sizes of normal numbers, as a ReLU leaves them, at most 2.6."""
    draw = Random(5)
    return [round(min(2.6, abs(draw.gauss(0, 1))), 3) for _ in range(ACTIVATIONS)]


def _in_ranges(widget: str, **given: float) -> None:
    """Refuse the first number outside its range."""
    for name, value in given.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
