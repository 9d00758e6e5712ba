"""How a case plays a Torch module: arrays in, arrays out, parameters in the order in which they were registered.

The NumPy reference of a class derives from `Playable` and answers the same five requests by itself, so one case is
played on both. Torch is imported only where a module of Torch's is played.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_lib import messages


class Playable:
    """Marks the NumPy reference of a Torch class: its own methods answer what `ask` asks."""


def ask(net: Any, request: str, *args: Any) -> Any:
    """One request to a network.

    Args:
        net: a `torch.nn.Module`, or a `Playable`.
        request: `shapes`, `load`, `outputs`, `gradients` or `fitted`; see the functions below.
        *args: arrays and numbers; arrays may be Torch tensors.

    Returns:
        Plain data: arrays, texts, lists of them, or None.

    Raises:
        TypeError: `net` is no module.
        ValueError: its parameters do not fit, or one gets no gradient.
    """
    if isinstance(net, Playable):
        return getattr(net, request)(*args)
    if not isinstance(net, importlib.import_module("torch").nn.Module):
        raise TypeError(messages.NOT_A_MODULE.format(kind=type(net).__name__))
    return _REQUESTS[request](net, *args)


def check_weights(shapes: list[tuple[int, ...]], weights: tuple[Any, ...]) -> None:
    """Raises `ValueError`, which names the first parameter that does not fit."""
    if len(shapes) != len(weights):
        raise ValueError(messages.MODULE_COUNT.format(received=len(shapes), expected=len(weights)))
    for number, (shape, given) in enumerate(zip(shapes, weights, strict=True), 1):
        if shape != tuple(given.shape):
            facts = {"number": number, "received": shape, "expected": tuple(given.shape)}
            raise ValueError(messages.MODULE_SHAPE.format(**facts))


def shapes_in_words(shapes: list[tuple[int, ...]]) -> str:
    """How many parameter arrays there are, and the shape of each, in order.

    >>> shapes_in_words([(2, 3), (2,)])
    '2 arrays: (2, 3), (2,)'
    """
    return messages.MODULE_SHAPES.format(count=len(shapes), shapes=", ".join(map(str, shapes)))


def _shapes(net: Any) -> str:
    return shapes_in_words([tuple(parameter.shape) for parameter in net.parameters()])


def _load(net: Any, *weights: Any) -> None:
    """Sets all parameters, in order; the module takes their dtype."""
    torch = sys.modules["torch"]
    parameters = list(net.parameters())
    check_weights([tuple(parameter.shape) for parameter in parameters], weights)
    with torch.no_grad():
        for parameter, given in zip(parameters, weights, strict=True):
            parameter.data = torch.as_tensor(given).clone()
    # Buffers such as running means follow.
    net.to(parameters[0].dtype)


def _outputs(net: Any, x: Any, train: bool) -> np.ndarray:
    """What it answers, in training or in evaluation mode."""
    torch = sys.modules["torch"]
    net.train(train)
    with torch.no_grad():
        return _array(net(torch.as_tensor(x)))


def _gradients(net: Any, x: Any, dout: Any) -> list[np.ndarray]:
    """The gradient of every parameter, in order, of a pass in training mode."""
    torch = sys.modules["torch"]
    net.train()
    net.zero_grad()
    net(torch.as_tensor(x)).backward(torch.as_tensor(dout))
    return [_gradient(number, parameter) for number, parameter in enumerate(net.parameters(), 1)]


def _gradient(number: int, parameter: Any) -> np.ndarray:
    if parameter.grad is None:
        raise ValueError(messages.MODULE_NO_GRADIENT.format(number=number, shape=tuple(parameter.shape)))
    return _array(parameter.grad)


def _fitted(net: Any, x: Any, labels: Any, steps: int, lr: float) -> list[np.ndarray]:
    """All parameters, in order, after some steps of Adam on one batch, in training mode."""
    torch = sys.modules["torch"]
    inputs, targets = torch.as_tensor(x), torch.as_tensor(labels)
    adam, loss = torch.optim.Adam(net.parameters(), lr=lr), torch.nn.CrossEntropyLoss()
    net.train()
    for _ in range(steps):
        adam.zero_grad()
        loss(net(inputs), targets).backward()
        adam.step()
    return [_array(parameter) for parameter in net.parameters()]


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()


_REQUESTS: Mapping[str, Callable[..., Any]] = {
    "shapes": _shapes, "load": _load, "outputs": _outputs, "gradients": _gradients, "fitted": _fitted,
}  # fmt: skip
