"""One training step of LeNet-5 and of a small residual network, the same definition for NumPy and for Torch.

A network is a function of operations, an input and its parameters. `NumpySteps` gives it our kernels and remembers
them for the way back; `TorchSteps` gives it Torch's own functions and leaves the way back to autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from course_lib import numpy_kernels

Shape = tuple[int, ...]
Step = Callable[[], float]
LENET_SHAPES: list[Shape] = [
    *((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,)),
    *((120, 400), (120,), (84, 120), (84,), (10, 84), (10,)),
]
STAGES = (16, 32, 64)
BLOCKS = 3


class NumpySteps:
    """Our kernels, with a list of what was called: the gradients are found by walking it backwards."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], Any, tuple[np.ndarray, ...], np.ndarray]] = []

    def conv(self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None, **options: int) -> np.ndarray:
        """A convolution; without a bias where batch normalisation follows."""
        arrays = (x, w) if b is None else (x, w, b)
        out, cache = numpy_kernels.conv2d_forward(*arrays, **options)
        # As autograd does, spare the gradient of what enters the network.
        backward = partial(numpy_kernels.conv2d_backward, input_gradient=bool(self._calls))
        return self._remember(backward, cache, arrays, out)

    def norm(self, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
        """Batch normalisation in training mode; the running estimates are made, and not used."""
        zeros, ones = np.zeros_like(beta), np.ones_like(beta)
        return self._call("batchnorm2d", x, gamma, beta, running_mean=zeros, running_var=ones)

    def relu(self, x: np.ndarray) -> np.ndarray:
        """The rectifier."""
        return self._call("relu", x)

    def pool(self, x: np.ndarray) -> np.ndarray:
        """Maximum of 2 x 2."""
        return self._call("maxpool2d", x, kernel=2)

    def average(self, x: np.ndarray) -> np.ndarray:
        """The mean of every channel."""
        return self._call("global_avgpool2d", x)

    def dense(self, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        """A dense layer."""
        out, cache = numpy_kernels.affine_forward(x, w, b)
        return self._remember(numpy_kernels.affine_backward, cache, (x, w, b), out)

    def add(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Where a shortcut ends."""
        return self._remember(lambda dout, _: (dout, dout), None, (x, y), x + y)

    def flatten(self, x: np.ndarray) -> np.ndarray:
        """Images as rows."""
        return self._remember(lambda dout, _: dout.reshape(x.shape), None, (x,), x.reshape(len(x), -1))

    def gradients(self, dout: np.ndarray, wanted: list[np.ndarray]) -> list[np.ndarray]:
        """The gradients of some of the arrays that went in, from that of the last output; only once."""
        found = {id(self._calls[-1][3]): dout}
        while self._calls:
            # Taken off the list, what a layer kept is freed as soon as its gradient is known, as Torch does it.
            backward, cache, inputs, out = self._calls.pop()
            grads = backward(found.pop(id(out)), cache)
            for array, grad in zip(inputs, grads if isinstance(grads, tuple) else (grads,), strict=True):
                if grad is not None:
                    found[id(array)] = found[id(array)] + grad if id(array) in found else grad
        return [found[id(array)] for array in wanted]

    def _call(self, layer: str, *arrays: np.ndarray, **options: Any) -> np.ndarray:
        forward, backward = (getattr(numpy_kernels, f"{layer}_{way}") for way in ("forward", "backward"))
        out, cache = forward(*arrays, **options)[:2]
        return self._remember(backward, cache, arrays, out)

    def _remember(self, backward: Any, cache: Any, inputs: tuple[np.ndarray, ...], out: np.ndarray) -> np.ndarray:
        self._calls.append((backward, cache, inputs, out))
        return out


class TorchSteps:
    """Torch's own functions."""

    conv = staticmethod(functional.conv2d)
    relu = staticmethod(functional.relu)
    dense = staticmethod(functional.linear)
    add = staticmethod(torch.add)

    def norm(self, x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        """Batch normalisation in training mode; the running estimates are made, and not used."""
        zeros, ones = torch.zeros(len(beta)), torch.ones(len(beta))
        return functional.batch_norm(x, zeros, ones, gamma, beta, training=True)

    def pool(self, x: torch.Tensor) -> torch.Tensor:
        """Maximum of 2 x 2."""
        return functional.max_pool2d(x, 2)

    def average(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of every channel."""
        return x.mean(dim=(2, 3))

    def flatten(self, x: torch.Tensor) -> torch.Tensor:
        """Images as rows."""
        return x.flatten(1)


def lenet(steps: Any, x: Any, parameters: Iterable[Any]) -> Any:
    """LeNet-5 on 28 x 28 digits, with rectifiers and maxima: ten scores."""
    p = iter(parameters)
    x = steps.pool(steps.relu(steps.conv(x, next(p), next(p), padding=2)))
    x = steps.pool(steps.relu(steps.conv(x, next(p), next(p))))
    x = steps.relu(steps.dense(steps.flatten(x), next(p), next(p)))
    x = steps.relu(steps.dense(x, next(p), next(p)))
    return steps.dense(x, next(p), next(p))


def resnet_shapes() -> list[Shape]:
    """The parameters of `resnet` in the order in which it takes them."""
    shapes: list[Shape] = [(16, 3, 3, 3), (16,), (16,)]
    before = 16
    for width in STAGES:
        for _ in range(BLOCKS):
            shapes += [(width, before, 3, 3), (width,), (width,), (width, width, 3, 3), (width,), (width,)]
            shapes += [(width, before, 1, 1), (width,), (width,)] if width != before else []
            before = width
    return [*shapes, (10, before), (10,)]


def resnet(steps: Any, x: Any, parameters: Iterable[Any]) -> Any:
    """A residual network of 20 layers on 32 x 32 colour images: ten scores."""
    p = iter(parameters)

    def normalised(x: Any, **options: int) -> Any:
        return steps.norm(steps.conv(x, next(p), **options), next(p), next(p))

    x = steps.relu(normalised(x, padding=1))
    for stage in range(len(STAGES)):
        for block in range(BLOCKS):
            narrows = stage > 0 and block == 0
            inner = steps.relu(normalised(x, stride=2 if narrows else 1, padding=1))
            inner = normalised(inner, padding=1)
            x = steps.relu(steps.add(inner, normalised(x, stride=2) if narrows else x))
    return steps.dense(steps.average(x), next(p), next(p))


def initial(shapes: list[Shape], rng: np.random.Generator) -> list[np.ndarray]:
    """Float32 parameters: normal weights, ones and zeros for scales, zeros for biases."""
    parameters = []
    for i, shape in enumerate(shapes):
        is_scale = len(shape) == 1 and len(shapes[i - 1]) == 4 and shapes[i + 1] == shape
        spread = (2 / np.prod(shape[1:])) ** 0.5
        values = rng.normal(size=shape) * spread if len(shape) > 1 else np.full(shape, is_scale)
        parameters.append(values.astype(np.float32))
    return parameters


def numpy_step(network: Any, x: np.ndarray, labels: np.ndarray, start: list[np.ndarray], lr: float) -> Step:
    """A function that takes one step of gradient descent with our kernels and returns the loss."""
    parameters = [parameter.copy() for parameter in start]

    def step() -> float:
        steps = NumpySteps()
        loss, cache = numpy_kernels.softmax_cross_entropy_forward(network(steps, x, parameters), labels)
        grads = steps.gradients(numpy_kernels.softmax_cross_entropy_backward(1.0, cache), parameters)
        for i, grad in enumerate(grads):
            parameters[i], _ = numpy_kernels.sgd_step(parameters[i], grad, None, lr)
        return float(loss)

    return step


def torch_step(network: Any, x: np.ndarray, labels: np.ndarray, start: list[np.ndarray], lr: float) -> Step:
    """The same with Torch's functions, autograd and `torch.optim.SGD`."""
    parameters = [torch.from_numpy(parameter.copy()).requires_grad_() for parameter in start]
    images, classes = torch.from_numpy(x), torch.from_numpy(labels)
    optimiser = torch.optim.SGD(parameters, lr=lr)

    def step() -> float:
        optimiser.zero_grad()
        loss = functional.cross_entropy(network(TorchSteps(), images, parameters), classes)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step
