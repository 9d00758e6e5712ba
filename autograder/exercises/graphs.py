"""Exercises on gradients in small graphs: a shared weight, and arrays that were broadcast."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case
from course_lib.tree import Tree

_CORNER = "When w1 * x1 + w1 * x2 + b is exactly 0, the slope of the ReLU is 0 in this course: compare with > 0."
_SCORES = {"the ReLU is on": 1, "the ReLU is off": -1, "a negative w3": 1}


def _exam_graph_gradient_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_graph_case(name, _numbers(rng, name, side)) for name, side in _SCORES.items()]
    if not public:
        more = {"on again": 1, "off again": -1, "w1 is 0": 1}
        cases += [_graph_case(name, _numbers(rng, name, side)) for name, side in more.items()]
        arrays = {key: np.array(value) for key, value in _numbers(rng, "", 1).items()}
        cases.append(_graph_case("arrays without axes", arrays))
    x1, x2, w1, w3 = (float(number) for number in rng.integers(1, 6, 4))
    corner = {"x1": x1, "x2": x2, "w1": w1, "w3": w3, "b": -w1 * (x1 + x2)}
    return (*cases, call_case("exactly 0", "exam_graph_gradient", corner, kind="convention", says=_CORNER))


def _graph_case(name: str, inputs: dict[str, Tree]) -> Case:
    return call_case(name, "exam_graph_gradient", inputs)


def _numbers(rng: np.random.Generator, name: str, side: int) -> dict[str, float]:
    """Five numbers for which the score is at least half a unit above or below 0."""
    x1, x2 = draw_number(rng, 0.5, 2.0), -draw_number(rng, 2.5, 4.0)
    w1 = 0.0 if name == "w1 is 0" else draw_number(rng, 0.5, 2.0)
    w3 = (-1 if name == "a negative w3" else 1) * draw_number(rng, 1.5, 3.0)
    b = round(side * draw_number(rng, 0.6, 2.0) - w1 * (x1 + x2), 2)
    return {"x1": x1, "x2": x2, "w1": w1, "w3": w3, "b": b}


def _exam_graph_gradient__first_use_only(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z > 0 else 0.0
    return dz * w1, dz * w1, dz * x1, max(z, 0.0), dz


def _exam_graph_gradient__last_use_only(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z > 0 else 0.0
    return dz * w1, dz * w1, dz * x2, max(z, 0.0), dz


def _exam_graph_gradient__no_gate(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    return w3 * w1, w3 * w1, w3 * (x1 + x2), max(z, 0.0), w3


def _exam_graph_gradient__score_for_w3(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z > 0 else 0.0
    return dz * w1, dz * w1, dz * (x1 + x2), z, dz


def _exam_graph_gradient__no_upstream(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    gate = 1.0 if z > 0 else 0.0
    return gate * w1, gate * w1, gate * (x1 + x2), max(z, 0.0), gate


def _exam_graph_gradient__on_at_zero(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z >= 0 else 0.0
    return dz * w1, dz * w1, dz * (x1 + x2), max(z, 0.0), dz


def _exam_graph_gradient__inputs_for_weights(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z > 0 else 0.0
    return dz * x1, dz * x2, dz * 2 * w1, max(z, 0.0), dz


def _exam_graph_gradient__bias_per_path(x1, x2, w1, w3, b):
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z > 0 else 0.0
    return dz * w1, dz * w1, dz * (x1 + x2), max(z, 0.0), dz * w1


def _exam_graph_gradient__complex_step(x1, x2, w1, w3, b):
    at, h = np.array([x1, x2, w1, w3, b], dtype=complex), 1e-30

    def f(p):
        z = p[2] * p[0] + p[2] * p[1] + p[4]
        return p[3] * z * (z.real > 0)

    return tuple(float(f(at + 1j * h * unit).imag / h) for unit in np.eye(5))


def _exam_graph_gradient__forward_mode(x1, x2, w1, w3, b):
    # Each number carries its five slopes along: no walk back is needed.
    slopes = np.eye(5)
    first = w1 * slopes[0] + x1 * slopes[2]
    second = w1 * slopes[1] + x2 * slopes[2]
    z, dz = w1 * x1 + w1 * x2 + b, first + second + slopes[4]
    r, dr = (z, dz) if z > 0 else (0.0, 0 * dz)
    return tuple(float(number) for number in w3 * dr + r * slopes[3])


def _exam_graph_gradient__node_by_node(x1, x2, w1, w3, b):
    p1, p2 = w1 * x1, w1 * x2
    s = p1 + p2 + b
    r = max(s, 0.0)
    grad = dict.fromkeys(["x1", "x2", "w1", "w3", "b", "p1", "p2", "s", "r"], 0.0)
    grad["w3"] += r
    grad["r"] += w3
    grad["s"] += grad["r"] * (s > 0)
    for name in ("p1", "p2", "b"):
        grad[name] += grad["s"]
    for name, product, x in (("x1", "p1", x1), ("x2", "p2", x2)):
        grad[name] += grad[product] * w1
        grad["w1"] += grad[product] * x
    return grad["x1"], grad["x2"], grad["w1"], grad["w3"], grad["b"]


EXAM_GRAPH_GRADIENT = Exercise(
    id="exam_graph_gradient",
    topic="graphs",
    points=2,
    cases=_exam_graph_gradient_cases,
    mistakes=(
        Mistake(
            "first_use_only",
            "w1 is used twice, and you follow only its way through x1. Add the gradients of both uses.",
            _exam_graph_gradient__first_use_only,
        ),
        Mistake(
            "last_use_only",
            "w1 is used twice, and the second use overwrites the gradient of the first. Add them: += instead of =.",
            _exam_graph_gradient__last_use_only,
        ),
        Mistake(
            "no_gate",
            "You pass the gradient through the ReLU when it is off. Where its input is below 0 its slope is 0.",
            _exam_graph_gradient__no_gate,
        ),
        Mistake(
            "score_for_w3",
            "w3 multiplies the output of the ReLU, so its gradient is that output, not the score before it.",
            _exam_graph_gradient__score_for_w3,
        ),
        Mistake(
            "no_upstream",
            "The factor w3 is missing on the way back. The gradient behind the ReLU is w3: multiply everything before "
            "it by that.",
            _exam_graph_gradient__no_upstream,
        ),
        Mistake("on_at_zero", _CORNER, _exam_graph_gradient__on_at_zero),
        Mistake(
            "inputs_for_weights",
            "The factors of the products are swapped. The slope of w1 * x1 by x1 is w1, and by w1 it is x1.",
            _exam_graph_gradient__inputs_for_weights,
        ),
        Mistake(
            "bias_per_path",
            "You multiply the gradient of b by w1. Nothing multiplies b: its gradient is that of the sum itself.",
            _exam_graph_gradient__bias_per_path,
        ),
    ),
    other_ways=(
        OtherWay("complex_step", _exam_graph_gradient__complex_step),
        OtherWay("forward_mode", _exam_graph_gradient__forward_mode),
        OtherWay("node_by_node", _exam_graph_gradient__node_by_node),
    ),
)

# Case id to (shape of dout, shape before broadcasting).
_SHAPES = {
    "a row for all": ((4, 3), (3,)),
    "a column for all": ((4, 3), (4, 1)),
    "a row with two axes": ((4, 3), (1, 3)),
    "one number": ((2, 3), ()),
    "the same shape": ((2, 3), (2, 3)),
    "all sizes equal": ((3, 3), (3, 1)),
    "three axes": ((2, 4, 3), (4, 1)),
    "float32": ((3, 2), (2,)),
}
_SECRET_SHAPES = {
    "a row for all": ((5, 2), (2,)),
    "a column for all": ((2, 5), (2, 1)),
    "a row with two axes": ((3, 4), (1, 4)),
    "one number": ((3, 2), ()),
    "one number with axes": ((3, 2), (1, 1)),
    "the same shape": ((4, 1), (4, 1)),
    "all sizes equal": ((3, 3), (3, 1)),
    "three axes": ((3, 2, 4), (2, 1)),
    "a size of one stays": ((1, 4), (1, 1)),
    "middle axis": ((2, 3, 4), (2, 1, 4)),
    "float32": ((2, 3, 2), (1, 3, 1)),
}


def _unbroadcast_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (wide, shape) in (_SHAPES if public else _SECRET_SHAPES).items():
        dout = draw(rng, *wide, dtype="float32" if name == "float32" else "float64")
        inputs: dict[str, Tree] = {"dout": dout, "shape": shape}
        cases.append(call_case(name, "unbroadcast", inputs))
    return tuple(cases)


def _unbroadcast__mean(dout, shape):
    new = dout.ndim - len(shape)
    axes = tuple(k for k in range(dout.ndim) if k < new or shape[k - new] != dout.shape[k])
    return dout.mean(axis=axes, keepdims=True).reshape(shape)


def _unbroadcast__axes_lost(dout, shape):
    new = dout.ndim - len(shape)
    axes = tuple(k for k in range(dout.ndim) if k < new or shape[k - new] != dout.shape[k])
    return dout.sum(axis=axes)


def _unbroadcast__new_axes_only(dout, shape):
    return dout.sum(axis=tuple(range(dout.ndim - len(shape))))


def _unbroadcast__ones_only(dout, shape):
    for k, size in enumerate(shape):
        if size == 1:
            dout = dout.sum(axis=k, keepdims=True)
    return dout


def _unbroadcast__first_copy(dout, shape):
    for _ in range(dout.ndim - len(shape)):
        dout = dout[0]
    for k, size in enumerate(shape):
        if size == 1:
            dout = dout.take([0], axis=k)
    return dout.copy()


def _unbroadcast__always_the_batch(dout, shape):
    return np.broadcast_to(dout.sum(axis=0), shape).copy() if len(shape) < 2 else dout.sum(axis=0, keepdims=True)


def _unbroadcast__first_axis_only(dout, shape):
    return dout.sum(axis=0)


def _unbroadcast__from_the_left(dout, shape):
    wide = (*shape, *[1] * (dout.ndim - len(shape)))
    axes = tuple(k for k in range(dout.ndim) if wide[k] != dout.shape[k])
    out = dout.sum(axis=axes, keepdims=True)
    return out.reshape(shape) if out.size == np.prod(shape, dtype=int) else out


def _unbroadcast__axis_by_axis(dout, shape):
    while dout.ndim > len(shape):
        dout = np.add.reduce(dout, axis=0)
    for k, size in enumerate(shape):
        if size < dout.shape[k]:
            dout = np.add.reduce(dout, axis=k, keepdims=True)
    return np.array(dout)


def _unbroadcast__place_by_place(dout, shape):
    out = np.zeros(shape, dtype=dout.dtype)
    for index in np.ndindex(dout.shape):
        kept = index[dout.ndim - len(shape) :]
        out[tuple(0 if size == 1 else i for i, size in zip(kept, shape, strict=True))] += dout[index]
    return out


def _unbroadcast__numbered_places(dout, shape):
    count = int(np.prod(shape, dtype=int))
    places = np.broadcast_to(np.arange(count).reshape(shape), dout.shape)
    return np.bincount(places.ravel(), weights=dout.ravel(), minlength=count).reshape(shape).astype(dout.dtype)


UNBROADCAST = Exercise(
    id="unbroadcast",
    topic="graphs",
    points=2,
    cases=_unbroadcast_cases,
    mistakes=(
        Mistake(
            "mean",
            "You average over the copies. Each copy adds its own share to the loss, so the gradients add up: sum.",
            _unbroadcast__mean,
        ),
        Mistake(
            "axes_lost",
            "The numbers are right, but axes of size 1 are gone. The gradient has exactly the shape that was asked: "
            "sum with keepdims=True, or reshape at the end.",
            _unbroadcast__axes_lost,
        ),
        Mistake(
            "new_axes_only",
            "You sum over the axes that came in front, but not over those that grew from size 1. Do both.",
            _unbroadcast__new_axes_only,
        ),
        Mistake(
            "ones_only",
            "You sum over the axes that grew from size 1, but not over those that came in front. Do both.",
            _unbroadcast__ones_only,
        ),
        Mistake(
            "first_copy",
            "You take the gradient of one copy. All copies are the same number: add their gradients up.",
            _unbroadcast__first_copy,
        ),
        Mistake(
            "always_the_batch",
            "You always sum over axis 0. Which axes were copied follows from shape: look at it.",
            _unbroadcast__always_the_batch,
        ),
        Mistake(
            "first_axis_only",
            "dout.sum(axis=0) is right for a row that was copied to a batch, and for nothing else. Compare shape with "
            "dout.shape: sum over all axes that are new or have grown.",
            _unbroadcast__first_axis_only,
        ),
        Mistake(
            "from_the_left",
            "You line the shapes up from the left. Broadcasting lines them up from the right: new axes come in front.",
            _unbroadcast__from_the_left,
        ),
    ),
    other_ways=(
        OtherWay("axis_by_axis", _unbroadcast__axis_by_axis),
        OtherWay("place_by_place", _unbroadcast__place_by_place),
        OtherWay("numbered_places", _unbroadcast__numbered_places),
    ),
)

EXERCISES = (EXAM_GRAPH_GRADIENT, UNBROADCAST)
