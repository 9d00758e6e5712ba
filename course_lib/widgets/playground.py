"""The playground of learning rate and dropout: a network that learns real digits beside the page.

It computes in the browser, in float64, in a web worker where the page allows one. ``p`` is the probability to drop, as
everywhere in the course. Sources: Srivastava et al., "Dropout: a simple way to prevent neural networks from
overfitting" (2014); Loshchilov and Hutter, "Decoupled weight decay regularization" (2019); the digits come with
scikit-learn (Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import SIZE

OPTIMISERS = ("sgd", "momentum", "rmsprop", "adam", "adamw")
TRAINING, VALIDATION = 400, 300
RANGES = {"lr": (0.0001, 10), "p": (0, 0.9), "hidden": (4, 256), "batch": (8, 400), "seed": (0, 99)}
# Validation loss after 0, 4, ..., 100 epochs of lr0.32-p0-h64-b32-s0 and lr0.32-p0.5-h64-b32-s0, as the page trains.
RECORDED_PLAIN = (
    *(2.559, 0.4241, 0.2214, 0.1915, 0.1654, 0.1656, 0.1462, 0.1415, 0.1452, 0.1378, 0.137, 0.133, 0.1341),
    *(0.1322, 0.1347, 0.1309, 0.1374, 0.1294, 0.1301, 0.1322, 0.1318, 0.1304, 0.1305, 0.1288, 0.1282, 0.1292),
)
RECORDED_DROPPED = (
    *(2.559, 0.5401, 0.322, 0.2367, 0.2164, 0.1546, 0.142, 0.1344, 0.1257, 0.1119, 0.1258, 0.1108, 0.1285),
    *(0.1031, 0.1185, 0.1104, 0.1149, 0.09666, 0.1064, 0.1137, 0.09737, 0.1099, 0.1149, 0.1015, 0.09783, 0.1149),
)

_LEVELS = "0123456789abcdefg"
_CODE = re.compile(r"(?:(sgd|momentum|rmsprop|adamw?)-)?lr(\d+(?:\.\d+)?)-p(0(?:\.\d+)?)-h(\d+)-b(\d+)-s(\d+)")
_LIKE = "'lr0.32-p0.5-h64-b32-s0' or 'adam-lr0.01-p0.5-h64-b32-s0'"
_STILL = (
    "Sixteen of the 400 handwritten digits the network learns from, and the validation loss of two recorded runs over "
    "100 epochs of plain SGD at learning rate 0.32: without dropout it comes to {plain:g}, with dropout 0.5 to "
    "{dropped:g}. The playground itself, set to {code}, needs a page where scripts run."
)


class Playground(Look):
    """Trains a 64-H-10 ReLU network with inverted dropout on 400 real digits in the browser; 300 others validate.

    Mini-batches, cross-entropy, Kaiming's uniform start, Torch's update rules. Training runs in a web worker, so the
    page stays fluid and a stop is heard at once. A run never changes its settings: a moved slider starts the next run
    and keeps the last ones in the picture. Numbers move to the nearest mark of their slider. Python hears of the run
    when the hand rests.

    Args:
        code: all settings at once, as the page shows them: ``"adam-lr0.01-p0.5-h64-b32-s0"``; without a name the
            optimiser is SGD.
        optimiser: ``"sgd"``, ``"momentum"`` (0.9), ``"rmsprop"``, ``"adam"`` or ``"adamw"`` (decay 0.01).
        lr: learning rate, 0.0001 to 10.
        p: probability to drop a hidden unit, 0 to 0.9.
        hidden: number of hidden units, 4 to 256.
        batch: examples per step, 8 to 400.
        seed: start of weights, order and masks, 0 to 99.

    Raises:
        ValueError: an unknown optimiser, a number outside its range, or a text that is no code.

    Example:
        >>> Playground(code="lr0.32-p0.5-h64-b32-s0").optimiser
        'sgd'
    """

    _esm = bundle("playground.js")
    _module = "playground.js"
    _page_state = (
        *("digits", "optimiser", "lr", "p", "hidden", "batch", "seed", "prediction"),
        *("goal_reached", "second_reached", "third_reached", "fourth_reached"),
    )

    digits = traitlets.Dict(help="pixels and labels, one character each").tag(sync=True)
    optimiser = traitlets.Unicode("sgd", help="rule of the steps").tag(sync=True)
    lr = traitlets.Float(0.03, help="learning rate").tag(sync=True)
    p = traitlets.Float(0.0, help="probability to drop a hidden unit").tag(sync=True)
    hidden = traitlets.Int(64, help="number of hidden units").tag(sync=True)
    batch = traitlets.Int(32, help="examples per step").tag(sync=True)
    seed = traitlets.Int(0, help="start of weights, order and masks").tag(sync=True)
    code = traitlets.Unicode("", help="the settings as the page shows them").tag(sync=True)
    epochs = traitlets.Int(0, help="epochs of the present run").tag(sync=True)
    train_loss = traitlets.Float(None, allow_none=True, help="cross-entropy on the training digits").tag(sync=True)
    validation_loss = traitlets.Float(None, allow_none=True, help="cross-entropy on validation").tag(sync=True)
    train_right = traitlets.Float(None, allow_none=True, help="share right in training").tag(sync=True)
    validation_right = traitlets.Float(None, allow_none=True, help="share right on validation").tag(sync=True)
    runs = traitlets.List(traitlets.Dict(), help="earlier runs: code, epochs, lowest_loss, most_right, kept").tag(
        sync=True
    )
    prediction = traitlets.Unicode(None, allow_none=True, help='"lower", "higher" or "depends"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="97 % on validation with dropout above 0.3").tag(sync=True)
    second_reached = traitlets.Bool(False, help="validation loss below 0.09").tag(sync=True)
    third_reached = traitlets.Bool(False, help="95 % on validation with 8 hidden units").tag(sync=True)
    fourth_reached = traitlets.Bool(False, help="95 % on validation within 5 epochs").tag(sync=True)

    def __init__(self, code: str | None = None, **kwargs: Any) -> None:
        settings = {**(_from_code(code) if code is not None else {}), **kwargs}
        _refuse_strangers(settings)
        super().__init__(digits=_digits(), **settings)
        self.code = self._written()

    def description(self) -> str:
        """Return what the still picture shows and what it cannot, in two sentences."""
        plain, dropped = min(RECORDED_PLAIN), min(RECORDED_DROPPED)
        return _STILL.format(plain=float(f"{plain:.2g}"), dropped=float(f"{dropped:.2g}"), code=self._written())

    def still(self) -> str:
        """Return sixteen training digits above the losses of two recorded runs, as SVG text."""
        parts = [f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>', *self._still_digits(), *_still_curves()]
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif">'
        return "".join([head, *parts, "</svg>"])

    def _written(self) -> str:
        name = "" if self.optimiser == "sgd" else f"{self.optimiser}-"
        return f"{name}lr{self.lr:.15g}-p{self.p:g}-h{self.hidden}-b{self.batch}-s{self.seed}"

    def _still_digits(self) -> list[str]:
        """Two rows of eight digits; pixels of one ink share a path."""
        by_ink: dict[int, list[str]] = {}
        for place in range(16 * 64):
            image, pixel = divmod(place, 64)
            left, top = 10 * (image % 8) + pixel % 8, 10 * (image // 8) + pixel // 8
            by_ink.setdefault(int(self.digits["train"][place], 17), []).append(f"M{left} {top}.5h1")
        paths = [f'<path d="{"".join(marks)}" stroke="{_grey(ink)}"/>' for ink, marks in by_ink.items() if ink]
        return ['<g transform="translate(52 14) scale(4.5)">', *paths, "</g>"]


def _still_curves() -> list[str]:
    """Two losses on a log scale from 0.05 to 5, with their names beside them."""
    left, right, top, bottom = 60.0, 400.0, 120.0, 370.0

    def height(loss: float) -> float:
        return top + (bottom - top) * (math.log10(5) - math.log10(loss)) / 2

    parts = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#565d66"/>']
    for loss in (0.1, 1):
        parts.append(f'<path d="M{left} {height(loss):.1f}H{right}" stroke="#e1e5ea"/>')
        parts.append(
            f'<text x="{left - 8}" y="{height(loss) + 5:.1f}" font-size="15" text-anchor="end">{loss:g}</text>'
        )
    for losses, style, name, shift in (
        (RECORDED_PLAIN, 'stroke="#8a4300" stroke-width="2.5" stroke-dasharray="6 4"', "without dropout", -14),
        (RECORDED_DROPPED, 'stroke="#0b4f8a" stroke-width="3.5"', "dropout 0.5", 26),
    ):
        step = (right - left) / (len(losses) - 1)
        places = " ".join(f"{left + step * k:.1f},{height(loss):.1f}" for k, loss in enumerate(losses))
        parts.append(f'<polyline points="{places}" fill="none" {style}/>')
        parts.append(f'<text x="{right}" y="{height(losses[-1]) + shift:.1f}" text-anchor="end">{name}</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="404" text-anchor="middle">100 epochs</text>')
    middle = (top + bottom) / 2
    parts.append(
        f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">validation loss</text>'
    )
    return parts


def _grey(ink: int) -> str:
    return "#" + f"{round(255 * (1 - ink / 16)):02x}" * 3


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
        raise ValueError(f"{code!r} is no code of Playground. It looks like {_LIKE}.")
    optimiser, lr, p, *whole = found.groups()
    counts = dict(zip(("hidden", "batch", "seed"), map(int, whole), strict=True))
    return {"optimiser": optimiser or "sgd", "lr": float(lr), "p": float(p), **counts}


def _refuse_strangers(settings: dict[str, Any]) -> None:
    """Refuse an unknown optimiser and the first number outside its range."""
    name = settings.get("optimiser", OPTIMISERS[0])
    if name not in OPTIMISERS:
        raise ValueError(f"Playground has no optimiser {name!r}. Use one of: {', '.join(OPTIMISERS)}.")
    for setting, (low, high) in RANGES.items():
        if setting in settings and not low <= settings[setting] <= high:
            raise ValueError(f"Playground needs {setting} between {low:g} and {high:g}; it got {settings[setting]!r}.")
