"""Every lesson of the course, in teaching order.

What enters: nothing. What leaves: `LESSONS`, and two look-ups that say what exists when a name is unknown.
"""

from __future__ import annotations

from difflib import get_close_matches

from autograder.course import Exercise, Lesson
from autograder.exercises import (
    activations_exam,
    activations_gelu,
    activations_jacobian,
    activations_leaky,
    activations_relu,
    activations_smooth,
    activations_softmax,
    classification,
    initialisation,
    initialisation_stats,
    metric_losses,
)
from autograder.exercises.activations import SIGMOID
from autograder.exercises.linear import AFFINE_FORWARD
from autograder.exercises.losses import MSE_LOSS
from autograder.exercises.mlp import COUNT_PARAMETERS, MLP_FORWARD
from autograder.exercises.mlp_backward import HIDDEN_DELTA, MLP_BACKWARD
from autograder.exercises.mlp_xor import TRAIN_XOR, XOR_WEIGHTS
from autograder.exercises.neuron import NEURON_GRADIENT, PERCEPTRON_UPDATE
from autograder.exercises.xor_mlp_exam import OPEN_QUESTIONS, QUESTIONS

LESSONS: tuple[Lesson, ...] = (
    Lesson(
        id="01_xor_mlp",
        title="XOR and the multilayer perceptron",
        exercises=(
            AFFINE_FORWARD,
            SIGMOID,
            NEURON_GRADIENT,
            PERCEPTRON_UPDATE,
            MLP_FORWARD,
            XOR_WEIGHTS,
            MSE_LOSS,
            HIDDEN_DELTA,
            MLP_BACKWARD,
            TRAIN_XOR,
            COUNT_PARAMETERS,
        ),
        questions=QUESTIONS,
        open_questions=OPEN_QUESTIONS,
    ),
    Lesson(
        id="02_activations",
        title="Activations, losses and initialisation",
        exercises=(
            *activations_relu.EXERCISES,
            *activations_smooth.EXERCISES,
            *activations_leaky.EXERCISES,
            *activations_gelu.EXERCISES,
            *activations_softmax.EXERCISES,
            *activations_jacobian.EXERCISES,
            *classification.EXERCISES,
            *metric_losses.EXERCISES,
            *initialisation.EXERCISES,
            *initialisation_stats.EXERCISES,
        ),
        questions=activations_exam.QUESTIONS,
        open_questions=activations_exam.OPEN_QUESTIONS,
    ),
)


def find_lesson(lesson_id: str) -> Lesson:
    """The lesson of that id.

    Raises:
        LookupError: there is none; the message names the nearest ones.

    >>> find_lesson("01_xor_mlp").title
    'XOR and the multilayer perceptron'
    """
    lessons = {lesson.id: lesson for lesson in LESSONS}
    if lesson_id not in lessons:
        raise LookupError(f"There is no lesson {lesson_id!r}. {_nearest(lesson_id, list(lessons))}")
    return lessons[lesson_id]


def find_exercise(exercise_id: str) -> tuple[Lesson, Exercise]:
    """The exercise of that id and the lesson it belongs to.

    Raises:
        LookupError: there is none; the message names the nearest ones.

    >>> lesson, exercise = find_exercise("sigmoid")
    >>> lesson.id, exercise.points
    ('01_xor_mlp', 2)
    """
    found = {exercise.id: (lesson, exercise) for lesson in LESSONS for exercise in lesson.exercises}
    if exercise_id not in found:
        raise LookupError(f"There is no exercise {exercise_id!r}. {_nearest(exercise_id, list(found))}")
    return found[exercise_id]


def graded_from(lesson: Lesson) -> set[str]:
    """Ids of the exercises that a lesson or a later one grades: what its learners must not be shown."""
    later = [item for item in LESSONS if item.id >= lesson.id]
    return {exercise.id for item in later for exercise in item.exercises}


def _nearest(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names)
    return f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(names)}."
