"""Exercise on the order in which a computation graph is walked (topic `graphs`); any valid order is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Step
from course_lib.properties.ordering import order_words
from course_lib.tree import Handle

_CYCLE = "In a cycle each name waits for another one, so there is no order. Raise ValueError then."
Edges = Sequence[tuple[int, int]]
# Case id to (number of names, edges: the first is computed from the second).
_PUBLIC: dict[str, tuple[int, Edges]] = {
    "a chain": (4, [(1, 0), (2, 1), (3, 2)]),
    "the exam graph": (9, [(5, 0), (5, 1), (6, 0), (6, 2), (7, 5), (7, 6), (7, 3), (8, 7), (8, 4)]),
    "two ways of different length": (5, [(1, 0), (2, 1), (3, 2), (4, 3), (4, 0)]),
    "used twice by one": (3, [(1, 0), (1, 0), (2, 1)]),
    "two outputs": (5, [(2, 0), (2, 1), (3, 2), (4, 2)]),
}
_SECRET: dict[str, tuple[int, Edges]] = {
    "one name": (1, []),
    "a longer chain": (6, [(k + 1, k) for k in range(5)]),
    "a diamond": (4, [(1, 0), (2, 0), (3, 1), (3, 2)]),
    "a shared weight": (7, [(3, 0), (3, 1), (4, 0), (4, 2), (5, 3), (5, 4), (6, 5)]),
    "two ways that meet": (6, [(1, 0), (2, 1), (3, 2), (4, 3), (4, 0), (5, 4), (5, 1)]),
    "used twice, two times": (4, [(1, 0), (1, 0), (2, 1), (2, 1), (3, 2), (3, 0)]),
    "two separate graphs": (6, [(1, 0), (2, 1), (4, 3), (5, 4)]),
    "three outputs": (6, [(2, 0), (2, 1), (3, 2), (4, 2), (5, 0)]),
}
_CYCLES = {"a cycle of two": (4, [(1, 0), (2, 1), (1, 2), (3, 2)])}
_SECRET_CYCLES = {
    "a cycle of three": (5, [(1, 0), (2, 1), (3, 2), (1, 3), (4, 0)]),
    "computed from itself": (3, [(1, 0), (1, 1), (2, 0)]),
    "nothing but a cycle": (2, [(0, 1), (1, 0)]),
}
_LETTERS = "abcdefghkmnpqrstuvwxyz"


def _topological_order_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    orders, cycles = (_PUBLIC, _CYCLES) if public else (_SECRET, _SECRET_CYCLES)
    asked = [_order_case(rng, name, *shape) for name, shape in orders.items()]
    return (*asked, *(_cycle_case(rng, name, *shape) for name, shape in cycles.items()))


def _graph(rng: np.random.Generator, count: int, edges: Edges, backwards: bool) -> dict[str, list[str]]:
    """Random letters as names; keys so that the order of the dict is of no use, or that of the outputs first."""
    names = [_LETTERS[k] for k in rng.permutation(len(_LETTERS))[:count]]
    keys = reversed(range(count)) if backwards else rng.permutation(count)
    return {names[key]: [names[source] for user, source in edges if user == key] for key in keys}


def _order_case(rng: np.random.Generator, name: str, count: int, edges: Edges) -> Case:
    graph = _graph(rng, count, edges, backwards=True)
    call = Step("call", "result", "topological_order", (Handle("graph"),))
    return Case(name, {"graph": graph}, (call, Step("read", "result", "", (Handle("result"),)), _untouched()))


def _cycle_case(rng: np.random.Generator, name: str, count: int, edges: Edges) -> Case:
    graph = _graph(rng, count, edges, backwards=False)
    call = Step("refuse", "answer", "topological_order", (Handle("graph"),))
    read = Step("read", "answer to a cycle", "", (Handle("answer"),), kind="convention")
    return Case(name, {"graph": graph}, (call, read, _untouched()), _CYCLE)


def _untouched() -> Step:
    return Step("read", "graph afterwards", "", (Handle("graph"),), kind="convention")


def _topological_order__as_given(graph):
    return list(graph)


def _topological_order__users_first(graph):
    order, state = [], {}

    def visit(name):
        if state.get(name) == "open":
            raise ValueError("cycle")
        if name not in state:
            state[name] = "open"
            for source in graph[name]:
                visit(source)
            state[name] = "done"
            order.append(name)

    for name in graph:
        visit(name)
    return order[::-1]


def _topological_order__before_its_sources(graph):
    order, state = [], {}

    def visit(name):
        if state.get(name) == "open":
            raise ValueError("cycle")
        if name not in state:
            state[name] = "open"
            order.append(name)
            for source in graph[name]:
                visit(source)
            state[name] = "done"

    for name in graph:
        visit(name)
    return order


def _topological_order__seen_not_kept(graph):
    order = []

    def visit(name, above):
        if name in above:
            raise ValueError("cycle")
        for source in graph[name]:
            visit(source, {*above, name})
        order.append(name)

    for name in graph:
        visit(name, set())
    return order


def _topological_order__one_source_is_enough(graph):
    order, left = [name for name in graph if not graph[name]], [name for name in graph if graph[name]]
    while left:
        ready = [name for name in left if any(source in order for source in graph[name])]
        if not ready:
            raise ValueError("cycle")
        order += ready
        left = [name for name in left if name not in ready]
    return order


def _topological_order__from_one_output(graph):
    used = {source for sources in graph.values() for source in sources}
    order, state = [], {}

    def visit(name):
        if state.get(name) == "open":
            raise ValueError("cycle")
        if name not in state:
            state[name] = "open"
            for source in graph[name]:
                visit(source)
            state[name] = "done"
            order.append(name)

    outputs = [name for name in graph if name not in used]
    if not outputs:
        raise ValueError("cycle")
    visit(outputs[0])
    return order


def _topological_order__no_inputs(graph):
    order, state = [], {}

    def visit(name):
        if state.get(name) == "open":
            raise ValueError("cycle")
        if name not in state:
            state[name] = "open"
            for source in graph[name]:
                visit(source)
            state[name] = "done"
            if graph[name]:
                order.append(name)

    for name in graph:
        visit(name)
    return order


def _topological_order__cycles_pass(graph):
    order, seen = [], set()

    def visit(name):
        if name not in seen:
            seen.add(name)
            for source in graph[name]:
                visit(source)
            order.append(name)

    for name in graph:
        visit(name)
    return order


def _topological_order__empties_the_graph(graph):
    order = []
    while graph:
        ready = [name for name in graph if all(source in order for source in graph[name])]
        if not ready:
            raise ValueError("cycle")
        for name in ready:
            del graph[name]
        order += ready
    return order


def _topological_order__depth_first(graph):
    order, state = [], {}

    def visit(name):
        if state.get(name) == "open":
            raise ValueError("There is a cycle.")
        if name not in state:
            state[name] = "open"
            for source in graph[name]:
                visit(source)
            state[name] = "done"
            order.append(name)

    for name in graph:
        visit(name)
    return order


def _topological_order__round_by_round(graph):
    order, left = [], list(graph)
    while left:
        ready = [name for name in left if all(source in order for source in graph[name])]
        if not ready:
            raise ValueError(f"{left} wait for each other.")
        order.extend(ready)
        left = [name for name in left if name not in ready]
    return order


def _topological_order__library(graph):
    from graphlib import TopologicalSorter

    return list(TopologicalSorter(graph).static_order())


def _topological_order__by_depth(graph):
    depth = dict.fromkeys(graph, 0)
    for _ in graph:
        depth = {name: 1 + max((depth[source] for source in graph[name]), default=-1) for name in graph}
    again = {name: 1 + max((depth[source] for source in graph[name]), default=-1) for name in graph}
    if again != depth:
        raise ValueError("The longest way never ends.")
    return sorted(graph, key=depth.get)


TOPOLOGICAL_ORDER = Exercise(
    id="topological_order",
    topic="graphs",
    points=3,
    cases=_topological_order_cases,
    prepare=order_words,
    mistakes=(
        Mistake(
            "as_given",
            "You return the names as they stand in the dict, which says nothing about the graph. A name comes after "
            "all names in its list.",
            _topological_order__as_given,
        ),
        Mistake(
            "users_first",
            "Your order runs from the outputs to the inputs. Return it the other way round; the backward pass will "
            "walk it from the end.",
            _topological_order__users_first,
        ),
        Mistake(
            "before_its_sources",
            "You write a name down when you reach it. Write it down after all of its sources have been visited.",
            _topological_order__before_its_sources,
        ),
        Mistake(
            "seen_not_kept",
            "Names that are used several times appear several times. Remember which ones are written down already.",
            _topological_order__seen_not_kept,
        ),
        Mistake(
            "one_source_is_enough",
            "You write a name down as soon as one of its sources is there. It has to wait for all of them.",
            _topological_order__one_source_is_enough,
        ),
        Mistake(
            "from_one_output",
            "You start at one output and never see what it does not need. Visit every name of the graph.",
            _topological_order__from_one_output,
        ),
        Mistake(
            "no_inputs",
            "The inputs are missing: names with an empty list belong into the order too.",
            _topological_order__no_inputs,
        ),
        Mistake("cycles_pass", _CYCLE, _topological_order__cycles_pass),
        Mistake(
            "empties_the_graph",
            "Your order is right, but the graph that came in is empty afterwards. Keep a set of what is done instead "
            "of deleting.",
            _topological_order__empties_the_graph,
        ),
    ),
    other_ways=(
        OtherWay("depth_first", _topological_order__depth_first),
        OtherWay("round_by_round", _topological_order__round_by_round),
        OtherWay("library", _topological_order__library),
        OtherWay("by_depth", _topological_order__by_depth),
    ),
)

EXERCISES = (TOPOLOGICAL_ORDER,)
