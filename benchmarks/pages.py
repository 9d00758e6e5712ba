"""What a feedback page costs: ``python -m benchmarks.pages`` in the project's folder.

Pages of lessons 01, 04 and 06 are written with the longest texts that there are: every answer is the course's own
solution, and every exercise has a message. CPU time of this process, files included; the first page, which loads
the template, apart.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from autograder.catalogue import find_lesson
from autograder.classroom import answers_of
from autograder.course import Lesson, Outcome, Report, Status, Verdict
from autograder.feedback import write_feedback
from autograder.folders import Folders

LESSONS = ("01_xor_mlp", "04_optimisers", "06_cnn")
MOST_SECONDS = 0.06
SAID = "Result differs at [0, 1]: expected 0.3125, received 0.2711. Look at the sign of the second term."


def seconds_a_page(folders: Folders, lesson: Lesson, count: int) -> float:
    """CPU seconds for one of many pages.

    Args:
        folders: the course, with the lesson's solution.
        lesson: the lesson.
        count: how many pages are written.
    """
    items = (*lesson.exercises, *lesson.questions)
    verdicts = tuple(Verdict(item.id, Outcome.WRONG_VALUES, 0.0, item.points, SAID) for item in items)
    report = Report("learner", lesson.id, Status.GRADED, verdicts)
    reports = [replace(report, learner=f"learner{number}") for number in range(count)]
    solved = answers_of(json.loads(folders.solution(lesson.id).read_bytes()))
    with tempfile.TemporaryDirectory() as folder:
        write_feedback([report], lesson, Path(folder), {"learner": solved})
        started = time.process_time()
        write_feedback(reports, lesson, Path(folder), {one.learner: solved for one in reports})
        return (time.process_time() - started) / count


def main() -> None:
    """Print milliseconds by lesson."""
    parser = argparse.ArgumentParser(description="CPU time of a feedback page.")
    parser.add_argument("--pages", type=int, default=20, help="how many pages of each lesson")
    count = parser.parse_args().pages
    for name in LESSONS:
        seconds = seconds_a_page(Folders.find(), find_lesson(name), count)
        print(f"{name}: {1000 * seconds:.2f} ms a page, {MOST_SECONDS / seconds:.0f} times less than allowed")


if __name__ == "__main__":
    main()
