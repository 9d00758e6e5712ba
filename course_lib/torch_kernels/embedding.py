"""Words as vectors on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.embedding`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.validate import check_arrays, check_cache
from course_lib.words import check_ids, check_mask

MaxCache = tuple[Graph, Tensor, Tensor | None]


def embedding_forward(ids: Tensor, w: Tensor) -> tuple[Tensor, Graph]:
    """The vector of every word: `torch.nn.functional.embedding`.

    Args:
        ids: word numbers from 0 to V - 1, any shape, often (N, L); integers on the device of w.
        w: one vector per word, (V, D).

    Returns:
        ``out``, the shape of `ids` and then D, and the cache.

    >>> embedding_forward(torch.tensor([2, 0]), torch.tensor([[1.0], [3.0], [5.0]]))[0].tolist()
    [[5.0], [1.0]]
    """
    check_arrays(Tensor, w=(w, "V D"))
    check_ids(ids, len(w), Tensor)
    return forward_graph(lambda w: functional.embedding(ids.long(), w), w)


def embedding_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Backward pass of `embedding_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, the shape of `ids` and then D.
        cache: what `embedding_forward` returned second.

    Returns:
        ``dw``, (V, D).

    >>> embedding_backward(torch.ones(3, 1), embedding_forward(torch.tensor([1, 1, 2]), torch.zeros(4, 1))[1]).tolist()
    [[0.0], [2.0], [1.0], [0.0]]
    """
    return backward_graph(dout, cache, "embedding_forward")[0]


def max_over_time_forward(x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, MaxCache]:
    """The largest answer of every filter over a text: `torch.max` along the places.

    Args:
        x: answers of M filters at L places, (N, L, M).
        mask: (N, L), true where a place counts; None means everywhere.

    Returns:
        ``out``, (N, M), and the cache: the graph, the place of each maximum (N, 1, M), and the mask.

    >>> max_over_time_forward(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]]))[0].item()
    3.0
    """
    check_arrays(Tensor, x=(x, "N L M"))
    check_mask(mask, x, Tensor)

    def visible(x: Tensor) -> Tensor:
        return x if mask is None else x.masked_fill(~mask[:, :, None], -torch.inf)

    # The first of equals: amax would share the gradient between them.
    out, graph = forward_graph(lambda x: visible(x).max(dim=1).values, x)
    return out, (graph, visible(x.detach()).argmax(dim=1, keepdim=True), mask)


def max_over_time_backward(dout: Tensor, cache: MaxCache) -> Tensor:
    """Backward pass of `max_over_time_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, M).
        cache: what `max_over_time_forward` returned second.

    Returns:
        ``dx``, (N, L, M).

    >>> max_over_time_backward(torch.ones(1, 1), max_over_time_forward(torch.zeros(1, 3, 1))[1]).ravel().tolist()
    [1.0, 0.0, 0.0]
    """
    graph = check_cache(cache, 3, "max_over_time_forward")[0]
    return backward_graph(dout, graph, "max_over_time_forward")[0]
