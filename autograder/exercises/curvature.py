"""Exercises on curvature (topic `curvature`): the longest stable step, and the Laplacian."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case
from course_lib.tree import Probe

_FLAT = "Without curvature no step is too long: the answer is infinity, np.inf."
# Case id to eigenvalues of the Hessian, each to be stretched by up to a tenth.
_PUBLIC_HESSIANS = {
    "a valley": (1.0, 9.0),
    "three directions": (0.5, 2.0, 6.0),
    "a saddle": (2.0, -7.0, 0.5),
    "float32": (1.0, 5.0),
}
_SECRET_HESSIANS = {
    "a narrow valley": (0.2, 40.0),
    "four directions": (0.3, 1.0, 2.5, 8.0),
    "a saddle": (3.0, -11.0),
    "one weight": (4.0,),
    "a flat direction": (0.0, 3.0, 1.0),
    "float32": (0.5, 2.0, 7.0),
}


def _max_stable_step_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, eigenvalues in (_PUBLIC_HESSIANS if public else _SECRET_HESSIANS).items():
        hessian = _turned(rng, np.array(eigenvalues) * rng.uniform(1.0, 1.1, len(eigenvalues)))
        dtype = "float32" if name == "float32" else "float64"
        cases.append(call_case(name, "max_stable_step", {"hessian": hessian.astype(dtype)}))
    flat = {"hessian": np.zeros((2, 2))}
    return (*cases, call_case("no curvature", "max_stable_step", flat, kind="convention", says=_FLAT))


def _turned(rng: np.random.Generator, eigenvalues: np.ndarray) -> np.ndarray:
    """A symmetric matrix with these eigenvalues, and axes that lie askew."""
    size = len(eigenvalues)
    while True:
        turn = np.linalg.qr(rng.normal(size=(size, size)))[0]
        if size == 1 or np.abs(turn).max() < 0.95:
            hessian = turn @ np.diag(eigenvalues) @ turn.T
            return (hessian + hessian.T) / 2


def _max_stable_step__one_over(hessian):
    return 1 / np.abs(np.linalg.eigvalsh(hessian)).max()


def _max_stable_step__smallest(hessian):
    smallest = np.abs(np.linalg.eigvalsh(hessian)).min()
    return 2 / np.maximum(smallest, hessian.dtype.type(1e-9))


def _max_stable_step__sign_kept(hessian):
    return 2 / np.linalg.eigvalsh(hessian).max()


def _max_stable_step__trace(hessian):
    return 2 / np.trace(hessian)


def _max_stable_step__diagonal(hessian):
    return 2 / np.abs(np.diag(hessian)).max()


def _max_stable_step__all_entries(hessian):
    return 2 / np.sqrt((hessian * hessian).sum())


def _max_stable_step__determinant(hessian):
    return 2 / np.maximum(np.abs(np.linalg.det(hessian)), hessian.dtype.type(1e-9))


def _max_stable_step__singular_value(hessian):
    largest = np.linalg.svd(hessian, compute_uv=False)[0]
    return 2 / largest if largest > 0 else hessian.dtype.type(np.inf)


def _max_stable_step__squared_again_and_again(hessian):
    power, size, share = hessian.astype(np.float64), 1.0, 1.0
    for _ in range(60):
        scale = np.abs(power).max()
        if scale == 0:
            return hessian.dtype.type(np.inf)
        size, share = size * scale**share, share / 2
        power = (power / scale) @ (power / scale)
    return hessian.dtype.type(2 / size)


def _max_stable_step__root_of_the_square(hessian):
    largest = max(np.linalg.eigvals(hessian.astype(np.float64) @ hessian.T).real) ** 0.5
    return hessian.dtype.type(2 / largest if largest > 0 else np.inf)


MAX_STABLE_STEP = Exercise(
    id="max_stable_step",
    topic="curvature",
    points=1,
    cases=_max_stable_step_cases,
    mistakes=(
        Mistake(
            "one_over",
            "1 / L is the best step along the steepest axis. The loss falls up to twice as far: 2 / L.",
            _max_stable_step__one_over,
        ),
        Mistake(
            "smallest",
            "You use the smallest curvature. The steepest direction explodes first: take the largest.",
            _max_stable_step__smallest,
        ),
        Mistake(
            "sign_kept",
            "You take the largest eigenvalue with its sign. L is the largest one in absolute value: np.abs first.",
            _max_stable_step__sign_kept,
        ),
        Mistake(
            "trace",
            "You add up the curvatures of all directions. The largest single one decides.",
            _max_stable_step__trace,
        ),
        Mistake(
            "diagonal",
            "You look along the axes only. The steepest direction may lie between them: use the eigenvalues.",
            _max_stable_step__diagonal,
        ),
        Mistake(
            "all_entries",
            "This is the root of the sum of all squares, np.linalg.norm's default. Use the largest absolute "
            "eigenvalue.",
            _max_stable_step__all_entries,
        ),
        Mistake(
            "determinant",
            "The determinant is the product of all curvatures. The largest single one decides.",
            _max_stable_step__determinant,
        ),
    ),
    other_ways=(
        OtherWay("singular_value", _max_stable_step__singular_value),
        OtherWay("squared_again_and_again", _max_stable_step__squared_again_and_again),
        OtherWay("root_of_the_square", _max_stable_step__root_of_the_square),
    ),
)

_ROUNDING = (
    "With a small h the second difference drowns in the rounding of float32. Move in float64, x.astype(np.float64), "
    "and bring the result back to the dtype of x."
)


def _laplacian_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    """Second differences are exact for cubics, and so are formulas of higher order."""

    def case(name: str, probe: str, *shape: int, h: float = 0.25, dtype: str = "float64", **options: str) -> Case:
        f = Probe(probe, (draw(rng, *shape), draw(rng, *shape)))
        inputs = {"f": f, "x": draw(rng, *shape, dtype=dtype), "h": h}
        return call_case(name, "laplacian", inputs, **options)

    step = 0.5 if public else 0.125
    cases = (
        case("a bowl", "quadratic", 3, h=step),
        case("a cubic", "cubic", 2, h=0.25),
        case("a narrow valley", "coupled", 3, h=step),
        case("a matrix", "cubic", 2, 3, h=step),
        case("float32", "coupled", 2, h=0.001, dtype="float32", kind="stability", says=_ROUNDING),
    )
    return cases if public else (*cases, case("one number", "cubic", 1), case("one column", "coupled", 3, 1, h=0.5))


def _laplacian__middle_once(f, x, h=1e-4):
    x, dtype, total = x.astype(np.float64), x.dtype, 0.0
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        total = total + (f(x + step) - f(x) + f(x - step)) / h**2
    return dtype.type(total)


def _laplacian__divided_by_h(f, x, h=1e-4):
    x, dtype, total = x.astype(np.float64), x.dtype, 0.0
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        total = total + (f(x + step) - 2 * f(x) + f(x - step)) / h
    return dtype.type(total)


def _laplacian__gradient(f, x, h=1e-4):
    x, dtype, total = x.astype(np.float64), x.dtype, 0.0
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        total = total + (f(x + step) - f(x - step)) / (2 * h)
    return dtype.type(total)


def _laplacian__one_sided(f, x, h=1e-4):
    x, dtype, total = x.astype(np.float64), x.dtype, 0.0
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        total = total + (f(x + 2 * step) - 2 * f(x + step) + f(x)) / h**2
    return dtype.type(total)


def _laplacian__all_at_once(f, x, h=1e-4):
    x, dtype = x.astype(np.float64), x.dtype
    return dtype.type((f(x + h) - 2 * f(x) + f(x - h)) / h**2)


def _laplacian__mean(f, x, h=1e-4):
    x, dtype, total = x.astype(np.float64), x.dtype, 0.0
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = h
        total = total + (f(x + step) - 2 * f(x) + f(x - step)) / h**2
    return dtype.type(total / x.size)


def _laplacian__not_summed(f, x, h=1e-4):
    exact, dtype = x.astype(np.float64), x.dtype
    second = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(exact)
        step[i] = h
        second[i] = (f(exact + step) - 2 * f(exact) + f(exact - step)) / h**2
    return second.astype(dtype)


def _laplacian__step_not_undone(f, x, h=1e-4):
    exact, dtype, total = x.astype(np.float64), x.dtype, 0.0
    middle = f(exact)
    for i in np.ndindex(x.shape):
        exact[i] += h
        ahead = f(exact)
        exact[i] -= 2 * h
        total = total + (ahead - 2 * middle + f(exact)) / h**2
    return dtype.type(total)


def _laplacian__five_points(f, x, h=1e-4):
    exact, total = x.astype(np.float64), 0.0
    for i in np.ndindex(x.shape):
        values = []
        for steps in (-2, -1, 0, 1, 2):
            there = exact.copy()
            there[i] += steps * h
            values.append(float(f(there)))
        total += np.dot([-1, 16, -30, 16, -1], values) / (12 * h**2)
    return x.dtype.type(total)


def _laplacian__other_axes(f, x, h=1e-4):
    # The sum is the same along any axes at right angles to each other.
    exact = x.astype(np.float64)
    axes = np.linalg.qr(np.vander(np.arange(1.0, x.size + 1)))[0]
    around = sum(f(exact + s * h * axis.reshape(x.shape)) for axis in axes for s in (1, -1))
    return x.dtype.type((around - 2 * x.size * f(exact)) / h**2)


def _laplacian__trace_of_the_hessian(f, x, h=1e-4):
    def slope(at, i):
        ahead, behind = at.copy(), at.copy()
        ahead[i] += h
        behind[i] -= h
        return (float(f(ahead)) - float(f(behind))) / (2 * h)

    exact, total = x.astype(np.float64), 0.0
    for i in np.ndindex(x.shape):
        ahead, behind = exact.copy(), exact.copy()
        ahead[i] += h
        behind[i] -= h
        total += (slope(ahead, i) - slope(behind, i)) / (2 * h)
    return x.dtype.type(total)


LAPLACIAN = Exercise(
    id="laplacian",
    topic="curvature",
    points=2,
    cases=_laplacian_cases,
    mistakes=(
        Mistake(
            "middle_once",
            "The value in the middle counts twice: f(x + h) - 2 * f(x) + f(x - h).",
            _laplacian__middle_once,
        ),
        Mistake(
            "divided_by_h",
            "A second derivative is a difference of differences: divide by h**2, not by h.",
            _laplacian__divided_by_h,
        ),
        Mistake(
            "gradient",
            "You add up first derivatives. The Laplacian adds up second ones: (f(x + h) - 2 * f(x) + f(x - h)) / h**2.",
            _laplacian__gradient,
        ),
        Mistake(
            "one_sided",
            "Your three points lie on one side of x, so you get the curvature at x + h. Take x - h, x and x + h.",
            _laplacian__one_sided,
        ),
        Mistake(
            "all_at_once",
            "You move all numbers of x together. Move one at a time, and add up what you find for each.",
            _laplacian__all_at_once,
        ),
        Mistake(
            "mean",
            "You average over the entries of x. The Laplacian is their sum.",
            _laplacian__mean,
        ),
        Mistake(
            "not_summed",
            "You return a second derivative for each entry of x. The Laplacian is one number: add them up.",
            _laplacian__not_summed,
        ),
        Mistake(
            "step_not_undone",
            "After each entry x stays moved by -h. Put it back, or start from a new copy for each entry.",
            _laplacian__step_not_undone,
        ),
    ),
    other_ways=(
        OtherWay("five_points", _laplacian__five_points),
        OtherWay("other_axes", _laplacian__other_axes),
        OtherWay("trace_of_the_hessian", _laplacian__trace_of_the_hessian),
    ),
)

EXERCISES = (MAX_STABLE_STEP, LAPLACIAN)
