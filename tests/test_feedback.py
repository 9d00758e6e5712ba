"""Feedback pages: what to do next, everything a person said, and nothing of the learner's but text."""

from __future__ import annotations

import time
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tiny_course as tiny
from hypothesis import given
from hypothesis import strategies as st
from tiny_course import LESSON, LESSON_ID, OPEN

from autograder.course import Outcome, Report, Status, Verdict
from autograder.feedback import page, write_feedback
from autograder.folders import CourseError
from autograder.gradebook import CellScore, LearnerScore

TAGS = set(
    "html head meta title style body main section h1 h2 h3 p strong a pre code "
    "table caption thead tbody tr th td".split()
)
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</code></pre></section></main><iframe src=data:text/html,x>",
    "<a href='javascript:alert(1)'>x</a>",
    "</title><script>",
    "</style><script>",
    "<!-- never closed",
    "<b>never closed <div style='position:fixed'>",
    "{{ 7 * 7 }} {% raw %}",
]


class Page(HTMLParser):
    """Tags with their attributes, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """Note a comment: ours has none."""
        self.comments.append(data)


def html_of(report: Report, texts: dict[str, str] | None = None, **score: object) -> str:
    """The page of one learner."""
    return page(report, LESSON, texts or {}, LearnerScore(report.learner, **score))


def assert_harmless(html: str, like: str) -> None:
    """The page has the tags and attributes of a harmless one, and nothing else."""
    found, plain = Page(html), Page(like)
    assert {tag for tag, _ in found.tags} <= TAGS
    assert [(tag, sorted(attrs)) for tag, attrs in found.tags] == [(tag, sorted(attrs)) for tag, attrs in plain.tags]
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in found.tags)
    assert found.comments == []


def everywhere(text: str) -> str:
    """A page with the same text in every place that a learner can reach."""
    verdicts = tuple(Verdict(name, Outcome.RAISED, 0.0, points, text) for name, points in tiny.POINTS.items())
    report = Report(text, LESSON_ID, Status.PARTLY_GRADED, verdicts, text)
    cells = {f"check_{name}": CellScore(0.0, None, 0.0, p, False, text) for name, p in tiny.POINTS.items()}
    return html_of(report, dict.fromkeys([*tiny.POINTS, OPEN], text), cells=cells)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_markup_of_a_learner_reaches_the_page(attack: str) -> None:
    """Code, messages, names and comments are shown as they were typed, and are nothing but text."""
    html = everywhere(attack)
    assert_harmless(html, everywhere("harmless"))
    assert attack in unescape(html)


@given(st.text(min_size=1).filter(str.strip))
def test_no_text_changes_the_shape_of_the_page(text: str) -> None:
    """Whatever is typed, the page has the same tags."""
    assert_harmless(everywhere(text), everywhere("harmless"))


def test_the_page_forbids_scripts_and_loading() -> None:
    """A second wall: the reader's browser is told to run and load nothing."""
    page_ = Page(html_of(tiny.report("ada")))
    policy = [attrs["content"] for tag, attrs in page_.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert ("html", {"lang": "en"}) in page_.tags


def test_every_exercise_has_its_row_and_its_code() -> None:
    """Points, verdict, agreement with both references, the sentence, and the code next to it."""
    text = Page(html_of(tiny.report("ada", "double"), {"square": "def square(x): return 2 * x"})).text
    for part in ("2 of 9 points", "correct", "wrong values", "agrees", "differs", "Look at square again.", "2 / 2"):
        assert part in text
    assert "def square(x): return 2 * x" in text


def test_the_next_step_is_the_first_that_was_tried() -> None:
    """An exercise that was tried and failed comes before one that was not begun."""
    waiting = Verdict("double", Outcome.NOT_STARTED, 0.0, 2.0, "Not started.")
    html = html_of(tiny.report("ada", "exam_tiny", double=waiting))
    step = html[html.index("What to do next") : html.index("<h2>Results")]
    assert "Look at square again." in step
    assert "Not started." not in step
    only = html_of(tiny.report("ada", "square", "exam_tiny", double=waiting))
    assert "Not started." in only[only.index("What to do next") : only.index("<h2>Results")]


def test_full_points_say_so_and_name_what_a_person_marks() -> None:
    """No invented advice when nothing is left to do."""
    report = tiny.report("ada", *tiny.POINTS)
    assert "A person still marks: open_question_tiny." in Page(html_of(report)).text
    done = {OPEN: CellScore(None, 3.0, 0.0, 3.0, False)}
    assert "Nothing: everything has been judged" in Page(html_of(report, cells=done)).text


def test_open_questions_say_where_they_stand() -> None:
    """Not handed in, handed in and waiting, or marked: three different things."""
    for cell, words in (
        (CellScore(0.0, None, 0.0, 3.0, False), "no answer"),
        (CellScore(None, None, 0.0, 3.0, True), "waits for a person"),
        (CellScore(None, 1.0, 0.0, 3.0, False), "marked by a person"),
    ):
        assert f"{OPEN}: {words}" in Page(html_of(tiny.report("ada"), cells={OPEN: cell})).text


def test_marks_and_comments_of_people_are_shown() -> None:
    """A manual score replaces the automatic one, with the marker's words and the late penalty."""
    cells = {
        "check_square": CellScore(0.0, 1.5, 0.25, 3.0, False, "Nearly.\nLook again."),
        OPEN: CellScore(None, 2.5, 0.0, 3.0, False, "Well argued."),
    }
    text = Page(html_of(tiny.report("ada", "double"), cells=cells, penalty=0.5)).text
    assert "5.75 of 9 points" in text
    assert "after a late penalty of 0.5" in text
    assert "points set by a person" in text
    assert "Nearly.\nLook again." in text
    assert "Well argued." in text


def test_an_unreadable_submission_has_its_reason_on_top() -> None:
    """Nobody has to guess why there are no points."""
    report = replace(tiny.report("ada"), status=Status.UNREADABLE, reason="The file is empty; save it again.")
    text = Page(html_of(report)).text
    assert text.index("The file is empty; save it again.") < text.index("What to do next")
    assert "Status: unreadable" in text


def test_links_inside_the_page_have_targets() -> None:
    """Every exercise in the table leads to its section."""
    tags = Page(html_of(tiny.report("ada"))).tags
    targets = {attrs["id"] for _, attrs in tags if "id" in attrs}
    assert {attrs["href"] for tag, attrs in tags if tag == "a"} == {f"#{name}" for name in [*tiny.POINTS, OPEN]}
    assert {*tiny.POINTS, OPEN} <= targets


def _brightness(color: str) -> float:
    digits = color.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_are_readable() -> None:
    """Every text colour of the page has a contrast of at least 7 on every background (WCAG AAA)."""
    import re

    style = html_of(tiny.report("ada")).split("<style>")[1].split("</style>")[0]
    texts = re.findall(r"[^-]color: (#[0-9a-f]+)", style)
    grounds = re.findall(r"background: (#[0-9a-f]+)", style)
    assert len(texts) >= 4
    assert len(grounds) >= 4
    for text in texts:
        for ground in grounds:
            bright, dark = sorted((_brightness(text), _brightness(ground)), reverse=True)
            assert (bright + 0.05) / (dark + 0.05) >= 7, (text, ground)


def test_pages_go_where_nbgrader_looks_for_them(tmp_path: Path) -> None:
    """`run/feedback/<learner>/<lesson>/<lesson>.html`, and nowhere else."""
    paths = write_feedback([tiny.report("ada"), tiny.report("zoë")], LESSON, tmp_path)
    assert paths == [tmp_path / learner / LESSON_ID / f"{LESSON_ID}.html" for learner in ("ada", "zoë")]
    assert "zoë" in paths[1].read_text(encoding="utf-8")
    with pytest.raises(CourseError, match="cannot be the name of a folder"):
        write_feedback([tiny.report("../ada")], LESSON, tmp_path / "below")


def test_the_exchange_finds_its_files_beside_the_page(tmp_path: Path) -> None:
    """`nbgrader release_feedback` needs two small files; nothing behind a link is copied."""
    ada, eve = (tmp_path / "submitted" / learner / LESSON_ID for learner in ("ada", "eve"))
    for folder in (ada, eve):
        folder.mkdir(parents=True)
    (ada / "timestamp.txt").write_text("2026-01-31 11:00:00 UTC")
    (ada / "submission_secret.txt").write_text("0123")
    (ada / "other.txt").write_text("x")
    (eve / "submission_secret.txt").symlink_to(ada / "submission_secret.txt")
    (eve / "timestamp.txt").write_text("no time" * 1000)
    reports = [tiny.report("ada"), tiny.report("eve")]
    pages = write_feedback(reports, LESSON, tmp_path / "feedback", submitted=tmp_path / "submitted")
    names = [sorted(path.name for path in page.parent.iterdir() if path != page) for page in pages]
    assert names == [["submission_secret.txt", "timestamp.txt"], []]


def test_a_page_is_cheap(tmp_path: Path) -> None:
    """At most 0.06 CPU-seconds each, with 25 exercises of 60 lines."""
    verdicts = tuple(Verdict(f"e{n}", Outcome.WRONG_VALUES, 0.0, 2.0, "Look again.") for n in range(25))
    reports = [Report(f"l{n}", LESSON_ID, Status.GRADED, verdicts) for n in range(20)]
    answers = {report.learner: {v.exercise: "x = '<b>'  # code\n" * 60 for v in verdicts} for report in reports}
    started = time.process_time()
    write_feedback(reports, LESSON, tmp_path, answers)
    assert (time.process_time() - started) / len(reports) <= 0.06
