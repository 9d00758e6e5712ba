"""Every lesson of the course, in teaching order.

What enters: nothing. What leaves: `LESSONS`, and two look-ups that say what exists when a name is unknown.
"""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches

from autograder import exercises
from autograder.course import Exercise, Lesson


def _exercises() -> dict[str, Exercise]:
    """Every exercise that a module of `autograder.exercises` defines, by id."""
    names = [found.name for found in pkgutil.iter_modules(exercises.__path__) if not found.name.startswith("_")]
    modules = [importlib.import_module(f"{exercises.__name__}.{name}") for name in names]
    return {exercise.id: exercise for module in modules for exercise in getattr(module, "EXERCISES", ())}


def _lesson(lesson_id: str, title: str, exam: str, names: str) -> Lesson:
    """A lesson: its exercises in the order of the notebook, and the module of its exam corner."""
    corner = importlib.import_module(f"{exercises.__name__}.{exam}")
    chosen = tuple(_EXERCISES[name] for name in names.split())
    return Lesson(lesson_id, title, chosen, corner.QUESTIONS, corner.OPEN_QUESTIONS)


_EXERCISES = _exercises()

# The notebook before lesson 01: one exercise, no marks. It is built and checked like a lesson, and not one of the nine.
WELCOME = Lesson("00_welcome", "Welcome", (_EXERCISES["admit"],))

LESSONS: tuple[Lesson, ...] = (
    _lesson(
        "01_xor_mlp",
        "XOR and the multilayer perceptron",
        "xor_mlp_exam",
        "affine_forward sigmoid neuron_gradient perceptron_update mlp_forward xor_weights mse_loss hidden_delta "
        "mlp_backward train_xor count_parameters",
    ),
    _lesson(
        "02_activations",
        "Activations, losses and initialisation",
        "activations_exam",
        "relu_forward relu_backward tanh_forward tanh_backward leaky_relu gelu softmax log_softmax softmax_jacobian "
        "cross_entropy hinge_loss triplet_loss kaiming_uniform glorot_uniform activation_stats",
    ),
    _lesson(
        "03_backpropagation",
        "Backpropagation",
        "backpropagation_exam",
        "numerical_gradient relative_error exam_graph_gradient affine_backward softmax_cross_entropy_forward "
        "softmax_cross_entropy_backward unbroadcast sequential_backward topological_order Value memory_needed",
    ),
    _lesson(
        "04_optimisers",
        "Optimisers and learning rates",
        "optimisers_exam",
        "sgd_step minibatches max_stable_step momentum_step adagrad_step rmsprop_step adam_step adamw_step "
        "clip_grad_norm cosine_warm_restarts reduce_on_plateau lr_range_test laplacian metropolis_accept",
    ),
    _lesson(
        "05_regularisation",
        "Regularisation",
        "regularisation_exam",
        "l2_penalty l1_subgradient early_stopping augment_shift_flip label_smoothing mixup pseudo_labels "
        "multitask_loss tied_gradient ensemble_predict dropout_forward dropout_backward dropout_classic",
    ),
    _lesson(
        "06_cnn",
        "Convolutional networks",
        "cnn_exam",
        "conv_output_size pad2d conv2d_loops im2col conv2d_forward conv2d_backward maxpool2d_forward "
        "maxpool2d_backward avgpool2d_forward upsample_nearest_forward receptive_field count_conv alexnet_table",
    ),
    _lesson(
        "07_batchnorm",
        "Batch normalisation",
        "batchnorm_exam",
        "batchnorm_forward batchnorm_eval batchnorm_backward batchnorm_backward_compact batchnorm2d_forward "
        "layernorm_forward groupnorm_forward fold_batchnorm_into_conv recalibrate_statistics",
    ),
    _lesson(
        "08_residual",
        "Residual networks",
        "residual_exam",
        "residual_forward residual_backward projection_shortcut preactivation_block bottleneck_cost "
        "gradient_norm_by_depth zero_init_gamma stochastic_depth resnet18_shapes ResNetSmall",
    ),
    _lesson(
        "09_text_cnn",
        "Text CNNs",
        "text_cnn_exam",
        "tokenize build_vocab encode_and_pad embedding_forward embedding_backward conv1d_forward conv1d_backward "
        "max_over_time_forward max_over_time_backward text_cnn_forward macro_f1 top_ngrams TextCNN",
    ),
)


def find_lesson(lesson_id: str) -> Lesson:
    """The lesson of that id.

    Raises:
        LookupError: there is none; the message names the nearest ones.

    >>> find_lesson("01_xor_mlp").title
    'XOR and the multilayer perceptron'
    """
    lessons = {lesson.id: lesson for lesson in (WELCOME, *LESSONS)}
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
    found = {exercise.id: (lesson, exercise) for lesson in (WELCOME, *LESSONS) for exercise in lesson.exercises}
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
