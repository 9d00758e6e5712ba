"""Dropout, judged by statistics of many entries and never by one mask.

Each of n entries is dropped with probability p, on its own. The number of zeros S then has mean n p and variance
V = n p (1 - p), and Bernstein's inequality bounds how often it is far off:

    P(|S - n p| >= 6 sqrt(V)) <= 2 exp(-36 V / 2 / (V + 6 sqrt(V) / 3)) = 2 exp(-18 / (1 + 2 / sqrt(V))).

Cases have V of 95 or more, so a right answer is refused less than once in a million draws; the normal distribution,
which is close here, says twice in a thousand million. Kept entries are compared one by one, without any chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.cases import Case
from course_lib.compare import Tolerance
from course_lib.tree import Tree

Kernels = Mapping[str, Callable[..., Any]]

NEEDS: dict[str, dict[str, str]] = {"dropout_words": {}, "dropout_gradient_words": {}}

AGAIN = ("out of the second call", "out with the same seed")
GRADIENTS = ("dx", "dx of the second call")
_SIGMAS = 6.0
# Wide enough that a wrong answer is called the same whatever it draws.
_MEAN_SLACK = 0.25


def dropout_words(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """What `out` of a training pass looks like beside `x`, in words; in evaluation it is compared by value.

    Reads are called `out`, and `AGAIN` for the entries that are zero in other calls. All entries of `x` are away
    from zero, so that a zero in `out` is a dropped entry.
    """
    if not case.inputs["train"]:
        return seen
    x, p = np.asarray(case.inputs["x"]), float(case.inputs["p"])
    out = _real_array("out", seen["out"])
    masks = {label: _same_zeros(out, _real_array("out", seen[label])) for label in AGAIN if label in seen}
    # Infinity or NaN may come back; it is judged all the same.
    with np.errstate(all="ignore"):
        return {"out": _describe(out, x, p), **masks, **_afterwards(seen, case)}


def _afterwards(seen: Mapping[str, Tree], case: Case) -> dict[str, Tree]:
    """Whether inputs were left alone: a word, where case files would keep a large array for every mistake."""
    labels = [label for label in seen if label.endswith(" afterwards")]
    same = (np.array_equal(seen[label], case.inputs[label.removesuffix(" afterwards")]) for label in labels)
    return {label: messages.DROPOUT_LEFT[int(not kept)] for label, kept in zip(labels, same, strict=True)}


def _describe(out: np.ndarray, x: np.ndarray, p: float) -> dict[str, Tree]:
    same_shape = out.shape == x.shape
    share, kept, mean, drawn = _numbers(out, x, p) if same_shape else (messages.DROPOUT_UNKNOWN,) * 4
    return {
        messages.DROPOUT_SHAPE: messages.DROPOUT_SHAPES[int(not same_shape)],
        messages.DROPOUT_ZEROS: share,
        messages.DROPOUT_KEPT: kept,
        messages.DROPOUT_MEAN: mean,
        messages.DROPOUT_DRAWN: drawn,
        # A number, not a word: its dtype tells whether float32 stayed float32.
        messages.DROPOUT_DROPPED: np.zeros((), out.dtype if out.dtype.kind == "f" else np.float64),
    }


def _numbers(out: np.ndarray, x: np.ndarray, p: float) -> tuple[str, str, str, str]:
    zeros = out == 0
    axis = _shared_axis(zeros)
    if axis is not None:
        # A few dozen draws have any share of zeros: words that depend on chance would hide the mistake.
        drawn = messages.DROPOUT_DRAWS[1].format(axis=axis)
        return messages.DROPOUT_FEW, _kept(out, x, p), messages.DROPOUT_FEW, drawn
    alike = bool(zeros.all() or not zeros.any())
    return _share(zeros, p), _kept(out, x, p), _mean(out, x, p), messages.DROPOUT_DRAWS[2 if alike else 0]


def _shared_axis(zeros: np.ndarray) -> int | None:
    """The first axis along which all entries have the same fate, when others differ."""
    if zeros.all() or not zeros.any():
        return None
    sizes = enumerate(zeros.shape)
    return next((axis for axis, size in sizes if size > 1 and not np.diff(zeros, axis=axis).any()), None)


def _share(zeros: np.ndarray, p: float) -> str:
    """Which share of the entries is zero, within six standard deviations of the binomial distribution."""
    share, reach = zeros.mean(), _SIGMAS * np.sqrt(p * (1 - p) / zeros.size)
    answers = (abs(share - p) <= reach, abs(share - (1 - p)) <= reach, share == 0, share == 1, share < p, True)
    return messages.DROPOUT_SHARES[answers.index(True)]


def _kept(out: np.ndarray, x: np.ndarray, p: float) -> str:
    kept = out != 0
    factors = (1, 1 / (1 - p), 1 - p, 1 / p if p else np.inf, p)
    found = _which(out[kept], x[kept], factors, _rtol(x)) if kept.any() else -1
    return messages.DROPOUT_FACTORS[found]


def _which(received: np.ndarray, plain: np.ndarray, factors: tuple[Any, ...], rtol: float) -> int:
    """The first factor that makes the plain entries the received ones; one more than the last when none does."""
    fits = (np.allclose(received, plain * factor, rtol, 0.0) for factor in factors)
    return next((place for place, fit in enumerate(fits) if fit), len(factors))


def _rtol(x: np.ndarray) -> float:
    return Tolerance.for_dtype(x.dtype).rtol


def _mean(out: np.ndarray, x: np.ndarray, p: float) -> str:
    mean, reach = (out / x).mean(), max(_MEAN_SLACK, _SIGMAS * np.sqrt(p / (1 - p) / x.size))
    return messages.DROPOUT_MEANS[0 if abs(mean - 1) <= reach else 1 + int(mean > 1)]


def _same_zeros(out: np.ndarray, other: np.ndarray) -> str:
    same = out.shape == other.shape and bool(((out == 0) == (other == 0)).all())
    return messages.DROPOUT_MASKS[int(not same)]


def dropout_gradient_words(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """Whether `dx` fits the very `out` of the forward pass, in words; in evaluation it is compared by value.

    Reads are called `out` and as in `GRADIENTS`. All entries of `x` and `dout` are away from zero.
    """
    if not case.inputs["train"]:
        return seen
    x, dout = np.asarray(case.inputs["x"]), np.asarray(case.inputs["dout"])
    out = _real_array("out", seen["out"])
    if out.shape != x.shape:
        raise ValueError(messages.DROPOUT_UNFIT)
    gradients = {label: _real_array("dx", seen[label]) for label in GRADIENTS if label in seen}
    with np.errstate(all="ignore"):
        words = {label: _describe_gradient(dx, dout, out / x) for label, dx in gradients.items()}
    return {**words, **_afterwards(seen, case)}


def _describe_gradient(dx: np.ndarray, dout: np.ndarray, factor: np.ndarray) -> dict[str, Tree]:
    same_shape = dx.shape == dout.shape
    found = (messages.DROPOUT_UNKNOWN,) * 2
    if same_shape:
        found = (_silenced(dx == 0, factor == 0), _passed(dx, dout, float(factor.max())))
    return {
        messages.DROPOUT_SHAPE_OF_DX: messages.DROPOUT_SHAPES_OF_DX[int(not same_shape)],
        messages.DROPOUT_SILENCED: found[0],
        messages.DROPOUT_PASSED: found[1],
        messages.DROPOUT_DROPPED: np.zeros((), dx.dtype if dx.dtype.kind == "f" else np.float64),
    }


def _silenced(zeros: np.ndarray, dropped: np.ndarray) -> str:
    fits = bool((zeros == dropped).all())
    return messages.DROPOUT_SILENCES[0 if fits else 1 + int(not zeros.any())]


def _passed(dx: np.ndarray, dout: np.ndarray, scale: float) -> str:
    through = dx != 0
    factors = (scale, 1.0, scale * scale, 1 / scale if scale else np.inf)
    found = _which(dx[through], dout[through], factors, _rtol(dout)) if through.any() else -1
    return messages.DROPOUT_SCALES[found]


def _real_array(name: str, value: Tree) -> np.ndarray:
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biuf":
        raise ValueError(messages.NO_REAL_ARRAY.format(name=name))
    return np.asarray(value)
