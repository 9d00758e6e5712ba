"""One training loop for every lesson, for models of NumPy arrays and of Torch modules alike.

What enters: a model (anything with the methods of `Model`), arrays, and a `Plan`. What leaves: a `History`.
The loop shuffles with its own generator, so the same seed gives the same batches to every kind of model and
the same curve every time. It can run on a thread: set the event `stop`, and it ends after the current batch.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from course_lib import messages
from course_lib.validate import check_count, check_number

Data = tuple[Any, Any]
Schedule = Callable[[int, "History"], float]
Gradients = Callable[[list[np.ndarray], Any, Any, np.random.Generator], tuple[float, list[np.ndarray]]]
Evaluate = Callable[[list[np.ndarray], Any, Any], tuple[float, np.ndarray]]

_EVALUATE_BATCH = 1024


class Model(Protocol):
    """What the loop needs from a model."""

    def start(self, seed: int) -> None:
        """Make every random draw of the training ahead depend on the seed."""

    def fit(self, x: Any, y: Any, lr: float) -> float:
        """One step on a batch; returns the loss before the step."""

    def evaluate(self, x: Any, y: Any) -> tuple[float, np.ndarray]:
        """Mean loss and outputs (N, ...), without dropout and the like."""

    def save(self) -> Any:
        """A copy of all parameters."""

    def load(self, saved: Any) -> None:
        """Go back to such a copy."""


class NumpyModel:
    """A model of NumPy arrays.

    Args:
        parameters: the initial weights, copied.
        gradients: ``gradients(parameters, x, y, rng) -> (loss, one gradient per parameter)`` for a batch; what is
            drawn while training (dropout) comes from `rng`.
        evaluate: ``evaluate(parameters, x, y) -> (mean loss, outputs)``.
        step: an optimiser's step, ``step(w, g, state, lr) -> (w, state)`` as in `numpy_kernels.optimisers` or
            written by the learner; None for plain gradient descent.
    """

    def __init__(
        self,
        parameters: list[np.ndarray],
        gradients: Gradients,
        evaluate: Evaluate,
        step: Callable[..., tuple[np.ndarray, Any]] | None = None,
    ) -> None:
        self.parameters = [parameter.copy() for parameter in parameters]
        self._gradients, self._evaluate, self._step = gradients, evaluate, step or _descend
        self.start(0)

    def start(self, seed: int) -> None:
        """A fresh generator, and an optimiser that remembers nothing."""
        self._rng = np.random.default_rng(seed)
        self._states: list[Any] = [None] * len(self.parameters)

    def fit(self, x: Any, y: Any, lr: float) -> float:
        """One step of the optimiser on every parameter."""
        loss, gradients = self._gradients(self.parameters, x, y, self._rng)
        triples = zip(self.parameters, gradients, self._states, strict=True)
        moved = [self._step(w, g, state, lr) for w, g, state in triples]
        self.parameters, self._states = [w for w, _ in moved], [state for _, state in moved]
        return float(loss)

    def evaluate(self, x: Any, y: Any) -> tuple[float, np.ndarray]:
        """Mean loss and outputs."""
        loss, out = self._evaluate(self.parameters, x, y)
        return float(loss), out

    def save(self) -> list[np.ndarray]:
        """A copy of all parameters."""
        return [parameter.copy() for parameter in self.parameters]

    def load(self, saved: list[np.ndarray]) -> None:
        """Go back to such a copy."""
        self.parameters = [parameter.copy() for parameter in saved]


def torch_model(module: Any, loss: Callable[..., Any], optimiser: Callable[..., Any] | None = None) -> Model:
    """A model of a Torch module, on whatever device it lies; the data must lie there too.

    Args:
        module: a `torch.nn.Module`.
        loss: ``loss(outputs, y) -> tensor without axes``, a mean over the batch.
        optimiser: makes an optimiser from the parameters, such as ``torch.optim.Adam``; None for `torch.optim.SGD`.
    """
    # Late, so that lessons without Torch do not wait for it.
    from course_lib.torch_kernels._training import TorchModel

    return TorchModel(module, loss, optimiser)


@dataclass(frozen=True)
class Plan:
    """How to train.

    Args:
        epochs: passes over the training examples, at least 1.
        batch_size: examples per step, at least 1.
        lr: learning rate, or a schedule ``lr(t, history)`` asked before each step t, which counts from 0.
        seed: of the order of the examples and of what the model draws.
        patience: end after so many epochs without a better validation loss, and go back to the best weights;
            None for never.
        min_delta: a validation loss is better when it is lower by more than this.
    """

    epochs: int = 10
    batch_size: int = 32
    lr: float | Schedule = 0.1
    seed: int = 0
    patience: int | None = None
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        check_count("epochs", self.epochs, least=1)
        check_count("batch_size", self.batch_size, least=1)
        if not callable(self.lr):
            check_number("lr", self.lr, positive=True)
        if self.patience is not None:
            check_count("patience", self.patience, least=1)

    def rate(self, t: int, history: History) -> float:
        """The learning rate of step t."""
        return float(self.lr(t, history)) if callable(self.lr) else float(self.lr)


@dataclass
class History:
    """What happened: one entry per epoch in each list but `batch_loss` and `lr`, which have one per step.

    Args:
        epochs: how many were planned.
        train_loss: after the epoch, on all training examples.
        train_accuracy: share of right answers there (or the metric that was asked for).
        validation_loss: after the epoch, on the validation examples; empty without them.
        validation_accuracy: likewise.
        batch_loss: on each batch, before its step.
        lr: the rate of each step.
        ended: "running", "finished", "early stopping", "stopped" (by request) or "diverged" (a loss that is no number).
        best_epoch: the epoch whose weights the model has now, counted from 0, with early stopping; else None.
    """

    epochs: int = 0
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    batch_loss: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    ended: str = "running"
    best_epoch: int | None = None

    def line(self) -> str:
        """The latest epoch in one line."""
        facts = {"epoch": len(self.train_loss), "epochs": self.epochs}
        if not self.train_loss:
            return messages.TRAINING_STARTED.format(**facts)
        facts |= {"loss": self.train_loss[-1], "accuracy": self.train_accuracy[-1]}
        text = messages.TRAINING_EPOCH.format(**facts)
        if self.validation_loss:
            there = {"loss": self.validation_loss[-1], "accuracy": self.validation_accuracy[-1]}
            text += messages.TRAINING_VALIDATION.format(**there)
        return text


def accuracy(out: np.ndarray, y: np.ndarray) -> float:
    """The share of right answers.

    Args:
        out: (N, C) scores, where the largest counts, or (N,) or (N, 1) where 1 is above 0.5.
        y: (N,) classes, (N, C) one-hot rows, or zeros and ones of the shape of `out`.

    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    if out.ndim == 2 and out.shape[1] > 1:
        return float(np.mean(out.argmax(axis=1) == (y.argmax(axis=1) if y.ndim == 2 else y)))
    return float(np.mean((out.reshape(-1) > 0.5) == (y.reshape(-1) > 0.5)))


def show_line(history: History) -> None:
    """Write the latest epoch over the line before; a finished training keeps its line."""
    end = "" if history.ended == "running" else messages.TRAINING_ENDED.format(ended=history.ended) + "\n"
    sys.stdout.write(f"\r{history.line()}{end}")
    sys.stdout.flush()


def train(
    model: Model,
    training: Data,
    validation: Data | None = None,
    plan: Plan | None = None,
    *,
    stop: threading.Event | None = None,
    progress: Callable[[History], None] | None = None,
    metric: Callable[[np.ndarray, np.ndarray], float] = accuracy,
) -> History:
    """Train a model.

    Args:
        model: a `NumpyModel`, a `torch_model`, or anything with the methods of `Model`.
        training: inputs and targets, both with N rows: arrays for NumPy, tensors for Torch.
        validation: the same, of examples that are not trained on; needed for early stopping.
        plan: how; see `Plan`.
        stop: a `threading.Event`; once set, training ends after the current batch.
        progress: called after each epoch and at the end, for example `show_line`.
        metric: ``metric(outputs, targets) -> number``, both NumPy arrays.

    Returns:
        The history. The model has the weights of the last step, or with early stopping those of the best epoch.

    Raises:
        ValueError: inputs and targets differ in length, or early stopping has no validation examples.
    """
    plan = plan or Plan()
    _check_data("training", training)
    if validation is not None:
        _check_data("validation", validation)
    elif plan.patience is not None:
        raise ValueError(messages.TRAINING_NO_VALIDATION)
    history = History(epochs=plan.epochs)
    model.start(plan.seed)
    run = _Run(model, plan, history, stop, metric)
    for _ in run.epochs(training, validation):
        if progress:
            progress(history)
    run.finish()
    if progress:
        progress(history)
    return history


@dataclass
class _Run:
    """One training while it goes on."""

    model: Model
    plan: Plan
    history: History
    stop: threading.Event | None
    metric: Callable[[np.ndarray, np.ndarray], float]
    best: float = math.inf
    saved: Any = None

    def epochs(self, training: Data, validation: Data | None) -> Iterator[int]:
        """Train epoch after epoch, until there is a reason to end."""
        rng = np.random.default_rng(self.plan.seed)
        for epoch in range(self.plan.epochs):
            self._steps(training, rng.permutation(len(training[0])))
            if self.history.ended != "running":
                return
            self._look(training, self.history.train_loss, self.history.train_accuracy)
            if validation is not None:
                self._look(validation, self.history.validation_loss, self.history.validation_accuracy)
                self._remember(epoch)
            yield epoch
            if self.history.ended != "running":
                return

    def finish(self) -> None:
        """Say why it ended, and go back to the best weights where they were kept."""
        if self.history.ended == "running":
            self.history.ended = "finished"
        if self.saved is not None:
            self.model.load(self.saved)

    def _steps(self, data: Data, order: np.ndarray) -> None:
        x, y = data
        history = self.history
        for start in range(0, len(order), self.plan.batch_size):
            if self.stop is not None and self.stop.is_set():
                history.ended = "stopped"
                return
            rows = order[start : start + self.plan.batch_size]
            rate = self.plan.rate(len(history.lr), history)
            history.lr.append(rate)
            with np.errstate(over="ignore", invalid="ignore"):  # "diverged" says it better than a warning
                history.batch_loss.append(self.model.fit(x[rows], y[rows], rate))
            if not math.isfinite(history.batch_loss[-1]):
                history.ended = "diverged"
                return

    def _look(self, data: Data, losses: list[float], metrics: list[float]) -> None:
        """Loss and metric on all examples, in pieces that fit into memory."""
        x, y = data
        total, outs = 0.0, []
        for start in range(0, len(x), _EVALUATE_BATCH):
            part = slice(start, start + _EVALUATE_BATCH)
            loss, out = self.model.evaluate(x[part], y[part])
            total += loss * len(out)
            outs.append(out)
        losses.append(total / len(x))
        metrics.append(float(self.metric(np.concatenate(outs), _as_array(y))))

    def _remember(self, epoch: int) -> None:
        """Keep the best weights, and end when they have become old."""
        if self.plan.patience is None:
            return
        loss = self.history.validation_loss[-1]
        if loss < self.best - self.plan.min_delta:
            self.best, self.saved, self.history.best_epoch = loss, self.model.save(), epoch
        elif epoch - (-1 if self.history.best_epoch is None else self.history.best_epoch) >= self.plan.patience:
            self.history.ended = "early stopping"


def _descend(w: np.ndarray, g: np.ndarray, state: None, lr: float) -> tuple[np.ndarray, None]:
    return w - lr * g, state


def _as_array(values: Any) -> np.ndarray:
    return values if isinstance(values, np.ndarray) else values.detach().cpu().numpy()


def _check_data(name: str, data: Data) -> None:
    x, y = data
    if len(x) != len(y) or not len(x):
        raise ValueError(messages.TRAINING_LENGTHS.format(name=name, x=len(x), y=len(y)))
