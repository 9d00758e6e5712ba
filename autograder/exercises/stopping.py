"""Early stopping, the bug hunt of lesson 05."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Kind, call_case

_TIE = "An epoch that only equals the best loss is not better, and the first of equal epochs is kept."
_NAN = "A loss that is NaN is never better: training that breaks down must stop as well."

# Case id to (patience, smallest progress, losses in steps of 0.01 above a random level).
_PUBLIC: dict[str, tuple[int, float, tuple[float, ...]]] = {
    "falls, then rises": (3, 0.0, (90, 60, 40, 30, 35, 45, 55, 60, 70)),
    "falls to the end": (2, 0.0, (90, 70, 50, 40, 30)),
    "goes up and down above the best": (3, 0.0, (80, 30, 50, 40, 60, 45, 55, 35, 70, 50)),
    "recovers in time": (3, 0.0, (80, 50, 60, 55, 40, 45, 50, 20, 30, 40, 60, 5)),
    "ends while it waits": (4, 0.0, (80, 40, 60, 50)),
    "falls in very small steps": (3, 0.1, (90, 86, 82, 78, 74, 70, 66, 62)),
    "rises by very little": (2, 0.1, (90, 50, 53, 56, 59, 40)),
    "float32": (2, 0.0, (80, 60, 70, 40, 50, 60, 30)),
}
_SECRET = _PUBLIC | {
    "patience of one": (1, 0.0, (80, 60, 40, 50, 30)),
    "one epoch": (2, 0.0, (50,)),
    "rises from the start": (2, 0.0, (20, 40, 30, 35, 10)),
    "small steps after a large one": (2, 0.05, (90, 50, 46, 44, 42, 38)),
}
# These decide a convention: the losses are equal, or not a number.
_CONVENTIONS = {
    "equal losses": (2, 0.0, (70, 40, 40, 60, 30), _TIE),
    "a loss is not a number": (2, 0.0, (70, 40, float("nan"), float("nan"), 10), _NAN),
}


def _early_stopping_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one(rng, name, *row) for name, row in (_PUBLIC if public else _SECRET).items()]
    named = [_one(rng, name, *row[:3], kind="convention", says=row[3]) for name, row in _CONVENTIONS.items()]
    return (*cases, *named)


def _one(
    rng: np.random.Generator,
    name: str,
    patience: int,
    min_delta: float,
    curve: tuple[float, ...],
    *,
    kind: Kind = "core",
    says: str = "",
) -> Case:
    # The level and the scale differ per draw, the shape of the curve does not: it decides what is asked.
    scale = round(float(rng.uniform(1.0, 1.2)), 2)
    losses = np.round(0.01 * scale * np.array(curve) + rng.uniform(0.1, 0.9), 3)
    inputs = {"losses": losses.astype("float32" if name == "float32" else "float64"), "patience": patience}
    if min_delta:
        inputs["min_delta"] = min_delta
    return call_case(name, "early_stopping", inputs, kind=kind, says=says)


def _early_stopping__both_bugs_untouched(losses, patience, min_delta=0.0):
    best, last, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < last - min_delta:
            best, waited = epoch, 0
        else:
            waited += 1
        last = loss
        if waited > patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__compares_with_the_last(losses, patience, min_delta=0.0):
    best, last, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < last - min_delta:
            best, waited = epoch, 0
        else:
            waited += 1
        last = loss
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__waits_one_more(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest - min_delta:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited > patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__waits_one_less(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest - min_delta:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited == max(patience - 1, 1):
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__no_min_delta(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__min_delta_added(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest + min_delta:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__best_creeps(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest - min_delta:
            best, waited = epoch, 0
        else:
            waited += 1
        lowest = min(lowest, loss)
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__never_starts_again(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss < lowest - min_delta:
            best, lowest = epoch, loss
        else:
            waited += 1
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__tie_is_better(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss <= lowest - min_delta:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__nan_is_better(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss >= lowest - min_delta:
            waited += 1
        else:
            best, lowest, waited = epoch, loss, 0
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__asks_for_worse(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        if loss > lowest - min_delta:
            waited += 1
        else:
            best, lowest, waited = epoch, loss, 0
        if waited == patience:
            return epoch, best
    return len(losses) - 1, best


def _early_stopping__keeps_the_last(losses, patience, min_delta=0.0):
    lowest, waited = float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        lowest, waited = (loss, 0) if loss < lowest - min_delta else (lowest, waited + 1)
        if waited == patience:
            return epoch, epoch
    return len(losses) - 1, len(losses) - 1


def _early_stopping__best_of_all_epochs(losses, patience, min_delta=0.0):
    lowest, waited = float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        lowest, waited = (loss, 0) if loss < lowest - min_delta else (lowest, waited + 1)
        if waited == patience:
            return epoch, int(np.nanargmin(losses))
    return len(losses) - 1, int(np.nanargmin(losses))


def _early_stopping__order(losses, patience, min_delta=0.0):
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        better = loss < lowest - min_delta
        best, lowest, waited = (epoch, loss, 0) if better else (best, lowest, waited + 1)
        if waited == patience:
            return best, epoch
    return best, len(losses) - 1


def _early_stopping__counts_from_one(losses, patience, min_delta=0.0):
    best, lowest, waited = 1, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist(), start=1):
        better = loss < lowest - min_delta
        best, lowest, waited = (epoch, loss, 0) if better else (best, lowest, waited + 1)
        if waited == patience:
            return epoch, best
    return len(losses), best


def _early_stopping__returns_the_loss(losses, patience, min_delta=0.0):
    lowest, waited = float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        lowest, waited = (loss, 0) if loss < lowest - min_delta else (lowest, waited + 1)
        if waited == patience:
            return epoch, lowest
    return len(losses) - 1, lowest


def _early_stopping__window_by_window(losses, patience, min_delta=0.0):
    values, best = np.where(np.isnan(losses), np.inf, losses), 0
    while True:
        window = values[best + 1 : best + 1 + patience]
        better = np.flatnonzero(window < values[best] - min_delta)
        if not len(better):
            return min(best + patience, len(losses) - 1), best
        best += 1 + int(better[0])


def _early_stopping__gaps_between_records(losses, patience, min_delta=0.0):
    records, lowest = [0], losses[0]
    for epoch in range(1, len(losses)):
        if losses[epoch] < lowest - min_delta:
            records.append(epoch)
            lowest = losses[epoch]
    for record, following in zip(records, [*records[1:], None], strict=True):
        if following is None or following - record > patience:
            return min(record + patience, len(losses) - 1), record


def _early_stopping__one_step_at_a_time(losses, patience, min_delta=0.0):
    def go_on(epoch, best):
        if epoch - best == patience or epoch == len(losses) - 1:
            return epoch, best
        better = losses[epoch + 1] < losses[best] - min_delta
        return go_on(epoch + 1, epoch + 1 if better else best)

    return go_on(0, 0)


EARLY_STOPPING = Exercise(
    id="early_stopping",
    topic="stopping",
    points=3,
    cases=_early_stopping_cases,
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "Both bugs are still there. Follow the loop by hand on a short list: note the loss that each epoch is "
            "compared with, and count the bad epochs in a row before it stops.",
            _early_stopping__both_bugs_untouched,
        ),
        Mistake(
            "compares_with_the_last",
            "It now stops after the right number of bad epochs, but each loss is compared with the one before it. "
            "Compare with the best loss so far.",
            _early_stopping__compares_with_the_last,
        ),
        Mistake(
            "waits_one_more",
            "It now compares with the best loss, but stops one epoch too late. Stop as soon as patience epochs in a "
            "row were not better.",
            _early_stopping__waits_one_more,
        ),
        Mistake(
            "waits_one_less",
            "It stops one epoch too early. Stop when the number of epochs that were not better has reached patience.",
            _early_stopping__waits_one_less,
        ),
        Mistake(
            "no_min_delta",
            "You do not use min_delta. A loss counts as better only below the best loss minus min_delta.",
            _early_stopping__no_min_delta,
        ),
        Mistake(
            "min_delta_added",
            "min_delta has the wrong sign: losses that rise a little count as better. Compare with the best loss minus "
            "min_delta.",
            _early_stopping__min_delta_added,
        ),
        Mistake(
            "best_creeps",
            "You lower the best loss also when the progress is smaller than min_delta, so that many small steps never "
            "count. Change it only together with the best epoch.",
            _early_stopping__best_creeps,
        ),
        Mistake(
            "never_starts_again",
            "You count all epochs that were not better. Count those in a row: start again at 0 after each better one.",
            _early_stopping__never_starts_again,
        ),
        Mistake("tie_is_better", f"{_TIE} Compare with <, not <=.", _early_stopping__tie_is_better),
        Mistake(
            "nan_is_better",
            f"{_NAN} Every comparison with NaN is False, so ask whether the loss is better, not whether it is worse.",
            _early_stopping__nan_is_better,
        ),
        Mistake(
            "asks_for_worse",
            "You ask whether a loss is worse, so an equal loss and NaN count as better. Ask whether it is better, "
            "loss < lowest - min_delta, and wait in all other cases.",
            _early_stopping__asks_for_worse,
        ),
        Mistake(
            "keeps_the_last",
            "You return the last epoch twice. The second number is the best epoch, whose weights are kept.",
            _early_stopping__keeps_the_last,
        ),
        Mistake(
            "best_of_all_epochs",
            "Your best epoch is the smallest loss of the whole list. Training has stopped before its end: look only at "
            "epochs up to the stop, with progress as min_delta defines it.",
            _early_stopping__best_of_all_epochs,
        ),
        Mistake(
            "order",
            "The two numbers are the wrong way round. Return the last epoch first, then the best one.",
            _early_stopping__order,
        ),
        Mistake(
            "counts_from_one",
            "You count epochs from 1. In this course they count from 0, like the places in the list.",
            _early_stopping__counts_from_one,
        ),
        Mistake(
            "returns_the_loss",
            "The second number is the best loss. Return the epoch at which it was reached.",
            _early_stopping__returns_the_loss,
        ),
    ),
    other_ways=(
        OtherWay("window_by_window", _early_stopping__window_by_window),
        OtherWay("gaps_between_records", _early_stopping__gaps_between_records),
        OtherWay("one_step_at_a_time", _early_stopping__one_step_at_a_time),
    ),
)

EXERCISES = (EARLY_STOPPING,)
