"""Costs and receptive fields: both libraries, the counting of networks, Torch's own counter, and real gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import each_library, function_parity
from torch.utils.flop_counter import FlopCounterMode

from course_lib import numpy_kernels, torch_kernels
from course_lib.counting import Conv2d, MaxPool2d, count
from course_lib.networks import alexnet

ALEXNET = [
    ("conv1", "conv", 96, 11, 4, 0), ("pool1", "pool", 3, 2),
    ("conv2", "conv", 256, 5, 1, 2), ("pool2", "pool", 3, 2),
    ("conv3", "conv", 384, 3, 1, 1), ("conv4", "conv", 384, 3, 1, 1),
    ("conv5", "conv", 256, 3, 1, 1), ("pool3", "pool", 3, 2),
    ("fc1", "dense", 4096), ("fc2", "dense", 4096), ("fc3", "dense", 1000),
]  # fmt: skip
few = st.integers(1, 4)
window_layers = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)), max_size=4)


@given(layers=window_layers)
def test_field_agrees_with_counting(layers):
    """Both libraries agree, and `course_lib.counting` finds the same field in a network of such layers."""
    found = function_parity("receptive_field", layers)
    network = [Conv2d(1, kernel, stride=stride, dilation=dilation) for kernel, stride, dilation in layers]
    row = count(network, (1, found, found)).rows[-1]
    assert row.field == (found, found)
    assert row.shape == (1, 1, 1), "exactly one output number fits on an image of that size"


def test_field_is_where_a_gradient_arrives():
    """The gradient of one output number spans exactly the field."""
    layers = [(3, 2, 1), (3, 1, 2), (2, 2, 1)]
    field = numpy_kernels.receptive_field(layers)
    x = torch.zeros(1, 1, field + 12, requires_grad=True)
    out = x
    for kernel, stride, dilation in layers:
        out = torch.nn.functional.conv1d(out, torch.ones(1, 1, kernel), stride=stride, dilation=dilation)
    out[0, 0, 0].backward()
    assert np.flatnonzero(x.grad.numpy()).max() == field - 1 == 12


@given(
    groups=st.integers(1, 3), channels=few, filters=few, kernel=st.tuples(few, few),
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)), stride=few, padding=st.integers(0, 3),
)  # fmt: skip
def test_convolution_costs_agree_everywhere(groups, channels, filters, kernel, size, stride, padding):
    """Both libraries, `course_lib.counting` and Torch's own counter of operations say the same."""
    sizes = groups * channels, groups * filters, kernel, *size, stride, padding, groups
    found = function_parity("count_conv", *sizes)
    layer = Conv2d(sizes[1], kernel, stride=stride, padding=padding, groups=groups)
    row = count([layer], (sizes[0], *size)).rows[-1]
    assert found == (row.parameters, row.multiply_adds, int(np.prod(row.shape)))
    real = torch.nn.Conv2d(*sizes[:3], stride, padding, groups=groups, device="meta")
    with FlopCounterMode(display=False) as counter:
        real(torch.empty(1, sizes[0], *size, device="meta"))
    assert 2 * found[1] == counter.get_total_flops()


@each_library
def test_alexnet_has_its_published_size(kernels):
    """62,378,344 parameters, 94.0 % of them dense and 60.5 % in fc1; the second convolution makes 27 x 27 x 256."""
    table = {name: (shape, parameters) for name, shape, parameters in kernels.alexnet_table(ALEXNET)}
    total = sum(parameters for _, parameters in table.values())
    dense = sum(parameters for name, (_, parameters) in table.items() if name.startswith("fc"))
    assert total == 62_378_344 == count(alexnet(), (3, 224, 224)).parameters
    assert (round(100 * dense / total, 1), round(100 * table["fc1"][1] / total, 1)) == (94.0, 60.5)
    assert table["conv2"] == ((256, 27, 27), 614_656)
    assert table["pool2"][0] == (256, 13, 13)


@given(filters=few, kernel=few, stride=few, padding=st.integers(0, 2), pool=st.integers(1, 2), units=few)
def test_tables_agree(filters, kernel, stride, padding, pool, units):
    """Both libraries make the same rows, and those of `course_lib.counting`."""
    layers = [("c", "conv", filters, kernel, stride, padding), ("p", "pool", pool, 1), ("d", "dense", units)]
    rows, theirs = (library.alexnet_table(layers, (2, 9, 11)) for library in (numpy_kernels, torch_kernels))
    assert rows == theirs
    network = [Conv2d(filters, kernel, stride=stride, padding=padding), MaxPool2d(pool, 1)]
    wanted = [(row.shape, row.parameters) for row in count(network, (2, 9, 11)).rows[1:]]
    assert [(shape, parameters) for _, shape, parameters in rows[:2]] == wanted
    assert rows[2] == ("d", (units,), units * (int(np.prod(wanted[-1][0])) + 1))


@each_library
def test_counts_name_what_does_not_fit(kernels):
    """Layers of a wrong form, and layers that do not fit, are refused by name."""
    with pytest.raises(ValueError, match=r"layers\[0\] has 2 numbers; expected 3: kernel, stride, dilation"):
        kernels.receptive_field([(3, 1)])
    with pytest.raises(ValueError, match=r"stride in layers\[0\] is 0"):
        kernels.receptive_field([(3, 0, 1)])
    with pytest.raises(TypeError, match="layers is of type int"):
        kernels.receptive_field(3)
    with pytest.raises(ValueError, match="groups is 2; expected a divisor of 3, the channels"):
        kernels.count_conv(3, 4, 3, 8, 8, groups=2)
    with pytest.raises(ValueError, match="the window covers 9 rows"):
        kernels.count_conv(3, 4, 9, 8, 8)
    with pytest.raises(ValueError, match=r"layers\[0\] is of kind 'soft'; expected one of conv, pool, dense"):
        kernels.alexnet_table([("a", "soft", 3)])
    with pytest.raises(ValueError, match="b needs images"):
        kernels.alexnet_table([("a", "dense", 3), ("b", "pool", 2, 2)])
    with pytest.raises(ValueError, match="the window covers 9 columns"):
        kernels.alexnet_table([("a", "pool", 9, 1)], (1, 9, 8))
    with pytest.raises(ValueError, match="shape has 2 numbers"):
        kernels.alexnet_table([], (8, 8))
