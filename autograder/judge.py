"""From answers to verdicts.

What enters: the slices of a submission (text), the expectations (data) and a sandbox pool. Learners' code
runs only inside the pool's jobs; what comes back is data. What leaves: one `Verdict` per exercise and
question. Nothing here believes anything that a job says beyond "this is what I returned".
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder import messages
from autograder.answers import Answer, Notebook, Statement, solution_statements
from autograder.course import CONVENTION_SHARE, STABILITY_SHARE, Exercise, Lesson, Outcome, Verdict
from autograder.diagnoser import Diagnoser
from autograder.exam import QuestionSheet
from autograder.sandbox.job import Job, Piece, Played, Script, Stopped
from autograder.sandbox.pool import Pool
from autograder.sandbox.walls import Limits
from course_lib.diagnose import Diagnosis, Expectation

REFERENCE_FACTOR = 10.0
SPARE_CPU_SECONDS = 2.0

_STOPS: Mapping[str, tuple[Outcome, str]] = {
    "time limit": (Outcome.TIME_LIMIT, messages.TIME_LIMIT),
    "wall clock": (Outcome.TIME_LIMIT, messages.WALL_CLOCK),
    "memory limit": (Outcome.MEMORY_LIMIT, messages.MEMORY_LIMIT),
    "output limit": (Outcome.OUTPUT_LIMIT, messages.OUTPUT_LIMIT),
    "crashed": (Outcome.CRASHED, messages.CRASHED),
}


@dataclass(frozen=True)
class Judged:
    """The verdicts of a notebook, and whether they may be kept (a wall-clock failure may not)."""

    verdicts: tuple[Verdict, ...]
    keep: bool = True


@dataclass
class _Shared:
    """The fork that exercises share, the pool it comes from, and what has been run in it."""

    pool: Pool
    job: Job | None = None
    ran: list[Statement] = field(default_factory=list)

    def drop(self) -> None:
        if self.job is not None:
            self.job.close()
        self.job, self.ran = None, []


@dataclass(frozen=True)
class _Run:
    diagnosis: Diagnosis
    seconds: float
    stop: str = ""


class Judge:
    """Judges the submissions of one lesson.

    Args:
        lesson: the lesson.
        expectations: by exercise id.
        questions: the computed answers of the exam corner.
        solution: the solution notebook; its answers stand in for a learner's failing ones.
        pool: where learners' code runs.
        torch_pool: where classes written with Torch run; None in a lesson that has none.
    """

    def __init__(
        self,
        lesson: Lesson,
        expectations: Mapping[str, Expectation],
        questions: QuestionSheet,
        solution: Notebook,
        pool: Pool,
        torch_pool: Pool | None = None,
    ) -> None:
        self.lesson = lesson
        self.expectations = expectations
        self.questions = questions
        self.solution = solution
        self.pool = pool
        self.torch_pool = torch_pool
        asked = [*expectations.values(), *(questions.expectation(item.id, "") for item in lesson.questions)]
        self.scripts = {known.exercise: Script([item.case for item in known.cases]) for known in asked}
        self.limits = limits_for(expectations.values())
        self.diagnoser = Diagnoser(lesson, expectations)

    def judge(self, notebook: Notebook, learner: str) -> Judged:
        """Judge every exercise and question of a notebook.

        Args:
            notebook: the parsed submission.
            learner: id from the gradebook; it alone decides the numbers of the exam corner.
        """
        shared, with_torch = _Shared(self.pool), _Shared(self.torch_pool or self.pool)
        verdicts: dict[str, Verdict] = {}
        keep = True
        try:
            for exercise in self.lesson.exercises:
                place = with_torch if exercise.torch else shared
                verdict, clean = self._exercise(exercise, notebook, place, verdicts)
                verdicts[exercise.id] = verdict
                keep = keep and clean
            for question in self.lesson.questions:
                verdicts[question.id], clean = self._question(question.id, notebook, shared, learner)
                keep = keep and clean
        finally:
            shared.drop()
            with_torch.drop()
        return Judged(tuple(verdicts.values()), keep)

    def judge_one(self, exercise_id: str, notebook: Notebook) -> Verdict:
        """Judge a single exercise; what it uses counts as the course's own where it is missing."""
        exercise = self.lesson.exercise(exercise_id)
        shared = _Shared(self.torch_pool if exercise.torch and self.torch_pool else self.pool)
        try:
            return self._exercise(exercise, notebook, shared, {})[0]
        finally:
            shared.drop()

    def _exercise(
        self, exercise: Exercise, notebook: Notebook, shared: _Shared, earlier: Mapping[str, Verdict]
    ) -> tuple[Verdict, bool]:
        expectation = self.expectations[exercise.id]
        answer = notebook.answer(exercise.id, expectation.uses)
        if not answer.statements:
            return _without_code(exercise.id, exercise.points, answer), True
        failing = {name for name in self._lendable(exercise, answer) if not _full(earlier.get(name))}
        if any(name in earlier and earlier[name].outcome is Outcome.TIME_LIMIT for name in failing):
            # What it calls never ends: a run with that would only take its time again.
            return _verdict(expectation, self._beside_reference(exercise, answer, failing, None, shared.pool)), True
        run = self._play(expectation, answer.statements, shared)
        if failing and not run.diagnosis.passed and run.diagnosis.outcome is not Outcome.NOT_STARTED:
            run = self._beside_reference(exercise, answer, failing, run, shared.pool)
        return _verdict(expectation, run), run.stop != "wall clock"

    def _lendable(self, exercise: Exercise, answer: Answer) -> frozenset[str]:
        """Which of the exercises that an answer uses may be lent: those that known answers are built on.

        Any other may give the answer away, as `mlp_forward` does with `sigmoid`: zero weights, and x for a bias.
        """
        built_on = set(self.solution.answer(exercise.id, exercise.uses).depends_on)
        for known in (*exercise.other_ways, *exercise.mistakes):
            built_on.update(known.code.__code__.co_names if inspect.isfunction(known.code) else ())
        return answer.depends_on & built_on

    def _beside_reference(
        self, exercise: Exercise, answer: Answer, failing: set[str], first: _Run | None, pool: Pool
    ) -> _Run:
        """Run the answer again alone, with the course's own versions of what it uses and what fails.

        Nothing that this run printed, raised or returned is shown: the reference was in reach of the
        learner's code. Only our own sentences are.
        """
        theirs = solution_statements(self.solution, sorted(failing))
        mine = [statement for statement in answer.statements if not statement.binds & failing]
        run = self._play_alone(pool, self.expectations[exercise.id], [*theirs, *mine])
        names = ", ".join(f"`{name}`" for name in sorted(failing))
        if run.diagnosis.outcome is Outcome.CORRECT:
            message = messages.WITH_REFERENCE.format(names=names)
        elif run.diagnosis.passed or run.diagnosis.mistake:
            message = run.diagnosis.message
        elif run.diagnosis.outcome is Outcome.NOT_STARTED:
            message = messages.NOT_STARTED
        elif first is None:
            message = messages.WRONG_BESIDE_ENDLESS.format(names=names)
        elif first.diagnosis.mistake:
            return first
        else:
            message = messages.WRONG_BESIDE_REFERENCE.format(names=names, message=first.diagnosis.message)
        return replace(run, diagnosis=replace(run.diagnosis, message=message))

    def _question(self, name: str, notebook: Notebook, shared: _Shared, learner: str) -> tuple[Verdict, bool]:
        expectation = self.questions.expectation(name, learner)
        answer = notebook.answer(name)
        if not answer.statements:
            return _without_code(name, expectation.points, answer), True
        run = self._play(expectation, answer.statements, shared)
        verdict = _verdict(expectation, run)
        if verdict.outcome is Outcome.NOT_STARTED:
            return replace(verdict, message=messages.NO_NUMBER.format(exercise=name)), True
        declared = notebook.constant("LEARNER")
        if verdict.points == 0 and declared is not None and str(declared) != learner:
            verdict = self._for_declared(name, notebook, str(declared), learner) or verdict
        return verdict, run.stop != "wall clock"

    def _for_declared(self, name: str, notebook: Notebook, declared: str, learner: str) -> Verdict | None:
        """Right for the learner that the notebook names? Then a person decides, and nobody gets points yet."""
        expectation = self.questions.expectation(name, declared)
        run = self._play_alone(self.pool, expectation, notebook.answer(name).statements)
        if not run.diagnosis.passed:
            return None
        message = messages.OTHER_LEARNER.format(declared=declared[:40], learner=learner)
        return Verdict(name, Outcome.NEEDS_A_PERSON, 0.0, expectation.points, message)

    def _play(self, expectation: Expectation, statements: Sequence[Statement], shared: _Shared) -> _Run:
        """Run an answer in the shared fork; if that fails and may be another answer's fault, alone again."""
        if shared.job is None:
            shared.job = shared.pool.job(self.limits)
        others_ran = bool(shared.ran)
        run = self._play_in(shared.job, expectation, statements)
        shared.ran.extend(statements)
        lost = run.diagnosis.missed and run.diagnosis.outcome is not Outcome.NOT_STARTED
        # A loop that never ends would only take its time again.
        again = run.stop == "wall clock" or (run.stop != "time limit" and lost and others_ran)
        first, run = run, self._play_alone(shared.pool, expectation, statements) if again else run
        if first.stop or run.diagnosis.missed != first.diagnosis.missed:
            shared.drop()
        return run

    def _play_alone(self, pool: Pool, expectation: Expectation, statements: Sequence[Statement]) -> _Run:
        with pool.job(self.limits) as alone:
            return self._play_in(alone, expectation, statements)

    def _play_in(self, job: Job, expectation: Expectation, statements: Sequence[Statement]) -> _Run:
        before = job.cpu_seconds
        pieces: list[Piece] = [statement.piece for statement in statements]
        played: list[Played] = []
        stop, load_errors = "", []
        try:
            load_errors = job.load(pieces)
            played = job.play(self.scripts[expectation.exercise])
        except Stopped as stopped:
            stop, played = stopped.reason, list(stopped.done)
        seconds = max(job.cpu_seconds - before, 0.0)
        diagnosis = self.diagnoser.diagnose(expectation, load_errors, played)
        if stop:
            diagnosis = _stopped(diagnosis, stop, expectation, len(played), self.limits)
        return _Run(diagnosis, seconds, stop)


def limits_for(expectations: Iterable[Expectation]) -> Limits:
    """Limits of a lesson: a multiple of what its slowest reference needs, and some to spare."""
    slowest = max((expectation.seconds for expectation in expectations), default=0.0)
    cpu_seconds = SPARE_CPU_SECONDS + REFERENCE_FACTOR * slowest
    return replace(Limits(), cpu_seconds=cpu_seconds, wall_seconds=4 * cpu_seconds + 5)


def _stopped(diagnosis: Diagnosis, stop: str, expectation: Expectation, done: int, limits: Limits) -> Diagnosis:
    outcome, template = _STOPS[stop]
    case = expectation.cases[min(done, len(expectation.cases) - 1)].case.id
    message = template.format(case=case, seconds=limits.cpu_seconds, megabytes=limits.memory_bytes >> 20)
    return replace(diagnosis, outcome=outcome, message=message, case=case, mistake=None, missed=frozenset({"core"}))


def _without_code(name: str, points: float, answer: Answer) -> Verdict:
    if answer.syntax_error:
        return Verdict(name, Outcome.SYNTAX_ERROR, 0.0, points, answer.syntax_error)
    return Verdict(name, Outcome.MISSING, 0.0, points, messages.MISSING.format(exercise=name))


def _full(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.points == verdict.max_points


def _verdict(expectation: Expectation, run: _Run) -> Verdict:
    found = run.diagnosis
    outcome, points, message = found.outcome, _score(expectation.points, found), found.message
    if expectation.disputed and not found.passed and outcome is not Outcome.NOT_STARTED:
        outcome, points, message = Outcome.NEEDS_A_PERSON, expectation.points, messages.DISPUTED
    compared = bool(found.rows) and outcome is not Outcome.NOT_STARTED
    complete = len(found.rows) == len(expectation.cases)
    return Verdict(
        expectation.exercise, outcome, points, expectation.points, message, found.mistake,
        _agreement(compared, complete and all(row.numpy for row in found.rows)),
        _agreement(compared, complete and all(row.torch for row in found.rows)),
        round(run.seconds, 4), found.case,
    )  # fmt: skip


def _agreement(compared: bool, agrees: bool) -> str:
    return "not compared" if not compared else "agrees" if agrees else "differs"


def _score(points: float, diagnosis: Diagnosis) -> float:
    if not diagnosis.passed:
        return 0.0
    lost = STABILITY_SHARE * ("stability" in diagnosis.missed) + CONVENTION_SHARE * ("convention" in diagnosis.missed)
    return round(points * (1 - lost), 4)
