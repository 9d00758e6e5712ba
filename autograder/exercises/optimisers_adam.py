"""Exercises on Adam and AdamW (topic `optimisers`)."""

# ruff: noqa: PLR0913 - the numbers of Adam's paper are six before weight decay is said.
from __future__ import annotations

from typing import Any

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from autograder.exercises._trajectory import trajectory
from course_lib.cases import Case
from course_lib.numpy_kernels import adam_step

_OUTSIDE = (
    "eps stands outside the root and after the correction, as in the paper's algorithm: sqrt(v_hat) + eps. "
    "At any other place small gradients get other steps."
)
_STATE = (
    "The weights are right, but the state is another one. Return (m, v, k): both averages before the correction, and "
    "the number of steps made."
)
_KEPT = "The second step changes the m or v that came in. Make new arrays: m = beta1 * m + ..., not m *= beta1."
# So small that it does not matter here where it stands.
_TINY = 1e-14


def _cases_for(function: str, rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def case(name: str, count: int, *shape: int, eps: float = _TINY, **options: Any) -> Case:
        dtype = options.pop("dtype", "float64")
        inputs = {"w": draw(rng, *shape, dtype=dtype), "g": draw(rng, count, *shape, dtype=dtype)}
        if name == "a gradient of zero":
            inputs["g"][:, 1] = 0
        if name == "the usual numbers":
            # Beside gradients of this size it does not matter where the usual eps stands.
            inputs["g"] = draw(rng, count, *shape, scale=100.0) + 400.0
            return trajectory(name, function, inputs, **options)
        betas = (draw_number(rng, 0.6, 0.75), draw_number(rng, 0.8, 0.95))
        inputs |= {"lr": draw_number(rng, 0.05, 0.2), "betas": betas, "eps": eps}
        inputs |= {"weight_decay": draw_number(rng, 0.3, 0.9)} if function == "adamw_step" else {}
        inputs |= {"later_lr": draw_number(rng, 0.4, 0.8)} if options.pop("later", False) else {}
        return trajectory(name, function, inputs, **options)

    cases = (
        case("one step", 1, 3),
        case("ten steps", 10, 2, 3),
        case("the rate changes", 4, 3, later=True),
        case("a gradient of zero", 3, 2),
        case("an eps that matters", 3, 3, eps=0.25, kind="convention", says=_OUTSIDE),
        case("the state itself", 2, 2, state="last", says=_STATE),
        case("the state is kept", 2, 3, state="first again", says=_KEPT),
        case("float32", 2, 3, dtype="float32"),
    )
    if public:
        return cases
    return (*cases, case("one weight", 10, 1), case("the usual numbers", 3, 2), case("one column", 3, 3, 1))


def _adam_step_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _cases_for("adam_step", rng, public)


def _adamw_step_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return _cases_for("adamw_step", rng, public)


def _adam_step__no_correction(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    return w - lr * m / (np.sqrt(v) + eps), (m, v, k + 1)


def _adam_step__only_m_corrected(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    return w - lr * m / (1 - betas[0] ** (k + 1)) / (np.sqrt(v) + eps), (m, v, k + 1)


def _adam_step__correction_stored(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m = (betas[0] * m + (1 - betas[0]) * g) / (1 - betas[0] ** (k + 1))
    v = (betas[1] * v + (1 - betas[1]) * g * g) / (1 - betas[1] ** (k + 1))
    return w - lr * m / (np.sqrt(v) + eps), (m, v, k + 1)


def _adam_step__counts_from_zero(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    with np.errstate(all="ignore"):
        m_hat, v_hat = m / (1 - betas[0] ** k), v / (1 - betas[1] ** k)
        return w - lr * m_hat / (np.sqrt(v_hat) + eps), (m, v, k + 1)


def _adam_step__count_stands_still(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    m_hat, v_hat = m / (1 - betas[0] ** (k + 1)), v / (1 - betas[1] ** (k + 1))
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), (m, v, k)


def _adam_step__swapped_betas(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    beta2, beta1 = betas
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1 ** (k + 1)), v / (1 - beta2 ** (k + 1))
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), (m, v, k + 1)


def _adam_step__no_root(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    m_hat, v_hat = m / (1 - betas[0] ** (k + 1)), v / (1 - betas[1] ** (k + 1))
    return w - lr * m_hat / (v_hat + eps), (m, v, k + 1)


def _adam_step__not_squared(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v, k = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g, k + 1
    with np.errstate(all="ignore"):
        return w - lr * m / (1 - betas[0] ** k) / (np.sqrt(v / (1 - betas[1] ** k)) + eps), (m, v, k)


def _adam_step__gradient_on_top(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    return w - lr * g / (np.sqrt(v / (1 - betas[1] ** (k + 1))) + eps), (m, v, k + 1)


def _adam_step__corrected_state(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = m * (1 - betas[0] ** k), v * (1 - betas[1] ** k)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    m_hat, v_hat = m / (1 - betas[0] ** (k + 1)), v / (1 - betas[1] ** (k + 1))
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), (m_hat, v_hat, k + 1)


def _adam_step__eps_inside(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    m_hat, v_hat = m / (1 - betas[0] ** (k + 1)), v / (1 - betas[1] ** (k + 1))
    return w - lr * m_hat / np.sqrt(v_hat + eps), (m, v, k + 1)


def _adam_step__eps_before_correction(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
    rate = lr * (1 - betas[1] ** (k + 1)) ** 0.5 / (1 - betas[0] ** (k + 1))
    return w - rate * m / (np.sqrt(v) + eps), (m, v, k + 1)


def _adam_step__changes_state(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m *= betas[0]
    m += (1 - betas[0]) * g
    v *= betas[1]
    v += (1 - betas[1]) * g * g
    m_hat, v_hat = m / (1 - betas[0] ** (k + 1)), v / (1 - betas[1] ** (k + 1))
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), (m, v, k + 1)


def _adam_step__moves_towards(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    if state is None:
        m, v, k = np.zeros_like(w), np.zeros_like(w), 1
    else:
        m, v, k = state[0], state[1], state[2] + 1
    m = m + (1 - betas[0]) * (g - m)
    v = v + (1 - betas[1]) * (g**2 - v)
    # The correction divides by the sum of all weights so far.
    weight_m = sum((1 - betas[0]) * betas[0] ** i for i in range(k))
    weight_v = sum((1 - betas[1]) * betas[1] ** i for i in range(k))
    return w - lr * (m / weight_m) / (eps + (v / weight_v) ** 0.5), (m, v, k)


def _adam_step__correction_in_the_rate(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    m, v, k = (0 * w, 0 * w, 0) if state is None else state
    k = k + 1
    m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * np.square(g)
    root = (1 - betas[1] ** k) ** 0.5
    return w - lr * root / (1 - betas[0] ** k) * m / (np.sqrt(v) + eps * root), (m, v, k)


def _adam_step__entry_by_entry(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8):
    new, m, v = np.empty_like(w), np.empty_like(w), np.empty_like(w)
    k = 1 if state is None else state[2] + 1
    for i in np.ndindex(w.shape):
        m[i] = (1 - betas[0]) * g[i] + (0 if state is None else betas[0] * state[0][i])
        v[i] = (1 - betas[1]) * g[i] ** 2 + (0 if state is None else betas[1] * state[1][i])
        new[i] = w[i] - lr * m[i] / (1 - betas[0] ** k) / ((v[i] / (1 - betas[1] ** k)) ** 0.5 + eps)
    return new, (m, v, k)


ADAM_STEP = Exercise(
    id="adam_step",
    topic="optimisers",
    points=3,
    cases=_adam_step_cases,
    mistakes=(
        Mistake(
            "no_correction",
            "The bias correction is missing. m and v start at 0 and are too small at first: divide by 1 - beta1**k "
            "and 1 - beta2**k before the step.",
            _adam_step__no_correction,
        ),
        Mistake(
            "only_m_corrected",
            "You correct m but not v. v starts at 0 too: divide it by 1 - beta2**k before the root.",
            _adam_step__only_m_corrected,
        ),
        Mistake(
            "correction_stored",
            "You hand on the corrected averages, and the next step corrects them again. Keep m and v as they are; "
            "use m_hat and v_hat for the step only.",
            _adam_step__correction_stored,
        ),
        Mistake(
            "counts_from_zero",
            "Your first correction uses k = 0, and 1 - beta**0 is 0. Add 1 to k first: the first step has k = 1.",
            _adam_step__counts_from_zero,
        ),
        Mistake(
            "count_stands_still",
            "Your number of steps stays where it was, so each step is corrected like the first one. Return k + 1.",
            _adam_step__count_stands_still,
        ),
        Mistake(
            "swapped_betas",
            "The betas are swapped. betas[0] belongs to m, the average of gradients, betas[1] to v, that of squares.",
            _adam_step__swapped_betas,
        ),
        Mistake("no_root", "The root is missing: divide by sqrt(v_hat) + eps.", _adam_step__no_root),
        Mistake(
            "not_squared",
            "Your v averages the gradients, and the root of a negative one is NaN. v averages their squares: g * g.",
            _adam_step__not_squared,
        ),
        Mistake(
            "gradient_on_top",
            "You step along the gradient g. Adam steps along its average: m_hat / (sqrt(v_hat) + eps).",
            _adam_step__gradient_on_top,
        ),
        Mistake("corrected_state", _STATE, _adam_step__corrected_state),
        Mistake("eps_inside", _OUTSIDE, _adam_step__eps_inside),
        Mistake("eps_before_correction", _OUTSIDE, _adam_step__eps_before_correction),
        Mistake("changes_state", _KEPT, _adam_step__changes_state),
    ),
    other_ways=(
        OtherWay("moves_towards", _adam_step__moves_towards),
        OtherWay("correction_in_the_rate", _adam_step__correction_in_the_rate),
        OtherWay("entry_by_entry", _adam_step__entry_by_entry),
    ),
)


def _adamw_step__decay_in_the_gradient(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return adam_step(w, g + weight_decay * w, state, lr, betas, eps)


def _adamw_step__decay_afterwards(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    new, state = adam_step(w, g, state, lr, betas, eps)
    return new * (1 - lr * weight_decay), state


def _adamw_step__decay_without_rate(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return adam_step(w * (1 - weight_decay), g, state, lr, betas, eps)


def _adamw_step__no_decay(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return adam_step(w, g, state, lr, betas, eps)


def _adamw_step__grows(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return adam_step(w * (1 + lr * weight_decay), g, state, lr, betas, eps)


def _adamw_step__constant_decay(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    return adam_step(w - lr * weight_decay * np.sign(w), g, state, lr, betas, eps)


def _adamw_step__changes_weights(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    w *= 1 - lr * weight_decay
    return adam_step(w, g, state, lr, betas, eps)


def _adamw_step__both_from_the_old_weights(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    moved, state = adam_step(w, g, state, lr, betas, eps)
    return moved - lr * weight_decay * w, state


def _adamw_step__step_from_zero(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    # Adam's step does not depend on where it starts.
    step, state = adam_step(np.zeros_like(w), g, state, lr, betas, eps)
    return w + step - weight_decay * lr * w, state


def _adamw_step__written_out(w, g, state, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
    m, v, k = state or (np.zeros_like(w), np.zeros_like(w), 0)
    m, v, k = m + (1 - betas[0]) * (g - m), v + (1 - betas[1]) * (g * g - v), k + 1
    direction = m / (1 - betas[0] ** k) / (np.sqrt(v / (1 - betas[1] ** k)) + eps)
    return w - lr * (direction + weight_decay * w), (m, v, k)


ADAMW_STEP = Exercise(
    id="adamw_step",
    topic="optimisers",
    points=2,
    cases=_adamw_step_cases,
    mistakes=(
        Mistake(
            "decay_in_the_gradient",
            "You add the decay to the gradient, so Adam divides it by the root as well. That is Adam with an L2 "
            "penalty. Shrink the weights themselves, w * (1 - lr * weight_decay), and give Adam the plain gradient.",
            _adamw_step__decay_in_the_gradient,
        ),
        Mistake(
            "decay_afterwards",
            "You shrink the weights after the step, and the step with them. Shrink first, then step.",
            _adamw_step__decay_afterwards,
        ),
        Mistake(
            "decay_without_rate",
            "Your decay leaves out the learning rate. The factor is 1 - lr * weight_decay.",
            _adamw_step__decay_without_rate,
        ),
        Mistake(
            "no_decay",
            "This is Adam: the weight decay is missing. Multiply w by 1 - lr * weight_decay before the step.",
            _adamw_step__no_decay,
        ),
        Mistake(
            "grows",
            "Your weights grow instead of shrinking. The factor is 1 - lr * weight_decay.",
            _adamw_step__grows,
        ),
        Mistake(
            "constant_decay",
            "Every weight loses the same amount. It should lose a share of itself: w * (1 - lr * weight_decay).",
            _adamw_step__constant_decay,
        ),
        Mistake(
            "changes_weights",
            "Your values are right, but the array w that came in is changed. Write w = w * ..., which makes a new "
            "array.",
            _adamw_step__changes_weights,
        ),
    ),
    other_ways=(
        OtherWay("both_from_the_old_weights", _adamw_step__both_from_the_old_weights),
        OtherWay("step_from_zero", _adamw_step__step_from_zero),
        OtherWay("written_out", _adamw_step__written_out),
    ),
)

EXERCISES = (ADAM_STEP, ADAMW_STEP)
