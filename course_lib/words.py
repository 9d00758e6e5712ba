"""Texts, word numbers, padding masks and answers about them: what both references demand."""

from __future__ import annotations

from typing import Any

from course_lib.validate import check_arrays
from course_lib.validate_draws import check_list


def check_ids(ids: Any, words: int, kind: type) -> None:
    """Check word numbers against the size of a vocabulary.

    Args:
        ids: integers of any shape.
        words: how many words there are.
        kind: the array type that the kernel takes.

    Raises:
        TypeError: no array of integers.
        ValueError: empty, or a number outside the vocabulary.

    >>> import numpy as np
    >>> check_ids(np.array([0, 7]), 5, np.ndarray)
    Traceback (most recent call last):
    ValueError: ids go from 0 to 7; expected numbers from 0 to 4, as w has 5 rows.
    """
    if not isinstance(ids, kind):
        raise TypeError(f"ids is of type {type(ids).__name__}; expected a {kind.__name__} of integers.")
    dtype = str(ids.dtype).removeprefix("torch.")
    if "int" not in dtype:
        raise TypeError(f"ids has dtype {dtype}; expected integers.")
    if 0 in ids.shape:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; expected no size of zero.")
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= words:
        raise ValueError(f"ids go from {low} to {high}; expected numbers from 0 to {words - 1}, as w has {words} rows.")


def check_mask(mask: Any, x: Any, kind: type) -> None:
    """Check which places of which text count.

    Args:
        mask: (N, L) of bools, or None.
        x: (N, L, M), checked before.
        kind: the array type that the kernel takes.

    Raises:
        TypeError: no array of bools.
        ValueError: the shape does not fit, or a text has no place that counts.

    >>> import numpy as np
    >>> check_mask(np.array([[True, False], [False, False]]), np.zeros((2, 2, 1)), np.ndarray)
    Traceback (most recent call last):
    ValueError: mask has no True in row 1; expected at least one place that counts in every text.
    """
    if mask is None:
        return
    if not isinstance(mask, kind):
        raise TypeError(f"mask is of type {type(mask).__name__}; expected a {kind.__name__} of bools, or None.")
    dtype = str(mask.dtype).removeprefix("torch.")
    if dtype != "bool":
        raise TypeError(f"mask has dtype {dtype}; expected bool.")
    if mask.shape != x.shape[:2]:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)}; expected {tuple(x.shape[:2])}, as x has texts and places."
        )
    counts = mask.any(1).tolist()
    if not all(counts):
        wanted = "expected at least one place that counts in every text"
        raise ValueError(f"mask has no True in row {counts.index(False)}; {wanted}.")


def check_text(text: Any) -> str:
    """The text, when it is one.

    Args:
        text: what came.

    Raises:
        TypeError: no string.

    >>> check_text("as it is")
    'as it is'
    """
    if not isinstance(text, str):
        raise TypeError(f"text is of type {type(text).__name__}; expected a string.")
    return text


def check_tokens(name: str, tokens: Any, depth: int = 1) -> list[Any]:
    """Tokens as a list, or texts as a list of such lists.

    Args:
        name: the argument's name.
        tokens: what came.
        depth: 1 for the tokens of one text, 2 for several texts.

    Raises:
        TypeError: no list, or something in it is of another kind. A string is no list of tokens.

    >>> check_tokens("tokens", "to be")
    Traceback (most recent call last):
    TypeError: tokens is of type str; expected a list of tokens, such as tokenize returns.
    """
    if not isinstance(tokens, (list, tuple)):
        wanted = "a list of tokens, such as tokenize returns" if depth == 1 else "a list of token lists"
        raise TypeError(f"{name} is of type {type(tokens).__name__}; expected {wanted}.")
    if depth == 2:
        return [check_tokens(f"{name}[{i}]", text) for i, text in enumerate(tokens)]
    other = next((token for token in tokens if not isinstance(token, str)), None)
    if other is not None:
        raise TypeError(f"{name} holds something of type {type(other).__name__}; expected strings.")
    return list(tokens)


def check_vocab(vocab: Any) -> Any:
    """The vocabulary, when it is a dict.

    Args:
        vocab: what came.

    Raises:
        TypeError: something else.

    >>> check_vocab({"<pad>": 0})
    {'<pad>': 0}
    """
    if not isinstance(vocab, dict):
        raise TypeError(f"vocab is of type {type(vocab).__name__}; expected a dict of word to number.")
    return vocab


def check_classes(kind: type, classes: int, **arguments: Any) -> None:
    """Check labels and answers of a classifier, one pair per example.

    Args:
        kind: the array type that the kernel takes.
        classes: how many classes there are.
        **arguments: arrays of integers by name, all of one length.

    Raises:
        TypeError: no array of integers.
        ValueError: no example, another length than the first, or a class that does not exist.

    >>> import numpy as np
    >>> check_classes(np.ndarray, 2, y_true=np.array([0, 1]), y_pred=np.array([2, 0]))
    Traceback (most recent call last):
    ValueError: y_pred goes from 0 to 2; expected classes from 0 to 1.
    """
    first = next(iter(arguments.values()))
    for name, value in arguments.items():
        if not isinstance(value, kind) or "int" not in str(value.dtype):
            raise TypeError(f"{name} is of type {type(value).__name__}; expected a {kind.__name__} of integers.")
        shape, wanted = tuple(value.shape), tuple(first.shape)
        if len(shape) != 1 or 0 in shape or shape != wanted:
            raise ValueError(f"{name} has shape {shape}; expected (N,), the same for all, with at least one example.")
        low, high = int(value.min()), int(value.max())
        if low < 0 or high >= classes:
            raise ValueError(f"{name} goes from {low} to {high}; expected classes from 0 to {classes - 1}.")


def check_filters(kind: type, x: Any, filters: Any, biases: Any) -> int:
    """Check the filters of a text network, a group for each width, against the texts.

    Args:
        kind: the array type that the kernel takes.
        x: the texts, (N, L, D), checked before.
        filters: a list of arrays (M, D, width).
        biases: a list of arrays (M,).

    Returns:
        The number of filters of all widths together.

    Raises:
        TypeError: no list of arrays, or a dtype does not fit.
        ValueError: a shape does not fit, or a filter is wider than the texts.

    >>> import numpy as np
    >>> check_filters(np.ndarray, np.zeros((1, 2, 3)), [np.zeros((4, 3, 5))], [np.zeros(4)])
    Traceback (most recent call last):
    ValueError: filters[0] covers 5 words; expected at most 2, the length of the texts.
    """
    for name, value in (("filters", filters), ("biases", biases)):
        check_list(name, value)
    if len(filters) != len(biases):
        raise ValueError(f"filters has {len(filters)} entries and biases {len(biases)}; expected one bias per group.")
    for i, (group, bias) in enumerate(zip(filters, biases, strict=True)):
        check_arrays(kind, x=(x, "N L D"), **{f"filters[{i}]": (group, "M D width"), f"biases[{i}]": (bias, "M")})
        if group.shape[2] > x.shape[1]:
            covers = f"filters[{i}] covers {group.shape[2]} words"
            raise ValueError(f"{covers}; expected at most {x.shape[1]}, the length of the texts.")
    return sum(len(group) for group in filters)
