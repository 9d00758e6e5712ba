"""Comparing answers: everything wrong is called wrong, for the right reason; rounding is forgiven, formulas are not."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.catalogue import LESSONS, find_exercise
from autograder.expected import expect, numpy_namespace, play
from course_lib.compare import MAP_LIMIT, Difference, Tolerance, compare
from course_lib.diagnose import Expectation, ExpectedCase
from course_lib.tree import Handle, Opaque, Tree

FINE = Tolerance.for_dtype("float64")
COARSE = Tolerance.for_dtype("float32")
NAN, INF = float("nan"), float("inf")
X = np.arange(6.0).reshape(2, 3)
EXERCISES = [exercise.id for lesson in LESSONS for exercise in lesson.exercises]
NUMBERS = st.floats(-1e6, 1e6) | st.sampled_from([NAN, INF, -INF, 0.0, -0.0])

each_exercise = pytest.mark.parametrize("name", EXERCISES)


def found(received: Tree, expected: Tree, tolerance: Tolerance = FINE) -> Difference:
    """The difference, which must exist."""
    difference = compare(received, expected, tolerance)
    assert difference is not None
    return difference


@pytest.mark.parametrize(
    ("received", "expected", "kind", "message"),
    [
        (NAN, 1.0, "not finite", "Result is nan; expected 1."),
        (1.0, NAN, "values", "Result is 1; expected nan."),
        (INF, 1.0, "not finite", "Result is inf; expected 1."),
        (1.0, INF, "values", "Result is 1; expected inf."),
        (-INF, INF, "values", "Result is -inf; expected inf."),
        (NAN, INF, "values", "Result is nan; expected inf."),
        (np.array([1.0, NAN]), np.array([1.0, 2.0]), "not finite",
         "Result at index [1] is nan; expected 2. 1 of 2 numbers differ."),
        (np.array([INF, 1.0]), np.array([-INF, 1.0]), "values",
         "Result at index [0] is inf; expected -inf. 1 of 2 numbers differ."),
        (X + 1e-6, X, "values", "Result at index [0, 0] is 1e-06; expected 0. 6 of 6 numbers differ."),
        (0.5 + 1e-8, 0.5, "values", "Result is 0.50000001; expected 0.5."),
        (np.ones((3, 1)), np.ones(3), "shape", "Result has shape (3, 1); expected (3,). The numbers are right."),
        (np.array([2.0]), 2.0, "shape", "Result has shape (1,); expected (). The numbers are right."),
        (2.0, np.array([2.0]), "shape", "Result has shape (); expected (1,). The numbers are right."),
        (np.ones((3, 1)), np.zeros(3), "shape", "Result has shape (3, 1); expected (3,)."),
        (X.T, X, "shape", "Result has shape (3, 2); expected (2, 3). It is the transpose of what was expected."),
        (np.ones(5), X, "shape", "Result has shape (5,); expected (2, 3)."),
        (np.zeros((0, 3)), X, "shape", "Result has shape (0, 3); expected (2, 3)."),
        (None, X, "structure", "Result is None (is a return statement missing?); expected an array of shape (2, 3)."),
        (None, 1.0, "structure", "Result is None (is a return statement missing?); expected a number."),
        ([0.0, 1.0, 2.0], np.arange(3.0), "structure", "Result is 3 values; expected an array of shape (3,)."),
        ("abc", 1.0, "structure", "Result is str 'abc'; expected a number."),
        (Opaque("Tensor"), X, "structure", "Result is an object of type Tensor; expected an array of shape (2, 3)."),
        (Opaque("array of object"), X, "structure",
         "Result is an object of type array of object; expected an array of shape (2, 3)."),
        ({"a": 1}, 1, "structure", "Result is dict {'a': 1}; expected a number."),
        (2**70, 1, "structure", "Result does not hold numbers."),
        (X + 0j, X, "dtype", "Result is complex128; expected real numbers."),
        (X + 1j, X, "dtype", "Result is complex128; expected real numbers."),
        (1 + 1j, 1 + 2j, "values", "Result is 1+1j; expected 1+2j."),
        ((X / 3).astype("float32"), X / 3, "dtype",
         "Result was computed in float32; expected float64. The formula is right, precision was lost."),
        ([1.0], [1.0, 2.0], "structure", "Result has 1 values; expected 2."),
        (X, [X, X], "structure", "Result is an array of shape (2, 3); expected 2 values."),
        (None, [X, X], "structure", "Result is None (is a return statement missing?); expected 2 values."),
        ([X, X + 1], [X, X], "values", "Result[1] at index [0, 0] is 1; expected 0. 6 of 6 numbers differ."),
        ([[1.0, 2.0], 3.0], [[1.0, 5.0], 3.0], "values", "Result[0][1] is 2; expected 5."),
        ({"a": 1, "c": 2}, {"a": 1, "b": 2}, "structure", "Result has other keys than expected: b, c."),
        ([1], {"a": 1}, "structure", "Result is 1 values; expected a dict."),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "values", "Result['a']['b'] is 1; expected 2."),
        (1, True, "structure", "Result is int 1; expected bool True."),
        (False, True, "structure", "Result is bool False; expected bool True."),
        (0, False, "structure", "Result is int 0; expected bool False."),
        ("a", "b", "values", "Result is a; expected b."),
        (0, None, "structure", "Result is int 0; expected None (is a return statement missing?)."),
        (10**9 + 1, 10**9, "values", "Result is 1000000001; expected 1000000000."),
        (2**62 + 1, 2**62, "values", "Result is 4611686018427387905; expected 4611686018427387904."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_must_fail(received: Tree, expected: Tree, kind: str, message: str) -> None:
    """Each way of being wrong is found, sorted, and said in one sentence."""
    difference = found(received, expected)
    assert (difference.kind, difference.message) == (kind, message)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (X + 1e-12, X),
        (X, X.copy(order="F")),
        (X.astype(int), X),
        (X, X.astype(int)),
        (22_401.0, 22_401),
        (22_401, 22_401.0),
        (np.float64(2), 2.0),
        (2.0, np.array(2.0)),
        (np.array(2), 2),
        (np.array([True, False]), np.array([1.0, 0.0])),
        (np.True_, True),
        (np.array(True), True),
        (True, 1),
        ((1.0, [2.0]), [1.0, (2.0,)]),
        ({"a": 1, "b": X}, {"b": X, "a": 1}),
        (np.array([NAN, INF, -INF]), np.array([NAN, INF, -INF])),
        (-0.0, 0.0),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.arange(3, dtype="uint8"), np.arange(3)),
        (None, None),
        ("a", "a"),
        ([], ()),
        (np.float32(1.5), 1.5),
    ],
    ids=str,
)
def test_must_pass(received: Tree, expected: Tree) -> None:
    """What means the same is the same, whatever holds it."""
    assert compare(received, expected, FINE) is None


@given(
    hnp.arrays("float64", hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), elements=NUMBERS), st.data()
)
def test_agrees_with_numpy(expected: np.ndarray, data: st.DataObject) -> None:
    """For arrays of one shape the judgement is that of `np.isclose` with NaN equal to NaN."""
    noise = st.sampled_from([0.0, 1e-12, -1e-12, 1e-3, NAN, INF, -INF])
    received = expected + data.draw(hnp.arrays("float64", expected.shape, elements=noise))
    with np.errstate(all="ignore"):
        close = np.isclose(received, expected, FINE.rtol, FINE.atol, equal_nan=True).all()
    assert (compare(received, expected, FINE) is None) == close


def test_first_wrong_index_is_named() -> None:
    """Index, both numbers and counts are those of the first wrong entry in reading order."""
    received = X.copy()
    received[1, 0], received[1, 2] = 30, 50
    difference = found(received, X)
    assert (difference.index, difference.received, difference.expected) == ((1, 0), 30.0, 3.0)
    assert (difference.wrong, difference.size) == (2, 6)
    np.testing.assert_array_equal(difference.error_map, received != X)


@pytest.mark.parametrize(
    ("shape", "mapped"), [((3,), (1, 3)), ((2, 3), (2, 3)), ((), None), ((2, 2, 2), None), ((1, MAP_LIMIT + 1), None)]
)
def test_small_arrays_have_an_error_map(shape: tuple[int, ...], mapped: tuple[int, int] | None) -> None:
    """Rows and matrices up to a limit get a map of at most two axes; nothing else does."""
    error_map = found(np.ones(shape), np.zeros(shape)).error_map
    assert (None if error_map is None else error_map.shape) == mapped


def test_numbers_that_look_alike_are_told_apart() -> None:
    """A difference beyond the sixth digit is still visible in the sentence."""
    assert found(1 / 3 + 1e-8, 1 / 3).message == "Result is 0.3333333433333333; expected 0.3333333333333333."


def test_marks_are_not_numbers() -> None:
    """Forged handles in a reply are wrong answers like others."""
    assert found(Handle("x"), X).kind == "structure"


def test_a_million_numbers_are_quick() -> None:
    """A million numbers are compared in well under a second, right or wrong."""
    right = np.random.default_rng(0).normal(size=1_000_000)
    started = time.process_time()
    assert compare(right + 1e-13, right, FINE) is None
    assert found(right + 1, right).wrong == 1_000_000
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("dtype", "unit"), [("float64", 2.0**-32), ("float32", 2.0**-13), ("int64", 2.0**-32), ("float16", 2.0**-8)]
)
def test_tolerance_follows_the_input(dtype: str, unit: float) -> None:
    """The derivation of the module, in numbers: 2^20 units of float64, 2^10 of float32, integers count as float64."""
    assert Tolerance.for_dtype(dtype) == Tolerance(unit, unit)
    assert Tolerance.for_dtype(dtype, 100.0) == Tolerance(unit, 100 * unit)


@pytest.mark.parametrize("tolerance", [FINE, COARSE], ids=["float64", "float32"])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_both_sides_of_the_tolerance(tolerance: Tolerance, size: float) -> None:
    """Half the allowed distance passes, twice the allowed distance fails, above and below."""
    allowed = tolerance.atol + tolerance.rtol * size
    for sign in (1, -1):
        assert compare(size + sign * allowed / 2, size, tolerance) is None
        assert compare(size + sign * allowed * 2, size, tolerance) is not None


def test_rounding_of_long_chains_passes() -> None:
    """A few hundred operations in another order stay inside the tolerance of their precision."""
    rng = np.random.default_rng(0)
    for dtype, tolerance in (("float64", FINE), ("float32", COARSE)):
        x, y = rng.normal(size=300).astype(dtype), rng.normal(size=300).astype(dtype)
        exact = x.astype("float64") @ y.astype("float64")
        forwards = np.add.accumulate(x * y)[-1]
        backwards = np.add.accumulate((x * y)[::-1])[-1]
        assert compare(forwards, exact, tolerance) is None
        assert compare(backwards, exact, tolerance) is None


def share(tolerance: Tolerance, factor: float) -> Tolerance:
    """A stricter or more generous tolerance."""
    return Tolerance(tolerance.rtol * factor, tolerance.atol * factor)


@cache
def expectation(name: str) -> Expectation:
    """What is expected, with secret cases of a secret of ours."""
    lesson, exercise = find_exercise(name)
    return expect(exercise, lesson, b"both sides")


def disagreements(seen: Callable[[ExpectedCase, Any], Tree], expected: Expectation, factor: float) -> list[str]:
    """Cases and reads, conventions apart, where something differs by more than so many tolerances."""
    return [
        f"{item.case.id}: {difference.message}"
        for item in expected.cases
        for read in item.reads
        if read.kind != "convention"
        and (difference := compare(seen(item, read), read.numpy, share(item.tolerance, factor)))
    ]


@each_exercise
def test_references_use_an_eighth_of_the_tolerance(name: str) -> None:
    """Rounding stays far inside: Torch in float64 and the reference in the case's own precision, on every case."""
    lesson, exercise = find_exercise(name)
    expected, names = expectation(name), numpy_namespace(lesson)
    assert disagreements(lambda item, read: read.torch, expected, 1 / 8) == []
    assert disagreements(lambda item, read: play(exercise, item.case, names, names)[read.label], expected, 1 / 8) == []


def _seen(shown: dict[str, Any], item: ExpectedCase, read: Any) -> Tree:
    return shown[item.case.id].get(read.label)


@each_exercise
def test_mistakes_lie_far_outside(name: str) -> None:
    """Every mistake that changes values is wrong on some case by more than eight tolerances."""
    expected = expectation(name)
    for mistake in expected.fingerprints:
        shown = {attempt.case: attempt.seen for attempt in mistake.attempts if attempt.seen is not None}
        if len(shown) < len(expected.cases):
            continue
        seen = partial(_seen, shown)
        wrong = [disagreements(seen, expected, factor) for factor in (1, 8)]
        assert bool(wrong[0]) == bool(wrong[1]), mistake.id
