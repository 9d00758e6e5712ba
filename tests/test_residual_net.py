"""A small residual network as a whole: NumPy and Torch are one network."""

from __future__ import annotations

import numpy as np
import pytest
from network_help import assert_gradients_are_slopes, assert_one_network, loaded

from course_lib import numpy_kernels
from course_lib.modules import ask

SETTINGS = {"width": 2, "classes": 3}


@pytest.fixture
def images() -> np.ndarray:
    """Images that are not square, of an odd height."""
    return np.random.default_rng(5).normal(size=(4, 1, 5, 6))


def test_both_references_are_one_network(images):
    """With the same weights: the same scores in both modes, the same gradients, the same weights after training."""
    assert_one_network("ResNetSmall", SETTINGS, images)


def test_gradients_are_those_of_the_scores(images):
    """The NumPy gradients agree with central differences."""
    assert_gradients_are_slopes("ResNetSmall", SETTINGS, images)


def test_with_silent_branches_a_block_passes_its_input_on(images):
    """With the last scale of block A at 0 and no shift, its two layers do not matter: the sum is the input."""
    net = loaded(numpy_kernels, "ResNetSmall", SETTINGS, 1)
    net.parameters[7][:], net.parameters[8][:] = 0, 0
    before = ask(net, "outputs", images, True)
    net.parameters[3] += 1
    np.testing.assert_allclose(ask(net, "outputs", images, True), before)
    net.parameters[7][:] = 1
    assert not np.allclose(ask(net, "outputs", images, True), before)


def test_training_moves_the_running_estimates(images):
    """Evaluation mode answers differently after a batch in training mode, and does not move anything itself."""
    net = loaded(numpy_kernels, "ResNetSmall", SETTINGS, 1)
    fresh = ask(net, "outputs", images, False)
    np.testing.assert_array_equal(ask(net, "outputs", images, False), fresh)
    ask(net, "outputs", images, True)
    assert not np.allclose(ask(net, "outputs", images, False), fresh)
