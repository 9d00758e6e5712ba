"""The gradebook in PostgreSQL: the same as in a file, for two graders at once, and through every accident."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import postgres_server
import pytest
import sqlalchemy as sa
import tiny_course as tiny
from commands import course_command, environment
from postgres_server import Server
from test_gradebook import (
    opened,
    score_of,
    tables,
    test_a_batch_that_does_not_fit_changes_nothing,
    test_a_death_in_the_middle_of_a_batch_changes_nothing,
    test_a_marked_open_answer_is_asked_for_again_only_when_it_changed,
    test_a_regrade_never_touches_manual_marks,
    test_learners_without_a_submission_are_read_too,
    test_rows_are_those_that_nbgrader_makes,
    test_writing_twice_is_writing_once,
)
from test_regrade import ours, test_confirmed_losses_are_written, test_gains_count_and_losses_wait
from tiny_course import LESSON_ID

from autograder import databases
from autograder.course import Outcome, Verdict
from autograder.export import export_scores
from autograder.folders import Folders
from autograder.gradebook import (
    GradebookError,
    LearnerScore,
    database_url,
    ensure_lesson,
    read_scores,
    remember_database,
    write_reports,
)
from autograder.locks import alone
from benchmarks import kill9

# Tests of other files that are run here once more, on a server.
__all__ = [
    "ours",
    "test_a_batch_that_does_not_fit_changes_nothing",
    "test_a_death_in_the_middle_of_a_batch_changes_nothing",
    "test_a_marked_open_answer_is_asked_for_again_only_when_it_changed",
    "test_a_regrade_never_touches_manual_marks",
    "test_confirmed_losses_are_written",
    "test_gains_count_and_losses_wait",
    "test_learners_without_a_submission_are_read_too",
    "test_rows_are_those_that_nbgrader_makes",
    "test_writing_twice_is_writing_once",
]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted"
# `course grade` without the doctor, which a test need not ask again.
GRADE = """
import sys
from autograder import cli, readiness
readiness.missing_walls = lambda *_: []
sys.argv = ["course", "grade", "01_xor_mlp", "--processes", "1", *sys.argv[1:]]
"""
DIES = """
import os, signal
from autograder.gradebook_tables import Book
honest, calls = Book.update, []
def update(book, changes):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    honest(book, changes)
Book.update = update
"""
INSIDE = """
import sys
from pathlib import Path
from autograder.locks import alone
with alone(Path(sys.argv[1])):
    print("inside", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server for this file."""
    with postgres_server.running() as found:
        yield found


@pytest.fixture(scope="session")
def described(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database that knows the tiny lesson."""
    root = tiny.copy_course(tmp_path_factory.mktemp("described") / "course")
    name = server.make_database()
    remember_database(Folders(root), server.url(name))
    ensure_lesson(root, LESSON_ID)
    return name


@pytest.fixture(autouse=True)
def url(server: Server, described: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a gradebook that knows the lesson and nobody; what every course in these tests uses."""
    found = server.url(described)
    # Whoever forgot to hang up would be waited for.
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{described}'")
    server.run("TRUNCATE student, submitted_assignment, submitted_notebook, grade, comment", described)
    monkeypatch.setenv("COURSE_DATABASE", found)
    return found


@pytest.fixture
def in_a_file(tmp_path: Path) -> str:
    """The same in a file."""
    return f"sqlite:///{tiny.copy_course(tmp_path / 'file')}/run/gradebook.db"


@contextmanager
def another(url: str) -> Iterator[sa.Connection]:
    """Another program's connection; it commits when it likes."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        yield connection


def at_once(*tasks: Callable[[], object]) -> None:
    """Do all of these at the same moment; the first error is raised."""
    barrier = threading.Barrier(len(tasks))

    def do(task: Callable[[], object]) -> None:
        barrier.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        list(pool.map(do, tasks))


@pytest.mark.parametrize("kind", ["server", "file"])
def test_two_graders_leave_what_one_leaves(kind: str, request: pytest.FixtureRequest) -> None:
    """Overlapping batches written at once: no error, nobody lost or doubled, the same scores as from one grader."""
    url = request.getfixturevalue("url" if kind == "server" else "in_a_file")
    everybody = [tiny.report(f"learner{number:02}", *("double", "square")[: number % 3]) for number in range(40)]
    batches = [everybody[:25], everybody[15:], everybody[::2], list(reversed(everybody))]
    at_once(*(lambda batch=batch: write_reports(url, LESSON_ID, batch) for batch in batches))
    found = tables(url)
    assert [score.points for score in read_scores(url, LESSON_ID)] == [report.points for report in everybody]
    assert {name: len(found[name]) for name in ("student", "submitted_assignment", "submitted_notebook", "grade")} == {
        "student": 40, "submitted_assignment": 40, "submitted_notebook": 40, "grade": 160,
    }  # fmt: skip


def test_a_row_that_nbgrader_adds_meanwhile_is_no_error(url: str) -> None:
    """nbgrader asks for no lock of ours: a learner that it adds between our look and our writing is found again."""
    with another(url) as other:
        other.execute(sa.text("INSERT INTO student (id) VALUES ('ada')"))
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_reports, url, LESSON_ID, [tiny.report("ada", "double")])
            wait_until_it_waits(url, writing)
            other.commit()
            writing.result(30)
    assert score_of(url, "ada").points == 2.0


def test_a_mark_given_meanwhile_is_seen(url: str) -> None:
    """A marker who saves while a class is written is waited for, and the mark counts and stays finished."""
    write_reports(url, LESSON_ID, [tiny.report("ada")])
    grade = execute_one(url, "SELECT grade.id FROM grade JOIN base_cell ON cell_id = base_cell.id WHERE name = :n")
    with another(url) as marker:
        marker.execute(sa.text("UPDATE grade SET manual_score = 1.5 WHERE id = :id"), {"id": grade})
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_reports, url, LESSON_ID, [tiny.report("ada", "double")])
            wait_until_it_waits(url, writing)
            marker.commit()
            writing.result(30)
    cell = score_of(url, "ada").cells["check_double"]
    assert (cell.auto, cell.manual, cell.needs_a_person) == (2.0, 1.5, True), "its score changed under the mark"


def execute_one(url: str, query: str) -> str:
    """The only value that a query about `check_double` finds."""
    with opened(url) as database:
        return database.execute(sa.text(query), {"n": "check_double"}).scalar_one()


def wait_until_it_waits(url: str, writing: Future[None]) -> None:
    """Return when a transaction waits for another one, or is over."""
    with another(url) as looker:
        while not looker.execute(sa.text(WAITS)).scalar_one() and not writing.done():
            looker.rollback()


def test_a_locked_row_gives_a_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who keeps a row for long is not waited for without end."""
    monkeypatch.setattr(databases, "LOCK_SECONDS", 0.1)
    write_reports(url, LESSON_ID, [tiny.report("ada")])
    with another(url) as other:
        other.execute(sa.text("UPDATE grade SET manual_score = 1"))
        with pytest.raises(GradebookError, match="locked. Close it .* run again"):
            write_reports(url, LESSON_ID, [tiny.report("ada", "double")])


def test_text_that_a_server_cannot_hold_stops_nobody(url: str) -> None:
    """A message with a zero byte, which PostgreSQL refuses, costs neither its learner nor the class anything."""
    zero = Verdict("double", Outcome.RAISED, 0.0, 2.0, "It raised ValueError: a\0b\ud800")
    write_reports(url, LESSON_ID, [tiny.report("ada", double=zero), tiny.report("ben", "double")])
    assert [score.points for score in read_scores(url, LESSON_ID)] == [0.0, 2.0]


@pytest.mark.filterwarnings("ignore:Object of type")  # nbgrader's add_submission, under SQLAlchemy 2
def test_nbgraders_own_tools_use_the_same_database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nbgrader autograde`, and what formgrader lists, work on the server that `course init --db` named."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    from autograder.release import load_config

    root = tiny.copy_course(tmp_path / "course")
    remember_database(Folders(root), url)
    monkeypatch.delenv("COURSE_DATABASE")
    for learner, right in (("ada", ["double", "square"]), ("ben", ["double"])):
        tiny.hand_in(root, learner, tiny.answered(root, right))
    config = load_config(root)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    monkeypatch.chdir(root)
    done = api.autograde(LESSON_ID, "*")
    assert done["success"], done
    assert {row["student"]: row["score"] for row in api.get_submissions(LESSON_ID)} == {"ada": 5.0, "ben": 2.0}
    assert len(api.get_notebook_submissions(LESSON_ID, LESSON_ID)) == 2
    assert api.get_assignment(LESSON_ID)["num_submissions"] == 2
    assert [row["id"] for row in api.get_students()] == ["ada", "ben"]
    scores = read_scores(url, LESSON_ID)
    assert [score.points for score in scores] == [5.0, 2.0]
    assert export_scores(tmp_path / "out.csv", scores, "Tiny").learners == 2


def test_database_is_remembered_without_a_password(
    server: Server, described: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's commands and nbgrader's use it from then on; the password comes from a password file."""
    folders = Folders(tiny.copy_course(tmp_path / "course"))
    monkeypatch.delenv("COURSE_DATABASE")
    assert database_url(folders.root).startswith("sqlite:///")
    told = remember_database(folders, server.by_network(described, server.password))
    assert server.password not in " ".join([*told, folders.database_file.read_text()])
    assert len(told) == 2
    assert folders.database_file.stat().st_mode & 0o777 == 0o600
    url = database_url(folders.root)
    with pytest.raises(GradebookError, match=r"refused .* no password supplied.*pgpass"):
        read_scores(url, LESSON_ID)
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{server.port}:*:{postgres_server.USER}:{server.password}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    assert read_scores(url, LESSON_ID) == ()


WRONG = {
    "wrong password": (lambda server, name: server.by_network(name, "se:cr@t"), "password authentication failed"),
    "unknown database": (lambda server, name: server.url("nowhere"), "no database of that name.*createdb"),
    "nobody answers": (lambda *_: "postgresql://ada:se%3Acr%40t@127.0.0.1:1/x", "no PostgreSQL server answers"),
    "other kind": (lambda *_: "mysql://ada:se%3Acr%40t@host/x", "kind 'mysql'.*postgresql://"),
    "unknown driver": (lambda *_: "postgresql+pigeon://ada:se%3Acr%40t@host/x", r"postgresql\+pigeon"),
    "other driver": (lambda *_: "postgresql+asyncpg://ada:se%3Acr%40t@host/x", "package asyncpg.*make postgres"),
    "no port": (lambda *_: "postgresql://host:se:cr", "no database's URL"),
    "no URL": (lambda *_: "se:cr@t", "no database's URL"),
    "empty database": (lambda server, _: server.url("postgres"), "no gradebook of nbgrader.*course init"),
    "unknown option": (lambda server, name: f"{server.url(name)}&pasword=se%3Acr", "refused: invalid .* option"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_database_gets_a_sentence_without_the_password(case: str, server: Server, described: str) -> None:
    """What is wrong and what to do next, in one line, in which no password stands."""
    make, sentence = WRONG[case]
    with pytest.raises(GradebookError, match=sentence) as caught:
        read_scores(make(server, described), LESSON_ID)
    assert not any(part in str(caught.value) for part in ("se:cr", "se%3Acr", "\n"))


def test_missing_driver_gets_a_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the sentence says how to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(GradebookError, match="package psycopg.*make postgres"):
        read_scores(url, LESSON_ID)


def test_commands_end_with_2_and_the_sentence(server: Server, tmp_path: Path) -> None:
    """`--db` with a wrong password: exit code 2, one sentence, no password, and nothing is remembered."""
    root = tiny.copy_course(tmp_path / "course")
    url = server.by_network("postgres", "se:cr@t")
    done = course_command(root, "init", "--db", url, COURSE_DATABASE="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "password authentication failed" in done.stderr
    assert "Traceback" not in done.stderr
    assert "cr@t" not in done.stderr
    assert not Folders(root).database_file.exists()


def test_second_process_waits_and_says_so(tmp_path: Path) -> None:
    """A lock is given to one process at a time, the other names who holds it, and a killed one lets it go at once."""
    path, said = tmp_path / "lock", []
    with subprocess.Popen(
        [sys.executable, "-c", INSIDE, str(path)], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"inside\n"

        def waiting(holder: str) -> None:
            said.append(holder)
            other.kill()

        with alone(path, waiting):
            assert [f"Process {other.pid} of" in holder for holder in said] == [True]
    with alone(path, said.append):
        assert len(said) == 1


class Class:
    """A class of five in lesson 01, not graded yet, in as many copies as are wanted.

    Args:
        root: where it is made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        kill9.make_class(root / "class")

    def copy(self, name: str, *learners: str) -> Path:
        """A copy without a gradebook, with these learners or all."""
        root = kill9.copy_class(self.root / "class", self.root / name, fresh=True)
        for path in (root / "run" / "submitted").iterdir():
            if learners and path.name not in learners:
                shutil.rmtree(path)
        return root


@pytest.fixture(scope="module")
def class_of_five(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """The class; its own gradebook is a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COURSE_DATABASE", raising=False)
        return Class(tmp_path_factory.mktemp("five"))


def started(root: Path, url: str = "", before: str = "") -> subprocess.Popen[str]:
    """Start `course grade`, in a process of its own."""
    command = [sys.executable, "-c", f"{GRADE}{before}\ncli.main()", *(["--db", url] if url else [])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=root, env=environment(COURSE_DATABASE=""), start_new_session=True, **pipes)


def finished(process: subprocess.Popen[str]) -> int:
    """Wait for it; what it said is shown when it failed."""
    out, err = process.communicate(timeout=180)
    assert process.returncode in (0, -signal.SIGKILL), out + err
    return process.returncode


@pytest.fixture(scope="module")
def by_one(class_of_five: Class) -> tuple[LearnerScore, ...]:
    """The scores that one grader alone leaves, in a file."""
    root = class_of_five.copy("one")
    assert finished(started(root)) == 0
    return read_scores(f"sqlite:///{root}/run/gradebook.db", kill9.LESSON)


@pytest.mark.slow
def test_two_commands_on_one_course(class_of_five: Class, by_one: tuple[LearnerScore, ...]) -> None:
    """`course grade` twice at once in one folder, not even a gradebook there: both end well, and nothing is doubled."""
    root = class_of_five.copy("together")
    assert [finished(process) for process in [started(root), started(root)]] == [0, 0]
    assert read_scores(f"sqlite:///{root}/run/gradebook.db", kill9.LESSON) == by_one


@pytest.mark.slow
def test_two_computers_on_one_database(server: Server, class_of_five: Class, by_one: tuple[LearnerScore, ...]) -> None:
    """Two folders, overlapping learners, one empty database: the end is that of one grader with all of them.

    One of them was killed before, in the middle of writing: that left nothing half done, and its next run goes on.
    """
    url = server.url(server.make_database())
    killed, other = class_of_five.copy("killed"), class_of_five.copy("other", "eve", "kim", "nils")
    assert finished(started(killed, url, DIES)) == -signal.SIGKILL
    assert read_scores(url, kill9.LESSON) == ()
    assert [finished(process) for process in [started(killed, url), started(other, url)]] == [0, 0]
    assert read_scores(url, kill9.LESSON) == by_one
