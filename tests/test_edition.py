"""The class zip: the lesson, what it needs, and nothing that gives answers away."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder.catalogue import LESSONS, graded_from
from autograder.course import Lesson
from autograder.edition import definitions, edition_files
from autograder.folders import Folders

ROOT = Path(__file__).parent.parent

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def names(graded: set[str]) -> set[str]:
    """The files of a zip of lesson 01 while some exercises are still ahead."""
    return {name for name, _ in edition_files(Folders(ROOT), LESSONS[0], graded)}


@each_lesson
def test_no_graded_function_is_in_the_zip(lesson: Lesson) -> None:
    """What this lesson or a later one grades is defined nowhere; what earlier ones graded is there to be used."""
    graded = graded_from(lesson)
    files = dict(edition_files(Folders(ROOT), lesson, graded))
    assert list(definitions(files, graded)) == []
    earlier = {exercise.id for item in LESSONS if item.id < lesson.id for exercise in item.exercises}
    kernels = {name: text for name, text in files.items() if "numpy_kernels" in name}
    assert {found.split(": ")[1] for found in definitions(kernels, earlier)} == earlier


@each_lesson
def test_every_import_of_the_zip_is_in_the_zip(lesson: Lesson) -> None:
    """Leaving modules out leaves no module behind that needs them."""
    files = dict(edition_files(Folders(ROOT), lesson, graded_from(lesson)))
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files}
    for name, content in files.items():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse(content)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib"):
                    assert node.module in modules, name


def test_tools_that_hold_an_answer_wait_for_their_lesson() -> None:
    """The gradient check is left out while central differences are ahead, and is there afterwards."""
    assert "course_lib/gradcheck.py" not in names({"numerical_gradient"})
    assert "course_lib/gradcheck.py" in names(set())


def test_a_graded_name_is_found_wherever_it_hides() -> None:
    """Functions and classes count, nested ones too."""
    files = {"a.py": b"def f():\n    def softmax(x):\n        return x\n", "b.py": b"class Value:\n    pass\n"}
    assert list(definitions(files, {"softmax", "Value", "gelu"})) == ["a.py: softmax", "b.py: Value"]
