"""From what a job showed to what is said about it.

What enters: the errors of loading and the replies to the cases, both from behind the walls. What leaves: a
`Diagnosis`. It follows from those bytes and from what is expected, so what many answers return alike is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograder import messages
from autograder.course import Lesson
from autograder.expected import UNUSABLE, numpy_namespace
from autograder.sandbox.job import CodeError, Played
from course_lib.cases import Case, WrongReturnError
from course_lib.diagnose import DETAIL, Attempt, Diagnosis, Expectation, diagnose, error_detail

KEPT_DIAGNOSES = 2_000
WORTH_KEEPING = 32_000

_UNDEFINED = re.compile(r"name '(\w+)' is not defined")

Prepare = Callable[[Mapping[str, Any], Case], Mapping[str, Any]]


class Diagnoser:
    """Diagnoses the answers to one lesson.

    Args:
        lesson: the lesson.
        expectations: by exercise id.
    """

    def __init__(self, lesson: Lesson, expectations: Mapping[str, Expectation]) -> None:
        self._expectations = expectations
        self._prepare = {exercise.id: exercise.prepare for exercise in lesson.exercises}
        self._kernels = numpy_namespace(lesson)
        # A class makes the same few mistakes, and right answers return the same.
        self._exercise_before = lru_cache(KEPT_DIAGNOSES)(self._exercise)

    def diagnose(
        self, expectation: Expectation, load_errors: Sequence[CodeError], played: Sequence[Played]
    ) -> Diagnosis:
        """Diagnose one answer.

        Args:
            expectation: of an exercise of the lesson, or of a learner's own exam question.
            load_errors: the pieces that failed.
            played: what the cases showed, in their order; fewer mean that the rest was never reached.
        """
        name = expectation.exercise
        if expectation is not self._expectations.get(name):
            return _diagnosed(expectation, load_errors, played, _not_none)
        size = sum(len(part) for item in played for part in item.frame)
        look = self._exercise_before if size <= WORTH_KEEPING else self._exercise
        return look(name, tuple(load_errors), tuple(played))

    def _exercise(self, name: str, load_errors: tuple[CodeError, ...], played: tuple[Played, ...]) -> Diagnosis:
        prepare = self._prepare[name]
        ready: Prepare = _as_it_is if prepare is None else lambda seen, case: prepare(seen, case, self._kernels)
        return _diagnosed(self._expectations[name], load_errors, played, ready)


def _diagnosed(
    expectation: Expectation, load_errors: Sequence[CodeError], played: Sequence[Played], prepare: Prepare
) -> Diagnosis:
    # By position, not by id: a secret case may be called like a public one.
    pairs = zip(played, expectation.cases, strict=False)
    attempts = [_attempt(item, known.case, expectation.exercise, load_errors, prepare) for item, known in pairs]
    return diagnose(expectation, attempts)


def _as_it_is(seen: Mapping[str, Any], _case: Case) -> Mapping[str, Any]:
    return seen


def _not_none(seen: Mapping[str, Any], _case: Case) -> Mapping[str, Any]:
    if any(value is None for value in seen.values()):
        raise NotAnswered
    return seen


class NotAnswered(ValueError):
    """An exam answer is still None."""


def _attempt(played: Played, case: Case, exercise: str, load_errors: Sequence[CodeError], prepare: Prepare) -> Attempt:
    if played.error is not None:
        message = _error_message(exercise, played.error, load_errors)
        return Attempt(played.case, None, played.error.type, message, played.error.message[:DETAIL])
    try:
        with np.errstate(all="ignore"):
            return Attempt(played.case, prepare(played.seen, case))
    except NotAnswered:
        if load_errors:
            return Attempt(played.case, None, load_errors[0].type, _error_line(load_errors[0]))
        return Attempt(played.case, None, "NotImplementedError")
    except ValueError as error:
        return Attempt(played.case, None, UNUSABLE, str(error), error_detail(error))


def _error_message(exercise: str, error: CodeError, load_errors: Sequence[CodeError]) -> str:
    if error.type == "NotImplementedError":
        return messages.NOT_STARTED
    name = _undefined_name(error, exercise)
    if name and load_errors:
        return messages.NOT_DEFINED.format(exercise=name, error=_error_line(load_errors[0]))
    return _error_line(error)


def _undefined_name(error: CodeError, exercise: str) -> str:
    """The name that was missing: the answer itself, or something that it needs."""
    if error.type == "KeyError" and error.message.strip("'\"") == exercise:
        return exercise
    found = _UNDEFINED.fullmatch(error.message) if error.type == "NameError" else None
    return found[1] if found else ""


def _error_line(error: CodeError) -> str:
    facts = {"type": error.type, "message": error.message or "(no message)", "line": error.line}
    if error.type == WrongReturnError.__name__:
        return error.message
    template = messages.CODE_ERROR if error.text else messages.CODE_ERROR_ELSEWHERE
    return template.format(label=error.label.capitalize(), text=error.text, **facts)
