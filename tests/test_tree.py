"""Trees: what goes in comes out, and nothing hostile comes through."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib.tree import MAX_DEPTH, MAX_NODES, MAX_TEXT, Handle, Opaque, Probe, Rng, Tree, TreeError, pack, unpack

DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
)
MARKS = st.builds(Handle, st.text(), st.none() | st.integers() | st.text()) | st.builds(Rng, st.integers(0, 1 << 63))
MARKS |= st.builds(Probe, st.text(), st.tuples(st.integers(), st.text()))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | ARRAYS | MARKS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)
KEYS = st.sampled_from(["dict", "array", "handle", "item", "rng", "opaque", "x"])
SKELETONS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=20,
)


def through(tree: Tree) -> Tree:
    """A tree after a trip through JSON and bytes."""
    skeleton, arrays = pack(tree)
    rebuilt = [np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape) for array in arrays]
    return unpack(json.loads(json.dumps(skeleton)), rebuilt)


def same(a: Tree, b: Tree) -> bool:
    """Are two trees equal to the bit, types included?"""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


def nested(depth: int) -> Tree:
    """A number inside so many lists."""
    tree: Tree = 1
    for _ in range(depth):
        tree = [tree]
    return tree


@given(TREES)
def test_trees_come_back_equal(tree: Tree) -> None:
    """Every tree of plain data survives packing, JSON and unpacking to the last bit."""
    assert same(through(tree), tree)


def test_same_can_fail() -> None:
    """The helper of the test above tells apart what differs in type, dtype, shape, value or order."""
    pairs = [(1, 1.0), (True, 1), ([1], (1,)), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (0.0, 1.0), ([1], [1, 2])]
    pairs += [(np.zeros(2), np.zeros((2, 1))), (np.zeros(2), np.zeros(2, "float32")), (np.zeros(2), np.ones(2))]
    assert not any(same(a, b) for a, b in pairs)


def test_tuples_come_back_as_lists() -> None:
    """Lists and tuples are the same thing on the other side."""
    assert through(((1, 2), [3])) == [[1, 2], [3]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 2**1023, -(2**63)])
def test_odd_numbers_survive(value: float) -> None:
    """Infinities, NaN, minus zero and long integers cross."""
    assert str(through(value)) == str(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3).T,
        np.arange(10)[::-2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(3, dtype=">f8"),
        np.arange(3, dtype=">i2"),
        np.broadcast_to(1.5, (2, 3)),
        np.array(2.5),
        np.zeros((0, 3)),
        np.float32(1.5),
        np.bool_(True),
    ],
    ids=str,
)
def test_odd_layouts_become_plain(array: np.ndarray) -> None:
    """Views, byte orders, scalars and empty arrays become base arrays in C order with the same numbers."""
    _, (plain,) = pack(array)
    assert type(plain) is np.ndarray
    assert plain.flags.c_contiguous
    assert plain.dtype.isnative
    assert (plain.shape, plain.dtype) == (np.shape(array), np.asarray(array).dtype.newbyteorder("="))
    np.testing.assert_array_equal(plain, array)


def test_packed_arrays_are_copies() -> None:
    """What was packed does not change when the original does."""
    array = np.zeros(2)
    _, (plain,) = pack(array)
    array[0] = 1
    assert plain[0] == 0


@pytest.mark.parametrize(("extended", "kept"), [(np.longdouble, "float64"), (np.clongdouble, "complex128")])
def test_extended_precision_is_rounded(extended: type, kept: str) -> None:
    """Precision that other machines lack is rounded to what all have."""
    assert through(np.ones(2, extended)).dtype == kept


class LyingArray(np.ndarray):
    """Claims other contents, shape and dtype than it has."""

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        """Another array."""
        return np.full(7, 42.0)

    def __array_finalize__(self, obj: Any) -> None:
        """A hook that must not matter."""

    def __eq__(self, other: Any) -> Any:
        """Equal to everything."""
        return True

    shape = (99,)
    dtype = "lie"

    def tobytes(self, *args: Any) -> bytes:
        """Other bytes."""
        return b"lie"


class LyingNumber(np.float64):
    """Refuses to be read."""

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        """Never."""
        raise RuntimeError("no")


class Text(str):
    """Text that claims to be something else."""

    def __str__(self) -> str:
        """Other text."""
        return "lie"


class Dictionary(dict):
    """A dict that never ends."""

    def items(self) -> Any:
        """Endless items."""
        while True:
            yield "a", 1


class Claims:
    """Claims to be an array."""

    __class__ = np.ndarray


class Meta(type):
    """A class whose classes lie about equality, hash and name."""

    def __eq__(cls, other: object) -> bool:
        """Equal to everything."""
        return True

    def __hash__(cls) -> int:
        """Unhashable."""
        raise RuntimeError("no")

    @property
    def __name__(cls) -> str:
        """Another name."""
        raise RuntimeError("no")


class Disguised(metaclass=Meta):
    """An instance of a lying class."""


def test_array_subclasses_are_taken_at_their_bytes() -> None:
    """A subclass with lying methods becomes the base array that its memory holds."""
    plain = through(np.arange(3.0).view(LyingArray))
    assert type(plain) is np.ndarray
    np.testing.assert_array_equal(plain, [0, 1, 2])


def test_masked_arrays_become_plain() -> None:
    """A masked array is its data, without the mask."""
    assert same(through(np.ma.array([1.0, 2.0], mask=[0, 1])), np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Text("x"), "Text"),
        (Dictionary(a=1), "Dictionary"),
        (Claims(), "Claims"),
        (Disguised(), "Disguised"),
        (object(), "object"),
        (len, "builtin_function_or_method"),
        (int, "type"),
        (range(3), "range"),
        ({1}, "set"),
        (b"x", "bytes"),
        (1j, "complex"),
        (2**5000, "int"),
        (np.array([None]), "array of object"),
        (np.array(["a"]), "array of str32"),
        (np.zeros(2, "M8[s]"), "array of datetime64[s]"),
        (np.zeros(2, "i4,f8"), "array of void96"),
        (np.str_("a"), "array of str32"),
        (type("T" * 200, (), {})(), "T" * 80),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_everything_else_is_opaque(value: Any, name: str) -> None:
    """Of anything that is not plain data only the name of its type crosses."""
    assert through(value) == Opaque(name)


def test_arrays_that_refuse_are_refused() -> None:
    """A scalar whose reading fails is an error of trees, not of whoever packs."""
    try:
        assert isinstance(through(LyingNumber(3)), np.ndarray)
    except TreeError as error:
        assert str(error) == "an array cannot be read (RuntimeError)"


class Key:
    """A key without text."""

    def __str__(self) -> str:
        """Never."""
        raise RuntimeError("no")


def test_keys_become_text() -> None:
    """Keys are text; numbers among them become text, other types what they say, at a limited length."""
    assert through({0: 1, np.int64(2): 2, Text("a"): 3, "b" * 50_000: 4}) == {
        "0": 1,
        "2": 2,
        "lie": 3,
        "b" * MAX_TEXT: 4,
    }
    with pytest.raises(TreeError, match="a key of a dict"):
        pack({Key(): 1})


def test_depth_is_limited() -> None:
    """The deepest allowed tree passes, one level more does not, and neither does a list inside itself."""
    assert through(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    endless: list[Any] = []
    endless.append(endless)
    for tree in (nested(MAX_DEPTH + 1), nested(5000), endless):
        with pytest.raises(TreeError, match="nested more than 24 levels"):
            pack(tree)


def test_number_of_parts_is_limited() -> None:
    """The largest allowed tree passes, one part more does not, unless the caller allows it."""
    assert len(through([0] * (MAX_NODES - 1))) == MAX_NODES - 1
    with pytest.raises(TreeError, match="return an array instead"):
        pack([0] * MAX_NODES)
    skeleton, arrays = pack([0] * MAX_NODES, MAX_NODES + 1)
    with pytest.raises(TreeError):
        unpack(skeleton, arrays)
    assert len(unpack(skeleton, arrays, MAX_NODES + 1)) == MAX_NODES


def test_shared_lists_count_each_time() -> None:
    """A small value that unfolds to 2^20 parts is refused before it unfolds."""
    tree: Tree = 1
    for _ in range(20):
        tree = [tree, tree]
    with pytest.raises(TreeError, match="parts"):
        pack(tree)


def test_text_is_cut() -> None:
    """Long text is cut, not refused."""
    assert through("x" * (MAX_TEXT + 5)) == "x" * MAX_TEXT


@given(SKELETONS)
def test_hostile_skeletons_raise_nothing_else(skeleton: Any) -> None:
    """Whatever JSON a message holds, it becomes plain data or a `TreeError`."""
    try:
        tree = unpack(skeleton, [np.zeros(1)])
    except TreeError as error:
        assert str(error).startswith("the message")
    else:
        assert same(through(tree), tree)


@pytest.mark.parametrize(
    "skeleton",
    [
        {},
        {"array": 1},
        {"array": -1},
        {"array": 0.0},
        {"array": "0"},
        {"dict": [["a"]]},
        {"dict": [[1, 2]]},
        {"dict": {"a": 1}},
        {"handle": 1, "item": None},
        {"handle": "a", "item": 1.5},
        {"handle": "a"},
        {"rng": "1"},
        {"rng": None},
        {"opaque": None},
        {"unknown": 1},
        nested(5000),
        object(),
        (1, 2),
        [[0] * 10_000] * 3,
    ],
    ids=lambda skeleton: str(skeleton) if type(skeleton) is dict else type(skeleton).__name__,
)
def test_forged_marks_are_refused(skeleton: Any) -> None:
    """Marks with a wrong reference, type or shape are refused."""
    with pytest.raises(TreeError):
        unpack(skeleton, [np.zeros(1)])


def test_opaque_names_are_cut() -> None:
    """A forged name cannot be long."""
    assert unpack({"opaque": "x" * 1000}, []) == Opaque("x" * 80)
