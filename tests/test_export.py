"""Scores for people, Canvas and Moodle: every name survives, no cell is a formula."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import tiny_course as tiny
from hypothesis import given
from hypothesis import strategies as st
from tiny_course import LESSON_ID, OPEN

from autograder.export import FORMULA_STARTS, export_csv, export_scores, safe_text, to_csv
from autograder.folders import CourseError
from autograder.gradebook import CellScore, LearnerScore, write_reports

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

DONE = {"check_double": CellScore(2.0, None, 0.0, 2.0, False), OPEN: CellScore(None, 2.5, 0.0, 3.0, False)}
WAITS = {"check_double": CellScore(2.0, None, 0.0, 2.0, False), OPEN: CellScore(None, None, 0.0, 3.0, True)}
CLASS = (
    LearnerScore("ada", "Ada", 'O\'Neil, "the Countess"', "ada@example.org", "17", 0.5, DONE),
    LearnerScore("ben", "=1+1", "@SUM(A1)", "-x", "", 0.0, WAITS),
    LearnerScore("zoë", "Zoë", "Ñandú\n李", "", "", 0.0, {}),
)


def rows(path: Path) -> list[list[str]]:
    """The file as a CSV reader sees it."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_plain_form_has_everybody_and_every_cell(tmp_path: Path) -> None:
    """One row per learner, names whole, unfinished sums marked, penalties taken off."""
    done = export_scores(tmp_path / "scores.csv", CLASS, "Tiny, the lesson")
    header, ada, ben, zoe = rows(done.path)
    assert header[:9] == "learner last_name first_name email lesson points max_points late_penalty waits".split()
    assert header[9:] == ["double", OPEN]
    assert ada[1:] == [
        CLASS[0].last_name,
        "Ada",
        "ada@example.org",
        "Tiny, the lesson",
        "4",
        "5",
        "0.5",
        "",
        "2",
        "2.5",
    ]
    assert ben[8] == OPEN
    assert zoe == ["zoë", "Ñandú\n李", "Zoë", "", "Tiny, the lesson", "", "", "", "", "", ""]
    assert done.learners == 2


def test_canvas_form_is_what_canvas_imports(tmp_path: Path) -> None:
    """Its columns in its order, the row of possible points, and no grade for whom a person still marks."""
    done = export_scores(tmp_path / "canvas.csv", CLASS, "Tiny", form="canvas", column_id="4711")
    header, possible, ada, ben, zoe = rows(done.path)
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Tiny (4711)"]
    assert (possible[0].strip(), possible[-1]) == ("Points Possible", "5")
    assert ada == ['O\'Neil, "the Countess", Ada', "17", "ada", "ada", "", "4"]
    assert (ben[-1], zoe[-1]) == ("", "")
    assert (done.learners, done.waiting) == (1, ("ben",))


def test_moodle_form_says_no_grade_with_a_dash(tmp_path: Path) -> None:
    """Moodle finds people by id number or e-mail; `-` leaves a grade alone."""
    done = export_scores(tmp_path / "moodle.csv", CLASS, "Tiny", form="moodle")
    header, ada, ben, zoe = rows(done.path)
    assert header == ["First name", "Last name", "ID number", "Email address", "Tiny"]
    assert ada == ["Ada", 'O\'Neil, "the Countess"', "17", "ada@example.org", "4"]
    assert (ben[-1], zoe[-1]) == ("-", "-")


def test_unfinished_sums_are_written_when_asked_for(tmp_path: Path) -> None:
    """An instructor may want them all the same."""
    done = export_scores(tmp_path / "moodle.csv", CLASS, "Tiny", form="moodle", unfinished=True)
    assert [row[-1] for row in rows(done.path)] == ["Tiny", "4", "2", "-"]
    assert (done.learners, done.waiting) == (2, ())


@pytest.mark.parametrize("form", ["plain", "canvas", "moodle"])
def test_no_cell_is_a_formula(tmp_path: Path, form: str) -> None:
    """A spreadsheet that opens the file computes nothing that a learner wrote."""
    path = export_scores(tmp_path / "scores.csv", CLASS, "=HYPERLINK(1)", form=form).path
    cells = [cell for row in rows(path) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS) and cell != "-"]


@given(st.text())
def test_any_text_survives_the_trip(text: str) -> None:
    """What is read back is what was written, with an apostrophe before formulas only."""
    plain = text.encode("utf-8", "replace").decode()
    ((_, back),) = csv.reader(io.StringIO(to_csv(("x", plain), []), newline=""))
    assert back == safe_text(plain)
    assert back in (plain, f"'{plain}")


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    """The sentence lists the forms there are."""
    with pytest.raises(CourseError, match="'blackboard'.*plain, canvas, moodle"):
        export_scores(tmp_path / "x.csv", CLASS, "Tiny", form="blackboard")
    assert not (tmp_path / "x.csv").exists()


def test_nbgraders_export_command_quotes_too(tmp_path: Path) -> None:
    """`nbgrader export` gives nbgrader's columns, and a comma in a name breaks nothing; so does `course export`."""
    root = tiny.copy_course(tmp_path / "course")
    database = root / "run" / "gradebook.db"
    write_reports(f"sqlite:///{database}", LESSON_ID, [tiny.report("ada", "double")])
    with closing(sqlite3.connect(database)) as book, book:
        book.execute("UPDATE student SET last_name = ?, first_name = ?", ("O'Neil, Sr", "=Ada"))
        book.execute("INSERT INTO student (id) VALUES ('zoe')")
    done = tiny.nbgrader(root, "export", "--to", "out.csv")
    assert done.returncode == 0, done.stderr
    header, zoe, ada = rows(root / "out.csv")
    assert dict(zip(header, ada, strict=True)) == {
        **dict.fromkeys(("duedate", "timestamp", "email"), ""),
        "assignment": LESSON_ID,
        "student_id": "ada",
        "last_name": "O'Neil, Sr",
        "first_name": "'=Ada",
        "raw_score": "2",
        "late_submission_penalty": "0",
        "score": "2",
        "max_score": "9",
    }
    assert zoe[-2:] == ["0", "9"]
    assert export_csv(root, tiny.LESSON, "plain", tmp_path / "own.csv").learners == 1
