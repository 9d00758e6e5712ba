"""What the looks of lesson 05 compute in the browser, against Torch, NumPy and the course's own kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from driving import load
from numpy.polynomial import legendre

from course_lib.numpy_kernels.dropout import dropout_classic, dropout_forward
from course_lib.numpy_kernels.stopping import early_stopping
from course_lib.widgets.dropout import DropoutPlayground
from course_lib.widgets.penalties import PenaltyCurve

pytestmark = pytest.mark.browser

READ_DIGITS = """(d) => ({ train: part.playground.readDigits(d.train, d.train_labels),
  validation: part.playground.readDigits(d.validation, d.validation_labels) })"""


def torch_network(parts: dict, hidden: int) -> list[torch.Tensor]:
    """The start weights of the page as tensors that need a gradient."""
    shapes = {"w1": (hidden, 64), "b1": (hidden,), "w2": (10, hidden), "b2": (10,)}
    return [
        torch.tensor(parts[name], dtype=torch.float64).reshape(shape).requires_grad_() for name, shape in shapes.items()
    ]


@pytest.mark.parametrize(
    ("p", "hidden", "batch", "lr"), [(0.0, 16, 32, 0.3), (0.5, 16, 32, 0.3), (0.25, 32, 64, 0.1), (0.9, 8, 400, 0.5)]
)
def test_training_equals_torch(watched, p, hidden, batch, lr) -> None:
    """Given the page's start, batches and masks, Torch makes the same steps and measures the same losses."""
    load(watched.page, "dropout_playground.js")
    run = """([digits, settings, steps]) => {
      const data = (READ)(digits);
      const run = new part.playground.DigitRun(settings, data);
      const parts = () => Object.fromEntries(run.network.parts.map((name) => [name, [...run.network[name]]]));
      const made = { start: parts(), steps: [] };
      for (let k = 0; k < steps; k += 1) {
        run.until('step');
        made.steps.push([run.rows, [...run.mask.slice(0, run.rows.length * settings.hidden)]]);
      }
      while (run.epochs < 2) run.until('epoch');
      return { ...made, end: parts(), history: run.history, x: [...data.train.x], y: [...data.train.y],
        xv: [...data.validation.x], yv: [...data.validation.y] };
    }""".replace("READ", READ_DIGITS)
    settings = {"lr": lr, "p": p, "hidden": hidden, "batch": batch, "seed": 3}
    steps = 2 * -(-400 // batch)
    made = watched.page.evaluate(run, [DropoutPlayground().digits, settings, steps])
    w1, b1, w2, b2 = weights = torch_network(made["start"], hidden)
    x, xv = (torch.tensor(made[name], dtype=torch.float64).reshape(-1, 64) for name in ("x", "xv"))
    y, yv = (torch.tensor(made[name]) for name in ("y", "yv"))
    optimiser = torch.optim.SGD(weights, lr=lr)
    for rows, mask in made["steps"]:
        factor = torch.tensor(mask, dtype=torch.float64).reshape(len(rows), hidden) / (1 - p)
        optimiser.zero_grad()
        scores = (torch.relu(x[rows] @ w1.T + b1) * factor) @ w2.T + b2
        torch.nn.functional.cross_entropy(scores, y[rows]).backward()
        optimiser.step()
    for tensor, name in zip(weights, ("w1", "b1", "w2", "b2"), strict=True):
        np.testing.assert_allclose(made["end"][name], tensor.detach().ravel(), rtol=1e-9, atol=1e-11)
    last = made["history"][-1]
    assert last["epoch"] == 2
    for images, labels, part in ((x, y, "train"), (xv, yv, "validation")):
        scores = torch.relu(images @ w1.T + b1) @ w2.T + b2
        loss = torch.nn.functional.cross_entropy(scores, labels).item()
        assert last[f"{part}Loss"] == pytest.approx(loss, rel=1e-9)
        assert last[f"{part}Right"] == pytest.approx((scores.argmax(1) == labels).double().mean().item())
    kept = np.concatenate([mask for _, mask in made["steps"]]).mean()
    assert abs(kept - (1 - p)) < 6 * np.sqrt(p * (1 - p) / (800 * hidden)) + 1e-12
    assert sorted(row for rows, _ in made["steps"][: steps // 2] for row in rows) == list(range(400))


@pytest.mark.parametrize("code", ["lr0.56-p0.5-h64-b32-s1", "lr0.56-p0.5-h256-b32-s0"])
def test_playground_goals_can_be_reached(watched, code) -> None:
    """With dropout 97 % and a loss below 0.09 come within 100 epochs; without it the loss stays above 0.11."""
    load(watched.page, "dropout_playground.js")
    run = """([digits, code, p]) => {
      const run = new part.playground.DigitRun({ ...part.playground.readCode(code), p }, (READ)(digits));
      while (run.history.length <= 100) run.until('epoch');
      return [Math.max(...run.history.map((d) => d.validationRight)),
        Math.min(...run.history.map((d) => d.validationLoss))];
    }""".replace("READ", READ_DIGITS)
    digits = DropoutPlayground().digits
    right, low = watched.page.evaluate(run, [digits, code, DropoutPlayground(code=code).p])
    assert right >= 0.97
    assert low < 0.09
    assert watched.page.evaluate(run, [digits, code, 0])[1] > 0.11


@pytest.mark.parametrize(("degree", "strength"), [(1, 1e-6), (3, 0.0), (7, 1e-3), (12, 1e-6), (15, 1e-6), (15, 30.0)])
def test_ridge_equals_numpy(watched, degree, strength) -> None:
    """Weights and errors are those of NumPy's least squares with the penalty as further rows."""
    load(watched.page, "penalty_curve.js")
    points = PenaltyCurve().points
    run = """([points, degree, strength]) => {
      const w = part.ridge.fitRidge(points.train, degree, strength);
      return [w, part.ridge.meanError(w, points.train), part.ridge.meanError(w, points.validation)];
    }"""
    w, train, validation = watched.page.evaluate(run, [points, degree, strength])
    x, y = (np.array(points["train"][name]) for name in "xy")
    rows = np.diag([0.0, *[np.sqrt(strength)] * degree])
    a = np.vstack([legendre.legvander(x, degree) * np.sqrt(2 / len(x)), rows])
    expected = np.linalg.lstsq(a, np.r_[y * np.sqrt(2 / len(x)), np.zeros(degree + 1)], rcond=None)[0]
    np.testing.assert_allclose(w, expected, rtol=1e-7, atol=1e-9)
    gradient = 2 / len(x) * legendre.legvander(x, degree).T @ (legendre.legval(x, w) - y)
    gradient[1:] += strength * np.array(w[1:])
    np.testing.assert_allclose(gradient, 0, atol=1e-9)
    for part, value in (("train", train), ("validation", validation)):
        error = np.mean((legendre.legval(np.array(points[part]["x"]), w) - points[part]["y"]) ** 2)
        assert value == pytest.approx(error, rel=1e-9)


def test_patience_equals_the_course(watched) -> None:
    """On 300 curves with ties, NaN, and all patiences, the page stops and keeps as early_stopping does."""
    load(watched.page, "patience_plot.js")
    rng = np.random.default_rng(7)
    cases = []
    for _ in range(300):
        losses = np.round(rng.random(rng.integers(1, 25)) * 2, 1)
        losses[rng.random(len(losses)) < 0.1] = np.nan
        cases.append((losses, int(rng.integers(1, 9)), float(rng.choice([0.0, 0.1, 0.25]))))
    sent = [[[None if np.isnan(v) else v for v in losses], patience, delta] for losses, patience, delta in cases]
    run = """(cases) => cases.map(([losses, patience, delta]) => {
      const { stop, best } = part.stopping.earlyStopping(losses, patience, delta);
      return [stop, best];
    })"""
    for found, case in zip(watched.page.evaluate(run, sent), cases, strict=True):
        assert tuple(found) == early_stopping(*case), case


@pytest.mark.parametrize("form", ["inverted", "classic"])
@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_mask_factors_equal_the_course(watched, form, p) -> None:
    """The factors of the slider are those of dropout_forward and dropout_classic, in training and evaluation."""
    load(watched.page, "dropout_slider.js")
    draws = np.random.default_rng(0).random(40)
    run = "([draws, set]) => part.slider40.factors(draws, set)"
    kernel = dropout_forward if form == "inverted" else dropout_classic
    for training in (True, False):
        setup = {"p": p, "form": form, "training": training, "forgets": False}
        found = watched.page.evaluate(run, [draws.tolist(), setup])
        np.testing.assert_allclose(found, kernel(np.ones(40), p, train=training, mask=draws >= p)[0], rtol=1e-12)
