"""Exercises on derivatives without calculus, and on how far two gradients are apart."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case
from course_lib.tree import Probe

# Case id to (probe, shape, step). Steps are large: then the formula shows in the digits, and rounding does not.
# Without a step the default is taken, which float32 cannot resolve.
_STEPS = {
    "a cubic": ("cubic", (3,), 0.1),
    "entries that belong together": ("coupled", (4,), 0.05),
    "a matrix": ("coupled", (2, 3), 0.25),
    "no axes": ("cubic", (), 0.2),
    "float32": ("cubic", (3,), 0.25),
    "float32, default step": ("coupled", (3,), None),
}
_SECRET_STEPS = {
    "a cubic": ("cubic", (4,), 0.2),
    "one number": ("cubic", (1,), 0.5),
    "a quadratic": ("quadratic", (3,), 0.125),
    "entries that belong together": ("coupled", (3,), 0.1),
    "a matrix": ("cubic", (3, 2), 0.25),
    "three axes": ("coupled", (2, 1, 3), 0.05),
    "no axes": ("cubic", (), 0.1),
    "float32": ("coupled", (2, 2), 0.25),
    "float32, default step": ("coupled", (2, 3), None),
}


def _numerical_gradient_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (probe, shape, h) in (_STEPS if public else _SECRET_STEPS).items():
        dtype = "float32" if name.startswith("float32") else "float64"
        # An array without axes is made from a row of one.
        x, a, c = (draw(rng, *(shape or (1,)), dtype=dtype).reshape(shape) for _ in range(3))
        inputs = {"f": Probe(probe, (a, c)), "x": x} | ({} if h is None else {"h": h})
        cases.append(call_case(name, "numerical_gradient", inputs))
    return tuple(cases)


def _numerical_gradient__one_sided(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        there = x.astype(np.float64)
        there[i] += h
        gradient[i] = (f(there) - f(x.astype(np.float64))) / h
    return gradient.astype(x.dtype)


def _numerical_gradient__not_halved(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        ahead, behind = x.astype(np.float64), x.astype(np.float64)
        ahead[i] += h
        behind[i] -= h
        gradient[i] = (f(ahead) - f(behind)) / h
    return gradient.astype(x.dtype)


def _numerical_gradient__not_restored(f, x, h=1e-5):
    gradient, there = np.zeros(x.shape), x.astype(np.float64)
    for i in np.ndindex(x.shape):
        there[i] += h
        ahead = f(there)
        there[i] -= 2 * h
        gradient[i] = (ahead - f(there)) / (2 * h)
    return gradient.astype(x.dtype)


def _numerical_gradient__all_at_once(f, x, h=1e-5):
    wide = x.astype(np.float64)
    slope = (f(wide + h) - f(wide - h)) / (2 * h)
    return np.full(x.shape, slope).astype(x.dtype)


def _numerical_gradient__own_step(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        ahead, behind = x.astype(np.float64), x.astype(np.float64)
        ahead[i] += 1e-3
        behind[i] -= 1e-3
        gradient[i] = (f(ahead) - f(behind)) / 2e-3
    return gradient.astype(x.dtype)


def _numerical_gradient__own_divisor(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        ahead, behind = x.astype(np.float64), x.astype(np.float64)
        ahead[i] += h
        behind[i] -= h
        gradient[i] = (f(ahead) - f(behind)) / 2 * h
    return gradient.astype(x.dtype)


def _numerical_gradient__flat(f, x, h=1e-5):
    gradient = np.zeros(x.size)
    for k in range(x.size):
        ahead, behind = x.astype(np.float64), x.astype(np.float64)
        ahead.reshape(-1)[k] += h
        behind.reshape(-1)[k] -= h
        gradient[k] = (f(ahead) - f(behind)) / (2 * h)
    return gradient.astype(x.dtype)


def _numerical_gradient__not_widened(f, x, h=1e-5):
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[i] += h
        behind[i] -= h
        gradient[i] = (f(ahead) - f(behind)) / (2 * h)
    return gradient


def _numerical_gradient__whole_rows(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        ahead, behind = x.astype(np.float64), x.astype(np.float64)
        ahead[i] += h
        behind[i] -= h
        gradient[i] = (f(ahead) - f(behind)) / (2 * h)
    return gradient.astype(x.dtype)


def _numerical_gradient__in_place(f, x, h=1e-5):
    gradient, there = np.zeros(x.shape), x.astype(np.float64)
    for i in np.ndindex(x.shape):
        kept = there[i]
        there[i] = kept + h
        ahead = f(there)
        there[i] = kept - h
        gradient[i] = (ahead - f(there)) / (2 * h)
        there[i] = kept
    return gradient.astype(x.dtype)


def _numerical_gradient__rows_of_the_identity(f, x, h=1e-5):
    moves = h * np.eye(x.size).reshape(x.size, *x.shape)
    slopes = [(f(x + move) - f(x - move)) / (2 * h) for move in moves]
    return np.array(slopes, dtype=x.dtype).reshape(x.shape)


def _numerical_gradient__mean_of_both_sides(f, x, h=1e-5):
    def slope(i, step):
        there = x.astype(np.float64)
        there[i] += step
        return (f(there) - f(x.astype(np.float64))) / step

    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        gradient[i] = (slope(i, h) + slope(i, -h)) / 2
    return gradient


NUMERICAL_GRADIENT = Exercise(
    id="numerical_gradient",
    topic="differences",
    points=3,
    cases=_numerical_gradient_cases,
    mistakes=(
        Mistake(
            "one_sided",
            "You nudge to one side only, so the error shrinks with h instead of h squared. Take the difference of "
            "f at x + h and at x - h, and divide by 2 * h.",
            _numerical_gradient__one_sided,
        ),
        Mistake(
            "not_halved",
            "Your slopes are twice too large. From x - h to x + h the way is 2 * h long: divide by that.",
            _numerical_gradient__not_halved,
        ),
        Mistake(
            "not_restored",
            "After its turn each entry stays nudged, and the entries after it are measured at another point. Put the "
            "old number back before you go on.",
            _numerical_gradient__not_restored,
        ),
        Mistake(
            "all_at_once",
            "You nudge all entries together, which measures one slope for all of them. Nudge one entry at a time.",
            _numerical_gradient__all_at_once,
        ),
        Mistake(
            "own_step",
            "You use a step of your own. Use the argument h, in the nudge and in the division.",
            _numerical_gradient__own_step,
        ),
        Mistake(
            "own_divisor",
            "Python reads / 2 * h from left to right: it halves, and then multiplies by h. Write / (2 * h).",
            _numerical_gradient__own_divisor,
        ),
        Mistake(
            "flat",
            "Your numbers are right, but in one row. The gradient has the shape of x: reshape it at the end.",
            _numerical_gradient__flat,
        ),
        Mistake(
            "not_widened",
            "You measure in the dtype of x, and in float32 the small step drowns in rounding. Make the copies with "
            "x.astype(np.float64), and convert the result at the end.",
            _numerical_gradient__not_widened,
        ),
        Mistake(
            "whole_rows",
            "range(len(x)) counts the rows of a matrix, and x[i] nudges a whole row. Visit each entry: for i in "
            "np.ndindex(x.shape).",
            _numerical_gradient__whole_rows,
        ),
    ),
    other_ways=(
        OtherWay("in_place", _numerical_gradient__in_place),
        OtherWay("rows_of_the_identity", _numerical_gradient__rows_of_the_identity),
        OtherWay("mean_of_both_sides", _numerical_gradient__mean_of_both_sides),
    ),
)

_ZEROS = "Where both numbers are about 0 they agree. Divide by at least floor, so that 0 / 0 never comes up."
# Case id to shape.
_PAIRS = {"four entries": (4,), "a matrix": (2, 3), "one entry": (1,), "float32": (3,)}
_SECRET_PAIRS = {"five entries": (5,), "a matrix": (3, 2), "one entry": (1,), "three axes": (2, 2, 2), "float32": (4,)}


def _relative_error_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, shape in (_PAIRS if public else _SECRET_PAIRS).items():
        a = np.abs(draw(rng, *shape)) + 0.5
        signs = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
        # Different signs would make every error 1; different sizes tell the entries apart.
        b = a * (1 + np.round(rng.uniform(0.05, 0.4, shape), 2))
        dtype = "float32" if name == "float32" else "float64"
        pair = {"a": (a * signs).astype(dtype), "b": (b * signs).astype(dtype)}
        cases.append(call_case(name, "relative_error", pair))
    near, size = draw(rng, 3), 2 if public else 3
    there = np.append(near, 0.0)
    cases.append(
        call_case("opposite signs", "relative_error", {"a": near, "b": -near[::-1] * np.sign(near * near[::-1])})
    )
    cases.append(call_case("zeros", "relative_error", {"a": there, "b": there * 1.5}, kind="stability", says=_ZEROS))
    tiny = np.zeros(size), 1e-9 * np.abs(draw(rng, size)) + 1e-9
    cases.append(call_case("about zero", "relative_error", dict(zip("ab", tiny, strict=True)), kind="stability"))
    floor = {"a": draw(rng, 3), "b": draw(rng, 3), "floor": draw_number(rng, 4.0, 9.0)}
    return (*cases, call_case("another floor", "relative_error", floor))


def _relative_error__mean_of_entries(a, b, floor=1e-8):
    return np.mean(np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), a.dtype.type(floor)))


def _relative_error__of_norms(a, b, floor=1e-8):
    total = np.sqrt((a * a).sum()) + np.sqrt((b * b).sum())
    return np.sqrt(((a - b) ** 2).sum()) / np.maximum(total, a.dtype.type(floor))


def _relative_error__of_maxima(a, b, floor=1e-8):
    return np.max(np.abs(a - b)) / max(np.max(np.abs(a) + np.abs(b)), a.dtype.type(floor))


def _relative_error__no_floor(a, b, floor=1e-8):
    with np.errstate(all="ignore"):
        return np.max(np.abs(a - b) / (np.abs(a) + np.abs(b)))


def _relative_error__floor_added(a, b, floor=1e-8):
    return np.max(np.abs(a - b) / (np.abs(a) + np.abs(b) + a.dtype.type(floor)))


def _relative_error__signs_kept(a, b, floor=1e-8):
    return np.max((a - b) / np.maximum(np.abs(a) + np.abs(b), a.dtype.type(floor)))


def _relative_error__of_one(a, b, floor=1e-8):
    return np.max(np.abs(a - b) / np.maximum(np.abs(b), a.dtype.type(floor)))


def _relative_error__of_the_sum(a, b, floor=1e-8):
    return np.max(np.abs(a - b) / np.maximum(np.abs(a + b), a.dtype.type(floor)))


def _relative_error__each_entry(a, b, floor=1e-8):
    return np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), a.dtype.type(floor))


def _relative_error__entry_by_entry(a, b, floor=1e-8):
    worst = 0.0
    for one, other in zip(a.ravel(), b.ravel(), strict=True):
        worst = max(worst, abs(float(one) - float(other)) / max(abs(float(one)) + abs(float(other)), floor))
    return a.dtype.type(worst)


def _relative_error__sorted(a, b, floor=1e-8):
    pairs = np.abs(np.stack([a.ravel(), b.ravel(), (a - b).ravel()]))
    return np.sort(pairs[2] / np.clip(pairs[0] + pairs[1], a.dtype.type(floor), None))[-1]


RELATIVE_ERROR = Exercise(
    id="relative_error",
    topic="differences",
    points=2,
    cases=_relative_error_cases,
    mistakes=(
        Mistake(
            "mean_of_entries",
            "You average over the entries, where one wrong entry is lost among many. Take the worst one: np.max.",
            _relative_error__mean_of_entries,
        ),
        Mistake(
            "of_norms",
            "You compare the lengths of the arrays as a whole. Divide entry by entry, and take the worst quotient.",
            _relative_error__of_norms,
        ),
        Mistake(
            "of_maxima",
            "You divide the largest difference by the largest sum; they may stand at different entries. Divide first, "
            "then take the largest.",
            _relative_error__of_maxima,
        ),
        Mistake("no_floor", _ZEROS, _relative_error__no_floor),
        Mistake(
            "floor_added",
            "You add floor to every denominator. It is a lower limit: np.maximum(np.abs(a) + np.abs(b), floor).",
            _relative_error__floor_added,
        ),
        Mistake(
            "signs_kept",
            "Your difference has a sign, so an entry of b that is too large counts as less than 0. Take np.abs(a - b).",
            _relative_error__signs_kept,
        ),
        Mistake(
            "of_one",
            "You divide by the size of one of the two arrays. The measure is the same both ways round: divide by "
            "np.abs(a) + np.abs(b).",
            _relative_error__of_one,
        ),
        Mistake(
            "of_the_sum",
            "You divide by abs(a + b), which is 0 for opposite signs. Take the absolute values first, then add them.",
            _relative_error__of_the_sum,
        ),
        Mistake(
            "each_entry",
            "You return an error for each entry. Return one number, that of the worst entry.",
            _relative_error__each_entry,
        ),
    ),
    other_ways=(
        OtherWay("entry_by_entry", _relative_error__entry_by_entry),
        OtherWay("sorted", _relative_error__sorted),
    ),
)

EXERCISES = (NUMERICAL_GRADIENT, RELATIVE_ERROR)
