"""The Python side of the looks of lesson 02: arguments, stills, and what the numbers promise."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from look_promises import assert_bundle_stands_alone, assert_three_forms
from torch.nn import functional

from course_lib.numpy_kernels import activations as kernels
from course_lib.numpy_kernels.initialisation import glorot_uniform, kaiming_uniform
from course_lib.widgets import initialisation
from course_lib.widgets.activations import FUNCTIONS, ActivationExplorer, SoftmaxTemperature
from course_lib.widgets.initialisation import (
    DeadReluMeter,
    SpreadOverLayers,
    layer_spreads,
    start_weights,
    toy_points,
    trained,
)

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("activation_explorer.js", "softmax_temperature.js", "spread_over_layers.js", "dead_relu_meter.js")
MAKERS = {
    "explorer": ActivationExplorer,
    "softmax": SoftmaxTemperature,
    "spread": SpreadOverLayers,
    "meter": DeadReluMeter,
}
WRONG = [
    (lambda: ActivationExplorer("swish"), "no function 'swish'. Use one of: sigmoid, tanh, relu"),
    (lambda: ActivationExplorer(z=8.1), "z between -8 and 8"),
    (lambda: ActivationExplorer(leak=-0.1), "leak between 0 and 0.5"),
    (lambda: SoftmaxTemperature((1.0, 2.0)), "three to five scores; it got 2"),
    (lambda: SoftmaxTemperature((0.0, 1.0, float("nan"))), "scores between -5 and 5"),
    (lambda: SoftmaxTemperature(temperature=0.0), "temperature between 0.01 and 100"),
    (lambda: SpreadOverLayers("gelu"), "no activation 'gelu'. Use one of: relu, tanh, linear"),
    (lambda: SpreadOverLayers(width=50), "width of 16, 32 or 64; it got 50"),
    (lambda: SpreadOverLayers(gain=4.0), "gain between 0.316 and 3.163"),
    (lambda: SpreadOverLayers(seed=20), "seed between 0 and 19"),
    (lambda: DeadReluMeter(lr=0.0), "lr between 0.01 and 100"),
    (lambda: DeadReluMeter(seed=-1), "seed between 0 and 19"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget and the remedy."""
    with pytest.raises(ValueError, match=sentence):
        make()


def test_functions_of_the_still_are_those_of_the_course() -> None:
    """All six functions of the still picture equal the course's kernels."""
    z = np.linspace(-8, 8, 65)
    expected = {
        "sigmoid": kernels.sigmoid(z),
        "tanh": np.tanh(z),
        "relu": np.maximum(z, 0),
        "leaky_relu": kernels.leaky_relu(z, 0.2),
        "gelu": kernels.gelu(z),
        "gelu_tanh": kernels.gelu(z, form="tanh"),
    }
    assert FUNCTIONS.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose([FUNCTIONS[name](at, 0.2) for at in z], values, atol=1e-14)


def test_softmax_starts_as_the_kernel_says() -> None:
    """Probabilities and entropy at the start are softmax and its entropy, also where exp would overflow."""
    for scores, temperature in (
        ((2.0, 1.0, 0.0, -1.0), 1.0),
        ((5.0, -5.0, 4.9), 0.01),
        ((3.0, 1.0, 0.0, 0.0, 0.0), 40.0),
    ):
        widget = SoftmaxTemperature(scores, temperature)
        p = kernels.softmax(np.array(scores) / temperature)
        np.testing.assert_allclose(widget.probabilities, p, rtol=1e-12)
        assert widget.entropy == pytest.approx(torch.special.entr(torch.tensor(p)).sum().item())


def test_gain_names_the_rules_of_the_lesson(monkeypatch) -> None:
    """Gain 1 is Glorot's uniform rule for square layers, the square root of 2 is Kaiming's."""
    drawn = []
    monkeypatch.setattr(initialisation, "LAYERS", 1)
    real = initialisation._block
    monkeypatch.setattr(initialisation, "_block", lambda *given: drawn.append(real(*given)) or drawn[-1])
    layer_spreads("relu", 1.0, 16, 3)
    u = drawn[1] / np.sqrt(3 / 16)
    assert np.abs(u).max() <= 1
    np.testing.assert_allclose(drawn[1], glorot_uniform((16, 16), u=u))
    np.testing.assert_allclose(np.sqrt(2) * drawn[1], kaiming_uniform((16, 16), u=(u, np.zeros(16)))[0])


def test_relu_halves_the_mean_square() -> None:
    """At gain 1, over all draws, 30 ReLU layers leave about 2**-15 of the spread; linear layers keep it."""
    relu, linear = (
        np.exp(np.mean([np.log(layer_spreads(name, 1.0, 64, seed)[-1]) for seed in range(8)]))
        for name in ("relu", "linear")
    )
    assert 2**-18 < relu < 2**-14
    assert 0.4 < linear < 2


def test_spread_goals_can_be_reached_with_the_first_draw() -> None:
    """At gain sqrt(2) every ReLU layer, and at gain 1.45 every tanh layer, lies in the band; at gain 1 neither does."""
    relu, tanh = (layer_spreads(name, gain, 64, 0) for name, gain in (("relu", 2**0.5), ("tanh", 1.45)))
    assert min(relu) >= 0.5
    assert max(relu) <= 2
    assert min(tanh) >= 0.5
    assert min(layer_spreads("relu", 1.0, 64, 0)) < 1e-4
    assert min(layer_spreads("tanh", 1.0, 64, 0)) < 0.2


def test_points_are_a_disc_in_a_ring() -> None:
    """Thirty points of class 1 lie within 0.5 of the middle, thirty of class 0 between 0.7 and 1."""
    points = toy_points()
    radius = np.hypot(points[:, 0], points[:, 1])
    assert points.shape == (60, 3)
    assert points[:, 2].tolist() == [0] * 30 + [1] * 30
    assert radius[30:].max() < 0.5
    assert radius[:30].min() > 0.7
    assert radius[:30].max() < 1


def test_training_equals_torch() -> None:
    """Sixty steps at a calm rate end where Torch's SGD on binary cross-entropy ends."""
    w1, b1, w2, b2 = parameters = [torch.tensor(part, requires_grad=True) for part in start_weights(4).values()]
    x, y = torch.tensor(toy_points()).split([2, 1], dim=1)
    descent = torch.optim.SGD(parameters, lr=0.5)

    def loss() -> torch.Tensor:
        score = functional.linear(torch.relu(functional.linear(x, w1, b1)), w2, b2)
        return functional.binary_cross_entropy_with_logits(score, y)

    for _ in range(60):
        descent.zero_grad()
        loss().backward()
        descent.step()
    fires, own = trained(0.5, 4, steps=60)
    assert own == pytest.approx(loss().item(), rel=1e-9)
    assert fires.tolist() == (functional.linear(x, w1, b1) > 0).sum(dim=0).tolist()


@pytest.mark.parametrize(
    ("lr", "fewest", "most", "good"),
    [(0.03, 0, 0, False), (2.0, 0, 0, True), (6.3, 8, 15, True), (30.0, 16, 16, False)],
)
def test_units_die_where_the_rate_is_large(lr, fewest, most, good) -> None:
    """With the first seed: slow and whole, good and whole, good and half dead, all dead."""
    fires, loss = trained(lr, 0)
    assert fewest <= (fires == 0).sum() <= most
    assert (loss < 0.02) == good


def test_dead_stays_dead() -> None:
    """A unit that fires for no point after 200 steps fires for none after 400 at any rate."""
    early, late = trained(6.3, 0)[0], trained(6.3, 0, steps=400)[0]
    assert (early == 0).any()
    assert (late[early == 0] == 0).all()


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
        "explorer": lambda: ActivationExplorer("gelu"),
        "softmax": lambda: SoftmaxTemperature(temperature=5.0),
        "spread": lambda: SpreadOverLayers(gain=1.5),
        "meter": lambda: DeadReluMeter(lr=30.0),
    }[kind]()
    assert ElementTree.fromstring(MAKERS[kind]().still()).tag.endswith("svg")
    assert other.still() != MAKERS[kind]().still()
    assert other.description() != MAKERS[kind]().description()


def test_import_is_light() -> None:
    """The widgets load neither Torch nor Matplotlib nor SciPy: the browser draws."""
    code = (
        "import sys\n"
        "import course_lib.widgets.activations, course_lib.widgets.initialisation\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert set(done.stdout.split()).isdisjoint({"torch", "matplotlib", "scipy", "pandas", "PIL"})
