"""The text CNN as a whole: what the Torch class of lesson 09 does, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.numpy_kernels._playable import NumpyModule
from course_lib.numpy_kernels.activations import relu_backward, relu_forward
from course_lib.numpy_kernels.conv1d import conv1d_backward, conv1d_forward
from course_lib.numpy_kernels.embedding import (
    embedding_backward,
    embedding_forward,
    max_over_time_backward,
    max_over_time_forward,
)
from course_lib.numpy_kernels.linear import affine_backward, affine_forward


class TextCNN(NumpyModule):
    """Scores of the classes of texts: embedding, filters of several widths, ReLU, maximum over time, dropout, dense.

    Texts are integers, (N, L); padding is 0 and stands at the end. Windows count as in `text_cnn_forward`.

    Args:
        words: how many words have a vector, V.
        dim: length of a vector, D.
        filters: how many filters of each width, M.
        widths: how many words a filter covers.
        classes: how many scores.
        p: probability to drop a feature, in training mode.

    Raises:
        ValueError: when weights are loaded that do not fit, or a filter is wider than the texts.

    Source: Kim (2014).

    >>> TextCNN(5, dim=2, filters=3, widths=(2,), classes=4).shapes()
    '5 arrays: (5, 2), (3, 2, 2), (3,), (4, 3), (4,)'
    """

    def __init__(
        self,
        words: int,
        dim: int = 16,
        filters: int = 8,
        widths: Sequence[int] = (2, 3, 4),
        classes: int = 2,
        p: float = 0.5,
    ) -> None:
        convolutions = [shape for width in widths for shape in ((filters, dim, width), (filters,))]
        super().__init__((words, dim), *convolutions, (classes, filters * len(widths)), (classes,))
        self.p = p
        self.rng = np.random.default_rng(0)

    def forward(self, x: np.ndarray, train: bool) -> tuple[np.ndarray, Any]:
        """The scores, (N, classes), and a cache."""
        embedding, *convolutions, w, b = self.parameters
        vectors, embedded = embedding_forward(x, embedding)
        features, caches = [], []
        for windows, bias in zip(convolutions[::2], convolutions[1::2], strict=True):
            answers, convolved = conv1d_forward(vectors, windows, bias)
            positive, gate = relu_forward(answers)
            mask = x[:, windows.shape[2] - 1 :] != 0
            mask[:, 0] = True
            strongest, places = max_over_time_forward(positive, mask)
            features.append(strongest)
            caches.append((convolved, gate, places))
        scale = self._scale(len(x), w.shape[1]) if train else 1.0
        out, dense = affine_forward(np.concatenate(features, axis=1) * scale, w, b)
        return out, (embedded, caches, scale, dense)

    def _scale(self, n: int, features: int) -> np.ndarray:
        """0 where a feature is dropped, 1 / (1 - p) elsewhere; with p of 1 all are dropped."""
        kept = self.rng.random((n, features)) >= self.p
        return kept / max(1 - self.p, np.finfo(float).tiny)

    def backward(self, dout: np.ndarray, cache: Any) -> list[np.ndarray]:
        """The gradient of every parameter, in order."""
        embedded, caches, scale, dense = cache
        dfeatures, dw, db = affine_backward(dout, dense)
        parts = np.split(dfeatures * scale, len(caches), axis=1)
        dvectors, convolutions = 0.0, []
        for part, (convolved, gate, places) in zip(parts, caches, strict=True):
            danswers = relu_backward(max_over_time_backward(part, places), gate)
            dx, *grads = conv1d_backward(danswers, convolved)
            dvectors = dvectors + dx
            convolutions += grads
        return [embedding_backward(dvectors, embedded), *convolutions, dw, db]
