"""What a verdict was made with is kept beside it, gives no secret away, and old reports stay readable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_course as tiny

from autograder.course import Exercise, Lesson, Mistake, Outcome, Report, Status, Verdict
from autograder.exam import QuestionSheet
from autograder.expected import seed_for
from autograder.stamps import Stamps, code_digest, tree_digest
from autograder.submission import Cell, Submission
from autograder.verdicts import VerdictStore, report_from_json, report_to_json
from course_lib.cases import call_case
from course_lib.compare import Tolerance
from course_lib.diagnose import Expectation, Expected, ExpectedCase, Fingerprint
from course_lib.exam import variant_of

SECRET = b"s" * 32
MISTAKE = Mistake("plus", "Too much.", lambda x: x)
EXERCISE = Exercise("double", "tiny", 2.0, lambda rng, public: (), (MISTAKE,), version=3)
LESSON = replace(tiny.LESSON, exercises=(EXERCISE,))


def expectation(result: float = 4.0, tolerance: float = 1e-6, says: str = "Too much.") -> Expectation:
    """What is expected of `double`, with one case."""
    case = call_case("two", "double", {"x": np.array([2.0])})
    read = Expected("result", "core", np.array([result]), np.array([result]))
    cases = (ExpectedCase(case, (read,), Tolerance(0.0, tolerance)),)
    return Expectation("double", 2.0, cases, (Fingerprint("plus", says, ()),), seconds=0.5)


def stamps(lesson: Lesson = LESSON, secret: bytes = SECRET, known: Expectation | None = None) -> Stamps:
    """Stamps of the tiny lesson."""
    questions = QuestionSheet(lesson.id, {"exam_tiny": {"points": 1.0, "numpy": np.arange(256.0)}})
    return Stamps(lesson, secret, {"double": known or expectation()}, questions, [Path(__file__)])


def stamped(learner: str = "ada", **options: object) -> dict[str, Verdict]:
    """Fresh verdicts with their stamps, by exercise."""
    verdicts = (tiny.verdict("double", right=True), tiny.verdict("exam_tiny", right=True))
    report = stamps(**options).on(Report(learner, LESSON.id, Status.GRADED, verdicts), learner)
    return {verdict.exercise: verdict for verdict in report.verdicts}


def test_verdict_names_version_seed_and_expected_values() -> None:
    """An exercise's verdict carries its version; a question's the learner's variant."""
    found = stamped()
    assert found["double"].version == 3
    assert len(found["double"].seed) == len(found["double"].expected) == 12
    assert found["exam_tiny"].seed == f"variant {variant_of(LESSON.id, 'ada')}"


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"secret": b"t" * 32}, {"seed"}),
        ({"lesson": replace(LESSON, exercises=(replace(EXERCISE, version=4),))}, {"version", "seed"}),
        ({"known": expectation(result=4.1)}, {"expected"}),
        ({"known": expectation(tolerance=1e-3)}, {"expected"}),
        ({"known": expectation(says="Far too much.")}, {"expected"}),
        ({}, set()),
    ],
    ids=["secret", "version", "reference", "tolerance", "mistake", "nothing"],
)
def test_stamps_change_with_what_they_name(options: dict, fields: set[str]) -> None:
    """Another secret, version, reference, tolerance or sentence shows in its own field, and only there."""
    before, after = stamped()["double"], stamped(**options)["double"]
    assert {name for name in ("version", "seed", "expected") if getattr(before, name) != getattr(after, name)} == fields


def test_stamps_do_not_change_with_speed_or_worth() -> None:
    """How long the reference took, and what the exercise is worth, are not in the name of what is expected."""
    slow = replace(expectation(), seconds=9.0, points=5.0)
    assert stamped(known=slow)["double"].expected == stamped()["double"].expected


def test_seed_is_not_given_away() -> None:
    """The number from which secret cases are drawn stands nowhere in the verdict, in no notation."""
    text = repr(stamped()["double"])
    seed = seed_for(SECRET, "double", 3)
    assert str(seed) not in text
    assert f"{seed:x}"[:12] not in text


def test_stamped_report_is_left_alone() -> None:
    """A report that already says what it was made with keeps that."""
    report = replace(tiny.report("ada"), judge="older")
    assert stamps().on(report, "ada") is report


def test_code_is_named_by_what_is_judged() -> None:
    """Texts and order of other cells' kinds do not matter; code, its id and damage do."""
    cells = (Cell(1, "markdown", "hello"), Cell(2, "code", "x = 1", "double"))
    name = code_digest(Submission(cells))
    assert name == code_digest(Submission((Cell(1, "markdown", "changed"), *cells[1:])))
    assert name != code_digest(Submission((cells[0], Cell(2, "code", "x = 2", "double"))))
    assert name != code_digest(Submission((cells[0], Cell(2, "code", "x = 1", "square"))))
    assert name != code_digest(Submission(cells, ("damaged",)))


def test_tree_is_named_by_numbers_dtypes_and_shapes() -> None:
    """Arrays that differ in a number, a dtype or a shape have other names."""
    trees = [np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((2, 3), "float32"), np.ones((2, 3)), [0.0], None]
    assert len({tree_digest({"x": tree}) for tree in trees}) == len(trees)
    assert tree_digest({"x": np.zeros(2)}) == tree_digest({"x": np.zeros(2)})


def test_old_report_is_read_with_defaults() -> None:
    """JSON that was stored before the new fields existed is still a report."""
    report = tiny.report("ada", "double")
    facts = report_to_json(report)
    for name in ("submission", "judge", "environment"):
        del facts[name]
    for verdict in facts["verdicts"]:
        for name in ("version", "seed", "expected"):
            del verdict[name]
    assert report_from_json(json.loads(json.dumps(facts))) == report


def test_newer_report_is_read_without_its_news() -> None:
    """Keys that a later program added are passed over."""
    facts = report_to_json(tiny.report("ada", "double"))
    facts["mood"], facts["verdicts"][0]["mood"] = "good", "good"
    assert report_from_json(facts) == tiny.report("ada", "double")


def test_kept_report_is_nobodys_latest(tmp_path: Path) -> None:
    """`keep` makes a verdict findable by its key and leaves the learner's latest as it was."""
    store, report = VerdictStore(tmp_path / "v.db"), replace(tiny.report("ada"), key="old")
    store.put(report, True)
    better = replace(tiny.report("ada", "double"), key="new")
    store.keep(better)
    assert (store.get("new"), store.latest(tiny.LESSON_ID)) == (better, [report])


def test_latest_reports_are_replaced_together(tmp_path: Path) -> None:
    """Many latest reports change at once or not at all; a report that cannot be written takes the others back."""
    store = VerdictStore(tmp_path / "v.db")
    store.replace_latest([tiny.report("ada"), tiny.report("ben")])
    unwritable = replace(tiny.report("ben"), verdicts=(Verdict("double", Outcome.CORRECT, object(), 1.0),))
    with pytest.raises(TypeError):
        store.replace_latest([tiny.report("ada", "double"), unwritable])
    assert store.latest(tiny.LESSON_ID) == [tiny.report("ada"), tiny.report("ben")]
