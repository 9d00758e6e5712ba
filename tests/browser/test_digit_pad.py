"""The drawing pad in a real Chromium, without a kernel: hand, keys, finger, width, goals, access, speed."""

from __future__ import annotations

import json
import math
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
    press,
    range_of,
    run_more,
    run_until,
    wait_for_data,
    words,
)
from playwright.sync_api import Locator, Page, expect
from torch import nn

from course_lib.strokes import digit_strokes, draw, shrink
from course_lib.widgets.digit_pad import DigitPad

pytestmark = pytest.mark.browser


def module(seed: int = 0) -> nn.Sequential:
    """A float64 chain with every kind of layer, non-square kernels, overlapping windows and missing biases."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 9, (3, 2), padding=1, bias=False), nn.ReLU(), nn.Dropout(), nn.MaxPool2d(3, 1), nn.Flatten(),
        nn.Linear(54, 12), nn.ReLU(), nn.Linear(12, 10, bias=False),
    ).double().eval()  # fmt: skip


def nearest_mean() -> list[tuple]:
    """Rows of a reader that knows the ready-made digits with a pen of 8: one dense layer of their pictures."""
    pictures = np.array([shrink(draw(digit_strokes(digit), 8)).ravel() for digit in range(10)])
    return [("flatten",), ("dense", 4 * pictures, -2 * (pictures**2).sum(axis=1))]


def data_of(root: Locator, name: str) -> np.ndarray:
    """Numbers that the widget writes on its root."""
    return np.array(json.loads(root.get_attribute(f"data-{name}")))


def pad_of(root: Locator) -> Locator:
    """The canvas to draw on."""
    return root.locator(".look-pad")


def mean(root: Locator, digit: int | None) -> None:
    """Say which digit is meant."""
    root.get_by_role("combobox", name="I mean a").select_option("" if digit is None else str(digit))


def trace(page: Page, root: Locator, points: np.ndarray) -> None:
    """Draw one stroke with the mouse; points are in cells."""
    box = pad_of(root).bounding_box()
    places = np.array([box["x"], box["y"]]) + np.asarray(points) * box["width"] / 128
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_ready_made_strokes_are_read_as_python_reads_them(still_page) -> None:
    """Each button draws its digit, says what is meant, and shows the probabilities that Torch gives at that width."""
    chain = module()
    root = still_page(DigitPad(chain, width=13)).page.locator(".look")
    answer(root, "None of them")
    for digit in range(10):
        root.get_by_role("button", name=f"Ready-made {digit}").click()
        picture = shrink(draw(digit_strokes(digit), 13))
        np.testing.assert_allclose(data_of(root, "picture").reshape(8, 8), picture, rtol=0, atol=1e-6)
        with torch.no_grad():
            expected = torch.softmax(chain(torch.tensor(picture[None, None])), dim=1).numpy()[0]
        np.testing.assert_allclose(data_of(root, "probabilities"), expected, rtol=0, atol=1e-5)
        expect(root.get_by_role("combobox")).to_have_value(str(digit))
        expect(root.locator(".look-big")).to_have_text(re.compile(rf"Reads an? {expected.argmax()}$"))


def test_drawing_by_mouse(still_page) -> None:
    """A stroke drawn by mouse leaves ink where the mouse went; undo takes one stroke away, clear all."""
    page = still_page(DigitPad(nearest_mean())).page
    root = page.locator(".look")
    trace(page, root, digit_strokes(7)[0])
    assert root.get_attribute("data-strokes") == "0"
    answer(root, "The 7")
    expect(root.locator(".look-big")).to_have_text("Nothing drawn yet")
    mean(root, 4)
    for stroke in digit_strokes(4):
        trace(page, root, stroke)
    assert root.get_attribute("data-strokes") == "2"
    expected = shrink(draw(digit_strokes(4), 8))
    assert np.abs(data_of(root, "picture").reshape(8, 8) - expected).mean() < 0.03
    expect(root.locator(".look-big")).to_have_text("Reads a 4")
    expect(root.locator(".look-detail").nth(1)).to_have_text("You mean a 4: right.")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Reads a 4. ")
    expect(pad_of(root)).to_have_attribute("aria-label", re.compile("Drawing pad, 2 strokes; pen up at column 7"))
    root.get_by_role("button", name="Undo").click()
    assert root.get_attribute("data-strokes") == "1"
    assert np.abs(data_of(root, "picture").reshape(8, 8) - shrink(draw(digit_strokes(4)[:1], 8))).mean() < 0.03
    root.get_by_role("button", name="Clear").click()
    assert data_of(root, "probabilities").size == 0
    expect(root.locator(".look-big")).to_have_text("Nothing drawn yet")


def test_drawing_by_keyboard(still_page) -> None:
    """Tab to the pad, arrows and Space draw a 7 without a mouse; arrows with the pen up leave no ink."""
    page = still_page(DigitPad(nearest_mean())).page
    root = page.locator(".look")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert root.locator(".look-option[aria-pressed=true]").text_content() == "The 1"
    for _ in range(10):
        if page.evaluate("document.activeElement.classList.contains('look-pad')"):
            break
        page.keyboard.press("Tab")
    pad = pad_of(root)
    expect(pad).to_be_focused()
    press(page, pad, "Shift+ArrowLeft", 3)
    press(page, pad, "ArrowUp", 6)
    assert root.get_attribute("data-strokes") == "0"
    page.keyboard.press("Space")
    press(page, pad, "Shift+ArrowRight", 6)
    for _ in range(10):
        press(page, pad, "Shift+ArrowDown")
        press(page, pad, "ArrowLeft", 2)
    page.keyboard.press("Space")
    press(page, pad, "ArrowUp", 4)
    path = [[40.0, 20.0], [88.0, 20.0]]
    for _ in range(10):
        path += [[path[-1][0], path[-1][1] + 8], [path[-1][0] - 4, path[-1][1] + 8]]
    assert (root.get_attribute("data-x"), root.get_attribute("data-y")) == ("48", "92")
    np.testing.assert_allclose(data_of(root, "picture").reshape(8, 8), shrink(draw([np.array(path)], 8)), atol=1e-6)
    expect(root.locator(".look-big")).to_have_text("Reads a 7")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Pen up, column 48, row 92. Reads a 7")


def test_keys_stop_at_the_edge_and_the_pen_lifts_with_the_focus(still_page) -> None:
    """The pen stays on the pad; Tab while drawing ends the stroke instead of leaving the pen down."""
    page = still_page(DigitPad(nearest_mean(), prediction="none")).page
    root = page.locator(".look")
    press(page, pad_of(root), "Space")
    press(page, pad_of(root), "Shift+ArrowLeft", 20)
    assert (root.get_attribute("data-x"), root.get_attribute("data-down")) == ("0", "true")
    page.keyboard.press("Tab")
    assert root.get_attribute("data-down") == "false"
    press(page, pad_of(root), "Shift+ArrowDown", 2)
    assert root.get_attribute("data-strokes") == "1"


def test_drawing_by_finger(still_page) -> None:
    """A finger draws a stroke and the page does not scroll away under it."""
    page = still_page(DigitPad(nearest_mean(), prediction="none")).page
    page.set_viewport_size({"width": 500, "height": 400})
    root = page.locator(".look")
    pad_of(root).evaluate("(node) => node.scrollIntoView()")
    scrolled, box = page.evaluate("window.scrollY"), pad_of(root).bounding_box()
    wire = page.context.new_cdp_session(page)
    at = [{"x": box["x"] + 0.5 * box["width"], "y": box["y"] + part * box["height"]} for part in (0.2, 0.3, 0.4, 0.5)]
    wire.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at[:1]})
    for place in at[1:]:
        wire.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_for_data(page, root, "d.strokes === '1' && d.down === 'false'")
    assert page.evaluate("window.scrollY") == scrolled
    column = data_of(root, "picture").reshape(8, 8)
    assert column[:, 3:5].min() > 0.5 and column[:, :3].max() == 0


def test_width_belongs_to_the_whole_drawing(still_page) -> None:
    """The slider inks the same strokes with another pen; every picture equals Python's, with and without stretching."""
    page = still_page(DigitPad(nearest_mean(), digit=5, prediction="none")).page
    root = page.locator(".look")
    for name, stretch in (("Stretch", True), ("Stretch", False)):
        root.get_by_role("checkbox", name=name).set_checked(stretch)
        for width in (2, 9, 31):
            range_of(root, "pen width").fill(str(width))
            expected = shrink(draw(digit_strokes(5), width), stretch=stretch).ravel()
            np.testing.assert_allclose(data_of(root, "picture"), expected, rtol=0, atol=1e-6)
    root.get_by_role("checkbox", name="Fit").uncheck()
    expected = shrink(draw(digit_strokes(5), 31), fit=False, stretch=False).ravel()
    np.testing.assert_allclose(data_of(root, "picture"), expected, rtol=0, atol=1e-6)
    assert (range_of(root, "pen width").get_attribute("min"), range_of(root, "pen width").get_attribute("max")) == (
        "2",
        "32",
    )


def one_sided() -> list[tuple]:
    """Rows of a reader that says 8 to much ink and 4 to little, whatever the digit."""
    w = np.zeros((10, 64))
    w[8], w[4] = 1.0, -1.0
    return [("flatten",), ("dense", w, np.where(np.arange(10) == 4, 24.0, 0.0) - np.eye(10)[8] * 24)]


def test_prediction_and_goals_by_hand(still_page) -> None:
    """A 1, a 4 and a 7 answer the prediction; the width that breaks a drawing is found, told and spoken."""
    page = still_page(DigitPad(one_sided())).page
    root = page.locator(".look")
    answer(root, "None of them")
    for digit in (1, 4):
        root.get_by_role("button", name=f"Ready-made {digit}").click()
    expect(root.locator(".look-verdict")).to_contain_text("Noted.")
    root.get_by_role("button", name="Ready-made 7").click()
    expect(root.locator(".look-verdict")).to_have_text(
        "You said none of them. Your 1 was read as 4, your 4 as 4, your 7 as 4."
    )
    expect(root.locator(".look-goal-state").first).to_have_text("reached")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    root.get_by_role("button", name="Ready-made 4").click()
    range_of(root, "pen width").fill("32")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Your 4 is read right with pen 8 and taken for an 8 with")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Goal reached: Your 4 is read right")
    assert root.get_attribute("data-tried") == "2"
    root.get_by_role("button", name="All widths").click()
    assert root.get_attribute("data-tried") == "31"
    label = root.locator("canvas").last.get_attribute("aria-label")
    assert re.search(r"Right: 2 to (\d+)\. Mistaken: (\d+) to 32\.", label)


def test_a_firm_reading_is_told(still_page) -> None:
    """Where no width breaks the drawing, the pad says so and what to try; without a digit meant nothing is counted."""
    rows = [("flatten",), ("dense", np.zeros((10, 64)), 9.0 * np.eye(10)[3])]
    root = still_page(DigitPad(rows, digit=3, prediction="4")).page.locator(".look")
    root.get_by_role("button", name="All widths").click()
    expect(words(root, "Your 3 is read right at all 31 widths. Try another digit")).to_be_visible()
    mean(root, None)
    root.get_by_role("button", name="All widths").click()
    assert root.get_attribute("data-tried") == "0"
    expect(words(root, "Say which digit you mean and draw it")).to_be_visible()


CELLS = (
    "import json\nimport numpy as np\nfrom torch import manual_seed, nn\n"
    "from course_lib.strokes import digit_strokes, draw, shrink\n"
    "from course_lib.widgets.digit_pad import DigitPad, layers_of, probabilities\nmanual_seed(4)",
    "net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10))\n"
    "pad = DigitPad(net)\npad",
    "0",
)
COMPARE = (
    "picture = shrink(draw([np.array(s) for s in pad.strokes], pad.width), pad.fit, pad.stretch)\n"
    "expected = probabilities(layers_of(net), picture[None, None])[0]\n"
    "print('state', json.dumps([pad.meant, pad.width, len(pad.strokes), pad.prediction, "
    "float(np.abs(picture.ravel() - pad.picture).max()), float(np.abs(expected - pad.probabilities).max())]))"
)


def test_python_and_page_hear_of_each_other(notebook) -> None:
    """In JupyterLab Python has the strokes, picture and probabilities of the page; strokes set in a cell appear."""
    watched = notebook(*CELLS)
    page, root = watched.page, watched.page.locator(".look")
    expect(root).to_have_count(1)
    answer(root, "The 7")
    mean(root, 2)
    pad_of(root).scroll_into_view_if_needed()
    trace(page, root, digit_strokes(2)[0])
    range_of(root, "pen width").fill("11")
    output = run_until(page, COMPARE, "state [2, 11, 1,")
    meant, width, strokes, guess, apart, astray = json.loads(output.strip().removeprefix("state "))
    assert (meant, width, strokes, guess) == (2, 11, 1, "7")
    assert apart < 1e-6 and astray < 1e-5
    run_more(page, "pad.strokes, pad.meant, pad.width = [s.tolist() for s in digit_strokes(4)], 4, 20")
    expect(root).to_have_attribute("data-strokes", "2")
    expect(root.get_by_role("combobox")).to_have_value("4")
    expect(range_of(root, "pen width")).to_have_value("20")
    expected = shrink(draw(digit_strokes(4), 20)).ravel()
    np.testing.assert_allclose(data_of(root, "picture"), expected, rtol=0, atol=1e-6)
    assert watched.errors == []
    assert watched.strangers == []


def all_pads() -> list[DigitPad]:
    """One asleep, one with a drawing."""
    return [DigitPad(module()), DigitPad(nearest_mean(), digit=4, width=14, prediction="4")]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every control is disabled before the question is answered, the pad too, and awake after it."""
    page = still_page(DigitPad(nearest_mean())).page
    root = page.locator(".look")
    controls = root.locator(f"{SLIDERS}, input[type=checkbox], select, .look-side button").all()
    assert len(controls) == 17 and all(control.is_disabled() for control in controls)
    press(page, pad_of(root), "Space")
    assert root.get_attribute("data-strokes") == "0"
    answer(root, "The 4")
    assert not any(control.is_disabled() for control in controls)


def test_every_control_changes_the_picture(still_page) -> None:
    """Slider, both ticks, undo, clear and each digit's button redraw."""
    page = still_page(DigitPad(nearest_mean(), digit=4, width=5, prediction="4")).page
    root = page.locator(".look")
    pictures = [root.evaluate(PICTURE)]
    acts = [lambda: press(page, range_of(root, "pen width"), "ArrowRight")]
    acts += [lambda n=name: root.get_by_role("checkbox", name=n).uncheck() for name in ("Fit", "Stretch")]
    acts += [
        lambda n=name: root.get_by_role("button", name=n).click()
        for name in ("Undo", *(f"Ready-made {k}" for k in range(10)), "All widths", "Clear")
    ]
    for act in acts:
        act()
        page.mouse.move(0, 0)
        pictures.append(root.evaluate(PICTURE))
    assert all(before != after for before, after in zip(pictures[:-1], pictures[1:], strict=True))


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Controls have one label, the slider a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_pads()).page
    for control in page.locator(f"{SLIDERS}, input[type=checkbox], select").all():
        assert control.evaluate("(node) => node.labels.length") == 1
    assert range_of(page.locator(".look").nth(1), "pen width").get_attribute("aria-valuetext") == "14"
    for picture in page.locator("canvas").all():
        assert len(picture.get_attribute("aria-label")) > 30
    rows = page.get_by_role("img", name="The 8 by 8 picture").nth(1).get_attribute("aria-label").split(": ")[1].split()
    picture = np.array([[int(sign) for sign in row] for row in rows])
    np.testing.assert_allclose(picture / 9, shrink(draw(digit_strokes(4), 14)), atol=0.5 / 9 + 1e-9)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_text_has_contrast(still_page) -> None:
    """All text reaches 4.5 : 1 against its ground, also in a dark page."""
    assert_readable(still_page(DigitPad(nearest_mean(), digit=4, prediction="4")).page)


@pytest.mark.parametrize("width", [360, 700, 1040])
def test_nothing_is_cut_off(still_page, width) -> None:
    """From a phone to a wide screen nothing sticks out of the pad."""
    assert_nothing_sticks_out(still_page(*all_pads()).page, width)


def test_errors_show_inside_the_pad(still_page) -> None:
    """When drawing breaks, the pad says so in a sentence instead of going quiet."""
    page = still_page(all_pads()[1]).page
    page.evaluate("() => { CanvasRenderingContext2D.prototype.strokeRect = () => { throw new Error('no frame'); }; }")
    press(page, pad_of(page.locator(".look")), "Space")
    expect(page.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_page_is_silent_and_stays_home(still_page) -> None:
    """No console error while drawing, and no request to anything but the page itself."""
    watched = still_page(DigitPad(module(), prediction="1"))
    trace(
        watched.page, watched.page.locator(".look"), [(64 + 30 * math.cos(k), 64 + 30 * math.sin(k)) for k in range(7)]
    )
    assert watched.errors == []
    assert watched.strangers == []


def test_slider_to_picture_is_quick(still_page, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    page = still_page(DigitPad(module(), digit=8, prediction="1")).page
    page.locator(".look").evaluate(STOPWATCH)
    range_of(page.locator(".look"), "pen width").focus()
    for k in range(60):
        page.keyboard.press("ArrowRight" if k % 20 < 10 else "ArrowLeft")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\nDigitPad: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50
