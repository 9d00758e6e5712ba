"""Exercises on the convolution over words, forward and backward."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case, call_case

# Case id to (N, L, D, M, width).
_PUBLIC = {
    "7 words, width 3": (1, 7, 2, 3, 3),
    "two texts": (2, 6, 3, 4, 2),
    "width 1": (2, 4, 3, 2, 1),
    "as wide as the text": (2, 4, 3, 2, 4),
    "one number per word": (1, 6, 1, 1, 3),
    "float32": (2, 5, 3, 2, 3),
}
_SECRET = _PUBLIC | {
    "7 words, width 3": (1, 7, 4, 2, 3),
    "three texts": (3, 8, 2, 3, 4),
    "one filter": (2, 6, 4, 1, 3),
    "as many words as filters": (3, 3, 3, 3, 2),
    "all sizes one": (1, 1, 1, 1, 1),
}


def _arrays(rng: np.random.Generator, name: str, sizes: tuple[int, ...]) -> dict[str, np.ndarray]:
    n, words, depth, filters, width = sizes
    shapes = {"x": (n, words, depth), "w": (filters, depth, width), "b": (filters,)}
    dtype = "float32" if name == "float32" else "float64"
    return {key: draw(rng, *shape, dtype=dtype) for key, shape in shapes.items()}


def _conv1d_forward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return tuple(
        call_case(name, "conv1d_forward", _arrays(rng, name, sizes), item=0)
        for name, sizes in (_PUBLIC if public else _SECRET).items()
    )


def _conv1d_forward__flipped(x, w, b):
    places = x.shape[1] - w.shape[2] + 1
    turned = w[:, :, ::-1]
    out = sum(x[:, j : j + places] @ turned[:, :, j].T for j in range(w.shape[2])) + b
    return out, (x, w, b)


def _conv1d_forward__no_bias(x, w, b):
    places = x.shape[1] - w.shape[2] + 1
    return sum(x[:, j : j + places] @ w[:, :, j].T for j in range(w.shape[2])), (x, w, b)


def _conv1d_forward__bias_per_word(x, w, b):
    places, width = x.shape[1] - w.shape[2] + 1, w.shape[2]
    return sum(x[:, j : j + places] @ w[:, :, j].T + b for j in range(width)), (x, w, b)


def _conv1d_forward__last_window_left_out(x, w, b):
    places = x.shape[1] - w.shape[2]
    out = np.zeros((len(x), places, len(w)), dtype=x.dtype) + b
    for j in range(w.shape[2]):
        out += x[:, j : j + places] @ w[:, :, j].T
    return out, (x, w, b)


def _conv1d_forward__as_long_as_the_text(x, w, b):
    width = w.shape[2]
    padded = np.pad(x, ((0, 0), (0, width - 1), (0, 0)))
    out = sum(padded[:, j : j + x.shape[1]] @ w[:, :, j].T for j in range(width)) + b
    return out, (x, w, b)


def _conv1d_forward__windows_side_by_side(x, w, b):
    width = w.shape[2]
    places = x.shape[1] // width
    out = sum(x[:, j : places * width : width] @ w[:, :, j].T for j in range(width)) + b
    return out, (x, w, b)


def _conv1d_forward__axes_mixed(x, w, b):
    places, width = x.shape[1] - w.shape[2] + 1, w.shape[2]
    rows = np.stack([x[:, i : i + width].reshape(len(x), -1) for i in range(places)], axis=1)
    return rows @ w.reshape(len(w), -1).T + b, (x, w, b)


def _conv1d_forward__filters_first(x, w, b):
    places = x.shape[1] - w.shape[2] + 1
    out = sum(x[:, j : j + places] @ w[:, :, j].T for j in range(w.shape[2])) + b
    return out.transpose(0, 2, 1), (x, w, b)


def _conv1d_forward__windows_as_rows(x, w, b):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2], axis=1)
    rows = windows.reshape(*windows.shape[:2], -1)
    return rows @ w.reshape(len(w), -1).T + b, (x, w, b)


def _conv1d_forward__filter_by_filter(x, w, b):
    n, words, _ = x.shape
    out = np.empty((n, words - w.shape[2] + 1, len(w)), dtype=x.dtype)
    for text, place, m in np.ndindex(out.shape):
        out[text, place, m] = (x[text, place : place + w.shape[2]] * w[m].T).sum() + b[m]
    return out, (x, w, b)


def _conv1d_forward__einsum(x, w, b):
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2], axis=1)
    return np.einsum("nldj,mdj->nlm", windows, w) + b, (x, w, b)


CONV1D_FORWARD = Exercise(
    id="conv1d_forward",
    topic="conv1d",
    points=3,
    cases=_conv1d_forward_cases,
    mistakes=(
        Mistake(
            "flipped",
            "Your filters run backwards: the first word of a window meets the last column of the filter. Deep learning "
            "does not flip: word l + j meets w[:, :, j].",
            _conv1d_forward__flipped,
        ),
        Mistake("no_bias", "The bias b is missing. Add it to every window's answers.", _conv1d_forward__no_bias),
        Mistake(
            "bias_per_word",
            "You add the bias once for every word of the window. Add it once per window, after the sum.",
            _conv1d_forward__bias_per_word,
        ),
        Mistake(
            "last_window_left_out",
            "The last window is missing. L words have L - width + 1 windows: 7 words and width 3 give 5.",
            _conv1d_forward__last_window_left_out,
        ),
        Mistake(
            "as_long_as_the_text",
            "Your windows run past the end of the text. Only windows that fit count: L - width + 1 of them.",
            _conv1d_forward__as_long_as_the_text,
        ),
        Mistake(
            "windows_side_by_side",
            "Your windows do not overlap. Move on by one word, not by the width.",
            _conv1d_forward__windows_side_by_side,
        ),
        Mistake(
            "axes_mixed",
            "Windows and filters are flattened in another order: a window is (width, D), a filter (D, width). Bring "
            "both into the same order before you multiply.",
            _conv1d_forward__axes_mixed,
        ),
        Mistake(
            "filters_first",
            "Your result is (N, M, places). In this course it is (N, places, M), as the text is (N, L, D).",
            _conv1d_forward__filters_first,
        ),
    ),
    other_ways=(
        OtherWay("windows_as_rows", _conv1d_forward__windows_as_rows),
        OtherWay("filter_by_filter", _conv1d_forward__filter_by_filter),
        OtherWay("einsum", _conv1d_forward__einsum),
    ),
)


def _conv1d_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_backward(rng, name, sizes) for name, sizes in (_PUBLIC if public else _SECRET).items()]
    return (*cases, _one_backward(rng, "called twice", (2, 5, 2, 3, 2), twice=True))


def _one_backward(rng: np.random.Generator, name: str, sizes: tuple[int, ...], *, twice: bool = False) -> Case:
    n, words, _, filters, width = sizes
    inputs = _arrays(rng, name, sizes)
    inputs["dout"] = draw(rng, n, words - width + 1, filters).astype(inputs["x"].dtype)
    return forward_then_backward(name, "conv1d", inputs, twice=twice)


def _conv1d_backward__overlap_overwritten(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for j in range(w.shape[2]):
        dx[:, j : j + places] = dout @ w[:, :, j]
        dw[:, :, j] = np.einsum("nlm,nld->md", dout, x[:, j : j + places])
    return dx, dw, dout.sum(axis=(0, 1))


def _conv1d_backward__windows_overwritten(dout, cache):
    x, w = cache[:2]
    dx, dw, width = np.zeros_like(x), np.zeros_like(w), w.shape[2]
    for place in range(dout.shape[1]):
        dx[:, place : place + width] = np.einsum("nm,mdj->njd", dout[:, place], w)
        dw += np.einsum("nm,njd->mdj", dout[:, place], x[:, place : place + width])
    return dx, dw, dout.sum(axis=(0, 1))


def _conv1d_backward__flipped_filters(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for j in range(w.shape[2]):
        dx[:, j : j + places] += dout @ w[:, :, -1 - j]
        dw[:, :, j] = np.einsum("nlm,nld->md", dout, x[:, j : j + places])
    return dx, dw, dout.sum(axis=(0, 1))


def _conv1d_backward__flipped_gradient(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for j in range(w.shape[2]):
        dx[:, j : j + places] += dout @ w[:, :, j]
        dw[:, :, -1 - j] = np.einsum("nlm,nld->md", dout, x[:, j : j + places])
    return dx, dw, dout.sum(axis=(0, 1))


def _conv1d_backward__one_window_only(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for place in range(places):
        window = x[:, place : place + w.shape[2]]
        dx[:, place : place + w.shape[2]] += np.einsum("nm,mdj->njd", dout[:, place], w)
        dw = np.einsum("nm,njd->mdj", dout[:, place], window)
    return dx, dw, dout.sum(axis=(0, 1))


def _conv1d_backward__bias_keeps_the_places(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for j in range(w.shape[2]):
        dx[:, j : j + places] += dout @ w[:, :, j]
        dw[:, :, j] = np.einsum("nlm,nld->md", dout, x[:, j : j + places])
    return dx, dw, dout.sum(axis=0)


def _conv1d_backward__bias_averaged(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for j in range(w.shape[2]):
        dx[:, j : j + places] += dout @ w[:, :, j]
        dw[:, :, j] = np.einsum("nlm,nld->md", dout, x[:, j : j + places])
    return dx, dw, dout.mean(axis=(0, 1))


def _conv1d_backward__mean_over_texts(dout, cache):
    x, w = cache[:2]
    dx, dw, places = np.zeros_like(x), np.zeros_like(w), dout.shape[1]
    for j in range(w.shape[2]):
        dx[:, j : j + places] += dout @ w[:, :, j]
        dw[:, :, j] = np.einsum("nlm,nld->md", dout, x[:, j : j + places])
    return dx, dw / len(x), dout.sum(axis=(0, 1)) / len(x)


def _conv1d_backward__windows_as_rows(dout, cache):
    x, w = cache[:2]
    n, places, filters = dout.shape
    width, depth = w.shape[2], w.shape[1]
    rows = np.stack([x[:, i : i + width].reshape(n, -1) for i in range(places)], axis=1)
    dw = np.einsum("nlm,nlk->mk", dout, rows).reshape(filters, width, depth).swapaxes(1, 2)
    windows = (dout @ w.swapaxes(1, 2).reshape(filters, -1)).reshape(n, places, width, depth)
    dx = np.zeros_like(x)
    for i in range(places):
        dx[:, i : i + width] += windows[:, i]
    return dx, np.ascontiguousarray(dw), dout.sum(axis=(0, 1))


def _conv1d_backward__padded_dout(dout, cache):
    x, w = cache[:2]
    width = w.shape[2]
    views = np.lib.stride_tricks.sliding_window_view
    padded = np.pad(dout, ((0, 0), (width - 1, width - 1), (0, 0)))
    dx = np.einsum("nlmj,mdj->nld", views(padded, width, axis=1), w[:, :, ::-1])
    dw = np.einsum("njdl,nlm->mdj", views(x, dout.shape[1], axis=1), dout)
    return dx, dw, np.einsum("nlm->m", dout)


def _conv1d_backward__number_by_number(dout, cache):
    x, w = cache[:2]
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(len(w), dtype=w.dtype)
    for (n, place, m), slope in np.ndenumerate(dout):
        dx[n, place : place + w.shape[2]] += slope * w[m].T
        dw[m] += slope * x[n, place : place + w.shape[2]].T
        db[m] += slope
    return dx, dw, db


CONV1D_BACKWARD = Exercise(
    id="conv1d_backward",
    topic="conv1d",
    points=4,
    cases=_conv1d_backward_cases,
    mistakes=(
        Mistake(
            "overlap_overwritten",
            "Where windows overlap, your dx keeps the last gradient only. A word lies in several windows: add with +=.",
            _conv1d_backward__overlap_overwritten,
        ),
        Mistake(
            "windows_overwritten",
            "Each window writes over what the one before left in dx. A word lies in several windows, and all their "
            "gradients count: add with +=.",
            _conv1d_backward__windows_overwritten,
        ),
        Mistake(
            "flipped_filters",
            "Your dx uses the filters backwards. Word l + j met w[:, :, j] on the way forward, and its gradient comes "
            "back through the same numbers.",
            _conv1d_backward__flipped_filters,
        ),
        Mistake(
            "flipped_gradient",
            "The columns of your dw run backwards. dw[:, :, j] belongs to the words l + j.",
            _conv1d_backward__flipped_gradient,
        ),
        Mistake(
            "one_window_only",
            "Your dw holds the last window only. The filter was used at every place: add up over all of them.",
            _conv1d_backward__one_window_only,
        ),
        Mistake(
            "bias_keeps_the_places",
            "db still has an axis for the places. There is one bias per filter: sum dout over texts and places.",
            _conv1d_backward__bias_keeps_the_places,
        ),
        Mistake(
            "bias_averaged",
            "You average for db. The bias was added at every place, so its gradients add up: use sum, not mean.",
            _conv1d_backward__bias_averaged,
        ),
        Mistake(
            "mean_over_texts",
            "You divide dw and db by the number of texts. If the loss is a mean, dout holds that already: only add.",
            _conv1d_backward__mean_over_texts,
        ),
    ),
    other_ways=(
        OtherWay("windows_as_rows", _conv1d_backward__windows_as_rows),
        OtherWay("padded_dout", _conv1d_backward__padded_dout),
        OtherWay("number_by_number", _conv1d_backward__number_by_number),
    ),
    uses=("conv1d_forward",),
)

EXERCISES = (CONV1D_FORWARD, CONV1D_BACKWARD)
