"""Writes docs/attacks.md from the corpus: ``python -m attacks._table`` in the folder ``tests``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from attacks._corpus import THREATS, Attack, attacks

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
PROMISES = {
    "P1": "A score depends only on what the learner's functions return for inputs they had not seen.",
    "P2": "A submission sees nothing but itself.",
    "P3": "Nothing a submission does costs another learner, or its own author more than the check it broke.",
    "P4": "A finished verdict is never lost, and the same submission always gets the same one.",
}
HEAD = """\
# Attacks

Each line is a submission under `tests/attacks/` that goes through the real pipeline in `tests/test_attacks.py`.
Exercises that are not named get full points: what one answer does costs only that answer.
For every one the test also looks for what it planted (files, variables, listeners), for processes that are left,
and for tags on the feedback page; and it compares every file of the course outside the learner's own folder byte by
byte.

What no submission can try has tests of its own: archives that climb out of their folder or expand without end
(`tests/test_archives.py`, `tests/test_collect.py`), kills at any moment (`tests/test_resume.py`), walls that are
missing (`tests/test_doctor.py`), regrading (`tests/test_regrade.py`), and fuzzed notebooks (`tests/test_fuzz.py`).

This page is written by `python -m attacks._table` in the folder `tests`; a test compares it.
"""


def page() -> str:
    """The page's text."""
    return "\n".join([HEAD, *_sections(attacks())])


def _sections(corpus: Sequence[Attack]) -> Iterator[str]:
    for promise, says in PROMISES.items():
        yield f"## {promise} · {says}\n"
        for threat in THREATS[promise]:
            yield f"### {threat[0].upper()}{threat[1:]}\n"
            yield "| Attack | What it tries | What must happen |"
            yield "|---|---|---|"
            for attack in corpus:
                if (attack.promise, attack.threat) == (promise, threat):
                    yield f"| {attack.name.removeprefix(promise + '_')} | {attack.why} | {_outcome(attack)} |"
            yield ""


def _outcome(attack: Attack) -> str:
    wanted = attack.expected
    parts = [] if wanted.status == "graded" else [f"{wanted.status}"]
    parts += [f"everything: {wanted.all}"] if wanted.all else []
    parts += [f"`{name}`: {outcome}" for name, outcome in wanted.exercises.items()]
    return "; ".join(parts) or "full points"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
