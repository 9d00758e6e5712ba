"""What a convolutional network costs and sees, by formula: before a single weight exists."""

# ruff: noqa: PLR0913 - a convolution on an image is described by eight numbers.
from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from course_lib.numpy_kernels.conv2d import conv_output_size
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
    """How many entries of the input, along one axis, one number of the last layer depends on.

    Each layer widens the field by ``dilation * (kernel - 1)`` of its own steps; one step is as long as the product
    of all strides before it.

    Args:
        layers: (kernel, stride, dilation) of convolutions and poolings, from the input on; may be empty.

    Returns:
        The number of entries; 1 for no layers.

    Raises:
        TypeError: no list of tuples of integers.
        ValueError: an entry of another length, or a number below 1.

    Source: Luo, Li, Urtasun and Zemel (2016); Araujo, Norris and Sim (2019).

    >>> receptive_field([(3, 1, 1), (3, 1, 1)]), receptive_field([(3, 2, 1), (3, 1, 2)])
    (5, 11)
    """
    field = jump = 1
    for kernel, stride, dilation in check_window_layers(layers):
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field


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
    """Parameters, multiply-adds and output numbers of a convolution with biases on one image.

    ``filters * (channels / groups * kh * kw + 1)`` parameters; ``filters * H' * W'`` output numbers, each of which
    takes ``channels / groups * kh * kw`` multiplications with an addition. The biases' additions are not counted.

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

    Raises:
        TypeError: an argument is no integer.
        ValueError: an argument is too small, no window fits, or groups does not divide the channels.

    Source: counting; as in Szegedy et al. (2015).

    >>> count_conv(3, 96, 11, 227, 227, stride=4)
    (34944, 105415200, 290400)
    """
    channels, filters = check_count("channels", channels, least=1), check_count("filters", filters, least=1)
    height, width = check_count("height", height, least=1), check_count("width", width, least=1)
    windows = check_windows((height, width), kernel, stride, padding, 1)
    groups = check_groups(groups, channels, filters)
    weights = channels // groups * prod(windows.kernel)
    axes = zip((height, width), *windows, strict=True)
    outputs = filters * prod(conv_output_size(*axis) for axis in axes)
    return filters * (weights + 1), outputs * weights, outputs


def alexnet_table(layers: Sequence[tuple[Any, ...]], shape: tuple[int, int, int] = (3, 227, 227)) -> Table:
    """Output shape and parameters of every layer of a network such as AlexNet.

    A convolution makes one channel per filter; pooling keeps the channels and has nothing to learn; the first dense
    layer takes in everything as one row. Convolutions and dense layers have biases.

    Args:
        layers: ``(name, "conv", filters, kernel, stride, padding)``, ``(name, "pool", kernel, stride)`` or
            ``(name, "dense", units)``, from the input on.
        shape: of one image, (C, H, W).

    Returns:
        One row (name, output shape, parameters) per layer, the shape as (C, H, W) or (D,).

    Raises:
        TypeError: no list of tuples, or what should be an integer is none.
        ValueError: an unknown kind, a number that is too small, or a layer that does not fit what comes in.

    Source: Krizhevsky, Sutskever and Hinton (2012), in one tower.

    >>> alexnet_table([("conv1", "conv", 96, 11, 4, 0), ("pool1", "pool", 3, 2), ("fc", "dense", 10)])
    [('conv1', (96, 55, 55), 34944), ('pool1', (96, 27, 27), 0), ('fc', (10,), 699850)]
    """
    rows, inside = [], tuple(check_image_shape(shape))
    for name, kind, numbers in check_named_layers(layers):
        inside, parameters = _layer(name, kind, numbers, inside)
        rows.append((name, inside, parameters))
    return rows


def _layer(name: str, kind: str, numbers: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """What comes out of a layer, and what it has to learn."""
    if kind == "dense":
        (units,) = numbers
        return (units,), units * (prod(shape) + 1)
    if kind == "pool":
        (kernel, stride), filters, padding = numbers, shape[0], 0
    else:
        filters, kernel, stride, padding = numbers
    check_layer_fits(name, shape, kernel, padding)
    size = tuple(conv_output_size(entries, kernel, stride, padding) for entries in shape[1:])
    return (filters, *size), filters * (shape[0] * kernel**2 + 1) if kind == "conv" else 0
