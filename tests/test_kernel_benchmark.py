"""The benchmark of the kernels: its rows, its figures, and that it refuses to time what differs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from benchmarks import kernels, networks

SUMMARY = {
    *("conv2d_float32", "conv2d_float64", "maxpool2d", "batchnorm2d", "lenet_step", "resnet_step"),
    *("embedding_backward", "cross_entropy", "adam", "conv1d"),
}


def test_rows_are_those_that_were_promised():
    """Every figure of the summary has its row, once."""
    assert sorted(row.name for row in kernels.ROWS) == sorted(SUMMARY)


def test_a_row_is_measured_and_printed():
    """A measured row has a ratio in the summary, its times below, and the BLAS that ran beside it."""
    rows = [row for row in kernels.ROWS if row.name == "embedding_backward"]
    result = json.loads(json.dumps(kernels.measure(rows, rounds=1)))
    assert result["summary"]["embedding_backward"] > 0
    assert {size["size"].split(", ")[2] for size in result["rows"]["embedding_backward"]["sizes"]} == {
        "even words",
        "words of a text",
    }
    assert result["machine"]["blas"]
    assert "embedding, backward only" in kernels.as_text(result)


def test_different_results_are_not_timed():
    """A side that computes something else stops the benchmark."""
    with pytest.raises(AssertionError):
        kernels.race(kernels.Duel("wrong", lambda: np.ones(3), lambda: torch.zeros(3)), rounds=1)


@pytest.mark.parametrize(
    ("network", "shapes", "image"),
    [
        (networks.lenet, networks.LENET_SHAPES, (4, 1, 28, 28)),
        (networks.resnet, networks.resnet_shapes(), (4, 3, 32, 32)),
    ],
)
def test_networks_learn_alike(network, shapes, image):
    """Three steps of a network have the same falling losses with our kernels and with Torch."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=image).astype(np.float32), np.arange(image[0])
    arguments = network, x, labels, networks.initial(shapes, rng), 0.002
    ours, theirs = networks.numpy_step(*arguments), networks.torch_step(*arguments)
    losses = [(ours(), theirs()) for _ in range(3)]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-2)
    assert losses[2][0] < losses[0][0]


def test_lenet_has_as_many_parameters_as_in_the_paper():
    """61,706; and the residual network the 269,722 of ResNet-20 with 2,752 in two projections."""
    assert sum(int(np.prod(shape)) for shape in networks.LENET_SHAPES) == 61_706
    assert sum(int(np.prod(shape)) for shape in networks.resnet_shapes()) == 272_474
