"""Exercises on weight penalties: the value of L2 and the slope of L1."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number, draw_with_zeros
from course_lib.cases import Case, call_case

_SHAPES = {"a matrix": (4, 3), "a vector": (5,), "one weight": (1,), "float32": (2, 3)}
_SECRET_SHAPES = {
    "a matrix": (3, 5),
    "a vector": (7,),
    "one weight": (1, 1),
    "three axes": (2, 3, 2),
    "float32": (4, 2),
}
_AT_ZERO = "Where a weight is exactly 0, every slope between -strength and strength would do; this course takes 0."


def _l2_penalty_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, shape in (_SHAPES if public else _SECRET_SHAPES).items():
        w = draw(rng, *shape, dtype="float32" if name == "float32" else "float64")
        cases.append(call_case(name, "l2_penalty", {"w": w, "strength": draw_number(rng, 0.1, 0.9)}))
    no_penalty = {"w": draw(rng, 2, 2), "strength": 0.0}
    return (*cases, call_case("strength of zero", "l2_penalty", no_penalty))


def _l2_penalty__no_half(w, strength):
    return strength * (w * w).sum()


def _l2_penalty__no_strength(w, strength):
    return 0.5 * (w * w).sum()


def _l2_penalty__root(w, strength):
    return 0.5 * strength * np.sqrt((w * w).sum())


def _l2_penalty__mean(w, strength):
    return 0.5 * strength * (w * w).mean()


def _l2_penalty__absolute(w, strength):
    return 0.5 * strength * np.abs(w).sum()


def _l2_penalty__gradient(w, strength):
    return strength * w


def _l2_penalty__square_of_sum(w, strength):
    return 0.5 * strength * w.sum() ** 2


def _l2_penalty__not_summed(w, strength):
    return 0.5 * strength * w * w


def _l2_penalty__weight_by_weight(w, strength):
    import math

    squares = math.fsum(float(weight) ** 2 for weight in w.flat)
    return w.dtype.type(0.5 * strength * squares)


def _l2_penalty__dot(w, strength):
    flat = w.ravel()
    return 0.5 * strength * (flat @ flat)


def _l2_penalty__trace(w, strength):
    rows = w.reshape(len(w), -1)
    return strength * np.trace(rows @ rows.T) / 2


L2_PENALTY = Exercise(
    id="l2_penalty",
    topic="penalties",
    points=1,
    cases=_l2_penalty_cases,
    mistakes=(
        Mistake(
            "no_half",
            "Your penalty is twice as large as agreed. This course takes half the sum of squares, so that the gradient "
            "is strength * w without a factor 2.",
            _l2_penalty__no_half,
        ),
        Mistake(
            "no_strength",
            "The strength is missing: multiply half the sum of squares by it.",
            _l2_penalty__no_strength,
        ),
        Mistake(
            "root",
            "You take the root, which gives the length of w. The penalty is made of the squares themselves: leave the "
            "root out.",
            _l2_penalty__root,
        ),
        Mistake(
            "mean",
            "You average over the weights. The penalty is a sum: every weight pays for itself.",
            _l2_penalty__mean,
        ),
        Mistake(
            "absolute",
            "You add up absolute values, which is the L1 penalty. L2 adds up squares.",
            _l2_penalty__absolute,
        ),
        Mistake(
            "gradient",
            "This is the gradient, one number per weight. The penalty itself is a single number: "
            "strength / 2 * sum of w ** 2.",
            _l2_penalty__gradient,
        ),
        Mistake(
            "square_of_sum",
            "You square the sum, where positive and negative weights cancel. Square first, then add up.",
            _l2_penalty__square_of_sum,
        ),
        Mistake(
            "not_summed",
            "You have one number per weight. Add them up, over all axes: the penalty is a single number.",
            _l2_penalty__not_summed,
        ),
    ),
    other_ways=(
        OtherWay("weight_by_weight", _l2_penalty__weight_by_weight),
        OtherWay("dot", _l2_penalty__dot),
        OtherWay("trace", _l2_penalty__trace),
    ),
)


def _l1_subgradient_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, shape in (_SHAPES if public else _SECRET_SHAPES).items():
        w = draw(rng, *shape, dtype="float32" if name == "float32" else "float64")
        cases.append(call_case(name, "l1_subgradient", {"w": w, "strength": draw_number(rng, 0.1, 0.9)}))
    zeros = {"w": draw_with_zeros(rng, 3, 4), "strength": draw_number(rng, 0.1, 0.9)}
    return (*cases, call_case("weights at zero", "l1_subgradient", zeros, kind="convention", says=_AT_ZERO))


def _l1_subgradient__one_at_zero(w, strength):
    return strength * np.where(w >= 0, 1, -1).astype(w.dtype)


def _l1_subgradient__minus_one_at_zero(w, strength):
    return strength * np.where(w > 0, 1, -1).astype(w.dtype)


def _l1_subgradient__divided_by_zero(w, strength):
    with np.errstate(all="ignore"):
        return strength * w / np.abs(w)


def _l1_subgradient__no_strength(w, strength):
    return np.sign(w)


def _l1_subgradient__of_l2(w, strength):
    return strength * w


def _l1_subgradient__values(w, strength):
    return strength * np.abs(w)


def _l1_subgradient__penalty(w, strength):
    return strength * np.abs(w).sum()


def _l1_subgradient__always_positive(w, strength):
    return np.full_like(w, strength) * (w != 0)


def _l1_subgradient__mean(w, strength):
    return strength * np.sign(w) / w.size


def _l1_subgradient__comparisons(w, strength):
    return strength * ((w > 0).astype(w.dtype) - (w < 0))


def _l1_subgradient__copied_signs(w, strength):
    return np.copysign(w.dtype.type(strength), w) * (w != 0)


def _l1_subgradient__weight_by_weight(w, strength):
    out = np.zeros_like(w)
    for place in zip(*np.nonzero(w), strict=True):
        out[place] = strength if w[place] > 0 else -strength
    return out


L1_SUBGRADIENT = Exercise(
    id="l1_subgradient",
    topic="penalties",
    points=1,
    cases=_l1_subgradient_cases,
    mistakes=(
        Mistake(
            "one_at_zero",
            f"A weight of 0 gets the slope of a positive one. {_AT_ZERO} np.sign does that.",
            _l1_subgradient__one_at_zero,
        ),
        Mistake(
            "minus_one_at_zero",
            f"A weight of 0 gets the slope of a negative one. {_AT_ZERO} np.sign does that.",
            _l1_subgradient__minus_one_at_zero,
        ),
        Mistake(
            "divided_by_zero",
            f"You divide by |w|, and 0 / 0 is not a number. {_AT_ZERO} np.sign does that.",
            _l1_subgradient__divided_by_zero,
        ),
        Mistake("no_strength", "The strength is missing: multiply the signs by it.", _l1_subgradient__no_strength),
        Mistake(
            "of_l2",
            "This is the gradient of the L2 penalty. The slope of |w| does not grow with w: it is the sign of w.",
            _l1_subgradient__of_l2,
        ),
        Mistake(
            "values",
            "You return what each weight pays, strength * |w|. Asked is its slope, strength times the sign of w.",
            _l1_subgradient__values,
        ),
        Mistake(
            "penalty",
            "You return the penalty. Asked is its slope, one number per weight: strength times the sign of w.",
            _l1_subgradient__penalty,
        ),
        Mistake(
            "always_positive",
            "Negative weights need a negative slope: |w| falls there as w rises. Multiply by the sign of w.",
            _l1_subgradient__always_positive,
        ),
        Mistake(
            "mean",
            "You divide by the number of weights. The penalty is a sum, so its slope is strength times the sign of w.",
            _l1_subgradient__mean,
        ),
    ),
    other_ways=(
        OtherWay("comparisons", _l1_subgradient__comparisons),
        OtherWay("copied_signs", _l1_subgradient__copied_signs),
        OtherWay("weight_by_weight", _l1_subgradient__weight_by_weight),
    ),
)

EXERCISES = (L2_PENALTY, L1_SUBGRADIENT)
