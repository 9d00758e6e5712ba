"""What the NumPy references of Torch classes share: they are loaded, differentiated and trained alike."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from course_lib.modules import Playable, check_weights, shapes_in_words
from course_lib.numpy_kernels.classification import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from course_lib.numpy_kernels.optimisers import adam_step


class NumpyModule(Playable):
    """A network whose parameters are a list of arrays.

    Args:
        shapes: of all parameters, in the order in which the Torch class registers them.
    """

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        rng = np.random.default_rng(0)
        self.parameters: list[np.ndarray] = [rng.normal(size=shape) * 0.1 for shape in shapes]

    @abstractmethod
    def forward(self, x: np.ndarray, train: bool) -> tuple[np.ndarray, Any]:
        """The scores, (N, classes), and a cache."""

    @abstractmethod
    def backward(self, dout: np.ndarray, cache: Any) -> list[np.ndarray]:
        """The gradient of every parameter, in order."""

    def shapes(self) -> str:
        """How many parameter arrays there are, and the shape of each, in order."""
        return shapes_in_words([parameter.shape for parameter in self.parameters])

    def load(self, *weights: np.ndarray) -> None:
        """Sets all parameters, in order.

        Raises:
            ValueError: their number or a shape does not fit.
        """
        check_weights([parameter.shape for parameter in self.parameters], weights)
        self.parameters = [given.copy() for given in weights]

    def outputs(self, x: np.ndarray, train: bool) -> np.ndarray:
        """The scores, in training or in evaluation mode."""
        return self.forward(x, train)[0]

    def gradients(self, x: np.ndarray, dout: np.ndarray) -> list[np.ndarray]:
        """The gradient of every parameter, of a pass in training mode."""
        return self.backward(dout, self.forward(x, True)[1])

    def fitted(self, x: np.ndarray, labels: np.ndarray, steps: int, lr: float) -> list[np.ndarray]:
        """All parameters after some steps of Adam on one batch, in training mode."""
        states: list[Any] = [None] * len(self.parameters)
        for _ in range(steps):
            out, cache = self.forward(x, True)
            dout = softmax_cross_entropy_backward(1.0, softmax_cross_entropy_forward(out, labels)[1])
            grads = self.backward(dout, cache)
            for place, (parameter, grad) in enumerate(zip(self.parameters, grads, strict=True)):
                self.parameters[place], states[place] = adam_step(parameter, grad, states[place], lr)
        return self.parameters
