"""Exam corner of lesson 05: six computed questions and one that a person marks."""

from __future__ import annotations

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths
from autograder.exercises._stopping_exam import EXAM_EARLY_STOP


def _step_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "w": tenths(rng, -20, 20),
        "g": tenths(rng, -15, 15),
        "lr": one_of(rng, 0.1, 0.2, 0.25, 0.5),
        "strength": one_of(rng, 0.1, 0.2, 0.3, 0.4, 0.6),
    }
    return numbers if is_clear(numbers, _step_answer, _STEP_MISTAKES, 3) else _step_numbers(rng)


def _step_answer(w: float, g: float, lr: float, strength: float) -> float:
    return w - lr * (g + strength * w)


def _step_torch(w: float, g: float, lr: float, strength: float) -> float:
    """The penalty's slope and the step, each by its Torch counterpart."""
    weight = np.array([w])
    slope = np.array([g]) + ask_torch("l2_gradient", weight, strength)
    return float(ask_torch("sgd_step", weight, slope, None, lr)[0][0])


_STEP_MISTAKES: Formulas = {
    "no_penalty": (
        "This is the step without the penalty. The penalty adds strength * w to the slope.",
        lambda w, g, lr, strength: w - lr * g,
    ),
    "factor_two": (
        "The penalty has a factor one half, so its slope is strength * w, without a 2.",
        lambda w, g, lr, strength: w - lr * (g + 2 * strength * w),
    ),
    "penalty_subtracted": (
        "The penalty pulls w towards 0. Its slope strength * w is added to the slope of the loss.",
        lambda w, g, lr, strength: w - lr * (g - strength * w),
    ),
    "rate_left_out": (
        "The learning rate multiplies both slopes, that of the loss and that of the penalty.",
        lambda w, g, lr, strength: w - lr * g - strength * w,
    ),
    "sign_only": (
        "This is the step with an L1 penalty, whose slope is strength times the sign of w. L2 has strength * w.",
        lambda w, g, lr, strength: w - lr * (g + strength * (1 if w > 0 else -1)),
    ),
}

EXAM_L2_STEP = Question(
    id="exam_l2_step",
    points=1,
    numbers=_step_numbers,
    text=(
        "A weight is {w}. The slope of the loss there is {g}; to the loss comes the penalty strength / 2 * w**2 with "
        "strength {strength}. What is the weight after one step of gradient descent with learning rate {lr}?"
    ),
    answer=_step_answer,
    torch_answer=_step_torch,
    explanation="The whole slope is {g} + {strength} * {w}, and {w} - {lr} * ({g} + {strength} * {w}) = {answer}.",
    mistakes=_STEP_MISTAKES,
    decimals=3,
)


def _dropout_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {name: tenths(rng, -20, 20) for name in ("x1", "x2", "x3", "w1", "w2", "w3")}
    numbers |= {"p": one_of(rng, 0.2, 0.3, 0.4, 0.6, 0.75, 0.8), "dropped": int(rng.integers(1, 4))}
    return numbers if is_clear(numbers, _dropout_answer, _DROPOUT_MISTAKES, 2) else _dropout_numbers(rng)


def _score(**numbers: float) -> float:
    return sum(numbers[f"w{i}"] * numbers[f"x{i}"] for i in (1, 2, 3))


def _score_of_kept(**numbers: float) -> float:
    return _score(**{**numbers, f"x{numbers['dropped']}": 0})


def _dropout_answer(**numbers: float) -> float:
    return _score_of_kept(**numbers) / (1 - numbers["p"])


def _dropout_torch(**numbers: float) -> float:
    x, w = (np.array([numbers[f"{name}{i}"] for i in (1, 2, 3)], float) for name in "xw")
    out = ask_torch("dropout_forward", x, numbers["p"], True, None, np.arange(1, 4) != numbers["dropped"])[0]
    return float(ask_torch("affine_forward", out[None], w[None], np.zeros(1))[0][0, 0])


_DROPOUT_MISTAKES: Formulas = {
    "not_scaled": (
        "The inputs that stay are not scaled. Inverted dropout divides them by 1 - p while training.",
        _score_of_kept,
    ),
    "scaled_down": (
        "You multiply by 1 - p, as classic dropout does in evaluation. Inverted dropout divides by it in training.",
        lambda **numbers: _score_of_kept(**numbers) * (1 - numbers["p"]),
    ),
    "divided_by_p": (
        "You divide by p. The share that stays is 1 - p: divide by that.",
        lambda **numbers: _score_of_kept(**numbers) / numbers["p"],
    ),
    "nothing_dropped": (
        "You use all three inputs. The dropped one counts as 0 in this step.",
        lambda **numbers: _score(**numbers) / (1 - numbers["p"]),
    ),
    "evaluation": (
        "This is the score in evaluation. The step is one of training: one input is dropped, the others are scaled.",
        _score,
    ),
}

EXAM_DROPOUT_STEP = Question(
    id="exam_dropout_step",
    points=1,
    numbers=_dropout_numbers,
    text=(
        "A unit adds up w1 x1 + w2 x2 + w3 x3 with w1 = {w1}, w2 = {w2}, w3 = {w3}. Its inputs are x1 = {x1}, "
        "x2 = {x2}, x3 = {x3}, with inverted dropout of p = {p}. In one training step input number {dropped} is "
        "dropped and no other. What is the unit's sum in this step?"
    ),
    answer=_dropout_answer,
    torch_answer=_dropout_torch,
    explanation=(
        "Input {dropped} counts as 0 and the others are divided by 1 - {p}: the sum of the two other products, divided "
        "by 1 - {p}, is {answer}."
    ),
    mistakes=_DROPOUT_MISTAKES,
    decimals=2,
)


def _smooth_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"classes": int(rng.integers(3, 13)), "eps": int(rng.integers(5, 41)) / 100}
    return numbers if is_clear(numbers, _smooth_answer, _SMOOTH_MISTAKES, 3) else _smooth_numbers(rng)


def _smooth_answer(classes: int, eps: float) -> float:
    return 1 - eps + eps / classes


def _smooth_torch(classes: int, eps: float) -> float:
    return float(ask_torch("label_smoothing", np.eye(classes), eps)[0, 0])


_SMOOTH_MISTAKES: Formulas = {
    "no_share": (
        "The right class gets its eps / C as well, on top of 1 - eps.",
        lambda classes, eps: 1 - eps,
    ),
    "wrong_class": (
        "This is the value of a wrong class. The right one has 1 - eps more.",
        lambda classes, eps: eps / classes,
    ),
    "nothing_taken_away": (
        "You add eps / C without taking anything away. Multiply the 1 by 1 - eps first.",
        lambda classes, eps: 1 + eps / classes,
    ),
    "others_only": (
        "You divide by the number of wrong classes. eps is spread over all C classes.",
        lambda classes, eps: 1 - eps + eps / (classes - 1),
    ),
}

EXAM_SMOOTHED_LABEL = Question(
    id="exam_smoothed_label",
    points=1,
    numbers=_smooth_numbers,
    text=(
        "Labels of {classes} classes are smoothed with eps = {eps}, as label_smoothing does it. Which value does the "
        "right class have then?"
    ),
    answer=_smooth_answer,
    torch_answer=_smooth_torch,
    explanation="(1 - {eps}) * 1 + {eps} / {classes} = {answer}; each other class has {eps} / {classes}.",
    mistakes=_SMOOTH_MISTAKES,
    decimals=3,
)


def _ensemble_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"models": int(rng.integers(3, 11)), "variance": int(rng.integers(20, 91)) / 10}
    numbers["covariance"] = int(rng.integers(1, 11)) / 10
    return numbers if is_clear(numbers, _ensemble_answer, _ENSEMBLE_MISTAKES, 2) else _ensemble_numbers(rng)


def _ensemble_answer(models: int, variance: float, covariance: float) -> float:
    return variance / models + (models - 1) / models * covariance


def _ensemble_torch(models: int, variance: float, covariance: float) -> float:
    """The quadratic form of the whole covariance matrix with equal shares."""
    matrix = np.full((models, models), covariance) + np.eye(models) * (variance - covariance)
    shares, nothing = np.full((1, models), 1 / models), np.zeros(models)
    weighted = ask_torch("affine_forward", shares, matrix, nothing)[0]
    return float(ask_torch("affine_forward", weighted, shares, nothing[:1])[0][0, 0])


_ENSEMBLE_MISTAKES: Formulas = {
    "independent": (
        "This would be right for errors without covariance. Every pair of models adds its covariance, twice.",
        lambda models, variance, covariance: variance / models,
    ),
    "no_gain": (
        "This is the variance of one model. Averaging makes it smaller: divide the whole sum by K squared.",
        lambda models, variance, covariance: variance,
    ),
    "pairs_once": (
        "You count each pair once. In the square of a sum every product of two different terms comes twice.",
        lambda models, variance, covariance: variance / models + (models - 1) / models * covariance / 2,
    ),
    "not_squared": (
        "You divide by the number of models once. A factor 1 / K in front of a sum divides its variance by K squared.",
        lambda models, variance, covariance: variance + (models - 1) * covariance,
    ),
}

EXAM_ENSEMBLE_VARIANCE = Question(
    id="exam_ensemble_variance",
    points=1,
    numbers=_ensemble_numbers,
    text=(
        "{models} models each make errors of mean 0 and variance {variance}; the errors of every two models have the "
        "covariance {covariance}. What is the variance of the error of their average? The variance of a sum is the sum "
        "of all variances and of twice the covariance of every pair."
    ),
    answer=_ensemble_answer,
    torch_answer=_ensemble_torch,
    explanation=(
        "({models} * {variance} + {models} * ({models} - 1) * {covariance}) / {models}**2 = {answer}. More models "
        "bring it down towards {covariance}, and never below: models should differ."
    ),
    mistakes=_ENSEMBLE_MISTAKES,
    decimals=2,
)


def _tied_numbers(rng: np.random.Generator) -> Numbers:
    inputs = int(rng.integers(20, 120))
    numbers: Numbers = {"inputs": inputs, "hidden": int(rng.integers(4, inputs // 2))}
    return numbers if is_clear(numbers, _tied_answer, _TIED_MISTAKES, 0) else _tied_numbers(rng)


def _tied_answer(inputs: int, hidden: int) -> int:
    return inputs * hidden + hidden + inputs


def _tied_torch(inputs: int, hidden: int) -> int:
    """All numbers of two layers that are not tied, less those of one weight matrix."""
    both, matrix = ([inputs, hidden, inputs], True), ([inputs, hidden], False)
    return ask_torch("count_parameters", *both) - ask_torch("count_parameters", *matrix)


_TIED_MISTAKES: Formulas = {
    "not_tied": (
        "You count the weights of both layers. The second layer uses those of the first: count them once.",
        lambda inputs, hidden: 2 * inputs * hidden + hidden + inputs,
    ),
    "no_biases": (
        "The biases are missing. Both layers have biases of their own, which are not shared.",
        lambda inputs, hidden: inputs * hidden,
    ),
    "hidden_biases_only": (
        "The biases of the second layer are missing. Only the weights are shared.",
        lambda inputs, hidden: inputs * hidden + hidden,
    ),
}

EXAM_TIED_WEIGHTS = Question(
    id="exam_tied_weights",
    points=1,
    numbers=_tied_numbers,
    text=(
        "A network reads {inputs} numbers, has one hidden layer of {hidden} units and gives {inputs} numbers back. "
        "Both layers have biases. The weights of the second layer are tied: they are the transpose of those of the "
        "first. How many numbers does the network learn?"
    ),
    answer=_tied_answer,
    torch_answer=_tied_torch,
    explanation=(
        "One matrix of {inputs} * {hidden} weights serves both layers; to it come {hidden} and {inputs} biases: "
        "{answer}."
    ),
    mistakes=_TIED_MISTAKES,
)

OPEN_QUESTION_REGULARISATION = OpenQuestion(
    id="open_question_regularisation",
    points=3,
    rubric=(
        "1 point: what the random labels show (the network fits them, so its size alone does not keep it from learning "
        "by heart; a low training loss says nothing about new examples). 1 point: one measure of the lesson with its "
        "mechanism, for example dropout (units cannot rely on each other, many thinned networks share weights), a "
        "weight penalty, augmentation or early stopping, and what it does to the gap. 1 point: how one would find out "
        "whether it helps: on validation examples that neither training nor the choice has seen, with more than one "
        "start, and the test examples opened once at the end."
    ),
)

QUESTIONS = (
    EXAM_L2_STEP,
    EXAM_DROPOUT_STEP,
    EXAM_EARLY_STOP,
    EXAM_SMOOTHED_LABEL,
    EXAM_ENSEMBLE_VARIANCE,
    EXAM_TIED_WEIGHTS,
)
OPEN_QUESTIONS = (OPEN_QUESTION_REGULARISATION,)
