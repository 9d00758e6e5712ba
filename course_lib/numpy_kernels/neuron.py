"""One neuron: the admission model with its gradient, and the perceptron's rule."""

from __future__ import annotations

import numpy as np

from course_lib.numpy_kernels.activations import sigmoid
from course_lib.validate import check_arrays, check_label, check_number


def admit(maths: np.ndarray, physics: np.ndarray, w1: float, w2: float, b: float) -> np.ndarray:
    """What one neuron answers for every pupil: is ``w1 * maths + w2 * physics + b`` above zero?

    Args:
        maths: marks of N pupils, (N,), float32 or float64.
        physics: their other marks, (N,), same dtype.
        w1: weight of maths, a number.
        w2: weight of physics, a number.
        b: bias, a number.

    Returns:
        Yes or no per pupil, (N,), bool. A tie is a no.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or a number is not finite.

    Source: McCulloch and Pitts (1943), with the weights of Rosenblatt (1958).

    >>> admit(np.array([12.0, 4.0]), np.array([8.0, 15.0]), 1.0, 0.5, -14.0)
    array([ True, False])
    """
    check_arrays(np.ndarray, maths=(maths, "N"), physics=(physics, "N"))
    return check_number("w1", w1) * maths + check_number("w2", w2) * physics + check_number("b", b) > 0


def neuron_gradient(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> tuple[np.ndarray, np.floating]:
    """Gradient of the squared error of one sigmoid neuron, summed over the pupils.

    With ``s = sigmoid(x @ w + b)`` and ``E = sum_i (y_i - s_i)**2``:
    ``dE/dw = -2 * sum_i (y_i - s_i) * s_i * (1 - s_i) * x_i``, and the same without ``x_i`` for b.

    Args:
        x: marks of N pupils in two subjects, (N, 2), float32 or float64.
        y: admitted (1) or not (0), (N,), same dtype.
        w: weights, (2,), same dtype.
        b: bias, a number.

    Returns:
        ``dw``, (2,), and ``db``, without axes, of the same dtype.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, or `b` is not finite.

    Source: the delta rule of Widrow and Hoff (1960), with the slope of the sigmoid.

    >>> neuron_gradient(np.array([[2.0, 4.0]]), np.array([1.0]), np.zeros(2), 0.0)
    (array([-0.5, -1. ]), np.float64(-0.25))
    """
    check_arrays(np.ndarray, x=(x, "N 2"), y=(y, "N"), w=(w, "2"))
    s = sigmoid(x @ w + check_number("b", b))
    dz = -2 * (y - s) * s * (1 - s)
    return dz @ x, dz.sum()


def perceptron_update(x: np.ndarray, y: int, w: np.ndarray, b: float, lr: float) -> tuple[np.ndarray, float]:
    """One step of the perceptron rule on one example.

    ``y_hat = 1 if w @ x + b > 0 else 0`` (a tie counts as 0); then ``w + lr * (y - y_hat) * x`` and
    ``b + lr * (y - y_hat)``. Nothing moves when the answer was right.

    Args:
        x: one example, (D,), float32 or float64.
        y: its label, 0 or 1.
        w: weights, (D,), same dtype.
        b: bias, a number.
        lr: learning rate, positive.

    Returns:
        The new ``w``, (D,), of the same dtype, and the new ``b`` as a Python float.

    Raises:
        TypeError: an argument is no array or number, or its dtype does not fit.
        ValueError: a shape does not fit, `y` is not 0 or 1, or `lr` is not positive.

    Source: Rosenblatt (1958).

    >>> perceptron_update(np.array([1.0, 2.0]), 1, np.array([0.0, -1.0]), 0.0, 0.5)
    (array([0.5, 0. ]), 0.5)
    """
    check_arrays(np.ndarray, x=(x, "D"), w=(w, "D"))
    bias, rate, label = check_number("b", b), check_number("lr", lr, positive=True), check_label("y", y)
    y_hat = int(w @ x + bias > 0)
    step = rate * (label - y_hat)
    return w + step * x, bias + step
