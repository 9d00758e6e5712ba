"""Residual networks on Torch tensors; names and errors as in `course_lib.numpy_kernels.residual`."""

# ruff: noqa: PLR0913 - the parameters of two layers are seven arguments with the images.
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph, gradients
from course_lib.validate import check_arrays, check_cache, check_count, check_same, check_share
from course_lib.validate_draws import check_flag, check_generator, check_list, check_mask


def residual_forward(x: Tensor, branch: Callable[[Tensor], tuple[Tensor, Any]]) -> tuple[Tensor, tuple[Tensor, Any]]:
    """The input plus what a branch makes of it.

    Args:
        x: any shape.
        branch: a forward pass, x to (f, cache), where f has the shape of x.

    Returns:
        ``out``, same shape, and the cache.

    >>> residual_forward(torch.tensor([1.0, -2.0]), lambda x: (2 * x, None))[0].tolist()
    [3.0, -6.0]
    """
    check_arrays(Tensor, x=(x, None))
    f, inner = branch(x)
    check_same(Tensor, f=f, x=x)
    return torch.add(x, f), (f, inner)


def residual_backward(
    dout: Tensor, cache: tuple[Tensor, Any], branch_backward: Callable[[Tensor, Any], Any]
) -> tuple[Tensor, ...]:
    """Backward pass of `residual_forward`: the upstream gradient itself, plus what comes back through the branch.

    Args:
        dout: gradient of the loss with respect to the output, any shape.
        cache: what `residual_forward` returned second.
        branch_backward: the branch's backward pass, (dout, cache) to dx or to (dx, ...).

    Returns:
        ``dx``, same shape, and then whatever else the branch's backward pass returns.

    >>> _, cache = residual_forward(torch.tensor([1.0, -2.0]), lambda x: (2 * x, None))
    >>> residual_backward(torch.ones(2), cache, lambda dout, _: 2 * dout)[0].tolist()
    [3.0, 3.0]
    """
    f, inner = check_cache(cache, 2, "residual_forward")
    check_same(Tensor, dout=dout, out=f)
    through = branch_backward(dout, inner)
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return torch.add(dout, dx), *rest


def projection_shortcut(x: Tensor, w: Tensor, stride: int = 2) -> Tensor:
    """The shortcut where a block changes size: `torch.nn.functional.conv2d` with 1 x 1 filters and a stride.

    Args:
        x: images, (N, C, H, W).
        w: filters, (K, C, 1, 1), same dtype and device.
        stride: every how many pixels, at least 1.

    Returns:
        ``out``, (N, K, H', W').

    >>> projection_shortcut(torch.ones(1, 1, 3, 3), torch.full((1, 1, 1, 1), 10.0)).tolist()
    [[[[10.0, 10.0], [10.0, 10.0]]]]
    """
    check_arrays(Tensor, x=(x, "N C H W"), w=(w, "K C 1 1"))
    return functional.conv2d(x, w, stride=check_count("stride", stride, least=1))


def projection_shortcut_backward(dout: Tensor, x: Tensor, w: Tensor, stride: int = 2) -> tuple[Tensor, Tensor]:
    """Gradients of `projection_shortcut`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, K, H', W').
        x: images, (N, C, H, W), same dtype and device.
        w: filters, (K, C, 1, 1), same dtype and device.
        stride: every how many pixels, at least 1.

    Returns:
        ``dx``, (N, C, H, W), and ``dw``, (K, C, 1, 1).

    >>> projection_shortcut_backward(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 1))[0].tolist()
    [[[[1.0, 0.0]]]]
    """
    check_arrays(Tensor, x=(x, "N C H W"), w=(w, "K C 1 1"))
    return gradients(lambda *leaves: projection_shortcut(*leaves, stride), x, w, dout=dout)


def preactivation_block(
    x: Tensor, gamma1: Tensor, beta1: Tensor, w1: Tensor, gamma2: Tensor, beta2: Tensor, w2: Tensor
) -> tuple[Tensor, Graph]:
    """A residual block whose input goes by untouched: twice normalise, rectify, convolve, and add the input.

    Args:
        x: images, (N, C, H, W).
        gamma1: scales of the first normalisation, (C,), same dtype and device.
        beta1: its shifts, (C,), same dtype and device.
        w1: filters of the first convolution, (M, C, 3, 3), same dtype and device.
        gamma2: scales of the second normalisation, (M,), same dtype and device.
        beta2: its shifts, (M,), same dtype and device.
        w2: filters of the second convolution, (C, M, 3, 3), same dtype and device.

    Returns:
        ``out``, (N, C, H, W), and the cache.

    >>> x, one, w = torch.ones(1, 1, 2, 2), torch.ones(1), torch.zeros(1, 1, 3, 3)
    >>> torch.equal(preactivation_block(x, one, one, w, one, one, w)[0], x)
    True
    """
    check_arrays(Tensor, x=(x, "N C H W"), gamma1=(gamma1, "C"), beta1=(beta1, "C"), w1=(w1, "M C 3 3"))
    check_arrays(Tensor, w1=(w1, "M C 3 3"), gamma2=(gamma2, "M"), beta2=(beta2, "M"), w2=(w2, "C M 3 3"))
    if x.numel() // x.shape[1] < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected more than one value per channel to train with.")
    return forward_graph(_block, x, gamma1, beta1, w1, gamma2, beta2, w2)


def _block(x: Tensor, *parameters: Tensor) -> Tensor:
    h = x
    for gamma, beta, w in (parameters[:3], parameters[3:]):
        normal = functional.batch_norm(h, None, None, gamma, beta, training=True)
        h = functional.conv2d(torch.relu(normal), w, padding=1)
    return x + h


def preactivation_block_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, ...]:
    """Backward pass of `preactivation_block`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H, W).
        cache: what `preactivation_block` returned second.

    Returns:
        The gradients of ``x, gamma1, beta1, w1, gamma2, beta2, w2``.

    >>> x, one, w = torch.ones(1, 1, 1, 2), torch.ones(1), torch.zeros(1, 1, 3, 3)
    >>> preactivation_block_backward(x, preactivation_block(x, one, one, w, one, one, w)[1])[0].tolist()
    [[[[1.0, 1.0]]]]
    """
    return backward_graph(dout, cache, "preactivation_block")


def stochastic_depth(
    x: Tensor,
    f: Tensor,
    p: float = 0.5,
    train: bool = True,
    rng: torch.Generator | None = None,
    keep: Tensor | None = None,
) -> tuple[Tensor, Graph]:
    """A residual sum whose branch is dropped for some examples.

    Args:
        x: what goes past the branch, (N, ...).
        f: what the branch answers, same shape and dtype and device.
        p: probability to drop the branch of an example, at least 0 and below 1.
        train: drop, or only do what evaluation does?
        rng: draws who keeps the branch when training; not needed otherwise.
        keep: in place of `rng`, who keeps it: bools, (N,).

    Returns:
        ``out``, same shape, and the cache.

    >>> stochastic_depth(torch.ones(2, 1), torch.ones(2, 1), p=0.75, keep=torch.tensor([True, False]))[0].tolist()
    [[5.0], [1.0]]
    """
    check_arrays(Tensor, x=(x, None))
    check_same(Tensor, f=f, x=x)
    drop, examples = check_share("p", p), x.shape[:1]
    if not check_flag("train", train):
        return forward_graph(torch.add, x, f)
    if keep is None:
        check_generator("rng", rng, torch.Generator, "keep")
        keep = torch.rand(examples, device=x.device, generator=rng) >= drop
    check_mask("keep", keep, Tensor, examples)
    factor = keep.to(x.dtype).reshape(*examples, *[1] * (x.ndim - 1)) / (1 - drop)
    return forward_graph(lambda past, branch: torch.addcmul(past, branch, factor), x, f)


def stochastic_depth_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, Tensor]:
    """Gradients of `stochastic_depth`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, ...).
        cache: what `stochastic_depth` returned second.

    Returns:
        ``dx`` and ``df``, same shape.

    >>> _, cache = stochastic_depth(torch.ones(2, 1), torch.ones(2, 1), p=0.75, keep=torch.tensor([True, False]))
    >>> stochastic_depth_backward(torch.ones(2, 1), cache)[1].tolist()
    [[4.0], [0.0]]
    """
    return backward_graph(dout, cache, "stochastic_depth")


def zero_init_gamma(gammas: Sequence[Sequence[Tensor]]) -> tuple[tuple[Tensor, ...], ...]:
    """Scales with which every residual block starts as the identity: the last one of each block is 0.

    Args:
        gammas: for each block the scales of its normalisations in order, each (C,).

    Returns:
        New scales: the last of each block zeros, the others as they were.

    >>> zero_init_gamma([[torch.ones(1), torch.ones(2)]])
    ((tensor([1.]), tensor([0., 0.])),)
    """
    for i, block in enumerate(check_list("gammas", gammas)):
        for j, gamma in enumerate(check_list(f"gammas[{i}]", block)):
            check_arrays(Tensor, **{f"gammas[{i}][{j}]": (gamma, "C")})
    return tuple((*(gamma.clone() for gamma in block[:-1]), torch.zeros_like(block[-1])) for block in gammas)


def gradient_norm_by_depth(x: Tensor, weights: Sequence[Tensor], dout: Tensor, residual: bool = True) -> Tensor:
    """How much gradient reaches each layer of a deep network of ReLU layers, by autograd.

    Args:
        x: inputs, (N, D).
        weights: of K layers, a sequence of (D, D), same dtype and device.
        dout: gradient of the loss with respect to the last layer's output, (N, D), same dtype and device.
        residual: with the identity beside every layer, or without?

    Returns:
        The norms, (K,), first layer first.

    >>> gradient_norm_by_depth(torch.ones(1, 1), [torch.full((1, 1), 0.5)] * 3, torch.ones(1, 1), residual=False)
    tensor([0.2500, 0.2500, 0.2500])
    """
    check_arrays(Tensor, x=(x, "N D"), dout=(dout, "N D"))
    for i, w in enumerate(check_list("weights", weights)):
        check_arrays(Tensor, x=(x, "N D"), **{f"weights[{i}]": (w, "D D")})
    past = check_flag("residual", residual)

    def network(*layers: Tensor) -> Tensor:
        h = x
        for w in layers:
            out = torch.relu(functional.linear(h, w))
            h = h + out if past else out
        return h

    found = gradients(network, *weights, dout=dout)
    return torch.stack([torch.linalg.vector_norm(dw) for dw in found])


def bottleneck_cost(channels: int, reduced: int, height: int, width: int) -> tuple[int, int]:
    """What a bottleneck block costs, counted on real layers without memory by Torch's own counter.

    Args:
        channels: in and out.
        reduced: in between.
        height: of the images, which keep their size.
        width: of the images.

    Returns:
        The number of parameters, and of multiply-adds for one image.

    >>> bottleneck_cost(256, 64, 56, 56)
    (69632, 218365952)
    """
    c, r = check_count("channels", channels, least=1), check_count("reduced", reduced, least=1)
    size = check_count("height", height, least=1), check_count("width", width, least=1)
    with torch.device("meta"):
        pairs = (c, r, 1), (r, r, 3), (r, c, 1)
        block = nn.Sequential(*(nn.Conv2d(a, b, k, padding=k // 2, bias=False) for a, b, k in pairs))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            block(torch.empty(1, c, *size))
    # The counter counts a multiplication and an addition as two.
    return sum(p.numel() for p in block.parameters()), counter.get_total_flops() // 2
