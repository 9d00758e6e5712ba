"""Exercise on the words that a filter looks at (topic `textcnn`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle, Tree

_WORDS = "acting badly could enjoy far from great hardly it made more nothing quite story than was".split()
_LATER = (
    "Of equal answers the one at the earlier place comes first. For words that come several times it is the place of "
    "their largest answer that counts."
)
_TIE = "Of equal answers the earlier text comes first, and in one text the earlier place."
_Row = tuple[tuple[tuple[int, ...], ...], int, int, int]
# Case id to (texts as word places, L', width, k).
_TEXTS = ((0, 1, 2, 3, 4), (5, 6, 7), (8, 9, 1, 2, 10, 11))
_AGAIN = ((0, 1, 2, 0, 1), (3, 0, 1), (1, 2, 0, 4))
_PUBLIC: dict[str, _Row] = {
    "pairs of words": (_TEXTS, 7, 2, 4),
    "repeated words": (_AGAIN, 5, 2, 5),
    "single words": (_AGAIN, 6, 1, 3),
    "more asked than there are": (_TEXTS, 6, 3, 50),
    "float32": (_TEXTS, 6, 3, 4),
}
_SECRET = _PUBLIC | {
    "pairs of words": ((*_TEXTS, (12, 13, 14, 15)), 8, 2, 6),
    "only the best": (_TEXTS, 7, 2, 1),
    "texts shorter than the filter": (((0,), (1, 2), (3, 4, 5, 6)), 4, 3, 5),
    "one text": ((_TEXTS[2],), 6, 2, 3),
}


def _top_ngrams_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, name, row) for name, row in (_PUBLIC if public else _SECRET).items()]
    tied = _one_case(rng, "equal answers", (_TEXTS, 6, 2, 6), kind="convention", says=_TIE)
    return (*cases, tied, _tie_by_a_later_place(rng))


def _tie_by_a_later_place(rng: np.random.Generator) -> Case:
    """A word whose largest answer comes after that of another word: `a b a` with 1, 2 and 2."""
    first, second = rng.permutation(_WORDS)[:2].tolist()
    small, large = np.sort(rng.choice(np.arange(1, 10), 2, replace=False)) / 2
    inputs = {"texts": [[first, second, first]], "answers": np.array([[small, large, large]]), "width": 1, "k": 2}
    return _listed("equal answers, the first word twice", inputs, kind="convention", says=_LATER)


def _one_case(
    rng: np.random.Generator,
    name: str,
    row: _Row,
    *,
    kind: Kind = "core",
    says: str = "",
) -> Case:
    texts, places, width, k = row
    words = rng.permutation(_WORDS).tolist()
    count = len(texts) * places
    # Every answer occurs once; a quarter of them is below 0, and the largest sizes are.
    steps = np.arange(1, count + 1) - count // 4
    levels = np.where(steps > 0, 0.35 * steps, 0.9 * steps - count)
    answers = rng.permutation(levels).reshape(len(texts), places)
    for line, text in zip(answers, texts, strict=True):
        last = len(text) - width
        # The padding answers strongly, and the last window of words fires: both decide.
        line[last + 1 if last >= 0 else 0 :] += 20
        if last >= 0:
            line[last] = np.abs(line[last]) % 9 + 11 + 0.013 * last + 0.1 * len(text)
    if kind == "convention":
        answers = np.where(answers > 10, 2.5, np.where(answers > 0, 1.5, -1.0))
    dtype = "float32" if name == "float32" else "float64"
    inputs = {
        "texts": [[words[place] for place in text] for text in texts],
        "answers": np.round(answers, 3).astype(dtype),
        "width": width,
        "k": k,
    }
    return _listed(name, inputs, kind=kind, says=says)


def _listed(name: str, inputs: dict[str, Tree], *, kind: Kind, says: str) -> Case:
    """A call whose texts and answers are read again."""
    call = Step("call", "result", "top_ngrams", tuple(Handle(key) for key in inputs))
    untouched = [Step("read", f"{n} afterwards", "", (Handle(n),), kind="convention") for n in ("texts", "answers")]
    return Case(name, inputs, (call, Step("read", "result", "", (Handle("result"),), kind=kind), *untouched), says)


def _top_ngrams__padding_counts(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place, answer in enumerate(row):
            ngram = " ".join(words[place : place + width])
            if answer > found.get(ngram, 0):
                found[ngram] = answer
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def _top_ngrams__listed_twice(texts, answers, width, k):
    found = []
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width + 1):
            if row[place] > 0:
                found.append((" ".join(words[place : place + width]), row[place]))
    return sorted(found, key=lambda pair: -pair[1])[:k]


def _top_ngrams__last_answer_kept(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width + 1):
            if row[place] > 0:
                found[" ".join(words[place : place + width])] = row[place]
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def _top_ngrams__weakest_first(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width + 1):
            ngram = " ".join(words[place : place + width])
            if row[place] > found.get(ngram, 0):
                found[ngram] = row[place]
    return sorted(found.items(), key=lambda pair: pair[1])[:k]


def _top_ngrams__did_not_fire(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width + 1):
            ngram = " ".join(words[place : place + width])
            if row[place] > found.get(ngram, -np.inf):
                found[ngram] = row[place]
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def _top_ngrams__by_size(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, np.abs(answers).tolist(), strict=True):
        for place in range(len(words) - width + 1):
            ngram = " ".join(words[place : place + width])
            if row[place] > found.get(ngram, 0):
                found[ngram] = row[place]
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def _top_ngrams__last_window_left_out(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width):
            ngram = " ".join(words[place : place + width])
            if row[place] > found.get(ngram, 0):
                found[ngram] = row[place]
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def _top_ngrams__ties_by_alphabet(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width + 1):
            ngram = " ".join(words[place : place + width])
            if row[place] > found.get(ngram, 0):
                found[ngram] = row[place]
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:k]


def _top_ngrams__place_of_the_first(texts, answers, width, k):
    found = {}
    for words, row in zip(texts, answers.tolist(), strict=True):
        for place in range(len(words) - width + 1):
            ngram = " ".join(words[place : place + width])
            if row[place] > found.get(ngram, 0):
                found[ngram] = row[place]
    return sorted(found.items(), key=lambda pair: -pair[1])[:k]


def _top_ngrams__one_at_a_time(texts, answers, width, k):
    left, found = answers.astype(np.float64), []
    for text, words in enumerate(texts):
        left[text, max(len(words) - width + 1, 0) :] = 0
    while len(found) < k and left.max() > 0:
        text, place = np.unravel_index(left.argmax(), left.shape)
        ngram = " ".join(texts[text][place : place + width])
        if ngram not in [known for known, _ in found]:
            found.append((ngram, float(left[text, place])))
        left[text, place] = 0
    return found


def _top_ngrams__stable_argsort(texts, answers, width, k):
    found = {}
    for flat in np.argsort(-answers, axis=None, kind="stable"):
        text, place = np.unravel_index(flat, answers.shape)
        window = texts[text][place : place + width]
        if len(window) == width and answers[text, place] > 0 and len(found) < k:
            found.setdefault(" ".join(window), float(answers[text, place]))
    return list(found.items())


TOP_NGRAMS = Exercise(
    id="top_ngrams",
    topic="textcnn",
    points=3,
    cases=_top_ngrams_cases,
    mistakes=(
        Mistake(
            "padding_counts",
            "Windows that reach into the padding are in your list. A text has len(words) - width + 1 windows; what the "
            "filter answers after them does not count.",
            _top_ngrams__padding_counts,
        ),
        Mistake(
            "listed_twice",
            "The same words are listed several times. Keep each window once, with its largest answer.",
            _top_ngrams__listed_twice,
        ),
        Mistake(
            "last_answer_kept",
            "When words come again, your list has their last answer. Keep the largest one.",
            _top_ngrams__last_answer_kept,
        ),
        Mistake(
            "weakest_first",
            "Your list begins with the weakest answers. Sort so that the largest comes first.",
            _top_ngrams__weakest_first,
        ),
        Mistake(
            "did_not_fire",
            "Your list has windows with an answer of 0 or below. There the filter did not fire: leave them out.",
            _top_ngrams__did_not_fire,
        ),
        Mistake(
            "by_size",
            "You take the size of the answers without their sign. A negative answer does not fire the filter.",
            _top_ngrams__by_size,
        ),
        Mistake(
            "last_window_left_out",
            "The last window of each text is missing. There are len(words) - width + 1 of them.",
            _top_ngrams__last_window_left_out,
        ),
        Mistake(
            "ties_by_alphabet",
            _TIE + " Sort by the answer alone: sorted keeps that order.",
            _top_ngrams__ties_by_alphabet,
        ),
        Mistake(
            "place_of_the_first",
            "Of equal answers you list first the words that you met first. It is the place of the largest answer that "
            "counts. Sort all windows in reading order, then keep each group of words the first time you meet it.",
            _top_ngrams__place_of_the_first,
        ),
    ),
    other_ways=(
        OtherWay("one_at_a_time", _top_ngrams__one_at_a_time),
        OtherWay("stable_argsort", _top_ngrams__stable_argsort),
    ),
)

EXERCISES = (TOP_NGRAMS,)
