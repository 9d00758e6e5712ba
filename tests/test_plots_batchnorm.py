"""The pictures of lesson 07: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.plots import batchnorm as plots
from course_lib.plots import style

WANDERING = np.array([[0.0, 0.5, 1.0], [-1.0, 0.2, 1.5], [-2.0, 0.4, 3.0]])
STEADY = np.array([[-1.0, 0.0, 1.0]] * 3)
ROWS = {"x": [1.0, 3.0, 5.0], "centred": [-2.0, 0.0, 2.0]}
MAPS = {"plain": np.array([[10.0, 85.0], [9.0, 12.0]]), "with it": np.array([[80.0, 90.0], [95.0, 10.0]])}
BANDS = {"plain": ([2.0, 1.0], [1.5, 0.9], [9.0, 30.0]), "with it": ([2.0, 1.0], [1.0, 0.4], [1.9, 0.9])}
MODES = {"training mode": [80.0, 90.0, 95.0], "evaluation mode": [30.0, 60.0, 85.0]}
FALLING = [0.9, 0.4, 0.1]
PICTURES = {
    "drift": lambda: plots.drift({"plain": WANDERING, "with it": STEADY}),
    "batch_steps": lambda: plots.batch_steps(ROWS),
    "companions": lambda: plots.companions([1.0, 2.0, 2.5, 4.0], 3.25),
    "way_back": plots.way_back,
    "shared_statistics": plots.shared_statistics,
    "places": plots.places,
    "stability_maps": lambda: plots.stability_maps(MAPS, (0.1, 1), (0.01, 0.5)),
    "smoothness": lambda: plots.smoothness(BANDS),
    "by_batch_size": lambda: plots.by_batch_size({"batch": [30, 90, 95], "layer": [94, 93, 90]}, (2, 8, 32)),
    "by_rate": lambda: plots.by_rate({"with it": [90, 95, 93], "plain": [91, 94, 10]}, (0.1, 0.3, 1)),
    "eval_gap": lambda: plots.eval_gap(MODES, 94.0),
    "lab_curves": lambda: plots.lab_curves(FALLING, FALLING, "cross-entropy per batch"),
}
WITHOUT_AXES = {"way_back", "places"}


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


@pytest.mark.parametrize("name", ["by_batch_size", "by_rate", "eval_gap", "lab_curves"])
def test_curves_differ_without_colour(name: str) -> None:
    """The first two curves of a chart differ in dash, and the thick one is lighter than the thin one on top."""
    under, over = PICTURES[name]().figure.axes[0].lines[:2]
    light = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in (under, over)]
    assert under.get_linestyle() != over.get_linestyle()
    assert under.get_linewidth() > over.get_linewidth()
    assert light[0] - light[1] > 0.2


def test_drifts_share_their_scale_and_say_how_wide_they_end() -> None:
    """Both charts reach equally far, and the alt text gives the width at the start and at the end."""
    picture = PICTURES["drift"]()
    first, second = (ax.get_ylim() for ax in picture.figure.axes)
    assert first == second
    assert "plain, from 1.0 wide at the start to 5.0 wide at the end" in picture.alt


def test_batch_steps_mark_the_mean_of_every_row() -> None:
    """The bar of each row stands at its mean, and each example is joined to itself below."""
    lines = PICTURES["batch_steps"]().figure.axes[0].lines
    assert [line.get_xdata()[0] for line in lines if line.get_marker() == "|"] == [3.0, 0.0]
    assert [list(line.get_xdata()) for line in lines if line.get_linestyle() == ":"] == [[1, -2], [3, 0], [5, 2]]


def test_companions_count_every_batch_and_mark_evaluation() -> None:
    """The bars hold all batches; the dashed line stands at the one answer of evaluation mode."""
    (ax,) = PICTURES["companions"]().figure.axes
    assert sum(bar.get_height() for bar in ax.patches) == 4
    assert list(ax.lines[0].get_xdata()) == [3.25, 3.25]


def test_the_graph_has_three_ways_from_input_to_output() -> None:
    """Along the drawn arrows x reaches out directly, through the mean, and through the variance."""
    ax = PICTURES["way_back"]().figure.axes[0]
    names = {text.get_position(): text.get_text() for text in ax.texts if text.get_text()}
    arrows = [(names[note.xyann], names[note.xy]) for note in ax.texts if not note.get_text()]
    assert len(arrows) == 9

    def ways(start: str) -> int:
        return 1 if start == "out" else sum(ways(end) for begin, end in arrows if begin == start)

    assert ways("x") == 4  # the way through the mean splits once more, at the variance
    assert ("x", "mean") in arrows
    assert ("centred", "var") in arrows


def test_shared_cells_are_those_that_torch_lets_touch_each_other() -> None:
    """A cell is dark when changing it changes the cell of the star in Torch's layer of that name."""
    import torch

    layers = {"batch": torch.nn.BatchNorm2d(4), "layer": torch.nn.GroupNorm(1, 4), "group": torch.nn.GroupNorm(2, 4)}
    x = torch.randn(4, 4, 2, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for ax in PICTURES["shared_statistics"]().figure.axes:
        (slope,) = torch.autograd.grad(layers[ax.get_title(loc="left")](x)[1, 1, 0, 0], x)
        np.testing.assert_array_equal(ax.images[0].get_array() > 0, (slope.abs() > 1e-7).any(dim=3).any(dim=2))


def test_only_the_last_place_is_crossed_out() -> None:
    """One cross, on the batch normalisation in front of the softmax."""
    ax = PICTURES["places"]().figure.axes[0]
    (cross,) = [line.get_xydata()[0].tolist() for line in ax.lines]
    crossed = [text.get_text() for text in ax.texts if text.get_text() and list(text.get_position()) == cross]
    assert crossed == ["batch norm"]
    row = [text.get_text() for text in ax.texts if text.get_text() and text.get_position()[1] == cross[1]]
    assert "softmax" in row


def test_maps_write_every_value_and_count_what_learns() -> None:
    """Each cell shows its percentage in its place, and the alt text counts those of 80 % and more."""
    picture = PICTURES["stability_maps"]()
    for ax, table in zip(picture.figure.axes, MAPS.values(), strict=True):
        shown = {text.get_position(): float(text.get_text()) for text in ax.texts}
        assert shown == {(column, row): value for (row, column), value in np.ndenumerate(table)}
    assert "plain: 1 of 4 settings reach 80 %; with it: 3 of 4" in picture.alt


def test_bands_of_losses_share_their_scale() -> None:
    """Both charts have the same logarithmic range, wide enough for the highest loss."""
    first, second = PICTURES["smoothness"]().figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[1] > 30
    assert first.get_yscale() == "log"


@pytest.mark.parametrize(("name", "ticks"), [("by_batch_size", ["2", "8", "32"]), ("by_rate", ["0.1", "0.3", "1"])])
def test_logarithmic_axes_name_what_was_tried(name: str, ticks: list[str]) -> None:
    """The ticks are the values themselves, not powers of ten."""
    (ax,) = PICTURES[name]().figure.axes
    assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ticks


def test_the_recalibrated_score_is_marked_at_the_last_epoch() -> None:
    """A star stands at epoch 3; without a recalibrated score there is none."""
    (ax,) = PICTURES["eval_gap"]().figure.axes
    assert ax.lines[-1].get_xydata().tolist() == [[3, 94.0]]
    assert len(plots.eval_gap(MODES).figure.axes[0].lines) == 2


def test_all_pictures_are_tested() -> None:
    """Every public picture of the module but the shared charts has its entry here."""
    shared = {"bars", "curves"}
    assert set(PICTURES) == set(plots.__all__) - shared
    assert all(isinstance(make(), style.Picture) for make in PICTURES.values())
