"""Normalisation within each example: the batch does not matter, and training and evaluation are the same."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_cache, check_number, check_same
from course_lib.validate_draws import check_divides

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]
Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def layernorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, Cache]:
    """Layer normalisation: each row has its own mean and variance over the features.

    ``out = gamma * (x - mean) / sqrt(var + eps) + beta``; the variance divides by D.

    Args:
        x: inputs, (..., D), float32 or float64.
        gamma: scales, (D,), same dtype.
        beta: shifts, (D,), same dtype.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (..., D), same dtype, and the cache.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or `eps` is not positive.

    Source: Ba, Kiros and Hinton (2016).

    >>> layernorm_forward(np.array([[1.0, 3.0]]), np.array([1.0, 2.0]), np.array([0.0, 1.0]))[0].round(3)
    array([[-1.,  3.]])
    """
    check_arrays(np.ndarray, x=(x, "... D"), gamma=(gamma, "D"), beta=(beta, "D"))
    small = check_number("eps", eps, positive=True)
    x_hat, inv_std = _standardised(x.reshape(-1, x.shape[-1]), small)
    return (x_hat * gamma + beta).reshape(x.shape), (x_hat.reshape(x.shape), inv_std, gamma)


def layernorm_backward(dout: np.ndarray, cache: Cache) -> Gradients:
    """Backward pass of `layernorm_forward`.

    ``dx = (g - mean(g) - x_hat * mean(g * x_hat)) / std`` with ``g = dout * gamma``, means over each row.

    Args:
        dout: gradient of the loss with respect to the output, (..., D), float32 or float64.
        cache: what `layernorm_forward` returned second.

    Returns:
        ``dx``, (..., D), ``dgamma`` and ``dbeta``, (D,), same dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Ba, Kiros and Hinton (2016).

    >>> _, cache = layernorm_forward(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2))
    >>> [gradient.round(3).tolist() for gradient in layernorm_backward(np.array([[1.0, 2.0]]), cache)[1:]]
    [[-1.0, 2.0], [1.0, 2.0]]
    """
    x_hat, inv_std, gamma = check_cache(cache, 3, "layernorm_forward")
    check_same(np.ndarray, dout=dout, out=x_hat)
    rows, x_rows = dout.reshape(-1, dout.shape[-1]), x_hat.reshape(-1, dout.shape[-1])
    dx = _standardised_backward(rows * gamma, x_rows, inv_std)
    return dx.reshape(dout.shape), (rows * x_rows).sum(axis=0), rows.sum(axis=0)


def groupnorm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, groups: int, eps: float = 1e-5
) -> tuple[np.ndarray, Cache]:
    """Group normalisation: each image has its own mean and variance for each group of channels.

    As `layernorm_forward` over the C / groups channels and all pixels of a group; gamma and beta are per channel.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        gamma: scales, (C,), same dtype.
        beta: shifts, (C,), same dtype.
        groups: how many groups of neighbouring channels; divides C.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, C, H, W), same dtype, and the cache.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, `groups` does not divide C, or `eps` is not positive.

    Source: Wu and He (2018).

    >>> x = np.array([[[[1.0]], [[3.0]]]])
    >>> groupnorm_forward(x, np.ones(2), np.zeros(2), 1)[0].round(3).ravel()
    array([-1.,  1.])
    """
    check_arrays(np.ndarray, x=(x, "N C H W"), gamma=(gamma, "C"), beta=(beta, "C"))
    parts = check_divides("groups", groups, x.shape[1])
    small = check_number("eps", eps, positive=True)
    x_hat, inv_std = _standardised(x.reshape(len(x) * parts, -1), small)
    x_hat = x_hat.reshape(x.shape)
    return x_hat * gamma[:, None, None] + beta[:, None, None], (x_hat, inv_std, gamma)


def groupnorm_backward(dout: np.ndarray, cache: Cache) -> Gradients:
    """Backward pass of `groupnorm_forward`: the formula of `layernorm_backward`, with means over each group.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H, W), float32 or float64.
        cache: what `groupnorm_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W), ``dgamma`` and ``dbeta``, (C,), same dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Wu and He (2018).

    >>> _, cache = groupnorm_forward(np.array([[[[1.0]], [[3.0]]]]), np.ones(2), np.zeros(2), 1)
    >>> groupnorm_backward(np.ones((1, 2, 1, 1)), cache)[1].round(3)
    array([-1.,  1.])
    """
    x_hat, inv_std, gamma = check_cache(cache, 3, "groupnorm_forward")
    check_same(np.ndarray, dout=dout, out=x_hat)
    rows = (len(inv_std), -1)
    dx = _standardised_backward((dout * gamma[:, None, None]).reshape(rows), x_hat.reshape(rows), inv_std)
    return dx.reshape(dout.shape), (dout * x_hat).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))


def _standardised(rows: np.ndarray, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Each row with mean 0 and variance 1, and one over its standard deviation, (rows, 1)."""
    length = rows.shape[1]
    centred = rows - (rows @ np.ones(length, rows.dtype) / length)[:, None]
    inv_std = 1 / np.sqrt(np.vecdot(centred, centred)[:, None] / length + eps)
    centred *= inv_std
    return centred, inv_std


def _standardised_backward(dx_hat: np.ndarray, x_hat: np.ndarray, inv_std: np.ndarray) -> np.ndarray:
    length = dx_hat.shape[1]
    dx = x_hat * (np.vecdot(dx_hat, x_hat) / -length)[:, None]
    dx += dx_hat
    dx -= (dx_hat @ np.ones(length, dx.dtype) / length)[:, None]
    dx *= inv_std
    return dx
