"""Which file is whose: submissions found in a folder, and nothing followed out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder import messages
from autograder.folders import CourseError

MAX_ID = 128  # characters, in nbgrader's table of students; PostgreSQL takes no more


@dataclass(frozen=True)
class Entry:
    """One learner's submission.

    Args:
        learner: id, from the folder's or file's name.
        path: the notebook, or None when there is none that may be opened.
        problem: why not; one sentence.
    """

    learner: str
    path: Path | None
    problem: str = ""


def find_submissions(folder: Path, lesson: str) -> list[Entry]:
    """The submissions of one lesson in a folder.

    Accepted: ``<learner>/<lesson>/<anything>.ipynb`` (nbgrader's layout), ``<learner>/<anything>.ipynb`` and
    ``<learner>.ipynb``. Links are never followed.

    Args:
        folder: where submissions lie.
        lesson: id of the lesson.

    Raises:
        CourseError: the folder does not exist or holds no submission.
    """
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder. Give the folder of submissions with --submitted DIR.")
    places = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    learners = {_learner(path) for path in places}
    entries = _one_per_learner([(path, entry) for path in places for entry in _entries(path, lesson, learners)])
    if not entries:
        raise CourseError(
            f"{folder} holds no submission of {lesson}. Expected {folder.name}/<learner>/{lesson}/{lesson}.ipynb."
        )
    return entries


def _one_per_learner(found: list[tuple[Path, Entry]]) -> list[Entry]:
    """``ada/`` and ``ada.ipynb`` side by side: nobody can tell which one counts."""
    places: dict[str, list[str]] = {}
    for path, entry in found:
        places.setdefault(entry.learner, []).append(path.name)
    entries = {entry.learner: entry for _, entry in found}
    twice = {learner: names for learner, names in places.items() if len(names) > 1}
    problems = {who: messages.TWO_PLACES.format(names=", ".join(names[:5])) for who, names in twice.items()}
    return [Entry(who, None, problems[who]) if who in problems else entry for who, entry in entries.items()]


def _learner(path: Path) -> str:
    return path.stem if path.suffix == ".ipynb" else path.name


def _entries(path: Path, lesson: str, learners: set[str]) -> Iterator[Entry]:
    learner = _learner(path)
    printable = learner.encode("utf-8", "replace").decode()
    if printable != learner:
        yield Entry(printable[:MAX_ID], None, messages.UNPRINTABLE_NAME)
    elif len(learner) > MAX_ID:
        yield Entry(learner[:MAX_ID], None, messages.LONG_NAME.format(most=MAX_ID))
    elif path.is_symlink():
        yield Entry(learner, None, messages.MIXED_UP.format(name=path.name))
    elif path.is_dir():
        inner = path / lesson
        if inner.is_symlink():
            yield Entry(learner, None, messages.MIXED_UP.format(name=f"{path.name}/{lesson}"))
        elif inner.is_dir() or any(path.glob("*.ipynb")):
            yield _in_folder(inner if inner.is_dir() else path, learner, lesson, learners)
    elif path.suffix == ".ipynb":
        yield Entry(learner, path)


def _in_folder(folder: Path, learner: str, lesson: str, learners: set[str]) -> Entry:
    notebooks = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    chosen = [path for path in notebooks if path.stem == lesson] or notebooks
    if not chosen:
        return Entry(learner, None, messages.EMPTY_FOLDER)
    if len(chosen) > 1:
        names = ", ".join(path.name for path in chosen[:5])
        return Entry(learner, None, messages.TWO_NOTEBOOKS.format(names=names, expected=f"{lesson}.ipynb"))
    path = chosen[0]
    if path.is_symlink():
        return Entry(learner, None, messages.MIXED_UP.format(name=path.name))
    if path.stem != lesson and path.stem in learners - {learner}:
        return Entry(learner, None, messages.FOREIGN_NAME.format(name=path.name))
    return Entry(learner, path)
