"""Dropout on forty activations, and a network with dropout that learns real digits in the page.

Both compute in the browser, in float64. ``p`` is the probability to drop, as everywhere in the course. Sources: Hinton
et al. (2012) for classic dropout; Srivastava et al., "Dropout: a simple way to prevent neural networks from
overfitting" (2014); the digits come with scikit-learn (Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import SIZE

FORMS = ("inverted", "classic")
ACTIVATIONS = 40
TRAINING, VALIDATION = 400, 300
RANGES = {"lr": (0.001, 10), "p": (0, 0.9), "hidden": (8, 256), "batch": (8, 400), "seed": (0, 99)}

_LEVELS = "0123456789abcdefg"
_CODE = re.compile(r"lr(\d+(?:\.\d+)?)-p(0(?:\.\d+)?)-h(\d+)-b(\d+)-s(\d+)")
_SLIDER_STILL = (
    "Forty activations above, the same after inverted dropout with p = {p:g} below: {kept} are kept and stand "
    "{times:.2f} times as tall, the others are zero."
)
_PLAYGROUND_STILL = (
    "Sixteen of the 400 handwritten digits that a network with {hidden} hidden units, learning rate {lr:g} and "
    "dropout {p:g} learns from. The playground itself needs a page where scripts run."
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


class DropoutPlayground(Look):
    """Trains a 64-H-10 ReLU network with inverted dropout on 400 real digits in the page; 300 others validate.

    Plain mini-batch SGD on the cross-entropy, Kaiming's uniform start. A run never changes its settings: a moved
    slider starts the next run and keeps the last ones in the picture. Numbers move to the nearest mark of their slider.
    Python hears of the run when the hand rests.

    Args:
        lr: learning rate, 0.001 to 10.
        p: probability to drop a hidden unit, 0 to 0.9.
        hidden: number of hidden units, 8 to 256.
        batch: examples per step, 8 to 400.
        seed: start of weights, order and masks, 0 to 99.
        code: all of these at once, as the page shows them: ``"lr0.32-p0.5-h64-b32-s0"``.

    Raises:
        ValueError: a number outside its range, or a text that is no code.

    Example:
        >>> DropoutPlayground(code="lr0.32-p0.5-h64-b32-s0").p
        0.5
    """

    _esm = bundle("dropout_playground.js")
    _module = "dropout_playground.js"
    _page_state = ("digits", "lr", "p", "hidden", "batch", "seed", "prediction", "goal_reached", "second_reached")

    digits = traitlets.Dict(help="pixels and labels, one character each").tag(sync=True)
    lr = traitlets.Float(0.03, help="learning rate").tag(sync=True)
    p = traitlets.Float(0.0, help="probability to drop a hidden unit").tag(sync=True)
    hidden = traitlets.Int(64, help="number of hidden units").tag(sync=True)
    batch = traitlets.Int(32, help="examples per step").tag(sync=True)
    seed = traitlets.Int(0, help="start of weights, order and masks").tag(sync=True)
    code = traitlets.Unicode("", help="the settings as the page shows them").tag(sync=True)
    epochs = traitlets.Int(0, help="epochs of the present run").tag(sync=True)
    train_loss = traitlets.Float(None, allow_none=True, help="cross-entropy on the training digits").tag(sync=True)
    validation_loss = traitlets.Float(None, allow_none=True, help="cross-entropy on validation").tag(sync=True)
    validation_right = traitlets.Float(None, allow_none=True, help="share right on validation").tag(sync=True)
    runs = traitlets.List(traitlets.Dict(), help="earlier runs: code, epochs, lowest_loss, most_right").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"lower", "higher" or "depends"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="97 % on validation with dropout above 0.3").tag(sync=True)
    second_reached = traitlets.Bool(False, help="validation loss below 0.09").tag(sync=True)

    def __init__(self, code: str | None = None, **kwargs: Any) -> None:
        settings = {**(_from_code(code) if code is not None else {}), **kwargs}
        _in_ranges("DropoutPlayground", **{name: settings[name] for name in RANGES if name in settings})
        super().__init__(digits=_digits(), **settings)

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, as a sentence."""
        return _PLAYGROUND_STILL.format(hidden=self.hidden, lr=self.lr, p=self.p)

    def still(self) -> str:
        """Return the first sixteen training digits, as SVG text."""
        by_ink: dict[int, list[str]] = {}
        for place in range(16 * 64):
            image, pixel = divmod(place, 64)
            left, top = 10 * (image % 4) + 1 + pixel % 8, 10 * (image // 4) + 1 + pixel // 8
            by_ink.setdefault(int(self.digits["train"][place], 17), []).append(f"M{left} {top}.5h1")
        paths = [f'<path d="{"".join(marks)}" stroke="{_grey(ink)}"/>' for ink, marks in by_ink.items() if ink]
        head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="#fff"/>'
        return "".join([head, *paths, "</svg>"])


def _grey(ink: int) -> str:
    return "#" + f"{round(255 * (1 - ink / 16)):02x}" * 3


def _activations() -> list[float]:
    """Sizes of normal numbers, as a ReLU leaves them, at most 2.6."""
    draw = Random(5)
    return [round(min(2.6, abs(draw.gauss(0, 1))), 3) for _ in range(ACTIVATIONS)]


@cache
def _digits() -> dict[str, str]:
    """The first training and all validation digits of `load_digits`: 17 levels of ink fit into one character."""
    from course_lib.data import load_digits  # takes a second: only whoever needs it pays

    data = load_digits()
    parts = {
        "train": (data.x_train[:TRAINING], data.y_train[:TRAINING]),
        "validation": (data.x_validation, data.y_validation),
    }
    texts: dict[str, str] = {}
    for name, (x, y) in parts.items():
        texts[name] = "".join(_LEVELS[round(16 * ink)] for ink in x.ravel().tolist())
        texts[f"{name}_labels"] = "".join(map(str, y.tolist()))
    return texts


def _from_code(code: str) -> dict[str, Any]:
    found = _CODE.fullmatch(code.strip().lower())
    if not found:
        raise ValueError(f"{code!r} is no code of DropoutPlayground. It looks like 'lr0.32-p0.5-h64-b32-s0'.")
    lr, p, *whole = found.groups()
    return {"lr": float(lr), "p": float(p), **dict(zip(("hidden", "batch", "seed"), map(int, whole), strict=True))}


def _in_ranges(widget: str, **given: float) -> None:
    """Refuse the first number outside its range."""
    for name, value in given.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
