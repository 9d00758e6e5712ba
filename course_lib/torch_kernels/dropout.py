"""Dropout on Torch tensors; names and errors as in `course_lib.numpy_kernels.dropout`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.validate import check_arrays, check_share
from course_lib.validate_draws import check_flag, check_generator, check_mask


def dropout_forward(
    x: Tensor,
    p: float = 0.5,
    train: bool = True,
    rng: torch.Generator | None = None,
    mask: Tensor | None = None,
) -> tuple[Tensor, Graph]:
    """Inverted dropout: masked and scaled in training, nothing in evaluation.

    `torch.nn.functional.dropout` takes no generator, so the mask is drawn here.

    Args:
        x: activations, any shape.
        p: probability to drop an entry, at least 0 and below 1.
        train: drop, or only do what evaluation does?
        rng: draws the mask when training; not needed otherwise.
        mask: in place of `rng`, which entries are kept: bools of the shape of `x`, on its device.

    Returns:
        ``out``, same shape, always a new tensor, and the cache.

    >>> dropout_forward(torch.ones(3), mask=torch.tensor([True, False, True]))[0].tolist()
    [2.0, 0.0, 2.0]
    """
    kept = _kept(x, p, train, rng, mask)
    return forward_graph(lambda leaf: leaf.clone() if kept is None else leaf * (kept / (1 - float(p))), x)


def dropout_classic(
    x: Tensor,
    p: float = 0.5,
    train: bool = True,
    rng: torch.Generator | None = None,
    mask: Tensor | None = None,
) -> tuple[Tensor, Graph]:
    """Dropout as first published: masked in training, scaled in evaluation.

    Args:
        x: activations, any shape.
        p: probability to drop an entry, at least 0 and below 1.
        train: drop, or only do what evaluation does?
        rng: draws the mask when training; not needed otherwise.
        mask: in place of `rng`, which entries are kept: bools of the shape of `x`, on its device.

    Returns:
        ``out``, same shape, always a new tensor, and the cache for `dropout_backward`.

    >>> dropout_classic(torch.tensor([1.0, 2.0]), p=0.25, train=False)[0].tolist()
    [0.75, 1.5]
    """
    kept = _kept(x, p, train, rng, mask)
    return forward_graph(lambda leaf: leaf * ((1 - float(p)) if kept is None else kept), x)


def dropout_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Gradient of either dropout, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        cache: what `dropout_forward` or `dropout_classic` returned second.

    Returns:
        The gradient with respect to the input, same shape.

    >>> dropout_backward(torch.ones(2), dropout_forward(torch.zeros(2), mask=torch.tensor([True, False]))[1]).tolist()
    [2.0, 0.0]
    """
    return backward_graph(dout, cache, "dropout_forward")[0]


def _kept(x: Tensor, p: float, train: bool, rng: torch.Generator | None, mask: Tensor | None) -> Tensor | None:
    check_arrays(Tensor, x=(x, None))
    drop = check_share("p", p)
    if not check_flag("train", train):
        return None
    if mask is None:
        check_generator("rng", rng, torch.Generator, "mask")
        mask = torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=rng) >= drop
    check_mask("mask", mask, Tensor, x.shape)
    return mask.to(x.dtype)
