"""The four look widgets of lesson 04 in JupyterLab, with a kernel behind them."""

from __future__ import annotations

import json

import pytest
from driving import answer, press, range_of, run_more
from playwright.sync_api import expect

from course_lib.widgets.optimisers import RUNNERS

pytestmark = pytest.mark.browser

CELLS = (
    "from course_lib.widgets.optimisers import AdamBias, ContourRace\n"
    "from course_lib.widgets.schedules import RangeTest, ScheduleDesigner",
    "race = ContourRace()\nrace",
    "adam = AdamBias()\nadam",
    "designer = ScheduleDesigner()\ndesigner",
    "test = RangeTest()\ntest",
    "import json",
)
READ = (
    "print('state', json.dumps([race.step, race.losses, race.start, adam.beta2, adam.second_reached, "
    "designer.kind, designer.low, test.loss, test.goal_reached, test.prediction]))"
)


def test_python_and_page_hear_of_each_other(notebook) -> None:
    """In JupyterLab Python reads what hands did, and traits set in a cell move controls; nothing fails on the way."""
    watched = notebook(*CELLS)
    page, looks = watched.page, watched.page.locator(".look")
    expect(looks).to_have_count(4)
    for root, guess in zip(looks.all(), ("Both alike", "too large", "Half way up", "Where it shoots up"), strict=True):
        answer(root, guess)
    range_of(looks.nth(0), "step").fill("60")
    range_of(looks.nth(0), "w1").fill("-1")
    press(page, range_of(looks.nth(1), "\u03b22"), "ArrowLeft", 20)
    looks.nth(2).get_by_role("combobox").select_option("cosine")
    press(page, range_of(looks.nth(2), "lowest / \u03b7"), "ArrowRight", 10)
    range_of(looks.nth(3), "rate \u03b7").fill("-1")
    # What is said comes after what is sent: 350 ms against 150 ms of rest.
    expect(looks.nth(3).locator("[aria-live=polite]")).to_contain_text("Goal reached")
    output = run_more(page, READ)
    expect(output).to_contain_text("state")
    step, losses, start, beta2, second, *others = json.loads(output.inner_text().strip().removeprefix("state "))
    assert (step, start, beta2, second) == (60, [-1.0, 1.5], pytest.approx(0.99), True)
    assert losses["sgd"] == pytest.approx((0.99**120 + 10 * 1.5**2 * 0.9**120) / 2)
    assert set(losses) == set(RUNNERS)
    assert others[:2] + others[3:] == ["cosine", 0.1, True, "rise"]
    assert others[2] == pytest.approx(float(looks.nth(3).get_attribute("data-loss")))
    run_more(page, "race.surface, race.step, adam.beta1, designer.kind, test.seed = 'valleys', 10, 0.5, 'step', 3")
    expect(looks.nth(0).locator(".look-big")).to_have_text("Step 10 of 300")
    expect(looks.nth(0).get_by_role("combobox")).to_have_value("valleys")
    expect(range_of(looks.nth(1), "\u03b21")).to_have_value("0.5")
    expect(looks.nth(2).locator("code").first).to_have_text("0.1 * 0.5 ** (t // 300)")
    expect(range_of(looks.nth(3), "seed")).to_have_value("3")
    assert watched.errors == []
    assert watched.strangers == []
