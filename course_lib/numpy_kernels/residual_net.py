"""A small residual network as a whole: what the Torch class of lesson 08 does, in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_lib.numpy_kernels._playable import NumpyModule
from course_lib.numpy_kernels.activations import relu_backward, relu_forward
from course_lib.numpy_kernels.batchnorm import batchnorm2d_backward, batchnorm2d_eval, batchnorm2d_forward
from course_lib.numpy_kernels.conv2d import conv2d_backward, conv2d_forward
from course_lib.numpy_kernels.linear import affine_backward, affine_forward
from course_lib.numpy_kernels.pooling import global_avgpool2d_backward, global_avgpool2d_forward

_LAYERS = ("stem", "first of A", "second of A", "first of B", "second of B", "shortcut of B")


class ResNetSmall(NumpyModule):
    """Scores of the classes of grey images, (N, 1, H, W): a stem, block A, block B, global average, dense.

    Stem: 3x3 convolution to `width` channels, batch normalisation, ReLU. Block A: two such layers, the second
    without its ReLU, plus the block's input; then ReLU. Block B: the same with twice the channels, where the first
    convolution has a stride of 2 and the shortcut is a 1x1 convolution with a stride of 2 and batch normalisation.
    Convolutions have no bias; 3x3 ones pad by 1.

    Args:
        width: channels of the stem and of block A.
        classes: how many scores.

    Raises:
        ValueError: when weights are loaded that do not fit, or in training mode a channel has only one value.

    Source: He, Zhang, Ren and Sun (2016), in small.

    >>> sum(parameter.size for parameter in ResNetSmall().parameters)
    5122
    """

    def __init__(self, width: int = 8, classes: int = 10) -> None:
        channels = ((1, width, 3), (width, width, 3), (width, width, 3), (width, 2 * width, 3),
                    (2 * width, 2 * width, 3), (width, 2 * width, 1))  # fmt: skip
        shapes = [shape for c, k, size in channels for shape in ((k, c, size, size), (k,), (k,))]
        super().__init__(*shapes, (classes, 2 * width), (classes,))
        self.running = {name: (np.zeros(k), np.ones(k)) for name, (_, k, _) in zip(_LAYERS, channels, strict=True)}

    def load(self, *weights: np.ndarray) -> None:
        """Sets all parameters, in order; the running estimates take their dtype."""
        super().load(*weights)
        dtype = weights[0].dtype
        self.running = {name: (mean.astype(dtype), var.astype(dtype)) for name, (mean, var) in self.running.items()}

    def forward(self, x: np.ndarray, train: bool) -> tuple[np.ndarray, Any]:
        """The scores, (N, classes), and a cache."""
        caches: dict[str, Any] = {}
        x = self._relu("stem", self._layer("stem", x, 1, train, caches), caches)
        branch = self._relu("first of A", self._layer("first of A", x, 1, train, caches), caches)
        x = self._relu("A", x + self._layer("second of A", branch, 1, train, caches), caches)
        branch = self._relu("first of B", self._layer("first of B", x, 2, train, caches), caches)
        shortcut = self._layer("shortcut of B", x, 2, train, caches)
        x = self._relu("B", shortcut + self._layer("second of B", branch, 1, train, caches), caches)
        pooled, caches["pool"] = global_avgpool2d_forward(x)
        out, caches["dense"] = affine_forward(pooled, *self.parameters[-2:])
        return out, caches

    def _layer(self, name: str, x: np.ndarray, stride: int, train: bool, caches: dict[str, Any]) -> np.ndarray:
        """A convolution and its batch normalisation."""
        w, gamma, beta = self.parameters[3 * _LAYERS.index(name) :][:3]
        out, convolved = conv2d_forward(x, w, None, stride, w.shape[2] // 2)
        if not train:
            return batchnorm2d_eval(out, gamma, beta, *self.running[name])
        out, normalised, *self.running[name] = batchnorm2d_forward(out, gamma, beta, *self.running[name])
        caches[name] = convolved, normalised
        return out

    @staticmethod
    def _relu(name: str, x: np.ndarray, caches: dict[str, Any]) -> np.ndarray:
        out, caches[f"relu {name}"] = relu_forward(x)
        return out

    def backward(self, dout: np.ndarray, cache: Any) -> list[np.ndarray]:
        """The gradient of every parameter, in order."""
        grads: dict[str, list[np.ndarray]] = {}

        def layer(name: str, dout: np.ndarray) -> np.ndarray:
            convolved, normalised = cache[name]
            dx, dgamma, dbeta = batchnorm2d_backward(dout, normalised)
            dx, dw = conv2d_backward(dx, convolved)
            grads[name] = [dw, dgamma, dbeta]
            return dx

        def relu(name: str, dout: np.ndarray) -> np.ndarray:
            return relu_backward(dout, cache[f"relu {name}"])

        dx, *dense = affine_backward(dout, cache["dense"])
        dx = relu("B", global_avgpool2d_backward(dx, cache["pool"]))
        dx = layer("shortcut of B", dx) + layer("first of B", relu("first of B", layer("second of B", dx)))
        dx = relu("A", dx)
        dx = dx + layer("first of A", relu("first of A", layer("second of A", dx)))
        layer("stem", relu("stem", dx))
        return [*(grad for name in _LAYERS for grad in grads[name]), *dense]
