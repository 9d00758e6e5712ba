"""Exam corner of lesson 03: six computed questions and one that a person marks."""

from __future__ import annotations

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths


def _graph_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {name: tenths(rng, -20, 20) for name in ("x1", "x2", "w1", "w3", "b")}
    # Off, there would be nothing to compute.
    clear = _graph_score(**numbers) > 0.05 and is_clear(numbers, _graph_answer, _GRAPH_MISTAKES, 2)
    return numbers if clear else _graph_numbers(rng)


def _graph_score(x1: float, x2: float, w1: float, b: float, **_others: float) -> float:
    return w1 * x1 + w1 * x2 + b


def _graph_answer(x1: float, x2: float, w3: float, **_others: float) -> float:
    return w3 * (x1 + x2)


def _graph_torch(x1: float, x2: float, w1: float, w3: float, b: float) -> float:
    return float(ask_torch("exam_graph_gradient", x1, x2, w1, w3, b)[2])


_GRAPH_MISTAKES: Formulas = {
    "first_use": (
        "You followed w1 through x1 only. It is used twice: add what comes back through x2.",
        lambda w3, x1, **numbers: w3 * x1,
    ),
    "last_use": (
        "You followed w1 through x2 only. It is used twice: add what comes back through x1.",
        lambda w3, x2, **numbers: w3 * x2,
    ),
    "no_upstream": (
        "The factor w3 is missing: it stands between the ReLU and f.",
        lambda x1, x2, **numbers: x1 + x2,
    ),
    "for_the_input": (
        "This is the derivative by x1. For w1 add the inputs that it multiplies.",
        lambda w1, w3, **numbers: w3 * w1,
    ),
    "off": (
        "The ReLU is on here: compute w1 * x1 + w1 * x2 + b and look at its sign.",
        lambda **numbers: 0.0,
    ),
}

EXAM_GRAPH = Question(
    id="exam_graph",
    points=1,
    numbers=_graph_numbers,
    text=(
        "f = w3 * ReLU(w1 * x1 + w1 * x2 + b) with x1 = {x1}, x2 = {x2}, w1 = {w1}, w3 = {w3}, b = {b}. What is df/dw1?"
    ),
    answer=_graph_answer,
    torch_answer=_graph_torch,
    explanation=(
        "The score {w1} * {x1} + {w1} * {x2} + {b} is above 0, so the ReLU is on and its slope is 1. w1 is used twice, "
        "and both ways add up: {w3} * {x1} + {w3} * {x2} = {answer}."
    ),
    mistakes=_GRAPH_MISTAKES,
    decimals=2,
)


def _product_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {name: tenths(rng, -20, 20) for name in ("a", "c", "x1", "x2", "u1", "u2")}
    clear = is_clear(numbers, _product_answer, _PRODUCT_MISTAKES, 2)
    return numbers if clear else _product_numbers(rng)


def _product_answer(a: float, x1: float, x2: float, u1: float, u2: float, **_others: float) -> float:
    return u1 * a * x2 + u2 * 2 * x1


def _product_torch(a: float, c: float, x1: float, x2: float, u1: float, u2: float) -> float:
    # Central differences of a quadratic are exact, so a large step loses nothing.
    def upstream_times_y(x):
        return u1 * (a * x[0] * x[1]) + u2 * (x[0] * x[0] + c * x[1])

    return float(ask_torch("numerical_gradient", upstream_times_y, np.array([x1, x2]), 0.5)[0])


_PRODUCT_MISTAKES: Formulas = {
    "for_x2": (
        "This is dL/dx2. Take the column of x1: the derivatives of y1 and y2 by x1.",
        lambda a, c, x1, u1, u2, **numbers: u1 * a * x1 + u2 * c,
    ),
    "row": (
        "You combined the derivatives of y1 by x1 and x2. Combine the derivatives of y1 and y2 by x1.",
        lambda a, x1, x2, u1, u2, **numbers: u1 * a * x2 + u2 * a * x1,
    ),
    "no_upstream": (
        "You added the local derivatives without the upstream gradients. Multiply each by its own.",
        lambda a, x1, x2, **numbers: a * x2 + 2 * x1,
    ),
    "one_way": (
        "x1 reaches L through y1 and through y2. You followed the first way only: add the second.",
        lambda a, x2, u1, **numbers: u1 * a * x2,
    ),
    "no_factor_two": (
        "The derivative of x1**2 by x1 is 2 * x1.",
        lambda a, x1, x2, u1, u2, **numbers: u1 * a * x2 + u2 * x1,
    ),
}

EXAM_PRODUCT = Question(
    id="exam_product",
    points=1,
    numbers=_product_numbers,
    text=(
        "A layer computes y1 = {a} * x1 * x2 and y2 = {c} * x2 + x1**2. At x1 = {x1}, x2 = {x2} the gradients that "
        "come back are dL/dy1 = {u1} and dL/dy2 = {u2}. What is dL/dx1?"
    ),
    answer=_product_answer,
    torch_answer=_product_torch,
    explanation=(
        "The vector of upstream gradients times the column of the Jacobian that belongs to x1, which is "
        "({a} * {x2}, 2 * {x1}): {u1} * {a} * {x2} + {u2} * 2 * {x1} = {answer}."
    ),
    mistakes=_PRODUCT_MISTAKES,
    decimals=2,
)


def _work_numbers(rng: np.random.Generator) -> Numbers:
    low_high = {"batch": (8, 65), "inputs": (20, 90), "hidden": (10, 50), "outputs": (2, 12)}
    numbers: Numbers = {name: int(rng.integers(*limits)) for name, limits in low_high.items()}
    return numbers if is_clear(numbers, _work_answer, _WORK_MISTAKES, 0) else _work_numbers(rng)


def _work_answer(batch: int, inputs: int, hidden: int, outputs: int) -> int:
    return batch * (inputs * hidden + 2 * hidden * outputs)


def _work_torch(batch: int, inputs: int, hidden: int, outputs: int) -> int:
    """A weight costs one multiply-add per example for its own gradient, and one where the gradient goes on."""
    own = ask_torch("count_parameters", [inputs, hidden, outputs], False)
    return batch * (own + ask_torch("count_parameters", [hidden, outputs], False))


_WORK_MISTAKES: Formulas = {
    "as_forward": (
        "This is the work of the forward pass. Going back, the second layer has two products to compute.",
        lambda batch, inputs, hidden, outputs: batch * (inputs * hidden + hidden * outputs),
    ),
    "twice_forward": (
        "This is twice the forward pass. The gradient with respect to the inputs is not needed: leave its product out.",
        lambda batch, inputs, hidden, outputs: 2 * batch * (inputs * hidden + hidden * outputs),
    ),
    "one_example": (
        "This is the work for one example. Multiply by the batch size.",
        lambda batch, inputs, hidden, outputs: inputs * hidden + 2 * hidden * outputs,
    ),
    "wrong_layer": (
        "You left out the gradient that the first layer needs, and computed the one with respect to the inputs x.",
        lambda batch, inputs, hidden, outputs: batch * (2 * inputs * hidden + hidden * outputs),
    ),
}

EXAM_WORK = Question(
    id="exam_work",
    points=1,
    numbers=_work_numbers,
    text=(
        "A network has {inputs} inputs, {hidden} hidden units and {outputs} outputs; the batch has {batch} examples. "
        "How many multiply-adds do the matrix products of one backward pass take, when the gradient with respect to "
        "the inputs is not needed? Leave biases and activations out."
    ),
    answer=_work_answer,
    torch_answer=_work_torch,
    explanation=(
        "The second layer computes dw and the gradient that goes on, the first layer dw only: "
        "{batch} * ({hidden} * {outputs} + {hidden} * {outputs} + {inputs} * {hidden}) = {answer}."
    ),
    mistakes=_WORK_MISTAKES,
)


def _memory_numbers(rng: np.random.Generator) -> Numbers:
    low_high = {"batch": (2, 20), "inputs": (8, 40), "first": (4, 20), "second": (2, 10), "outputs": (2, 6)}
    numbers: Numbers = {
        name: int(rng.integers(*limits)) * (1 if name == "outputs" else 50) for name, limits in low_high.items()
    }
    return numbers if is_clear(numbers, _memory_answer, _MEMORY_MISTAKES, 2) else _memory_numbers(rng)


def _learned(inputs: int, first: int, second: int, outputs: int) -> int:
    return (inputs + 1) * first + (first + 1) * second + (second + 1) * outputs


def _megabytes(batch: int, copies: int, inputs: int, first: int, second: int, outputs: int) -> float:
    sizes = {"inputs": inputs, "first": first, "second": second, "outputs": outputs}
    return 4 * (copies * _learned(**sizes) + batch * sum(sizes.values())) / 1e6


def _memory_answer(**numbers: int) -> float:
    return _megabytes(copies=4, **numbers)


def _memory_torch(batch: int, inputs: int, first: int, second: int, outputs: int) -> float:
    return sum(ask_torch("memory_needed", [inputs, first, second, outputs], batch, 2)) / 1e6


_MEMORY_MISTAKES: Formulas = {
    "forward_only": (
        "This is what the forward pass keeps. Gradients and Adam's two moments take as much as the parameters, each.",
        lambda **numbers: _megabytes(copies=1, **numbers),
    ),
    "no_moments": (
        "Adam's two moments are missing: two more numbers for each parameter.",
        lambda **numbers: _megabytes(copies=2, **numbers),
    ),
    "one_moment": (
        "You counted one moment. Adam keeps two numbers for each parameter.",
        lambda **numbers: _megabytes(copies=3, **numbers),
    ),
    "no_activations": (
        "The stored activations are missing: one number per unit and example.",
        lambda batch, **numbers: _megabytes(batch=0, copies=4, **numbers),
    ),
    "one_byte": (
        "You counted numbers. In float32 each takes 4 bytes.",
        lambda **numbers: _megabytes(copies=4, **numbers) / 4,
    ),
}

EXAM_MEMORY = Question(
    id="exam_memory",
    points=1,
    numbers=_memory_numbers,
    text=(
        "A network with {inputs} inputs, hidden layers of {first} and {second} units and {outputs} outputs is trained "
        "by Adam in float32, {batch} examples at a time. How many MB (1 MB is 1,000,000 bytes) do parameters, "
        "gradients, Adam's two moments and the activations of all layers take, input and output included?"
    ),
    answer=_memory_answer,
    torch_answer=_memory_torch,
    explanation=(
        "With P = ({inputs} + 1) * {first} + ({first} + 1) * {second} + ({second} + 1) * {outputs} parameters: "
        "4 bytes * (4 * P + {batch} * ({inputs} + {first} + {second} + {outputs})) = {answer} MB."
    ),
    mistakes=_MEMORY_MISTAKES,
    decimals=2,
)


def _difference_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"a": tenths(rng, -30, 30), "x": tenths(rng, -25, 25), "h": one_of(rng, 0.1, 0.2, 0.4, 0.5)}
    clear = is_clear(numbers, _difference_answer, _DIFFERENCE_MISTAKES, 3)
    return numbers if clear else _difference_numbers(rng)


def _difference_answer(a: float, x: float, h: float) -> float:
    return a * (3 * x * x + h * h)


def _difference_torch(a: float, x: float, h: float) -> float:
    return float(ask_torch("numerical_gradient", lambda at: (a * at * at * at).sum(), np.array([x]), h)[0])


_DIFFERENCE_MISTAKES: Formulas = {
    "exact": (
        "This is the exact derivative 3 a x**2. Compute the quotient: its error is what the question is about.",
        lambda a, x, h: 3 * a * x * x,
    ),
    "one_sided": (
        "You nudged to one side only. The central difference takes f(x + h) - f(x - h).",
        lambda a, x, h: a * ((x + h) ** 3 - x**3) / h,
    ),
    "not_halved": (
        "From x - h to x + h the way is 2 h long: divide by 2 h.",
        lambda a, x, h: 2 * _difference_answer(a, x, h),
    ),
}

EXAM_DIFFERENCE = Question(
    id="exam_difference",
    points=1,
    numbers=_difference_numbers,
    text="What does the central difference give for the slope of f(x) = {a} * x**3 at x = {x}, with the step h = {h}?",
    answer=_difference_answer,
    torch_answer=_difference_torch,
    explanation=(
        "(f({x} + {h}) - f({x} - {h})) / (2 * {h}) = {a} * (3 * ({x})**2 + {h}**2) = {answer}; the exact slope lacks "
        "the term with h**2."
    ),
    mistakes=_DIFFERENCE_MISTAKES,
    decimals=3,
)


def _copies_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {name: int(rng.integers(2, 40)) for name in ("n", "m", "c")}
    return numbers if is_clear(numbers, _copies_answer, _COPIES_MISTAKES, 0) else _copies_numbers(rng)


def _copies_answer(n: int, c: int, **_others: int) -> int:
    return n * c


def _copies_torch(n: int, m: int, c: int) -> int:
    """A gradient of ones, so that what comes back counts what was summed."""
    return int(ask_torch("unbroadcast", np.ones((n, m, c)), (m, 1))[0, 0])


_COPIES_MISTAKES: Formulas = {
    "batch_only": (
        "You counted the new axis in front. The last axis grew from 1 too: it is summed as well.",
        lambda n, **numbers: n,
    ),
    "last_axis_only": (
        "You counted the axis that grew from 1. The new axis in front is summed as well.",
        lambda c, **numbers: c,
    ),
    "all": (
        "These are all numbers of the upstream gradient. They are shared out over the entries of b.",
        lambda n, m, c: n * m * c,
    ),
    "entries": (
        "This is how many entries b has. The question is how many numbers are added up for one of them.",
        lambda m, **numbers: m,
    ),
}

EXAM_COPIES = Question(
    id="exam_copies",
    points=1,
    numbers=_copies_numbers,
    text=(
        "x has shape ({n}, {m}, {c}) and b has shape ({m}, 1). In x + b NumPy broadcasts b. How many numbers of the "
        "upstream gradient are added up to give one entry of the gradient of b?"
    ),
    answer=_copies_answer,
    torch_answer=_copies_torch,
    explanation=(
        "b is lined up from the right: its axis of size 1 is copied {c} times, and the new axis in front {n} times. "
        "Each entry is used {n} * {c} = {answer} times, and a gradient adds up over all uses."
    ),
    mistakes=_COPIES_MISTAKES,
)

OPEN_QUESTION_BACKPROPAGATION = OpenQuestion(
    id="open_question_backpropagation",
    points=3,
    rubric=(
        "1 point: backward goes from the loss to the parameters and multiplies a vector by one Jacobian after the "
        "other, so that no full matrix is ever needed; or, what costs as much as a forward pass or two gives the "
        "gradient by all parameters at once, where nudging costs two forward passes per parameter. 1 point: values "
        "that are used several times get the sum of what comes back, and a node waits for all its users. 1 point: "
        "what the forward pass has to keep for this, and that memory grows with batch and depth."
    ),
)

QUESTIONS = (EXAM_GRAPH, EXAM_PRODUCT, EXAM_WORK, EXAM_MEMORY, EXAM_DIFFERENCE, EXAM_COPIES)
OPEN_QUESTIONS = (OPEN_QUESTION_BACKPROPAGATION,)
