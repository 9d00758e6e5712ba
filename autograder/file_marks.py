"""Short names of submitted files: equal names mean that judging, copying and showing again would change nothing.

What enters: a file's bytes. What leaves: a hash of them and of all that verdicts, copies and pages are made with.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from autograder.copies import exchange_slips
from autograder.course import Lesson
from autograder.folders import Folders


class Marks:
    """Names submitted files by all that their copy, verdicts and pages are made of, what markers add apart.

    Args:
        folders: the course; its released notebook must be there.
        lesson: the lesson.
        version: names everything that decides a verdict, the submission apart (`grade.version_of`).
    """

    def __init__(self, folders: Folders, lesson: Lesson, version: str) -> None:
        made_with = (folders.released(lesson.id), Path(__file__).with_name("copies.py"))
        self._start = hashlib.sha256(version.encode())
        for path in made_with:
            self._start.update(hashlib.sha256(path.read_bytes()).digest())

    def of(self, content: bytes, folder: Path) -> str:
        """The mark of a file's content, and of nbgrader's slips that lie beside it."""
        digest = self._start.copy()
        digest.update(repr(sorted(exchange_slips(folder).items())).encode())
        digest.update(content)
        return digest.hexdigest()
