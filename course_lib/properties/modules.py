"""Torch classes, judged by whether they can learn a few examples by heart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_lib import messages
from course_lib.cases import Case
from course_lib.modules import ask
from course_lib.tree import Tree

Kernels = Mapping[str, Callable[..., Any]]

NEEDS: dict[str, dict[str, str]] = {
    "learned_texts": {"TextCNN": "text_net"},
    "learned_images": {"ResNetSmall": "residual_net"},
}


def learned_texts(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """How many of the texts a trained `TextCNN` classifies rightly; everything else is compared by value."""
    return _learned(seen, case, kernels["TextCNN"])


def learned_images(seen: Mapping[str, Tree], case: Case, kernels: Kernels) -> Mapping[str, Tree]:
    """How many of the images a trained `ResNetSmall` classifies rightly; everything else is compared by value."""
    return _learned(seen, case, kernels["ResNetSmall"])


def _learned(seen: Mapping[str, Tree], case: Case, network: Callable[..., Any]) -> Mapping[str, Tree]:
    """The learner's class trained; the reference, given the weights that came out, says what they are worth.

    It answers in training mode, without dropout: batch normalisation then needs nothing but the weights.
    """
    if "trained" not in seen:
        return seen
    net = network(**dict(case.inputs["settings"]))
    ask(net, "load", *_weights(seen["trained"]))
    labels = np.asarray(case.inputs["labels"])
    right = int((ask(net, "outputs", case.inputs["x"], True).argmax(axis=1) == labels).sum())
    words = messages.LEARNED_ALL if right == len(labels) else messages.LEARNED_SOME
    return {**seen, "trained": words.format(count=len(labels))}


def _weights(answer: Tree) -> list[np.ndarray]:
    arrays = [np.asarray(item) for item in answer] if isinstance(answer, (list, tuple)) else []
    if not arrays or any(item.dtype.kind != "f" or not np.isfinite(item).all() for item in arrays):
        raise ValueError(messages.NOT_FINITE.format(name="a trained parameter"))
    return arrays
