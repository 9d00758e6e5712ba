"""The vocabulary of grading: frozen data, no behaviour beyond look-ups.

What enters: nothing. What leaves: the types that every other module of `autograder` speaks in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np

from course_lib.cases import Case
from course_lib.diagnose import Outcome
from course_lib.tree import Tree

__all__ = [
    "Exercise", "Lesson", "Mistake", "OpenQuestion", "OtherWay", "Outcome", "Prepare", "Question", "Report", "Status",
    "Verdict",
]  # fmt: skip

CONVENTION_SHARE = 0.1
STABILITY_SHARE = 0.25


class Status(StrEnum):
    """What became of a submission as a whole."""

    GRADED = "graded"
    PARTLY_GRADED = "partly graded"
    UNREADABLE = "unreadable"
    NEEDS_A_PERSON = "needs a person"


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that learners really write, and the sentence that helps.

    Args:
        id: short name, unique inside the exercise.
        says: what is wrong and what to do, in one or two sentences, addressed to the learner.
        code: the implementation, with the exercise's signature.
    """

    id: str
    says: str
    code: Callable[..., Any]


@dataclass(frozen=True)
class OtherWay:
    """A correct implementation that differs from the reference in algorithm, not in names."""

    id: str
    code: Callable[..., Any]


Prepare = Callable[[Mapping[str, Tree], Case, Mapping[str, Callable[..., Any]]], Mapping[str, Tree]]


@dataclass(frozen=True)
class Exercise:
    """One function or class that a learner writes.

    Args:
        id: its name in the notebook, in both references and in the gradebook.
        topic: stem of the kernel module that holds the references.
        points: what it is worth.
        cases: makes cases from a generator. `public` is true for the cases that learners see; secret
            cases have the same structure with other numbers, and may be more.
        mistakes: at least four, no two alike.
        other_ways: at least two.
        uses: other exercises whose functions the cases call by name beside this one.
        prepare: for exercises judged by behaviour: turns what was read into what is compared, with the
            kernels of one reference. Raises `ValueError` with a sentence for the learner when what was
            read cannot be used at all.
        training: true when the cases train something; their time is counted apart.
        torch: true for a class that the learner writes with Torch; it runs in a worker that has Torch.
        version: raised when cases, references or tolerances change meaning: old verdicts are not reused.
    """

    id: str
    topic: str
    points: float
    cases: Callable[[np.random.Generator, bool], tuple[Case, ...]]
    mistakes: tuple[Mistake, ...] = ()
    other_ways: tuple[OtherWay, ...] = ()
    uses: tuple[str, ...] = ()
    prepare: Prepare | None = None
    training: bool = False
    torch: bool = False
    version: int = 1


@dataclass(frozen=True)
class Question:
    """A computed question of the exam corner; its numbers differ per learner.

    Args:
        id: name of the variable that the learner sets.
        points: what it is worth.
        numbers: the numbers of one variant, drawn from a generator.
        text: the question, with ``{name}`` where a number goes.
        answer: the right answer, by formula.
        torch_answer: the same answer, found another way with Torch.
        explanation: shown after success, with ``{name}`` and ``{answer}``.
        mistakes: wrong answers worth naming: id to (sentence, formula).
        decimals: the answer is compared after rounding to so many decimals; 0 for integers.
    """

    id: str
    points: float
    numbers: Callable[[np.random.Generator], dict[str, int | float]]
    text: str
    answer: Callable[..., float]
    torch_answer: Callable[..., float]
    explanation: str
    mistakes: Mapping[str, tuple[str, Callable[..., float]]] = field(default_factory=dict)
    decimals: int = 0


@dataclass(frozen=True)
class OpenQuestion:
    """A question that a person marks.

    Args:
        id: the cell's grade id.
        points: what it is worth.
        rubric: what earns the points, for the marker.
    """

    id: str
    points: float
    rubric: str


@dataclass(frozen=True)
class Lesson:
    """One notebook."""

    id: str
    title: str
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...] = ()
    open_questions: tuple[OpenQuestion, ...] = ()

    def exercise(self, exercise_id: str) -> Exercise:
        """The exercise of that name; `KeyError` when the lesson has none."""
        return {exercise.id: exercise for exercise in self.exercises}[exercise_id]

    @property
    def max_points(self) -> float:
        """Points that are given automatically; open questions come on top."""
        return sum(item.points for item in (*self.exercises, *self.questions))


Agreement = Literal["agrees", "differs", "not compared"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one exercise of one submission earned, and why.

    Args:
        exercise: the exercise's or question's id.
        outcome: one of `Outcome`.
        points: earned, between 0 and `max_points`.
        max_points: what it is worth.
        message: one or two sentences for the learner; plain text.
        mistake: id of the mistake that was recognised, or None.
        numpy: does it agree with the NumPy reference?
        torch: does it agree with the Torch counterpart?
        seconds: CPU seconds that the learner's code took.
        case: id of the first case that failed, or "".
        version: the exercise's version when it was judged; 0 for a question, or when nothing was judged.
        seed: names the seed of the secret cases without giving it away, or the variant of a question.
        expected: names the cases, expected values, tolerances and mistakes that it was compared with.
    """

    exercise: str
    outcome: Outcome
    points: float
    max_points: float
    message: str = ""
    mistake: str | None = None
    numpy: Agreement = "not compared"
    torch: Agreement = "not compared"
    seconds: float = 0.0
    case: str = ""
    version: int = 0
    seed: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts of one submission.

    Args:
        learner: whose it is, by the folder it lay in.
        lesson: the lesson's id.
        status: what became of the submission.
        verdicts: one per exercise and question, in the lesson's order.
        reason: one sentence when the status is not `graded`.
        key: what the verdicts are kept under (hash of answers, exercises, judge, limits, environment).
        seconds: wall seconds spent on it.
        submission: names the code cells that were judged; the same cells give the same name.
        judge: names the sources of the judge.
        environment: Python, NumPy and machine that it was judged with.
    """

    learner: str
    lesson: str
    status: Status
    verdicts: tuple[Verdict, ...]
    reason: str = ""
    key: str = ""
    seconds: float = 0.0
    submission: str = ""
    judge: str = ""
    environment: str = ""

    @property
    def points(self) -> float:
        """Sum of the points earned."""
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def max_points(self) -> float:
        """Sum of the points that could be earned automatically."""
        return sum(verdict.max_points for verdict in self.verdicts)
