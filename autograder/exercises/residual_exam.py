"""Exam corner of lesson 08: six computed questions and one that a person marks."""

from __future__ import annotations

import math

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths


def _chain_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {f"w{i}": tenths(rng, -6, 9) for i in (1, 2, 3)} | {"dout": tenths(rng, 10, 40)}
    return numbers if is_clear(numbers, _chain_answer, _CHAIN_MISTAKES, 3) else _chain_numbers(rng)


def _chain_answer(w1: float, w2: float, w3: float, dout: float) -> float:
    return dout * (1 + w1) * (1 + w2) * (1 + w3)


def _chain_torch(w1: float, w2: float, w3: float, dout: float) -> float:
    """Back through three residual layers; the branch's own backward pass multiplies by its weight."""
    gradient = np.array([dout])
    for w in (w3, w2, w1):
        cache = (np.zeros(1), None)
        (gradient,) = ask_torch("residual_backward", gradient, cache, lambda dout, _, w=w: w * dout)
    return float(gradient[0])


_CHAIN_MISTAKES: Formulas = {
    "plain": (
        "This is the gradient of a plain network. With the skip each layer multiplies by 1 + w.",
        lambda w1, w2, w3, dout: dout * w1 * w2 * w3,
    ),
    "one_skip": (
        "You added one skip around all three layers. Each layer has its own: a factor 1 + w for each.",
        lambda w1, w2, w3, dout: dout * (1 + w1 * w2 * w3),
    ),
    "only_sums": (
        "You added the weights up. Products of them count too: multiply the factors 1 + w.",
        lambda w1, w2, w3, dout: dout * (1 + w1 + w2 + w3),
    ),
    "no_upstream": (
        "The upstream gradient is missing. It multiplies everything.",
        lambda w1, w2, w3, dout: (1 + w1) * (1 + w2) * (1 + w3),
    ),
    "skip_not_scaled": (
        "You added 1 for the skips at the end, without the upstream gradient. The skip passes on all of it.",
        lambda w1, w2, w3, dout: dout * w1 * w2 * w3 + 1,
    ),
}

EXAM_RESIDUAL_CHAIN = Question(
    id="exam_residual_chain",
    points=1,
    numbers=_chain_numbers,
    text=(
        "Three residual layers with one number each, h = h + w * h, have the weights {w1}, {w2} and {w3}. The gradient "
        "of the loss with respect to the last output is {dout}. What is it with respect to the input of the first "
        "layer?"
    ),
    answer=_chain_answer,
    torch_answer=_chain_torch,
    explanation="Each layer multiplies by 1 + w: {dout} * (1 + {w1}) * (1 + {w2}) * (1 + {w3}) = {answer}.",
    mistakes=_CHAIN_MISTAKES,
    decimals=3,
)


def _block_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"before": int(rng.integers(4, 40)), "after": int(rng.integers(41, 90))}
    return numbers if is_clear(numbers, _block_answer, _BLOCK_MISTAKES, 0) else _block_numbers(rng)


def _block_answer(before: int, after: int) -> int:
    return 9 * before * after + 9 * after * after + before * after + 6 * after


def _block_torch(before: int, after: int) -> int:
    """The sizes of what the layers really take."""
    x, counted = np.ones((2, before, 2, 2)), 0
    first, second = np.ones((after, before, 3, 3)), np.ones((after, after, 3, 3))
    shortcut, of_a_norm = np.ones((after, before, 1, 1)), [np.ones(after)] * 2
    h = ask_torch("conv2d_forward", x, first, None, 2, 1)[0]
    f = ask_torch("conv2d_forward", h, second, None, 1, 1)[0]
    for images in (h, f, ask_torch("projection_shortcut", x, shortcut)):
        ask_torch("batchnorm2d_eval", images, *of_a_norm, *of_a_norm)
        counted += sum(array.size for array in of_a_norm)
    return counted + first.size + second.size + shortcut.size


_BLOCK_MISTAKES: Formulas = {
    "no_shortcut": (
        "The shortcut is missing: a 1 x 1 convolution with its batch normalisation.",
        lambda before, after: 9 * before * after + 9 * after * after + 4 * after,
    ),
    "shortcut_not_normalised": (
        "The batch normalisation of the shortcut is missing: a scale and a shift per channel.",
        lambda before, after: 9 * before * after + 9 * after * after + before * after + 4 * after,
    ),
    "no_normalisation": (
        "You counted convolutions only. Each of the three has a batch normalisation behind it.",
        lambda before, after: 9 * before * after + 9 * after * after + before * after,
    ),
    "same_channels": (
        "You gave both 3 x 3 convolutions the channels that enter. The second one gets those of the first.",
        lambda before, after: 18 * before * after + before * after + 6 * after,
    ),
    "running_estimates": (
        "You counted running means and variances. They are saved, but not learned.",
        lambda before, after: _block_answer(before, after) + 6 * after,
    ),
}

EXAM_BLOCK_PARAMETERS = Question(
    id="exam_block_parameters",
    points=1,
    numbers=_block_numbers,
    text=(
        "A ResNet block takes {before} channels to {after}: two 3 x 3 convolutions, and a 1 x 1 convolution as its "
        "shortcut. No convolution has biases; batch normalisation with scale and shift follows each. How many numbers "
        "does the block learn?"
    ),
    answer=_block_answer,
    torch_answer=_block_torch,
    explanation=(
        "9 * {before} * {after} + 9 * {after} * {after} for the branch, {before} * {after} for the shortcut, and three "
        "times 2 * {after} for the normalisations: {answer}."
    ),
    mistakes=_BLOCK_MISTAKES,
)


def _saving_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"channels": 4 * int(rng.integers(30, 129)), "reduced": 4 * int(rng.integers(4, 25))}
    return numbers if is_clear(numbers, _saving_answer, _SAVING_MISTAKES, 2) else _saving_numbers(rng)


def _saving_answer(channels: int, reduced: int) -> float:
    return 18 * channels**2 / (2 * channels * reduced + 9 * reduced**2)


def _saving_torch(channels: int, reduced: int) -> float:
    """Multiply-adds of real layers."""
    _, bottleneck = ask_torch("bottleneck_cost", channels, reduced, 4, 4)
    wide = ask_torch("conv2d_forward", np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), None, 1, 1)[0]
    return 2 * channels**2 * wide.size * 9 / bottleneck


_SAVING_MISTAKES: Formulas = {
    "one_wide_layer": (
        "You compared with one 3 x 3 convolution. The basic block has two.",
        lambda channels, reduced: _saving_answer(channels, reduced) / 2,
    ),
    "no_way_back": (
        "The 1 x 1 convolution back to all channels is missing in the bottleneck.",
        lambda channels, reduced: 18 * channels**2 / (channels * reduced + 9 * reduced**2),
    ),
    "middle_only": (
        "You counted only the 3 x 3 convolution of the bottleneck. The two 1 x 1 convolutions cost too.",
        lambda channels, reduced: 2 * (channels / reduced) ** 2,
    ),
    "wide_in_the_middle": (
        "Your 3 x 3 convolution has all channels on one side. It works where they are reduced, on both sides.",
        lambda channels, reduced: 18 * channels**2 / (11 * channels * reduced),
    ),
    "turned": (
        "You turned the fraction. The basic block is asked for in units of the bottleneck.",
        lambda channels, reduced: 1 / _saving_answer(channels, reduced),
    ),
    "number_of_the_text": ("That is ResNet-50's saving, with its 256 and 64. Use your numbers.", lambda **_: 16.94),
    "one_decimal": (
        "You rounded to one decimal. Two are asked.",
        lambda channels, reduced: round(_saving_answer(channels, reduced), 1),
    ),
}

EXAM_BOTTLENECK_SAVING = Question(
    id="exam_bottleneck_saving",
    points=1,
    numbers=_saving_numbers,
    text=(
        "A basic block has two 3 x 3 convolutions on {channels} channels. A bottleneck goes from {channels} to "
        "{reduced} channels by 1 x 1, works there with 3 x 3, and goes back to {channels} by 1 x 1. Images keep their "
        "size, no biases. How many times as many multiply-adds does the basic block take?"
    ),
    answer=_saving_answer,
    torch_answer=_saving_torch,
    explanation=(
        "18 * {channels} * {channels} / (2 * {channels} * {reduced} + 9 * {reduced} * {reduced}) = {answer}; the "
        "number of pixels cancels."
    ),
    mistakes=_SAVING_MISTAKES,
    decimals=2,
)


def _pixels_numbers(rng: np.random.Generator) -> Numbers:
    height, width = (2 * int(size) + 1 for size in rng.integers(48, 160, 2))
    numbers: Numbers = {"height": height, "width": width}
    return numbers if is_clear(numbers, _pixels_answer, _PIXELS_MISTAKES, 0) else _pixels_numbers(rng)


def _pixels(height: int, width: int, halvings: int) -> int:
    """Each halving rounds up."""
    return math.ceil(height / 2**halvings) * math.ceil(width / 2**halvings)


def _pixels_answer(height: int, width: int) -> int:
    return _pixels(height, width, 5)


def _pixels_torch(height: int, width: int) -> int:
    rows = ask_torch("resnet18_shapes", (3, height, width), 10)
    return math.prod(next(shape for name, shape, _ in rows if name == "stage4.2")[1:])


_PIXELS_MISTAKES: Formulas = {
    "rounded_down": (
        "You rounded down. With this padding an odd number of rows becomes half of it, rounded up.",
        lambda height, width: (height // 32) * (width // 32),
    ),
    "stage_one_strides": (
        "You halved in stage 1 too. The pooling before it did that; stages 2, 3 and 4 halve.",
        lambda height, width: _pixels(height, width, 6),
    ),
    "no_pooling": (
        "The pooling is missing: both the first convolution and the pooling have stride 2.",
        lambda height, width: _pixels(height, width, 4),
    ),
    "stages_only": (
        "You started at stage 1. The first convolution and the pooling halve before that.",
        lambda height, width: _pixels(height, width, 3),
    ),
    "with_channels": (
        "You multiplied by the 512 channels. The mean of a channel is taken over its pixels alone.",
        lambda height, width: 512 * _pixels(height, width, 5),
    ),
}

EXAM_MEAN_PIXELS = Question(
    id="exam_mean_pixels",
    points=1,
    numbers=_pixels_numbers,
    text=(
        "ResNet-18 gets an image of {height} x {width} pixels. Before the dense layer each channel is replaced by its "
        "mean. Over how many pixels is that mean taken?"
    ),
    answer=_pixels_answer,
    torch_answer=_pixels_torch,
    explanation=(
        "The first convolution, the pooling and stages 2, 3 and 4 halve {height} and {width}, rounding up: five times. "
        "What is left has {answer} pixels."
    ),
    mistakes=_PIXELS_MISTAKES,
)


def _growth_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"blocks": int(rng.integers(3, 13)), "scale": tenths(rng, 2, 9), "variance": tenths(rng, 5, 30)}
    return numbers if is_clear(numbers, _growth_answer, _GROWTH_MISTAKES, 2) else _growth_numbers(rng)


def _growth_answer(blocks: int, scale: float, variance: float) -> float:
    return variance * (1 + scale**2) ** blocks


def _growth_torch(blocks: int, scale: float, variance: float) -> float:
    """Independent means at right angles: each branch answers in a direction of its own, as long as what came in."""
    h = np.zeros(blocks + 1)
    h[0] = math.sqrt(variance)
    for place, axis in enumerate(np.eye(blocks + 1)[1:], start=1):
        length = math.sqrt(float((h[:place] ** 2).sum()))
        h = ask_torch("residual_forward", h, lambda x, f=scale * length * axis: (x.new_tensor(f), None))[0]
    return float((h**2).sum())


_GROWTH_MISTAKES: Formulas = {
    "not_squared": (
        "You added the scale. A number times s has s * s times the variance: each block multiplies by 1 + s * s.",
        lambda blocks, scale, variance: variance * (1 + scale) ** blocks,
    ),
    "linear": (
        "You added the same amount per block. The branch of a later block has a larger input: multiply.",
        lambda blocks, scale, variance: variance * (1 + blocks * scale**2),
    ),
    "no_skip": (
        "You forgot what goes past the branch. Each block adds the branch's variance to that of its input.",
        lambda blocks, scale, variance: variance * scale ** (2 * blocks),
    ),
    "deviations_added": (
        "You added standard deviations. Variances of independent numbers are added: 1 + s * s.",
        lambda blocks, scale, variance: variance * (1 + scale) ** (2 * blocks),
    ),
    "one_block": (
        "This is the variance behind the first block. Each block multiplies it again.",
        lambda blocks, scale, variance: variance * (1 + scale**2),
    ),
}

EXAM_VARIANCE_GROWTH = Question(
    id="exam_variance_growth",
    points=1,
    numbers=_growth_numbers,
    text=(
        "The input of {blocks} residual blocks has mean 0 and variance {variance}. Each block adds {scale} times what "
        "its branch answers; that answer has mean 0 and the variance of the block's input, and is independent of it. "
        "What is the variance behind the last block?"
    ),
    answer=_growth_answer,
    torch_answer=_growth_torch,
    explanation=(
        "Each block multiplies the variance by 1 + {scale} * {scale}: {variance} * (1 + {scale} * {scale}) ** {blocks} "
        "= {answer}."
    ),
    mistakes=_GROWTH_MISTAKES,
    decimals=2,
)


def _depth_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {"blocks": int(rng.integers(5, 60)), "last": one_of(rng, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8)}
    return numbers if is_clear(numbers, _depth_answer, _DEPTH_MISTAKES, 2) else _depth_numbers(rng)


def _depth_answer(blocks: int, last: float) -> float:
    return blocks - last * (blocks + 1) / 2


def _depth_torch(blocks: int, last: float) -> float:
    """A kept branch is divided by the probability to stay."""
    one, keep = np.ones((1, 1)), np.ones(1, bool)
    drops = (last * block / blocks for block in range(1, blocks + 1))
    outs = (ask_torch("stochastic_depth", 0 * one, one, p, True, None, keep)[0] for p in drops)
    return float(sum(1 / out[0, 0] for out in outs))


_DEPTH_MISTAKES: Formulas = {
    "same_for_all": (
        "You dropped every block with the probability of the last one. It grows from block to block.",
        lambda blocks, last: blocks * (1 - last),
    ),
    "dropped": (
        "This is how many are dropped. Asked is how many stay.",
        lambda blocks, last: last * (blocks + 1) / 2,
    ),
    "from_zero": (
        "You let block 1 stay for certain. Block l is dropped with l / L of the last probability, block 1 as well.",
        lambda blocks, last: blocks - last * (blocks - 1) / 2,
    ),
    "half": (
        "You took half of the last probability for all. The sum of 1 to L is L * (L + 1) / 2: a little more.",
        lambda blocks, last: blocks - last * blocks / 2,
    ),
}

EXAM_EXPECTED_DEPTH = Question(
    id="exam_expected_depth",
    points=1,
    numbers=_depth_numbers,
    text=(
        "Stochastic depth drops block number l of {blocks} with probability l / {blocks} times {last}, so that the "
        "last block is dropped with probability {last}. How many blocks are kept on average?"
    ),
    answer=_depth_answer,
    torch_answer=_depth_torch,
    explanation=("The probabilities to drop add up to {last} * ({blocks} + 1) / 2. {blocks} minus that is {answer}."),
    mistakes=_DEPTH_MISTAKES,
    decimals=2,
)

OPEN_QUESTION_RESIDUAL = OpenQuestion(
    id="open_question_residual",
    points=3,
    rubric=(
        "The text describes a residual network of 50 blocks whose training loss stays above that of the same network "
        "with 10 blocks. 1 point: why this is not overfitting: the training loss itself is worse, although the deep "
        "network could copy the shallow one with blocks that are the identity. 1 point: a cause with a test, for "
        "example something on the way past the branch (a ReLU after the sum, a normalisation, a factor, a projection "
        "in every block): the gradient norm per layer falls towards the first block. 1 point: a second cause with a "
        "test, for example branches that are too large at the start: the variance grows from block to block, and zero "
        "for the last scale of each block or a smaller branch scale cures it; or a learning rate that only fits the "
        "shallow network."
    ),
)

QUESTIONS = (
    EXAM_RESIDUAL_CHAIN,
    EXAM_BLOCK_PARAMETERS,
    EXAM_BOTTLENECK_SAVING,
    EXAM_MEAN_PIXELS,
    EXAM_VARIANCE_GROWTH,
    EXAM_EXPECTED_DEPTH,
)
OPEN_QUESTIONS = (OPEN_QUESTION_RESIDUAL,)
