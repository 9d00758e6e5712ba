"""The command line: what it prints, what it returns, and that bad input gets a sentence and never a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main
from commands import copy_course, course_command

from autograder.classroom import fill, hand_in
from autograder.cli import app
from autograder.course import Lesson, Outcome, Status
from autograder.folders import Folders
from autograder.grade import Grader
from autograder.gradebook import ensure_lesson

COMMANDS = sorted(typer.main.get_command(app).commands)
VERDICT_KEYS = set("exercise points max_points verdict message mistake numpy torch seconds case".split())
EXERCISE_KEYS = set("exercise signature points public_cases secret_cases mistakes other_ways".split())
GRADED_KEYS = VERDICT_KEYS | set("version seed expected".split())
REPORT_KEYS = set(
    "learner lesson status reason points max_points verdicts key seconds submission judge environment held".split()
)
GOOD = "import numpy as np\n\ndef mse_loss(y_hat, y):\n    return np.sum((y_hat - y) ** 2) / len(y)\n"


@pytest.fixture(scope="module")
def template(
    course: Folders, grader: Grader, lesson: Lesson, released: dict[str, Any], solved: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Folders:  # fmt: skip
    """A course with two submissions; commands that change nothing run in it."""
    folders = copy_course(course, tmp_path_factory.mktemp("cli") / "course")
    ensure_lesson(folders.root, lesson.id)
    hand_in(folders.submitted, "ada", lesson.id, fill(released, solved, "ada"))
    hand_in(folders.submitted, "nils", lesson.id, b"")
    return folders


@pytest.fixture
def ours(template: Folders, tmp_path: Path) -> Folders:
    """A copy of the course for one test."""
    shutil.copytree(template.root, tmp_path / "course")
    return Folders(tmp_path / "course")


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_help_with_an_example(command: str, tmp_path: Path) -> None:
    """Each command explains itself, anywhere, and shows how it is used."""
    done = course_command(tmp_path, command, "--help")
    assert done.returncode == 0
    assert f"Example: course {command}" in " ".join(done.stdout.split())


def test_without_a_command_help_is_shown(tmp_path: Path) -> None:
    """`course` alone lists all commands."""
    done = course_command(tmp_path)
    assert all(command in done.stdout + done.stderr for command in COMMANDS)


def test_list_has_the_documented_keys(template: Folders, lesson: Lesson) -> None:
    """`course list --json` gives exactly the keys of docs/json.md, and counts."""
    listed, *_ = json.loads(course_command(template.root, "list", "--json").stdout)
    assert set(listed) == {"lesson", "title", "exercises", "questions", "open_questions"}
    assert [item["exercise"] for item in listed["exercises"]] == [exercise.id for exercise in lesson.exercises]
    for item in listed["exercises"]:
        assert set(item) == EXERCISE_KEYS
        assert item["signature"].startswith(f"{item['exercise']}(")
        assert min(item["public_cases"], item["secret_cases"], item["other_ways"] - 1, item["mistakes"] - 3) >= 1
    assert all(set(item) == {"question", "points"} for item in listed["questions"] + listed["open_questions"])


def test_list_shows_every_exercise(template: Folders, lesson: Lesson) -> None:
    """The table for people names every exercise."""
    done = course_command(template.root, "list")
    assert done.returncode == 0
    assert all(exercise.id in done.stdout for exercise in lesson.exercises)


def test_try_accepts_a_right_answer(template: Folders, tmp_path: Path) -> None:
    """`course try --json` gives exactly the documented keys, full points and exit code 0."""
    (tmp_path / "mine.py").write_text(GOOD)
    done = course_command(template.root, "try", "mse_loss", tmp_path / "mine.py", "--json")
    verdict = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(verdict) == VERDICT_KEYS
    assert (verdict["verdict"], verdict["points"], verdict["mistake"]) == ("correct", verdict["max_points"], None)


def test_try_refuses_a_wrong_answer(template: Folders, tmp_path: Path) -> None:
    """A wrong answer gives exit code 1, in words and in JSON."""
    (tmp_path / "mine.py").write_text(GOOD.replace("len(y)", "y.size"))
    done = course_command(template.root, "try", "mse_loss", tmp_path / "mine.py")
    assert done.returncode == 1
    assert "mse_loss: wrong values, 0 of 2 points" in done.stdout


def test_grade_has_the_documented_keys(ours: Folders, lesson: Lesson) -> None:
    """`course grade --json` prints one document with exactly the documented keys and closed sets of words."""
    done = course_command(ours.root, "grade", lesson.id, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"lesson", "submissions"}
    assert [report["learner"] for report in found["submissions"]] == ["ada", "nils"]
    for report in found["submissions"]:
        assert set(report) == REPORT_KEYS
        assert report["status"] in list(Status)
        assert all(set(verdict) == GRADED_KEYS for verdict in report["verdicts"])
        assert all(verdict["verdict"] in list(Outcome) for verdict in report["verdicts"])
        assert report["points"] == sum(verdict["points"] for verdict in report["verdicts"])


def test_grade_shows_a_table(ours: Folders, lesson: Lesson) -> None:
    """For people there is a table with learner, status, points and the first thing to fix."""
    done = course_command(ours.root, "grade", lesson.id)
    assert done.returncode == 0, done.stderr
    for words in ("Learner", "Status", "Points", "First thing to fix", "ada", "graded", "nils", "unreadable", "empty"):
        assert words in done.stdout


def test_feedback_and_export_follow_grading(ours: Folders, lesson: Lesson, tmp_path: Path) -> None:
    """After grading, pages can be written again and scores exported."""
    assert course_command(ours.root, "grade", lesson.id).returncode == 0
    again = course_command(ours.root, "feedback", lesson.id)
    assert (again.returncode, "2 pages" in again.stdout) == (0, True)
    exported = course_command(ours.root, "export", lesson.id, "--to", tmp_path / "grades.csv")
    assert exported.returncode == 0, exported.stderr
    assert "ada" in (tmp_path / "grades.csv").read_text()


def test_try_works_before_init(ours: Folders, tmp_path: Path) -> None:
    """An author who has no secret yet can try an answer all the same, and no secret of a course is made."""
    ours.secret_file.unlink()
    (tmp_path / "mine.py").write_text(GOOD)
    done = course_command(ours.root, "try", "mse_loss", tmp_path / "mine.py")
    assert done.returncode == 0, done.stderr
    assert not ours.secret_file.exists()


def test_init_overwrites_nothing(ours: Folders) -> None:
    """A second `course init` keeps the secret."""
    before = ours.secret()
    done = course_command(ours.root, "init")
    assert (done.returncode, ours.secret()) == (0, before)
    assert "Kept the course secret" in done.stdout


def test_init_makes_a_private_secret(ours: Folders) -> None:
    """The secret of a new course can be read by its owner alone."""
    ours.secret_file.unlink()
    done = course_command(ours.root, "init")
    assert (done.returncode, ours.secret_file.stat().st_mode & 0o777) == (0, 0o600)


Spoil = Callable[[Folders], None]


def _nothing(_: Folders) -> None:
    """Leave the course as it is."""


def _no_secret(folders: Folders) -> None:
    folders.secret_file.unlink()


def _open_secret(folders: Folders) -> None:
    folders.secret_file.chmod(0o644)


def _damaged_secret(folders: Folders) -> None:
    folders.secret_file.write_bytes(b"\xff\x00 not hexadecimal")


def _short_secret(folders: Folders) -> None:
    folders.secret_file.write_text("abcd")


def _no_submissions(folders: Folders) -> None:
    shutil.rmtree(folders.submitted)
    folders.submitted.mkdir()


def _no_notebook(folders: Folders) -> None:
    shutil.rmtree(folders.root / "notebooks")


def _damaged_gradebook(folders: Folders) -> None:
    (folders.run / "gradebook.db").write_bytes(b"no database" * 1000)


def _damaged_store(folders: Folders) -> None:
    folders.verdicts.write_bytes(b"no database" * 1000)


def _feedback_is_a_file(folders: Folders) -> None:
    folders.feedback.write_text("in the way")


def _file_as_folder(folders: Folders) -> None:
    (folders.root / "mine.py").mkdir()


BAD_INPUT = {
    "unknown lesson": (("grade", "01_xor_mpl"), _nothing, "Did you mean 01_xor_mlp?"),
    "unknown lesson to generate": (("generate", "99"), _nothing, "There is no lesson '99'"),
    "unknown lesson to release": (("release", "99"), _nothing, "There is no lesson '99'"),
    "unknown exercise": (("try", "sigmiod", "x.py"), _nothing, "Did you mean sigmoid?"),
    "missing folder": (("grade", "01_xor_mlp", "--submitted", "nowhere"), _nothing, "nowhere is not a folder"),
    "file as folder": (("grade", "01_xor_mlp", "--submitted", "nbgrader_config.py"), _nothing, "is not a folder"),
    "no submissions": (("grade", "01_xor_mlp"), _no_submissions, "holds no submission"),
    "no secret": (("grade", "01_xor_mlp"), _no_secret, "Run `course init`"),
    "damaged secret to try": (("try", "sigmoid", "nbgrader_config.py"), _damaged_secret, "is damaged"),
    "secret read by others": (("grade", "01_xor_mlp"), _open_secret, "chmod 600"),
    "damaged secret": (("grade", "01_xor_mlp"), _damaged_secret, "is damaged"),
    "short secret": (("grade", "01_xor_mlp"), _short_secret, "is damaged"),
    "no notebook": (("grade", "01_xor_mlp"), _no_notebook, "Run `course generate 01_xor_mlp`"),
    "damaged gradebook": (("grade", "01_xor_mlp"), _damaged_gradebook, "gradebook"),
    "damaged store": (("grade", "01_xor_mlp"), _damaged_store, "verdicts.db cannot be used"),
    "pages in the way": (("grade", "01_xor_mlp"), _feedback_is_a_file, "feedback"),
    "missing file": (("try", "sigmoid", "nowhere.py"), _nothing, "nowhere.py cannot be read"),
    "folder to try": (("try", "sigmoid", "mine.py"), _file_as_folder, "mine.py cannot be read"),
    "nothing graded": (("feedback", "01_xor_mlp"), _nothing, "Run `course grade 01_xor_mlp` first"),
    "unknown form": (("export", "01_xor_mlp", "--form", "excel"), _nothing, "canvas"),
    "unwritable table": (("export", "01_xor_mlp", "--to", "nbgrader_config.py/grades.csv"), _nothing, "cannot be used"),
    "unwritable zip": (("release", "01_xor_mlp", "--to", "nbgrader_config.py/lesson.zip"), _nothing, "cannot be used"),
    "unknown option": (("grade", "01_xor_mlp", "--processes", "many"), _nothing, "--processes"),
    "negative number": (("grade", "01_xor_mlp", "--processes", "-1"), _nothing, "--processes"),
    "unknown command": (("grdae",), _nothing, "grdae"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_gets_a_sentence(name: str, ours: Folders) -> None:
    """Exit code 2 and a sentence that names what is wrong; no traceback, and nothing on standard output."""
    arguments, spoil, words = BAD_INPUT[name]
    spoil(ours)
    done = course_command(ours.root, *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in ("list", "progress")])
def test_outside_a_course_says_so(command: str, tmp_path: Path) -> None:
    """Every command that needs a course says that there is none."""
    arguments = {
        "try": ("sigmoid", "x.py"),
        "collect": ("01_xor_mlp", "x.zip"),
        "init": (),
        "doctor": (),
        "demo": (),
        "review": (),
    }.get(command, ("01_xor_mlp",))
    done = course_command(tmp_path, command, *arguments)
    assert done.returncode == 2
    assert "is not inside a course" in " ".join(done.stderr.split())


@pytest.mark.parametrize("content", [b"\x00\xff\xfe\x89PNG", b"", b"(" * 100_000], ids=["binary", "empty", "deep"])
def test_try_judges_any_file(content: bytes, template: Folders, tmp_path: Path) -> None:
    """A file that is no Python gets a verdict, not a traceback."""
    (tmp_path / "mine.py").write_bytes(content)
    done = course_command(template.root, "try", "sigmoid", tmp_path / "mine.py", "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"] in ("missing", "syntax error")
    assert done.stderr == ""


def test_doctor_finds_every_wall(template: Folders) -> None:
    """Here every wall stands, and the JSON has the documented keys."""
    done = course_command(template.root, "doctor", "--json")
    walls = json.loads(done.stdout)
    assert (done.returncode, {wall["state"] for wall in walls}) == (0, {"ok"})
    assert all(set(wall) == {"name", "state", "sentence", "remedy"} for wall in walls)


def test_doctor_misses_bubblewrap(template: Folders, tmp_path: Path) -> None:
    """Without bubblewrap every wall is missing, exit code 1, with the command that installs it."""
    done = course_command(template.root, "doctor", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install bubblewrap" in done.stdout
    assert "Traceback" not in done.stderr
