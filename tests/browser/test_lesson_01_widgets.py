"""The three look widgets of lesson 01 in a real Chromium, without a kernel."""

from __future__ import annotations

import statistics
from itertools import product

import nbformat
import numpy as np
import pytest
from driving import (
    CORNERS,
    PICTURE,
    SLIDERS,
    STOPWATCH,
    answer,
    as_arrays,
    assert_nothing_sticks_out,
    assert_readable,
    load,
    moves_picture,
    press,
    wait_for_data,
)
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from course_lib.numpy_kernels.losses import mse_loss
from course_lib.numpy_kernels.mlp import mlp_forward, train_xor
from course_lib.widgets.mlp import HiddenFold, XorTrainer, initial_weights
from course_lib.widgets.neuron import XOR, DecisionBoundary

pytestmark = pytest.mark.browser

# Arithmetic


@pytest.mark.parametrize(("hidden", "lr"), [(1, 0.5), (2, 1.0), (5, 3.0), (16, 1.0)])
def test_training_in_the_page_equals_numpy(watched, hidden, lr) -> None:
    """After 200 steps from the same weights, JavaScript and the course's kernels agree to nine digits."""
    start = initial_weights(hidden, seed=7)
    load(watched.page, "xor_trainer.js")
    run = """([weights, lr]) => {
      const network = new part.training.Network(weights);
      for (let k = 0; k < 200; k += 1) network.step(lr);
      return [network.weights(), network.loss()];
    }"""
    weights, loss = watched.page.evaluate(run, [start, lr])
    x, y = CORNERS[:, :2], CORNERS[:, 2:]
    expected = train_xor(x, y, *as_arrays(start), lr, 200)
    for got, wanted in zip(as_arrays(weights), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9)
    np.testing.assert_allclose(loss, mse_loss(mlp_forward(x, *expected)[0], y), rtol=1e-9)


@pytest.mark.parametrize(("hidden", "seed"), [(1, 0), (2, 1), (3, 42), (16, 99)])
def test_start_weights_equal_in_both_languages(watched, hidden, seed) -> None:
    """A seed gives the same start weights in Python and in the page, bit for bit."""
    load(watched.page, "xor_trainer.js")
    drawn = watched.page.evaluate("([h, s]) => part.training.initialWeights(h, s)", [hidden, seed])
    assert drawn == initial_weights(hidden, seed)


def separable_by_search(ones, zeros) -> bool:
    """Try every line direction that can matter for points with small whole coordinates."""
    directions = [n for n in product(range(-9, 10), repeat=2) if n != (0, 0)]
    low = [min(a * x + b * y for x, y in ones) for a, b in directions]
    high = [max(a * x + b * y for x, y in zeros) for a, b in directions]
    return any(one > zero for one, zero in zip(low, high, strict=True))


def test_separability_is_exact(watched) -> None:
    """The page agrees with a search over all lines, on points that coincide, touch, or lie on one line."""
    rng = np.random.default_rng(0)
    cases = rng.integers(0, 3, size=(400, 4, 2)).tolist()
    load(watched.page, "separable.js")
    touch = watched.page.evaluate("(cases) => cases.map(([a, b, c, d]) => part.segmentsTouch([a, b], [c, d]))", cases)
    expected = [not separable_by_search(case[:2], case[2:]) for case in cases]
    assert touch == expected
    assert 50 < sum(expected) < 350


def test_no_line_gets_four_corners(watched) -> None:
    """On the whole grid of the sliders the count of right corners never passes 3, and it does come to 3."""
    load(watched.page, "neuron.js")
    count = """(points) => {
      const seen = new Set();
      const at = (k) => k / 10;
      for (let i = -30; i <= 30; i += 1) for (let j = -30; j <= 30; j += 1) for (let k = -30; k <= 30; k += 1)
        seen.add(part.countRight([at(i), at(j)], at(k), points));
      return [...seen].sort();
    }"""
    assert watched.page.evaluate(count, XOR) == [1, 2, 3]


# Without a kernel


def test_boundary_says_when_the_goal_is_reached(still_page) -> None:
    """Moving only b by keyboard reaches 3 of 4; the goal, the guess and the reason are told."""
    page = still_page(DecisionBoundary()).page
    root = page.locator(".look")
    answer(root, "4")
    expect(root.locator(".look-big")).to_have_text("2 of 4 right")
    before = root.evaluate(PICTURE)
    press(page, root.get_by_label("b", exact=True), "ArrowLeft", 5)
    expect(root.locator(".look-big")).to_have_text("3 of 4 right")
    expect(root.locator(".look-goal")).to_contain_text("Nobody can do better")
    expect(root.locator(".look-verdict")).to_have_text("You guessed 4 of 4; the best is 3.")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Goal reached")
    expect(root.get_by_role("img")).to_have_attribute(
        "aria-label",
        "The plane of x\u2081 and x\u2082. With weights 1.0 and 1.0 "
        "and bias 0.0, 3 of 4 points are right. Wrong: (1, 1).",
    )
    assert root.evaluate(PICTURE) != before


def test_boundary_that_starts_at_the_best_waits_for_a_move(still_page) -> None:
    """A start at 3 of 4 does not count as reached until the learner moves something."""
    page = still_page(DecisionBoundary(b=-0.5)).page
    root = page.locator(".look")
    answer(root, "3")
    expect(root.locator(".look-goal-state")).to_have_text("not yet")
    press(page, root.get_by_label("b", exact=True), "ArrowLeft")
    expect(root.locator(".look-goal-state")).to_have_text("reached")
    expect(root.locator(".look-verdict")).to_have_text("You guessed 3 of 4: right.")


def test_pupils_can_be_split(still_page) -> None:
    """The rule of the school, set by sliders, gets 12 of 12."""
    page = still_page(DecisionBoundary("admission", w=(1.9, 1.0), b=-32.5)).page
    root = page.locator(".look")
    answer(root, "12")
    press(page, root.get_by_label("w1"), "ArrowRight")
    expect(root.locator(".look-big")).to_have_text("12 of 12 right")
    expect(root.locator(".look-goal-state")).to_have_text("reached")


def test_fold_goal_needs_the_right_directions(still_page) -> None:
    """Units that look at x1 and at x2 never separate; OR and AND do, and the goal says so."""
    page = still_page(HiddenFold()).page
    root = page.locator(".look")
    answer(root, "For some weights")
    press(page, root.get_by_label("fold t"), "End")
    expect(root.locator(".look-big")).to_have_text("No line is enough here")
    root.get_by_label("The two units look").select_option("sum")
    expect(root.locator(".look-goal-state")).to_have_text("not yet")
    press(page, root.get_by_label("threshold 1"), "ArrowLeft", 10)
    press(page, root.get_by_label("threshold 2"), "ArrowRight", 10)
    expect(root.locator(".look-big")).to_have_text("One line is enough here")
    expect(root.locator(".look-goal-state")).to_have_text("reached")


def test_fold_button_plays_to_the_end(still_page) -> None:
    """The button carries the plane all the way and offers the way back."""
    page = still_page(HiddenFold("sum")).page
    root = page.locator(".look")
    answer(root, "Always")
    root.get_by_role("button", name="Fold", exact=True).click()
    wait_for_data(page, root, "d.t === '1'")
    expect(root.get_by_role("button", name="Unfold")).to_be_visible()


def test_trainer_plays_pauses_steps_and_resets(still_page) -> None:
    """Play runs to 2,000 steps and stops; pause, step and reset do what they say; the goal is told."""
    page = still_page(XorTrainer()).page
    root = page.locator(".look")
    answer(root, "2")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.steps) > 0")
    root.get_by_role("button", name="Pause").click()
    paused = int(root.get_attribute("data-steps"))
    root.get_by_role("button", name="Step").click()
    assert int(root.get_attribute("data-steps")) == paused + 1
    root.get_by_label("Speed").select_option("100")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "d.steps === '2000' && d.playing === 'false'")
    expect(root.locator(".look-big")).to_have_text("4 of 4 right")
    expect(root.locator(".look-goal").first).to_contain_text("4 of 4 with 2 hidden units after 840 steps")
    root.get_by_role("button", name="Reset").click()
    assert root.get_attribute("data-steps") == "0"


def test_twenty_seeds_fill_the_table(still_page) -> None:
    """Some seeds get stuck with two units, none with eight; the table counts them and the second goal is told."""
    page = still_page(XorTrainer(), XorTrainer(hidden=8)).page
    two, eight = page.locator(".look").nth(0), page.locator(".look").nth(1)
    for root in (two, eight):
        answer(root, "4")
        root.get_by_role("button", name="Try 20 seeds").click()
    expect(two.locator("tbody tr")).to_have_text("22013")
    expect(eight.locator("tbody tr")).to_have_text("82020")
    expect(two.locator(".look-goal").nth(1)).to_contain_text("Seed 2: still")
    expect(eight.locator(".look-goal-state").nth(1)).to_have_text("not yet")


def test_training_stops_with_the_page_element(still_page) -> None:
    """Once removed from the page, the loop asks for no further frame."""
    page = still_page(XorTrainer()).page
    root = page.locator(".look")
    answer(root, "2")
    root.get_by_label("Speed").select_option("1")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.steps) > 2")
    frames = """async () => {
      const root = document.querySelector('.look');
      root.remove();
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      for (let k = 0; k < 3; k += 1) await frame();
      const steps = root.dataset.steps;
      for (let k = 0; k < 10; k += 1) await frame();
      return [steps, root.dataset.steps];
    }"""
    before, after = page.evaluate(frames)
    assert before == after


def all_widgets():
    """One of each, with both data sets of the neuron, controls awake."""
    return [
        DecisionBoundary(prediction=4),
        DecisionBoundary("admission", prediction=12),
        HiddenFold("sum", prediction="some"),
        XorTrainer(prediction="2"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every slider is disabled before the question is answered and enabled after it."""
    page = still_page(DecisionBoundary(), HiddenFold(), XorTrainer()).page
    for root, guess in zip(page.locator(".look").all(), ("1", "Never", "8"), strict=True):
        states = [slider.is_disabled() for slider in root.locator(SLIDERS).all()]
        assert states and all(states)
        answer(root, guess)
        assert not any(slider.is_disabled() for slider in root.locator(SLIDERS).all())


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any slider of any widget redraws; a click on its track does too."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for fold in root.get_by_label("fold t").all():
            press(page, fold, "End")
        for slider in root.locator(SLIDERS).all():
            moves_picture(page, root, slider)


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Sliders have a label and a spoken value, pictures a description, groups a name; ids are unique."""
    page = still_page(*all_widgets()).page
    for slider in page.locator(f"{SLIDERS}, select").all():
        assert slider.evaluate("(node) => node.labels.length") == 1
    for slider in page.locator(SLIDERS).all():
        assert slider.get_attribute("aria-valuetext") == slider.evaluate(
            "(node) => node.nextElementSibling.textContent"
        )
    for picture in page.locator("canvas, svg.look-svg").all():
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


def test_error_shows_inside_the_widget(still_page) -> None:
    """When drawing breaks, the widget says so in a sentence instead of going quiet."""
    page = still_page(HiddenFold(prediction="some")).page
    root = page.locator(".look")
    page.evaluate("() => { CanvasRenderingContext2D.prototype.strokeRect = () => { throw new Error('no frame'); }; }")
    root.get_by_label("The two units look").select_option("difference")
    press(page, root.get_by_label("threshold 1"), "End")
    expect(root.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_pages_are_silent_and_stay_home(still_page) -> None:
    """No console error, and no request to anything but the page itself."""
    watched = still_page(*all_widgets())
    assert watched.errors == []
    assert watched.strangers == []


def test_exported_notebook_is_alive(watched, tmp_path) -> None:
    """nbconvert's HTML of an executed cell shows the widget without kernel, network or saved widget state."""
    data, metadata = XorTrainer()._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    cell = nbformat.v4.new_code_cell("XorTrainer()", outputs=[output])
    text, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    path = tmp_path / "lesson.html"
    path.write_text(text, encoding="utf-8")
    watched.page.route(
        "**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort()
    )
    watched.page.goto(path.as_uri(), wait_until="domcontentloaded")
    root = watched.page.locator(".look")
    answer(root, "4")
    root.get_by_role("button", name="Step").click()
    wait_for_data(watched.page, root, "d.steps === '1'")


def test_without_scripts_a_described_picture_remains(chromium, tmp_path) -> None:
    """A page that runs no script shows the still picture with its text alternative."""
    path = tmp_path / "still.html"
    path.write_text(XorTrainer().page(), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    picture = page.get_by_role("img")
    expect(picture).to_have_attribute("alt", XorTrainer().description())
    assert picture.bounding_box()["height"] > 200
    context.close()


@pytest.mark.parametrize("name", ["neuron", "fold", "trainer"])
def test_slider_to_picture_is_quick(still_page, name, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    widget = {
        "neuron": DecisionBoundary(prediction=4),
        "fold": HiddenFold("difference", t=1.0, prediction="some"),
        "trainer": XorTrainer(prediction="2"),
    }[name]
    page = still_page(widget).page
    page.locator(".look").evaluate(STOPWATCH)
    page.locator(SLIDERS).first.focus()
    for k in range(60):
        page.keyboard.press("ArrowRight" if k % 20 < 10 else "ArrowLeft")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{name}: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50
