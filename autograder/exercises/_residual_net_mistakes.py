"""Wrong versions of `ResNetSmall`, each with one thing wrong; functions, so that Torch is imported when one is made."""

from __future__ import annotations


def _resnet_small__no_skip(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = self.a2(self.a1(x).relu()).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__no_shortcut_sum(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = self.b2(self.b1(x).relu()).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__relu_before_sum(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = x + self.a2(self.a1(x).relu()).relu()
            x = self.shortcut(x) + self.b2(self.b1(x).relu()).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__no_relu_after_sum(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = x + self.a2(self.a1(x).relu())
            x = self.shortcut(x) + self.b2(self.b1(x).relu())
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__no_relu_inside(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x))).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x))).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__biases(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__bare_shortcut(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = nn.Conv2d(width, 2 * width, 1, 2, bias=False)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__late_stride(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width), layer(2 * width, 2 * width, stride=2)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__shared_norm(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1 = layer(width, width)
            self.a2 = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), self.a1[1])
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__same_layer_twice(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1 = self.a2 = layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__no_running_estimates(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters, track_running_stats=False),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()


def _resnet_small__strongest_place(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.amax(dim=(2, 3)))

    return Net()


def _resnet_small__probabilities(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3))).softmax(dim=1)

    return Net()


def _resnet_small__shortcut_first(width=8, classes=10):
    from torch import nn

    def layer(channels, filters, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
        )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = layer(1, width)
            self.a1, self.a2 = layer(width, width), layer(width, width)
            self.shortcut = layer(width, 2 * width, kernel=1, stride=2)
            self.b1, self.b2 = layer(width, 2 * width, stride=2), layer(2 * width, 2 * width)
            self.dense = nn.Linear(2 * width, classes)

        def forward(self, x):
            x = self.stem(x).relu()
            x = (x + self.a2(self.a1(x).relu())).relu()
            x = (self.shortcut(x) + self.b2(self.b1(x).relu())).relu()
            return self.dense(x.mean(dim=(2, 3)))

    return Net()
