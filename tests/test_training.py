"""The training loop: the same curve for the same seed, for NumPy and Torch alike, and every way to end."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
import torch
from parity import each_device

from course_lib import numpy_kernels as kernels
from course_lib.data import load_digits
from course_lib.training import History, NumpyModel, Plan, accuracy, show_line, torch_model, train

SIZES = ((6, 4), (6,), (3, 6), (3,))
OPTIMISERS = {
    "sgd": (kernels.sgd_step, torch.optim.SGD),
    "momentum": (kernels.momentum_step, partial(torch.optim.SGD, lr=1.0, momentum=0.9)),
    "adam": (kernels.adam_step, torch.optim.Adam),
    "adamw": (kernels.adamw_step, torch.optim.AdamW),
}


def problem(seed=0, n=70):
    """Points of three classes, one-hot, and weights of a 4-6-3 network."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    x = rng.normal(size=(n, 4)) + np.eye(4)[y] * 2
    weights = [rng.normal(size=shape) for shape in SIZES]
    return x, np.eye(3)[y], weights


def gradients(weights, x, y, rng):
    """Loss and gradients of the network."""
    out, cache = kernels.mlp_forward(x, *weights)
    return kernels.mse_loss(out, y), kernels.mlp_backward(kernels.mse_loss_backward(out, y), cache)


def evaluate(weights, x, y):
    """Loss and outputs of the network."""
    out, _ = kernels.mlp_forward(x, *weights)
    return kernels.mse_loss(out, y), out


def numpy_model(weights, step=None):
    """The network in NumPy."""
    return NumpyModel(weights, gradients, evaluate, step)


def torch_twin(weights, make=None, device="cpu"):
    """The same network in Torch."""
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.Sigmoid(), torch.nn.Linear(6, 3), torch.nn.Sigmoid()
    ).double()
    with torch.no_grad():
        for parameter, weight in zip(module.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight))
    return torch_model(module.to(device), lambda out, y: ((out - y) ** 2).sum() / len(y), make)


def curves(history):
    """All numbers of a history."""
    return [history.train_loss, history.train_accuracy, history.validation_loss, history.validation_accuracy]


def halves(x, y):
    """Training and validation examples."""
    return (x[:40], y[:40]), (x[40:], y[40:])


@each_device
@pytest.mark.parametrize("name", OPTIMISERS)
def test_numpy_and_torch_give_the_same_curve(name, device):
    """The same weights, seed and optimiser: every loss, accuracy and final weight agrees within rounding."""
    x, y, weights = problem()
    step, make = OPTIMISERS[name]
    plan = Plan(epochs=6, batch_size=16, lr=lambda t, history: kernels.cosine_lr(t, 0.05, 40), seed=3)
    ours, theirs = numpy_model(weights, step), torch_twin(weights, make, device)
    tensors = [torch.from_numpy(values).to(device) for values in (x, y)]
    one, other = (train(model, *halves(*data), plan) for model, data in ((ours, (x, y)), (theirs, tensors)))
    np.testing.assert_allclose(curves(one), curves(other), rtol=1e-9)
    np.testing.assert_allclose(one.batch_loss, other.batch_loss, rtol=1e-9)
    assert one.lr == other.lr and one.ended == other.ended == "finished"
    for weight, parameter in zip(ours.parameters, theirs.module.parameters(), strict=True):
        np.testing.assert_allclose(weight, parameter.detach().cpu().numpy(), rtol=1e-8)


def test_same_seed_same_curve_other_seed_other_curve():
    """Training again from the same weights repeats every number, also on the same model put back."""
    x, y, weights = problem()
    first = train(numpy_model(weights), *halves(x, y), Plan(seed=1))
    model = numpy_model(weights, kernels.adam_step)
    runs = []
    for _ in range(2):
        model.load(weights)
        runs.append(train(model, *halves(x, y), Plan(lr=0.01, seed=1)))
    assert train(numpy_model(weights), *halves(x, y), Plan(seed=1)) == first
    assert runs[0] == runs[1] != first
    assert train(numpy_model(weights), *halves(x, y), Plan(seed=2)).batch_loss != first.batch_loss


def test_draws_of_the_model_follow_the_seed():
    """Dropout in NumPy and in Torch: random, and the same again."""
    x, y, weights = problem()

    def noisy(weights, x, y, rng):
        return gradients(weights, x * (rng.random(x.shape) > 0.5), y, rng)

    module = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(4, 3)).double()
    start = {name: value.clone() for name, value in module.state_dict().items()}
    losses = {"numpy": [], "torch": []}
    for seed in (5, 5, 6):
        plan = Plan(epochs=2, batch_size=70, seed=seed)
        losses["numpy"].append(train(NumpyModel(weights, noisy, evaluate), (x, y), plan=plan).batch_loss)
        module.load_state_dict(start)
        model = torch_model(module, torch.nn.functional.mse_loss)
        data = torch.from_numpy(x), torch.from_numpy(y)
        losses["torch"].append(train(model, data, plan=plan).batch_loss)
    for first, again, other in losses.values():
        assert first == again != other


def test_every_epoch_sees_every_example_once_in_a_new_order():
    """Batches cut a fresh shuffle; the last one may be short; the caller's weights stay as they were."""
    x, _, weights = problem()
    kept = [weight.copy() for weight in weights]
    seen = []

    def watch(weights, x, y, rng):
        seen.append(y.ravel().tolist())
        return 0.0, weights

    labels = np.arange(70)[:, None]
    train(NumpyModel(weights, watch, lambda w, x, y: (0.0, y * 1.0)), (x, labels), plan=Plan(epochs=2, batch_size=32))
    assert [len(batch) for batch in seen] == [32, 32, 6] * 2
    epochs = [sum(seen[:3], []), sum(seen[3:], [])]
    assert all(sorted(epoch) == list(range(70)) for epoch in epochs) and epochs[0] != epochs[1]
    for weight, before in zip(weights, kept, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_losses_are_means_over_all_examples():
    """A validation set larger than one piece is averaged by examples, not by pieces."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1500, 4)), np.eye(3)[rng.integers(3, size=1500)]
    weights = problem()[2]
    model = numpy_model(weights)
    history = train(model, (x[:8], y[:8]), (x, y), Plan(epochs=1))
    assert history.validation_loss[0] == pytest.approx(evaluate(model.parameters, x, y)[0], rel=1e-12)
    assert history.validation_accuracy[0] == accuracy(evaluate(model.parameters, x, y)[1], y)


class Scripted:
    """A model whose validation losses are given, and whose one weight counts the epochs."""

    def __init__(self, losses):
        self.losses, self.epoch, self.calls = losses, 0, 0

    def start(self, seed):
        """Nothing is drawn."""

    def fit(self, x, y, lr):
        """One batch is one epoch."""
        self.epoch += 1
        return 1.0

    def evaluate(self, x, y):
        """Training and validation in turn."""
        self.calls += 1
        return self.losses[self.epoch - 1], np.zeros((len(x), 1))

    def save(self):
        """The number of epochs."""
        return self.epoch

    def load(self, saved):
        """Go back."""
        self.epoch = saved


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "epochs", "best", "ended"),
    [
        ([5, 4, 3, 4, 3.5, 2], 2, 0.0, 5, 2, "early stopping"),
        ([5, 4, 3, 4, 2, 1], 2, 0.0, 6, 5, "finished"),
        ([5, 4.95, 4.92, 4.5, 4.4, 4.3], 3, 0.1, 6, 5, "finished"),
        ([5, 4.95, 4.92, 4.5, 4.4, 4.3], 2, 0.1, 3, 0, "early stopping"),
        ([np.nan, np.nan, 1, 1, 1, 1], 2, 0.0, 2, None, "early stopping"),
        ([3, 3, 3, 3, 3, 3], 1, 0.0, 2, 0, "early stopping"),
    ],
)
def test_early_stopping_goes_back_to_the_best_weights(losses, patience, min_delta, epochs, best, ended):
    """It ends after `patience` epochs without a better loss and restores the best epoch's weights."""
    model, data = Scripted(losses), (np.zeros((4, 1)), np.zeros((4, 1)))
    history = train(model, data, data, Plan(epochs=6, patience=patience, min_delta=min_delta))
    assert (len(history.validation_loss), history.best_epoch, history.ended) == (epochs, best, ended)
    assert model.epoch == (best + 1 if best is not None else epochs)


def test_torch_evaluates_without_dropout_and_goes_back_to_the_best_weights():
    """Evaluation switches dropout off; saved weights are copies, which later steps do not touch."""
    x, y, _ = problem()
    module = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(4, 3)).double()
    model, data = torch_model(module, torch.nn.functional.mse_loss), (torch.from_numpy(x), torch.from_numpy(y))
    losses = [model.evaluate(*data)[0]]
    saved = model.save()
    model.fit(*data, 0.5)
    losses += [model.evaluate(*data)[0] for _ in range(2)]
    model.load(saved)
    losses.append(model.evaluate(*data)[0])
    assert losses[0] == losses[3] != losses[1] == losses[2]


def test_divergence_ends_the_training():
    """A loss that is no number ends it without warnings, and the reason is said."""
    x, _, _ = problem()

    def line(weights, x, y, rng):
        error = x @ weights[0] - y
        return (error**2).mean(), [2 * x.T @ error / len(x)]

    model = NumpyModel([np.ones((4, 1))], line, lambda w, x, y: (float(((x @ w[0] - y) ** 2).mean()), x @ w[0]))
    history = train(model, (x, x[:, :1]), plan=Plan(epochs=500, lr=1e6))
    assert history.ended == "diverged" and not np.isfinite(history.batch_loss[-1])
    assert np.isfinite(history.batch_loss[:-1]).all()


def test_stop_request_ends_after_the_batch():
    """Once the event is set no further batch is trained, in the middle of an epoch too."""
    x, y, weights = problem()
    stop, calls = threading.Event(), []

    def fifth(weights, x, y, rng):
        calls.append(len(x))
        if len(calls) == 5:
            stop.set()
        return gradients(weights, x, y, rng)

    history = train(NumpyModel(weights, fifth, evaluate), (x, y), plan=Plan(batch_size=32), stop=stop)
    assert history.ended == "stopped" and len(calls) == 5
    assert (len(history.batch_loss), len(history.train_loss)) == (5, 1)


def test_training_on_a_thread_can_be_stopped():
    """A notebook trains on a thread and stops it from outside."""
    x, y, weights = problem()
    stop, started, result = threading.Event(), threading.Event(), []

    def announce(history):
        started.set()

    plan = Plan(epochs=10**9)
    run = partial(train, numpy_model(weights), (x, y), plan=plan, stop=stop, progress=announce)
    thread = threading.Thread(target=lambda: result.append(run()), daemon=True)
    thread.start()
    assert started.wait(30)
    stop.set()
    thread.join(30)
    assert not thread.is_alive() and result[0].ended == "stopped"


def test_schedules_see_step_and_history():
    """A schedule may follow the step, or the losses so far."""
    x, y, weights = problem()
    seen = []

    def plateau(t, history):
        seen.append((t, len(history.validation_loss)))
        losses = np.array(history.validation_loss or [9.0])
        return float(kernels.reduce_on_plateau(losses, 0.5, factor=0.5, patience=0, threshold=0.9)[-1])

    history = train(numpy_model(weights), *halves(x, y), Plan(epochs=4, batch_size=20, lr=plateau))
    assert seen == [(t, t // 2) for t in range(8)]
    assert history.lr[0] == 0.5 and history.lr[-1] < 0.5 and len(history.lr) == 8


def test_progress_is_one_line_of_text(capsys):
    """Each epoch overwrites the line before; the last one stays, with the reason for the end."""
    x, y, weights = problem()
    train(numpy_model(weights), *halves(x, y), Plan(epochs=2), progress=show_line)
    out = capsys.readouterr().out
    lines = out.strip("\n").split("\r")
    assert lines[1].startswith("epoch 1/2  loss ") and "validation loss" in lines[1]
    assert lines[-1].startswith("epoch 2/2") and lines[-1].endswith("(finished)") and out.endswith("\n")
    assert History(epochs=3).line() == "epoch 0/3"


def test_accuracy_of_scores_and_of_single_outputs():
    """Classes, one-hot rows, and zeros and ones."""
    scores = np.array([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0]])
    assert accuracy(scores, np.array([1, 1])) == 0.5
    assert accuracy(scores, np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])) == 1.0
    assert accuracy(np.array([[0.9], [0.2], [0.5]]), np.array([[1.0], [1.0], [0.0]])) == pytest.approx(2 / 3)
    assert accuracy(np.array([0.9, 0.2]), np.array([1, 0])) == 1.0


def test_other_metrics_can_be_asked_for():
    """A metric takes outputs and targets as arrays, whatever the model is made of."""
    x, y, weights = problem()
    model = torch_twin(weights)
    history = train(
        model,
        (torch.from_numpy(x), torch.from_numpy(y)),
        plan=Plan(epochs=1),
        metric=lambda out, y: float(out.size + y.size),
    )
    assert history.train_accuracy == [420.0]


def test_wrong_data_and_plans_are_named():
    """Lengths, early stopping without validation, and numbers out of range."""
    x, y, weights = problem()
    with pytest.raises(ValueError, match="The training data have 70 inputs and 69 targets"):
        train(numpy_model(weights), (x, y[1:]))
    with pytest.raises(ValueError, match="The validation data have 0 inputs and 0 targets"):
        train(numpy_model(weights), (x, y), (x[:0], y[:0]))
    with pytest.raises(ValueError, match="Early stopping watches the validation loss"):
        train(numpy_model(weights), (x, y), plan=Plan(patience=3))
    for options, message in (
        ({"epochs": 0}, "epochs is 0"), ({"batch_size": 0}, "batch_size is 0"),
        ({"lr": -1.0}, "lr is -1.0"), ({"patience": 0}, "patience is 0"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            Plan(**options)


def test_digits_are_learned():
    """A small network reads real digits after a few epochs, with a learner's own optimiser step as well."""
    digits = load_digits()
    rng = np.random.default_rng(0)
    weights = [0.3 * rng.normal(size=shape) for shape in ((32, 64), (32,), (10, 32), (10,))]
    data = [
        (x, np.eye(10)[y]) for x, y in ((digits.x_train, digits.y_train), (digits.x_validation, digits.y_validation))
    ]

    def step(w, g, state, lr):
        state = g if state is None else 0.9 * state + g
        return w - lr * state, state

    history = train(numpy_model(weights, step), *data, Plan(epochs=20, batch_size=32, lr=0.05))
    assert history.validation_accuracy[-1] > 0.9 > history.validation_accuracy[0]


def test_torch_is_not_needed_for_numpy_models():
    """Importing the loop does not load Torch."""
    code = "import sys, course_lib.training; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
