"""Exercises on the residual connection, forward and backward, around a branch that nobody knows."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_both_signs
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Probe, Tree

_ONCE = (
    "Two calls in a row go wrong. Call the branch exactly once, because some branches draw new numbers at every call, "
    "and leave the array f alone: it belongs to the branch."
)
_ALONE = (
    "A branch without parameters, such as relu_backward, returns an array and no tuple. Look at what comes back with "
    "isinstance(through, tuple), and return a tuple of one array: (dout + dx,)."
)
_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."
# Case id to (branch, shape).
_PUBLIC = {
    "three examples": ("bend", (3, 4)),
    "entries that belong together": ("blend", (2, 3)),
    "images": ("bend", (2, 1, 2, 3)),
    "a vector": ("bend", (5,)),
    "float32": ("bend", (2, 4)),
}
_SECRET = {
    "two examples": ("bend", (2, 5)),
    "one example": ("blend", (1, 4)),
    "one number": ("bend", (1,)),
    "entries that belong together": ("blend", (3, 2)),
    "images": ("bend", (2, 3, 2, 2)),
    "all sizes equal": ("bend", (3, 3)),
    "float32": ("bend", (3, 3)),
}


def _probes(rng: np.random.Generator, branch: str, case_id: str, shape: tuple[int, ...]) -> dict[str, Tree]:
    """Inputs, and the passes of a branch with numbers of its own."""
    dtype = "float32" if case_id == "float32" else "float64"
    a, c = (draw(rng, *shape, scale=0.5, dtype=dtype) for _ in range(2))
    coefficients = (a, c) if branch in ("bend", "blend") else (a,)
    x = draw_both_signs(rng, *shape, dtype=dtype)
    # An entry that is surely negative, so that a rectified sum shows.
    x.reshape(-1)[0] = -2 - np.abs(a).max() * 10 - np.abs(c).sum() if branch == "blend" else x.reshape(-1)[0]
    return {"x": x, "branch": Probe(branch, coefficients)}


def _residual_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for case_id, (branch, shape) in (_PUBLIC if public else _SECRET).items():
        cases.append(call_case(case_id, "residual_forward", _probes(rng, branch, case_id, shape), item=0))
    negative = {"x": -np.abs(draw(rng, 2, 3)), "branch": Probe("shift", (np.zeros((2, 3)),))}
    cases.append(call_case("all numbers are negative", "residual_forward", negative, item=0))
    return (*cases, _two_calls(rng))


def _two_calls(rng: np.random.Generator) -> Case:
    steps: list[Step] = []
    for label in ("out", "out of the second call"):
        call = Step("call", f"{label}, cache", "residual_forward", (Handle("x"), Handle("branch")))
        steps += [call, Step("read", label, "", (Handle(f"{label}, cache", 0),), kind="convention")]
    steps.append(Step("read", "x afterwards", "", (Handle("x"),), kind="convention"))
    return Case("two calls", _probes(rng, "drift", "two calls", (2, 3)), tuple(steps), _ONCE)


def _residual_forward__no_skip(x, branch):
    f, inner = branch(x)
    return f, (f, inner)


def _residual_forward__no_branch(x, branch):
    f, inner = branch(x)
    return x.copy(), (f, inner)


def _residual_forward__product(x, branch):
    f, inner = branch(x)
    return x * f, (f, inner)


def _residual_forward__difference(x, branch):
    f, inner = branch(x)
    return f - x, (f, inner)


def _residual_forward__mean(x, branch):
    f, inner = branch(x)
    return (x + f) / 2, (f, inner)


def _residual_forward__rectified(x, branch):
    f, inner = branch(x)
    return np.maximum(x + f, 0), (f, inner)


def _residual_forward__concatenated(x, branch):
    f, inner = branch(x)
    return np.concatenate((x, f), axis=-1), (f, inner)


def _residual_forward__branch_called_twice(x, branch):
    return x + branch(x)[0], branch(x)


def _residual_forward__changes_input(x, branch):
    f, inner = branch(x)
    x += f
    return x, (f, inner)


def _residual_forward__changes_f(x, branch):
    f, inner = branch(x)
    f += x
    return f, (f, inner)


def _residual_forward__no_cache(x, branch):
    f, inner = branch(x)
    return x + f


def _residual_forward__entry_by_entry(x, branch):
    f, inner = branch(x)
    out = np.empty_like(x)
    for place in np.ndindex(x.shape):
        out[place] = x[place] + f[place]
    return out, inner


def _residual_forward__stacked(x, branch):
    kept = branch(x)
    return np.stack((x, kept[0])).sum(axis=0), kept


def _residual_forward__added_to_a_copy(x, branch):
    out = x.copy()
    f, *inner = branch(x)
    out += f
    return out, inner


RESIDUAL_FORWARD = Exercise(
    id="residual_forward",
    topic="residual",
    points=2,
    cases=_residual_forward_cases,
    mistakes=(
        Mistake(
            "no_skip",
            "You return what the branch makes of x, and x itself is lost. Add it: out = x + f.",
            _residual_forward__no_skip,
        ),
        Mistake("no_branch", "You return x alone. Add what the branch answers: x + f.", _residual_forward__no_branch),
        Mistake(
            "product",
            "You multiply the branch by x. A residual connection adds: out = x + f.",
            _residual_forward__product,
        ),
        Mistake(
            "difference",
            "You subtract x. The branch answers what is missing to the result, so that adding x completes it: x + f.",
            _residual_forward__difference,
        ),
        Mistake("mean", "You take the mean of x and f. They are added, not averaged.", _residual_forward__mean),
        Mistake(
            "rectified",
            "You rectify the sum. Some blocks do that, but this function does not: return x + f as it is.",
            _residual_forward__rectified,
        ),
        Mistake(
            "concatenated",
            "You put f beside x. Here they are added entry by entry, so that out has the shape of x.",
            _residual_forward__concatenated,
        ),
        Mistake(
            "branch_called_twice",
            "You call the branch twice. A branch that draws numbers gives another answer each time: write "
            "f, inner = branch(x) once and use both.",
            _residual_forward__branch_called_twice,
        ),
        Mistake(
            "changes_input",
            "Your sum is right, but x is changed. Write out = x + f, which makes a new array, instead of x += f.",
            _residual_forward__changes_input,
        ),
        Mistake(
            "changes_f",
            "Your sum is right, but you change f, which the branch may need for its gradient. Write out = x + f, which "
            "makes a new array, instead of f += x.",
            _residual_forward__changes_f,
        ),
        Mistake(
            "no_cache",
            "You return out alone. The backward pass needs what the branch remembered: return x + f, (f, inner).",
            _residual_forward__no_cache,
        ),
    ),
    other_ways=(
        OtherWay("entry_by_entry", _residual_forward__entry_by_entry),
        OtherWay("stacked", _residual_forward__stacked),
        OtherWay("added_to_a_copy", _residual_forward__added_to_a_copy),
    ),
)


def _residual_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = {name: row for name, row in (_PUBLIC if public else _SECRET).items() if row[0] == "bend"}
    cases = [_backward_case(rng, name, *row) for name, row in table.items()]
    alone = ("a branch that returns an array", "entries that belong together")
    return (
        *cases,
        _backward_case(rng, "called twice", "bend", (3, 2)),
        _backward_case(rng, "the branch hands dout back", "shift", (2, 3)),
        *(_backward_case(rng, name, "blend", (2 + place, 3)) for place, name in enumerate(alone[: 2 - public])),
    )


def _backward_case(rng: np.random.Generator, case_id: str, branch: str, shape: tuple[int, ...]) -> Case:
    inputs = _probes(rng, branch, case_id, shape)
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

EXERCISES = (RESIDUAL_FORWARD, RESIDUAL_BACKWARD)
