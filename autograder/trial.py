"""`course try`: judge the functions of a plain Python file exactly as grading would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.answers import Notebook
from autograder.catalogue import find_exercise
from autograder.course import Verdict
from autograder.folders import CourseError, Folders
from autograder.grade import Grader
from autograder.submission import MAX_CELL_CHARS, Cell, Submission


def try_file(folders: Folders, exercise_id: str, file: Path) -> Verdict:
    """Judge one exercise from a Python file: same walls, same cases, same messages.

    Args:
        folders: the course; its secret makes the secret cases. Without one, a secret for trials is made.
        exercise_id: the exercise.
        file: defines the function, and whatever else it needs.

    Raises:
        CourseError: the file cannot be read.
        LookupError: there is no such exercise.
    """
    lesson, exercise = find_exercise(exercise_id)
    with Grader(folders.for_trials(), lesson) as grader:
        return grader.judge_one(exercise.id, notebook_of(file, [item.id for item in lesson.exercises]))


def notebook_of(file: Path, names: list[str]) -> Notebook:
    """A Python file as a notebook of one cell."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_CELL_CHARS + 1)
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror}).") from None
    if len(content) > MAX_CELL_CHARS:
        raise CourseError(f"{file} has more than {MAX_CELL_CHARS:,} characters. Give a file with the functions alone.")
    source = content.decode("utf-8", "replace")
    return Notebook(Submission((Cell(1, "code", source),)), names)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON-able data; the keys are documented in docs/json.md."""
    names = ("exercise", "points", "max_points", "message", "mistake", "numpy", "torch", "seconds", "case")
    return {"verdict": str(verdict.outcome)} | {name: getattr(verdict, name) for name in names}


def as_text(verdict: Verdict) -> str:
    """A verdict as three lines for the terminal."""
    points = f"{verdict.points:g} of {verdict.max_points:g} points"
    agreement = f"NumPy {verdict.numpy}, Torch {verdict.torch}, {verdict.seconds:.3f} CPU seconds"
    return "\n".join(filter(None, [f"{verdict.exercise}: {verdict.outcome}, {points}", verdict.message, agreement]))
