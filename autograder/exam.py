"""The exam corner: every variant's numbers and answers, computed once.

A learner's variant is one of 256 and follows from the learner's id in the gradebook, never from the notebook.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.course import Lesson, Question
from course_lib.cases import Case, Step
from course_lib.compare import Tolerance
from course_lib.diagnose import Attempt, Expectation, Expected, ExpectedCase, Fingerprint
from course_lib.exam import VARIANTS, answer_hash, variant_of
from course_lib.tree import Handle, Tree

_LABEL = "result"
_CASE = "your number"


@dataclass(frozen=True)
class QuestionSheet:
    """All answers of all variants.

    Args:
        lesson: the lesson's id.
        answers: question id to ``{"points", "decimals", "numpy", "torch", "mistakes"}``; the arrays have
            one entry per variant, mistakes are ``[id, sentence, array]``.
    """

    lesson: str
    answers: Mapping[str, Mapping[str, Any]]

    def expectation(self, name: str, learner: str) -> Expectation:
        """What is expected of one learner for one question."""
        question, variant = self.answers[name], variant_of(self.lesson, learner)
        steps = (Step("global", "value", name), Step("read", _LABEL, "", (Handle("value"),)))
        tolerance = Tolerance(0.0, 0.5 * 10.0 ** -question["decimals"] + 1e-9)
        # Rounded first, as `check` does in the notebook: both must call the same answers right.
        rounded = [round(float(question[key][variant]), question["decimals"]) for key in ("numpy", "torch")]
        read = Expected(_LABEL, "core", *rounded)
        case = ExpectedCase(Case(_CASE, {}, steps), (read,), tolerance)
        mistakes = tuple(
            Fingerprint(key, says, (Attempt(_CASE, {_LABEL: round(float(wrong[variant]), question["decimals"])}),))
            for key, says, wrong in question["mistakes"]
        )
        return Expectation(name, question["points"], (case,), mistakes)


def solve(lesson: Lesson) -> dict[str, Tree]:
    """Answers of all variants of all questions, both ways. Imports Torch."""
    return {question.id: _solve(question) for question in lesson.questions}


def _solve(question: Question) -> Tree:
    drawn = [numbers_of(question, variant) for variant in range(VARIANTS)]
    mistakes = [
        [key, says, np.array([float(wrong(**numbers)) for numbers in drawn])]
        for key, (says, wrong) in question.mistakes.items()
    ]
    return {
        "points": question.points,
        "decimals": question.decimals,
        "numpy": np.array([float(question.answer(**numbers)) for numbers in drawn]),
        "torch": np.array([float(question.torch_answer(**numbers)) for numbers in drawn]),
        "mistakes": mistakes,
    }


def numbers_of(question: Question, variant: int) -> dict[str, int | float]:
    """The numbers of one variant."""
    seed = hashlib.sha256(f"{question.id}\0{variant}".encode()).digest()
    return question.numbers(np.random.default_rng(int.from_bytes(seed[:8], "big")))


def public_sheet(lesson: Lesson) -> dict[str, Tree]:
    """What a notebook needs: texts and numbers openly, answers only as salted hashes."""
    return {question.id: _public(lesson, question) for question in lesson.questions}


def _public(lesson: Lesson, question: Question) -> Tree:
    drawn = [numbers_of(question, variant) for variant in range(VARIANTS)]
    return {
        "points": question.points,
        "text": question.text,
        "explanation": question.explanation,
        "decimals": question.decimals,
        "names": list(drawn[0]),
        "integers": [isinstance(value, int) for value in drawn[0].values()],
        "numbers": np.array([[float(value) for value in numbers.values()] for numbers in drawn]),
        "hashes": [
            answer_hash(lesson.id, question.id, variant, float(question.answer(**numbers)), question.decimals)
            for variant, numbers in enumerate(drawn)
        ],
        "mistakes": [
            [says, [
                answer_hash(lesson.id, question.id, variant, float(wrong(**numbers)), question.decimals)
                for variant, numbers in enumerate(drawn)
            ]]
            for says, wrong in question.mistakes.values()
        ],
    }  # fmt: skip
