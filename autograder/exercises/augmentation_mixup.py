"""Mixup (topic `augmentation`): every example mixed with a partner, inputs and targets alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case

# Case id to (shape of x, classes).
_BATCHES = {"four examples": ((4, 3), 2), "images": ((3, 1, 2, 2), 4), "numbers": ((5,), 1), "float32": ((3, 2), 3)}
_SECRET_BATCHES = {
    "five examples": ((5, 2), 3),
    "images": ((4, 2, 3, 2), 5),
    "numbers": ((6,), 1),
    "all sizes equal": ((3, 3), 3),
    "float32": ((4, 3), 2),
}


def _mixup_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, classes) in (_BATCHES if public else _SECRET_BATCHES).items():
        dtype = "float32" if name == "float32" else "float64"
        cases.append(call_case(name, "mixup", _batch(rng, shape, classes, draw_number(rng, 0.6, 0.9), dtype)))
    alone = {"x": draw(rng, 1, 4), "y": np.eye(3)[:1], "lam": draw_number(rng, 0.2, 0.8), "perm": np.array([0])}
    ends = [call_case(f"lam = {lam:g}", "mixup", _batch(rng, (3, 2), 3, lam)) for lam in (0.0, 1.0)]
    return (*cases, *ends, call_case("one example", "mixup", alone))


def _batch(
    rng: np.random.Generator, shape: tuple[int, ...], classes: int, lam: float, dtype: str = "float64"
) -> dict[str, Any]:
    n = shape[0]
    # A ring in a drawn order, two steps on: nobody is its own partner, and there and back differ.
    order = rng.permutation(n)
    perm = np.empty(n, dtype=np.int64)
    perm[order] = np.roll(order, 1)
    y = np.eye(classes)[np.arange(n) % classes] if classes > 1 else draw(rng, n, 1)
    return {"x": draw(rng, *shape, dtype=dtype), "y": y.astype(dtype), "lam": lam, "perm": perm}


def _mixup__share_swapped(x, y, lam, perm):
    return (1 - lam) * x + lam * x[perm], (1 - lam) * y + lam * y[perm]


def _mixup__labels_left(x, y, lam, perm):
    return lam * x + (1 - lam) * x[perm], y.copy()


def _mixup__label_of_the_larger(x, y, lam, perm):
    return lam * x + (1 - lam) * x[perm], (y if lam >= 0.5 else y[perm]).copy()


def _mixup__labels_swapped(x, y, lam, perm):
    return lam * x + (1 - lam) * x[perm], (1 - lam) * y + lam * y[perm]


def _mixup__other_partner_for_labels(x, y, lam, perm):
    return lam * x + (1 - lam) * x[perm], lam * y + (1 - lam) * y[::-1]


def _mixup__way_back(x, y, lam, perm):
    back = np.argsort(perm)
    return lam * x + (1 - lam) * x[back], lam * y + (1 - lam) * y[back]


def _mixup__halves(x, y, lam, perm):
    return (x + x[perm]) / 2, (y + y[perm]) / 2


def _mixup__inputs_left(x, y, lam, perm):
    return x.copy(), lam * y + (1 - lam) * y[perm]


def _mixup__in_place(x, y, lam, perm):
    x *= lam
    x += (1 - lam) * x[perm]
    y *= lam
    y += (1 - lam) * y[perm]
    return x, y


def _mixup__example_by_example(x, y, lam, perm):
    out_x, out_y = np.empty_like(x), np.empty_like(y)
    for i, j in enumerate(perm):
        out_x[i], out_y[i] = x[j] + lam * (x[i] - x[j]), y[j] + lam * (y[i] - y[j])
    return out_x, out_y


def _mixup__matrix(x, y, lam, perm):
    n = len(x)
    mix = (lam * np.eye(n) + (1 - lam) * np.eye(n)[perm]).astype(x.dtype)
    return np.tensordot(mix, x, axes=1), mix @ y


def _mixup__side_by_side(x, y, lam, perm):
    wide = np.concatenate([x.reshape(len(x), -1), y], axis=1)
    mixed = wide - (1 - lam) * (wide - np.take(wide, perm, axis=0))
    return mixed[:, : -y.shape[1]].reshape(x.shape), mixed[:, -y.shape[1] :]


MIXUP = Exercise(
    id="mixup",
    topic="augmentation",
    points=2,
    cases=_mixup_cases,
    mistakes=(
        Mistake(
            "share_swapped",
            "The shares are the wrong way round: the example itself has lam, its partner 1 - lam.",
            _mixup__share_swapped,
        ),
        Mistake(
            "labels_left",
            "You mix the inputs and leave the targets. Mix y with the same lam and the same perm.",
            _mixup__labels_left,
        ),
        Mistake(
            "label_of_the_larger",
            "You give each mixture the target of its larger part. Mix the targets too: lam * y + (1 - lam) * y[perm].",
            _mixup__label_of_the_larger,
        ),
        Mistake(
            "labels_swapped",
            "The inputs are right, but the shares of the targets are the wrong way round. y has lam, y[perm] has "
            "1 - lam.",
            _mixup__labels_swapped,
        ),
        Mistake(
            "other_partner_for_labels",
            "Inputs and targets are mixed with different partners. Use perm for both.",
            _mixup__other_partner_for_labels,
        ),
        Mistake(
            "way_back",
            "You follow perm backwards. The partner of example i is example perm[i], so it is x[perm].",
            _mixup__way_back,
        ),
        Mistake(
            "halves",
            "You mix half and half. The share of the example itself is lam, that of its partner 1 - lam.",
            _mixup__halves,
        ),
        Mistake(
            "inputs_left",
            "You mix the targets and leave the inputs. Mix x in the same way.",
            _mixup__inputs_left,
        ),
        Mistake(
            "in_place",
            "You change x and y while you still need them: the partners are scaled already. Write "
            "lam * x + (1 - lam) * x[perm], which makes a new array.",
            _mixup__in_place,
        ),
    ),
    other_ways=(
        OtherWay("example_by_example", _mixup__example_by_example),
        OtherWay("matrix", _mixup__matrix),
        OtherWay("side_by_side", _mixup__side_by_side),
    ),
)

EXERCISES = (MIXUP,)
