"""A Torch module as a model of `course_lib.training`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class TorchModel:
    """A Torch module, its loss and its optimiser; see `course_lib.training.torch_model`."""

    def __init__(
        self,
        module: nn.Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        optimiser: Callable[..., torch.optim.Optimizer] | None = None,
    ) -> None:
        self.module, self._loss = module, loss
        self._make = optimiser or (lambda parameters: torch.optim.SGD(parameters, lr=1.0))
        self._optimiser = self._make(module.parameters())

    def start(self, seed: int) -> None:
        """Seed Torch, and forget what the optimiser remembers."""
        torch.manual_seed(seed)
        self._optimiser = self._make(self.module.parameters())

    def fit(self, x: Tensor, y: Tensor, lr: float) -> float:
        """One step of the optimiser, the module in training mode."""
        for group in self._optimiser.param_groups:
            group["lr"] = lr
        self.module.train()
        self._optimiser.zero_grad()
        loss = self._loss(self.module(x), y)
        loss.backward()
        self._optimiser.step()
        return loss.item()

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor) -> tuple[float, np.ndarray]:
        """Mean loss and outputs, the module in evaluation mode."""
        self.module.eval()
        out = self.module(x)
        return self._loss(out, y).item(), out.cpu().numpy()

    def save(self) -> dict[str, Any]:
        """A copy of the module's parameters and running statistics."""
        return {name: value.clone() for name, value in self.module.state_dict().items()}

    def load(self, saved: dict[str, Any]) -> None:
        """Go back to such a copy."""
        self.module.load_state_dict(saved)
