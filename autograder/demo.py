"""`course demo`: a made-up class, graded for real in a course of its own below ``run/demo``."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console

from autograder.catalogue import LESSONS
from autograder.classroom import answers_of, fill, hand_in, with_variants
from autograder.course import Exercise, Lesson
from autograder.folders import Folders

_HOSTILE = {
    # Each stands in the answer cell of `sigmoid`; what must happen is in tests/attacks.
    "mallory": "import os\n\ndef sigmoid(x):\n    os._exit(0)\n",
    "oscar": "def sigmoid(x):\n    while True:\n        pass\n",
    "trudy": "import numpy.testing, builtins\nnumpy.testing.assert_allclose = builtins.print\n\n"
    "def sigmoid(x):\n    return type('Right', (), {'__eq__': lambda *_: True, '__array__': lambda s: x})()\n",
}
# Learner to the exercise that went wrong and the mistake that was made there.
_MISTAKEN = ("bruno", "carla", "dario", "emma", "farid")


def prepare(folders: Folders) -> Folders:
    """Make the demo's course folder anew: configuration, lesson, secret, and a class of submissions.

    Args:
        folders: the real course; nothing of it is changed.

    Returns:
        The demo course.
    """
    lesson = LESSONS[0]
    demo = Folders(folders.run / "demo")
    # The made-up class has a gradebook of its own.
    os.environ.pop("COURSE_DATABASE", None)
    shutil.rmtree(demo.root, ignore_errors=True)
    demo.root.mkdir(parents=True)
    shutil.copy(folders.root / "nbgrader_config.py", demo.root)
    for name in ("solutions", "notebooks"):
        shutil.copytree(folders.root / name / lesson.id, demo.root / name / lesson.id)
    demo.make_secret()
    for learner, notebook in _class(demo, lesson):
        hand_in(demo.submitted, learner, lesson.id, notebook)
    return demo


def _class(demo: Folders, lesson: Lesson) -> Iterator[tuple[str, Any]]:
    released = json.loads(demo.released(lesson.id).read_bytes())
    solved = answers_of(json.loads(demo.solution(lesson.id).read_bytes()))

    def made(learner: str, choose: Callable[[Exercise], Any] = lambda exercise: None, **changed: str) -> Any:
        return learner, fill(released, with_variants(lesson, solved, choose) | changed, learner)

    yield made("ada")
    yield made("alan", lambda exercise: exercise.other_ways[0].code)
    yield made("grace", lambda exercise: exercise.other_ways[1].code)
    for position, learner in enumerate(_MISTAKEN):
        wrong = lesson.exercises[2 * position]
        mistake = wrong.mistakes[position % len(wrong.mistakes)].code
        yield made(learner, lambda exercise, wrong=wrong, mistake=mistake: mistake if exercise is wrong else None)
    yield "nadia", fill(released, {}, "nadia")
    half = {name: text for name, text in list(solved.items())[: len(solved) // 2]}
    yield "henri", fill(released, half, "henri")
    whole = json.dumps(made("tessa")[1]).encode()
    yield "tessa", whole[: 2 * len(whole) // 3]
    for learner, attack in _HOSTILE.items():
        yield made(learner, sigmoid=attack)


def run(demo: Folders, out: Console, grade: Callable[[Folders, Lesson], int]) -> None:
    """Grade the demo class and say what to open next.

    Args:
        demo: what `prepare` returned.
        out: where to print.
        grade: grades a folder as `course grade` does, and returns the number of submissions.
    """
    started = time.perf_counter()
    count = grade(demo, LESSONS[0])
    out.print(f"Graded {count} submissions in {time.perf_counter() - started:.1f} s.")
    page = demo.feedback / "bruno" / LESSONS[0].id / f"{LESSONS[0].id}.html"
    out.print("Open next:")
    out.print(f"  {page}  (a learner's feedback page)", markup=False)
    out.print("  make formgrader COURSE=run/demo  (the gradebook; mark the open question there)", markup=False)
    out.print("  make lab  (the lessons, as a learner sees them)")
