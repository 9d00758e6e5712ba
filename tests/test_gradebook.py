"""The gradebook: rows as nbgrader makes them, one transaction per batch, manual marks never touched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import tiny_course as tiny
from tiny_course import LESSON_ID, OPEN

from autograder import databases, gradebook, gradebook_tables
from autograder.course import Outcome, Report, Status, Verdict
from autograder.gradebook import GradebookError, LearnerScore, read_scores, write_reports

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a fresh gradebook that knows the lesson."""
    return f"sqlite:///{tiny.copy_course(tmp_path / 'course')}/run/gradebook.db"


def tables(url: str) -> dict[str, list[str]]:
    """Everything in the database."""
    with opened(url) as database:
        names = sa.inspect(database).get_table_names()
        return {name: sorted(map(repr, database.execute(sa.text(f"SELECT * FROM {name}")))) for name in names}


def execute(url: str, statement: str, **values: Any) -> int:
    """What another program does: a statement, and how many rows it changed."""
    with opened(url) as database:
        return database.execute(sa.text(statement), values).rowcount


@contextmanager
def opened(url: str) -> Iterator[sa.Connection]:
    """The database in a transaction, whatever its kind."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as database:
        yield database


def score_of(url: str, learner: str) -> LearnerScore:
    """One learner's scores."""
    return next(score for score in read_scores(url, LESSON_ID) if score.learner == learner)


def by_hand(url: str, cell: str, **values: Any) -> None:
    """What formgrader does when a marker types into a cell: set columns of ada's grade or comment."""
    table = "comment" if "manual_comment" in values else "grade"
    columns = ", ".join(f"{name} = :{name}" for name in values)
    kind = "SolutionCell" if table == "comment" else "GradeCell"
    query = (
        f"UPDATE {table} SET {columns} WHERE cell_id = (SELECT id FROM base_cell WHERE name = :cell AND type = :kind)"
    )
    assert execute(url, query, **values, cell=cell, kind=kind) == 1


@pytest.mark.filterwarnings("ignore:Object of type")  # nbgrader's add_submission, under SQLAlchemy 2
def test_rows_are_those_that_nbgrader_makes(url: str) -> None:
    """A learner and submission written by us differ from nbgrader's own only in ids and names."""
    from nbgrader.api import Gradebook

    write_reports(url, LESSON_ID, [tiny.report("ada", "double")], {"ada": {OPEN: "Because."}})
    with Gradebook(url) as book:
        book.add_student("ben")
        book.add_submission(LESSON_ID, "ben")
        ours, theirs = (book.find_submission(LESSON_ID, learner) for learner in ("ada", "ben"))
        assert (ours.timestamp, ours.extension) == (theirs.timestamp, theirs.extension)
        for one, other in zip(ours.notebooks, theirs.notebooks, strict=True):
            assert (one.name, one.flagged) == (other.name, other.flagged)
            for rows in ("grades", "comments"):
                assert sorted(r.name for r in getattr(one, rows)) == sorted(r.name for r in getattr(other, rows))
        assert ours.score == 2.0
        assert ours.max_score == theirs.max_score == 9.0
        assert book.find_grade("check_double", LESSON_ID, LESSON_ID, "ada").failed_tests is False
        assert book.find_comment("square", LESSON_ID, LESSON_ID, "ada").comment == "Wrong values. Look at square again."
        assert [row["id"] for row in book.notebook_submission_dicts(LESSON_ID, LESSON_ID)]


def test_writing_twice_is_writing_once(url: str) -> None:
    """The same batch again changes no byte of any row."""
    batch = [tiny.report("ada", "double"), tiny.report("ben")]
    answers = {"ada": {OPEN: "Because."}, "ben": {OPEN: "YOUR ANSWER HERE"}}
    write_reports(url, LESSON_ID, batch, answers)
    before = tables(url)
    write_reports(url, LESSON_ID, batch, answers)
    assert tables(url) == before


def test_a_regrade_never_touches_manual_marks(url: str) -> None:
    """A marker's score, extra credit and comment stay, and count; a changed automatic score asks for another look."""
    write_reports(url, LESSON_ID, [tiny.report("ada")])
    by_hand(url, "check_double", manual_score=1.5, extra_credit=0.25, needs_manual_grade=False)
    by_hand(url, "double", manual_comment="Nearly.")
    write_reports(url, LESSON_ID, [tiny.report("ada")])
    same = score_of(url, "ada").cells["check_double"]
    assert (same.points, same.comment, same.needs_a_person) == (1.75, "Nearly.", False)
    write_reports(url, LESSON_ID, [tiny.report("ada", "double")])
    changed = score_of(url, "ada").cells["check_double"]
    assert (changed.auto, changed.points, changed.comment, changed.needs_a_person) == (2.0, 1.75, "Nearly.", True)


def test_a_marked_open_answer_is_asked_for_again_only_when_it_changed(url: str) -> None:
    """Regrading leaves a finished mark alone; a new text brings the marker back."""
    for text, marked, waits in (("One.", False, True), ("One.", True, False), ("Two.", False, True)):
        write_reports(url, LESSON_ID, [tiny.report("ada")], {"ada": {OPEN: text}})
        if marked:
            by_hand(url, OPEN, manual_score=2.0, needs_manual_grade=False)
            write_reports(url, LESSON_ID, [tiny.report("ada")], {"ada": {OPEN: text}})
        assert score_of(url, "ada").cells[OPEN].needs_a_person is waits
    assert score_of(url, "ada").cells[OPEN].points == 2.0


@pytest.mark.parametrize(
    ("texts", "auto", "waits"),
    [
        ({OPEN: "YOUR ANSWER HERE"}, 0.0, False),
        ({OPEN: "  \n"}, 0.0, False),
        ({OPEN: "YOUR ANSWER HERE: growth"}, None, True),
        ({}, None, True),
        (None, None, True),
    ],
    ids=["untouched", "blank", "answered", "cell deleted", "unreadable file"],
)
def test_only_an_answer_waits_for_a_marker(url: str, texts: dict[str, str] | None, auto: float, waits: bool) -> None:
    """No answer is zero at once; an answer, or one that may be somewhere else, is for a person."""
    write_reports(url, LESSON_ID, [tiny.report("ada")], {} if texts is None else {"ada": texts})
    cell = score_of(url, "ada").cells[OPEN]
    assert (cell.auto, cell.needs_a_person) == (auto, waits)


def test_doubtful_verdicts_and_unreadable_files_are_flagged(url: str) -> None:
    """`needs a person` keeps its points and waits; a zero for a file nobody could read is not silent."""
    doubt = Verdict("square", Outcome.NEEDS_A_PERSON, 3.0, 3.0, "The references disagree.")
    unreadable = replace(tiny.report("ben"), status=Status.UNREADABLE)
    write_reports(url, LESSON_ID, [tiny.report("ada", "double", square=doubt), unreadable])
    ada, ben = score_of(url, "ada"), score_of(url, "ben")
    assert {name for name, cell in ada.cells.items() if cell.needs_a_person} == {"check_square", OPEN}
    assert ada.points == 5.0
    assert all(cell.needs_a_person for cell in ben.cells.values())


def test_a_flag_that_a_marker_resolved_stays_resolved(url: str) -> None:
    """The same verdict again does not undo a marker's click; a better one takes the flag away by itself."""
    doubt = Verdict("square", Outcome.NEEDS_A_PERSON, 0.0, 3.0, "The references disagree.")
    write_reports(url, LESSON_ID, [tiny.report("ada", square=doubt)])
    by_hand(url, "check_square", needs_manual_grade=False)
    write_reports(url, LESSON_ID, [tiny.report("ada", square=doubt)])
    assert not score_of(url, "ada").cells["check_square"].needs_a_person
    write_reports(url, LESSON_ID, [tiny.report("ben", square=doubt)])
    write_reports(url, LESSON_ID, [tiny.report("ben", "square")])
    assert not score_of(url, "ben").cells["check_square"].needs_a_person


def _strange(name: str, points: float) -> Report:
    verdicts = (Verdict(name, Outcome.CORRECT, points, points),)
    return Report("ben", LESSON_ID, Status.GRADED, verdicts)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (_strange("triple", 2.0), "no cell for 'triple'"),
        (_strange("double", 5.0), "double is worth 5 points, the gradebook says 2"),
        (replace(_strange("double", 2.0), lesson="02_other"), "no cell for 'double'"),
    ],
    ids=["unknown exercise", "other points", "other lesson"],
)
def test_a_batch_that_does_not_fit_changes_nothing(url: str, report: Report, sentence: str) -> None:
    """One report of another version: a sentence with the remedy, and not even the good ones are written."""
    before = tables(url)
    with pytest.raises(GradebookError, match=f"{sentence}.*course generate"):
        write_reports(url, LESSON_ID, [tiny.report("ada", "double"), report])
    assert tables(url) == before


def test_a_death_in_the_middle_of_a_batch_changes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is one transaction: whatever stops it, the gradebook is as it was."""
    before, calls = tables(url), []

    def dies(self: gradebook_tables.Book, changes: Any) -> None:
        calls.append(list(changes))
        if len(calls) == 2:
            raise KeyboardInterrupt
        original(self, calls[-1])

    original = gradebook_tables.Book.update
    monkeypatch.setattr(gradebook_tables.Book, "update", dies)
    with pytest.raises(KeyboardInterrupt):
        write_reports(url, LESSON_ID, [tiny.report("ada", "double"), tiny.report("ben")])
    assert tables(url) == before


def test_a_locked_gradebook_gives_a_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program holds the database: say so, and name the remedy."""
    monkeypatch.setattr(databases, "LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(GradebookError, match="locked. Close it .* run again"):
            write_reports(url, LESSON_ID, [tiny.report("ada")])


def test_two_entries_of_one_learner_do_not_stop_the_batch(url: str) -> None:
    """The later report counts."""
    write_reports(url, LESSON_ID, [tiny.report("ada"), tiny.report("ada", "double")])
    assert score_of(url, "ada").points == 2.0


def test_no_gradebook_gives_a_sentence_and_makes_none(tmp_path: Path) -> None:
    """A missing file, a file that is no database and a foreign database are all said plainly."""
    missing, foreign, junk = (tmp_path / name for name in ("missing.db", "foreign.db", "junk.db"))
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    junk.write_text("not a database, but long enough to look like a file with something in it" * 20)
    for path, sentence in ((missing, "no gradebook yet"), (foreign, "no gradebook of nbgrader"), (junk, "refused")):
        with pytest.raises(GradebookError, match=sentence):
            read_scores(f"sqlite:///{path}", LESSON_ID)
    assert not missing.exists()


def test_an_unknown_lesson_gives_a_sentence(url: str) -> None:
    """The lesson was never generated."""
    with pytest.raises(GradebookError, match="02_other.*course generate"):
        write_reports(url, "02_other", [])
    assert not gradebook.has_lesson(url, "02_other")


def test_ensure_lesson_lets_nbgrader_make_the_gradebook(tmp_path: Path) -> None:
    """From a bare folder to a gradebook that can be written; a second call changes nothing."""
    root = tiny.make_course(tmp_path / "course")
    url = gradebook.ensure_lesson(root, LESSON_ID)
    write_reports(url, LESSON_ID, [tiny.report("ada", "double")])
    before = tables(url)
    assert gradebook.ensure_lesson(root, LESSON_ID) == url
    assert tables(url) == before


def test_learners_without_a_submission_are_read_too(url: str) -> None:
    """Exports list everybody; who handed in nothing has no cells."""
    execute(url, "INSERT INTO student (id, first_name, last_name) VALUES ('zoe', 'Zoë', 'Ng')")
    write_reports(url, LESSON_ID, [tiny.report("ada", "double", "square", "exam_tiny")])
    ada, zoe = read_scores(url, LESSON_ID)
    assert (ada.points, zoe.points, dict(zoe.cells), zoe.first_name) == (6.0, 0.0, {}, "Zoë")


def test_messages_reach_the_gradebook_without_markup(url: str) -> None:
    """nbgrader renders comments as markdown: what learners' code wrote into a message must not become HTML."""
    nasty = Verdict("double", Outcome.RAISED, 0.0, 2.0, "It raised: <script>alert(1)</script> ![x](http://x)")
    write_reports(url, LESSON_ID, [tiny.report("ada", double=nasty)])
    comment = next(row for row in tables(url)["comment"] if "It raised" in row)
    assert "<script" not in comment
    assert "![" not in comment


def test_late_penalties_come_from_nbgraders_plugin(tmp_path: Path) -> None:
    """A due date in the gradebook and a plugin in the configuration are enough; the sum shows the penalty."""
    from autograder.nbgrader_seam import assign_late_penalties

    root = tiny.copy_course(tmp_path / "course")
    url = f"sqlite:///{root}/run/gradebook.db"
    config = root / "nbgrader_config.py"
    # The copied configuration says where the gradebook is by its own place.
    config.write_text(config.read_text() + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    assert not gradebook.has_due_date(url, LESSON_ID)
    execute(url, "UPDATE assignment SET duedate = '2026-01-31 12:00:00.000000'")
    times = {"ada": datetime(2026, 1, 31, 11), "ben": datetime(2026, 2, 1)}
    write_reports(url, LESSON_ID, [tiny.report("ada", "double"), tiny.report("ben", "double")], {}, times)
    assert gradebook.has_due_date(url, LESSON_ID)
    assign_late_penalties(root, LESSON_ID, ["ada", "ben"])
    assert (score_of(url, "ada").points, score_of(url, "ben").points, score_of(url, "ben").penalty) == (2.0, 0.0, 2.0)


def test_writing_scores_imports_neither_nbgrader_nor_a_notebook_library() -> None:
    """Their imports cost more processor time than grading a class does."""
    modules = "autograder.gradebook, autograder.feedback, autograder.export, autograder.copies"
    slow = "{'nbgrader', 'nbformat', 'nbconvert', 'jupytext', 'jsonschema'}"
    code = f"import sys, {modules}; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tiny.PROJECT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
