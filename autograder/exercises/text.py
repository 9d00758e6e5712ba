"""Exercises on text: words and signs, a vocabulary."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Kind, Step, call_case
from course_lib.tree import Handle, Tree

_WORDS = (
    "actor camera comedy drama ending film hero humour later music never other plot quite rarely scene slow story "
    "than twist under voice while worth young"
).split()
# Case id to a pattern; the fields are filled with words.
_PUBLIC = {
    "a sentence": "{} {} {} {}.",
    "capital letters": "The {} AND the {} Met",
    "an apostrophe": "{} isn't {}, it's {}",
    "signs in a row": "{} {}!!! ({}...)",
    "a line break and a tab": "{} {}\n{}\t{}",
    "digits and an underscore": "{}_{} {} 1984 4x4",
    "naïve, Ärmel, café": "a naïve {} in the Ärmel of a café",
    "empty": "",
}
_SECRET = _PUBLIC | {
    "a sentence": "{} {}, {} {}; {} {}?",
    "signs in a row": "?!{}--{} [[{}]] {}?!",
    "white space at both ends": "  {} {} \n",
    "only signs": "...!",
}


def _tokenize_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    patterns = _PUBLIC if public else _SECRET
    return tuple(
        call_case(name, "tokenize", {"text": pattern.format(*rng.permutation(_WORDS)[:8].tolist())})
        for name, pattern in patterns.items()
    )


def _tokenize__only_split(text):
    return text.lower().split()


def _tokenize__capitals_kept(text):
    import re

    return re.findall(r"[\w']+|[^\w\s']", text)


def _tokenize__signs_dropped(text):
    import re

    return re.findall(r"[\w']+", text.lower())


def _tokenize__apostrophe_splits(text):
    import re

    return re.findall(r"\w+|[^\w\s]", text.lower())


def _tokenize__signs_stay_together(text):
    import re

    return re.findall(r"[\w']+|[^\w\s']+", text.lower())


def _tokenize__digits_dropped(text):
    import re

    return re.findall(r"(?:[^\W\d]|')+|[^\w\s']", text.lower())


def _tokenize__ascii_only(text):
    import re

    return re.findall(r"[a-z0-9_']+|[^a-z0-9_'\s]", text.lower())


def _tokenize__white_space_kept(text):
    import re

    return re.findall(r"[\w']+|[^\w']", text.lower())


def _tokenize__blanks_around_signs(text):
    return "".join(c if c.isalnum() or c in "_'" else f" {c} " for c in text.lower()).split()


def _tokenize__sign_by_sign(text):
    tokens, word = [], ""
    for sign in text.lower() + " ":
        if sign.isalnum() or sign in ("_", "'"):
            word += sign
            continue
        if word:
            tokens.append(word)
        if not sign.isspace():
            tokens.append(sign)
        word = ""
    return tokens


TOKENIZE = Exercise(
    id="tokenize",
    topic="text",
    points=2,
    cases=_tokenize_cases,
    mistakes=(
        Mistake(
            "only_split",
            "Signs stick to your words: 'good.' and 'good' become different tokens. Make every sign that is not part "
            "of a word a token of its own.",
            _tokenize__only_split,
        ),
        Mistake(
            "capitals_kept",
            "Your tokens keep their capital letters. Call text.lower() first, so that 'The' and 'the' are one word.",
            _tokenize__capitals_kept,
        ),
        Mistake(
            "signs_dropped",
            "You drop the signs. Keep each one as a token: '!' and '?' carry meaning.",
            _tokenize__signs_dropped,
        ),
        Mistake(
            "apostrophe_splits",
            'You cut words at the apostrophe. It belongs to the word here: "isn\'t" is one token.',
            _tokenize__apostrophe_splits,
        ),
        Mistake(
            "signs_stay_together",
            "Several signs in a row become one token. Each sign is a token of its own: '...' gives three.",
            _tokenize__signs_stay_together,
        ),
        Mistake(
            "digits_dropped",
            "You lose the digits. They are part of words: '1984' and '4x4' are tokens.",
            _tokenize__digits_dropped,
        ),
        Mistake(
            "ascii_only",
            "You take only the letters a to z for letters, so 'café' falls into pieces. Use \\w or str.isalnum, which "
            "know all alphabets.",
            _tokenize__ascii_only,
        ),
        Mistake(
            "white_space_kept",
            "Blanks and line breaks are among your tokens. White space only separates: leave it out.",
            _tokenize__white_space_kept,
        ),
    ),
    other_ways=(
        OtherWay("blanks_around_signs", _tokenize__blanks_around_signs),
        OtherWay("sign_by_sign", _tokenize__sign_by_sign),
    ),
)

_TIE = "Equally frequent words come in the order of the alphabet, whatever order they have in the texts."
# Case id to (how often each word occurs, min_count, max_size).
_COUNTS: dict[str, tuple[tuple[int, ...], int, int]] = {
    "all words": ((6, 5, 3, 2), 1, 20),
    "rare words left out": ((7, 5, 4, 3, 2, 1), 3, 20),
    "too many words": ((7, 6, 4, 3, 2, 1), 1, 5),
    "both limits": ((8, 6, 5, 4, 3, 2), 2, 6),
}
_SECRET_COUNTS = _COUNTS | {
    "one word": ((4,), 2, 9),
    "exactly full": ((6, 4, 3, 1), 1, 6),
    "no word is frequent enough": ((3, 2, 1), 5, 9),
}
_TIES = {"ties": ((4, 4, 4, 2, 2), 2, 20), "a tie at the limit": ((5, 3, 3, 3, 3), 1, 5)}


def _build_vocab_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_vocab(rng, name, *row) for name, row in (_COUNTS if public else _SECRET_COUNTS).items()]
    ties = [_one_vocab(rng, name, *row, kind="convention", says=_TIE) for name, row in _TIES.items()]
    return (*cases, *ties)


def _one_vocab(
    rng: np.random.Generator,
    name: str,
    counts: tuple[int, ...],
    min_count: int,
    max_size: int,
    *,
    kind: Kind = "core",
    says: str = "",
) -> Case:
    words = sorted(rng.permutation(_WORDS)[: len(counts)].tolist())
    # By frequency the words are in no order of the alphabet, neither up nor down.
    words = [*words[1:], words[0]]
    # In the texts the last word comes first, so that the order of appearance decides nothing by luck.
    first = words[::-1]
    left = [word for word, count in zip(words, counts, strict=True) for _ in range(count - 1)]
    texts = [first, left[: len(left) // 2], left[len(left) // 2 :]]
    return _listed(
        name, "build_vocab", {"texts": texts, "min_count": min_count, "max_size": max_size}, kind=kind, says=says
    )


def _listed(name: str, function: str, inputs: dict[str, Tree], *, kind: Kind = "core", says: str = "") -> Case:
    """A call whose lists and dicts are read again."""
    steps = [
        Step("call", "result", function, tuple(Handle(key) for key in inputs)),
        Step("read", "result", "", (Handle("result"),), kind=kind),
    ]
    kept = [key for key, value in inputs.items() if isinstance(value, (list, dict))]
    steps += [Step("read", f"{key} afterwards", "", (Handle(key),), kind="convention") for key in kept]
    return Case(name, inputs, tuple(steps), says)


def _build_vocab__no_unknown(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (-counts[w], w))
    return {word: i for i, word in enumerate(["<pad>", *words[: max_size - 1]])}


def _build_vocab__special_entries_last(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (-counts[w], w))
    return {word: i for i, word in enumerate([*words[: max_size - 2], "<pad>", "<unk>"])}


def _build_vocab__by_alphabet(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted(w for w in counts if counts[w] >= min_count)
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[: max_size - 2]])}


def _build_vocab__rarest_first(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (counts[w], w))
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[: max_size - 2]])}


def _build_vocab__ties_as_they_come(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = [w for w, count in counts.most_common() if count >= min_count]
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[: max_size - 2]])}


def _build_vocab__ties_backwards(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (counts[w], w), reverse=True)
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[: max_size - 2]])}


def _build_vocab__more_than_the_least(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted((w for w in counts if counts[w] > min_count), key=lambda w: (-counts[w], w))
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[: max_size - 2]])}


def _build_vocab__special_entries_on_top(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in tokens)
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (-counts[w], w))
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[:max_size]])}


def _build_vocab__counts_texts(texts, min_count, max_size):
    from collections import Counter

    counts = Counter(token for tokens in texts for token in set(tokens))
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (-counts[w], w))
    return {word: i for i, word in enumerate(["<pad>", "<unk>", *words[: max_size - 2]])}


def _build_vocab__with_unique(texts, min_count, max_size):
    running = sum((list(tokens) for tokens in texts), [])
    words, counts = np.unique(np.array(running), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = [str(words[i]) for i in order if counts[i] >= min_count]
    vocab = {"<pad>": 0, "<unk>": 1}
    for word in kept[: max_size - 2]:
        vocab[word] = len(vocab)
    return vocab


def _build_vocab__sorted_twice(texts, min_count, max_size):
    counts = {}
    for tokens in texts:
        for token in tokens:
            counts[token] = counts.get(token, 0) + 1
    words = sorted(counts)
    words.sort(key=counts.get, reverse=True)
    words = [word for word in words if counts[word] >= min_count][: max_size - 2]
    return {"<pad>": 0, "<unk>": 1, **{word: i + 2 for i, word in enumerate(words)}}


BUILD_VOCAB = Exercise(
    id="build_vocab",
    topic="text",
    points=2,
    cases=_build_vocab_cases,
    mistakes=(
        Mistake(
            "no_unknown",
            "The entry '<unk>' is missing. Give it the number 1 and start the words at 2.",
            _build_vocab__no_unknown,
        ),
        Mistake(
            "special_entries_last",
            "The special entries come last in your vocabulary. '<pad>' must be 0 and '<unk>' 1; words start at 2.",
            _build_vocab__special_entries_last,
        ),
        Mistake(
            "by_alphabet",
            "Your words are in the order of the alphabet. Sort them by how often they occur, the most frequent first.",
            _build_vocab__by_alphabet,
        ),
        Mistake(
            "rarest_first",
            "The rarest words come first. Turn the order round: the most frequent word gets the number 2.",
            _build_vocab__rarest_first,
        ),
        Mistake(
            "ties_as_they_come",
            _TIE + " Sort by the pair (-count, word).",
            _build_vocab__ties_as_they_come,
        ),
        Mistake(
            "ties_backwards",
            "With reverse=True the alphabet runs backwards too. Sort by the pair (-count, word) instead.",
            _build_vocab__ties_backwards,
        ),
        Mistake(
            "more_than_the_least",
            "You leave out words that occur exactly min_count times. Compare with >=.",
            _build_vocab__more_than_the_least,
        ),
        Mistake(
            "special_entries_on_top",
            "Your vocabulary can become too large: max_size counts the two special entries too. Keep max_size - 2 "
            "words.",
            _build_vocab__special_entries_on_top,
        ),
        Mistake(
            "counts_texts",
            "You count in how many texts a word occurs. Count every occurrence.",
            _build_vocab__counts_texts,
        ),
    ),
    other_ways=(
        OtherWay("with_unique", _build_vocab__with_unique),
        OtherWay("sorted_twice", _build_vocab__sorted_twice),
    ),
)

EXERCISES = (TOKENIZE, BUILD_VOCAB)
