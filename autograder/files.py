"""Writing files that are never half there, under names that stay where they belong."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autograder.folders import CourseError

# What is being written is called .NAME.COMPUTER.PROCESS.something until it is whole.
_PART = re.compile(rf"\..*\.{re.escape(platform.node())}\.(\d+)\.\w+")


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, finds the old content or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path.name))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """A folder to work in that is gone afterwards; if this process is killed, the next one that comes by removes it.

    Args:
        parent: where it lies.
        name: what it is for.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=_prefix(name)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove from a folder what killed processes of this computer left half-written there."""
    left = []
    with suppress(FileNotFoundError), os.scandir(folder) as found:
        left = [path for path in found if (part := _PART.fullmatch(path.name)) and _gone(int(part[1]))]
    for path in left:
        if path.is_dir(follow_symlinks=False):
            shutil.rmtree(path.path, ignore_errors=True)
        else:
            Path(path.path).unlink(missing_ok=True)


def _prefix(name: str) -> str:
    return f".{name}.{platform.node()}.{os.getpid()}."


def _gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def plain_name(name: str) -> str:
    """The name, if it can be the name of a folder and of nothing else.

    Raises:
        CourseError: it is empty or would lead to another folder.
    """
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise CourseError(f"{name!r} cannot be the name of a folder; rename the submission's folder.")
    return name
