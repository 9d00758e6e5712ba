"""One set of parameters for several purposes: multi-task losses and tied parameters."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_count
from course_lib.validate_draws import check_integers, check_mask


def multitask_loss(y_hat: np.ndarray, y: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.floating:
    """Squared errors of several tasks, each averaged over the examples whose target is known, weighted and summed.

    ``sum_t weights[t] * mean_(n known) (y_hat[n, t] - y[n, t])**2``; a task without known targets adds nothing.

    Args:
        y_hat: predictions, one column per task, (N, T), float32 or float64.
        y: targets, (N, T), same dtype.
        known: which targets are known, (N, T), bools; what stands in `y` elsewhere does not matter.
        weights: one per task, (T,), same dtype.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array of its kind, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Caruana (1997).

    >>> two, known = np.array([[3.0, 1.0], [0.0, 9.0]]), np.array([[True, True], [True, False]])
    >>> float(multitask_loss(two, np.zeros((2, 2)), known, np.array([1.0, 0.5])))
    5.0
    """
    error, share = _errors(y_hat, y, known, weights)
    return (share * error * error).sum()


def multitask_loss_backward(y_hat: np.ndarray, y: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Gradient of `multitask_loss` with respect to the predictions; 0 where the target is not known.

    Args:
        y_hat: predictions, one column per task, (N, T), float32 or float64.
        y: targets, (N, T), same dtype.
        known: which targets are known, (N, T), bools; what stands in `y` elsewhere does not matter.
        weights: one per task, (T,), same dtype.

    Returns:
        The gradient, (N, T), same dtype.

    Raises:
        TypeError: an argument is no array of its kind, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Caruana (1997).

    >>> multitask_loss_backward(np.array([[3.0]]), np.zeros((1, 1)), np.array([[True]]), np.array([0.5]))
    array([[3.]])
    """
    error, share = _errors(y_hat, y, known, weights)
    return 2 * share * error


def _errors(y_hat: np.ndarray, y: np.ndarray, known: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors, 0 where the target is not known, and what each task's squares count in the sum."""
    check_arrays(np.ndarray, y_hat=(y_hat, "N T"), y=(y, "N T"), weights=(weights, "T"))
    check_mask("known", known, np.ndarray, y.shape)
    error = np.subtract(y_hat, y, out=np.zeros_like(y_hat), where=known)
    return error, weights / np.maximum(known.sum(axis=0), 1).astype(y.dtype)


def tied_gradient(dw: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Gradient of parameters that are used in several places: the sum over the places.

    Args:
        dw: gradient as if every place had a parameter of its own, any shape; float32 or float64.
        groups: which parameter each place uses, same shape, integers from 0 to count - 1.
        count: how many parameters there are.

    Returns:
        The gradient, (count,), same dtype; 0 for a parameter that is not used.

    Raises:
        TypeError: an argument is no array or integer of its kind.
        ValueError: a shape does not fit, or a group does not exist.

    Source: Nowlan and Hinton (1992) on sharing weights; the chain rule over all uses.

    >>> tied_gradient(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0, 1], [1, 0]]), 3)
    array([5., 5., 0.])
    """
    check_arrays(np.ndarray, dw=(dw, None))
    number = check_count("count", count, least=1)
    check_integers("groups", groups, np.ndarray, dw.shape, 0, number - 1)
    out = np.zeros(number, dw.dtype)
    np.add.at(out, groups.ravel(), dw.ravel())
    return out
