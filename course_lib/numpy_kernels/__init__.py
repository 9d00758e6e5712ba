"""The NumPy references: what learners write, written well."""

from course_lib.numpy_kernels.activations import (
    gelu,
    gelu_backward,
    leaky_relu,
    leaky_relu_backward,
    log_softmax,
    log_softmax_backward,
    relu_backward,
    relu_forward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_backward,
    softmax_jacobian,
    tanh_backward,
    tanh_forward,
)
from course_lib.numpy_kernels.linear import affine_forward
from course_lib.numpy_kernels.losses import mse_loss, mse_loss_backward
from course_lib.numpy_kernels.mlp import (
    count_parameters,
    hidden_delta,
    mlp_backward,
    mlp_forward,
    train_xor,
    xor_weights,
)
from course_lib.numpy_kernels.neuron import neuron_gradient, perceptron_update

__all__ = [
    "affine_forward",
    "count_parameters",
    "gelu",
    "gelu_backward",
    "hidden_delta",
    "leaky_relu",
    "leaky_relu_backward",
    "log_softmax",
    "log_softmax_backward",
    "mlp_backward",
    "mlp_forward",
    "mse_loss",
    "mse_loss_backward",
    "neuron_gradient",
    "perceptron_update",
    "relu_backward",
    "relu_forward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "softmax_jacobian",
    "tanh_backward",
    "tanh_forward",
    "train_xor",
    "xor_weights",
]
