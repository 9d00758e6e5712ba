"""The exam graph, walked forward and backward by hand, and what is left of a gradient in a deep network's first layers.

Both compute in the browser, in float64. Sources: Linnainmaa (1970) and Rumelhart, Hinton and Williams (1986) for the
walk; Hochreiter (1991) and Glorot and Bengio (2010) for gradients that vanish or explode.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import isfinite, log10, sqrt
from typing import Any

import numpy as np
import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane, Point

REACH = 5
STEPS = 12
# The places of static/graph_picture.js: change both or neither.
PLACES: dict[str, Point] = {
    "x1": (70, 46),
    "w1": (206, 46),
    "x2": (342, 46),
    "b": (400, 320),
    "w3": (400, 510),
    "p": (138, 215),
    "q": (274, 215),
    "z": (206, 320),
    "r": (206, 415),
    "f": (206, 510),
}
_SOURCES = {"p": ("x1", "w1"), "q": ("w1", "x2"), "z": ("p", "q", "b"), "r": ("z",), "f": ("r", "w3")}
_SIGNS = {"p": "\u00d7", "q": "\u00d7", "z": "+", "r": "ReLU", "f": "\u00d7"}
_GRAPH_STILL = (
    "The graph of f = w3 * ReLU(w1 * x1 + w1 * x2 + b) with {given}: z = {z:g} and f = {f:g}. Gradients: {found}."
)

WIDTH = 32
BATCH = 32
DEPTHS = (2, 20)
GAIN_RANGE = (0.25, 8)
MAX_SEED = 19
_BENDS = {
    "sigmoid": (lambda z: 0.5 + 0.5 * np.tanh(z / 2), lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(float)),
}
_FLOW_STILL = (
    "Norm of the gradient at each of {depth} layers ({activation}, gain {gain:.3g}), relative to the last layer, "
    "on a log scale: the first layer has {ratio:.2g} of it."
)


class GraphStepper(Look):
    """The graph of ``f = w3 * ReLU(w1 * x1 + w1 * x2 + b)``, five steps forward and seven backward.

    Every step back writes upstream times local on its edges; the two paths into ``w1`` add up in the last step.
    Goals: two paths that cancel, and a closed ReLU, which passes nothing.

    Args:
        x1: first input, -5 to 5 as all five numbers.
        x2: second input.
        w1: weight that both inputs share.
        w3: weight of the ReLU's output.
        b: bias.
        step: how many steps are made at the start, 0 to 12.

    Raises:
        ValueError: a number outside its range.

    Example:
        >>> GraphStepper(x1=2, x2=3, w1=1, w3=4, b=-1).description().partition("z = ")[2]
        '4 and f = 16. Gradients: dx1 = 4, dx2 = 4, dw1 = 20, dw3 = 4, db = 4.'
    """

    _esm = bundle("graph_stepper.js")
    _module = "graph_stepper.js"
    _page_state = ("x1", "x2", "w1", "w3", "b", "step", "prediction", "goal_reached", "closed_found")

    x1 = traitlets.Float(2.0, help="first input").tag(sync=True)
    x2 = traitlets.Float(3.0, help="second input").tag(sync=True)
    w1 = traitlets.Float(1.0, help="weight that both inputs share").tag(sync=True)
    w3 = traitlets.Float(4.0, help="weight of the ReLU's output").tag(sync=True)
    b = traitlets.Float(-1.0, help="bias").tag(sync=True)
    step = traitlets.Int(0, help="steps made: 5 forward, 7 backward").tag(sync=True)
    gradient = traitlets.List(traitlets.Float(), help="dx1, dx2, dw1, dw3, db after the last step").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"w3", "w1", "b" or "none"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="two paths into w1 that cancel").tag(sync=True)
    closed_found = traitlets.Bool(False, help="stepped back through a closed ReLU").tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        for name in ("x1", "x2", "w1", "w3", "b"):
            _in_range("GraphStepper", name, kwargs.get(name, 0), -REACH, REACH)
        _in_range("GraphStepper", "step", kwargs.get("step", 0), 0, STEPS)
        super().__init__(**kwargs)

    def description(self) -> str:
        """Return the five numbers, z, f and the five gradients, as a sentence."""
        values, edges = self._walked()
        given, found = (", ".join(f"{name} = {value:g}" for name, value in pairs) for pairs in self._inputs(edges))
        return _GRAPH_STILL.format(given=given, z=values["z"], f=values["f"], found=found)

    def still(self) -> str:
        """Return the graph after the last step, values and gradients, as SVG text."""
        values, edges = self._walked()
        parts = [_arrow(PLACES[node], PLACES[source], gradient) for (node, source), gradient in edges.items()]
        for name, sign in _SIGNS.items():
            parts.append(_node(name, sign, f"{name} = {values[name]:g}"))
        gradients = dict(self._inputs(edges)[1])
        for name in ("x1", "x2", "w1", "w3", "b"):
            parts.append(_box(name, f"{name} = {values[name]:g}", f"d{name} = {gradients[f'd{name}']:g}"))
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 470 560" font-family="sans-serif" font-size="15" '
            f'text-anchor="middle"><rect width="470" height="560" fill="#fff"/>{"".join(parts)}</svg>'
        )

    def _walked(self) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
        """Return the value of every name, and the gradient on every edge."""
        v = {name: getattr(self, name) for name in ("x1", "x2", "w1", "w3", "b")}
        v["p"], v["q"] = v["w1"] * v["x1"], v["w1"] * v["x2"]
        v["z"] = v["p"] + v["q"] + v["b"]
        v["r"] = max(v["z"], 0.0)
        v["f"] = v["w3"] * v["r"]
        other = {"p": {"x1": "w1", "w1": "x1"}, "q": {"x2": "w1", "w1": "x2"}, "f": {"w3": "r", "r": "w3"}}
        edges, arrived = {}, {name: 0.0 for name in v} | {"f": 1.0}
        for node in ("f", "r", "z", "q", "p"):
            for source in _SOURCES[node]:
                local = v[other[node][source]] if node in other else float(node == "z" or v["z"] > 0)
                edges[node, source] = arrived[node] * local + 0.0  # no minus zero
                arrived[source] += edges[node, source]
        return v, edges

    def _inputs(self, edges: dict[tuple[str, str], float]) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        names = ("x1", "x2", "w1", "w3", "b")
        gradients = [(f"d{name}", sum(g for (_, source), g in edges.items() if source == name)) for name in names]
        return [(name, getattr(self, name)) for name in names], gradients


class GradientFlow(Look):
    """Bars of the gradient's norm at every layer of a deep network, relative to its last layer.

    All layers have 32 units, no biases and weights ``gain * sqrt(3 / 32) * U(-1, 1)``; the last one is linear. The loss
    is the squared error, summed over outputs, mean over 32 random examples. A bar is the norm of the loss's
    derivative by the layer's scores. Goals: 20 layers with first/last between 0.1 and 10; 10 sigmoid layers too.

    Args:
        activation: ``"sigmoid"``, ``"tanh"`` or ``"relu"``.
        depth: 2 to 20 layers.
        gain: 0.25 to 8.
        seed: which random draw, 0 to 19.

    Raises:
        ValueError: unknown ``activation``, or a number outside its range.

    Example:
        >>> norms = gradient_norms("sigmoid", 10, 1.0, 0)
        >>> f"{norms[0] / norms[-1]:.1e}"
        '2.5e-06'
    """

    _esm = bundle("gradient_flow.js")
    _module = "gradient_flow.js"
    _page_state = ("activation", "depth", "gain", "seed", "prediction", "goal_reached", "sigmoid_reached")

    activation = traitlets.Unicode("sigmoid", help="what bends the scores of each layer").tag(sync=True)
    depth = traitlets.Int(10, help="number of layers").tag(sync=True)
    gain = traitlets.Float(1.0, help="factor of the weights").tag(sync=True)
    seed = traitlets.Int(0, help="which random draw").tag(sync=True)
    norms = traitlets.List(traitlets.Float(), help="norm of the gradient at each layer").tag(sync=True)
    ratio = traitlets.Float(None, allow_none=True, help="norm of the first layer over that of the last").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"same", "tenth", "thousandth", "millionth"').tag(
        sync=True
    )
    goal_reached = traitlets.Bool(False, help="20 layers, ratio from 0.1 to 10").tag(sync=True)
    sigmoid_reached = traitlets.Bool(False, help="10 sigmoid layers, ratio from 0.1 to 10").tag(sync=True)

    def __init__(
        self, activation: str = "sigmoid", depth: int = 10, gain: float = 1.0, seed: int = 0, **kwargs: Any
    ) -> None:
        if activation not in _BENDS:
            names = ", ".join(_BENDS)
            raise ValueError(f"GradientFlow has no activation {activation!r}. Use one of: {names}.")
        _in_range("GradientFlow", "depth", depth, *DEPTHS)
        _in_range("GradientFlow", "gain", gain, *GAIN_RANGE)
        _in_range("GradientFlow", "seed", seed, 0, MAX_SEED)
        super().__init__(activation=activation, depth=int(depth), gain=float(gain), seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return the settings and what is left at the first layer, as a sentence."""
        return _FLOW_STILL.format(activation=self.activation, depth=self.depth, gain=self.gain, ratio=self._shares()[0])

    def still(self) -> str:
        """Return the bars on a log scale, as SVG text."""
        plane = Plane(0, 1, (f"layer, from 1 to {self.depth}", "relative gradient, 1e-12 to 1e8"))
        low, one, high = (_height(value) for value in (0.1, 1, 10))
        plane.area([(0, low), (1, low), (1, high), (0, high)])
        plane.path([(0, one), (1, one)], 'stroke="#1b1f24" stroke-width="1.5"')
        for k, share in enumerate(self._shares()):
            left, right = (k + 0.15) / self.depth, (k + 0.85) / self.depth
            corners = [(left, one), (left, _height(share)), (right, _height(share)), (right, one)]
            places = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(plane.at, corners))
            fill = "#0b4f8a" if 0.1 <= share <= 10 else "#fdf1df"
            plane.parts.append(f'<polygon points="{places}" fill="{fill}" stroke="#8a4300" stroke-width="1.5"/>')
        return plane.svg()

    def _shares(self) -> list[float]:
        norms = gradient_norms(self.activation, self.depth, self.gain, self.seed)
        return [norm / norms[-1] for norm in norms]


def gradient_norms(activation: str, depth: int, gain: float, seed: int) -> list[float]:
    """Return the norm of the loss's derivative by the scores of layers 1 to depth, as the widget computes it."""
    x, y, weights = network_draw(seed, depth)
    bend, slope = _BENDS[activation]
    hidden = [x]
    for w in weights[:-1]:
        hidden.append(bend(gain * hidden[-1] @ w.T))
    delta = 2 * (gain * hidden[-1] @ weights[-1].T - y) / BATCH
    norms = [float(np.linalg.norm(delta))]
    for w, h in zip(reversed(weights[1:]), reversed(hidden[1:]), strict=True):
        delta = gain * delta @ w * slope(h)
        norms.insert(0, float(np.linalg.norm(delta)))
    return norms


def network_draw(seed: int, depth: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return inputs (32, 32), targets (32, 32) and the weights of the layers at gain 1, (32, 32) each."""
    numbers = _uniforms(seed)
    x, y = (_block(numbers, (BATCH, WIDTH), sqrt(3)) for _ in range(2))
    return x, y, [_block(numbers, (WIDTH, WIDTH), sqrt(3 / WIDTH)) for _ in range(depth)]


def _uniforms(seed: int) -> Iterator[float]:
    """Yield the numbers of static/network.js `randomStream`, bit for bit (Marsaglia's xorshift32, 2003)."""
    state = (seed + 1) * 0x9E3779B1 & 0xFFFFFFFF or 1
    for count in range(1 << 31):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        if count >= 3:
            yield state / 4294967296


def _block(numbers: Iterator[float], shape: tuple[int, int], scale: float) -> np.ndarray:
    drawn = np.fromiter(islice(numbers, shape[0] * shape[1]), float, shape[0] * shape[1])
    return scale * (2 * drawn - 1).reshape(shape)


def _height(share: float) -> float:
    """The place of a share between 1e-12 (0) and 1e8 (1)."""
    return min(1.0, max(0.0, (log10(max(share, 1e-300)) + 12) / 20))


def _arrow(node: Point, source: Point, gradient: float) -> str:
    (x1, y1), (x2, y2) = node, source
    x, y = 0.45 * x1 + 0.55 * x2, 0.45 * y1 + 0.55 * y2
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#8a4300" stroke-width="2" stroke-dasharray="7 4"/>'
        f'<rect x="{x - 27:.0f}" y="{y - 12:.0f}" width="54" height="22" rx="5" fill="#fff" stroke="#8a4300" '
        f'stroke-dasharray="4 3"/><text x="{x:.0f}" y="{y + 5:.0f}" fill="#8a4300">{gradient:g}</text>'
    )


def _node(name: str, sign: str, words: str) -> str:
    x, y = PLACES[name]
    left = name != "q"
    return (
        f'<rect x="{x - 27}" y="{y - 20}" width="54" height="40" rx="18" fill="#fff" stroke="#1b1f24" '
        f'stroke-width="2"/><text x="{x}" y="{y + 6}" font-weight="700">{sign}</text>'
        f'<text x="{x - 34 if left else x + 34}" y="{y + 14}" text-anchor="{"end" if left else "start"}">{words}</text>'
    )


def _box(name: str, value: str, gradient: str) -> str:
    x, y = PLACES[name]
    return (
        f'<rect x="{x - 46}" y="{y - 28}" width="92" height="56" rx="8" fill="#dbe9f5" stroke="#0b4f8a" '
        f'stroke-width="2"/><text x="{x}" y="{y - 6}" font-weight="600">{value}</text>'
        f'<text x="{x}" y="{y + 17}" fill="#8a4300" font-weight="700">{gradient}</text>'
    )


def _in_range(widget: str, name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
