"""`course regrade` and `course stats` from end to end: lesson 01, real walls, an exercise that changed meanwhile."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import PROJECT, copy_course, course_command

from autograder.classroom import fill, hand_in, source_as
from autograder.course import Lesson
from autograder.folders import Folders
from autograder.grade import Grader
from autograder.gradebook import database_url, ensure_lesson, read_scores

pytestmark = pytest.mark.slow

# The course takes back its convention: the loss is averaged over the outputs, too.
CHANGED = {
    "course_lib/numpy_kernels/losses.py": "def mse_loss(y_hat, y):\n    return np.mean((y_hat - y) ** 2)",
    "course_lib/torch_kernels/losses.py": "def mse_loss(y_hat, y):\n    return functional.mse_loss(y_hat, y)",
}


@pytest.fixture(scope="module")
def graded(
    course: Folders, grader: Grader, lesson: Lesson, released: dict[str, Any], solved: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Folders:  # fmt: skip
    """A graded class of three: ada is right, carla averages over all, nobody can read what nils handed in."""
    folders = copy_course(course, tmp_path_factory.mktemp("regrade") / "course")
    ensure_lesson(folders.root, lesson.id)
    averaged = next(item for item in lesson.exercise("mse_loss").mistakes if item.id == "mean_of_all")
    hand_in(folders.submitted, "ada", lesson.id, fill(released, solved, "ada"))
    wrong = {"mse_loss": source_as(averaged.code, "mse_loss")}
    hand_in(folders.submitted, "carla", lesson.id, fill(released, solved | wrong, "carla"))
    hand_in(folders.submitted, "nils", lesson.id, b"")
    done = course_command(folders.root, "grade", lesson.id, "--processes", "1")
    assert done.returncode == 0, done.stderr
    return folders


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later state of the project: one exercise has another reference and a new version."""
    root = tmp_path_factory.mktemp("later")
    for name in ("autograder", "course_lib"):
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, function in CHANGED.items():
        with (root / name).open("a") as source:
            source.write(f"\n\n{function}\n")
    # The exam corner keeps its question on the loss as it was.
    exam = '"mse_loss", y_hat, y)'
    replaced_in(root / "autograder/exercises/xor_mlp_exam.py", exam, f"{exam} * np.shape(y)[1]")
    replaced_in(root / "autograder/exercises/losses.py", 'id="mse_loss",', 'id="mse_loss",\n    version=2,')
    return root


def replaced_in(path: Path, old: str, new: str) -> None:
    """Replace a text that is there once."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.fixture
def ours(graded: Folders, tmp_path: Path) -> Folders:
    """A copy of the graded course for one test."""
    shutil.copytree(graded.root, tmp_path / "course")
    return Folders(tmp_path / "course")


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder, with content and time of its last change."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(root.rglob("*"))
    }


def points(folders: Folders, lesson: Lesson) -> dict[str, float]:
    """What counts in the gradebook, by learner."""
    return {score.learner: score.points for score in read_scores(database_url(folders.root), lesson.id)}


def regraded(folders: Folders, project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`course regrade 01_xor_mlp` as the project's later state runs it."""
    options = ("--processes", "1", *options)
    return course_command(
        folders.root, "regrade", "01_xor_mlp", *options, PYTHONPATH=str(project), TMPDIR=str(folders.root.parent)
    )


def facts(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON that a command printed."""
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_dry_run_lists_and_writes_nothing(ours: Folders, later: Path) -> None:
    """People see who gains, who loses and why; exit code 1; no file of the course is touched or added."""
    before = snapshot(ours.root.parent)
    done = regraded(ours, later, "--dry-run")
    assert done.returncode == 1, done.stderr
    assert snapshot(ours.root.parent) == before
    assert "mse_loss: 1 up, 1 down. The exercise's version went from 1 to 2." in " ".join(done.stdout.split())
    for words in ("ada", "2 to 0", "carla", "0 to 2", "Nothing was written."):
        assert words in done.stdout


def test_scores_fall_only_when_confirmed(ours: Folders, later: Path, lesson: Lesson) -> None:
    """Gains at once, losses with --confirm, and then nothing more to find; exit codes say which."""
    full = lesson.max_points
    first = regraded(ours, later, "--json")
    found = facts(first)
    assert first.returncode == 1
    assert [(c["learner"], c["points"], c["applied"]) for c in found["gains"]] == [("carla", 2.0, True)]
    assert [(c["learner"], c["points"], c["applied"]) for c in found["losses"]] == [("ada", -2.0, False)]
    sides = found["losses"][0]["before"], found["losses"][0]["after"]
    assert [(side["version"], side["verdict"], len(side["seed"])) for side in sides] == [
        (1, "correct", 12), (2, "wrong values", 12),
    ]  # fmt: skip
    assert points(ours, lesson) == {"ada": full, "carla": full, "nils": 0.0}
    second = regraded(ours, later, "--confirm")
    assert second.returncode == 0, second.stderr
    assert points(ours, lesson) == {"ada": full - 2.0, "carla": full, "nils": 0.0}
    third = regraded(ours, later, "--json")
    found = facts(third)
    assert (third.returncode, found["gains"], found["losses"], found["reworded"]) == (0, [], [], [])


def test_grading_again_lowers_no_score(ours: Folders, later: Path, lesson: Lesson) -> None:
    """`course grade` after the change writes gains and holds losses; `course regrade --confirm` writes them."""
    full, log = lesson.max_points, ours.root.parent / "log.jsonl"
    done = course_command(ours.root, "grade", lesson.id, "--json", "--log", log, PYTHONPATH=str(later))
    held = {one["learner"]: (one["points"], one["held"]) for one in facts(done)["submissions"]}
    assert held == {"ada": (full, ["mse_loss"]), "carla": (full, []), "nils": (0.0, [])}
    assert points(ours, lesson) == {"ada": full, "carla": full, "nils": 0.0}
    lines = {line["learner"]: line for line in map(json.loads, log.read_text().splitlines())}
    assert {name: (line["points"], line["held"]) for name, line in lines.items()} == held
    marked = ours.autograded / "ada" / lesson.id / f"{lesson.id}.ipynb"
    assert "wrong values" not in marked.read_text()
    again = regraded(ours, later, "--confirm", "--json")
    assert [(c["learner"], c["points"], c["applied"]) for c in facts(again)["losses"]] == [("ada", -2.0, True)]
    assert points(ours, lesson) == {"ada": full - 2.0, "carla": full, "nils": 0.0}


def test_unchanged_exercises_change_nothing(ours: Folders, lesson: Lesson) -> None:
    """With today's exercises there is nothing to find, whatever the instructor confirms."""
    done = regraded(ours, PROJECT, "--confirm", "--json")
    found = facts(done)
    assert (done.returncode, found["compared"], found["gains"], found["losses"], found["left"]) == (0, 3, [], [], [])


def test_missing_walls_stop_a_dry_run(ours: Folders, later: Path) -> None:
    """Without walls nothing is judged again; the message says how to get them, and nothing is written."""
    before = snapshot(ours.root)
    done = course_command(ours.root, "regrade", "01_xor_mlp", "--dry-run", PYTHONPATH=str(later), PATH="/nowhere")
    assert done.returncode == 1
    assert "apt-get install bubblewrap" in done.stderr
    assert snapshot(ours.root) == before


BAD_INPUT = {
    "both": (("regrade", "01_xor_mlp", "--dry-run", "--confirm"), "--dry-run or --confirm, not both"),
    "lesson": (("regrade", "01_xor_mpl"), "Did you mean 01_xor_mlp?"),
    "folder": (("regrade", "01_xor_mlp", "--submitted", "nowhere"), "nowhere is not a folder"),
    "nothing graded": (("regrade", "02_activations"), "Run `course grade 02_activations` first"),
    "no statistics": (("stats", "02_activations"), "Run `course grade 02_activations` first"),
    "unknown lesson": (("stats", "99"), "There is no lesson '99'"),
    "picture's name": (("stats", "01_xor_mlp", "--picture", "stats.jpg"), ".svg or .png"),
    "picture's folder": (("stats", "01_xor_mlp", "--picture", "nbgrader_config.py/stats.svg"), "cannot be used"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_gets_a_sentence(name: str, graded: Folders) -> None:
    """Exit code 2 and a sentence that says what is wrong; nothing on standard output."""
    arguments, words = BAD_INPUT[name]
    done = course_command(graded.root, *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_stats_of_a_real_class(graded: Folders, lesson: Lesson, tmp_path: Path) -> None:
    """The class's statistics as JSON, as tables, and as a picture, from the verdicts that grading kept."""
    found = facts(course_command(graded.root, "stats", lesson.id, "--json"))
    assert (found["learners"], found["unreadable"], found["pass_rate"]) == (3, 1, 1.0)
    assert [(item["exercise"], item["mistake"], item["count"]) for item in found["mistakes"]] == [
        ("mse_loss", "mean_of_all", 1)
    ]
    assert found["points"]["quartiles"][-1] == lesson.max_points
    done = course_command(graded.root, "stats", lesson.id, "--picture", tmp_path / "class.svg")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "class.svg").read_text().startswith("<?xml")
    for words in ("mse_loss", "mean_of_all", "Discrimination is the point-biserial correlation", "unreadable: 1"):
        assert words in done.stdout
