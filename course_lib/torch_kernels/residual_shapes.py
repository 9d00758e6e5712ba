"""ResNet-18 built from Torch's own layers, which take no memory here, and looked at.

Shapes, names and errors as in `course_lib.numpy_kernels.residual_shapes`.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from course_lib.validate import check_count
from course_lib.validate_layers import Table, check_image_shape


def resnet18_shapes(shape: tuple[int, int, int] = (3, 224, 224), classes: int = 1000) -> Table:
    """Output shape and parameters of every block of ResNet-18, read off real layers and what they make of an image.

    Args:
        shape: of one image, (C, H, W).
        classes: units of the dense layer, at least 1.

    Returns:
        One row (name, output shape, parameters) per block, the shape as (C, H, W) or (D,).

    >>> sum(parameters for _, _, parameters in resnet18_shapes())
    11689512
    """
    sizes, units = check_image_shape(shape), check_count("classes", classes, least=1)
    rows = []
    with torch.device("meta"), torch.no_grad():
        flow = torch.empty(1, *sizes)
        for name, layer in _layers(sizes[0], units):
            # Training mode would refuse a channel with a single value.
            flow = layer.eval()(flow)
            rows.append((name, tuple(flow.shape[1:]), sum(number.numel() for number in layer.parameters())))
    return rows


def _layers(channels: int, classes: int) -> Iterator[tuple[str, nn.Module]]:
    yield "conv1", _conv(channels, 64, 7, stride=2)
    yield "pool1", nn.MaxPool2d(3, 2, padding=1)
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            yield f"stage{stage}.{block}", _Block(inputs, outputs)
            inputs = outputs
    yield "mean", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    yield "fc", nn.Linear(inputs, classes)


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.branch = nn.Sequential(_conv(inputs, outputs, 3, stride), nn.ReLU(), _conv(outputs, outputs, 3))
        self.shortcut = nn.Identity() if stride == 1 else _conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs))
