"""Solution notebooks, run once and kept: what a lesson shows when every answer is right.

What enters: a course and a lesson. What leaves: the outputs of its cells, by cell id. A run is kept in
``run/site-cache/`` beside a digest of all that could change it: the notebook, `course_lib`, Python and the packages
that compute and draw. The solutions are our own, so they run outside the walls.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat

import course_lib
from autograder.files import write_atomically
from autograder.folders import CourseError, Folders
from autograder.site import messages

CELL_SECONDS = 600
LIBRARY = Path(course_lib.__file__).parent
_PACKAGES = ("anywidget", "ipython", "matplotlib", "numpy", "scikit-learn", "scipy", "torch")
_KEY = "course_site"
# A live view needs a kernel; the page in text/html does not.
_NEEDS_A_KERNEL = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Run:
    """What the cells of a solved lesson showed.

    Args:
        outputs: per cell id, its source and its outputs.
        fresh: was it made from the sources as they are now?
    """

    outputs: dict[str, tuple[str, list[dict[str, Any]]]]
    fresh: bool = True

    def outputs_of(self, cell: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the outputs of a cell, or none if the run had no such cell or another text in it."""
        source, outputs = self.outputs.get(cell["id"], ("", []))
        return outputs if source == cell["source"] else []


def code_cells(folders: Folders, lesson: str) -> int:
    """Return how many cells a run of the lesson has."""
    return sum(cell.cell_type == "code" for cell in read(folders.solution(lesson), lesson).cells)


def read(path: Path, lesson: str) -> nbformat.NotebookNode:
    """Read a notebook of the course.

    Raises:
        CourseError: there is none.
    """
    if not path.is_file():
        raise CourseError(messages.NO_NOTEBOOK.format(path=path, lesson=lesson))
    return nbformat.read(path, as_version=4)


def kept_run(folders: Folders, lesson: str) -> Run | None:
    """Return the run that is kept, fresh or not; None if there is none that can be read."""
    try:
        notebook = nbformat.read(_path(folders, lesson), as_version=4)
        digest = notebook.metadata[_KEY]["digest"]
    except (OSError, ValueError, KeyError, nbformat.reader.NotJSONError):
        return None
    return Run(_outputs(notebook), fresh=digest == _digest(folders, lesson))


def run_lesson(folders: Folders, lesson: str, advance: Callable[[], None] = lambda: None) -> Run:
    """Run the solution notebook of a lesson from the top and keep what it showed.

    Args:
        folders: the course.
        lesson: lesson id.
        advance: called after each code cell.

    Raises:
        CourseError: a cell failed or took too long, or the kernel died; nothing is kept then.
    """
    digest = _digest(folders, lesson)
    notebook = read(folders.solution(lesson), lesson)
    _execute(notebook, lesson, advance)
    notebook.metadata.pop("widgets", None)
    notebook.metadata[_KEY] = {"digest": digest}
    path = _path(folders, lesson)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, nbformat.writes(notebook).encode())
    return Run(_outputs(notebook))


def _execute(notebook: nbformat.NotebookNode, lesson: str, advance: Callable[[], None]) -> None:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    with tempfile.TemporaryDirectory(prefix="course-site-") as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            store_widget_state=False,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": folder}},
            on_cell_executed=lambda **_: advance(),
        )
        # Neither may a profile of the user's change what the site shows, nor a build write into the user's journal.
        own = {"PYTHONPATH": str(LIBRARY.parent), "IPYTHONDIR": f"{folder}/.ipython", "COURSE_JOURNAL": "off"}
        try:
            client.execute(env={**os.environ, **own})
        except CellExecutionError as error:
            facts = {"lesson": lesson, "cell": _last_failed(notebook), "error": f"{error.ename}: {error.evalue}"}
            raise CourseError(messages.CELL_FAILED.format(**facts)) from None
        except CellTimeoutError:
            raise CourseError(messages.TOO_LONG.format(lesson=lesson, seconds=CELL_SECONDS)) from None
        except DeadKernelError:
            raise CourseError(messages.KERNEL_DIED.format(lesson=lesson)) from None


def _last_failed(notebook: nbformat.NotebookNode) -> str:
    failed = [cell.id for cell in notebook.cells if any(out.output_type == "error" for out in cell.get("outputs", ()))]
    return failed[-1] if failed else "?"


def _outputs(notebook: nbformat.NotebookNode) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.id: (cell.source, [_without_kernel(out) for out in cell.outputs]) for cell in code}


def _without_kernel(output: dict[str, Any]) -> dict[str, Any]:
    data = {kind: value for kind, value in output.get("data", {}).items() if kind != _NEEDS_A_KERNEL}
    return {**output, "data": data} if "data" in output else output


def _digest(folders: Folders, lesson: str) -> str:
    digest = hashlib.sha256(" ".join([platform.python_version(), *map(version, _PACKAGES)]).encode())
    for cell in read(folders.solution(lesson), lesson).cells:
        digest.update(f"{cell.id}\0{cell.source}\0".encode())
    for path in sorted(path for path in LIBRARY.rglob("*") if path.is_file() and path.parent.name != "__pycache__"):
        digest.update(path.relative_to(LIBRARY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _path(folders: Folders, lesson: str) -> Path:
    return folders.run / "site-cache" / f"{lesson}.ipynb"
