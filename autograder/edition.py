"""The class edition: a zip with which learners do one lesson, and in which its answers are not.

Inside: the released notebook, `course_lib` without every function that this lesson or a later one grades (and
without what calls those), the public cases as data, and what to install.
"""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from autograder.catalogue import graded_from
from autograder.course import Lesson
from autograder.folders import CourseError, Folders
from autograder.release import generate
from autograder.view import COURSE_LIB, without_functions

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
        CourseError: the zip would hold a graded function; nothing is written then.
    """
    generate(folders.root, lesson.id)
    graded = graded_from(lesson)
    files = dict(edition_files(folders, lesson, graded))
    found = list(definitions(files, graded))
    if found:
        raise CourseError(f"{path.name} was not written, because it would give answers away: {', '.join(found)}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{lesson.id}/{name}", _EPOCH), content)
    part.replace(path)
    return path


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
    only_grading = ("nbgrader", "jupytext", "typer", "rich", "sqlalchemy", "setuptools")
    return "\n".join(name for name in names if not name.lower().startswith(only_grading)).encode() + b"\n"


def definitions(files: dict[str, bytes], graded: Collection[str]) -> Iterator[str]:
    """Graded names that a Python file of the zip defines."""
    for name, content in files.items():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse(content)):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in graded:
                    yield f"{name}: {node.name}"
