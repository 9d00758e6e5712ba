"""What `course grade` says: a table for people, JSON for programs, a line for the log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from rich.markup import escape
from rich.table import Table

from autograder import messages
from autograder.course import Report, Status
from autograder.grade import Graded
from autograder.verdicts import report_to_json

# Nobody reads a longer table, and it would have to be in memory as a whole.
LONGEST_TABLE = 500
LOOK_AT = (Status.UNREADABLE, Status.NEEDS_A_PERSON)
_COLORS = {
    Status.GRADED: "green",
    Status.PARTLY_GRADED: "yellow",
    Status.UNREADABLE: "red",
    Status.NEEDS_A_PERSON: "magenta",
}


@dataclass
class Tally:
    """What a run found, without the reports themselves.

    Args:
        statuses: how many submissions ended how.
        held: learner to the exercises whose earlier points stand although today's are lower.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, graded: Graded) -> None:
        """Count one submission."""
        self.statuses[graded.report.status] += 1
        if graded.held:
            self.held[graded.report.learner] = graded.held

    @property
    def total(self) -> int:
        """How many submissions."""
        return self.statuses.total()


def log_line(graded: Graded, before: Report | None = None) -> dict[str, Any]:
    """What the log says of a submission; the keys are documented in docs/json.md.

    Args:
        graded: the submission.
        before: in a regrade, the report kept before.
    """
    report = graded.report
    facts = {name: getattr(report, name) for name in ("lesson", "learner", "status", "reason", "points", "max_points")}
    earlier = {} if before is None else {"points_before": before.points}
    return {**facts, "seconds": round(report.seconds, 4), "new": graded.new, "held": list(graded.held), **earlier}


def as_json(lesson: str, reports: Iterable[Report], held: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """One JSON document in pieces, so that a large class need not be in memory."""
    yield f'{{"lesson": {json.dumps(lesson)}, "submissions": ['
    for number, report in enumerate(reports):
        facts = {**report_to_json(report), "held": list(held.get(report.learner, ()))}
        yield (", " if number else "") + json.dumps(facts)
    yield "]}"


def tables(reports: Iterable[Report], tally: Tally) -> Iterator[Table]:
    """Learner, status, points and the first thing to fix; of a very large class, counts and who should be looked at."""
    title = f"{tally.total} submissions"
    if tally.total <= LONGEST_TABLE:
        yield _table(title, reports)
        return
    counts = Table(title=title, title_justify="left")
    counts.add_column("Status")
    counts.add_column("Submissions", justify="right")
    for status in Status:
        counts.add_row(f"[{_COLORS[status]}]{status}[/]", str(tally.statuses[status]))
    yield counts
    to_look_at = list(islice((report for report in reports if report.status in LOOK_AT), LONGEST_TABLE))
    if to_look_at:
        yield _table(messages.MANY_SUBMISSIONS.format(shown=len(to_look_at), total=tally.total), to_look_at)


def summary(lesson: str, tally: Tally) -> Iterator[str]:
    """What the table does not say."""
    if tally.held:
        yield messages.HELD.format(learners=len(tally.held), lesson=lesson)


def _table(title: str, reports: Iterable[Report]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("Learner", overflow="fold")
    table.add_column("Status")
    table.add_column("Points", justify="right")
    table.add_column("First thing to fix", overflow="fold")
    for report in reports:
        status = f"[{_COLORS[report.status]}]{report.status}[/]"
        points = f"{report.points:g} / {report.max_points:g}"
        table.add_row(escape(report.learner), status, points, escape(first_to_fix(report)))
    return table


def first_to_fix(report: Report) -> str:
    """One line: why nothing could be graded, or the first exercise that was tried and is not right."""
    if report.status is Status.UNREADABLE:
        return report.reason
    open_ones = [verdict for verdict in report.verdicts if verdict.points < verdict.max_points]
    tried = [verdict for verdict in open_ones if verdict.outcome not in ("not started", "missing")]
    first = next(iter(tried or open_ones), None)
    if first is None:
        return report.reason
    line = f"{first.exercise}: {first.message or first.outcome}"
    return line if len(line) <= 110 else line[:107] + "..."
