"""Exercise on a small residual network as a class of Torch's (topic `residual_net`): `ResNetSmall`."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises import _residual_net_mistakes as wrong
from autograder.exercises._draw import draw
from autograder.exercises._modules import fitted_case, gradients_case, outputs_case, shapes_case
from course_lib.cases import Case
from course_lib.properties.modules import learned_images


def _resnet_small_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    small = {"width": 3, "classes": 4}
    weights = _weights(rng, **small)
    x, y, z = draw(rng, 4, 1, 6, 6), draw(rng, 5, 1, 6, 6), draw(rng, 2, 1, 6, 6)
    cases = [
        shapes_case("parameters", "ResNetSmall", small),
        outputs_case("training mode", "ResNetSmall", small, weights, (x, True)),
        outputs_case("evaluation before training", "ResNetSmall", small, weights, (x, False)),
        outputs_case("evaluation after two batches", "ResNetSmall", small, weights, (x, True), (y, True), (z, False)),
        outputs_case("not square, odd sizes", "ResNetSmall", small, weights, (draw(rng, 3, 1, 5, 7), True)),
        gradients_case("gradients", "ResNetSmall", small, weights, x, draw(rng, 4, 4)),
        _sixteen(rng),
    ]
    if not public:
        one = {"width": 1, "classes": 2}
        cases += [
            shapes_case("parameters, as given", "ResNetSmall", {"width": 8, "classes": 10}),
            outputs_case("width 1", "ResNetSmall", one, _weights(rng, **one), (x, True)),
            outputs_case("one image, evaluation", "ResNetSmall", small, weights, (z[:1], False)),
        ]
    return tuple(cases)


def _weights(rng: np.random.Generator, width: int, classes: int) -> list[np.ndarray]:
    """All parameters, in order; scales around 1, and shifts that leave part of every layer on."""
    wide = 2 * width
    layers = ((1, width, 3), (width, width, 3), (width, width, 3), (width, wide, 3), (wide, wide, 3), (width, wide, 1))
    weights = []
    for channels, filters, size in layers:
        scale = np.sqrt(2 / (channels * size * size))
        weights.append(scale * rng.normal(size=(filters, channels, size, size)))
        weights += [rng.uniform(0.5, 1.5, filters), 0.3 * rng.normal(size=filters)]
    return [*weights, rng.normal(size=(classes, wide)) / np.sqrt(wide), 0.3 * rng.normal(size=classes)]


def _sixteen(rng: np.random.Generator) -> Case:
    """Sixteen images of noise, with classes by chance."""
    settings = {"width": 4, "classes": 2}
    x, labels = rng.normal(size=(16, 1, 6, 6)), rng.permutation(np.arange(16) % 2)
    return fitted_case(
        "16 images by heart", "ResNetSmall", settings, _weights(rng, **settings), (x, labels), steps=60, lr=0.02
    )


# The module is made by a function: a class statement here would need Torch when this file is read.
def _resnet_small__functional(width=8, classes=10):
    import torch
    from torch.nn import functional

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            wide = 2 * width
            sizes = [(1, width, 3), (width, width, 3), (width, width, 3), (width, wide, 3), (wide, wide, 3)]
            self.weights = torch.nn.ParameterList()
            for number, (channels, filters, size) in enumerate([*sizes, (width, wide, 1)]):
                self.weights.append(torch.randn(filters, channels, size, size) * 0.1)
                self.weights.extend([torch.ones(filters), torch.zeros(filters)])
                self.register_buffer(f"mean{number}", torch.zeros(filters))
                self.register_buffer(f"var{number}", torch.ones(filters))
            self.weights.extend([torch.randn(classes, wide) * 0.1, torch.zeros(classes)])

        def layer(self, number, x, stride=1):
            w, gamma, beta = self.weights[3 * number : 3 * number + 3]
            x = functional.conv2d(x, w, None, stride, w.shape[2] // 2)
            running = getattr(self, f"mean{number}"), getattr(self, f"var{number}")
            return functional.batch_norm(x, *running, gamma, beta, self.training)

        def forward(self, x):
            x = functional.relu(self.layer(0, x))
            x = functional.relu(self.layer(2, functional.relu(self.layer(1, x))) + x)
            branch = self.layer(4, functional.relu(self.layer(3, x, 2)))
            x = functional.relu(branch + self.layer(5, x, 2))
            return functional.linear(x.flatten(2).mean(2), self.weights[-2], self.weights[-1])

    return Net()


def _resnet_small__blocks(width=8, classes=10):
    from torch import nn

    class Block(nn.Module):
        def __init__(self, channels, filters, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(filters)
            self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(filters)
            self.shortcut = nn.Identity()
            if stride != 1:
                projection = nn.Conv2d(channels, filters, 1, stride=stride, bias=False)
                self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(filters))
            self.relu = nn.ReLU()

        def forward(self, x):
            branch = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(branch + self.shortcut(x))

    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        Block(width, width, 1),
        Block(width, 2 * width, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2 * width, classes),
    )


def _resnet_small__picked_shortcut(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        convolution = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(filters))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            wide = 2 * width
            self.layers = nn.ModuleList([layer(1, width), layer(width, width), layer(width, width)])
            self.layers.extend([layer(width, wide, stride=2), layer(wide, wide), layer(width, wide, kernel=1)])
            self.end = nn.Linear(wide, classes)

        def forward(self, x):
            stem, first, second, third, fourth, shortcut = self.layers
            x = stem(x).clamp(min=0)
            x = (second(first(x).clamp(min=0)) + x).clamp(min=0)
            # A 1x1 convolution with a stride of 2 is one without, at every second place.
            x = (fourth(third(x).clamp(min=0)) + shortcut(x[:, :, ::2, ::2])).clamp(min=0)
            return self.end(x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3]))

    return Net()


RESNET_SMALL = Exercise(
    id="ResNetSmall",
    topic="residual_net",
    points=4,
    cases=_resnet_small_cases,
    mistakes=(
        Mistake(
            "no_skip",
            "Block A passes on its branch alone. Add the block's input to it before the last ReLU.",
            wrong._resnet_small__no_skip,
        ),
        Mistake(
            "no_shortcut_sum",
            "Block B passes on its branch alone; the shortcut is made but never added. Add it before the last ReLU.",
            wrong._resnet_small__no_shortcut_sum,
        ),
        Mistake(
            "relu_before_sum",
            "The last ReLU of a block stands before the sum, so a block can only add, never take away. Add first, then "
            "apply the ReLU.",
            wrong._resnet_small__relu_before_sum,
        ),
        Mistake(
            "no_relu_after_sum",
            "The ReLU after the sum is missing in the blocks.",
            wrong._resnet_small__no_relu_after_sum,
        ),
        Mistake(
            "no_relu_inside",
            "The ReLU between the two convolutions of a block is missing: without it they are one linear layer.",
            wrong._resnet_small__no_relu_inside,
        ),
        Mistake(
            "biases",
            "Your convolutions have biases. Batch normalisation takes every constant away at once and adds beta: "
            "make them with bias=False.",
            wrong._resnet_small__biases,
        ),
        Mistake(
            "bare_shortcut",
            "The shortcut of block B has no batch normalisation behind its 1x1 convolution.",
            wrong._resnet_small__bare_shortcut,
        ),
        Mistake(
            "late_stride",
            "The stride of 2 stands in the second convolution of block B. It belongs to the first.",
            wrong._resnet_small__late_stride,
        ),
        Mistake(
            "shared_norm",
            "Both convolutions of block A share one batch normalisation. Each needs its own: they see other numbers.",
            wrong._resnet_small__shared_norm,
        ),
        Mistake(
            "same_layer_twice",
            "Block A uses one layer twice. Make two: each has its own weights.",
            wrong._resnet_small__same_layer_twice,
        ),
        Mistake(
            "no_running_estimates",
            "In evaluation mode your network still normalises by the batch. Let the layers keep running estimates: "
            "leave track_running_stats as it is, and call the layers, not the functions behind them.",
            wrong._resnet_small__no_running_estimates,
        ),
        Mistake(
            "strongest_place",
            "You take the largest value of each channel. Global average pooling takes the mean over height and width.",
            wrong._resnet_small__strongest_place,
        ),
        Mistake(
            "probabilities",
            "The scores went through a softmax. Return them as they are: cross_entropy takes scores, and applies the "
            "softmax itself.",
            wrong._resnet_small__probabilities,
        ),
        Mistake(
            "shortcut_first",
            "The layers are right, but registered in another order: the shortcut comes after the two layers of "
            "block B. Torch lists parameters in the order of assignment in __init__.",
            wrong._resnet_small__shortcut_first,
        ),
    ),
    other_ways=(
        OtherWay("functional", _resnet_small__functional),
        OtherWay("blocks", _resnet_small__blocks),
        OtherWay("picked_shortcut", _resnet_small__picked_shortcut),
    ),
    prepare=learned_images,
    training=True,
    torch=True,
)

EXERCISES = (RESNET_SMALL,)
