"""Exercise on making running estimates anew (topic `batchnorm`)."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._batchnorm_cases import untouched, values
from course_lib.cases import Case, Kind, Step
from course_lib.tree import Handle

# Case id to the shapes of the batches.
_PUBLIC = {
    "three batches": ((4, 3), (4, 3), (4, 3)),
    "the last batch is smaller": ((5, 2), (5, 2), (2, 2)),
    "images": ((2, 3, 2, 2), (2, 3, 2, 2)),
    "float32": ((4, 2), (3, 2)),
}
_SECRET = {
    "four batches": ((3, 2),) * 4,
    "the last batch is smaller": ((6, 3), (6, 3), (3, 3)),
    "one batch": ((5, 3),),
    "one feature": ((4, 1), (3, 1)),
    "images": ((2, 2, 3, 2), (2, 2, 3, 2), (1, 2, 3, 2)),
    "images of one channel": ((3, 1, 2, 2), (2, 1, 2, 2)),
    "float32": ((5, 3), (4, 3), (2, 3)),
}


def _recalibrate_statistics_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    cases = [_one_case(rng, case_id, shapes) for case_id, shapes in (_PUBLIC if public else _SECRET).items()]
    return (*cases, _one_case(rng, "far from zero", ((4, 3), (4, 3)), kind="stability"))


def _one_case(rng: np.random.Generator, case_id: str, shapes: tuple[tuple[int, ...], ...], kind: Kind = "core") -> Case:
    inputs = {"batches": [values(rng, case_id, *shape) for shape in shapes]}
    call = Step("call", "result", "recalibrate_statistics", (Handle("batches"),))
    return Case(case_id, inputs, (call, Step("read", "result", "", (Handle("result"),), kind=kind), *untouched(inputs)))


def _recalibrate_statistics__biased(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    means, variances = [x.mean(axis=axes) for x in batches], [x.var(axis=axes) for x in batches]
    return np.mean(means, axis=0), np.mean(variances, axis=0)


def _recalibrate_statistics__all_examples_together(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    x = np.concatenate(batches)
    return x.mean(axis=axes), x.var(axis=axes, ddof=1)


def _recalibrate_statistics__pooled_variance(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    means, free = [x.mean(axis=axes) for x in batches], [x.size // x.shape[1] - 1 for x in batches]
    pooled = sum(n * x.var(axis=axes, ddof=1) for n, x in zip(free, batches, strict=True)) / sum(free)
    return np.mean(means, axis=0), pooled


def _recalibrate_statistics__variance_of_all(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    means = [x.mean(axis=axes) for x in batches]
    return np.mean(means, axis=0), np.concatenate(batches).var(axis=axes, ddof=1)


def _recalibrate_statistics__spread_of_means_added(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    means, variances = [x.mean(axis=axes) for x in batches], [x.var(axis=axes, ddof=1) for x in batches]
    return np.mean(means, axis=0), np.mean(variances, axis=0) + np.var(means, axis=0)


def _recalibrate_statistics__large_batches_weigh_more(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    sizes = [len(x) for x in batches]
    mean = sum(n * x.mean(axis=axes) for n, x in zip(sizes, batches, strict=True)) / sum(sizes)
    return mean, sum(n * x.var(axis=axes, ddof=1) for n, x in zip(sizes, batches, strict=True)) / sum(sizes)


def _recalibrate_statistics__last_batch(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    return batches[-1].mean(axis=axes), batches[-1].var(axis=axes, ddof=1)


def _recalibrate_statistics__running_average(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    mean, var = np.zeros(batches[0].shape[1], batches[0].dtype), np.ones(batches[0].shape[1], batches[0].dtype)
    for x in batches:
        mean, var = 0.9 * mean + 0.1 * x.mean(axis=axes), 0.9 * var + 0.1 * x.var(axis=axes, ddof=1)
    return mean, var


def _recalibrate_statistics__halved_each_time(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    mean, var = batches[0].mean(axis=axes), batches[0].var(axis=axes, ddof=1)
    for x in batches[1:]:
        mean, var = (mean + x.mean(axis=axes)) / 2, (var + x.var(axis=axes, ddof=1)) / 2
    return mean, var


def _recalibrate_statistics__standard_deviations(batches):
    axes = (0, 2, 3) if batches[0].ndim == 4 else 0
    means, stds = [x.mean(axis=axes) for x in batches], [x.std(axis=axes, ddof=1) for x in batches]
    return np.mean(means, axis=0), np.mean(stds, axis=0) ** 2


def _recalibrate_statistics__images_as_vectors(batches):
    means, variances = [x.mean(axis=0) for x in batches], [x.var(axis=0, ddof=min(1, len(x) - 1)) for x in batches]
    return np.mean(means, axis=0), np.mean(variances, axis=0)


def _recalibrate_statistics__squares_minus_square(batches):
    axes, means, variances = (0, 2, 3) if batches[0].ndim == 4 else 0, [], []
    for x in batches:
        n = x.size // x.shape[1]
        means.append(x.mean(axis=axes))
        variances.append(((x**2).mean(axis=axes) - means[-1] ** 2) * n / (n - 1))
    return np.mean(means, axis=0), np.mean(variances, axis=0)


def _recalibrate_statistics__moving_weight(batches):
    # A momentum of 1 / (number of batches so far): the plain average, without keeping the batches.
    mean = var = np.zeros(batches[0].shape[1], batches[0].dtype)
    for count, x in enumerate(batches, start=1):
        flat = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
        mean = mean + (flat.mean(axis=0) - mean) / count
        var = var + (np.cov(flat, rowvar=False, dtype=flat.dtype).reshape(len(var), -1).diagonal() - var) / count
    return mean, var


def _recalibrate_statistics__channel_by_channel(batches):
    dtype, channels = batches[0].dtype, range(batches[0].shape[1])
    mean, var = np.zeros(len(channels), dtype), np.zeros(len(channels), dtype)
    for c in channels:
        for x in batches:
            centred = x[:, c] - np.average(x[:, c])
            mean[c] += np.average(x[:, c]) / len(batches)
            var[c] += np.vdot(centred, centred) / (centred.size - 1) / len(batches)
    return mean, var


RECALIBRATE_STATISTICS = Exercise(
    id="recalibrate_statistics",
    topic="batchnorm",
    points=2,
    cases=_recalibrate_statistics_cases,
    mistakes=(
        Mistake(
            "biased",
            "Your variances divide by the number of values. As in every running estimate, divide by that number minus "
            "one: ddof=1.",
            _recalibrate_statistics__biased,
        ),
        Mistake(
            "all_examples_together",
            "You compute mean and variance of all batches as one. Average the means of the batches, and average their "
            "variances: that is what the layer would have met in training.",
            _recalibrate_statistics__all_examples_together,
        ),
        Mistake(
            "pooled_variance",
            "You pool the variances: large batches weigh more. Each batch counts the same here, as with Torch's "
            "momentum=None: a plain average.",
            _recalibrate_statistics__pooled_variance,
        ),
        Mistake(
            "variance_of_all",
            "Your means are right, but the variance is taken over all batches as one. Average the variances of the "
            "batches: that is what the layer would have met in training.",
            _recalibrate_statistics__variance_of_all,
        ),
        Mistake(
            "spread_of_means_added",
            "You add the spread of the batch means to the variance. The estimate is the plain average of the "
            "variances, as with Torch's momentum=None.",
            _recalibrate_statistics__spread_of_means_added,
        ),
        Mistake(
            "large_batches_weigh_more",
            "You weigh batches by their size. Each batch counts the same here, as with Torch's momentum=None.",
            _recalibrate_statistics__large_batches_weigh_more,
        ),
        Mistake(
            "last_batch",
            "Only the last batch is left in your estimates. Add up over all batches and divide by how many there are.",
            _recalibrate_statistics__last_batch,
        ),
        Mistake(
            "running_average",
            "You start at mean 0 and variance 1 and move by a tenth per batch, so the start is still in your answer. "
            "Take the plain average over the batches.",
            _recalibrate_statistics__running_average,
        ),
        Mistake(
            "halved_each_time",
            "You average the result so far with the next batch. Then the last batch counts half: add up over all "
            "batches and divide once.",
            _recalibrate_statistics__halved_each_time,
        ),
        Mistake(
            "standard_deviations",
            "You average standard deviations and square the result. Average the variances themselves.",
            _recalibrate_statistics__standard_deviations,
        ),
        Mistake(
            "images_as_vectors",
            "For images every pixel has statistics of its own in your answer. A channel has one mean and one variance: "
            "for four axes use axis=(0, 2, 3).",
            _recalibrate_statistics__images_as_vectors,
        ),
        Mistake(
            "squares_minus_square",
            "mean(x**2) - mean(x)**2 loses its digits when x is far from zero. Subtract the mean first, then average "
            "the squares.",
            _recalibrate_statistics__squares_minus_square,
        ),
    ),
    other_ways=(
        OtherWay("moving_weight", _recalibrate_statistics__moving_weight),
        OtherWay("channel_by_channel", _recalibrate_statistics__channel_by_channel),
    ),
)

EXERCISES = (RECALIBRATE_STATISTICS,)
