"""Argument checks that both references share.

What enters: the arguments of a kernel. What leaves: nothing, or a sentence that names the argument,
says what came and what was expected. No Torch here: a tensor is recognised by the type the caller names.
"""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any


def check_arrays(kind: type | tuple[type, ...], **arguments: tuple[Any, str | None]) -> None:
    """Check type, dtype and shape of arrays that belong together.

    Args:
        kind: the array type that the kernel takes.
        **arguments: name to (value, shape); the shape is written as in ``"N D"`` or ``"N 2"``, and None
            means any. The same letter must be the same size everywhere, and no size may be zero. A leading
            ``...`` stands for any axes, also none.

    Raises:
        TypeError: an argument is no array, does not hold real floating numbers, or has another dtype than the first.
        ValueError: a shape does not fit.

    >>> import numpy as np
    >>> check_arrays(np.ndarray, x=(np.zeros((4, 3)), "N D"), w=(np.zeros((2, 5)), "M D"))
    Traceback (most recent call last):
    ValueError: w has shape (2, 5); expected (M, D) with D = 3 as in x.
    """
    sizes: dict[str, tuple[int, str]] = {}
    first = next(iter(arguments))
    for name, (value, shape) in arguments.items():
        _check_type(name, value, kind)
        if value.dtype != arguments[first][0].dtype:
            wanted = _dtype_name(arguments[first][0])
            raise TypeError(f"{name} has dtype {_dtype_name(value)}; expected {wanted}, the dtype of {first}.")
        if shape is not None:
            _check_shape(name, tuple(value.shape), shape.split(), sizes)


def check_same(kind: type | tuple[type, ...], **arguments: Any) -> None:
    """Check that an array has the type, dtype and shape of another one.

    Args:
        kind: the array type that the kernel takes.
        **arguments: two arrays by name; the second is the model.

    Raises:
        TypeError: the first is no array, or has another dtype.
        ValueError: it has another shape.

    >>> import numpy as np
    >>> check_same(np.ndarray, dout=np.zeros((3, 2)), out=np.zeros((2, 3)))
    Traceback (most recent call last):
    ValueError: dout has shape (3, 2); expected (2, 3), the shape of out.
    """
    (name, value), (model_name, model) = arguments.items()
    _check_type(name, value, kind)
    if value.dtype != model.dtype:
        wanted = _dtype_name(model)
        raise TypeError(f"{name} has dtype {_dtype_name(value)}; expected {wanted}, the dtype of {model_name}.")
    if tuple(value.shape) != tuple(model.shape):
        wanted = tuple(model.shape)
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected {wanted}, the shape of {model_name}.")


def check_number(name: str, value: Any, *, positive: bool = False) -> float:
    """The value as a Python float, which leaves float32 arrays float32.

    Args:
        name: the argument's name.
        value: a real number, or an array or tensor without axes.
        positive: refuse zero and below.

    Raises:
        TypeError: not a real number.
        ValueError: not finite, or not positive where it must be.

    >>> check_number("lr", 1)
    1.0
    """
    if isinstance(value, bool) or not (isinstance(value, Real) or getattr(value, "ndim", None) == 0):
        raise TypeError(f"{name} is {_what(value)}; expected a number.")
    number = float(value)
    if not math.isfinite(number) or (positive and number <= 0):
        wanted = "a positive number" if positive else "a finite number"
        raise ValueError(f"{name} is {number}; expected {wanted}.")
    return number


def check_strength(value: Any) -> float:
    """The strength of a penalty as a Python float.

    Args:
        value: a real number, called strength.

    Raises:
        TypeError: not a real number.
        ValueError: not finite, or negative.

    >>> check_strength(0)
    0.0
    """
    number = check_number("strength", value)
    if number < 0:
        raise ValueError(f"strength is {number}; expected 0 or more.")
    return number


def check_count(name: str, value: Any, least: int) -> int:
    """The value as a Python integer.

    Args:
        name: the argument's name.
        value: an integer of any kind, but no bool.
        least: the smallest value allowed.

    Raises:
        TypeError: not an integer.
        ValueError: too small.

    >>> check_count("steps", 5, least=0)
    5
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {_what(value)}; expected an integer.")
    number = operator.index(value)
    if number < least:
        raise ValueError(f"{name} is {number}; expected an integer of at least {least}.")
    return number


def check_label(name: str, value: Any) -> int:
    """The label of one example as a Python integer.

    Args:
        name: the argument's name.
        value: 0 or 1, of any number type.

    Raises:
        TypeError: not a number.
        ValueError: another number.

    >>> check_label("y", 1.0)
    1
    """
    if check_number(name, value) not in (0.0, 1.0):
        raise ValueError(f"{name} is {value}; expected 0 or 1.")
    return int(value)


def check_labels(name: str, value: Any, logits: Any, kind: type) -> None:
    """Check the class indices that belong to the rows of a matrix of scores.

    Args:
        name: the argument's name.
        value: one class index per row.
        logits: the scores, (N, C), checked before.
        kind: the array type that the kernel takes.

    Raises:
        TypeError: no array of integers.
        ValueError: another number of them than rows, or a class that does not exist.

    >>> import numpy as np
    >>> check_labels("labels", np.array([0, 3]), np.zeros((2, 3)), np.ndarray)
    Traceback (most recent call last):
    ValueError: labels go from 0 to 3; expected classes from 0 to 2.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {_what(value)}; expected a {kind.__name__} of integers.")
    if "int" not in str(value.dtype):
        raise TypeError(f"{name} has dtype {_dtype_name(value)}; expected integers.")
    n, classes = logits.shape
    if tuple(value.shape) != (n,):
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected ({n},), one class per row.")
    low, high = int(value.min()), int(value.max())
    if low < 0 or high >= classes:
        raise ValueError(f"{name} go from {low} to {high}; expected classes from 0 to {classes - 1}.")


def check_share(name: str, value: Any, *, one: bool = False) -> float:
    """A number from 0 to 1 as a Python float.

    Args:
        name: the argument's name.
        value: a real number.
        one: is 1 itself allowed?

    Raises:
        TypeError: not a real number.
        ValueError: outside.

    >>> check_share("p", 0.25)
    0.25
    """
    number = check_number(name, value)
    if number < 0 or number > 1 or (number == 1 and not one):
        raise ValueError(
            f"{name} is {number}; expected a number {'from 0 to 1' if one else 'of at least 0 and below 1'}."
        )
    return number


def check_choice(name: str, value: Any, options: tuple[Any, ...]) -> None:
    """Check that the value is one of a few.

    Args:
        name: the argument's name.
        value: what came.
        options: what may come.

    Raises:
        ValueError: something else.

    >>> check_choice("form", "tan", ("erf", "tanh"))
    Traceback (most recent call last):
    ValueError: form is 'tan'; expected 'erf' or 'tanh'.
    """
    if not any(value is option or (isinstance(option, str) and value == option) for option in options):
        raise ValueError(f"{name} is {value!r}; expected {' or '.join(map(repr, options))}.")


def check_flag(name: str, value: Any) -> bool:
    """The value, when it is True or False.

    Args:
        name: the argument's name.
        value: what came.

    Raises:
        TypeError: something else, also 0 and 1.

    >>> check_flag("nesterov", True)
    True
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {_what(value)}; expected True or False.")
    return value


def check_rows(kind: type, **arguments: Any) -> int:
    """How many rows arrays of any dtype have in common.

    Args:
        kind: the array type that the kernel takes.
        **arguments: name to array.

    Raises:
        TypeError: no array.
        ValueError: no rows, or another number of rows than the first array.

    >>> import numpy as np
    >>> check_rows(np.ndarray, x=np.zeros((3, 2)), y=np.zeros(3))
    3
    """
    first = next(iter(arguments))
    for name, value in arguments.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name} is {_what(value)}; expected a {kind.__name__}.")
        rows = len(value) if value.ndim else 0
        if not rows or rows != len(arguments[first]):
            wanted = f"{len(arguments[first])} rows as in {first}" if rows else "at least one row"
            raise ValueError(f"{name} has shape {tuple(value.shape)}; expected {wanted}.")
    return rows


def check_permutation(name: str, value: Any, n: int, kind: type) -> None:
    """Check that an array holds each of 0 to n - 1 once.

    Args:
        name: the argument's name.
        value: the order.
        n: how many things are ordered.
        kind: the array type that the kernel takes.

    Raises:
        TypeError: no array of integers.
        ValueError: another length, or a number that is missing.

    >>> import numpy as np
    >>> check_permutation("perm", np.array([0, 2, 2]), 3, np.ndarray)
    Traceback (most recent call last):
    ValueError: perm is no permutation; expected each of 0 to 2 once.
    """
    if not isinstance(value, kind) or "int" not in str(value.dtype):
        raise TypeError(f"{name} is {_what(value)}; expected a {kind.__name__} of integers.")
    if tuple(value.shape) != (n,):
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected ({n},), one entry per row.")
    if sorted(value.tolist()) != list(range(n)):
        raise ValueError(f"{name} is no permutation; expected each of 0 to {n - 1} once.")


def check_axis(name: str, value: Any, array: Any) -> int:
    """The value as an axis of the array, which must have entries along it.

    Args:
        name: the argument's name.
        value: an integer; negative ones count from the end.
        array: the array, called x.

    Raises:
        TypeError: not an integer.
        ValueError: the array has no such axis, or nothing along it.

    >>> import numpy as np
    >>> check_axis("axis", -1, np.zeros((2, 3)))
    -1
    """
    axis = check_count(name, value, least=-array.ndim)
    if axis >= array.ndim or array.shape[axis] == 0:
        shape = tuple(array.shape)
        raise ValueError(f"{name} is {axis}, and x has shape {shape}; expected an axis of x with entries.")
    return axis


def check_cache(cache: Any, length: int, forward: str) -> Any:
    """The cache, when it is one.

    Args:
        cache: what a backward pass was given.
        length: how many things are in it.
        forward: the function that makes it.

    Raises:
        TypeError: something else.

    >>> check_cache(None, 2, "relu_forward")
    Traceback (most recent call last):
    TypeError: cache is of type NoneType; expected the second thing relu_forward returns.
    """
    # In a case that hands a cache over, it has become a list on its way through the wall.
    if not isinstance(cache, (tuple, list)) or len(cache) != length:
        raise TypeError(f"cache is of type {type(cache).__name__}; expected the second thing {forward} returns.")
    return cache


def check_sizes(sizes: Any, bias: Any) -> list[int]:
    """The layer sizes of a dense network as Python integers.

    Args:
        sizes: units per layer, at least two layers of at least one unit.
        bias: must be a bool.

    Raises:
        TypeError: no sequence of integers, or `bias` is no bool.
        ValueError: fewer than two layers, or a layer without units.

    >>> check_sizes((2, 8, 1), True)
    [2, 8, 1]
    """
    if isinstance(sizes, str) or not hasattr(sizes, "__len__"):
        raise TypeError(f"sizes is {_what(sizes)}; expected a list of integers.")
    if len(sizes) < 2:
        raise ValueError(f"sizes has {len(sizes)} entries; expected at least an input and an output layer.")
    if not isinstance(bias, bool):
        raise TypeError(f"bias is {_what(bias)}; expected True or False.")
    return [check_count(f"sizes[{i}]", size, least=1) for i, size in enumerate(sizes)]


def _check_type(name: str, value: Any, kind: type | tuple[type, ...]) -> None:
    if not isinstance(value, kind):
        wanted = (kind if isinstance(kind, type) else kind[0]).__name__
        raise TypeError(f"{name} is {_what(value)}; expected a {wanted} of float32 or float64.")
    floating = getattr(value.dtype, "is_floating_point", None)
    if not (value.dtype.kind == "f" if floating is None else floating):
        raise TypeError(f"{name} has dtype {_dtype_name(value)}; expected float32 or float64.")


def _check_shape(name: str, got: tuple[int, ...], letters: list[str], sizes: dict[str, tuple[int, str]]) -> None:
    wanted = f"({', '.join(letters)}{',' if len(letters) == 1 else ''})"
    sized, rest = got, letters
    if letters[:1] == ["..."]:
        rest = letters[1:]
        sized = got[len(got) - len(rest) :]
    if len(sized) != len(rest) or 0 in got[: len(got) - len(rest)]:
        raise ValueError(f"{name} has shape {got}; expected {wanted}.")
    for letter, size in zip(rest, sized, strict=True):
        fixed = (int(letter), "") if letter.isdigit() else sizes.setdefault(letter, (size, name))
        if size != fixed[0]:
            because = f" with {letter} = {fixed[0]} as in {fixed[1]}" if fixed[1] else ""
            raise ValueError(f"{name} has shape {got}; expected {wanted}{because}.")
        if size == 0:
            raise ValueError(f"{name} has shape {got}; expected {wanted} with no size of zero.")


def _dtype_name(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def _what(value: Any) -> str:
    shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
    return f"of type {type(value).__name__}{shape}"
