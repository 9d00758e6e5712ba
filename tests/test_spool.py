"""A class on disk between judge and gradebook: nothing of it changes, and nothing of it stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import tiny_course as tiny

from autograder.grade import Graded
from autograder.spool import Spool

CLASS = [
    Graded(
        tiny.report("ada", "double"), True, {"double": "def double"}, stamp="now", handed_in=datetime(2026, 1, 2, 3)
    ),
    Graded(tiny.report("bea"), texts=None, held=("square",), stays=True),
    Graded(tiny.report("carl"), texts={"double": "a lone \ud800 surrogate\nand a line"}),
]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    """Every field comes back, as often as one looks, copies for markers apart: they are written already."""
    with Spool(tmp_path) as spool:
        for one in CLASS:
            spool.add(replace(one, copy=b"large"))
        assert (list(spool), list(spool), len(spool)) == (CLASS, CLASS, 3)


def test_nothing_lies_about(tmp_path: Path) -> None:
    """The file has no name, so that a kill leaves nothing behind."""
    with Spool(tmp_path) as spool:
        spool.add(CLASS[0])
        assert list(tmp_path.iterdir()) == []


def test_one_submission_is_in_memory_at_a_time(tmp_path: Path) -> None:
    """Going through reads on and on, and does not wait for the end of the file."""
    with Spool(tmp_path) as spool:
        for one in CLASS:
            spool.add(one)
        first, second = iter(spool), iter(spool)
        assert (next(first), next(second), next(first)) == (CLASS[0], CLASS[0], CLASS[1])
