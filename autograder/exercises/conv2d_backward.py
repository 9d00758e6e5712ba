"""Exercise on the backward pass of a convolution (topic `conv2d`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from autograder.exercises._images import Sizes, layer_inputs, rows
from autograder.exercises._passes import forward_then_backward
from course_lib.cases import Case

# Below, a cache is that of the reference, or (x, w, b, stride, padding) as the lesson's answer keeps it.


def _conv2d_backward_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    named = rows(public).items()
    cases = [_one_case(rng, name, sizes) for name, sizes in named if name != "as many filters as columns"]
    return (*cases, _one_case(rng, "called twice", Sizes(2, 1, 3, 4, 2, 2, 2, padding=1), twice=True))


def _one_case(rng: np.random.Generator, name: str, sizes: Sizes, *, twice: bool = False) -> Case:
    inputs = layer_inputs(rng, name, sizes)
    n, _, h, w, k, kh, kw, stride, padding = sizes
    ho, wo = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    inputs["dout"] = draw(rng, n, k, ho, wo, dtype="float32" if "float32" in name else "float64")
    return forward_then_backward(name, "conv2d", inputs, twice=twice)


def _conv2d_backward__overwritten(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] = np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw, dout.sum(axis=(0, 2, 3))


def _conv2d_backward__border_not_cut_off(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, :h, :width], dw, dout.sum(axis=(0, 2, 3))


def _conv2d_backward__cut_with_minus_padding(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    ho, wo = dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p:-p, p:-p], dw, dout.sum(axis=(0, 2, 3))


def _conv2d_backward__places_without_stride(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + ho), slice(v, v + wo)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw, dout.sum(axis=(0, 2, 3))


def _conv2d_backward__flipped(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, ::-1, ::-1][:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw, dout.sum(axis=(0, 2, 3))


def _conv2d_backward__mean_over_batch(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw / len(x), dout.sum(axis=(0, 2, 3)) / len(x)


def _conv2d_backward__kernel_mean(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw / len(x), dout.sum(axis=(0, 2, 3))


def _conv2d_backward__bias_mean(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw, dout.mean(axis=(0, 2, 3))


def _conv2d_backward__bias_over_batch_only(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("nkij,ncij->kc", dout, padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw, dout.sum(axis=0)


def _conv2d_backward__last_image_only(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    (h, width), (ho, wo) = x.shape[2:], dout.shape[2:]
    for u, v in np.ndindex(w.shape[2:]):
        rows, columns = slice(u, u + s * (ho - 1) + 1, s), slice(v, v + s * (wo - 1) + 1, s)
        dw[:, :, u, v] = np.einsum("kij,cij->kc", dout[-1], padded[-1][:, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nkij,kc->ncij", dout, w[:, :, u, v])
    return dpadded[:, :, p : p + h, p : p + width], dw, dout.sum(axis=(0, 2, 3))


def _conv2d_backward__window_by_window(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    kh, kw = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros_like(b)
    for n, k, i, j in np.ndindex(dout.shape):
        place = np.s_[n, :, i * s : i * s + kh, j * s : j * s + kw]
        dpadded[place] += dout[n, k, i, j] * w[k]
        dw[k] += dout[n, k, i, j] * padded[place]
        db[k] += dout[n, k, i, j]
    return dpadded[:, :, p : p + x.shape[2], p : p + x.shape[3]], dw, db


def _conv2d_backward__full_convolution(dout, cache):
    x, w, b, *rest = cache
    s, p = rest if len(rest) == 2 else (rest[0].stride[0], rest[0].padding[0])
    (n, _, h, width), (k, _, kh, kw) = x.shape, w.shape
    spread = np.zeros((n, k, h + 2 * p + kh - 1, width + 2 * p + kw - 1), dtype=dout.dtype)
    ho, wo = dout.shape[2:]
    spread[:, :, kh - 1 : kh + s * (ho - 1) : s, kw - 1 : kw + s * (wo - 1) : s] = dout
    views = np.lib.stride_tricks.sliding_window_view(spread, (kh, kw), axis=(2, 3))
    dx = np.einsum("nkijuv,kcuv->ncij", views, w[:, :, ::-1, ::-1])[:, :, p : p + h, p : p + width]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::s, ::s]
    return dx, np.einsum("ncijuv,nkij->kcuv", seen, dout), np.einsum("nkij->k", dout)


CONV2D_BACKWARD = Exercise(
    id="conv2d_backward",
    topic="conv2d",
    points=4,
    cases=_conv2d_backward_cases,
    uses=("conv2d_forward",),
    mistakes=(
        Mistake(
            "overwritten",
            "Windows overlap, so a pixel gets gradients from several of them. Add them up: +=, not =.",
            _conv2d_backward__overwritten,
        ),
        Mistake(
            "border_not_cut_off",
            "The shape of dx is right, but you kept the upper left corner of the padded gradient. The image starts at "
            "row and column padding: cut off that border.",
            _conv2d_backward__border_not_cut_off,
        ),
        Mistake(
            "cut_with_minus_padding",
            "With padding 0 the slice padding:-padding is empty. Write padding : padding + H instead.",
            _conv2d_backward__cut_with_minus_padding,
        ),
        Mistake(
            "places_without_stride",
            "Your gradients go to windows that move by 1. The window of output (i, j) starts at row i * stride and "
            "column j * stride, on the way back too.",
            _conv2d_backward__places_without_stride,
        ),
        Mistake(
            "flipped",
            "dw and db are right, but you add flipped kernels into dx. Each window gets dout times the kernel as it "
            "lies; the flip belongs only to the form with a full convolution.",
            _conv2d_backward__flipped,
        ),
        Mistake(
            "mean_over_batch",
            "You divide dw and db by the batch size. The mean is in the loss, and so in dout already: only sum here.",
            _conv2d_backward__mean_over_batch,
        ),
        Mistake(
            "kernel_mean",
            "dx and db are right, but you divide dw by the batch size. The mean is in the loss, and so in dout "
            "already: add up dw over the images and leave it at that.",
            _conv2d_backward__kernel_mean,
        ),
        Mistake(
            "bias_mean",
            "You average dout for db. The bias is added at every place of every image: sum over axes 0, 2 and 3.",
            _conv2d_backward__bias_mean,
        ),
        Mistake(
            "bias_over_batch_only",
            "db still has one number per place. All places share the bias of their filter: sum over axes 0, 2 and 3.",
            _conv2d_backward__bias_over_batch_only,
        ),
        Mistake(
            "last_image_only",
            "dw holds the gradient of the last image only. All images use the same filters: add over the batch.",
            _conv2d_backward__last_image_only,
        ),
    ),
    other_ways=(
        OtherWay("window_by_window", _conv2d_backward__window_by_window),
        OtherWay("full_convolution", _conv2d_backward__full_convolution),
    ),
)

EXERCISES = (CONV2D_BACKWARD,)
