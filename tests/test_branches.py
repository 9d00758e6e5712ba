"""Branches that cases hand to residual layers: values and gradients, for arrays and tensors alike."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from course_lib.probes import BRANCHES

RNG = np.random.default_rng(0)
X, DOUT, *COEFFICIENTS = (RNG.normal(size=(2, 3)) for _ in range(4))
PAIRS = sorted(name for name in BRANCHES if f"{name}_backward" in BRANCHES)


def made(name: str, convert=np.copy):
    """A branch or its backward pass, and its coefficients."""
    taken = [convert(c) for c in COEFFICIENTS[: len(inspect.signature(BRANCHES[name]).parameters)]]
    return BRANCHES[name](*taken), taken


@pytest.mark.parametrize("name", PAIRS)
def test_backward_passes_are_those_of_autograd(name):
    """The gradients of x, and of the coefficients where they are returned, are those of autograd; both libraries."""
    branch, leaves = made(name, lambda c: torch.tensor(c, requires_grad=True))
    x = torch.tensor(X, requires_grad=True)
    wanted = torch.autograd.grad(branch(x)[0], [x, *leaves], torch.tensor(DOUT))
    for convert in (np.copy, torch.tensor):
        f, cache = made(name, convert)[0](convert(X))
        np.testing.assert_allclose(f, branch(x)[0].detach(), rtol=1e-12)
        found = made(f"{name}_backward", convert)[0](convert(DOUT), cache)
        found = found if isinstance(found, tuple) else (found,)
        for one, other in zip(found, wanted, strict=False):
            np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_branches_keep_float32(name):
    """float32 in, float32 out, forward and backward."""
    f, cache = made(name, np.float32)[0](X.astype(np.float32))
    found = made(f"{name}_backward", np.float32)[0](DOUT.astype(np.float32), cache)
    assert {part.dtype.name for part in (f, *(found if isinstance(found, tuple) else (found,)))} == {"float32"}


@pytest.mark.parametrize("convert", [np.copy, torch.tensor])
def test_drift_notices_calls_and_changes(convert):
    """The second answer is twice the first; a change of what was handed out shows in the next answer."""
    branch, (a,) = made("drift", convert)
    x = convert(X)
    first, _ = branch(x)
    second, _ = branch(x)
    np.testing.assert_allclose(second, 2 * first, rtol=1e-12)
    np.testing.assert_allclose(first, a * x, rtol=1e-12)
    second += 1
    np.testing.assert_allclose(branch(x)[0], 3 * a * x + 1, rtol=1e-12)


def test_shift_hands_out_the_array_that_came_in():
    """What comes back is the very array, so that adding in place would change it."""
    assert made("shift_backward")[0](DOUT, ())[0] is DOUT
