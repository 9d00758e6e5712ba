"""What every look promises on the Python side; the lessons' own test files say of which looks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

from course_lib.widgets import _base

SVG = "{http://www.w3.org/2000/svg}"


def assert_bundle_stands_alone(name: str) -> None:
    """A bundle imports nothing, declares every name once, and reaches for nothing outside."""
    text = _base.bundle(name)
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert text.count("export default { render }") == 1
    declared = re.findall(r"^(?:export )?(?:function\*?|const|class|let) (\w+)", text, re.MULTILINE)
    assert len(declared) == len(set(declared))
    assert "</script" not in text
    assert not set(re.findall(r"https?://[^\s\"'`]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(fetch|XMLHttpRequest|importScripts)\b", text)


def assert_three_forms(widget: Any, most: int) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence; `most` characters."""
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == widget.description()
    assert 'alt="' in data["text/html"]
    assert '<script type="module">' in data["text/html"]
    assert len(data["text/html"]) < most


def assert_still_is_a_picture(widget: Any) -> None:
    """The still picture is well-formed SVG with at least ten shapes or a curve."""
    root = ElementTree.fromstring(widget.still())
    shapes = [node for node in root.iter() if node.tag.removeprefix(SVG) in {"rect", "path", "circle"}]
    assert len(shapes) >= 10 or len(list(root.iter(f"{SVG}polyline"))) >= 1
