"""Our NumPy kernels against Torch on the CPU: CPU time of one over CPU time of the other, one thread each.

    python -m benchmarks.kernels [--rounds 15] [--only conv2d_float32] [--json]

Both run in this process, by turns, on the same numbers, and must agree before they are timed. A figure is the
ratio of two medians; where a row has several sizes, the geometric mean of their ratios. Below 1 NumPy is faster.
NumPy's BLAS and Torch's may use different instruction sets (`OPENBLAS_CORETYPE` pins the former): the core type
that ran is printed, and only rows of one run can be compared.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import torch
from torch.nn import functional

from benchmarks import networks
from course_lib import numpy_kernels

# N, C, side, K, kernel, stride, padding
CONVOLUTIONS = [
    (32, 16, 32, 32, 3, 1, 1),
    (64, 1, 28, 8, 5, 1, 2),
    (8, 64, 56, 64, 3, 1, 1),
    (32, 64, 16, 64, 1, 1, 0),
    (32, 16, 32, 32, 3, 2, 1),
    (64, 6, 14, 16, 5, 1, 0),
]
# A sample is repeated until it lasts this long, so that the clock's own steps do not matter.
SAMPLE_SECONDS = 0.01

Action = Callable[[], Any]


@dataclass(frozen=True)
class Duel:
    """The same work twice: each function returns numbers to compare."""

    size: str
    ours: Action
    theirs: Action


Duels = Callable[[np.random.Generator], Iterator[Duel]]


@dataclass(frozen=True)
class Row:
    """One line of the table: a name, what is measured, the ratio aimed at, and the duels, made when needed."""

    name: str
    work: str
    aim: float
    duels: Duels


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="NumPy kernels against Torch on the CPU, one thread.")
    parser.add_argument("--rounds", type=int, default=15, help="samples of each side per size")
    parser.add_argument("--only", choices=[row.name for row in ROWS], action="append", help="measure this row alone")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with threadpoolctl.threadpool_limits(1):
        result = measure([row for row in ROWS if not options.only or row.name in options.only], options.rounds)
    print(json.dumps(result, indent=1) if options.json else as_text(result))


def measure(rows: list[Row], rounds: int) -> dict[str, Any]:
    """Run all duels; see the module's docstring."""
    details: dict[str, Any] = {}
    for row in rows:
        sizes = []
        for duel in row.duels(np.random.default_rng(0)):
            ours, theirs = race(duel, rounds)
            sizes.append({"size": duel.size, "numpy_ms": 1e3 * ours, "torch_ms": 1e3 * theirs, "ratio": ours / theirs})
        ratio = statistics.geometric_mean(size["ratio"] for size in sizes)
        details[row.name] = {"work": row.work, "aim": row.aim, "ratio": ratio, "sizes": sizes}
    return {
        "summary": {name: round(detail["ratio"], 3) for name, detail in details.items()},
        "rows": details,
        "machine": machine(),
    }


def race(duel: Duel, rounds: int) -> tuple[float, float]:
    """Median CPU seconds of both sides, run by turns."""
    assert_agree(duel.ours(), duel.theirs())
    sides = (duel.ours, duel.theirs)
    counts = [max(1, math.ceil(SAMPLE_SECONDS / _sample(side, 1))) for side in sides]
    samples: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, count, times in zip(sides, counts, samples, strict=True):
            times.append(_sample(side, count))
    return statistics.median(samples[0]), statistics.median(samples[1])


def _sample(side: Action, count: int) -> float:
    gc.collect()
    gc.disable()
    started = time.process_time()
    for _ in range(count):
        side()
    used = time.process_time() - started
    gc.enable()
    return max(used, 1e-9) / count


def assert_agree(ours: Any, theirs: Any) -> None:
    """Both sides computed the same, up to rounding; a benchmark of something else is none."""
    if isinstance(ours, (tuple, list)):
        for one, other in zip(ours, theirs, strict=True):
            assert_agree(one, other)
        return
    ours = np.asarray(ours)
    theirs = np.asarray(theirs.detach() if isinstance(theirs, torch.Tensor) else theirs)
    tolerance = 2e-3 if theirs.dtype == np.float32 else 1e-6
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * float(np.abs(theirs).max()))


def layer(size: str, name: str, function: Any, arrays: list[np.ndarray], turn: Any = None, **options: Any) -> Duel:
    """Forward and backward of one layer; `turn` brings arrays of our layout into Torch's and back."""
    turn = turn or (lambda array: array)
    forward, backward = (getattr(numpy_kernels, f"{name}_{way}") for way in ("forward", "backward"))
    out = forward(*arrays, **options)[0]
    dout = np.random.default_rng(1).normal(size=out.shape).astype(out.dtype)
    x, *others = arrays
    leaves = [torch.tensor(array).requires_grad_() for array in (turn(x), *others)]
    upstream = torch.tensor(turn(dout))

    def ours() -> Any:
        out, cache = forward(*arrays, **options)[:2]
        grads = backward(dout, cache)
        grads = grads if isinstance(grads, tuple) else (grads,)
        return turn(out), [turn(grads[0]), *grads[1:]]

    def theirs() -> Any:
        out = function(*leaves)
        return out, torch.autograd.grad(out, leaves, upstream)

    return Duel(size, ours, theirs)


def normal(rng: np.random.Generator, *shapes: tuple[int, ...], dtype: str = "float32") -> list[np.ndarray]:
    """Arrays of normal numbers."""
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def convolutions(dtype: str) -> Duels:
    """The six sizes, in a dtype."""

    def duels(rng: np.random.Generator) -> Iterator[Duel]:
        for n, c, side, k, kernel, stride, padding in CONVOLUTIONS:
            arrays = normal(rng, (n, c, side, side), (k, c, kernel, kernel), (k,), dtype=dtype)
            name = f"{n}x{c}x{side}² -> {k}, {kernel}x{kernel}, stride {stride}, padding {padding}"
            options = {"stride": stride, "padding": padding}

            def convolve(x: Any, w: Any, b: Any, options: dict[str, int] = options) -> Any:
                return functional.conv2d(x, w, b, **options)

            yield layer(name, "conv2d", convolve, arrays, **options)

    return duels


def maxpools(rng: np.random.Generator) -> Iterator[Duel]:
    """Windows that touch and windows that overlap."""
    arrays = normal(rng, (32, 16, 32, 32))
    for kernel in (2, 3):
        name = f"32x16x32², {kernel}x{kernel}, stride 2"
        options = {"kernel": kernel, "stride": 2}
        yield layer(name, "maxpool2d", lambda x, k=kernel: functional.max_pool2d(x, k, 2), arrays, **options)


def batchnorms(rng: np.random.Generator) -> Iterator[Duel]:
    """Training mode."""
    arrays = normal(rng, (32, 16, 32, 32), (16,), (16,))
    running = {"running_mean": np.zeros(16, np.float32), "running_var": np.ones(16, np.float32)}
    mean, var = torch.zeros(16), torch.ones(16)

    def normalise(x: Any, gamma: Any, beta: Any) -> Any:
        return functional.batch_norm(x, mean, var, gamma, beta, training=True)

    yield layer("32x16x32²", "batchnorm2d", normalise, arrays, **running)


def cross_entropies(rng: np.random.Generator) -> Iterator[Duel]:
    """Loss and gradient with respect to the scores."""
    (logits,) = normal(rng, (256, 1000))
    labels = rng.integers(0, 1000, 256)
    leaf, classes = torch.tensor(logits).requires_grad_(), torch.tensor(labels)

    def ours() -> Any:
        loss, cache = numpy_kernels.softmax_cross_entropy_forward(logits, labels)
        return loss, numpy_kernels.softmax_cross_entropy_backward(1.0, cache)

    def theirs() -> Any:
        loss = functional.cross_entropy(leaf, classes)
        return loss, torch.autograd.grad(loss, leaf)[0]

    yield Duel("256x1000", ours, theirs)


def adams(rng: np.random.Generator) -> Iterator[Duel]:
    """One step on a million parameters; Torch with its defaults, both writing in place."""
    w, g = normal(rng, (1_000_000,), (1_000_000,))
    state: list[Any] = [w.copy(), (np.zeros_like(w), np.zeros_like(w), 0)]
    parameter = torch.tensor(w).requires_grad_()
    parameter.grad = torch.tensor(g)
    optimiser = torch.optim.Adam([parameter])

    def ours() -> Any:
        state[:] = numpy_kernels.adam_step(state[0], g, state[1], in_place=True)
        return state[0]

    def theirs() -> Any:
        optimiser.step()
        return parameter

    yield Duel("1,000,000", ours, theirs)


def embeddings(rng: np.random.Generator) -> Iterator[Duel]:
    """The backward pass alone, of words drawn evenly and of words as rare as in a text."""
    w, dout = normal(rng, (10_000, 128), (1_600, 128))
    for name, ids in (
        ("even words", rng.integers(0, 10_000, 1_600)),
        ("words of a text", np.minimum(rng.zipf(1.3, 1_600), 10_000) - 1),
    ):
        leaf, upstream = torch.tensor(w).requires_grad_(), torch.tensor(dout)
        cache = numpy_kernels.embedding_forward(ids, w)[1]
        out = functional.embedding(torch.tensor(ids), leaf)
        yield Duel(
            f"10,000 rows, 1,600x128, {name}",
            lambda cache=cache: numpy_kernels.embedding_backward(dout, cache),
            lambda out=out, leaf=leaf, d=upstream: torch.autograd.grad(out, leaf, d, retain_graph=True)[0],
        )


def texts(rng: np.random.Generator) -> Iterator[Duel]:
    """Filters over words; Torch in its own layout, with the words last, and nothing to transpose."""
    for width in (3, 4, 5):
        arrays = normal(rng, (32, 50, 128), (100, 128, width), (100,))
        name = f"32 texts of 50 words of 128, 100 filters of {width}"
        yield layer(name, "conv1d", functional.conv1d, arrays, turn=lambda array: array.transpose(0, 2, 1))


def training(network: Any, shapes: list[Any], image: tuple[int, ...]) -> Duels:
    """One step: forward, loss, backward, gradient descent."""

    def duels(rng: np.random.Generator) -> Iterator[Duel]:
        (x,) = normal(rng, image)
        arguments = network, x, rng.integers(0, 10, image[0]), networks.initial(shapes, rng), 0.001
        yield Duel("x".join(map(str, image)), networks.numpy_step(*arguments), networks.torch_step(*arguments))

    return duels


ROWS = [
    Row("conv2d_float32", "convolution, float32, geometric mean of six sizes", 1.5, convolutions("float32")),
    Row("conv2d_float64", "convolution, float64, the same sizes", 0.8, convolutions("float64")),
    Row("maxpool2d", "max pooling 2x2 and 3x3, stride 2, float32", 0.6, maxpools),
    Row("batchnorm2d", "batch normalisation, float32", 0.45, batchnorms),
    Row("cross_entropy", "softmax and cross-entropy, float32", 1.0, cross_entropies),
    Row("adam", "one step of Adam, float32", 0.9, adams),
    Row("embedding_backward", "embedding, backward only, float32", 1.0, embeddings),
    Row("conv1d", "convolution over words, widths 3, 4, 5, float32", 1.3, texts),
    Row("lenet_step", "one training step of LeNet, batch 64", 1.1,
        training(networks.lenet, networks.LENET_SHAPES, (64, 1, 28, 28))),
    Row("resnet_step", "one training step like ResNet-20's, batch 32", 1.8,
        training(networks.resnet, networks.resnet_shapes(), (32, 3, 32, 32))),
]  # fmt: skip


def machine() -> dict[str, str]:
    """What ran: the processor, the libraries, and the kernels that NumPy's BLAS chose for it."""
    blas = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
    cores = {f"{info.get('internal_api')} {info.get('version')} {info.get('architecture')}" for info in blas}
    return {
        "date": date.today().isoformat(),
        "cpu": _cpu(),
        "numpy": np.__version__,
        "torch": f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}",
        "blas": ", ".join(sorted(cores)) or "unknown",
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def as_text(result: dict[str, Any]) -> str:
    """The table for people."""
    lines = [f"{name}: {value}" for name, value in result["machine"].items()]
    lines += ["", f"{'NumPy / Torch, CPU time':<66}{'ratio':>7}{'aim':>7}{'NumPy ms':>10}{'Torch ms':>10}"]
    for row in result["rows"].values():
        lines.append(f"{row['work']:<66}{row['ratio']:>7.2f}{row['aim']:>7.2f}")
        for size in row["sizes"]:
            figures = f"{size['ratio']:>7.2f}{'':>7}{size['numpy_ms']:>10.2f}{size['torch_ms']:>10.2f}"
            lines.append(f"  {size['size']:<64}{figures}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
