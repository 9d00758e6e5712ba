"""Whose a file is: how learning platforms name what they pack, and the roster that knows the learners' ids.

What enters: paths inside archives, and a CSV file of the instructor. What leaves: learners' ids that are safe as
names of folders, or a sentence. A learner chooses the end of a file's name, and on some platforms the own name:
where the roster has both name and number, both must agree.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder import collect_messages as messages
from autograder.archives import printable
from autograder.files import plain_name
from autograder.folders import CourseError
from autograder.intake import MAX_ID

# Moodle: Full Name_12345_assignsubmission_file_/FILE, or without a folder; the name has no underscore.
_MOODLE = re.compile(r"(?P<name>[^_/]+)_(?P<number>[0-9]+)_assignsubmission_(?P<kind>[a-z]+)(?:[_/]|$)")
# Canvas: lastfirst_LATE_12345_67890_FILE; the second number is the upload's, and grows. Names are in lower case.
_CANVAS = re.compile(r"(?P<name>.+?)_(?P<late>LATE_)?(?P<number>[0-9]{1,18})_(?P<upload>[0-9]{1,18})_(?=.)")
_CANVAS_ANONYMOUS = re.compile(r"(?P<name>)(?P<late>LATE_)?(?P<number>anon_[A-Za-z0-9]+)_(?P<upload>[0-9]{1,18})_(?=.)")


@dataclass(frozen=True)
class Sender:
    """Whose a file is, in the platform's words.

    Args:
        form: moodle, canvas or plain.
        name: as the platform writes it, or the folder's name.
        number: the platform's, or "". Moodle's is another one for every assignment.
        late: does the platform say that it was late?
        upload: Canvas: the upload's number.
        file: what the learner called the file; for a nested one, its path.
    """

    form: str
    name: str
    number: str = ""
    late: bool = False
    upload: int = 0
    file: str = field(default="", compare=False)

    @property
    def own_id(self) -> str:
        """The id that it gets without a roster."""
        return self.number if self.form == "canvas" else self.name

    def __str__(self) -> str:
        return f"{self.name} ({self.number})" if self.number and self.name else self.name or self.number


@dataclass(frozen=True)
class Row:
    """One line of a roster; `lms_id` or `name` may be empty, not both."""

    learner: str
    lms_id: str = ""
    name: str = ""


def sender_of(entry: str, lesson: str) -> Sender | None:
    """Whose an archive's entry is, from its path; None when nobody can tell."""
    first, *rest = entry.split("/")
    if match := _MOODLE.match(entry):
        sender = Sender("moodle", match["name"], match["number"], file=entry[match.end() :])
        return sender if match["kind"] == "file" else None
    if not rest:
        match = _CANVAS_ANONYMOUS.match(first) or _CANVAS.match(first)
        if match is None:
            return None
        named = (match["name"], match["number"], bool(match["late"]), int(match["upload"]))
        return Sender("canvas", *named, file=first[match.end() :])
    if len(rest) == 1 or (len(rest) == 2 and rest[0] == lesson):
        return Sender("plain", first, file=rest[-1])
    return None


def folded(text: str) -> str:
    """What two texts share that people, or other file systems, take for the same name.

    >>> folded("Zoe\\u0308") == folded("ZO\\u00cb")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class Roster:
    """Who is who.

    Args:
        rows: the lines.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)
        self._numbers = {row.lms_id: row for row in self._rows if row.lms_id}
        self._names: dict[str, list[Row]] = {}
        for row in self._rows:
            for spelling in _spellings(row.name):
                self._names.setdefault(spelling, []).append(row)
        self._learners = {folded(row.learner): row for row in self._rows}

    def learner(self, sender: Sender) -> str:
        """The learner's id.

        Raises:
            LookupError: nobody, or more than one; with the sentence.
        """
        if sender.form == "plain" and folded(sender.name) in self._learners:
            return self._learners[folded(sender.name)].learner
        number = sender.number if sender.form != "plain" else sender.name
        row = self._numbers.get(number)
        if sender.form == "moodle" and row is not None and row.name:
            # Moodle numbers everybody anew in each assignment: a number that fits by chance says nothing.
            row = None
        if row is None:
            named = self._names.get(_glued(sender.name), [])
            if len({row.learner for row in named}) > 1:
                raise LookupError(messages.SEVERAL_IN_ROSTER.format(who=sender))
            row = named[0] if named and (sender.form != "canvas" or not named[0].lms_id) else None
        elif row.name and sender.form == "canvas" and _glued(sender.name) not in _spellings(row.name):
            raise LookupError(messages.OTHER_NAME.format(number=number, known=row.name, name=sender.name))
        if row is None:
            raise LookupError(messages.NOT_IN_ROSTER.format(who=sender))
        return row.learner


def learner_id(text: str) -> str:
    """The text as an id that is safe as the name of a folder and fits nbgrader's tables.

    Raises:
        LookupError: it is not; with the sentence.
    """
    name = unicodedata.normalize("NFC", text)
    hidden = name.startswith(".") or name.endswith(".ipynb") or name != name.strip()
    # nbgrader makes patterns of ids.
    if hidden or printable(name) != name or set("\\*?[") & set(name) or len(name) > MAX_ID or len(name.encode()) > 255:
        raise LookupError(messages.NO_LEARNER_ID.format(learner=printable(text)[:MAX_ID]))
    try:
        return plain_name(name)
    except CourseError:
        raise LookupError(messages.NO_LEARNER_ID.format(learner=name)) from None


def load_roster(path: Path) -> Roster:
    """Read a roster: CSV with the columns `learner` and `lms_id` or `name`; others are ignored.

    Raises:
        CourseError: it cannot be read, or says two things about the same person.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(_rows(path, text))
    except (OSError, UnicodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or ("not UTF-8" if isinstance(error, UnicodeError) else str(error))
        raise CourseError(messages.NO_ROSTER.format(path=path, reason=reason)) from None
    if not rows:
        raise CourseError(messages.NO_ROSTER.format(path=path, reason="no rows"))
    return Roster(rows)


def _rows(path: Path, text: str) -> Iterator[Row]:
    header = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=max(",;\t", key=header.count))
    fields = [(field or "").strip().lower().replace(" ", "_") for field in reader.fieldnames or ()]
    if "learner" not in fields or not {"lms_id", "name"} & set(fields):
        raise CourseError(messages.NO_ROSTER.format(path=path, reason="columns are missing"))
    reader.fieldnames = fields
    seen: dict[str, str] = {}
    for record in reader:
        values = {key: (record.get(key) or "").strip() for key in ("learner", "lms_id", "name")}
        if any(values.values()):
            yield _checked(path, reader.line_num, Row(**values), seen)


def _checked(path: Path, line: int, row: Row, seen: dict[str, str]) -> Row:
    try:
        learner = learner_id(row.learner)
        if not row.lms_id and not row.name:
            raise LookupError("neither a number nor a name")
        for key in filter(None, (f"id {folded(learner)}", row.lms_id and f"number {row.lms_id}")):
            other = seen.setdefault(key, learner)
            if other != learner:
                raise LookupError(f"{key} is in an earlier line, too, for {other!r}")
    except LookupError as error:
        raise CourseError(messages.ROSTER_ROW.format(path=path, line=line, reason=error.args[0])) from None
    return Row(learner, row.lms_id, row.name)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded(name))


def _glued(name: str) -> str:
    return "".join(_words(name))


def _spellings(name: str) -> set[str]:
    """Canvas glues last and first name, Moodle has either order: every rotation of the words."""
    words = _words(name)
    return {"".join(words[place:] + words[:place]) for place in range(len(words))}
