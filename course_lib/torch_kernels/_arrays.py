"""The bridge between NumPy arrays and the Torch counterparts, for whoever has arrays and wants a second opinion."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import torch


def to_tensors(tree: Any) -> Any:
    """Every array of a tree as a tensor of the same dtype, copied; generators as Torch's; everything else as it is.

    >>> to_tensors([np.zeros(2), 1])
    [tensor([0., 0.], dtype=torch.float64), 1]
    """
    tensors = _replace(tree, np.ndarray, lambda array: torch.from_numpy(np.array(array, order="C")))
    return _replace(tensors, np.random.Generator, _twin)


def _twin(rng: np.random.Generator) -> torch.Generator:
    # The seed is drawn, so that a generator that is used again gives other numbers.
    return torch.Generator().manual_seed(int(rng.integers(1 << 62)))


def to_arrays(tree: Any) -> Any:
    """Every tensor of a tree as an array on the CPU; everything else as it is.

    >>> to_arrays((torch.zeros(2), 1))
    (array([0., 0.], dtype=float32), 1)
    """
    return _replace(tree, torch.Tensor, lambda tensor: tensor.detach().cpu().numpy())


def on_arrays(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel, taking and returning NumPy arrays.

    >>> on_arrays(torch.sigmoid)(np.zeros(2))
    array([0.5, 0.5])
    """

    @wraps(kernel)
    def call(*args: Any, **kwargs: Any) -> Any:
        return to_arrays(kernel(*to_tensors(args), **to_tensors(kwargs)))

    return call


def _replace(tree: Any, kind: type, convert: Callable[[Any], Any]) -> Any:
    if isinstance(tree, kind):
        return convert(tree)
    if isinstance(tree, (list, tuple)):
        return type(tree)(_replace(item, kind, convert) for item in tree)
    if isinstance(tree, dict):
        return {key: _replace(item, kind, convert) for key, item in tree.items()}
    return tree
