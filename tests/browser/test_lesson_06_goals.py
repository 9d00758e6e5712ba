"""Three looks of lesson 06 by hand in a real Chromium: goals, words and pictures, and once with a kernel."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from driving import PICTURE, answer, press, range_of, run_more, wait_for_data
from playwright.sync_api import Locator, Page, expect
from torch.nn import functional

from course_lib.widgets.convolution import KernelEditor, ReceptiveField, SlidingWindow

pytestmark = pytest.mark.browser

IMAGE = np.random.default_rng(6).normal(size=(9, 12)).round(3)
SQUARE = np.zeros((16, 16))
SQUARE[5:11, 4:9] = 0.8
FIELDS = "input[type=number]"
CELLS = (
    "import numpy as np\nfrom course_lib.widgets.convolution import KernelEditor, ReceptiveField, SlidingWindow",
    "editor = KernelEditor(np.eye(8))\neditor",
    "window = SlidingWindow()\nwindow",
    "field = ReceptiveField()\nfield",
    "import json",
)
READ = (
    "print('state', json.dumps([editor.kernel, editor.value, window.output_size, window.stride, field.layers, "
    "field.seen, field.goal_reached]))"
)


def goals(root: Locator) -> list[str]:
    """What each goal says about itself."""
    return root.locator(".look-goal-state").all_text_contents()


def set_layer(root: Locator, k: int, kernel: int, stride: int) -> None:
    """Choose kernel and stride of layer k, counted from 1."""
    root.get_by_label(f"kernel of layer {k}").select_option(str(kernel))
    root.get_by_label(f"stride of layer {k}").select_option(str(stride))


# Kernel editor


def test_editor_shows_the_output_of_the_chosen_place(still_page) -> None:
    """Sliders and a click choose the place; the value, the nine products and the range are those of Torch."""
    kernel = [[0.5, 0.0, -1.0], [2.0, 1.0, 0.0], [0.0, -0.25, 3.0]]
    page = still_page(KernelEditor(IMAGE, kernel, row=0, column=0, prediction="zero")).page
    root = page.locator(".look")
    out = functional.conv2d(torch.tensor(IMAGE)[None, None], torch.tensor(kernel, dtype=torch.float64)[None, None])[
        0, 0
    ]
    press(page, range_of(root, "row"), "ArrowRight", 2)
    press(page, range_of(root, "column"), "End")
    assert float(root.get_attribute("data-value")) == pytest.approx(out[2, -1].item())
    assert float(root.get_attribute("data-low")) == pytest.approx(out.min().item())
    assert float(root.get_attribute("data-high")) == pytest.approx(out.max().item())
    first = f"{IMAGE[2, 9]:.3g} \u00d7 0.5".replace("-", "\u2212")
    expect(root.locator(".look-products td").first).to_have_text(first)
    canvas = root.locator("canvas").nth(1)
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 3.5 / 12, "y": box["height"] * 5.5 / 9})
    assert float(root.get_attribute("data-value")) == pytest.approx(out[4, 2].item())


def test_editor_goals_are_reached_by_keyboard(still_page) -> None:
    """Arrow keys in the nine fields move the picture, then find upright edges; a mirrored kernel does not count."""
    page = still_page(KernelEditor(SQUARE)).page
    root = page.locator(".look")
    answer(root, "the same grey")
    entry = [root.get_by_label(f"row {k // 3 + 1}, column {k % 3 + 1}", exact=True) for k in range(9)]
    press(page, entry[4], "ArrowDown")
    press(page, entry[3], "ArrowUp")
    assert goals(root) == ["not yet", "not yet"]
    press(page, entry[3], "ArrowDown")
    press(page, entry[5], "ArrowUp")
    assert goals(root) == ["reached", "not yet"]
    expect(root.locator(".look-goal").first).to_contain_text("The kernel is not flipped.")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Goal reached")
    press(page, entry[3], "ArrowDown")
    assert goals(root) == ["reached", "reached"]
    expect(root.locator(".look-goal").nth(1)).to_contain_text("The columns add up to \u22121, 0, 1")
    expect(root.locator(".look-verdict")).to_contain_text("It is 0. Where all nine pixels are alike")


def test_edges_of_all_directions_do_not_count(still_page) -> None:
    """All edges answers the question, but its rows do not add up to 0, so the second goal stays open."""
    page = still_page(KernelEditor(SQUARE)).page
    root = page.locator(".look")
    answer(root, "0")
    root.get_by_label("Start from a kernel").select_option("edge")
    expect(root.locator(".look-verdict")).to_contain_text("You said 0: right.")
    assert goals(root) == ["not yet", "not yet"]


@pytest.mark.parametrize(
    ("preset", "scale"), [("copy", "image"), ("blur", "image"), ("edge", "middle"), ("sharpen", "whole")]
)
def test_presets_name_their_greys(still_page, preset, scale) -> None:
    """Blur keeps the greys of the image; edges put 0 in the middle grey, sharpening needs more room; words say so."""
    page = still_page(KernelEditor(SQUARE, np.full((3, 3), 2.0), prediction="zero")).page
    root = page.locator(".look")
    expect(root.get_by_label("Start from a kernel")).to_have_value("own")
    root.get_by_label("Start from a kernel").select_option(preset)
    assert root.get_attribute("data-scale") == scale
    said = {"image": "as in the image", "middle": "middle grey 0", "whole": "its lowest and highest"}[scale]
    expect(root.locator(".look-pair")).to_contain_text(said)
    if preset == "blur":
        expect(root.locator(FIELDS).first).to_have_value("0.111")
        assert float(root.get_attribute("data-high")) == pytest.approx(0.8)


def test_blurred_entries_stay_exact(still_page) -> None:
    """Passing through the fields of a blur by Tab rounds nothing: the ninths stay ninths."""
    page = still_page(KernelEditor(np.ones((8, 8)), np.full((3, 3), 1 / 9), prediction="zero")).page
    root = page.locator(".look")
    root.locator(FIELDS).first.focus()
    for _ in range(9):
        page.keyboard.press("Tab")
    press(page, range_of(root, "row"), "Home")
    assert float(root.get_attribute("data-value")) == pytest.approx(1, abs=1e-12)


def test_wrong_entries_are_marked_and_left_out(still_page) -> None:
    """An empty field or a number above 9 changes nothing and is marked until the field is left."""
    page = still_page(KernelEditor(SQUARE, prediction="zero")).page
    root = page.locator(".look")
    field = root.get_by_label("row 2, column 2", exact=True)
    for wrong in ("", "10", "-"):
        field.fill("") if wrong == "" else field.press_sequentially(wrong)
        expect(field).to_have_attribute("aria-invalid", "true")
        assert float(root.get_attribute("data-high")) == 0.8
        field.press("Tab")
        expect(field).to_have_value("1")
        assert field.get_attribute("aria-invalid") is None
        field.fill("")
    field.fill("-2.5")
    assert float(root.get_attribute("data-low")) == pytest.approx(-2.0)


# Sliding window


def walk_to_the_end(root: Locator, guess: int, **settings: int) -> None:
    """Set the sliders, guess, and jump to the end."""
    for name, value in {**settings, "guess": guess}.items():
        range_of(root, name).fill(str(value))
    root.get_by_role("button", name="To the end").click()


def test_window_counts_right_guesses_once(still_page) -> None:
    """Three right guesses in a row reach the goal; a wrong one starts anew, and a walk seen before does not count."""
    page = still_page(SlidingWindow()).page
    root = page.locator(".look")
    answer(root, "3")
    walk_to_the_end(root, 4, padding=1, stride=2)
    expect(root.locator(".look-verdict")).to_have_text("You said 3; it is 4.")
    expect(root.locator(".look-detail")).to_contain_text("Your guess, 4: right. 1 in a row")
    walk_to_the_end(root, 4)
    expect(root.locator(".look-detail")).to_contain_text("seen this walk before")
    walk_to_the_end(root, 4, padding=0)
    expect(root.locator(".look-detail")).to_contain_text("Your guess was 4, it is 3.")
    for padding, guess in ((2, 5), (3, 6)):
        walk_to_the_end(root, guess, padding=padding)
        assert goals(root)[0] == "not yet"
    walk_to_the_end(root, 5, padding=1, stride=1, dilation=2)
    assert root.get_attribute("data-streak") == "2"
    walk_to_the_end(root, 1, padding=0, stride=4, dilation=3)
    expect(root.locator(".look-goal").first).to_contain_text("Three in a row.")


def test_window_keeps_the_size_with_gaps(still_page) -> None:
    """The output is as large as the input with dilation 2 and padding 2; without dilation that does not count."""
    page = still_page(SlidingWindow(prediction="4")).page
    root = page.locator(".look")
    walk_to_the_end(root, 7, padding=1)
    expect(root.locator(".look-big")).to_have_text("Output: 7 \u00d7 7")
    assert goals(root)[1] == "not yet"
    walk_to_the_end(root, 1, padding=2, dilation=2)
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Padding 2 makes up for what a window that spans 5 cells")


def test_output_grows_step_by_step(still_page) -> None:
    """The size stays hidden until the end; arrow keys step both ways; untouched cells are told."""
    page = still_page(SlidingWindow(6, 2, stride=4, prediction="4")).page
    root = page.locator(".look")
    step = root.get_by_role("button", name="Step")
    expect(root.locator(".look-big")).to_have_text("Output: ? \u00d7 ?")
    pictures = {root.evaluate(PICTURE)}
    for k, words in enumerate(("1 cell so far", "2 cells so far", "3 cells so far")):
        press(page, step, "ArrowRight") if k else step.click()
        expect(root.locator(".look-big")).to_have_text(f"Output: {words}")
        pictures.add(root.evaluate(PICTURE))
    expect(root.locator(".look-detail")).to_contain_text("takes rows 4, 5 and columns 0, 1 of the padded input")
    press(page, step, "ArrowLeft")
    expect(root.locator(".look-big")).to_have_text("Output: 2 cells so far")
    press(page, step, "ArrowRight", 2)
    expect(root.locator(".look-big")).to_have_text("Output: 2 \u00d7 2")
    expect(root.locator(".look-detail")).to_contain_text("Crosses mark cells that no window touches")
    assert len(pictures) == 4


def test_no_window_fits_is_told(still_page) -> None:
    """A window wider than the padded input gives no output, with the reason; 0 is then the right guess."""
    page = still_page(SlidingWindow(4, 3, dilation=3, prediction="4")).page
    root = page.locator(".look")
    for name in ("Step", "Walk"):
        root.get_by_role("button", name=name).click()
        expect(root.locator(".look-big")).to_have_text("Output: none")
        expect(root.locator(".look-detail")).to_contain_text("it spans 7 cells, and the padded input has 4.")
        range_of(root, "guess").fill("0")
    assert root.get_by_role("alert").is_hidden()


def test_walk_plays_pauses_and_ends(still_page) -> None:
    """Walk moves the window by itself until the output is whole; Pause stops it, and a setting starts it anew."""
    page = still_page(SlidingWindow(12, 1, prediction="6")).page
    root = page.locator(".look")
    root.get_by_role("button", name="Walk").click()
    wait_for_data(page, root, "Number(d.walked) > 2")
    root.get_by_role("button", name="Pause").click()
    assert root.get_attribute("data-playing") == "false"
    press(page, range_of(root, "stride"), "End")
    assert root.get_attribute("data-walked") == "0"
    root.get_by_role("button", name="Walk").click()
    wait_for_data(page, root, "d.done === 'true' && d.playing === 'false'")
    expect(root.locator(".look-big")).to_have_text("Output: 3 \u00d7 3")
    expect(root.get_by_role("button", name="Walk again")).to_be_visible()


def test_less_motion_jumps_to_the_end(still_page) -> None:
    """With prefers-reduced-motion Walk shows the whole output at once."""
    page = still_page(SlidingWindow(prediction="4")).page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Walk").click()
    expect(page.locator(".look-big")).to_have_text("Output: 5 \u00d7 5")


def test_walk_ends_with_the_page_element(still_page) -> None:
    """Once removed from the page, the window stands still."""
    page = still_page(SlidingWindow(12, 1, prediction="6")).page
    root = page.locator(".look")
    root.get_by_role("button", name="Walk").click()
    wait_for_data(page, root, "Number(d.walked) > 2")
    before, after = page.evaluate("""async () => {
      const root = document.querySelector('.look');
      root.remove();
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      for (let k = 0; k < 2; k += 1) await frame();
      const walked = root.dataset.walked;
      for (let k = 0; k < 20; k += 1) await frame();
      return [walked, root.dataset.walked];
    }""")
    assert before == after


# Receptive field


def test_field_goals_are_reached_by_hand(still_page) -> None:
    """Removing a layer answers the question; a third layer of 3 sees 7, strides 15; a kernel of 5 does not count."""
    page = still_page(ReceptiveField()).page
    root = page.locator(".look")
    answer(root, "6")
    expect(root.locator(".look-big")).to_have_text("It sees 6 of 32 cells")
    root.get_by_role("button", name="Remove layer 3").click()
    expect(root.locator(".look-verdict")).to_contain_text("You said 6; it is 5.")
    assert root.get_by_role("button", name="Add a layer").evaluate("(node) => node === document.activeElement")
    set_layer(root, 2, 5, 1)
    expect(root.locator(".look-big")).to_have_text("It sees 7 of 32 cells")
    assert goals(root) == ["not yet", "not yet"]
    set_layer(root, 2, 3, 1)
    root.get_by_role("button", name="Add a layer").click()
    assert goals(root) == ["reached", "not yet"]
    expect(root.locator(".look-goal").first).to_contain_text("27 weights instead of 49")
    for k in (1, 2):
        set_layer(root, k, 3, 2)
    assert goals(root) == ["reached", "reached"]
    expect(root.locator(".look-detail")).to_contain_text("Neighbouring output cells start 4 cells apart.")


def test_chosen_cell_follows_slider_and_click(still_page) -> None:
    """Another output cell sees other input cells: by arrow key, and by a click in the picture."""
    page = still_page(ReceptiveField([(3, 2), (2, 1)], cell=0, prediction="5")).page
    root = page.locator(".look")
    seen = [root.get_attribute("data-first")]
    press(page, range_of(root, "output cell"), "ArrowRight")
    seen.append(root.get_attribute("data-first"))
    canvas = root.locator("canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] - 6, "y": 30})
    seen.append(root.get_attribute("data-first"))
    assert seen == ["0", "2", "26"]
    expect(root.locator(".look-detail")).to_contain_text(
        "Cells 26 to 30, counted from 0; in an image 5 \u00d7 5 pixels."
    )
    expect(root.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("Output cell 13 sees input cells 26 to 30")
    )


def test_layers_that_do_not_fit_are_named(still_page) -> None:
    """A stack that outgrows the input says which layer and what to do, and comes back when it shrinks."""
    page = still_page(ReceptiveField([(7, 4), (7, 4), (3, 1)], size=48, prediction="5")).page
    root = page.locator(".look")
    expect(root.locator(".look-big")).to_have_text("Layer 3 does not fit")
    expect(root.locator(".look-detail")).to_contain_text("It gets 2 cells, and its kernel needs 3. Remove a layer")
    set_layer(root, 3, 2, 1)
    expect(root.locator(".look-big")).to_have_text("It sees 47 of 48 cells")


def test_gaps_and_empty_stacks_are_told(still_page) -> None:
    """A stride beyond the kernel leaves gaps; without layers a cell sees itself; six layers are the most."""
    page = still_page(ReceptiveField([(1, 2), (2, 1)], prediction="5"), ReceptiveField([], prediction="5")).page
    gaps, empty = page.locator(".look").all()
    expect(gaps.locator(".look-big")).to_have_text("It sees 2 of 32 cells")
    expect(gaps.locator(".look-detail")).to_contain_text("with gaps")
    expect(empty.locator(".look-big")).to_have_text("It sees 1 of 32 cells")
    add = empty.get_by_role("button", name="Add a layer")
    press(page, add, "Enter", 7)
    expect(empty.locator("tbody tr:visible")).to_have_count(6)
    expect(add).to_have_attribute("aria-disabled", "true")
    expect(empty.locator(".look-big")).to_have_text("It sees 13 of 32 cells")


# With a kernel


def python_state(page: Page) -> list:
    """What Python holds of the three widgets."""
    output = run_more(page, READ)
    expect(output).to_contain_text("state")
    return json.loads(output.text_content().strip().removeprefix("state"))


def test_python_and_page_hear_of_each_other(notebook) -> None:
    """In JupyterLab Python hears of the page, and the page of Python."""
    page = notebook(*CELLS).page
    roots = page.locator(".jp-OutputArea-output .look")
    expect(roots).to_have_count(3)
    for k, guess in enumerate(("0", "4", "5")):
        answer(roots.nth(k), guess)
    press(page, roots.nth(0).get_by_label("row 2, column 2", exact=True), "ArrowUp")
    walk_to_the_end(roots.nth(1), 3, stride=2)
    set_layer(roots.nth(2), 3, 3, 1)
    expect(roots.nth(2).locator("[aria-live=polite]")).to_contain_text("Goal reached")
    kernel, value, size, stride, layers, seen, reached = python_state(page)
    assert (kernel, value) == ([[0, 0, 0], [0, 2, 0], [0, 0, 0]], 2)
    assert (size, stride, layers, seen, reached) == (3, 2, [[3, 1]] * 3, 7, True)
    run_more(page, "editor.column = 0; window.stride = 3; field.layers = [[3, 3]]")
    expect(roots.nth(2).locator(".look-big")).to_have_text("It sees 3 of 32 cells")
    expect(range_of(roots.nth(1), "stride")).to_have_value("3")
    expect(range_of(roots.nth(0), "column")).to_have_value("0")
