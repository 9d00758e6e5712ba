"""The pictures: they show, they speak, they can be read in grey, and they leave Matplotlib's state alone."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from course_lib.data import load_digits, pupils
from course_lib.plots import style
from course_lib.plots import xor_mlp as plots

ROOT = Path(__file__).resolve().parents[1]
LINE = (np.array([1.0, 1.0]), -21.5)
# w1, b1, w2, b2 of a network 2-2-1: OR, but not AND.
WEIGHTS = (np.full((2, 2), 20.0), np.array([-10.0, -30.0]), np.array([[20.0, -20.0]]), np.array([-10.0]))
X = np.linspace(0, 1, 50)
MARKS, ADMITTED = pupils()
FALLING = [0.9, 0.4, 0.1]
PICTURES = {
    "admission": lambda: plots.admission(MARKS, ADMITTED, (np.array([1.0, -1.0]), 0.0), LINE),
    "sigmoid_and_slope": plots.sigmoid_and_slope,
    "descent": lambda: plots.descent([5.0, 10.0], [5.0, 0.5]),
    "error_map": lambda: plots.error_map((MARKS - 10) / 5, ADMITTED, -1.0, np.array([[0.0, 0.0], [3.0, 3.0]])),
    "timeline": plots.timeline,
    "xor_line": lambda: plots.xor_line([1.0, 1.0], -0.5),
    "xor_features": plots.xor_features,
    "network": lambda: plots.network([2, 2, 1], [["a", "b"], ["c", "d"], ["o"]]),
    "chain": plots.chain,
    "fold": lambda: plots.fold(*WEIGHTS),
    "fold_plan": plots.fold_plan,
    "true_and_doubled_slope": plots.true_and_doubled_slope,
    "approximations": lambda: plots.approximations(X, X**2, {3: X, 5: X**2}),
    "shares_solved": lambda: plots.shares_solved({1: 0.0, 2: 80.0}),
    "digit_images": lambda: plots.digit_images(load_digits().x_test[:3], [1, 2, 3], [1, 7, 3]),
    "confusion": lambda: plots.confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), 2),
    "lab_curves": lambda: plots.lab_curves(FALLING, FALLING),
}


def pixels(picture: style.Picture) -> np.ndarray:
    """The picture as it is shown, `(H, W, 3)` from 0 to 1."""
    return matplotlib.image.imread(io.BytesIO(picture.png()))[..., :3]


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_itself_with_alt_text(name: str) -> None:
    """In a notebook a picture is a figure element with its sentence as alt text; in a terminal it is the sentence."""
    picture = PICTURES[name]()
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == repr(picture) == picture.alt
    assert bundle["text/html"].startswith('<figure style="margin:0"><img alt="')
    assert 'src="data:image/png;base64,iVBOR' in bundle["text/html"]
    assert "max-width:100%" in bundle["text/html"]
    assert len(picture.alt) > 30
    assert picture.alt.endswith(".")


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_wide_as_the_text(name: str) -> None:
    """Every picture has the same width and is not blank."""
    seen = pixels(PICTURES[name]())
    assert seen.shape[1] == 770
    assert seen.std() > 0.01


@pytest.mark.parametrize("name", sorted(set(PICTURES) - {"timeline", "network", "chain", "digit_images"}))
def test_axes_are_labelled(name: str) -> None:
    """Every chart says what each of its axes shows; an axis without a label has no numbers either."""
    for ax in PICTURES[name]().figure.axes:
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert ax.get_ylabel() or not len(ax.get_yticks())


def test_alt_text_is_escaped() -> None:
    """Quotes and angle brackets in an alt text cannot end the attribute."""
    figure, _ = style.canvas()
    shown = style.Picture(figure, 'a "quoted" <b>')._repr_mimebundle_()["text/html"]
    assert 'alt="a &quot;quoted&quot; &lt;b&gt;"' in shown


def test_same_picture_gives_same_bytes() -> None:
    """Notebooks rebuilt on one machine do not differ: no dates, no random draws."""
    assert plots.xor_features().png() == plots.xor_features().png()


def test_pictures_leave_pyplot_out() -> None:
    """Drawing neither imports pyplot nor changes Matplotlib's settings."""
    # Reading the setting "backend" would import pyplot, so it is looked at last.
    code = (
        "import sys, matplotlib; before = matplotlib.rcParams.copy()\n"
        "from course_lib.plots import xor_mlp as plots; plots.sigmoid_and_slope().png(); plots.fold\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert all(matplotlib.rcParams[name] == before[name] for name in before if name != 'backend')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_classes_differ_without_colour() -> None:
    """The two classes have different markers, one hollow and one full."""
    _, (ax,) = style.canvas()
    style.draw_classes(ax, MARKS, ADMITTED, ("no", "yes"))
    hollow, full = ax.collections
    assert len(hollow.get_paths()[0].vertices) != len(full.get_paths()[0].vertices)
    assert hollow.get_facecolor()[0].tolist() == [1, 1, 1, 1]


def test_curves_on_each_other_stay_visible_in_grey() -> None:
    """Two equal curves differ in line style, in width and in lightness, so both are seen."""
    drawn = plots.lab_curves(FALLING, FALLING).figure.axes[0].lines
    styles, widths = [line.get_linestyle() for line in drawn], [line.get_linewidth() for line in drawn]
    lightness = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in drawn]
    assert styles == ["-", "--"]
    assert widths[0] > widths[1]
    assert abs(lightness[0] - lightness[1]) > 0.2


def test_line_picture_counts_what_is_right() -> None:
    """Title and alt text say how many points lie on their side, for a good line and a bad one."""
    good, bad = plots.admission(MARKS, ADMITTED, LINE), plots.admission(MARKS, ADMITTED, (-LINE[0], -LINE[1]))
    assert "20 of 20" in good.figure.axes[0].get_title(loc="left")
    assert "0 pupils are on their own side" in bad.alt
    assert "3 of the four" in plots.xor_line([1.0, 1.0], -0.5).alt


def test_hatch_is_on_the_positive_side() -> None:
    """The hatched side of a line is the one with a positive score, and a line outside the box hatches nothing."""
    _, (ax,) = style.canvas()
    style.draw_side(ax, lambda points: points[:, 0] - 0.5, (0, 1, 0, 1))
    corners = np.concatenate([path.vertices for path in ax.collections[0].get_paths()])
    assert corners[:, 0].min() == pytest.approx(0.5, abs=0.01)
    _, (empty,) = style.canvas()
    style.draw_side(empty, lambda points: points[:, 0] - 9, (0, 1, 0, 1))
    assert len(empty.collections) == 0


def test_confusion_counts_truth_by_row() -> None:
    """Rows are the true classes, columns the answers; the alt text names the most frequent mistake."""
    picture = plots.confusion(np.array([2, 2, 2, 0]), np.array([1, 1, 2, 0]), 3)
    written = {text.get_position(): int(text.get_text()) for text in picture.figure.axes[0].texts}
    assert written == {(0, 0): 1, (1, 2): 2, (2, 2): 1}
    assert "2 of 4 on the diagonal" in picture.alt
    assert "2 read as 1 (count: 2)" in picture.alt


def test_confusion_without_mistakes() -> None:
    """A perfect table is drawn too, and names no mistake."""
    assert "mistake" not in plots.confusion(np.array([0, 1]), np.array([0, 1]), 2).alt


def test_lab_curves_say_whose_code_ran() -> None:
    """With the learner's losses the title says so; without them it says that Torch ran alone."""
    assert "Your code ran" in plots.lab_curves(FALLING, FALLING).figure.axes[0].get_title(loc="left")
    alone = plots.lab_curves(None, FALLING)
    assert "Torch's code ran alone" in alone.figure.axes[0].get_title(loc="left")
    assert len(alone.figure.axes[0].lines) == 1


def test_no_misread_digits_is_no_error() -> None:
    """An empty row of images is an empty picture, for the learner who misreads nothing."""
    assert plots.digit_images(np.zeros((0, 64)), [], []).png().startswith(b"\x89PNG")


def test_corners_that_meet_are_both_named() -> None:
    """Two corners on one spot get one label with both names, in the plan as with real weights."""
    for picture in (plots.fold_plan(), plots.fold(*WEIGHTS)):
        written = [text.get_text() for text in picture.figure.axes[1].texts]
        assert sorted(written) == ["(0,0)", "(0,1) and (1,0)", "(1,1)"]
        assert "(0,1) to (1.0, 0.0); (1,0) to (1.0, 0.0)" in picture.alt


def test_the_plan_leaves_the_line_to_the_learner() -> None:
    """Before the learner has weights, neither side shows a border."""
    areas = [len(ax.collections) for ax in plots.fold_plan().figure.axes]
    assert areas == [2, 2], "the two classes and nothing else"


def test_legends_hide_no_data() -> None:
    """Where points or regions fill the axes, the legend stands outside of them."""
    for name in ("admission", "xor_line", "fold"):
        figure = PICTURES[name]().figure
        assert figure.legends
        assert all(ax.get_legend() is None for ax in figure.axes)


def test_earlier_line_is_explained() -> None:
    """The dotted line is in the legend, and an arrow from a point of it leads to its yes side."""
    w, b = np.array([1.0, -1.0]), 0.0
    figure = plots.admission(MARKS, ADMITTED, (w, b), LINE).figure
    assert "line before the update" in [text.get_text() for text in figure.legends[0].texts]
    (arrow,) = figure.axes[0].texts
    assert arrow.xy @ w + b == pytest.approx(0)
    assert np.array(arrow.get_position()) @ w + b > 0


def test_fits_are_told_apart_by_their_error() -> None:
    """Curves that would lie on each other are drawn as errors, one per size; the legend gives no answer away."""
    _, right = PICTURES["approximations"]().figure.axes
    assert [text.get_text() for text in right.get_legend().texts] == ["3 units", "5 units"]
    assert right.get_yscale() == "log"
    np.testing.assert_allclose(right.lines[0].get_ydata()[1:-1], np.abs(X - X**2)[1:-1])


def test_error_map_says_which_bias_it_is_for() -> None:
    """The map is one slice: its title names the bias that is held."""
    assert "bias -1.00" in PICTURES["error_map"]().figure.axes[0].get_title(loc="left")


def test_the_chain_leaves_the_slopes_to_the_learner() -> None:
    """The picture before the bug hunt names the slopes without writing them out."""
    written = " ".join(text.get_text() for text in plots.chain().figure.axes[0].texts)
    assert "1-h" not in written and "1-o" not in written


def test_fold_takes_more_hidden_units() -> None:
    """With three hidden units the first two are drawn, and no line is claimed for them."""
    w1, b1, w2, b2 = WEIGHTS
    wide = plots.fold(np.vstack([w1, [[0.0, 0.0]]]), np.append(b1, 0.0), np.append(w2, [[0.0]], axis=1), b2)
    left, right = wide.figure.axes
    assert len(right.collections) < len(left.collections)
