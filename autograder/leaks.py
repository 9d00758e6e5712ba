"""What a released notebook would give away. Reads text, runs nothing."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
MARKERS = (BEGIN, END, "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "BEGIN MARK SCHEME", "END MARK SCHEME")
RUN_OF_STATEMENTS = 3
# Nodes of the syntax tree from which on a whole answer of one or two statements is more than a commonplace.
SHORT_ANSWER_NODES = 14
LONG_LINE = 40

Cell = dict[str, Any]


def leaks(released: bytes, solution: bytes) -> list[str]:
    """What the released notebook gives away, one sentence each; empty when nothing.

    Looks for markers, outputs, three statements of an answer in a row (or all of a shorter one), graded names that
    are defined outside their own cell, and long lines of a written answer.

    Args:
        released: the notebook for learners, as JSON.
        solution: the notebook with answers, as JSON.
    """
    answers, public = (_cells(content) for content in (solution, released))
    found = [sentence for cell in public for sentence in _surface_leaks(cell)]
    runs = _answer_runs(answers)
    names = {_grade_id(cell) for cell in answers if _is_answer(cell)} - {""}
    lines = {line for cell in answers if _is_answer(cell) for line in _hidden_lines(cell)}
    for cell in public:
        where = f"cell {cell['id']!r}"
        found += [f"{where} holds a line of an answer: {line!r}." for line in sorted(lines) if line in cell["source"]]
        if cell["cell_type"] == "code":
            found += _code_leaks(cell, where, runs, names)
    return found


def answer_sources(solution: bytes) -> Iterator[tuple[str, str, list[str]]]:
    """Grade id and text of every cell of code with an answer, and the parts of it that learners must not see."""
    for cell in _cells(solution):
        if cell["cell_type"] == "code" and _is_answer(cell):
            yield _grade_id(cell), cell["source"], _regions(cell["source"])


def _cells(notebook: bytes) -> list[Cell]:
    cells = json.loads(notebook)["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def _surface_leaks(cell: Cell) -> Iterator[str]:
    for marker in MARKERS:
        if marker in cell["source"]:
            yield f"cell {cell['id']!r} holds the marker {marker!r}."
    if cell.get("outputs") or cell.get("attachments"):
        yield f"cell {cell['id']!r} holds outputs or attachments."


def _code_leaks(cell: Cell, where: str, runs: set[str], names: set[str]) -> Iterator[str]:
    sizes = range(1, RUN_OF_STATEMENTS + 1)
    shown = (run for body in _bodies(cell["source"]) for size in sizes for run in _runs(body, size))
    if not runs.isdisjoint(shown):
        yield f"{where} holds statements of an answer."
    for name in sorted(_defined(cell["source"]) & (names - {_grade_id(cell)})):
        yield f"{where} defines the graded name {name!r}."


def _grade_id(cell: Cell) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def _is_answer(cell: Cell) -> bool:
    return cell["metadata"].get("nbgrader", {}).get("solution", False)


def _regions(source: str) -> list[str]:
    """The parts of an answer cell that learners must not see: the marked ones, or all of it."""
    regions, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line:
            regions.append([])
            inside = True
        elif END in line:
            inside = False
        elif inside:
            regions[-1].append(line)
    return [textwrap.dedent("\n".join(lines)) for lines in regions] or [source]


def _hidden_lines(cell: Cell) -> Iterator[str]:
    # Prose only: code is compared as syntax, and a line of code that the cell shows itself is no leak.
    if cell["cell_type"] == "markdown":
        for region in _regions(cell["source"]):
            yield from (line.strip() for line in region.split("\n") if len(line.strip()) >= LONG_LINE)


def _answer_runs(cells: Iterable[Cell]) -> set[str]:
    code = (cell["source"] for cell in cells if cell["cell_type"] == "code" and _is_answer(cell))
    found: set[str] = set()
    for bodies in (list(_bodies(region)) for source in code for region in _regions(source)):
        for body in bodies:
            found.update(_runs(body, RUN_OF_STATEMENTS))
        whole = bodies[0] if bodies else []
        if len(whole) < RUN_OF_STATEMENTS and _size(whole) >= SHORT_ANSWER_NODES:
            found.update(_runs(whole, len(whole)))
    return found


def _runs(body: list[ast.stmt], size: int) -> Iterator[str]:
    dumps = [ast.dump(statement) for statement in body]
    for start in range(len(dumps) - size + 1):
        yield "\n".join(dumps[start : start + size])


def _size(body: list[ast.stmt]) -> int:
    return sum(1 for statement in body for _ in ast.walk(statement))


def _bodies(source: str) -> Iterator[list[ast.stmt]]:
    """Every list of statements in the code, outermost first; none when it is not Python (magics)."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body:
                yield body


def _defined(source: str) -> set[str]:
    top = next(_bodies(source), [])
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
    named = {node.name for node in top if isinstance(node, kinds)}
    targets = [target for node in top if isinstance(node, ast.Assign) for target in node.targets]
    return named | {target.id for target in targets if isinstance(target, ast.Name)}
