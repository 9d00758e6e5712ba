"""Whole notebooks as learners hand them in: tidy, messy, wrong and damaged; see `tests/submissions`."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from autograder.classroom import fill
from autograder.course import Lesson, Outcome
from autograder.grade import Graded, Grader
from autograder.intake import Entry

FOLDERS = sorted(path.parent for path in (Path(__file__).parent / "submissions").glob("*/expected.toml"))
KEYS = {"status", "reason", "exercises", "points", "says"}
LEARNER = "self-study"

each_submission = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def sections(text: str) -> list[tuple[str, str]]:
    """Parts of an ``answers.txt``: the id after ``# %%`` ("" for a cell of the learner's own), and the text."""
    parts = re.split(r"^# %%[ ]?(\w*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], (part.strip("\n") for part in parts[1::2]), strict=True))


def handed_in(folder: Path, released: dict[str, Any], solved: dict[str, str]) -> bytes:
    """The notebook: the solution's answers with those of the folder in their place, and its own cells first."""
    parts = sections((folder / "answers.txt").read_text(encoding="utf-8"))
    answers = {name: text for name, text in parts if name}
    assert answers.keys() <= solved.keys()
    notebook = fill(released, solved | answers)
    own = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": text} for name, text in parts if not name]
    first = next(n for n, cell in enumerate(notebook["cells"]) if "import numpy" in "".join(cell["source"])) + 1
    notebook["cells"][first:first] = own
    return json.dumps(notebook).encode()


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name, scope="module")
def case(
    request: pytest.FixtureRequest, grader: Grader, released: dict[str, Any], solved: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Any], Graded]:  # fmt: skip
    """What is expected of a submission, and what became of it."""
    expected = tomllib.loads((request.param / "expected.toml").read_text(encoding="utf-8"))
    assert expected.keys() <= KEYS
    path = tmp_path_factory.mktemp("submission") / "lesson.ipynb"
    path.write_bytes(handed_in(request.param, released, solved))
    return expected, grader.grade(Entry(LEARNER, path), fresh=True)


def test_status_is_as_written(case: tuple[dict[str, Any], Graded]) -> None:
    """The submission as a whole gets its status, with the reason."""
    expected, graded = case
    assert graded.report.status == expected["status"], graded.report.reason
    assert expected.get("reason", "") in graded.report.reason


def test_exercises_are_as_written(case: tuple[dict[str, Any], Graded], lesson: Lesson) -> None:
    """Each exercise and question gets its outcome and points; those that are not named are right."""
    expected, graded = case
    outcomes, points = expected.get("exercises", {}), expected.get("points", {})
    surprises = []
    for item, verdict in zip((*lesson.exercises, *lesson.questions), graded.report.verdicts, strict=True):
        outcome = outcomes.get(item.id, str(Outcome.CORRECT))
        earned = points.get(item.id, item.points if outcome == Outcome.CORRECT else 0.0)
        says = expected.get("says", {}).get(item.id, "")
        if (verdict.outcome, verdict.points) != (outcome, earned) or says not in verdict.message:
            surprises.append(f"{item.id}: {verdict.outcome}, {verdict.points:g}, {verdict.message}, not {outcome}")
    assert surprises == []


def test_lost_points_come_with_a_sentence(case: tuple[dict[str, Any], Graded]) -> None:
    """Whoever loses points is told why."""
    lost = [verdict for verdict in case[1].report.verdicts if verdict.points < verdict.max_points]
    assert [verdict.exercise for verdict in lost if len(verdict.message.split()) < 4] == []


@each_submission
def test_kind_matches_what_is_expected(folder: Path) -> None:
    """Honest work is graded and loses only what was not begun; the other kinds lose something."""
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    lost = set(expected.get("exercises", {}).values())
    kind = folder.name.partition("_")[0]
    assert kind in ("honest", "wrong", "damaged")
    assert (lost <= {"not started"}) == (kind == "honest")
    assert (expected["status"] == "graded") == (kind != "damaged")
