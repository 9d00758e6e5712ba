"""The text CNN as a Torch module; parameters in the order of `course_lib.numpy_kernels.text_net`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib.torch_kernels.textcnn import text_cnn_forward


class TextCNN(nn.Module):
    """Scores of the classes of texts, by Torch's own layers.

    Args:
        words: how many words have a vector.
        dim: length of a vector.
        filters: how many filters of each width.
        widths: how many words a filter covers.
        classes: how many scores.
        p: probability to drop a feature, in training mode.

    >>> TextCNN(5)(torch.tensor([[1, 2, 3, 4, 0]])).shape
    torch.Size([1, 2])
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
        super().__init__()
        self.embedding = nn.Embedding(words, dim)
        self.convolutions = nn.ModuleList(nn.Conv1d(dim, filters, width) for width in widths)
        self.dropout = nn.Dropout(p)
        self.dense = nn.Linear(filters * len(widths), classes)

    def forward(self, ids: Tensor) -> Tensor:
        """The scores, (N, classes), of texts, (N, L)."""
        layers = list(self.convolutions)
        identity = torch.eye(self.dense.in_features, dtype=self.dense.weight.dtype, device=ids.device)
        windows, biases = [layer.weight for layer in layers], [layer.bias for layer in layers]
        features = text_cnn_forward(ids, self.embedding.weight, windows, biases, identity, identity[0] * 0)
        return self.dense(self.dropout(features))
