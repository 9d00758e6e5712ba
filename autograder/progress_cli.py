"""`course progress`: parses, asks `course_lib`, prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from course_lib import messages

if TYPE_CHECKING:
    from rich.table import Table

    from course_lib.progress_table import Progress

EXAMPLE = "course progress --json"
BAR = 16

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def progress(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help=messages.PROGRESS_FORGET_HELP)] = False,
) -> None:
    """Show how far you are: exercises passed, time, mistakes not overcome yet, and what comes next.

    It comes from the journal that `check` keeps on this computer. Nothing of it is uploaded.
    """
    from course_lib.progress_table import current

    if forget:
        _forget()
        return
    shown = current()
    if as_json:
        print(json.dumps(as_data(shown), indent=1))
    elif shown.note:
        out.print(shown.note, markup=False)
    else:
        _print(shown)


def _forget() -> None:
    from course_lib import journal

    where = journal.path()
    if not where.is_file():
        out.print(messages.PROGRESS_NOTHING_TO_FORGET, markup=False)
        return
    err.print(messages.PROGRESS_ASK_FORGET.format(path=where), end="", markup=False, soft_wrap=True)
    if typer.get_text_stream("stdin").readline().strip().lower() not in ("y", "yes"):
        err.print(messages.PROGRESS_KEPT, markup=False)
        raise typer.Exit(1)
    journal.forget()
    out.print(messages.PROGRESS_FORGOTTEN.format(path=where), markup=False, soft_wrap=True)


def _print(shown: Progress) -> None:
    from course_lib.progress_table import parts

    out.print(_table(shown))
    for title, items in parts(shown):
        out.print()
        if title:
            out.print(title, style="bold", markup=False)
        for item in items:
            out.print(f"- {item}" if title else item, markup=False, soft_wrap=True)


def _table(shown: Progress) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    from course_lib.progress_table import row, share

    table = Table(title=messages.PROGRESS_TITLE, title_justify="left")
    lesson, exercises, questions, time = messages.PROGRESS_COLUMNS
    table.add_column(lesson)
    table.add_column("", width=BAR)
    for name in (exercises, questions, time):
        table.add_column(name, justify="right", no_wrap=True)
    for item in shown.standing.lessons:
        name, *facts = row(item)
        table.add_row(name, ProgressBar(total=1.0, completed=share(item), width=BAR), *facts)
    return table


def as_data(shown: Progress) -> dict[str, Any]:
    """The progress as plain data; `docs/json.md` says what the keys mean."""
    from dataclasses import asdict

    from course_lib import journal

    found = shown.standing
    lessons = [
        {
            "lesson": item.lesson,
            "exercises": len(item.contents.exercises),
            "exercises_passed": item.exercises_passed,
            "questions": len(item.contents.questions),
            "questions_passed": item.questions_passed,
            "seconds": round(item.seconds),
            "passed": list(item.passed),
            "solution_seen": list(item.seen),
        }
        for item in found.lessons
    ]
    return {
        "journal": str(journal.path()),
        "note": shown.note,
        "damaged": shown.damaged,
        "lessons": lessons,
        "not_overcome": [asdict(item) for item in found.obstacles],
        "next": dict(zip(("lesson", "exercise"), found.next, strict=True)) if found.next else None,
    }
