"""What people get to see after grading: gradebook rows, feedback pages, the class's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from autograder.copies import answer_texts
from autograder.course import Lesson, Report, Status
from autograder.feedback import write_feedback
from autograder.folders import CourseError, Folders
from autograder.grade import Graded
from autograder.gradebook import LearnerScore, ensure_lesson, has_due_date, read_scores, write_reports
from autograder.submission import Unreadable, read_submission
from autograder.verdicts import VerdictStore

_COLORS = {
    Status.GRADED: "green",
    Status.PARTLY_GRADED: "yellow",
    Status.UNREADABLE: "red",
    Status.NEEDS_A_PERSON: "magenta",
}


def publish(folders: Folders, lesson: Lesson, graded: Sequence[Graded]) -> None:
    """Write a graded class into the gradebook, and a feedback page for everybody.

    Args:
        folders: the course.
        lesson: the lesson.
        graded: what `grade_class` yielded.

    Raises:
        CourseError: the gradebook is locked or does not fit the lesson; nothing was written then.
    """
    reports = [one.report for one in graded]
    texts = {one.report.learner: one.texts for one in graded if one.texts is not None}
    handed_in = {one.report.learner: one.handed_in for one in graded if one.handed_in is not None}
    url = ensure_lesson(folders.root, lesson.id)
    write_reports(url, lesson.id, reports, texts, handed_in)
    scores = scores_of_today(folders, lesson)
    write_feedback(reports, lesson, folders.feedback, texts, scores, submitted=folders.submitted)


def write_pages_again(folders: Folders, lesson: Lesson) -> int:
    """Write all feedback pages of a lesson again, with the marks and comments of today.

    Returns:
        How many pages were written.

    Raises:
        CourseError: nothing was graded yet.
    """
    reports = VerdictStore(folders.verdicts).latest(lesson.id)
    if not reports:
        raise CourseError(f"Nothing of {lesson.id} was graded yet. Run `course grade {lesson.id}` first.")
    texts = {report.learner: _texts(folders, report) for report in reports}
    scores = scores_of_today(folders, lesson)
    return len(write_feedback(reports, lesson, folders.feedback, texts, scores, submitted=folders.submitted))


def scores_of_today(folders: Folders, lesson: Lesson) -> tuple[LearnerScore, ...]:
    """The gradebook's scores, with late penalties as marks, due date and settings of today make them.

    Raises:
        CourseError: there is no gradebook, or it does not fit the lesson.
    """
    url = ensure_lesson(folders.root, lesson.id)
    scores = read_scores(url, lesson.id)
    learners = [score.learner for score in scores if score.cells]
    if not learners or not (has_due_date(url, lesson.id) or any(score.penalty for score in scores)):
        return scores
    # nbgrader's own step, which takes a second to import: only for courses that use due dates.
    from autograder.nbgrader_seam import assign_late_penalties

    assign_late_penalties(folders.root, lesson.id, learners)
    return read_scores(url, lesson.id)


def _texts(folders: Folders, report: Report) -> Mapping[str, str]:
    import json

    released = json.loads(folders.released(report.lesson).read_bytes())
    try:
        copy = read_submission(folders.autograded / report.learner / report.lesson / f"{report.lesson}.ipynb")
    except Unreadable:
        return {}
    return answer_texts(released, copy.cells)


def class_table(reports: Sequence[Report]) -> Table:
    """Learner, status, points and the first thing to fix."""
    table = Table(title=f"{len(reports)} submissions", title_justify="left")
    table.add_column("Learner", overflow="fold")
    table.add_column("Status")
    table.add_column("Points", justify="right")
    table.add_column("First thing to fix", overflow="fold")
    for report in reports:
        status = f"[{_COLORS[report.status]}]{report.status}[/]"
        points = f"{report.points:g} / {report.max_points:g}"
        table.add_row(escape(report.learner), status, points, escape(first_to_fix(report)))
    return table


def first_to_fix(report: Report) -> str:
    """One line: why nothing could be graded, or the first exercise that was tried and is not right."""
    if report.status is Status.UNREADABLE:
        return report.reason
    open_ones = [verdict for verdict in report.verdicts if verdict.points < verdict.max_points]
    tried = [verdict for verdict in open_ones if verdict.outcome not in ("not started", "missing")]
    first = next(iter(tried or open_ones), None)
    if first is None:
        return report.reason
    line = f"{first.exercise}: {first.message or first.outcome}"
    return line if len(line) <= 110 else line[:107] + "..."
