"""The command `course site`: parses, shows progress, prints what was built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.course import Lesson
from autograder.folders import Folders

EXAMPLE = "course site --output site"
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def site(
    lessons: Annotated[
        list[str] | None, typer.Argument(metavar="[LESSON]...", help="Lesson ids; all nine if none is given.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder to write.")] = Path("site"),
    no_execute: Annotated[bool, typer.Option("--no-execute", help="Run nothing; show what earlier runs left.")] = False,
) -> None:
    """Build a static site: every lesson unsolved and solved, looks alive without a kernel, search, documentation.

    The solutions run once, and again only after a change. Exit code 1: a link or page is not as it should be.
    """
    from autograder.catalogue import LESSONS, find_lesson
    from autograder.site import build, messages

    folders = Folders.find()
    chosen = [find_lesson(name) for name in dict.fromkeys(lessons)] if lessons else list(LESSONS)
    build.claim(folders, output)
    runs = _runs(folders, chosen, execute=not no_execute)
    with err.status(messages.BUILDING):
        built = build.build(folders, build.sources(folders, chosen, runs), output)
    for sentence in built.problems:
        err.print(sentence, style="red", markup=False)
    out.print(messages.WRITTEN.format(pages=built.pages, start=built.start), markup=False)
    if built.problems:
        err.print(messages.BROKEN_COUNT.format(count=len(built.problems)), style="red", markup=False)
        raise typer.Exit(1)


def _runs(folders: Folders, lessons: Sequence[Lesson], *, execute: bool) -> Mapping[str, object]:
    """The run of each lesson: a kept one where it is fresh, else a new one where that is allowed."""
    from autograder.site import messages, runs

    found = {lesson.id: runs.kept_run(folders, lesson.id) for lesson in lessons}
    stale = [name for name, run in found.items() if run is None or not run.fresh]
    if not execute:
        for name in stale:
            says = messages.NOT_RUN if found[name] is None else messages.OLD_RUN
            err.print(says.format(lesson=name), style="yellow", markup=False)
        return found
    with _progress(sum(runs.code_cells(folders, name) for name in stale)) as advance:
        for name in stale:
            found[name] = runs.run_lesson(folders, name, advance(name))
    return found


@contextmanager
def _progress(cells: int) -> Iterator[Callable[[str], Callable[[], None]]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from autograder.site import messages

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not cells) as progress:
        task = progress.add_task("", total=cells)

        def advance(lesson: str) -> Callable[[], None]:
            progress.update(task, description=messages.RUNNING.format(lesson=lesson))
            return lambda: progress.advance(task)

        yield advance
