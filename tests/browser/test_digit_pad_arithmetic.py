"""What the drawing pad computes in the browser, against NumPy and Torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from driving import load
from test_digit_pad import module

from course_lib.strokes import digit_strokes, draw, drawn_digits, ink_box, shrink
from course_lib.widgets.digit_pad import DigitPad

pytestmark = pytest.mark.browser


def test_ink_and_picture_equal_numpy(watched) -> None:
    """For hand-written digits, dots and strokes at the edge every cell agrees, the picture to 1e-6."""
    load(watched.page, "digit_pad.js")
    rng = np.random.default_rng(3)
    drawings = [digit_strokes(digit, rng) for digit in range(10)]
    drawings += [[np.array([[3.25, 120.5]])], [np.array([[-4.0, 10.0], [130.0, 127.0]]), np.array([[64.0, 64.0]])], []]
    run = """([strokes, width, ways]) => {
      const ink = new part.pad.Ink(strokes);
      const cells = ink.cells(width);
      const pictures = ways.map(([fit, stretch]) => part.pad.shrinkPad(cells, { fit, stretch }));
      return [cells.join(''), part.pad.inkBox(cells), pictures];
    }"""
    ways = [(fit, stretch) for fit in (True, False) for stretch in (True, False)]
    for drawing in drawings:
        for width in (2, 7, 16, 32):
            cells, box, pictures = watched.page.evaluate(run, [[s.tolist() for s in drawing], width, ways])
            pad = draw(drawing, width)
            np.testing.assert_array_equal(np.array([sign == "1" for sign in cells]).reshape(128, 128), pad)
            assert box is None if not drawing else (box["left"], box["top"], box["side"]) == ink_box(pad)
            expected = [shrink(pad, fit, stretch).ravel() for fit, stretch in ways]
            np.testing.assert_allclose(pictures, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_forward_pass_equals_torch(watched, seed) -> None:
    """Torch and the page give the same probabilities, to 1e-5, for drawn digits and for random pictures."""
    load(watched.page, "digit_pad.js")
    chain = module(seed)
    images = np.concatenate([drawn_digits((4, 24), copies=1)[0], np.random.default_rng(seed).random((5, 64))])
    run = "([layers, images]) => { const read = part.pad.digitReader(layers, 8); return images.map(read); }"
    found = watched.page.evaluate(run, [DigitPad(chain).layers, images.tolist()])
    with torch.no_grad():
        expected = torch.softmax(chain(torch.tensor(images.reshape(-1, 1, 8, 8))), dim=1).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert len({tuple(np.round(row, 3)) for row in expected}) > 20
