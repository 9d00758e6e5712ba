"""The learner's journal: what was tried and when, in one file on this computer. Nothing of it is uploaded.

One line of JSON per event (`docs/json.md` describes them). Lines are only ever added, each in one write, so several
notebooks may write at once. The environment variable ``COURSE_JOURNAL`` names another file, or is ``off``. What
leaves `read` was written by this computer's user and decides nothing that counts: it is never graded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import platformdirs

from course_lib import messages

VERSION = 1
VARIABLE = "COURSE_JOURNAL"
OFF = "off"
_NAME = "journal.jsonl"
# Windows would turn line ends into two characters.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_said: set[str] = set()


@dataclass(frozen=True)
class Event:
    """One line of the journal.

    Args:
        at: when, in UTC.
        kind: ``passed``, ``failed``, ``answered``, ``revealed`` or ``reviewed``; newer programs may write others.
        lesson: id of the lesson.
        exercise: id of the exercise or question.
        facts: what else is known, by name; which, depends on the kind.
    """

    at: datetime
    kind: str
    lesson: str
    exercise: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Journal:
    """All events that could be read, the earliest first, and how many lines could not."""

    events: tuple[Event, ...]
    damaged: int = 0


def path() -> Path:
    """Where the journal is: ``COURSE_JOURNAL``, or a file in the user's own data folder; nowhere when it is off."""
    named = os.environ.get(VARIABLE, "").strip()
    if named.lower() == OFF:
        return Path(os.devnull)
    return Path(named).expanduser() if named else platformdirs.user_data_path("deep-learning-course", False) / _NAME


def is_on() -> bool:
    """Is anything written down? False when ``COURSE_JOURNAL`` is ``off``."""
    return path() != Path(os.devnull)


def record(kind: str, *, lesson: str, exercise: str, **facts: Any) -> None:
    """Add one event. Never raises: a full disk says so once, and the check goes on.

    Args:
        kind: see `Event`.
        lesson: id of the lesson.
        exercise: id of the exercise or question.
        **facts: plain data.
    """
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    event = {"v": VERSION, "at": at, "kind": kind, "lesson": lesson, "exercise": exercise, "facts": facts}
    where = None
    try:
        where = path()
        if is_on():
            _append(where, json.dumps(event, default=str))
    # RuntimeError: nobody knows where this user's home is. ValueError: a name that no file can have.
    except (OSError, RuntimeError, ValueError) as error:
        _say_once(messages.JOURNAL_NOT_WRITTEN.format(path=where or "", why=getattr(error, "strerror", None) or error))


def _append(where: Path, line: str) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(where, _FLAGS, 0o600)
    try:
        # A line that was cut off, by a full disk say, must not take the next one with it.
        size = os.fstat(descriptor).st_size
        cut = size > 0 and os.lseek(descriptor, -1, os.SEEK_END) >= 0 and os.read(descriptor, 1) != b"\n"
        os.write(descriptor, (b"\n" if cut else b"") + line.encode("ascii") + b"\n")
    finally:
        os.close(descriptor)


def _say_once(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        print(sentence)


def read(path: Path | None = None) -> list[Event]:
    """All events that can be read, the earliest first; none when there is no journal.

    Args:
        path: another file.

    Raises:
        OSError: there is a file, and it cannot be read.
    """
    return list(load(path).events)


def load(where: Path | None = None, *, exercise: str = "") -> Journal:
    """The journal, and how many of its lines are damaged.

    Args:
        where: another file.
        exercise: only this one's events; far faster in a long journal. Damage is then not counted.

    Raises:
        OSError: there is a file, and it cannot be read.
    """
    try:
        content = (where or path()).read_bytes()
    except FileNotFoundError:
        return Journal(())
    if exercise:
        lines = _lines_with(json.dumps(exercise).encode("ascii"), content)
        return Journal(_sorted(event for event in map(_parse, lines) if event and event.exercise == exercise))
    lines = [line for line in content.split(b"\n") if line.strip()]
    events = _sorted(event for event in map(_parse, lines) if event)
    return Journal(events, len(lines) - len(events))


def _lines_with(wanted: bytes, content: bytes) -> Iterator[bytes]:
    found = content.find(wanted)
    while found >= 0:
        start, end = content.rfind(b"\n", 0, found) + 1, content.find(b"\n", found)
        end = len(content) if end < 0 else end
        yield content[start:end]
        found = content.find(wanted, end)


def _sorted(events: Iterator[Event]) -> tuple[Event, ...]:
    # Two notebooks write at once, and clocks are set back.
    return tuple(sorted(events, key=lambda event: event.at))


def _parse(line: bytes) -> Event | None:
    """One line, or None when it is damaged. Keys that a newer program added are left alone."""
    try:
        found = json.loads(line)
        at = datetime.fromisoformat(found["at"])
        names = [found[name] for name in ("kind", "lesson", "exercise")]
        facts = found.get("facts", {})
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return None
    if at.tzinfo is None or not all(isinstance(name, str) for name in names) or not isinstance(facts, dict):
        return None
    return Event(at.astimezone(UTC), *names, facts)


def forget() -> bool:
    """Delete the journal; False when there was none.

    Raises:
        OSError: it cannot be deleted.
    """
    try:
        if is_on():
            path().unlink()
            return True
    except FileNotFoundError:
        pass
    return False
