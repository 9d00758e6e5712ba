"""Losses: predictions and targets in, one number out, and its gradient."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays


def mse_loss(y_hat: np.ndarray, y: np.ndarray) -> np.floating:
    """Squared error, summed over the outputs and averaged over the batch.

    ``(1 / N) * sum_n sum_d (y_hat[n, d] - y[n, d])**2``: D times the default of `torch.nn.MSELoss`.

    Args:
        y_hat: predictions, (N, D), float32 or float64.
        y: targets, (N, D), same dtype.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Legendre (1805) for least squares; the mean over the batch is the empirical risk.

    >>> float(mse_loss(np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros((2, 2))))
    2.5
    """
    check_arrays(np.ndarray, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return np.square(y_hat - y).sum() / len(y)


def mse_loss_backward(y_hat: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of `mse_loss` with respect to the predictions.

    ``2 * (y_hat - y) / N``.

    Args:
        y_hat: predictions, (N, D), float32 or float64.
        y: targets, (N, D), same dtype.

    Returns:
        The gradient, (N, D), same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: derivative of the definition of `mse_loss`.

    >>> mse_loss_backward(np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros((2, 2)))
    array([[1., 0.],
           [0., 2.]])
    """
    check_arrays(np.ndarray, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return 2 * (y_hat - y) / len(y)


def l1_loss(y_hat: np.ndarray, y: np.ndarray) -> np.floating:
    """Absolute error, summed over the outputs and averaged over the batch.

    ``(1 / N) * sum_n sum_d |y_hat[n, d] - y[n, d]|``: D times the default of `torch.nn.L1Loss`.

    Args:
        y_hat: predictions, (N, D), float32 or float64.
        y: targets, (N, D), same dtype.

    Returns:
        The loss, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: Boscovich (1757) and Laplace for least absolute deviations.

    >>> float(l1_loss(np.array([[1.0, 0.0], [0.0, -2.0]]), np.zeros((2, 2))))
    1.5
    """
    check_arrays(np.ndarray, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return np.abs(y_hat - y).sum() / len(y)


def l1_loss_backward(y_hat: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of `l1_loss` with respect to the predictions: ``sign(y_hat - y) / N``, 0 where they are equal.

    Args:
        y_hat: predictions, (N, D), float32 or float64.
        y: targets, (N, D), same dtype.

    Returns:
        The gradient, (N, D), same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: derivative of the definition of `l1_loss`; at 0 the middle of the subgradients, as in Torch.

    >>> l1_loss_backward(np.array([[1.0, 0.0], [0.0, -2.0]]), np.zeros((2, 2)))
    array([[ 0.5,  0. ],
           [ 0. , -0.5]])
    """
    check_arrays(np.ndarray, y_hat=(y_hat, "N D"), y=(y, "N D"))
    return np.sign(y_hat - y) / len(y)


def combined_loss(losses: np.ndarray, weights: np.ndarray) -> np.floating:
    """Several losses as one: ``sum_k weights[k] * losses[k]``. The weights are not normalised.

    Args:
        losses: one number per loss, (K,), float32 or float64.
        weights: one weight per loss, (K,), same dtype; also the gradient with respect to the losses.

    Returns:
        The weighted sum, a number without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array, or its dtype does not fit.
        ValueError: a shape does not fit.

    Source: the linear scalarisation of several goals; Zadeh (1963).

    >>> float(combined_loss(np.array([2.0, 10.0]), np.array([1.0, 0.1])))
    3.0
    """
    check_arrays(np.ndarray, losses=(losses, "K"), weights=(weights, "K"))
    return weights @ losses
