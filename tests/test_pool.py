"""Pools and jobs: what learners' code returns, what happens when it fails, and who cleans up."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder.sandbox import ground as ground_module
from autograder.sandbox import pool as pool_module
from autograder.sandbox.pool import CodeError, Job, Piece, Played, Pool, PoolError, Stopped
from autograder.sandbox.walls import Limits
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Opaque

ROOT = Path(__file__).resolve().parents[1]
SMALL = Limits(cpu_seconds=0.3, wall_seconds=20.0, reply_bytes=1 << 20)


def make_view(folder: Path) -> Path:
    """A view with the modules that the worker itself needs, and one kernel."""
    package = folder / "view" / "course_lib"
    package.mkdir(parents=True)
    for name in ("tree.py", "cases.py"):
        shutil.copy(ROOT / "course_lib" / name, package)
    (package / "__init__.py").write_text("def check(*_):\n    pass\n")
    (package / "kernels.py").write_text("def twice(x):\n    return 2 * x\n")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return package.parent


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course view."""
    return make_view(tmp_path_factory.mktemp("pool"))


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


def play(job: Job, source: str, *cases: Case) -> list[Played]:
    """Load one piece, which must not fail, and play cases."""
    assert job.load([Piece("cell 1", source)]) == []
    return job.play(cases)


def value(job: Job, source: str, *arguments: object) -> object:
    """What the function `f` of a piece returns."""
    played = play(job, source, call_case("case", "f", {f"a{n}": item for n, item in enumerate(arguments)}))[0]
    assert played.error is None, played.error
    return played.seen["result"]


def error(job: Job, source: str) -> CodeError:
    """The error of calling the function `f` of a piece without arguments."""
    played = play(job, source, call_case("case", "f", {}))[0]
    assert played.seen is None
    return played.error


def is_gone(pid: int, handle: int) -> bool:
    """True when the process ended, at the latest a few seconds from now."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(10_000)) or not Path(f"/proc/{pid}").exists()


def kill_server(pool: Pool, job: Job) -> None:
    """End the server from outside, as the kernel does when memory runs out, and with it the job."""
    pool._process.kill()
    assert is_gone(job.pid, job._handle)


def test_function_result_comes_back(job: Job) -> None:
    """Arrays go in and come out with their dtype and shape."""
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    result = value(job, "def f(x):\n    return x.T + 1", x)
    np.testing.assert_array_equal(result, x.T + 1)
    assert result.dtype == np.float32


def test_cases_are_played_in_order(job: Job) -> None:
    """Each case gives one result, under its own id."""
    cases = [call_case(str(n), "f", {"x": n}) for n in range(5)]
    played = play(job, "def f(x):\n    return x * x", *cases)
    assert [(item.case, item.seen["result"]) for item in played] == [(str(n), n * n) for n in range(5)]


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


def test_syntax_error_names_the_line(job: Job) -> None:
    """A piece that does not compile is reported at its line of the cell."""
    found = job.load([Piece("cell 2", "x = 1\ndef f(:\n", 4)])[0]
    assert (found.type, found.label, found.line, found.text) == ("SyntaxError", "cell 2", 5, "def f(:")


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


def test_worker_flags_do_not_leak(job: Job) -> None:
    """The worker's own future imports do not change the learner's code."""
    assert value(job, "def f(x: int = 1): return f.__annotations__['x'] is int") is True


def test_thousands_of_pieces_load(job: Job) -> None:
    """A submission of many statements and one very long one loads completely."""
    pieces = [Piece("a", "n = 0"), *[Piece(f"p{k}", "n += 1") for k in range(1300)]]
    long = Piece("z", f"s = '{'x' * 100_000}'\ndef f(): return [n, len(s)]")
    assert job.load([*pieces, long]) == []
    assert job.play([call_case("case", "f", {})])[0].seen["result"] == [1300, 100_000]


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


def test_limits_hold_per_request(pool: Pool) -> None:
    """Each load and each play has the whole time limit for itself."""
    burn = "import time\ndef f():\n    end = time.process_time() + 0.2\n    while time.process_time() < end: pass"
    with pool.job(SMALL) as job:
        for _ in range(3):
            play(job, burn, call_case("case", "f", {}))
        assert job.cpu_seconds > 2 * SMALL.cpu_seconds * 0.9


def test_stopped_keeps_what_was_done(pool: Pool) -> None:
    """The cases played before the one that ran too long come with the exception, and the job is over."""
    source = "def f(n):\n    while n == 2: pass\n    return n"
    with pool.job(SMALL) as job:
        with pytest.raises(Stopped) as caught:
            play(job, source, *[call_case(str(n), "f", {"n": n}) for n in range(4)])
        assert (caught.value.reason, caught.value.played) == ("time limit", 2)
        assert [item.seen["result"] for item in caught.value.done] == [0, 1]
        assert job.cpu_seconds >= SMALL.cpu_seconds
        with pytest.raises(Stopped, match="crashed"):
            job.load([])


def test_time_is_read_from_outside(pool: Pool) -> None:
    """Processor time of all threads counts, and goes on counting while the code lies about it."""
    with pool.job() as job:
        before = job.cpu_seconds
        source = "import threading\ndef g(): sum(range(10**6))\ndef f():\n    for _ in range(3):\n"
        value(job, source + "        t = threading.Thread(target=g); t.start(); t.join()\n    return 1")
        assert job.cpu_seconds > before + 0.01


def test_job_of_a_dead_server_goes_on(view: Path) -> None:
    """When the server dies, it is started again, and the job repeats what was loaded."""
    with Pool(view) as own, own.job() as job:
        job.load([Piece("a", "x = 5\ndef f(): return x")])
        kill_server(own, job)
        assert job.play([call_case("case", "f", {})])[0].seen == {"result": 5}


def test_second_death_is_a_crash(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that dies again while the job is repeated ends the job, not the pool."""
    with Pool(view) as own:
        with own.job() as job:
            job.load([Piece("a", "def f(): return 1")])
            load = Job._load
            monkeypatch.setattr(Job, "_load", lambda self, pieces: [load(self, pieces), kill_server(own, self)][0])
            kill_server(own, job)
            with pytest.raises(Stopped, match="crashed"):
                job.play([call_case("case", "f", {})])
        monkeypatch.undo()
        with own.job() as job:
            assert value(job, "def f(): return 2") == 2


def test_pool_starts_again_between_jobs(view: Path) -> None:
    """A server that died between two jobs is not noticed."""
    with Pool(view) as own:
        own._process.kill()
        own._process.wait()
        with own.job() as job:
            assert value(job, "def f(): return 2") == 2


def test_closed_pool_leaves_nothing(view: Path) -> None:
    """When `close` returns, server and jobs are gone."""
    with Pool(view) as own:
        pids = [own._process.pid, own.job().pid, own.job().pid]
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


SCRIPT = """
import sys
from pathlib import Path
from autograder.sandbox.pool import Piece, Pool
with Pool(Path(sys.argv[1])) as pool, pool.job() as job:
    print(pool._process.pid, job.pid, flush=True)
    job.load([Piece("a", "while True: pass")])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_ended_grader_leaves_nothing(number: signal.Signals, view: Path) -> None:
    """A grader that is interrupted, ended or killed in the middle of a job leaves no process behind."""
    command = [sys.executable, "-c", SCRIPT, str(view)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as grader:
        pids = [int(word) for word in grader.stdout.readline().split()]
        handles = [os.pidfd_open(pid) for pid in pids]
        grader.send_signal(number)
        assert grader.wait(10) != 0
    assert [is_gone(pid, handle) for pid, handle in zip(pids, handles, strict=True)] == [True, True]
    for handle in handles:
        os.close(handle)


def test_missing_bubblewrap_has_a_remedy(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bubblewrap the pool says what to install."""
    monkeypatch.setattr(pool_module.shutil, "which", lambda _: None)
    with pytest.raises(PoolError, match="apt-get install bubblewrap"):
        Pool(view).job()


def test_view_without_course_lib_is_refused(tmp_path: Path) -> None:
    """A folder that is no view is named in a sentence."""
    with pytest.raises(PoolError, match=f"{tmp_path} has no course_lib package"):
        Pool(tmp_path).job()


def test_refused_namespace_has_a_remedy(view: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What bubblewrap complains about is passed on, with the settings that help."""
    script = tmp_path / "bwrap"
    script.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(pool_module.shutil, "which", lambda _: str(script))
    with pytest.raises(PoolError, match="unprivileged_userns_clone") as caught:
        Pool(view).job()
    assert "No permissions to create a new namespace" in caught.value.sentence


def test_unreadable_view_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that jobs of a root pool, being another user, could not read is refused with the remedy."""
    monkeypatch.setattr(ground_module.os, "geteuid", lambda: 0)
    view = make_view(tmp_path)
    (view / "course_lib" / "kernels.py").chmod(0o600)
    with pytest.raises(PoolError, match="kernels.py can only be read by its owner; run `chmod"):
        Pool(view).job()


def test_wall_that_cannot_be_raised_stops_the_job(view: Path) -> None:
    """A limit that the kernel refuses means no job, not a job without the wall."""
    with Pool(view) as own, pytest.raises(PoolError, match="a wall could not be raised"):
        own.job(replace(SMALL, disk_bytes=-5))


def test_torch_can_be_had(view: Path) -> None:
    """A pool with Torch runs Torch code, and its results come out as arrays."""
    source = "import torch\ndef f(x): return torch.from_numpy(x).requires_grad_().exp()"
    with Pool(view, torch=True) as own, own.job(Limits(memory_bytes=2 << 30)) as job:
        np.testing.assert_allclose(value(job, source, np.zeros(3)), np.ones(3))
