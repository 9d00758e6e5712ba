"""What the looks of lesson 07 compute in the browser, against Torch, NumPy and the course's own kernels."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from driving import load

from course_lib.data import load_digits
from course_lib.numpy_kernels.batchnorm import batchnorm_eval, batchnorm_forward
from course_lib.widgets.batchnorm import SAMPLES, BatchNoise, StabilityMap
from course_lib.widgets.initialisation import _uniforms

pytestmark = pytest.mark.browser

UNIT, NONE = np.ones(1), np.zeros(1)


def drawn_batches(values: list[float], size: int, count: int, seed: int) -> np.ndarray:
    """The batches that the page draws with replacement, (count, size)."""
    numbers = np.array(list(islice(_uniforms(100 * seed + size), size * count)))
    return np.array(values)[np.floor(len(values) * numbers).astype(int)].reshape(count, size)


@pytest.mark.parametrize("values", [SAMPLES, (0.0, 0.0, 0.001), (-6.0, 12.0, 12.0, 1.0, 0.5)])
def test_drag_normalises_as_the_course(watched, values) -> None:
    """Outputs of both modes are those of batchnorm_forward and batchnorm_eval, also where eps matters."""
    load(watched.page, "batch_drag.js")
    run = """([values, start]) => {
      const [now, fixed] = [part.drag.statistics(values), part.drag.statistics(start)];
      return [now, fixed].map((used) => values.map((x) => part.drag.normalised(x, used)));
    }"""
    training, evaluation = watched.page.evaluate(run, [values, SAMPLES])
    x, start = (np.array(batch)[:, None] for batch in (values, SAMPLES))
    np.testing.assert_allclose(training, batchnorm_forward(x, UNIT, NONE, NONE, UNIT)[0][:, 0], rtol=1e-10, atol=1e-12)
    fixed = batchnorm_eval(x, UNIT, NONE, start.mean(axis=0), start.var(axis=0))
    np.testing.assert_allclose(evaluation, fixed.ravel(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (2, 3), (16, 1), (256, 0)])
def test_noise_is_that_of_the_drawn_batches(watched, size, seed) -> None:
    """Means, variances and their spreads are NumPy's on the same batches, and follow sigma / sqrt(n)."""
    load(watched.page, "batch_noise.js")
    values = BatchNoise().values
    run = """([values, size, seed]) => {
      const { means, variances, ...rest } = part.noise.measure(values, size, seed);
      return { means: [...means], variances: [...variances], ...rest };
    }"""
    found = watched.page.evaluate(run, [values, size, seed])
    batches = drawn_batches(values, size, 1000, seed)
    np.testing.assert_allclose(found["means"], batches.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found["variances"], batches.var(axis=1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["spread"], batches.mean(axis=1).std(), rtol=1e-9)
    np.testing.assert_allclose(found["average"], batches.var(axis=1).mean(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["scatter"], batches.var(axis=1).std(), rtol=1e-9, atol=1e-12)
    sigma = np.std(values)
    # The standard deviation of 1,000 means is right within 1 / sqrt(2000), here within 5 of these.
    assert found["spread"] == pytest.approx(sigma / np.sqrt(size), rel=5 / np.sqrt(2000))
    room = 6 * found["scatter"] / np.sqrt(1000) + 1e-12
    assert found["average"] == pytest.approx(sigma**2 * (size - 1) / size, abs=room)


@pytest.mark.parametrize(("size", "momentum", "seed"), [(2, 0.5, 0), (8, 0.1, 2), (64, 0.01, 0), (256, 1.0, 5)])
def test_gap_equals_torch(watched, size, momentum, seed) -> None:
    """After every batch, running statistics, gap and distance are those of torch.nn.BatchNorm1d."""
    load(watched.page, "train_eval_gap.js")
    values = BatchNoise().values
    run = "([values, size, momentum, seed]) => part.gap.gathered(values, { size, momentum, seed })"
    entries = watched.page.evaluate(run, [values, size, momentum, seed])
    assert len(entries) == 200
    layer = torch.nn.BatchNorm1d(1, momentum=momentum, affine=False, dtype=torch.float64)
    everything = torch.tensor(values, dtype=torch.float64)[:, None]
    whole = (everything - everything.mean()) / torch.sqrt(everything.var(correction=0) + layer.eps)
    for entry, batch in zip(entries, drawn_batches(values, size, 200, seed), strict=True):
        x = torch.tensor(batch)[:, None]
        training = layer.train()(x)
        gap = (training - layer.eval()(x)).square().mean().sqrt().item()
        error = (layer(everything) - whole).square().mean().sqrt().item()
        assert entry["mean"] == pytest.approx(layer.running_mean.item(), rel=1e-10)
        assert entry["variance"] == pytest.approx(layer.running_var.item(), rel=1e-10)
        assert entry["gap"] == pytest.approx(gap, rel=1e-6, abs=1e-9)
        assert entry["error"] == pytest.approx(error, rel=1e-6, abs=1e-9)


class TorchNetwork:
    """The network of the map in Torch, from the same numbers."""

    def __init__(self, scale: float, normalised: bool, seed: int) -> None:
        numbers, sizes = _uniforms(seed), (64, 32, 32, 32, 32, 10)
        self.layers, self.normalised = [], normalised
        for inner, outer in zip(sizes, sizes[1:], strict=False):
            draw = 2 * np.fromiter(islice(numbers, inner * outer), float) - 1
            w = torch.tensor(scale * np.sqrt(6 / inner) * draw.reshape(outer, inner), requires_grad=True)
            parts = (w, *(torch.full((outer,), fill, dtype=w.dtype, requires_grad=True) for fill in (1.0, 0.0)))
            self.layers.append(parts)

    def parameters(self) -> list[torch.Tensor]:
        """Weights, scales and shifts; scales count only where there is batch normalisation."""
        return [part for layer in self.layers for part in layer]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of a batch, in training mode."""
        for k, (w, gamma, beta) in enumerate(self.layers):
            x = x @ w.T
            last = k == len(self.layers) - 1
            if self.normalised and not last:
                x = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True)
            else:
                x = x + beta
            x = x if last else torch.relu(x)
        return x


def drawn_orders(count: int, passes: int, seed: int) -> list[list[int]]:
    """The orders in which the page goes through the digits."""
    numbers, order, orders = _uniforms(1000 + seed), list(range(count)), []
    for _ in range(passes):
        for k in range(count - 1, 0, -1):
            other = int((k + 1) * next(numbers))
            order[k], order[other] = order[other], order[k]
        orders.append(list(order))
    return orders


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize(("scale", "lr", "seed"), [(1.0, 0.1, 0), (0.0625, 1.0, 3), (2.0, 0.03, 1), (8.0, 0.003, 0)])
def test_trainings_equal_torch(watched, normalised, scale, lr, seed) -> None:
    """From the same weights and batches, Torch has the same loss at each of the first 24 steps."""
    load(watched.page, "stability_map.js")
    run = """([digits, settings]) => {
      const data = part.stability.readDigits(digits.pixels, digits.labels);
      const run = new part.stability.StabilityRun(settings, data);
      for (let k = 0; k < 24; k += 1) run.work.next();
      return run.losses;
    }"""
    settings = {"scale": scale, "lr": lr, "normalised": normalised, "seed": seed}
    losses = watched.page.evaluate(run, [StabilityMap().digits, settings])
    data, network = load_digits(), TorchNetwork(scale, normalised, seed)
    optimiser = torch.optim.SGD(network.parameters(), lr=lr)
    rows = np.array(drawn_orders(256, 3, seed)).reshape(-1, 32)
    expected = []
    for batch in rows:
        optimiser.zero_grad()
        scores = network(torch.tensor(data.x_train[batch]))
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(data.y_train[batch]))
        loss.backward()
        optimiser.step()
        expected.append(loss.item())
    # An exploding network multiplies rounding as well: its first losses are compared.
    steady = 24 if max(expected) < 1000 else 1
    np.testing.assert_allclose(losses[:steady], expected[:steady], rtol=1e-6)


def test_words_for_a_run(watched) -> None:
    """Converged, slow and diverged, as the docstring of StabilityMap defines them."""
    load(watched.page, "stability_map.js")
    cases = [
        ((0.5, 2.6, 2.7), "converged"),
        ((0.4, 2.6, 80), "converged"),
        ((0.51, 2.6, 2.7), "slow"),
        ((2.31, 2.6, 4.0), "slow"),
        ((2.31, 2.6, 5.3), "diverged"),
        ((6.98, 13.0, 13.0), "slow"),
        ((2.46, 2.3, 2.8), "diverged"),
        ((None, 2.6, 2.7), "diverged"),
    ]
    run = "(cases) => cases.map(([last, first, peak]) => part.stability.stateOf({ last, first, peak }, Math.log(10)))"
    found = watched.page.evaluate(run, [list(numbers) for numbers, _ in cases])
    assert found == [word for _, word in cases]
