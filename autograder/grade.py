"""The loop over a class: read, judge, keep; on this computer's processes or on a cluster, see `autograder.executors`.

What enters: a folder of submissions. What leaves: a `Report` per learner, as they are finished. A worker holds
one warm sandbox and one `Judge`, and writes nothing: verdicts and copies are written by the process that runs the
loop, so a kill loses at most what was under way.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from multiprocessing.util import Finalize
from pathlib import Path

from autograder import changes, messages
from autograder.answers import Notebook
from autograder.catalogue import find_lesson, graded_from
from autograder.copies import (
    add_verdicts,
    answer_texts,
    autograded,
    keep_autograded,
    timestamp_of,
    to_bytes,
)
from autograder.course import Lesson, Outcome, Report, Status, Verdict
from autograder.doctor import WallCheck, run_doctor
from autograder.executors import Work, code_changed, on_cluster, on_processes
from autograder.expected import fingerprint, load_expectations
from autograder.file_marks import Marks
from autograder.files import sweep
from autograder.folders import CourseError, Folders
from autograder.intake import Entry
from autograder.judge import Judge, Judged
from autograder.sandbox.pool import Pool
from autograder.stamps import ENVIRONMENT, Stamps, code_digest
from autograder.submission import Submission, Unreadable, parse_notebook, read_bytes, read_submission
from autograder.verdicts import VerdictStore
from autograder.view import build_view
from course_lib.exam import variant_of

# Starting a worker and its sandbox costs as much as judging about so many submissions.
WORTH_A_PROCESS = 20
_HERE = Path(__file__).parent
_SANDBOX = "worker walls wire seccomp job ground".split()
_JUDGE_MODULES = [*"judge diagnoser answers submission exam messages".split(), *(f"sandbox/{n}" for n in _SANDBOX)]


@dataclass(frozen=True)
class Graded:
    """One graded submission.

    Args:
        report: its verdicts.
        new: was it judged now, and may the report be used again?
        texts: what stands in its answer cells; None when it cannot be read.
        copy: the copy for markers; b"" when nothing could be judged, or when it is written.
        stamp: text of nbgrader's timestamp file, or "".
        handed_in: when, in UTC without time zone, or None.
        held: exercises in which an earlier score of the same answers stands, because today's would be lower.
        stays: does the whole report stand from before, because today's lesson cannot hold its points?
        file: mark of the file (`file_marks`) from which the same verdicts can be told again; "" when they cannot.
        page: mark of its page (`feedback.page_mark`), when nothing has changed since it was published; else "".
    """

    report: Report
    new: bool = False
    texts: Mapping[str, str] | None = None
    copy: bytes = b""
    stamp: str = ""
    handed_in: datetime | None = None
    held: tuple[str, ...] = ()
    stays: bool = False
    file: str = ""
    page: str = ""


class Grader:
    """Grades submissions of one lesson in this process.

    Args:
        folders: the course.
        lesson: the lesson.
        store: where verdicts are looked up; None on another computer, where the file must not be opened.
    """

    def __init__(self, folders: Folders, lesson: Lesson, store: VerdictStore | None = None) -> None:
        self.lesson = lesson
        self.store = store
        secret = folders.secret()
        self.version = version_of(lesson, secret)
        expectations, questions = load_expectations(lesson, secret, folders.expected)
        names = [item.id for item in (*lesson.exercises, *lesson.questions)]
        folders.require_notebooks(lesson.id)
        self._names = names
        self._marks = Marks(folders, lesson, self.version)
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
        self._stamps = Stamps(
            lesson, secret, expectations, questions, [_HERE / f"{name}.py" for name in _JUDGE_MODULES]
        )

    def __enter__(self) -> Grader:
        # A pool with Torch takes seconds to start: only where an answer needs it.
        self._pools[0].__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandboxes; they start again when they are needed."""
        for pool in self._pools:
            pool.close()

    def grade(self, entry: Entry, fresh: bool = False) -> Graded:
        """Grade one submission and write its copy; never raises for anything a submission holds.

        Args:
            entry: whose it is and where.
            fresh: judge even when the verdicts are known.
        """
        graded = self.examine(entry, fresh)
        keep_copy(self._folders, graded)
        return graded

    def examine(self, entry: Entry, fresh: bool = False, known: Report | None = None) -> Graded:
        """Grade one submission and write nothing.

        Args:
            entry: whose it is and where.
            fresh: judge even when the verdicts are known.
            known: the learner's kept report, which counts if it is about the same answers.
        """
        started = time.perf_counter()
        try:
            if entry.path is None:
                raise Unreadable(entry.problem)
            content = read_bytes(entry.path)
            submission = parse_notebook(content, entry.path.name)
        except Unreadable as error:
            report = self._unreadable(entry.learner, str(error))
            return Graded(report, copy=autograded(self._released, (), report))
        report, new, kept = self._graded(submission, entry.learner, fresh, known)
        seconds = time.perf_counter() - started
        report = replace(report, learner=entry.learner, seconds=seconds, submission=code_digest(submission))
        stamp, handed_in = timestamp_of(entry.path.parent)
        copy = autograded(self._released, submission.cells, report)
        mark = self._marks.of(content, entry.path.parent) if kept else ""
        texts = answer_texts(self._released, submission.cells)
        return Graded(report, new, texts, copy, stamp, handed_in, file=mark)

    def judge(self, notebook: Notebook, learner: str) -> Judged:
        """Judge a parsed notebook; nothing is kept or written."""
        return self._judge.judge(notebook, learner)

    def judge_one(self, exercise_id: str, notebook: Notebook) -> Verdict:
        """Judge a single exercise of a notebook; nothing is kept."""
        return self._judge.judge_one(exercise_id, notebook)

    def _graded(
        self, submission: Submission, learner: str, fresh: bool, known: Report | None
    ) -> tuple[Report, bool, bool]:
        """The report; was it made now, to be used again; and may it be used again at all?"""
        notebook = Notebook(submission, self._names, self._given)
        key = self._key(notebook, submission, learner)
        if known is None and self.store is not None:
            known = self.store.get(key)
        if known is not None and known.key == key and not fresh:
            return self._stamps.on(known, learner), False, True
        judged = self._judge.judge(notebook, learner)
        status, reason = _status(submission, judged.verdicts)
        report = Report(learner, self.lesson.id, status, judged.verdicts, reason, key)
        return self._stamps.on(report, learner), judged.keep, judged.keep

    def _unreadable(self, learner: str, reason: str) -> Report:
        verdicts = tuple(
            Verdict(item.id, Outcome.MISSING, 0.0, item.points, reason)
            for item in (*self.lesson.exercises, *self.lesson.questions)
        )
        return Report(learner, self.lesson.id, Status.UNREADABLE, verdicts, reason)

    def _key(self, notebook: Notebook, submission: Submission, learner: str) -> str:
        digest = hashlib.sha256(self.version.encode())
        digest.update(repr((variant_of(self.lesson.id, learner), submission.problems)).encode())
        # A learner id stands in a message, so it belongs to the key as soon as the notebook names another one.
        declared = notebook.constant("LEARNER")
        digest.update(repr((declared, learner if declared != learner else "")).encode())
        for name in self._names:
            answer = notebook.answer(name)
            pieces = [(piece.label, piece.line, piece.source) for piece in answer.pieces]
            digest.update(repr((name, answer.syntax_error, pieces)).encode())
        return digest.hexdigest()


def version_of(lesson: Lesson, secret: bytes) -> str:
    """Hash of everything but the submission that decides a verdict, the computer's environment included."""
    digest = hashlib.sha256(fingerprint(lesson, secret).encode())
    for name in _JUDGE_MODULES:
        digest.update((_HERE / f"{name}.py").read_bytes())
    digest.update(f"{sys.version} {ENVIRONMENT}".encode())
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


@dataclass(frozen=True)
class _Job:
    """A submission on its way to a worker; see `Grader.examine`."""

    entry: Entry
    fresh: bool
    known: Report | None = None


def grade_class(
    folders: Folders,
    lesson: Lesson,
    entries: Sequence[Entry],
    *,
    processes: int = 0,
    fresh: bool = False,
    scheduler: str = "",
    regrade: bool = False,
) -> Iterator[Graded]:
    """Grade many submissions; each is kept before it is yielded, in the order in which they are finished.

    Where the same answers had more points before, those stand: only `course regrade --confirm` takes them away.

    Args:
        folders: the course.
        lesson: the lesson.
        entries: what to grade.
        processes: how many worker processes; 0 for one per core, and no more than are worth their start.
        fresh: judge again what was judged before.
        scheduler: address of a dask scheduler whose workers do the work; "" for processes of this computer.
        regrade: say what today's exercises give, also where that is less than before.

    Raises:
        CourseError: something is missing that a person can mend. What was finished before is kept.
    """
    folders.require_notebooks(lesson.id)
    # What is not written again in this run is not swept either, unless here.
    beside = [folders.solution(lesson.id).parent, folders.released(lesson.id).parent]
    for folder in (folders.run, folders.expected, folders.views, *beside):
        sweep(folder)
    store, secret = VerdictStore(folders.verdicts), folders.secret()
    # Made here, once: workers find them.
    load_expectations(lesson, secret, folders.expected)
    build_view(lesson, graded_from(lesson), folders.views)
    if scheduler:
        work = Work(partial(_start_elsewhere, folders, lesson.id, version_of(lesson, secret)), _examine_elsewhere)
        found = on_cluster(work, _jobs(store, lesson, entries, fresh), scheduler)
    else:
        processes = processes or min(len(os.sched_getaffinity(0)), math.ceil(len(entries) / WORTH_A_PROCESS) or 1)
        work = Work(partial(_start_here, folders, lesson.id), _examine)
        found = on_processes(work, [_Job(entry, fresh) for entry in entries], processes)
    for job, result in found:
        graded = result if isinstance(result, Graded) else Graded(_given_up(lesson, job.entry, result))
        yield _keep(folders, store, graded, regrade)


def _jobs(store: VerdictStore, lesson: Lesson, entries: Iterable[Entry], fresh: bool) -> Iterator[_Job]:
    for entry in entries:
        # Workers have a current folder of their own.
        entry = replace(entry, path=entry.path.absolute() if entry.path is not None else None)
        yield _Job(entry, fresh, None if fresh else store.kept(lesson.id, entry.learner))


def _keep(folders: Folders, store: VerdictStore, graded: Graded, regrade: bool = False) -> Graded:
    today = graded.report
    graded = graded if regrade else _held_back(store, graded)
    # The copy comes first: a verdict that is in the store has one.
    keep_copy(folders, graded)
    if graded.held and graded.new:
        # So that `course regrade` finds today's verdict.
        store.keep(today)
    store.put(graded.report, graded.new and not graded.held)
    return replace(graded, copy=b"")


def _held_back(store: VerdictStore, graded: Graded) -> Graded:
    before = store.latest_of(graded.report.lesson, graded.report.learner)
    report, held = changes.held_back(before, graded.report)
    if not held:
        return graded
    if report is before:
        return replace(graded, report=report, copy=b"", held=held, stays=True, file="")
    copy = json.loads(graded.copy)
    add_verdicts(copy, report)
    return replace(graded, report=report, copy=to_bytes(copy), held=held, file="")


def keep_copy(folders: Folders, graded: Graded) -> None:
    """Write the copy for markers, when there is one."""
    if graded.copy:
        keep_autograded(folders.autograded, graded.report, graded.copy, graded.stamp)


def _given_up(lesson: Lesson, entry: Entry, error: Exception) -> Report:
    message = messages.SANDBOX_TROUBLE.format(error=type(error).__name__)
    items = (*lesson.exercises, *lesson.questions)
    verdicts = tuple(Verdict(item.id, Outcome.NEEDS_A_PERSON, 0.0, item.points, message) for item in items)
    return Report(entry.learner, lesson.id, Status.NEEDS_A_PERSON, verdicts, message)


def _start_here(folders: Folders, lesson_id: str) -> Grader:
    return Grader(folders, find_lesson(lesson_id), VerdictStore(folders.verdicts)).__enter__()


def _start_elsewhere(folders: Folders, lesson_id: str, version: str) -> Grader:
    """A grader on a cluster's worker, which must be able to do what the grading computer can."""
    host, lesson = platform.node(), find_lesson(lesson_id)
    if not folders.secret_file.exists():
        raise CourseError(messages.WORKER_SEES_NOTHING.format(host=host, folder=folders.root))
    if code_changed() or version_of(lesson, folders.secret()) != version:
        raise CourseError(messages.WORKER_DIFFERS.format(host=host))
    missing = [check for check in _walls(build_view(lesson, graded_from(lesson), folders.views)) if check.state != "ok"]
    if missing:
        names, why = ", ".join(check.name for check in missing), missing[0].sentence
        raise CourseError(messages.WORKER_WITHOUT_WALLS.format(host=host, names=names, why=why))
    return Grader(folders, lesson).__enter__()


@cache
def _walls(view: Path) -> list[WallCheck]:
    """The doctor's findings, once per worker."""
    return run_doctor(view)


def _examine_elsewhere(grader: Grader, job: _Job) -> Graded:
    path = job.entry.path
    if path is not None and not path.exists():
        # Not the learner's fault, and so not "unreadable".
        raise CourseError(messages.WORKER_SEES_NOTHING.format(host=platform.node(), folder=path.parent))
    return _examine(grader, job)


def _examine(grader: Grader, job: _Job) -> Graded:
    try:
        return grader.examine(job.entry, job.fresh, job.known)
    except Exception:
        # Our fault, not the learner's. The sandbox may have been killed: once more, with a new one.
        grader.close()
    try:
        return grader.examine(job.entry, job.fresh, job.known)
    except Exception as error:
        return Graded(_given_up(grader.lesson, job.entry, error))


_single: Grader | None = None


def grade_one(path: Path, learner: str, lesson_id: str) -> Report:
    """Grade a single file, as nbgrader's autograde does one by one; the sandbox stays warm between calls.

    Args:
        path: the submitted notebook.
        learner: id of the learner in the gradebook.
        lesson_id: id of the lesson.
    """
    global _single
    folders = Folders.find(path.parent)
    if _single is None or _single.lesson.id != lesson_id:
        _single = _start_here(folders, lesson_id)
        Finalize(_single, _single.close, exitpriority=10)
    return _keep(folders, _single.store, _single.examine(Entry(learner, path))).report
