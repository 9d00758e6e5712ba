"""Exercises on what residual blocks cost and on how they start (topic `residual`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw
from course_lib.cases import Case, Step, call_case
from course_lib.tree import Handle


def _bottleneck_cost_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    def size(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    rows = {
        "non-square images": (size(20, 60), size(5, 15), size(5, 9), size(10, 20)),
        "one pixel": (size(20, 60), size(5, 15), 1, 1),
        "nothing is reduced": ((both := size(4, 20)), both, size(3, 9), size(10, 14)),
        "wider inside": (size(3, 9), size(10, 20), size(2, 9), size(10, 20)),
    }
    if public:
        rows["ResNet-50, second stage"] = (256, 64, 56, 56)
    else:
        rows |= {
            "one channel inside": (size(4, 30), 1, size(3, 9), size(10, 20)),
            "one of everything": (1, 1, 1, 1),
            "ResNet-50, fourth stage": (1024, 256, 14, 14),
            "large images": (size(200, 300), size(50, 90), size(900, 2000), size(3000, 4000)),
        }
    names = ("channels", "reduced", "height", "width")
    cases = (dict(zip(names, row, strict=True)) for row in rows.values())
    return tuple(call_case(name, "bottleneck_cost", inputs) for name, inputs in zip(rows, cases, strict=True))


def _bottleneck_cost__biases(channels, reduced, height, width):
    weights = 2 * channels * reduced + 9 * reduced**2
    return weights + 2 * reduced + channels, weights * height * width


def _bottleneck_cost__biases_in_both(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced**2 + 2 * reduced + channels
    return parameters, parameters * height * width


def _bottleneck_cost__normalisations(channels, reduced, height, width):
    weights = 2 * channels * reduced + 9 * reduced**2
    return weights + 4 * reduced + 2 * channels, weights * height * width


def _bottleneck_cost__no_way_back(channels, reduced, height, width):
    parameters = channels * reduced + 9 * reduced**2
    return parameters, parameters * height * width


def _bottleneck_cost__kernel_not_squared(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 3 * reduced**2
    return parameters, parameters * height * width


def _bottleneck_cost__one_channel_filters(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced
    return parameters, parameters * height * width


def _bottleneck_cost__wide_in_the_middle(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * channels * reduced
    return parameters, parameters * height * width


def _bottleneck_cost__basic_block(channels, reduced, height, width):
    parameters = 18 * channels**2
    return parameters, parameters * height * width


def _bottleneck_cost__pixels_forgotten(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced**2
    return parameters, parameters


def _bottleneck_cost__square_images(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced**2
    return parameters, parameters * height**2


def _bottleneck_cost__operations_twice(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced**2
    return parameters, 2 * parameters * height * width


def _bottleneck_cost__border_lost(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced**2
    inside = max(height - 2, 0) * max(width - 2, 0)
    return parameters, channels * reduced * height * width + (9 * reduced**2 + channels * reduced) * inside


def _bottleneck_cost__turned(channels, reduced, height, width):
    parameters = 2 * channels * reduced + 9 * reduced**2
    return parameters * height * width, parameters


def _bottleneck_cost__layer_by_layer(channels, reduced, height, width):
    parameters = operations = 0
    for inputs, outputs, kernel in ((channels, reduced, 1), (reduced, reduced, 3), (reduced, channels, 1)):
        parameters += outputs * inputs * kernel * kernel
        operations += (outputs * height * width) * (inputs * kernel * kernel)
    return parameters, operations


def _bottleneck_cost__one_pixel_at_a_time(channels, reduced, height, width):
    # What one pixel takes is what the block has to learn.
    per_pixel = reduced * (channels + (3 * 3) * reduced + channels)
    return np.int64(per_pixel), np.prod([height, width, per_pixel], dtype=np.int64)


BOTTLENECK_COST = Exercise(
    id="bottleneck_cost",
    topic="residual",
    points=2,
    cases=_bottleneck_cost_cases,
    mistakes=(
        Mistake(
            "biases",
            "You count biases. These convolutions have none: batch normalisation follows each of them.",
            _bottleneck_cost__biases,
        ),
        Mistake(
            "biases_in_both",
            "You count biases, and operations for them. These convolutions have none: leave them out of both numbers.",
            _bottleneck_cost__biases_in_both,
        ),
        Mistake(
            "normalisations",
            "You count the scales and shifts of batch normalisation. Here only the three convolutions are asked.",
            _bottleneck_cost__normalisations,
        ),
        Mistake(
            "no_way_back",
            "The third convolution is missing: 1 x 1 from reduced channels back to all of them.",
            _bottleneck_cost__no_way_back,
        ),
        Mistake(
            "kernel_not_squared",
            "You count 3 weights per channel of the 3 x 3 convolution. A filter has 3 * 3.",
            _bottleneck_cost__kernel_not_squared,
        ),
        Mistake(
            "one_channel_filters",
            "The filters of your 3 x 3 convolution see one channel. Each reaches through all reduced channels: "
            "9 * reduced * reduced.",
            _bottleneck_cost__one_channel_filters,
        ),
        Mistake(
            "wide_in_the_middle",
            "Your 3 x 3 convolution has all channels on one side. It works where they are reduced, on both sides: "
            "9 * reduced * reduced.",
            _bottleneck_cost__wide_in_the_middle,
        ),
        Mistake(
            "basic_block",
            "You count two 3 x 3 convolutions on all channels: the basic block. A bottleneck is 1 x 1, 3 x 3, 1 x 1.",
            _bottleneck_cost__basic_block,
        ),
        Mistake(
            "pixels_forgotten",
            "Your multiply-adds are those of one pixel. Each weight is used once at every pixel: times height * width.",
            _bottleneck_cost__pixels_forgotten,
        ),
        Mistake(
            "square_images",
            "You take the images for square. Multiply by height * width.",
            _bottleneck_cost__square_images,
        ),
        Mistake(
            "operations_twice",
            "You count multiplications and additions apart. A multiply-add is both at once: do not double.",
            _bottleneck_cost__operations_twice,
        ),
        Mistake(
            "border_lost",
            "You let the 3 x 3 convolution shrink the image. Its padding keeps the size: each of the three layers "
            "works at height * width pixels.",
            _bottleneck_cost__border_lost,
        ),
        Mistake("turned", "The two numbers are swapped. Return parameters first.", _bottleneck_cost__turned),
    ),
    other_ways=(
        OtherWay("layer_by_layer", _bottleneck_cost__layer_by_layer),
        OtherWay("one_pixel_at_a_time", _bottleneck_cost__one_pixel_at_a_time),
    ),
)

# Case id to the channels of each block's normalisations.
_PUBLIC = {
    "two blocks": ((2, 3), (3, 2)),
    "three normalisations": ((2, 2, 4), (4, 2, 3)),
    "one normalisation per block": ((3,), (2,), (4,)),
    "one block": ((2, 2),),
    "float32": ((2, 3), (2, 3)),
}
_SECRET = {
    "three blocks": ((3, 2), (2, 4), (4, 2)),
    "blocks of several lengths": ((2,), (3, 2, 2), (2, 3)),
    "one block": ((3, 2, 4),),
    "one channel": ((1, 1), (1, 1)),
    "all sizes equal": ((2, 2), (2, 2)),
    "float32": ((3, 2), (2, 2)),
}


def _zero_init_gamma_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = []
    for case_id, blocks in (_PUBLIC if public else _SECRET).items():
        dtype = "float32" if case_id == "float32" else "float64"
        gammas = [[draw(rng, channels, dtype=dtype) for channels in block] for block in blocks]
        plain = call_case(case_id, "zero_init_gamma", {"gammas": gammas})
        # Lists and their arrays can be changed on the way, and `call_case` only watches arrays.
        untouched = Step("read", "gammas afterwards", "", (Handle("gammas"),), kind="convention")
        cases.append(Case(case_id, plain.inputs, (*plain.steps, untouched)))
    return tuple(cases)


def _zero_init_gamma__first_one(gammas):
    return tuple((np.zeros_like(block[0]), *(gamma.copy() for gamma in block[1:])) for block in gammas)


def _zero_init_gamma__all_of_them(gammas):
    return tuple(tuple(np.zeros_like(gamma) for gamma in block) for block in gammas)


def _zero_init_gamma__last_block_only(gammas):
    blocks = [[gamma.copy() for gamma in block] for block in gammas]
    blocks[-1][-1] = np.zeros_like(blocks[-1][-1])
    return tuple(map(tuple, blocks))


def _zero_init_gamma__last_channel(gammas):
    blocks = [[gamma.copy() for gamma in block] for block in gammas]
    for block in blocks:
        block[-1][-1] = 0
    return tuple(map(tuple, blocks))


def _zero_init_gamma__others_reset(gammas):
    return tuple((*(np.ones_like(gamma) for gamma in block[:-1]), np.zeros_like(block[-1])) for block in gammas)


def _zero_init_gamma__ones(gammas):
    return tuple((*(gamma.copy() for gamma in block[:-1]), np.ones_like(block[-1])) for block in gammas)


def _zero_init_gamma__nearly_zero(gammas):
    return tuple((*(gamma.copy() for gamma in block[:-1]), block[-1] * np.float32(0.01)) for block in gammas)


def _zero_init_gamma__left_out(gammas):
    return tuple(tuple(gamma.copy() for gamma in block[:-1]) for block in gammas)


def _zero_init_gamma__one_number(gammas):
    return tuple((*(gamma.copy() for gamma in block[:-1]), 0.0) for block in gammas)


def _zero_init_gamma__flat(gammas):
    return tuple(
        np.zeros_like(gamma) if place == len(block) - 1 else gamma.copy()
        for block in gammas
        for place, gamma in enumerate(block)
    )


def _zero_init_gamma__changes_arrays(gammas):
    for block in gammas:
        block[-1][...] = 0
    return gammas


def _zero_init_gamma__factors(gammas):
    return [
        [gamma * gamma.dtype.type(place < len(block)) for place, gamma in enumerate(block, start=1)] for block in gammas
    ]


def _zero_init_gamma__from_the_end(gammas):
    blocks = []
    for block in gammas:
        *others, last = block
        kept = [np.array(gamma) for gamma in others]
        kept.append(np.subtract(last, last))
        blocks.append(kept)
    return blocks


ZERO_INIT_GAMMA = Exercise(
    id="zero_init_gamma",
    topic="residual",
    points=2,
    cases=_zero_init_gamma_cases,
    mistakes=(
        Mistake(
            "first_one",
            "You set the first scale of each block to 0. The last one decides what the branch adds: block[-1].",
            _zero_init_gamma__first_one,
        ),
        Mistake(
            "all_of_them",
            "You set every scale to 0. Then nothing in the branch can learn; only the last of each block becomes 0.",
            _zero_init_gamma__all_of_them,
        ),
        Mistake(
            "last_block_only",
            "Only the last block starts as the identity. Each block has a last scale: go through all of them.",
            _zero_init_gamma__last_block_only,
        ),
        Mistake(
            "last_channel",
            "You set one channel to 0. The whole last array of each block becomes 0: np.zeros_like(block[-1]).",
            _zero_init_gamma__last_channel,
        ),
        Mistake(
            "others_reset",
            "You set the other scales to 1. They stay as they were.",
            _zero_init_gamma__others_reset,
        ),
        Mistake(
            "ones",
            "You set the last scale to 1, the usual start. Here it becomes 0, so that the branch adds nothing.",
            _zero_init_gamma__ones,
        ),
        Mistake(
            "nearly_zero",
            "You make the last scale small. It becomes exactly 0, so that the block is the identity.",
            _zero_init_gamma__nearly_zero,
        ),
        Mistake(
            "left_out",
            "You leave the last scale out. It keeps its place and its shape, filled with zeros.",
            _zero_init_gamma__left_out,
        ),
        Mistake(
            "one_number",
            "You put the number 0 in place of an array. Each channel keeps its own scale: np.zeros_like(block[-1]).",
            _zero_init_gamma__one_number,
        ),
        Mistake(
            "flat",
            "You return one long row of arrays. Keep the blocks: one tuple for each of them.",
            _zero_init_gamma__flat,
        ),
        Mistake(
            "changes_arrays",
            "Your values are right, but the scales you were given are changed. Make new arrays: "
            "np.zeros_like(block[-1]), and copies of the others.",
            _zero_init_gamma__changes_arrays,
        ),
    ),
    other_ways=(
        OtherWay("factors", _zero_init_gamma__factors),
        OtherWay("from_the_end", _zero_init_gamma__from_the_end),
    ),
)

EXERCISES = (BOTTLENECK_COST, ZERO_INIT_GAMMA)
