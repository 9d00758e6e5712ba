"""Every topic of the course is really taught where `docs/topics.md` says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import pytest

from autograder.catalogue import LESSONS

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"^(#{2,4}) (.+)$", re.MULTILINE)
LESSON = re.compile(r"^## (\d\d) · .+$", re.MULTILINE)
ROW = re.compile(r"^\| (?!topic \|)(?!-)(.+?) \| (.+?) \|$", re.MULTILINE)
LEAST_WORDS = 80


@dataclass(frozen=True)
class Place:
    """What stands under a heading, up to the next one of its level or above.

    Args:
        words: of the text, formulas and code apart.
        shows: a formula, a picture or an exercise is there.
    """

    words: int
    shows: bool


def topics() -> list[tuple[str, str, str]]:
    """Number of the lesson, topic and heading of every row."""
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    parts = LESSON.split(text)[1:]
    return [(number, *row) for number, table in zip(parts[::2], parts[1::2], strict=True) for row in ROW.findall(table)]


def places(source: str) -> dict[str, Place]:
    """All headings of a lesson's source, and what stands under each."""
    open_now: list[tuple[int, str]] = []
    found: dict[str, list[tuple[int, bool]]] = {}
    for kind, text in pieces(source):
        heading = HEADING.fullmatch(text) if kind == "heading" else None
        if heading:
            level = len(heading[1])
            open_now = [item for item in open_now if item[0] < level] + [(level, heading[2])]
        for _, title in open_now:
            found.setdefault(title, []).append((count_words(text) if kind == "text" else 0, shows(kind, text)))
    return {title: Place(sum(n for n, _ in parts), any(s for _, s in parts)) for title, parts in found.items()}


def pieces(source: str) -> list[tuple[str, str]]:
    """The lesson in order: headings, texts between them, and code cells."""
    made: list[tuple[str, str]] = []
    for cell in jupytext.reads(source, fmt="py:percent").cells:
        if cell.cell_type == "code":
            made.append(("code", cell.source))
            continue
        for line in cell.source.splitlines():
            made.append(("heading" if HEADING.fullmatch(line) else "text", line))
    return made


def count_words(text: str) -> int:
    """Words of a text, without formulas, code and tags."""
    plain = re.sub(r"\$[^$]*\$|`[^`]*`|<[^>]*>", " ", text)
    return len(re.findall(r"[^\W\d_]{2,}|\b[aI]\b", plain))


def shows(kind: str, text: str) -> bool:
    """Is it a formula, a picture, a look or an exercise?"""
    if kind == "code":
        return bool(re.search(r"\bplots\.|BEGIN SOLUTION|\b[A-Z]\w+\(.*\)\s*$", text))
    return "$" in text or text.startswith("![")


PLACES = {
    lesson.id[:2]: places((ROOT / "solutions" / lesson.id / f"{lesson.id}.py").read_text(encoding="utf-8"))
    for lesson in LESSONS
}


@pytest.mark.parametrize(("lesson", "topic", "heading"), topics(), ids=lambda value: value[:40])
def test_topic_is_taught_where_the_page_says(lesson: str, topic: str, heading: str) -> None:
    """The heading exists, with at least 80 words and a formula, a picture or an exercise under it."""
    assert heading in PLACES[lesson], f"lesson {lesson} has no heading {heading!r}"
    place = PLACES[lesson][heading]
    assert place.words >= LEAST_WORDS, f"{topic}: {place.words} words"
    assert place.shows, f"{topic}: no formula, picture or exercise"


def test_page_covers_every_lesson() -> None:
    """Each lesson has a table of at least six topics, each named once."""
    rows = topics()
    for lesson in LESSONS:
        mine = [topic for number, topic, _ in rows if number == lesson.id[:2]]
        assert len(set(mine)) == len(mine) >= 6, lesson.id


def test_the_search_sees_what_stands_under_a_heading() -> None:
    """A section ends at the next heading of its level; formulas count as shown, not as words."""
    source = (
        "# %% [markdown]\n# ## One\n# two words $x = 1$\n#\n# ### Inside\n# three more words\n"
        "# %%\nplots.curve(1)\n# %% [markdown]\n# ## Two\n# nothing here\n"
    )
    found = places(source)
    assert found["One"] == Place(5, True)
    assert found["Inside"] == Place(3, True)
    assert found["Two"] == Place(2, False)
