"""Counts against real `torch.nn` modules on the meta device, and against published totals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_report import Page
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.counting import (
    AvgPool2d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
    count,
)

PLAIN = {ReLU: nn.ReLU, Tanh: nn.Tanh, Sigmoid: nn.Sigmoid, Dropout: nn.Dropout, Flatten: nn.Flatten}


class Sum(nn.Module):
    """A residual connection of Torch modules."""

    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        """The sum of both ways."""
        return self.body(x) + self.shortcut(x)


class Stack(nn.Module):
    """Branches of Torch modules, stacked."""

    def __init__(self, branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        """The channels of all ways."""
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def torch_layer(layer, shape):
    """The module that a description stands for."""
    if type(layer) in PLAIN:
        return PLAIN[type(layer)]()
    if isinstance(layer, Conv2d):
        options = (layer.kernel, layer.stride, layer.padding, layer.dilation, layer.groups, layer.bias)
        return nn.Conv2d(shape[0], layer.channels, *options)
    if isinstance(layer, MaxPool2d | AvgPool2d):
        make = nn.MaxPool2d if isinstance(layer, MaxPool2d) else nn.AvgPool2d
        return make(layer.kernel, layer.stride, layer.padding, ceil_mode=layer.ceil_mode)
    if isinstance(layer, Residual):
        return Sum(torch_network(layer.body, shape), torch_network(layer.shortcut, shape))
    if isinstance(layer, Concat):
        return Stack([torch_network(branch, shape) for branch in layer.branches])
    simple = {BatchNorm2d: lambda: nn.BatchNorm2d(shape[0]), GlobalAvgPool2d: lambda: nn.AdaptiveAvgPool2d(1)}
    return simple[type(layer)]() if type(layer) in simple else nn.Linear(shape[0], layer.units, layer.bias)


def torch_network(layers, shape):
    """The modules that descriptions stand for, built on the meta device: shapes without memory."""
    modules, x = [], torch.empty(2, *shape, device="meta")
    with torch.device("meta"):
        for layer in layers:
            modules.append(torch_layer(layer, tuple(x.shape[1:])))
            x = modules[-1](x)
    return nn.Sequential(*modules)


def assert_counted_right(layers, shape):
    """Shapes, parameters and multiply-adds are those of the real network; returns the count."""
    counted, network = count(layers, shape), torch_network(layers, shape)
    example = torch.empty(1, *shape, device="meta")
    assert counted.parameters == sum(parameter.numel() for parameter in network.parameters())
    with FlopCounterMode(display=False) as flops:
        assert tuple(network.eval()(example).shape[1:]) == counted.rows[-1].shape
    assert 2 * counted.multiply_adds == flops.get_total_flops()
    return counted


pair = st.integers(1, 3) | st.tuples(st.integers(1, 3), st.integers(1, 3))
small = st.integers(0, 1) | st.tuples(st.integers(0, 1), st.integers(0, 1))
convolution = st.builds(
    Conv2d, st.sampled_from([2, 4, 6]), pair, stride=pair, padding=small | st.just(2), dilation=pair,
    groups=st.sampled_from([1, 2]), bias=st.booleans(),
)  # fmt: skip
pooling = st.builds(MaxPool2d, st.integers(2, 3), pair, small, st.booleans()) | st.builds(
    AvgPool2d, st.integers(2, 3), st.none() | pair, small, st.booleans()
)
plain = st.sampled_from([ReLU(), Tanh(), Sigmoid(), Dropout(), BatchNorm2d()])


@settings(max_examples=40)
@given(
    layers=st.lists(convolution | pooling | plain, min_size=1, max_size=4),
    height=st.integers(24, 40),
    width=st.integers(24, 40),
    ends=st.sampled_from([(), (Flatten(), Linear(5)), (GlobalAvgPool2d(), Flatten(), Linear(3, bias=False))]),
)
def test_any_network_is_counted_as_torch_builds_it(layers, height, width, ends):
    """Kernels, strides, paddings, dilations, groups, both roundings, not square: all as in Torch."""
    try:
        counted = count((*layers, *ends), (4, height, width))
    except ValueError as error:
        assert "is larger than the padded image" in str(error)
        return
    assert assert_counted_right((*layers, *ends), (4, height, width)) == counted


@settings(max_examples=25)
@given(layers=st.lists(convolution | pooling, min_size=1, max_size=3), seed=st.integers(0, 99))
def test_receptive_field_is_where_gradients_reach(layers, seed):
    """The rows and columns of the input that move the middle of the output are as many as counted."""
    shape = (4, 61, 59)
    counted = count(layers, shape)
    torch.manual_seed(seed)
    x = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    out = x
    for layer in layers:
        # A maximum sends its gradient to one place only; the mean of the same window to all.
        layer = (
            AvgPool2d(layer.kernel, layer.stride, layer.padding, layer.ceil_mode)
            if isinstance(layer, MaxPool2d)
            else layer
        )
        module = torch_layer(layer, tuple(out.shape[1:])).double()
        for parameter in module.parameters():
            nn.init.uniform_(parameter, 0.1, 1)
        out = module(out)
    (gradient,) = torch.autograd.grad(out[0, 0, out.shape[2] // 2, out.shape[3] // 2], x)
    touched = gradient[0].abs().sum(dim=0) > 0
    spans = []
    for line in (touched.any(dim=1), touched.any(dim=0)):
        places = line.nonzero().flatten().tolist()
        spans.append((places[0], places[-1], len(line)))
    for (first, last, size), field in zip(spans, counted.rows[-1].field, strict=True):
        at_border = first == 0 or last == size - 1
        assert last - first + 1 == field or (at_border and last - first + 1 < field)


def test_residual_and_branches_are_counted_as_torch_builds_them():
    """Nested networks: a projection, an identity, and three branches."""
    body = (Conv2d(8, 3, stride=2, padding=1, bias=False), BatchNorm2d(), ReLU(), Conv2d(8, 3, padding=1))
    layers = (
        Residual(body, (Conv2d(8, 1, stride=2),), name="down"),
        Residual((Conv2d(8, 5, padding=2), ReLU()), name="same"),
        Concat(((Conv2d(3, 1),), (MaxPool2d(3, 1, padding=1),), (Conv2d(2, 1), Conv2d(4, 7, padding=3)))),
        GlobalAvgPool2d(), Flatten(), Linear(10),
    )  # fmt: skip
    counted = assert_counted_right(layers, (3, 20, 30))
    assert counted["down.add"].shape == (8, 10, 15)
    assert counted["Concat-1.stack"].shape == (15, 10, 15)
    assert counted["down.add"].field == (7, 7)
    assert counted["Concat-1.stack"].field == (7 + 2 * 4 + 2 * 6,) * 2


def test_activations_are_every_output_and_the_input():
    """A view costs nothing; every other layer's output is kept once."""
    counted = count((Conv2d(2, 3), ReLU(), Flatten(), Linear(5)), (1, 6, 5))
    assert [row.activations for row in counted.rows] == [30, 24, 24, 0, 5]
    assert counted.activations == 83


def test_training_memory_counts_gradients_moments_and_activations():
    """Two numbers per parameter with SGD, four with Adam, and what was kept for each example."""
    counted = count((Linear(10),), (4,))
    assert counted.training_bytes() == 4 * (2 * 50 + 14)
    assert counted.training_bytes(batch=8, moments=2, size=8) == 8 * (4 * 50 + 8 * 14)


def test_table_as_text_and_html():
    """Both forms have a row per layer and the totals."""
    counted = count((Conv2d(16, 3, padding=1, name="<first>"), GlobalAvgPool2d(), Flatten(), Linear(10)), (3, 64, 64))
    lines = repr(counted).split("\n")
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "multiply-adds", "memory", "sees"]
    assert lines[2].split() == "<first> Conv2d 16, 3x3, padding 1 16x64x64 448 1,769,472 256 KiB 3x3".split()
    assert lines[-1].split() == "total 618 1,769,632 304.1 KiB".split()
    page = Page(counted._repr_html_())
    assert page.open == [] and "1,769,632" in page.text and "<first>" in page.text
    assert [tag for tag, _ in page.tags].count("tr") == len(lines)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((Flatten(), Conv2d(2, 3)), r"Conv2d-1 \(Conv2d 2, 3x3\): it takes an image \(C, H, W\), and \(48,\) comes in"),
        ((Linear(3),), r"Linear-1 \(Linear 3\): it takes a vector \(D,\), and \(3, 4, 4\) comes in. Put Flatten"),
        ((Conv2d(2, 7, name="wide"),), r"wide \(Conv2d 2, 7x7\): its window of 7 is larger than the padded image of 4"),
        ((Conv2d(2, 3, groups=2),), "3 channels in and 2 out do not divide into 2 groups"),
        ((Residual((Conv2d(3, 3),)),), r"the body ends with \(3, 2, 2\) and the shortcut with \(3, 4, 4\)"),
        ((Concat(((Conv2d(3, 3),), ())),), r"the branches end with \(3, 2, 2\), \(3, 4, 4\)"),
        ((Conv2d(2, 0),), "kernel is 0; expected an integer of at least 1"),
        ((Conv2d(2, 3, padding=-1),), "padding is -1; expected an integer of at least 0"),
        ((Flatten(), Linear(0)), "units is 0; expected an integer of at least 1"),
    ],
)
def test_what_does_not_fit_is_named(layers, message):
    """The sentence names the layer, what came and what it takes."""
    with pytest.raises(ValueError, match=message):
        count(layers, (3, 4, 4))


def test_input_shape_is_checked():
    """An input without rows cannot be counted."""
    with pytest.raises(ValueError, match=r"shape\[1\] is 0; expected an integer of at least 1"):
        count((ReLU(),), (3, 0, 4))
