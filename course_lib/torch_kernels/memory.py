"""What a step of training keeps in memory, counted on real layers; as in `course_lib.numpy_kernels.memory`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from course_lib.validate import check_count, check_sizes


def memory_needed(sizes: Sequence[int], batch: int, moments: int = 0, bytes_each: int = 4) -> tuple[int, int, int, int]:
    """Bytes that one training step of a dense network keeps, counted on a step that takes no memory.

    Args:
        sizes: units per layer, from the input to the output; at least two layers.
        batch: examples per step.
        moments: arrays per parameter in the optimiser: 0 for SGD, 1 with momentum, 2 for Adam.
        bytes_each: bytes per number, 4 in float32.

    Returns:
        The bytes of the parameters, the gradients, the optimiser's arrays and the stored activations.

    >>> memory_needed([10, 200, 100, 1], batch=32, moments=2)
    (89604, 89604, 179208, 39808)
    """
    units = check_sizes(sizes, True)
    batch, moments = check_count("batch", batch, least=1), check_count("moments", moments, least=0)
    bytes_each = check_count("bytes_each", bytes_each, least=1)
    layers = [nn.Linear(inputs, outputs, device="meta") for inputs, outputs in pairwise(units)]
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    kept = [torch.empty(batch, units[0], device="meta")]
    with torch.enable_grad():
        for layer in layers:
            kept.append(layer(kept[-1]))
        gradients = torch.autograd.grad(kept[-1].sum(), parameters)
    state = [torch.zeros_like(parameter) for parameter in parameters for _ in range(moments)]
    weights, slopes, optimiser, activations = (
        bytes_each * _numbers(tensors) for tensors in (parameters, gradients, state, kept)
    )
    return weights, slopes, optimiser, activations


def _numbers(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)
