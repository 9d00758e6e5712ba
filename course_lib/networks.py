"""Networks that made history, as descriptions for `course_lib.counting`."""

from __future__ import annotations

from course_lib.layers import (
    AvgPool2d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Tanh,
)

Network = tuple[Layer, ...]


def lenet5(classes: int = 10) -> Network:
    """LeNet-5 for images (1, 32, 32), every filter of the second layer connected to all channels.

    Source: LeCun et al. (1998), whose second layer is sparser.

    >>> from course_lib.counting import count
    >>> count(lenet5(), (1, 32, 32)).parameters
    61706
    """
    return (
        Conv2d(6, 5, name="conv1"), Tanh(), AvgPool2d(2, name="pool1"),
        Conv2d(16, 5, name="conv2"), Tanh(), AvgPool2d(2, name="pool2"), Flatten(),
        Linear(120, name="fc1"), Tanh(), Linear(84, name="fc2"), Tanh(), Linear(classes, name="fc3"),
    )  # fmt: skip


def alexnet(classes: int = 1000) -> Network:
    """AlexNet in one tower, for images (3, 224, 224).

    Source: Krizhevsky, Sutskever and Hinton (2012), who split it over two devices.

    >>> from course_lib.counting import count
    >>> count(alexnet(), (3, 224, 224)).parameters
    62378344
    """
    return (
        Conv2d(96, 11, stride=4, padding=2, name="conv1"), ReLU(), MaxPool2d(3, 2, name="pool1"),
        Conv2d(256, 5, padding=2, name="conv2"), ReLU(), MaxPool2d(3, 2, name="pool2"),
        Conv2d(384, 3, padding=1, name="conv3"), ReLU(),
        Conv2d(384, 3, padding=1, name="conv4"), ReLU(),
        Conv2d(256, 3, padding=1, name="conv5"), ReLU(), MaxPool2d(3, 2, name="pool3"), Flatten(),
        Dropout(), Linear(4096, name="fc1"), ReLU(),
        Dropout(), Linear(4096, name="fc2"), ReLU(), Linear(classes, name="fc3"),
    )  # fmt: skip


def inception_module(reduced: bool = True) -> Network:
    """One Inception module for maps (256, 28, 28), without biases: four branches, 480 channels.

    Args:
        reduced: are there 1x1 convolutions before the wide ones? Without them it is the naive module.

    Source: Szegedy et al. (2015), with the sizes of a well-known exam question.

    >>> from course_lib.counting import count
    >>> [f"{count(inception_module(reduced), (256, 28, 28)).multiply_adds:,}" for reduced in (True, False)]
    ['271,351,808', '854,196,224']
    """

    def branch(*layers: Layer) -> Network:
        return layers if reduced else tuple(layer for layer in layers if not layer.name.startswith("reduce"))

    return (
        Concat((
            (Conv2d(128, 1, bias=False, name="conv1"),),
            branch(
                Conv2d(64, 1, bias=False, name="reduce3"), Conv2d(192, 3, padding=1, bias=False, name="conv3")
            ),
            branch(
                Conv2d(64, 1, bias=False, name="reduce5"), Conv2d(96, 5, padding=2, bias=False, name="conv5")
            ),
            branch(
                MaxPool2d(3, 1, padding=1, name="pool"), Conv2d(64, 1, bias=False, name="reduce pool")
            ),
        ), name="inception"),
    )  # fmt: skip


def resnet18(classes: int = 1000) -> Network:
    """ResNet-18 for images (3, 224, 224): a stem, four stages of two blocks, a mean, a dense layer.

    Source: He et al. (2016), with 1x1 convolutions where the shape changes.

    >>> from course_lib.counting import count
    >>> count(resnet18(), (3, 224, 224)).parameters
    11689512
    """
    stem = (
        Conv2d(64, 7, stride=2, padding=3, bias=False, name="conv1"), BatchNorm2d(), ReLU(), MaxPool2d(3, 2, padding=1)
    )  # fmt: skip
    stages = tuple(
        layer
        for stage, channels in enumerate((64, 128, 256, 512), start=1)
        for block in (1, 2)
        for layer in _basic_block(channels, 2 if stage > 1 and block == 1 else 1, f"stage{stage}.{block}")
    )
    return (*stem, *stages, GlobalAvgPool2d(), Flatten(), Linear(classes, name="fc"))


def _basic_block(channels: int, stride: int, name: str) -> Network:
    body = (
        Conv2d(channels, 3, stride=stride, padding=1, bias=False), BatchNorm2d(), ReLU(),
        Conv2d(channels, 3, padding=1, bias=False), BatchNorm2d(),
    )  # fmt: skip
    shortcut = (Conv2d(channels, 1, stride=stride, bias=False), BatchNorm2d()) if stride > 1 else ()
    return Residual(body, shortcut, name=name), ReLU()
