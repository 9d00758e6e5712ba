"""Exercise on the residual connection around a branch that nobody knows."""

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
_CACHE = (
    "The way back relies on the cache being a pair: what the branch answered first, then what it returned for its own "
    "way back. Return x + f, (f, inner)."
)
# Case id to (branch, shape).
PUBLIC = {
    "three examples": ("bend", (3, 4)),
    "entries that belong together": ("blend", (2, 3)),
    "images": ("bend", (2, 1, 2, 3)),
    "a vector": ("bend", (5,)),
    "float32": ("bend", (2, 4)),
}
SECRET = {
    "two examples": ("bend", (2, 5)),
    "one example": ("blend", (1, 4)),
    "one number": ("bend", (1,)),
    "entries that belong together": ("blend", (3, 2)),
    "images": ("bend", (2, 3, 2, 2)),
    "all sizes equal": ("bend", (3, 3)),
    "float32": ("bend", (3, 3)),
}


def probes(rng: np.random.Generator, branch: str, case_id: str, shape: tuple[int, ...]) -> dict[str, Tree]:
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
    for case_id, (branch, shape) in (PUBLIC if public else SECRET).items():
        cases.append(call_case(case_id, "residual_forward", probes(rng, branch, case_id, shape), item=0))
    negative = {"x": -np.abs(draw(rng, 2, 3)), "branch": Probe("shift", (np.zeros((2, 3)),))}
    cases.append(call_case("all numbers are negative", "residual_forward", negative, item=0))
    entries = ("first entry of the cache", "second entry of the cache")
    return (*cases, *(_cache(rng, label, place) for place, label in enumerate(entries)), _two_calls(rng))


def _cache(rng: np.random.Generator, label: str, place: int) -> Case:
    steps = (
        Step("call", "result", "residual_forward", (Handle("x"), Handle("branch"))),
        Step("read", "out", "", (Handle("result", 0),)),
        Step("take", "cache", "", (Handle("result", 1), place + 1)),
        Step("read", label, "", (Handle("cache", place),), kind="convention"),
        Step("read", "x afterwards", "", (Handle("x"),), kind="convention"),
    )
    return Case(label, probes(rng, "bend", label, (2, 3)), steps, _CACHE)


def _two_calls(rng: np.random.Generator) -> Case:
    steps: list[Step] = []
    for label in ("out", "out of the second call"):
        call = Step("call", f"{label}, cache", "residual_forward", (Handle("x"), Handle("branch")))
        steps += [call, Step("read", label, "", (Handle(f"{label}, cache", 0),), kind="convention")]
    steps.append(Step("read", "x afterwards", "", (Handle("x"),), kind="convention"))
    return Case("two calls", probes(rng, "drift", "two calls", (2, 3)), tuple(steps), _ONCE)


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


def _residual_forward__inner_alone(x, branch):
    f, inner = branch(x)
    return x + f, inner


def _residual_forward__cache_turned(x, branch):
    f, inner = branch(x)
    return x + f, (inner, f)


def _residual_forward__entry_by_entry(x, branch):
    f, inner = branch(x)
    out = np.empty_like(x)
    for place in np.ndindex(x.shape):
        out[place] = x[place] + f[place]
    return out, (f, inner)


def _residual_forward__stacked(x, branch):
    kept = branch(x)
    return np.stack((x, kept[0])).sum(axis=0), kept


def _residual_forward__added_to_a_copy(x, branch):
    out = x.copy()
    f, *inner = branch(x)
    out += f
    return out, (f, *inner)


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
        Mistake(
            "inner_alone",
            "Your sum is right, but your cache is what the branch returned second. Return x + f, (f, inner).",
            _residual_forward__inner_alone,
        ),
        Mistake(
            "cache_turned",
            "Your sum is right, but the entries of your cache are swapped: f first, then inner.",
            _residual_forward__cache_turned,
        ),
    ),
    other_ways=(
        OtherWay("entry_by_entry", _residual_forward__entry_by_entry),
        OtherWay("stacked", _residual_forward__stacked),
        OtherWay("added_to_a_copy", _residual_forward__added_to_a_copy),
    ),
)

EXERCISES = (RESIDUAL_FORWARD,)
