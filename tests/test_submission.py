"""Reading notebooks: anything may come in, a `Submission` or a reason comes out."""

from __future__ import annotations

import json
import os
import resource
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import submission
from autograder.submission import Cell, Submission, Unreadable, parse_notebook, read_submission, without_line_magic

HOSTILE_KEYS = [
    "cells",
    "cell_type",
    "source",
    "input",
    "metadata",
    "nbgrader",
    "grade_id",
    "worksheets",
    "outputs",
    "x",
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
LEAVES |= st.sampled_from(["code", "markdown", "sigmoid", "check_sigmoid", "%%time\nx = 1", "\ud800", "a\0b"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(HOSTILE_KEYS), inner, max_size=5),
    max_leaves=25,
)


def code(source: Any, grade_id: str = "", **more: Any) -> dict[str, Any]:
    """A code cell as it stands in a file."""
    metadata = {"nbgrader": {"grade_id": grade_id, "solution": True}} if grade_id else {}
    return {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": [], "source": source, **more}


def notebook(*cells: Any, **more: Any) -> dict[str, Any]:
    """A notebook of version 4 around some cells."""
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


SMALL = notebook(
    {"cell_type": "markdown", "metadata": {}, "source": ["# Très \u00e9troit\n", "text"]},
    code(["import numpy as np\n", 'LEARNER = "ada"'], id="a1"),
    code("def sigmoid(x):\n    return 1 / (1 + np.exp(-x))", "sigmoid"),
)


def sources(read: Submission) -> list[str]:
    """The text of every cell."""
    return [cell.source for cell in read.cells]


def parse(tree: Any) -> Submission:
    """A tree, through JSON."""
    return parse_notebook(json.dumps(tree).encode())


def refusal(content: bytes) -> str:
    """Why some bytes are unreadable."""
    with pytest.raises(Unreadable) as caught:
        parse_notebook(content, "ada.ipynb")
    return str(caught.value)


def test_healthy_notebook_is_read_whole() -> None:
    """Kinds, text, order and grade ids come out, and nothing is said about damage."""
    read = parse(SMALL)
    assert read.problems == ()
    assert [cell.kind for cell in read.cells] == ["markdown", "code", "code"]
    assert read.cells[1] == Cell(2, "code", 'import numpy as np\nLEARNER = "ada"')
    assert read.cells[2].grade_id == "sigmoid"


def test_check_cells_are_known_by_their_id() -> None:
    """A cell is a check when its grade id says so, whatever it holds."""
    read = parse(notebook(code("sigmoid = 1", "check_sigmoid"), code("x = 1", "sigmoid")))
    assert [cell.is_check for cell in read.cells] == [True, False]


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "indented"])
def test_cut_at_every_byte(indent: int | None) -> None:
    """However much of a file is missing, every whole cell before the cut is recovered, and the damage is named."""
    content = json.dumps(SMALL, indent=indent, ensure_ascii=False).encode()
    recovered = []
    for length in range(len(content)):
        try:
            read = parse_notebook(content[:length])
        except Unreadable:
            recovered.append(0)
        else:
            assert read.problems
            recovered.append(len(read.cells))
    assert recovered == sorted(recovered)
    assert set(recovered) == {0, 1, 2, 3}


@pytest.mark.parametrize("drop", [3, 40, 120])
def test_lost_beginning(drop: int) -> None:
    """Cells after a missing beginning are recovered."""
    content = json.dumps(SMALL).encode()
    assert "def sigmoid" in sources(parse_notebook(content[drop:]))[-1]


def test_merge_conflict_costs_one_cell() -> None:
    """Conflict markers inside one cell leave the cells before and after it readable."""
    text = json.dumps(notebook(code("a = 1"), code("b = 2"), code("c = 3")), indent=1)
    read = parse_notebook(text.replace('"b = 2"', '\n<<<<<<< HEAD\n"b = 2"\n=======\n"b = 3"\n>>>>>>> x').encode())
    assert sources(read) == ["a = 1", "c = 3"]
    assert read.problems == ("the file is damaged: 2 cells could be recovered",)


def test_text_after_the_end_is_forgiven() -> None:
    """A whole notebook followed by rubbish keeps all its cells."""
    assert len(parse_notebook(json.dumps(SMALL).encode() + b"}}\n<html>").cells) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\0\0\0\0", "is empty"),
        (b"hello", "its JSON is damaged"),
        (b"%PDF-1.7 \xff\xfe", "its JSON is damaged"),
        (b"[" * 100_000, "its JSON is damaged"),
        (b'{"cells": ' + b"[" * 100_000, "its JSON is damaged"),
        (b'{"cells": [' + b'{"cell_type": ' * 100_000, "its JSON is damaged"),
        (b"[1, 2]", "its JSON is damaged"),
        (b"null", "its JSON is damaged"),
        (b'{"x": 1} and more', "its JSON is damaged"),
        (b'"cells"', "its JSON is damaged"),
        (b'{"n": ' + b"9" * 5000 + b"}", "its JSON is damaged"),
        (b"{}", "has no cells"),
        (b'{"cells": {}}', "has no cells"),
        (b'{"cells": [1, null, "x"]}', "has no cells"),
        (b'{"worksheets": [7, {"cells": 3}]}', "has no cells"),
    ],
)
def test_hopeless_files_are_refused_with_a_reason(content: bytes, says: str) -> None:
    """What holds no cell is refused in a sentence that names the file and says what to ask for."""
    message = refusal(content)
    assert message.startswith("ada.ipynb ")
    assert says in message
    assert ";" in message


def test_deep_nesting_costs_only_its_cell() -> None:
    """A cell whose metadata is nested 100,000 deep does not take its neighbours with it."""
    deep = b'{"cell_type": "code", "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b', "source": "b = 2"}'
    content = b'{"cells": [' + b", ".join(
        [json.dumps(code("a = 1")).encode(), deep, json.dumps(code("c = 3")).encode()]
    )
    assert sources(parse_notebook(content + b"]}")) == ["a = 1", "c = 3"]


def test_long_numbers_cost_only_their_cell() -> None:
    """A number that Python's reader refuses does not take the other cells with it."""
    content = json.dumps(notebook(code("a = 1"), code("b = 2", n=0), code("c = 3"))).replace(
        '"n": 0', '"n": ' + "9" * 5000
    )
    assert sources(parse_notebook(content.encode())) == ["a = 1", "c = 3"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_are_read(encoding: str) -> None:
    """Notebooks saved as UTF-16, UTF-32 or with a byte-order mark are read; only the last is no problem at all."""
    read = parse_notebook(json.dumps(SMALL).encode(encoding))
    assert sources(read) == sources(parse(SMALL))
    assert bool(read.problems) == (encoding != "utf-8-sig")


def test_bad_bytes_are_replaced() -> None:
    """Bytes that are not UTF-8 cost themselves, not the file."""
    read = parse_notebook(json.dumps(notebook(code("a = 'X'"))).encode().replace(b"X", b"\xff\xc3"))
    assert sources(read) == ["a = '\ufffd\ufffd'"]
    assert read.problems == ("the file holds bytes that are not UTF-8; they were replaced",)


def test_nul_bytes_are_left_out() -> None:
    """NUL bytes strewn into a file cost nothing but a remark."""
    read = parse_notebook(json.dumps(SMALL).encode().replace(b"cells", b"ce\0lls").replace(b"sig", b"s\0ig"))
    assert sources(read) == sources(parse(SMALL))
    assert read.problems == ("the file holds NUL bytes; they were left out",)


def test_lone_surrogates_become_question_marks() -> None:
    """Every text that comes out can be written to a file."""
    read = parse(notebook(code("a = '\ud800'"), code(["b = '\udfff", "'"])))
    assert sources(read) == ["a = '?'", "b = '?'"]


def test_old_line_ends_become_new_ones() -> None:
    """Carriage returns never reach the parser, whose line count they would shift."""
    assert sources(parse(notebook(code("a = 1\r\nb = 2\rc = 3")))) == ["a = 1\nb = 2\nc = 3"]


def test_version_3_is_read() -> None:
    """Cells of version 3 lie in worksheets and call their text input."""
    cell = {"cell_type": "code", "input": ["a = 1\n", "b = 2"], "metadata": {"nbgrader": {"grade_id": "q"}}}
    head = {"cell_type": "heading", "level": 1, "source": "Title"}
    read = parse({"worksheets": [{"cells": [head, cell]}], "nbformat": 3})
    assert read.cells == (Cell(1, "raw", "Title"), Cell(2, "code", "a = 1\nb = 2", "q"))


@pytest.mark.parametrize("version", [{"nbformat": 5}, {"nbformat_minor": 999}, {"nbformat": "x"}, {"nbformat": None}])
def test_other_versions_are_read(version: dict[str, Any]) -> None:
    """The version number decides nothing."""
    assert sources(parse({**SMALL, **version})) == sources(parse(SMALL))


@pytest.mark.parametrize("missing", ["cell_type", "source", "metadata", "outputs", "execution_count"])
def test_missing_keys_are_survived(missing: str) -> None:
    """A cell without a key is still a cell, and its neighbours are unharmed."""
    bare = {key: value for key, value in code("a = 1", "q").items() if key != missing}
    read = parse(notebook(bare, code("b = 2")))
    assert len(read.cells) == 2
    assert read.cells[1] == Cell(2, "code", "b = 2")


@given(TREES)
def test_any_json_is_read_or_refused(tree: Any) -> None:
    """Random JSON that looks like a notebook gives a submission of well-formed cells, or a reason."""
    try:
        read = parse(tree)
    except Unreadable as reason:
        assert str(reason)
        return
    for number, cell in enumerate(read.cells, 1):
        assert (cell.number, type(cell.source), type(cell.grade_id)) == (number, str, str)
        assert cell.kind in {"code", "markdown", "raw"}
        cell.source.encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Random bytes inside a notebook never raise anything else."""
    frame = json.dumps(SMALL).encode()
    for whole in (content, frame[:60] + content + frame[60:]):
        try:
            parse_notebook(whole)
        except Unreadable as reason:
            assert str(reason)


def test_large_outputs_are_cheap() -> None:
    """50 MB of outputs take a few seconds at most, and little more memory than the text itself."""
    output = {"output_type": "stream", "name": "stdout", "text": ["0123456789" * 100] * 50}
    content = json.dumps(notebook(*[code(f"x = {i}", outputs=[output] * 11) for i in range(100)])).encode()
    assert len(content) > 50 << 20
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert len(parse_notebook(content).cells) == 100
    assert time.process_time() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10


def test_damaged_large_file_is_cheap() -> None:
    """A file made to look broken again and again does not hold up the class."""
    content = b'{"cells": [' + b'{"cell_type": "code", "source": "' * 500_000
    started = time.process_time()
    assert "its JSON is damaged" in refusal(content)
    assert time.process_time() - started < 5


def test_many_cells_are_read() -> None:
    """20,000 cells are nothing special."""
    assert len(parse(notebook(*[code(f"x{i} = {i}") for i in range(20_000)])).cells) == 20_000


def test_endless_code_is_cut_and_said() -> None:
    """More code than any lesson has is cut off with a remark; large markdown is nobody's problem."""
    text = {"cell_type": "markdown", "metadata": {}, "source": "y" * 500_000}
    read = parse(notebook(text, *[code("x = 1\n" * 30_000)] * 20))
    assert sum(len(cell.source) for cell in read.cells if cell.kind == "code") <= submission.MAX_NOTEBOOK_CHARS
    assert read.problems == ("it holds far more code than a lesson; what is too long was cut off",)
    assert parse(notebook(text, code("x = 1"))).problems == ()


def _link(path: Path) -> None:
    (path.parent / "real.ipynb").write_text(json.dumps(SMALL))
    path.symlink_to(path.parent / "real.ipynb")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(submission.MAX_FILE_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_link, "nb.ipynb is a symbolic link; ask for the notebook file itself."),
        (os.mkfifo, "nb.ipynb is not a regular file; ask for the notebook file itself."),
        (Path.mkdir, "nb.ipynb is not a regular file; ask for the notebook file itself."),
        (_socket, "nb.ipynb cannot be opened"),
        (lambda path: None, "nb.ipynb cannot be opened (No such file or directory)"),
        (_huge, "nb.ipynb is 100 MB large; ask the learner to clear all outputs and send it again."),
    ],
    ids=["link", "pipe", "folder", "socket", "nothing", "too large"],
)
def test_only_plain_files_are_opened(make: Callable[[Path], None], says: str, tmp_path: Path) -> None:
    """Links, pipes, folders, sockets and huge files are refused in a sentence, at once, leaving nothing open."""
    path = tmp_path / "nb.ipynb"
    make(path)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(Unreadable) as caught:
        read_submission(path)
    assert str(caught.value).startswith(says)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices_are_not_read(device: str) -> None:
    """A device is refused before a byte of it is read."""
    with pytest.raises(Unreadable, match="is not a regular file"):
        read_submission(Path(device))


def test_plain_file_is_read(tmp_path: Path) -> None:
    """The same bytes say the same from a file."""
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps(SMALL))
    assert read_submission(path) == parse(SMALL)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("%%time\nx = 1", "\nx = 1"),
        ("\n\n%%capture out\nx = 1", "\n\n\nx = 1"),
        ("%%bash\nrm -rf /", ""),
        ("%%writefile a.py\nx = 1", ""),
        ("x = 1\n%%time", "x = 1\n%%time"),
    ],
)
def test_cell_magics(source: str, kept: str) -> None:
    """Magics that run the cell's Python are taken off, line numbers stay; other cells hold no Python of ours."""
    assert sources(parse(notebook(code(source)))) == [kept]


@pytest.mark.parametrize(
    ("source", "line", "cleaned"),
    [
        ("x = 1\n%matplotlib inline", 2, "x = 1\npass"),
        ("for i in x:\n    !ls", 2, "for i in x:\n    pass"),
        ("np.exp?", 1, "pass"),
        ("t = %timeit f()", 1, "pass"),
        ("files = !ls", 1, "pass"),
        ("!pip install \\\n  numpy \\\n  scipy\nx = 1", 1, "pass\n\n\nx = 1"),
        ("x = 1", 1, "x = 1"),
        ("x = y % z", 1, "x = y % z"),
        ("x", 0, "x"),
        ("x", 9, "x"),
    ],
)
def test_one_line_magic_at_a_time(source: str, line: int, cleaned: str) -> None:
    """Only the line that Python refuses is replaced, only if it is a magic, and no line moves."""
    assert without_line_magic(source, line) == cleaned
