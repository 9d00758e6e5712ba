"""Promises that every question of every exam corner keeps."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.catalogue import LESSONS
from autograder.course import Question

QUESTIONS = [question for lesson in LESSONS for question in lesson.questions]

each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)


@each_question
def test_question_answers_agree_for_every_variant(question):
    """Formula and Torch give the same answer for all 256 variants, and rounding never decides."""
    for variant in range(256):
        numbers, answer = ask(question, variant)
        scaled = answer * 10**question.decimals
        assert abs(scaled - np.floor(scaled) - 0.5) > 0.05, (variant, answer)
        assert abs(question.torch_answer(**numbers) - answer) < 1e-9, variant


def ask(question: Question, variant: int) -> tuple[dict[str, int | float], float]:
    """The numbers of a variant and the answer to them."""
    numbers = question.numbers(np.random.default_rng(variant))
    return numbers, question.answer(**numbers)


@each_question
def test_question_mistakes_never_give_the_answer(question):
    """Named wrong formulas round to something else than the answer, and than each other, in every variant."""
    assert len(question.mistakes) >= 2
    for variant in range(256):
        numbers, answer = ask(question, variant)
        found = [answer, *(formula(**numbers) for _, formula in question.mistakes.values())]
        rounded = {round(value, question.decimals) for value in found}
        assert len(rounded) == len(found), (variant, found)


@each_question
def test_question_texts_use_the_numbers(question):
    """Text and explanation can be filled in, and learners get different questions."""
    texts = set()
    for variant in range(256):
        numbers, answer = ask(question, variant)
        texts.add(question.text.format(**numbers))
        filled = question.explanation.format(**numbers, answer=round(answer, question.decimals))
        assert "{" not in filled
    assert len(texts) >= 100
