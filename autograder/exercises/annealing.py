"""Exercise on simulated annealing (topic `annealing`): when a move uphill is accepted."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw_number
from course_lib.cases import Case, call_case

_LARGE = (
    "Right for small moves. A long way down makes exp(-delta / temperature) too large for a number: accept "
    "delta <= 0 without it, or give exp only max(delta, 0)."
)
# Case id to (shape, temperature or None for a drawn one).
_PUBLIC = {"twelve moves": ((12,), None), "cold": ((12,), 0.1), "float32": ((12,), 2.0)}
_SECRET = {
    "twenty moves": ((20,), None),
    "a table of moves": ((3, 8), None),
    "cold": ((16,), 0.05),
    "hot": ((16,), 40.0),
    "float32": ((16,), 0.5),
}


def _metropolis_accept_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, temperature) in (_PUBLIC if public else _SECRET).items():
        moves = _moves(rng, int(np.prod(shape)), temperature or draw_number(rng, 1.5, 4.0))
        dtype = "float32" if name == "float32" else "float64"
        inputs = {key: value.reshape(shape).astype(dtype) for key, value in moves.items() if key != "temperature"}
        ordered = {"delta": inputs["delta"], "temperature": moves["temperature"], "u": inputs["u"]}
        cases.append(call_case(name, "metropolis_accept", ordered))
    flat = {"delta": np.array([0.0, 0.0]), "temperature": draw_number(rng, 0.5, 2.0), "u": rng.uniform(0, 1, 2)}
    far = {"delta": np.array([-2000.0, 3000.0]), "temperature": 0.5, "u": np.round(rng.uniform(0.1, 0.9, 2), 2)}
    # Refused; a product with the temperature instead of the quotient would accept it.
    cool = draw_number(rng, 0.4, 0.5)
    only = {"delta": np.array([2 * cool]), "temperature": cool, "u": np.array([draw_number(rng, 0.47, 0.58)])}
    return (
        *cases,
        call_case("no change", "metropolis_accept", flat),
        call_case("one move", "metropolis_accept", only),
        call_case("far down, far up", "metropolis_accept", far, kind="stability", says=_LARGE),
    )


def _moves(rng: np.random.Generator, n: int, temperature: float) -> dict:
    """Moves up that pass and that do not, and moves down; no draw lies near its chance."""
    ratio = rng.uniform(0.25, 2.0, n)
    chance = np.exp(-ratio)
    kind = rng.permutation(n) % 4
    # Up and accepted, up and refused, and down twice: with a draw above and below the chance of the same move up.
    passes = kind % 2 == 0
    u = np.where(passes, chance * rng.uniform(0.1, 0.85, n), chance + (1 - chance) * rng.uniform(0.15, 0.9, n))
    delta = np.where(kind < 2, ratio, -ratio) * temperature
    return {"delta": delta, "temperature": temperature, "u": u}


def _metropolis_accept__never_uphill(delta, temperature, u):
    return delta <= 0


def _metropolis_accept__wrong_sign(delta, temperature, u):
    return (delta <= 0) | (u < np.exp(np.minimum(delta / temperature, 50)))


def _metropolis_accept__turned_comparison(delta, temperature, u):
    return (delta <= 0) | (u > np.exp(-np.maximum(delta, 0) / temperature))


def _metropolis_accept__no_temperature(delta, temperature, u):
    return (delta <= 0) | (u < np.exp(-np.maximum(delta, 0)))


def _metropolis_accept__times_temperature(delta, temperature, u):
    return (delta <= 0) | (u < np.exp(-np.maximum(delta, 0) * temperature))


def _metropolis_accept__downhill_by_chance(delta, temperature, u):
    return u < np.exp(-np.abs(delta) / temperature)


def _metropolis_accept__uphill_is_better(delta, temperature, u):
    return (delta >= 0) | (u < np.exp(np.minimum(delta, 0) / temperature))


def _metropolis_accept__one_half(delta, temperature, u):
    return (delta <= 0) | (np.exp(-np.maximum(delta, 0) / temperature) > 0.5)


def _metropolis_accept__logarithms(delta, temperature, u):
    return -temperature * np.log(u) > delta


def _metropolis_accept__one_by_one(delta, temperature, u):
    import math

    accepted = np.zeros(delta.shape, dtype=bool)
    for i in np.ndindex(delta.shape):
        accepted[i] = True if delta[i] <= 0 else u[i] < math.exp(-delta[i] / temperature)
    return accepted


def _metropolis_accept__chance_of_at_most_one(delta, temperature, u):
    chance = np.minimum(1, np.exp(np.minimum(-delta / temperature, 1)))
    return np.where(u < chance, True, False)


METROPOLIS_ACCEPT = Exercise(
    id="metropolis_accept",
    topic="annealing",
    points=1,
    cases=_metropolis_accept_cases,
    mistakes=(
        Mistake(
            "never_uphill",
            "You never go uphill, so the search stays in the first valley. Accept a worse move when "
            "u < exp(-delta / temperature).",
            _metropolis_accept__never_uphill,
        ),
        Mistake(
            "wrong_sign",
            "You accept every move: exp(delta / temperature) is above 1 uphill. A minus is missing.",
            _metropolis_accept__wrong_sign,
        ),
        Mistake(
            "turned_comparison",
            "Your comparison is turned round, so a move is accepted when it should be refused. A chance of 0.9 means "
            "u < 0.9.",
            _metropolis_accept__turned_comparison,
        ),
        Mistake(
            "no_temperature",
            "The temperature is missing: the chance is exp(-delta / temperature).",
            _metropolis_accept__no_temperature,
        ),
        Mistake(
            "times_temperature",
            "You multiply by the temperature. Divide by it: the hotter, the more moves uphill.",
            _metropolis_accept__times_temperature,
        ),
        Mistake(
            "downhill_by_chance",
            "You refuse some moves downhill. A move with delta <= 0 is always accepted.",
            _metropolis_accept__downhill_by_chance,
        ),
        Mistake(
            "uphill_is_better",
            "You always accept moves uphill. delta is new minus old energy, and less energy is better.",
            _metropolis_accept__uphill_is_better,
        ),
        Mistake(
            "one_half",
            "You compare the chance with 0.5. Compare it with the random number u of each move.",
            _metropolis_accept__one_half,
        ),
    ),
    other_ways=(
        OtherWay("logarithms", _metropolis_accept__logarithms),
        OtherWay("one_by_one", _metropolis_accept__one_by_one),
        OtherWay("chance_of_at_most_one", _metropolis_accept__chance_of_at_most_one),
    ),
)

EXERCISES = (METROPOLIS_ACCEPT,)
