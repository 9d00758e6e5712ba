"""Checks of what stands beside the numbers of a kernel: integers, masks, shapes and random generators.

As `course_lib.validate`, and for the same two libraries: the caller names the array type.
"""

from __future__ import annotations

from typing import Any

from course_lib.validate import check_count


def check_integers(name: str, value: Any, kind: type, shape: tuple[int, ...], low: int, high: int) -> None:
    """Check an array of integers.

    Args:
        name: the argument's name.
        value: what came.
        kind: the array type that the kernel takes.
        shape: the shape it must have.
        low: the smallest integer allowed.
        high: the largest.

    Raises:
        TypeError: no array of integers.
        ValueError: another shape, or an integer outside.

    >>> import numpy as np
    >>> check_integers("perm", np.array([0, 3]), np.ndarray, (2,), 0, 1)
    Traceback (most recent call last):
    ValueError: perm goes from 0 to 3; expected integers from 0 to 1.
    """
    _check_kind(name, value, kind, "integers", "int")
    _check_exact(name, value, shape)
    if 0 not in shape and (int(value.min()) < low or int(value.max()) > high):
        came = f"{int(value.min())} to {int(value.max())}"
        raise ValueError(f"{name} goes from {came}; expected integers from {low} to {high}.")


def check_mask(name: str, value: Any, kind: type, shape: tuple[int, ...]) -> None:
    """Check an array of True and False.

    Args:
        name: the argument's name.
        value: what came.
        kind: the array type that the kernel takes.
        shape: the shape it must have.

    Raises:
        TypeError: no array of bools.
        ValueError: another shape.

    >>> import numpy as np
    >>> check_mask("mask", np.ones(3, bool), np.ndarray, (2,))
    Traceback (most recent call last):
    ValueError: mask has shape (3,); expected (2,).
    """
    _check_kind(name, value, kind, "bools", "bool")
    _check_exact(name, value, shape)


def check_shape(name: str, value: Any) -> tuple[int, ...]:
    """The shape of a weight as Python integers: outputs, inputs, and what a filter extends over.

    Args:
        name: the argument's name.
        value: at least two positive integers.

    Raises:
        TypeError: no sequence of integers.
        ValueError: fewer than two, or one below 1.

    >>> check_shape("shape", [3, 2])
    (3, 2)
    """
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected integers such as (outputs, inputs).")
    if len(value) < 2:
        raise ValueError(f"{name} has {len(value)} entries; expected at least (outputs, inputs).")
    return tuple(check_count(f"{name}[{i}]", size, least=1) for i, size in enumerate(value))


def check_generator(name: str, value: Any, kind: type, instead: str) -> None:
    """Check that there is something to draw random numbers from.

    Args:
        name: the argument's name.
        value: what came.
        kind: the generator type that the kernel takes.
        instead: the argument that would make a generator unnecessary.

    Raises:
        TypeError: something else.

    >>> import numpy as np
    >>> check_generator("rng", None, np.random.Generator, "mask")
    Traceback (most recent call last):
    TypeError: rng is of type NoneType; expected a Generator, or draws of your own as mask.
    """
    if not isinstance(value, kind):
        came = type(value).__name__
        raise TypeError(f"{name} is of type {came}; expected a {kind.__name__}, or draws of your own as {instead}.")


def check_divides(name: str, value: Any, channels: int) -> int:
    """A number of groups that the channels can be split into, as a Python integer.

    Args:
        name: the argument's name.
        value: what came.
        channels: how many channels there are.

    Raises:
        TypeError: not an integer.
        ValueError: below 1, or no divisor.

    >>> check_divides("groups", 2, 6)
    2
    """
    groups = check_count(name, value, least=1)
    if channels % groups:
        raise ValueError(f"{name} is {groups}; expected a divisor of the {channels} channels of x.")
    return groups


def check_list(name: str, value: Any) -> Any:
    """The value, when it is a list or tuple with something in it.

    Args:
        name: the argument's name.
        value: what came.

    Raises:
        TypeError: something else.
        ValueError: it is empty.

    >>> check_list("weights", [1])
    [1]
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected a list.")
    if not value:
        raise ValueError(f"{name} is empty; expected at least one entry.")
    return value


def check_flag(name: str, value: Any) -> bool:
    """The value, when it is True or False.

    Args:
        name: the argument's name.
        value: what came.

    Raises:
        TypeError: something else.

    >>> check_flag("train", True)
    True
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected True or False.")
    return value


def _check_kind(name: str, value: Any, kind: type, wanted: str, dtype: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected a {kind.__name__} of {wanted}.")
    if dtype not in str(value.dtype):
        raise TypeError(f"{name} has dtype {str(value.dtype).removeprefix('torch.')}; expected {wanted}.")


def _check_exact(name: str, value: Any, shape: tuple[int, ...]) -> None:
    if tuple(value.shape) != tuple(shape):
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected {tuple(shape)}.")
