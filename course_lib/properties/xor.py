"""Networks for XOR, judged by what they answer: by hand or trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.cases import Case
from course_lib.tree import Tree
from course_lib.validate import check_arrays

Kernels = Mapping[str, Callable[..., Any]]

NEEDS: dict[str, dict[str, str]] = {"xor_labels": {"mlp_forward": "mlp"}, "trained_labels": {"mlp_forward": "mlp"}}

XOR_CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
STEPS_BY_VALUE = 5
JITTER = 0.05
_MARGIN = 0.1
_SHAPES = {"w1": "H 2", "b1": "H", "w2": "1 H", "b2": "1"}


def xor_labels(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """What a 2-H-1 network answers at each of the four corners: yes or no, and whether it is 0.1 away from 0.5."""
    out = network_answers(kernels, XOR_CORNERS, _read_weights(seen["result"]))
    names = [messages.CORNER.format(a1=a1, a2=a2) for a1, a2 in XOR_CORNERS]
    return {**seen, "result": dict(zip(names, map(_in_words, out), strict=True))}


def _in_words(answer: float) -> str:
    if np.isnan(answer):
        return messages.NO_NUMBER_ANSWER
    clear = abs(answer - 0.5) >= _MARGIN
    return messages.CORNER_ANSWERS[2 * int(answer > 0.5) + int(clear == (answer > 0.5))]


def trained_labels(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """What a trained network answers at points it has not seen; after few steps the weights themselves count."""
    if case.inputs["steps"] <= STEPS_BY_VALUE:
        return seen
    out = network_answers(kernels, unseen_points(case)[0], _read_weights(seen["result"]))
    return {**seen, "result": {messages.NEW_POINTS: (out > 0.5).astype(int)}}


def unseen_points(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Points near the ones trained on, four for each, and their labels."""
    x, y = case.inputs["x"], case.inputs["y"]
    moves = np.random.default_rng(len(x)).uniform(-JITTER, JITTER, (4, *x.shape))
    return (x + moves).reshape(-1, 2), np.tile(y[:, 0], 4)


def network_answers(kernels: Kernels, points: np.ndarray, weights: tuple[np.ndarray, ...]) -> np.ndarray:
    """Output of the network at each point, (N,)."""
    # Huge weights may overflow on the way; what comes out is judged all the same.
    with np.errstate(all="ignore"):
        return np.asarray(kernels["mlp_forward"](points, *weights)[0])[:, 0]


def _read_weights(answer: Tree) -> tuple[np.ndarray, ...]:
    if not isinstance(answer, (list, tuple)) or len(answer) != len(_SHAPES):
        raise ValueError(messages.FOUR_WEIGHTS)
    weights = {}
    for name, value in zip(_SHAPES, answer, strict=True):
        if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biuf":
            raise ValueError(messages.NO_REAL_ARRAY.format(name=name))
        weights[name] = np.asarray(value, dtype=np.float64)
        if not np.isfinite(weights[name]).all():
            raise ValueError(messages.NOT_FINITE.format(name=name))
    hidden = len(np.atleast_1d(weights["b1"]))
    if weights["w2"].shape == (hidden, 1) != (1, 1):
        raise ValueError(messages.TURNED_OUTPUT)
    check_arrays(np.ndarray, **{name: (value, _SHAPES[name]) for name, value in weights.items()})
    if len(weights["b1"]) < 2:
        raise ValueError(messages.ONE_HIDDEN_UNIT)
    return tuple(weights.values())
