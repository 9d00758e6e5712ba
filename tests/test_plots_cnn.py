"""The pictures of lesson 06: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.plots import cnn as plots
from course_lib.plots import style

FALLING, RISING = [0.9, 0.4, 0.1], [0.4, 0.7, 0.9]
IMAGE = np.arange(25.0).reshape(5, 5)
COLUMNS = np.array([[IMAGE[i + u, j + v] for i in range(4) for j in range(4)] for u in range(2) for v in range(2)])
EDGES = np.array([[-1.0, 0, 1]] * 3)
LINE = {"size": 6, "kernel": 3, "stride": 2, "padding": 0, "dilation": 1}
PAST = SimpleNamespace(
    train_loss=FALLING, validation_loss=[0.9, 0.5, 0.2], train_accuracy=RISING, validation_accuracy=[0.4, 0.6, 0.8]
)
PICTURES = {
    "weights_by_side": lambda: plots.weights_by_side([8, 32], [36864.0, 9.4e6], 81),
    "window_rows": lambda: plots.window_rows([LINE, {**LINE, "stride": 1, "padding": 1, "dilation": 2}]),
    "number_tables": lambda: plots.number_tables({"all": IMAGE[:4, :4], "largest": IMAGE[:2, :2]}, {"all": 2}),
    "filtered": lambda: plots.filtered(IMAGE, {"edges": EDGES}, {"edges": IMAGE - 12}),
    "sheet": lambda: plots.sheet({"still": IMAGE, "moved": IMAGE.T}),
    "as_columns": lambda: plots.as_columns(IMAGE, COLUMNS, 2, 6),
    "field_cone": lambda: plots.field_cone([(3, 1), (2, 2)], 10),
    "cost_bars": lambda: plots.cost_bars({"parameters": {"a": 1e6, "b": 3e6}, "work": {"a": 5e6}}),
    "filter_sheet": lambda: plots.filter_sheet(np.stack([EDGES, EDGES.T]), np.stack([EDGES.T, EDGES.T])),
    "scores": lambda: plots.scores([0, 1, 2], {"dense": [96, 46, 14], "conv": [97, 81, 92]}, "Moved", "steps"),
    "spreads": lambda: plots.spreads({"too large": [1, 3, 9], "right": [1, 0.9, 0.8]}),
    "training_curves": lambda: plots.training_curves({"dense": PAST, "conv": PAST}),
    "confusion": lambda: plots.confusion(np.array([1, 1, 2]), np.array([1, 2, 2]), 3),
    "lab_curves": lambda: plots.lab_curves(None, FALLING, "cross-entropy per image"),
}
WITHOUT_AXES = {"number_tables", "filtered", "sheet", "filter_sheet", "as_columns"}


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


@pytest.mark.parametrize("name", PICTURES)
def test_same_picture_gives_same_bytes(name: str) -> None:
    """Drawing twice gives the same file: no dates, no random draws."""
    assert_repeats(PICTURES[name])


@pytest.mark.parametrize("name", ["weights_by_side", "scores", "spreads"])
def test_curves_differ_without_colour(name: str) -> None:
    """No two curves of a chart share their line style, and none shares its grey."""
    (ax,) = PICTURES[name]().figure.axes
    dashes = [line.get_linestyle() for line in ax.lines]
    greys = [matplotlib.colors.rgb_to_hsv(matplotlib.colors.to_rgb(line.get_color()))[2] for line in ax.lines]
    assert len(set(dashes)) == len(dashes)
    assert len(set(greys)) == len(greys)


def test_training_and_validation_differ_without_colour() -> None:
    """One network's two curves differ by line style, two networks' by marker."""
    for ax in PICTURES["training_curves"]().figure.axes:
        looks = {(line.get_linestyle(), line.get_marker()) for line in ax.lines}
        assert len(looks) == len(ax.lines) == 4


def test_windows_that_do_not_fit_are_not_drawn() -> None:
    """Six cells with windows of three and stride 2: two windows of three entries, and the alt text says so."""
    picture = plots.window_rows([LINE])
    (ax,) = picture.figure.axes
    hatched = [patch for patch in ax.patches if patch.get_hatch()]
    assert sorted(patch.get_x() for patch in hatched) == [0, 1, 2, 2, 3, 4]
    assert "2 windows with size 6" in picture.alt


def test_padding_is_dashed_and_dilation_leaves_gaps() -> None:
    """Cells of the border have dashed edges; the entries of a dilated window lie two cells apart."""
    (ax,) = plots.window_rows([{**LINE, "stride": 1, "padding": 1, "dilation": 2}]).figure.axes
    dashed = [patch.get_x() for patch in ax.patches if patch.get_linestyle() == "--"]
    assert dashed == [-1, 6]
    assert [patch.get_x() for patch in ax.patches if patch.get_hatch()][:3] == [-1, 1, 3]


def test_the_framed_column_is_the_framed_window() -> None:
    """The numbers told are those of the window at row 1, column 2, in reading order."""
    picture = PICTURES["as_columns"]()
    frames = [ax.patches[0] for ax in picture.figure.axes]
    assert frames[0].get_xy() == (1.5, 0.5)
    assert frames[1].get_xy() == (5.5, -0.5)
    assert picture.alt.endswith("framed: 7 8 12 13.")


def test_the_cone_fills_what_is_seen() -> None:
    """Three wide, then two wide with stride 2: one cell on top, two below it, four of the input."""
    picture = PICTURES["field_cone"]()
    (ax,) = picture.figure.axes
    filled = [round(patch.get_y() + 0.3) for patch in ax.patches if patch.get_hatch()]
    assert [filled.count(level) for level in (0, 1, 2)] == [4, 2, 1]
    assert "4 cells of the input" in picture.alt


def test_cost_bars_tell_sums_and_shares() -> None:
    """A panel's title has the sum of its bars, and each bar its share of it."""
    picture = PICTURES["cost_bars"]()
    assert picture.figure.axes[0].get_title(loc="left") == "parameters: 4,000,000"
    assert "b 75.0 %" in picture.alt


def test_filters_that_turned_are_told_from_those_that_did_not() -> None:
    """A filter turned on its side is 90 degrees from before, an unchanged one 0."""
    assert "turned by 0 to 90 degrees" in PICTURES["filter_sheet"]().alt


def test_zero_is_middle_grey_in_signed_maps() -> None:
    """Maps with both signs are drawn on a scale with 0 in its middle, images without from 0 on."""
    image, below = (ax.images[0].get_clim() for ax in (PICTURES["filtered"]().figure.axes[k] for k in (2, 3)))
    assert image == (0, 24)
    assert below == (-12, 12)


def test_pictures_need_no_pyplot() -> None:
    """No figure is left in pyplot's global list."""
    assert "pyplot" not in vars(style)
    assert "pyplot" not in vars(plots)
