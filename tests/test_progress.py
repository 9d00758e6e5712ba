"""Long work that is watched: what people and programs see of it, and what Ctrl-C says."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from autograder import progress
from autograder.folders import CourseError
from autograder.progress import Stopped, Watch, long_work

STOPPED = "Stopped at {done} of {total}."


def screen(*, terminal: bool) -> Console:
    """A console that remembers what it shows."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)


def test_bar_says_how_far_it_is() -> None:
    """On a terminal people see title, count, rate, time left and failures so far."""
    console = screen(terminal=True)
    with long_work("Grading", 4, STOPPED, Watch(console)) as advance:
        for number in range(4):
            advance(failed=number == 1)
    shown = console.file.getvalue()
    assert all(words in shown for words in ("Grading", "4/4", "/s", "0:00:00", "failures: 1"))


def test_a_file_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be drawn over, a sentence says the same."""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    console = screen(terminal=False)
    with long_work("Grading", 2, STOPPED, Watch(console)) as advance:
        advance(failed=True)
    assert "Grading: 1 of 2," in console.file.getvalue()
    assert "failures: 1." in console.file.getvalue()


def test_nothing_is_shown_unasked() -> None:
    """With --json standard error stays empty."""
    console = screen(terminal=True)
    with long_work("Grading", 1, STOPPED, Watch(console, show=False)) as advance:
        advance()
    assert console.file.getvalue() == ""


def test_log_gets_a_line_at_once(tmp_path: Path) -> None:
    """A submission is in the log as soon as it is done; a second run adds to the file."""
    log = tmp_path / "log.jsonl"
    for learner in ("ada", "bea"):
        with long_work("Grading", 1, STOPPED, Watch(screen(terminal=True), log=log)) as advance:
            advance(learner=learner, points=2.0)
            advance()
            last = json.loads(log.read_text().splitlines()[-1])
            assert (last.pop("time")[-6:], last) == ("+00:00", {"learner": learner, "points": 2.0})
    assert len(log.read_text().splitlines()) == 2


def test_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Before any work is done, a sentence says so."""
    with (
        pytest.raises(CourseError, match="--log"),
        long_work("Grading", 1, STOPPED, Watch(screen(terminal=True), log=tmp_path)),
    ):
        pytest.fail("work began")


def test_ctrl_c_says_how_to_go_on() -> None:
    """Ctrl-C ends the work with a sentence that counts what was done, and the exit code that shells expect."""
    with (
        pytest.raises(Stopped, match=r"Stopped at 1 of 3\.") as stopped,
        long_work("Grading", 3, STOPPED, Watch(screen(terminal=True))) as advance,
    ):
        advance()
        raise KeyboardInterrupt
    assert stopped.value.exit_code == 130
