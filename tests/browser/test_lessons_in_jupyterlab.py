"""The look widgets of every lesson in JupyterLab, made by the lesson's own cells."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from driving import PICTURE, SLIDERS
from playwright.sync_api import Locator, Page, expect

from autograder.catalogue import LESSONS
from autograder.course import Lesson

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def look_cells(lesson: Lesson) -> list[str]:
    """The imports of the lesson's widgets, and the cells that show one."""
    notebook = json.loads((ROOT / "notebooks" / lesson.id / f"{lesson.id}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    imports = [
        node
        for source in sources
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("course_lib.widgets")
    ]
    names = {alias.name for node in imports for alias in node.names}
    shown = [source for source in sources if source.startswith(tuple(f"{name}(" for name in names))]
    assert {source.partition("(")[0] for source in shown} == names, "every imported widget is shown"
    return ["\n".join(map(ast.unparse, imports)), *shown]


@each_lesson
def test_every_look_of_a_lesson_lives(notebook, lesson: Lesson) -> None:
    """Each appears once, wakes up after the prediction, follows the keyboard, and nothing is logged as an error."""
    cells = look_cells(lesson)
    watched = notebook(*cells)
    looks = watched.page.locator(".look")
    expect(looks).to_have_count(len(cells) - 1)
    for look in looks.all():
        look.scroll_into_view_if_needed()
        look.locator("button:visible").first.click()
        moved = any(follows_the_keyboard(watched.page, look, slider) for slider in look.locator(SLIDERS).all())
        assert moved or trains(watched.page, look), look.inner_text()
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


def trains(page: Page, look: Locator) -> bool:
    """Does a widget whose sliders show only while it trains draw something after one epoch?"""
    before = look.evaluate(PICTURE)
    look.get_by_role("button", name="One epoch").click()
    page.wait_for_function(f"([root, before]) => ({PICTURE})(root) !== before", arg=[look.element_handle(), before])
    return True
