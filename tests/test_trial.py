"""`course try`: a plain file is judged as a notebook's cell would be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.classroom import source_as
from autograder.course import Exercise, Lesson, Outcome, Verdict
from autograder.folders import CourseError, Folders
from autograder.grade import Grader
from autograder.trial import as_json, as_text, notebook_of, try_file

NUMPY = "import numpy as np\n\n"


@pytest.fixture
def judged(grader: Grader, lesson: Lesson, tmp_path: Path):
    """Judge the text of a file, in the warm grader."""

    def judge(exercise: str, text: str) -> Verdict:
        file = tmp_path / "mine.py"
        file.write_text(text)
        return grader.judge_one(exercise, notebook_of(file, [item.id for item in lesson.exercises]))

    return judge


def test_file_is_judged_through_its_own_grader(course: Folders, grader: Grader, tmp_path: Path) -> None:
    """`try_file` starts walls of its own and says the same as the grader of a class."""
    file = tmp_path / "mine.py"
    file.write_text("def count_parameters(sizes, bias=True):\n    return 0\n")
    alone = try_file(course, "count_parameters", file)
    warm = grader.judge_one("count_parameters", notebook_of(file, ["count_parameters"]))
    assert replace(alone, seconds=0.0) == replace(warm, seconds=0.0)
    assert (alone.outcome, alone.points) == (Outcome.WRONG_VALUES, 0.0)


def test_other_ways_pass_from_a_file(judged, lesson: Lesson) -> None:
    """Every exercise can be tried alone: what it uses is the course's own."""

    def verdict(exercise: Exercise) -> Verdict:
        return judged(exercise.id, NUMPY + source_as(exercise.other_ways[0].code, exercise.id))

    verdicts = {exercise.id: verdict(exercise) for exercise in lesson.exercises}
    assert {name: str(v.outcome) for name, v in verdicts.items() if v.points < v.max_points} == {}


def test_file_may_bring_what_it_uses(judged) -> None:
    """Helpers in the same file count; statements that only show something do not run."""
    text = NUMPY + "def half(x):\n    return 1 / (1 + np.exp(-x))\n\nsigmoid = half\nprint(1 / 0)\nwhile True: pass\n"
    assert judged("sigmoid", text).outcome is Outcome.CORRECT


def test_mistake_is_named(judged, lesson: Lesson) -> None:
    """A file with a known mistake gets its sentence."""
    mistake = lesson.exercise("mse_loss").mistakes[0]
    verdict = judged("mse_loss", NUMPY + source_as(mistake.code, "mse_loss"))
    assert (verdict.mistake, verdict.message) == (mistake.id, mistake.says)


def test_missing_file_names_the_remedy(tmp_path: Path) -> None:
    """A file that is not there, or a folder, gives a sentence with its name."""
    with pytest.raises(CourseError, match=r"nowhere\.py cannot be read"):
        notebook_of(tmp_path / "nowhere.py", [])
    with pytest.raises(CourseError, match="cannot be read"):
        notebook_of(tmp_path, [])


def test_endless_file_is_refused(tmp_path: Path) -> None:
    """A device or a huge file is refused instead of read for ever."""
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(200 << 20)
    with pytest.raises(CourseError, match=r"huge\.py"):
        notebook_of(tmp_path / "huge.py", [])
    with pytest.raises(CourseError, match="zero"):
        notebook_of(Path("/dev/zero"), [])


def test_verdict_in_words() -> None:
    """The text has outcome, points, message and agreement; empty lines are left out."""
    verdict = Verdict("sigmoid", Outcome.CORRECT, 2.0, 2.0, "", None, "agrees", "agrees", 0.25)
    assert as_text(verdict) == "sigmoid: correct, 2 of 2 points\nNumPy agrees, Torch agrees, 0.250 CPU seconds"
    assert as_json(verdict)["verdict"] == "correct"
