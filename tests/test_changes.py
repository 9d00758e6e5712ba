"""What changed between two reports, and what may be written before losses are confirmed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_course as tiny
from hypothesis import given
from hypothesis import strategies as st

from autograder import changes
from autograder.changes import compare, held_back, to_json, without_losses
from autograder.course import Outcome, Report, Status, Verdict

STAMPED = {"version": 1, "seed": "one", "expected": "aaa"}
MADE_WITH = {"judge": "jjj", "environment": "Python 3.11.1, NumPy 2.0"}


def stamped(report: Report, **stamps: object) -> Report:
    """The report as the grader writes it, with what it was made with."""
    verdicts = tuple(replace(verdict, **{**STAMPED, **stamps}) for verdict in report.verdicts)
    return replace(report, verdicts=verdicts, **MADE_WITH)


def points(report: Report) -> dict[str, float]:
    """Points by exercise."""
    return {verdict.exercise: verdict.points for verdict in report.verdicts}


def test_equal_verdicts_are_no_change() -> None:
    """Other stamps, other seconds: as long as learners see the same, nothing changed."""
    before = stamped(tiny.report("ada", "double"))
    again = stamped(tiny.report("ada", "double"), version=2, expected="bbb", seconds=3.0)
    assert compare(before, again) == ()


def test_gain_and_loss_are_listed_by_exercise() -> None:
    """Each exercise that differs is listed once, in the lesson's order, with the points it brings or costs."""
    found = compare(tiny.report("ada", "double", "exam_tiny"), tiny.report("ada", "square", "exam_tiny"), {"square"})
    assert [(c.learner, c.exercise, c.points, c.by_hand) for c in found] == [
        ("ada", "double", -2.0, False), ("ada", "square", 3.0, True),
    ]  # fmt: skip


def test_other_words_for_the_same_points_are_a_change_without_points() -> None:
    """A new sentence is listed, and neither gains nor loses."""
    wrong = replace(tiny.verdict("double", right=False), message="Another sentence.", mistake="new")
    (change,) = compare(tiny.report("ada"), tiny.report("ada", double=wrong))
    assert (change.exercise, change.points) == ("double", 0.0)


WHY = {
    "version": ({"version": 2, "seed": "two", "expected": "bbb"}, {}, "The exercise's version went from 1 to 2."),
    "cases": ({"expected": "bbb"}, {}, changes.NEW_CASES),
    "seed": ({"seed": "two", "expected": "bbb"}, {}, changes.NEW_SEED),
    "judge": ({}, {"judge": "kkk"}, changes.NEW_JUDGE),
    "machine": ({}, {"environment": "Python 4"}, "It was judged with Python 3.11.1, NumPy 2.0; now with Python 4."),
    "both": ({"version": 3}, {"judge": "kkk"}, "The exercise's version went from 1 to 3. The judge changed."),
    "nothing": ({}, {}, changes.NOTHING_HERE),
    "worth": ({"max_points": 4.0}, {}, "It is worth 4 points now; it was 2."),
}  # fmt: skip


@pytest.mark.parametrize("name", WHY)
def test_reason_names_what_differs(name: str) -> None:
    """The reason says what the verdict before was made with and today's was not."""
    verdict_facts, report_facts, sentence = WHY[name]
    before = stamped(tiny.report("ada", "square", "exam_tiny"))
    after = stamped(tiny.report("ada", "square", "exam_tiny"))
    changed = replace(after.verdicts[0], outcome=Outcome.CORRECT, points=2.0, **verdict_facts)
    after = replace(after, verdicts=(changed, *after.verdicts[1:]), **report_facts)
    assert [change.why for change in compare(before, after)] == [sentence]


def test_reason_when_nothing_was_recorded() -> None:
    """A report from before stamps were written gets an honest reason; an unreadable one says that."""
    before, after = tiny.report("ada"), stamped(tiny.report("ada", "double"))
    assert [change.why for change in compare(before, after)] == [changes.NOT_RECORDED]
    before = replace(before, status=Status.UNREADABLE)
    assert [change.why for change in compare(before, after)] == [changes.UNREAD_BEFORE]


def test_new_and_removed_exercises_are_named() -> None:
    """An exercise that one of the reports does not have is a change with a reason of its own."""
    whole = tiny.report("ada", "double", "square")
    part = replace(whole, verdicts=whole.verdicts[1:])
    (added,), (removed,) = compare(part, whole), compare(whole, part)
    assert (added.points, added.before, added.why) == (2.0, None, changes.NEW_EXERCISE)
    assert (removed.points, removed.after, removed.why) == (-2.0, None, changes.GONE_EXERCISE)


def test_gains_stand_beside_losses_that_are_held_back() -> None:
    """Of a learner who gains here and loses there, the gain is taken and the loss is not."""
    before, after = tiny.report("ada", "double", "exam_tiny"), tiny.report("ada", "square", "exam_tiny")
    held = without_losses(replace(before, key="old"), replace(after, key="new"))
    assert points(held) == {"double": 2.0, "square": 3.0, "exam_tiny": 1.0}
    assert held.key == ""


def test_without_losses_todays_report_is_taken_as_it_is() -> None:
    """Where nothing is lost, today's report stands, key and stamps included."""
    after = replace(stamped(tiny.report("ada", "double")), key="new")
    assert without_losses(tiny.report("ada"), after) is after


def test_held_points_fit_what_an_exercise_is_worth_today() -> None:
    """Points held for an exercise that is worth more now are written with today's worth."""
    before = tiny.report("ada", "double")
    dearer = replace(tiny.verdict("double", right=False), max_points=5.0)
    held = without_losses(before, tiny.report("ada", double=dearer))
    assert (held.verdicts[0].points, held.verdicts[0].max_points) == (2.0, 5.0)


def test_points_that_no_longer_exist_cannot_be_held() -> None:
    """Where the lesson no longer gives what a learner has, nothing may be written unconfirmed."""
    before = tiny.report("ada", "double", "square")
    cheaper = replace(tiny.verdict("double", right=True), points=1.0, max_points=1.0)
    assert without_losses(before, tiny.report("ada", "square", double=cheaper)) is None
    assert without_losses(before, replace(before, verdicts=before.verdicts[1:])) is None


def test_an_exercise_without_points_may_go() -> None:
    """A removed exercise in which nothing was earned costs nobody anything."""
    before = tiny.report("ada", "square")
    after = replace(before, verdicts=before.verdicts[1:])
    assert without_losses(before, after) is after


def test_same_answers_keep_their_points() -> None:
    """Graded again, the same answers gain what they gain, and keep what they would lose."""
    before = replace(tiny.report("ada", "double"), submission="one")
    report, held = held_back(before, replace(tiny.report("ada", "square"), submission="one"))
    assert (points(report), held) == ({"double": 2.0, "square": 3.0, "exam_tiny": 0.0}, ("double",))


@pytest.mark.parametrize(("before", "after"), [("one", "two"), ("", "two"), ("", ""), ("one", "")])
def test_other_answers_score_what_they_earn(before: str, after: str) -> None:
    """Who handed in other answers, or an unreadable file, or answers of which nothing was noted, may score less."""
    today = replace(tiny.report("ada"), submission=after)
    assert held_back(replace(tiny.report("ada", "double"), submission=before), today) == (today, ())
    assert held_back(None, today) == (today, ())


def test_what_the_lesson_cannot_hold_stays_as_a_whole() -> None:
    """Where points are held that today's lesson no longer gives, the whole report from before stands."""
    before = replace(tiny.report("ada", "double", "square"), submission="one")
    assert held_back(before, replace(before, verdicts=before.verdicts[1:])) == (before, ("double",))


def test_status_follows_the_verdicts_that_stand() -> None:
    """A doubt that was held back leaves the status of before; one that stands asks for a person."""
    doubt = Verdict("double", Outcome.NEEDS_A_PERSON, 0.0, 2.0, "A person should look.")
    before = tiny.report("ada", "double")
    after = replace(tiny.report("ada", double=doubt), status=Status.NEEDS_A_PERSON, reason="Look.")
    assert without_losses(before, after).status is Status.GRADED
    kept = replace(tiny.report("ada", "square", double=replace(doubt, points=2.0)), status=Status.NEEDS_A_PERSON)
    held = without_losses(kept, tiny.report("ada", "square"))
    assert (held.status, held.reason) == (Status.NEEDS_A_PERSON, "A person should look at: double.")


VERDICTS = st.builds(
    Verdict, st.sampled_from("abcd"), st.sampled_from(Outcome), st.sampled_from([0.0, 0.75, 1.0, 2.0]), st.just(2.0)
)
REPORTS = st.builds(
    Report, st.just("ada"), st.just("01"), st.sampled_from(Status),
    st.lists(VERDICTS, unique_by=lambda verdict: verdict.exercise).map(tuple),
)  # fmt: skip


@given(REPORTS, REPORTS)
def test_no_score_ever_falls_unconfirmed(before: Report, after: Report) -> None:
    """Whatever two reports say: what may be written gives nobody less, in no exercise and in sum."""
    held = without_losses(before, after)
    if held is not None:
        now = points(held)
        assert all(now.get(name, 0.0) >= value for name, value in points(before).items())
        assert all(now[name] >= value for name, value in points(after).items())
        assert held.points >= before.points


def test_json_has_both_sides() -> None:
    """A change as JSON carries both verdicts with versions and durations, and whether it was written."""
    before, after = stamped(tiny.report("ada")), stamped(tiny.report("ada", "double"), version=2)
    (change,) = compare(before, after)
    facts = to_json(change, applied=True)
    assert set(facts) == set("learner exercise points why by_hand applied before after".split())
    keys = set("verdict points max_points message mistake case numpy torch version seed expected seconds".split())
    assert set(facts["before"]) == set(facts["after"]) == keys
    assert (facts["before"]["version"], facts["after"]["version"], facts["points"]) == (1, 2, 2.0)
