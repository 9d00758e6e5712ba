"""Cases that take several steps with an optimiser: weights and state go from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle, Tree

StateRead = Literal["", "last", "first again"]
# Not all steps are read: the first ones tell where it begins to be wrong, the last one that it stays right.
_SHOWN = (1, 2, 3)


def trajectory(
    case_id: str,
    function: str,
    inputs: Mapping[str, Tree],
    *,
    state: StateRead = "",
    kind: Kind = "core",
    says: str = "",
) -> Case:
    """Take one step for each gradient, and read the weights on the way.

    Args:
        case_id: short name of the case.
        function: the optimiser, ``function(w, g, state, *options) -> (w, state)``.
        inputs: ``w``; ``g`` with one gradient per step along its first axis; ``state`` when the first one is not
            None; then the options in the order of the arguments. ``later_lr`` replaces ``lr`` in the second half.
        state: read the last state, or the first one again after the second step has been made from it.
        kind: kind of the weights; that of a state is always a convention.
        says: sentence shown when the convention of this case is missed.
    """
    count = len(inputs["g"])
    options = [name for name in inputs if name not in ("w", "g", "state", "later_lr")]
    steps: list[Step] = []
    weights, before = Handle("w"), Handle("state") if "state" in inputs else None
    for t in range(count):
        late = "later_lr" in inputs and t >= count // 2
        rest = [Handle("later_lr" if late and name == "lr" else name) for name in options]
        steps.append(Step("call", f"step {t + 1}", function, (weights, Handle("g", t), before, *rest)))
        weights, before = Handle(f"step {t + 1}", 0), Handle(f"step {t + 1}", 1)
        if t + 1 in (*_SHOWN, count):
            steps.append(Step("read", f"weights after step {t + 1}", "", (weights,), kind=kind))
    if state:
        read = before if state == "last" else Handle("step 1", 1)
        steps.append(Step("read", f"{state} state", "", (read,), kind="convention"))
    arrays = [name for name, value in inputs.items() if isinstance(value, np.ndarray)]
    steps += [Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention") for name in arrays]
    return Case(case_id, inputs, tuple(steps), says)
