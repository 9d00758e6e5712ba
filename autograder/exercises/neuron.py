"""Exercises on one neuron: the admission model and the perceptron."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case
from course_lib.numpy_kernels import sigmoid

_PUPILS = {"five pupils": 5, "one pupil": 1, "float32": 3}
_SECRET_PUPILS = {"seven pupils": 7, "one pupil": 1, "two pupils": 2, "far from the line": 4, "nobody admitted": 3}


def _neuron_gradient_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, n in (_PUPILS if public else _SECRET_PUPILS | {"float32": 6}).items():
        dtype = "float32" if name == "float32" else "float64"
        y = np.zeros(n) if name == "nobody admitted" else rng.integers(0, 2, n)
        inputs = {
            "x": draw(rng, n, 2, scale=4.0 if name == "far from the line" else 1.0, dtype=dtype),
            "y": y.astype(dtype),
            "w": draw(rng, 2, dtype=dtype),
            "b": draw_number(rng, -1.0, 1.0),
        }
        cases.append(call_case(name, "neuron_gradient", inputs))
    return tuple(cases)


def _neuron_gradient__no_slope(x, y, w, b):
    dz = -2 * (y - sigmoid(x @ w + b))
    return dz @ x, dz.sum()


def _neuron_gradient__no_factor_two(x, y, w, b):
    s = sigmoid(x @ w + b)
    dz = -(y - s) * s * (1 - s)
    return dz @ x, dz.sum()


def _neuron_gradient__no_minus_two(x, y, w, b):
    s = sigmoid(x @ w + b)
    dz = (y - s) * s * (1 - s)
    return dz @ x, dz.sum()


def _neuron_gradient__short_formula(x, y, w, b):
    dz = -(y - sigmoid(x @ w + b))
    return dz @ x, dz.sum()


def _neuron_gradient__uphill(x, y, w, b):
    s = sigmoid(x @ w + b)
    dz = 2 * (y - s) * s * (1 - s)
    return dz @ x, dz.sum()


def _neuron_gradient__mean(x, y, w, b):
    s = sigmoid(x @ w + b)
    dz = -2 * (y - s) * s * (1 - s) / len(y)
    return dz @ x, dz.sum()


def _neuron_gradient__slope_of_activated(x, y, w, b):
    s = sigmoid(x @ w + b)
    dz = -2 * (y - s) * sigmoid(s) * (1 - sigmoid(s))
    return dz @ x, dz.sum()


def _neuron_gradient__bias_not_summed(x, y, w, b):
    s = sigmoid(x @ w + b)
    dz = -2 * (y - s) * s * (1 - s)
    return dz @ x, dz


def _neuron_gradient__pupil_by_pupil(x, y, w, b):
    import math

    dw, db = np.zeros_like(w), w.dtype.type(0)
    for (maths, physics), admitted in zip(x, y, strict=True):
        s = 0.5 * (1 + math.tanh(0.5 * (w[0] * maths + w[1] * physics + b)))
        slope = w.dtype.type(-2 * (admitted - s) * s * (1 - s))
        dw[0] += slope * maths
        dw[1] += slope * physics
        db += slope
    return dw, db


def _neuron_gradient__bias_as_weight(x, y, w, b):
    wide = np.column_stack([x, np.ones_like(y)])
    s = sigmoid(np.einsum("nd,d->n", wide, np.append(w, w.dtype.type(b))))
    gradient = np.einsum("n,n,n,nd->d", 2 * (s - y), s, 1 - s, wide)
    return gradient[:2], gradient[2]


def _neuron_gradient__complex_step(x, y, w, b):
    def error(parameters):
        z = x @ parameters[:2] + parameters[2]
        return np.sum((y - 1 / (1 + np.exp(-z))) ** 2)

    at, h = np.array([w[0], w[1], b], dtype=complex), 1e-20
    gradient = np.array([error(at + 1j * h * unit).imag / h for unit in np.eye(3)]).astype(x.dtype)
    return gradient[:2], gradient[2]


NEURON_GRADIENT = Exercise(
    id="neuron_gradient",
    topic="neuron",
    points=3,
    cases=_neuron_gradient_cases,
    mistakes=(
        Mistake(
            "no_slope",
            "The slope of the sigmoid is missing. Multiply each pupil's term by s * (1 - s).",
            _neuron_gradient__no_slope,
        ),
        Mistake(
            "no_factor_two",
            "Your gradient is half of the right one: the derivative of a square brings a factor 2.",
            _neuron_gradient__no_factor_two,
        ),
        Mistake(
            "no_minus_two",
            "The factor -2 is missing: the derivative of (y - s) ** 2 by s is -2 * (y - s).",
            _neuron_gradient__no_minus_two,
        ),
        Mistake(
            "short_formula",
            "Two links of the chain are missing: the factor 2 of the square and the slope s * (1 - s). Without them it "
            "is the gradient of another loss.",
            _neuron_gradient__short_formula,
        ),
        Mistake(
            "uphill",
            "Your gradient has the wrong sign. The error is (y - s) squared, and s enters it with a minus: "
            "start with -2 * (y - s).",
            _neuron_gradient__uphill,
        ),
        Mistake(
            "mean",
            "You average over the pupils. This error is a sum, so do not divide by their number.",
            _neuron_gradient__mean,
        ),
        Mistake(
            "slope_of_activated",
            "You apply the sigmoid twice in the slope. s is already the sigmoid: its slope is s * (1 - s).",
            _neuron_gradient__slope_of_activated,
        ),
        Mistake(
            "bias_not_summed",
            "db has one entry per pupil. There is one bias, so add the entries up: db is a single number.",
            _neuron_gradient__bias_not_summed,
        ),
    ),
    other_ways=(
        OtherWay("pupil_by_pupil", _neuron_gradient__pupil_by_pupil),
        OtherWay("bias_as_weight", _neuron_gradient__bias_as_weight),
        OtherWay("complex_step", _neuron_gradient__complex_step),
    ),
)

_TIE = "When w @ x + b is exactly 0 this course predicts 0: compare with > 0, not >= 0."
# Case id to (size of x, label, what the perceptron answers).
_ANSWERS = {"should be 1, is 0": (3, 1, 0), "should be 0, is 1": (2, 0, 1), "already right": (2, 1, 1)}
_SECRET_ANSWERS = {
    "should be 1, is 0": (4, 1, 0),
    "should be 0, is 1": (3, 0, 1),
    "already right, 0": (3, 0, 0),
    "already right, 1": (2, 1, 1),
    "one input": (1, 1, 0),
    "float32": (5, 0, 1),
}


def _perceptron_update_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (size, label, answer) in (_ANSWERS if public else _SECRET_ANSWERS).items():
        dtype = "float32" if name == "float32" else "float64"
        x, w = draw(rng, size, dtype=dtype), draw(rng, size, dtype=dtype)
        # Half a unit from the threshold at least: rounding never decides.
        b = (1 if answer else -1) * draw_number(rng, 0.6, 2.0) - float(w @ x)
        cases.append(_one_update(rng, name, x, w, round(b, 2), label))
    cases.append(_bias_decides(rng))
    ties = {"tie": 1} if public else {"tie, should be 1": 1, "tie, should be 0": 0}
    for name, label in ties.items():
        x, w = rng.integers(1, 5, 2).astype(float), rng.integers(-4, 0, 2).astype(float)
        cases.append(_one_update(rng, name, x, w, -float(w @ x), label, tie=True))
    return tuple(cases)


def _bias_decides(rng: np.random.Generator) -> Case:
    """The weighted sum alone would give the other answer."""
    x, w = np.abs(draw(rng, 3)) + 0.2, np.abs(draw(rng, 3)) + 0.2
    b = round(-float(w @ x) - draw_number(rng, 0.6, 2.0), 2)
    return _one_update(rng, "the bias decides", x, w, b, label=1)


def _one_update(
    rng: np.random.Generator, name: str, x: np.ndarray, w: np.ndarray, b: float, label: int, *, tie: bool = False
) -> Case:
    inputs = {"x": x, "y": label, "w": w, "b": b, "lr": draw_number(rng, 0.1, 0.9)}
    return call_case(name, "perceptron_update", inputs, kind="convention" if tie else "core", says=_TIE if tie else "")


def _perceptron_update__tie_is_one(x, y, w, b, lr):
    y_hat = 1 if w @ x + b >= 0 else 0
    return w + lr * (y - y_hat) * x, b + lr * (y - y_hat)


def _perceptron_update__no_prediction(x, y, w, b, lr):
    return w + lr * y * x, b + lr * y


def _perceptron_update__wrong_sign(x, y, w, b, lr):
    y_hat = 1 if w @ x + b > 0 else 0
    return w - lr * (y - y_hat) * x, b - lr * (y - y_hat)


def _perceptron_update__no_rate(x, y, w, b, lr):
    y_hat = 1 if w @ x + b > 0 else 0
    return w + (y - y_hat) * x, b + (y - y_hat)


def _perceptron_update__bias_left(x, y, w, b, lr):
    y_hat = 1 if w @ x + b > 0 else 0
    return w + lr * (y - y_hat) * x, b


def _perceptron_update__no_threshold(x, y, w, b, lr):
    y_hat = w @ x + b
    return w + lr * (y - y_hat) * x, b + lr * (y - y_hat)


def _perceptron_update__bias_not_used(x, y, w, b, lr):
    y_hat = 1 if w @ x > 0 else 0
    return w + lr * (y - y_hat) * x, b + lr * (y - y_hat)


def _perceptron_update__changes_input(x, y, w, b, lr):
    y_hat = 1 if w @ x + b > 0 else 0
    w += lr * (y - y_hat) * x
    b += lr * (y - y_hat)
    return w, b


def _perceptron_update__three_outcomes(x, y, w, b, lr):
    z = b
    for weight, value in zip(w, x, strict=True):
        z = z + weight * value
    if y == 1 and z <= 0:
        return w + lr * x, b + lr
    if y == 0 and z > 0:
        return w - lr * x, b - lr
    return w.copy(), b


def _perceptron_update__bias_as_weight(x, y, w, b, lr):
    wide = np.append(x, 1.0).astype(float)
    weights = np.append(w, b).astype(float)
    weights = weights + lr * (y - np.heaviside(weights @ wide, 0.0)) * wide
    return weights[:-1].astype(w.dtype), float(weights[-1])


PERCEPTRON_UPDATE = Exercise(
    id="perceptron_update",
    topic="neuron",
    points=2,
    cases=_perceptron_update_cases,
    mistakes=(
        Mistake("tie_is_one", _TIE, _perceptron_update__tie_is_one),
        Mistake(
            "no_prediction",
            "You move by y instead of by the error. Compute the answer y_hat first and use y - y_hat.",
            _perceptron_update__no_prediction,
        ),
        Mistake(
            "wrong_sign",
            "Your update moves away from the right answer. Add lr * (y - y_hat) * x, do not subtract it.",
            _perceptron_update__wrong_sign,
        ),
        Mistake("no_rate", "The learning rate lr is missing in your update.", _perceptron_update__no_rate),
        Mistake(
            "bias_left",
            "The bias stays where it was. Update it like a weight whose input is 1: b + lr * (y - y_hat).",
            _perceptron_update__bias_left,
        ),
        Mistake(
            "no_threshold",
            "You use the weighted sum itself as the answer. The perceptron answers 1 or 0: "
            "y_hat = 1 if w @ x + b > 0 else 0.",
            _perceptron_update__no_threshold,
        ),
        Mistake(
            "bias_not_used",
            "Your answer y_hat leaves the bias out. Compare w @ x + b with 0.",
            _perceptron_update__bias_not_used,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but the array w that came in is changed. Write w = w + ..., which makes a new "
            "array; w += ... works inside the old one.",
            _perceptron_update__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("three_outcomes", _perceptron_update__three_outcomes),
        OtherWay("bias_as_weight", _perceptron_update__bias_as_weight),
    ),
)

EXERCISES = (NEURON_GRADIENT, PERCEPTRON_UPDATE)
