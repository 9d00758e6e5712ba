"""Memory of the sandbox: ``python -m benchmarks.memory`` in the project's folder.

Starts a pool without Torch and one with it, holds one job open in each, and reads what the kernel counts: resident
memory, the part of it that is shared fairly (PSS), and what a process has for itself alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from autograder.catalogue import find_lesson, graded_from
from autograder.folders import Folders
from autograder.sandbox.pool import Piece, Pool
from autograder.view import build_view
from course_lib.cases import call_case

POOLS = (("01_xor_mlp", False), ("08_residual", True))
SOURCE = "import numpy as np\n\ndef double(x):\n    return 2 * x"


def memory_of(process: int) -> dict[str, float]:
    """Megabytes of a process: ``Rss``, ``Pss``, and ``Private``."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in text.splitlines()[1:]}
    return {"Rss": sizes["Rss"], "Pss": sizes["Pss"], "Private": sizes["Private_Clean"] + sizes["Private_Dirty"]}


def below(top: int) -> set[int]:
    """Processes below one."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found = {top}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {top}


def measured(view: Path, torch: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """Name and memory of the server and of one job in it.

    Args:
        view: what learners' code sees as the library.
        torch: a pool with Torch?
    """
    before = below(os.getpid())
    with Pool(view, torch=torch) as pool:
        inside = sorted(below(os.getpid()) - before)
        with pool.job() as job:
            job.load([Piece("cell", SOURCE)])
            job.play([call_case("one", "double", {"x": 1.0})])
            forked = sorted(below(os.getpid()) - before - set(inside))
            # bubblewrap's own two processes come first; a middle process is gone by now.
            yield "server", memory_of(inside[-1])
            yield "job", memory_of(forked[-1])


def main() -> None:
    """Print a line per process."""
    folders = Folders.find()
    for name, torch in POOLS:
        lesson = find_lesson(name)
        view = build_view(lesson, graded_from(lesson), folders.views)
        for kind, sizes in measured(view, torch):
            said = ", ".join(f"{key} {size:.0f} MB" for key, size in sizes.items())
            print(f"{'Torch' if torch else 'NumPy'} {kind}: {said}")


if __name__ == "__main__":
    main()
