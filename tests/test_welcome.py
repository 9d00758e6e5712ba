"""The welcome notebook: one look, one exercise that names mistakes, one picture, and what `make lab` opens."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import picture_promises as promises
import pytest

from autograder.catalogue import LESSONS, WELCOME, find_exercise, find_lesson
from autograder.course import Mistake, OtherWay
from autograder.expected import public_cases
from autograder.leaks import leaks
from autograder.release import build_notebook
from course_lib import numpy_kernels, torch_kernels
from course_lib.casefile import read_tree
from course_lib.check import examine
from course_lib.exam import CASES
from course_lib.plots import welcome as plots
from course_lib.tree import pack
from course_lib.widgets.neuron import PUPILS, DecisionBoundary

ROOT = Path(__file__).resolve().parents[1]
EXERCISE = WELCOME.exercises[0]
SOLUTION = ROOT / "solutions" / WELCOME.id / f"{WELCOME.id}.ipynb"
RELEASED = ROOT / "notebooks" / WELCOME.id / f"{WELCOME.id}.ipynb"


def code_cells(path: Path) -> list[str]:
    """The code of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_the_welcome_is_not_a_lesson() -> None:
    """It is found by its name, and it is not one of the nine."""
    assert WELCOME not in LESSONS
    assert find_lesson(WELCOME.id) is WELCOME
    assert find_exercise("admit") == (WELCOME, EXERCISE)


def test_what_is_committed_is_what_the_source_builds() -> None:
    """The solution notebook and the public cases come from the sources, and the released notebook leaks nothing."""
    assert SOLUTION.read_bytes() == build_notebook(SOLUTION.with_suffix(".py"))
    kept, made = (pack(tree) for tree in (read_tree(CASES / f"{WELCOME.id}.safetensors"), public_cases(WELCOME)))
    assert kept[0] == made[0]
    assert all(np.array_equal(one, other) for one, other in zip(kept[1], made[1], strict=True))
    assert leaks(RELEASED.read_bytes(), SOLUTION.read_bytes()) == []
    answer = next(cell for cell in code_cells(RELEASED) if cell.startswith("def admit"))
    assert "NotImplementedError" in answer


def test_the_welcome_stays_short() -> None:
    """A five-minute page: few boxes, each short, one look and one exercise."""
    cells = code_cells(SOLUTION)
    assert len(cells) <= 8
    assert sum("DecisionBoundary(" in cell for cell in cells) == sum(cell.startswith("check(") for cell in cells) == 1
    answer = next(cell for cell in code_cells(SOLUTION) if cell.startswith("def admit"))
    assert len(answer.partition('    """\n    ### BEGIN')[2].splitlines()) - 2 == 3


@pytest.mark.parametrize("mistake", EXERCISE.mistakes, ids=lambda mistake: mistake.id)
def test_a_wrong_answer_is_named(mistake: Mistake) -> None:
    """Whoever makes a listed mistake is told which one it is."""
    report = examine("admit", mistake.code)
    assert not report.passed
    assert mistake.says in (report.advice + report.headline)


@pytest.mark.parametrize("way", EXERCISE.other_ways, ids=lambda way: way.id)
def test_another_right_answer_passes(way: OtherWay) -> None:
    """Loops pass, and so do ones and zeros instead of True and False."""
    assert examine("admit", way.code).passed


def test_both_references_agree() -> None:
    """NumPy and Torch answer alike for random pupils, and refuse marks of two lengths."""
    import torch

    rng = np.random.default_rng(3)
    maths, physics = rng.uniform(0, 20, (2, 50))
    ours = numpy_kernels.admit(maths, physics, 1.3, -0.7, -2.0)
    theirs = torch_kernels.admit(torch.from_numpy(maths), torch.from_numpy(physics), 1.3, -0.7, -2.0)
    assert ours.dtype == bool and 0 < ours.sum() < 50
    np.testing.assert_array_equal(ours, theirs.numpy())
    with pytest.raises(ValueError, match="physics has shape"):
        numpy_kernels.admit(maths, physics[:3], 1.0, 1.0, 0.0)


def test_one_slider_alone_reaches_the_goal() -> None:
    """With the weights that the page sets, the bias that its text computes with puts all twelve pupils right."""
    source = "\n".join(code_cells(SOLUTION))
    w = tuple(map(float, re.search(r"w=\(([\d.]+), ([\d.]+)\)", source).groups()))
    start = float(re.search(r"b=(-[\d.]+)\)", source)[1])
    assert DecisionBoundary("admission", w=w, b=start).correct < 9
    assert DecisionBoundary("admission", w=w, b=-16.0).correct == len(PUPILS)
    assert w[0] * 14 + w[1] * 8 - 16 == 2


def test_the_picture_is_drawn_by_the_given_function() -> None:
    """Another function, another picture and another count; it speaks, is wide, and repeats."""
    line = DecisionBoundary("admission", w=(1.0, 0.5), b=-16.0)
    picture = plots.drawn_by(numpy_kernels.admit, PUPILS, line)
    promises.assert_speaks(picture)
    promises.assert_wide_and_not_blank(picture)
    promises.assert_repeats(lambda: plots.drawn_by(numpy_kernels.admit, PUPILS, line))
    other = plots.drawn_by(lambda *all_of_it: ~numpy_kernels.admit(*all_of_it), PUPILS, line)
    assert "12 of 12" in picture.alt
    assert "0 of 12" in other.alt
    assert picture.png() != other.png()


def test_make_lab_opens_it_without_a_pop_up() -> None:
    """The target opens this notebook from the lessons' folder, and turns announcements off in our environment only."""
    command = ["make", "--dry-run", "--always-make", "lab", "VENV=somewhere"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    opened = re.search(r"--notebook-dir=(\S+) --LabApp.default_url=/lab/tree/(\S+)", said)
    assert (ROOT / opened[1] / opened[2]).resolve() == RELEASED
    assert "somewhere/etc/jupyter/labconfig/page_config.json" in said
    assert "apputils-extension:announcements" in said
