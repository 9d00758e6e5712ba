"""The only writer of scores into nbgrader's database, and the reader of what markers add to them.

What enters: reports of submissions (`autograder.course.Report`) and learners' texts for open questions. What
leaves: automatic scores and comments, in one transaction per batch. Manual scores and comments are read, never
written. The lesson itself (assignment, notebook, cells) is put in by nbgrader's own release step.

nbgrader is not imported here: its import takes longer than grading a class.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder import database_messages as messages
from autograder.copies import clean, neutral
from autograder.course import Outcome, Report, Status, Verdict
from autograder.databases import connection, is_file, parsed, shown, without_password
from autograder.files import write_atomically
from autograder.folders import Folders
from autograder.gradebook_tables import (
    Book,
    BookCell,
    BookLesson,
    Change,
    Clash,
    GradebookError,
    NoLesson,
    Rows,
    transaction,
)
from autograder.submission import CHECK_PREFIX

# A database takes only so many values in one question.
PIECE = 500
NO_ANSWER = "No response."
# How often a batch is written again that another program's rows got in the way of.
ATTEMPTS = 3
NO_CELL = "The answer's cell is missing; look for the answer elsewhere in the notebook."


@dataclass(frozen=True)
class CellScore:
    """One graded cell of one learner.

    Args:
        auto: the automatic score, or None.
        manual: a marker's score, which counts instead, or None.
        extra: extra credit by a marker.
        max_points: what the cell is worth.
        needs_a_person: still waits for a marker.
        comment: a marker's comment on the answer, or "".
    """

    auto: float | None
    manual: float | None
    extra: float
    max_points: float
    needs_a_person: bool
    comment: str = ""

    @property
    def points(self) -> float:
        """What counts: the manual score before the automatic one, extra credit on top."""
        score = self.auto if self.manual is None else self.manual
        return 0.0 if score is None else score + self.extra


@dataclass(frozen=True)
class LearnerScore:
    """A learner of the gradebook and what one lesson earned so far; `cells` is empty without a submission."""

    learner: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    penalty: float = 0.0
    cells: Mapping[str, CellScore] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Sum over the cells, less the penalty for lateness, never below zero."""
        return max(0.0, sum(cell.points for cell in self.cells.values()) - self.penalty)

    @property
    def needs_a_person(self) -> bool:
        """Does a cell still wait for a marker?"""
        return any(cell.needs_a_person for cell in self.cells.values())


def database_url(root: Path) -> str:
    """The gradebook's URL, from the course's `nbgrader_config.py`."""
    from autograder.release import load_config

    return str(load_config(root).CourseDirectory.db_url)


def remember_database(folders: Folders, db_url: str) -> list[str]:
    """Let the course use a database from now on, without a password; return what to tell the instructor.

    Raises:
        GradebookError: it cannot be used; then nothing is remembered.
    """
    url = parsed(db_url)
    if not is_file(url):
        with connection(db_url, write=False):
            pass
    kept = without_password(url)
    write_atomically(folders.database_file, f"{kept.render_as_string()}\n".encode(), 0o600)
    said = [messages.REMEMBERED.format(where=shown(url))]
    return said if kept == url else [*said, messages.WITHOUT_PASSWORD]


def has_lesson(db_url: str, lesson_id: str, cells: Collection[str] = ()) -> bool:
    """Does the gradebook exist and know the lesson, with all of these cells?

    nbgrader commits one cell at a time, so a kill can leave a part of them. Once somebody's work is in the gradebook,
    the cells are those that it was handed in for.
    """
    try:
        with transaction(db_url, write=False) as book:
            lesson = book.lesson(lesson_id)
            known = {row.name for row in book.select("source_cell", notebook_id=lesson.notebook)}
            whole = known.issuperset(cells) or bool(book.select("submitted_notebook", notebook_id=lesson.notebook))
            return bool(lesson.cells) and whole
    except NoLesson:
        return False


def has_due_date(db_url: str, lesson_id: str) -> bool:
    """Did the instructor set a due date, so that `nbgrader_seam.assign_late_penalties` has something to do?

    Raises:
        GradebookError: there is no gradebook.
    """
    with transaction(db_url, write=False) as book:
        return any(row.duedate is not None for row in book.select("assignment", name=lesson_id))


def ensure_lesson(root: Path, lesson_id: str) -> str:
    """Let nbgrader describe the lesson in the gradebook, unless all of it is there; return the gradebook's URL.

    Raises:
        ReleaseError: the lesson cannot be released.
    """
    from autograder.release import generate

    url = database_url(root)

    def known() -> bool:
        return has_lesson(url, lesson_id, _cells_of(Folders(root).released(lesson_id)))

    if not known():
        # Asked again once nobody else describes it: another grader may just have done so.
        generate(root, lesson_id, unless=known)
    return url


def _cells_of(released: Path) -> list[str]:
    """Names of the cells that nbgrader describes; none without a notebook."""
    with suppress(OSError, ValueError):
        cells = [cell["metadata"].get("nbgrader", {}) for cell in json.loads(released.read_bytes())["cells"]]
        return [meta["grade_id"] for meta in cells if meta.get("grade") or meta.get("solution") or meta.get("locked")]
    return []


def write_reports(
    db_url: str,
    lesson_id: str,
    reports: Sequence[Report],
    answers: Mapping[str, Mapping[str, str]] | None = None,
    timestamps: Mapping[str, datetime] | None = None,
) -> None:
    """Write a batch of reports in one transaction; writing the same batch again changes nothing.

    A manual score or comment is never touched. When an automatic score changes under a manual one, or a learner
    changes an answer that a person has marked, the cell is flagged for a person again.

    Args:
        db_url: the gradebook; nbgrader must know the lesson (`ensure_lesson`).
        lesson_id: the lesson of all reports.
        reports: one per learner.
        answers: per learner, the texts of the open questions' cells (`copies.answer_texts`). Learners who are
            left out (an unreadable file) keep their open questions waiting for a person.
        timestamps: per learner, when it was handed in, UTC without time zone; only late penalties use it.

    Raises:
        GradebookError: no gradebook, a lock held too long, or cells and points that are not the lesson's.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction(db_url, write=True) as book:
                _write(book, lesson_id, reports, answers or {}, timestamps or {})
            return
        except Clash:
            if attempt == ATTEMPTS:
                raise


def _write(
    book: Book,
    lesson_id: str,
    reports: Sequence[Report],
    answers: Mapping[str, Mapping[str, str]],
    timestamps: Mapping[str, datetime],
) -> None:
    lesson = book.lesson(lesson_id)
    for report in reports:
        _check(lesson, report)
    notebooks = book.submissions(lesson, [report.learner for report in reports], timestamps)
    rows = book.rows(lesson, notebooks)
    for report in reports:
        changes = [_judged(rows, lesson, notebooks[report.learner], v, report.status) for v in report.verdicts]
        texts = answers.get(report.learner)
        if texts is not None:
            changes += _opened(rows, lesson, notebooks[report.learner], texts)
        book.update(change for change in changes if change)


def read_scores(db_url: str, lesson_id: str, learners: Sequence[str] | None = None) -> tuple[LearnerScore, ...]:
    """Every learner of the gradebook, by id, with the lesson's scores as they stand, manual marks included.

    Args:
        db_url: the gradebook.
        lesson_id: the lesson.
        learners: only these, up to a few hundred; None for all.

    Raises:
        GradebookError: there is no gradebook, or it does not know the lesson.
    """
    with transaction(db_url, write=False) as book:
        lesson = book.lesson(lesson_id)
        found = book.select("student") if learners is None else book.select("student", id=list(learners))
        students = sorted(found, key=lambda row: row.id)
        pieces = [students[start : start + PIECE] for start in range(0, len(students), PIECE)]
        return tuple(score for piece in pieces for score in _scores(book, lesson, piece))


def handed_in(db_url: str, lesson_id: str) -> frozenset[str]:
    """Learners of whom the gradebook has a submission.

    Raises:
        GradebookError: there is no gradebook, or it does not know the lesson.
    """
    with transaction(db_url, write=False) as book:
        rows = book.select("submitted_assignment", assignment_id=book.lesson(lesson_id).assignment)
        return frozenset(row.student_id for row in rows)


def may_be_late(db_url: str, lesson_id: str) -> list[str]:
    """Learners whose late penalty may change: who handed in, when there is a due date, or a penalty from before.

    Raises:
        GradebookError: there is no gradebook, or it does not know the lesson.
    """
    dated = has_due_date(db_url, lesson_id)
    with transaction(db_url, write=False) as book:
        lesson = book.lesson(lesson_id)
        notebooks = book.select("submitted_notebook", notebook_id=lesson.notebook)
        if not dated and not any(row.late_submission_penalty for row in notebooks):
            return []
        return sorted(row.student_id for row in book.select("submitted_assignment", assignment_id=lesson.assignment))


def _check(lesson: BookLesson, report: Report) -> None:
    remedy = "Run `course generate` again, then grade again."
    for verdict in report.verdicts:
        cell = lesson.cells.get(CHECK_PREFIX + verdict.exercise)
        if report.lesson != lesson.id or cell is None or cell.grade_cell is None:
            raise GradebookError(f"{lesson.id}: the gradebook has no cell for {verdict.exercise!r}. {remedy}")
        if cell.max_score != verdict.max_points:
            known = f"{verdict.exercise} is worth {verdict.max_points:g} points, the gradebook says"
            raise GradebookError(f"{lesson.id}: {known} {cell.max_score:g}. {remedy}")


def _judged(rows: Rows, lesson: BookLesson, notebook: str, verdict: Verdict, status: Status) -> Change | None:
    answer = lesson.cells.get(verdict.exercise, BookCell(""))
    check = lesson.cells[CHECK_PREFIX + verdict.exercise]
    cell = BookCell(check.name, check.grade_cell, answer.solution_cell)
    # PostgreSQL takes no zero byte, and one learner's message must not stop the class.
    text = neutral(clean(f"{verdict.outcome.value.capitalize()}. {verdict.message}".strip()))
    # A zero for a file that nobody could read is not given silently.
    person = verdict.outcome is Outcome.NEEDS_A_PERSON or status is Status.UNREADABLE
    return _change(rows.of(cell, notebook), verdict.points, text, person)


def _opened(rows: Rows, lesson: BookLesson, notebook: str, texts: Mapping[str, str]) -> Iterator[Change | None]:
    for cell in lesson.open_questions:
        text = texts.get(cell.name)
        if text is None:
            yield _change(rows.of(cell, notebook), None, NO_CELL, True)
        elif text.strip() in ("", cell.source.strip()):
            yield _change(rows.of(cell, notebook), 0.0, NO_ANSWER, False)
        else:
            # The digest tells a changed answer from the one that was marked.
            digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
            said = f"A person marks this answer ({len(text.split())} words, version {digest})."
            yield _change(rows.of(cell, notebook), None, said, True)


def _change(row: tuple[Any, Any], auto: float | None, text: str, person: bool) -> Change | None:
    grade, comment = row
    old_text = comment.auto_comment if comment is not None else None
    if grade.auto_score == auto and old_text == text:
        return None
    # A finished manual mark stays finished when only the wording changed.
    waits = person if grade.manual_score is None else grade.needs_manual_grade or person or grade.auto_score != auto
    values = {"auto_score": auto, "needs_manual_grade": waits}
    return grade.id, values, comment.id if comment is not None else None, {"auto_comment": text}


def _scores(book: Book, lesson: BookLesson, students: Sequence[Any]) -> Iterator[LearnerScore]:
    learners = [student.id for student in students]
    handed_in = book.select("submitted_assignment", assignment_id=lesson.assignment, student_id=learners)
    submissions = {row.id: row.student_id for row in handed_in}
    notebooks = book.select("submitted_notebook", notebook_id=lesson.notebook, assignment_id=list(submissions))
    of = {submissions[row.assignment_id]: row for row in notebooks}
    ids = [row.id for row in notebooks]
    grades = {(row.notebook_id, row.cell_id): row for row in book.select("grade", notebook_id=ids)}
    comments = {(row.notebook_id, row.cell_id): row for row in book.select("comment", notebook_id=ids)}
    rows = Rows(grades, comments)
    return (_learner(student, of.get(student.id), lesson, rows) for student in students)


def _learner(student: Any, notebook: Any, lesson: BookLesson, rows: Rows) -> LearnerScore:
    names = [student.first_name, student.last_name, student.email, student.lms_user_id]
    penalty = (notebook.late_submission_penalty or 0.0) if notebook is not None else 0.0
    cells = _cell_scores(notebook.id, lesson, rows) if notebook is not None else {}
    return LearnerScore(student.id, *(name or "" for name in names), penalty=penalty, cells=cells)


def _cell_scores(notebook: str, lesson: BookLesson, rows: Rows) -> dict[str, CellScore]:
    scores = {}
    for cell in (cell for cell in lesson.cells.values() if (notebook, cell.grade_cell) in rows.grades):
        answer = lesson.cells.get(cell.name.removeprefix(CHECK_PREFIX), cell)
        grade = rows.grades[notebook, cell.grade_cell]
        comment = rows.comments.get((notebook, answer.solution_cell))
        said = (comment.manual_comment or "") if comment is not None else ""
        marks = (grade.auto_score, grade.manual_score, grade.extra_credit or 0.0)
        scores[cell.name] = CellScore(*marks, cell.max_score, bool(grade.needs_manual_grade), said)
    return scores
