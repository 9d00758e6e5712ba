"""Cases of the convolution exercises: sizes that all differ, every stride and padding that is usually wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograder.exercises._draw import draw
from course_lib.tree import Tree


class Sizes(NamedTuple):
    """One case: images (n, c, h, w), k filters of kernel (kh, kw), the step and the border."""

    n: int
    c: int
    h: int
    w: int
    k: int
    kh: int
    kw: int
    stride: int = 1
    padding: int = 0


PUBLIC = {
    "one channel, one filter": Sizes(1, 1, 4, 4, 1, 3, 3),
    "all sizes differ": Sizes(2, 3, 4, 5, 4, 3, 2),
    "padding 2": Sizes(2, 2, 2, 3, 3, 3, 3, padding=2),
    "stride 2, a rest at the end": Sizes(2, 1, 6, 6, 2, 3, 3, stride=2),
    "stride 3, padding 1": Sizes(1, 2, 6, 5, 2, 2, 3, stride=3, padding=1),
    "as many filters as columns": Sizes(1, 2, 3, 4, 3, 2, 2),
    "float32": Sizes(2, 2, 4, 3, 2, 2, 2, padding=1),
}
SECRET = {
    "all sizes differ": Sizes(3, 2, 5, 4, 2, 2, 3),
    "batch of one": Sizes(1, 3, 3, 4, 2, 3, 3, padding=1),
    "padding 2, stride 2": Sizes(2, 2, 4, 3, 3, 3, 2, stride=2, padding=2),
    "stride 2, a rest at the end": Sizes(2, 2, 6, 4, 2, 3, 3, stride=2),
    "stride 3": Sizes(2, 1, 7, 8, 2, 3, 2, stride=3, padding=0),
    "one pixel kernels": Sizes(2, 3, 3, 2, 2, 1, 1),
    "as many filters as columns": Sizes(2, 2, 3, 4, 3, 2, 2),
    "one output number": Sizes(1, 2, 3, 2, 1, 3, 2),
    "float32": Sizes(2, 2, 3, 4, 2, 2, 3, padding=1),
}


def rows(public: bool) -> dict[str, Sizes]:
    """Case id to sizes."""
    return PUBLIC if public else SECRET


def layer_inputs(rng: np.random.Generator, name: str, sizes: Sizes) -> dict[str, Tree]:
    """x, w, b, stride and padding of one case; a name with float32 in it announces the dtype."""
    n, c, h, w, k, kh, kw, stride, padding = sizes
    dtype = "float32" if "float32" in name else "float64"
    arrays = {"x": (n, c, h, w), "w": (k, c, kh, kw), "b": (k,)}
    drawn: dict[str, Tree] = {key: draw(rng, *shape, dtype=dtype) for key, shape in arrays.items()}
    return drawn | {"stride": stride, "padding": padding}
