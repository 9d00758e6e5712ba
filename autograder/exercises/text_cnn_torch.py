"""Exercise on the text CNN as a class of Torch's (topic `text_net`): `TextCNN`."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises import _text_net_mistakes as wrong
from autograder.exercises._draw import draw
from autograder.exercises._modules import fitted_case, gradients_case, outputs_case, shapes_case
from course_lib.cases import Case
from course_lib.properties.modules import learned_texts

_SHORT = (
    "A text shorter than a filter has one window all the same: the first. Set mask[:, 0] = True, or its features are "
    "minus infinity or 0 by accident."
)
_WORDS = 12


def _text_cnn_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    small = {"words": _WORDS, "dim": 3, "filters": 2, "widths": (2, 3), "classes": 3, "p": 0.0}
    wide = {"words": _WORDS, "dim": 4, "filters": 3, "widths": (3, 1, 4), "classes": 2, "p": 0.0}
    weights = _weights(rng, small)
    full, padded, short = (_texts(rng, lengths, 6) for lengths in ((6, 6, 6), (6, 4, 3, 5), (2, 5, 1)))
    cases = [
        shapes_case("parameters", "TextCNN", {**small, "p": 0.5}),
        outputs_case("no padding", "TextCNN", small, weights, (full, False)),
        outputs_case("padding at the end", "TextCNN", small, weights, (padded, False)),
        outputs_case("other widths", "TextCNN", wide, _weights(rng, wide), (_texts(rng, (7, 5), 7), False)),
        outputs_case("shorter than a filter", "TextCNN", small, weights, (short, False), says=_SHORT),
        outputs_case("evaluation drops nothing", "TextCNN", {**small, "p": 1.0}, weights, (full, False)),
        outputs_case("training with p = 1", "TextCNN", {**small, "p": 1.0}, weights, (full, True)),
        gradients_case("gradients", "TextCNN", small, weights, padded, draw(rng, 4, 3)),
        _sixteen(rng),
    ]
    if not public:
        only = {**small, "widths": (2,), "classes": 2}
        cases += [
            shapes_case("parameters, other widths", "TextCNN", wide),
            outputs_case("one width, one text", "TextCNN", only, _weights(rng, only), (_texts(rng, (3,), 5), False)),
            outputs_case("training, then evaluation", "TextCNN", small, weights, (padded, True), (full, False)),
        ]
    return tuple(cases)


def _weights(rng: np.random.Generator, settings: dict) -> list[np.ndarray]:
    """All parameters, in order. Padding has a vector far from zero, and one filter of each width never fires."""
    dim, filters, widths = settings["dim"], settings["filters"], settings["widths"]
    embedding = draw(rng, _WORDS, dim)
    embedding[0] *= 4
    convolutions = []
    for width in widths:
        bias = draw(rng, filters)
        bias[-1] = -20
        convolutions += [draw(rng, filters, dim, width), bias]
    return [
        embedding,
        *convolutions,
        draw(rng, settings["classes"], filters * len(widths)),
        draw(rng, settings["classes"]),
    ]


def _texts(rng: np.random.Generator, lengths: tuple[int, ...], places: int) -> np.ndarray:
    return rng.integers(1, _WORDS, (len(lengths), places)) * (np.arange(places) < np.array(lengths)[:, None])


def _sixteen(rng: np.random.Generator) -> Case:
    """Sixteen texts with classes by chance, and weights to start from as small as they should be."""
    settings = {"words": _WORDS, "dim": 8, "filters": 8, "widths": (2, 3), "classes": 2, "p": 0.0}
    scales = (1.0, 0.25, 0.0, 0.2, 0.0, 0.25, 0.0)
    shapes = ((_WORDS, 8), (8, 8, 2), (8,), (8, 8, 3), (8,), (2, 16), (2,))
    weights = [scale * rng.normal(size=shape) for scale, shape in zip(scales, shapes, strict=True)]
    x, labels = _texts(rng, (6,) * 16, 6), rng.permutation(np.arange(16) % 2)
    return fitted_case("16 texts by heart", "TextCNN", settings, weights, (x, labels), steps=60, lr=0.03)


# The module is made by a function: a class statement here would need Torch when this file is read.
def _text_cnn__functional(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch
    from torch.nn import functional

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            shapes = [(words, dim)]
            for width in widths:
                shapes += [(filters, dim, width), (filters,)]
            shapes += [(classes, filters * len(widths)), (classes,)]
            self.weights = torch.nn.ParameterList(torch.randn(shape) * 0.1 for shape in shapes)

        def forward(self, ids):
            embedding, *convolutions, w, b = self.weights
            x = embedding[ids].transpose(1, 2)
            lengths = (ids != 0).sum(dim=1)
            features = []
            for windows, bias in zip(convolutions[::2], convolutions[1::2], strict=True):
                answers = functional.conv1d(x, windows, bias)
                last = torch.clamp(lengths - windows.shape[2], min=0)
                counts = torch.arange(answers.shape[2]) <= last[:, None]
                features.append(answers.masked_fill(~counts[:, None], -torch.inf).amax(dim=2).relu())
            return functional.linear(functional.dropout(torch.cat(features, 1), p, self.training), w, b)

    return Net()


def _text_cnn__text_by_text(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vectors = torch.nn.Embedding(words, dim)
            self.layers = torch.nn.ModuleList([torch.nn.Conv1d(dim, filters, width) for width in widths])
            self.drop = torch.nn.Dropout(p)
            self.out = torch.nn.Linear(len(widths) * filters, classes)

        def one(self, text):
            found = []
            for layer, width in zip(self.layers, widths, strict=True):
                length = max(int((text != 0).sum()), width)
                answers = layer(self.vectors(text[:length]).T[None])[0]
                found.append(torch.relu(answers).max(dim=1).values)
            return torch.cat(found)

        def forward(self, ids):
            return self.out(self.drop(torch.stack([self.one(text) for text in ids])))

    return Net()


def _text_cnn__windows_unfolded(words, dim=16, filters=8, widths=(2, 3, 4), classes=2, p=0.5):
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(torch.randn(words, dim))
            for width in widths:
                setattr(self, f"layer{width}", torch.nn.Conv1d(dim, filters, width))
            self.end = torch.nn.Sequential(torch.nn.Dropout(p), torch.nn.Linear(filters * len(widths), classes))

        def forward(self, ids):
            features = []
            for width in widths:
                layer = getattr(self, f"layer{width}")
                windows = self.table[ids].unfold(1, width, 1)
                answers = torch.einsum("nldk,mdk->nlm", windows, layer.weight) + layer.bias
                counts = ids[:, width - 1 :] != 0
                # What does not count becomes 0, which no maximum after the ReLU notices; the first always counts.
                counts = torch.cat([torch.ones_like(counts[:, :1]), counts[:, 1:]], dim=1)
                features.append((answers.relu() * counts[:, :, None]).max(dim=1).values)
            return self.end(torch.cat(features, dim=1))

    return Net()


TEXT_CNN = Exercise(
    id="TextCNN",
    topic="text_net",
    points=4,
    cases=_text_cnn_cases,
    mistakes=(
        Mistake(
            "no_mask",
            "Windows in the padding count: more padding changes the answer. Keep only windows whose last word is no "
            "padding (and the first of each text) before you take the maximum.",
            wrong._text_cnn__no_mask,
        ),
        Mistake(
            "plain_list",
            "The convolutions lie in a plain Python list, so Torch does not see their parameters: they are neither "
            "trained nor saved. Put them into a torch.nn.ModuleList.",
            wrong._text_cnn__plain_list,
        ),
        Mistake(
            "reshaped",
            "You reshape (N, L, D) to (N, D, L). That mixes numbers of different words: swap the axes with "
            "x.transpose(1, 2).",
            wrong._text_cnn__reshaped,
        ),
        Mistake(
            "no_relu",
            "The ReLU is missing: a filter that answers below 0 everywhere should give the feature 0.",
            wrong._text_cnn__no_relu,
        ),
        Mistake(
            "probabilities",
            "The scores went through a softmax. Return them as they are: cross_entropy takes scores, and applies the "
            "softmax itself.",
            wrong._text_cnn__probabilities,
        ),
        Mistake(
            "mean_over_time",
            "You average over the places of a text. The feature of a filter is its largest answer.",
            wrong._text_cnn__mean_over_time,
        ),
        Mistake(
            "always_drops",
            "Features are dropped in evaluation mode too: functional.dropout does so unless it is told "
            "training=self.training. A torch.nn.Dropout layer knows the mode by itself.",
            wrong._text_cnn__always_drops,
        ),
        Mistake(
            "never_drops",
            "No feature is ever dropped in training mode. Apply dropout with probability p before the dense layer.",
            wrong._text_cnn__never_drops,
        ),
        Mistake(
            "drops_words",
            "You drop numbers of the word vectors. Here the features are dropped: after the maximum over time, before "
            "the dense layer.",
            wrong._text_cnn__drops_words,
        ),
        Mistake(
            "reversed_widths",
            "The features stand in another order than the widths. Concatenate them width by width, as given.",
            wrong._text_cnn__reversed_widths,
        ),
        Mistake("short_texts_lost", _SHORT, wrong._text_cnn__short_texts_lost),
    ),
    other_ways=(
        OtherWay("functional", _text_cnn__functional),
        OtherWay("text_by_text", _text_cnn__text_by_text),
        OtherWay("windows_unfolded", _text_cnn__windows_unfolded),
    ),
    prepare=learned_texts,
    training=True,
    torch=True,
)

EXERCISES = (TEXT_CNN,)
