"""Hints open one by one: the next one lies inside the one before."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from course_lib.standing import contents_here

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9]*/*.ipynb"))


class Depths(HTMLParser):
    """Collects each summary with the number of `<details>` around it."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.found, self.open = 0, [], False

    def handle_starttag(self, tag, attrs):
        """Deeper, or a title."""
        self.depth += tag == "details"
        self.open = tag == "summary"

    def handle_endtag(self, tag):
        """Up again."""
        self.depth -= tag == "details"

    def handle_data(self, data):
        """Keep titles."""
        if self.open:
            self.found.append((self.depth, data))
            self.open = False


def depths(text: str) -> tuple[list[tuple[int, str]], int]:
    """Summaries with their depths, and how many `<details>` are left open at the end."""
    parser = Depths()
    # What is code is no markup.
    parser.feed(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL))
    parser.close()
    return parser.found, parser.depth


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_three_hints_one_inside_the_other(path):
    """Every exercise has three hints, each seen only after the one before is opened."""
    cells = json.loads(path.read_bytes())["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    hinted = [text for text in texts if "<summary>Hint" in text]
    (contents,) = (item for item in contents_here() if item.lesson == path.stem)
    assert len(hinted) == len(contents.exercises)
    for text in hinted:
        found, left_open = depths(text)
        hints = [(depth, title.partition(":")[0]) for depth, title in found if title.startswith("Hint")]
        assert hints == [(1, "Hint 1"), (2, "Hint 2"), (3, "Hint 3")], text
        assert left_open == 0, text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_inside_a_hint_is_still_markdown(path):
    """A blank line stands after each summary and before the next: else formulas and code show as they are typed."""
    for cell in json.loads(path.read_bytes())["cells"]:
        text = "".join(cell["source"])
        if "<summary>Hint" in text:
            assert not re.search(r"</summary>\n(?!\n)", text), text
            assert not re.search(r"[^\n]\n<details>", text), text
