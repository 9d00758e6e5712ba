"""The Python side of the drawing pad: its network, arguments, still picture, bundle, and words without a kernel."""

from __future__ import annotations

import base64
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
from torch import nn

from course_lib.widgets.digit_pad import DigitPad, layers_of, probabilities

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"
DENSE = [("flatten",), ("dense", np.random.default_rng(0).normal(size=(10, 64)), None)]


def network(seed: int = 0) -> nn.Sequential:
    """A chain with everything the pad computes, float32 as learners have it."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Conv2d(6, 9, (3, 2), padding=1, bias=False), nn.ReLU(), nn.Dropout(), nn.MaxPool2d(3, 1), nn.Flatten(),
        nn.Linear(54, 12), nn.ReLU(), nn.Identity(), nn.Linear(12, 10, bias=False),
    )  # fmt: skip


WRONG = [
    (lambda: DigitPad(DENSE, width=1), "DigitPad needs width as a whole number between 2 and 32; it got 1."),
    (lambda: DigitPad(DENSE, width=8.5), "width as a whole number"),
    (lambda: DigitPad(DENSE, digit=10), "DigitPad needs digit as a whole number between 0 and 9"),
    (lambda: DigitPad(DENSE, classes=11), "classes as a whole number between 2 and 10"),
    (lambda: DigitPad(DENSE, classes=3), "DigitPad needs 3 scores per image; these layers give an output (1, 10)."),
    (lambda: DigitPad([("tanh",)]), "Layer 1 of DigitPad is 'tanh'. Use one of: conv, relu, maxpool, flatten, dense."),
    (lambda: DigitPad([("conv", np.ones((4, 2, 3, 3)), None, 1)]), "Layer 1 of DigitPad (conv) does not fit outputs"),
    (lambda: DigitPad([("flatten",), ("dense", np.ones((10, 63)), None)]), "Layer 2 of DigitPad (dense) does not fit"),
    (lambda: DigitPad(nn.Sequential(nn.Tanh())), "DigitPad cannot compute a layer Tanh. It knows: Conv2d, ReLU"),
    (lambda: layers_of(nn.Conv2d(1, 4, 3, stride=2)), "Conv2d with stride 1"),
    (lambda: layers_of(nn.Conv2d(1, 4, 3, padding=(1, 0))), "one whole number as padding; this layer has (1, 0)"),
    (lambda: layers_of(nn.Conv2d(1, 4, 3, padding="same")), "one whole number as padding; this layer has 'same'"),
    (lambda: layers_of(nn.MaxPool2d(2, padding=1)), "MaxPool2d without padding"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the layer or the range."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_probabilities_equal_the_module() -> None:
    """The rows of a module give its softmax, on random images."""
    module = network().eval()
    x = np.random.default_rng(1).random((5, 1, 8, 8))
    with torch.no_grad():
        expected = torch.softmax(module(torch.tensor(x).float()), dim=1).numpy()
    found = probabilities(layers_of(module), x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-12)


def test_rows_may_hold_arrays_tensors_or_lists() -> None:
    """NumPy arrays, Torch parameters and nested lists of the same weights give the same pad."""
    w = np.random.default_rng(2).normal(size=(10, 64))
    kinds = (w, nn.Parameter(torch.tensor(w)), w.tolist())
    pads = [DigitPad([("flatten",), ("dense", kind, np.zeros(10))], digit=3) for kind in kinds]
    assert pads[0].layers == pads[1].layers == pads[2].layers
    assert len({pad.still() for pad in pads}) == 1


def test_weights_travel_whole() -> None:
    """What the page gets is every weight as float64, row by row, and the settings of each layer."""
    module = network()
    sent = DigitPad(module).layers
    kinds = "conv relu maxpool conv relu maxpool flatten dense relu dense".split()
    assert [layer["kind"] for layer in sent] == kinds
    read = np.frombuffer(base64.b64decode(sent[3]["w"]["data"]), dtype="<f8").reshape(sent[3]["w"]["shape"])
    np.testing.assert_array_equal(read, module[1].weight.detach().numpy().astype(np.float64))
    assert sent[3]["b"] is None
    assert [(sent[k]["kernel"], sent[k]["stride"]) for k in (2, 5)] == [(2, 2), (3, 1)]
    assert (sent[0]["padding"], sent[3]["padding"]) == (1, 1)


def test_weights_are_copied() -> None:
    """Training on after the pad was made does not change what its still picture shows."""
    module = network()
    pad = DigitPad(module, digit=5)
    before = pad.still()
    with torch.no_grad():
        module[0][0].weight.add_(1.0)
    assert pad.still() == before
    assert DigitPad(module, digit=5).still() != before


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with."""
    pad = DigitPad(DENSE, digit=7, width=16, fit=False, stretch=False)
    page = pad.page()
    for part in ('"meant": 7', '"width": 16', '"fit": false', '"stretch": false'):
        assert part in page
    assert pad.strokes == pad.readymade[7]
    assert DigitPad(DENSE).strokes == []
    three = DigitPad([("flatten",), ("dense", np.ones((3, 64)), None)], classes=3)
    assert len(three.readymade) == 3


def test_still_and_words_follow_the_drawing() -> None:
    """Another digit, pen or network changes the picture; the words say what is drawn and read."""
    stills = [DigitPad(DENSE, digit=d, width=w).still() for d, w in ((1, 8), (7, 8), (7, 20))]
    stills.append(DigitPad(network(), digit=7, width=20).still())
    assert len(set(stills)) == 4
    ElementTree.fromstring(stills[0])
    bars = [node for node in ElementTree.fromstring(stills[2]).iter(f"{SVG}rect") if node.get("height") == "15"]
    assert len(bars) == 10
    words = DigitPad(DENSE, digit=8, width=20).description()
    assert words.startswith("An 8 drawn with a pen of 20 on 128x128 cells")
    pad = DigitPad(DENSE)
    assert pad.description().startswith("A 4 drawn with a pen of 8")
    pad.strokes = [[[20.0, 20.0]], [[30.0, 90.0], [100.0, 90.0]]]
    assert pad.description().startswith("A digit drawn")
    assert "polyline" in pad.still()


def test_bundle_stands_alone() -> None:
    """The bundle imports nothing, declares every name once, and reaches for nothing outside."""
    assert_bundle_stands_alone("digit_pad.js")


def test_output_holds_widget_page_and_words() -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence."""
    pad = DigitPad(network())
    assert_three_forms(pad, most=110_000)
    assert 'alt="A 4 drawn' in pad.page()


def test_import_is_light() -> None:
    """The pad and the strokes load neither Torch nor scikit-learn nor SciPy, nor the references a lesson grades."""
    code = "import sys\nfrom course_lib import strokes\nfrom course_lib.widgets import digit_pad\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
