"""The four look widgets of lesson 02 in a real Chromium, without a kernel."""

from __future__ import annotations

import json
import statistics

import numpy as np
import pytest
import torch
from driving import (
    PICTURE,
    SLIDERS,
    STOPWATCH,
    answer,
    assert_nothing_sticks_out,
    assert_readable,
    load,
    press,
    wait_for_data,
    words,
)
from playwright.sync_api import Locator, expect
from torch.nn import functional

from course_lib.widgets.activations import ActivationExplorer, SoftmaxTemperature
from course_lib.widgets.initialisation import (
    DeadReluMeter,
    SpreadOverLayers,
    layer_spreads,
    start_weights,
    toy_points,
    trained,
)

pytestmark = pytest.mark.browser

SCORES = [-30.0, -8.0, -3.2, -1.0, -0.1, 0.0, 0.1, 0.7, 1.0, 2.5, 4.6, 8.0, 30.0]
LEAK = 0.2
TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, LEAK),
    "gelu": functional.gelu,
    "gelu_tanh": lambda z: functional.gelu(z, approximate="tanh"),
}


def side(root: Locator) -> Locator:
    """The column of controls; questions and pictures have names that hold the same words."""
    return root.locator(".look-side")


# Arithmetic


@pytest.mark.parametrize("name", TORCH)
def test_values_and_slopes_equal_torch(watched, name) -> None:
    """Every function and its slope agree with Torch's autograd, from one end to the other and at the corner."""
    load(watched.page, "activation_explorer.js")
    run = """([name, scores, leak]) => {
      const one = part.ACTIVATIONS[name];
      const at = (f) => scores.map((z) => f(z, leak));
      return [Object.keys(part.ACTIVATIONS), at(one.value), at(one.slope)];
    }"""
    names, values, slopes = watched.page.evaluate(run, [name, SCORES, LEAK])
    assert names == list(TORCH)
    z = torch.tensor(SCORES, dtype=torch.float64, requires_grad=True)
    expected = TORCH[name](z)
    expected.sum().backward()
    np.testing.assert_allclose(values, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slopes, z.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("temperature", [0.01, 0.3, 1.0, 100.0])
def test_softmax_equals_torch(watched, temperature) -> None:
    """Probabilities and entropy agree with Torch, also where exp alone would overflow."""
    scores = [5.0, 4.9, -5.0, 0.0]
    load(watched.page, "softmax_temperature.js")
    run = "([s, t]) => { const p = part.softmax(s, t); return [p, part.entropy(p)]; }"
    p, entropy = watched.page.evaluate(run, [scores, temperature])
    expected = torch.softmax(torch.tensor(scores, dtype=torch.float64) / temperature, dim=0)
    np.testing.assert_allclose(p, expected.numpy(), rtol=1e-12)
    assert entropy == pytest.approx(torch.special.entr(expected).sum().item(), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("activation", "gain", "width"), [("relu", 1.4, 64), ("tanh", 0.9, 32), ("linear", 1.2, 16)])
def test_spread_equals_numpy(watched, activation, gain, width) -> None:
    """The thirty standard deviations of the page are those of NumPy on the same draw; zeros are counted."""
    load(watched.page, "spread_over_layers.js")
    run = "([a, g, n]) => part.layerStatistics(part.drawStack(n, 5), a, g)"
    layers = watched.page.evaluate(run, [activation, gain, width])
    expected = layer_spreads(activation, gain, width, 5)
    np.testing.assert_allclose([layer["spread"] for layer in layers], expected, rtol=1e-9)
    assert (0.3 < layers[0]["silent"] < 0.7) == (activation == "relu")


def test_spread_at_any_gain_uses_one_pass(still_page) -> None:
    """The shortcut of ReLU (gain to the power of the layer) shows the same numbers as NumPy."""
    root = still_page(SpreadOverLayers("relu", gain=1.7, seed=2)).page.locator(".look")
    spreads = layer_spreads("relu", 1.7, 64, 2)
    assert float(root.get_attribute("data-last")) == pytest.approx(spreads[-1])
    assert float(root.get_attribute("data-low")) == pytest.approx(min(spreads))


@pytest.mark.parametrize(("lr", "steps"), [(0.03, 200), (1.0, 200), (6.0, 5)])
def test_training_in_the_page_equals_numpy(watched, lr, steps) -> None:
    """Points and start weights are equal bit for bit; after training so are the counts, and the loss to nine digits."""
    load(watched.page, "dead_relu_meter.js")
    run = """([lr, steps]) => {
      const start = part.meter.startWeights(3);
      const given = Object.values(start).flatMap((values) => [...values]);
      const network = new part.meter.ReluNetwork(start).train(lr, steps);
      return [part.meter.POINTS, given, network.fires(), network.loss()];
    }"""
    points, given, fires, loss = watched.page.evaluate(run, [lr, steps])
    expected, own = trained(lr, 3, steps)
    assert points == toy_points().tolist()
    assert given == [value for values in start_weights(3).values() for value in values.ravel()]
    assert fires == expected.tolist()
    assert loss == pytest.approx(own, rel=1e-9)


# Without a kernel


def test_explorer_finds_where_the_sigmoid_saturates(still_page) -> None:
    """Going out step by step, the goal is reached at 4.6 and not before; further out a hint sends one back."""
    page = still_page(ActivationExplorer(z=4.4)).page
    root = page.locator(".look")
    answer(root, "10")
    score = side(root).get_by_label("score z")
    press(page, score, "ArrowRight")
    expect(root.locator(".look-big")).to_have_text("slope 0.0109")
    press(page, score, "End")
    expect(words(root, "Is there a score nearer to 0?")).to_be_visible()
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, score, "ArrowLeft", 33)
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, score, "ArrowLeft")
    expect(root.locator(".look-big")).to_have_text("slope 0.0099")
    expect(root.locator(".look-goal-state").first).to_have_text("reached")
    expect(root.locator(".look-verdict")).to_have_text("You said 10; it is 4.6.")
    expect(root.locator("[aria-live=polite]")).to_contain_text(
        "slope 0.0099. value 0.9900 at score z = 4.6. Goal reached: At 4.6"
    )


def test_only_gelu_falls(still_page) -> None:
    """No other function has a negative slope at the score where GELU has one."""
    page = still_page(ActivationExplorer(z=-1.5, prediction="4.6")).page
    root = page.locator(".look")
    second = root.locator(".look-goal-state").nth(1)
    for name in ("tanh", "relu", "leaky_relu", "sigmoid"):
        side(root).get_by_label("Activation function").select_option(name)
        expect(second).to_have_text("not yet")
    side(root).get_by_label("Activation function").select_option("gelu")
    expect(second).to_have_text("reached")
    expect(root.locator(".look-big")).to_have_text("slope \u22120.1275")
    expect(words(root, "The two forms of GELU differ by 0.00022 here.")).to_be_visible()


def test_explorer_shows_the_leak_and_the_corner(still_page) -> None:
    """The slider of the leak shows for leaky ReLU only; at 0 the slope of the convention is named."""
    page = still_page(ActivationExplorer(z=0.0, leak=0.25, prediction="4.6")).page
    root = page.locator(".look")
    leak = side(root).get_by_label("slope of the leak")
    expect(leak).to_be_hidden()
    side(root).get_by_label("Activation function").select_option("leaky_relu")
    expect(leak).to_be_visible()
    expect(words(root, "the course takes the slope 0.25")).to_be_visible()
    press(page, leak, "ArrowRight")
    expect(root.locator(".look-big")).to_have_text("slope 0.2600")


def test_temperature_alone_reaches_one_half(still_page) -> None:
    """Heating brings the winner below 50 %; a moved score does not count and says so."""
    page = still_page(SoftmaxTemperature()).page
    root = page.locator(".look")
    answer(root, "T \u2192 0: all equal. T \u2192 \u221e: one takes all")
    heat, first, score = (
        side(root).get_by_label("temperature"),
        root.locator(".look-goal-state").first,
        side(root).get_by_label("score z1"),
    )
    press(page, score, "ArrowLeft")
    press(page, heat, "ArrowRight", 10)
    assert 0.48 <= max(json.loads(root.get_attribute("data-probabilities"))) < 0.5
    expect(words(root, "Put the scores back for the first goal: 2.0, 1.0, 0.0, \u22121.0.")).to_be_visible()
    expect(first).to_have_text("not yet")
    press(page, score, "ArrowRight")
    press(page, heat, "ArrowRight")
    expect(first).to_have_text("reached")
    expect(words(root, "A score was moved")).to_be_hidden()


def test_a_tie_survives_the_cold(still_page) -> None:
    """At the coldest temperature one class takes all until two scores are equal; then the answer is told."""
    page = still_page(SoftmaxTemperature(goal_reached=True)).page
    root = page.locator(".look")
    answer(root, "The same at every T")
    press(page, side(root).get_by_label("temperature"), "Home")
    expect(root.locator(".look-big")).to_have_text("class 1: 100.0 %")
    press(page, side(root).get_by_label("score z1"), "ArrowLeft", 10)
    expect(root.locator(".look-big")).to_have_text("tie: 50.0 % each")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("reached")
    expect(root.locator(".look-verdict")).to_contain_text("It does change")


def test_gain_keeps_relu_and_tanh_in_the_band(still_page) -> None:
    """ReLU at gain 1 loses the spread and answers the question; 30 steps further both goals can be reached."""
    page = still_page(SpreadOverLayers()).page
    root = page.locator(".look")
    answer(root, "about 1/10")
    goals, gain, kind = (
        root.locator(".look-goal-state"),
        side(root).get_by_label("gain"),
        side(root).get_by_label("Activation"),
    )
    kind.select_option("relu")
    expect(root.locator(".look-big")).to_have_text("layer 30: 3 \u00d7 10\u207b\u2075")
    expect(root.locator(".look-verdict")).to_contain_text("About 1/30,000")
    press(page, gain, "ArrowRight", 30)
    expect(goals.first).to_have_text("reached")
    expect(goals.nth(1)).to_have_text("not yet")
    kind.select_option("tanh")
    expect(goals.nth(1)).to_have_text("reached")
    expect(root.get_by_role("img")).to_have_attribute(
        "aria-label",
        "Spread of the activations over 30 layers on a log scale: layer 30: 0.56, "
        "between 0.53 and 0.72 over all layers. All layers lie in the band from 0.5 to 2.",
    )


def test_large_gain_saturates_tanh(still_page) -> None:
    """At the largest gain the spread of tanh stays below 1, but the second goal is not reached."""
    page = still_page(SpreadOverLayers("tanh", prediction="tiny")).page
    root = page.locator(".look")
    press(page, side(root).get_by_label("gain"), "End")
    assert float(root.get_attribute("data-silent")) > 0.3
    assert 0.5 < float(root.get_attribute("data-low")) < float(root.get_attribute("data-high")) < 1
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")


def test_units_die_at_large_rates_and_stay_dead(still_page) -> None:
    """From calm to wild: whole and good, half dead and good, all dead; training on brings nobody back."""
    page = still_page(DeadReluMeter(lr=1.9953)).page
    root = page.locator(".look")
    answer(root, "Some die, and come back")
    rate, goals = side(root).get_by_label("learning rate"), root.locator(".look-goal-state")
    press(page, rate, "ArrowRight")
    expect(goals.first).to_have_text("reached")
    expect(root.locator(".look-big")).to_have_text("0 of 16 dead")
    press(page, rate, "ArrowRight", 9)
    expect(goals.nth(1)).to_have_text("reached")
    assert 8 <= int(root.get_attribute("data-dead")) < 16
    press(page, rate, "End")
    expect(root.locator(".look-big")).to_have_text("16 of 16 dead")
    root.get_by_role("button", name="Train on").click()
    expect(words(root, "0 of 16 dead units came back")).to_be_visible()
    expect(root.locator(".look-verdict")).to_contain_text("They die and stay dead")


def test_all_rates_leave_a_trace(still_page) -> None:
    """The sweep tries the 81 rates of the slider and changes the picture; another seed starts a new trace."""
    page = still_page(DeadReluMeter(prediction="dead")).page
    root = page.locator(".look")
    before = root.evaluate(PICTURE)
    root.get_by_role("button", name="Try all rates").click()
    wait_for_data(page, root, "d.tried === '81'")
    assert root.evaluate(PICTURE) != before
    press(page, side(root).get_by_label("seed"), "ArrowRight")
    assert root.get_attribute("data-tried") == "1"
    expect(words(root, "1 of them fired for no point before training.")).to_be_visible()


def test_every_seed_and_rate_gives_a_finite_loss(watched) -> None:
    """No corner of the sliders ends in infinity or NaN, and every seed has a rate that learns."""
    load(watched.page, "dead_relu_meter.js")
    run = """() => Array.from({ length: 20 }, (_, seed) => [0.01, 0.1, 1, 2, 5, 10, 30, 100].map(
      (lr) => new part.meter.ReluNetwork(part.meter.startWeights(seed)).train(lr).loss()))"""
    losses = np.array(watched.page.evaluate(run), dtype=float)
    assert np.isfinite(losses).all()
    assert (losses.min(axis=1) < 0.02).all()


def all_widgets():
    """One of each, with the leak's slider in sight, controls awake."""
    return [
        ActivationExplorer("leaky_relu", z=-2.0, prediction="10"),
        SoftmaxTemperature((2.0, 1.0, 0.0, -1.0, 1.5), prediction="same"),
        SpreadOverLayers("tanh", gain=1.2, prediction="tiny"),
        DeadReluMeter(lr=1.0, prediction="dead"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every slider and button of the side is disabled before the question is answered and enabled after it."""
    page = still_page(ActivationExplorer(), SoftmaxTemperature(), SpreadOverLayers(), DeadReluMeter()).page
    guesses = ("100", "The same at every T", "more than 1", "All keep firing")
    for root, guess in zip(page.locator(".look").all(), guesses, strict=True):
        controls = root.locator(f".look-side :is({SLIDERS}, button, select)").all()
        assert controls and all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in controls)


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any slider of any widget redraws; a click on its track does too."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for slider in root.locator(SLIDERS).all():
            pictures = [root.evaluate(PICTURE)]
            press(page, slider, "ArrowRight")
            pictures.append(root.evaluate(PICTURE))
            box = slider.bounding_box()
            slider.click(position={"x": 0.85 * box["width"], "y": box["height"] / 2})
            pictures.append(root.evaluate(PICTURE))
            assert len(set(pictures)) == 3, slider.evaluate("(node) => [node.labels[0].textContent, node.value]")


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Sliders have a label and a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(f"{SLIDERS}, select").all():
        assert control.evaluate("(node) => node.labels.length") == 1
    for slider in page.locator(SLIDERS).all():
        spoken = slider.evaluate("(node) => node.nextElementSibling.textContent")
        assert slider.get_attribute("aria-valuetext") == spoken
    for picture in page.locator("canvas").all():
        assert len(picture.get_attribute("aria-label")) > 60
        assert "{" not in picture.get_attribute("aria-label")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_text_has_contrast_and_no_gaps(still_page) -> None:
    """All text reaches 4.5 : 1 against its ground, also in a dark page, and no placeholder is left in it."""
    assert_readable(still_page(*all_widgets()).page)


@pytest.mark.parametrize("width", [360, 700, 1040])
def test_nothing_is_cut_off(still_page, width) -> None:
    """From a phone to a wide screen nothing sticks out of the widget."""
    assert_nothing_sticks_out(still_page(*all_widgets()).page, width)


def test_error_shows_inside_the_widget(still_page) -> None:
    """When drawing breaks, each widget says so in a sentence instead of going quiet."""
    page = still_page(*all_widgets()).page
    page.evaluate("() => { CanvasRenderingContext2D.prototype.fillRect = () => { throw new Error('no frame'); }; }")
    for root in page.locator(".look").all():
        press(page, root.locator(SLIDERS).first, "ArrowRight")
        expect(root.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_sweep_stops_with_the_page_element(still_page) -> None:
    """Once removed from the page, the sweep trains no further rate."""
    page = still_page(DeadReluMeter(prediction="dead")).page
    tried = page.evaluate("""async () => {
      const root = document.querySelector('.look');
      [...root.querySelectorAll('button')].find((node) => node.textContent === 'Try all rates').click();
      root.remove();
      for (let k = 0; k < 20; k += 1) await new Promise((done) => requestAnimationFrame(done));
      return root.dataset.tried;
    }""")
    assert tried == "1"


def test_pages_are_silent_and_stay_home(still_page) -> None:
    """No console error, and no request to anything but the page itself."""
    watched = still_page(*all_widgets())
    assert watched.errors == []
    assert watched.strangers == []


@pytest.mark.parametrize("name", ["explorer", "softmax", "spread", "spread_tanh", "meter"])
def test_slider_to_picture_is_quick(still_page, name, capsys) -> None:
    """Medians: computing and drawing at most 16 ms, key on the slider to the frame that shows it at most 50 ms."""
    widget = {
        "explorer": ActivationExplorer("gelu", prediction="10"),
        "softmax": SoftmaxTemperature(prediction="same"),
        "spread": SpreadOverLayers("relu", prediction="tiny"),
        "spread_tanh": SpreadOverLayers("tanh", prediction="tiny"),
        "meter": DeadReluMeter(lr=1.0, prediction="dead"),
    }[name]
    page = still_page(widget).page
    page.locator(".look").evaluate(STOPWATCH)
    page.locator(SLIDERS).first.focus()
    for k in range(60):
        page.keyboard.press("ArrowRight" if k % 20 < 10 else "ArrowLeft")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{name}: computing and drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50
