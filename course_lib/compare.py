"""How two answers are compared, in the notebook and by the judge alike.

Order matters: structure, shape, finiteness, dtype kind, then values. Each failed comparison says what
differs, where first, and what was expected there, so that a message can be made from it.

Tolerances are derived once, from the precision of the *input* dtype: rounding in a chain of a few
hundred operations on numbers of order one stays far below 2**20 units in the last place of float64
(2.3e-10), and a wrong formula stays far above. float32 has fewer bits to give away: 2**10 units (1.2e-4).
`tests/test_compare.py` measures both sides of that gap over all exercises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from course_lib import messages
from course_lib.tree import Opaque, Tree

Differs = Literal["structure", "shape", "not finite", "dtype", "values"]

ULPS = {"float64": 2.0**20, "float32": 2.0**10, "float16": 2.0**2}
MAP_LIMIT = 400


@dataclass(frozen=True)
class Tolerance:
    """``|received - expected| <= atol + rtol * |expected|``; NaN equals NaN, inf equals inf."""

    rtol: float
    atol: float

    @classmethod
    def for_dtype(cls, dtype: np.dtype | str, scale: float = 1.0) -> Tolerance:
        """The tolerance for results computed from inputs of `dtype`.

        Args:
            dtype: the least precise floating dtype among the inputs; integers count as float64.
            scale: size of the numbers summed up, when it is far from one.
        """
        name = np.dtype(dtype).name
        unit = ULPS.get(name, ULPS["float64"]) * float(np.finfo(name if name in ULPS else "float64").eps)
        return cls(rtol=unit, atol=unit * scale)


@dataclass(frozen=True)
class Difference:
    """What is wrong with one answer.

    Args:
        kind: the first thing that differs, in the order of the module's docstring.
        where: path inside the answer ("", "[0]", "['w1']").
        message: one sentence for the learner.
        index: first wrong index, when shapes agree.
        received: number at that index.
        expected: number at that index.
        wrong: how many entries are wrong.
        size: how many entries there are.
        error_map: boolean array, true where wrong, for small arrays of at most two dimensions.
    """

    kind: Differs
    where: str
    message: str
    index: tuple[int, ...] | None = None
    received: float | complex | bool | int | None = None
    expected: float | complex | bool | int | None = None
    wrong: int = 0
    size: int = 0
    error_map: np.ndarray | None = None


def compare(received: Tree, expected: Tree, tolerance: Tolerance, where: str = "") -> Difference | None:
    """Compare an answer with what was expected.

    Args:
        received: what came back; any tree.
        expected: what should have come back; lists and tuples are the same thing.
        tolerance: allowed rounding error.
        where: path of this part inside the whole answer.

    Returns:
        The first difference, or None when there is none.

    >>> compare([1.0, 2.0], [1.0, 2.0], Tolerance.for_dtype("float64")) is None
    True
    >>> compare(np.ones((2, 1)), np.ones(2), Tolerance.for_dtype("float64")).kind
    'shape'
    """
    if isinstance(expected, dict):
        return _compare_dicts(received, expected, tolerance, where)
    if isinstance(expected, (list, tuple)):
        return _compare_lists(received, expected, tolerance, where)
    if isinstance(expected, (np.ndarray, np.generic, int, float, complex)) and not isinstance(expected, bool):
        return _compare_numbers(received, np.asarray(expected), tolerance, where)
    if isinstance(received, (np.ndarray, np.generic)) and np.ndim(received) == 0:
        received = received.item()
    if type(received) is type(expected) and received == expected:
        return None
    if isinstance(received, str) and isinstance(expected, str):
        message = messages.OTHER_WORDS.format(place=_place(where), received=received[:300], expected=expected)
        return Difference("values", where, message)
    return _wrong_kind(received, _name(expected), where)


def _wrong_kind(received: Tree, expected: str, where: str) -> Difference:
    message = messages.WRONG_KIND.format(place=_place(where), received=_name(received), expected=expected)
    return Difference("structure", where, message)


def _compare_dicts(received: Tree, expected: dict, tolerance: Tolerance, where: str) -> Difference | None:
    if not isinstance(received, dict):
        return _wrong_kind(received, messages.A_DICT, where)
    if set(received) != set(expected):
        names = ", ".join(sorted(set(received) ^ set(expected)))
        return Difference("structure", where, messages.OTHER_KEYS.format(place=_place(where), names=names))
    found = (compare(received[key], expected[key], tolerance, f"{where}[{key!r}]") for key in expected)
    return next((difference for difference in found if difference), None)


def _compare_lists(received: Tree, expected: list | tuple, tolerance: Tolerance, where: str) -> Difference | None:
    if not isinstance(received, (list, tuple)):
        return _wrong_kind(received, messages.VALUES.format(count=len(expected)), where)
    if len(received) != len(expected):
        counts = {"received": len(received), "expected": len(expected)}
        return Difference("structure", where, messages.WRONG_COUNT.format(place=_place(where), **counts))
    pairs = enumerate(zip(received, expected, strict=True))
    found = (compare(got, want, tolerance, f"{where}[{i}]") for i, (got, want) in pairs)
    return next((difference for difference in found if difference), None)


def _compare_numbers(received: Tree, expected: np.ndarray, tolerance: Tolerance, where: str) -> Difference | None:
    is_number = isinstance(received, (np.ndarray, np.generic, int, float, complex))
    if not is_number:
        return _wrong_kind(received, _shape_name(expected), where)
    got = np.asarray(received)
    if got.dtype.kind not in "biufc":
        return Difference("structure", where, messages.NOT_NUMBERS.format(place=_place(where)))
    if got.shape != expected.shape:
        return _shape_difference(got, expected, tolerance, where)
    if got.dtype.kind == "c" and expected.dtype.kind != "c":
        return Difference("dtype", where, messages.COMPLEX.format(place=_place(where), dtype=got.dtype.name))
    return _compare_values(got, expected, tolerance, where)


def _shape_difference(got: np.ndarray, expected: np.ndarray, tolerance: Tolerance, where: str) -> Difference:
    template = messages.WRONG_SHAPE
    if got.size == expected.size and _close(got.reshape(expected.shape), expected, tolerance).all():
        template = messages.WRONG_SHAPE_RIGHT_NUMBERS
    elif got.T.shape == expected.shape and _close(got.T, expected, tolerance).all():
        template = messages.TRANSPOSED
    return Difference("shape", where, template.format(place=_place(where), received=got.shape, expected=expected.shape))


def _close(got: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    if got.dtype == expected.dtype and got.tobytes() == expected.tobytes():
        return np.True_
    if got.dtype.kind in "biu" and expected.dtype.kind in "biu":
        return np.asarray(got == expected)
    # np.isclose says the same, five times as slowly on the small arrays of cases.
    with np.errstate(all="ignore"):
        close = np.abs(got - _floating(expected)) <= tolerance.atol + tolerance.rtol * np.abs(expected)
    if not (close.all() and np.isfinite(expected).all()):
        # Infinities are close to everything or to nothing, and NaN is no number: both need a look of their own.
        finite = np.isfinite(got) & np.isfinite(expected)
        close = close & finite | (got == expected) | np.isnan(got) & np.isnan(expected)
    return np.asarray(close)


def _floating(values: np.ndarray) -> np.ndarray:
    return values if values.dtype.kind in "fc" else values.astype(np.float64)


def _compare_values(got: np.ndarray, expected: np.ndarray, tolerance: Tolerance, where: str) -> Difference | None:
    close = _close(got, expected, tolerance)
    if close.all():
        return None
    wrong = ~np.atleast_1d(close)
    if _only_less_precise(got, expected, tolerance):
        names = {"dtype": got.dtype.name, "expected": expected.dtype.name}
        return Difference("dtype", where, messages.LESS_PRECISE.format(place=_place(where), **names))
    index = tuple(int(i) for i in np.argwhere(wrong)[0]) if got.ndim else ()
    mine, right = got[index].item(), expected[index].item()
    digits = _number if _number(mine) != _number(right) else str
    facts = {"place": _place(where), "received": digits(mine), "expected": digits(right)}
    counts = {"index": list(index), "wrong": int(wrong.sum()), "size": int(got.size)}
    message = messages.WRONG_NUMBERS.format(**facts, **counts) if got.ndim else messages.WRONG_NUMBER.format(**facts)
    lost = ~np.isfinite(np.atleast_1d(got)) & np.isfinite(np.atleast_1d(expected))
    kind: Differs = "not finite" if lost.any() else "values"
    error_map = np.atleast_2d(wrong) if got.ndim in (1, 2) and got.size <= MAP_LIMIT else None
    return Difference(kind, where, message, index, mine, right, counts["wrong"], counts["size"], error_map)


def _only_less_precise(got: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> bool:
    """A float32 answer where float64 was due: right up to float32's own tolerance."""
    if got.dtype.name not in ("float32", "float16") or expected.dtype.name != "float64":
        return False
    own = Tolerance.for_dtype(got.dtype)
    return own.rtol > tolerance.rtol and bool(_close(got, expected, own).all())


def _place(where: str) -> str:
    return messages.RESULT_NAME.format(where=where)


def _number(value: float | complex | bool | int) -> str:
    return f"{value:.6g}" if isinstance(value, (float, complex)) else str(value)


def _shape_name(expected: np.ndarray) -> str:
    return messages.ARRAY.format(shape=expected.shape) if expected.ndim else messages.A_NUMBER


def _name(value: Tree) -> str:
    if value is None:
        return messages.NONE
    if isinstance(value, Opaque):
        return messages.OBJECT.format(name=value.type_name)
    if isinstance(value, np.ndarray):
        return messages.ARRAY.format(shape=value.shape)
    if isinstance(value, (list, tuple)):
        return messages.VALUES.format(count=len(value))
    return f"{type(value).__name__} {value!r}"[:60]
