"""A network with one hidden layer of sigmoids: forward, backward, size, and XOR."""

# ruff: noqa: PLR0913 - the parameters of two layers are five arguments before anything else is said.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.numpy_kernels.activations import sigmoid
from course_lib.numpy_kernels.linear import affine_forward
from course_lib.numpy_kernels.losses import mse_loss_backward
from course_lib.validate import check_arrays, check_count, check_number, check_sizes

Cache = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Parameters = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def xor_weights() -> Parameters:
    """Weights of a 2-2-1 network that computes XOR, made by hand.

    The first hidden unit answers "at least one input is on", the second "both are on"; the output wants
    the first without the second. Steep slopes (20 and 30) bring each sigmoid close to 0 or 1.

    Returns:
        ``w1`` (2, 2), ``b1`` (2,), ``w2`` (1, 2), ``b2`` (1,), float64.

    Source: XOR as "or, but not and"; Minsky and Papert (1969) on why one unit is not enough.

    >>> mlp_forward(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), *xor_weights())[0].round(2).ravel()
    array([0., 1., 1., 0.])
    """
    w1 = np.array([[20.0, 20.0], [20.0, 20.0]])
    b1 = np.array([-10.0, -30.0])
    w2 = np.array([[30.0, -30.0]])
    b2 = np.array([-15.0])
    return w1, b1, w2, b2


def mlp_forward(
    x: np.ndarray, w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, b2: np.ndarray
) -> tuple[np.ndarray, Cache]:
    """Forward pass of a network with one hidden layer.

    ``h = sigmoid(x @ w1.T + b1)``, ``out = sigmoid(h @ w2.T + b2)``.

    Args:
        x: inputs, (N, D), float32 or float64.
        w1: weights into the hidden layer, (H, D), same dtype.
        b1: its biases, (H,), same dtype.
        w2: weights into the output layer, (M, H), same dtype.
        b2: its biases, (M,), same dtype.

    Returns:
        ``out``, (N, M), and the cache ``(x, h, out, w2)`` that `mlp_backward` needs.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Rumelhart, Hinton and Williams (1986).

    >>> mlp_forward(np.ones((1, 3)), np.zeros((2, 3)), np.zeros(2), np.ones((1, 2)), np.array([-1.0]))[0]
    array([[0.5]])
    """
    check_arrays(np.ndarray, x=(x, "N D"), w1=(w1, "H D"), b1=(b1, "H"), w2=(w2, "M H"), b2=(b2, "M"))
    h = sigmoid(affine_forward(x, w1, b1)[0])
    out = sigmoid(affine_forward(h, w2, b2)[0])
    return out, (x, h, out, w2)


def hidden_delta(dout: np.ndarray, h: np.ndarray, out: np.ndarray, w2: np.ndarray) -> np.ndarray:
    """Gradient with respect to the weighted sums that enter the hidden sigmoids.

    ``(dout * out * (1 - out)) @ w2 * h * (1 - h)``: the slope of a sigmoid is ``s * (1 - s)``, and h and
    out are already s.

    Args:
        dout: gradient of the loss with respect to `out`, (N, M), float32 or float64.
        h: activated hidden units, (N, H), same dtype.
        out: activated outputs, (N, M), same dtype.
        w2: weights into the output layer, (M, H), same dtype.

    Returns:
        The gradient, (N, H), same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Rumelhart, Hinton and Williams (1986), the error signal of a hidden unit.

    >>> hidden_delta(np.ones((1, 1)), np.array([[0.5, 1.0]]), np.array([[0.5]]), np.array([[4.0, 4.0]]))
    array([[0.25, 0.  ]])
    """
    check_arrays(np.ndarray, dout=(dout, "N M"), h=(h, "N H"), out=(out, "N M"), w2=(w2, "M H"))
    return (dout * out * (1 - out)) @ w2 * h * (1 - h)


def mlp_backward(dout: np.ndarray, cache: Cache) -> Parameters:
    """Backward pass of `mlp_forward`: the gradients of its four parameters.

    ``dz2 = dout * out * (1 - out)``, ``dz1 = dz2 @ w2 * h * (1 - h)``; each weight's gradient is
    ``dz.T @ input``, each bias's the sum of dz over the batch.

    Args:
        dout: gradient of the loss with respect to the output, (N, M), float32 or float64.
        cache: what `mlp_forward` returned second.

    Returns:
        ``dw1`` (H, D), ``db1`` (H,), ``dw2`` (M, H), ``db2`` (M,), same dtype.

    Raises:
        TypeError: an argument is no array or no cache, or a dtype does not fit.
        ValueError: a shape does not fit.

    Source: Rumelhart, Hinton and Williams (1986).

    >>> arguments = [np.zeros(shape) for shape in ((1, 1), (2, 1), 2, (1, 2), 1)]
    >>> mlp_backward(np.ones((1, 1)), mlp_forward(*arguments)[1])[2]
    array([[0.125, 0.125]])
    """
    if not isinstance(cache, tuple) or len(cache) != 4:
        raise TypeError(f"cache is of type {type(cache).__name__}; expected the second thing mlp_forward returns.")
    x, h, out, w2 = cache
    check_arrays(np.ndarray, dout=(dout, "N M"), x=(x, "N D"), h=(h, "N H"), out=(out, "N M"), w2=(w2, "M H"))
    dz2 = dout * out * (1 - out)
    dz1 = hidden_delta(dout, h, out, w2)
    return dz1.T @ x, dz1.sum(axis=0), dz2.T @ h, dz2.sum(axis=0)


def count_parameters(sizes: Sequence[int], bias: bool = True) -> int:
    """How many numbers a dense network has to learn.

    ``sum_k sizes[k] * sizes[k + 1]``, plus one bias per unit behind the input when `bias` is true.

    Args:
        sizes: units per layer, from the input to the output; at least two layers.
        bias: do the layers have biases?

    Returns:
        The number of weights and biases.

    Raises:
        TypeError: a size is no integer, or `bias` is no bool.
        ValueError: fewer than two layers, or a layer without units.

    Source: the definition of a dense layer.

    >>> count_parameters([10, 200, 100, 1]), count_parameters([10, 200, 100, 1], bias=False)
    (22401, 22100)
    """
    units = check_sizes(sizes, bias)
    return sum((units_in + bias) * units_out for units_in, units_out in zip(units, units[1:], strict=False))


def train_xor(
    x: np.ndarray,
    y: np.ndarray,
    w1: np.ndarray,
    b1: np.ndarray,
    w2: np.ndarray,
    b2: np.ndarray,
    lr: float,
    steps: int,
) -> Parameters:
    """Full-batch gradient descent on `mse_loss`.

    Each step computes all four gradients first and then subtracts ``lr`` times each.

    Args:
        x: inputs, (N, 2), float32 or float64.
        y: targets 0 or 1, (N, 1), same dtype.
        w1: initial weights, (H, 2), same dtype.
        b1: initial biases, (H,), same dtype.
        w2: initial weights, (1, H), same dtype.
        b2: initial biases, (1,), same dtype.
        lr: learning rate, positive.
        steps: how many steps, 0 or more.

    Returns:
        The new ``w1, b1, w2, b2``, always new arrays.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, `lr` is not positive, or `steps` is negative.

    Source: Cauchy (1847) for the descent; Rumelhart, Hinton and Williams (1986) for XOR.

    >>> train_xor(np.eye(2), np.ones((2, 1)), np.ones((1, 2)), np.ones(1), np.zeros((1, 1)), np.zeros(1), 4.0, 1)[3]
    array([1.])
    """
    check_arrays(np.ndarray, x=(x, "N 2"), y=(y, "N 1"), w1=(w1, "H 2"), b1=(b1, "H"), w2=(w2, "1 H"), b2=(b2, "1"))
    rate = check_number("lr", lr, positive=True)
    parameters = (w1.copy(), b1.copy(), w2.copy(), b2.copy())
    for _ in range(check_count("steps", steps, least=0)):
        out, cache = mlp_forward(x, *parameters)
        gradients = mlp_backward(mse_loss_backward(out, y), cache)
        parameters = tuple(p - rate * g for p, g in zip(parameters, gradients, strict=True))
    return parameters
