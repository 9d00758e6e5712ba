"""Checks of what describes a network: graphs of names, rows of layers, shapes that were broadcast.

As `course_lib.validate`, and for the same two libraries: nothing here looks inside an array.
"""

from __future__ import annotations

from typing import Any

from course_lib.validate import check_count


def check_broadcast(name: str, value: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an array before it was broadcast, as Python integers.

    Args:
        name: the argument's name.
        value: a tuple of integers.
        shape: what it was broadcast to, that of dout.

    Raises:
        TypeError: no sequence of integers.
        ValueError: it does not broadcast to `shape`.

    >>> check_broadcast("shape", (3, 2), (4, 3))
    Traceback (most recent call last):
    ValueError: shape is (3, 2); expected a shape that broadcasts to (4, 3), the shape of dout.
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected a tuple of integers.")
    sizes = tuple(check_count(f"{name}[{k}]", size, least=0) for k, size in enumerate(value))
    pairs = zip(reversed(sizes), reversed(shape), strict=False)
    if len(sizes) > len(shape) or any(size not in (1, wide) for size, wide in pairs):
        wanted = f"a shape that broadcasts to {tuple(shape)}, the shape of dout"
        raise ValueError(f"{name} is {sizes}; expected {wanted}.")
    return sizes


def check_graph(value: Any) -> None:
    """Check that a graph is a dict of lists, and that every name in a list is a key.

    Args:
        value: what came, called graph.

    Raises:
        TypeError: something else.
        ValueError: a name is no key.

    >>> check_graph({"y": ["x"]})
    Traceback (most recent call last):
    ValueError: graph['y'] has 'x', which is no key of graph; expected an empty list for every input.
    """
    if not isinstance(value, dict):
        raise TypeError(f"graph is of type {type(value).__name__}; expected a dict of lists.")
    for name, sources in value.items():
        if not isinstance(sources, (list, tuple)):
            raise TypeError(f"graph[{name!r}] is of type {type(sources).__name__}; expected a list of names.")
        for source in sources:
            if source not in value:
                missing = f"{source!r}, which is no key of graph"
                raise ValueError(f"graph[{name!r}] has {missing}; expected an empty list for every input.")


def check_layers(layers: Any, caches: Any, kinds: tuple[str, ...]) -> None:
    """Check the description of layers in a row, and that each has a cache.

    Args:
        layers: what came, called layers.
        caches: what came, called caches.
        kinds: those that are known.

    Raises:
        TypeError: no lists.
        ValueError: their lengths differ, or a kind is not known.

    >>> check_layers(["relu"], [], ("relu",))
    Traceback (most recent call last):
    ValueError: caches has 0 entries; expected 1, one per layer.
    """
    for name, value in {"layers": layers, "caches": caches}.items():
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{name} is of type {type(value).__name__}; expected a list.")
    for k, kind in enumerate(layers):
        if kind not in kinds:
            raise ValueError(f"layers[{k}] is {kind!r}; expected one of: {', '.join(kinds)}.")
    if len(caches) != len(layers):
        raise ValueError(f"caches has {len(caches)} entries; expected {len(layers)}, one per layer.")
