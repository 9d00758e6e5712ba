"""The pictures of lesson 03: they show, they speak, they can be read in grey, and they tell the truth."""

from __future__ import annotations

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
from picture_promises import assert_repeats, assert_speaks, assert_wide_and_not_blank
from scipy.optimize import approx_fprime

from course_lib.plots import backpropagation as plots

VALUES = {"x1": 1, "w1": -3, "x2": -2, "b": -1, "w3": 5, "p": -3, "q": 6, "z": 2, "r": 2, "f": 10}
FLOWS = {("f", "r"): 5, ("f", "w3"): 2, ("r", "z"): 5, ("z", "p"): 5, ("z", "q"): 5, ("z", "b"): 5,
         ("p", "x1"): -15, ("p", "w1"): 7, ("q", "w1"): -10, ("q", "x2"): -15}  # fmt: skip
DOUT = np.array([[1.0, 2, 0], [0, -1, 3]])
NEEDS = {"SGD": (0.1, 0.1, 0.0, 0.05), "Adam": (0.1, 0.1, 0.2, 0.5)}
FALLING = [0.9, 0.4, 0.1]
PICTURES = {
    "difference_quotients": plots.difference_quotients,
    "graph_forward": lambda: plots.exam_graph(VALUES),
    "graph_backward": lambda: plots.exam_graph(VALUES, FLOWS),
    "product_orders": lambda: plots.product_orders([6, 5, 4]),
    "broadcast_copies": lambda: plots.broadcast_copies(DOUT),
    "layer_recursion": plots.layer_recursion,
    "waiting_node": plots.waiting_node,
    "memory_parts": lambda: plots.memory_parts(NEEDS),
    "value_errors": lambda: plots.value_errors(FALLING),
    "two_backward_passes": lambda: plots.two_backward_passes(FALLING, [2.3, 2.3, 2.3]),
}
CHARTS = ("difference_quotients", "memory_parts", "value_errors", "two_backward_passes")


def words(picture) -> list[str]:
    """All texts inside the axes of a picture."""
    return [text.get_text() for ax in picture.figure.axes for text in ax.texts]


@pytest.mark.parametrize("name", PICTURES)
def test_picture_shows_itself_with_alt_text(name: str) -> None:
    """In a notebook a picture is a figure element with its sentence as alt text; in a terminal it is the sentence."""
    assert_speaks(PICTURES[name]())


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_wide_as_the_text(name: str) -> None:
    """Every picture has the same width and is not blank."""
    assert_wide_and_not_blank(PICTURES[name]())


@pytest.mark.parametrize("name", CHARTS)
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


def test_straight_lines_differ_without_colour() -> None:
    """Tangent and both quotients differ in dash, and the wide tangent is lighter than the line on top of it."""
    lines = plots.difference_quotients().figure.axes[0].lines[1:4]
    light = [np.dot(matplotlib.colors.to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in lines]
    assert len({line.get_linestyle() for line in lines}) == 3
    assert lines[0].get_linewidth() > lines[1].get_linewidth()
    assert light[0] - light[1] > 0.2


def test_quotients_pass_through_their_points() -> None:
    """The one-sided line meets the sine at x and x + h, the central one at x - h and x + h; the tangent is parallel to
    neither but nearer to the central one."""
    ax = plots.difference_quotients(0.4).figure.axes[0]
    tangent, one_sided, central = (np.polyfit(*line.get_data(), 1) for line in ax.lines[1:4])
    np.testing.assert_allclose(np.polyval(one_sided, [1, 1.4]), np.sin([1, 1.4]), atol=1e-12)
    np.testing.assert_allclose(np.polyval(central, [0.6, 1.4]), np.sin([0.6, 1.4]), atol=1e-12)
    assert tangent[0] == pytest.approx(approx_fprime([1.0], lambda x: np.sin(x[0]))[0], abs=1e-6)
    assert abs(central[0] - tangent[0]) < abs(one_sided[0] - tangent[0]) / 5


def test_graph_shows_every_value_and_every_gradient() -> None:
    """Each node has its value; backward, each edge has its gradient, in the picture and in the alt text."""
    forward, backward = PICTURES["graph_forward"](), PICTURES["graph_backward"]()
    for name, value in VALUES.items():
        assert sum(text.endswith(f"{name} = {value}") for text in words(forward)) == 1
        assert f"{name} = {value}" in backward.alt
    numbers = [text for text in words(backward) if text.lstrip("-").isdigit()]
    assert sorted(map(int, numbers)) == sorted(FLOWS.values())
    assert "p to w1 7" in backward.alt
    assert not [text for text in words(forward) if text.lstrip("-").isdigit()]


def test_arrows_of_the_graph_turn_round() -> None:
    """Forward arrows end at the node, backward arrows end at its source."""

    def ends(picture) -> set[tuple[float, float]]:
        return {text.xy for text in picture.figure.axes[0].texts if getattr(text, "arrow_patch", None)}

    assert plots.SPOTS["f"] in ends(PICTURES["graph_forward"]())
    assert plots.SPOTS["f"] not in ends(PICTURES["graph_backward"]())
    assert plots.SPOTS["w3"] in ends(PICTURES["graph_backward"]())


def test_products_are_counted_right() -> None:
    """The numbers of multiplications are those of counting loops."""
    left = sum(1 for _ in range(4) for _ in range(5)) + sum(1 for _ in range(5) for _ in range(6))
    right = sum(1 for _ in range(4) for _ in range(5) for _ in range(6)) + sum(1 for _ in range(4) for _ in range(6))
    picture = PICTURES["product_orders"]()
    titles = [ax.get_title(loc="left") for ax in picture.figure.axes]
    assert f"{left} multiplications" in titles[0]
    assert f"{right} multiplications" in titles[1]
    assert str(left) in picture.alt
    assert str(right) in picture.alt


def test_sums_of_copies_are_sums_of_columns() -> None:
    """Under each column of the gradient stands its sum, and the alt text names them in order."""
    picture = PICTURES["broadcast_copies"]()
    bold = [text.get_text() for text in picture.figure.axes[1].texts if text.get_weight() == "bold"]
    assert bold == ["1", "1", "3"]
    assert "1, 1, 3" in picture.alt


def test_memory_bars_stack_to_their_total() -> None:
    """The parts of a bar lie on each other, their sum is written above, and hatches differ where fills are light."""
    picture = PICTURES["memory_parts"]()
    stacks = picture.figure.axes[0].containers
    tops = [max(patch.get_y() + patch.get_height() for patch in column) for column in zip(*stacks, strict=True)]
    np.testing.assert_allclose(tops, [sum(parts) for parts in NEEDS.values()])
    assert words(picture) == ["0.25", "0.90"]
    looks = {(stack.patches[0].get_facecolor(), stack.patches[0].get_hatch()) for stack in stacks}
    assert len(looks) == 4


def test_waiting_node_takes_its_turn_last() -> None:
    """Node y passes on in the third turn, after both of its users; each turn is written on both of its arrows."""
    texts = words(PICTURES["waiting_node"]())
    assert [texts.count(turn) for turn in ("1st", "2nd", "3rd")] == [2, 2, 2]
