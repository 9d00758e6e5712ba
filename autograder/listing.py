"""What the course holds, for `course list`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from rich.table import Table

from autograder.catalogue import LESSONS
from autograder.course import Exercise, Lesson


def lessons() -> list[dict[str, Any]]:
    """Every lesson as JSON-able data; the keys are documented in docs/json.md."""
    return [_lesson(lesson) for lesson in LESSONS]


def _lesson(lesson: Lesson) -> dict[str, Any]:
    return {
        "lesson": lesson.id,
        "title": lesson.title,
        "exercises": [_exercise(exercise) for exercise in lesson.exercises],
        "questions": [{"question": item.id, "points": item.points} for item in lesson.questions],
        "open_questions": [{"question": item.id, "points": item.points} for item in lesson.open_questions],
    }


def _exercise(exercise: Exercise) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "exercise": exercise.id,
        "signature": exercise.id + signature(exercise.mistakes[0].code),
        "points": exercise.points,
        "public_cases": len(exercise.cases(rng, True)),
        "secret_cases": len(exercise.cases(rng, False)),
        "mistakes": len(exercise.mistakes),
        "other_ways": len(exercise.other_ways),
    }


def signature(code: Any) -> str:
    """The parameters without annotations, as learners write them; a mistake has those of the answer.

    >>> signature(lambda x, lr=0.1: x)
    '(x, lr=0.1)'
    """
    parameters = inspect.signature(code).parameters.values()
    return str(inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters]))


def table() -> Table:
    """Every lesson as a table for the terminal."""
    shown = Table(title="Exercises", title_justify="left")
    for name in ("Lesson", "Exercise"):
        shown.add_column(name, overflow="fold")
    for name in ("Points", "Public cases", "Secret cases", "Mistakes", "Other ways"):
        shown.add_column(name, justify="right")
    for lesson in lessons():
        for item in lesson["exercises"]:
            counts = (str(item[key]) for key in ("points", "public_cases", "secret_cases", "mistakes", "other_ways"))
            shown.add_row(lesson["lesson"], item["signature"], *counts)
    return shown
