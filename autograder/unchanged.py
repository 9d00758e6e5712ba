"""Submissions that are as they were when they were last published: known by their bytes, and not judged again.

What enters: the submissions that were found. What leaves: each of them, with what stands of it when nothing has
changed: not the file, the lesson, the judge or the environment. Whatever is missing, from a row of the gradebook to
a copy for markers, makes a submission count as changed, so that the next run repairs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from autograder.copies import autograded_path
from autograder.course import Lesson
from autograder.file_marks import Marks
from autograder.folders import Folders
from autograder.grade import Graded, version_of
from autograder.gradebook import GradebookError, database_url, handed_in
from autograder.intake import Entry
from autograder.submission import Unreadable, read_bytes
from autograder.verdicts import PIECE, Published, VerdictStore


def sorted_out(folders: Folders, lesson: Lesson, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Graded | None]]:
    """Each submission, with what stands of it, or None when it is to be judged.

    Args:
        folders: the course.
        lesson: the lesson.
        entries: the submissions.

    Raises:
        CourseError: a notebook of the lesson, or the course's secret, is missing.
    """
    folders.require_notebooks(lesson.id)
    marks = Marks(folders, lesson, version_of(lesson, folders.secret()))
    store, known, rest = VerdictStore(folders.verdicts), _in_gradebook(folders, lesson), iter(entries)
    while piece := list(islice(rest, PIECE)):
        found = store.published(lesson.id, [entry.learner for entry in piece if entry.learner in known])
        for entry in piece:
            yield entry, _as_it_was(folders, lesson, entry, found, marks)


def _in_gradebook(folders: Folders, lesson: Lesson) -> frozenset[str]:
    # Without a gradebook everything is written again; one that cannot be reached is told when it is to be written.
    with suppress(GradebookError):
        return handed_in(database_url(folders.root), lesson.id)
    return frozenset()


def _as_it_was(
    folders: Folders, lesson: Lesson, entry: Entry, found: Mapping[str, Published], marks: Marks
) -> Graded | None:
    before = found.get(entry.learner)
    if before is None or entry.path is None:
        return None
    try:
        same = marks.of(read_bytes(entry.path), entry.path.parent) == before.file
    except Unreadable:
        return None
    if not same or not autograded_path(folders.autograded, entry.learner, lesson.id).exists():
        return None
    return Graded(before.report, file=before.file, page=before.page)
