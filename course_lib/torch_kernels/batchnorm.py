"""Batch normalisation on Torch tensors; names and errors as in `course_lib.numpy_kernels.batchnorm`."""

# ruff: noqa: PLR0913 - scales, shifts and two running estimates come with every input.
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph
from course_lib.validate import check_arrays, check_number, check_share
from course_lib.validate_draws import check_list

Train = tuple[Tensor, Graph, Tensor, Tensor]


def batchnorm_forward(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Train:
    """Batch normalisation of features in training mode: `torch.nn.functional.batch_norm`.

    Args:
        x: inputs, (N, D).
        gamma: scales, (D,), same dtype and device.
        beta: shifts, (D,), same dtype and device.
        running_mean: estimate of the mean so far, (D,), same dtype and device.
        running_var: estimate of the variance so far, (D,), same dtype and device.
        momentum: weight of this batch in the new estimates, from 0 to 1.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, D), the cache, and the new running mean and variance, (D,).

    >>> batchnorm_forward(torch.tensor([[3.0], [5.0]]), *torch.ones(4, 1), momentum=0.5)[2].tolist()
    [2.5]
    """
    _check(x, "N D", "D", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    return _train((x, gamma, beta), (running_mean, running_var), momentum, eps)


def batchnorm_eval(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalisation of features in evaluation mode: `torch.nn.functional.batch_norm`.

    Args:
        x: inputs, (N, D).
        gamma: scales, (D,), same dtype and device.
        beta: shifts, (D,), same dtype and device.
        running_mean: estimate of the mean so far, (D,), same dtype and device.
        running_var: estimate of the variance so far, (D,), same dtype and device.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, D).

    >>> batchnorm_eval(torch.tensor([[3.0]]), *torch.ones(4, 1), eps=3.0).item()
    2.0
    """
    _check(x, "N D", "D", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    return functional.batch_norm(x, running_mean, running_var, gamma, beta, eps=check_number("eps", eps, positive=True))


def batchnorm2d_forward(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Train:
    """Batch normalisation of images in training mode: `torch.nn.functional.batch_norm`.

    Args:
        x: inputs, (N, C, H, W).
        gamma: scales, (C,), same dtype and device.
        beta: shifts, (C,), same dtype and device.
        running_mean: estimate of the mean so far, (C,), same dtype and device.
        running_var: estimate of the variance so far, (C,), same dtype and device.
        momentum: weight of this batch in the new estimates, from 0 to 1.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, C, H, W), the cache, and the new running mean and variance, (C,).

    >>> batchnorm2d_forward(torch.tensor([[[[3.0, 5.0]]]]), *torch.ones(4, 1), momentum=0.5)[2].tolist()
    [2.5]
    """
    _check(x, "N C H W", "C", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    return _train((x, gamma, beta), (running_mean, running_var), momentum, eps)


def batchnorm2d_eval(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalisation of images in evaluation mode: `torch.nn.functional.batch_norm`.

    Args:
        x: inputs, (N, C, H, W).
        gamma: scales, (C,), same dtype and device.
        beta: shifts, (C,), same dtype and device.
        running_mean: estimate of the mean so far, (C,), same dtype and device.
        running_var: estimate of the variance so far, (C,), same dtype and device.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, C, H, W).

    >>> batchnorm2d_eval(torch.tensor([[[[3.0]]]]), *torch.ones(4, 1), eps=3.0).item()
    2.0
    """
    _check(x, "N C H W", "C", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    return functional.batch_norm(x, running_mean, running_var, gamma, beta, eps=check_number("eps", eps, positive=True))


def batchnorm_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, Tensor, Tensor]:
    """Backward pass of `batchnorm_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, D).
        cache: what `batchnorm_forward` returned second.

    Returns:
        ``dx``, (N, D), ``dgamma`` and ``dbeta``, (D,).

    >>> cache = batchnorm_forward(torch.tensor([[3.0], [5.0]]), *torch.ones(4, 1))[1]
    >>> batchnorm_backward(torch.tensor([[1.0], [3.0]]), cache)[2].tolist()
    [4.0]
    """
    return backward_graph(dout, cache, "batchnorm_forward")


def batchnorm_backward_compact(dout: Tensor, cache: Graph) -> tuple[Tensor, Tensor, Tensor]:
    """Backward pass of `batchnorm_forward`, by autograd: Torch's own kernel is the compact formula.

    Args:
        dout: gradient of the loss with respect to the output, (N, D).
        cache: what `batchnorm_forward` returned second.

    Returns:
        ``dx``, (N, D), ``dgamma`` and ``dbeta``, (D,).

    >>> cache = batchnorm_forward(torch.tensor([[3.0], [5.0]]), *torch.ones(4, 1))[1]
    >>> batchnorm_backward_compact(torch.tensor([[1.0], [3.0]]), cache)[2].tolist()
    [4.0]
    """
    return backward_graph(dout, cache, "batchnorm_forward")


def batchnorm2d_backward(dout: Tensor, cache: Graph) -> tuple[Tensor, Tensor, Tensor]:
    """Backward pass of `batchnorm2d_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H, W).
        cache: what `batchnorm2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W), ``dgamma`` and ``dbeta``, (C,).

    >>> cache = batchnorm2d_forward(torch.tensor([[[[3.0, 5.0]]]]), *torch.ones(4, 1))[1]
    >>> batchnorm2d_backward(torch.tensor([[[[1.0, 3.0]]]]), cache)[2].tolist()
    [4.0]
    """
    return backward_graph(dout, cache, "batchnorm2d_forward")


def fold_batchnorm_into_conv(
    w: Tensor,
    b: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor]:
    """A convolution with the batch normalisation behind it folded in: `torch.nn.utils.fuse_conv_bn_weights`.

    Args:
        w: filters, (K, C, kh, kw).
        b: their biases, (K,), same dtype and device.
        gamma: scales, (K,), same dtype and device.
        beta: shifts, (K,), same dtype and device.
        running_mean: estimate of the mean, (K,), same dtype and device.
        running_var: estimate of the variance, (K,), same dtype and device.
        eps: is added to the variance under the root, positive.

    Returns:
        The new ``w`` and ``b``.

    >>> fold_batchnorm_into_conv(torch.ones(1, 1, 1, 1), *torch.ones(5, 1), eps=3.0)[0].item()
    0.5
    """
    _check(w, "K C KH KW", "K", b=b, gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    small = check_number("eps", eps, positive=True)
    folded = fuse_conv_bn_weights(w, b, running_mean, running_var, small, gamma, beta)
    return tuple(parameter.detach() for parameter in folded)


@torch.no_grad()
def recalibrate_statistics(batches: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Running estimates from scratch: a `torch.nn.BatchNorm` layer with ``momentum=None`` sees every batch once.

    Args:
        batches: what enters the layer, a sequence of (N, D) or of (N, C, H, W).

    Returns:
        The running mean and variance, (D,) or (C,).

    >>> [tensor.tolist() for tensor in recalibrate_statistics([torch.tensor([[1.0], [3.0]])])]
    [[2.0], [2.0]]
    """
    _check_batches(batches)
    first = batches[0]
    kind = nn.BatchNorm2d if first.ndim == 4 else nn.BatchNorm1d
    layer = kind(first.shape[1], momentum=None, affine=False, device=first.device, dtype=first.dtype)
    for batch in batches:
        layer(batch)
    return layer.running_mean, layer.running_var


def _train(tensors: tuple[Tensor, ...], running: tuple[Tensor, Tensor], momentum: float, eps: float) -> Train:
    new, small = check_share("momentum", momentum, one=True), check_number("eps", eps, positive=True)
    _check_several(tensors[0])
    # Torch moves the running estimates in place: it is given copies.
    mean, var = (estimate.detach().clone() for estimate in running)

    def normalise(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return functional.batch_norm(x, mean, var, gamma, beta, training=True, momentum=new, eps=small)

    return *forward_graph(normalise, *tensors), mean, var


def _check(x: Tensor, shape: str, axis: str, **parameters: Tensor) -> None:
    name = "w" if shape.startswith("K") else "x"
    check_arrays(Tensor, **{name: (x, shape)}, **{key: (value, axis) for key, value in parameters.items()})


def _check_several(x: Tensor) -> None:
    if x.numel() // x.shape[1] < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected more than one value per channel to train with.")


def _check_batches(batches: Sequence[Tensor]) -> None:
    check_list("batches", batches)
    shape = "N D H W" if getattr(batches[0], "ndim", 2) == 4 else "N D"
    for i, batch in enumerate(batches):
        check_arrays(Tensor, **{f"batches[{i}]": (batch, shape)})
        _check_several(batch)
        if (batch.shape[1], batch.dtype) != (batches[0].shape[1], batches[0].dtype):
            came, wanted = (f"{one.shape[1]} channels of {one.dtype}" for one in (batch, batches[0]))
            raise ValueError(f"batches[{i}] has {came}; expected {wanted} as in batches[0].")
