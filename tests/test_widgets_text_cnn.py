"""The Python side of the looks of lesson 09: the model they carry, arguments, stills, words without a kernel."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from look_promises import assert_bundle_stands_alone, assert_three_forms
from tiny_texts import CLASSES, RUNS, SENTENCE, VOCAB, random_model, review_model
from torch import nn

from course_lib.numpy_kernels.text import encode_and_pad, tokenize
from course_lib.numpy_kernels.textcnn import text_cnn_forward
from course_lib.widgets.text_cnn import FlipTheAnswer, PaddingMask, SentenceProbe, TextModel, WidthsAndDropout

ROOT = Path(__file__).resolve().parents[1]
MAKERS = {
    "probe": lambda: SentenceProbe(review_model(), SENTENCE, 12),
    "flip": lambda: FlipTheAnswer(review_model(), SENTENCE, 12),
    "mask": lambda: PaddingMask(review_model(), SENTENCE, 12),
    "runs": lambda: WidthsAndDropout(RUNS),
}
MODULES = ("sentence_probe.js", "flip_the_answer.js", "padding_mask.js", "widths_dropout.js")
SVG = "{http://www.w3.org/2000/svg}"
NO_PAIR = {key: curve for key, curve in RUNS.items() if key != ((2, 3), 0.5)}
WRONG = [
    (lambda: SentenceProbe(nn.Linear(2, 2), SENTENCE), "needs a TextModel: TextModel.from_torch(module, vocab"),
    (lambda: SentenceProbe(review_model(), " ... "), "needs a sentence with a word in it"),
    (lambda: SentenceProbe(review_model(), SENTENCE, length=1), "length between 2 (the widest filter) and 60"),
    (lambda: SentenceProbe(review_model(), SENTENCE, label="good"), "no class 'good'. Use one of: positive, negative"),
    (lambda: FlipTheAnswer(review_model(), SENTENCE, replacements=[]), "needs replacements: one word or more"),
    (lambda: FlipTheAnswer(review_model(), SENTENCE, replacements=["bad", " "]), "none of them empty"),
    (lambda: PaddingMask(review_model(), SENTENCE, length=61), "and 60; it got 61"),
    (lambda: PaddingMask(review_model(), SENTENCE, feature=5), "feature between 0 and 4; it got 5"),
    (lambda: WidthsAndDropout(NO_PAIR), "a run for every pair of widths and p"),
    (
        lambda: WidthsAndDropout({**RUNS, ((1,), 0.0): []}),
        "needs finite numbers, one per epoch, in the run ((1,), 0.0)",
    ),
    (lambda: WidthsAndDropout({**RUNS, ((1,), 0.0): [0.5, np.nan]}), "needs finite numbers"),
    (lambda: WidthsAndDropout({**RUNS, ((1,), 0.0): {"test": [0.5]}}), "needs finite numbers"),
    (lambda: WidthsAndDropout(RUNS, measure="F2"), "no measure 'F2'. Use one of: accuracy, macro F1, loss"),
    (lambda: WidthsAndDropout(RUNS, widths=(7,)), "no run with widths (7,) and p 0"),
]


class TextCNN(nn.Module):
    """Kim's network, its parameters in the order of the text."""

    def __init__(self, words: int, size: int, count: int, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, size)
        self.convolutions = nn.ModuleList([nn.Conv1d(size, count, width) for width in widths])
        self.drop = nn.Dropout(0.5)
        self.dense = nn.Linear(count * len(widths), classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Scores for texts without padding."""
        x = self.embedding(ids).transpose(1, 2)
        return self.dense(self.drop(torch.cat([part(x).relu().amax(dim=2) for part in self.convolutions], dim=1)))


@pytest.mark.parametrize(("make", "sentence"), WRONG)
def test_bad_arguments_get_a_sentence(make, sentence) -> None:
    """A wrong argument is refused with a sentence that names the widget and the remedy."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_torch_module_is_taken_over() -> None:
    """A model made from a module answers as the module does in evaluation, and further training leaves it alone."""
    torch.manual_seed(3)
    module = TextCNN(len(VOCAB), 6, 4, (2, 3), 2).eval()
    model = TextModel.from_torch(module, VOCAB, CLASSES)
    ids = torch.tensor([[VOCAB[word] for word in tokenize(SENTENCE)]])
    expected = module(ids).softmax(dim=1)[0].tolist()
    nn.init.zeros_(module.dense.weight)
    found = model.probabilities(SENTENCE, length=12)
    assert list(found) == list(CLASSES)
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(3, 2),
        nn.Sequential(nn.Conv1d(6, 4, 2), nn.Embedding(11, 6), nn.Linear(4, 2)),
        nn.Sequential(nn.Embedding(11, 6), nn.Conv1d(6, 4, 2, bias=False), nn.Linear(4, 2)),
        nn.ReLU(),
    ],
)
def test_other_orders_of_parameters_are_refused(module) -> None:
    """A module with other parameters gets a sentence with the expected order."""
    with pytest.raises(ValueError, match=r"expected in this order: embedding \(V, D\), weight \(M, D, width\)"):
        TextModel.from_torch(module, VOCAB, CLASSES)


def test_sizes_must_fit() -> None:
    """Weights that do not fit each other, numbers that are not finite and a vocabulary with gaps are refused."""
    good = vars(review_model())
    wrong = [
        ({"w": good["w"][:, :4]}, "the sizes of w are (2, 4); expected (2, 5)"),
        ({"b": good["b"][:1]}, "the sizes of b are (1,); expected (2,)"),
        ({"biases": good["biases"][:1]}, "the sizes of biases"),
        ({"embedding": good["embedding"][:, :4]}, "the sizes of filters are [5, 5]; expected [4, 4]"),
        ({"embedding": good["embedding"] * np.nan}, "finite numbers in embedding"),
        ({"classes": ("same", "same")}, "each with its own name"),
        ({"filters": []}, "TextModel needs embedding (V, D)"),
        ({"vocab": {**VOCAB, "film": 99}}, "a vocab with the numbers 0 to 10"),
        ({"vocab": {**VOCAB, "<unk>": 2, "the": 1}}, "'<unk>' for 1"),
    ]
    for change, sentence in wrong:
        with pytest.raises(ValueError, match=re.escape(sentence)):
            TextModel(**{**good, **change})


@pytest.mark.parametrize("sentence", ["w2 w3 w4 w5 w6 w7", "w9", "w3 what w2"])
def test_probabilities_are_the_course_s(sentence) -> None:
    """With the mask the probabilities are those of text_cnn_forward; without it they follow the unmasked maximum."""
    model = random_model(2)
    ids = encode_and_pad(tokenize(sentence), model.vocab, 9)[None]
    parts = [model.filters, model.biases, model.w, model.b]
    spare = np.concatenate([model.embedding, model.embedding[:1]])
    cases = ((True, ids, model.embedding), (False, np.where(ids == 0, len(spare) - 1, ids), spare))
    for mask, numbers, embedding in cases:
        scores = text_cnn_forward(numbers, embedding, *parts)[0]
        expected = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(list(model.probabilities(sentence, 9, mask).values()), expected, rtol=1e-4)
    assert model.probabilities(sentence, 9) != model.probabilities(sentence, 9, mask=False)
    np.testing.assert_allclose(
        list(model.probabilities(sentence, 9).values()), list(model.probabilities(sentence, 30).values()), rtol=1e-5
    )


def test_telling_words_speak_for_their_class() -> None:
    """The words that speak most clearly are found, signs and the two special entries are not."""
    assert set(review_model().telling_words(1)) == {"bad", "good"}
    every = review_model().telling_words(50)
    assert every == sorted(every)
    assert not {"<pad>", "<unk>", "."} & set(every)
    assert FlipTheAnswer(review_model(), SENTENCE, 12, replacements=["Bad"]).replacements == ["bad"]


def test_page_gets_every_number() -> None:
    """Decoded again, the page's weights are those of the model, bit for bit."""
    model = random_model(4)
    data = SentenceProbe(model, "w2", 9).network
    floats = lambda text: np.frombuffer(base64.b64decode(text), "<f4")  # noqa: E731
    np.testing.assert_array_equal(floats(data["embedding"]), model.embedding.ravel())
    np.testing.assert_array_equal(floats(data["w"]), model.w.ravel())
    np.testing.assert_array_equal(floats(data["b"]), model.b)
    for group, filters, biases in zip(data["groups"], model.filters, model.biases, strict=True):
        assert (group["count"], data["size"], group["width"]) == filters.shape
        np.testing.assert_array_equal(floats(group["w"]), filters.ravel())
        np.testing.assert_array_equal(floats(group["b"]), biases)
    assert [model.vocab[word] for word in data["words"]] == list(range(40))


def test_arguments_reach_the_page() -> None:
    """What one asks for is what the page starts with; a curve alone is a validation curve."""
    probe = SentenceProbe(review_model(), SENTENCE, 12, label="positive", examples=["not <b>bad</b>"])
    assert '"label": "positive"' in probe.page()
    assert "<b>" not in probe.page().split("render({ model: stillModel(")[1]
    assert '"mask": false' in PaddingMask(review_model(), SENTENCE, 12, mask=False).page()
    shown = WidthsAndDropout({key: run["validation"] for key, run in RUNS.items()}, widths=(2, 3), p=0.5)
    assert (shown.widths, shown.p, shown.runs[0]["train"]) == ([2, 3], 0.5, [])


def test_descriptions_say_the_answer() -> None:
    """The words of each look hold its probabilities, or the best of its runs."""
    assert "answers: positive 99 %, negative 1 %" in MAKERS["probe"]().description()
    assert 'reads "The film was good."' in MAKERS["flip"]().description()
    assert "Without: positive 98 %" in PaddingMask(review_model(), SENTENCE, 12).description()
    assert "the best, 70.5 %, with widths 2, 3 and dropout 0.5" in WidthsAndDropout(RUNS).description()
    assert "the best, 0.500, with widths 1 and dropout 0." in WidthsAndDropout(RUNS, measure="loss").description()


@pytest.mark.parametrize("name", MODULES)
def test_bundle_stands_alone(name) -> None:
    """A bundle imports nothing, declares every name once, and reaches for nothing outside."""
    assert_bundle_stands_alone(name)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_output_holds_widget_page_and_words(make) -> None:
    """The output of a cell is a live view, a page that needs no kernel, and a sentence."""
    assert_three_forms(make(), most=75_000)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_still_is_a_picture(make) -> None:
    """The still picture is well-formed SVG with a bar for every class, or a curve for every run."""
    root = ElementTree.fromstring(make().still())
    assert len(list(root.iter(f"{SVG}rect"))) >= 3 or len(list(root.iter(f"{SVG}polyline"))) == len(RUNS)


def test_stills_follow_the_model_and_the_runs() -> None:
    """Another sentence or another run shown first gives another picture; signs of SVG in a sentence do no harm."""
    still = SentenceProbe(review_model(), "Bad & <good>", 12).still()
    ElementTree.fromstring(still)
    assert still != MAKERS["probe"]().still()
    assert WidthsAndDropout(RUNS, p=0.5).still() != WidthsAndDropout(RUNS).still()


def test_import_is_light() -> None:
    """The looks load neither Torch nor scikit-learn nor SciPy, nor the references that a lesson grades."""
    code = "import sys\nfrom course_lib.widgets import text_cnn\nprint(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    loaded = set(done.stdout.split())
    assert {name.split(".")[0] for name in loaded}.isdisjoint({"torch", "matplotlib", "scipy", "sklearn", "PIL"})
    assert "course_lib.numpy_kernels" not in loaded
