"""Checks of layer lists: networks written down as plain tuples, for both references that count them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course_lib.validate import check_count
from course_lib.windows import check_fits

Table = list[tuple[str, tuple[int, ...], int]]
# Kind of a layer to its numbers: what each is called, and the least it may be.
_NUMBERS = {
    "conv": (("filters", 1), ("kernel", 1), ("stride", 1), ("padding", 0)),
    "pool": (("kernel", 1), ("stride", 1)),
    "dense": (("units", 1),),
}
_WINDOW = (("kernel", 1), ("stride", 1), ("dilation", 1))


def check_window_layers(layers: Any) -> list[tuple[int, int, int]]:
    """A list of (kernel, stride, dilation) as Python integers.

    Args:
        layers: one entry per layer, from the input on.

    Raises:
        TypeError: no list of tuples of integers.
        ValueError: an entry of another length, or a number below 1.

    >>> check_window_layers([(3, 1, 1)])
    [(3, 1, 1)]
    """
    _check_list("layers", layers)
    return [_numbers(f"layers[{k}]", layer, _WINDOW) for k, layer in enumerate(layers)]


def check_named_layers(layers: Any) -> list[tuple[str, str, tuple[int, ...]]]:
    """A list of (name, kind, numbers ...) as names, kinds and tuples of Python integers.

    Args:
        layers: ``(name, "conv", filters, kernel, stride, padding)``, ``(name, "pool", kernel, stride)`` or
            ``(name, "dense", units)``, from the input on.

    Raises:
        TypeError: no list of tuples, or what should be an integer is none.
        ValueError: an unknown kind, an entry of a wrong length, or a number that is too small.

    >>> check_named_layers([("fc1", "dense", 10)])
    [('fc1', 'dense', (10,))]
    """
    _check_list("layers", layers)
    found = []
    for k, layer in enumerate(layers):
        _check_list(f"layers[{k}]", layer)
        kind = layer[1] if len(layer) > 1 else None
        if kind not in _NUMBERS:
            raise ValueError(f"layers[{k}] is of kind {kind!r}; expected one of {', '.join(_NUMBERS)}.")
        found.append((layer[0], kind, _numbers(f"layers[{k}]", layer[2:], _NUMBERS[kind])))
    return found


def check_image_shape(shape: Any) -> tuple[int, int, int]:
    """The shape of one image, (C, H, W), as Python integers.

    Args:
        shape: three integers of at least 1.

    Raises:
        TypeError: no tuple of integers.
        ValueError: not three of them, or one below 1.

    >>> check_image_shape((3, 227, 227))
    (3, 227, 227)
    """
    return _numbers("shape", shape, (("channels", 1), ("height", 1), ("width", 1)))


def check_groups(groups: Any, channels: int, filters: int) -> int:
    """The number of groups as a Python integer.

    Args:
        groups: of at least 1.
        channels: what it must divide.
        filters: what it must divide too.

    Raises:
        TypeError: no integer.
        ValueError: below 1, or no divisor of both.

    >>> check_groups(2, 4, 6)
    2
    """
    groups = check_count("groups", groups, least=1)
    for count, what in ((channels, "channels"), (filters, "filters")):
        if count % groups:
            raise ValueError(f"groups is {groups}; expected a divisor of {count}, the {what}.")
    return groups


def check_layer_fits(name: str, shape: tuple[int, ...], kernel: int, padding: int = 0) -> None:
    """Check that a window has room on what comes into its layer.

    Args:
        name: of the layer.
        shape: what comes in.
        kernel: rows and columns of the window.
        padding: on each side.

    Raises:
        ValueError: what comes in is no image any more, or is too small.

    >>> check_layer_fits("pool1", (3, 8, 8), 2)
    """
    if len(shape) != 3:
        raise ValueError(f"{name} needs images (C, H, W); what comes in has shape {shape}.")
    for size, what in zip(shape[1:], ("rows", "columns"), strict=True):
        check_fits(what, size, kernel, padding, 1)


def _check_list(name: str, value: Any) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{name} is of type {type(value).__name__}; expected a list or tuple.")


def _numbers(name: str, values: Any, wanted: tuple[tuple[str, int], ...]) -> tuple[int, ...]:
    _check_list(name, values)
    if len(values) != len(wanted):
        words = ", ".join(word for word, _ in wanted)
        raise ValueError(f"{name} has {len(values)} numbers; expected {len(wanted)}: {words}.")
    pairs = zip(values, wanted, strict=True)
    return tuple(check_count(f"{word} in {name}", value, least=least) for value, (word, least) in pairs)
