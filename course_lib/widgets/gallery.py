"""All looks of the course on one page, lesson by lesson: `LOOKS` lists them, `page` makes the page.

The page needs no kernel and no network. Looks that show a trained network carry what their lesson's network learned
(`course_lib.widgets._recorded`); nothing is trained to make the page.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from course_lib.widgets import _recorded
from course_lib.widgets._base import STATIC, Look, style
from course_lib.widgets.activations import ActivationExplorer, SoftmaxTemperature
from course_lib.widgets.architectures import ArchitectureMap
from course_lib.widgets.batchnorm import BatchDrag, BatchNoise, TrainEvalGap
from course_lib.widgets.convolution import KernelEditor, ReceptiveField, SlidingWindow
from course_lib.widgets.differences import StepSize
from course_lib.widgets.dropout import DropoutSlider
from course_lib.widgets.graphs import GradientFlow, GraphStepper
from course_lib.widgets.initialisation import DeadReluMeter, SpreadOverLayers
from course_lib.widgets.mlp import HiddenFold, XorTrainer
from course_lib.widgets.neuron import DecisionBoundary
from course_lib.widgets.optimisers import AdamBias, ContourRace
from course_lib.widgets.penalties import PenaltyCurve
from course_lib.widgets.playground import Playground
from course_lib.widgets.residual import BranchScale, DepthNorms
from course_lib.widgets.schedules import RangeTest, ScheduleDesigner
from course_lib.widgets.stability import StabilityMap
from course_lib.widgets.stopping import PatiencePlot

TITLE = "All looks of the course"
INTRODUCTION = (
    "A look is a picture you can move. Answer its question first: the controls wake up then. Most set a goal and say "
    "when you have reached it. Everything works with mouse, finger or keyboard, and nothing leaves this page."
)
CONTENTS = "Lessons"
SKIP = "Skip to the looks"
NO_SCRIPTS = "Scripts are off in this browser, so the looks stand still. Each picture has a description."
LESSONS = {
    "01": "XOR and the multilayer perceptron",
    "02": "Activations, losses and initialisation",
    "03": "Backpropagation",
    "04": "Optimisers and learning rates",
    "05": "Regularisation",
    "06": "Convolutional networks",
    "07": "Batch normalisation",
    "08": "Residual networks",
    "09": "Text CNNs",
}


@dataclass(frozen=True)
class Shown:
    """One look of the gallery: its lesson ("01" to "09"), a heading, what to try, and a function that makes it."""

    lesson: str
    title: str
    to_try: str
    make: Callable[[], Look]


LOOKS: tuple[Shown, ...] = (
    Shown("01", "One line between two answers",
          "Turn and slide the line: how many of the four corners can it get right?", DecisionBoundary),
    Shown("01", "Who is admitted?",
          "Twelve pupils, two marks each: move the line until all twelve are right.",
          lambda: DecisionBoundary("admission")),
    Shown("01", "The hidden layer folds the plane",
          "Move the sheet with t, then look for two units after which one line is enough.", HiddenFold),
    Shown("01", "Training on XOR",
          "Press Play with two hidden units, then look for a seed that stays stuck.", XorTrainer),
    Shown("02", "Activations and their slopes",
          "Walk outwards along the sigmoid until its slope has all but gone.", ActivationExplorer),
    Shown("02", "The learning rate and dead ReLU units",
          "Raise the rate until units die, and see whether the loss minds.", DeadReluMeter),
    Shown("02", "Softmax and temperature",
          "Cool the scores down until one class takes all, then warm them up until all are alike.",
          SoftmaxTemperature),
    Shown("02", "The spread over thirty layers",
          "Find the gain with which a ReLU network keeps the spread from the first layer to the last.",
          SpreadOverLayers),
    Shown("03", "Which step for a difference?",
          "Make h smaller and smaller: the error falls, and then rises again.", StepSize),
    Shown("03", "A graph, step by step",
          "Walk forward and back, and make the two paths into one weight cancel.", GraphStepper),
    Shown("03", "How far does the gradient flow back?",
          "Deepen the network and watch what reaches its first layer.", GradientFlow),
    Shown("04", "A race down the loss surface",
          "Click a start point, press Play, and raise the learning rate until plain SGD flies out.", ContourRace),
    Shown("04", "Adam with and without its correction",
          "Lengthen the memories and watch the first steps that nobody corrects.", AdamBias),
    Shown("04", "Design a schedule",
          "Let the rate warm up, and then fall to a tenth by step 1,000.", ScheduleDesigner),
    Shown("04", "The learning-rate range test",
          "Read a good rate off the curve, then train with it on three problems.", RangeTest),
    Shown("05", "A penalty against a high degree",
          "Strengthen the penalty until a wild polynomial becomes a calm one, and not calmer.", PenaltyCurve),
    Shown("05", "Early stopping: how patient?",
          "Change the patience and see when training stops, and which weights are kept.", PatiencePlot),
    Shown("05", "The playground: learning rate and dropout",
          "Train a real network on real digits, change one setting, and train again.", Playground),
    Shown("05", "Dropout, mask by mask",
          "Draw masks, and compare the mean in training with that in evaluation.", DropoutSlider),
    Shown("06", "A window walks over the cells",
          "Guess how large the output is, three times in a row with a stride of 2 or more.", SlidingWindow),
    Shown("06", "A kernel over an image",
          "Type nine numbers that move the picture one pixel to the left.", lambda: KernelEditor(_digit())),
    Shown("06", "What one output cell sees",
          "Stack layers until one cell sees exactly as much of the input as you want.", ReceptiveField),
    Shown("06", "Draw a digit, and a network reads it",
          "Draw with mouse, finger or keys, then look for a pen that is too thin or too thick.", _recorded.digit_pad),
    Shown("07", "One sample moves the whole batch",
          "Drag one sample: in training mode the others answer, though nobody touched them.", BatchDrag),
    Shown("07", "Batch size and noise",
          "Make the batch four times as large, and measure how much calmer its mean becomes.", BatchNoise),
    Shown("07", "Which settings still learn?",
          "Press Train: 128 small networks learn in your browser, with and without batch normalisation.",
          StabilityMap),
    Shown("07", "How far evaluation lies from training",
          "Choose the momentum with which the running statistics catch up in time.", TrainEvalGap),
    Shown("08", "What reaches the layers of a deep network?",
          "Deepen both networks to 64 layers, and look for the gain that each of them needs.", DepthNorms),
    Shown("08", "How strong may a branch be?",
          "Turn the branches down until 32 blocks no longer blow the variance up.", BranchScale),
    Shown("08", "Take one block out",
          "Take the blocks out one by one: which network gets over it?", _recorded.block_removal),
    Shown("08", "What does accuracy cost?",
          "Walk through the networks and find the most accurate one with less than 10 million parameters.",
          ArchitectureMap),
    Shown("09", "Ask the network about a sentence",
          "Type the same words in another order, until the network changes its mind.", _recorded.sentence_probe),
    Shown("09", "Flip the answer by one word",
          "Change one word of the sentence so that the answer changes.", _recorded.flip_the_answer),
    Shown("09", "What padding does to the maximum",
          "Switch the mask off and look for the filter that the padding excites most.", _recorded.padding_mask),
    Shown("09", "Filter widths and dropout",
          "Find the best of twelve recorded trainings, and the narrowest filters that come close.",
          _recorded.widths_and_dropout),
)  # fmt: skip


def _digit() -> np.ndarray:
    """A real digit, each of its 8 x 8 pixels as 2 x 2."""
    from course_lib.data import load_digits  # takes a second: only whoever needs it pays

    return np.kron(load_digits().x_train[7].reshape(8, 8), np.ones((2, 2)))


def page() -> str:
    """Return the gallery as one HTML page that needs no kernel and no network.

    Returns:
        The whole page. Every look starts as a still picture with a text alternative and comes alive where scripts run;
        it has the id ``look-`` and its number, and every lesson the id ``lesson-`` and its two digits.
    """
    lessons = "\n".join(_lesson(number, list(looks)) for number, looks in _by_lesson())
    links = "".join(
        f'<li><a href="#lesson-{number}">{number} \u00b7 {html.escape(title)}</a></li>'
        for number, title in LESSONS.items()
    )
    styles = f"<style>\n{(STATIC / 'gallery.css').read_text(encoding='utf-8')}</style>\n<style>\n{style()}</style>"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{TITLE}</title>\n'
        f"{styles}\n</head>\n"
        f'<body>\n<a class="skip" href="#looks">{SKIP}</a>\n<header>\n<h1>{TITLE}</h1>\n<p>{INTRODUCTION}</p>\n'
        f'<noscript><p>{NO_SCRIPTS}</p></noscript>\n</header>\n<nav aria-label="{CONTENTS}"><ul>{links}</ul></nav>\n'
        f'<main id="looks">\n{lessons}\n</main>\n</body>\n</html>\n'
    )


def _by_lesson() -> Iterator[tuple[str, Iterator[tuple[int, Shown]]]]:
    numbered = enumerate(LOOKS, start=1)
    return groupby(numbered, key=lambda pair: pair[1].lesson)


def _lesson(number: str, looks: list[tuple[int, Shown]]) -> str:
    articles = "\n".join(_article(place, shown) for place, shown in looks)
    return (
        f'<section id="lesson-{number}" aria-labelledby="title-{number}">\n'
        f'<h2 id="title-{number}">{number} \u00b7 {html.escape(LESSONS[number])}</h2>\n{articles}\n</section>'
    )


def _article(place: int, shown: Shown) -> str:
    look = shown.make().page().removeprefix(f"<style>{style()}</style>\n")  # the page has it once already
    return (
        f'<article id="look-{place}">\n<h3>{html.escape(shown.title)}</h3>\n<p>{html.escape(shown.to_try)}</p>\n'
        f"{look}\n</article>"
    )
