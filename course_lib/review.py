"""The check of a review notebook: the same machinery as in a lesson, with cases that `course review` drew afresh.

What enters: a case file beside the notebook, and the learner's answers. What leaves: the table that `check` shows,
and one event ``reviewed`` per attempt in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from course_lib import journal, messages
from course_lib.attempts import digest
from course_lib.casefile import read_tree
from course_lib.check import CheckFailed, examine, examine_with
from course_lib.diagnose import Expectation, expectation_from_tree
from course_lib.report import CheckReport, show
from course_lib.reveal import solution
from course_lib.tree import TreeError


class ReviewError(Exception):
    """A review that cannot go on; the message says what to do. In a notebook it shows as one line."""

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: our own frames would bury the message."""
        return [str(self)]


@dataclass(frozen=True, repr=False)
class Review:
    """The check of one review; call it like `check`: ``check("sigmoid", sigmoid)``.

    Args:
        seed: names the review in the journal.
        lessons: exercise or question id to the lesson's id.
        expectations: exercise id to what is expected on the fresh cases.
        learner: whose numbers the exam questions have.
    """

    seed: str
    lessons: Mapping[str, str]
    expectations: Mapping[str, Expectation]
    learner: str

    def __call__(self, name: str, answer: Any) -> None:
        """Check an answer, show what was found, and write down whether it was right.

        Raises:
            CheckFailed: the answer is not right yet; the table above the message says where.
            ReviewError: the review does not ask for this.
        """
        self._require(name)
        report = self._examine(name, answer)
        show(report)
        if report.finding is not None:
            self._record(name, passed=report.passed, digest=digest(answer), mistake=report.finding.mistake)
        if not report.passed:
            raise CheckFailed(report)

    def solution(self, name: str) -> None:
        """Show one way to solve it. The exercise then counts as forgotten, and comes back soon.

        Raises:
            ReviewError: the review does not ask for this.
        """
        self._require(name)
        self._record(name, passed=False, shown=True)
        solution(name, now=True)

    def _require(self, name: str) -> None:
        if name not in self.lessons:
            raise ReviewError(messages.REVIEW_NOT_HERE.format(name=name, names=", ".join(self.lessons)))

    def _record(self, name: str, **facts: Any) -> None:
        journal.record("reviewed", lesson=self.lessons[name], exercise=name, review=self.seed, **facts)

    def _examine(self, name: str, answer: Any) -> CheckReport:
        if name not in self.expectations:
            return examine(name, answer, learner=self.learner)
        report = examine_with(self.expectations[name], answer)
        if report.passed:
            return replace(report, headline=messages.REVIEW_PASSED.format(cases=len(report.rows)))
        return report


def open_review(file: str | Path) -> Review:
    """The check of the review whose cases lie in a file.

    Args:
        file: as `course review` wrote it, beside the notebook.

    Raises:
        ReviewError: it is missing or damaged.
    """
    path = Path(file)
    try:
        tree = read_tree(path)
        expectations = {name: expectation_from_tree(found) for name, found in tree["exercises"].items()}
        return Review(tree["seed"], tree["lessons"], expectations, tree["learner"])
    except OSError:
        raise ReviewError(messages.REVIEW_NO_FILE.format(name=path.name)) from None
    except (TreeError, LookupError, TypeError, AttributeError):
        raise ReviewError(messages.REVIEW_DAMAGED.format(name=path.name)) from None
