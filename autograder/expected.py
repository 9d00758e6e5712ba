"""Expected values: both references and every mistake, played once per exercise and secret.

What enters: exercise definitions and the course secret. What leaves: an `Expectation` per exercise. Torch is
imported only when something must really be computed; the result is kept in a case file, so that grading
a class a second time, and every worker, starts without it.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.course import Exercise, Lesson, Mistake
from autograder.exam import QuestionSheet, public_sheet, solve
from course_lib.casefile import read_tree, write_tree
from course_lib.cases import Case, Step, StepError, run
from course_lib.compare import Tolerance, compare
from course_lib.diagnose import (
    Attempt,
    Expectation,
    Expected,
    ExpectedCase,
    Fingerprint,
    error_detail,
    expectation_from_tree,
    expectation_to_tree,
)
from course_lib.tree import Tree, TreeError, pack, unpack

PUBLIC = b"public cases"
FORMAT = 1
ROOT = Path(__file__).parent.parent
# Messages too: properties answer in words, which are compared.
_DECIDING = ("casefile", "cases", "compare", "diagnose", "messages", "modules", "probes", "tree", "validate")
_DECIDING_FOLDERS = ("numpy_kernels", "torch_kernels", "properties")

Namespace = Mapping[str, Callable[..., Any]]


def seed_for(secret: bytes, *parts: str | int) -> int:
    """A seed that nobody can guess without the secret: HMAC-SHA256 of the parts."""
    message = "\0".join(str(part) for part in parts).encode()
    return int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big")


def cases_for(exercise: Exercise, secret: bytes | None) -> tuple[Case, ...]:
    """The public cases, and after them the secret ones when a secret is given."""
    public = exercise.cases(np.random.default_rng(seed_for(PUBLIC, exercise.id, exercise.version)), True)
    if secret is None:
        return public
    return public + exercise.cases(np.random.default_rng(seed_for(secret, exercise.id, exercise.version)), False)


def expect(exercise: Exercise, lesson: Lesson, secret: bytes | None) -> Expectation:
    """Play all cases of an exercise with both references and all its mistakes.

    Args:
        exercise: the exercise.
        lesson: its lesson; cases may call the lesson's other functions.
        secret: the course secret, or None for the public cases alone.
    """
    cases = cases_for(exercise, secret)
    numpy_names, torch_names = numpy_namespace(lesson), torch_namespace(lesson)
    started = time.process_time()
    for case in cases:
        play(exercise, case, numpy_names, numpy_names)
    seconds = time.process_time() - started
    expected = tuple(_expected_case(exercise, case, numpy_names, torch_names) for case in cases)
    fingerprints = tuple(_fingerprint(exercise, mistake, cases, numpy_names) for mistake in exercise.mistakes)
    return Expectation(
        exercise.id, exercise.points, expected, fingerprints, exercise.uses,
        exercise.prepare.__name__ if exercise.prepare else "", any(map(_disputed, expected)), seconds,
        exercise.training,
    )  # fmt: skip


def numpy_namespace(lesson: Lesson) -> dict[str, Callable[..., Any]]:
    """Name to NumPy reference, for all exercises of a lesson."""
    return {item.id: _reference("numpy_kernels", item) for item in lesson.exercises}


def torch_namespace(lesson: Lesson) -> dict[str, Callable[..., Any]]:
    """Name to Torch counterpart, for all exercises of a lesson."""
    # A fork of a process in which Torch once ran several threads hangs at its first Torch operation.
    importlib.import_module("torch").set_num_threads(1)
    return {item.id: _reference("torch_kernels", item) for item in lesson.exercises}


def _reference(package: str, exercise: Exercise) -> Callable[..., Any]:
    return getattr(importlib.import_module(f"course_lib.{package}.{exercise.topic}"), exercise.id)


def play(
    exercise: Exercise, case: Case, names: Namespace, kernels: Namespace, convert: Callable[[Tree], Any] | None = None
) -> dict[str, Tree]:
    """Play a case and prepare what was seen, as the judge will do with a learner's answer."""
    seen = run(case, names, convert) if convert else run(case, names)
    plain = {label: plain_tree(value) for label, value in seen.items()}
    return dict(exercise.prepare(plain, case, kernels)) if exercise.prepare else plain


def plain_tree(value: Any) -> Tree:
    """What the value looks like from the other side of the wall; Torch tensors become arrays."""
    return unpack(*pack(_from_torch(value)))


def _from_torch(value: Any) -> Any:
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if isinstance(value, (list, tuple)):
        return [_from_torch(item) for item in value]
    if isinstance(value, dict):
        return {key: _from_torch(item) for key, item in value.items()}
    return value


def _to_float64(tree: Tree) -> Tree:
    floating = isinstance(tree, np.ndarray) and tree.dtype.kind == "f"
    return tree.astype(np.float64) if floating else tree


def torch_inputs(tree: Tree) -> Any:
    """An input as the Torch counterparts take it: arrays become float64 tensors on the CPU, generators Torch's."""
    from course_lib.torch_kernels._arrays import to_tensors

    return to_tensors(_to_float64(tree))


def _expected_case(exercise: Exercise, case: Case, numpy_names: Namespace, torch_names: Namespace) -> ExpectedCase:
    exact = play(exercise, case, numpy_names, numpy_names, _to_float64)
    torch_seen = play(exercise, case, torch_names, numpy_names, torch_inputs)
    kept = play(exercise, case, numpy_names, numpy_names)
    given = _floating_dtypes(case.inputs)
    kinds = {step.name: step.kind for step in case.reads()}
    reads = tuple(
        Expected(label, kinds.get(label, _first_kind(case)), value, torch_seen[label], _kept_dtype(kept[label], given))
        for label, value in exact.items()
    )
    return ExpectedCase(case, reads, Tolerance.for_dtype("float32" if "float32" in given else "float64"))


def _first_kind(case: Case) -> Any:
    return next(iter(case.reads()), Step("read", "")).kind


def _floating_dtypes(tree: Tree) -> set[str]:
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        return set().union(*(_floating_dtypes(item) for item in tree)) if tree else set()
    return {tree.dtype.name} if isinstance(tree, np.ndarray) and tree.dtype.kind == "f" else set()


def _kept_dtype(kept: Tree, given: set[str]) -> str:
    """float32 in, float32 out is worth a look; that float64 stays float64 shows in the values."""
    return "float32" if given == {"float32"} and _floating_dtypes(kept) == {"float32"} else ""


def _disputed(expected: ExpectedCase) -> bool:
    return any(compare(read.torch, read.numpy, expected.tolerance) for read in expected.reads)


def _fingerprint(exercise: Exercise, mistake: Mistake, cases: tuple[Case, ...], numpy_names: Namespace) -> Fingerprint:
    names = {**numpy_names, exercise.id: _rebind(mistake.code, numpy_names)}
    with np.errstate(all="ignore"):
        attempts = tuple(_attempt(exercise, case, names, numpy_names) for case in cases)
    return Fingerprint(mistake.id, mistake.says, attempts)


def _rebind(code: Callable[..., Any], names: Namespace) -> Callable[..., Any]:
    """The same function, seeing the lesson's other functions under their own names, as in a notebook."""
    if not inspect.isfunction(code):
        return code
    scope = {**code.__globals__, **names}
    clone = type(code)(code.__code__, scope, code.__name__, code.__defaults__, code.__closure__)
    clone.__kwdefaults__ = code.__kwdefaults__
    return clone


def _attempt(exercise: Exercise, case: Case, names: Namespace, kernels: Namespace) -> Attempt:
    try:
        return Attempt(case.id, play(exercise, case, names, kernels))
    except StepError as error:
        cause = error.__cause__
        return Attempt(case.id, None, type(cause).__name__, detail=error_detail(cause))
    except ValueError as error:
        return Attempt(case.id, None, UNUSABLE, detail=error_detail(error))


UNUSABLE = "unusable"


def load_expectations(lesson: Lesson, secret: bytes, folder: Path) -> tuple[dict[str, Expectation], QuestionSheet]:
    """Expectations of a lesson, from the folder where they are kept, or made now and kept.

    Args:
        lesson: the lesson.
        secret: the course secret.
        folder: where case files with secret cases are kept (mode 700; under ``run/``).

    Returns:
        Expectations by exercise id, and the answers of the exam corner.
    """
    path = folder / f"{lesson.id}-{fingerprint(lesson, secret)[:16]}.safetensors"
    try:
        kept = read_tree(path)
    except (FileNotFoundError, TreeError):
        # Missing or damaged: what is in it follows from the sources and the secret.
        made = {exercise.id: expectation_to_tree(expect(exercise, lesson, secret)) for exercise in lesson.exercises}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_tree({"exercises": made, "questions": solve(lesson)}, path)
        kept = read_tree(path)
    expectations = {key: expectation_from_tree(value) for key, value in kept["exercises"].items()}
    return expectations, QuestionSheet(lesson.id, kept["questions"])


def public_cases(lesson: Lesson) -> Tree:
    """The content of a lesson's public case file; the same every time it is made."""
    made = {exercise.id: replace(expect(exercise, lesson, None), seconds=0.0) for exercise in lesson.exercises}
    exercises = {key: expectation_to_tree(value) for key, value in made.items()}
    return {"lesson": lesson.id, "exercises": exercises, "questions": public_sheet(lesson)}


def write_public_cases(lesson: Lesson, folder: Path) -> Path:
    """Write a lesson's public case file, and return its path."""
    names = [item.id for item in (*lesson.exercises, *lesson.questions)]
    path = folder / f"{lesson.id}.safetensors"
    write_tree(public_cases(lesson), path, names, mode=0o644)
    return path


def fingerprint(lesson: Lesson, secret: bytes) -> str:
    """Hash of everything that decides what is expected: sources of exercises, references and judge, secret."""
    library = ROOT / "course_lib"
    folders = (*(library / name for name in _DECIDING_FOLDERS), ROOT / "autograder" / "exercises")
    files = [path for folder in folders for path in folder.glob("*.py")]
    files += [library / f"{name}.py" for name in _DECIDING] + [Path(__file__), Path(__file__).parent / "exam.py"]
    digest = hmac.new(secret, f"{FORMAT} {lesson.id} {np.__version__}".encode(), hashlib.sha256)
    for path in sorted(files):
        # Files are read, not imported: importing the Torch counterparts is what we want to avoid.
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
