"""What changed between two reports of one submission: who gains, who loses, exercise by exercise, and why.

What enters: the report kept before and the one made with today's exercises. What leaves: a `Change` per exercise
whose verdict differs, and the report that may stand while no loss is confirmed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from autograder import messages
from autograder.course import Outcome, Report, Status, Verdict

NEW_EXERCISE = "The exercise is new in this lesson."
GONE_EXERCISE = "The exercise is no longer in this lesson."
NEW_VERSION = "The exercise's version went from {before} to {after}."
NEW_CASES = "Its cases, expected values, tolerances or mistakes changed."
NEW_SEED = "Its secret cases are drawn from another seed."
NEW_WORTH = "It is worth {after:g} points now; it was {before:g}."
NEW_JUDGE = "The judge changed."
NEW_ENVIRONMENT = "It was judged with {before}; now with {after}."
NOT_RECORDED = "The verdict before does not say what it was made with."
UNREAD_BEFORE = "The file could not be read before."
NOTHING_HERE = (
    "Nothing recorded of this exercise changed: look at the answers that it uses, and at the functions that judge it."
)

# What a learner can see of a verdict; how long it took is no change.
_SEEN = ("outcome", "points", "max_points", "message", "mistake", "case", "numpy", "torch")
_SHOWN = (*_SEEN[1:], "version", "seed", "expected", "seconds")


@dataclass(frozen=True)
class Change:
    """One exercise of one learner that is judged otherwise today.

    Args:
        learner: whose.
        exercise: id of the exercise or question.
        before: the verdict kept before; None when there was none.
        after: today's verdict; None when the lesson has the exercise no more.
        why: what differs between then and now, in one sentence or more.
        by_hand: did a person mark it? Then that mark counts, whatever happens here.
    """

    learner: str
    exercise: str
    before: Verdict | None
    after: Verdict | None
    why: str
    by_hand: bool = False

    @property
    def points(self) -> float:
        """Points gained; below zero when they are lost."""
        return round(_points(self.after) - _points(self.before), 4)


def compare(before: Report, after: Report, by_hand: Collection[str] = ()) -> tuple[Change, ...]:
    """The exercises of a submission that are judged otherwise, in the lesson's order.

    Args:
        before: the report kept before.
        after: the report made with today's exercises.
        by_hand: exercises that a person marked.
    """
    old, new = _by_exercise(before), _by_exercise(after)
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        Change(
            after.learner, name, old.get(name), new.get(name),
            _why(before, after, old.get(name), new.get(name)), name in by_hand,
        )
        for name in names
        if _seen(old.get(name)) != _seen(new.get(name))
    )  # fmt: skip


def without_losses(before: Report, after: Report) -> Report | None:
    """Today's report, in which every verdict that would cost points is the one from before.

    Returns:
        The report; None when it cannot be written: the lesson no longer gives what the learner has.
    """
    old, new = _by_exercise(before), _by_exercise(after)
    if any(verdict.points > 0 for name, verdict in old.items() if name not in new):
        return None
    held = {name for name, verdict in old.items() if name in new and verdict.points > new[name].points}
    if not held:
        return after
    if any(old[name].points > new[name].max_points for name in held):
        return None
    verdicts = tuple(
        replace(old[verdict.exercise], max_points=verdict.max_points) if verdict.exercise in held else verdict
        for verdict in after.verdicts
    )
    status, reason = _status(before, after, verdicts)
    # No key: this mixture is found nowhere. The rest says what the oldest verdicts in it were made with.
    return replace(before, verdicts=verdicts, status=status, reason=reason, key="", submission=after.submission)


def held_back(before: Report | None, after: Report) -> tuple[Report, tuple[str, ...]]:
    """What `course grade` may write: the same answers keep their points until somebody confirms that they fall.

    Args:
        before: the report kept before, or None.
        after: the report made with today's exercises.

    Returns:
        The report that stands, and the exercises whose points it holds. When today's lesson cannot hold them, the
        report is the one from before, as a whole.
    """
    if before is None or not before.submission or before.submission != after.submission:
        return after, ()
    losses = tuple(change.exercise for change in compare(before, after) if change.points < 0)
    if not losses:
        return after, ()
    return without_losses(before, after) or before, losses


def to_json(change: Change, *, applied: bool) -> dict[str, Any]:
    """A change as JSON-able data; the keys are documented in docs/json.md."""
    facts = {name: getattr(change, name) for name in ("learner", "exercise", "points", "why", "by_hand")}
    sides = {"before": change.before, "after": change.after}
    return {**facts, "applied": applied, **{side: _shown(verdict) for side, verdict in sides.items()}}


def _by_exercise(report: Report) -> dict[str, Verdict]:
    return {verdict.exercise: verdict for verdict in report.verdicts}


def _points(verdict: Verdict | None) -> float:
    return 0.0 if verdict is None else verdict.points


def _seen(verdict: Verdict | None) -> tuple[Any, ...]:
    return () if verdict is None else tuple(getattr(verdict, name) for name in _SEEN)


def _shown(verdict: Verdict | None) -> dict[str, Any] | None:
    return None if verdict is None else {"verdict": str(verdict.outcome)} | {n: getattr(verdict, n) for n in _SHOWN}


def _why(old: Report, new: Report, before: Verdict | None, after: Verdict | None) -> str:
    if before is None:
        return NEW_EXERCISE
    if after is None:
        return GONE_EXERCISE
    worth = NEW_WORTH.format(before=before.max_points, after=after.max_points)
    said = [worth] if before.max_points != after.max_points else []
    if old.status is Status.UNREADABLE:
        return " ".join([*said, UNREAD_BEFORE])
    if not before.expected:
        return " ".join([*said, NOT_RECORDED])
    said += _differences(old, new, before, after)
    return " ".join(said or [NOTHING_HERE])


def _differences(old: Report, new: Report, before: Verdict, after: Verdict) -> list[str]:
    """What today's verdict was made with that the one before was not."""
    versions = NEW_VERSION.format(before=before.version, after=after.version)
    machines = NEW_ENVIRONMENT.format(before=old.environment, after=new.environment)
    # A new version draws new secret cases: only one of the three sentences is news.
    cases = [
        sentence
        for sentence, differs in (
            (versions, before.version != after.version),
            (NEW_SEED, before.seed != after.seed),
            (NEW_CASES, before.expected != after.expected),
        )
        if differs
    ][:1]
    rest = [(NEW_JUDGE, old.judge != new.judge), (machines, old.environment != new.environment)]
    return cases + [sentence for sentence, differs in rest if differs]


def _status(before: Report, after: Report, verdicts: tuple[Verdict, ...]) -> tuple[Status, str]:
    doubtful = [verdict.exercise for verdict in verdicts if verdict.outcome is Outcome.NEEDS_A_PERSON]
    if doubtful:
        return Status.NEEDS_A_PERSON, messages.SUBMISSION_NEEDS_A_PERSON.format(names=", ".join(doubtful))
    source = before if after.status is Status.NEEDS_A_PERSON else after
    return source.status, source.reason
