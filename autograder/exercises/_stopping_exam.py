"""The question on early stopping in the exam corner of lesson 05."""

from __future__ import annotations

import numpy as np

from autograder.course import Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear

_EPOCHS = 9


def _stop_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {f"l{i}": int(rng.integers(10, 90)) / 100 for i in range(_EPOCHS)}
    numbers |= {"patience": int(rng.integers(2, 4))}
    asks = len(set(_losses(**numbers))) == _EPOCHS and _stop_answer(**numbers) < _EPOCHS - 2
    clear = asks and is_clear(numbers, _stop_answer, _STOP_MISTAKES, 2)
    return numbers if clear else _stop_numbers(rng)


def _losses(**numbers: float) -> list[float]:
    return [numbers[f"l{i}"] for i in range(_EPOCHS)]


def _stop(losses: list[float], patience: float) -> tuple[int, int]:
    """The last epoch and the best one: the first record that stands for `patience` epochs."""
    best = 0
    while best + patience < len(losses):
        better = [i for i in range(best + 1, best + int(patience) + 1) if losses[i] < losses[best]]
        if not better:
            return best + int(patience), best
        best = better[0]
    return len(losses) - 1, best


def _stop_answer(**numbers: float) -> float:
    last, best = _stop(_losses(**numbers), numbers["patience"])
    return last + numbers[f"l{best}"]


def _stop_rises(**numbers: float) -> float:
    """The answer if each loss were compared with the one before it."""
    losses, waited = _losses(**numbers), 0
    for epoch in range(1, _EPOCHS):
        waited = 0 if losses[epoch] < losses[epoch - 1] else waited + 1
        if waited == numbers["patience"]:
            return epoch + min(losses[: epoch + 1])
    return _EPOCHS - 1 + min(losses)


def _stop_torch(**numbers: float) -> float:
    losses = _losses(**numbers)
    last, best = ask_torch("early_stopping", np.array(losses), int(numbers["patience"]))
    return last + losses[best]


def _stop_kept(**numbers: float) -> float:
    """The answer if training stopped with the epoch that is kept."""
    best = _stop(_losses(**numbers), numbers["patience"])[1]
    return best + numbers[f"l{best}"]


def _stop_last_loss(**numbers: float) -> float:
    """The answer with the loss of the last epoch in place of the best one."""
    last = _stop(_losses(**numbers), numbers["patience"])[0]
    return last + numbers[f"l{last}"]


_STOP_MISTAKES: Formulas = {
    "best_epoch": (
        "You took the number of the best epoch, whose weights are kept. Training goes on for patience epochs after it.",
        _stop_kept,
    ),
    "last_loss": (
        "You added the loss of the last epoch. Early stopping goes back to the best one: add its loss.",
        _stop_last_loss,
    ),
    "one_more": (
        "That is one epoch too late. Training stops with the last of the patience epochs that were not better.",
        lambda **numbers: _stop_answer(**numbers) + 1,
    ),
    "compared_with_the_last": (
        "You compare each loss with the one before it. Compare with the best loss so far.",
        _stop_rises,
    ),
}

EXAM_EARLY_STOP = Question(
    id="exam_early_stop",
    points=1,
    numbers=_stop_numbers,
    text=(
        "The validation losses of epochs 0, 1, 2, ... are {l0}, {l1}, {l2}, {l3}, {l4}, {l5}, {l6}, {l7}, {l8}. "
        "Training stops early with a patience of {patience} and min_delta = 0. Add the number of the last epoch that "
        "is trained, counted from 0, and the loss of the epoch whose weights are kept: epoch 7 and loss 0.42 would "
        "make 7.42."
    ),
    answer=_stop_answer,
    torch_answer=_stop_torch,
    explanation=(
        "Note the best loss so far at each epoch. Training ends with the last of {patience} epochs in a row that were "
        "not better, and the weights of the epoch before those {patience} are kept: {answer} in all."
    ),
    mistakes=_STOP_MISTAKES,
    decimals=2,
)
