"""What the journal says about a learner: how far each lesson is, what is not overcome yet, what comes next.

What enters: the journal's events, and the lessons whose case files lie in this copy of the course (all of them, or in
a class one). What leaves: a `Standing`. Nothing here prints or writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import pairwise

from course_lib.attempts import is_failure, is_pass
from course_lib.casefile import read_tree
from course_lib.exam import CASES
from course_lib.journal import Event

# A longer gap is a break, and does not count as time spent.
LONGEST_GAP = timedelta(minutes=20)


@dataclass(frozen=True)
class Contents:
    """What a lesson asks for, in its own order."""

    lesson: str
    exercises: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class LessonStanding:
    """How far one lesson is.

    Args:
        contents: what it asks for.
        passed: exercises and questions that were right at least once, in the lesson's order.
        seen: those whose solution was looked at while they were not passed.
        seconds: time spent.
    """

    contents: Contents
    passed: tuple[str, ...]
    seen: tuple[str, ...]
    seconds: float

    @property
    def lesson(self) -> str:
        """Id of the lesson."""
        return self.contents.lesson

    @property
    def exercises_passed(self) -> int:
        """How many exercises are passed, questions not counted."""
        return len(set(self.passed) & set(self.contents.exercises))

    @property
    def questions_passed(self) -> int:
        """How many questions of the exam corner are right."""
        return len(set(self.passed) & set(self.contents.questions))

    @property
    def open(self) -> tuple[str, ...]:
        """What is not passed yet, in the lesson's order."""
        return tuple(name for name in (*self.contents.exercises, *self.contents.questions) if name not in self.passed)


@dataclass(frozen=True)
class Obstacle:
    """A mistake that was met and is not overcome: the exercise has not passed since.

    Args:
        lesson: id of the lesson.
        exercise: id of the exercise or question.
        mistake: id of the mistake, or None when it has no name; then the sentence is that of the last attempt.
        sentence: what the check said about it.
        times: in how many checks.
    """

    lesson: str
    exercise: str
    mistake: str | None
    sentence: str
    times: int


@dataclass(frozen=True)
class Standing:
    """All that can be said from the journal.

    Args:
        lessons: in the order of the course.
        obstacles: the latest first.
        next: lesson and name of what to do next, or None when all is passed.
        begun: does the journal know of anything in these lessons?
    """

    lessons: tuple[LessonStanding, ...]
    obstacles: tuple[Obstacle, ...]
    next: tuple[str, str] | None
    begun: bool


@cache
def contents_here() -> tuple[Contents, ...]:
    """The lessons of this copy of the course."""
    found = []
    for path in sorted(CASES.glob("*.safetensors")):
        tree = read_tree(path)
        found.append(Contents(path.stem, tuple(tree["exercises"]), tuple(tree["questions"])))
    return tuple(found)


def standing(events: Iterable[Event], contents: Sequence[Contents]) -> Standing:
    """Read the journal.

    Args:
        events: in the order of time. Those about other lessons and exercises are left out.
        contents: the lessons to speak of.
    """
    known = {item.lesson: {*item.exercises, *item.questions} for item in contents}
    mine = [event for event in events if event.exercise in known.get(event.lesson, ())]
    seconds = time_spent(mine)
    passed = {event.exercise for event in mine if is_pass(event)}
    seen = _seen(mine)
    lessons = []
    for item in contents:
        names = (*item.exercises, *item.questions)
        chosen = [tuple(name for name in names if name in group) for group in (passed, seen)]
        lessons.append(LessonStanding(item, *chosen, seconds.get(item.lesson, 0.0)))
    return Standing(tuple(lessons), _obstacles(mine), _next(lessons, mine), bool(mine))


def time_spent(events: Sequence[Event]) -> dict[str, float]:
    """Seconds by lesson: the gaps between one event and the next that are shorter than 20 minutes.

    A gap belongs to the lesson of the event that ends it.
    """
    seconds: Counter[str] = Counter()
    for before, after in pairwise(events):
        gap = after.at - before.at
        if gap < LONGEST_GAP:
            seconds[after.lesson] += gap.total_seconds()
    return dict(seconds)


def _seen(events: Iterable[Event]) -> set[str]:
    """Exercises whose solution was shown before they passed."""
    passed, seen = set(), set()
    for event in events:
        if is_pass(event):
            passed.add(event.exercise)
        elif event.kind == "revealed" and event.exercise not in passed:
            seen.add(event.exercise)
    return seen


def _obstacles(events: Iterable[Event]) -> tuple[Obstacle, ...]:
    since: dict[str, list[Event]] = {}
    for event in events:
        if is_pass(event):
            since.pop(event.exercise, None)
        elif is_failure(event):
            # The exercise that failed last moves to the end.
            since[event.exercise] = [*since.pop(event.exercise, []), event]
    return tuple(found for failures in reversed(since.values()) for found in _obstacles_of(failures))


def _obstacles_of(failures: Sequence[Event]) -> Iterable[Obstacle]:
    """The named mistakes of one exercise, the latest first; without any, what its last attempt was told."""
    last = failures[-1]
    named = [event for event in reversed(failures) if event.facts.get("mistake")]
    if not named:
        yield _obstacle(last, None, len(failures))
    latest = {str(event.facts["mistake"]): event for event in reversed(named)}
    for mistake in dict.fromkeys(str(event.facts["mistake"]) for event in named):
        times = sum(str(event.facts["mistake"]) == mistake for event in named)
        yield _obstacle(latest[mistake], mistake, times)


def _obstacle(event: Event, mistake: str | None, times: int) -> Obstacle:
    return Obstacle(event.lesson, event.exercise, mistake, str(event.facts.get("sentence") or ""), times)


def _next(lessons: Sequence[LessonStanding], events: Sequence[Event]) -> tuple[str, str] | None:
    """The first thing not passed in the lesson of the last event, else in those after it, else anywhere."""
    order = [item.lesson for item in lessons]
    start = order.index(events[-1].lesson) if events else 0
    left: Mapping[str, tuple[str, ...]] = {item.lesson: item.open for item in lessons}
    return next(((name, left[name][0]) for name in [*order[start:], *order[:start]] if left[name]), None)
