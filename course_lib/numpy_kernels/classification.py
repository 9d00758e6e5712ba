"""Losses for classes: scores and labels in, one number out, and its gradient. All are means over the batch."""

from __future__ import annotations

import numpy as np

from course_lib.numpy_kernels.activations import log_softmax, sigmoid, softmax
from course_lib.validate import check_arrays, check_cache, check_labels, check_number

Cache = tuple[np.ndarray, np.ndarray, np.ndarray]


def cross_entropy(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.floating:
    """Cross-entropy of the softmax of the logits with class labels.

    ``-sum_n w[labels[n]] * log(softmax(logits[n])[labels[n]]) / sum_n w[labels[n]]``: with class weights the
    mean is weighted too.

    Args:
        logits: scores before the softmax, (N, C), float32 or float64.
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        weights: one weight per class, (C,), same dtype; None means 1 each.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit, or a label is no class.

    Source: Bridle (1990); weights as in `torch.nn.CrossEntropyLoss`.

    >>> float(cross_entropy(np.zeros((2, 4)), np.array([0, 3])).round(4))
    1.3863
    """
    share = _shares(logits, labels, weights)
    return -(share * log_softmax(logits)[np.arange(len(labels)), labels]).sum()


def cross_entropy_backward(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Gradient of `cross_entropy` with respect to the logits: softmax minus one-hot, times the row's share.

    Args:
        logits: scores before the softmax, (N, C), float32 or float64.
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        weights: one weight per class, (C,), same dtype; None means 1 each.

    Returns:
        The gradient, (N, C), same dtype; each row sums to 0.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit, or a label is no class.

    Source: Bridle (1990).

    >>> cross_entropy_backward(np.zeros((1, 2)), np.array([1]))
    array([[ 0.5, -0.5]])
    """
    share = _shares(logits, labels, weights)
    out = softmax(logits)
    out[np.arange(len(labels)), labels] -= 1
    return out * share[:, None]


def _shares(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """What each row counts in the mean, (N,); they sum to 1."""
    check_arrays(np.ndarray, logits=(logits, "N C"), **({} if weights is None else {"weights": (weights, "C")}))
    check_labels("labels", labels, logits, np.ndarray)
    weight = np.ones(len(labels), logits.dtype) if weights is None else weights[labels]
    return weight / weight.sum()


def softmax_cross_entropy_forward(logits: np.ndarray, labels: np.ndarray) -> tuple[np.floating, Cache]:
    """Softmax and cross-entropy as one step, without weights: exp is taken once for both passes.

    ``loss = mean_n(log(sum_j exp(z[n, j])) - z[n, labels[n]])`` with the largest score of each row subtracted.

    Args:
        logits: scores before the softmax, (N, C), float32 or float64.
        labels: the right class of each row, (N,), integers from 0 to C - 1.

    Returns:
        The loss, a number without axes, of the same dtype, and the cache.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit, or a label is no class.

    Source: Bridle (1990); log-sum-exp as in Blanchard, Higham and Higham (2021).

    >>> float(softmax_cross_entropy_forward(np.array([[1000.0, 0.0]]), np.array([1]))[0])
    1000.0
    """
    check_arrays(np.ndarray, logits=(logits, "N C"))
    check_labels("labels", labels, logits, np.ndarray)
    z = logits - logits.max(axis=1, keepdims=True)
    right = z[np.arange(len(z)), labels]
    np.exp(z, out=z)
    # A product with ones sums rows several times faster than .sum(axis=1), and as exactly: no term is negative.
    total = z @ np.ones(z.shape[1], z.dtype)
    return (np.log(total) - right).sum() / len(z), (z, total, labels)


def softmax_cross_entropy_backward(dout: float, cache: Cache) -> np.ndarray:
    """Gradient of `softmax_cross_entropy_forward`: ``dout * (softmax(logits) - one_hot(labels)) / N``.

    Args:
        dout: gradient of whatever follows with respect to the loss, a number.
        cache: what `softmax_cross_entropy_forward` returned second.

    Returns:
        The gradient with respect to the logits, (N, C), same dtype.

    Raises:
        TypeError: `dout` is no number, or `cache` is no cache.
        ValueError: `dout` is not finite.

    Source: Bridle (1990).

    >>> softmax_cross_entropy_backward(2.0, softmax_cross_entropy_forward(np.zeros((1, 2)), np.array([1]))[1])
    array([[ 1., -1.]])
    """
    powers, total, labels = check_cache(cache, 3, "softmax_cross_entropy_forward")
    scale = check_number("dout", dout) / len(total)
    out = powers * (scale / total)[:, None]
    out[np.arange(len(total)), labels] -= scale
    return out


def soft_cross_entropy(logits: np.ndarray, targets: np.ndarray) -> np.floating:
    """Cross-entropy with targets that are distributions: ``-mean_n sum_j targets[n, j] * log_softmax(logits)[n, j]``.

    Args:
        logits: scores before the softmax, (N, C), float32 or float64.
        targets: what each class should get, (N, C), same dtype; rows sum to 1 (not checked).

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Hinton, Vinyals and Dean (2015) for soft targets.

    >>> float(soft_cross_entropy(np.zeros((1, 2)), np.array([[0.9, 0.1]])).round(4))
    0.6931
    """
    check_arrays(np.ndarray, logits=(logits, "N C"), targets=(targets, "N C"))
    return -(targets * log_softmax(logits)).sum() / len(logits)


def soft_cross_entropy_backward(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Gradient of `soft_cross_entropy` with respect to the logits.

    ``(softmax(logits) * sum_j targets[n, j] - targets) / N``; the sum is 1 for distributions.

    Args:
        logits: scores before the softmax, (N, C), float32 or float64.
        targets: what each class should get, (N, C), same dtype.

    Returns:
        The gradient, (N, C), same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: derivative of the definition.

    >>> soft_cross_entropy_backward(np.zeros((1, 2)), np.array([[0.75, 0.25]]))
    array([[-0.25,  0.25]])
    """
    check_arrays(np.ndarray, logits=(logits, "N C"), targets=(targets, "N C"))
    return (softmax(logits) * targets.sum(axis=1, keepdims=True) - targets) / len(logits)


def bce_with_logits(logits: np.ndarray, y: np.ndarray) -> np.floating:
    """Binary cross-entropy of sigmoids, summed over the outputs and averaged over the batch.

    ``max(z, 0) - z * y + log(1 + exp(-|z|))`` per output, which never overflows; D times Torch's default.

    Args:
        logits: scores before the sigmoid, (N, D), float32 or float64.
        y: targets from 0 to 1 (not checked), (N, D), same dtype.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Cox (1958), logistic regression.

    >>> float(bce_with_logits(np.array([[1000.0, -1000.0]]), np.array([[1.0, 1.0]])))
    1000.0
    """
    check_arrays(np.ndarray, logits=(logits, "N D"), y=(y, "N D"))
    each = np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits)))
    return each.sum() / len(y)


def bce_with_logits_backward(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of `bce_with_logits` with respect to the logits: ``(sigmoid(logits) - y) / N``.

    Args:
        logits: scores before the sigmoid, (N, D), float32 or float64.
        y: targets from 0 to 1, (N, D), same dtype.

    Returns:
        The gradient, (N, D), same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Cox (1958).

    >>> bce_with_logits_backward(np.array([[0.0, 1000.0]]), np.array([[1.0, 0.0]]))
    array([[-0.5,  1. ]])
    """
    check_arrays(np.ndarray, logits=(logits, "N D"), y=(y, "N D"))
    return (sigmoid(logits) - y) / len(y)


def hinge_loss(scores: np.ndarray, labels: np.ndarray, margin: float = 1.0) -> np.floating:
    """Multi-class hinge loss: how far the other classes come within the margin of the right one.

    ``mean_n sum_(j != labels[n]) max(0, scores[n, j] - scores[n, labels[n]] + margin)``: a sum over the other
    classes, so C times `torch.nn.MultiMarginLoss`.

    Args:
        scores: one per class, (N, C), float32 or float64.
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        margin: by how much the right class must win, positive.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, a label is no class, or `margin` is not positive.

    Source: Weston and Watkins (1999).

    >>> float(hinge_loss(np.array([[3.0, 2.5, 0.0]]), np.array([0])))
    0.5
    """
    gaps = _gaps(scores, labels, margin)
    return np.maximum(gaps, 0).sum() / len(gaps)


def hinge_loss_backward(scores: np.ndarray, labels: np.ndarray, margin: float = 1.0) -> np.ndarray:
    """Gradient of `hinge_loss`: 1 / N for each class within the margin, minus their sum for the right one.

    Exactly on the margin the slope is 0.

    Args:
        scores: one per class, (N, C), float32 or float64.
        labels: the right class of each row, (N,), integers from 0 to C - 1.
        margin: by how much the right class must win, positive.

    Returns:
        The gradient, (N, C), same dtype; each row sums to 0.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, a label is no class, or `margin` is not positive.

    Source: Weston and Watkins (1999).

    >>> hinge_loss_backward(np.array([[3.0, 2.5, 0.0]]), np.array([0]))
    array([[-1.,  1.,  0.]])
    """
    out = (_gaps(scores, labels, margin) > 0).astype(scores.dtype)
    out[np.arange(len(out)), labels] = -out.sum(axis=1)
    return out / len(out)


def _gaps(scores: np.ndarray, labels: np.ndarray, margin: float) -> np.ndarray:
    """How far each class comes within the margin; 0 for the right one."""
    check_arrays(np.ndarray, scores=(scores, "N C"))
    check_labels("labels", labels, scores, np.ndarray)
    rows = np.arange(len(scores))
    gaps = scores - scores[rows, labels][:, None] + check_number("margin", margin, positive=True)
    gaps[rows, labels] = 0
    return gaps
