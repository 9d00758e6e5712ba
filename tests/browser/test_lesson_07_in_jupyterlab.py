"""The four look widgets of lesson 07 in JupyterLab, with a kernel behind them."""

from __future__ import annotations

import json

import pytest
from driving import answer, press, range_of, run_more
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CELLS = (
    "from course_lib.widgets.batchnorm import BatchDrag, BatchNoise, StabilityMap, TrainEvalGap",
    "drag = BatchDrag()\ndrag",
    "noise = BatchNoise(range(100))\nnoise",
    "gap = TrainEvalGap()\ngap",
    "found = StabilityMap.measured([1, 2], [0.1, 1], [[2.3, float('nan')]] * 2, [[0.1, 0.2]] * 2)\nfound",
    "import json",
)
READ = (
    "print('state', json.dumps([drag.values, drag.moved, drag.goal_reached, noise.batch_size, noise.mean_spread, "
    "noise.expected_spread, gap.momentum, gap.running_mean, found.goal_reached, found.states, found.prediction]))"
)


def test_python_and_page_hear_of_each_other(notebook) -> None:
    """In JupyterLab Python reads what hands did, and traits set in a cell move controls; nothing fails on the way."""
    watched = notebook(*CELLS)
    page, looks = watched.page, watched.page.locator(".look")
    expect(looks).to_have_count(4)
    guesses = ("They stay", "half as large", "0.5", "In more than twice as many")
    for root, guess in zip(looks.all(), guesses, strict=True):
        answer(root, guess)
    press(page, range_of(looks.nth(0), "its x"), "End")
    range_of(looks.nth(1), "batch size n").fill("6")
    range_of(looks.nth(2), "momentum").fill("6")
    range_of(looks.nth(3), "learning rate").fill("1")
    # What is said comes after what is sent: 350 ms against 150 ms of rest.
    expect(looks.nth(3).locator("[aria-live=polite]")).to_contain_text("Goal reached")
    output = run_more(page, READ)
    expect(output).to_contain_text("state")
    values, moved, reached, size, spread, expected, momentum, mean, *last = json.loads(
        output.inner_text().strip().removeprefix("state ")
    )
    assert (values, moved, reached) == ([-4, -2, -1, 0, 1, 2, 3, 12], 8, True)
    assert (size, expected) == (64, pytest.approx((9999 / 12) ** 0.5 / 8))
    assert spread == pytest.approx(expected, rel=0.15)
    assert (momentum, mean) == (0.5, pytest.approx(19.5, abs=2))
    assert last == [True, {"plain": ["-x", "-x"], "normalised": ["oo", "oo"]}, "twice"]
    run_more(page, "drag.training, drag.sample, noise.batch_size, gap.momentum = False, 0, 2, 0.2")
    expect(looks.nth(0).get_by_role("button", name="Evaluation")).to_have_attribute("aria-pressed", "true")
    expect(range_of(looks.nth(0), "its x")).to_have_value("-4")
    expect(range_of(looks.nth(1), "batch size n")).to_have_attribute("aria-valuetext", "2")
    expect(range_of(looks.nth(2), "momentum")).to_have_attribute("aria-valuetext", "0.2")
    assert watched.errors == []
    assert watched.strangers == []
