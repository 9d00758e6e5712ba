"""The Python side of the looks of lesson 05: arguments, data, still pictures, bundles, and words without a kernel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from look_promises import assert_bundle_stands_alone, assert_three_forms

from course_lib.data import load_digits
from course_lib.widgets.dropout import DropoutSlider
from course_lib.widgets.penalties import PenaltyCurve
from course_lib.widgets.stopping import RECORDED, RECORDED_TRAIN, PatiencePlot

ROOT = Path(__file__).resolve().parents[1]
MAKERS = (DropoutSlider, PenaltyCurve, PatiencePlot)
MODULES = ("dropout_slider.js", "penalty_curve.js", "patience_plot.js")
SVG = "{http://www.w3.org/2000/svg}"
WRONG = [
    (lambda: DropoutSlider(form="alpha"), "no form 'alpha'. Use one of: inverted, classic"),
    (lambda: DropoutSlider(p=1.0), "DropoutSlider needs p between 0 and 0.9"),
    (lambda: DropoutSlider(seed=100), "seed between 0 and 99"),
    (lambda: DropoutSlider(x=[1.0] * 39), "needs x: 40 numbers"),
    (lambda: DropoutSlider(x=[-1.0] * 40), "needs x: 40 numbers"),
    (lambda: PenaltyCurve(degree=0), "degree between 1 and 15"),
    (lambda: PenaltyCurve(strength=float("nan")), "strength between 1e-06 and 100"),
    (lambda: PatiencePlot(patience=0), "patience between 1 and 30"),
    (lambda: PatiencePlot(min_delta=-0.1), "min_delta between 0 and 0.1"),
    (lambda: PatiencePlot([1.0]), "needs two losses or more"),
    (lambda: PatiencePlot([1.0, 2.0], [1.0]), "as many train_losses or none"),
    (lambda: PatiencePlot([1.0, float("inf")]), "finite or NaN"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget's parts and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with."""
    assert '"form": "classic"' in DropoutSlider(0.3, form="classic").page()
    assert '"degree": 12' in PenaltyCurve(degree=12).page()
    own = PatiencePlot(np.array([3.0, np.nan, 2.0]), patience=1)
    assert (own.losses, own.train_losses) == ([3.0, None, 2.0], [])
    assert '"losses": [3.0, null, 2.0]' in own.page()


def softmax_gradient(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of the mean cross-entropy with respect to the scores."""
    q = np.exp(scores - scores.max(axis=1, keepdims=True))
    q /= q.sum(axis=1, keepdims=True)
    q[np.arange(len(y)), y] -= 1
    return q / len(y)


def cross_entropy(scores: np.ndarray, y: np.ndarray) -> float:
    """Mean cross-entropy of scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]).mean())


def record(epochs: int) -> tuple[list[float], list[float]]:
    """Train as PatiencePlot's default curve was recorded: losses on training and validation after each epoch."""
    rng, digits = np.random.default_rng(3), load_digits()
    x, y, losses = digits.x_train[:150], digits.y_train[:150], ([], [])
    w1, b1 = rng.uniform(-1, 1, (64, 64)) * np.sqrt(6 / 64), np.zeros(64)
    w2, b2 = rng.uniform(-1, 1, (10, 64)) * np.sqrt(6 / 64), np.zeros(10)
    for _ in range(epochs):
        order = rng.permutation(150)
        for start in range(0, 150, 8):
            rows = order[start : start + 8]
            z = x[rows] @ w1.T + b1
            factor = (rng.random(z.shape) >= 0.5) * 2.0
            a = np.maximum(z, 0) * factor
            q = softmax_gradient(a @ w2.T + b2, y[rows])
            g = q @ w2 * factor * (z > 0)
            w2, b2 = w2 - 0.3 * q.T @ a, b2 - 0.3 * q.sum(axis=0)
            w1, b1 = w1 - 0.3 * g.T @ x[rows], b1 - 0.3 * g.sum(axis=0)
        for seen, images, labels in zip(losses, (x, digits.x_validation), (y, digits.y_validation), strict=True):
            seen.append(cross_entropy(np.maximum(images @ w1.T + b1, 0) @ w2.T + b2, labels))
    return losses


def test_recorded_curve_is_a_real_training() -> None:
    """Training again as the comment says gives the recorded losses."""
    train, validation = record(60)
    np.testing.assert_allclose(train, RECORDED_TRAIN, rtol=0.02, atol=1e-4)
    np.testing.assert_allclose(validation, RECORDED, rtol=0.02)


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, declares every name once, and reaches for nothing outside."""
    assert_bundle_stands_alone(name)


@pytest.mark.parametrize("make", MAKERS)
def test_output_holds_widget_page_and_words(make) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence."""
    assert_three_forms(make(), most=75_000)


@pytest.mark.parametrize("make", MAKERS)
def test_still_is_a_picture(make) -> None:
    """The still picture is well-formed SVG with at least ten shapes or a curve."""
    root = ElementTree.fromstring(make().still())
    shapes = [node for node in root.iter() if node.tag.removeprefix(SVG) in {"rect", "path", "circle"}]
    assert len(shapes) >= 10 or len(list(root.iter(f"{SVG}polyline"))) >= 2


def test_stills_follow_what_they_describe() -> None:
    """Another p drops others and stretches them; another curve has its lowest loss elsewhere."""
    assert DropoutSlider(0.8).still() != DropoutSlider(0.2).still()
    assert "stand 5.00 times as tall" in DropoutSlider(0.8).description()
    assert "is lowest, 0.1646, at epoch 39" in PatiencePlot().description()
    assert "is lowest, 1, at epoch 2" in PatiencePlot([3.0, float("nan"), 1.0, 2.0]).description()
    assert "circle" in PatiencePlot([3.0, float("nan"), 1.0, 2.0]).still()


def test_import_is_light() -> None:
    """The looks load neither Torch nor scikit-learn nor SciPy, nor the references that a lesson grades."""
    code = "import sys\nfrom course_lib.widgets import dropout, penalties, stopping\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
