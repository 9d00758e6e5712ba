"""Running `course` as people do: in a process of its own, inside a course's folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from autograder.folders import Folders

PROJECT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "autograder.cli"]


def environment(**changes: str) -> dict[str, str]:
    """The environment of a terminal in which this project is installed, or lies beside the tests."""
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", "NO_COLOR": "1", **changes}


def course_command(root: Path, *arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Args:
        root: folder in which it runs.
        arguments: of the command.
        changes: to the environment.
    """
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, cwd=root, env=environment(**changes), capture_output=True, text=True, timeout=180, check=False
    )


def started_command(root: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], cwd=root, env=environment(), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=listen_to_ctrl_c,
    )  # fmt: skip


def listen_to_ctrl_c() -> None:
    """A shell starts background jobs deaf to Ctrl-C, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def copy_course(course: Folders, root: Path) -> Folders:
    """A course with the same lessons, secret and expected values, and nothing graded yet."""
    root.mkdir(parents=True)
    for path in (course.root / "nbgrader_config.py", PROJECT / "pyproject.toml"):
        shutil.copy(path, root)
    for name in ("solutions", "notebooks", "run/expected", "run/views"):
        shutil.copytree(course.root / name, root / name)
    shutil.copy2(course.secret_file, root / "run")
    return Folders(root)
