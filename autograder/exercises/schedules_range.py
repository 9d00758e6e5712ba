"""Exercise on finding a learning rate (topic `schedules`): the range test."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw, draw_number
from course_lib.cases import Case, call_case
from course_lib.numpy_kernels import lr_range_test
from course_lib.probes import PROBES
from course_lib.tree import Probe

_NAN = (
    "A loss that is not finite ends the test like one that is too high, and it is no fall: ask np.isfinite(loss) "
    "before comparing."
)
_AT_ONCE = (
    "When the very first loss is NaN the test ends there: one rate, one loss, and no falls to compare. Suggest that "
    "first rate."
)
_CURVATURES = np.array([1.0, 4.0, 16.0])
_CLEAR = 0.03
_NO_LIMIT = 1e300
# Case id to (first rate, last rate, steps, stop).
_PUBLIC = {
    "explodes": (0.001, 10.0, 13, 4.0),
    "ends in time": (0.001, 0.1, 8, 4.0),
    "stops early": (0.002, 2.0, 18, 1.5),
    "only rises": (0.5, 5.0, 5, 50.0),
}
_SECRET = {
    "explodes": (0.0005, 20.0, 16, 4.0),
    "ends in time": (0.0002, 0.09, 9, 4.0),
    "stops early": (0.001, 3.0, 20, 1.5),
    "only rises": (0.4, 8.0, 6, 30.0),
    "two rates": (0.02, 0.06, 2, 4.0),
}


def _lr_range_test_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_clear_case(rng, name, *numbers) for name, numbers in (_PUBLIC if public else _SECRET).items()]
    cases.append(_clear_case(rng, "ends with NaN", 0.001, 10.0, 12 if public else 14, 1000.0))
    # A limit below every loss: the first one is NaN already.
    hopeless = Probe("descent", (np.round(rng.uniform(1.0, 3.0, 3), 2), _CURVATURES, np.array([1.0, 0.0])))
    low = draw_number(rng, 0.01, 0.02)
    inputs = {"probe": hopeless, "lr_min": low, "lr_max": 1.0, "steps": 5, "stop": 4.0}
    return (*cases, call_case("NaN at once", "lr_range_test", inputs, kind="stability", says=_AT_ONCE))


def _clear_case(rng: np.random.Generator, name: str, low: float, high: float, steps: int, stop: float) -> Case:
    """A training in which neither the largest fall nor the end of the test is a close call."""
    while True:
        floor = 40.0 if name == "only rises" else draw_number(rng, 1.0, 2.0)
        w = (np.sign(draw(rng, 3)) * rng.uniform(1.0, 3.0, 3)).round(2)
        k = (_CURVATURES * rng.uniform(0.8, 1.2, 3)).round(2)
        limit = 1.2 * float((k * w * w).sum()) if name == "ends with NaN" else _NO_LIMIT
        coefficients = (w, k, np.array([floor, limit]))
        _, losses, _ = lr_range_test(PROBES["descent"](*coefficients), low, high, steps, stop)
        # The loss that ends the test "early" is low beside the first one, and high beside the lowest.
        early = len(losses) < steps and losses[-1] < (1 - _CLEAR) * stop * losses[0]
        if _is_clear(losses, stop) and (early or name != "stops early"):
            inputs = {"probe": Probe("descent", coefficients), "lr_min": low, "lr_max": high, "steps": steps}
            kind = "stability" if name == "ends with NaN" else "core"
            return call_case(name, "lr_range_test", inputs | {"stop": stop}, kind=kind, says=_NAN)


def _is_clear(losses: np.ndarray, stop: float) -> bool:
    finite = losses[np.isfinite(losses)]
    near_the_end = np.abs(finite / (stop * np.minimum.accumulate(finite)) - 1) < _CLEAR
    falls = np.sort(finite[:-1] - finite[1:])[::-1]
    close = len(falls) > 1 and falls[0] > 0 and falls[1] > (1 - _CLEAR) * falls[0]
    return not (near_the_end.any() or close)


def _lr_range_test__evenly_spaced(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.linspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls))] if falls else rates[0]


def _lr_range_test__last_not_reached(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for i in range(steps):
        rates.append(lr_min * (lr_max / lr_min) ** (i / steps))
        losses.append(float(probe(rates[-1])))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls))] if falls else rates[0]


def _lr_range_test__never_stops(probe, lr_min, lr_max, steps, stop=4.0):
    rates = np.geomspace(lr_min, lr_max, steps)
    losses = [float(probe(lr)) for lr in rates.tolist()]
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return rates, np.array(losses), float(rates[int(np.argmax(falls))])


def _lr_range_test__against_the_first(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls))] if falls else rates[0]


def _lr_range_test__last_not_kept(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        loss = float(probe(lr))
        if not np.isfinite(loss) or loss > stop * min([loss, *losses]):
            break
        rates.append(lr)
        losses.append(loss)
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls))] if falls else rates[0]


def _lr_range_test__probed_twice(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        loss = float(probe(lr))
        if not np.isfinite(loss) or loss > stop * min(losses):
            break
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls))] if falls else rates[0]


def _lr_range_test__lowest_loss(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    return np.array(rates), np.array(losses), rates[int(np.argmin(losses))]


def _lr_range_test__after_the_fall(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls)) + 1] if any(falls) else rates[0]


def _lr_range_test__largest_rise(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    rises = [b - a if b > a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(rises))] if rises else rates[0]


def _lr_range_test__goes_on_after_nan(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if losses[-1] > stop * min(losses):
            break
    falls = [a - b if b < a else 0.0 for a, b in zip(losses, losses[1:], strict=False)]
    return np.array(rates), np.array(losses), rates[int(np.argmax(falls))] if falls else rates[0]


def _lr_range_test__nan_as_a_fall(probe, lr_min, lr_max, steps, stop=4.0):
    rates, losses = [], []
    for lr in np.geomspace(lr_min, lr_max, steps).tolist():
        rates.append(lr)
        losses.append(float(probe(lr)))
        if not np.isfinite(losses[-1]) or losses[-1] > stop * min(losses):
            break
    return np.array(rates), np.array(losses), rates[int(np.argmin(np.diff(losses)))]


def _lr_range_test__multiplied_on(probe, lr_min, lr_max, steps, stop=4.0):
    rate, factor, lowest = lr_min, (lr_max / lr_min) ** (1 / (steps - 1)), np.inf
    rates, losses, best, deepest = [], [], lr_min, 0.0
    for _ in range(steps):
        loss = float(probe(rate))
        if losses and losses[-1] - loss > deepest:
            best, deepest = rates[-1], losses[-1] - loss
        rates.append(rate)
        losses.append(loss)
        lowest = min(lowest, loss)
        if not loss <= stop * lowest:
            break
        rate = rate * factor
    return np.array(rates), np.array(losses), best


def _lr_range_test__arrays_cut_to_length(probe, lr_min, lr_max, steps, stop=4.0):
    rates = np.exp(np.linspace(np.log(lr_min), np.log(lr_max), steps))
    losses, tried = np.full(steps, np.nan), 0
    while tried < steps:
        losses[tried] = probe(float(rates[tried]))
        tried += 1
        done = losses[:tried]
        if not np.isfinite(done).all() or done[-1] > stop * done.min():
            break
    rates, losses = rates[:tried], losses[:tried]
    slopes = np.append(np.nan_to_num(np.diff(losses), nan=0.0, posinf=0.0), 0.0)
    return rates, losses, float(rates[slopes.argmin()] if slopes.min() < 0 else rates[0])


LR_RANGE_TEST = Exercise(
    id="lr_range_test",
    topic="schedules",
    points=2,
    cases=_lr_range_test_cases,
    mistakes=(
        Mistake(
            "evenly_spaced",
            "Your rates are evenly spaced, so nearly all are large. Multiply by the same factor each time: "
            "np.geomspace.",
            _lr_range_test__evenly_spaced,
        ),
        Mistake(
            "last_not_reached",
            "Your last rate is below lr_max. Between `steps` rates there are steps - 1 gaps: divide i by steps - 1.",
            _lr_range_test__last_not_reached,
        ),
        Mistake(
            "never_stops",
            "Your test never ends early. Stop after the first loss above stop times the lowest one so far.",
            _lr_range_test__never_stops,
        ),
        Mistake(
            "against_the_first",
            "You compare with the first loss. Compare with the lowest loss so far, which moves down as training goes "
            "well.",
            _lr_range_test__against_the_first,
        ),
        Mistake(
            "last_not_kept",
            "The loss that ends the test is missing in what you return. Append rate and loss first, then decide.",
            _lr_range_test__last_not_kept,
        ),
        Mistake(
            "probed_twice",
            "You call probe twice with each rate. Every call is a training step: call it once and keep the loss.",
            _lr_range_test__probed_twice,
        ),
        Mistake(
            "lowest_loss",
            "You suggest the rate with the lowest loss; from there it is one step to the explosion. Take the rate "
            "before the largest fall.",
            _lr_range_test__lowest_loss,
        ),
        Mistake(
            "after_the_fall",
            "You suggest the rate after the largest fall. Take the one before it.",
            _lr_range_test__after_the_fall,
        ),
        Mistake(
            "largest_rise",
            "You look for the largest rise. The loss should fall: losses[i] - losses[i + 1] is largest.",
            _lr_range_test__largest_rise,
        ),
        Mistake("goes_on_after_nan", _NAN, _lr_range_test__goes_on_after_nan),
        Mistake("nan_as_a_fall", _NAN, _lr_range_test__nan_as_a_fall),
    ),
    other_ways=(
        OtherWay("multiplied_on", _lr_range_test__multiplied_on),
        OtherWay("arrays_cut_to_length", _lr_range_test__arrays_cut_to_length),
    ),
)

EXERCISES = (LR_RANGE_TEST,)
