"""The look widgets of every lesson in JupyterLab, made by the lesson's own cells."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest
from driving import PICTURE, SLIDERS
from playwright.sync_api import Locator, Page, expect

from autograder.answers import Statement, parse_cell
from autograder.catalogue import LESSONS
from autograder.course import Lesson
from autograder.submission import Cell

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Some looks show a network that their cell trains first. Small networks lose time when threads wait for each other.
LONGEST_CELL_MS = 120_000
ONE_THREAD = "import torch\ntorch.set_num_threads(1)"

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def look_cells(lesson: Lesson) -> list[str]:
    """One cell with all that the lesson's looks need, then the cells that show one."""
    notebook = json.loads((ROOT / "solutions" / lesson.id / f"{lesson.id}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    statements = [list(parse_cell(Cell(number, "code", source))) for number, source in enumerate(sources)]
    widgets = {
        name
        for statement in sum(statements, [])
        if statement.source.startswith("from course_lib.widgets")
        for name in statement.binds
    }
    shown = [number for number, source in enumerate(sources) if shows(source, widgets)]
    uses = {name for number in shown for name in names_in(sources[number])}
    before = [item for number, items in enumerate(statements) if number not in shown for item in items]
    first = "\n".join([ONE_THREAD, *(item.source for item in needed(before, uses))])
    return [first, *(sources[number] for number in shown)]


def shows(source: str, widgets: Collection[str]) -> bool:
    """Does the cell end with a widget that is made there?"""
    last = ast.parse(source).body[-1:]
    calls = [node.value for node in last if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    return any(isinstance(call.func, ast.Name) and call.func.id in widgets for call in calls)


def names_in(source: str) -> set[str]:
    """Every name that a cell mentions."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def needed(statements: Iterable[Statement], names: Collection[str]) -> list[Statement]:
    """Those that give a value to one of the names, or to what such a statement uses."""
    wanted, chosen, rest = set(names), [], list(statements)
    while more := [item for item in rest if item.binds & wanted]:
        chosen += more
        rest = [item for item in rest if item not in more]
        wanted |= {name for item in more for name in item.uses}
    return sorted(chosen, key=lambda item: (item.cell, item.line))


@each_lesson
def test_every_look_of_a_lesson_lives(notebook, lesson: Lesson) -> None:
    """Each appears once, wakes up after the prediction, follows the keyboard, and nothing is logged as an error."""
    cells = look_cells(lesson)
    assert len(cells) > 3
    watched = notebook(*cells)
    looks = watched.page.locator(".look")
    expect(looks).to_have_count(len(cells) - 1, timeout=LONGEST_CELL_MS)
    for look in looks.all():
        look.scroll_into_view_if_needed()
        look.locator("button:visible").first.click()
        moved = any(follows_the_keyboard(watched.page, look, slider) for slider in look.locator(SLIDERS).all())
        assert moved or answers_the_pen(watched.page, look) or trains(watched.page, look), look.inner_text()
    assert watched.errors == []
    assert watched.strangers == []


def follows_the_keyboard(page: Page, look: Locator, slider: Locator) -> bool:
    """Does an arrow key on the slider change its value and the picture?"""
    if not slider.is_enabled() or not slider.is_visible():
        return False
    before, value = look.evaluate(PICTURE), slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowRight" if value != slider.get_attribute("max") else "ArrowLeft")
    page.evaluate(TWO_FRAMES)
    return slider.input_value() != value and look.evaluate(PICTURE) != before


def answers_the_pen(page: Page, look: Locator) -> bool:
    """Does a widget about words say something else after a word was typed?"""
    fields = look.get_by_role("textbox")
    if fields.count() == 0:
        return False
    if look.get_by_role("radio").count():
        look.get_by_role("radio").first.check()
    before = look.inner_text()
    fields.first.fill("data")
    fields.first.press("Enter")
    page.evaluate(TWO_FRAMES)
    return look.inner_text() != before


def trains(page: Page, look: Locator) -> bool:
    """Does a widget whose sliders show only while it trains draw something after one epoch?"""
    before = look.evaluate(PICTURE)
    look.get_by_role("button", name="One epoch").click()
    page.wait_for_function(f"([root, before]) => ({PICTURE})(root) !== before", arg=[look.element_handle(), before])
    return True


def test_the_search_finds_what_a_look_needs() -> None:
    """Definitions behind definitions are found, statements that nobody uses are not."""
    sources = (
        "import numpy as np\ndef f(x):\n    return np.abs(x) + depth\nidle = 1",
        "depth = 3\nrows = f(2)\nprint(rows)",
    )
    statements = [item for number, source in enumerate(sources) for item in parse_cell(Cell(number, "code", source))]
    found = [item.source.partition("\n")[0] for item in needed(statements, {"rows"})]
    assert found == ["import numpy as np", "def f(x):", "depth = 3", "rows = f(2)"]
    assert shows("a = 1\nLook(a)", {"Look"})
    assert not shows("Look(a)\nprint(1)", {"Look"})
