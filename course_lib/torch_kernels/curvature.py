"""Curvature on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.curvature`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.torch_kernels._points import units, values
from course_lib.torch_kernels.differences import Scalar
from course_lib.validate import check_arrays, check_number


@torch.no_grad()
def laplacian(f: Scalar, x: Tensor, h: float = 1e-4) -> Tensor:
    """The sum of the second derivatives along all axes, by differences.

    Args:
        f: takes a tensor like `x` in float64, whatever the dtype of `x`, and gives a number.
        x: where, any shape.
        h: the step, positive.

    Returns:
        The Laplacian, a tensor without axes.

    >>> round(laplacian(lambda x: x[0] ** 2 + 3 * x[1] ** 2, torch.tensor([5.0, 1.0])).item(), 4)
    8.0
    """
    check_arrays(Tensor, x=(x, None))
    h = check_number("h", h, positive=True)
    middle, steps = x.double(), h * units(x)
    ahead, behind, here = (values(f, points) for points in (middle + steps, middle - steps, middle[None]))
    return ((ahead - 2 * here + behind).sum() / h**2).to(x)


@torch.no_grad()
def numerical_hessian(f: Scalar, x: Tensor, h: float = 1e-4) -> Tensor:
    """The matrix of second derivatives by central differences, from four stacks of points.

    Args:
        f: takes a tensor like `x` in float64, whatever the dtype of `x`, and gives a number.
        x: where, (D,).
        h: the step, positive.

    Returns:
        The Hessian, (D, D), dtype and device of `x`, exactly symmetric.

    >>> numerical_hessian(lambda x: x[0] ** 2 + 3 * x[0] * x[1], torch.tensor([1.0, 2.0]))[0]
    tensor([2., 3.])
    """
    check_arrays(Tensor, x=(x, "D"))
    h = check_number("h", h, positive=True)
    rows, columns = torch.tril_indices(len(x), len(x), device=x.device)
    one, other = h * units(x)[rows], h * units(x)[columns]
    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    corners = [s * r * values(f, x.double() + s * one + r * other) for s, r in signs]
    hessian = x.new_empty(len(x), len(x))
    hessian[rows, columns] = hessian[columns, rows] = (sum(corners) / (4 * h**2)).to(x)
    return hessian


def sharpness(hessian: Tensor) -> Tensor:
    """The largest curvature in any direction: the spectral norm, `torch.linalg.matrix_norm` of order 2.

    Args:
        hessian: second derivatives, (D, D), symmetric.

    Returns:
        A tensor without axes; NaN when an entry is not finite.

    >>> sharpness(torch.tensor([[2.0, 0.0], [0.0, -5.0]])).item()
    5.0
    """
    check_arrays(Tensor, hessian=(hessian, "D D"))
    if not hessian.isfinite().all():
        return hessian.new_tensor(torch.nan)
    if not torch.allclose(hessian, hessian.mT, rtol=1e-4, atol=1e-6 * hessian.abs().amax().item()):
        raise ValueError("hessian is not symmetric; expected hessian[i, k] == hessian[k, i].")
    return torch.linalg.matrix_norm(hessian, ord=2)


def max_stable_step(hessian: Tensor) -> Tensor:
    """The step length below which a step of gradient descent makes the loss fall: ``2 / L``.

    Args:
        hessian: second derivatives, (D, D), symmetric.

    Returns:
        A tensor without axes; infinity where there is no curvature.

    >>> max_stable_step(torch.tensor([[2.0, 0.0], [0.0, 8.0]])).item()
    0.25
    """
    return 2 / sharpness(hessian)
