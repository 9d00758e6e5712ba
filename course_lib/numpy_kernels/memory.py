"""What a step of training keeps in memory."""

from __future__ import annotations

from collections.abc import Sequence

from course_lib.numpy_kernels.mlp import count_parameters
from course_lib.validate import check_count


def memory_needed(sizes: Sequence[int], batch: int, moments: int = 0, bytes_each: int = 4) -> tuple[int, int, int, int]:
    """Bytes that one training step of a dense network keeps: parameters, gradients, optimiser, activations.

    With P weights and biases: P, P, ``moments * P`` and ``batch * sum(sizes)`` numbers of `bytes_each` bytes.
    One number is kept per unit and example in every layer, input and output included: activation functions
    work in place.

    Args:
        sizes: units per layer, from the input to the output; at least two layers.
        batch: examples per step.
        moments: arrays per parameter in the optimiser: 0 for SGD, 1 with momentum, 2 for Adam.
        bytes_each: bytes per number, 4 in float32.

    Returns:
        The bytes of the parameters, the gradients, the optimiser's arrays and the stored activations.

    Raises:
        TypeError: an argument is no integer, or `sizes` no sequence of integers.
        ValueError: an argument is too small, or there are fewer than two layers.

    Source: counting; the activations of a whole batch wait for the backward pass.

    >>> memory_needed([10, 200, 100, 1], batch=32, moments=2)
    (89604, 89604, 179208, 39808)
    """
    parameters = count_parameters(sizes)
    batch, moments = check_count("batch", batch, least=1), check_count("moments", moments, least=0)
    bytes_each = check_count("bytes_each", bytes_each, least=1)
    numbers = parameters, parameters, moments * parameters, batch * sum(int(size) for size in sizes)
    weights, gradients, optimiser, activations = (bytes_each * number for number in numbers)
    return weights, gradients, optimiser, activations
