"""From a wrong gradient to the sentence that says how it is wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

from course_lib.gradfaults import Measured, find_fault

N, D, M = 5, 4, 4
RNG = np.random.default_rng(0)
X, DOUT = RNG.normal(size=(N, D)), RNG.normal(size=(N, M))
RIGHT = DOUT.T @ X


def measure(parts, shape, plain=None, out_shape=(N, M), places=None):
    """What differences would say: the contribution of each example, (N, *shape)."""
    size = int(np.prod(shape))
    places = np.arange(size) if places is None else places
    parts = parts.reshape(len(parts), size).T[places]
    return Measured(shape, places, parts, np.zeros(len(places)) if plain is None else plain[places], out_shape, 1e-6)


WEIGHTS = measure(np.einsum("nm,nd->nmd", DOUT, X), (M, D), (np.ones((M, N)) @ X).ravel())
BIAS = measure(DOUT, (M,))


def only(index, value):
    """The right gradient with one part of it replaced."""
    wrong = RIGHT.copy()
    wrong[index] = value
    return wrong


@pytest.mark.parametrize(
    ("gradient", "kind", "words"),
    [
        (None, "no array", "of type NoneType"),
        ("nothing", "no array", "of type str"),
        (RIGHT + 1j, "no array", "array of complex128"),
        (RIGHT[:2], "shape", r"shape \(2, 4\); expected \(4, 4\)"),
        (RIGHT.ravel(), "shape", "the numbers are right"),
        (only((0, 0), np.nan), "not finite", "NaN"),
        (0 * RIGHT, "zero", "zero everywhere"),
        (-RIGHT, "sign", "the sign is wrong"),
        (N * RIGHT, "batch factor", "5 times too large, and 5 is the batch size"),
        (RIGHT / N, "batch factor", "5 times too small, and 5 is the batch size"),
        (-N * RIGHT, "batch factor", "The sign is wrong too"),
        (RIGHT / M, "ratio", "it is 0.25 times what it should be, everywhere; axis 1 of the output has size 4"),
        (-2 * RIGHT, "ratio", "it is -2 times"),
        (np.ones((M, N)) @ X, "upstream ignored", "Multiply by `dout`"),
        (np.outer(DOUT[-1], X[-1]), "one example", "only example 4 of 5 counts"),
        (RIGHT.T, "transposed", "it is transposed"),
        (RIGHT + 3, "offset", "too large by the same 3 everywhere"),
        (only((1, 2), 0), "some entries", "1 of 16 entries are zero and should not be; at index \\[1, 2\\]"),
        (only((slice(None), 2), 7), "some entries", "only index 2 on axis 1 is wrong"),
        (only(([0, 1, 3], [1, 2, 0]), 7), "some entries", "3 of 16 entries differ"),
        (X[:4] * 3 + RIGHT**2, "values", "16 of 16 entries differ; at index"),
    ],
)
def test_weight_gradient_faults(gradient, kind, words):
    """Each way to be wrong is told apart from the others, with the numbers that matter."""
    fault = find_fault(gradient, WEIGHTS)
    assert fault.kind == kind
    assert re.search(words, fault.says), fault.says


def test_right_gradients_have_no_fault():
    """Arrays, and numbers for inputs without axes."""
    assert find_fault(RIGHT, WEIGHTS) is None
    assert find_fault(RIGHT * (1 + 1e-9), WEIGHTS) is None
    assert find_fault(3.0, measure(np.array([[3.0]]), (), out_shape=())) is None


def test_gradients_that_are_not_summed_are_recognised():
    """Over the batch, and over an axis along which the input was stretched."""
    fault = find_fault(DOUT, BIAS)
    assert fault.kind == "not summed" and "not summed over axis 0" in fault.says
    column = measure(RNG.normal(size=(N, 3, 1)), (3, 1))
    spread = np.repeat(column.wanted.reshape(3, 1) / 4, 4, axis=1)
    assert find_fault(spread, column).kind == "not summed"
    assert find_fault(np.stack([spread] * 2) / 2, column).kind == "not summed"


def test_transposed_shapes_are_recognised():
    """A gradient of shape (D, M) for weights (M, D)."""
    wide = measure(RNG.normal(size=(N, 2, 3)), (2, 3))
    assert find_fault(wide.wanted.reshape(2, 3).T, wide).kind == "transposed"


def test_flipped_filters_are_recognised():
    """Convolution where cross-correlation was due."""
    filters = measure(RNG.normal(size=(N, 2, 3, 3)), (2, 3, 3))
    assert find_fault(filters.wanted.reshape(2, 3, 3)[:, ::-1, ::-1], filters).kind == "flipped"


def test_missing_masks_are_recognised():
    """Entries that should be zero and are not."""
    parts = DOUT * (X > 0)
    masked = measure(np.eye(N)[:, :, None] * parts[:, None], (N, D))
    fault = find_fault(DOUT, masked)
    assert fault.kind == "some entries" and "should be zero" in fault.says and "mask" in fault.says


def test_a_sample_of_entries_is_enough():
    """Faults are found from the measured entries alone, and entries not measured are not judged."""
    some = np.array([1, 3, 6, 8, 14])
    sampled = measure(np.einsum("nm,nd->nmd", DOUT, X), (M, D), (np.ones((M, N)) @ X).ravel(), places=some)
    for gradient, kind in ((-RIGHT, "sign"), (RIGHT.T, "transposed"), (N * RIGHT, "batch factor")):
        assert find_fault(gradient, sampled).kind == kind
    assert find_fault(only((0, 0), 99.0), sampled) is None


def test_no_batch_factor_without_a_batch():
    """With one example a right gradient is not "one example of 1", and a factor of one is no factor."""
    alone = measure(RNG.normal(size=(1, 3)), (3,), out_shape=(1, 3))
    assert find_fault(alone.wanted, alone) is None
    assert find_fault(2 * alone.wanted, alone).kind == "ratio"


def test_where_everything_should_be_zero():
    """A gradient that should vanish and does not is a mask that is missing, not a ratio."""
    zero = measure(np.zeros((N, 3)), (3,))
    assert find_fault(np.zeros(3), zero) is None
    assert "should be zero" in find_fault(np.array([1.0, 2.0, 4.0]), zero).says
