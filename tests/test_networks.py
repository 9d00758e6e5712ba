"""The networks that made history: their published totals, each also counted on real Torch modules."""

from __future__ import annotations

import pytest
from test_counting import assert_counted_right

from course_lib import networks
from course_lib.counting import count

IMAGE = (3, 224, 224)


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("lenet5", (1, 32, 32), 61_706),
        ("alexnet", IMAGE, 62_378_344),
        ("resnet18", IMAGE, 11_689_512),
    ],
)
def test_parameters_as_published(name, shape, parameters):
    """The known totals, and those of the same network in Torch."""
    assert assert_counted_right(getattr(networks, name)(), shape).parameters == parameters


def test_alexnet_layer_by_layer():
    """The sizes that the course notes get wrong, and the shares of the dense layers."""
    counted = count(networks.alexnet(), IMAGE)
    assert [counted[name].shape for name in ("conv1", "conv2", "pool2", "pool3")] == [
        (96, 55, 55), (256, 27, 27), (256, 13, 13), (256, 6, 6)
    ]  # fmt: skip
    dense = [counted[name].parameters for name in ("fc1", "fc2", "fc3")]
    assert round(100 * sum(dense) / counted.parameters, 1) == 94.0
    assert round(100 * dense[0] / counted.parameters, 1) == 60.5
    assert counted["pool3"].field == (195, 195)


def test_dense_layers_see_the_whole_image():
    """LeNet's first dense layer depends on exactly the 32 x 32 pixels, and so does everything after it."""
    counted = count(networks.lenet5(), (1, 32, 32))
    assert counted["pool2"].field == (16, 16)
    assert counted["fc1"].field == counted["fc3"].field == (32, 32)


def test_inception_rows():
    """The six convolutions of the exam, their sum, the sum with one row twice, and the naive module."""
    counted = assert_counted_right(networks.inception_module(), (256, 28, 28))
    costs = [row.multiply_adds for row in counted.rows if row.multiply_adds]
    assert sorted(costs) == [12_845_056] * 3 + [25_690_112, 86_704_128, 120_422_400]
    assert sum(costs) == counted.multiply_adds == 271_351_808
    assert counted.multiply_adds + counted["inception.2.conv3"].multiply_adds == 358_055_936
    assert assert_counted_right(networks.inception_module(False), (256, 28, 28)).multiply_adds == 854_196_224
    assert counted.rows[-1].shape == (480, 28, 28)


def test_resnet18_stages():
    """Each stage halves the image and doubles the channels; the last one sees 435 pixels."""
    counted = count(networks.resnet18(), IMAGE)
    assert [counted[f"stage{k}.2.add"].shape for k in (1, 2, 3, 4)] == [
        (64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)
    ]  # fmt: skip
    assert counted["stage4.2.add"].field == (435, 435)
    assert counted.multiply_adds == 1_814_073_344


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "resnet18"])
def test_number_of_classes_changes_the_last_layer_only(name):
    """With 7 classes only the last dense layer shrinks."""
    shape = (1, 32, 32) if name == "lenet5" else IMAGE
    few, usual = (count(network, shape).rows for network in (getattr(networks, name)(7), getattr(networks, name)()))
    assert few[:-1] == usual[:-1] and few[-1].shape == (7,)
