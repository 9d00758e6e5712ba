"""The pictures of lesson 02: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.plots import activations as plots
from course_lib.plots import style

FALLING = [0.9, 0.4, 0.1]
FADING = {"sigmoid": [0.001, 0.01, 0.1], "ReLU": [1.0, 1.1, 0.9]}
TABLE = np.array([[0.2, -0.2], [-0.2, 0.2]])
NOISE = [np.linspace(-0.9, 0.9, 30), np.linspace(-0.1, 0.1, 30)]
PICTURES = {
    "functions_and_slopes": plots.functions_and_slopes,
    "gradient_by_layer": lambda: plots.gradient_by_layer(FADING),
    "rectifiers": plots.rectifiers,
    "temperatures": lambda: plots.temperatures(["one", "two"], {0.5: [0.9, 0.1], 2.0: [0.6, 0.4]}),
    "jacobian": lambda: plots.jacobian(TABLE),
    "wrong_and_sure": plots.wrong_and_sure,
    "number_losses": lambda: plots.number_losses([1, 2, 3, 4, 20]),
    "margin_losses": plots.margin_losses,
    "triplet": lambda: plots.triplet([0, 0], [1, 0], [0, 3], 1.0),
    "spread_by_layer": lambda: plots.spread_by_layer({"half": [1, 0.5], "twice": [1, 2]}),
    "layer_histograms": lambda: plots.layer_histograms({"small": NOISE, "large": NOISE}),
    "training_race": lambda: plots.training_race({"one": FALLING, "two": FALLING}, "Two of a kind"),
    "lab_curves": lambda: plots.lab_curves(FALLING, FALLING, "cross-entropy per image"),
}


def lines_by_name(ax) -> dict:
    """The curves of one chart by the name in its legend."""
    return {line.get_label(): line for line in ax.lines}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_itself_with_alt_text(name: str) -> None:
    """In a notebook a picture is a figure element with its sentence as alt text; in a terminal it is the sentence."""
    assert_speaks(PICTURES[name]())


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_wide_as_the_text(name: str) -> None:
    """Every picture has the same width and is not blank."""
    assert_wide_and_not_blank(PICTURES[name]())


@pytest.mark.parametrize("name", sorted(set(PICTURES) - {"layer_histograms"}))
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


@pytest.mark.parametrize("name", ["functions_and_slopes", "wrong_and_sure", "margin_losses", "training_race"])
def test_curves_differ_without_colour(name: str) -> None:
    """Curves of one chart differ in dash; the thick one below is lighter than the thin one on top of it."""
    ax = PICTURES[name]().figure.axes[0]
    dashes = [line.get_linestyle() for line in ax.lines]
    light = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in ax.lines]
    assert len(set(dashes)) == len(dashes)
    assert ax.lines[0].get_linewidth() > ax.lines[1].get_linewidth()
    assert light[0] - light[1] > 0.2


def test_bars_differ_without_colour() -> None:
    """Each temperature has a hatch of its own."""
    groups = PICTURES["temperatures"]().figure.axes[0].containers
    assert len({group.patches[0].get_hatch() for group in groups}) == len(groups)


def test_slopes_are_those_of_the_functions() -> None:
    """Every drawn slope is what differences of the drawn function say."""
    functions, slopes = (lines_by_name(ax) for ax in plots.functions_and_slopes().figure.axes)
    for name in ("sigmoid", "tanh"):
        z, values = functions[name].get_data()
        np.testing.assert_allclose(np.gradient(values, z)[1:-1], slopes[name].get_ydata()[1:-1], atol=1e-3)


def test_slope_of_relu_is_a_step_with_a_gap() -> None:
    """ReLU's slope is 0 left and 1 right of the kink; no line joins the two, for there is no slope in between."""
    steps = [line for line in plots.functions_and_slopes().figure.axes[1].lines if line.get_linestyle() == ":"]
    assert [set(line.get_ydata()) for line in steps] == [{0.0}, {1.0}]


def test_forms_of_gelu_differ_by_what_the_lesson_says() -> None:
    """The largest difference drawn is 4.7 ten-thousandths, and the alt text says so."""
    picture = plots.rectifiers()
    assert np.abs(picture.figure.axes[1].lines[0].get_ydata()).max() == pytest.approx(4.73, abs=0.01)
    assert "4.7 ten-thousandths" in picture.alt


def test_losses_for_numbers_are_lowest_where_marked() -> None:
    """The dashed lines stand at mean and median, and the curves have their lowest point there."""
    for ax, best in zip(plots.number_losses([1, 2, 3, 4, 20]).figure.axes, (6, 3), strict=True):
        guess, loss = ax.lines[0].get_data()
        assert guess[loss.argmin()] == pytest.approx(best, abs=0.05)
        assert list(ax.lines[1].get_xdata()) == [best, best]


def test_only_two_losses_punish_being_too_right() -> None:
    """Beyond margin 1 the squared and the absolute error rise again, hinge and cross-entropy do not."""
    curves = lines_by_name(plots.margin_losses().figure.axes[0])
    rises = {name.split(",")[0] for name, line in curves.items() if np.diff(line.get_ydata()[-20:])[-1] > 0}
    assert rises == {"squared", "absolute"}


def test_triplet_says_whether_the_negative_costs() -> None:
    """Inside the dashed circle the loss is positive, outside it is 0, in title and alt text alike."""
    near, far = plots.triplet([0, 0], [1, 0], [0, 1.5], 1.0), plots.triplet([0, 0], [1, 0], [0, 3], 1.0)
    assert near.figure.axes[0].get_title(loc="left").endswith("= 0.50")
    assert "inside the dashed circle, so the loss is 0.50" in near.alt
    assert far.figure.axes[0].get_title(loc="left").endswith("= 0.00")
    assert "outside the dashed circle, so the loss is 0.00" in far.alt


def test_jacobian_writes_every_number() -> None:
    """Each cell holds its derivative, and the diagonal is bold."""
    texts = plots.jacobian(TABLE).figure.axes[0].texts
    assert [text.get_text() for text in texts] == ["+0.200", "-0.200", "-0.200", "+0.200"]
    assert [text.get_weight() for text in texts] == ["bold", "normal", "normal", "bold"]


def test_gradient_and_spread_are_drawn_on_log_scales() -> None:
    """What changes by factors is drawn by factors, and the ends stand in the alt text."""
    for name in ("gradient_by_layer", "spread_by_layer"):
        assert PICTURES[name]().figure.axes[0].get_yscale() == "log"
    assert "0.1 at the last layer and 0.001 at the first for sigmoid" in PICTURES["gradient_by_layer"]().alt


def test_race_is_cut_off_only_where_a_loss_explodes() -> None:
    """An exploding loss is cut off, which the title says; infinity and NaN are no error; others are shown whole."""
    wild = plots.training_race({"calm": FALLING, "wild": [1e20, np.inf, np.nan]}, "Race")
    assert wild.png()
    assert wild.figure.axes[0].get_ylim() == (0, 3)
    assert "cut off at 3" in wild.figure.axes[0].get_title(loc="left")
    assert "cut off" not in PICTURES["training_race"]().figure.axes[0].get_title(loc="left")


def test_lab_curves_name_the_loss() -> None:
    """The axis names the loss that the lesson trains with."""
    assert "cross-entropy" in PICTURES["lab_curves"]().figure.axes[0].get_ylabel()


def test_every_row_of_histograms_has_its_name() -> None:
    """A row per start with its name, a column per layer with its number, and one line that says what is drawn."""
    figure = PICTURES["layer_histograms"]().figure
    assert [ax.get_ylabel() for ax in figure.axes] == ["small", "", "large", ""]
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["layer 1", "layer 2"] * 2
    assert "activation" in figure.get_supxlabel()


def test_all_pictures_are_tested() -> None:
    """Every public picture of the module but the shared charts has its entry here."""
    shared = {"bars", "confusion", "curves", "digit_images"}
    assert set(PICTURES) == set(plots.__all__) - shared
    assert all(isinstance(make(), style.Picture) for make in PICTURES.values())
