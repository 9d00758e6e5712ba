"""The store of finished verdicts: one SQLite file, written by one process, keyed by content.

A verdict is kept under everything that decided it, so the same submission always gets the same one, a killed
run continues where it stopped, and a second run costs nothing.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from autograder.course import Outcome, Report, Status, Verdict
from autograder.folders import CourseError

PIECE = 200
_UNPUBLISH = "DELETE FROM published WHERE lesson = ? AND learner = ?"
_TABLES = """
CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, report TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS latest (lesson TEXT, learner TEXT, report TEXT NOT NULL, PRIMARY KEY (lesson, learner));
CREATE TABLE IF NOT EXISTS published (lesson TEXT, learner TEXT, file TEXT, page TEXT, PRIMARY KEY (lesson, learner));
"""


@dataclass(frozen=True)
class Published:
    """What was published of a learner's latest report.

    Args:
        report: the report.
        file: mark of the submitted file (`file_marks`).
        page: mark of what the page was made from (`feedback.page_mark`).
    """

    report: Report
    file: str
    page: str


class VerdictStore:
    """Reports by key.

    Args:
        path: the SQLite file; made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        try:
            with closing(self._connect()) as database:
                # WAL: a reader never waits for the writer, and a kill between two commits loses neither.
                database.execute("PRAGMA journal_mode=WAL")
                database.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise CourseError(f"{path} cannot be used ({error}). Move it away: verdicts will be made again.") from None

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level=None)

    def get(self, key: str) -> Report | None:
        """The report kept under a key, or None."""
        with closing(self._connect()) as database:
            row = database.execute("SELECT report FROM verdicts WHERE key = ?", (key,)).fetchone()
        return report_from_json(json.loads(row[0])) if row else None

    def kept(self, lesson: str, learner: str) -> Report | None:
        """A learner's latest report, as it was kept under its key, or None when it may not be used again."""
        query = (
            "SELECT verdicts.report FROM latest JOIN verdicts ON key = json_extract(latest.report, '$.key')"
            " WHERE lesson = ? AND learner = ?"
        )
        with closing(self._connect()) as database:
            row = database.execute(query, (lesson, learner)).fetchone()
        return report_from_json(json.loads(row[0])) if row else None

    def latest_of(self, lesson: str, learner: str) -> Report | None:
        """A learner's latest report, or None."""
        with closing(self._connect()) as database:
            query = "SELECT report FROM latest WHERE lesson = ? AND learner = ?"
            row = database.execute(query, (lesson, learner)).fetchone()
        return report_from_json(json.loads(row[0])) if row else None

    def put(self, report: Report, keep: bool) -> None:
        """Note a learner's latest report, and keep it under its key when it may be used again."""
        text = json.dumps(report_to_json(report))
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            if keep:
                database.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (report.key, text))
            database.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", (report.lesson, report.learner, text))
            database.execute(_UNPUBLISH, (report.lesson, report.learner))
            database.execute("COMMIT")

    def keep(self, report: Report) -> None:
        """Keep a report under its key; a learner's latest stays what it is."""
        text = json.dumps(report_to_json(report))
        with closing(self._connect()) as database:
            database.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (report.key, text))

    def replace_latest(self, reports: Iterable[Report]) -> None:
        """Note the latest report of many learners: all of them, or none."""
        rows = [(report.lesson, report.learner, json.dumps(report_to_json(report))) for report in reports]
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", rows)
            database.executemany(_UNPUBLISH, [row[:2] for row in rows])
            database.execute("COMMIT")

    def note_published(self, lesson: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Note that the latest reports are in gradebook and pages: learner, mark of the file, mark of the page."""
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT OR REPLACE INTO published VALUES (?, ?, ?, ?)", [(lesson, *row) for row in rows]
            )
            database.execute("COMMIT")

    def published(self, lesson: str, learners: Sequence[str]) -> dict[str, Published]:
        """What was published of these learners, up to a few hundred; a report that came later takes it away."""
        query = (
            "SELECT learner, report, file, page FROM published JOIN latest USING (lesson, learner)"
            f" WHERE lesson = ? AND learner IN ({', '.join('?' * len(learners))})"
        )
        with closing(self._connect()) as database:
            rows = database.execute(query, (lesson, *learners)).fetchall()
        return {row[0]: Published(report_from_json(json.loads(row[1])), *row[2:]) for row in rows}

    def latest(self, lesson: str) -> list[Report]:
        """The latest report of every learner of a lesson, by learner."""
        return list(self.each_latest(lesson))

    def each_latest(self, lesson: str) -> Iterator[Report]:
        """The same one by one: of a hundred thousand only a few are in memory at a time."""
        query = "SELECT learner, report FROM latest WHERE lesson = ? AND learner > ? ORDER BY learner LIMIT ?"
        last = ""
        while True:
            # Read in pieces, so that nobody who writes waits for a reader that is slow.
            with closing(self._connect()) as database:
                rows = database.execute(query, (lesson, last, PIECE)).fetchall()
            if not rows:
                return
            yield from (report_from_json(json.loads(text)) for _, text in rows)
            last = rows[-1][0]

    def count(self, lesson: str) -> int:
        """How many learners have a report."""
        with closing(self._connect()) as database:
            return database.execute("SELECT count(*) FROM latest WHERE lesson = ?", (lesson,)).fetchone()[0]


def report_to_json(report: Report) -> dict[str, Any]:
    """A report as JSON-able data, for the store and for ``--json``."""
    facts = asdict(report)
    facts["points"], facts["max_points"] = report.points, report.max_points
    for verdict in facts["verdicts"]:
        verdict["verdict"] = verdict.pop("outcome")
    return facts


def report_from_json(facts: Mapping[str, Any]) -> Report:
    """The inverse of `report_to_json`.

    Fields that were not yet there when it was written have their defaults; keys that nobody knows are passed over.
    """
    verdicts = tuple(Verdict(outcome=Outcome(item["verdict"]), **_known(item, Verdict)) for item in facts["verdicts"])
    plain = _known({name: value for name, value in facts.items() if name not in ("status", "verdicts")}, Report)
    return Report(status=Status(facts["status"]), verdicts=verdicts, **plain)


_FIELDS = {kind: [field.name for field in fields(kind)] for kind in (Report, Verdict)}


# The same in many reports: in a large class each is in memory once.
_REPEATED = frozenset("exercise lesson message mistake numpy torch case seed expected judge environment".split())


def _known(facts: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    known = {name: facts[name] for name in _FIELDS[kind] if name in facts}
    return {name: sys.intern(x) if name in _REPEATED and isinstance(x, str) else x for name, x in known.items()}
