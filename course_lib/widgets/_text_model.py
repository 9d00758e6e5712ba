"""A trained text CNN as the looks of lesson 09 carry it: a vocabulary, classes and weights, in float32.

What enters: arrays, or a Torch module. What leaves: JSON for the page, which computes the forward pass itself, and
probabilities for the still pictures, which come from Torch's convolution.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

PAD, UNKNOWN = "<pad>", "<unk>"
_ORDER = (
    "TextModel.from_torch found parameters of shapes {shapes}; expected in this order: embedding (V, D), "
    "weight (M, D, width) and bias (M,) of each width, dense weight (C, sum of all M), dense bias (C,)."
)
_VOCAB = "TextModel needs a vocab with the numbers 0 to {last}, one word each, '<pad>' for 0 and '<unk>' for 1."


@dataclass(frozen=True, eq=False)
class TextModel:
    """A text CNN: embedding, filters of several widths, ReLU, maximum over time, one dense layer.

    Args:
        vocab: word to number, as `build_vocab` returns: ``<pad>`` is 0, ``<unk>`` is 1, V words in all.
        classes: C names.
        embedding: one vector per word, (V, D).
        filters: for each width an array (M, D, width); M and width may differ.
        biases: for each width an array (M,).
        w: weights of the dense layer, (C, sum of all M).
        b: biases of the dense layer, (C,).

    Raises:
        ValueError: a shape does not fit the others, a number is not finite, or the vocabulary has gaps.
    """

    vocab: Mapping[str, int]
    classes: Sequence[str]
    embedding: np.ndarray
    filters: Sequence[np.ndarray]
    biases: Sequence[np.ndarray]
    w: np.ndarray
    b: np.ndarray

    def __post_init__(self) -> None:
        for name in ("embedding", "w", "b"):
            object.__setattr__(self, name, _array(name, getattr(self, name)))
        for name in ("filters", "biases"):
            object.__setattr__(self, name, tuple(_array(name, part) for part in getattr(self, name)))
        object.__setattr__(self, "classes", tuple(str(name) for name in self.classes))
        self._check_shapes()
        words = sorted(self.vocab, key=self.vocab.__getitem__)
        numbers = [self.vocab[word] for word in words]
        if numbers != list(range(len(self.embedding))) or words[:2] != [PAD, UNKNOWN]:
            raise ValueError(_VOCAB.format(last=len(self.embedding) - 1))

    def _check_shapes(self) -> None:
        if self.embedding.ndim != 2 or not self.filters or any(part.ndim != 3 for part in self.filters):
            raise ValueError("TextModel needs embedding (V, D) and, for each width, filters (M, D, width).")
        d = self.embedding.shape[1]
        total = sum(len(part) for part in self.filters)
        count = len(self.classes)
        expected = {
            "filters": ([part.shape[1] for part in self.filters], [d] * len(self.filters)),
            "biases": ([part.shape for part in self.biases], [(len(part),) for part in self.filters]),
            "w": (self.w.shape, (count, total)),
            "b": (self.b.shape, (count,)),
        }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                raise ValueError(f"TextModel: the sizes of {name} are {found}; expected {wanted} to fit the others.")
        if count < 2 or len(set(self.classes)) < count:
            raise ValueError("TextModel needs two classes or more, each with its own name.")

    @classmethod
    def from_torch(cls, module: Any, vocab: Mapping[str, int], classes: Sequence[str]) -> TextModel:
        """Take the weights of a Torch module over.

        Args:
            module: its parameters come in the order embedding (V, D), weight (M, D, width) and bias (M,) of each width,
                dense weight (C, sum of all M), dense bias (C,). Dropout has none and does not matter.
            vocab: word to number.
            classes: C names.

        Raises:
            ValueError: the parameters come in another order.

        Returns:
            The model, a copy: training on does not change it.
        """
        parts = [part.detach().cpu().numpy().copy() for part in module.parameters()]
        ranks = [part.ndim for part in parts]
        widths = (len(parts) - 3) // 2
        if widths < 1 or ranks != [2, *[3, 1] * widths, 2, 1]:
            raise ValueError(_ORDER.format(shapes=", ".join(str(part.shape) for part in parts) or "none"))
        embedding, *middle, w, b = parts
        return cls(vocab, classes, embedding, middle[::2], middle[1::2], w, b)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many words the filters of each group cover."""
        return tuple(part.shape[2] for part in self.filters)

    def probabilities(self, sentence: str, length: int, mask: bool = True) -> dict[str, float]:
        """Ask the model about a sentence, in Torch.

        Args:
            sentence: any text.
            length: to how many words it is cut or padded; the widest filter needs its width.
            mask: leave the windows out that end in padding?

        Returns:
            Class to probability, in the order of `classes`.
        """
        import torch  # takes a second: only when asked

        ids = torch.from_numpy(self._numbers(sentence, length))
        return dict(zip(self.classes, self._softmax(ids[None], mask)[0].tolist(), strict=True))

    # The course's own functions for the next two are graded in the lesson, so a class zip does not have them.
    def _numbers(self, sentence: str, length: int) -> np.ndarray:
        runs = groupby(sentence.lower(), key=lambda sign: sign.isalnum() or sign in "_'")
        pieces = [piece for is_word, run in runs for piece in (["".join(run)] if is_word else run)]
        known = [self.vocab.get(piece, 1) for piece in pieces if not piece.isspace()][:length]
        return np.pad(np.array(known, dtype=np.int64), (0, length - len(known)))

    def telling_words(self, each: int) -> list[str]:
        """The words that speak most clearly for a class when they stand alone, in the order of the alphabet.

        Args:
            each: how many words of each class at most; signs do not count.

        Returns:
            The words of all classes, none twice.
        """
        import torch

        words = sorted(self.vocab, key=self.vocab.__getitem__)
        ids = torch.zeros(len(words), max(self.widths), dtype=torch.int64)
        ids[:, 0] = torch.arange(len(words))
        chances = self._softmax(ids, True)
        found: set[str] = set()
        for c in range(len(self.classes)):
            order = chances[:, c].argsort(descending=True, stable=True).tolist()
            found.update([words[i] for i in order if i > 1 and any(map(str.isalnum, words[i]))][:each])
        return sorted(found)

    def _softmax(self, ids: Any, mask: bool) -> Any:
        import torch
        from torch.nn import functional

        vectors = functional.embedding(ids, torch.from_numpy(self.embedding)).mT
        words = (ids != 0).sum(dim=1, keepdim=True) if mask else torch.full((len(ids), 1), ids.shape[1])
        maxima = []
        for part, bias in zip(self.filters, self.biases, strict=True):
            answers = functional.conv1d(vectors, torch.from_numpy(part), torch.from_numpy(bias)).relu()
            ends = torch.arange(answers.shape[2]) + part.shape[2]
            # After the ReLU a hidden window's 0 never beats one that fired.
            hidden = ends > words.clamp(min=part.shape[2])
            maxima.append(answers.masked_fill(hidden[:, None], 0).amax(dim=2))
        joined = torch.cat(maxima, dim=1)
        return functional.linear(joined, torch.from_numpy(self.w), torch.from_numpy(self.b)).softmax(dim=1)

    def page_data(self) -> dict[str, Any]:
        """Return the model as JSON takes it: words, classes, sizes, and the weights in base64, float32."""
        return {
            "words": sorted(self.vocab, key=self.vocab.__getitem__),
            "classes": list(self.classes),
            "size": self.embedding.shape[1],
            "embedding": _text(self.embedding),
            "groups": [
                {"width": part.shape[2], "count": len(part), "w": _text(part), "b": _text(bias)}
                for part, bias in zip(self.filters, self.biases, strict=True)
            ],
            "w": _text(self.w),
            "b": _text(self.b),
        }


def _array(name: str, values: Any) -> np.ndarray:
    array = np.ascontiguousarray(values, dtype=np.float32)
    if not array.size or not np.isfinite(array).all():
        raise ValueError(f"TextModel needs finite numbers in {name}, and at least one.")
    return array


def _text(array: np.ndarray) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()
