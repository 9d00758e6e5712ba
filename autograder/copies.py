"""Copies of submissions that a marker can open: nothing in them runs, nothing in them is the learner's but text.

What enters: the cells of a submission as `autograder.submission` read them, believed in nothing, and the released
notebook. What leaves: a notebook with the learner's cells in their order; code as text, no outputs but our
verdicts, markdown in which no HTML, link or picture can form, and no metadata but ours. nbgrader's formgrader
and feedback show this copy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from autograder.course import Report, Verdict
from autograder.files import plain_name, write_atomically
from autograder.submission import CHECK_PREFIX, Cell

MAX_CELLS = 1_000
MAX_SOURCE = 60_000
MAX_SLIP = 1_000
# Most cells of a class are alike.
KEPT_TEXTS = 2_000
WORTH_KEEPING = 5_000
CUT = "\n\n[The rest of this cell is not shown: it is too long.]"
LEFT_OUT = "[{count} more cells of this submission are not shown.]"
MISSING = "[This cell was not in the submission.]"
# An invisible character inside whatever would open a tag, a link, a picture, or a TeX command that makes one.
BREAK = "\u200b"
_TEX = "href|style|class|cssId|require|unicode|def|let|newcommand|renewcommand"
_OPENERS = re.compile(rf"<(?=[A-Za-z/!?])|\](?=[(\[:])|!(?=\[)|\\(?={_TEX})|[`~](?=[ \t]*mermaid)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

NotebookJson = dict[str, Any]
_Order = list["str | NotebookJson"]


def neutral(text: str) -> str:
    """The same markdown, in which no HTML, link, picture or script can form; applying it twice changes nothing.

    >>> neutral("if a <b> c: see [me](javascript:x)").replace(BREAK, "|")
    'if a <|b> c: see [me]|(javascript:x)'
    """
    return _neutral(text) if len(text) <= WORTH_KEEPING else _neutral.__wrapped__(text)


@lru_cache(KEPT_TEXTS)
def _neutral(text: str) -> str:
    return _OPENERS.sub(lambda match: match.group() + BREAK, text)


def clean(text: str) -> str:
    """Text without control characters and lone surrogates, cut at `MAX_SOURCE` characters."""
    return _clean(text) if len(text) <= WORTH_KEEPING else _clean.__wrapped__(text)


@lru_cache(KEPT_TEXTS)
def _clean(text: str) -> str:
    text = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= MAX_SOURCE else text[: MAX_SOURCE - len(CUT)] + CUT


def safe_copy(released: Mapping[str, Any], cells: Iterable[Cell]) -> NotebookJson:
    """Copy a submission's cells into a notebook that is safe to open.

    Args:
        released: the released notebook as JSON; it alone decides names, points and the texts of checks.
        cells: the submission's cells.

    Returns:
        A notebook of format 4.5 that holds every graded cell of the lesson exactly once, among the learner's
        other cells in their order.
    """
    ours = _ours(released)
    texts, order, left_out = _sort(cells, ours)
    shown = [_own(ours[entry], texts[entry]) if isinstance(entry, str) else entry for entry in order]
    if left_out:
        shown.append(_markdown({}, LEFT_OUT.format(count=left_out)))
    _put_back(shown, ours)
    for number, cell in enumerate(shown):
        cell["id"] = f"cell-{number}"
    head = {name: released[name] for name in ("metadata", "nbformat", "nbformat_minor")}
    return {**head, "cells": shown}


def answer_texts(released: Mapping[str, Any], cells: Iterable[Cell]) -> dict[str, str]:
    """What stands in the lesson's answer cells, by grade id, as text; cells that are gone are left out."""
    texts: dict[str, list[str]] = {name: [] for name, cell in _ours(released).items() if _is(cell, "solution")}
    for cell in cells:
        if cell.grade_id in texts:
            texts[cell.grade_id].append(clean(cell.source))
    return {name: "\n\n".join(found) for name, found in texts.items() if found}


def add_verdicts(copy: NotebookJson, report: Report) -> None:
    """Make each verdict the only output of its check cell."""
    verdicts = {CHECK_PREFIX + verdict.exercise: verdict for verdict in report.verdicts}
    for cell in copy["cells"]:
        verdict = verdicts.get(_grade_id(cell))
        if verdict is not None and cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": clean(verdict_text(verdict))}]


def verdict_text(verdict: Verdict) -> str:
    """A verdict in a few lines of plain text."""
    head = f"{verdict.outcome.value}: {verdict.points:g} of {verdict.max_points:g} points"
    agreement = f"NumPy reference: {verdict.numpy}. Torch counterpart: {verdict.torch}."
    return "\n".join(line for line in (head, verdict.message, agreement) if line)


def autograded(released: Mapping[str, Any], cells: Iterable[Cell], report: Report) -> bytes:
    """The copy that formgrader shows, with its verdicts.

    Args:
        released: the released notebook as JSON.
        cells: the submission's cells; none when it cannot be read.
        report: its verdicts.
    """
    copy = safe_copy(released, cells)
    add_verdicts(copy, report)
    return to_bytes(copy)


def keep_autograded(folder: Path, report: Report, content: bytes, timestamp: str = "") -> Path:
    """Write a copy to `folder/<learner>/<lesson>/<lesson>.ipynb`, and return its path.

    Args:
        folder: where nbgrader looks for graded submissions, `run/autograded`.
        report: says whose it is.
        content: what `autograded` made.
        timestamp: when it was handed in (`timestamp_of`); kept so that nbgrader sees newer submissions.

    Raises:
        CourseError: the learner's or lesson's id is no plain folder name.
    """
    path = autograded_path(folder, report.learner, report.lesson)
    write_atomically(path, content)
    if timestamp:
        write_atomically(path.with_name("timestamp.txt"), timestamp.encode())
    return path


def autograded_path(folder: Path, learner: str, lesson: str) -> Path:
    """Where the copy of a submission lies below `run/autograded`.

    Raises:
        CourseError: the learner's or lesson's id is no plain folder name.
    """
    return folder / plain_name(learner) / plain_name(lesson) / f"{lesson}.ipynb"


def timestamp_of(folder: Path) -> tuple[str, datetime | None]:
    """When a submission was handed in, from nbgrader's `timestamp.txt`.

    Returns:
        The file's text and its time in UTC without time zone; ("", None) without a file that holds a time.
    """
    from dateutil import parser, tz

    text = _slip(folder / "timestamp.txt")
    # nbgrader writes a time, or a time and the name of a time zone; an offset such as +0100 is part of the time.
    named = text.count(" ") == 2 and text.rpartition(" ")[2][:1] not in ("+", "-")
    stem, _, zone = text.rpartition(" ") if named else (text, "", "UTC")
    try:
        when = parser.parse(stem)
        when = when if when.tzinfo else when.replace(tzinfo=tz.gettz(zone) or tz.UTC)
        return text, when.astimezone(tz.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return "", None


def exchange_slips(folder: Path) -> dict[str, bytes]:
    """nbgrader's two small files beside a submission, which its exchange needs again beside the feedback.

    Links are not followed and long files are left out: a learner can put anything there.
    """
    texts = {"timestamp.txt": timestamp_of(folder)[0], "submission_secret.txt": _slip(folder / "submission_secret.txt")}
    return {name: text.encode() for name, text in texts.items() if text}


def _slip(path: Path) -> str:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_SLIP:
            return ""
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def to_bytes(notebook: Mapping[str, Any]) -> bytes:
    """A notebook as UTF-8 JSON, in one line: indented, Python writes it several times as slowly."""
    return (json.dumps(notebook, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _sort(cells: Iterable[Cell], ours: Mapping[str, NotebookJson]) -> tuple[dict[str, list[str]], _Order, int]:
    """Texts by grade id, the order of cells (a grade id, or a cell of the learner's own), and how many were cut."""
    texts: dict[str, list[str]] = {}
    order: _Order = []
    left_out = 0
    for cell in cells:
        if cell.grade_id in ours:
            # Two cells of one name become one cell with both texts: nothing is lost.
            order += [] if cell.grade_id in texts else [cell.grade_id]
            texts.setdefault(cell.grade_id, []).append(clean(cell.source))
        elif len(order) < MAX_CELLS:
            text = clean(cell.source)
            order.append(_code({}, text) if cell.kind == "code" else _markdown({}, neutral(text)))
        else:
            left_out += 1
    return texts, order, left_out


def _ours(released: Mapping[str, Any]) -> dict[str, NotebookJson]:
    return {name: cell for cell in released["cells"] if (name := _grade_id(cell))}


def _grade_id(cell: Mapping[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def _is(cell: NotebookJson, kind: str) -> bool:
    return bool(cell["metadata"]["nbgrader"].get(kind))


def _code(metadata: dict[str, Any], text: str) -> NotebookJson:
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": [], "execution_count": None}


def _markdown(metadata: dict[str, Any], text: str) -> NotebookJson:
    return {"cell_type": "markdown", "metadata": metadata, "source": text}


def _own(released: NotebookJson, texts: list[str]) -> NotebookJson:
    metadata = json.loads(json.dumps(released["metadata"]))
    if not _is(released, "solution"):
        texts = ["".join(released["source"])]
    text = "\n\n".join(texts)
    return _code(metadata, text) if released["cell_type"] == "code" else _markdown(metadata, neutral(text))


def _put_back(shown: list[NotebookJson], ours: Mapping[str, NotebookJson]) -> None:
    """Insert the lesson's cells that the submission lacks, each after the one it follows in the lesson."""
    names = [_grade_id(cell) for cell in shown]
    place = 0
    for name, released in ours.items():
        if name in names:
            place = names.index(name) + 1
        else:
            comment = "# " if released["cell_type"] == "code" else ""
            shown.insert(place, _own(released, [comment + MISSING]))
            names.insert(place, name)
            place += 1
