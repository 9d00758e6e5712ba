"""Costs and sights of convolutional networks, read off real Torch layers that take no memory.

Shapes, names and errors as in `course_lib.numpy_kernels.architecture`.
"""

# ruff: noqa: PLR0913 - a convolution on an image is described by eight numbers.
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_lib.validate import check_count
from course_lib.validate_layers import (
    Table,
    check_groups,
    check_image_shape,
    check_layer_fits,
    check_named_layers,
    check_window_layers,
)
from course_lib.windows import Pair, check_windows


def receptive_field(layers: Sequence[tuple[int, int, int]]) -> int:
    """How many entries of the input one number of the last layer depends on, spread back by transposed convolutions.

    Args:
        layers: (kernel, stride, dilation) of convolutions and poolings, from the input on; may be empty.

    Returns:
        The number of entries; 1 for no layers.

    >>> receptive_field([(3, 1, 1), (3, 1, 1)])
    5
    """
    seen = torch.empty(1, 1, 1, device="meta")
    for kernel, stride, dilation in reversed(check_window_layers(layers)):
        seen = functional.conv_transpose1d(
            seen, torch.empty(1, 1, kernel, device="meta"), stride=stride, dilation=dilation
        )
    return seen.shape[2]


def count_conv(
    channels: int,
    filters: int,
    kernel: int | Pair,
    height: int,
    width: int,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    groups: int = 1,
) -> tuple[int, int, int]:
    """Parameters, multiply-adds and output numbers of `torch.nn.Conv2d` on one image.

    Args:
        channels: of the image.
        filters: channels of the output.
        kernel: size of a filter, an integer or a pair (height, width).
        height: rows of the image.
        width: columns of the image.
        stride: an integer or a pair.
        padding: an integer or a pair.
        groups: the channels are cut into so many groups.

    Returns:
        The three numbers.

    >>> count_conv(3, 96, 11, 227, 227, stride=4)
    (34944, 105415200, 290400)
    """
    channels, filters = check_count("channels", channels, least=1), check_count("filters", filters, least=1)
    height, width = check_count("height", height, least=1), check_count("width", width, least=1)
    windows = check_windows((height, width), kernel, stride, padding, 1)
    groups = check_groups(groups, channels, filters)
    layer = nn.Conv2d(channels, filters, *windows, groups, device="meta")
    out = layer(torch.empty(1, channels, height, width, device="meta"))
    return _learned(layer), out.numel() * layer.weight[0].numel(), out.numel()


def alexnet_table(layers: Sequence[tuple[Any, ...]], shape: tuple[int, int, int] = (3, 227, 227)) -> Table:
    """Output shape and parameters of every layer, from real layers and the shapes that they make.

    Args:
        layers: ``(name, "conv", filters, kernel, stride, padding)``, ``(name, "pool", kernel, stride)`` or
            ``(name, "dense", units)``, from the input on.
        shape: of one image, (C, H, W).

    Returns:
        One row (name, output shape, parameters) per layer, the shape as (C, H, W) or (D,).

    >>> alexnet_table([("conv1", "conv", 96, 11, 4, 0)])
    [('conv1', (96, 55, 55), 34944)]
    """
    rows, flow = [], torch.empty(1, *check_image_shape(shape), device="meta")
    for name, kind, numbers in check_named_layers(layers):
        layer = _layer(name, kind, numbers, flow)
        flow = layer(flow)
        rows.append((name, tuple(flow.shape[1:]), _learned(layer)))
    return rows


def _layer(name: str, kind: str, numbers: tuple[int, ...], flow: Tensor) -> nn.Module:
    """The module that an entry of the list stands for."""
    shape = tuple(flow.shape[1:])
    if kind == "dense":
        return nn.Sequential(nn.Flatten(), nn.Linear(flow[0].numel(), *numbers, device="meta"))
    if kind == "pool":
        check_layer_fits(name, shape, numbers[0])
        return nn.MaxPool2d(*numbers)
    filters, kernel, stride, padding = numbers
    check_layer_fits(name, shape, kernel, padding)
    return nn.Conv2d(shape[0], filters, kernel, stride, padding, device="meta")


def _learned(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())
