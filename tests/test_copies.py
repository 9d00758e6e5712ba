"""Copies of submissions that people open: complete, in order, and without anything of the learner's but text."""

from __future__ import annotations

import json
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tiny_course as tiny
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html
from tiny_course import LESSON_ID, OPEN

from autograder import copies
from autograder.copies import (
    add_verdicts,
    answer_texts,
    autograded,
    keep_autograded,
    neutral,
    safe_copy,
    timestamp_of,
    to_bytes,
)  # fmt: skip
from autograder.folders import CourseError
from autograder.submission import Cell

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

HARMLESS = set(
    "p a em strong code pre ul ol li h1 h2 h3 h4 h5 h6 hr br blockquote del table thead tbody tr th td div span "
    "section sup input dl dt dd".split()
)
SCRIPTS = ("javascript:", "vbscript:", "data:", "file:")


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, its event handlers and where it points."""
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction", "style")]


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</pre></div><iframe src=http://example.org>",
    "<!-- comment --><style>*{display:none}</style>",
    "[click](javascript:alert(1))",
    "[click][1]\n\n[1]: javascript:alert(1)",
    "![](http://example.org/track.png)",
    "![x][y]\n\n[y]: data:image/svg+xml;base64,AAAA",
    "<javascript:alert(1)>",
    "<a@b.example>",
    "`<script>` and ``` <b> ```",
    "$<script>alert(1)</script>$",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "\\begin{a}<script>\\end{a}",
    "```mermaid\nclick A call alert()\n```",
    "```html\n<script>alert(1)</script>\n```",
    "    <script>indented()</script>",
    "<\u200bscript>",
    "<?php ?><![CDATA[ <script> ]]>",
    "a <b",
    "[^1]\n\n[^1]: <script>",
    "- [ ] <script>",
    "| a |\n|---|\n| <script> |",
    "\\<script>",
    "&lt;script&gt;",
]
pieces = st.sampled_from(
    [*ATTACKS, "<", "![", "](", "]:", "`", "$", "\n\n", "\\", "[a", "javascript:", ">", "script", " "]
)


def _assert_harmless(text: str) -> None:
    html = str(markdown2html(neutral(text)))
    page = Page(html)
    assert 'class="mermaid"' not in html
    assert set(page.tags) <= HARMLESS, (text, page.tags)
    assert page.handlers == []
    # nbconvert makes links of bare addresses, and anchors of headings; nothing else may point anywhere.
    assert all(link.startswith(("http://", "https://", "#", "text-align")) for link in page.links), page.links


@pytest.mark.parametrize("text", ATTACKS)
def test_markdown_of_learners_makes_no_html(text: str) -> None:
    """nbconvert renders our copy of each attack as text."""
    _assert_harmless(text)


@given(st.lists(pieces, max_size=8).map("".join))
def test_no_mixture_of_attacks_makes_html(text: str) -> None:
    """Attacks glued together in any order are text, too."""
    _assert_harmless(text)


@given(st.text())
def test_neutral_text_is_stable_and_looks_the_same(text: str) -> None:
    """Doing it twice changes nothing, and only invisible characters are added."""
    once = neutral(text)
    assert neutral(once) == once
    assert once.replace(copies.BREAK, "") == text.replace(copies.BREAK, "")


def test_the_attacks_are_real() -> None:
    """Without our step nbconvert lets them through: the tests above can fail."""
    pages = [Page(str(markdown2html(text))) for text in ATTACKS]
    assert {"script", "img", "svg", "iframe"} <= {tag for page in pages for tag in page.tags}
    assert any(link.startswith("javascript:") for page in pages for link in page.links)


def _released() -> dict[str, Any]:
    return tiny.released(tiny.made_course())


def _cells(notebook: dict[str, Any]) -> list[Cell]:
    return [
        Cell(n, c["cell_type"], "".join(c["source"]), c["metadata"].get("nbgrader", {}).get("grade_id", ""))
        for n, c in enumerate(notebook["cells"])
    ]


def _names(copy: dict[str, Any]) -> list[str]:
    return [c["metadata"]["nbgrader"]["grade_id"] for c in copy["cells"] if "nbgrader" in c["metadata"]]


def _valid(copy: dict[str, Any]) -> dict[str, Any]:
    nbformat.validate(nbformat.from_dict(copy))
    return copy


def test_a_healthy_submission_is_copied_cell_by_cell() -> None:
    """Order, texts and metadata are those of the lesson; answers are the learner's."""
    notebook = tiny.answered(tiny.made_course(), ["double"], "Because.")
    copy = _valid(safe_copy(_released(), _cells(notebook)))
    assert [cell["cell_type"] for cell in copy["cells"]] == [cell["cell_type"] for cell in notebook["cells"]]
    assert tiny.cell(copy, "double")["source"] == tiny.RIGHT["double"]
    assert tiny.cell(copy, OPEN)["source"] == "Because."
    for cell in copy["cells"]:
        cell.pop("id")
    assert copy["cells"][2]["metadata"] == _released()["cells"][2]["metadata"]


@pytest.mark.parametrize("missing", ["everything", "answer", "check", "first"])
def test_missing_cells_are_put_back_in_their_place(missing: str) -> None:
    """Every graded cell of the lesson is there once, in the lesson's order, whatever was deleted."""
    cells = _cells(_released())
    names = _names(_released())
    gone = {"everything": set(names), "answer": {"square"}, "check": {"check_square"}, "first": {"double"}}[missing]
    copy = _valid(safe_copy(_released(), [cell for cell in cells if cell.grade_id not in gone]))
    assert _names(copy) == names
    assert all(copies.MISSING in tiny.cell(copy, name)["source"] for name in gone if not name.startswith("check_"))


def test_duplicated_retyped_and_foreign_cells_survive() -> None:
    """Both texts of a doubled answer are shown; an answer in a cell of another type is in its cell again."""
    cells = [
        Cell(1, "markdown", "double = 1", "double"),
        Cell(2, "code", "my_helper = 2"),
        Cell(3, "code", "double = 3", "double"),
        Cell(4, "raw", "<b>raw</b>"),
        Cell(5, "code", "x = 4", "nobody_knows_me"),
    ]
    copy = _valid(safe_copy(_released(), cells))
    assert tiny.cell(copy, "double")["source"] == "double = 1\n\ndouble = 3"
    assert tiny.cell(copy, "double")["cell_type"] == "code"
    sources = [cell["source"] for cell in copy["cells"]]
    assert "my_helper = 2" in sources
    assert "x = 4" in sources
    assert neutral("<b>raw</b>") in sources
    assert len(_names(copy)) == len(set(_names(copy)))


def test_check_cells_are_the_lessons_own() -> None:
    """What a learner made of a check cell is not shown as ours."""
    copy = safe_copy(_released(), [Cell(1, "code", "check = print; 100", "check_double")])
    assert tiny.cell(copy, "check_double")["source"] == 'check("double", double)'


def test_floods_are_cut_but_answers_stay() -> None:
    """20,000 cells or a cell of 50 MB neither fill the disk nor hide an answer."""
    cells = [*(Cell(n, "code", "x" * 10) for n in range(20_000)), Cell(0, "code", "y" * 50_000_000, "double")]
    copy = safe_copy(_released(), cells)
    assert len(to_bytes(copy)) < 1_000_000
    assert tiny.cell(copy, "double")["source"].startswith("yyy")
    assert tiny.cell(copy, "double")["source"].endswith(copies.CUT)
    assert any("19000 more cells" in cell["source"] for cell in copy["cells"])


def test_control_characters_and_surrogates_become_visible() -> None:
    """The copy is always UTF-8, and no escape sequence reaches a terminal or browser."""
    copy = _valid(safe_copy(_released(), [Cell(1, "code", "a\x1b[31m\x00b\ud800c", "double")]))
    assert "a\ufffd[31m\ufffdb\ufffdc" in to_bytes(copy).decode()


def test_verdicts_are_the_only_outputs() -> None:
    """Each check cell shows its verdict as plain text, and no other cell shows anything."""
    copy = safe_copy(_released(), _cells(_released()))
    add_verdicts(copy, tiny.report("ada", "double"))
    shown = {name: tiny.cell(copy, name).get("outputs") for name in _names(copy)}
    assert shown["check_double"][0]["text"].startswith("correct: 2 of 2 points")
    assert "Look at square again." in shown["check_square"][0]["text"]
    assert [name for name, outputs in shown.items() if outputs] == [f"check_{name}" for name in tiny.POINTS]


def test_answer_texts_are_those_of_answer_cells_only() -> None:
    """Checks are left out, and so is a cell that is gone."""
    notebook = tiny.answered(tiny.made_course(), ["double"], "Because.")
    cells = [cell for cell in _cells(notebook) if cell.grade_id != "square"]
    texts = answer_texts(_released(), cells)
    assert set(texts) == {"double", "exam_tiny", OPEN}
    assert (texts["double"], texts[OPEN]) == (tiny.RIGHT["double"], "Because.")


def test_newer_copy_replaces_the_older_one(tmp_path: Path) -> None:
    """A regrade writes the same file again, even over a read-only one that nbgrader made."""
    report, stamp = tiny.report("ada"), "2026-01-31 12:00:00 UTC"
    path = keep_autograded(tmp_path, report, autograded(_released(), (), report))
    path.chmod(0o444)
    again = keep_autograded(tmp_path, report, autograded(_released(), _cells(_released()), report), stamp)
    assert again == path == tmp_path / "ada" / LESSON_ID / f"{LESSON_ID}.ipynb"
    assert copies.MISSING not in path.read_text()
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, "timestamp.txt"]
    nbformat.validate(nbformat.from_dict(json.loads(path.read_text())))


@pytest.mark.parametrize("learner", ["", ".", "..", "../ben", "a/b", "a\0b"])
def test_no_learner_is_written_elsewhere(tmp_path: Path, learner: str) -> None:
    """A name that leads to another folder is refused with a sentence."""
    with pytest.raises(CourseError, match="cannot be the name of a folder"):
        keep_autograded(tmp_path / "graded", tiny.report(learner), b"{}")
    assert not (tmp_path / "ben").exists()


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2026-01-31 12:00:00.5 UTC", datetime(2026, 1, 31, 12, 0, 0, 500_000)),
        ("2026-01-31 12:00:00 Europe/Paris", datetime(2026, 1, 31, 11)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10)),
        ("tomorrow, I promise", None),
        ("", None),
    ],
)
def test_timestamps_are_read_as_nbgrader_reads_them(tmp_path: Path, text: str, when: datetime | None) -> None:
    """A time in any zone becomes UTC; anything else is no time."""
    from nbgrader.utils import parse_utc

    (tmp_path / "timestamp.txt").write_text(text)
    assert timestamp_of(tmp_path) == (text if when else "", when)
    assert when is None or parse_utc(text) == when


def test_a_link_is_no_timestamp(tmp_path: Path) -> None:
    """The file behind a link is not read."""
    (tmp_path / "other").write_text("2026-01-31 12:00:00 UTC")
    (tmp_path / "timestamp.txt").symlink_to(tmp_path / "other")
    assert timestamp_of(tmp_path) == ("", None)
