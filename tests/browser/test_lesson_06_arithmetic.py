"""What three looks of lesson 06 compute in the browser, against Torch and the course's receptive field."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from driving import load
from torch.nn import functional

from course_lib.numpy_kernels.architecture import receptive_field
from course_lib.widgets.convolution import WINDOW_RANGES

pytestmark = pytest.mark.browser

STACKS = [[], [(3, 1)], [(3, 1), (3, 1), (2, 2)], [(3, 2)] * 3, [(5, 1), (2, 3), (3, 1)], [(1, 2), (2, 1)], [(7, 4)]]


@pytest.mark.parametrize("shape", [(5, 5), (6, 11), (17, 8)])
def test_filtered_image_equals_torch(watched, shape) -> None:
    """The page's output is Torch's convolution, entry by entry, on images of any shape."""
    rng = np.random.default_rng(sum(shape))
    image, kernel = rng.normal(size=shape), rng.normal(size=(3, 3))
    load(watched.page, "kernel_editor.js")
    run = "([image, kernel]) => part.filtering.filtered(part.filtering.pictureFrom(image), kernel)"
    out = watched.page.evaluate(run, [image.tolist(), kernel.tolist()])
    expected = functional.conv2d(torch.tensor(image)[None, None], torch.tensor(kernel)[None, None])[0, 0]
    assert (out["height"], out["width"]) == tuple(expected.shape)
    np.testing.assert_allclose(out["values"], expected.numpy().ravel(), rtol=1e-12, atol=1e-12)


def torch_walk(size: int, kernel: int, padding: int, stride: int, dilation: int) -> tuple[int, list[int]]:
    """Torch's output size (0 where it refuses), and the input cells without a gradient."""
    x = torch.ones(1, 1, size, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 1, kernel, dtype=torch.float64)
    if size + 2 * padding < dilation * (kernel - 1) + 1:
        return 0, list(range(size))
    out = functional.conv1d(x, ones, stride=stride, padding=padding, dilation=dilation)
    out.sum().backward()
    return out.shape[-1], torch.nonzero(x.grad[0, 0] == 0).ravel().tolist()


def test_walk_equals_torch_for_all_settings(watched) -> None:
    """For every padding, stride and dilation the window fits as often as in Torch and misses the same cells."""
    names = ("size", "kernel", "padding", "stride", "dilation")
    sides = [(3, 3), (6, 2), (7, 3), (9, 1), (10, 4), (12, 5)]
    rest = [range(low, high + 1) for low, high in (WINDOW_RANGES[name] for name in names[2:])]
    cases = [dict(zip(names, (*side, *others), strict=True)) for side in sides for others in product(*rest)]
    load(watched.page, "sliding_window.js")
    run = """(cases) => cases.map((c) => {
      const windows = part.walking.windowsAlong(c);
      return [windows.length, part.walking.neverSeen(c, windows)];
    })"""
    found = watched.page.evaluate(run, cases)
    assert found == [list(torch_walk(**case)) for case in cases]
    assert 10 < sum(count == 0 for count, _ in found) < len(found) / 2


@pytest.mark.parametrize("layers", STACKS, ids=str)
def test_paths_equal_the_gradient_of_ones(watched, layers) -> None:
    """With all weights 1 the gradient of an output cell counts its paths; the span is the course's receptive field."""
    x = torch.ones(1, 1, 32, dtype=torch.float64, requires_grad=True)
    out, sizes = x, [32]
    for kernel, stride in layers:
        out = functional.conv1d(out, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride)
        sizes.append(out.shape[-1])
    cell = out.shape[-1] // 2
    (gradient,) = torch.autograd.grad(out[0, 0, cell], x)
    load(watched.page, "receptive_field.js")
    run = """([layers, cell]) => {
      const rows = part.reaching.rowsOf(32, layers);
      return [rows.map((row) => row.length), rows[rows.length - 1][cell], [...part.reaching.pathsTo(cell, layers)[0]]];
    }"""
    lengths, middle, paths = watched.page.evaluate(run, [layers, cell])
    counts = np.zeros(32)
    for place, times in paths:
        counts[place] = times
    np.testing.assert_array_equal(counts, gradient[0, 0].numpy())
    assert lengths == sizes
    seen = sorted(place for place, _ in paths)
    assert seen[-1] - seen[0] + 1 == receptive_field([(*layer, 1) for layer in layers])
    assert middle == (seen[0] + seen[-1]) / 2
