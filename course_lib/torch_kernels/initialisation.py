"""First weights on Torch tensors; names and errors as in `course_lib.numpy_kernels.initialisation`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import init

from course_lib.validate import check_arrays, check_choice
from course_lib.validate_draws import check_generator, check_shape

_DTYPES = ("float32", "float64")


def kaiming_uniform(
    shape: tuple[int, ...],
    rng: torch.Generator | None = None,
    u: tuple[Tensor, Tensor] | None = None,
    dtype: str = "float64",
) -> tuple[Tensor, Tensor]:
    """Weights and biases of a layer that a ReLU follows: `torch.nn.init.kaiming_uniform_`, on the generator's device.

    Args:
        shape: of the weights: (outputs, inputs), (K, C, kh, kw) or (K, D, width).
        rng: draws the numbers.
        u: in place of `rng`, numbers from -1 to 1 for w and for b, a pair of tensors of their shapes.
        dtype: ``"float32"`` or ``"float64"``; with `u`, its dtype counts.

    Returns:
        ``w`` of the shape, and ``b``, (outputs,).

    >>> [tuple(tensor.shape) for tensor in kaiming_uniform((3, 2), torch.Generator())]
    [(3, 2), (3,)]
    """
    sizes = check_shape("shape", shape)
    n_in = torch.empty(sizes[1:], device="meta").numel()
    if u is None:
        w, b = _empty(sizes, rng, dtype), _empty(sizes[:1], rng, dtype)
        return init.kaiming_uniform_(w, nonlinearity="relu", generator=rng), b.uniform_(
            -1, 1, generator=rng
        ) / n_in**0.5
    _check_draws(sizes, u[0])
    check_arrays(Tensor, u_w=(u[0], None), u_b=(u[1], str(sizes[0])))
    return (6 / n_in) ** 0.5 * u[0], u[1] / n_in**0.5


def glorot_uniform(
    shape: tuple[int, ...],
    rng: torch.Generator | None = None,
    u: Tensor | None = None,
    dtype: str = "float64",
) -> Tensor:
    """Weights of a layer that tanh or sigmoid follows: `torch.nn.init.xavier_uniform_`, on the generator's device.

    Args:
        shape: of the weights: (outputs, inputs), (K, C, kh, kw) or (K, D, width).
        rng: draws the numbers.
        u: in place of `rng`, numbers from -1 to 1 of that shape.
        dtype: ``"float32"`` or ``"float64"``; with `u`, its dtype counts.

    Returns:
        ``w`` of the shape.

    >>> glorot_uniform((2, 4), u=torch.full((2, 4), 0.5))[0].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    sizes = check_shape("shape", shape)
    if u is None:
        return init.xavier_uniform_(_empty(sizes, rng, dtype), generator=rng)
    _check_draws(sizes, u)
    window = u[0, 0].numel()
    return (6 / ((sizes[0] + sizes[1]) * window)) ** 0.5 * u


def _empty(shape: tuple[int, ...], rng: torch.Generator | None, dtype: str) -> Tensor:
    check_generator("rng", rng, torch.Generator, "u")
    check_choice("dtype", dtype, _DTYPES)
    return torch.empty(shape, dtype=getattr(torch, dtype), device=rng.device)


def _check_draws(shape: tuple[int, ...], u: Tensor) -> None:
    check_arrays(Tensor, u=(u, " ".join(map(str, shape))))


def activation_stats(h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """How a layer is doing: mean and spread of its activations, share of zeros, share of dead units.

    Args:
        h: activations, (N, D).

    Returns:
        Four tensors without axes, of the same dtype.

    >>> [number.item() for number in activation_stats(torch.tensor([[0.0, 2.0], [0.0, 0.0]]))[2:]]
    [0.75, 0.5]
    """
    check_arrays(Tensor, h=(h, "N D"))
    std, mean = torch.std_mean(h, correction=0)
    silent = h == 0
    return mean, std, silent.to(h.dtype).mean(), silent.all(dim=0).to(h.dtype).mean()
