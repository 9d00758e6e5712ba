"""A class from end to end, as `course grade` and `course regrade` do it: judge, keep, publish, while people watch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from autograder import grade, grade_report, messages, publish, regrade, unchanged
from autograder.course import Lesson, Report
from autograder.folders import CourseError, Folders
from autograder.grade import Graded
from autograder.grade_report import LOOK_AT, Tally
from autograder.intake import Entry
from autograder.progress import Watch, long_work
from autograder.readiness import missing_walls
from autograder.regrade import Regraded
from autograder.spool import Spool
from autograder.verdicts import VerdictStore


class NoWalls(CourseError):
    """A wall is missing; the text says which, and how to get it."""

    exit_code = 1


def require_walls(folders: Folders, lesson: Lesson) -> None:
    """Learners' code never runs without all walls.

    Raises:
        NoWalls: one is missing.
    """
    missing = missing_walls(folders, lesson)
    # One cause, such as bubblewrap not being there, takes all walls away at once.
    causes = dict.fromkeys((check.sentence, check.remedy) for check in missing)
    names = {
        sentence: ", ".join(check.name for check in missing if check.sentence == sentence) for sentence, _ in causes
    }
    if missing:
        said = [
            messages.WALLS_MISSING.format(names=names[cause], cause=cause, remedy=remedy) for cause, remedy in causes
        ]
        raise NoWalls("\n".join([*said, messages.NOTHING_GRADED]))


class GradedClass:
    """A class that was graded and published.

    Args:
        folders: the course.
        lesson: the lesson.
        learners: whose submissions were graded.
        tally: what was found.
    """

    def __init__(self, folders: Folders, lesson: Lesson, learners: frozenset[str], tally: Tally) -> None:
        self.tally = tally
        self._folders, self._lesson, self._learners = folders, lesson, learners

    def reports(self) -> Iterator[Report]:
        """The reports of this run that stand, by learner, one by one."""
        found = VerdictStore(self._folders.verdicts).each_latest(self._lesson.id)
        return (report for report in found if report.learner in self._learners)


def grade_class(folders: Folders, lesson: Lesson, entries: list[Entry], watch: Watch, **options: Any) -> GradedClass:
    """Judge and publish a class.

    Args:
        folders: the course.
        lesson: the lesson.
        entries: the submissions.
        watch: who watches.
        options: as `grade.grade_class` takes them.

    Raises:
        Stopped: by Ctrl-C.
        CourseError: a wall or something else is missing, or the gradebook cannot be written.
    """
    tally, title = Tally(), f"Grading {lesson.id}"
    with Spool(folders.run) as spool:
        with long_work(title, len(entries), messages.STOPPED_GRADING, watch) as advance:
            for one in _graded(folders, lesson, entries, **options):
                spool.add(one)
                tally.add(one)
                advance(failed=one.report.status in LOOK_AT, **grade_report.log_line(one))
        with long_work("Writing pages", len(spool), messages.STOPPED_PUBLISHING, replace(watch, log=None)) as advance:
            publish.publish(folders, lesson, spool, advance)
    return GradedClass(folders, lesson, frozenset(entry.learner for entry in entries), tally)


def _graded(
    folders: Folders, lesson: Lesson, entries: Sequence[Entry], *, fresh: bool = False, **options: Any
) -> Iterator[Graded]:
    """First what stands as it was published, then what is judged now; only that needs walls."""
    changed = list(entries) if fresh else []
    for entry, stands in () if fresh else unchanged.sorted_out(folders, lesson, entries):
        if stands is None:
            changed.append(entry)
        else:
            yield stands
    if changed:
        require_walls(folders, lesson)
        yield from grade.grade_class(folders, lesson, changed, fresh=fresh, **options)


def regrade_class(
    folders: Folders, place: Folders, lesson: Lesson, entries: list[Entry], watch: Watch, **options: Any
) -> Regraded:
    """Judge a graded class again and write what may be written.

    Args:
        folders: the course.
        place: what `workplace` gave.
        lesson: the lesson.
        entries: the submissions.
        watch: who watches.
        options: `dry_run`, `confirm` and `processes`.

    Raises:
        Stopped: by Ctrl-C.
        CourseError: nothing was graded before, or the gradebook cannot be written.
    """
    dry_run, confirm = options.pop("dry_run"), options.pop("confirm")
    stopped = messages.STOPPED_DRY_RUN if dry_run else messages.STOPPED_REGRADING
    with long_work(f"Judging {lesson.id} again", len(entries), stopped, watch) as advance:

        def tell(one: Graded | None, before: Report | None) -> None:
            facts = {} if one is None or before is None else grade_report.log_line(one, before)
            advance(failed=one is not None and one.report.status in LOOK_AT, **facts)

        regraded = regrade.judge_again(folders, place, lesson, entries, dry_run=dry_run, advance=tell, **options)
    if dry_run:
        return regraded
    with long_work("Writing changes", len(regraded.changes), messages.STOPPED_APPLYING, replace(watch, log=None)) as _:
        return regrade.apply(folders, place, lesson, regraded, confirm=confirm)


def write_pages_again(folders: Folders, lesson: Lesson, watch: Watch) -> int:
    """Write all feedback pages of a lesson again; return how many.

    Raises:
        Stopped: by Ctrl-C.
        CourseError: nothing was graded yet.
    """
    total = publish.require_graded(folders, lesson)
    with long_work("Writing pages", total, messages.STOPPED_PAGES, watch) as advance:
        return publish.write_pages_again(folders, lesson, advance)
