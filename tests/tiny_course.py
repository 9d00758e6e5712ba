"""A course with one tiny lesson, for tests of everything around nbgrader. Judged by reading, never by running."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from autograder.copies import answer_texts
from autograder.course import Exercise, Lesson, OpenQuestion, Outcome, Question, Report, Status, Verdict
from autograder.release import generate
from autograder.submission import Unreadable, read_submission

PROJECT = Path(__file__).parent.parent
LESSON_ID = "01_tiny"
POINTS = {"double": 2.0, "square": 3.0, "exam_tiny": 1.0}
RIGHT = {
    "double": "def double(x):\n    return x + x",
    "square": "def square(x):\n    return x * x",
    "exam_tiny": "exam_tiny = 42",
}
OPEN = "open_question_tiny"
SOURCE = '''\
# %% [markdown]
# # A tiny lesson
#
# With $a < b$ and a [link](https://example.org).

# %%
def check(name, value, learner=None):
    raise AssertionError(name)

# %% nbgrader={"grade": false, "solution": true, "grade_id": "double"}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    total = x + x
    total = total * 1
    total = total - 0
    return total
    ### END SOLUTION

# %% nbgrader={"grade": true, "solution": false, "grade_id": "check_double", "points": 2}
check("double", double)

# %% nbgrader={"grade": false, "solution": true, "grade_id": "square"}
def square(x):
    """x times x; the given line is wrong."""
    out = x * 2
    ### BEGIN SOLUTION # Correct the line above.
    out = (x * x) + 0 * (x - 1) * (x + 1)
    ### END SOLUTION
    return out

# %% nbgrader={"grade": true, "solution": false, "grade_id": "check_square", "points": 3}
check("square", square)

# %% nbgrader={"grade": false, "solution": true, "grade_id": "exam_tiny"}
exam_tiny = None
### BEGIN SOLUTION
exam_tiny = 42
### END SOLUTION

# %% nbgrader={"grade": true, "solution": false, "grade_id": "check_exam_tiny", "points": 1}
check("exam_tiny", exam_tiny, learner="self-study")

# %% [markdown] nbgrader={"grade": true, "solution": true, "grade_id": "open_question_tiny", "points": 3}
# Twice x grows by two with every step, and x times x grows by more each time.
'''


def _no_cases(*_: object) -> tuple:
    return ()


LESSON = Lesson(
    LESSON_ID,
    "A tiny lesson",
    exercises=tuple(Exercise(name, "tiny", POINTS[name], _no_cases) for name in ("double", "square")),
    questions=(Question("exam_tiny", 1.0, lambda rng: {}, "?", lambda: 42.0, lambda: 42.0, "", {}),),
    open_questions=(OpenQuestion(OPEN, 3.0, "Growth."),),
)


def make_course(root: Path) -> Path:
    """A folder with nbgrader's configuration and the lesson's source; the judge is `judge` below."""
    (root / "solutions" / LESSON_ID).mkdir(parents=True)
    (root / "solutions" / LESSON_ID / f"{LESSON_ID}.py").write_text(SOURCE)
    config = (PROJECT / "nbgrader_config.py").read_text()
    (root / "nbgrader_config.py").write_text(f'{config}\nc.Judge.function = "tiny_course.judge"\n')
    return root


@cache
def made_course() -> Path:
    """A course whose lesson is released, made once for all test files; read it only."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = make_course(folder / "course")
    generate(root, LESSON_ID)
    return root


def copy_course(root: Path) -> Path:
    """A fresh copy of the made course, so that no test sees another one's gradebook."""
    shutil.copytree(made_course(), root)
    return root


def environment() -> dict[str, str]:
    """What an activated virtual environment looks like to nbgrader's commands."""
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    modules = [str(PROJECT), str(PROJECT / "tests")]
    return {**os.environ, "PATH": os.pathsep.join(paths), "PYTHONPATH": os.pathsep.join(modules)}


def nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an nbgrader command in the course's folder."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.run(
        command, cwd=root, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )


def released(root: Path) -> dict[str, Any]:
    """The released notebook as JSON."""
    return json.loads((root / "notebooks" / LESSON_ID / f"{LESSON_ID}.ipynb").read_text())


def cell(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """The cell with this grade id."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def answered(root: Path, right: Iterable[str] = (), open_answer: str | None = None) -> dict[str, Any]:
    """The released notebook with right answers filled in."""
    notebook = released(root)
    for name in right:
        cell(notebook, name)["source"] = RIGHT[name]
    if open_answer is not None:
        cell(notebook, OPEN)["source"] = open_answer
    return notebook


def hand_in(root: Path, learner: str, notebook: dict[str, Any] | str) -> Path:
    """Put a notebook where nbgrader looks for the learner's submission."""
    path = root / "run" / "submitted" / learner / LESSON_ID / f"{LESSON_ID}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return path


def report(learner: str, *right: str, **changes: Verdict) -> Report:
    """A report in which the named exercises are right and the others wrong, unless a verdict is given."""
    verdicts = [changes.get(name, verdict(name, right=name in right)) for name in POINTS]
    return Report(learner, LESSON_ID, Status.GRADED, tuple(verdicts))


def verdict(name: str, *, right: bool) -> Verdict:
    """A plain verdict."""
    if right:
        return Verdict(name, Outcome.CORRECT, POINTS[name], POINTS[name], "", None, "agrees", "agrees")
    return Verdict(name, Outcome.WRONG_VALUES, 0.0, POINTS[name], f"Look at {name} again.", None, "differs", "differs")


def judge(path: Path, learner: str, lesson_id: str) -> Report:
    """Stands for `grade_one`: an answer is right when its cell holds the right text."""
    assert lesson_id == LESSON_ID
    try:
        texts = answer_texts(released(Path.cwd()), read_submission(path).cells)
    except Unreadable as error:
        verdicts = tuple(Verdict(n, Outcome.MISSING, 0.0, p, str(error)) for n, p in POINTS.items())
        return Report(learner, LESSON_ID, Status.UNREADABLE, verdicts, str(error))
    return report(learner, *(name for name in RIGHT if RIGHT[name] in texts.get(name, "")))
