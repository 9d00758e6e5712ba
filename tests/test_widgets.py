"""The Python side of the look widgets: arguments, data, bundles, and what they become without a kernel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from course_lib.widgets import _base
from course_lib.widgets._stills import half_plane
from course_lib.widgets.mlp import PRESETS, HiddenFold, XorTrainer, initial_weights
from course_lib.widgets.neuron import PUPILS, XOR, DecisionBoundary

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("neuron.js", "hidden_fold.js", "xor_trainer.js")
MAKERS = {
    "neuron": DecisionBoundary,
    "admission": lambda: DecisionBoundary("admission"),
    "fold": HiddenFold,
    "trainer": XorTrainer,
}
WRONG = [
    (lambda: DecisionBoundary("and"), 'no data named \'and\'. Use "xor" or "admission"'),
    (lambda: DecisionBoundary(w=(1.0, 2.0, 3.0)), "needs two weights"),
    (lambda: HiddenFold("twins"), "no preset 'twins'. Use one of: apart, sum, difference"),
    (lambda: HiddenFold(gain=0.1), "gain between 0.5 and 12"),
    (lambda: HiddenFold(t=2), "t between 0 and 1"),
    (lambda: XorTrainer(hidden=17), "hidden between 1 and 16"),
    (lambda: XorTrainer(lr=float("nan")), "lr between 0.01"),
    (lambda: XorTrainer(seed=-1), "seed between 0 and 99"),
    (lambda: XorTrainer(weights=(1, 2, 3)), "four arrays of numbers"),
    (lambda: XorTrainer(weights=([[1, 2]], [1], [[1, 2]], [0])), r"w1 \(H, 2\)"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget and the remedy."""
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(("bias", "right"), [(-0.5, 3), (0.5, 2), (-1.0, 1), (-3.0, 2)])
def test_boundary_counts_right_corners(bias, right) -> None:
    """With weights (1, 1) the count at the start follows the bias; a tie answers 0."""
    assert DecisionBoundary(b=bias).correct == right


def test_default_start_leaves_something_to_do() -> None:
    """Neither data set starts at its best possible count."""
    for data in ("xor", "admission"):
        widget = DecisionBoundary(data)
        assert widget.correct < widget.best


def test_pupils_follow_the_rule_of_the_school() -> None:
    """Two times maths plus physics of at least 33 admits, on marks from 0 to 20, and one neuron can say so."""
    marks = np.array(PUPILS)
    assert marks[:, :2].min() >= 0
    assert marks[:, :2].max() <= 20
    assert np.array_equal(2 * marks[:, 0] + marks[:, 1] >= 33, marks[:, 2])
    assert DecisionBoundary("admission", w=(2.0, 1.0), b=-32.5).correct == 12


def test_start_weights_are_drawn_in_order_and_range() -> None:
    """Shapes fit a 2-H-1 network, values lie in (-2, 2), seeds differ, one seed repeats."""
    weights = initial_weights(5, seed=3)
    assert {name: np.shape(part) for name, part in weights.items()} == {
        "w1": (5, 2),
        "b1": (5,),
        "w2": (1, 5),
        "b2": (1,),
    }
    values = np.concatenate([np.ravel(part) for part in weights.values()])
    assert np.abs(values).max() < 2
    assert len(set(values)) == values.size
    assert weights == initial_weights(5, seed=3) != initial_weights(5, seed=4)


def test_start_weights_spread_over_the_range() -> None:
    """Over all seeds the mean and the spread are those of a uniform draw on (-2, 2)."""
    values = np.concatenate([np.ravel(part) for seed in range(100) for part in initial_weights(16, seed).values()])
    assert abs(values.mean()) < 0.05
    assert abs(values.std() - 2 / np.sqrt(3)) < 0.03


def test_trainer_takes_weights_from_arrays() -> None:
    """Arrays of any float type become lists the page can read, and set the number of hidden units."""
    weights = (np.ones((3, 2), np.float32), np.zeros(3), np.ones((1, 3)), np.zeros(1))
    trainer = XorTrainer(weights=weights)
    assert trainer.hidden == 3
    assert trainer.initial == {"w1": [[1.0, 1.0]] * 3, "b1": [0.0] * 3, "w2": [[1.0] * 3], "b2": [0.0]}


def test_presets_equal_in_both_languages() -> None:
    """Python and JavaScript hold the same directions and thresholds."""
    text = (_base.STATIC / "hidden_fold.js").read_text(encoding="utf-8")
    rows = re.findall(r"^  (\w+): \{ text: .*, w: (\[\[.*?\]\]), thresholds: (\[.*?\]) \},$", text, re.MULTILINE)
    numbers = {name: (json.loads(w), json.loads(at)) for name, w, at in rows}
    assert numbers.keys() == PRESETS.keys()
    for name, (directions, thresholds) in PRESETS.items():
        np.testing.assert_array_equal(numbers[name][0], directions)
        np.testing.assert_array_equal(numbers[name][1], thresholds)


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, holds each part once, renders, and reaches for nothing outside."""
    text = _base.bundle(name)
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert text.count("export default { render }") == 1
    assert text.count("function openFrame(") == 1
    assert "</script" not in text
    assert not set(re.findall(r"https?://[^\s\"'`]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(fetch|XMLHttpRequest|importScripts)\b", text)


def test_bundle_has_no_import_left_over(tmp_path, monkeypatch) -> None:
    """A part used by two others stands before both, once."""
    (tmp_path / "a.js").write_text("export const a = 1;\n")
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = a;\n')
    (tmp_path / "c.js").write_text('import { a } from "./a.js";\nimport { b } from "./b.js";\nexport default [a, b];\n')
    monkeypatch.setattr(_base, "STATIC", tmp_path)
    assert _base.bundle("c.js").split() == "const a = 1; const b = a; export default [a, b];".split()


@pytest.mark.parametrize("kind", MAKERS)
def test_output_holds_widget_page_and_words(kind) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence."""
    widget = MAKERS[kind]()
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == widget.description()
    assert 'alt="' in data["text/html"]
    assert '<script type="module">' in data["text/html"]
    assert len(data["text/html"]) < 70_000


@pytest.mark.parametrize("kind", MAKERS)
def test_still_is_an_svg_with_every_point(kind) -> None:
    """The still picture is well-formed and shows all points with their class as a digit."""
    widget = MAKERS[kind]()
    root = ElementTree.fromstring(widget.still())
    digits = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.text in {"0", "1"}]
    expected = PUPILS if kind == "admission" else XOR
    assert sorted(digits) == sorted(str(point[2]) for point in expected)


def test_page_escapes_what_it_is_given(monkeypatch) -> None:
    """Text in a trait or a description can end neither the script nor the attribute it stands in."""
    widget = DecisionBoundary()
    monkeypatch.setattr(DecisionBoundary, "still", lambda self: "<svg/>")
    monkeypatch.setattr(DecisionBoundary, "description", lambda self: 'a "quoted" <b>')
    widget.data = "</script><b>"
    page = widget.page()
    assert page.count("</script") == 1
    assert 'alt="a &quot;quoted&quot; &lt;b&gt;"' in page


def test_half_plane_matches_the_rule() -> None:
    """A grid point lies in the clipped polygon exactly when w . x + b > 0."""
    for w, b in (((1.0, 1.0), -0.5), ((-2.0, 0.3), 1.0), ((0.0, 1.0), -0.7)):
        polygon = half_plane(w, b, 0.0, 1.0)
        for x, y in product(np.linspace(0.05, 0.95, 10), repeat=2):
            z = w[0] * x + w[1] * y + b
            assert abs(z) < 1e-9 or _contains(polygon, x, y) == (z > 0)
    assert half_plane((0.0, 0.0), -1.0, 0.0, 1.0) == []
    assert len(half_plane((0.0, 0.0), 1.0, 0.0, 1.0)) == 4


def _contains(polygon, x, y) -> bool:
    """All turns from edge to point have the same sign (the polygon is convex, counter-clockwise)."""
    edges = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return bool(polygon) and all((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) >= 0 for (x1, y1), (x2, y2) in edges)


def test_import_is_light() -> None:
    """The widgets load neither Torch nor Matplotlib nor SciPy: the browser draws."""
    code = (
        "import sys\n"
        "import course_lib.widgets.mlp, course_lib.widgets.neuron\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert set(done.stdout.split()).isdisjoint({"torch", "matplotlib", "scipy", "pandas", "PIL"})
