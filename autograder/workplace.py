"""A course folder beside the real one, in which a class can be judged without a trace.

What enters: the real course, which is only read: not even SQLite may open its files. What leaves: `Folders` whose
`run` is temporary, with the same lessons and secret and a copy of the verdicts.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.course import Lesson
from autograder.expected import load_expectations
from autograder.folders import CourseError, Folders
from autograder.verdicts import VerdictStore

BUSY = "{path} is being written by another program. Wait until it has finished, and run again."
_COPIES = 5


@contextmanager
def workplace(folders: Folders) -> Iterator[Folders]:
    """A course folder beside the real one, for one run: same lessons and secret, a copy of the verdicts.

    Args:
        folders: the real course; it is only read.

    Raises:
        CourseError: the course has no secret, or its verdicts are being written just now.
    """
    folders.secret()
    with tempfile.TemporaryDirectory(prefix="course-regrade-") as name:
        # An absolute second part takes the place of the first: `run` is the temporary folder.
        place = Folders(folders.root, name)
        place.secret_file.symlink_to(folders.secret_file)
        _copy_store(folders.verdicts, place.verdicts)
        try:
            VerdictStore(place.verdicts)
        except CourseError as error:
            raise CourseError(str(error).replace(str(place.verdicts), str(folders.verdicts))) from None
        yield place


def _copy_store(store: Path, copy: Path) -> None:
    """Copy the file and its log without opening it: SQLite would write beside it."""
    parts = [Path(f"{store}{suffix}") for suffix in ("", "-wal")]
    for _ in range(_COPIES):
        before = [_state(part) for part in parts]
        for part in parts:
            if part.exists():
                shutil.copyfile(part, copy.with_name(part.name))
        if before == [_state(part) for part in parts]:
            return
        for part in parts:
            copy.with_name(part.name).unlink(missing_ok=True)
    raise CourseError(BUSY.format(path=store))


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def lend_expected(folders: Folders, place: Folders, lesson: Lesson, dry_run: bool) -> None:
    """Let the workplace read the expected values that are known; it writes new ones beside them, in its own folder.

    Args:
        folders: the real course.
        place: what `workplace` gave.
        lesson: the lesson.
        dry_run: when false, values that are missing are made and kept in the real course first.
    """
    if not dry_run:
        load_expectations(lesson, folders.secret(), folders.expected)
    place.expected.mkdir(mode=0o700)
    for path in folders.expected.glob("*.safetensors"):
        (place.expected / path.name).symlink_to(path)
