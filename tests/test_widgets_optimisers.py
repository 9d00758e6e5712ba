"""The Python side of the looks of lesson 04: arguments, still pictures, bundles, and words without a kernel."""

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

from course_lib.widgets import _base
from course_lib.widgets.optimisers import DRAWN, RUNNERS, AdamBias, ContourRace
from course_lib.widgets.schedules import KINDS, RangeTest, ScheduleDesigner

ROOT = Path(__file__).resolve().parents[1]
MAKERS = (ContourRace, AdamBias, ScheduleDesigner, RangeTest)
MODULES = ("contour_race.js", "adam_bias.js", "schedule_designer.js", "range_test.js")
SVG = "{http://www.w3.org/2000/svg}"
WRONG = [
    (lambda: ContourRace("hill"), "no surface 'hill'. Use one of: bowl, ravine, valleys"),
    (lambda: ContourRace(runners=("sgd", "lion")), "no runner 'lion'. Use some of: sgd, momentum"),
    (lambda: ContourRace(start=(1.0,)), "needs two weights"),
    (lambda: ContourRace(lr=0), "lr between 0.001 and 3.17"),
    (lambda: ContourRace(mu=1.0), "mu between 0 and 0.99"),
    (lambda: ContourRace(conditioning=101), "conditioning between 1 and 100"),
    (lambda: ContourRace(noise=float("nan")), "noise between 0 and 5"),
    (lambda: ContourRace(seed=100), "seed between 0 and 99"),
    (lambda: ContourRace(step=301), "step between 0 and 300"),
    (lambda: AdamBias(beta1=1.0), "beta1 between 0 and 0.99"),
    (lambda: AdamBias(beta2=0.1), "beta2 between 0.5 and 0.9999"),
    (lambda: AdamBias(noise=-1), "noise between 0 and 2"),
    (lambda: ScheduleDesigner("linear"), "no schedule 'linear'. Use one of: constant, step"),
    (lambda: ScheduleDesigner(period=0), "period between 10 and 1200"),
    (lambda: ScheduleDesigner(decay=1.0), "decay between 0.9 and 0.9999"),
    (lambda: RangeTest(lr=10), "lr between 0.0001 and 3.17"),
    (lambda: RangeTest(seed=10), "seed between 0 and 9"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget's parts and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with."""
    race = ContourRace(
        "valleys", start=np.array([1.5, 0.5]), runners=("adam",), lr=0.1, mu=0.5, conditioning=20, noise=1
    )
    assert (race.surface, race.start, race.runners, race.conditioning) == ("valleys", [1.5, 0.5], ["adam"], 20)
    assert '"start": [1.5, 0.5]' in race.page()
    assert '"kind": "cosine"' in ScheduleDesigner("cosine", warm=50).page()
    assert '"beta2": 0.99' in AdamBias(beta2=0.99).page()
    assert '"seed": 4' in RangeTest(seed=4).page()


def test_names_equal_in_both_languages() -> None:
    """Python and JavaScript know the same runners, surfaces and schedules."""
    tables = [
        ("race_picture.js", RUNNERS),
        ("surfaces.js", ("bowl", "ravine", "valleys")),
        ("rate_rules.js", KINDS),
    ]
    for module, names in tables:
        text = (_base.STATIC / module).read_text(encoding="utf-8")
        table = text.split(" = {\n", 1)[1].split("\n};", 1)[0]
        assert tuple(re.findall(r"^  (\w+): \{", table, re.MULTILINE)) == names
    assert set(DRAWN) < set(RUNNERS)


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, declares every name once, and reaches for nothing outside."""
    assert_bundle_stands_alone(name)


@pytest.mark.parametrize("make", MAKERS)
def test_output_holds_widget_page_and_words(make) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence."""
    assert_three_forms(make(), most=95_000)


@pytest.mark.parametrize("make", MAKERS)
def test_still_is_a_picture_with_lines_and_axis_names(make) -> None:
    """The still picture is well-formed SVG, has lines, and names both axes."""
    root = ElementTree.fromstring(make().still())
    assert len(list(root.iter(f"{SVG}polyline"))) >= 2
    assert len([text for text in root.iter(f"{SVG}text") if text.text]) >= 2


def test_still_follows_the_conditioning() -> None:
    """A steeper bowl has other contour lines, and the sentence says how steep."""
    assert ContourRace(conditioning=50).still() != ContourRace().still()
    assert "50 times steeper across" in ContourRace(conditioning=50).description()


def test_adam_sentence_states_the_first_and_longest_step() -> None:
    """The numbers of the sentence are those of the moments, added up step by step."""
    beta1, beta2, m, v, sizes = 0.9, 0.999, 0.0, 0.0, []
    for _ in range(50):
        m, v = beta1 * m + (1 - beta1), beta2 * v + (1 - beta2)
        sizes.append(m / v**0.5)
    assert f"the first is {sizes[0]:.2f} and the longest {max(sizes):.2f}." in AdamBias().description()
    assert sizes[0] == pytest.approx(0.1 / 0.001**0.5)


def test_import_is_light() -> None:
    """The looks load neither Torch nor Matplotlib nor SciPy, nor the references that a lesson grades."""
    code = "import sys\nimport course_lib.widgets.optimisers, course_lib.widgets.schedules\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "pandas", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
