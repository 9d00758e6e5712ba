"""Exercises on what a convolutional network sees and costs (topic `architecture`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle, Tree


def _watched_list(name: str, function: str, inputs: dict[str, Tree]) -> Case:
    """A call whose list `layers` is read again: it can be emptied on the way, and `call_case` only watches arrays."""
    plain = call_case(name, function, inputs)
    untouched = Step("read", "layers afterwards", "", (Handle("layers"),), kind="convention")
    return Case(name, inputs, (*plain.steps, untouched))


def _receptive_field_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def kernel() -> int:
        return int(rng.integers(3, 8))

    rows = {
        "three layers": [(kernel(), 1, 1) for _ in range(3)],
        "a stride, then more": [(kernel(), 2, 1), (kernel(), 3, 1), (kernel(), 1, 1)],
        "dilation grows": [(kernel(), 1, 1), (kernel(), 1, 2), (kernel(), 1, 4)],
        "stride and dilation": [(kernel(), 2, 1), (kernel(), 2, 3), (kernel(), 1, 2)],
        "one layer with a stride": [(kernel(), 3, 1)],
    }
    if not public:
        rows["no layers"] = []
        rows["kernels of one"] = [(1, 2, 1), (kernel(), 1, 1), (1, 1, 1)]
    return tuple(_watched_list(name, "receptive_field", {"layers": layers}) for name, layers in rows.items())


def _receptive_field__no_jump(layers):
    return 1 + sum(dilation * (kernel - 1) for kernel, stride, dilation in layers)


def _receptive_field__no_dilation(layers):
    field, jump = 1, 1
    for kernel, stride, _dilation in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def _receptive_field__own_stride_too_early(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        jump *= stride
        field += dilation * (kernel - 1) * jump
    return field


def _receptive_field__kernels_added(layers):
    field, jump = 0, 1
    for kernel, stride, dilation in layers:
        field, jump = field + dilation * kernel * jump, jump * stride
    return field


def _receptive_field__starts_at_zero(layers):
    field, jump = 0, 1
    for kernel, stride, dilation in layers:
        field, jump = field + dilation * (kernel - 1) * jump, jump * stride
    return field


def _receptive_field__last_stride_only(layers):
    field, before = 1, 1
    for kernel, stride, dilation in layers:
        field, before = field + dilation * (kernel - 1) * before, stride
    return field


def _receptive_field__from_the_output(layers):
    field = 1
    for kernel, stride, dilation in reversed(layers):
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
    return field


def _receptive_field__pixels_collected(layers):
    seen = {0}
    for kernel, stride, dilation in layers[::-1]:
        seen = {place * stride + tap * dilation for place in seen for tap in (0, kernel - 1)}
    return max(seen) - min(seen) + 1


RECEPTIVE_FIELD = Exercise(
    id="receptive_field",
    topic="architecture",
    points=2,
    cases=_receptive_field_cases,
    mistakes=(
        Mistake(
            "no_jump",
            "You forget the strides. A step of a later layer is as long as the product of all strides before it: "
            "multiply by that.",
            _receptive_field__no_jump,
        ),
        Mistake(
            "no_dilation",
            "The dilation is missing. A layer widens the field by dilation * (kernel - 1) of its steps.",
            _receptive_field__no_dilation,
        ),
        Mistake(
            "own_stride_too_early",
            "A layer's own stride does not widen its own windows, only those of later layers. Add first, then multiply "
            "the step by the stride.",
            _receptive_field__own_stride_too_early,
        ),
        Mistake(
            "kernels_added",
            "You add whole kernels. Windows overlap: each layer adds kernel - 1, and you start with 1.",
            _receptive_field__kernels_added,
        ),
        Mistake(
            "starts_at_zero",
            "Your answer is one too small. Without any layer a number sees itself: start with 1.",
            _receptive_field__starts_at_zero,
        ),
        Mistake(
            "last_stride_only",
            "You use the stride of the layer just before. Multiply the strides of all layers before.",
            _receptive_field__last_stride_only,
        ),
    ),
    other_ways=(
        OtherWay("from_the_output", _receptive_field__from_the_output),
        OtherWay("pixels_collected", _receptive_field__pixels_collected),
    ),
)


def _count_conv_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def size(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    rows = {
        "stride and padding not given": (size(3, 9), size(10, 20), 3, size(12, 20), size(21, 30)),
        "padding keeps the size": (size(3, 9), size(10, 20), 5, size(12, 20), size(21, 30), 1, 2),
        "a stride": (size(3, 9), size(10, 20), 3, size(12, 20), size(21, 30), 2, 1),
        "a kernel of one": (size(20, 40), size(4, 10), 1, size(6, 9), size(10, 14)),
    }
    if public:
        rows["first layer of AlexNet"] = (3, 96, 11, 227, 227, 4, 0)
    else:
        rows["one channel, one filter"] = (1, 1, 3, size(8, 12), size(13, 20), 1, 0)
        rows["stride 3, a rest at the end"] = (size(2, 5), size(6, 9), 4, 12, 18, 3, 0)
    names = ("channels", "filters", "kernel", "height", "width", "stride", "padding")
    return tuple(call_case(name, "count_conv", dict(zip(names, values, strict=False))) for name, values in rows.items())


def _count_conv__no_bias(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    weights = channels * kernel**2
    return filters * weights, filters * ho * wo * weights, filters * ho * wo


def _count_conv__one_bias(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    weights = channels * kernel**2
    return filters * weights + 1, filters * ho * wo * weights, filters * ho * wo


def _count_conv__one_channel(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    return filters * (kernel**2 + 1), filters * ho * wo * kernel**2, filters * ho * wo


def _count_conv__kernel_not_squared(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    weights = channels * kernel
    return filters * (weights + 1), filters * ho * wo * weights, filters * ho * wo


def _count_conv__size_kept(channels, filters, kernel, height, width, stride=1, padding=0):
    weights, places = channels * kernel**2, height * width
    return filters * (weights + 1), filters * places * weights, filters * places


def _count_conv__weights_not_shared(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    weights, outputs = channels * kernel**2, filters * ho * wo
    return outputs * (weights + 1), outputs * weights, outputs


def _count_conv__additions_apart(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    weights, outputs = channels * kernel**2, filters * ho * wo
    return filters * (weights + 1), 2 * outputs * weights, outputs


def _count_conv__input_kept(channels, filters, kernel, height, width, stride=1, padding=0):
    ho, wo = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    weights = channels * kernel**2
    return filters * (weights + 1), filters * ho * wo * weights, channels * height * width


def _count_conv__arrays_measured(channels, filters, kernel, height, width, stride=1, padding=0):
    w, b = np.empty((filters, channels, kernel, kernel), np.int8), np.empty(filters, np.int8)
    rows = range(0, height + 2 * padding - kernel + 1, stride)
    columns = range(0, width + 2 * padding - kernel + 1, stride)
    outputs = len(b) * len(rows) * len(columns)
    return w.size + b.size, outputs * w[0].size, outputs


def _count_conv__place_by_place(channels, filters, kernel, height, width, stride=1, padding=0):
    places, top = 0, 0
    while top + kernel <= height + 2 * padding:
        places, top = places + (width + 2 * padding - kernel + stride) // stride, top + stride
    weights = filters * channels * kernel * kernel
    return weights + filters, weights * places, filters * places


COUNT_CONV = Exercise(
    id="count_conv",
    topic="architecture",
    points=2,
    cases=_count_conv_cases,
    mistakes=(
        Mistake("no_bias", "The biases are missing: every filter has one.", _count_conv__no_bias),
        Mistake("one_bias", "You count a single bias. Every filter has one of its own.", _count_conv__one_bias),
        Mistake(
            "one_channel",
            "Your filters see one channel. A filter reaches through all channels of the image: "
            "channels * kernel * kernel weights.",
            _count_conv__one_channel,
        ),
        Mistake(
            "kernel_not_squared",
            "A filter is kernel high and kernel wide: multiply by kernel twice.",
            _count_conv__kernel_not_squared,
        ),
        Mistake(
            "size_kept",
            "You count the places of the input. The output has fewer or more: use conv_output_size for both axes.",
            _count_conv__size_kept,
        ),
        Mistake(
            "weights_not_shared",
            "You count weights for every place. All places share the filters: the size of the image does not matter "
            "for the parameters.",
            _count_conv__weights_not_shared,
        ),
        Mistake(
            "additions_apart",
            "You count multiplications and additions apart. A multiply-add is one operation: leave out the factor 2.",
            _count_conv__additions_apart,
        ),
        Mistake(
            "input_kept",
            "Your third number is the size of the input. Count the numbers that come out: filters * H' * W'.",
            _count_conv__input_kept,
        ),
    ),
    other_ways=(
        OtherWay("arrays_measured", _count_conv__arrays_measured),
        OtherWay("place_by_place", _count_conv__place_by_place),
    ),
)

EXERCISES = (RECEPTIVE_FIELD, COUNT_CONV)
