"""Trees of plain data: the only thing that crosses the wall, and the only thing a case file holds.

A tree is built from ``None``, ``bool``, ``int``, ``float``, ``str``, lists, dicts with string keys and
NumPy arrays. `pack` splits it into a JSON-able skeleton and a list of arrays; `unpack` puts it together
again and believes nothing: depth, number of nodes and array references are checked.

Who is trusted: nobody. The worker packs what a learner's function returned, so a packed tree may hold
anything a hostile program can write; `unpack` therefore only ever builds the types named above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_DEPTH = 24
MAX_NODES = 20_000
MAX_TEXT = 20_000
MAX_BITS = 1024
NUMBER_KINDS = "biufc"

Tree = Any


class TreeError(ValueError):
    """A tree that is too deep, too large, or holds something that is not plain data."""


@dataclass(frozen=True)
class Handle:
    """A value that stays on the side where it was made, and optionally one item of it.

    Args:
        name: the name that an earlier step, or the case's inputs, gave to the value.
        item: index or key inside the value (``out, cache = f(x)``: the cache is item 1).
    """

    name: str
    item: int | str | None = None


@dataclass(frozen=True)
class Rng:
    """Stands for ``numpy.random.default_rng(seed)``, made fresh where the function is called."""

    seed: int


@dataclass(frozen=True)
class Probe:
    """Stands for a function of `course_lib.probes`, made from its coefficients where it is called.

    Args:
        name: which one.
        coefficients: plain data; a secret case has other numbers than a public one.
    """

    name: str
    coefficients: tuple[Tree, ...]


@dataclass(frozen=True)
class Opaque:
    """Something a function returned that is not plain data; only its type's name crosses the wall."""

    type_name: str


class _Packer:
    def __init__(self, max_nodes: int) -> None:
        self.arrays: list[np.ndarray] = []
        self.max_nodes = max_nodes
        self.nodes = 0

    def pack(self, tree: Tree, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise TreeError(f"a value is nested more than {MAX_DEPTH} levels deep")
        if self.nodes > self.max_nodes:
            raise TreeError(f"a value has more than {self.max_nodes} parts; return an array instead")
        # Exact types, compared with `is`: a subclass may lie about its length, items or text, a metaclass about `==`.
        kind = type(tree)
        if kind is list or kind is tuple:
            return [self.pack(item, depth + 1) for item in tree]
        if kind is dict:
            return {"dict": [[_key(key), self.pack(item, depth + 1)] for key, item in tree.items()]}
        if issubclass(kind, (np.ndarray, np.generic)):
            return self._array(tree)
        if kind is Probe:
            return {"probe": tree.name, "of": [self.pack(item, depth + 1) for item in tree.coefficients]}
        return _leaf(tree, kind)

    def _array(self, tree: np.ndarray | np.generic) -> dict[str, Any]:
        # `asarray` makes a base-class view of a subclass without asking it; of a lying scalar it may ask.
        try:
            array = np.asarray(tree)
            if array.dtype.kind not in NUMBER_KINDS:
                return {"opaque": f"array of {array.dtype.name}"[:80]}
            # A copy in C order and native byte order: what the bytes say is all there is.
            plain = np.array(array, dtype=_portable(array.dtype), order="C", subok=False)
        except MemoryError:
            raise
        except Exception as error:
            raise TreeError(f"an array cannot be read ({_type_name(type(error))})") from None
        self.arrays.append(plain)
        return {"array": len(self.arrays) - 1}


def _portable(dtype: np.dtype) -> np.dtype:
    """Native byte order; extended precision has another size on every machine and is rounded."""
    if dtype.itemsize > (16 if dtype.kind == "c" else 8):
        return np.dtype("complex128" if dtype.kind == "c" else "float64")
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def _leaf(tree: Tree, kind: type) -> Any:
    if tree is None or kind is bool or kind is float:
        return tree
    if kind is int:
        # JSON readers refuse very long numbers.
        return tree if tree.bit_length() <= MAX_BITS else {"opaque": "int"}
    if kind is str:
        return tree[:MAX_TEXT]
    mark = next((mark for known, mark in _MARKS.items() if known is kind), None)
    return mark(tree) if mark else {"opaque": _type_name(kind)}


def _type_name(kind: type) -> str:
    # A metaclass may lie about `__name__`.
    return type.__dict__["__name__"].__get__(kind)[:80]


def _key(key: Any) -> str:
    if type(key) is str:
        return key[:MAX_TEXT]
    try:
        return str.__str__(str(key))[:MAX_TEXT]
    except Exception as error:
        raise TreeError(f"a key of a dict cannot be read ({_type_name(type(error))})") from None


_MARKS = {
    Handle: lambda mark: {"handle": mark.name, "item": mark.item},
    Rng: lambda mark: {"rng": mark.seed},
    Opaque: lambda mark: {"opaque": mark.type_name},
}


def pack(tree: Tree, max_nodes: int = MAX_NODES) -> tuple[Any, list[np.ndarray]]:
    """Split a tree into a JSON-able skeleton and its arrays.

    Args:
        tree: plain data; anything else becomes an `Opaque` mark.
        max_nodes: how many parts the tree may have.

    Returns:
        The skeleton, in which ``{"array": i}`` stands for the i-th array, and the arrays.

    Raises:
        TreeError: the tree is too deep, has too many parts, or a part of it refuses to be read.

    >>> pack({"w": np.zeros((2, 3)), "b": None})[0]
    {'dict': [['w', {'array': 0}], ['b', None]]}
    """
    packer = _Packer(max_nodes)
    return packer.pack(tree, 0), packer.arrays


class _Unpacker:
    def __init__(self, arrays: list[np.ndarray], max_nodes: int) -> None:
        self.arrays = arrays
        self.max_nodes = max_nodes
        self.nodes = 0

    def unpack(self, node: Any, depth: int) -> Tree:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > self.max_nodes:
            raise TreeError("the message is too deep or has too many parts")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.unpack(item, depth + 1) for item in node]
        if not isinstance(node, dict) or not node:
            raise TreeError("the message holds something that is not plain data")
        return self._mark(node, depth)

    def _mark(self, node: dict[str, Any], depth: int) -> Tree:
        match node:
            case {"dict": list(pairs)} if all(_is_pair(pair) for pair in pairs):
                return {key: self.unpack(item, depth + 1) for key, item in pairs}
            case {"array": int(index)} if 0 <= index < len(self.arrays):
                return self.arrays[index]
            case {"handle": str(name), "item": (None | int() | str()) as item}:
                return Handle(name, item)
            case {"rng": int(seed)}:
                return Rng(seed)
            case {"probe": str(name), "of": list(coefficients)}:
                return Probe(name, tuple(self.unpack(item, depth + 1) for item in coefficients))
            case {"opaque": str(type_name)}:
                return Opaque(type_name[:80])
        raise TreeError("the message holds a mark that nobody knows")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)


def unpack(skeleton: Any, arrays: list[np.ndarray], max_nodes: int = MAX_NODES) -> Tree:
    """Put a packed tree together again.

    Args:
        skeleton: what `pack` returned first, after a trip through JSON. Tuples come back as lists.
        arrays: the arrays, already rebuilt as base NumPy arrays.
        max_nodes: how many parts the tree may have.

    Raises:
        TreeError: the skeleton is not one that `pack` could have made.

    >>> unpack({"array": 0}, [np.arange(3)])
    array([0, 1, 2])
    """
    return _Unpacker(arrays, max_nodes).unpack(skeleton, 0)


def from_mark(mark: dict[str, Any], arrays: list[np.ndarray]) -> Tree:
    """What one mark of a skeleton stands for, when all marks inside it are trees already; nothing is checked.

    As ``object_hook`` of a JSON reader it does the work of `unpack`, fast, for a skeleton from a trusted side.

    Args:
        mark: a dict that `pack` wrote.
        arrays: the arrays of the tree.

    >>> from_mark({"dict": [["w", None]]}, [])
    {'w': None}
    """
    if "dict" in mark:
        return dict(mark["dict"])
    if "array" in mark:
        return arrays[mark["array"]]
    if "handle" in mark:
        return Handle(mark["handle"], mark["item"])
    if "rng" in mark:
        return Rng(mark["rng"])
    if "probe" in mark:
        return Probe(mark["probe"], tuple(mark["of"]))
    return Opaque(mark["opaque"])
