"""Killed at any moment, the next run goes on: no verdict lost, doubled or changed, and nothing left lying about."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from autograder import files
from autograder.files import scratch_folder, sweep, write_atomically
from autograder.folders import Folders
from autograder.grade import Grader
from autograder.gradebook import ensure_lesson, has_lesson
from autograder.sandbox.pool import Piece, Stopped
from benchmarks import kill9
from course_lib.cases import call_case

MOMENTS = 10
SEED = 6
# A process that begins to write in a folder, and is killed before it is done.
HALF_WRITTEN = """
import os, signal, sys
from pathlib import Path
from autograder import files
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with files.scratch_folder(Path(sys.argv[1]), "work"):
    files.write_atomically(Path(sys.argv[1]) / "page.html", b"new")
"""


@pytest.fixture(scope="module")
def class_of_five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small class, not graded yet."""
    root = tmp_path_factory.mktemp("resume") / "class"
    kill9.make_class(root)
    return root


@pytest.fixture(scope="module")
def undisturbed(class_of_five: Path) -> tuple[dict[str, Any], kill9.Events]:
    """What a run leaves that nobody disturbs, and how many events there are."""
    root = kill9.copy_class(class_of_five, class_of_five.parent / "undisturbed")
    code, events = kill9.grade(root)
    assert code == 0
    return kill9.state(root), events


@pytest.mark.slow
@pytest.mark.parametrize("number", range(MOMENTS))
def test_next_run_ends_like_an_undisturbed_one(
    number: int, class_of_five: Path, undisturbed: tuple[dict[str, Any], kill9.Events], tmp_path: Path
) -> None:
    """Killed at a random moment, what the next run leaves is the same to the byte, durations and row ids apart."""
    wanted, events = undisturbed
    moment = kill9.moments(MOMENTS, {False: events, True: events}, SEED)[number]
    assert kill9.examine(class_of_five, tmp_path / "class", moment, wanted).wrong == []


def test_state_sees_every_difference(undisturbed: tuple[dict[str, Any], kill9.Events]) -> None:
    """The comparison covers verdicts, gradebook, copies, pages and notebooks, and would see a change in each."""
    state, _ = undisturbed
    kinds = ("run/verdicts.db", "run/gradebook.db", "run/autograded/", "run/feedback/", "notebooks/")
    assert all(any(name.startswith(kind) for name in state) for kind in kinds)
    assert len(state["run/verdicts.db"]) == 4 + 5, "four verdicts that can be used again, and everybody's latest"
    for kind in kinds:
        name = next(name for name in state if name.startswith(kind))
        assert kill9.differences({**state, name: b"other"}, state) == [name]
    assert kill9.differences({**state, "run/feedback/.half": b""}, state) == ["run/feedback/.half"]


def test_half_described_lesson_is_described_again(class_of_five: Path, tmp_path: Path) -> None:
    """A gradebook in which a kill left only some cells of the lesson gets the others."""
    root = kill9.copy_class(class_of_five, tmp_path / "class")
    url = f"sqlite:///{root / 'run' / 'gradebook.db'}"
    with closing(sqlite3.connect(root / "run" / "gradebook.db")) as database:
        gone = database.execute("DELETE FROM source_cell WHERE name = 'check_mse_loss'").rowcount
        database.commit()
    assert gone == 1
    assert not has_lesson(url, kill9.LESSON, ["check_mse_loss"])
    ensure_lesson(root, kill9.LESSON)
    assert has_lesson(url, kill9.LESSON, ["check_mse_loss"])


def test_killed_job_is_played_again(course: Folders, grader: Grader) -> None:
    """A job that somebody kills costs the learner nothing; code that ends its own process is stopped all the same."""
    pool = grader._pools[0]
    with pool.job() as job:
        job.load([Piece("cell", "def one():\n    return 1")])
        signal.pidfd_send_signal(job._handle, signal.SIGKILL)
        assert job.play([call_case("a", "one", {})])[0].seen["result"] == 1
    with pool.job() as job, pytest.raises(Stopped, match="crashed"):
        job.load([Piece("cell", "import os\nos._exit(0)")])


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """Half-written files and folders of a process that is gone disappear with the next write; those of others stay."""
    environment = os.environ | {"PYTHONPATH": str(kill9.PROJECT)}
    done = subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(tmp_path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 2, "a half-written page and a folder"
    assert all(name.startswith((".page.html.", ".work.")) for name in left)
    with scratch_folder(tmp_path, "mine") as mine:
        foreign = tmp_path / ".page.html.another-computer.1.x"
        foreign.write_text("")
        write_atomically(tmp_path / "page.html", b"new")
        assert {path.name for path in tmp_path.iterdir()} == {"page.html", foreign.name, mine.name}
    assert not mine.exists()


def test_next_run_sweeps_every_place(
    class_of_five: Path, undisturbed: tuple[dict[str, Any], kill9.Events], tmp_path: Path
) -> None:
    """Half-written files of a killed run disappear, also beside files that the next run does not write again."""
    root = kill9.copy_class(class_of_five, tmp_path / "class")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    name = files._prefix("half").replace(f".{os.getpid()}.", f".{gone.pid}.") + "x"
    for place in ("run", "run/expected", "run/views", f"notebooks/{kill9.LESSON}", f"solutions/{kill9.LESSON}"):
        (root / place).mkdir(exist_ok=True)
        (root / place / name).write_text("")
    kill9.grade(root)
    assert kill9.differences(kill9.state(root), undisturbed[0]) == []


def test_sweep_leaves_files_of_living_processes(tmp_path: Path) -> None:
    """What a process that lives is writing is not touched, nor is a folder that does not exist."""
    part = tmp_path / f"{files._prefix('page.html')}abc"
    part.write_text("")
    sweep(tmp_path)
    sweep(tmp_path / "missing")
    assert part.exists()
