"""What the looks of lesson 04 compute in the browser, against torch.optim, its schedulers and torch.nn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from driving import load
from torch.optim import lr_scheduler

from course_lib.numpy_kernels.schedules import lr_range_test
from course_lib.widgets.optimisers import RUNNERS

pytestmark = pytest.mark.browser

OPTIMISERS = {
    "sgd": lambda w, lr, mu: torch.optim.SGD(w, lr=lr),
    "momentum": lambda w, lr, mu: torch.optim.SGD(w, lr=lr, momentum=mu),
    "nesterov": lambda w, lr, mu: torch.optim.SGD(w, lr=lr, momentum=mu, nesterov=True),
    "adagrad": lambda w, lr, mu: torch.optim.Adagrad(w, lr=lr),
    "rmsprop": lambda w, lr, mu: torch.optim.RMSprop(w, lr=lr),
    "adam": lambda w, lr, mu: torch.optim.Adam(w, lr=lr),
}
LOSSES = {
    "bowl": lambda x, y, kappa: (x**2 + kappa * y**2) / 2,
    "ravine": lambda x, y, kappa: ((1 - x) ** 2 + kappa * (y - x**2) ** 2) / 2,
    "valleys": lambda x, y, kappa: ((x + 1) ** 2 * ((x - 1) ** 2 + 0.3) + kappa * y**2) / 2,
}
SETUPS = [
    ("bowl", {"lr": 0.03, "mu": 0.9, "conditioning": 50, "noise": 0.0}),
    ("bowl", {"lr": 0.01, "mu": 0.5, "conditioning": 7, "noise": 1.5}),
    ("ravine", {"lr": 0.005, "mu": 0.8, "conditioning": 20, "noise": 0.0}),
    ("valleys", {"lr": 0.02, "mu": 0.9, "conditioning": 10, "noise": 0.3}),
]
DESIGNS = [
    {"kind": "constant", "lr": 0.3},
    {"kind": "constant", "lr": 0.3, "warm": 100},
    {"kind": "step", "period": 300, "gamma": 0.5},
    {"kind": "step", "period": 90, "gamma": 0.31, "warm": 70},
    {"kind": "exponential", "decay": 0.9974},
    {"kind": "exponential", "decay": 0.99, "warm": 10},
    {"kind": "cosine", "period": 500, "low": 0.0},
    {"kind": "cosine", "period": 900, "low": 0.1, "warm": 100},
    {"kind": "restarts", "period": 170, "factor": 1, "low": 0.05},
    {"kind": "restarts", "period": 200, "factor": 2, "warm": 50},
    {"kind": "restarts", "period": 30, "factor": 3, "low": 0.2},
    {"kind": "cyclic", "period": 150, "low": 0.1, "warm": 80},
]
DEFAULTS = {"lr": 0.1, "period": 300, "gamma": 0.5, "decay": 0.995, "factor": 1, "low": 0.0, "warm": 0}
LAST = 1200


def torch_path(name: str, surface: str, setup: dict, start: list, noise: np.ndarray, steps: int) -> np.ndarray:
    """Weights before every step and after the last, (steps + 1, 2), with gradients from autograd."""
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser = OPTIMISERS[name]([w], setup["lr"], setup["mu"])
    path = [w.detach().numpy().copy()]
    for k in range(steps):
        optimiser.zero_grad()
        LOSSES[surface](w[0], w[1], setup["conditioning"]).backward()
        w.grad += setup["noise"] * torch.from_numpy(noise[2 * k : 2 * k + 2])
        optimiser.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize(("surface", "setup"), SETUPS)
def test_paths_equal_torch_optim(watched, surface, setup) -> None:
    """All six runners follow torch.optim for 80 steps, on every surface, with and without noise."""
    load(watched.page, "contour_race.js")
    run = """(setup) => {
      const paths = part.race.runRace(setup);
      return [part.race.startOf(setup), [...part.race.noiseOf(setup.seed)], paths];
    }"""
    start, noise, paths = watched.page.evaluate(run, {**setup, "surface": surface, "start": [], "seed": 0})
    assert set(paths) == set(RUNNERS) == set(OPTIMISERS)
    for name, path in paths.items():
        expected = torch_path(name, surface, setup, start, np.array(noise), 80)
        shown = min(81, len(path["x"]))
        np.testing.assert_allclose(np.array([path["x"], path["y"]]).T[:81], expected[:shown], rtol=1e-9, atol=1e-12)
        losses = [LOSSES[surface](x, y, setup["conditioning"]) for x, y in expected[:shown]]
        np.testing.assert_allclose(path["loss"][:81], losses, rtol=1e-8, atol=1e-15)
        assert shown == 81 or np.hypot(*expected[shown]) >= 1e4


def test_noise_is_normal(watched) -> None:
    """Over 40 seeds the noise has mean 0, spread 1 and the tails of a normal distribution."""
    load(watched.page, "contour_race.js")
    drawn = np.array(watched.page.evaluate("() => [...Array(40).keys()].flatMap((s) => [...part.race.noiseOf(s)])"))
    assert abs(drawn.mean()) < 6 / math.sqrt(drawn.size)
    assert abs(drawn.std() - 1) < 6 / math.sqrt(2 * drawn.size)
    assert abs((np.abs(drawn) > 1.959964).mean() - 0.05) < 6 * math.sqrt(0.05 * 0.95 / drawn.size)


def test_contour_lines_lie_at_their_losses(watched) -> None:
    """Contour lines run where the surface has the losses that the legend names, to a fraction of a grid cell."""
    load(watched.page, "contour_race.js")
    cut = """() => Object.values(part.race.SURFACES).map((surface) => {
      const gap = (2 * surface.half) / 160;
      const [left, top] = [surface.middle[0] - surface.half, surface.middle[1] + surface.half];
      return part.race.contourPieces(part.race.sample(surface, 10)).map(([column, row]) => {
        const [x, y] = [left + gap * column, top - gap * row];
        return [surface.value(x, y, 10), gap * Math.hypot(...surface.slope(x, y, 10))];
      });
    })"""
    levels = np.array([0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300])
    for pieces in watched.page.evaluate(cut):
        losses, per_cell = np.array(pieces).T
        cells_off = np.abs(losses[:, None] - levels).min(axis=1) / per_cell
        assert len(pieces) > 500
        assert np.quantile(cells_off, 0.95) < 0.1
        assert cells_off.max() < 2


def test_plain_sgd_cannot_reach_the_first_goal(watched) -> None:
    """No rate of the slider settles SGD within 60 steps from the first start: its best is 69. Momentum can."""
    load(watched.page, "contour_race.js")
    scan = """() => {
      const setup = { surface: 'bowl', start: [], seed: 0, noise: 0, conditioning: 50, mu: 0.7 };
      const found = { sgd: Infinity, momentum: Infinity };
      for (let e = -3; e <= 0.5; e += 0.005) {
        const paths = part.race.runRace({ ...setup, lr: 10 ** e });
        for (const name of Object.keys(found)) found[name] = Math.min(found[name], paths[name].settled ?? Infinity);
      }
      return [found.sgd, found.momentum];
    }"""
    sgd, momentum = watched.page.evaluate(scan)
    assert sgd == 69
    assert momentum < 30


@pytest.mark.parametrize(("beta1", "beta2", "noise"), [(0.9, 0.999, 0.0), (0.5, 0.9, 1.3), (0.0, 0.5, 2.0)])
def test_adam_steps_equal_torch(watched, beta1, beta2, noise) -> None:
    """With correction the steps are those of torch.optim.Adam; without it those of the moments as they are."""
    load(watched.page, "adam_bias.js")
    run = """([beta1, beta2, noise]) => {
      const gradients = part.gradientsOf(noise);
      return [gradients, ...[true, false].map((corrected) => part.stepSizes(gradients, { beta1, beta2 }, corrected))];
    }"""
    gradients, corrected, plain = watched.page.evaluate(run, [beta1, beta2, noise])
    w = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=1.0, betas=(beta1, beta2))
    m = v = 0.0
    for g, with_correction, without in zip(gradients, corrected, plain, strict=True):
        before, w.grad = w.item(), torch.full((1,), g, dtype=torch.float64)
        optimiser.step()
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        assert before - w.item() == pytest.approx(with_correction, rel=1e-9, abs=1e-9)
        assert m / (math.sqrt(v) + 1e-8) == pytest.approx(without, rel=1e-9)


def torch_rates(line: str, lr: float) -> list[float]:
    """Rates of steps 0 to 1200 of the scheduler that a line of Torch makes."""
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = eval(line, {**vars(lr_scheduler), "opt": opt})
    rates = []
    for _ in range(LAST + 1):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    return rates


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step\\(\\)`:UserWarning")
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: "-".join(map(str, design.values())))
def test_schedules_equal_the_torch_line_they_show(watched, design) -> None:
    """At every step the drawn rate is that of the shown Torch line, and of the shown formula."""
    load(watched.page, "schedule_designer.js")
    run = """([setup, last]) => [
      Array.from({ length: last + 1 }, (_, t) => part.schedules.rateAt(t, setup)),
      part.schedules.torchOf(setup), part.schedules.formulaOf(setup), part.schedules.restartsOf(setup, last),
    ]"""
    setup = {**DEFAULTS, **design}
    rates, line, formula, restarts = watched.page.evaluate(run, [setup, LAST])
    np.testing.assert_allclose(torch_rates(line, setup["lr"]), rates, rtol=1e-6, atol=1e-12)
    names = {"cos": math.cos, "pi": math.pi}
    starts = [setup["warm"], *restarts]
    for t in range(LAST + 1):
        begin = max([start for start in starts if start <= t], default=0)
        length = setup["period"] * setup["factor"] ** starts.index(begin) if begin in starts else 1
        value = eval(formula, {**names, "t": t, "since": t - begin, "length": length})
        assert value == pytest.approx(rates[t], rel=1e-4, abs=1e-7), (t, formula)
    tops = [t for t in range(1, LAST + 1) if abs(rates[t] - setup["lr"]) < 1e-9 and rates[t] > 1.01 * rates[t - 1]]
    assert restarts == [t for t in tops if t > setup["warm"]] or design["kind"] != "restarts"


def torch_network(made: dict) -> torch.nn.Sequential:
    """The sine network with the page's start weights."""
    w = torch.tensor(made["weights"], dtype=torch.float64)
    net = torch.nn.Sequential(torch.nn.Linear(1, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1)).double()
    with torch.no_grad():
        parts = (w[:12, None], w[12:24], w[None, 24:36], w[36:])
        for parameter, values in zip(net.parameters(), parts, strict=True):
            parameter.copy_(values)
    return net


def torch_losses(made: dict, rates: list[float]) -> list[float]:
    """One step of SGD per rate on batches of 8; the loss on all points before the first and after each."""
    net, loss = torch_network(made), torch.nn.MSELoss()
    x, y = (torch.tensor(made[name], dtype=torch.float64)[:, None] for name in ("x", "y"))
    optimiser = torch.optim.SGD(net.parameters(), lr=1.0)
    losses = [loss(net(x), y).item()]
    for k, rate in enumerate(rates):
        rows = made["order"][8 * k % 512 : 8 * k % 512 + 8]
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        loss(net(x[rows]), y[rows]).backward()
        optimiser.step()
        losses.append(loss(net(x), y).item())
    return losses


@pytest.mark.parametrize("seed", [0, 3, 9])
def test_training_equals_torch(watched, seed) -> None:
    """The range test and the training give the losses of torch.nn and torch.optim from the same start."""
    load(watched.page, "range_test.js")
    run = """(seed) => {
      const made = part.problem.makeProblem(seed);
      const test = part.problem.rangeTest(made, part.problem.TEST);
      return [made, test, part.problem.train(made, 0.05, part.problem.STEPS), part.problem.steepest(test)];
    }"""
    made, test, losses, steepest = watched.page.evaluate(run, seed)
    assert len(made["order"]) == 512
    np.testing.assert_allclose(losses, torch_losses(made, [0.05] * 150), rtol=1e-7)
    np.testing.assert_allclose(test["losses"], torch_losses(made, test["rates"])[1:], rtol=1e-6)
    replay = iter(test["losses"])
    rates, _, best = lr_range_test(lambda lr: next(replay), 1e-4, 10.0, 61)
    np.testing.assert_allclose(test["rates"], rates, rtol=1e-12)
    assert best == pytest.approx(steepest)


def test_range_goals_can_be_reached(watched) -> None:
    """For every seed some rate of the slider brings the loss below 0.08, and one does it for five seeds or more."""
    load(watched.page, "range_test.js")
    scan = """() => {
      const { makeProblem, train, STEPS } = part.problem;
      const rates = Array.from({ length: 91 }, (_, k) => Number((10 ** (-4 + 0.05 * k)).toPrecision(2)));
      return [...Array(10).keys()].map((seed) => {
        const made = makeProblem(seed);
        const runs = rates.map((rate) => train(made, rate, STEPS));
        return runs.map((losses) => losses.length > STEPS && losses[STEPS] < 0.08);
      });
    }"""
    done = np.array(watched.page.evaluate(scan))
    assert done.any(axis=1).all()
    assert done.sum(axis=0).max() >= 5
    assert done.mean() < 0.3
