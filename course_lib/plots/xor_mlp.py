"""The pictures of lesson 01, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from scipy.special import expit

from course_lib.data import CORNERS, XOR
from course_lib.plots.charts import bars, confusion, curves, digit_images, lab_curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, draw_classes, draw_side, label

__all__ = [
    "admission", "approximations", "chain", "confusion", "descent", "digit_images", "error_map", "fold", "fold_plan",
    "lab_curves", "network", "shares_solved", "sigmoid_and_slope", "timeline", "true_and_doubled_slope",
    "xor_features", "xor_line",
]  # fmt: skip

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
