"""The four look widgets of lesson 04 in a real Chromium, without a kernel: goals, access, speed."""

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
    moves_picture,
    press,
    range_of,
    wait_for_data,
)
from playwright.sync_api import Page, expect

from course_lib.widgets.optimisers import RUNNERS, AdamBias, ContourRace
from course_lib.widgets.schedules import RangeTest, ScheduleDesigner

pytestmark = pytest.mark.browser

FRAMES_AFTER_REMOVAL = """async () => {
  const root = document.querySelector('.look');
  root.remove();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let k = 0; k < 3; k += 1) await frame();
  const step = root.dataset.step;
  for (let k = 0; k < 10; k += 1) await frame();
  return [step, root.dataset.step];
}"""


def test_momentum_goal_is_reached_by_hand(still_page) -> None:
    """Conditioning 50, another rate and another momentum reach the first goal, by keyboard alone."""
    page = still_page(ContourRace()).page
    root = page.locator(".look")
    answer(root, "The flat direction")
    press(page, range_of(root, "conditioning \u03ba"), "ArrowRight", 40)
    range_of(root, "step").fill("60")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "learning rate \u03b7"), "ArrowRight", 22)
    # No key after the one that reaches it: on a slow machine its words would be read over what is to be heard here.
    press(page, range_of(root, "momentum \u03bc"), "ArrowLeft", 3)
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "momentum \u03bc"), "ArrowLeft")
    expect(root.locator(".look-goal").first).to_contain_text("Momentum stays below loss 0.01 from step 58 on")
    expect(root.locator(".look-verdict")).to_contain_text(
        "It is the steep direction. In the bowl a rate above 2/\u03ba"
    )
    expect(root.locator("[aria-live=polite]")).to_contain_text("Goal reached")
    press(page, range_of(root, "momentum \u03bc"), "ArrowLeft", 16)
    expect(root.locator("tbody tr").nth(1)).to_contain_text("step 26")


def test_passing_through_is_not_reaching(still_page) -> None:
    """Momentum 0.95 swings through loss 0.01 before step 60 and away again; that is not the goal."""
    page = still_page(ContourRace(conditioning=50, mu=0.95, lr=0.0028, prediction="steep")).page
    root = page.locator(".look")
    range_of(root, "step").fill("45")
    expect(root.locator("tbody tr").nth(1).locator("td").first).to_have_text("0.0088")
    range_of(root, "step").fill("60")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")


def test_valleys_goal_is_reached_by_hand(still_page) -> None:
    """Momentum rolls over the pass and SGD does not."""
    page = still_page(ContourRace(lr=0.02, mu=0.8, prediction="both")).page
    root = page.locator(".look")
    root.get_by_role("combobox").select_option("valleys")
    range_of(root, "step").fill("99")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    root.get_by_role("button", name="Step").click()
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Momentum rolled over the pass")


def test_noise_goal_appears_last_and_needs_a_middle_rate(still_page) -> None:
    """Once two goals are reached a third one asks for the rate between dancing around and not arriving."""
    race = ContourRace(noise=2, step=300, lr=0.0398, prediction="both", goal_reached=True, second_reached=True)
    page = still_page(race).page
    root = page.locator(".look")
    third, rate = root.locator(".look-goal").nth(2), range_of(root, "learning rate \u03b7")
    expect(root.locator(".look-detail")).to_have_text("SGD, mean loss of the last 100 steps: 0.092")
    rate.fill("-2.3")
    expect(third.locator(".look-goal-state")).to_have_text("not yet")
    rate.fill("-1.86")
    expect(third).to_contain_text("at learning rate 0.0138. A larger rate dances around the minimum")


def test_noise_goal_waits_for_the_others(still_page) -> None:
    """Before the first two are reached there is no third goal, nor another draw of a noise that is not there."""
    root = still_page(ContourRace(prediction="both", second_reached=True)).page.locator(".look")
    expect(root.locator(".look-goal:visible")).to_have_count(2)
    expect(root.get_by_role("button", name="Other noise")).to_be_hidden()


def test_other_noise_is_another_race(still_page) -> None:
    """The button draws the noise anew: other losses, another picture; after draw 99 comes draw 0."""
    page = still_page(ContourRace(noise=1, step=200, seed=99, prediction="both")).page
    root = page.locator(".look")
    losses, picture = root.locator("tbody").inner_text(), root.evaluate(PICTURE)
    root.get_by_role("button", name="Other noise").click()
    drawn_anew = root.locator("tbody").inner_text()
    assert drawn_anew != losses
    assert root.evaluate(PICTURE) != picture
    root = still_page(ContourRace(noise=1, step=200, prediction="both")).page.locator(".look")
    assert root.locator("tbody").inner_text() == drawn_anew


def test_loss_chart_follows_the_race(still_page) -> None:
    """The chart says in words from where to where each drawn runner's loss went, and is drawn anew at every step."""
    page = still_page(ContourRace(prediction="both")).page
    chart = page.locator(".look-below canvas")
    before = chart.evaluate("(node) => node.toDataURL()")
    range_of(page.locator(".look"), "step").fill("57")
    expect(chart).to_have_attribute(
        "aria-label", re.compile("up to step 57. SGD from 13 to 0.64; momentum from 13 to 0.021")
    )
    assert chart.evaluate("(node) => node.toDataURL()") != before


def test_flying_out_is_told(still_page) -> None:
    """A rate above 2 / conditioning throws SGD out; the table says so and the prediction is answered."""
    page = still_page(ContourRace(conditioning=50, lr=0.05, prediction="steep")).page
    root = page.locator(".look")
    range_of(root, "step").fill("300")
    expect(root.locator("tbody tr").first).to_contain_text("flew out")
    expect(root.locator(".look-verdict")).to_contain_text("You said the steep direction: right.")
    expect(root.get_by_role("img").first).to_have_attribute("aria-label", re.compile("SGD flew out"))


def test_race_plays_pauses_steps_and_resets(still_page) -> None:
    """Play runs to the last step and stops; pause, step and reset do what they say."""
    page = still_page(ContourRace(prediction="flat")).page
    root = page.locator(".look")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.step) > 0")
    root.get_by_role("button", name="Pause").click()
    paused = int(root.get_attribute("data-step"))
    root.get_by_role("button", name="Step").click()
    assert int(root.get_attribute("data-step")) == paused + 1
    range_of(root, "step").fill("290")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "d.step === '300' && d.playing === 'false'")
    expect(root.get_by_role("button", name="Play")).to_be_visible()
    root.get_by_role("button", name="Reset").click()
    assert root.get_attribute("data-step") == "0"


def test_race_jumps_for_those_who_asked_for_less_motion(still_page) -> None:
    """With prefers-reduced-motion, Play shows the last step at once and asks for no frame."""
    page = still_page(ContourRace(prediction="flat")).page
    page.emulate_media(reduced_motion="reduce")
    root = page.locator(".look")
    root.get_by_role("button", name="Play").click()
    assert root.get_attribute("data-step") == "300"
    assert root.get_attribute("data-playing") == "false"


def test_race_stops_with_the_page_element(still_page) -> None:
    """Once removed from the page, the loop asks for no further frame."""
    page = still_page(ContourRace(prediction="flat")).page
    root = page.locator(".look")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.step) > 2")
    before, after = page.evaluate(FRAMES_AFTER_REMOVAL)
    assert before == after


def test_live_region_is_quiet_while_playing(still_page) -> None:
    """Between play and pause nothing is announced, whatever number of steps is made."""
    page = still_page(ContourRace(prediction="flat")).page
    root = page.locator(".look")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Step 0 of 300")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.step) > 60")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Step 0 of 300", timeout=100)
    root.get_by_role("button", name="Pause").click()
    expect(root.locator("[aria-live=polite]")).not_to_contain_text("Step 0 of 300")


def test_start_moves_by_click_and_by_keyboard(still_page) -> None:
    """A click in the picture and the arrow keys of two sliders move the start point; before the guess neither does."""
    page = still_page(ContourRace()).page
    root, picture = page.locator(".look"), page.locator("canvas").first
    label = "(root) => root.querySelector('canvas').getAttribute('aria-label').match(/Start at (.*?)\\. After/)[1]"
    picture.click(position={"x": 300, "y": 100})
    assert root.evaluate(label) == "(\u22122.00, 1.50)"
    answer(root, "Both alike")
    picture.click(position={"x": 300, "y": 100})
    assert root.evaluate(label) == "(0.71, 1.39)"
    assert float(range_of(root, "w1").input_value()) == pytest.approx(0.7)
    press(page, range_of(root, "w2"), "ArrowLeft", 2)
    assert root.evaluate(label) == "(0.71, 1.30)"


def test_ticks_decide_who_is_drawn(still_page) -> None:
    """Taking a tick away changes the picture and the description, not the table."""
    page = still_page(ContourRace(step=40, prediction="flat")).page
    root = page.locator(".look")
    table, before = root.locator("tbody").inner_text(), root.evaluate(PICTURE)
    root.get_by_role("checkbox", name="momentum", exact=True).uncheck()
    assert root.evaluate(PICTURE) != before
    assert "momentum at" not in root.get_by_role("img").first.get_attribute("aria-label")
    assert root.locator("tbody").inner_text() == table


def test_adam_goals_are_reached_by_hand(still_page) -> None:
    """A smaller beta2 makes the first step right at 0.99 and too small below 0.96; the later steps are told."""
    page = still_page(AdamBias()).page
    root = page.locator(".look")
    answer(root, "too small")
    expect(root.locator(".look-verdict")).to_contain_text("You said too small. It is too large")
    expect(root.locator(".look-formula").first).to_have_text(
        "First step: 1.00 \u03b7 with correction, 3.16 \u03b7 without."
    )
    expect(root.locator(".look-formula").nth(1)).to_contain_text("step 12: 6.57 \u03b7")
    press(page, range_of(root, "\u03b22"), "ArrowLeft", 20)
    expect(root.locator(".look-goal").nth(1)).to_contain_text(
        "1.00 \u03b7 with \u03b2\u2081 = 0.90, \u03b2\u2082 = 0.99"
    )
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "\u03b22"), "ArrowLeft", 14)
    expect(root.locator(".look-goal-state").first).to_have_text("reached")


def test_designer_goals_are_reached_by_hand(still_page) -> None:
    """Cosine to a tenth after a warm-up of 100 reaches the first goal, restarts at 200 and 600 the second."""
    page = still_page(ScheduleDesigner()).page
    root = page.locator(".look")
    answer(root, "Still at 0")
    kind = root.get_by_role("combobox")
    kind.select_option("cosine")
    range_of(root, "period").fill("500")
    expect(root.locator(".look-big")).to_have_text("0.1 at step 1,000")
    expect(root.locator(".look-verdict")).to_contain_text("It is back at the top")
    range_of(root, "warm-up steps").fill("100")
    range_of(root, "period").fill("900")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "lowest / \u03b7"), "ArrowRight", 10)
    expect(root.locator(".look-goal").first).to_contain_text("0.01 at step 1,000, 0.100 of the top")
    range_of(root, "warm-up steps").fill("0")
    kind.select_option("restarts")
    range_of(root, "first period").fill("200")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    range_of(root, "times as long").fill("2")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Restarts at steps 200, 600.")


@pytest.mark.parametrize(
    ("kind", "moves"),
    [("exponential", {"factor \u03b3": "2.59"}), ("step", {"factor \u03b3": "0.1", "steps between": "900"})],
)
def test_designer_goal_has_more_than_one_answer(still_page, kind, moves) -> None:
    """An exponential fall and a single fall reach the first goal as well."""
    page = still_page(ScheduleDesigner(kind, warm=100, prediction="top")).page
    root = page.locator(".look")
    for name, value in moves.items():
        range_of(root, name).fill(value)
    expect(root.locator(".look-goal-state").first).to_have_text("reached")


def test_designer_shows_only_what_a_schedule_uses(still_page) -> None:
    """A constant rate has three sliders, warm restarts six; the log axis changes the picture."""
    page = still_page(ScheduleDesigner(prediction="top")).page
    root = page.locator(".look")
    assert root.locator(f"{SLIDERS}:visible").count() == 3
    root.get_by_role("combobox").select_option("restarts")
    assert root.locator(f"{SLIDERS}:visible").count() == 6
    before = root.evaluate(PICTURE)
    root.get_by_role("button", name="Log axis").click()
    expect(root.get_by_role("button", name="Log axis")).to_have_attribute("aria-pressed", "true")
    assert root.evaluate(PICTURE) != before


def test_range_goals_are_reached_by_hand(still_page) -> None:
    """A rate in the fall reaches one goal, the same with two more seeds the other; a large one flies out."""
    page = still_page(RangeTest()).page
    root = page.locator(".look")
    answer(root, "Where it shoots up")
    range_of(root, "rate \u03b7").fill("0.5")
    expect(root.locator(".look-big")).to_contain_text("Flew out at step")
    range_of(root, "rate \u03b7").fill("-1")
    expect(root.locator(".look-goal-state").first).to_have_text("reached")
    expect(root.locator(".look-verdict")).to_contain_text("Where it falls is the place.")
    press(page, range_of(root, "seed"), "ArrowRight", 1)
    expect(root.locator(".look-why")).to_have_text("So far rate 0.1 does it for seeds 0, 1.")
    press(page, range_of(root, "rate \u03b7"), "ArrowRight")
    expect(root.locator(".look-why")).to_have_text("So far rate 0.11 does it for seeds 1.")
    press(page, range_of(root, "seed"), "ArrowRight", 2)
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Rate 0.11 does it for seeds 1, 2, 3.")


def all_widgets():
    """One of each, controls awake, the race under way."""
    return [
        ContourRace(step=60, mu=0.5, noise=0.5, prediction="flat"),
        AdamBias(beta1=0.5, noise=0.5, prediction="small"),
        ScheduleDesigner("restarts", period=200, factor=2, warm=50, at=300, prediction="top"),
        RangeTest(lr=0.03, prediction="fall"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every slider is disabled before the question is answered and enabled after it."""
    page = still_page(ContourRace(), AdamBias(), ScheduleDesigner(), RangeTest()).page
    guesses = ("Both alike", "just right", "Half way up", "Where the loss falls")
    for root, guess in zip(page.locator(".look").all(), guesses, strict=True):
        controls = root.locator(f"{SLIDERS}, select, input[type=checkbox]").all()
        assert controls and all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in controls)


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any visible slider of any widget redraws; a click on its track does too."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for slider in root.locator(f"{SLIDERS}:visible").all():
            moves_picture(page, root, slider)


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Controls have one label, sliders a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(f"{SLIDERS}, select, input[type=checkbox]").all():
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


def break_drawing(page: Page) -> None:
    """Let the frame of every chart fail."""
    page.evaluate("() => { CanvasRenderingContext2D.prototype.strokeRect = () => { throw new Error('no frame'); }; }")


def test_errors_show_inside_the_widget(still_page) -> None:
    """When drawing breaks, each widget says so in a sentence instead of going quiet."""
    page = still_page(*all_widgets()).page
    break_drawing(page)
    for root in page.locator(".look").all():
        press(page, root.locator(f"{SLIDERS}:visible").first, "ArrowRight")
        expect(root.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_pages_are_silent_and_stay_home(still_page) -> None:
    """No console error, and no request to anything but the page itself."""
    watched = still_page(*all_widgets())
    assert watched.errors == []
    assert watched.strangers == []


@pytest.mark.parametrize("name", ["race", "adam", "designer", "range"])
def test_slider_to_picture_is_quick(still_page, name, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    widget, control = {
        "race": (ContourRace(step=200, runners=RUNNERS, prediction="flat"), "conditioning \u03ba"),
        "adam": (AdamBias(prediction="small"), "\u03b22"),
        "designer": (ScheduleDesigner("restarts", factor=2, prediction="top"), "first period"),
        "range": (RangeTest(lr=0.03, prediction="fall"), "rate \u03b7"),
    }[name]
    page = still_page(widget).page
    root = page.locator(".look")
    root.evaluate(STOPWATCH)
    range_of(root, control).focus()
    for k in range(60):
        page.keyboard.press("ArrowRight" if k % 20 < 10 else "ArrowLeft")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{name}: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50
