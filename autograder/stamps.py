"""What a verdict was made with, kept beside it, so that a later change can be explained.

What enters: a report, and what the judge knows. What leaves: the same report with the version of each exercise,
names of seed, expected values, judge and submission, and the environment. A name is a short hash: equal names mean
equal things, and nobody can compute the secret cases from one.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from autograder.course import Lesson, Report, Verdict
from autograder.exam import QuestionSheet
from autograder.expected import seed_for
from autograder.submission import Submission
from course_lib.casefile import MAX_FILE_NODES
from course_lib.diagnose import Expectation, expectation_to_tree
from course_lib.exam import variant_of
from course_lib.tree import Tree, pack

# Torch is asked for its version by its metadata: importing it takes seconds.
ENVIRONMENT = (
    f"Python {platform.python_version()}, NumPy {np.__version__}, Torch {version('torch')}, {platform.machine()}"
)
_LENGTH = 12


class Stamps:
    """Everything that the verdicts of one lesson are made with.

    Args:
        lesson: the lesson.
        secret: the course secret.
        expectations: by exercise id.
        questions: the answers of the exam corner.
        judge: the judge's source files.
    """

    def __init__(
        self,
        lesson: Lesson,
        secret: bytes,
        expectations: Mapping[str, Expectation],
        questions: QuestionSheet,
        judge: Sequence[Path],
    ) -> None:
        self._lesson = lesson.id
        self._judge = _name(b"\0".join(path.read_bytes() for path in judge))
        self._exercises = {
            exercise.id: {
                "version": exercise.version,
                "seed": _name(seed_for(secret, exercise.id, exercise.version).to_bytes(8, "big")),
                "expected": _expected(expectations[exercise.id]),
            }
            for exercise in lesson.exercises
        }
        self._questions = {question.id: tree_digest(questions.answers[question.id]) for question in lesson.questions}

    def on(self, report: Report, learner: str) -> Report:
        """The report with its stamps; one that has them already is left alone.

        Args:
            report: verdicts that were made with what this object knows.
            learner: whose numbers of the exam corner were used.
        """
        if report.judge:
            return report
        verdicts = tuple(replace(verdict, **self._of(verdict, learner)) for verdict in report.verdicts)
        return replace(report, verdicts=verdicts, judge=self._judge, environment=ENVIRONMENT)

    def _of(self, verdict: Verdict, learner: str) -> dict[str, int | str]:
        if verdict.exercise in self._exercises:
            return self._exercises[verdict.exercise]
        variant = f"variant {variant_of(self._lesson, learner)}"
        return {"seed": variant, "expected": self._questions[verdict.exercise]}


def code_digest(submission: Submission) -> str:
    """The name of what a learner handed in: code cells and damage, without outputs, texts or metadata."""
    cells = [(cell.grade_id, cell.source) for cell in submission.cells if cell.kind == "code"]
    return _name(repr((cells, submission.problems)).encode())


def tree_digest(tree: Tree) -> str:
    """The name of a tree: the same structure, texts and numbers give the same name."""
    skeleton, arrays = pack(tree, MAX_FILE_NODES)
    digest = hashlib.sha256(json.dumps(skeleton).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:_LENGTH]


def _expected(expectation: Expectation) -> str:
    # How long the reference took, and what the exercise is worth, change no case.
    return tree_digest(expectation_to_tree(replace(expectation, seconds=0.0, points=0.0)))


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_LENGTH]
