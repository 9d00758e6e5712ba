"""`environment()`: is everything ready on this computer? In plain words, with what to do where it is not.

What enters: nothing; `examine` looks around. What leaves: one `Line` per subject. Nothing is installed, changed or
sent. Torch is imported late: it may be missing, and saying so is what this module is for.
"""

from __future__ import annotations

import html
import importlib
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from course_lib import environment_messages as messages

NEEDED_PYTHON = (3, 11)
NEEDED_NUMPY = (2, 0)
LOOK_PACKAGES = ("anywidget", "ipywidgets", "jupyterlab_widgets")
_MARKS = {"well": "✓", "note": "·", "mend": "→"}
_WORDS = {"well": messages.WELL, "note": messages.NOTE, "mend": messages.MEND}
_CELL = "style='text-align:left;white-space:normal;vertical-align:top;padding:.3em 1.2em .3em 0'"


@dataclass(frozen=True)
class Card:
    """What Torch says about graphics cards.

    Args:
        name: of the card it can use; "" when it can use none.
        apple: Apple's graphics are there.
        driver: a driver of NVIDIA's is installed.
        cuda: this Torch is built for NVIDIA's cards.
        threads: how many threads of the processor it uses.
    """

    name: str = ""
    apple: bool = False
    driver: bool = False
    cuda: bool = False
    threads: int = 1


@dataclass(frozen=True)
class Situation:
    """What was found on a computer.

    Args:
        python: version of Python.
        numpy: version of NumPy; "" when it is missing.
        torch: version of Torch; "" when it is missing.
        torch_error: why Torch does not start; "" when it does.
        card: graphics, as far as Torch could be asked.
        missing: packages that looks need and that are not there.
        journal: the file; None when the journal is off.
        journal_error: why it cannot be written; "" when it can.
    """

    python: tuple[int, int, int] = (3, 11, 0)
    numpy: str = ""
    torch: str = ""
    torch_error: str = ""
    card: Card | None = None
    missing: tuple[str, ...] = ()
    journal: Path | None = None
    journal_error: str = ""


@dataclass(frozen=True)
class Line:
    """One subject: how it is, and what to do when it is not well.

    Args:
        what: the subject.
        state: "well", "note" (nothing has to be done) or "mend".
        says: one or two sentences.
        todo: what to do, or "".
    """

    what: str
    state: str
    says: str
    todo: str = ""


def environment() -> Any:
    """Show what the course needs, what is there, and what to do where something is missing.

    Returns:
        A table. In JupyterLab its line about looks is itself a look, and says whether they come alive.
    """
    situation = examine()
    report = Report(lines(situation))
    if situation.missing:
        return report
    # Late: where the package is missing, the table must still come.
    from course_lib.widgets._heartbeat import Heartbeat

    return Heartbeat(report)


def examine() -> Situation:
    """Look around on this computer."""
    torch, error, card = _torch()
    journal, journal_error = _journal()
    return Situation(
        python=sys.version_info[:3],
        numpy=_version("numpy"),
        torch=torch,
        torch_error=error,
        card=card,
        missing=tuple(name for name in LOOK_PACKAGES if not _version(name)),
        journal=journal,
        journal_error=journal_error,
    )


def lines(found: Situation) -> tuple[Line, ...]:
    """What to say about a situation, subject by subject."""
    return (_python(found), _numpy(found), _torch_line(found), _card_line(found), _looks(found), _journal_line(found))


def _python(found: Situation) -> Line:
    version, needed = ".".join(map(str, found.python)), ".".join(map(str, NEEDED_PYTHON))
    if found.python[:2] >= NEEDED_PYTHON:
        return Line(messages.PYTHON, "well", messages.PYTHON_FINE.format(version=version))
    says = messages.PYTHON_OLD.format(version=version, needed=needed)
    return Line(messages.PYTHON, "mend", says, messages.PYTHON_OLD_DO.format(needed=needed))


def _numpy(found: Situation) -> Line:
    if not found.numpy:
        return Line(messages.NUMPY, "mend", messages.NUMPY_MISSING, messages.PACKAGE_DO)
    if int(found.numpy.split(".")[0]) >= NEEDED_NUMPY[0]:
        return Line(messages.NUMPY, "well", messages.NUMPY_FINE.format(version=found.numpy))
    needed = ".".join(map(str, NEEDED_NUMPY))
    says = messages.NUMPY_OLD.format(version=found.numpy, needed=needed)
    return Line(messages.NUMPY, "mend", says, messages.PACKAGE_DO)


def _torch_line(found: Situation) -> Line:
    if found.torch_error:
        says = messages.TORCH_BROKEN.format(why=found.torch_error)
        return Line(messages.TORCH, "mend", says, messages.PACKAGE_DO)
    if not found.torch:
        return Line(messages.TORCH, "mend", messages.TORCH_MISSING, messages.PACKAGE_DO)
    return Line(messages.TORCH, "well", messages.TORCH_FINE.format(version=found.torch))


def _card_line(found: Situation) -> Line:
    card = found.card
    if card is None:
        return Line(messages.DEVICE, "note", messages.GPU_UNKNOWN)
    if card.name:
        return Line(messages.DEVICE, "well", messages.GPU_FINE.format(name=card.name))
    threads = messages.ONE_THREAD if card.threads == 1 else messages.THREADS.format(count=card.threads)
    if card.driver:
        todo = messages.GPU_ASLEEP_DO if card.cuda else messages.GPU_OTHER_BUILD_DO
        return Line(messages.DEVICE, "note", messages.GPU_ASLEEP.format(threads=threads), todo)
    template = messages.GPU_APPLE if card.apple else messages.GPU_NONE
    return Line(messages.DEVICE, "well", template.format(threads=threads))


def _looks(found: Situation) -> Line:
    if found.missing:
        says = messages.LOOKS_MISSING.format(package=found.missing[0])
        return Line(messages.LOOKS, "mend", says, messages.PACKAGE_DO)
    return Line(messages.LOOKS, "note", messages.LOOKS_STILL, messages.LOOKS_STILL_DO)


def _journal_line(found: Situation) -> Line:
    if found.journal is None:
        return Line(messages.JOURNAL, "note", messages.JOURNAL_OFF, messages.JOURNAL_OFF_DO)
    if found.journal_error:
        says = messages.JOURNAL_LOCKED.format(path=found.journal, why=found.journal_error)
        return Line(messages.JOURNAL, "mend", says, messages.JOURNAL_LOCKED_DO)
    return Line(messages.JOURNAL, "well", messages.JOURNAL_FINE.format(path=found.journal))


@dataclass(frozen=True)
class Report:
    """The table; renders as HTML and as text."""

    lines: Sequence[Line]

    @property
    def headline(self) -> str:
        """How many lines ask for something."""
        count = sum(line.state == "mend" for line in self.lines)
        if count == 0:
            return messages.ALL_WELL
        return messages.ONE_TO_MEND if count == 1 else messages.TO_MEND.format(count=count, lines=len(self.lines))

    def __repr__(self) -> str:
        shown = [f"{_MARKS[line.state]} {line.what}: {line.says} {line.todo}".rstrip() for line in self.lines]
        return "\n".join([*shown, self.headline])

    def _repr_html_(self) -> str:
        body = "".join(_row(line) for line in self.lines)
        head = "".join(f"<th scope='col' {_CELL}>{word}</th>" for word in (messages.WHAT, messages.HOW))
        return (
            f"<table style='border-collapse:collapse;max-width:60em'><caption style='text-align:left;font-weight:bold;"
            f"padding:.3em 0'>{messages.CAPTION}</caption><tr>{head}</tr>{body}</table>"
            f"<p style='margin:.4em 0'>{html.escape(self.headline)}</p>"
        )


def _row(line: Line) -> str:
    mark = f"<span role='img' aria-label='{_WORDS[line.state]}'>{_MARKS[line.state]}</span>"
    about = " data-looks" if line.what == messages.LOOKS else ""
    todo = f"<br><em>{html.escape(line.todo)}</em>" if line.todo else ""
    return (
        f"<tr{about} data-state='{line.state}'><th scope='row' {_CELL}>{mark}&nbsp;{html.escape(line.what)}</th>"
        f"<td {_CELL}>{html.escape(line.says)}{todo}</td></tr>"
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _torch() -> tuple[str, str, Card | None]:
    """Version of Torch, why it does not start, and what it says about graphics."""
    version = _version("torch")
    if not version:
        return "", "", None
    try:
        # By name: the import contract keeps Torch out of this module, and here it is only asked for its health.
        torch = importlib.import_module("torch")
        usable = torch.cuda.is_available()
        return (
            version,
            "",
            Card(
                name=torch.cuda.get_device_name(0) if usable else "",
                apple=torch.backends.mps.is_available(),
                driver=shutil.which("nvidia-smi") is not None,
                cuda=torch.version.cuda is not None,
                threads=torch.get_num_threads(),
            ),
        )
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return version, str(error).partition("\n")[0][:200], None


def _journal() -> tuple[Path | None, str]:
    """The journal's file, and why it cannot be written; None when it is off."""
    from course_lib import journal

    try:
        where = journal.path()
    except RuntimeError as error:  # nobody knows where this user's home is
        return Path(), str(error)
    return (None, "") if where == Path(os.devnull) else (where, _why_not(where))


def _why_not(where: Path) -> str:
    """Why a file cannot be written; nothing is left behind by asking."""
    there = where
    while not there.exists() and there != there.parent:
        there = there.parent
    if there == where:
        return "" if os.access(where, os.W_OK) and where.is_file() else "not a file that you may write"
    return "" if os.access(there, os.W_OK | os.X_OK) and there.is_dir() else f"{there} is not open to you"
