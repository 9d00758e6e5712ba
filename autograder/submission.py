"""From a learner's file to answers by exercise id. Reads anything, runs nothing.

What enters: bytes that nobody vouches for. What leaves: `Submission`, the cells as text, with a sentence
for everything that was odd about the file. No limit of Python's JSON reader, no missing key and no wrong
type stops it: what can be recovered is, and what cannot be read at all raises `Unreadable` with a reason.
The submitted copies of check cells, all outputs and all metadata except the answer cells' ids are ignored.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 100 << 20
# The longest lesson has well under 200,000 characters.
MAX_CELL_CHARS = 200_000
MAX_NOTEBOOK_CHARS = 1_000_000
MAX_GAPS = 20
CHECK_PREFIX = "check_"

_CELL_START = re.compile(r'"cells"\s*:\s*\[')
_NEXT_CELL = re.compile(r'\{\s*"(?:cell_type|attachments)"\s*:')
_BLANK = re.compile(r"[\s,]*")
_BODY_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
# One repetition where two would match the same blanks: two take quadratic time.
_MAGIC_LINE = re.compile(r"^\s*(%|!|\?)|\?\s*$|^[\w.\[\]\"',\s]*=\s*[%!]")


class Unreadable(ValueError):
    """A file from which no cell can be recovered. The message is for people."""


@dataclass(frozen=True)
class Cell:
    """One cell as submitted.

    Args:
        number: position in the notebook, from 1.
        kind: "code", "markdown" or "raw", as the file says.
        source: the text, with cell magics taken out of code.
        grade_id: nbgrader's id, or "".
    """

    number: int
    kind: str
    source: str
    grade_id: str = ""

    @property
    def is_check(self) -> bool:
        """Is it a copy of one of our check cells? Those are never run."""
        return self.grade_id.startswith(CHECK_PREFIX)


@dataclass(frozen=True)
class Submission:
    """What could be read of a submitted notebook.

    Args:
        cells: all cells in order.
        problems: sentences about damage; empty for a healthy file.
    """

    cells: tuple[Cell, ...]
    problems: tuple[str, ...] = ()


def read_submission(path: Path) -> Submission:
    """Read a notebook file.

    Args:
        path: the file; links and devices are refused.

    Raises:
        Unreadable: nothing can be recovered; the message says why and what to ask of the learner.
    """
    return parse_notebook(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """A notebook file as it is; see `read_submission`."""
    # O_NONBLOCK: opening a named pipe must not wait for a writer.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be opened ({error.strerror})"
        raise Unreadable(f"{path.name} {reason}; ask for the notebook file itself.") from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise Unreadable(f"{path.name} is not a regular file; ask for the notebook file itself.")
    with os.fdopen(descriptor, "rb") as stream:
        if facts.st_size > MAX_FILE_BYTES:
            size = f"{facts.st_size / (1 << 20):.0f} MB"
            raise Unreadable(f"{path.name} is {size} large; ask the learner to clear all outputs and send it again.")
        return stream.read(MAX_FILE_BYTES + 1)


def parse_notebook(content: bytes, name: str = "the notebook") -> Submission:
    """Parse a notebook's bytes; see `read_submission`."""
    text, problems = _decode(content)
    if not text.strip():
        raise Unreadable(f"{name} is empty; ask the learner to save and hand in the notebook again.")
    try:
        notebook = json.loads(text)
        raw_cells = list(_raw_cells(notebook))
    except (ValueError, RecursionError):
        raw_cells = _salvage(text)
        if not raw_cells:
            raise Unreadable(
                f"{name} is not a notebook (its JSON is damaged and no cell could be recovered); "
                "ask the learner to open it in JupyterLab, save it and hand it in again."
            ) from None
        problems.append(f"the file is damaged: {len(raw_cells)} cells could be recovered")
    if not raw_cells:
        raise Unreadable(f"{name} has no cells; ask the learner whether it is the right file.")
    cells, whole = _cells(raw_cells)
    if not whole:
        problems.append("it holds far more code than a lesson; what is too long was cut off")
    return Submission(cells, tuple(problems))


def _decode(content: bytes) -> tuple[str, list[str]]:
    problems = []
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = content.decode("utf-16", errors="replace")
            problems.append("the file is UTF-16; notebooks are UTF-8")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="replace")
        problems.append("the file holds bytes that are not UTF-8; they were replaced")
    if "\0" in text:
        text = text.replace("\0", "")
        problems.append("the file holds NUL bytes; they were left out")
    return text, problems


def _raw_cells(notebook: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(notebook, dict):
        raise ValueError("a notebook is a JSON object")
    sheets = notebook.get("worksheets")
    groups = [notebook] if not isinstance(sheets, list) else [notebook, *sheets]
    for group in groups:
        cells = group.get("cells") if isinstance(group, dict) else None
        yield from (cell for cell in cells or () if isinstance(cell, dict)) if isinstance(cells, list) else ()


def _salvage(text: str) -> list[dict[str, Any]]:
    """Whole cells of a broken file: what can be parsed before a break, and again after it."""
    start = _CELL_START.search(text)
    position, cells, gaps = (start.end() if start else 0), [], 0
    decoder = json.JSONDecoder()
    while position < len(text) and gaps <= MAX_GAPS:
        position = _BLANK.match(text, position).end()
        try:
            cell, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            cell = None
        if isinstance(cell, dict) and "cell_type" in cell:
            cells.append(cell)
            position = end
        else:
            following = _NEXT_CELL.search(text, position + 1)
            position, gaps = (following.start() if following else len(text)), gaps + 1
    return cells


def _cells(raw_cells: Sequence[dict[str, Any]]) -> tuple[tuple[Cell, ...], bool]:
    """The cells, and whether all of their code fits into the limits."""
    cells, left, whole = [], MAX_NOTEBOOK_CHARS, True
    for number, raw in enumerate(raw_cells, 1):
        kind = raw.get("cell_type") if raw.get("cell_type") in ("code", "markdown", "raw") else "raw"
        source, grade_id = _text(raw.get("source", raw.get("input", ""))), _grade_id(raw.get("metadata"))
        allowed = MAX_CELL_CHARS
        if kind == "code" or grade_id:
            allowed = min(left, MAX_CELL_CHARS)
            whole = whole and len(source) <= allowed
            left -= min(len(source), allowed)
        source = source[:allowed]
        cells.append(Cell(number, kind, _without_cell_magic(source) if kind == "code" else source, grade_id))
    return tuple(cells), whole


def _text(source: Any) -> str:
    if isinstance(source, list):
        try:
            source = "".join(source)
        except TypeError:
            source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return ""
    # JSON may spell lone surrogates, which neither Python's parser nor a file can take.
    text = source.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _grade_id(metadata: Any) -> str:
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return grade_id if isinstance(grade_id, str) else ""


def _without_cell_magic(source: str) -> str:
    before = source[: len(source) - len(source.lstrip())]
    first, _, rest = source.lstrip().partition("\n")
    if not first.startswith("%%"):
        return source
    # The magic's line is kept as an empty one, so that line numbers stay those of the learner.
    return "\n" * before.count("\n") + "\n" + rest if first.startswith(_BODY_MAGICS) else ""


def without_line_magic(source: str, line: int) -> str:
    """Replace a ``%magic``, ``!shell`` or ``help?`` line, and lines that continue it, by ``pass``; line numbers stay.

    Args:
        source: code of a cell that Python refuses.
        line: the line at which it does so. Other lines may only look like magics.

    Returns:
        The new code; the same when that line is no magic.
    """
    lines = source.split("\n")
    if not 1 <= line <= len(lines) or not _MAGIC_LINE.search(lines[line - 1]):
        return source
    goes_on = lines[line - 1].endswith("\\")
    lines[line - 1] = re.match(r"\s*", lines[line - 1]).group() + "pass"
    while goes_on and line < len(lines):
        goes_on = lines[line].endswith("\\")
        lines[line], line = "", line + 1
    return "\n".join(lines)
