"""Exercise on the backward pass of max pooling, a bug hunt (topic `pooling`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case, Kind

_TIES = (
    "When several numbers of a window are equally large, the first one in reading order gets the whole gradient. "
    "np.argmax finds that one; comparing with the maximum finds all of them."
)
# Case id to (shape of x, kernel, stride).
_PUBLIC = {
    "windows side by side": ((2, 2, 4, 6), 2, 2),
    "windows overlap": ((1, 2, 5, 6), 2, 1),
    "a rest at the end": ((2, 1, 5, 6), 2, 3),
    "float32": ((2, 2, 4, 4), 3, 1),
}
_SECRET = {
    "windows side by side": ((2, 3, 4, 6), 2, 2),
    "windows overlap": ((3, 2, 5, 4), 3, 1),
    "windows overlap, stride 2": ((2, 2, 5, 7), 3, 2),
    "a rest at the end": ((2, 2, 6, 5), 2, 3),
    "batch of one": ((1, 2, 3, 4), 2, 1),
    "one window": ((2, 1, 3, 3), 3, 1),
    "float32": ((2, 1, 4, 5), 3, 1),
}


def _maxpool2d_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (shape, kernel, stride) in (_PUBLIC if public else _SECRET).items():
        # One large number in the middle is the maximum of several windows, wherever they overlap.
        x = _distinct(rng, shape).astype("float32" if name == "float32" else "float64")
        x[:, :, shape[2] // 2, shape[3] // 2] += 50
        cases.append(_one_case(rng, name, x, kernel, stride))
    flat = np.maximum(_distinct(rng, (2, 2, 4, 4)), 0)
    flat[:, :, :2, :2] = 0.0
    cases.append(_one_case(rng, "ties behind a ReLU", flat, 2, 2, kind="convention"))
    x = _distinct(rng, (1, 2, 4, 3))
    return (*cases, _one_case(rng, "called twice", x, 2, 1, twice=True))


def _distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of either sign, no two alike."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size // 2 + 0.5).reshape(shape) / 4


def _one_case(
    rng: np.random.Generator, name: str, x: np.ndarray, kernel: int, stride: int, *,
    kind: Kind = "core", twice: bool = False,
) -> Case:  # fmt: skip
    n, c, h, w = x.shape
    dout = draw(rng, n, c, (h - kernel) // stride + 1, (w - kernel) // stride + 1, dtype=x.dtype.name)
    inputs = {"x": x, "kernel": kernel, "stride": stride, "dout": dout}
    says = _TIES if kind == "convention" else ""
    return forward_then_backward(name, "maxpool2d", inputs, twice=twice, kind=kind, says=says)


# Below, a cache is that of the reference, or (x, kernel, stride) as the lesson's answer keeps it.


def _maxpool2d_backward__both_bugs_untouched(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        place = np.s_[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        dx[place] = (x[place] == x[place].max()) * dout[n, c, i, j]
    return dx


def _maxpool2d_backward__overwritten(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        u, v = divmod(int(window.argmax()), kernel)
        dx[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel] = 0
        dx[n, c, i * stride + u, j * stride + v] = dout[n, c, i, j]
    return dx


def _maxpool2d_backward__last_gradient_only(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        u, v = divmod(int(window.argmax()), kernel)
        dx[n, c, i * stride + u, j * stride + v] = dout[n, c, i, j]
    return dx


def _maxpool2d_backward__ties_to_all(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        place = np.s_[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        dx[place] += (x[place] == x[place].max()) * dout[n, c, i, j]
    return dx


def _maxpool2d_backward__ties_shared(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        place = np.s_[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        largest = x[place] == x[place].max()
        dx[place] += largest * (dout[n, c, i, j] / largest.sum().astype(x.dtype))
    return dx


def _maxpool2d_backward__last_one_wins(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        u, v = np.argwhere(window == window.max())[-1]
        dx[n, c, i * stride + u, j * stride + v] += dout[n, c, i, j]
    return dx


def _maxpool2d_backward__no_dout(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        u, v = divmod(int(window.argmax()), kernel)
        dx[n, c, i * stride + u, j * stride + v] += 1
    return dx


def _maxpool2d_backward__shared_by_the_window(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        place = np.s_[n, c, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
        dx[place] += dout[n, c, i, j] / kernel**2
    return dx


def _maxpool2d_backward__places_by_kernel(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * kernel : i * kernel + kernel, j * kernel : j * kernel + kernel]
        if window.size:
            u, v = divmod(int(window.argmax()), window.shape[1])
            dx[n, c, i * kernel + u, j * kernel + v] += dout[n, c, i, j]
    return dx


def _maxpool2d_backward__argmax_by_hand(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        best = i * stride, j * stride
        for u, v in np.ndindex(kernel, kernel):
            here = i * stride + u, j * stride + v
            best = here if x[n, c, *here] > x[n, c, *best] else best
        dx[n, c, *best] += dout[n, c, i, j]
    return dx


def _maxpool2d_backward__all_windows_at_once(dout, cache):
    x, *rest = cache
    kernel, stride = rest if len(rest) == 2 else (rest[0].kernel[0], rest[0].stride[0])
    views = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    u, v = np.divmod(views.reshape(*dout.shape, -1).argmax(axis=-1), kernel)
    n, c, i, j = np.indices(dout.shape)
    dx = np.zeros_like(x)
    np.add.at(dx, (n, c, i * stride + u, j * stride + v), dout)
    return dx


MAXPOOL2D_BACKWARD = Exercise(
    id="maxpool2d_backward",
    topic="pooling",
    points=3,
    cases=_maxpool2d_backward_cases,
    uses=("maxpool2d_forward",),
    mistakes=(
        Mistake(
            "both_bugs_untouched",
            "This is still the code as it was. Try windows that overlap: a pixel that wins twice must get both "
            "gradients. Then try a window of zeros, and count how many of them get the gradient.",
            _maxpool2d_backward__both_bugs_untouched,
        ),
        Mistake(
            "overwritten",
            "Ties are right now. But a later window still wipes out what an earlier one gave to the same pixels: "
            "add with +=.",
            _maxpool2d_backward__overwritten,
        ),
        Mistake(
            "last_gradient_only",
            "A pixel that is the largest of several windows keeps only the last gradient. Add them up with +=.",
            _maxpool2d_backward__last_gradient_only,
        ),
        Mistake("ties_to_all", _TIES, _maxpool2d_backward__ties_to_all),
        Mistake(
            "ties_shared",
            "You share the gradient among equal numbers. Here the first one in reading order gets it all: use argmax.",
            _maxpool2d_backward__ties_shared,
        ),
        Mistake(
            "last_one_wins",
            "Of equal numbers your last one gets the gradient. Here the first one in reading order does: compare with "
            "> and not with >=.",
            _maxpool2d_backward__last_one_wins,
        ),
        Mistake(
            "no_dout",
            "You count how often each pixel wins. Add dout of the window instead of 1.",
            _maxpool2d_backward__no_dout,
        ),
        Mistake(
            "shared_by_the_window",
            "You give every pixel of a window its share. That is average pooling: here only the largest one gets dout.",
            _maxpool2d_backward__shared_by_the_window,
        ),
        Mistake(
            "places_by_kernel",
            "Your windows move by kernel. They move by stride, as in the forward pass.",
            _maxpool2d_backward__places_by_kernel,
        ),
    ),
    other_ways=(
        OtherWay("argmax_by_hand", _maxpool2d_backward__argmax_by_hand),
        OtherWay("all_windows_at_once", _maxpool2d_backward__all_windows_at_once),
    ),
)

EXERCISES = (MAXPOOL2D_BACKWARD,)
