"""`solution("adam_step")`: shows one way to solve an exercise, after honest attempts or at once with a mark.

The answers are those of the course's own ``solutions/``, which lies beside this package in the full course and is
not in the class edition. Inside the walls this module does not exist.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from course_lib import journal, messages
from course_lib.attempts import honest, is_pass
from course_lib.casefile import read_names
from course_lib.exam import CASES, lesson_of, load_questions
from course_lib.journal import Event
from course_lib.report import CheckReport, show

ATTEMPTS = 3
_FIRST_OFFER = 2
_SOLUTIONS = Path(__file__).parent.parent / "solutions"
_MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")


@dataclass(frozen=True)
class Solution:
    """One way to solve an exercise; notebooks show its code in colours."""

    title: str
    code: str

    def __repr__(self) -> str:
        return f"{self.title}\n\n{self.code}"

    def _repr_markdown_(self) -> str:
        # As Markdown the code gets the colours of the page around it, on a dark screen too.
        return f"{self.title}\n\n```python\n{self.code}\n```"


def solution(name: str, *, now: bool = False) -> None:
    """Show one way to solve an exercise or question.

    Shown when it is passed, when it was shown before, or after three honest attempts: checks that failed, each
    with other code.

    Args:
        name: id of the exercise or question, in quotes.
        now: show it at once. Your journal keeps that it was seen.
    """
    lesson = lesson_of(name) if isinstance(name, str) else None
    if lesson is None:
        print(_unknown(name))
        return
    code = _code_of(lesson, name)
    if code is None:
        print(messages.SOLUTION_NOT_HERE.format(name=name))
        return
    events = _events_of(name)
    if not any(is_pass(event) or event.kind == "revealed" for event in events or ()):
        enough = events is not None and honest(events) >= ATTEMPTS
        if not (now or enough):
            print(_wait(name, events))
            return
        journal.record("revealed", lesson=lesson, exercise=name, honest=enough)
    template = messages.SOLUTION_TITLE_QUESTION if name in load_questions(lesson) else messages.SOLUTION_TITLE
    show(Solution(template.format(name=name), code))


def with_way_out(report: CheckReport) -> CheckReport:
    """The report of a failed check, after the second honest attempt with a line that says where help is."""
    if report.passed or report.finding is None:
        return report
    events = _events_of(report.name) or ()
    count = honest(events)
    if count < _FIRST_OFFER or any(is_pass(event) for event in events):
        return report
    template = _offer(report, enough=count >= ATTEMPTS)
    return replace(report, way_out=template.format(name=report.name, needed=ATTEMPTS))


def _offer(report: CheckReport, *, enough: bool) -> str:
    question = report.finding is not None and report.finding.question
    if not _notebook(report.lesson).exists():
        # Questions have no hints, and a class has no solutions.
        return "" if question else messages.STUCK_CLASS
    if question:
        return messages.STUCK_QUESTION_ENOUGH if enough else messages.STUCK_QUESTION
    return messages.STUCK_ENOUGH if enough else messages.STUCK


def _events_of(name: str) -> Sequence[Event] | None:
    """The events of an exercise; None where none can be known."""
    try:
        return journal.load(exercise=name).events if journal.is_on() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _wait(name: str, events: Sequence[Event] | None) -> str:
    if events is None:
        return messages.SOLUTION_NO_JOURNAL.format(name=name)
    left = ATTEMPTS - honest(events)
    template = messages.SOLUTION_WAIT_ONE if left == 1 else messages.SOLUTION_WAIT
    return template.format(name=name, left=left)


def _unknown(name: Any) -> str:
    given = name if isinstance(name, str) else getattr(name, "__name__", "")
    known = [known for path in sorted(CASES.glob("*.safetensors")) for known in read_names(path)]
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.0)
    return messages.SOLUTION_UNKNOWN.format(name=given, near=(near or ["sigmoid"])[0])


def _notebook(lesson: str) -> Path:
    return _SOLUTIONS / lesson / f"{lesson}.ipynb"


def _code_of(lesson: str, name: str) -> str | None:
    """The answer cell without the marks that release needs; None when it is not here."""
    try:
        cells = json.loads(_notebook(lesson).read_bytes())["cells"]
    except (OSError, ValueError, KeyError):
        return None
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
            lines = "".join(cell["source"]).split("\n")
            return "\n".join(line for line in lines if not line.strip().startswith(_MARKERS)).strip()
    return None
