"""A conventional nbgrader course with the same lesson: test cells that run and compare in the learner's kernel."""

from __future__ import annotations

import copy
import json
import math
import sys
from pathlib import Path
from typing import Any

from autograder.catalogue import find_lesson
from autograder.course import Lesson, Question
from autograder.exam import numbers_of
from autograder.expected import cases_for, numpy_namespace, play, torch_inputs, torch_namespace
from course_lib.cases import Case
from course_lib.compare import Tolerance, compare
from course_lib.exam import variant_of
from course_lib.tree import Tree

_SECRET = b"stock"
_CONFIG = """c = get_config()
c.CourseDirectory.course_id = "stock"
"""
_EXERCISE = "from benchmarks.stock import check_exercise\ncheck_exercise({lesson!r}, {name!r}, globals())"
_QUESTION = "from benchmarks.stock import check_question\ncheck_question({lesson!r}, {name!r}, {name}, LEARNER)"


def check_exercise(lesson_id: str, name: str, namespace: dict[str, Any]) -> None:
    """What a conventional test cell does: run every case and compare with NumPy and with Torch.

    Raises:
        AssertionError: the answer differs from one of the references.
    """
    lesson = find_lesson(lesson_id)
    exercise, references, twins = lesson.exercise(name), numpy_namespace(lesson), torch_namespace(lesson)
    for case in cases_for(exercise, _SECRET):
        mine = play(exercise, case, namespace, references)
        _same(case, mine, play(exercise, case, references, references))
        _same(case, mine, play(exercise, case, twins, references, torch_inputs))


def _same(case: Case, mine: dict[str, Tree], right: dict[str, Tree]) -> None:
    difference = compare(mine, right, Tolerance.for_dtype("float32" if _has_float32(case.inputs) else "float64"))
    assert difference is None, f"{case.id}: {difference.message}"


def _has_float32(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple)):
        return any(map(_has_float32, value.values() if isinstance(value, dict) else value))
    return getattr(value, "dtype", None) == "float32"


def check_question(lesson_id: str, name: str, answer: float, learner: str) -> None:
    """The test cell of an exam question: both answers, found again.

    Raises:
        AssertionError: the number is wrong.
    """
    questions: dict[str, Question] = {item.id: item for item in find_lesson(lesson_id).questions}
    question = questions[name]
    numbers = numbers_of(question, variant_of(lesson_id, learner))
    for right in (question.answer(**numbers), question.torch_answer(**numbers)):
        assert math.isclose(answer, float(right), abs_tol=0.5 * 10**-question.decimals + 1e-9)


def make_course(root: Path, lesson: Lesson, solution: dict[str, Any]) -> None:
    """Write a stock course: nbgrader's default configuration, and the lesson with conventional test cells.

    Args:
        root: an empty folder.
        lesson: the lesson.
        solution: the solution notebook as JSON.
    """
    folder = root / "source" / lesson.id
    folder.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(_CONFIG)
    (folder / f"{lesson.id}.ipynb").write_text(json.dumps(with_test_cells(solution, lesson)))


def with_test_cells(notebook: dict[str, Any], lesson: Lesson, graded_only: bool = False) -> dict[str, Any]:
    """The same notebook, with a conventional test cell in place of each check.

    Args:
        notebook: a submission or the solution.
        lesson: its lesson.
        graded_only: leave pictures and lab out, which stock nbgrader runs although no grade depends on them.
    """
    questions = {question.id for question in lesson.questions}
    changed = copy.deepcopy(notebook)
    changed["cells"] = [cell for cell in changed["cells"] if not graded_only or _is_needed(cell)]
    for cell in changed["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.startswith("check_"):
            name = name.removeprefix("check_")
            template = _QUESTION if name in questions else _EXERCISE
            cell["source"] = template.format(lesson=lesson.id, name=name)
    return changed


def _is_needed(cell: dict[str, Any]) -> bool:
    graded = "nbgrader" in cell["metadata"]
    return graded or cell["cell_type"] != "code" or "LEARNER =" in "".join(cell["source"])


def nbgrader(*arguments: str) -> list[str]:
    """The command line of one of nbgrader's commands, in this environment."""
    code = "import sys; from nbgrader.apps import NbGraderApp; NbGraderApp.launch_instance(sys.argv[1:])"
    return [sys.executable, "-c", code, *arguments]


def scores(root: Path, lesson: Lesson) -> dict[str, float]:
    """Learner to automatic score, from the stock gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        return {item.student.id: round(item.score, 4) for item in book.assignment_submissions(lesson.id)}
