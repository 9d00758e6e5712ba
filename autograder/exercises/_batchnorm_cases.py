"""Numbers and steps that the exercises on normalisation share.

Scales are never 1 and shifts never 0, so that a forgotten one shows; upstream gradients are drawn, because with
equal ones the gradient of a normalised input is 0 whatever the formula.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autograder.exercises._draw import draw
from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle, Tree

FAR = 1e4
SMALL_EPS, LARGE_EPS = 1e-5, 1e-3
SQUARES = (
    "Large inputs break it. Subtract the mean before you square: mean(x**2) - mean(x)**2 is the difference of two "
    "nearly equal numbers when x is far from zero."
)
_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."


def dtype_of(case_id: str) -> str:
    """float32 for the case that is about it, float64 for the others."""
    return "float32" if case_id == "float32" else "float64"


def values(rng: np.random.Generator, case_id: str, *shape: int) -> np.ndarray:
    """What enters the layer: spread little, far from zero or plainly, as the name of the case says."""
    x = draw(rng, *shape)
    if case_id == "small spread":
        x = 1 + x / 50
    if case_id == "far from zero":
        x = FAR + x
    if case_id == "one feature is constant":
        x[:, 0] = 0.75
    return x.astype(dtype_of(case_id))


def eps_of(case_id: str) -> float:
    """A number that matters where the spread is small."""
    return LARGE_EPS if case_id == "small spread" else SMALL_EPS


def scales(rng: np.random.Generator, size: int, dtype: str) -> np.ndarray:
    """Factors of either sign, never 1 and no two of the same size."""
    sizes = 1.2 + 0.3 * rng.permutation(size) + np.round(rng.uniform(0, 0.2, size), 2)
    return (sizes * _signs(rng, size)).astype(dtype)


def shifts(rng: np.random.Generator, size: int, dtype: str) -> np.ndarray:
    """Shifts of either sign, away from 0."""
    return (np.round(rng.uniform(0.2, 1.5, size), 2) * _signs(rng, size)).astype(dtype)


def affine(rng: np.random.Generator, case_id: str, size: int) -> dict[str, np.ndarray]:
    """The learned part of a normalisation: gamma and beta."""
    dtype = dtype_of(case_id)
    return {"gamma": scales(rng, size, dtype), "beta": shifts(rng, size, dtype)}


def estimates(rng: np.random.Generator, case_id: str, size: int) -> dict[str, np.ndarray]:
    """Running estimates in the middle of a training: means away from 0, variances away from 1."""
    dtype = dtype_of(case_id)
    var = 1.3 + 0.4 * rng.permutation(size) + np.round(rng.uniform(0, 0.3, size), 2)
    return {"running_mean": shifts(rng, size, dtype), "running_var": var.astype(dtype)}


def training_inputs(rng: np.random.Generator, case_id: str, *shape: int) -> dict[str, Tree]:
    """Everything that a layer in training mode is given, in the order of its arguments."""
    inputs = {"x": values(rng, case_id, *shape), **affine(rng, case_id, shape[1]), **estimates(rng, case_id, shape[1])}
    # Away from a half: there a reversed momentum says the same.
    return {**inputs, "momentum": round(float(rng.uniform(0.1, 0.35)), 2), "eps": eps_of(case_id)}


def training_case(
    function: str, case_id: str, inputs: Mapping[str, Tree], *, kind: Kind = "core", says: str = ""
) -> Case:
    """One call in training mode: out and both new estimates are read, the cache is the learner's own affair."""
    call = Step("call", "result", function, tuple(Handle(name) for name in inputs))
    return Case(case_id, inputs, (call, *read_training("result", kind), *untouched(inputs)), says)


def read_training(name: str, kind: Kind = "core") -> list[Step]:
    """Reads of what a layer in training mode returned under that name."""
    labels = {0: "out", 2: "new running mean", 3: "new running variance"}
    return [Step("read", label, "", (Handle(name, item),), kind=kind) for item, label in labels.items()]


def refusing_case(function: str, case_id: str, inputs: Mapping[str, Tree], says: str) -> Case:
    """A call that should raise `ValueError`."""
    call = Step("refuse", "answer", function, tuple(Handle(name) for name in inputs))
    read = Step("read", f"answer to {case_id}", "", (Handle("answer"),), kind="convention")
    return Case(case_id, inputs, (call, read, *untouched(inputs)), says)


def backward_case(function: str, case_id: str, inputs: Mapping[str, Tree], *, twice: bool = False) -> Case:
    """Forward with the learner's own `batchnorm_forward`, then backward with its cache, which never leaves."""
    forward = Step("call", "forward", "batchnorm_forward", tuple(Handle(name) for name in inputs if name != "dout"))
    backward = Step("call", "result", function, (Handle("dout"), Handle("forward", 1)))
    steps = [forward, backward, Step("read", "result", "", (Handle("result"),))]
    if twice:
        steps += [backward, Step("read", "result of the second call", "", (Handle("result"),), kind="convention")]
    return Case(case_id, inputs, (*steps, *untouched(inputs)), _TWICE if twice else "")


def untouched(inputs: Mapping[str, Tree]) -> tuple[Step, ...]:
    """Reads every input array again."""
    names = [name for name, value in inputs.items() if isinstance(value, (np.ndarray, list))]
    return tuple(Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in names)


def _signs(rng: np.random.Generator, size: int) -> np.ndarray:
    return (-1.0) ** np.arange(size) * rng.choice([-1.0, 1.0])
