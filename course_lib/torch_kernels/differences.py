"""Numerical derivatives on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.differences`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.torch_kernels._points import units, values
from course_lib.validate import check_arrays, check_number, check_same

Scalar = Callable[[Tensor], Tensor]


@torch.no_grad()
def numerical_gradient(f: Scalar, x: Tensor, h: float = 1e-5) -> Tensor:
    """The gradient by central differences, from two stacks of all the points needed.

    Args:
        f: takes a tensor like `x` in float64, whatever the dtype of `x`, and gives a number.
        x: where, any shape.
        h: the step, positive.

    Returns:
        The gradient, shape, dtype and device of `x`.

    >>> numerical_gradient(lambda x: (x**2).sum(), torch.tensor([1.0, -3.0]))
    tensor([ 2., -6.])
    """
    check_arrays(Tensor, x=(x, None))
    h = check_number("h", h, positive=True)
    steps = h * units(x)
    ahead, behind = (values(f, x.double() + sign * steps) for sign in (1, -1))
    return ((ahead - behind) / (2 * h)).reshape(x.shape).to(x)


def relative_error(a: Tensor, b: Tensor, floor: float = 1e-8) -> Tensor:
    """How far two tensors are apart, at the worst entry: ``max |a - b| / max(|a| + |b|, floor)``.

    Args:
        a: any shape with entries.
        b: same shape, dtype and device.
        floor: smallest denominator, positive.

    Returns:
        A tensor without axes.

    >>> relative_error(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0])).item()
    0.5
    """
    check_arrays(Tensor, a=(a, None))
    check_same(Tensor, b=b, a=a)
    if not a.numel():
        raise ValueError(f"a has shape {tuple(a.shape)}; expected at least one entry.")
    return ((a - b).abs() / (a.abs() + b.abs()).clamp(min=check_number("floor", floor, positive=True))).amax()
