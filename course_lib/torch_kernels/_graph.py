"""How the Torch counterparts differentiate: the forward pass keeps its graph, the backward pass asks autograd.

What enters: tensors, with or without `requires_grad`. What leaves: results that stay part of the caller's
graph where there is one, and a cache from which the gradients can be drawn as often as wanted.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.validate import check_same

Graph = tuple[Tensor, tuple[Tensor, ...]]


def forward_graph(function: Callable[..., Tensor], *tensors: Tensor) -> tuple[Tensor, Graph]:
    """Call a function of tensors; its result, and the graph as a cache for `backward_graph`.

    >>> forward_graph(torch.square, torch.tensor(3.0))[0].item()
    9.0
    """
    with torch.enable_grad():
        leaves = tuple(t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in tensors)
        out = function(*leaves)
    wanted = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
    return (out if wanted else out.detach()), (out, leaves)


def backward_graph(dout: Tensor, cache: Graph, forward: str) -> tuple[Tensor, ...]:
    """The gradients of every tensor that `forward_graph` was given, by autograd.

    >>> backward_graph(torch.tensor(1.0), forward_graph(torch.square, torch.tensor(3.0))[1], "square")[0].item()
    6.0
    """
    if not isinstance(cache, tuple) or len(cache) != 2:
        raise TypeError(f"cache is of type {type(cache).__name__}; expected the second thing {forward} returns.")
    out, leaves = cache
    check_same(Tensor, dout=dout, out=out)
    return torch.autograd.grad(out, leaves, dout, retain_graph=True)


def gradients(function: Callable[..., Tensor], *tensors: Tensor, dout: Tensor | None = None) -> tuple[Tensor, ...]:
    """The gradients of a function at some tensors, by autograd on a graph of its own.

    >>> gradients(torch.square, torch.tensor(3.0))[0].item()
    6.0
    """
    with torch.enable_grad():
        leaves = tuple(t.detach().requires_grad_() for t in tensors)
        out = function(*leaves)
    if dout is not None:
        check_same(Tensor, dout=dout, out=out)
    return torch.autograd.grad(out, leaves, dout)
