"""Exercises on the first steps of training (topic `optimisers`): mini-batches and gradient descent."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from autograder.exercises._trajectory import trajectory
from course_lib.cases import Case, call_case

# Case id to (N, shape of an input, batch size).
_PUBLIC_BATCHES = {"seven in threes": (7, (2,), 3), "six in twos": (6, (3,), 2), "float32": (5, (2,), 2)}
_SECRET_BATCHES = {
    "eight in threes": (8, (2,), 3),
    "divides evenly": (8, (3,), 4),
    "batches of one": (3, (2,), 1),
    "one example": (1, (2,), 3),
    "all in one batch": (4, (2,), 6),
    "images": (5, (2, 3), 2),
    "float32": (7, (2,), 4),
}


def _minibatches_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, shape, size) in (_PUBLIC_BATCHES if public else _SECRET_BATCHES).items():
        x = draw(rng, n, *shape, dtype="float32" if name == "float32" else "float64")
        y = rng.permutation(n) + 10
        cases.append(call_case(name, "minibatches", {"x": x, "y": y, "batch_size": size, "perm": _order(rng, n)}))
    return tuple(cases)


def _order(rng: np.random.Generator, n: int) -> np.ndarray:
    """A permutation that is not its own inverse, nor the order of the file, where there is one."""
    while True:
        perm = rng.permutation(n)
        if n < 3 or (perm[perm] != np.arange(n)).any():
            return perm


def _minibatches__last_one_dropped(x, y, batch_size, perm):
    x, y = x[perm], y[perm]
    count = len(x) // batch_size
    return [(x[k * batch_size : (k + 1) * batch_size], y[k * batch_size : (k + 1) * batch_size]) for k in range(count)]


def _minibatches__not_shuffled(x, y, batch_size, perm):
    starts = range(0, len(x), batch_size)
    return [(x[start : start + batch_size].copy(), y[start : start + batch_size].copy()) for start in starts]


def _minibatches__only_x_shuffled(x, y, batch_size, perm):
    x = x[perm]
    starts = range(0, len(x), batch_size)
    return [(x[start : start + batch_size], y[start : start + batch_size].copy()) for start in starts]


def _minibatches__inverse_order(x, y, batch_size, perm):
    new_x, new_y = np.empty_like(x), np.empty_like(y)
    new_x[perm], new_y[perm] = x, y
    starts = range(0, len(x), batch_size)
    return [(new_x[start : start + batch_size], new_y[start : start + batch_size]) for start in starts]


def _minibatches__size_as_count(x, y, batch_size, perm):
    parts = np.array_split(perm, batch_size)
    return [(x[rows], y[rows]) for rows in parts]


def _minibatches__every_kth(x, y, batch_size, perm):
    count = -(-len(x) // batch_size)
    return [(x[perm[k::count]], y[perm[k::count]]) for k in range(count)]


def _minibatches__filled_up(x, y, batch_size, perm):
    starts = range(0, len(perm), batch_size)
    rows = [np.take(perm, range(start, start + batch_size), mode="wrap") for start in starts]
    return [(x[row], y[row]) for row in rows]


def _minibatches__two_lists(x, y, batch_size, perm):
    rows = [perm[start : start + batch_size] for start in range(0, len(perm), batch_size)]
    return [x[row] for row in rows], [y[row] for row in rows]


def _minibatches__split_at_places(x, y, batch_size, perm):
    places = range(batch_size, len(perm), batch_size)
    return list(zip(np.split(x[perm], places), np.split(y[perm], places), strict=True))


def _minibatches__one_by_one(x, y, batch_size, perm):
    batches, xs, ys = [], [], []
    for row in perm:
        xs.append(x[row])
        ys.append(y[row])
        if len(xs) == batch_size:
            batches.append((np.array(xs), np.array(ys)))
            xs, ys = [], []
    if xs:
        batches.append((np.array(xs), np.array(ys)))
    return batches


def _minibatches__by_number_of_batch(x, y, batch_size, perm):
    batch_of = np.empty(len(perm), int)
    batch_of[perm] = np.arange(len(perm)) // batch_size
    place = np.argsort(perm)
    batches = []
    for k in range(batch_of.max() + 1):
        rows = np.flatnonzero(batch_of == k)
        rows = rows[np.argsort(place[rows])]
        batches.append((x[rows], y[rows]))
    return batches


MINIBATCHES = Exercise(
    id="minibatches",
    topic="optimisers",
    points=2,
    cases=_minibatches_cases,
    mistakes=(
        Mistake(
            "last_one_dropped",
            "The last batch is missing when it is not full. Keep it: an epoch sees every example. "
            "range(0, len(perm), batch_size) gives its start too.",
            _minibatches__last_one_dropped,
        ),
        Mistake(
            "not_shuffled",
            "Your batches follow the order of the file. Take the examples in the order of perm: x[perm], y[perm].",
            _minibatches__not_shuffled,
        ),
        Mistake(
            "only_x_shuffled",
            "You shuffle x but not y, so inputs and targets no longer belong together. Take both with the same rows "
            "of perm.",
            _minibatches__only_x_shuffled,
        ),
        Mistake(
            "inverse_order",
            "You send example i to place perm[i]. It is the other way round: place i holds example perm[i], which is "
            "x[perm].",
            _minibatches__inverse_order,
        ),
        Mistake(
            "size_as_count",
            "You make batch_size batches. batch_size is how many examples one batch holds.",
            _minibatches__size_as_count,
        ),
        Mistake(
            "every_kth",
            "You deal the examples out like cards. A batch is a run of neighbours in perm: "
            "perm[start : start + batch_size].",
            _minibatches__every_kth,
        ),
        Mistake(
            "filled_up",
            "Your last batch is filled up with examples from the start. Let it be shorter: each example comes once "
            "per epoch.",
            _minibatches__filled_up,
        ),
        Mistake(
            "two_lists",
            "You return a list of inputs and a list of targets. Return one list of pairs (x, y), one pair per batch.",
            _minibatches__two_lists,
        ),
    ),
    other_ways=(
        OtherWay("split_at_places", _minibatches__split_at_places),
        OtherWay("one_by_one", _minibatches__one_by_one),
        OtherWay("by_number_of_batch", _minibatches__by_number_of_batch),
    ),
)

_NOTHING_TO_REMEMBER = (
    "Gradient descent has nothing to remember: return the new weights and None. The None keeps its place because "
    "the other optimisers return their state there."
)


def _sgd_step_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def case(name: str, steps: int, *shape: int, dtype: str = "float64", later: bool = False) -> Case:
        inputs = {"w": draw(rng, *shape, dtype=dtype), "g": draw(rng, steps, *shape, dtype=dtype)}
        inputs |= {"lr": draw_number(rng, 0.05, 0.4)} | ({"later_lr": draw_number(rng, 0.5, 0.9)} if later else {})
        return trajectory(name, "sgd_step", inputs, state="last", says=_NOTHING_TO_REMEMBER)

    cases = (case("one step", 1, 3), case("ten steps", 10, 2, 3), case("float32", 2, 2, dtype="float32"))
    if public:
        return cases
    return (*cases, case("one weight", 3, 1), case("the rate changes", 4, 4, later=True), case("one column", 2, 3, 1))


def _sgd_step__uphill(w, g, state, lr):
    return w + lr * g, None


def _sgd_step__no_rate(w, g, state, lr):
    return w - g, None


def _sgd_step__only_the_sign(w, g, state, lr):
    return w - lr * np.sign(g), None


def _sgd_step__unit_length(w, g, state, lr):
    return w - lr * g / np.sqrt((g * g).sum()), None


def _sgd_step__shrinks_weights(w, g, state, lr):
    return w - lr * g * w, None


def _sgd_step__changes_weights(w, g, state, lr):
    w -= lr * g
    return w, None


def _sgd_step__gradient_as_state(w, g, state, lr):
    return w - lr * g, g


def _sgd_step__only_weights(w, g, state, lr):
    return w - lr * g


def _sgd_step__entry_by_entry(w, g, state, lr):
    new = np.empty_like(w)
    for i in np.ndindex(w.shape):
        new[i] = w[i] - lr * g[i]
    return new, None


def _sgd_step__least_of_a_parabola(w, g, state, lr):
    # The minimum of g * (u - w) + (u - w)**2 / (2 * lr), from its coefficients.
    square, linear = 1 / (2 * lr), g - w / lr
    return -linear / (2 * square), None


def _sgd_step__dot_product(w, g, state, lr):
    return np.stack([w, g], axis=-1) @ np.array([1, -lr], w.dtype), None


SGD_STEP = Exercise(
    id="sgd_step",
    topic="optimisers",
    points=1,
    cases=_sgd_step_cases,
    mistakes=(
        Mistake(
            "uphill",
            "Your step goes uphill. The gradient points to where the loss grows: subtract lr * g.",
            _sgd_step__uphill,
        ),
        Mistake("no_rate", "The learning rate lr is missing. The step is lr * g.", _sgd_step__no_rate),
        Mistake(
            "only_the_sign",
            "You use the sign of the gradient only. A steep place gets a longer step: lr * g.",
            _sgd_step__only_the_sign,
        ),
        Mistake(
            "unit_length",
            "You divide the gradient by its length, so every step is equally long. Subtract lr * g as it is.",
            _sgd_step__unit_length,
        ),
        Mistake(
            "shrinks_weights",
            "You multiply the gradient by the weight. The step does not depend on w: subtract lr * g.",
            _sgd_step__shrinks_weights,
        ),
        Mistake(
            "changes_weights",
            "Your values are right, but the array w that came in is changed. Write w - lr * g, which makes a new "
            "array; w -= ... works inside the old one.",
            _sgd_step__changes_weights,
        ),
        Mistake("gradient_as_state", _NOTHING_TO_REMEMBER, _sgd_step__gradient_as_state),
        Mistake(
            "only_weights",
            "You return the weights alone. Return two things, the new weights and the state, which is None here: "
            "return w - lr * g, None.",
            _sgd_step__only_weights,
        ),
    ),
    other_ways=(
        OtherWay("entry_by_entry", _sgd_step__entry_by_entry),
        OtherWay("least_of_a_parabola", _sgd_step__least_of_a_parabola),
        OtherWay("dot_product", _sgd_step__dot_product),
    ),
)

EXERCISES = (MINIBATCHES, SGD_STEP)
