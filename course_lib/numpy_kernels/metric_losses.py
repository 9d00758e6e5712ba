"""Losses on distances between embeddings: what belongs together is pulled, what does not is pushed."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_number

# Torch adds this to every difference before the norm, so that its slope exists where two points meet.
_EPS = 1e-6


def contrastive_loss(x1: np.ndarray, x2: np.ndarray, same: np.ndarray, margin: float = 1.0) -> np.floating:
    """Pairs: half the squared distance where they belong together, half the squared lack of distance where not.

    ``mean_n(same * d**2 + (1 - same) * max(0, margin - d)**2) / 2`` with ``d = ||x1[n] - x2[n]||``.

    Args:
        x1: first embeddings, (N, D), float32 or float64.
        x2: second embeddings, (N, D), same dtype.
        same: 1 where a pair belongs together, 0 where not, (N,), same dtype.
        margin: the distance that pairs apart should have, positive.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or `margin` is not positive.

    Source: Hadsell, Chopra and LeCun (2006); there Y = 0 means "same".

    >>> float(contrastive_loss(np.array([[3.0], [0.5]]), np.zeros((2, 1)), np.array([1.0, 0.0])))
    2.3125
    """
    _, distance, lack = _pairs(x1, x2, same, margin)
    return 0.5 * (same * distance * distance + (1 - same) * lack * lack).sum() / len(x1)


def contrastive_loss_backward(
    x1: np.ndarray, x2: np.ndarray, same: np.ndarray, margin: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of `contrastive_loss` with respect to both embeddings, opposite to each other.

    ``(same * d - (1 - same) * max(0, margin - d)) / N`` along the unit vector from x2 to x1; 0 where they meet.

    Args:
        x1: first embeddings, (N, D), float32 or float64.
        x2: second embeddings, (N, D), same dtype.
        same: 1 where a pair belongs together, 0 where not, (N,), same dtype.
        margin: the distance that pairs apart should have, positive.

    Returns:
        ``dx1`` and ``dx2``, (N, D), same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or `margin` is not positive.

    Source: Hadsell, Chopra and LeCun (2006).

    >>> contrastive_loss_backward(np.array([[3.0]]), np.zeros((1, 1)), np.array([1.0]))
    (array([[3.]]), array([[-3.]]))
    """
    unit, distance, lack = _pairs(x1, x2, same, margin)
    pull = (same * distance - (1 - same) * lack) / len(x1)
    return unit * pull[:, None], -unit * pull[:, None]


def _pairs(x1: np.ndarray, x2: np.ndarray, same: np.ndarray, margin: float) -> tuple[np.ndarray, ...]:
    """Unit vectors from x2 to x1, distances, and what the distances lack of the margin."""
    check_arrays(np.ndarray, x1=(x1, "N D"), x2=(x2, "N D"), same=(same, "N"))
    wanted = check_number("margin", margin, positive=True)
    unit, distance = _unit(x1 - x2)
    return unit, distance, np.maximum(wanted - distance, 0)


def triplet_loss(anchor: np.ndarray, positive: np.ndarray, negative: np.ndarray, margin: float = 1.0) -> np.floating:
    """Triplets: the anchor should be nearer to the positive than to the negative, by the margin.

    ``mean_n max(0, ||a - p + 1e-6|| - ||a - n + 1e-6|| + margin)``, with Torch's 1e-6.

    Args:
        anchor: embeddings, (N, D), float32 or float64.
        positive: what belongs to them, (N, D), same dtype.
        negative: what does not, (N, D), same dtype.
        margin: by how much, positive.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or `margin` is not positive.

    Source: Schroff, Kalenichenko and Philbin (2015), with plain distances as in `torch.nn.TripletMarginLoss`.

    >>> float(triplet_loss(np.zeros((1, 1)), np.array([[2.0]]), np.array([[2.5]])).round(4))
    0.5
    """
    *_, gap = _triplets(anchor, positive, negative, margin)
    return np.maximum(gap, 0).sum() / len(anchor)


def triplet_loss_backward(
    anchor: np.ndarray, positive: np.ndarray, negative: np.ndarray, margin: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of `triplet_loss`: unit vectors over N where the loss is not below 0, nothing elsewhere.

    Args:
        anchor: embeddings, (N, D), float32 or float64.
        positive: what belongs to them, (N, D), same dtype.
        negative: what does not, (N, D), same dtype.
        margin: by how much, positive.

    Returns:
        The gradients with respect to anchor, positive and negative, (N, D), same dtype; they sum to 0.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or `margin` is not positive.

    Source: Schroff, Kalenichenko and Philbin (2015); exactly on the margin the slope is 1, as in Torch.

    >>> [g.round(4).item() for g in triplet_loss_backward(np.zeros((1, 1)), np.array([[2.0]]), np.array([[2.5]]))]
    [0.0, 1.0, -1.0]
    """
    near, far, gap = _triplets(anchor, positive, negative, margin)
    active = (gap >= 0).astype(gap.dtype)[:, None] / len(gap)
    return active * (near - far), -active * near, active * far


def _triplets(
    anchor: np.ndarray, positive: np.ndarray, negative: np.ndarray, margin: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors from the positive and from the negative to the anchor, and the loss before the maximum."""
    check_arrays(np.ndarray, anchor=(anchor, "N D"), positive=(positive, "N D"), negative=(negative, "N D"))
    near, to_positive = _unit(anchor - positive + _EPS)
    far, to_negative = _unit(anchor - negative + _EPS)
    return near, far, to_positive - to_negative + check_number("margin", margin, positive=True)


def _unit(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row over its length (0 where that is 0), and the lengths."""
    length = np.sqrt(np.vecdot(difference, difference))
    return difference / (length + (length == 0))[:, None], length
