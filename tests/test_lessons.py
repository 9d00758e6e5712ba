"""Every lesson through the real walls: what is right passes, what is wrong is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.answers import Notebook
from autograder.catalogue import LESSONS
from autograder.classroom import answers_of, hand_in, source_as
from autograder.course import Exercise, Lesson, Outcome, Verdict
from autograder.folders import Folders
from autograder.grade import Grader, grade_class
from autograder.intake import find_submissions
from autograder.leaks import leaks
from autograder.submission import parse_notebook

EXERCISES = [(lesson, exercise) for lesson in LESSONS for exercise in lesson.exercises]
MISTAKES = [pytest.param(y, x, m, id=f"{x.id}-{m.id}") for y, x in EXERCISES for m in x.mistakes]
OTHER_WAYS = [pytest.param(y, x, w, id=f"{x.id}-{w.id}") for y, x in EXERCISES for w in x.other_ways]

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)

Judged = Callable[..., dict[str, Verdict]]
GraderOf = Callable[[Lesson], Grader]


def judge_one(grader: Grader, exercise: Exercise, code: Any) -> Verdict:
    """The verdict of one answer without anything around it."""
    cell = {"cell_type": "code", "metadata": {}, "source": "import numpy as np\n" + source_as(code, exercise.id)}
    names = [item.id for _, item in EXERCISES]
    return grader.judge_one(exercise.id, Notebook(parse_notebook(json.dumps({"cells": [cell]}).encode()), names))


@pytest.mark.parametrize(("lesson", "exercise", "mistake"), MISTAKES)
def test_mistake_loses_points_and_is_named(
    grader_of: GraderOf, lesson: Lesson, exercise: Exercise, mistake: Any
) -> None:
    """Whoever makes a listed mistake is told which one it is."""
    verdict = judge_one(grader_of(lesson), exercise, mistake.code)
    assert verdict.points < exercise.points
    assert verdict.mistake == mistake.id, verdict.message
    assert verdict.message == mistake.says


@pytest.mark.parametrize(("lesson", "exercise", "way"), OTHER_WAYS)
def test_other_way_earns_full_points(grader_of: GraderOf, lesson: Lesson, exercise: Exercise, way: Any) -> None:
    """Right is right, however it is written."""
    verdict = judge_one(grader_of(lesson), exercise, way.code)
    assert (verdict.outcome, verdict.points) == (Outcome.CORRECT, exercise.points), verdict.message


@each_lesson
def test_solution_earns_everything(judged_lesson: Judged, course: Folders, lesson: Lesson) -> None:
    """The solution notebook scores full, and both references agree with it."""
    verdicts = judged_lesson(lesson, answers_of(json.loads(course.solution(lesson.id).read_bytes())))
    lost = {name: verdict.message for name, verdict in verdicts.items() if verdict.points < verdict.max_points}
    assert not lost
    assert sum(verdict.points for verdict in verdicts.values()) == lesson.max_points
    assert {(verdict.numpy, verdict.torch) for verdict in verdicts.values()} == {("agrees", "agrees")}


@each_lesson
def test_released_notebook_earns_nothing(judged_lesson: Judged, lesson: Lesson) -> None:
    """An untouched notebook scores zero, and is called not started rather than wrong, where nothing was given."""
    verdicts = judged_lesson(lesson, {})
    assert sum(verdict.points for verdict in verdicts.values()) == 0
    given = {name for name, verdict in verdicts.items() if verdict.outcome is not Outcome.NOT_STARTED}
    assert len(given) <= 1, "only a bug hunt hands out code that runs"
    assert all(verdicts[name].mistake for name in given), "and what is wrong with it is named"


@each_lesson
def test_whole_class_is_graded(course: Folders, lesson: Lesson, tmp_path: Path) -> None:
    """Through the pipeline of `course grade`: who hands in the solution gets all points, who hands in nothing none."""
    for learner, path in (("self-study", course.solution(lesson.id)), ("nobody", course.released(lesson.id))):
        hand_in(tmp_path, learner, lesson.id, json.loads(path.read_bytes()))
    graded = grade_class(course, lesson, find_submissions(tmp_path, lesson.id), processes=1)
    points = {item.report.learner: item.report.points for item in graded}
    assert points == {"self-study": lesson.max_points, "nobody": 0.0}


def test_the_course_is_whole() -> None:
    """Nine lessons of at least eight exercises, each with four mistakes and two other ways or more."""
    assert [lesson.id[:2] for lesson in LESSONS] == [f"{number:02}" for number in range(1, 10)]
    for lesson in LESSONS:
        assert len(lesson.exercises) >= 8
        assert all(len(item.mistakes) >= 4 and len(item.other_ways) >= 2 for item in lesson.exercises)


@each_lesson
def test_released_notebook_leaks_nothing(course: Folders, lesson: Lesson) -> None:
    """No answer, output or marker is in what learners get."""
    assert leaks(course.released(lesson.id).read_bytes(), course.solution(lesson.id).read_bytes()) == []
