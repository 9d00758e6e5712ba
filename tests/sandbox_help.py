"""A small course view, and short ways to play in a job, for the tests of the sandbox."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder.sandbox.pool import Job, Piece, Played
from course_lib.cases import Case, call_case

ROOT = Path(__file__).resolve().parents[1]


def make_view(folder: Path) -> Path:
    """A view with the modules that the worker itself needs, and one kernel.

    Args:
        folder: where to make it; jobs of a root pool are another user, so it becomes readable for all.
    """
    package = folder / "view" / "course_lib"
    package.mkdir(parents=True)
    for name in ("tree.py", "cases.py", "messages.py", "modules.py", "probes.py"):
        shutil.copy(ROOT / "course_lib" / name, package)
    (package / "__init__.py").write_text("def check(*_):\n    pass\n")
    (package / "kernels.py").write_text("def twice(x):\n    return 2 * x\n")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return package.parent


def play(job: Job, source: str, *cases: Case) -> list[Played]:
    """Load one piece, which must not fail, and play cases."""
    assert job.load([Piece("cell 1", source)]) == []
    return job.play(cases)


def value(job: Job, source: str, *arguments: object) -> object:
    """What the function `f` of a piece returns."""
    played = play(job, source, call_case("case", "f", {f"a{n}": item for n, item in enumerate(arguments)}))[0]
    assert played.error is None, played.error
    return played.seen["result"]
