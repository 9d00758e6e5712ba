"""The trusted side: starts the walled server, asks it for jobs and keeps it alive.

What enters: a view and a table of walls. What leaves: jobs, see `autograder.sandbox.job`. Whatever a learner's
code does, it does not outlive its job, and no job outlives the pool, even when the pool's process is killed.

One pool is used from one thread, the one that started it; several may run in several processes.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from autograder.sandbox import wire
from autograder.sandbox.ground import GroundError, find_ground
from autograder.sandbox.job import CodeError, Job, Piece, Played, Stopped
from autograder.sandbox.walls import PYTHON, WALLS, Limits, Walls, outer_walls

__all__ = ["CodeError", "Job", "Piece", "Played", "Pool", "PoolError", "Stopped"]

LIMITS = Limits()
START_SECONDS = 60.0
FORK_SECONDS = 20.0
COMMAND = "from autograder.sandbox.worker import main; main()"
NO_BWRAP = "bubblewrap is not installed"
INSTALL_BWRAP = "Run `apt-get install bubblewrap`."
ALLOW_NAMESPACES = (
    "Allow unprivileged user namespaces: `sysctl kernel.unprivileged_userns_clone=1`, "
    "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, `sysctl user.max_user_namespaces=10000`; "
    "in a container, allow them in its security profile."
)


class PoolError(Exception):
    """The walls cannot be raised on this computer, or the server cannot be kept alive.

    Args:
        sentence: what is wrong.
        remedy: what to do about it, or "".
    """

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(f"{sentence}. {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy


class Pool:
    """One warm server behind walls, from which jobs are forked. Starts when entered or first used.

    Args:
        view: folder with the `course_lib` package that learners' code sees.
        walls: which walls stand; all of them, outside the doctor's tests.
        torch: let learners' code use Torch.
    """

    def __init__(self, view: Path, *, walls: Walls = WALLS, torch: bool = False) -> None:
        self.view = Path(view)
        self.walls = walls
        self.torch = torch
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.jobs: set[Job] = set()

    def __enter__(self) -> Pool:
        self._ensure_started()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def job(self, limits: Limits = LIMITS) -> Job:
        """A fresh fork.

        Raises:
            PoolError: the walls cannot be raised.
        """
        return Job(self, limits)

    def close(self) -> None:
        """End the server and every job; when this returns, none of their processes is left."""
        for job in list(self.jobs):
            job.close()
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            # With its connection closed the server ends by itself, and bubblewrap returns when all are gone.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2)
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def _ensure_started(self) -> None:
        if self._process is None:
            try:
                self._start()
            except BaseException:
                self.close()
                raise

    def _start(self) -> None:
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise PoolError(NO_BWRAP, INSTALL_BWRAP)
        try:
            ground = find_ground(self.view, torch=self.torch)
        except GroundError as error:
            raise PoolError(str(error)) from None
        command = outer_walls(bwrap, ground, self.walls, root=os.geteuid() == 0)
        command += [f"{PYTHON}/bin/python3", "-c", COMMAND]
        command += [json.dumps(asdict(self.walls)), "torch" if self.torch else "numpy"]
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as complaints:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            self._control.settimeout(START_SECONDS)
            if not self._ready():
                complaints.seek(0)
                raise _start_error(complaints.read(4000).decode("utf-8", "replace"))

    def _ready(self) -> bool:
        try:
            return bool(self._control.recv(16))
        except OSError:
            return False

    def fork(self, limits: Limits) -> tuple[socket.socket, int]:
        """A job's socket and the handle that kills it; the server is started again once if it is gone."""
        for _attempt in range(2):
            self._ensure_started()
            forked = self._try_fork(limits)
            if forked is not None:
                return forked
            self.restart()
        raise PoolError("the sandbox's server ended twice while it made a job", "Is there enough memory?")

    def _try_fork(self, limits: Limits) -> tuple[socket.socket, int] | None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                ours.settimeout(FORK_SECONDS)
                socket.send_fds(self._control, [json.dumps(asdict(limits)).encode()], [theirs.fileno()])
            answer, handles, _, _ = socket.recv_fds(ours, 1, 1)
            if answer == b"R" and handles:
                ours.setblocking(False)
                return ours, handles[0]
            if answer == b"X":
                raise PoolError(f"a wall could not be raised ({wire.read_message(ours, 1 << 16)})", ALLOW_NAMESPACES)
        except (OSError, wire.WireError):
            pass
        except BaseException:
            ours.close()
            raise
        ours.close()
        return None

    def restart(self) -> None:
        """Start the server again; every open job is lost."""
        self.close()
        self._ensure_started()

    def is_gone(self) -> bool:
        """True when the server ended. It may take a moment longer than its jobs."""
        if self._control is None:
            return True
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        return bool(poll.poll(20))


def _start_error(complaints: str) -> PoolError:
    last = complaints.strip().splitlines()[-1:] or ["no word from it"]
    remedy = ALLOW_NAMESPACES if _about_namespaces(complaints) else ""
    return PoolError(f"the sandbox's server does not start ({last[0][:300]})", remedy)


def _about_namespaces(text: str) -> bool:
    return any(word in text for word in ("namespace", "uid map", "Operation not permitted", "Permission denied"))
