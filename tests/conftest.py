"""Settings that every test shares."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from autograder.answers import Notebook
from autograder.catalogue import find_lesson
from autograder.classroom import answers_of, fill
from autograder.course import Lesson, Verdict
from autograder.folders import Folders
from autograder.grade import Grader
from autograder.submission import parse_notebook

PROJECT = Path(__file__).parent.parent

os.environ.setdefault("MPLBACKEND", "Agg")

# Speed differs between machines, and a failure must come back on the next run.
settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")


# Files that take minutes, the longest first. One worker runs a whole file: begun last, it would run alone.
LONG = (
    "test_lessons_in_jupyterlab.py",
    "test_lessons_from_the_top.py",
    "test_lessons.py",
    "test_grade.py",
    "test_resume.py",
    "test_postgres.py",
    "test_regrade_cli.py",
    "test_site_pages.py",
    "test_gallery_pages.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long files first. Without a CUDA device, tests that need one are deselected."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))
    gpu = [item for item in items if item.get_closest_marker("gpu")]
    if gpu and not _has_cuda():
        config.hook.pytest_deselected(items=gpu)
        items[:] = [item for item in items if item not in gpu]


def _has_cuda() -> bool:
    import torch

    # Parity is between float32 and float32: the 10-bit products of TF32 would hide what differs.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch.cuda.is_available()


@pytest.fixture(scope="session", autouse=True)
def _journal_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test, and no program that a test starts, writes into the journal of whoever runs the tests."""
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_JOURNAL", str(path))
        yield path


@pytest.fixture(autouse=True)
def journal_file(_journal_of_the_session: Path) -> Path:
    """Each test begins with an empty journal: what `check` says depends on earlier attempts."""
    _journal_of_the_session.unlink(missing_ok=True)
    return _journal_of_the_session


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A course of its own: the real lessons, a fresh secret, nothing in ``run/`` yet."""
    root = tmp_path_factory.mktemp("course")
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    for name in ("solutions", "notebooks"):
        shutil.copytree(PROJECT / name, root / name)
    folders = Folders(root)
    folders.make_secret()
    return folders


@pytest.fixture(scope="session")
def lesson() -> Lesson:
    """Lesson 01."""
    return find_lesson("01_xor_mlp")


@pytest.fixture(scope="session")
def grader_of(course: Folders) -> Iterator[Callable[[Lesson], Grader]]:
    """Warm graders by lesson, walls and all; each is started when it is first asked for."""
    with ExitStack() as stack:
        started = cache(lambda lesson_id: stack.enter_context(Grader(course, find_lesson(lesson_id))))
        yield lambda lesson: started(lesson.id)


@pytest.fixture(scope="session")
def grader(grader_of: Callable[[Lesson], Grader]) -> Grader:
    """A warm grader of lesson 01."""
    return grader_of(find_lesson("01_xor_mlp"))


@pytest.fixture(scope="session")
def judged_lesson(course: Folders, grader_of: Callable[[Lesson], Grader]) -> Callable[..., dict[str, Verdict]]:
    """Judge the released notebook of a lesson with answers put in, and return the verdicts by exercise."""

    def judge(lesson: Lesson, answers: dict[str, str], learner: str = "self-study") -> dict[str, Verdict]:
        filled = fill(json.loads(course.released(lesson.id).read_bytes()), answers, learner)
        names = [item.id for item in (*lesson.exercises, *lesson.questions)]
        notebook = Notebook(parse_notebook(json.dumps(filled).encode()), names)
        return {verdict.exercise: verdict for verdict in grader_of(lesson).judge(notebook, learner).verdicts}

    return judge


@pytest.fixture(scope="session")
def released(course: Folders, lesson: Lesson) -> dict[str, Any]:
    """The released notebook of lesson 01."""
    return json.loads(course.released(lesson.id).read_bytes())


@pytest.fixture(scope="session")
def solved(course: Folders, lesson: Lesson) -> dict[str, str]:
    """The right answers of lesson 01, by grade id."""
    return answers_of(json.loads(course.solution(lesson.id).read_bytes()))
