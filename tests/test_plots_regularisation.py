"""The pictures of lesson 05: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.plots import regularisation as plots
from course_lib.plots import style

FALLING, RISING = [0.9, 0.4, 0.1], [0.9, 0.6, 0.8]
X = np.linspace(0, 1, 8)
WAVE = np.sin(2 * np.pi * np.linspace(0, 1, 51))
IMAGES = np.arange(32, dtype=float).reshape(2, 16) / 32
CODES = {"all": np.ones((4, 5)), "few": np.eye(5)[:4]}
RIGHT = {"true labels": ([80, 100], [70, 90]), "random labels": ([10, 100], [10, 9])}
PATH = np.array([[0.0, 0.0], [0.8, 0.4], [1.2, 0.6]])
PICTURES = {
    "polynomials": lambda: plots.polynomials(X, np.cos(9 * X), (1, 7), WAVE),
    "error_by_degree": lambda: plots.error_by_degree([0.5, 0.1, 0.01], [0.6, 0.2, 5.0]),
    "penalty_corners": plots.penalty_corners,
    "scales": lambda: plots.scales({"0 to 1": FALLING, "0 to 255": RISING}),
    "stopping": lambda: plots.stopping(FALLING, RISING, 1, 2),
    "image_row": lambda: plots.image_row(IMAGES, ["one", "two"]),
    "noise_levels": lambda: plots.noise_levels([0, 0.1, 0.2], {"with": [90, 89, 88], "without": [90, 80, 60]}),
    "activity": lambda: plots.activity(CODES),
    "models_together": lambda: plots.models_together({"own draw": [80, 85, 90], "same": [88, 89, 89]}),
    "thinned_networks": lambda: plots.thinned_networks([[True, False, True, True, False]]),
    "label_race": lambda: plots.label_race(RIGHT),
    "frequent_functions": lambda: plots.frequent_functions(np.array([1, 70, 29]), 100, 256),
    "least_norm": lambda: plots.least_norm(PATH, (2.0, 1.0), 3.0),
    "gaps": lambda: plots.gaps({"before": (FALLING, RISING), "after": (FALLING, FALLING)}, {"before": 2, "after": 1}),
    "lab_curves": lambda: plots.lab_curves(FALLING, FALLING, "cross-entropy and penalty, per batch"),
}
WITHOUT_AXES = {"image_row", "thinned_networks"}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_itself_with_alt_text(name: str) -> None:
    """In a notebook a picture is a figure element with its sentence as alt text; in a terminal it is the sentence."""
    assert_speaks(PICTURES[name]())


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_wide_as_the_text(name: str) -> None:
    """Every picture has the same width and is not blank."""
    assert_wide_and_not_blank(PICTURES[name]())


@pytest.mark.parametrize("name", sorted(set(PICTURES) - WITHOUT_AXES))
def test_axes_are_labelled(name: str) -> None:
    """Every chart says what each of its axes shows; neighbours may share the name of the upward one."""
    axes = PICTURES[name]().figure.axes
    for ax in axes:
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    assert axes[0].get_ylabel().strip()


@pytest.mark.parametrize("name", PICTURES)
def test_same_picture_gives_same_bytes(name: str) -> None:
    """Drawing twice gives the same file: no dates, no random draws."""
    assert_repeats(PICTURES[name])


@pytest.mark.parametrize("name", ["error_by_degree", "scales", "stopping", "noise_levels", "label_race", "gaps"])
def test_curves_differ_without_colour(name: str) -> None:
    """The first two curves of a chart differ in dash, and the thick one is lighter than the thin one on top."""
    under, over = PICTURES[name]().figure.axes[0].lines[:2]
    light = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in (under, over)]
    assert under.get_linestyle() != over.get_linestyle()
    assert under.get_linewidth() > over.get_linewidth()
    assert light[0] - light[1] > 0.2


def test_the_most_flexible_polynomial_runs_through_its_points() -> None:
    """Seven degrees of freedom and one more meet eight points; a straight line does not."""
    for ax, through in zip(PICTURES["polynomials"]().figure.axes, (False, True), strict=True):
        across, drawn = ax.lines[1].get_data()
        gap = np.abs(np.interp(X, across, drawn) - np.cos(9 * X)).max()
        assert bool(gap < 0.05) is through


def test_errors_are_marked_at_the_best_validation_degree() -> None:
    """The line stands where the validation error is lowest, and the alt text says the degree."""
    picture = PICTURES["error_by_degree"]()
    assert list(picture.figure.axes[0].lines[-1].get_xdata()) == [1, 1]
    assert "at degree 1" in picture.alt


def test_only_the_diamond_makes_an_exact_zero() -> None:
    """Both squares lie on their border; that of L1 on an axis, that of L2 not, and no point of the border is better."""
    centre = np.array([1.6, 0.5])
    for ax, zero in zip(plots.penalty_corners(tuple(centre)).figure.axes, (False, True), strict=True):
        best = next(line for line in ax.lines if line.get_marker() == "s").get_xydata()[0]
        border = ax.patches[0].get_xy()
        assert np.linalg.norm(border - best, axis=1).min() < 1e-9
        assert np.linalg.norm(border - centre, axis=1).min() >= np.linalg.norm(best - centre) - 1e-9
        assert bool(abs(best[1]) < 1e-9) is zero


def test_stop_and_kept_epoch_are_marked() -> None:
    """Two upright lines stand at the epoch that is kept and at the last one, with their numbers in the legend."""
    (ax,) = PICTURES["stopping"]().figure.axes
    assert [(line.get_label(), *line.get_xdata()) for line in ax.lines[2:]] == [("kept: 1", 1, 1), ("stop: 2", 2, 2)]


def test_activity_counts_what_is_silent() -> None:
    """The titles say which share of the values is 0."""
    titles = [ax.get_title(loc="left") for ax in PICTURES["activity"]().figure.axes]
    assert titles == ["all: 0 % silent", "few: 80 % silent"]


def test_a_dropped_unit_keeps_its_place_and_loses_its_lines() -> None:
    """Three of five hidden units leave 3 * 3 + 3 * 2 lines, ten units as before, and two crosses."""
    whole, thinned = PICTURES["thinned_networks"]().figure.axes
    for ax, lines, crosses in ((whole, 25, 0), (thinned, 15, 2)):
        marks = [line.get_marker() for line in ax.lines]
        assert (marks.count("None"), marks.count("o"), marks.count("x")) == (lines, 10, crosses)


def test_frequent_functions_are_sorted_and_compared_with_equal_chances() -> None:
    """Shares fall with the rank, on logarithmic scales, beside a line at 1 / 256."""
    (ax,) = PICTURES["frequent_functions"]().figure.axes
    assert list(ax.lines[0].get_ydata()) == [70, 29, 1]
    assert ax.lines[1].get_ydata()[0] == pytest.approx(100 / 256)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_the_line_of_solutions_has_no_error() -> None:
    """Every point of the drawn line solves the example, and the marked one is the shortest."""
    (ax,) = PICTURES["least_norm"]().figure.axes
    np.testing.assert_allclose(ax.lines[0].get_xydata() @ [2.0, 1.0], 3.0)
    np.testing.assert_allclose(ax.lines[2].get_xydata()[0], [1.2, 0.6])


def test_gaps_share_their_scale_and_say_what_is_kept() -> None:
    """Both charts reach equally high, and the alt text gives both losses at the epoch that is kept."""
    picture = PICTURES["gaps"]()
    first, second = (ax.get_ylim() for ax in picture.figure.axes)
    assert first == second
    assert "before, epoch 2 kept: training 0.10, validation 0.80" in picture.alt
    assert "after, epoch 1 kept: training 0.40, validation 0.40" in picture.alt


def test_all_pictures_are_tested() -> None:
    """Every public picture of the module but the shared charts has its entry here."""
    shared = {"bars", "confusion", "curves", "digit_images"}
    assert set(PICTURES) == set(plots.__all__) - shared
    assert all(isinstance(make(), style.Picture) for make in PICTURES.values())
