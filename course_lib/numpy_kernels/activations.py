"""Activation functions: an array in, an array of the same shape and dtype out."""

from __future__ import annotations

import numpy as np

from course_lib.erf import erf
from course_lib.validate import check_arrays, check_axis, check_cache, check_choice, check_number, check_same

_ANY = (np.ndarray, np.generic)
_FORMS = ("erf", "tanh")
# The tanh form of GELU is 0.5 * x * (1 + tanh(_A * (x + _B * x**3))).
_A, _B = float(np.sqrt(2 / np.pi)), 0.044715


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function, element by element.

    ``1 / (1 + exp(-x))``, written so that `exp` only ever sees numbers at or below zero.

    Args:
        x: any shape, also without axes; float32 or float64.

    Returns:
        Numbers between 0 and 1, same shape and dtype as `x`.

    Raises:
        TypeError: `x` is no array of floating numbers.

    Source: Verhulst (1845); as a unit of a network Rumelhart, Hinton and Williams (1986).

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    check_arrays((np.ndarray, np.generic), x=(x, None))
    # exp(-|x|) cannot overflow; exp(x) at 1000 would be inf, and inf / inf is NaN.
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.ones_like(small)) / (1 + small)


def sigmoid_backward(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Gradient of `sigmoid`: ``dout * s * (1 - s)``, and ``s * (1 - s) = e / (1 + e)**2`` with ``e = exp(-|x|)``.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        x: what `sigmoid` was given, same shape and dtype.

    Returns:
        The gradient with respect to `x`, same shape and dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: the shapes differ.

    Source: Rumelhart, Hinton and Williams (1986).

    >>> sigmoid_backward(np.array([4.0, 1.0]), np.array([0.0, 1000.0]))
    array([1., 0.])
    """
    check_arrays(_ANY, x=(x, None))
    check_same(_ANY, dout=dout, x=x)
    small = np.exp(-np.abs(x))
    return dout * (small / np.square(1 + small))


def tanh_forward(x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray]]:
    """The hyperbolic tangent, ``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``, element by element.

    Args:
        x: any shape; float32 or float64.

    Returns:
        ``out``, same shape and dtype, and the cache ``(out,)``.

    Raises:
        TypeError: `x` is no array of floating numbers.

    Source: LeCun, Bottou, Orr and Mueller (1998) on why it trains better than the sigmoid.

    >>> tanh_forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([-1.,  0.,  1.])
    """
    check_arrays(_ANY, x=(x, None))
    out = np.tanh(x)
    return out, (out,)


def tanh_backward(dout: np.ndarray, cache: tuple[np.ndarray]) -> np.ndarray:
    """Gradient of `tanh_forward`: ``dout * (1 - out**2)``.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        cache: what `tanh_forward` returned second.

    Returns:
        The gradient with respect to the input, same shape and dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: derivative of the definition.

    >>> tanh_backward(np.array([3.0, 3.0]), tanh_forward(np.array([0.0, 1000.0]))[1])
    array([3., 0.])
    """
    (out,) = check_cache(cache, 1, "tanh_forward")
    check_same(_ANY, dout=dout, out=out)
    return dout * (1 - out * out)


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray]]:
    """The rectifier, ``max(x, 0)``, element by element.

    Args:
        x: any shape; float32 or float64.

    Returns:
        ``out``, same shape and dtype, and the cache ``(out,)``.

    Raises:
        TypeError: `x` is no array of floating numbers.

    Source: Nair and Hinton (2010); Glorot, Bordes and Bengio (2011).

    >>> relu_forward(np.array([-2.0, 0.0, 3.0]))[0]
    array([0., 0., 3.])
    """
    check_arrays(_ANY, x=(x, None))
    out = np.maximum(x, 0)
    return out, (out,)


def relu_backward(dout: np.ndarray, cache: tuple[np.ndarray]) -> np.ndarray:
    """Gradient of `relu_forward`: `dout` where the input was above 0, and 0 elsewhere, also at 0.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        cache: what `relu_forward` returned second.

    Returns:
        The gradient with respect to the input, same shape and dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Glorot, Bordes and Bengio (2011); at 0 the convention of Torch.

    >>> relu_backward(np.array([5.0, 5.0, 5.0]), relu_forward(np.array([-2.0, 0.0, 3.0]))[1])
    array([0., 0., 5.])
    """
    (out,) = check_cache(cache, 1, "relu_forward")
    check_same(_ANY, dout=dout, out=out)
    # A product with 0 and 1 is several times faster than np.where, which branches on every sign.
    return dout * (out > 0).astype(out.dtype)


def leaky_relu(x: np.ndarray, slope: float = 0.01) -> np.ndarray:
    """The rectifier that leaks: ``x`` above 0, ``slope * x`` elsewhere.

    Args:
        x: any shape; float32 or float64.
        slope: the slope at and below 0, a number.

    Returns:
        The values, same shape and dtype as `x`.

    Raises:
        TypeError: `x` is no array of floating numbers, or `slope` no number.
        ValueError: `slope` is not finite.

    Source: Maas, Hannun and Ng (2013).

    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]), slope=0.5)
    array([-1.,  0.,  3.])
    """
    check_arrays(_ANY, x=(x, None))
    return np.maximum(x, 0) + check_number("slope", slope) * np.minimum(x, 0)


def leaky_relu_backward(dout: np.ndarray, x: np.ndarray, slope: float = 0.01) -> np.ndarray:
    """Gradient of `leaky_relu`: `dout` where `x` is above 0, ``slope * dout`` elsewhere, also at 0.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        x: what `leaky_relu` was given, same shape and dtype.
        slope: the slope at and below 0, a number.

    Returns:
        The gradient with respect to `x`, same shape and dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: the shapes differ, or `slope` is not finite.

    Source: Maas, Hannun and Ng (2013); at 0 the convention of Torch.

    >>> leaky_relu_backward(np.array([4.0, 4.0, 4.0]), np.array([-2.0, 0.0, 3.0]), slope=0.5)
    array([2., 2., 4.])
    """
    check_arrays(_ANY, x=(x, None))
    check_same(_ANY, dout=dout, x=x)
    low = check_number("slope", slope)
    return dout * (low + (1 - low) * (x > 0).astype(x.dtype))


def gelu(x: np.ndarray, form: str = "erf") -> np.ndarray:
    """The Gaussian error linear unit, x times the probability that a standard normal number is below x.

    ``x * Phi(x)`` with ``Phi(x) = (1 + erf(x / sqrt(2))) / 2``; the tanh form replaces Phi by
    ``(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2`` and differs by up to 4.7e-4.

    Args:
        x: any shape; float32 or float64.
        form: ``"erf"``, exact, or ``"tanh"``, the approximation.

    Returns:
        The values, same shape and dtype as `x`.

    Raises:
        TypeError: `x` is no array of floating numbers.
        ValueError: there is no such form.

    Source: Hendrycks and Gimpel (2016).

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4), gelu(np.array([1.0]), form="tanh").round(4)
    (array([-0.1587,  0.    ,  0.8413]), array([0.8412]))
    """
    check_arrays(_ANY, x=(x, None))
    check_choice("form", form, _FORMS)
    return 0.5 * x * (1 + (erf(x * 0.5**0.5) if form == "erf" else np.tanh(_gelu_inner(x))))


def gelu_backward(dout: np.ndarray, x: np.ndarray, form: str = "erf") -> np.ndarray:
    """Gradient of `gelu`, of the same form.

    ``dout * (Phi(x) + x * phi(x))`` with ``phi(x) = exp(-x**2 / 2) / sqrt(2 * pi)``; in the tanh form, with
    ``t = tanh(...)``, phi becomes ``(1 - t**2) * sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2) / 2``.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        x: what `gelu` was given, same shape and dtype.
        form: ``"erf"`` or ``"tanh"``.

    Returns:
        The gradient with respect to `x`, same shape and dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: the shapes differ, or there is no such form.

    Source: Hendrycks and Gimpel (2016), differentiated.

    >>> gelu_backward(np.array([2.0]), np.array([0.0]))
    array([1.])
    """
    check_arrays(_ANY, x=(x, None))
    check_same(_ANY, dout=dout, x=x)
    check_choice("form", form, _FORMS)
    if form == "erf":
        below, density = 0.5 * (1 + erf(x * 0.5**0.5)), np.exp(-0.5 * x * x) * (0.5 * _A)
    else:
        t = np.tanh(_gelu_inner(x))
        below, density = 0.5 * (1 + t), (0.5 * _A) * (1 - t * t) * (1 + (3 * _B) * x * x)
    return dout * (below + x * density)


def _gelu_inner(x: np.ndarray) -> np.ndarray:
    # x * x * x: x**3 goes through a general power, which is many times slower.
    return _A * (x + _B * (x * x * x))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Scores to probabilities: ``exp(x_i) / sum_j exp(x_j)`` along one axis.

    The largest score is subtracted first, which changes nothing and keeps exp from overflowing.

    Args:
        x: scores, at least one axis; float32 or float64.
        axis: the axis along which the result sums to 1.

    Returns:
        Probabilities, same shape and dtype as `x`.

    Raises:
        TypeError: `x` is no array of floating numbers, or `axis` no integer.
        ValueError: `x` has no such axis, or no entries along it.

    Source: Bridle (1990).

    >>> softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3.0)]]))
    array([[0.5 , 0.5 ],
           [0.25, 0.75]])
    """
    check_arrays(np.ndarray, x=(x, None))
    along = check_axis("axis", axis, x)
    out = x - x.max(axis=along, keepdims=True)
    np.exp(out, out=out)
    out /= out.sum(axis=along, keepdims=True)
    return out


def softmax_backward(dout: np.ndarray, x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Gradient of `softmax`: ``p * (dout - sum_j dout_j * p_j)`` with ``p = softmax(x)``.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        x: what `softmax` was given, same shape and dtype.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        The gradient with respect to `x`, same shape and dtype.

    Raises:
        TypeError: an argument is no array or integer, or its dtype does not fit.
        ValueError: the shapes differ, or `x` has no such axis.

    Source: Bridle (1990): the product with the Jacobian of `softmax_jacobian`, without building it.

    >>> softmax_backward(np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    array([ 0.25, -0.25])
    """
    p = softmax(x, axis)
    check_same(np.ndarray, dout=dout, x=x)
    return p * (dout - np.expand_dims(np.vecdot(dout, p, axis=axis), axis))


def softmax_jacobian(x: np.ndarray) -> np.ndarray:
    """All derivatives of the softmax of each row: ``J[i, j] = p_i * ((i == j) - p_j)``.

    Args:
        x: scores, (..., C); float32 or float64.

    Returns:
        The Jacobians ``diag(p) - p p^T``, (..., C, C), same dtype; symmetric, rows sum to 0.

    Raises:
        TypeError: `x` is no array of floating numbers.
        ValueError: `x` has no axis, or no entries along the last.

    Source: Bridle (1990).

    >>> softmax_jacobian(np.array([0.0, 0.0]))
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    p = softmax(x)
    return p[..., :, None] * (np.eye(x.shape[-1], dtype=x.dtype) - p[..., None, :])


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Logarithms of the softmax: ``x_i - log(sum_j exp(x_j))`` along one axis.

    Args:
        x: scores, at least one axis; float32 or float64.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        Log-probabilities, same shape and dtype as `x`; finite for finite scores.

    Raises:
        TypeError: `x` is no array of floating numbers, or `axis` no integer.
        ValueError: `x` has no such axis, or no entries along it.

    Source: the log-sum-exp trick; Blanchard, Higham and Higham (2021) on its accuracy.

    >>> log_softmax(np.array([0.0, -1000.0]))
    array([    0., -1000.])
    """
    check_arrays(np.ndarray, x=(x, None))
    along = check_axis("axis", axis, x)
    shifted = x - x.max(axis=along, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=along, keepdims=True))


def log_softmax_backward(dout: np.ndarray, x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Gradient of `log_softmax`: ``dout - p * sum_j dout_j`` with ``p = softmax(x)``.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        x: what `log_softmax` was given, same shape and dtype.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        The gradient with respect to `x`, same shape and dtype.

    Raises:
        TypeError: an argument is no array or integer, or its dtype does not fit.
        ValueError: the shapes differ, or `x` has no such axis.

    Source: derivative of the definition.

    >>> log_softmax_backward(np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    array([ 0.5, -0.5])
    """
    p = softmax(x, axis)
    check_same(np.ndarray, dout=dout, x=x)
    return dout - p * dout.sum(axis=axis, keepdims=True)
