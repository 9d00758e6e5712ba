"""The Python side of three looks of lesson 06: arguments, data, still pictures, bundles, and words without a kernel."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from look_promises import assert_bundle_stands_alone, assert_three_forms
from matplotlib.image import imread

from course_lib.numpy_kernels.architecture import receptive_field
from course_lib.numpy_kernels.conv2d import conv2d_loops
from course_lib.widgets.convolution import KernelEditor, ReceptiveField, SlidingWindow

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"
UPRIGHT = [[-1, 0, 1]] * 3
IMAGE = np.random.default_rng(6).normal(size=(7, 9))
MAKERS = (lambda: KernelEditor(IMAGE, UPRIGHT), lambda: SlidingWindow(padding=1), ReceptiveField)
MODULES = ("kernel_editor.js", "sliding_window.js", "receptive_field.js")
WRONG = [
    (lambda: KernelEditor(np.zeros((4, 9))), "needs an image (H, W) with sides from 5 to 96; it got (4, 9)"),
    (lambda: KernelEditor(np.zeros((97, 9))), "it got (97, 9)"),
    (lambda: KernelEditor(np.zeros((8, 8, 3))), "it got (8, 8, 3)"),
    (lambda: KernelEditor(np.full((8, 8), np.nan)), "needs finite grey values"),
    (lambda: KernelEditor(IMAGE, np.zeros((3, 2))), "needs a kernel of 3 x 3 entries from -9 to 9"),
    (lambda: KernelEditor(IMAGE, np.full((3, 3), np.nan)), "needs a kernel of 3 x 3 entries"),
    (lambda: KernelEditor(IMAGE, np.full((3, 3), 9.5)), "needs a kernel of 3 x 3 entries"),
    (lambda: KernelEditor(IMAGE, row=5), "KernelEditor needs row between 0 and 4; it got 5"),
    (lambda: SlidingWindow(size=2), "SlidingWindow needs size between 3 and 12"),
    (lambda: SlidingWindow(kernel=6), "kernel between 1 and 5"),
    (lambda: SlidingWindow(size=3, kernel=4), "a kernel of at most 3 entries, the size; it got 4"),
    (lambda: SlidingWindow(stride=0), "stride between 1 and 4"),
    (lambda: SlidingWindow(padding=5), "padding between 0 and 4"),
    (lambda: SlidingWindow(dilation=4), "dilation between 1 and 3"),
    (lambda: ReceptiveField([(3, 1)] * 7), "at most 6 layers, each a pair (kernel, stride)"),
    (lambda: ReceptiveField([(3, 1, 1)]), "each a pair (kernel, stride)"),
    (lambda: ReceptiveField([(8, 1)]), "ReceptiveField needs kernel between 1 and 7"),
    (lambda: ReceptiveField([(3, 0)]), "stride between 1 and 4"),
    (lambda: ReceptiveField(size=15), "size between 16 and 48"),
    (lambda: ReceptiveField([(3, 1)], cell=30), "needs cell between 0 and 29; it got 30"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget's parts and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with; the chosen places lie in the middle unless asked."""
    editor = KernelEditor(IMAGE, UPRIGHT, row=1)
    np.testing.assert_allclose(editor.image, IMAGE, rtol=1e-4)
    assert (editor.kernel, editor.row, editor.column) == ([[-1.0, 0.0, 1.0]] * 3, 1, 3)
    assert '"kernel": [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]' in KernelEditor(IMAGE).page()
    assert '"stride": 3' in SlidingWindow(9, 4, stride=3).page()
    assert '"layers": [[5, 1], [2, 2]], "cell": 6' in ReceptiveField(((5, 1), (2, 2))).page()
    assert ReceptiveField([(3, 1)], cell=0).cell == 0


def grey_pictures(svg: str) -> list[np.ndarray]:
    """The pixels of all pictures inside an SVG."""
    addresses = re.findall(r'href="data:image/png;base64,([^"]+)"', svg)
    return [np.rint(255 * imread(io.BytesIO(base64.b64decode(text)), format="png")) for text in addresses]


def test_editor_still_holds_the_filtered_image() -> None:
    """Both pictures are real PNGs; the right one is what the course's convolution gives, in 256 greys."""
    editor = KernelEditor(IMAGE, UPRIGHT)
    kernel = np.array(UPRIGHT, dtype=float)[None, None]
    out = conv2d_loops(np.array(editor.image)[None, None], kernel)[0, 0]
    left, right = grey_pictures(editor.still())
    assert left.shape == IMAGE.shape
    np.testing.assert_array_equal(right, np.rint(255 * (out - out.min()) / np.ptp(out)))
    assert f"5 x 7 pixels, from {out.min():.4g} (black) to {out.max():.4g} (white)" in editor.description()
    assert set(grey_pictures(KernelEditor(np.ones((5, 5))).still())[0].ravel()) == {0}


def test_field_still_marks_what_the_cell_sees() -> None:
    """The dark cells of the lowest row are as many as the receptive field has, and lie centred below the top one."""
    layers = [(3, 1), (3, 2), (2, 2)]
    rows: dict[str, list[float]] = {}
    for node in ElementTree.fromstring(ReceptiveField(layers).still()).iter(f"{SVG}rect"):
        if node.get("fill") == "#0b4f8a":
            rows.setdefault(node.get("y"), []).append(float(node.get("x")))
    lengths = [len(places) for places in rows.values()]
    assert lengths == [receptive_field([(*layer, 1) for layer in layers[k:]]) for k in (3, 2, 1, 0)]
    assert len({np.mean(places) for places in rows.values()}) == 1


def test_window_still_shows_padding_and_gaps() -> None:
    """Nine dark cells with a gap between them, and a dashed ring of padding, like the words say."""
    widget = SlidingWindow(6, 3, padding=2, dilation=2)
    text = widget.still()
    assert (text.count("<rect"), text.count('fill="#0b4f8a"')) == (100, 9)
    assert text.count("stroke-dasharray") == 100 - 36 - 5
    assert "padding 2 on each side. A window of 3 x 3 cells with dilation 2" in widget.description()


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, declares every name once, and reaches for nothing outside."""
    assert_bundle_stands_alone(name)


@pytest.mark.parametrize("make", MAKERS)
def test_output_holds_widget_page_and_words(make) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence, and it stays small."""
    assert_three_forms(make(), most=75_000)


@pytest.mark.parametrize("make", MAKERS)
def test_still_is_a_picture(make) -> None:
    """The still picture is well-formed SVG that holds two images or many cells."""
    root = ElementTree.fromstring(make().still())
    assert len(list(root.iter(f"{SVG}image"))) == 2 or len(list(root.iter(f"{SVG}rect"))) > 50


def test_import_is_light() -> None:
    """The looks load neither Torch nor scikit-learn nor SciPy, nor the references that a lesson grades."""
    code = "import sys\nfrom course_lib.widgets import convolution\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
