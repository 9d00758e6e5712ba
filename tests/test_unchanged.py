"""Grading an unchanged class again: nothing is judged or written, and whatever changed or is missing is made again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from commands import copy_course
from rich.console import Console

from autograder import classwork, grade
from autograder.classroom import fill, hand_in
from autograder.classwork import GradedClass
from autograder.course import Lesson
from autograder.folders import Folders
from autograder.grade import Grader
from autograder.gradebook import database_url
from autograder.intake import find_submissions
from autograder.progress import Watch
from autograder.unchanged import sorted_out
from autograder.verdicts import VerdictStore

OPEN_ANSWER = "Because a straight line cannot do it."
CLASS = ("ada", "bruno", "carla", "nils")
# A file that nobody can read has no verdict to keep.
ALWAYS = {"nils"}

Change = Callable[[Folders, Lesson], None]


def run(folders: Folders, lesson: Lesson, **options: Any) -> GradedClass:
    """Grade and publish what is handed in, in this process."""
    entries = find_submissions(folders.submitted, lesson.id)
    return classwork.grade_class(folders, lesson, entries, Watch(Console(), show=False), processes=1, **options)


def files(folders: Folders) -> dict[str, tuple[bytes, int]]:
    """Content and time of all files that learners and markers open."""
    paths = [path for place in (folders.autograded, folders.feedback) for path in place.rglob("*") if path.is_file()]
    return {str(path.relative_to(folders.root)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def changed(folders: Folders, lesson: Lesson) -> set[str]:
    """Who would be judged now."""
    entries = find_submissions(folders.submitted, lesson.id)
    return {entry.learner for entry, stands in sorted_out(folders, lesson, entries) if stands is None}


@pytest.fixture(scope="module")
def template(
    course: Folders, grader: Grader, lesson: Lesson, released: dict[str, Any], solved: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Folders:  # fmt: skip
    """A graded class; tests work on copies of it."""
    folders = copy_course(course, tmp_path_factory.mktemp("unchanged") / "course")
    wrong = {"mse_loss": "def mse_loss(y_hat, y):\n    return (y_hat - y) ** 2"}
    said = {lesson.open_questions[0].id: OPEN_ANSWER}
    for learner, answers in {"ada": said, "bruno": wrong, "carla": {}}.items():
        hand_in(folders.submitted, learner, lesson.id, fill(released, solved | answers, learner))
    hand_in(folders.submitted, "nils", lesson.id, b"")
    run(folders, lesson)
    return folders


@pytest.fixture
def ours(template: Folders, tmp_path: Path) -> Folders:
    """A copy of the graded class for one test."""
    shutil.copytree(template.root, tmp_path / "course")
    return Folders(tmp_path / "course")


def test_unchanged_class_needs_no_walls_and_is_not_written_again(
    ours: Folders, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is judged, so nothing asks for walls; no page and no copy is touched; the reports stand."""
    (ours.submitted / "nils").rename(ours.root / "nils")
    before, stood = files(ours), {report.learner: report for report in VerdictStore(ours.verdicts).latest(lesson.id)}
    monkeypatch.setattr(classwork, "missing_walls", lambda *_: pytest.fail("walls were asked for"))
    monkeypatch.setattr(grade, "grade_class", lambda *_, **__: pytest.fail("somebody was judged"))
    again = run(ours, lesson)
    assert files(ours) == before
    assert {report.learner: report for report in again.reports()} == {who: stood[who] for who in set(CLASS) - ALWAYS}
    assert again.tally.total == 3


def resubmit(folders: Folders, lesson: Lesson) -> None:
    """Another wrong answer."""
    path = folders.submitted / "bruno" / lesson.id / f"{lesson.id}.ipynb"
    path.write_text(path.read_text().replace("(y_hat - y) ** 2", "(y - y_hat) ** 2"))


def date(folders: Folders, lesson: Lesson) -> None:
    """Handed in at another time."""
    (folders.submitted / "bruno" / lesson.id / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")


def drop_copy(folders: Folders, lesson: Lesson) -> None:
    """The copy for markers is lost."""
    (folders.autograded / "bruno" / lesson.id / f"{lesson.id}.ipynb").unlink()


def judge_elsewhere(folders: Folders, lesson: Lesson) -> None:
    """As nbgrader's own autograde does: a new report, and nothing published."""
    store = VerdictStore(folders.verdicts)
    report = store.latest_of(lesson.id, "bruno")
    assert report is not None
    store.put(replace(report, reason="judged elsewhere"), keep=False)


def regrade(folders: Folders, lesson: Lesson) -> None:
    """A regrade gave points of its own."""
    store = VerdictStore(folders.verdicts)
    store.replace_latest([report for report in store.latest(lesson.id) if report.learner == "bruno"])


@pytest.mark.parametrize("change", [resubmit, date, drop_copy, judge_elsewhere, regrade])
def test_what_changed_for_one_is_judged_again(change: Change, ours: Folders, lesson: Lesson) -> None:
    """A new file, another time, a lost copy or a later report of one learner: the others stand, and all ends well."""
    change(ours, lesson)
    assert changed(ours, lesson) == {"bruno"} | ALWAYS
    run(ours, lesson)
    assert changed(ours, lesson) == ALWAYS
    assert (ours.autograded / "bruno" / lesson.id / f"{lesson.id}.ipynb").exists()


def release_anew(folders: Folders, lesson: Lesson) -> None:
    """The lesson's text changed."""
    path = folders.released(lesson.id)
    book = json.loads(path.read_bytes())
    book["cells"][0]["source"] = "# Another title"
    path.write_text(json.dumps(book))


def lose_gradebook(folders: Folders, lesson: Lesson) -> None:
    """Somebody deletes the gradebook."""
    (folders.run / "gradebook.db").unlink()


def change_secret(folders: Folders, lesson: Lesson) -> None:
    """Other secret cases."""
    folders.secret_file.chmod(0o600)
    folders.secret_file.write_text("1" * 64)


@pytest.mark.parametrize("change", [release_anew, lose_gradebook, change_secret])
def test_what_changed_for_all_means_judging_all(change: Change, ours: Folders, lesson: Lesson) -> None:
    """Another released notebook or secret, or a gradebook that is gone: everybody is looked at again."""
    change(ours, lesson)
    assert changed(ours, lesson) == set(CLASS)


def test_another_judge_means_judging_all(ours: Folders, lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict of an older judge is no verdict of today's."""
    monkeypatch.setattr("autograder.unchanged.version_of", lambda *_: "another judge")
    assert changed(ours, lesson) == set(CLASS)


def test_lost_page_is_written_again_with_its_texts(ours: Folders, lesson: Lesson) -> None:
    """A page that is gone comes back byte by byte, from the kept copy."""
    page = ours.feedback / "ada" / lesson.id / f"{lesson.id}.html"
    before = page.read_bytes()
    assert OPEN_ANSWER.encode() in before
    page.unlink()
    run(ours, lesson)
    assert page.read_bytes() == before


def test_a_markers_points_reach_the_page(ours: Folders, lesson: Lesson) -> None:
    """What a person gave since then is on the page after the next run, and no other page is touched."""
    before = files(ours)
    engine = sa.create_engine(database_url(ours.root))
    with closing(engine.raw_connection()) as database:
        done = database.cursor().execute(
            "UPDATE grade SET manual_score = 1.25, needs_manual_grade = 0 WHERE auto_score IS NULL AND notebook_id IN"
            " (SELECT s.id FROM submitted_notebook s JOIN submitted_assignment a ON a.id = s.assignment_id"
            "  WHERE a.student_id = 'ada')"
        )
        database.commit()
    assert done.rowcount >= 1
    run(ours, lesson)
    after = files(ours)
    touched = {name for name in after if after[name] != before[name]}
    assert touched == {f"run/feedback/{who}/{lesson.id}/{lesson.id}.html" for who in ("ada", *ALWAYS)} | {
        f"run/autograded/{who}/{lesson.id}/{lesson.id}.ipynb" for who in ALWAYS
    }
    assert b"1.25" in after[f"run/feedback/ada/{lesson.id}/{lesson.id}.html"][0]


def test_fresh_judges_everybody(ours: Folders, lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --fresh nobody's verdict is taken for granted."""
    judged = []
    honest = grade.grade_class

    def watched(folders: Folders, lesson: Lesson, entries: Any, **options: Any) -> Any:
        judged.extend(entry.learner for entry in entries)
        return honest(folders, lesson, entries, **options)

    monkeypatch.setattr(grade, "grade_class", watched)
    run(ours, lesson, fresh=True)
    assert set(judged) == set(CLASS)
