"""Computation graphs: an order to walk them in, gradients backward through them, and numbers that build their own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from course_lib.numpy_kernels.linear import affine_backward
from course_lib.validate import check_arrays, check_cache, check_number, check_same
from course_lib.validate_graphs import check_broadcast, check_graph, check_layers

Gradients = list[tuple[np.ndarray, ...]]
_KINDS = ("affine", "relu", "sigmoid", "tanh")


def exam_graph_gradient(
    x1: float, x2: float, w1: float, w3: float, b: float
) -> tuple[float, float, float, float, float]:
    """The gradient of ``f = w3 * relu(w1 * x1 + w1 * x2 + b)`` by all five numbers; `w1` is used twice.

    With ``z = w1 * x1 + w1 * x2 + b`` and ``dz = w3 * (z > 0)``: ``dx1 = dx2 = dz * w1``,
    ``dw1 = dz * x1 + dz * x2``, ``dw3 = relu(z)``, ``db = dz``.

    Args:
        x1: first input, a number.
        x2: second input.
        w1: the weight that both inputs share.
        w3: weight of the ReLU's output.
        b: bias.

    Returns:
        ``dx1``, ``dx2``, ``dw1``, ``dw3`` and ``db``, Python floats. At ``z == 0`` the ReLU's slope is 0.

    Raises:
        TypeError: an argument is no number.
        ValueError: an argument is not finite.

    Source: the chain rule; shared weights as in LeCun and others (1989).

    >>> exam_graph_gradient(2.0, 3.0, 1.0, 4.0, -1.0)
    (4.0, 4.0, 20.0, 4.0, 4.0)
    """
    given = {"x1": x1, "x2": x2, "w1": w1, "w3": w3, "b": b}
    x1, x2, w1, w3, b = (check_number(name, value) for name, value in given.items())
    z = w1 * x1 + w1 * x2 + b
    dz = w3 if z > 0 else 0.0
    return dz * w1, dz * w1, dz * x1 + dz * x2, max(z, 0.0), dz


def unbroadcast(dout: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of an array that was broadcast: the sum over all the places where each number was used.

    Args:
        dout: gradient with respect to the broadcast array, any shape, float32 or float64.
        shape: of the array before; it broadcasts to the shape of `dout`.

    Returns:
        The gradient, of shape `shape`, same dtype, a new array.

    Raises:
        TypeError: `dout` is no array of floating numbers, or `shape` is no tuple of integers.
        ValueError: `shape` does not broadcast to the shape of `dout`.

    Source: the chain rule with one path per copy; the rules are those of NumPy's broadcasting.

    >>> unbroadcast(np.ones((4, 3)), (1, 3))
    array([[4., 4., 4.]])
    """
    check_arrays(np.ndarray, dout=(dout, None))
    sizes = check_broadcast("shape", shape, dout.shape)
    new = dout.ndim - len(sizes)
    copied = [new + k for k, size in enumerate(sizes) if size != dout.shape[new + k]]
    return dout.sum(axis=(*range(new), *copied), keepdims=True).reshape(sizes)


def topological_order(graph: Mapping[Hashable, Sequence[Hashable]]) -> list[Hashable]:
    """The names of a graph in an order in which each one comes after all that it is computed from.

    Names wait for those they are computed from; whatever waits for nothing comes next.

    Args:
        graph: a dict from each name to the list of names that it is computed from; an input has an empty list.

    Returns:
        All names, each once. Backward passes walk the same list from its end.

    Raises:
        TypeError: no dict of lists.
        ValueError: a name waits for itself through others (a cycle), or a list has a name that is no key.

    Source: Kahn (1962).

    >>> topological_order({"loss": ["y"], "y": ["x", "w"], "x": [], "w": []})
    ['w', 'x', 'y', 'loss']
    """
    check_graph(graph)
    waits_for = {name: len(sources) for name, sources in graph.items()}
    users: dict[Hashable, list[Hashable]] = {name: [] for name in graph}
    for name, sources in graph.items():
        for source in sources:
            users[source].append(name)
    ready = [name for name, count in waits_for.items() if count == 0]
    order = []
    while ready:
        order.append(ready.pop())
        for user in users[order[-1]]:
            waits_for[user] -= 1
            if waits_for[user] == 0:
                ready.append(user)
    if len(order) < len(graph):
        left = next(name for name, count in waits_for.items() if count)
        raise ValueError(f"graph has a cycle: {left!r} is never ready; expected a graph without cycles.")
    return order


class Value:
    """A number that remembers what it was computed from, so that `backward` can differentiate through it.

    Operations: ``+`` and ``*`` with a `Value` or a number on either side, and `relu`.

    Args:
        data: the number.

    Raises:
        TypeError: `data` is no number.
        ValueError: `data` is not finite.

    Source: reverse mode, Linnainmaa (1970); recorded while computing as in Torch.

    >>> x = Value(3.0)
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y.data, x.grad
    (15.0, 8.0)
    """

    def __init__(self, data: float) -> None:
        self.data = check_number("data", data)
        self.grad = 0.0
        self._parents: tuple[tuple[Value, float], ...] = ()

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return _made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return _made(self.data * other.data, (self, other.data), (other, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self) -> Value:
        """The number if it is above 0, else 0; its slope at 0 is 0."""
        return _made(max(self.data, 0.0), (self, float(self.data > 0)))

    def backward(self) -> None:
        """Add the derivative of this number by each one it was computed from to that one's `grad`.

        As in Torch nothing is cleared: a second call adds everything once more.
        """
        nodes, found = {}, [self]
        while found:
            node = found.pop()
            if id(node) not in nodes:
                nodes[id(node)] = node
                found += [parent for parent, _ in node._parents]
        # Kept apart from `grad`, which may hold what an earlier call left: that must not be passed on again.
        upstream = dict.fromkeys(nodes, 0.0) | {id(self): 1.0}
        order = topological_order({key: [id(parent) for parent, _ in node._parents] for key, node in nodes.items()})
        for key in reversed(order):
            nodes[key].grad += upstream[key]
            for parent, slope in nodes[key]._parents:
                upstream[id(parent)] += slope * upstream[key]


def _made(data: float, *parents: tuple[Value, float]) -> Value:
    """A value that was computed, with the local slope by each value it was computed from."""
    value = Value(0.0)
    value.data, value._parents = data, parents
    return value


def sequential_backward(
    dout: np.ndarray, layers: Sequence[str], caches: Sequence[tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, Gradients]:
    """Backward pass of layers in a row: ``dL/dx_(k-1) = dL/dx_k * dx_k/dx_(k-1)``, from the last to the first.

    Args:
        dout: gradient of the loss with respect to the last output, float32 or float64.
        layers: kinds in the order of the forward pass: "affine", "relu", "sigmoid" or "tanh".
        caches: what each layer kept, in the same order: ``(x, w, b)`` of an affine layer as from
            `affine_forward`, and ``(out,)`` of the others, their output.

    Returns:
        ``dx``, the gradient with respect to the first input, and a list with a tuple per layer, in the order of
        `layers`: ``(dw, db)`` of an affine layer, ``()`` of the others.

    Raises:
        TypeError: `dout` is no array, or a cache is none.
        ValueError: a kind is not known, the lengths differ, or a shape does not fit.

    Source: Rumelhart, Hinton and Williams (1986).

    >>> x, w, b, out = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.zeros(1), np.array([[11.0]])
    >>> sequential_backward(np.array([[10.0]]), ["affine", "relu"], [(x, w, b), (out,)])
    (array([[30., 40.]]), [(array([[10., 20.]]), array([10.])), ()])
    """
    check_arrays(np.ndarray, dout=(dout, None))
    check_layers(layers, caches, _KINDS)
    gradients: Gradients = []
    for kind, cache in zip(reversed(layers), reversed(caches), strict=True):
        if kind == "affine":
            dout, *own = affine_backward(dout, cache)
        else:
            (out,), own = check_cache(cache, 1, f"{kind}_forward"), []
            check_same(np.ndarray, dout=dout, out=out)
            dout = dout * _slope(kind, out)
        gradients.insert(0, tuple(own))
    return dout, gradients


def _slope(kind: str, out: np.ndarray) -> np.ndarray:
    """The slope of an activation, from its output."""
    if kind == "relu":
        return (out > 0).astype(out.dtype)
    return out * (1 - out) if kind == "sigmoid" else 1 - out * out
