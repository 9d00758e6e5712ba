"""What our site adds to Sphinx: formulas as MathML, links from "lesson 05" to the lesson, no spoilers by search."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from autograder.site import messages
from autograder.site.font import write_font

SOLVED, LESSONS = "solved/", "lessons/"
_LESSON = re.compile(r"\b[Ll]esson (0[1-9])\b")
_LEFT_OVER = re.compile(r">\s*(\\[A-Za-z]+|[{}])\s*<")
_NOT_INSIDE = (nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.raw, nodes.math)


class FormulaError(SphinxError):
    """A formula that MathML cannot be made of."""

    category = "Formula error"


def mathml(formula: str, *, block: bool = False) -> str:
    r"""Return a formula as MathML, which browsers show and read aloud without a script.

    Args:
        formula: LaTeX, without dollar signs.
        block: does it stand on a line of its own?

    Raises:
        FormulaError: it holds a command that is unknown here.

    >>> mathml("x_1")[:48]
    '<math xmlns="http://www.w3.org/1998/Math/MathML"'
    """
    try:
        made = convert(formula, display="block" if block else "inline")
    except Exception as error:  # latex2mathml raises a class of its own for every slip
        raise FormulaError(messages.NO_FORMULA.format(formula=formula, reason=type(error).__name__)) from None
    left = _LEFT_OVER.search(made)
    if left:
        raise FormulaError(messages.NO_FORMULA.format(formula=formula, reason=left[1]))
    return made


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def _hide_from_search(app: Sphinx, doctree: nodes.document) -> None:
    if app.env.docname.startswith(SOLVED):
        app.env.metadata[app.env.docname]["nosearch"] = True


def _give_levels(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Captions of the navigation are headings to Sphinx, but of no level."""
    levelled = 'role="heading" aria-level="2"'
    context["furo_navigation_tree"] = context.get("furo_navigation_tree", "").replace('role="heading"', levelled)


def _add_font(app: Sphinx, error: Exception | None) -> None:
    path = Path(app.outdir) / "_static" / "math.woff"
    if error is None and not path.exists():
        write_font(path)


def _link_lessons(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    if not docname.startswith((SOLVED, LESSONS)):
        return
    pages = {name.removeprefix(LESSONS)[:2]: name for name in app.env.found_docs if name.startswith(LESSONS)}
    pages.pop(docname.partition("/")[2][:2], None)
    for text in list(doctree.findall(nodes.Text)):
        parents, parent = [], text.parent
        while parent is not None:
            parents.append(parent)
            parent = parent.parent
        if not any(isinstance(parent, _NOT_INSIDE) for parent in parents):
            _link(app, docname, text, pages)


def _link(app: Sphinx, docname: str, text: nodes.Text, pages: dict[str, str]) -> None:
    content, parts, end = text.astext(), [], 0
    for match in _LESSON.finditer(content):
        if match[1] in pages:
            address = app.builder.get_relative_uri(docname, pages[match[1]])
            parts += [nodes.Text(content[end : match.start()])]
            parts += [nodes.reference("", match[0], refuri=address, internal=True)]
            end = match.end()
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(content[end:])])


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's hook."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("doctree-read", _hide_from_search)
    app.connect("doctree-resolved", _link_lessons)
    app.connect("html-page-context", _give_levels, priority=900)  # after the theme has made it
    app.connect("build-finished", _add_font)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
