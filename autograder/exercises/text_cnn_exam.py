"""Exam corner of lesson 09: six computed questions and one that a person marks."""

from __future__ import annotations

import numpy as np

from autograder.course import OpenQuestion, Question
from autograder.exercises._exam import Formulas, Numbers, ask_torch, is_clear, one_of, tenths

_WIDTHS = (3, 4, 5)


def _windows_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "words": int(rng.integers(9, 60)),
        "narrow": int(rng.integers(2, 5)),
        "wide": int(rng.integers(5, 9)),
    }
    return numbers if is_clear(numbers, _windows_answer, _WINDOWS_MISTAKES, 0) else _windows_numbers(rng)


def _windows_answer(words: int, narrow: int, wide: int) -> int:
    return (words - narrow + 1) + (words - wide + 1)


def _windows_torch(words: int, narrow: int, wide: int) -> int:
    x = np.zeros((1, words, 1))
    return sum(ask_torch("conv1d_forward", x, np.zeros((1, 1, width)))[0].shape[1] for width in (narrow, wide))


_WINDOWS_MISTAKES: Formulas = {
    "one_too_few": (
        "You are one window short for each width. A width of 3 fits 5 times into 7 words: L - width + 1.",
        lambda words, narrow, wide: 2 * words - narrow - wide,
    ),
    "one_per_word": (
        "You counted a window for each word. Near the end of the sentence a window no longer fits.",
        lambda words, narrow, wide: 2 * words,
    ),
    "no_overlap": (
        "Your windows lie side by side. They overlap: each begins one word after the one before.",
        lambda words, narrow, wide: words // narrow + words // wide,
    ),
    "one_after_the_other": (
        "You let the second filter read what the first returned. Both read the sentence itself.",
        lambda words, narrow, wide: (words - narrow + 1) + (words - narrow + 1 - wide + 1),
    ),
}

EXAM_TEXT_WINDOWS = Question(
    id="exam_text_windows",
    points=1,
    numbers=_windows_numbers,
    text=(
        "A sentence has {words} words and no padding. One filter covers {narrow} words, another covers {wide}; both "
        "move on by one word and stay inside the sentence. How many answers do the two give together?"
    ),
    answer=_windows_answer,
    torch_answer=_windows_torch,
    explanation="({words} - {narrow} + 1) + ({words} - {wide} + 1) = {answer}.",
    mistakes=_WINDOWS_MISTAKES,
)


def _size_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "words": int(one_of(rng, 500, 800, 1000, 1200, 2000, 5000)),
        "depth": int(one_of(rng, 16, 20, 32, 50, 64)),
        "filters": int(one_of(rng, 8, 10, 16, 20, 24, 32)),
        "classes": int(rng.integers(2, 7)),
    }
    return numbers if is_clear(numbers, _size_answer, _SIZE_MISTAKES, 0) else _size_numbers(rng)


def _size_answer(words: int, depth: int, filters: int, classes: int) -> int:
    convolutions = filters * (depth * sum(_WIDTHS) + len(_WIDTHS))
    return words * depth + convolutions + (len(_WIDTHS) * filters + 1) * classes


def _size_torch(words: int, depth: int, filters: int, classes: int) -> int:
    """An embedding is a dense layer without biases, and a filter of some width a unit that sees so many vectors."""
    convolutions = sum(ask_torch("count_parameters", [depth * width, filters]) for width in _WIDTHS)
    dense = ask_torch("count_parameters", [len(_WIDTHS) * filters, classes])
    return ask_torch("count_parameters", [words, depth], False) + convolutions + dense


_SIZE_MISTAKES: Formulas = {
    "no_embedding": (
        "The vectors of the words are missing. They are learned too, and they are most of the parameters.",
        lambda words, depth, filters, classes: _size_answer(words, depth, filters, classes) - words * depth,
    ),
    "no_biases": (
        "The biases are missing: one per filter, and one per class.",
        lambda words, depth, filters, classes: (
            _size_answer(words, depth, filters, classes) - len(_WIDTHS) * filters - classes
        ),
    ),
    "one_number_per_word": (
        "A filter has a weight for every number of every word that it covers: depth times width, not width alone.",
        lambda words, depth, filters, classes: (
            _size_answer(words, depth, filters, classes) - filters * (depth - 1) * sum(_WIDTHS)
        ),
    ),
    "dense_sees_one_width": (
        "The dense layer reads the filters of all three widths: three times as many inputs.",
        lambda words, depth, filters, classes: _size_answer(words, depth, filters, classes) - 2 * filters * classes,
    ),
}

EXAM_TEXT_PARAMETERS = Question(
    id="exam_text_parameters",
    points=1,
    numbers=_size_numbers,
    text=(
        "A text CNN has a vocabulary of {words} entries with vectors of {depth} numbers, {filters} filters of each of "
        "the widths 3, 4 and 5, all with a bias, the maximum over time, and a dense layer with biases for {classes} "
        "classes. How many numbers does training learn?"
    ),
    answer=_size_answer,
    torch_answer=_size_torch,
    explanation=(
        "{words} * {depth} for the vectors, {filters} * ((3 + 4 + 5) * {depth} + 3) for the filters and "
        "(3 * {filters} + 1) * {classes} for the dense layer: {answer}."
    ),
    mistakes=_SIZE_MISTAKES,
)


def _f1_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "right_no": int(rng.integers(20, 90)),
        "false_yes": int(rng.integers(2, 20)),
        "false_no": int(rng.integers(2, 15)),
        "right_yes": int(rng.integers(3, 20)),
    }
    return numbers if is_clear(numbers, _f1_answer, _F1_MISTAKES, 3) else _f1_numbers(rng)


def _both_f1(right_no: int, false_yes: int, false_no: int, right_yes: int) -> tuple[float, float]:
    wrong = false_yes + false_no
    return 2 * right_no / (2 * right_no + wrong), 2 * right_yes / (2 * right_yes + wrong)


def _f1_answer(right_no: int, false_yes: int, false_no: int, right_yes: int) -> float:
    return sum(_both_f1(right_no, false_yes, false_no, right_yes)) / 2


def _f1_torch(right_no: int, false_yes: int, false_no: int, right_yes: int) -> float:
    counts = [right_no, false_yes, false_no, right_yes]
    return ask_torch("macro_f1", np.repeat([0, 0, 1, 1], counts), np.repeat([0, 1, 0, 1], counts), 2)


_F1_MISTAKES: Formulas = {
    "accuracy": (
        "This is the accuracy, which is also the micro F1. Compute an F1 for each of the two classes.",
        lambda right_no, false_yes, false_no, right_yes: (
            (right_no + right_yes) / (right_no + false_yes + false_no + right_yes)
        ),
    ),
    "small_class_only": (
        "This is the F1 of the bad reviews alone. Take the mean with the F1 of the good ones.",
        lambda right_no, false_yes, false_no, right_yes: _both_f1(right_no, false_yes, false_no, right_yes)[1],
    ),
    "recall": (
        "You averaged the recalls. F1 counts the false alarms too: 2 TP / (2 TP + FP + FN).",
        lambda right_no, false_yes, false_no, right_yes: (
            (right_no / (right_no + false_yes) + right_yes / (right_yes + false_no)) / 2
        ),
    ),
    "weighted": (
        "You weighted the classes by their size. In the macro F1 both count the same.",
        lambda right_no, false_yes, false_no, right_yes: (
            (
                _both_f1(right_no, false_yes, false_no, right_yes)[0] * (right_no + false_yes)
                + _both_f1(right_no, false_yes, false_no, right_yes)[1] * (right_yes + false_no)
            )
            / (right_no + false_yes + false_no + right_yes)
        ),
    ),
}

EXAM_MACRO_F1 = Question(
    id="exam_macro_f1",
    points=1,
    numbers=_f1_numbers,
    text=(
        "Of the good reviews in a test set, a classifier calls {right_no} good and {false_yes} bad. Of the bad ones it "
        "calls {false_no} good and {right_yes} bad. What is the macro F1 of the two classes?"
    ),
    answer=_f1_answer,
    torch_answer=_f1_torch,
    explanation=(
        "Good: 2 * {right_no} / (2 * {right_no} + {false_yes} + {false_no}). Bad: 2 * {right_yes} / (2 * {right_yes} + "
        "{false_yes} + {false_no}). Their mean is {answer}."
    ),
    mistakes=_F1_MISTAKES,
    decimals=3,
)


def _padding_numbers(rng: np.random.Generator) -> Numbers:
    first, second, third = (int(number) for number in rng.integers(3, 30, 3))
    numbers: Numbers = {"first": first, "second": second, "third": third, "length": int(rng.integers(10, 26))}
    mixed = min(first, second, third) < numbers["length"] < max(first, second, third)
    return numbers if mixed and is_clear(numbers, _padding_answer, _PADDING_MISTAKES, 0) else _padding_numbers(rng)


def _padding_answer(first: int, second: int, third: int, length: int) -> int:
    return sum(max(length - words, 0) for words in (first, second, third))


def _padding_torch(first: int, second: int, third: int, length: int) -> int:
    texts = [["word"] * words for words in (first, second, third)]
    return sum(int((ask_torch("encode_and_pad", text, {"word": 2}, length) == 0).sum()) for text in texts)


_PADDING_MISTAKES: Formulas = {
    "longer_ones_subtracted": (
        "A text that is too long is cut: it needs no padding, and takes none away from the others.",
        lambda first, second, third, length: 3 * length - first - second - third,
    ),
    "up_to_the_longest": (
        "You filled up to the longest text. All rows have the fixed length, and longer texts are cut.",
        lambda first, second, third, length: 3 * max(first, second, third) - first - second - third,
    ),
    "words_kept": (
        "These are the words that stay. The zeros fill the places that are left.",
        lambda first, second, third, length: sum(min(length, words) for words in (first, second, third)),
    ),
    "words_cut": (
        "These are the words that are cut off. The question is about the padding.",
        lambda first, second, third, length: sum(max(words - length, 0) for words in (first, second, third)),
    ),
}

EXAM_PADDING = Question(
    id="exam_padding",
    points=1,
    numbers=_padding_numbers,
    text=(
        "Three texts with {first}, {second} and {third} words are cut or filled up with zeros to {length} numbers "
        "each. How many of the 3 * {length} numbers are padding?"
    ),
    answer=_padding_answer,
    torch_answer=_padding_torch,
    explanation=(
        "Each text shorter than {length} gets {length} minus its number of words, a longer one gets none: "
        "together {answer}."
    ),
    mistakes=_PADDING_MISTAKES,
)


def _memory_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "words": 1000 * int(rng.integers(5, 100)),
        "depth": int(one_of(rng, 50, 64, 100, 128, 200, 300)),
    }
    return numbers if is_clear(numbers, _memory_answer, _MEMORY_MISTAKES, 1) else _memory_numbers(rng)


def _memory_answer(words: int, depth: int) -> float:
    return 16 * words * depth / 1e6


def _memory_torch(words: int, depth: int) -> float:
    """A dense layer of that size keeps as much, and its biases on top."""
    kept = ask_torch("memory_needed", [words, depth], 1, 2)[:3]
    biases = ask_torch("count_parameters", [words, depth]) - ask_torch("count_parameters", [words, depth], False)
    return (sum(kept) - 16 * biases) / 1e6


_MEMORY_MISTAKES: Formulas = {
    "vectors_only": (
        "This is the room of the vectors alone. Each number also has a gradient and two averages of Adam.",
        lambda words, depth: 4 * words * depth / 1e6,
    ),
    "numbers": (
        "You counted numbers. In float32 each takes 4 bytes.",
        lambda words, depth: words * depth / 1e6,
    ),
    "no_gradient": (
        "The gradient is missing: vectors, gradient and two averages are four arrays.",
        lambda words, depth: 12 * words * depth / 1e6,
    ),
    "float64": (
        "You counted 8 bytes per number. A float32 takes 4.",
        lambda words, depth: 32 * words * depth / 1e6,
    ),
}

EXAM_EMBEDDING_MEMORY = Question(
    id="exam_embedding_memory",
    points=1,
    numbers=_memory_numbers,
    text=(
        "A vocabulary has {words} entries, each with a vector of {depth} numbers in float32. Training keeps the "
        "vectors, a gradient of the same shape, and the two averages of Adam. How many megabytes (millions of bytes) "
        "are these arrays together?"
    ),
    answer=_memory_answer,
    torch_answer=_memory_torch,
    explanation="4 arrays of {words} * {depth} numbers of 4 bytes: {answer} MB.",
    mistakes=_MEMORY_MISTAKES,
    decimals=1,
)


def _repeated_numbers(rng: np.random.Generator) -> Numbers:
    numbers: Numbers = {
        "g1": tenths(rng, -40, 40),
        "g2": tenths(rng, -40, 40),
        "g3": tenths(rng, -40, 40),
        "lr": one_of(rng, 0.1, 0.2, 0.5),
    }
    return numbers if is_clear(numbers, _repeated_answer, _REPEATED_MISTAKES, 2) else _repeated_numbers(rng)


def _repeated_answer(g1: float, g2: float, g3: float, lr: float) -> float:
    return -lr * (g1 + g2 + g3)


def _repeated_torch(g1: float, g2: float, g3: float, lr: float) -> float:
    """Each place is a one-hot row of a dense layer without bias: its weights are the vectors."""
    onehot, dout = np.array([[1.0], [0.0], [1.0], [1.0]]), np.array([[g1], [7.0], [g2], [g3]])
    # The product of the two, as a convolution with one window over all four places.
    total = ask_torch("conv1d_forward", onehot[None], dout.T[None])[0]
    return -lr * total.item()


_REPEATED_MISTAKES: Formulas = {
    "last_only": (
        "Only the last gradient counts in yours. The same vector was used three times: add up.",
        lambda g1, g2, g3, lr: -lr * g3,
    ),
    "mean": (
        "You averaged the three gradients. They add up.",
        lambda g1, g2, g3, lr: -lr * (g1 + g2 + g3) / 3,
    ),
    "uphill": (
        "The sign is wrong: gradient descent subtracts lr times the gradient.",
        lambda g1, g2, g3, lr: lr * (g1 + g2 + g3),
    ),
    "no_rate": (
        "This leaves out the learning rate. The step is -lr times the gradient.",
        lambda g1, g2, g3, lr: -(g1 + g2 + g3),
    ),
}

EXAM_REPEATED_WORD = Question(
    id="exam_repeated_word",
    points=1,
    numbers=_repeated_numbers,
    text=(
        "The word 'very' stands three times in a text. At these places the gradient of the loss with respect to the "
        "first number of its vector is {g1}, {g2} and {g3}. By how much, with its sign, does a step of gradient "
        "descent with lr = {lr} change that number in the embedding?"
    ),
    answer=_repeated_answer,
    torch_answer=_repeated_torch,
    explanation="The three gradients add up: -{lr} * (({g1}) + ({g2}) + ({g3})) = {answer}.",
    mistakes=_REPEATED_MISTAKES,
    decimals=2,
)

OPEN_QUESTION_TEXT_CNN = OpenQuestion(
    id="open_question_text_cnn",
    points=3,
    rubric=(
        "1 point: a bag of words sees which words occur but not in which order, so 'not good, but bad' and 'not bad, "
        "but good' look the same; a filter sees neighbouring words together and can answer to 'not good'. 1 point: the "
        "maximum over time keeps one strong answer of each filter wherever it occurs, so texts of any length give a "
        "vector of fixed size; the padding needs a mask, or it can win. 1 point: one limit, for example: a filter sees "
        "no more words than its width, so words that belong together but stand far apart escape it; the maximum "
        "forgets where and how often it fired; words that are not in the vocabulary look alike."
    ),
)

QUESTIONS = (
    EXAM_TEXT_WINDOWS,
    EXAM_TEXT_PARAMETERS,
    EXAM_MACRO_F1,
    EXAM_PADDING,
    EXAM_EMBEDDING_MEMORY,
    EXAM_REPEATED_WORD,
)
OPEN_QUESTIONS = (OPEN_QUESTION_TEXT_CNN,)
