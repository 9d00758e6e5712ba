"""The pictures of lesson 08: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.counting import count
from course_lib.networks import resnet18
from course_lib.plots import residual as plots
from course_lib.widgets.architectures import ARCHITECTURES

DEPTHS = (4, 8, 16)
FALLING = [0.9, 0.4, 0.1]
BY_DEPTH = {"plain": [0.1, 0.5, 2.0], "with skips": [0.2, 0.1, 0.05]}
NORMS = {"plain": [1e-1, 1e-6, 1e-12], "skips": [2.0, 3.0, 5.0], "skips, loud": [2.0, 50.0, 1e4]}
SPREAD = {"s = 1": [1.0, 2.2, 3.9], "s = 0": [1.0, 1.0, 1.0]}
FORMULA = {"s = 1": [1.0, 2.0, 4.0], "s = 0": [1.0, 1.0, 1.0]}
ROWS = [("conv1", (8, 5, 5), 1000), ("mean", (8,), 0), ("fc", (3,), 27)]
PICTURES = {
    "losses": lambda: plots.losses({"4 layers": FALLING, "20 layers": [2.3, 2.2, 2.1]}, "Two networks"),
    "by_depth": lambda: plots.by_depth(BY_DEPTH, DEPTHS),
    "norms_by_depth": lambda: plots.norms_by_depth(NORMS, DEPTHS),
    "spread_by_block": lambda: plots.spread_by_block(SPREAD, FORMULA),
    "block": plots.block,
    "blocks_a_and_b": plots.blocks_a_and_b,
    "stage_bars": lambda: plots.stage_bars(ROWS),
    "architecture_map": lambda: plots.architecture_map(ARCHITECTURES),
    "architecture_years": lambda: plots.architecture_years(ARCHITECTURES),
    "lab_curves": lambda: plots.lab_curves(FALLING, FALLING, "cross-entropy per batch"),
}
WITHOUT_AXES = {"block", "blocks_a_and_b"}


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
    """Every chart says what each of its axes shows."""
    for ax in PICTURES[name]().figure.axes:
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert ax.get_ylabel()


@pytest.mark.parametrize("name", PICTURES)
def test_same_picture_gives_same_bytes(name: str) -> None:
    """Drawing twice gives the same file: no dates, no random draws."""
    assert_repeats(PICTURES[name])


@pytest.mark.parametrize("name", ["losses", "by_depth", "norms_by_depth"])
def test_curves_differ_without_colour(name: str) -> None:
    """Curves of a chart differ in dash and in marker, and the first two in lightness."""
    lines = PICTURES[name]().figure.axes[0].lines
    assert len({line.get_linestyle() for line in lines}) == len({line.get_marker() for line in lines}) == len(lines)
    light = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in lines[:2]]
    assert light[0] - light[1] > 0.2


@pytest.mark.parametrize(("name", "runs"), [("by_depth", BY_DEPTH), ("norms_by_depth", NORMS)])
def test_depth_charts_draw_their_numbers(name: str, runs: dict[str, list[float]]) -> None:
    """Each curve has its values at the depths that were tried, and exactly these depths are named."""
    ax = PICTURES[name]().figure.axes[0]
    for line, (label, values) in zip(ax.lines, runs.items(), strict=True):
        assert line.get_label() == label
        assert (list(line.get_xdata()), list(line.get_ydata())) == (list(DEPTHS), values)
    assert [text.get_text() for text in ax.get_xticklabels()] == [str(depth) for depth in DEPTHS]
    assert ax.get_yscale() == "log"


def test_losses_count_epochs_from_one_and_say_where_they_end() -> None:
    """The first loss stands at epoch 1; the alt text gives the last one of each network."""
    picture = PICTURES["losses"]()
    assert list(picture.figure.axes[0].lines[0].get_xdata()) == [1, 2, 3]
    assert picture.alt == "Training loss by epoch: 4 layers ends at 0.10; 20 layers ends at 2.10."


def test_measured_variances_are_marks_and_the_formula_is_a_line() -> None:
    """Per scale one line without marks, by the formula, and marks without a line, as measured."""
    ax = PICTURES["spread_by_block"]().figure.axes[0]
    drawn = {(line.get_linestyle() == "None", tuple(line.get_ydata())) for line in ax.lines}
    wanted = {(True, tuple(values)) for values in SPREAD.values()}
    assert drawn == wanted | {(False, tuple(values)) for values in FORMULA.values()}


def ways(name: str) -> set[tuple[str, str]]:
    """The arrows of a drawing, from the text of one box to that of another."""
    ax = PICTURES[name]().figure.axes[0]
    texts = {text.get_position(): text.get_text() for text in ax.texts if text.get_text()}
    return {(texts[note.xyann], texts[note.xy]) for note in ax.texts if not note.get_text()}


def test_two_ways_lead_from_the_input_to_the_sum() -> None:
    """In the drawing of the connection x goes through the branch and past it."""
    assert ways("block") == {("x", "branch F"), ("x", "+"), ("branch F", "+"), ("+", "x + F(x)")}


def test_only_block_b_has_a_layer_on_its_shortcut() -> None:
    """Block A joins x and the sum directly; block B by a 1x1 convolution."""
    arrows = ways("blocks_a_and_b")
    assert ("x\n16 x 8 x 8", "+") in arrows
    assert {("x\n16 x 8 x 8", "1x1, stride 2\nBN"), ("1x1, stride 2\nBN", "+")} <= arrows


def test_bars_of_a_table_add_up_and_carry_the_shapes() -> None:
    """Each bar is as long as its parameters, the title is their sum, and the shape stands behind the bar."""
    ax = PICTURES["stage_bars"]().figure.axes[0]
    np.testing.assert_allclose([bar.get_width() * 1e6 for bar in ax.patches], [1000, 0, 27])
    assert ax.get_title(loc="left") == "1,027 parameters"
    assert {"8 x 5 x 5", "8", "3"} <= {text.get_text() for text in ax.texts}


def test_the_map_puts_every_network_where_its_figures_are() -> None:
    """Circles stand at operations and accuracy; their areas are in proportion to the parameters."""
    ax = PICTURES["architecture_map"]().figure.axes[0]
    for circle, row in zip(ax.collections, ARCHITECTURES, strict=True):
        np.testing.assert_allclose(circle.get_offsets()[0], (row["operations"] / 1e9, row["accuracy"]))
        np.testing.assert_allclose(circle.get_sizes()[0], row["parameters"] / 1e5)
    assert all(any(row["name"] in text.get_text() for text in ax.texts) for row in ARCHITECTURES)


def test_the_published_figures_of_resnet18_are_those_that_are_counted() -> None:
    """Parameters and multiply-adds in the table agree with counting the layers."""
    (row,) = [row for row in ARCHITECTURES if row["name"] == "ResNet-18"]
    counted = count(resnet18(), (3, 224, 224))
    assert row["parameters"] == counted.parameters
    assert abs(row["operations"] - counted.multiply_adds) < 1e6


@pytest.mark.parametrize("name", ["architecture_map", "architecture_years"])
def test_names_of_networks_do_not_cover_each_other(name: str) -> None:
    """The texts beside the marks leave each other room."""
    picture = PICTURES[name]()
    picture.png()
    boxes = [text.get_window_extent() for text in picture.figure.axes[0].texts]
    crossing = [
        (a, b) for place, a in enumerate(boxes) for b in boxes[place + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 4
    ]  # fmt: skip
    assert not crossing
