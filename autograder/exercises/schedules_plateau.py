"""Exercise on a schedule that watches the loss (topic `schedules`): reduce on plateau."""

# ruff: noqa: PLR0913 - a plateau is known by its losses and five numbers.
from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw_number
from course_lib.cases import Case, call_case

_NAN = "A loss that is NaN is no better loss: only a loss below (1 - threshold) * best counts as one."


def _reduce_on_plateau_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    top = draw_number(rng, 8.0, 12.0)

    def case(name: str, shares: list, patience: int, threshold: float, lr_min: float = 0.0, **options: str) -> Case:
        dtype = options.pop("dtype", "float64")
        inputs = {"losses": np.round(top * np.array(shares, float), 3).astype(dtype)}
        inputs |= {"lr": draw_number(rng, 0.5, 2.0), "factor": draw_number(rng, 0.2, 0.6), "patience": patience}
        return call_case(name, "reduce_on_plateau", inputs | {"threshold": threshold, "lr_min": lr_min}, **options)

    # Better than the loss before, not by enough; together by enough.
    slow = [0.95**i for i in range(9)]
    # Better than the one before every second time, and never better than the best.
    zigzag = [1.0, 0.5, 0.8, 0.6, 0.8, 0.6, 0.8, 0.6]
    # Two bad ones, a better one, two bad ones: never three in a row.
    forgiven = [1.0, 1.1, 1.1, 0.8, 0.9, 0.9, 0.6, 0.7, 0.7]
    cases = (
        case("falls, then flat", [1.0, 0.8, 0.6] + [0.6] * 8, 2, 0.01),
        case("falls slowly", slow, 0, 0.08),
        case("a large threshold", [0.98**i for i in range(6)], 0, 0.3),
        case("up and down", zigzag, 2, 0.01),
        case("forgiven", forgiven, 2, 0.01),
        case("the lowest rate", [1.0] * 6, 0, 0.01, lr_min=draw_number(rng, 0.2, 0.3)),
        case("float32", [1.0, 0.7] + [0.9] * 5, 1, 0.01, dtype="float32"),
        case("a loss that is NaN", [1.0, 0.8, np.nan, 0.9, 0.9], 1, 0.01, kind="stability", says=_NAN),
    )
    if public:
        return cases
    return (
        *cases,
        case("one loss", [1.0], 0, 0.1),
        case("no threshold", [1.0, 0.9, 0.9, 0.9, 0.8], 1, 0.0),
        case("always better", [0.8**i for i in range(6)], 0, 0.01),
    )


def _reduce_on_plateau__patience_too_short(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < (1 - threshold) * best else (best, bad + 1)
        if bad >= patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__absolute_threshold(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < best - threshold else (best, bad + 1)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__no_threshold(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__first_is_bad(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = losses[0], 0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < (1 - threshold) * best else (best, bad + 1)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__count_not_reset(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < (1 - threshold) * best else (best, bad + 1)
        if bad > patience:
            lr = max(factor * lr, lr_min)
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__not_in_a_row(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (loss, bad) if loss < (1 - threshold) * best else (best, bad + 1)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__against_the_last(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    last, bad, rates = np.inf, 0, []
    for loss in losses:
        bad = 0 if loss < (1 - threshold) * last else bad + 1
        last = loss
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__best_always_moves(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        bad = 0 if loss < (1 - threshold) * best else bad + 1
        best = min(best, loss)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__no_lowest_rate(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (loss, 0) if loss < (1 - threshold) * best else (best, bad + 1)
        if bad > patience:
            lr, bad = factor * lr, 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__rate_before(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        rates.append(lr)
        best, bad = (loss, 0) if loss < (1 - threshold) * best else (best, bad + 1)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__nan_is_better(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    best, bad, rates = np.inf, 0, []
    for loss in losses:
        best, bad = (best, bad + 1) if loss >= (1 - threshold) * best else (loss, 0)
        if bad > patience:
            lr, bad = max(factor * lr, lr_min), 0
        rates.append(lr)
    return np.array(rates, losses.dtype)


def _reduce_on_plateau__age_of_the_best(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    rates = np.full(len(losses), lr, losses.dtype)
    best, since = losses[0], 0
    for i in range(1, len(losses)):
        if losses[i] < best * (1 - threshold):
            best, since = losses[i], i
        elif i - since == patience + 1:
            since = i
            rates[i:] = max(rates[i] * factor, lr_min)
    return rates


def _reduce_on_plateau__count_the_cuts(losses, lr, factor=0.1, patience=10, threshold=1e-4, lr_min=0.0):
    better, best = [], np.inf
    for loss in losses:
        better.append(bool(loss < best - threshold * best) or best == np.inf)
        best = loss if better[-1] else best
    run, cuts = 0, np.zeros(len(losses), int)
    for i, is_better in enumerate(better):
        run = 0 if is_better else run + 1
        cuts[i] = run > 0 and run % (patience + 1) == 0
    rates = lr * factor ** np.cumsum(cuts)
    return np.maximum(rates, lr_min).astype(losses.dtype)


REDUCE_ON_PLATEAU = Exercise(
    id="reduce_on_plateau",
    topic="schedules",
    points=2,
    cases=_reduce_on_plateau_cases,
    mistakes=(
        Mistake(
            "patience_too_short",
            "You shrink the rate one loss too early. `patience` losses are forgiven; the next one is too many: "
            "bad > patience.",
            _reduce_on_plateau__patience_too_short,
        ),
        Mistake(
            "absolute_threshold",
            "You subtract the threshold. It is a share: better means below (1 - threshold) * best.",
            _reduce_on_plateau__absolute_threshold,
        ),
        Mistake(
            "no_threshold",
            "You leave out the threshold. Better means below (1 - threshold) * best, not just below best.",
            _reduce_on_plateau__no_threshold,
        ),
        Mistake(
            "first_is_bad",
            "Your first loss counts as a bad one. Start with best = np.inf: then the first loss is better.",
            _reduce_on_plateau__first_is_bad,
        ),
        Mistake(
            "count_not_reset",
            "After a cut you shrink the rate at every further loss. Set the count of bad losses back to 0 with "
            "each cut.",
            _reduce_on_plateau__count_not_reset,
        ),
        Mistake(
            "not_in_a_row",
            "You count all bad losses. Only losses in a row count: a better one sets the count back to 0.",
            _reduce_on_plateau__not_in_a_row,
        ),
        Mistake(
            "against_the_last",
            "You compare with the loss before. Compare with the best so far: up and down is no progress.",
            _reduce_on_plateau__against_the_last,
        ),
        Mistake(
            "best_always_moves",
            "Your best loss follows every small gain, so slow progress never counts. Keep the old best until a loss is "
            "below (1 - threshold) * best.",
            _reduce_on_plateau__best_always_moves,
        ),
        Mistake(
            "no_lowest_rate",
            "Your rate falls below lr_min. Take the larger of factor * lr and lr_min.",
            _reduce_on_plateau__no_lowest_rate,
        ),
        Mistake(
            "rate_before",
            "Your rates come one loss late. Entry i is the rate after loss i: shrink first, then append.",
            _reduce_on_plateau__rate_before,
        ),
        Mistake("nan_is_better", _NAN, _reduce_on_plateau__nan_is_better),
    ),
    other_ways=(
        OtherWay("age_of_the_best", _reduce_on_plateau__age_of_the_best),
        OtherWay("count_the_cuts", _reduce_on_plateau__count_the_cuts),
    ),
)

EXERCISES = (REDUCE_ON_PLATEAU,)
