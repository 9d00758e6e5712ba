"""The network with one hidden layer against Torch modules, autograd and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.exercises.mlp_xor import TRAIN_XOR, XOR_WEIGHTS
from course_lib import numpy_kernels, torch_kernels
from course_lib.compare import Tolerance, compare
from course_lib.torch_kernels._arrays import on_arrays

size = st.integers(1, 5)
sizes = st.tuples(size, size, size, size)
dtypes = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def network(seed: int, n: int, d: int, h: int, m: int, dtype: str = "float64") -> tuple[list[np.ndarray], np.ndarray]:
    """The arguments of `mlp_forward` and a random upstream gradient."""
    rng = np.random.default_rng(seed)
    shapes = ((n, d), (h, d), (h,), (m, h), (m,), (n, m))
    *arguments, dout = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return arguments, dout


def torch_network(arguments: list[np.ndarray]) -> tuple[torch.nn.Sequential, torch.Tensor]:
    """The same network from Torch's own modules, and its input."""
    x, *values = map(torch.from_numpy, arguments)
    (h, d), m = values[0].shape, len(values[3])
    layers = torch.nn.Linear(d, h), torch.nn.Sigmoid(), torch.nn.Linear(h, m), torch.nn.Sigmoid()
    module = torch.nn.Sequential(*layers).to(x.dtype)
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(value)
    return module, x


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shape=sizes, dtype=dtypes, seed=st.integers(0, 99))
def test_forward_and_backward_equal_torch_modules(shape, dtype, seed):
    """Any sizes and both dtypes give the output and the gradients of a `torch.nn.Sequential`, in both kernels."""
    arguments, dout = network(seed, *shape, dtype)
    module, x = torch_network(arguments)
    wanted = module(x)
    wanted.backward(torch.from_numpy(dout))
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    out, cache = numpy_kernels.mlp_forward(*arguments)
    their_out, their_cache = torch_kernels.mlp_forward(*map(torch.from_numpy, arguments))
    np.testing.assert_allclose(out, wanted.detach(), **close)
    np.testing.assert_allclose(their_out, wanted.detach(), **close)
    ours = numpy_kernels.mlp_backward(dout, cache)
    theirs = torch_kernels.mlp_backward(torch.from_numpy(dout), their_cache)
    for one, other, parameter in zip(ours, theirs, module.parameters(), strict=True):
        assert one.dtype == dtype and one.shape == parameter.shape
        np.testing.assert_allclose(one, parameter.grad, **close)
        np.testing.assert_allclose(other, parameter.grad, **close)


def test_backward_is_the_slope_of_forward():
    """Central differences along a random direction agree with the four gradients."""
    (x, *parameters), dout = network(3, 4, 3, 5, 2)
    directions = [np.random.default_rng(9).normal(size=parameter.shape) for parameter in parameters]
    step = 1e-5

    def moved(sign: int) -> float:
        there = [p + sign * step * v for p, v in zip(parameters, directions, strict=True)]
        return float(np.sum(dout * numpy_kernels.mlp_forward(x, *there)[0]))

    gradients = numpy_kernels.mlp_backward(dout, numpy_kernels.mlp_forward(x, *parameters)[1])
    slope = sum(float(np.sum(g * v)) for g, v in zip(gradients, directions, strict=True))
    assert slope == pytest.approx((moved(1) - moved(-1)) / (2 * step), rel=1e-7)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shape=sizes, seed=st.integers(0, 99))
def test_hidden_delta_is_the_gradient_before_the_hidden_sigmoid(shape, seed):
    """Autograd, asked for the weighted sums of the hidden layer, gives the same in both kernels."""
    (x, w1, b1, w2, b2), dout = network(seed, *shape)
    z1 = torch.from_numpy(x @ w1.T + b1).requires_grad_()
    h = torch.sigmoid(z1)
    out = torch.sigmoid(h @ torch.from_numpy(w2).T + torch.from_numpy(b2))
    (wanted,) = torch.autograd.grad(out, z1, torch.from_numpy(dout))
    values = dout, h.detach().numpy(), out.detach().numpy(), w2
    np.testing.assert_allclose(numpy_kernels.hidden_delta(*values), wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(on_arrays(torch_kernels.hidden_delta)(*values), wanted, rtol=1e-9, atol=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(layers=st.lists(st.integers(1, 40), min_size=2, max_size=6), bias=st.booleans())
def test_count_parameters_counts_real_modules(layers, bias):
    """Both kernels count what a real network of Torch layers holds."""
    pairs = zip(layers, layers[1:], strict=False)
    held = sum(p.numel() for i, o in pairs for p in torch.nn.Linear(i, o, bias=bias).parameters())
    assert numpy_kernels.count_parameters(layers, bias) == held == torch_kernels.count_parameters(tuple(layers), bias)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_train_xor_takes_the_steps_of_sgd(steps):
    """The weights after a few steps are those of `torch.optim.SGD` on the same loss; the initial ones stay."""
    (x, *parameters), _ = network(4, 6, 2, 3, 1)
    y = np.random.default_rng(1).integers(0, 2, (6, 1)).astype(float)
    before = [parameter.copy() for parameter in parameters]
    module, inputs = torch_network([x, *parameters])
    optimiser = torch.optim.SGD(module.parameters(), lr=0.7)
    for _ in range(steps):
        optimiser.zero_grad()
        ((module(inputs) - torch.from_numpy(y)) ** 2).sum(dim=1).mean().backward()
        optimiser.step()
    ours = numpy_kernels.train_xor(x, y, *parameters, 0.7, steps)
    theirs = on_arrays(torch_kernels.train_xor)(x, y, *parameters, 0.7, steps)
    for one, other, wanted in zip(ours, theirs, module.parameters(), strict=True):
        np.testing.assert_allclose(one, wanted.detach(), rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(other, wanted.detach(), rtol=1e-11, atol=1e-12)
    for now, then, result in zip(parameters, before, ours, strict=True):
        assert np.array_equal(now, then) and not np.shares_memory(now, result)


def test_train_xor_learns_xor():
    """Eight hidden units, 2,000 steps: all four corners on the right side."""
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape) for shape in ((8, 2), 8, (1, 8), 1)]
    y = np.array([[0.0], [1.0], [1.0], [0.0]])
    weights = numpy_kernels.train_xor(CORNERS, y, *start, 2.0, 2000)
    out, _ = numpy_kernels.mlp_forward(CORNERS, *weights)
    assert np.abs(out - y).max() < 0.2


@pytest.mark.parametrize("source", [numpy_kernels, torch_kernels], ids=["numpy", "torch"])
def test_xor_weights_solve_xor_clearly(source):
    """Each reference's own weights pass in both networks, far from 0.5."""
    weights = on_arrays(source.xor_weights)()
    for forward in (numpy_kernels.mlp_forward, on_arrays(torch_kernels.mlp_forward)):
        out = forward(CORNERS, *weights)[0].ravel()
        assert (out > 0.5).tolist() == [False, True, True, False]
        assert np.abs(out - 0.5).min() > 0.4


def test_xor_weights_are_new_each_time():
    """Changing the weights of one call does not spoil the next."""
    numpy_kernels.xor_weights()[0][:] = 0
    assert numpy_kernels.xor_weights()[0].all()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "Return four arrays"),
        ([np.zeros((2, 2))] * 3, "Return four arrays"),
        ([[[1, 2], [3, 4]], np.zeros(2), np.zeros((1, 2)), np.zeros(1)], "w1 is no array"),
        ([np.zeros((2, 2)), np.zeros(2), np.zeros((2, 1)), np.zeros(1)], "w2 is turned"),
        ([np.zeros((3, 2)), np.zeros(3), np.zeros((3, 1)), np.zeros(1)], "w2 is turned"),
        ([np.zeros((2, 2)), np.zeros(2), np.zeros(2), np.zeros(1)], r"w2 has shape \(2,\); expected \(1, H\)"),
        ([np.zeros((2, 2)), np.zeros((2, 1)), np.zeros((1, 2)), np.zeros(1)], "b1 has shape"),
        ([np.zeros((2, 2)), np.zeros(2), np.zeros((1, 2)), -10], "b2 is no array"),
        ([np.zeros((2, 2)), np.zeros(2), np.zeros((1, 2)), np.zeros((1, 1))], "b2 has shape"),
        ([np.zeros((1, 2)), np.zeros(1), np.zeros((1, 1)), np.zeros(1)], "one hidden unit"),
        ([np.full((2, 2), np.nan), np.zeros(2), np.zeros((1, 2)), np.zeros(1)], "w1 holds numbers that are not finite"),
        ([np.zeros((2, 2)), np.zeros(2), np.zeros((1, 2)), np.zeros(1, complex)], "b2 is no array of real"),
    ],
)
def test_unusable_weights_get_a_sentence(answer, sentence):
    """What cannot be run through a network is refused in words for the learner."""
    case = XOR_WEIGHTS.cases(np.random.default_rng(0), True)[0]
    with pytest.raises(ValueError, match=sentence):
        XOR_WEIGHTS.prepare({"result": answer}, case, {"mlp_forward": numpy_kernels.mlp_forward})


@pytest.mark.parametrize("public", [True, False])
def test_trained_weights_are_judged_by_labels(public):
    """Weights after training pass by the labels they give near every corner; untrained or flipped ones do not."""
    case = TRAIN_XOR.cases(np.random.default_rng(3), public)[-1]
    kernels = {"mlp_forward": numpy_kernels.mlp_forward}
    start = tuple(case.inputs[name] for name in ("w1", "b1", "w2", "b2"))
    w1, b1, w2, b2 = numpy_kernels.train_xor(**case.inputs)
    right, again, flipped, untrained = (
        TRAIN_XOR.prepare({"result": list(weights), "x afterwards": 1}, case, kernels)
        for weights in ((w1, b1, w2, b2), (w1, b1, 1.01 * w2, b2), (w1, b1, -w2, -b2), start)
    )
    labels = right["result"]["class at new points"]
    assert labels.reshape(4, -1).tolist() == [case.inputs["y"][:, 0].astype(int).tolist()] * 4
    assert again["result"]["class at new points"].tolist() == labels.tolist()
    assert flipped["result"]["class at new points"].tolist() == (1 - labels).tolist()
    assert untrained["result"]["class at new points"].tolist() != labels.tolist()
    assert right["x afterwards"] == 1


def test_huge_weights_are_judged_quietly():
    """Weights that overflow on the way are judged by what comes out, without a warning."""
    case = XOR_WEIGHTS.cases(np.random.default_rng(0), True)[0]
    huge = [np.full((2, 2), 1e308), np.full(2, -1e308), np.array([[1e308, -1e308]]), np.zeros(1)]
    seen = XOR_WEIGHTS.prepare({"result": huge}, case, {"mlp_forward": numpy_kernels.mlp_forward})
    assert len(seen["result"]) == 4
    assert seen["result"]["corner (0, 1)"] != "a clear yes (above 0.6)"


@pytest.mark.parametrize(
    ("steep", "sign", "said"),
    [
        (1.0, 1, "Result['corner (0, 0)'] is an unclear no (0.4 to 0.5); expected a clear no (below 0.4)."),
        (20.0, -1, "Result['corner (0, 0)'] is a clear yes (above 0.6); expected a clear no (below 0.4)."),
        (20.0, 1, None),
    ],
)
def test_each_corner_is_told_in_words(steep, sign, said):
    """Whoever is wrong at a corner reads which one, what the network says there and what it should say."""
    case = XOR_WEIGHTS.cases(np.random.default_rng(0), True)[0]
    w1, b1 = np.full((2, 2), steep), steep * np.array([-0.5, -1.5])
    w2, b2 = sign * steep * np.array([[1.0, -1.0]]), sign * steep * np.array([-0.5])
    seen, right = (
        XOR_WEIGHTS.prepare({"result": answer}, case, {"mlp_forward": numpy_kernels.mlp_forward})["result"]
        for answer in ((w1, b1, w2, b2), numpy_kernels.xor_weights())
    )
    difference = compare(seen, right, Tolerance.for_dtype("float64"))
    assert (difference and difference.message) == said
    assert difference is None or difference.kind == "values"


def test_overflowing_answers_are_called_no_number():
    """Weights whose network ends in NaN get that said for the corners where it happens."""
    case = XOR_WEIGHTS.cases(np.random.default_rng(0), True)[0]
    nan = {"mlp_forward": lambda x, *weights: (np.full((len(x), 1), np.nan), None)}
    said = XOR_WEIGHTS.prepare({"result": numpy_kernels.xor_weights()}, case, nan)["result"].values()
    assert set(said) == {"no number: something overflows on the way"}


@pytest.mark.parametrize(
    "forward", [numpy_kernels.mlp_forward, on_arrays(torch_kernels.mlp_forward)], ids=["numpy", "torch"]
)
def test_cache_is_the_documented_one(forward):
    """Both kernels keep inputs, hidden values, answers and output weights, in this order."""
    arguments, _ = network(5, 4, 3, 5, 2)
    x, w1, b1, w2, _ = arguments
    out, cache = forward(*arguments)
    for kept, wanted in zip(cache, (x, 1 / (1 + np.exp(-(x @ w1.T + b1))), out, w2), strict=True):
        np.testing.assert_allclose(kept, wanted, rtol=1e-12)


@pytest.mark.parametrize("kernels", [numpy_kernels, torch_kernels], ids=["numpy", "torch"])
def test_network_kernels_name_what_does_not_fit(kernels):
    """Wrong shapes, caches, sizes and steps are refused by name."""
    zeros = np.zeros if kernels is numpy_kernels else torch.zeros
    x, w1, b1, w2, b2 = (zeros(shape) for shape in ((4, 2), (3, 2), (3,), (1, 3), (1,)))
    with pytest.raises(ValueError, match=r"w2 has shape \(3, 1\); expected \(M, H\) with H = 3 as in w1"):
        kernels.mlp_forward(x, w1, b1, zeros((3, 1)), b2)
    with pytest.raises(ValueError, match=r"dout has shape|out has shape"):
        kernels.mlp_backward(zeros((4, 2)), kernels.mlp_forward(x, w1, b1, w2, b2)[1])
    with pytest.raises(TypeError, match="cache is of type NoneType; expected the second thing mlp_forward returns"):
        kernels.mlp_backward(zeros((4, 1)), None)
    with pytest.raises(ValueError, match=r"h has shape \(5, 3\); expected \(N, H\) with N = 4 as in dout"):
        kernels.hidden_delta(zeros((4, 1)), zeros((5, 3)), zeros((4, 1)), w2)
    with pytest.raises(ValueError, match=r"w2 has shape \(2, 3\); expected \(1, H\)"):
        kernels.train_xor(x, zeros((4, 1)), w1, b1, zeros((2, 3)), b2, 0.1, 1)
    with pytest.raises(ValueError, match="steps is -1; expected an integer of at least 0"):
        kernels.train_xor(x, zeros((4, 1)), w1, b1, w2, b2, 0.1, -1)
    with pytest.raises(TypeError, match="steps is of type float; expected an integer"):
        kernels.train_xor(x, zeros((4, 1)), w1, b1, w2, b2, 0.1, 1.5)


@pytest.mark.parametrize("kernels", [numpy_kernels, torch_kernels], ids=["numpy", "torch"])
@pytest.mark.parametrize(
    ("sizes", "bias", "error", "sentence"),
    [
        ([3], True, ValueError, "sizes has 1 entries"),
        ([3, 0], True, ValueError, r"sizes\[1\] is 0; expected an integer of at least 1"),
        ([3, 2.0], True, TypeError, r"sizes\[1\] is of type float"),
        (7, True, TypeError, "sizes is of type int"),
        ([3, 2], 1, TypeError, "bias is of type int; expected True or False"),
    ],
)
def test_count_parameters_names_what_does_not_fit(kernels, sizes, bias, error, sentence):
    """Sizes and bias of a wrong kind are refused by name."""
    with pytest.raises(error, match=sentence):
        kernels.count_parameters(sizes, bias)
