"""The Torch counterparts: same names and signatures, built on Torch operators and autograd."""

from course_lib.torch_kernels.activations import sigmoid
from course_lib.torch_kernels.linear import affine_forward
from course_lib.torch_kernels.losses import mse_loss, mse_loss_backward
from course_lib.torch_kernels.mlp import (
    count_parameters,
    hidden_delta,
    mlp_backward,
    mlp_forward,
    train_xor,
    xor_weights,
)
from course_lib.torch_kernels.neuron import neuron_gradient, perceptron_update

__all__ = [
    "affine_forward",
    "count_parameters",
    "hidden_delta",
    "mlp_backward",
    "mlp_forward",
    "mse_loss",
    "mse_loss_backward",
    "neuron_gradient",
    "perceptron_update",
    "sigmoid",
    "train_xor",
    "xor_weights",
]
