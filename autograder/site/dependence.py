"""Which cells of a lesson show something that depends on the learner's answers.

What enters: the cells of a solution notebook in order, and which of them hold answers. What leaves: ids of the cells
whose output nobody sees before answering. A name is followed from the answer through every statement that reads it.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def cells_that_need_answers(cells: Sequence[Mapping[str, Any]], answers: Iterable[str]) -> set[str]:
    """Return the ids of all code cells that hold an answer or use one, directly or through other cells.

    Args:
        cells: code cells in order, each with ``id`` and ``source``.
        answers: ids of the cells that hold answers.

    >>> cells = [{"id": "a", "source": "def f(): ..."}, {"id": "b", "source": "y = f()"}, {"id": "c", "source": "1"}]
    >>> sorted(cells_that_need_answers(cells, ["a"]))
    ['a', 'b']
    """
    answers, tainted, found = set(answers), set(), set()
    for cell in cells:
        for statement in _statements(cell["source"]):
            reads, makes = _names(statement)
            if cell["id"] in answers or reads & tainted:
                tainted |= makes | _changed_by(statement)
                found.add(cell["id"])
            elif not isinstance(statement, ast.If | ast.For | ast.While | ast.Try | ast.With):
                tainted -= makes
    return found


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:  # a magic of IPython's: it runs, but is no Python
        return []


def _names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Names of the notebook that a statement reads, inside its functions too, and names that it gives a value."""
    top = symtable.symtable(ast.unparse(statement), "cell", "exec")
    reads = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    makes = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    inner = list(top.get_children())
    for table in inner:
        inner += table.get_children()
        reads |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_referenced()}
    return reads, makes


def _changed_by(statement: ast.stmt) -> set[str]:
    """Names whose parts a statement sets: `x[0] = …` and `x.y = …` change x."""
    parts = (part for part in ast.walk(statement) if isinstance(part, ast.Subscript | ast.Attribute))
    stored = [part.value for part in parts if isinstance(part.ctx, ast.Store)]
    return {name.id for part in stored for name in ast.walk(part) if isinstance(name, ast.Name)}
