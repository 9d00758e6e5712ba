"""The text CNN as a whole: NumPy and Torch are one network."""

from __future__ import annotations

import numpy as np
import pytest
from network_help import assert_gradients_are_slopes, assert_one_network, loaded

from course_lib import numpy_kernels
from course_lib.modules import ask
from course_lib.numpy_kernels import text_cnn_forward

SETTINGS = {"words": 9, "dim": 3, "filters": 2, "widths": (2, 3), "classes": 3, "p": 0.0}


@pytest.fixture
def texts() -> np.ndarray:
    """Texts of all lengths, one shorter than a filter, with padding at the end."""
    return np.random.default_rng(5).integers(1, 9, (4, 6)) * (np.arange(6) < np.array([[6], [4], [3], [1]]))


def test_both_references_are_one_network(texts):
    """With the same weights: the same scores in both modes, the same gradients, the same weights after training."""
    assert_one_network("TextCNN", SETTINGS, texts)


def test_gradients_are_those_of_the_scores(texts):
    """The NumPy gradients agree with central differences."""
    assert_gradients_are_slopes("TextCNN", SETTINGS, texts)


def test_it_is_the_function_of_the_exercise_before(texts):
    """In evaluation mode the class answers what `text_cnn_forward` answers with its weights."""
    net = loaded(numpy_kernels, "TextCNN", SETTINGS, 1)
    embedding, *convolutions, w, b = net.parameters
    right = text_cnn_forward(texts, embedding, convolutions[::2], convolutions[1::2], w, b)
    np.testing.assert_allclose(ask(net, "outputs", texts, False), right)


def test_dropout_of_the_reference_keeps_the_mean():
    """In training mode a text CNN drops a share p of its features and scales the rest by 1 / (1 - p)."""
    net = numpy_kernels.TextCNN(5, p=0.25)
    scale = net._scale(2000, 24)
    assert set(np.unique(scale)) == {0.0, 1 / 0.75}
    assert scale.mean() == pytest.approx(1, abs=0.02)
    assert not numpy_kernels.TextCNN(5, p=1.0)._scale(3, 4).any()
