"""Simulated annealing on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.annealing`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR

from course_lib.torch_kernels._rates import rate_at
from course_lib.validate import check_arrays, check_count, check_number, check_same, check_share


def metropolis_accept(delta: Tensor, temperature: float, u: Tensor) -> Tensor:
    """Is a move accepted? Downhill always, uphill with probability ``exp(-delta / temperature)``.

    Args:
        delta: new energy minus old energy, any shape.
        temperature: positive.
        u: uniform random numbers from 0 to below 1, one per move, same shape, dtype and device.

    Returns:
        Booleans of the same shape.

    >>> metropolis_accept(torch.tensor([-1.0, 1.0, 1.0]), 1.0, torch.tensor([0.9, 0.3, 0.4])).tolist()
    [True, True, False]
    """
    check_arrays(Tensor, delta=(delta, None))
    check_same(Tensor, u=u, delta=delta)
    temperature = check_number("temperature", temperature, positive=True)
    return torch.where(delta <= 0, True, u < torch.exp(-delta / temperature))


def geometric_cooling(t: int, start: float, factor: float) -> float:
    """The temperature at step t, from `torch.optim.lr_scheduler.ExponentialLR`: cooling is a schedule.

    Args:
        t: step, 0 or more.
        start: temperature at step 0, positive.
        factor: what is left after each step, above 0 and up to 1.

    Returns:
        The temperature.

    >>> [geometric_cooling(t, 8.0, 0.5) for t in range(4)]
    [8.0, 4.0, 2.0, 1.0]
    """
    check_number("factor", factor, positive=True)
    factor, t = check_share("factor", factor, one=True), check_count("t", t, least=0)
    return rate_at(t, ExponentialLR, check_number("start", start, positive=True), gamma=factor)


@torch.no_grad()
def simulated_annealing(
    energy: Callable[[Tensor], Tensor], x: Tensor, moves: Tensor, u: Tensor, temperatures: Tensor
) -> tuple[Tensor, Tensor]:
    """Walk through a landscape: at step t try ``x + moves[t]`` and ask `metropolis_accept` with ``u[t]``.

    Args:
        energy: gives the number to be made small at a point (D,).
        x: first point, (D,).
        moves: the random moves, (T, D), same dtype and device.
        u: uniform random numbers from 0 to below 1, (T,).
        temperatures: one positive temperature per step, (T,).

    Returns:
        The points visited, (T + 1, D), the first one included, and their energies, (T + 1,).

    >>> walk = [torch.tensor([2.0]), torch.tensor([[1.0], [-1.0]]), torch.full((2,), 0.5), torch.full((2,), 0.1)]
    >>> simulated_annealing(lambda x: x @ x, *walk)[0].ravel()
    tensor([2., 2., 1.])
    """
    check_arrays(Tensor, x=(x, "D"), moves=(moves, "T D"), u=(u, "T"), temperatures=(temperatures, "T"))
    point, level = x.detach().clone(), x.new_tensor(check_number("energy(x)", energy(x)), dtype=torch.float64)
    points, energies = [point], [level]
    for move, draw, temperature in zip(moves, u, temperatures, strict=True):
        there = point + move
        new = level.new_tensor(check_number("energy(x)", energy(there)))
        if metropolis_accept((new - level).to(x), temperature.item(), draw):
            point, level = there, new
        points.append(point)
        energies.append(level)
    return torch.stack(points), torch.stack(energies).to(x)
