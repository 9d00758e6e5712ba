"""What the files of widget tests share: load a module, predict, press keys, wait, move sliders, measure, run a cell."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Locator, Page, expect

from course_lib.widgets import _base
from course_lib.widgets.neuron import XOR

CORNERS = np.array(XOR, dtype=float)
SLIDERS = "input[type=range]"
PICTURE = """(root) => [...root.querySelectorAll('canvas, svg.look-svg')]
    .map((node) => (node.toDataURL ? node.toDataURL() : node.outerHTML)).join()"""
# Without the region for screen readers: it speaks a third of a second later, when the next control may be moving.
WORDS = """(root) => [...root.querySelectorAll(':scope > :not(.look-live)')].map((one) => one.innerText).join()"""
# Who draws once a frame has drawn by then.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
CONTRAST = """(root) => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((t, v, k) => t + v * [0.2126, 0.7152, 0.0722][k], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...root.querySelectorAll('p, span, label, output, button, li, th, td, caption, select')]
    .filter((node) => node.offsetParent && node.textContent.trim() && !node.classList.contains('look-live'));
  return texts.map((node) => {
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    return [node.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)];
  });
}"""
STICKING_OUT = """(root) => { const edge = root.getBoundingClientRect().right;
  const right = (node) => node.getBoundingClientRect().right;
  return [...root.querySelectorAll('*')].filter((node) => right(node) > edge + 1).map((node) => node.tagName); }"""
MODULE = (
    "async (text) => { window.part = await import(URL.createObjectURL(new Blob([text], {type: 'text/javascript'}))); }"
)
# How long a key takes: to the end of the handlers (`drawn`), and to the frame that shows it (`shown`).
STOPWATCH = """(root) => {
  window.drawn = [];
  window.shown = [];
  let pressed = 0;
  root.addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
  root.addEventListener('input', () => { window.begun = performance.now(); }, true);
  root.addEventListener('input', () => {
    window.drawn.push(performance.now() - window.begun);
    const start = pressed;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.shown.push(performance.now() - start);
      channel.port2.postMessage(0);
    });
  });
}"""


def load(page: Page, module: str) -> None:
    """Load one bundle of ours as `window.part`."""
    page.goto("about:blank")
    page.evaluate(MODULE, _base.bundle(module))


def answer(root: Locator, name: str) -> None:
    """Make the prediction, which wakes the controls up."""
    root.get_by_role("button", name=name, exact=True).first.click()


def words(root: Locator, text: str) -> Locator:
    """What shows these words for the eye: the region for screen readers may say them, too, a moment later."""
    return root.locator(":scope > :not(.look-live)").get_by_text(text)


def range_of(root: Locator, name: str) -> Locator:
    """The slider with this name."""
    return root.get_by_role("slider", name=name, exact=True)


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


def picture(root: Locator) -> str:
    """What a look's pictures show once all that was asked for is drawn."""
    root.evaluate(TWO_FRAMES)
    return root.evaluate(PICTURE)


def moves_picture(page: Page, root: Locator, slider: Locator) -> None:
    """Move one slider by keyboard, then by mouse; the learning rate shows only once a step is made."""
    learning_rate = slider.evaluate("(node) => node.labels[0].textContent") == "learning rate"
    finish = (lambda: root.get_by_role("button", name="Step").click()) if learning_rate else (lambda: None)
    pictures = [picture(root)]
    press(page, slider, "ArrowRight" if slider.input_value() != slider.get_attribute("max") else "ArrowLeft")
    finish()
    pictures.append(picture(root))
    box = slider.bounding_box()
    slider.click(position={"x": 0.85 * box["width"], "y": box["height"] / 2})
    finish()
    pictures.append(picture(root))
    assert len(set(pictures)) == 3, slider.evaluate("(node) => [node.labels[0].textContent, node.value]")


def assert_readable(page: Page) -> None:
    """All text of every widget reaches 4.5 : 1 against its ground, also in a dark page; no sentence has a gap left."""
    page.emulate_media(color_scheme="dark")
    for root in page.locator(".look").all():
        pairs = root.evaluate(CONTRAST)
        assert len(pairs) > 10
        assert [pair for pair in pairs if pair[1] < 4.5 or "{" in pair[0]] == []


def assert_nothing_sticks_out(page: Page, width: int) -> None:
    """At that width, in pixels, no part of a widget leaves it, and the page does not scroll sideways."""
    page.set_viewport_size({"width": width, "height": 800})
    looks = page.locator(".look").all()
    assert [root.evaluate(STICKING_OUT) for root in looks] == [[] for _ in looks]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def run_more(page: Page, code: str) -> Locator:
    """Put code into the last cell, run it, and return its output."""
    run = """async (code) => {
      const book = window.jupyterapp.shell.currentWidget.content;
      book.activeCellIndex = book.widgets.length - 1;
      book.activeCell.model.sharedModel.setSource(code);
      await window.jupyterapp.commands.execute('notebook:run-cell');
    }"""
    page.evaluate(run, code)
    return page.locator(".jp-Cell").last.locator(".jp-OutputArea-output")


def run_until(page: Page, code: str, sign: str, times: int = 20) -> str:
    """Run code again until its output holds a sign: Python hears of a change only once the hand has rested a moment."""
    for _ in range(times):
        output = run_more(page, code)
        expect(output).to_have_count(1)
        if sign in output.inner_text():
            break
    return output.inner_text()
