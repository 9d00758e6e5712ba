"""Exercise on numbers that build their own computation graph (topic `graphs`): the class `Value`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises import _value_mistakes as wrong
from autograder.exercises._draw import draw_number
from course_lib.cases import Case, Step
from course_lib.tree import Handle

_TWICE = (
    "backward() adds to grad and clears nothing, as in Torch: a second call adds everything once more. What it passes "
    "on must not depend on the grads of an earlier call."
)
_LEFT = "A number may stand on the left, as in 2 + x and 3 * x. Python then asks x for __radd__ and __rmul__."
_AT_ZERO = "At exactly 0 the slope of the ReLU is 0 in this course: compare with > 0."

# A program is a text: one assignment per word, "y=a*b" or "r=relu(y)"; names that it does not assign are inputs.
_PROGRAMS = {
    "a sum": "f=a+b",
    "a product": "f=a*b",
    "used twice": "f=a*a",
    "relu": "y=a+b f=relu(y)",
    "relu off": "f=relu(n)",
    "the exam graph": "p=w*a q=w*b s=p+q t=s+c r=relu(t) f=v*r",
    "an old value used late": "y=a*b r=relu(y) s=r*c f=s+y",
    "numbers on the right": "y=a*3 f=y+2",
}
_SECRET_PROGRAMS = _PROGRAMS | {
    "used three times": "y=a*a f=y*a",
    "a value plus itself": "y=a+a f=y*b",
    "relu off in a branch": "r=relu(n) y=r*a f=y+n",
    "old values used late": "y=a*b s=y+c t=s*y u=relu(t) v=u+s f=v*y",
    "a node of no use": "y=a*b o=y*c f=y+a",
}


def _value_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    programs = _PROGRAMS if public else _SECRET_PROGRAMS
    cases = [_program_case(rng, name, program) for name, program in programs.items()]
    return (
        *cases,
        _program_case(rng, "backward called twice", "y=a*b f=y*y", calls="ff", says=_TWICE),
        _program_case(rng, "two results of the same number", "f=a*b g=a*c", calls="fg", says=_TWICE),
        _program_case(rng, "numbers on the left", "y=3*a f=2+y", says=_LEFT),
        _program_case(rng, "relu at 0", "y=z*a r=relu(y) f=r+b", says=_AT_ZERO),
    )


def _program_case(rng: np.random.Generator, name: str, program: str, calls: str = "f", says: str = "") -> Case:
    """Build, go backward, and read the data of the result and the grad of every value; a sentence makes conventions."""
    words = [word.split("=") for word in program.split()]
    made = [target for target, _ in words]
    names = sorted({letter for _, formula in words for letter in _operands(formula)} - set(made))
    steps = [Step("construct", letter, "Value", (Handle(f"{letter}_data"),)) for letter in names]
    steps += [_operation(target, formula) for target, formula in words]
    steps += [Step("method", f"done {call}", "backward", (Handle(call),)) for call in calls]
    for letter in (*names, *made):
        for attribute in ("data", "grad"):
            steps.append(Step("getattr", f"{letter}.{attribute}", attribute, (Handle(letter),)))
            # Of repeated calls only the inputs' grads are asked: Torch keeps no others.
            if letter in names or (attribute == "data" and letter in calls):
                kind = "convention" if says else "core"
                steps.append(Step("read", f"{letter}.{attribute}", "", (Handle(f"{letter}.{attribute}"),), kind=kind))
    inputs = {f"{letter}_data": _drawn(rng, letter) for letter in names}
    return Case(name, inputs, tuple(steps), says)


def _drawn(rng: np.random.Generator, letter: str) -> float:
    """Inputs are above 0, n is below and z is 0; so a ReLU is on or off as its case says."""
    if letter == "z":
        return 0.0
    return draw_number(rng, -3.0, -0.5) if letter == "n" else draw_number(rng, 0.5, 3.0)


def _operands(formula: str) -> Iterable[str]:
    return [letter for letter in formula.replace("relu", "") if letter.isalpha()]


def _operation(target: str, formula: str) -> Step:
    if formula.startswith("relu"):
        return Step("method", target, "relu", (Handle(formula[5:-1]),))
    sign = "+" if "+" in formula else "*"
    args = tuple(Handle(part) if part.isalpha() else float(part) for part in formula.split(sign))
    return Step("operator", target, sign, args)


class _value__path_by_path:
    def __init__(self, data):
        self.data, self.grad, self.parents = float(data), 0.0, ()

    def made(self, data, *parents):
        out = type(self)(data)
        out.parents = parents
        return out

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self, upstream=1.0):
        # What flows along each path is added by itself, so no order is needed; many paths take long.
        self.grad += upstream
        for parent, slope in self.parents:
            parent.backward(upstream * slope)


class _value__slopes_carried_along:
    def __init__(self, data):
        self.data, self.grad = float(data), 0.0
        self.slopes = {self: 1.0}

    def made(self, data, *terms):
        out = type(self)(data)
        for term, slope in terms:
            for node, known in term.slopes.items():
                out.slopes[node] = out.slopes.get(node, 0.0) + slope * known
        return out

    def __add__(self, other):
        other = other if hasattr(other, "slopes") else type(self)(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = other if hasattr(other, "slopes") else type(self)(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def relu(self):
        return self.made(self.data, (self, 1.0)) if self.data > 0 else self.made(0.0, (self, 0.0))

    def backward(self):
        for node, slope in self.slopes.items():
            node.grad += slope


class _value__in_order_of_birth:
    def __init__(self, data):
        import itertools

        # One counter for all values: what is computed later is born later, and that is an order.
        kind = type(self)
        kind.births = getattr(kind, "births", None) or itertools.count()
        self.data, self.grad, self.born = float(data), 0.0, next(kind.births)
        self.pull = lambda upstream: ()

    def __add__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        out = type(self)(self.data + other.data)
        out.pull = lambda upstream: ((self, upstream), (other, upstream))
        return out

    def __mul__(self, other):
        other = other if isinstance(other, type(self)) else type(self)(other)
        out, mine, theirs = type(self)(self.data * other.data), self.data, other.data
        out.pull = lambda upstream: ((self, upstream * theirs), (other, upstream * mine))
        return out

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        out, on = type(self)(self.data if self.data > 0 else 0.0), self.data > 0
        out.pull = lambda upstream: ((self, upstream if on else 0.0),)
        return out

    def backward(self):
        waiting, upstream = {self.born: self}, {self.born: 1.0}
        while waiting:
            node = waiting.pop(max(waiting))
            node.grad += upstream[node.born]
            for parent, share in node.pull(upstream[node.born]):
                waiting[parent.born] = parent
                upstream[parent.born] = upstream.get(parent.born, 0.0) + share


VALUE = Exercise(
    id="Value",
    topic="graphs",
    points=4,
    cases=_value_cases,
    mistakes=(
        Mistake(
            "overwrites",
            "A value that is used twice keeps the gradient of one use only. Add what comes from each use: += instead "
            "of =.",
            wrong._value__overwrites,
        ),
        Mistake(
            "too_early",
            "A value passes its gradient on before all its users have added their share. Walk the graph in reverse "
            "topological order: users first.",
            wrong._value__too_early,
        ),
        Mistake(
            "without_order",
            "You walk without an order: a value that is used several times passes on what it has so far, each time it "
            "is met. Walk in reverse topological order, so that each value takes its turn once, with all shares.",
            wrong._value__without_order,
        ),
        Mistake(
            "inputs_first",
            "You walk from the inputs to the result, so only the last step gets a gradient. Start at the result: walk "
            "the order backwards.",
            wrong._value__inputs_first,
        ),
        Mistake(
            "starts_at_zero",
            "Nothing flows: the result's own derivative by itself is 1, and you start from 0.",
            wrong._value__starts_at_zero,
        ),
        Mistake(
            "factors_swapped",
            "The slopes of the product are swapped. The slope of a * b by a is b, and by b it is a.",
            wrong._value__factors_swapped,
        ),
        Mistake(
            "no_gate",
            "Your ReLU passes the gradient on when it is off. Where its input is below 0 the slope is 0.",
            wrong._value__no_gate,
        ),
        Mistake("on_at_zero", _AT_ZERO, wrong._value__on_at_zero),
        Mistake(
            "stale",
            "The first backward() is right. The second one passes on what the first one left in grad of the values in "
            "between. Keep what flows in this call apart from grad, and add it to grad.",
            wrong._value__stale,
        ),
        Mistake(
            "starts_afresh",
            "What earlier calls left in grad is lost: you set it to 0 first, or write = where += belongs. Here "
            "backward() adds to grad, as in Torch; whoever wants a fresh start sets grad = 0.0.",
            wrong._value__starts_afresh,
        ),
    ),
    other_ways=(
        OtherWay("path_by_path", _value__path_by_path),
        OtherWay("slopes_carried_along", _value__slopes_carried_along),
        OtherWay("in_order_of_birth", _value__in_order_of_birth),
    ),
)

EXERCISES = (VALUE,)
