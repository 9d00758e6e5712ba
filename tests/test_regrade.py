"""Regrading: gains count, losses wait, marks of people stay, and a dry run writes nothing at all."""

from __future__ import annotations

import io
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import tiny_course as tiny
from rich.console import Console
from tiny_course import LESSON, LESSON_ID, report

from autograder import regrade, regrade_report
from autograder.copies import answer_texts, autograded, keep_autograded
from autograder.course import Outcome, Report, Status, Verdict
from autograder.folders import CourseError, Folders
from autograder.grade import Graded
from autograder.gradebook import database_url, read_scores
from autograder.intake import Entry, find_submissions
from autograder.publish import publish
from autograder.regrade import Regraded
from autograder.submission import read_submission
from autograder.verdicts import VerdictStore
from autograder.workplace import workplace

# Judged before: bea lacks square, carl lacks double; today double and square have changed places.
BEFORE = {"ada": ("double", "square", "exam_tiny"), "bea": ("double", "exam_tiny"), "carl": ("square", "exam_tiny")}
TODAY = {
    "ada": ("double", "square", "exam_tiny"),
    "bea": ("square", "exam_tiny"),
    "carl": ("double", "square", "exam_tiny"),
}


@dataclass
class Class:
    """A graded class, and what the grader will say of it today."""

    folders: Folders
    today: dict[str, Report]
    new: bool = True

    @property
    def store(self) -> VerdictStore:
        """The verdicts kept."""
        return VerdictStore(self.folders.verdicts)

    def again(self, *, dry_run: bool = False, confirm: bool = False) -> Regraded:
        """Regrade as the command does."""
        with workplace(self.folders) as place:
            entries = find_submissions(self.folders.submitted, LESSON_ID)
            found = regrade.judge_again(self.folders, place, LESSON, entries, dry_run=dry_run)
            return found if dry_run else regrade.apply(self.folders, place, LESSON, found, confirm=confirm)

    def latest(self) -> dict[str, Report]:
        """The latest report of each learner."""
        return {one.learner: one for one in self.store.latest(LESSON_ID)}

    def points(self) -> dict[str, float]:
        """Automatic points by learner, as the gradebook has them."""
        scores = read_scores(database_url(self.folders.root), LESSON_ID)
        return {one.learner: sum(cell.auto or 0.0 for cell in one.cells.values()) for one in scores}

    def graded(self, one: Report, entry: Entry, folders: Folders) -> Graded:
        """What the grader makes of a submission: the copy for markers, the verdict in its store."""
        cells = read_submission(entry.path).cells
        released = tiny.released(folders.root)
        keep_autograded(folders.autograded, one, autograded(released, cells, one))
        VerdictStore(folders.verdicts).put(one, self.new)
        return Graded(one, self.new, answer_texts(released, cells))


def keyed(one: Report, version: str, **changes: Any) -> Report:
    """A report as the grader writes it, with a key and the name of what was handed in."""
    return replace(one, key=f"{version} {one.learner}", submission=f"code of {one.learner}", judge=version, **changes)


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Class:
    """A class of three, graded and published with yesterday's exercises."""
    folders = Folders(tiny.copy_course(tmp_path / "course"))
    folders.make_secret()
    found = Class(folders, {name: keyed(report(name, *right), "today") for name, right in TODAY.items()})

    def grade_class(place: Folders, _lesson: object, entries: Sequence[Entry], **_: object) -> Iterator[Graded]:
        for entry in entries:
            yield found.graded(found.today[entry.learner], entry, place)

    monkeypatch.setattr(regrade, "grade_class", grade_class)
    monkeypatch.setattr("autograder.workplace.load_expectations", lambda *_: None)
    for name in BEFORE:
        tiny.hand_in(folders.root, name, tiny.answered(folders.root, BEFORE[name], "It grows."))
    entries = find_submissions(folders.submitted, LESSON_ID)
    before = [found.graded(keyed(report(e.learner, *BEFORE[e.learner]), "yesterday"), e, folders) for e in entries]
    publish(folders, LESSON, before)
    return found


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder, with content and time of its last change."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(root.rglob("*"))
    }


def listed(found: Regraded) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Learner and exercise of gains and losses."""
    kinds = (found.gains, found.losses)
    return tuple({(change.learner, change.exercise) for change in changes} for changes in kinds)


GAINS, LOSSES = {("bea", "square"), ("carl", "double")}, {("bea", "double")}


def test_dry_run_writes_nothing(ours: Class) -> None:
    """A dry run lists gains and losses; no file, folder or database is touched, not even its time."""
    before = snapshot(ours.folders.root)
    found = ours.again(dry_run=True)
    assert snapshot(ours.folders.root) == before
    assert listed(found) == (GAINS, LOSSES)
    assert (found.applied, found.settled) == (frozenset(), False)


def test_dry_run_sees_what_is_not_yet_in_the_database_file(ours: Class) -> None:
    """Verdicts that still lie in SQLite's log, as after a kill, count; the log stays as it is."""
    with closing(sqlite3.connect(ours.folders.verdicts)) as database:
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("BEGIN")
        database.execute("DELETE FROM latest WHERE learner = 'carl'")
        database.commit()
        before = snapshot(ours.folders.root)
        assert listed(ours.again(dry_run=True)) == (GAINS - {("carl", "double")}, LOSSES)
        assert snapshot(ours.folders.root) == before


def test_gains_count_and_losses_wait(ours: Class) -> None:
    """Without --confirm: gains are in gradebook, reports, pages and copies; nobody has less in any exercise."""
    found = ours.again()
    assert ours.points() == {"ada": 6.0, "bea": 6.0, "carl": 6.0}
    assert {name: one.points for name, one in ours.latest().items()} == {"ada": 6.0, "bea": 6.0, "carl": 6.0}
    assert found.applied == GAINS
    assert not found.settled
    place = Path("bea") / LESSON_ID
    assert "Look at double again." not in (ours.folders.feedback / place / f"{LESSON_ID}.html").read_text()
    copy = (ours.folders.autograded / place / f"{LESSON_ID}.ipynb").read_text()
    assert copy.count("correct: ") == 3


def test_confirmed_losses_are_written(ours: Class) -> None:
    """With --confirm today's verdicts stand everywhere."""
    found = ours.again(confirm=True)
    assert ours.points() == {"ada": 6.0, "bea": 4.0, "carl": 6.0}
    assert ours.latest() == ours.today
    assert (found.applied, found.settled) == (GAINS | LOSSES, True)
    place = Path("bea") / LESSON_ID
    assert "Look at double again." in (ours.folders.feedback / place / f"{LESSON_ID}.html").read_text()
    assert "Look at double again." in (ours.folders.autograded / place / f"{LESSON_ID}.ipynb").read_text()


def test_second_run_finds_nothing(ours: Class) -> None:
    """After a confirmed run nothing is left to find or to write."""
    ours.again(confirm=True)
    before = {name: content for name, (_, content) in snapshot(ours.folders.root).items() if "verdicts" not in name}
    again = ours.again()
    assert (again.changes, again.settled) == ([], True)
    after = {name: content for name, (_, content) in snapshot(ours.folders.root).items() if "verdicts" not in name}
    assert after == before


def test_second_run_finds_only_what_waits(ours: Class) -> None:
    """After a run without --confirm the loss is listed again, and can be confirmed then."""
    ours.again()
    assert listed(ours.again()) == (set(), LOSSES)
    assert ours.points()["bea"] == 6.0
    assert ours.again(confirm=True).settled
    assert ours.points()["bea"] == 4.0


def mark(folders: Folders, learner: str, cell: str, points: float) -> None:
    """Enter a manual score as formgrader does."""
    with closing(sqlite3.connect(folders.run / "gradebook.db")) as database:
        done = database.execute(
            "UPDATE grade SET manual_score = ?, needs_manual_grade = 0 WHERE id IN (SELECT grade.id FROM grade"
            " JOIN base_cell ON base_cell.id = grade.cell_id"
            " JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id"
            " JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
            " WHERE base_cell.name = ? AND submitted_assignment.student_id = ?)",
            (points, cell, learner),
        )
        assert done.rowcount == 1
        database.commit()


def test_marks_of_people_stay(ours: Class) -> None:
    """A mark that a person gave still counts after losses were confirmed, is named, and waits for a second look."""
    mark(ours.folders, "bea", "check_double", 1.5)
    mark(ours.folders, "bea", tiny.OPEN, 2.0)
    found = ours.again(confirm=True)
    assert [(change.exercise, change.by_hand) for change in found.losses] == [("double", True)]
    cells = {one.learner: one.cells for one in read_scores(database_url(ours.folders.root), LESSON_ID)}["bea"]
    assert (cells["check_double"].manual, cells["check_double"].auto, cells["check_double"].points) == (1.5, 0.0, 1.5)
    assert cells["check_double"].needs_a_person
    assert (cells[tiny.OPEN].points, cells[tiny.OPEN].needs_a_person) == (2.0, False)


def doubt(points: float) -> Verdict:
    """A verdict that a person has to decide."""
    return Verdict("double", Outcome.NEEDS_A_PERSON, points, 2.0, "A person should look.")


def test_a_new_doubt_waits_for_confirmation(ours: Class) -> None:
    """Points that only a person could give back are a loss like any other; confirmed, the cell waits for a person."""
    ours.today["ada"] = keyed(
        report("ada", "square", "exam_tiny", double=doubt(0.0)), "today", status=Status.NEEDS_A_PERSON
    )
    assert ("ada", "double") in listed(ours.again())[1]
    assert (ours.points()["ada"], ours.latest()["ada"].status) == (6.0, Status.GRADED)
    ours.again(confirm=True)
    scores = {one.learner: one for one in read_scores(database_url(ours.folders.root), LESSON_ID)}
    assert scores["ada"].cells["check_double"].needs_a_person
    assert ours.points()["ada"] == 4.0


def test_a_doubt_that_is_solved_counts(ours: Class) -> None:
    """Who needed a person before and is right today has the points at once, and the status follows."""
    ours.store.put(keyed(report("ada", "square", double=doubt(0.0)), "yesterday", status=Status.NEEDS_A_PERSON), True)
    assert ("ada", "double") in listed(ours.again())[0]
    assert ours.latest()["ada"].status is Status.GRADED


def broken_down(learner: str) -> Report:
    """What the grader says when its own machinery failed on a submission."""
    verdicts = tuple(
        Verdict(name, Outcome.NEEDS_A_PERSON, 0.0, points, "Trouble.") for name, points in tiny.POINTS.items()
    )
    return Report(learner, LESSON_ID, Status.NEEDS_A_PERSON, verdicts, "Trouble.")


def test_trouble_of_the_grader_costs_nobody_points(ours: Class) -> None:
    """When judging fails on our side, the learner is left alone even with --confirm, and the run says so."""
    ours.today["ada"] = broken_down("ada")
    found = ours.again(confirm=True)
    assert (found.left, found.settled) == ({"ada": "Trouble."}, False)
    assert ours.points()["ada"] == 6.0


def test_files_that_became_unreadable_cost_nobody_points(ours: Class) -> None:
    """A file that cannot be read any more changes no score, even with --confirm."""
    ours.today["ada"] = replace(report("ada"), status=Status.UNREADABLE, reason="The file is empty.")
    assert ours.again(confirm=True).left == {"ada": "It cannot be read any more: The file is empty."}
    assert ours.points()["ada"] == 6.0


def test_clock_costs_nobody_points(ours: Class) -> None:
    """A loss that may be the fault of a busy machine, a verdict that is not kept, is never written."""
    ours.new = False
    assert ours.again(confirm=True).left == {"bea": regrade.CLOCK}
    assert ours.points() == {"ada": 6.0, "bea": 3.0, "carl": 6.0}


def test_changed_answers_are_not_compared(ours: Class) -> None:
    """Who handed in other answers since is left to `course grade`: the difference is not the exercise's."""
    ours.today["bea"] = replace(ours.today["bea"], submission="other code")
    found = ours.again(confirm=True)
    assert (found.left, found.settled) == ({"bea": regrade.HANDED_IN_AGAIN}, True)
    assert ours.points()["bea"] == 3.0


def test_who_is_not_in_both_is_named(ours: Class) -> None:
    """Somebody new is left to `course grade`; somebody whose file is gone keeps everything."""
    tiny.hand_in(ours.folders.root, "dora", tiny.answered(ours.folders.root))
    shutil.rmtree(ours.folders.submitted / "ada")
    found = ours.again(confirm=True)
    assert (found.left, found.settled) == ({"dora": regrade.NEVER_GRADED, "ada": regrade.GONE}, False)
    assert ours.points()["ada"] == 6.0
    assert "dora" not in ours.latest()


def test_nothing_graded_is_a_sentence(ours: Class) -> None:
    """Without reports there is nothing to compare with."""
    ours.folders.verdicts.unlink()
    with pytest.raises(CourseError, match="Run `course grade 01_tiny` first"):
        ours.again(dry_run=True)
    assert not ours.folders.verdicts.exists()


def test_damaged_store_is_named(ours: Class) -> None:
    """The message about a damaged store names the real file, not the copy that was looked at."""
    ours.folders.verdicts.write_bytes(b"no database" * 1000)
    with pytest.raises(CourseError, match=f"{ours.folders.verdicts} cannot be used"):
        ours.again(dry_run=True)


def test_learner_graded_meanwhile_is_left(ours: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that another program wrote while we judged is not overwritten."""
    newer = keyed(report("bea", "double", "square", "exam_tiny"), "newer")
    honest = regrade.apply

    def meanwhile(*arguments: Any, **options: Any) -> Regraded:
        ours.store.put(newer, True)
        return honest(*arguments, **options)

    monkeypatch.setattr(regrade, "apply", meanwhile)
    found = ours.again(confirm=True)
    assert found.left == {"bea": regrade.MEANWHILE}
    assert ours.latest()["bea"] == newer


def interrupted(*_: object, **__: object) -> None:
    """Somebody presses Ctrl-C here."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["publish", "_write_copy", "VerdictStore.replace_latest"])
def test_interrupted_run_is_repeated(where: str, ours: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped at any step of writing, the next run finds the same changes and ends where one run would have."""
    with monkeypatch.context() as patched:
        patched.setattr(f"autograder.regrade.{where}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ours.again(confirm=True)
    again = ours.again(confirm=True)
    assert listed(again) == (GAINS, LOSSES)
    assert (ours.points(), ours.latest()) == ({"ada": 6.0, "bea": 4.0, "carl": 6.0}, ours.today)


def test_interrupted_judging_keeps_what_was_judged(ours: Class) -> None:
    """A run that is stopped while it judges has kept the verdicts made so far, and changed no score."""
    calls = iter([None])

    def advance(*_: object) -> None:
        if next(calls, "stop") == "stop":
            raise KeyboardInterrupt

    entries = find_submissions(ours.folders.submitted, LESSON_ID)
    with pytest.raises(KeyboardInterrupt), workplace(ours.folders) as place:
        regrade.judge_again(ours.folders, place, LESSON, entries, dry_run=False, advance=advance)
    kept = [ours.store.get(f"today {name}") is not None for name in BEFORE]
    assert kept == [True, True, False]
    assert ours.points() == {"ada": 6.0, "bea": 3.0, "carl": 4.0}
    assert {one.judge for one in ours.latest().values()} == {"yesterday"}


def test_workplace_is_gone_afterwards(ours: Class) -> None:
    """The folder in which it was judged holds a way to the secret, and is removed."""
    with workplace(ours.folders) as place:
        where = place.run
        assert place.secret() == ours.folders.secret()
        assert where.stat().st_mode & 0o077 == 0
    assert not where.exists()
    assert ours.folders.secret_file.exists()


def test_worth_less_waits_with_everything(ours: Class) -> None:
    """Points that the lesson no longer gives cannot be kept in today's gradebook: that learner waits as a whole."""
    cheaper = Verdict("double", Outcome.CORRECT, 1.0, 1.0)
    ours.today["bea"] = keyed(report("bea", "square", "exam_tiny", double=cheaper), "today")
    found = ours.again()
    assert found.applied == {("carl", "double")}
    assert ours.points()["bea"] == 3.0
    assert any("Gains wait, too" in sentence for sentence in regrade_report.summary(found, dry_run=False))


def said(found: Regraded, **options: bool) -> str:
    """Everything that people are shown, as text."""
    screen = io.StringIO()
    for table in regrade_report.tables(found):
        Console(width=160, file=screen).print(table)
    return screen.getvalue() + "\n".join(regrade_report.summary(found, **options))


def test_people_read_who_and_why(ours: Class) -> None:
    """The tables name exercise, learners, points, both verdicts and the reason; the summary what to do next."""
    text = said(ours.again(dry_run=True), dry_run=True)
    assert "Compared 3 learners: 2 up (2 verdicts, 5 points), 1 down (1 verdict, 2 points)." in text
    for words in ("double: 1 up, 1 down.", "2 to 0", "0 to 2", "Look at double again.", "Nothing was written."):
        assert words in text
    assert "Losses were left as they were" in said(ours.again(), dry_run=False)


def test_json_lists_everything(ours: Class) -> None:
    """Programs get gains, losses and what was left, with what was written."""
    tiny.hand_in(ours.folders.root, "dora", tiny.answered(ours.folders.root))
    facts = regrade_report.as_json(ours.again(), dry_run=False, confirmed=False)
    assert set(facts) == set("lesson dry_run confirmed compared gains losses reworded left".split())
    assert [(c["learner"], c["exercise"], c["points"], c["applied"]) for c in facts["gains"] + facts["losses"]] == [
        ("bea", "square", 3.0, True), ("carl", "double", 2.0, True), ("bea", "double", -2.0, False),
    ]  # fmt: skip
    assert facts["left"] == [{"learner": "dora", "why": regrade.NEVER_GRADED}]
