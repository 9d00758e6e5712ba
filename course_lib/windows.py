"""Windows that slide over an input: what both references demand of their arguments. Integers only, no arrays made."""

from __future__ import annotations

from typing import Any, NamedTuple

from course_lib.validate import check_arrays, check_count

Pair = tuple[int, int]


class Windows(NamedTuple):
    """How windows lie on an image: (height, width) of the kernel, the step, the border and the gaps."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair


def check_pair(name: str, value: Any, least: int) -> Pair:
    """An integer for both axes, or a pair (height, width), as a pair.

    Args:
        name: the argument's name.
        value: an integer, or a tuple or list of two.
        least: the smallest value allowed.

    Raises:
        TypeError: not integers.
        ValueError: too small, or not two of them.

    >>> check_pair("stride", 2, least=1), check_pair("stride", (2, 1), least=1)
    ((2, 2), (2, 1))
    """
    if not isinstance(value, (tuple, list)):
        return (check_count(name, value, least),) * 2
    if len(value) != 2:
        raise ValueError(f"{name} has {len(value)} entries; expected an integer or a pair (height, width).")
    height, width = (check_count(f"{name}[{i}]", entry, least) for i, entry in enumerate(value))
    return height, width


def check_fits(what: str, size: int, kernel: int, padding: int, dilation: int) -> None:
    """Check that at least one window fits into the padded input.

    Args:
        what: the axis, in the plural.
        size: of the input along that axis.
        kernel: entries of the window.
        padding: added on each side.
        dilation: step between the entries of a window.

    Raises:
        ValueError: not even one fits.

    >>> check_fits("rows", size=4, kernel=3, padding=0, dilation=2)
    Traceback (most recent call last):
    ValueError: the window covers 5 rows; expected at most 4, the rows of the padded input.
    """
    span, room = dilation * (kernel - 1) + 1, size + 2 * padding
    if span > room:
        raise ValueError(f"the window covers {span} {what}; expected at most {room}, the {what} of the padded input.")


def check_windows(shape: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: Any) -> Windows:
    """The four arguments as pairs, on an image of the last two axes of a shape.

    Args:
        shape: ends with height and width.
        kernel: of at least 1.
        stride: of at least 1.
        padding: of at least 0.
        dilation: of at least 1.

    Raises:
        TypeError: not integers.
        ValueError: too small, or no window fits.

    >>> check_windows((5, 5), 3, 2, (1, 0), 1)
    Windows(kernel=(3, 3), stride=(2, 2), padding=(1, 0), dilation=(1, 1))
    """
    windows = Windows(
        check_pair("kernel", kernel, 1),
        check_pair("stride", stride, 1),
        check_pair("padding", padding, 0),
        check_pair("dilation", dilation, 1),
    )
    for axis, what in enumerate(("rows", "columns")):
        check_fits(what, shape[axis - 2], windows.kernel[axis], windows.padding[axis], windows.dilation[axis])
    return windows


def check_conv2d(
    kind: type, arrays: tuple[Any, Any, Any], stride: Any, padding: Any, dilation: Any, groups: Any
) -> tuple[Windows, int]:
    """Check the arguments of a convolution over images.

    Args:
        kind: the array type that the kernel takes.
        arrays: x (N, C, H, W), w (K, C / groups, kh, kw), and b (K,) or None.
        stride: an integer or a pair.
        padding: an integer or a pair.
        dilation: an integer or a pair.
        groups: divides the channels of x and the outputs of w.

    Returns:
        The windows, and groups as a Python integer.

    Raises:
        TypeError: an argument is of a wrong type or dtype.
        ValueError: a shape or a number does not fit.

    >>> import numpy as np
    >>> check_conv2d(np.ndarray, (np.zeros((1, 4, 5, 5)), np.zeros((6, 3, 3, 3)), None), 1, 0, 1, 2)
    Traceback (most recent call last):
    ValueError: w has shape (6, 3, 3, 3); expected (K, D, kh, kw) with D = 2, the channels of x divided by groups.
    """
    x, w, b = arrays
    bias = {} if b is None else {"b": (b, "K")}
    check_arrays(kind, x=(x, "N C H W"), w=(w, "K D kh kw"), **bias)
    groups = check_count("groups", groups, least=1)
    for count, what in ((x.shape[1], "channels of x"), (w.shape[0], "outputs of w")):
        if count % groups:
            raise ValueError(f"groups is {groups}; expected a divisor of {count}, the {what}.")
    channels = x.shape[1] // groups
    if w.shape[1] != channels:
        divided = " divided by groups" if groups > 1 else ""
        wanted = f"(K, D, kh, kw) with D = {channels}, the channels of x{divided}"
        raise ValueError(f"w has shape {tuple(w.shape)}; expected {wanted}.")
    return check_windows(x.shape, tuple(w.shape[2:]), stride, padding, dilation), groups


def check_pool2d(kind: type, x: Any, kernel: Any, stride: Any, padding: Any) -> Windows:
    """Check the arguments of pooling over images.

    Args:
        kind: the array type that the kernel takes.
        x: (N, C, H, W).
        kernel: an integer or a pair.
        stride: an integer or a pair; None means `kernel`.
        padding: an integer or a pair, at most half the kernel.

    Raises:
        TypeError: an argument is of a wrong type or dtype.
        ValueError: a shape or a number does not fit.

    >>> import numpy as np
    >>> check_pool2d(np.ndarray, np.zeros((1, 1, 6, 6)), 2, None, 2)
    Traceback (most recent call last):
    ValueError: padding is (2, 2); expected at most half the kernel (2, 2), or a window could hold no number.
    """
    check_arrays(kind, x=(x, "N C H W"))
    windows = check_windows(x.shape, kernel, kernel if stride is None else stride, padding, 1)
    if any(2 * border > size for border, size in zip(windows.padding, windows.kernel, strict=True)):
        wanted = f"at most half the kernel {windows.kernel}, or a window could hold no number"
        raise ValueError(f"padding is {windows.padding}; expected {wanted}.")
    return windows


def check_conv1d(
    kind: type, arrays: tuple[Any, Any, Any], stride: Any, padding: Any, dilation: Any
) -> tuple[int, int, int]:
    """Check the arguments of a convolution along a text.

    Args:
        kind: the array type that the kernel takes.
        arrays: x (N, L, D), w (M, D, width), and b (M,) or None.
        stride: an integer of at least 1.
        padding: an integer of at least 0.
        dilation: an integer of at least 1.

    Returns:
        The last three as Python integers.

    Raises:
        TypeError: an argument is of a wrong type or dtype.
        ValueError: a shape or a number does not fit.

    >>> import numpy as np
    >>> check_conv1d(np.ndarray, (np.zeros((1, 4, 2)), np.zeros((3, 2, 5)), None), 1, 0, 1)
    Traceback (most recent call last):
    ValueError: the window covers 5 words; expected at most 4, the words of the padded input.
    """
    x, w, b = arrays
    bias = {} if b is None else {"b": (b, "M")}
    check_arrays(kind, x=(x, "N L D"), w=(w, "M D width"), **bias)
    steps = check_count("stride", stride, 1), check_count("padding", padding, 0), check_count("dilation", dilation, 1)
    check_fits("words", x.shape[1], w.shape[2], steps[1], steps[2])
    return steps
