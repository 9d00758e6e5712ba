"""The four look widgets of lesson 05 in a real Chromium, without a kernel: goals, access, speed."""

from __future__ import annotations

import re
import statistics

import pytest
from driving import (
    PICTURE,
    SLIDERS,
    STOPWATCH,
    answer,
    assert_nothing_sticks_out,
    assert_readable,
    press,
    range_of,
    wait_for_data,
)
from playwright.sync_api import Locator, Page, expect

from course_lib.widgets.dropout import DropoutPlayground, DropoutSlider
from course_lib.widgets.penalties import PenaltyCurve
from course_lib.widgets.stopping import PatiencePlot

pytestmark = pytest.mark.browser

FAST = "lr0.32-p0.5-h64-b32-s0"
# How long Stop takes: from the event to the end of its handlers, and whether any slice worked afterwards.
STOP = """async (root) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const play = [...root.querySelectorAll('button')].find((node) => ['Play', 'Pause'].includes(node.textContent));
  const times = [];
  let late = 0;
  for (let k = 0; k < 20; k += 1) {
    play.click();
    for (let i = 0; i < 5 + (k % 7); i += 1) await frame();
    await new Promise((done) => setTimeout(done, k % 5));
    const asked = performance.now();
    await new Promise((done) => setTimeout(() => { play.click(); times.push(performance.now() - asked); done(); }, 0));
    const worked = root.dataset.worked;
    for (let i = 0; i < 3; i += 1) await frame();
    late += root.dataset.worked !== worked || root.dataset.playing !== 'false';
  }
  return [times, late];
}"""
# The longest piece of script between two frames while training goes on.
SLICES = """async (root) => {
  const seen = [];
  const original = window.requestAnimationFrame;
  window.requestAnimationFrame = (work) => original((now) => {
    const start = performance.now();
    work(now);
    seen.push(performance.now() - start);
  });
  [...root.querySelectorAll('button')].find((node) => node.textContent === 'Play').click();
  await new Promise((done) => setTimeout(done, 2500));
  window.requestAnimationFrame = original;
  return seen;
}"""


def play_to_the_end(page: Page, root: Locator) -> None:
    """Press Play and wait until the training rests."""
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "d.playing === 'false'")


def one_epoch(page: Page, root: Locator) -> None:
    """Press One epoch and wait until it is over."""
    root.get_by_role("button", name="One epoch").click()
    wait_for_data(page, root, "d.playing === 'false'")


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


def test_playground_goals_and_prediction_by_hand(still_page) -> None:
    """Four runs by keyboard answer the prediction with their own numbers; the goals are told on the way."""
    page = still_page(DropoutPlayground()).page
    root = page.locator(".look")
    answer(root, "Always lowers it")
    play_to_the_end(page, root)
    range_of(root, "dropout p").fill("0.5")
    assert root.get_attribute("data-past") == "1"
    play_to_the_end(page, root)
    expect(root.locator(".look-verdict")).to_contain_text("Compare at another rate")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "learning rate \u03b7"), "ArrowRight", 25)
    assert root.get_attribute("data-past") == "2"
    play_to_the_end(page, root)
    for k in range(2):
        expect(root.locator(".look-goal-state").nth(k)).to_have_text("reached")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Goal reached")
    range_of(root, "dropout p").fill("0")
    play_to_the_end(page, root)
    expect(root.locator(".look-verdict")).to_contain_text("It depends on the learning rate. Rate 0.032")
    expect(root.locator("tbody tr")).to_have_count(4)


def test_code_restores_the_settings(still_page) -> None:
    """A pasted code moves every slider, a wrong one is refused with an example, a row brings its settings back."""
    page = still_page(DropoutPlayground(code="lr1-p0.2-h32-b64-s4", prediction="depends")).page
    root = page.locator(".look")
    field = root.get_by_role("textbox", name="Settings as a code")
    expect(field).to_have_value("lr1-p0.2-h32-b64-s4")
    one_epoch(page, root)
    assert (root.get_attribute("data-epochs"), root.get_attribute("data-steps")) == ("1", "7")
    play_to_the_end(page, root)
    field.fill("lr0.1-p0.35-h128-b16-s9")
    field.press("Enter")
    names = ("learning rate \u03b7", "dropout p", "hidden units", "batch size", "seed")
    shown = [range_of(root, name).get_attribute("aria-valuetext") for name in names]
    assert shown == ["0.1", "0.35", "128", "16", "9"]
    for wrong in ("adam", "lr0-p0.5-h64-b32-s0", "lr0.1-p0.95-h64-b32-s0", "lr0.1-p0.5-h64-b32-s100"):
        field.fill(wrong)
        root.get_by_role("button", name="Use this code").click()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(root.locator(".look-stack .look-why")).to_contain_text("It looks like lr0.3-p0.5-h64-b32-s0.")
    root.get_by_role("button", name="Use the settings of run A").click()
    expect(field).to_have_value("lr1-p0.2-h32-b64-s4")
    expect(field).to_have_attribute("aria-invalid", "false")


def test_a_rate_too_large_is_told(still_page) -> None:
    """When the loss is no number any more, training stops and a sentence says what to do."""
    page = still_page(DropoutPlayground(lr=10, p=0.9, hidden=256, batch=8, prediction="depends")).page
    page.evaluate("() => { Math.exp = () => NaN; }")
    root = page.locator(".look")
    play_to_the_end(page, root)
    expect(root.locator(".look-steady")).to_have_text(re.compile("Choose a smaller rate"))


def test_stop_answers_at_once(still_page, capsys) -> None:
    """Pause answers within 100 ms even with 256 units and whole batches, and nothing works afterwards."""
    page = still_page(DropoutPlayground(hidden=256, batch=400, p=0.2, prediction="depends")).page
    times, late = page.locator(".look").evaluate(STOP)
    with capsys.disabled():
        print(f"\nplayground: stop answers after {statistics.median(times):.1f} ms, at most {max(times):.1f} ms")
    assert max(times) < 100
    assert late == 0


def test_slices_are_shorter_than_a_frame(still_page, capsys) -> None:
    """While training, the script of a frame takes less than 16 ms in the median, at any width and batch."""
    page = still_page(DropoutPlayground(hidden=256, batch=400, prediction="depends")).page
    seen = page.locator(".look").evaluate(SLICES)
    with capsys.disabled():
        print(f"\nplayground: {len(seen)} slices, median {statistics.median(seen):.1f} ms, longest {max(seen):.1f} ms")
    assert len(seen) > 20
    assert statistics.median(seen) < 16


def test_less_motion_shows_the_picture_at_rest(still_page) -> None:
    """With prefers-reduced-motion the curves stay still while training and appear when it rests."""
    page = still_page(DropoutPlayground(code=FAST, prediction="depends")).page
    page.emulate_media(reduced_motion="reduce")
    root = page.locator(".look")
    before = root.evaluate(PICTURE)
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.worked) > 20")
    assert root.evaluate("(node) => node.dataset.playing") == "true"
    assert root.evaluate(PICTURE) == before
    root.get_by_role("button", name="Pause").click()
    assert root.evaluate(PICTURE) != before


def test_training_ends_with_the_page_element(still_page) -> None:
    """Once removed from the page, no further slice is worked."""
    page = still_page(DropoutPlayground(code=FAST, prediction="depends")).page
    root = page.locator(".look")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.worked) > 3")
    before, after = page.evaluate("""async () => {
      const root = document.querySelector('.look');
      root.remove();
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      await frame();
      const worked = root.dataset.worked;
      for (let k = 0; k < 10; k += 1) await frame();
      return [worked, root.dataset.worked];
    }""")
    assert before == after


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
        DropoutPlayground(code="lr0.1-p0.5-h32-b64-s1", prediction="depends"),
        PenaltyCurve(degree=3, strength=0.01, prediction="valley"),
        PatiencePlot(prediction="seen"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every control is disabled before the question is answered and enabled after it."""
    page = still_page(DropoutSlider(), DropoutPlayground(), PenaltyCurve(), PatiencePlot()).page
    guesses = ("the same", "Always raises it", "rises all the way", "Those of the last epoch")
    for root, guess in zip(page.locator(".look").all(), guesses, strict=True):
        controls = root.locator(f"{SLIDERS}, input[type=checkbox], input[type=text]").all()
        assert controls and all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in controls)


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any slider redraws; in the playground after one epoch of another run."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        trains = root.get_by_role("button", name="One epoch").count()
        for slider in root.locator(SLIDERS).all():
            pictures = []
            for key in ("ArrowLeft", "ArrowRight", "ArrowRight"):
                press(page, slider, key)
                if trains:
                    one_epoch(page, root)
                pictures.append(root.evaluate(PICTURE))
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


@pytest.mark.parametrize("which", range(4), ids=["slider", "playground", "penalty", "patience"])
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
