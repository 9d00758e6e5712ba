"""Exercise on how much gradient reaches each layer of a deep network (topic `residual`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_both_signs
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Tree

_CORNER = "Where h @ w.T is exactly 0 the ReLU has slope 0, as in relu_backward: let the gradient through only above 0."
# Case id to (N, D, layers); residual unless the name says plain.
_PUBLIC = {
    "three layers": (4, 3, 3),
    "three layers, plain": (4, 3, 3),
    "one layer": (3, 2, 1),
    "as many examples as units": (3, 3, 2),
    "a silent layer": (3, 4, 3),
    "a silent layer, plain": (3, 4, 3),
    "float32": (3, 4, 3),
}
_SECRET = {
    "four layers": (3, 4, 4),
    "four layers, plain": (5, 3, 4),
    "one layer": (2, 4, 1),
    "one example": (1, 4, 3),
    "one unit": (5, 1, 3),
    "as many examples as units": (4, 4, 3),
    "a silent layer": (4, 3, 3),
    "a silent layer, plain": (4, 3, 3),
    "sixteen layers": (2, 3, 16),
    "sixteen layers, plain": (2, 3, 16),
    "float32": (4, 3, 3),
}


def _gradient_norm_by_depth_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_case(rng, case_id, *sizes) for case_id, sizes in (_PUBLIC if public else _SECRET).items()]
    ties = _inputs(rng, 3, 2, 2, "float64")
    # Equal inputs and weights of opposite sign: the first unit's sum is exactly 0 in every example.
    ties["x"][:] = ties["x"][:, :1]
    ties["weights"][0][0] = np.array([0.5, -0.5])
    return (*cases, _watched("sums that are exactly zero", {**ties, "residual": True}, "convention", _CORNER))


def _inputs(rng: np.random.Generator, n: int, d: int, layers: int, dtype: str) -> dict[str, Tree]:
    """Every unit of a layer is above 0 for some input: one weight per row is large and positive."""
    weights = [draw(rng, d, d, scale=0.5, dtype=dtype) + np.eye(d, dtype=dtype) for _ in range(layers)]
    weights = [(w * np.sqrt(1 / d)).round(2).astype(dtype) for w in weights]
    return {"x": draw_both_signs(rng, n, d, dtype=dtype), "weights": weights, "dout": draw(rng, n, d, dtype=dtype)}


def _case(rng: np.random.Generator, case_id: str, n: int, d: int, layers: int) -> Case:
    inputs = _inputs(rng, n, d, layers, "float32" if case_id == "float32" else "float64")
    if case_id.startswith("a silent layer"):
        # After a plain first layer nothing is below 0, and the second one has only negative weights.
        inputs["weights"][1] = -np.abs(inputs["weights"][1])
    if "plain" in case_id:
        inputs["residual"] = False
    elif case_id != "float32":
        inputs["residual"] = True
    return _watched(case_id, inputs)


def _watched(case_id: str, inputs: dict[str, Tree], kind: str = "core", says: str = "") -> Case:
    plain = call_case(case_id, "gradient_norm_by_depth", inputs, kind=kind, says=says)
    # The list and its arrays can be changed on the way, and `call_case` only watches arrays.
    untouched = Step("read", "weights afterwards", "", (Handle("weights"),), kind="convention")
    return Case(case_id, inputs, (*plain.steps, untouched), says)


def _gradient_norm_by_depth__skip_lost_on_the_way_back(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i]
    return norms


def _gradient_norm_by_depth__skip_lost_on_the_way_there(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        inputs.append(np.maximum(inputs[-1] @ w.T, 0))
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__always_residual(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        inputs.append(inputs[-1] + np.maximum(inputs[-1] @ w.T, 0))
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i] + dout
    return norms


def _gradient_norm_by_depth__never_residual(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        inputs.append(np.maximum(inputs[-1] @ w.T, 0))
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i]
    return norms


def _gradient_norm_by_depth__last_layer_first(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = []
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms.append(np.linalg.norm(dz.T @ inputs[i]))
        dout = dz @ weights[i] + (dout if residual else 0)
    return np.array(norms, x.dtype)


def _gradient_norm_by_depth__slope_of_the_sum(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i + 1] > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__no_slope(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        norms[i] = np.linalg.norm(dout.T @ inputs[i])
        dout = dout @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__slope_one_at_zero(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T >= 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__outputs_for_inputs(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i + 1])
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__norm_of_the_flow(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dout)
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__not_rooted(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.square(dz.T @ inputs[i]).sum()
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__mean_of_examples(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i]) / len(x)
        dout = dz @ weights[i] + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__changes_dout(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout *= int(residual)
        dout += dz @ weights[i]
    return norms


def _gradient_norm_by_depth__turned_on_the_way_there(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i] > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i].T + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__turned_on_the_way_back(x, weights, dout, residual=True):
    inputs = [x]
    for w in weights:
        active = np.maximum(inputs[-1] @ w.T, 0)
        inputs.append(inputs[-1] + active if residual else active)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = dout * (inputs[i] @ weights[i].T > 0)
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i].T + (dout if residual else 0)
    return norms


def _gradient_norm_by_depth__example_by_example(x, weights, dout, residual=True):
    totals = [np.zeros_like(w) for w in weights]
    for row, g in zip(x, dout, strict=True):
        inputs, slopes, h = [], [], row
        for w in weights:
            z = w @ h
            inputs.append(h)
            slopes.append((z > 0).astype(x.dtype))
            h = z * slopes[-1] + (h if residual else 0)
        for i in range(len(weights))[::-1]:
            totals[i] += np.outer(g * slopes[i], inputs[i])
            g = (g * slopes[i]) @ weights[i] + (g if residual else 0)
    return np.array([np.sqrt((dw**2).sum()) for dw in totals], dtype=x.dtype)


def _gradient_norm_by_depth__recursion(x, weights, dout, residual=True):
    def below(h, i, collected):
        """Gradient of the input of layer i; the norms of the layers above are collected on the way back."""
        if i == len(weights):
            return dout
        z = np.einsum("nd,od->no", h, weights[i])
        above = below(np.where(z > 0, z, 0) + h * int(residual), i + 1, collected)
        dz = np.where(z > 0, above, 0)
        collected.insert(0, np.einsum("no,nd->od", dz, h))
        return np.einsum("no,od->nd", dz, weights[i]) + above * int(residual)

    collected = []
    below(x, 0, collected)
    return np.array([np.linalg.norm(dw.ravel()) for dw in collected], dtype=x.dtype)


GRADIENT_NORM_BY_DEPTH = Exercise(
    id="gradient_norm_by_depth",
    topic="residual",
    points=4,
    cases=_gradient_norm_by_depth_cases,
    mistakes=(
        Mistake(
            "skip_lost_on_the_way_back",
            "Your forward pass has the skip, your backward pass has not. The gradient of a layer's input is "
            "dz @ w, plus dout when residual.",
            _gradient_norm_by_depth__skip_lost_on_the_way_back,
        ),
        Mistake(
            "skip_lost_on_the_way_there",
            "Your backward pass has the skip, your forward pass has not. When residual, each layer adds its input to "
            "what the ReLU gives.",
            _gradient_norm_by_depth__skip_lost_on_the_way_there,
        ),
        Mistake(
            "turned_on_the_way_there",
            "Your layers compute h @ w. Each row of w belongs to one output: h @ w.T, and dz @ w on the way back.",
            _gradient_norm_by_depth__turned_on_the_way_there,
        ),
        Mistake(
            "turned_on_the_way_back",
            "Your way back goes through w.T. Forward it was h @ w.T, so the gradient of h is dz @ w.",
            _gradient_norm_by_depth__turned_on_the_way_back,
        ),
        Mistake(
            "always_residual",
            "You add the skip always. Look at residual: when it is False, a layer is relu(h @ w.T) alone.",
            _gradient_norm_by_depth__always_residual,
        ),
        Mistake(
            "never_residual",
            "You never add the skip. When residual, a layer is h + relu(h @ w.T), and dout goes past it too.",
            _gradient_norm_by_depth__never_residual,
        ),
        Mistake(
            "last_layer_first",
            "Your norms come in the order of the backward pass. Return the first layer's norm first.",
            _gradient_norm_by_depth__last_layer_first,
        ),
        Mistake(
            "slope_of_the_sum",
            "You look for the ReLU's slope in the layer's output, where the skip is added already. The slope is 1 "
            "where h @ w.T is above 0.",
            _gradient_norm_by_depth__slope_of_the_sum,
        ),
        Mistake(
            "no_slope",
            "The gradient passes the ReLU unchanged. Only where h @ w.T is above 0 it goes through: use relu_backward.",
            _gradient_norm_by_depth__no_slope,
        ),
        Mistake("slope_one_at_zero", _CORNER, _gradient_norm_by_depth__slope_one_at_zero),
        Mistake(
            "outputs_for_inputs",
            "You multiply dz by the layer's output. The gradient of w is dz.T @ h with h the layer's input.",
            _gradient_norm_by_depth__outputs_for_inputs,
        ),
        Mistake(
            "norm_of_the_flow",
            "You return norms of the gradients that arrive at the layers' outputs. Asked are those of the weights' "
            "gradients, dw = dz.T @ h.",
            _gradient_norm_by_depth__norm_of_the_flow,
        ),
        Mistake(
            "not_rooted",
            "You return sums of squares. The Euclidean norm is the root of that sum.",
            _gradient_norm_by_depth__not_rooted,
        ),
        Mistake(
            "mean_of_examples",
            "You divide by the number of examples. dout holds the mean already, if there is one: just take the norm.",
            _gradient_norm_by_depth__mean_of_examples,
        ),
        Mistake(
            "changes_dout",
            "Your norms are right, but dout is changed. Write dout = dout + dz @ w, which makes a new array, instead "
            "of working in place.",
            _gradient_norm_by_depth__changes_dout,
        ),
    ),
    other_ways=(
        OtherWay("example_by_example", _gradient_norm_by_depth__example_by_example),
        OtherWay("recursion", _gradient_norm_by_depth__recursion),
    ),
)

EXERCISES = (GRADIENT_NORM_BY_DEPTH,)
