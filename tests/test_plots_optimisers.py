"""The pictures of lesson 04: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.plots import optimisers as plots
from course_lib.plots import style

FALLING = [0.9, 0.4, 0.1]
PATH = np.array([[-4.0, 1.0], [-2.0, -0.5], [-1.0, 0.2]])
TEST = (np.array([0.01, 0.1, 1.0]), np.array([2.0, 1.0, 5.0]), 0.01)


def bowl(across, up):
    """A loss of two weights."""
    return across**2 + 4 * up**2


def valley(place):
    """A landscape whose deepest point is 2."""
    return (place - 2) ** 2


ENDS = {"lost": np.full(10, -4.0), "found": np.full(10, 2.1)}
PICTURES = {
    "parabola_steps": lambda: plots.parabola_steps([0.1, 2.1]),
    "batch_noise": lambda: plots.batch_noise({1: 4.0, 4: 2.1, 16: 1.0}),
    "descent_bound": plots.descent_bound,
    "valley_paths": lambda: plots.valley_paths({"one": PATH, "two": PATH}, bowl, "Two paths"),
    "schedules": lambda: plots.schedules({"constant": [0.1, 0.1], "falls": [0.1, 0.01]}),
    "range_curves": lambda: plots.range_curves({"one": TEST, "two": TEST}),
    "falling": lambda: plots.falling({"one": FALLING, "two": FALLING}, "A fall", ("step", "loss")),
    "flat_and_sharp": plots.flat_and_sharp,
    "landscape": lambda: plots.landscape(valley, ENDS, ("Where they ended", "place", "energy")),
    "races": lambda: plots.races({"SGD": FALLING}, {"SGD": FALLING, "Adam": FALLING}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_itself_with_alt_text(name: str) -> None:
    """In a notebook a picture is a figure element with its sentence as alt text; in a terminal it is the sentence."""
    assert_speaks(PICTURES[name]())


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_wide_as_the_text(name: str) -> None:
    """Every picture has the same width and is not blank."""
    assert_wide_and_not_blank(PICTURES[name]())


@pytest.mark.parametrize("name", PICTURES)
def test_axes_are_labelled(name: str) -> None:
    """Every picture says what is drawn across and up, on each panel or once for all of them."""
    figure = PICTURES[name]().figure
    shown = [ax for ax in figure.axes if ax.axison and (ax.lines or ax.patches or ax.collections)]
    assert shown
    assert figure.get_supxlabel() or any(ax.get_xlabel() for ax in shown)
    assert figure.get_supylabel() or all(ax.get_ylabel() for ax in shown)


@pytest.mark.parametrize("name", PICTURES)
def test_same_picture_gives_same_bytes(name: str) -> None:
    """Drawing twice gives the same file: no dates, no random draws."""
    assert_repeats(PICTURES[name])


@pytest.mark.parametrize("name", ["batch_noise", "descent_bound", "falling", "flat_and_sharp", "races"])
def test_curves_differ_without_colour(name: str) -> None:
    """The first two curves of a chart differ in dash, and the one below is wider."""
    first, second = PICTURES[name]().figure.axes[0].lines[:2]
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_linewidth() > second.get_linewidth()


def test_steps_on_the_parabola_are_those_of_gradient_descent() -> None:
    """Each drawn weight is the one before minus rate times gradient, and lies on the curve."""
    for ax, rate in zip(plots.parabola_steps([0.5, 2.1], curvature=3.0).figure.axes, (0.5, 2.1), strict=True):
        w, loss = ax.lines[1].get_data()
        np.testing.assert_allclose(w[1:], w[:-1] - rate * 3.0 * w[:-1])
        np.testing.assert_allclose(loss, 1.5 * w**2)


def test_descent_bound_is_above_the_change_and_crosses_zero_at_two() -> None:
    """The bound promises less than what happens, and nothing from 2 / L on."""
    bound, change = plots.descent_bound().figure.axes[0].lines[:2]
    rate = bound.get_xdata()
    assert (bound.get_ydata() >= change.get_ydata() - 1e-12).all()
    assert (bound.get_ydata()[(rate > 0) & (rate < 2)] < 0).all()
    assert (bound.get_ydata()[rate > 2.01] > 0).all()


def test_sharp_minimum_pays_more() -> None:
    """The same move costs much in the sharp minimum and little in the flat one, and the alt text says how much."""
    picture = plots.flat_and_sharp()
    sharp, flat = (np.ptp(line.get_ydata()) for line in picture.figure.axes[0].lines[2:4])
    assert sharp > 5 * flat
    assert f"sharp {sharp:.2f}, flat {flat:.2f}" in picture.alt


def test_noise_line_falls_by_half_for_four_times_the_batch() -> None:
    """The line that the points are compared with is one over the root of the batch size."""
    line = plots.batch_noise({1: 4.0, 4: 2.1, 16: 1.0}).figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), [4.0, 2.0, 1.0])


def test_landscape_counts_who_found_the_deepest_point() -> None:
    """The alt text says which share ended near the deepest point, and a dotted line marks it in every panel."""
    picture = PICTURES["landscape"]()
    assert "lost 0 %, found 100 %" in picture.alt
    assert all(np.isclose(ax.lines[-1].get_xdata()[0], 2.0) for ax in picture.figure.axes)


def test_range_curves_mark_the_suggestion() -> None:
    """The dotted line stands at the suggested rate, which the title names."""
    ax = PICTURES["range_curves"]().figure.axes[0]
    assert list(ax.lines[1].get_xdata()) == [0.01, 0.01]
    assert ax.get_title(loc="left") == "one: 0.01"


def test_races_say_whose_code_ran() -> None:
    """A panel with the learner's curve says so, one without it says that Torch was alone."""
    titles = [ax.get_title(loc="left") for ax in PICTURES["races"]().figure.axes]
    assert titles[:2] == ["SGD: yours and Torch", "Adam: Torch alone"]
    assert [len(ax.lines) for ax in PICTURES["races"]().figure.axes][:2] == [2, 1]


def test_valley_paths_report_the_last_loss() -> None:
    """The alt text holds the loss at the end of each path."""
    assert "one 1.2; two 1.2" in PICTURES["valley_paths"]().alt


def test_all_pictures_are_tested() -> None:
    """Every public picture of the module but the shared charts has its entry here."""
    shared = {"bars", "confusion", "curves", "digit_images", "lab_curves"}
    assert set(PICTURES) == set(plots.__all__) - shared
    assert all(isinstance(make(), style.Picture) for make in PICTURES.values())
