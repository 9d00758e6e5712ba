"""Computation graphs with Torch's own; shapes, names and errors as in `course_lib.numpy_kernels.graphs`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import torch
from torch import Tensor

from course_lib.torch_kernels._graph import gradients
from course_lib.torch_kernels.linear import affine_backward
from course_lib.validate import check_arrays, check_cache, check_number, check_same
from course_lib.validate_graphs import check_broadcast, check_graph, check_layers

Gradients = list[tuple[Tensor, ...]]
_KINDS = ("affine", "relu", "sigmoid", "tanh")


def exam_graph_gradient(
    x1: float, x2: float, w1: float, w3: float, b: float
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradient of ``f = w3 * relu(w1 * x1 + w1 * x2 + b)`` by all five numbers, by autograd.

    Args:
        x1: first input, a number or a tensor without axes.
        x2: second input.
        w1: the weight that both inputs share.
        w3: weight of the ReLU's output.
        b: bias.

    Returns:
        ``dx1``, ``dx2``, ``dw1``, ``dw3`` and ``db``, float64 tensors without axes.

    >>> [gradient.item() for gradient in exam_graph_gradient(2.0, 3.0, 1.0, 4.0, -1.0)]
    [4.0, 4.0, 20.0, 4.0, 4.0]
    """
    given = {"x1": x1, "x2": x2, "w1": w1, "w3": w3, "b": b}
    leaves = [torch.tensor(check_number(name, value), dtype=torch.float64) for name, value in given.items()]
    return gradients(lambda x1, x2, w1, w3, b: w3 * torch.relu(w1 * x1 + w1 * x2 + b), *leaves)


def unbroadcast(dout: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The gradient of a tensor that was broadcast, by autograd through `Tensor.expand`.

    Args:
        dout: gradient with respect to the broadcast tensor, any shape.
        shape: of the tensor before; it broadcasts to the shape of `dout`.

    Returns:
        The gradient, of shape `shape`.

    >>> unbroadcast(torch.ones(4, 3), (1, 3)).tolist()
    [[4.0, 4.0, 4.0]]
    """
    check_arrays(Tensor, dout=(dout, None))
    sizes = check_broadcast("shape", shape, tuple(dout.shape))
    (gradient,) = gradients(lambda leaf: leaf.expand(dout.shape), dout.new_zeros(sizes), dout=dout.detach())
    # Without anything to sum, autograd hands back what came in.
    return gradient.clone() if sizes == tuple(dout.shape) else gradient


def topological_order(graph: Mapping[Hashable, Sequence[Hashable]]) -> list[Hashable]:
    """The names of a graph sorted by depth: an input has depth 0, every other name one more than its deepest source.

    Args:
        graph: a dict from each name to the list of names that it is computed from.

    Returns:
        All names, each once, each after those it is computed from.

    >>> topological_order({"loss": ["y"], "y": ["x", "w"], "x": [], "w": []})
    ['x', 'w', 'y', 'loss']
    """
    check_graph(graph)
    names = list(graph)
    place = {name: k for k, name in enumerate(names)}
    edges = [(place[name], place[source]) for name, sources in graph.items() for source in sources]
    users, sources = torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T
    depth = torch.zeros(len(names), dtype=torch.long)
    for _ in names:
        deeper = torch.zeros_like(depth).scatter_reduce(0, users, depth[sources] + 1, "amax")
        if torch.equal(deeper, depth):
            return [names[k] for k in torch.argsort(depth, stable=True).tolist()]
        depth = deeper
    if not names:
        return []
    # In a cycle depths grow for ever; without one the longest path has fewer steps than there are names.
    left = names[int(depth.argmax())]
    raise ValueError(f"graph has a cycle: {left!r} is never ready; expected a graph without cycles.")


class Value:
    """A number that remembers what it was computed from: a float64 tensor without axes, differentiated by autograd.

    Args:
        data: the number.

    >>> x = Value(3.0)
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y.data, x.grad
    (15.0, 8.0)
    """

    def __init__(self, data: float) -> None:
        self._keep(torch.tensor(check_number("data", data), dtype=torch.float64, requires_grad=True))

    @torch.enable_grad()
    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(0.0)._keep(self._tensor + other._tensor)

    @torch.enable_grad()
    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(0.0)._keep(self._tensor * other._tensor)

    __radd__, __rmul__ = __add__, __mul__

    @torch.enable_grad()
    def relu(self) -> Value:
        """The number if it is above 0, else 0; its slope at 0 is 0."""
        return Value(0.0)._keep(torch.relu(self._tensor))

    def backward(self) -> None:
        """Add the derivative of this number by each one it was computed from to that one's `grad`."""
        self._tensor.backward(retain_graph=True)

    @property
    def data(self) -> float:
        """The number."""
        return self._tensor.item()

    @data.setter
    def data(self, data: float) -> None:
        # A new leaf: what was computed from the old number stays what it was.
        grad = self.grad
        self._keep(torch.tensor(check_number("data", data), dtype=torch.float64, requires_grad=True))
        self.grad = grad

    @property
    def grad(self) -> float:
        """What the backward passes so far have added up; 0 before the first one."""
        return 0.0 if self._tensor.grad is None else self._tensor.grad.item()

    @grad.setter
    def grad(self, grad: float) -> None:
        self._tensor.grad = torch.tensor(check_number("grad", grad), dtype=torch.float64)

    def _keep(self, tensor: Tensor) -> Value:
        self._tensor = tensor
        tensor.retain_grad()
        return self


def sequential_backward(
    dout: Tensor, layers: Sequence[str], caches: Sequence[tuple[Tensor, ...]]
) -> tuple[Tensor, Gradients]:
    """Backward pass of layers in a row, by autograd and the backward operators that it calls.

    Args:
        dout: gradient of the loss with respect to the last output.
        layers: kinds in the order of the forward pass: "affine", "relu", "sigmoid" or "tanh".
        caches: ``(x, w, b)`` of an affine layer, and ``(out,)`` of the others, in the same order.

    Returns:
        ``dx``, and a list with a tuple per layer: ``(dw, db)`` of an affine layer, ``()`` of the others.

    >>> dx, grads = sequential_backward(torch.tensor([[2.0, 3.0]]), ["relu"], [(torch.tensor([[0.0, 5.0]]),)])
    >>> dx.tolist(), grads
    ([[0.0, 3.0]], [()])
    """
    check_arrays(Tensor, dout=(dout, None))
    check_layers(layers, caches, _KINDS)
    found: Gradients = []
    for kind, cache in zip(reversed(layers), reversed(caches), strict=True):
        if kind == "affine":
            dout, *own = affine_backward(dout, cache)
        else:
            (out,), own = check_cache(cache, 1, f"{kind}_forward"), []
            check_same(Tensor, dout=dout, out=out)
            dout = _activation_backward(kind, dout, out)
        found.insert(0, tuple(own))
    return dout, found


def _activation_backward(kind: str, dout: Tensor, out: Tensor) -> Tensor:
    """The operators that autograd itself calls; like the caches here, they go by the output."""
    if kind == "relu":
        return torch.ops.aten.threshold_backward(dout, out, 0)
    return (torch.ops.aten.sigmoid_backward if kind == "sigmoid" else torch.ops.aten.tanh_backward)(dout, out)
