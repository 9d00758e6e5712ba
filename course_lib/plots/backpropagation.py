"""The pictures of lesson 03, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plots.charts import bars, confusion, curves, digit_images, lab_curves
from course_lib.plots.style import BLUE, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "bars", "broadcast_copies", "confusion", "curves", "difference_quotients", "digit_images", "exam_graph",
    "lab_curves", "layer_recursion", "memory_parts", "product_orders", "two_backward_passes", "value_errors",
    "waiting_node",
]  # fmt: skip

# Where the nodes of the exam graph stand, inputs on the left; and what feeds what.
SPOTS = {
    "x1": (0, 3), "w1": (0, 2), "x2": (0, 1), "b": (0, 0), "w3": (0, -1),
    "p": (2, 2.5), "q": (2, 1.5), "z": (4, 1), "r": (6, 1), "f": (8, 0),
}  # fmt: skip
EDGES = {"p": ("x1", "w1"), "q": ("w1", "x2"), "z": ("p", "q", "b"), "r": ("z",), "f": ("r", "w3")}
SIGNS = {"p": "×", "q": "×", "z": "+", "r": "ReLU", "f": "×"}
PARTS = ("parameters", "gradients", "optimiser", "activations")
FILLS = ("#3E95D6", "#F3D3BD", "white", "#2B2B2B")
HATCHES = ("", "///", "...", "")


def difference_quotients(h: float = 0.5) -> Picture:
    """Both difference quotients of sin at 1 as straight lines beside the tangent, for a step large enough to see."""
    figure, (ax,) = canvas(height=3.6)
    x = np.linspace(0.1, 1.9, 181)
    slopes = {
        "tangent: the slope we want": np.cos(1.0),
        "one-sided: from $x$ to $x+h$": (np.sin(1 + h) - np.sin(1)) / h,
        "central: from $x-h$ to $x+h$": (np.sin(1 + h) - np.sin(1 - h)) / (2 * h),
    }
    ax.plot(x, np.sin(x), color=GREY, linewidth=1.5, label="$f(x) = \\sin x$")
    low = {"central: from $x-h$ to $x+h$": 1 - h}
    for (name, slope), ink, dash, width in zip(slopes.items(), INKS, ("-", ":", "--"), (4, 2.4, 2), strict=False):
        start = low.get(name, 1.0)
        ax.plot(x, np.sin(start) + slope * (x - start), color=ink, linestyle=dash, linewidth=width,
                label=f"{name}, {slope:.3f}")  # fmt: skip
    ends = np.array([1 - h, 1, 1 + h])
    ax.plot(ends, np.sin(ends), "ko", zorder=5)
    for at, name in zip(ends, ("$x-h$", "$x$", "$x+h$"), strict=True):
        ax.annotate(name, (at, np.sin(at)), (4, -14), textcoords="offset points", ha="left")
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    label(ax, f"Two ways to measure the slope at $x=1$, step $h={h:g}$", "$x$ (no unit)", "$f(x)$ (no unit)")
    told = ", ".join(f"{slope:.3f}" for slope in slopes.values())
    return Picture(
        figure,
        "The sine near x = 1 with three straight lines: the tangent, the line through x and x + h, and the line "
        f"through x - h and x + h, which is nearly parallel to the tangent. Their slopes are {told}.",
    )


def exam_graph(values: Mapping[str, float], gradients: Mapping[tuple[str, str], float] | None = None) -> Picture:
    """The graph of ``f = w3 * ReLU(w1 * x1 + w1 * x2 + b)``: a value in every node, a gradient on every edge.

    Args:
        values: of the ten nodes.
        gradients: by (node, source): what flows from the node back to its source; None draws the way forward.
    """
    figure, (ax,) = canvas(height=3.4)
    ink, dash = (BLUE, "-") if gradients is None else (ORANGE, "--")
    for node, sources in EDGES.items():
        for source in sources:
            ends = (SPOTS[node], SPOTS[source]) if gradients is None else (SPOTS[source], SPOTS[node])
            arrow = {"arrowstyle": "->", "color": ink, "linestyle": dash, "shrinkA": 19, "shrinkB": 19}
            ax.annotate("", *ends, arrowprops=arrow)
            if gradients is not None:
                _on_edge(ax, SPOTS[node], SPOTS[source], f"{gradients[node, source]:g}")
    for name, (x, y) in SPOTS.items():
        sign = f"{SIGNS[name]}\n" if name in SIGNS else ""
        shape = "round" if name in SIGNS else "square"
        text = f"{sign}{name} = {values[name]:g}"
        frame = {"boxstyle": shape, "fc": "white", "ec": "black"}
        ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=frame)
    ax.set(xlim=(-0.7, 8.7), ylim=(-1.5, 3.4))
    ax.set_axis_off()
    return Picture(figure, _graph_words(values, gradients))


def _on_edge(ax: Axes, node: tuple[float, float], source: tuple[float, float], text: str) -> None:
    """A number in a white box, nearer to the node than to the source: edges fan out there."""
    x, y = (0.55 * a + 0.45 * b for a, b in zip(node, source, strict=True))
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
    ax.text(x, y, text, ha="center", va="center", fontsize=9, weight="bold", color="#8A3800", bbox=box)


def _graph_words(values: Mapping[str, float], gradients: Mapping[tuple[str, str], float] | None) -> str:
    given = ", ".join(f"{name} = {value:g}" for name, value in values.items())
    words = "Graph from left to right: x1, w1, x2, b and w3 are inputs; p = w1 x1 and q = w1 x2 are products, "
    words += f"z adds p, q and b, r is the ReLU of z, f is w3 times r. Values: {given}."
    if gradients is None:
        return words
    flows = ", ".join(f"{node} to {source} {value:g}" for (node, source), value in gradients.items())
    return f"{words} Dashed arrows lead back, each with a gradient: {flows}."


def product_orders(sizes: Sequence[int]) -> Picture:
    """Multiplications for ``v @ J2 @ J1`` from either end; Jacobians of shape (sizes[k + 1], sizes[k])."""
    first, middle, last = sizes
    left = last * middle + middle * first
    right = last * middle * first + last * first
    matrix = (last, middle)
    row = f"{last * middle} for this product, then {middle * first} for the row times $J_1$"
    full = f"{last * middle * first} for this product, then {last * first} for $v$ times the result"
    figure, axes = canvas(2, height=2.5)
    plan = (
        ("Row first: $(v J_2) J_1$", left, ((1, last), matrix), (1, middle), ("$v$", "$J_2$"), row),
        ("Matrices first: $v (J_2 J_1)$", right, (matrix, (middle, first)), (last, first), ("$J_2$", "$J_1$"), full),
    )
    for ax, (title, count, shapes, product, letters, counted) in zip(axes, plan, strict=True):
        place = 0.0
        for shape, letter in zip((*shapes, product), (*letters, ""), strict=True):
            place = _block(ax, place, shape, letter, max(sizes))
        ax.text(0, -0.16, counted, fontsize=9, va="top")
        ax.set(xlim=(-0.1, max(place, 3.4)), ylim=(-0.35, 1.1))
        ax.set_axis_off()
        ax.set_title(f"{title}: {count:,} multiplications", fontsize=10, loc="left")
    return Picture(
        figure,
        f"Two orders for a row vector times two Jacobians with sizes {last}, {middle} and {first}. Row first, every "
        f"product is a row: {last * middle} + {middle * first} = {left:,} multiplications. Matrices first, the first "
        f"product is a full matrix: {last * middle * first} + {last * first} = {right:,}.",
    )


def _block(ax: Axes, left: float, shape: tuple[int, int], letter: str, most: int) -> float:
    """A matrix as a box with its shape, hatched for a result; gives the place where the next one may begin."""
    height, width = (max(size / most, 0.12) for size in shape)
    result = not letter
    face = "#CFE3F1" if result else "white"
    ax.add_patch(Rectangle((left, 1 - height), width, height, fc=face, ec=BLUE, hatch="//" if result else "", lw=1.5))
    ax.text(left + width / 2, 1 - height / 2, letter, ha="center", va="center", fontsize=12)
    ax.text(left + width / 2, 0.97 - height, "×".join(map(str, shape)), ha="center", va="top", fontsize=8)
    if result:
        ax.text(left - 0.13, 0.92, "=", ha="center", va="center", fontsize=13)
    return left + width + 0.26


def broadcast_copies(dout: np.ndarray) -> Picture:
    """A row `b` that was added to every row, and its gradient: the sum over the copies. `dout` is `(N, M)`."""
    n, m = dout.shape
    figure, (left, right) = canvas(2, height=2.6)
    names = [f"$b_{j + 1}$" for j in range(m)]
    for ax, rows in ((left, [names] * n), (right, [[f"{value:g}" for value in row] for row in dout])):
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                first = ax is right or i == 0
                ax.add_patch(Rectangle((j, n - i), 1, 1, fc="white", ec=BLUE, linestyle="-" if first else "--"))
                ax.text(j + 0.5, n - i + 0.5, text, ha="center", va="center", color="black" if first else GREY)
        ax.set(xlim=(-0.2, m + 1.4), ylim=(-0.6, n + 1.3))
        ax.set_axis_off()
    for j, value in enumerate(dout.sum(axis=0)):
        right.add_patch(Rectangle((j, -0.4), 1, 1, fc="#CFE3F1", ec=BLUE, hatch="//"))
        right.text(j + 0.5, 0.1, f"{value:g}", ha="center", va="center", weight="bold",
                   bbox={"fc": "white", "ec": "none", "pad": 1})  # fmt: skip
    right.text(m + 0.15, 0.1, "= sum", va="center")
    left.set_title("Forward: one row, copied", fontsize=11, loc="left")
    right.set_title("Backward: gradients of the copies add up", fontsize=11, loc="left")
    sums = ", ".join(f"{value:g}" for value in dout.sum(axis=0))
    return Picture(
        figure,
        f"Left: the row b is copied into each of {n} rows. Right: the gradient has {n} rows, and under each column "
        f"stands its sum: {sums}. That is the gradient of b.",
    )


def layer_recursion() -> Picture:
    """Three layers and a loss: values forward, gradients backward, and a gradient that leaves at every layer."""
    figure, (ax,) = canvas(height=2.7)
    boxes = ("layer 1\n$\\theta_1$", "layer 2\n$\\theta_2$", "layer 3\n$\\theta_3$", "loss")
    for k, text in enumerate(boxes):
        ax.text(3 * k, 0, text, ha="center", va="center", bbox={"boxstyle": "round,pad=0.5", "fc": "white", "ec": BLUE})
        if k < 3:
            _arrow(ax, (3 * k, -0.55), (3 * k, -1.4), ORANGE, "--")
            ax.text(3 * k, -1.5, rf"$\partial L/\partial \theta_{k + 1}$", ha="center", va="top", color="#8A3800")
        _arrow(ax, (3 * k - 2.2, 0.2), (3 * k - 0.8, 0.2), BLUE, "-")
        ax.text(3 * k - 1.5, 0.34, f"$x_{k}$", ha="center", va="bottom", color=BLUE)
        if k:
            _arrow(ax, (3 * k - 0.8, -0.2), (3 * k - 2.2, -0.2), ORANGE, "--")
            ax.text(3 * k - 1.5, -0.34, rf"$\partial L/\partial x_{k}$", ha="center", va="top", color="#8A3800")
    ax.set(xlim=(-2.4, 9.9), ylim=(-2.1, 0.9))
    ax.set_axis_off()
    return Picture(
        figure,
        "Three layers and the loss in a row. Solid arrows lead forward with x0, x1, x2 and x3. Dashed arrows lead back "
        "with dL/dx3, dL/dx2 and dL/dx1; below every layer one leaves with the gradient of its own parameters.",
    )


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], ink: str, dash: str) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": ink, "linestyle": dash, "linewidth": 1.5})


def waiting_node() -> Picture:
    """Why users go first: in ``y = a * b``, ``f = y + y * c`` node y has two users and must wait for both."""
    figure, (ax,) = canvas(height=2.7)
    spots = {"a": (0, 1), "b": (0, -1), "y = a b": (2.4, 0), "s = y c": (5, 1), "c": (2.4, 1.6), "f = y + s": (7.6, 0)}
    turns = (
        ("f = y + s", "1st", ("s = y c", "y = a b")),
        ("s = y c", "2nd", ("y = a b", "c")),
        ("y = a b", "3rd", ("a", "b")),
    )
    for node, turn, sources in turns:
        for source in sources:
            arrow = {"arrowstyle": "->", "color": ORANGE, "linestyle": "--", "shrinkA": 26, "shrinkB": 14}
            ax.annotate("", spots[source], spots[node], arrowprops=arrow)
            middle = np.add(spots[node], spots[source]) / 2
            ax.text(*middle, turn, ha="center", va="center", fontsize=8, bbox={"fc": "white", "ec": "none", "pad": 1})
    for name, place in spots.items():
        ax.text(*place, name, ha="center", va="center", bbox={"boxstyle": "round", "fc": "white", "ec": "black"})
    ax.set(xlim=(-0.7, 8.5), ylim=(-1.4, 2.0))
    ax.set_axis_off()
    return Picture(
        figure,
        "Graph of y = a b, s = y c, f = y + s, walked backward. Turns stand on the arrows: first f to s and y, then s "
        "to y and c. Only in the third turn, when both shares have arrived, y passes on to a and b.",
    )


def memory_parts(needs: Mapping[str, Sequence[float]], unit: str = "MB") -> Picture:
    """One stacked bar per setting: parameters, gradients, optimiser, activations."""
    figure, (ax,) = canvas(height=3.6)
    across, below = np.arange(len(needs)), np.zeros(len(needs))
    for part, values, fill, hatch in zip(PARTS, zip(*needs.values(), strict=True), FILLS, HATCHES, strict=True):
        ax.bar(across, values, 0.6, below, color=fill, edgecolor="black", hatch=hatch, label=part)
        below += np.array(values)
    for k, total in enumerate(below):
        ax.text(k, total, f"{total:.2f}", ha="center", va="bottom")
    ax.set_xticks(across, list(needs))
    ax.margins(y=0.12)
    label(ax, "What one training step keeps", "setting", f"memory ({unit})")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    told = ", ".join(f"{total:.2f} for {name}" for name, total in zip(needs, below, strict=True)).replace("\n", " ")
    return Picture(figure, f"Stacked bars of parameters, gradients, optimiser and activations, in {unit}: {told}.")


def value_errors(errors: Sequence[float]) -> Picture:
    """Squared error of XOR per step, of a network made of Values."""
    alt = f"The squared error of the four corners of XOR falls from {errors[0]:.2f} to {errors[-1]:.4f}."
    axes = ("step of gradient descent", "squared error (four corners)")
    return curves({"your Values": errors}, "XOR by numbers that differentiate themselves", axes, alt)


def two_backward_passes(right: Sequence[float], suspect: Sequence[float]) -> Picture:
    """Loss per epoch of one network, trained with a right backward pass and with the suspect of the bug hunt."""
    alt = (
        f"Training loss per epoch: with your backward pass it ends at {right[-1]:.3f}, with the suspect at "
        f"{suspect[-1]:.3f}."
    )
    axes = ("epoch (passes over the training images)", "loss (cross-entropy per image)")
    return curves({"yours": right, "the suspect": suspect}, "One network, two backward passes", axes, alt)
