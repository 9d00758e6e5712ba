"""Digits drawn with a pen of any width: polylines on a pad of 128x128 cells, shrunk to 8x8 as the real digits are.

What enters: a digit, a pen width in cells, a seeded generator for variety. What leaves: strokes (polylines), pads
(booleans) and images with the layout of `load_digits`, `(N, 64)` from 0 to 1, so that a network trained on real digits
can be asked to read them:

    from course_lib.strokes import drawn_digits
    images, labels = drawn_digits(widths=(4, 8, 16, 32), copies=10, rng=np.random.default_rng(0))   # (400, 64), (400,)
    scores = net(torch.tensor(images.reshape(-1, 1, 8, 8)).float())

The drawing pad of `course_lib.widgets.digit_pad` inks and shrinks with the same arithmetic in the browser.
Scikit-learn's digits were 32x32 bitmaps; each of their 8x8 numbers counts the ink of one 4x4 block, 0 to 16. A pad has
four times as many cells on a side, so a number is the share of ink in one 16x16 block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CELLS = 128
SIDE = 8
WIDTHS = (2, 32)

# A pen no wider than this reaches no cell farther away.
_REACH = WIDTHS[1] // 2 + 1
# The middle of a drawn digit, and what one unit of the designs below measures, in cells.
_MIDDLE, _UNIT = 64.0, 88.0

Strokes = list[np.ndarray]


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> list[tuple[float, float]]:
    """Points on an ellipse; angles in degrees, clockwise from the right because y grows downwards."""
    angles = np.radians(np.linspace(start, end, max(3, round(abs(end - start) / 30) + 1)))
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]


# Every digit in one or more ways of writing it, 1 high and at most 0.7 wide around (0, 0); the first way is the plain
# one that the pad offers.
_DESIGNS: dict[int, tuple[list[list[tuple[float, float]]], ...]] = {
    0: ([_arc(0, 0, 0.31, 0.5, -90, 270)],),
    1: (
        [[(-0.2, -0.24), (0.04, -0.5), (0.04, 0.5)]],
        [[(0, -0.5), (0, 0.5)]],
        [[(-0.2, -0.28), (0.02, -0.5), (0.02, 0.5)], [(-0.22, 0.5), (0.26, 0.5)]],
    ),
    2: ([[*_arc(0, -0.22, 0.29, 0.28, -170, 35), (-0.3, 0.5), (0.32, 0.5)]],),
    3: ([[*_arc(-0.02, -0.25, 0.27, 0.25, -150, 90), *_arc(-0.02, 0.24, 0.31, 0.26, -90, 150)]],),
    4: (
        [[(0.06, -0.5), (-0.32, 0.16), (0.34, 0.16)], [(0.14, -0.14), (0.14, 0.5)]],
        [[(-0.24, -0.5), (-0.28, 0.06), (0.3, 0.06)], [(0.22, -0.5), (0.18, 0.5)]],
        [[(0.16, 0.5), (0.16, -0.5), (-0.32, 0.18), (0.34, 0.18)]],
    ),
    5: (
        [[(0.27, -0.5), (-0.22, -0.5), (-0.25, -0.06), *_arc(-0.02, 0.18, 0.29, 0.32, -115, 140)]],
    ),
    6: (
        [[(0.2, -0.5), (-0.08, -0.28), (-0.26, 0.06), *_arc(0, 0.22, 0.28, 0.28, 180, -180)]],
    ),
    7: (
        [[(-0.3, -0.5), (0.3, -0.5), (0, 0.02), (-0.1, 0.5)]],
        [[(-0.3, -0.5), (0.3, -0.5), (0, 0.02), (-0.1, 0.5)], [(-0.2, 0.02), (0.24, 0.02)]],
    ),
    8: ([_arc(0, -0.25, 0.24, 0.25, 90, 450) + _arc(0, 0.25, 0.29, 0.25, -90, 270)],),
    9: (
        [[*_arc(-0.01, -0.22, 0.27, 0.28, 0, -360), (0.24, 0.1), (0.12, 0.5)]],
        [[*_arc(-0.01, -0.22, 0.27, 0.28, 0, -360), (0.26, 0.24), (0.02, 0.5), (-0.22, 0.44)]],
    ),
}  # fmt: skip


def digit_strokes(digit: int, rng: np.random.Generator | None = None) -> Strokes:
    """Return the pen strokes of a digit.

    Args:
        digit: 0 to 9.
        rng: draws a way of writing it, slant, size, turn, place and a shaky hand; None for the plain digit.

    Returns:
        Polylines `(P, 2)` float64: x to the right and y downwards, in cells from the top left, with two decimals.

    Raises:
        ValueError: another digit.

    >>> [len(stroke) for stroke in digit_strokes(4)]
    [3, 2]
    """
    if digit not in _DESIGNS:
        raise ValueError(f"There are strokes for the digits 0 to 9; got {digit!r}.")
    ways = _DESIGNS[digit]
    strokes = [np.array(stroke) for stroke in ways[0 if rng is None else int(rng.integers(len(ways)))]]
    if rng is not None:
        strokes = _by_hand(strokes, rng)
    return [np.round(_MIDDLE + _UNIT * stroke, 2) for stroke in strokes]


def _by_hand(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """Slant, stretch, turn and move the strokes, and shake each point."""
    slant, turn = rng.normal(0, 0.12), rng.normal(0, 0.06)
    wide, high = rng.uniform(0.8, 1.15), rng.uniform(0.85, 1.05)
    stretch = np.array([[wide, slant], [0, high]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shift = rng.uniform(-0.05, 0.05, 2)
    shaken = [stroke + rng.normal(0, 0.018, stroke.shape) for stroke in strokes]
    return [stroke @ (rotation @ stretch).T + shift for stroke in shaken]


def distances(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Return how far the middle of each cell is from the nearest stroke.

    Args:
        strokes: polylines `(P, 2)` in cells; one point alone is a dot.

    Returns:
        `(128, 128)` float64, row by row from the top; infinite where no pen of the pad reaches.
    """
    squared = np.full((CELLS, CELLS), np.inf)
    for stroke in strokes:
        points = np.asarray(stroke, dtype=np.float64).reshape(-1, 2)
        ends = points[1:] if len(points) > 1 else points
        for start, end in zip(points[: len(ends)], ends, strict=True):
            _come_nearer(squared, start, end)
    return np.sqrt(squared)


def _come_nearer(squared: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Lower the squared distances around one segment; the widget computes in the same order, so every bit agrees."""
    low = np.clip(np.floor(np.minimum(start, end)).astype(int) - _REACH, 0, CELLS)
    high = np.clip(np.ceil(np.maximum(start, end)).astype(int) + _REACH, 0, CELLS)
    x = np.arange(low[0], high[0])[None, :] + 0.5
    y = np.arange(low[1], high[1])[:, None] + 0.5
    (dx, dy), (fx, fy) = end - start, (x - start[0], y - start[1])
    length = dx * dx + dy * dy
    part = np.clip((fx * dx + fy * dy) / length, 0.0, 1.0) if length > 0 else 0.0
    ex, ey = fx - part * dx, fy - part * dy
    window = squared[low[1] : high[1], low[0] : high[0]]
    np.minimum(window, ex * ex + ey * ey, out=window)


def draw(strokes: Sequence[np.ndarray], width: float) -> np.ndarray:
    """Return the pad after drawing the strokes with a round pen.

    Args:
        strokes: polylines `(P, 2)` in cells.
        width: of the pen, 2 to 32 cells.

    Returns:
        `(128, 128)` bool: True where there is ink.

    Raises:
        ValueError: a width the pad does not have.
    """
    return distances(strokes) <= _checked(width) / 2


def ink_box(pad: np.ndarray) -> tuple[float, float, float]:
    """Return left, top and side of the smallest square around the ink, with the ink in its middle.

    A pad without ink is its own box. The square may reach over the edge; there is no ink there.
    """
    rows, columns = (np.flatnonzero(pad.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0.0, 0.0, float(CELLS)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(bottom - top, right - left)
    return float(left + right - side) / 2, float(top + bottom - side) / 2, float(side)


def shrink(pad: np.ndarray, fit: bool = True, stretch: bool = True) -> np.ndarray:
    """Shrink a pad to the shares of ink in 8x8 blocks.

    Args:
        pad: `(128, 128)` bool.
        fit: take the square around the ink only, because every real digit fills its frame; False takes the whole pad.
        stretch: divide by the largest share, because every real digit has a full block; a thin pen fills none.

    Returns:
        `(8, 8)` float64, 0 (paper) to 1 (full), like the rows of `load_digits`.

    >>> float(shrink(np.ones((128, 128), bool)).min())
    1.0
    """
    left, top, side = ink_box(pad) if fit else (0.0, 0.0, float(CELLS))
    shares = _shares(top, side) @ pad.astype(np.float64) @ _shares(left, side).T
    return shares / shares.max() if stretch and pad.any() else shares


def _shares(start: float, side: float) -> np.ndarray:
    """Return `(8, 128)`: which part of each of eight blocks in a row is covered by each cell."""
    block = side / SIDE
    edges = start + block * np.arange(SIDE + 1)[:, None]
    cells = np.arange(CELLS)[None, :]
    covered = np.minimum(edges[1:], cells + 1) - np.maximum(edges[:-1], cells)
    return np.maximum(covered, 0.0) / block


def drawn_digits(
    widths: Sequence[float],
    copies: int = 10,
    rng: np.random.Generator | None = None,
    fit: bool = True,
    stretch: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw every digit a few times, and ink each drawing with every width: only the pen differs between widths.

    Args:
        widths: pen widths, 2 to 32 cells.
        copies: drawings of each digit.
        rng: variety; None for `default_rng(0)`.
        fit: as in `shrink`.
        stretch: likewise.

    Returns:
        Images `(W * 10 * copies, 64)` float64 from 0 to 1, width by width, and as many labels, int64.

    >>> images, labels = drawn_digits((8, 24), copies=2)
    >>> images.shape, labels[:4].tolist()
    ((40, 64), [0, 0, 1, 1])
    """
    rng = np.random.default_rng(0) if rng is None else rng
    labels = np.repeat(np.arange(10), copies)
    reach = [distances(digit_strokes(int(digit), rng)) for digit in labels]
    images = [shrink(near <= _checked(width) / 2, fit, stretch).ravel() for width in widths for near in reach]
    return np.array(images).reshape(-1, SIDE * SIDE), np.tile(labels, len(widths))


def _checked(width: float) -> float:
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise ValueError(f"Pen widths go from {WIDTHS[0]} to {WIDTHS[1]} cells; got {width!r}.")
    return float(width)
