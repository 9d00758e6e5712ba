"""Grading on a cluster: a real scheduler and real workers on this computer, and what happens when they end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import copy_course, course_command, environment, started_command
from distributed import Client

from autograder import executors, grade
from autograder.classroom import fill, hand_in, source_as
from autograder.course import Lesson, Report
from autograder.executors import Work, code_changed, on_cluster
from autograder.folders import CourseError, Folders
from autograder.grade import Graded, Grader, grade_class
from autograder.gradebook import ensure_lesson
from autograder.intake import find_submissions
from autograder.verdicts import VerdictStore

LEARNERS = 12
PATIENCE = 60.0


class Cluster:
    """A scheduler and workers, each a process of its own on the loopback device.

    Args:
        folder: where they keep their files.
        count: how many workers.
        settings: of dask, as environment variables.
    """

    def __init__(self, folder: Path, count: int, **settings: str) -> None:
        self.settings = settings
        file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        with Client(scheduler_file=str(file), timeout=PATIENCE, set_as_default=False) as client:
            self.address = client.scheduler.address
            options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder)]
            self.workers = [self._start("worker", self.address, *options) for _ in range(count)]
            client.wait_for_workers(count, timeout=PATIENCE)

    def _start(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", *arguments]
        tests = os.pathsep.join([environment()["PYTHONPATH"], str(Path(__file__).parent)])
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, env=environment(PYTHONPATH=tests, **self.settings), **quiet)

    def client(self) -> Client:
        """A connection of the test's own."""
        return Client(self.address, timeout=PATIENCE, set_as_default=False)

    def close(self) -> None:
        """End all of it."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Two workers."""
    (tmp_path / "dask").mkdir()
    started = Cluster(tmp_path / "dask", 2)
    yield started
    started.close()


@pytest.fixture(scope="module")
def template(
    course: Folders, grader: Grader, lesson: Lesson, released: dict[str, Any], solved: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Folders:  # fmt: skip
    """A course with twelve different submissions, one of them unreadable; tests work on copies of it."""
    folders = copy_course(course, tmp_path_factory.mktemp("scheduler") / "course")
    ensure_lesson(folders.root, lesson.id)
    quick = solved | {"train_xor": "def train_xor(x, y, hidden, learning_rate, steps, seed):\n    return None"}
    for number in range(LEARNERS):
        exercise = lesson.exercises[number // 2]
        wrong = {exercise.id: source_as(exercise.mistakes[0].code, exercise.id)} if number % 2 else {}
        learner = f"learner{number:02d}"
        hand_in(folders.submitted, learner, lesson.id, fill(released, quick | wrong, learner))
    hand_in(folders.submitted, "nils", lesson.id, b"")
    return folders


@pytest.fixture
def ours(template: Folders, tmp_path: Path) -> Folders:
    """A copy of the course for one test."""
    shutil.copytree(template.root, tmp_path / "course")
    return Folders(tmp_path / "course")


@pytest.fixture(scope="module")
def local(template: Folders, lesson: Lesson, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """What a run on this computer's own processes says."""
    root = tmp_path_factory.mktemp("local") / "course"
    shutil.copytree(template.root, root)
    return timeless(grade_all(Folders(root), lesson, processes=2))


def grade_all(folders: Folders, lesson: Lesson, **options: Any) -> list[Graded]:
    """Grade all submissions of a course."""
    return list(grade_class(folders, lesson, find_submissions(folders.submitted, lesson.id), **options))


def timeless(graded: list[Graded]) -> dict[str, Report]:
    """Reports by learner, without how long anything took."""
    reports = [one.report for one in graded]
    assert len({report.learner for report in reports}) == len(reports)
    return {report.learner: without_times(report) for report in reports}


def without_times(report: Report) -> Report:
    """The same report, durations apart."""
    return replace(report, seconds=0.0, verdicts=tuple(replace(verdict, seconds=0.0) for verdict in report.verdicts))


def copies(folders: Folders) -> dict[str, bytes]:
    """Every file among the copies for markers."""
    paths = [path for path in folders.autograded.rglob("*") if path.is_file()]
    return {str(path.relative_to(folders.autograded)): path.read_bytes() for path in paths}


def leave(_: Any) -> None:
    """Take the worker down."""
    os._exit(1)


class Nothing:
    """What a worker keeps that needs nothing."""

    def close(self) -> None:
        """Nothing to do."""


def double_or_leave(_: Nothing, number: int) -> int:
    """Twice the number; the one below zero ends its process."""
    if number < 0:
        os._exit(1)
    return 2 * number


def refuse() -> Nothing:
    """A worker that cannot start."""
    raise CourseError("worker7 sees nothing.")


@pytest.mark.slow
def test_lost_worker_loses_no_verdict(
    cluster: Cluster, ours: Folders, lesson: Lesson, local: dict[str, Report]
) -> None:
    """One of two workers is killed in the middle: everybody is reported once, with the verdicts of a local run."""
    entries = find_submissions(ours.submitted, lesson.id)
    running = grade_class(ours, lesson, entries, scheduler=cluster.address)
    graded = [next(running)]
    with cluster.client() as client:
        busy = {worker: keys for worker, keys in client.processing().items() if keys}
        assert len(busy) == 2, "both workers have submissions"
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    graded += running
    assert len(graded) == LEARNERS + 1
    assert timeless(graded) == local
    kept = {report.learner: without_times(report) for report in VerdictStore(ours.verdicts).latest(lesson.id)}
    assert kept == local
    assert {name.split("/")[0] for name in copies(ours)} == set(local)
    again = grade_all(ours, lesson, scheduler=cluster.address)
    assert timeless(again) == local
    assert not any(one.new for one in again), "what is known is not judged again"


@pytest.mark.slow
def test_command_grades_on_a_cluster(cluster: Cluster, ours: Folders, lesson: Lesson, local: dict[str, Report]) -> None:
    """`course grade --scheduler`, told a relative folder, writes copies and pages as a local run does."""
    done = course_command(
        ours.root, "grade", lesson.id, "--scheduler", cluster.address, "--json", "--submitted", "run/submitted"
    )
    assert done.returncode == 0, done.stderr
    points = {item["learner"]: item["points"] for item in json.loads(done.stdout)["submissions"]}
    assert points == {learner: report.points for learner, report in local.items()}
    on_cluster_made = copies(ours)
    shutil.rmtree(ours.autograded)
    ours.verdicts.unlink()
    grade_all(ours, lesson, processes=1)
    assert on_cluster_made == copies(ours)
    assert {path.parent.parent.name for path in ours.feedback.rglob("*.html")} == set(local)


@pytest.mark.slow
def test_ctrl_c_stops_a_cluster_run_without_loss(
    cluster: Cluster, ours: Folders, lesson: Lesson, local: dict[str, Report]
) -> None:
    """Stopped in the middle, the command says what is kept; workers forget the rest, and the next run goes on."""
    store = VerdictStore(ours.verdicts)
    with started_command(ours.root, "grade", lesson.id, "--scheduler", cluster.address) as running:
        end = time.monotonic() + 3 * PATIENCE
        while store.count(lesson.id) < 2 and running.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE)
    assert (running.returncode, "Traceback" in said) == (130, False), said
    kept = {report.learner: without_times(report) for report in store.latest(lesson.id)}
    assert 2 <= len(kept) <= LEARNERS
    counted = re.search(rf"Stopped: (\d+) of {LEARNERS + 1} submissions are graded and kept", " ".join(said.split()))
    assert counted is not None, said
    assert len(kept) - int(counted[1]) in (0, 1), "at most the one that was just being counted"
    with cluster.client() as client:
        assert not any(client.processing().values()), "the scheduler has forgotten the rest"
    assert timeless(grade_all(ours, lesson, processes=1)) == local


def test_item_that_ends_its_workers_names_itself(tmp_path: Path) -> None:
    """What takes down every worker that gets it comes back as an error, after what the others made of the rest."""
    cluster = Cluster(tmp_path, 3, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        found = dict(on_cluster(Work(Nothing, double_or_leave), [1, 2, -1], cluster.address))
    finally:
        cluster.close()
    assert (found[1], found[2]) == (2, 4)
    assert type(found[-1]).__name__ == "KilledWorker"


def test_worker_that_cannot_start_is_named(cluster: Cluster) -> None:
    """What keeps a worker from starting is said, and ends the run."""
    with pytest.raises(CourseError, match=r"worker7 sees nothing\."):
        list(on_cluster(Work(refuse, double_or_leave), [1], cluster.address))


def test_scheduler_that_goes_away_is_named(cluster: Cluster) -> None:
    """When the scheduler ends in the middle, one sentence says that nothing is lost and what to do."""
    running = on_cluster(Work(Nothing, double_or_leave), range(100_000), cluster.address)
    next(running)
    cluster.scheduler.kill()
    with pytest.raises(CourseError, match=r"What was finished is kept"):
        list(running)


def test_no_scheduler_is_named(ours: Folders, lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address at which nobody listens gives a sentence."""
    monkeypatch.setattr(executors, "CONNECT_SECONDS", 0.5)
    with pytest.raises(CourseError, match="No scheduler answers at tcp://127.0.0.1:9"):
        grade_all(ours, lesson, scheduler="tcp://127.0.0.1:9")


def test_without_the_extra_one_sentence_says_what_to_install(ours: Folders, lesson: Lesson, tmp_path: Path) -> None:
    """Where dask.distributed is not installed, the command says how to install it; other commands never look for it."""
    hidden = tmp_path / "hidden" / "distributed"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not installed')")
    paths = os.pathsep.join([str(hidden.parent), environment()["PYTHONPATH"]])
    arguments = ["grade", lesson.id, "--scheduler", "tcp://127.0.0.1:9"]
    done = course_command(ours.root, *arguments, PYTHONPATH=paths)
    assert done.returncode == 2
    assert "make cluster" in done.stderr
    assert "Traceback" not in done.stderr
    assert course_command(ours.root, "list", PYTHONPATH=paths).returncode == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [("version", "would judge by other rules"), ("secret", "does not see"), ("walls", "lacks walls")],
)
def test_worker_must_be_equal(
    change: str, said: str, ours: Folders, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker with other sources, without the course's folder or without a wall grades nothing and says why."""
    version = grade.version_of(lesson, ours.secret())
    if change == "secret":
        ours = Folders(ours.root / "elsewhere")
    if change == "walls":
        broken = [grade.WallCheck("network", "missing", "It was reached.")]
        monkeypatch.setattr(grade, "_walls", lambda view: broken)
    with pytest.raises(CourseError, match=said):
        grade._start_elsewhere(ours, lesson.id, "other" if change == "version" else version)


def test_missing_file_on_a_worker_is_nobody_s_fault(ours: Folders, lesson: Lesson, grader: Grader) -> None:
    """A submission that this computer sees and the worker does not is not called unreadable."""
    entry = replace(find_submissions(ours.submitted, lesson.id)[0], path=ours.root / "gone" / "a.ipynb")
    with pytest.raises(CourseError, match="does not see"):
        grade._examine_elsewhere(grader, grade._Job(entry, False))


def test_changed_source_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that lived through a change of the course's files knows it."""
    monkeypatch.setattr(executors, "_loaded", {})
    source = tmp_path / "autograder_copy.py"
    source.write_text("")
    module = type(sys)("autograder.copy_for_a_test")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert not code_changed()
    assert not code_changed()
    os.utime(source, ns=(1, 1))
    assert code_changed()


def test_idle_worker_closes_what_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread keeps is closed when its run is over, and started again when it is needed."""
    closed: list[int] = []

    class Kept(Nothing):
        def close(self) -> None:
            closed.append(1)

    kept = executors._Kept(("run", 1), Work(Kept, double_or_leave))
    monkeypatch.setitem(executors._kept, ("run", 1), kept)
    assert kept.do(4) == 8
    kept.rest()
    assert (closed, executors._kept.get(("run", 1))) == ([1], None)
    assert kept.do(5) == 10
    with suppress(KeyError):
        kept.rest()
    assert closed == [1, 1]
