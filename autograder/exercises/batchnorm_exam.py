"""Exam corner of lesson 07: six computed questions and one that a person marks."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths


def _entry_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {f"x{i}": int(rng.integers(-6, 10)) for i in (1, 2, 3, 4)}
    numbers |= {"gamma": tenths(rng, 15, 40), "beta": tenths(rng, -20, 20), "eps": one_of(rng, 0.1, 0.2, 0.5)}
    asks = _spread(**numbers) > 1 and numbers["x1"] != _mean(**numbers)
    return numbers if asks and is_clear(numbers, _entry_answer, _ENTRY_MISTAKES, 2) else _entry_numbers(rng)


def _mean(**numbers: float) -> float:
    return sum(numbers[f"x{i}"] for i in (1, 2, 3, 4)) / 4


def _spread(divisor: int = 4, **numbers: float) -> float:
    mean = _mean(**numbers)
    return sum((numbers[f"x{i}"] - mean) ** 2 for i in (1, 2, 3, 4)) / divisor


def _entry(std: float, **numbers: float) -> float:
    return numbers["gamma"] * (numbers["x1"] - _mean(**numbers)) / std + numbers["beta"]


def _entry_answer(eps: float, **numbers: float) -> float:
    return _entry(math.sqrt(_spread(**numbers) + eps), **numbers)


def _entry_torch(gamma: float, beta: float, eps: float, **x: float) -> float:
    batch = np.array([[x[f"x{i}"]] for i in (1, 2, 3, 4)], float)
    parameters = (np.array([value]) for value in (gamma, beta, 0.0, 1.0))
    return float(ask_torch("batchnorm_forward", batch, *parameters, 0.1, eps)[0][0, 0])


_ENTRY_MISTAKES: Formulas = {
    "n_minus_one": (
        "Your variance divides by 3. Inside the batch divide by the number of examples, 4.",
        lambda eps, **numbers: _entry(math.sqrt(_spread(3, **numbers) + eps), **numbers),
    ),
    "eps_outside": (
        "You added eps to the standard deviation. It is added to the variance, under the root.",
        lambda eps, **numbers: _entry(math.sqrt(_spread(**numbers)) + eps, **numbers),
    ),
    "no_root": (
        "You divided by the variance. Divide by the root of variance plus eps.",
        lambda eps, **numbers: _entry(_spread(**numbers) + eps, **numbers),
    ),
    "no_gamma_beta": (
        "This is the normalised value. Multiply it by gamma and add beta.",
        lambda eps, **numbers: (_entry_answer(eps=eps, **numbers) - numbers["beta"]) / numbers["gamma"],
    ),
    "shift_scaled": (
        "You multiplied beta by gamma as well. beta is added last.",
        lambda eps, **numbers: _entry_answer(eps=eps, **numbers) + numbers["beta"] * (numbers["gamma"] - 1),
    ),
}

EXAM_BATCHNORM_ENTRY = Question(
    id="exam_batchnorm_entry",
    points=1,
    numbers=_entry_numbers,
    text=(
        "One feature has the values {x1}, {x2}, {x3}, {x4} in a batch of four. Batch normalisation in training mode "
        "has gamma = {gamma}, beta = {beta} and eps = {eps}. What becomes of the first value, {x1}?"
    ),
    answer=_entry_answer,
    torch_answer=_entry_torch,
    explanation=(
        "With the mean of the four values and their variance (divided by 4), "
        "{gamma} * ({x1} - mean) / sqrt(var + {eps}) + {beta} = {answer}."
    ),
    mistakes=_ENTRY_MISTAKES,
    decimals=2,
)


def _running_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"start": tenths(rng, -20, 20), "first": tenths(rng, -40, 40), "second": tenths(rng, -40, 40)}
    numbers["momentum"] = one_of(rng, 0.1, 0.2, 0.3, 0.4)
    return numbers if is_clear(numbers, _running_answer, _RUNNING_MISTAKES, 3) else _running_numbers(rng)


def _running_answer(start: float, first: float, second: float, momentum: float) -> float:
    after_one = (1 - momentum) * start + momentum * first
    return (1 - momentum) * after_one + momentum * second


def _running_torch(start: float, first: float, second: float, momentum: float) -> float:
    one, mean = np.ones(1), np.array([start])
    for middle in (first, second):
        mean = ask_torch("batchnorm_forward", np.array([[middle - 1], [middle + 1]]), one, one, mean, one, momentum)[2]
    return float(mean[0])


_RUNNING_MISTAKES: Formulas = {
    "momentum_reversed": (
        "You gave the old estimate the weight momentum. As in Torch, momentum is the weight of the new batch.",
        lambda momentum, **numbers: _running_answer(momentum=1 - momentum, **numbers),
    ),
    "one_batch": (
        "This is the estimate after the first batch. The second moves it once more.",
        lambda start, first, second, momentum: (1 - momentum) * start + momentum * first,
    ),
    "start_forgotten": (
        "You began at 0. The estimate before the first batch is part of the answer.",
        lambda start, **numbers: _running_answer(start=0.0, **numbers),
    ),
    "order_swapped": (
        "You took the second batch first. The later batch has the larger weight.",
        lambda first, second, **numbers: _running_answer(first=second, second=first, **numbers),
    ),
    "plain_average": (
        "This is the average of the two batch means. The running estimate moves only by momentum at each batch.",
        lambda start, first, second, momentum: (first + second) / 2,
    ),
}

EXAM_RUNNING_MEAN = Question(
    id="exam_running_mean",
    points=1,
    numbers=_running_numbers,
    text=(
        "The running mean of a feature is {start}. Two batches come in training mode, the first with mean {first}, the "
        "second with mean {second}; momentum is {momentum} as in Torch. What is the running mean afterwards?"
    ),
    answer=_running_answer,
    torch_answer=_running_torch,
    explanation=(
        "Each batch makes it (1 - {momentum}) times the old estimate plus {momentum} times the mean of the batch: "
        "first with {first}, then with {second}. The result is {answer}."
    ),
    mistakes=_RUNNING_MISTAKES,
    decimals=3,
)


def _stored_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"channels": int(rng.integers(3, 20)), "filters": int(rng.integers(5, 40))}
    numbers["size"] = int(one_of(rng, 1, 3, 5))
    return numbers if is_clear(numbers, _stored_answer, _STORED_MISTAKES, 0) else _stored_numbers(rng)


def _stored_answer(channels: int, filters: int, size: int) -> int:
    return channels * filters * size * size + 4 * filters


def _stored_torch(channels: int, filters: int, size: int) -> int:
    """The sizes of what both layers really take."""
    w, of_the_norm = np.ones((filters, channels, size, size)), [np.ones(filters)] * 4
    out = ask_torch("conv2d_forward", np.ones((1, channels, size, size)), w, None)[0]
    ask_torch("batchnorm2d_eval", out, *of_the_norm)
    return w.size + sum(array.size for array in of_the_norm)


_STORED_MISTAKES: Formulas = {
    "learned_only": (
        "You counted what is learned. The running mean and variance of each channel are saved too.",
        lambda channels, filters, size: channels * filters * size * size + 2 * filters,
    ),
    "filters_only": (
        "You counted the filters alone. gamma, beta, running mean and running variance are saved too, per filter.",
        lambda channels, filters, size: channels * filters * size * size,
    ),
    "one_per_filter": (
        "You counted one number per filter beside the weights. Normalisation has four: gamma, beta, mean, variance.",
        lambda channels, filters, size: filters * (channels * size * size + 1),
    ),
    "with_a_bias": (
        "You counted a bias per filter. This convolution has none: beta does its work.",
        lambda channels, filters, size: channels * filters * size * size + 5 * filters,
    ),
    "per_input_channel": (
        "You counted normalisation for the channels that enter. It stands behind the convolution: one set per filter.",
        lambda channels, filters, size: channels * filters * size * size + 4 * channels,
    ),
    "one_set": (
        "You counted gamma, beta, mean and variance once. Every output channel has its own four numbers.",
        lambda channels, filters, size: channels * filters * size * size + 4,
    ),
}

EXAM_BATCHNORM_STORED = Question(
    id="exam_batchnorm_stored",
    points=1,
    numbers=_stored_numbers,
    text=(
        "A {size} x {size} convolution without bias takes {channels} channels to {filters}; batch normalisation with "
        "gamma and beta follows. Both are saved with everything that evaluation needs. How many numbers is that, "
        "learned ones and running estimates together?"
    ),
    answer=_stored_answer,
    torch_answer=_stored_torch,
    explanation=(
        "The filters are {filters} * {channels} * {size} * {size} numbers, and each of the {filters} output channels "
        "has gamma, beta, a running mean and a running variance: {answer} in all, eps not counted."
    ),
    mistakes=_STORED_MISTAKES,
)


def _folded_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {name: tenths(rng, -20, 20) for name in ("b", "beta", "mean")}
    numbers |= {"gamma": tenths(rng, 11, 30), "var": tenths(rng, 15, 60), "eps": 0.01}
    return numbers if is_clear(numbers, _folded_answer, _FOLDED_MISTAKES, 2) else _folded_numbers(rng)


def _scale(gamma: float, var: float, eps: float, **_others: float) -> float:
    return gamma / math.sqrt(var + eps)


def _folded_answer(b: float, beta: float, mean: float, **numbers: float) -> float:
    return (b - mean) * _scale(**numbers) + beta


def _folded_torch(b: float, beta: float, mean: float, gamma: float, var: float, eps: float) -> float:
    parameters = (np.array([value]) for value in (b, gamma, beta, mean, var))
    return float(ask_torch("fold_batchnorm_into_conv", np.ones((1, 1, 1, 1)), *parameters, eps)[1][0])


_FOLDED_MISTAKES: Formulas = {
    "no_bias": (
        "The convolution's own bias is lost. It goes through the normalisation like every output.",
        lambda b, **numbers: _folded_answer(b=0.0, **numbers),
    ),
    "no_mean": (
        "The running mean is missing. Normalisation subtracts it before it scales.",
        lambda mean, **numbers: _folded_answer(mean=0.0, **numbers),
    ),
    "bias_not_scaled": (
        "You left the old bias unscaled. It goes through the normalisation: scale b - mean as a whole.",
        lambda b, beta, mean, **numbers: b - mean * _scale(**numbers) + beta,
    ),
    "mean_not_scaled": (
        "You scaled the bias, but not the running mean. Subtract first, then scale b - mean as a whole.",
        lambda b, beta, mean, **numbers: b * _scale(**numbers) - mean + beta,
    ),
    "no_root": (
        "You divided by the variance. Divide by the root of variance plus eps.",
        lambda b, beta, mean, gamma, var, eps: (b - mean) * gamma / (var + eps) + beta,
    ),
    "shift_scaled": (
        "You scaled beta as well. beta is added last.",
        lambda b, beta, mean, **numbers: (b - mean + beta) * _scale(**numbers),
    ),
}

EXAM_FOLDED_BIAS = Question(
    id="exam_folded_bias",
    points=1,
    numbers=_folded_numbers,
    text=(
        "A filter has the bias {b}. Batch normalisation behind it has gamma = {gamma}, beta = {beta}, running mean "
        "{mean}, running variance {var} and eps = {eps}. Both are folded into one convolution. What is its new bias?"
    ),
    answer=_folded_answer,
    torch_answer=_folded_torch,
    explanation="({b} - {mean}) * {gamma} / sqrt({var} + {eps}) + {beta} = {answer}.",
    mistakes=_FOLDED_MISTAKES,
    decimals=2,
)


def _group_numbers(rng: np.random.Generator) -> Numbers:
    groups, each = int(rng.integers(2, 7)), int(rng.integers(2, 7))
    numbers: Numbers = {"images": int(rng.integers(2, 9)), "channels": groups * each, "groups": groups}
    numbers |= {"height": int(rng.integers(2, 9)), "width": int(rng.integers(2, 9))}
    return numbers if is_clear(numbers, _group_answer, _GROUP_MISTAKES, 0) else _group_numbers(rng)


def _group_answer(images: int, channels: int, groups: int, height: int, width: int) -> int:
    return channels // groups * height * width


def _group_torch(images: int, channels: int, groups: int, height: int, width: int) -> int:
    """How many outputs notice that one input is not 0."""
    x = np.zeros((images, channels, height, width))
    x[0, 0, 0, 0] = 1
    return int(np.count_nonzero(ask_torch("groupnorm_forward", x, np.ones(channels), np.zeros(channels), groups)[0]))


_GROUP_MISTAKES: Formulas = {
    "groups_as_channels": (
        "You took the number of groups for the number of channels in a group. That is channels / groups.",
        lambda images, channels, groups, height, width: groups * height * width,
    ),
    "whole_batch": (
        "You counted all images. Group normalisation looks at each image on its own.",
        lambda images, channels, groups, height, width: images * channels // groups * height * width,
    ),
    "whole_image": (
        "You counted all channels. Each group has a mean of its own: divide by the number of groups.",
        lambda images, channels, groups, height, width: channels * height * width,
    ),
    "one_channel": (
        "You counted one channel. A group holds channels / groups of them.",
        lambda images, channels, groups, height, width: height * width,
    ),
    "no_pixels": (
        "You counted channels. All their pixels go into the mean: multiply by height and width.",
        lambda images, channels, groups, height, width: channels // groups,
    ),
}

EXAM_GROUP_VALUES = Question(
    id="exam_group_values",
    points=1,
    numbers=_group_numbers,
    text=(
        "Group normalisation with {groups} groups gets a batch of {images} images with {channels} channels of "
        "{height} x {width} pixels. Over how many values is each mean taken?"
    ),
    answer=_group_answer,
    torch_answer=_group_torch,
    explanation=(
        "A group has {channels} / {groups} channels of one image, each with {height} * {width} pixels: {answer} values."
    ),
    mistakes=_GROUP_MISTAKES,
)


def _noise_numbers(rng: np.random.Generator) -> Numbers:
    before = int(one_of(rng, 4, 8, 16, 32, 64, 128))
    factor = one_of(rng, 2, 4, 8, 16, 0.5, 0.25)
    numbers: Numbers = {"before": before, "after": int(before * factor), "noise": tenths(rng, 4, 40)}
    return numbers if is_clear(numbers, _noise_answer, _NOISE_MISTAKES, 3) else _noise_numbers(rng)


def _noise_answer(before: int, after: int, noise: float) -> float:
    return noise * math.sqrt(before / after)


def _noise_torch(before: int, after: int, noise: float) -> float:
    """A variance that is after / before times as small: division by its root, as normalisation does it."""
    parameters = np.ones(1), np.zeros(1), np.zeros(1), np.array([after / before - 1e-5])
    return float(ask_torch("batchnorm_eval", np.array([[noise]]), *parameters, 1e-5)[0, 0])


_NOISE_MISTAKES: Formulas = {
    "no_root": (
        "You scaled the standard deviation with the batch size. It is the variance that goes as 1 / N: take the root.",
        lambda before, after, noise: noise * before / after,
    ),
    "wrong_way": (
        "It goes the other way: the mean of a larger batch varies less.",
        lambda before, after, noise: noise * math.sqrt(after / before),
    ),
    "wrong_way_no_root": (
        "The mean of a larger batch varies less, and with the root of the batch size.",
        lambda before, after, noise: noise * after / before,
    ),
    "unchanged": (
        "The batch size matters: the mean of N independent values has the variance of one divided by N.",
        lambda before, after, noise: noise,
    ),
}

EXAM_BATCH_NOISE = Question(
    id="exam_batch_noise",
    points=1,
    numbers=_noise_numbers,
    text=(
        "With batches of {before} independently drawn examples the batch mean of a feature varies from batch to batch "
        "with standard deviation {noise}. What is that standard deviation with batches of {after}?"
    ),
    answer=_noise_answer,
    torch_answer=_noise_torch,
    explanation=(
        "The variance of a mean goes as 1 / N, its standard deviation as 1 / sqrt(N): "
        "{noise} * sqrt({before} / {after}) = {answer}."
    ),
    mistakes=_NOISE_MISTAKES,
    decimals=3,
)

OPEN_QUESTION_BATCHNORM = OpenQuestion(
    id="open_question_batchnorm",
    points=3,
    rubric=(
        "The text describes a network with batch normalisation that is right in training mode and much worse in "
        "evaluation mode. 1 point: a cause with a test, for example running estimates that lag behind the weights "
        "(few steps, small momentum): recalibrate them and measure again. 1 point: a second cause with a test, for "
        "example small or unusual batches, data from elsewhere, momentum reversed: compare the running estimates with "
        "mean and variance over many batches. 1 point: why training mode is no way out: an answer would depend on "
        "the other examples in the batch, and a batch of one does not work at all."
    ),
)

QUESTIONS = (
    EXAM_BATCHNORM_ENTRY, EXAM_RUNNING_MEAN, EXAM_BATCHNORM_STORED,
    EXAM_FOLDED_BIAS, EXAM_GROUP_VALUES, EXAM_BATCH_NOISE,
)  # fmt: skip
OPEN_QUESTIONS = (OPEN_QUESTION_BATCHNORM,)
