"""One at a time: locks between processes that end with the process, however it ends.

What enters: a file that exists for nothing else. What leaves: the certainty that nobody else is inside.
"""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder import database_messages as messages
from autograder.folders import CourseError, Folders

_HELD = (errno.EACCES, errno.EAGAIN)


@contextmanager
def turn(folders: Folders, lesson_id: str, say: Callable[[str], None]) -> Iterator[None]:
    """Be the only one who grades or regrades a lesson of this course; `say` tells people that they wait.

    Raises:
        CourseError: the course has no secret yet, or its disk has no locks.
    """
    folders.secret()
    path = folders.run / f".{lesson_id}.lock"
    with alone(path, lambda holder: say(messages.WAITING.format(holder=holder, lesson=lesson_id))):
        yield


@contextmanager
def alone(path: Path, waiting: Callable[[str], None] = lambda holder: None) -> Iterator[None]:
    """Wait until no other process is inside with the same file, then be inside.

    Args:
        path: the file, made when it is missing; it stays. A process must not enter twice.
        waiting: called once when somebody is inside, with who that is.

    Raises:
        CourseError: the disk has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is graded
        yield
        return
    with open(path, "a+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD:
                raise CourseError(messages.NO_LOCKS.format(path=path, said=error.strerror)) from None
            file.seek(0)
            waiting(file.read(200).decode(errors="replace") or messages.SOMEBODY)
            fcntl.lockf(file, fcntl.LOCK_EX)
        # Not `flock`: that lock would live on in worker processes of a grader that was killed.
        file.truncate(0)
        file.write(messages.HOLDER.format(process=os.getpid(), computer=platform.node()).encode())
        file.flush()
        yield
