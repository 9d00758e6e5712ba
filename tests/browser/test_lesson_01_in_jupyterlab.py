"""The three look widgets of lesson 01 in JupyterLab, with a kernel behind them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from driving import CORNERS, PICTURE, SLIDERS, answer, as_arrays, moves_picture, press, run_more, wait_for_data
from playwright.sync_api import expect

from course_lib.numpy_kernels.losses import mse_loss
from course_lib.numpy_kernels.mlp import mlp_forward, train_xor
from course_lib.widgets.mlp import initial_weights

pytestmark = pytest.mark.browser

CELLS = (
    "from course_lib.widgets.mlp import HiddenFold, XorTrainer\nfrom course_lib.widgets.neuron import DecisionBoundary",
    "neuron = DecisionBoundary()\nneuron",
    "fold = HiddenFold()\nfold",
    "trainer = XorTrainer()\ntrainer",
    "import json",
)
READ = (
    "print('state', json.dumps([neuron.b, neuron.goal_reached, fold.t, trainer.steps, trainer.loss, trainer.weights]))"
)


def test_lesson_widgets_live_in_jupyterlab(notebook) -> None:
    """All three run in JupyterLab, every slider moves its picture, goals are told, and Python hears of it."""
    watched = notebook(*CELLS)
    page, looks = watched.page, watched.page.locator(".look")
    expect(looks).to_have_count(3)
    for root, guess in zip(looks.all(), ("4", "For some weights", "2"), strict=True):
        answer(root, guess)
    press(page, looks.nth(0).get_by_label("b", exact=True), "ArrowLeft", 6)
    expect(looks.nth(0).locator(".look-goal-state")).to_have_text("reached")
    press(page, looks.nth(1).get_by_label("fold t"), "End")
    for root in looks.all():
        for slider in root.locator(SLIDERS).all():
            moves_picture(page, root, slider)
    assert watched.errors == []
    assert watched.strangers == []


def test_python_hears_of_training(notebook) -> None:
    """After three steps in the page, Python holds the loss and the weights that NumPy computes."""
    watched = notebook(*CELLS)
    root = watched.page.locator(".look").nth(2)
    answer(root, "2")
    for _ in range(3):
        root.get_by_role("button", name="Step").click()
    wait_for_data(watched.page, root, "d.steps === '3' && d.sent === '3'")
    output = run_more(watched.page, READ)
    expect(output).to_contain_text("state")
    state = json.loads(output.inner_text().strip().removeprefix("state "))
    x, y = CORNERS[:, :2], CORNERS[:, 2:]
    expected = train_xor(x, y, *as_arrays(initial_weights(2, 0)), 1.0, 3)
    assert state[3] == 3
    np.testing.assert_allclose(state[4], mse_loss(mlp_forward(x, *expected)[0], y), rtol=1e-12)
    for got, wanted in zip(as_arrays(state[5]), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_python_moves_the_sliders(notebook) -> None:
    """Setting a trait in a cell moves the slider and the picture."""
    watched = notebook(*CELLS)
    page, looks = watched.page, watched.page.locator(".look")
    answer(looks.nth(0), "4")
    before = looks.nth(0).evaluate(PICTURE)
    run_more(page, "neuron.b = -1.5\nfold.t = 1.0\ntrainer.hidden = 5")
    wait_for_data(page, looks.nth(1), "d.t === '1'")
    expect(looks.nth(0).get_by_label("b", exact=True)).to_have_value("-1.5")
    expect(looks.nth(2).get_by_role("slider", name="hidden units")).to_have_value("5")
    assert looks.nth(0).evaluate(PICTURE) != before


def test_keys_stay_in_the_widget(notebook) -> None:
    """Arrow keys move the slider, not the cell selection, and "d d" deletes nothing."""
    watched = notebook(*CELLS)
    page, root = watched.page, watched.page.locator(".look").nth(0)
    answer(root, "4")
    control = root.get_by_label("w1")
    press(page, control, "ArrowDown", 3)
    expect(control).to_have_value("0.7")
    press(page, control, "d", 2)
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == len(CELLS)
    expect(control).to_be_focused()


def test_cleared_output_stops_training(notebook) -> None:
    """Clearing the cell's output ends the loop and flushes nothing after it."""
    watched = notebook(*CELLS)
    page, root = watched.page, watched.page.locator(".look").nth(2)
    answer(root, "2")
    root.get_by_label("Speed").select_option("1")
    root.get_by_role("button", name="Play").click()
    wait_for_data(page, root, "Number(d.steps) > 2")
    page.evaluate("window.lastLook = document.querySelectorAll('.look')[2]")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    expect(page.locator(".look")).to_have_count(0)
    still = """async () => {
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      await frame();
      const steps = window.lastLook.dataset.steps;
      for (let k = 0; k < 10; k += 1) await frame();
      return window.lastLook.dataset.steps === steps;
    }"""
    assert page.evaluate(still)
