"""Diagnoses: one outcome, the right one, and a mistake only when it is that mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from course_lib.cases import Case, Kind, Step, StepError, call_case, run
from course_lib.compare import Tolerance
from course_lib.diagnose import (
    Attempt,
    Diagnosis,
    Expectation,
    Expected,
    ExpectedCase,
    Fingerprint,
    Outcome,
    diagnose,
    error_detail,
    expectation_from_tree,
    expectation_to_tree,
)
from course_lib.tree import Handle, Rng, Tree, pack, unpack

X = np.array([1.0, -2.0, 3.3])
FAR = np.array([1e4, -1e4])
SINGLE = np.array([1.0, 2.0], "float32")
Code = Callable[[np.ndarray], Any]


def right(x: np.ndarray) -> np.ndarray:
    """The reference: twice x, at most 1,000."""
    return np.minimum(2 * x, 1000)


def _attempt(case: Case, code: Code) -> Attempt:
    try:
        with np.errstate(all="ignore"):
            return Attempt(case.id, run(case, {"f": code}))
    except StepError as error:
        cause = error.__cause__
        return Attempt(case.id, None, type(cause).__name__, f"It raised {cause}", error_detail(cause))


def _changes_input(x: np.ndarray) -> np.ndarray:
    x *= 2
    return np.minimum(x, 1000)


def _squares(x: np.ndarray) -> np.ndarray:
    return x**2


def _squares_in_place(x: np.ndarray) -> np.ndarray:
    x **= 2
    return x


def _fails(x: np.ndarray) -> np.ndarray:
    raise TypeError("wrong way")


MISTAKES: dict[str, Code] = {
    "identical": right,
    "squares": _squares,
    "no limit": lambda x: 2 * x,
    "fails": _fails,
    "changes input": _changes_input,
}
CASES = (
    (call_case("plain", "f", {"x": X}), "core", ""),
    (call_case("another", "f", {"x": X - 0.5}), "core", ""),
    (call_case("single", "f", {"x": SINGLE}), "core", "float32"),
    (call_case("far", "f", {"x": FAR}, kind="stability"), "stability", ""),
    (call_case("zero", "f", {"x": np.zeros(1)}, kind="convention", says="Zero stays zero."), "convention", ""),
)


def _expected(case: Case, kind: Kind, dtype: str, torch: Code = right) -> ExpectedCase:
    both = [run(case, {"f": lambda x, code=code: code(x.astype("float64"))}) for code in (right, torch)]
    kinds = {step.name: step.kind for step in case.reads()}
    reads = tuple(
        Expected(label, kinds[label], both[0][label], both[1][label], dtype if label == "result" else "")
        for label in kinds
    )
    return ExpectedCase(case, reads, Tolerance.for_dtype("float32" if dtype else "float64"))


EXPECTATION = Expectation(
    "f",
    4.0,
    tuple(_expected(*item) for item in CASES),
    tuple(
        Fingerprint(name, f"You wrote {name}.", tuple(_attempt(case, code) for case, *_ in CASES))
        for name, code in MISTAKES.items()
    ),
    uses=("g",),
)


def judged(code: Code, count: int = len(CASES)) -> Diagnosis:
    """The diagnosis of an implementation, played on the first cases."""
    return diagnose(EXPECTATION, [_attempt(case, code) for case, *_ in CASES][:count])


def _not_written(x: np.ndarray) -> np.ndarray:
    raise NotImplementedError


def _fails_otherwise(x: np.ndarray) -> np.ndarray:
    raise TypeError("another way")


def _huge(x: np.ndarray) -> np.ndarray:
    raise MemoryError


def _nan_when_far(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) > 100, np.nan, 2 * x)


def _raises_when_far(x: np.ndarray) -> np.ndarray:
    if np.abs(x).max() > 100:
        raise OverflowError("too large")
    return right(x)


def _not_written_when_far(x: np.ndarray) -> np.ndarray:
    if np.abs(x).max() > 100:
        raise NotImplementedError
    return right(x) + 1


@pytest.mark.parametrize(
    ("code", "outcome", "missed", "message"),
    [
        (right, Outcome.CORRECT, set(), ""),
        (lambda x: right(x).astype("float64"), Outcome.CONVENTION, {"convention"},
         "float32 goes in, float64 comes out: keep the dtype of the inputs."),
        (lambda x: right(x).astype("float32"), Outcome.WRONG_TYPE, {"convention"},
         "Result was computed in float32; expected float64. The formula is right, precision was lost."),
        (lambda x: right(x) if x.any() else x + 1, Outcome.CONVENTION, {"convention"}, "Zero stays zero."),
        (_nan_when_far, Outcome.UNSTABLE, {"stability"},
         "Large inputs break it. Result at index [0] is nan; expected 1000. 2 of 2 numbers differ."),
        (_raises_when_far, Outcome.RAISED, {"stability"}, "It raised too large"),
        (lambda x: right(x) + 1, Outcome.WRONG_VALUES, {"core", "stability", "convention"},
         "Result at index [0] is 3; expected 2. 3 of 3 numbers differ."),
        (lambda x: right(x)[:, None], Outcome.WRONG_SHAPE, {"core", "stability", "convention"},
         "Result has shape (3, 1); expected (3,). The numbers are right."),
        (lambda x: None, Outcome.WRONG_TYPE, {"core", "stability", "convention"},
         "Result is None (is a return statement missing?); expected an array of shape (3,)."),
        (lambda x: list(right(x)), Outcome.WRONG_TYPE, {"core", "stability", "convention"},
         "Result is 3 values; expected an array of shape (3,)."),
        (_not_written, Outcome.NOT_STARTED, {"core", "stability", "convention"}, "It raised "),
        (_huge, Outcome.MEMORY_LIMIT, {"core", "stability", "convention"}, "It raised "),
        (lambda x: 1 / 0, Outcome.RAISED, {"core", "stability", "convention"}, "It raised division by zero"),
        (_not_written_when_far, Outcome.WRONG_VALUES, {"core", "stability", "convention"},
         "Result at index [0] is 3; expected 2. 3 of 3 numbers differ."),
    ],
    ids=lambda value: value.value if isinstance(value, Outcome) else "",
)  # fmt: skip
def test_outcomes(code: Code, outcome: Outcome, missed: set[str], message: str) -> None:
    """Each way to fail has its outcome, its price and its sentence; what is worst comes first."""
    found = judged(code)
    assert (found.outcome, set(found.missed), found.message) == (outcome, missed, message)
    assert found.passed == ("core" not in missed)
    assert found.mistake is None


def test_changed_input_is_a_convention() -> None:
    """Right values with a changed input cost the convention alone and name the input."""
    found = judged(lambda x: (right(x), x.fill(7))[0])
    assert (found.outcome, found.missed, found.mistake) == (Outcome.CONVENTION, {"convention"}, "changes input")
    assert found.rows[0].note == "Your code changes its input `x`. Work on a copy: the caller still needs it."
    assert found.rows[0].numpy


@pytest.mark.parametrize(
    ("code", "mistake"),
    [
        (_squares, "squares"),
        (lambda x: x * x, "squares"),
        (_squares_in_place, "squares"),
        (lambda x: 2 * x, "no limit"),
        (_fails, "fails"),
        (_fails_otherwise, None),
        (_changes_input, "changes input"),
        (lambda x: x**2 + (x == -2.5), None),
        (lambda x: right(x).astype("float64"), None),
        (right, None),
        (lambda x: 1 / 0, None),
    ],
)
def test_mistakes_are_named(code: Code, mistake: str | None) -> None:
    """A mistake is named when everything returned matches it and the same thing is wrong; a nearly equal one is not."""
    found = judged(code)
    assert found.mistake == mistake
    assert not mistake or found.message == f"You wrote {mistake}."


@pytest.mark.parametrize("count", range(len(CASES)))
def test_unfinished_plays_never_pass(count: int) -> None:
    """An answer that stopped before the last case is not correct, however right it was until then."""
    found = judged(right, count)
    assert not found.passed
    assert found.outcome is not Outcome.CORRECT
    assert len(found.rows) == count
    assert found.message == f"Case '{CASES[count][0].id}' was never reached."


def test_unfinished_wrong_plays_keep_their_reason() -> None:
    """What was wrong before the stop is what is said."""
    assert judged(lambda x: right(x) + 1, 1).outcome is Outcome.WRONG_VALUES


def test_rows_tell_both_references_apart() -> None:
    """A row says for each reference whether the answer agrees with it; conventions change neither."""
    disputed = Expectation("f", 1, (_expected(*CASES[0], torch=_squares),))
    rows = [diagnose(disputed, [_attempt(CASES[0][0], code)]).rows[0] for code in (right, _squares, _fails)]
    assert [(row.numpy, row.torch) for row in rows] == [(True, False), (False, True), (False, False)]
    assert [row.note == "" for row in rows] == [True, False, False]
    assert judged(lambda x: right(x).astype("float64")).rows[2].numpy


def test_first_failing_case_is_named() -> None:
    """The case that is named is the first that fails in the worst way."""
    assert judged(lambda x: right(x) + (x == -2.5)).case == "another"
    assert judged(_nan_when_far).case == "far"
    assert judged(lambda x: (_nan_when_far(x) + (x == -2.5)).astype("float64")).case == "another"


def test_error_without_text_still_shows() -> None:
    """An error that says nothing leaves its type in the row: an empty note would mean right."""
    found = diagnose(EXPECTATION, [Attempt("plain", None, "ValueError", "")])
    assert found.rows[0].note == "ValueError"


def test_missing_read_is_wrong() -> None:
    """A reply without one of the reads is a wrong answer, not an error of ours."""
    found = diagnose(EXPECTATION, [Attempt(case.id, {}) for case, *_ in CASES])
    assert (found.outcome, found.passed) == (Outcome.WRONG_TYPE, False)


@pytest.mark.parametrize("forged", [Handle("x"), Rng(1), {"a": [None]}, np.array(["a"]), 2**70, "text"])
def test_forged_values_are_wrong(forged: Tree) -> None:
    """Whatever a reply holds in place of the result, it is judged and it is wrong."""
    assert not judged(lambda x: forged).passed


def test_expectations_survive_files() -> None:
    """An expectation comes back from JSON and bytes and gives the same diagnoses."""
    skeleton, arrays = pack(expectation_to_tree(EXPECTATION))
    again = expectation_from_tree(unpack(json.loads(json.dumps(skeleton)), arrays))
    plain = ("exercise", "points", "uses", "prepare", "disputed", "seconds", "training")
    assert [getattr(again, name) for name in plain] == [getattr(EXPECTATION, name) for name in plain]
    for code in (right, _squares, _nan_when_far, _fails, _changes_input):
        attempts = [_attempt(case, code) for case, *_ in CASES]
        one, other = diagnose(EXPECTATION, attempts), diagnose(again, attempts)
        assert (one.outcome, one.message, one.mistake, one.missed) == (
            other.outcome,
            other.message,
            other.mistake,
            other.missed,
        )


def test_errors_count_as_the_kind_of_their_case() -> None:
    """An error costs what the first read of its case costs."""
    steps = (Step("call", "r", "f", (Handle("x"),)), Step("read", "a", "", (Handle("r"),), kind="convention"))
    case = Case("soft", {"x": X}, steps)
    soft = Expectation("f", 1, (ExpectedCase(case, (Expected("a", "convention", 1.0, 1.0),), Tolerance(0, 0)),))
    assert diagnose(soft, [_attempt(case, _fails)]).missed == {"convention"}
