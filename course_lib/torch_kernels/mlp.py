"""The network with one hidden layer on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.mlp`.

Gradients come from autograd, sizes from real `torch.nn` modules, training from `torch.optim`.
"""

# ruff: noqa: PLR0913 - the parameters of two layers are five arguments before anything else is said.
from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_lib.torch_kernels.losses import mse_loss
from course_lib.validate import check_arrays, check_count, check_number, check_sizes

Cache = tuple[Tensor, Tensor, Tensor, Tensor]
Parameters = tuple[Tensor, Tensor, Tensor, Tensor]


def xor_weights() -> Parameters:
    """Weights of a 2-2-1 network that computes XOR: on the first input alone, or on the second alone.

    Returns:
        ``w1`` (2, 2), ``b1`` (2,), ``w2`` (1, 2), ``b2`` (1,), float64 on the CPU.

    >>> mlp_forward(torch.eye(2, dtype=torch.float64), *xor_weights())[0].round(decimals=2).ravel().tolist()
    [1.0, 1.0]
    """
    w1 = 20.0 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)
    b1 = torch.full((2,), -10.0, dtype=torch.float64)
    w2 = torch.full((1, 2), 20.0, dtype=torch.float64)
    return w1, b1, w2, b1[:1].clone()


def mlp_forward(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> tuple[Tensor, Cache]:
    """Forward pass of a network with one hidden layer of sigmoids.

    Args:
        x: inputs, (N, D).
        w1: weights into the hidden layer, (H, D), same dtype and device.
        b1: its biases, (H,), same dtype and device.
        w2: weights into the output layer, (M, H), same dtype and device.
        b2: its biases, (M,), same dtype and device.

    Returns:
        ``out``, (N, M), and the cache ``(x, h, out, w2)``, from which `mlp_backward` draws the graph again.

    >>> mlp_forward(torch.ones(1, 3), torch.zeros(2, 3), torch.zeros(2), torch.zeros(1, 2), torch.zeros(1))[0].item()
    0.5
    """
    check_arrays(Tensor, x=(x, "N D"), w1=(w1, "H D"), b1=(b1, "H"), w2=(w2, "M H"), b2=(b2, "M"))
    h = torch.sigmoid(functional.linear(x, w1, b1))
    out = torch.sigmoid(functional.linear(h, w2, b2))
    return out, (x, h, out, w2)


@torch.enable_grad()
def hidden_delta(dout: Tensor, h: Tensor, out: Tensor, w2: Tensor) -> Tensor:
    """Gradient with respect to the weighted sums that enter the hidden sigmoids, by autograd.

    Args:
        dout: gradient of the loss with respect to `out`, (N, M).
        h: activated hidden units, (N, H), same dtype and device.
        out: activated outputs, (N, M), same dtype and device.
        w2: weights into the output layer, (M, H), same dtype and device.

    Returns:
        The gradient, (N, H).

    >>> hidden_delta(torch.ones(1, 1), torch.full((1, 1), 0.5), torch.full((1, 1), 0.5), torch.ones(1, 1)).item()
    0.0625
    """
    check_arrays(Tensor, dout=(dout, "N M"), h=(h, "N H"), out=(out, "N M"), w2=(w2, "M H"))
    z1 = torch.logit(h.detach()).requires_grad_()
    hidden = torch.sigmoid(z1)
    # The rest of the graph is only known by its value: logit(out) here, and how it moves with the hidden units.
    z2 = torch.logit(out.detach()) + functional.linear(hidden - hidden.detach(), w2.detach())
    return torch.autograd.grad(torch.sigmoid(z2), z1, dout)[0]


@torch.enable_grad()
def mlp_backward(dout: Tensor, cache: Cache) -> Parameters:
    """Backward pass of `mlp_forward`, by autograd through a graph drawn again from the cache.

    Args:
        dout: gradient of the loss with respect to the output, (N, M).
        cache: what `mlp_forward` returned second.

    Returns:
        ``dw1`` (H, D), ``db1`` (H,), ``dw2`` (M, H), ``db2`` (M,).

    >>> arguments = [torch.zeros(shape) for shape in ((1, 1), (2, 1), (2,), (1, 2), (1,))]
    >>> mlp_backward(torch.ones(1, 1), mlp_forward(*arguments)[1])[2].tolist()
    [[0.125, 0.125]]
    """
    if not isinstance(cache, tuple) or len(cache) != 4:
        raise TypeError(f"cache is of type {type(cache).__name__}; expected the second thing mlp_forward returns.")
    x, h, out, w2 = (tensor.detach() for tensor in cache)
    check_arrays(Tensor, out=(out, "N M"), dout=(dout, "N M"))
    # Parameters that the cache does not hold enter as moves from where they are: zero, and free to change.
    w1_move, b1_move, w2_move, b2_move = leaves = tuple(
        x.new_zeros(shape, requires_grad=True)
        for shape in ((h.shape[1], x.shape[1]), h.shape[1:], w2.shape, out.shape[1:])
    )
    hidden = torch.sigmoid(torch.logit(h) + functional.linear(x, w1_move, b1_move))
    moved = functional.linear(hidden, w2 + w2_move, b2_move) - functional.linear(h, w2)
    return torch.autograd.grad(torch.sigmoid(torch.logit(out) + moved), leaves, dout)


def count_parameters(sizes: Sequence[int], bias: bool = True) -> int:
    """How many numbers a dense network has to learn, counted on real layers without memory.

    Args:
        sizes: units per layer, from the input to the output; at least two layers.
        bias: do the layers have biases?

    Returns:
        The number of weights and biases.

    >>> count_parameters([10, 200, 100, 1])
    22401
    """
    units = check_sizes(sizes, bias)
    pairs = zip(units, units[1:], strict=False)
    network = nn.Sequential(*(nn.Linear(i, o, bias=bias, device="meta") for i, o in pairs))
    return sum(parameter.numel() for parameter in network.parameters())


@torch.enable_grad()
def train_xor(
    x: Tensor, y: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, lr: float, steps: int
) -> Parameters:
    """Full-batch gradient descent on `mse_loss` with `torch.optim.SGD`.

    Args:
        x: inputs, (N, 2).
        y: targets 0 or 1, (N, 1), same dtype and device.
        w1: initial weights, (H, 2), same dtype and device.
        b1: initial biases, (H,), same dtype and device.
        w2: initial weights, (1, H), same dtype and device.
        b2: initial biases, (1,), same dtype and device.
        lr: learning rate, positive.
        steps: how many steps, 0 or more.

    Returns:
        The new ``w1, b1, w2, b2``, always new tensors.

    >>> weights = [torch.zeros(shape) for shape in ((1, 2), (1,), (1, 1), (1,))]
    >>> train_xor(torch.eye(2), torch.ones(2, 1), *weights, 4.0, 1)[3]
    tensor([1.])
    """
    check_arrays(Tensor, x=(x, "N 2"), y=(y, "N 1"), w1=(w1, "H 2"), b1=(b1, "H"), w2=(w2, "1 H"), b2=(b2, "1"))
    parameters = tuple(parameter.detach().clone().requires_grad_() for parameter in (w1, b1, w2, b2))
    optimiser = torch.optim.SGD(parameters, lr=check_number("lr", lr, positive=True))
    for _ in range(check_count("steps", steps, least=0)):
        optimiser.zero_grad()
        mse_loss(mlp_forward(x, *parameters)[0], y).backward()
        optimiser.step()
    return tuple(parameter.detach() for parameter in parameters)
