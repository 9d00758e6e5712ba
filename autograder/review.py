"""Which exercises come back, and when: spaced repetition over the learner's journal.

What enters: the events of `course_lib.journal`, and what time it is. What leaves: when each exercise that was
passed is due, and why. Nothing else is kept: the same journal always gives the same dates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby

from fsrs import Card, Rating, Scheduler

from autograder import review_messages as messages
from autograder.catalogue import LESSONS
from autograder.course import Exercise, Lesson, Question
from course_lib.attempts import is_failure, is_pass
from course_lib.journal import Event

# The lessons give their exam corners and short sections two minutes a point.
MINUTES_A_POINT = 2
# An exercise is due when the odds of still knowing it fall to this; see docs/decisions/0014-review.md.
RETENTION = 0.85
LONGEST_DAYS = 180
# A solution looked at so long before still lies in the short memory.
FRESH = timedelta(days=1)

_SCHEDULER = Scheduler(
    desired_retention=RETENTION, learning_steps=(), relearning_steps=(), maximum_interval=LONGEST_DAYS,
    enable_fuzzing=False,
)  # fmt: skip


@dataclass(frozen=True)
class Due:
    """An exercise or question, and when it comes back.

    Args:
        exercise: its id.
        lesson: the lesson's id.
        since: the day from which it is due; it may lie ahead.
        why: one sentence.
        minutes: how long it takes, about.
        recall: how likely it is still known, 0 to 1.
    """

    exercise: str
    lesson: str
    since: date
    why: str
    minutes: int
    recall: float


@dataclass(frozen=True)
class _Moment:
    """Once, somebody showed whether they know it: when first passed, or in one review."""

    at: datetime
    attempts: int
    passed: bool
    shown: bool
    review: bool

    @property
    def rating(self) -> Rating:
        if self.shown or not self.passed:
            return Rating.Again
        return Rating.Good if self.attempts == 1 else Rating.Hard

    @property
    def why(self) -> tuple[str, str]:
        if not self.passed:
            return messages.NOT_REVIEWED
        if self.shown:
            return messages.REVIEWED_SHOWN if self.review else messages.SHOWN
        if self.attempts == 1:
            return messages.REVIEWED_AT_ONCE if self.review else messages.AT_ONCE
        return messages.REVIEWED_IN_THE_END if self.review else messages.IN_THE_END


@cache
def comes_back() -> dict[tuple[str, str], tuple[Lesson, Exercise | Question]]:
    """What can come back, by ids of lesson and exercise: all but trainings and Torch classes, which take long."""
    return {
        (lesson.id, item.id): (lesson, item)
        for lesson in LESSONS
        for item in (*lesson.exercises, *lesson.questions)
        if isinstance(item, Question) or not (item.training or item.torch)
    }


def schedule(events: Iterable[Event], now: datetime) -> list[Due]:
    """When everything that was passed comes back, the soonest first.

    Args:
        events: the journal, in any order.
        now: what time it is; days begin at midnight of its time zone.
    """
    known = sorted((event for event in events if (event.lesson, event.exercise) in comes_back()), key=_in_order)
    groups = groupby(known, key=lambda event: (event.lesson, event.exercise))
    found = [_due(ids, moments, now) for ids, group in groups if (moments := _moments(list(group)))]
    return sorted(found, key=lambda one: (one.since, one.recall, one.lesson, one.exercise))


def due(events: Iterable[Event], now: datetime) -> list[Due]:
    """What is due, the most doubtful first; arguments as for `schedule`."""
    ready = [one for one in schedule(events, now) if one.since <= now.date()]
    return sorted(ready, key=lambda one: (one.recall, one.since, one.lesson, one.exercise))


def choose(ready: Sequence[Due], minutes: int, builds_on: Mapping[str, Collection[str]]) -> list[Due]:
    """A session of about so many minutes: the most doubtful that fit, in the order of the lessons.

    Args:
        ready: what is due, the most doubtful first.
        minutes: how long the session may take; one exercise is always chosen.
        builds_on: exercise to those that it calls. A session never asks for both: a slip would count twice.
    """
    chosen: list[Due] = []
    for one in ready:
        fits = sum(item.minutes for item in chosen) + one.minutes <= minutes
        apart = not any(_linked(one.exercise, item.exercise, builds_on) for item in chosen)
        if not chosen or (fits and apart):
            chosen.append(one)
    order = list(comes_back())
    return sorted(chosen, key=lambda one: order.index((one.lesson, one.exercise)))


def _linked(one: str, other: str, builds_on: Mapping[str, Collection[str]]) -> bool:
    return one in builds_on.get(other, ()) or other in builds_on.get(one, ())


def _in_order(event: Event) -> tuple[str, str, datetime]:
    return event.lesson, event.exercise, event.at


def _moments(events: list[Event]) -> list[_Moment]:
    """The moments that count. Passing again in the lesson is not one: Run All does that with yesterday's code."""
    first = next(filter(is_pass, events), None)
    reveals = [event.at for event in events if event.kind == "revealed"]
    learnt = []
    if first:
        failed = filter(is_failure, events[: events.index(first)])
        shown = any(at <= first.at for at in reveals)
        learnt = [_Moment(first.at, _attempts(failed), True, shown, review=False)]
    return sorted([*learnt, *_reviews(events, reveals)], key=lambda moment: moment.at)


def _reviews(events: list[Event], reveals: list[datetime]) -> list[_Moment]:
    sessions: dict[str, list[Event]] = {}
    for event in events:
        if event.kind == "reviewed":
            sessions.setdefault(str(event.facts.get("review")), []).append(event)
    found = []
    for session in sessions.values():
        last = next((event for event in session if event.facts.get("passed") is True), session[-1])
        tried = session[: session.index(last) + 1]
        shown = any(session[0].at - FRESH <= at <= last.at for at in reveals)
        shown = shown or any(event.facts.get("shown") is True for event in tried)
        passed = last.facts.get("passed") is True
        failed = [event for event in tried if not (event.facts.get("passed") or event.facts.get("shown"))]
        found.append(_Moment(last.at, _attempts(failed), passed, shown, review=True))
    return found


def _attempts(failed: Iterable[Event]) -> int:
    """How many attempts up to the one that passed: the same wrong code, run again, is one."""
    return 1 + len({str(event.facts.get("digest", event.at)) for event in failed})


def _due(ids: tuple[str, str], moments: list[_Moment], now: datetime) -> Due:
    card = Card(card_id=0)
    for moment in moments:
        card, _ = _SCHEDULER.review_card(card, moment.rating, moment.at)
    last, (lesson, item) = moments[-1], comes_back()[ids]
    days = max((now.date() - last.at.astimezone(now.tzinfo).date()).days, 1)
    why = last.why[days > 1].format(days=days, attempts=last.attempts)
    recall = _SCHEDULER.get_card_retrievability(card, now.astimezone(UTC))
    since = card.due.astimezone(now.tzinfo).date()
    return Due(item.id, lesson.id, since, why, round(MINUTES_A_POINT * item.points), round(recall, 3))
