"""From a lesson's source to the notebook that learners open.

What enters: `solutions/NN_topic/NN_topic.py`, a jupytext percent script with answers. What leaves: the same
lesson as a notebook beside it, and `notebooks/NN_topic/NN_topic.ipynb` without answers, written by nbgrader's
own converter and scanned for leaks before it replaces the old one. Everything here is trusted.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograder.databases import connection, describing, is_file, parsed
from autograder.files import scratch_folder, write_atomically
from autograder.folders import CourseError, Folders
from autograder.leaks import leaks
from autograder.locks import alone

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
NBGRADER_SCHEMA = 3
RAISES = "raises-exception"
_LAYOUT_METADATA = ("lines_to_next_cell", "lines_to_end_of_cell_marker")


class ReleaseError(CourseError):
    """A lesson that cannot be built or released; the text says which, why and what to do."""


def build_notebook(source: Path) -> bytes:
    """Convert a percent script into a notebook; the same script always gives the same bytes.

    Args:
        source: the script. Cells carry nbgrader's metadata; `schema_version`, `locked` and the other fields that
            follow from `grade` and `solution` may be left out, and so may the tag `raises-exception` of checks.

    Returns:
        The notebook as UTF-8 JSON: format 4.5, no outputs, cell ids from grade ids and positions.

    Raises:
        ReleaseError: the script is missing, or is no valid notebook.
    """
    # Imported here: both are slow, and grading needs this module's paths and settings only.
    import jupytext
    import nbformat

    try:
        notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    except FileNotFoundError:
        raise ReleaseError(f"{source}: there is no such lesson. Check the lesson's id.") from None
    except Exception as error:
        raise ReleaseError(f"{source}: jupytext cannot read it as a percent script: {error}") from error
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell, cell_id in zip(notebook.cells, _cell_ids(notebook.cells, source), strict=True):
        cell.id = cell_id
        _complete(cell)
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise ReleaseError(f"{source}: not a valid notebook: {error.message}") from error
    return (nbformat.writes(notebook) + "\n").encode()


def _cell_ids(cells: Iterable[Any], source: Path) -> Iterator[str]:
    # Counted from the last graded cell, so that a new paragraph renames its own section's cells only.
    section, number, seen = "start", 0, set()
    for cell in cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in seen:
            raise ReleaseError(f"{source}: two cells have the grade_id {grade_id!r}. Rename one of them.")
        section, number = (grade_id, 0) if grade_id else (section, number + 1)
        seen.add(grade_id or "")
        seen.discard("")
        yield grade_id or f"{section}-{number}"


def _complete(cell: Any) -> None:
    for name in _LAYOUT_METADATA:
        cell.metadata.pop(name, None)
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    meta = cell.metadata.get("nbgrader")
    if meta is None:
        return
    grade, solution = meta.get("grade", False), meta.get("solution", False)
    rest = {"grade": grade, "solution": solution, "task": False, "locked": grade and not solution}
    meta.update({**rest, "schema_version": NBGRADER_SCHEMA, **meta})
    if grade and not solution:
        cell.metadata.tags = sorted({*cell.metadata.get("tags", []), RAISES})


def build_lesson(root: Path, lesson_id: str) -> Path:
    """Write the lesson's notebook with answers beside its source, and return its path.

    Raises:
        ReleaseError: as `build_notebook`.
    """
    path = Folders(root).solution(lesson_id)
    write_atomically(path, build_notebook(path.with_suffix(".py")))
    return path


def load_config(root: Path) -> Any:
    """The settings in `root/nbgrader_config.py`, as nbgrader itself would read them.

    Raises:
        ReleaseError: there is no such file.
    """
    from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

    try:
        return PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    except ConfigFileNotFound:
        raise ReleaseError(f"{root}: no nbgrader_config.py here. Run the command from the course's folder.") from None


def put_tools_on_path() -> None:
    """Put this environment's programs on PATH: nbgrader calls `alembic` by its bare name."""
    here = str(Path(sys.executable).parent)
    parts = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if parts[0] != here:
        os.environ["PATH"] = os.pathsep.join([here, *(part for part in parts if part != here)])


def generate(root: Path, lesson_id: str, *, database: bool = True, unless: Callable[[], bool] = lambda: False) -> Path:
    """Build the lesson and release it with nbgrader's own converter.

    Args:
        root: the course's folder, with `nbgrader_config.py`.
        lesson_id: for example ``01_xor_mlp``.
        database: also describe the lesson's cells in the gradebook, as `nbgrader generate_assignment` does.
        unless: asked when nobody else is describing lessons in the gradebook; if it is true, nothing is done.

    Returns:
        The released notebook's path. It is replaced only when conversion and leak scan went well.

    Raises:
        ReleaseError: with the reason.
    """
    if not database:
        return _generate(root, lesson_id, database)
    (root / "run").mkdir(mode=0o700, exist_ok=True)
    url = load_config(root).CourseDirectory.db_url
    # nbgrader takes no locks, and of two that describe the same lesson at the same time one fails.
    with alone(root / "run" / ".describing.lock"), describing(url):
        return Folders(root).released(lesson_id) if unless() else _generate(root, lesson_id, database)


def _generate(root: Path, lesson_id: str, database: bool) -> Path:
    solution = build_lesson(root, lesson_id)
    (root / "run").mkdir(mode=0o700, exist_ok=True)
    with scratch_folder(root / "run", "release") as stage:
        _convert(root, lesson_id, stage, database)
        content = (stage / lesson_id / f"{lesson_id}.ipynb").read_bytes()
    found = leaks(content, solution.read_bytes())
    if found:
        raise ReleaseError(f"{lesson_id}: the released notebook would leak. " + " ".join(found))
    path = Folders(root).released(lesson_id)
    write_atomically(path, content)
    return path


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage().strip())

    def reason(self, error: Exception) -> str:
        # nbgrader logs tracebacks; the first line that names an exception is the cause of the others.
        lines = [line for text in self.texts if "Traceback" in text for line in text.splitlines()]
        named = [line for line in lines if line[:1].isalpha() and ": " in line and not line.startswith("Traceback")]
        return named[0].partition(": ")[2] if named else str(error)


def _make_gradebook(url: str, course_id: str) -> None:
    """Make an empty gradebook, all of it or nothing: nbgrader writes the tables first and their version later."""
    from nbgrader.api import Gradebook

    parts = parsed(url)
    if not is_file(parts):
        _make_tables(url)
        return
    path = Path(str(parts.database))
    if path.exists():
        return
    with scratch_folder(path.parent, "gradebook") as folder:
        Gradebook(f"sqlite:///{folder / path.name}", course_id).close()
        with suppress(FileExistsError):
            os.link(folder / path.name, path)


def _make_tables(url: str) -> None:
    import sqlalchemy as sa
    from nbgrader.api import Base, get_alembic_version

    with connection(url, write=False) as server:
        if sa.inspect(server).has_table("assignment"):
            return
    version = get_alembic_version()
    with connection(url, write=True) as server:
        Base.metadata.create_all(server)
        server.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        server.execute(sa.text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})


def _convert(root: Path, lesson_id: str, stage: Path, database: bool) -> None:
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory

    put_tools_on_path()
    config = load_config(root)
    if database:
        _make_gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id)
    config.CourseDirectory.update(assignment_id=lesson_id, release_directory=str(stage))
    config.GenerateAssignment.no_database = not database
    config.SaveCells.enabled = database
    log = logging.Logger("release")
    errors = _Errors()
    log.addHandler(errors)
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config, log=log), config=config, log=log)
    try:
        converter.start()
    # nbgrader has no base class for what it raises, and the reason is only in its log.
    except Exception as error:
        raise ReleaseError(f"{lesson_id}: nbgrader could not release it: {errors.reason(error)}") from error
