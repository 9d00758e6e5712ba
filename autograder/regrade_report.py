"""What `course regrade` says: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from autograder.changes import Change, to_json
from autograder.course import Verdict
from autograder.regrade import Regraded

LONGEST = 140


def as_json(regraded: Regraded, *, dry_run: bool, confirmed: bool) -> dict[str, Any]:
    """The result as JSON-able data; the keys are documented in docs/json.md."""
    kinds = {"gains": regraded.gains, "losses": regraded.losses, "reworded": regraded.reworded}
    listed = {
        kind: [to_json(change, applied=regraded.was_applied(change)) for change in found]
        for kind, found in kinds.items()
    }
    left = [{"learner": learner, "why": why} for learner, why in sorted(regraded.left.items())]
    facts = {"lesson": regraded.lesson, "dry_run": dry_run, "confirmed": confirmed, "compared": len(regraded.compared)}
    return {**facts, **listed, "left": left}


def tables(regraded: Regraded) -> Iterator[Table]:
    """A table per exercise in which somebody gains or loses, and one of those who could not be compared."""
    changes = [*regraded.gains, *regraded.losses]
    for exercise in dict.fromkeys(change.exercise for change in changes):
        yield _exercise([change for change in changes if change.exercise == exercise])
    if regraded.left:
        table = Table(title=f"Left as they were: {_learners(len(regraded.left))}", title_justify="left")
        table.add_column("Learner", overflow="fold")
        table.add_column("Why", overflow="fold")
        for learner, why in sorted(regraded.left.items()):
            table.add_row(escape(learner), escape(why))
        yield table


def _exercise(changes: Sequence[Change]) -> Table:
    gains = sum(change.points > 0 for change in changes)
    reasons = " ".join(dict.fromkeys(change.why for change in changes))
    title = f"{changes[0].exercise}: {gains} up, {len(changes) - gains} down. {reasons}"
    table = Table(title=escape(title), title_justify="left")
    table.add_column("Learner", overflow="fold")
    table.add_column("Points", justify="right")
    table.add_column("Before", overflow="fold")
    table.add_column("Now", overflow="fold")
    for change in sorted(changes, key=lambda change: change.points > 0):
        points = f"{_points(change.before)} to {_points(change.after)}"
        name = f"{change.learner} (marked by a person: that mark stays)" if change.by_hand else change.learner
        table.add_row(escape(name), points, escape(_verdict(change.before)), escape(_verdict(change.after)))
    return table


def _points(verdict: Verdict | None) -> str:
    return "0" if verdict is None else f"{verdict.points:g}"


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    text = f"{verdict.outcome}. {verdict.message}".strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _learners(count: int) -> str:
    return f"{count} learner" if count == 1 else f"{count} learners"


def summary(regraded: Regraded, *, dry_run: bool) -> Iterator[str]:
    """What was found, what was written and what to do next, one sentence a line."""
    gains, losses = regraded.gains, regraded.losses
    said = f"Compared {_learners(len(regraded.compared))}: {_count(gains, 'up')}, {_count(losses, 'down')}."
    yield f"{said} Verdicts with other words for the same points: {len(regraded.reworded)}."
    waiting = [change for change in losses if not regraded.was_applied(change)]
    if dry_run:
        yield "Nothing was written."
        if gains or losses or regraded.reworded:
            yield f"Next: `course regrade {regraded.lesson}` writes the gains; with --confirm, the losses, too."
    elif waiting:
        yield "Losses were left as they were. Next: look at them, then run again with --confirm to write them, too."
    # A learner who would lose what the lesson no longer gives waits as a whole, gains included.
    held = sorted({change.learner for change in gains if not regraded.was_applied(change)})
    if held and not dry_run:
        names = ", ".join(held)
        yield f"Gains wait, too, because the lesson no longer gives all the points that are there now: {names}."


def _count(changes: Sequence[Change], direction: str) -> str:
    learners = len({change.learner for change in changes})
    points = abs(sum(change.points for change in changes))
    verdicts = "1 verdict" if len(changes) == 1 else f"{len(changes)} verdicts"
    return f"{learners} {direction} ({verdicts}, {points:g} points)"
