"""What every picture of a lesson promises; the lessons' own test files say of which pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib.image

TEXT_WIDTH = 770


def assert_speaks(picture: Any) -> None:
    """In a notebook it is a figure element with its sentence as alt text; in a terminal it is the sentence."""
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == repr(picture) == picture.alt
    assert 'src="data:image/png;base64,iVBOR' in bundle["text/html"]
    assert len(picture.alt) > 30
    assert picture.alt.endswith(".")
    assert "$" not in picture.alt


def assert_wide_and_not_blank(picture: Any) -> None:
    """It has the width of the text, and something on it."""
    seen = matplotlib.image.imread(io.BytesIO(picture.png()))[..., :3]
    assert seen.shape[1] == TEXT_WIDTH
    assert seen.std() > 0.01


def assert_repeats(make: Callable[[], Any]) -> None:
    """Drawing twice gives the same file: no dates, no random draws."""
    assert make().png() == make().png()
