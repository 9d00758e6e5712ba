"""`course demo`: the first thing that anybody sees, from end to end."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from commands import copy_course, course_command

from autograder.course import Lesson
from autograder.folders import Folders
from autograder.grade import Grader

HONEST = ("ada", "alan", "grace")
MISTAKEN = ("bruno", "carla", "dario", "emma", "farid")
HOSTILE = ("mallory", "oscar", "trudy")
SUBMISSIONS = 14

Shown = tuple[dict[str, bytes], subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real(course: Folders, grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A real course, in which an instructor tries the demo."""
    folders = copy_course(course, tmp_path_factory.mktemp("demo") / "course")
    (folders.submitted / "anna").mkdir(parents=True)
    (folders.submitted / "anna" / "keep.txt").write_text("real work")
    return folders


def snapshot(folders: Folders) -> dict[str, bytes]:
    """Every file of the real course, with its content."""
    files = {str(path.relative_to(folders.root)): path for path in folders.root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith("run/demo/")}


@pytest.fixture(scope="module")
def shown(real: Folders) -> Shown:
    """The real course before, and the demo after it ran."""
    return snapshot(real), course_command(real.root, "demo")


@pytest.fixture(scope="module")
def reports(real: Folders, shown: object, lesson: Lesson) -> dict[str, dict]:
    """Every report of the demo, asked for a second time as JSON."""
    done = course_command(real.run / "demo", "grade", lesson.id, "--json")
    return {report["learner"]: report for report in json.loads(done.stdout)["submissions"]}


def test_demo_ends_well(shown: Shown) -> None:
    """Exit code 0, no traceback, a table with the four columns, and what to open next."""
    done = shown[1]
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for words in ("Learner", "Status", "Points", "First thing to fix", f"{SUBMISSIONS} submissions", "Open next:"):
        assert words in done.stdout


def test_everybody_is_in_the_table(shown: Shown, reports: dict) -> None:
    """At least fourteen learners, each named in the table."""
    assert len(reports) == SUBMISSIONS
    assert [learner for learner in reports if learner not in shown[1].stdout] == []


def test_statuses_are_as_told(reports: dict[str, dict], lesson: Lesson) -> None:
    """Three styles are full, five mistakes are named, the rest ends as the issue says."""
    points = {learner: report["points"] for learner, report in reports.items()}
    assert {points[learner] for learner in HONEST} == {lesson.max_points}
    for learner in MISTAKEN:
        assert points[learner] < lesson.max_points
        assert [verdict["mistake"] for verdict in reports[learner]["verdicts"] if verdict["mistake"]] != []
    assert points["nadia"] == 0
    assert 0 < points["henri"] < lesson.max_points
    assert reports["tessa"]["status"] == "partly graded"


@pytest.mark.parametrize("learner", HOSTILE)
def test_attack_costs_only_itself(learner: str, reports: dict[str, dict], lesson: Lesson) -> None:
    """A hostile answer loses its own points and no others."""
    lost = {item["exercise"] for item in reports[learner]["verdicts"] if item["points"] < item["max_points"]}
    assert lost == {"sigmoid"}


def test_gradebook_and_pages_are_filled(real: Folders, reports: dict[str, dict], lesson: Lesson) -> None:
    """nbgrader's gradebook holds everybody, and everybody has a feedback page."""
    demo = Folders(real.run / "demo")
    with closing(sqlite3.connect(demo.run / "gradebook.db")) as database:
        learners = {learner for (learner,) in database.execute("SELECT student_id FROM submitted_assignment")}
    assert learners == set(reports)
    pages = {learner: demo.feedback / learner / lesson.id / f"{lesson.id}.html" for learner in reports}
    assert [learner for learner, page in pages.items() if not page.is_file()] == []


def test_what_to_open_next_is_there(real: Folders, shown: Shown) -> None:
    """The page that the demo points to exists."""
    named = next(line.split("  (")[0].strip() for line in shown[1].stdout.splitlines() if ".html" in line)
    assert Path(named).is_file()


def test_real_course_is_untouched(real: Folders, shown: tuple[dict[str, bytes], object]) -> None:
    """Nothing outside run/demo was made, changed or removed."""
    assert snapshot(real) == shown[0]
