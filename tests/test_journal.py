"""The journal: nothing is lost, nothing breaks a check, and nothing leaves the file it is told to use."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from course_lib import journal


def test_what_is_recorded_is_read_again(journal_file):
    """Kind, lesson, exercise, facts and the time of writing come back."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    journal.record("failed", lesson="01_xor_mlp", exercise="sigmoid", mistake=None, sentence="Ω")
    (event,) = journal.read()
    assert (event.kind, event.lesson, event.exercise) == ("failed", "01_xor_mlp", "sigmoid")
    assert event.facts == {"mistake": None, "sentence": "Ω"}
    assert before <= event.at <= datetime.now(UTC)
    assert journal_file.stat().st_mode & 0o077 == 0


def test_the_variable_names_the_file(monkeypatch, tmp_path):
    """COURSE_JOURNAL is obeyed; without it the journal lies in the user's own data folder."""
    monkeypatch.setenv("COURSE_JOURNAL", str(tmp_path / "new" / "mine.jsonl"))
    journal.record("passed", lesson="l", exercise="e")
    assert len(journal.read(tmp_path / "new" / "mine.jsonl")) == 1
    monkeypatch.delenv("COURSE_JOURNAL")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert journal.path().name == "journal.jsonl"
    assert "deep-learning-course" in journal.path().parts


def test_off_means_off(monkeypatch):
    """With COURSE_JOURNAL=off nothing is written, read or deleted."""
    monkeypatch.setenv("COURSE_JOURNAL", "off")
    journal.record("passed", lesson="l", exercise="e")
    assert journal.read() == []
    assert not journal.forget()
    assert not journal.is_on()


def test_notebooks_that_write_at_once_lose_nothing(journal_file, monkeypatch):
    """Another notebook writes while this one is about to: both lines are there and whole."""
    read = os.read

    def interrupted(*arguments):
        monkeypatch.setattr(os, "read", read)
        journal.record("passed", lesson="l", exercise="other", padding="x" * 300)
        return read(*arguments)

    journal.record("passed", lesson="l", exercise="first")
    monkeypatch.setattr(os, "read", interrupted)
    journal.record("passed", lesson="l", exercise="mine")
    kept = journal.load()
    assert sorted(event.exercise for event in kept.events) == ["first", "mine", "other"]
    assert kept.damaged == 0


def test_a_damaged_line_costs_only_itself(journal_file):
    """Lines that are no events are counted and left in the file; the rest is read."""
    journal.record("passed", lesson="l", exercise="a")
    with journal_file.open("ab") as file:
        file.write(b'\xff\xfe\nnull\n[]\n{"at": "yesterday"}\n' + b"[" * 100_000 + b"\n\n")
        file.write(b'{"at": "2026-01-01T00:00:00", "kind": "passed", "lesson": "l", "exercise": "no zone"}\n')
        file.write(b'{"v": 1, "at": "2026-')
    journal.record("passed", lesson="l", exercise="b")
    kept = journal.load()
    assert [event.exercise for event in kept.events] == ["a", "b"]
    assert kept.damaged == 7


def test_a_newer_program_may_add_what_it_likes(journal_file):
    """Keys, kinds and versions of the future do not stand in the way."""
    line = {"v": 9, "at": "2030-01-01T10:00:00+02:00", "kind": "sung", "lesson": "l", "exercise": "e", "key": "C major"}
    journal_file.write_text(json.dumps(line) + "\n")
    assert journal.load() == journal.Journal((journal.Event(datetime(2030, 1, 1, 8, tzinfo=UTC), "sung", "l", "e"),))


def test_events_come_in_the_order_of_time(journal_file):
    """A clock that was set back does not confuse readers."""
    times = ["2026-01-02T00:00:00+00:00", "2026-01-01T00:00:00+00:00"]
    lines = [json.dumps({"at": at, "kind": "passed", "lesson": "l", "exercise": "e"}) for at in times]
    journal_file.write_text("\n".join(lines))
    assert [event.at.day for event in journal.read()] == [1, 2]


def test_one_exercise_is_found_among_others(journal_file):
    """Only the exercise's own name counts, wherever else it stands, and the last line needs no end."""
    for name in ("relu", "relu_forward", "relu"):
        journal.record("failed", lesson="l", exercise=name, mistake="relu")
    journal_file.write_bytes(journal_file.read_bytes().rstrip())
    assert [event.exercise for event in journal.load(exercise="relu").events] == ["relu", "relu"]


@pytest.mark.parametrize("bad", ["folder", "file/below", "name\0zero"])
def test_a_place_that_cannot_be_written_never_raises_and_says_so_once(bad, monkeypatch, tmp_path, capsys):
    """A folder in the way, a file as a folder, an impossible name: one sentence, and the check goes on."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(journal, "path", lambda: Path(f"{tmp_path}/{bad}"))
    for _ in range(2):
        journal.record("passed", lesson="l", exercise="e")
    assert capsys.readouterr().out.count("could not be written down") == 1


def test_a_full_disk_never_raises(monkeypatch, capsys):
    """What the system says about the disk is passed on."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    journal.record("passed", lesson="l", exercise="e")
    assert "No space left on device" in capsys.readouterr().out


def test_forget_deletes_the_file(journal_file):
    """Once; the second time there is nothing."""
    journal.record("passed", lesson="l", exercise="e")
    assert journal.forget()
    assert not journal_file.exists()
    assert not journal.forget()
