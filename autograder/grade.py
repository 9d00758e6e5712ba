"""The loop over a class: read, judge, keep; in any `concurrent.futures.Executor`.

What enters: a folder of submissions. What leaves: a `Report` per learner, as they are finished. A worker
process holds one warm sandbox and one `Judge`; only the parent writes verdicts, so a kill loses at most
what was under way.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.util import Finalize
from pathlib import Path

import numpy as np

from autograder import messages
from autograder.answers import Notebook
from autograder.catalogue import find_lesson, graded_from
from autograder.copies import answer_texts, timestamp_of, write_autograded
from autograder.course import Lesson, Outcome, Report, Status, Verdict
from autograder.expected import fingerprint, load_expectations
from autograder.folders import CourseError, Folders
from autograder.intake import Entry
from autograder.judge import Judge, Judged
from autograder.sandbox.pool import Pool
from autograder.submission import Submission, Unreadable, read_submission
from autograder.verdicts import VerdictStore
from autograder.view import build_view
from course_lib.exam import variant_of

# Starting a worker and its sandbox costs as much as judging about so many submissions.
WORTH_A_PROCESS = 20
_SANDBOX = ("worker", "walls", "wire", "seccomp", "job", "ground")
_JUDGE_MODULES = ("judge", "answers", "submission", "exam", "messages", *(f"sandbox/{name}" for name in _SANDBOX))


@dataclass(frozen=True)
class Graded:
    """One graded submission.

    Args:
        report: its verdicts.
        new: was it judged now, and may the report be used again?
        texts: what stands in its answer cells; None when it cannot be read.
        stamp: text of nbgrader's timestamp file, or "".
        handed_in: when, in UTC without time zone, or None.
    """

    report: Report
    new: bool = False
    texts: Mapping[str, str] | None = None
    stamp: str = ""
    handed_in: datetime | None = None


class Grader:
    """Grades submissions of one lesson in this process.

    Args:
        folders: the course.
        lesson: the lesson.
    """

    def __init__(self, folders: Folders, lesson: Lesson) -> None:
        self.lesson = lesson
        self.store = VerdictStore(folders.verdicts)
        secret = folders.secret()
        self._version = _version(lesson, secret)
        expectations, questions = load_expectations(lesson, secret, folders.expected)
        names = [item.id for item in (*lesson.exercises, *lesson.questions)]
        _require_notebooks(folders, lesson)
        self._names = names
        self._folders = folders
        self._released = json.loads(folders.released(lesson.id).read_bytes())
        given = Notebook(read_submission(folders.released(lesson.id)), names).statements
        self._given = [statement for statement in given if not statement.in_answer_of]
        view = build_view(lesson, graded_from(lesson), folders.views)
        self._pools = [Pool(view)]
        if any(exercise.torch for exercise in lesson.exercises):
            self._pools.append(Pool(view, torch=True))
        solution = Notebook(read_submission(folders.solution(lesson.id)), names)
        self._judge = Judge(lesson, expectations, questions, solution, *self._pools)

    def __enter__(self) -> Grader:
        # A pool with Torch takes seconds to start: only where an answer needs it.
        self._pools[0].__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        for pool in self._pools:
            pool.close()

    def grade(self, entry: Entry, fresh: bool = False) -> Graded:
        """Grade one submission; never raises for anything a submission holds.

        Args:
            entry: whose it is and where.
            fresh: judge even when the verdicts are known.
        """
        started = time.perf_counter()
        try:
            if entry.path is None:
                raise Unreadable(entry.problem)
            submission = read_submission(entry.path)
        except Unreadable as error:
            report = self._unreadable(entry.learner, str(error))
            write_autograded(self._folders.autograded, self._released, (), report)
            return Graded(report)
        report, new = self._graded(submission, entry.learner, fresh)
        report = replace(report, learner=entry.learner, seconds=time.perf_counter() - started)
        stamp, handed_in = timestamp_of(entry.path.parent)
        write_autograded(self._folders.autograded, self._released, submission.cells, report, stamp)
        return Graded(report, new, answer_texts(self._released, submission.cells), stamp, handed_in)

    def judge(self, notebook: Notebook, learner: str) -> Judged:
        """Judge a parsed notebook; nothing is kept or written."""
        return self._judge.judge(notebook, learner)

    def judge_one(self, exercise_id: str, notebook: Notebook) -> Verdict:
        """Judge a single exercise of a notebook; nothing is kept."""
        return self._judge.judge_one(exercise_id, notebook)

    def _graded(self, submission: Submission, learner: str, fresh: bool) -> tuple[Report, bool]:
        notebook = Notebook(submission, self._names, self._given)
        key = self._key(notebook, submission, learner)
        kept = None if fresh else self.store.get(key)
        if kept is not None:
            return kept, False
        judged = self._judge.judge(notebook, learner)
        status, reason = _status(submission, judged.verdicts)
        return Report(learner, self.lesson.id, status, judged.verdicts, reason, key), judged.keep

    def _unreadable(self, learner: str, reason: str) -> Report:
        verdicts = tuple(
            Verdict(item.id, Outcome.MISSING, 0.0, item.points, reason)
            for item in (*self.lesson.exercises, *self.lesson.questions)
        )
        return Report(learner, self.lesson.id, Status.UNREADABLE, verdicts, reason)

    def _key(self, notebook: Notebook, submission: Submission, learner: str) -> str:
        digest = hashlib.sha256(self._version.encode())
        digest.update(repr((variant_of(self.lesson.id, learner), submission.problems)).encode())
        # A learner id stands in a message, so it belongs to the key as soon as the notebook names another one.
        declared = notebook.constant("LEARNER")
        digest.update(repr((declared, learner if declared != learner else "")).encode())
        for name in self._names:
            answer = notebook.answer(name)
            pieces = [(piece.label, piece.line, piece.source) for piece in answer.pieces]
            digest.update(repr((name, answer.syntax_error, pieces)).encode())
        return digest.hexdigest()


def _require_notebooks(folders: Folders, lesson: Lesson) -> None:
    for path in (folders.solution(lesson.id), folders.released(lesson.id)):
        if not path.exists():
            raise CourseError(f"{path} is missing. Run `course generate {lesson.id}` first.")


def _version(lesson: Lesson, secret: bytes) -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256(fingerprint(lesson, secret).encode())
    for name in _JUDGE_MODULES:
        digest.update((here / f"{name}.py").read_bytes())
    digest.update(f"{sys.version} {np.__version__} {platform.machine()}".encode())
    return digest.hexdigest()


def _status(submission: Submission, verdicts: Sequence[Verdict]) -> tuple[Status, str]:
    doubtful = [verdict.exercise for verdict in verdicts if verdict.outcome is Outcome.NEEDS_A_PERSON]
    if doubtful:
        return Status.NEEDS_A_PERSON, messages.SUBMISSION_NEEDS_A_PERSON.format(names=", ".join(doubtful))
    if submission.problems:
        return Status.PARTLY_GRADED, messages.RECOVERED.format(problems="; ".join(submission.problems))
    lost = [v.exercise for v in verdicts if v.outcome in (Outcome.MISSING, Outcome.SYNTAX_ERROR)]
    if lost:
        return Status.PARTLY_GRADED, messages.SOME_MISSING.format(names=", ".join(lost))
    return Status.GRADED, ""


def grade_class(
    folders: Folders, lesson: Lesson, entries: Sequence[Entry], *, processes: int = 0, fresh: bool = False
) -> Iterator[Graded]:
    """Grade many submissions; each is kept before it is yielded, in the order in which they are finished.

    Args:
        folders: the course.
        lesson: the lesson.
        entries: what to grade.
        processes: how many worker processes; 0 for one per core, and no more than are worth their start.
        fresh: judge again what was judged before.
    """
    _require_notebooks(folders, lesson)
    store = VerdictStore(folders.verdicts)
    load_expectations(lesson, folders.secret(), folders.expected)
    processes = processes or min(len(os.sched_getaffinity(0)), math.ceil(len(entries) / WORTH_A_PROCESS) or 1)
    waiting, stuck = list(entries), 0
    while waiting:
        done: set[str] = set()
        start = (folders, lesson.id)
        try:
            context = _context()
            with ProcessPoolExecutor(processes, context, initializer=_start_worker, initargs=start) as executor:
                for graded in _run(executor, waiting, fresh):
                    store.put(graded.report, graded.new)
                    done.add(graded.report.learner)
                    yield graded
            return
        except BrokenProcessPool as error:
            waiting = [entry for entry in waiting if entry.learner not in done]
            # One at a time from now on: the submission that brings a worker down then names itself.
            processes, stuck = 1, 0 if done else stuck + 1
            if stuck > 1:
                graded = Graded(_given_up(lesson, waiting.pop(0), error))
                store.put(graded.report, keep=False)
                yield graded


def _context() -> multiprocessing.context.BaseContext:
    # A fork starts warm. But a child that is forked while Torch's threads exist waits for them for ever.
    return multiprocessing.get_context("spawn" if "torch" in sys.modules else "fork")


def _run(executor: Executor, entries: Sequence[Entry], fresh: bool) -> Iterator[Graded]:
    futures = [executor.submit(_grade_in_worker, entry, fresh) for entry in entries]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _given_up(lesson: Lesson, entry: Entry, error: Exception) -> Report:
    message = messages.SANDBOX_TROUBLE.format(error=type(error).__name__)
    items = (*lesson.exercises, *lesson.questions)
    verdicts = tuple(Verdict(item.id, Outcome.NEEDS_A_PERSON, 0.0, item.points, message) for item in items)
    return Report(entry.learner, lesson.id, Status.NEEDS_A_PERSON, verdicts, message)


_worker: Grader | None = None


def _start_worker(folders: Folders, lesson_id: str) -> None:
    global _worker
    _worker = Grader(folders, find_lesson(lesson_id))
    _worker.__enter__()
    # Worker processes leave without `atexit`; this runs there and here, and waits for the sandbox to end.
    Finalize(_worker, _worker.__exit__, args=(None, None, None), exitpriority=10)


def _grade_in_worker(entry: Entry, fresh: bool) -> Graded:
    assert _worker is not None
    try:
        return _worker.grade(entry, fresh)
    except Exception as error:
        # Our fault, not the learner's; and the class goes on.
        return Graded(_given_up(_worker.lesson, entry, error))


def grade_one(path: Path, learner: str, lesson_id: str) -> Report:
    """Grade a single file, as nbgrader's autograde does one by one; the sandbox stays warm between calls.

    Args:
        path: the submitted notebook.
        learner: id of the learner in the gradebook.
        lesson_id: id of the lesson.
    """
    if _worker is None or _worker.lesson.id != lesson_id:
        _start_worker(Folders.find(path.parent), lesson_id)
    graded = _worker.grade(Entry(learner, path))
    _worker.store.put(graded.report, graded.new)
    return graded.report
