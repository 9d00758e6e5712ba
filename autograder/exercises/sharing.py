"""Exercises on one set of parameters for several purposes: multi-task losses and tied parameters."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to (examples, tasks).
_PUBLIC = {"five examples": (5, 3), "one task": (4, 1), "one example": (1, 2), "float32": (4, 2)}
_SECRET = {
    "six examples": (6, 2),
    "one task": (5, 1),
    "one example": (1, 3),
    "as many tasks as examples": (4, 4),
    "float32": (5, 3),
}
_PLACEHOLDER = (
    "What stands in y where nothing is known may be NaN, and 0 * NaN is NaN. Choose the known errors with np.where or "
    "an index instead of multiplying by known."
)
_NOBODY = "A task without a single known target adds nothing: do not divide by 0, take at least 1."


def _multitask_loss_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, t) in (_PUBLIC if public else _SECRET).items():
        inputs = _tasks(rng, n, t, "float32" if name == "float32" else "float64")
        cases.append(call_case(name, "multitask_loss", inputs))
    everything = _tasks(rng, 3, 2) | {"known": np.ones((3, 2), bool)}
    cases.append(call_case("everything is known", "multitask_loss", everything))
    empty = _tasks(rng, 4, 3)
    empty["known"][:, rng.integers(3)] = False
    cases.append(call_case("a task that nobody knows", "multitask_loss", empty, kind="convention", says=_NOBODY))
    blank = _tasks(rng, 4, 2)
    blank["y"][~blank["known"]] = np.nan
    return (*cases, call_case("NaN where unknown", "multitask_loss", blank, kind="stability", says=_PLACEHOLDER))


def _tasks(rng: np.random.Generator, n: int, t: int, dtype: str = "float64") -> dict[str, np.ndarray]:
    """Every task has at least one known target, and from two examples on at least one that is not."""
    known = rng.random((n, t)) < 0.6
    known[0] = True
    if n > 1:
        known[-1] = False
    weights = np.round(rng.uniform(0.3, 0.9, t), 2) + np.arange(t)
    return {
        "y_hat": draw(rng, n, t, dtype=dtype),
        "y": draw(rng, n, t, dtype=dtype),
        "known": known,
        "weights": weights.astype(dtype),
    }


def _multitask_loss__unknown_counted(y_hat, y, known, weights):
    return (weights * ((y_hat - y) ** 2).mean(axis=0)).sum()


def _multitask_loss__divided_by_all(y_hat, y, known, weights):
    return (weights * np.where(known, y_hat - y, 0) ** 2).sum() / len(y)


def _multitask_loss__no_weights(y_hat, y, known, weights):
    squares = np.where(known, y_hat - y, 0) ** 2
    return (squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1).astype(y.dtype)).sum()


def _multitask_loss__pooled(y_hat, y, known, weights):
    return (weights * np.where(known, y_hat - y, 0) ** 2).sum() / known.sum().astype(y.dtype)


def _multitask_loss__mean_over_tasks(y_hat, y, known, weights):
    squares = np.where(known, y_hat - y, 0) ** 2
    return (weights * squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1).astype(y.dtype)).mean()


def _multitask_loss__summed(y_hat, y, known, weights):
    return (weights * np.where(known, y_hat - y, 0) ** 2).sum()


def _multitask_loss__absolute(y_hat, y, known, weights):
    sizes = np.abs(np.where(known, y_hat - y, 0))
    return (weights * sizes.sum(axis=0) / np.maximum(known.sum(axis=0), 1).astype(y.dtype)).sum()


def _multitask_loss__weights_squared(y_hat, y, known, weights):
    squares = (weights * np.where(known, y_hat - y, 0)) ** 2
    return (squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1).astype(y.dtype)).sum()


def _multitask_loss__multiplied_by_known(y_hat, y, known, weights):
    squares = (known * (y_hat - y)) ** 2
    return (weights * squares.sum(axis=0) / np.maximum(known.sum(axis=0), 1).astype(y.dtype)).sum()


def _multitask_loss__divided_by_zero(y_hat, y, known, weights):
    squares = np.where(known, y_hat - y, 0) ** 2
    with np.errstate(all="ignore"):
        return (weights * squares.sum(axis=0) / known.sum(axis=0).astype(y.dtype)).sum()


def _multitask_loss__task_by_task(y_hat, y, known, weights):
    total = y.dtype.type(0)
    for t, weight in enumerate(weights):
        rows = np.flatnonzero(known[:, t])
        if len(rows):
            total += weight * np.mean((y_hat[rows, t] - y[rows, t]) ** 2)
    return total


def _multitask_loss__masked_array(y_hat, y, known, weights):
    errors = np.ma.masked_array(y_hat - np.where(known, y, 0), mask=~known)
    return (weights * (errors * errors).mean(axis=0).filled(0).astype(y.dtype)).sum()


def _multitask_loss__known_ones(y_hat, y, known, weights):
    rows, tasks = np.nonzero(known)
    shares = (weights / np.maximum(np.count_nonzero(known, axis=0), 1)).astype(y.dtype)
    errors = y_hat[rows, tasks] - y[rows, tasks]
    return np.einsum("i,i,i->", shares[tasks], errors, errors)


MULTITASK_LOSS = Exercise(
    id="multitask_loss",
    topic="sharing",
    points=2,
    cases=_multitask_loss_cases,
    mistakes=(
        Mistake(
            "unknown_counted",
            "You count targets that are not known. Use only the errors where known is True.",
            _multitask_loss__unknown_counted,
        ),
        Mistake(
            "divided_by_all",
            "You divide by the number of examples. Each task is averaged over its known targets: known.sum(axis=0).",
            _multitask_loss__divided_by_all,
        ),
        Mistake("no_weights", "The weights of the tasks are missing.", _multitask_loss__no_weights),
        Mistake(
            "pooled",
            "You divide by the number of all known targets together. Average each task on its own, then add the tasks "
            "up: a task with few targets must not drown.",
            _multitask_loss__pooled,
        ),
        Mistake(
            "mean_over_tasks",
            "You average over the tasks. They are weighted and added up.",
            _multitask_loss__mean_over_tasks,
        ),
        Mistake(
            "summed",
            "You add up the squares without averaging. Divide those of each task by the number of its known targets.",
            _multitask_loss__summed,
        ),
        Mistake("absolute", "You add up absolute errors. Square them.", _multitask_loss__absolute),
        Mistake(
            "weights_squared",
            "The weights are squared together with the errors. Square first, then multiply by the weights.",
            _multitask_loss__weights_squared,
        ),
        Mistake("multiplied_by_known", _PLACEHOLDER, _multitask_loss__multiplied_by_known),
        Mistake("divided_by_zero", _NOBODY, _multitask_loss__divided_by_zero),
    ),
    other_ways=(
        OtherWay("task_by_task", _multitask_loss__task_by_task),
        OtherWay("masked_array", _multitask_loss__masked_array),
        OtherWay("known_ones", _multitask_loss__known_ones),
    ),
)

# Case id to (shape, number of parameters, the ones that are used).
_TIES = {
    "a matrix": ((3, 4), 4, (0, 1, 2, 3)),
    "a vector": ((6,), 3, (0, 1, 2)),
    "some are not used": ((2, 5), 6, (1, 3, 4)),
    "one parameter": ((2, 3), 1, (0,)),
    "float32": ((3, 3), 3, (0, 1, 2)),
}
_SECRET_TIES = _TIES | {
    "three axes": ((2, 3, 2), 5, (0, 1, 2, 3)),
    "one place": ((1,), 3, (1,)),
    "a filter at every place": ((4, 6), 3, (0, 1, 2)),
}


def _tied_gradient_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, count, used) in (_TIES if public else _SECRET_TIES).items():
        size = int(np.prod(shape))
        # Every parameter in use has a place, most have several.
        groups = rng.permutation(np.resize(np.array(used), size)).reshape(shape)
        dw = draw(rng, *shape, dtype="float32" if name == "float32" else "float64")
        cases.append(call_case(name, "tied_gradient", {"dw": dw, "groups": groups, "count": count}))
    own = {"dw": draw(rng, 2, 3), "groups": rng.permutation(6).reshape(2, 3), "count": 6}
    return (*cases, call_case("nothing is tied", "tied_gradient", own))


def _tied_gradient__overwritten(dw, groups, count):
    out = np.zeros(count, dw.dtype)
    out[groups] += dw
    return out


def _tied_gradient__mean(dw, groups, count):
    out = np.zeros(count, dw.dtype)
    np.add.at(out, groups.ravel(), dw.ravel())
    return out / np.maximum(np.bincount(groups.ravel(), minlength=count), 1).astype(dw.dtype)


def _tied_gradient__per_place(dw, groups, count):
    out = np.zeros(count, dw.dtype)
    np.add.at(out, groups.ravel(), dw.ravel())
    return out[groups]


def _tied_gradient__unused_left_out(dw, groups, count):
    return np.array([dw[groups == group].sum() for group in np.unique(groups)], dtype=dw.dtype)


def _tied_gradient__counted(dw, groups, count):
    return np.bincount(groups.ravel(), minlength=count).astype(dw.dtype)


def _tied_gradient__first_one(dw, groups, count):
    out = np.zeros(count, dw.dtype)
    for place in reversed(range(dw.size)):
        out[groups.flat[place]] = dw.flat[place]
    return out


def _tied_gradient__largest(dw, groups, count):
    out = np.zeros(count, dw.dtype)
    np.maximum.at(out, groups.ravel(), dw.ravel())
    return out


def _tied_gradient__sizes(dw, groups, count):
    out = np.zeros(count, dw.dtype)
    np.add.at(out, groups.ravel(), np.abs(dw).ravel())
    return out


def _tied_gradient__place_by_place(dw, groups, count):
    out = np.zeros(count, dtype=dw.dtype)
    for group, slope in zip(groups.flat, dw.flat, strict=True):
        out[group] = out[group] + slope
    return out


def _tied_gradient__one_hot(dw, groups, count):
    # The look-up is a product with a one-hot matrix; its gradient is the product with the transpose.
    lookup = np.eye(count, dtype=dw.dtype)[groups.ravel()]
    return lookup.T @ dw.ravel()


def _tied_gradient__weighted_count(dw, groups, count):
    return np.bincount(groups.ravel(), weights=dw.ravel(), minlength=count).astype(dw.dtype)


TIED_GRADIENT = Exercise(
    id="tied_gradient",
    topic="sharing",
    points=2,
    cases=_tied_gradient_cases,
    mistakes=(
        Mistake(
            "overwritten",
            "Of the places that share a parameter only the last one counts: out[groups] += dw writes each entry once. "
            "Use np.add.at(out, groups, dw), which adds every time.",
            _tied_gradient__overwritten,
        ),
        Mistake(
            "mean",
            "You average over the places. A parameter that is used twice has twice the effect: add the slopes up.",
            _tied_gradient__mean,
        ),
        Mistake(
            "per_place",
            "You return a number for every place. Return one for every parameter: shape (count,).",
            _tied_gradient__per_place,
        ),
        Mistake(
            "unused_left_out",
            "Parameters that no place uses are missing. They have the gradient 0: the result has count entries.",
            _tied_gradient__unused_left_out,
        ),
        Mistake(
            "counted",
            "You count how often each parameter is used. Add up the slopes dw of its places.",
            _tied_gradient__counted,
        ),
        Mistake(
            "first_one",
            "Of the places that share a parameter only the first one counts. Add up the slopes of all of them.",
            _tied_gradient__first_one,
        ),
        Mistake(
            "largest",
            "You take the largest slope of each group. Add the slopes up.",
            _tied_gradient__largest,
        ),
        Mistake(
            "sizes",
            "You add up sizes without signs. Slopes of opposite sign cancel: add dw itself.",
            _tied_gradient__sizes,
        ),
    ),
    other_ways=(
        OtherWay("place_by_place", _tied_gradient__place_by_place),
        OtherWay("one_hot", _tied_gradient__one_hot),
        OtherWay("weighted_count", _tied_gradient__weighted_count),
    ),
)

EXERCISES = (MULTITASK_LOSS, TIED_GRADIENT)
