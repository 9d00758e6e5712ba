"""Depth with and without residual connections: what gradients reach, how branches add up, what one block is worth.

`DepthNorms` and `BranchScale` compute in the browser, in float64; `BlockRemoval` shows figures that were measured in
Python. Sources: He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016); De and Smith, "Batch
normalization biases residual blocks towards the identity function in deep networks" (2020) for the scale of branches;
Veit, Wilber and Belongie, "Residual networks behave like ensembles of relatively shallow networks" (2016) for removal.
`ArchitectureMap` lies in `course_lib.widgets.architectures`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isfinite, log10, sqrt
from typing import Any

import numpy as np
import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane
from course_lib.widgets.architectures import ArchitectureMap

__all__ = ["ArchitectureMap", "BlockRemoval", "BranchScale", "DepthNorms"]

WIDTH = 32
BATCH = 8
MEASURES = ("weights", "outputs")
RANGES = {"depth": (4, 64), "gain": (0.0316, 3.163), "scale": (0.01, 1), "blocks": (4, 64), "seed": (0, 19)}

_DEPTH_STILL = (
    "Norm of the gradient by the {measure} of layers 1 to {depth}, on a log scale, gain {gain:.3g}. At layer 1 it is "
    "{plain:.2g} in the plain ReLU network (dotted) and {residual:.2g} in the residual one (solid)."
)
_SCALE_STILL = (
    "Variance after each of {blocks} residual blocks h + s f(h) with s = {scale:.3g}, on a log scale, relative to the "
    "input: between {low:.3g} and {high:.3g}. The band reaches from one half to 2."
)
_REMOVAL_STILL = (
    "Accuracy when one of {count} blocks is taken out of a trained network. Residual: {a:.1%} whole, {a_low:.1%} to "
    "{a_high:.1%} without a block. Plain: {b:.1%} whole, {b_low:.1%} to {b_high:.1%} without a block."
)


class DepthNorms(Look):
    """A slider for the depth; the picture shows the gradient's norm at every layer of a plain and a residual network.

    Both have the same weights, ``gain * sqrt(3 / 32) * U(-1, 1)``, 32 units in each layer, ReLU and no biases; the
    residual one adds its input to every layer. The gradient that enters at the end has norm 1. The goals: a gain for
    which the plain network of 64 layers passes the gradient on, and one for which the residual network does.

    Args:
        depth: number of layers, 4 to 64.
        gain: factor of the weights, 0.0316 to 3.163; the square root of 2 is Kaiming's rule.
        measure: ``"weights"`` for the gradient of each layer's weights, ``"outputs"`` for that of its outputs.
        seed: which random draw, 0 to 19.

    Raises:
        ValueError: unknown ``measure``, or a number outside its range.

    Example:
        >>> DepthNorms(32, gain=0.3).depth
        32
    """

    _esm = bundle("depth_norms.js")
    _module = "depth_norms.js"
    _page_state = ("depth", "gain", "measure", "seed", "prediction", "goal_reached", "second_reached")

    depth = traitlets.Int(16, help="number of layers").tag(sync=True)
    gain = traitlets.Float(1.0, help="factor of the weights").tag(sync=True)
    measure = traitlets.Unicode("weights", help='"weights" or "outputs"').tag(sync=True)
    seed = traitlets.Int(0, help="which random draw").tag(sync=True)
    plain = traitlets.List(traitlets.Float(), help="norms of the plain network, layer 1 first").tag(sync=True)
    residual = traitlets.List(traitlets.Float(), help="norms of the residual network").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"first", "last" or "alike"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="64 layers, plain: first/last between 0.1 and 10").tag(sync=True)
    second_reached = traitlets.Bool(False, help="64 layers, residual: the same").tag(sync=True)

    def __init__(
        self, depth: int = 16, gain: float = 1.0, measure: str = "weights", seed: int = 0, **kwargs: Any
    ) -> None:
        if measure not in MEASURES:
            raise ValueError(f"DepthNorms has no measure {measure!r}. Use one of: {', '.join(MEASURES)}.")
        _in_ranges("DepthNorms", depth=depth, gain=gain, seed=seed)
        super().__init__(depth=int(depth), gain=float(gain), measure=measure, seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return the settings and what reaches the first layer, as a sentence."""
        plain, residual = (self._norms(past) for past in (False, True))
        facts = {"measure": self.measure, "depth": self.depth, "gain": self.gain}
        return _DEPTH_STILL.format(**facts, plain=plain[0], residual=residual[0])

    def still(self) -> str:
        """Return both curves on a log scale, as SVG text."""
        plane = Plane(0, 1, (f"layer, from 1 to {self.depth}", "gradient norm, 1e-12 to 1e12"))
        looks = {False: 'stroke="#8a4300" stroke-width="3" stroke-dasharray="3 5"', True: 'stroke="#0b4f8a"'}
        for past, look in looks.items():
            norms = self._norms(past)
            places = [(k / (len(norms) - 1), (log10(max(norm, 1e-300)) + 12) / 24) for k, norm in enumerate(norms)]
            plane.path(places, look if "width" in look else f'{look} stroke-width="3"')
        return plane.svg()

    def _norms(self, past: bool) -> np.ndarray:
        return depth_flow(self.depth, self.gain, past, self.seed)[MEASURES.index(self.measure)]


class BranchScale(Look):
    """A slider for the scale s of the branches ``h + s f(h)``; the picture shows variances and gradients by block.

    ``f(h) = w2 relu(w1 h)`` has 32 units and keeps the mean square of its input on average: Kaiming's rule for ``w1``,
    variance 1/32 for ``w2``. The goals: the variance of 32 blocks within a factor of 2, then that of 64.

    Args:
        scale: s, 0.01 to 1.
        blocks: number of blocks, 4 to 64.
        seed: which random draw, 0 to 19; draws scatter, the default one lies near the average.

    Raises:
        ValueError: a number outside its range.

    Example:
        >>> BranchScale(0.5).blocks
        32
    """

    _esm = bundle("branch_scale.js")
    _module = "branch_scale.js"
    _page_state = ("scale", "blocks", "seed", "prediction", "goal_reached", "second_reached")

    scale = traitlets.Float(1.0, help="what the branches are multiplied with").tag(sync=True)
    blocks = traitlets.Int(32, help="number of blocks").tag(sync=True)
    seed = traitlets.Int(14, help="which random draw").tag(sync=True)
    variances = traitlets.List(traitlets.Float(), help="relative to the input, the input first").tag(sync=True)
    gradients = traitlets.List(traitlets.Float(), help="norm at the input and after each block").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"one", "sum" or "power"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="32 blocks within a factor of 2, s at least 0.1").tag(sync=True)
    second_reached = traitlets.Bool(False, help="64 blocks within a factor of 2, s at least 0.07").tag(sync=True)

    def __init__(self, scale: float = 1.0, blocks: int = 32, seed: int = 14, **kwargs: Any) -> None:
        _in_ranges("BranchScale", scale=scale, blocks=blocks, seed=seed)
        super().__init__(scale=float(scale), blocks=int(blocks), seed=int(seed), **kwargs)

    def description(self) -> str:
        """Return the settings and how far the variance goes, as a sentence."""
        variances, _ = branch_flow(self.scale, self.blocks, self.seed)
        return _SCALE_STILL.format(blocks=self.blocks, scale=self.scale, low=min(variances), high=max(variances))

    def still(self) -> str:
        """Return the variances on a log scale and the band, as SVG text."""
        plane = Plane(0, 1, (f"block, from 0 to {self.blocks}", "variance, relative to the input, 0.1 to 1e20"))
        variances, _ = branch_flow(self.scale, self.blocks, self.seed)
        low, high = ((log10(edge) + 1) / 21 for edge in (0.5, 2))
        plane.area([(0, low), (1, low), (1, high), (0, high)])
        places = [(k / self.blocks, (log10(value) + 1) / 21) for k, value in enumerate(variances)]
        plane.path(places, 'stroke="#0b4f8a" stroke-width="3"')
        return plane.svg()


class BlockRemoval(Look):
    """Takes one block out of a trained residual and a trained plain network; bars show the accuracy that is left.

    A bar appears when its block is taken out. The goals: the block that the residual network misses most, and the
    blocks after whose removal the plain network keeps most.

    Args:
        residual: accuracy of the residual network without block 1, without block 2, ...; 0 to 1.
        plain: the same for the plain network, as many.
        whole: accuracy of the whole residual and of the whole plain network.
        chance: accuracy of guessing, 0 to 1.
        block: which one is out first; 0 for none.

    Raises:
        ValueError: fewer than 2 or more than 40 blocks, lists that differ in length, or a number outside its range.

    Example:
        >>> BlockRemoval([0.9, 0.8], [0.1, 0.2], whole=(0.95, 0.9)).block
        0
    """

    _esm = bundle("block_removal.js")
    _module = "block_removal.js"
    _page_state = (
        *("residual", "plain", "whole", "chance", "block", "seen"),
        *("prediction", "goal_reached", "second_reached"),
    )

    residual = traitlets.List(traitlets.Float(), help="accuracy without each block").tag(sync=True)
    plain = traitlets.List(traitlets.Float(), help="accuracy without each block").tag(sync=True)
    whole = traitlets.List(traitlets.Float(), help="accuracy of the whole networks").tag(sync=True)
    chance = traitlets.Float(0.1, help="accuracy of guessing").tag(sync=True)
    block = traitlets.Int(0, help="the block that is out, from 1; 0 for none").tag(sync=True)
    seen = traitlets.List(traitlets.Int(), help="blocks that were out").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"residual", "plain" or "alike"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="named the block that the residual network misses most").tag(sync=True)
    second_reached = traitlets.Bool(False, help="named the block that the plain network misses least").tag(sync=True)

    def __init__(
        self,
        residual: Sequence[float],
        plain: Sequence[float],
        whole: tuple[float, float],
        chance: float = 0.1,
        block: int = 0,
        **kwargs: Any,
    ) -> None:
        bars = [[float(value) for value in values] for values in (residual, plain, whole)]
        if not 2 <= len(bars[0]) <= 40 or len(bars[1]) != len(bars[0]) or len(bars[2]) != 2:
            raise ValueError("BlockRemoval needs 2 to 40 accuracies in residual, as many in plain, and two in whole.")
        if not all(isfinite(value) and 0 <= value <= 1 for value in [*bars[0], *bars[1], *bars[2], chance]):
            raise ValueError("BlockRemoval needs accuracies between 0 and 1: divide percentages by 100.")
        if block not in range(len(bars[0]) + 1):
            raise ValueError(f"BlockRemoval needs a block between 0 and {len(bars[0])}; it got {block!r}.")
        given = dict(zip(("residual", "plain", "whole"), bars, strict=True))
        super().__init__(**given, chance=float(chance), block=block, **kwargs)

    def description(self) -> str:
        """Return how accurate the networks are, whole and without a block, as a sentence."""
        ends = {"a_low": min(self.residual), "a_high": max(self.residual)}
        ends |= {"b_low": min(self.plain), "b_high": max(self.plain)}
        return _REMOVAL_STILL.format(count=len(self.plain), a=self.whole[0], b=self.whole[1], **ends)

    def still(self) -> str:
        """Return two bars for every block, as SVG text."""
        plane = Plane(0, 1, (f"block that is out, from 1 to {len(self.plain)}", "accuracy, from 0 to 1"))
        looks = (('fill="#0b4f8a"', 0.1, 0.5), ('fill="#fdf1df" stroke="#8a4300" stroke-width="1.5"', 0.5, 0.9))
        for (look, left, right), values in zip(looks, (self.residual, self.plain), strict=True):
            for k, value in enumerate(values):
                (x1, y1), (x2, y2) = (
                    plane.at(((k + part) / len(values), height)) for part, height in ((left, value), (right, 0))
                )
                box = f'x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}"'
                plane.parts.append(f"<rect {box} {look}/>")
        for value, look in zip(self.whole, ("", ' stroke-dasharray="3 5"'), strict=True):
            plane.path([(0, value), (1, value)], f'stroke="#1b1f24" stroke-width="1.5"{look}')
        return plane.svg()


def depth_flow(depth: int, gain: float, past: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the norms of the gradients by weights and by outputs of layers 1 to depth, as `DepthNorms` shows them."""
    numbers = _uniforms(seed)
    h, dh = (_block(numbers, (BATCH, WIDTH), sqrt(3)) for _ in range(2))
    dh /= np.linalg.norm(dh)
    weights = [gain * _block(numbers, (WIDTH, WIDTH), sqrt(3 / WIDTH)) for _ in range(depth)]
    inputs = [h]
    for w in weights:
        inputs.append(past * inputs[-1] + np.maximum(inputs[-1] @ w.T, 0))
    norms = np.empty((2, depth))
    for k in reversed(range(depth)):
        delta = dh * (inputs[k] @ weights[k].T > 0)
        norms[:, k] = np.linalg.norm(delta.T @ inputs[k]), np.linalg.norm(dh)
        dh = past * dh + delta @ weights[k]
    return norms[0], norms[1]


def branch_flow(scale: float, blocks: int, seed: int) -> tuple[list[float], list[float]]:
    """Return variances (the input's is 1) and gradient norms before and after every block, as `BranchScale` does."""
    numbers = _uniforms(seed)
    h, dh = (_block(numbers, (BATCH, WIDTH), sqrt(3)) for _ in range(2))
    dh /= np.linalg.norm(dh)
    variances, passes, start = [1.0], [], float(h.var())
    for _ in range(blocks):
        w1, w2 = (_block(numbers, (WIDTH, WIDTH), sqrt(square / WIDTH)) for square in (6, 3))
        z = h @ w1.T
        h = h + scale * np.maximum(z, 0) @ w2.T
        variances.append(float(h.var()) / start)
        passes.append((w1, w2, z > 0))
    gradients = [1.0]
    for w1, w2, fires in reversed(passes):
        dh = dh + scale * (dh @ w2 * fires) @ w1
        gradients.insert(0, float(np.linalg.norm(dh)))
    return variances, gradients


def _uniforms(seed: int) -> Iterator[float]:
    """Yield the numbers of static/network.js `randomStream`, bit for bit (Marsaglia's xorshift32, 2003)."""
    state = (seed + 1) * 0x9E3779B1 & 0xFFFFFFFF or 1
    for count in range(1 << 31):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        if count >= 3:
            yield state / 4294967296


def _block(numbers: Iterator[float], shape: tuple[int, int], scale: float) -> np.ndarray:
    drawn = np.fromiter(islice(numbers, shape[0] * shape[1]), float, shape[0] * shape[1])
    return scale * (2 * drawn - 1).reshape(shape)


def _in_ranges(widget: str, **given: float) -> None:
    """Refuse the first number outside its range."""
    for name, value in given.items():
        low, high = RANGES[name]
        if not (isfinite(value) and low <= value <= high):
            raise ValueError(f"{widget} needs {name} between {low:g} and {high:g}; it got {value!r}.")
