"""The four look widgets of lesson 09 in JupyterLab, with a kernel behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driving import answer, press, run_more
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

CELLS = (
    f"import sys\nsys.path.insert(0, {str(Path(__file__).resolve().parents[1])!r})\n"
    "from course_lib.widgets.text_cnn import FlipTheAnswer, PaddingMask, SentenceProbe, WidthsAndDropout\n"
    "from tiny_texts import RUNS, SENTENCE, review_model",
    "probe = SentenceProbe(review_model(), SENTENCE, 12)\nprobe",
    "flip = FlipTheAnswer(review_model(), SENTENCE, 12)\nflip",
    "pad = PaddingMask(review_model(), SENTENCE, 12)\npad",
    "runs = WidthsAndDropout(RUNS)\nruns",
    "import json",
)
READ = (
    "print('state', json.dumps([probe.sentence, probe.answer, probe.ngrams[0]['words'], probe.prediction, flip.tries, "
    "flip.goal_reached, pad.mask, pad.feature, pad.maximum, runs.widths, runs.best, runs.prediction]))"
)


def by_hand(page: Page, probe: Locator, flip: Locator, pad: Locator, runs: Locator) -> None:
    """Type a sentence, flip an answer, switch the mask off for the last filter, and choose other widths."""
    field = probe.get_by_role("textbox")
    field.fill("")
    field.press_sequentially("Add a film, not good")
    flip.get_by_role("radio", name="good").check()
    flip.get_by_role("textbox").fill("bad")
    flip.get_by_role("textbox").press("Enter")
    press(page, pad.get_by_role("checkbox"), "Space")
    pad.get_by_role("slider", name="filter").fill("5")
    press(page, runs.get_by_role("slider", name="widths"), "ArrowRight")


def test_python_and_page_hear_of_each_other(notebook) -> None:
    """In JupyterLab Python reads what was typed and moved, and traits set in a cell show; nothing fails on the way."""
    watched = notebook(*CELLS)
    page, looks = watched.page, watched.page.locator(".look")
    expect(looks).to_have_count(4)
    probe, flip, pad, runs = looks.all()
    for root, guess in zip((probe, flip, pad, runs), ("positive", "never", "none", "2, 3"), strict=True):
        answer(root, guess)
    by_hand(page, probe, flip, pad, runs)
    expect(runs.locator("[aria-live=polite]")).to_contain_text("Best accuracy: 69.5")
    output = run_more(page, READ)
    expect(output).to_contain_text("state")
    state = json.loads(output.inner_text().strip().removeprefix("state "))
    assert state[:4] == ["Add a film, not good", "negative", "not good", "positive"]
    assert [(one["old"], one["new"], one["answer"]) for one in state[4]] == [("good", "bad", "negative")]
    assert state[5:8] == [True, False, 4]
    assert state[8] == pytest.approx(0.3)
    assert state[9:] == [[2, 3], 0.695, "2, 3"]
    run_more(page, "probe.sentence, flip.tries, pad.length, runs.p = 'Good, very good', [], 20, 0.5")
    expect(probe.get_by_role("textbox")).to_have_value("Good, very good")
    expect(flip.locator(".look-reading")).to_have_text("the film was good.")
    expect(pad.get_by_role("slider", name="padded to")).to_have_attribute("aria-valuetext", "20 words")
    expect(runs.locator(".look-big")).to_have_text("Best accuracy: 70.5\u00a0%")
    assert watched.errors == []
    assert watched.strangers == []
