"""Numbers of words: whole ones can be used as places in a table, floats cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.cases import Case
from course_lib.tree import Tree

NEEDS: dict[str, dict[str, str]] = {"whole_numbers": {}}
WHOLE = "kind of numbers"


def whole_numbers(
    seen: Mapping[str, Tree], _case: Case, _kernels: Mapping[str, Callable[..., Any]]
) -> Mapping[str, Tree]:
    """In place of the array that was read as `WHOLE`: whether its dtype is one of whole numbers, in words."""
    if WHOLE not in seen:
        return seen
    found = seen[WHOLE]
    whole = not isinstance(found, (np.ndarray, np.generic)) or found.dtype.kind in "iu"
    return {**seen, WHOLE: messages.WHOLE_NUMBERS if whole else messages.NOT_WHOLE}
