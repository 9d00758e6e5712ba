"""From what an answer returned to what can be said about it.

The notebook's `check` and the judge both end here, so they cannot disagree about what counts as right.
What enters: for each case, what was seen or which error was raised; and the `Expectation`. What leaves: a
`Diagnosis`: one outcome, one sentence, the mistake that was recognised, and a row per case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.cases import Case, Kind, WrongReturnError, case_from_tree, case_to_tree
from course_lib.compare import Difference, Tolerance, compare
from course_lib.tree import Tree, pack


class Outcome(StrEnum):
    """Every way an exercise can end. A closed set: nothing else is ever written down."""

    CORRECT = "correct"
    CONVENTION = "convention missed"
    UNSTABLE = "unstable"
    WRONG_VALUES = "wrong values"
    WRONG_SHAPE = "wrong shape"
    WRONG_TYPE = "wrong type"
    NOT_STARTED = "not started"
    MISSING = "missing"
    SYNTAX_ERROR = "syntax error"
    RAISED = "raised an error"
    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    OUTPUT_LIMIT = "output limit"
    CRASHED = "crashed"
    NEEDS_A_PERSON = "needs a person"


@dataclass(frozen=True)
class Expected:
    """What one `read` of a case should see.

    Args:
        label: the read's name.
        kind: what missing it costs.
        numpy: from the NumPy reference, computed in float64.
        torch: from the Torch counterpart on the CPU, computed in float64.
        dtype: floating dtype that the result should keep, or "" when that says nothing.
    """

    label: str
    kind: Kind
    numpy: Tree
    torch: Tree
    dtype: str = ""

    @cached_property
    def same(self) -> bool:
        """Did both give the same, bit by bit? Then one comparison says it for both."""
        skeletons, arrays = zip(pack(self.numpy), pack(self.torch), strict=True)
        alike = zip(*arrays, strict=False)
        # As text, because 1 equals True and 1.0.
        return repr(skeletons[0]) == repr(skeletons[1]) and all(
            (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()) for one, other in alike
        )


@dataclass(frozen=True)
class ExpectedCase:
    """A case with everything that is known about it beforehand."""

    case: Case
    reads: tuple[Expected, ...]
    tolerance: Tolerance


@dataclass(frozen=True)
class Attempt:
    """What happened when a case was played: exactly one of `seen` and `error` is set.

    Args:
        case: id of the case.
        seen: label to value.
        error: name of the exception's type.
        message: the exception's message, with the learner's line, for people.
        detail: the exception's own message; two attempts that fail alike agree in it.
    """

    case: str
    seen: Mapping[str, Tree] | None = None
    error: str = ""
    message: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Fingerprint:
    """A mistake, and what it does on each case."""

    id: str
    says: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Expectation:
    """Everything needed to judge one exercise without its references.

    Args:
        exercise: its id.
        points: what it is worth.
        cases: in the order in which they are played.
        fingerprints: its mistakes.
        uses: other names that the cases call.
        prepare: name of the function in `course_lib.properties` that turns what was read into what is
            compared, or "" when it is compared as it is.
        disputed: do the two references disagree somewhere? Then nobody loses points.
        seconds: CPU seconds that the reference took.
        training: are these cases trainings?
    """

    exercise: str
    points: float
    cases: tuple[ExpectedCase, ...]
    fingerprints: tuple[Fingerprint, ...] = ()
    uses: tuple[str, ...] = ()
    prepare: str = ""
    disputed: bool = False
    seconds: float = 0.0
    training: bool = False


@dataclass(frozen=True)
class Row:
    """What is said about one case: whether the values agree with each reference, and the first remark."""

    case: str
    numpy: bool
    torch: bool
    note: str = ""
    difference: Difference | None = None
    stopped: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """The result: see the module's docstring."""

    outcome: Outcome
    message: str
    rows: tuple[Row, ...] = ()
    mistake: str | None = None
    case: str = ""
    missed: frozenset[Kind] = frozenset()

    @property
    def passed(self) -> bool:
        """Is the answer right where it matters?"""
        return "core" not in self.missed


@dataclass(frozen=True)
class _Finding:
    kind: Kind
    outcome: Outcome
    message: str
    case: str
    about: str = ""


def diagnose(expectation: Expectation, attempts: Sequence[Attempt]) -> Diagnosis:
    """Judge what happened against what was expected.

    Args:
        expectation: of the exercise.
        attempts: one per case, in order. Fewer mean that the rest was never reached.
    """
    looks = [_look(expected, attempt) for expected, attempt in zip(expectation.cases, attempts, strict=False)]
    rows = tuple(look.row for look in looks)
    findings = [found for look in looks for found in look.findings]
    findings += [_not_reached(expected.case) for expected in expectation.cases[len(looks) :]]
    serious = [found for found in findings if found.kind == "core"]
    missed = frozenset(found.kind for found in findings)
    if serious and serious[0].outcome is Outcome.NOT_STARTED:
        return Diagnosis(Outcome.NOT_STARTED, serious[0].message, rows, case=serious[0].case, missed=missed)
    if not findings:
        return Diagnosis(Outcome.CORRECT, "", rows)
    first = (serious or [found for found in findings if found.kind == "stability"] or findings)[0]
    mistake = _recognise(expectation, attempts)
    message = mistake.says if mistake else first.message
    return Diagnosis(first.outcome, message, rows, mistake.id if mistake else None, first.case, missed)


def _not_reached(case: Case) -> _Finding:
    # Whatever stopped the play says more; but what was never played is never right.
    return _Finding("core", Outcome.CRASHED, messages.NOT_REACHED.format(case=case.id), case.id)


@dataclass(frozen=True)
class _Look:
    row: Row
    findings: tuple[_Finding, ...]


def _look(expected: ExpectedCase, attempt: Attempt) -> _Look:
    """Compare one case with both references, each read once."""
    case, seen = expected.case, attempt.seen
    if seen is None:
        kind = next((read.kind for read in expected.reads), "core")
        found = _Finding(kind, _error_outcome(attempt.error), attempt.message, case.id)
        return _Look(Row(case.id, False, False, attempt.message or attempt.error, stopped=True), (found,))
    differences = [compare(seen.get(read.label), read.numpy, expected.tolerance) for read in expected.reads]
    findings = tuple(
        found
        for read, difference in zip(expected.reads, differences, strict=True)
        if (found := _read_finding(read, difference, seen, case))
    )
    # A changed input does not make two answers disagree; it is told in the note.
    pairs = zip(expected.reads, differences, strict=True)
    values = [(read, difference) for read, difference in pairs if not read.label.endswith(" afterwards")]
    first = next((difference for _, difference in values if difference), None)
    torch = all(
        (difference if read.same else compare(seen.get(read.label), read.torch, expected.tolerance)) is None
        for read, difference in values
    )
    return _Look(Row(case.id, first is None, torch, findings[0].message if findings else "", first), findings)


def _read_finding(
    read: Expected, difference: Difference | None, seen: Mapping[str, Tree], case: Case
) -> _Finding | None:
    if difference is not None:
        return _finding(read, difference, case)
    other = _dtypes(seen[read.label]) - {read.dtype} if read.dtype else set()
    if not other:
        return None
    message = messages.DTYPE_NOT_KEPT.format(expected=read.dtype, received=", ".join(sorted(other)))
    return _Finding("convention", Outcome.CONVENTION, message, case.id, f"dtype of {read.label}")


def _finding(read: Expected, difference: Difference, case: Case) -> _Finding:
    if read.label.endswith(" afterwards"):
        name = read.label.removesuffix(" afterwards")
        message = messages.INPUT_CHANGED.format(name=name)
        return _Finding("convention", Outcome.CONVENTION, message, case.id, read.label)
    message = difference.message
    if read.kind == "convention":
        return _Finding("convention", Outcome.CONVENTION, case.says or message, case.id, read.label)
    if difference.kind == "dtype":
        return _Finding("convention", Outcome.WRONG_TYPE, message, case.id, read.label)
    if read.kind == "stability":
        says = case.says or messages.BREAKS_WHEN_LARGE.format(message=message)
        return _Finding("stability", Outcome.UNSTABLE, says, case.id, read.label)
    by_kind = {"structure": Outcome.WRONG_TYPE, "shape": Outcome.WRONG_SHAPE}
    return _Finding("core", by_kind.get(difference.kind, Outcome.WRONG_VALUES), message, case.id, read.label)


DETAIL = 200
_ERROR_OUTCOMES = {
    "NotImplementedError": Outcome.NOT_STARTED,
    "MemoryError": Outcome.MEMORY_LIMIT,
    "_ArrayMemoryError": Outcome.MEMORY_LIMIT,
    WrongReturnError.__name__: Outcome.WRONG_TYPE,
}


def error_detail(error: BaseException | None) -> str:
    """The start of an exception's own message, by which two failures are told apart."""
    return str(error)[:DETAIL]


def _error_outcome(error: str) -> Outcome:
    return _ERROR_OUTCOMES.get(error, Outcome.RAISED)


def _dtypes(tree: Tree) -> set[str]:
    if isinstance(tree, (list, tuple)):
        return set().union(*(_dtypes(item) for item in tree)) if tree else set()
    if isinstance(tree, dict):
        return _dtypes(list(tree.values()))
    # Python floats carry no dtype; only arrays and NumPy scalars can break the promise.
    return {tree.dtype.name} if isinstance(tree, (np.ndarray, np.generic)) and tree.dtype.kind == "f" else set()


def _recognise(expectation: Expectation, attempts: Sequence[Attempt]) -> Fingerprint | None:
    """The mistake that did the same on every case, and is wrong somewhere for the same reason."""
    for fingerprint in expectation.fingerprints:
        triples = list(zip(expectation.cases, attempts, fingerprint.attempts, strict=False))
        if all(_same(*triple) for triple in triples) and any(_share_a_fault(*triple) for triple in triples):
            return fingerprint
    return None


def _share_a_fault(expected: ExpectedCase, mine: Attempt, theirs: Attempt) -> bool:
    # Equal values are not enough: a mistake may lie in the dtype or in changed inputs alone.
    faults = [{found.about for found in _look(expected, attempt).findings} for attempt in (mine, theirs)]
    return not faults[0].isdisjoint(faults[1])


def _same(expected: ExpectedCase, mine: Attempt, theirs: Attempt) -> bool:
    if mine.seen is None or theirs.seen is None:
        return (mine.error, mine.detail) == (theirs.error, theirs.detail) != ("", "")
    # Whether an input was changed is a habit of its own; it does not hide a mistake.
    labels = [read.label for read in expected.reads if not read.label.endswith(" afterwards")]
    return all(compare(mine.seen.get(k), theirs.seen.get(k), expected.tolerance) is None for k in labels)


def expectation_to_tree(expectation: Expectation) -> Tree:
    """An expectation as plain data, for case files."""
    fields = {name: getattr(expectation, name) for name in _PLAIN}
    cases = [
        {
            "case": case_to_tree(item.case),
            "reads": [[r.label, r.kind, r.numpy, r.torch, r.dtype] for r in item.reads],
            "tolerance": [item.tolerance.rtol, item.tolerance.atol],
        }
        for item in expectation.cases
    ]
    mistakes = [[f.id, f.says, [_attempt_to_tree(a) for a in f.attempts]] for f in expectation.fingerprints]
    return {**fields, "uses": list(expectation.uses), "cases": cases, "mistakes": mistakes}


_PLAIN = ("exercise", "points", "prepare", "disputed", "seconds", "training")


def _attempt_to_tree(attempt: Attempt) -> Tree:
    seen = None if attempt.seen is None else dict(attempt.seen)
    return [attempt.case, seen, attempt.error, attempt.message, attempt.detail]


def expectation_from_tree(tree: Mapping[str, Any]) -> Expectation:
    """The inverse of `expectation_to_tree`."""
    cases = tuple(
        ExpectedCase(
            case_from_tree(item["case"]),
            tuple(Expected(*read) for read in item["reads"]),
            Tolerance(*item["tolerance"]),
        )
        for item in tree["cases"]
    )
    mistakes = tuple(Fingerprint(m[0], m[1], tuple(Attempt(*a) for a in m[2])) for m in tree["mistakes"])
    plain = {name: tree[name] for name in _PLAIN}
    return Expectation(**plain, cases=cases, fingerprints=mistakes, uses=tuple(tree["uses"]))
