"""Macro F1 against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import each_library, function_parity, seeds
from sklearn.metrics import f1_score

from course_lib import numpy_kernels
from course_lib.torch_kernels._arrays import to_tensors


@settings(max_examples=100, deadline=None)
@given(n=st.integers(1, 30), classes=st.integers(1, 5), seed=seeds)
def test_macro_f1_equals_scikit_learn(n, classes, seed):
    """Any labels and answers, with classes that never occur, give scikit-learn's number in both references."""
    y_true, y_pred = np.random.default_rng(seed).integers(0, classes, (2, n))
    ours = function_parity("macro_f1", y_true, y_pred, classes)
    theirs = f1_score(y_true, y_pred, labels=range(classes), average="macro", zero_division=0)
    assert type(ours) is float
    assert ours == pytest.approx(theirs, abs=1e-12)


@each_library
def test_a_small_class_counts_as_much_as_a_large_one(kernels):
    """Who always answers the large class has a high accuracy and a low macro F1."""
    labels = on(kernels, [0] * 95 + [1] * 5)
    assert kernels.macro_f1(labels, on(kernels, [0] * 100), 2) == pytest.approx(0.5 * 190 / 195)


@each_library
def test_an_empty_class_counts_as_zero(kernels):
    """A third class that nobody has lowers the mean from 1 to 2 / 3."""
    labels = on(kernels, [0, 1, 1])
    assert kernels.macro_f1(labels, labels, 2) == 1
    assert kernels.macro_f1(labels, labels, 3) == pytest.approx(2 / 3)


def on(kernels, numbers):
    """Integers for NumPy or Torch kernels."""
    array = np.array(numbers)
    return array if kernels is numpy_kernels else to_tensors(array)


@each_library
@pytest.mark.parametrize(
    ("y_true", "y_pred", "classes", "error", "sentence"),
    [
        ([0, 1], [0, 2], 2, ValueError, "y_pred goes from 0 to 2; expected classes from 0 to 1"),
        ([0, -1], [0, 1], 2, ValueError, "y_true goes from -1 to 0"),
        ([0, 1], [0], 2, ValueError, r"y_pred has shape \(1,\); expected \(N,\)"),
        ([[0, 1]], [[0, 1]], 2, ValueError, r"y_true has shape \(1, 2\); expected \(N,\)"),
        ([0.0, 1.0], [0, 1], 2, TypeError, "y_true is of type .*; expected a .* of integers"),
        ([0, 1], [0, 1], 0, ValueError, "classes is 0; expected an integer of at least 1"),
    ],
)
def test_errors_name_what_does_not_fit(kernels, y_true, y_pred, classes, error, sentence):
    """Wrong shapes, kinds and classes are refused by name."""
    with pytest.raises(error, match=sentence):
        kernels.macro_f1(on(kernels, y_true), on(kernels, y_pred), classes)
