"""One neuron on Torch tensors; shapes, names and errors as in `course_lib.numpy_kernels.neuron`."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.validate import check_arrays, check_label, check_number


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
