"""The class edition: a zip with which learners do one lesson, and in which its answers are not.

Inside: the released notebook, `course_lib` without every function that this lesson or a later one grades (and
without what calls those), the public cases as data, and what to install.
"""

from __future__ import annotations

import ast
import inspect
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from autograder.answer_marks import Marks, is_python
from autograder.catalogue import LESSONS, graded_from
from autograder.course import Exercise, Lesson
from autograder.files import scratch_folder
from autograder.folders import CourseError, Folders
from autograder.leaks import answer_sources
from autograder.messages import WOULD_LEAK
from autograder.release import generate
from autograder.view import COURSE_LIB, without_functions
from autograder.zip_leaks import zip_leaks
from course_lib.casefile import read_tree
from course_lib.diagnose import expectation_from_tree
from course_lib.tree import Tree, TreeError

_KERNELS = ("numpy_kernels", "torch_kernels")
# Modules that are tools later, and answers as long as these exercises are ahead.
_SPOILERS = {
    "gradcheck.py": "numerical_gradient",
    "gradfaults.py": "numerical_gradient",
    "counting.py": "count_conv",
    "layers.py": "count_conv",
    "networks.py": "alexnet_table",
}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READ_ME = """# {title}

1. Install Python 3.11 or newer, then: `pip install -r requirements.txt`
2. Start `jupyter lab {lesson}.ipynb` in this folder.
3. Write your id, as your instructor knows it, into the set-up cell. Save, and hand in the notebook.
"""


def write_edition(folders: Folders, lesson: Lesson, path: Path) -> Path:
    """Write the zip of one lesson; the same lesson always gives the same bytes.

    Args:
        folders: the course.
        lesson: the lesson.
        path: the zip to write.

    Raises:
        CourseError: the zip would give an answer away; nothing is written then.
    """
    generate(folders.root, lesson.id)
    graded = graded_from(lesson)
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(path.parent, "release") as stage:
        part = stage / path.name
        write_zip(part, {f"{lesson.id}/{name}": text for name, text in edition_files(folders, lesson, graded)})
        found = zip_leaks(part, marks_of(folders, lesson), graded)
        if found:
            raise CourseError(WOULD_LEAK.format(name=path.name, found="; ".join(map(str, found))))
        part.replace(path)
    return path


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip that depends on nothing but its files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def marks_of(folders: Folders, lesson: Lesson) -> Marks:
    """By what the answers of a lesson and of all later ones are known again.

    Args:
        folders: the course; its secret and the expected values kept for it count when there are any.
        lesson: the lesson.
    """
    marks = Marks()
    for item in (found for found in LESSONS if found.id >= lesson.id):
        for exercise in item.exercises:
            for source in _sources(exercise):
                marks.add_source(exercise.id, source)
                marks.add_code(exercise.id, source)
        for name, cell, parts in answer_sources(folders.solution(item.id).read_bytes()):
            marks.add_code(name, cell)
            # A part that begins inside a method and ends outside is no Python by itself: then all of the cell counts.
            for part in parts if all(map(is_python, parts)) else [cell]:
                marks.add_source(name, part)
        for exercise_id, value in _secret_values(folders, item):
            marks.add_values(exercise_id, value)
    if folders.secret_file.exists():
        marks.add_secret(folders.secret())
    return marks


def _sources(exercise: Exercise) -> Iterator[str]:
    """Both references, and the other right ways."""
    for package in _KERNELS:
        text = (COURSE_LIB / package / f"{exercise.topic}.py").read_text()
        for node in ast.parse(text).body:
            if getattr(node, "name", "") == exercise.id:
                yield ast.get_source_segment(text, node) or ""
    yield from (inspect.getsource(way.code) for way in exercise.other_ways)


def _secret_values(folders: Folders, lesson: Lesson) -> Iterator[tuple[str, Tree]]:
    """What secret cases expect, as far as somebody has graded here; public cases are for everybody."""
    public = read_tree(COURSE_LIB / "cases" / f"{lesson.id}.safetensors")["exercises"]
    for path in folders.expected.glob(f"{lesson.id}-*.safetensors"):
        try:
            kept = read_tree(path)["exercises"]
        except TreeError:
            # Written by an older version of the course.
            continue
        for name, exercise in kept.items():
            # The public cases come first.
            shown = len(expectation_from_tree(public[name]).cases) if name in public else 0
            for case in expectation_from_tree(exercise).cases[shown:]:
                yield from ((name, value) for read in case.reads for value in (read.numpy, read.torch))


def edition_files(folders: Folders, lesson: Lesson, graded: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the zip."""
    yield f"{lesson.id}.ipynb", folders.released(lesson.id).read_bytes()
    yield "README.md", _READ_ME.format(title=lesson.title, lesson=lesson.id).encode()
    yield "requirements.txt", _requirements(folders.root)
    yield f"course_lib/cases/{lesson.id}.safetensors", (COURSE_LIB / "cases" / f"{lesson.id}.safetensors").read_bytes()
    for package in _KERNELS:
        sources = {source.name: source.read_text() for source in sorted((COURSE_LIB / package).glob("*.py"))}
        for name, text in without_functions(sources, graded).items():
            yield f"course_lib/{package}/{name}", text.encode()
    left_out = {*_KERNELS, "cases", "__pycache__", *(name for name, ahead in _SPOILERS.items() if ahead in graded)}
    for source in sorted(COURSE_LIB.rglob("*")):
        name = source.relative_to(COURSE_LIB)
        if source.is_file() and left_out.isdisjoint(name.parts):
            yield f"course_lib/{name}", source.read_bytes()


def _requirements(root: Path) -> bytes:
    """What learners install: the project's own dependencies, less what only grading needs."""
    text = (root / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    names = re.findall(r'"([^"]+)"', block.group(1)) if block else []
    only_grading = ("fsrs", "jupytext", "nbgrader", "rich", "setuptools", "sqlalchemy", "typer")
    return "\n".join(name for name in names if not name.lower().startswith(only_grading)).encode() + b"\n"
