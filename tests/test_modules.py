"""Torch modules as cases play them: loaded by order, asked in both modes, differentiated and trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from autograder.catalogue import find_exercise, graded_from
from autograder.sandbox.pool import Piece, Pool
from autograder.view import build_view
from course_lib import numpy_kernels
from course_lib.cases import Case, Step, StepError, run
from course_lib.modules import ask, shapes_in_words
from course_lib.properties.modules import learned_images, learned_texts
from course_lib.tree import Handle


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
