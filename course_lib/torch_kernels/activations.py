"""Activation functions on Torch tensors; names and errors as in `course_lib.numpy_kernels.activations`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.torch_kernels._graph import Graph, backward_graph, forward_graph, gradients
from course_lib.validate import check_arrays, check_axis, check_choice, check_number

_APPROXIMATE = {"erf": "none", "tanh": "tanh"}


def sigmoid(x: Tensor) -> Tensor:
    """The logistic function, element by element: `torch.sigmoid`.

    Args:
        x: any shape, floating.

    Returns:
        Numbers between 0 and 1, same shape, dtype and device as `x`.

    >>> sigmoid(torch.tensor([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    check_arrays(Tensor, x=(x, None))
    return torch.sigmoid(x)


def sigmoid_backward(dout: Tensor, x: Tensor) -> Tensor:
    """Gradient of `sigmoid`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        x: what `sigmoid` was given, same shape, dtype and device.

    Returns:
        The gradient, same shape.

    >>> sigmoid_backward(torch.tensor([4.0]), torch.tensor([0.0])).tolist()
    [1.0]
    """
    check_arrays(Tensor, x=(x, None))
    return gradients(torch.sigmoid, x, dout=dout)[0]


def tanh_forward(x: Tensor) -> tuple[Tensor, Graph]:
    """The hyperbolic tangent: `torch.tanh`.

    Args:
        x: any shape, floating.

    Returns:
        ``out``, same shape, and the cache.

    >>> tanh_forward(torch.tensor([-1000.0, 0.0]))[0].tolist()
    [-1.0, 0.0]
    """
    check_arrays(Tensor, x=(x, None))
    return forward_graph(torch.tanh, x)


def tanh_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Gradient of `tanh_forward`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        cache: what `tanh_forward` returned second.

    Returns:
        The gradient with respect to the input, same shape.

    >>> tanh_backward(torch.tensor([3.0]), tanh_forward(torch.tensor([0.0]))[1]).tolist()
    [3.0]
    """
    return backward_graph(dout, cache, "tanh_forward")[0]


def relu_forward(x: Tensor) -> tuple[Tensor, Graph]:
    """The rectifier: `torch.relu`.

    Args:
        x: any shape, floating.

    Returns:
        ``out``, same shape, and the cache.

    >>> relu_forward(torch.tensor([-2.0, 3.0]))[0].tolist()
    [0.0, 3.0]
    """
    check_arrays(Tensor, x=(x, None))
    return forward_graph(torch.relu, x)


def relu_backward(dout: Tensor, cache: Graph) -> Tensor:
    """Gradient of `relu_forward`, by autograd; 0 where the input was 0.

    Args:
        dout: gradient of the loss with respect to the output.
        cache: what `relu_forward` returned second.

    Returns:
        The gradient with respect to the input, same shape.

    >>> relu_backward(torch.tensor([5.0, 5.0]), relu_forward(torch.tensor([0.0, 3.0]))[1]).tolist()
    [0.0, 5.0]
    """
    return backward_graph(dout, cache, "relu_forward")[0]


def leaky_relu(x: Tensor, slope: float = 0.01) -> Tensor:
    """The rectifier that leaks: `torch.nn.functional.leaky_relu`.

    Args:
        x: any shape, floating.
        slope: the slope at and below 0, a number.

    Returns:
        The values, same shape.

    >>> leaky_relu(torch.tensor([-2.0, 3.0]), slope=0.5).tolist()
    [-1.0, 3.0]
    """
    check_arrays(Tensor, x=(x, None))
    return functional.leaky_relu(x, check_number("slope", slope))


def leaky_relu_backward(dout: Tensor, x: Tensor, slope: float = 0.01) -> Tensor:
    """Gradient of `leaky_relu`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        x: what `leaky_relu` was given, same shape, dtype and device.
        slope: the slope at and below 0, a number.

    Returns:
        The gradient, same shape.

    >>> leaky_relu_backward(torch.tensor([4.0, 4.0]), torch.tensor([0.0, 3.0]), slope=0.5).tolist()
    [2.0, 4.0]
    """
    return gradients(lambda leaf: leaky_relu(leaf, slope), _floating(x), dout=dout)[0]


def gelu(x: Tensor, form: str = "erf") -> Tensor:
    """The Gaussian error linear unit: `torch.nn.functional.gelu`.

    Args:
        x: any shape, floating.
        form: ``"erf"``, exact, or ``"tanh"``, the approximation.

    Returns:
        The values, same shape.

    >>> round(gelu(torch.tensor(1.0), form="tanh").item(), 4)
    0.8412
    """
    check_arrays(Tensor, x=(x, None))
    check_choice("form", form, tuple(_APPROXIMATE))
    return functional.gelu(x, approximate=_APPROXIMATE[form])


def gelu_backward(dout: Tensor, x: Tensor, form: str = "erf") -> Tensor:
    """Gradient of `gelu` of the same form, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        x: what `gelu` was given, same shape, dtype and device.
        form: ``"erf"`` or ``"tanh"``.

    Returns:
        The gradient, same shape.

    >>> gelu_backward(torch.tensor([2.0]), torch.tensor([0.0])).tolist()
    [1.0]
    """
    return gradients(lambda leaf: gelu(leaf, form), _floating(x), dout=dout)[0]


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Scores to probabilities: `torch.softmax`.

    Args:
        x: scores, at least one axis.
        axis: the axis along which the result sums to 1.

    Returns:
        Probabilities, same shape.

    >>> softmax(torch.tensor([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    check_arrays(Tensor, x=(x, None))
    return torch.softmax(x, dim=check_axis("axis", axis, x))


def softmax_backward(dout: Tensor, x: Tensor, axis: int = -1) -> Tensor:
    """Gradient of `softmax`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        x: what `softmax` was given, same shape, dtype and device.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        The gradient, same shape.

    >>> softmax_backward(torch.tensor([1.0, 0.0]), torch.zeros(2)).tolist()
    [0.25, -0.25]
    """
    return gradients(lambda leaf: softmax(leaf, axis), _floating(x), dout=dout)[0]


def softmax_jacobian(x: Tensor) -> Tensor:
    """All derivatives of the softmax of each row: `torch.func.jacrev`, mapped over the rows.

    Args:
        x: scores, (..., C).

    Returns:
        The Jacobians, (..., C, C).

    >>> softmax_jacobian(torch.zeros(2)).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    check_arrays(Tensor, x=(x, None))
    check_axis("axis", -1, x)
    classes = x.shape[-1]
    jacobian = torch.func.jacrev(lambda row: torch.softmax(row, dim=-1))
    return torch.func.vmap(jacobian)(x.reshape(-1, classes)).reshape(*x.shape, classes)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Logarithms of the softmax: `torch.log_softmax`.

    Args:
        x: scores, at least one axis.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        Log-probabilities, same shape.

    >>> log_softmax(torch.tensor([0.0, -1000.0])).tolist()
    [0.0, -1000.0]
    """
    check_arrays(Tensor, x=(x, None))
    return torch.log_softmax(x, dim=check_axis("axis", axis, x))


def log_softmax_backward(dout: Tensor, x: Tensor, axis: int = -1) -> Tensor:
    """Gradient of `log_softmax`, by autograd.

    Args:
        dout: gradient of the loss with respect to the output.
        x: what `log_softmax` was given, same shape, dtype and device.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        The gradient, same shape.

    >>> log_softmax_backward(torch.tensor([1.0, 0.0]), torch.zeros(2)).tolist()
    [0.5, -0.5]
    """
    return gradients(lambda leaf: log_softmax(leaf, axis), _floating(x), dout=dout)[0]


def _floating(x: Tensor) -> Tensor:
    # Before a tensor becomes a leaf, so that the sentence is ours.
    check_arrays(Tensor, x=(x, None))
    return x
