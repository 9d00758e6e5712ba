"""What the journal keeps of a check, and which attempts count as honest ones.

An honest attempt is one that failed with code of its own: the same code checked twice is one attempt, and a cell
that was not written yet is none.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from course_lib import journal
from course_lib.journal import Event
from course_lib.report import CheckReport


def note(report: CheckReport, answer: Any) -> None:
    """Write an attempt down; nothing when nothing was tried. Never raises.

    Args:
        report: what the check found.
        answer: what was checked.
    """
    found = report.finding
    if found is None:
        return
    about = {"lesson": report.lesson, "exercise": report.name, "digest": digest(answer)}
    if found.question:
        journal.record("answered", **about, passed=report.passed, sentence=found.sentence)
    elif report.passed:
        journal.record("passed", **about)
    else:
        journal.record("failed", **about, mistake=found.mistake, sentence=found.sentence)


def is_pass(event: Event) -> bool:
    """Was the exercise right then?"""
    return event.kind == "passed" or (event.kind == "answered" and event.facts.get("passed") is True)


def is_failure(event: Event) -> bool:
    """Was it tried and wrong?"""
    return event.kind == "failed" or (event.kind == "answered" and event.facts.get("passed") is False)


def honest(events: Iterable[Event]) -> int:
    """How many honest attempts the events of one exercise hold."""
    return len({str(event.facts.get("digest")) for event in events if is_failure(event)})


def digest(answer: Any) -> str:
    """Names the code of an answer: other code, another name. Layout, comments and docstrings do not count.

    Args:
        answer: a function, a class, or the number given to a question.
    """
    pieces = "\0".join(_pieces(answer, set()))
    return hashlib.sha256(pieces.encode("utf-8", "replace")).hexdigest()[:16]


def _pieces(answer: Any, seen: set[int]) -> Iterator[str]:
    """The parts of an answer, and of the functions and classes beside it that it uses."""
    if id(answer) in seen:
        return
    seen.add(id(answer))
    if isinstance(answer, functools.partial):
        yield from (repr(answer.args), repr(answer.keywords))
        yield from _pieces(answer.func, seen)
    elif isinstance(answer, FunctionType):
        yield from _code(answer.__code__, answer.__doc__)
        yield repr(answer.__defaults__)
        near = {name: answer.__globals__.get(name) for name in _names(answer.__code__)}
        yield from _near(near.values(), answer.__module__, seen)
    elif isinstance(answer, type):
        functions = [getattr(value, "__func__", getattr(value, "fget", value)) for value in vars(answer).values()]
        yield from _near(functions, answer.__module__, seen)
    else:
        yield repr(answer) if isinstance(answer, (int, float)) else type(answer).__qualname__


def _near(values: Iterable[Any], module: str, seen: set[int]) -> Iterator[str]:
    for value in values:
        if isinstance(value, (FunctionType, type)) and value.__module__ == module:
            yield from _pieces(value, seen)


def _names(code: CodeType) -> list[str]:
    inner = [name for const in code.co_consts if isinstance(const, CodeType) for name in _names(const)]
    return [*code.co_names, *inner]


def _code(code: CodeType, docstring: str | None = None) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr(code.co_names)
    # The first constant of a function is its docstring or None.
    first = code.co_consts[:1] in ((None,), (docstring,))
    for const in code.co_consts[first:]:
        if isinstance(const, CodeType):
            yield from _code(const)
        else:
            # The order of a set of words changes from one Python process to the next.
            yield repr(sorted(map(repr, const)) if isinstance(const, frozenset) else const)
