"""Digits drawn as strokes: the designs, the ink, the picture of 8x8, and what a network makes of pens of all widths."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import strokes
from course_lib.data import load_digits
from course_lib.strokes import digit_strokes, distances, draw, drawn_digits, ink_box, shrink

PENS = (2, 4, 8, 16, 24, 32)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks train slowly when threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def plain_distance(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """From a point to a segment, by trying ten thousand places on it."""
    places = start + np.linspace(0, 1, 10_001)[:, None] * (end - start)
    return float(np.sqrt(((places - point) ** 2).sum(axis=1)).min())


@pytest.mark.parametrize("digit", range(10))
def test_every_digit_fits_the_pad(digit) -> None:
    """The plain digit and a hundred hand-written ones stay on the pad, and differ from each other."""
    rng = np.random.default_rng(digit)
    drawings = [digit_strokes(digit), *(digit_strokes(digit, rng) for _ in range(100))]
    for drawing in drawings:
        points = np.concatenate(drawing)
        assert points.shape[1] == 2 and points.dtype == np.float64
        assert points.min() >= 4 and points.max() <= strokes.CELLS - 4
        assert np.array_equal(points, points.round(2))
    assert len({np.concatenate(drawing).tobytes() for drawing in drawings}) == len(drawings)


def test_strokes_repeat_with_the_seed() -> None:
    """The same generator gives the same strokes; no generator gives the plain digit."""
    first, second = (digit_strokes(3, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))
    np.testing.assert_array_equal(np.concatenate(digit_strokes(3)), np.concatenate(digit_strokes(3)))


def test_wrong_arguments_get_a_sentence() -> None:
    """Other digits and widths are refused with the range that is possible."""
    with pytest.raises(ValueError, match="digits 0 to 9; got 10"):
        digit_strokes(10)
    for width in (1, 33, float("nan")):
        with pytest.raises(ValueError, match="from 2 to 32 cells"):
            draw(digit_strokes(1), width)
    with pytest.raises(ValueError, match="from 2 to 32 cells"):
        drawn_digits((8, 40), copies=1)


def test_distances_are_to_the_nearest_segment() -> None:
    """In reach of the widest pen, the distance of a cell's middle is that to the nearest place on any stroke."""
    drawing = [np.array([[20.0, 30.0], [90.5, 44.25], [60.0, 100.0]]), np.array([[100.0, 100.0]])]
    found = distances(drawing)
    segments = [(drawing[0][0], drawing[0][1]), (drawing[0][1], drawing[0][2]), (drawing[1][0], drawing[1][0])]
    rng = np.random.default_rng(0)
    for row, column in rng.integers(0, strokes.CELLS, (300, 2)):
        point = np.array([column + 0.5, row + 0.5])
        expected = min(plain_distance(point, *segment) for segment in segments)
        if expected <= 16:
            assert found[row, column] == pytest.approx(expected, abs=1e-3)
        else:
            assert found[row, column] >= expected - 1e-3


def test_a_wide_pen_covers_a_thin_one() -> None:
    """A line is as wide as the pen, and ink never goes away when the pen grows."""
    line = [np.array([[30.0, 64.0], [98.0, 64.0]])]
    pads = [draw(line, width) for width in PENS]
    assert [int(pad[:, 64].sum()) for pad in pads] == list(PENS)
    for thin, wide in zip(pads[:-1], pads[1:], strict=True):
        assert not (thin & ~wide).any()


def test_strokes_at_the_edge_are_cut() -> None:
    """A stroke over the edge leaves ink up to the edge and none on the other side."""
    pad = draw([np.array([[0.0, 0.0], [0.0, 128.0]])], 8)
    assert pad[:, :4].all() and not pad[:, 4:].any()


def test_shrinking_counts_blocks() -> None:
    """Without fitting and stretching, each number is the mean of a block of 16x16 cells."""
    pad = np.random.default_rng(1).random((128, 128)) < 0.3
    blocks = pad.reshape(8, 16, 8, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(shrink(pad, fit=False, stretch=False), blocks, rtol=0, atol=1e-12)
    np.testing.assert_allclose(shrink(pad, fit=False), blocks / blocks.max(), rtol=0, atol=1e-12)


def test_fitting_takes_the_square_around_the_ink() -> None:
    """A rectangle of ink becomes a bar over the full height, in the middle; where it lay does not matter."""
    pictures = []
    for top, left in ((20, 30), (5, 90), (64, 0)):
        pad = np.zeros((128, 128), dtype=bool)
        pad[top : top + 48, left : left + 12] = True
        assert ink_box(pad) == (left - 18, top, 48)
        pictures.append(shrink(pad))
    for picture in pictures:
        np.testing.assert_allclose(picture, np.tile([0, 0, 0, 1, 1, 0, 0, 0], (8, 1)), rtol=0, atol=1e-12)


def test_fitting_splits_cells_between_blocks() -> None:
    """A square whose side is no multiple of eight loses no ink: the mean stays that of the square."""
    pad = draw(digit_strokes(2), 7)
    left, top, side = ink_box(pad)
    assert side % 8
    assert shrink(pad, stretch=False).mean() == pytest.approx(pad.sum() / side**2, abs=1e-12)


def test_an_empty_pad_gives_paper() -> None:
    """Without ink there is nothing to fit or stretch: the picture is zero."""
    np.testing.assert_array_equal(shrink(draw([], 8)), np.zeros((8, 8)))


def test_images_are_laid_out_like_the_real_digits() -> None:
    """Rows of 64 from 0 to 1, one width after the other, the same drawings for every width."""
    images, labels = drawn_digits(PENS, copies=3, rng=np.random.default_rng(2))
    real = load_digits()
    assert images.shape == (180, 64) and images.dtype == real.x_train.dtype
    assert labels.shape == (180,) and labels.dtype == real.y_train.dtype
    assert images.min() == 0 and np.allclose(images.max(axis=1), 1)
    np.testing.assert_array_equal(labels.reshape(6, 30), np.tile(np.repeat(np.arange(10), 3), (6, 1)))
    alone, _ = drawn_digits((16,), copies=3, rng=np.random.default_rng(2))
    np.testing.assert_array_equal(images.reshape(6, 30, 64)[3], alone)
    whole, _ = drawn_digits((16,), copies=3, rng=np.random.default_rng(2), fit=False, stretch=False)
    assert whole.mean() < alone.mean() / 1.5


def small_network(seed: int) -> nn.Sequential:
    """Two convolutions, two poolings, one dense layer: 1,898 parameters."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def trained(x: np.ndarray, y: np.ndarray, epochs: int, seed: int = 0) -> nn.Sequential:
    """Adam with rate 0.003 and batches of 32."""
    network = small_network(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.003)
    images, labels = torch.tensor(x.reshape(-1, 1, 8, 8)).float(), torch.tensor(y)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(32):
            loss = nn.functional.cross_entropy(network(images[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network


def read_right(network: nn.Sequential, x: np.ndarray, y: np.ndarray) -> float:
    """The share of images that the network reads right."""
    with torch.no_grad():
        return float((network(torch.tensor(x.reshape(-1, 1, 8, 8)).float()).argmax(dim=1).numpy() == y).mean())


def by_width(network: nn.Sequential) -> dict[int, float]:
    """The share read right of a hundred new drawings, for each pen."""
    images, labels = drawn_digits(PENS, copies=10, rng=np.random.default_rng(99))
    parts = zip(PENS, images.reshape(len(PENS), 100, 64), labels.reshape(len(PENS), 100), strict=True)
    return {width: read_right(network, x, y) for width, x, y in parts}


def test_wide_pens_break_a_reader_of_thin_ones_and_all_widths_mend_it() -> None:
    """Trained on pens of 2 to 8 it reads those and fails at 32; trained on all pens it reads all."""
    thin = drawn_digits((2, 4, 8), copies=20, rng=np.random.default_rng(1))
    every = drawn_digits(PENS, copies=10, rng=np.random.default_rng(1))
    broken, mended = by_width(trained(*thin, epochs=30)), by_width(trained(*every, epochs=30))
    assert min(broken[width] for width in (2, 4, 8)) >= 0.93
    assert broken[32] <= 0.6
    assert min(mended.values()) >= 0.9


def test_a_reader_of_real_digits_prefers_their_pen() -> None:
    """Trained on real digits it reads drawings best with a pen of 16, worse with 2 and with 32; drawings mend it."""
    real = load_digits()
    drawn = drawn_digits(PENS, copies=10, rng=np.random.default_rng(1))
    network = trained(real.x_train, real.y_train, epochs=25)
    widths = by_width(network)
    assert read_right(network, real.x_test, real.y_test) >= 0.95
    assert widths[16] >= 0.8
    assert widths[16] - widths[2] >= 0.08 and widths[16] - widths[32] >= 0.1
    x, y = np.concatenate([real.x_train, drawn[0]]), np.concatenate([real.y_train, drawn[1]])
    mended = trained(x, y, epochs=15)
    assert min(by_width(mended).values()) >= 0.85
    assert read_right(mended, real.x_test, real.y_test) >= 0.9
