"""The gallery holds every look of the course, with what the lessons' networks learned, and needs nothing else."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import grimp
import numpy as np
import pytest

from autograder.catalogue import LESSONS
from course_lib import widgets
from course_lib.widgets import _recorded, gallery
from course_lib.widgets._base import Look
from course_lib.widgets.digit_pad import probabilities


def public_looks() -> set[str]:
    """Class names of the looks that the modules of `course_lib.widgets` define."""
    names = [name for _, name, _ in pkgutil.iter_modules(widgets.__path__) if not name.startswith("_")]
    modules = [importlib.import_module(f"course_lib.widgets.{name}") for name in names]
    classes = [found for module in modules for _, found in inspect.getmembers(module, inspect.isclass)]
    return {found.__name__ for found in classes if issubclass(found, Look) and not found.__name__.startswith("_")} - {
        "Look"
    }


@pytest.fixture(scope="module")
def page() -> str:
    """The page, made once."""
    return gallery.page()


def test_every_look_is_in_the_gallery() -> None:
    """Whoever writes a look puts it into the list; all lessons are there, in order."""
    assert {type(shown.make()).__name__ for shown in gallery.LOOKS} == public_looks()
    lessons = [shown.lesson for shown in gallery.LOOKS]
    assert lessons == sorted(lessons)


def test_lessons_have_their_titles() -> None:
    """The gallery and the catalogue name the nine lessons alike."""
    taught = {lesson.id[:2]: lesson.title for lesson in LESSONS if lesson.id[:2] in gallery.LESSONS}
    assert taught == gallery.LESSONS
    assert set(gallery.LESSONS) == {shown.lesson for shown in gallery.LOOKS}


def test_page_holds_every_look_once(page) -> None:
    """A heading, a sentence, a still picture with words and a script for each; ids are unique; the style comes once."""
    count = len(gallery.LOOKS)
    assert page.count("<h3>") == page.count('<script type="module">') == page.count("<figure><img") == count
    assert page.count("container-type: inline-size") == 1
    ids = re.findall(r'<[a-z0-9]+ [^>]*\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 2 * count + 1 + 2 * len(gallery.LESSONS)


def test_page_stands_alone(page) -> None:
    """It loads nothing, and links only to itself."""
    assert set(re.findall(r'\b(?:href|src)="([^"]*)', page)) <= {
        "#looks",
        *(f"#lesson-{number}" for number in gallery.LESSONS),
        *re.findall(r'src="(data:image/svg\+xml;base64,[^"]*)', page),
    }
    assert not re.search(r"@import|url\((?!#)", page)


def test_headings_and_sentences_are_written_out() -> None:
    """Every look has its own heading and one sentence."""
    assert len({shown.title for shown in gallery.LOOKS}) == len(gallery.LOOKS)
    assert all(shown.to_try.endswith((".", "?")) and len(shown.to_try) > 30 for shown in gallery.LOOKS)


def test_recorded_networks_are_trained_ones() -> None:
    """The pad's network reads real digits, the text model knows order, and the runs are as many as in the lesson."""
    from course_lib.data import load_digits

    data = load_digits()
    rows = [_recorded._row(**layer) for layer in _recorded.recorded()["DigitPad"]["layers"]]
    found = probabilities(rows, data.x_test.reshape(-1, 1, 8, 8)).argmax(axis=1)
    assert np.mean(found == data.y_test) > 0.9
    chances = [_recorded.text_model().probabilities(line, 24)["in order"] for line in SENTENCES]
    assert chances[0] > 0.9 > 0.5 > chances[1]
    assert len(_recorded.widths_and_dropout().runs) == 12


SENTENCES = ("returns the sum of all elements of the array.", "the of returns sum all elements the of array.")


def test_no_look_reaches_for_pyplot() -> None:
    """No chain of imports leads from a widget to Matplotlib: a callback could not touch pyplot if it wanted to."""
    graph = grimp.build_graph("course_lib", include_external_packages=True, cache_dir=None)
    assert "matplotlib" in graph.modules
    for module in graph.find_descendants("course_lib.widgets"):
        assert graph.find_shortest_chain(importer=module, imported="matplotlib") is None, module
