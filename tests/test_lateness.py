"""Late penalties: one plugin, and the same points from `nbgrader autograde` and from `course grade`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import tiny_course as tiny
from hypothesis import given
from hypothesis import strategies as st
from tiny_course import LESSON, LESSON_ID, OPEN
from traitlets import TraitError

from autograder.copies import timestamp_of
from autograder.export import export_scores
from autograder.folders import Folders
from autograder.grade import Graded
from autograder.gradebook import LearnerScore, read_scores
from autograder.gradebook_tables import transaction
from autograder.lateness import SECONDS_A_DAY, ShareLostPerDay
from autograder.publish import publish, scores_of_today
from autograder.release import load_config

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore:Object of type",  # nbgrader's add_submission, under SQLAlchemy 2
)

# As the comment in nbgrader_config.py has it, with a cap of a quarter.
SETTINGS = """
c.AssignLatePenalties.plugin_class = "autograder.lateness.ShareLostPerDay"
c.ShareLostPerDay.share_per_day = 0.1
c.ShareLostPerDay.grace_minutes = 15
c.ShareLostPerDay.most = 0.25
"""
DUE = "2026-01-31 18:00:00 Europe/Paris"
# What was handed in when, and the share that is lost: due at 17:00 UTC, free until 17:15.
TIMES = {
    "early": ("2026-01-30 09:00:00 UTC", 0.0),
    "exact": ("2026-01-31 17:00:00.000000 UTC", 0.0),
    "grace": ("2026-01-31 17:15:00 UTC", 0.0),
    "second": ("2026-01-31 17:15:01 UTC", 0.1),
    "day": ("2026-02-01 17:15:00 UTC", 0.1),
    "two": ("2026-02-01 17:15:01 UTC", 0.2),
    "weeks": ("2026-02-20 12:00:00 UTC", 0.25),
    "paris": ("2026-01-31 18:10:00 Europe/Paris", 0.0),
    "newyork": ("2026-01-31 12:30:00 America/New_York", 0.1),
    "offset": ("2026-01-31 19:00:00 +0100", 0.1),
    "behind": ("2026-01-31 13:00:00 -0400", 0.0),
    "iso": ("2026-01-31T18:20:00+01:00", 0.1),
    "unknown": ("", 0.0),
}


def plugin(**settings: float) -> ShareLostPerDay:
    """The plugin with these settings."""
    return ShareLostPerDay(**settings)


@pytest.mark.parametrize(
    ("seconds", "points"),
    [(0, None), (900, None), (901, 1.0), (900 + SECONDS_A_DAY, 1.0), (901 + SECONDS_A_DAY, 2.0), (1e9, 5.0)],
)
def test_each_started_day_costs_a_share(seconds: float, points: float | None) -> None:
    """Nothing within the grace, a tenth for the first started day, a second tenth with the next, half at most."""
    lost = plugin(share_per_day=0.1, grace_minutes=15, most=0.5).late_submission_penalty("ada", 10.0, seconds)
    assert lost == (None if points is None else pytest.approx(points))


@given(
    st.floats(0, 1), st.floats(0, 1e4), st.floats(0, 1), st.floats(-5, 1e3), st.floats(0, 1e12), st.floats(0, 1e12)
)  # fmt: skip
def test_a_penalty_is_never_more_than_was_earned(
    share: float, grace: float, most: float, score: float, late: float, later: float
) -> None:
    """Whatever the settings: not below zero, not above the cap, and later never costs less."""
    asked = plugin(share_per_day=share, grace_minutes=grace, most=most)
    first, second = (asked.late_submission_penalty("ada", score, s) or 0.0 for s in sorted((late, later)))
    assert 0.0 <= first <= second <= max(0.0, score * most)


@pytest.mark.parametrize(
    "setting", [{"share_per_day": -0.1}, {"share_per_day": 1.5}, {"grace_minutes": -1}, {"most": 2}]
)
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    """A percentage for a share, or a negative one, is told to the instructor."""
    with pytest.raises(TraitError):
        plugin(**setting)


def course(root: Path, settings: str = SETTINGS, due: str = DUE, class_of: Collection[str] = TIMES) -> Folders:
    """A course with submissions as `TIMES` has them, each with two right answers, five points."""
    tiny.copy_course(root)
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + settings)
    if due:
        done = tiny.nbgrader(root, "db", "assignment", "add", LESSON_ID, "--duedate", due)
        assert done.returncode == 0, done.stderr
    for who in class_of:
        text, _ = TIMES[who]
        path = tiny.hand_in(root, who, tiny.answered(root, ["double", "square"]))
        if text:
            path.with_name("timestamp.txt").write_text(text)
    return Folders(root)


def by_nbgrader(folders: Folders) -> dict[str, LearnerScore]:
    """What `nbgrader autograde` leaves in the gradebook, through nbgrader's API."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    config = load_config(folders.root)
    done = NbGraderAPI(CourseDirectory(config=config), config=config).autograde(LESSON_ID, "*", force=True)
    assert done["success"], done
    return scores(folders)


def by_course(folders: Folders) -> dict[str, LearnerScore]:
    """What `course grade` leaves there, once the submissions are judged."""
    graded = [
        Graded(tiny.report(who, "double", "square"), True, {}, handed_in=timestamp_of(folder(folders, who))[1])
        for who in sorted(path.name for path in folders.submitted.iterdir())
    ]
    publish(folders, LESSON, graded)
    return scores(folders)


def folder(folders: Folders, who: str) -> Path:
    """Where a submission lies."""
    return folders.submitted / who / LESSON_ID


def url(folders: Folders) -> str:
    """The course's gradebook."""
    return f"sqlite:///{folders.run}/gradebook.db"


def scores(folders: Folders) -> dict[str, LearnerScore]:
    """The gradebook by learner."""
    return {score.learner: score for score in read_scores(url(folders), LESSON_ID)}


def points(found: dict[str, LearnerScore]) -> dict[str, Any]:
    """Points and penalty by learner."""
    return {who: (score.points, score.penalty) for who, score in found.items()}


def execute(folders: Folders, statement: str) -> None:
    """Change the gradebook as formgrader would."""
    import sqlalchemy as sa

    with transaction(url(folders), write=True) as book:
        book.connection.execute(sa.text(statement))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folders, dict[str, LearnerScore]]:
    """A class graded by `course grade`, and its scores."""
    folders = course(tmp_path_factory.mktemp("late") / "course")
    return folders, by_course(folders)


@pytest.mark.slow
def test_both_ways_give_the_same_scores(tmp_path: Path, graded: tuple[Folders, dict[str, LearnerScore]]) -> None:
    """On time, a second late, weeks late, any time zone, no time: the same points, and those that were announced."""
    expected = {who: pytest.approx((5.0 * (1 - share), 5.0 * share)) for who, (_, share) in TIMES.items()}
    assert points(graded[1]) == expected
    assert points(by_nbgrader(course(tmp_path / "course"))) == expected


@pytest.mark.parametrize(("settings", "due"), [(SETTINGS, ""), ("", DUE)], ids=["no due date", "no plugin"])
def test_nothing_is_lost_without_a_due_date_or_a_plugin(tmp_path: Path, settings: str, due: str) -> None:
    """Neither way takes points that nobody announced."""
    folders = course(tmp_path / "course", settings, due, ["early", "weeks"])
    assert set(points(by_course(folders)).values()) == {(5.0, 0.0)}
    assert set(points(by_nbgrader(folders)).values()) == {(5.0, 0.0)}


def test_the_penalty_is_shown(graded: tuple[Folders, dict[str, LearnerScore]], tmp_path: Path) -> None:
    """Feedback pages and the table have it; an LMS gets the points that are left."""
    folders, found = graded
    assert "after a late penalty of 0.5" in (folders.feedback / "day" / LESSON_ID / f"{LESSON_ID}.html").read_text()
    assert "penalty" not in (folders.feedback / "early" / LESSON_ID / f"{LESSON_ID}.html").read_text()
    export_scores(tmp_path / "plain.csv", list(found.values()), LESSON.title)
    export_scores(tmp_path / "canvas.csv", list(found.values()), LESSON.title, form="canvas", unfinished=True)
    row = next(line for line in (tmp_path / "plain.csv").read_text().splitlines() if line.startswith("day,"))
    assert ",4.5,9,0.5," in row
    row = next(line for line in (tmp_path / "canvas.csv").read_text().splitlines() if line.startswith("day,"))
    assert row.endswith(",4.5")


def test_a_later_mark_changes_the_penalty(tmp_path: Path) -> None:
    """The share is of all points: a mark given after grading counts when pages or tables are written again."""
    folders = course(tmp_path / "course", class_of=["early", "day"])
    by_course(folders)
    execute(folders, "UPDATE grade SET manual_score = 3.0, needs_manual_grade = 0 WHERE cell_id IN "
                     f"(SELECT id FROM base_cell WHERE name = '{OPEN}' AND type = 'GradeCell')")  # fmt: skip
    found = {score.learner: score for score in scores_of_today(folders, LESSON)}
    assert (found["day"].points, found["day"].penalty) == pytest.approx((7.2, 0.8))
    assert (found["early"].points, found["early"].penalty) == (8.0, 0.0)


def test_a_due_date_that_is_taken_back_costs_nothing(tmp_path: Path) -> None:
    """Moved or removed: the penalties follow, without grading again."""
    folders = course(tmp_path / "course", class_of=["day", "two", "weeks"])
    by_course(folders)
    execute(folders, "UPDATE assignment SET duedate = '2026-02-01 17:00:00.000000'")
    assert {score.learner for score in scores_of_today(folders, LESSON) if score.penalty} == {"two", "weeks"}
    execute(folders, "UPDATE assignment SET duedate = NULL")
    assert not any(score.penalty for score in scores_of_today(folders, LESSON))


def test_an_extension_counts(tmp_path: Path) -> None:
    """nbgrader's extension moves one learner's due date, and nobody else's."""
    from nbgrader.api import Gradebook

    folders = course(tmp_path / "course", class_of=["early", "day", "weeks"])
    by_course(folders)
    with Gradebook(url(folders)) as book:
        book.grant_extension(LESSON_ID, "day", days=2)
    late = {score.learner for score in scores_of_today(folders, LESSON) if score.penalty}
    assert late == {"weeks"}


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-01-31 13:00:00 +0100", datetime(2026, 1, 31, 12)),
        ("2026-01-31 13:00:00 -0530", datetime(2026, 1, 31, 18, 30)),
        ("2026-07-31 13:00:00 Europe/Paris", datetime(2026, 7, 31, 11)),
        ("2026-01-31T13:00:00Z", datetime(2026, 1, 31, 13)),
        ("2026-01-31 13:00:00", datetime(2026, 1, 31, 13)),
    ],
)
def test_time_zones_are_understood(text: str, when: datetime, tmp_path: Path) -> None:
    """Names with summer time, offsets in either direction, and UTC where nothing is said."""
    (tmp_path / "timestamp.txt").write_text(text)
    assert timestamp_of(tmp_path) == (text, when)
