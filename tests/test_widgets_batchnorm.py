"""The Python side of the looks of lesson 07: arguments, data, still pictures, bundles, and words without a kernel."""

from __future__ import annotations

import json
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
from course_lib.widgets.batchnorm import SAMPLES, BatchDrag, BatchNoise, StabilityMap, TrainEvalGap

ROOT = Path(__file__).resolve().parents[1]
NAN, INF = float("nan"), float("inf")
SVG = "{http://www.w3.org/2000/svg}"
MODULES = ("batch_drag.js", "batch_noise.js", "train_eval_gap.js", "stability_map.js")


def small_map(**kwargs) -> StabilityMap:
    """A measured map with every state in it."""
    plain = [[2.3, 2.2], [1.0, 0.4], [INF, NAN]]
    return StabilityMap.measured([0.5, 1, 2], [0.1, 1], plain, np.full((3, 2), 0.25), "two layers", **kwargs)


MAKERS = (BatchDrag, BatchNoise, TrainEvalGap, StabilityMap, small_map)
WRONG = [
    (lambda: BatchDrag([1.0, 2.0]), "needs values: 3 to 16 numbers from -12 to 12, not all alike"),
    (lambda: BatchDrag([2.0] * 5), "not all alike"),
    (lambda: BatchDrag([0.0, 1.0, 12.5]), "from -12 to 12"),
    (lambda: BatchDrag([0.0, 1.0, NAN]), "from -12 to 12"),
    (lambda: BatchDrag([12.0, -12.0] * 8), "lie closer together: halve them"),
    (lambda: BatchDrag(sample=8), "sample between 0 and 7; it got 8"),
    (lambda: BatchNoise([1.0] * 30), "BatchNoise needs values: 20 to 5,000 finite numbers"),
    (lambda: BatchNoise([*range(19)]), "20 to 5,000 finite numbers"),
    (lambda: BatchNoise([*range(20), INF]), "20 to 5,000 finite numbers"),
    (lambda: BatchNoise(batch_size=0), "BatchNoise needs batch_size between 1 and 256"),
    (lambda: BatchNoise(seed=100), "seed between 0 and 99"),
    (lambda: TrainEvalGap(batch_size=1), "one number has no variance"),
    (lambda: TrainEvalGap(momentum=0), "TrainEvalGap needs momentum between 0.01 and 1"),
    (lambda: TrainEvalGap(momentum=NAN), "momentum between 0.01 and 1"),
    (lambda: StabilityMap(seed=20), "StabilityMap needs seed between 0 and 19"),
    (lambda: StabilityMap.measured([1], [1, 2], [[1, 1]], [[1, 1]]), "needs scales: 2 to 12 positive numbers, incr"),
    (lambda: StabilityMap.measured([1, 2], [2, 1], [[1, 1]] * 2, [[1, 1]] * 2), "needs rates: 2 to 12 positive"),
    (lambda: StabilityMap.measured([0, 2], [1, 2], [[1, 1]] * 2, [[1, 1]] * 2), "needs scales"),
    (lambda: StabilityMap.measured([1, 2], [1, 2], [[1, 1]], [[1, 1]] * 2), "needs plain of shape (2, 2)"),
    (lambda: StabilityMap.measured([1, 2], [1, 2], [[1, 1]] * 2, [[1], [1]]), "needs normalised of shape (2, 2)"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget's parts and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def state_in(page: str) -> dict:
    """The state with which a page starts."""
    return json.loads(re.search(r"stillModel\((\{.*?\})\), el:", page)[1])


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with; evaluation keeps the statistics of the first batch."""
    drag = state_in(BatchDrag(np.array([1.0, 2.0, 4.0]), training=False, sample=1).page())
    assert (drag["values"], drag["start"], drag["training"], drag["sample"]) == ([1, 2, 4], [1, 2, 4], False, 1)
    assert state_in(BatchNoise(range(40), batch_size=32).page())["name"] == "40 numbers of yours"
    gap = state_in(TrainEvalGap(np.arange(20.0), name="ranks", momentum=0.5, batch_size=64).page())
    assert (gap["name"], gap["momentum"], gap["batch_size"]) == ("ranks", 0.5, 64)


def test_default_numbers_are_the_ink_of_the_digits() -> None:
    """Both sliders draw from the ink of every training digit, and say so."""
    ink = load_digits().x_train.sum(axis=1)
    for widget in (BatchNoise(), TrainEvalGap()):
        np.testing.assert_allclose(widget.values, ink)
        assert widget.name == f"ink of {len(ink):,} digits"


def test_map_holds_the_real_digits() -> None:
    """The page gets the first 256 training digits, pixel by pixel; a measured map gets none."""
    sent, data = StabilityMap().digits, load_digits()
    ink = np.array([int(sign, 17) for sign in sent["pixels"]]) / 16
    np.testing.assert_array_equal(ink.reshape(-1, 64), data.x_train[:256])
    np.testing.assert_array_equal([int(label) for label in sent["labels"]], data.y_train[:256])
    assert small_map().digits == {}


def test_measured_losses_reach_the_page() -> None:
    """Rows stay rows, and what is no number becomes null, which JSON knows."""
    state = state_in(small_map(prediction="more").page())
    assert state["plain"] == [[2.3, 2.2], [1.0, 0.4], [None, None]]
    assert state["normalised"] == [[0.25, 0.25]] * 3
    assert (state["given"], state["network"], state["prediction"]) == (True, "two layers", "more")


@pytest.mark.parametrize(
    ("loss", "word"),
    [(0.0, "converged"), (0.5, "converged"), (0.51, "slow"), (2.3, "slow"), (2.5, "diverged"), (None, "diverged")],
)
def test_losses_have_words(loss, word) -> None:
    """At most 0.5 is converged, worse than guessing or no number is diverged, the rest is slow."""
    assert StabilityMap().state_of(loss) == word


def test_stills_count_what_they_show() -> None:
    """Descriptions count the cells of the measured, the recorded and the map of an unknown seed."""
    assert "Without batch normalisation 1 of 6 settings converge (dark squares), with it 6" in small_map().description()
    assert "Without batch normalisation 1 of 64" in StabilityMap().description()
    assert "with it 24;" in StabilityMap().description()
    assert "Two empty maps of 64" in StabilityMap(seed=1).description()
    assert StabilityMap(seed=1).still() != StabilityMap().still()
    told = StabilityMap(seed=1, states={"plain": ["oo------"] * 8, "normalised": ["o" * 8] * 8})
    assert "Without batch normalisation 16 of 64" in told.description()


def test_descriptions_hold_the_statistics() -> None:
    """The words are those of NumPy: divided by n, and sigma over the root of n."""
    mean, std = np.mean(SAMPLES), np.std(SAMPLES)
    assert f"(mean {mean:.3g}, standard deviation {std:.3g})" in BatchDrag().description()
    sigma = np.std(load_digits().x_train.sum(axis=1))
    assert (
        f"{sigma:.3g} for batches of one, {sigma / 4:.3g} for batches of 16" in BatchNoise(batch_size=16).description()
    )
    assert "momentum 0.5: 0.00098 after ten" in TrainEvalGap(momentum=0.5).description()


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, declares every name once, and reaches for nothing outside."""
    assert_bundle_stands_alone(name)


@pytest.mark.parametrize("make", MAKERS)
def test_output_holds_widget_page_and_words(make) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence; only digits take room."""
    widget = make()
    assert_three_forms(widget, most=130_000 if make is StabilityMap else 90_000)


@pytest.mark.parametrize("make", MAKERS)
def test_still_is_a_picture(make) -> None:
    """The still picture is well-formed SVG with at least ten shapes or a curve."""
    root = ElementTree.fromstring(make().still())
    shapes = [node for node in root.iter() if node.tag.removeprefix(SVG) in {"rect", "path", "circle"}]
    assert len(shapes) >= 10 or len(list(root.iter(f"{SVG}polyline"))) >= 2


def test_still_maps_read_without_colour() -> None:
    """A slow cell has a dash, a diverged one a cross: 3 and 2 of them without, none with batch normalisation."""
    marks = [node.get("d", "") for node in ElementTree.fromstring(small_map().still()).iter(f"{SVG}path")]
    assert sorted(mark.count("M") for mark in marks) == [1, 1, 1, 2, 2]


def test_import_is_light() -> None:
    """The looks load neither Torch nor scikit-learn nor SciPy, nor the references that a lesson grades."""
    code = "import sys\nfrom course_lib.widgets import batchnorm\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
