"""How a check looks, in HTML and as text."""

from __future__ import annotations

import contextlib
import io
from html.parser import HTMLParser
from types import SimpleNamespace

import IPython
import numpy as np
import pytest

from course_lib.compare import Tolerance, compare
from course_lib.diagnose import Row
from course_lib.report import CheckReport, show

WRONG = compare(np.eye(2), np.ones((2, 2)), Tolerance.for_dtype("float64"))
LARGE = compare(np.zeros((41, 2)), np.ones((41, 2)), Tolerance.for_dtype("float64"))
ROWS = (
    Row("plain", True, True),
    Row("<b>odd & 'quoted'</b>", False, True, '1 < 2 & "3" > 2', WRONG),
    Row("soft", True, True, "one convention"),
)
REPORT = CheckReport("sig<moid>", "Not yet: 2 of 3 cases fail.", False, ROWS, "This looks <familiar>.")


class Page(HTMLParser):
    """Collects tags with attributes, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag."""
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Tags close in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember text."""
        self.text += data


def test_text_form() -> None:
    """As text: headline, a line per case, the advice, the details of the first failing case with its map."""
    assert repr(REPORT).split("\n") == [
        "✗ sig<moid>: Not yet: 2 of 3 cases fail.",
        "  ✓ plain                      NumPy agrees, Torch agrees: right",
        "  ✗ <b>odd & 'quoted'</b>      NumPy differs, Torch agrees: wrong",
        "  ✗ soft                       NumPy agrees, Torch agrees: almost",
        "  This looks <familiar>.",
        "  Details, case '<b>odd & 'quoted'</b>': 1 < 2 & \"3\" > 2",
        "  Where it differs (■ wrong, · right):",
        "  · ■",
        "  ■ ·",
    ]


def test_html_is_well_formed_and_escaped() -> None:
    """Tags are ours, closed in order; everything else is text."""
    page = Page(REPORT._repr_html_())
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= {"div", "p", "strong", "table", "tr", "th", "td", "pre"}
    for text in ("sig<moid>", "<b>odd & 'quoted'</b>", '1 < 2 & "3" > 2', "This looks <familiar>."):
        assert text in page.text


def test_html_table_has_headers() -> None:
    """Screen readers are told what each row and column is, and that the result is news."""
    page = Page(REPORT._repr_html_())
    scopes = [attributes["scope"] for tag, attributes in page.tags if tag == "th"]
    assert scopes == ["col"] * 4 + ["row"] * 3
    assert page.tags[0][1]["role"] == "status"


def test_verdicts_do_not_rely_on_colour() -> None:
    """Right, almost and wrong are written out."""
    page = Page(REPORT._repr_html_())
    assert [word in page.text for word in ("✓ right", "✗ wrong", "✗ almost")] == [True] * 3


def test_report_without_rows_is_one_line() -> None:
    """A sentence alone needs no table."""
    report = CheckReport("x", "Not started yet.", False)
    assert repr(report) == "✗ x: Not started yet."
    assert [tag for tag, _ in Page(report._repr_html_()).tags] == ["div", "p", "strong"]


def test_large_maps_are_left_out() -> None:
    """A map that no screen holds is not printed."""
    assert "■" not in repr(CheckReport("x", "No.", False, (Row("a", False, False, "note", LARGE),)))


def test_worst_is_the_first_failing_row() -> None:
    """Details are about the first case that failed."""
    assert REPORT.worst is ROWS[1]
    assert CheckReport("x", "Right.", True, ROWS[:1]).worst is None


@pytest.mark.parametrize("config", [None, {}, {"IPKernelApp": {}}], ids=["python", "terminal", "notebook"])
def test_shown_richly_only_in_notebooks(config: dict | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain Python and terminals get text; a notebook gets the object itself to render."""
    shown: list[object] = []
    shell = None if config is None else SimpleNamespace(config=config)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr("IPython.display.display", shown.append)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        show(REPORT)
    assert (shown == [REPORT], out.getvalue() == "") == (bool(config), bool(config))
