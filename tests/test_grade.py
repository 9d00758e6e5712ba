"""Grading a class: everybody once, nothing twice, and nothing lost whatever is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import copy_course, course_command, environment, started_command

from autograder import executors
from autograder.classroom import fill, hand_in, source_as, with_variants
from autograder.course import Lesson, Outcome, Status
from autograder.folders import CourseError, Folders
from autograder.grade import Graded, Grader, grade_class
from autograder.gradebook import database_url, ensure_lesson, read_scores
from autograder.intake import Entry, find_submissions
from autograder.judge import Judge
from autograder.publish import publish
from autograder.verdicts import VerdictStore, report_from_json, report_to_json

PATIENCE = 60.0
WRONG = ("affine_forward", "sigmoid", "neuron_gradient", "mse_loss")


@pytest.fixture(scope="module")
def template(
    course: Folders, grader: Grader, lesson: Lesson, released: dict[str, Any], solved: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Folders:  # fmt: skip
    """A course with a gradebook and ten submissions; tests work on copies of it."""
    folders = copy_course(course, tmp_path_factory.mktemp("grade") / "course")
    ensure_lesson(folders.root, lesson.id)
    for learner, notebook in class_of_ten(lesson, released, solved).items():
        hand_in(folders.submitted, learner, lesson.id, notebook)
    return folders


def class_of_ten(lesson: Lesson, released: dict[str, Any], solved: dict[str, str]) -> dict[str, Any]:
    """Learner to what is handed in."""

    def made(learner: str, **changed: str) -> Any:
        return fill(released, solved | changed, learner)

    ways = with_variants(lesson, solved, lambda exercise: exercise.other_ways[0].code)
    wrong = {x.id: source_as(x.mistakes[0].code, x.id) for x in lesson.exercises if x.id in WRONG}
    whole = json.dumps(made("tessa")).encode()
    return {
        "ada": made("ada"),
        "alan": fill(released, ways, "alan"),
        "bruno": made("bruno", **wrong),
        "carla": made("carla", mse_loss="def mse_loss(y_hat, y):\n    return (y_hat - y) ** 2"),
        "henri": fill(released, dict(list(solved.items())[:5]), "henri"),
        "mallory": made("mallory", mse_loss="import os\n\ndef mse_loss(y_hat, y):\n    os._exit(0)"),
        "nadia": fill(released, {}, "nadia"),
        "nils": b"",
        "tessa": whole[: len(whole) // 2],
        "wanda": made("somebody else"),
    }


@pytest.fixture
def ours(template: Folders, tmp_path: Path) -> Folders:
    """A copy of the course for one test."""
    shutil.copytree(template.root, tmp_path / "course")
    return Folders(tmp_path / "course")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Changes to the grader that its worker processes inherit."""
    monkeypatch.setattr(executors, "_context", lambda: multiprocessing.get_context("fork"))
    return monkeypatch


@pytest.fixture(scope="module")
def first_run(
    template: Folders, lesson: Lesson, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Folders, list[Graded]]:
    """The class graded by two processes and published, once for all tests that only look."""
    root = tmp_path_factory.mktemp("graded") / "course"
    shutil.copytree(template.root, root)
    folders = Folders(root)
    graded = graded_by(folders, lesson, processes=2)
    publish(folders, lesson, graded)
    return folders, graded


@pytest.fixture
def graded_copy(first_run: tuple[Folders, list[Graded]], tmp_path: Path) -> tuple[Folders, list[Graded]]:
    """A copy of the graded course, to go on with."""
    shutil.copytree(first_run[0].root, tmp_path / "course")
    return Folders(tmp_path / "course"), first_run[1]


def graded_by(folders: Folders, lesson: Lesson, **options: Any) -> list[Graded]:
    """Grade all submissions of a course."""
    entries = find_submissions(folders.submitted, lesson.id)
    return sorted(grade_class(folders, lesson, entries, **options), key=lambda one: one.report.learner)


def verdicts(graded: list[Graded]) -> dict[str, tuple[Any, ...]]:
    """Everything that a rerun must not change: all of a report but the seconds spent now."""
    return {one.report.learner: (one.report.status, one.report.reason, one.report.verdicts) for one in graded}


def scores(graded: list[Graded]) -> dict[str, tuple[str, float]]:
    """Status and points by learner."""
    return {one.report.learner: (str(one.report.status), one.report.points) for one in graded}


def kept(folders: Folders) -> int:
    """How many learners have a verdict in the store."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(folders.verdicts, timeout=10)) as database:
        return database.execute("SELECT count(*) FROM latest").fetchone()[0]
    return 0


def wait_until(condition: Any) -> None:
    """Look again and again, for a minute at most."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def processes_of(root: Path) -> list[int]:
    """Processes that name a folder in their command, such as the sandbox of a course."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(root).encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def test_everybody_is_reported_once(first_run: tuple[Folders, list[Graded]], lesson: Lesson) -> None:
    """Ten submissions give ten reports, each with a verdict for every exercise and question."""
    folders, graded = first_run
    assert [one.report.learner for one in graded] == sorted(path.name for path in folders.submitted.iterdir())
    items = [item.id for item in (*lesson.exercises, *lesson.questions)]
    assert all([verdict.exercise for verdict in one.report.verdicts] == items for one in graded)


def test_class_gets_the_scores_it_earned(first_run: tuple[Folders, list[Graded]], lesson: Lesson) -> None:
    """Right, other, wrong, half, damaged, hostile and mixed-up work end as they should."""
    found = scores(first_run[1])
    full = lesson.max_points
    assert found["ada"] == found["alan"] == ("graded", full)
    assert found["bruno"] == ("graded", full - sum(lesson.exercise(name).points for name in WRONG))
    assert found["carla"] == found["mallory"] == ("graded", full - lesson.exercise("mse_loss").points)
    assert found["nadia"] == ("graded", 0.0)
    assert found["nils"] == ("unreadable", 0.0)
    assert found["tessa"][0] == "partly graded" and 0 < found["tessa"][1] < full
    assert found["wanda"][0] == "needs a person"


def test_rerun_judges_nothing(
    graded_copy: tuple[Folders, list[Graded]], lesson: Lesson, broken: pytest.MonkeyPatch
) -> None:
    """A second run gives equal reports although the judge is broken: every one comes from the store."""
    folders, graded = graded_copy
    broken.setattr(Judge, "judge", lambda *_: 1 / 0)
    again = graded_by(folders, lesson, processes=2)
    assert verdicts(again) == verdicts(graded)
    assert not any(one.new for one in again)


def test_fresh_judges_again(graded_copy: tuple[Folders, list[Graded]], lesson: Lesson) -> None:
    """With --fresh everything that can be read is judged anew, and scores the same."""
    folders, graded = graded_copy
    again = graded_by(folders, lesson, processes=2, fresh=True)
    assert scores(again) == scores(graded)
    assert [one.report.learner for one in again if not one.new] == ["nils"]


def test_changed_answer_is_judged_again(
    graded_copy: tuple[Folders, list[Graded]], lesson: Lesson, released: dict[str, Any], solved: dict[str, str]
) -> None:
    """Who hands in again gets a new verdict; what others have is kept."""
    folders, graded = graded_copy
    hand_in(folders.submitted, "carla", lesson.id, fill(released, solved, "carla"))
    again = graded_by(folders, lesson, processes=1)
    assert [one.report.learner for one in again if one.new] == ["carla"]
    assert scores(again) == scores(graded) | {"carla": ("graded", lesson.max_points)}


def test_trouble_with_one_does_not_stop_the_class(
    ours: Folders, lesson: Lesson, first_run: tuple[Folders, list[Graded]], broken: pytest.MonkeyPatch
) -> None:
    """When judging one submission fails on our side, that one needs a person, and nothing about it is kept."""
    honest = Judge.judge

    def judge(self: Judge, notebook: Any, learner: str) -> Any:
        return 1 / 0 if learner == "bruno" else honest(self, notebook, learner)

    broken.setattr(Judge, "judge", judge)
    found = scores(graded_by(ours, lesson, processes=2))
    assert found == scores(first_run[1]) | {"bruno": (str(Status.NEEDS_A_PERSON), 0.0)}
    broken.undo()
    assert scores(graded_by(ours, lesson, processes=1)) == scores(first_run[1])


def test_killed_worker_loses_nobody(ours: Folders, lesson: Lesson, first_run: tuple[Folders, list[Graded]]) -> None:
    """A worker process that is killed in the middle is replaced, and everybody is reported once."""
    entries = find_submissions(ours.submitted, lesson.id)
    running = grade_class(ours, lesson, entries, processes=2)
    graded = [next(running)]
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    graded += running
    assert Counter(one.report.learner for one in graded) == Counter(entry.learner for entry in entries)
    assert scores(graded) == scores(first_run[1])


def test_worker_that_dies_on_one_submission_names_it(
    ours: Folders, lesson: Lesson, first_run: tuple[Folders, list[Graded]], broken: pytest.MonkeyPatch
) -> None:
    """A submission that brings down the grading process each time needs a person; the others are graded."""
    honest = Grader.examine

    def graded_or_dead(self: Grader, entry: Entry, *options: Any) -> Graded:
        if entry.learner == "carla":
            os.kill(os.getpid(), signal.SIGKILL)
        return honest(self, entry, *options)

    broken.setattr(Grader, "examine", graded_or_dead)
    graded = graded_by(ours, lesson, processes=2)
    found = {one.report.learner: one.report for one in graded}
    assert found["carla"].status is Status.NEEDS_A_PERSON
    assert "Grade this submission again" in found["carla"].reason
    assert scores(graded) == scores(first_run[1]) | {"carla": (str(Status.NEEDS_A_PERSON), 0.0)}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "ctrl_c"])
def test_stopped_run_is_continued(
    number: signal.Signals, ours: Folders, lesson: Lesson, first_run: tuple[Folders, list[Graded]]
) -> None:
    """The whole process group is stopped in the middle; the next run keeps what was finished and adds the rest once."""
    running = started_command(ours.root, "grade", lesson.id, "--processes", "1")
    wait_until(lambda: kept(ours) >= 3 or running.poll() is not None)
    assert running.poll() is None, running.communicate()[1]
    os.killpg(running.pid, number)
    _, complaints = running.communicate(timeout=PATIENCE)
    assert running.returncode != 0
    assert "Traceback" not in complaints
    wait_until(lambda: not processes_of(ours.root))
    before = {report.learner: report for report in VerdictStore(ours.verdicts).latest(lesson.id)}
    assert 3 <= len(before) < 10, "stopped in the middle"
    done = course_command(ours.root, "grade", lesson.id, "--json", "--processes", "2")
    assert done.returncode == 0, done.stderr
    reports = {item["learner"]: report_from_json(item) for item in json.loads(done.stdout)["submissions"]}
    assert len(reports) == 10
    # The seconds of a verdict differ whenever it is made anew.
    assert {name: report.verdicts for name, report in before.items()} == {n: reports[n].verdicts for n in before}
    found = {name: (str(report.status), report.points) for name, report in reports.items()}
    assert found == scores(first_run[1])
    assert gradebook_rows(ours) == Counter({learner: 1 for learner in reports})


def gradebook_rows(folders: Folders) -> Counter[str]:
    """How many submissions of each learner the gradebook holds."""
    with closing(sqlite3.connect(folders.run / "gradebook.db")) as database:
        return Counter(learner for (learner,) in database.execute("SELECT student_id FROM submitted_assignment"))


def test_gradebook_says_what_the_reports_say(first_run: tuple[Folders, list[Graded]], lesson: Lesson) -> None:
    """The automatic scores in nbgrader's database add up to the reports' points."""
    folders, graded = first_run
    book = {score.learner: score for score in read_scores(database_url(folders.root), lesson.id)}
    assert {name: score.points for name, score in book.items()} == {
        n: points for n, (_, points) in scores(graded).items()
    }
    assert gradebook_rows(folders) == Counter({name: 1 for name in scores(graded)})


def test_manual_marks_survive_regrading(graded_copy: tuple[Folders, list[Graded]], lesson: Lesson) -> None:
    """What a person entered still counts after everything was judged again."""
    folders, _ = graded_copy
    with closing(sqlite3.connect(folders.run / "gradebook.db")) as database:
        marked = mark(database, "bruno", "check_sigmoid", 1.5) + mark(database, "bruno", "open_question_xor", 2.0)
    assert marked == 2
    publish(folders, lesson, graded_by(folders, lesson, processes=2, fresh=True))
    cells = {score.learner: score.cells for score in read_scores(database_url(folders.root), lesson.id)}["bruno"]
    assert (cells["check_sigmoid"].manual, cells["check_sigmoid"].auto) == (1.5, 0.0)
    assert cells["open_question_xor"].points == 2.0


def mark(database: sqlite3.Connection, learner: str, cell: str, points: float) -> int:
    """Enter a manual score as formgrader does, and return how many rows that changed."""
    changed = database.execute(
        "UPDATE grade SET manual_score = ?, needs_manual_grade = 0 WHERE id IN (SELECT grade.id FROM grade"
        " JOIN base_cell ON base_cell.id = grade.cell_id"
        " JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id"
        " JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
        " WHERE base_cell.name = ? AND submitted_assignment.student_id = ?)",
        (points, cell, learner),
    ).rowcount
    database.commit()
    return changed


def test_everybody_gets_a_page_and_a_copy(first_run: tuple[Folders, list[Graded]], lesson: Lesson) -> None:
    """There is a feedback page and a copy for markers for every learner, the unreadable one too."""
    folders, graded = first_run
    for one in graded:
        place = Path(one.report.learner) / lesson.id
        assert one.report.learner in (folders.feedback / place / f"{lesson.id}.html").read_text()
        assert json.loads((folders.autograded / place / f"{lesson.id}.ipynb").read_text())["nbformat"] == 4


def test_reports_survive_the_store(first_run: tuple[Folders, list[Graded]]) -> None:
    """A report is the same after a trip through JSON."""
    for one in first_run[1]:
        assert report_from_json(json.loads(json.dumps(report_to_json(one.report)))) == one.report


def test_damaged_store_is_named(ours: Folders, lesson: Lesson) -> None:
    """A verdict store that is no database gives a sentence, and is not overwritten."""
    ours.verdicts.write_bytes(b"no database" * 1000)
    with pytest.raises(CourseError, match="verdicts.db cannot be used"):
        graded_by(ours, lesson)
    assert ours.verdicts.read_bytes() == b"no database" * 1000


def test_wall_clock_failure_is_not_kept(ours: Folders, lesson: Lesson, solved: dict[str, str], released: Any) -> None:
    """A verdict that depended on how busy the computer was is made again next time."""
    sleeping = "import time\n\ndef mse_loss(y_hat, y):\n    time.sleep(1000)"
    path = hand_in(ours.submitted, "sam", lesson.id, fill(released, solved | {"mse_loss": sleeping}, "sam"))
    with Grader(ours, lesson) as grader:
        grader._judge.limits = replace(grader._judge.limits, wall_seconds=0.7)
        graded = grader.grade(Entry("sam", path))
    found = {verdict.exercise: verdict.outcome for verdict in graded.report.verdicts}
    assert (found["mse_loss"], graded.new) == (Outcome.TIME_LIMIT, False)


@pytest.fixture
def without_bubblewrap(tmp_path: Path) -> Iterator[str]:
    """A PATH on which there is no bubblewrap."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("ldd", "sh", "bash", "cat"):
        where = shutil.which(tool)
        if where:
            (folder / tool).symlink_to(where)
    yield str(folder)


def test_grading_refuses_without_walls(ours: Folders, lesson: Lesson, without_bubblewrap: str) -> None:
    """Without bubblewrap nothing is graded, and the message says how to get it."""
    done = course_command(ours.root, "grade", lesson.id, PATH=without_bubblewrap)
    assert done.returncode == 1
    assert "apt-get install bubblewrap" in done.stderr
    assert "Nothing was graded" in done.stderr
    assert "Traceback" not in done.stderr
    assert kept(ours) == 0
    assert not ours.autograded.exists()


@pytest.mark.parametrize("open_before", range(10))
def test_sandbox_starts_with_any_descriptor(open_before: int, template: Folders) -> None:
    """However many files the caller has open, the number of the server's connection does not matter."""
    view = next(path for path in (template.run / "views").iterdir() if path.is_dir())
    code = (
        "import os, sys; from pathlib import Path; from autograder.sandbox.pool import Pool; "
        "kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(int(sys.argv[2]))]; "
        "Pool(Path(sys.argv[1])).__enter__().close()"
    )
    command = [sys.executable, "-c", code, str(view), str(open_before)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
