"""Orders of a graph, judged by what an order must be: many lists are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from course_lib import messages
from course_lib.cases import Case
from course_lib.tree import Tree

NEEDS: dict[str, dict[str, str]] = {"order_words": {}}


def order_words(seen: Mapping[str, Tree], case: Case, kernels: Mapping[str, Callable[..., Any]]) -> Mapping[str, Tree]:
    """For each name of the graph where it stands in the list: once and after its sources, or what is wrong."""
    if "result" not in seen:
        return seen
    order, graph = seen["result"], case.inputs["graph"]
    if not isinstance(order, (list, tuple)) or not all(isinstance(name, str) for name in order):
        raise ValueError(messages.ORDER_OF_NAMES)
    for name in order:
        if name not in graph:
            raise ValueError(messages.ORDER_UNKNOWN.format(name=repr(name)[:40]))
    return {**seen, "result": {name: _place(name, sources, order) for name, sources in graph.items()}}


def _place(name: str, sources: Sequence[str], order: Sequence[str]) -> str:
    count = order.count(name)
    if count != 1:
        return messages.ORDER_TWICE.format(count=count) if count else messages.ORDER_MISSING
    before = order[: order.index(name)]
    late = [source for source in dict.fromkeys(sources) if source not in before]
    return messages.ORDER_TOO_EARLY.format(names=", ".join(late)) if late else messages.ORDER_RIGHT
