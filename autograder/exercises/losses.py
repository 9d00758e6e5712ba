"""Exercises on losses."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to (N, D).
_PUBLIC = {"four examples": (4, 3), "batch of one": (1, 3), "one output": (5, 1), "float32": (3, 2)}
_SECRET = {
    "five examples": (5, 3),
    "more outputs than examples": (2, 5),
    "batch of one": (1, 4),
    "one output": (6, 1),
    "large errors": (3, 4),
    "perfect prediction": (3, 2),
    "float32": (4, 3),
}


def _mse_loss_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, d) in (_PUBLIC if public else _SECRET).items():
        dtype = "float32" if name == "float32" else "float64"
        y_hat = draw(rng, n, d, scale=300.0 if name == "large errors" else 1.0, dtype=dtype)
        y = y_hat.copy() if name == "perfect prediction" else draw(rng, n, d, dtype=dtype)
        cases.append(call_case(name, "mse_loss", {"y_hat": y_hat, "y": y}))
    return tuple(cases)


def _mse_loss__mean_of_all(y_hat, y):
    return np.mean((y_hat - y) ** 2)


def _mse_loss__sum_of_all(y_hat, y):
    return np.sum((y_hat - y) ** 2)


def _mse_loss__mean_over_outputs(y_hat, y):
    return np.sum((y_hat - y) ** 2) / y.shape[1]


def _mse_loss__half(y_hat, y):
    return 0.5 * np.sum((y_hat - y) ** 2) / len(y)


def _mse_loss__root(y_hat, y):
    return np.sqrt(np.sum((y_hat - y) ** 2) / len(y))


def _mse_loss__absolute(y_hat, y):
    return np.sum(np.abs(y_hat - y)) / len(y)


def _mse_loss__per_example(y_hat, y):
    return np.sum((y_hat - y) ** 2, axis=1)


def _mse_loss__loops(y_hat, y):
    total = 0.0
    for row, target in zip(y_hat, y, strict=True):
        for a, b in zip(row, target, strict=True):
            total = total + (a - b) * (a - b)
    return total / len(y)


def _mse_loss__dot_product(y_hat, y):
    difference = np.ravel(y_hat - y)
    return difference @ difference / len(y)


def _mse_loss__mean_per_output(y_hat, y):
    return sum(np.mean(np.square(y_hat[:, d] - y[:, d])) for d in range(y.shape[1]))


MSE_LOSS = Exercise(
    id="mse_loss",
    topic="losses",
    points=2,
    cases=_mse_loss_cases,
    mistakes=(
        Mistake(
            "mean_of_all",
            "You average over the outputs too, as Torch does by default. Here the outputs are summed: divide the sum "
            "of squares by the number of examples N only.",
            _mse_loss__mean_of_all,
        ),
        Mistake(
            "sum_of_all",
            "You sum over everything but do not average over the batch. Divide by the number of examples N.",
            _mse_loss__sum_of_all,
        ),
        Mistake(
            "mean_over_outputs",
            "You divide by the number of outputs. Divide by the number of examples: len(y), or y.shape[0].",
            _mse_loss__mean_over_outputs,
        ),
        Mistake("half", "There is a factor 1/2 too much: this loss has none.", _mse_loss__half),
        Mistake("root", "You take the root at the end. The loss is the mean of the squares itself.", _mse_loss__root),
        Mistake(
            "absolute",
            "You add up absolute differences. Square the differences instead: (y_hat - y) ** 2.",
            _mse_loss__absolute,
        ),
        Mistake(
            "per_example",
            "You return one loss per example. Average them: the loss is a single number.",
            _mse_loss__per_example,
        ),
    ),
    other_ways=(
        OtherWay("loops", _mse_loss__loops),
        OtherWay("dot_product", _mse_loss__dot_product),
        OtherWay("mean_per_output", _mse_loss__mean_per_output),
    ),
)

EXERCISES = (MSE_LOSS,)
