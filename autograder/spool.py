"""A class on its way from the judge to the gradebook, on disk: in memory is one submission at a time."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from autograder.grade import Graded


class Spool:
    """Graded submissions in the order in which they were added; can be gone through as often as needed.

    Args:
        folder: where the file lies; it has no name there, so that nothing is left of it whatever happens.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in __exit__.
        self._count = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, graded: Graded) -> None:
        """Add a submission; its copy for markers is not kept."""
        # Our own objects, in a file that nobody else can open: here pickle is safe, and ten times as fast as JSON.
        pickle.dump(replace(graded, copy=b""), self._file)
        self._count += 1

    def __iter__(self) -> Iterator[Graded]:
        self._file.flush()
        # Read through a file of its own: each that goes through stands at its own place.
        with Path(f"/proc/self/fd/{self._file.fileno()}").open("rb") as file:
            for _ in range(self._count):
                yield pickle.load(file)
