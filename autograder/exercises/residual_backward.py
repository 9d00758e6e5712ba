"""Exercise on the way back of the residual connection, around a branch that nobody knows."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises.residual import PUBLIC, SECRET, probes
from course_lib.cases import Case, Step
from course_lib.tree import Handle, Probe

_ALONE = (
    "A branch without parameters, such as relu_backward, returns an array and no tuple. Look at what comes back with "
    "isinstance(through, tuple), and return a tuple of one array: (dout + dx,)."
)
_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."


def _residual_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = {name: row for name, row in (PUBLIC if public else SECRET).items() if row[0] == "bend"}
    cases = [_backward_case(rng, name, *row) for name, row in table.items()]
    alone = ("a branch that returns an array", "entries that belong together")
    return (
        *cases,
        _backward_case(rng, "called twice", "bend", (3, 2)),
        _backward_case(rng, "the branch hands dout back", "shift", (2, 3)),
        *(_backward_case(rng, name, "blend", (2 + place, 3)) for place, name in enumerate(alone[: 2 - public])),
    )


def _backward_case(rng: np.random.Generator, case_id: str, branch: str, shape: tuple[int, ...]) -> Case:
    inputs = probes(rng, branch, case_id, shape)
    inputs["dout"] = draw(rng, *shape, dtype=inputs["x"].dtype.name)
    inputs["branch_backward"] = Probe(f"{branch}_backward", inputs["branch"].coefficients)
    kind, says = ("convention", _ALONE) if branch == "blend" else ("core", "")
    forward = Step("call", "forward", "residual_forward", (Handle("x"), Handle("branch")))
    backward = Step(
        "call", "result", "residual_backward", (Handle("dout"), Handle("forward", 1), Handle("branch_backward"))
    )
    steps = [forward, backward, Step("read", "result", "", (Handle("result"),), kind=kind)]
    if case_id == "called twice":
        says = _TWICE
        steps += [backward, Step("read", "result of the second call", "", (Handle("result"),), kind="convention")]
    steps += [Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in ("x", "dout")]
    return Case(case_id, inputs, tuple(steps), says)


def _residual_backward__skip_lost(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    return through if isinstance(through, tuple) else (through,)


def _residual_backward__skip_lost_as_it_came(dout, cache, branch_backward):
    return branch_backward(dout, cache[1])


def _residual_backward__whole_cache(dout, cache, branch_backward):
    through = branch_backward(dout, cache)
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return dout + dx, *rest


def _residual_backward__branch_lost(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    rest = through[1:] if isinstance(through, tuple) else ()
    return dout.copy(), *rest


def _residual_backward__one_for_the_skip(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return 1 + dx, *rest


def _residual_backward__product(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return dout * dx, *rest


def _residual_backward__halves(dout, cache, branch_backward):
    through = branch_backward(dout / 2, cache[1])
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return dout / 2 + dx, *rest


def _residual_backward__added_to_all(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    return tuple(dout + part for part in (through if isinstance(through, tuple) else (through,)))


def _residual_backward__rest_lost(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    return (dout + (through[0] if isinstance(through, tuple) else through),)


def _residual_backward__array_unpacked(dout, cache, branch_backward):
    dx, *rest = branch_backward(dout, cache[1])
    return dout + dx, *rest


def _residual_backward__array_alone(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    if not isinstance(through, tuple):
        return dout + through
    return dout + through[0], *through[1:]


def _residual_backward__changes_dx(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    dx, *rest = through if isinstance(through, tuple) else (through,)
    dx += dout
    return dx, *rest


def _residual_backward__changes_dout(dout, cache, branch_backward):
    through = branch_backward(dout, cache[1])
    dx, *rest = through if isinstance(through, tuple) else (through,)
    dout += dx
    return dout, *rest


def _residual_backward__entry_by_entry(dout, cache, branch_backward):
    through = branch_backward(dout, cache[-1])
    gradients = list(through) if isinstance(through, tuple) else [through]
    dx = dout.copy()
    for place in np.ndindex(dout.shape):
        dx[place] += gradients[0][place]
    return [dx, *gradients[1:]]


def _residual_backward__branch_gets_a_copy(dout, cache, branch_backward):
    through = branch_backward(dout.copy(), cache[1])
    if isinstance(through, np.ndarray):
        through = (through,)
    return np.sum([dout, through[0]], axis=0), *through[1:]


RESIDUAL_BACKWARD = Exercise(
    id="residual_backward",
    topic="residual",
    points=2,
    cases=_residual_backward_cases,
    uses=("residual_forward",),
    mistakes=(
        Mistake(
            "skip_lost",
            "The gradient comes back through the branch alone. x also went past it: add dout to dx.",
            _residual_backward__skip_lost,
        ),
        Mistake(
            "skip_lost_as_it_came",
            "You hand on what the branch returns. x also went past it: add dout to dx, and return a tuple always.",
            _residual_backward__skip_lost_as_it_came,
        ),
        Mistake(
            "whole_cache",
            "You give the branch the whole cache, with f in front. Its own is the second entry: inner = cache[1].",
            _residual_backward__whole_cache,
        ),
        Mistake(
            "branch_lost",
            "dx is dout alone. The branch saw x too: add the dx that its backward pass returns.",
            _residual_backward__branch_lost,
        ),
        Mistake(
            "one_for_the_skip",
            "You add 1 for the way past the branch. The slope there is 1, times the upstream gradient: add dout.",
            _residual_backward__one_for_the_skip,
        ),
        Mistake(
            "product",
            "You multiply the two gradients. x went two ways, and gradients of two ways are added: dout + dx.",
            _residual_backward__product,
        ),
        Mistake(
            "halves",
            "You share dout between the two ways. Each way gets all of it, and the results are added.",
            _residual_backward__halves,
        ),
        Mistake(
            "added_to_all",
            "You add dout to the gradients of the parameters too. Only dx, the first, has a way past the branch.",
            _residual_backward__added_to_all,
        ),
        Mistake(
            "rest_lost",
            "The gradients of the branch's parameters are lost. Return everything: (dout + dx, *rest).",
            _residual_backward__rest_lost,
        ),
        Mistake("array_unpacked", _ALONE, _residual_backward__array_unpacked),
        Mistake(
            "array_alone",
            "For a branch without parameters you return an array. Return a tuple always, then of one: (dout + dx,).",
            _residual_backward__array_alone,
        ),
        Mistake(
            "changes_dx",
            "You add in place to what the branch returned. That may be dout itself: write dout + dx, which makes a new "
            "array, instead of dx += dout.",
            _residual_backward__changes_dx,
        ),
        Mistake(
            "changes_dout",
            "Your sum is right, but dout is changed. Write dout + dx, which makes a new array, instead of dout += dx.",
            _residual_backward__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("entry_by_entry", _residual_backward__entry_by_entry),
        OtherWay("branch_gets_a_copy", _residual_backward__branch_gets_a_copy),
    ),
)

EXERCISES = (RESIDUAL_BACKWARD,)
