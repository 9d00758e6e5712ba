"""What people get to see after grading: gradebook rows and feedback pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from autograder.copies import answer_texts, autograded_path
from autograder.course import Lesson, Report
from autograder.feedback import page_mark, page_path, write_feedback
from autograder.folders import CourseError, Folders
from autograder.grade import Graded
from autograder.gradebook import LearnerScore, ensure_lesson, may_be_late, read_scores, write_reports
from autograder.submission import Unreadable, read_submission
from autograder.verdicts import VerdictStore

BATCH = 200


def publish(
    folders: Folders, lesson: Lesson, graded: Iterable[Graded], advance: Callable[[], None] = lambda: None
) -> None:
    """Write graded submissions into the gradebook, and a feedback page for everybody.

    Both are written in batches of `BATCH`: of a hundred thousand submissions only so many are in memory.

    Args:
        folders: the course.
        lesson: the lesson.
        graded: what `grade_class` yielded; gone through twice, so no iterator.
        advance: called after each page.

    Raises:
        CourseError: the gradebook is locked or does not fit the lesson; nothing of that batch was written then.
    """
    url = ensure_lesson(folders.root, lesson.id)
    for batch in _batches(graded):
        texts = {one.report.learner: one.texts for one in batch if one.texts is not None}
        handed_in = {one.report.learner: one.handed_in for one in batch if one.handed_in is not None}
        write_reports(url, lesson.id, [one.report for one in batch], texts, handed_in)
    settle_penalties(folders, lesson)
    pages = _Pages(folders, lesson, url, advance)
    for batch in _batches(graded):
        pages.write(batch)


class _Pages:
    """Writes the pages of graded submissions, and leaves those alone that would not change."""

    def __init__(self, folders: Folders, lesson: Lesson, url: str, advance: Callable[[], None]) -> None:
        self._folders, self._lesson, self._url, self._advance = folders, lesson, url, advance
        self._released = json.loads(folders.released(lesson.id).read_bytes())
        self._store = VerdictStore(folders.verdicts)

    def write(self, batch: Sequence[Graded]) -> None:
        scores = read_scores(self._url, self._lesson.id, [one.report.learner for one in batch])
        of = {score.learner: score for score in scores}
        marks = [page_mark(one.report, of[one.report.learner]) for one in batch]
        old = [one for one, mark in zip(batch, marks, strict=True) if one.page != mark or self._is_gone(one)]
        texts = {one.report.learner: self._texts(one) for one in old}
        _write_pages(self._folders, self._lesson, [one.report for one in old], texts, scores, self._advance)
        for _ in range(len(batch) - len(old)):
            self._advance()
        # Last: whoever is stopped before writes this batch again.
        rows = [(one.report.learner, one.file, mark) for one, mark in zip(batch, marks, strict=True) if one.file]
        self._store.note_published(self._lesson.id, rows)

    def _is_gone(self, one: Graded) -> bool:
        return not page_path(self._folders.feedback, one.report).exists()

    def _texts(self, one: Graded) -> Mapping[str, str]:
        """What stands in the answer cells; of an unchanged submission only the copy was kept."""
        return _texts(self._folders, one.report, self._released) if one.page else one.texts or {}


def _batches(graded: Iterable[Graded]) -> Iterator[list[Graded]]:
    rest = (one for one in graded if not one.stays)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _write_pages(
    folders: Folders,
    lesson: Lesson,
    reports: Sequence[Report],
    texts: Mapping[str, Mapping[str, str]],
    scores: Sequence[LearnerScore],
    advance: Callable[[], None],
) -> None:
    write_feedback(reports, lesson, folders.feedback, texts, scores, submitted=folders.submitted, advance=advance)


def require_graded(folders: Folders, lesson: Lesson) -> int:
    """How many learners have verdicts.

    Raises:
        CourseError: nobody.
    """
    count = VerdictStore(folders.verdicts).count(lesson.id)
    if not count:
        raise CourseError(f"Nothing of {lesson.id} was graded yet. Run `course grade {lesson.id}` first.")
    return count


def write_pages_again(folders: Folders, lesson: Lesson, advance: Callable[[], None] = lambda: None) -> int:
    """Write all feedback pages of a lesson again, with the marks and comments of today.

    Returns:
        How many pages were written.

    Raises:
        CourseError: nothing was graded yet.
    """
    count = require_graded(folders, lesson)
    url = settle_penalties(folders, lesson)
    released = json.loads(folders.released(lesson.id).read_bytes())
    reports = VerdictStore(folders.verdicts).each_latest(lesson.id)
    while batch := list(islice(reports, BATCH)):
        texts = {report.learner: _texts(folders, report, released) for report in batch}
        scores = read_scores(url, lesson.id, [report.learner for report in batch])
        _write_pages(folders, lesson, batch, texts, scores, advance)
    return count


def settle_penalties(folders: Folders, lesson: Lesson) -> str:
    """Let late penalties follow the marks, due date and settings of today; return the gradebook's URL.

    Raises:
        CourseError: there is no gradebook, or it does not fit the lesson.
    """
    url = ensure_lesson(folders.root, lesson.id)
    learners = may_be_late(url, lesson.id)
    if learners:
        # nbgrader's own step, which takes a second to import: only for courses that use due dates.
        from autograder.nbgrader_seam import assign_late_penalties

        assign_late_penalties(folders.root, lesson.id, learners)
    return url


def scores_of_today(folders: Folders, lesson: Lesson) -> tuple[LearnerScore, ...]:
    """The gradebook's scores, with late penalties as marks, due date and settings of today make them.

    Raises:
        CourseError: there is no gradebook, or it does not fit the lesson.
    """
    return read_scores(settle_penalties(folders, lesson), lesson.id)


def _texts(folders: Folders, report: Report, released: Mapping[str, Any]) -> Mapping[str, str]:
    try:
        copy = read_submission(autograded_path(folders.autograded, report.learner, report.lesson))
    except Unreadable:
        return {}
    return answer_texts(released, copy.cells)
