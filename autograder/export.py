"""Scores as CSV files for people, Canvas and Moodle.

What enters: scores read from the gradebook, with names that anybody may have chosen. What leaves: CSV in UTF-8,
quoted by Python's `csv`, in which no cell is a formula for the spreadsheet that opens it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Lesson
from autograder.files import write_atomically
from autograder.folders import CourseError
from autograder.gradebook import LearnerScore, database_url, read_scores

FORMS = ("plain", "canvas", "moodle")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NO_GRADE = {"canvas": "", "moodle": "-"}
CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE_COLUMNS = ("First name", "Last name", "ID number", "Email address")
PLAIN_COLUMNS = (
    "learner", "last_name", "first_name", "email", "lesson", "points", "max_points", "late_penalty", "waits",
)  # fmt: skip

Row = Sequence["str | float"]


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        path: the file.
        learners: rows with a grade.
        waiting: learners whose grade was left out because a person still has to mark something.
    """

    path: Path
    learners: int
    waiting: tuple[str, ...] = ()


def safe_text(text: str) -> str:
    """A text that no spreadsheet takes for a formula; everything else stays as it is.

    >>> safe_text("=1+1"), safe_text("O'Neil, Ann")
    ("'=1+1", "O'Neil, Ann")
    """
    # A lone "-" is Moodle's word for "no grade", and no formula.
    return f"'{text}" if text.startswith(FORMULA_STARTS) and text != "-" else text


def to_csv(header: Row, rows: Iterable[Row]) -> str:
    """Rows as CSV; texts are made safe, numbers are written as short as they can be."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    for row in (header, *rows):
        writer.writerow([safe_text(item) if isinstance(item, str) else f"{item:.10g}" for item in row])
    return stream.getvalue()


def export_scores(
    path: Path,
    scores: Sequence[LearnerScore],
    title: str,
    *,
    form: str = "plain",
    column_id: str = "",
    unfinished: bool = False,
) -> Exported:
    """Write one lesson's scores.

    For Canvas and Moodle the grade of a learner for whom a person still has to mark something is left out, so
    that an unfinished sum never stands in the LMS by accident; the plain form has it, and a column `waits`.

    Args:
        path: the file to write.
        scores: what `gradebook.read_scores` returns.
        title: the lesson's title; the grade's column in the LMS.
        form: one of `FORMS`.
        column_id: Canvas only: the assignment's number there, so that grades go to it and make no new column.
        unfinished: write unfinished sums into the forms for an LMS, too.

    Raises:
        CourseError: there is no such form.
    """
    if form not in FORMS:
        raise CourseError(f"There is no form {form!r}. Choose one of: {', '.join(FORMS)}.")
    if form == "plain":
        text = to_csv(_plain_header(scores), (_plain(score, title, _cells(scores)) for score in scores))
        write_atomically(path, text.encode())
        return Exported(path, sum(1 for score in scores if score.cells))
    waiting = tuple(score.learner for score in scores if score.cells and score.needs_a_person and not unfinished)
    grades = [NO_GRADE[form] if not score.cells or score.learner in waiting else score.points for score in scores]
    header, rows = (_canvas if form == "canvas" else _moodle)(scores, grades, title, column_id)
    write_atomically(path, to_csv(header, rows).encode())
    return Exported(path, sum(1 for score in scores if score.cells) - len(waiting), waiting)


def export_csv(root: Path, lesson: Lesson, form: str, path: Path, *, unfinished: bool = False) -> Exported:
    """Write a lesson's scores from the course's gradebook; see `export_scores`.

    Raises:
        CourseError: no such form, or no gradebook that knows the lesson.
    """
    scores = read_scores(database_url(root), lesson.id)
    return export_scores(path, scores, lesson.title, form=form, unfinished=unfinished)


def _cells(scores: Sequence[LearnerScore]) -> list[str]:
    return list(dict.fromkeys(name for score in scores for name in score.cells))


def _max_points(scores: Sequence[LearnerScore]) -> float:
    return max((sum(cell.max_points for cell in score.cells.values()) for score in scores), default=0.0)


def _plain_header(scores: Sequence[LearnerScore]) -> Row:
    return (*PLAIN_COLUMNS, *(name.removeprefix("check_") for name in _cells(scores)))


def _plain(score: LearnerScore, title: str, cells: list[str]) -> Row:
    who = (score.learner, score.last_name, score.first_name, score.email, title)
    if not score.cells:
        return (*who, "", "", "", "", *("" for _ in cells))
    most = sum(cell.max_points for cell in score.cells.values())
    waits = ", ".join(name.removeprefix("check_") for name, cell in score.cells.items() if cell.needs_a_person)
    return (*who, score.points, most, score.penalty, waits, *(score.cells[name].points for name in cells))


def _canvas(
    scores: Sequence[LearnerScore], grades: list[str | float], title: str, column_id: str
) -> tuple[Row, list[Row]]:
    column = f"{title} ({column_id})" if column_id else title
    possible: Row = ("    Points Possible", "", "", "", "", _max_points(scores))
    # Canvas finds people by its own ID, or by SIS ids when that is empty.
    known = zip(scores, grades, strict=True)
    rows = [(_name(score), score.lms_id, score.learner, score.learner, "", grade) for score, grade in known]
    return (*CANVAS_COLUMNS, column), [possible, *rows]


def _moodle(
    scores: Sequence[LearnerScore], grades: list[str | float], title: str, _column_id: str
) -> tuple[Row, list[Row]]:
    known = zip(scores, grades, strict=True)
    rows = [(s.first_name, s.last_name, s.lms_id or s.learner, s.email, grade) for s, grade in known]
    return (*MOODLE_COLUMNS, title), rows


def _name(score: LearnerScore) -> str:
    return ", ".join(part for part in (score.last_name, score.first_name) if part) or score.learner
