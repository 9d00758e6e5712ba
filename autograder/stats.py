"""How a class did: pass rate, points, mistakes by name, and how well each exercise tells learners apart.

What enters: the latest report of every learner. What leaves: numbers, as data, as JSON and as tables. They are
about what was judged automatically: marks that people gave and open questions are not in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from autograder.course import Exercise, Lesson, Outcome, Question, Report, Status, Verdict
from autograder.folders import CourseError, Folders
from autograder.verdicts import VerdictStore

# A learner passes the lesson with this share of the points, and an exercise with any point: its core is right then.
PASS_SHARE = 0.5
# With fewer learners a correlation is mostly chance.
FEWEST = 10
NOTHING_GRADED = "Nothing of {lesson} was graded yet. Run `course grade {lesson}` first."
TOO_FEW = f"fewer than {FEWEST} learners"
ALL_ALIKE = "everybody passed, or nobody did"
NO_SPREAD = "everybody has the same points elsewhere"
DISCRIMINATION = (
    "Discrimination is the point-biserial correlation between passing an exercise and the points of all the others: "
    "near 0 the exercise does not tell learners apart, below 0 those who do well elsewhere fail it. Below 30 learners "
    "take it as a hint."
)
_NOT_BEGUN = (Outcome.NOT_STARTED, Outcome.MISSING)


@dataclass(frozen=True)
class Points:
    """Points of the submissions whose sum is known.

    Args:
        count: how many those are.
        max_points: what could be earned.
        mean: their mean.
        quartiles: lowest, lower quartile, median, upper quartile, highest.
        values: all of them, in ascending order.
    """

    count: int
    max_points: float
    mean: float
    quartiles: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class MistakeCount:
    """How often a mistake was recognised, and the sentence that helps."""

    exercise: str
    mistake: str
    count: int
    says: str


@dataclass(frozen=True)
class ItemStats:
    """One exercise or question.

    Args:
        exercise: its id.
        max_points: what it is worth.
        judged: how many answers are counted; those that need a person are not.
        passed: how many of them earned points.
        full: how many earned all points.
        not_begun: how many were not started or are missing.
        mean: mean points, or None without answers.
        outcomes: how often each outcome was given, answers that need a person included.
        discrimination: point-biserial correlation of passing with the rest score, or None.
        no_discrimination: why there is none, or "".
        versions: versions of the exercise that verdicts were made with; more than one cannot be compared.
    """

    exercise: str
    max_points: float
    judged: int
    passed: int
    full: int
    not_begun: int
    mean: float | None
    outcomes: Mapping[str, int]
    discrimination: float | None
    no_discrimination: str
    versions: tuple[int, ...]


@dataclass(frozen=True)
class Statistics:
    """A lesson and its class.

    Args:
        lesson: id of the lesson.
        title: its title.
        learners: how many submissions were graded, in whatever way.
        unreadable: how many of them could not be read; nothing else counts them.
        undecided: how many have a sum that a person still has to decide; they are not in `points`.
        pass_rate: share of `points` that reach `PASS_SHARE` of all points, or None.
        points: sums, or None when there is none.
        items: per exercise and question.
        mistakes: the most frequent first.
    """

    lesson: str
    title: str
    learners: int
    unreadable: int
    undecided: int
    pass_rate: float | None
    points: Points | None
    items: tuple[ItemStats, ...]
    mistakes: tuple[MistakeCount, ...]


def latest_reports(folders: Folders, lesson: Lesson) -> list[Report]:
    """The latest report of every learner.

    Raises:
        CourseError: nothing was graded yet.
    """
    reports = VerdictStore(folders.verdicts).latest(lesson.id) if folders.verdicts.exists() else []
    if not reports:
        raise CourseError(NOTHING_GRADED.format(lesson=lesson.id))
    return reports


def statistics_of(lesson: Lesson, reports: Sequence[Report]) -> Statistics:
    """The statistics of a class.

    Args:
        lesson: the lesson; it alone says which exercises count.
        reports: one per learner.
    """
    read = [report for report in reports if report.status is not Status.UNREADABLE]
    decided = [report for report in read if not any(map(_undecided, report.verdicts))]
    points = _points(lesson, decided)
    return Statistics(
        lesson.id, lesson.title, len(reports), len(reports) - len(read), len(read) - len(decided),
        None if points is None else _share([value >= PASS_SHARE * points.max_points for value in points.values]),
        points, tuple(_item(item, read, decided) for item in (*lesson.exercises, *lesson.questions)),
        tuple(_mistakes(lesson, read)),
    )  # fmt: skip


def point_biserial(passed: Sequence[bool], rest: Sequence[float]) -> tuple[float | None, str]:
    """Correlation of a yes or no with a number, and why there is none.

    >>> point_biserial([True, False] * 5, [3.0, 1.0] * 5)
    (1.0, '')
    >>> point_biserial([True] * 10, range(10))
    (None, 'everybody passed, or nobody did')
    """
    if len(passed) < FEWEST:
        return None, TOO_FEW
    if len(set(passed)) == 1:
        return None, ALL_ALIKE
    if np.ptp(rest) < 1e-9:
        return None, NO_SPREAD
    return round(float(np.corrcoef(np.asarray(passed, dtype=float), rest)[0, 1]), 4), ""


def as_json(statistics: Statistics) -> dict[str, Any]:
    """Statistics as JSON-able data; the keys are documented in docs/json.md."""
    return asdict(statistics) | {"pass_share": PASS_SHARE, "fewest_learners": FEWEST}


def tables(statistics: Statistics) -> Iterator[Table]:
    """A table of exercises, and one of mistakes when there are any."""
    table = Table(title=f"{statistics.lesson}: exercises", title_justify="left")
    table.add_column("Exercise", overflow="fold")
    for name in ("Answers", "Passed", "All points", "Not begun", "Mean points", "Discrimination"):
        table.add_column(name, justify="right")
    for item in statistics.items:
        mean = "" if item.mean is None else f"{item.mean:.2f} / {item.max_points:g}"
        counts = (_percent(count, item.judged) for count in (item.passed, item.full, item.not_begun))
        tells = item.no_discrimination if item.discrimination is None else f"{item.discrimination:+.2f}"
        table.add_row(item.exercise, str(item.judged), *counts, mean, tells)
    yield table
    if statistics.mistakes:
        yield _mistake_table(statistics)


def _mistake_table(statistics: Statistics) -> Table:
    table = Table(title="Mistakes that were recognised", title_justify="left")
    table.add_column("Count", justify="right")
    for name in ("Exercise", "Mistake", "What learners are told"):
        table.add_column(name, overflow="fold")
    for found in statistics.mistakes:
        table.add_row(str(found.count), found.exercise, escape(found.mistake), escape(found.says))
    return table


def sentences(statistics: Statistics) -> Iterator[str]:
    """What the tables do not say, one thing a line."""
    waiting = f"waiting for a person: {statistics.undecided}"
    yield f"Submissions: {statistics.learners}; unreadable: {statistics.unreadable}; {waiting}."
    points = statistics.points
    if points is not None:
        low, lower, median, upper, high = points.quartiles
        yield f"Passed, with at least {PASS_SHARE:.0%} of the points: {statistics.pass_rate:.0%} of {points.count}."
        yield (
            f"Points of {points.max_points:g}: mean {points.mean:.4g}, median {median:.4g}, "
            f"quartiles {lower:.4g} and {upper:.4g}, lowest {low:.4g}, highest {high:.4g}."
        )
    mixed = [item.exercise for item in statistics.items if len(item.versions) > 1]
    if mixed:
        yield f"Judged with different versions: {', '.join(mixed)}. `course regrade {statistics.lesson}` mends that."
    yield DISCRIMINATION


def _percent(count: int, of: int) -> str:
    return f"{count} ({count / of:.0%})" if of else ""


def _undecided(verdict: Verdict) -> bool:
    """Will a person still give points? A dispute between the references has given them all."""
    return verdict.outcome is Outcome.NEEDS_A_PERSON and verdict.points < verdict.max_points


def _share(found: Sequence[bool]) -> float:
    return round(sum(found) / len(found), 4)


def _points(lesson: Lesson, reports: Sequence[Report]) -> Points | None:
    if not reports:
        return None
    values = np.sort([report.points for report in reports])
    quartiles = tuple(round(float(value), 4) for value in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    return Points(len(values), lesson.max_points, round(float(values.mean()), 4), quartiles, tuple(values.tolist()))


def _item(item: Exercise | Question, read: Sequence[Report], decided: Sequence[Report]) -> ItemStats:
    given = [verdict for report in read if (verdict := _verdict(report, item.id)) is not None]
    judged = [verdict for verdict in given if verdict.outcome is not Outcome.NEEDS_A_PERSON]
    pairs = [(verdict, report.points - verdict.points) for report in decided for verdict in report.verdicts
             if verdict.exercise == item.id and verdict.outcome is not Outcome.NEEDS_A_PERSON]  # fmt: skip
    tells, why = point_biserial([verdict.points > 0 for verdict, _ in pairs], [rest for _, rest in pairs])
    return ItemStats(
        exercise=item.id,
        max_points=item.points,
        judged=len(judged),
        passed=sum(verdict.points > 0 for verdict in judged),
        full=sum(verdict.points == verdict.max_points for verdict in judged),
        not_begun=sum(verdict.outcome in _NOT_BEGUN for verdict in judged),
        mean=round(float(np.mean([verdict.points for verdict in judged])), 4) if judged else None,
        outcomes=dict(Counter(str(verdict.outcome) for verdict in given).most_common()),
        discrimination=tells,
        no_discrimination=why,
        versions=tuple(sorted({verdict.version for verdict in judged if verdict.expected})),
    )


def _verdict(report: Report, name: str) -> Verdict | None:
    return next((verdict for verdict in report.verdicts if verdict.exercise == name), None)


def _mistakes(lesson: Lesson, reports: Sequence[Report]) -> Iterator[MistakeCount]:
    says = {(exercise.id, mistake.id): mistake.says for exercise in lesson.exercises for mistake in exercise.mistakes}
    says |= {(item.id, name): text for item in lesson.questions for name, (text, _) in item.mistakes.items()}
    found = [verdict for report in reports for verdict in report.verdicts if verdict.mistake]
    # A mistake that was renamed since has its old sentence in the verdict.
    said = {(verdict.exercise, verdict.mistake): verdict.message for verdict in found} | says
    for (exercise, mistake), count in Counter((verdict.exercise, verdict.mistake) for verdict in found).most_common():
        yield MistakeCount(exercise, mistake, count, said[exercise, mistake])
