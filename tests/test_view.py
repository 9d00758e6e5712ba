"""What submissions see as `course_lib`: enough to work with, no answers."""

from __future__ import annotations

import ast
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.catalogue import LESSONS
from autograder.grade import graded_from
from autograder.view import build_view, view_files, without_functions
from course_lib import exam_numbers, numpy_kernels

ROOT = Path(__file__).parent.parent
LESSON = LESSONS[0]
SOURCES = {
    "a.py": '''"""Module a."""
import numpy as np
from pkg.b import answer as other
from pkg.b import answer, plain
__all__ = ["answer", "plain"]
TABLE: dict = {"answer": answer}
KEEP = {"plain": plain}
LATER = answer
if True:
    answer = None

def _trick(x):
    """Half of the answer."""
    return _deeper(x)

def _deeper(x):
    return x

def _shared(x):
    return x

@np.vectorize
def caller(x):
    return answer(x)

def callers_caller(x):
    return caller(x) + 1

class Uses:
    def run(self):
        return pkg.b.answer(1)

def free(x):
    return _shared(plain(x))
''',
    "b.py": '''"""Module b."""
from pkg.a import _trick, _shared

def answer(x):
    return _trick(_shared(x))

def plain(x):
    return x
''',
}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The view of the first lesson."""
    return view_files(LESSON, graded_from(LESSON))


def defined(text: str) -> set[str]:
    """Functions and classes at the top of a module."""
    return {node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def test_no_graded_function_is_left(files: dict[str, str]) -> None:
    """No graded name is defined, imported, called or mentioned by any code of the view."""
    graded = {exercise.id for lesson in LESSONS for exercise in lesson.exercises}
    for name, text in files.items():
        if name.endswith(".py"):
            nodes = list(ast.walk(ast.parse(text)))
            names = {node.id for node in nodes if isinstance(node, ast.Name)}
            names |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.alias))}
            names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            assert names & graded == set(), name


def test_view_holds_no_twins_checks_or_answers(files: dict[str, str]) -> None:
    """Kernels, the worker's own modules and numbers are all there is."""
    for name in files:
        assert not name.startswith(("torch_kernels", "widgets", "cases/", "check", "diagnose", "compare", "plots"))
    for text in files.values():
        assert "torch" not in {
            line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))
        }
    assert "answer" not in files["exam_numbers.json"]


def test_what_uses_a_hidden_function_goes_too() -> None:
    """Callers, their callers, tables and re-exports go with a function; helpers only it needs go as well."""
    cut = without_functions(SOURCES, {"answer"})
    assert defined(cut["a.py"]) == {"free", "_shared"}
    assert defined(cut["b.py"]) == {"plain"}
    assert "answer" not in cut["a.py"] + cut["b.py"]
    assert "_trick" not in cut["a.py"] + cut["b.py"]
    assert "KEEP = " in cut["a.py"]
    assert "from pkg.b import plain" in cut["a.py"]


def test_helpers_of_one_name_are_told_apart() -> None:
    """A private function that only an answer needs goes, although another module keeps one of its name."""
    here = "def answer(x):\n    return _half(x)\n\n\ndef _half(x):\n    return x / 2\n"
    there = "def plain(x):\n    return _half(x)\n\n\ndef _half(x):\n    return x - 1\n"
    cut = without_functions({"a.py": here, "b.py": there}, {"answer"})
    assert (defined(cut["a.py"]), defined(cut["b.py"])) == (set(), {"plain", "_half"})


def test_nothing_is_cut_without_need() -> None:
    """Hiding a name that does not occur leaves all public functions."""
    cut = without_functions(SOURCES, {"unknown"})
    assert defined(cut["b.py"]) == {"answer", "plain"}
    assert {"caller", "callers_caller", "Uses", "free", "_trick", "_deeper"} <= defined(cut["a.py"])


def test_later_lessons_see_earlier_kernels() -> None:
    """A function that only an earlier lesson grades is there, and works."""
    names = {exercise.id for exercise in LESSON.exercises}
    texts = view_files(LESSON, set())
    assert names <= set().union(*(defined(text) for name, text in texts.items() if name.startswith("numpy_kernels/")))


def test_view_can_be_imported(tmp_path: Path) -> None:
    """The package imports alone, without the real one; check does nothing; the numbers are the learner's."""
    view = build_view(LESSON, graded_from(LESSON), tmp_path)
    question = LESSON.questions[0].id
    code = f"""
import json, sys
import course_lib, course_lib.numpy_kernels, course_lib.cases, course_lib.tree, course_lib.validate
from course_lib import check, exam_numbers, exam_sheet
assert check("sigmoid", None) is None and exam_sheet("x") is None
numbers = [exam_numbers({question!r}, learner=name) for name in ("ada", " Ada ", "bob", 4711)]
numbers += [exam_numbers({question!r})]
print(json.dumps([course_lib.__file__, numbers, "torch" in sys.modules, dir(course_lib.numpy_kernels)]))
"""
    environment = {"PYTHONPATH": str(view), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file, numbers, torch, kernels = json.loads(done.stdout)
    assert Path(file).is_relative_to(view)
    assert numbers == [exam_numbers(question, learner=name) for name in ("ada", "ada", "bob", "4711", "self-study")]
    assert not torch
    assert not set(kernels) & {exercise.id for exercise in LESSON.exercises}


def test_answers_may_use_the_error_function(tmp_path: Path) -> None:
    """`course_lib.erf` works inside a view, without SciPy, also when every kernel is hidden."""
    view = build_view(LESSON, set(numpy_kernels.__all__), tmp_path)
    code = "import sys, numpy as np; from course_lib.erf import erf\n"
    code += "print([erf(np.array([-0.5, 2.0])).tolist(), 'scipy' in sys.modules])"
    environment = {"PYTHONPATH": str(view), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    values, scipy = ast.literal_eval(done.stdout)
    assert values == pytest.approx([math.erf(-0.5), math.erf(2.0)], rel=1e-14)
    assert not scipy


def test_every_kernel_module_can_be_imported(tmp_path: Path) -> None:
    """Each kernel module of the view finds what it imports beside it, and that is neither a judge nor a check."""
    view = build_view(LESSON, graded_from(LESSON), tmp_path)
    names = [path.stem for path in (view / "course_lib" / "numpy_kernels").glob("[a-z]*.py")]
    code = "import importlib, sys\n"
    code += f"for name in {names}: importlib.import_module('course_lib.numpy_kernels.' + name)\n"
    code += "print(sorted(name for name in sys.modules if name.startswith('course_lib.')))"
    environment = {"PYTHONPATH": str(view), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {f"course_lib.{name}" for name in ("check", "diagnose", "compare", "casefile")} & set(
        ast.literal_eval(done.stdout)
    )


def test_same_lesson_same_view(tmp_path: Path) -> None:
    """A view is built once; another set of graded names has a view of its own."""
    first = build_view(LESSON, {"sigmoid"}, tmp_path)
    stamp = first.stat().st_mtime_ns
    assert build_view(LESSON, {"sigmoid"}, tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    assert build_view(LESSON, set(), tmp_path) != first


def test_view_is_readable_by_others(tmp_path: Path) -> None:
    """The walled process is another user: it can read everything, and write nothing."""
    view = build_view(LESSON, set(), tmp_path)
    for path in (view, *view.rglob("*")):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o755 if path.is_dir() else 0o644), path


def test_many_build_at_once(tmp_path: Path) -> None:
    """Workers that start together get the same whole view, and no scraps are left."""
    code = "import sys; from autograder.catalogue import LESSONS; from autograder.view import *\n"
    code += "sys.stdin.read(1); print(build_view(LESSONS[0], set(), Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(tmp_path / "views")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen(command, env=environment, **pipes) for _ in range(4)]
    for process in running:
        process.stdin.write("x")
        process.stdin.flush()
    views = {process.communicate()[0].strip() for process in running}
    assert [str(path) for path in (tmp_path / "views").iterdir()] == list(views)
    assert {path.name for path in Path(views.pop(), "course_lib").iterdir()} == {
        name.partition("/")[0] for name in view_files(LESSON, set())
    }


def test_references_keep_their_names() -> None:
    """The names that are hidden are those of the real package: a renamed kernel would slip through."""
    assert graded_from(LESSON) <= set(dir(numpy_kernels))
