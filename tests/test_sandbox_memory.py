"""What the sandbox itself takes: little, and a fork hardly anything."""

from __future__ import annotations

from pathlib import Path

from autograder.catalogue import graded_from
from autograder.course import Lesson
from autograder.view import build_view
from benchmarks.memory import measured


def test_numpy_worker_and_fork_are_small(lesson: Lesson, tmp_path: Path) -> None:
    """A warm server without Torch stays below 80 MB, and a job adds less than 10 MB of its own."""
    sizes = dict(measured(build_view(lesson, graded_from(lesson), tmp_path), torch=False))
    assert sizes["server"]["Rss"] < 80
    assert sizes["job"]["Private"] < 10
