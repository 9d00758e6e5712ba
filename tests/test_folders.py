"""Where a course keeps its things, and how its secret is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.folders import CourseError, Folders

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """An empty course."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "nbgrader_config.py").touch()
    return Folders(tmp_path)


def test_course_is_found_from_below(folders: Folders) -> None:
    """A command works in any folder of the course."""
    below = folders.root / "solutions" / "a" / "b"
    below.mkdir(parents=True)
    assert Folders.find(below) == Folders.find(folders.root) == folders


def test_no_course_is_said(tmp_path: Path) -> None:
    """Outside a course the error says what is missing and where it looked."""
    with pytest.raises(CourseError, match=f"^{tmp_path} is not inside a course: .*nbgrader_config.py"):
        Folders.find(tmp_path)


def test_everything_made_lies_in_run(folders: Folders) -> None:
    """What grading makes lies in one folder, which git ignores."""
    made = [folders.submitted, folders.feedback, folders.expected, folders.views, folders.verdicts, folders.secret_file]
    assert all(path.is_relative_to(folders.run) for path in made)
    assert any(line.strip("/") == "run" for line in (ROOT / ".gitignore").read_text().splitlines())


def test_lessons_paths(folders: Folders) -> None:
    """Solution and released notebook bear the lesson's name."""
    assert folders.solution("01_x") == folders.root / "solutions/01_x/01_x.ipynb"
    assert folders.released("01_x") == folders.root / "notebooks/01_x/01_x.ipynb"


def test_secret_is_made_once(folders: Folders) -> None:
    """The secret is 32 random bytes, private, and never replaced."""
    assert folders.make_secret() is True
    secret = folders.secret()
    assert len(secret) == 32
    assert folders.secret_file.stat().st_mode & 0o777 == 0o600
    assert folders.make_secret() is False
    assert folders.secret() == secret
    assert os.listdir(folders.run) == ["secret"]


def test_secrets_differ(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two courses have two secrets."""
    other = Folders(tmp_path_factory.mktemp("other"))
    for course in (folders, other):
        course.make_secret()
    assert folders.secret() != other.secret()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_open_secret_is_refused(mode: int, folders: Folders) -> None:
    """A secret that others can read is refused with the command that mends it."""
    folders.make_secret()
    folders.secret_file.chmod(mode)
    with pytest.raises(CourseError, match=r"can be read by others. Run `chmod 600 .*secret`\."):
        folders.secret()


def test_missing_secret_says_what_to_run(folders: Folders) -> None:
    """Without a secret the error names the command that makes one."""
    with pytest.raises(CourseError, match="Run `course init` once"):
        folders.secret()


@pytest.mark.parametrize("content", [b"", b"abc", b"z" * 64, b"a" * 63, b"a" * 66, b"\xff" * 64, "é".encode() * 64])
def test_damaged_secret_is_refused(content: bytes, folders: Folders) -> None:
    """A secret that is not 32 bytes in hexadecimal is refused and never replaced silently."""
    folders.make_secret()
    folders.secret_file.write_bytes(content)
    with pytest.raises(CourseError, match="is damaged. Restore it from a backup"):
        folders.secret()
    assert folders.make_secret() is False


def test_secret_is_made_by_one_of_many(folders: Folders) -> None:
    """When several processes make the secret at once, one does and all read the same."""
    code = (
        "import sys; from pathlib import Path; from autograder.folders import Folders\n"
        "f = Folders(Path(sys.argv[1])); print(f.make_secret(), f.secret().hex())"
    )
    command = [sys.executable, "-c", code, str(folders.root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate()[0].split() for process in running]
    assert sorted(made for made, _ in said) == ["False", "False", "False", "True"]
    assert len({secret for _, secret in said}) == 1
