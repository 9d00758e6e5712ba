"""Exercise on ResNet-18, block by block (topic `residual_shapes`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, call_case
from course_lib.tree import Tree


def _resnet18_shapes_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def size(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    rows: dict[str, dict[str, Tree]] = {
        "non-square images": {"shape": (3, 32 * size(3, 6), 32 * size(7, 12)), "classes": size(20, 90)},
        # Every halving meets an odd number.
        "odd sizes": {"shape": (3, 64 * size(1, 4) + 1, 64 * size(4, 7) + 1), "classes": size(20, 90)},
        "other channels": {"shape": (size(4, 9), 64, 64 + 2 * size(1, 20)), "classes": size(20, 90)},
        "one class": {"shape": (1, size(40, 70), size(80, 120)), "classes": 1},
    }
    if public:
        rows["as published"] = {}
    else:
        rows["as published, fewer classes"] = {"shape": (3, 224, 224), "classes": size(20, 90)}
        rows["no classes given"] = {"shape": (3, 8 * size(20, 30), 8 * size(31, 40))}
        rows["one pixel"] = {"shape": (size(2, 5), 1, 1), "classes": size(2, 9)}
    return tuple(call_case(name, "resnet18_shapes", inputs) for name, inputs in rows.items())


def _resnet18_shapes__biases(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 3 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 6 * k
            if c != k:
                parameters += c * k + 3 * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__no_normalisation(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k
            if c != k:
                parameters += c * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__running_estimates(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 4 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 8 * k
            if c != k:
                parameters += c * k + 4 * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__no_shortcuts(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__shortcut_not_normalised(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__shortcut_in_every_stage(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if block == 1:
                parameters += c * k + 2 * k
            if c != k:
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__same_channels_in_both(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 18 * c * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__stride_in_both(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
                h, w = (h + 3) // 4, (w + 3) // 4
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__stride_in_every_stage(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
            if block == 1:
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__rounds_down(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = max(h // 2, 1), max(w // 2, 1)
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = max(h // 2, 1), max(w // 2, 1), 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
                h, w = max(h // 2, 1), max(w // 2, 1)
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__pool_without_padding(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = max((h - 1) // 2, 1), max((w - 1) // 2, 1), 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c + 1))]


def _resnet18_shapes__no_mean(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * (c * h * w + 1))]


def _resnet18_shapes__dense_without_biases(shape=(3, 224, 224), classes=1000):
    c, h, w = shape
    h, w = (h + 1) // 2, (w + 1) // 2
    rows = [("conv1", (64, h, w), 49 * c * 64 + 2 * 64)]
    h, w, c = (h + 1) // 2, (w + 1) // 2, 64
    rows.append(("pool1", (64, h, w), 0))
    for stage, k in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            parameters = 9 * c * k + 9 * k * k + 4 * k
            if c != k:
                parameters += c * k + 2 * k
                h, w = (h + 1) // 2, (w + 1) // 2
            rows.append((f"stage{stage}.{block}", (k, h, w), parameters))
            c = k
    return [*rows, ("mean", (c,), 0), ("fc", (classes,), classes * c)]


def _resnet18_shapes__layer_by_layer(shape=(3, 224, 224), classes=1000):
    from course_lib.numpy_kernels import conv_output_size

    def layer(inside, filters, kernel, stride):
        """Output shape and parameters of a convolution and the normalisation behind it."""
        outside = tuple(conv_output_size(size, kernel, stride, kernel // 2) for size in inside[1:])
        return (filters, *outside), filters * (inside[0] * kernel * kernel + 2)

    inside, learned = layer(tuple(shape), 64, 7, 2)
    rows = [("conv1", inside, learned)]
    inside, _ = layer(inside, 64, 3, 2)
    rows.append(("pool1", inside, 0))
    for stage in range(4):
        for block in range(2):
            filters, stride = 64 * 2**stage, 2 if stage and not block else 1
            middle, first = layer(inside, filters, 3, stride)
            after, second = layer(middle, filters, 3, 1)
            shortcut = layer(inside, filters, 1, stride)[1] if inside != after else 0
            rows.append((f"stage{stage + 1}.{block + 1}", after, first + second + shortcut))
            inside = after
    return (*rows, ("mean", inside[:1], 0), ("fc", (classes,), classes * inside[0] + classes))


def _resnet18_shapes__closed_formulas(shape=(3, 224, 224), classes=1000):
    # All halvings together: size / 2**n, rounded up, because rounding up twice is rounding up once.
    def image(channels, halvings):
        return [channels, *(-(-size // 2**halvings) for size in shape[1:])]

    names = ["conv1", "pool1"] + [f"stage{stage}.{block}" for stage in (1, 2, 3, 4) for block in (1, 2)]
    shapes = [image(64, 1), image(64, 2)]
    learned = [64 * (49 * shape[0] + 2), 0]
    for stage, k in enumerate((64, 128, 256, 512)):
        shapes += [image(k, 2 + stage)] * 2
        # Half the channels come in: 9 k k / 2, 9 k k, k k / 2, and three normalisations.
        learned += [14 * k * k + 6 * k if stage else 18 * k * k + 4 * k, 18 * k * k + 4 * k]
    rows = [list(row) for row in zip(names, shapes, learned, strict=True)]
    return [*rows, ["mean", [512], 0], ["fc", [classes], 513 * classes]]


RESNET18_SHAPES = Exercise(
    id="resnet18_shapes",
    topic="residual_shapes",
    points=4,
    cases=_resnet18_shapes_cases,
    mistakes=(
        Mistake(
            "biases",
            "You give the convolutions biases. They have none: the shift of the batch normalisation behind each does "
            "that work.",
            _resnet18_shapes__biases,
        ),
        Mistake(
            "no_normalisation",
            "Batch normalisation is missing. A scale and a shift per channel follow each convolution: 2 * channels.",
            _resnet18_shapes__no_normalisation,
        ),
        Mistake(
            "running_estimates",
            "You count the running means and variances. They are saved but not learned: 2 per channel, scale and "
            "shift.",
            _resnet18_shapes__running_estimates,
        ),
        Mistake(
            "no_shortcuts",
            "The shortcuts are missing. Where channels change, a 1 x 1 convolution with its batch normalisation "
            "stands beside the block.",
            _resnet18_shapes__no_shortcuts,
        ),
        Mistake(
            "shortcut_not_normalised",
            "Your shortcuts have no batch normalisation. It follows every convolution, also the 1 x 1: 2 * channels "
            "more.",
            _resnet18_shapes__shortcut_not_normalised,
        ),
        Mistake(
            "shortcut_in_every_stage",
            "You count a shortcut convolution in stage 1. There the shape does not change, so that x is added as it "
            "is.",
            _resnet18_shapes__shortcut_in_every_stage,
        ),
        Mistake(
            "same_channels_in_both",
            "Both convolutions of your blocks take in the channels of the block. The second one gets those that the "
            "first one makes.",
            _resnet18_shapes__same_channels_in_both,
        ),
        Mistake(
            "stride_in_both",
            "Both convolutions of your first blocks have stride 2. Only the first one has; the second one keeps the "
            "size.",
            _resnet18_shapes__stride_in_both,
        ),
        Mistake(
            "stride_in_every_stage",
            "Stage 1 halves the image too. The pooling before it did that already: the stride is 2 in stages 2, 3 and "
            "4 only.",
            _resnet18_shapes__stride_in_every_stage,
        ),
        Mistake(
            "rounds_down",
            "You halve odd sizes downwards. With this padding 7 rows become 4: use conv_output_size.",
            _resnet18_shapes__rounds_down,
        ),
        Mistake(
            "pool_without_padding",
            "Your pooling has no padding. It is 3 x 3 with stride 2 and padding 1, so that 112 rows become 56.",
            _resnet18_shapes__pool_without_padding,
        ),
        Mistake(
            "no_mean",
            "Your dense layer takes in every pixel. The mean before it leaves one number per channel: 512 inputs.",
            _resnet18_shapes__no_mean,
        ),
        Mistake(
            "dense_without_biases",
            "The biases of the dense layer are missing: one per class.",
            _resnet18_shapes__dense_without_biases,
        ),
    ),
    other_ways=(
        OtherWay("layer_by_layer", _resnet18_shapes__layer_by_layer),
        OtherWay("closed_formulas", _resnet18_shapes__closed_formulas),
    ),
)

EXERCISES = (RESNET18_SHAPES,)
