"""What every look widget shares: its JavaScript bundle, its style, and the page it becomes without a kernel.

The arithmetic and the drawing run in the browser; Python keeps a few traits in step with them. JavaScript lies in
``static/`` as plain modules. `bundle` joins a module with the ones it imports, because a widget is loaded as one text.
An import that ends in ``?text`` gives the joined module as a string: a worker is made from it.
"""

from __future__ import annotations

import base64
import html
import json
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import anywidget

STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_TEXT_IMPORT = re.compile(r'^import (\w+) from "\./([a-z_]+\.js)\?text";\n', re.MULTILINE)
_NAMED_EXPORT = re.compile(r"^export (?=function|const|class)", re.MULTILINE)


@cache
def bundle(name: str) -> str:
    """Join a module of ``static/`` with everything it imports.

    Args:
        name: file name of the main module, such as ``"neuron.js"``; its exports survive.

    Returns:
        One ES module without imports.
    """
    *helpers, main = _needed(name)
    return "\n".join([*(_NAMED_EXPORT.sub("", _without_imports(part)) for part in helpers), _without_imports(main)])


def _without_imports(name: str) -> str:
    text = _IMPORT.sub("", (STATIC / name).read_text(encoding="utf-8"))
    return _TEXT_IMPORT.sub(lambda found: f"const {found[1]} = {json.dumps(bundle(found[2]))};\n", text)


def _needed(name: str) -> list[str]:
    """Return the modules in the order in which they must stand, the asked one last."""
    order: list[str] = []
    for used in _IMPORT.findall((STATIC / name).read_text(encoding="utf-8")):
        order += [part for part in _needed(used) if part not in order]
    return [*order, name]


@cache
def style() -> str:
    """Return the style sheet of all look widgets."""
    return (STATIC / "look.css").read_text(encoding="utf-8")


class Look(anywidget.AnyWidget):
    """A widget that computes in the browser and still shows something where no kernel runs.

    A subclass sets ``_esm`` and ``_module``, names the traits the page needs in ``_page_state`` and gives a
    still picture and its description.
    """

    _css = style()
    _module = ""
    _page_state: tuple[str, ...] = ()

    def description(self) -> str:
        """Return one or two sentences that say what the still picture shows."""
        raise NotImplementedError

    def still(self) -> str:
        """Return the still picture as SVG text."""
        raise NotImplementedError

    def page(self) -> str:
        """Return HTML that needs no kernel and no network.

        It starts as a still picture with a text alternative and comes alive where scripts run.
        """
        host = f"look-{uuid.uuid4().hex[:12]}"
        picture = base64.b64encode(self.still().encode()).decode()
        state = json.dumps({name: getattr(self, name) for name in self._page_state}).replace("<", "\\u003c")
        script = (
            bundle(self._module)
            + f'\nrender({{ model: stillModel({state}), el: document.getElementById("{host}") }});\n'
        )
        return (
            f'<style>{style()}</style>\n<div id="{host}"><figure><img src="data:image/svg+xml;base64,{picture}" '
            f'alt="{html.escape(self.description(), quote=True)}" style="width: 100%; max-width: 420px">'
            f"</figure></div>\n"
            f'<script type="module">\n{script}</script>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/plain": self.description(), "text/html": self.page()}, metadata
