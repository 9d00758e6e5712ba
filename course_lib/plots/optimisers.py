"""The pictures of lesson 04, with their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from course_lib.plots.charts import bars, confusion, curves, digit_images, lab_curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "bars", "batch_noise", "confusion", "curves", "descent_bound", "digit_images", "falling", "flat_and_sharp",
    "lab_curves", "landscape", "parabola_steps", "races", "range_curves", "schedules", "valley_paths",
]  # fmt: skip

WIDTHS = (4, 2.4, 2, 2)
MARKS = "os^D"
_HIGHEST_RATE_SHOWN = 1.15


def parabola_steps(rates: Sequence[float], curvature: float = 1.0, start: float = 2.0, steps: int = 6) -> Picture:
    """Gradient descent on a parabola, one panel per learning rate."""
    figure, axes = canvas(len(rates), height=2.9)
    across = np.linspace(-3, 3, 121)
    ends = []
    for ax, rate in zip(axes, rates, strict=True):
        w = start * (1 - rate * curvature) ** np.arange(steps + 1)
        ax.plot(across, curvature * across**2 / 2, color=GREY, linewidth=1.4)
        ax.plot(w, curvature * w**2 / 2, color=ORANGE, linewidth=1.2, linestyle="--", marker="o", markersize=5)
        ax.plot(w[0], curvature * w[0] ** 2 / 2, "ks", markersize=8)
        ax.set(xlim=(-3, 3), ylim=(-0.2, 4.5))
        label(ax, f"rate {rate:g} = {rate * curvature:g} / L", "weight $w$", "loss")
        ends.append(f"{rate:g}: {w[-1]:.2f}")
    return Picture(figure, f"Steps of gradient descent on a parabola of curvature {curvature:g} from the square at "
                   f"{start:g}. Weight after {steps} steps for each rate: {'; '.join(ends)}.")  # fmt: skip


def batch_noise(errors: Mapping[int, float]) -> Picture:
    """Mean error of a mini-batch gradient, in lengths of the full gradient, against the batch size."""
    sizes, values = np.array(list(errors)), np.array(list(errors.values()))
    figure, (ax,) = canvas()
    ax.loglog(sizes, values[0] * np.sqrt(sizes[0] / sizes), color=INKS[0], linewidth=4, label="one over the root of B")
    ax.loglog(sizes, values, color=INKS[1], linestyle="--", marker="o", linewidth=1.8, label="measured")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    ax.minorticks_off()
    label(ax, "Four times the batch, half the noise", "batch size B (log scale)", "error / full gradient (log scale)")
    ax.legend(frameon=False)
    told = ", ".join(f"{value:.2g} for {size}" for size, value in errors.items())
    return Picture(figure, f"Error of the mini-batch gradient against the batch size: {told}. The points lie near a "
                   "line that falls like one over the root of the batch size.")  # fmt: skip


def descent_bound(start: float = 1.5) -> Picture:
    """Change of the loss ln cosh w after one step, against the rate, and the bound of the descent lemma (L = 1)."""
    rate = np.linspace(0, 4, 201)
    slope = np.tanh(start)
    change = np.log(np.cosh(start - rate * slope)) - np.log(np.cosh(start))
    figure, (ax,) = canvas()
    bound = -rate * slope**2 * (1 - rate / 2)
    ax.plot(rate, bound, color=INKS[0], linewidth=4, label=r"bound $-\eta f'^2 (1 - \eta L/2)$")
    ax.plot(rate, change, color=INKS[1], linestyle="--", linewidth=2.2, label="true change of the loss")
    ax.axhline(0, color="black", linewidth=1)
    ax.axvline(2, color=GREY, linestyle=":", linewidth=1.6)
    ax.annotate("$2/L$", (2, 0.9), (6, 0), textcoords="offset points")
    ax.set_ylim(-1, 1.3)
    label(ax, "A promise up to 2/L", r"learning rate $\eta$", "loss after the step - loss before")
    ax.legend(frameon=False, loc="upper left")
    zero = rate[np.flatnonzero(change < 0)[-1]]
    return Picture(figure, f"Change of the loss ln cosh w after one step from w = {start:g}. The bound is a parabola "
                   "that is below 0 until rate 2. The true change lies below the bound and is negative up to rate "
                   f"{zero:.1f}: the bound is safe, not sharp.")  # fmt: skip


def valley_paths(
    paths: Mapping[str, np.ndarray], loss: Callable[[np.ndarray, np.ndarray], np.ndarray], title: str
) -> Picture:
    """Paths `(T, 2)` over the contour lines of a loss of two weights, one panel each."""
    figure, axes = canvas(len(paths), height=2.9)
    across, up = np.meshgrid(np.linspace(-4.5, 2, 160), np.linspace(-1.6, 1.6, 160))
    heights = loss(across, up)
    told = []
    for ax, (name, points), ink, mark in zip(axes, paths.items(), ("black", ORANGE, BLUE), MARKS, strict=False):
        ax.contour(across, up, heights, levels=np.geomspace(0.05, heights.max(), 9), colors="#AAAAAA", linewidths=0.8)
        ax.plot(*np.asarray(points).T, color=ink, marker=mark, markersize=3, linewidth=1)
        ax.plot(0, 0, "k+", markersize=12, markeredgewidth=2)
        ax.set(xlim=(-4.5, 2), ylim=(-1.6, 1.6))
        label(ax, name, "weight $w_1$", "weight $w_2$")
        told.append(f"{name} {float(loss(*points[-1])):.2g}")
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    steps = len(next(iter(paths.values()))) - 1
    return Picture(figure, f"Paths in a narrow valley, minimum at the cross. Loss after {steps} steps: "
                   f"{'; '.join(told)}.")  # fmt: skip


def schedules(rates: Mapping[str, Sequence[float]]) -> Picture:
    """Learning rate against the step, in shares of the highest rate, a small panel per schedule."""
    rows = -(-len(rates) // 4)
    figure, _ = canvas(height=1.75 * rows)
    figure.clear()
    axes = figure.subplots(rows, 4, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes.flat[len(rates) :]:
        ax.set_axis_off()
    for ax, (name, values) in zip(axes.flat, rates.items(), strict=False):
        ax.plot(values, color=BLUE, linewidth=1.8)
        ax.set_ylim(0, _HIGHEST_RATE_SHOWN * max(max(values) for values in rates.values()))
        ax.set_title(name, fontsize=9, loc="left")
    figure.supxlabel("step", fontsize=9)
    figure.supylabel("learning rate", fontsize=9)
    told = ", ".join(f"{name} {values[0]:.2g} to {values[-1]:.2g}" for name, values in rates.items())
    return Picture(figure, f"Learning rate against the step, a panel for each schedule. First and last rates: {told}.")


def range_curves(tests: Mapping[str, tuple[np.ndarray, np.ndarray, float]]) -> Picture:
    """Range tests side by side: loss against the rate on a log axis, with the suggested rate."""
    figure, axes = canvas(3, height=2.1 * -(-len(tests) // 3))
    figure.clear()
    axes = figure.subplots(-(-len(tests) // 3), 3, sharex=True, sharey=True, squeeze=False)
    told = []
    for ax, (name, (rates, losses, best)) in zip(axes.flat, tests.items(), strict=False):
        ax.spines[["top", "right"]].set_visible(False)
        ax.semilogx(rates, losses, color=INKS[1], marker="o", markersize=3, linewidth=1.4)
        ax.axvline(best, color="black", linestyle=":", linewidth=1.6)
        ax.set_ylim(0, 3)
        ax.set_title(f"{name}: {best:.2g}", fontsize=9, loc="left")
        told.append(f"{name} {best:.2g}")
    figure.supxlabel("learning rate (log scale); dotted: the rate before the steepest fall", fontsize=9)
    figure.supylabel("loss (cut off at 3)", fontsize=9)
    return Picture(figure, "Range tests: the loss stays flat for small rates, falls, and is high again in the end. "
                   f"Rate before the steepest fall: {', '.join(told)}.")  # fmt: skip


def falling(series: Mapping[str, Sequence[float]], title: str, axes: tuple[str, str]) -> Picture:
    """Named curves on a logarithmic axis: losses or step lengths that fall by factors."""
    figure, (ax,) = canvas()
    for (name, values), ink, dash, width in zip(series.items(), INKS, DASHES, WIDTHS, strict=False):
        ax.semilogy(range(1, len(values) + 1), values, color=ink, linestyle=dash, linewidth=width, label=name)
    label(ax, title, axes[0], f"{axes[1]} (log scale)")
    ax.legend(frameon=False)
    told = ", ".join(f"{name} {values[0]:.2g} to {values[-1]:.2g}" for name, values in series.items())
    return Picture(figure, f"{title}: {axes[1]} against {axes[0]}. First and last values: {told}.")


def flat_and_sharp(shift: float = 0.25) -> Picture:
    """A loss with a sharp and a flat minimum, and the same curve moved a little, as test data would."""

    def curve(w: np.ndarray) -> np.ndarray:
        return 1.2 - np.exp(-8 * (w + 1.5) ** 2) - np.exp(-0.6 * (w - 1.5) ** 2)

    w = np.linspace(-3, 4, 401)
    figure, (ax,) = canvas()
    ax.plot(w, curve(w), color=INKS[0], linewidth=4, label="training loss")
    ax.plot(w, curve(w - shift), color=INKS[1], linestyle="--", linewidth=2, label="loss on new examples")
    told = []
    for name, place in (("sharp", -1.5), ("flat", 1.5)):
        low, high = curve(np.array(place)), curve(np.array(place - shift))
        ax.plot([place, place], [low, high], color="black", linewidth=2.4, marker="_", markersize=10)
        ax.annotate(name, (place, low), (0, -16), textcoords="offset points", ha="center")
        told.append(f"{name} {high - low:.2f}")
    ax.set_ylim(0, 1.5)
    label(ax, f"The curve moves by {shift:g}: what does each minimum pay?", "weight $w$", "loss")
    ax.legend(frameon=False)
    return Picture(figure, "A training loss with a sharp minimum at -1.5, a flat one at 1.5, and the same curve moved "
                   f"right by {shift:g}. Rise of the loss at the old minimum: {', '.join(told)}.")  # fmt: skip


def landscape(
    energy: Callable[[np.ndarray], np.ndarray],
    ends: Mapping[str, np.ndarray],
    words: tuple[str, str, str],
    span: tuple[float, float] = (-6, 6),
) -> Picture:
    """A landscape of one number, and below it where many searchers ended, one row each.

    `words` are the title, what is searched, and what its height is called.
    """
    title, searched, height = words
    place = np.linspace(*span, 601)
    figure, _ = canvas(height=1.5 + 1.1 * len(ends))
    figure.clear()
    axes = figure.subplots(1 + len(ends), 1, sharex=True, height_ratios=[1.6, *[1] * len(ends)])
    axes[0].plot(place, energy(place), color="black", linewidth=1.8)
    axes[0].set_ylabel(height, fontsize=9)
    axes[0].set_title(title, fontsize=11, loc="left")
    best = place[energy(place).argmin()]
    told = []
    for ax, (name, points) in zip(axes[1:], ends.items(), strict=True):
        ax.hist(points, bins=np.linspace(*span, 61), color="#CFE3F1", edgecolor=BLUE, linewidth=0.6)
        ax.set_ylabel(name, fontsize=9)
        told.append(f"{name} {100 * float(np.mean(np.abs(points - best) < 1)):.0f} %")
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.axvline(best, color=GREY, linestyle=":", linewidth=1.4)
    axes[-1].set_xlabel(f"{searched}; dotted: the deepest point", fontsize=10)
    return Picture(figure, "A landscape with several valleys, and histograms of where the searchers ended. Share "
                   f"within 1 of the deepest point: {', '.join(told)}.")  # fmt: skip


def races(mine: Mapping[str, Sequence[float]], torch: Mapping[str, Sequence[float]]) -> Picture:
    """Loss per epoch of several optimisers, a panel each: NumPy wide, where the learner's step ran, Torch on top."""
    rows = -(-len(torch) // 3)
    figure, _ = canvas(height=2.2 * rows)
    figure.clear()
    axes = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False)
    told = []
    for ax, (name, values) in zip(axes.flat, torch.items(), strict=False):
        _race(ax, mine.get(name), values)
        whose = "yours and Torch" if name in mine else "Torch alone"
        ax.set_title(f"{name}: {whose}", fontsize=8, loc="left")
        ax.xaxis.get_major_locator().set_params(integer=True)
        told.append(f"{name} ({whose}) {values[-1]:.2g}")
    axes[0][0].legend(frameon=False, fontsize=8)
    figure.supxlabel("epoch (passes over the training images)", fontsize=9)
    figure.supylabel("training loss (log scale)", fontsize=9)
    return Picture(figure, f"Training loss per epoch of {len(torch)} optimisers. Last values: {', '.join(told)}.")


def _race(ax: Axes, mine: Sequence[float] | None, torch: Sequence[float]) -> None:
    if mine is not None:
        ax.semilogy(range(1, len(mine) + 1), mine, color=INKS[0], linewidth=4, label="NumPy")
    ax.semilogy(range(1, len(torch) + 1), torch, color=INKS[1], linestyle="--", linewidth=1.8, label="Torch")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="#DDDDDD", linewidth=0.6)
