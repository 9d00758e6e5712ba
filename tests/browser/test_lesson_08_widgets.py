"""The four look widgets of lesson 08 in a real Chromium, without a kernel: numbers, goals, access, speed."""

from __future__ import annotations

import re
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
    range_of,
)
from playwright.sync_api import expect

from course_lib.numpy_kernels.residual import gradient_norm_by_depth
from course_lib.widgets.architectures import ArchitectureMap
from course_lib.widgets.residual import BlockRemoval, BranchScale, DepthNorms, branch_flow, depth_flow

pytestmark = pytest.mark.browser

RESIDUAL = [0.9, 0.93, 0.94, 0.91]
PLAIN = [0.1, 0.2, 0.5, 0.4]


def removal(**changes) -> BlockRemoval:
    """A removal with four blocks."""
    return BlockRemoval(RESIDUAL, PLAIN, whole=(0.95, 0.93), **changes)


@pytest.mark.parametrize(
    ("depth", "gain", "past", "seed"),
    [(4, 1.0, False, 0), (16, 1.4, True, 3), (64, 1.0, False, 1), (64, 0.1, True, 7), (64, 3.0, True, 2)],
)
def test_depth_flow_equals_torch_numpy_and_the_kernel(watched, depth, gain, past, seed) -> None:
    """Norms of the page are those of Torch's gradients, of the mirror in Python and of the course's own kernel."""
    load(watched.page, "depth_norms.js")
    run = """([depth, gain, past, seed]) => {
      const pair = new part.DeepPair(seed);
      const w = pair.w.slice(0, depth).map((layer) => [...layer]);
      return { ...pair.flow(depth, gain, past), x: [...pair.x], end: [...pair.end], w };
    }"""
    made = watched.page.evaluate(run, [depth, gain, past, seed])
    made |= {name: np.array(made[name], float) for name in ("weights", "outputs")}  # huge numbers arrive as integers
    x, end = (torch.tensor(made[name], dtype=torch.float64).reshape(8, 32) for name in ("x", "end"))
    weights = [(gain * torch.tensor(w, dtype=torch.float64).reshape(32, 32)).requires_grad_() for w in made["w"]]
    outputs = [x]
    for w in weights:
        outputs.append(past * outputs[-1] + torch.relu(outputs[-1] @ w.T))
        outputs[-1].retain_grad()
    outputs[-1].backward(end)
    np.testing.assert_allclose(made["weights"], [w.grad.norm().item() for w in weights], rtol=1e-8)
    np.testing.assert_allclose(made["outputs"], [h.grad.norm().item() for h in outputs[1:]], rtol=1e-8)
    np.testing.assert_allclose(depth_flow(depth, gain, past, seed), [made["weights"], made["outputs"]], rtol=1e-8)
    arrays = [w.detach().numpy() for w in weights]
    np.testing.assert_allclose(made["weights"], gradient_norm_by_depth(x.numpy(), arrays, end.numpy(), past), rtol=1e-8)


@pytest.mark.parametrize(("blocks", "scale", "seed"), [(4, 1.0, 0), (32, 0.13, 14), (64, 0.5, 19)])
def test_branch_flow_equals_torch_and_numpy(watched, blocks, scale, seed) -> None:
    """Variances and gradients of the page are Torch's and the mirror's."""
    load(watched.page, "branch_scale.js")
    run = """([blocks, scale, seed]) => {
      const stack = new part.BranchStack(seed);
      const w = stack.w.slice(0, blocks).map((pair) => pair.map((layer) => [...layer]));
      return { ...stack.flow(blocks, scale), x: [...stack.x], end: [...stack.end], w };
    }"""
    made = watched.page.evaluate(run, [blocks, scale, seed])
    x, end = (torch.tensor(made[name], dtype=torch.float64).reshape(8, 32) for name in ("x", "end"))
    outputs = [x.requires_grad_()]
    for pair in made["w"]:
        w1, w2 = (torch.tensor(w, dtype=torch.float64).reshape(32, 32) for w in pair)
        outputs.append(outputs[-1] + scale * torch.relu(outputs[-1] @ w1.T) @ w2.T)
        outputs[-1].retain_grad()
    outputs[-1].backward(end)
    spreads = [(h.var(correction=0) / x.var(correction=0)).item() for h in outputs]
    np.testing.assert_allclose(made["variances"], spreads, rtol=1e-9)
    np.testing.assert_allclose(made["gradients"], [h.grad.norm().item() for h in outputs], rtol=1e-9)
    variances, gradients = branch_flow(scale, blocks, seed)
    np.testing.assert_allclose(variances, made["variances"], rtol=1e-9)
    np.testing.assert_allclose(gradients, made["gradients"], rtol=1e-9)


def test_goals_can_be_reached_with_every_draw(watched) -> None:
    """For each seed some mark of the slider reaches each goal, and no mark reaches both goals of DepthNorms."""
    load(watched.page, "depth_norms.js")
    run = """() => Array.from({ length: 20 }, (_, seed) => {
      const pair = new part.DeepPair(seed);
      const marks = Array.from({ length: 41 }, (_, k) => 10 ** (-1.5 + 0.05 * k)).concat([1.42, 1.445, 1.48, 1.5]);
      const meets = (past) => marks.map((gain) => pair.flow(64, gain, past).outputs[0]).map((v) => v >= 0.1 && v <= 10);
      const [plain, residual] = [meets(false), meets(true)];
      return [plain.some(Boolean), residual.some(Boolean), plain.some((yes, k) => yes && residual[k])];
    })"""
    assert watched.page.evaluate(run) == [[True, True, False]] * 20
    load(watched.page, "branch_scale.js")
    run = """() => Array.from({ length: 20 }, (_, seed) => {
      const stack = new part.BranchStack(seed);
      const calm = ([blocks, s]) => stack.flow(blocks, s).variances.every((v) => v >= 0.5 && v <= 2);
      return [[32, 0.1], [64, 0.0725]].every(calm);
    })"""
    assert watched.page.evaluate(run) == [True] * 20


def test_depth_answers_and_goals_by_hand(still_page) -> None:
    """The prediction gets its range; near Kaiming's gain the plain network passes on, at a small one the residual."""
    page = still_page(DepthNorms()).page
    root = page.locator(".look")
    answer(root, "those of the first layer")
    expect(root.locator(".look-verdict")).to_contain_text("About alike in all layers: 0.0138 to 0.032")
    range_of(root, "gain").fill("0.17")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(root, "depth (layers)"), "End")
    expect(root.locator(".look-goal-state").first).to_have_text("reached")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    range_of(root, "gain").fill("-1")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Residual, gain 0.100. Any small gain works")
    root.get_by_role("combobox", name="Gradient of").select_option("outputs")
    expect(root.get_by_role("img")).to_have_attribute("aria-label", re.compile("by the outputs of each layer"))
    expect(root.locator("[aria-live=polite]")).to_contain_text("Reaches layer 1")


def test_branch_goals_by_hand(still_page) -> None:
    """A scale of 0.1 keeps 32 blocks calm; a tiny one does not count; 64 blocks need a smaller one."""
    page = still_page(BranchScale()).page
    root = page.locator(".look")
    answer(root, "about 32 times as large")
    expect(root.locator(".look-verdict")).to_contain_text("About 4 billion times")
    press(page, range_of(root, "scale s"), "Home")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    range_of(root, "scale s").fill("-1")
    expect(root.locator(".look-goal").first).to_contain_text("s = 0.100: each block adds only s\u00b2 = 0.010")
    range_of(root, "scale s").fill("-0.8")
    range_of(root, "blocks").fill("64")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    range_of(root, "scale s").fill("-1.1")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("1/\u221ablocks")


def test_removal_by_keyboard(still_page) -> None:
    """Bars appear block by block; the verdict comes with the last one; the goals want the right block afterwards."""
    page = still_page(removal()).page
    root = page.locator(".look")
    answer(root, "both about alike")
    taken = range_of(root, "block that is out")
    press(page, taken, "ArrowRight")
    expect(root.locator(".look-detail").first).to_have_text("residual: 90.0 %, whole 95.0 %")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, taken, "ArrowRight", 2)
    expect(root.locator(".look-verdict")).to_contain_text("Noted.")
    press(page, taken, "ArrowRight")
    expect(root.locator(".look-verdict")).to_have_text(
        "The plain network loses 63.0 points on average, the residual one 3.0."
    )
    press(page, taken, "ArrowLeft")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Block 3: without it 50.0 % are left.")
    press(page, taken, "ArrowLeft", 2)
    expect(root.locator(".look-goal").first).to_contain_text("Block 1: without it 90.0 % are left.")
    expect(root.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("Block 4: residual 91.0 %, plain 40.0 %")
    )


def test_a_pull_passes_the_blocks_on_the_way(still_page) -> None:
    """A jump of the slider leaves bars of all blocks it passes; block 0 shows the whole networks."""
    root = still_page(removal(prediction="plain")).page.locator(".look")
    range_of(root, "block that is out").fill("3")
    assert root.get_attribute("data-seen") == "3"
    range_of(root, "block that is out").fill("0")
    expect(root.locator(".look-big")).to_have_text("Nothing is out")
    expect(range_of(root, "block that is out")).to_have_attribute("aria-valuetext", "none")


def test_map_goals_by_keyboard(still_page) -> None:
    """Wrong networks are told why; the best small and the cheapest good one reach the goals; the axis turns."""
    page = still_page(ArchitectureMap()).page
    root = page.locator(".look")
    answer(root, "nearly always")
    expect(root.locator(".look-verdict")).to_contain_text(
        "In 58 % of the 66 pairs. SqueezeNet 1.0 (2016) beats AlexNet"
    )
    network, named = range_of(root, "network"), root.get_by_role("button", name="Answer with this network")
    told = root.locator(".look-side > .look-detail").nth(1)
    named.click()
    expect(told).to_contain_text("AlexNet meets no goal: it has 61.1 million parameters")
    press(page, network, "Home")
    expect(root.locator(".look-big")).to_have_text("SqueezeNet 1.0 (2016)")
    named.click()
    expect(told).to_contain_text("stays below 70 %")
    press(page, network, "ArrowRight", 2)
    expect(root.locator(".look-big")).to_have_text("EfficientNet-B0 (2019)")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    named.click()
    expect(root.locator(".look-goal").first).to_contain_text("EfficientNet-B0: 77.7 % with 5.29 million parameters.")
    root.get_by_role("combobox", name="To the right").select_option("operations")
    expect(root.locator(".look-big")).to_have_text("EfficientNet-B0 (2019)")
    press(page, network, "Home")
    named.click()
    expect(root.locator(".look-goal").nth(1)).to_contain_text("MobileNetV2: 71.9 % with 301 million multiply-adds.")


def test_map_by_mouse(still_page) -> None:
    """A click on a disc chooses its network and moves the slider; a click beside all of them does nothing."""
    page = still_page(ArchitectureMap(prediction="half", chosen="VGG-16")).page
    root = page.locator(".look")
    canvas = root.locator("canvas")
    box = canvas.bounding_box()
    width, height = box["width"] - 82, box["height"] - 56
    low, high = np.log10(1_248_424 / 2), np.log10(138_357_544 * 2.4)
    gap = 0.18 * (78.312 - 56.522)
    x = 58 + width * (np.log10(61_100_840) - low) / (high - low)
    y = 10 + height * (1 - (56.522 - 56.522 + gap) / (78.312 - 56.522 + 2 * gap))
    canvas.click(position={"x": 62, "y": 14})
    assert root.get_attribute("data-chosen") == "VGG-16"
    canvas.click(position={"x": float(x), "y": float(y)})
    assert root.get_attribute("data-chosen") == "AlexNet"
    expect(range_of(root, "network")).to_have_attribute("aria-valuetext", "AlexNet")
    expect(root.locator(".look-side > .look-why")).to_contain_text("torchvision documentation, alexnet")


def test_map_shows_names_as_text(still_page) -> None:
    """Names and papers from Python are text, never markup."""
    rows = [
        {"name": "<b>x</b>", "year": 2020, "paper": "<img src=x>", "source": "s"},
        {"name": "y", "year": 2021, "paper": "p", "source": "s"},
    ]
    sizes = {"parameters": 100, "operations": 2000, "accuracy": 75}
    root = still_page(ArchitectureMap([{**row, **sizes} for row in rows], prediction="half")).page.locator(".look")
    expect(root.locator(".look-big")).to_have_text("<b>x</b> (2020)")
    assert root.locator("img, b").count() == 0
    assert root.get_by_role("alert").is_hidden()


def all_widgets():
    """One of each, controls awake."""
    return [
        DepthNorms(prediction="alike"),
        BranchScale(0.3, prediction="power"),
        removal(block=2, prediction="plain"),
        ArchitectureMap(chosen="ResNet-50", prediction="half"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every control is disabled before the question is answered and enabled after it."""
    page = still_page(DepthNorms(), BranchScale(), removal(), ArchitectureMap()).page
    guesses = ("those of the last layer", "about as at the start", "the residual one", "nearly always")
    for root, guess in zip(page.locator(".look").all(), guesses, strict=True):
        controls = root.locator(f"{SLIDERS}, select").all()
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
                pictures.append(root.evaluate(PICTURE))
            assert len(set(pictures)) >= 2, slider.evaluate("(node) => node.labels[0].textContent")


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Controls have one label, sliders a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(f"{SLIDERS}, select").all():
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


@pytest.mark.parametrize("which", range(4), ids=["depth", "branch", "removal", "map"])
def test_slider_to_picture_is_quick(still_page, which, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    deepest = [DepthNorms(54, prediction="alike"), BranchScale(0.3, 64, prediction="power"), *all_widgets()[2:]]
    page = still_page(deepest[which]).page
    page.locator(".look").evaluate(STOPWATCH)
    page.locator(SLIDERS).first.focus()
    for k in range(40):
        page.keyboard.press("ArrowLeft" if k % 2 else "ArrowRight")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{type(deepest[which]).__name__}: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians)")
    assert drawn <= 16
    assert shown <= 50
