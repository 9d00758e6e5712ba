"""The class zip: the lesson, what it needs, and nothing that gives answers away."""

from __future__ import annotations

import ast
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from autograder import edition
from autograder.answer_marks import Marks
from autograder.catalogue import LESSONS, graded_from
from autograder.classroom import answers_of
from autograder.course import Exercise, Lesson
from autograder.edition import edition_files, marks_of, write_edition, write_zip
from autograder.folders import CourseError, Folders
from autograder.zip_leaks import zip_leaks

ROOT = Path(__file__).parent.parent
LAST = LESSONS[-1]
# Bodies of one call, such as autograd's: nobody can tell them from what anybody would write.
ONE_CALL = {("torch_kernels", "embedding_backward"), ("torch_kernels", "conv1d_backward")}

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def names(graded: set[str]) -> set[str]:
    """The files of a zip of lesson 01 while some exercises are still ahead."""
    return {name for name, _ in edition_files(Folders(ROOT), LESSONS[0], graded)}


@each_lesson
def test_what_earlier_lessons_graded_is_in_the_zip(lesson: Lesson) -> None:
    """What earlier lessons graded is there to be used."""
    files = dict(edition_files(Folders(ROOT), lesson, graded_from(lesson)))
    defined = {
        node.name
        for name, text in files.items()
        if "numpy_kernels" in name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    assert defined >= {exercise.id for item in LESSONS if item.id < lesson.id for exercise in item.exercises}


@pytest.fixture(scope="module")
def marks(course: Folders) -> Marks:
    """By what the answers of the last lesson are known, in a course with a secret."""
    return marks_of(course, LAST)


@pytest.fixture(scope="module")
def written(course: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of the last lesson, written by the command's function."""
    shutil.copy(ROOT / "pyproject.toml", course.root)
    return write_edition(course, LAST, tmp_path_factory.mktemp("edition") / "lesson.zip")


def test_written_zip_is_whole(written: Path) -> None:
    """The finished file passed the search; notebook, library and cases are in it, and nothing lies beside it."""
    with zipfile.ZipFile(written) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert names >= {f"{LAST.id}.ipynb", "course_lib/check.py", f"course_lib/cases/{LAST.id}.safetensors"}
    assert [path.name for path in written.parent.iterdir()] == [written.name]


@pytest.mark.parametrize("exercise", LAST.exercises, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("kind", ["numpy_kernels", "torch_kernels", "solution"])
def test_every_answer_would_be_found(
    exercise: Exercise, kind: str, marks: Marks, course: Folders, tmp_path: Path
) -> None:
    """Both references and the solution of every exercise, put into a zip under another name, are found there."""
    if kind == "solution":
        text = answers_of(json.loads(course.solution(LAST.id).read_bytes()))[exercise.id]
    else:
        tree = ast.parse((ROOT / "course_lib" / kind / f"{exercise.topic}.py").read_text())
        text = next(ast.unparse(node) for node in tree.body if getattr(node, "name", "") == exercise.id)
    write_zip(tmp_path / "spoilt.zip", {"notes.py": text.replace(exercise.id, "helper").encode()})
    found = {leak.exercise for leak in zip_leaks(tmp_path / "spoilt.zip", marks)}
    assert (exercise.id in found) != ((kind, exercise.id) in ONE_CALL)


def test_zip_that_would_leak_is_not_written(course: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names file and exercise, and an older zip stays as it was."""
    source = (ROOT / "course_lib/numpy_kernels/embedding.py").read_bytes()
    monkeypatch.setattr(edition, "edition_files", lambda *_: [("course_lib/words.py", source)])
    monkeypatch.setattr(edition, "generate", lambda *_: None)
    path = tmp_path / "lesson.zip"
    path.write_bytes(b"older")
    with pytest.raises(CourseError, match=r"lesson.zip was not written.*words\.py: .* of embedding_forward"):
        write_edition(course, LAST, path)
    assert (path.read_bytes(), [found.name for found in tmp_path.iterdir()]) == (b"older", ["lesson.zip"])


@each_lesson
def test_every_import_of_the_zip_is_in_the_zip(lesson: Lesson) -> None:
    """Leaving modules out leaves no module behind that needs them."""
    files = dict(edition_files(Folders(ROOT), lesson, graded_from(lesson)))
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files}
    for name, content in files.items():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse(content)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib"):
                    assert node.module in modules, name


def test_tools_that_hold_an_answer_wait_for_their_lesson() -> None:
    """The gradient check is left out while central differences are ahead, and is there afterwards."""
    assert "course_lib/gradcheck.py" not in names({"numerical_gradient"})
    assert "course_lib/gradcheck.py" in names(set())
