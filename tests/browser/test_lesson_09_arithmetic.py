"""What the looks of lesson 09 compute in the browser, against Torch, NumPy and the course's own kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from driving import load
from tiny_texts import random_model

from course_lib.numpy_kernels.conv1d import conv1d_forward
from course_lib.numpy_kernels.embedding import embedding_forward
from course_lib.numpy_kernels.text import encode_and_pad, tokenize
from course_lib.numpy_kernels.textcnn import text_cnn_forward
from course_lib.torch_kernels.textcnn import text_cnn_forward as torch_forward
from course_lib.widgets.text_cnn import FlipTheAnswer, PaddingMask, SentenceProbe

pytestmark = pytest.mark.browser

TEXTS = (
    "Don't use np.sum (here)!",
    "Gro\u00dfe \u00c4PFEL, na\u00efve caf\u00e9s; 3\u00bd miles\u2026 \u201cso\u201d",
    "x_1 = f(y)\u00a0+ 2\u00b2\tand\n\u4e2d\u6587 text\u200b \u0645\u0631\u062d\u0628\u0627 e\u0301",
    "\u0130stanbul \u03a3\u0391\u03a3 \x1cA\x85B\ufeffC \U0001f600\U0001f600",
    "",
    "   ",
)
RUN_FORWARD = """([data, ids, mask]) => {
  const model = part.reader.readModel(data);
  return ids.map((row) => part.reader.forward(model, row, mask));
}"""


def double(model) -> list:
    """The weights of a model in float64, in the order of text_cnn_forward."""
    lists = [[part.astype(np.float64) for part in parts] for parts in (model.filters, model.biases)]
    return [model.embedding.astype(np.float64), *lists, model.w.astype(np.float64), model.b.astype(np.float64)]


def random_ids(words: int, length: int, count: int = 40) -> np.ndarray:
    """Texts of all lengths, padded at the end; the first one is nothing but padding."""
    rng = np.random.default_rng(5)
    ids = rng.integers(1, words, (count, length))
    ids[np.arange(length) >= rng.integers(1, length + 1, (count, 1))] = 0
    ids[0] = 0
    return ids


def maxima(model, ids: np.ndarray, mask: bool) -> tuple[np.ndarray, np.ndarray]:
    """Each filter's maximum and its first place, both (N, all M), by the course's convolution."""
    values, places = [], []
    embedding, filters, biases, _, _ = double(model)
    for windows, bias in zip(filters, biases, strict=True):
        answers = np.maximum(conv1d_forward(embedding_forward(ids, embedding)[0], windows, bias)[0], 0)
        counts = ids[:, windows.shape[2] - 1 :] != 0
        counts[:, 0] = True
        answers = np.where(counts[:, :, None] | (not mask), answers, -1)
        values.append(answers.max(axis=1))
        places.append(answers.argmax(axis=1))
    return np.concatenate(values, axis=1), np.concatenate(places, axis=1)


def test_tokens_are_the_course_s(watched) -> None:
    """Apostrophes, umlauts, fractions, other scripts, odd blanks: the page splits and numbers as the course does."""
    load(watched.page, "sentence_probe.js")
    model = random_model(0)
    data = SentenceProbe(model, "w2", 9).network
    run = """([data, texts]) => texts.map((text) => {
      const words = part.reader.tokenize(text).map(({ word }) => word);
      return [words, part.reader.encode(part.reader.readModel(data), words, 7)];
    })"""
    texts = [*TEXTS, "w3 W4 nothing w39, w5 w6 w7 w8"]
    for text, (words, ids) in zip(texts, watched.page.evaluate(run, [data, texts]), strict=True):
        assert words == tokenize(text)
        assert ids == encode_and_pad(tokenize(text), model.vocab, 7).tolist()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_forward_equals_numpy_and_torch(watched, seed) -> None:
    """On padded texts of all lengths, scores and maxima equal the course's kernels; Torch agrees in float32."""
    load(watched.page, "sentence_probe.js")
    model = random_model(seed, sizes=((3, 2), (4, 1), (2, 4))[: 3 - seed // 2])
    ids = random_ids(40, 9)
    data = SentenceProbe(model, "w2", 9).network
    masked, free = (watched.page.evaluate(RUN_FORWARD, [data, ids.tolist(), mask]) for mask in (True, False))
    scores = text_cnn_forward(ids, *double(model))
    np.testing.assert_allclose([row["scores"] for row in masked], scores, rtol=1e-9, atol=1e-11)
    tensors = [torch.from_numpy(model.embedding), *([*map(torch.from_numpy, p)] for p in (model.filters, model.biases))]
    found = torch_forward(torch.from_numpy(ids), *tensors, torch.from_numpy(model.w), torch.from_numpy(model.b))
    np.testing.assert_allclose([row["chances"] for row in masked], found.softmax(dim=1), rtol=1e-3, atol=1e-6)
    for rows, mask in ((masked, True), (free, False)):
        values, places = maxima(model, ids, mask)
        np.testing.assert_allclose([[m["value"] for m in row["maxima"]] for row in rows], values, atol=1e-10)
        fired = values > 0
        np.testing.assert_array_equal(
            np.array([[m["place"] for m in row["maxima"]] for row in rows])[fired], places[fired]
        )
    assert [row["answer"] for row in masked] == scores.argmax(axis=1).tolist()


def test_pulls_make_up_the_score(watched) -> None:
    """The pulls and the bias add up to the score above the mean of the scores, and words share all of them."""
    load(watched.page, "sentence_probe.js")
    model, words = random_model(3), "w2 w7 w9 w4 w30 w11".split()
    ids = encode_and_pad(words, model.vocab, 9)
    run = """([data, ids, words, c]) => {
      const model = part.reader.readModel(data);
      const found = part.reader.ngramsOf(model, part.reader.forward(model, ids), words, c);
      return [found, part.reader.wordPulls(found, words.length)];
    }"""
    scores = text_cnn_forward(ids[None], *double(model))[0]
    values, places = (part[0] for part in maxima(model, ids[None], True))
    for c in range(3):
        data = SentenceProbe(model, "w2", 9).network
        ngrams, shared = watched.page.evaluate(run, [data, ids.tolist(), words, c])
        total = sum(one["pull"] for one in ngrams)
        assert total + model.b[c] - model.b.mean() == pytest.approx(scores[c] - scores.mean(), rel=1e-6)
        assert sum(shared) == pytest.approx(total, rel=1e-9)
        assert sum(one["filters"] for one in ngrams) == (values > 0).sum()
        assert {(one["width"], one["place"]) for one in ngrams} == {
            (width, place)
            for width, place, value in zip([2] * 3 + [1] * 4 + [4] * 2, places.tolist(), values, strict=True)
            if value > 0
        }
        assert all(one["text"] == " ".join(words[one["place"] : one["place"] + one["width"]]) for one in ngrams)
        sizes = [abs(one["pull"]) for one in ngrams]
        assert sizes == sorted(sizes, reverse=True)


def test_pages_show_the_probabilities_of_python(still_page) -> None:
    """What the pages show at the start is what Python computes with Torch, with the mask and without."""
    model = random_model(6)
    text = "w2 w7 unheard w9 w4"
    widgets = [
        SentenceProbe(model, text, 12, prediction="a"),
        FlipTheAnswer(model, text, 12),
        PaddingMask(model, text, 12),
        PaddingMask(model, text, 12, mask=False),
    ]
    page = still_page(*widgets).page
    for root, mask in zip(page.locator(".look").all(), (True, True, True, False), strict=True):
        shown = [float(part) for part in root.get_attribute("data-chances").split(",")]
        np.testing.assert_allclose(shown, list(model.probabilities(text, 12, mask).values()), rtol=1e-4)


def test_mask_picture_shows_every_window(watched) -> None:
    """The answers of a filter are those of the course's convolution; padded winners are counted as NumPy counts."""
    load(watched.page, "padding_mask.js")
    model, ids = random_model(1), random_ids(40, 9)
    data = SentenceProbe(model, "w2", 9).network
    run = """([data, ids]) => {
      const model = readModelOf(data);
      return ids.map((row) => [model.groups.map((group) => part.masking.answersOf(model, group, 1, row)),
        part.masking.padded(part.masking.forward(model, row, false), row)]);
    }""".replace("readModelOf", "part.masking.readModel")
    embedding, filters, biases, _, _ = double(model)
    values, places = maxima(model, ids, False)
    widths = np.repeat(model.widths, [len(part) for part in model.filters])
    for row, place, value, (answers, padded) in zip(
        ids, places, values, watched.page.evaluate(run, [data, ids.tolist()]), strict=True
    ):
        x = embedding_forward(row[None], embedding)[0]
        for windows, bias, found in zip(filters, biases, answers, strict=True):
            np.testing.assert_allclose(found, conv1d_forward(x, windows, bias)[0][0, :, 1], atol=1e-10)
        assert padded == ((value > 0) & (place > 0) & (row[place + widths - 1] == 0)).sum()
