"""What the tests of both whole networks share: one network in NumPy and in Torch, with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from course_lib import numpy_kernels, torch_kernels
from course_lib.modules import ask

Settings = dict[str, Any]


def loaded(package: Any, name: str, settings: Settings, seed: int) -> Any:
    """A network of one package with drawn weights; the same seed draws the same in both."""
    net = getattr(package, name)(**settings)
    rng = np.random.default_rng(seed)
    shapes = [tuple(item.shape) for item in getattr(torch_kernels, name)(**settings).parameters()]
    ask(net, "load", *(rng.normal(size=shape) for shape in shapes))
    return net


def assert_one_network(name: str, settings: Settings, x: np.ndarray) -> None:
    """Both references, given the same weights, agree in everything that can be asked; three classes."""
    ours, theirs = (loaded(package, name, settings, 1) for package in (numpy_kernels, torch_kernels))
    rng = np.random.default_rng(2)
    dout, labels = rng.normal(size=(len(x), 3)), rng.integers(0, 3, len(x))
    for train in (False, True, False):
        np.testing.assert_allclose(ask(ours, "outputs", x, train), ask(theirs, "outputs", x, train), atol=1e-12)
    for request, args in (("gradients", (x, dout)), ("fitted", (x, labels, 3, 0.01))):
        for one, other in zip(ask(ours, request, *args), ask(theirs, request, *args), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)
    assert ask(ours, "shapes") == ask(theirs, "shapes")


def assert_gradients_are_slopes(name: str, settings: Settings, x: np.ndarray) -> None:
    """One entry of every NumPy gradient agrees with a central difference of the scores in training mode."""
    net, rng = loaded(numpy_kernels, name, settings, 3), np.random.default_rng(4)
    dout = rng.normal(size=(len(x), 3))
    for weights, grad in zip(net.parameters, ask(net, "gradients", x, dout), strict=True):
        place = tuple(rng.integers(0, size) for size in weights.shape)
        kept, h, values = weights[place], 1e-6, []
        for moved in (kept + h, kept - h):
            weights[place] = moved
            values.append((ask(net, "outputs", x, True) * dout).sum())
        weights[place] = kept
        assert grad[place] == pytest.approx((values[0] - values[1]) / (2 * h), abs=1e-5)
