"""When to stop training."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_count, check_number


def early_stopping(losses: np.ndarray, patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """Where training stops, and which epoch's weights are kept, from the validation loss of each epoch.

    An epoch is better when its loss is below the best so far minus `min_delta`. Training stops after `patience`
    epochs in a row that were not better, or with the last epoch. NaN is never better.

    Args:
        losses: validation loss after each epoch, (E,), float32 or float64.
        patience: how many epochs without progress are allowed, at least 1.
        min_delta: what counts as progress, 0 or more.

    Returns:
        The last epoch that is trained, and the best one, counted from 0, as Python integers.

    Raises:
        TypeError: an argument is no array or number.
        ValueError: a shape does not fit, `patience` is below 1, or `min_delta` is negative.

    Source: Morgan and Bourlard (1990); Prechelt (1998).

    >>> early_stopping(np.array([3.0, 1.0, 2.0, 1.5, 0.0]), patience=2)
    (3, 1)
    """
    check_arrays(np.ndarray, losses=(losses, "E"))
    most, delta = check_count("patience", patience, least=1), check_number("min_delta", min_delta)
    if delta < 0:
        raise ValueError(f"min_delta is {delta}; expected 0 or more.")
    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses.tolist()):
        better = loss < lowest - delta
        best, lowest, waited = (epoch, loss, 0) if better else (best, lowest, waited + 1)
        if waited == most:
            return epoch, best
    return len(losses) - 1, best
