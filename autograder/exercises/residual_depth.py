"""Exercise on stochastic depth (topic `residual`), the bug hunt of its lesson."""

# ruff: noqa: PLR0913 - what is drawn comes as a generator or as an argument of its own.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._dropout_cases import away_from_zero, draw_p, dtype_of, generator
from course_lib.cases import Case, Step, call_case
from course_lib.properties.stochastic_depth import AGAIN, stochastic_depth_words
from course_lib.tree import Handle, Tree

# Case id to shape; `keep` says who keeps the branch.
_PUBLIC = {
    "four examples": (4, 3),
    "as many examples as columns": (4, 4),
    "images": (4, 2, 3, 2),
    "a number per example": (5,),
    "float32": (4, 3),
}
_SECRET = {
    "five examples": (5, 2),
    "as many examples as columns": (5, 5),
    "images": (4, 3, 2, 4),
    "images as wide as examples are many": (4, 2, 4, 4),
    "a number per example": (6,),
    "float32": (5, 3),
}
# Case id to (shape, lowest p, highest p), drawn from `rng`: see course_lib/properties/stochastic_depth.py.
_DRAWN = {"drawn, seldom dropped": ((1500, 2), 0.35, 0.42), "drawn in float32": ((1500, 2), 0.6, 0.75)}


def _stochastic_depth_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_kept(rng, case_id, shape) for case_id, shape in (_PUBLIC if public else _SECRET).items()]
    for case_id, fate in (("every branch is kept", True), ("every branch is dropped", False)):
        cases.append(_kept(rng, case_id, (3, 4), np.full(3, fate)))
    for case_id, shape in (("evaluation", (3, 4)), ("evaluation of float32", (2, 3))):
        inputs = _inputs(rng, case_id, shape, 0.6, 0.75) | {"train": False}
        cases.append(call_case(case_id, "stochastic_depth", inputs, item=0))
    spared = _inputs(rng, "", (3, 4), 0.0, 0.0) | {"train": True, "rng": generator(rng)}
    cases.append(call_case("drawn, none is dropped", "stochastic_depth", spared, item=0))
    return (*cases, *(_drawn(rng, case_id, *row) for case_id, row in _DRAWN.items()))


def _inputs(rng: np.random.Generator, case_id: str, shape: tuple[int, ...], low: float, high: float) -> dict[str, Tree]:
    dtype = dtype_of(case_id)
    x = draw(rng, *shape, dtype=dtype)
    return {"x": x, "f": away_from_zero(rng, *shape, dtype=dtype), "p": draw_p(rng, low, high)}


def _kept(rng: np.random.Generator, case_id: str, shape: tuple[int, ...], keep: np.ndarray | None = None) -> Case:
    """A case whose draws are an argument: without `keep` some branches are kept, others dropped."""
    if keep is None:
        keep = rng.permutation(np.arange(shape[0]) % 3 > 0)
    # Away from one half, where p and 1 - p are the same.
    inputs = _inputs(rng, case_id, shape, 0.15, 0.4) | {"train": True, "rng": None, "keep": keep}
    return call_case(case_id, "stochastic_depth", inputs, item=0)


def _drawn(rng: np.random.Generator, case_id: str, shape: tuple[int, ...], low: float, high: float) -> Case:
    made = generator(rng)
    # In a tuple the generator is one object for all calls.
    inputs = _inputs(rng, case_id, shape, low, high) | {"train": True, "rng": (made,)}
    # Each call has its own x and f: a first call that changes them does not change the others.
    inputs["copies"] = (inputs["x"], inputs["f"]) * 2
    given = ((Handle("x"), Handle("f")), *((Handle("copies", i), Handle("copies", i + 1)) for i in (0, 2)))
    sources = (Handle("rng", 0), Handle("rng", 0), made)
    steps: list[Step] = []
    for label, arrays, source in zip(("out", *AGAIN), given, sources, strict=True):
        call = Step("call", f"{label}, cache", "stochastic_depth", (*arrays, Handle("p"), Handle("train"), source))
        steps += [call, Step("read", label, "", (Handle(f"{label}, cache", 0),))]
    steps += [Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in ("x", "f")]
    return Case(case_id, inputs, tuple(steps))


def _stochastic_depth__both_bugs_untouched(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + (1 - p) * f, (np.full(len(x), 1 - p),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return (x + f) * factor, (factor,)


def _stochastic_depth__sum_untouched(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return (x + f) * factor, (factor,)


def _stochastic_depth__evaluation_untouched(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + (1 - p) * f, (np.full(len(x), 1 - p),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__no_scale(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = keep.astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__scaled_in_evaluation_only(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + (1 - p) * f, (np.full(len(x), 1 - p),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = keep.astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__divided_by_p(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    with np.errstate(all="ignore"):
        factor = (keep / np.float64(p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
        return x + f * factor, (factor,)


def _stochastic_depth__swapped(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (~keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__evaluation_without_branch(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x.copy(), (np.zeros(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__whole_batch(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    fate = rng.random() >= p if keep is None else keep[0]
    factor = np.asarray(fate / (1 - p), x.dtype)
    return x + f * factor, (factor,)


def _stochastic_depth__along_the_columns(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype)
    return x + f * factor, (factor,)


def _stochastic_depth__keep_ignored(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    keep = np.ones(len(x), bool) if rng is None else rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__entry_by_entry_draws(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        factor = ((rng.random(x.shape) >= p) / (1 - p)).astype(x.dtype)
    else:
        factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x + f * factor, (factor,)


def _stochastic_depth__changes_f(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return x + f, (np.ones(len(x)),)
    if keep is None:
        keep = rng.random(len(x)) >= p
    factor = (keep / (1 - p)).astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    out = x + f * factor
    f *= factor
    return out, (factor,)


def _stochastic_depth__example_by_example(x, f, p=0.5, train=True, rng=None, keep=None):
    out = x.copy()
    factor = np.ones(len(x), x.dtype)
    for i in range(len(x)):
        if train:
            kept = rng.random() >= p if keep is None else keep[i]
            factor[i] = 1 / (1 - p) if kept else 0
        out[i] += f[i] * factor[i]
    return out, (factor,)


def _stochastic_depth__chosen(x, f, p=0.5, train=True, rng=None, keep=None):
    if not train:
        return np.add(x, f), (np.ones(len(x), x.dtype),)
    kept = rng.binomial(1, 1 - p, len(x)) > 0 if keep is None else keep
    out = np.array(x)
    out[np.flatnonzero(kept)] += f[kept] / (1 - p)
    return out, (kept / (1 - p),)


STOCHASTIC_DEPTH = Exercise(
    id="stochastic_depth",
    topic="residual",
    points=3,
    cases=_stochastic_depth_cases,
    prepare=stochastic_depth_words,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. Look at an example whose branch is dropped, and compare the mean over many "
            "draws with what evaluation returns.",
            _stochastic_depth__both_bugs_untouched,
        ),
        Mistake(
            "sum_untouched",
            "Evaluation is right now. In training an example whose branch is dropped must still come out as x: the "
            "factor belongs to f alone.",
            _stochastic_depth__sum_untouched,
        ),
        Mistake(
            "evaluation_untouched",
            "Training is right now. It divides by 1 - p already, so that evaluation adds the branch as it is: x + f.",
            _stochastic_depth__evaluation_untouched,
        ),
        Mistake(
            "no_scale",
            "The branches that stay are not scaled. Divide them by 1 - p, so that the mean over many draws is x + f.",
            _stochastic_depth__no_scale,
        ),
        Mistake(
            "scaled_in_evaluation_only",
            "You scale in evaluation, as classic dropout does. Here training divides f by 1 - p, and evaluation is "
            "x + f.",
            _stochastic_depth__scaled_in_evaluation_only,
        ),
        Mistake(
            "divided_by_p",
            "You divide by p. The share of branches that stay is 1 - p: divide by that.",
            _stochastic_depth__divided_by_p,
        ),
        Mistake(
            "swapped",
            "You drop what should be kept. keep is True where an example keeps its branch.",
            _stochastic_depth__swapped,
        ),
        Mistake(
            "evaluation_without_branch",
            "In evaluation the branch is missing. Nothing is dropped then: x + f.",
            _stochastic_depth__evaluation_without_branch,
        ),
        Mistake(
            "whole_batch",
            "All examples share one fate. Draw for each example: rng.random(len(x)), and use every entry of keep.",
            _stochastic_depth__whole_batch,
        ),
        Mistake(
            "along_the_columns",
            "The factors of the examples run along the last axis. Give them the shape (N, 1, ...) before you multiply.",
            _stochastic_depth__along_the_columns,
        ),
        Mistake(
            "keep_ignored",
            "You do not look at keep. When it is given, it says who keeps the branch, and nothing is drawn.",
            _stochastic_depth__keep_ignored,
        ),
        Mistake(
            "entry_by_entry_draws",
            "You draw for every entry, which is dropout. Here an example keeps or loses its whole branch: draw "
            "len(x) numbers.",
            _stochastic_depth__entry_by_entry_draws,
        ),
        Mistake(
            "changes_f",
            "Your values are right, but f is changed. Write f * factor, which makes a new array, instead of "
            "f *= factor.",
            _stochastic_depth__changes_f,
        ),
    ),
    other_ways=(
        OtherWay("example_by_example", _stochastic_depth__example_by_example),
        OtherWay("chosen", _stochastic_depth__chosen),
    ),
)

EXERCISES = (STOCHASTIC_DEPTH,)
