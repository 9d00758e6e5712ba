"""Framing: what is sent arrives, and whatever else arrives ends in a `WireError`."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox.wire import (
    DTYPES,
    MAX_HEADER,
    ClosedError,
    TooLargeError,
    WireError,
    read_frame,
    read_message,
    write_message,
)
from course_lib.tree import Handle, Opaque, Rng, Tree, TreeError

CAP = 1 << 16
arrays = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=0, max_side=4))
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.text(max_size=9), arrays)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets."""
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def received(data: bytes, cap: int = CAP) -> Tree:
    """What is read when these bytes arrive and the other side leaves."""
    left, right = socket.socketpair()
    with left, right:
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        left.sendall(data)
        left.close()
        return read_message(right, cap)


def framed(header: object, body: bytes = b"") -> bytes:
    """A message with this header, honest or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text + body


def same(left: Tree, right: Tree) -> bool:
    """Equal in structure, types and values; NaN equals NaN."""
    if isinstance(left, np.ndarray):
        return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return type(left) is type(right) and (left == right or left != left)


@given(trees)
def test_tree_survives_the_trip(tree: Tree) -> None:
    """Whatever plain data is written is read back with the same types and bytes."""
    left, right = socket.socketpair()
    with left, right:
        write_message(left, tree)
        assert same(tree, read_message(right, CAP))


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, 1.0), (True, 1), (np.zeros(2), np.zeros(2, np.float32)), ([1], [1, 1]), (np.zeros((1, 2)), np.zeros(2))],
    ids=str,
)
def test_comparison_notices(left: Tree, right: Tree) -> None:
    """The comparison of these tests tells apart what must not be confused."""
    assert not same(left, right)


def test_marks_survive_the_trip(pair: tuple[socket.socket, socket.socket]) -> None:
    """Handles, generators and opaque values are carried as what they are."""
    marks = [Handle("x"), Handle("cache", 1), Rng(3), Opaque("Tensor")]
    write_message(pair[0], marks)
    assert read_message(pair[1], CAP) == marks


def test_messages_follow_each_other(pair: tuple[socket.socket, socket.socket]) -> None:
    """Reading one message leaves the next one whole."""
    for number in range(3):
        write_message(pair[0], np.full(2, number))
    assert [read_message(pair[1], CAP).tolist() for _ in range(3)] == [[0, 0], [1, 1], [2, 2]]


def test_arrays_share_the_message_and_cannot_be_written(pair: tuple[socket.socket, socket.socket]) -> None:
    """A message may be kept and read again: nobody can change what it says."""
    write_message(pair[0], [np.ones(3, bool), np.ones(2), np.ones((0, 2))])
    frame = read_frame(pair[1], CAP)
    odd, whole, empty = frame.tree()
    assert not any(array.flags.writeable for array in (odd, whole, empty))
    assert whole.flags.aligned, "though it starts after three bytes"
    assert empty.shape == (0, 2)
    for array in (odd, whole):
        np.testing.assert_array_equal(array, 1)


def test_messages_with_one_header_are_read_apart(pair: tuple[socket.socket, socket.socket]) -> None:
    """Only the header's text is remembered: each tree is a new one, with its own message's numbers."""
    for number in range(2):
        write_message(pair[0], {"x": [np.full(2, number)]})
    first, second = (read_frame(pair[1], CAP) for _ in range(2))
    assert first.header == second.header
    assert first != second
    one, other = first.tree(), second.tree()
    assert (one["x"][0][0], other["x"][0][0]) == (0, 1)
    one["x"].clear()
    assert len(first.tree()["x"]) == 1


@given(st.binary(max_size=300))
def test_garbage_is_a_wire_error(data: bytes) -> None:
    """Random bytes never cause anything but a `WireError`."""
    with pytest.raises(WireError):
        received(data)


@given(st.data())
def test_damaged_message_is_harmless(data: st.DataObject) -> None:
    """A real message with one byte changed, or cut short, is read or refused; nothing else happens."""
    message = bytearray(framed({"tree": {"dict": [["x", {"array": 0}]]}, "arrays": [["float64", [2]]]}, bytes(16)))
    where = data.draw(st.integers(0, len(message) - 1))
    message[where] = data.draw(st.integers(0, 255))
    try:
        received(bytes(message[: data.draw(st.integers(1, len(message)))]))
    except WireError:
        return


HEADERS = {
    "list": [],
    "no tree": {"arrays": []},
    "no arrays": {"tree": None},
    "arrays no list": {"tree": None, "arrays": {}},
    "object dtype": {"tree": None, "arrays": [["O", [1]]]},
    "structured dtype": {"tree": None, "arrays": [["i4,i4", [1]]]},
    "byte order": {"tree": None, "arrays": [[">f8", [1]]]},
    "dtype no text": {"tree": None, "arrays": [[3, [1]]]},
    "negative shape": {"tree": None, "arrays": [["int8", [-1]]]},
    "two negatives": {"tree": None, "arrays": [["int8", [-4, -4]]]},
    "nan shape": {"tree": None, "arrays": [["int8", [float("nan")]]]},
    "float shape": {"tree": None, "arrays": [["int8", [1.0]]]},
    "bool shape": {"tree": None, "arrays": [["int8", [True]]]},
    "text shape": {"tree": None, "arrays": [["int8", ["1"]]]},
    "shape no list": {"tree": None, "arrays": [["int8", 4]]},
    "too many axes": {"tree": None, "arrays": [["int8", [1] * 17]]},
    "huge empty": {"tree": None, "arrays": [["float64", [0, 1 << 61, 1 << 61]]]},
    "huge axis": {"tree": None, "arrays": [["int8", [0, 10**400]]]},
    "missing array": {"tree": {"array": 0}, "arrays": []},
    "negative array": {"tree": {"array": -1}, "arrays": [["int8", [0]]]},
    "unknown mark": {"tree": {"pickle": "x"}, "arrays": []},
    "deep": b'{"arrays": [], "tree": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep and open": b"[" * 200_000,
    "long number": b'{"arrays": [], "tree": ' + b"9" * 10_000 + b"}",
    "number beyond floats": {"tree": 1 << 1025, "arrays": []},
    "lone surrogate": b'{"arrays": [], "tree": "\\ud800"}',
    "not utf-8": b'{"arrays": [], "tree": "\xff"}',
    "many parts": {"tree": [0] * 30_000, "arrays": []},
    "many arrays": {"tree": None, "arrays": [["int8", [0]]] * 30_000},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_dishonest_header_is_refused(header: object) -> None:
    """Each of these headers is a `WireError`, and not one about size or a closed connection."""
    with pytest.raises(WireError) as caught:
        received(framed(header, bytes(64)), cap=1 << 22)
    assert type(caught.value) is WireError


@pytest.mark.parametrize(
    "header",
    [
        {"tree": None, "arrays": [["float64", [1 << 40]]]},
        {"tree": None, "arrays": [["int8", [1 << 61, 1 << 61]]]},
        {"tree": None, "arrays": [["int8", [CAP // 2]], ["int8", [CAP // 2]]]},
    ],
    ids=["one large", "product", "sum"],
)
def test_cap_is_checked_before_allocation(header: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays that together exceed the cap are refused although none of their bytes came, and none is made."""
    monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("memory was asked for"))
    with pytest.raises(TooLargeError):
        received(framed(header))


@pytest.mark.parametrize("length", [CAP + 1, MAX_HEADER + 1, (1 << 32) - 1])
def test_long_header_is_refused(length: int) -> None:
    """The announced length of the header is checked before it is read."""
    with pytest.raises(TooLargeError):
        received(struct.pack(">I", length))


def test_message_of_exactly_the_cap_passes() -> None:
    """The cap itself is allowed; one byte less is not."""
    message = framed({"tree": {"array": 0}, "arrays": [["int8", [100]]]}, bytes(100))
    cap = len(message) - 4
    assert received(message, cap).shape == (100,)
    with pytest.raises(TooLargeError):
        received(message, cap - 1)


@pytest.mark.parametrize("kept", [0, 2, 4, 20, -1])
def test_broken_stream_is_closed(kept: int) -> None:
    """A message that ends early is told apart from one that is wrong."""
    message = framed({"tree": {"array": 0}, "arrays": [["int8", [10]]]}, bytes(10))
    with pytest.raises(ClosedError):
        received(message[:kept])


def test_too_much_text_sends_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    """More text than a header holds is refused before the first byte, so the connection stays usable."""
    with pytest.raises(TooLargeError):
        write_message(pair[0], ["x" * 20_000] * 300)
    write_message(pair[0], "after")
    assert read_message(pair[1], CAP) == "after"


def test_deep_tree_sends_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    """A list that holds itself is refused with a `TreeError`, before the first byte."""
    knot: list = []
    knot.append(knot)
    with pytest.raises(TreeError):
        write_message(pair[0], knot)
    write_message(pair[0], "after")
    assert read_message(pair[1], CAP) == "after"


def test_surrogates_are_replaced(pair: tuple[socket.socket, socket.socket]) -> None:
    """Text that no file could store arrives with question marks instead."""
    write_message(pair[0], "a\ud800b")
    assert read_message(pair[1], CAP) == "a?b"


def test_wait_can_give_up(pair: tuple[socket.socket, socket.socket]) -> None:
    """What `wait` raises passes through, in the middle of a message too."""
    pair[0].sendall(b"\0\0")
    pair[1].setblocking(False)
    calls = iter([None, TimeoutError])

    def wait(_writing: bool) -> None:
        if (error := next(calls)) is not None:
            raise error

    with pytest.raises(TimeoutError):
        read_message(pair[1], CAP, wait)


def test_write_to_closed_socket(pair: tuple[socket.socket, socket.socket]) -> None:
    """Writing to somebody who left is a `ClosedError`."""
    pair[1].close()
    with pytest.raises(ClosedError):
        write_message(pair[0], np.zeros(1 << 20))
