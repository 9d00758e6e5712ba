"""What `course collect` says: JSON for programs, a table and sentences for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape
from rich.table import Table

from autograder.archives import LeftOut, printable
from autograder.collect import Collected

SHOWN = 20


def as_json(lesson: str, collected: Collected, *, dry_run: bool) -> dict[str, Any]:
    """What became of the archives, with the keys of docs/json.md."""
    lists = {name: [asdict(item) for item in getattr(collected, name)] for name in ("taken", "left_out")}
    return {"lesson": lesson, "dry_run": dry_run, **lists}


def tables(collected: Collected) -> Iterator[Table]:
    """Whose submissions were taken, and what a person should look at; an empty table is left out."""
    if collected.taken:
        rows = [(one.learner, one.action, one.handed_in or "not known", one.note) for one in collected.taken]
        title = f"{len(rows)} submissions"
        yield _table(title, ("Learner", "Submission", "Handed in", "To do"), rows)
    refused = [item for item in collected.left_out if item.refused]
    if refused:
        yield _table(f"{len(refused)} refused", ("What", "Why"), [(_where(item), item.why) for item in refused])


def summary(collected: Collected, *, dry_run: bool) -> Iterator[str]:
    """What was left out as it should be, and what this run did."""
    others = [item for item in collected.left_out if not item.refused]
    for item in others[:SHOWN]:
        yield f"Left out {_where(item)}: {item.why}"
    if len(others) > SHOWN:
        yield f"Left out {len(others) - SHOWN} more; --json lists them all."
    counts = Counter(one.action for one in collected.taken)
    done = f"{counts['new']} new, {counts['replaced']} replaced, {counts['unchanged']} unchanged"
    yield f"{done}, {collected.refused} refused.{' Nothing was written: this was a dry run.' if dry_run else ''}"


def _where(item: LeftOut) -> str:
    return printable(f"{item.archive}: {item.entry}" if item.entry else item.archive)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
