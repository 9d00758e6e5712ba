"""Targets that are made: smoothed labels, and labels from a model's own confident answers."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_share


def label_smoothing(y: np.ndarray, eps: float = 0.1) -> np.ndarray:
    """Targets that leave a little for every class: ``(1 - eps) * y + eps / C``.

    Args:
        y: one-hot targets or distributions, (N, C), float32 or float64.
        eps: the share that is spread over all classes, from 0 to 1.

    Returns:
        The smoothed targets, (N, C), same dtype; rows keep their sum when it is 1.

    Raises:
        TypeError: `y` is no array of floating numbers, or `eps` no number.
        ValueError: a shape does not fit, or `eps` is not from 0 to 1.

    Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016).

    >>> label_smoothing(np.array([[1.0, 0.0]]), eps=0.5)
    array([[0.75, 0.25]])
    """
    check_arrays(np.ndarray, y=(y, "N C"))
    spread = check_share("eps", eps, one=True)
    return (1 - spread) * y + spread / y.shape[1]


def pseudo_labels(probabilities: np.ndarray, threshold: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Labels for examples without: the most probable class, to be used where the model is sure.

    Args:
        probabilities: a model's answers, (N, C), float32 or float64.
        threshold: how probable the class must be, from 0 to 1.

    Returns:
        ``labels``, (N,), int64, ties to the first class, and ``sure``, (N,), bool: at least the threshold.

    Raises:
        TypeError: `probabilities` is no array of floating numbers, or `threshold` no number.
        ValueError: a shape does not fit, or `threshold` is not from 0 to 1.

    Source: Lee (2013); the threshold as in Sohn et al. (2020).

    >>> pseudo_labels(np.array([[0.5, 0.5], [0.25, 0.75]]), threshold=0.75)
    (array([0, 1]), array([False,  True]))
    """
    check_arrays(np.ndarray, probabilities=(probabilities, "N C"))
    # The number is compared in the probabilities' own dtype: 0.9 in float32 reaches a threshold of 0.9.
    least = probabilities.dtype.type(check_share("threshold", threshold, one=True))
    return probabilities.argmax(axis=1), probabilities.max(axis=1) >= least
