"""The table of `environment()`, with one line that the browser writes itself once Python has answered it."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from course_lib import environment_messages as messages
from course_lib.widgets._base import bundle


class Heartbeat(anywidget.AnyWidget):
    """A table that asks Python something as soon as it is drawn.

    Args:
        report: what is shown; its HTML has one row marked ``data-looks``.
    """

    _esm = bundle("heartbeat.js")

    table = traitlets.Unicode(help="the table as HTML").tag(sync=True)
    alive = traitlets.Unicode(messages.LOOKS_ALIVE, help="said when Python has answered").tag(sync=True)
    waiting = traitlets.Unicode(messages.LOOKS_WAITING, help="said until then").tag(sync=True)
    signs = traitlets.Dict(help="mark and word per state").tag(sync=True)
    beat = traitlets.Int(0, help="counts the browser's questions").tag(sync=True)
    answer = traitlets.Int(0, help="counts Python's answers").tag(sync=True)

    def __init__(self, report: Any, **kwargs: Any) -> None:
        signs = {"well": ["✓", messages.WELL], "note": ["·", messages.NOTE]}
        super().__init__(table=report._repr_html_(), signs=signs, **kwargs)
        self.report = report

    @traitlets.observe("beat")
    def _answer(self, change: dict[str, Any]) -> None:
        self.answer = change["new"]

    def __repr__(self) -> str:
        return repr(self.report)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/plain": repr(self), "text/html": self.report._repr_html_()}, metadata
