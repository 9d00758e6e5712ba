"""Cases of the dropout exercises: large arrays whose masks are judged in words, small ones compared by value."""

from __future__ import annotations

import numpy as np

from autograder.exercises._draw import draw
from course_lib.cases import Case, Step, call_case
from course_lib.properties.dropout import AGAIN
from course_lib.tree import Handle, Rng

# Case id to (shape, lowest p, highest p). 2,000 entries are enough: see course_lib/properties/dropout.py.
_PUBLIC = {
    "a matrix": ((40, 50), 0.35, 0.42),
    "more dropped than kept": ((50, 40), 0.6, 0.75),
    "nothing is dropped": ((3, 4), 0.0, 0.0),
    "float32": ((40, 50), 0.35, 0.42),
}
_SECRET = _PUBLIC | {
    "three axes": ((20, 10, 10), 0.35, 0.42),
    "nearly all dropped": ((25, 80), 0.95, 0.95),
}
_EVALUATION = {
    "evaluation": (3, 4),
    "evaluation with a generator": (4, 2),
    "evaluation of float32": (2, 3),
    "evaluation of a vector": (5,),
}


def dropout_cases(layer: str, rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    """Cases of a forward pass ``layer(x, p, train, rng)``.

    Args:
        layer: the function's name.
        rng: where the numbers come from.
        public: for learners to see?
    """
    cases = [training(layer, rng, name, *row) for name, row in (_PUBLIC if public else _SECRET).items()]
    cases.append(training(layer, rng, "two calls", (50, 40), 0.35, 0.42, again=True))
    return (*cases, *(_evaluation(layer, rng, name, shape) for name, shape in _EVALUATION.items()))


def away_from_zero(rng: np.random.Generator, *shape: int, dtype: str = "float64") -> np.ndarray:
    """Numbers of either sign, 0.5 to 2 in size: a zero in what comes out is then a dropped entry."""
    return (np.round(rng.uniform(0.5, 2.0, shape), 2) * rng.choice([-1.0, 1.0], shape)).astype(dtype)


def draw_p(rng: np.random.Generator, low: float, high: float) -> float:
    """A probability to drop, with three decimals."""
    return round(float(rng.uniform(low, high)), 3)


def generator(rng: np.random.Generator) -> Rng:
    """A random generator for a case."""
    return Rng(int(rng.integers(1 << 31)))


def dtype_of(case_id: str) -> str:
    """The dtype that a case's name announces."""
    return "float32" if "float32" in case_id else "float64"


def training(
    layer: str,
    rng: np.random.Generator,
    case_id: str,
    shape: tuple[int, ...],
    low: float,
    high: float,
    *,
    again: bool = False,
) -> Case:
    """A training pass; `again` adds a second call with the same generator, and one with a new one of the same seed."""
    made = generator(rng)
    x = away_from_zero(rng, *shape, dtype=dtype_of(case_id))
    # In a tuple the generator is one object for all calls.
    inputs = {"x": x, "p": draw_p(rng, low, high), "train": True, "rng": (made,)}
    steps = _call("out", layer, Handle("x"), Handle("rng", 0))
    if again:
        # Each call has its own x: a first call that changes x does not change the others.
        inputs["copies"] = (x, x)
        for place, (label, source) in enumerate(zip(AGAIN, (Handle("rng", 0), made), strict=True)):
            steps += _call(label, layer, Handle("copies", place), source)
    steps.append(Step("read", "x afterwards", "", (Handle("x"),), kind="convention"))
    return Case(case_id, inputs, tuple(steps))


def _call(label: str, layer: str, x: Handle, source: Handle | Rng) -> list[Step]:
    call = Step("call", f"{label}, cache", layer, (x, Handle("p"), Handle("train"), source))
    return [call, Step("read", label, "", (Handle(f"{label}, cache", 0),))]


def _evaluation(layer: str, rng: np.random.Generator, case_id: str, shape: tuple[int, ...]) -> Case:
    inputs = {"x": draw(rng, *shape, dtype=dtype_of(case_id)), "p": draw_p(rng, 0.6, 0.75), "train": False}
    if "generator" in case_id:
        inputs["rng"] = generator(rng)
    return call_case(case_id, layer, inputs, item=0)
