"""Moves every control of a look as hands do, and says which of them changed what the look shows."""

from __future__ import annotations

from dataclasses import dataclass

from driving import PICTURE, WORDS, picture, press
from playwright.sync_api import Locator, Page, TimeoutError

CONTROLS = "input, select, button"
# What a look shows: its pictures, and the words beside them, for eyes and for screen readers.
SHOWN = f"""(root) => ({PICTURE})(root) + '|' + ({WORDS})(root) + '|'
    + [...root.querySelectorAll('[aria-valuetext], [aria-label]')]
      .map((node) => [node.getAttribute('aria-valuetext'), node.getAttribute('aria-label')]).join()"""
LIST = f"""(root) => [...root.querySelectorAll('{CONTROLS}')].map((node, place) => ({{
    place, type: node.tagName === 'BUTTON' ? 'button' : node.type,
    usable: !node.matches(':disabled') && node.getAttribute('aria-disabled') !== 'true'
        && node.checkVisibility({{ visibilityProperty: true }}),
    pressed: node.getAttribute('aria-pressed') === 'true' || node.checked === true,
    name: node.getAttribute('aria-label') || node.labels?.[0]?.textContent.trim() || node.textContent.trim(),
  }}))"""
# Found and pressed at once: what plays may come to its end between the two.
PAUSE = """(root) => [...root.querySelectorAll('button')]
    .filter((node) => node.textContent.trim() === 'Pause').forEach((node) => node.click())"""
LONGEST_MS = 10_000
# A button may have nothing to do, such as "Reset" at the start, and so may a form that waits for its button.
SHORT_MS = 250
POLL_MS = 50


@dataclass(frozen=True)
class Moved:
    """One control, and what came of moving it.

    Args:
        kind: type of the input, "select-one" or "button".
        name: its label.
        shown: anything the look shows changed.
        picture: a picture of the look changed.
    """

    kind: str
    name: str
    shown: bool
    picture: bool


def move_all(page: Page, look: Locator, longest: int = LONGEST_MS) -> list[Moved]:
    """Answer the question of a look, then move each control that can be used once.

    Args:
        page: where the look is.
        look: its root.
        longest: milliseconds to wait for a change.
    """
    look.scroll_into_view_if_needed()
    look.locator("button:visible").first.click()
    places = [item for item in look.evaluate(LIST) if item["usable"]]
    # Buttons last: some of them reset, or start what changes by itself.
    ordered = sorted(places, key=lambda item: item["type"] == "button")
    return [moved for item in ordered if (moved := _move(page, look, item["place"], longest))]


def _move(page: Page, look: Locator, place: int, longest: int) -> Moved | None:
    facts = look.evaluate(f"(root) => ({LIST})(root)")[place : place + 1]
    if not facts or not facts[0]["usable"] or facts[0]["pressed"]:
        return None
    kind, name = facts[0]["type"], facts[0]["name"]
    before = (look.evaluate(SHOWN), picture(look))
    _act(page, look.locator(CONTROLS).nth(place), kind)
    shown = _changes(page, look, SHOWN, before[0], SHORT_MS if kind == "button" else longest)
    drawn = shown and picture(look) != before[1]
    look.evaluate(PAUSE)
    return Moved(kind, name, shown, drawn)


def _act(page: Page, control: Locator, kind: str) -> None:
    if kind in ("range", "number"):
        # One step of a fine scale may round to the same read-out.
        press(page, control, "ArrowUp" if control.input_value() != control.get_attribute("max") else "ArrowDown", 3)
    elif kind == "select-one":
        values = control.evaluate("(node) => [...node.options].map((item) => item.value)")
        control.select_option(next(value for value in values if value != control.input_value()))
    elif kind in ("checkbox", "radio", "button"):
        control.click()
    else:
        control.fill("data")
        control.press("Enter")


def _changes(page: Page, look: Locator, what: str, before: str, longest: int) -> bool:
    """Does it show something else within so many milliseconds?"""
    test = f"([root, before]) => ({what})(root) !== before"
    try:
        # Pictures are compared as long texts; at every frame that would be most of what the browser does.
        page.wait_for_function(test, arg=[look.element_handle(), before], timeout=longest, polling=POLL_MS)
    except TimeoutError:
        return False
    return True
