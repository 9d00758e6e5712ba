"""Exercise on AlexNet, layer by layer (topic `architecture`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Tree

_ALEXNET = [
    ("conv1", "conv", 96, 11, 4, 0), ("pool1", "pool", 3, 2),
    ("conv2", "conv", 256, 5, 1, 2), ("pool2", "pool", 3, 2),
    ("conv3", "conv", 384, 3, 1, 1), ("conv4", "conv", 384, 3, 1, 1),
    ("conv5", "conv", 256, 3, 1, 1), ("pool3", "pool", 3, 2),
    ("fc1", "dense", 4096), ("fc2", "dense", 4096), ("fc3", "dense", 1000),
]  # fmt: skip


def _alexnet_table_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def size(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    rows: dict[str, dict[str, Tree]] = {
        "conv, pool, dense": {
            # Pooling leaves one row and one column over behind the last window.
            "layers": [("a", "conv", size(6, 12), 3, 1, 1), ("b", "pool", 3, 2), ("answer", "dense", size(2, 9))],
            "shape": (size(2, 5), 2 * size(5, 9), 2 * size(10, 14)),
        },
        "a stride and a rest": {
            "layers": [("a", "conv", size(4, 9), 4, 3, 0), ("b", "conv", size(10, 15), 2, 1, 1)],
            "shape": (3, 15, 21),
        },
        "dense layers only": {
            "layers": [("hidden", "dense", size(20, 40)), ("answer", "dense", size(2, 9))],
            "shape": (1, size(4, 7), size(8, 12)),
        },
    }
    if public:
        rows["AlexNet"] = {"layers": list(_ALEXNET)}
    else:
        rows["AlexNet for fewer classes"] = {"layers": [*_ALEXNET[:-1], ("fc3", "dense", size(50, 99))]}
        rows["pools in a row"] = {
            "layers": [("p1", "pool", 2, 2), ("p2", "pool", 3, 1), ("c", "conv", size(2, 5), 1, 1, 0)],
            "shape": (2, size(10, 14), size(15, 20)),
        }
    return tuple(_table_case(name, inputs) for name, inputs in rows.items())


def _table_case(name: str, inputs: dict[str, Tree]) -> Case:
    plain = call_case(name, "alexnet_table", inputs)
    # A list can be emptied on the way, and `call_case` only watches arrays.
    untouched = Step("read", "layers afterwards", "", (Handle("layers"),), kind="convention")
    return Case(name, inputs, (*plain.steps, untouched))


def _alexnet_table__channels_kept(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * (inputs + 1)
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * (shape[0] * kernel**2 + 1)
            shape = (shape[0], *((size + 2 * padding - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__no_biases(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * inputs
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * shape[0] * kernel**2
            shape = (filters, *((size + 2 * padding - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__no_dense_biases(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * inputs
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * (shape[0] * kernel**2 + 1)
            shape = (filters, *((size + 2 * padding - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__no_padding(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * (inputs + 1)
        elif kind == "conv":
            filters, kernel, stride, _padding = numbers
            parameters = filters * (shape[0] * kernel**2 + 1)
            shape = (filters, *((size - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__rounds_up(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * (inputs + 1)
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * (shape[0] * kernel**2 + 1)
            shape = (filters, *(-(-(size + 2 * padding - kernel) // stride) + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *(-(-(size - kernel) // stride) + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__pools_learn(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * (inputs + 1)
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * (shape[0] * kernel**2 + 1)
            shape = (filters, *((size + 2 * padding - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            parameters = shape[0] * (kernel**2 + 1)
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__channels_into_dense(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = shape[0], 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * (inputs + 1)
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * (shape[0] * kernel**2 + 1)
            shape = (filters, *((size + 2 * padding - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__one_channel_filters(layers, shape=(3, 227, 227)):
    rows = []
    for name, kind, *numbers in layers:
        inputs, parameters = int(np.prod(shape)), 0
        if kind == "dense":
            shape, parameters = (numbers[0],), numbers[0] * (inputs + 1)
        elif kind == "conv":
            filters, kernel, stride, padding = numbers
            parameters = filters * (kernel**2 + 1)
            shape = (filters, *((size + 2 * padding - kernel) // stride + 1 for size in shape[1:]))
        else:
            kernel, stride = numbers
            shape = (shape[0], *((size - kernel) // stride + 1 for size in shape[1:]))
        rows.append((name, tuple(shape), parameters))
    return rows


def _alexnet_table__recursion(layers, shape=(3, 227, 227)):
    def rows_of(layers, shape):
        if not layers:
            return []
        (name, kind, *numbers), *others = layers
        if kind == "dense":
            inside, parameters = (numbers[0],), (np.empty(shape, np.int8).size + 1) * numbers[0]
        else:
            kernel, stride, padding = numbers[1:] if kind == "conv" else (*numbers, 0)
            places = [len(range(0, size + 2 * padding - kernel + 1, stride)) for size in shape[1:]]
            inside = (numbers[0] if kind == "conv" else shape[0], *places)
            parameters = numbers[0] * (shape[0] * kernel * kernel + 1) if kind == "conv" else 0
        return [(name, inside, parameters), *rows_of(others, inside)]

    return rows_of(layers, shape)


def _alexnet_table__dense_as_convolution(layers, shape=(3, 227, 227)):
    rows, (c, h, w) = [], shape
    for name, kind, *numbers in layers:
        if kind == "dense":
            parameters = numbers[0] * c * h * w + numbers[0]
            c, h, w = numbers[0], 1, 1
            rows.append([name, [c], parameters])
            continue
        k, s, p = numbers[-3:] if kind == "conv" else (*numbers, 0)
        parameters = numbers[0] * c * k * k + numbers[0] if kind == "conv" else 0
        c = numbers[0] if kind == "conv" else c
        h, w = (h + 2 * p - k + s) // s, (w + 2 * p - k + s) // s
        rows.append([name, [c, h, w], parameters])
    return rows


ALEXNET_TABLE = Exercise(
    id="alexnet_table",
    topic="architecture",
    points=3,
    cases=_alexnet_table_cases,
    mistakes=(
        Mistake(
            "channels_kept",
            "Your convolutions keep the channels of their input. A convolution makes one channel per filter.",
            _alexnet_table__channels_kept,
        ),
        Mistake(
            "no_biases",
            "The biases are missing: one per filter of a convolution, one per unit of a dense layer.",
            _alexnet_table__no_biases,
        ),
        Mistake(
            "no_dense_biases",
            "Your convolutions have biases, your dense layers have none. Every unit of a dense layer has one too: "
            "units * (inputs + 1).",
            _alexnet_table__no_dense_biases,
        ),
        Mistake(
            "no_padding",
            "The padding is missing. Convolutions slide over size + 2 * padding rows and columns.",
            _alexnet_table__no_padding,
        ),
        Mistake(
            "rounds_up",
            "You round up. A window that does not fit completely is left out: use conv_output_size.",
            _alexnet_table__rounds_up,
        ),
        Mistake(
            "pools_learn",
            "Your pooling layers have parameters. Taking the largest number needs none: 0.",
            _alexnet_table__pools_learn,
        ),
        Mistake(
            "channels_into_dense",
            "Your first dense layer takes in one number per channel. It takes in all of them: channels * height * "
            "width.",
            _alexnet_table__channels_into_dense,
        ),
        Mistake(
            "one_channel_filters",
            "Your filters see one channel. A filter reaches through all channels that come in.",
            _alexnet_table__one_channel_filters,
        ),
    ),
    other_ways=(
        OtherWay("recursion", _alexnet_table__recursion),
        OtherWay("dense_as_convolution", _alexnet_table__dense_as_convolution),
    ),
)

EXERCISES = (ALEXNET_TABLE,)
