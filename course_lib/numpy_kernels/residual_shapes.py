"""ResNet-18 on paper: what comes out of every block and how much it has to learn."""

from __future__ import annotations

from course_lib.numpy_kernels.conv2d import conv_output_size
from course_lib.validate import check_count
from course_lib.validate_layers import Table, check_image_shape

_CHANNELS = (64, 128, 256, 512)


def resnet18_shapes(shape: tuple[int, int, int] = (3, 224, 224), classes: int = 1000) -> Table:
    """Output shape and parameters of every block of ResNet-18.

    A 7 x 7 convolution with stride 2 and padding 3 to 64 channels, 3 x 3 max pooling with stride 2 and padding 1, four
    stages of two blocks with 64, 128, 256 and 512 channels, a mean over all pixels, a dense layer. A block is two 3 x 3
    convolutions with padding 1; the first one of stages 2, 3 and 4 has stride 2, and there the shortcut is a 1 x 1
    convolution. Convolutions have no biases; a batch normalisation with a scale and a shift per channel follows each,
    also in the shortcut. The dense layer has biases.

    Args:
        shape: of one image, (C, H, W).
        classes: units of the dense layer, at least 1.

    Returns:
        One row (name, output shape, parameters) each for ``conv1``, ``pool1``, ``stage1.1``, ``stage1.2``, ...
        ``stage4.2``, ``mean`` and ``fc``; the shape as (C, H, W), of the last two as (D,).

    Raises:
        TypeError: no tuple of integers, or `classes` is none.
        ValueError: a size is below 1, or there are not three.

    Source: He, Zhang, Ren and Sun (2016), table 1, with projections where the shape changes.

    >>> rows = resnet18_shapes()
    >>> rows[1], rows[4]
    (('pool1', (64, 56, 56), 0), ('stage2.1', (128, 28, 28), 230144))
    >>> sum(parameters for _, _, parameters in rows)
    11689512
    """
    inputs, *size = check_image_shape(shape)
    units = check_count("classes", classes, least=1)
    size = _slide(size, 7, 3)
    rows = [("conv1", (64, *size), _conv(inputs, 64, 7))]
    size = _slide(size, 3, 1)
    rows.append(("pool1", (64, *size), 0))
    inputs = 64
    for stage, channels in enumerate(_CHANNELS, start=1):
        for block in (1, 2):
            parameters = _conv(inputs, channels, 3) + _conv(channels, channels, 3)
            if inputs != channels:
                parameters += _conv(inputs, channels, 1)
                size = _slide(size, 3, 1)
            rows.append((f"stage{stage}.{block}", (channels, *size), parameters))
            inputs = channels
    return [*rows, ("mean", (inputs,), 0), ("fc", (units,), units * (inputs + 1))]


def _slide(size: list[int], kernel: int, padding: int) -> list[int]:
    return [conv_output_size(entries, kernel, 2, padding) for entries in size]


def _conv(inputs: int, outputs: int, kernel: int) -> int:
    """A convolution without biases, and the scale and shift behind it."""
    return outputs * inputs * kernel**2 + 2 * outputs
