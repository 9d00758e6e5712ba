"""Exercises on losses that compare distances.

The 1e-6 of the course changes a loss by about 1e-6: float32 does not show it, float64 does. So the formula is judged
in float32, and the convention in float64, where whoever leaves it out misses the convention and nothing else.
"""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case

_EPS_SAYS = "This course adds 1e-6 to every difference before it takes the length, as Torch does: a - p + 1e-6."
# Case id to (N, D).
_PUBLIC = {"four triplets": (4, 3), "one triplet": (1, 2), "one number each": (5, 1), "more numbers": (2, 5)}
_SECRET = {
    "six triplets": (6, 3),
    "one triplet": (1, 4),
    "one number each": (4, 1),
    "as many triplets as numbers": (3, 3),
    "more numbers": (3, 7),
}


def _triplet_loss_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (n, d) in (_PUBLIC if public else _SECRET).items():
        inputs = _triplets(rng, n, d, "float32") | {"margin": draw_number(rng, 0.4, 0.9)}
        cases.append(call_case(name, "triplet_loss", inputs))
    cases.append(call_case("margin not given", "triplet_loss", _triplets(rng, 4, 2, "float32")))
    met = _triplets(rng, 3, 4, "float32")
    met |= {"positive": met["anchor"].copy(), "margin": 2.5}
    cases.append(call_case("anchor on the positive", "triplet_loss", met))
    exact = {"with the small 1e-6": (3, 2)} | ({} if public else {"the small 1e-6 again": (2, 6)})
    for name, (n, d) in exact.items():
        inputs = _triplets(rng, n, d, "float64") | {"margin": draw_number(rng, 0.4, 0.9)}
        # Positives in one direction and negatives in the other: the small steps do not cancel.
        inputs["positive"] = inputs["anchor"] - np.abs(inputs["positive"]) - 0.1
        inputs["negative"] = inputs["anchor"] + np.abs(inputs["negative"]) / 10 + 0.1
        cases.append(call_case(name, "triplet_loss", inputs, kind="convention", says=_EPS_SAYS))
    return tuple(cases)


def _triplets(rng: np.random.Generator, n: int, d: int, dtype: str) -> dict[str, np.ndarray]:
    """Triplets of which the first costs something and, where there are more, the second is far outside the margin."""
    anchor = draw(rng, n, d)
    positive, negative = anchor + draw(rng, n, d, scale=0.8), anchor + draw(rng, n, d, scale=0.8)
    positive[0], negative[0] = anchor[0] + 0.9, anchor[0] - 0.6
    if n > 1:
        positive[1], negative[1] = anchor[1] - 0.7, anchor[1] + 2.9
    named = {"anchor": anchor, "positive": positive, "negative": negative}
    return {name: points.astype(dtype) for name, points in named.items()}


def _triplet_loss__squared_distances(anchor, positive, negative, margin=1.0):
    near = ((anchor - positive + 1e-6) ** 2).sum(axis=1)
    far = ((anchor - negative + 1e-6) ** 2).sum(axis=1)
    return np.maximum(0, near - far + margin).mean()


def _triplet_loss__city_blocks(anchor, positive, negative, margin=1.0):
    near = np.abs(anchor - positive + 1e-6).sum(axis=1)
    far = np.abs(anchor - negative + 1e-6).sum(axis=1)
    return np.maximum(0, near - far + margin).mean()


def _triplet_loss__no_margin(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = np.linalg.norm(anchor - negative + 1e-6, axis=1)
    return np.maximum(0, near - far).mean()


def _triplet_loss__margin_always_one(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = np.linalg.norm(anchor - negative + 1e-6, axis=1)
    return np.maximum(0, near - far + 1).mean()


def _triplet_loss__swapped(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = np.linalg.norm(anchor - negative + 1e-6, axis=1)
    return np.maximum(0, far - near + margin).mean()


def _triplet_loss__not_cut(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = np.linalg.norm(anchor - negative + 1e-6, axis=1)
    return (near - far + margin).mean()


def _triplet_loss__cut_after_the_mean(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = np.linalg.norm(anchor - negative + 1e-6, axis=1)
    return np.maximum(0, (near - far + margin).mean())


def _triplet_loss__sum(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6, axis=1)
    far = np.linalg.norm(anchor - negative + 1e-6, axis=1)
    return np.maximum(0, near - far + margin).sum()


def _triplet_loss__one_distance(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive + 1e-6)
    far = np.linalg.norm(anchor - negative + 1e-6)
    return np.maximum(0, near - far + margin)


def _triplet_loss__no_small_number(anchor, positive, negative, margin=1.0):
    near = np.linalg.norm(anchor - positive, axis=1)
    far = np.linalg.norm(anchor - negative, axis=1)
    return np.maximum(0, near - far + margin).mean()


def _triplet_loss__triplet_by_triplet(anchor, positive, negative, margin=1.0):
    import math

    total = 0.0
    for a, p, n in zip(anchor.tolist(), positive.tolist(), negative.tolist(), strict=True):
        near, far = (math.hypot(*(x - y + 1e-6 for x, y in zip(a, other, strict=True))) for other in (p, n))
        total += max(0.0, near - far + margin)
    return anchor.dtype.type(total / len(anchor))


def _triplet_loss__both_at_once(anchor, positive, negative, margin=1.0):
    gaps = anchor - np.stack([positive, negative]) + 1e-6
    near, far = np.sqrt(np.einsum("knd,knd->kn", gaps, gaps))
    lacking = near - far + margin
    return (lacking * (lacking > 0)).sum() / len(anchor)


TRIPLET_LOSS = Exercise(
    id="triplet_loss",
    topic="metric_losses",
    points=2,
    cases=_triplet_loss_cases,
    mistakes=(
        Mistake(
            "squared_distances",
            "You compare squared distances. This loss takes the distances themselves: put np.sqrt around the sums.",
            _triplet_loss__squared_distances,
        ),
        Mistake(
            "city_blocks",
            "You add up absolute differences. The distance here is the length of the difference: the root of the sum "
            "of squares.",
            _triplet_loss__city_blocks,
        ),
        Mistake(
            "no_margin",
            "The margin is missing. The negative must be farther away by the margin: add it inside the maximum.",
            _triplet_loss__no_margin,
        ),
        Mistake(
            "margin_always_one",
            "Your margin is always 1. Use the argument margin.",
            _triplet_loss__margin_always_one,
        ),
        Mistake(
            "swapped",
            "Positive and negative are swapped. What belongs together must be near: distance to the positive minus "
            "distance to the negative.",
            _triplet_loss__swapped,
        ),
        Mistake(
            "not_cut",
            "Triplets that are already right pull your loss down. They cost nothing: take np.maximum(0, ...) of each.",
            _triplet_loss__not_cut,
        ),
        Mistake(
            "cut_after_the_mean",
            "You cut at zero after the mean, so good triplets make up for bad ones. Take the maximum for each triplet "
            "first, then the mean.",
            _triplet_loss__cut_after_the_mean,
        ),
        Mistake(
            "sum",
            "You add up the triplets. The loss is a mean over the batch: divide by their number.",
            _triplet_loss__sum,
        ),
        Mistake(
            "one_distance",
            "You take one length of the whole array. Each triplet has a distance of its own: use axis=1.",
            _triplet_loss__one_distance,
        ),
        Mistake("no_small_number", _EPS_SAYS, _triplet_loss__no_small_number),
    ),
    other_ways=(
        OtherWay("triplet_by_triplet", _triplet_loss__triplet_by_triplet),
        OtherWay("both_at_once", _triplet_loss__both_at_once),
    ),
)

EXERCISES = (TRIPLET_LOSS,)
