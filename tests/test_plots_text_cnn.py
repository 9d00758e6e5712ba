"""The pictures of lesson 09: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from matplotlib.patches import Rectangle
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank

from course_lib.plots import style
from course_lib.plots import text_cnn as plots

WORDS = "this method is not very fast here".split()
TABLE = np.arange(24, dtype=float).reshape(6, 4) - 12
NAMES = ["<pad>", "<unk>", "be", "to", "not", "or"]
ROWS = np.array([[3, 2, 5, 4], [2, 1, 0, 0]])
ANSWERS = {"A": [-2.0, -0.5, 9.0], "B": [1.0, 0.5, 3.0]}
PICTURES = {
    "two_bags": lambda: plots.two_bags([["not", "so", "good"], ["good", "so", "not"]]),
    "frequencies": lambda: plots.frequencies([50, 20, 10, 5, 1, 1], 4),
    "padded_rows": lambda: plots.padded_rows(ROWS, NAMES),
    "look_up": lambda: plots.look_up(NAMES, [3, 2, 3], TABLE),
    "seven_words": lambda: plots.seven_words(WORDS, 3),
    "answers_over_time": lambda: plots.answers_over_time("it is _ _".split(), 2, ANSWERS, [True, True, False]),
    "kim_network": lambda: plots.kim_network(WORDS),
    "race": lambda: plots.race({"NumPy": [50, 70, 80], "Torch": [50, 72, 81]}, chance=50),
    "word_map": lambda: plots.word_map(TABLE**2, NAMES, {"verbs": ["be"], "others": ["to", "not", "or"]}),
    "marked_sentences": lambda: plots.marked_sentences([(WORDS, [0, 0, 0.1, 2, -1, 0, 0])], "Towards 'bad'"),
}
WITHOUT_AXES = {"padded_rows", "seven_words", "kim_network", "marked_sentences"}


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


def test_curves_differ_without_colour() -> None:
    """The two curves of a race differ in dash, and the thick one is lighter than the thin one on top."""
    under, over = PICTURES["race"]().figure.axes[0].lines[:2]
    light = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in (under, over)]
    assert under.get_linestyle() != over.get_linestyle()
    assert under.get_linewidth() > over.get_linewidth()
    assert light[0] - light[1] > 0.2


def test_equal_bags_are_called_equal() -> None:
    """The alt text says whether the rows agree, and the numbers stand in the table."""
    assert "the same numbers" in PICTURES["two_bags"]().alt
    other = plots.two_bags([["very", "very", "good"], ["very", "good"]])
    assert "different numbers" in other.alt
    assert [text.get_text() for text in other.figure.axes[0].texts] == ["1", "2", "1", "1"]


def test_frequencies_say_which_share_the_vocabulary_keeps() -> None:
    """Four of six words with 85 of 87 occurrences; two words occur once."""
    picture = PICTURES["frequencies"]()
    assert "4 of 6 words make 98 % of the text" in picture.figure.axes[0].get_title(loc="left")
    assert "2 words occur once" in picture.alt


def test_padding_is_hatched_and_words_are_not() -> None:
    """Only the zeros of the rows are hatched."""
    boxes = [patch for patch in PICTURES["padded_rows"]().figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert [bool(box.get_hatch()) for box in boxes] == [number == 0 for number in ROWS.ravel()]


def test_equal_words_are_looked_up_as_equal_rows() -> None:
    """The right picture holds the rows of the sentence, the first and the last alike."""
    shown = PICTURES["look_up"]().figure.axes[1].images[0].get_array()
    np.testing.assert_array_equal(shown, TABLE[[3, 2, 3]])


def test_seven_words_have_five_windows() -> None:
    """Each window is as wide as the others and begins one word later."""
    (ax,) = PICTURES["seven_words"]().figure.axes
    spans = np.array([line.get_xdata() for line in ax.lines])
    assert len(spans) == 5
    np.testing.assert_allclose(np.diff(spans, axis=0), 1)
    assert "7 words in, 5 windows out" in ax.get_title(loc="left")


def test_the_maximum_is_marked_among_windows_that_count() -> None:
    """The largest answer lies in the padding and is hatched; the mark is at the largest of the others."""
    for ax, best in zip(PICTURES["answers_over_time"]().figure.axes, (-0.5, 1.0), strict=True):
        marked = next(line for line in ax.lines if line.get_marker() == "D")
        assert marked.get_xdata()[0] == best
        assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, False, True]


def test_the_network_has_as_many_cells_as_its_sizes_say() -> None:
    """Seven words, 28 numbers, 6 and 5 windows of three filters, and six maxima; every maximum meets both scores."""
    (ax,) = PICTURES["kim_network"]().figure.axes
    assert len(ax.patches) == 7 + 7 * 4 + (6 + 5) * 3 + 6
    assert len(ax.lines) == 6 * 2 + 1


def test_guessing_is_drawn_only_where_it_is_known() -> None:
    """With a chance there is a third line at its height, without one there is none."""
    with_line, without = PICTURES["race"](), plots.race({"one": [50, 60]})
    assert set(with_line.figure.axes[0].lines[2].get_ydata()) == {50}
    assert len(without.figure.axes[0].lines) == 1


def test_word_map_keeps_distances_of_words_in_a_plane() -> None:
    """Vectors that lie in a plane keep their distances when they are drawn."""
    plane = np.array([[0.0, 0, 0], [3, 0, 0], [0, 4, 0]])
    (ax,) = plots.word_map(plane, ["a", "b", "c"], {"all": ["a", "b", "c"]}).figure.axes
    drawn = ax.lines[0].get_xydata()
    distances = [np.linalg.norm(drawn[i] - drawn[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(distances, [3, 4, 5])


def test_strong_words_are_marked_and_the_sign_has_a_line_style() -> None:
    """Three words are strong enough to be shaded; a positive one is underlined solid, a negative one dotted."""
    (ax,) = PICTURES["marked_sentences"]().figure.axes
    assert len(ax.patches) == 3
    assert [line.get_linestyle() for line in ax.lines] == ["-", "-", ":"]
    assert "not in 'this method" in PICTURES["marked_sentences"]().alt


def test_long_sentences_are_wrapped() -> None:
    """No word is drawn beyond the edge, and the order of the words is kept."""
    words = ["regularisation"] * 20
    (ax,) = plots.marked_sentences([(words, [1.0] * 20)], "Towards 'bad'").figure.axes
    ends = [text.get_position()[0] + len(text.get_text()) for text in ax.texts]
    assert len(ends) == 20
    assert max(ends) <= ax.get_xlim()[1]


def test_all_pictures_are_tested() -> None:
    """Every public picture of the module but the shared charts has its entry here."""
    shared = {"bars", "confusion", "curves"}
    assert set(PICTURES) == set(plots.__all__) - shared
    assert all(isinstance(make(), style.Picture) for make in PICTURES.values())
