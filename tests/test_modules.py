"""Torch modules as cases play them: loaded by order, asked in both modes, differentiated and trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from autograder.catalogue import find_exercise, graded_from
from autograder.sandbox.pool import Piece, Pool
from autograder.view import build_view
from course_lib import numpy_kernels, torch_kernels
from course_lib.cases import Case, Step, StepError, run
from course_lib.modules import ask, shapes_in_words
from course_lib.properties.modules import learned_images, learned_texts
from course_lib.tree import Handle

REFERENCES = [
    ("TextCNN", {"words": 9, "dim": 3, "filters": 2, "widths": (2, 3), "classes": 3, "p": 0.0}, (4, 6)),
    ("ResNetSmall", {"width": 2, "classes": 3}, (4, 1, 5, 6)),
]
each_class = pytest.mark.parametrize(("name", "settings", "shape"), REFERENCES, ids=lambda value: str(value)[:12])


def loaded(namespace: object, name: str, settings: dict, rng: np.random.Generator) -> object:
    """A network with drawn weights."""
    net = getattr(namespace, name)(**settings)
    shapes = [tuple(item.shape) for item in getattr(torch_kernels, name)(**settings).parameters()]
    ask(net, "load", *(rng.normal(size=shape) for shape in shapes))
    return net


def inputs(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Word numbers with padding at the end for texts, noise for images."""
    if name == "ResNetSmall":
        return rng.normal(size=shape)
    lengths = rng.integers(1, shape[1] + 1, (shape[0], 1))
    return rng.integers(1, 9, shape) * (np.arange(shape[1]) < lengths)


@each_class
def test_both_references_are_one_network(name, settings, shape):
    """With the same weights: the same scores in both modes, the same gradients, the same weights after training."""
    ours, theirs = (
        loaded(package, name, settings, np.random.default_rng(1)) for package in (numpy_kernels, torch_kernels)
    )
    rng = np.random.default_rng(2)
    x, dout, labels = inputs(name, shape, rng), rng.normal(size=(4, 3)), rng.integers(0, 3, 4)
    for train in (False, True, False):
        np.testing.assert_allclose(ask(ours, "outputs", x, train), ask(theirs, "outputs", x, train), atol=1e-12)
    for request, args in (("gradients", (x, dout)), ("fitted", (x, labels, 3, 0.01))):
        for one, other in zip(ask(ours, request, *args), ask(theirs, request, *args), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)
    assert ask(ours, "shapes") == ask(theirs, "shapes")


@each_class
def test_gradients_are_those_of_the_scores(name, settings, shape):
    """The NumPy gradients agree with central differences of the scores in training mode."""
    rng = np.random.default_rng(3)
    net = loaded(numpy_kernels, name, settings, rng)
    x, dout = inputs(name, shape, rng), rng.normal(size=(4, 3))
    grads = ask(net, "gradients", x, dout)
    for weights, grad in zip(net.parameters, grads, strict=True):
        place = tuple(rng.integers(0, size) for size in weights.shape)
        kept, h, values = weights[place], 1e-6, []
        for moved in (kept + h, kept - h):
            weights[place] = moved
            values.append((ask(net, "outputs", x, True) * dout).sum())
        weights[place] = kept
        assert grad[place] == pytest.approx((values[0] - values[1]) / (2 * h), abs=1e-5)


def test_dropout_of_the_reference_keeps_the_mean():
    """In training mode a text CNN drops a share p of its features and scales the rest by 1 / (1 - p)."""
    net = numpy_kernels.TextCNN(5, p=0.25)
    scale = net._scale(2000, 24)
    assert set(np.unique(scale)) == {0.0, 1 / 0.75}
    assert scale.mean() == pytest.approx(1, abs=0.02)
    assert not numpy_kernels.TextCNN(5, p=1.0)._scale(3, 4).any()


def test_weights_go_in_by_order_and_misfits_are_named():
    """Loading sets every parameter; another number or shape is refused in a sentence."""
    net = nn.Linear(2, 3)
    ask(net, "load", np.ones((3, 2)), np.zeros(3))
    assert ask(net, "outputs", np.ones((1, 2)), False).tolist() == [[2.0, 2.0, 2.0]]
    with pytest.raises(ValueError, match="It has 2 parameter arrays; expected 1"):
        ask(net, "load", np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"parameter number 1 has the shape \(3, 2\); expected \(2, 3\)"):
        ask(net, "load", np.ones((2, 3)), np.zeros(3))


def test_what_is_no_module_is_refused():
    """Whatever else the class makes is named."""
    with pytest.raises(TypeError, match=r"It makes a int; expected a torch.nn.Module"):
        ask(3, "shapes")


def test_parameter_without_a_gradient_is_named():
    """A layer that forward does not use is found by its number."""

    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.used(x)

    net = Idle().double()
    with pytest.raises(ValueError, match=r"parameter number 3, of shape \(2, 2\), gets no gradient"):
        ask(net, "gradients", np.ones((1, 2)), np.ones((1, 2)))


def test_modes_reach_the_module():
    """Training mode is training mode, and evaluation mode is not."""
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(1.0)).double()
    x = np.ones((2, 4))
    assert not ask(net, "outputs", x, True).any()
    assert ask(net, "outputs", x, False).all()


def test_shapes_are_told_in_order():
    """One text says how many arrays there are and what shape each has."""
    assert ask(nn.Linear(3, 2), "shapes") == shapes_in_words([(2, 3), (2,)]) == "2 arrays: (2, 3), (2,)"


def test_a_failing_request_is_a_failing_step():
    """What a module raises is reported like any other error of an answer."""
    steps = (Step("construct", "net", "Net"), Step("module", "out", "outputs", (Handle("net"), np.ones((1, 3)), False)))
    with pytest.raises(StepError) as caught:
        run(Case("a case", {}, steps), {"Net": lambda: nn.Linear(2, 2).double()})
    assert caught.value.step.name == "out"


@pytest.mark.parametrize(("judge", "name"), [(learned_texts, "TextCNN"), (learned_images, "ResNetSmall")])
def test_learning_is_judged_by_what_the_weights_are_worth(judge, name):
    """Trained weights pass; those from before the training, and numbers that are none, do not."""
    exercise = find_exercise(name)[1]
    case = next(case for case in exercise.cases(np.random.default_rng(5), True) if "by heart" in case.id)
    kernels = {name: getattr(numpy_kernels, name)}
    trained = run(case, kernels)["trained"]
    before = list(next(step for step in case.steps if step.name == "loaded").args[1:])
    assert judge({"trained": trained}, case, kernels) == {"trained": "all 16 examples learned"}
    assert judge({"trained": before}, case, kernels) == {"trained": "not all 16 examples learned"}
    with pytest.raises(ValueError, match="not finite"):
        judge({"trained": [np.nan * item for item in trained]}, case, kernels)
    with pytest.raises(ValueError, match="parameter arrays"):
        judge({"trained": trained[:-1]}, case, kernels)


def test_answers_are_not_in_the_worker_with_torch(tmp_path: Path) -> None:
    """Behind the walls Torch can be used, and neither reference of a class can be found."""
    lesson, _ = find_exercise("ResNetSmall")
    view = build_view(lesson, graded_from(lesson), tmp_path)
    source = (
        "import torch\nfrom course_lib import numpy_kernels\n"
        "def f():\n"
        "    here = [name for name in ('ResNetSmall', 'TextCNN') if hasattr(numpy_kernels, name)]\n"
        "    try:\n        import course_lib.torch_kernels.residual_net as module\n"
        "        here += dir(module)\n    except ImportError:\n        pass\n"
        "    return [torch.ones(2).sum().item(), here]\n"
    )
    tmp_path.chmod(0o755)
    with Pool(view, torch=True) as pool, pool.job() as job:
        assert job.load([Piece("cell 1", source)]) == []
        (played,) = job.play([Case("a case", {}, (Step("call", "r", "f"), Step("read", "r", "", (Handle("r"),))))])
    assert played.error is None, played.error
    assert played.seen["r"][0] == 2.0
    assert not {"ResNetSmall", "TextCNN"} & set(played.seen["r"][1])


def test_torch_does_not_remember_other_seeds():
    """Training draws nothing: the same weights come out every time."""
    name, settings, shape = REFERENCES[1]
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = loaded(torch_kernels, name, settings, np.random.default_rng(1))
        x = inputs(name, shape, np.random.default_rng(2))
        runs.append(ask(net, "fitted", x, np.array([0, 1, 2, 0]), 2, 0.01))
    assert all(np.array_equal(one, other) for one, other in zip(*runs, strict=True))
