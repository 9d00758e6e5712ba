"""The exercise on GELU, both forms (topic `activations`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case
from course_lib.tree import Tree

_FAR = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])
_FORMS = ("erf", "tanh")


def _gelu_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    inputs: dict[str, dict[str, Tree]] = {
        "form not given": {"x": draw(rng, 6)},
        "form erf": {"x": draw(rng, 2, 3), "form": "erf"},
        "form tanh": {"x": draw(rng, 3, 2, scale=1.5), "form": "tanh"},
        "at zero": {"x": np.append(draw(rng, 2), 0.0)},
        "float32": {"x": draw(rng, 4, dtype="float32")},
    }
    far = _FAR
    if not public:
        inputs |= {
            "a single number": {"x": np.array(draw(rng, 1)[0])},
            "three axes, form tanh": {"x": draw(rng, 2, 1, 3), "form": "tanh"},
            "float32, form tanh": {"x": draw(rng, 3, dtype="float32"), "form": "tanh"},
        }
        far = np.append(_FAR, draw(rng, 3, scale=900.0))
    calls = [call_case(name, "gelu", values) for name, values in inputs.items()]
    ends = [
        call_case(f"very large, form {form}", "gelu", {"x": far, "form": form}, kind="stability") for form in _FORMS
    ]
    return (*calls, *ends)


def _gelu__sigmoid_form(x, form="erf"):
    with np.errstate(over="ignore"):
        return x / (1 + np.exp(-1.702 * x))


def _gelu__no_root_of_two(x, form="erf"):
    from course_lib.erf import erf

    if form == "erf":
        return 0.5 * x * (1 + erf(x))
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def _gelu__no_cube(x, form="erf"):
    from course_lib.erf import erf

    if form == "erf":
        return 0.5 * x * (1 + erf(x / 1.4142135623730951))
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * x))


def _gelu__no_outer_root(x, form="erf"):
    from course_lib.erf import erf

    if form == "erf":
        return 0.5 * x * (1 + erf(x / 1.4142135623730951))
    return 0.5 * x * (1 + np.tanh(0.6366197723675814 * (x + 0.044715 * x * x * x)))


def _gelu__always_erf(x, form="erf"):
    from course_lib.erf import erf

    return 0.5 * x * (1 + erf(x / 1.4142135623730951))


def _gelu__always_tanh(x, form="erf"):
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def _gelu__no_half(x, form="erf"):
    from course_lib.erf import erf

    if form == "erf":
        return x * (1 + erf(x / 1.4142135623730951))
    return x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def _gelu__share_only(x, form="erf"):
    from course_lib.erf import erf

    if form == "erf":
        return 0.5 * (1 + erf(x / 1.4142135623730951))
    return 0.5 * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


def _gelu__erfc(x, form="erf"):
    import math

    def share(value):
        if form == "erf":
            return 0.5 * math.erfc(-value / math.sqrt(2))
        return 0.5 + 0.5 * math.tanh(math.sqrt(2 / math.pi) * (value + 0.044715 * value**3))

    values = [value * share(value) for value in x.ravel().tolist()]
    return np.array(values, dtype=x.dtype).reshape(x.shape)


def _gelu__area(x, form="erf"):
    if form == "tanh":
        with np.errstate(over="ignore"):
            return x / (1 + np.exp(-2 * 0.7978845608028654 * (x + 0.044715 * x * x * x)))
    # Phi(x) is one half and the area under the density from 0 to x; beyond 9 nothing is left.
    nodes, weights = np.polynomial.legendre.leggauss(60)
    end = np.clip(x, -9, 9)[..., None].astype(np.float64)
    area = (np.exp(-0.5 * (0.5 * end * (nodes + 1)) ** 2) * weights).sum(axis=-1) * 0.5 * end[..., 0]
    return (x * (0.5 + area / np.sqrt(2 * np.pi))).astype(x.dtype)


GELU = Exercise(
    id="gelu",
    topic="activations",
    points=2,
    cases=_gelu_cases,
    mistakes=(
        Mistake(
            "sigmoid_form",
            "x * sigmoid(1.702 * x) is a third, coarser form. This exercise asks for the one with erf and the one with "
            "tanh.",
            _gelu__sigmoid_form,
        ),
        Mistake(
            "no_root_of_two",
            "In the erf form x must be divided by sqrt(2) inside: 0.5 * x * (1 + erf(x / sqrt(2))).",
            _gelu__no_root_of_two,
        ),
        Mistake(
            "no_cube",
            "In the tanh form the term 0.044715 * x**3 is missing: tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)).",
            _gelu__no_cube,
        ),
        Mistake(
            "no_outer_root",
            "In the tanh form the factor is the root of 2 / pi, about 0.798. You use 2 / pi itself.",
            _gelu__no_outer_root,
        ),
        Mistake(
            "always_erf",
            'You always use erf. When form is "tanh", use the form with tanh; the two differ by up to 0.0005.',
            _gelu__always_erf,
        ),
        Mistake(
            "always_tanh",
            'You always use tanh. When form is "erf", the default, use the exact form with erf.',
            _gelu__always_tanh,
        ),
        Mistake(
            "no_half",
            "Your values are twice the right ones: the factor 0.5 is missing.",
            _gelu__no_half,
        ),
        Mistake(
            "share_only",
            "You return Phi(x), the share of the bell curve left of x. GELU is x times that: x * Phi(x).",
            _gelu__share_only,
        ),
    ),
    other_ways=(
        OtherWay("erfc", _gelu__erfc),
        OtherWay("area", _gelu__area),
    ),
)

EXERCISES = (GELU,)
