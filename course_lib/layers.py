"""Layers as descriptions: what each does to a shape and what it costs, without arrays.

What enters: the `Flow` from the layer before. What leaves: the flow to the next one, and rows for a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

from course_lib import messages
from course_lib.validate import check_count

Pair = int | tuple[int, int]


@dataclass(frozen=True)
class Flow:
    """What flows between two layers.

    Args:
        shape: of one example, (C, H, W) or (D,).
        field: rows and columns of the input that one number depends on, padding included.
        jump: rows and columns of the input between two neighbours.
        grid: rows and columns that a dense layer would take in at once.
    """

    shape: tuple[int, ...]
    field: tuple[int, int] = (1, 1)
    jump: tuple[int, int] = (1, 1)
    grid: tuple[int, int] = (1, 1)

    def whole(self) -> tuple[int, int]:
        """What a layer sees that takes in the whole grid."""
        return _each(lambda field, grid, jump: field + (grid - 1) * jump, self.field, self.grid, self.jump)


@dataclass(frozen=True)
class Row:
    """One line of a `Count`.

    Args:
        name: of the layer, with the names of what it lies in.
        kind: the layer in words.
        shape: of its output for one example.
        parameters: numbers to learn.
        multiply_adds: for one example.
        activations: numbers kept for the backward pass, for one example.
        field: rows and columns of the input that one output depends on.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activations: int
    field: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer as a description; the subclasses say which.

    Args:
        name: shown in the table; "" for kind and number.
    """

    name: str = ""

    @property
    def kind(self) -> str:
        """The layer in words."""
        return type(self).__name__

    def out(self, flow: Flow) -> Flow:
        """What comes out: the same shape, unless a layer says otherwise."""
        return flow

    def parameters(self, flow: Flow) -> int:
        """Numbers to learn."""
        return 0

    def multiply_adds(self, flow: Flow) -> int:
        """Multiplications, each with its addition, for one example."""
        return 0

    def rows(self, flow: Flow, name: str) -> tuple[Flow, list[Row]]:
        """What comes out, and the lines of the table."""
        try:
            after = self.out(flow)
        except ValueError as error:
            raise ValueError(messages.COUNT_LAYER.format(name=name, kind=self.kind, problem=error)) from None
        kept = 0 if isinstance(self, Flatten) else prod(after.shape)
        costs = self.parameters(flow), self.multiply_adds(flow)
        return after, [Row(name, self.kind, after.shape, *costs, kept, after.field)]


class ReLU(Layer):
    """Cuts off below zero; no cost counted."""


class Tanh(Layer):
    """Squashes to -1 to 1; no cost counted."""


class Sigmoid(Layer):
    """Squashes to 0 to 1; no cost counted."""


class Dropout(Layer):
    """Drops units while training; no cost counted."""


class BatchNorm2d(Layer):
    """Normalises every channel: a scale and a shift each to learn."""

    def parameters(self, flow: Flow) -> int:
        """Two per channel; running statistics are not learned."""
        return 2 * _image(flow)[0]


@dataclass(frozen=True)
class Conv2d(Layer):
    """A convolution.

    Args:
        channels: filters, that is channels of the output.
        kernel: height and width of a filter, one number for both.
        stride: rows and columns between two places.
        padding: zeros around the image, on each side.
        dilation: distance between the weights of a filter.
        groups: the channels are cut into so many groups that do not see each other.
        bias: has every filter a bias?
    """

    channels: int
    kernel: Pair
    stride: Pair = 1
    padding: Pair = 0
    dilation: Pair = 1
    groups: int = 1
    bias: bool = True

    @property
    def kind(self) -> str:
        """Filters and their size, and whatever is unusual."""
        return f"Conv2d {self.channels}, " + _window_text(self)

    def out(self, flow: Flow) -> Flow:
        """Each filter makes one channel."""
        channels_in = _image(flow)[0]
        if channels_in % check_count("groups", self.groups, least=1) or self.channels % self.groups:
            counts = {"before": channels_in, "after": self.channels, "groups": self.groups}
            raise ValueError(messages.COUNT_GROUPS.format(**counts))
        return _slide(flow, self, check_count("channels", self.channels, least=1), self.dilation)

    def parameters(self, flow: Flow) -> int:
        """One weight per channel of the group and place of the kernel, for each filter, and its bias."""
        return self.channels * (flow.shape[0] // self.groups * prod(_pair(self.kernel)) + self.bias)

    def multiply_adds(self, flow: Flow) -> int:
        """Every number of the output takes as many as a filter has weights."""
        return prod(self.out(flow).shape) * (flow.shape[0] // self.groups) * prod(_pair(self.kernel))


@dataclass(frozen=True)
class _Pool2d(Layer):
    kernel: Pair
    stride: Pair | None = None
    padding: Pair = 0
    ceil_mode: bool = False

    @property
    def kind(self) -> str:
        """The size of the window, and whatever is unusual."""
        return f"{type(self).__name__} " + _window_text(self)

    def out(self, flow: Flow) -> Flow:
        """Every channel by itself."""
        return _slide(flow, self, _image(flow)[0], 1)


class MaxPool2d(_Pool2d):
    """The largest of each window.

    Args:
        kernel: height and width of the window.
        stride: rows and columns between two windows; None for the size of a window.
        padding: around the image, on each side.
        ceil_mode: keep a last window that is not full, unless it starts in the padding?
    """


class AvgPool2d(_Pool2d):
    """The mean of each window.

    Args:
        kernel: height and width of the window.
        stride: rows and columns between two windows; None for the size of a window.
        padding: around the image, on each side.
        ceil_mode: keep a last window that is not full, unless it starts in the padding?
    """


class GlobalAvgPool2d(Layer):
    """The mean of each channel, (C, 1, 1)."""

    def out(self, flow: Flow) -> Flow:
        """One number per channel, which depends on everything."""
        return replace(flow, shape=(_image(flow)[0], 1, 1), field=flow.whole(), grid=(1, 1))


class Flatten(Layer):
    """All numbers in one row: a view, which costs nothing."""

    def out(self, flow: Flow) -> Flow:
        """The same numbers."""
        return replace(flow, shape=(prod(flow.shape),))


@dataclass(frozen=True)
class Linear(Layer):
    """A dense layer.

    Args:
        units: how many outputs.
        bias: has every unit a bias?
    """

    units: int
    bias: bool = True

    @property
    def kind(self) -> str:
        """How many units."""
        return f"Linear {self.units:,}"

    def out(self, flow: Flow) -> Flow:
        """Every unit depends on everything."""
        if len(flow.shape) != 1:
            raise ValueError(messages.COUNT_NEEDS_VECTOR.format(shape=flow.shape))
        return replace(flow, shape=(check_count("units", self.units, least=1),), field=flow.whole(), grid=(1, 1))

    def parameters(self, flow: Flow) -> int:
        """One weight per input and unit, and the biases."""
        return self.units * (flow.shape[0] + self.bias)

    def multiply_adds(self, flow: Flow) -> int:
        """One per weight."""
        return self.units * flow.shape[0]


@dataclass(frozen=True)
class Residual(Layer):
    """What goes in is added to what a few layers make of it.

    Args:
        body: the layers.
        shortcut: layers on the way around; none for the input itself.
    """

    body: tuple[Layer, ...]
    shortcut: tuple[Layer, ...] = ()

    def rows(self, flow: Flow, name: str) -> tuple[Flow, list[Row]]:
        """The rows of both ways, and one for the sum."""
        after, lines = walk(self.body, flow, f"{name}.")
        beside, more = walk(self.shortcut, flow, f"{name}.shortcut.")
        if after.shape != beside.shape:
            shapes = {"body": after.shape, "shortcut": beside.shape}
            raise ValueError(messages.COUNT_RESIDUAL.format(name=name, **shapes))
        after = replace(after, field=_each(max, after.field, beside.field))
        return after, [*lines, *more, Row(f"{name}.add", "sum", after.shape, 0, 0, prod(after.shape), after.field)]


@dataclass(frozen=True)
class Concat(Layer):
    """Several ways side by side, their channels stacked.

    Args:
        branches: the layers of each way.
    """

    branches: tuple[tuple[Layer, ...], ...]

    def rows(self, flow: Flow, name: str) -> tuple[Flow, list[Row]]:
        """The rows of all ways, and one for the stack."""
        found = [walk(branch, flow, f"{name}.{k}.") for k, branch in enumerate(self.branches, start=1)]
        flows = [after for after, _ in found]
        if len({after.shape[1:] for after in flows}) != 1 or len(flows[0].shape) != 3:
            raise ValueError(messages.COUNT_CONCAT.format(name=name, shapes=", ".join(str(f.shape) for f in flows)))
        shape = (sum(after.shape[0] for after in flows), *flows[0].shape[1:])
        after = replace(flows[0], shape=shape, field=_each(max, *(f.field for f in flows)))
        lines = [row for _, rows in found for row in rows]
        return after, [*lines, Row(f"{name}.stack", "stack", shape, 0, 0, prod(shape), after.field)]


def walk(layers: Sequence[Layer], flow: Flow, prefix: str) -> tuple[Flow, list[Row]]:
    """What comes out of the last of several layers, and the rows of all.

    Args:
        layers: one after the other.
        flow: what goes into the first.
        prefix: put before the layers' names.
    """
    rows: list[Row] = []
    for layer, name in zip(layers, _names(layers), strict=True):
        flow, more = layer.rows(flow, prefix + name)
        rows += more
    return flow, rows


def _names(layers: Sequence[Layer]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for layer in layers:
        kind = type(layer).__name__
        seen[kind] = seen.get(kind, 0) + 1
        yield layer.name or f"{kind}-{seen[kind]}"


def _image(flow: Flow) -> tuple[int, ...]:
    if len(flow.shape) != 3:
        raise ValueError(messages.COUNT_NEEDS_IMAGE.format(shape=flow.shape))
    return flow.shape


def _slide(flow: Flow, layer: Conv2d | _Pool2d, channels: int, dilation: Pair) -> Flow:
    """What a window makes that moves over the image."""
    kernel, steps, dilation = _pair(layer.kernel), _pair(_stride(layer)), _pair(dilation)
    for name, values, least in (("kernel", kernel, 1), ("stride", steps, 1), ("dilation", dilation, 1)):
        for value in values:
            check_count(name, value, least)
    reach = _each(lambda k, d: d * (k - 1), kernel, dilation)
    ceil = getattr(layer, "ceil_mode", False)
    sizes = _each(lambda *a: _places(*a, ceil), flow.shape[1:], reach, steps, _pair(layer.padding))
    field = _each(lambda seen, more, jump: seen + more * jump, flow.field, reach, flow.jump)
    return Flow((channels, *sizes), field, _each(lambda jump, step: jump * step, flow.jump, steps), sizes)


def _places(size: int, reach: int, step: int, padding: int, ceil: bool) -> int:
    """How many places a window that reaches so far has along one axis."""
    room = size + 2 * check_count("padding", padding, least=0) - reach - 1
    if room < 0:
        raise ValueError(messages.COUNT_TOO_SMALL.format(window=reach + 1, size=size + 2 * padding))
    places = (-(-room // step) if ceil else room // step) + 1
    # As in Torch: a last window must start in the image or in the padding before it.
    return places - 1 if ceil and (places - 1) * step >= size + padding else places


def _stride(layer: Conv2d | _Pool2d) -> Pair:
    return layer.kernel if layer.stride is None else layer.stride


def _window_text(layer: Conv2d | _Pool2d) -> str:
    words = "x".join(map(str, _pair(layer.kernel)))
    usual = {"stride": layer.kernel if isinstance(layer, _Pool2d) else 1, "padding": 0, "dilation": 1, "groups": 1}
    for name, value in usual.items():
        found = _stride(layer) if name == "stride" else getattr(layer, name, value)
        if found != value:
            words += f", {name} {found}"
    return words


def _pair(value: Pair) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _each(function: Callable[..., int], *pairs: Sequence[int]) -> tuple[int, int]:
    """The function of the rows, and the function of the columns."""
    rows, columns = zip(*pairs, strict=True)
    return function(*rows), function(*columns)
