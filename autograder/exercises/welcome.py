"""The one exercise of the welcome notebook, before lesson 01."""

from __future__ import annotations

import numpy as np

from autograder.course import Exercise, Mistake, OtherWay
from autograder.exercises._draw import draw_number
from course_lib.cases import Case, call_case

# How far each pupil is from the line, before the bias moves it.
_GAPS = (-9.0, -6.0, -2.5, -1.5, 1.5, 2.5, 6.0, 9.0)
_NO_YES = "A score of exactly 0 is a no in this course: compare with > 0, not >= 0."


def _admit_cases(rng: np.random.Generator, public: bool) -> tuple[Case, ...]:
    both = {"w1": draw_number(rng, 1.2, 2.0), "w2": draw_number(rng, 0.3, 0.8)}
    maths, physics = _marks(rng, 8), _marks(rng, 8)
    scores = np.sort(both["w1"] * maths + both["w2"] * physics)
    # The line runs through the widest gap in the middle: rounding never decides.
    widest = 2 + int(np.diff(scores[2:6]).argmax())
    b = -round(float(scores[widest : widest + 2].mean()), 2)
    against, gaps = _marks(rng, 8), rng.permutation(_GAPS)
    tied = _marks(rng, 3)
    return (
        call_case("eight pupils", "admit", {"maths": maths, "physics": physics, **both, "b": b}),
        _one_line(rng, "physics counts against you", against, against - gaps, 4.0),
        _one_line(rng, "a stricter school", against, against - gaps, -4.0),
        call_case(
            "exactly on the line",
            "admit",
            {"maths": tied, "physics": 20 - tied, "w1": 1.0, "w2": 1.0, "b": -20.0},
            kind="convention",
            says=_NO_YES,
        ),
    )


def _marks(rng: np.random.Generator, count: int) -> np.ndarray:
    """Different marks out of 20."""
    return rng.permutation(np.arange(1.0, 20.0))[:count]


def _one_line(rng: np.random.Generator, name: str, maths: np.ndarray, physics: np.ndarray, b: float) -> Case:
    """Maths counts for you and physics against you, equally."""
    scale = float(rng.integers(1, 4))
    inputs = {"maths": maths, "physics": physics, "w1": scale, "w2": -scale, "b": scale * b}
    return call_case(name, "admit", inputs)


def _admit__no_bias(maths, physics, w1, w2, b):
    return w1 * maths + w2 * physics > 0


def _admit__minus_bias(maths, physics, w1, w2, b):
    return w1 * maths + w2 * physics - b > 0


def _admit__tie_is_yes(maths, physics, w1, w2, b):
    return w1 * maths + w2 * physics + b >= 0


def _admit__score(maths, physics, w1, w2, b):
    return w1 * maths + w2 * physics + b


def _admit__upside_down(maths, physics, w1, w2, b):
    return w1 * maths + w2 * physics + b < 0


def _admit__swapped(maths, physics, w1, w2, b):
    return w2 * maths + w1 * physics + b > 0


def _admit__one_answer(maths, physics, w1, w2, b):
    score = w1 * maths + w2 * physics + b
    if score > 0:  # noqa: SIM103 - what learners write
        return True
    return False


def _admit__pupil_by_pupil(maths, physics, w1, w2, b):
    return np.array([w1 * m + w2 * p > -b for m, p in zip(maths, physics, strict=True)])


def _admit__ones_and_zeros(maths, physics, w1, w2, b):
    return np.where(np.column_stack([maths, physics]) @ [w1, w2] + b > 0, 1, 0)


ADMIT = Exercise(
    id="admit",
    topic="neuron",
    points=1,
    cases=_admit_cases,
    mistakes=(
        Mistake("no_bias", "The bias b is missing. It is what moves the line: add it to the score.", _admit__no_bias),
        Mistake("minus_bias", "You take the bias away. Add it: w1 * maths + w2 * physics + b.", _admit__minus_bias),
        Mistake("tie_is_yes", _NO_YES, _admit__tie_is_yes),
        Mistake(
            "score",
            "That is the score itself, and a good one. One step is left, from a number to yes or no: return score > 0.",
            _admit__score,
        ),
        Mistake("upside_down", "Your yes and no are swapped. Yes means a score above 0.", _admit__upside_down),
        Mistake("swapped", "The weights are swapped. w1 belongs to maths, w2 to physics.", _admit__swapped),
        Mistake(
            "one_answer",
            "`if` wants one yes or no, but `score > 0` holds one per pupil. Return it as it is, without `if`: "
            "NumPy compares them all at once.",
            _admit__one_answer,
        ),
    ),
    other_ways=(
        OtherWay("pupil_by_pupil", _admit__pupil_by_pupil),
        OtherWay("ones_and_zeros", _admit__ones_and_zeros),
    ),
)

EXERCISES = (ADMIT,)
