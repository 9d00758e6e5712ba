"""Exercise on the backward pass of layers in a row (topic `graphs`): the bug hunt of its lesson."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step
from course_lib.numpy_kernels import sequential_backward
from course_lib.tree import Handle, Tree

_TWICE = "The first call is right. A second one with the same arguments is not: the first changed one of them."
_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
}
# Case id to (kinds, N, sizes from the input on).
_PUBLIC = {
    "one affine layer": ("affine", 4, (3, 2)),
    "affine, relu, affine": ("affine relu affine", 4, (3, 5, 2)),
    "batch of one": ("affine relu affine", 1, (2, 4, 3)),
    "sigmoid and tanh": ("affine sigmoid affine tanh", 3, (2, 4, 3)),
    "all sizes equal": ("affine tanh affine relu", 3, (3, 3, 3)),
    "float32": ("affine relu affine sigmoid", 3, (4, 2, 3)),
}
_SECRET = {
    "relu alone": ("relu", 3, (4,)),
    "one affine layer": ("affine", 5, (2, 3)),
    "affine, relu, affine": ("affine relu affine", 5, (2, 4, 3)),
    "batch of one": ("affine relu affine tanh", 1, (3, 5, 2)),
    "one unit": ("affine relu affine", 6, (2, 1, 3)),
    "sigmoid and tanh": ("affine tanh affine sigmoid", 4, (3, 2, 4)),
    "two affine layers": ("affine affine relu", 3, (4, 3, 2)),
    "all sizes equal": ("affine relu affine tanh", 3, (3, 3, 3)),
    "four affine layers": ("affine relu affine tanh affine sigmoid affine", 4, (3, 5, 2, 4, 1)),
    "float32": ("affine tanh affine relu", 4, (2, 5, 3)),
}


def _sequential_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = _PUBLIC if public else _SECRET
    cases = [_one_case(name, _network(rng, name, *shape)) for name, shape in table.items()]
    return (*cases, _one_case("called twice", _network(rng, "", "affine relu affine", 3, (2, 4, 2)), twice=True))


def _network(rng: np.random.Generator, name: str, kinds: str, n: int, sizes: tuple[int, ...]) -> dict[str, Tree]:
    """The arguments: a forward pass has filled the caches."""
    dtype, left = "float32" if name == "float32" else "float64", list(sizes)
    x, caches = draw(rng, n, left.pop(0), dtype=dtype), []
    for kind in kinds.split():
        if kind == "affine":
            m = left.pop(0)
            w, b = draw(rng, m, x.shape[1], dtype=dtype), draw(rng, m, dtype=dtype)
            caches.append((x, w, b))
            x = x @ w.T + b
        else:
            x = _ACTIVATIONS[kind](x)
            caches.append((x,))
    return {"dout": draw(rng, *x.shape, dtype=dtype), "layers": kinds.split(), "caches": caches}


def _one_case(name: str, inputs: dict[str, Tree], *, twice: bool = False) -> Case:
    call = Step("call", "result", "sequential_backward", tuple(Handle(key) for key in inputs))
    steps = [call, Step("read", "result", "", (Handle("result"),))]
    if twice:
        steps += [call, Step("read", "result of the second call", "", (Handle("result"),), kind="convention")]
    steps += [Step("read", f"{key} afterwards", "", (Handle(key),), kind="convention") for key in inputs]
    return Case(name, inputs, tuple(steps), _TWICE if twice else "")


def _sequential_backward__both_bugs_untouched(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.mean(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        if kind == "relu":
            dout = dout * (dout > 0)
        elif kind == "sigmoid":
            dout = dout * out * (1 - out)
        else:
            dout = dout * (1 - out**2)
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__gate_untouched(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.sum(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        if kind == "relu":
            dout = dout * (dout > 0)
        elif kind == "sigmoid":
            dout = dout * out * (1 - out)
        else:
            dout = dout * (1 - out**2)
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__bias_untouched(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.mean(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        slopes = {"relu": (out > 0).astype(out.dtype), "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        dout = dout * slopes[kind]
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__both_gates(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.sum(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        slopes = {"relu": (out > 0) * (dout > 0), "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        dout = dout * slopes[kind].astype(dout.dtype)
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__no_gate(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.sum(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        slopes = {"relu": 1, "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        dout = dout * slopes[kind]
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__weights_averaged_too(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x / len(x), dout.mean(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        slopes = {"relu": (out > 0).astype(out.dtype), "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        dout = dout * slopes[kind]
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__last_layer_first(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.sum(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        slopes = {"relu": (out > 0).astype(out.dtype), "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        dout = dout * slopes[kind]
        grads.append(())
    return dout, grads


def _sequential_backward__front_to_back(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers, caches, strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.sum(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        slopes = {"relu": (out > 0).astype(out.dtype), "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        dout = dout * slopes[kind]
        grads.append(())
    return dout, grads


def _sequential_backward__slope_of_activated(dout, layers, caches):
    grads = []
    for kind, cache in zip(layers[::-1], caches[::-1], strict=True):
        if kind == "affine":
            x, w, b = cache
            grads.append((dout.T @ x, dout.sum(axis=0)))
            dout = dout @ w
            continue
        (out,) = cache
        again = 1 / (1 + np.exp(-out))
        slopes = {"relu": (out > 0).astype(out.dtype), "sigmoid": again * (1 - again), "tanh": 1 - np.tanh(out) ** 2}
        dout = dout * slopes[kind]
        grads.append(())
    return dout, grads[::-1]


def _sequential_backward__layer_inside_layer(dout, layers, caches):
    if not layers:
        return dout, []
    kind, cache, own = layers[-1], caches[-1], ()
    if kind == "affine":
        x, w, b = cache
        own = (np.einsum("nm,nd->md", dout, x), np.einsum("nm->m", dout))
        dx = np.einsum("nm,md->nd", dout, w)
    elif kind == "relu":
        dx = np.where(cache[0] > 0, dout, dout.dtype.type(0))
    else:
        out = cache[0]
        dx = dout * (out - out * out) if kind == "sigmoid" else dout - dout * out * out
    first, grads = sequential_backward(dx, layers[:-1], caches[:-1])
    return first, [*grads, own]


def _sequential_backward__table_of_functions(dout, layers, caches):
    def affine(dout, x, w, b):
        return dout @ w, (dout.T @ x, np.ones(len(x), dtype=x.dtype) @ dout)

    backward = {
        "affine": affine,
        "relu": lambda dout, out: (dout * np.sign(out), ()),
        "sigmoid": lambda dout, out: (dout * out * (1 - out), ()),
        "tanh": lambda dout, out: (dout * (1 + out) * (1 - out), ()),
    }
    grads = [()] * len(layers)
    for k in range(len(layers) - 1, -1, -1):
        dout, grads[k] = backward[layers[k]](dout, *caches[k])
    return dout, grads


def _sequential_backward__jacobians(dout, layers, caches):
    grads, examples = [], list(dout)
    for kind, cache in zip(reversed(layers), reversed(caches), strict=True):
        if kind == "affine":
            x, w, b = cache
            products = [np.outer(row, inputs) for row, inputs in zip(examples, x, strict=True)]
            grads.insert(0, (np.sum(products, axis=0), np.sum(examples, axis=0)))
            examples = [row @ w for row in examples]
        else:
            (out,) = cache
            slopes = {"relu": (out > 0).astype(out.dtype), "sigmoid": out * (1 - out), "tanh": 1 - out * out}[kind]
            grads.insert(0, ())
            examples = [row @ np.diag(slope) for row, slope in zip(examples, slopes, strict=True)]
    return np.array(examples), grads


SEQUENTIAL_BACKWARD = Exercise(
    id="sequential_backward",
    topic="graphs",
    points=4,
    cases=_sequential_backward_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. One needs a batch of two to show, the other a ReLU and a dout that is partly "
            "below 0.",
            _sequential_backward__both_bugs_untouched,
        ),
        Mistake(
            "gate_untouched",
            "db is right now. The other bug is still there: does what went forward or what comes back decide whether a "
            "ReLU lets the gradient through? Only one of them does.",
            _sequential_backward__gate_untouched,
        ),
        Mistake(
            "bias_untouched",
            "The ReLU is right now. The other bug is still there: compare db with numerical_gradient, for a batch of "
            "one and for a batch of four.",
            _sequential_backward__bias_untouched,
        ),
        Mistake(
            "both_gates",
            "Your ReLU now looks at its output, and still at dout too. Only its own output decides; dout may have any "
            "sign.",
            _sequential_backward__both_gates,
        ),
        Mistake(
            "no_gate",
            "Your ReLU lets everything through. Where its output is 0 nothing passes: multiply by out > 0.",
            _sequential_backward__no_gate,
        ),
        Mistake(
            "weights_averaged_too",
            "Now dw and db are both averaged. The mean is in the loss, and so in dout already: sum over the batch.",
            _sequential_backward__weights_averaged_too,
        ),
        Mistake(
            "last_layer_first",
            "Your gradients come in the order of the backward pass. Return them in the order of layers: turn the list.",
            _sequential_backward__last_layer_first,
        ),
        Mistake(
            "front_to_back",
            "You walk from the first layer to the last. Going backward, the last layer comes first.",
            _sequential_backward__front_to_back,
        ),
        Mistake(
            "slope_of_activated",
            "The caches hold outputs, which are activated already. The slopes are out * (1 - out) for the sigmoid and "
            "1 - out**2 for tanh.",
            _sequential_backward__slope_of_activated,
        ),
    ),
    other_ways=(
        OtherWay("layer_inside_layer", _sequential_backward__layer_inside_layer),
        OtherWay("table_of_functions", _sequential_backward__table_of_functions),
        OtherWay("jacobians", _sequential_backward__jacobians),
    ),
)

EXERCISES = (SEQUENTIAL_BACKWARD,)
