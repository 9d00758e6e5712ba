"""`course review`: parses, asks `autograder.review`, prints."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from autograder import review_messages as messages
from autograder.folders import Folders

if TYPE_CHECKING:
    from autograder.review import Due

EXAMPLE = "course review --minutes 20"

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def review(
    minutes: Annotated[int, typer.Option(min=1, help="How long the session may take, about.")] = 15,
    lesson: Annotated[str, typer.Option(metavar="NN", help="Only this lesson, for example 02.")] = "",
    list_only: Annotated[bool, typer.Option("--list", help="Say what is due; write nothing.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where to write; notebooks/review if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a short session of exercises that you passed before and that are due again, with fresh numbers.

    What is due follows from your journal on this computer: what took more attempts comes back sooner.
    """
    from autograder import review as reviewing
    from autograder.review_notebook import builds_on
    from course_lib import journal

    folders, now, kept = Folders.find(), datetime.now().astimezone(), journal.load()
    wanted = _lesson_id(lesson)
    events = [event for event in kept.events if wanted in ("", event.lesson)]
    ready = reviewing.due(events, now)
    chosen = reviewing.choose(ready, minutes, builds_on(folders, ready))
    if kept.damaged and not as_json:
        err.print(messages.DAMAGED.format(count=kept.damaged, path=journal.path()), markup=False)
    path = None
    if chosen and not list_only:
        path = _write(folders, chosen, now.date(), folder or folders.root / "notebooks" / "review", show=not as_json)
    if as_json:
        _print_json(ready, chosen, reviewing.schedule(events, now), path)
    elif not ready:
        out.print(_nothing_due(reviewing.schedule(events, now), wanted), markup=False)
    else:
        _say(folders, ready, chosen, path)


def _lesson_id(given: str) -> str:
    from autograder.catalogue import LESSONS, find_lesson

    if given.isdecimal():
        return next((found.id for found in LESSONS if int(found.id[:2]) == int(given)), None) or find_lesson(given).id
    return find_lesson(given).id if given else ""


def _write(folders: Folders, chosen: Sequence[Due], day: date, folder: Path, *, show: bool) -> Path:
    from rich.progress import track

    from autograder.review_notebook import Session, write_review

    def watched(items: Sequence[Due]) -> Iterable[Due]:
        return track(items, messages.DRAWING, console=err, transient=True, disable=not show)

    return write_review(folders, Session(chosen, day, secrets.token_hex(4)), folder, watched)


def _nothing_due(planned: Sequence[Due], wanted: str) -> str:
    from course_lib import journal

    if planned:
        day = planned[0].since
        return messages.NOTHING_DUE.format(exercise=planned[0].exercise, date=f"{day.day} {day:%B %Y}")
    if not journal.is_on():
        return messages.JOURNAL_OFF
    return messages.NOTHING_PASSED_HERE.format(lesson=wanted) if wanted else messages.NOTHING_PASSED


def _say(folders: Folders, ready: Sequence[Due], chosen: Sequence[Due], path: Path | None) -> None:
    out.print(_table(ready if path is None else chosen))
    if path is None:
        out.print(messages.LISTED.format(count=len(ready), minutes=_minutes(ready)), markup=False)
        return
    lessons = folders.root / "notebooks"
    if path.resolve().is_relative_to(lessons):
        out.print(messages.OPEN_LAB.format(path=path.resolve().relative_to(lessons)), markup=False)
    else:
        out.print(messages.OPEN.format(path=path), markup=False)
    left = [one for one in ready if one not in chosen]
    if left:
        out.print(messages.LEFT.format(count=len(left), minutes=_minutes(left)), markup=False)


def _minutes(items: Iterable[Due]) -> int:
    return sum(one.minutes for one in items)


def _table(items: Sequence[Due]) -> Table:
    table = Table(title=messages.TITLE, title_justify="left")
    for name in messages.COLUMNS:
        table.add_column(name, overflow="fold", justify="right" if name == messages.MINUTES else "left")
    for one in items:
        table.add_row(one.exercise, one.lesson[:2], str(one.minutes), one.why)
    return table


def _print_json(ready: Sequence[Due], chosen: Sequence[Due], planned: Sequence[Due], path: Path | None) -> None:
    later = next((one for one in planned if one not in ready), None)
    found = {
        "due": [asdict(one) for one in ready],
        "chosen": [one.exercise for one in chosen],
        "next": later and asdict(later),
        "notebook": path and str(path),
    }
    print(json.dumps(found, indent=1, default=str))
