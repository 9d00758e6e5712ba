"""Exercise on reading a layer's activations (topic `initialisation`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to (N, D). Shares of a float32 layer are float64 in the obvious way to write them: no case asks for more.
_PUBLIC = {"after a ReLU": (4, 3), "one example": (1, 5), "after tanh": (3, 2)}
_SECRET = {
    "after a ReLU": (6, 4),
    "one example": (1, 6),
    "one unit": (7, 1),
    "after tanh": (3, 5),
    "all silent": (3, 4),
}


def _activation_stats_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, d) in (_PUBLIC if public else _SECRET).items():
        h = draw(rng, n, d)
        h = np.round(np.tanh(h), 2) if name == "after tanh" else _after_relu(h)
        cases.append(call_case(name, "activation_stats", {"h": h * (name != "all silent")}))
    # One unit sums to zero without being silent, one is silent, one mostly.
    value = abs(draw(rng, 1)[0])
    signs = np.array([[value, 0.0, 0.0, 0.3], [-value, 0.0, -0.2, 0.1], [0.0, 0.0, 0.0, -0.9]])
    cases.append(call_case("positive and negative cancel", "activation_stats", {"h": signs}))
    far = draw(rng, 4, 3) + 1e5
    cases.append(call_case("far from zero", "activation_stats", {"h": far}, kind="stability"))
    return tuple(cases)


def _after_relu(scores: np.ndarray) -> np.ndarray:
    """Activations with a silent unit, one unit that speaks once, and the others as they come."""
    h = np.maximum(scores, 0)
    h[0] += 0.25
    h[:, -1] = 0
    if h.shape[1] > 1:
        h[1:, 0] = 0
    return h


def _activation_stats__variance(h):
    silent = h == 0
    return h.mean(), h.var(), silent.mean(dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)


def _activation_stats__n_minus_one(h):
    silent = h == 0
    return h.mean(), h.std(ddof=1), silent.mean(dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)


def _activation_stats__root_mean_square(h):
    silent = h == 0
    return h.mean(), np.sqrt((h * h).mean()), silent.mean(dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)


def _activation_stats__squares_minus_square(h):
    silent = h == 0
    std = np.sqrt(np.maximum((h * h).mean() - h.mean() ** 2, 0))
    return h.mean(), std, silent.mean(dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)


def _activation_stats__counts(h):
    silent = h == 0
    return h.mean(), h.std(), silent.sum(dtype=h.dtype), silent.all(axis=0).sum(dtype=h.dtype)


def _activation_stats__not_positive(h):
    silent = h <= 0
    return h.mean(), h.std(), silent.mean(dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)


def _activation_stats__active(h):
    active = h != 0
    return h.mean(), h.std(), active.mean(dtype=h.dtype), active.any(axis=0).mean(dtype=h.dtype)


def _activation_stats__silent_once(h):
    silent = h == 0
    return h.mean(), h.std(), silent.mean(dtype=h.dtype), silent.any(axis=0).mean(dtype=h.dtype)


def _activation_stats__silent_examples(h):
    silent = h == 0
    return h.mean(), h.std(), silent.mean(dtype=h.dtype), silent.all(axis=1).mean(dtype=h.dtype)


def _activation_stats__sum_is_zero(h):
    silent, dead = h == 0, h.sum(axis=0) == 0
    return h.mean(), h.std(), silent.mean(dtype=h.dtype), dead.mean(dtype=h.dtype)


def _activation_stats__per_unit(h):
    silent = h == 0
    return h.mean(axis=0), h.std(axis=0), silent.mean(axis=0, dtype=h.dtype), silent.all(axis=0).mean(dtype=h.dtype)


def _activation_stats__counted(h):
    zeros = h.size - np.count_nonzero(h)
    dead = h.shape[1] - np.count_nonzero(np.count_nonzero(h, axis=0))
    mean = h.sum() / h.size
    std = np.linalg.norm(h - mean) / np.sqrt(h.dtype.type(h.size))
    return mean, std, h.dtype.type(zeros / h.size), h.dtype.type(dead / h.shape[1])


def _activation_stats__number_by_number(h):
    import math

    columns = [[float(value) for value in column] for column in h.T]
    values = [value for column in columns for value in column]
    mean = math.fsum(values) / len(values)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    zeros = values.count(0.0) / len(values)
    dead = sum(not any(column) for column in columns) / len(columns)
    return tuple(h.dtype.type(number) for number in (mean, std, zeros, dead))


ACTIVATION_STATS = Exercise(
    id="activation_stats",
    topic="initialisation",
    points=2,
    cases=_activation_stats_cases,
    mistakes=(
        Mistake(
            "variance",
            "Your second number is the variance. The standard deviation is its root: h.std().",
            _activation_stats__variance,
        ),
        Mistake(
            "n_minus_one",
            "You divide by one less than the number of activations. Here the standard deviation divides by all of "
            "them: h.std(), without ddof=1.",
            _activation_stats__n_minus_one,
        ),
        Mistake(
            "root_mean_square",
            "You forgot to subtract the mean before squaring. The standard deviation measures distances from the mean.",
            _activation_stats__root_mean_square,
        ),
        Mistake(
            "squares_minus_square",
            "Mean of squares minus square of the mean loses its digits where the mean is large. Subtract the mean "
            "first, then square; h.std() does that.",
            _activation_stats__squares_minus_square,
        ),
        Mistake(
            "counts",
            "You return how many zeros and dead units there are. Return shares: divide by the number of activations "
            "and by the number of units.",
            _activation_stats__counts,
        ),
        Mistake(
            "not_positive",
            "You count negative activations as silent. Silent is exactly zero: compare with == 0.",
            _activation_stats__not_positive,
        ),
        Mistake(
            "active",
            "You return the shares of what is active. The last two numbers are the shares of zeros and of dead units.",
            _activation_stats__active,
        ),
        Mistake(
            "silent_once",
            "You call a unit dead that is silent for some example. Dead means zero for every example: all, not any.",
            _activation_stats__silent_once,
        ),
        Mistake(
            "silent_examples",
            "You look along the rows and find silent examples. A unit is a column: .all(axis=0).",
            _activation_stats__silent_examples,
        ),
        Mistake(
            "sum_is_zero",
            "A sum can be zero although the unit is not silent: positive and negative cancel. Ask whether every entry "
            "is zero.",
            _activation_stats__sum_is_zero,
        ),
        Mistake(
            "per_unit",
            "You return one number per unit. The first three numbers are over all activations together: no axis.",
            _activation_stats__per_unit,
        ),
    ),
    other_ways=(
        OtherWay("counted", _activation_stats__counted),
        OtherWay("number_by_number", _activation_stats__number_by_number),
    ),
)

EXERCISES = (ACTIVATION_STATS,)
