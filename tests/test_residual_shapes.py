"""ResNet-18 on paper: both libraries, the counting of networks, and a real forward pass with numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import each_library

from course_lib import numpy_kernels, torch_kernels
from course_lib.counting import count
from course_lib.networks import resnet18
from course_lib.torch_kernels import residual_shapes as module

sizes = st.integers(1, 150)


@each_library
def test_resnet18_has_its_published_size(kernels):
    """11,689,512 parameters, 7 x 7 pixels before the mean, and 513,000 numbers in the dense layer."""
    rows = kernels.resnet18_shapes()
    table = {name: (shape, parameters) for name, shape, parameters in rows}
    assert sum(parameters for _, parameters in table.values()) == 11_689_512
    assert table["conv1"] == ((64, 112, 112), 9_536)
    assert table["stage4.2"][0] == (512, 7, 7)
    assert table["fc"] == ((1000,), 513_000)
    stages = [f"stage{stage}.{block}" for stage in range(1, 5) for block in (1, 2)]
    assert list(table) == ["conv1", "pool1", *stages, "mean", "fc"]


@settings(max_examples=15, deadline=None)
@given(shape=st.tuples(st.integers(1, 5), sizes, sizes), classes=st.integers(1, 50))
def test_rows_agree_with_counting(shape, classes):
    """Both libraries make the same rows, and `course_lib.counting` finds their sums and last shapes."""
    rows = numpy_kernels.resnet18_shapes(shape, classes)
    assert rows == torch_kernels.resnet18_shapes(shape, classes)
    counted = count(resnet18(classes), shape)
    assert sum(parameters for _, _, parameters in rows) == counted.parameters
    ends = [row.shape for row in counted.rows if row.kind == "BatchNorm2d"]
    assert rows[-3][1] == ends[-1]
    assert rows[0][1] == ends[0]


def test_the_layers_take_a_real_image():
    """The layers of the Torch counterpart compute with numbers, and make the shapes of the table."""
    torch.manual_seed(0)
    flow, shape = torch.randn(2, 3, 40, 33), (3, 40, 33)
    with torch.no_grad():
        rows = numpy_kernels.resnet18_shapes(shape, 7)
        for (_, layer), (_, wanted, _) in zip(module._layers(3, 7), rows, strict=True):
            flow = layer(flow)
            assert flow.shape[1:] == wanted
    assert np.isfinite(flow.numpy()).all()


@each_library
def test_impossible_images_are_refused(kernels):
    """Shapes and numbers of classes of a wrong kind are refused by name."""
    with pytest.raises(ValueError, match="shape has 2 numbers; expected 3"):
        kernels.resnet18_shapes((224, 224))
    with pytest.raises(ValueError, match="height in shape is 0"):
        kernels.resnet18_shapes((3, 0, 224))
    with pytest.raises(ValueError, match="classes is 0; expected an integer of at least 1"):
        kernels.resnet18_shapes((3, 32, 32), 0)
    with pytest.raises(TypeError, match="classes is of type float"):
        kernels.resnet18_shapes((3, 32, 32), 10.0)
