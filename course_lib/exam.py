"""The exam corner in the notebook: each learner's own numbers, and answers known only as salted hashes."""

from __future__ import annotations

import hashlib
import html
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from course_lib import messages
from course_lib.casefile import read_names, read_tree

VARIANTS = 256
SELF_STUDY = "self-study"
CASES = Path(__file__).parent / "cases"

# Slow enough that trying all whole numbers is more work than solving the question.
_ROUNDS = 200


def variant_of(lesson: str, learner: str) -> int:
    """Which of the 256 variants a learner has.

    Args:
        lesson: id of the lesson.
        learner: id of the learner, as the instructor knows it; capitals and outer blanks do not matter.

    >>> variant_of("01_xor_mlp", "Ada ") == variant_of("01_xor_mlp", "ada")
    True
    """
    return hashlib.sha256(f"{lesson}\0{str(learner).strip().casefold()}".encode()).digest()[0]


def answer_hash(lesson: str, question: str, variant: int, answer: float, decimals: int) -> str:
    """Salted hash of an answer, rounded as the question says."""
    # Adding 0.0 turns -0.0 into 0.0.
    text = f"{round(answer, decimals) + 0.0:.{decimals}f}"
    salt = f"{lesson}\0{question}\0{variant}".encode()
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt, _ROUNDS).hex()[:32]


@cache
def load_questions(lesson: str) -> dict[str, Any]:
    """The public sheet of a lesson; `FileNotFoundError` when there is no such lesson."""
    return read_tree(CASES / f"{lesson}.safetensors")["questions"]


def lesson_of(name: str) -> str | None:
    """The lesson that an exercise or question belongs to, or None."""
    return next((path.stem for path in sorted(CASES.glob("*.safetensors")) if name in read_names(path)), None)


def exam_numbers(question: str, *, learner: str = SELF_STUDY) -> dict[str, int | float]:
    """The numbers of one question for one learner.

    Args:
        question: id of the question, for example ``"exam_parameters"``.
        learner: id of the learner.

    Raises:
        KeyError: there is no such question.
    """
    lesson = lesson_of(question)
    if lesson is None:
        raise KeyError(question)
    sheet = load_questions(lesson)[question]
    row = sheet["numbers"][variant_of(lesson, learner)]
    typed = zip(sheet["names"], row, sheet["integers"], strict=True)
    return {name: int(value) if integer else float(value) for name, value, integer in typed}


@dataclass(frozen=True)
class ExamSheet:
    """The questions of one learner; shows itself in notebooks and terminals."""

    title: str
    questions: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"{name}: {text}" for name, text in self.questions)])

    def _repr_html_(self) -> str:
        items = "".join(
            f"<dt style='margin-top:.6em'><code>{html.escape(name)}</code></dt><dd>{html.escape(text)}</dd>"
            for name, text in self.questions
        )
        return f"<section><strong>{html.escape(self.title)}</strong><dl>{items}</dl></section>"


def exam_sheet(lesson: str, *, learner: str = SELF_STUDY) -> ExamSheet:
    """The questions of a lesson with the numbers of one learner.

    Args:
        lesson: id of the lesson.
        learner: id of the learner, as the instructor knows it.
    """
    texts = tuple((name, question_text(lesson, name, learner)) for name in load_questions(lesson))
    return ExamSheet(messages.SHEET_TITLE.format(learner=learner), texts)


def question_text(lesson: str, question: str, learner: str) -> str:
    """One question with its numbers filled in, and how to round."""
    sheet = load_questions(lesson)[question]
    decimals = sheet["decimals"]
    rounding = messages.ROUNDING_ONE if decimals == 1 else messages.ROUNDING.format(decimals=decimals)
    how = rounding if decimals else messages.WHOLE_NUMBER
    return sheet["text"].format(**exam_numbers(question, learner=learner)) + " " + how
