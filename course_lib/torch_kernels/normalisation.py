"""Normalisation within each example, on Torch tensors; as in `course_lib.numpy_kernels.normalisation`."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.validate import check_arrays, check_number
from course_lib.validate_draws import check_divides


def layernorm_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> tuple[Tensor, Graph]:
    """Layer normalisation: `torch.nn.functional.layer_norm`.

    Args:
        x: inputs, (..., D).
        gamma: scales, (D,), same dtype and device.
        beta: shifts, (D,), same dtype and device.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (..., D), and the cache.

    >>> import torch
    >>> layernorm_forward(torch.tensor([[1.0, 3.0]]), torch.ones(2), torch.ones(2), eps=3.0)[0].tolist()
    [[0.5, 1.5]]
    """
    check_arrays(Tensor, x=(x, "... D"), gamma=(gamma, "D"), beta=(beta, "D"))
    small = check_number("eps", eps, positive=True)
    return forward_graph(
        lambda *leaves: functional.layer_norm(leaves[0], gamma.shape, *leaves[1:], small), x, gamma, beta
    )


def layernorm_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, Tensor, Tensor]:
    """Backward pass of `layernorm_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (..., D).
        cache: what `layernorm_forward` returned second.

    Returns:
        ``dx``, (..., D), ``dgamma`` and ``dbeta``, (D,).

    >>> import torch
    >>> _, cache = layernorm_forward(torch.tensor([[1.0, 3.0]]), torch.ones(2), torch.ones(2), eps=3.0)
    >>> layernorm_backward(torch.ones(1, 2), cache)[1].tolist()
    [-0.5, 0.5]
    """
    return backward_graph(dout, cache, "layernorm_forward")


def groupnorm_forward(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float = 1e-5) -> tuple[Tensor, Graph]:
    """Group normalisation: `torch.nn.functional.group_norm`.

    Args:
        x: images, (N, C, H, W).
        gamma: scales, (C,), same dtype and device.
        beta: shifts, (C,), same dtype and device.
        groups: how many groups of neighbouring channels; divides C.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, C, H, W), and the cache.

    >>> import torch
    >>> x = torch.tensor([[[[1.0]], [[3.0]]]])
    >>> groupnorm_forward(x, torch.ones(2), torch.ones(2), 1, eps=3.0)[0].ravel().tolist()
    [0.5, 1.5]
    """
    check_arrays(Tensor, x=(x, "N C H W"), gamma=(gamma, "C"), beta=(beta, "C"))
    parts = check_divides("groups", groups, x.shape[1])
    small = check_number("eps", eps, positive=True)
    return forward_graph(lambda *leaves: _group_norm(*leaves, parts, small), x, gamma, beta)


def _group_norm(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    if x[0].numel() == groups:
        # Torch refuses groups of one value, whose variance is 0: there it is done with layers of one feature.
        flat = functional.layer_norm(x.reshape(-1, 1), (1,), eps=eps).reshape(x.shape)
        return flat * gamma[:, None, None] + beta[:, None, None]
    return functional.group_norm(x, groups, gamma, beta, eps)


def groupnorm_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, Tensor, Tensor]:
    """Backward pass of `groupnorm_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H, W).
        cache: what `groupnorm_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W), ``dgamma`` and ``dbeta``, (C,).

    >>> import torch
    >>> _, cache = groupnorm_forward(torch.tensor([[[[1.0]], [[3.0]]]]), torch.ones(2), torch.ones(2), 1, eps=3.0)
    >>> groupnorm_backward(torch.ones(1, 2, 1, 1), cache)[1].tolist()
    [-0.5, 0.5]
    """
    return backward_graph(dout, cache, "groupnorm_forward")
