"""The pictures of lesson 05, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.polynomial import Polynomial

from course_lib.plots.charts import bars, confusion, curves, digit_images, lab_curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "activity", "bars", "confusion", "curves", "digit_images", "error_by_degree", "frequent_functions", "gaps",
    "image_row", "lab_curves", "label_race", "least_norm", "models_together", "noise_levels", "penalty_corners",
    "polynomials", "scales", "stopping", "thinned_networks",
]  # fmt: skip

EPOCH = "epoch (passes over the training images)"


def polynomials(x: np.ndarray, y: np.ndarray, degrees: Sequence[int], truth: np.ndarray) -> Picture:
    """Least-squares polynomials through points on 0 to 1; `truth` is the true curve on an even grid of that range."""
    figure, axes = canvas(len(degrees), height=2.9)
    across = np.linspace(0, 1, len(truth))
    for ax, degree in zip(axes, degrees, strict=True):
        ax.plot(across, truth, color=GREY, linestyle=":", linewidth=2, label="true curve")
        fitted = Polynomial.fit(x, y, degree)
        ax.plot(across, fitted(across), color=BLUE, linewidth=2, label="polynomial")
        ax.plot(x, y, "ko", markerfacecolor="white", markersize=5, label="training points")
        ax.set_ylim(-1.8, 1.8)
        label(ax, f"degree {degree}", "input (0 to 1)", "target (no unit)" if ax is axes[0] else " ")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    names = ", ".join(map(str, degrees))
    return Picture(figure, f"{len(x)} noisy points of a wave with polynomials of degree {names}. The first is too "
                   "stiff and misses the wave, the second follows it, the last runs through the points and swings "
                   "far away from the true curve between them.")  # fmt: skip


def error_by_degree(training: Sequence[float], validation: Sequence[float]) -> Picture:
    """Mean squared error of polynomials of degree 0, 1, 2, ... on training and on validation points."""
    best, last = int(np.argmin(validation)), len(training) - 1
    alt = (f"Squared error by degree on a logarithmic scale. On training points it only falls, to {training[-1]:.1g} "
           f"at degree {last}. On validation points it is lowest, {validation[best]:.2g}, at degree {best} and "
           f"rises to {validation[-1]:.2g}.")  # fmt: skip
    names = {"validation points": validation, "training points": training}
    axes = ("degree of the polynomial", "mean squared error (log scale)")
    picture = curves(names, "Too stiff on the left, too flexible on the right", axes, alt)
    (ax,) = picture.figure.axes
    ax.set_yscale("log")
    ax.axvline(best, color="black", linewidth=1, linestyle="-.")
    return picture


def penalty_corners(centre: tuple[float, float] = (1.6, 0.5), size: float = 1.0) -> Picture:
    """Where a bowl-shaped loss is lowest inside the circle of L2 and inside the diamond of L1."""
    figure, axes = canvas(2, height=3.7)
    turn = np.linspace(0, 2 * np.pi, 2001)
    circle = size * np.stack([np.cos(turn), np.sin(turn)])
    shapes = {"L2: a circle": circle, "L1: a diamond": circle / np.abs(circle).sum(axis=0) * size}
    grid = np.stack(np.meshgrid(np.linspace(-1.4, 2.4, 200), np.linspace(-1.4, 1.9, 200)))
    found = {}
    for ax, (name, border) in zip(axes, shapes.items(), strict=True):
        bowl = _bowl(grid, centre)
        best = border[:, _bowl(border, centre).argmin()]
        ax.contour(*grid, bowl, levels=np.sort([*(_bowl(best, centre) * np.array([0.25, 1, 2]))]), colors=GREY,
                   linewidths=1, linestyles=":")  # fmt: skip
        ax.fill(*border, facecolor="#E3EEF6", edgecolor=BLUE, linewidth=2)
        ax.plot(*centre, "k+", markersize=10)
        ax.plot(*best, marker="s", color=ORANGE, markersize=9, markeredgecolor="black")
        ax.axhline(0, color="black", linewidth=0.6)
        ax.axvline(0, color="black", linewidth=0.6)
        ax.set_aspect("equal")
        label(ax, f"{name}, best at ({best[0]:.2f}, {abs(best[1]):.2f})", "weight $w_1$", "weight $w_2$")
        found[name] = best
    told = "; ".join(f"{name} gives ({w1:.2f}, {abs(w2):.2f})" for name, (w1, w2) in found.items())
    return Picture(figure, "Dotted lines of equal loss around a cross, and the weights that may be chosen from. The "
                   f"square marks the best of them: {told}. The corner of the diamond lies on the axis, so one "
                   "weight is exactly 0.")  # fmt: skip


def _bowl(w: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    return (w[0] - centre[0]) ** 2 + (w[1] - centre[1]) ** 2


def scales(losses: Mapping[str, Sequence[float]]) -> Picture:
    """Training loss per epoch of one network on the same images in several units."""
    ends = ", ".join(f"{values[-1]:.3f} for {name}" for name, values in losses.items())
    alt = f"Training loss per epoch, one curve for each scale of the inputs. Last values: {ends}."
    return curves(losses, "Same network, same rate, other units", (EPOCH, "loss (cross-entropy per image)"), alt)


def stopping(training: Sequence[float], validation: Sequence[float], best: int, last: int) -> Picture:
    """Training and validation loss with the epoch that is kept and the one at which training stops."""
    alt = (f"Two loss curves. On training images it falls to {training[-1]:.3f}; on validation images it is lowest "
           f"in epoch {best} ({validation[best]:.3f}) and ends at {validation[-1]:.3f}. Lines mark epoch {best}, "
           f"which is kept, and epoch {last}, where training stops.")  # fmt: skip
    names = {"validation loss": validation, "training loss": training}
    picture = curves(names, "Stop when waiting no longer pays", (EPOCH, "loss (cross-entropy per image)"), alt)
    (ax,) = picture.figure.axes
    for epoch, name, dash in ((best, f"kept: {best}", "-"), (last, f"stop: {last}", "-.")):
        ax.axvline(epoch, color="black", linewidth=1.2, linestyle=dash, label=name)
    ax.legend(frameon=False)
    return picture


def image_row(images: np.ndarray, titles: Sequence[str]) -> Picture:
    """Square grey images `(N, side * side)` in one row, dark ink on white, each under its title."""
    side = int(np.sqrt(images.shape[1]))
    figure, axes = canvas(len(images), height=1.7)
    for ax, pixels, title in zip(axes, images, titles, strict=True):
        ax.grid(False)
        ax.set(xticks=[], yticks=[])
        ax.spines[["top", "right"]].set_visible(True)
        ax.imshow(pixels.reshape(side, side), cmap="Greys", vmin=0, vmax=1)
        ax.set_title(title, fontsize=9)
    return Picture(figure, f"{len(images)} grey images in a row: {', '.join(titles)}.")


def noise_levels(levels: Sequence[float], right: Mapping[str, Sequence[float]]) -> Picture:
    """Percentage of test images read right against the noise that is added to them."""
    told = "; ".join(f"{name} from {values[0]:.1f} to {values[-1]:.1f} %" for name, values in right.items())
    axes = ("noise added to every pixel (standard deviation; full ink is 1)", "test images right (%)")
    alt = f"Test images read right as noise grows from {levels[0]:g} to {levels[-1]:g}: {told}."
    return curves(right, "Who was trained with noise stands it better", axes, alt, levels)


def activity(codes: Mapping[str, np.ndarray]) -> Picture:
    """Which hidden units speak: a row per image, a column per unit, black where the value `(N, H)` is above 0."""
    figure, axes = canvas(len(codes), height=3.1)
    shares = {}
    for ax, (name, values) in zip(axes, codes.items(), strict=True):
        ax.grid(False)
        ax.imshow(values > 0, cmap="Greys", aspect="auto", interpolation="nearest")
        shares[name] = 100 * float(np.mean(values <= 0))
        label(ax, f"{name}: {shares[name]:.0f} % silent", "hidden unit (number)", "image (number)")
    told = "; ".join(f"{share:.0f} % of the values are 0 {name}" for name, share in shares.items())
    return Picture(figure, f"Tables of hidden values, black where a unit speaks. {told}.")


def models_together(right: Mapping[str, Sequence[float]]) -> Picture:
    """Percentage right of the averaged answer of the first 1, 2, 3, ... models."""
    told = "; ".join(f"{name}: {values[0]:.1f} % the first, {values[-1]:.1f} % all" for name, values in right.items())
    count = len(next(iter(right.values())))
    axes = ("models whose probabilities are averaged", "test images right (%)")
    alt = f"Test images read right by the first models together, from 1 to {count}. {told}."
    return curves(right, "Several models, one answer", axes, alt, np.arange(1, count + 1))


def thinned_networks(masks: Sequence[Sequence[bool]], sizes: tuple[int, int, int] = (3, 5, 2)) -> Picture:
    """The whole network, and one drawing for each mask over its hidden units."""
    figure, axes = canvas(1 + len(masks), height=2.6)
    for ax, mask, title in zip(
        axes, ([True] * sizes[1], *masks), ("all units", *(f"step {k + 1}" for k in range(len(masks)))), strict=True
    ):
        _network(ax, sizes, mask)
        ax.set_title(title, fontsize=10)
    told = "; ".join("".join("1" if kept else "0" for kept in mask) for mask in masks)
    return Picture(figure, f"A network of {sizes[0]} inputs, {sizes[1]} hidden units and {sizes[2]} outputs, and the "
                   "same network in training steps with dropout: dropped units are crossed out and have no lines, "
                   f"but keep their place. Kept units are 1: {told}.")  # fmt: skip


def _network(ax: Axes, sizes: tuple[int, int, int], mask: Sequence[bool]) -> None:
    ax.set_axis_off()
    heights = [np.linspace(0, 1, size + 2)[1:-1] for size in sizes]
    keeps = ([True] * sizes[0], mask, [True] * sizes[2])
    for k in (0, 1):
        for a, kept in zip(heights[k], keeps[k], strict=True):
            for b, wanted in zip(heights[k + 1], keeps[k + 1], strict=True):
                if kept and wanted:
                    ax.plot([k, k + 1], [a, b], color=GREY, linewidth=0.8, zorder=1)
    for k, (places, keep) in enumerate(zip(heights, keeps, strict=True)):
        for place, kept in zip(places, keep, strict=True):
            ax.plot(k, place, "o", markersize=13, markeredgecolor="black", zorder=2,
                    markerfacecolor="#CFE3F1" if kept else "white")  # fmt: skip
            if not kept:
                ax.plot(k, place, "x", color="black", markersize=9, zorder=3)
    ax.set(xlim=(-0.3, 2.3), ylim=(0.02, 0.98))


def label_race(right: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Picture:
    """Percentage right per epoch on training and on test images, a chart for each kind of labels."""
    figure, axes = canvas(len(right), height=3.3)
    for ax, (name, (training, test)) in zip(axes, right.items(), strict=True):
        ax.plot(test, color=INKS[0], linestyle=DASHES[0], linewidth=4, label="test images, true labels")
        ax.plot(training, color=INKS[1], linestyle=DASHES[1], linewidth=2, label="training images, labels as given")
        ax.axhline(10, color="black", linewidth=1, linestyle=":", label="guessing")
        ax.set_ylim(0, 104)
        label(ax, name, "epoch", "right (%)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    told = "; ".join(f"with {name}, training ends at {training[-1]:.0f} % and test at {test[-1]:.0f} %"
                     for name, (training, test) in right.items())  # fmt: skip
    return Picture(figure, f"Percentage right per epoch for the same network: {told}. Guessing is 10 %.")


def frequent_functions(counts: np.ndarray, drawn: int, possible: int) -> Picture:
    """How often each function came out of random networks, most frequent first, against equal chances."""
    shares = 100 * np.sort(np.asarray(counts))[::-1] / drawn
    rank = np.arange(1, len(shares) + 1)
    figure, (ax,) = canvas()
    ax.loglog(rank, shares, color=INKS[0], linewidth=4, label="random networks")
    ax.axhline(100 / possible, color="black", linestyle="--", linewidth=2, label="if all were equally likely")
    label(ax, "Random weights prefer some functions", "rank of the function (log scale)", "share (%, log scale)")
    ax.legend(frameon=False)
    return Picture(figure, f"Share of random networks that compute each function, by rank, on logarithmic scales. The "
                   f"most frequent one has {shares[0]:.1f} %, {len(shares)} of {possible} came up at all; equal "
                   f"chances would be {100 / possible:.2g} %.")  # fmt: skip


def least_norm(path: np.ndarray, x: Sequence[float], y: float) -> Picture:
    """Gradient descent `(T, 2)` on one example with two weights, and the line of all weights without error."""
    x = np.asarray(x, dtype=float)
    nearest = x * y / (x @ x)
    along = np.array([-x[1], x[0]]) / np.sqrt(x @ x)
    ends = np.stack([nearest - 1.6 * along, nearest + 1.6 * along])
    figure, (ax,) = canvas(height=3.8)
    ax.plot(*ends.T, color=INKS[0], linewidth=4, label="all weights with loss 0")
    ax.plot(*path.T, color="black", marker="o", markersize=4, linewidth=1.2, label="gradient descent from 0")
    ax.plot(*nearest, marker="s", color=ORANGE, markeredgecolor="black", markersize=10, linestyle="none",
            label="the shortest of them")  # fmt: skip
    ax.set_aspect("equal")
    label(ax, "Many solutions, one is found", "weight $w_1$", "weight $w_2$")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return Picture(figure, "A line of weights that all have loss 0, and the steps of gradient descent from the origin. "
                   f"They end at ({path[-1][0]:.2f}, {path[-1][1]:.2f}), the point of the line that is nearest to "
                   "the origin.")  # fmt: skip


def gaps(runs: Mapping[str, tuple[Sequence[float], Sequence[float]]], kept: Mapping[str, int]) -> Picture:
    """Training and validation loss per epoch side by side, the gap hatched, the kept epoch marked."""
    figure, axes = canvas(len(runs), height=3.4)
    highest = 1.05 * max(max(training[0], *validation) for training, validation in runs.values())
    told = []
    for ax, (name, (training, validation)) in zip(axes, runs.items(), strict=True):
        across = np.arange(len(training))
        ax.fill_between(across, training, validation, facecolor="#EEEEEE", edgecolor="#AAAAAA", hatch="//", linewidth=0)
        ax.plot(validation, color=INKS[0], linestyle=DASHES[0], linewidth=4, label="validation loss")
        ax.plot(training, color=INKS[1], linestyle=DASHES[1], linewidth=2, label="training loss")
        ax.axvline(kept[name], color="black", linewidth=1.2, linestyle="-.", label="weights kept")
        ax.set_ylim(0, highest)
        label(ax, name, "epoch", "loss (cross-entropy per image)" if ax is axes[0] else " ")
        epoch = kept[name]
        told.append(f"{name}, epoch {epoch} kept: training {training[epoch]:.2f}, validation {validation[epoch]:.2f}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return Picture(figure, f"Training and validation loss with the gap between them hatched. {'; '.join(told)}.")
