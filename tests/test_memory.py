"""The memory of a training step, against Torch's own tensors and the counting of networks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import each_library, function_parity

from course_lib import numpy_kernels
from course_lib.counting import Linear, count

layer_sizes = st.lists(st.integers(1, 30), min_size=2, max_size=5)


@given(sizes=layer_sizes, batch=st.integers(1, 40), moments=st.integers(0, 3), bytes_each=st.sampled_from([1, 2, 4, 8]))
def test_memory_equals_counting(sizes, batch, moments, bytes_each):
    """Both libraries agree, and with `course_lib.counting` about the total."""
    found = function_parity("memory_needed", sizes, batch, moments, bytes_each)
    counted = count([Linear(outputs) for outputs in sizes[1:]], (sizes[0],))
    assert sum(found) == counted.training_bytes(batch, moments, bytes_each)
    assert found[0] == found[1] == bytes_each * numpy_kernels.count_parameters(sizes)


@pytest.mark.parametrize(
    ("moments", "make"),
    [
        (0, lambda parameters: torch.optim.SGD(parameters, lr=0.1)),
        (1, lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9)),
        (2, lambda parameters: torch.optim.Adam(parameters, lr=0.1)),
    ],
    ids=["sgd", "momentum", "adam"],
)
def test_optimiser_holds_so_many_copies(moments, make):
    """After a step Torch's optimiser really holds the arrays that `moments` stands for."""
    network = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Linear(4, 2))
    optimiser = make(network.parameters())
    network(torch.ones(3, 5)).sum().backward()
    optimiser.step()
    held = sum(tensor.nbytes for state in optimiser.state.values() for tensor in state.values() if tensor.ndim)
    assert held == numpy_kernels.memory_needed([5, 4, 2], 3, moments)[2]


@each_library
def test_memory_names_what_does_not_fit(kernels):
    """Sizes and counts of a wrong kind are refused by name."""
    with pytest.raises(ValueError, match="sizes has 1 entries"):
        kernels.memory_needed([3], 1)
    with pytest.raises(ValueError, match="batch is 0; expected an integer of at least 1"):
        kernels.memory_needed([3, 2], 0)
    with pytest.raises(ValueError, match="moments is -1; expected an integer of at least 0"):
        kernels.memory_needed([3, 2], 1, moments=-1)
    with pytest.raises(TypeError, match="bytes_each is of type float"):
        kernels.memory_needed([3, 2], 1, bytes_each=4.0)
