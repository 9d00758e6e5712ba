"""Expected values: from a secret, the same every time, kept in private, and without Torch the second time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autograder import expected as expected_module
from autograder.catalogue import LESSONS, find_exercise
from autograder.course import Exercise, Lesson, Mistake
from autograder.expected import (
    cases_for,
    expect,
    fingerprint,
    load_expectations,
    numpy_namespace,
    plain_tree,
    play,
    public_cases,
    seed_for,
    torch_inputs,
    torch_namespace,
    write_public_cases,
)
from course_lib.casefile import read_names, read_tree
from course_lib.cases import Case, call_case, case_to_tree
from course_lib.compare import Tolerance, compare
from course_lib.diagnose import expectation_to_tree
from course_lib.exam import CASES
from course_lib.tree import Opaque, Probe, pack

ROOT = Path(__file__).parent.parent
LESSON = LESSONS[0]
SECRET, OTHER = b"a" * 32, b"b" * 32
SMALL = Lesson("01_small", "Small", LESSON.exercises[:2], LESSON.questions[:1])


def flat(cases: tuple[Case, ...]) -> list[Any]:
    """Everything of some cases, comparable."""
    skeleton, arrays = pack([case_to_tree(case) for case in cases], 1_000_000)
    return [str(skeleton), *(array.tobytes() for array in arrays)]


def made_up(
    code: Callable[..., Any], *mistakes: Mistake, inputs: dict[str, Any] | None = None
) -> tuple[Exercise, dict]:
    """An exercise on some code, and names to play it with."""
    values = inputs or {"x": np.array([1.0, 2.0])}
    return Exercise("code", "topic", 1, lambda rng, public: (call_case("only", "code", values),), mistakes), {
        "code": code
    }


def expectation_of(
    monkeypatch: pytest.MonkeyPatch,
    numpy: Callable[..., Any],
    other: Callable[..., Any],
    *mistakes: Mistake,
    **inputs: Any,
) -> Any:
    """What is expected of a made-up exercise with two references of ours."""
    exercise, _ = made_up(numpy, *mistakes, inputs=inputs)
    monkeypatch.setattr(expected_module, "numpy_namespace", lambda lesson: {"code": numpy})
    monkeypatch.setattr(expected_module, "torch_namespace", lambda lesson: {"code": other})
    return expect(exercise, Lesson("x", "X", (exercise,)), None)


def test_seeds_depend_on_everything() -> None:
    """Another secret, exercise or version gives another seed; the same gives the same; parts do not run together."""
    seeds = [seed_for(SECRET, "a", 1), seed_for(OTHER, "a", 1), seed_for(SECRET, "b", 1), seed_for(SECRET, "a", 2)]
    seeds += [seed_for(SECRET, "a1"), seed_for(SECRET, "a", "1", "")]
    assert len(set(seeds)) == 6
    assert seed_for(SECRET, "a", 1) == seeds[0]


@pytest.mark.parametrize("name", [exercise.id for exercise in LESSON.exercises])
def test_secret_cases_follow_the_public_ones(name: str) -> None:
    """Public cases are the same for everybody and come first; the others follow from the secret and the version."""
    _, exercise = find_exercise(name)
    public, mine, again, other = (cases_for(exercise, secret) for secret in (None, SECRET, SECRET, OTHER))
    assert flat(mine[: len(public)]) == flat(public)
    assert flat(mine) == flat(again)
    hidden, foreign, changed = (
        flat(cases[len(public) :]) for cases in (mine, other, cases_for(replace(exercise, version=99), SECRET))
    )
    assert hidden
    # xor_weights takes nothing in, so its cases hold nothing to draw.
    has_inputs = any(case.inputs for case in mine)
    assert (hidden != foreign) == (hidden != changed) == has_inputs


def test_references_of_a_lesson_have_the_same_names() -> None:
    """Both namespaces hold one function per exercise."""
    assert (
        set(numpy_namespace(LESSON)) == set(torch_namespace(LESSON)) == {exercise.id for exercise in LESSON.exercises}
    )


def test_plain_tree_turns_tensors_into_arrays() -> None:
    """Tensors anywhere become arrays, also those with a gradient; what is no data becomes opaque."""
    tensor = torch.ones(2, dtype=torch.float64, requires_grad=True)
    tree = plain_tree((tensor * 2, {"a": [tensor]}, torch.nn.ReLU()))
    assert [type(tree[0]), type(tree[1]["a"][0])] == [np.ndarray, np.ndarray]
    assert tree[2] == Opaque("ReLU")


def test_torch_takes_float64() -> None:
    """float32 inputs are widened for the references, integers stay, what is no array stays."""
    assert torch_inputs(np.ones(2, "float32")).dtype == torch.float64
    assert torch_inputs(np.arange(2)).dtype == torch.int64
    assert torch_inputs(3) == 3
    one, other = (torch_inputs(np.random.default_rng(seed)) for seed in (3, 4))
    assert isinstance(one, torch.Generator)
    assert one.initial_seed() != other.initial_seed()


def test_play_prepares_what_was_seen() -> None:
    """Exercises judged by behaviour are prepared with the kernels of the reference."""
    exercise, names = made_up(lambda x: x * 2)
    prepared = replace(exercise, prepare=lambda seen, case, kernels: {"n": len(seen), "k": kernels})
    assert play(prepared, cases_for(exercise, None)[0], names, {"kernel": 1}) == {"n": 2, "k": {"kernel": 1}}
    assert set(play(exercise, cases_for(exercise, None)[0], names, names)) == {"result", "x afterwards"}


def test_expected_values_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values come from float64 even where inputs are float32; the kept dtype and the tolerance come from the inputs."""
    x = np.array([0.1, 0.2], "float32")
    found = expectation_of(monkeypatch, lambda x: x / 3, lambda x: x / 3, x=x)
    read, untouched = found.cases[0].reads
    assert read.numpy.dtype == "float64"
    np.testing.assert_array_equal(read.numpy, x.astype("float64") / 3)
    assert (read.dtype, read.kind, untouched.kind) == ("float32", "core", "convention")
    assert found.cases[0].tolerance == Tolerance.for_dtype("float32")
    wide = expectation_of(monkeypatch, lambda x: x / 3, lambda x: x / 3, x=x.astype("float64"))
    assert (wide.cases[0].reads[0].dtype, wide.cases[0].tolerance) == ("", Tolerance.for_dtype("float64"))
    promoted = expectation_of(monkeypatch, lambda x: x.astype("float64"), lambda x: x, x=x)
    assert promoted.cases[0].reads[0].dtype == ""


def test_disagreeing_references_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the references disagree anywhere the exercise is disputed; otherwise not."""
    x = np.array([1.0, 2.0])
    assert expectation_of(monkeypatch, lambda x: x * 2, lambda x: x * 2 + 1e-3, x=x).disputed
    assert not expectation_of(monkeypatch, lambda x: x * 2, lambda x: x + x, x=x).disputed


def test_mistakes_call_the_lessons_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake that calls another function by name gets the lesson's; one that raises leaves its error."""

    def calls(x: np.ndarray, *, scale: float = 2.0) -> np.ndarray:
        return helper(x) * scale  # noqa: F821 - bound where it is played

    def fails(x: np.ndarray) -> np.ndarray:
        raise TypeError("x" * 1000)

    mistakes = (Mistake("calls", "You call.", calls), Mistake("fails", "You fail.", fails))
    exercise, _ = made_up(lambda x: x, *mistakes)
    names = {"code": lambda x: x, "helper": lambda x: x + 1}
    monkeypatch.setattr(expected_module, "numpy_namespace", lambda lesson: names)
    monkeypatch.setattr(expected_module, "torch_namespace", lambda lesson: {"code": lambda x: x})
    made = expect(exercise, Lesson("x", "X", (exercise,)), None).fingerprints
    np.testing.assert_array_equal(made[0].attempts[0].seen["result"], [4.0, 6.0])
    assert (made[1].attempts[0].error, made[1].attempts[0].detail) == ("TypeError", "x" * 200)


def test_nothing_is_disputed() -> None:
    """On the secret cases of a secret the references of the course agree."""
    for exercise in LESSON.exercises:
        assert exercise.training or not expect(exercise, LESSON, SECRET).disputed, exercise.id


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the expectations of a small lesson."""
    folder = tmp_path_factory.mktemp("run") / "expected"
    load_expectations(SMALL, SECRET, folder)
    return folder


def test_expectations_are_private(kept: Path) -> None:
    """Folder and file of the secret cases are for their owner alone."""
    (file,) = kept.iterdir()
    assert (kept.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_second_load_computes_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is read, gives the same, and is not computed again."""
    monkeypatch.setattr(expected_module, "expect", lambda *args: pytest.fail("computed again"))
    expectations, questions = load_expectations(SMALL, SECRET, kept)
    assert list(expectations) == [exercise.id for exercise in SMALL.exercises]
    assert list(questions.answers) == [question.id for question in SMALL.questions]
    monkeypatch.undo()
    for exercise in SMALL.exercises:
        fresh = replace(expect(exercise, SMALL, SECRET), seconds=expectations[exercise.id].seconds)
        assert str(expectation_to_tree(fresh)) == str(expectation_to_tree(expectations[exercise.id]))


def test_second_load_imports_no_torch(kept: Path) -> None:
    """A process that finds the expectations kept starts without Torch."""
    code = f"""
import sys
from dataclasses import replace
from pathlib import Path
from autograder.catalogue import LESSONS
from autograder.course import Lesson
from autograder.expected import load_expectations
first = LESSONS[0]
small = Lesson({SMALL.id!r}, "Small", first.exercises[:2], first.questions[:1])
expectations, questions = load_expectations(small, {SECRET!r}, Path({str(kept)!r}))
questions.expectation({SMALL.questions[0].id!r}, "ada")
print(len(expectations), "torch" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("2 False\n", "")


def test_fingerprint_changes_with_what_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another secret, lesson or format has another fingerprint; the same has the same, and the secret is not in it."""
    base = fingerprint(SMALL, SECRET)
    assert base == fingerprint(SMALL, SECRET)
    others = {fingerprint(SMALL, OTHER), fingerprint(replace(SMALL, id="02_x"), SECRET)}
    monkeypatch.setattr(expected_module, "FORMAT", -1)
    assert len({base, *others, fingerprint(SMALL, SECRET)}) == 4
    assert SECRET.hex() not in base


@pytest.mark.parametrize(
    "file",
    ["course_lib/numpy_kernels/linear.py", "course_lib/torch_kernels/linear.py", "course_lib/compare.py",
     "course_lib/tree.py", "course_lib/casefile.py", "course_lib/properties/xor.py", "autograder/exercises/linear.py",
     "autograder/exam.py"],
)  # fmt: skip
def test_fingerprint_changes_with_the_sources(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change to any source that decides what is expected makes old values unused."""
    before, read = fingerprint(SMALL, SECRET), Path.read_bytes
    changed = lambda path: read(path) + b"#" * (path == ROOT / file)  # noqa: E731
    monkeypatch.setattr(Path, "read_bytes", changed)
    assert fingerprint(SMALL, SECRET) != before


def test_public_file_is_the_same_every_time(tmp_path: Path) -> None:
    """Writing the public cases twice gives the same bytes, readable by all, with the names inside."""
    files = [write_public_cases(SMALL, tmp_path / name) for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_mode & 0o777 == 0o644
    assert read_names(files[0]) == sorted(item.id for item in (*SMALL.exercises, *SMALL.questions))


def same(stored: Any, made: Any, path: str = "") -> list[str]:
    """Where two trees differ by more than rounding."""
    if isinstance(made, dict):
        return (
            sum((same(stored[key], made[key], f"{path}/{key}") for key in made), [])
            if set(stored) == set(made)
            else [path]
        )
    if isinstance(made, (list, tuple)):
        pairs = enumerate(zip(stored, made, strict=False))
        return sum((same(a, b, f"{path}/{i}") for i, (a, b) in pairs), [path] if len(stored) != len(made) else [])
    if isinstance(made, Probe):
        return same([*stored.coefficients, stored.name], [*made.coefficients, made.name], path)
    if isinstance(made, (np.ndarray, float)):
        return [path] if compare(stored, made, Tolerance.for_dtype("float64")) else []
    return [] if stored == made else [path]


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
def test_committed_cases_are_up_to_date(lesson: Lesson) -> None:
    """The public case file in the repository is what would be written now, up to rounding."""
    stored, made = read_tree(CASES / f"{lesson.id}.safetensors"), public_cases(lesson)
    assert same(stored, made) == []


def test_comparison_of_trees_can_fail() -> None:
    """The helper of the test above finds other values, keys, lengths and types."""
    pairs = [({"a": 1}, {"b": 1}), ([1], [1, 2]), ([1.0], [1.1]), (np.ones(2), np.zeros(2)), ("a", "b"), ([1, 2], [1])]
    assert all(same(a, b) for a, b in pairs)
