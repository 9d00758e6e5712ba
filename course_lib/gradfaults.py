"""How a gradient is wrong: from two arrays to one sentence.

What enters: the gradient somebody computed, and what `course_lib.gradcheck` measured at some of its entries.
What leaves: a `Fault`, or None when both agree. The faults are tried in order, the most telling first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from course_lib import messages

Kind = Literal[
    "no array", "shape", "not summed", "transposed", "not finite", "zero", "sign", "batch factor", "ratio",
    "upstream ignored", "one example", "flipped", "offset", "some entries", "values",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One way to be wrong.

    Args:
        kind: which.
        says: one sentence.
    """

    kind: Kind
    says: str


@dataclass(frozen=True)
class Measured:
    """What differences say about the gradient of one input.

    Args:
        shape: of the input.
        places: flat indices of the entries that were measured, (K,).
        parts: what each example of the output contributes to each entry, (K, N).
        plain: the gradient if the upstream gradient were all ones, (K,).
        out_shape: of the output.
        tolerance: allowed error as a share of the largest entry.
    """

    shape: tuple[int, ...]
    places: np.ndarray
    parts: np.ndarray
    plain: np.ndarray
    out_shape: tuple[int, ...]
    tolerance: float

    @cached_property
    def wanted(self) -> np.ndarray:
        """The gradient, (K,)."""
        return self.parts.sum(axis=1)

    @property
    def batch(self) -> int:
        """Examples in the output."""
        return self.parts.shape[1]

    def pick(self, gradient: np.ndarray) -> np.ndarray:
        """The measured entries of a gradient of the input's shape."""
        return gradient.reshape(-1)[self.places].astype(np.float64)

    def right(self, got: np.ndarray, wanted: np.ndarray | None = None) -> np.ndarray:
        """Which of the measured entries agree."""
        wanted = self.wanted if wanted is None else wanted
        scale = np.abs(wanted).max(initial=0.0) or 1.0
        return np.abs(got - wanted) <= self.tolerance * (scale + np.abs(wanted))

    def agrees(self, got: np.ndarray, wanted: np.ndarray | None = None) -> bool:
        """Do all measured entries agree?"""
        return bool(self.right(got, wanted).all())


def find_fault(gradient: Any, measured: Measured) -> Fault | None:
    """What is wrong with a gradient.

    Args:
        gradient: what the code under test returned.
        measured: what it should be.

    >>> measured = Measured((2,), np.arange(2), np.array([[3.0], [4.0]]), np.ones(2), (1,), 1e-6)
    >>> find_fault(np.array([-3.0, -4.0]), measured).kind
    'sign'
    """
    if isinstance(gradient, (bool, str)) or not isinstance(gradient, (np.ndarray, np.generic, int, float)):
        return Fault("no array", messages.GRADIENT_NO_ARRAY.format(type=type(gradient).__name__))
    got = np.asarray(gradient)
    if got.dtype.kind not in "fiu":
        return Fault("no array", messages.GRADIENT_NO_ARRAY.format(type=f"array of {got.dtype}"))
    if got.shape != measured.shape:
        return _shape_fault(got, measured)
    if not np.isfinite(measured.pick(got)).all():
        return Fault("not finite", messages.GRADIENT_NOT_FINITE)
    if measured.agrees(measured.pick(got)):
        return None
    found = (look(got, measured) for look in (_zero, _multiple, _upstream, _turned, _offset, _some_entries))
    return next(fault for fault in found if fault)


def _shape_fault(got: np.ndarray, measured: Measured) -> Fault:
    shapes = {"received": got.shape, "expected": measured.shape}
    if got.T.shape == measured.shape and measured.agrees(measured.pick(got.T)):
        return Fault("transposed", messages.GRADIENT_TRANSPOSED_SHAPE.format(**shapes))
    if got.size == np.prod(measured.shape) and measured.agrees(measured.pick(got)):
        return Fault("shape", messages.GRADIENT_SHAPE_ONLY.format(**shapes))
    for axes, total in _sums(got, measured.shape):
        if measured.agrees(measured.pick(total)):
            return Fault("not summed", messages.GRADIENT_NOT_SUMMED.format(axes=axes, **shapes))
    return Fault("shape", messages.GRADIENT_SHAPE.format(**shapes))


def _sums(got: np.ndarray, shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Sums that have the shape: over leading axes that it lacks, and over axes where it has size one."""
    extra = got.ndim - len(shape)
    if extra < 0:
        return
    ones = tuple(extra + k for k, size in enumerate(shape) if size == 1 and got.shape[extra + k] > 1)
    axes = (*range(extra), *ones)
    if axes:
        total = got.sum(axis=axes, keepdims=True)
        if total.shape[extra:] == shape:
            yield ", ".join(map(str, axes)), total.reshape(shape)


def _zero(got: np.ndarray, measured: Measured) -> Fault | None:
    return None if measured.pick(got).any() else Fault("zero", messages.GRADIENT_ZERO)


def _multiple(got: np.ndarray, measured: Measured) -> Fault | None:
    """A constant times the right gradient: the sign, the batch size, another size of the output, or any number."""
    mine, wanted = measured.pick(got), measured.wanted
    length = wanted @ wanted
    ratio = float(mine @ wanted / length) if length else 0.0
    if not ratio or not measured.agrees(mine / ratio):
        return None
    factor, sign = abs(ratio), messages.GRADIENT_AND_SIGN if ratio < 0 else ""
    near = 10 * measured.tolerance
    if np.isclose(factor, 1, rtol=near):
        return Fault("sign", messages.GRADIENT_SIGN)
    if measured.batch > 1:
        for value, template in (
            (measured.batch, messages.GRADIENT_TIMES_N),
            (1 / measured.batch, messages.GRADIENT_OVER_N),
        ):
            if np.isclose(factor, value, rtol=near):
                return Fault("batch factor", template.format(n=measured.batch) + sign)
    facts = {"ratio": f"{ratio:.6g}"}
    for axis, size in enumerate(measured.out_shape):
        if axis and size > 1 and (np.isclose(factor, size, rtol=near) or np.isclose(factor, 1 / size, rtol=near)):
            return Fault("ratio", messages.GRADIENT_RATIO_SIZE.format(**facts, size=size, axis=axis))
    return Fault("ratio", messages.GRADIENT_RATIO.format(**facts))


def _upstream(got: np.ndarray, measured: Measured) -> Fault | None:
    """The upstream gradient is not used, or only that of one example is."""
    mine = measured.pick(got)
    if measured.agrees(mine, measured.plain):
        return Fault("upstream ignored", messages.GRADIENT_UPSTREAM)
    for example, part in enumerate(measured.parts.T):
        if measured.batch > 1 and measured.agrees(mine, part):
            return Fault("one example", messages.GRADIENT_ONE_EXAMPLE.format(example=example, n=measured.batch))
    return None


def _turned(got: np.ndarray, measured: Measured) -> Fault | None:
    """The right numbers in other places."""
    if got.ndim == 2 and got.shape[0] == got.shape[1] and measured.agrees(measured.pick(got.T)):
        return Fault("transposed", messages.GRADIENT_TRANSPOSED)
    if got.ndim >= 3 and measured.agrees(measured.pick(got[..., ::-1, ::-1])):
        return Fault("flipped", messages.GRADIENT_FLIPPED)
    return None


def _offset(got: np.ndarray, measured: Measured) -> Fault | None:
    surplus = measured.pick(got) - measured.wanted
    middle = float(surplus.mean())
    if surplus.size > 1 and measured.agrees(measured.pick(got) - middle):
        return Fault("offset", messages.GRADIENT_OFFSET.format(offset=f"{middle:.6g}"))
    return None


def _some_entries(got: np.ndarray, measured: Measured) -> Fault:
    mine, wanted = measured.pick(got), measured.wanted
    wrong = ~measured.right(mine)
    counts = {"wrong": int(wrong.sum()), "size": wrong.size}
    worst = int(np.argmax(np.abs(mine - wanted)))
    index = list(map(int, np.unravel_index(measured.places[worst], measured.shape)))
    facts = {**counts, "index": index, "received": f"{mine[worst]:.6g}", "expected": f"{wanted[worst]:.6g}"}
    if not mine[wrong].any():
        return Fault("some entries", messages.GRADIENT_MISSING.format(**facts))
    if not (np.abs(wanted[wrong]) > measured.tolerance * np.abs(wanted).max()).any():
        return Fault("some entries", messages.GRADIENT_NOT_ZERO.format(**facts))
    line = _common_line(wrong, measured)
    if line:
        return Fault("some entries", messages.GRADIENT_ON_LINE.format(**facts, axis=line[0], place=line[1]))
    kind: Kind = "values" if wrong.mean() > 0.9 else "some entries"
    return Fault(kind, messages.GRADIENT_VALUES.format(**facts))


def _common_line(wrong: np.ndarray, measured: Measured) -> tuple[int, int] | None:
    """The axis and index that all wrong entries share, and no right one has."""
    for axis, places in enumerate(np.unravel_index(measured.places, measured.shape)):
        found = set(places[wrong].tolist())
        if len(found) == 1 and len(set(places.tolist())) > 1 and not found & set(places[~wrong].tolist()):
            return axis, int(found.pop())
    return None
