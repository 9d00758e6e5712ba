"""When exercises come back: dates follow from the journal alone, and success makes them rarer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from autograder.catalogue import LESSONS
from autograder.review import choose, comes_back, due, schedule
from course_lib.journal import Event

LESSON = "01_xor_mlp"
START = datetime(2026, 3, 2, 20, 30, tzinfo=UTC)


def event(kind: str, day: float, exercise: str = "sigmoid", lesson: str = LESSON, **facts: Any) -> Event:
    """An event so many days after the start."""
    return Event(START + timedelta(days=day), kind, lesson, exercise, facts)


def reviewed(day: float, passed: bool, review: str = "a", **facts: Any) -> Event:
    """An attempt in a review."""
    return event("reviewed", day, passed=passed, review=review, **facts)


def days_until_due(*events: Event) -> int:
    """From the last event to the day on which the exercise comes back."""
    (one,) = schedule(events, START + timedelta(days=400))
    return (one.since - max(event.at for event in events).date()).days


def why(*events: Event, day: float) -> str:
    """The reason that is given so many days after the start."""
    (one,) = schedule(events, START + timedelta(days=day))
    return one.why


def test_more_trouble_means_sooner() -> None:
    """An exercise comes back soonest after its solution was seen, and latest after a pass at the first try."""
    wrong = [event("failed", 0.01, digest=text) for text in "ab"]
    at_once = days_until_due(event("passed", 0.1))
    in_the_end = days_until_due(*wrong, event("passed", 0.1))
    shown = days_until_due(event("revealed", 0.05, honest=True), event("passed", 0.1))
    assert 1 <= shown < in_the_end < at_once


def test_each_success_makes_it_rarer() -> None:
    """Reviewed when due and right each time, an exercise stays away longer each time, half a year at most."""
    events, waits = [event("passed", 0)], []
    for number in range(4):
        waits.append(days_until_due(*events))
        events.append(reviewed(sum(waits), True, review=str(number)))
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[3] <= 180


def test_failed_review_brings_it_back_sooner() -> None:
    """A review that was never solved counts as forgotten; one that was solved in the end counts as hard."""
    learnt, day = event("passed", 0), 10
    right = days_until_due(learnt, reviewed(day, True))
    late = days_until_due(learnt, reviewed(day, False), reviewed(day + 0.01, True))
    never = days_until_due(learnt, reviewed(day, False))
    assert 1 <= never < late < right


def test_solution_seen_during_a_review_counts_as_forgotten() -> None:
    """Looking the solution up just before the review is not knowing it; having looked after learning it is no harm."""
    learnt = event("passed", 0)
    plain = schedule([learnt, reviewed(10, True)], START)
    assert schedule([learnt, event("revealed", 0.1), reviewed(10, True)], START) == plain
    for seen in (event("revealed", 9.9), reviewed(9.9, False, shown=True)):
        assert schedule([learnt, seen, reviewed(10, True)], START)[0].since < plain[0].since


def test_running_the_lesson_again_changes_nothing() -> None:
    """Run All with yesterday's code passes and fails without anybody remembering anything."""
    learnt = [event("failed", 0), event("passed", 0.1)]
    again = [event("passed", 3), event("failed", 3.1), event("passed", 3.2)]
    now = START + timedelta(days=5)
    assert schedule([*learnt, *again], now) == schedule(learnt, now)


def test_running_a_review_again_changes_nothing() -> None:
    """A review counts once, however often its notebook is run afterwards."""
    events = [event("passed", 0), reviewed(10, False), reviewed(10.1, True)]
    again = [reviewed(30, True), reviewed(31, False)]
    now = START + timedelta(days=40)
    assert schedule([*events, *again], now) == schedule(events, now)


def test_question_that_is_answered_comes_back() -> None:
    """Questions of the exam corner are learnt with their first right answer."""
    wrong = event("answered", 0, "exam_mse", passed=False)
    right = event("answered", 0.1, "exam_mse", passed=True)
    assert schedule([wrong], START) == []
    assert [one.exercise for one in schedule([wrong, right], START)] == ["exam_mse"]


@pytest.mark.parametrize(
    ("events", "day", "says"),
    [
        ([event("passed", 0)], 1, "Passed yesterday at the first try."),
        ([event("failed", day, digest="a") for day in (0, 0.01)] + [event("passed", 0.02)], 9, "after 2 tries."),
        ([event("failed", 0), event("failed", 0.01), event("passed", 0.02)], 9, "Passed 9 days ago after 3 tries."),
        ([event("revealed", 0), event("passed", 0)], 9, "Passed 9 days ago with the solution seen."),
        ([event("passed", 0), reviewed(5, True)], 9, "Reviewed 4 days ago: right at the first try."),
        ([event("passed", 0), reviewed(5, False), reviewed(5, True)], 9, "right after 2 tries."),
        (
            [event("passed", 0), event("revealed", 5), reviewed(5, True)],
            6,
            "Reviewed yesterday with the solution seen.",
        ),
        ([event("passed", 0), reviewed(5, False)], 9, "Tried again 4 days ago but not solved."),
    ],
)
def test_reason_says_what_happened(events: list[Event], day: float, says: str) -> None:
    """The sentence names what happened last, and when."""
    assert why(*events, day=day).endswith(says)


def test_due_from_midnight_of_its_day() -> None:
    """What was learnt in the evening is due on the whole of its day, in the time zone of the clock that asks."""
    learnt = [event("passed", 0)]
    midnight = START.replace(hour=0, minute=0) + timedelta(days=days_until_due(*learnt))
    assert due(learnt, midnight - timedelta(minutes=1)) == []
    assert [one.exercise for one in due(learnt, midnight)] == ["sigmoid"]
    # 20:30 in London is the next day in Tokyo.
    tokyo = timezone(timedelta(hours=9))
    assert due(learnt, midnight.replace(tzinfo=tokyo)) == []


def test_due_lists_the_most_doubtful_first() -> None:
    """What took trouble fades faster: it stands before what has been due for longer."""
    events = [event("passed", 0), event("failed", 3, "mse_loss"), event("passed", 3.01, "mse_loss")]
    assert [one.exercise for one in schedule(events, START)] == ["sigmoid", "mse_loss"]
    assert [one.exercise for one in due(events, START + timedelta(days=20))] == ["mse_loss", "sigmoid"]


def test_order_and_strangers_do_not_matter() -> None:
    """Events in any order give the same dates; unknown exercises, kinds and damaged facts are passed over."""
    events = [event("failed", 0, digest=["odd"]), event("passed", 0.1), reviewed(9, True), reviewed(20, False, "b")]
    strangers = [event("passed", 1, "no_such_exercise"), event("passed", 1, "sigmoid", "99_none"), event("blinked", 2)]
    now = START + timedelta(days=30)
    assert schedule([*reversed(events), *strangers], now) == schedule(events, now) != []


def test_future_events_do_no_harm() -> None:
    """A clock that was set back is no reason to stop."""
    (one,) = schedule([event("passed", 50), reviewed(40, True)], START)
    assert one.since > START.date()


def test_only_slow_exercises_stay_away() -> None:
    """Everything comes back but trainings and Torch classes."""
    everything = {item.id for lesson in LESSONS for item in (*lesson.exercises, *lesson.questions)}
    assert everything - {name for _, name in comes_back()} == {"train_xor", "ResNetSmall", "TextCNN"}


def test_session_fits_the_minutes() -> None:
    """The most doubtful are taken as long as they fit, and shown in the order of the lessons; one is always taken."""
    names = [name for lesson, name in comes_back() if lesson == LESSON]
    events = [event("passed", number / 100, name) for number, name in enumerate(names)]
    ready = due(events, START + timedelta(days=20))
    for minutes in (1, 15, 30):
        chosen = choose(ready, minutes, {})
        assert ready[0] in chosen
        assert sum(one.minutes for one in chosen) <= minutes or len(chosen) == 1
        assert [one.exercise for one in chosen] == [name for name in names if name in {one.exercise for one in chosen}]
    assert choose([], 15, {}) == []


def test_session_never_asks_for_what_it_builds_on() -> None:
    """Of two linked exercises the more doubtful is asked for; the other is given, and waits for another session."""
    events = [event("passed", 1), event("passed", 0, "mlp_forward"), event("passed", 2, "mse_loss")]
    ready = due(events, START + timedelta(days=20))
    linked = {"mlp_forward": {"sigmoid", "affine_forward"}}
    assert [one.exercise for one in choose(ready, 60, linked)] == ["mlp_forward", "mse_loss"]
    assert [one.exercise for one in choose(ready[1:], 60, linked)] == ["sigmoid", "mse_loss"]
