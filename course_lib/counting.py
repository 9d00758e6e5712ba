"""What a network costs before it is built: shapes, parameters, multiply-adds, memory, receptive field.

What enters: descriptions of layers and the shape of one example. What leaves: a `Count`, one row per layer.

Counted are the multiplications of convolutions and dense layers, each with its addition; biases, activations,
normalisation (which folds into a convolution when the network is used) and pooling are left out, as is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from course_lib import messages
from course_lib.layers import (
    AvgPool2d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    Flow,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Row,
    Sigmoid,
    Tanh,
    walk,
)
from course_lib.tables import html_table, text_table
from course_lib.validate import check_count

__all__ = [
    "AvgPool2d",
    "BatchNorm2d",
    "Concat",
    "Conv2d",
    "Count",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2d",
    "Layer",
    "Linear",
    "MaxPool2d",
    "ReLU",
    "Residual",
    "Row",
    "Sigmoid",
    "Tanh",
    "count",
]

_HEAD = ("layer", "kind", "output", "parameters", "multiply-adds", "memory", "sees")
_NUMBERS = (3, 4, 5, 6)


@dataclass(frozen=True)
class Count:
    """What a network costs, layer by layer; renders as text and as HTML.

    Args:
        rows: the input first, then one row per layer.
    """

    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """Numbers to learn."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiplications, each with its addition, for one example."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activations(self) -> int:
        """Numbers kept for the backward pass, for one example, the input included."""
        return sum(row.activations for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of a layer by its name."""
        return next(row for row in self.rows if row.name == name)

    def training_bytes(self, batch: int = 1, moments: int = 0, size: int = 4) -> int:
        """Memory of a training step: parameters, gradients, the optimiser's arrays, and what was kept on the way.

        Args:
            batch: examples per step.
            moments: arrays per parameter in the optimiser: 0 for SGD, 1 with momentum, 2 for Adam.
            size: bytes per number, 4 in float32.
        """
        return size * ((2 + moments) * self.parameters + batch * self.activations)

    def __repr__(self) -> str:
        return "\n".join(text_table(_HEAD, self._cells(), _NUMBERS))

    def _repr_html_(self) -> str:
        return html_table(_HEAD, self._cells(), _NUMBERS, messages.COUNT_CAPTION)

    def _cells(self) -> list[tuple[str, ...]]:
        total = ("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", _bytes(self.activations), "")
        return [*(_cells(row) for row in self.rows), total]


def count(layers: Sequence[Layer], shape: tuple[int, ...]) -> Count:
    """Count a network.

    Args:
        layers: from the input to the output.
        shape: of one example, (C, H, W) or (D,).

    Raises:
        TypeError: a size is no integer.
        ValueError: a layer does not fit what comes in, or a size is too small.

    >>> count([Conv2d(6, 5), ReLU(), Flatten(), Linear(10)], (1, 8, 8)).parameters
    1126
    """
    for k, size in enumerate(shape):
        check_count(f"shape[{k}]", size, least=1)
    start = Flow(tuple(shape), grid=tuple(shape[1:]) if len(shape) == 3 else (1, 1))
    _, rows = walk(layers, start, "")
    return Count((Row("input", "", start.shape, 0, 0, prod(shape), start.field), *rows))


def _cells(row: Row) -> tuple[str, ...]:
    shape, field = ("x".join(map(str, sizes)) for sizes in (row.shape, row.field))
    costs = f"{row.parameters:,}", f"{row.multiply_adds:,}", _bytes(row.activations)
    return row.name, row.kind, shape, *costs, field


def _bytes(numbers: int) -> str:
    """Memory of float32 numbers."""
    size = 4 * numbers
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.4g} {unit}"
        size /= 1024
    return f"{size:,.4g} GiB"
