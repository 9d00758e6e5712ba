"""The search in a zip for learners: whatever kind of leak is planted in whatever file is found, and named."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import marshal
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autograder.answer_marks import Marks
from autograder.zip_leaks import Leak, zip_leaks

SECRET = bytes(range(7, 39))
ANSWER = '''\
def softmax(z):
    """Probabilities from scores."""
    shifted = z - np.max(z, axis=1, keepdims=True)
    powers = np.exp(shifted)
    return powers / np.sum(powers, axis=1, keepdims=True)
'''
# The same with other names, blanks and comments, as somebody might copy it by accident.
COPIED = """\
def helper(scores):
    if scores.ndim == 2:
        # no overflow
        moved = scores-np.max(scores, axis = 1,keepdims=True)
        e = np.exp( moved )
        return (e / np.sum(e, axis=1, keepdims=True))
"""
VALUES = np.array([0.0, 0.0, 0.25, 1.5, -2.0, 3.25, 0.125, 0.0])
HARMLESS = "def softmax_stub(z):\n    raise NotImplementedError\n"


@pytest.fixture(scope="module")
def marks() -> Marks:
    """What one exercise and the course look like."""
    found = Marks()
    found.add_source("softmax", ANSWER)
    found.add_code("softmax", ANSWER)
    found.add_values("softmax", {"result": [VALUES]})
    found.add_secret(SECRET)
    return found


def cell(source: str, **more: object) -> dict[str, object]:
    """A cell of code."""
    return {"cell_type": "code", "id": "one", "metadata": {}, "source": source.splitlines(keepends=True), **more}


def notebook(*cells: dict[str, object]) -> bytes:
    """A notebook of some cells."""
    return json.dumps({"cells": cells}).encode()


def zipped(**files: bytes) -> bytes:
    """A zip within the zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def bytecode(source: str) -> bytes:
    """A .pyc file, as Python caches it."""
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(compile(source, "m.py", "exec"))


def safetensors(array: np.ndarray) -> bytes:
    """Numbers behind a header, as a case file holds them."""
    return b"header of odd length:" + array.tobytes()


PLANTED = {
    "statements with other names": ("lib.py", COPIED.encode(), "statements of an answer", "softmax"),
    "statements in a cell": ("a.ipynb", notebook(cell(COPIED)), "statements of an answer", "softmax"),
    "text in a page": ("README.md", f"So:\n```\n{ANSWER}```\n".encode(), "text of an answer", "softmax"),
    "text that was commented out": (
        "lib.py", "".join(f"# {line}\n" for line in ANSWER.splitlines()).encode(), "text of an answer", "softmax",
    ),
    "text in a string": ("lib.py", f"TEXT = {ANSWER!r}\n".encode(), "text of an answer", "softmax"),
    "text in a script": ("w.js", f"const text = {json.dumps(ANSWER)};".encode(), "text of an answer", "softmax"),
    "text in markdown": (
        "a.ipynb", notebook({"cell_type": "markdown", "source": [ANSWER]}), "text of an answer", "softmax",
    ),
    "compiled module": ("lib.pyc", bytecode(ANSWER), "bytecode", "softmax"),
    "marshalled code": ("data.bin", b"\x00" + marshal.dumps(compile(ANSWER, "", "exec")), "bytecode", "softmax"),
    "marshalled code as text": (
        "a.txt", base64.b64encode(marshal.dumps(compile(ANSWER, "", "exec"))), "bytecode", "softmax",
    ),
    "any compiled module": ("lib.pyc", bytecode(HARMLESS), "a file of bytecode", ""),
    "values": ("cases.safetensors", safetensors(VALUES), "expected values of a secret case", "softmax"),
    "values in float32": ("c.bin", safetensors(VALUES.astype("<f4")), "expected values of a secret case", "softmax"),
    "secret as it is": ("c.bin", b"head" + SECRET + b"tail", "the course's secret, as it is", ""),
    "secret in hexadecimal": ("secret", SECRET.hex().encode(), "the course's secret, in hexadecimal", ""),
    "secret in base64": (
        "a.py", b"KEY = '" + base64.b64encode(b"head" + SECRET) + b"'", "the course's secret, in base64", "",
    ),
    "definition": ("lib.py", b"class A:\n    def softmax(self):\n        pass\n", "a definition", "softmax"),
    "marker in a script": ("a.py", b"x = 1\n  ### END SOLUTION\n", "the marker 'END SOLUTION'", ""),
    "marker": ("a.ipynb", notebook(cell("### BEGIN SOLUTION\n")), "the marker 'BEGIN SOLUTION'", ""),
    "outputs": ("a.ipynb", notebook(cell("1", outputs=[{"a": "1"}])), "outputs or attachments in cell 'one'", ""),
    "damaged notebook": ("a.ipynb", b"{", "JSON that nobody can read", ""),
    "in a zip within": ("more.zip", zipped(**{"lib.py": ANSWER.encode()}), "statements of an answer", "softmax"),
}  # fmt: skip


def scanned(tmp_path: Path, marks: Marks, files: dict[str, bytes]) -> list[Leak]:
    """What is found in a zip of some files."""
    path = tmp_path / "edition.zip"
    path.write_bytes(zipped(**files))
    return zip_leaks(path, marks, {"softmax"})


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_leak_is_found(kind: str, marks: Marks, tmp_path: Path) -> None:
    """It is named with the file that holds it and the exercise that it gives away."""
    name, content, what, exercise = PLANTED[kind]
    found = scanned(tmp_path, marks, {"01/harmless.py": HARMLESS.encode(), f"01/{name}": content})
    assert all(leak.member.startswith(f"01/{name}") for leak in found)
    assert (what, exercise) in {(leak.what, leak.exercise) for leak in found}


def test_comment_of_the_zip_is_read(marks: Marks, tmp_path: Path) -> None:
    """A zip can hold text outside its files."""
    with zipfile.ZipFile(tmp_path / "edition.zip", "w") as archive:
        archive.comment = SECRET.hex().encode()
    (leak,) = zip_leaks(tmp_path / "edition.zip", marks)
    assert str(leak) == "(the comment of the zip): the course's secret, in hexadecimal"


@pytest.mark.parametrize(
    "content",
    [
        HARMLESS,
        "def mean(z):\n    return np.mean(z, axis=1)\n",
        "powers = np.exp(z)\ntotal = np.sum(powers, axis=1, keepdims=True)\nprint(total)\n",
        f"values = {VALUES[::-1].tolist()}",
        "BEGIN = 'BEGIN SOLUTION'\n",
    ],
    ids=["stub", "short", "other steps", "other order", "name of a marker"],
)
def test_what_is_no_answer_is_left_alone(content: str, marks: Marks, tmp_path: Path) -> None:
    """Nothing is found in stubs, commonplaces and other code."""
    assert scanned(tmp_path, marks, {"lib.py": content.encode(), "a.bin": bytes(1000), "a.ipynb": notebook()}) == []


def test_own_stub_may_define_its_exercise(marks: Marks, tmp_path: Path) -> None:
    """The cell in which learners write defines the graded name, and no other cell does."""
    own = {"nbgrader": {"grade_id": "softmax"}}
    stub = cell("def softmax(z):\n    raise NotImplementedError\n", metadata=own)
    assert scanned(tmp_path, marks, {"a.ipynb": notebook(stub)}) == []
    other = {**stub, "metadata": {}}
    assert [str(leak) for leak in scanned(tmp_path, marks, {"a.ipynb": notebook(stub, other)})] == [
        "a.ipynb: a definition of softmax"
    ]
