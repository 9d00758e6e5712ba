"""What the tests of the kernels share: NumPy against Torch on every device, and both against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from course_lib import numpy_kernels, torch_kernels
from course_lib.torch_kernels._arrays import to_arrays, to_tensors

# Relative to numbers around 1; what is summed over many of them says so where it is tested.
TOLERANCE = {"float16": 1e-2, "float32": 2e-5, "float64": 1e-11}

size = st.integers(1, 6)
seeds = st.integers(0, 999)
dtypes = st.sampled_from(["float32", "float64"])
each_device = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
each_library = pytest.mark.parametrize("kernels", [numpy_kernels, torch_kernels], ids=["numpy", "torch"])


def normal(seed: int, *shapes: tuple[int, ...], dtype: str = "float64") -> list[np.ndarray]:
    """Arrays of standard normal numbers, one per shape."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def zeros(kernels: Any, *shape: int, dtype: str = "float64") -> Any:
    """Zeros for NumPy or Torch kernels."""
    return np.zeros(shape, dtype) if kernels is numpy_kernels else torch.zeros(shape, dtype=getattr(torch, dtype))


def array(kernels: Any, values: Any, dtype: str = "float64") -> Any:
    """The numbers as an array for NumPy or Torch kernels."""
    return np.array(values, dtype) if kernels is numpy_kernels else torch.tensor(values, dtype=getattr(torch, dtype))


def on_device(tree: Any, device: str) -> Any:
    """Every array of a tree as a tensor on the device."""
    tensors = to_tensors(tree)
    return torch.utils._pytree.tree_map_only(torch.Tensor, lambda tensor: tensor.to(device), tensors)


def assert_close(got: Any, wanted: Any, factor: float = 1.0) -> None:
    """Both trees have the same arrays: structure, dtype, shape and numbers."""
    if wanted is None:
        assert got is None
        return
    if isinstance(wanted, (tuple, list)):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert_close(one, other, factor)
        return
    got, wanted = np.asarray(to_arrays(got)), np.asarray(to_arrays(wanted))
    assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
    tolerance = factor * TOLERANCE.get(str(got.dtype), 0)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


def assert_unchanged(now: Any, then: Any) -> None:
    """The arrays of both trees are the same to the last bit."""
    for one, other in zip(_arrays(now), _arrays(then), strict=True):
        np.testing.assert_array_equal(one, other)


def function_parity(name: str, *arguments: Any, device: str = "cpu", factor: float = 1.0, **options: Any) -> Any:
    """Call both kernels of a name on the same numbers; assert that they agree and leave the numbers alone."""
    before = _copy((arguments, options))
    ours = getattr(numpy_kernels, name)(*arguments, **options)
    theirs = getattr(torch_kernels, name)(*on_device(arguments, device), **on_device(options, device))
    assert_close(ours, theirs, factor)
    assert_unchanged((arguments, options), before)
    return ours


def layer_parity(
    layer: str, *arguments: Any, backward: str | None = None, device: str = "cpu", factor: float = 1.0, **options: Any
) -> tuple[Any, Any, np.ndarray]:
    """Forward and backward of both kernels on the same numbers, with a random upstream gradient, twice.

    Args:
        layer: the name before ``_forward`` and ``_backward``, or of the forward function.
        *arguments: for the forward pass.
        backward: the backward pass, where it has another name.
        device: where Torch computes.
        factor: widens the tolerance.
        **options: for the forward pass.

    Returns:
        What NumPy gave: all that forward returned but the cache, the gradients, and the upstream gradient.
    """
    forward = layer if callable(getattr(numpy_kernels, layer, None)) else f"{layer}_forward"
    backward = backward or f"{layer}_backward"
    before = _copy((arguments, options))
    out, cache, *more = getattr(numpy_kernels, forward)(*arguments, **options)
    theirs, their_cache, *their_more = getattr(torch_kernels, forward)(
        *on_device(arguments, device), **on_device(options, device)
    )
    assert_close([out, *more], [theirs, *their_more], factor)
    dout = np.asarray(np.random.default_rng(5).normal(size=np.shape(out)), dtype=out.dtype)
    kept = _copy(dout)
    ours = getattr(numpy_kernels, backward)(dout, cache)
    assert_close(ours, getattr(torch_kernels, backward)(on_device(dout, device), their_cache), factor)
    again = getattr(numpy_kernels, backward)(dout, cache)
    assert_unchanged(ours, again)
    assert_unchanged((arguments, options, dout), (*before, kept))
    return (out, *more) if more else out, ours, dout


def assert_slope(
    function: Callable[..., Any], arrays: list[np.ndarray], gradients: Any, dout: Any = 1.0, rel: float = 1e-6
) -> None:
    """Central differences of ``sum(dout * function(*arrays))`` along random directions agree with the gradients."""
    gradients = gradients if isinstance(gradients, (tuple, list)) else (gradients,)
    directions = normal(77, *(array.shape for array in arrays))
    step = 1e-6
    for i, (gradient, direction) in enumerate(zip(gradients, directions, strict=True)):

        def moved(sign: int, i: int = i, direction: np.ndarray = direction) -> float:
            there = [array + sign * step * direction if k == i else array for k, array in enumerate(arrays)]
            return float(np.sum(dout * np.asarray(function(*there))))

        slope = (moved(1) - moved(-1)) / (2 * step)
        assert float(np.sum(gradient * direction)) == pytest.approx(slope, rel=rel, abs=1e-7)


def _arrays(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return _arrays(list(tree.values()))
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in _arrays(item)]
    return [tree]


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copy(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(_copy(item) for item in tree)
    return tree.copy() if isinstance(tree, np.ndarray) else tree
