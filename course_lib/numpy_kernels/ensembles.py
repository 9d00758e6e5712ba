"""Several models, one answer."""

from __future__ import annotations

import numpy as np

from course_lib.numpy_kernels.activations import softmax
from course_lib.validate import check_arrays


def ensemble_predict(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The answer of an ensemble: probabilities are averaged, not scores and not votes.

    ``p[n] = mean_m softmax(logits[m, n])``, and the most probable class.

    Args:
        logits: scores of M models, (M, N, C), float32 or float64.

    Returns:
        ``labels``, (N,), int64, ties to the first class, and the probabilities, (N, C), same dtype.

    Raises:
        TypeError: `logits` is no array of floating numbers.
        ValueError: its shape does not fit.

    Source: Hansen and Salamon (1990); Dietterich (2000).

    >>> ensemble_predict(np.log(np.array([[[0.9, 0.1]], [[0.4, 0.6]], [[0.4, 0.6]]])))[0]
    array([0])
    """
    check_arrays(np.ndarray, logits=(logits, "M N C"))
    probabilities = softmax(logits).mean(axis=0)
    return probabilities.argmax(axis=1), probabilities
