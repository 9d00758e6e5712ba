"""First weights by their statistics: what is right is never refused, what is 10 % off always is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograder.exercises.initialisation import EXERCISES, GLOROT_UNIFORM, KAIMING_UNIFORM
from course_lib import messages
from course_lib.cases import Case, call_case, run
from course_lib.numpy_kernels import glorot_uniform, kaiming_uniform
from course_lib.properties.initialisation import LEAST, glorot_statistics, kaiming_statistics
from course_lib.tree import Rng

SEEDS = 1000
EVEN = messages.DRAWS_EVENNESS["even"]

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


def kaiming_words(w, b, shape):
    """What is compared of one layer with biases."""
    case = call_case("layer", "kaiming_uniform", {"shape": shape})
    return kaiming_statistics({"result": (w, b)}, case, {})["result"]


def glorot_words(w):
    """What is compared of one layer without."""
    case = call_case("layer", "glorot_uniform", {"shape": w.shape})
    return glorot_statistics({"result": w}, case, {})["result"]


def kaiming_draw(rng, shape, stretch=1.0):
    """Weights and biases whose limits are wrong by a factor."""
    w, b = kaiming_uniform(shape, rng)
    return stretch * w, stretch * b


@pytest.mark.parametrize("shape", [(LEAST, 1), (LEAST, 2, 2, 1), (20, 50), (1100, 9)])
def test_kaiming_is_never_refused(shape):
    """Over 1,000 seeds every reference draw has the same words, also where there are only just enough numbers."""
    found = {
        tuple(kaiming_words(*kaiming_uniform(shape, np.random.default_rng(s)), shape).values()) for s in range(SEEDS)
    }
    assert len(found) == 1


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (10, 5, 5, 4), (40, 5, 6)])
def test_glorot_is_never_refused(shape):
    """Over 1,000 seeds every reference draw has the same words."""
    found = {tuple(glorot_words(glorot_uniform(shape, np.random.default_rng(s))).values()) for s in range(SEEDS)}
    assert len(found) == 1


@each_exercise
@pytest.mark.parametrize("public", [True, False])
def test_the_cases_are_never_refused(exercise, public):
    """Whatever the secret draws, all cases of the reference have the same words."""
    names = {"kaiming_uniform": kaiming_uniform, "glorot_uniform": glorot_uniform}
    found = set()
    for seed in range(SEEDS // 10):
        cases = exercise.cases(np.random.default_rng(seed), public)
        found.add(repr([dict(exercise.prepare(run(case, names), case, names)) for case in cases]))
    assert len(found) == 1


@pytest.mark.parametrize("stretch", [0.9, 1.1])
def test_limits_that_are_a_tenth_off_are_seen(stretch):
    """At every one of 1,000 seeds a limit 10 % too small or too large has other words, in weights and in biases."""
    shape = (LEAST, 2)
    for seed in range(SEEDS):
        right = kaiming_words(*kaiming_draw(np.random.default_rng(seed), shape), shape)
        wrong = kaiming_words(*kaiming_draw(np.random.default_rng(seed), shape, stretch), shape)
        differing = {label for label in right if right[label] != wrong[label]}
        assert differing == {messages.DRAWS_LABELS["reach"].format(name=name) for name in "wb"}, seed
        drawn = glorot_uniform((20, 50), np.random.default_rng(seed))
        assert glorot_words(drawn) != glorot_words(stretch * drawn), seed


@pytest.mark.parametrize("shift", [-0.2, 0.2])
def test_a_middle_that_is_off_is_seen(shift):
    """A mean that lies a fifth of the limit away from zero is named, and so is its side."""
    for seed in range(SEEDS):
        u = np.random.default_rng(seed).uniform(-1 + shift, 1 + shift, (LEAST, 2))
        words = glorot_words(u)
        assert words["mean of w"] == messages.DRAWS_MIDDLE[int(math.copysign(1, shift))], seed


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda rng, shape: rng.normal(0, 1, shape), messages.DRAWS_EVENNESS["middle"]),
        (lambda rng, shape: rng.triangular(-1, 0, 1, shape), messages.DRAWS_EVENNESS["middle"]),
        (lambda rng, shape: rng.uniform(-1, 1, shape) * rng.uniform(0, 1, shape), messages.DRAWS_EVENNESS["middle"]),
        (lambda rng, shape: np.sin(rng.uniform(-np.pi, np.pi, shape)), messages.DRAWS_EVENNESS["ends"]),
        (lambda rng, shape: rng.choice([-1.0, 1.0], shape), messages.DRAWS_EVENNESS["repeated"]),
        (lambda rng, shape: np.full(shape, rng.uniform(-1, 1)), messages.DRAWS_EVENNESS["repeated"]),
        (lambda rng, shape: np.zeros(shape), messages.DRAWS_EVENNESS["repeated"]),
        (lambda rng, shape: np.tile(rng.uniform(-1, 1, shape[1]), (shape[0], 1)), messages.DRAWS_EVENNESS["repeated"]),
        (lambda rng, shape: rng.random(shape, dtype="float32") * 2 - 1, EVEN),
    ],
    ids=["normal", "triangular", "product", "sine", "signs", "one number", "zeros", "one row", "float32"],
)
def test_how_the_numbers_lie(draw, words):
    """Crowded, repeated and even draws are told apart at every seed; chance repetitions of float32 do not count."""
    for seed in range(SEEDS // 4):
        found = glorot_words(draw(np.random.default_rng(seed), (40, 50)))
        assert found["how w lies between its limits"] == words, seed


def test_few_numbers_say_nothing():
    """Of a layer with too few numbers only shape and dtype are compared."""
    shape = (3, 2)
    w, b = kaiming_uniform(shape, np.random.default_rng(0))
    assert kaiming_words(9 * w, b, shape) == {
        "shape of w": "(3, 2)", "dtype of w": "float64", "shape of b": "(3,)", "dtype of b": "float64",
    }  # fmt: skip


def generator_words(draw):
    """What is compared of four draws: twice from one generator, again from its seed, and from another seed."""
    case = KAIMING_UNIFORM.cases(np.random.default_rng(0), True)[-1]
    seen = run(case, {"kaiming_uniform": draw})
    return {label: word for label, word in kaiming_statistics(seen, case, {})["result"].items() if " with " in label}


def test_only_the_generator_decides():
    """A fixed seed, a generator that nobody passed and constant biases each leave their mark."""
    right = generator_words(kaiming_uniform)
    assert [right[f"w with {which}"] for which in ("the next call", "the same seed", "another seed")] == [
        "other numbers", "the same numbers", "other numbers",
    ]  # fmt: skip
    fixed = generator_words(lambda shape, rng: kaiming_uniform(shape, np.random.default_rng(0)))
    own = generator_words(lambda shape, rng: kaiming_uniform(shape, np.random.default_rng()))
    zero = generator_words(lambda shape, rng: (kaiming_uniform(shape, rng)[0], np.zeros(shape[0])))
    assert fixed["w with another seed"] == "the same numbers"
    assert own["w with the same seed"] == "other numbers"
    assert (zero["w with another seed"], zero["b with another seed"]) == ("other numbers", "the same numbers")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (np.ones((3, 2)), messages.WEIGHTS_AND_BIASES),
        (None, messages.WEIGHTS_AND_BIASES),
        ((np.ones((3, 2)), None), messages.NO_REAL_ARRAY.format(name="b")),
        ((np.ones((3, 2)) * 1j, np.ones(3)), messages.NO_REAL_ARRAY.format(name="w")),
        ((np.full((3, 2), np.nan), np.ones(3)), messages.NOT_FINITE.format(name="w")),
        ((np.ones((3, 2)), np.array([1.0, np.inf, 0.0])), messages.NOT_FINITE.format(name="b")),
    ],
)
def test_what_cannot_be_judged_says_why(answer, sentence):
    """An answer that holds no weights and biases ends with a sentence for the learner."""
    case = Case("layer", {"shape": (3, 2)}, ())
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole sentence is compared below.
        kaiming_statistics({"result": answer}, case, {})
    assert str(caught.value) == sentence


@each_exercise
def test_mistakes_keep_their_words(exercise):
    """Another seed gives a mistake the same words: whoever makes it draws other numbers than the course did."""
    for mistake in exercise.mistakes:
        if mistake.id != "normal":
            found = set()
            for seed in range(50):
                rng = np.random.default_rng(seed)
                for public in (True, False):
                    cases = exercise.cases(rng, public)
                    names = {exercise.id: mistake.code}
                    found.add((public, repr([dict(exercise.prepare(run(case, names), case, {})) for case in cases])))
            assert len(found) == 2, mistake.id


def test_a_generator_is_an_input():
    """Every case of both exercises passes a generator."""
    for exercise in (KAIMING_UNIFORM, GLOROT_UNIFORM):
        for case in exercise.cases(np.random.default_rng(0), True):
            assert any(isinstance(value, Rng) for value in case.inputs.values()), case.id
