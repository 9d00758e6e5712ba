"""Question of lesson 04's exam corner on simulated annealing."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, tenths


def _uphill_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "before": tenths(rng, 10, 60),
        "after": tenths(rng, 15, 90),
        "temperature": tenths(rng, 6, 40),
    }
    uphill = numbers["after"] > numbers["before"] + 0.25
    return numbers if uphill and is_clear(numbers, _uphill_answer, _UPHILL_MISTAKES, 3) else _uphill_numbers(rng)


def _uphill_answer(before: float, after: float, temperature: float) -> float:
    return math.exp(-(after - before) / temperature)


def _uphill_torch(before: float, after: float, temperature: float) -> float:
    """The largest draw that is still accepted, closer and closer."""
    low, high = 0.0, 1.0
    for _ in range(4):
        draws = np.linspace(low, high, 1001)
        accepted = int(ask_torch("metropolis_accept", np.full(1001, after - before), temperature, draws).sum())
        low, high = draws[accepted - 1], draws[min(accepted, 1000)]
    return float(low)


_UPHILL_MISTAKES: Formulas = {
    "refused": (
        "This is the chance that the move is refused. The chance to be accepted is exp(-delta / temperature).",
        lambda before, after, temperature: 1 - math.exp(-(after - before) / temperature),
    ),
    "no_temperature": (
        "The temperature is missing: divide the difference of energies by it.",
        lambda before, after, temperature: math.exp(-(after - before)),
    ),
    "times_temperature": (
        "You multiplied by the temperature. Divide by it: the hotter, the likelier a move uphill.",
        lambda before, after, temperature: math.exp(-(after - before) * temperature),
    ),
    "new_energy_only": (
        "You used the new energy alone. The difference counts: new minus old.",
        lambda before, after, temperature: math.exp(-after / temperature),
    ),
}

EXAM_UPHILL = Question(
    id="exam_uphill",
    points=1,
    numbers=_uphill_numbers,
    text=(
        "Simulated annealing stands at a point with energy {before} and tries a move to a point with energy {after}, "
        "at the temperature {temperature}. What is the chance that the move is accepted?"
    ),
    answer=_uphill_answer,
    torch_answer=_uphill_torch,
    explanation="It goes uphill by {after} - {before}: exp(-({after} - {before}) / {temperature}) = {answer}.",
    mistakes=_UPHILL_MISTAKES,
    decimals=3,
)
