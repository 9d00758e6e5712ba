"""Every lesson in a real JupyterLab: all its cells run, and each control of each look is moved.

With the answers in, from the first cell to the last, so every check passes and every lab trains. Here trainings end
early (`tests/short_labs.py`); `make labs` runs them whole, and then each lab must reach its target.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from controls import LONGEST_MS, SHORT_MS, move_all
from playwright.sync_api import Page, expect
from short_labs import FULL, shortened

from autograder.catalogue import LESSONS, WELCOME
from autograder.course import Lesson

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.widgets.filter((cell) => cell.model.type === 'code')
  .map((cell) => ({ ran: cell.model.executionCount !== null, outputs: cell.model.outputs.toJSON() }))"""
LOOK = "application/vnd.jupyter.widget-view+json"
TARGET = "Target reached."
# What one chooses there shows once a button is pressed.
FORMS = ("Flip the answer by one word",)
# Shows only while something plays.
AT_PLAY = "Speed"

each_lesson = pytest.mark.parametrize("lesson", (WELCOME, *LESSONS), ids=lambda lesson: lesson.id)


def solution(lesson: Lesson) -> dict[str, Any]:
    """The lesson with its answers, as JSON."""
    return json.loads((ROOT / "solutions" / lesson.id / f"{lesson.id}.ipynb").read_text(encoding="utf-8"))


@each_lesson
def test_lesson_runs_and_every_control_moves_something(open_book, lesson: Lesson) -> None:
    """Every cell runs without an error, every look answers each of its controls, and the console stays clean."""
    watched = open_book(shortened(solution(lesson), lesson.id))
    cells = watched.page.evaluate(OUTPUTS)
    assert errors(cells) == []
    assert all(cell["ran"] for cell in cells)
    assert_looks_live(watched.page, sum(shows_a_look(output) for output in outputs(cells)))
    assert watched.errors == []
    assert watched.strangers == []
    if FULL and lesson is not WELCOME:
        assert any(TARGET in "".join(output.get("text", "")) for output in outputs(cells)), "the lab missed its target"


def outputs(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What the cells showed, in order."""
    for cell in cells:
        yield from cell["outputs"]


def errors(cells: list[dict[str, Any]]) -> list[str]:
    """What the cells raised, in one line each."""
    return [f"{one['ename']}: {one['evalue']}" for one in outputs(cells) if one["output_type"] == "error"]


def shows_a_look(output: dict[str, Any]) -> bool:
    """Is it a look, and not another widget such as the table of `environment()`?"""
    data = output.get("data", {})
    return LOOK in data and 'id="look-' in "".join(data.get("text/html", ""))


def assert_looks_live(page: Page, count: int) -> None:
    """So many looks are there; each shows every move of a control, and one control at least changes its picture."""
    assert count >= 1
    looks = page.locator(".look")
    expect(looks).to_have_count(count)
    for look in looks.all():
        title, pictured = look.locator(".look-title").inner_text(), look.locator("canvas, svg.look-svg").count() > 0
        moved = move_all(page, look, SHORT_MS if title in FORMS else LONGEST_MS)
        must = [one for one in moved if one.kind != "button" and one.name != AT_PLAY and title not in FORMS]
        silent = [one for one in must if not one.shown]
        assert silent == [], title
        assert any(one.picture if pictured else one.shown for one in moved), title
        expect(look.locator(".look-error")).to_be_hidden()


def test_a_control_that_does_nothing_is_seen(watched) -> None:
    """The hands of these tests tell a slider that draws from one that does not."""
    watched.page.set_content(
        "<div class='look'><button>Predict</button><button>Reset</button><p id=out>0</p>"
        "<label>a <input type=range oninput='out.textContent = value'></label><label>b <input type=range></label></div>"
    )
    moved = {one.name: one.shown for one in move_all(watched.page, watched.page.locator(".look"), SHORT_MS)}
    assert moved == {"Predict": False, "a": True, "b": False, "Reset": False}
