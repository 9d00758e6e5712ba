"""The helpers that compare kernels must be able to say no."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from parity import assert_close, assert_slope, assert_unchanged, function_parity, layer_parity

from course_lib import numpy_kernels

ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    "other",
    [
        ONES + 1e-9,
        ONES[:1],
        ONES.astype("float32"),
        np.full((2, 3), np.nan),
        torch.ones(2, 3),
        torch.zeros(2, 3, dtype=torch.float64),
    ],
    ids=["value", "shape", "dtype", "nan", "tensor dtype", "tensor value"],
)
def test_what_differs_is_not_close(other: object) -> None:
    """A value, a shape, a dtype or a NaN that differs is seen, also inside a tuple."""
    assert_close(ONES, torch.ones(2, 3, dtype=torch.float64))
    with pytest.raises(AssertionError):
        assert_close(ONES, other)
    with pytest.raises(AssertionError):
        assert_close((ONES, ONES), (ONES, other))
    with pytest.raises(AssertionError):
        assert_close((ONES,), (ONES, ONES))


def test_a_wrong_gradient_is_no_slope() -> None:
    """A factor, a sign or a transposition of the gradient is seen."""
    x, dout = np.arange(9.0).reshape(3, 3), np.arange(9.0).reshape(3, 3) ** 2
    assert_slope(np.square, [x], 2 * x * dout, dout)
    for wrong in (x * dout, -2 * x * dout, (2 * x * dout).T):
        with pytest.raises(AssertionError):
            assert_slope(np.square, [x], wrong, dout)


def test_a_change_of_one_bit_is_seen() -> None:
    """Inputs that moved by the smallest step have changed."""
    with pytest.raises(AssertionError):
        assert_unchanged(([ONES],), ([np.nextafter(ONES, 2)],))


def test_parity_sees_a_kernel_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A NumPy kernel that is wrong, changes its input, or answers differently the second time is refused."""
    x = np.array([[-1.0, 2.0]])
    right, backward = numpy_kernels.softmax, numpy_kernels.relu_backward

    def spoils(x: np.ndarray) -> np.ndarray:
        out = right(x)
        x += 1
        return out

    for wrong in (lambda x: right(x, axis=0), spoils):
        monkeypatch.setattr(numpy_kernels, "softmax", wrong)
        with pytest.raises(AssertionError):
            function_parity("softmax", x.copy())

    def forgets(dout: np.ndarray, cache: tuple[np.ndarray]) -> np.ndarray:
        out = backward(dout, cache)
        cache[0][:] = 0
        return out

    layer_parity("relu", x)
    monkeypatch.setattr(numpy_kernels, "relu_backward", forgets)
    with pytest.raises(AssertionError):
        layer_parity("relu", x)
