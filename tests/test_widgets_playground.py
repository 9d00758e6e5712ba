"""The Python side of the playground: codes, arguments, the digits it sends, its still picture and its bundle."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from look_promises import assert_bundle_stands_alone, assert_still_is_a_picture, assert_three_forms

from course_lib.data import load_digits
from course_lib.widgets import _base
from course_lib.widgets.playground import RECORDED_DROPPED, RECORDED_PLAIN, Playground

ROOT = Path(__file__).resolve().parents[1]
WRONG = [
    ({"lr": 0}, "Playground needs lr between 0.0001 and 10; it got 0."),
    ({"p": 0.95}, "p between 0 and 0.9"),
    ({"p": float("nan")}, "p between 0 and 0.9"),
    ({"hidden": 1000}, "hidden between 4 and 256"),
    ({"batch": 1}, "batch between 8 and 400"),
    ({"seed": -1}, "seed between 0 and 99"),
    ({"optimiser": "lion"}, "no optimiser 'lion'. Use one of: sgd, momentum, rmsprop, adam, adamw."),
    ({"code": "lr1"}, "'lr1' is no code"),
    ({"code": "lion-lr1-p0-h64-b32-s0"}, "It looks like 'lr0.32-p0.5-h64-b32-s0' or 'adam-lr0.01-p0.5-h64-b32-s0'."),
    ({"code": "lr50-p0.5-h64-b32-s0"}, "lr between 0.0001 and 10"),
]


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(given, sentence) -> None:
    """A wrong argument is refused with a sentence that says what is possible."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Playground(**given)


@pytest.mark.parametrize(
    ("code", "optimiser", "rest"),
    [
        (" LR0.32-p0.5-h128-b16-s7 ", "sgd", (0.32, 0.5, 128, 16, 7)),
        ("adamw-lr0.0001-p0-h4-b400-s99", "adamw", (0.0001, 0, 4, 400, 99)),
        ("sgd-lr10-p0.9-h8-b8-s0", "sgd", (10, 0.9, 8, 8, 0)),
    ],
)
def test_code_stands_for_all_settings(code, optimiser, rest) -> None:
    """A code, old or new, sets everything, and is written again in its shortest form."""
    given = Playground(code)
    assert (given.optimiser, given.lr, given.p, given.hidden, given.batch, given.seed) == (optimiser, *rest)
    assert given.code == code.strip().lower().removeprefix("sgd-")
    assert Playground(given.code).code == given.code


def test_arguments_win_over_the_code() -> None:
    """One setting can differ from the code's."""
    given = Playground("lr0.32-p0-h128-b16-s7", p=0.7, optimiser="momentum")
    assert given.code == "momentum-lr0.32-p0.7-h128-b16-s7"


def test_page_holds_the_real_digits() -> None:
    """The page gets the first 400 training digits and all 300 validation digits, pixel by pixel."""
    sent, data = Playground().digits, load_digits()
    parts = {"train": (data.x_train[:400], data.y_train[:400]), "validation": (data.x_validation, data.y_validation)}
    for name, (x, y) in parts.items():
        ink = np.array([int(sign, 17) for sign in sent[name]]) / 16
        np.testing.assert_array_equal(ink.reshape(-1, 64), x)
        np.testing.assert_array_equal([int(label) for label in sent[f"{name}_labels"]], y)


def test_bundle_stands_alone() -> None:
    """The bundle imports nothing, declares every name once, and carries its worker as a text without exports."""
    assert_bundle_stands_alone("playground.js")
    assert _base.bundle("playground.js").count("\nconst workerText = ") == 1
    worker = _base.bundle("playground_worker.js")
    assert not re.search(r"^(import|export) ", worker, re.MULTILINE)
    assert "self.onmessage" in worker


def test_output_holds_widget_page_and_words() -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence; the digits take 47 kB of it."""
    assert_three_forms(Playground(), most=180_000)


def test_still_shows_digits_and_recorded_runs() -> None:
    """The still picture holds sixteen digits and two curves; its words name their lowest losses and the code."""
    widget = Playground("adam-lr0.01-p0.5-h64-b32-s0")
    assert_still_is_a_picture(widget)
    assert widget.still().count("<polyline") == 2
    assert len(RECORDED_PLAIN) == len(RECORDED_DROPPED) == 26
    words = widget.description()
    assert "it comes to 0.13, with dropout 0.5 to 0.097." in words
    assert "set to adam-lr0.01-p0.5-h64-b32-s0," in words


def test_import_is_light() -> None:
    """Importing the playground loads neither Torch nor scikit-learn nor SciPy, nor references that a lesson grades."""
    code = "import sys\nfrom course_lib.widgets import playground\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
