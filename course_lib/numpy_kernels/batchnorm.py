"""Batch normalisation: each feature is centred and scaled over the batch.

Conventions of Torch: the variance that normalises divides by N, the one that enters the running estimate by
N - 1, and momentum is the weight of the new batch. Inputs are never changed: new estimates are returned.
"""

# ruff: noqa: PLR0913 - scales, shifts and two running estimates come with every input.
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.validate import check_arrays, check_cache, check_number, check_same, check_share
from course_lib.validate_draws import check_list

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]
Train = tuple[np.ndarray, Cache, np.ndarray, np.ndarray]
Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def batchnorm_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Train:
    """Batch normalisation of features in training mode.

    ``out = gamma * (x - mean) / sqrt(var + eps) + beta`` with mean and variance of the batch, and
    ``running = (1 - momentum) * running + momentum * batch``, where the batch's variance divides by N - 1.

    Args:
        x: inputs, (N, D), N at least 2, float32 or float64.
        gamma: scales, (D,), same dtype.
        beta: shifts, (D,), same dtype.
        running_mean: estimate of the mean so far, (D,), same dtype.
        running_var: estimate of the variance so far, (D,), same dtype.
        momentum: weight of this batch in the new estimates, from 0 to 1.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, D), same dtype, the cache, and the new running mean and variance, (D,), same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or number does not fit, or a channel has only one value.

    Source: Ioffe and Szegedy (2015).

    >>> numbers = [np.array([value]) for value in (2.0, 1.0, 0.0, 1.0)]
    >>> out, _, mean, var = batchnorm_forward(np.array([[3.0], [5.0]]), *numbers)
    >>> out.round(3).ravel(), mean.round(3), var.round(3)
    (array([-1.,  3.]), array([0.4]), array([1.1]))
    """
    _check(x, "N D", "D", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    new, small = check_share("momentum", momentum, one=True), check_number("eps", eps, positive=True)
    n = _check_several(x, len(x))
    mean = x.mean(axis=0)
    centred = x - mean
    var = np.square(centred).mean(axis=0)
    inv_std = 1 / np.sqrt(var + small)
    x_hat = centred * inv_std
    running_mean = (1 - new) * running_mean + new * mean
    running_var = (1 - new) * running_var + new * n / (n - 1) * var
    return gamma * x_hat + beta, (x_hat, inv_std, gamma), running_mean, running_var


def batchnorm_eval(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float = 1e-5,
) -> np.ndarray:
    """Batch normalisation of features in evaluation mode: with the running estimates, each example on its own.

    ``gamma * (x - running_mean) / sqrt(running_var + eps) + beta``.

    Args:
        x: inputs, (N, D), float32 or float64.
        gamma: scales, (D,), same dtype.
        beta: shifts, (D,), same dtype.
        running_mean: estimate of the mean so far, (D,), same dtype.
        running_var: estimate of the variance so far, (D,), same dtype.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, D), same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or number does not fit.

    Source: Ioffe and Szegedy (2015).

    >>> batchnorm_eval(np.array([[3.0]]), *(np.array([value]) for value in (2.0, 1.0, 1.0, 4.0))).round(3)
    array([[3.]])
    """
    _check(x, "N D", "D", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    scale = gamma / np.sqrt(running_var + check_number("eps", eps, positive=True))
    return (x - running_mean) * scale + beta


def batchnorm_backward(dout: np.ndarray, cache: Cache) -> Gradients:
    """Backward pass of `batchnorm_forward`, back through its graph step by step.

    Args:
        dout: gradient of the loss with respect to the output, (N, D), float32 or float64.
        cache: what `batchnorm_forward` returned second.

    Returns:
        ``dx``, (N, D), ``dgamma`` and ``dbeta``, (D,), same dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Ioffe and Szegedy (2015), section 3.

    >>> _, cache, _, _ = batchnorm_forward(np.array([[3.0], [5.0]]), *np.ones((4, 1)))
    >>> [gradient.round(3).ravel().tolist() for gradient in batchnorm_backward(np.array([[1.0], [3.0]]), cache)]
    [[-0.0, 0.0], [2.0], [4.0]]
    """
    x_hat, inv_std, gamma = check_cache(cache, 3, "batchnorm_forward")
    check_same(np.ndarray, dout=dout, out=x_hat)
    centred = x_hat / inv_std
    dx_hat = dout * gamma
    # x_hat = centred * inv_std
    dcentred, dinv_std = dx_hat * inv_std, (dx_hat * centred).sum(axis=0)
    # inv_std = (var + eps) ** -0.5
    dvar = -0.5 * inv_std * inv_std * inv_std * dinv_std
    # var = mean(centred ** 2)
    dcentred += centred * (2 / len(dout) * dvar)
    # centred = x - mean, and the mean is of x
    dx = dcentred - dcentred.mean(axis=0)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def batchnorm_backward_compact(dout: np.ndarray, cache: Cache) -> Gradients:
    """Backward pass of `batchnorm_forward` in one formula.

    ``dx = gamma / std * (dout - mean(dout) - x_hat * mean(dout * x_hat))``: what is left of `dout` when its
    mean and its part along x_hat are taken away.

    Args:
        dout: gradient of the loss with respect to the output, (N, D), float32 or float64.
        cache: what `batchnorm_forward` returned second.

    Returns:
        ``dx``, (N, D), ``dgamma`` and ``dbeta``, (D,), same dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Ioffe and Szegedy (2015), simplified.

    >>> _, cache, _, _ = batchnorm_forward(np.array([[0.0], [1.0], [5.0]]), *np.ones((4, 1)))
    >>> dout = np.array([[1.0], [0.0], [0.0]])
    >>> np.allclose(batchnorm_backward_compact(dout, cache)[0], batchnorm_backward(dout, cache)[0])
    True
    """
    x_hat, inv_std, gamma = check_cache(cache, 3, "batchnorm_forward")
    check_same(np.ndarray, dout=dout, out=x_hat)
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    dx = gamma * inv_std * (dout - dbeta / len(dout) - x_hat * (dgamma / len(dout)))
    return dx, dgamma, dbeta


def batchnorm2d_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Train:
    """Batch normalisation of images in training mode: one mean and variance per channel, over N, H and W.

    Args:
        x: inputs, (N, C, H, W), at least two values per channel, float32 or float64.
        gamma: scales, (C,), same dtype.
        beta: shifts, (C,), same dtype.
        running_mean: estimate of the mean so far, (C,), same dtype.
        running_var: estimate of the variance so far, (C,), same dtype.
        momentum: weight of this batch in the new estimates, from 0 to 1.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, C, H, W), same dtype, the cache, and the new running mean and variance, (C,), same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or number does not fit, or a channel has only one value.

    Source: Ioffe and Szegedy (2015).

    >>> out, _, mean, _ = batchnorm2d_forward(np.array([[[[3.0, 5.0]]]]), *np.ones((4, 1)), momentum=0.5)
    >>> out.round(3).ravel(), mean
    (array([0., 2.]), array([2.5]))
    """
    _check(x, "N C H W", "C", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    new, small = check_share("momentum", momentum, one=True), check_number("eps", eps, positive=True)
    n = _check_several(x, x.size // x.shape[1])
    mean = _channel_sum(x) / n
    centred = x - _image(mean, x)
    var = _channel_dot(centred, centred) / n
    inv_std = 1 / np.sqrt(var + small)
    out = centred * _image(gamma * inv_std, x)
    out += _image(beta, x)
    running_mean = (1 - new) * running_mean + new * mean
    running_var = (1 - new) * running_var + new * n / (n - 1) * var
    return out, (centred, inv_std, gamma), running_mean, running_var


def batchnorm2d_eval(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float = 1e-5,
) -> np.ndarray:
    """Batch normalisation of images in evaluation mode, as `batchnorm_eval` per channel.

    Args:
        x: inputs, (N, C, H, W), float32 or float64.
        gamma: scales, (C,), same dtype.
        beta: shifts, (C,), same dtype.
        running_mean: estimate of the mean so far, (C,), same dtype.
        running_var: estimate of the variance so far, (C,), same dtype.
        eps: is added to the variance under the root, positive.

    Returns:
        ``out``, (N, C, H, W), same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or number does not fit.

    Source: Ioffe and Szegedy (2015).

    >>> batchnorm2d_eval(np.array([[[[3.0]]]]), *(np.array([value]) for value in (2.0, 1.0, 1.0, 4.0))).round(3)
    array([[[[3.]]]])
    """
    _check(x, "N C H W", "C", gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    scale = gamma / np.sqrt(running_var + check_number("eps", eps, positive=True))
    out = x - _image(running_mean, x)
    out *= _image(scale, x)
    out += _image(beta, x)
    return out


def batchnorm2d_backward(dout: np.ndarray, cache: Cache) -> Gradients:
    """Backward pass of `batchnorm2d_forward`: the formula of `batchnorm_backward_compact` per channel.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H, W), float32 or float64.
        cache: what `batchnorm2d_forward` returned second.

    Returns:
        ``dx``, (N, C, H, W), ``dgamma`` and ``dbeta``, (C,), same dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Ioffe and Szegedy (2015), simplified.

    >>> _, cache, _, _ = batchnorm2d_forward(np.array([[[[3.0, 5.0]]]]), *np.ones((4, 1)))
    >>> batchnorm2d_backward(np.array([[[[1.0, 3.0]]]]), cache)[1].round(3)
    array([2.])
    """
    centred, inv_std, gamma = check_cache(cache, 3, "batchnorm2d_forward")
    check_same(np.ndarray, dout=dout, out=centred)
    n = dout.size // dout.shape[1]
    dgamma, dbeta = _channel_dot(dout, centred) * inv_std, _channel_sum(dout)
    dx = centred * _image(-dgamma / n * inv_std, dout)
    dx += dout
    dx -= _image(dbeta / n, dout)
    dx *= _image(gamma * inv_std, dout)
    return dx, dgamma, dbeta


def fold_batchnorm_into_conv(
    w: np.ndarray,
    b: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    eps: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray]:
    """A convolution that does what a convolution and the batch normalisation behind it do in evaluation mode.

    With ``s = gamma / sqrt(running_var + eps)``: ``w * s`` per filter, and ``(b - running_mean) * s + beta``.

    Args:
        w: filters, (K, C, kh, kw), float32 or float64.
        b: their biases, (K,), same dtype.
        gamma: scales, (K,), same dtype.
        beta: shifts, (K,), same dtype.
        running_mean: estimate of the mean, (K,), same dtype.
        running_var: estimate of the variance, (K,), same dtype.
        eps: is added to the variance under the root, positive.

    Returns:
        The new ``w`` and ``b``, same shapes and dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape or number does not fit.

    Source: Jacob et al. (2018), batch normalisation folding.

    >>> one = np.ones(1)
    >>> fold_batchnorm_into_conv(np.ones((1, 1, 1, 1)), 3 * one, 4 * one, one, one, 4 * one)[1].round(3)
    array([5.])
    """
    _check(w, "K C KH KW", "K", b=b, gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    scale = gamma / np.sqrt(running_var + check_number("eps", eps, positive=True))
    return w * scale[:, None, None, None], (b - running_mean) * scale + beta


def recalibrate_statistics(batches: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Running estimates from scratch: the plain average of the means and variances of several batches.

    For when weights have changed since the running estimates were made. Each batch counts the same, and its
    variance divides by the number of values minus one.

    Args:
        batches: what enters the layer, a sequence of (N, D) or of (N, C, H, W), float32 or float64.

    Returns:
        The running mean and variance, (D,) or (C,), same dtype.

    Raises:
        TypeError: `batches` is no sequence of arrays, or their dtypes differ.
        ValueError: there is none, a shape does not fit, or a channel has only one value.

    Source: Izmailov, Podoprikhin, Garipov, Vetrov and Wilson (2018); Torch's ``momentum=None``.

    >>> recalibrate_statistics([np.array([[1.0], [3.0]]), np.array([[5.0], [5.0]])])
    (array([3.5]), array([1.]))
    """
    _check_batches(batches)
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    mean = sum(batch.mean(axis=axes) for batch in batches) / len(batches)
    return mean, sum(batch.var(axis=axes, ddof=1) for batch in batches) / len(batches)


def _check(x: np.ndarray, shape: str, axis: str, **parameters: np.ndarray) -> None:
    name = "w" if shape.startswith("K") else "x"
    check_arrays(np.ndarray, **{name: (x, shape)}, **{key: (value, axis) for key, value in parameters.items()})


def _check_several(x: np.ndarray, values: int) -> int:
    if values < 2:
        raise ValueError(f"x has shape {x.shape}; expected more than one value per channel to train with.")
    return values


def _check_batches(batches: Sequence[np.ndarray]) -> None:
    check_list("batches", batches)
    shape = "N D H W" if np.ndim(batches[0]) == 4 else "N D"
    for i, batch in enumerate(batches):
        check_arrays(np.ndarray, **{f"batches[{i}]": (batch, shape)})
        _check_several(batch, batch.size // batch.shape[1])
        if (batch.shape[1], batch.dtype) != (batches[0].shape[1], batches[0].dtype):
            came, wanted = (f"{one.shape[1]} channels of {one.dtype}" for one in (batch, batches[0]))
            raise ValueError(f"batches[{i}] has {came}; expected {wanted} as in batches[0].")


def _image(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """One value per channel, (C,), as an image, (C, H, W)."""
    # NumPy computes faster with these long rows than with (C, 1, 1), which stops at the end of every channel.
    return np.repeat(values, x[0, 0].size).reshape(x.shape[1:])


def _channel_sum(x: np.ndarray) -> np.ndarray:
    # The product with ones is several times faster than .sum(axis=(0, 2, 3)).
    return (x.reshape(*x.shape[:2], -1) @ np.ones(x[0, 0].size, x.dtype)).sum(axis=0)


def _channel_dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    rows = (*one.shape[:2], -1)
    return np.vecdot(one.reshape(rows), other.reshape(rows)).sum(axis=0)
