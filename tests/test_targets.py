"""Smoothed labels and pseudo-labels against Torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    array,
    assert_close,
    dtypes,
    each_device,
    each_library,
    function_parity,
    normal,
    seeds,
    size,
    zeros,
)

from course_lib import numpy_kernels


@each_device
@settings(max_examples=20)
@given(n=size, c=size, dtype=dtypes, seed=seeds, eps=st.sampled_from([0.0, 0.1, 1.0]))
def test_label_smoothing_is_that_of_torchs_cross_entropy(n, c, dtype, seed, eps, device):
    """Cross-entropy with the smoothed targets is Torch's with the option of the same name."""
    (logits,) = normal(seed, (n, c), dtype=dtype)
    labels = np.random.default_rng(seed).integers(0, c, n)
    targets = function_parity("label_smoothing", np.eye(c, dtype=dtype)[labels], eps, device=device)
    wanted = torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), label_smoothing=eps)
    assert_close(numpy_kernels.soft_cross_entropy(logits, targets), wanted)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)


@each_device
@settings(max_examples=20)
@given(n=size, c=size, dtype=dtypes, seed=seeds, threshold=st.sampled_from([0.0, 0.4, 0.9, 1.0]))
def test_pseudo_labels_take_the_most_probable_class(n, c, dtype, seed, threshold, device):
    """Both kernels agree, and sure is who reaches the threshold."""
    probabilities = numpy_kernels.softmax(3 * normal(seed, (n, c), dtype=dtype)[0])
    labels, sure = function_parity("pseudo_labels", probabilities, threshold, device=device)
    assert labels.dtype == np.int64 and sure.dtype == bool
    assert all(row[label] == row.max() for row, label in zip(probabilities, labels, strict=True))
    assert sure.tolist() == [bool(row.max() >= row.dtype.type(threshold)) for row in probabilities]


@each_library
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_probability_on_the_threshold_counts(kernels, dtype):
    """0.9 reaches 0.9 in float32 too, and ties go to the first class."""
    labels, sure = kernels.pseudo_labels(array(kernels, [[0.1, 0.9], [0.5, 0.5]], dtype), 0.9)
    assert (labels.tolist(), sure.tolist()) == ([1, 0], [True, False])


@each_library
def test_targets_name_what_does_not_fit(kernels):
    """Shapes and shares of a wrong kind are refused by name."""
    y = zeros(kernels, 2, 3)
    with pytest.raises(ValueError, match="eps is 1.1; expected a number from 0 to 1"):
        kernels.label_smoothing(y, 1.1)
    with pytest.raises(ValueError, match=r"y has shape \(3,\); expected \(N, C\)"):
        kernels.label_smoothing(zeros(kernels, 3))
    with pytest.raises(ValueError, match="threshold is -0.5; expected a number from 0 to 1"):
        kernels.pseudo_labels(y, -0.5)
    with pytest.raises(TypeError, match="probabilities has dtype int64"):
        kernels.pseudo_labels(array(kernels, [[1, 0]], "int64"))
