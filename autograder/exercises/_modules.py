"""Steps that the cases of Torch classes share; see `course_lib.modules` for what they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle

Settings = Mapping[str, Any]
NET = Handle("net")


def shapes_case(case_id: str, name: str, settings: Settings) -> Case:
    """Are the parameters those that were asked for, in their order?"""
    ask = Step("module", "shapes", "shapes", (NET,))
    return _case(case_id, name, settings, {}, [ask, _read("parameters", "shapes")])


def outputs_case(
    case_id: str, name: str, settings: Settings, weights: Sequence[np.ndarray],
    *batches: tuple[np.ndarray, bool], says: str = "",
) -> Case:  # fmt: skip
    """The answers to some batches, one after the other; the last are read.

    Args:
        case_id: short name of the case.
        name: the class.
        settings: arguments of its constructor, by name.
        weights: all parameters, in order.
        *batches: pairs of input and whether it is given in training mode.
        says: sentence shown when missing it breaks a convention; "" when it is simply wrong.
    """
    inputs = {f"x{number}": x for number, (x, _) in enumerate(batches, 1)}
    passes = [
        Step("module", f"out{number}", "outputs", (NET, Handle(f"x{number}"), train))
        for number, (_, train) in enumerate(batches, 1)
    ]
    steps = [_loaded(weights), *passes, _read("scores", f"out{len(batches)}", "convention" if says else "core")]
    return _case(case_id, name, settings, inputs, steps, says)


def gradients_case(
    case_id: str, name: str, settings: Settings, weights: Sequence[np.ndarray], x: np.ndarray, dout: np.ndarray
) -> Case:
    """The gradient of every parameter."""
    ask = Step("module", "grads", "gradients", (NET, Handle("x"), Handle("dout")))
    return _case(case_id, name, settings, {"x": x, "dout": dout}, [_loaded(weights), ask, _read("gradient", "grads")])


def fitted_case(
    case_id: str, name: str, settings: Settings, weights: Sequence[np.ndarray],
    examples: tuple[np.ndarray, np.ndarray], steps: int, lr: float,
) -> Case:  # fmt: skip
    """Does it learn a few examples by heart? Read are the weights; a property says what they are worth."""
    x, labels = examples
    ask = Step("module", "fitted", "fitted", (NET, Handle("x"), Handle("labels"), steps, lr))
    return _case(
        case_id, name, settings, {"x": x, "labels": labels}, [_loaded(weights), ask, _read("trained", "fitted")]
    )


def _loaded(weights: Sequence[np.ndarray]) -> Step:
    return Step("module", "loaded", "load", (NET, *weights))


def _read(label: str, name: str, kind: Kind = "core") -> Step:
    return Step("read", label, "", (Handle(name),), kind=kind)


def _case(
    case_id: str, name: str, settings: Settings, inputs: Mapping[str, np.ndarray], steps: Sequence[Step], says: str = ""
) -> Case:
    """Make the module, do the steps, and read all inputs again."""
    bound = {"settings": dict(settings), **inputs}
    made = Step("construct", "net", name, (), {key: Handle("settings", key) for key in settings})
    untouched = (_read(f"{key} afterwards", key, "convention") for key in bound)
    return Case(case_id, bound, (made, *steps, *untouched), says)
