"""Exam corner of lesson 04: six computed questions and one that a person marks."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._annealing_exam import EXAM_UPHILL
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths

_BETA1, _BETA2 = 0.9, 0.999
_ADAM_LR = 0.1


def _steps_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "examples": int(rng.integers(300, 2000)),
        "batch": int(one_of(rng, 16, 25, 32, 40, 50, 64, 100)),
        "epochs": int(rng.integers(3, 31)),
    }
    return numbers if is_clear(numbers, _steps_answer, _STEPS_MISTAKES, 0) else _steps_numbers(rng)


def _steps_answer(examples: int, batch: int, epochs: int) -> int:
    return math.ceil(examples / batch) * epochs


def _steps_torch(examples: int, batch: int, epochs: int) -> int:
    rows = np.arange(examples)
    return len(ask_torch("minibatches", rows, rows, batch, rows)) * epochs


_STEPS_MISTAKES: Formulas = {
    "last_dropped": (
        "You left out the last batch of each epoch because it is not full. It is a step all the same.",
        lambda examples, batch, epochs: examples // batch * epochs,
    ),
    "epochs_joined": (
        "You cut all epochs as one long list. Each epoch starts anew, and its last batch is shorter.",
        lambda examples, batch, epochs: math.ceil(examples * epochs / batch),
    ),
    "one_epoch": (
        "These are the steps of one epoch. Multiply by the number of epochs.",
        lambda examples, batch, epochs: math.ceil(examples / batch),
    ),
    "examples_seen": (
        "You counted examples. A step uses a whole batch of them.",
        lambda examples, batch, epochs: examples * epochs,
    ),
}

EXAM_STEPS = Question(
    id="exam_steps",
    points=1,
    numbers=_steps_numbers,
    text=(
        "A training set has {examples} examples. They are shuffled and cut into batches of {batch} in every epoch; the "
        "last batch of an epoch may be shorter, and is used. How many steps does a training of {epochs} epochs make?"
    ),
    answer=_steps_answer,
    torch_answer=_steps_torch,
    explanation="{examples} / {batch}, rounded up, are the steps of one epoch; times {epochs} epochs this is {answer}.",
    mistakes=_STEPS_MISTAKES,
)


def _stable_rate_numbers(rng: np.random.Generator) -> Numbers:
    a, b, c = (int(rng.integers(1, 10)) for _ in range(3))
    numbers: Numbers = {"a": a, "b": b, "c": c}
    clear = 4 * a * b > c * c and is_clear(numbers, _stable_rate_answer, _STABLE_RATE_MISTAKES, 3)
    return numbers if clear else _stable_rate_numbers(rng)


def _curvatures(a: float, b: float, c: float) -> tuple[float, float]:
    """The eigenvalues of [[2a, c], [c, 2b]], the larger one first."""
    root = math.hypot(a - b, c)
    return a + b + root, a + b - root


def _stable_rate_answer(a: int, b: int, c: int) -> float:
    return 2 / _curvatures(a, b, c)[0]


def _stable_rate_torch(a: int, b: int, c: int) -> float:
    return float(ask_torch("max_stable_step", np.array([[2.0 * a, c], [c, 2.0 * b]])))


_STABLE_RATE_MISTAKES: Formulas = {
    "one_over": (
        "This is 1 / L. The loss falls up to twice as far: 2 / L.",
        lambda a, b, c: 1 / _curvatures(a, b, c)[0],
    ),
    "quadratic_form": (
        "This is the table [[a, c / 2], [c / 2, b]] of the loss itself. The Hessian holds second derivatives: twice "
        "that.",
        lambda a, b, c: 4 / _curvatures(a, b, c)[0],
    ),
    "smallest": (
        "This uses the smallest curvature. The steepest direction explodes first: take the largest eigenvalue.",
        lambda a, b, c: 2 / _curvatures(a, b, c)[1],
    ),
    "no_coupling": (
        "You left out the product w1 w2: with it the steepest direction lies between the axes.",
        lambda a, b, c: 1 / max(a, b),
    ),
    "halved_diagonal": (
        "The second derivative of a w1**2 is 2 a: the diagonal of the Hessian holds 2 a and 2 b.",
        lambda a, b, c: 2 / ((a + b) / 2 + math.hypot((a - b) / 2, c)),
    ),
}

EXAM_STABLE_RATE = Question(
    id="exam_stable_rate",
    points=1,
    numbers=_stable_rate_numbers,
    text=(
        "The loss is {a} w1**2 + {c} w1 w2 + {b} w2**2. Below which learning rate does every step of gradient descent "
        "make it fall, wherever it starts?"
    ),
    answer=_stable_rate_answer,
    torch_answer=_stable_rate_torch,
    explanation=(
        "The Hessian is [[2 * {a}, {c}], [{c}, 2 * {b}]]. Its largest eigenvalue is "
        "L = {a} + {b} + sqrt(({a} - {b})**2 + {c}**2), and 2 / L = {answer}."
    ),
    mistakes=_STABLE_RATE_MISTAKES,
    decimals=3,
)


def _momentum_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "lr": one_of(rng, 0.01, 0.02, 0.05, 0.1),
        "mu": one_of(rng, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95),
        "g": abs(tenths(rng, 12, 60)),
    }
    return numbers if is_clear(numbers, _momentum_answer, _MOMENTUM_MISTAKES, 3) else _momentum_numbers(rng)


def _momentum_answer(lr: float, mu: float, g: float) -> float:
    return lr * g / (1 - mu)


def _momentum_torch(lr: float, mu: float, g: float) -> float:
    """Three steps, and the limit of the geometric row that they begin."""
    w, state, moves = np.array([0.0]), None, []
    for _ in range(3):
        new, state = ask_torch("momentum_step", w, np.array([g]), state, lr, mu)
        moves.append(float(w[0] - new[0]))
        w = new
    first, second = moves[1] - moves[0], moves[2] - moves[1]
    return moves[0] + first / (1 - second / first)


_MOMENTUM_MISTAKES: Formulas = {
    "no_momentum": (
        "This is a step without momentum, or with averaged gradients. Torch's form adds gradients up.",
        lambda lr, mu, g: lr * g,
    ),
    "no_rate": (
        "This is the velocity. A step is lr times as long.",
        lambda lr, mu, g: g / (1 - mu),
    ),
    "second_step": (
        "This is the second step. The velocity goes on growing: 1 + mu + mu**2 + ...",
        lambda lr, mu, g: lr * g * (1 + mu),
    ),
    "without_the_last": (
        "You left out the newest gradient: the sum starts with 1, not with mu.",
        lambda lr, mu, g: lr * g * mu / (1 - mu),
    ),
    "over_mu": (
        "You divided by mu. The sum 1 + mu + mu**2 + ... is 1 / (1 - mu).",
        lambda lr, mu, g: lr * g / mu,
    ),
}

EXAM_MOMENTUM = Question(
    id="exam_momentum",
    points=1,
    numbers=_momentum_numbers,
    text=(
        "Gradient descent with momentum, v = mu * v + g and then w - lr * v, has lr = {lr} and mu = {mu}. On a long "
        "straight slope the gradient is {g} at every step. How long are the steps in the end?"
    ),
    answer=_momentum_answer,
    torch_answer=_momentum_torch,
    explanation="The velocity grows to g (1 + mu + mu**2 + ...) = g / (1 - mu): {lr} * {g} / (1 - {mu}) = {answer}.",
    mistakes=_MOMENTUM_MISTAKES,
    decimals=3,
)


def _adam_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"g1": tenths(rng, -40, 40), "g2": tenths(rng, -40, 40)}
    clear = abs(_adam_answer(**numbers)) > 0.001 and is_clear(numbers, _adam_answer, _ADAM_MISTAKES, 4)
    return numbers if clear else _adam_numbers(rng)


def _averages(g1: float, g2: float) -> tuple[float, float]:
    """m and v after the second step, not corrected."""
    m = _BETA1 * (1 - _BETA1) * g1 + (1 - _BETA1) * g2
    return m, _BETA2 * (1 - _BETA2) * g1**2 + (1 - _BETA2) * g2**2


def _adam_move(g1: float, g2: float, k: int) -> float:
    """The second move, as if it were corrected with k; 0 for no correction."""
    m, v = _averages(g1, g2)
    m_hat, v_hat = (m / (1 - _BETA1**k), v / (1 - _BETA2**k)) if k else (m, v)
    return -_ADAM_LR * m_hat / math.sqrt(v_hat)


def _adam_answer(g1: float, g2: float) -> float:
    return _adam_move(g1, g2, 2)


def _adam_torch(g1: float, g2: float) -> float:
    w, state = np.array([0.0]), None
    options = (_ADAM_LR, (_BETA1, _BETA2), 1e-20)
    first, state = ask_torch("adam_step", w, np.array([g1]), state, *options)
    second, _ = ask_torch("adam_step", first, np.array([g2]), state, *options)
    return float(second[0] - first[0])


_ADAM_MISTAKES: Formulas = {
    "no_correction": (
        "The bias correction is missing: m and v started at 0 and are still too small.",
        lambda g1, g2: _adam_move(g1, g2, 0),
    ),
    "first_correction": (
        "You corrected with k = 1. This is the second step: divide by 1 - beta1**2 and 1 - beta2**2.",
        lambda g1, g2: _adam_move(g1, g2, 1),
    ),
    "no_memory": (
        "This is what a first step with the second gradient would do. m and v remember the first one.",
        lambda g1, g2: -_ADAM_LR * math.copysign(1, g2),
    ),
    "wrong_sign": (
        "The sign is wrong: the step goes against the averaged gradient.",
        lambda g1, g2: -_adam_answer(g1, g2),
    ),
}

EXAM_ADAM = Question(
    id="exam_adam",
    points=1,
    numbers=_adam_numbers,
    text=(
        "Adam with lr = 0.1, beta1 = 0.9, beta2 = 0.999 and an eps too small to matter starts at m = v = 0. One weight "
        "sees the gradient {g1} in the first step and {g2} in the second. What does the second step add to the weight?"
    ),
    answer=_adam_answer,
    torch_answer=_adam_torch,
    explanation=(
        "m = 0.9 * 0.1 * ({g1}) + 0.1 * ({g2}) and v = 0.999 * 0.001 * ({g1})**2 + 0.001 * ({g2})**2. With "
        "m_hat = m / (1 - 0.9**2) and v_hat = v / (1 - 0.999**2) the step is -0.1 * m_hat / sqrt(v_hat) = {answer}."
    ),
    mistakes=_ADAM_MISTAKES,
    decimals=4,
)


def _cosine_numbers(rng: np.random.Generator) -> Numbers:
    period = int(rng.integers(4, 11))
    numbers: Numbers = {
        "lr": one_of(rng, 0.2, 0.4, 0.5, 0.8),
        "lr_min": one_of(rng, 0.01, 0.02, 0.05),
        "period": period,
        # Inside the second or the third cosine.
        "t": int(rng.integers(period + 1, 7 * period)),
    }
    return numbers if is_clear(numbers, _cosine_answer, _COSINE_MISTAKES, 3) else _cosine_numbers(rng)


def _half_cosine(share: float, lr: float, lr_min: float) -> float:
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * share)) / 2


def _since_restart(t: int, period: int) -> tuple[int, int]:
    return (t - period, 2 * period) if t < 3 * period else (t - 3 * period, 4 * period)


def _cosine_answer(lr: float, lr_min: float, period: int, t: int) -> float:
    behind, length = _since_restart(t, period)
    return _half_cosine(behind / length, lr, lr_min)


def _cosine_torch(lr: float, lr_min: float, period: int, t: int) -> float:
    return ask_torch("cosine_warm_restarts", t, lr, period, 2, lr_min)


_COSINE_MISTAKES: Formulas = {
    "same_period": (
        "You made all periods equally long. Each one is twice as long as the one before.",
        lambda lr, lr_min, period, t: _half_cosine(t % period / period, lr, lr_min),
    ),
    "counts_from_one": (
        "Your step is one too early: steps count from 0, so the step of a restart is itself step 0 of its period.",
        lambda lr, lr_min, period, t: _cosine_answer(lr, lr_min, period, t - 1),
    ),
    "one_too_late": (
        "Your step is one too late: at a restart no step lies behind, and t starts from 0.",
        lambda lr, lr_min, period, t: _cosine_answer(lr, lr_min, period, t + 1),
    ),
    "no_restart": (
        "You counted from step 0. Count from the last restart, where the rate jumped back.",
        lambda lr, lr_min, period, t: _half_cosine(t / _since_restart(t, period)[1], lr, lr_min),
    ),
    "whole_cosine": (
        "You went through a whole cosine. A period is half of one: pi * t / period.",
        lambda lr, lr_min, period, t: _half_cosine(
            2 * _since_restart(t, period)[0] / _since_restart(t, period)[1], lr, lr_min
        ),
    ),
    "lowest_ignored": (
        "You left out the lowest rate: the cosine scales lr - lr_min, and lr_min is added.",
        lambda lr, lr_min, period, t: _cosine_answer(lr, 0.0, period, t),
    ),
}

EXAM_COSINE = Question(
    id="exam_cosine",
    points=1,
    numbers=_cosine_numbers,
    text=(
        "A cosine schedule with warm restarts falls from {lr} towards {lr_min}. Its first period has {period} steps, "
        "and each period is twice as long as the one before. Steps count from 0. What is the rate of step {t}?"
    ),
    answer=_cosine_answer,
    torch_answer=_cosine_torch,
    explanation=(
        "The restarts are at the steps {period}, 3 * {period}, 7 * {period}. With t steps since the last one before "
        "step {t}, and T the length of that period, the rate is "
        "{lr_min} + ({lr} - {lr_min}) * (1 + cos(pi * t / T)) / 2 = {answer}."
    ),
    mistakes=_COSINE_MISTAKES,
    decimals=3,
)


OPEN_QUESTION_OPTIMISERS = OpenQuestion(
    id="open_question_optimisers",
    points=3,
    rubric=(
        "1 point: plain gradient descent: the steepest direction allows no rate above 2 / L, and with such a rate the "
        "flat direction hardly moves, so the path zigzags and crawls. 1 point: momentum: gradients across the valley "
        "change sign and cancel in the velocity, gradients along it add up, to 1 / (1 - mu) times as much. 1 point: "
        "Adam: each weight is divided by the root of its own average square, so both directions make steps of similar "
        "length; and one limit, for example: it works axis by axis, so it gains less in a valley that lies askew, or "
        "its steps do not shrink by themselves when gradients are noisy, so it needs a schedule."
    ),
)

QUESTIONS = (EXAM_STEPS, EXAM_STABLE_RATE, EXAM_MOMENTUM, EXAM_ADAM, EXAM_COSINE, EXAM_UPHILL)
OPEN_QUESTIONS = (OPEN_QUESTION_OPTIMISERS,)
