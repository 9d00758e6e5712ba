"""Word numbers and padding masks: what both references demand of them."""

from __future__ import annotations

from typing import Any


def check_ids(ids: Any, words: int, kind: type) -> None:
    """Check word numbers against the size of a vocabulary.

    Args:
        ids: integers of any shape.
        words: how many words there are.
        kind: the array type that the kernel takes.

    Raises:
        TypeError: no array of integers.
        ValueError: empty, or a number outside the vocabulary.

    >>> import numpy as np
    >>> check_ids(np.array([0, 7]), 5, np.ndarray)
    Traceback (most recent call last):
    ValueError: ids go from 0 to 7; expected numbers from 0 to 4, as w has 5 rows.
    """
    if not isinstance(ids, kind):
        raise TypeError(f"ids is of type {type(ids).__name__}; expected a {kind.__name__} of integers.")
    dtype = str(ids.dtype).removeprefix("torch.")
    if "int" not in dtype:
        raise TypeError(f"ids has dtype {dtype}; expected integers.")
    if 0 in ids.shape:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; expected no size of zero.")
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= words:
        raise ValueError(f"ids go from {low} to {high}; expected numbers from 0 to {words - 1}, as w has {words} rows.")


def check_mask(mask: Any, x: Any, kind: type) -> None:
    """Check which places of which text count.

    Args:
        mask: (N, L) of bools, or None.
        x: (N, L, M), checked before.
        kind: the array type that the kernel takes.

    Raises:
        TypeError: no array of bools.
        ValueError: the shape does not fit, or a text has no place that counts.

    >>> import numpy as np
    >>> check_mask(np.array([[True, False], [False, False]]), np.zeros((2, 2, 1)), np.ndarray)
    Traceback (most recent call last):
    ValueError: mask has no True in row 1; expected at least one place that counts in every text.
    """
    if mask is None:
        return
    if not isinstance(mask, kind):
        raise TypeError(f"mask is of type {type(mask).__name__}; expected a {kind.__name__} of bools, or None.")
    dtype = str(mask.dtype).removeprefix("torch.")
    if dtype != "bool":
        raise TypeError(f"mask has dtype {dtype}; expected bool.")
    if mask.shape != x.shape[:2]:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)}; expected {tuple(x.shape[:2])}, as x has texts and places."
        )
    counts = mask.any(1).tolist()
    if not all(counts):
        wanted = "expected at least one place that counts in every text"
        raise ValueError(f"mask has no True in row {counts.index(False)}; {wanted}.")
