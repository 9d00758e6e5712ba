"""The store: what was put is there, after kills, beside readers, to the last field."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Outcome, Report, Status, Verdict
from autograder.folders import CourseError
from autograder.verdicts import VerdictStore, report_from_json, report_to_json

ROOT = Path(__file__).parent.parent
AGREEMENTS = st.sampled_from(["agrees", "differs", "not compared"])
NUMBERS = st.floats(0, 100)
TEXT = st.text()
VERDICTS = st.builds(
    Verdict, TEXT, st.sampled_from(Outcome), NUMBERS, NUMBERS, TEXT, st.none() | TEXT, AGREEMENTS, AGREEMENTS,
    NUMBERS, TEXT,
)  # fmt: skip
REPORTS = st.builds(
    Report, TEXT, TEXT, st.sampled_from(Status), st.lists(VERDICTS, max_size=3).map(tuple), TEXT, TEXT, NUMBERS
)  # fmt: skip
VERDICT = Verdict(
    "sigmoid", Outcome.UNSTABLE, 1.5, 2.0, "Large inputs break it.", "overflow", "agrees", "differs", 0.25, "far"
)
REPORT = Report("ada", "01_x", Status.GRADED, (VERDICT, replace(VERDICT, exercise="mlp", mistake=None)), "", "key", 0.5)
WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from autograder.course import Report, Status
from autograder.verdicts import VerdictStore
store = VerdictStore(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 10**9):
    store.put(Report(f"learner{number}", "01_x", Status.GRADED, (), "x" * 2000, f"key{number}"), True)
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> VerdictStore:
    """An empty store."""
    return VerdictStore(tmp_path / "run" / "verdicts.db")


def writer(path: Path, start: int) -> subprocess.Popen[str]:
    """A process that puts one report after another and says when each is in."""
    command = [sys.executable, "-c", WRITER, str(path), str(start)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


def test_kept_report_comes_back(store: VerdictStore) -> None:
    """A kept report is found under its key with every field; another key finds nothing."""
    store.put(REPORT, True)
    assert store.get("key") == REPORT
    assert store.get("other") is None


def test_unkept_report_is_only_the_latest(store: VerdictStore) -> None:
    """A report that may not be used again is a learner's latest, and is found under no key."""
    store.put(REPORT, False)
    assert store.get("key") is None
    assert store.latest("01_x") == [REPORT]


def test_latest_replaces_the_one_before(store: VerdictStore) -> None:
    """Of each learner and lesson the newest report counts, by learner; older keys are still known."""
    newer = replace(REPORT, key="newer", verdicts=())
    for report in (REPORT, replace(REPORT, learner="Bob"), newer, replace(REPORT, lesson="02_y")):
        store.put(report, True)
    assert [(report.learner, report.key) for report in store.latest("01_x")] == [("Bob", "key"), ("ada", "newer")]
    assert store.get("newer") == newer
    assert store.get("key").lesson == "02_y"
    assert store.latest("03_z") == []


@given(REPORTS)
def test_any_report_survives_json(report: Report) -> None:
    """Every report comes back equal from text; sums are in the text for others to read."""
    facts = json.loads(json.dumps(report_to_json(report)))
    assert report_from_json(facts) == report
    assert (facts["points"], facts["max_points"]) == (report.points, report.max_points)


def test_json_uses_the_words_of_the_docs() -> None:
    """In JSON an outcome is called verdict, and is the word that people read."""
    facts = report_to_json(REPORT)
    assert facts["verdicts"][0]["verdict"] == "unstable"
    assert "outcome" not in facts["verdicts"][0]
    assert facts["status"] == "graded"


def test_unknown_words_are_refused() -> None:
    """A report with an outcome that nobody knows is not believed."""
    facts = report_to_json(REPORT)
    facts["verdicts"][0]["verdict"] = "brilliant"
    with pytest.raises(ValueError, match="brilliant"):
        report_from_json(facts)


def test_store_is_there_for_the_next_process(store: VerdictStore, tmp_path: Path) -> None:
    """A second store on the same file sees what the first kept."""
    store.put(REPORT, True)
    assert VerdictStore(tmp_path / "run" / "verdicts.db").get("key") == REPORT


def test_kills_lose_nothing(tmp_path: Path) -> None:
    """Killed at any moment, again and again, the store still holds every report that was put, and each of them once."""
    path, done = tmp_path / "verdicts.db", -1
    for kill in range(4):
        process = writer(path, done + 1)
        wanted = done + 1 + random.Random(kill).randrange(5, 40)
        while done < wanted:
            done = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        done = max([done, *(int(line) for line in rest.split("\n")[:-1])])
        assert process.returncode == -signal.SIGKILL
    store = VerdictStore(path)
    latest = {report.learner: report for report in store.latest("01_x")}
    assert set(latest) >= {f"learner{number}" for number in range(done + 1)}
    assert len(latest) <= done + 1 + 4
    assert all(store.get(f"key{number}") == latest[f"learner{number}"] for number in range(done + 1))
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_readers_beside_a_writer(tmp_path: Path) -> None:
    """While one process writes, others read whole reports and are never told to wait."""
    path = tmp_path / "verdicts.db"
    process, counts = writer(path, 0), []
    try:
        process.stdout.readline()
        store, started = VerdictStore(path), time.monotonic()
        while len(counts) < 40 or counts[-1] == counts[0]:
            reports = store.latest("01_x")
            assert all(len(report.reason) == 2000 for report in reports)
            counts.append(len(reports))
            assert time.monotonic() - started < 30
    finally:
        process.kill()
        process.communicate()
    assert counts == sorted(counts)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_many_open_at_once(tmp_path: Path) -> None:
    """Workers that open a new store at the same moment all succeed."""
    code = "from autograder.verdicts import *; import sys; VerdictStore(Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "run" / "v.db")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    assert [process.communicate()[1] for process in running] == [""] * 8


def test_damaged_store_is_named(tmp_path: Path) -> None:
    """A file that is no store is refused with a sentence that says what to do."""
    (tmp_path / "v.db").write_text("this is not a database, whatever it is called" * 50)
    with pytest.raises(CourseError, match=r"v\.db cannot be used .* Move it away: verdicts will be made again\."):
        VerdictStore(tmp_path / "v.db")
