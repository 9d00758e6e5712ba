"""Exercises that are judged by what their weights do (topic `mlp`): XOR by hand and by training.

What the learner's function returned is run through `mlp_forward` of each reference, outside, on points
that never were inside the walls; only the labels are compared.
"""

# ruff: noqa: PLR0913 - the parameters of two layers are five arguments before anything else is said.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, Step, call_case
from course_lib.messages import TURNED_OUTPUT
from course_lib.numpy_kernels import mlp_backward, mlp_forward, train_xor
from course_lib.properties.xor import JITTER, XOR_CORNERS, network_answers, trained_labels, unseen_points, xor_labels
from course_lib.tree import Handle


def _xor_weights_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    call = Step("call", "result", "xor_weights")
    read = Step("read", "result", "", (Handle("result"),))
    return Case("the four corners", {}, (call, read)), Case("called again", {}, (call, call, read))


def _xor_weights__or_gate():
    return np.array([[20.0, 20.0], [20.0, 20.0]]), np.array([-10.0, -10.0]), np.array([[10.0, 10.0]]), np.array([-5.0])


def _xor_weights__xnor():
    w1, b1 = np.array([[20.0, 20.0], [20.0, 20.0]]), np.array([-10.0, -30.0])
    return w1, b1, np.array([[-30.0, 30.0]]), np.array([15.0])


def _xor_weights__nand():
    w1, b1 = np.array([[-20.0, -20.0], [-20.0, -20.0]]), np.array([30.0, 30.0])
    return w1, b1, np.array([[10.0, 10.0]]), np.array([-10.0])


def _xor_weights__for_a_step_function():
    return np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([-0.5, -1.5]), np.array([[1.0, -1.0]]), np.array([-0.5])


def _xor_weights__too_flat():
    w1, b1 = np.array([[20.0, 20.0], [20.0, 20.0]]), np.array([-10.0, -30.0])
    return w1, b1, np.array([[0.4, -0.4]]), np.array([-0.2])


def _xor_weights__no_output_bias():
    w1, b1 = np.array([[20.0, 20.0], [20.0, 20.0]]), np.array([-10.0, -30.0])
    return w1, b1, np.array([[30.0, -60.0]]), np.array([0.0])


def _xor_weights__turned_output():
    w1, b1 = np.array([[20.0, 20.0], [20.0, 20.0]]), np.array([-10.0, -30.0])
    return w1, b1, np.array([[30.0], [-30.0]]), np.array([-15.0])


def _xor_weights__either_alone():
    w1, b1 = np.array([[8.0, -8.0], [-8.0, 8.0]]), np.array([-4.0, -4.0])
    return w1, b1, np.array([[9.0, 9.0]]), np.array([-5.0])


def _xor_weights__or_and_nand_repeated():
    w1 = np.array([[12.0, 12.0], [-12.0, -12.0], [12.0, 12.0], [-12.0, -12.0]])
    return w1, np.array([-6.0, 18.0, -6.0, 18.0]), np.array([[6.0, 6.0, 6.0, 6.0]]), np.array([-18.0])


def _xor_weights__least_squares():
    rng = np.random.default_rng(0)
    corners, wanted = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([-2, 2, 2, -2.0])
    w1, b1 = rng.normal(size=(8, 2)) * 4, rng.normal(size=8)
    h = np.column_stack([1 / (1 + np.exp(-(corners @ w1.T + b1))), np.ones(4)])
    w2 = np.linalg.lstsq(h, wanted, rcond=None)[0]
    return w1, b1, w2[None, :8], w2[8:]


XOR_WEIGHTS = Exercise(
    id="xor_weights",
    topic="mlp",
    points=3,
    cases=_xor_weights_cases,
    prepare=xor_labels,
    mistakes=(
        Mistake(
            "or_gate",
            "Your network computes OR: it also says yes to (1, 1). Let a second hidden unit see (1, 1) and count "
            "against the output.",
            _xor_weights__or_gate,
        ),
        Mistake(
            "xnor",
            "Your network says the opposite of XOR everywhere. Flip the signs of w2 and b2.",
            _xor_weights__xnor,
        ),
        Mistake(
            "nand",
            "Your network says no to (1, 1) only. It must say no to (0, 0) too: let a hidden unit answer "
            "'at least one is on'.",
            _xor_weights__nand,
        ),
        Mistake(
            "for_a_step_function",
            "These weights are made for a step function. A sigmoid is flat between 0 and 1: multiply weights and "
            "biases by 10 or more.",
            _xor_weights__for_a_step_function,
        ),
        Mistake(
            "too_flat",
            "Every answer is on the right side of 0.5, but too close to it. Multiply w2 and b2 by 10.",
            _xor_weights__too_flat,
        ),
        Mistake(
            "no_output_bias",
            "At (0, 0) the output's weighted sum is about 0, so the answer is 0.5. Give the output a negative bias b2.",
            _xor_weights__no_output_bias,
        ),
        Mistake(
            "turned_output",
            TURNED_OUTPUT,
            _xor_weights__turned_output,
        ),
    ),
    other_ways=(
        OtherWay("either_alone", _xor_weights__either_alone),
        OtherWay("or_and_nand_repeated", _xor_weights__or_and_nand_repeated),
        OtherWay("least_squares", _xor_weights__least_squares),
    ),
)

_FEW_STEPS = {"one step": 1, "two steps": 2, "five steps": 5}
_TRAINING_LR = 2.0
# Margins at this point of training lie at 0.4 and above for nearly every draw; a draw below 0.3 is thrown away.
_CLEAR = 0.3


def _train_xor_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    few = _FEW_STEPS if public else _FEW_STEPS | {"one example": 2, "float32": 5}
    cases = []
    for name, steps in few.items():
        n = 1 if name == "one example" else 5
        dtype = "float32" if name == "float32" else "float64"
        y = rng.integers(0, 2, (n, 1)).astype(dtype)
        drawn = {"x": draw(rng, n, 2, dtype=dtype), "y": y} | _initial(rng, 3, dtype)
        cases.append(call_case(name, "train_xor", drawn | {"lr": draw_number(rng, 0.3, 0.9), "steps": steps}))
    return (*cases, _training_case(rng, 500 if public else 1000))


def _initial(rng: np.random.Generator, hidden: int, dtype: str = "float64") -> dict[str, np.ndarray]:
    shapes = {"w1": (hidden, 2), "b1": (hidden,), "w2": (1, hidden), "b2": (1,)}
    return {name: draw(rng, *shape, dtype=dtype) for name, shape in shapes.items()}


def _training_case(rng: np.random.Generator, steps: int) -> Case:
    """Three points around each of four moved corners, labelled XOR or XNOR, from weights that get there."""
    while True:
        low, high = np.round(rng.uniform(-1.2, -0.6, 2), 2), np.round(rng.uniform(0.6, 1.2, 2), 2)
        corners = np.where(XOR_CORNERS == 1, high, low)
        labels = np.array([0.0, 1.0, 1.0, 0.0]) if rng.integers(2) else np.array([1.0, 0.0, 0.0, 1.0])
        x = np.repeat(corners, 3, axis=0) + rng.uniform(-JITTER, JITTER, (12, 2))
        inputs = {"x": x, "y": np.repeat(labels, 3)[:, None]} | _initial(rng, 8)
        inputs |= {"lr": _TRAINING_LR, "steps": steps}
        case = call_case(f"moved corners, {steps:,} steps", "train_xor", inputs)
        points, wanted = unseen_points(case)
        out = network_answers({"mlp_forward": mlp_forward}, points, train_xor(**inputs))
        if np.where(wanted == 1, out - 0.5, 0.5 - out).min() > _CLEAR:
            return case


def _train_xor__uphill(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward(2 * (out - y) / len(x), cache)
        w1, b1, w2, b2 = w1 + lr * dw1, b1 + lr * db1, w2 + lr * dw2, b2 + lr * db2
    return w1, b1, w2, b2


def _train_xor__no_factor_two(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward((out - y) / len(x), cache)
        w1, b1, w2, b2 = w1 - lr * dw1, b1 - lr * db1, w2 - lr * dw2, b2 - lr * db2
    return w1, b1, w2, b2


def _train_xor__sum_over_batch(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward(2 * (out - y), cache)
        w1, b1, w2, b2 = w1 - lr * dw1, b1 - lr * db1, w2 - lr * dw2, b2 - lr * db2
    return w1, b1, w2, b2


def _train_xor__no_factor_at_all(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward(out - y, cache)
        w1, b1, w2, b2 = w1 - lr * dw1, b1 - lr * db1, w2 - lr * dw2, b2 - lr * db2
    return w1, b1, w2, b2


def _train_xor__returns_in_the_loop(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward(2 * (out - y) / len(x), cache)
        w1, b1, w2, b2 = w1 - lr * dw1, b1 - lr * db1, w2 - lr * dw2, b2 - lr * db2
        return w1, b1, w2, b2


def _train_xor__biases_left(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, _, dw2, _ = mlp_backward(2 * (out - y) / len(x), cache)
        w1, w2 = w1 - lr * dw1, w2 - lr * dw2
    return w1, b1, w2, b2


def _train_xor__new_output_weights_too_early(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, (x, h, _, _) = mlp_forward(x, w1, b1, w2, b2)
        dz2 = 2 * (out - y) / len(x) * out * (1 - out)
        w2, b2 = w2 - lr * dz2.T @ h, b2 - lr * dz2.sum(axis=0)
        dz1 = dz2 @ w2 * h * (1 - h)
        w1, b1 = w1 - lr * dz1.T @ x, b1 - lr * dz1.sum(axis=0)
    return w1, b1, w2, b2


def _train_xor__one_step_short(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(1, steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        dw1, db1, dw2, db2 = mlp_backward(2 * (out - y) / len(x), cache)
        w1, b1, w2, b2 = w1 - lr * dw1, b1 - lr * db1, w2 - lr * dw2, b2 - lr * db2
    return w1, b1, w2, b2


def _train_xor__changes_inputs(x, y, w1, b1, w2, b2, lr, steps):
    for _ in range(steps):
        out, cache = mlp_forward(x, w1, b1, w2, b2)
        gradients = mlp_backward(2 * (out - y) / len(x), cache)
        for parameter, gradient in zip((w1, b1, w2, b2), gradients, strict=True):
            parameter -= lr * gradient
    return w1, b1, w2, b2


def _train_xor__sum_of_gradients(x, y, w1, b1, w2, b2, lr, steps):
    start = now = (w1.copy(), b1.copy(), w2.copy(), b2.copy())
    total = [np.zeros_like(parameter) for parameter in start]
    for _ in range(steps):
        out, cache = mlp_forward(x, *now)
        for so_far, gradient in zip(total, mlp_backward(2 * (out - y) / len(x), cache), strict=True):
            so_far += gradient
        now = tuple(parameter - lr * so_far for parameter, so_far in zip(start, total, strict=True))
    return now


def _train_xor__bias_as_weight(x, y, w1, b1, w2, b2, lr, steps):
    ones = np.ones((1, len(x)), dtype=x.dtype)
    wide, target = np.vstack([x.T, ones]), y.T
    v1, v2 = np.column_stack([w1, b1]), np.column_stack([w2, b2])
    for _ in range(steps):
        h = np.vstack([0.5 * (1 + np.tanh(0.5 * (v1 @ wide))), ones])
        out = 0.5 * (1 + np.tanh(0.5 * (v2 @ h)))
        dz2 = 2 / len(x) * (out - target) * (out - out * out)
        dz1 = (v2.T @ dz2 * (h - h * h))[:-1]
        v1, v2 = v1 - lr * (dz1 @ wide.T), v2 - lr * (dz2 @ h.T)
    return v1[:, :-1], v1[:, -1], v2[:, :-1], v2[:, -1]


TRAIN_XOR = Exercise(
    id="train_xor",
    topic="mlp",
    points=4,
    cases=_train_xor_cases,
    prepare=trained_labels,
    training=True,
    mistakes=(
        Mistake(
            "uphill",
            "Your steps go uphill: the loss grows. Either you add lr times the gradient instead of subtracting it, or "
            "dout has the wrong sign: it is 2 / N * (out - y).",
            _train_xor__uphill,
        ),
        Mistake(
            "no_factor_two",
            "Your steps are half as long as they should be: the derivative of the squared error brings a factor 2.",
            _train_xor__no_factor_two,
        ),
        Mistake(
            "sum_over_batch",
            "Your steps are too long by the number of examples. The loss is a mean over the batch: divide by len(x).",
            _train_xor__sum_over_batch,
        ),
        Mistake(
            "no_factor_at_all",
            "The factor 2 / N is missing in dout: the 2 comes from the square, the N from the mean over the batch.",
            _train_xor__no_factor_at_all,
        ),
        Mistake(
            "returns_in_the_loop",
            "You return after the first step. Move the return out of the loop: one level less of indentation.",
            _train_xor__returns_in_the_loop,
        ),
        Mistake(
            "biases_left",
            "The biases stay where they were. Update b1 and b2 like the weights.",
            _train_xor__biases_left,
        ),
        Mistake(
            "new_output_weights_too_early",
            "You update w2 before you use it for the hidden layer's gradient. Compute all four gradients first, then "
            "update.",
            _train_xor__new_output_weights_too_early,
        ),
        Mistake(
            "one_step_short",
            "You make one step too few. Use range(steps), which counts from 0.",
            _train_xor__one_step_short,
        ),
        Mistake(
            "changes_inputs",
            "Your values are right, but the weights that came in are changed. Write w1 = w1 - ..., which makes a new "
            "array, or copy them first.",
            _train_xor__changes_inputs,
        ),
    ),
    other_ways=(
        OtherWay("sum_of_gradients", _train_xor__sum_of_gradients),
        OtherWay("bias_as_weight", _train_xor__bias_as_weight),
    ),
)

EXERCISES = (XOR_WEIGHTS, TRAIN_XOR)
