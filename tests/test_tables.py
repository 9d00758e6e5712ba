"""Tables as text and as HTML."""

from __future__ import annotations

from test_report import Page

from course_lib.tables import html_table, text_table

HEAD, ROWS = ("name", "count"), [("<a>", "1"), ("bb & c", "1,000")]


def test_text_columns_line_up():
    """Numbers end at the right, words start at the left, no line ends with blanks."""
    assert text_table(HEAD, ROWS, numbers=(1,)) == ["name    count", "<a>         1", "bb & c  1,000"]
    assert text_table(HEAD, ROWS) == ["name    count", "<a>     1", "bb & c  1,000"]


def test_html_is_escaped_and_has_headers():
    """Cells are text, columns and rows have headers, the caption is there when wanted."""
    page = Page(html_table(HEAD, ROWS, numbers=(1,), caption="2 < 3"))
    assert page.open == [] and "<a>" in page.text and "bb & c" in page.text and "2 < 3" in page.text
    assert [attributes["scope"] for tag, attributes in page.tags if tag == "th"] == ["col"] * 2 + ["row"] * 2
    assert "right" in [attributes for tag, attributes in page.tags if tag == "td"][0]["style"]
    assert "caption" not in [tag for tag, _ in Page(html_table(HEAD, ROWS)).tags]
