"""Simulated annealing: a search that sometimes goes uphill, less and less often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_lib.validate import check_arrays, check_count, check_number, check_same, check_share


def metropolis_accept(delta: np.ndarray, temperature: float, u: np.ndarray) -> np.ndarray:
    """Is a move accepted? Downhill always, uphill with probability ``exp(-delta / temperature)``.

    A move is accepted when ``delta <= 0`` or ``u < exp(-delta / temperature)``; a NaN never is.

    Args:
        delta: new energy minus old energy, any shape, float32 or float64.
        temperature: positive; the higher, the more moves uphill.
        u: uniform random numbers from 0 to below 1, one per move, same shape and dtype.

    Returns:
        Booleans of the same shape.

    Raises:
        TypeError: an argument is of the wrong type or dtype.
        ValueError: a shape does not fit, or `temperature` is not positive.

    Source: Metropolis et al. (1953).

    >>> metropolis_accept(np.array([-1.0, 1.0, 1.0]), 1.0, np.array([0.9, 0.3, 0.4]))
    array([ True,  True, False])
    """
    check_arrays(np.ndarray, delta=(delta, None))
    check_same(np.ndarray, u=u, delta=delta)
    temperature = check_number("temperature", temperature, positive=True)
    with np.errstate(over="ignore"):  # a quotient too large for the dtype has the right exponential, 0
        chance = np.exp(-np.maximum(delta, 0) / temperature)
    return np.asarray((delta <= 0) | (u < chance))


def geometric_cooling(t: int, start: float, factor: float) -> float:
    """The temperature at step t: ``start * factor ** t``.

    Args:
        t: step, 0 or more.
        start: temperature at step 0, positive.
        factor: what is left after each step, above 0 and up to 1.

    Returns:
        The temperature.

    Raises:
        TypeError: an argument is no number.
        ValueError: a number is out of range.

    Source: Kirkpatrick, Gelatt and Vecchi (1983), who took 0.9.

    >>> [geometric_cooling(t, 8.0, 0.5) for t in range(4)]
    [8.0, 4.0, 2.0, 1.0]
    """
    check_number("factor", factor, positive=True)
    factor = check_share("factor", factor, one=True)
    return check_number("start", start, positive=True) * factor ** check_count("t", t, least=0)


def simulated_annealing(
    energy: Callable[[np.ndarray], float], x: np.ndarray, moves: np.ndarray, u: np.ndarray, temperatures: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Walk through a landscape: at step t try ``x + moves[t]`` and ask `metropolis_accept` with ``u[t]``.

    Args:
        energy: gives the number to be made small at a point (D,).
        x: first point, (D,), float32 or float64.
        moves: the random moves, (T, D), same dtype.
        u: uniform random numbers from 0 to below 1, (T,), same dtype.
        temperatures: one positive temperature per step, (T,), same dtype.

    Returns:
        The points visited, (T + 1, D), the first one included, and their energies, (T + 1,), same dtype.

    Raises:
        TypeError: an argument is of the wrong type or dtype, or `energy` gives no number.
        ValueError: a shape does not fit, or a temperature is not positive.

    Source: Kirkpatrick, Gelatt and Vecchi (1983).

    >>> walk = [np.array([2.0]), np.array([[1.0], [-1.0], [-1.0]]), np.full(3, 0.5), np.full(3, 0.1)]
    >>> simulated_annealing(lambda x: x @ x, *walk)[0].ravel()
    array([2., 2., 1., 0.])
    """
    check_arrays(np.ndarray, x=(x, "D"), moves=(moves, "T D"), u=(u, "T"), temperatures=(temperatures, "T"))
    points, energies = [x], [check_number("energy(x)", energy(x))]
    for move, draw, temperature in zip(moves, u, temperatures, strict=True):
        there = points[-1] + move
        level = check_number("energy(x)", energy(there))
        delta = np.array(level - energies[-1], x.dtype)
        accepted = metropolis_accept(delta, float(temperature), np.asarray(draw))
        points.append(there if accepted else points[-1])
        energies.append(level if accepted else energies[-1])
    return np.array(points), np.array(energies, x.dtype)
