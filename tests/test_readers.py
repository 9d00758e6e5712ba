"""What one honest reader of each lesson wrote, first and last, keeps its verdicts."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.catalogue import LESSONS
from autograder.course import Lesson, Verdict

FOLDER = Path(__file__).parent / "submissions" / "readers"
PARTS = ("first_attempts", "handed_in")

Judged = Callable[..., dict[str, Verdict]]

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


@pytest.mark.parametrize("name", PARTS)
@each_lesson
def test_reader_gets_the_recorded_verdicts(judged_lesson: Judged, lesson: Lesson, name: str) -> None:
    """Outcome, points and named mistake of every answer are those on record."""
    part = tomllib.loads((FOLDER / lesson.id / f"{name}.toml").read_text(encoding="utf-8"))
    verdicts = judged_lesson(lesson, part["answers"], part["learner"])
    found = {
        key: [verdicts[key].outcome.value, verdicts[key].points, verdicts[key].mistake or ""]
        for key in part["expected"]
    }
    assert found == part["expected"]


@each_lesson
def test_both_parts_cover_every_exercise(lesson: Lesson) -> None:
    """First attempts and final answers are there for each exercise, so nothing is passed over."""
    for name in PARTS:
        part = tomllib.loads((FOLDER / lesson.id / f"{name}.toml").read_text(encoding="utf-8"))
        assert set(part["answers"]) == set(part["expected"]) >= {exercise.id for exercise in lesson.exercises}
