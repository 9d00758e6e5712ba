"""The three looks of lesson 03 in a real Chromium: without a kernel, and once with one in JupyterLab."""

from __future__ import annotations

import json
import statistics

import numpy as np
import pytest
import torch
from driving import CONTRAST, PICTURE, SLIDERS, STOPWATCH, answer, load, moves_picture, press, range_of, run_more
from playwright.sync_api import expect

from course_lib.widgets.differences import CURVES, StepSize, difference_errors
from course_lib.widgets.graphs import GradientFlow, GraphStepper, gradient_norms, network_draw

pytestmark = pytest.mark.browser

NAMES = ("x1", "x2", "w1", "w3", "b")


# Arithmetic


def test_walk_equals_torch(watched) -> None:
    """Values and gradients of 200 random graphs are autograd's, also with a closed ReLU and exactly at its corner."""
    rng = np.random.default_rng(0)
    given = [*rng.integers(-10, 11, size=(197, 5)) / 2, [1, -1, 2, 3, 0], [1, 1, -1, 3, 2], [0, 0, 0, 0, 0]]
    cases = [dict(zip(NAMES, map(float, row), strict=True)) for row in given]
    load(watched.page, "graph_stepper.js")
    walk = "(cases) => cases.map((c) => { const v = part.valuesOf(c); return [v, part.walkBack(v).gradients]; })"
    for case, (values, gradients) in zip(cases, watched.page.evaluate(walk, cases), strict=True):
        t = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in case.items()}
        f = t["w3"] * torch.relu(t["w1"] * t["x1"] + t["w1"] * t["x2"] + t["b"])
        f.backward()
        assert values["f"] == f.item()
        assert [gradients[name] for name in NAMES] == [t[name].grad.item() for name in NAMES]


def test_every_edge_is_upstream_times_local(watched) -> None:
    """Each edge multiplies what arrived at its node, and what arrives at a name is the sum over its edges."""
    load(watched.page, "graph_stepper.js")
    case = {"x1": 2.0, "x2": 3.0, "w1": 1.5, "w3": -4.0, "b": -1.0}
    found = watched.page.evaluate("(c) => part.walkBack(part.valuesOf(c))", case)
    for edge in found["edges"]:
        assert edge["gradient"] == edge["upstream"] * edge["local"]
        assert edge["upstream"] == found["gradients"][edge["node"]]
    for name in {edge["source"] for edge in found["edges"]}:
        assert found["gradients"][name] == sum(e["gradient"] for e in found["edges"] if e["source"] == name)


@pytest.mark.parametrize(
    ("activation", "depth", "gain", "seed"),
    [("sigmoid", 10, 1.0, 0), ("sigmoid", 20, 7.9, 5), ("tanh", 20, 1.3, 19), ("relu", 2, 0.25, 1), ("relu", 20, 8, 3)],
)
def test_flow_equals_numpy(watched, activation, depth, gain, seed) -> None:
    """Start weights agree bit for bit, and the norm of every layer's gradient to nine digits."""
    load(watched.page, "gradient_flow.js")
    draw = "(s) => { const { x, y, w } = part.drawLayers(s); return [x, y, ...w].map((part) => [...part]); }"
    x, y, weights = network_draw(seed, 20)
    assert watched.page.evaluate(draw, seed) == [block.ravel().tolist() for block in (x, y, *weights)]
    flow = "([a, d, g, s]) => new part.DeepNetwork(s).flow(a, d, g).norms"
    found = watched.page.evaluate(flow, [activation, depth, gain, seed])
    np.testing.assert_allclose(np.array(found, float), gradient_norms(activation, depth, gain, seed), rtol=1e-9)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("function", CURVES)
def test_errors_equal_numpy(watched, function, precision) -> None:
    """Over the whole slider the errors are NumPy's, up to one unit in the last place of f divided by h."""
    load(watched.page, "step_size.js")
    steps = [float(f"{10 ** (k / 10):.3g}") for k in range(-160, 1)]
    run = "([f, x, p, steps]) => steps.map((h) => part.errorsOf(f, x, h, p)).map((e) => [e.oneSided, e.central])"
    found = np.array(watched.page.evaluate(run, [function, 1.3, precision, steps]))
    expected = np.array([difference_errors(function, 1.3, h, precision) for h in steps])
    unit = 2 * np.finfo(precision).eps * CURVES[function][0](2.3)
    # The cubic needs no library function: every operation is rounded the same way.
    slack = np.zeros(len(steps)) if function == "cubic" else unit / np.array(steps)
    assert (np.abs(found - expected) <= slack[:, None] + 1e-15).all()
    assert (found == expected).mean() > 0.5


def test_steps_are_the_numbers_shown(watched) -> None:
    """The slider's steps have three digits: what is read is what is used."""
    load(watched.page, "step_size.js")
    assert watched.page.evaluate("[-16, -5, -4.7, 0].map(part.stepOf)") == [1e-16, 1e-5, 2e-5, 1]


# The graph


def test_graph_is_walked_forward_then_backward(still_page) -> None:
    """Backward waits for the forward pass; the edges show upstream x local; the two paths into w1 add up."""
    page = still_page(GraphStepper()).page
    root = page.locator(".look")
    answer(root, "w\u2081")
    forward, backward = (root.get_by_role("button", name=name) for name in ("Forward step", "Backward step"))
    backward.click(force=True)  # it says what to do first, and is marked as disabled
    expect(root.locator(".look-picture")).to_contain_text("The forward pass comes first")
    for _ in range(5):
        forward.click()
    expect(root.locator(".look-picture")).to_contain_text("Step 5 of 12. f = w\u2083 \u00b7 r = 4 \u00d7 4 = 16")
    forward.click(force=True)
    expect(root.locator(".look-picture")).to_contain_text("Now step backward")
    for _ in range(6):
        backward.click()
    words = root.locator("svg.look-svg text").all_text_contents()
    assert words.count("4 \u00d7 1") == 6  # ReLU, three from the sum, and the paths into x1 and x2
    assert set(words) >= {"4 \u00d7 2", "= 8", "4 \u00d7 3", "= 12", "12 + 8"}
    assert "dw1 = 20" not in words
    backward.click()
    expect(root.locator(".look-picture")).to_contain_text("dw1 = 12 + 8 = 20")
    assert "dw1 = 20" in root.locator("svg.look-svg text").all_text_contents()
    expect(root.get_by_role("img")).to_have_attribute("aria-label", LAST_WORDS)
    root.get_by_role("button", name="Reset").click()
    assert root.get_attribute("data-step") == "0"


LAST_WORDS = (
    "Graph of f, inputs at its edge and f at the bottom. w\u2081 is used twice, so its two gradients add up: "
    "dw1 = 12 + 8 = 20. Values: p = 2, q = 3, z = 4, r = 4, f = 16. "
    "Gradients: dx1 = 4, dx2 = 4, dw1 = 20, dw3 = 4, db = 4."
)


def test_arrow_keys_walk_both_ways(still_page) -> None:
    """On a button the right arrow steps on through both passes, the left one takes steps back."""
    page = still_page(GraphStepper(prediction="b")).page
    root = page.locator(".look")
    reset = root.get_by_role("button", name="Reset")
    press(page, reset, "ArrowRight", 14)
    assert root.get_attribute("data-step") == "12"
    press(page, reset, "ArrowLeft", 4)
    assert root.get_attribute("data-step") == "8"


def test_two_paths_can_cancel(still_page) -> None:
    """Opposite inputs make dw1 zero with an open ReLU; zero inputs, or w3 = 0, do not count."""
    page = still_page(
        GraphStepper(x1=2, x2=-1.5, b=1, step=12, prediction="b"),
        GraphStepper(x1=0, x2=0.5, b=1, step=12, prediction="b"),
        GraphStepper(x1=2, x2=-2, b=1, w3=0.5, step=11, prediction="b"),
    ).page
    cancel, empty, early = page.locator(".look").all()
    press(page, range_of(cancel, "x2"), "ArrowLeft")
    expect(cancel.locator(".look-goal").first).to_contain_text("\u22128 + 8 = 0: the two paths cancel")
    expect(cancel.locator("[aria-live=polite]")).to_contain_text("Goal reached")
    press(page, range_of(empty, "x2"), "ArrowLeft")
    assert empty.get_attribute("data-dw1") == "0"
    expect(empty.locator(".look-goal-state").first).to_have_text("not yet")
    press(page, range_of(early, "w3"), "ArrowLeft")
    press(page, early.get_by_role("button", name="Reset"), "ArrowRight")
    expect(early.locator(".look-goal-state").first).to_have_text("not yet")


def test_closed_relu_passes_nothing(still_page) -> None:
    """A bias that closes the ReLU makes all gradients 0, reaches the second goal and answers the question."""
    page = still_page(GraphStepper(step=12)).page
    root = page.locator(".look")
    answer(root, "none of the five")
    press(page, range_of(root, "b"), "ArrowLeft", 8)
    expect(root.locator(".look-goal").nth(1)).to_contain_text("z = 0: all five gradients are 0")
    expect(root.locator(".look-verdict")).to_contain_text("You were right")
    assert "Gradients: dx1 = 0, dx2 = 0, dw1 = 0, dw3 = 0, db = 0." in root.get_by_role("img").get_attribute(
        "aria-label"
    )


# The flow


def test_flow_answers_and_both_goals_can_be_reached(still_page) -> None:
    """The answer shows the number; 10 sigmoid layers at gain 7, then 20 ReLU layers at gain 1.5, reach the goals."""
    page = still_page(GradientFlow()).page
    root = page.locator(".look")
    expect(root.locator(".look-big")).to_have_text("")
    answer(root, "about a tenth")
    expect(root.locator(".look-verdict")).to_contain_text("It is 2.5\u00b710\u207b\u2076 of the last one")
    expect(root.locator(".look-big")).to_have_text("first/last = 2.5\u00b710\u207b\u2076")
    gain = range_of(root, "gain")
    press(page, gain, "ArrowRight", 85)
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("reached")
    expect(root.locator(".look-goal-state").nth(0)).to_have_text("not yet")
    root.get_by_label("Activation").select_option("relu")
    press(page, range_of(root, "depth (layers)"), "End")
    press(page, gain, "ArrowLeft", 70)
    expect(root.locator(".look-goal").first).to_contain_text("ReLU, gain 1.51")


def test_flow_says_when_bars_leave_the_scale(still_page) -> None:
    """At gain 8 twenty ReLU layers explode far off the scale; the picture's words keep the number."""
    root = still_page(GradientFlow("relu", 20, 7.94, prediction="same")).page.locator(".look")
    assert float(root.get_attribute("data-ratio")) > 1e12
    assert "of 20 layers lie outside" in root.get_by_role("img").get_attribute("aria-label")


# The step


def test_step_goals_need_the_neighbours(still_page) -> None:
    """h near 1e-5 reaches the float64 goal and answers the question; float32 asks for a far larger step."""
    page = still_page(StepSize()).page
    root = page.locator(".look")
    answer(root, "10\u207b\u00b9\u2070")
    h = range_of(root, "step h")
    press(page, h, "ArrowLeft", 41)
    expect(root.locator(".look-goal-state").first).to_have_text("reached")
    expect(root.locator(".look-verdict")).to_contain_text("it is 10\u207b\u2075")
    root.get_by_label("Numbers").select_option("float32")
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("not yet")
    press(page, h, "ArrowRight", 31)
    expect(root.locator(".look-goal-state").nth(1)).to_have_text("reached")


def test_step_underlines_the_digits_that_agree(still_page) -> None:
    """At 1e-5 ten digits of the central and five of the one-sided difference of sin are marked."""
    root = still_page(StepSize(h=1e-5, prediction="1e-5")).page.locator(".look")
    marked = root.locator("td span").all_text_contents()
    assert marked == ["", "0.5403023058", "0.54029"]
    expect(root.locator(".look-side")).to_contain_text("about 10 digits agree (central), 5 (one-sided)")


def test_vanished_step_is_named(still_page) -> None:
    """Where x + h is x, the widget says so."""
    page = still_page(StepSize(h=1e-15, prediction="1e-5")).page
    root = page.locator(".look")
    press(page, range_of(root, "step h"), "Home")
    expect(root.locator(".look-side")).to_contain_text("x + h rounds to x")


# All three


def all_widgets():
    """One of each, controls awake."""
    return [
        GraphStepper(step=12, x1=-4.5, x2=-3.5, w1=-2.5, w3=-4.5, b=-1.5, prediction="b"),
        GradientFlow(prediction="tenth"),
        StepSize(h=1e-5, prediction="1e-5"),
    ]


def test_controls_sleep_until_the_prediction(still_page) -> None:
    """Sliders and step buttons are disabled before the question is answered and enabled after it."""
    page = still_page(GraphStepper(), GradientFlow(), StepSize()).page
    for root, guess in zip(page.locator(".look").all(), ("b", "about all", "10\u207b\u00b9"), strict=True):
        controls = root.locator(f".look-columns :is({SLIDERS}, select, button)").all()
        assert controls and all(control.is_disabled() for control in controls)
        answer(root, guess)
        assert not any(control.is_disabled() for control in root.locator(SLIDERS).all())
    page.locator(".look").first.get_by_role("button", name="Forward step").click()
    assert page.locator(".look").first.get_attribute("data-step") == "1"


def test_every_slider_changes_the_picture(still_page) -> None:
    """One arrow key on any slider of any widget redraws; a click on its track does too."""
    page = still_page(*all_widgets()).page
    for root in page.locator(".look").all():
        for slider in root.locator(SLIDERS).all():
            moves_picture(page, root, slider)


def test_every_choice_changes_the_picture(still_page) -> None:
    """Function, precision and activation redraw."""
    page = still_page(*all_widgets()).page
    for select in page.locator("select").all():
        before = page.locator("main").evaluate(PICTURE)
        select.select_option(index=1)
        assert page.locator("main").evaluate(PICTURE) != before


def test_every_control_has_a_name_and_a_value(still_page) -> None:
    """Sliders have a label and a spoken value, pictures a description; ids are unique."""
    page = still_page(*all_widgets()).page
    for control in page.locator(f"{SLIDERS}, select").all():
        assert control.evaluate("(node) => node.labels.length") == 1
    for slider in page.locator(SLIDERS).all():
        assert slider.get_attribute("aria-valuetext") == slider.evaluate(
            "(node) => node.nextElementSibling.textContent"
        )
    for picture in page.locator("canvas, svg.look-svg").all():
        assert len(picture.get_attribute("aria-label")) > 30
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_text_has_contrast_and_no_gaps(still_page) -> None:
    """All text reaches 4.5 : 1 also in a dark page, and no placeholder is left in a sentence."""
    page = still_page(*all_widgets()).page
    page.emulate_media(color_scheme="dark")
    for root in page.locator(".look").all():
        pairs = root.evaluate(CONTRAST)
        assert len(pairs) > 10
        assert [pair for pair in pairs if pair[1] < 4.5] == []
        assert "{" not in root.inner_text()


@pytest.mark.parametrize("width", [360, 700, 1040])
def test_nothing_is_cut_off(still_page, width) -> None:
    """From a phone to a wide screen nothing sticks out of the widget, and no word out of the graph."""
    page = still_page(*all_widgets()).page
    page.set_viewport_size({"width": width, "height": 800})
    sticking_out = """(root) => {
      const [left, right] = [root.getBoundingClientRect().left, root.getBoundingClientRect().right];
      const boxes = [...root.querySelectorAll('*')].map((node) => node.getBoundingClientRect());
      const words = [...root.querySelectorAll('svg.look-svg text')].filter((node) => {
        const box = node.getBBox();
        return box.x < 0 || box.x + box.width > node.ownerSVGElement.viewBox.baseVal.width;
      });
      return boxes.filter((box) => box.width && (box.right > right + 1 || box.left < left - 1)).length + words.length;
    }"""
    assert [root.evaluate(sticking_out) for root in page.locator(".look").all()] == [0, 0, 0]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_error_shows_inside_the_widget(still_page) -> None:
    """When drawing breaks, the widget says so in a sentence instead of going quiet."""
    page = still_page(StepSize(prediction="1e-5")).page
    root = page.locator(".look")
    page.evaluate("() => { CanvasRenderingContext2D.prototype.strokeRect = () => { throw new Error('no frame'); }; }")
    press(page, range_of(root, "step h"), "Home")
    expect(root.get_by_role("alert")).to_contain_text("This picture stopped: no frame. Run the cell again")


def test_pages_are_silent_and_stay_home(still_page) -> None:
    """No console error, and no request to anything but the page itself."""
    watched = still_page(*all_widgets())
    assert watched.errors == []
    assert watched.strangers == []


@pytest.mark.parametrize("name", ["graph", "flow", "step"])
def test_slider_to_picture_is_quick(still_page, name, capsys) -> None:
    """From a key on the slider to the frame that shows it: median at most 50 ms, drawing alone at most 16 ms."""
    widget, label = {
        "graph": (GraphStepper(step=12, prediction="b"), "x1"),
        "flow": (GradientFlow("tanh", 20, prediction="same"), "gain"),
        "step": (StepSize(prediction="1e-5"), "point x"),
    }[name]
    page = still_page(widget).page
    page.locator(".look").evaluate(STOPWATCH)
    range_of(page.locator(".look"), label).focus()
    for k in range(60):
        page.keyboard.press("ArrowLeft" if k % 8 < 4 else "ArrowRight")
        page.wait_for_function(f"window.shown.length === {k + 1}")
    drawn, shown = (statistics.median(page.evaluate(f"window.{part}")) for part in ("drawn", "shown"))
    with capsys.disabled():
        print(f"\n{name}: drawing {drawn:.1f} ms, key to frame {shown:.1f} ms (medians of 60)")
    assert drawn <= 16
    assert shown <= 50


# With a kernel

CELLS = (
    "from course_lib.widgets.differences import StepSize\n"
    "from course_lib.widgets.graphs import GradientFlow, GraphStepper",
    "graph = GraphStepper()\ngraph",
    "flow = GradientFlow()\nflow",
    "step = StepSize()\nstep",
    "import json",
)
READ = (
    "print('state', json.dumps([graph.step, graph.w1, graph.gradient, graph.prediction, flow.depth, flow.ratio, "
    "flow.norms, step.h, step.goal_reached, step.central_error]))"
)


def test_python_and_page_hear_of_each_other(notebook) -> None:
    """In JupyterLab Python reads what hands did, and traits set in a cell move controls."""
    page = notebook(*CELLS).page
    looks = page.locator(".look")
    expect(looks).to_have_count(3)
    for root, guess in zip(looks.all(), ("b", "about all", "10\u207b\u2075"), strict=True):
        answer(root, guess)
    press(page, looks.nth(0).get_by_role("button", name="Reset"), "ArrowRight", 12)
    range_of(looks.nth(0), "w1").fill("1.5")
    range_of(looks.nth(1), "depth (layers)").fill("4")
    range_of(looks.nth(2), "step h").fill("-5.1")
    # What is said comes after what is sent: 350 ms against 150 ms of rest.
    expect(looks.nth(2).locator("[aria-live=polite]")).to_contain_text("Goal reached")
    output = run_more(page, READ)
    expect(output).to_contain_text("state")
    graph, flow, step = (lambda s: (s[:4], s[4:7], s[7:]))(json.loads(output.inner_text().strip()[len("state ") :]))
    assert graph == [12, 1.5, [6.0, 6.0, 20.0, 6.5, 4.0], "b"]
    assert flow == [4, pytest.approx(flow[2][0] / flow[2][3]), pytest.approx(gradient_norms("sigmoid", 4, 1.0, 0))]
    assert step[:2] == [7.94e-6, True]
    assert step[2] < 1e-10
    run_more(page, "graph.step, graph.b, flow.activation, step.precision = 5, 2.0, 'relu', 'float32'")
    expect(looks.nth(0).locator(".look-picture")).to_contain_text("Step 5 of 12")
    expect(range_of(looks.nth(0), "b")).to_have_value("2")
    expect(looks.nth(1).get_by_role("combobox")).to_have_value("relu")
    expect(looks.nth(2).get_by_label("Numbers")).to_have_value("float32")
