"""`course regrade`: judge a class again after an exercise changed, and lower no score unasked.

What enters: the submissions as they lie there and the reports kept before. What leaves: who gains and who loses,
exercise by exercise; and, unless it is a dry run, gradebook, pages and reports in which every gain counts, and
every loss only when it was confirmed. Judging works in a folder of its own, so that a dry run writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder import changes
from autograder.changes import Change
from autograder.copies import add_verdicts, to_bytes
from autograder.course import Lesson, Report, Status
from autograder.files import plain_name, write_atomically
from autograder.folders import CourseError, Folders
from autograder.grade import Graded, grade_class
from autograder.gradebook import database_url, has_lesson, read_scores
from autograder.intake import Entry
from autograder.publish import publish
from autograder.submission import CHECK_PREFIX
from autograder.verdicts import VerdictStore
from autograder.workplace import lend_expected

NOTHING_KEPT = "Nothing of {lesson} was graded yet. Run `course grade {lesson}` first."
HANDED_IN_AGAIN = "The answers changed since they were graded. `course grade` judges them."
NEVER_GRADED = "It was not graded before. `course grade` judges it."
GONE = "It was graded before, but its file is not here now."
UNREADABLE = "It cannot be read any more: {reason}"
CLOCK = "An answer ran out of time on the clock, which may be the fault of a busy machine. Run again."
MEANWHILE = "It was graded by another program meanwhile. Run again."
_LATER = (HANDED_IN_AGAIN, NEVER_GRADED)


@dataclass(frozen=True)
class Again:
    """A submission whose verdicts then and now can be compared.

    Args:
        before: the report kept before.
        graded: what was judged now.
        changes: the exercises that are judged otherwise.
    """

    before: Report
    graded: Graded
    changes: tuple[Change, ...]

    def report(self, confirm: bool) -> Report | None:
        """What may be written; None when nothing may be before losses are confirmed."""
        return self.graded.report if confirm else changes.without_losses(self.before, self.graded.report)


@dataclass(frozen=True)
class Regraded:
    """A class judged again.

    Args:
        lesson: id of the lesson.
        compared: who could be compared, by learner.
        left: who could not, and why.
        applied: learner and exercise of every change that was written.
    """

    lesson: str
    compared: tuple[Again, ...]
    left: Mapping[str, str]
    applied: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @property
    def changes(self) -> list[Change]:
        """All changes, by learner."""
        return [change for again in self.compared for change in again.changes]

    @property
    def gains(self) -> list[Change]:
        """Changes that bring points."""
        return [change for change in self.changes if change.points > 0]

    @property
    def losses(self) -> list[Change]:
        """Changes that cost points."""
        return [change for change in self.changes if change.points < 0]

    @property
    def reworded(self) -> list[Change]:
        """Changes for the same points: another sentence, another mistake."""
        return [change for change in self.changes if change.points == 0]

    def was_applied(self, change: Change) -> bool:
        """Was it written by this run?"""
        return (change.learner, change.exercise) in self.applied

    @property
    def settled(self) -> bool:
        """Is nothing left to do: no loss waits, and everybody who was graded before could be judged again?"""
        waiting = any(not self.was_applied(change) for change in self.losses)
        return not waiting and all(reason in _LATER for reason in self.left.values())


def require_reports(place: Folders, lesson: Lesson) -> dict[str, Report]:
    """The reports kept before, by learner.

    Raises:
        CourseError: there is none.
    """
    before = {report.learner: report for report in VerdictStore(place.verdicts).latest(lesson.id)}
    if not before:
        raise CourseError(NOTHING_KEPT.format(lesson=lesson.id))
    return before


def judge_again(
    folders: Folders,
    place: Folders,
    lesson: Lesson,
    entries: Sequence[Entry],
    *,
    dry_run: bool,
    processes: int = 0,
    advance: Callable[[Graded | None, Report | None], None] = lambda *_: None,
) -> Regraded:
    """Judge a class with today's exercises and compare; scores, pages and latest reports stay as they are.

    Args:
        folders: the real course.
        place: what `workplace` gave.
        lesson: the lesson.
        entries: the submissions as they lie there now.
        dry_run: when false, finished verdicts are kept, so that a run that was stopped continues.
        processes: as `grade_class`.
        advance: called once per submission, with what was judged and the report before; None for who is left out.

    Raises:
        CourseError: nothing was graded before.
    """
    before = require_reports(place, lesson)
    lend_expected(folders, place, lesson, dry_run)
    store = None if dry_run else VerdictStore(folders.verdicts)
    known = [entry for entry in entries if entry.learner in before]
    left = {entry.learner: NEVER_GRADED for entry in entries if entry.learner not in before}
    for _ in left:
        advance(None, None)
    graded: dict[str, Graded] = {}
    for one in grade_class(place, lesson, known, processes=processes, regrade=True):
        if store is not None and one.new:
            store.keep(one.report)
        learner = one.report.learner
        same = not changes.compare(before[learner], one.report)
        # Texts are for pages that change; those of a large class would fill the memory.
        graded[learner] = replace(one, texts=None) if same else one
        advance(one, before[learner])
    left |= {learner: GONE for learner in before if learner not in graded}
    marked, made, compared = _marked(folders, lesson), VerdictStore(place.verdicts), []
    for learner, one in sorted(graded.items()):
        found = changes.compare(before[learner], one.report, marked.get(learner, ()))
        reason = _incomparable(before[learner], one, found, made)
        if reason:
            left[learner] = reason
        else:
            compared.append(Again(before[learner], one, found))
    return Regraded(lesson.id, tuple(compared), left)


def _incomparable(before: Report, one: Graded, found: Sequence[Change], store: VerdictStore) -> str:
    """Why then and now say nothing about the exercises; "" when they do."""
    after = one.report
    if after.status is Status.UNREADABLE:
        return "" if before.status is Status.UNREADABLE else UNREADABLE.format(reason=after.reason)
    if after.status is Status.NEEDS_A_PERSON and not after.key:
        # The grading machine failed, not the learner.
        return after.reason
    # Reports from before this was noted are taken to be about the same answers.
    if before.submission and before.submission != after.submission:
        return HANDED_IN_AGAIN
    # A verdict that may not be kept depends on how busy the machine was.
    lost = any(change.points < 0 for change in found)
    return CLOCK if lost and not one.new and store.get(after.key) is None else ""


def _marked(folders: Folders, lesson: Lesson) -> dict[str, set[str]]:
    """Learner to the exercises that a person marked."""
    url = database_url(folders.root)
    scores = read_scores(url, lesson.id) if has_lesson(url, lesson.id) else ()
    return {
        score.learner: {
            name.removeprefix(CHECK_PREFIX) for name, cell in score.cells.items() if cell.manual is not None
        }
        for score in scores
    }


def apply(folders: Folders, place: Folders, lesson: Lesson, regraded: Regraded, *, confirm: bool) -> Regraded:
    """Write what may be written: every gain; losses only when they are confirmed.

    Latest reports come last: a run that is stopped before finds the same changes again and writes them again.

    Args:
        folders: the real course.
        place: where it was judged.
        lesson: the lesson.
        regraded: what `judge_again` found.
        confirm: write losses, too?

    Returns:
        The same, with what was written, and without learners whom another program graded meanwhile.
    """
    store = VerdictStore(folders.verdicts)
    now = {report.learner: report for report in store.latest(lesson.id)}
    compared = tuple(again for again in regraded.compared if now.get(again.before.learner) == again.before)
    left = {again.before.learner: MEANWHILE for again in regraded.compared if again not in compared}
    allowed = [(again, report) for again in compared if (report := again.report(confirm)) is not None]
    changed = [replace(again.graded, report=report) for again, report in allowed if again.changes]
    if changed:
        publish(folders, lesson, changed)
    for one in changed:
        _write_copy(folders, place, one.report)
    # How long it took to look a verdict up is no news.
    store.replace_latest(
        report for again, report in allowed if replace(report, seconds=again.before.seconds) != again.before
    )
    written = [change for again, _ in allowed for change in again.changes if confirm or change.points >= 0]
    applied = frozenset((change.learner, change.exercise) for change in written)
    return replace(regraded, compared=compared, left={**regraded.left, **left}, applied=applied)


def _write_copy(folders: Folders, place: Folders, report: Report) -> None:
    """The copy that markers open, with the verdicts that count."""
    name = Path(plain_name(report.learner)) / report.lesson / f"{report.lesson}.ipynb"
    copy = json.loads((place.autograded / name).read_bytes())
    add_verdicts(copy, report)
    write_atomically(folders.autograded / name, to_bytes(copy))
