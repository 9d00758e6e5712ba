"""One job, seen from the trusted side: sends work to the walled child, watches it, believes nothing it says.

What enters: pieces of a learner's code and cases. What leaves: `CodeError` and `Played`, rebuilt from bytes that
may be forged: a forged answer is just a wrong answer, and anything malformed ends the job. The child's
processor time is read from outside, so no signal handler of the learner's can help.
"""

from __future__ import annotations

import math
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from autograder.sandbox import wire
from autograder.sandbox.walls import Limits, Walls
from autograder.sandbox.wire import Frame
from course_lib.cases import Case, case_to_tree
from course_lib.tree import Tree

Reason = Literal["time limit", "wall clock", "memory limit", "output limit", "crashed"]
MAX_TEXT = 500
PIECES_AT_ONCE = 500
# Few enough that a request stays far below what the worker accepts.
CASES_AT_ONCE = 16
WORTH_KEEPING = 16_000
KEPT_REPLIES = 4_000
LONGEST_WAIT = 1.0
SHORTEST_WAIT = 0.002
LONGEST_END = 2.0
NO_CAP = 1 << 40
CPUCLOCK_SCHED = 2


class Stopped(Exception):  # noqa: N818 - the judge speaks of jobs that were stopped
    """A job was stopped, or died.

    Args:
        reason: why.
        done: the cases that were played before.
    """

    def __init__(self, reason: Reason, done: Sequence[Played] = ()) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.done = list(done)

    @property
    def played(self) -> int:
        """How many cases were played before."""
        return len(self.done)


@dataclass(frozen=True)
class Piece:
    """One top-level statement of a submitted cell, or several.

    Args:
        label: the cell, as shown to the learner.
        source: the code.
        line: line of the cell on which the code starts.
    """

    label: str
    source: str
    line: int = 1


@dataclass(frozen=True)
class CodeError:
    """An error of the learner's own code, at the innermost of the learner's own lines.

    Args:
        type: name of the exception's class.
        message: its text, at most 500 characters.
        label: the cell; "" when no line of the learner's code was running.
        line: the line of the cell.
        text: that line.
        step: name of the case's step that failed, or "".
    """

    type: str
    message: str
    label: str
    line: int
    text: str
    step: str = ""


@dataclass(frozen=True)
class Played:
    """What playing a case showed: the values that were read, or the error. Equal when the bytes are.

    Args:
        case: id of the case.
        frame: the reply itself.
        seen: label to value; arrays are read-only.
        error: the error, or None.
    """

    case: str
    frame: Frame
    seen: dict[str, Tree] | None = field(compare=False)
    error: CodeError | None = field(compare=False)


class Script:
    """Cases in the order in which they are played, packed once and then played by many jobs.

    Args:
        cases: the cases.

    Raises:
        WireError, TreeError: a case is too large for a request.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        batches = [cases[start : start + CASES_AT_ONCE] for start in range(0, len(cases), CASES_AT_ONCE)]
        self.batches = [
            ([_Observed.of(case) for case in batch], wire.packed_request({"play": [*map(case_to_tree, batch)]}))
            for batch in batches
        ]


class _Observed(NamedTuple):
    """What of a case is asked for when its reply is read."""

    case: str
    labels: frozenset[str]

    @classmethod
    def of(cls, case: Case) -> _Observed:
        return cls(case.id, frozenset(step.name for step in case.reads()))


class Server(Protocol):
    """What a job needs from its pool."""

    walls: Walls
    jobs: set[Job]

    def fork(self, limits: Limits) -> tuple[socket.socket, int]:
        """A new child: its socket, and a pidfd that kills it and all that is in its namespace."""

    def is_gone(self) -> bool:
        """True when the server ended."""

    def restart(self) -> None:
        """Start the server again."""


class Job:
    """One fork of the warm server. Use it in a `with` statement, or `close` it.

    Args:
        pool: the pool that it belongs to.
        limits: what each `load` and each `play` may use.
    """

    def __init__(self, pool: Server, limits: Limits) -> None:
        self.limits = limits
        self._pool = pool
        self._pieces: Sequence[Piece] = ()
        self._again = False
        self._used = 0.0
        self._used_before = 0.0
        self._deadlines = (math.inf, math.inf)
        self._open()

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def load(self, pieces: Sequence[Piece]) -> list[CodeError]:
        """Make a new empty namespace and execute pieces in it, one by one.

        Args:
            pieces: what to execute. One that fails is recorded, and the rest goes on.

        Raises:
            Stopped: the job used too much or died; it is closed.
        """
        self._pieces = pieces
        return self._guarded(lambda: self._load(pieces))

    def play(self, cases: Sequence[Case] | Script) -> list[Played]:
        """Play cases on the namespace of the last load.

        Raises:
            Stopped: the job used too much or died; it is closed. `done` holds the cases before.
        """
        script = cases if isinstance(cases, Script) else Script(cases)
        return self._guarded(lambda: self._play(script))

    @property
    def cpu_seconds(self) -> float:
        """Processor time that the job has used so far, read from outside; the last known after its end."""
        if self._handle is not None:
            with suppress(OSError):
                used = time.clock_gettime(self._clock)
                # The number was this process's only if the handle says, afterwards, that it still lives.
                self._used = self._used if _is_over(self._handle, 0) else max(self._used, used)
        return self._used_before + self._used

    def close(self) -> None:
        """Kill the job and everything in its namespaces, and wait until it is gone."""
        if self._handle is None:
            return
        self.cpu_seconds  # noqa: B018 - keeps the last value
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        _is_over(self._handle, LONGEST_END)
        os.close(self._handle)
        self._socket.close()
        self._handle = None
        self._pool.jobs.discard(self)

    def _open(self) -> None:
        self._handle: int | None
        self._socket, self._handle = self._pool.fork(self.limits)
        self._stream = wire.Stream(self._socket)
        self._pool.jobs.add(self)
        self.pid = _pid_of(self._handle)
        self._clock = (~self.pid << 3) | CPUCLOCK_SCHED
        self._used_before, self._used = self._used_before + self._used, 0.0

    def _guarded(self, action: Callable[[], Any]) -> Any:
        """Do something, close the job if that fails; once do it again if the job died.

        From here nobody can tell whose fault that was: the code's own, which it will repeat, or that of whoever
        killed the job or its server.
        """
        if self._handle is None:
            raise Stopped("crashed")
        try:
            return action()
        except Stopped as stopped:
            self.close()
            if stopped.reason != "crashed" or self._again:
                raise
        except BaseException:
            self.close()
            raise
        self._again = True
        if self._pool.is_gone():
            self._pool.restart()
        self._open()
        return self._guarded(lambda: (self._load(self._pieces), action())[1])

    def _load(self, pieces: Sequence[Piece]) -> list[CodeError]:
        self._set_deadlines()
        errors = []
        for start in range(0, max(len(pieces), 1), PIECES_AT_ONCE):
            some = pieces[start : start + PIECES_AT_ONCE]
            self._send(wire.packed_request({"load": _packed(some, fresh=start == 0)}))
            match _tree(self._receive()):
                case {"errors": list(found)} if len(found) <= PIECES_AT_ONCE:
                    errors += [_code_error(item) for item in found]
                case _:
                    raise Stopped("crashed")
        return errors

    def _play(self, script: Script) -> list[Played]:
        self._set_deadlines()
        done: list[Played] = []
        try:
            for batch, request in script.batches:
                self._send(request)
                done.extend(_played(asked, self._receive()) for asked in batch)
        except Stopped as stopped:
            raise Stopped(stopped.reason, done) from None
        return done

    def _send(self, request: Iterable[bytes | memoryview]) -> None:
        try:
            wire.write_request(self._socket, request, self._wait)
        except wire.WireError:
            raise Stopped("crashed") from None

    def _receive(self) -> Frame:
        try:
            cap = self.limits.reply_bytes if self._pool.walls.reply else NO_CAP
            return wire.read_frame(self._stream, cap, self._wait)
        except wire.TooLargeError:
            raise Stopped("output limit") from None
        except wire.WireError:
            raise Stopped("crashed") from None

    def _set_deadlines(self) -> None:
        walls = self._pool.walls
        cpu = self.cpu_seconds + self.limits.cpu_seconds if walls.cpu_time else math.inf
        wall = time.monotonic() + self.limits.wall_seconds if walls.wall_clock else math.inf
        self._deadlines = (cpu, wall)

    def _wait(self, writing: bool) -> None:
        """Return when the socket is ready; raise `Stopped` when time is up, also for a job that trickles."""
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT if writing else select.POLLIN)
        while True:
            cpu_left = self._deadlines[0] - self.cpu_seconds
            wall_left = self._deadlines[1] - time.monotonic()
            if cpu_left <= 0:
                raise Stopped("time limit")
            if wall_left <= 0:
                raise Stopped("wall clock")
            # Processor time runs at most as fast as all cores together.
            patience = min(max(cpu_left / (os.cpu_count() or 1), SHORTEST_WAIT), wall_left, LONGEST_WAIT)
            if poll.poll(math.ceil(patience * 1000)):
                return


def _is_over(handle: int, seconds: float) -> bool:
    """True as soon as the process behind a pidfd has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _pid_of(handle: int) -> int:
    """The process behind a pidfd, numbered as this process sees it."""
    with open(f"/proc/self/fdinfo/{handle}", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))


def _packed(pieces: Sequence[Piece], *, fresh: bool) -> Tree:
    # Sources travel as bytes: text in a tree is cut when it is long.
    sources = [piece.source.encode("utf-8", "replace") for piece in pieces]
    return {
        "fresh": fresh,
        "labels": [piece.label for piece in pieces],
        "lines": [piece.line for piece in pieces],
        "lengths": [len(source) for source in sources],
        "source": np.array(bytearray(b"".join(sources)), np.uint8),
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Stopped("crashed")
    return value[:MAX_TEXT]


def _code_error(tree: Tree) -> CodeError:
    match tree:
        case {"type": kind, "message": message, "label": label, "line": int(line), "text": text, "step": step}:
            line = min(max(int(line), 0), 1 << 31)
            return CodeError(_text(kind), _text(message), _text(label), line, _text(text), _text(step))
    raise Stopped("crashed")


def _tree(frame: Frame) -> Tree:
    try:
        tree = frame.tree()
    except wire.WireError:
        raise Stopped("crashed") from None
    match tree:
        case {"stopped": "memory limit" | "output limit" as reason}:
            raise Stopped(reason)
    return tree


def _played(asked: _Observed, frame: Frame) -> Played:
    small = len(frame.header) + len(frame.body) <= WORTH_KEEPING
    return (_understood_before if small else _understood)(asked, frame)


def _understood(asked: _Observed, frame: Frame) -> Played:
    match _tree(frame):
        case {"seen": dict(seen), "error": None} if seen.keys() == asked.labels:
            return Played(asked.case, frame, seen, None)
        case {"seen": None, "error": dict(error)}:
            return Played(asked.case, frame, None, _code_error(error))
    raise Stopped("crashed")


# In a class, most answers to a case are right, and the same to the last bit.
_understood_before = lru_cache(KEPT_REPLIES)(_understood)
