"""A small site: three real lessons, a few outputs put in by hand instead of run, three pages of documentation."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

from autograder.catalogue import find_lesson
from autograder.folders import Folders
from autograder.site.build import Site, build, sources
from autograder.site.runs import Run, read
from course_lib.check import examine
from course_lib.plots.xor_mlp import sigmoid_and_slope
from course_lib.widgets.neuron import DecisionBoundary

PROJECT = Path(__file__).parent.parent
LESSONS = ("01_xor_mlp", "07_batchnorm", "08_residual")
DOCS = {
    "index.md": "# Documentation\n\n[For learners](learner.md#checks), [the licence](../LICENSE).\n",
    "learner.md": "# For learners\n\n## Checks\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "decisions/0001-first.md": "# The first decision\n\nSee [learners](../learner.md).\n",
}


def small_course(folder: Path) -> Folders:
    """Three lessons of the real course, and little documentation."""
    for kind in ("solutions", "notebooks"):
        for lesson in LESSONS:
            shutil.copytree(PROJECT / kind / lesson, folder / kind / lesson)
    shutil.copy(PROJECT / "nbgrader_config.py", folder)
    for name, text in DOCS.items():
        (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    return Folders(folder)


def some_outputs(folders: Folders) -> Run:
    """What a run of lesson 01 would show: a look, a picture, a check, and a cell that needs an answer."""
    source = {cell.id: cell.source for cell in read(folders.solution("01_xor_mlp"), "01_xor_mlp").cells}
    look = next(name for name, text in source.items() if text == 'DecisionBoundary("admission")')
    picture = next(name for name, text in source.items() if text == "plots.sigmoid_and_slope()")
    waiting = next(name for name, text in source.items() if text.startswith("if ready("))
    report = examine("sigmoid", lambda x: x)
    shown = {
        look: _bundle(DecisionBoundary("admission").page()),
        picture: sigmoid_and_slope()._repr_mimebundle_(),
        "check_sigmoid": _bundle(report._repr_html_()),
        waiting: _bundle("<p>what only the solved page shows</p>"),
    }
    return Run({name: (source[name], [_output(data)]) for name, data in shown.items()})


def _bundle(html: str) -> dict[str, str]:
    return {"text/html": html, "text/plain": ""}


def _output(data: dict[str, str]) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}}


@cache
def small_site(folder: Path) -> Site:
    """Build the small site in a folder."""
    folders = small_course(folder / "course")
    lessons = [find_lesson(name) for name in LESSONS]
    texts = sources(folders, lessons, {"01_xor_mlp": some_outputs(folders), "07_batchnorm": None, "08_residual": None})
    return build(folders, texts, folder / "site")
