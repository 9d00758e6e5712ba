"""`environment()` says in plain words how a computer is, and what to do where it is not well."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from course_lib import environment_messages as messages
from course_lib.environment import Card, Line, Report, Situation, environment, examine, lines
from course_lib.widgets._heartbeat import Heartbeat

WELL = Situation(
    python=(3, 11, 4),
    numpy="2.4.6",
    torch="2.13.0",
    card=Card(threads=8),
    journal=Path("journal.jsonl"),
)


def line(what: str, **changes: Any) -> Line:
    """One line about a computer on which all is well but for these changes."""
    return next(found for found in lines(replace(WELL, **changes)) if found.what == what)


def test_a_healthy_computer_has_nothing_to_mend() -> None:
    """Every line is well; only the browser can say how looks are, so that line waits for it."""
    found = lines(WELL)
    assert {item.state for item in found if item.what != messages.LOOKS} == {"well"}
    assert Report(found).headline == messages.ALL_WELL
    assert "8 threads" in line(messages.DEVICE).says


@pytest.mark.parametrize(
    ("what", "changes", "says", "todo"),
    [
        (messages.PYTHON, {"python": (3, 9, 2)}, "3.9.2 is too old", "Install Python 3.11"),
        (messages.NUMPY, {"numpy": ""}, "not installed", "make lab"),
        (messages.NUMPY, {"numpy": "1.26.4"}, "1.26.4", "make lab"),
        (messages.TORCH, {"torch": "", "card": None}, "not installed", "make lab"),
        (messages.TORCH, {"torch_error": "libc10.so: bad file", "card": None}, "libc10.so: bad file", "make lab"),
        (messages.LOOKS, {"missing": ("anywidget",)}, "anywidget", "make lab"),
        (messages.JOURNAL, {"journal_error": "no space"}, "no space", "COURSE_JOURNAL=FILE"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_well_says_what_to_do(what: str, changes: dict[str, Any], says: str, todo: str) -> None:
    """The line names the trouble and the way out, and the headline counts it."""
    found = line(what, **changes)
    assert found.state == "mend"
    assert says in found.says
    assert todo in found.todo
    assert Report(lines(replace(WELL, **changes))).headline == messages.ONE_TO_MEND


@pytest.mark.parametrize(
    ("card", "state", "says", "todo"),
    [
        (Card(name="NVIDIA H200", cuda=True, driver=True), "well", "NVIDIA H200", ""),
        (Card(threads=1), "well", "1 thread)", ""),
        (Card(apple=True), "well", "Apple", ""),
        (Card(driver=True, cuda=True), "note", "cannot use it", "nvidia-smi"),
        (Card(driver=True), "note", "cannot use it", "without CUDA"),
        (None, "note", "have to be asked", ""),
    ],
)
def test_graphics_are_never_a_fault(card: Card | None, state: str, says: str, todo: str) -> None:
    """Each kind of computer gets its sentence, and none is asked to buy a graphics card."""
    found = line(messages.DEVICE, card=card)
    assert (found.state, says in found.says, todo in found.todo) == (state, True, True)


def test_a_journal_that_is_off_is_no_fault() -> None:
    """It is said, with the way to keep one."""
    found = line(messages.JOURNAL, journal=None)
    assert (found.state, "COURSE_JOURNAL" in found.todo) == ("note", True)


def test_this_computer_can_be_examined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real look around finds what these tests run with, and leaves nothing behind."""
    monkeypatch.setenv("COURSE_JOURNAL", str(tmp_path / "new" / "journal.jsonl"))
    found = examine()
    assert found.torch and found.numpy and found.card is not None and found.missing == ()
    assert (found.journal, found.journal_error) == (tmp_path / "new" / "journal.jsonl", "")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("COURSE_JOURNAL", str(tmp_path))
    assert examine().journal_error
    monkeypatch.setenv("COURSE_JOURNAL", "off")
    assert examine().journal is None


class _Rows(HTMLParser):
    """Collects the texts of table cells, and the words for marks."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.marks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the word behind a mark."""
        self.marks += [value or "" for name, value in attrs if name == "aria-label"]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def test_the_table_escapes_and_names_its_marks() -> None:
    """What a computer calls itself cannot become markup, and every mark has a word for screen readers."""
    report = Report(lines(replace(WELL, torch_error="<script>alert(1)</script>", card=None)))
    rows = _Rows()
    rows.feed(report._repr_html_())
    assert "<script>" not in report._repr_html_()
    assert any("<script>alert(1)</script>" in text for text in rows.texts)
    assert rows.marks == [messages.WELL, messages.WELL, messages.MEND, messages.NOTE, messages.NOTE, messages.WELL]
    assert repr(report).count("\n") == len(report.lines)


def test_python_answers_the_browser() -> None:
    """The table asks, Python answers; where no browser asks, HTML and text say that looks are still."""
    table = environment()
    assert isinstance(table, Heartbeat)
    table.beat = 7
    assert table.answer == 7
    data, _ = table._repr_mimebundle_()
    assert messages.LOOKS_STILL in data["text/plain"]
    assert messages.LOOKS_STILL in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_without_its_packages_the_table_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the widget cannot be made, the table still comes, and says so."""
    monkeypatch.setattr("course_lib.environment.examine", lambda: replace(WELL, missing=("anywidget",)))
    shown = environment()
    assert isinstance(shown, Report)
    assert "anywidget" in repr(shown)
