"""Our `course grade` on a class of 300 against stock `nbgrader autograde` on 20 of them, alternating.

    python -m benchmarks.grading [--lesson 04_optimisers] [--rounds 2] [--class-size 300] [--graded-cells-only] [--json]

Stock does one submission after the other and costs the same for each, so 20 say enough about it. Stock is nbgrader
with its defaults: a fresh kernel per submission, and test cells that compare in that kernel with NumPy and Torch, over
as many cases. Both run as their own commands, start-up and gradebook included, and both must give the expected scores,
or the benchmark fails. Wrong answers are put where no other answer builds on them, because stock has no second run
beside the reference. Four numbers are made of it:

- `cpu_ratio_stock_over_course` and `wall_ratio_stock_over_course`: on ordinary cases; exercises whose cases train
  for seconds on any grader are left unsolved by everybody.
- `cpu_over_floor`: our CPU time over the floor; the floor is the learners' own code on the same cases, in one
  warm process without walls, judge, gradebook or pages.
- `cpu_over_floor_with_training`: the same with the trainings solved.

"course again" is what the same class costs once more, when nothing has changed.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.answers import Notebook
from autograder.catalogue import find_lesson, graded_from
from autograder.classroom import answers_of, fill, hand_in, with_variants
from autograder.course import Exercise, Lesson
from autograder.expected import load_expectations
from autograder.folders import Folders
from autograder.gradebook import ensure_lesson
from autograder.submission import read_submission
from autograder.verdicts import VerdictStore
from autograder.view import build_view
from benchmarks import stock as conventional
from course_lib.casefile import read_tree
from course_lib.cases import StepError
from course_lib.cases import run as play
from course_lib.diagnose import diagnose, expectation_from_tree
from course_lib.exam import CASES

PROJECT = Path(__file__).parent.parent
STOCK_LEARNERS = 20
CLASS_SIZE = 300
STYLES = 20
PR_SET_CHILD_SUBREAPER = 36

# Learner, notebook, points earned.
Handed = tuple[str, dict[str, Any], float]


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds per submission."""

    cpu: float
    wall: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Grading: CPU and wall time against stock nbgrader.")
    parser.add_argument("--lesson", default="01_xor_mlp")
    parser.add_argument("--rounds", type=int, default=2, help="how often both run, alternating")
    parser.add_argument("--class-size", type=int, default=CLASS_SIZE, help="how many submissions we grade")
    parser.add_argument(
        "--graded-cells-only", action="store_true", help="let stock skip pictures and lab, in its favour"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grading-benchmark-") as folder:
        lesson, graded_only = find_lesson(options.lesson), options.graded_cells_only
        sizes = {"stock": STOCK_LEARNERS, "course": options.class_size}
        result = measure(Path(folder), lesson, options.rounds, sizes, graded_only=graded_only, quiet=options.json)
    print(json.dumps(result, indent=1) if options.json else as_text(result))


def measure(
    folder: Path,
    lesson: Lesson,
    rounds: int,
    sizes: Mapping[str, int],
    *,
    graded_only: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Run everything; see the module's docstring."""

    def say(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr, flush=True)

    names = ("stock", "course", "course with training")
    costs: dict[str, list[Cost]] = {name: [] for name in (*names, "course again", "floor", "floor with training")}
    for number in range(rounds):
        for name in names:
            say(f"round {number + 1} of {rounds}: {name}")
            training = name.endswith("training")
            root, size = folder / f"{number}-{name}", sizes[name.split()[0]]
            handed = list(submissions(lesson, size, training=training))
            costs[name].append(_measure_one(root, lesson, handed, stock=name == "stock", graded_only=graded_only))
            if name == "course":
                costs["course again"].append(timed(lambda at=root: _run(_grade(lesson), at), size))
            if name != "stock":
                costs[name.replace("course", "floor")].append(floor(root, lesson))
    setting = {"lesson": lesson.id, "submissions": dict(sizes), "rounds": rounds, "graded_cells_only": graded_only}
    return {**setting, **_summary(costs)}


def _measure_one(root: Path, lesson: Lesson, handed: Sequence[Handed], *, stock: bool, graded_only: bool) -> Cost:
    root.mkdir(parents=True)
    (_prepare_stock if stock else _prepare_course)(root, lesson)
    for learner, notebook, _ in handed:
        shown = conventional.with_test_cells(notebook, lesson, graded_only) if stock else notebook
        hand_in(root / ("submitted" if stock else "run/submitted"), learner, lesson.id, shown)
    grade = conventional.nbgrader("autograde", lesson.id) if stock else _grade(lesson)
    cost = timed(lambda: _run(grade, root), len(handed))
    found = conventional.scores(root, lesson) if stock else _our_scores(root, lesson)
    wrong = {who: (found.get(who), points) for who, _, points in handed if found.get(who) != points}
    if wrong:
        raise SystemExit(f"{root.name}: scores are not as expected (found, expected): {wrong}")
    return cost


def _grade(lesson: Lesson) -> list[str]:
    return [sys.executable, "-m", "autograder.cli", "grade", lesson.id, "--json"]


def _run(command: list[str], root: Path) -> None:
    done = subprocess.run(command, cwd=root, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")


def _prepare_stock(root: Path, lesson: Lesson) -> None:
    conventional.make_course(root, lesson, json.loads(Folders(PROJECT).solution(lesson.id).read_bytes()))
    _run(conventional.nbgrader("generate_assignment", lesson.id), root)


def _prepare_course(root: Path, lesson: Lesson) -> None:
    for name in ("solutions", "notebooks"):
        shutil.copytree(PROJECT / name / lesson.id, root / name / lesson.id)
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    # Expected values, the view and the gradebook's description of the lesson are made once per course, not per class.
    folders = Folders(root)
    folders.make_secret()
    ensure_lesson(root, lesson.id)
    load_expectations(lesson, folders.secret(), folders.expected)
    build_view(lesson, graded_from(lesson), folders.views)


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Bytecode is kept, as on every computer where nobody forbids it.
    kept = {"PYTHONDONTWRITEBYTECODE": ""}
    return os.environ | kept | {"PYTHONPATH": path, "PATH": tools, "COURSE_JOURNAL": "off"}


def timed(action: Callable[[], Any], submissions: int) -> Cost:
    """CPU seconds of everything that an action started, and wall seconds, per submission.

    bubblewrap leaves before the processes inside it are counted. As their subreaper, this process inherits and counts
    them; otherwise our own sandbox would come for free.
    """
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("This kernel does not let a process adopt orphans: CPU time cannot be measured.")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    action()
    wall = time.perf_counter() - started
    with suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu / submissions, wall / submissions)


def submissions(lesson: Lesson, learners: int, *, training: bool) -> Iterator[Handed]:
    """Learners who are right in several styles, or have one real mistake each. No two hand in quite the same."""
    base = Folders(PROJECT)
    released = json.loads(base.released(lesson.id).read_bytes())
    solved = answers_of(json.loads(base.solution(lesson.id).read_bytes()))
    unsolved = answers_of(released)
    slow = {exercise.id: exercise.points for exercise in lesson.exercises if exercise.training and not training}
    notebook = Notebook(read_submission(base.solution(lesson.id)), list(solved))
    used = {name for exercise in lesson.exercises for name in notebook.answer(exercise.id).depends_on}
    ordinary = [exercise for exercise in lesson.exercises if not exercise.training and exercise.id not in used]
    serious = _serious_mistakes(lesson)
    for number in range(learners):
        chosen = ordinary[number % len(ordinary)] if number % 2 else None

        def choose(exercise: Exercise, number: int = number, chosen: Exercise | None = chosen) -> Any:
            if exercise is chosen:
                return next(item.code for item in exercise.mistakes if item.id in serious[exercise.id])
            return None if number % 4 == 0 else exercise.other_ways[number % 2].code

        answers = with_variants(lesson, solved, choose) | {name: unsolved[name] for name in slow}
        # An answer is known by its text and its lines.
        answers = {name: "\n" * (number // STYLES) + text for name, text in answers.items()}
        points = lesson.max_points - sum(slow.values()) - (chosen.points if chosen else 0)
        learner = f"learner{number:03d}"
        yield learner, fill(released, answers, learner), points


def _serious_mistakes(lesson: Lesson) -> dict[str, set[str]]:
    """Mistakes that cost all points: stock knows no others."""
    trees = read_tree(CASES / f"{lesson.id}.safetensors")["exercises"]
    expectations = {name: expectation_from_tree(tree) for name, tree in trees.items()}
    return {
        name: {item.id for item in expectation.fingerprints if not diagnose(expectation, item.attempts).passed}
        for name, expectation in expectations.items()
    }


def _our_scores(root: Path, lesson: Lesson) -> dict[str, float]:
    return {report.learner: report.points for report in VerdictStore(Folders(root).verdicts).latest(lesson.id)}


def floor(root: Path, lesson: Lesson) -> Cost:
    """Learners' own cells and cases in this process, one of each style, once to warm up and once measured."""
    folders = Folders(root)
    expectations, questions = load_expectations(lesson, folders.secret(), folders.expected)
    names = [*expectations, *questions.answers]
    notebooks = [Notebook(read_submission(path), names) for path in sorted(folders.submitted.rglob("*.ipynb"))[:STYLES]]

    def run_all() -> None:
        for notebook in notebooks:
            for name, expectation in expectations.items():
                namespace: dict[str, Any] = {"__name__": "__main__"}
                for piece in notebook.answer(name, expectation.uses).pieces:
                    exec(piece.source, namespace)  # noqa: S102 - our own answers, made above
                for item in expectation.cases:
                    try:
                        play(item.case, namespace)
                    except StepError:
                        break

    run_all()
    before, started = time.process_time(), time.perf_counter()
    run_all()
    return Cost((time.process_time() - before) / len(notebooks), (time.perf_counter() - started) / len(notebooks))


def _summary(costs: dict[str, list[Cost]]) -> dict[str, Any]:
    def ratio(over: str, under: str, which: str) -> float:
        pairs = zip(costs[over], costs[under], strict=True)
        return round(statistics.median(getattr(a, which) / getattr(b, which) for a, b in pairs), 2)

    medians = {
        name: {which: round(statistics.median(getattr(cost, which) for cost in each), 4) for which in ("cpu", "wall")}
        for name, each in costs.items()
    }
    summary = {
        "cpu_ratio_stock_over_course": ratio("stock", "course", "cpu"),
        "wall_ratio_stock_over_course": ratio("stock", "course", "wall"),
        "cpu_over_floor": ratio("course", "floor", "cpu"),
        "cpu_over_floor_with_training": ratio("course with training", "floor with training", "cpu"),
    }
    return {"seconds_per_submission": medians, "summary": summary}


def as_text(result: dict[str, Any]) -> str:
    """The result as a small table."""
    sizes = ", ".join(f"{name} {size}" for name, size in result["submissions"].items())
    lines = [f"{result['lesson']}: submissions: {sizes}; {result['rounds']} rounds; seconds per submission"]
    for name, cost in result["seconds_per_submission"].items():
        lines.append(f"  {name:<22} CPU {cost['cpu']:.4f}   wall {cost['wall']:.4f}")
    lines += [f"  {name:<30} {value:.1f}" for name, value in result["summary"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
