"""What the looks of lesson 05 compute in the browser, against NumPy and the course's own kernels."""

from __future__ import annotations

import numpy as np
import pytest
from driving import load
from numpy.polynomial import legendre

from course_lib.numpy_kernels.dropout import dropout_classic, dropout_forward
from course_lib.numpy_kernels.stopping import early_stopping
from course_lib.widgets.penalties import PenaltyCurve

pytestmark = pytest.mark.browser


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
