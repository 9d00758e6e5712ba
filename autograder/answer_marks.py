"""By what an answer is known again, wherever it hides: its syntax tree, its text, its bytecode, its values.

What enters: sources of references, solutions and other ways, and secret expected values. What leaves: `Marks`, in
which a search looks up what it finds in a file. Names of variables, comments, blanks and quotes make no difference.
Nothing is run.
"""

from __future__ import annotations

import ast
import base64
import builtins
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from course_lib.tree import Tree

# So many statements in a row are more than a coincidence, if they hold so many nodes of a syntax tree; fewer are
# enough where the names of variables are the same, too; ...
RUN = 3
NODES = 30
NAMED_NODES = 14
# ... or so many characters other than blanks, ...
CHARACTERS = 60
# ... or so many bytes of code; and arrays with so many different numbers.
CODE_BYTES = 60
NUMBERS = 4
# So many numbers of an array are looked for, and so many characters and bytes are looked up at a time.
PART = 6
KEY, BYTES_KEY = 32, 16
BYTES = {
    "secrets": "the course's secret, {how}",
    "codes": "bytecode",
    "values": "expected values of a secret case",
}
_KNOWN = {*dir(builtins), "np", "numpy", "torch", "functional", "nn", "math"}
_FUNCTIONS = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)


@dataclass
class Marks:
    """What is looked for; each leads to the exercise that it gives away.

    Args:
        trees: syntax trees of statements in a row, normalised.
        texts: their texts, squeezed.
        codes: bytecode of functions.
        values: expected values of secret cases, as bytes.
        secrets: the course's secret in its usual spellings, as bytes, and what each is.
    """

    trees: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    codes: dict[bytes, str] = field(default_factory=dict)
    values: dict[bytes, str] = field(default_factory=dict)
    secrets: dict[bytes, str] = field(default_factory=dict)
    _indexed: dict[str, tuple[int, dict[Any, list[Any]]]] = field(default_factory=dict)

    def texts_in(self, flat: str) -> set[str]:
        """Exercises whose answers are in a squeezed text."""
        return {self.texts[text] for text in _found(flat, self._index("texts"), KEY)}

    def bytes_in(self, content: bytes) -> Iterator[tuple[str, str]]:
        """What is in some bytes, and of which exercise."""
        for mark in _found(content, self._index(*BYTES), BYTES_KEY):
            for kind, what in BYTES.items():
                if mark in getattr(self, kind):
                    said = getattr(self, kind)[mark]
                    yield (what.format(how=said), "") if kind == "secrets" else (what, said)

    def _index(self, *kinds: str) -> dict[Any, list[Any]]:
        """Marks by their first characters: a file is gone through once, however many marks there are."""
        count = sum(len(getattr(self, kind)) for kind in kinds)
        if self._indexed.get(kinds[0], (-1, {}))[0] != count:
            index: dict[Any, list[Any]] = {}
            for mark in (mark for kind in kinds for mark in getattr(self, kind)):
                index.setdefault(mark[: KEY if kinds == ("texts",) else BYTES_KEY], []).append(mark)
            self._indexed[kinds[0]] = count, index
        return self._indexed[kinds[0]][1]

    def add_source(self, exercise: str, source: str) -> None:
        """Look for an answer.

        Args:
            exercise: its id.
            source: its text; of functions and classes only the bodies count.
        """
        source = textwrap.dedent(source)
        tree = ast.parse(source)
        for body in bodies(tree):
            for run, size in _telling(body):
                self.trees.setdefault(named(run), exercise)
                if size < NODES:
                    continue
                self.trees.setdefault(shape(named(run)), exercise)
                for text in (_text(source, run), "\n".join(map(ast.unparse, run))):
                    if len(squeezed(text)) >= CHARACTERS:
                        self.texts.setdefault(squeezed(text), exercise)

    def add_code(self, exercise: str, source: str) -> None:
        """Look for the bytecode of every function, as this Python makes it.

        Args:
            exercise: its id.
            source: whole definitions, or the cell that holds them.
        """
        for code in _codes(compile(textwrap.dedent(source), "<answer>", "exec", dont_inherit=True)):
            if len(code.co_code) >= CODE_BYTES and not code.co_name.startswith("<"):
                self.codes.setdefault(code.co_code, exercise)

    def add_values(self, exercise: str, tree: Tree) -> None:
        """Look for the numbers of every array in an expected value."""
        for array in _arrays(tree):
            if array.dtype.kind == "f" and array.size >= PART and len(np.unique(array)) >= NUMBERS:
                part = _telling_part(array.ravel())
                for kind in ("<f8", "<f4"):
                    self.values.setdefault(part.astype(kind).tobytes(), exercise)

    def add_secret(self, secret: bytes) -> None:
        """Look for a secret: as it is, in hexadecimal and in base64, wherever it begins in there."""
        found = {
            secret: "as it is",
            secret.hex().encode(): "in hexadecimal",
            secret.hex().upper().encode(): "in hexadecimal",
        }
        for shift in range(3):
            # The first and the last characters depend on the neighbours.
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                found[encode(bytes(shift) + secret)[4 if shift else 0 : -4]] = "in base64"
        self.secrets |= found


def is_python(source: str) -> bool:
    """Can it be read as Python, by itself?"""
    try:
        ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return False
    return True


def _found(content: Any, index: Mapping[Any, list[Any]], size: int) -> set[Any]:
    starts = range(len(content) - size + 1) if index else ()
    near = ((start, marks) for start in starts if (marks := index.get(content[start : start + size])))
    return {mark for start, marks in near for mark in marks if content.startswith(mark, start)}


def _telling_part(numbers: np.ndarray) -> np.ndarray:
    """A few neighbours that differ; zeros alone tell nothing."""
    parts = (numbers[start : start + PART] for start in range(0, numbers.size - PART + 1))
    return max(parts, key=lambda part: len(np.unique(part)))


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements, docstrings left out."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body:
                yield body[1:] if _is_text(body[0]) else body


def named(statements: Iterable[ast.stmt]) -> str:
    """Statements as a text, with the names that they have."""
    return "\n".join(ast.dump(statement, annotate_fields=False) for statement in statements)


def shape(dumped: str) -> str:
    """What `named` gave, with variables numbered in the order of their appearance.

    >>> one, other = (named(ast.parse(text).body) for text in ("a = b + 1", "x=(y)+1 # one"))
    >>> shape(one) == shape(other)
    True
    """
    numbers: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        name = match[2]
        new = name if name in _KNOWN else numbers.setdefault(name, f"v{len(numbers)}")
        return f"{match[1]}'{new}'"

    return re.sub(r"(\bName\(|\barg\()'(\w+)'", renamed, dumped)


def runs(body: list[ast.stmt]) -> Iterator[str]:
    """All that `add_source` may have kept of such a body, as `named` gives it: up to three statements in a row."""
    dumped = [named([statement]) for statement in body]
    for size in range(1, RUN + 1):
        for start in range(len(dumped) - size + 1):
            yield "\n".join(dumped[start : start + size])


def squeezed(text: str, comments: bool = False) -> str:
    """Text without comments, blanks and backslashes, with one kind of quotes: also what stands in a JSON string.

    Args:
        text: any text.
        comments: leave out only the signs at their beginnings, as for code that was commented out.

    >>> squeezed("y = w @ x  # weights") == squeezed('y=w@x')
    True
    """
    text = re.sub(r"\\[nrt]", "\n", text)
    text = text.replace("#", "") if comments else re.sub(r"#[^\n]*", "", text)
    return re.sub(r"[\s\\]+", "", text).replace('"', "'")


def _telling(body: list[ast.stmt]) -> Iterator[tuple[list[ast.stmt], int]]:
    """Three statements in a row, or all of a shorter body, if they are more than a commonplace; and their nodes."""
    body = [statement for statement in body if not isinstance(statement, _FUNCTIONS) and not _is_text(statement)]
    for start in range(max(1, len(body) - RUN + 1)):
        run = body[start : start + RUN]
        size = sum(1 for statement in run for _ in ast.walk(statement))
        # A function may be one `return`. One other statement, in a branch, is rarely an answer; a refusal never is.
        alone = len(run) == 1 and not isinstance(run[0], ast.Return)
        if size >= (NODES if alone else NAMED_NODES) and not isinstance(run[0], ast.Raise):
            yield run, size


def _text(source: str, run: list[ast.stmt]) -> str:
    lines = source.splitlines()[run[0].lineno - 1 : run[-1].end_lineno]
    return "\n".join(lines)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _arrays(tree: Tree) -> Iterator[np.ndarray]:
    if isinstance(tree, np.ndarray):
        yield tree
    for item in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ():
        yield from _arrays(item)
