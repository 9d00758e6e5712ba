"""What the playground computes in the browser, against Torch and NumPy; and that its goals can be reached."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from driving import load

from course_lib.widgets.playground import RECORDED_DROPPED, RECORDED_PLAIN, Playground

pytestmark = pytest.mark.browser

READ_DIGITS = """(d) => ({ train: part.playground.readDigits(d.train, d.train_labels),
  validation: part.playground.readDigits(d.validation, d.validation_labels) })"""
TRAIN = """([digits, settings, steps, epochs]) => {
  const data = (READ)(digits);
  const run = new part.playground.DigitRun(settings, data);
  const parts = () => Object.fromEntries(run.network.parts.map((name) => [name, [...run.network[name]]]));
  const made = { start: parts(), steps: [] };
  for (let k = 0; k < steps; k += 1) {
    run.until('step');
    made.steps.push([run.rows, [...run.mask.slice(0, run.rows.length * settings.hidden)]]);
  }
  while (run.epochs < epochs) run.until('epoch');
  return { ...made, end: parts(), history: run.history, x: [...data.train.x], y: [...data.train.y],
    xv: [...data.validation.x], yv: [...data.validation.y] };
}""".replace("READ", READ_DIGITS)
HISTORY = """([digits, code, epochs]) => {
  const run = new part.playground.DigitRun(part.playground.readCode(code), (READ)(digits));
  while (run.epochs < epochs) run.until('epoch');
  return run.history.map((point) => [point.validationLoss, point.validationRight]);
}""".replace("READ", READ_DIGITS)
RULES = {
    "sgd": lambda weights, lr: torch.optim.SGD(weights, lr=lr),
    "momentum": lambda weights, lr: torch.optim.SGD(weights, lr=lr, momentum=0.9),
    "rmsprop": lambda weights, lr: torch.optim.RMSprop(weights, lr=lr),
    "adam": lambda weights, lr: torch.optim.Adam(weights, lr=lr),
    "adamw": lambda weights, lr: torch.optim.AdamW(weights, lr=lr, weight_decay=0.01),
}


def torch_network(parts: dict, hidden: int) -> list[torch.Tensor]:
    """The start weights of the page as tensors that need a gradient."""
    shapes = {"w1": (hidden, 64), "b1": (hidden,), "w2": (10, hidden), "b2": (10,)}
    return [
        torch.tensor(parts[name], dtype=torch.float64).reshape(shape).requires_grad_() for name, shape in shapes.items()
    ]


def step_as_the_page(made: dict, weights: list[torch.Tensor], optimiser: torch.optim.Optimizer, p: float) -> None:
    """Make the page's steps with Torch: its batches, its masks."""
    w1, b1, w2, b2 = weights
    x = torch.tensor(made["x"], dtype=torch.float64).reshape(-1, 64)
    y = torch.tensor(made["y"])
    for rows, mask in made["steps"]:
        factor = torch.tensor(mask, dtype=torch.float64).reshape(len(rows), -1) / (1 - p)
        optimiser.zero_grad()
        scores = (torch.relu(x[rows] @ w1.T + b1) * factor) @ w2.T + b2
        torch.nn.functional.cross_entropy(scores, y[rows]).backward()
        optimiser.step()


@pytest.mark.parametrize(
    ("optimiser", "p", "hidden", "batch", "lr"),
    [
        ("sgd", 0.0, 16, 32, 0.3),
        ("sgd", 0.5, 16, 32, 0.3),
        ("sgd", 0.9, 8, 400, 0.5),
        ("momentum", 0.25, 32, 64, 0.1),
        ("rmsprop", 0.3, 16, 32, 0.003),
        ("adam", 0.5, 16, 32, 0.01),
        ("adamw", 0.2, 4, 64, 0.03),
    ],
)
def test_training_equals_torch(watched, optimiser, p, hidden, batch, lr) -> None:
    """Given the page's start, batches and masks, Torch makes the same steps and measures the same losses."""
    load(watched.page, "playground.js")
    settings = {"optimiser": optimiser, "lr": lr, "p": p, "hidden": hidden, "batch": batch, "seed": 3}
    made = watched.page.evaluate(TRAIN, [Playground().digits, settings, 2 * -(-400 // batch), 2])
    weights = torch_network(made["start"], hidden)
    step_as_the_page(made, weights, RULES[optimiser](weights, lr), p)
    for tensor, name in zip(weights, ("w1", "b1", "w2", "b2"), strict=True):
        np.testing.assert_allclose(made["end"][name], tensor.detach().ravel(), rtol=1e-6, atol=1e-8)
    w1, b1, w2, b2 = weights
    last = made["history"][-1]
    assert last["epoch"] == 2
    for images, labels, part in (("x", "y", "train"), ("xv", "yv", "validation")):
        seen, labels = torch.tensor(made[images], dtype=torch.float64).reshape(-1, 64), torch.tensor(made[labels])
        scores = torch.relu(seen @ w1.T + b1) @ w2.T + b2
        loss = torch.nn.functional.cross_entropy(scores, labels).item()
        assert last[f"{part}Loss"] == pytest.approx(loss, rel=1e-8)
        assert last[f"{part}Right"] == pytest.approx((scores.argmax(1) == labels).double().mean().item())
    kept = np.concatenate([mask for _, mask in made["steps"]]).mean()
    assert kept == pytest.approx(1 - p, abs=0.05)


def test_goals_can_be_reached(watched) -> None:
    """One code for each goal: 97 % and a low loss with dropout, 95 % with eight units, 95 % within five epochs."""
    load(watched.page, "playground.js")
    digits = Playground().digits
    losses, right = zip(*watched.page.evaluate(HISTORY, [digits, "lr0.56-p0.5-h64-b32-s1", 100]), strict=True)
    assert max(right) >= 0.97
    assert min(losses) < 0.09
    assert max(share for _, share in watched.page.evaluate(HISTORY, [digits, "lr0.1-p0.1-h8-b8-s0", 30])) >= 0.95
    assert max(share for _, share in watched.page.evaluate(HISTORY, [digits, "adam-lr0.032-p0-h64-b32-s0", 5])) >= 0.95
    plain = watched.page.evaluate(HISTORY, [digits, "lr0.32-p0-h64-b32-s0", 10])
    assert [share >= 0.95 for _, share in plain] == [False] * 10 + [True]


@pytest.mark.parametrize(("p", "recorded"), [(0, RECORDED_PLAIN), (0.5, RECORDED_DROPPED)])
def test_recorded_curves_are_real_runs(watched, p, recorded) -> None:
    """The curves of the still picture are what the page trains with these codes."""
    load(watched.page, "playground.js")
    history = watched.page.evaluate(HISTORY, [Playground().digits, f"lr0.32-p{p}-h64-b32-s0", 100])
    np.testing.assert_allclose([loss for loss, _ in history[::4]], recorded, rtol=1e-3)


def test_histograms_equal_numpy(watched) -> None:
    """Shares per bin are NumPy's, what lies beyond counts at the ends; spreads and silent units are right."""
    load(watched.page, "playground.js")
    values = np.random.default_rng(0).normal(size=500)
    found = watched.page.evaluate("(v) => [...part.playground.binned(v, -1.5, 1.5, 12)]", values.tolist())
    expected = np.histogram(np.clip(values, -1.5, 1.5), bins=12, range=(-1.5, 1.5))[0] / 500
    np.testing.assert_allclose(found, expected, atol=1e-12)
    run = """([digits, settings]) => {
      let told = null;
      const trainer = new part.playground.Trainer(digits, (news) => { told = news; });
      trainer.begin({ turn: 1, serial: 1, settings });
      trainer.go({ turn: 2, last: 3 });
      while (trainer.slice(50));
      const { network } = trainer.run;
      const h = [...network.activations(trainer.data.validation)];
      return { w1: [...network.w1], h, pictures: { ...told.pictures, told: [told.turn, told.resting, told.epochs] } };
    }"""
    settings = {"optimiser": "sgd", "lr": 1.0, "p": 0.5, "hidden": 16, "batch": 32, "seed": 0}
    made = watched.page.evaluate(run, [Playground().digits, settings])
    pictures, h = made["pictures"], np.reshape(made["h"], (300, 16))
    assert pictures["told"] == [2, True, 3]
    assert pictures["w1"]["spread"] == pytest.approx(np.std(made["w1"]))
    assert pictures["h"]["zero"] == pytest.approx((h == 0).mean())
    assert pictures["h"]["silent"] == (h == 0).all(axis=0).sum()


def test_codes_are_read_as_in_python(watched) -> None:
    """Page and Python agree on codes, old and new, right and wrong."""
    load(watched.page, "playground.js")
    codes = [
        "lr0.32-p0.5-h64-b32-s0",
        "adam-lr0.01-p0.5-h64-b32-s0",
        "sgd-lr1-p0-h4-b400-s99",
        "rmsprop-lr0.0001-p0.9-h8-b8-s1",
    ]
    for code in codes:
        given = Playground(code)
        read = watched.page.evaluate("(code) => part.playground.readCode(code)", code)
        assert read == {name: getattr(given, name) for name in ("optimiser", "lr", "p", "hidden", "batch", "seed")}
        assert watched.page.evaluate("(settings) => part.playground.codeOf(settings)", read) == given.code
    for wrong in (
        "lion-lr0.1-p0-h64-b32-s0",
        "lr0-p0-h64-b32-s0",
        "lr0.1-p0.95-h64-b32-s0",
        "lr0.1-p0-h2-b32-s0",
        "adam",
    ):
        assert watched.page.evaluate("(code) => part.playground.readCode(code)", wrong) is None
        with pytest.raises(ValueError, match="Playground"):
            Playground(wrong)
