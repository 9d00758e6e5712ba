"""Exercises on learning-rate schedules (topic `schedules`): cosine with warm restarts."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw_number
from course_lib.cases import Case, Step
from course_lib.numpy_kernels import cosine_warm_restarts
from course_lib.tree import Handle

# Case id to (period, factor, with a lowest rate?, steps).
_PUBLIC_COSINES = {
    "one period, and the next": (4, 1, False, (0, 1, 3, 4, 5, 8, 11)),
    "doubling": (3, 2, True, (0, 2, 3, 8, 9, 20)),
    "tripling": (2, 3, False, (1, 2, 7, 8, 25)),
}
_SECRET_COSINES = {
    "one period, and the next": (5, 1, True, (0, 2, 4, 5, 6, 9, 10, 23)),
    "doubling": (2, 2, False, (0, 1, 2, 5, 6, 13, 14, 29)),
    "tripling": (3, 3, True, (2, 3, 11, 12, 38)),
    "a period of one": (1, 2, True, (0, 1, 2, 3, 6, 7)),
    "always the highest rate": (1, 1, True, (0, 1, 5)),
}


def _cosine_warm_restarts_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (period, factor, lowest, times) in (_PUBLIC_COSINES if public else _SECRET_COSINES).items():
        inputs = {"lr": draw_number(rng, 0.5, 2.0), "period": period, "factor": factor}
        inputs["lr_min"] = draw_number(rng, 0.05, 0.3) if lowest else 0.0
        steps = []
        for t in times:
            arguments = (t, *(Handle(key) for key in inputs))
            steps.append(Step("call", f"rate {t}", "cosine_warm_restarts", arguments))
            steps.append(Step("read", f"rate at step {t}", "", (Handle(f"rate {t}"),)))
        cases.append(Case(name, inputs, tuple(steps)))
    return tuple(cases)


def _cosine_warm_restarts__restarts_late(t, lr, period, factor=1, lr_min=0.0):
    while t > period:
        t, period = t - period, period * factor
    return lr_min + (lr - lr_min) * (1 + np.cos(np.pi * t / period)) / 2


def _cosine_warm_restarts__no_restart(t, lr, period, factor=1, lr_min=0.0):
    return lr_min + (lr - lr_min) * (1 + np.cos(np.pi * t / period)) / 2


def _cosine_warm_restarts__stays_low(t, lr, period, factor=1, lr_min=0.0):
    return lr_min + (lr - lr_min) * (1 + np.cos(np.pi * min(t, period) / period)) / 2


def _cosine_warm_restarts__same_period(t, lr, period, factor=1, lr_min=0.0):
    return lr_min + (lr - lr_min) * (1 + np.cos(np.pi * (t % period) / period)) / 2


def _cosine_warm_restarts__period_of_the_first(t, lr, period, factor=1, lr_min=0.0):
    length, number = period, 1
    while t >= length:
        t, number = t - length, number + 1
        length = period * (factor * (number - 1) if factor > 1 else 1)
    return lr_min + (lr - lr_min) * (1 + np.cos(np.pi * t / length)) / 2


def _cosine_warm_restarts__whole_cosine(t, lr, period, factor=1, lr_min=0.0):
    while t >= period:
        t, period = t - period, period * factor
    return lr_min + (lr - lr_min) * (1 + np.cos(2 * np.pi * t / period)) / 2


def _cosine_warm_restarts__reaches_the_bottom(t, lr, period, factor=1, lr_min=0.0):
    while t >= period:
        t, period = t - period, period * factor
    return lr_min + (lr - lr_min) * (1 + np.cos(np.pi * t / max(period - 1, 1))) / 2


def _cosine_warm_restarts__lowest_added(t, lr, period, factor=1, lr_min=0.0):
    while t >= period:
        t, period = t - period, period * factor
    return lr_min + lr * (1 + np.cos(np.pi * t / period)) / 2


def _cosine_warm_restarts__lowest_ignored(t, lr, period, factor=1, lr_min=0.0):
    while t >= period:
        t, period = t - period, period * factor
    return lr * (1 + np.cos(np.pi * t / period)) / 2


def _cosine_warm_restarts__by_recursion(t, lr, period, factor=1, lr_min=0.0):
    if t >= period:
        return cosine_warm_restarts(t - period, lr, period * factor, factor, lr_min)
    return lr - (lr - lr_min) * np.sin(np.pi * t / (2 * period)) ** 2


def _cosine_warm_restarts__whole_list(t, lr, period, factor=1, lr_min=0.0):
    rates = []
    while len(rates) <= t:
        rates += list(lr_min + (lr - lr_min) * (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, period + 1)[:-1])))
        period *= factor
    return rates[t]


def _cosine_warm_restarts__sum_of_the_periods(t, lr, period, factor=1, lr_min=0.0):
    starts = [0]
    for n in range(t + 1):
        starts.append(starts[-1] + period * factor ** min(n, 60))
    n = max(n for n, start in enumerate(starts) if start <= t)
    turn = np.exp(1j * np.pi * (t - starts[n]) / (starts[n + 1] - starts[n])).real
    return float((lr + lr_min) / 2 + (lr - lr_min) / 2 * turn)


COSINE_WARM_RESTARTS = Exercise(
    id="cosine_warm_restarts",
    topic="schedules",
    points=2,
    cases=_cosine_warm_restarts_cases,
    mistakes=(
        Mistake(
            "restarts_late",
            "Your restart comes one step late. Steps count from 0, so a period ends before step `period`: at that "
            "step the rate is lr again.",
            _cosine_warm_restarts__restarts_late,
        ),
        Mistake(
            "no_restart",
            "Your cosine goes up again slowly instead of jumping back. Find how many steps lie behind the last "
            "restart, and use those for t.",
            _cosine_warm_restarts__no_restart,
        ),
        Mistake(
            "stays_low",
            "Your rate stays at the bottom after the first period. It should jump back to lr: a warm restart.",
            _cosine_warm_restarts__stays_low,
        ),
        Mistake(
            "same_period",
            "All your periods are equally long. Each one is `factor` times as long as the one before.",
            _cosine_warm_restarts__same_period,
        ),
        Mistake(
            "period_of_the_first",
            "Your periods grow by the same amount each time. Multiply the last period by factor: 2, 4, 8, ...",
            _cosine_warm_restarts__period_of_the_first,
        ),
        Mistake(
            "whole_cosine",
            "You go through a whole cosine, down and up, in one period. Half of one is enough: pi * t / period.",
            _cosine_warm_restarts__whole_cosine,
        ),
        Mistake(
            "reaches_the_bottom",
            "You divide by period - 1, so lr_min is reached. The restart comes one step before the bottom: divide by "
            "period.",
            _cosine_warm_restarts__reaches_the_bottom,
        ),
        Mistake(
            "lowest_added",
            "You add lr_min on top, so the first rate is above lr. The cosine scales lr - lr_min.",
            _cosine_warm_restarts__lowest_added,
        ),
        Mistake(
            "lowest_ignored",
            "You leave out lr_min. The rate falls from lr towards lr_min, not towards 0.",
            _cosine_warm_restarts__lowest_ignored,
        ),
    ),
    other_ways=(
        OtherWay("by_recursion", _cosine_warm_restarts__by_recursion),
        OtherWay("whole_list", _cosine_warm_restarts__whole_list),
        OtherWay("sum_of_the_periods", _cosine_warm_restarts__sum_of_the_periods),
    ),
)

EXERCISES = (COSINE_WARM_RESTARTS,)
