"""The store of finished verdicts: one SQLite file, written by one process, keyed by content.

A verdict is kept under everything that decided it, so the same submission always gets the same one, a killed
run continues where it stopped, and a second run costs nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.course import Outcome, Report, Status, Verdict
from autograder.folders import CourseError

_TABLES = """
CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, report TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS latest (lesson TEXT, learner TEXT, report TEXT NOT NULL, PRIMARY KEY (lesson, learner));
"""


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

    def put(self, report: Report, keep: bool) -> None:
        """Note a learner's latest report, and keep it under its key when it may be used again."""
        text = json.dumps(report_to_json(report))
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")
            if keep:
                database.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?)", (report.key, text))
            database.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", (report.lesson, report.learner, text))
            database.execute("COMMIT")

    def latest(self, lesson: str) -> list[Report]:
        """The latest report of every learner of a lesson, by learner."""
        with closing(self._connect()) as database:
            rows = database.execute("SELECT report FROM latest WHERE lesson = ? ORDER BY learner", (lesson,)).fetchall()
        return [report_from_json(json.loads(text)) for (text,) in rows]


def report_to_json(report: Report) -> dict[str, Any]:
    """A report as JSON-able data, for the store and for ``--json``."""
    facts = asdict(report)
    facts["points"], facts["max_points"] = report.points, report.max_points
    for verdict in facts["verdicts"]:
        verdict["verdict"] = verdict.pop("outcome")
    return facts


def report_from_json(facts: Mapping[str, Any]) -> Report:
    """The inverse of `report_to_json`."""
    verdicts = tuple(
        Verdict(outcome=Outcome(item["verdict"]), **{k: v for k, v in item.items() if k != "verdict"})
        for item in facts["verdicts"]
    )
    plain = {name: facts[name] for name in ("learner", "lesson", "reason", "key", "seconds")}
    return Report(status=Status(facts["status"]), verdicts=verdicts, **plain)
