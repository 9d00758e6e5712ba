"""Early stopping on made-up curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import (
    array,
    each_library,
    function_parity,
    zeros,
)

losses = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0, float("inf"), float("nan")]), min_size=1, max_size=12)


@settings(max_examples=80)
@given(curve=losses, patience=st.integers(1, 4), min_delta=st.sampled_from([0.0, 0.05, 0.15]))
def test_both_references_stop_alike(curve, patience, min_delta):
    """The loop and Torch's plateau detector agree on any curve, also with NaN and infinity."""
    stop, best = function_parity("early_stopping", np.array(curve), patience, min_delta)
    assert 0 <= best <= stop < len(curve)
    assert stop == len(curve) - 1 or stop - best in (patience, patience - 1)


@each_library
@pytest.mark.parametrize(
    ("curve", "patience", "min_delta", "stop", "best"),
    [
        ([3, 2, 1], 1, 0.0, 2, 2),
        ([1, 1, 1, 1], 2, 0.0, 2, 0),
        ([3, 1, 2, 0.5, 2, 2, 0.1], 2, 0.0, 5, 3),
        ([3, 2.95, 2.9, 2.85], 2, 0.1, 2, 0),
        ([3, 2.95, 2.8, 2.85], 2, 0.1, 3, 2),
        ([np.nan, np.nan, 1], 2, 0.0, 1, 0),
        ([5], 1, 0.0, 0, 0),
    ],
)
def test_known_curves(kernels, curve, patience, min_delta, stop, best):
    """Falling, flat, with a late gain that is missed, and with progress too small to count."""
    assert kernels.early_stopping(array(kernels, curve), patience, min_delta) == (stop, best)


@each_library
def test_stopping_names_what_does_not_fit(kernels):
    """Patience, delta and curves of a wrong kind are refused by name."""
    curve = zeros(kernels, 3)
    with pytest.raises(ValueError, match="patience is 0; expected an integer of at least 1"):
        kernels.early_stopping(curve, 0)
    with pytest.raises(ValueError, match="min_delta is -1.0; expected 0 or more"):
        kernels.early_stopping(curve, 1, -1.0)
    with pytest.raises(ValueError, match=r"losses has shape \(0,\); expected \(E,\) with no size of zero"):
        kernels.early_stopping(zeros(kernels, 0), 1)
    with pytest.raises(TypeError, match="losses is of type list"):
        kernels.early_stopping([1.0], 1)
