"""The gallery in a real Chromium: every look comes alive, is clean to axe-core, and works by keyboard alone."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from accessibility import serious_violations
from conftest import Watched
from driving import WORDS
from playwright.sync_api import Locator, Page, TimeoutError

from course_lib.widgets.gallery import LOOKS, page

pytestmark = pytest.mark.browser

ALIVE = f"document.querySelectorAll('.look').length === {len(LOOKS)}"
SCRIPT = re.compile(r"<script type=\"module\">.*?</script>", re.DOTALL)
ANSWER = (
    "() => document.querySelectorAll('.look').forEach((root) => root.querySelector('.look-options button').click())"
)
SPEECHLESS = """() => [...document.querySelectorAll('.look')]
    .filter((root) => !root.querySelector('.look-live[aria-live=polite]').textContent)
    .map((root) => root.querySelector('.look-title').textContent)"""
CONTROLS = "input, select, textarea, button, [tabindex='0']"
MOST_CONTROLS = 60
SOME_CONTROLS = 5
OPTIONS = ".look-top .look-options button"
KEYS = {
    "select-one": "ArrowDown",
    "checkbox": "Space",
    "radio": "ArrowRight",
    "button": "Enter",
    "canvas": "ArrowRight",
}
# After Clear the pad is empty, and no width can change that; after one step of weak noise no digit shows another draw.
# The code that was just typed is refused at once.
NOTHING_TO_DO = {"All widths", "Other noise", "Use this code"}
NAMED = """(node) => {
  const words = node.getAttribute('aria-label') || [...(node.labels || [])].map((one) => one.textContent).join(' ');
  const end = node.options ? node.selectedIndex === node.options.length - 1 : node.value === node.max;
  const chosen = node.getAttribute('aria-pressed') === 'true';
  return { kind: node.type || node.tagName.toLowerCase(), name: words.trim() || node.textContent.trim(), end, chosen };
}"""
# The control in focus; aside, what the look shows: words, marks, pictures, and where its controls stand.
HERE = """(root) => {
  const node = document.activeElement;
  if (!root.contains(node)) return null;
  node.dataset.reached = '';
  window.seen = [(WORDS)(root),
    ...[...root.querySelectorAll('canvas')].map((one) => one.toDataURL()),
    ...[...root.querySelectorAll('svg')].map((one) => one.outerHTML),
    ...[...root.querySelectorAll('[class*=outlined], [aria-pressed=true]')].map((one) => one.textContent),
    ...[...root.querySelectorAll('input, select, textarea')].map((one) => `${one.value} ${one.checked}`)].join();
  return (NAMED)(node);
}""".replace("NAMED", NAMED).replace("WORDS", WORDS)
# The same once a frame changes nothing any more, or after a while in a look that plays: what came late is not counted
# for the next key.
SETTLED = """async ([root, longest]) => {
  const last = performance.now() + longest;
  let before, now;
  do {
    before = window.seen;
    await new Promise((done) => requestAnimationFrame(done));
    now = (HERE)(root);
  } while (now && window.seen !== before && performance.now() < last);
  return now;
}""".replace("HERE", HERE)
# The clipboard answers when it likes: a change may take more than a frame.
MOVED = """async ([root, longest]) => {
  const before = window.seen;
  const last = performance.now() + longest;
  let now;
  do {
    await new Promise((done) => requestAnimationFrame(done));
    now = (HERE)(root);
  } while (window.seen === before && performance.now() < last);
  return { moved: window.seen !== before, now };
}""".replace("HERE", HERE)
SHORT_MS = 500
SAMPLES = 10
LONGEST_MS = 5_000
ASLEEP = "':disabled, [aria-disabled=true], [data-reached], .look-top *, [type=radio]'"
UNREACHED = f"""(root) => [...root.querySelectorAll(`{CONTROLS}`)]
    .filter((node) => node.offsetParent && !node.matches({ASLEEP})).map({NAMED})"""
# Read-outs of every slider, in samples from its low to its high end: the same as their neighbour's, or too wide.
BAD_READ_OUTS = """(samples) => [...document.querySelectorAll('.look-slider')].flatMap((row) => {
  row.hidden = false;
  const [node, output] = [row.querySelector('input'), row.querySelector('output')];
  const steps = Math.round((node.max - node.min) / node.step);
  const says = (k) => {
    node.value = Number(node.min) + k * Number(node.step);
    node.dispatchEvent(new Event('input', { bubbles: true }));
    return node.getAttribute('aria-valuetext');
  };
  const places = [...Array(samples).keys()].map((k) => Math.round(k * (steps - 1) / (samples - 1)));
  return [...new Set(places)].flatMap((k) => {
    const [one, next] = [says(k), says(k + 1)];
    const faults = [one === next && 'not read out', output.scrollWidth > output.clientWidth + 1 && 'too wide'];
    return faults.filter(Boolean).map((fault) => [node.labels[0].textContent, next, fault]);
  });
})"""
BREAK = """() => {
  const fail = () => { throw new Error('planted'); };
  for (const name of ['beginPath', 'fillRect', 'setTransform']) CanvasRenderingContext2D.prototype[name] = fail;
  Object.assign(document, { createElement: fail, createElementNS: fail });
  Object.assign(Element.prototype, { append: fail, replaceChildren: fail });
  DOMTokenList.prototype.toggle = fail;
}"""
SILENT = """() => [...document.querySelectorAll('.look')]
    .filter((root) => !root.querySelector('.look-error').innerText.includes('planted'))
    .map((root) => root.querySelector('.look-title').textContent)"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page in a folder, and beside it the same page without scripts."""
    folder = tmp_path_factory.mktemp("gallery")
    text = page()
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "still.html").write_text(SCRIPT.sub("", text), encoding="utf-8")
    return folder / "index.html"


@pytest.fixture
def looks(watched: Watched, gallery: Path) -> Watched:
    """The gallery, alive, nothing answered yet."""
    watched.page.goto(gallery.as_uri())
    watched.page.wait_for_function(ALIVE)
    return watched


@pytest.fixture
def awake(looks: Watched) -> Watched:
    """The gallery with every question answered: the controls are awake."""
    looks.page.evaluate(ANSWER)
    return looks


def test_gallery_comes_alive_and_stays_home(awake: Watched) -> None:
    """All looks render and take an answer; no console error, and no request to anything but the page itself."""
    assert awake.page.locator(".look fieldset:disabled").count() == 0
    assert awake.errors == []
    assert awake.strangers == []


def test_gallery_is_clean_to_axe_before_the_predictions(looks: Watched) -> None:
    """No serious or critical violation while the controls sleep."""
    assert serious_violations(looks.page) == []


def test_gallery_is_clean_to_axe_after_the_predictions(awake: Watched) -> None:
    """No serious or critical violation once they are awake."""
    assert serious_violations(awake.page) == []


def test_gallery_is_clean_to_axe_with_still_pictures(watched: Watched, gallery: Path) -> None:
    """No serious or critical violation where no script runs; every picture says in words what it shows."""
    watched.page.goto((gallery.parent / "still.html").as_uri())
    assert serious_violations(watched.page) == []
    texts = [picture.get_attribute("alt") for picture in watched.page.locator("figure img").all()]
    assert len(texts) == len(LOOKS)
    assert min(map(len, texts)) > 60


def test_axe_finds_what_is_planted(watched: Watched) -> None:
    """A button without a name and a picture without words are reported."""
    watched.page.set_content(
        '<html lang="en"><title>Bad</title><main><button></button><img src="data:,"></main></html>'
    )
    assert {text.partition(" ")[0] for text in serious_violations(watched.page)} == {"button-name", "image-alt"}


def test_every_control_works_by_keyboard_alone(looks: Watched) -> None:
    """Tab reaches every control, each has a name, its key moves the picture or the words, and the look speaks."""
    faults = []
    for root, shown in zip(looks.page.locator(".look").all(), LOOKS, strict=True):
        faults += [f"{shown.title}: {fault}" for fault in walk(looks.page, root)]
    assert faults == []
    looks.page.wait_for_function(f"({SPEECHLESS})().length === 0")


def walk(page: Page, root: Locator) -> list[str]:
    """Predict in one look, Tab on and use every control, all by keys; what went wrong on the way."""
    faults, met = [], []
    root.locator(OPTIONS).last.focus()
    page.keyboard.press("Enter")
    at_first = root.evaluate(UNREACHED)
    for _ in range(MOST_CONTROLS):
        page.keyboard.press("Tab")
        control = page.evaluate(SETTLED, [root.element_handle(), SHORT_MS])
        if control is None:
            break
        met.append((control["kind"], control["name"]))
        if met.count(met[-1]) > 1:  # its key moved the focus back: from here on by Tab alone
            continue
        page.keyboard.press(key_for(control))
        idle = control["chosen"] or control["name"] in NOTHING_TO_DO
        after = page.evaluate(MOVED, [root.element_handle(), 0 if idle else LONGEST_MS])
        if not control["name"]:
            faults.append(f"a {control['kind']} has no name")
        if not after["moved"] and not idle:
            faults.append(f"{control['kind']} {control['name']!r} moves nothing")
        if control["kind"] == "button" and after["now"] and after["now"]["name"] != control["name"]:
            page.keyboard.press("Enter")  # Play became Pause
    # A list that is drawn anew has lost its marks; what came in only while it was drawn anew is not asked for.
    first = [(control["kind"], control["name"]) for control in at_first]
    missed = [(control["kind"], control["name"]) for control in root.evaluate(UNREACHED)]
    missed = [pair for pair in missed if pair in first]
    return faults + [f"Tab does not reach {kind} {name!r}" for kind, name in missed if (kind, name) not in met]


def key_for(control: dict) -> str:
    """The key that a reader would press on a control of this kind."""
    if control["kind"] == "range":
        return "ArrowLeft" if control["end"] else "ArrowRight"
    if control["kind"] == "select-one" and control["end"]:
        return "ArrowUp"
    return KEYS.get(control["kind"], "1")


def test_every_step_of_a_slider_is_read_out(awake: Watched) -> None:
    """Neighbouring places have different words, so a step is heard by who cannot see it; no word leaves its column."""
    assert awake.page.locator(".look-slider").count() > len(LOOKS)
    assert awake.page.evaluate(BAD_READ_OUTS, SAMPLES) == []


def test_planted_error_shows_in_every_look(awake: Watched) -> None:
    """When drawing fails inside a callback, the look says so in a sentence instead of going quiet."""
    awake.page.evaluate(BREAK)
    for root in awake.page.locator(".look").all():
        root.locator(OPTIONS).last.focus()
        for _ in range(SOME_CONTROLS):
            awake.page.keyboard.press("Tab")
            awake.page.keyboard.press(key_for(root.evaluate(HERE)))
            if root.locator(".look-error").is_visible():
                break
    with contextlib.suppress(TimeoutError):  # one look draws when its worker answers
        awake.page.wait_for_function(f"({SILENT})().length === 0", timeout=10_000)
    assert awake.page.evaluate(SILENT) == []
