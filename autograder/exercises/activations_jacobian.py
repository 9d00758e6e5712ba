"""The exercise on all derivatives of softmax (topic `activations`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case
from course_lib.numpy_kernels import softmax

_TABLE = {"one row": (4,), "two rows": (2, 3), "batch of one": (1, 4), "one class": (2, 1), "float32": (3, 2)}
_SECRET_TABLE = _TABLE | {"as many rows as classes": (3, 3), "three axes": (2, 3, 4)}


def _softmax_jacobian_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    table = _TABLE if public else _SECRET_TABLE
    values = {
        name: draw(rng, *shape, dtype="float32" if name == "float32" else "float64") for name, shape in table.items()
    }
    values["ties"] = draw(rng, 2, 3)
    values["ties"][0] = values["ties"][0, 0]
    calls = [call_case(name, "softmax_jacobian", {"x": x}) for name, x in values.items()]
    far = draw(rng, 2, 3) + np.array([[1000.0], [-1000.0]])
    return (*calls, call_case("rows far apart", "softmax_jacobian", {"x": far}, kind="stability"))


def _softmax_jacobian__slopes_only(x):
    p = softmax(x)
    return p * (1 - p)


def _softmax_jacobian__diagonal_only(x):
    p = softmax(x)
    return (p * (1 - p))[..., None] * np.eye(x.shape[-1], dtype=x.dtype)


def _softmax_jacobian__no_diagonal(x):
    p = softmax(x)
    return -p[..., :, None] * p[..., None, :]


def _softmax_jacobian__sign_beside_diagonal(x):
    p = softmax(x)
    same = np.eye(x.shape[-1], dtype=x.dtype)
    return p[..., :, None] * (same * (1 - p[..., None, :]) + (1 - same) * p[..., None, :])


def _softmax_jacobian__outer_added(x):
    p = softmax(x)
    return p[..., :, None] * (np.eye(x.shape[-1], dtype=x.dtype) + p[..., None, :])


def _softmax_jacobian__one_for_eye(x):
    p = softmax(x)
    return p[..., :, None] * (1 - p[..., None, :])


def _softmax_jacobian__of_scores(x):
    return x[..., :, None] * (np.eye(x.shape[-1], dtype=x.dtype) - x[..., None, :])


def _softmax_jacobian__one_row_only(x):
    p = softmax(x)
    return np.diag(p) - np.outer(p, p)


def _softmax_jacobian__all_rows_in_one(x):
    p = softmax(x).reshape(-1, 1)
    return np.diagflat(p) - p @ p.T


def _softmax_jacobian__overflow(x):
    with np.errstate(all="ignore"):
        e = np.exp(x)
        p = e / e.sum(axis=-1, keepdims=True)
        return p[..., :, None] * (np.eye(x.shape[-1], dtype=x.dtype) - p[..., None, :])


def _softmax_jacobian__row_by_row(x):
    rows = softmax(x).reshape(-1, x.shape[-1])
    return np.stack([np.diag(p) - np.outer(p, p) for p in rows]).reshape(*x.shape, x.shape[-1])


def _softmax_jacobian__entry_by_entry(x):
    p = softmax(x)
    out = np.empty((*x.shape, x.shape[-1]), dtype=x.dtype)
    for i in range(x.shape[-1]):
        for j in range(x.shape[-1]):
            out[..., i, j] = p[..., i] * (1 - p[..., i]) if i == j else -p[..., i] * p[..., j]
    return out


def _softmax_jacobian__complex_step(x):
    h = 1e-20
    nudged = (x - x.max(axis=-1, keepdims=True))[..., None, :] + 1j * h * np.eye(x.shape[-1])
    e = np.exp(nudged)
    columns = (e / e.sum(axis=-1, keepdims=True)).imag / h
    return np.swapaxes(columns, -1, -2).astype(x.dtype)


SOFTMAX_JACOBIAN = Exercise(
    id="softmax_jacobian",
    topic="activations",
    points=3,
    cases=_softmax_jacobian_cases,
    mistakes=(
        Mistake(
            "slopes_only",
            "p * (1 - p) holds only how each probability depends on its own score. Every score moves every "
            "probability: return a C by C table for each row.",
            _softmax_jacobian__slopes_only,
        ),
        Mistake(
            "diagonal_only",
            "Beside the diagonal your table is 0. But raising one score lowers all other probabilities: the entry is "
            "-p_i * p_j.",
            _softmax_jacobian__diagonal_only,
        ),
        Mistake(
            "no_diagonal",
            "The diagonal is missing: add p_i where i equals j. Each row of the table then adds up to 0.",
            _softmax_jacobian__no_diagonal,
        ),
        Mistake(
            "sign_beside_diagonal",
            "Beside the diagonal the sign is wrong: raising one score lowers the other probabilities, so it is "
            "-p_i * p_j.",
            _softmax_jacobian__sign_beside_diagonal,
        ),
        Mistake(
            "outer_added",
            "You add p_i * p_j everywhere. Subtract it: the table is diag(p) minus the outer product of p with itself.",
            _softmax_jacobian__outer_added,
        ),
        Mistake(
            "one_for_eye",
            "You use 1 - p_j in every entry. The 1 belongs to the diagonal only: take the identity matrix minus p_j.",
            _softmax_jacobian__one_for_eye,
        ),
        Mistake(
            "of_scores",
            "You put the scores x into the formula. It holds for the probabilities: start with p = softmax(x).",
            _softmax_jacobian__of_scores,
        ),
        Mistake(
            "one_row_only",
            "np.diag(p) - np.outer(p, p) is right for a single row. For many rows at once use p[..., :, None] and "
            "p[..., None, :], or a loop over the rows.",
            _softmax_jacobian__one_row_only,
        ),
        Mistake(
            "all_rows_in_one",
            "You line up all rows and make one large table. Each row has a C by C table of its own: use "
            "p[..., :, None] and p[..., None, :], or a loop over the rows.",
            _softmax_jacobian__all_rows_in_one,
        ),
        Mistake(
            "overflow",
            "exp overflows for large scores. Use your softmax, which subtracts the largest score of each row first.",
            _softmax_jacobian__overflow,
        ),
    ),
    other_ways=(
        OtherWay("row_by_row", _softmax_jacobian__row_by_row),
        OtherWay("entry_by_entry", _softmax_jacobian__entry_by_entry),
        OtherWay("complex_step", _softmax_jacobian__complex_step),
    ),
)

EXERCISES = (SOFTMAX_JACOBIAN,)
