"""Pools and jobs: what learners' code returns, what happens when it fails, and who cleans up."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import listen_to_ctrl_c
from sandbox_help import make_view, play, value

from autograder.sandbox import ground as ground_module
from autograder.sandbox import pool as pool_module
from autograder.sandbox.pool import Job, Piece, Pool, PoolError, Stopped
from autograder.sandbox.walls import Limits
from course_lib.cases import call_case

ROOT = Path(__file__).resolve().parents[1]
SMALL = Limits(cpu_seconds=0.3, wall_seconds=20.0, reply_bytes=1 << 20)


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


def is_gone(pid: int, handle: int) -> bool:
    """True when the process ended, at the latest a few seconds from now."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(10_000)) or not Path(f"/proc/{pid}").exists()


def kill_server(pool: Pool, job: Job) -> None:
    """End the server from outside, as the kernel does when memory runs out, and with it the job."""
    pool._process.kill()
    assert is_gone(job.pid, job._handle)


def test_cases_are_played_in_order(job: Job) -> None:
    """Each case gives one result, under its own id."""
    cases = [call_case(str(n), "f", {"x": n}) for n in range(5)]
    played = play(job, "def f(x):\n    return x * x", *cases)
    assert [(item.case, item.seen["result"]) for item in played] == [(str(n), n * n) for n in range(5)]


def test_thousands_of_pieces_load(job: Job) -> None:
    """A submission of many statements and one very long one loads completely."""
    pieces = [Piece("a", "n = 0"), *[Piece(f"p{k}", "n += 1") for k in range(1300)]]
    long = Piece("z", f"s = '{'x' * 100_000}'\ndef f(): return [n, len(s)]")
    assert job.load([*pieces, long]) == []
    assert job.play([call_case("case", "f", {})])[0].seen["result"] == [1300, 100_000]


def test_limits_hold_per_request(pool: Pool) -> None:
    """Each load and each play has the whole time limit for itself."""
    burn = "import time\ndef f():\n    end = time.process_time() + 0.2\n    while time.process_time() < end: pass"
    with pool.job(SMALL) as job:
        job.load([Piece("a", burn)])
        for _ in range(3):
            assert job.play([call_case("case", "f", {})])[0].error is None
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
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, preexec_fn=listen_to_ctrl_c, **pipes) as grader:
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


def test_libraries_are_the_same_however_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One question for all names what `ldd` names for each; and `ldd` answers where a path does not allow that."""
    asked = ground_module._interpreter.__wrapped__(("numpy",))
    assert "libc.so.6" in asked[3]
    assert ground_module._traced(["/bin/true", "/a folder/x.so"]) == ""
    monkeypatch.setattr(ground_module, "_traced", lambda _: "")
    assert ground_module._interpreter.__wrapped__(("numpy",)) == asked


def test_wall_that_cannot_be_raised_stops_the_job(view: Path) -> None:
    """A limit that the kernel refuses means no job, not a job without the wall."""
    with Pool(view) as own, pytest.raises(PoolError, match="a wall could not be raised"):
        own.job(replace(SMALL, disk_bytes=-5))


def test_torch_can_be_had(view: Path) -> None:
    """A pool with Torch runs Torch code, and its results come out as arrays."""
    source = "import torch\ndef f(x): return torch.from_numpy(x).requires_grad_().exp()"
    with Pool(view, torch=True) as own, own.job(Limits(memory_bytes=2 << 30)) as job:
        np.testing.assert_allclose(value(job, source, np.zeros(3)), np.ones(3))
