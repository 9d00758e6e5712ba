"""The pictures of lesson 09, with their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.plots.charts import bars, confusion, curves
from course_lib.plots.style import BLUE, DASHES, GREY, INKS, ORANGE, Picture, canvas, label

__all__ = [
    "answers_over_time", "bars", "confusion", "curves", "frequencies", "kim_network", "look_up", "marked_sentences",
    "padded_rows", "race", "seven_words", "two_bags", "word_map",
]  # fmt: skip

PALE, PADDING = "#CFE3F1", "#EEEEEE"
EPOCH = "epoch (passes over the training sentences)"
_LINE = 92  # signs of a sentence that fit beside each other


def two_bags(sentences: Sequence[Sequence[str]]) -> Picture:
    """How often each word occurs in each sentence, a row per sentence: equal rows are equal bags."""
    words = sorted({word for sentence in sentences for word in sentence})
    counts = np.array([[list(sentence).count(word) for word in words] for sentence in sentences])
    figure, (ax,) = canvas(height=0.9 + 0.5 * len(sentences))
    ax.grid(False)
    ax.imshow(counts, cmap="Blues", vmin=0, vmax=3 * max(counts.max(), 1), aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        ax.text(column, row, count, ha="center", va="center", weight="bold")
    ax.set_xticks(range(len(words)), words)
    ax.set_yticks(range(len(sentences)), [" ".join(sentence) for sentence in sentences])
    label(ax, "A bag of words: how often each word occurs", "word", " ")
    same = "the same numbers" if (counts == counts[0]).all() else "different numbers"
    told = "; ".join(" ".join(sentence) for sentence in sentences)
    return Picture(figure, f"Table of word counts. The rows have {same}. Sentences: {told}.")


def frequencies(counts: Sequence[int], kept: int) -> Picture:
    """How often each word occurs, by rank, and how many of the words a vocabulary keeps."""
    ordered = np.sort(np.asarray(counts))[::-1]
    rank, share = np.arange(1, len(ordered) + 1), 100 * ordered[:kept].sum() / ordered.sum()
    figure, (ax,) = canvas(height=3.0)
    ax.loglog(rank, ordered, color=INKS[0], linewidth=4, label="words of the training sentences")
    ax.axvline(kept, color="black", linestyle="--", linewidth=2, label=f"the vocabulary ends here: {kept:,} words")
    label(ax, f"{kept:,} of {len(ordered):,} words make {share:.0f} % of the text", "rank of the word (log scale)",
          "occurrences (log scale)")  # fmt: skip
    ax.legend(frameon=False)
    once = int((ordered == 1).sum())
    return Picture(figure, f"Occurrences of each word by rank on logarithmic scales, almost a straight line from "
                   f"{ordered[0]:,} to {ordered[-1]}. The {kept:,} most frequent of {len(ordered):,} words make "
                   f"{share:.0f} % of the text; {once:,} words occur once.")  # fmt: skip


def padded_rows(ids: np.ndarray, words: Sequence[str]) -> Picture:
    """Rows of word numbers (N, L) with their words; 0 is padding and hatched."""
    figure, (ax,) = canvas(height=0.7 + 0.55 * len(ids))
    ax.set_axis_off()
    for (row, column), number in np.ndenumerate(ids):
        _box(ax, column, -row, "" if number == 0 else words[number], padding=number == 0, below=str(number))
    ax.set(xlim=(-0.6, ids.shape[1] - 0.4), ylim=(-len(ids) + 0.3, 0.6))
    filled = ", ".join(f"row {row + 1} has {count}" for row, count in enumerate((ids == 0).sum(axis=1).tolist()))
    return Picture(figure, f"{len(ids)} rows of {ids.shape[1]} boxes, each with a word and its number. Boxes with the "
                   f"number 0 are hatched padding at the end: {filled}.")  # fmt: skip


def _box(ax: Axes, x: float, y: float, text: str, padding: bool = False, below: str = "", face: str = PALE) -> None:
    ax.add_patch(Rectangle((x - 0.46, y - 0.36), 0.92, 0.72, facecolor=PADDING if padding else face,
                           edgecolor=GREY if padding else BLUE, hatch="///" if padding else ""))  # fmt: skip
    if text:
        ax.text(x, y + (0.12 if below else 0), text, ha="center", va="center", fontsize=9)
    if below:
        plain = {"facecolor": "white", "edgecolor": "none", "pad": 0.8} if padding else None
        ax.text(x, y - (0 if padding else 0.2), below, ha="center", va="center", fontsize=8, bbox=plain)


def look_up(words: Sequence[str], sentence: Sequence[int], vectors: np.ndarray) -> Picture:
    """A table of vectors (V, D) with the rows that a sentence uses, and the sentence as a picture (L, D)."""
    figure, (left, right) = canvas(2, height=3.4, widths=(1, 1))
    most = np.abs(vectors).max()
    for ax, rows in ((left, range(len(vectors))), (right, sentence)):
        ax.grid(False)
        ax.imshow(vectors[list(rows)], cmap="PuOr", vmin=-most, vmax=most, aspect="auto")
        for (row, column), value in np.ndenumerate(vectors[list(rows)]):
            dark = abs(value) > 0.65 * most
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color="white" if dark else "black")
        ax.set_yticks(range(len(rows)), [f"{words[row]}  {row}" for row in rows])
        ax.set_xticks(range(vectors.shape[1]))
    label(left, "The table: one row per word", "number of the vector", "word and its number")
    label(right, "The sentence: rows in its order", "number of the vector", " ")
    told = " ".join(words[row] for row in sentence)
    return Picture(figure, f"Left, a table of {len(vectors)} words with {vectors.shape[1]} numbers each. Right, the "
                   f"rows of the sentence '{told}' in its order; equal words have equal rows.")  # fmt: skip


def seven_words(words: Sequence[str], width: int, answers: Sequence[float] | None = None) -> Picture:
    """Words in a row, the windows of one filter under them, and one answer for each window."""
    count = len(words) - width + 1
    figure, (ax,) = canvas(height=0.9 + 0.42 * (count + 1))
    ax.set_axis_off()
    for place, word in enumerate(words):
        _box(ax, place, 0.2, word)
    for place in range(count):
        height = -0.75 - 0.62 * place
        ax.plot([place - 0.4, place + width - 0.6], [height] * 2, color=INKS[place % 2], linewidth=6,
                linestyle="-", solid_capstyle="butt")  # fmt: skip
        said = f"window {place + 1}" + ("" if answers is None else f": {answers[place]:.1f}")
        ax.text(place + width - 0.5, height, said, va="center", fontsize=9)
    ax.set(xlim=(-0.7, len(words) + 0.5), ylim=(-0.75 - 0.62 * count, 0.8))
    ax.set_title(f"{len(words)} words in, {count} windows out (width {width})", fontsize=11, loc="left")
    return Picture(figure, f"{len(words)} words in a row: {' '.join(words)}. Under them {count} bars, each {width} "
                   "words wide and one word further to the right than the bar before.")  # fmt: skip


def answers_over_time(words: Sequence[str], width: int, answers: Mapping[str, Sequence[float]],
                      counts: Sequence[bool]) -> Picture:  # fmt: skip
    """Answers of filters at every window; those that do not count are hatched, the maximum of the others is marked."""
    figure, axes = canvas(len(answers), height=3.3)
    names = [" ".join(words[place : place + width]) for place in range(len(counts))]
    told = []
    for ax, (name, values) in zip(axes, answers.items(), strict=True):
        for place, (value, known) in enumerate(zip(values, counts, strict=True)):
            ax.barh(place, value, color=PALE if known else "white", edgecolor=BLUE if known else GREY,
                    hatch="" if known else "////")  # fmt: skip
        best = int(np.where(counts, values, -np.inf).argmax())
        ax.plot(values[best], best, marker="D", color=ORANGE, markeredgecolor="black", markersize=9, zorder=3)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_yticks(range(len(names)), names if ax is axes[0] else [""] * len(names))
        ax.invert_yaxis()
        label(ax, name, "answer (no unit)", "window" if ax is axes[0] else " ")
        told.append(f"{name}: {values[best]:.1f} at '{names[best]}'")
    hidden = len(counts) - sum(counts)
    return Picture(figure, f"Answers at {len(counts)} windows, {hidden} of them hatched because they end in padding. "
                   f"The diamond marks the maximum over the others. {'; '.join(told)}.")  # fmt: skip


def kim_network(words: Sequence[str], widths: Sequence[int] = (2, 3), filters: int = 3, classes: int = 2) -> Picture:
    """The whole network from left to right: words, answers of filters of two or three widths, maxima, dense layer."""
    figure, (ax,) = canvas(height=3.9)
    ax.set_axis_off()
    n = len(words)
    for place, word in enumerate(words):
        _cells(ax, 0, -place, 1, 1.5, edgecolor=BLUE, facecolor="white")
        ax.text(0.75, -place, word, ha="center", va="center", fontsize=9)
        _cells(ax, 1.7, -place, 4, 0.3, edgecolor=BLUE, facecolor=PALE)
    columns = np.linspace(4.2, 6.1, len(widths))
    for left, width, ink, dash in zip(columns, widths, INKS, DASHES, strict=False):
        for place in range(n - width + 1):
            _cells(ax, left, -place - (width - 1) / 2, filters, 0.4, edgecolor=ink, facecolor="white", linestyle=dash)
        ax.text(left + 0.2 * filters, 0.75, f"width {width}", ha="center", fontsize=9)
    _decision(ax, n, len(widths), filters, classes)
    for x, said in ((0.75, "words"), (2.3, "vectors"), (5.6, "answers after ReLU"), (8.85, "maxima"), (10.6, "scores")):
        ax.text(x, -n + 0.15, said, ha="center", fontsize=10)
    ax.set(xlim=(-0.2, 11.2), ylim=(-n - 0.2, 1.2))
    names = " and ".join(map(str, widths))
    return Picture(figure, f"From left to right: {n} words, their vectors, answers of {filters} filters of each of the "
                   f"widths {names} at every window, one maximum per filter, and {classes} scores.")  # fmt: skip


def _cells(ax: Axes, left: float, middle: float, count: int, wide: float, **look: str) -> None:
    for k in range(count):
        ax.add_patch(Rectangle((left + wide * k, middle - 0.38), wide, 0.76, linewidth=1.4, **look))


def _decision(ax: Axes, n: int, groups: int, filters: int, classes: int) -> None:
    """The maxima, in the line style of their width, and the dense layer."""
    ends = np.linspace(-1.5, -(n - 2.5), classes)
    for k, height in enumerate(np.linspace(0, -(n - 1), groups * filters)):
        ink, dash = INKS[k // filters], DASHES[k // filters]
        _cells(ax, 8.6, height, 1, 0.5, edgecolor=ink, facecolor="white", linestyle=dash)
        for end in ends:
            ax.plot([9.1, 10.4], [height, end], color=GREY, linewidth=0.7)
    ax.plot([10.6] * classes, ends, "o", markersize=15, markerfacecolor=PALE, markeredgecolor="black")


def race(curves_by_name: Mapping[str, Sequence[float]], chance: float | None = None) -> Picture:
    """Percentage of validation sentences right per epoch, and what guessing would give."""
    told = ", ".join(f"{name} ends at {values[-1]:.1f} %" for name, values in curves_by_name.items())
    picture = curves(curves_by_name, "Right answers after every epoch",
                     (EPOCH, "sentences right (%)"), f"Percentage right per epoch: {told}.")  # fmt: skip
    if chance is not None:
        (ax,) = picture.figure.axes
        ax.axhline(chance, color="black", linewidth=1, linestyle=(0, (1, 3)), label="guessing")
        ax.legend(frameon=False)
    return picture


def word_map(vectors: np.ndarray, words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Picture:
    """Chosen words at the two directions in which their vectors (V, D) differ most."""
    figure, (ax,) = canvas(height=4.0)
    place = {word: number for number, word in enumerate(words)}
    chosen = [word for group in groups.values() for word in group]
    rows = vectors[[place[word] for word in chosen]]
    centred = rows - rows.mean(axis=0)
    flat = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    at = dict(zip(chosen, flat, strict=True))
    for (name, group), mark, ink in zip(groups.items(), "os^D", (BLUE, ORANGE, "black", GREY), strict=False):
        ax.plot(*np.array([at[word] for word in group]).T, mark, color=ink, label=name, linestyle="none")
    ax.margins(0.14, 0.12)
    ax.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    label(ax, "Words as points", "first direction (no unit)", "second direction (no unit)")
    _name_points(ax, at)
    told = "; ".join(f"{name}: {', '.join(group)}" for name, group in groups.items())
    return Picture(figure, f"Words as points in the two directions in which their vectors differ most. {told}.")


def _name_points(ax: Axes, at: Mapping[str, np.ndarray]) -> None:
    """Each word beside its point, on the first side where it covers no other point or word."""
    ax.figure.draw_without_rendering()  # only then are the axes where they will be
    scale = 72 / ax.figure.dpi
    points = {word: ax.transData.transform(place) * scale for word, place in at.items()}
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in points.values()]
    for word, (x, y) in points.items():
        wide, high = 5.2 * len(word), 9.0
        sides = [(6, -4), (-6 - wide, -4), (-wide / 2, 6), (-wide / 2, -15), (6, 6), (6, -14), (-6 - wide, 6),
                 (-6 - wide, -14)]  # fmt: skip
        boxes = [(x + across, y + up, x + across + wide, y + up + high) for across, up in sides]
        free = [not any(_overlap(box, other) for other in taken) for box in boxes]
        chosen = free.index(True) if any(free) else 0
        taken.append(boxes[chosen])
        ax.annotate(word, at[word], xytext=sides[chosen], textcoords="offset points", fontsize=9)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def marked_sentences(rows: Sequence[tuple[Sequence[str], Sequence[float]]], title: str) -> Picture:
    """Sentences with every word shaded by its share: above 0 underlined and dark, below 0 dotted."""
    lines = [_wrapped(words, shares) for words, shares in rows]
    figure, (ax,) = canvas(height=0.6 + 0.34 * sum(map(len, lines)) + 0.16 * len(lines))
    ax.set_axis_off()
    most = max((abs(share) for _, shares in rows for share in shares), default=0) or 1.0
    height = 0.0
    for sentence in lines:
        for line in sentence:
            _marked_line(ax, height, line, most)
            height -= 1
        height -= 0.45
    ax.set(xlim=(0, _LINE), ylim=(height + 0.3, 0.9))
    ax.set_title(title, fontsize=11, loc="left")
    told = "; ".join(f"{words[int(np.argmax(shares))]} in '{' '.join(words)}'" for words, shares in rows)
    return Picture(figure, f"Sentences with shaded words; the darker, the stronger. Strongest for the title's first "
                   f"answer: {told}.")  # fmt: skip


def _wrapped(words: Sequence[str], shares: Sequence[float]) -> list[list[tuple[str, float]]]:
    lines: list[list[tuple[str, float]]] = [[]]
    for word, share in zip(words, shares, strict=True):
        if sum(len(known) + 1 for known, _ in lines[-1]) + len(word) > _LINE - 2:
            lines.append([])
        lines[-1].append((word, share))
    return lines


def _marked_line(ax: Axes, height: float, line: Sequence[tuple[str, float]], most: float) -> None:
    across = 0.0
    for word, share in line:
        strength = min(abs(share) / most, 1.0)
        if strength > 0.04:
            ax.add_patch(Rectangle((across - 0.35, height - 0.3), len(word) + 0.7, 0.86, linewidth=0, facecolor=BLUE
                                   if share > 0 else ORANGE, alpha=0.12 + 0.4 * strength))  # fmt: skip
            ax.plot([across, across + len(word)], [height - 0.27] * 2, color="black", linewidth=0.6 + 2.2 * strength,
                    linestyle="-" if share > 0 else ":")  # fmt: skip
        ax.text(across, height, word, family="monospace", fontsize=8.6)
        across += len(word) + 1
