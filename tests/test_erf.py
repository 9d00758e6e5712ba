"""The error function against the standard library, number by number."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from course_lib.erf import erf


@pytest.mark.parametrize(("low", "high"), [(0.0, 1e-3), (0.0, 1.0), (0.9, 1.1), (1.0, 3.0), (3.0, 7.0), (5.9, 1e308)])
def test_erf_is_within_four_units_in_the_last_place(low: float, high: float) -> None:
    """On both sides of 0, and where one formula takes over from the other, float64 is right to rounding."""
    x = np.random.default_rng(0).uniform(low, high, 4000) * np.tile([1.0, -1.0], 2000)
    wanted = np.array([math.erf(number) for number in x])
    assert np.max(np.abs(erf(x) - wanted) / np.spacing(np.abs(wanted))) <= 4


def test_erf_keeps_dtype_shape_sign_and_input() -> None:
    """float32 stays float32 and right to four units; a number without axes and minus zero stay what they are."""
    x = np.linspace(-4, 4, 801, dtype=np.float32).reshape(3, 267)
    before = x.copy()
    out = erf(x)
    wanted = np.array([math.erf(number) for number in x.ravel()]).reshape(x.shape)
    assert out.dtype == np.float32 and out.shape == x.shape
    assert np.max(np.abs(out - wanted) / np.spacing(np.abs(wanted).astype(np.float32))) <= 4
    np.testing.assert_array_equal(x, before)
    assert erf(np.float64(0.0)).shape == () and np.signbit(erf(np.array(-0.0)))


def test_erf_passes_on_what_is_not_a_number() -> None:
    """NaN stays NaN and infinities become 1 and -1, without a warning."""
    with np.errstate(all="raise", under="ignore"):
        out = erf(np.array([np.nan, np.inf, -np.inf]))
    assert np.isnan(out[0]) and out[1:].tolist() == [1.0, -1.0]


def test_erf_refuses_what_is_no_floating_array() -> None:
    """Integers and lists are refused by name."""
    with pytest.raises(TypeError, match="x has dtype int64; expected float32 or float64"):
        erf(np.array([1, 2]))
    with pytest.raises(TypeError, match="x is of type list"):
        erf([1.0])


def test_erf_needs_no_scipy() -> None:
    """Inside the walls there is none."""
    code = "import sys, course_lib.erf; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
