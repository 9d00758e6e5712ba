"""The four look widgets of lesson 09 in a real Chromium, without a kernel: goals, typing, keyboard, access, speed."""

from __future__ import annotations

import re
import statistics

import pytest
from driving import PICTURE, SLIDERS, STOPWATCH, answer, assert_nothing_sticks_out, assert_readable, press
from playwright.sync_api import Locator, expect
from tiny_texts import RUNS, SENTENCE, random_model, review_model

from course_lib.widgets.text_cnn import FlipTheAnswer, PaddingMask, SentenceProbe, WidthsAndDropout

pytestmark = pytest.mark.browser

CONTROLS = f"{SLIDERS}, input[type=checkbox], input[type=radio], input[type=text], textarea, select"


# Goals, by hand


def test_probe_goals_are_reached_by_typing(still_page) -> None:
    """Two sure sentences, then the same words in another order; n-grams and marks follow what is typed."""
    page = still_page(SentenceProbe(review_model(), SENTENCE, 12, label="positive", examples=["It's bad."])).page
    root = page.locator(".look")
    field = root.get_by_role("textbox", name="Your sentence")
    expect(root.locator(".look-bars .look-number").first).to_have_text("?")
    answer(root, "negative")
    expect(root.locator(".look-verdict")).to_contain_text("the network says \u201cpositive\u201d, with 99.4")
    expect(root.locator(".look-verdict")).to_contain_text("The right answer is \u201cpositive\u201d.")
    expect(root.locator(".look-reading .look-for-3")).to_have_text("good")
    field.fill("")
    expect(root.locator(".look-big")).to_have_text("Type at least one word.")
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    field.press_sequentially("It's not good, zorblax!")
    assert root.get_attribute("data-answer") == "negative"
    expect(root.locator(".look-detail").first).to_have_text("6 of 6 words and signs read, 3 of them unknown.")
    assert root.locator(".look-reading .look-unknown").all_text_contents() == [",", "zorblax", "!"]
    expect(root.locator(".look-goal").first).to_contain_text(
        "\u201cpositive\u201d and \u201cnegative\u201d, each above 95"
    )
    expect(root.locator("tbody tr").first).to_contain_text("not good")
    field.fill("good it's not, zorblax!")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("The same words gave \u201cnegative\u201d.")
    expect(root.locator("[aria-live=polite]")).to_contain_text("Goal reached")
    root.get_by_label("Start from").select_option(label="It's bad.")
    expect(field).to_have_value("It's bad.")
    assert root.get_attribute("data-answer") == "negative"


def test_ngrams_are_outlined_by_keyboard(still_page) -> None:
    """A button of the table frames its words, keeps the focus, and another class turns the marks round."""
    page = still_page(SentenceProbe(review_model(), "It's very good.", 12, prediction="positive")).page
    root = page.locator(".look")
    press(page, root.get_by_role("button", name="very good"), "Enter")
    expect(root.locator(".look-outlined")).to_have_text("very good")
    expect(root.get_by_role("button", name="very good")).to_be_focused()
    expect(root.get_by_role("button", name="very good")).to_have_attribute("aria-pressed", "true")
    assert root.locator(".look-reading [class*=look-against]").count() == 0
    root.get_by_label("What speaks for").select_option(label="negative")
    expect(root.locator(".look-reading [class*=look-against]")).to_have_text("good")
    assert root.locator(".look-reading [class*=look-for]").count() == 0


def test_long_sentences_are_cut_as_in_training(still_page) -> None:
    """What lies beyond the length is struck through and changes nothing."""
    page = still_page(SentenceProbe(review_model(), "The film was good", 4, prediction="positive")).page
    root = page.locator(".look")
    before = root.get_attribute("data-chances")
    root.get_by_role("textbox").fill("The film was good. Not good, bad!")
    assert root.get_attribute("data-chances") == before
    assert "".join(root.locator(".look-cut").all_text_contents()) == ".notgood,bad!"
    expect(root.locator(".look-detail").first).to_have_text("4 of 10 words and signs read, 0 of them unknown.")


def test_shuffle_keeps_the_words(still_page) -> None:
    """Shuffling changes the order and no word; the first sentence comes back."""
    page = still_page(SentenceProbe(review_model(), "The film was not very good", 12, prediction="positive")).page
    root = page.locator(".look")
    field = root.get_by_role("textbox")
    root.get_by_role("button", name="Shuffle the words").click()
    mixed = field.input_value()
    assert sorted(mixed.split()) == sorted("the film was not very good".split())
    assert mixed != "the film was not very good"
    root.get_by_role("button", name="First sentence again").click()
    expect(field).to_have_value("The film was not very good")


def test_flip_goals_are_reached_by_keyboard(still_page) -> None:
    """Arrow keys choose a word, typing replaces it; tries are counted, both goals told, the prediction answered."""
    page = still_page(FlipTheAnswer(review_model(), SENTENCE, 12)).page
    root = page.locator(".look")
    answer(root, "never")
    press(page, root.get_by_role("radio", name="the", exact=True), "ArrowRight", 2)
    expect(root.get_by_role("radio", name="was")).to_be_checked()
    own = root.get_by_role("textbox", name="or type a word")
    own.fill("very")
    own.press("Enter")
    expect(root.locator(".look-goal").nth(1)).to_contain_text(
        "\u201cwas\u201d \u2192 \u201cvery\u201d: \u201cpositive\u201d rises"
    )
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, root.get_by_role("radio", name="was"), "ArrowRight")
    root.get_by_label("Put in its place").select_option(label="bad")
    expect(own).to_have_value("bad")
    press(page, root.get_by_role("button", name="Try this word"), "Enter")
    expect(root.locator(".look-goal").first).to_contain_text(
        "after 2 tries: from \u201cpositive\u201d to \u201cnegative\u201d"
    )
    assert (root.get_attribute("data-tries"), root.get_attribute("data-answer")) == ("2", "negative")
    expect(root.locator(".look-verdict")).to_have_text("Not quite: of 5 words and signs, 1 decides: good.")
    expect(root.locator(".look-reading")).to_have_text("the film was bad.")
    expect(root.locator("tbody tr")).to_have_count(2)
    root.get_by_role("button", name="Start again").click()
    assert (root.get_attribute("data-tries"), root.get_attribute("data-answer")) == ("0", "positive")


def test_flip_refuses_what_is_no_single_word(still_page) -> None:
    """Nothing, two words and the same word are refused with a sentence and are no tries; an unknown word is one."""
    page = still_page(FlipTheAnswer(review_model(), SENTENCE, 12, prediction="few")).page
    root = page.locator(".look")
    own = root.get_by_role("textbox")
    cases = (("", "Choose a word"), ("very bad", "is 2 words or signs"), ("The", "stands there already"))
    for typed, sentence in cases:
        own.fill(typed)
        own.press("Enter")
        expect(root.get_by_role("status")).to_contain_text(sentence)
        expect(own).to_have_attribute("aria-invalid", "true")
    assert root.get_attribute("data-tries") == "0"
    own.fill("zorblax")
    own.press("Enter")
    expect(root.get_by_role("status")).to_contain_text("the network reads it as <unk>")
    assert root.get_attribute("data-tries") == "1"


def test_mask_goals_are_reached_by_keyboard(still_page) -> None:
    """Without the mask the fifth filter finds its maximum in padding; with it three lengths answer alike."""
    page = still_page(PaddingMask(review_model(), SENTENCE, 12)).page
    root = page.locator(".look")
    answer(root, "none")
    with_mask = root.get_attribute("data-chances")
    press(page, root.get_by_role("slider", name="padded to"), "ArrowRight", 2)
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Nothing: \u201cpositive\u201d, 99.36")
    assert root.get_attribute("data-chances") == with_mask
    press(page, root.get_by_role("checkbox"), "Space")
    expect(root.locator(".look-verdict")).to_contain_text("It is 1 of 5, at 14 words.")
    assert root.get_attribute("data-chances") != with_mask
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, root.get_by_role("button", name="Next filter with another winner"), "Enter")
    expect(root.get_by_role("slider", name="filter")).to_have_attribute("aria-valuetext", "5, width 2")
    expect(root.locator(".look-big")).to_have_text("Window 6 wins with 0.30")
    expect(root.locator(".look-outlined")).to_have_text("<pad> <pad>")
    expect(root.locator(".look-goal").first).to_contain_text("Filter 5: from 0.00 to 0.30")


def test_runs_goals_are_reached_by_keyboard(still_page) -> None:
    """Visited runs fill the table; the best one, the short one that is good enough and the prediction are told."""
    page = still_page(WidthsAndDropout(RUNS)).page
    root = page.locator(".look")
    answer(root, "2, 3")
    assert root.locator("td").all_text_contents() == ["70.0\u00a0%", "?", "?", "?"]
    expect(root.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, root.get_by_role("slider", name="widths"), "ArrowRight")
    expect(root.locator(".look-verdict")).to_contain_text(
        "You said 2, 3; it is 1. The best of each: 1: 70.0\u00a0%; 2, 3: 69.5"
    )
    press(page, root.get_by_role("slider", name="dropout p"), "ArrowRight")
    expect(root.locator(".look-goal").first).to_contain_text("Widths 2, 3 with dropout 0.5: 70.5")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    expect(root.locator(".look-detail")).to_contain_text(
        "best in epoch 3 of 3, 70.5\u00a0% at the end. Training at the end: 85.0"
    )
    press(page, root.get_by_role("slider", name="widths"), "ArrowLeft")
    press(page, root.get_by_role("slider", name="dropout p"), "ArrowLeft")
    expect(root.locator(".look-goal").nth(1)).to_contain_text("Widths 1 reach 70.0")
    assert "?" not in root.locator("td").all_text_contents()


def test_losses_are_better_when_smaller(still_page) -> None:
    """With losses the lowest number is the best one, and numbers are no percentages."""
    page = still_page(WidthsAndDropout(RUNS, measure="loss", widths=(2, 3), prediction="1")).page
    root = page.locator(".look")
    expect(root.locator(".look-question")).to_contain_text("reach the lowest loss")
    expect(root.locator(".look-big")).to_have_text("Best loss: 0.600")
    press(page, root.get_by_role("slider", name="widths"), "ArrowLeft")
    expect(root.locator(".look-verdict")).to_contain_text("You said 1: right.")
    expect(root.locator(".look-goal-state").first).to_have_text("reached")


# Access


def all_widgets():
    """One of each, controls awake."""
    return [
        SentenceProbe(review_model(), "The film was not good, zorblax.", 6, prediction="positive", examples=["Bad."]),
        FlipTheAnswer(review_model(), SENTENCE, 12, prediction="few"),
        PaddingMask(review_model(), SENTENCE, 12, mask=False, feature=1, prediction="few"),
        WidthsAndDropout(RUNS, prediction="1"),
    ]


def act(root: Locator) -> None:
    """Do one thing in a widget, by keyboard where there is a slider and by typing elsewhere."""
    field = root.locator("textarea, input[type=text]")
    if field.count():
        field.fill("bad")
        field.press("Enter")
    else:
        press(root.page, root.locator(SLIDERS).first, "ArrowRight")


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Every control is disabled before the question is answered and enabled after it."""
    model = review_model()
    sleeping = [
        SentenceProbe(model, SENTENCE, 12),
        FlipTheAnswer(model, SENTENCE, 12),
        PaddingMask(model, SENTENCE, 12),
    ]
    page = still_page(*sleeping, WidthsAndDropout(RUNS)).page
    for root, guess in zip(page.locator(".look").all(), ("positive", "never", "none", "1"), strict=True):
        controls = root.locator(CONTROLS).all()
        assert controls and all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in controls)


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any slider redraws."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for slider in root.locator(SLIDERS).all():
            before = root.evaluate(PICTURE)
            press(page, slider, "ArrowRight")
            assert root.evaluate(PICTURE) != before, slider.evaluate("(node) => node.labels[0].textContent")


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Controls have one label, sliders a spoken value, pictures a description, tables a caption; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(CONTROLS).all():
        assert control.evaluate("(node) => node.labels.length") == 1
        assert control.evaluate("(node) => node.labels[0].textContent.trim()")
    for slider in page.locator(SLIDERS).all():
        assert slider.get_attribute("aria-valuetext") == slider.evaluate(
            "(node) => node.nextElementSibling.textContent"
        )
    for picture in page.locator("canvas").all():
        assert len(picture.get_attribute("aria-label")) > 30
    for table in page.locator("table").all():
        assert table.locator("caption").text_content().strip()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_focus_is_seen_on_every_control(still_page) -> None:
    """Whatever the Tab key reaches gets an outline, on its label where the control itself is invisible."""
    page = still_page(*all_widgets()).page
    seen = """() => {
      const node = document.activeElement;
      const shown = node.type === 'radio' ? node.labels[0] : node;
      return [node.tagName, getComputedStyle(shown).outlineStyle];
    }"""
    page.keyboard.press("Tab")
    reached = []
    while page.evaluate("() => document.activeElement !== document.body") and len(reached) < 80:
        reached.append(page.evaluate(seen))
        page.keyboard.press("Tab")
    assert {name for name, _ in reached} == {"BUTTON", "INPUT", "TEXTAREA", "SELECT"}
    assert [pair for pair in reached if pair[1] == "none"] == []


def test_text_has_contrast(still_page) -> None:
    """All text reaches 4.5 : 1 against its ground, marked words too, also in a dark page."""
    assert_readable(still_page(*all_widgets()).page)


@pytest.mark.parametrize("width", [360, 700, 1040])
def test_nothing_is_cut_off(still_page, width) -> None:
    """From a phone to a wide screen nothing sticks out of the widget."""
    assert_nothing_sticks_out(still_page(*all_widgets()).page, width)


def test_errors_show_inside_the_widget(still_page) -> None:
    """When drawing breaks, each widget says so in a sentence instead of going quiet."""
    page = still_page(*all_widgets()).page
    page.evaluate("""() => {
      const broken = () => { throw new Error('no frame'); };
      CanvasRenderingContext2D.prototype.strokeRect = broken;
      Element.prototype.replaceChildren = broken;
    }""")
    for root in page.locator(".look").all():
        act(root)
        expect(root.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_pages_are_silent_and_stay_home(still_page) -> None:
    """No console error, and no request to anything but the page itself."""
    watched = still_page(*all_widgets())
    for root in watched.page.locator(".look").all():
        act(root)
    assert watched.errors == []
    assert watched.strangers == []


def test_key_to_picture_is_quick(still_page, capsys) -> None:
    """From a key in the text field to the frame that shows it, with 300 filters: median at most 50 ms."""
    model = random_model(0, words=3000, sizes=((100, 3), (100, 4), (100, 5)))
    page = still_page(SentenceProbe(model, "w2 w3 w4", 40, prediction="a")).page
    page.locator(".look").evaluate(STOPWATCH)
    field = page.locator("textarea")
    field.focus()
    for k, key in enumerate((" w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19")[:40]):
        field.press("Space" if key == " " else key)
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\nprobe: computing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 40)")
    assert drawn <= 16
    assert shown <= 50


def test_pictures_are_still_there_when_the_goal_is_old(still_page) -> None:
    """A goal that was reached before shows as reached when the page is drawn again."""
    page = still_page(FlipTheAnswer(review_model(), SENTENCE, 12, prediction="few", goal_reached=True)).page
    expect(page.locator(".look-goal-state").first).to_have_text("reached")
    expect(page.locator(".look-goal-state").nth(1)).to_have_text(re.compile("not yet"))
