"""Pictures of the lessons, in one style that can be read in grey and by colour-blind eyes.

What enters: arrays. What leaves: a `Picture`, which a notebook shows at full width with its alt text and
a terminal prints as that text. Classes differ by marker, curves by line style, areas by hatch; colour
only helps. Figures are built without pyplot, so nothing global changes.

First the style, then charts that any lesson can use, then the pictures of lesson 01 with their words.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from course_lib.data import CORNERS, XOR

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6E6E6E"
# Light and wide first, dark and thin on top: curves that lie on each other stay apart, in grey too.
INKS = ("#3E95D6", "#8A3800", "black", "#CC79A7")
DASHES = ("-", "--", ":", "-.")
DOTS_PER_INCH = 110


@dataclass(frozen=True)
class Picture:
    """A figure and the sentence for those who cannot see it.

    Args:
        figure: what is drawn.
        alt: what the picture shows, in one to three sentences.
    """

    figure: Figure
    alt: str

    def png(self) -> bytes:
        """The picture as a PNG file."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        """The alt text: what terminals and screen readers get."""
        return self.alt

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        # Jupyter drops the alt text of bare images, so the figure element is written here.
        source = base64.b64encode(self.png()).decode()
        style = "max-width:100%;height:auto"
        image = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{source}" style="{style}">'
        return {"text/html": f'<figure style="margin:0">{image}</figure>', "text/plain": self.alt}


def canvas(columns: int = 1, height: float = 3.4, widths: Sequence[float] | None = None) -> tuple[Figure, list[Axes]]:
    """An empty figure as wide as a text column, and its axes from left to right.

    Args:
        columns: how many axes.
        height: in inches; the width is always 7.
        widths: relative widths of the columns.
    """
    figure = Figure(figsize=(7.0, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False, width_ratios=widths)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(True, color="#DDDDDD", linewidth=0.6)
        ax.set_axisbelow(True)
    return figure, list(axes)


def label(ax: Axes, title: str, x: str, y: str) -> None:
    """Write the title and the names of both axes, units included."""
    ax.set_title(title, fontsize=11, loc="left")
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def draw_classes(ax: Axes, x: np.ndarray, y: np.ndarray, names: tuple[str, str]) -> None:
    """Points `(N, 2)` of class 0 as hollow circles and of class 1 as full squares."""
    y = np.ravel(y)
    hollow = {"marker": "o", "facecolor": "white", "edgecolor": ORANGE, "linewidth": 1.8}
    ax.scatter(*x[y == 0].T, s=60, label=names[0], zorder=3, **hollow)
    ax.scatter(*x[y == 1].T, s=55, marker="s", color=BLUE, edgecolor="white", label=names[1], zorder=3)


def draw_side(ax: Axes, score: Callable[[np.ndarray], np.ndarray], box: tuple[float, float, float, float]) -> None:
    """Hatch where `score` of points `(N, 2)` is above 0 and draw the border as a thick line."""
    left, right, low, high = box
    across, up = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
    values = np.reshape(score(np.stack([across.ravel(), up.ravel()], axis=1)), across.shape)
    if values.max() > 0:
        area = ax.contourf(across, up, values, levels=[0, max(values.max(), 1e-9)], colors=["#E3EEF6"], hatches=["//"])
        area.set_edgecolor("#A9C7DD")
        area.set_linewidth(0)
    if values.min() < 0 < values.max():
        ax.contour(across, up, values, levels=[0], colors="black", linewidths=2)
    ax.set(xlim=(left, right), ylim=(low, high))


def curves(series: Mapping[str, Sequence[float]], title: str, axes: tuple[str, str], alt: str,
           x: Sequence[float] | None = None) -> Picture:  # fmt: skip
    """Named curves over the same x (0, 1, 2, ... by default), each with its own line style."""
    figure, (ax,) = canvas()
    for (name, values), ink, dash, width in zip(series.items(), INKS, DASHES, (4, 2, 2, 2), strict=False):
        across = np.arange(len(values)) if x is None else x
        ax.plot(across, values, color=ink, linestyle=dash, linewidth=width, label=name)
    label(ax, title, *axes)
    ax.legend(frameon=False)
    return Picture(figure, alt)


def bars(values: Mapping[str, float], title: str, axes: tuple[str, str], alt: str, form: str = "{:,.0f}") -> Picture:
    """One hatched bar per name, with its value written on top."""
    figure, (ax,) = canvas(height=2.9)
    drawn = ax.bar(list(values), list(values.values()), color="#CFE3F1", edgecolor=BLUE, hatch="//", width=0.6)
    ax.bar_label(drawn, labels=[form.format(value) for value in values.values()], padding=2)
    ax.margins(y=0.15)
    label(ax, title, *axes)
    return Picture(figure, alt)


def confusion(truth: np.ndarray, guess: np.ndarray, classes: int) -> Picture:
    """How often each true class (row) was read as each class (column). Both are `(N,)` integers."""
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (truth, guess), 1)
    wrong = table - np.diag(np.diag(table))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    figure, (ax,) = canvas(height=4.2)
    ax.grid(False)
    ax.imshow(wrong, cmap="Greys", vmin=0, vmax=max(2 * wrong.max(), 1))
    for (i, j), count in np.ndenumerate(table):
        if count:
            ax.text(j, i, count, ha="center", va="center", color=GREY if i == j else "black", weight="bold")
    ax.set(xticks=range(classes), yticks=range(classes))
    right = int(np.trace(table))
    label(ax, f"{right} of {len(truth)} right; shaded cells are mistakes", "read as (class)", "true class")
    most = f" Most frequent mistake: {row} read as {column} (count: {wrong.max()})." if wrong.any() else ""
    return Picture(figure, f"Confusion table of {classes} classes: {right} of {len(truth)} on the diagonal.{most}")


# ------- the pictures of lesson 01, with their words

MATHS, PHYSICS = "maths mark (out of 20)", "physics mark (out of 20)"
ADMITTED = ("not admitted", "admitted")
AWAY = np.array([16.0, 18.0])  # where no pupil is
TARGETS = ("target 0", "target 1")
FIRST, SECOND = "first input $a_1$ (0 to 1)", "second input $a_2$ (0 to 1)"
EVENTS = (
    (1951, "Robbins and Monro:\nsmall noisy steps converge"),
    (1958, "Rosenblatt:\nthe perceptron learns"),
    (1969, "Minsky and Papert:\nno line does XOR"),
    (1986, "Rumelhart, Hinton, Williams:\nbackpropagation made popular"),
    (1989, "Cybenko's theorem;\nLeCun reads zip codes"),
    (1998, "LeNet-5\nreads cheques"),
)


def admission(x: np.ndarray, y: np.ndarray, *lines: tuple[np.ndarray, float]) -> Picture:
    """Pupils `(N, 2)` by their marks; the last line `(w, b)` is hatched on its yes side, earlier ones are dotted."""
    figure, (ax,) = canvas(height=4.2)
    w, b = lines[-1]
    draw_side(ax, lambda points: points @ w + b, (0, 20, 0, 20))
    for old, offset in lines[:-1]:
        _dotted(ax, old, offset)
    draw_classes(ax, x, y, ADMITTED)
    ax.fill_between([], [], [], facecolor="#E3EEF6", edgecolor="#A9C7DD", hatch="//", label="the line says yes")
    right = int(((x @ w + b > 0) == (y > 0.5)).sum())
    label(ax, f"{right} of {len(y)} pupils on their side of the line", MATHS, PHYSICS)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return Picture(figure, f"{len(y)} pupils as points, physics mark against maths mark, and a straight line; the side "
                   f"hatched is predicted to be admitted. {right} pupils are on their own side.")  # fmt: skip


def _dotted(ax: Axes, w: np.ndarray, b: float) -> None:
    """An earlier line over the marks, and an arrow to its yes side."""
    across, up = np.meshgrid((0, 20), (0, 20))
    ax.contour(across, up, w[0] * across + w[1] * up + b, levels=[0], colors=GREY, linestyles=":", linewidths=2)
    ax.plot([], [], color=GREY, linestyle=":", linewidth=2, label="line before the update")
    length = np.linalg.norm(w)
    foot = AWAY - (AWAY @ w + b) * w / length**2
    ax.annotate("its yes", foot, foot + 3 * w / length, arrowprops={"arrowstyle": "<-"}, ha="center", va="center")


def sigmoid_and_slope() -> Picture:
    """The sigmoid and its derivative from -8 to 8."""
    z = np.linspace(-8, 8, 321)
    s = expit(z)
    series = {r"$\sigma(z)$": s, r"$\sigma'(z)=\sigma(z)(1-\sigma(z))$": s * (1 - s)}
    alt = ("The sigmoid rises from 0 to 1 in an S shape and is 0.5 at score 0. Its slope is a bump, highest at "
           "score 0 where it is 0.25, and nearly 0 beyond plus or minus 6.")  # fmt: skip
    axes = ("score $z$ (no unit)", "value (no unit)")
    return curves(series, "A score becomes a number between 0 and 1", axes, alt, z)


def descent(raw: Sequence[float], scaled: Sequence[float]) -> Picture:
    """Squared error per step of gradient descent, with raw and with scaled marks."""
    alt = (f"Two curves of the squared error. With raw marks it ends at {raw[-1]:.2f}, with scaled marks it falls "
           f"to {scaled[-1]:.2f}.")  # fmt: skip
    series = {"raw marks, 0 to 20": raw, "scaled marks, (mark - 10) / 5": scaled}
    axes = ("steps of gradient descent", "squared error $E$ (pupils)")
    return curves(series, "Same pupils, same rate, another scale", axes, alt)


def error_map(x: np.ndarray, y: np.ndarray, b: float, path: np.ndarray) -> Picture:
    """The admission error over both weights at a fixed bias, and the `path` `(steps, 2)` that a descent took."""
    figure, (ax,) = canvas(height=3.8)
    high = max(3.0, float(path.max()) * 1.15)
    grid = np.linspace(-1.5, high, 120)
    a, p = np.meshgrid(grid, grid)
    scores = a[..., None] * x[:, 0] + p[..., None] * x[:, 1] + b
    error = ((y - expit(scores)) ** 2).sum(axis=-1)
    ax.clabel(ax.contour(a, p, error, levels=[0.5, 1, 2, 4, 6, 8, 10, 12], colors=GREY, linewidths=0.9), fontsize=8)
    ax.plot(*path.T, color=ORANGE, linewidth=2, marker="o", markevery=[0, -1], label="path of the descent")
    ax.legend(loc="lower right", framealpha=1)
    title = f"Every point is a neuron with bias {b:.2f}, where the descent ended"
    label(ax, title, "weight $w_1$ of maths", "weight $w_2$ of physics")
    return Picture(figure, "Contour map of the squared error over the two weights. A path leads from the start, where "
                   "the error is high, down to the low ground at large positive weights.")  # fmt: skip


def timeline() -> Picture:
    """From 1951 to 1998 on one axis."""
    figure, (ax,) = canvas(height=2.7)
    ax.axhline(0, color="black", linewidth=1.2)
    for i, (year, words) in enumerate(EVENTS):
        up = 1 if i % 2 == 0 else -1
        ax.plot([year, year], [0, 0.45 * up], color=GREY, marker="o", markevery=[0], markerfacecolor=BLUE)
        ax.text(year, 0.5 * up, f"{year}\n{words}", ha="center", va="bottom" if up > 0 else "top", fontsize=8)
    ax.set(xlim=(1944, 2005), ylim=(-1.8, 1.8))
    ax.set_axis_off()
    told = "; ".join(f"{year} {words}".replace("\n", " ") for year, words in EVENTS)
    return Picture(figure, f"Timeline: {told}.")


def xor_line(w: Sequence[float], b: float) -> Picture:
    """The four corners of XOR and one line."""
    figure, (ax,) = canvas(height=3.6)
    draw_side(ax, lambda points: points @ np.asarray(w) + b, (-0.5, 1.5, -0.5, 1.5))
    draw_classes(ax, CORNERS, XOR, TARGETS)
    ax.set_aspect("equal")
    right = int(((CORNERS @ np.asarray(w) + b > 0) == (XOR[:, 0] > 0.5)).sum())
    label(ax, f"One line: {right} of 4 corners right", FIRST, SECOND)
    figure.legend(loc="outside center right", frameon=False)
    return Picture(figure, "The four corners of the unit square. Corners (0, 1) and (1, 0) have target 1, the other "
                   f"two target 0. One straight line puts {right} of the four on their own side.")  # fmt: skip


def xor_features() -> Picture:
    """XOR in the features a1+a2 and a1-a2 (a turned square), and on the axis of |a1-a2|."""
    figure, (left, right) = canvas(2, height=3.2)
    total, difference = CORNERS.sum(axis=1), CORNERS[:, 0] - CORNERS[:, 1]
    draw_classes(left, np.stack([total, difference], axis=1), XOR, TARGETS)
    left.set(xlim=(-0.5, 2.5), ylim=(-1.5, 1.5))
    label(left, "Linear features: turned, not untied", "$a_1+a_2$", "$a_1-a_2$")
    height = np.array([-0.12, -0.12, 0.12, 0.12])
    draw_classes(right, np.stack([np.abs(difference), height], axis=1), XOR, TARGETS)
    right.axvline(0.5, color="black", linewidth=2)
    right.set(xlim=(-0.3, 1.3), ylim=(-1, 1), yticks=[])
    label(right, "Folded: one threshold is enough", "$|a_1-a_2|$", "")
    left.legend(fontsize=8, loc="upper right", framealpha=1)
    return Picture(figure, "Left: with axes a1+a2 and a1-a2 the square stands on a corner, and the two classes still "
                   "lie across each other. Right: on the axis |a1-a2| both points of target 0 are at 0 and both of "
                   "target 1 at 1; a threshold at 0.5 separates them.")  # fmt: skip


def network(sizes: Sequence[int], names: Sequence[Sequence[str]] = ()) -> Picture:
    """Circles and arrows of a small MLP; `names` may hold one text per unit of each layer."""
    figure, (ax,) = canvas(height=2.6)
    spots = [[(2.0 * k, (size - 1) / 2 - i) for i in range(size)] for k, size in enumerate(sizes)]
    for before, after in zip(spots, spots[1:], strict=False):
        for x0, y0 in before:
            for x1, y1 in after:
                ax.annotate("", (x1 - 0.22, y1), (x0 + 0.22, y0), arrowprops={"arrowstyle": "->", "color": GREY})
    for k, layer in enumerate(spots):
        for i, spot in enumerate(layer):
            ax.plot(*spot, marker="o", markersize=34, markerfacecolor="white", markeredgecolor=BLUE, linestyle="")
            ax.text(*spot, names[k][i] if names else "", ha="center", va="center")
    ax.set(xlim=(-0.5, 2.0 * len(sizes) - 1.5), ylim=(-max(sizes) / 2 - 0.1, max(sizes) / 2 + 0.1))
    ax.set_axis_off()
    return Picture(figure, f"A network with layers of {list(sizes)} units; every unit sends an arrow to every unit of "
                   "the next layer.")  # fmt: skip


def chain() -> Picture:
    """The forward path of the network and the local derivative of every step."""
    figure, (ax,) = canvas(height=1.9)
    boxes = ("$X$", "$z_1$", "$h$", "$z_2$", "$o$", "$L$")
    forward = ("$W_1,b_1$", r"$\sigma$", "$W_2,b_2$", r"$\sigma$", "loss")
    back = ("$X$", r"$\sigma'(z_1)$", "$W_2$", r"$\sigma'(z_2)$", r"$\partial L/\partial o$")
    for k, text in enumerate(boxes):
        frame = {"boxstyle": "round", "fc": "white", "ec": BLUE}
        ax.text(2 * k, 0, text, ha="center", va="center", fontsize=13, bbox=frame)
    for k, (on, under) in enumerate(zip(forward, back, strict=True)):
        ax.annotate("", (2 * k + 1.6, 0.12), (2 * k + 0.4, 0.12), arrowprops={"arrowstyle": "->", "color": BLUE})
        ax.annotate("", (2 * k + 0.4, -0.12), (2 * k + 1.6, -0.12),
                    arrowprops={"arrowstyle": "->", "color": ORANGE, "linestyle": "--"})  # fmt: skip
        ax.text(2 * k + 1, 0.3, on, ha="center", va="bottom")
        ax.text(2 * k + 1, -0.32, under, ha="center", va="top")
    ax.set(xlim=(-0.6, 10.6), ylim=(-0.9, 0.9))
    ax.set_axis_off()
    return Picture(figure, "Chain of six boxes: X, z1, h, z2, o, L. Solid arrows lead forward through the first layer, "
                   "sigmoid, second layer, sigmoid and loss. Dashed arrows lead back; each carries a factor: dL/do, "
                   "then the slope at z2, W2, the slope at z1, and last X.")  # fmt: skip


def fold(w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: np.ndarray) -> Picture:
    """XOR before and after the hidden layer of a network 2-H-1; of H units the first two are drawn."""
    picture = _folded(expit(CORNERS @ w1.T + b1)[:, :2])
    left, right = picture.figure.axes
    draw_side(left, lambda x: expit(x @ w1.T + b1) @ w2[0] + b2[0], (-0.5, 1.5, -0.5, 1.5))
    if len(w1) == 2:
        draw_side(right, lambda h: h @ w2[0] + b2[0], (-0.15, 1.35, -0.15, 1.35))
    return picture


def fold_plan() -> Picture:
    """XOR before and after two units that are exactly OR and AND; the line is left to the learner."""
    return _folded(np.stack([CORNERS.max(axis=1), CORNERS.min(axis=1)], axis=1))


def _folded(hidden: np.ndarray) -> Picture:
    figure, (left, right) = canvas(2, height=3.6)
    for ax, places in ((left, CORNERS), (right, hidden)):
        draw_classes(ax, places, XOR, TARGETS)
        for spot in np.unique(places.round(1), axis=0):
            here = [f"({a:.0f},{b:.0f})" for a, b in CORNERS[(places.round(1) == spot).all(axis=1)]]
            ax.annotate(" and ".join(here), spot, (0, 8), textcoords="offset points", ha="center", fontsize=8)
        ax.margins(0.25)
    label(left, "Before: the inputs", FIRST, SECOND)
    label(right, "After: the hidden units", "hidden unit $h_1$ (0 to 1)", "hidden unit $h_2$ (0 to 1)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    moves = zip(CORNERS, hidden, strict=True)
    met = "; ".join(f"({a:.0f},{b:.0f}) to ({h1:.1f}, {h2:.1f})" for (a, b), (h1, h2) in moves)
    return Picture(figure, f"Left: the four corners of XOR. Right: where two hidden units move them: {met}.")


def true_and_doubled_slope() -> Picture:
    """The sigmoid's slope, and what comes out when sigmoid' is applied to the activated value."""
    z = np.linspace(-8, 8, 321)
    s, twice = expit(z), expit(expit(z))
    series = {r"$s(1-s)$, right": s * (1 - s), r"$\sigma(s)(1-\sigma(s))$, wrong": twice * (1 - twice)}
    alt = ("Two curves over the pre-activation. The right slope is a bump from 0 to 0.25 and back. The wrong one "
           "stays between 0.19 and 0.25, even where the unit is saturated.")  # fmt: skip
    axes = ("pre-activation $z$ (no unit)", "slope (no unit)")
    return curves(series, "The wrong slope forgets that a unit is saturated", axes, alt, z)


def approximations(x: np.ndarray, target: np.ndarray, fits: Mapping[int, np.ndarray]) -> Picture:
    """A continuous function, the coarsest fit, and how far each fit is from it, on a logarithmic axis."""
    figure, (left, right) = canvas(2, height=3.2)
    errors = {units: np.abs(fit - target) for units, fit in fits.items()}
    units, coarse = next(iter(fits.items()))
    left.plot(x, target, color=INKS[0], linewidth=4, label="target")
    left.plot(x, coarse, color=INKS[1], linestyle="--", linewidth=2, label=f"{units} units")
    for (units, error), ink, dash in zip(errors.items(), INKS[1:], DASHES[1:], strict=False):
        right.semilogy(x, np.maximum(error, 1e-9), color=ink, linestyle=dash, label=f"{units} units")
    right.axhline(0.01, color=GREY, linewidth=2)
    label(left, "One hidden layer and a wave", "input $x$", "output")
    label(right, "Distance from the wave; grey: 0.01", "input $x$", "error (log scale)")
    for ax in (left, right):
        ax.legend(fontsize=8, framealpha=1)
    said = ", ".join(f"{error.max():.2g} with {units} units" for units, error in errors.items())
    return Picture(figure, f"A wavy target, the coarsest fit, and the error of each fit. Worst error: {said}.")


def shares_solved(shares: Mapping[int, float]) -> Picture:
    """Percent of networks that training brought to 4 of 4, by number of hidden units."""
    told = ", ".join(f"{share:.0f} % with {units}" for units, share in shares.items())
    axes, named = ("hidden units", "networks with 4 of 4 right (%)"), {str(k): share for k, share in shares.items()}
    return bars(named, "Spare units make training reliable", axes, f"Networks that solve XOR: {told} hidden units.")


def digit_images(x: np.ndarray, labels: Sequence[int], guesses: Sequence[int] | None = None) -> Picture:
    """Images `(N, 64)` in one row, dark ink on white, each under its label and what it was read as."""
    read = labels if guesses is None else [f"{a} read as {b}" for a, b in zip(labels, guesses, strict=True)]
    figure, axes = canvas(max(len(x), 1), height=1.0 if len(x) > 6 else 1.6)
    for ax, pixels, title in zip(axes, x, read, strict=False):
        ax.set_axis_off()
        ax.imshow(pixels.reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        ax.set_title(str(title), fontsize=9)
    return Picture(figure, f"{len(x)} grey images of handwritten digits: {', '.join(map(str, read))}.")


def lab_curves(mine: Sequence[float] | None, torch: Sequence[float]) -> Picture:
    """Loss per epoch: NumPy solid, when the learner's functions ran, and Torch dashed on top of it."""
    axes = ("epoch (passes over the training images)", "loss (squared error per image)")
    if mine is None:
        alt = f"Training loss of the Torch network per epoch, falling from {torch[0]:.3f} to {torch[-1]:.3f}."
        return curves({"Torch": torch}, "Torch's code ran alone; your functions did not", axes, alt)
    alt = (f"Two curves of the training loss per epoch. NumPy, solid, falls from {mine[0]:.3f} to {mine[-1]:.3f}; "
           f"Torch, dashed, from {torch[0]:.3f} to {torch[-1]:.3f}.")  # fmt: skip
    return curves({"NumPy, your functions": mine, "Torch": torch}, "Your code ran, and Torch beside it", axes, alt)
