"""Exercises on first weights, which are judged by their statistics."""

# ruff: noqa: NPY002 - one mistake is to draw from the global generator.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Step, call_case
from course_lib.properties.initialisation import glorot_statistics, kaiming_statistics
from course_lib.tree import Handle, Rng

# Sizes are chosen so that each formula, right or wrong, reaches far into a step of its own of the judge's scale.
_KAIMING_SHAPES = {
    True: {"many units": (1000, 10), "many inputs": (20, 300), "a convolution": (1000, 3, 2, 2)},
    False: {
        "many units": (1200, 14),
        "many inputs": (16, 400),
        "a convolution": (1000, 2, 3, 3),
        "a convolution over words": (1000, 4, 3),
    },
}
_GLOROT_SHAPES = {
    True: {"more inputs": (40, 90), "more outputs": (150, 30), "a convolution": (25, 10, 3, 3)},
    False: {
        "more inputs": (30, 110),
        "more outputs": (160, 20),
        "a convolution": (12, 16, 5, 3),
        "a convolution over words": (50, 12, 4),
    },
}


def _kaiming_uniform_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _drawn_cases(rng, "kaiming_uniform", _KAIMING_SHAPES[public], (4, 3) if public else (2, 5))


def _glorot_uniform_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _drawn_cases(rng, "glorot_uniform", _GLOROT_SHAPES[public], (4, 3) if public else (2, 5))


def _drawn_cases(
    rng: np.random.Generator, function: str, shapes: dict[str, tuple[int, ...]], small: tuple[int, ...]
) -> tuple[Case, ...]:
    """Layers large enough for statistics, the smallest layer, and one that is drawn four times."""
    shapes = shapes | {"one unit, one input": (1, 1)}
    inputs = [(name, {"shape": shape, "rng": _seed(rng)}) for name, shape in shapes.items()]
    return (*(call_case(name, function, given) for name, given in inputs), _generator_case(rng, function, small))


def _seed(rng: np.random.Generator) -> Rng:
    return Rng(int(rng.integers(1 << 31)))


def _generator_case(rng: np.random.Generator, function: str, shape: tuple[int, ...]) -> Case:
    """The generator alone decides: the same seed, the same numbers; and a generator never gives them twice."""
    seed = _seed(rng)
    # In a tuple a generator is made once, and the second call goes on where the first one stopped.
    inputs = {"shape": shape, "one": (seed,), "again": seed, "other": Rng(seed.seed + 1)}
    calls = {
        "result": Handle("one", 0),
        "the next call": Handle("one", 0),
        "the same seed": Handle("again"),
        "another seed": Handle("other"),
    }
    steps = [Step("call", name, function, (Handle("shape"), given)) for name, given in calls.items()]
    reads = [Step("read", name, "", (Handle(name),)) for name in calls]
    return Case("drawn again", inputs, (*steps, *reads))


def _kaiming_uniform__fan_out(shape, rng):
    n_in = shape[0]
    return np.sqrt(6 / n_in) * rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__window_forgotten(shape, rng):
    n_in = shape[1]
    return np.sqrt(6 / n_in) * rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__normal(shape, rng):
    n_in = np.prod(shape[1:])
    return rng.normal(0, np.sqrt(2 / n_in), shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__std_as_limit(shape, rng):
    n_in = np.prod(shape[1:])
    return np.sqrt(2 / n_in) * rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__no_gain(shape, rng):
    n_in = np.prod(shape[1:])
    return np.sqrt(3 / n_in) * rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__no_root(shape, rng):
    n_in = np.prod(shape[1:])
    return 6 / n_in * rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__one_sided(shape, rng):
    n_in = np.prod(shape[1:])
    return np.sqrt(6 / n_in) * rng.random(shape), rng.random(shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__biases_like_weights(shape, rng):
    limit = np.sqrt(6 / np.prod(shape[1:]))
    return rng.uniform(-limit, limit, shape), rng.uniform(-limit, limit, shape[0])


def _kaiming_uniform__zero_biases(shape, rng):
    n_in = np.prod(shape[1:])
    return np.sqrt(6 / n_in) * rng.uniform(-1, 1, shape), np.zeros(shape[0])


def _kaiming_uniform__global_generator(shape, rng):
    n_in = np.prod(shape[1:])
    return np.sqrt(6 / n_in) * np.random.uniform(-1, 1, shape), np.random.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__own_seed(shape, rng):
    rng, n_in = np.random.default_rng(0), np.prod(shape[1:])
    return np.sqrt(6 / n_in) * rng.uniform(-1, 1, shape), rng.uniform(-1, 1, shape[0]) / np.sqrt(n_in)


def _kaiming_uniform__unit_by_unit(shape, rng):
    n_in = 1
    for size in shape[1:]:
        n_in *= size
    limit = (6 / n_in) ** 0.5
    w = np.stack([rng.uniform(-limit, limit, shape[1:]) for _ in range(shape[0])])
    b = np.array([(2 * rng.random() - 1) * n_in**-0.5 for _ in range(shape[0])])
    return w, b


def _kaiming_uniform__points_on_a_sphere(shape, rng):
    # The height of an even point on a sphere is even too (Archimedes).
    points = rng.standard_normal((*shape, 3))
    w = points[..., 0] / np.sqrt((points**2).sum(axis=-1))
    n_in = w[0].size
    return w * np.sqrt(3) * np.sqrt(2 / n_in), (rng.random(shape[0]) - rng.integers(0, 2, shape[0])) / n_in**0.5


KAIMING_UNIFORM = Exercise(
    id="kaiming_uniform",
    topic="initialisation",
    points=3,
    cases=_kaiming_uniform_cases,
    prepare=kaiming_statistics,
    mistakes=(
        Mistake(
            "fan_out",
            "You divide by the number of outputs. What counts is how many inputs one unit adds up: shape[1] of a dense "
            "layer.",
            _kaiming_uniform__fan_out,
        ),
        Mistake(
            "window_forgotten",
            "Dense layers are right. One output of a convolution adds up C * kh * kw inputs: multiply all entries of "
            "shape[1:].",
            _kaiming_uniform__window_forgotten,
        ),
        Mistake(
            "normal",
            "Your weights have the right spread, but they are normal. Kaiming-uniform draws them evenly between "
            "-limit and limit: rng.uniform.",
            _kaiming_uniform__normal,
        ),
        Mistake(
            "std_as_limit",
            "You use the standard deviation sqrt(2 / n_in) as the limit. An even draw up to the limit has the "
            "standard deviation limit / sqrt(3): take sqrt(6 / n_in).",
            _kaiming_uniform__std_as_limit,
        ),
        Mistake(
            "no_gain",
            "Your weights would keep the spread without a ReLU. The ReLU halves the mean square: put 6 in place of 3 "
            "under the root.",
            _kaiming_uniform__no_gain,
        ),
        Mistake(
            "no_root",
            "The root is missing. 6 / n_in is the square of the limit: take np.sqrt of it.",
            _kaiming_uniform__no_root,
        ),
        Mistake(
            "one_sided",
            "All your numbers are positive: rng.random draws from 0 to 1. Draw from -1 to 1: 2 * rng.random(...) - 1, "
            "or rng.uniform(-1, 1, ...).",
            _kaiming_uniform__one_sided,
        ),
        Mistake(
            "biases_like_weights",
            "The biases have the limit of the weights. Theirs is 1 / sqrt(n_in).",
            _kaiming_uniform__biases_like_weights,
        ),
        Mistake(
            "zero_biases",
            "Your biases are all zero. Here they are drawn too, evenly between -1 / sqrt(n_in) and 1 / sqrt(n_in).",
            _kaiming_uniform__zero_biases,
        ),
        Mistake(
            "global_generator",
            "You draw from np.random, and nobody can repeat that. Draw from the generator that comes in: rng.uniform.",
            _kaiming_uniform__global_generator,
        ),
        Mistake(
            "own_seed",
            "You make a generator of your own, so every layer gets the same numbers. Draw from the generator that "
            "comes in: rng.uniform.",
            _kaiming_uniform__own_seed,
        ),
    ),
    other_ways=(
        OtherWay("unit_by_unit", _kaiming_uniform__unit_by_unit),
        OtherWay("points_on_a_sphere", _kaiming_uniform__points_on_a_sphere),
    ),
)


def _glorot_uniform__inputs_only(shape, rng):
    return np.sqrt(6 / np.prod(shape[1:])) * rng.uniform(-1, 1, shape)


def _glorot_uniform__outputs_only(shape, rng):
    return np.sqrt(6 / (shape[0] * np.prod(shape[2:]))) * rng.uniform(-1, 1, shape)


def _glorot_uniform__window_forgotten(shape, rng):
    return np.sqrt(6 / (shape[0] + shape[1])) * rng.uniform(-1, 1, shape)


def _glorot_uniform__window_once(shape, rng):
    return np.sqrt(6 / (np.prod(shape[1:]) + shape[0])) * rng.uniform(-1, 1, shape)


def _glorot_uniform__normal(shape, rng):
    window = np.prod(shape[2:])
    return rng.normal(0, np.sqrt(2 / ((shape[0] + shape[1]) * window)), shape)


def _glorot_uniform__std_as_limit(shape, rng):
    window = np.prod(shape[2:])
    return np.sqrt(2 / ((shape[0] + shape[1]) * window)) * rng.uniform(-1, 1, shape)


def _glorot_uniform__mean_forgotten(shape, rng):
    window = np.prod(shape[2:])
    return np.sqrt(3 / ((shape[0] + shape[1]) * window)) * rng.uniform(-1, 1, shape)


def _glorot_uniform__no_root(shape, rng):
    window = np.prod(shape[2:])
    return 6 / ((shape[0] + shape[1]) * window) * rng.uniform(-1, 1, shape)


def _glorot_uniform__one_sided(shape, rng):
    window = np.prod(shape[2:])
    return np.sqrt(6 / ((shape[0] + shape[1]) * window)) * rng.random(shape)


def _glorot_uniform__global_generator(shape, rng):
    window = np.prod(shape[2:])
    return np.sqrt(6 / ((shape[0] + shape[1]) * window)) * np.random.uniform(-1, 1, shape)


def _glorot_uniform__own_seed(shape, rng):
    window = np.prod(shape[2:])
    return np.sqrt(6 / ((shape[0] + shape[1]) * window)) * np.random.default_rng(0).uniform(-1, 1, shape)


def _glorot_uniform__filter_by_filter(shape, rng):
    import math

    window = math.prod(shape[2:])
    limit = math.sqrt(6 / (shape[1] * window + shape[0] * window))
    return np.stack([rng.uniform(-limit, limit, shape[1:]) for _ in range(shape[0])])


def _glorot_uniform__sign_and_size(shape, rng):
    window = np.ones(shape[2:]).sum()
    mean_fan = (shape[0] + shape[1]) * window / 2
    return np.where(rng.integers(0, 2, shape) == 1, 1, -1) * rng.random(shape) * (3 / mean_fan) ** 0.5


GLOROT_UNIFORM = Exercise(
    id="glorot_uniform",
    topic="initialisation",
    points=2,
    cases=_glorot_uniform_cases,
    prepare=glorot_statistics,
    mistakes=(
        Mistake(
            "inputs_only",
            "You divide by the inputs alone, as Kaiming does. Glorot divides by n_in + n_out.",
            _glorot_uniform__inputs_only,
        ),
        Mistake(
            "outputs_only",
            "You divide by the outputs alone. Glorot divides by n_in + n_out.",
            _glorot_uniform__outputs_only,
        ),
        Mistake(
            "window_forgotten",
            "Dense layers are right. In a convolution both counts are multiplied by the window: n_in = C * kh * kw and "
            "n_out = K * kh * kw.",
            _glorot_uniform__window_forgotten,
        ),
        Mistake(
            "window_once",
            "The window of a convolution counts for the inputs only. One input also reaches K * kh * kw outputs: "
            "multiply both.",
            _glorot_uniform__window_once,
        ),
        Mistake(
            "normal",
            "Your weights have the right spread, but they are normal. Glorot-uniform draws them evenly between "
            "-limit and limit: rng.uniform.",
            _glorot_uniform__normal,
        ),
        Mistake(
            "std_as_limit",
            "You use the standard deviation sqrt(2 / (n_in + n_out)) as the limit. An even draw up to the limit has "
            "the standard deviation limit / sqrt(3): put 6 in place of 2.",
            _glorot_uniform__std_as_limit,
        ),
        Mistake(
            "mean_forgotten",
            "3 belongs to the mean of n_in and n_out. With their sum it is 6: sqrt(6 / (n_in + n_out)).",
            _glorot_uniform__mean_forgotten,
        ),
        Mistake(
            "no_root",
            "The root is missing. 6 / (n_in + n_out) is the square of the limit: take np.sqrt of it.",
            _glorot_uniform__no_root,
        ),
        Mistake(
            "one_sided",
            "All your numbers are positive: rng.random draws from 0 to 1. Draw from -1 to 1: 2 * rng.random(...) - 1, "
            "or rng.uniform(-1, 1, ...).",
            _glorot_uniform__one_sided,
        ),
        Mistake(
            "global_generator",
            "You draw from np.random, and nobody can repeat that. Draw from the generator that comes in: rng.uniform.",
            _glorot_uniform__global_generator,
        ),
        Mistake(
            "own_seed",
            "You make a generator of your own, so every layer gets the same numbers. Draw from the generator that "
            "comes in: rng.uniform.",
            _glorot_uniform__own_seed,
        ),
    ),
    other_ways=(
        OtherWay("filter_by_filter", _glorot_uniform__filter_by_filter),
        OtherWay("sign_and_size", _glorot_uniform__sign_and_size),
    ),
)

EXERCISES = (KAIMING_UNIFORM, GLOROT_UNIFORM)
