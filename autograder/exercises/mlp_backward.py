"""Exercises on the backward pass of the network with one hidden layer (topic `mlp`), and its bug hunt."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step, call_case
from course_lib.numpy_kernels import sigmoid
from course_lib.tree import Handle

_TWICE = "The first call is right. A second one with the same dout and cache is not: the first changed one of them."
# Case id to (N, D, H, M).
_PUBLIC = {"four examples": (4, 3, 5, 2), "batch of one": (1, 2, 3, 2), "float32": (3, 4, 2, 2)}
_SECRET = {
    "five examples": (5, 3, 4, 2),
    "batch of one": (1, 4, 3, 2),
    "one output": (4, 3, 2, 1),
    "one hidden unit": (4, 2, 1, 3),
    "all sizes equal": (3, 3, 3, 3),
    "float32": (2, 3, 5, 4),
}


def _mlp_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = _PUBLIC if public else _SECRET
    cases = [_backward_case(rng, name, sizes) for name, sizes in table.items()]
    return (*cases, _backward_case(rng, "called twice", (3, 2, 4, 2), twice=True))


def _backward_case(
    rng: np.random.Generator, name: str, sizes: tuple[int, int, int, int], *, twice: bool = False
) -> Case:
    """Forward with the learner's own function, backward with the cache that never leaves."""
    n, d, h, m = sizes
    shapes = {"x": (n, d), "w1": (h, d), "b1": (h,), "w2": (m, h), "b2": (m,), "dout": (n, m)}
    dtype = "float32" if name == "float32" else "float64"
    inputs = {key: draw(rng, *shape, dtype=dtype) for key, shape in shapes.items()}
    forward = Step("call", "forward", "mlp_forward", tuple(Handle(key) for key in inputs if key != "dout"))
    backward = Step("call", "result", "mlp_backward", (Handle("dout"), Handle("forward", 1)))
    read = Step("read", "result", "", (Handle("result"),))
    kept = [Step("read", f"{key} afterwards", "", (Handle(key),), kind="convention") for key in inputs]
    if not twice:
        return Case(name, inputs, (forward, backward, read, *kept))
    again = Step("read", "result of the second call", "", (Handle("result"),), kind="convention")
    return Case(name, inputs, (forward, backward, read, backward, again, *kept), _TWICE)


def _mlp_backward__no_output_slope(dout, cache):
    x, h, out, w2 = cache
    dz1 = dout @ w2 * h * (1 - h)
    return dz1.T @ x, dz1.sum(axis=0), dout.T @ h, dout.sum(axis=0)


def _mlp_backward__no_hidden_slope(dout, cache):
    x, h, out, w2 = cache
    dz2 = dout * out * (1 - out)
    dz1 = dz2 @ w2
    return dz1.T @ x, dz1.sum(axis=0), dz2.T @ h, dz2.sum(axis=0)


def _mlp_backward__slope_of_activated(dout, cache):
    x, h, out, w2 = cache
    dz2 = dout * out * (1 - out)
    dz1 = dz2 @ w2 * sigmoid(h) * (1 - sigmoid(h))
    return dz1.T @ x, dz1.sum(axis=0), dz2.T @ h, dz2.sum(axis=0)


def _mlp_backward__mean_over_batch(dout, cache):
    x, h, out, w2 = cache
    dz2 = dout * out * (1 - out) / len(x)
    dz1 = dz2 @ w2 * h * (1 - h)
    return dz1.T @ x, dz1.sum(axis=0), dz2.T @ h, dz2.sum(axis=0)


def _mlp_backward__turned(dout, cache):
    x, h, out, w2 = cache
    dz2 = dout * out * (1 - out)
    dz1 = dz2 @ w2 * h * (1 - h)
    return x.T @ dz1, dz1.sum(axis=0), h.T @ dz2, dz2.sum(axis=0)


def _mlp_backward__output_first(dout, cache):
    x, h, out, w2 = cache
    dz2 = dout * out * (1 - out)
    dz1 = dz2 @ w2 * h * (1 - h)
    return dz2.T @ h, dz2.sum(axis=0), dz1.T @ x, dz1.sum(axis=0)


def _mlp_backward__bias_not_summed(dout, cache):
    x, h, out, w2 = cache
    dz2 = dout * out * (1 - out)
    dz1 = dz2 @ w2 * h * (1 - h)
    return dz1.T @ x, dz1, dz2.T @ h, dz2


def _mlp_backward__changes_dout(dout, cache):
    x, h, out, w2 = cache
    dout *= out * (1 - out)
    dz1 = dout @ w2 * h * (1 - h)
    return dz1.T @ x, dz1.sum(axis=0), dout.T @ h, dout.sum(axis=0)


def _mlp_backward__example_by_example(dout, cache):
    x, h, out, w2 = cache
    dw1, db1 = np.zeros((h.shape[1], x.shape[1]), x.dtype), np.zeros(h.shape[1], x.dtype)
    dw2, db2 = np.zeros_like(w2), np.zeros(len(w2), x.dtype)
    for n in range(len(x)):
        dz2 = dout[n] * (out[n] - out[n] ** 2)
        dz1 = np.array([w2[:, j] @ dz2 * h[n, j] * (1 - h[n, j]) for j in range(h.shape[1])])
        dw2, db2 = dw2 + np.outer(dz2, h[n]), db2 + dz2
        dw1, db1 = dw1 + np.outer(dz1, x[n]), db1 + dz1
    return dw1, db1, dw2, db2


def _mlp_backward__einsum(dout, cache):
    x, h, out, w2 = cache
    dz2 = np.einsum("nm,nm,nm->nm", dout, out, 1 - out)
    dz1 = np.einsum("nm,mh,nh,nh->nh", dz2, w2, h, 1 - h)
    return (
        np.einsum("nh,nd->hd", dz1, x),
        np.einsum("nh->h", dz1),
        np.einsum("nm,nh->mh", dz2, h),
        np.einsum("nm->m", dz2),
    )


def _mlp_backward__bias_as_weight(dout, cache):
    x, h, out, w2 = cache
    ones = np.ones((len(x), 1), dtype=x.dtype)
    dz2 = (dout * out * (1 - out)).T
    dz1 = (w2.T @ dz2) * (h - h * h).T
    wide1, wide2 = dz1 @ np.hstack([x, ones]), dz2 @ np.hstack([h, ones])
    return wide1[:, :-1], wide1[:, -1], wide2[:, :-1], wide2[:, -1]


MLP_BACKWARD = Exercise(
    id="mlp_backward",
    topic="mlp",
    points=4,
    cases=_mlp_backward_cases,
    uses=("mlp_forward",),
    mistakes=(
        Mistake(
            "no_output_slope",
            "The slope of the output sigmoid is missing. Start with delta2 = dout * out * (1 - out).",
            _mlp_backward__no_output_slope,
        ),
        Mistake(
            "no_hidden_slope",
            "The slope of the hidden sigmoid is missing. Multiply delta2 @ w2 by h * (1 - h).",
            _mlp_backward__no_hidden_slope,
        ),
        Mistake(
            "slope_of_activated",
            "You apply the sigmoid to h again in the slope. h is already activated: its slope is h * (1 - h).",
            _mlp_backward__slope_of_activated,
        ),
        Mistake(
            "mean_over_batch",
            "You divide by the batch size. The mean is already in dout: sum over the batch only.",
            _mlp_backward__mean_over_batch,
        ),
        Mistake(
            "turned",
            "The gradients of the weights are turned. dw1 has the shape of w1, (H, D): use delta1.T @ x, and "
            "delta2.T @ h.",
            _mlp_backward__turned,
        ),
        Mistake(
            "output_first",
            "The order of what you return is wrong. Return dw1, db1, dw2, db2: the hidden layer comes first.",
            _mlp_backward__output_first,
        ),
        Mistake(
            "bias_not_summed",
            "The gradients of the biases still have one row per example. Sum them over the batch, axis 0.",
            _mlp_backward__bias_not_summed,
        ),
        Mistake(
            "changes_dout",
            "Your values are right the first time, but dout is changed in place. Write delta2 = dout * ... instead of "
            "dout *= ...",
            _mlp_backward__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("example_by_example", _mlp_backward__example_by_example),
        OtherWay("einsum", _mlp_backward__einsum),
        OtherWay("bias_as_weight", _mlp_backward__bias_as_weight),
    ),
)

# Case id to (N, H, M).
_DELTA = {
    "four examples": (4, 5, 2),
    "batch of one": (1, 3, 2),
    "one output": (3, 4, 1),
    "all sizes equal": (3, 3, 3),
    "float32": (2, 3, 2),
}
_SECRET_DELTA = {
    "five examples": (5, 4, 3),
    "batch of one": (1, 2, 3),
    "one output": (6, 3, 1),
    "one hidden unit": (3, 1, 2),
    "all sizes equal": (3, 3, 3),
    "units at 0 and 1": (3, 4, 2),
    "float32": (4, 2, 3),
}


def _hidden_delta_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, h, m) in (_DELTA if public else _SECRET_DELTA).items():
        dtype = "float32" if name == "float32" else "float64"
        hidden = np.round(rng.uniform(0.05, 0.95, (n, h)), 2).astype(dtype)
        if name == "units at 0 and 1":
            hidden[0, :2] = 0.0, 1.0
        out = np.round(rng.uniform(0.05, 0.95, (n, m)), 2).astype(dtype)
        inputs = {"dout": draw(rng, n, m, dtype=dtype), "h": hidden, "out": out, "w2": draw(rng, m, h, dtype=dtype)}
        cases.append(call_case(name, "hidden_delta", inputs))
    return tuple(cases)


def _hidden_delta__both_bugs_untouched(dout, h, out, w2):
    dz2 = dout * out * (1 - out)
    blame = dz2 * w2
    slope = sigmoid(h) * (1 - sigmoid(h))
    return blame * slope


def _hidden_delta__slope_untouched(dout, h, out, w2):
    dz2 = dout * out * (1 - out)
    slope = sigmoid(h) * (1 - sigmoid(h))
    return dz2 @ w2 * slope


def _hidden_delta__one_output_only(dout, h, out, w2):
    dz2 = dout * out * (1 - out)
    return dz2 * w2 * h * (1 - h)


def _hidden_delta__bug_at_both_layers(dout, h, out, w2):
    dz2 = dout * sigmoid(out) * (1 - sigmoid(out))
    return dz2 @ w2 * sigmoid(h) * (1 - sigmoid(h))


def _hidden_delta__no_output_slope(dout, h, out, w2):
    return dout @ w2 * h * (1 - h)


def _hidden_delta__no_hidden_slope(dout, h, out, w2):
    return (dout * out * (1 - out)) @ w2


def _hidden_delta__tanh_slope(dout, h, out, w2):
    return (dout * out * (1 - out)) @ w2 * (1 - h**2)


def _hidden_delta__half_a_slope(dout, h, out, w2):
    return (dout * out * (1 - out)) @ w2 * h


def _hidden_delta__turned_weights(dout, h, out, w2):
    return (dout * out * (1 - out)) @ w2.T * h * (1 - h)


def _hidden_delta__unit_by_unit(dout, h, out, w2):
    dz1 = np.zeros_like(h)
    for n in range(h.shape[0]):
        for j in range(h.shape[1]):
            for m in range(out.shape[1]):
                dz1[n, j] += dout[n, m] * out[n, m] * (1 - out[n, m]) * w2[m, j]
            dz1[n, j] *= h[n, j] * (1 - h[n, j])
    return dz1


def _hidden_delta__squares(dout, h, out, w2):
    dz2 = dout * (out - np.square(out))
    return np.einsum("nm,mh->nh", dz2, w2) * (h - np.square(h))


def _hidden_delta__jacobians(dout, h, out, w2):
    rows = [dout[n] @ np.diag(out[n] * (1 - out[n])) @ w2 @ np.diag(h[n] * (1 - h[n])) for n in range(len(h))]
    return np.stack(rows)


HIDDEN_DELTA = Exercise(
    id="hidden_delta",
    topic="mlp",
    points=3,
    cases=_hidden_delta_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. One shows in every nudge far from 0; the other only when there is more than "
            "one output.",
            _hidden_delta__both_bugs_untouched,
        ),
        Mistake(
            "slope_untouched",
            "One bug is still there: the slope applies the sigmoid to h, which has been through it already.",
            _hidden_delta__slope_untouched,
        ),
        Mistake(
            "one_output_only",
            "The slope is right now. But with several outputs a hidden unit collects blame from each of them: "
            "delta2 * w2 does not add that up.",
            _hidden_delta__one_output_only,
        ),
        Mistake(
            "bug_at_both_layers",
            "Now both layers apply the sigmoid to what is already activated. The slope is s * (1 - s) of h and of out.",
            _hidden_delta__bug_at_both_layers,
        ),
        Mistake(
            "no_output_slope",
            "The slope of the output is gone. The first line was right: dout * out * (1 - out).",
            _hidden_delta__no_output_slope,
        ),
        Mistake(
            "no_hidden_slope",
            "The slope of the hidden units is gone. It has to be there, but of the right kind: h * (1 - h).",
            _hidden_delta__no_hidden_slope,
        ),
        Mistake(
            "tanh_slope",
            "1 - h**2 is the slope of tanh. These hidden units are sigmoids: h * (1 - h).",
            _hidden_delta__tanh_slope,
        ),
        Mistake(
            "half_a_slope",
            "You multiply by h only. The slope of the sigmoid has two factors: h * (1 - h).",
            _hidden_delta__half_a_slope,
        ),
        Mistake(
            "turned_weights",
            "w2 must not be turned on the way back. Forward uses w2.T, (H, M); backward uses w2, (M, H).",
            _hidden_delta__turned_weights,
        ),
    ),
    other_ways=(
        OtherWay("unit_by_unit", _hidden_delta__unit_by_unit),
        OtherWay("squares", _hidden_delta__squares),
        OtherWay("jacobians", _hidden_delta__jacobians),
    ),
)

EXERCISES = (HIDDEN_DELTA, MLP_BACKWARD)
