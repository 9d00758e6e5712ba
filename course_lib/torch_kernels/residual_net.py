"""A small residual network as a Torch module; parameters in the order of `course_lib.numpy_kernels.residual_net`."""

from __future__ import annotations

from torch import Tensor, nn


class ResNetSmall(nn.Module):
    """Scores of the classes of grey images: a stem, block A, block B, global average, dense.

    Args:
        width: channels of the stem and of block A; block B has twice as many.
        classes: how many scores.

    >>> sum(parameter.numel() for parameter in ResNetSmall().parameters())
    5122
    """

    def __init__(self, width: int = 8, classes: int = 10) -> None:
        super().__init__()
        self.stem = _layer(1, width)
        self.a = nn.Sequential(_layer(width, width), nn.ReLU(), _layer(width, width))
        self.b = nn.Sequential(_layer(width, 2 * width, stride=2), nn.ReLU(), _layer(2 * width, 2 * width))
        self.shortcut = _layer(width, 2 * width, kernel=1, stride=2)
        self.dense = nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The scores, (N, classes), of images, (N, 1, H, W)."""
        x = self.stem(x).relu()
        x = (x + self.a(x)).relu()
        x = (self.shortcut(x) + self.b(x)).relu()
        return self.dense(x.mean(dim=(2, 3)))


def _layer(channels: int, filters: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters))
