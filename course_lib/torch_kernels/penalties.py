"""Penalties on weights, on Torch tensors; names and errors as in `course_lib.numpy_kernels.penalties`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.torch_kernels._graph import gradients
from course_lib.validate import check_arrays, check_number, check_share, check_strength


def l2_penalty(w: Tensor, strength: float) -> Tensor:
    """Half the sum of squares.

    Args:
        w: weights, any shape.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The penalty, a tensor without axes.

    >>> l2_penalty(torch.tensor([3.0, -4.0]), 0.5).item()
    6.25
    """
    check_arrays(Tensor, w=(w, None))
    return 0.5 * check_strength(strength) * w.square().sum()


def l2_gradient(w: Tensor, strength: float) -> Tensor:
    """Gradient of `l2_penalty`, by autograd.

    Args:
        w: weights, any shape.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The gradient, same shape as `w`.

    >>> l2_gradient(torch.tensor([3.0, -4.0]), 0.5).tolist()
    [1.5, -2.0]
    """
    check_arrays(Tensor, w=(w, None))
    return gradients(lambda leaf: l2_penalty(leaf, strength), w)[0]


def l1_penalty(w: Tensor, strength: float) -> Tensor:
    """The sum of absolute values.

    Args:
        w: weights, any shape.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The penalty, a tensor without axes.

    >>> l1_penalty(torch.tensor([3.0, -4.0]), 0.5).item()
    3.5
    """
    check_arrays(Tensor, w=(w, None))
    return check_strength(strength) * w.abs().sum()


def l1_subgradient(w: Tensor, strength: float) -> Tensor:
    """A subgradient of `l1_penalty`, by autograd; 0 where w is 0.

    Args:
        w: weights, any shape.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The gradient, same shape as `w`.

    >>> l1_subgradient(torch.tensor([3.0, 0.0]), 0.5).tolist()
    [0.5, 0.0]
    """
    check_arrays(Tensor, w=(w, None))
    return gradients(lambda leaf: l1_penalty(leaf, strength), w)[0]


def elastic_penalty(w: Tensor, strength: float, ratio: float = 0.5) -> Tensor:
    """Both at once, `ratio` of the absolute values and the rest of the squares.

    Args:
        w: weights, any shape.
        strength: what a unit of penalty costs, 0 or more.
        ratio: share of the absolute values, from 0 to 1.

    Returns:
        The penalty, a tensor without axes.

    >>> elastic_penalty(torch.tensor([2.0]), 1.0, ratio=0.25).item()
    2.0
    """
    check_arrays(Tensor, w=(w, None))
    share = check_share("ratio", ratio, one=True)
    return torch.lerp(l2_penalty(w, strength), l1_penalty(w, strength), share)


def elastic_subgradient(w: Tensor, strength: float, ratio: float = 0.5) -> Tensor:
    """A subgradient of `elastic_penalty`, by autograd.

    Args:
        w: weights, any shape.
        strength: what a unit of penalty costs, 0 or more.
        ratio: share of the absolute values, from 0 to 1.

    Returns:
        The gradient, same shape as `w`.

    >>> elastic_subgradient(torch.tensor([2.0, 0.0]), 1.0, ratio=0.25).tolist()
    [1.75, 0.0]
    """
    check_arrays(Tensor, w=(w, None))
    return gradients(lambda leaf: elastic_penalty(leaf, strength, ratio), w)[0]


def max_norm(w: Tensor, limit: float) -> Tensor:
    """Weights whose rows are no longer than a limit. Not `torch.renorm`, which stops 1e-7 short of it.

    Args:
        w: weights, (outputs, inputs); a row belongs to one unit.
        limit: the largest length, positive.

    Returns:
        The new weights, (outputs, inputs).

    >>> max_norm(torch.tensor([[3.0, 4.0]]), 2.5).tolist()
    [[1.5, 2.0]]
    """
    check_arrays(Tensor, w=(w, "M D"))
    most = check_number("limit", limit, positive=True)
    return w * (most / torch.linalg.vector_norm(w, dim=1, keepdim=True).clamp(min=most))
