"""`check("mlp_forward", mlp_forward)`: play the public cases here and now, and explain.

Works from data alone: the cases, the values of both references and the fingerprints of known mistakes lie in
``course_lib/cases``. Neither Torch nor the `autograder` package is needed. A check that fails raises
`CheckFailed`, which shows our table and nothing else, so that Run All, `nbgrader validate` and a person
all see the truth.
"""

from __future__ import annotations

import difflib
import importlib
import linecache
import math
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.attempts import note
from course_lib.casefile import read_names, read_tree
from course_lib.cases import Case, StepError, WrongReturnError, run
from course_lib.diagnose import Attempt, Diagnosis, Expectation, Outcome, diagnose, error_detail, expectation_from_tree
from course_lib.exam import (
    CASES,
    SELF_STUDY,
    answer_hash,
    exam_numbers,
    lesson_of,
    load_questions,
    question_text,
    variant_of,
)
from course_lib.properties.find import find_property
from course_lib.report import CheckReport, Finding, show
from course_lib.reveal import with_way_out
from course_lib.tree import Tree, pack, unpack

_NOT_OWN = tuple(f"{folder}{os.sep}" for folder in (Path(__file__).parent, sys.prefix, sys.base_prefix))


class CheckFailed(AssertionError):
    """A check did not pass. In a notebook it shows as one quiet line under our table."""

    def __init__(self, report: CheckReport) -> None:
        super().__init__(report.headline)
        self.report = report

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: without it, our own frames would bury the message."""
        return [messages.SEE_ABOVE.format(name=self.report.name)]


def check(name: str, answer: Any, *, learner: str = SELF_STUDY) -> None:
    """Check an answer on the public cases, and show what was found.

    Args:
        name: id of the exercise or question.
        answer: your function or class; for a question of the exam corner your number.
        learner: for questions: whose numbers.

    Raises:
        CheckFailed: the answer is not right yet; the table above the message says where.
    """
    report = examine(name, answer, learner=learner)
    note(report, answer)
    report = with_way_out(report)
    show(report)
    if not report.passed:
        raise CheckFailed(report)


def ready(**answers: Any) -> bool:
    """Do these exercises pass their checks? If not, say in one line which one to solve first.

    Args:
        **answers: the learner's functions, by exercise: ``ready(mlp_forward=mlp_forward)``.
    """
    for name, answer in answers.items():
        if not examine(name, answer).passed:
            print(messages.NOT_READY.format(name=name))
            return False
    return True


def examine(name: str, answer: Any, *, learner: str = SELF_STUDY) -> CheckReport:
    """What `check` would show, without showing or raising anything; same arguments."""
    if not isinstance(name, str):
        near = _nearest(getattr(name, "__name__", ""))
        return CheckReport("check", messages.NAME_FIRST.format(near=near), passed=False)
    lesson = lesson_of(name)
    if lesson is None:
        return CheckReport(name, messages.NO_SUCH_EXERCISE.format(name=name, near=_nearest(name)), passed=False)
    if name in load_questions(lesson):
        return replace(_check_question(lesson, name, answer, learner), lesson=lesson)
    return replace(examine_with(_load(lesson)[name], answer), lesson=lesson)


@cache
def _load(lesson: str) -> dict[str, Expectation]:
    exercises = read_tree(CASES / f"{lesson}.safetensors")["exercises"]
    return {name: expectation_from_tree(tree) for name, tree in exercises.items()}


def _nearest(name: str) -> str:
    known = [known for path in sorted(CASES.glob("*.safetensors")) for known in read_names(path)]
    return (difflib.get_close_matches(name, known, n=1, cutoff=0.0) or ["sigmoid"])[0]


def examine_with(expectation: Expectation, answer: Any) -> CheckReport:
    """What can be said about an answer by these cases; without rows when none of them was played."""
    name = expectation.exercise
    if not callable(answer):
        return CheckReport(name, messages.NOT_CALLABLE.format(name=name), passed=False)
    names = {**_globals_of(answer), name: answer}
    missing = next((other for other in expectation.uses if not callable(names.get(other))), None)
    if missing:
        return CheckReport(name, messages.NEEDS_OTHER.format(name=name, other=missing), passed=False)
    attempts = []
    for item in expectation.cases:
        attempts.append(_attempt(expectation, item.case, names))
        if attempts[-1].error == "NotImplementedError":
            return CheckReport(name, messages.NOT_STARTED, passed=False)
    return _report(expectation, diagnose(expectation, attempts))


def _globals_of(answer: Any) -> Mapping[str, Any]:
    # A class has no globals of its own; its module has.
    return getattr(answer, "__globals__", None) or vars(sys.modules.get(answer.__module__, sys))


def _attempt(expectation: Expectation, case: Case, names: Mapping[str, Any]) -> Attempt:
    try:
        with np.errstate(all="ignore"):
            seen = {label: unpack(*pack(value)) for label, value in run(case, names).items()}
            return Attempt(case.id, _prepared(expectation, case, seen, names))
    except StepError as error:
        cause = error.__cause__
        return Attempt(case.id, None, type(cause).__name__, _own_lines(cause), error_detail(cause))
    except ValueError as error:
        return Attempt(case.id, None, "unusable", str(error), error_detail(error))
    except MemoryError:
        return Attempt(case.id, None, "MemoryError", messages.TOO_MUCH_MEMORY)
    except Exception as error:
        # In the class edition a property runs the learner's own functions.
        return Attempt(case.id, None, "unusable", _own_lines(error))


def _prepared(
    expectation: Expectation, case: Case, seen: Mapping[str, Tree], names: Mapping[str, Any]
) -> Mapping[str, Tree]:
    if not expectation.prepare:
        return seen
    prepare, needs = find_property(expectation.prepare)
    return prepare(seen, case, _kernels(expectation, names, needs))


def _kernels(expectation: Expectation, names: Mapping[str, Any], needs: Mapping[str, str]) -> Mapping[str, Any]:
    """The references that a property needs; the class edition has none, so the learner's own serve there."""
    kernels = {}
    for name, module in needs.items():
        try:
            kernels[name] = getattr(importlib.import_module(f"course_lib.numpy_kernels.{module}"), name)
        except (ImportError, AttributeError):
            if name not in names:
                message = messages.NEEDS_OTHER.format(name=expectation.exercise, other=name)
                raise ValueError(message) from None
            kernels[name] = names[name]
    return kernels


def _own_lines(error: BaseException) -> str:
    """The error with the learner's innermost line: frames of ours and of installed packages are left out."""
    if isinstance(error, WrongReturnError):
        return str(error)
    facts = {"type": type(error).__name__, "message": str(error) or "(no message)"}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        own = not frame.filename.startswith(_NOT_OWN)
        if own and "site-packages" not in frame.filename:
            text = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
            template = messages.LINE if text else messages.LINE_ALONE
            return template.format(line=frame.lineno, text=text, **facts)
    return messages.RAISED.format(**facts)


def _report(expectation: Expectation, diagnosis: Diagnosis) -> CheckReport:
    failed = sum(bool(row.note) for row in diagnosis.rows)
    counts = {"cases": len(diagnosis.rows), "failed": failed}
    if diagnosis.outcome is Outcome.CORRECT:
        headline = messages.PASSED.format(**counts)
        return CheckReport(expectation.exercise, headline, passed=True, rows=diagnosis.rows, finding=Finding())
    headline = messages.NOT_YET.format(**counts)
    if diagnosis.missed == {"convention"}:
        headline = messages.CONVENTION
    familiar = messages.MISTAKE.format(says=diagnosis.message) if diagnosis.mistake else ""
    found = Finding(diagnosis.mistake, diagnosis.message)
    return CheckReport(
        expectation.exercise, headline, passed=False, rows=diagnosis.rows, advice=familiar, finding=found
    )


def _is_finite_number(answer: Any) -> bool:
    if not isinstance(answer, Real) or isinstance(answer, bool):
        return False
    try:
        return math.isfinite(float(answer))
    except OverflowError:
        return False


def _check_question(lesson: str, name: str, answer: Any, learner: str) -> CheckReport:
    if answer is None or answer is Ellipsis:
        return CheckReport(name, messages.QUESTION_EMPTY.format(name=name), passed=False)
    if isinstance(answer, np.ndarray) and answer.size == 1:
        answer = answer.item()
    if not _is_finite_number(answer):
        kind = type(answer).__name__
        return CheckReport(name, messages.QUESTION_NOT_A_NUMBER.format(name=name, kind=kind), passed=False)
    sheet, variant = load_questions(lesson)[name], variant_of(lesson, learner)
    given = answer_hash(lesson, name, variant, float(answer), sheet["decimals"])
    if given == sheet["hashes"][variant]:
        numbers = exam_numbers(name, learner=learner)
        shown = f"{float(answer):.{sheet['decimals']}f}"
        explanation = sheet["explanation"].format(**numbers, answer=shown)
        headline = messages.QUESTION_RIGHT.format(explanation=explanation)
        return CheckReport(name, headline, passed=True, finding=Finding(question=True))
    says = next((says for says, hashes in sheet["mistakes"] if hashes[variant] == given), "")
    text = question_text(lesson, name, learner)
    template = messages.QUESTION_FAMILIAR if says else messages.QUESTION_WRONG
    headline = template.format(answer=answer, says=says, text=text)
    return CheckReport(name, headline, passed=False, finding=Finding(None, says, question=True))
