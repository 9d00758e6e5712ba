"""The exam corner: numbers of one's own, answers that stay hidden, and one idea of what is right."""

from __future__ import annotations

import contextlib
import io
import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.catalogue import LESSONS
from autograder.course import Lesson, Question
from autograder.exam import QuestionSheet, numbers_of, public_sheet, solve
from course_lib import CheckFailed, check, exam_numbers, exam_sheet
from course_lib.diagnose import Attempt, Outcome, diagnose
from course_lib.exam import SELF_STUDY, VARIANTS, answer_hash, lesson_of, load_questions, question_text, variant_of
from course_lib.report import CheckReport
from course_lib.tree import pack

QUESTIONS = [(lesson, question) for lesson in LESSONS for question in lesson.questions]
LESSON = LESSONS[0]

each_question = pytest.mark.parametrize(("lesson", "question"), QUESTIONS, ids=[q.id for _, q in QUESTIONS])


@pytest.fixture(scope="module")
def solved() -> QuestionSheet:
    """All answers of the first lesson, as the judge has them."""
    return QuestionSheet(LESSON.id, solve(LESSON))


def test_variant_is_stable() -> None:
    """A learner's variant never changes: not with the run, the machine, capitals or blanks."""
    assert [variant_of("01_xor_mlp", name) for name in ("ada", "bob", SELF_STUDY, "4711")] == [29, 211, 199, 22]
    assert variant_of("01_xor_mlp", " ADA\n") == variant_of("01_xor_mlp", "ada")
    assert variant_of("01_xor_mlp", 4711) == variant_of("01_xor_mlp", "4711")


@given(st.text())
def test_variant_is_in_range(learner: str) -> None:
    """Every name has one of 256 variants."""
    assert 0 <= variant_of("x", learner) < VARIANTS


def test_variants_are_spread() -> None:
    """A class of 1,000 uses nearly all variants, and lessons are independent of each other."""
    names = [f"learner{i}" for i in range(1000)]
    one, other = ([variant_of(lesson, name) for name in names] for lesson in ("01_a", "02_b"))
    assert len(set(one)) > 240
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 20


def test_hash_depends_on_everything() -> None:
    """Another lesson, question, variant, answer or rounding gives another hash; the same gives the same."""
    base = ("lesson", "question", 3, 0.5, 2)
    others = [
        ("l", *base[1:]),
        ("lesson", "q", *base[2:]),
        (*base[:2], 4, 0.5, 2),
        (*base[:3], 0.51, 2),
        (*base[:4], 3),
    ]
    hashes = [answer_hash(*facts) for facts in (base, *others)]
    assert len(set(hashes)) == 6
    assert hashes[0] == answer_hash(*base)


def test_hash_rounds_first() -> None:
    """Answers that round to the same number have the same hash; zero has no sign."""
    assert answer_hash("l", "q", 0, 0.1234, 2) == answer_hash("l", "q", 0, 0.12, 2)
    assert answer_hash("l", "q", 0, -0.001, 2) == answer_hash("l", "q", 0, 0.001, 2)
    assert answer_hash("l", "q", 0, 0.126, 2) != answer_hash("l", "q", 0, 0.12, 2)


@each_question
def test_numbers_fill_the_text(lesson: Lesson, question: Question) -> None:
    """Every gap of the text has a number, and every number is a plain one that JSON keeps."""
    gaps = {name for _, name, _, _ in string.Formatter().parse(question.text) if name}
    numbers = numbers_of(question, 0)
    assert gaps == set(numbers)
    assert {type(value) for value in numbers.values()} <= {int, float}
    assert json.loads(json.dumps(numbers)) == numbers


@each_question
def test_variants_differ_but_never_change(lesson: Lesson, question: Question) -> None:
    """Numbers are the same at every draw, and enough variants have answers of their own."""
    drawn = [numbers_of(question, variant) for variant in range(VARIANTS)]
    assert drawn == [numbers_of(question, variant) for variant in range(VARIANTS)]
    assert len({round(question.answer(**numbers), question.decimals) for numbers in drawn}) >= 16


@each_question
def test_no_answer_lies_on_a_tie(lesson: Lesson, question: Question) -> None:
    """Rounding is never a matter of taste: no answer lies near half a unit of its last decimal."""
    answers = np.array([question.answer(**numbers_of(question, variant)) for variant in range(VARIANTS)])
    fraction = np.abs(answers * 10.0**question.decimals % 1 - 0.5)
    assert fraction.min() > 1e-3


def test_notebook_and_judge_draw_the_same() -> None:
    """The numbers in a learner's notebook are those that the judge computes with, types included."""
    for question in LESSON.questions:
        for learner in ("ada", "bob", SELF_STUDY):
            mine, theirs = (
                exam_numbers(question.id, learner=learner),
                numbers_of(question, variant_of(LESSON.id, learner)),
            )
            assert mine == theirs
            assert [type(value) for value in mine.values()] == [type(value) for value in theirs.values()]


def test_public_sheet_holds_no_answers() -> None:
    """No number of the public sheet is an answer: answers are hashes only."""
    for sheet in public_sheet(LESSON).values():
        _, arrays = pack(sheet)
        assert [array.shape for array in arrays] == [(VARIANTS, len(sheet["names"]))]
        assert set(sheet) == {
            "points",
            "text",
            "explanation",
            "decimals",
            "names",
            "integers",
            "numbers",
            "hashes",
            "mistakes",
        }
        assert all(len(text) == 32 and set(text) <= set(string.hexdigits) for text in sheet["hashes"])


def test_case_file_is_the_public_sheet() -> None:
    """The file that notebooks read holds the questions as they are now."""
    stored, made = load_questions(LESSON.id), public_sheet(LESSON)
    assert list(stored) == list(made)
    for name, sheet in made.items():
        np.testing.assert_array_equal(stored[name]["numbers"], sheet["numbers"])
        plain = [key for key in sheet if key not in ("numbers", "mistakes")]
        assert {key: stored[name][key] for key in plain} == {key: sheet[key] for key in plain}


def test_names_find_their_lesson() -> None:
    """Exercises and questions know their lesson; other names have none."""
    assert {lesson_of(question.id) for question in LESSON.questions} == {LESSON.id}
    assert lesson_of("nothing") is None
    with pytest.raises(KeyError):
        exam_numbers("nothing")


def test_sheet_shows_every_question() -> None:
    """The sheet names the learner and asks every question with numbers and rounding."""
    sheet = exam_sheet(LESSON.id, learner="<ada>")
    lines = repr(sheet).split("\n")
    assert lines[0] == "Exam corner, numbers of <ada>"
    assert [line.partition(":")[0] for line in lines[1:]] == [question.id for question in LESSON.questions]
    assert all(line.endswith(("decimals.", "A whole number.")) for line in lines[1:])
    assert "{" not in repr(sheet)
    assert "&lt;ada&gt;" in sheet._repr_html_()
    assert "<ada>" not in sheet._repr_html_()


def failed(name: Any, answer: Any, **more: Any) -> CheckReport:
    """The report of a check that must fail."""
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(CheckFailed) as caught:
        check(name, answer, **more)
    return caught.value.report


def passes(name: str, answer: Any, **more: Any) -> str:
    """What a check prints that must pass."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert check(name, answer, **more) is None
    return out.getvalue()


def question_and_answer(learner: str, mistake: bool = False) -> Iterator[tuple[Question, Any]]:
    """Each question with a learner's right answer, or with that of its first named mistake."""
    for question in LESSON.questions:
        numbers = numbers_of(question, variant_of(LESSON.id, learner))
        formula = next(iter(question.mistakes.values()))[1] if mistake else question.answer
        yield question, round(formula(**numbers), question.decimals)


@pytest.mark.parametrize("learner", ["self-study", "ada", "4711", 4711])
def test_right_answers_to_questions(learner: Any) -> None:
    """Each learner's right numbers pass, as numbers of any kind, and are explained."""
    for question, answer in question_and_answer(learner):
        for value in (answer, np.float64(answer), np.array(answer), np.array([answer])):
            assert passes(question.id, value, learner=learner).startswith(f"✓ {question.id}: Right. ")


def test_wrong_answers_to_questions() -> None:
    """A wrong number is told to read the question again, with the learner's own numbers in it."""
    for question, answer in question_and_answer("ada"):
        report = failed(question.id, answer + 1000, learner="ada")
        assert report.headline.startswith(f"{answer + 1000} is not it. Read the question again with your numbers: ")
        numbers = numbers_of(question, variant_of(LESSON.id, "ada"))
        assert all(str(value) in report.headline for value in numbers.values())


def test_familiar_wrong_answers() -> None:
    """The number that a known mistake gives is answered with the sentence of that mistake."""
    for question, answer in question_and_answer("ada", mistake=True):
        says = next(iter(question.mistakes.values()))[0]
        assert failed(question.id, answer, learner="ada").headline == f"{answer} is not it. {says}"


def test_numbers_are_the_learners_own() -> None:
    """Another learner's right answers are wrong, at least one of them."""
    others = list(question_and_answer("bob"))
    reports = []
    for question, answer in others:
        with contextlib.suppress(CheckFailed), contextlib.redirect_stdout(io.StringIO()):
            check(question.id, answer, learner="ada")
            reports.append(question.id)
    assert len(reports) < len(others)


@pytest.mark.parametrize("empty", [None, ...])
def test_empty_question(empty: Any) -> None:
    """A question that was not touched says how to fill it in."""
    name = LESSON.questions[0].id
    expected = f"`{name}` is still empty. Set it to your number, without quotes, and run this cell again."
    assert failed(name, empty).headline == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [("42", "str"), ([42], "list"), (True, "bool"), (np.True_, "bool"), (float("nan"), "float"),
     (float("inf"), "float"), (1j, "complex"), (np.complex128(1), "complex128"), (10**400, "int"),
     (np.ones(2), "ndarray"), (len, "builtin_function_or_method")],
)  # fmt: skip
def test_not_a_number(value: Any, kind: str) -> None:
    """Anything but one finite number is refused by its kind."""
    name = LESSON.questions[0].id
    assert failed(name, value).headline == f"`{name}` must be one number, for example {name} = 42. It is {kind} now."


def judged(sheet: QuestionSheet, name: str, learner: str, value: Any) -> bool:
    """Does the judge call an answer right?"""
    return diagnose(sheet.expectation(name, learner), [Attempt("your number", {"result": value})]).passed


def checked(name: str, learner: str, value: Any) -> bool:
    """Does the notebook call an answer right?"""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            check(name, value, learner=learner)
    except CheckFailed:
        return False
    return True


def test_notebook_and_judge_agree(solved: QuestionSheet) -> None:
    """Exact, rounded, coarser and finer answers are called the same by both."""
    verdicts = set()
    for question in LESSON.questions:
        unit = 10.0**-question.decimals
        for learner in ("ada", "bob", "carol"):
            exact = question.answer(**numbers_of(question, variant_of(LESSON.id, learner)))
            rounded = round(exact, question.decimals)
            for value in (exact, rounded, *(rounded + f * unit for f in (-1, -0.6, -0.4, 0.4, 0.49, 0.6, 1)), -exact):
                verdict = checked(question.id, learner, value)
                assert judged(solved, question.id, learner, value) == verdict, (question.id, learner, value)
                verdicts.add(verdict)
    assert verdicts == {True, False}


def test_judge_names_mistakes(solved: QuestionSheet) -> None:
    """The answer that a known wrong formula gives is recognised, rounded as a learner would."""
    for question in LESSON.questions:
        for key, (says, formula) in question.mistakes.items():
            wrong = round(formula(**numbers_of(question, variant_of(LESSON.id, "ada"))), question.decimals)
            found = diagnose(solved.expectation(question.id, "ada"), [Attempt("your number", {"result": wrong})])
            assert (found.mistake, found.message, found.passed) == (key, says, False)


def test_judge_takes_numbers_of_any_kind(solved: QuestionSheet) -> None:
    """NumPy scalars and arrays without axes are numbers; text, None and lists are wrong types."""
    question = LESSON.questions[0]
    right = question.answer(**numbers_of(question, variant_of(LESSON.id, "ada")))
    assert all(judged(solved, question.id, "ada", kind(right)) for kind in (int, float, np.array, np.float64))
    for value in ("42", None, [right], float("nan"), np.array([right, right])):
        assert not judged(solved, question.id, "ada", value)
    outcome = diagnose(solved.expectation(question.id, "ada"), [Attempt("your number", {"result": None})]).outcome
    assert outcome is Outcome.WRONG_TYPE


def test_both_ways_agree(solved: QuestionSheet) -> None:
    """The formula and the other way with Torch give the same answers for every variant."""
    for question in LESSON.questions:
        sheet = solved.answers[question.id]
        np.testing.assert_allclose(sheet["numpy"], sheet["torch"], rtol=1e-9, atol=1e-9)


def test_sheet_survives_a_file(solved: QuestionSheet, tmp_path: Path) -> None:
    """The answers come back from a case file as they were."""
    from course_lib.casefile import read_tree, write_tree

    write_tree(solved.answers, tmp_path / "x")
    again = QuestionSheet(LESSON.id, read_tree(tmp_path / "x"))
    question = LESSON.questions[0]
    assert again.expectation(question.id, "ada") == solved.expectation(question.id, "ada")


def test_question_text_has_the_learners_numbers() -> None:
    """The text of one learner is not that of another."""
    texts = {question_text(LESSON.id, LESSON.questions[0].id, name) for name in ("ada", "bob", "carol", "dan")}
    assert len(texts) > 1
