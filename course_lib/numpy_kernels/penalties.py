"""Penalties on weights, to be added to a loss, and a hard limit on their size."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_number, check_share, check_strength


def l2_penalty(w: np.ndarray, strength: float) -> np.floating:
    """Half the sum of squares: ``strength / 2 * sum(w**2)``; its gradient is `l2_gradient`.

    Args:
        w: weights, any shape; float32 or float64.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The penalty, a number without axes, of the same dtype.

    Raises:
        TypeError: `w` is no array of floating numbers, or `strength` no number.
        ValueError: `strength` is negative or not finite.

    Source: Hoerl and Kennard (1970), ridge regression; Krogh and Hertz (1992), weight decay.

    >>> float(l2_penalty(np.array([3.0, -4.0]), 0.1))
    1.25
    """
    check_arrays(np.ndarray, w=(w, None))
    return 0.5 * check_strength(strength) * np.square(w).sum()


def l2_gradient(w: np.ndarray, strength: float) -> np.ndarray:
    """Gradient of `l2_penalty`: ``strength * w``, which shrinks every weight by the same share.

    Args:
        w: weights, any shape; float32 or float64.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The gradient, same shape and dtype as `w`.

    Raises:
        TypeError: `w` is no array of floating numbers, or `strength` no number.
        ValueError: `strength` is negative or not finite.

    Source: Krogh and Hertz (1992).

    >>> l2_gradient(np.array([3.0, -4.0]), 0.5)
    array([ 1.5, -2. ])
    """
    check_arrays(np.ndarray, w=(w, None))
    return check_strength(strength) * w


def l1_penalty(w: np.ndarray, strength: float) -> np.floating:
    """The sum of absolute values: ``strength * sum(|w|)``.

    Args:
        w: weights, any shape; float32 or float64.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The penalty, a number without axes, of the same dtype.

    Raises:
        TypeError: `w` is no array of floating numbers, or `strength` no number.
        ValueError: `strength` is negative or not finite.

    Source: Tibshirani (1996), the lasso.

    >>> float(l1_penalty(np.array([3.0, -4.0]), 0.5))
    3.5
    """
    check_arrays(np.ndarray, w=(w, None))
    return check_strength(strength) * np.abs(w).sum()


def l1_subgradient(w: np.ndarray, strength: float) -> np.ndarray:
    """A subgradient of `l1_penalty`: ``strength * sign(w)``, 0 where w is 0.

    Args:
        w: weights, any shape; float32 or float64.
        strength: what a unit of penalty costs, 0 or more.

    Returns:
        The subgradient, same shape and dtype as `w`.

    Raises:
        TypeError: `w` is no array of floating numbers, or `strength` no number.
        ValueError: `strength` is negative or not finite.

    Source: Tibshirani (1996); at 0 every number from -strength to strength would do.

    >>> l1_subgradient(np.array([3.0, 0.0, -4.0]), 0.5)
    array([ 0.5,  0. , -0.5])
    """
    check_arrays(np.ndarray, w=(w, None))
    return check_strength(strength) * np.sign(w)


def elastic_penalty(w: np.ndarray, strength: float, ratio: float = 0.5) -> np.floating:
    """Both at once: ``strength * (ratio * sum(|w|) + (1 - ratio) / 2 * sum(w**2))``.

    Args:
        w: weights, any shape; float32 or float64.
        strength: what a unit of penalty costs, 0 or more.
        ratio: share of the absolute values, from 0 (`l2_penalty`) to 1 (`l1_penalty`).

    Returns:
        The penalty, a number without axes, of the same dtype.

    Raises:
        TypeError: `w` is no array of floating numbers, or another argument no number.
        ValueError: `strength` is negative or not finite, or `ratio` is not from 0 to 1.

    Source: Zou and Hastie (2005).

    >>> float(elastic_penalty(np.array([2.0]), 1.0, ratio=0.25))
    2.0
    """
    share = check_share("ratio", ratio, one=True)
    return share * l1_penalty(w, strength) + (1 - share) * l2_penalty(w, strength)


def elastic_subgradient(w: np.ndarray, strength: float, ratio: float = 0.5) -> np.ndarray:
    """A subgradient of `elastic_penalty`: ``strength * (ratio * sign(w) + (1 - ratio) * w)``.

    Args:
        w: weights, any shape; float32 or float64.
        strength: what a unit of penalty costs, 0 or more.
        ratio: share of the absolute values, from 0 to 1.

    Returns:
        The subgradient, same shape and dtype as `w`.

    Raises:
        TypeError: `w` is no array of floating numbers, or another argument no number.
        ValueError: `strength` is negative or not finite, or `ratio` is not from 0 to 1.

    Source: Zou and Hastie (2005).

    >>> elastic_subgradient(np.array([2.0, 0.0]), 1.0, ratio=0.25)
    array([1.75, 0.  ])
    """
    share = check_share("ratio", ratio, one=True)
    return share * l1_subgradient(w, strength) + (1 - share) * l2_gradient(w, strength)


def max_norm(w: np.ndarray, limit: float) -> np.ndarray:
    """Weights whose rows are no longer than a limit: longer ones are scaled back, the others stay as they are.

    Args:
        w: weights, (outputs, inputs), float32 or float64; a row belongs to one unit.
        limit: the largest length, positive.

    Returns:
        The new weights, (outputs, inputs), same dtype.

    Raises:
        TypeError: `w` is no array of floating numbers, or `limit` no number.
        ValueError: a shape does not fit, or `limit` is not positive.

    Source: Srebro and Shraibman (2005); with dropout Srivastava et al. (2014).

    >>> max_norm(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    check_arrays(np.ndarray, w=(w, "M D"))
    most = check_number("limit", limit, positive=True)
    length = np.sqrt(np.vecdot(w, w))
    return w * (most / np.maximum(length, most))[:, None]
