"""Looks of lessons 06, 08 and 09 with what their lessons' networks learned, for pages where nothing is trained.

`static/recorded.json` holds it; `python -m benchmarks.recorded_looks` writes it from the solved notebooks.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import numpy as np

from course_lib.widgets._base import STATIC
from course_lib.widgets._text_model import TextModel
from course_lib.widgets.digit_pad import DigitPad
from course_lib.widgets.residual import BlockRemoval
from course_lib.widgets.text_cnn import FlipTheAnswer, PaddingMask, SentenceProbe, WidthsAndDropout

PATH = STATIC / "recorded.json"


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """Return class name of a look to what was recorded for it."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def digit_pad() -> DigitPad:
    """Return the pad with the convolutional network of lesson 06, and nothing drawn yet."""
    return DigitPad([_row(**layer) for layer in recorded()["DigitPad"]["layers"]])


def block_removal() -> BlockRemoval:
    """Return the bars of the two networks of lesson 08."""
    return BlockRemoval(**recorded()["BlockRemoval"])


def sentence_probe() -> SentenceProbe:
    """Return the probe at the reader of lesson 09."""
    state = {**recorded()["SentenceProbe"]}
    del state["network"]
    return SentenceProbe(text_model(), **state)


def flip_the_answer() -> FlipTheAnswer:
    """Return the same reader with a sentence to flip."""
    return FlipTheAnswer(text_model(), length=recorded()["SentenceProbe"]["length"], **recorded()["FlipTheAnswer"])


def padding_mask() -> PaddingMask:
    """Return the same reader with the sentence for which the mask matters most."""
    return PaddingMask(text_model(), **recorded()["PaddingMask"])


def widths_and_dropout() -> WidthsAndDropout:
    """Return the twelve trainings of lesson 09."""
    state = recorded()["WidthsAndDropout"]
    runs = {(tuple(run["widths"]), run["p"]): {k: run[k] for k in ("validation", "train")} for run in state["runs"]}
    return WidthsAndDropout(runs, measure=state["measure"])


@cache
def text_model() -> TextModel:
    """Return the text CNN that lesson 09 trained."""
    page = recorded()["SentenceProbe"]["network"]
    vocab = {word: number for number, word in enumerate(page["words"])}
    size, groups, classes = page["size"], page["groups"], page["classes"]
    filters = [_floats(group["w"], (group["count"], size, group["width"])) for group in groups]
    biases = [_floats(group["b"], (group["count"],)) for group in groups]
    dense = _floats(page["w"], (len(classes), sum(group["count"] for group in groups)))
    embedding = _floats(page["embedding"], (len(vocab), size))
    return TextModel(vocab, classes, embedding, filters, biases, dense, _floats(page["b"], (len(classes),)))


def _floats(text: str, shape: tuple[int, ...], kind: str = "<f4") -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind).reshape(shape).copy()  # Torch wants to own it


def _row(kind: str, **values: Any) -> tuple[Any, ...]:
    """Undo what `DigitPad` does to a layer before it travels; weights come back as float64."""
    arrays = {name: value for name, value in values.items() if isinstance(value, dict)}
    unpacked = {name: _floats(value["data"], tuple(value["shape"]), "<f8") for name, value in arrays.items()}
    return (kind, *{**values, **unpacked}.values())
