"""A PostgreSQL server of the tests' own: on loopback and a socket, in a temporary folder, gone when they end."""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

# Nothing here outlives the tests, so nothing need reach the disk.
SETTINGS = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "16MB",
    "max_connections": "30", "listen_addresses": "127.0.0.1", "log_min_messages": "fatal",
}  # fmt: skip
USER = "grader"
PR_SET_PDEATHSIG = 1
INSTALL = "These tests need a PostgreSQL server. Run: sudo apt-get install postgresql"


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        folder: of its socket and data.
        port: on loopback, and in the socket's name.
        password: of its only user; asked for on loopback, not on the socket.
    """

    folder: Path
    port: int
    password: str

    def url(self, database: str) -> str:
        """URL of a database, over the socket."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.folder), safe='')}&port={self.port}"

    def by_network(self, database: str, password: str) -> str:
        """URL of a database, over loopback."""
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """Make an empty database and return its name."""
        name = f"course_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} STRATEGY file_copy")
        return name

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run a statement outside of any transaction."""
        engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it by its id."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    process = None
    try:
        owner = _owner(folder)
        server = Server(folder, _free_port(), secrets.token_hex(8))
        (folder / "password").write_text(server.password)
        auth = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={folder / 'password'}"]
        made = ["initdb", "--pgdata", str(folder / "data"), "--username", USER, "--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run([*_program(made), "--no-sync", *auth], check=True, capture_output=True, **owner)
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        place = ["-D", str(folder / "data"), "-k", str(folder), "-p", str(server.port)]
        process = _start([*_program(["postgres"]), *place, *options], folder, owner)
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _start(command: list[str], folder: Path, owner: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start, and return when it takes connections: it says so on a socket that systemd would listen to."""
    address = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(address)
        os.chmod(address, 0o777)
        ready.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": address}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, preexec_fn=_end_with_us, **owner
            )
        try:
            while b"READY=1" not in ready.recv(1000):
                pass
        except BaseException:
            process.kill()
            process.wait()
            raise RuntimeError((folder / "log").read_text()) from None
    return process


def _end_with_us() -> None:
    # Tests that are killed leave no server. It is lost when the user changes, so it is set after that.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _owner(folder: Path) -> dict[str, Any]:
    """Who runs it: PostgreSQL refuses root, and Debian's package brings a user."""
    if os.getuid() != 0:
        return {}
    with suppress(KeyError):
        found = pwd.getpwnam("postgres")
        os.chown(folder, found.pw_uid, found.pw_gid)
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "cwd": folder}
    raise RuntimeError(INSTALL)


def _program(command: list[str]) -> list[str]:
    """The command with its program's path; Debian keeps servers out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{command[0]}"))
    path = str(found[-1]) if found else shutil.which(command[0])
    if path is None:
        raise RuntimeError(INSTALL)
    return [path, *command[1:]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
