"""Exam corner of lesson 02: seven computed questions and one that a person marks."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths
from autograder.exercises.activations_exam_losses import EXAM_HINGE, EXAM_TRIPLET


def _three_scores(rng: np.random.Generator) -> Numbers:
    return {name: tenths(rng, -20, 25) for name in ("z0", "z1", "z2")}


def _array(z0: float, z1: float, z2: float) -> np.ndarray:
    return np.array([[z0, z1, z2]])


def _probability(of: int, **scores: float) -> float:
    z = [scores[name] for name in ("z0", "z1", "z2")]
    return math.exp(z[of]) / sum(map(math.exp, z))


def _softmax_numbers(rng: np.random.Generator) -> Numbers:
    numbers = _three_scores(rng)
    # Whoever forgets exp divides by the sum of the scores.
    divides = abs(sum(numbers.values())) > 0.05
    return numbers if divides and is_clear(numbers, _softmax_answer, _SOFTMAX_MISTAKES, 3) else _softmax_numbers(rng)


def _softmax_answer(**scores: float) -> float:
    return _probability(1, **scores)


def _softmax_torch(**scores: float) -> float:
    return float(ask_torch("softmax", _array(**scores))[0, 1])


_SOFTMAX_MISTAKES: Formulas = {
    "no_exp": (
        "You divided the score itself by the sum of the scores. Take exp of every score first.",
        lambda z0, z1, z2: z1 / (z0 + z1 + z2),
    ),
    "sigmoid": (
        "This is the sigmoid of z1 alone. The softmax divides by the sum over all three classes.",
        lambda z0, z1, z2: 1 / (1 + math.exp(-z1)),
    ),
    "class_0": (
        "This is the probability of class 0. Classes are counted from 0: class 1 is the one in the middle.",
        lambda **scores: _probability(0, **scores),
    ),
    "others_only": (
        "Your denominator leaves out class 1 itself. Sum over all three classes.",
        lambda z0, z1, z2: math.exp(z1) / (math.exp(z0) + math.exp(z2)),
    ),
}

EXAM_SOFTMAX = Question(
    id="exam_softmax",
    points=1,
    numbers=_softmax_numbers,
    text="A network gives the scores {z0}, {z1} and {z2} to the classes 0, 1 and 2. What probability has class 1?",
    answer=_softmax_answer,
    torch_answer=_softmax_torch,
    explanation="exp({z1}) / (exp({z0}) + exp({z1}) + exp({z2})) = {answer}.",
    mistakes=_SOFTMAX_MISTAKES,
    decimals=3,
)


def _logit_gradient_numbers(rng: np.random.Generator) -> Numbers:
    numbers = _three_scores(rng) | {"label": int(rng.integers(3)), "of": int(rng.integers(3))}
    clear = is_clear(numbers, _logit_gradient_answer, _LOGIT_GRADIENT_MISTAKES, 3)
    return numbers if clear else _logit_gradient_numbers(rng)


def _logit_gradient_answer(label: int, of: int, **scores: float) -> float:
    return _probability(of, **scores) - (label == of)


def _logit_gradient_torch(label: int, of: int, **scores: float) -> float:
    return float(ask_torch("cross_entropy_backward", _array(**scores), np.array([label]))[0, of])


_LOGIT_GRADIENT_MISTAKES: Formulas = {
    "wrong_sign": (
        "The sign is wrong: the derivative is p - y, with y = 1 for the right class and 0 for the others.",
        lambda **numbers: -_logit_gradient_answer(**numbers),
    ),
    "label_turned": (
        "You took 1 from the wrong class. Only the right class gets p - 1; every other class gets p.",
        lambda label, of, **scores: _probability(of, **scores) - (label != of),
    ),
    "slope_of_softmax": (
        "This is p (1 - p), the slope of the probability. Cross-entropy and softmax together leave p - y.",
        lambda label, of, **scores: _probability(of, **scores) * (1 - _probability(of, **scores)),
    ),
}

EXAM_LOGIT_GRADIENT = Question(
    id="exam_logit_gradient",
    points=1,
    numbers=_logit_gradient_numbers,
    text=(
        "One example gets the scores {z0}, {z1} and {z2} for the classes 0, 1 and 2. The right class is {label}. What "
        "is the derivative of its cross-entropy by the score of class {of}?"
    ),
    answer=_logit_gradient_answer,
    torch_answer=_logit_gradient_torch,
    explanation=(
        "The derivative is p - y: p is the softmax probability of class {of}, and y is 1 for the right class "
        "{label} and 0 for the others. That gives {answer}."
    ),
    mistakes=_LOGIT_GRADIENT_MISTAKES,
    decimals=3,
)


def _tanh_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"w": tenths(rng, -20, 20), "x": tenths(rng, -15, 15), "dout": tenths(rng, -30, 30)}
    fits = 0.15 < abs(numbers["w"] * numbers["x"]) < 2.0
    return numbers if fits and is_clear(numbers, _tanh_answer, _TANH_MISTAKES, 3) else _tanh_numbers(rng)


def _tanh_answer(w: float, x: float, dout: float) -> float:
    return dout * (1 - math.tanh(w * x) ** 2) * x


def _tanh_torch(w: float, x: float, dout: float) -> float:
    """By the sigmoid: tanh(z) = 2 sigmoid(2 z) - 1, so its slope is 4 s (1 - s)."""
    s = float(ask_torch("sigmoid", np.array(2 * w * x)))
    return dout * 4 * s * (1 - s) * x


_TANH_MISTAKES: Formulas = {
    "no_slope": (
        "The slope of tanh is missing: multiply by 1 - h**2.",
        lambda w, x, dout: dout * x,
    ),
    "of_the_score": (
        "This is dL/dz, the derivative by the score. For w multiply by the input x.",
        lambda w, x, dout: dout * (1 - math.tanh(w * x) ** 2),
    ),
    "slope_of_sigmoid": (
        "h (1 - h) is the slope of the sigmoid. tanh has the slope 1 - h**2.",
        lambda w, x, dout: dout * math.tanh(w * x) * (1 - math.tanh(w * x)) * x,
    ),
    "tanh_twice": (
        "You applied tanh twice. h is tanh of the score already: the slope is 1 - h**2.",
        lambda w, x, dout: dout * (1 - math.tanh(math.tanh(w * x)) ** 2) * x,
    ),
}

EXAM_TANH = Question(
    id="exam_tanh",
    points=1,
    numbers=_tanh_numbers,
    text=(
        "A unit has one input x = {x} and the weight w = {w}, and answers h = tanh(w * x). What follows says "
        "dL/dh = {dout}. What is dL/dw?"
    ),
    answer=_tanh_answer,
    torch_answer=_tanh_torch,
    explanation=(
        "With h = tanh({w} * {x}) the chain rule gives dL/dw = dL/dh * (1 - h**2) * x = "
        "{dout} * (1 - h**2) * {x} = {answer}."
    ),
    mistakes=_TANH_MISTAKES,
    decimals=3,
)


def _kaiming_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "channels": int(rng.integers(2, 33)),
        "window": int(one_of(rng, 3, 5, 7)),
        "filters": int(rng.integers(8, 97)),
    }
    return numbers if is_clear(numbers, _kaiming_answer, _KAIMING_MISTAKES, 3) else _kaiming_numbers(rng)


def _kaiming_answer(channels: int, window: int, filters: int) -> float:
    return math.sqrt(6 / (channels * window * window))


def _kaiming_torch(channels: int, window: int, filters: int) -> float:
    """The largest weight there can be: where every draw is 1."""
    shape = (filters, channels, window, window)
    return float(ask_torch("kaiming_uniform", shape, None, (np.ones(shape), np.ones(filters)))[0].max())


_KAIMING_MISTAKES: Formulas = {
    "std": (
        "This is the standard deviation sqrt(2 / n_in). The limit of an even draw is sqrt(3) times that.",
        lambda channels, window, filters: math.sqrt(2 / (channels * window * window)),
    ),
    "no_window": (
        "You counted the channels only. One output of a convolution adds up channels * window * window inputs.",
        lambda channels, window, filters: math.sqrt(6 / channels),
    ),
    "outputs": (
        "You divided by what one input reaches. Count the inputs of one output: channels * window * window.",
        lambda channels, window, filters: math.sqrt(6 / (filters * window * window)),
    ),
    "glorot": (
        "This is Glorot's limit, which counts inputs and outputs. Kaiming divides by n_in alone.",
        lambda channels, window, filters: math.sqrt(6 / ((channels + filters) * window * window)),
    ),
}

EXAM_KAIMING = Question(
    id="exam_kaiming",
    points=1,
    numbers=_kaiming_numbers,
    text=(
        "A convolution has {filters} filters. Each looks at {channels} channels through a window of {window} x "
        "{window}. Its weights are drawn Kaiming-uniform, evenly between -limit and limit. What is the limit?"
    ),
    answer=_kaiming_answer,
    torch_answer=_kaiming_torch,
    explanation=(
        "One output adds up n_in = {channels} * {window} * {window} inputs, so the limit is sqrt(6 / n_in) = {answer}; "
        "the {filters} filters do not matter."
    ),
    mistakes=_KAIMING_MISTAKES,
    decimals=3,
)


def _depth_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "units": int(rng.integers(5, 41)) * 10,
        "limit": int(rng.integers(8, 40)) / 100,
        "layers": int(rng.integers(3, 9)),
    }
    fits = 0.05 < _depth_answer(**numbers) < 60
    return numbers if fits and is_clear(numbers, _depth_answer, _DEPTH_MISTAKES, 2) else _depth_numbers(rng)


def _depth_answer(units: int, limit: float, layers: int) -> float:
    return math.sqrt(units * limit * limit / 6) ** layers


def _depth_torch(units: int, limit: float, layers: int) -> float:
    """Kaiming's limit keeps the mean square through a ReLU: what counts is how much wider the weights are."""
    shape = (1, units)
    steady = float(ask_torch("kaiming_uniform", shape, None, (np.ones(shape), np.ones(1)))[0].max())
    return (limit / steady) ** layers


_DEPTH_MISTAKES: Formulas = {
    "no_relu": (
        "You left the ReLU out: it keeps half of the mean square, so every layer brings a factor 1/2 under the root.",
        lambda units, limit, layers: math.sqrt(units * limit * limit / 3) ** layers,
    ),
    "mean_square": (
        "This is the factor of the mean square. The spread is its root.",
        lambda units, limit, layers: (units * limit * limit / 6) ** layers,
    ),
    "limit_as_std": (
        "You took the limit for the standard deviation. Even numbers up to a limit have the variance limit**2 / 3.",
        lambda units, limit, layers: math.sqrt(units * limit * limit / 2) ** layers,
    ),
    "one_layer": (
        "This is the factor of one layer. Every layer brings it again: take it to the power of the number of layers.",
        lambda units, limit, layers: math.sqrt(units * limit * limit / 6),
    ),
}

EXAM_DEPTH = Question(
    id="exam_depth",
    points=1,
    numbers=_depth_numbers,
    text=(
        "A network has {layers} layers of {units} units, with as many inputs. All weights are drawn evenly between "
        "-{limit} and {limit}, biases are 0, and a ReLU follows each layer and keeps half of the mean square. By which "
        "factor do all layers together multiply the root mean square of the signal, on average?"
    ),
    answer=_depth_answer,
    torch_answer=_depth_torch,
    explanation=(
        "A weight has the variance {limit}**2 / 3. Each layer multiplies the mean square by {units} * {limit}**2 / 3, "
        "and the ReLU halves it. The root, to the power {layers}, is {answer}."
    ),
    mistakes=_DEPTH_MISTAKES,
    decimals=2,
)

OPEN_QUESTION_ACTIVATIONS = OpenQuestion(
    id="open_question_activations",
    points=3,
    rubric=(
        "1 point: sigmoid units saturate, with the reason (far from 0 the curve is flat, its slope s (1 - s) is at "
        "most 1/4 and nearly 0 there, and slopes multiply from layer to layer, so early layers hardly learn). "
        "1 point: ReLU units die, with the reason (a unit whose score is below 0 for every example has slope 0 for "
        "every example, so its weights get no gradient and it cannot come back; one step that is too large can do "
        "it). 1 point: what the first weights have to do with it: too large, and scores start in the flat ends or "
        "grow from layer to layer; too small, and signals fade; the right variance is about 1 / n_in, twice that "
        "before a ReLU."
    ),
)

QUESTIONS = (
    EXAM_SOFTMAX,
    EXAM_LOGIT_GRADIENT,
    EXAM_TANH,
    EXAM_HINGE,
    EXAM_TRIPLET,
    EXAM_KAIMING,
    EXAM_DEPTH,
)
OPEN_QUESTIONS = (OPEN_QUESTION_ACTIVATIONS,)
