"""Every lesson runs unsolved, from its zip alone; solved it runs in `browser/test_lessons_in_jupyterlab.py`."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from short_labs import SHORTER, shortened

from autograder.catalogue import LESSONS
from autograder.course import Lesson
from autograder.edition import write_edition
from autograder.folders import Folders

ROOT = Path(__file__).parent.parent
TIME_LIMIT = 300

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A course from which all lessons are released."""
    root = tmp_path_factory.mktemp("course")
    for name in ("pyproject.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "solutions", root / "solutions")
    return Folders(root)


@each_lesson
def test_released_notebook_runs_from_its_zip_alone(
    lesson: Lesson, folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer written, nothing but checks fails, and the library that runs is the one in the zip."""
    with zipfile.ZipFile(write_edition(folders, lesson, tmp_path / "class.zip")) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / lesson.id
    monkeypatch.setenv("PYTHONPATH", str(folder))
    notebook = shortened(json.loads((folder / f"{lesson.id}.ipynb").read_text(encoding="utf-8")), lesson.id)
    where = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "where"}
    notebook["cells"].append({**where, "source": "import course_lib; print(course_lib.__file__)"})
    (folder / "with_probe.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    *cells, probe = run_all(folder / "with_probe.ipynb", folder)
    assert {error.partition(":")[0] for cell in cells for error in errors(cell)} == {"CheckFailed"}
    assert Path(probe["outputs"][0]["text"].strip()) == folder / "course_lib" / "__init__.py"


@pytest.mark.parametrize("lesson_id", SHORTER)
def test_the_short_profile_changes_only_how_long_labs_train(lesson_id: str) -> None:
    """It finds its texts in every lesson, leaves the book that it got alone, and refuses one without them."""
    book = json.loads((ROOT / "solutions" / lesson_id / f"{lesson_id}.ipynb").read_text(encoding="utf-8"))
    before = json.dumps(book)
    short = shortened(book, lesson_id, full=False)
    assert json.dumps(book) == before == json.dumps(shortened(book, lesson_id, full=True))
    pairs = zip(short["cells"], book["cells"], strict=True)
    changed = [new for new, old in pairs if "".join(new["source"]) != "".join(old["source"])]
    assert bool(changed) == bool(SHORTER[lesson_id])
    assert len(changed) <= 3
    if changed:
        with pytest.raises(AssertionError, match="stands 0 times"):
            shortened({**book, "cells": []}, lesson_id, full=False)


def run_all(path: Path, folder: Path) -> list[dict[str, Any]]:
    """Run a notebook from the top, going on after errors; its code cells with what they showed."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=TIME_LIMIT, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def errors(cell: dict[str, Any]) -> list[str]:
    """What a cell raised, in one line each."""
    return [f"{out['ename']}: {out['evalue']}" for out in cell["outputs"] if out["output_type"] == "error"]
