"""How a submission may lie in the folder of submissions, other than as the one notebook that is asked for.

Every function puts one submission into a place; attacks refer to them by name.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path

TOO_LARGE = 101 << 20


@dataclass(frozen=True)
class Place:
    """Where a submission goes, and what it is.

    Args:
        folder: the folder of submissions.
        learner: whose it is.
        lesson: id of the lesson.
        content: bytes of the notebook.
        course: root of the course, for links that leave the folder.
    """

    folder: Path
    learner: str
    lesson: str
    content: bytes
    course: Path

    def notebook(self) -> Path:
        """The path that is asked for; its folder is made."""
        path = self.folder / self.learner / self.lesson / f"{self.lesson}.ipynb"
        path.parent.mkdir(parents=True)
        return path


def link_to_solution(place: Place) -> None:
    """The notebook is a link to the course's solution."""
    place.notebook().symlink_to(place.course / "solutions" / place.lesson / f"{place.lesson}.ipynb")


def link_to_folder(place: Place) -> None:
    """The lesson's folder is a link out of the learner's."""
    outside = place.folder.parent / "outside"
    outside.mkdir()
    (outside / f"{place.lesson}.ipynb").write_bytes(place.content)
    (place.folder / place.learner).mkdir(parents=True)
    (place.folder / place.learner / place.lesson).symlink_to(outside)


def link_as_learner(place: Place) -> None:
    """The learner's folder itself is a link to the whole course."""
    place.folder.mkdir(exist_ok=True)
    (place.folder / place.learner).symlink_to(place.course)


def pipe(place: Place) -> None:
    """A named pipe: who opens it waits for ever."""
    os.mkfifo(place.notebook())


def local_socket(place: Place) -> None:
    """A socket in place of a file."""
    path, here = place.notebook(), Path.cwd()
    with socket.socket(socket.AF_UNIX) as listener:
        # Paths of sockets are short.
        os.chdir(path.parent)
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def device(place: Place) -> None:
    """A link to a device that never ends."""
    place.notebook().symlink_to("/dev/zero")


def folder_as_notebook(place: Place) -> None:
    """A folder with the notebook's name."""
    place.notebook().mkdir()


def too_large(place: Place) -> None:
    """More bytes than are read."""
    path = place.notebook()
    path.write_bytes(place.content)
    os.truncate(path, TOO_LARGE)


def foreign_name(place: Place) -> None:
    """The file carries the name of another learner of the class."""
    (place.folder / place.learner / place.lesson).mkdir(parents=True)
    (place.folder / place.learner / place.lesson / "ada.ipynb").write_bytes(place.content)
    (place.folder / "ada" / place.lesson).mkdir(parents=True)


def renamed_file(place: Place) -> None:
    """The file has another name: there is only one, so it counts."""
    (place.folder / place.learner / place.lesson).mkdir(parents=True)
    (place.folder / place.learner / place.lesson / "Copy of lesson (2) final.ipynb").write_bytes(place.content)


def two_files(place: Place) -> None:
    """Two notebooks, none of them with the lesson's name."""
    (place.folder / place.learner / place.lesson).mkdir(parents=True)
    for name in ("old", "new"):
        (place.folder / place.learner / place.lesson / f"{name}.ipynb").write_bytes(place.content)


def no_file(place: Place) -> None:
    """The folder is there, the notebook is not."""
    (place.folder / place.learner / place.lesson).mkdir(parents=True)


def shadow_modules(place: Place) -> None:
    """Modules beside the notebook that would be imported if anything ran in that folder."""
    path = place.notebook()
    path.write_bytes(place.content)
    for name in ("numpy", "ipykernel_launcher", "course_lib", "sitecustomize", "usercustomize", "conftest", "json"):
        (path.parent / f"{name}.py").write_text("raise SystemExit('OWNED')\n")
    (path.parent / "own.pth").write_text("import os; os._exit(9)\n")
    (path.parent / "nbgrader_config.py").write_text("raise SystemExit('OWNED')\n")


def markup_as_learner(place: Place) -> None:
    """The learner's folder is named like a tag."""
    replace(place, learner='<img src=x onerror="alert(1)">').notebook().write_bytes(place.content)


def odd_name(place: Place) -> None:
    """The learner's folder has a name that is not text."""
    path = Path(os.fsdecode(os.fsencode(place.folder) + b"/mall\xffory")) / place.lesson / f"{place.lesson}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(place.content)
