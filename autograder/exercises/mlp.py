"""Exercises on the network with one hidden layer that are judged by value."""

# ruff: noqa: PLR0913 - the parameters of two layers are five arguments before anything else is said.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step, call_case
from course_lib.numpy_kernels import count_parameters, sigmoid
from course_lib.tree import Handle, Tree

_CACHE = "The answers are right, but mlp_backward needs more: the cache must be the tuple (x, h, out, w2)."
# Case id to (N, D, H, M).
_PUBLIC = {
    "four examples": (4, 3, 5, 2),
    "batch of one": (1, 2, 3, 1),
    "all sizes equal": (3, 3, 3, 3),
    "float32": (3, 4, 2, 2),
}
_SECRET = {
    "five examples": (5, 3, 4, 2),
    "batch of one": (1, 4, 3, 2),
    "one hidden unit": (4, 2, 1, 3),
    "one input": (3, 1, 4, 2),
    "all sizes equal": (3, 3, 3, 3),
    "float32": (2, 3, 5, 4),
}


def _network(
    rng: np.random.Generator, sizes: tuple[int, int, int, int], name: str, scale: float = 1.0
) -> dict[str, Tree]:
    n, d, h, m = sizes
    shapes = {"x": (n, d), "w1": (h, d), "b1": (h,), "w2": (m, h), "b2": (m,)}
    dtype = "float32" if name == "float32" else "float64"
    drawn = {key: draw(rng, *shape, dtype=dtype) for key, shape in shapes.items()}
    return drawn | {"x": drawn["x"] * scale}


def _mlp_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = _PUBLIC if public else _SECRET
    cases = [_forward_case(name, _network(rng, sizes, name)) for name, sizes in table.items()]
    far = _network(rng, (3, 2, 4, 2), "very large inputs", scale=1000.0)
    return (*cases, call_case("very large inputs", "mlp_forward", far, item=0, kind="stability"))


def _forward_case(name: str, inputs: dict[str, Tree]) -> Case:
    """The answers count, and that the cache is the documented one is a convention: `mlp_backward` unpacks it."""
    plain = call_case(name, "mlp_forward", inputs, item=0)
    cache = Step("read", "cache", "", (Handle("result", 1),), kind="convention")
    return Case(name, inputs, (*plain.steps, cache), _CACHE)


def _mlp_forward__linear_output(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1.T + b1)
    out = h @ w2.T + b2
    return out, (x, h, out, w2)


def _mlp_forward__linear_hidden(x, w1, b1, w2, b2):
    h = x @ w1.T + b1
    out = sigmoid(h @ w2.T + b2)
    return out, (x, h, out, w2)


def _mlp_forward__no_hidden_bias(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1.T)
    out = sigmoid(h @ w2.T + b2)
    return out, (x, h, out, w2)


def _mlp_forward__no_output_bias(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1.T + b1)
    out = sigmoid(h @ w2.T)
    return out, (x, h, out, w2)


def _mlp_forward__no_transpose(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1 + b1)
    out = sigmoid(h @ w2 + b2)
    return out, (x, h, out, w2)


def _mlp_forward__relu_hidden(x, w1, b1, w2, b2):
    h = np.maximum(x @ w1.T + b1, 0)
    out = sigmoid(h @ w2.T + b2)
    return out, (x, h, out, w2)


def _mlp_forward__no_cache(x, w1, b1, w2, b2):
    return sigmoid(sigmoid(x @ w1.T + b1) @ w2.T + b2)


def _mlp_forward__cache_out_of_order(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1.T + b1)
    out = sigmoid(h @ w2.T + b2)
    return out, (x, w2, h, out)


def _mlp_forward__not_unpacked(x, w1, b1, w2, b2):
    both = (x @ w1.T + b1, (x, w1, b1))
    e = np.exp(-np.abs(both))
    h = np.where(np.asarray(both) >= 0, 1 / (1 + e), e / (1 + e))
    out = sigmoid(h @ w2.T + b2)
    return out, (x, h, out, w2)


def _mlp_forward__inputs_twice(x, w1, b1, w2, b2):
    h = sigmoid(x @ w1.T + b1)
    out = sigmoid(x @ w2.T + b2)
    return out, (x, h, out, w2)


def _mlp_forward__examples_as_columns(x, w1, b1, w2, b2):
    h = 0.5 * (1 + np.tanh(0.5 * (w1 @ x.T + b1[:, None])))
    out = 0.5 * (1 + np.tanh(0.5 * (w2 @ h + b2[:, None])))
    return out.T, (x, h.T, out.T, w2)


def _mlp_forward__unit_by_unit(x, w1, b1, w2, b2):
    def layer(rows, weights, biases):
        sums = [[sum(weight * row) + bias for weight, bias in zip(weights, biases, strict=True)] for row in rows]
        return sigmoid(np.array(sums, dtype=x.dtype))

    h = layer(x, w1, b1)
    out = layer(h, w2, b2)
    return out, (x, h, out, w2)


def _mlp_forward__bias_as_weight(x, w1, b1, w2, b2):
    ones = np.ones((len(x), 1), dtype=x.dtype)
    h = sigmoid(np.einsum("nd,hd->nh", np.hstack([x, ones]), np.column_stack([w1, b1])))
    out = sigmoid(np.einsum("nh,mh->nm", np.hstack([h, ones]), np.column_stack([w2, b2])))
    return out, (x, h, out, w2)


MLP_FORWARD = Exercise(
    id="mlp_forward",
    topic="mlp",
    points=3,
    cases=_mlp_forward_cases,
    mistakes=(
        Mistake(
            "linear_output",
            "The sigmoid at the output is missing. out is sigmoid(h @ w2.T + b2).",
            _mlp_forward__linear_output,
        ),
        Mistake(
            "linear_hidden",
            "The hidden layer is linear: two linear layers are no more than one. Put a sigmoid around x @ w1.T + b1.",
            _mlp_forward__linear_hidden,
        ),
        Mistake(
            "no_hidden_bias",
            "The bias b1 of the hidden layer is missing. Add it before the sigmoid.",
            _mlp_forward__no_hidden_bias,
        ),
        Mistake(
            "no_output_bias",
            "The bias b2 of the output layer is missing. Add it before the sigmoid.",
            _mlp_forward__no_output_bias,
        ),
        Mistake(
            "no_transpose",
            "You multiply by the weights as they are stored. They have one row per output: use w1.T and w2.T.",
            _mlp_forward__no_transpose,
        ),
        Mistake(
            "relu_hidden",
            "Your hidden units are ReLUs. In this lesson they are sigmoids.",
            _mlp_forward__relu_hidden,
        ),
        Mistake(
            "no_cache",
            "You return out alone. Return two things, out and a cache: return out, (x, h, out, w2).",
            _mlp_forward__no_cache,
        ),
        Mistake("cache_out_of_order", _CACHE, _mlp_forward__cache_out_of_order),
        Mistake(
            "not_unpacked",
            "Something that holds several arrays is used as one array. affine_forward returns two things, out and a "
            "cache: write z1, _ = affine_forward(x, w1, b1).",
            _mlp_forward__not_unpacked,
        ),
        Mistake(
            "inputs_twice",
            "Your second layer takes the inputs x. It must take the hidden values h: h @ w2.T + b2.",
            _mlp_forward__inputs_twice,
        ),
    ),
    other_ways=(
        OtherWay("examples_as_columns", _mlp_forward__examples_as_columns),
        OtherWay("unit_by_unit", _mlp_forward__unit_by_unit),
        OtherWay("bias_as_weight", _mlp_forward__bias_as_weight),
    ),
)


def _count_parameters_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def sizes(layers: int, high: int = 60) -> list[int]:
        return [int(size) for size in rng.integers(2, high, layers)]

    if public:
        cases: dict[str, dict[str, Tree]] = {
            "10, 200, 100, 1": {"sizes": [10, 200, 100, 1], "bias": True},
            "the same without biases": {"sizes": [10, 200, 100, 1], "bias": False},
            "two layers": {"sizes": sizes(2), "bias": True},
            "bias not given": {"sizes": sizes(3)},
        }
    else:
        cases = {
            "four layers": {"sizes": sizes(4), "bias": True},
            "four layers without biases": {"sizes": sizes(4), "bias": False},
            "two layers": {"sizes": sizes(2), "bias": True},
            "two layers without biases": {"sizes": sizes(2), "bias": False},
            "seven layers": {"sizes": sizes(7), "bias": True},
            "one unit each": {"sizes": [1, 1, 1], "bias": True},
            "wide layers": {"sizes": sizes(3, 900), "bias": True},
            "bias not given": {"sizes": sizes(5)},
        }
    return tuple(_count_case(name, inputs) for name, inputs in cases.items())


def _count_case(name: str, inputs: dict[str, Tree]) -> Case:
    plain = call_case(name, "count_parameters", inputs)
    # A list can be emptied on the way, and `call_case` only watches arrays.
    untouched = Step("read", "sizes afterwards", "", (Handle("sizes"),), kind="convention")
    return Case(name, inputs, (*plain.steps, untouched))


def _count_parameters__never_biases(sizes, bias=True):
    return sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))


def _count_parameters__always_biases(sizes, bias=True):
    return sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))


def _count_parameters__biases_of_inputs(sizes, bias=True):
    weights = sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
    return weights + sum(sizes) if bias else weights


def _count_parameters__one_bias_per_layer(sizes, bias=True):
    weights = sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
    return weights + len(sizes) - 1 if bias else weights


def _count_parameters__no_output_biases(sizes, bias=True):
    weights = sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
    return weights + sum(sizes[1:-1]) if bias else weights


def _count_parameters__empties_the_list(sizes, bias=True):
    total = 0
    while len(sizes) > 1:
        units_in = sizes.pop(0)
        total += (units_in + (1 if bias else 0)) * sizes[0]
    return total


def _count_parameters__layer_by_layer_arrays(sizes, bias=True):
    total = 0
    for k in range(1, len(sizes)):
        total += np.empty((sizes[k], sizes[k - 1]), dtype=np.int8).size
        total += np.empty(sizes[k], dtype=np.int8).size if bias else 0
    return total


def _count_parameters__dot_product(sizes, bias=True):
    units = np.array(sizes)
    return int(units[:-1] @ units[1:] + bias * units[1:].sum())


def _count_parameters__recursion(sizes, bias=True):
    first = sizes[1] * (sizes[0] + int(bias))
    return first if len(sizes) == 2 else first + count_parameters(sizes[1:], bias)


COUNT_PARAMETERS = Exercise(
    id="count_parameters",
    topic="mlp",
    points=2,
    cases=_count_parameters_cases,
    mistakes=(
        Mistake(
            "never_biases",
            "You count the weights only. With bias=True every unit after the input has one bias more.",
            _count_parameters__never_biases,
        ),
        Mistake(
            "always_biases",
            "You count biases even when bias=False. Look at the argument bias.",
            _count_parameters__always_biases,
        ),
        Mistake(
            "biases_of_inputs",
            "You count a bias for the inputs too. Inputs compute nothing: only the layers after them have biases.",
            _count_parameters__biases_of_inputs,
        ),
        Mistake(
            "one_bias_per_layer",
            "You count one bias per layer. Every unit of a layer has a bias of its own.",
            _count_parameters__one_bias_per_layer,
        ),
        Mistake(
            "no_output_biases",
            "The biases of the output layer are missing. Output units have biases like hidden ones.",
            _count_parameters__no_output_biases,
        ),
        Mistake(
            "empties_the_list",
            "Your number is right, but the list sizes is changed on the way. Read from it without pop.",
            _count_parameters__empties_the_list,
        ),
    ),
    other_ways=(
        OtherWay("layer_by_layer_arrays", _count_parameters__layer_by_layer_arrays),
        OtherWay("dot_product", _count_parameters__dot_product),
        OtherWay("recursion", _count_parameters__recursion),
    ),
)

EXERCISES = (MLP_FORWARD, COUNT_PARAMETERS)
