"""The attacks of this folder as data: what is handed in, and what must become of it.

One TOML file is one attack; the arguments of `Attack` and `Wanted` are its keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent
THREATS: Mapping[str, list[str]] = tomllib.loads((FOLDER / "threats.toml").read_text())


@dataclass(frozen=True)
class Wanted:
    """What must become of a submission.

    Args:
        status: of the submission as a whole.
        all: outcome of every exercise and question; "" for full points.
        exercises: outcome of those that differ from `all`; they earn nothing unless `points` says so.
        points: points of an exercise that earns some.
        says: words that its message must hold.
        reason: words that the reason of the status must hold.
    """

    status: str = "graded"
    all: str = ""
    exercises: Mapping[str, str] = field(default_factory=dict)
    points: Mapping[str, float] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Attack:
    """One attack; see the module.

    Args:
        name: name of its file, without the suffix; it begins with the promise.
        promise: P1 to P4.
        threat: the line of `threats.toml` that it covers.
        why: what it tries, in one sentence.
        expected: what must become of it.
        base: the notebook in which the answers are put.
        answers: grade id to text of the answer cell.
        cells: more cells: ``source``, ``cell_type``, ``metadata``, ``outputs``, ``at`` (where; the end).
        damage: function of `damage.py` that is applied to the finished notebook.
        files: function of `layout.py` that lays out the learner's folder.
        probe: exercise whose answer finds what is planted when there are no walls around it.
        then: answers of the learner who comes next and must be served as if nobody had been there.
        limits: smaller limits, to save time.
        repeat: is the same verdict wanted from judging it twice?
    """

    name: str
    promise: str
    threat: str
    why: str
    expected: Wanted
    base: Literal["solved", "released"] = "solved"
    answers: Mapping[str, str] = field(default_factory=dict)
    cells: tuple[Mapping[str, Any], ...] = ()
    damage: str = ""
    files: str = ""
    probe: str = ""
    then: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    repeat: bool = False


def read_attack(path: Path) -> Attack:
    """Read one file; unknown keys are an error."""
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    facts["expected"] = Wanted(**facts.get("expected", {}))
    facts["cells"] = tuple(facts.get("cells", ()))
    return Attack(name=path.stem, **facts)


def attacks() -> list[Attack]:
    """All attacks, by name."""
    return [read_attack(path) for path in sorted(FOLDER.glob("P*.toml"))]
