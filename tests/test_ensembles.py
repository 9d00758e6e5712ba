"""The answer of an ensemble against Torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
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


@each_device
@settings(max_examples=20)
@given(m=size, n=size, c=size, dtype=dtypes, seed=seeds)
def test_ensemble_averages_probabilities(m, n, c, dtype, seed, device):
    """Both kernels agree, and the probabilities are the mean of Torch's softmax."""
    (logits,) = normal(seed, (m, n, c), dtype=dtype)
    labels, probabilities = function_parity("ensemble_predict", logits, device=device)
    assert_close(probabilities, torch.softmax(torch.from_numpy(logits), -1).mean(0))
    assert all(row[label] == row.max() for row, label in zip(probabilities, labels, strict=True))


@each_library
def test_one_sure_model_outweighs_two_unsure_ones(kernels):
    """Probabilities are averaged, not votes; and not scores, whose size does not matter once a model is sure."""
    votes = array(kernels, np.log([[[0.95, 0.05]], [[0.4, 0.6]], [[0.4, 0.6]]]))
    assert kernels.ensemble_predict(votes)[0].tolist() == [0]
    loud = array(kernels, [[[1000.0, 0.0]], [[0.0, 5.0]], [[0.0, 5.0]]])
    assert kernels.ensemble_predict(loud)[0].tolist() == [1]


@each_library
def test_ensemble_names_what_does_not_fit(kernels):
    """Scores of one model alone are refused with the shape that is expected."""
    with pytest.raises(ValueError, match=r"logits has shape \(2, 3\); expected \(M, N, C\)"):
        kernels.ensemble_predict(zeros(kernels, 2, 3))
