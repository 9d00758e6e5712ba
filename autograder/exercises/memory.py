"""Exercise on what a training step keeps in memory."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Tree


def _memory_needed_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def sizes(layers: int, high: int = 60) -> list[int]:
        return [int(size) for size in rng.integers(2, high, layers)]

    batch = int(rng.integers(2, 100))
    cases: dict[str, dict[str, Tree]] = {
        "SGD": {"sizes": sizes(3), "batch": batch, "moments": 0, "bytes_each": 4},
        "momentum": {"sizes": sizes(3), "batch": batch + 1, "moments": 1, "bytes_each": 4},
        "Adam": {"sizes": sizes(4), "batch": batch + 2, "moments": 2, "bytes_each": 4},
        "float64": {"sizes": sizes(2), "batch": batch + 3, "moments": 2, "bytes_each": 8},
        "moments and bytes not given": {"sizes": sizes(3), "batch": batch + 4},
    }
    if public:
        example = {"sizes": [10, 200, 100, 1], "batch": 32, "moments": 2, "bytes_each": 4}
        cases = {"10, 200, 100, 1 with Adam": example} | cases
    else:
        cases |= {
            "batch of one": {"sizes": sizes(3), "batch": 1, "moments": 1, "bytes_each": 4},
            "one unit each": {"sizes": [1, 1, 1], "batch": 3, "moments": 2, "bytes_each": 4},
            "half precision": {"sizes": sizes(6), "batch": 64, "moments": 2, "bytes_each": 2},
            "wide layers": {"sizes": sizes(3, 5000), "batch": 256, "moments": 2, "bytes_each": 4},
        }
    return tuple(_one_case(name, inputs) for name, inputs in cases.items())


def _one_case(name: str, inputs: dict[str, Tree]) -> Case:
    plain = call_case(name, "memory_needed", inputs)
    untouched = Step("read", "sizes afterwards", "", (Handle("sizes"),), kind="convention")
    return Case(name, inputs, (*plain.steps, untouched))


def _memory_needed__no_biases(sizes, batch, moments=0, bytes_each=4):
    p = sum(a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return p, p, moments * p, batch * sum(sizes) * bytes_each


def _memory_needed__one_example(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return p, p, moments * p, sum(sizes) * bytes_each


def _memory_needed__gradients_per_example(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return p, batch * p, moments * p, batch * sum(sizes) * bytes_each


def _memory_needed__no_input(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return p, p, moments * p, batch * sum(sizes[1:]) * bytes_each


def _memory_needed__hidden_only(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return p, p, moments * p, batch * sum(sizes[1:-1]) * bytes_each


def _memory_needed__gradients_in_optimiser(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * bytes_each
    return p, p, (moments + 1) * p, batch * sum(sizes) * bytes_each


def _memory_needed__numbers(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
    return p, p, moments * p, batch * sum(sizes)


def _memory_needed__always_four_bytes(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)) * 4
    return p, p, moments * p, batch * sum(sizes) * 4


def _memory_needed__total(sizes, batch, moments=0, bytes_each=4):
    p = sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:], strict=True))
    return ((2 + moments) * p + batch * sum(sizes)) * bytes_each


def _memory_needed__layer_by_layer(sizes, batch, moments=0, bytes_each=4):
    parameters, activations = 0, batch * sizes[0]
    for units_in, units_out in zip(sizes[:-1], sizes[1:], strict=True):
        parameters += units_out * units_in + units_out
        activations += batch * units_out
    return tuple(bytes_each * count for count in (parameters, parameters, moments * parameters, activations))


def _memory_needed__dot_product(sizes, batch, moments=0, bytes_each=4):
    units = np.array(sizes, dtype=np.int64)
    p = units[:-1] @ units[1:] + units[1:].sum()
    return tuple(int(count) for count in np.array([p, p, moments * p, batch * units.sum()]) * bytes_each)


def _memory_needed__views_of_one_byte(sizes, batch, moments=0, bytes_each=4):
    byte = np.zeros((), dtype=f"V{bytes_each}")
    arrays = [np.broadcast_to(byte, shape) for a, b in zip(sizes, sizes[1:], strict=False) for shape in ((b, a), (b,))]
    kept = sum(np.broadcast_to(byte, (batch, size)).nbytes for size in sizes)
    parameters = sum(array.nbytes for array in arrays)
    return parameters, parameters, parameters * moments, kept


MEMORY_NEEDED = Exercise(
    id="memory_needed",
    topic="memory",
    points=2,
    cases=_memory_needed_cases,
    mistakes=(
        Mistake(
            "no_biases",
            "You count the weights only. Biases are parameters too: each has a gradient and a place in the optimiser.",
            _memory_needed__no_biases,
        ),
        Mistake(
            "one_example",
            "You keep the activations of one example. Every example of the batch waits for the backward pass: "
            "multiply by batch.",
            _memory_needed__one_example,
        ),
        Mistake(
            "gradients_per_example",
            "You keep the gradients of each example. They are summed over the batch on the way: one number per "
            "parameter, whatever the batch.",
            _memory_needed__gradients_per_example,
        ),
        Mistake(
            "no_input",
            "The inputs are missing among the stored activations. The first layer needs them for the gradient of its "
            "weights.",
            _memory_needed__no_input,
        ),
        Mistake(
            "hidden_only",
            "You store the hidden layers only. The input and the output of the network count too: sum all of sizes.",
            _memory_needed__hidden_only,
        ),
        Mistake(
            "gradients_in_optimiser",
            "You count the gradients twice. The optimiser keeps moments arrays per parameter beside the gradient: "
            "none for SGD, two for Adam.",
            _memory_needed__gradients_in_optimiser,
        ),
        Mistake(
            "numbers",
            "You return how many numbers there are. Multiply by bytes_each.",
            _memory_needed__numbers,
        ),
        Mistake(
            "always_four_bytes",
            "You count 4 bytes per number, whatever was asked. Use the argument bytes_each.",
            _memory_needed__always_four_bytes,
        ),
        Mistake(
            "total",
            "You return one sum. Return its four parts: parameters, gradients, optimiser, activations.",
            _memory_needed__total,
        ),
    ),
    other_ways=(
        OtherWay("layer_by_layer", _memory_needed__layer_by_layer),
        OtherWay("dot_product", _memory_needed__dot_product),
        OtherWay("views_of_one_byte", _memory_needed__views_of_one_byte),
    ),
)

EXERCISES = (MEMORY_NEEDED,)
