"""First weights, judged by their statistics: how far they reach, where their middle is, how evenly they lie.

What is compared are words, so that a verdict never hangs on the digits of a draw. With n numbers drawn evenly from
-limit to limit, and u = w / limit:

- **Reach.** No number lies beyond the limit, and the largest is close to it: it stays below ``(1 - d) * limit`` with
  probability ``(1 - d)**n < exp(-n * d)``, which is 1e-9 (six sigma) for ``d = 21 / n``. So the largest square,
  times the sum of inputs or connections that the formula divides by, is the formula's numerator from below, to
  ``2 d``. It is rounded to steps of an eighth to a quarter of its size (`_coarse`): of the numerators 6 and 1 that
  leaves out what is 6 % too small or 8 % too large, so a limit that is 10 % off (a square 19 % or 21 % off) has
  another word, and ``n >= LEAST`` keeps a right one inside.
- **Middle.** The mean of n numbers with root mean square r has a standard deviation of r / sqrt(n).
- **Evenness.** ``3 * mean(u**2)`` is 1 on average. As u**2 has the variance ``1/5 - 1/9 = 4/45``, its standard
  deviation is ``3 * sqrt(4/45 / n) = 0.894 / sqrt(n)``. The largest number stands for the limit, which adds ``2 d``.

Fewer numbers than `LEAST` say nothing: of such an array only shape and dtype are compared. Whether the generator that
came in is used shows in repeated calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.cases import Case
from course_lib.tree import Tree

Kernels = Mapping[str, Callable[..., Any]]

NEEDS: dict[str, dict[str, str]] = {"kaiming_statistics": {}, "glorot_statistics": {}}

LEAST = 1000
_SIGMAS = 6.0
_EDGE = 21.0
_OWN = 0.9


def kaiming_statistics(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """Weights and biases of a layer in words; both are measured by the inputs of one output."""
    inputs = math.prod(case.inputs["shape"][1:])
    return _in_words(seen, ("w", "b"), messages.DRAWS_INPUTS, inputs)


def glorot_statistics(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """Weights of a layer in words, measured by the inputs of one output plus the outputs of one input."""
    outputs, inputs, *window = case.inputs["shape"]
    return _in_words(seen, ("w",), messages.DRAWS_CONNECTIONS, (outputs + inputs) * math.prod(window))


def _in_words(seen: Mapping[str, Tree], names: tuple[str, ...], fan_name: str, fan: int) -> Mapping[str, Tree]:
    draws = {label: _read(value, names) for label, value in seen.items() if not label.endswith(" afterwards")}
    first, *others = draws
    words = {}
    for name in names:
        words |= _describe(name, draws[first][name], fan_name, fan)
        for label in others:
            same = np.array_equal(draws[first][name], draws[label][name])
            words[messages.DRAWS_REPEATED.format(name=name, which=label)] = messages.DRAWS_SAME[same]
    return {first: words, **{label: value for label, value in seen.items() if label not in draws}}


def _read(answer: Tree, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of one answer by name."""
    if len(names) == 1:
        answer = [answer]
    if not isinstance(answer, (list, tuple)) or len(answer) != len(names):
        raise ValueError(messages.WEIGHTS_AND_BIASES)
    for name, value in zip(names, answer, strict=True):
        if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biuf":
            raise ValueError(messages.NO_REAL_ARRAY.format(name=name))
        if not np.isfinite(value).all():
            raise ValueError(messages.NOT_FINITE.format(name=name))
    return dict(zip(names, map(np.asarray, answer), strict=True))


def _describe(name: str, draws: np.ndarray, fan_name: str, fan: int) -> dict[str, str]:
    labels = messages.DRAWS_LABELS
    words = {labels["shape"].format(name=name): str(draws.shape), labels["dtype"].format(name=name): draws.dtype.name}
    if draws.size < LEAST:
        return words
    # Squares of integers or of float16 could overflow.
    values = draws.astype(np.float64)
    words[labels["middle"].format(name=name)] = messages.DRAWS_MIDDLE[_middle(values)]
    words[labels["evenness"].format(name=name)] = messages.DRAWS_EVENNESS[_evenness(values)]
    reach = messages.DRAWS_REACH.format(square=_coarse(np.abs(values).max() ** 2 * fan), fan=fan_name)
    return words | {labels["reach"].format(name=name): reach}


def _middle(values: np.ndarray) -> int:
    """-1, 0 or 1: the mean lies below zero, nowhere in particular, or above."""
    mean, bound = values.mean(), _SIGMAS * math.sqrt(np.square(values).mean() / values.size)
    return int(mean > bound) - int(mean < -bound)


def _evenness(values: np.ndarray) -> str:
    """Do the numbers lie evenly up to the largest, crowd in the middle or at the ends, or repeat?"""
    # Draws in float32 meet by chance: a few equal ones are no repetition.
    if np.unique(values).size < _OWN * values.size:
        return "repeated"
    square = 3 * np.square(values).mean() / np.abs(values).max() ** 2
    bound = _SIGMAS * 0.9 / math.sqrt(values.size)
    if square < 1 - bound:
        return "middle"
    return "ends" if square > (1 + bound) / (1 - _EDGE / values.size) ** 2 else "even"


def _coarse(square: float) -> str:
    """Three binary digits of a number: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ..."""
    if square == 0:
        return "0"
    step = 2.0 ** (math.frexp(square)[1] - 3)
    return f"{round(square / step) * step:.4g}"
