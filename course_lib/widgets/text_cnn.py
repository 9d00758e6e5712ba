"""Looks into a text CNN: the n-grams that fired, one word that flips the answer, the padding mask, widths and dropout.

The first three compute in the browser with the weights of a trained `TextModel`; the last one shows runs that were
recorded. Sources: Kim (2014) for the network; Kalchbrenner, Grefenstette and Blunsom (2014) for n-grams by filter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._text_model import TextModel

__all__ = ["FlipTheAnswer", "PaddingMask", "SentenceProbe", "TextModel", "WidthsAndDropout"]

MEASURES = ("accuracy", "macro F1", "loss")
LONGEST = 60

_PROBE_STILL = 'The network reads "{sentence}" and answers: {chances}. The probe itself needs a page where scripts run.'
_FLIP_STILL = (
    'The network reads "{sentence}" and answers: {chances}. Changing one word at a time needs a page where scripts run.'
)
_MASK_STILL = 'The network reads "{sentence}", padded to {length} words. With the mask: {chances}. Without: {without}.'
_RUNS_STILL = "Validation {measure} of {count} runs by epoch; the best, {best}, with widths {widths} and dropout {p:g}."


class _Reader(Look):
    """What the looks at one model share: the model, a sentence, the length it is padded to, and bars for the still."""

    network = traitlets.Dict(help="words, classes and weights").tag(sync=True)
    sentence = traitlets.Unicode("", help="the sentence").tag(sync=True)
    length = traitlets.Int(40, help="words that are read; what is shorter is padded").tag(sync=True)
    answer = traitlets.Unicode("", help="class with the highest probability").tag(sync=True)
    probabilities = traitlets.List(traitlets.Float(), help="one per class").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help="what was predicted").tag(sync=True)
    goal_reached = traitlets.Bool(False, help="whether the first goal is reached").tag(sync=True)
    second_reached = traitlets.Bool(False, help="whether the second goal is reached").tag(sync=True)

    def __init__(self, model: TextModel, sentence: str, length: int, **kwargs: Any) -> None:
        name = type(self).__name__
        if not isinstance(model, TextModel):
            raise ValueError(f"{name} needs a TextModel: TextModel.from_torch(module, vocab, classes) makes one.")
        low = max(model.widths)
        if not low <= length <= LONGEST:
            raise ValueError(f"{name} needs length between {low} (the widest filter) and {LONGEST}; it got {length!r}.")
        if not any(sign.isalnum() for sign in str(sentence)):
            raise ValueError(f"{name} needs a sentence with a word in it; it got {sentence!r}.")
        self._text_model = model
        super().__init__(network=model.page_data(), sentence=str(sentence), length=int(length), **kwargs)

    def _chances(self, mask: bool = True) -> dict[str, float]:
        return self._text_model.probabilities(self.sentence, self.length, mask)

    def still(self) -> str:
        """Return the sentence and one bar per class, as SVG text."""
        return _bars(self.sentence, [("", self._chances())])


class SentenceProbe(_Reader):
    """Type a sentence: the probability of every class, and the n-grams that fired, marked in the text itself.

    A filter's n-gram is the window that won its maximum. Its pull towards a class is its answer times how much more the
    dense layer gives it for this class than for the classes on average; the pulls and the biases make up the scores.
    Goals: a sure answer for two classes, and the same words in another order with another answer.

    Args:
        model: the trained network.
        sentence: what stands in the field at the start; its answer is the prediction.
        length: how many words are read, 60 at most; what is longer is cut. As in training.
        label: the right answer to `sentence`, one of the classes, or None.
        examples: further sentences to start from.

    Raises:
        ValueError: no model, an empty sentence, a length outside its range, or a label that is no class.
    """

    _esm = bundle("sentence_probe.js")
    _module = "sentence_probe.js"
    _page_state = ("network", "sentence", "length", "label", "examples", "prediction", "goal_reached", "second_reached")

    label = traitlets.Unicode(None, allow_none=True, help="the right answer at the start").tag(sync=True)
    examples = traitlets.List(traitlets.Unicode(), help="sentences to start from").tag(sync=True)
    ngrams = traitlets.List(traitlets.Dict(), help="strongest n-grams: words, width, answer, pull").tag(sync=True)

    def __init__(
        self,
        model: TextModel,
        sentence: str,
        length: int = 40,
        label: str | None = None,
        examples: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(model, sentence, length, label=label, examples=[*map(str, examples)], **kwargs)
        if label is not None and label not in model.classes:
            raise ValueError(f"SentenceProbe has no class {label!r}. Use one of: {', '.join(model.classes)}.")

    def description(self) -> str:
        """Return the sentence and its probabilities, in words."""
        return _PROBE_STILL.format(sentence=self.sentence, chances=_in_words(self._chances()))


class FlipTheAnswer(_Reader):
    """One sentence, one word to change: flip the answer in as few tries as possible.

    Every try changes one word of the sentence as it was at the start. Goals: another answer, and a change after which
    the network is surer of its first answer than before.

    Args:
        model: the trained network.
        sentence: the sentence; at most `length` words of it are read.
        length: how many words are read, 60 at most.
        replacements: words to choose from besides typing; by default about sixteen, those that speak most clearly
            for their class when they stand alone.

    Raises:
        ValueError: no model, an empty sentence, a length outside its range, or no replacement.
    """

    _esm = bundle("flip_the_answer.js")
    _module = "flip_the_answer.js"
    _page_state = ("network", "sentence", "length", "replacements", "prediction", "goal_reached", "second_reached")

    replacements = traitlets.List(traitlets.Unicode(), help="words to choose from").tag(sync=True)
    tries = traitlets.List(traitlets.Dict(), help="changes so far: place, old, new, answer, chance").tag(sync=True)

    def __init__(
        self,
        model: TextModel,
        sentence: str,
        length: int = 40,
        replacements: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, sentence, length, **kwargs)
        words = (
            model.telling_words(max(3, 16 // len(model.classes)))
            if replacements is None
            else [str(word).lower() for word in replacements]
        )
        if not words or not all(word.strip() for word in words):
            raise ValueError("FlipTheAnswer needs replacements: one word or more, none of them empty.")
        self.replacements = words

    def description(self) -> str:
        """Return the sentence and its probabilities, in words."""
        return _FLIP_STILL.format(sentence=self.sentence, chances=_in_words(self._chances()))


class PaddingMask(_Reader):
    """A short sentence with padding behind it: which window wins with the mask, and which without.

    A window counts when its last word is no padding, and the first window always. Goals: the filter whose maximum rises
    most when the mask is off, and three lengths with the mask that give the same answer.

    Args:
        model: the trained network.
        sentence: a short one, of at most `length` words.
        length: to how many words it is padded at the start, 60 at most.
        mask: whether the mask is on at the start.
        feature: number of the filter that is shown, from 0, all widths one after the other.

    Raises:
        ValueError: no model, an empty sentence, or a number outside its range.
    """

    _esm = bundle("padding_mask.js")
    _module = "padding_mask.js"
    _page_state = ("network", "sentence", "length", "mask", "feature", "prediction", "goal_reached", "second_reached")

    mask = traitlets.Bool(True, help="whether windows that end in padding are left out").tag(sync=True)
    feature = traitlets.Int(0, help="number of the filter").tag(sync=True)
    winner = traitlets.Int(0, help="place of the window that wins, from 0").tag(sync=True)
    maximum = traitlets.Float(0.0, help="answer of that window after the ReLU").tag(sync=True)

    def __init__(
        self, model: TextModel, sentence: str, length: int = 20, mask: bool = True, feature: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(model, sentence, length, mask=bool(mask), feature=int(feature), **kwargs)
        count = sum(map(len, model.filters))
        if not 0 <= feature < count:
            raise ValueError(f"PaddingMask needs feature between 0 and {count - 1}; it got {feature!r}.")

    def description(self) -> str:
        """Return the probabilities with and without the mask, in words."""
        with_mask, without = (_in_words(self._chances(mask)) for mask in (True, False))
        return _MASK_STILL.format(sentence=self.sentence, length=self.length, chances=with_mask, without=without)

    def still(self) -> str:
        """Return one bar per class with the mask and one without, as SVG text."""
        return _bars(self.sentence, [("with the mask", self._chances()), ("without", self._chances(False))])


class WidthsAndDropout(Look):
    """Filter widths and dropout against the validation curve, from runs that were really made.

    Goals: the best setting, and the shortest filters that come within one point of it (0.01 of a loss).

    Args:
        runs: (widths, p) to a curve: one number per epoch on the validation part, or a dict with ``"validation"`` and
            ``"train"``. Widths are a tuple such as ``(3, 4, 5)``, p the probability to drop. Every pair of widths and
            p must be there, two widths or more and two p or more.
        measure: what the numbers are: ``"accuracy"`` or ``"macro F1"`` from 0 to 1, or ``"loss"``.
        widths: the widths that are shown first; by default the first of `runs`.
        p: the p that is shown first; by default the smallest.

    Raises:
        ValueError: a run is missing, a curve is empty or holds what is no number, or an unknown measure or setting.
    """

    _esm = bundle("widths_dropout.js")
    _module = "widths_dropout.js"
    _page_state = ("runs", "measure", "widths", "p", "prediction", "goal_reached", "second_reached")

    runs = traitlets.List(traitlets.Dict(), help="widths, p, validation and train curves").tag(sync=True)
    measure = traitlets.Unicode("accuracy", help="what the curves measure").tag(sync=True)
    widths = traitlets.List(traitlets.Int(), help="filter widths").tag(sync=True)
    p = traitlets.Float(0.0, help="probability to drop").tag(sync=True)
    best = traitlets.Float(None, allow_none=True, help="best number of the run that is shown").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help="widths that were predicted").tag(sync=True)
    goal_reached = traitlets.Bool(False, help="the best setting found").tag(sync=True)
    second_reached = traitlets.Bool(False, help="the shortest filters that are good enough found").tag(sync=True)

    def __init__(
        self,
        runs: Mapping[tuple[tuple[int, ...], float], Any],
        measure: str = "accuracy",
        widths: Sequence[int] | None = None,
        p: float | None = None,
        **kwargs: Any,
    ) -> None:
        if measure not in MEASURES:
            raise ValueError(f"WidthsAndDropout has no measure {measure!r}. Use one of: {', '.join(MEASURES)}.")
        given = [_run(key, curve) for key, curve in runs.items()]
        groups = {tuple(run["widths"]): None for run in given}
        drops = sorted({run["p"] for run in given})
        if len(groups) < 2 or len(drops) < 2 or len(given) < len(groups) * len(drops):
            raise ValueError("WidthsAndDropout needs a run for every pair of widths and p, two or more of each.")
        shown = (tuple(widths) if widths is not None else next(iter(groups)), drops[0] if p is None else float(p))
        if shown[0] not in groups or shown[1] not in drops:
            raise ValueError(f"WidthsAndDropout has no run with widths {shown[0]} and p {shown[1]:g}.")
        super().__init__(runs=given, measure=measure, widths=list(shown[0]), p=shown[1], **kwargs)

    def description(self) -> str:
        """Return the best of all runs, in words."""
        pick = min if self.measure == "loss" else max
        run = pick(self.runs, key=lambda run: pick(run["validation"]))
        best = pick(run["validation"])
        text = f"{best:.3f}" if self.measure == "loss" else f"{100 * best:.1f} %"
        widths = ", ".join(map(str, run["widths"]))
        return _RUNS_STILL.format(measure=self.measure, count=len(self.runs), best=text, widths=widths, p=run["p"])

    def still(self) -> str:
        """Return all validation curves, the one that is shown first drawn thick, as SVG text."""
        values = [value for run in self.runs for value in run["validation"]]
        low, high = min(values), max(values)
        span = (high - low) or 1.0
        lines = []
        for run in self.runs:
            mine = (run["widths"], run["p"]) == (self.widths, self.p)
            curve, last = run["validation"], max(len(run["validation"]) - 1, 1)
            places = " ".join(
                f"{40 + 360 * k / last:.1f},{230 - 200 * (v - low) / span:.1f}" for k, v in enumerate(curve)
            )
            look = 'stroke="#0b4f8a" stroke-width="3.5"' if mine else 'stroke="#8d96a3" stroke-width="1.5"'
            lines.append((mine, f'<polyline points="{places}" fill="none" {look}/>'))
        words = f'<text x="40" y="262" font-size="16">epochs; {escape(self.measure)} {low:.3f} to {high:.3f}</text>'
        frame = '<rect x="40" y="30" width="360" height="200" fill="none" stroke="#565d66"/>'
        return _svg(280, [frame, *(line for _, line in sorted(lines)), words])


def _run(key: tuple[Sequence[int], float], curve: Any) -> dict[str, Any]:
    """Check one run and give it the form that the page reads."""
    widths, p = key
    curves = dict(curve) if isinstance(curve, Mapping) else {"validation": curve}
    curves = {name: [float(value) for value in values] for name, values in curves.items()}
    numbers = [value for values in curves.values() for value in values]
    if not curves.get("validation") or set(curves) - {"validation", "train"} or not all(map(isfinite, numbers)):
        raise ValueError(f"WidthsAndDropout needs finite numbers, one per epoch, in the run {key!r}.")
    return {"widths": [int(width) for width in widths], "p": float(p), "train": [], **curves}


def _in_words(chances: Mapping[str, float]) -> str:
    ordered = sorted(chances.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {100 * chance:.0f} %" for name, chance in ordered)


def _bars(sentence: str, groups: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """The start of a sentence and bars from 0 to 100 %, group by group."""
    head = sentence if len(sentence) < 46 else f"{sentence[:44]}\u2026"
    parts = [f'<text x="12" y="28" font-size="16" font-weight="700">{escape(head)}</text>']
    top = 50
    for title, chances in groups:
        if title:
            parts.append(f'<text x="12" y="{top + 12}" font-size="15">{escape(title)}</text>')
            top += 24
        for name, chance in chances.items():
            parts += [
                f'<text x="12" y="{top + 16}" font-size="15">{escape(name[:14])}</text>',
                f'<rect x="140" y="{top + 2}" width="{max(200 * chance, 1):.1f}" height="18" fill="#0b4f8a"/>',
                f'<text x="{146 + 200 * chance:.1f}" y="{top + 16}" font-size="15">{100 * chance:.0f} %</text>',
            ]
            top += 28
        top += 10
    return _svg(top, parts)


def _svg(height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 {height}" font-family="sans-serif">'
        f'<rect width="420" height="{height}" fill="#fff"/>{"".join(parts)}</svg>'
    )
