"""Exercise on numbers for words, in rows of equal length (topic `text`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Step
from course_lib.properties.whole import WHOLE, whole_numbers
from course_lib.tree import Handle

_WORDS = "cast dialogue fine good great hardly lost movie night quick sad script tense time very warm".split()
# Case id to (words of the text as places in a shuffled list, length); places from 8 on are not in the vocabulary.
_PUBLIC: dict[str, tuple[tuple[int, ...], int]] = {
    "shorter than the length": ((3, 1, 6), 5),
    "longer than the length": ((5, 2, 7, 0, 4, 1), 4),
    "exactly as long": ((2, 6, 4), 3),
    "unknown words": ((1, 9, 3, 11, 8), 7),
    "unknown and too long": ((9, 2, 10, 5, 0, 3), 4),
    "empty": ((), 3),
}
_WHOLE_SAYS = (
    "The numbers are right, but they are floats. A list or a table takes whole numbers only as places: ask for "
    "dtype=np.int64 when you make the array."
)
_SECRET = _PUBLIC | {
    "a word twice": ((4, 4, 1), 6),
    "length of one": ((7, 3), 1),
    "only unknown words": ((8, 12), 4),
}


def _encode_and_pad_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    return tuple(_one_case(rng, name, *row) for name, row in (_PUBLIC if public else _SECRET).items())


def _one_case(rng: np.random.Generator, name: str, places: tuple[int, ...], length: int) -> Case:
    words = rng.permutation(_WORDS).tolist()
    vocab = {word: number for number, word in enumerate(["<pad>", "<unk>", *words[:8]])}
    # At another draw other words have other numbers.
    tokens = [words[(place + 3) % 8 if place < 8 else place] for place in places]
    inputs = {"tokens": tokens, "vocab": vocab, "length": length + int(rng.integers(2)) if not places else length}
    call = Step("call", "result", "encode_and_pad", tuple(Handle(key) for key in inputs))
    result = Handle("result")
    reads = (Step("read", "result", "", (result,)), Step("read", WHOLE, "", (result,), kind="convention"))
    untouched = [Step("read", f"{k} afterwards", "", (Handle(k),), kind="convention") for k in ("tokens", "vocab")]
    return Case(name, inputs, (call, *reads, *untouched), _WHOLE_SAYS)


def _encode_and_pad__unknown_dropped(tokens, vocab, length):
    ids = [vocab[token] for token in tokens if token in vocab][:length]
    return np.array(ids + [0] * (length - len(ids)), dtype=np.int64)


def _encode_and_pad__unknown_is_padding(tokens, vocab, length):
    ids = [vocab.get(token, 0) for token in tokens][:length]
    return np.array(ids + [0] * (length - len(ids)), dtype=np.int64)


def _encode_and_pad__padded_in_front(tokens, vocab, length):
    ids = [vocab.get(token, 1) for token in tokens][:length]
    return np.array([0] * (length - len(ids)) + ids, dtype=np.int64)


def _encode_and_pad__cut_in_front(tokens, vocab, length):
    ids = [vocab.get(token, 1) for token in tokens][-length:]
    return np.array(ids + [0] * (length - len(ids)), dtype=np.int64)


def _encode_and_pad__not_cut(tokens, vocab, length):
    ids = [vocab.get(token, 1) for token in tokens]
    return np.array(ids + [0] * (length - len(ids)), dtype=np.int64)


def _encode_and_pad__not_padded(tokens, vocab, length):
    return np.array([vocab.get(token, 1) for token in tokens][:length], dtype=np.int64)


def _encode_and_pad__padded_with_unknown(tokens, vocab, length):
    ids = [vocab.get(token, 1) for token in tokens][:length]
    return np.array(ids + [1] * (length - len(ids)), dtype=np.int64)


def _encode_and_pad__cut_too_early(tokens, vocab, length):
    ids = [vocab.get(token, 1) for token in tokens][: length - 1]
    return np.array(ids + [0] * (length - len(ids)), dtype=np.int64)


def _encode_and_pad__floats(tokens, vocab, length):
    ids = np.zeros(length)
    for place, token in enumerate(tokens[:length]):
        ids[place] = vocab.get(token, 1)
    return ids


def _encode_and_pad__as_a_list(tokens, vocab, length):
    ids = [vocab.get(token, 1) for token in tokens] + [0] * length
    return np.array(ids[:length], dtype=np.int64)


def _encode_and_pad__place_by_place(tokens, vocab, length):
    ids = np.zeros(length, dtype=np.int64)
    for place, token in enumerate(tokens):
        if place == length:
            break
        ids[place] = vocab.get(token, 1)
    return ids


ENCODE_AND_PAD = Exercise(
    id="encode_and_pad",
    topic="text",
    points=2,
    cases=_encode_and_pad_cases,
    mistakes=(
        Mistake(
            "unknown_dropped",
            "Words that are not in the vocabulary disappear, so their neighbours move together. Give each the number "
            "1: vocab.get(token, 1).",
            _encode_and_pad__unknown_dropped,
        ),
        Mistake(
            "unknown_is_padding",
            "Unknown words become 0, which is the padding. Their number is 1.",
            _encode_and_pad__unknown_is_padding,
        ),
        Mistake(
            "padded_in_front",
            "Your padding stands in front. Put the zeros after the last word.",
            _encode_and_pad__padded_in_front,
        ),
        Mistake(
            "cut_in_front",
            "You keep the end of a text that is too long. Keep its first words: cut after length tokens.",
            _encode_and_pad__cut_in_front,
        ),
        Mistake(
            "not_cut",
            "A text that is too long stays too long. Keep its first length tokens only.",
            _encode_and_pad__not_cut,
        ),
        Mistake(
            "not_padded",
            "A text that is too short stays short. Fill it up with zeros until it has length numbers.",
            _encode_and_pad__not_padded,
        ),
        Mistake(
            "padded_with_unknown",
            "You fill up with 1, the number of unknown words. The padding is 0.",
            _encode_and_pad__padded_with_unknown,
        ),
        Mistake(
            "cut_too_early",
            "You keep one word too few: a text may fill all of the length places. Cut with tokens[:length].",
            _encode_and_pad__cut_too_early,
        ),
        Mistake("floats", _WHOLE_SAYS, _encode_and_pad__floats),
    ),
    prepare=whole_numbers,
    other_ways=(
        OtherWay("as_a_list", _encode_and_pad__as_a_list),
        OtherWay("place_by_place", _encode_and_pad__place_by_place),
    ),
)

EXERCISES = (ENCODE_AND_PAD,)
