"""Draw a digit and watch a small convolutional network read it, at any stroke width.

The drawing, its 8x8 picture and the network's forward pass are computed in the browser, in float64; the weights come
from Python. The experiment comes from a reader of 28x28 digits that read pens of 2 to 8 cells on a pad of 128x128 and
failed on pens of 16 and 32. The real digits come with scikit-learn (Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets

from course_lib.strokes import SIDE, WIDTHS, digit_strokes, draw, shrink
from course_lib.widgets._base import Look, bundle

DIGITS = 10
_NO_WORK = ("Dropout", "Dropout2d", "Identity")
_KINDS = "conv, relu, maxpool, flatten, dense"
_STILL = (
    "{digit} drawn with a pen of {width} on 128x128 cells, and shrunk to 8x8. The network says {best} with "
    "probability {share:.2f}{second}."
)
_SHOWN_WHEN_EMPTY = 4

Layer = tuple[Any, ...]


class DigitPad(Look):
    """A pad of 128x128 cells to draw a digit on, the 8x8 picture a network sees, and its probability of each class.

    Mouse, finger, pen or keyboard; ready-made strokes for every digit. The pen's width belongs to the whole drawing, so
    that nothing but the width changes. Goals: have a 1, a 4 and a 7 read; find a width that breaks a drawing.

    Args:
        layers: the network, for images (1, 8, 8) from 0 to 1: a `torch.nn.Sequential`, or rows of ``("conv", w, b,
            padding)``, ``("relu",)``, ``("maxpool", kernel, stride)``, ``("flatten",)``, ``("dense", w, b)`` with
            `w` (K, C, kh, kw) or (M, D) and `b` (K,), (M,) or None. The last layer gives scores.
        classes: how many scores there are, 2 to 10.
        digit: ready-made strokes to start with; None for an empty pad.
        width: of the pen, 2 to 32 cells.
        fit: take the square around the ink only?
        stretch: divide by the largest share of ink?

    Raises:
        ValueError: a layer the pad does not know or that does not fit, or a number outside its range.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> DigitPad([("flatten",), ("dense", rng.normal(size=(10, 64)), None)], digit=7).meant
        7
    """

    _esm = bundle("digit_pad.js")
    _module = "digit_pad.js"
    _page_state = (
        "layers",
        "classes",
        "readymade",
        "strokes",
        "meant",
        "width",
        "fit",
        "stretch",
        "prediction",
        "goal_reached",
        "second_reached",
    )

    layers = traitlets.List(traitlets.Dict(), help="kinds and weights, in order").tag(sync=True)
    classes = traitlets.Int(DIGITS, help="number of scores").tag(sync=True)
    readymade = traitlets.List(help="strokes of the digits 0 to 9").tag(sync=True)
    strokes = traitlets.List(help="the drawing: polylines of [x, y] in cells from the top left").tag(sync=True)
    meant = traitlets.Int(None, allow_none=True, help="the digit that is meant").tag(sync=True)
    width = traitlets.Int(8, help="of the pen, in cells").tag(sync=True)
    fit = traitlets.Bool(True, help="whether the square around the ink is taken").tag(sync=True)
    stretch = traitlets.Bool(True, help="whether the largest share counts as full").tag(sync=True)
    picture = traitlets.List(traitlets.Float(), help="the 64 pixels the network sees").tag(sync=True)
    probabilities = traitlets.List(traitlets.Float(), help="one per class; empty without ink").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"1", "4", "7" or "none"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="a 1, a 4 and a 7 were read").tag(sync=True)
    second_reached = traitlets.Bool(False, help="one drawing read right at one width, wrong at another").tag(sync=True)

    def __init__(
        self, layers: Any, classes: int = DIGITS, digit: int | None = None, width: int = 8, **kwargs: Any
    ) -> None:
        _in_range("classes", classes, 2, DIGITS)
        _in_range("width", width, *WIDTHS)
        if digit is not None:
            _in_range("digit", digit, 0, classes - 1)
        self._rows = _checked(layers_of(layers) if hasattr(layers, "modules") else layers, classes)
        super().__init__(
            layers=[_packed(row) for row in self._rows],
            classes=int(classes),
            readymade=[_lists(digit_strokes(k)) for k in range(classes)],
            strokes=[] if digit is None else _lists(digit_strokes(digit)),
            meant=digit,
            width=int(width),
            **kwargs,
        )

    def description(self) -> str:
        """Return what is drawn and what the network says, as a sentence."""
        _, digit, _, shares = self._shown()
        best, other = np.argsort(shares)[::-1][:2]
        second = f", and {other} with {shares[other]:.2f}" if shares[other] >= 0.005 else ""
        name = {None: "A digit", 8: "An 8"}.get(digit, f"A {digit}")
        return _STILL.format(digit=name, width=self.width, best=best, share=shares[best], second=second)

    def still(self) -> str:
        """Return the drawing, its 8x8 picture and the bars, as SVG text."""
        strokes, _, picture, shares = self._shown()
        parts = [
            '<rect width="420" height="420" fill="#fff"/>',
            '<rect x="6" y="6" width="192" height="192" fill="#fff" stroke="#565d66"/>',
        ]
        for stroke in strokes:
            places = " ".join(f"{6 + 1.5 * x:.1f},{6 + 1.5 * y:.1f}" for x, y in [*stroke, stroke[-1]])
            parts.append(
                f'<polyline points="{places}" fill="none" stroke="#1b1f24" stroke-width="{1.5 * self.width}" '
                'stroke-linecap="round" stroke-linejoin="round"/>'
            )
        for place, ink in enumerate(picture.ravel()):
            row, column = divmod(place, SIDE)
            parts.append(
                f'<rect x="{222 + 24 * column}" y="{6 + 24 * row}" width="24" height="24" fill="{_grey(ink)}"/>'
            )
        parts.append('<rect x="222" y="6" width="192" height="192" fill="none" stroke="#565d66"/>')
        return "".join([_HEAD, *parts, *_bars(shares), "</svg>"])

    def _shown(self) -> tuple[list[np.ndarray], int | None, np.ndarray, np.ndarray]:
        """Return strokes, the digit meant, the picture (8, 8) and the probabilities of the still picture."""
        empty = not self.strokes
        digit = min(_SHOWN_WHEN_EMPTY, self.classes - 1) if empty else self.meant
        strokes = [np.array(stroke) for stroke in (self.readymade[digit] if empty else self.strokes)]
        picture = shrink(draw(strokes, self.width), self.fit, self.stretch)
        return strokes, digit, picture, probabilities(self._rows, picture[None, None])[0]


_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 420" font-family="sans-serif" font-size="15">'


def layers_of(module: Any) -> list[Layer]:
    """Turn a `torch.nn.Sequential` into the rows that `DigitPad` takes.

    Args:
        module: a chain of Conv2d (stride 1), ReLU, MaxPool2d (without padding), Flatten, Linear and further chains;
            layers that do nothing after training, such as Dropout, are left out.

    Returns:
        Rows with NumPy weights, copied.

    Raises:
        ValueError: another kind of layer, or a setting the pad does not compute.
    """
    name = type(module).__name__
    if name == "Sequential":
        return [row for part in module for row in layers_of(part)]
    if name in _NO_WORK:
        return []
    if name not in _ROWS:
        known = ", ".join([*_ROWS, *_NO_WORK, "Sequential"])
        raise ValueError(f"DigitPad cannot compute a layer {name}. It knows: {known}.")
    return [_ROWS[name](module)]


def _conv_row(module: Any) -> Layer:
    padding = _single("padding", module.padding)
    plain = (module.stride, module.dilation, module.groups, module.padding_mode) == ((1, 1), (1, 1), 1, "zeros")
    if not plain:
        raise ValueError("DigitPad computes Conv2d with stride 1, dilation 1, one group and padding with zeros only.")
    return ("conv", _numbers(module.weight), _numbers(module.bias), padding)


def _pool_row(module: Any) -> Layer:
    if (_single("padding", module.padding), _single("dilation", module.dilation), module.ceil_mode) != (0, 1, False):
        raise ValueError("DigitPad computes MaxPool2d without padding, dilation and ceil_mode only.")
    return ("maxpool", _single("kernel_size", module.kernel_size), _single("stride", module.stride))


_ROWS: dict[str, Callable[[Any], Layer]] = {
    "Conv2d": _conv_row,
    "ReLU": lambda module: ("relu",),
    "MaxPool2d": _pool_row,
    "Flatten": lambda module: ("flatten",),
    "Linear": lambda module: ("dense", _numbers(module.weight), _numbers(module.bias)),
}


def _single(name: str, value: Any) -> int:
    """Return the one number of a setting that Torch holds as a number or a pair."""
    pair = value if isinstance(value, tuple) else (value, value)
    if isinstance(value, str) or pair[0] != pair[1]:
        raise ValueError(f"DigitPad needs one whole number as {name}; this layer has {value!r}.")
    return int(pair[0])


def _numbers(values: Any) -> np.ndarray | None:
    return None if values is None else values.detach().cpu().numpy().astype(np.float64)


def probabilities(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """Return what the pad's network says, computed by Torch in float64; the page computes the same.

    Args:
        layers: rows as in `DigitPad`.
        x: images (N, 1, 8, 8), 0 to 1.

    Returns:
        (N, classes) float64, rows that sum to 1.

    Raises:
        ValueError: an unknown layer, or one that does not fit.
    """
    import torch  # takes a second: only whoever asks a network pays

    out = torch.tensor(np.asarray(x, dtype=np.float64))
    for place, (kind, *rest) in enumerate(layers, start=1):
        if kind not in _STEPS:
            raise ValueError(f"Layer {place} of DigitPad is {kind!r}. Use one of: {_KINDS}.")
        values = [torch.tensor(value) if isinstance(value, np.ndarray) else value for value in rest]
        try:
            out = _STEPS[kind](torch.nn.functional, out, *values)
        except (TypeError, ValueError, RuntimeError) as reason:
            shape = tuple(out.shape)
            raise ValueError(f"Layer {place} of DigitPad ({kind}) does not fit outputs {shape}: {reason}") from None
    return torch.softmax(out, dim=-1).numpy()


_STEPS: dict[str, Callable[..., Any]] = {
    "conv": lambda torch_f, x, w, b=None, padding=0: torch_f.conv2d(x, w, b, padding=int(padding)),
    "relu": lambda torch_f, x: torch_f.relu(x),
    "maxpool": lambda torch_f, x, kernel, stride=None: torch_f.max_pool2d(x, int(kernel), stride and int(stride)),
    "flatten": lambda torch_f, x: x.flatten(1),
    "dense": lambda torch_f, x, w, b=None: torch_f.linear(x, w, b),
}


def _checked(layers: Sequence[Layer], classes: int) -> list[Layer]:
    """Return the rows with float64 weights, after one pass through them."""
    rows = [(str(kind), *map(_value, rest)) for kind, *rest in layers]
    shape = probabilities(rows, np.zeros((1, 1, SIDE, SIDE))).shape
    if shape != (1, classes):
        raise ValueError(f"DigitPad needs {classes} scores per image; these layers give an output {shape}.")
    return rows


def _value(value: Any) -> Any:
    """Return an array as float64 and the rest of a row as it is."""
    if hasattr(value, "detach"):
        return _numbers(value)
    return np.array(value, dtype=np.float64) if hasattr(value, "__len__") else value


def _packed(row: Layer) -> dict[str, Any]:
    """Turn a row into what the page reads; weights travel as little-endian float64 in base64."""
    kind, *rest = row
    names = {"conv": ("w", "b", "padding"), "maxpool": ("kernel", "stride"), "dense": ("w", "b")}.get(kind, ())
    values = dict(zip(names, rest, strict=False))
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            data = base64.b64encode(np.ascontiguousarray(value, dtype="<f8").tobytes()).decode()
            values[name] = {"shape": list(value.shape), "data": data}
    return {"kind": kind, **values}


def _lists(strokes: list[np.ndarray]) -> list[list[list[float]]]:
    return [stroke.tolist() for stroke in strokes]


def _bars(shares: np.ndarray) -> list[str]:
    parts = []
    for k, share in enumerate(shares.tolist()):
        y = 218 + 20 * k
        look = 'fill="#0b4f8a"' if share == shares.max() else 'fill="#dbe9f5" stroke="#0b4f8a"'
        parts.append(
            f'<text x="8" y="{y + 13}">{k}</text><text x="366" y="{y + 13}">{share:.2f}</text>'
            f'<rect x="28" y="{y}" width="{320 * share + 1:.1f}" height="15" {look}/>'
        )
    return parts


def _grey(ink: float) -> str:
    return "#" + f"{round(255 * (1 - ink)):02x}" * 3


def _in_range(name: str, value: float, low: int, high: int) -> None:
    if not (isinstance(value, (int, np.integer)) and low <= value <= high):
        raise ValueError(f"DigitPad needs {name} as a whole number between {low} and {high}; it got {value!r}.")
