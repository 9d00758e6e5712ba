"""The pictures of lesson 02, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from scipy.special import erf, expit

from course_lib.plots.charts import bars, confusion, curves, digit_images, lab_curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "bars", "confusion", "curves", "digit_images", "functions_and_slopes", "gradient_by_layer", "jacobian",
    "lab_curves", "layer_histograms", "margin_losses", "number_losses", "rectifiers", "spread_by_layer",
    "temperatures", "training_race", "triplet", "wrong_and_sure",
]  # fmt: skip

HATCHES = ("", "///", "...", "xx")
FILLS = ("#3E95D6", "#F3D3BD", "white", "#E5C3D5")
WIDTHS = (4, 2.4, 2, 2)


def _lines(ax: Axes, x: np.ndarray, series: Mapping[str, np.ndarray]) -> None:
    """Named curves that stay apart in grey: by dash, by width and by lightness."""
    for (name, values), ink, dash, width in zip(series.items(), INKS, DASHES, WIDTHS, strict=False):
        ax.plot(x, values, color=ink, linestyle=dash, linewidth=width, label=name)


def functions_and_slopes() -> Picture:
    """Sigmoid, tanh and ReLU from -4 to 4, and their derivatives beside them."""
    z = np.linspace(-4, 4, 321)
    s, t = expit(z), np.tanh(z)
    figure, (left, right) = canvas(2, height=3.4)
    _lines(left, z, {"sigmoid": s, "tanh": t, "ReLU": np.maximum(z, 0)})
    _lines(right, z, {"sigmoid": s * (1 - s), "tanh": 1 - t * t})
    for part in (z[z < 0], z[z > 0]):
        right.plot(part, (part > 0).astype(float), color=INKS[2], linestyle=DASHES[2], linewidth=WIDTHS[2])
    left.set_ylim(-1.2, 2.2)
    label(left, "Functions", "score $z$ (no unit)", "value (no unit)")
    label(right, "Slopes", "score $z$ (no unit)", "slope (no unit)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return Picture(figure, "Left: the sigmoid rises from 0 to 1, tanh from -1 to 1, ReLU is 0 up to score 0 and the "
                   "score itself after it. Right, their slopes: a low bump of height 0.25 for the sigmoid, a bump of "
                   "height 1 for tanh, and for ReLU a step from 0 to 1.")  # fmt: skip


def gradient_by_layer(norms: Mapping[str, Sequence[float]]) -> Picture:
    """Size of the gradient at each layer's scores, from the first layer to the last, on a logarithmic axis."""
    figure, (ax,) = canvas()
    for (name, values), ink, dash, mark in zip(norms.items(), INKS, DASHES, "os^D", strict=False):
        across = np.arange(1, len(values) + 1)
        ax.semilogy(across, values, color=ink, linestyle=dash, marker=mark, markersize=5, linewidth=2, label=name)
    ax.set_xticks(across)
    label(
        ax, "The way back leads from right to left", "layer (1 is next to the inputs)", "size of gradient (log scale)"
    )
    ax.legend(frameon=False)
    told = ", ".join(f"{values[-1]:.2g} at the last layer and {values[0]:.2g} at the first for {name}"
                     for name, values in norms.items())  # fmt: skip
    return Picture(figure, f"Size of the gradient per layer, one curve per network: {told}.")


def rectifiers(slope: float = 0.1) -> Picture:
    """ReLU with two relatives, and the difference between the two forms of GELU."""
    z = np.linspace(-4, 4, 401)
    exact = 0.5 * z * (1 + erf(z / np.sqrt(2)))
    close = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z * z * z)))
    figure, (left, right) = canvas(2, height=3.4)
    leaky = np.maximum(z, 0) + slope * np.minimum(z, 0)
    _lines(left, z, {"ReLU": np.maximum(z, 0), f"leaky ReLU, slope {slope:g}": leaky, "GELU": exact})
    left.set(xlim=(-4, 2), ylim=(-0.6, 2))
    left.legend(frameon=False, fontsize=8, loc="upper left")
    right.plot(z, 1e4 * (close - exact), color=INKS[1], linewidth=2)
    label(left, "Relatives of ReLU", "score $z$ (no unit)", "value (no unit)")
    label(right, "GELU: tanh form minus exact form", "score $z$ (no unit)", "difference (in 1/10,000)")
    worst = 1e4 * np.abs(close - exact).max()
    return Picture(figure, "Left: leaky ReLU goes down gently below score 0; GELU dips to -0.17 near score -0.75 and "
                   "returns to 0 on the left. Right: the two forms of GELU differ by at most "
                   f"{worst:.1f} ten-thousandths.")  # fmt: skip


def temperatures(names: Sequence[str], probabilities: Mapping[float, Sequence[float]]) -> Picture:
    """Softmax of the same scores at several temperatures: a group of bars per class."""
    figure, (ax,) = canvas()
    count = len(probabilities)
    for k, (heat, values) in enumerate(probabilities.items()):
        places = np.arange(len(names)) + 0.8 * ((k + 0.5) / count - 0.5)
        ax.bar(
            places, values, 0.8 / count, facecolor=FILLS[k], edgecolor="black", hatch=HATCHES[k], label=f"T = {heat:g}"
        )
    ax.set_xticks(range(len(names)), names)
    label(ax, "The same scores, three temperatures", "class, with its score", "probability (0 to 1)")
    ax.legend(frameon=False)
    told = "; ".join(f"T = {heat:g}: " + ", ".join(f"{value:.2f}" for value in values)
                     for heat, values in probabilities.items())  # fmt: skip
    return Picture(figure, f"Bars of softmax probabilities for {', '.join(names)}. {told}. The higher T, the flatter.")


def jacobian(table: np.ndarray) -> Picture:
    """A small square table of derivatives, its numbers written into shaded cells."""
    figure, (ax,) = canvas(height=3.6)
    ax.grid(False)
    ax.imshow(np.abs(table), cmap="Greys", vmin=0, vmax=2.5 * np.abs(table).max())
    for (i, j), value in np.ndenumerate(table):
        ax.text(j, i, f"{value:+.3f}", ha="center", va="center", weight="bold" if i == j else "normal")
    ax.set(xticks=range(len(table)), yticks=range(len(table)))
    label(
        ax, "What each score does to each probability", "score $z_j$ that is nudged", "probability $p_i$ that answers"
    )
    told = "; ".join(" ".join(f"{value:+.3f}" for value in row) for row in table)
    return Picture(figure, "Table of the derivatives of the softmax: positive on the diagonal, negative elsewhere, "
                   f"mirrored along the diagonal. Rows: {told}.")  # fmt: skip


def wrong_and_sure() -> Picture:
    """Loss and slope of one sigmoid unit with target 1: squared error against cross-entropy."""
    z = np.linspace(-8, 4, 301)
    s = expit(z)
    figure, (left, right) = canvas(2, height=3.4)
    _lines(left, z, {"squared error": (s - 1) ** 2, "cross-entropy": np.log1p(np.exp(-z))})
    _lines(right, z, {"squared error": 2 * (s - 1) * s * (1 - s), "cross-entropy": s - 1})
    for ax in (left, right):
        ax.set_xticks(range(-8, 5, 2))
    label(left, "Loss, target 1", "score $z$ (no unit)", "loss (no unit)")
    label(right, "Slope of the loss", "score $z$ (no unit)", "slope (no unit)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return Picture(figure, "Two losses of a sigmoid unit whose target is 1. Left: for very negative scores the squared "
                   "error is flat at 1 while cross-entropy keeps rising. Right: there the slope of the squared error "
                   "is nearly 0, that of cross-entropy nearly -1.")  # fmt: skip


def number_losses(values: Sequence[float]) -> Picture:
    """Mean squared and mean absolute error of one constant answer for all `values`, with their lowest points."""
    guess = np.linspace(min(values) - 1, max(values) + 1, 601)
    gaps = guess[:, None] - np.asarray(values)
    losses = {"squared": (gaps**2).mean(axis=1), "absolute": np.abs(gaps).mean(axis=1)}
    best = {"squared": float(np.mean(values)), "absolute": float(np.median(values))}
    figure, axes = canvas(2, height=3.1)
    for ax, name, ink in zip(axes, losses, (BLUE, ORANGE), strict=True):
        ax.plot(guess, losses[name], color=ink, linewidth=2)
        ax.axvline(best[name], color="black", linestyle="--", linewidth=1.2)
        ax.plot(values, np.zeros(len(values)), "k|", markersize=14, clip_on=False)
        ax.set_ylim(bottom=0)
        label(ax, f"{name.capitalize()}: lowest at {best[name]:g}", "answer for everybody", "mean loss")
    told = ", ".join(f"{value:g}" for value in values)
    return Picture(figure, f"Mean loss of one answer for the values {told}, marked on the axis. The squared error is a "
                   f"parabola, lowest at {best['squared']:g}. The absolute error is made of straight pieces, lowest "
                   f"at {best['absolute']:g}.")  # fmt: skip


def margin_losses() -> Picture:
    """Five losses of one two-class answer against its margin."""
    m = np.linspace(-2, 3, 401)
    series = {
        "hinge, $\\max(0, 1-m)$": np.maximum(1 - m, 0),
        "absolute, $|1-m|$": np.abs(1 - m),
        "squared, $(1-m)^2$": (1 - m) ** 2,
        "cross-entropy, $\\ln(1+e^{-m})$": np.log1p(np.exp(-m)),
    }
    figure, (ax,) = canvas(height=4.4)
    ax.fill_between(m, (m <= 0).astype(float), step="mid", color="#DDDDDD", label="mistake counted as 1")
    _lines(ax, m, series)
    ax.set_ylim(0, 4)
    label(ax, "What an answer costs", "margin $m$ (above 0: the answer is right)", "loss (no unit)")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return Picture(figure, "Losses against the margin. A counted mistake is 1 left of 0, else 0. Squared and absolute "
                   "error are 0 only at margin 1 and rise again beyond it. Hinge is 0 from margin 1 on. Cross-entropy "
                   "falls for ever and is never 0.")  # fmt: skip


def triplet(anchor: Sequence[float], positive: Sequence[float], negative: Sequence[float], margin: float) -> Picture:
    """Three points of the plane, the distance to the positive, and how far away the negative should be."""
    a, p, n = (np.asarray(point, dtype=float) for point in (anchor, positive, negative))
    near, far = np.linalg.norm(a - p), np.linalg.norm(a - n)
    cost = max(0.0, near - far + margin)
    figure, (ax,) = canvas(height=4.0)
    ax.add_patch(Circle(a, near, fill=False, color=BLUE, linewidth=1.8))
    ax.add_patch(Circle(a, near + margin, fill=False, color="black", linewidth=1.8, linestyle="--"))
    points = ((a, "anchor", "D", "black"), (p, "positive", "s", BLUE), (n, "negative", "o", ORANGE))
    for place, name, mark, ink in points:
        ax.plot(*place, marker=mark, color=ink, markersize=9, markerfacecolor="white" if mark == "o" else ink)
        ax.annotate(name, place, (9, 7), textcoords="offset points", backgroundcolor="white", zorder=2)
    for end, style in ((p, "-"), (n, ":")):
        ax.plot(*np.stack([a, end], axis=1), color=GREY, linestyle=style, linewidth=1.4)
    reach = 1.15 * max(near + margin, far)
    ax.set(xlim=(a[0] - reach, a[0] + reach), ylim=(a[1] - reach, a[1] + reach), aspect="equal")
    label(ax, f"Loss: max(0, {near:.2f} - {far:.2f} + {margin:g}) = {cost:.2f}", "first number", "second number")
    where = "inside" if cost > 0 else "outside"
    return Picture(figure, f"An anchor, a positive at distance {near:.2f} and a negative at distance {far:.2f}. The "
                   f"solid circle passes through the positive, the dashed one is {margin:g} further out; the negative "
                   f"is {where} the dashed circle, so the loss is {cost:.2f}.")  # fmt: skip


def spread_by_layer(spreads: Mapping[str, Sequence[float]]) -> Picture:
    """Standard deviation of the scores per layer, one curve per start, on a logarithmic axis."""
    figure, (ax,) = canvas(height=3.6)
    for (name, values), ink, dash, mark in zip(spreads.items(), INKS, DASHES, "os^D", strict=False):
        across = np.arange(1, len(values) + 1)
        ax.semilogy(across, values, color=ink, linestyle=dash, marker=mark, markevery=5, linewidth=2, label=name)
    label(ax, "One factor per layer, thirty times", "layer (1 is next to the inputs)", "spread of scores (log scale)")
    ax.legend(frameon=False)
    told = ", ".join(f"{values[-1]:.2g} with {name}" for name, values in spreads.items())
    return Picture(figure, f"Spread of the scores over {len(across)} layers. At the last layer it is {told}.")


def layer_histograms(layers: Mapping[str, Sequence[np.ndarray]]) -> Picture:
    """Histograms of activations between -1 and 1: a row per start, a column per layer."""
    depth = len(next(iter(layers.values())))
    figure, _ = canvas(height=1.7 * len(layers))
    figure.clear()
    grid = figure.subplots(len(layers), depth, sharex=True, squeeze=False)
    ends = {}
    for row, (name, values) in zip(grid, layers.items(), strict=True):
        for k, (ax, h) in enumerate(zip(row, values, strict=True), start=1):
            ax.hist(np.ravel(h), bins=np.linspace(-1, 1, 22), color="#CFE3F1", edgecolor=BLUE, linewidth=0.6)
            ax.spines[["top", "right"]].set_visible(False)
            ax.set(yticks=[], xticks=[-1, 0, 1])
            ax.set_title(f"layer {k}", fontsize=9, loc="left")
        row[0].set_ylabel(name, fontsize=9)
        ends[name] = float(np.std(values[-1]))
    figure.supxlabel("activation (-1 to 1); heights: how often", fontsize=9)
    told = ", ".join(f"{spread:.2g} for {name}" for name, spread in ends.items())
    return Picture(figure, "Histograms of tanh activations, a row for each start and a column for each layer. Spread "
                   f"in the last layer: {told}.")  # fmt: skip


def training_race(
    losses: Mapping[str, Sequence[float]], title: str, loss: str = "cross-entropy per image", highest: float = 3.0
) -> Picture:
    """Training loss per epoch of several networks; what lies above `highest` is cut off."""
    ends = ", ".join(f"{values[-1]:.3f} for {name}" for name, values in losses.items())
    cut = any(value > highest for values in losses.values() for value in values)
    axes = ("epoch (passes over the training images)", f"loss ({loss})")
    alt = f"Training loss per epoch, one curve per network. Last values: {ends}."
    picture = curves(losses, title + (f" (cut off at {highest:g})" if cut else ""), axes, alt)
    picture.figure.axes[0].set_ylim(0, highest if cut else None)
    return picture
