"""The Python side of the looks of lesson 03: arguments, stills, and what the numbers promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from look_promises import assert_bundle_stands_alone, assert_three_forms

from course_lib.widgets import _base
from course_lib.widgets.differences import StepSize, difference_errors
from course_lib.widgets.graphs import PLACES, GradientFlow, GraphStepper, gradient_norms, network_draw

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("graph_stepper.js", "gradient_flow.js", "step_size.js")
MAKERS = {"graph": GraphStepper, "flow": GradientFlow, "step": StepSize}
TORCH_BENDS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
WRONG = [
    (lambda: GraphStepper(w1=5.5), "GraphStepper needs w1 between -5 and 5; it got 5.5"),
    (lambda: GraphStepper(b=float("nan")), "b between -5 and 5"),
    (lambda: GraphStepper(step=13), "step between 0 and 12"),
    (lambda: GradientFlow("gelu"), "no activation 'gelu'. Use one of: sigmoid, tanh, relu"),
    (lambda: GradientFlow(depth=1), "depth between 2 and 20"),
    (lambda: GradientFlow(gain=9.0), "gain between 0.25 and 8"),
    (lambda: GradientFlow(seed=20), "seed between 0 and 19"),
    (lambda: StepSize("cos"), "no function 'cos'. Use one of: sin, exp, cubic"),
    (lambda: StepSize(x=3.0), "x between 0.5 and 2.5"),
    (lambda: StepSize(h=0.0), "h between 1e-16 and 1"),
    (lambda: StepSize(precision="float16"), 'no precision \'float16\'. Use "float64" or "float32"'),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


@pytest.mark.parametrize(
    "given", [(2, 3, 1, 4, -1), (-4.5, 2, 0.5, -3, 5), (1, 1, -2, 3, 1), (1, -1, 2, 3, 0), (2, -2, 3, -1.5, 1)]
)
def test_described_gradients_are_those_of_torch(given) -> None:
    """The sentence names the five gradients that autograd finds: open, closed, exactly at 0, cancelling paths."""
    names = ("x1", "x2", "w1", "w3", "b")
    x1, x2, w1, w3, b = tensors = [torch.tensor(float(value), requires_grad=True) for value in given]
    z = w1 * x1 + w1 * x2 + b
    (w3 * torch.relu(z)).backward()
    expected = ", ".join(f"d{name} = {t.grad.item() + 0.0:g}" for name, t in zip(names, tensors, strict=True))
    sentence = GraphStepper(**dict(zip(names, given, strict=True))).description()
    assert sentence.endswith(f"Gradients: {expected}.")
    assert f"z = {z.item():g} and" in sentence


def test_places_equal_in_both_languages() -> None:
    """The still picture puts every name where the live one does."""
    text = (_base.STATIC / "graph_picture.js").read_text(encoding="utf-8")
    (table,) = re.findall(r"export const PLACES = \{(.*?)\};", text, re.DOTALL)
    found = {name: (float(x), float(y)) for name, x, y in re.findall(r"(\w+): \[(\d+), (\d+)\]", table)}
    assert found == PLACES


@pytest.mark.parametrize(
    ("activation", "depth", "gain"), [("sigmoid", 10, 1.0), ("tanh", 20, 2.0), ("relu", 7, 0.5), ("relu", 2, 8.0)]
)
def test_gradient_norms_equal_torch(activation, depth, gain) -> None:
    """The norms are those of autograd's derivative of the loss by the scores of each layer."""
    x, y, weights = network_draw(3, depth)
    h, kept = torch.tensor(x), []
    for k, w in enumerate(weights):
        z = h @ (gain * torch.tensor(w)).T
        z.requires_grad_() if not kept else z.retain_grad()
        kept.append(z)
        h = TORCH_BENDS[activation](z) if k < depth - 1 else z
    ((h - torch.tensor(y)) ** 2).sum(dim=1).mean().backward()
    expected = [z.grad.norm().item() for z in kept]
    np.testing.assert_allclose(gradient_norms(activation, depth, gain, 3), expected, rtol=1e-10)


def test_answer_to_the_flow_question_holds_for_every_draw() -> None:
    """Ten sigmoid layers at gain 1 leave between a third and six millionths, whatever the seed."""
    for seed in range(20):
        norms = gradient_norms("sigmoid", 10, 1.0, seed)
        assert 3e-7 < norms[0] / norms[-1] < 6e-6


def test_flow_goals_can_be_reached_with_the_first_draw() -> None:
    """Twenty ReLU layers at gain sqrt(2) and ten sigmoid layers at gain 7 stay in the band; sigmoid at 4 does not."""
    good = [("relu", 20, 2**0.5), ("tanh", 20, 1.2), ("sigmoid", 10, 7.0)]
    for setting in good:
        norms = gradient_norms(*setting, 0)
        assert 0.1 <= norms[0] / norms[-1] <= 10
    norms = gradient_norms("sigmoid", 10, 4.0, 0)
    assert norms[0] / norms[-1] < 0.1


def test_each_sigmoid_passes_at_most_a_quarter() -> None:
    """The whole ratio is at most (gain / 4) ** 9 times the product of the matrix norms."""
    norms, weights = gradient_norms("sigmoid", 10, 1.0, 0), network_draw(0, 10)[2]
    bound = np.prod([np.linalg.norm(w, 2) / 4 for w in weights[1:]])
    assert norms[0] / norms[-1] <= bound


def test_truncation_follows_taylor() -> None:
    """For large steps the errors are those of the next term: h / 2 times f'', h**2 / 6 times f'''."""
    for function, second, third in (("sin", np.sin(1), np.cos(1)), ("exp", np.e, np.e), ("cubic", 6, 6)):
        one_sided, central = difference_errors(function, 1.0, 1e-3, "float64")
        assert one_sided == pytest.approx(second * 1e-3 / 2, rel=1e-2)
        assert central == pytest.approx(third * 1e-6 / 6, rel=1e-2)


def test_best_step_is_the_answer_to_the_question() -> None:
    """Of the four steps on offer, 1e-5 has the smallest central error of sin at 1, by a factor of 1,000."""
    errors = {h: difference_errors("sin", 1.0, h, "float64")[1] for h in (1e-16, 1e-10, 1e-5, 1e-1)}
    best = errors.pop(1e-5)
    assert best < 1e-10
    assert all(error > 1000 * best for error in errors.values())


def test_float32_wants_a_larger_step() -> None:
    """At 1e-5 float32 is off by almost a thousandth; near 1e-2 the error is below 1e-4."""
    assert difference_errors("sin", 1.0, 1e-5, "float32")[1] > 5e-4
    assert difference_errors("sin", 1.0, 1e-2, "float32")[1] < 1e-4
    assert difference_errors("sin", 1.0, 1e-9, "float32") == pytest.approx((np.cos(1), np.cos(1)))


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, renders, declares no name twice, and reaches for nothing outside."""
    assert_bundle_stands_alone(name)


@pytest.mark.parametrize("kind", MAKERS)
def test_output_holds_widget_page_and_words(kind) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence."""
    widget = MAKERS[kind]()
    assert_three_forms(widget, most=70_000)


@pytest.mark.parametrize("kind", MAKERS)
def test_still_is_an_svg_that_follows_the_settings(kind) -> None:
    """The still picture is well-formed and changes with the widget's first setting."""
    other = {
        "graph": lambda: GraphStepper(x1=-2.0),
        "flow": lambda: GradientFlow("relu"),
        "step": lambda: StepSize("exp"),
    }[kind]()
    assert ElementTree.fromstring(MAKERS[kind]().still()).tag.endswith("svg")
    assert other.still() != MAKERS[kind]().still()
    assert other.description() != MAKERS[kind]().description()


def test_import_is_light() -> None:
    """The widgets load neither Torch nor Matplotlib nor SciPy, nor the kernels that the lesson asks for."""
    code = (
        "import sys\n"
        "import course_lib.widgets.graphs, course_lib.widgets.differences\n"
        "print(*{'.'.join(name.split('.')[:2]) for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    heavy = {"torch", "matplotlib", "scipy", "pandas", "PIL", "course_lib.numpy_kernels"}
    assert set(done.stdout.split()).isdisjoint(heavy)
