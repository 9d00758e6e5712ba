"""A page per learner: what was earned, why, and what to do next.

What enters: reports, the learners' texts and a marker's comments; all of it is text that anybody may have
written. What leaves: static HTML without scripts. Jinja escapes everything, and the page forbids its reader's
browser to load or run anything, should that ever fail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from autograder.copies import clean, exchange_slips
from autograder.course import Lesson, Outcome, Report, Verdict
from autograder.files import plain_name, write_atomically
from autograder.gradebook import CellScore, LearnerScore
from autograder.submission import CHECK_PREFIX

TEMPLATES = Path(__file__).parent / "templates"
# An exercise that was tried comes before one that was not begun.
_LATER = (Outcome.NOT_STARTED, Outcome.MISSING)


@dataclass(frozen=True)
class Item:
    """One line of the page.

    Args:
        name: the exercise, question or open question.
        points: earned so far; None while only a person can say.
        max_points: what it is worth.
        outcome: in words.
        message: one or two sentences, or "".
        numpy: agreement with the NumPy reference, or "".
        torch: agreement with the Torch counterpart, or "".
        comment: a marker's comment, or "".
        text: what was handed in, or "".
        by_hand: did a person set the points?
    """

    name: str
    points: float | None
    max_points: float
    outcome: str
    message: str = ""
    numpy: str = ""
    torch: str = ""
    comment: str = ""
    text: str = ""
    by_hand: bool = False

    @property
    def full(self) -> bool:
        """Is there nothing more to earn?"""
        return self.points is not None and self.points >= self.max_points


def write_feedback(
    reports: Sequence[Report],
    lesson: Lesson,
    folder: Path,
    answers: Mapping[str, Mapping[str, str]] | None = None,
    scores: Sequence[LearnerScore] = (),
    submitted: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Write `folder/<learner>/<lesson>/<lesson>.html` for each report.

    Args:
        reports: one per learner.
        lesson: the lesson of all reports.
        folder: usually `run/feedback`.
        answers: per learner, the texts of answer cells (`copies.answer_texts`).
        scores: the gradebook's scores (`gradebook.read_scores`), for manual marks, comments and penalties.
        submitted: where nbgrader's exchange collected the submissions (`run/submitted`). The files with which
            `nbgrader release_feedback` finds a learner are then put beside the page.
        advance: called after each page.

    Returns:
        The pages' paths, in the order of the reports.

    Raises:
        CourseError: a learner's id is no plain folder name.
    """
    marked = {score.learner: score for score in scores}
    paths = []
    for report in reports:
        score = marked.get(report.learner, LearnerScore(report.learner))
        text = page(report, lesson, (answers or {}).get(report.learner, {}), score)
        path = page_path(folder, report)
        write_atomically(path, text.encode())
        slips = exchange_slips(submitted / report.learner / report.lesson) if submitted is not None else {}
        for name, content in slips.items():
            write_atomically(path.with_name(name), content)
        paths.append(path)
        advance()
    return paths


def page_path(folder: Path, report: Report) -> Path:
    """Where a page lies below `folder`.

    Raises:
        CourseError: the learner's or lesson's id is no plain folder name.
    """
    return folder / plain_name(report.learner) / plain_name(report.lesson) / f"{report.lesson}.html"


def page_mark(report: Report, score: LearnerScore) -> str:
    """Names what a page is made from, texts apart: with an equal mark the same submission gives the same page."""
    return hashlib.sha256(repr((_made_with(), report, score)).encode(errors="replace")).hexdigest()


@cache
def _made_with() -> bytes:
    return hashlib.sha256(Path(__file__).read_bytes() + (TEMPLATES / "feedback.html.j2").read_bytes()).digest()


def page(report: Report, lesson: Lesson, texts: Mapping[str, str], score: LearnerScore) -> str:
    """The page of one learner as HTML; see `write_feedback`."""
    items = list(_items(report, lesson, texts, score))
    earned = max(0.0, sum(item.points or 0.0 for item in items) - score.penalty)
    return _template().render(
        lesson=lesson,
        report=report,
        items=items,
        earned=earned,
        most=sum(item.max_points for item in items),
        penalty=score.penalty,
        next_item=_next(report, items),
        waiting=[item.name for item in items if item.points is None],
    )


def _items(report: Report, lesson: Lesson, texts: Mapping[str, str], score: LearnerScore) -> Iterator[Item]:
    for verdict in report.verdicts:
        yield _judged(verdict, clean(texts.get(verdict.exercise, "")), score.cells.get(CHECK_PREFIX + verdict.exercise))
    for question in lesson.open_questions:
        cell = score.cells.get(question.id)
        points = cell.points if cell is not None and not cell.needs_a_person else None
        outcome = _open_outcome(cell)
        comment = clean(cell.comment) if cell is not None else ""
        text = clean(texts.get(question.id, ""))
        yield Item(question.id, points, question.points, outcome, comment=comment, text=text)


def _open_outcome(cell: CellScore | None) -> str:
    if cell is None or cell.needs_a_person:
        return "waits for a person"
    return "no answer" if cell.manual is None else "marked by a person"


def _judged(verdict: Verdict, text: str, cell: CellScore | None) -> Item:
    by_hand = cell is not None and cell.manual is not None
    return Item(
        name=verdict.exercise,
        points=cell.points if by_hand else verdict.points + (cell.extra if cell is not None else 0.0),
        max_points=verdict.max_points,
        outcome=verdict.outcome.value,
        message=clean(verdict.message),
        numpy=verdict.numpy,
        torch=verdict.torch,
        comment=clean(cell.comment) if cell is not None else "",
        text=text,
        by_hand=by_hand,
    )


def _next(report: Report, items: Sequence[Item]) -> Item | None:
    """The first thing to mend: what was tried and failed, then what was not begun."""
    later = {verdict.exercise for verdict in report.verdicts if verdict.outcome in _LATER}
    open_ = [item for item in items if item.points is not None and not item.full and item.message]
    tried = [item for item in open_ if item.name not in later]
    return next(iter(tried or open_), None)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = lambda value: f"{value:g}"
    return environment.get_template("feedback.html.j2")
