"""How a check looks: a small table in notebooks, the same facts as plain text in terminals."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np

from course_lib import messages
from course_lib.diagnose import Row

_CELL = "style='text-align:left;padding:.15em .9em .15em 0'"


@dataclass(frozen=True)
class Finding:
    """What the journal keeps of an attempt: the recognised mistake's id or None, one sentence, and was it a number?"""

    mistake: str | None = None
    sentence: str = ""
    question: bool = False


@dataclass(frozen=True)
class CheckReport:
    """What a check found; renders as HTML and as text.

    Args:
        name: the exercise or question.
        headline: one sentence.
        passed: is the answer right?
        rows: one per case.
        advice: the sentence of a recognised mistake, or "".
        lesson: id of the lesson, or "" where that does not matter.
        finding: for the journal; None when nothing was tried yet.
        way_out: what to do after several attempts, or "".
    """

    name: str
    headline: str
    passed: bool
    rows: tuple[Row, ...] = ()
    advice: str = ""
    lesson: str = ""
    finding: Finding | None = None
    way_out: str = ""

    @property
    def worst(self) -> Row | None:
        """The first case that failed."""
        return next((row for row in self.rows if row.note), None)

    def __repr__(self) -> str:
        lines = [f"{_mark(self.passed)} {self.name}: {self.headline}"]
        lines += [
            f"  {_mark(not row.note)} {row.case:<26} "
            f"NumPy {_word(row, row.numpy)}, Torch {_word(row, row.torch)}: {_verdict(row)}"
            for row in self.rows
        ]
        lines += [f"  {self.advice}"] if self.advice else []
        if self.worst:
            lines.append("  " + messages.RESULT.format(case=self.worst.case, message=self.worst.note))
            lines += [f"  {line}" for line in _map_lines(self.worst)]
        lines += [f"  {self.way_out}"] if self.way_out else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        color = "#1a6e34" if self.passed else "#9a3412"
        parts = [
            f"<div role='status' style='border-left:4px solid {color};padding:.3em .8em;max-width:48em'>",
            f"<p style='margin:.2em 0'><strong>{_mark(self.passed)} {html.escape(self.name)}</strong> "
            f"{html.escape(self.headline)}</p>",
            f"<p style='margin:.4em 0'>{html.escape(self.advice)}</p>" if self.advice else "",
            _table(self.rows) if self.rows else "",
            _details(self.worst) if self.worst else "",
            f"<p style='margin:.4em 0'>{html.escape(self.way_out)}</p>" if self.way_out else "",
            "</div>",
        ]
        return "".join(parts)


def _table(rows: tuple[Row, ...]) -> str:
    head = "".join(f"<th scope='col' {_CELL}>{title}</th>" for title in ("Case", "NumPy", "Torch", "Verdict"))
    body = "".join(
        f"<tr><th scope='row' {_CELL}>{html.escape(row.case)}</th><td {_CELL}>{_word(row, row.numpy)}</td>"
        f"<td {_CELL}>{_word(row, row.torch)}</td><td {_CELL}>{_mark(not row.note)} {_verdict(row)}</td></tr>"
        for row in rows
    )
    return f"<table style='border-collapse:collapse;margin:.3em 0'><tr>{head}</tr>{body}</table>"


def _details(row: Row) -> str:
    text = html.escape(messages.RESULT.format(case=row.case, message=row.note))
    lines = _map_lines(row)
    grid = f"<pre style='line-height:1.1'>{html.escape(chr(10).join(lines))}</pre>" if lines else ""
    return f"<p style='margin:.3em 0'>{text}</p>{grid}"


def _map_lines(row: Row) -> list[str]:
    error_map = row.difference.error_map if row.difference else None
    if error_map is None or error_map.size < 2 or max(error_map.shape) > 40:
        return []
    grid = np.where(error_map, "■", "·")
    return [messages.MAP_CAPTION, *(" ".join(line) for line in grid)]


def _mark(good: bool) -> str:
    return "✓" if good else "✗"


def _verdict(row: Row) -> str:
    return "right" if not row.note else "almost" if row.numpy else "wrong"


def _word(row: Row, agrees: bool) -> str:
    return "stopped" if row.stopped else "agrees" if agrees else "differs"


def show(report: object) -> None:
    """Display a report, or anything else that can show itself: rich where there is a notebook, plain text elsewhere."""
    try:
        from IPython import get_ipython
    except ImportError:
        get_ipython = None
    shell = get_ipython() if get_ipython else None
    if shell is not None and "IPKernelApp" in getattr(shell, "config", {}):
        from IPython.display import display

        display(report)
    else:
        print(report)
