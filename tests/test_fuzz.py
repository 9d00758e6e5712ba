"""Real notebooks, damaged at random: the reader recovers or explains, in bounded time and memory.

A few dozen here; many more, other ones each time, with ``FUZZ_EXAMPLES=20000 python -m pytest tests/test_fuzz.py``.
"""

from __future__ import annotations

import json
import os
import resource
import time
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.answers import Notebook
from autograder.catalogue import LESSONS
from autograder.copies import answer_texts, safe_copy
from autograder.folders import Folders
from autograder.submission import Unreadable, parse_notebook

ROOT = Path(__file__).parent.parent
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
CPU_SECONDS = 5.0
MEGABYTES = 300
# What a parser stumbles over, beside random bytes.
PIECES = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"1e999", b"-", b"\x00", b"\xff\xfe", b"\xed\xa0\x80",
    b"\\ud800", b"[" * 5000,
    b'{"cells":' * 500, b"9" * 5000, b"\n<<<<<<< HEAD\n", b'"source": 5,', b'"cell_type": "code",',
    b'"nbgrader": {"grade_id": ["a"]},', b"\r\n", b"\xef\xbb\xbf",
]  # fmt: skip


@cache
def seed(number: int) -> bytes:
    """A real notebook: released ones, and those with answers."""
    folders, lesson = Folders(ROOT), LESSONS[number % len(LESSONS)]
    path = folders.released(lesson.id) if number < len(LESSONS) else folders.solution(lesson.id)
    return path.read_bytes()


@st.composite
def damaged(draw: st.DrawFn) -> tuple[int, bytes]:
    """The number of a real notebook, and its bytes after one to six accidents."""
    number = draw(st.integers(0, 2 * len(LESSONS) - 1))
    content = seed(number)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 3, 40, 3000, 10**7])))
        kind = draw(st.sampled_from(["cut", "double", "put", "bytes", "move"]))
        part = content[start:end]
        if kind == "double":
            part *= 2
        elif kind == "put":
            part = draw(st.sampled_from(PIECES))
        elif kind == "bytes":
            part = draw(st.binary(max_size=20))
        elif kind == "move":
            other = draw(st.integers(0, len(content)))
            part = content[other : other + 2000]
        content = content[:start] + (b"" if kind == "cut" else part) + content[end:]
    return number, content


@settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(damaged())
def test_damaged_real_notebooks_are_read_or_refused(found: tuple[int, bytes]) -> None:
    """From bytes to answers and to the copy for markers: nothing but `Unreadable`, and nothing that takes long."""
    number, content = found
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    read_through(content, number)
    assert time.process_time() - started < CPU_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES << 10


def read_through(content: bytes, number: int) -> None:
    """Everything that reads a submission before any of it runs."""
    lesson = LESSONS[number % len(LESSONS)]
    try:
        submission = parse_notebook(content)
    except Unreadable as reason:
        assert str(reason)
        return
    names = [item.id for item in (*lesson.exercises, *lesson.questions)]
    notebook = Notebook(submission, names)
    answers = [notebook.answer(name) for name in names]
    assert len(answers) == len(names)
    released = released_of(number % len(LESSONS))
    json.dumps(safe_copy(released, submission.cells)).encode()
    assert all(isinstance(text, str) for text in answer_texts(released, submission.cells).values())


@cache
def released_of(number: int) -> dict[str, Any]:
    """The released notebook of a lesson, as JSON."""
    return json.loads(seed(number))


def test_seeds_are_whole() -> None:
    """Undamaged, every seed is read without a remark, so that the damage is what is tested."""
    for number in range(2 * len(LESSONS)):
        assert parse_notebook(seed(number)).problems == ()
