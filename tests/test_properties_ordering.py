"""Orders of a graph in words: any valid one says the same, and what is wrong is said of the name it concerns."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from course_lib.cases import Case
from course_lib.properties.find import find_property
from course_lib.properties.ordering import order_words

GRAPH = {"f": ["p", "q"], "p": ["w", "x"], "q": ["w", "w"], "w": [], "x": []}
RIGHT = "once, after what it is computed from"


def words(result: Any) -> Any:
    """What is said of one answer."""
    return order_words({"result": result}, Case("", {"graph": GRAPH}, ()), {})["result"]


def test_valid_orders_and_no_others_are_right() -> None:
    """Of all lists of the names exactly the valid orders get only good words."""
    for order in permutations(GRAPH):
        valid = all(order.index(source) < order.index(name) for name in GRAPH for source in GRAPH[name])
        assert (set(words(order).values()) == {RIGHT}) == valid


def test_what_is_wrong_is_said_of_its_name() -> None:
    """Missing names, repeated ones and names before their sources are told apart."""
    said = words(["w", "p", "x", "w"])
    assert said == {"f": "missing", "p": "before x", "q": "missing", "w": "2 times", "x": RIGHT}
    assert words(["f", "w", "x", "q", "p"])["f"] == "before p, q"


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (None, "Return a list of the names"),
        ({"w": 1}, "Return a list of the names"),
        (["w", 3], "Return a list of the names"),
        (np.zeros(2), "Return a list of the names"),
        (["w", "z"], "Your list has 'z', which is no name in graph"),
    ],
)
def test_what_is_no_order_is_refused(result: Any, says: str) -> None:
    """An answer that is no list of the graph's names gets a sentence of its own."""
    with pytest.raises(ValueError, match=says):
        words(result)


def test_other_reads_are_left_alone() -> None:
    """What is read of a refused cycle passes through; the judge finds the property by its name."""
    seen = {"answer to a cycle": "ValueError"}
    assert order_words(seen, Case("", {"graph": GRAPH}, ()), {}) == seen
    assert find_property("order_words") == (order_words, {})
