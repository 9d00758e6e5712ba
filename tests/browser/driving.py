"""What both files of widget tests do to a page: predict, press keys, wait, move sliders."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Locator, Page

from course_lib.widgets.neuron import XOR

CORNERS = np.array(XOR, dtype=float)
SLIDERS = "input[type=range]"
PICTURE = """(root) => [...root.querySelectorAll('canvas, svg.look-svg')]
    .map((node) => (node.toDataURL ? node.toDataURL() : node.outerHTML)).join()"""


def answer(root: Locator, name: str) -> None:
    """Make the prediction, which wakes the controls up."""
    root.get_by_role("button", name=name, exact=True).first.click()


def press(page: Page, control: Locator, key: str, times: int = 1) -> None:
    """Press a key on a control."""
    control.focus()
    for _ in range(times):
        page.keyboard.press(key)


def wait_for_data(page: Page, root: Locator, condition: str) -> None:
    """Wait until the state a widget writes on its root fulfils a condition on `d`."""
    page.wait_for_function(f"(root) => {{ const d = root.dataset; return {condition}; }}", arg=root.element_handle())


def as_arrays(weights: dict) -> tuple[np.ndarray, ...]:
    """Turn nested lists into the four arrays."""
    return tuple(np.array(weights[name]) for name in ("w1", "b1", "w2", "b2"))


def moves_picture(page: Page, root: Locator, slider: Locator) -> None:
    """Move one slider by keyboard, then by mouse; the learning rate shows only once a step is made."""
    learning_rate = slider.evaluate("(node) => node.labels[0].textContent") == "learning rate"
    finish = (lambda: root.get_by_role("button", name="Step").click()) if learning_rate else (lambda: None)
    pictures = [root.evaluate(PICTURE)]
    press(page, slider, "ArrowRight" if slider.input_value() != slider.get_attribute("max") else "ArrowLeft")
    finish()
    pictures.append(root.evaluate(PICTURE))
    box = slider.bounding_box()
    slider.click(position={"x": 0.85 * box["width"], "y": box["height"] / 2})
    finish()
    pictures.append(root.evaluate(PICTURE))
    assert len(set(pictures)) == 3, slider.evaluate("(node) => [node.labels[0].textContent, node.value]")
