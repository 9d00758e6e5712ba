"""Dropped branches, judged by what many examples get and never by one draw.

Of n examples each loses its branch with probability p, on its own. Six standard deviations of the binomial
distribution are allowed, as for dropout (see there for the bound); what an example gets is compared number by number.
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

NEEDS: dict[str, dict[str, str]] = {"stochastic_depth_words": {}}

AGAIN = ("out of the second call", "out with the same seed")
_SIGMAS = 6.0


def stochastic_depth_words(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """What `out` of a pass that draws looks like beside `x` and `f`, in words; all else is compared by value.

    Reads are called `out`, and `AGAIN` for the branches that other calls drop. No entry of `f` is near zero, so that an
    example that equals `x` has lost its branch.
    """
    given = case.inputs
    if "rng" not in given or given["rng"] is None or not given["train"] or not given["p"]:
        return seen
    x, f, p = np.asarray(given["x"]), np.asarray(given["f"]), float(given["p"])
    outs = {label: _real_array(value) for label, value in seen.items() if label == "out" or label in AGAIN}
    # Infinity or NaN may come back; it is judged all the same.
    with np.errstate(all="ignore"):
        return {"out": _describe(outs, x, f, p), **_afterwards(seen, given)}


def _describe(outs: Mapping[str, np.ndarray], x: np.ndarray, f: np.ndarray, p: float) -> dict[str, Tree]:
    out, fits = outs["out"], all(out.shape == x.shape for out in outs.values())
    words: dict[str, Tree] = {messages.DEPTH_SHAPE: messages.DEPTH_SHAPES[int(not fits)]}
    if not fits:
        return words
    lost = {label: _whole(array, x) for label, array in outs.items()}
    as_asked = lost["out"] | _whole(out, x + f / (1 - p))
    words[messages.DEPTH_EXAMPLES] = messages.DEPTH_VALUES[int(not as_asked.all())]
    words[messages.DEPTH_DROPPED] = messages.DEPTH_SHARES[_share(lost["out"], p)]
    for label in AGAIN:
        if label in lost and _share(lost["out"], p) != 4:
            same = bool((lost[label] == lost["out"]).all())
            words[messages.DEPTH_AGAIN.format(label=label)] = messages.DEPTH_FATES[int(same)]
    # A number, not a word: its dtype tells whether float32 stayed float32.
    return {**words, messages.DEPTH_DTYPE: np.zeros((), out.dtype if out.dtype.kind == "f" else np.float64)}


def _whole(out: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which examples are what is wanted, with all their entries."""
    tolerance = Tolerance.for_dtype(wanted.dtype)
    close = np.isclose(out, wanted, tolerance.rtol, tolerance.atol)
    return close.reshape(len(close), -1).all(axis=1)


def _share(lost: np.ndarray, p: float) -> int:
    share, reach = lost.mean(), _SIGMAS * np.sqrt(p * (1 - p) / lost.size)
    answers = (abs(share - p) <= reach, abs(share - (1 - p)) <= reach)
    return 4 if share in (0, 1) else (*answers, share < p, True).index(True)


def _afterwards(seen: Mapping[str, Tree], given: Mapping[str, Tree]) -> dict[str, Tree]:
    """Whether inputs were left alone: a word, where case files would keep a large array for every mistake."""
    labels = [label for label in seen if label.endswith(" afterwards")]
    same = (np.array_equal(seen[label], given[label.removesuffix(" afterwards")]) for label in labels)
    return {label: messages.DROPOUT_LEFT[int(not kept)] for label, kept in zip(labels, same, strict=True)}


def _real_array(value: Tree) -> np.ndarray:
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biuf":
        raise ValueError(messages.NO_REAL_ARRAY.format(name="out"))
    return np.asarray(value)
