"""Residual networks: a layer learns what to add to its input, and the gradient has a way past it."""

# ruff: noqa: PLR0913 - the parameters of two layers are seven arguments with the images.
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from course_lib.numpy_kernels.activations import relu_backward, relu_forward
from course_lib.numpy_kernels.batchnorm import batchnorm2d_backward, batchnorm2d_forward
from course_lib.numpy_kernels.conv2d import conv2d_backward, conv2d_forward
from course_lib.validate import check_arrays, check_cache, check_count, check_same, check_share
from course_lib.validate_draws import check_flag, check_generator, check_list, check_mask

Cache = tuple[Any, ...]


def residual_forward(x: np.ndarray, branch: Callable[[np.ndarray], tuple[np.ndarray, Any]]) -> tuple[np.ndarray, Cache]:
    """The input plus what a branch makes of it: ``out = x + branch(x)``.

    Args:
        x: any shape; float32 or float64.
        branch: a forward pass, x to (f, cache), where f has the shape and dtype of x.

    Returns:
        ``out``, same shape and dtype, and the cache.

    Raises:
        TypeError: `x` is no array of floating numbers, or the branch's answer has another dtype.
        ValueError: the branch's answer has another shape.

    Source: He, Zhang, Ren and Sun (2016).

    >>> residual_forward(np.array([1.0, -2.0]), relu_forward)[0]
    array([ 2., -2.])
    """
    check_arrays(np.ndarray, x=(x, None))
    f, inner = branch(x)
    check_same(np.ndarray, f=f, x=x)
    return x + f, (f, inner)


def residual_backward(
    dout: np.ndarray, cache: Cache, branch_backward: Callable[[np.ndarray, Any], Any]
) -> tuple[np.ndarray, ...]:
    """Backward pass of `residual_forward`: the upstream gradient itself, plus what comes back through the branch.

    Args:
        dout: gradient of the loss with respect to the output, any shape; float32 or float64.
        cache: what `residual_forward` returned second.
        branch_backward: the branch's backward pass, (dout, cache) to dx or to (dx, ...).

    Returns:
        ``dx``, same shape and dtype, and then whatever else the branch's backward pass returns.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: He, Zhang, Ren and Sun (2016).

    >>> residual_backward(np.ones(2), residual_forward(np.array([1.0, -2.0]), relu_forward)[1], relu_backward)[0]
    array([2., 1.])
    """
    f, inner = check_cache(cache, 2, "residual_forward")
    check_same(np.ndarray, dout=dout, out=f)
    through = branch_backward(dout, inner)
    dx, *rest = through if isinstance(through, tuple) else (through,)
    return dout + dx, *rest


def projection_shortcut(x: np.ndarray, w: np.ndarray, stride: int = 2) -> np.ndarray:
    """The shortcut where a block changes size: a 1 x 1 convolution without bias on every stride-th pixel.

    ``out[n, :, i, j] = w[:, :, 0, 0] @ x[n, :, i * stride, j * stride]``.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        w: filters, (K, C, 1, 1), same dtype.
        stride: every how many pixels, at least 1.

    Returns:
        ``out``, (N, K, H', W') with ``H' = ceil(H / stride)``, same dtype.

    Raises:
        TypeError: an argument is no array or integer, or its dtype does not fit.
        ValueError: a shape does not fit, or `stride` is below 1.

    Source: He, Zhang, Ren and Sun (2016), shortcut option B.

    >>> projection_shortcut(np.arange(9.0).reshape(1, 1, 3, 3), np.full((1, 1, 1, 1), 10.0))
    array([[[[ 0., 20.],
             [60., 80.]]]])
    """
    picked = _picked(x, w, stride)
    n, c, *size = picked.shape
    return (w[:, :, 0, 0] @ picked.reshape(n, c, -1)).reshape(n, len(w), *size)


def projection_shortcut_backward(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, stride: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of `projection_shortcut`; pixels that were stepped over get 0.

    Args:
        dout: gradient of the loss with respect to the output, (N, K, H', W'), float32 or float64.
        x: images, (N, C, H, W), same dtype.
        w: filters, (K, C, 1, 1), same dtype.
        stride: every how many pixels, at least 1.

    Returns:
        ``dx``, (N, C, H, W), and ``dw``, (K, C, 1, 1), same dtype.

    Raises:
        TypeError: an argument is no array or integer, or its dtype does not fit.
        ValueError: a shape does not fit, or `stride` is below 1.

    Source: He, Zhang, Ren and Sun (2016).

    >>> projection_shortcut_backward(np.ones((1, 1, 1, 1)), np.full((1, 1, 1, 2), 3.0), np.full((1, 1, 1, 1), 5.0))
    (array([[[[5., 0.]]]]), array([[[[3.]]]]))
    """
    picked = _picked(x, w, stride)
    n, c, *size = picked.shape
    check_arrays(np.ndarray, x=(x, None), dout=(dout, f"{n} {len(w)} {size[0]} {size[1]}"))
    products = dout.reshape(n, len(w), -1)
    dx = np.zeros_like(x)
    dx[:, :, ::stride, ::stride] = (w[:, :, 0, 0].T @ products).reshape(n, c, *size)
    dw = (products @ picked.reshape(n, c, -1).swapaxes(1, 2)).sum(axis=0)
    return dx, dw.reshape(w.shape)


def _picked(x: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    check_arrays(np.ndarray, x=(x, "N C H W"), w=(w, "K C 1 1"))
    step = check_count("stride", stride, least=1)
    return x[:, :, ::step, ::step]


def preactivation_block(
    x: np.ndarray,
    gamma1: np.ndarray,
    beta1: np.ndarray,
    w1: np.ndarray,
    gamma2: np.ndarray,
    beta2: np.ndarray,
    w2: np.ndarray,
) -> tuple[np.ndarray, Cache]:
    """A residual block whose input goes by untouched: twice normalise, rectify, convolve, and add the input.

    ``out = x + conv(relu(bn(conv(relu(bn(x))))))`` with 3 x 3 convolutions, padding 1, no biases, and batch
    normalisation in training mode with eps 1e-5.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        gamma1: scales of the first normalisation, (C,), same dtype.
        beta1: its shifts, (C,), same dtype.
        w1: filters of the first convolution, (M, C, 3, 3), same dtype.
        gamma2: scales of the second normalisation, (M,), same dtype.
        beta2: its shifts, (M,), same dtype.
        w2: filters of the second convolution, (C, M, 3, 3), same dtype.

    Returns:
        ``out``, (N, C, H, W), same dtype, and the cache.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit, or a channel has only one value.

    Source: He, Zhang, Ren and Sun (2016), "Identity mappings in deep residual networks".

    >>> x, one = np.arange(4.0).reshape(1, 1, 2, 2), np.ones(1)
    >>> np.array_equal(preactivation_block(x, one, one, np.ones((1, 1, 3, 3)), one, one, np.zeros((1, 1, 3, 3)))[0], x)
    True
    """
    check_arrays(np.ndarray, x=(x, "N C H W"), gamma1=(gamma1, "C"), beta1=(beta1, "C"), w1=(w1, "M C 3 3"))
    check_arrays(np.ndarray, w1=(w1, "M C 3 3"), gamma2=(gamma2, "M"), beta2=(beta2, "M"), w2=(w2, "C M 3 3"))
    h, first = _half_forward(x, gamma1, beta1, w1)
    f, second = _half_forward(h, gamma2, beta2, w2)
    return x + f, (first, second)


def preactivation_block_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, ...]:
    """Backward pass of `preactivation_block`.

    Args:
        dout: gradient of the loss with respect to the output, (N, C, H, W), float32 or float64.
        cache: what `preactivation_block` returned second.

    Returns:
        The gradients of ``x, gamma1, beta1, w1, gamma2, beta2, w2``, in their shapes, same dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: He, Zhang, Ren and Sun (2016), "Identity mappings in deep residual networks".

    >>> x, one, w = np.arange(4.0).reshape(1, 1, 2, 2), np.ones(1), np.zeros((1, 1, 3, 3))
    >>> preactivation_block_backward(np.ones((1, 1, 2, 2)), preactivation_block(x, one, one, w, one, one, w)[1])[0]
    array([[[[1., 1.],
             [1., 1.]]]])
    """
    first, second = check_cache(cache, 2, "preactivation_block")
    check_same(np.ndarray, dout=dout, x=first[0][0])
    dh, *of_second = _half_backward(dout, second)
    dx, *of_first = _half_backward(dh, first)
    return dout + dx, *of_first, *of_second


def _half_forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, Cache]:
    # The running estimates are nobody's business here; they are kept outside, where evaluation is.
    normal, bn, _, _ = batchnorm2d_forward(x, gamma, beta, np.zeros_like(gamma), np.ones_like(gamma))
    active, relu = relu_forward(normal)
    out, conv = conv2d_forward(active, w, padding=1)
    return out, (bn, relu, conv)


def _half_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, ...]:
    bn, relu, conv = cache
    dactive, dw = conv2d_backward(dout, conv)
    return *batchnorm2d_backward(relu_backward(dactive, relu), bn), dw


def stochastic_depth(
    x: np.ndarray,
    f: np.ndarray,
    p: float = 0.5,
    train: bool = True,
    rng: np.random.Generator | None = None,
    keep: np.ndarray | None = None,
) -> tuple[np.ndarray, Cache]:
    """A residual sum whose branch is dropped for some examples: ``x + f * keep / (1 - p)``, in evaluation ``x + f``.

    Args:
        x: what goes past the branch, (N, ...), float32 or float64.
        f: what the branch answers, same shape and dtype.
        p: probability to drop the branch of an example, at least 0 and below 1.
        train: drop, or only do what evaluation does?
        rng: draws who keeps the branch when training; not needed otherwise.
        keep: in place of `rng`, who keeps it: bools, (N,).

    Returns:
        ``out``, same shape and dtype, and the cache: the factor of every example.

    Raises:
        TypeError: an argument has a wrong type, or there is neither a generator nor `keep` to train with.
        ValueError: a shape does not fit, or `p` is not in range.

    Source: Huang, Sun, Liu, Sedra and Weinberger (2016), scaled while training as in inverted dropout.

    >>> stochastic_depth(np.ones((2, 1)), np.ones((2, 1)), p=0.75, keep=np.array([True, False]))[0].ravel()
    array([5., 1.])
    """
    check_arrays(np.ndarray, x=(x, None))
    check_same(np.ndarray, f=f, x=x)
    drop, examples = check_share("p", p), x.shape[:1]
    factor = np.ones(examples, x.dtype)
    if check_flag("train", train):
        if keep is None:
            check_generator("rng", rng, np.random.Generator, "keep")
            keep = rng.random(examples) >= drop
        check_mask("keep", keep, np.ndarray, examples)
        factor = keep.astype(x.dtype) / (1 - drop)
    factor = np.broadcast_to(factor.reshape(*examples, *[1] * (x.ndim - 1)), x.shape)
    return x + f * factor, (factor,)


def stochastic_depth_backward(dout: np.ndarray, cache: Cache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of `stochastic_depth`: the upstream gradient for x, and times the same factors for f.

    Args:
        dout: gradient of the loss with respect to the output, (N, ...), float32 or float64.
        cache: what `stochastic_depth` returned second.

    Returns:
        ``dx`` and ``df``, same shape and dtype.

    Raises:
        TypeError: `dout` is no array or has another dtype, or `cache` is no cache.
        ValueError: the shapes differ.

    Source: Huang, Sun, Liu, Sedra and Weinberger (2016).

    >>> _, cache = stochastic_depth(np.ones((2, 1)), np.ones((2, 1)), p=0.75, keep=np.array([True, False]))
    >>> stochastic_depth_backward(np.ones((2, 1)), cache)[1].ravel()
    array([4., 0.])
    """
    (factor,) = check_cache(cache, 1, "stochastic_depth")
    check_same(np.ndarray, dout=dout, out=factor)
    return dout.copy(), dout * factor


def zero_init_gamma(gammas: Sequence[Sequence[np.ndarray]]) -> tuple[tuple[np.ndarray, ...], ...]:
    """Scales with which every residual block starts as the identity: the last one of each block is 0.

    Args:
        gammas: for each block the scales of its normalisations in order, each (C,), float32 or float64.

    Returns:
        New scales: the last of each block zeros, the others as they were.

    Raises:
        TypeError: there is no sequence of sequences of arrays.
        ValueError: a block has none.

    Source: Goyal et al. (2017), section 5.1.

    >>> zero_init_gamma([[np.ones(1), np.ones(2)]])
    ((array([1.]), array([0., 0.])),)
    """
    for i, block in enumerate(check_list("gammas", gammas)):
        for j, gamma in enumerate(check_list(f"gammas[{i}]", block)):
            check_arrays(np.ndarray, **{f"gammas[{i}][{j}]": (gamma, "C")})
    return tuple((*(gamma.copy() for gamma in block[:-1]), np.zeros_like(block[-1])) for block in gammas)


def gradient_norm_by_depth(
    x: np.ndarray, weights: Sequence[np.ndarray], dout: np.ndarray, residual: bool = True
) -> np.ndarray:
    """How much gradient reaches each layer of a deep network of ReLU layers.

    ``h = relu(h @ w.T)`` per layer, plus h itself when `residual`; then the Euclidean norm of each layer's ``dw``.

    Args:
        x: inputs, (N, D), float32 or float64.
        weights: of K layers, a sequence of (D, D), same dtype.
        dout: gradient of the loss with respect to the last layer's output, (N, D), same dtype.
        residual: with the identity beside every layer, or without?

    Returns:
        The norms, (K,), first layer first, same dtype.

    Raises:
        TypeError: an argument is no array of its kind, or its dtype does not fit.
        ValueError: a shape does not fit, or there is no layer.

    Source: He, Zhang, Ren and Sun (2016); the measurement of Glorot and Bengio (2010).

    >>> gradient_norm_by_depth(np.ones((1, 1)), [np.full((1, 1), 0.5)] * 3, np.ones((1, 1)), residual=False)
    array([0.25, 0.25, 0.25])
    """
    check_arrays(np.ndarray, x=(x, "N D"), dout=(dout, "N D"))
    for i, w in enumerate(check_list("weights", weights)):
        check_arrays(np.ndarray, x=(x, "N D"), **{f"weights[{i}]": (w, "D D")})
    past = check_flag("residual", residual)
    inputs, caches = [x], []
    for w in weights:
        out, cache = relu_forward(inputs[-1] @ w.T)
        inputs.append(inputs[-1] + out if past else out)
        caches.append(cache)
    norms = np.empty(len(weights), x.dtype)
    for i in reversed(range(len(weights))):
        dz = relu_backward(dout, caches[i])
        norms[i] = np.linalg.norm(dz.T @ inputs[i])
        dout = dz @ weights[i] + dout if past else dz @ weights[i]
    return norms


def bottleneck_cost(channels: int, reduced: int, height: int, width: int) -> tuple[int, int]:
    """What a bottleneck block costs: 1 x 1 down to fewer channels, 3 x 3 there, 1 x 1 back, without biases.

    ``parameters = 2 * channels * reduced + 9 * reduced**2``; each is used once per pixel.

    Args:
        channels: in and out.
        reduced: in between.
        height: of the images, which keep their size.
        width: of the images.

    Returns:
        The number of parameters, and of multiply-adds for one image, as Python integers.

    Raises:
        TypeError: an argument is no integer.
        ValueError: an argument is below 1.

    Source: He, Zhang, Ren and Sun (2016), figure 5.

    >>> bottleneck_cost(256, 64, 56, 56)
    (69632, 218365952)
    """
    c, r = check_count("channels", channels, least=1), check_count("reduced", reduced, least=1)
    pixels = check_count("height", height, least=1) * check_count("width", width, least=1)
    parameters = 2 * c * r + 9 * r * r
    return parameters, parameters * pixels
