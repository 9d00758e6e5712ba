"""Where a course keeps its things: one place that knows the layout below the project's root."""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SECRET_BYTES = 32


class CourseError(Exception):
    """Something a person can mend; the message says what and how. Shown without a traceback."""


@dataclass(frozen=True)
class Folders:
    """Paths of one course.

    Args:
        root: folder that holds ``solutions/``, ``notebooks/`` and ``run/``.
        run_name: name of the folder for everything that grading makes.
    """

    root: Path
    run_name: str = "run"

    @classmethod
    def find(cls, start: Path | None = None) -> Folders:
        """The nearest course at or above a folder (default: where the command runs).

        Raises:
            CourseError: there is none.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "nbgrader_config.py").exists() and (folder / "solutions").is_dir():
                return cls(folder)
        raise CourseError(f"{start} is not inside a course: no folder above holds nbgrader_config.py and solutions/.")

    @property
    def run(self) -> Path:
        """Everything that grading makes; ignored by git."""
        return self.root / self.run_name

    def for_trials(self) -> Folders:
        """The same course; with a secret of its own for trials, when it has none because nobody grades here."""
        if self.secret_file.exists():
            return self
        trials = Folders(self.root, f"{self.run_name}/trials")
        trials.make_secret()
        return trials

    @property
    def submitted(self) -> Path:
        """Default place of submissions: ``<learner>/<lesson>/<notebook>``."""
        return self.run / "submitted"

    @property
    def autograded(self) -> Path:
        """Safe copies of submissions, for markers; nbgrader's formgrader shows them."""
        return self.run / "autograded"

    @property
    def feedback(self) -> Path:
        """Pages for learners."""
        return self.run / "feedback"

    @property
    def expected(self) -> Path:
        """Expected values of secret cases; nobody else may read it."""
        return self.run / "expected"

    @property
    def views(self) -> Path:
        """What is mounted as `course_lib` inside the walls, per lesson."""
        return self.run / "views"

    @property
    def verdicts(self) -> Path:
        """The store of finished verdicts."""
        return self.run / "verdicts.db"

    @property
    def database_file(self) -> Path:
        """Holds the gradebook's URL when it is no file of the course; `nbgrader_config.py` reads it."""
        return self.run / "database"

    def solution(self, lesson: str) -> Path:
        """The solution notebook of a lesson."""
        return self.root / "solutions" / lesson / f"{lesson}.ipynb"

    def released(self, lesson: str) -> Path:
        """The notebook that learners open."""
        return self.root / "notebooks" / lesson / f"{lesson}.ipynb"

    def require_notebooks(self, lesson: str) -> None:
        """A lesson that is graded has a solution and a released notebook.

        Raises:
            CourseError: one is missing.
        """
        for path in (self.solution(lesson), self.released(lesson)):
            if not path.exists():
                raise CourseError(f"{path} is missing. Run `course generate {lesson}` first.")

    @property
    def secret_file(self) -> Path:
        """The course secret, from which secret cases are made."""
        return self.run / "secret"

    def secret(self) -> bytes:
        """The course secret.

        Raises:
            CourseError: there is none yet, it is damaged, or others can read it.
        """
        try:
            text = self.secret_file.read_text(errors="replace").strip()
            open_to_others = self.secret_file.stat().st_mode & 0o077
        except FileNotFoundError:
            raise CourseError("This course has no secret yet. Run `course init` once.") from None
        if open_to_others:
            raise CourseError(f"{self.secret_file} can be read by others. Run `chmod 600 {self.secret_file}`.")
        try:
            secret = bytes.fromhex(text)
        except ValueError:
            secret = b""
        if len(secret) != _SECRET_BYTES:
            raise CourseError(f"{self.secret_file} is damaged. Restore it from a backup: scores depend on it.")
        return secret

    def make_secret(self) -> bool:
        """Make the secret unless there is one.

        Returns:
            Whether it was made now.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        # Written elsewhere and linked into place: a kill leaves either no secret or a whole one.
        descriptor, part = tempfile.mkstemp(prefix=".secret", dir=self.run)
        try:
            with os.fdopen(descriptor, "w") as stream:
                stream.write(secrets.token_hex(_SECRET_BYTES))
            os.link(part, self.secret_file)
        except FileExistsError:
            return False
        finally:
            os.unlink(part)
        return True
