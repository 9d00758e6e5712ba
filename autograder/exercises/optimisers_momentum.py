"""Exercise on momentum (topic `optimisers`): both forms, and Nesterov's look ahead."""

# ruff: noqa: PLR0913 - rate, share, form and look-ahead come after weights, gradient and state.
from __future__ import annotations

from typing import Any

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from autograder.exercises._trajectory import trajectory
from course_lib.cases import Case

_FIRST = "The first velocity is the gradient itself, in both forms: nothing is damped when there is nothing to average."
_STATE = (
    "The weights are right, but the velocity you return is another one. Keep lr and signs out of it: "
    'v = mu * v + g, and (1 - mu) * g with form="average".'
)
_KEPT = "The second step changes the velocity that came in. Make a new array: v = mu * state + g, not state *= mu."


def _momentum_step_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def case(name: str, count: int, *shape: int, form: str = "sum", nesterov: bool = False, **options: Any) -> Case:
        dtype = options.pop("dtype", "float64")
        inputs = {"w": draw(rng, *shape, dtype=dtype), "g": draw(rng, count, *shape, dtype=dtype)}
        inputs |= {"state": draw(rng, *shape, dtype=dtype)} if options.pop("given", False) else {}
        inputs |= {"lr": draw_number(rng, 0.05, 0.2), "mu": draw_number(rng, 0.6, 0.9)}
        inputs |= {"form": form, "nesterov": nesterov}
        inputs |= {"later_lr": draw_number(rng, 0.4, 0.8)} if options.pop("later", False) else {}
        return trajectory(name, "momentum_step", inputs, **options)

    cases = (
        case("ten steps", 10, 2, 3),
        case("the rate changes", 4, 3, later=True),
        case("average of gradients", 3, 3, form="average", given=True),
        case("average from the start", 3, 2, form="average", kind="convention", says=_FIRST),
        case("Nesterov", 3, 2, nesterov=True),
        case("the velocity itself", 2, 2, state="last", says=_STATE),
        case("the velocity is kept", 2, 3, state="first again", says=_KEPT),
        case("float32", 2, 3, dtype="float32"),
    )
    if public:
        return cases
    return (
        *cases,
        case("one weight", 10, 1, nesterov=True),
        case("Nesterov under way", 3, 2, 3, nesterov=True, given=True),
    )


def _momentum_step__no_memory(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = g.copy()
    return w - lr * v, v


def _momentum_step__rate_in_velocity(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    g_now = g if form == "sum" else (1 - mu) * g
    v = lr * g if state is None else mu * state + lr * g_now
    return (w - lr * g - mu * v if nesterov else w - v), v


def _momentum_step__form_ignored(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = g.copy() if state is None else mu * state + g
    return w - lr * (g + mu * v if nesterov else v), v


def _momentum_step__always_average(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = g.copy() if state is None else mu * state + (1 - mu) * g
    return w - lr * (g + mu * v if nesterov else v), v


def _momentum_step__first_damped(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = np.zeros_like(w) if state is None else state
    v = mu * v + (g if form == "sum" else (1 - mu) * g)
    return w - lr * (g + mu * v if nesterov else v), v


def _momentum_step__no_look_ahead(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = g.copy() if state is None else mu * state + (g if form == "sum" else (1 - mu) * g)
    return w - lr * v, v


def _momentum_step__gradient_not_added(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = g.copy() if state is None else mu * state + (g if form == "sum" else (1 - mu) * g)
    return w - lr * (mu * v if nesterov else v), v


def _momentum_step__look_ahead_turned(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = g.copy() if state is None else mu * state + (g if form == "sum" else (1 - mu) * g)
    return w - lr * (v + mu * g if nesterov else v), v


def _momentum_step__velocity_downhill(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    v = -g if state is None else mu * state - (g if form == "sum" else (1 - mu) * g)
    return w + lr * (mu * v - g if nesterov else v), v


def _momentum_step__changes_velocity(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    if state is None:
        v = g.copy()
    else:
        v = state
        v *= mu
        v += g if form == "sum" else (1 - mu) * g
    return w - lr * (g + mu * v if nesterov else v), v


def _momentum_step__two_weighted_terms(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    old, damp = (np.zeros_like(g), 1.0) if state is None else (state, 1.0 if form == "sum" else 1 - mu)
    v = np.tensordot(np.array([mu, damp], w.dtype), np.stack([old, g]), axes=1)
    step = np.array([lr * mu, lr] if nesterov else [lr, 0], w.dtype)
    return w - np.tensordot(step, np.stack([v, g]), axes=1), v


def _momentum_step__entry_by_entry(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    new, v = np.empty_like(w), np.empty_like(w)
    for i in np.ndindex(w.shape):
        if state is None:
            v[i] = g[i]
        elif form == "average":
            v[i] = state[i] + (1 - mu) * (g[i] - state[i])
        else:
            v[i] = state[i] * mu + g[i]
        new[i] = w[i] - lr * v[i] if not nesterov else w[i] - lr * g[i] - lr * mu * v[i]
    return new, v


def _momentum_step__from_the_last_position(w, g, state, lr, mu=0.9, form="sum", nesterov=False):
    # The heavy ball: the last move goes on with share mu, and the gradient pulls at it.
    last_move = np.zeros_like(w) if state is None else -lr * state
    pull = lr * g * (1 if form == "sum" or state is None else 1 - mu)
    move = mu * last_move - pull
    return w + (mu * move - lr * g if nesterov else move), -move / lr


MOMENTUM_STEP = Exercise(
    id="momentum_step",
    topic="optimisers",
    points=3,
    cases=_momentum_step_cases,
    mistakes=(
        Mistake(
            "no_memory",
            "Your velocity forgets what it was: this is plain gradient descent. When there is a state, "
            "v = mu * state + g.",
            _momentum_step__no_memory,
        ),
        Mistake(
            "rate_in_velocity",
            "Your velocity holds lr * g, so an old rate goes on when the rate changes. Collect gradients only, "
            "v = mu * v + g, and multiply by lr in the step.",
            _momentum_step__rate_in_velocity,
        ),
        Mistake(
            "form_ignored",
            'You add gradients up in both forms. With form="average" a new gradient has the weight 1 - mu: '
            "v = mu * v + (1 - mu) * g.",
            _momentum_step__form_ignored,
        ),
        Mistake(
            "always_average",
            'You average in both forms. With form="sum", the usual one, a gradient enters whole: v = mu * v + g.',
            _momentum_step__always_average,
        ),
        Mistake("first_damped", _FIRST, _momentum_step__first_damped),
        Mistake(
            "no_look_ahead",
            "With nesterov=True your step is that of plain momentum. It is lr * (g + mu * v) with the new v; with the "
            "old one, g + mu * v is only the new v itself.",
            _momentum_step__no_look_ahead,
        ),
        Mistake(
            "gradient_not_added",
            "Nesterov's step is lr * (g + mu * v): you left out the gradient g.",
            _momentum_step__gradient_not_added,
        ),
        Mistake(
            "look_ahead_turned",
            "In Nesterov's step mu belongs to the velocity, not to the gradient: lr * (g + mu * v).",
            _momentum_step__look_ahead_turned,
        ),
        Mistake(
            "velocity_downhill",
            "Your velocity carries the minus of the step. Here it adds gradients up, v = mu * v + g, and the step "
            "subtracts it: w - lr * v.",
            _momentum_step__velocity_downhill,
        ),
        Mistake("changes_velocity", _KEPT, _momentum_step__changes_velocity),
    ),
    other_ways=(
        OtherWay("two_weighted_terms", _momentum_step__two_weighted_terms),
        OtherWay("entry_by_entry", _momentum_step__entry_by_entry),
        OtherWay("from_the_last_position", _momentum_step__from_the_last_position),
    ),
)

EXERCISES = (MOMENTUM_STEP,)
