"""The doctor: tries to get through every wall of the sandbox, and says what to do where it can.

What enters: a course view. What leaves: one `WallCheck` per wall of `autograder.sandbox.walls.Walls`. Nothing is
taken for granted: secrets are planted, listeners opened, and code that means harm is run behind the walls.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal

from autograder.sandbox import probes, seccomp
from autograder.sandbox.ground import find_ground
from autograder.sandbox.pool import Job, Piece, Pool, PoolError, Stopped
from autograder.sandbox.walls import HOST_NAME, JOB_FD, WALLS, Limits, Walls
from course_lib.cases import call_case

State = Literal["ok", "missing", "unknown"]
MEGABYTE = 1 << 20
LISTENERS = (
    (socket.AF_INET, socket.SOCK_DGRAM),
    (socket.AF_INET, socket.SOCK_STREAM),
    (socket.AF_UNIX, socket.SOCK_STREAM),
)
ROOT_ENTRIES = ("dev", "lib", "lib64", "opt", "proc", "tmp")
WEAKENED = "Do not grade on this computer: its kernel or container weakens this wall. See docs/sandbox.md."
AGAIN = "Run the doctor again on a quiet computer; see docs/sandbox.md if it stays."
NO_ARCHITECTURE = "The system calls of this processor are not known to the sandbox"
OTHER_COMPUTER = "Grade on a computer with an x86_64 or aarch64 processor."


@dataclass(frozen=True)
class WallCheck:
    """What the doctor found about one wall.

    Args:
        name: the wall, as in `Walls`, with spaces.
        state: "unknown" when the attempt itself failed.
        sentence: what was tried and what came of it.
        remedy: what to do, or "".
    """

    name: str
    state: State
    sentence: str
    remedy: str = ""


class Patient:
    """A pool under examination, and what was planted around it.

    Args:
        pool: the pool.
        files: planted files that no job may read.
        variable: name of a planted environment variable.
        listeners: sockets on which nobody may call, the first one for datagrams.
    """

    def __init__(self, pool: Pool, files: Sequence[str], variable: str, listeners: Sequence[socket.socket]) -> None:
        self.pool = pool
        self.files = list(files)
        self.variable = variable
        self.listeners = listeners

    def ask(self, function: str, *args: Any, limits: Limits = Limits()) -> Any:  # noqa: B008 - frozen
        """What a function of `probes` returns in a fresh job."""
        with self.pool.job(limits) as job:
            return self.ask_in(job, function, *args)

    def ask_in(self, job: Job, function: str, *args: Any) -> Any:
        """The same in a given job."""
        errors = job.load([Piece("probe", Path(probes.__file__).read_text())])
        case = call_case(function, function, {f"argument {number}": value for number, value in enumerate(args)})
        played = job.play([case])[0]
        if errors or played.error:
            error = (errors or [played.error])[0]
            raise RuntimeError(f"{error.type}: {error.message}")
        return played.seen["result"]

    def stop_reason(self, function: str, *args: Any, limits: Limits) -> str:
        """Why a job was stopped; "" when it was not."""
        try:
            self.ask(function, *args, limits=limits)
        except Stopped as stopped:
            return stopped.reason
        return ""

    def was_called(self) -> bool:
        """True when anything arrived at a planted listener."""
        for listener in self.listeners:
            with suppress(BlockingIOError):
                listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()[0].close()
                return True
        return False


Attempt = Callable[[Patient], Any]


def _files(patient: Patient) -> list[str]:
    return patient.ask("reached_files", patient.files, list(ROOT_ENTRIES))


def _packages(patient: Patient) -> list[str]:
    ground = find_ground(patient.pool.view, torch=patient.pool.torch)
    return patient.ask("extra_packages", [os.path.basename(path) for path in ground.packages])


def _private_tmp(patient: Patient) -> list[str]:
    patient.ask("leave_files")
    return patient.ask("left_files")


def _network(patient: Patient) -> list[str]:
    port = patient.listeners[1].getsockname()[1]
    name = patient.listeners[2].getsockname()[1:].decode()
    found = patient.ask("connections", port, name)
    return found or (["a listener"] if patient.was_called() else [])


def _ipc(patient: Patient) -> bool:
    with patient.pool.job() as job:
        return os.readlink(f"/proc/{job.pid}/ns/ipc") == os.readlink("/proc/self/ns/ipc")


def _identity(patient: Patient) -> list[str]:
    with patient.pool.job() as job:
        status = Path(f"/proc/{job.pid}/status").read_text()
        users = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
        return patient.ask_in(job, "powers") + (["root outside"] if "0" in users else [])


def _cpu_time(patient: Patient) -> bool:
    limits = Limits(cpu_seconds=0.1, wall_seconds=3.0)
    return patient.stop_reason("spin", limits=limits) != "time limit"


def _wall_clock(patient: Patient) -> bool:
    return patient.stop_reason("sleep", 1.2, limits=Limits(wall_seconds=0.3)) != "wall clock"


def _reply(patient: Patient) -> bool:
    limits = Limits(reply_bytes=MEGABYTE)
    return patient.stop_reason("large_array", 4 * MEGABYTE, limits=limits) != "output limit"


def _at_least(count: int, function: str) -> Attempt:
    return lambda patient: patient.ask(function, count) >= count


# Wall, what was tried with success, the same without. An attempt returns what it got through with.
PROBES: tuple[tuple[str, str, str, Attempt], ...] = (
    ("files", "Files planted on this computer were read.", "Planted files cannot be read.", _files),
    ("packages", "Packages were found that nobody named.", "Only the named packages are there.", _packages),
    ("read_only", "A place that all jobs share can be written.", "Nothing that jobs share can be written.",
     lambda patient: patient.ask("writable_places")),
    ("private_tmp", "A job found what another one left.", "What a job leaves is gone with it.", _private_tmp),
    ("kernel_files", "The kernel's files in /proc were read.", "/proc is empty.",
     lambda patient: patient.ask("kernel_files")),
    ("environment", "A planted environment variable was read.", "The environment does not come along.",
     lambda patient: patient.ask("known_variables", patient.variable)),
    ("network", "A planted listener was reached.", "TCP, UDP and abstract sockets lead nowhere.", _network),
    ("ipc", "Message queues are shared with this computer.", "Message queues are not shared.", _ipc),
    ("host_name", "The computer's name was read.", "The computer's name is not told.",
     lambda patient: patient.ask("host_name") != HOST_NAME),
    ("other_processes", "Other processes can be seen.", "No other process can be seen.",
     lambda patient: patient.ask("other_processes")),
    ("new_processes", "A process was started.", "No process can be started.",
     lambda patient: patient.ask("started_processes")),
    ("descriptors", "A descriptor of the server is open.", "No descriptor of the server is open.",
     lambda patient: patient.ask("open_descriptors", [0, 1, 2, JOB_FD])),
    ("identity", "Code runs with privileges.", "Code runs without any privilege.", _identity),
    ("system_calls", "Dangerous system calls were answered.", "Dangerous system calls are refused.",
     lambda patient: patient.ask("answered_calls", seccomp.numbers(seccomp.DANGEROUS))),
    ("cpu_time", "An endless loop was not stopped in time.", "An endless loop is stopped in time.", _cpu_time),
    ("wall_clock", "A sleeping job was not stopped in time.", "A sleeping job is stopped in time.", _wall_clock),
    ("memory", "Four times the memory limit was given.", "Memory beyond the limit is refused.",
     lambda patient: patient.ask("taken_memory", 1 << 30, limits=Limits(memory_bytes=1 << 28))),
    ("reply", "An answer beyond the limit was taken.", "An answer beyond the limit is refused.", _reply),
    ("disk", "Files beyond the limit were written.", "Files beyond the limit are refused.",
     _at_least(3 * Limits.disk_bytes, "written_bytes")),
    ("open_files", "200 files were opened at once.", "200 files cannot be opened at once.",
     _at_least(200, "opened_files")),
    ("threads", "200 threads were started.", "200 threads cannot be started.", _at_least(200, "started_threads")),
)  # fmt: skip


def run_doctor(view: Path, walls: Walls = WALLS) -> list[WallCheck]:
    """Try every wall for real.

    Args:
        view: folder with the `course_lib` package that learners' code sees.
        walls: which walls stand; all of them, outside the doctor's own tests.

    Returns:
        One check per wall, in the order of `PROBES`. Never raises for what this computer lacks.
    """
    if not seccomp.supported():
        return _all_missing(NO_ARCHITECTURE, OTHER_COMPUTER)
    try:
        with _planted(Pool(view, walls=walls)) as patient:
            return [_check(patient, *probe) for probe in PROBES]
    except PoolError as error:
        return _all_missing(error.sentence, error.remedy)


def _all_missing(sentence: str, remedy: str) -> list[WallCheck]:
    return [WallCheck(name.replace("_", " "), "missing", f"{sentence}.", remedy or AGAIN) for name, *_ in PROBES]


def _check(patient: Patient, wall: str, broken: str, stands: str, attempt: Attempt) -> WallCheck:
    name = wall.replace("_", " ")
    try:
        found = attempt(patient)
    except (Stopped, RuntimeError, OSError) as error:
        return WallCheck(name, "unknown", f"The attempt failed ({error}).", AGAIN)
    if not found:
        return WallCheck(name, "ok", stands)
    details = f" Found: {', '.join(map(str, found[:5]))}." if isinstance(found, list) else ""
    return WallCheck(name, "missing", broken + details, WEAKENED)


@contextmanager
def _planted(pool: Pool) -> Iterator[Patient]:
    """Plant secrets and listeners around a pool, start it, and clear everything away again."""
    mark = f"COURSE_PLANTED_{secrets.token_hex(8).upper()}"
    with ExitStack() as stack:
        files = []
        for folder in {pool.view.resolve().parent, Path(__file__).resolve().parents[1], Path.home()}:
            with suppress(OSError):
                file = stack.enter_context(NamedTemporaryFile(prefix=".course-doctor-", dir=folder))
                os.chmod(file.name, 0o644)
                file.write(b"secret")
                file.flush()
                files.append(file.name)
        os.environ[mark] = "secret"
        stack.callback(os.environ.pop, mark)
        listeners = _listen(stack, mark)
        stack.enter_context(pool)
        yield Patient(pool, files, mark, listeners)


def _listen(stack: ExitStack, name: str) -> list[socket.socket]:
    sockets = [stack.enter_context(socket.socket(family, kind)) for family, kind in LISTENERS]
    datagrams, stream, local = sockets
    stream.bind(("127.0.0.1", 0))
    datagrams.bind(stream.getsockname())
    local.bind(f"\0{name}")
    for sock in (stream, local):
        sock.listen()
    for sock in sockets:
        sock.setblocking(False)
    return sockets
