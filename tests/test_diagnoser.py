"""The diagnoser: what is said follows from the bytes that came back, and is worked out once for equal bytes."""

from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest

from autograder import diagnoser
from autograder.course import Lesson, Outcome
from autograder.diagnoser import Diagnoser
from autograder.sandbox import wire
from autograder.sandbox.job import CodeError, Played
from course_lib.cases import call_case
from course_lib.compare import Tolerance
from course_lib.diagnose import Expectation, Expected, ExpectedCase

VALUES = np.array([1.0, 2.0])
SMALL = Tolerance.for_dtype("float64")


def expectation(name: str, values: Any = VALUES) -> Expectation:
    """One case of a function, and what it should return."""
    read = Expected("result", "core", values, values)
    return Expectation(name, 1.0, (ExpectedCase(call_case("the case", name, {}), (read,), SMALL),))


def reply(seen: Any, error: CodeError | None = None) -> Played:
    """A reply as it comes from a job that returned `seen`, or failed."""
    left, right = socket.socketpair()
    with left, right:
        wire.write_message(left, {"seen": {"result": seen}, "error": vars(error) if error else None})
        frame = wire.read_frame(right, 1 << 20)
    tree = frame.tree()
    return Played("the case", frame, None if error else tree["seen"], error)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by the name of an exercise whenever an answer to it is really looked at."""
    seen: list[str] = []

    def diagnose(expected: Expectation, attempts: Any) -> Any:
        seen.append(expected.exercise)
        return real(expected, attempts)

    real = diagnoser.diagnose
    monkeypatch.setattr(diagnoser, "diagnose", diagnose)
    return seen


def test_equal_bytes_are_looked_at_once(lesson: Lesson, looks: list[str]) -> None:
    """Two answers that return the same get the same diagnosis; one that differs in a single bit gets its own."""
    known = expectation("sigmoid")
    read = Diagnoser(lesson, {"sigmoid": known})
    first, again = (read.diagnose(known, [], [reply(VALUES.copy())]) for _ in range(2))
    assert first is again
    assert first.outcome is Outcome.CORRECT
    assert looks == ["sigmoid"]
    assert read.diagnose(known, [], [reply(np.array([1.0, 3.0]))]).outcome is Outcome.WRONG_VALUES
    assert read.diagnose(known, [], [reply(np.nextafter(VALUES, 9))]).outcome is Outcome.CORRECT
    assert looks == ["sigmoid"] * 3


def test_equal_bytes_of_two_exercises_are_two_things(lesson: Lesson) -> None:
    """What is right in one exercise may be wrong in another."""
    both = {"sigmoid": expectation("sigmoid"), "mse_loss": expectation("mse_loss", VALUES + 1)}
    read = Diagnoser(lesson, both)
    found = [read.diagnose(known, [], [reply(VALUES)]).outcome for known in both.values()]
    assert found == [Outcome.CORRECT, Outcome.WRONG_VALUES]


def test_exam_answers_are_looked_at_for_each_learner(lesson: Lesson) -> None:
    """The same number may be one learner's answer and not another's."""
    read = Diagnoser(lesson, {})
    found = [read.diagnose(expectation("exam", number), [], [reply(2.0)]).outcome for number in (2.0, 3.0)]
    assert found == [Outcome.CORRECT, Outcome.WRONG_VALUES]


def test_load_errors_belong_to_what_is_said(lesson: Lesson) -> None:
    """A missing name is explained by the piece that failed to define it, which may be another one."""
    known = expectation("sigmoid")
    read = Diagnoser(lesson, {"sigmoid": known})
    missing = reply(None, CodeError("KeyError", "'sigmoid'", "", 0, "", "result"))
    failed = [CodeError("ZeroDivisionError", "division by zero", "cell 3", line, "1 / 0") for line in (4, 5)]
    said = [read.diagnose(known, [error], [missing]).message for error in failed]
    assert "line 4" in said[0]
    assert "line 5" in said[1]


def test_large_replies_are_not_kept(lesson: Lesson, looks: list[str]) -> None:
    """What would fill the memory is looked at each time."""
    large = np.zeros(diagnoser.WORTH_KEEPING // 8 + 1)
    known = expectation("sigmoid", large)
    read = Diagnoser(lesson, {"sigmoid": known})
    found = [read.diagnose(known, [], [reply(large)]).outcome for _ in range(2)]
    assert found == [Outcome.CORRECT] * 2
    assert looks == ["sigmoid"] * 2
