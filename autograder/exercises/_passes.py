"""Cases that go forward and then backward: the cache between the two stays where it was made."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle, Tree

_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."


def forward_then_backward(
    case_id: str, layer: str, inputs: Mapping[str, Tree], *, twice: bool = False, kind: Kind = "core", says: str = ""
) -> Case:
    """Forward with the learner's own function, backward with its cache, then read the gradient and all inputs again.

    Args:
        case_id: short name of the case.
        layer: the functions are ``<layer>_forward`` and ``<layer>_backward``.
        inputs: the arguments of the forward pass in order, and ``dout``.
        twice: call backward a second time with the same arguments, and read that too.
        kind: kind of the gradient; that inputs are left alone is always a convention.
        says: sentence shown when a convention case is missed; a case that calls twice has its own.
    """
    forward = Step("call", "forward", f"{layer}_forward", tuple(Handle(name) for name in inputs if name != "dout"))
    backward = Step("call", "result", f"{layer}_backward", (Handle("dout"), Handle("forward", 1)))
    steps = [forward, backward, Step("read", "result", "", (Handle("result"),), kind=kind)]
    if twice:
        steps += [backward, Step("read", "result of the second call", "", (Handle("result"),), kind="convention")]
    arrays = [name for name, value in inputs.items() if isinstance(value, np.ndarray)]
    steps += [Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in arrays]
    return Case(case_id, inputs, tuple(steps), _TWICE if twice else says)
