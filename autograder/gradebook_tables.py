"""nbgrader's tables, as far as scores need them, in one transaction.

What enters: a database URL. What leaves: `Book`, which finds a lesson's cells and makes the rows of learners and
submissions that are missing. The tables are read from the database itself; a test compares our rows with those
that nbgrader's own `Gradebook` makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from autograder.database_messages import NOT_NBGRADERS
from autograder.databases import Clash, GradebookError, NoLesson, connection, shown

__all__ = ["Book", "BookCell", "BookLesson", "Change", "Clash", "GradebookError", "NoLesson", "Rows", "transaction"]

TABLES = (
    "assignment", "notebook", "base_cell", "grade_cells", "task_cells", "source_cell", "student",
    "submitted_assignment", "submitted_notebook", "grade", "comment",
)  # fmt: skip
MARKED = ("grade", "comment")


@dataclass(frozen=True)
class BookCell:
    """A cell of a lesson, with the ids of its rows.

    Args:
        name: its grade id.
        grade_cell: id of the row that scores hang on, or None.
        solution_cell: id of the row that comments hang on, or None.
        max_score: what it is worth.
        source: its released text.
        is_task: is it one of nbgrader's tasks, which only a person can judge?
    """

    name: str
    grade_cell: str | None = None
    solution_cell: str | None = None
    max_score: float = 0.0
    source: str = ""
    is_task: bool = False


@dataclass(frozen=True)
class BookLesson:
    """A lesson with the ids of its assignment's and notebook's rows, and its cells by name."""

    id: str
    assignment: str
    notebook: str
    cells: Mapping[str, BookCell]

    @property
    def open_questions(self) -> list[BookCell]:
        """Cells in which a learner writes and a person marks."""
        return [cell for cell in self.cells.values() if cell.grade_cell and cell.solution_cell and not cell.is_task]


# What one verdict changes: a grade's values and a comment's values, by row id.
Change = tuple[str, dict[str, Any], str | None, dict[str, Any]]


@dataclass(frozen=True)
class Rows:
    """Rows of grades and comments, by notebook row and cell row."""

    grades: Mapping[tuple[str, str], Any]
    comments: Mapping[tuple[str, str], Any]

    def of(self, cell: BookCell, notebook: str) -> tuple[Any, Any]:
        """The cell's grade, and its comment or None."""
        return self.grades[notebook, cell.grade_cell], self.comments.get((notebook, cell.solution_cell))


class Book:
    """The tables inside one transaction.

    Args:
        connection: with the transaction begun.
        tables: nbgrader's tables by name.
        write: are rows read to be changed? Then nobody else changes them before the transaction ends.
    """

    def __init__(self, connection: sa.Connection, tables: Mapping[str, sa.Table], *, write: bool) -> None:
        self.connection = connection
        self.tables = tables
        self.write = write

    def select(self, table: str, **equal: Any) -> Sequence[Any]:
        """Rows in which every column named equals its value, or is in it when it is a list."""
        found = self.tables[table]
        query = sa.select(found)
        for name, value in equal.items():
            column = found.c[name]
            query = query.where(column.in_(value) if isinstance(value, (list, tuple)) else column == value)
        if self.write and table in MARKED:
            # Markers write while we do. On a server only rows are locked; SQLite, which locks the file, ignores this.
            query = query.with_for_update()
        return self.connection.execute(query).fetchall()

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Add rows; an empty list is fine."""
        if rows:
            self.connection.execute(self.tables[table].insert(), rows)

    def update(self, changes: Iterable[Change]) -> None:
        """Make the changes to grades and comments."""
        changes = list(changes)
        self._set("grade", [(grade, values) for grade, values, _, _ in changes])
        self._set("comment", [(comment, text) for _, _, comment, text in changes if comment])

    def _set(self, table: str, rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Change rows, all of them in the same columns, in one statement: a server may be far away."""
        if rows:
            found = self.tables[table]
            query = found.update().where(found.c.id == sa.bindparam("row_id"))
            query = query.values({name: sa.bindparam(f"new_{name}") for name in rows[0][1]})
            named = [{"row_id": row, **{f"new_{name}": v for name, v in values.items()}} for row, values in rows]
            self.connection.execute(query, named)

    def lesson(self, lesson_id: str) -> BookLesson:
        """The lesson as nbgrader described it; `GradebookError` when it did not."""
        assignments = self.select("assignment", name=lesson_id)
        notebooks = self.select("notebook", name=lesson_id, assignment_id=[row.id for row in assignments])
        if not notebooks:
            raise NoLesson(f"{lesson_id}: the gradebook does not know this lesson. Run `course generate` first.")
        return BookLesson(lesson_id, assignments[0].id, notebooks[0].id, self._cells(notebooks[0].id))

    def _cells(self, notebook: str) -> dict[str, BookCell]:
        cells = self.select("base_cell", notebook_id=notebook)
        ids = [cell.id for cell in cells]
        worth = {row.id: row.max_score for kind in ("grade_cells", "task_cells") for row in self.select(kind, id=ids)}
        sources = {row.name: row.source or "" for row in self.select("source_cell", notebook_id=notebook)}
        tasks = {cell.name for cell in cells if cell.type == "TaskCell"}
        # An open question has two rows of one name: one for its grade, one for the comment on it.
        graded = {cell.name: cell.id for cell in cells if cell.id in worth}
        commented = {cell.name: cell.id for cell in cells if cell.type in ("SolutionCell", "TaskCell")}
        return {
            name: BookCell(
                name, graded.get(name), commented.get(name), worth.get(graded.get(name), 0.0),
                sources.get(name, ""), name in tasks,
            )
            for name in dict.fromkeys(cell.name for cell in cells)
        }  # fmt: skip

    def submissions(self, lesson: BookLesson, learners: list[str], times: Mapping[str, datetime]) -> dict[str, str]:
        """Make the learners' rows that are missing, as nbgrader does; return each learner's notebook row."""
        learners = list(dict.fromkeys(learners))
        known = {row.id for row in self.select("student", id=learners)}
        self.insert("student", [{"id": learner} for learner in learners if learner not in known])
        ours = {"assignment_id": lesson.assignment, "student_id": learners}
        known = {row.student_id for row in self.select("submitted_assignment", **ours)}
        new = [learner for learner in learners if learner not in known]
        self.insert("submitted_assignment", [{"id": _id(), **ours, "student_id": learner} for learner in new])
        rows = {row.student_id: row for row in self.select("submitted_assignment", **ours)}
        moved = [name for name in learners if name in times and rows[name].timestamp != times[name]]
        self._set("submitted_assignment", [(rows[name].id, {"timestamp": times[name]}) for name in moved])
        return self._notebooks(lesson, {row.id: learner for learner, row in rows.items()})

    def _notebooks(self, lesson: BookLesson, submissions: Mapping[str, str]) -> dict[str, str]:
        ours = {"notebook_id": lesson.notebook, "assignment_id": list(submissions)}
        known = {row.assignment_id for row in self.select("submitted_notebook", **ours)}
        new = [
            {"id": _id(), "notebook_id": lesson.notebook, "assignment_id": submission, "flagged": False}
            for submission in submissions
            if submission not in known
        ]
        self.insert("submitted_notebook", new)
        return {submissions[row.assignment_id]: row.id for row in self.select("submitted_notebook", **ours)}

    def rows(self, lesson: BookLesson, notebooks: Mapping[str, str]) -> Rows:
        """Grades and comments of the learners' notebooks; the missing ones are made."""
        graded = [cell.grade_cell for cell in lesson.cells.values() if cell.grade_cell]
        answers = [cell.solution_cell for cell in lesson.cells.values() if cell.solution_cell]
        grades = self._all("grade", list(notebooks.values()), graded, {"needs_manual_grade": True})
        return Rows(grades, self._all("comment", list(notebooks.values()), answers, {}))

    def _all(self, table: str, notebooks: list[str], cells: list[str], fresh: dict[str, Any]) -> dict[Any, Any]:
        def found() -> dict[Any, Any]:
            return {(row.notebook_id, row.cell_id): row for row in self.select(table, notebook_id=notebooks)}

        known = found()
        pairs = [(notebook, cell) for notebook in notebooks for cell in cells if (notebook, cell) not in known]
        self.insert(table, [{"id": _id(), "notebook_id": n, "cell_id": c, **fresh} for n, c in pairs])
        return found() if pairs else known


def _id() -> str:
    return uuid4().hex


@contextmanager
def transaction(db_url: str, *, write: bool) -> Iterator[Book]:
    """One transaction on the gradebook: all of it is kept, or nothing.

    Args:
        db_url: where the gradebook is.
        write: will anything be written?

    Raises:
        GradebookError: there is no gradebook, it is locked, or the database refuses.
    """
    with connection(db_url, write=write) as database:
        yield Book(database, _tables(database), write=write)


def _tables(connection: sa.Connection) -> Mapping[str, sa.Table]:
    metadata = sa.MetaData()
    try:
        metadata.reflect(connection, only=TABLES)
    except sa.exc.InvalidRequestError:
        raise NoLesson(NOT_NBGRADERS.format(where=shown(connection.engine.url))) from None
    return metadata.tables
