"""The Python side of the looks of lesson 08: arguments, the table, stills, bundles, words without a kernel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from look_promises import assert_bundle_stands_alone, assert_still_is_a_picture, assert_three_forms

from course_lib.widgets.architectures import ARCHITECTURES, FIELDS, ArchitectureMap
from course_lib.widgets.residual import BlockRemoval, BranchScale, DepthNorms, branch_flow, depth_flow

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("depth_norms.js", "branch_scale.js", "block_removal.js", "architecture_map.js")
SVG = "{http://www.w3.org/2000/svg}"
ROW = {"name": "A", "year": 2020, "paper": "P", "parameters": 5, "operations": 9, "accuracy": 71, "source": "S"}


def removal(**changes) -> BlockRemoval:
    """A removal with four blocks."""
    given = {"residual": [0.9, 0.93, 0.94, 0.92], "plain": [0.1, 0.2, 0.5, 0.4], "whole": (0.95, 0.93)}
    return BlockRemoval(**{**given, **changes})


MAKERS = (DepthNorms, BranchScale, removal, ArchitectureMap)
WRONG = [
    (lambda: DepthNorms(3), "DepthNorms needs depth between 4 and 64"),
    (lambda: DepthNorms(gain=float("nan")), "gain between 0.0316 and 3.163"),
    (lambda: DepthNorms(seed=20), "seed between 0 and 19"),
    (lambda: DepthNorms(measure="biases"), "no measure 'biases'. Use one of: weights, outputs"),
    (lambda: BranchScale(0), "BranchScale needs scale between 0.01 and 1"),
    (lambda: BranchScale(blocks=65), "blocks between 4 and 64"),
    (lambda: removal(plain=[0.1]), "as many in plain"),
    (lambda: removal(residual=[0.9], plain=[0.1]), "needs 2 to 40 accuracies"),
    (lambda: removal(whole=(0.9,)), "two in whole"),
    (lambda: removal(plain=[10, 20, 50, 40]), "divide percentages by 100"),
    (lambda: removal(chance=float("inf")), "between 0 and 1"),
    (lambda: removal(block=5), "a block between 0 and 4"),
    (lambda: ArchitectureMap(x="depth"), "no axis 'depth'. Use one of: parameters, operations"),
    (lambda: ArchitectureMap(chosen="LeNet"), "no network 'LeNet'. Use one of: AlexNet"),
    (lambda: ArchitectureMap([ROW]), "2 to 40 rows whose names differ"),
    (lambda: ArchitectureMap([ROW, ROW]), "2 to 40 rows whose names differ"),
    (lambda: ArchitectureMap([ROW, {"name": "B"}]), "lacks year, paper"),
    (lambda: ArchitectureMap([ROW, {**ROW, "name": "B", "operations": 0}]), "cannot use row 'B'"),
    (lambda: ArchitectureMap([ROW, {**ROW, "name": "B", "accuracy": 171}]), "accuracy in percent"),
    (lambda: ArchitectureMap([{**ROW, "name": n, "accuracy": 60} for n in "AB"]), "one of at least 70 %"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget's parts and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with."""
    assert '"measure": "outputs"' in DepthNorms(8, measure="outputs").page()
    assert '"blocks": 64' in BranchScale(0.1, 64).page()
    assert '"whole": [0.95, 0.93], "chance": 0.25, "block": 2' in removal(chance=0.25, block=2).page()
    own = ArchitectureMap([ROW, {**ROW, "name": "B"}], x="operations")
    assert (own.chosen, own.x, own.rows[1]["parameters"]) == ("A", "operations", 5.0)


# The figures of torchvision's documentation, copied a second time: parameters and top-1 accuracy.
PUBLISHED = {
    "AlexNet": (61100840, 56.522),
    "VGG-16": (138357544, 71.592),
    "GoogLeNet": (6624904, 69.778),
    "ResNet-18": (11689512, 69.758),
    "ResNet-34": (21797672, 73.314),
    "ResNet-50": (25557032, 76.130),
    "ResNet-101": (44549160, 77.374),
    "ResNet-152": (60192808, 78.312),
    "SqueezeNet 1.0": (1248424, 58.092),
    "DenseNet-121": (7978856, 74.434),
    "MobileNetV2": (3504872, 71.878),
    "EfficientNet-B0": (5288548, 77.692),
}


def test_table_is_complete_and_sourced() -> None:
    """Every row has all fields, a source that names its model, and the published figures."""
    assert {row["name"]: (row["parameters"], row["accuracy"]) for row in ARCHITECTURES} == PUBLISHED
    for row in ARCHITECTURES:
        assert tuple(row) == FIELDS
        assert re.fullmatch(r"torchvision documentation, \w+ \(weights IMAGENET1K_V1\)", row["source"])
        assert 2e8 < row["operations"] < 2e10
        assert 2012 <= row["year"] <= 2019


def test_plain_network_has_small_gradients_in_all_layers() -> None:
    """At gain 1 the outputs' gradient shrinks towards layer 1, the weights' is about alike in all layers."""
    weights, outputs = depth_flow(16, 1.0, False, 0)
    assert outputs[-1] == pytest.approx(1)
    assert outputs[0] < 0.01
    assert weights.max() / weights.min() < 3


def test_branches_grow_as_told() -> None:
    """At scale 1 32 blocks multiply the variance by about 2 to the power of 32; at 0.1 by less than 2."""
    variances, gradients = branch_flow(1.0, 32, 14)
    assert 2**31 < variances[-1] < 2**33
    assert (len(variances), len(gradients), gradients[-1]) == (33, 33, pytest.approx(1))
    assert max(branch_flow(0.1, 32, 14)[0]) < 2


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
    assert_still_is_a_picture(make())


def test_stills_follow_what_they_describe() -> None:
    """Other settings give another picture and other words."""
    assert DepthNorms(8).still() != DepthNorms(8, measure="outputs").still()
    assert "layers 1 to 8" in DepthNorms(8).description()
    assert BranchScale(0.1).still() != BranchScale(0.2).still()
    assert "90.0% to 94.0%" in removal().description()
    assert "Lowest: AlexNet, 56.5 %. Highest: ResNet-152, 78.3 %." in ArchitectureMap().description()
    assert ArchitectureMap().still() != ArchitectureMap(x="operations").still()


def test_names_cannot_break_the_still() -> None:
    """A network whose name holds signs of SVG is still drawn."""
    rows = [{**ROW, "name": "<A & B>"}, {**ROW, "name": "C", "parameters": 50}]
    assert "<A & B>" in "".join(ElementTree.fromstring(ArchitectureMap(rows).still()).itertext())


def test_import_is_light() -> None:
    """The looks load neither Torch nor Matplotlib, nor the references that a lesson grades."""
    code = "import sys\nfrom course_lib.widgets import residual\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
