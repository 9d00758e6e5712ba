"""Three look widgets of lesson 05 in a real Chromium, without a kernel: goals, access, speed."""

from __future__ import annotations

import re
import statistics

import pytest
from driving import (
    SLIDERS,
    STOPWATCH,
    answer,
    assert_nothing_sticks_out,
    assert_readable,
    picture,
    press,
    range_of,
)
from playwright.sync_api import expect

from course_lib.widgets.dropout import DropoutSlider
from course_lib.widgets.penalties import PenaltyCurve
from course_lib.widgets.stopping import PatiencePlot

pytestmark = pytest.mark.browser


def test_slider_goals_are_reached_by_hand(still_page) -> None:
    """Many masks bring the average home; classic dropout that forgets is four times too large at p = 0.75."""
    page = still_page(DropoutSlider()).page
    root = page.locator(".look")
    answer(root, "half as large")
    expect(root.locator(".look-detail").first).to_contain_text(re.compile(r"Kept \d+ of 40"))
    for _ in range(12):
        root.get_by_role("button", name="100 masks").click()
    expect(root.locator(".look-goal").first).to_contain_text("One mask alone may be far off.")
    root.get_by_role("button", name="Classic").click()
    assert root.get_attribute("data-count") == "1"
    root.get_by_role("button", name="Evaluation").click()
    expect(root.get_by_role("button", name="New mask")).to_have_attribute("aria-disabled", "true")
    range_of(root, "drop p").fill("0.75")
    expect(root.locator(".look-detail").nth(1)).to_contain_text("1.000 times as much")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    root.get_by_role("checkbox").check()
    expect(root.locator(".look-goal").nth(1)).to_contain_text("evaluation gives 4.000 times")
    expect(root.locator(".look-verdict")).to_contain_text("It is twice as large.")


def test_penalty_goals_are_reached_by_hand(still_page) -> None:
    """At degree 12 a strength in the valley beats degree 3; at degree 15 a strong one is too simple."""
    page = still_page(PenaltyCurve()).page
    root = page.locator(".look")
    answer(root, "falls all the way")
    range_of(root, "degree").fill("12")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "strength \u03bb"), "ArrowRight", 38)
    expect(root.locator(".look-goal").first).to_contain_text("with \u03bb = 0.001.")
    range_of(root, "strength \u03bb").fill("1.5")
    expect(root.locator(".look-verdict")).to_contain_text("It falls, then rises.")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    range_of(root, "degree").fill("15")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("reached")


def test_stopping_goals_are_reached_by_hand(still_page) -> None:
    """Patience 11 is the smallest that keeps epoch 39; min_delta stops patience 8 earlier; 20 is no answer."""
    page = still_page(PatiencePlot()).page
    root = page.locator(".look")
    answer(root, "The best of the whole curve")
    expect(root.locator(".look-big")).to_have_text("Stops at 28, keeps 23")
    range_of(root, "patience").fill("20")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    range_of(root, "patience").fill("11")
    expect(root.locator(".look-goal").first).to_contain_text("Patience 11. With 10 training stops before")
    range_of(root, "patience").fill("8")
    press(page, range_of(root, "min_delta"), "ArrowRight", 2)
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    press(page, range_of(root, "min_delta"), "ArrowRight")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("It stops at epoch 27, not 31, and keeps epoch 19")


def test_own_curve_with_nan_is_drawn(still_page) -> None:
    """A curve of one's own with a hole is drawn, stopped and described."""
    page = still_page(PatiencePlot([3.0, 1.0, float("nan"), 2.0, 0.5], patience=2, prediction="seen")).page
    root = page.locator(".look")
    expect(root.locator(".look-big")).to_have_text("Stops at 3, keeps 1")
    expect(root.get_by_role("img")).to_have_attribute("aria-label", re.compile("lowest 0.5 at epoch 4"))
    assert root.get_by_role("alert").is_hidden()


def all_widgets():
    """One of each, controls awake."""
    return [
        DropoutSlider(form="classic", prediction="twice"),
        PenaltyCurve(degree=3, strength=0.01, prediction="valley"),
        PatiencePlot(prediction="seen"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every control is disabled before the question is answered and enabled after it."""
    page = still_page(DropoutSlider(), PenaltyCurve(), PatiencePlot()).page
    guesses = ("the same", "rises all the way", "Those of the last epoch")
    for root, guess in zip(page.locator(".look").all(), guesses, strict=True):
        controls = root.locator(f"{SLIDERS}, input[type=checkbox], input[type=text]").all()
        assert controls and all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in controls)


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any slider redraws."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for slider in root.locator(SLIDERS).all():
            pictures = []
            for key in ("ArrowLeft", "ArrowRight", "ArrowRight"):
                press(page, slider, key)
                pictures.append(picture(root))
            assert len(set(pictures)) >= 2, slider.evaluate("(node) => node.labels[0].textContent")


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Controls have one label, sliders a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(f"{SLIDERS}, input[type=checkbox], input[type=text]").all():
        assert control.evaluate("(node) => node.labels.length") == 1
    for slider in page.locator(SLIDERS).all():
        assert slider.get_attribute("aria-valuetext") == slider.evaluate(
            "(node) => node.nextElementSibling.textContent"
        )
    for canvas in page.locator("canvas").all():
        assert len(canvas.get_attribute("aria-label")) > 30
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


@pytest.mark.parametrize("which", range(3), ids=["slider", "penalty", "patience"])
def test_slider_to_picture_is_quick(still_page, which, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    widget = all_widgets()[which]
    page = still_page(widget).page
    page.locator(".look").evaluate(STOPWATCH)
    page.locator(SLIDERS).first.focus()
    for k in range(60):
        page.keyboard.press("ArrowRight" if k % 20 < 10 else "ArrowLeft")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{type(widget).__name__}: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50
