"""Is this backward pass right, and if not, how is it wrong?

Every entry of every input is moved a little, and what happens to ``sum(dout * out)`` is compared with the
gradient that the backward pass gives; `dout` is random, because with ones many mistakes cancel. Entries at
a corner of the function (a ReLU at 0, tied maxima), where no derivative exists, are left out and counted.
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.gradfaults import Fault, Measured, find_fault
from course_lib.tables import html_table, text_table

Array = np.ndarray

STEP = 1e-4
TOLERANCE = {"float64": 1e-6, "float32": 2e-3, "float16": 5e-2}
_HEAD = ("gradient of", "shape", "checked", "error", "verdict")


@dataclass(frozen=True)
class GradientRow:
    """What was found about the gradient of one input.

    Args:
        name: of the input.
        shape: of the input.
        checked: entries that were compared.
        left_out: entries at a corner of the function.
        error: largest difference as a share of the largest entry; NaN when there was nothing to compare.
        fault: what is wrong, or None.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    left_out: int
    error: float
    fault: Fault | None


@dataclass(frozen=True)
class GradientReport:
    """What a gradient check found; renders as text and as HTML.

    Args:
        name: of the backward pass.
        rows: one per input.
        notes: sentences about the whole, such as an input that was changed.
    """

    name: str
    rows: tuple[GradientRow, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Is every gradient right, and nothing else to say?"""
        return not self.notes and all(row.fault is None for row in self.rows)

    def __repr__(self) -> str:
        lines = text_table(_HEAD, [_cells(row) for row in self.rows], (2, 3)) if self.rows else []
        return "\n".join([self._headline(), *(f"  {line}" for line in (*lines, *self._sentences()))])

    def _repr_html_(self) -> str:
        color = "#1a6e34" if self.passed else "#9a3412"
        sentences = "".join(f"<p style='margin:.3em 0'>{html.escape(text)}</p>" for text in self._sentences())
        table = html_table(_HEAD, [_cells(row) for row in self.rows], (2, 3)) if self.rows else ""
        return (
            f"<div role='status' style='border-left:4px solid {color};padding:.3em .8em;max-width:48em'>"
            f"<p style='margin:.2em 0'><strong>{html.escape(self._headline())}</strong></p>{table}{sentences}</div>"
        )

    def _headline(self) -> str:
        template = messages.GRADIENTS_RIGHT if self.passed else messages.GRADIENTS_WRONG
        return template.format(name=self.name)

    def _sentences(self) -> list[str]:
        faults = [messages.GRADIENT_OF.format(name=row.name, says=row.fault.says) for row in self.rows if row.fault]
        corners = [row for row in self.rows if row.left_out]
        left = [messages.GRADIENT_CORNERS.format(name=row.name, left_out=row.left_out) for row in corners]
        return [*self.notes, *faults, *left]


def check_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *inputs: Any,
    wrt: Sequence[str] | None = None,
    entries: int = 200,
    seed: int = 0,
) -> GradientReport:
    """Compare a backward pass with differences of its forward pass.

    Args:
        forward: ``forward(*inputs) -> (out, cache)``.
        backward: ``backward(dout, cache) -> gradients``, one array or a tuple in the order of `inputs`.
        *inputs: the arguments. Arrays of floating numbers are moved, everything else is passed on.
        wrt: names of the inputs that `backward` differentiates by, when these are not all floating arrays.
        entries: how many entries of each input are checked at most, chosen at random.
        seed: of the upstream gradient and of that choice.

    Raises:
        ValueError: there is nothing to differentiate by, or `wrt` names no input.

    >>> check_backward(lambda x: (x**2, x), lambda dout, x: 2 * dout * x, np.array([1.0, 2.0])).passed
    True
    """
    rng = np.random.default_rng(seed)
    names = _names(forward, inputs, wrt)
    mine = [_copy(value) for value in inputs]
    out, cache, *_ = forward(*mine)
    dout = np.asarray(rng.normal(size=np.shape(out)), np.asarray(out).dtype)
    kept = dout.copy()
    gradients = backward(dout, cache)
    found = _notes(forward, inputs, out, [*mine, dout], [*inputs, kept])
    return _report(
        lambda *args: forward(*args)[0], gradients, inputs, names, kept, _Settings(backward, entries, rng, found)
    )


def check_gradient(
    function: Callable[..., Any],
    gradient: Callable[..., Any],
    *inputs: Any,
    wrt: Sequence[str] | None = None,
    entries: int = 200,
    seed: int = 0,
) -> GradientReport:
    """Compare the gradient of a number, such as a loss, with differences.

    Args:
        function: ``function(*inputs) -> number``.
        gradient: ``gradient(*inputs) -> gradients``, one array or a tuple in the order of `inputs`.
        *inputs: the arguments. Arrays of floating numbers are moved, everything else is passed on.
        wrt: names of the inputs that `gradient` differentiates by, when these are not all floating arrays.
        entries: how many entries of each input are checked at most, chosen at random.
        seed: of that choice.

    Raises:
        ValueError: there is nothing to differentiate by, or `wrt` names no input.

    >>> check_gradient(lambda w: (w**2).sum(), lambda w: w, np.array([1.0, 2.0])).rows[0].fault.kind
    'ratio'
    """
    names = _names(function, inputs, wrt)
    mine = [_copy(value) for value in inputs]
    out = function(*mine)
    gradients = gradient(*mine)
    found = _notes(function, inputs, out, mine, inputs)
    settings = _Settings(gradient, entries, np.random.default_rng(seed), found)
    return _report(function, gradients, inputs, names, np.ones(np.shape(out)), settings)


@dataclass(frozen=True)
class _Settings:
    tested: Callable[..., Any]
    entries: int
    rng: np.random.Generator
    notes: tuple[str, ...]


def _report(
    function: Callable[..., Any],
    gradients: Any,
    inputs: Sequence[Any],
    names: dict[str, int],
    dout: Array,
    settings: _Settings,
) -> GradientReport:
    name = getattr(settings.tested, "__name__", "backward")
    if messages.GRADIENT_FORWARD_NOT_FINITE in settings.notes:
        return GradientReport(name, (), settings.notes)
    gradients = tuple(gradients) if isinstance(gradients, (tuple, list)) else (gradients,)
    if len(gradients) != len(names):
        counts = {"received": len(gradients), "expected": len(names), "names": ", ".join(names)}
        return GradientReport(name, (), (*settings.notes, messages.GRADIENT_COUNT.format(**counts)))
    rows = tuple(
        _row(function, inputs, place, dout, (label, gradient), settings)
        for (label, place), gradient in zip(names.items(), gradients, strict=True)
    )
    return GradientReport(name, rows, settings.notes)


def _row(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    place: int,
    dout: Array,
    gradient: tuple[str, Any],
    settings: _Settings,
) -> GradientRow:
    shape, size = inputs[place].shape, inputs[place].size
    chosen = np.arange(size)
    if size > settings.entries:
        chosen = np.sort(settings.rng.choice(size, settings.entries, replace=False))
    measured, left_out = _measure(function, inputs, place, chosen, dout)
    label, value = gradient
    if not len(measured.places):
        return GradientRow(label, shape, 0, left_out, float("nan"), None)
    return GradientRow(
        label, shape, len(measured.places), left_out, _error(value, measured), find_fault(value, measured)
    )


def _error(value: Any, measured: Measured) -> float:
    got = np.asarray(value)
    if got.shape != measured.shape or got.dtype.kind not in "fiu":
        return float("nan")
    scale = np.abs(measured.wanted).max() or 1.0
    return float(np.abs(measured.pick(got) - measured.wanted).max() / scale)


def _measure(
    function: Callable[..., Any], inputs: Sequence[Any], place: int, chosen: Array, dout: Array
) -> tuple[Measured, int]:
    """Differences of every example's share of ``sum(dout * out)``, entry by entry; how many were at a corner."""
    kept, parts, plain = [], [], []
    rows = len(dout) if dout.ndim else 1
    for entry in chosen:
        slope = _slope(lambda step, entry=entry: _out_at(function, inputs, place, int(entry), step))
        if slope is not None:
            kept.append(entry)
            parts.append((slope * dout).reshape(rows, -1).sum(axis=1))
            plain.append(slope.sum())
    tolerance = TOLERANCE.get(inputs[place].dtype.name, TOLERANCE["float64"])
    shares = np.array(parts).reshape(len(parts), rows)
    found = Measured(inputs[place].shape, np.array(kept, int), shares, np.array(plain), dout.shape, tolerance)
    return found, len(chosen) - len(kept)


def _out_at(function: Callable[..., Any], inputs: Sequence[Any], place: int, entry: int, step: float) -> Array:
    """The output in float64, one entry of one input moved by a step."""
    there = [value.astype(np.float64) if _floating(value) else _copy(value) for value in inputs]
    there[place].reshape(-1)[entry] += step
    return np.asarray(function(*there), np.float64)


def _slope(out_at: Callable[[float], Array]) -> Array | None:
    """The derivative of every output, by differences of fourth order; None at a corner."""
    here = out_at(0.0)
    ahead, behind, near_ahead, near_behind = (out_at(step) for step in (STEP, -STEP, STEP / 2, -STEP / 2))
    coarse, fine = (ahead - behind) / (2 * STEP), (near_ahead - near_behind) / STEP
    # Left and right slopes differ by the step times the curvature; only at a corner does that not shrink with the step.
    bend = np.abs(ahead + behind - 2 * here) / STEP
    near_bend = np.abs(near_ahead + near_behind - 2 * here) / (STEP / 2)
    noise = 1e-6 * (1 + np.abs(here).max(initial=0.0) + np.abs(fine).max(initial=0.0))
    corner = (near_bend > noise) & (near_bend > 0.75 * bend) | (np.abs(fine - coarse) > noise)
    return None if corner.any() else (4 * fine - coarse) / 3


def _notes(
    function: Callable[..., Any], inputs: Sequence[Any], out: Any, now: Sequence[Any], before: Sequence[Any]
) -> tuple[str, ...]:
    """What is wrong with the whole: results that vary or are no numbers, inputs that were changed."""
    found = []
    again = function(*(_copy(value) for value in inputs))
    again = again[0] if isinstance(again, tuple) else again
    if not np.isfinite(np.asarray(out)).all():
        found.append(messages.GRADIENT_FORWARD_NOT_FINITE)
    elif not np.array_equal(again, out):
        found.append(messages.GRADIENT_FORWARD_VARIES)
    if any(isinstance(one, Array) and not np.array_equal(one, other) for one, other in zip(now, before, strict=True)):
        found.append(messages.GRADIENT_CHANGES_INPUTS)
    return tuple(found)


def _names(function: Callable[..., Any], inputs: Sequence[Any], wrt: Sequence[str] | None) -> dict[str, int]:
    """The inputs to differentiate by: name to place."""
    try:
        known = [name for name, p in inspect.signature(function).parameters.items() if p.kind is not p.VAR_POSITIONAL]
    except (TypeError, ValueError):
        known = []
    names = [known[k] if k < len(known) else f"input {k}" for k in range(len(inputs))]
    places = {name: k for k, name in enumerate(names) if _floating(inputs[k]) and (wrt is None or name in wrt)}
    if not places or (wrt is not None and len(places) != len(wrt)):
        raise ValueError(messages.GRADIENT_NO_INPUTS.format(names=", ".join(names)))
    return places


def _floating(value: Any) -> bool:
    return isinstance(value, Array) and value.dtype.kind == "f"


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, Array) else value


def _cells(row: GradientRow) -> tuple[str, ...]:
    error = "" if np.isnan(row.error) else f"{row.error:.1e}"
    verdict = messages.GRADIENT_UNKNOWN if not row.checked else row.fault.kind if row.fault else messages.GRADIENT_RIGHT
    mark = "✓" if row.fault is None else "✗"
    return row.name, str(row.shape), str(row.checked), error, f"{mark} {verdict}"
