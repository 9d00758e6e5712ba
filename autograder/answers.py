"""Which statements of a notebook does an exercise need? Found by reading, never by running.

For each exercise the answer is a slice of the notebook: the answer cell's statements, and from all other
cells the imports, definitions and assignments whose names it uses, directly or through others. Demo
cells, plots and trainings are not in any slice, so they cost nothing and can break nothing.
"""

from __future__ import annotations

import ast
import re
import symtable
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from autograder.sandbox.job import Piece
from autograder.submission import Cell, Submission, without_line_magic

_DEFINITIONS = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign,
    ast.AugAssign, ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While, ast.Match,
)  # fmt: skip
MAX_REPAIRS = 50
KEPT_CELLS = 1_000
WORTH_KEEPING = 20_000
_IMPORT = re.compile(r"(import|from)\b")


@dataclass(frozen=True)
class Statement:
    """One top-level statement of a code cell.

    Args:
        cell: number of its cell.
        line: its first line in that cell.
        source: its text.
        binds: names that it gives a value.
        uses: global names that it, or a function in it, reads.
        mutates: names whose object it changes in place.
        in_answer_of: exercise whose answer cell it stands in, or "".
        binds_everything: is it ``from x import *``, or does it change how all later code is read?
    """

    cell: int
    line: int
    source: str
    binds: frozenset[str]
    uses: frozenset[str]
    mutates: frozenset[str] = frozenset()
    in_answer_of: str = ""
    binds_everything: bool = False

    @property
    def piece(self) -> Piece:
        """What is sent to the worker."""
        return Piece(f"cell {self.cell}", self.source, self.line)


@dataclass(frozen=True)
class Answer:
    """What was handed in for one exercise.

    Args:
        statements: the slice, in the order in which it is run. Empty when the answer is missing or broken.
        depends_on: other exercises whose answers are in the slice.
        syntax_error: sentence about a syntax error in the answer cell, or "".
    """

    statements: tuple[Statement, ...] = ()
    depends_on: frozenset[str] = frozenset()
    syntax_error: str = ""

    @property
    def pieces(self) -> list[Piece]:
        """The slice as the worker takes it."""
        return [statement.piece for statement in self.statements]


class Notebook:
    """A submission, parsed into statements.

    Args:
        submission: the cells.
        exercise_ids: names that answers may have (exercises and questions).
        given: the lesson's own statements, for names that the submission lost (a deleted import cell).
    """

    def __init__(self, submission: Submission, exercise_ids: Collection[str], given: Sequence[Statement] = ()) -> None:
        self.exercise_ids = frozenset(exercise_ids)
        self._given = given
        self._answers: dict[tuple[str, frozenset[str]], Answer] = {}
        self.syntax_errors: dict[int, str] = {}
        self.statements: list[Statement] = []
        self.answer_cells: dict[str, list[int]] = {}
        self._broken: dict[int, str] = {}
        for cell in submission.cells:
            answers = cell.grade_id if cell.grade_id in self.exercise_ids else ""
            # A code answer whose cell was turned into text by accident still counts.
            if not cell.is_check and (cell.kind == "code" or answers):
                self._add(cell, answers)
        # `np.random.seed(0)` changes NumPy, not the learner's data: such lines are demo, not answer.
        imports = [statement for statement in self.statements if _IMPORT.match(statement.source)]
        self.imported = {name for statement in imports for name in statement.binds}
        self._places = {id(statement): place for place, statement in enumerate((*given, *self.statements))}
        self._by_name: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for name in statement.binds | (statement.mutates - self.imported):
                self._by_name.setdefault(name, []).append(statement)

    def _add(self, cell: Cell, answers: str) -> None:
        if answers:
            self.answer_cells.setdefault(answers, []).append(cell.number)
        try:
            self.statements.extend(parse_cell(cell, answers))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            at = f", line {line}" if line else ""
            text = (getattr(error, "text", None) or "").strip()[:120]
            shown = f": `{text}`" if text else ""
            says = getattr(error, "msg", None) or "the code is nested too deeply"
            self._broken[cell.number] = cell.source
            self.syntax_errors[cell.number] = f"Cell {cell.number}{at}{shown} is not valid Python ({says})."

    def constant(self, name: str) -> object:
        """The value of the last ``name = <constant>``, or None."""
        for statement in reversed(self.statements):
            if name in statement.binds and statement.source.startswith(name):
                node = ast.parse(statement.source.strip()).body[0]
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                    return node.value.value
        return None

    def answer(self, exercise_id: str, also: Collection[str] = ()) -> Answer:
        """The slice for one exercise.

        Args:
            exercise_id: name of the function, class or variable that is judged.
            also: other names that the cases call.
        """
        key = exercise_id, frozenset(also)
        if key not in self._answers:
            self._answers[key] = self._answer(exercise_id, also)
        return self._answers[key]

    def _answer(self, exercise_id: str, also: Collection[str]) -> Answer:
        home = self._home(exercise_id)
        if home is None:
            return Answer(syntax_error=self._syntax_error(exercise_id))
        chosen = self._slice({exercise_id, *also}, home)
        needs = {name for statement in chosen for name in statement.uses} | set(also)
        depends_on = frozenset(needs & self.exercise_ids - {exercise_id})
        return Answer(tuple(chosen), depends_on)

    def _syntax_error(self, exercise_id: str) -> str:
        """The sentence about its broken answer cell, or about a broken cell that seems to define it, or ""."""
        marked = [number for number in self.answer_cells.get(exercise_id, ()) if number in self._broken]
        definition = re.compile(rf"^[ \t]*(def|class)[ \t]+{re.escape(exercise_id)}\b", re.MULTILINE)
        found = marked or [number for number, source in self._broken.items() if definition.search(source)]
        return self.syntax_errors[found[-1]] if found else ""

    def _home(self, exercise_id: str) -> int | None:
        """The cell that binds the name: the last answer cell that does, else the last cell at all."""
        binding = [statement for statement in self._by_name.get(exercise_id, ()) if exercise_id in statement.binds]
        marked = [statement.cell for statement in binding if statement.in_answer_of == exercise_id]
        anywhere = [statement.cell for statement in binding]
        return (marked or anywhere or [None])[-1]

    def _slice(self, names: set[str], home: int) -> list[Statement]:
        chosen = {id(s): s for s in self.statements if s.binds_everything}
        pending, known = list(names), set(names)
        while pending:
            for statement in self._providers(pending.pop(), home):
                if id(statement) not in chosen:
                    chosen[id(statement)] = statement
                    pending.extend(statement.uses - known)
                    known |= statement.uses
        return sorted(chosen.values(), key=lambda statement: self._places[id(statement)])

    def _providers(self, name: str, home: int) -> Iterable[Statement]:
        binding = self._by_name.get(name, [])
        if name in self.exercise_ids:
            # An answer cell that brings its own version of another exercise means that one.
            own = home if any(name in s.binds and s.cell == home for s in binding) else self._home(name)
            return [statement for statement in binding if statement.cell == own]
        if not binding:
            return [statement for statement in self._given if name in statement.binds]
        # As when the notebook is run from the top; a helper that stands further down is accepted too.
        return [statement for statement in binding if statement.cell <= home] or binding


def parse_cell(cell: Cell, in_answer_of: str = "") -> Iterator[Statement]:
    """The statements of a cell that define something.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the cell is not Python.
    """
    parse = _parsed_before if len(cell.source) <= WORTH_KEEPING else _statements
    for statement in parse(cell.source):
        yield replace(statement, cell=cell.number, in_answer_of=in_answer_of)


def _statements(source: str) -> tuple[Statement, ...]:
    """Statements that do not know their cell yet."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source, tree = _parse(source)
        # Columns count bytes.
        lines = source.encode().split(b"\n")
        for node in tree.body:
            first = _first_line(node, lines)
            try:
                statement = _statement(node, _text(node, first, lines), first)
            except SyntaxError as error:
                # Only the whole cell knows its lines.
                error.lineno = (error.lineno or 1) + first - 1
                raise
            if statement is not None:
                found.append(statement)
    return tuple(found)


# Most cells of a class are alike: imports, pictures, what nobody changed.
_parsed_before = lru_cache(KEPT_CELLS)(_statements)


def _first_line(node: ast.stmt, lines: Sequence[bytes]) -> int:
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
    while getattr(node, "decorator_list", ()) and not lines[first - 1].startswith(b"@") and first > 1:
        first -= 1
    return first


def _text(node: ast.stmt, first: int, lines: Sequence[bytes]) -> str:
    """The statement alone, also when it shares lines with others (`a = 1; b = 2`)."""
    if first == node.end_lineno:
        return lines[first - 1][node.col_offset : node.end_col_offset].decode()
    head = lines[first - 1][node.col_offset if first == node.lineno else 0 :]
    tail = lines[node.end_lineno - 1][: node.end_col_offset]
    return b"\n".join([head, *lines[first : node.end_lineno - 1], tail]).decode()


def _parse(source: str) -> tuple[str, ast.Module]:
    """Parse as a notebook would: magics are left out, and code may be indented as a whole."""
    for _repair in range(MAX_REPAIRS):
        try:
            return source, ast.parse(source)
        except SyntaxError as error:
            refused = error
        repaired = without_line_magic(source, refused.lineno or 0)
        if repaired == source and isinstance(refused, IndentationError):
            repaired = _dedented(source)
        if repaired == source:
            break
        source = repaired
    raise refused


def _dedented(source: str) -> str:
    """Without the first line's indentation, which notebooks forgive."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in source.split("\n"))


def _statement(node: ast.stmt, text: str, line: int) -> Statement | None:
    mutated = _mutated(node)
    if not isinstance(node, _DEFINITIONS) and not mutated:
        return None
    top = symtable.symtable(text, "cell", "exec")
    binds = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    star = isinstance(node, ast.ImportFrom) and (
        node.module == "__future__" or any(alias.name == "*" for alias in node.names)
    )
    uses = frozenset(_global_names(top)) - binds
    return Statement(0, line, text, frozenset(binds), uses, frozenset(mutated), binds_everything=star)


def _global_names(table: symtable.SymbolTable) -> Iterator[str]:
    at_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (at_top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _global_names(child)


def _mutated(node: ast.stmt) -> set[str]:
    """Names whose object is changed: ``table[k] = v``, ``table.x = v``, ``table.append(v)``."""
    match node:
        case ast.Assign(targets=targets):
            pass
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            targets = [target]
        case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
            targets = [method]
        case _:
            targets = []
    return {name for target in targets if (name := _root(target)) and not isinstance(target, ast.Name)}


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def solution_statements(notebook: Notebook, names: Sequence[str]) -> list[Statement]:
    """The slices of several exercises of the solution notebook, together, in order."""
    chosen = {id(s): s for name in names for s in notebook.answer(name).statements}
    return [statement for statement in notebook.statements if id(statement) in chosen]
