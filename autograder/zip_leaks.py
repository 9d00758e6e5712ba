"""What a zip for learners would give away. Opens the finished file and reads every member; runs nothing.

What enters: the zip, and the marks by which answers are known (`autograder.answer_marks`). What leaves: one `Leak`
per thing found, with the member it is in and the exercise that it gives away.
"""

from __future__ import annotations

import ast
import base64
import binascii
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.answer_marks import Marks, bodies, runs, shape, squeezed
from autograder.leaks import MARKERS

BYTECODE = (".pyc", ".pyo")
# What may be a file of another kind, written as text.
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{200,}={0,2}")
_DEPTH = 2


@dataclass(frozen=True, order=True)
class Leak:
    """Something that learners must not get.

    Args:
        member: the file in the zip.
        what: what was found there.
        exercise: which one it gives away, or "".
    """

    member: str
    what: str
    exercise: str = ""

    def __str__(self) -> str:
        return f"{self.member}: {self.what}" + (f" of {self.exercise}" if self.exercise else "")


def zip_leaks(path: Path, marks: Marks, graded: Collection[str] = ()) -> list[Leak]:
    """What a zip would give away; empty when nothing.

    Args:
        path: the zip.
        marks: what answers look like.
        graded: names that may be defined in no Python file of the zip.
    """
    return sorted(
        {leak for name, content in _members(path.read_bytes()) for leak in _found(name, content, marks, graded)}
    )


def _members(content: bytes, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            inner = archive.read(info)
            yield f"{prefix}{info.filename}", inner
            if depth < _DEPTH and zipfile.is_zipfile(io.BytesIO(inner)):
                yield from _members(inner, f"{prefix}{info.filename}/", depth + 1)
        if archive.comment:
            yield f"{prefix}(the comment of the zip)", archive.comment


def _found(name: str, content: bytes, marks: Marks, graded: Collection[str]) -> Iterator[Leak]:
    yield from _in_bytes(name, content, marks)
    if name.endswith(BYTECODE):
        yield Leak(name, "a file of bytecode")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    yield from _in_text(name, text, marks)
    if name.endswith(".py"):
        yield from _in_code(name, text, marks, graded)
    if name.endswith((".ipynb", ".json")):
        yield from _in_json(name, text, marks, graded)


def _in_bytes(name: str, content: bytes, marks: Marks) -> Iterator[Leak]:
    """Secret, values and bytecode, as they are and under base64, so that a pickle or an array cannot hide them."""
    for part in (content, *_decoded(content)):
        yield from (Leak(name, what, exercise) for what, exercise in marks.bytes_in(part))


def _decoded(content: bytes) -> Iterator[bytes]:
    for match in _ENCODED.finditer(content):
        text = match.group().rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        try:
            yield base64.b64decode(text[: len(text) // 4 * 4])
        except binascii.Error:
            continue


def _in_text(name: str, text: str, marks: Marks) -> Iterator[Leak]:
    # A module may name the markers; only in a comment they mark an answer.
    lines = text.splitlines() if name.endswith(".py") else ()
    marked = "\n".join(line for line in lines if line.lstrip().startswith("#")) if lines else text
    for marker in MARKERS:
        if marker in marked:
            yield Leak(name, f"the marker {marker!r}")
    for flat in {squeezed(text), squeezed(text, comments=True)}:
        yield from (Leak(name, "text of an answer", exercise) for exercise in marks.texts_in(flat))


def _in_code(name: str, text: str, marks: Marks, graded: Collection[str]) -> Iterator[Leak]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for body in bodies(tree):
        for run in runs(body):
            exercise = marks.trees.get(run) or marks.trees.get(shape(run))
            if exercise is not None:
                yield Leak(name, "statements of an answer", exercise)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and node.name in graded:
            yield Leak(name, "a definition", node.name)


def _in_json(name: str, text: str, marks: Marks, graded: Collection[str]) -> Iterator[Leak]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        yield Leak(name, "JSON that nobody can read")
        return
    for found in _strings(facts):
        yield from _in_text(name, found, marks)
    for cell in facts.get("cells", ()) if isinstance(facts, dict) else ():
        if cell.get("outputs") or cell.get("attachments"):
            yield Leak(name, f"outputs or attachments in cell {cell.get('id')!r}")
        if cell.get("cell_type") == "code":
            # The stub of an exercise defines it; its own cell may.
            own = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
            yield from _in_code(name, "".join(cell["source"]), marks, set(graded) - {own})


def _strings(value: Any) -> Iterator[str]:
    """Every text in there; a list of lines, as notebooks have them, is one text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        yield "".join(value)
    else:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from _strings(item)
