"""Three looks of lesson 06 in a real Chromium, without a kernel: access, width, contrast, errors, speed."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from driving import PICTURE, SLIDERS, STOPWATCH, answer, assert_nothing_sticks_out, assert_readable, press
from playwright.sync_api import expect

from course_lib.widgets.convolution import KernelEditor, ReceptiveField, SlidingWindow

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(6).normal(size=(9, 12)).round(3)
FIELDS = "input[type=number]"


def all_widgets():
    """One of each, controls awake."""
    return [
        KernelEditor(IMAGE, [[-1, 0, 1]] * 3, prediction="zero"),
        SlidingWindow(padding=1, prediction="4"),
        ReceptiveField(prediction="5"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every control is disabled before the question is answered and enabled after it; the field is silent before."""
    page = still_page(KernelEditor(IMAGE), SlidingWindow(), ReceptiveField()).page
    assert page.locator(".look").nth(2).locator(".look-big").text_content() == ""
    for root, guess in zip(page.locator(".look").all(), ("0", "4", "9"), strict=True):
        controls = root.locator(f"{SLIDERS}, {FIELDS}, select, fieldset button").all()
        assert len(controls) > 4
        assert all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in controls)


def test_every_control_changes_the_picture(still_page) -> None:
    """One arrow key on any slider, field or select redraws; guess and stride show once the window walks."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for control in root.locator(f"{SLIDERS}, {FIELDS}, tbody select:visible").all():
            before = root.evaluate(PICTURE)
            press(page, control, "ArrowDown" if control.evaluate("(node) => node.tagName") == "SELECT" else "ArrowUp")
            name = control.evaluate("(node) => node.labels[0]?.textContent ?? node.getAttribute('aria-label')")
            assert (root.evaluate(PICTURE) != before) == (name not in ("guess", "stride")), name


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Controls have an accessible name, sliders a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(f"{SLIDERS}, {FIELDS}, select").all():
        assert control.evaluate("(node) => node.labels.length === 1 || Boolean(node.getAttribute('aria-label'))")
    for slider in page.locator(SLIDERS).all():
        assert slider.get_attribute("aria-valuetext") == slider.evaluate(
            "(node) => node.nextElementSibling.textContent"
        )
    for picture in page.locator("canvas").all():
        assert len(picture.get_attribute("aria-label")) > 30
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_text_has_contrast(still_page) -> None:
    """All text reaches 4.5 : 1 against its ground, also in a dark page."""
    assert_readable(still_page(*all_widgets()).page)


@pytest.mark.parametrize("width", [360, 700, 1040])
def test_nothing_is_cut_off(still_page, width) -> None:
    """From a phone to a wide screen nothing sticks out of the widget."""
    assert_nothing_sticks_out(still_page(*all_widgets()).page, width)


def test_errors_show_inside_the_widget(still_page) -> None:
    """When drawing breaks, each widget says so in a sentence instead of going quiet."""
    page = still_page(*all_widgets()).page
    page.evaluate("() => { CanvasRenderingContext2D.prototype.strokeRect = () => { throw new Error('no frame'); }; }")
    for root in page.locator(".look").all():
        press(page, root.locator(SLIDERS).first, "ArrowRight")
        expect(root.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_pages_are_silent_and_stay_home(still_page) -> None:
    """No console error, and no request to anything but the page itself."""
    watched = still_page(*all_widgets())
    assert watched.errors == []
    assert watched.strangers == []


@pytest.mark.parametrize("which", range(3), ids=["kernel", "window", "field"])
def test_slider_to_picture_is_quick(still_page, which, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    largest = KernelEditor(np.random.default_rng(0).random((96, 96)), prediction="zero")
    widget = [largest, SlidingWindow(12, 5, padding=2, prediction="5"), ReceptiveField(size=48, prediction="5")][which]
    page = still_page(widget).page
    page.locator(".look").evaluate(STOPWATCH)
    page.locator(SLIDERS).first.focus()
    for k in range(60):
        page.keyboard.press("ArrowLeft" if k % 2 else "ArrowRight")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{type(widget).__name__}: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50
