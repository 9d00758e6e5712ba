"""Exam corner of lesson 01: five computed questions and one that a person marks."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths


def _parameters_numbers(rng: np.random.Generator) -> Numbers:
    inputs, first, second = (int(rng.integers(low, high)) for low, high in ((4, 30), (5, 40), (3, 20)))
    # Every size differs, and no two wrong counts coincide.
    numbers: Numbers = {"inputs": inputs, "first": first, "second": second, "outputs": int(rng.integers(2, 11))}
    clear = is_clear(numbers, _parameters_answer, _PARAMETERS_MISTAKES, 0)
    return numbers if clear else _parameters_numbers(rng)


def _parameters_answer(inputs: int, first: int, second: int, outputs: int) -> int:
    return (inputs + 1) * first + (first + 1) * second + (second + 1) * outputs


def _parameters_torch(inputs: int, first: int, second: int, outputs: int) -> int:
    return ask_torch("count_parameters", [inputs, first, second, outputs])


_PARAMETERS_MISTAKES: Formulas = {
    "no_biases": (
        "You counted the weights only. Every unit after the input also has a bias.",
        lambda inputs, first, second, outputs: inputs * first + first * second + second * outputs,
    ),
    "biases_of_inputs": (
        "You counted biases for the inputs. Inputs compute nothing and have none.",
        lambda inputs, first, second, outputs: (
            inputs * first + first * second + second * outputs + inputs + first + second + outputs
        ),
    ),
    "no_output_biases": (
        "The biases of the output units are missing. Output units have biases like hidden ones.",
        lambda inputs, first, second, outputs: inputs * first + first * second + second * outputs + first + second,
    ),
    "one_bias_per_layer": (
        "You counted one bias per layer. Every unit of a layer has a bias of its own.",
        lambda inputs, first, second, outputs: inputs * first + first * second + second * outputs + 3,
    ),
}

EXAM_PARAMETERS = Question(
    id="exam_parameters",
    points=1,
    numbers=_parameters_numbers,
    text=(
        "A network has {inputs} inputs, two hidden layers of {first} and {second} units, and {outputs} outputs. Each "
        "unit is joined to all units of the layer before it, and every unit after the input has a bias. How many "
        "numbers does it learn?"
    ),
    answer=_parameters_answer,
    torch_answer=_parameters_torch,
    explanation=(
        "Each layer has (inputs + 1) x outputs numbers, the 1 being the bias: "
        "({inputs} + 1) x {first} + ({first} + 1) x {second} + ({second} + 1) x {outputs} = {answer}."
    ),
    mistakes=_PARAMETERS_MISTAKES,
)


def _neuron_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "maths": one_of(rng, 0.4, 0.8, 1.2, 1.6, 2.0, -0.8, -1.2, -1.6),
        "physics": one_of(rng, 0.4, 0.8, 1.2, 1.6, -0.4, -0.8),
        "w1": tenths(rng, -9, 9),
        "w2": tenths(rng, -9, 9),
        "b": tenths(rng, -5, 5),
        "y": int(rng.integers(2)),
    }
    # At a score near 0 nobody would have to compute a sigmoid.
    asks = abs(_score(**{name: value for name, value in numbers.items() if name != "y"})) > 0.1
    clear = asks and is_clear(numbers, _neuron_answer, _NEURON_MISTAKES, 3)
    return numbers if clear else _neuron_numbers(rng)


def _score(maths: float, physics: float, w1: float, w2: float, b: float) -> float:
    return w1 * maths + w2 * physics + b


def _output(**numbers: float) -> float:
    return 1 / (1 + math.exp(-_score(**numbers)))


def _neuron_answer(y: int, **numbers: float) -> float:
    s = _output(**numbers)
    return -2 * (y - s) * s * (1 - s) * numbers["maths"]


def _neuron_torch(maths: float, physics: float, w1: float, w2: float, b: float, y: int) -> float:
    x, target, w = np.array([[maths, physics]]), np.array([float(y)]), np.array([w1, w2])
    return float(ask_torch("neuron_gradient", x, target, w, b)[0][0])


def _neuron_no_slope(y: int, **numbers: float) -> float:
    return -2 * (y - _output(**numbers)) * numbers["maths"]


def _neuron_bias(**numbers: float) -> float:
    return _neuron_answer(**numbers) / numbers["maths"]


_NEURON_MISTAKES: Formulas = {
    "no_slope": (
        "The slope of the sigmoid is missing: multiply by s (1 - s).",
        _neuron_no_slope,
    ),
    "no_factor_two": (
        "The derivative of a square brings a factor 2.",
        lambda **numbers: _neuron_answer(**numbers) / 2,
    ),
    "wrong_sign": (
        "The sign is wrong: s enters the error with a minus.",
        lambda **numbers: -_neuron_answer(**numbers),
    ),
    "for_the_bias": (
        "This is the derivative with respect to b. For w1 multiply by the mark in maths.",
        _neuron_bias,
    ),
}

EXAM_NEURON = Question(
    id="exam_neuron",
    points=1,
    numbers=_neuron_numbers,
    text=(
        "One pupil has the scaled marks {maths} in maths and {physics} in physics, and y = {y}. The neuron answers "
        "s = sigmoid(w1 * maths + w2 * physics + b) with w1 = {w1}, w2 = {w2}, b = {b}. The error is E = (y - s)**2. "
        "What is dE/dw1?"
    ),
    answer=_neuron_answer,
    torch_answer=_neuron_torch,
    explanation=(
        "s = sigmoid({w1} * {maths} + {w2} * {physics} + {b}), and by the chain rule "
        "dE/dw1 = -2 (y - s) s (1 - s) * maths = -2 ({y} - s) s (1 - s) * {maths} = {answer}."
    ),
    mistakes=_NEURON_MISTAKES,
    decimals=3,
)


def _perceptron_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "x1": one_of(rng, 0.5, 1.5, 2.0, 2.5, 3.0, -1.5, -2.0, -3.0),
        "x2": one_of(rng, 0.5, 1.0, 1.5, 2.0, -0.5, -1.0, -2.0),
        "w1": tenths(rng, -15, 15),
        "w2": tenths(rng, -15, 15),
        "b": tenths(rng, -9, 9),
        "lr": one_of(rng, 0.1, 0.2, 0.4, 0.5),
    }
    z = _weighted_sum(**numbers)
    # The label is always the one that the perceptron misses: there is something to update.
    numbers["y"] = 0 if z > 0 else 1
    clear = abs(z) > 0.01 and is_clear(numbers, _perceptron_answer, _PERCEPTRON_MISTAKES, 2)
    return numbers if clear else _perceptron_numbers(rng)


def _weighted_sum(x1: float, x2: float, w1: float, w2: float, b: float, **_others: float) -> float:
    return w1 * x1 + w2 * x2 + b


def _perceptron_answer(y: int, lr: float, **numbers: float) -> float:
    y_hat = 1 if _weighted_sum(**numbers) > 0 else 0
    return numbers["w1"] + lr * (y - y_hat) * numbers["x1"]


def _perceptron_torch(x1: float, x2: float, w1: float, w2: float, b: float, lr: float, y: int) -> float:
    w, _ = ask_torch("perceptron_update", np.array([x1, x2]), y, np.array([w1, w2]), b, lr)
    return float(w[0])


_PERCEPTRON_MISTAKES: Formulas = {
    "no_update": (
        "You left w1 as it is, but the perceptron's answer is wrong here: compute w1 x1 + w2 x2 + b and its sign.",
        lambda w1, **numbers: w1,
    ),
    "wrong_sign": (
        "You moved the wrong way. Add lr (y - y_hat) x1.",
        lambda **numbers: 2 * numbers["w1"] - _perceptron_answer(**numbers),
    ),
    "no_rate": (
        "The learning rate is missing in your update.",
        lambda lr, **numbers: _perceptron_answer(lr=1.0, **numbers),
    ),
    "no_input": (
        "You moved w1 as one moves the bias. The step of a weight is multiplied by its input x1.",
        lambda w1, lr, y, **numbers: w1 + lr * (2 * y - 1),
    ),
}

EXAM_PERCEPTRON = Question(
    id="exam_perceptron",
    points=1,
    numbers=_perceptron_numbers,
    text=(
        "A perceptron has w1 = {w1}, w2 = {w2}, b = {b} and learning rate {lr}. It sees the example x1 = {x1}, "
        "x2 = {x2} with label y = {y}, and makes one update. What is the new w1?"
    ),
    answer=_perceptron_answer,
    torch_answer=_perceptron_torch,
    explanation=(
        "The weighted sum {w1} * {x1} + {w2} * {x2} + {b} has the wrong sign for y = {y}, so y_hat is 1 - {y}. "
        "The new w1 is {w1} + {lr} * ({y} - (1 - {y})) * {x1} = {answer}."
    ),
    mistakes=_PERCEPTRON_MISTAKES,
    decimals=2,
)


def _mse_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {f"p{i}{j}": int(rng.integers(0, 11)) / 10 for i in (1, 2) for j in (1, 2)}
    for i in (1, 2):
        right = int(rng.integers(2))
        numbers |= {f"y{i}1": 1 - right, f"y{i}2": right}
    return numbers if is_clear(numbers, _mse_answer, _MSE_MISTAKES, 3) else _mse_numbers(rng)


def _errors(**numbers: float) -> list[float]:
    return [numbers[f"p{i}{j}"] - numbers[f"y{i}{j}"] for i in (1, 2) for j in (1, 2)]


def _sum_of_squares(**numbers: float) -> float:
    return sum(error * error for error in _errors(**numbers))


def _mse_answer(**numbers: float) -> float:
    return _sum_of_squares(**numbers) / 2


def _mse_torch(**numbers: float) -> float:
    y_hat, y = (np.array([[numbers[f"{k}{i}{j}"] for j in (1, 2)] for i in (1, 2)], float) for k in "py")
    return float(ask_torch("mse_loss", y_hat, y))


_MSE_MISTAKES: Formulas = {
    "mean_of_all": (
        "You averaged over the outputs too. Here outputs are summed: divide by the 2 examples, not by 4.",
        lambda **numbers: _sum_of_squares(**numbers) / 4,
    ),
    "sum_of_all": (
        "You did not average over the batch. Divide by the 2 examples.",
        _sum_of_squares,
    ),
    "absolute": (
        "You added up absolute differences. Square them.",
        lambda **numbers: sum(abs(error) for error in _errors(**numbers)) / 2,
    ),
    "root": (
        "You took a root at the end. The loss is the mean of the squares itself.",
        lambda **numbers: math.sqrt(_mse_answer(**numbers)),
    ),
}

EXAM_MSE = Question(
    id="exam_mse",
    points=1,
    numbers=_mse_numbers,
    text=(
        "A network with two outputs sees two examples. It answers [[{p11}, {p12}], [{p21}, {p22}]]; the one-hot "
        "targets are [[{y11}, {y12}], [{y21}, {y22}]]. What is mse_loss, summed over the outputs "
        "and averaged over the batch?"
    ),
    answer=_mse_answer,
    torch_answer=_mse_torch,
    explanation=(
        "(({p11} - {y11})**2 + ({p12} - {y12})**2 + ({p21} - {y21})**2 + ({p22} - {y22})**2) / 2 = {answer}; "
        "Torch's default mean would divide by 4."
    ),
    mistakes=_MSE_MISTAKES,
    decimals=3,
)


def _hidden_numbers(rng: np.random.Generator) -> Numbers:
    return {"parameters": 4 * int(rng.integers(5, 400)) + 1}


def _hidden_answer(parameters: int) -> int:
    return (parameters - 1) // 4


def _hidden_torch(parameters: int) -> int:
    """Search by halving: the count grows with the number of hidden units."""
    low, high = 1, parameters
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if ask_torch("count_parameters", [2, middle, 1]) < parameters else (low, middle)
    return low


EXAM_HIDDEN = Question(
    id="exam_hidden",
    points=1,
    numbers=_hidden_numbers,
    text=(
        "A network with 2 inputs, one hidden layer of H units and 1 output has biases in both layers and "
        "{parameters} parameters in all. What is H?"
    ),
    answer=_hidden_answer,
    torch_answer=_hidden_torch,
    explanation=(
        "Each hidden unit brings 2 weights in, 1 bias and 1 weight out; the output adds 1 bias: "
        "4 H + 1 = {parameters}, so H = {answer}."
    ),
    mistakes={
        "no_hidden_biases": (
            "You counted three numbers per hidden unit. Each has two weights in, a bias, and a weight out: four.",
            lambda parameters: round((parameters - 1) / 3),
        ),
        "one_layer": (
            "You counted the weights into the hidden layer only. Biases and the weights to the output count too.",
            lambda parameters: (parameters - 1) // 2,
        ),
        "units_added": (
            "You added up units instead of connections. Count 4 numbers per hidden unit and 1 for the output's bias.",
            lambda parameters: parameters - 3,
        ),
    },
)

OPEN_QUESTION_XOR = OpenQuestion(
    id="open_question_xor",
    points=3,
    rubric=(
        "1 point: no single line works, with a reason (the four inequalities contradict each other, or the segments "
        "between equal labels cross). 1 point: what the hidden layer does to the four points (they move; the two "
        "points with label 1 land on one side). 1 point: why the output unit can now separate them with one line, "
        "and that this needs a bend: a linear hidden layer would not do."
    ),
)

QUESTIONS = (EXAM_PARAMETERS, EXAM_NEURON, EXAM_PERCEPTRON, EXAM_MSE, EXAM_HIDDEN)
OPEN_QUESTIONS = (OPEN_QUESTION_XOR,)
