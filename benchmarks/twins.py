"""The Torch counterparts against calling Torch directly: seconds of one over seconds of the other, same device.

    python -m benchmarks.twins [--device cuda] [--rounds 30] [--json]

Forward and backward, float32, by turns in this process, on the same numbers; both must agree before they are timed.
On a graphics card the clock stops when the device is done, and sizes are chosen to take more than a millisecond
there. Without one, `--device cpu` runs a hundredth of each batch on one thread, to try the command.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from course_lib import torch_kernels

AIM = 1.05
WARM_UP = 5
SMALLER_ON_CPU = 100


@dataclass(frozen=True)
class Row:
    """One kernel: the shapes of its tensors (batch first), its options, and the direct way to the same numbers."""

    name: str
    shapes: Sequence[tuple[int, ...]]
    direct: Callable[..., Tensor]
    options: dict[str, Any]


ROWS = (
    Row("affine", [(65536, 1024), (1024, 1024), (1024,)], functional.linear, {}),
    Row("relu", [(4096, 65536)], functional.relu, {}),
    Row("tanh", [(4096, 65536)], torch.tanh, {}),
    Row("conv2d", [(512, 64, 56, 56), (64, 64, 3, 3), (64,)],
        lambda x, w, b: functional.conv2d(x, w, b, padding=1), {"padding": 1}),
    Row("maxpool2d", [(512, 64, 56, 56)], lambda x: functional.max_pool2d(x, 2, 2), {"kernel": 2, "stride": 2}),
    Row("avgpool2d", [(512, 64, 56, 56)], lambda x: functional.avg_pool2d(x, 2, 2), {"kernel": 2, "stride": 2}),
    Row("batchnorm2d", [(512, 64, 56, 56), (64,), (64,)],
        lambda x, gamma, beta: functional.batch_norm(x, None, None, gamma, beta, training=True),
        {"running_mean": torch.zeros(64), "running_var": torch.ones(64)}),
    Row("layernorm", [(262144, 1024), (1024,), (1024,)],
        lambda x, gamma, beta: functional.layer_norm(x, (1024,), gamma, beta), {}),
    Row("groupnorm", [(512, 64, 56, 56), (64,), (64,)],
        lambda x, gamma, beta: functional.group_norm(x, 8, gamma, beta), {"groups": 8}),
    Row("conv1d", [(2048, 256, 128), (256, 128, 5), (256,)],
        lambda x, w, b: functional.conv1d(x.transpose(1, 2), w, b).transpose(1, 2), {}),
)  # fmt: skip


def main() -> None:
    """Measure and print; exit code 2 when the device asked for is not there."""
    parser = argparse.ArgumentParser(description="Torch counterparts against Torch called directly.")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--rounds", type=int, default=30, help="samples of each side per kernel")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device here. Try the command with --device cpu.", file=sys.stderr)
        sys.exit(2)
    torch.set_num_threads(1)
    result = measure(ROWS, options.device, options.rounds)
    print(json.dumps(result, indent=1) if options.json else as_text(result))


def measure(rows: Sequence[Row], device: str, rounds: int) -> dict[str, Any]:
    """Run all rows; see the module's docstring."""
    details = {}
    for row in rows:
        ours, theirs = sides(row, device)
        for one, other in zip(ours(), theirs(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()))
        seconds = race(ours, theirs, device, rounds)
        details[row.name] = {
            "shape": "x".join(map(str, row.shapes[0])),
            "ours_ms": 1e3 * seconds[0],
            "torch_ms": 1e3 * seconds[1],
            "ratio": seconds[0] / seconds[1],
        }
    return {
        "summary": {name: round(detail["ratio"], 3) for name, detail in details.items()},
        "rows": details,
        "machine": {
            "date": date.today().isoformat(),
            "device": torch.cuda.get_device_name() if device == "cuda" else "cpu, one thread",
            "torch": torch.__version__,
            "tf32": str(torch.backends.cuda.matmul.allow_tf32),
        },
    }


def sides(row: Row, device: str) -> tuple[Callable[[], list[Tensor]], Callable[[], list[Tensor]]]:
    """Both ways from the same tensors to the output and all gradients."""
    torch.manual_seed(0)
    first, *others = row.shapes
    batch = first[0] if device == "cuda" else max(first[0] // SMALLER_ON_CPU, 2)
    tensors = [torch.randn(shape, device=device) for shape in ((batch, *first[1:]), *others)]
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    options = {name: value.to(device) if torch.is_tensor(value) else value for name, value in row.options.items()}
    upstream = torch.randn_like(row.direct(*tensors))
    forward, backward = (getattr(torch_kernels, f"{row.name}_{way}") for way in ("forward", "backward"))

    def ours() -> list[Tensor]:
        out, cache = forward(*tensors, **options)[:2]
        found = backward(upstream, cache)
        return [out, *(found if isinstance(found, tuple) else (found,))]

    def theirs() -> list[Tensor]:
        out = row.direct(*leaves)
        return [out.detach(), *torch.autograd.grad(out, leaves, upstream)]

    return ours, theirs


def race(ours: Callable[[], Any], theirs: Callable[[], Any], device: str, rounds: int) -> tuple[float, float]:
    """Median wall seconds of both sides, run by turns."""
    samples: tuple[list[float], list[float]] = ([], [])
    for i in range(WARM_UP + rounds):
        for side, times in zip((ours, theirs), samples, strict=True):
            seconds = _sample(side, device)
            if i >= WARM_UP:
                times.append(seconds)
    return statistics.median(samples[0]), statistics.median(samples[1])


def _sample(side: Callable[[], Any], device: str) -> float:
    finish = torch.cuda.synchronize if device == "cuda" else lambda: None
    finish()
    started = time.perf_counter()
    side()
    finish()
    return time.perf_counter() - started


def as_text(result: dict[str, Any]) -> str:
    """The table for people."""
    lines = [f"{name}: {value}" for name, value in result["machine"].items()]
    lines += [
        "",
        f"{'counterpart / Torch, forward + backward':<44}{'ratio':>7}{'aim':>7}{'ours ms':>10}{'Torch ms':>10}",
    ]
    for name, row in result["rows"].items():
        work = f"{name}, {row['shape']}"
        lines.append(f"{work:<44}{row['ratio']:>7.3f}{AIM:>7.2f}{row['ours_ms']:>10.2f}{row['torch_ms']:>10.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
