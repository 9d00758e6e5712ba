"""Cutting a batch into blocks that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Windows of about one megabyte stay in the second-level cache until the product has read them, and the memory of
# one block serves the next: fresh pages from the system cost as much as the copy itself.
_BYTES = 1 << 20


def blocks(views: np.ndarray) -> Iterator[slice]:
    """Slices of as many examples as have about one megabyte of windows.

    >>> list(blocks(np.zeros((3, 100, 1000))))
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    step = max(1, _BYTES // views[0].nbytes)
    return (slice(i, i + step) for i in range(0, len(views), step))
