"""Data augmentation: images moved and mirrored."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, call_case

# Case id to ((images, channels, height, width), shifts, flips); None stands for drawn ones.
_IMAGES = {
    "four images": ((4, 1, 4, 5), None, None),
    "several channels": ((3, 3, 5, 4), None, None),
    "nothing moves": ((2, 1, 3, 4), [[0, 0], [0, 0]], [False, False]),
    "only mirrored": ((2, 2, 3, 4), [[0, 0], [0, 0]], [True, False]),
    "up and left": ((2, 1, 4, 4), [[-1, -2], [-2, -1]], [False, True]),
    "float32": ((3, 1, 3, 5), None, None),
}
_SECRET_IMAGES = _IMAGES | {
    "five images": ((5, 2, 5, 6), None, None),
    "one image": ((1, 1, 4, 3), [[2, -1]], [True]),
    "one row": ((2, 1, 1, 5), [[0, 2], [0, -3]], [True, False]),
    "one column": ((2, 1, 4, 1), [[1, 0], [-2, 0]], [False, True]),
    "moved to the border": ((2, 1, 3, 4), [[2, -3], [-2, 3]], [True, False]),
}


def _augment_shift_flip_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for name, (sizes, shifts, flips) in (_IMAGES if public else _SECRET_IMAGES).items():
        drawn = _moves(rng, *sizes) if shifts is None else (np.array(shifts), np.array(flips))
        x = draw(rng, *sizes, dtype="float32" if name == "float32" else "float64")
        inputs = {"x": x, "shifts": drawn[0], "flips": drawn[1]}
        cases.append(call_case(name, "augment_shift_flip", inputs))
    return tuple(cases)


def _moves(rng: np.random.Generator, n: int, _c: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Shifts that differ between images and between the axes, none of them 0; the first image is always mirrored."""
    rows, columns = rng.integers(1, height - 1, n), rng.integers(1, width - 1, n)
    rows, columns = rows * (-1) ** np.arange(n), columns * -((-1) ** (np.arange(n) // 2))
    return np.column_stack([rows, columns]), np.arange(n) % 2 == 0


def _augment_shift_flip__wraps_around(x, shifts, flips):
    out = np.where(flips[:, None, None, None], x[..., ::-1], x)
    return np.stack([np.roll(image, tuple(shift), axis=(1, 2)) for image, shift in zip(out, shifts, strict=True)])


def _augment_shift_flip__repeats_the_border(x, shifts, flips):
    out = np.where(flips[:, None, None, None], x[..., ::-1], x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        rows, columns = (np.arange(h) - down).clip(0, h - 1), (np.arange(w) - right).clip(0, w - 1)
        out[n] = out[n][:, rows][:, :, columns]
    return out


def _augment_shift_flip__axes_swapped(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (right, down) in enumerate(shifts):
        image = x[n, :, :, ::-1] if flips[n] else x[n]
        for i in range(max(0, down), min(h, h + down)):
            for j in range(max(0, right), min(w, w + right)):
                out[n, :, i, j] = image[:, i - down, j - right]
    return out


def _augment_shift_flip__other_direction(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(-shifts):
        image = x[n, :, :, ::-1] if flips[n] else x[n]
        padded = np.pad(image, ((0, 0), (h, h), (w, w)))
        out[n] = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
    return out


def _augment_shift_flip__upside_down(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        image = x[n, :, ::-1] if flips[n] else x[n]
        padded = np.pad(image, ((0, 0), (h, h), (w, w)))
        out[n] = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
    return out


def _augment_shift_flip__shift_first(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        padded = np.pad(x[n], ((0, 0), (h, h), (w, w)))
        moved = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
        out[n] = moved[:, :, ::-1] if flips[n] else moved
    return out


def _augment_shift_flip__one_shift_for_all(x, shifts, flips):
    h, w = x.shape[2:]
    down, right = shifts[0]
    image = np.where(flips[:, None, None, None], x[..., ::-1], x)
    padded = np.pad(image, ((0, 0), (0, 0), (h, h), (w, w)))
    return padded[:, :, h - down : 2 * h - down, w - right : 2 * w - right]


def _augment_shift_flip__all_mirrored(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        image = x[n, :, :, ::-1] if flips.any() else x[n]
        padded = np.pad(image, ((0, 0), (h, h), (w, w)))
        out[n] = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
    return out


def _augment_shift_flip__not_mirrored(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        padded = np.pad(x[n], ((0, 0), (h, h), (w, w)))
        out[n] = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
    return out


def _augment_shift_flip__changes_input(x, shifts, flips):
    x[flips] = x[flips][..., ::-1]
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        padded = np.pad(x[n], ((0, 0), (h, h), (w, w)))
        out[n] = padded[:, h - down : 2 * h - down, w - right : 2 * w - right]
    return out


def _augment_shift_flip__slices(x, shifts, flips):
    out = np.zeros_like(x)
    h, w = x.shape[2:]
    for n, (down, right) in enumerate(shifts):
        image = x[n, :, :, ::-1] if flips[n] else x[n]
        to = slice(max(0, down), h + min(0, down)), slice(max(0, right), w + min(0, right))
        of = slice(max(0, -down), h - max(0, down)), slice(max(0, -right), w - max(0, right))
        out[n][:, to[0], to[1]] = image[:, of[0], of[1]]
    return out


def _augment_shift_flip__roll_and_wipe(x, shifts, flips):
    out = np.where(flips[:, None, None, None], np.flip(x, axis=3), x)
    for n, (down, right) in enumerate(shifts):
        out[n] = np.roll(out[n], (down, right), axis=(1, 2))
        out[n, :, :down] = 0 if down > 0 else out[n, :, :down]
        out[n, :, :, :right] = 0 if right > 0 else out[n, :, :, :right]
        if down < 0:
            out[n, :, down:] = 0
        if right < 0:
            out[n, :, :, right:] = 0
    return out


def _augment_shift_flip__matrices(x, shifts, flips):
    # Moving rows is a product with a shifted identity from the left, moving columns one from the right.
    h, w = x.shape[2:]
    down = np.stack([np.eye(h, k=-int(by), dtype=x.dtype) for by in shifts[:, 0]])
    right = np.stack([np.eye(w, k=int(by), dtype=x.dtype) for by in shifts[:, 1]])
    mirror = np.stack([np.eye(w, dtype=x.dtype)[:, :: -1 if flip else 1] for flip in flips])
    return np.einsum("nij,ncjk,nkl,nlm->ncim", down, x, mirror, right)


AUGMENT_SHIFT_FLIP = Exercise(
    id="augment_shift_flip",
    topic="augmentation",
    points=4,
    cases=_augment_shift_flip_cases,
    mistakes=(
        Mistake(
            "wraps_around",
            "What leaves the image on one side comes back on the other, as np.roll does it. Zeros should move in: fill "
            "those rows and columns with 0.",
            _augment_shift_flip__wraps_around,
        ),
        Mistake(
            "repeats_the_border",
            "The border is repeated where the image has moved away. Zeros should move in there.",
            _augment_shift_flip__repeats_the_border,
        ),
        Mistake(
            "axes_swapped",
            "The two shifts are the wrong way round. shifts[:, 0] moves rows down, shifts[:, 1] moves columns right.",
            _augment_shift_flip__axes_swapped,
        ),
        Mistake(
            "other_direction",
            "Your images move up and left. A positive shift moves down and right: out[i, j] is image[i - down, "
            "j - right].",
            _augment_shift_flip__other_direction,
        ),
        Mistake(
            "upside_down",
            "Your images are turned upside down. Mirror left to right, along the last axis: x[..., ::-1].",
            _augment_shift_flip__upside_down,
        ),
        Mistake(
            "shift_first",
            "You shift first and mirror after, so that a shift to the right goes left. Mirror first, then shift.",
            _augment_shift_flip__shift_first,
        ),
        Mistake(
            "one_shift_for_all",
            "All images move by the first shift. Each image has a row of shifts of its own.",
            _augment_shift_flip__one_shift_for_all,
        ),
        Mistake(
            "all_mirrored",
            "You mirror all images as soon as one is to be mirrored. Look at flips[n] for each image.",
            _augment_shift_flip__all_mirrored,
        ),
        Mistake(
            "not_mirrored",
            "No image is mirrored. Mirror those whose entry in flips is True, along the last axis.",
            _augment_shift_flip__not_mirrored,
        ),
        Mistake(
            "changes_input",
            "Your values are right, but the images in x are changed. Make a copy before you mirror: out = x.copy().",
            _augment_shift_flip__changes_input,
        ),
    ),
    other_ways=(
        OtherWay("slices", _augment_shift_flip__slices),
        OtherWay("roll_and_wipe", _augment_shift_flip__roll_and_wipe),
        OtherWay("matrices", _augment_shift_flip__matrices),
    ),
)

EXERCISES = (AUGMENT_SHIFT_FLIP,)
