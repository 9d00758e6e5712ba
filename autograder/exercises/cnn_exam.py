"""Exam corner of lesson 06: six computed questions and one that a person marks."""

from __future__ import annotations

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of


def _between(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _size_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "size": _between(rng, 30, 240),
        "kernel": _between(rng, 3, 11),
        "stride": _between(rng, 2, 4),
        "padding": _between(rng, 1, 4),
    }
    return numbers if is_clear(numbers, _size_answer, _SIZE_MISTAKES, 0) else _size_numbers(rng)


def _size_answer(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1


def _size_torch(size: int, kernel: int, stride: int, padding: int) -> int:
    return ask_torch("conv_output_size", size, kernel, stride, padding)


_SIZE_MISTAKES: Formulas = {
    "no_padding": (
        "The padding is missing: the windows slide over size + 2 * padding entries.",
        lambda size, kernel, stride, padding: (size - kernel) // stride + 1,
    ),
    "no_first_window": (
        "You counted the steps between the windows. There is one window more than there are steps.",
        lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride,
    ),
    "no_stride": (
        "This is the size at a stride of 1.",
        lambda size, kernel, stride, padding: size + 2 * padding - kernel + 1,
    ),
}

EXAM_OUTPUT_SIZE = Question(
    id="exam_output_size",
    points=1,
    numbers=_size_numbers,
    text=(
        "A convolution with {kernel} x {kernel} kernels, stride {stride} and padding {padding} runs over an image of "
        "{size} x {size} pixels. How many rows does its output have?"
    ),
    answer=_size_answer,
    torch_answer=_size_torch,
    explanation="({size} + 2 * {padding} - {kernel}) / {stride}, rounded down, plus 1 is {answer}.",
    mistakes=_SIZE_MISTAKES,
)


def _parameters_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "channels": _between(rng, 3, 64),
        "filters": _between(rng, 8, 128),
        "kernel": _between(rng, 2, 7),
    }
    clear = is_clear(numbers, _parameters_answer, _PARAMETERS_MISTAKES, 0)
    return numbers if clear else _parameters_numbers(rng)


def _parameters_answer(channels: int, filters: int, kernel: int) -> int:
    return filters * (channels * kernel**2 + 1)


def _parameters_torch(channels: int, filters: int, kernel: int) -> int:
    return ask_torch("count_conv", channels, filters, kernel, 50, 60)[0]


_PARAMETERS_MISTAKES: Formulas = {
    "no_biases": (
        "The biases are missing: every filter has one.",
        lambda channels, filters, kernel: filters * channels * kernel**2,
    ),
    "one_channel": (
        "Your filters see one channel. A filter reaches through all channels that come in.",
        lambda channels, filters, kernel: filters * (kernel**2 + 1),
    ),
    "biases_of_channels": (
        "You counted a bias for every channel of a filter. A filter has one bias for all its channels.",
        lambda channels, filters, kernel: filters * channels * (kernel**2 + 1),
    ),
    "one_filter": (
        "These are the parameters of one filter. Multiply by the number of filters.",
        lambda channels, filters, kernel: channels * kernel**2 + 1,
    ),
}

EXAM_CONV_PARAMETERS = Question(
    id="exam_conv_parameters",
    points=1,
    numbers=_parameters_numbers,
    text=(
        "A convolution takes in {channels} channels and has {filters} filters of {kernel} x {kernel}, with biases. How "
        "many parameters does it have?"
    ),
    answer=_parameters_answer,
    torch_answer=_parameters_torch,
    explanation="{filters} * ({channels} * {kernel} * {kernel} + 1) = {answer}; the size of the image does not matter.",
    mistakes=_PARAMETERS_MISTAKES,
)


def _work_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "channels": _between(rng, 3, 32),
        "filters": _between(rng, 8, 64),
        "kernel": int(one_of(rng, 3, 5, 7)),
        "size": _between(rng, 14, 64),
    }
    return numbers if is_clear(numbers, _work_answer, _WORK_MISTAKES, 0) else _work_numbers(rng)


def _work_answer(channels: int, filters: int, kernel: int, size: int) -> int:
    return filters * size**2 * channels * kernel**2


def _work_torch(channels: int, filters: int, kernel: int, size: int) -> int:
    return ask_torch("count_conv", channels, filters, kernel, size, size, 1, kernel // 2)[1]


_WORK_MISTAKES: Formulas = {
    "places_missing": (
        "You counted the weights. Each of them is used once at every place of the output.",
        lambda channels, filters, kernel, size: filters * channels * kernel**2,
    ),
    "one_channel": (
        "You left out the channels: every output number sums over all of them.",
        lambda channels, filters, kernel, size: filters * size**2 * kernel**2,
    ),
    "one_filter": (
        "This is the work of one filter. Multiply by the number of filters.",
        lambda channels, filters, kernel, size: size**2 * channels * kernel**2,
    ),
    "counted_twice": (
        "You counted multiplications and additions apart. A multiply-add is one operation.",
        lambda channels, filters, kernel, size: 2 * _work_answer(channels, filters, kernel, size),
    ),
}

EXAM_MULTIPLY_ADDS = Question(
    id="exam_multiply_adds",
    points=1,
    numbers=_work_numbers,
    text=(
        "{filters} filters of {kernel} x {kernel} run over an image of {size} x {size} pixels with {channels} "
        "channels, padded so that the size stays. How many multiply-adds is that? Leave the biases out."
    ),
    answer=_work_answer,
    torch_answer=_work_torch,
    explanation="{filters} * {size} * {size} numbers come out, each from {channels} * {kernel} * {kernel}: {answer}.",
    mistakes=_WORK_MISTAKES,
)


def _field_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "first": _between(rng, 3, 9),
        "stride": _between(rng, 2, 4),
        "pool": _between(rng, 2, 3),
        "last": _between(rng, 3, 7),
    }
    return numbers if is_clear(numbers, _field_answer, _FIELD_MISTAKES, 0) else _field_numbers(rng)


def _field_answer(first: int, stride: int, pool: int, last: int) -> int:
    return first + (pool - 1) * stride + (last - 1) * stride * pool


def _field_torch(first: int, stride: int, pool: int, last: int) -> int:
    return ask_torch("receptive_field", [(first, stride, 1), (pool, pool, 1), (last, 1, 1)])


_FIELD_MISTAKES: Formulas = {
    "no_strides": (
        "You left out the strides. A step of a later layer is as long as all strides before it together.",
        lambda first, stride, pool, last: first + pool - 1 + last - 1,
    ),
    "last_stride_only": (
        "For the last layer you used the stride of the pooling only. Multiply it by the one of the first layer.",
        lambda first, stride, pool, last: first + (pool - 1) * stride + (last - 1) * pool,
    ),
    "kernels_added": (
        "You added whole kernels. Windows overlap: each later layer adds kernel - 1 steps.",
        lambda first, stride, pool, last: first + pool * stride + last * stride * pool,
    ),
}

EXAM_RECEPTIVE_FIELD = Question(
    id="exam_receptive_field",
    points=1,
    numbers=_field_numbers,
    text=(
        "First comes a {first} x {first} convolution with stride {stride}, then {pool} x {pool} pooling with stride "
        "{pool}, then a {last} x {last} convolution with stride 1. How many rows of the image does one number of the "
        "last layer see?"
    ),
    answer=_field_answer,
    torch_answer=_field_torch,
    explanation=(
        "{first} from the first layer, ({pool} - 1) * {stride} more from the pooling, and "
        "({last} - 1) * {stride} * {pool} more from the last layer: {answer}."
    ),
    mistakes=_FIELD_MISTAKES,
)


def _memory_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "batch": int(one_of(rng, 16, 32, 48, 64, 96, 128)),
        "filters": int(one_of(rng, 32, 48, 64, 96, 128)),
        "size": _between(rng, 28, 112),
    }
    return numbers if is_clear(numbers, _memory_answer, _MEMORY_MISTAKES, 2) else _memory_numbers(rng)


def _memory_answer(batch: int, filters: int, size: int) -> float:
    return 4 * batch * filters * size**2 / 2**20


def _memory_torch(batch: int, filters: int, size: int) -> float:
    return 4 * batch * ask_torch("count_conv", 3, filters, 3, size, size, 1, 1)[2] / 2**20


_MEMORY_MISTAKES: Formulas = {
    "one_image": (
        "This is one image. The outputs of the whole batch wait for the backward pass.",
        lambda batch, filters, size: 4 * filters * size**2 / 2**20,
    ),
    "one_byte": (
        "You counted one byte for each number. A number in float32 takes four.",
        lambda batch, filters, size: batch * filters * size**2 / 2**20,
    ),
    "channels_of_the_image": (
        "You counted the three channels of the image. The output has one channel per filter.",
        lambda batch, filters, size: 4 * batch * 3 * size**2 / 2**20,
    ),
    "millions": (
        "You divided by a million. One MiB is 1024 * 1024 bytes.",
        lambda batch, filters, size: 4 * batch * filters * size**2 / 1e6,
    ),
}

EXAM_ACTIVATION_MEMORY = Question(
    id="exam_activation_memory",
    points=1,
    numbers=_memory_numbers,
    text=(
        "A 3 x 3 convolution with padding 1 and {filters} filters gets a batch of {batch} colour images of "
        "{size} x {size} pixels. How many MiB does its output take in float32? One MiB is 1024 * 1024 bytes."
    ),
    answer=_memory_answer,
    torch_answer=_memory_torch,
    explanation="4 * {batch} * {filters} * {size} * {size} / (1024 * 1024) = {answer}.",
    mistakes=_MEMORY_MISTAKES,
    decimals=2,
)


def _row_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "channels": 32 * _between(rng, 6, 16),
        "reduced": 16 * _between(rng, 1, 5),
        "filters": 32 * _between(rng, 2, 8),
        "kernel": int(one_of(rng, 3, 5)),
        "size": int(one_of(rng, 7, 14, 28)),
    }
    return numbers if is_clear(numbers, _row_answer, _ROW_MISTAKES, 0) else _row_numbers(rng)


def _row_answer(channels: int, reduced: int, filters: int, kernel: int, size: int) -> int:
    return size**2 * reduced * (channels + filters * kernel**2)


def _row_torch(channels: int, reduced: int, filters: int, kernel: int, size: int) -> int:
    first = ask_torch("count_conv", channels, reduced, 1, size, size)[1]
    return first + ask_torch("count_conv", reduced, filters, kernel, size, size, 1, kernel // 2)[1]


_ROW_MISTAKES: Formulas = {
    "not_reduced": (
        "Your wide convolution takes in all channels. After the 1 x 1 convolution there are fewer.",
        lambda channels, reduced, filters, kernel, size: size**2 * channels * (reduced + filters * kernel**2),
    ),
    "reduction_free": (
        "You left out the 1 x 1 convolution. It costs something too.",
        lambda channels, reduced, filters, kernel, size: size**2 * reduced * filters * kernel**2,
    ),
    "naive": (
        "This is the wide convolution without the 1 x 1 convolution before it.",
        lambda channels, reduced, filters, kernel, size: size**2 * channels * filters * kernel**2,
    ),
    "one_place": (
        "You counted one place. Multiply by the places of the map.",
        lambda channels, reduced, filters, kernel, size: reduced * (channels + filters * kernel**2),
    ),
}

EXAM_INCEPTION_ROW = Question(
    id="exam_inception_row",
    points=1,
    numbers=_row_numbers,
    text=(
        "In one branch of an Inception module, {reduced} filters of 1 x 1 come before {filters} filters of "
        "{kernel} x {kernel}. Into the branch go {channels} channels of {size} x {size}; padding keeps the size. How "
        "many multiply-adds does the branch take? Leave the biases out."
    ),
    answer=_row_answer,
    torch_answer=_row_torch,
    explanation=(
        "{size} * {size} * {channels} * {reduced} for the 1 x 1 convolution, and "
        "{size} * {size} * {reduced} * {kernel} * {kernel} * {filters} for the wide one: {answer} together."
    ),
    mistakes=_ROW_MISTAKES,
)

OPEN_QUESTION_CNN = OpenQuestion(
    id="open_question_cnn",
    points=3,
    rubric=(
        "1 point: shared weights: the same filter is used at every place, so the parameters do not grow with the "
        "image, and what was learned at one place is known at all others. 1 point: a shifted digit: the maps of a "
        "convolution shift with it, and pooling makes small shifts matter less, while a dense network sees other "
        "inputs on other weights and has to learn every position. 1 point: one limit, for example: large shifts, "
        "rotations or other stroke widths still fail unless they occur in training; the dense layers at the end do "
        "depend on the position; where the place of a pixel has a fixed meaning, sharing weights is no help."
    ),
)

QUESTIONS = (
    EXAM_OUTPUT_SIZE,
    EXAM_CONV_PARAMETERS,
    EXAM_MULTIPLY_ADDS,
    EXAM_RECEPTIVE_FIELD,
    EXAM_ACTIVATION_MEMORY,
    EXAM_INCEPTION_ROW,
)
OPEN_QUESTIONS = (OPEN_QUESTION_CNN,)
