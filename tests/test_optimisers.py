"""Optimisers against `torch.optim`: fifty steps, several losses, both dtypes; and their traps one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import array, assert_close, dtypes, each_device, each_library, function_parity, normal, seeds, size, zeros

from course_lib import numpy_kernels, torch_kernels
from course_lib.numpy_kernels import optimisers

STEPS = 50
TARGET = np.array([0.3, -1.2, 2.0, 0.7, -0.4])
SCALES = np.array([1.0, 3.0, 0.1, 10.0, 0.5])


def quadratic(w):
    """Curvatures from 0.1 to 10; its gradient."""
    scales = SCALES if isinstance(w, np.ndarray) else torch.from_numpy(SCALES)
    target = TARGET if isinstance(w, np.ndarray) else torch.from_numpy(TARGET)
    if isinstance(w, np.ndarray):
        return scales.astype(w.dtype) * (w - target.astype(w.dtype))
    return (scales.to(w) * (w - target.to(w)) ** 2).sum() / 2


def valley(w):
    """A bent valley along neighbouring weights; its gradient."""
    if not isinstance(w, np.ndarray):
        return ((1 - w[:-1]) ** 2 + 5 * (w[1:] - w[:-1] ** 2) ** 2).sum()
    bend = w[1:] - w[:-1] ** 2
    gradient = np.zeros_like(w)
    gradient[:-1] = -2 * (1 - w[:-1]) - 20 * w[:-1] * bend
    gradient[1:] += 10 * bend
    return gradient


def waves(w):
    """Not convex, with many minima; its gradient."""
    return 3 * np.cos(3 * w) + w / 2 if isinstance(w, np.ndarray) else (torch.sin(3 * w) + w**2 / 4).sum()


OPTIMISERS = {
    "sgd": ("sgd_step", {}, torch.optim.SGD, {}),
    "momentum": ("momentum_step", {"mu": 0.8}, torch.optim.SGD, {"momentum": 0.8}),
    "average": (
        "momentum_step",
        {"mu": 0.8, "form": "average"},
        torch.optim.SGD,
        {"momentum": 0.8, "dampening": 0.8},
    ),
    "nesterov": ("momentum_step", {"nesterov": True}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("adagrad_step", {"eps": 0.1}, torch.optim.Adagrad, {"eps": 0.1}),
    "rmsprop": ("rmsprop_step", {"beta": 0.9, "eps": 0.1}, torch.optim.RMSprop, {"alpha": 0.9, "eps": 0.1}),
    "adam": (
        "adam_step",
        {"betas": (0.8, 0.95), "eps": 0.1},
        torch.optim.Adam,
        {"betas": (0.8, 0.95), "eps": 0.1},
    ),
    "adamw": (
        "adamw_step",
        {"eps": 0.1, "weight_decay": 0.3},
        torch.optim.AdamW,
        {"eps": 0.1, "weight_decay": 0.3},
    ),
}
LR = {"sgd": 0.02, "momentum": 0.01, "average": 0.02, "nesterov": 0.01, "rmsprop": 0.01}


def trajectory(name, loss, dtype):
    """All weights of a run of `torch.optim`."""
    _, _, optimiser, options = OPTIMISERS[name]
    w = torch.tensor(np.linspace(-1, 1, 5), dtype=getattr(torch, dtype), requires_grad=True)
    run = optimiser([w], lr=LR.get(name, 0.05), **options)
    points = []
    for _ in range(STEPS):
        run.zero_grad()
        loss(w).backward()
        run.step()
        points.append(w.detach().numpy().copy())
    return np.array(points)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [quadratic, valley, waves])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_fifty_steps_equal_torch_optim(name, loss, dtype):
    """Every point of the way is the one of `torch.optim`, in the dtype of the weights."""
    kernel, options, _, _ = OPTIMISERS[name]
    wanted = trajectory(name, loss, dtype)
    w, state = np.linspace(-1, 1, 5).astype(dtype), None
    for k in range(STEPS):
        w, state = getattr(numpy_kernels, kernel)(w, loss(w), state, LR.get(name, 0.05), **options)
        assert_close(w, wanted[k], 50)


@each_device
@settings(max_examples=25)
@given(shape=st.lists(st.integers(0, 4), max_size=3), dtype=dtypes, seed=seeds, name=st.sampled_from(list(OPTIMISERS)))
def test_both_references_agree_on_weights_and_state(shape, dtype, seed, name, device):
    """Any shape, also none and empty: two steps, the first with nothing to remember, and each state by value."""
    kernel, options, _, _ = OPTIMISERS[name]
    w, g, more = normal(seed, *[tuple(shape)] * 3, dtype=dtype)
    first, state = function_parity(kernel, w, g, None, 0.1, device=device, **options)
    assert first.dtype == dtype and first.shape == tuple(shape)
    function_parity(kernel, first, more, state, 0.1, device=device, **options)


@pytest.mark.parametrize("name", ["momentum", "average", "nesterov"])
def test_first_velocity_is_the_gradient(name):
    """Momentum starts undamped: v is g in both forms, also where later gradients are damped."""
    kernel, options, _, _ = OPTIMISERS[name]
    w, g = normal(1, (4,), (4,))
    np.testing.assert_array_equal(numpy_kernels.momentum_step(w, g, None, 0.1, **options)[1], g)
    assert kernel == "momentum_step"


def test_average_is_a_slower_sum():
    """After the first step the average form moves as the sum form does with a rate 1 - mu times as large."""
    w, g, v = normal(2, (4,), (4,), (4,))
    slow = numpy_kernels.momentum_step(w, g, v, 0.1, mu=0.75, form="average")[0]
    np.testing.assert_allclose(slow, numpy_kernels.momentum_step(w, g, 4 * v, 0.025, mu=0.75)[0])


def test_adam_keeps_moments_uncorrected():
    """The state after one step is the share of the gradient, not the corrected moment; the count is 1."""
    m, v, k = numpy_kernels.adam_step(np.zeros(1), np.array([2.0]), None)[1]
    np.testing.assert_allclose([m[0], v[0], k], [0.2, 0.004, 1])


def test_eps_stands_outside_the_root():
    """With a gradient of 1 and eps 1, every first step is half the rate: 1 / (sqrt(1) + 1)."""
    one = np.ones(1)
    for step, options in (("adagrad_step", {}), ("rmsprop_step", {"beta": 0.0}), ("adam_step", {}), ("adamw_step", {})):
        w, _ = getattr(numpy_kernels, step)(np.zeros(1), one, None, lr=0.5, eps=1.0, **options)
        np.testing.assert_allclose(w, -0.25)


def test_adamw_shrinks_weights_whatever_the_gradient():
    """Without gradient the weights lose lr * weight_decay of themselves; without decay it is Adam."""
    w, g = normal(3, (5,), (5,))
    np.testing.assert_allclose(numpy_kernels.adamw_step(w, 0 * w, None, lr=0.5, weight_decay=0.1)[0], 0.95 * w)
    assert_close(numpy_kernels.adamw_step(w, g, None, weight_decay=0.0), numpy_kernels.adam_step(w, g, None))


@each_library
@pytest.mark.parametrize("name", ["adam_step", "adamw_step"])
def test_in_place_gives_the_same_numbers_in_the_same_arrays(name, kernels):
    """The fast path writes into w, m and v and otherwise equals the slow one; a block boundary changes nothing."""
    count = optimisers._BLOCK + 3
    w, g = (array(kernels, values) for values in normal(4, (count,), (count,)))
    step = getattr(kernels, name)
    start = step(w, g, None)
    wanted = step(start[0], g, start[1])
    got = step(start[0], g, start[1], in_place=True)
    assert got[0] is start[0] or got[0].data_ptr() == start[0].data_ptr()
    assert_close(got, wanted)
    assert_close(start[1][:2], wanted[1][:2])


def test_large_arrays_equal_torch_beyond_one_block():
    """More numbers than a block, in a matrix: the same as Torch."""
    w, g = normal(5, (3, optimisers._BLOCK // 2), (3, optimisers._BLOCK // 2), dtype="float32")
    function_parity("adam_step", w.T, g.T, None)


@each_device
@settings(max_examples=20)
@given(n=size, batch=st.integers(1, 8), drop=st.booleans(), seed=seeds)
def test_minibatches_hold_every_example_once(n, batch, drop, seed, device):
    """Batches follow the order given; together they are the epoch, or its full batches."""
    perm = np.random.default_rng(seed).permutation(n)
    x, y = normal(seed, (n, 2, 1))[0], np.arange(n)
    batches = function_parity("minibatches", x, y, batch, perm, drop, device=device)
    wanted = perm[: n - n % batch] if drop else perm
    assert [label for _, labels in batches for label in labels] == wanted.tolist()
    assert all(len(labels) == batch for _, labels in batches[:-1])
    for part, labels in batches:
        np.testing.assert_array_equal(part, x[labels])


@each_device
@settings(max_examples=20)
@given(shapes=st.lists(st.tuples(size, size), min_size=1, max_size=4), limit=st.floats(0.1, 20), dtype=dtypes)
def test_clipped_gradients_equal_torch(shapes, limit, dtype, device):
    """Gradients of any number of parameters are clipped by their common norm, and only when it is too long."""
    grads = normal(6, *shapes, dtype=dtype)
    clipped, norm = function_parity("clip_grad_norm", grads, limit, device=device)
    assert norm == pytest.approx(np.sqrt(sum((g.astype(float) ** 2).sum() for g in grads)), rel=1e-5)
    if norm < limit - 1e-5:
        assert_close(clipped, grads)


@each_library
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_gradients_show(kernels, bad):
    """A NaN or infinite gradient is not hidden by any optimiser, nor by clipping."""
    w, g = zeros(kernels, 3), array(kernels, [1.0, bad, 1.0])
    for name in ("sgd_step", "momentum_step", "adagrad_step", "rmsprop_step", "adam_step", "adamw_step"):
        with np.errstate(invalid="ignore"):
            moved = np.asarray(getattr(kernels, name)(w, g, None, lr=0.1)[0])
        assert not np.isfinite(moved[1]) and np.isfinite(moved[[0, 2]]).all()
    clipped, norm = kernels.clip_grad_norm([g], 1.0)
    assert not np.isfinite(float(norm)) and not np.isfinite(np.asarray(clipped[0])[1])


@each_library
def test_steps_name_what_does_not_fit(kernels):
    """Shapes, dtypes, states and numbers that do not fit are refused by name."""
    w, g = zeros(kernels, 3), zeros(kernels, 3)
    with pytest.raises(ValueError, match=r"g has shape \(2,\); expected \(3,\), the shape of w"):
        kernels.adagrad_step(w, zeros(kernels, 2), None)
    with pytest.raises(TypeError, match="g has dtype float32; expected float64"):
        kernels.rmsprop_step(w, zeros(kernels, 3, dtype="float32"), None)
    with pytest.raises(ValueError, match=r"state has shape \(1,\); expected \(3,\), the shape of w"):
        kernels.momentum_step(w, g, zeros(kernels, 1), 0.1)
    with pytest.raises(TypeError, match="state is of type int; expected None"):
        kernels.sgd_step(w, g, 3, 0.1)
    with pytest.raises(ValueError, match=r"lr is 0.0; expected a positive number"):
        kernels.sgd_step(w, g, None, 0.0)
    with pytest.raises(ValueError, match="mu is 1.0; expected a number of at least 0 and below 1"):
        kernels.momentum_step(w, g, None, 0.1, mu=1.0)
    with pytest.raises(ValueError, match="form is 'ema'; expected 'sum' or 'average'"):
        kernels.momentum_step(w, g, None, 0.1, form="ema")
    with pytest.raises(ValueError, match="nesterov is True; expected False with form 'average'"):
        kernels.momentum_step(w, g, None, 0.1, form="average", nesterov=True)


@each_library
def test_adam_names_what_does_not_fit(kernels):
    """So are Adam's state, its betas, decay and arrays that cannot be written in place."""
    w, g = zeros(kernels, 3, 2), zeros(kernels, 3, 2)
    with pytest.raises(TypeError, match="state is of type list; expected None or what adam_step returned second"):
        kernels.adam_step(w, g, [w, w, 0])
    with pytest.raises(ValueError, match=r"state\[1\] has shape \(3,\); expected \(3, 2\), the shape of w"):
        kernels.adam_step(w, g, (w, zeros(kernels, 3), 1))
    with pytest.raises(ValueError, match=r"state\[2\] is -1; expected an integer of at least 0"):
        kernels.adam_step(w, g, (w, w, -1))
    with pytest.raises(ValueError, match=r"betas\[1\] is 1.0; expected"):
        kernels.adam_step(w, g, None, betas=(0.9, 1.0))
    with pytest.raises(TypeError, match=r"betas is 0.9; expected two numbers"):
        kernels.adam_step(w, g, None, betas=0.9)
    with pytest.raises(ValueError, match="weight_decay is -0.1; expected 0 or more"):
        kernels.adamw_step(w, g, None, weight_decay=-0.1)
    with pytest.raises(ValueError, match="in_place is True, and w, m or v is not contiguous"):
        kernels.adam_step(w.T, g.T, None, in_place=True)


@each_library
def test_batches_and_clipping_name_what_does_not_fit(kernels):
    """Orders that are no permutation, other lengths, no gradients."""
    x, y, order = zeros(kernels, 3, 1), zeros(kernels, 3), array(kernels, [0, 1, 2], "int64")
    with pytest.raises(ValueError, match="perm is no permutation; expected each of 0 to 2 once"):
        kernels.minibatches(x, y, 2, array(kernels, [0, 1, 1], "int64"))
    with pytest.raises(ValueError, match=r"perm has shape \(2,\); expected \(3,\), one entry per row"):
        kernels.minibatches(x, y, 2, array(kernels, [0, 1], "int64"))
    with pytest.raises(TypeError, match="perm is of type .* of shape .*; expected a .* of integers"):
        kernels.minibatches(x, y, 2, zeros(kernels, 3))
    with pytest.raises(ValueError, match=r"y has shape \(2,\); expected 3 rows as in x"):
        kernels.minibatches(x, zeros(kernels, 2), 2, order)
    with pytest.raises(ValueError, match="batch_size is 0; expected an integer of at least 1"):
        kernels.minibatches(x, y, 0, order)
    with pytest.raises(TypeError, match="drop_last is of type int; expected True or False"):
        kernels.minibatches(x, y, 1, order, drop_last=1)
    with pytest.raises(ValueError, match="grads is empty"):
        kernels.clip_grad_norm([], 1.0)
    with pytest.raises(TypeError, match=r"grads\[1\] has dtype float32; expected float64"):
        kernels.clip_grad_norm([zeros(kernels, 2), zeros(kernels, 2, dtype="float32")], 1.0)
    with pytest.raises(TypeError, match="grads is of type .*; expected a list of"):
        kernels.clip_grad_norm(zeros(kernels, 2), 1.0)


def test_torch_twins_change_nothing():
    """Weights, gradient and state stay as they were, also when they require gradients."""
    w, g = (torch.from_numpy(values) for values in normal(8, (4,), (4,)))
    w.requires_grad_()
    for name in ("momentum_step", "adagrad_step", "adam_step"):
        _, state = getattr(torch_kernels, name)(w, g, None, lr=0.1)
        kept = [part.clone() for part in (w, g, *(state[:2] if isinstance(state, tuple) else [state]))]
        getattr(torch_kernels, name)(w, g, state, lr=0.1)
        now = (w, g, *(state[:2] if isinstance(state, tuple) else [state]))
        assert all(torch.equal(one, other) for one, other in zip(kept, now, strict=True))
