"""Exam corner of lesson 02, the questions on margins: hinge and triplets."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of


def _hinge_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {f"s{i}": int(rng.integers(-30, 31)) / 10 for i in range(3)}
    numbers |= {"label": int(rng.integers(3)), "margin": one_of(rng, 0.5, 0.8, 1.2, 1.5)}
    return numbers if is_clear(numbers, _hinge_answer, _HINGE_MISTAKES, 1) else _hinge_numbers(rng)


def _lacks(label: int, margin: float, **scores: float) -> list[float]:
    """How far each other class comes within the margin, below zero where it stays outside."""
    return [scores[f"s{i}"] - scores[f"s{label}"] + margin for i in range(3) if i != label]


def _hinge_answer(**numbers: float) -> float:
    return sum(max(0.0, lack) for lack in _lacks(**numbers))


def _hinge_torch(s0: float, s1: float, s2: float, label: int, margin: float) -> float:
    return float(ask_torch("hinge_loss", np.array([[s0, s1, s2]]), np.array([label]), margin))


_HINGE_MISTAKES: Formulas = {
    "right_class_counted": (
        "You also counted the right class, which adds the margin. Sum over the two other classes only.",
        lambda margin, **numbers: _hinge_answer(margin=margin, **numbers) + margin,
    ),
    "no_margin": (
        "The margin is missing: add it to each difference before the maximum.",
        lambda margin, **numbers: _hinge_answer(margin=0.0, **numbers),
    ),
    "not_cut": (
        "You added up a difference below zero. A class outside the margin costs 0.",
        lambda **numbers: sum(_lacks(**numbers)),
    ),
}

EXAM_HINGE = Question(
    id="exam_hinge",
    points=1,
    numbers=_hinge_numbers,
    text=(
        "One example gets the scores {s0}, {s1} and {s2} for the classes 0, 1 and 2. The right class is {label}, the "
        "margin is {margin}. What is its hinge_loss, summed over the other classes?"
    ),
    answer=_hinge_answer,
    torch_answer=_hinge_torch,
    explanation=(
        "Each of the two classes other than {label} costs max(0, its score - score of class {label} + {margin}). "
        "With the scores {s0}, {s1}, {s2} the sum is {answer}."
    ),
    mistakes=_HINGE_MISTAKES,
    decimals=1,
)


def _triplet_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {f"{point}{i}": int(rng.integers(-4, 5)) / 2 for point in "apn" for i in (1, 2)}
    numbers["margin"] = one_of(rng, 0.5, 1.0, 1.5, 2.0)
    # A loss of 0 would hide everything else.
    costs = _triplet_answer(**numbers) > 0.05
    return numbers if costs and is_clear(numbers, _triplet_answer, _TRIPLET_MISTAKES, 2) else _triplet_numbers(rng)


def _distance(one: str, other: str, **numbers: float) -> float:
    return math.hypot(*(numbers[f"{one}{i}"] - numbers[f"{other}{i}"] for i in (1, 2)))


def _triplet_answer(margin: float, **numbers: float) -> float:
    return max(0.0, _distance("a", "p", **numbers) - _distance("a", "n", **numbers) + margin)


def _triplet_torch(margin: float, **numbers: float) -> float:
    """By contrastive_loss: of a pair that belongs together it is half the squared distance."""
    anchor, *others = (np.array([[numbers[f"{point}{i}"] for i in (1, 2)]]) for point in "apn")
    near, far = (math.sqrt(2 * float(ask_torch("contrastive_loss", anchor, at, np.ones(1)))) for at in others)
    return max(0.0, near - far + margin)


def _triplet_swapped(margin: float, **numbers: float) -> float:
    return max(0.0, _distance("a", "n", **numbers) - _distance("a", "p", **numbers) + margin)


def _triplet_squared(margin: float, **numbers: float) -> float:
    return max(0.0, _distance("a", "p", **numbers) ** 2 - _distance("a", "n", **numbers) ** 2 + margin)


_TRIPLET_MISTAKES: Formulas = {
    "swapped": (
        "Positive and negative are swapped: it is the distance to p minus the distance to n.",
        _triplet_swapped,
    ),
    "no_margin": (
        "The margin is missing: add it before you cut at zero.",
        lambda margin, **numbers: _triplet_answer(margin=0.0, **numbers),
    ),
    "squared": (
        "You compared squared distances. Take the root of each sum of squares.",
        _triplet_squared,
    ),
}

EXAM_TRIPLET = Question(
    id="exam_triplet",
    points=1,
    numbers=_triplet_numbers,
    text=(
        "The anchor lies at ({a1}, {a2}), the positive at ({p1}, {p2}), the negative at ({n1}, {n2}). What is the "
        "triplet loss with plain distances and margin {margin}? Leave the small 1e-6 out."
    ),
    answer=_triplet_answer,
    torch_answer=_triplet_torch,
    explanation=(
        "The distance from ({a1}, {a2}) to ({p1}, {p2}), minus the distance to ({n1}, {n2}), plus {margin}, "
        "is {answer}."
    ),
    mistakes=_TRIPLET_MISTAKES,
    decimals=2,
)
