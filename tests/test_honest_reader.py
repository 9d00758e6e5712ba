"""What one honest reader of lesson 01 wrote, first and last, keeps its verdicts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from autograder.answers import Notebook
from autograder.classroom import fill
from autograder.course import Lesson, Verdict
from autograder.grade import Grader
from autograder.submission import parse_notebook

FOLDER = Path(__file__).parent / "submissions" / "honest_reader"
PARTS = sorted(path.stem for path in FOLDER.glob("*.toml"))


def judged(grader: Grader, lesson: Lesson, released: dict[str, Any], part: dict[str, Any]) -> dict[str, Verdict]:
    """The verdicts of a submission made of one part's answers, by exercise."""
    filled = fill(released, part["answers"], part["learner"])
    names = [item.id for item in (*lesson.exercises, *lesson.questions)]
    notebook = Notebook(parse_notebook(json.dumps(filled).encode()), names)
    return {verdict.exercise: verdict for verdict in grader.judge(notebook, part["learner"]).verdicts}


@pytest.mark.parametrize("name", PARTS)
def test_reader_gets_the_recorded_verdicts(grader: Grader, lesson: Lesson, released: dict[str, Any], name: str) -> None:
    """Outcome, points and named mistake of every answer are those on record."""
    part = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    verdicts = judged(grader, lesson, released, part)
    found = {
        key: [verdicts[key].outcome.value, verdicts[key].points, verdicts[key].mistake or ""]
        for key in part["expected"]
    }
    assert found == part["expected"]


def test_both_parts_cover_every_exercise(lesson: Lesson) -> None:
    """First attempts and final answers are there for each exercise, so nothing is passed over."""
    assert PARTS == ["first_attempts", "handed_in"]
    for name in PARTS:
        part = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        assert set(part["answers"]) == set(part["expected"]) >= {exercise.id for exercise in lesson.exercises}
