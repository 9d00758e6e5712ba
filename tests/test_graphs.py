"""Computation graphs: gradients against autograd, orders against their definition, values against Torch's graph."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import array, assert_slope, dtypes, each_device, each_library, function_parity, normal, seeds, size, zeros

from course_lib import numpy_kernels, torch_kernels

numbers = st.integers(-3, 3).map(float)


@given(x1=numbers, x2=numbers, w1=numbers, w3=numbers, b=numbers)
def test_exam_graph_equals_autograd(x1, x2, w1, w3, b):
    """Whole numbers reach the corner of the ReLU often; there and elsewhere autograd says the same."""
    found = function_parity("exam_graph_gradient", x1, x2, w1, w3, b)
    score = w1 * x1 + w1 * x2 + b
    assert found[4] == (w3 if score > 0 else 0)
    assert found[2] == found[4] * (x1 + x2)


def test_exam_graph_is_the_slope():
    """A nudge of each of the five numbers moves f as its gradient says."""
    at = np.array([0.4, 1.1, 0.7, -1.3, 0.2])

    def f(there):
        x1, x2, w1, w3, b = there
        return w3 * max(w1 * x1 + w1 * x2 + b, 0.0)

    assert_slope(f, [at], np.array(numpy_kernels.exam_graph_gradient(*at)))


@each_library
def test_exam_graph_takes_numbers_and_arrays_without_axes(kernels):
    """Numbers and arrays without axes give the same; an array with axes is refused by name."""
    given_numbers = [2.0, 3.0, 1.0, 4.0, -1.0]
    for wrapped in (given_numbers, [array(kernels, number) for number in given_numbers]):
        assert [float(number) for number in kernels.exam_graph_gradient(*wrapped)] == [4.0, 4.0, 20.0, 4.0, 4.0]
    with pytest.raises(TypeError, match=r"w1 is of type .* of shape \(2,\); expected a number"):
        kernels.exam_graph_gradient(1.0, 1.0, zeros(kernels, 2), 1.0, 1.0)


def broadcastable(draw):
    """A shape, and one that it broadcasts to."""
    wide = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    kept = draw(st.integers(0, len(wide)))
    narrow = tuple(size if draw(st.booleans()) else 1 for size in wide[len(wide) - kept :])
    return narrow, wide


@each_device
@settings(max_examples=60)
@given(shapes=st.composite(broadcastable)(), dtype=dtypes, seed=seeds)
def test_unbroadcast_sums_over_every_copy(shapes, dtype, seed, device):
    """Any shape, with axes in front, sizes of one, zero or both: each number gets the sum over its copies."""
    narrow, wide = shapes
    dout = np.asarray(normal(seed, wide, dtype=dtype)[0])
    found = function_parity("unbroadcast", dout, narrow, device=device)
    wanted = np.zeros(narrow, dtype)
    places = np.broadcast_to(np.arange(wanted.size).reshape(narrow), wide)
    np.add.at(wanted.reshape(-1), places.reshape(-1), dout.reshape(-1))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@each_library
def test_unbroadcast_gives_a_new_array(kernels):
    """Also where nothing is summed, changing the gradient leaves the upstream one alone."""
    dout = zeros(kernels, 2, 3)
    kernels.unbroadcast(dout, (2, 3))[0, 0] = 5.0
    assert float(dout[0, 0]) == 0.0


@st.composite
def graphs(draw):
    """A graph without cycles, its keys in any order; some names are used twice by the same name."""
    count = draw(st.integers(0, 8))
    sources = [draw(st.lists(st.integers(0, k - 1), max_size=3)) if k else [] for k in range(count)]
    keys = draw(st.permutations(range(count)))
    return {f"n{k}": [f"n{source}" for source in sources[k]] for k in keys}


@each_library
@given(graph=graphs())
def test_every_name_comes_after_its_sources(graph, kernels):
    """Any graph without cycles, also the empty one, is put in a valid order and stays as it is."""
    before = {name: list(sources) for name, sources in graph.items()}
    order = kernels.topological_order(graph)
    assert sorted(order) == sorted(graph)
    assert all(order.index(source) < order.index(name) for name, sources in graph.items() for source in sources)
    assert graph == before


@each_library
@given(graph=graphs(), data=st.data())
def test_a_cycle_is_refused(graph, data, kernels):
    """Whatever else the graph holds, names that wait for each other have no order."""
    names = data.draw(st.lists(st.sampled_from(sorted(graph)), min_size=1, unique=True)) if graph else ["n0"]
    graph = {name: list(sources) for name, sources in graph.items()} or {"n0": []}
    for one, other in itertools.pairwise([*names, names[0]]):
        graph[one].append(other)
    with pytest.raises(ValueError, match="graph has a cycle: 'n[0-9]' is never ready"):
        kernels.topological_order(graph)


@each_library
def test_a_long_chain_has_an_order(kernels):
    """A chain longer than Python's recursion limit is no problem."""
    graph = {k: [k - 1] if k else [] for k in reversed(range(1500))}
    assert kernels.topological_order(graph) == list(range(1500))


def play(value_class, program, data):
    """Run a little program on values: pairs of operation and places; returns all values."""
    values = [value_class(number) for number in data]
    for sign, i, j in program:
        one, other = values[i % len(values)], values[j % len(values)]
        made = {"+": lambda a, b: a + b, "*": lambda a, b: a * b, "relu": lambda a, b: a.relu()}[sign](one, other)
        values.append(made)
    return values


steps = st.tuples(st.sampled_from(["+", "*", "relu"]), st.integers(0, 20), st.integers(0, 20))


@settings(max_examples=60)
@given(data=st.lists(numbers, min_size=1, max_size=3), program=st.lists(steps, max_size=6), calls=st.integers(1, 3))
def test_value_equals_autograd(data, program, calls):
    """Random programs that use numbers again and again: data and every grad agree, also when backward is repeated."""
    ours, theirs = (play(kernels.Value, program, data) for kernels in (numpy_kernels, torch_kernels))
    for _ in range(calls):
        ours[-1].backward()
        theirs[-1].backward()
    assert [value.data for value in ours] == pytest.approx([value.data for value in theirs])
    assert [value.grad for value in ours] == pytest.approx([value.grad for value in theirs])


@each_library
def test_value_takes_numbers_on_both_sides(kernels):
    """`2 + x` and `x + 2`, `3 * x` and `x * 3` are the same."""
    x = kernels.Value(4.0)
    y = 3 * x + x * 3 + (2 + x) + (x + 2)
    y.backward()
    assert (y.data, x.grad) == (36.0, 8.0)


@each_library
def test_value_can_be_trained(kernels):
    """Data and grad can be set: descent with grads set back to 0 reaches the lowest point of (x - 3)**2."""
    x = kernels.Value(0.0)
    for _ in range(60):
        error = x + -3.0
        (error * error).backward()
        x.data -= 0.1 * x.grad
        x.grad = 0.0
    assert x.data == pytest.approx(3.0, abs=1e-4)


def test_value_goes_deep():
    """A sum of more terms than Python's recursion limit is differentiated."""
    x = numpy_kernels.Value(1.0)
    total = x
    for _ in range(3000):
        total = total + x
    total.backward()
    assert (total.data, x.grad) == (3001.0, 3001.0)


def forward(layers, x, parameters):
    """Output and caches of layers in a row."""
    activations = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z))}
    caches, parameters = [], iter(parameters)
    for kind in layers:
        if kind == "affine":
            w, b = next(parameters)
            caches.append((x, w, b))
            x = x @ w.T + b
        else:
            x = activations[kind](x)
            caches.append((x,))
    return x, caches


def network(seed, kinds, n, dtype="float64"):
    """Inputs and parameters for affine layers in front of the given activations."""
    sizes = np.random.default_rng(seed).integers(1, 5, len(kinds) + 1)
    shapes = [((m, d), (m,)) for d, m in itertools.pairwise(sizes)]
    x = normal(seed, (n, sizes[0]), dtype=dtype)[0]
    layers = [part for kind in kinds for part in ("affine", kind)]
    return layers, x, [tuple(normal(seed + k, *pair, dtype=dtype)) for k, pair in enumerate(shapes)]


@each_device
@settings(max_examples=25)
@given(kinds=st.lists(st.sampled_from(["relu", "tanh", "sigmoid"]), min_size=1, max_size=3), n=size, dtype=dtypes,
       seed=seeds)  # fmt: skip
def test_sequential_backward_equals_autograd(kinds, n, dtype, seed, device):
    """Both libraries agree with autograd on the whole network, layer by layer."""
    layers, x, parameters = network(seed, kinds, n, dtype)
    out, caches = forward(layers, x, parameters)
    dout = normal(seed + 9, out.shape, dtype=dtype)[0]
    dx, grads = function_parity("sequential_backward", dout, layers, caches, device=device, factor=10)
    leaves = [torch.from_numpy(part).requires_grad_() for part in (x, *itertools.chain(*parameters))]
    h = leaves[0]
    for k, kind in enumerate(kinds):
        h = getattr(torch, kind)(torch.nn.functional.linear(h, leaves[1 + 2 * k], leaves[2 + 2 * k]))
    wanted = torch.autograd.grad(h, leaves, torch.from_numpy(dout))
    assert [len(own) for own in grads] == [2 if kind == "affine" else 0 for kind in layers]
    for found, right in zip([dx, *itertools.chain(*grads)], wanted, strict=True):
        np.testing.assert_allclose(found, right.numpy(), rtol=2e-4, atol=2e-5)


def test_sequential_backward_is_the_slope():
    """Central differences along random directions agree with the gradient of the input and of every parameter."""
    layers, x, parameters = network(3, ["tanh", "sigmoid"], 4)
    out, caches = forward(layers, x, parameters)
    dout = normal(5, out.shape)[0]
    dx, grads = numpy_kernels.sequential_backward(dout, layers, caches)

    def outputs(x, w1, b1, w2, b2):
        return forward(layers, x, [(w1, b1), (w2, b2)])[0]

    assert_slope(outputs, [x, *itertools.chain(*parameters)], [dx, *itertools.chain(*grads)], dout)


@each_library
def test_no_layers_pass_everything_on(kernels):
    """Without layers the gradient of the input is the upstream one."""
    dx, grads = kernels.sequential_backward(zeros(kernels, 2, 3) + 4, [], [])
    assert dx.tolist() == [[4.0] * 3] * 2 and grads == []


@each_library
def test_graphs_name_what_does_not_fit(kernels):
    """Shapes, graphs, layers and numbers of a wrong kind are refused by name."""
    wide = zeros(kernels, 4, 3)
    with pytest.raises(ValueError, match=r"shape is \(4,\); expected a shape that broadcasts to \(4, 3\)"):
        kernels.unbroadcast(wide, (4,))
    with pytest.raises(ValueError, match=r"shape is \(1, 4, 3\); expected"):
        kernels.unbroadcast(wide, (1, 4, 3))
    with pytest.raises(TypeError, match="shape is of type int"):
        kernels.unbroadcast(wide, 3)
    with pytest.raises(TypeError, match="graph is of type list"):
        kernels.topological_order(["x"])
    with pytest.raises(TypeError, match=r"graph\['y'\] is of type str; expected a list of names"):
        kernels.topological_order({"y": "x"})
    with pytest.raises(ValueError, match=r"graph\['y'\] has 'x', which is no key"):
        kernels.topological_order({"y": ["x"]})
    with pytest.raises(ValueError, match=r"layers\[0\] is 'gelu'; expected one of: affine, relu, sigmoid, tanh"):
        kernels.sequential_backward(wide, ["gelu"], [(wide,)])
    with pytest.raises(ValueError, match="caches has 0 entries; expected 1"):
        kernels.sequential_backward(wide, ["relu"], [])
    with pytest.raises(ValueError, match=r"dout has shape \(4, 3\); expected \(2, 3\), the shape of out"):
        kernels.sequential_backward(wide, ["relu"], [(zeros(kernels, 2, 3),)])
    with pytest.raises(TypeError, match="cache is of type .*; expected the second thing tanh_forward returns"):
        kernels.sequential_backward(wide, ["tanh"], [wide])
    with pytest.raises(TypeError, match=r"data is of type .* of shape \(2,\); expected a number"):
        kernels.Value(1.0) + zeros(kernels, 2)
