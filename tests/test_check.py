"""`check` in a notebook: the truth in one small table, one quiet line when it fails, and nothing of ours."""

from __future__ import annotations

import contextlib
import html
import io
import json
import linecache
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from autograder.catalogue import LESSONS
from course_lib import CheckFailed, check, numpy_kernels
from course_lib.exam import CASES
from course_lib.report import CheckReport

ROOT = Path(__file__).parent.parent
LESSON = LESSONS[0]
NUMPY = {name: getattr(numpy_kernels, name) for name in numpy_kernels.__all__}
MISTAKES = [(exercise, mistake) for lesson in LESSONS for exercise in lesson.exercises for mistake in exercise.mistakes]
PLAIN = "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n"


def defined(source: str, **names: Any) -> Any:
    """The last function of some source, with globals of its own, as in a notebook."""
    module = ModuleType("notebook")
    vars(module).update({"np": np, **names})
    exec(compile(source, "<cell>", "exec"), vars(module))
    return [value for value in vars(module).values() if callable(value)][-1]


def failed(name: Any, answer: Any, **more: Any) -> CheckReport:
    """The report of a check that must fail."""
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(CheckFailed) as caught:
        check(name, answer, **more)
    return caught.value.report


def passes(name: str, answer: Any, **more: Any) -> str:
    """What a check prints that must pass."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert check(name, answer, **more) is None
    return out.getvalue()


@pytest.mark.parametrize("name", [exercise.id for lesson in LESSONS for exercise in lesson.exercises])
def test_references_pass(name: str) -> None:
    """The reference passes its own check, and every case is listed with both references agreeing."""
    shown = passes(name, NUMPY[name])
    assert shown.startswith(f"✓ {name}: Right: all ")
    assert "differs" not in shown
    assert shown.count("NumPy agrees, Torch agrees: right") >= 1


def beside_the_references(code: Any, name: str) -> Any:
    """The same function, seeing the references under their own names; a class stands for itself."""
    if isinstance(code, type):
        return code
    scope = {**code.__globals__, **NUMPY}
    return type(code)(code.__code__, scope, name, code.__defaults__, code.__closure__)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=[f"{e.id}-{m.id}" for e, m in MISTAKES])
def test_mistakes_fail_and_are_explained(exercise: Any, mistake: Any) -> None:
    """No known mistake passes the public check, and the one that is recognised is the one that was made."""
    report = failed(exercise.id, beside_the_references(mistake.code, exercise.id))
    assert report.headline.startswith(("Not yet: ", "Almost: "))
    assert report.advice in ("", f"This looks familiar: {mistake.says}")


def test_all_checks_of_a_lesson_are_quick() -> None:
    """No check of the lesson takes a third of a second."""
    slowest = {}
    for exercise in LESSON.exercises:
        started = time.process_time()
        passes(exercise.id, NUMPY[exercise.id])
        slowest[exercise.id] = time.process_time() - started
    assert max(slowest.values()) < 0.3, slowest


def test_not_started() -> None:
    """A function that still raises NotImplementedError is told what to do, without a table of failures."""
    report = failed("sigmoid", defined("def sigmoid(x):\n    raise NotImplementedError"))
    assert report.headline.startswith("Not started yet.")
    assert report.rows == ()


def test_wrong_values_are_shown_with_a_map() -> None:
    """A wrong answer gets a table, the first wrong number of the first wrong case, and a map of where it is wrong."""
    report = failed(
        "sigmoid", defined("def sigmoid(x):\n    return np.where(np.asarray(x) > 0, 0.25, 1 / (1 + np.exp(-x)))")
    )
    text = repr(report)
    assert text.startswith("✗ sigmoid: Not yet: ")
    assert "Result at index [" in text
    assert "expected 0." in text
    assert "Where it differs" in text
    assert "■" in text
    assert "·" in text


def test_a_convention_alone_is_almost_right() -> None:
    """When only the dtype is not kept, the headline and the row say so."""
    answer = defined("def sigmoid(x):\n    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, 'float64')))")
    report = failed("sigmoid", answer)
    assert report.headline == "Almost: the values are right, one convention is missed."
    assert "float32 goes in, float64 comes out: keep the dtype of the inputs." in repr(report)
    assert "almost" in repr(report)


@pytest.mark.parametrize("answer", [None, 3, "sigmoid", np.ones(3)])
def test_wrong_argument(answer: Any) -> None:
    """Something that is not a function is refused with the line to write."""
    says = (
        'check("sigmoid", ...) wants your function as its second argument, without brackets: check("sigmoid", sigmoid).'
    )
    assert failed("sigmoid", answer).headline == says


def test_unknown_name() -> None:
    """A name that no lesson has gets the nearest one."""
    headline = failed("sigmoyd", NUMPY["sigmoid"]).headline
    assert headline.startswith("There is no exercise called 'sigmoyd'.")
    assert 'check("sigmoid", sigmoid)' in headline


@pytest.mark.parametrize("name", [NUMPY["sigmoid"], None, 3])
def test_arguments_in_the_wrong_order(name: Any) -> None:
    """A function where the name should be is answered with the right order."""
    assert failed(name, "sigmoid").headline.startswith("check wants the name in quotes first, then your function")


def test_needs_other() -> None:
    """A check that plays another function too says which one is missing."""
    answer = defined("def mlp_backward(dout, cache):\n    return dout")
    assert failed("mlp_backward", answer).headline == (
        "`mlp_backward` is checked together with `mlp_forward`, which is not defined yet. "
        "Run the cell of `mlp_forward` first."
    )


def test_uses_the_learners_other_function() -> None:
    """The other function is the one beside the answer: with a broken one the check fails."""
    other = defined("def mlp_forward(*a):\n    raise KeyError('mine')")
    source = "def mlp_backward(dout, cache):\n    return backward(dout, cache)"
    good = defined(source, mlp_forward=NUMPY["mlp_forward"], backward=NUMPY["mlp_backward"])
    assert passes("mlp_backward", good)
    bad = defined(source, mlp_forward=other, backward=NUMPY["mlp_backward"])
    assert "raised KeyError: 'mine'" in repr(failed("mlp_backward", bad))


def test_error_shows_the_learners_line() -> None:
    """An error inside NumPy is reported at the innermost line that the learner wrote."""
    source = (
        "def helper(x):\n    y = x + 1\n    return np.reshape(y, (99, 99))\n\ndef sigmoid(x):\n    return helper(x)\n"
    )
    linecache.cache["<mine>"] = (len(source), None, source.splitlines(True), "<mine>")
    scope: dict[str, Any] = {"np": np}
    exec(compile(source, "<mine>", "exec"), scope)
    note = failed("sigmoid", scope["sigmoid"]).worst.note
    assert note.startswith("Line 3 of your code: `return np.reshape(y, (99, 99))` raised ValueError: cannot reshape")


def test_error_without_source_shows_the_line_number() -> None:
    """Where the text is not known the line number is still said."""
    assert failed("sigmoid", defined("def sigmoid(x):\n    return x.no")).worst.note.startswith(
        "Line 2 of your code raised AttributeError: "
    )


def test_error_before_any_line() -> None:
    """An error that no line of the learner's raised, such as a wrong signature, is said without one."""
    note = failed("sigmoid", defined("def sigmoid():\n    return 1")).worst.note
    assert note == "It raised TypeError: sigmoid() takes 0 positional arguments but 1 was given"


@pytest.mark.parametrize(
    "answer",
    [
        np.tanh,
        len,
        int,
        lambda x: x.nothing,
        lambda x: [[]] * 100_000,
        lambda x: np.broadcast_to(x.ravel()[:1], (10**9, 10**9)),
        lambda x: (_ for _ in x),
        lambda x: {object(): 1},
        lambda x: 10**10_000,
        lambda x: "\ud800",
        lambda x: x.astype(object),
        lambda x: np.ma.masked_array(x),
        lambda x: Exception,
        type("Callable", (), {"__call__": lambda self, x: 1})(),
        type("Sigmoid", (), {}),
        np.vectorize(lambda x: 0.0),
    ],
)
def test_anything_callable_is_survived(answer: Any) -> None:
    """Whatever an answer is or returns, the check ends with a table, never with an error of ours."""
    report = failed("sigmoid", answer)
    assert report.rows
    assert report._repr_html_()
    repr(report).encode("utf-8", "replace")


def test_correct_answers_of_other_kinds_pass() -> None:
    """Lambdas, callable objects, methods and decorated functions are as good as functions."""
    reference = NUMPY["sigmoid"]
    holder = type("Holder", (), {"__call__": lambda self, x: reference(x), "method": lambda self, x: reference(x)})()
    for answer in (lambda x: reference(x), holder, holder.method):
        assert passes("sigmoid", answer)


def test_warnings_cost_nothing() -> None:
    """A NumPy warning inside an answer is not an error, even where warnings are."""
    report = failed("sigmoid", defined("def sigmoid(x):\n    e = np.exp(x)\n    return e / (1 + e)"))
    assert "Warning" not in repr(report)


def test_html_escapes_everything() -> None:
    """Names, notes and error texts that hold HTML arrive as text."""
    nasty = "<script>alert('x')</script>"
    source = f"def sigmoid(x):\n    raise ValueError({nasty!r})"
    for report in (failed("sigmoid", defined(source)), failed(nasty, NUMPY["sigmoid"])):
        assert "<script" not in report._repr_html_()
        assert html.escape(nasty) in report._repr_html_()


def shell() -> InteractiveShell:
    """A real IPython shell without a terminal or a history."""
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.history_manager.enabled = False
    made.colors = "nocolor"
    return made


@pytest.fixture
def ipython() -> Iterator[InteractiveShell]:
    """A fresh shell, gone afterwards."""
    made = shell()
    yield made
    made.history_manager.end_session()
    InteractiveShell.clear_instance()


def run_cells(made: InteractiveShell, *cells: str) -> tuple[str, Any]:
    """What cells print, errors included, and the result of the last."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result = [made.run_cell(cell) for cell in cells][-1]
    return out.getvalue(), result


@pytest.mark.filterwarnings("ignore")
def test_ipython_shows_no_traceback(ipython: InteractiveShell) -> None:
    """In IPython a failing check shows our table and one line: no frames, no paths, no names of ours."""
    out, result = run_cells(
        ipython, "from course_lib import check\ndef sigmoid(x):\n    return x", 'check("sigmoid", sigmoid)'
    )
    assert isinstance(result.error_in_exec, CheckFailed)
    assert str(result.error_in_exec) in out
    assert out.rstrip().endswith("sigmoid: not passed yet, see above.")
    for word in ("Traceback", "course_lib", "CheckFailed", "check.py", "----"):
        assert word not in out


@pytest.mark.filterwarnings("ignore")
def test_ipython_names_the_cells_line(ipython: InteractiveShell) -> None:
    """An error in a function of a cell is reported with that cell's line and text."""
    source = "from course_lib import check\n\ndef sigmoid(x):\n    y = x\n    return y.nothing"
    out, _ = run_cells(ipython, source, 'check("sigmoid", sigmoid)')
    assert "Line 5 of your code: `return y.nothing` raised AttributeError" in out


@pytest.mark.filterwarnings("ignore")
def test_ipython_finds_the_other_function(ipython: InteractiveShell) -> None:
    """Functions defined in earlier cells are found, for functions and for classes."""
    source = "from course_lib import check\nfrom course_lib.numpy_kernels import mlp_forward, mlp_backward as mine\n"
    source += "def mlp_backward(dout, cache):\n    return mine(dout, cache)"
    out, result = run_cells(ipython, source, 'check("mlp_backward", mlp_backward)')
    assert result.success, out
    assert out.startswith("✓ mlp_backward")


def test_rendering_is_one_line() -> None:
    """IPython's hook for tracebacks returns one line that points at the table."""
    error = CheckFailed(CheckReport("x", "One line.", passed=False))
    assert error._render_traceback_() == ["x: not passed yet, see above."]
    assert isinstance(error, AssertionError)


def python(code: str, *paths: Path, **environment: str) -> str:
    """What a fresh interpreter prints."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths or (ROOT,))), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_check_imports_little() -> None:
    """Checking a whole lesson and its questions imports neither Torch nor the grader nor IPython."""
    names = [exercise.id for exercise in LESSON.exercises]
    code = f"""
import sys
from course_lib import CheckFailed, check, exam_sheet, numpy_kernels
for name in {names}:
    check(name, getattr(numpy_kernels, name))
repr(exam_sheet({LESSON.id!r}))
try:
    check({LESSON.questions[0].id!r}, -1)
except CheckFailed:
    pass
print("LOADED", {{"torch", "autograder", "nbgrader", "matplotlib"}} & set(sys.modules))
"""
    assert python(code).rstrip().endswith("LOADED set()")


def test_check_works_without_ipython() -> None:
    """Where IPython is not installed the check prints and raises as usual."""
    code = """
import sys
sys.modules["IPython"] = None
from course_lib import CheckFailed, check, numpy_kernels
check("sigmoid", numpy_kernels.sigmoid)
try:
    check("sigmoid", lambda x: x)
except CheckFailed as error:
    print("FAILED:", error)
"""
    out = python(code)
    assert "✓ sigmoid: Right" in out
    assert "FAILED: Not yet: " in out


def test_class_edition_uses_the_learners_functions(tmp_path: Path) -> None:
    """Without our kernels, a property that needs one takes the learner's, and its failure is a sentence."""
    shutil.copytree(
        ROOT / "course_lib", tmp_path / "course_lib", ignore=shutil.ignore_patterns("numpy_kernels", "__pycache__")
    )
    code = """
import json, sys, numpy as np
sys.modules["course_lib.numpy_kernels"] = None
from course_lib import CheckFailed, check
def sigmoid(z): return 1 / (1 + np.exp(-z))
def forward(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1.T + b1)
    return sigmoid(h @ w2.T + b2), None
def broken(*args): raise NotImplementedError
def xor_weights():
    return np.full((2, 2), 20.0), np.array([-10.0, -30.0]), np.array([[30.0, -30.0]]), np.array([-15.0])
said = []
for mlp_forward in (None, broken, forward):
    if mlp_forward is None:
        del mlp_forward
    try:
        check("xor_weights", xor_weights)
    except CheckFailed as error:
        said.append(error.report.worst.note)
print("SAID", json.dumps(said))
"""
    said = json.loads(python(code, tmp_path).rpartition("SAID ")[2])
    assert said[0].endswith("`mlp_forward`, which is not defined yet. Run the cell of `mlp_forward` first.")
    assert "NotImplementedError" in said[1]
    assert len(said) == 2


def test_case_files_may_be_read_by_all() -> None:
    """Public case files are not private to whoever built them."""
    for path in CASES.glob("*.safetensors"):
        assert path.stat().st_mode & 0o444 == 0o444
