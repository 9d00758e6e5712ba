"""One neuron on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.neuron`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validate import check_arrays, check_label, check_number


def admit(maths: Tensor, physics: Tensor, w1: float, w2: float, b: float) -> Tensor:
    """What one neuron answers for every pupil, as a matrix times a vector.

    Args:
        maths: marks of N pupils, (N,).
        physics: their other marks, (N,), same dtype and device.
        w1: weight of maths, a number.
        w2: weight of physics, a number.
        b: bias, a number.

    Returns:
        Yes or no per pupil, (N,), bool.

    >>> admit(torch.tensor([12.0, 4.0]), torch.tensor([8.0, 15.0]), 1.0, 0.5, -14.0)
    tensor([ True, False])
    """
    check_arrays(Tensor, maths=(maths, "N"), physics=(physics, "N"))
    weights = maths.new_tensor([check_number("w1", w1), check_number("w2", w2)])
    marks = torch.stack([maths, physics], dim=1)
    return torch.mv(marks, weights).add(check_number("b", b)).gt(0)


@torch.enable_grad()
def neuron_gradient(x: Tensor, y: Tensor, w: Tensor, b: float) -> tuple[Tensor, Tensor]:
    """Gradient of the squared error of one sigmoid neuron, by autograd.

    Args:
        x: marks of N pupils, (N, 2).
        y: admitted (1) or not (0), (N,), same dtype and device.
        w: weights, (2,), same dtype and device.
        b: bias, a number or a tensor without axes.

    Returns:
        ``dw``, (2,), and ``db``, without axes.

    >>> neuron_gradient(torch.tensor([[2.0, 4.0]]), torch.ones(1), torch.zeros(2), 0.0)[0].tolist()
    [-0.5, -1.0]
    """
    check_arrays(Tensor, x=(x, "N 2"), y=(y, "N"), w=(w, "2"))
    weights = w.detach().clone().requires_grad_()
    bias = w.new_tensor(check_number("b", b)).requires_grad_()
    error = (y - torch.sigmoid(x @ weights + bias)).square().sum()
    return torch.autograd.grad(error, (weights, bias))


@torch.enable_grad()
def perceptron_update(x: Tensor, y: int, w: Tensor, b: float, lr: float) -> tuple[Tensor, float]:
    """One step of the perceptron rule, as a descent on the perceptron criterion ``(y_hat - y) * (w @ x + b)``.

    Args:
        x: one example, (D,).
        y: its label, 0 or 1.
        w: weights, (D,), same dtype and device.
        b: bias, a number or a tensor without axes.
        lr: learning rate, positive.

    Returns:
        The new ``w``, (D,), and the new ``b`` as a Python float.

    >>> perceptron_update(torch.tensor([1.0, 2.0]), 1, torch.tensor([0.0, -1.0]), 0.0, 0.5)
    (tensor([0.5000, 0.0000]), 0.5)
    """
    check_arrays(Tensor, x=(x, "D"), w=(w, "D"))
    rate, label = check_number("lr", lr, positive=True), check_label("y", y)
    weights = w.detach().clone().requires_grad_()
    # The bias stays in double precision: it leaves as a Python float.
    bias = torch.tensor(check_number("b", b), dtype=torch.float64, device=w.device, requires_grad=True)
    z = torch.dot(weights, x) + bias
    # heaviside's second argument is the answer at a tie.
    y_hat = torch.heaviside(z.detach(), torch.zeros_like(z))
    dw, db = torch.autograd.grad((y_hat - label) * z, (weights, bias))
    return w.detach() - rate * dw, (bias - rate * db).item()
