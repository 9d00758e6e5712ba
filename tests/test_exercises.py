"""Promises that every exercise of every lesson keeps, checked in this process."""

from __future__ import annotations

import ast
import inspect
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autograder.catalogue import LESSONS, find_exercise, find_lesson
from autograder.course import Exercise, Lesson
from course_lib import numpy_kernels, torch_kernels
from course_lib.cases import Case, StepError, case_to_tree, run
from course_lib.compare import Tolerance, compare
from course_lib.torch_kernels._arrays import on_arrays, to_arrays, to_tensors
from course_lib.tree import pack

ALL = [exercise for lesson in LESSONS for exercise in lesson.exercises]
SEEDS = (1, 2, 3, 5, 8, 13)
SOLUTIONS = Path(__file__).parents[1] / "solutions"
NUMPY = {name: getattr(numpy_kernels, name) for name in numpy_kernels.__all__}
TORCH = {name: getattr(torch_kernels, name) for name in torch_kernels.__all__}
TORCH_ON_ARRAYS = {name: on_arrays(kernel) for name, kernel in TORCH.items()}

each_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def seeds(exercise: Exercise) -> tuple[int, ...]:
    """Fewer seeds where every one costs a training."""
    return SEEDS[:2] if exercise.training else SEEDS


@cache
def cases(exercise: Exercise, public: bool, seed: int) -> tuple[Case, ...]:
    """The cases of one draw."""
    return exercise.cases(np.random.default_rng(seed), public)


def precision(case: Case) -> str:
    """The least precise floating dtype among the inputs."""
    _, arrays = pack(dict(case.inputs))
    return "float32" if any(array.dtype == np.float32 for array in arrays) else "float64"


def tolerance(case: Case, share: float = 1.0) -> Tolerance:
    """The judge's tolerance, or a share of it."""
    whole = Tolerance.for_dtype(precision(case))
    return Tolerance(whole.rtol * share, whole.atol * share)


def wide(value: Any) -> Any:
    """float32 arrays as float64; everything else as it is."""
    narrow = isinstance(value, np.ndarray) and value.dtype == np.float32
    return value.astype(np.float64) if narrow else value


def same(value: Any) -> Any:
    """Inputs as they are."""
    return value


def play(
    exercise: Exercise,
    case: Case,
    namespace: Mapping[str, Any],
    convert: Callable[[Any], Any] = same,
    kernels: Mapping[str, Any] = NUMPY,
) -> Any:
    """What a case shows after preparation, or the name of the error it ends with."""
    try:
        seen = to_arrays(run(case, namespace, convert))
        return exercise.prepare(seen, case, kernels) if exercise.prepare else seen
    except StepError as error:
        return type(error.__cause__).__name__
    except ValueError as error:
        return str(error)


def expected(exercise: Exercise, case_list: tuple[Case, ...]) -> tuple[Any, ...]:
    """What the NumPy reference shows on each case, in float64."""
    return tuple(play(exercise, case, NUMPY, wide) for case in case_list)


def shown(exercise: Exercise, code: Callable[..., Any], case_list: tuple[Case, ...]) -> tuple[Any, ...]:
    """What another implementation shows on each case."""
    return tuple(play(exercise, case, {**NUMPY, exercise.id: code}) for case in case_list)


def agree(one: tuple[Any, ...], other: tuple[Any, ...], case_list: tuple[Case, ...], share: float = 1.0) -> bool:
    """Do two implementations show the same on every case?"""
    triples = zip(one, other, case_list, strict=True)
    return all(compare(a, b, tolerance(case, share)) is None for a, b, case in triples)


@each_exercise
def test_references_agree_in_float64(exercise):
    """The NumPy reference and its Torch counterpart show the same on every case, public and secret."""
    for seed in seeds(exercise):
        for case in cases(exercise, False, seed) + cases(exercise, True, seed):
            ours = play(exercise, case, NUMPY, wide)
            theirs = play(exercise, case, TORCH, lambda value: to_tensors(wide(value)), TORCH_ON_ARRAYS)
            assert not isinstance(ours, str), f"{case.id}: the reference ends with {ours}"
            assert compare(theirs, ours, Tolerance.for_dtype("float64")) is None, (seed, case.id)


@each_exercise
def test_reference_keeps_the_dtype(exercise):
    """Given float32 the reference and its counterpart return float32, given float64 they return float64."""
    for case in cases(exercise, False, SEEDS[0]):
        for namespace, convert in ((NUMPY, same), (TORCH, to_tensors)):
            _, arrays = pack(to_arrays(run(case, namespace, convert)))
            found = {array.dtype.name for array in arrays if array.dtype.kind == "f"}
            assert found <= {precision(case)}, case.id


@each_exercise
def test_references_leave_inputs_alone(exercise):
    """Neither reference changes what it is given."""
    for case in cases(exercise, False, SEEDS[0]):
        for namespace, convert in ((NUMPY, same), (TORCH, to_tensors)):
            seen = to_arrays(run(case, namespace, convert))
            kept = [name for name in seen if name.endswith(" afterwards")]
            assert set(kept) >= {f"{name} afterwards" for name in changeable(case)}, case.id
            for name in kept:
                given = case.inputs[name.removesuffix(" afterwards")]
                assert compare(seen[name], given, Tolerance(0.0, 0.0)) is None, (case.id, name)


def changeable(case: Case) -> list[str]:
    """The inputs that a learner's function could change."""
    return [name for name, value in case.inputs.items() if isinstance(value, (np.ndarray, list, dict))]


@each_exercise
def test_every_mistake_is_caught_and_told_apart(exercise):
    """At any seed each mistake differs from the reference in some secret case, and no two are alike."""
    for seed in seeds(exercise):
        secret = cases(exercise, False, seed)
        prints = {mistake.id: shown(exercise, mistake.code, secret) for mistake in exercise.mistakes}
        prints["the reference"] = expected(exercise, secret)
        names = list(prints)
        alike = [(a, b) for i, a in enumerate(names) for b in names[:i] if agree(prints[a], prints[b], secret)]
        assert not alike, f"seed {seed}"


@each_exercise
def test_every_mistake_shows_in_public_cases(exercise):
    """The notebook's own check already sees every mistake."""
    public = cases(exercise, True, 0)
    for mistake in exercise.mistakes:
        assert not agree(shown(exercise, mistake.code, public), expected(exercise, public), public), mistake.id


def crashes(shown_here: Any) -> bool:
    """Did a case end with an error instead of values?"""
    return isinstance(shown_here, str)


# No sizes let this one run to its end: a tuple of arrays is never an array.
ALWAYS_CRASHES = {("mlp_forward", "not_unpacked"), ("xor_weights", "turned_output")}


@each_exercise
def test_every_mistake_shows_in_values_somewhere(exercise):
    """A crash is recognised by its words, which depend on how it was written; values are recognised always."""
    public = cases(exercise, True, 0)
    for mistake in exercise.mistakes:
        if (exercise.id, mistake.id) not in ALWAYS_CRASHES:
            found, wanted = shown(exercise, mistake.code, public), expected(exercise, public)
            alone = [(a, b, case) for a, b, case in zip(found, wanted, public, strict=True) if not crashes(a)]
            assert any(compare(a, b, tolerance(case)) for a, b, case in alone), mistake.id


@each_exercise
def test_every_other_way_agrees_closely(exercise):
    """Other correct ways stay within a tenth of the tolerance, and keep the dtype."""
    for seed in seeds(exercise):
        for case_list in (cases(exercise, False, seed), cases(exercise, True, seed)):
            for way in exercise.other_ways:
                found = shown(exercise, way.code, case_list)
                for case, one, other in zip(case_list, found, expected(exercise, case_list), strict=True):
                    assert compare(one, other, tolerance(case, 0.1)) is None, (way.id, seed, case.id)
                    assert precisions(one) <= {precision(case)}, (way.id, case.id)


def precisions(seen: Any) -> set[str]:
    """The floating dtypes of the arrays in what was shown."""
    return {array.dtype.name for array in pack(seen)[1] if array.dtype.kind == "f"}


@each_exercise
def test_enough_mistakes_and_other_ways(exercise):
    """Four mistakes and two other ways at least, each with a name of its own and a sentence."""
    assert len({mistake.id for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 4
    assert len({way.id for way in exercise.other_ways}) == len(exercise.other_ways) >= 2
    assert all(mistake.says.endswith(".") and len(mistake.says) > 30 for mistake in exercise.mistakes)


@each_exercise
def test_code_stands_alone(exercise):
    """Each mistake and other way runs from its source, renamed, with only NumPy and the lesson's names."""
    secret = cases(exercise, False, SEEDS[0])
    for item in (*exercise.mistakes, *exercise.other_ways):
        source = inspect.getsource(item.code)
        assert source.startswith((f"def {item.code.__name__}(", f"class {item.code.__name__}"))
        namespace: dict[str, Any] = {"np": np, **NUMPY}
        exec(source.replace(item.code.__name__, exercise.id), namespace)
        assert agree(shown(exercise, namespace[exercise.id], secret), shown(exercise, item.code, secret), secret)


@each_exercise
def test_signatures_match_the_reference(exercise):
    """Solution, mistakes and other ways take the first arguments of the reference, with its defaults or without."""
    reference = parameters(NUMPY[exercise.id])
    wanted = solution_parameters(exercise)
    assert [name for name, _ in wanted] == [name for name, _ in reference[: len(wanted)]]
    pairs = zip(wanted, reference, strict=False)
    assert all(mine in (default, inspect.Parameter.empty) for (_, mine), (_, default) in pairs)
    for item in (*exercise.mistakes, *exercise.other_ways):
        assert parameters(item.code) == wanted, item.id


def parameters(code: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Names and defaults, in order."""
    return [(found.name, found.default) for found in inspect.signature(code).parameters.values()]


def solution_parameters(exercise: Exercise) -> list[tuple[str, Any]]:
    """The same of the answer in the lesson's source."""
    (lesson,) = (lesson for lesson in LESSONS if exercise in lesson.exercises)
    source = (SOLUTIONS / lesson.id / f"{lesson.id}.py").read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(source).body if getattr(node, "name", "") == exercise.id]
    namespace: dict[str, Any] = {"np": np, "torch": torch}
    exec(compile(ast.Module(nodes, []), lesson.id, "exec"), namespace)
    return parameters(namespace[exercise.id])


@each_exercise
def test_cases_repeat_with_the_seed_and_change_without(exercise):
    """The same seed draws the same cases; another seed draws other numbers where a case has any."""
    for public in (True, False):
        one, again, other = (
            repr([pack(case_to_tree(case)) for case in exercise.cases(np.random.default_rng(seed), public)])
            for seed in (4, 4, 7)
        )
        assert one == again
        assert one != other or not any(case.inputs for case in cases(exercise, public, 4))


@each_exercise
def test_case_ids_are_short_and_unique(exercise):
    """A case is named in a few words, once; a convention says what it is."""
    for public in (True, False):
        case_list = cases(exercise, public, 0)
        assert len({case.id for case in case_list}) == len(case_list)
        for case in case_list:
            assert len(case.id) <= 40
            own = [step for step in case.reads() if not step.name.endswith(" afterwards")]
            assert case.says or all(step.kind != "convention" for step in own), case.id


@each_lesson
def test_a_lesson_is_cheap_to_run(lesson):
    """All cases of a lesson on the reference stay under 0.05 CPU seconds, trainings under 1."""
    spent = {False: 0.0, True: 0.0}
    for exercise in lesson.exercises:
        case_list = cases(exercise, True, 0) + cases(exercise, False, SEEDS[0])
        for _ in range(2):  # The second round counts: the first one pays for imports and caches.
            start = time.process_time()
            for case in case_list:
                run(case, NUMPY)
            seconds = time.process_time() - start
        spent[exercise.training] += seconds
    assert spent[False] <= 0.05
    assert spent[True] <= 1.0


@each_lesson
def test_ids_are_unique_and_references_exist(lesson):
    """Every exercise has both references, in the module of its topic, and a name of its own."""
    names = [item.id for item in (*lesson.exercises, *lesson.questions, *lesson.open_questions)]
    assert len(set(names)) == len(names)
    for exercise in lesson.exercises:
        for kernels, package in ((NUMPY, "numpy_kernels"), (TORCH, "torch_kernels")):
            assert kernels[exercise.id].__module__ == f"course_lib.{package}.{exercise.topic}"
        assert set(exercise.uses) <= {other.id for other in lesson.exercises}


@each_lesson
def test_a_lesson_leaves_no_short_names_behind(lesson):
    """No name that the lesson's own cells bind is one that an answer uses: a typing slip must not find it."""
    taken = {"out", "cache", "loss", "grad", "grads", "gradients", "hidden", "delta", "total", "count"}
    taken |= {name for exercise in lesson.exercises for name in inspect.signature(NUMPY[exercise.id]).parameters}
    source = (SOLUTIONS / lesson.id / f"{lesson.id}.py").read_text(encoding="utf-8")
    found = {name for name in bound_by(ast.parse(source)) if name in taken or len(name.strip("_")) in (1, 2)}
    assert found <= {"np"}


def bound_by(module: ast.Module) -> set[str]:
    """Names that statements outside functions bind, loops and conditions included."""
    found, left = set(), list(module.body)
    while left:
        node = left.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.comprehension, ast.ListComp, ast.SetComp)):
            found |= {node.name} if hasattr(node, "name") else set()
            continue
        if isinstance(node, (ast.DictComp, ast.GeneratorExp)):
            continue
        if isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        left += ast.iter_child_nodes(node)
    return found


def test_the_search_for_names_sees_every_kind():
    """Assignments, loops, unpacking and imports bind; what happens inside functions and comprehensions does not."""
    source = (
        "import numpy as np\nfor a in (1,):\n    b, *c = [x for x in ()]\nif True:\n    d = 1\ndef e(f):\n    g = 1\n"
    )
    assert bound_by(ast.parse(source)) == {"np", "a", "b", "c", "d", "e"}


def test_lookups_find_and_say_what_is_near():
    """A known name is found; an unknown one gets a sentence with the nearest names."""
    for lesson in LESSONS:
        assert find_lesson(lesson.id) is lesson
        for exercise in lesson.exercises:
            assert find_exercise(exercise.id) == (lesson, exercise)
    with pytest.raises(LookupError, match="Did you mean sigmoid"):
        find_exercise("sigmiod")
    with pytest.raises(LookupError, match="01_xor_mlp"):
        find_lesson("zzz")


def test_the_comparison_here_can_fail():
    """A wrong answer is seen by the helper that these tests rest on."""
    case = cases(ALL[0], False, 1)
    right = expected(ALL[0], case)
    wrong = tuple({name: np.asarray(value) + 1e-6 for name, value in seen.items()} for seen in right)
    assert agree(right, right, case)
    assert not agree(wrong, right, case)


def test_lesson_lookup_by_exercise():
    """A lesson finds its own exercises and counts its points."""
    lesson: Lesson = LESSONS[0]
    assert lesson.exercise(lesson.exercises[0].id) is lesson.exercises[0]
    assert lesson.max_points == sum(item.points for item in (*lesson.exercises, *lesson.questions))
