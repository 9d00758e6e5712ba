"""Whole numbers in words: integers of any size pass, floats do not."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.cases import Case
from course_lib.properties.find import find_property
from course_lib.properties.whole import WHOLE, whole_numbers


@pytest.mark.parametrize(
    ("dtype", "says"),
    [
        ("int64", "whole numbers"),
        ("int32", "whole numbers"),
        ("uint8", "whole numbers"),
        ("float64", "not whole numbers"),
        ("bool", "not whole numbers"),
    ],
)
def test_only_integers_are_whole_numbers(dtype: str, says: str) -> None:
    """Any integer dtype will do as places in a table; floats and truth values will not."""
    seen = {"result": np.ones(2, dtype), WHOLE: np.ones(2, dtype)}
    found = whole_numbers(seen, Case("", {}, ()), {})
    assert found[WHOLE] == says
    assert found["result"] is seen["result"]


def test_other_reads_and_other_kinds_are_left_to_the_comparison() -> None:
    """A list gets its own message from the comparison; a case without this read stays as it is."""
    assert whole_numbers({"result": [1, 2], WHOLE: [1, 2]}, Case("", {}, ()), {})[WHOLE] == "whole numbers"
    assert whole_numbers({"result": 1}, Case("", {}, ()), {}) == {"result": 1}


def test_case_files_find_it_by_name() -> None:
    """It runs no references."""
    assert find_property("whole_numbers") == (whole_numbers, {})
