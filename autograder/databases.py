"""Where the gradebook lies, and how to reach it: the one place that knows SQLite from PostgreSQL.

What enters: a database URL, perhaps with a password. What leaves: connections with a transaction begun, and errors
as sentences. No sentence, and nothing that is written, holds a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from autograder import database_messages as messages
from autograder.folders import CourseError

LOCK_SECONDS = 15.0
# A whole class may be written by another grader first.
QUEUE_SECONDS = 600.0
CONNECT_SECONDS = 10
# Names for locks inside one database: who writes, and who lets nbgrader describe a lesson.
WRITER, DESCRIBER = 0x636F7572, 0x636F7573
_PASSWORDS = ("password", "passfile", "sslpassword")
_CLASHES = ("23505", "40001", "40P01")


class GradebookError(CourseError):
    """The gradebook cannot be read or written; the text says why and what to do. Nothing was changed."""


class NoLesson(GradebookError):
    """nbgrader has not described the lesson, or anything, in this database yet."""


class Clash(GradebookError):
    """Another program wrote the same rows at the same moment; nothing of ours was written, and trying again helps."""


def parsed(db_url: str) -> sa.URL:
    """The URL of a database that can hold the gradebook.

    Raises:
        GradebookError: it is none.
    """
    try:
        url = sa.make_url(db_url)
    # A port that is no number. Neither error is shown: a password may stand where it is not recognised.
    except (sa.exc.ArgumentError, ValueError):
        raise GradebookError(messages.NO_URL) from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise GradebookError(messages.UNKNOWN_KIND.format(kind=url.get_backend_name()))
    return url


def shown(url: sa.URL) -> str:
    """The URL for people, without password and options; a file's path for SQLite.

    >>> shown(sa.make_url("postgresql://ada:secret@host/course?password=secret"))
    'postgresql://ada@host/course'
    """
    return str(url.database) if is_file(url) else without_password(url).set(query={}).render_as_string()


def without_password(url: sa.URL) -> sa.URL:
    """The URL without a password, wherever it stands.

    >>> without_password(sa.make_url("postgresql://ada:secret@/course?host=/tmp&password=x")).render_as_string()
    'postgresql://ada@/course?host=%2Ftmp'
    """
    return url._replace(password=None).difference_update_query(_PASSWORDS)


def is_file(url: sa.URL) -> bool:
    """Is it SQLite, a file of this computer?"""
    return url.get_backend_name() == "sqlite"


@contextmanager
def connection(db_url: str, *, write: bool) -> Iterator[sa.Connection]:
    """One transaction: all of it is kept, or nothing. Of those that write, one runs at a time.

    Args:
        db_url: the database.
        write: will anything be written?

    Raises:
        GradebookError: it is not there, it is locked, or it refuses.
    """
    url = parsed(db_url)
    if is_file(url) and not Path(url.database or "").is_file():
        raise NoLesson(messages.NO_GRADEBOOK.format(where=shown(url)))
    with _engine(url) as engine:
        sa.event.listen(engine, "begin", _begin_file(write) if is_file(url) else _begin_server(write))
        with engine.begin() as connection:
            yield connection


@contextmanager
def describing(db_url: str) -> Iterator[None]:
    """Only one process at a time lets nbgrader make tables and describe lessons on a server; files have other locks.

    Raises:
        GradebookError: the server does not answer.
    """
    url = parsed(db_url)
    if is_file(url):
        yield
        return
    with _engine(url) as engine, engine.connect() as server:
        # The lock belongs to the connection: whoever is killed lets it go.
        server.execute(sa.select(sa.func.pg_advisory_lock(DESCRIBER)))
        server.commit()
        yield


@contextmanager
def _engine(url: sa.URL) -> Iterator[sa.Engine]:
    if is_file(url):
        options: dict[str, Any] = {"timeout": LOCK_SECONDS}
    else:
        options = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = sa.create_engine(url, connect_args=options, poolclass=sa.pool.NullPool)
    except ModuleNotFoundError as error:
        raise GradebookError(messages.NO_DRIVER.format(module=error.name)) from None
    except sa.exc.NoSuchModuleError:
        raise GradebookError(messages.UNKNOWN_KIND.format(kind=url.drivername)) from None
    if is_file(url):
        # The driver would begin transactions late, and by its own rules.
        sa.event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    try:
        yield engine
    except sa.exc.DBAPIError as error:
        raise _told(url, error) from error
    finally:
        engine.dispose()


def _begin_file(write: bool) -> Any:
    # The write lock at once keeps what we read true until we write.
    return lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _begin_server(write: bool) -> Any:
    def begin(connection: sa.Connection) -> None:
        if not write:
            # All reads see one moment.
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return
        # One writer after the other, and each sees what the one before wrote: so not REPEATABLE READ here.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(1000 * QUEUE_SECONDS)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER})")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(1000 * LOCK_SECONDS)}")

    return begin


def _told(url: sa.URL, error: sa.exc.DBAPIError) -> GradebookError:
    """The sentence for what a database says."""
    where, said = shown(url), _first_line(error)
    for secret in (url.password, *(url.query.get(name) for name in _PASSWORDS)):
        said = said.replace(str(secret), "***") if secret else said
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
    if state in _CLASHES:
        return Clash(messages.REFUSED.format(where=where, said=said))
    # A server that refuses a connection gives no code, only its words.
    for pattern, sentence in (
        (r"database is locked|lock timeout", messages.LOCKED),
        (r"database .* does not exist", messages.NO_DATABASE),
        (r"password|authentication|pg_hba|role .* does not exist|permission denied", messages.WRONG_PASSWORD),
        (r"connection (?!option)|resolve|timeout expired|terminat", messages.UNREACHABLE),
    ):
        if re.search(pattern, said):
            return GradebookError(sentence.format(where=where, said=said))
    return GradebookError(messages.REFUSED.format(where=where, said=said))


def _first_line(error: sa.exc.DBAPIError) -> str:
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    # psycopg tells of each address it tried; the reason stands in the last words of the first that has one.
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return (fatal or lines or [type(error.orig).__name__])[0].rstrip(".")
