"""Makes submissions out of the released notebook, as learners would: for the demo, tests and benchmarks.

What enters: the released notebook and, per answer cell, the text to put in. What leaves: notebooks as JSON.
"""

from __future__ import annotations

import ast
import copy
import inspect
import json
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder.course import Exercise, Lesson

Notebook = dict[str, Any]


def source_as(code: Callable[..., Any], name: str) -> str:
    """The source of a mistake or other way, under the name of its exercise."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    definition = tree.body[0]
    assert isinstance(definition, (ast.FunctionDef, ast.ClassDef))
    definition.name, definition.decorator_list = name, []
    return ast.unparse(tree)


def answers_of(notebook: Notebook) -> dict[str, str]:
    """Grade id to text of every answer cell of a notebook."""
    return {_meta(cell)["grade_id"]: _text(cell) for cell in notebook["cells"] if _meta(cell).get("solution")}


def fill(released: Notebook, answers: Mapping[str, str], learner: str = "") -> Notebook:
    """A submission: the released notebook with answers put into their cells.

    Args:
        released: the released notebook.
        answers: grade id to text; cells that are not named stay as they were released.
        learner: when given, written into the set-up cell's ``LEARNER``.
    """
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        name = _meta(cell).get("grade_id", "")
        if _meta(cell).get("solution") and name in answers:
            cell["source"] = answers[name]
        elif learner and cell["cell_type"] == "code" and "LEARNER =" in _text(cell):
            cell["source"] = _text(cell).replace('LEARNER = "self-study"', f"LEARNER = {learner!r}")
    return notebook


def with_variants(lesson: Lesson, solved: Mapping[str, str], choose: Callable[[Exercise], Any]) -> dict[str, str]:
    """The solution's answers, except where `choose` gives another implementation (or None)."""
    chosen = {exercise.id: choose(exercise) for exercise in lesson.exercises}
    return dict(solved) | {name: source_as(code, name) for name, code in chosen.items() if code is not None}


def hand_in(folder: Path, learner: str, lesson: str, notebook: Notebook | bytes) -> Path:
    """Put a submission where nbgrader looks for it, and return its path."""
    path = folder / learner / lesson / f"{lesson}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook, indent=1).encode())
    return path


def _meta(cell: Mapping[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("nbgrader", {})


def _text(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])
