"""Charts that any lesson can use: curves, bars, confusion tables, digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.plots.style import BLUE, DASHES, GREY, INKS, Picture, canvas, label


def curves(series: Mapping[str, Sequence[float]], title: str, axes: tuple[str, str], alt: str,
           x: Sequence[float] | None = None) -> Picture:  # fmt: skip
    """Named curves over the same x (0, 1, 2, ... by default), each with its own line style."""
    figure, (ax,) = canvas()
    for (name, values), ink, dash, width in zip(series.items(), INKS, DASHES, (4, 2, 2, 2), strict=False):
        across = np.arange(len(values)) if x is None else x
        ax.plot(across, values, color=ink, linestyle=dash, linewidth=width, label=name)
    if x is None:
        ax.xaxis.get_major_locator().set_params(integer=True)
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


def digit_images(x: np.ndarray, labels: Sequence[int], guesses: Sequence[int] | None = None) -> Picture:
    """Images `(N, 64)` in one row, dark ink on white, each under its label and what it was read as."""
    read = labels if guesses is None else [f"{a} read as {b}" for a, b in zip(labels, guesses, strict=True)]
    figure, axes = canvas(max(len(x), 1), height=1.0 if len(x) > 6 else 1.6)
    for ax, pixels, title in zip(axes, x, read, strict=False):
        ax.set_axis_off()
        ax.imshow(pixels.reshape(8, 8), cmap="Greys", vmin=0, vmax=1)
        ax.set_title(str(title), fontsize=9)
    return Picture(figure, f"{len(x)} grey images of handwritten digits: {', '.join(map(str, read))}.")


def lab_curves(mine: Sequence[float] | None, torch: Sequence[float], loss: str = "squared error per image") -> Picture:
    """Loss per epoch: NumPy solid, when the learner's functions ran, and Torch dashed on top of it."""
    axes = ("epoch (passes over the training images)", f"loss ({loss})")
    if mine is None:
        alt = f"Training loss of the Torch network per epoch, falling from {torch[0]:.3f} to {torch[-1]:.3f}."
        return curves({"Torch": torch}, "Torch's code ran alone; your functions did not", axes, alt)
    alt = (f"Two curves of the training loss per epoch. NumPy, solid, falls from {mine[0]:.3f} to {mine[-1]:.3f}; "
           f"Torch, dashed, from {torch[0]:.3f} to {torch[-1]:.3f}.")  # fmt: skip
    return curves({"NumPy, your functions": mine, "Torch": torch}, "Your code ran, and Torch beside it", axes, alt)
