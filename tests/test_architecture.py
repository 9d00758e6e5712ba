"""The layout is a contract: who may import whom, how long a module may get."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from autograder.catalogue import LESSONS, graded_from
from autograder.view import build_view

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("autograder", "course_lib")
LONGEST_MODULE = 400
WORKER_IMPORTS = {
    "autograder.sandbox.seccomp",
    "autograder.sandbox.walls",
    "autograder.sandbox.wire",
    "course_lib.cases",
    "course_lib.messages",
    "course_lib.modules",
    "course_lib.probes",
    "course_lib.tree",
}
LOADED_TOPS = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
VIOLATIONS = [
    ("course_lib/tree.py", "import autograder.course"),
    ("autograder/sandbox/worker.py", "import autograder.judge"),
    ("autograder/sandbox/worker.py", "import course_lib.numpy_kernels"),
    ("autograder/course.py", "def late():\n    import torch"),
    ("autograder/exercises/__init__.py", "import autograder.judge"),
    ("autograder/judge.py", "import autograder.cli"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the project copied to, or lying in, a folder."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def modules_after(statement: str, folder: Path = ROOT) -> set[str]:
    """Top-level names in `sys.modules` of a new interpreter after a statement; a folder's packages come first."""
    command = [sys.executable, "-c", f"{statement}\n{LOADED_TOPS}"]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def test_import_contract_holds() -> None:
    """The contracts of pyproject.toml are kept."""
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("file", "statement"), VIOLATIONS, ids=[f"{f}-{s.split()[-1]}" for f, s in VIOLATIONS])
def test_contract_catches_violation(file: str, statement: str, tmp_path: Path) -> None:
    """Each contract turns red when an import that it forbids is added."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as source:
        source.write(f"\n{statement}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


def test_worker_imports_no_answers() -> None:
    """Directly or not, the worker imports its own few modules and nothing else of the project."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert graph.find_upstream_modules("autograder.sandbox.worker") <= WORKER_IMPORTS


def test_worker_loads_numpy_alone(tmp_path: Path) -> None:
    """A worker, with the `course_lib` that it sees inside the walls, has NumPy in memory and no other package."""
    lesson = LESSONS[0]
    view = build_view(lesson, graded_from(lesson), tmp_path)
    loaded = modules_after("import autograder.sandbox.worker", view) - modules_after("import numpy", view)
    assert loaded - sys.stdlib_module_names == {"autograder", "course_lib"}


def test_check_loads_neither_torch_nor_grader() -> None:
    """A notebook's check works where there is no Torch and no autograder: it does not import them."""
    assert modules_after("import course_lib.check").isdisjoint({"torch", "autograder", "nbgrader"})


def test_modules_stay_short() -> None:
    """No module is longer than the budget."""
    folders = (*PACKAGES, "benchmarks", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert {str(p.relative_to(ROOT)) for p in paths if len(p.read_text().splitlines()) > LONGEST_MODULE} == set()


@pytest.mark.parametrize(
    "path",
    sorted(path for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")),
    ids=lambda path: path.parent.name,
)
def test_init_holds_no_logic(path: Path) -> None:
    """An `__init__.py` re-exports or stays empty."""
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    nodes = ast.parse(path.read_text()).body
    assert [ast.unparse(node) for node in nodes if not isinstance(node, allowed)] == []
    targets = {ast.unparse(target) for node in nodes if isinstance(node, ast.Assign) for target in node.targets}
    assert targets <= {"__all__"}
