"""The worker: what learners' code returns, how its errors are reported, and what it can import."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sandbox_help import make_view, play, value

from autograder.sandbox.pool import CodeError, Job, Piece, Pool
from autograder.sandbox.worker import FEW_LINES
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Opaque


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course view."""
    return make_view(tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="module")
def pool(view: Path) -> Iterator[Pool]:
    """One warm pool for all tests of this file."""
    with Pool(view) as started:
        yield started


@pytest.fixture
def job(pool: Pool) -> Iterator[Job]:
    """A fresh job."""
    with pool.job() as fresh:
        yield fresh


def error(job: Job, source: str) -> CodeError:
    """The error of calling the function `f` of a piece without arguments."""
    played = play(job, source, call_case("case", "f", {}))[0]
    assert played.seen is None
    return played.error


def test_function_result_comes_back(job: Job) -> None:
    """Arrays go in and come out with their dtype and shape."""
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    result = value(job, "def f(x):\n    return x.T + 1", x)
    np.testing.assert_array_equal(result, x.T + 1)
    assert result.dtype == np.float32


def test_cache_stays_inside(job: Job) -> None:
    """A value between two steps is used without ever crossing the wall."""
    steps = (
        Step("call", "pair", "forward", (3.0,)),
        Step("call", "dx", "backward", (2.0, Handle("pair", 1))),
        Step("read", "dx", "", (Handle("dx"),)),
        Step("read", "cache", "", (Handle("pair", 1),)),
    )
    source = "class Cache: x = 5.0\ndef forward(x): return x, Cache()\ndef backward(d, c): return d * c.x"
    assert play(job, source, Case("chain", {}, steps))[0].seen == {"dx": 10.0, "cache": Opaque("Cache")}


def test_read_shows_the_value_of_that_moment(job: Job) -> None:
    """A later step that works in place does not change what was read before."""
    steps = (
        Step("read", "before", "", (Handle("x"),)),
        Step("call", "none", "f", (Handle("x"),)),
        Step("read", "after", "", (Handle("x"),)),
    )
    seen = play(job, "def f(x):\n    x += 1", Case("inplace", {"x": np.zeros(2)}, steps))[0].seen
    assert (seen["before"].tolist(), seen["after"].tolist()) == ([0, 0], [1, 1])


def test_failing_piece_costs_only_itself(job: Job) -> None:
    """The pieces after a failing one still run, and what they define can be called."""
    errors = job.load([Piece("a", "x = 1"), Piece("b", "1 / 0"), Piece("c", "def f():\n    return x")])
    assert [item.type for item in errors] == ["ZeroDivisionError"]
    assert job.play([call_case("case", "f", {})])[0].seen == {"result": 1}


def test_error_names_the_learners_line(job: Job) -> None:
    """The innermost line of the learner's own code is reported, with the cell's own numbers."""
    source = "import numpy as np\ndef f():\n    return g()\ndef g():\n    return np.linalg.inv(np.zeros((2, 3)))"
    job.load([Piece("cell 7", source, 11)])
    found = job.play([call_case("case", "f", {})])[0].error
    assert (found.type, found.label, found.line, found.step) == ("LinAlgError", "cell 7", 15, "result")
    assert found.text == "return np.linalg.inv(np.zeros((2, 3)))"


@pytest.mark.parametrize("line", [1, 4, FEW_LINES, FEW_LINES + 1, 20_000])
@pytest.mark.parametrize("wrong", ["def f(:", "return 1"])
def test_syntax_error_names_the_line(wrong: str, line: int, job: Job) -> None:
    """A piece that does not compile is reported at its line of the cell, however long the cell is."""
    found = job.load([Piece("cell 2", f"x = 1\n{wrong}\n", line)])[0]
    assert (found.type, found.label, found.line, found.text) == ("SyntaxError", "cell 2", line + 1, wrong)


@pytest.mark.parametrize("line", [FEW_LINES, FEW_LINES + 1])
def test_error_far_down_names_the_line(line: int, job: Job) -> None:
    """A failing statement of a long cell is reported where it stands."""
    found = job.load([Piece("cell 2", "x = 1\n1 / 0\n", line)])[0]
    assert (found.type, found.line, found.text) == ("ZeroDivisionError", line + 1, "1 / 0")


def test_syntax_error_while_running(job: Job) -> None:
    """A syntax error in text that the learner's code executes is reported at the learner's own line."""
    found = job.load([Piece("cell 3", "x = 1\nexec('def (')", 10)])[0]
    assert (found.type, found.line, found.text) == ("SyntaxError", 11, "exec('def (')")


@pytest.mark.parametrize("source", ["x = '\0'", "(" * 10_000, "x = " + "-" * 90_000 + "1"], ids=["nul", "open", "deep"])
def test_uncompilable_source_is_an_error(source: str, job: Job) -> None:
    """Sources at which the compiler gives up are the learner's error, and the next piece still runs."""
    errors = job.load([Piece("bad", source), Piece("good", "def f(): return 1")])
    assert [item.label for item in errors] == ["bad"]
    assert job.play([call_case("case", "f", {})])[0].seen == {"result": 1}


def test_missing_function_is_reported(job: Job) -> None:
    """Calling a name that nobody defined is an error outside the learner's lines."""
    found = play(job, "x = 1", call_case("case", "f", {}))[0].error
    assert (found.type, found.label, found.line) == ("KeyError", "", 0)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("raise SystemExit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("return f()", "RecursionError"),
        ("import numpy as np; return np.ones(1 << 40)", "MemoryError"),
        ("return [0] * (1 << 40)", "MemoryError"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("raise 3", "TypeError"),
        ("x = []; x.append(x); return x", "TreeError"),
    ],
    ids=lambda text: text[:30],
)
def test_every_kind_of_error_comes_back(source: str, kind: str, job: Job) -> None:
    """No exception of the learner's code ends the job."""
    assert error(job, f"def f():\n    {source}").type.rpartition(".")[2].lstrip("_").replace("Array", "") == kind
    assert value(job, "def f():\n    return 1") == 1


@pytest.mark.parametrize(
    "body",
    [
        "def __str__(self): raise ValueError('no')",
        "def __str__(self): return 'x' * 10_000_000",
        "def __str__(self): return 3",
        "def __str__(self):\n        class S(str):\n            def __getitem__(self, key): raise SystemExit\n"
        "        return S('lie')",
        "__class__ = property(lambda self: 1 / 0)",
        "__traceback__ = property(lambda self: 1 / 0)",
        "__cause__ = property(lambda self: 1 / 0)",
    ],
    ids=["raises", "long", "no text", "subclass", "class", "traceback", "cause"],
)
def test_lying_exception_is_described(body: str, job: Job) -> None:
    """An exception that lies about itself is reported under its real name, with a short text."""
    found = error(job, f"class Liar(Exception):\n    {body}\ndef f():\n    raise Liar('text')")
    assert found.type == "Liar"
    assert len(found.message) <= 500
    assert found.line > 0


def test_lying_class_name_is_seen_through(job: Job) -> None:
    """A metaclass cannot change the name under which an exception is reported."""
    source = (
        "class Meta(type):\n    __name__ = property(lambda cls: 'x' * 10**7)\n"
        "class Liar(Exception, metaclass=Meta): pass\ndef f(): raise Liar"
    )
    assert error(job, source).type == "Liar"


def test_each_load_starts_empty(job: Job) -> None:
    """A second load sees nothing of the first, and runs as `__main__`."""
    job.load([Piece("a", "x = 1")])
    source = "import sys\nfound = 'x' in globals(), __name__, sys.modules['__main__'].__dict__ is globals()\n"
    assert value(job, source + "def f(): return found") == [False, "__main__", True]


def test_dataclasses_and_future_imports_work(job: Job) -> None:
    """A future import holds for the pieces after it, as in a notebook; dataclasses find their module."""
    pieces = [
        Piece("a", "from __future__ import annotations"),
        Piece("b", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: Unknown = 3"),
        Piece("c", "def f(y: AlsoUnknown): return P().x"),
    ]
    assert job.load(pieces) == []
    assert job.play([call_case("case", "f", {"y": 1})])[0].seen["result"] == 3


def test_future_imports_hold_for_their_own_answer_only(job: Job) -> None:
    """The same statement is compiled again where another answer's first statement changes how it is read."""
    future, needs_it = Piece("a", "from __future__ import annotations"), Piece("b", "def f(x: Unknown): pass")
    assert [bool(job.load(pieces)) for pieces in ([needs_it], [future, needs_it], [needs_it])] == [True, False, True]


def test_error_names_the_text_of_its_own_line(job: Job) -> None:
    """Also where a cell came in several pieces, and earlier answers had other cells of that name."""
    job.load([Piece("cell 1", "first = 0\nsecond = 0\nthird = 0")])
    pieces = [Piece("cell 1", "a = 1", 1), Piece("cell 1", "def f():\n    return 1 / 0", 3)]
    assert job.load(pieces) == []
    found = job.play([call_case("case", "f", {})])[0].error
    assert (found.line, found.text) == (4, "return 1 / 0")


def test_replies_are_equal_when_their_bytes_are(job: Job) -> None:
    """So that what many answers return alike can be looked at once."""
    one, same, other = (play(job, f"def f():\n    return {text}", call_case("case", "f", {}))[0] for text in "223")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


def test_worker_flags_do_not_leak(job: Job) -> None:
    """The worker's own future imports do not change the learner's code."""
    assert value(job, "def f(x: int = 1): return f.__annotations__['x'] is int") is True


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "import matplotlib.pyplot as plt",
        "from course_lib.widgets import slider",
        "from course_lib import missing",
        "from pandas import *",
        "import scipy.special as sp\nerf = sp.erf",
        "import torch\ndef g(x: torch.Tensor | None, y: torch.Tensor[int]) -> None: pass",
        "import torch.nn as nn\nclass A:\n    layer = nn.Linear",
    ],
)
def test_unavailable_import_is_a_placeholder(source: str, job: Job) -> None:
    """Importing what is not there, naming parts of it and annotating with it costs nothing."""
    assert job.load([Piece("a", source)]) == []


@pytest.mark.parametrize(
    "source",
    ["m.pyplot.plot([1])", "for x in m.a: pass", "class A(m.B): pass", "m.a + 1", "with m.a: pass", "bool(m.x)",
     "isinstance(1, m.T)", "m.rc['a'] = 1", "len(m.a)", "import numpy; numpy.asarray(m.a) + 1"],
)  # fmt: skip
def test_using_a_placeholder_says_so(source: str, job: Job) -> None:
    """Using what is not there raises an `ImportError` that names the package."""
    found = job.load([Piece("a", "import matplotlib as m"), Piece("b", source)])
    assert [(item.type, item.label) for item in found] == [("ImportError", "b")]
    assert found[0].message == "matplotlib is not available while grading"


@pytest.mark.parametrize(
    "source",
    ["from numpy import zeroes", "import numpy.nothing", "import importlib.util as u\nu.find_spec('torch').loader",
     "from math import tau2", "import xml.nothing"],
)  # fmt: skip
def test_available_packages_fail_honestly(source: str, job: Job) -> None:
    """A wrong name in NumPy or the standard library is the learner's error at once."""
    assert len(job.load([Piece("a", source)])) == 1


def test_library_and_view_can_be_used(job: Job) -> None:
    """The standard library, NumPy and the view work as anywhere; optional imports of theirs still fail."""
    source = (
        "import asyncio, copy, csv, decimal, functools, getpass, hashlib, json, multiprocessing, pickle, sqlite3\n"
        "import ssl, statistics, subprocess, threading, unittest.mock, uuid, zoneinfo, numpy.testing as t\n"
        "from course_lib import check\nfrom course_lib.kernels import twice\n"
        "def f(x):\n    with threading.Lock():\n        t.assert_equal(1, 1)\n        return twice(x)"
    )
    assert value(job, source, 4) == 8


@pytest.mark.parametrize("draw", ["np.random.rand(3)", "np.array([random.random() for _ in range(3)])"])
def test_unseeded_draws_repeat(draw: str, pool: Pool, view: Path) -> None:
    """Unseeded draws are the same in every job of every pool: the same submission gets the same verdict."""
    source = f"import random\nimport numpy as np\ndef f(): return {draw}"
    with pool.job() as first, Pool(view) as other, other.job() as second:
        np.testing.assert_array_equal(value(first, source), value(second, source))
