"""The notebook of a review session, and the case file with its fresh numbers beside it.

What enters: the exercises that `autograder.review` chose, and the lessons' notebooks. What leaves: two files with
one name. The notebook takes texts, stubs and hints from the lessons, so there is nothing to keep equal by hand;
`course_lib.review` checks its answers against the case file.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import count, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autograder import review_messages as messages
from autograder.course import Exercise, Question
from autograder.expected import expect
from autograder.folders import CourseError, Folders
from autograder.release import KERNELSPEC, RAISES
from autograder.review import Due, comes_back
from course_lib.casefile import write_tree
from course_lib.diagnose import expectation_to_tree
from course_lib.exam import SELF_STUDY, question_text, variant_of

_CASES = ".safetensors"
_MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")

Cell = Mapping[str, Any]
Track = Callable[[Sequence[Due]], Iterable[Due]]


@dataclass(frozen=True)
class Session:
    """A review session to be.

    Args:
        chosen: what it asks for, in order.
        day: its day.
        seed: from which the fresh numbers follow; it names the session in the journal.
    """

    chosen: Sequence[Due]
    day: date
    seed: str

    @property
    def asked(self) -> set[str]:
        """Ids of what it asks for."""
        return {one.exercise for one in self.chosen}

    @property
    def minutes(self) -> int:
        """How long it takes, about."""
        return sum(one.minutes for one in self.chosen)

    @property
    def learner(self) -> str:
        """Whose numbers the exam questions have: not those that everybody has who learns alone."""
        lessons = {one.lesson for one in self.chosen}
        names = (f"review {self.seed} {number}" for number in count(1))
        return next(name for name in names if all(_other_variant(lesson, name) for lesson in lessons))


def _other_variant(lesson: str, learner: str) -> bool:
    return variant_of(lesson, learner) != variant_of(lesson, SELF_STUDY)


def write_review(folders: Folders, session: Session, folder: Path, track: Track = iter) -> Path:
    """Write the notebook of a session and its case file; nothing is overwritten.

    Args:
        folders: the course; its lessons lend texts and stubs.
        session: what to write.
        folder: where; the files are called by the day, and ``-2`` and so on follow.
        track: told about the exercises one by one while their numbers are drawn.

    Returns:
        The notebook's path.

    Raises:
        CourseError: a lesson does not hold one of the exercises.
        OSError: the folder cannot be written to, or a lesson cannot be read.
    """
    import nbformat

    folder.mkdir(parents=True, exist_ok=True)
    drawn = {one.exercise: tree for one in track(session.chosen) if (tree := _fresh(session, one))}
    names = (session.day.isoformat() + (f"-{number}" if number > 1 else "") for number in count(1))
    name = next(name for name in names if not any((folder / f"{name}{end}").exists() for end in (_CASES, ".ipynb")))
    path = folder / f"{name}.ipynb"
    notebook = nbformat.from_dict(_notebook(folders, session, path))
    lessons = {one.exercise: one.lesson for one in session.chosen}
    tree = {"seed": session.seed, "lessons": lessons, "exercises": drawn, "learner": session.learner}
    with path.open("x", encoding="utf-8") as file:
        file.write(nbformat.writes(notebook) + "\n")
    write_tree(tree, path.with_suffix(_CASES), list(lessons), mode=0o644)
    return path


def builds_on(folders: Folders, items: Iterable[Due]) -> dict[str, set[str]]:
    """Exercise to the exercises that its solution, or what it is played with, calls."""
    found = {}
    for one in items:
        _, item = comes_back()[one.lesson, one.exercise]
        found[item.id] = (_used(folders, one.lesson, item) | {*_uses(item)}) & _kernels() - {item.id}
    return found


def _uses(item: Exercise | Question) -> tuple[str, ...]:
    return item.uses if isinstance(item, Exercise) else ()


def _used(folders: Folders, lesson: str, item: Exercise | Question) -> set[str]:
    """Names in the solution of an exercise, and in that of what it is played with."""
    return set().union(*(_names(_answer(folders, lesson, name)) for name in (item.id, *_uses(item))))


def _fresh(session: Session, one: Due) -> Any:
    """Expected values for numbers that nobody saw before; a question needs none, the lesson has 256 variants of it."""
    lesson, item = comes_back()[one.lesson, one.exercise]
    if isinstance(item, Question):
        return None
    drawn = replace(item, cases=lambda rng, public: () if public else item.cases(rng, False))
    return expectation_to_tree(expect(drawn, lesson, session.seed.encode()))


def _notebook(folders: Folders, session: Session, path: Path) -> dict[str, Any]:
    cells = list(_cells(folders, session, path))
    numbered = [{**cell, "id": f"review-{number}"} for number, cell in enumerate(cells)]
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    return {"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cells(folders: Folders, session: Session, path: Path) -> Iterator[Cell]:
    day = f"{session.day.day} {session.day:%B %Y}"
    yield _text(messages.HEAD.format(date=day, minutes=session.minutes, example=session.chosen[0].exercise))
    yield _text(messages.PREPARE)
    yield _code(messages.SETUP.format(imports=_imports(folders, session), name=path.with_suffix(_CASES).name))
    for number, one in enumerate(session.chosen, 1):
        lesson, item = comes_back()[one.lesson, one.exercise]
        link = _link(folders.released(lesson.id), path.parent)
        facts = {"lesson": lesson.id[:2], "title": lesson.title, "link": link, "number": number}
        yield _text(messages.EXERCISE.format(exercise=item.id, minutes=one.minutes, why=one.why, **facts))
        if isinstance(item, Question):
            yield _text(question_text(lesson.id, item.id, session.learner))
        else:
            yield _text(_your_turn(folders.released(lesson.id), item.id))
            yield from (_code(_given(folders, lesson.id, name)) for name in item.uses if name not in session.asked)
        yield from _stub_and_hints(folders.released(lesson.id), item.id)
        yield _code(f'check("{item.id}", {item.id})', tags=[RAISES])
    yield _text(messages.END)


def _text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str, **metadata: Any) -> Cell:
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def _link(target: Path, folder: Path) -> str:
    try:
        return quote(Path(os.path.relpath(target, folder)).as_posix())
    except ValueError:
        # Two drives of Windows: no way leads from one to the other.
        return target.as_uri()


@cache
def _lesson_cells(path: Path) -> list[Cell]:
    cells = json.loads(path.read_bytes())["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def _place(path: Path, name: str) -> int:
    """Index of the cell in which an exercise or question is answered.

    Raises:
        CourseError: there is none.
    """
    for index, cell in enumerate(_lesson_cells(path)):
        meta = cell["metadata"].get("nbgrader", {})
        if meta.get("solution") and meta["grade_id"] == name:
            return index
    raise CourseError(messages.NO_CELL.format(path=path, exercise=name, lesson=path.stem))


def _your_turn(path: Path, exercise: str) -> str:
    """What the lesson says just before the stub, without what leads there."""
    cells, start = _lesson_cells(path), f"**Your turn: `{exercise}`**"
    before = [cell["source"] for cell in cells[: _place(path, exercise)] if start in cell["source"]]
    return before[-1][before[-1].index(start) :]


def _stub_and_hints(path: Path, name: str) -> Iterator[Cell]:
    stub, *after = _lesson_cells(path)[_place(path, name) :]
    yield _code(stub["source"])
    yield from (_text(cell["source"]) for cell in takewhile(lambda cell: cell["source"].startswith("<details>"), after))


def _answer(folders: Folders, lesson: str, name: str) -> str:
    path = folders.solution(lesson)
    return _lesson_cells(path)[_place(path, name)]["source"]


def _given(folders: Folders, lesson: str, name: str) -> str:
    """A forward pass that its backward pass is played with: its cache is nowhere laid down but in its code."""
    lines = _answer(folders, lesson, name).splitlines()
    return "\n".join([messages.GIVEN_FORWARD, *(line for line in lines if line.strip() not in _MARKERS)])


def _imports(folders: Folders, session: Session) -> str:
    """What answers build on: kernels that this review does not ask for, and what the lesson imports."""
    kernels, others = set(), {"import numpy as np", "from course_lib.review import open_review"}
    for one in session.chosen:
        lesson, item = comes_back()[one.lesson, one.exercise]
        names = _used(folders, lesson.id, item)
        kernels |= names & _kernels() - session.asked - {*_uses(item)}
        imports = _lesson_imports(folders.solution(lesson.id))
        others |= {imports[name] for name in names & imports.keys() - _kernels() - {"exam_numbers"}}
    # The order of isort: packages first, the course's own modules after them.
    lines = sorted(others, key=lambda line: ("course_lib" in line, line))
    return "\n".join([*lines, *([messages.GIVEN.format(names=", ".join(sorted(kernels)))] if kernels else [])])


@cache
def _kernels() -> frozenset[str]:
    return frozenset(item.id for _, item in comes_back().values() if isinstance(item, Exercise))


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _lesson_imports(path: Path) -> dict[str, str]:
    """Name to the statement that imports it alone."""
    trees = (ast.parse(cell["source"]) for cell in _lesson_cells(path) if cell["cell_type"] == "code")
    nodes = [node for tree in trees for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {alias.asname or alias.name: _alone(node, alias) for node in nodes for alias in node.names}


def _alone(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    return ast.unparse(
        ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
    )
