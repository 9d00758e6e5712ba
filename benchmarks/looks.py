"""From a slider to its picture, and from Stop to standing still, for every look of the gallery in a real Chromium.

    python -m benchmarks.looks [--only ContourRace] [--moves 25] [--json]

A slider is dragged with the mouse, as a hand does it. The clock starts with the input event in the page and stops when
the next frame is painted: handlers, style, layout and drawing are inside. The largest median of a look's sliders
counts; the aim is one frame of 60 Hz, 16 ms. A look that plays is paused: from the press to the last change of a word.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from course_lib.widgets.gallery import LOOKS, Shown

SLIDER_AIM_MS = 16
STOP_AIM_MS = 100
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Look</title><body><main>{body}</main></body></html>'
# Watches for half a second: milliseconds from the last press to the last frame in which a word or a number changed.
_LAST_CHANGE = """async (root) => {
  const words = () => [...root.children].filter((node) => !node.className.includes('look-live'))
      .map((node) => node.innerText).join();
  let [said, at] = [words(), window.shown.at(-1) ?? 0];
  for (const begun = performance.now(); performance.now() - begun < 500;) {
    await new Promise((done) => requestAnimationFrame(done));
    if (words() !== said) [said, at] = [words(), performance.now() - window.pressed];
  }
  return at;
}"""
MOVING = re.compile(r"^(Play|Train \d+)")
# `shown` gets the milliseconds from each event to the end of the frame that paints what it changed.
_CLOCK = """() => {
  for (const [kind, begun] of [['input', () => performance.now()], ['click', (event) => event.timeStamp]]) {
    let start = 0;
    window.addEventListener(kind, (event) => { start = begun(event); window.pressed = start; }, true);
    window.addEventListener(kind, () => {
      const from = start;
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => window.shown.push(performance.now() - from);
        channel.port2.postMessage(0);
      });
    });
  }
}"""
# Pictures and words; the live region is left out, because it speaks a third of a second after the hand rests.
_PICTURE = """(root) => [...root.querySelectorAll('canvas, svg')]
    .map((node) => (node.toDataURL ? node.toDataURL() : node.outerHTML)).join()
    + [...root.children].filter((node) => !node.className.includes('look-live')).map((node) => node.innerText)"""


def main() -> None:
    """Measure and print; exit code 2 without a Chromium, 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description="From slider to picture, for every look.")
    parser.add_argument("--only", action="append", help="class name of a look; may be given again")
    parser.add_argument("--moves", type=int, default=25, help="moves of each slider")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    path = os.environ.get("COURSE_CHROMIUM") or shutil.which("chromium")
    if path is None:
        print("No Chromium found. Install it (Debian: apt install chromium) or set COURSE_CHROMIUM.", file=sys.stderr)
        sys.exit(2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        result = measure(browser, options.only, options.moves)
        browser.close()
    print(json.dumps(result, indent=1) if options.json else as_text(result))
    sys.exit(1 if result["missed"] else 0)


def measure(browser: Browser, only: list[str] | None, moves: int) -> dict[str, Any]:
    """Measure the chosen looks, one page after the other; see the module's docstring."""
    rows = []
    for shown in LOOKS:
        look = shown.make()
        if only is None or type(look).__name__ in only:
            rows.append(row_of(browser, shown, type(look).__name__, look.page(), moves))
            print(_progress(rows[-1]), file=sys.stderr)
    missed = [row["name"] for row in rows if row["slowest_ms"] > SLIDER_AIM_MS or (row["stop_ms"] or 0) > STOP_AIM_MS]
    return {"rows": rows, "missed": missed, "machine": _machine(browser)}


def row_of(browser: Browser, shown: Shown, name: str, html: str, moves: int) -> dict[str, Any]:
    """Open one look on a page of its own, press Stop if it has something to stop, and drag all its sliders."""
    page = browser.new_page(viewport={"width": 1040, "height": 1000})
    page.set_content(PAGE.format(body=html))
    root = page.locator(".look")
    root.locator(".look-options button").first.click()
    page.evaluate(_CLOCK)
    # First: with the sliders elsewhere, a run may be over before Stop is pressed.
    stop = _stop(page, root)
    sliders = {}
    for slider in root.locator("input[type=range]:enabled").all():
        if slider.is_visible():
            sliders[_name(slider)] = _drag(page, root, slider, moves)
    page.close()
    slowest = max(sliders, key=lambda key: sliders[key]["median_ms"], default=None)
    return {
        "lesson": shown.lesson,
        "name": name,
        "title": shown.title,
        "sliders": sliders,
        "slowest": slowest,
        "slowest_ms": sliders[slowest]["median_ms"] if slowest else 0.0,
        "stop_ms": stop,
    }


def _name(slider: Locator) -> str:
    return slider.evaluate("(node) => node.getAttribute('aria-label') || node.labels[0].textContent")


def _drag(page: Page, root: Locator, slider: Locator, moves: int) -> dict[str, Any]:
    """Drag over the track there and back; milliseconds from event to frame, and whether that frame was new."""
    slider.scroll_into_view_if_needed()
    page.evaluate("window.shown = []")
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"], middle)
    page.mouse.down()
    before = root.evaluate(_PICTURE)
    for place in _places(moves):
        page.mouse.move(box["x"] + place * box["width"], middle)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
    changed = root.evaluate(_PICTURE) != before
    page.mouse.up()
    times = page.evaluate("() => window.shown.slice(1)")
    return {"median_ms": round(statistics.median(times), 1), "moves": len(times), "changed": changed}


def _places(moves: int) -> Iterator[float]:
    """Shares of the track: forth and back, never twice the same place, ending away from the first."""
    for k in range(2 * moves):
        turn = k % 20
        yield 0.12 + 0.037 * (turn if turn < 10 else 20 - turn) + 0.35 * (k // 20 % 2) + 0.001 * k


def _stop(page: Page, root: Locator) -> float | None:
    """Median milliseconds from the press to the last change; infinite if it goes on; None if nothing plays."""
    start = root.get_by_role("button", name=MOVING)
    if not start.count():
        return None
    button, times = start.first.element_handle(), []
    reset = root.get_by_role("button", name="Reset", exact=True)
    for _ in range(5):
        if reset.count():
            reset.click()
        button.click()
        time.sleep(0.3)  # it moves
        page.evaluate("window.shown = []")
        button.click()
        page.wait_for_function("window.shown.length === 1")
        times.append(root.evaluate(_LAST_CHANGE))
        before = root.evaluate(_PICTURE)
        time.sleep(0.3)
        if root.evaluate(_PICTURE) != before:
            return float("inf")
    return round(statistics.median(times), 1)


def _machine(browser: Browser) -> dict[str, Any]:
    return {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "chromium": f"{browser.version}, headless, without a GPU",
    }


def _progress(row: dict[str, Any]) -> str:
    """One line of the table."""
    stop = "" if row["stop_ms"] is None else f"{row['stop_ms']:.0f} ms"
    slowest = f"{row['slowest_ms']:.1f} ms" if row["slowest"] else ""
    return f"{row['name']:<22}{len(row['sliders']):>8}{slowest:>9}  {row['slowest'] or '':<28}{stop:>8}"


def as_text(result: dict[str, Any]) -> str:
    """The table for people."""
    lines = [f"{name}: {value}" for name, value in result["machine"].items()]
    lines += ["", f"{'look':<22}{'sliders':>8}{'slowest':>9}  {'of them':<28}{'Stop':>8}"]
    lines += [_progress(row) for row in result["rows"]]
    later = [
        f"{row['name']} {name}" for row in result["rows"] for name, one in row["sliders"].items() if not one["changed"]
    ]
    lines += ["", f"aims missed: {', '.join(result['missed']) or 'none'}"]
    lines += [f"picture unchanged after the drag: {', '.join(later)}"] if later else []
    return "\n".join(lines)


if __name__ == "__main__":
    main()
