"""Do the walls hold? Asked before every run, answered by trying."""

from __future__ import annotations

from autograder.catalogue import graded_from
from autograder.course import Lesson
from autograder.doctor import WallCheck, run_doctor
from autograder.folders import Folders
from autograder.view import build_view


def check_walls(folders: Folders, lesson: Lesson) -> list[WallCheck]:
    """Test every wall for real, around what a submission of the lesson would see."""
    return run_doctor(build_view(lesson, graded_from(lesson), folders.views))


def missing_walls(folders: Folders, lesson: Lesson) -> list[WallCheck]:
    """The walls that do not hold; grading refuses to start unless there is none."""
    return [check for check in check_walls(folders, lesson) if check.state != "ok"]
