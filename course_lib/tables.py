"""Small tables: lines of text for terminals, HTML for notebooks. Cells are text; escaping is done here."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

_CELL = "style='text-align:{side};padding:.15em .9em .15em 0'"


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = ()) -> list[str]:
    """The table as lines, columns as wide as they must be.

    Args:
        head: titles of the columns.
        rows: the cells, as many in each row as titles.
        numbers: columns that hold numbers and end at the right.

    >>> text_table(("layer", "size"), [("conv", "1,024"), ("fc", "8")], numbers=(1,))
    ['layer   size', 'conv   1,024', 'fc         8']
    """
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k in numbers else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = (), caption: str = ""
) -> str:
    """The table as HTML; the first column names the row.

    Args:
        head: titles of the columns.
        rows: the cells, as many in each row as titles.
        numbers: columns that hold numbers and end at the right.
        caption: one line above the table, or "".
    """
    titles = "".join(f"<th scope='col' {_style(k, numbers)}>{html.escape(title)}</th>" for k, title in enumerate(head))
    body = "".join(f"<tr>{_cells(row, numbers)}</tr>" for row in rows)
    label = f"<caption style='text-align:left'>{html.escape(caption)}</caption>" if caption else ""
    return f"<table style='border-collapse:collapse;margin:.3em 0'>{label}<tr>{titles}</tr>{body}</table>"


def _cells(row: Sequence[str], numbers: Collection[int]) -> str:
    first, *others = (html.escape(cell) for cell in row)
    cells = "".join(f"<td {_style(k, numbers)}>{cell}</td>" for k, cell in enumerate(others, start=1))
    return f"<th scope='row' {_style(0, numbers)}>{first}</th>{cells}"


def _style(column: int, numbers: Collection[int]) -> str:
    return _CELL.format(side="right" if column in numbers else "left")
