"""Framing: how a tree crosses the wall, in either direction.

A message is a 4-byte length, a JSON header ``{"tree": skeleton, "arrays": [[dtype, shape], ...]}`` and
the bytes of the arrays, one after the other. Nothing is ever pickled. `read_frame` believes nothing: every
length is checked against the cap before memory is asked for, and whatever is wrong ends in `WireError`.

A request goes the other way, from the trusted side to the walled one, which may believe it. It is packed once for
a whole class (`packed_request`) and read without checks (`read_request`), several times faster. Its header has the
arrays' types and shapes on a line of their own, so that the arrays are there when the tree is built.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from course_lib.tree import MAX_BITS, MAX_NODES, Tree, TreeError, from_mark, pack, unpack

DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
)
# `json.dumps` makes one anew for each message.
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_NAMES = {np.dtype(name): name for name in DTYPES}
MAX_HEADER = 4 << 20
MAX_NDIM = 16
CHUNK = 1 << 20
# A message up to this size is sent in one call, and so much is read ahead.
AHEAD = 1 << 16
WORTH_KEEPING = 4_000
KEPT_HEADERS = 2_000

Wait = Callable[[bool], None]
# Skeleton, types and shapes of the arrays, and how many bytes they take.
_Parsed = tuple[Any, list[tuple[np.dtype, tuple[int, ...]]], int]


class WireError(Exception):
    """A message that nobody honest would send, or a connection that ended."""


class TooLargeError(WireError):
    """A message larger than the cap. It was refused before any memory was asked for."""


class ClosedError(WireError):
    """The other side is gone."""


def _no_wait(_writing: bool) -> None:
    """The socket itself blocks."""


class Stream:
    """A connected stream socket that is read ahead, so that a small message costs one call to the kernel.

    Args:
        sock: the socket; may be non-blocking when whoever reads can wait.
        ahead: how many bytes to read ahead; 0 reads just what is asked for.
    """

    def __init__(self, sock: socket.socket, ahead: int = AHEAD) -> None:
        self.sock = sock
        self._ahead = ahead
        self._held = memoryview(b"")

    def fill(self, view: memoryview, wait: Wait) -> None:
        """Read until `view` is full; see `read_frame` for `wait` and what is raised."""
        while view.nbytes:
            if not self._held.nbytes and view.nbytes < self._ahead:
                self._held = memoryview(self._read(lambda: self.sock.recv(self._ahead), wait))
            if self._held.nbytes:
                count = min(view.nbytes, self._held.nbytes)
                view[:count], self._held = self._held[:count], self._held[count:]
            else:
                count = self._read(lambda rest=view: self.sock.recv_into(rest[:CHUNK]), wait)
            view = view[count:]

    def take(self, count: int, wait: Wait) -> bytes:
        """So many bytes; see `read_frame` for `wait` and what is raised."""
        if count <= self._held.nbytes:
            taken, self._held = self._held[:count], self._held[count:]
            return bytes(taken)
        data = bytearray(count)
        self.fill(memoryview(data), wait)
        return bytes(data)

    def _read(self, receive: Callable[[], Any], wait: Wait) -> Any:
        while True:
            try:
                got = receive()
            except BlockingIOError:
                wait(False)
                continue
            except OSError as error:
                raise ClosedError("the connection broke") from error
            if not got:
                raise ClosedError("the other side left")
            return got


def write_message(sock: socket.socket, tree: Tree, wait: Wait = _no_wait) -> None:
    """Send a tree.

    Args:
        sock: a connected stream socket; may be non-blocking when `wait` waits.
        tree: plain data, see `course_lib.tree`.
        wait: called with True when the socket takes no bytes; returns when it does again, raises to give up.

    Raises:
        TooLargeError: text and structure together are larger than `MAX_HEADER` (nothing was sent).
        TreeError: the tree is too deep or has too many parts (nothing was sent).
        ClosedError: the other side left.
    """
    skeleton, arrays = pack(tree)
    for part in _framed(_json({"tree": skeleton, "arrays": _specs(arrays)}), arrays):
        _send(sock, part, wait)


def packed_request(tree: Tree) -> list[bytes | memoryview]:
    """A tree as the bytes that `write_request` sends, as often as it is asked to.

    Raises:
        TooLargeError, TreeError: as in `write_message`.
    """
    skeleton, arrays = pack(tree)
    return _framed(_json(_specs(arrays)) + b"\n" + _json(skeleton), arrays)


def write_request(sock: socket.socket, request: Iterable[bytes | memoryview], wait: Wait = _no_wait) -> None:
    """Send what `packed_request` made; see `write_message` for the rest."""
    for part in request:
        _send(sock, part, wait)


def _specs(arrays: list[np.ndarray]) -> list[list[Any]]:
    # NumPy builds a dtype's name anew each time, which costs more than the rest of the header.
    return [[_NAMES.get(array.dtype) or array.dtype.name, list(array.shape)] for array in arrays]


def _json(content: Any) -> bytes:
    return _ENCODER.encode(content).encode("utf-8", "replace")


def _framed(header: bytes, arrays: list[np.ndarray]) -> list[bytes | memoryview]:
    if len(header) > MAX_HEADER:
        raise TooLargeError(f"text and structure take {len(header)} bytes; at most {MAX_HEADER} are sent")
    parts = [struct.pack(">I", len(header)), header]
    parts += [array.reshape(-1).view(np.uint8).data for array in arrays if array.size]
    return [b"".join(parts)] if sum(map(len, parts)) <= AHEAD else parts


def _send(sock: socket.socket, data: bytes | memoryview, wait: Wait) -> None:
    view = memoryview(data)
    while view.nbytes:
        try:
            view = view[sock.send(view[:CHUNK]) :]
        except BlockingIOError:
            wait(True)
        except OSError as error:
            raise ClosedError("the other side left") from error


class Frame(NamedTuple):
    """A message as it came: sizes are checked, what it says is not."""

    header: bytes
    body: bytes

    def tree(self) -> Tree:
        """What it says. Arrays are read-only, most of them views of the body.

        Raises:
            WireError: nobody honest would send that.
        """
        skeleton, specs, _ = _header(self.header)
        arrays, start = [], 0
        for dtype, shape in specs:
            arrays.append(_view(self.body, start, dtype, shape))
            start += arrays[-1].nbytes
        try:
            return unpack(skeleton, arrays)
        except (TreeError, RecursionError) as error:
            raise WireError(str(error)) from error


def read_frame(source: socket.socket | Stream, max_bytes: int, wait: Wait = _no_wait) -> Frame:
    """Receive a message without looking at what it says.

    Args:
        source: a connected stream socket, or a `Stream` around one; may be non-blocking when `wait` waits.
        max_bytes: cap on header and arrays together, checked before anything is allocated.
        wait: called with False when there is nothing to read; returns when there is, raises to give up.
            Time limits live there, so that a sender who trickles bytes is caught as well.

    Raises:
        TooLargeError: the message is larger than `max_bytes`.
        ClosedError: the stream ended before the message did.
        WireError: its header is not one.
    """
    stream = source if isinstance(source, Stream) else Stream(source, ahead=0)
    length = struct.unpack(">I", stream.take(4, wait))[0]
    if length > min(MAX_HEADER, max_bytes):
        raise TooLargeError(f"a header of {length} bytes is more than is accepted")
    header = stream.take(length, wait)
    size = _header(header)[2]
    if size > max_bytes - length:
        raise TooLargeError(f"the arrays take more than {max_bytes} bytes")
    try:
        return Frame(header, stream.take(size, wait))
    except MemoryError as error:
        raise WireError("there is no memory for its arrays") from error


def read_message(source: socket.socket | Stream, max_bytes: int, wait: Wait = _no_wait) -> Tree:
    """Receive a tree; see `read_frame` and `Frame.tree`."""
    return read_frame(source, max_bytes, wait).tree()


def read_request(stream: Stream) -> Tree:
    """Receive what `write_request` sent. Only for the walled side: nothing is checked.

    Raises:
        ClosedError: the stream ended before the request did.
    """
    length = struct.unpack(">I", stream.take(4, _no_wait))[0]
    specs, _, skeleton = stream.take(length, _no_wait).partition(b"\n")
    arrays = [_receive_array(stream, np.dtype(dtype), tuple(shape)) for dtype, shape in json.loads(specs)]
    return json.loads(skeleton, object_hook=lambda mark: from_mark(mark, arrays))


def _header(header: bytes) -> _Parsed:
    """Skeleton and arrays' types and shapes; neither is ever changed. Learners' right answers are much alike."""
    return (_parsed_before if len(header) <= WORTH_KEEPING else _parse)(header)


def _parse(header: bytes) -> _Parsed:
    try:
        content = json.loads(header.decode("utf-8"), parse_int=_short_int)
        # Escapes can smuggle lone surrogates past the first decoding; such text breaks whoever stores it.
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError, MemoryError) as error:
        raise WireError("the header is not JSON") from error
    match content:
        case {"tree": skeleton, "arrays": list(specs)} if len(specs) <= MAX_NODES:
            read = [_spec(spec) for spec in specs]
            return skeleton, read, sum(math.prod(shape) * dtype.itemsize for dtype, shape in read)
    raise WireError("the header lacks its parts")


_parsed_before = lru_cache(KEPT_HEADERS)(_parse)


def _short_int(text: str) -> int:
    number = int(text)
    if number.bit_length() > MAX_BITS:
        raise ValueError("an integer that no float can hold")
    return number


def _spec(spec: Any) -> tuple[np.dtype, tuple[int, ...]]:
    match spec:
        case [str(dtype), list(shape)] if dtype in DTYPES and len(shape) <= MAX_NDIM:
            # Exact type: True is an int too, and NaN compares false with everything.
            if all(type(extent) is int and 0 <= extent < 1 << 62 for extent in shape):
                return np.dtype(dtype), tuple(shape)
    raise WireError("an array has a type or shape that is not allowed")


def _view(body: bytes, start: int, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(shape)
    try:
        array = np.frombuffer(body, dtype, count, start) if count else np.empty(0, dtype)
        # A view that starts between two numbers is slow to work with.
        array = (array if array.flags.aligned else array.copy()).reshape(shape)
    except (ValueError, MemoryError) as error:
        raise WireError("an array cannot be made in that shape") from error
    array.flags.writeable = False
    return array


def _receive_array(stream: Stream, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(shape, dtype)
    if array.size:
        stream.fill(array.reshape(-1).view(np.uint8).data, _no_wait)
    return array
