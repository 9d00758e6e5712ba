"""One topic, one stem, one signature: the references, the exercises and the tests keep in step."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from autograder import catalogue
from autograder.exercises import _draw
from course_lib import (
    counting,
    erf,
    gradcheck,
    gradfaults,
    networks,
    numpy_kernels,
    tables,
    torch_kernels,
    training,
    validate,
    validate_draws,
    validate_graphs,
    windows,
    words,
)
from course_lib.numpy_kernels import _blocks
from course_lib.torch_kernels import _arrays, _graph, _points, _rates

ROOT = Path(__file__).resolve().parent.parent
NUMPY, TORCH = numpy_kernels.__name__, torch_kernels.__name__


def stems(folder: str) -> set[str]:
    """The public modules of a folder."""
    return {path.stem for path in (ROOT / folder).glob("*.py") if not path.stem.startswith("_")}


TOPICS = sorted(stems("course_lib/numpy_kernels"))
each_topic = pytest.mark.parametrize("topic", TOPICS)


def module(package: str, topic: str) -> ModuleType:
    """One topic's module of one package."""
    return importlib.import_module(f"{package}.{topic}")


def own_functions(package: str, topic: str) -> dict[str, object]:
    """The public functions and classes that a module defines itself."""
    found = module(package, topic)
    functions = inspect.getmembers(found, lambda item: inspect.isfunction(item) or inspect.isclass(item))
    return {name: f for name, f in functions if f.__module__ == found.__name__ and not name.startswith("_")}


def test_both_references_have_the_same_topics():
    """Every topic has a NumPy module and a Torch module, and no other exists."""
    assert stems("course_lib/torch_kernels") == set(TOPICS)


@each_topic
def test_every_topic_has_tests(topic):
    """A topic of the references has a test module of the same stem; exercises come with the lesson that asks for it."""
    assert f"test_{topic}" in stems("tests")


def test_every_exercise_serves_a_topic():
    """Each exercise names a topic that exists."""
    assert {e.topic for lesson in catalogue.LESSONS for e in lesson.exercises} <= set(TOPICS)


def test_no_name_is_missing_in_torch():
    """Every NumPy kernel has a Torch counterpart."""
    assert set(numpy_kernels.__all__) - set(torch_kernels.__all__) == set()


def test_no_extra_name_in_torch():
    """Torch has no kernel that NumPy lacks."""
    assert set(torch_kernels.__all__) - set(numpy_kernels.__all__) == set()


@pytest.mark.parametrize("package", [NUMPY, TORCH])
def test_no_kernel_is_hidden(package):
    """Each public function of a topic's module is in the package's list, and the list holds nothing else."""
    defined = {name for topic in TOPICS for name in own_functions(package, topic)}
    assert defined == set(importlib.import_module(package).__all__)


@each_topic
def test_kernels_live_in_the_same_module(topic):
    """A kernel and its counterpart are in modules of the same stem."""
    assert set(own_functions(NUMPY, topic)) == set(own_functions(TORCH, topic))


@pytest.mark.parametrize("name", numpy_kernels.__all__)
def test_signatures_are_equal(name):
    """Names, order, kinds and defaults of the arguments are the same in both references."""
    one, other = (
        [(p.name, p.kind, p.default) for p in inspect.signature(getattr(package, name)).parameters.values()]
        for package in (numpy_kernels, torch_kernels)
    )
    assert one == other


@pytest.mark.parametrize("name", numpy_kernels.__all__)
def test_docstrings_are_complete(name):
    """A NumPy kernel says what it takes, returns, and where it comes from, and shows an example."""
    kernel = getattr(numpy_kernels, name)
    text, arguments = inspect.getdoc(kernel), inspect.signature(kernel).parameters
    wanted = ["Source:", ">>> "] + (["Args:", "Raises:"] if arguments else [])
    wanted += [] if inspect.isclass(kernel) else ["Returns:"]
    assert [part for part in wanted if part not in text] == []
    assert [argument for argument in arguments if f"    {argument}: " not in text] == []


@pytest.mark.parametrize(
    "target",
    [
        *(validate, validate_draws, validate_graphs, windows, words, erf, _arrays, _graph, _blocks, _draw, catalogue),
        *(counting, gradcheck, gradfaults, networks, tables, training, _points, _rates),
        *(module(package, topic) for package in (NUMPY, TORCH) for topic in TOPICS),
    ],
    ids=lambda target: target.__name__,
)
def test_docstring_examples_run(target):
    """Every example in a docstring gives what it says."""
    result = doctest.testmod(target)
    assert result.attempted > 0
    assert result.failed == 0


def test_function_bodies_stay_short():
    """No function of the references has more than 30 statements' lines, and half have at most 10."""
    lengths = []
    for path in (ROOT / "course_lib").glob("*_kernels/*.py"):
        functions = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)]
        for node in functions:
            # Of an abstract method there is nothing but its docstring.
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lengths.append(body[-1].end_lineno - body[0].lineno + 1)
    lengths.sort()
    assert lengths[-1] <= 30
    assert lengths[len(lengths) // 2] <= 10


@pytest.mark.parametrize("target", ["course_lib.numpy_kernels", "course_lib.validate", "autograder.catalogue"])
def test_torch_is_not_imported_by_numpy_code(target):
    """The NumPy references and the catalogue load without Torch."""
    code = f"import sys, {target}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
