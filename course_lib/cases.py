"""A case: named inputs, a short list of steps, and what is read at the end.

The same `run` plays a case everywhere: in the notebook with the learner's function, inside the walls
with a submission's functions, and outside with the NumPy reference and its Torch counterpart. What a
step makes stays where it is played and gets a name; only `read` lets a value out. So ``mlp_forward``
followed by ``mlp_backward`` is judged although the cache between them never leaves.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np

from course_lib import messages
from course_lib.modules import ask
from course_lib.probes import PROBES
from course_lib.tree import Handle, Probe, Rng, Tree

Kind = Literal["core", "stability", "convention"]
Op = Literal["call", "refuse", "construct", "method", "operator", "getattr", "take", "global", "module", "read"]

OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "@": operator.matmul, "**": operator.pow, "neg": operator.neg,
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One thing to do. Every step but `read` binds its result to `name`.

    Args:
        op: what to do; `global` fetches a module-level value such as an exam answer, `refuse` calls a function
            that should refuse its arguments, and says whether it raised `ValueError`, `module` asks a Torch module
            (see `course_lib.modules`).
        name: for `read` the label of what is observed, else the name of the result.
        target: function or class (`call`, `construct`, `global`), method, attribute or request, operator sign.
        args: positional arguments; a `Handle` is replaced by what it names. For `method`, `module`, `getattr` and
            `take` the first one is the object; for `read` the only one is what is observed.
        kwargs: keyword arguments.
        kind: for `read`: what missing it costs (see docs/grading.md).
    """

    op: Op
    name: str
    target: str = ""
    args: tuple[Tree, ...] = ()
    kwargs: Mapping[str, Tree] = field(default_factory=dict)
    kind: Kind = "core"


@dataclass(frozen=True)
class Case:
    """Inputs and steps.

    Args:
        id: short name shown to the learner ("non-square", "ties", "batch of one").
        inputs: the arrays and numbers that steps refer to by `Handle`.
        steps: what is done, in order.
        says: for convention cases, the sentence shown when the convention is missed.
    """

    id: str
    inputs: Mapping[str, Tree]
    steps: tuple[Step, ...]
    says: str = ""

    def reads(self) -> tuple[Step, ...]:
        """The steps that let a value out, in order."""
        return tuple(step for step in self.steps if step.op == "read")


class StepError(Exception):
    """A step of a case failed in the code under test. The cause is chained."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"{step.op} {step.target or step.name}")
        self.step = step


class WrongReturnError(TypeError):
    """A function returned nothing, or one thing where several were asked for."""


def call_case(
    case_id: str,
    function: str,
    inputs: Mapping[str, Tree],
    *,
    item: int | None = None,
    kind: Kind = "core",
    says: str = "",
) -> Case:
    """The usual case: call a function with all inputs by name order, read its result, read the inputs again.

    Args:
        case_id: short name of the case.
        function: name of the function to call; inputs are passed by position in the order given.
        inputs: the arguments.
        item: read only this item of the result (``out`` of ``out, cache``).
        kind: kind of the result; that inputs are left alone is always a convention.
        says: sentence shown when a convention case is missed.
    """
    call = Step("call", "result", function, tuple(Handle(name) for name in inputs))
    read = Step("read", "out" if item is not None else "result", "", (Handle("result", item),), kind=kind)
    untouched = tuple(
        Step("read", f"{name} afterwards", "", (Handle(name),), kind="convention")
        for name, value in inputs.items()
        if isinstance(value, np.ndarray)
    )
    return Case(case_id, inputs, (call, read, *untouched), says)


def run(case: Case, namespace: Mapping[str, Any], convert: Callable[[Tree], Any] = lambda tree: tree) -> dict[str, Any]:
    """Play a case with the functions of a namespace.

    Args:
        case: the case to play. Its arrays are copied first: the case itself never changes.
        namespace: names to functions, classes and values under test.
        convert: turns an input array or generator into what the functions take (a Torch tensor, say).

    Returns:
        What the `read` steps saw, label to value, not converted back.

    Raises:
        StepError: a step failed; the original exception is its ``__cause__``.
    """
    # A generator among the inputs is made anew for each call; inside a tuple it is made once, and calls advance it.
    bound = {key: value if isinstance(value, Rng) else _fresh(value, convert) for key, value in case.inputs.items()}
    seen: dict[str, Any] = {}
    for step in case.steps:
        try:
            args = [_resolve(arg, bound, convert) for arg in step.args]
            kwargs = {key: _resolve(value, bound, convert) for key, value in step.kwargs.items()}
            if step.op == "read":
                seen[step.name] = _snapshot(args[0])
            else:
                bound[step.name] = _DO[step.op](step, namespace, args, kwargs)
        except Exception as cause:
            raise StepError(step) from cause
    return seen


def _fresh(value: Tree, convert: Callable[[Tree], Any]) -> Any:
    if isinstance(value, np.ndarray):
        return convert(value.copy())
    if isinstance(value, (list, tuple)):
        return type(value)(_fresh(item, convert) for item in value)
    if isinstance(value, dict):
        return {key: _fresh(item, convert) for key, item in value.items()}
    if isinstance(value, Probe):
        return PROBES[value.name](*(_fresh(item, convert) for item in value.coefficients))
    if isinstance(value, Rng):
        return convert(np.random.default_rng(value.seed))
    return value


def _snapshot(value: Any) -> Any:
    """A later step may work in place on what was read; what was seen stays as it was."""
    try:
        if type(value) is np.ndarray and not value.dtype.hasobject:
            # As `deepcopy` does, without its bookkeeping.
            return value.copy("K")
        return copy.deepcopy(value)
    except Exception:
        return value


def _resolve(value: Tree, bound: Mapping[str, Any], convert: Callable[[Tree], Any]) -> Any:
    if isinstance(value, Handle):
        whole = bound[value.name]
        if value.item is None:
            return _fresh(whole, convert) if isinstance(whole, Rng) else whole
        return _item(whole, value.item)
    return _fresh(value, convert)


def _item(whole: Any, item: int | str) -> Any:
    try:
        return whole[item]
    except (TypeError, IndexError, KeyError):
        if whole is None:
            raise WrongReturnError(messages.RETURNS_NOTHING) from None
        raise WrongReturnError(messages.RETURNS_ONE_THING.format(type=type(whole).__name__)) from None


def _take(step: Step, _namespace: Mapping[str, Any], args: list[Any], _kwargs: dict[str, Any]) -> list[Any]:
    return list(islice(args[0], args[1]))


def _refuse(step: Step, namespace: Mapping[str, Any], args: list[Any], kwargs: dict[str, Any]) -> str:
    """Other errors pass: they are no refusal, and say more themselves."""
    try:
        namespace[step.target](*args, **kwargs)
    except ValueError:
        return messages.REFUSED
    return messages.NOT_REFUSED


_DO: Mapping[str, Callable[[Step, Mapping[str, Any], list[Any], dict[str, Any]], Any]] = {
    "call": lambda step, namespace, args, kwargs: namespace[step.target](*args, **kwargs),
    "refuse": _refuse,
    "construct": lambda step, namespace, args, kwargs: namespace[step.target](*args, **kwargs),
    "method": lambda step, _, args, kwargs: getattr(args[0], step.target)(*args[1:], **kwargs),
    "operator": lambda step, _, args, __: OPERATORS[step.target](*args),
    "getattr": lambda step, _, args, __: getattr(args[0], step.target),
    "global": lambda step, namespace, _, __: namespace[step.target],
    "take": _take,
    "module": lambda step, _, args, __: ask(args[0], step.target, *args[1:]),
}


def case_to_tree(case: Case) -> Tree:
    """A case as plain data, for the wire and for case files."""
    return {
        "id": case.id,
        "inputs": dict(case.inputs),
        "steps": [_step_to_tree(step) for step in case.steps],
        "says": case.says,
    }


def _step_to_tree(step: Step) -> dict[str, Tree]:
    """`dataclasses.asdict` would take handles apart; this keeps them. What says nothing is left out."""
    said = {"target": step.target, "args": step.args, "kwargs": step.kwargs}
    tree = {"op": step.op, "name": step.name, **{name: value for name, value in said.items() if value}}
    return tree if step.kind == "core" else {**tree, "kind": step.kind}


def case_from_tree(tree: Tree) -> Case:
    """The inverse of `case_to_tree`."""
    steps = tuple(Step(**{**step, "args": tuple(step.get("args", ()))}) for step in tree["steps"])
    return Case(tree["id"], tree["inputs"], steps, tree["says"])
