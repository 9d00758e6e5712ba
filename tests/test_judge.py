"""Whole notebooks of lesson 01 through the real walls: what one answer does costs that answer alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograder.answers import Notebook
from autograder.classroom import fill
from autograder.course import Lesson, Outcome, Verdict
from autograder.grade import Grader
from autograder.submission import parse_notebook

Judged = Callable[..., dict[str, Verdict]]


@pytest.fixture(scope="module")
def judged(grader: Grader, lesson: Lesson, released: dict[str, Any], solved: dict[str, str]) -> Judged:
    """Judge the solution with some answers changed, and return the verdicts by exercise."""

    def judge(learner: str = "self-study", base: dict[str, str] | None = None, **answers: str) -> dict[str, Verdict]:
        filled = fill(released, (solved if base is None else base) | answers)
        names = [item.id for item in (*lesson.exercises, *lesson.questions)]
        submission = parse_notebook(_to_bytes(filled))
        verdicts = grader.judge(Notebook(submission, names), learner).verdicts
        return {verdict.exercise: verdict for verdict in verdicts}

    return judge


def _to_bytes(notebook: dict[str, Any]) -> bytes:
    import json

    return json.dumps(notebook).encode()


def test_work_built_on_a_wrong_answer_is_judged_beside_the_reference(judged: Judged) -> None:
    """A wrong sigmoid costs the sigmoid's points, not those of everything that calls it."""
    verdicts = judged(sigmoid="def sigmoid(x):\n    return x")
    assert verdicts["sigmoid"].points == 0
    assert verdicts["mlp_forward"].points == verdicts["mlp_forward"].max_points
    assert "`sigmoid`" in verdicts["mlp_forward"].message


def test_reference_beside_an_answer_is_never_shown(judged: Judged) -> None:
    """An answer that prints, raises or returns the source of what it calls learns nothing from the verdict."""
    spy = (
        "import inspect\n"
        "def mlp_forward(x, w1, b1, w2, b2):\n"
        "    raise ValueError('SPY ' + sigmoid.__code__.co_filename + repr(sigmoid.__code__.co_consts))\n"
    )
    verdicts = judged(sigmoid="def sigmoid(x):\n    return x * 77.0", mlp_forward=spy)
    assert verdicts["mlp_forward"].points == 0
    assert "77.0" in verdicts["mlp_forward"].message, "the first run, with the learner's own sigmoid"


def test_wrong_reference_free_answer_beside_failing_one_stays_wrong(judged: Judged) -> None:
    """The second run forgives what is borrowed, not what is written."""
    wrong = "def mlp_forward(x, w1, b1, w2, b2):\n    return sigmoid(x @ w1.T) @ w2.T, None"
    verdicts = judged(sigmoid="def sigmoid(x):\n    return x", mlp_forward=wrong)
    assert verdicts["mlp_forward"].points == 0


def test_answer_that_poisons_numpy_costs_only_itself(judged: Judged, lesson: Lesson) -> None:
    """A patch of NumPy in one answer does not reach the next one."""
    poison = (
        "import numpy as np\ndef sigmoid(x):\n    np.exp = None\n    np.sum = None\n    np.tanh = None\n    return x"
    )
    verdicts = judged(sigmoid=poison)
    lost = {name for name, verdict in verdicts.items() if verdict.points < verdict.max_points}
    assert lost == {"sigmoid"}


def test_answer_that_ends_the_process_costs_only_itself(judged: Judged) -> None:
    """After os._exit in one answer, the next one gets a new process."""
    verdicts = judged(mse_loss="import os\ndef mse_loss(y_hat, y):\n    os._exit(0)")
    lost = {name: verdict.outcome for name, verdict in verdicts.items() if verdict.points < verdict.max_points}
    assert lost == {"mse_loss": Outcome.CRASHED}


def test_own_error_is_shown_with_its_line(judged: Judged) -> None:
    """An exception is reported with the learner's own line, not ours."""
    verdict = judged(mse_loss="def mse_loss(y_hat, y):\n    total = y_hat.summ()\n    return total")["mse_loss"]
    assert verdict.outcome is Outcome.RAISED
    assert "line 2" in verdict.message and "y_hat.summ()" in verdict.message


def test_syntax_error_is_shown_with_cell_and_line(judged: Judged) -> None:
    """A cell that does not parse costs that exercise and says where it breaks."""
    verdict = judged(mse_loss="def mse_loss(y_hat, y):\n    return (y_hat - y")["mse_loss"]
    assert verdict.outcome is Outcome.SYNTAX_ERROR
    assert "line 2" in verdict.message


def test_exam_answer_of_another_learner_needs_a_person(judged: Judged, grader: Grader) -> None:
    """Right numbers for the wrong name are neither full marks nor a silent zero."""
    verdicts = judged(learner="somebody-else")
    assert verdicts["exam_parameters"].outcome is Outcome.NEEDS_A_PERSON
    assert "self-study" in verdicts["exam_parameters"].message


def test_numpy_warnings_cost_nothing(judged: Judged) -> None:
    """The plain formula overflows with a warning at -1000 and is right all the same."""
    plain = "import numpy as np\ndef sigmoid(x):\n    return 1 / (1 + np.exp(-x))"
    assert judged(sigmoid=plain)["sigmoid"].outcome is Outcome.CORRECT


def test_same_submission_gets_the_same_verdicts(judged: Judged) -> None:
    """Judging twice gives the same, up to the time it took."""
    first, second = judged(sigmoid="def sigmoid(x):\n    return x"), judged(sigmoid="def sigmoid(x):\n    return x")
    timeless = [[(v.exercise, v.outcome, v.points, v.message) for v in run.values()] for run in (first, second)]
    assert timeless[0] == timeless[1]
