"""Writing files that are never half there, under names that stay where they belong."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from autograder.folders import CourseError


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, finds the old content or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def plain_name(name: str) -> str:
    """The name, if it can be the name of a folder and of nothing else.

    Raises:
        CourseError: it is empty or would lead to another folder.
    """
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise CourseError(f"{name!r} cannot be the name of a folder; rename the submission's folder.")
    return name
